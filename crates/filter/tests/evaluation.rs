//! Every vector of `eval.json`: one filter, one resource, one answer. Ambiguous ones follow our rulings.

use std::collections::HashMap;
use std::sync::Arc;

use scimwright_core::{Admit, Catalog, Resource, ResourceType, ResourceTypeSpec};
use scimwright_filter::{Binding, Filter};
use serde_json::Value;

mod util;

use util::data;

fn catalog() -> Catalog {
    let gadgets = ResourceTypeSpec::from_json(data("schemas/ResourceType-Gadget.json"));
    Catalog::standard()
        .with_schema(&data("schemas/Gadget.json"))
        .and_then(|catalog| catalog.with_schema(&data("schemas/GadgetBench.json")))
        .and_then(|catalog| catalog.with_resource_type(gadgets))
        .expect("the schemas fit together")
}

/// The type that the file gives a resource.
fn type_of<'c>(catalog: &'c Catalog, entry: &Value) -> &'c Arc<ResourceType> {
    entry["resourceType"].as_str().and_then(|name| catalog.resource_type(name)).expect("its type is in the catalog")
}

fn resources(catalog: &Catalog, file: &Value) -> HashMap<String, (Arc<ResourceType>, Resource)> {
    let one = |(name, entry): (&String, &Value)| {
        let resource_type = type_of(catalog, entry);
        let resource = Admit::new(resource_type).trusted(entry["resource"].clone()).expect("it is of its type");
        (name.clone(), (Arc::clone(resource_type), resource))
    };
    file["resources"].as_object().expect("resources have names").iter().map(one).collect()
}

#[test]
fn every_vector_is_answered_as_it_says() {
    let file = data("spec/eval.json");
    let catalog = catalog();
    let resources = resources(&catalog, &file);
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() > 150);
    let mut wrong = Vec::new();
    for vector in vectors {
        let text = vector["filter"].as_str().unwrap();
        let (resource_type, resource) = &resources[vector["resource"].as_str().unwrap()];
        let binding = Binding { resource_type, served: catalog.resource_types(), boolean_strings: false };
        let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let answer = match filter.bind(&binding) {
            Ok(bound) => Ok(bound.matches(resource)),
            Err(error) => Err(error.scim_type().as_str()),
        };
        let right = match (&answer, vector.get("error")) {
            (Ok(answer), None) => vector["match"] == *answer,
            (Err(answer), Some(error)) => error["scimType"].as_array().unwrap().iter().any(|one| one == answer),
            _ => false,
        };
        if !right {
            wrong.push(format!("{text} on {}: {answer:?} ({})", vector["resource"], vector["note"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Canonical or not, the store may have handed out anything: the answer is one of the two, and no panic.
#[test]
fn documents_that_are_not_canonical_do_no_harm() {
    let file = data("spec/eval.json");
    let catalog = catalog();
    for vector in file["vectors"].as_array().unwrap() {
        let filter: Filter = vector["filter"].as_str().unwrap().parse().unwrap();
        for entry in file["resources"].as_object().unwrap().values() {
            let resource_type = type_of(&catalog, entry);
            let raw = Resource::from_stored(entry["resource"].as_object().unwrap().clone());
            if let Ok(bound) = filter.bind(&Binding { served: catalog.resource_types(), ..Binding::new(resource_type) })
            {
                let _ = bound.matches(&raw);
            }
        }
    }
}
