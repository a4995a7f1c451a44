//! Records as clients see them: with the URIs that only somebody knows who knows the endpoints.

use std::sync::Arc;

use scimwright_core::{Attribute, Mutability, Resource, ResourceType};
use serde_json::Value;

use crate::Record;

/// What turns ids into URIs: a base URI, and the types that are served below it.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints<'e> {
    /// Without a slash at its end.
    pub base: &'e str,
    /// The types, each with its endpoint.
    pub served: &'e [Arc<ResourceType>],
}

impl Endpoints<'_> {
    /// The whole resource with all of `meta` and with every `$ref` that is the server's to say. Of a group, the members that the record
    /// has.
    #[must_use]
    pub fn represent(&self, resource_type: &ResourceType, record: &Record) -> Resource {
        let mut whole = record.whole_at(resource_type, self.base);
        self.refer_to_members(resource_type, &mut whole);
        if let Some(attribute) = &resource_type.member_of
            && let Some(Value::Array(mut groups)) = whole.take(attribute)
        {
            // One value for each membership, in the same order.
            for (group, membership) in groups.iter_mut().zip(&record.member_of) {
                self.refer(group, &membership.group.resource_type);
            }
            whole.put(attribute, groups.into());
        }
        self.refer_to_served(resource_type, &mut whole);
        whole
    }

    /// Adds `$ref` to the members of a group, by their `type`.
    pub fn refer_to_members(&self, resource_type: &ResourceType, whole: &mut Resource) {
        if let Some(attribute) = &resource_type.membership
            && let Some(Value::Array(mut members)) = whole.take(attribute)
        {
            for member in &mut members {
                let name = member.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
                self.refer(member, &name);
            }
            whole.put(attribute, members.into());
        }
    }

    /// Fills in every `$ref` that is the server's to say (RFC 7643 section 2.4): read-only, beside a `value`, to resources of one
    /// type.
    fn refer_to_served(&self, resource_type: &ResourceType, whole: &mut Resource) {
        for attribute in resource_type.attributes() {
            let name = attribute.name.as_str();
            // Rows are of many types, and have their own already.
            let rows = [&resource_type.membership, &resource_type.member_of];
            let is_rows = rows.into_iter().any(|rows| rows.as_deref() == Some(name));
            let Some(target) = target_of(attribute).filter(|_| !is_rows) else { continue };
            if let Some(mut value) = whole.take(name) {
                self.refer_each(&mut value, target);
                whole.put(name, value);
            }
        }
        for extension in &resource_type.extensions {
            let urn = extension.schema.id.as_str();
            for attribute in &extension.schema.attributes {
                let Some(target) = target_of(attribute) else { continue };
                let Some(Value::Object(mut inside)) = whole.take(urn) else { break };
                if let Some(value) = inside.get_mut(attribute.name.as_str()) {
                    self.refer_each(value, target);
                }
                whole.put(urn, inside.into());
            }
        }
    }

    fn refer_each(&self, value: &mut Value, target: &str) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.refer(value, target)),
            one => self.refer(one, target),
        }
    }

    /// Adds `$ref` to a value that names a resource of that type.
    fn refer(&self, value: &mut Value, type_name: &str) {
        let id = value.get("value").and_then(Value::as_str).map(str::to_owned);
        let resource_type = self.served.iter().find(|served| served.name == type_name);
        if let (Some(id), Some(resource_type), Some(object)) = (id, resource_type, value.as_object_mut()) {
            object.insert("$ref".to_owned(), resource_type.location(self.base, &id).into());
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
