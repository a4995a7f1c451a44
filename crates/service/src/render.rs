//! Records as clients see them: URIs, versions, projections.

use std::hash::{DefaultHasher, Hash, Hasher};

use scimwright_core::{Catalog, ResourceType, Selection, show};
use scimwright_store::Record;
use serde_json::{Map, Value};

use crate::Context;

/// The entity tag of a record, weak because two equal representations may differ in bytes (RFC 7644 section 3.14).
///
/// Memberships are part of a user's representation but rows of the groups, so they have their own part in the tag.
pub(crate) fn etag(record: &Record) -> String {
    let version = record.version.0;
    if record.member_of.is_empty() {
        return format!("W/\"{version}\"");
    }
    let mut hasher = DefaultHasher::new();
    for membership in &record.member_of {
        (&membership.group.id, &membership.display).hash(&mut hasher);
    }
    format!("W/\"{version}-{:08x}\"", hasher.finish() >> 32)
}

/// The URI of a resource: what `meta.location`, `Location` and `Content-Location` say.
pub(crate) fn location(context: &Context, resource_type: &ResourceType, id: &str) -> String {
    // Ids are ours, but a store may have been filled with others.
    format!("{}{}/{}", context.base, resource_type.endpoint, encoded(id))
}

/// The representation of a record.
pub(crate) fn render(
    context: &Context,
    catalog: &Catalog,
    resource_type: &ResourceType,
    record: &Record,
    selection: &Selection,
    just_set: &[&str],
) -> Map<String, Value> {
    let mut whole = record.whole(resource_type);
    if let Some(Value::Object(mut meta)) = whole.take("meta") {
        meta.insert("location".to_owned(), location(context, resource_type, &record.key.id).into());
        meta.insert("version".to_owned(), etag(record).into());
        whole.put("meta", meta.into());
    }
    let group_type = |id: &str| {
        record
            .member_of
            .iter()
            .find(|membership| membership.group.id == id)
            .map(|membership| membership.group.resource_type.clone())
    };
    if let Some(attribute) = &resource_type.membership
        && let Some(Value::Array(mut members)) = whole.take(attribute)
    {
        for member in &mut members {
            let name = member.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            refer(context, catalog, member, &name);
        }
        whole.put(attribute, members.into());
    }
    if let Some(attribute) = &resource_type.member_of
        && let Some(Value::Array(mut groups)) = whole.take(attribute)
    {
        for group in &mut groups {
            let name = group.get("value").and_then(Value::as_str).and_then(group_type).unwrap_or_default();
            refer(context, catalog, group, &name);
        }
        whole.put(attribute, groups.into());
    }
    show(resource_type, &whole, selection, just_set)
}

/// Adds `$ref` to a value that names a resource of that type.
fn refer(context: &Context, catalog: &Catalog, value: &mut Value, type_name: &str) {
    let id = value.get("value").and_then(Value::as_str).map(str::to_owned);
    if let (Some(id), Some(resource_type), Some(object)) = (id, catalog.resource_type(type_name), value.as_object_mut())
    {
        object.insert("$ref".to_owned(), location(context, resource_type, &id).into());
    }
}

/// Percent-encodes what cannot stand in a path segment.
fn encoded(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'@') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
