//! The PATCH message of a resource type: RFC 7644 section 3.5.2.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use scimwright_core::{Attribute, DataType, Extension, Mutability, Urn, urns};
use scimwright_service::Limits;
use serde_json::{Map, Value, json};

use super::Named;
use super::messages::request;
use super::schema::kind;

/// What stands in a JSON pointer in a URI fragment as it is (RFC 6901 section 6).
const FRAGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'$');

/// The message. Operations are told apart by what they write, so that a value is described where its path is known.
pub(super) fn message(named: &Named<'_>, limits: &Limits) -> Value {
    let properties = format!("#/components/schemas/{}/properties", named.part(".Request"));
    let targets = targets(named, &properties);
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
        "properties": {"op": writes, "path": {"type": "null"}, "value": parts(named, &properties)},
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

/// What an operation without a path may bring: the attributes of a request, and nothing of them must be there.
fn parts(named: &Named<'_>, properties: &str) -> Value {
    let of = |attributes: &[Attribute], at: &str| -> Map<String, Value> {
        let written = attributes.iter().filter(|attribute| is_written(attribute));
        written.map(|attribute| (attribute.name.to_string(), part(attribute, at))).collect()
    };
    let mut all = of(named.of.attributes(), properties);
    for extension in &named.of.extensions {
        let inside = of(&extension.schema.attributes, &container(extension, properties));
        all.insert(extension.schema.id.to_string(), json!({"type": ["object", "null"], "properties": inside}));
    }
    json!({"type": "object", "properties": all})
}

/// What is written by a path alone: kinds of values, and the paths that take them.
fn targets(named: &Named<'_>, properties: &str) -> Vec<(Value, Vec<String>)> {
    let mut kinds: Vec<(Value, Vec<String>)> = Vec::new();
    let mut add = |path: String, value: Value| match kinds.iter_mut().find(|(kind, _)| *kind == value) {
        Some((_, paths)) => paths.push(path),
        None => kinds.push((value, vec![path])),
    };
    let mut every = |prefix: &str, attributes: &[Attribute], at: &str| {
        for attribute in attributes.iter().filter(|attribute| is_written(attribute)) {
            let path = format!("{prefix}{}", attribute.name);
            let whole = attribute.multi_valued || attribute.data_type == DataType::Complex;
            add(path.clone(), if whole { part(attribute, at) } else { kind(attribute) });
            // A part of a list's values is written where a filter says of which; a list of paths has no room for that.
            for sub in attribute.sub_attributes.iter().filter(|sub| !attribute.multi_valued && is_written(sub)) {
                add(format!("{path}.{}", sub.name), kind(sub));
            }
        }
    };
    every("", named.of.attributes(), properties);
    for extension in &named.of.extensions {
        let prefix = format!("{}:", extension.schema.id);
        every(&prefix, &extension.schema.attributes, &container(extension, properties));
    }
    kinds
}

/// Where the attributes of an extension are among those of a request.
fn container(extension: &Extension, properties: &str) -> String {
    let outer = extension.within.iter().map(Urn::as_str);
    let inside = |at: String, urn: &str| format!("{at}/{}/properties", token(urn));
    outer.chain([extension.schema.id.as_str()]).fold(properties.to_owned(), inside)
}

/// The value of an attribute as a request has it; of a list, one value will do too (section 3.5.2.1).
fn part(attribute: &Attribute, at: &str) -> Value {
    let whole = format!("{at}/{}", token(attribute.name.as_str()));
    if attribute.multi_valued {
        json!({"anyOf": [{"$ref": whole}, {"$ref": format!("{whole}/items")}]})
    } else if attribute.required {
        // To add nothing does nothing.
        json!({"anyOf": [{"$ref": whole}, {"type": "null"}]})
    } else {
        json!({"$ref": whole})
    }
}

/// Whether a client may write it. `schemas` follows from what is written (RFC 7643 section 3).
fn is_written(attribute: &Attribute) -> bool {
    attribute.mutability != Mutability::ReadOnly && attribute.name.as_str() != "schemas"
}

/// A name as a part of a JSON pointer in a URI fragment.
fn token(name: &str) -> String {
    utf8_percent_encode(&name.replace('~', "~0").replace('/', "~1"), FRAGMENT).to_string()
}
