//! References by bulkId: RFC 7644 section 3.7.2.

use scimwright_core::{ResourceType, ScimError};
use serde_json::Value;

/// What a reference begins with.
const PREFIX: &str = "bulkId:";

/// Where a reference was found.
pub(super) struct Found {
    pub(super) bulk_id: String,
    /// Whether it is a value of the type's membership, which can join later.
    pub(super) member: bool,
}

/// Every reference in the data of an operation. `membership` names the attribute whose values are members, where there is one.
pub(super) fn find(data: &Value, membership: Option<&str>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut visit = |text: &str, member: bool| {
        found.extend(names(text).into_iter().map(|bulk_id| Found { bulk_id: bulk_id.to_owned(), member }));
    };
    match data.as_object() {
        Some(object) => {
            for (key, value) in object {
                let member = membership.is_some_and(|name| name.eq_ignore_ascii_case(key));
                walk(value, &mut |text| visit(text, member));
            }
        }
        None => walk(data, &mut |text| visit(text, false)),
    }
    found
}

/// Replaces every reference by what it stands for.
pub(super) fn resolve(data: &mut Value, meaning: &dyn Fn(&str) -> Result<String, ScimError>) -> Result<(), ScimError> {
    match data {
        Value::String(text) => {
            for bulk_id in names(text).into_iter().map(str::to_owned).collect::<Vec<_>>() {
                let id = meaning(&bulk_id)?;
                *text = text.replace(&format!("{PREFIX}{bulk_id}"), &id);
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve(item, meaning)),
        Value::Object(object) => object.values_mut().try_for_each(|value| resolve(value, meaning)),
        _ => Ok(()),
    }
}

/// Takes the members out that will join later: those whose `value` refers to one of these bulkIds.
pub(super) fn without_members(of: &ResourceType, data: &mut Value, late: &[(String, Value)]) {
    let Some(members) = members_mut(of, data) else { return };
    members.retain(|member| !late.iter().any(|(_, value)| value == member));
}

/// The members of a group that refer to bulkIds, each with its whole value.
pub(super) fn members(of: &ResourceType, data: &Value) -> Vec<(String, Value)> {
    let key = |name: &&String| of.membership.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
    let object = data.as_object();
    let list = object.and_then(|object| object.get(object.keys().find(key)?)).and_then(Value::as_array);
    let reference = |member: &Value| {
        let value = member.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case("value"))?.1.as_str()?;
        Some((value.strip_prefix(PREFIX)?.to_owned(), member.clone()))
    };
    list.map(|list| list.iter().filter_map(reference).collect()).unwrap_or_default()
}

fn members_mut<'d>(of: &ResourceType, data: &'d mut Value) -> Option<&'d mut Vec<Value>> {
    let own = of.membership.as_deref()?;
    let object = data.as_object_mut()?;
    let key = object.keys().find(|key| key.eq_ignore_ascii_case(own))?.clone();
    object.get_mut(&key)?.as_array_mut()
}

/// The bulkIds that a text refers to: the whole text, or strings inside the filter of a PATCH path.
fn names(text: &str) -> Vec<&str> {
    match text.strip_prefix(PREFIX) {
        Some(whole) => vec![whole],
        None => text
            .match_indices("\"bulkId:")
            .filter_map(|(at, _)| text.get(at + 1 + PREFIX.len()..)?.split('"').next())
            .filter(|bulk_id| !bulk_id.is_empty())
            .collect(),
    }
}

fn walk(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(object) => object.values().for_each(|value| walk(value, visit)),
        _ => {}
    }
}
