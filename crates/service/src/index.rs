//! The keys by which a store finds a resource, worked out from the schema.

use std::collections::HashSet;

use scimwright_core::{Attribute, DataType, Instant, Resource, ResourceType, Target, Uniqueness, fold};
use scimwright_store::{IndexKey, Scope};
use serde_json::Value;

/// The keys of a resource: for each index of its type, each value in the form in which it is compared. `meta.lastModified` is
/// the store's own.
#[must_use]
pub fn index_keys(resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
    let mut keys = Vec::new();
    let mut seen = HashSet::new();
    for spec in resource_type.indexes.iter().filter(|spec| spec.name != "meta") {
        let Some(attribute) = spec.path.parse().ok().and_then(|path| leaf(resource_type, &path)) else { continue };
        let object = match &spec.container {
            Some(urn) => resource.get(urn).and_then(Value::as_object),
            None => Some(resource.as_map()),
        };
        let Some(value) = object.and_then(|object| object.get(&spec.name)) else { continue };
        let values = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let value = match &spec.sub {
                Some(sub) => value.get(sub),
                None => Some(value),
            };
            // A sub-attribute may be a list too, and each of its values is looked for.
            let leaves = match value {
                Some(Value::Array(leaves)) => leaves.as_slice(),
                Some(one) => std::slice::from_ref(one),
                None => &[],
            };
            let scope = match attribute.uniqueness {
                Uniqueness::None => Scope::Many,
                Uniqueness::Server => Scope::Tenant,
                Uniqueness::Global => Scope::Global,
            };
            for value in leaves.iter().filter_map(|leaf| key_value(attribute, leaf)) {
                let key = IndexKey { path: spec.path.clone(), value, scope };
                if seen.insert(key.clone()) {
                    keys.push(key);
                }
            }
        }
    }
    keys
}

fn leaf<'a>(resource_type: &'a ResourceType, path: &scimwright_core::AttrPath) -> Option<&'a Attribute> {
    match resource_type.resolve(path) {
        Some(Target::Attribute { attribute, sub, .. }) => Some(sub.unwrap_or(attribute)),
        _ => None,
    }
}

/// A value as text that is equal for equal values.
fn key_value(attribute: &Attribute, value: &Value) -> Option<String> {
    match value {
        Value::String(text) if attribute.data_type == DataType::DateTime => text.parse::<Instant>().ok()?.sort_key(),
        Value::String(text) if attribute.case_exact => Some(text.clone()),
        Value::String(text) => Some(fold(text)),
        // One number has one key, however it is spelled: 1 and 1.0 are equal.
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}"),
            _ => number.to_string(),
        }),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use scimwright_core::{Admit, Catalog, urns};
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_folded_as_the_schema_compares() {
        let catalog = Catalog::standard();
        let users = catalog.resource_type("User").unwrap();
        let user = Admit::new(users)
            .create(json!({
                "schemas": [urns::USER], "userName": "BJensen", "externalId": "Ext-1",
                "emails": [{"value": "B@X.example", "type": "work"}, {"value": "b@x.example"}, {"type": "home"}],
                urns::ENTERPRISE_USER: {"manager": {"value": "M-1"}},
            }))
            .unwrap()
            .resource;
        let keys: Vec<_> = index_keys(users, &user)
            .into_iter()
            .map(|key| format!("{} {} {:?}", key.path, key.value, key.scope))
            .collect();
        assert_eq!(
            keys,
            [
                "externalId Ext-1 Many",
                "emails.value b@x.example Many",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value M-1 Many",
                "userName bjensen Tenant",
            ]
        );
    }

    #[test]
    fn every_value_of_a_list_inside_a_list_has_a_key() {
        let attribute = json!({"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "codes", "multiValued": true}]});
        let catalog = Catalog::empty()
            .with_schema(&json!({"id": "urn:x:y", "attributes": [attribute]}))
            .unwrap()
            .with_resource_type(
                scimwright_core::ResourceTypeSpec::from_json(
                    json!({"name": "X", "endpoint": "/Xs", "schema": "urn:x:y"}),
                )
                .index("parts.codes"),
            )
            .unwrap();
        let of = catalog.resource_type("X").unwrap();
        let body = json!({"schemas": ["urn:x:y"], "parts": [{"codes": ["A", "b"]}, {"codes": ["a"]}]});
        let resource = Admit::new(of).create(body).unwrap().resource;
        let values: Vec<_> = index_keys(of, &resource).into_iter().map(|key| key.value).collect();
        assert_eq!(values, ["a", "b"]);
    }
}
