use scimwright_core::{Admit, Catalog, ResourceTypeSpec};
use serde_json::{Value, json};

use super::SortKey;
use crate::{BindError, Binding, SortBy};

fn catalog() -> Catalog {
    let gadget = json!({"id": "urn:x:lab:Gadget", "attributes": [
        {"name": "label", "caseExact": true},
        {"name": "title"},
        {"name": "ports", "type": "integer"},
        {"name": "weight", "type": "decimal"},
        {"name": "enabled", "type": "boolean"},
        {"name": "builtAt", "type": "dateTime"},
        {"name": "tags", "multiValued": true},
        {"name": "pin", "returned": "never"},
        {"name": "code", "mutability": "writeOnly"},
        {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value"}, {"name": "primary", "type": "boolean"}, {"name": "marks", "multiValued": true}]},
    ]});
    Catalog::standard()
        .with_schema(&gadget)
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Gadget", "endpoint": "/Gadgets", "schema": "urn:x:lab:Gadget"}),
        ))
        .unwrap()
}

fn bind(type_name: &str, path: &str) -> Result<Option<SortBy>, BindError> {
    let catalog = catalog();
    let resource_type = catalog.resource_type(type_name).unwrap();
    let binding = Binding { served: catalog.resource_types(), ..Binding::new(resource_type) };
    SortBy::bind(&path.parse().unwrap(), &binding)
}

#[track_caller]
fn key(path: &str, mut gadget: Value) -> Option<SortKey> {
    let catalog = catalog();
    let of = catalog.resource_type("Gadget").unwrap();
    gadget["schemas"] = json!(["urn:x:lab:Gadget"]);
    bind("Gadget", path).unwrap().unwrap().key(&Admit::new(of).create(gadget).unwrap().resource)
}

/// Asserts that gadgets with these values come in this order.
#[track_caller]
fn ascending(path: &str, values: &[Value]) {
    let keys: Vec<_> = values.iter().map(|value| key(path, json!({path: value})).unwrap()).collect();
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
}

#[test]
fn so_7_values_are_ordered_by_their_type() {
    ascending("title", &[json!("A"), json!("b"), json!("C"), json!("É"), json!("日")]);
    ascending("label", &[json!("A"), json!("C"), json!("b")]);
    ascending("ports", &[json!(-2), json!(9), json!(10), json!(9_007_199_254_740_993_u64)]);
    ascending("weight", &[json!(-0.5), json!(2), json!(2.5), json!(10)]);
    ascending("enabled", &[json!(false), json!(true)]);
    ascending(
        "builtAt",
        &[json!("2026-01-01T01:00:00+02:00"), json!("2026-01-01T00:00:00Z"), json!("2026-01-01T00:00:00.1")],
    );
    assert_eq!(key("title", json!({"title": "Ada"})), key("title", json!({"title": "aDA"})));
    assert_eq!(key("weight", json!({"weight": 2})), key("weight", json!({"weight": 2.0})));
    assert_eq!(key("title", json!({})), None);
}

#[test]
fn so_4_of_several_values_the_primary_counts_else_the_first() {
    let parts = |parts: Value| key("parts", json!({"parts": parts}));
    let text = |text: &str| Some(SortKey::Text(text.to_owned()));
    assert_eq!(parts(json!([{"value": "a"}, {"value": "B", "primary": true}])), text("b"));
    assert_eq!(parts(json!([{"value": "z"}, {"value": "b"}])), text("z"));
    assert_eq!(parts(json!([{"marks": ["x"]}, {"value": "b"}])), None, "the first has none");
    assert_eq!(key("parts.marks", json!({"parts": [{"marks": ["Y", "x"]}]})), text("y"));
    assert_eq!(key("tags", json!({"tags": ["q", "a"]})), text("q"));
}

#[test]
fn so_5_a_path_leads_to_what_can_be_ordered() {
    assert!(bind("User", "name").is_err() && bind("User", "addresses").is_err());
    assert_eq!(bind("User", "name.familyName").unwrap().unwrap().field.path, "name.familyName");
    assert!(matches!(bind("Gadget", "pin"), Err(BindError::Secret { .. })));
    assert!(matches!(bind("Gadget", "code"), Err(BindError::Secret { .. })));
    assert!(matches!(bind("User", "password"), Err(BindError::Secret { .. })), "an order would tell of it");
    assert!(matches!(bind("User", "bogus"), Err(BindError::UnknownAttribute { .. })));
    assert!(bind("Group", "userName").unwrap().is_none(), "only users have it");
}

#[test]
fn so_9_names_come_in_any_case_and_may_be_qualified() {
    for path in [
        "USERNAME",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName",
        "URN:IETF:params:scim:schemas:core:2.0:USER:username",
    ] {
        let by = bind("User", path).unwrap().unwrap();
        assert!(by.field.path == "userName", "{path}");
    }
    let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:DEPARTMENT";
    let by = bind("User", department).unwrap().unwrap();
    assert!(by.field.container.is_some() && by.field.name == "department");
}

#[test]
fn keys_survive_a_cursor() {
    let floats = (0..200_u32).map(|at| json!({"weight": 1.0 / f64::from(at * 7 + 3)}));
    for gadget in floats.chain([
        json!({"ports": 18_446_744_073_709_551_615_u64}),
        json!({"builtAt": "2026-01-01T00:00:00.000000001Z"}),
        json!({"builtAt": "9999-12-31T23:59:59-05:00"}),
        json!({"builtAt": "-0044-03-15T12:00:00Z"}),
        json!({"title": "\u{0}É"}),
    ]) {
        let name = gadget.as_object().unwrap().keys().next().unwrap().clone();
        let key = key(&name, gadget).unwrap();
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<SortKey>(&text).unwrap(), key);
    }
}
