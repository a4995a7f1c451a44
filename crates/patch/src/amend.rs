//! What `add` and `replace` do alike: attributes with one value, value paths, and sub-attributes of a list's values.

use scimwright_core::{AdmitError, DataType, Mutability};
use scimwright_filter::BoundFilter;
use serde_json::{Map, Value};

use crate::add::add_value;
use crate::apply::Work;
use crate::merge::merge;
use crate::options::CREATE_ON_NO_MATCH;
use crate::target::{Change, fixed_value};
use crate::value::{Complex, Parts, Simple, is_primary, says_something};
use crate::{Op, PatchError};

/// What an operation brings to one value.
enum Given<'a> {
    /// Null.
    Null,
    /// `""`, which clears.
    Cleared,
    Simple(Value),
    Parts(Parts<'a>),
}

impl Given<'_> {
    /// Whether adding it is no change whatever there is.
    fn adds_nothing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Parts(parts) => parts.set.is_empty() && parts.cleared.is_empty() && parts.read_only.is_empty(),
            Self::Cleared | Self::Simple(_) => false,
        }
    }
}

/// An attribute with one value, or a sub-attribute of it.
pub(crate) fn single<'a>(work: &mut Work<'a>, change: &Change<'a>) -> Result<(), PatchError> {
    let (container, attribute) = (change.container, change.attribute);
    let given = given(work, change)?;
    if change.op == Op::Add && given.adds_nothing() {
        return Ok(());
    }
    let stored = work.document.take(container, attribute);
    // A value path on the one value (ruling R-10).
    let made = stored.is_none();
    let stored = match (&change.selection, stored) {
        (Some(selection), Some(stored)) if !selection.selects(&stored) => return Err(change.no_target()),
        (Some(selection), None) => match described(work, change, selection)? {
            None => return Err(change.no_target()),
            Some(described) => Some(Value::Object(described)),
        },
        (_, stored) => stored,
    };
    let new = match given {
        Given::Null | Given::Cleared => return Ok(()),
        Given::Simple(new) => match stored {
            Some(old) if new.is_number() && scimwright_core::same_value(attribute, &old, &new) => old,
            _ => new,
        },
        Given::Parts(parts) => {
            let mut object = match stored {
                Some(Value::Object(object)) => object,
                _ => Map::new(),
            };
            if parts.bare && object.get("value") != parts.set.get("value") {
                // What was said besides, such as `$ref`, was said about another.
                object.retain(|name, _| {
                    let kept = |mutability| matches!(mutability, Mutability::ReadOnly | Mutability::Immutable);
                    attribute.sub(name).is_some_and(|sub| kept(sub.mutability))
                });
            }
            if made && change.selection.is_some() && parts.set.is_empty() {
                return Ok(());
            }
            merge(change, &mut object, &parts)?;
            Value::Object(object)
        }
    };
    // The filter must find what it has made.
    if made && change.selection.as_ref().is_some_and(|selection| !selection.selects(&new)) {
        return Err(change.no_target());
    }
    work.document.put(container, attribute, new);
    Ok(())
}

/// The values of a list that a value path selects, or all of them where only a sub-attribute is named (ruling R-39).
pub(crate) fn values<'a>(work: &mut Work<'a>, change: &Change<'a>) -> Result<(), PatchError> {
    let given = given(work, change)?;
    if change.op == Op::Add && given.adds_nothing() {
        return Ok(());
    }
    let list = work.document.list(change.container, change.attribute);
    let places = match &change.selection {
        Some(selection) => list.selected(selection),
        None => list.places(),
    };
    if places.is_empty() {
        return create(work, change, given);
    }
    match given {
        Given::Null | Given::Cleared => {
            for at in places {
                list.take(at);
            }
        }
        Given::Simple(value) => {
            for at in places {
                list.put(at, value.clone());
            }
        }
        Given::Parts(parts) => {
            let primary = is_primary(&parts.set);
            if primary && places.len() > 1 {
                return Err(change.admit(AdmitError::TwoPrimaries(change.attribute.name.to_string())));
            }
            for at in places {
                let Some(Value::Object(object)) = list.get(at) else { continue };
                let mut object = object.clone();
                merge(change, &mut object, &parts)?;
                if parts.cleared.is_empty() || says_something(&object) {
                    list.put(at, Value::Object(object));
                } else {
                    list.take(at);
                }
                if primary {
                    list.demote_others(at);
                }
            }
        }
    }
    Ok(())
}

