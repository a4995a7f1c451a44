//! Every PATCH vector of the project's reading of RFC 7644 section 3.5.2, ambiguous ones by our rulings.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

use scimwright_core::{Admit, Catalog, ResourceTypeSpec, ScimType, urns};
use scimwright_patch::{PatchOptions, PatchRequest, apply};
use serde_json::{Map, Value, json};

fn data(path: &str) -> Value {
    let path = format!("{}/../../tests/data/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn catalog() -> Catalog {
    Catalog::standard()
        .with_schema(&data("schemas/Gadget.json"))
        .unwrap()
        .with_schema(&data("schemas/GadgetBench.json"))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(data("schemas/ResourceType-Gadget.json")))
        .unwrap()
}

/// The comparison that the vectors ask for: without `meta`, without what is no value, `primary: false` as no `primary`, lists as
/// sets.
fn comparable(document: &Map<String, Value>) -> Value {
    fn plain(value: &Value) -> Value {
        match value {
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(plain).collect();
                items.sort_by_key(Value::to_string);
                Value::Array(items)
            }
            Value::Object(object) => object
                .iter()
                .filter(|(name, value)| !(*name == "primary" && **value == false))
                .map(|(name, value)| (name.clone(), plain(value)))
                .filter(|(_, value)| !matches!(value, Value::Null) && *value != json!([]) && *value != json!({}))
                .collect(),
            other => other.clone(),
        }
    }
    let mut document = document.clone();
    document.remove("meta");
    plain(&Value::Object(document))
}

/// What is wrong, if anything.
fn disagreement(catalog: &Catalog, vector: &Value) -> Option<String> {
    let options = match vector["name"].as_str().unwrap() {
        // Ruling R-19 refuses it unless asked not to; the vector shows what it then does.
        "remove-with-value" => PatchOptions { remove_with_value: true, ..PatchOptions::default() },
        _ => PatchOptions::default(),
    };
    let resource_type = catalog.resource_type(vector["resourceType"].as_str().unwrap()).unwrap();
    let before = Admit::new(resource_type).trusted(vector["before"].clone()).unwrap();
    let message = json!({"schemas": [urns::PATCH_OP], "Operations": vector["operations"]});
    let found = PatchRequest::from_json(message, &options)
        .and_then(|request| apply(resource_type, &before, &request, &options));
    match (found, vector.get("error")) {
        (Err(error), Some(expected)) => {
            let types: Vec<&str> = expected["scimType"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let found = ScimType::as_str(error.scim_type());
            (!types.contains(&found)).then(|| format!("expected one of {types:?}, found {found}: {error}"))
        }
        (Err(error), None) => Some(format!("refused: {error}")),
        (Ok(patched), Some(_)) => Some(format!("let through: {:?}", patched.resource)),
        (Ok(patched), None) => {
            let expected = comparable(vector["after"].as_object().unwrap());
            let found = comparable(patched.resource.as_map());
            if found != expected {
                return Some(format!("expected {expected}\n    found    {found}"));
            }
            (patched.changed != vector["changed"].as_bool().unwrap()).then(|| format!("changed is {}", patched.changed))
        }
    }
}

/// Proves: PA-3, PA-4, PA-5, PA-6, PA-7, PA-8, PA-9, PA-12, PA-13, PA-15, PA-16, PA-18, PA-19, PA-20, PA-21,
/// PD-1, PD-2, PD-3, PD-4, PD-5, PD-6, PD-7, PD-8, PD-9, PD-10, PD-11, PD-12,
/// PM-1, PM-2, PM-3, PM-4, PM-5, PM-6, PM-7, PM-8, PM-9,
/// PX-1, PX-2, PX-3, PX-4, PX-5, PX-6, PX-7, PX-8, PX-9, PX-10.
#[test]
fn every_vector_holds() {
    let catalog = catalog();
    let file = data("spec/patch.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 136, "the file has lost vectors");
    let wrong: Vec<String> = vectors
        .iter()
        .filter_map(|vector| Some(format!("{}: {}", vector["name"], disagreement(&catalog, vector)?)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} vectors:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

#[test]
fn the_ambiguous_ones_follow_the_rulings_when_something_is_tolerated() {
    let catalog = catalog();
    let users = catalog.resource_type("User").unwrap();
    let before = Admit::new(users).trusted(json!({"schemas": [urns::USER], "userName": "u"})).unwrap();
    let patched = |operations: Value| {
        let options = PatchOptions::tolerant();
        let request = PatchRequest::from_json(json!({"schemas": [urns::PATCH_OP], "Operations": operations}), &options);
        let patched = request.and_then(|request| apply(users, &before, &request, &options)).unwrap();
        (Value::from(patched.resource.into_map()), patched.leniencies)
    };
    let (user, leniencies) =
        patched(json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x@y.org"}]));
    assert_eq!(user["emails"], json!([{"type": "work", "value": "x@y.org"}]));
    assert_eq!(leniencies, ["create-on-no-match"]);
    let (user, leniencies) = patched(json!([{"op": "add", "path": "active", "value": "False"}]));
    assert_eq!(user["active"], false);
    assert_eq!(leniencies, ["boolean-strings"]);
}
