//! Extensions that stand in the container of another one.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::{Admit, Catalog, ResourceTypeSpec, urns};
use scimwright_patch::{PatchOptions, PatchRequest, apply};
use serde_json::{Value, json};

const BASE: &str = "urn:x:crew";
const RADIO: &str = "urn:x:radio";
const CODE: &str = "urn:x:code";

fn catalog() -> Catalog {
    let spec = json!({
        "name": "Crew", "endpoint": "/Crews", "schema": BASE,
        "schemaExtensions": [{"schema": RADIO}, {"schema": CODE}],
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
