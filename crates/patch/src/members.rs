//! Memberships that are kept as rows: which of them a request has to see, and which of them it changes.

use std::collections::{BTreeSet, HashSet};

use scimwright_core::{Attribute, DataType, Mutability, Resource, ResourceType, fold};
use scimwright_filter::{Op as Comparison, Operand, Test};
use serde_json::Value;

use crate::options::Notes;
use crate::target::{Change, Step, bind, fixed_value};
use crate::value::items;
use crate::{Op, PatchOptions, PatchRequest};

/// Which values of the attribute that is kept as rows (`ResourceType::membership`, such as `members`) a request has to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembersNeeded {
    /// None: it does not touch them.
    None,
    /// Those with these `value`s, sorted, whether they are there or not.
    Named(Vec<String>),
    /// All of them.
    All,
}

/// What a request did to the values that are kept as rows.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct MembershipDelta {
    /// The values that are new, as they stand in the resource.
    pub joined: Vec<Value>,
    /// The `value`s of those that are gone.
    pub left: Vec<String>,
}

impl PatchRequest {
    /// Which values of the attribute that is kept as rows [`apply`](crate::apply()) has to see, so that adding one member to a group of
    /// a hundred thousand reads one row. Adding, and removing by `value eq`, sees only whom it names; whatever looks at the list
    /// as a whole sees all of it.
    #[must_use]
    pub fn members_needed(&self, resource_type: &ResourceType, options: &PatchOptions) -> MembersNeeded {
        let Some(membership) = resource_type.membership.as_deref().and_then(|name| resource_type.attribute(name))
        else {
            return MembersNeeded::None;
        };
        // A list that must not become empty is looked at in the end, whatever was done.
        if membership.required {
            return MembersNeeded::All;
        }
        let mut named = BTreeSet::new();
        for (index, operation) in self.operations().iter().enumerate() {
            // Whoever applies this request meets the same error, whichever members he sees.
            let Ok(steps) = bind(resource_type, options, index, operation, &mut Notes::default()) else { break };
            for step in steps {
                let Step::Change(change) = step else { continue };
                if change.container.is_some() || change.attribute.name != membership.name {
                    continue;
                }
                match if is_plain(membership) { names(&change) } else { None } {
                    Some(names) => named.extend(names),
                    None => return MembersNeeded::All,
                }
            }
        }
        if named.is_empty() { MembersNeeded::None } else { MembersNeeded::Named(named.into_iter().collect()) }
    }
}

/// Whether what happens to one value never depends on another: a value is one as long as its `value` is, that is compared as it
/// is, and no value is primary before others.
fn is_plain(membership: &Attribute) -> bool {
    let own = membership.multi_valued && membership.mutability == Mutability::ReadWrite;
    own && match membership.data_type {
        DataType::Complex => {
            membership.sub("primary").is_none()
                && fixed_value(membership).is_some_and(|sub| sub.case_exact && sub.data_type == DataType::String)
        }
        DataType::String => membership.case_exact,
        _ => false,
    }
}

/// The `value`s that a change looks at, or none when it looks at the list.
fn names(change: &Change<'_>) -> Option<Vec<String>> {
    let selected = match &change.selection {
        Some(selection) => Some(sought(&selection.test)?),
        None if change.sub.is_some() => return None,
        None => None,
    };
    let given = match (change.op, change.value) {
        // Inside a selection it is about those that are selected.
        (Op::Remove, _) if selected.is_some() => Some(Vec::new()),
        (Op::Remove, None) => None,
        (Op::Replace, _) if selected.is_none() => None,
        (_, Some(value)) => match change.sub {
            Some(sub) if sub.name.is("value") => Some(value.as_str().map(str::to_owned).into_iter().collect()),
            Some(_) => Some(Vec::new()),
            None => given(value, selected.is_some()),
        },
        (_, None) => Some(Vec::new()),
    };
    let mut names = given?;
    names.extend(selected.unwrap_or_default());
    Some(names)
}

/// The `value`s that a filter asks for, when it asks for nothing else.
fn sought(test: &Test) -> Option<Vec<String>> {
    match test {
        Test::Compare(field, Comparison::Eq, Operand::Text(text)) if field.name == "value" || field.element => {
            Some(vec![text.clone()])
        }
        Test::Or(tests) => tests.iter().map(sought).collect::<Option<Vec<_>>>().map(|lists| lists.concat()),
        _ => None,
    }
}

/// The `value`s of values that are given. A value without one is known by the whole of itself, unless it is only part of one.
fn given(value: &Value, part: bool) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for item in items(value) {
        match item {
            Value::String(name) => names.push(name.clone()),
            Value::Object(object) => match object.iter().find(|(key, _)| key.eq_ignore_ascii_case("value")) {
                Some((_, Value::String(name))) => names.push(name.clone()),
                _ if part => {}
                _ => return None,
            },
            // Null is nothing, and everything else is an error whoever is there.
            _ => {}
        }
    }
    Some(names)
}

/// Who joined and who left between two states of a resource, by `value`, in linear time. Both states must hold the same selection
/// of those that were there, be it all of them or those that [`PatchRequest::members_needed`] names. A value whose other
/// sub-attributes changed has neither joined nor left.
#[must_use]
pub fn membership_delta(resource_type: &ResourceType, before: &Resource, after: &Resource) -> MembershipDelta {
    let Some(membership) = resource_type.membership.as_deref().and_then(|name| resource_type.attribute(name)) else {
        return MembershipDelta::default();
    };
    let list = |resource: &Resource| -> Vec<(String, Value)> {
        let values = items(resource.get(membership.name.as_str()).unwrap_or(&Value::Null));
        values.iter().map(|value| (identity(membership, value), value.clone())).collect()
    };
    let (before, after) = (list(before), list(after));
    let keys = |list: &[(String, Value)]| -> HashSet<String> { list.iter().map(|(key, _)| key.clone()).collect() };
    let (old, new) = (keys(&before), keys(&after));
    MembershipDelta {
        joined: after.into_iter().filter(|(key, _)| !old.contains(key)).map(|(_, value)| value).collect(),
        left: before
            .iter()
            .filter(|(key, _)| !new.contains(key))
            .filter_map(|(_, value)| value.as_str().or_else(|| value.get("value")?.as_str()))
            .map(str::to_owned)
            .collect(),
    }
}

/// What tells members apart: their `value`, whatever their type.
fn identity(membership: &Attribute, value: &Value) -> String {
    let (attribute, text) = match membership.sub("value") {
        Some(sub) => (sub, value.get("value").and_then(Value::as_str)),
        None => (membership, value.as_str()),
    };
    match text {
        Some(text) if attribute.case_exact => text.to_owned(),
        Some(text) => fold(text),
        None => value.to_string(),
    }
}
