//! When two values are the same state: RFC 7643 sections 2.3 to 2.5.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use scimwright_core::{Attribute, DataType, Mutability, fold};
use serde_json::{Map, Value};

use crate::value::is_primary;

/// Whether there is nothing to do between two values of an attribute.
pub(super) fn same(attribute: &Attribute, left: &Value, right: &Value) -> bool {
    left == right || key(attribute, left) == key(attribute, right)
}

/// A text that is equal exactly where two values are the same state.
pub(super) fn key(attribute: &Attribute, value: &Value) -> String {
    normal(attribute, value).to_string()
}

fn normal(attribute: &Attribute, value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut keys: Vec<String> = items.iter().map(|item| key(attribute, item)).collect();
            keys.sort_unstable();
            keys.into()
        }
        Value::Object(object) => {
            let parts =
                parts(attribute).filter_map(|sub| object.get_key_value(sub.name.as_str()).map(|part| (sub, part)));
            parts.map(|(sub, (name, value))| Value::from(vec![name.as_str().into(), normal(sub, value)])).collect()
        }
        // 3 and 3.0 are one number.
        Value::Number(number) => {
            number.as_f64().filter(|_| number.is_f64()).and_then(whole).unwrap_or_else(|| value.clone())
        }
        // Another spelling of what cannot change is no change.
        Value::String(text) if attribute.mutability == Mutability::Immutable && !attribute.case_exact => {
            fold(text).into()
        }
        other => other.clone(),
    }
}

fn whole(float: f64) -> Option<Value> {
    // Out of range it saturates, beyond what the conversions below take.
    #[expect(clippy::cast_possible_truncation, reason = "there is no fraction")]
    let whole = if float.fract() == 0.0 { float as i128 } else { return None };
    i64::try_from(whole).map(Value::from).or_else(|_| u64::try_from(whole).map(Value::from)).ok()
}

/// The sub-attributes that a client writes.
pub(super) fn parts(attribute: &Attribute) -> impl Iterator<Item = &Attribute> {
    attribute.sub_attributes.iter().filter(|sub| sub.mutability != Mutability::ReadOnly)
}

/// What a client may say of a value, in as few words as will do: a value of a list that is not primary need not say so.
pub(super) fn writable(attribute: &Attribute, value: &Value) -> Value {
    let Value::Object(object) = value else { return value.clone() };
    let mut written: Map<String, Value> = Map::new();
    for sub in parts(attribute) {
        let name = sub.name.as_str();
        let assumed = attribute.multi_valued && name == "primary";
        if let Some(part) = object.get(name).filter(|part| !(assumed && **part == Value::Bool(false))) {
            written.insert(name.to_owned(), part.clone());
        }
    }
    written.into()
}

/// One value of a list.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// What a client may say of it.
    pub(super) value: Value,
    /// Equal where the values are the same state.
    pub(super) key: String,
}

impl Element {
    pub(super) fn new(attribute: &Attribute, value: Value) -> Self {
        Self { key: key(attribute, &value), value }
    }

    pub(super) fn is_primary(&self) -> bool {
        self.value.as_object().is_some_and(is_primary)
    }

    /// The same, not primary.
    pub(super) fn demoted(&self, attribute: &Attribute) -> Self {
        let mut value = self.value.clone();
        if let Value::Object(object) = &mut value {
            object.remove("primary");
        }
        Self::new(attribute, value)
    }
}

/// The values of a list. Those that have no `value` to be known by are known by all they say except whether they are
/// primary, so that two of them may be one.
pub(super) fn elements(attribute: &Attribute, list: Option<&Value>) -> Vec<Element> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut elements: Vec<Element> = Vec::with_capacity(list.len());
    for value in list {
        let value = writable(attribute, value);
        if attribute.data_type == DataType::Complex && value.as_object().is_none_or(Map::is_empty) {
            continue;
        }
        let element = Element::new(attribute, value);
        if attribute.sub("primary").is_none() || element.value.get("value").is_some() {
            elements.push(element);
            continue;
        }
        match seen.entry(element.demoted(attribute).key) {
            Entry::Vacant(slot) => {
                slot.insert(elements.len());
                elements.push(element);
            }
            Entry::Occupied(slot) => {
                if let Some(twin) = elements.get_mut(*slot.get()).filter(|_| element.is_primary()) {
                    *twin = element;
                }
            }
        }
    }
    elements
}
