//! Laws that hold for any input: what fuzz targets, their replay and property tests all ask.
//!
//! Each takes bytes as they come and panics when the law is broken; input that is nothing is passed over.

use scimwright_core::{Admit, Resource};
use scimwright_filter::{Filter, PatchPath, Syntax};
use scimwright_patch::{PatchOptions, PatchRequest, apply};
use serde_json::{Value, json};

use crate::vector_catalog;

/// A filter that parses prints to a text that parses to the same filter, and binding and matching it never panic.
///
/// # Panics
///
/// When the law is broken.
pub fn filter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(filter) = text.parse::<Filter>() {
        assert_eq!(filter.to_string().parse::<Filter>().as_ref(), Ok(&filter), "printed and parsed again");
    }
    if let (Ok(parsed), Ok(catalog)) = (Syntax::tolerant().filter(text), vector_catalog()) {
        for resource_type in catalog.resource_types() {
            let binding =
                scimwright_filter::Binding { resource_type, served: catalog.resource_types(), boolean_strings: true };
            if let Ok(bound) = parsed.value.bind(&binding) {
                let _ = bound.matches(&Resource::default());
            }
        }
    }
}

/// A PATCH path that parses prints to a text that parses to the same path.
///
/// # Panics
///
/// When the law is broken.
pub fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(path) = text.parse::<PatchPath>() {
        assert_eq!(path.to_string().parse::<PatchPath>().as_ref(), Ok(&path), "printed and parsed again");
    }
    let _ = Syntax::tolerant().path(text);
}

/// A PATCH leaves a canonical resource or an error, strict and tolerant, and says truly whether anything changed.
///
/// # Panics
///
/// When the law is broken.
pub fn patch(bytes: &[u8]) {
    let (Ok(message), Ok(catalog)) = (serde_json::from_slice::<Value>(bytes), vector_catalog()) else { return };
    for (name, before) in subjects() {
        let Some(resource_type) = catalog.resource_type(name) else { continue };
        let admit = Admit::new(resource_type);
        let Ok(before) = admit.trusted(before) else { continue };
        for options in [PatchOptions::default(), tolerant()] {
            let Ok(request) = PatchRequest::from_json(message.clone(), &options) else { continue };
            let Ok(patched) = apply(resource_type, &before, &request, &options) else { continue };
            let again = admit.trusted(Value::Object(patched.resource.as_map().clone()));
            assert_eq!(again.as_ref(), Ok(&patched.resource), "the patched resource is canonical");
            assert_eq!(patched.changed, patched.resource != before, "changed says whether it changed");
        }
    }
}

/// What is patched: one resource of each type, with something in most places.
fn subjects() -> [(&'static str, Value); 3] {
    [
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
    ]
}

/// Everything tolerated at once.
fn tolerant() -> PatchOptions {
    PatchOptions {
        syntax: Syntax::tolerant(),
        create_on_no_match: true,
        remove_with_value: true,
        boolean_strings: true,
        empty_string_clears: true,
        reference_as_string: true,
        extra_members: true,
        ..PatchOptions::default()
    }
}
