//! Laws that hold for any input: what fuzz targets, their replay and property tests all ask.
//!
//! Each takes bytes as they come and panics when the law is broken; input that is nothing is passed over.

use std::sync::{Arc, LazyLock};

use scimwright_core::{Admit, Catalog, Resource, ResourceType};
use scimwright_filter::{Binding, Expr, Filter, PatchPath, Syntax};
use scimwright_patch::{PatchOptions, PatchRequest, apply};
use scimwright_service::Expect;
use serde_json::{Value, json};

use crate::vector_catalog;

/// Loaded once, for a fuzzer asks thousands of times a second.
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| vector_catalog().expect("the shipped schemas load"));

/// A filter prints to a text that reads as the same filter; being tolerant changes nothing about a text that needs none; `not`
/// of a filter selects what the filter does not. Reading, binding and matching never panic.
///
/// # Panics
///
/// When the law is broken.
pub fn filter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let tolerant = Syntax::tolerant().filter(text);
    if let Ok(strict) = text.parse::<Filter>() {
        assert_eq!(tolerant.as_ref().map(|read| &read.value), Ok(&strict), "tolerance changes no meaning");
    }
    let Ok(filter) = tolerant.map(|read| read.value) else { return };
    let again = unbounded().filter(&filter.to_string()).map(|read| read.value);
    assert_eq!(again.as_ref(), Ok(&filter), "printed and read again");
    let negated = Filter::new(Expr::Not(Box::new(filter.clone()))).ok();
    for (resource_type, resource) in SUBJECTS.iter() {
        let binding = Binding { resource_type, served: CATALOG.resource_types(), boolean_strings: true };
        let Ok(bound) = filter.bind(&binding) else { continue };
        let selected = bound.matches(resource);
        if let Some(negated) = &negated {
            let negated = negated.bind(&binding).expect("what can be asked can be negated");
            assert_ne!(negated.matches(resource), selected, "`not` selects the others");
        }
    }
}

/// A PATCH path prints to a text that reads as the same path; being tolerant changes nothing about a text that needs none.
///
/// # Panics
///
/// When the law is broken.
pub fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let tolerant = Syntax::tolerant().path(text);
    if let Ok(strict) = text.parse::<PatchPath>() {
        assert_eq!(tolerant.as_ref().map(|read| &read.value), Ok(&strict), "tolerance changes no meaning");
    }
    let Ok(path) = tolerant.map(|read| read.value) else { return };
    let again = unbounded().path(&path.to_string()).map(|read| read.value);
    assert_eq!(again.as_ref(), Ok(&path), "printed and read again");
}

/// The strict grammar for texts of any size: a canonical text may have blanks that the one before it went without.
fn unbounded() -> Syntax {
    Syntax { max_bytes: usize::MAX, ..Syntax::default() }
}

/// A PATCH leaves a canonical resource or an error, strict and tolerant, and says truly whether anything changed.
///
/// # Panics
///
/// When the law is broken.
pub fn patch(bytes: &[u8]) {
    let Ok(message) = serde_json::from_slice::<Value>(bytes) else { return };
    for options in [PatchOptions::default(), PatchOptions::tolerant()] {
        let Ok(request) = PatchRequest::from_json(message.clone(), &options) else { continue };
        for (resource_type, before) in SUBJECTS.iter() {
            let Ok(patched) = apply(resource_type, before, &request, &options) else { continue };
            let again = Admit::new(resource_type).trusted(Value::Object(patched.resource.as_map().clone()));
            assert_eq!(again.as_ref(), Ok(&patched.resource), "the patched resource is canonical");
            assert_eq!(patched.changed, patched.resource != *before, "changed says whether it changed");
        }
    }
}

/// `If-Match` and `If-None-Match`: only `*` is any version, and tags, printed weak or strong, are read as the same tags.
///
/// # Panics
///
/// When the law is broken.
pub fn if_match(bytes: &[u8]) {
    // Headers are bytes, and this is how the HTTP crate makes text of them.
    let header = String::from_utf8_lossy(bytes);
    let Expect::Tags(tags) = Expect::parse(&header) else {
        assert_eq!(header.trim(), "*", "any version");
        return;
    };
    assert_ne!(header.trim(), "*", "any version");
    // What no entity tag can hold, for it ends one, was sent without quotation marks and cannot be printed with them.
    let tags: Vec<String> = tags.into_iter().filter(|tag| !tag.contains('"')).collect();
    let read = Expect::parse(&header);
    for mark in ["", "W/"] {
        let printed: Vec<String> = tags.iter().map(|tag| format!("{mark}\"{tag}\"")).collect();
        let again = Expect::parse(&printed.join(", "));
        assert_eq!(again, Expect::Tags(tags.clone()), "printed and parsed again");
        // The ends are enough, for the lists are the same; asking for each of them would take the square of their number.
        for tag in printed.first().into_iter().chain(printed.last()) {
            assert!(again.matches(tag) && read.matches(tag), "{tag} is one of them");
        }
    }
}

/// What is asked and patched: one resource of each type, with something in most places.
static SUBJECTS: LazyLock<Vec<(Arc<ResourceType>, Resource)>> = LazyLock::new(|| {
    let subjects = [
        (
            "User",
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "userName": "bjensen", "active": true,
                "name": {"familyName": "Jensen", "givenName": "Barbara"}, "title": "Guide",
                "emails": [{"value": "b@example.com", "type": "work", "primary": true}, {"value": "babs@jensen.org", "type": "home"}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tours", "manager": {"value": "2"}},
            }),
        ),
        (
            "Group",
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "2", "displayName": "Tour Guides",
                "members": [{"value": "1", "type": "User"}, {"value": "3"}],
            }),
        ),
        (
            "Gadget",
            json!({
                "schemas": ["urn:example:params:scim:schemas:lab:2.0:Gadget"], "id": "3", "name": "Arm", "serial": "S", "ports": 4,
                "tags": ["red"], "location": {"building": "North", "room": "1"}, "parts": [{"value": "m", "type": "main", "sku": "K"}],
            }),
        ),
    ];
    let canonical = |(name, subject): (&str, Value)| {
        let resource_type = CATALOG.resource_type(name).expect("the catalog has it");
        let resource = Admit::new(resource_type).trusted(subject).expect("the subject is canonical");
        (resource_type.clone(), resource)
    };
    subjects.map(canonical).into()
});
