//! What the tests of this crate share.

#![allow(dead_code, reason = "each file of tests uses some of it")]

use std::sync::LazyLock;

use scimwright_core::{Admit, Catalog, Resource, ResourceType, ResourceTypeSpec, urns};
use scimwright_patch::{PatchError, PatchOptions, PatchRequest, Patched, apply};
use serde_json::{Value, json};

pub(crate) const LAB: &str = "urn:example:lab:2.0:Lab";
pub(crate) const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
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
                {"name": "height", "type": "decimal"},
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

pub(crate) fn strict() -> PatchOptions {
    PatchOptions::default()
}

/// The attribute after one operation, and whether anything changed.
#[track_caller]
pub(crate) fn after(type_name: &str, before: Value, operation: Value, options: &PatchOptions) -> (Patched, Resource) {
    let before = stored(type_name, before);
    let operations = if operation.is_array() { operation } else { json!([operation]) };
    match patch(type_name, &before, operations, options) {
        Ok(patched) => (patched, before),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
pub(crate) fn becomes(type_name: &str, before: Value, operation: Value, name: &str, expected: Value) {
    let (patched, before) = after(type_name, before, operation, &strict());
    assert_eq!(patched.resource.get(name).unwrap_or(&Value::Null), &expected);
    assert_eq!(patched.changed, patched.resource != before);
    assert_eq!(patched.leniencies, Vec::<&str>::new());
}

#[track_caller]
pub(crate) fn stays(type_name: &str, before: Value, operation: Value) {
    let (patched, before) = after(type_name, before, operation, &strict());
    assert_eq!((patched.resource, patched.changed, patched.touched), (before, false, vec![]));
}

#[track_caller]
pub(crate) fn refused_with(type_name: &str, before: Value, operation: Value, options: &PatchOptions) -> String {
    let operations = if operation.is_array() { operation } else { json!([operation]) };
    let error = patch(type_name, &stored(type_name, before), operations, options).unwrap_err();
    format!("{}: {error}", error.scim_type().as_str())
}

#[track_caller]
pub(crate) fn refused(type_name: &str, before: Value, operation: Value) -> String {
    refused_with(type_name, before, operation, &strict())
}

pub(crate) fn emails() -> Value {
    json!({"emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home"}]})
}
