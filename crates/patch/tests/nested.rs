//! Extensions that stand in the container of another one.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::{Admit, Catalog, ResourceTypeSpec, urns};
use scimwright_patch::{PatchOptions, PatchRequest, apply, diff};
use serde_json::{Value, json};

const BASE: &str = "urn:x:crew";
const RADIO: &str = "urn:x:radio";
const CODE: &str = "urn:x:code";

fn catalog() -> Catalog {
    catalog_with([RADIO, CODE])
}

/// With the extensions in this order.
fn catalog_with(extensions: [&str; 2]) -> Catalog {
    let spec = json!({
        "name": "Crew", "endpoint": "/Crews", "schema": BASE,
        "schemaExtensions": extensions.map(|urn| json!({"schema": urn})),
        (ResourceTypeSpec::HINTS): {"nested": {RADIO: [CODE]}},
    });
    Catalog::empty()
        .with_schema(&json!({"id": BASE, "attributes": [{"name": "ship"}]}))
        .and_then(|catalog| catalog.with_schema(&json!({"id": RADIO, "attributes": [{"name": "band"}]})))
        .and_then(|catalog| {
            catalog.with_schema(&json!({"id": CODE, "attributes": [{"name": "key", "type": "integer"}]}))
        })
        .and_then(|catalog| catalog.with_resource_type(ResourceTypeSpec::from_json(spec)))
        .unwrap()
}

/// What becomes of `radio` and `code` of a crew that has both.
fn after(operation: Value) -> (Value, Value) {
    let catalog = catalog();
    let crew = catalog.resource_type("Crew").unwrap();
    let body = json!({"schemas": [BASE], RADIO: {"band": "HF", CODE: {"key": 7}}});
    let before = Admit::new(crew).create(body).unwrap().resource;
    let message = json!({"schemas": [urns::PATCH_OP], "Operations": [operation]});
    let options = PatchOptions::default();
    let request = PatchRequest::from_json(message, &options).unwrap();
    let after = apply(crew, &before, &request, &options).unwrap().resource;
    let of = |urn: &str| after.get(urn).cloned().unwrap_or_default();
    (of(RADIO), of(CODE))
}

#[test]
fn they_are_written_inside_and_beside() {
    let both = (json!({"band": "VHF"}), json!({"key": 8}));
    for value in [json!({RADIO: {"band": "VHF", CODE: {"key": 8}}}), json!({RADIO: {"band": "VHF"}, CODE: {"key": 8}})]
    {
        assert_eq!(after(json!({"op": "replace", "value": value})), both);
    }
    assert_eq!(after(json!({"op": "add", "path": RADIO, "value": {"band": "VHF", "URN:X:CODE": {"KEY": 8}}})), both);
    assert_eq!(
        after(json!({"op": "replace", "path": "urn:x:code:key", "value": 8})),
        (json!({"band": "HF"}), json!({"key": 8}))
    );
    assert_eq!(after(json!({"op": "replace", "value": {RADIO: {CODE: null}}})), (json!({"band": "HF"}), Value::Null));
    assert_eq!(after(json!({"op": "remove", "path": CODE})), (json!({"band": "HF"}), Value::Null));
}

#[test]
fn they_go_with_what_they_stand_in() {
    for gone in [json!({"op": "remove", "path": RADIO}), json!({"op": "replace", "value": {RADIO: null}})] {
        assert_eq!(after(gone), (Value::Null, Value::Null));
    }
}

#[test]
fn what_stays_is_not_taken_along_by_what_it_stands_in() {
    let (radio, code) = (json!({"band": "HF"}), json!({"key": 7}));
    let (nothing, both) = (json!({}), json!({RADIO: radio, CODE: code}));
    let (radio, code) = (json!({RADIO: radio}), json!({CODE: code}));
    let expected = [
        (&both, &code, json!([{"op": "remove", "path": "urn:x:radio:band"}])),
        (&both, &radio, json!([{"op": "remove", "path": CODE}])),
        (&both, &nothing, json!([{"op": "remove", "path": RADIO}])),
        (
            &radio,
            &code,
            json!([{"op": "remove", "path": "urn:x:radio:band"}, {"op": "add", "path": "urn:x:code:key", "value": 7}]),
        ),
    ];
    for order in [[RADIO, CODE], [CODE, RADIO]] {
        let catalog = catalog_with(order);
        let crew = catalog.resource_type("Crew").unwrap();
        let stored = |extensions: &Value| {
            let mut body = extensions.clone();
            body["schemas"] = json!([BASE]);
            Admit::new(crew).trusted(body).unwrap()
        };
        for (before, after, expected) in &expected {
            let (before, after) = (stored(before), stored(after));
            let patch = diff(crew, &before, &after).unwrap().unwrap();
            let by_path = |operations: &Value| {
                let mut operations = operations.as_array().unwrap().clone();
                operations.sort_by_key(|operation| operation["path"].to_string());
                operations
            };
            assert_eq!(by_path(&patch.to_json()["Operations"]), by_path(expected), "{order:?}");
            assert_eq!(apply(crew, &before, &patch, &PatchOptions::default()).unwrap().resource, after, "{order:?}");
        }
    }
}
