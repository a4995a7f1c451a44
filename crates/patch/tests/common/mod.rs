//! What the tests of this crate share.

use std::sync::LazyLock;

use scimwright_core::{Admit, Catalog, Resource, ResourceType, ResourceTypeSpec, urns};
use scimwright_patch::{PatchError, PatchOptions, PatchRequest, Patched, apply};
use serde_json::{Value, json};

pub(crate) const LAB: &str = "urn:example:lab:2.0:Lab";
pub(crate) const BENCH: &str = "urn:example:bench:2.0:Lab";

/// Users, groups, and a type with what those two lack.
pub(crate) static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let strings = |name: &str, more: Value| {
        let mut json = json!({"name": name});
        json.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json
    };
    Catalog::standard()
        .with_schema(&json!({"id": LAB, "attributes": [
            strings("name", json!({"required": true})),
            strings("serial", json!({"mutability": "immutable"})),
            strings("marks", json!({"mutability": "immutable", "multiValued": true})),
            strings("state", json!({"mutability": "readOnly"})),
            strings("secret", json!({"mutability": "writeOnly", "returned": "never"})),
            strings("tags", json!({"multiValued": true})),
            {"name": "weight", "type": "decimal"},
            {"name": "builtAt", "type": "dateTime"},
            {"name": "place", "type": "complex", "subAttributes": [
                strings("room", json!({"mutability": "immutable"})),
                strings("building", json!({"required": true})),
                strings("seen", json!({"mutability": "readOnly"})),
                strings("doors", json!({"multiValued": true})),
            ]},
            {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
                strings("value", json!({})), strings("type", json!({})), {"name": "primary", "type": "boolean"},
                strings("sku", json!({"mutability": "immutable"})), strings("checked", json!({"mutability": "readOnly"})),
                strings("note", json!({})),
            ]},
        ]}))
        .unwrap()
        .with_schema(&json!({"id": BENCH, "attributes": [
            strings("bench", json!({})),
            strings("plate", json!({"mutability": "immutable"})),
            {"name": "slots", "type": "complex", "multiValued": true, "subAttributes": [
                strings("value", json!({})), {"name": "primary", "type": "boolean"}]},
        ]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(json!({"name": "Lab", "endpoint": "/Labs", "schema": LAB,
            "schemaExtensions": [{"schema": BENCH, "required": false}]})))
        .unwrap()
});

pub(crate) fn resource_type(name: &str) -> &'static ResourceType {
    CATALOG.resource_type(name).unwrap()
}

/// A resource as it is stored.
#[track_caller]
pub(crate) fn stored(type_name: &str, more: Value) -> Resource {
    let (schema, mut body) = match type_name {
        "User" => (urns::USER, json!({"id": "1", "userName": "ada", "meta": {"resourceType": "User"}})),
        "Group" => (urns::GROUP, json!({"id": "2", "displayName": "g"})),
        _ => (LAB, json!({"id": "3", "name": "n"})),
    };
    body["schemas"] = json!([schema]);
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    Admit::new(resource_type(type_name)).trusted(body).unwrap()
}

pub(crate) fn message(operations: Value) -> Value {
    json!({"schemas": [urns::PATCH_OP], "Operations": operations})
}

pub(crate) fn patch(
    type_name: &str,
    before: &Resource,
    operations: Value,
    options: &PatchOptions,
) -> Result<Patched, PatchError> {
    let request = PatchRequest::from_json(message(operations), options)?;
    apply(resource_type(type_name), before, &request, options)
}
