//! Bringing sub-attributes into a value: RFC 7644 sections 3.5.2.1 and 3.5.2.3, and what RFC 7643 section 7 lets change.

use std::collections::HashSet;

use scimwright_core::{Attribute, Mutability, is_assigned, same_value};
use serde_json::{Map, Value};

use crate::target::Change;
use crate::value::{Parts, items};
use crate::{Op, PatchError};

/// Brings what an object says into a value. What it does not name stays (RFC 7644 section 3.5.2.3, rulings ); what it
/// says is null goes when it replaces, and adds nothing when it adds.
pub(crate) fn merge(change: &Change<'_>, target: &mut Map<String, Value>, parts: &Parts<'_>) -> Result<(), PatchError> {
    for (sub, given) in &parts.read_only {
        let adds_nothing = change.op == Op::Add && !is_assigned(given);
        if !adds_nothing && !says_the_same(sub, target.get(sub.name.as_str()), given) {
            return Err(change.mutability(change.name_of(sub)));
        }
    }
    let gone = if change.op == Op::Replace { parts.unset.as_slice() } else { &[] };
    for sub in gone.iter().chain(&parts.cleared) {
        unassign(change, target, sub)?;
    }
    for (name, new) in &parts.set {
        let Some(sub) = change.attribute.sub(name) else { continue };
        let immutable = sub.mutability == Mutability::Immutable;
        match target.get_mut(name) {
            // 3 and 3.0 are one number, and another spelling of what cannot change is no change.
            Some(old) if (immutable || new.is_number()) && same_value(sub, old, new) => {}
            Some(_) if immutable => return Err(change.mutability(change.name_of(sub))),
            Some(Value::Array(old)) if change.op == Op::Add => {
                let mut seen: HashSet<String> = old.iter().map(|value| sub.element_key(value)).collect();
                old.extend(items(new).iter().filter(|value| seen.insert(sub.element_key(value))).cloned());
            }
            _ => {
                target.insert(name.clone(), new.clone());
            }
        }
    }
    Ok(())
}

/// Takes a sub-attribute out of a value, if it may go.
pub(crate) fn unassign(
    change: &Change<'_>,
    target: &mut Map<String, Value>,
    sub: &Attribute,
) -> Result<(), PatchError> {
    let name = sub.name.as_str();
    match sub.mutability {
        _ if !target.contains_key(name) => {}
        Mutability::Immutable | Mutability::ReadOnly => return Err(change.mutability(change.name_of(sub))),
        _ if sub.required => return Err(change.required(change.name_of(sub))),
        _ => {
            target.remove(name);
        }
    }
    Ok(())
}

/// Whether what a client says of something read-only is what the server says (ruling R-33). What it leaves out it does not say;
/// lists are compared without their order.
pub(crate) fn says_the_same(attribute: &Attribute, stored: Option<&Value>, given: &Value) -> bool {
    let Some(stored) = stored else { return !is_assigned(given) };
    if !is_assigned(given) {
        return false;
    }
    if attribute.multi_valued {
        let keys = |value: &Value| -> HashSet<String> {
            items(value).iter().map(|item| attribute.element_key(&spelled(attribute, item))).collect()
        };
        return keys(given) == keys(stored);
    }
    match (given, stored) {
        (Value::Object(given), Value::Object(stored)) => given.iter().all(|(key, value)| {
            attribute.sub(key).is_none_or(|sub| says_the_same(sub, stored.get(sub.name.as_str()), value))
        }),
        _ => same_value(attribute, given, stored),
    }
}

/// The value with names as the schema spells them, and without what is no value.
fn spelled(attribute: &Attribute, value: &Value) -> Value {
    let Value::Object(object) = value else { return value.clone() };
    let parts = object.iter().filter(|(_, value)| is_assigned(value));
    parts.filter_map(|(key, value)| Some((attribute.sub(key)?.name.as_str().to_owned(), value.clone()))).collect()
}
