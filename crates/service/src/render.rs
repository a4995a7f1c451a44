//! Records as clients see them: URIs, versions, projections.

use scimwright_core::{Catalog, Resource, ResourceType, View};
use scimwright_store::Record;
use serde_json::{Map, Value};

use crate::Context;

/// The representation of a record.
pub(crate) fn render(
    context: &Context,
    catalog: &Catalog,
    resource_type: &ResourceType,
    record: &Record,
    view: &View<'_>,
    just_set: &[&str],
) -> Map<String, Value> {
    let mut whole = record.whole_at(resource_type, &context.base);
    refer_to_members(context, catalog, resource_type, &mut whole);
    if let Some(attribute) = &resource_type.member_of
        && let Some(Value::Array(mut groups)) = whole.take(attribute)
    {
        // One value for each membership, in the same order.
        for (group, membership) in groups.iter_mut().zip(&record.member_of) {
            refer(context, catalog, group, &membership.group.resource_type);
        }
        whole.put(attribute, groups.into());
    }
    view.show(&whole, just_set)
}

/// Adds `$ref` to the members of a group.
pub(crate) fn refer_to_members(
    context: &Context,
    catalog: &Catalog,
    resource_type: &ResourceType,
    whole: &mut Resource,
) {
    if let Some(attribute) = &resource_type.membership
        && let Some(Value::Array(mut members)) = whole.take(attribute)
    {
        for member in &mut members {
            let name = member.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            refer(context, catalog, member, &name);
        }
        whole.put(attribute, members.into());
    }
}

/// Adds `$ref` to a value that names a resource of that type.
fn refer(context: &Context, catalog: &Catalog, value: &mut Value, type_name: &str) {
    let id = value.get("value").and_then(Value::as_str).map(str::to_owned);
    if let (Some(id), Some(resource_type), Some(object)) = (id, catalog.resource_type(type_name), value.as_object_mut())
    {
        object.insert("$ref".to_owned(), resource_type.location(&context.base, &id).into());
    }
}
