//! The PATCH message of a resource type: RFC 7644 section 3.5.2.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use scimwright_core::{Attribute, DataType, Extension, Mutability, Urn, urns};
use scimwright_service::Limits;
use serde_json::{Value, json};

use super::Named;
use super::attribute::kind;
use super::messages::request;

/// What stands in a JSON pointer in a URI fragment as it is (RFC 6901 section 6).
const FRAGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'$');

/// The message. Operations are told apart by what they write, so that a value is described where its path is known.
pub(super) fn message(named: &Named<'_>, limits: &Limits) -> Value {
    let parts = format!("#/components/schemas/{}", named.part(".Parts"));
    let targets = targets(named, &format!("{parts}/properties"));
    let known: Vec<&String> = targets.iter().flat_map(|(_, paths)| paths).collect();
    let writes = json!({"enum": ["add", "replace"]});
    let write = |path: Value, value: &Value| {
        let properties = json!({"op": writes, "path": path, "value": value});
        json!({"type": "object", "required": ["op", "path", "value"], "properties": properties})
    };
    let other = json!({
        "type": "string", "pattern": "^[A-Za-z]",
        "description": "A path with a filter, or whatever else RFC 7644 section 3.5.2 has for a path.",
    });
    let mut operations = vec![json!({
        "type": "object", "required": ["op", "value"], "description": "Write several attributes.",
        "properties": {"op": writes, "path": {"type": "null"}, "value": {"$ref": parts}},
    })];
    operations.extend(targets.iter().map(|(value, paths)| write(json!({"enum": paths}), value)));
    operations.push(write(other.clone(), &json!({})));
    operations.push(json!({
        "type": "object", "required": ["op", "path"],
        "properties": {"op": {"const": "remove"}, "path": {"anyOf": [{"enum": known}, other]}},
    }));
    let list = json!({"type": "array", "items": {"anyOf": operations}, "minItems": 1, "maxItems": limits.max_patch_operations});
    request(urns::PATCH_OP, &["Operations"], json!({"Operations": list}))
}

/// What is written by a path alone: kinds of values, and the paths that take them. `parts` is where those of several are described.
fn targets(named: &Named<'_>, parts: &str) -> Vec<(Value, Vec<String>)> {
    let mut kinds: Vec<(Value, Vec<String>)> = Vec::new();
    let mut add = |path: String, value: Value| match kinds.iter_mut().find(|(kind, _)| *kind == value) {
        Some((_, paths)) => paths.push(path),
        None => kinds.push((value, vec![path])),
    };
    let mut every = |prefix: &str, attributes: &[Attribute], at: &str| {
        for attribute in attributes.iter().filter(|attribute| is_written(attribute)) {
            let path = format!("{prefix}{}", attribute.name);
            let simple = !attribute.multi_valued && attribute.data_type != DataType::Complex;
            let whole = || json!({"$ref": format!("{at}/{}", token(attribute.name.as_str()))});
            add(path.clone(), if simple { kind(attribute) } else { whole() });
            // A part of a list's values is written where a filter says of which; a list of paths has no room for that.
            let subs = attribute.sub_attributes.iter();
            for sub in subs.filter(|sub| !attribute.multi_valued && !sub.multi_valued && is_written(sub)) {
                add(format!("{path}.{}", sub.name), kind(sub));
            }
        }
    };
    every("", named.of.attributes(), parts);
    for extension in &named.of.extensions {
        let prefix = format!("{}:", extension.schema.id);
        every(&prefix, &extension.schema.attributes, &container(extension, parts));
    }
    kinds
}

/// Where the attributes of an extension are described.
fn container(extension: &Extension, parts: &str) -> String {
    let outer = extension.within.iter().map(Urn::as_str);
    let inside = |at: String, urn: &str| format!("{at}/{}/properties", token(urn));
    outer.chain([extension.schema.id.as_str()]).fold(parts.to_owned(), inside)
}

/// Whether a client may write it. `schemas` follows from what is written (RFC 7643 section 3).
fn is_written(attribute: &Attribute) -> bool {
    attribute.mutability != Mutability::ReadOnly && attribute.name.as_str() != "schemas"
}

/// A name as a part of a JSON pointer in a URI fragment.
fn token(name: &str) -> String {
    utf8_percent_encode(&name.replace('~', "~0").replace('/', "~1"), FRAGMENT).to_string()
}
