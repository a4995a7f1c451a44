//! The values of a multi-valued attribute while operations work on them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use scimwright_core::{Attribute, DataType, is_assigned};
use scimwright_filter::BoundFilter;
use serde_json::{Map, Value};

use crate::target::fixed_value;
use crate::value::is_primary;

/// The values of a multi-valued attribute, each found by its key without looking at the others, so that a request which adds or
/// removes a thousand values costs what a thousand values cost (requirement PA-26).
// INVARIANT: no two values have the same key, as in every canonical resource; none is empty. `keys` knows every value as soon as
// it knows one.
#[derive(Debug)]
pub(crate) struct List<'a> {
    attribute: &'a Attribute,
    /// In their order; none where one was removed.
    slots: Vec<Option<Value>>,
    keys: Option<HashMap<String, usize>>,
    /// Where a value may be primary; made when it is first asked for.
    primaries: Option<Vec<usize>>,
}

impl<'a> List<'a> {
    pub(crate) fn new(attribute: &'a Attribute, value: Option<Value>) -> Self {
        let mut list = Self { attribute, slots: Vec::new(), keys: None, primaries: None };
        list.reset(match value {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        });
        list
    }

    /// Puts these values in the place of all.
    pub(crate) fn reset(&mut self, values: Vec<Value>) {
        self.slots = values.into_iter().map(Some).collect();
        self.keys = None;
        self.primaries = None;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// The list as it stands in a resource.
    pub(crate) fn into_value(self) -> Option<Value> {
        let values: Vec<Value> = self.slots.into_iter().flatten().collect();
        (!values.is_empty()).then_some(Value::Array(values))
    }

    /// The same without taking it apart.
    pub(crate) fn to_value(&self) -> Option<Value> {
        let values: Vec<Value> = self.slots.iter().flatten().cloned().collect();
        (!values.is_empty()).then_some(Value::Array(values))
    }

    /// Every place where there is a value.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.is_some()).map(|(at, _)| at).collect()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Value> {
        self.slots.get(at).and_then(Option::as_ref)
    }

    /// The places of the values that a filter selects.
    pub(crate) fn selected(&mut self, selection: &BoundFilter) -> Vec<usize> {
        let selects = |list: &Self, at: &usize| list.get(*at).is_some_and(|value| selection.selects(value));
        match self.sought(selection) {
            Some(key) => self.keys().get(&key).copied().filter(|at| selects(self, at)).into_iter().collect(),
            None => self.places().into_iter().filter(|at| selects(self, at)).collect(),
        }
    }

    /// The key of the one value that can be selected, where the filter is `value eq "…"` and the key is the value alone.
    fn sought(&self, selection: &BoundFilter) -> Option<String> {
        let [(name, value)] = selection.equalities()? else { return None };
        if name != "value" || !value.is_string() {
            return None;
        }
        if self.attribute.data_type == DataType::String {
            return Some(self.attribute.element_key(value));
        }
        let known = fixed_value(self.attribute).is_some_and(|sub| sub.data_type == DataType::String);
        known.then(|| self.attribute.element_key(&Value::Object(Map::from_iter([(name.clone(), value.clone())]))))
    }

    /// The place of the value that counts as this one. Where values have no `value` to be known by, they are known by all that
    /// they say, except by whether they are primary: that changes when another one becomes so.
    pub(crate) fn place_of(&mut self, value: &Value) -> Option<usize> {
        let key = self.attribute.element_key(value);
        if let Some(at) = self.keys().get(&key) {
            return Some(*at);
        }
        let Value::Object(object) = value else { return None };
        if self.attribute.sub("primary").is_none() || object.contains_key("value") {
            return None;
        }
        let mut other = object.clone();
        [None, Some(true), Some(false)].into_iter().find_map(|primary| {
            match primary {
                Some(primary) => other.insert("primary".to_owned(), primary.into()),
                None => other.remove("primary"),
            };
            let key = self.attribute.element_key(&Value::Object(other.clone()));
            self.keys().get(&key).copied()
        })
    }

    /// Appends a value that is not there yet; tells where it is.
    pub(crate) fn push(&mut self, value: Value) -> usize {
        let at = self.slots.len();
        let key = self.attribute.element_key(&value);
        self.keys().insert(key, at);
        if let Some(primaries) = &mut self.primaries
            && value.as_object().is_some_and(is_primary)
        {
            primaries.push(at);
        }
        self.slots.push(Some(value));
        at
    }

    /// Takes the value out.
    pub(crate) fn take(&mut self, at: usize) -> Option<Value> {
        let value = self.slots.get_mut(at)?.take()?;
        if let Some(keys) = &mut self.keys {
            keys.remove(&self.attribute.element_key(&value));
        }
        Some(value)
    }

    /// Puts a value in the place of one. It goes when it is empty, and takes in the value that counts as the same one when there
    /// is such another.
    pub(crate) fn put(&mut self, at: usize, value: Value) {
        self.keys();
        if self.take(at).is_none() || !is_assigned(&value) {
            return;
        }
        let mut value = value;
        let key = self.attribute.element_key(&value);
        match self.keys().entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(at);
            }
            Entry::Occupied(mut slot) => {
                let other = slot.insert(at);
                let other = self.slots.get_mut(other).and_then(Option::take);
                if let (Value::Object(value), Some(Value::Object(other))) = (&mut value, other) {
                    for (name, part) in other {
                        value.entry(name).or_insert(part);
                    }
                }
            }
        }
        if let Some(primaries) = &mut self.primaries
            && value.as_object().is_some_and(is_primary)
        {
            primaries.push(at);
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(value);
        }
    }

    /// Makes every other value not primary (RFC 7644 section 3.5.2).
    pub(crate) fn demote_others(&mut self, keep: usize) {
        let all = match self.primaries.take() {
            Some(primaries) => primaries,
            None => self.places(),
        };
        for at in all {
            let Some(Value::Object(object)) = self.slots.get_mut(at).and_then(Option::as_mut) else { continue };
            if at == keep || !is_primary(object) {
                continue;
            }
            let keyed = self.attribute.sub("value").is_some() && object.contains_key("value");
            if keyed {
                // The key does not know of `primary`.
                object.insert("primary".to_owned(), false.into());
            } else {
                let mut demoted = object.clone();
                demoted.insert("primary".to_owned(), false.into());
                self.put(at, Value::Object(demoted));
            }
        }
        self.primaries = Some(vec![keep]);
    }

    fn keys(&mut self) -> &mut HashMap<String, usize> {
        let attribute = self.attribute;
        let slots = &self.slots;
        self.keys.get_or_insert_with(|| {
            let values = slots.iter().enumerate().filter_map(|(at, slot)| slot.as_ref().map(|value| (at, value)));
            values.map(|(at, value)| (attribute.element_key(value), at)).collect()
        })
    }
}