fn given<'a>(work: &mut Work<'a>, change: &Change<'a>) -> Result<Given<'a>, PatchError> {
    let attribute = change.attribute;
    let value = change.value.unwrap_or(&Value::Null);
    let complex = |complex| match complex {
        Complex::Null => Given::Null,
        Complex::Cleared => Given::Cleared,
        Complex::Parts(parts) => Given::Parts(parts),
    };
    let read = match change.sub {
        // One sub-attribute is an object that names one.
        Some(sub) => {
            let object = Map::from_iter([(sub.name.as_str().to_owned(), value.clone())]);
            work.reader.complex(attribute, &Value::Object(object)).map(complex)
        }
        None => {
            let value = match value {
                // Clients that always send lists mean the one value.
                Value::Array(items) if attribute.multi_valued => match items.as_slice() {
                    [] => &Value::Null,
                    [one] => one,
                    _ => return Err(change.value_error("expected one value for those that are selected, found a list")),
                },
                value => value,
            };
            if attribute.data_type == DataType::Complex {
                work.reader.complex(attribute, value).map(complex)
            } else {
                work.reader.simple(attribute, value).map(|simple| match simple {
                    Simple::Null => Given::Null,
                    Simple::Cleared => Given::Cleared,
                    Simple::Value(value) => Given::Simple(value),
                })
            }
        }
    };
    read.map_err(|error| change.admit(error))
}

/// Nothing is selected: an error, or a new value that the filter describes (rulings ).
fn create<'a>(work: &mut Work<'a>, change: &Change<'a>, given: Given<'a>) -> Result<(), PatchError> {
    let Some(selection) = &change.selection else { return Err(change.no_target()) };
    let Some(mut described) = described(work, change, selection)? else { return Err(change.no_target()) };
    let value = match given {
        // What is not there is cleared already.
        Given::Null | Given::Cleared => return Ok(()),
        Given::Simple(value) => value,
        Given::Parts(parts) if parts.set.is_empty() => return Ok(()),
        Given::Parts(parts) => {
            merge(change, &mut described, &parts)?;
            Value::Object(described)
        }
    };
    let list = work.document.list(change.container, change.attribute);
    // The filter must find what it has made, and a member that is there already is another than it describes (ruling R-37).
    if !selection.selects(&value) || (fixed_value(change.attribute).is_some() && list.place_of(&value).is_some()) {
        return Err(change.no_target());
    }
    add_value(change, list, value)
}

/// The value that a filter describes, if there is only one and it may be made.
fn described<'a>(
    work: &mut Work<'a>,
    change: &Change<'a>,
    selection: &BoundFilter,
) -> Result<Option<Map<String, Value>>, PatchError> {
    if !work.options.create_on_no_match {
        return Ok(None);
    }
    let Some(terms) = selection.equalities() else { return Ok(None) };
    work.reader.notes.lenient(CREATE_ON_NO_MATCH);
    if change.attribute.data_type != DataType::Complex {
        return Ok(Some(Map::new()));
    }
    let object: Map<_, _> = terms.iter().cloned().collect();
    match work.reader.complex(change.attribute, &Value::Object(object)).map_err(|error| change.admit(error))? {
        Complex::Parts(parts) if parts.read_only.is_empty() => Ok(Some(parts.set)),
        _ => Ok(None),
    }
}
