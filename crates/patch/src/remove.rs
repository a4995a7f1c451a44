//! `remove`: RFC 7644 section 3.5.2.2, and what a value beside the path means where it is tolerated (ruling R-19).

use std::collections::{HashMap, HashSet};

use scimwright_core::{Attribute, DataType, is_assigned, same_value};
use serde_json::{Map, Value};

use crate::PatchError;
use crate::apply::Work;
use crate::merge::unassign;
use crate::target::{Change, fixed_value};
use crate::value::{Complex, Simple, items};

/// What is not there is removed already (ruling R-18).
pub(crate) fn remove<'a>(work: &mut Work<'a>, change: &Change<'a>) -> Result<(), PatchError> {
    let named = match change.value {
        None => None,
        Some(Value::Null) if change.attribute.multi_valued && change.selection.is_none() => {
            return Err(change.value_error("null does not say which values to remove"));
        }
        Some(Value::Null) => None,
        Some(value) => Some(Named::read(work, change, value)?),
    };
    if change.attribute.multi_valued {
        from_list(work, change, named.as_ref())
    } else {
        single(work, change, named.as_ref())
    }
}

fn single<'a>(work: &mut Work<'a>, change: &Change<'a>, named: Option<&Named>) -> Result<(), PatchError> {
    let (container, attribute) = (change.container, change.attribute);
    let Some(stored) = work.document.get(container, attribute) else { return Ok(()) };
    let selected = change.selection.as_ref().is_none_or(|selection| selection.selects(stored));
    if !selected || !named.is_none_or(|named| named.names(change, stored)) {
        return Ok(());
    }
    let stored = work.document.take(container, attribute);
    if let (Some(sub), Some(Value::Object(mut object))) = (change.sub, stored) {
        unassign(change, &mut object, sub)?;
        work.document.put(container, attribute, Value::Object(object));
    }
    Ok(())
}

fn from_list<'a>(work: &mut Work<'a>, change: &Change<'a>, named: Option<&Named>) -> Result<(), PatchError> {
    let list = work.document.list(change.container, change.attribute);
    let mut places = match (&change.selection, named) {
        (Some(selection), _) => list.selected(selection),
        // Found by their keys, without looking at the others.
        (None, Some(Named::Keyed { values, .. })) => values.iter().filter_map(|value| list.place_of(value)).collect(),
        (None, _) => list.places(),
    };
    if let Some(named) = named {
        places.retain(|at| list.get(*at).is_some_and(|value| named.names(change, value)));
    }
    for at in places {
        let Some(sub) = change.sub else {
            list.take(at);
            continue;
        };
        let Some(Value::Object(object)) = list.get(at) else { continue };
        let mut object = object.clone();
        unassign(change, &mut object, sub)?;
        list.put(at, Value::Object(object));
    }
    Ok(())
}

/// The values that the value beside the path names.
enum Named {
    /// These values of a list whose keys say all: simple values, or values that are one as long as their `value` is.
    Keyed { values: Vec<Value>, keys: HashSet<String> },
    /// This simple value.
    One(Option<Value>),
    /// Values with this `value`, and of one of these types where one is given; and values with all of these sub-attributes.
    Like { by_value: HashMap<String, Vec<Option<String>>>, others: Vec<Map<String, Value>> },
    /// A sub-attribute with this value.
    Sub(Option<Value>),
}

impl Named {
    fn read<'a>(work: &mut Work<'a>, change: &Change<'a>, value: &Value) -> Result<Self, PatchError> {
        let attribute = change.attribute;
        let admit = |error| change.admit(error);
        if let Some(sub) = change.sub {
            let object = Map::from_iter([(sub.name.as_str().to_owned(), value.clone())]);
            let read = work.reader.complex(attribute, &Value::Object(object)).map_err(admit)?;
            return Ok(Self::Sub(match read {
                Complex::Parts(mut parts) => parts.set.remove(sub.name.as_str()),
                Complex::Null | Complex::Cleared => None,
            }));
        }
        let items =
            if attribute.multi_valued || !is_assigned(value) { items(value) } else { std::slice::from_ref(value) };
        let mut values = Vec::new();
        for item in items.iter().filter(|item| is_assigned(item)) {
            if attribute.data_type != DataType::Complex {
                if let Simple::Value(value) = work.reader.simple(attribute, item).map_err(admit)? {
                    values.push(value);
                }
                continue;
            }
            // A bare value where only one sub-attribute can be meant.
            let bare = !item.is_object() && !item.is_array() && attribute.sub("value").is_some();
            let wrapped = bare.then(|| Value::Object(Map::from_iter([("value".to_owned(), item.clone())])));
            let read = work.reader.complex(attribute, wrapped.as_ref().unwrap_or(item)).map_err(admit)?;
            if let Complex::Parts(parts) = read
                && !parts.set.is_empty()
            {
                values.push(Value::Object(parts.set));
            }
        }
        let simple = attribute.data_type != DataType::Complex;
        if simple && !attribute.multi_valued {
            return Ok(Self::One(values.pop()));
        }
        let by_value_alone = |value: &Value| fixed_value(attribute).is_some() && value.get("value").is_some();
        if attribute.multi_valued && values.iter().all(|value| simple || by_value_alone(value)) {
            let keys = values.iter().map(|value| attribute.element_key(value)).collect();
            return Ok(Self::Keyed { values, keys });
        }
        let mut by_value: HashMap<String, Vec<Option<String>>> = HashMap::new();
        let mut others = Vec::new();
        for value in values {
            match (key(attribute, "value", &value), value) {
                (Some(key_of_value), value) if attribute.multi_valued => {
                    let kind = if fixed_value(attribute).is_some() { None } else { key(attribute, "type", &value) };
                    by_value.entry(key_of_value).or_default().push(kind);
                }
                (_, Value::Object(object)) => others.push(object),
                _ => {}
            }
        }
        Ok(Self::Like { by_value, others })
    }

    fn names(&self, change: &Change<'_>, stored: &Value) -> bool {
        let attribute = change.attribute;
        match self {
            Self::Keyed { keys, .. } => keys.contains(&attribute.element_key(stored)),
            Self::One(value) => value.as_ref().is_some_and(|value| same_value(attribute, value, stored)),
            Self::Sub(None) => false,
            Self::Sub(Some(value)) => change
                .sub
                .is_some_and(|sub| stored.get(sub.name.as_str()).is_some_and(|stored| same_value(sub, value, stored))),
            Self::Like { by_value, others } => {
                let by_value = key(attribute, "value", stored).and_then(|key| by_value.get(&key));
                let kind = key(attribute, "type", stored);
                by_value.is_some_and(|kinds| kinds.iter().any(|wanted| wanted.is_none() || *wanted == kind))
                    || others.iter().any(|parts| {
                        parts.iter().all(|(name, value)| {
                            let (sub, stored) = (attribute.sub(name), stored.get(name));
                            sub.zip(stored).is_some_and(|(sub, stored)| same_value(sub, value, stored))
                        })
                    })
            }
        }
    }
}

/// One sub-attribute of a value, in a form that is equal where the values are.
fn key(attribute: &Attribute, name: &str, value: &Value) -> Option<String> {
    attribute.sub(name).zip(value.get(name)).map(|(sub, value)| sub.element_key(value))
}
