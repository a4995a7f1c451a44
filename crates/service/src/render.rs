//! Records as clients see them: URIs, versions, projections.

use scimwright_core::{Attribute, Catalog, Mutability, Resource, ResourceType, View};
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
    refer_to_served(context, catalog, resource_type, &mut whole);
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

/// Fills in every `$ref` that is the server's to say (RFC 7643 section 2.4): read-only, beside a `value`, to resources of one type.
fn refer_to_served(context: &Context, catalog: &Catalog, resource_type: &ResourceType, whole: &mut Resource) {
    for attribute in resource_type.attributes() {
        let name = attribute.name.as_str();
        // Rows are of many types, and have their own already.
        let is_rows =
            [&resource_type.membership, &resource_type.member_of].into_iter().any(|rows| rows.as_deref() == Some(name));
        let Some(target) = target_of(attribute).filter(|_| !is_rows) else { continue };
        if let Some(mut value) = whole.take(name) {
            refer_each(context, catalog, &mut value, target);
            whole.put(name, value);
        }
    }
    for extension in &resource_type.extensions {
        let urn = extension.schema.id.as_str();
        for attribute in &extension.schema.attributes {
            let Some(target) = target_of(attribute) else { continue };
            let Some(Value::Object(mut inside)) = whole.take(urn) else { break };
            if let Some(value) = inside.get_mut(attribute.name.as_str()) {
                refer_each(context, catalog, value, target);
            }
            whole.put(urn, inside.into());
        }
    }
}

/// The type whose resources the values of an attribute name, where that is the server's to say.
fn target_of(attribute: &Attribute) -> Option<&str> {
    let reference = attribute.sub("$ref").filter(|sub| sub.mutability == Mutability::ReadOnly)?;
    match (attribute.sub("value"), reference.reference_types.as_slice()) {
        (Some(_), [target]) => Some(target),
        _ => None,
    }
}

fn refer_each(context: &Context, catalog: &Catalog, value: &mut Value, target: &str) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| refer(context, catalog, value, target)),
        one => refer(context, catalog, one, target),
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
