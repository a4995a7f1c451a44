//! Attributes with sub-attributes: those that change are named, the others are left alone.

use scimwright_core::{Attribute, Mutability};
use scimwright_filter::Filter;
use serde_json::{Map, Value};

use crate::diff::place::{Place, Spot};
use crate::diff::putting;
use crate::diff::state::{elements, parts, same, writable};
use crate::value::is_primary;
use crate::{Op, Operation};

/// What happens to an attribute with one value.
pub(super) fn changes(place: &Place<'_>, old: Option<&Value>, new: Option<&Value>) -> Vec<Operation> {
    let attribute = place.attribute;
    let object = |value: Option<&Value>| match value.map(|value| writable(attribute, value)) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    let (old, new) = (object(old), object(new));
    match (old.is_empty(), new.is_empty()) {
        (true, true) => Vec::new(),
        (false, true) => vec![place.remove()],
        (true, false) => one_by_one(place, None, &old, &new),
        (false, false) => {
            let fixed =
                |sub: &Attribute| sub.mutability == Mutability::Immutable && old.contains_key(sub.name.as_str());
            // What nobody can read may be there nevertheless, and would go with the rest.
            let kept = |sub: &Attribute| sub.is_hidden() || fixed(sub);
            let may_go = !attribute.required && !attribute.sub_attributes.iter().any(kept);
            let by_parts = one_by_one(place, None, &old, &new);
            let anew = vec![place.remove(), place.put(false, new.into())];
            // Of equals the one that leaves alone what stays.
            if may_go && anew.len() < by_parts.len() { anew } else { by_parts }
        }
    }
}

/// What happens to the sub-attributes of one value: of an attribute that has one, or of the one that a filter picks out
/// of a list.
pub(super) fn one_by_one(
    place: &Place<'_>,
    selection: Option<&Filter>,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Vec<Operation> {
    let mut given: Vec<(&Attribute, &Value)> = Vec::new();
    let mut gone: Vec<&Attribute> = Vec::new();
    for sub in parts(place.attribute) {
        match (old.get(sub.name.as_str()), new.get(sub.name.as_str())) {
            (Some(old), Some(new)) if same(sub, old, new) => {}
            (_, Some(new)) => given.push((sub, new)),
            (Some(_), None) => gone.push(sub),
            (None, None) => {}
        }
    }
    let mut operations = Vec::new();
    // What is not primary any more either loses the word or, beside other changes, says so: that is one operation less.
    let demoted = selection.is_some() && is_primary(old) && !is_primary(new) && !given.is_empty();
    if demoted {
        gone.retain(|sub| sub.name.as_str() != "primary");
    }
    match given.as_slice() {
        [] => {}
        [(sub, value)] if !demoted => operations.push(one(place, Spot { selection, sub: Some(sub) }, sub, old, value)),
        several => {
            // Whether a selected value is merged or replaced by what it is given is read in both ways (ruling R-20), so
            // it is given all that it has.
            let mut value: Map<String, Value> = match selection {
                Some(_) => new.clone(),
                None => several.iter().map(|(sub, value)| (sub.name.as_str().to_owned(), (*value).clone())).collect(),
            };
            if demoted {
                value.insert("primary".to_owned(), false.into());
            }
            operations.push(place.act(putting(!old.is_empty()), Spot { selection, sub: None }, Some(value.into())));
        }
    }
    operations.extend(gone.into_iter().map(|sub| place.act(Op::Remove, Spot { selection, sub: Some(sub) }, None)));
    operations
}

/// Gives one sub-attribute a value; a list that only grows gets what is new.
fn one(place: &Place<'_>, spot: Spot<'_>, sub: &Attribute, old: &Map<String, Value>, value: &Value) -> Operation {
    let before = old.get(sub.name.as_str());
    if sub.multi_valued {
        let (old, new) = (elements(sub, before), elements(sub, Some(value)));
        let (added, kept): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|element| old.iter().all(|old| old.key != element.key));
        if kept.len() == old.len() {
            let added: Vec<Value> = added.into_iter().map(|element| element.value).collect();
            return place.act(Op::Add, spot, Some(added.into()));
        }
    }
    place.act(putting(before.is_some()), spot, Some(value.clone()))
}
