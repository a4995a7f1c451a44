//! Resource types as JSON Schema 2020-12: what comes in, as a whole and in parts, and what goes out.

use scimwright_core::{Attribute, Extension, Mutability, ResourceType};
use serde_json::{Map, Value, json};

use super::attribute::{Way, described, if_any, must, name_of, object, or_null};
use super::reference;

/// The request that a resource comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Replace,
}

/// RFC 8265 section 3.3, as far as it is enforced: no control characters, no blanks at the ends.
const USER_NAME: &str =
    concat!(r"^[^\s\u0000-\u001f\u007f-\u009f]", r"([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$");
/// RFC 8265 section 4.2: no control characters and no separators of lines.
const PASSWORD: &str = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$";

/// A representation of a resource of that type, whatever was selected: what is `returned: always` is there, and nothing is that no
/// schema names.
pub(super) fn outgoing(of: &ResourceType) -> Value {
    let mut schema = object(of.attributes(), Way::Out);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.insert("schemas".to_owned(), schemas(of, Way::Out));
        properties.insert("id".to_owned(), json!({"type": "string", "minLength": 1, "readOnly": true}));
        properties.insert("meta".to_owned(), meta(&of.name));
        properties.extend(containers(of, Way::Out));
    }
    described(schema, &of.description).into()
}

/// What a client may write of a resource of that type. What it must write is said by [`whole`].
pub(super) fn incoming(of: &ResourceType) -> Value {
    let mut properties = written(of, Way::In);
    for (name, pattern) in [("userName", USER_NAME), ("password", PASSWORD)] {
        if let Some(Value::Object(schema)) = properties.get_mut(name) {
            schema.insert("pattern".to_owned(), pattern.into());
        }
    }
    for rows in of.membership.iter().filter_map(|rows| of.attribute(rows)) {
        if let Some(Value::Object(list)) = properties.get_mut(rows.name.as_str()) {
            members(list);
        }
    }
    json!({"type": "object", "properties": properties})
}

/// What PATCH may write at once of a resource of that type.
pub(super) fn parts(of: &ResourceType) -> Value {
    let mut properties = written(of, Way::Part);
    for rows in of.membership.iter().filter_map(|rows| of.attribute(rows)) {
        let list = properties.get_mut(rows.name.as_str()).and_then(|rows| rows.pointer_mut("/anyOf/0"));
        list.and_then(Value::as_object_mut).and_then(|list| list.remove("maxItems"));
    }
    json!({"type": "object", "properties": properties})
}

/// What makes a document of [`incoming`] the body of that request. A PUT may leave out what it cannot see and what it cannot change:
/// both stay.
pub(super) fn whole(of: &ResourceType, verb: Verb) -> Value {
    let kept = |attribute: &Attribute| {
        verb == Verb::Replace && (attribute.is_hidden() || attribute.mutability == Mutability::Immutable)
    };
    let brought = of.attributes().iter().filter(|attribute| must(attribute, Way::In) && !kept(attribute)).map(name_of);
    let containers = of.extensions.iter().filter(|extension| extension.required && extension.within.is_none());
    let required: Vec<String> = brought.chain(containers.map(|extension| extension.schema.id.to_string())).collect();
    json!({"required": required, "properties": {"schemas": schemas(of, Way::In)}})
}

/// The paths of what a type's representations may show, as `attributes` names them.
pub(super) fn paths(of: &ResourceType) -> Vec<String> {
    let mut paths = Vec::new();
    let mut add = |prefix: &str, attributes: &[Attribute]| {
        for attribute in attributes.iter().filter(|attribute| !attribute.is_hidden()) {
            paths.push(format!("{prefix}{}", attribute.name));
            let subs = attribute.sub_attributes.iter().filter(|sub| !sub.is_hidden());
            paths.extend(subs.map(|sub| format!("{prefix}{}.{}", attribute.name, sub.name)));
        }
    };
    add("", of.attributes());
    for extension in &of.extensions {
        add(&format!("{}:", extension.schema.id), &extension.schema.attributes);
    }
    paths
}

/// The attributes that a client writes. Of a whole resource it is said what it is, of parts it need not be.
fn written(of: &ResourceType, way: Way) -> Map<String, Value> {
    let own = of.attributes().iter().filter(|attribute| attribute.name.as_str() != "schemas").cloned();
    let own: Vec<Attribute> = own.collect();
    let properties = object(&own, way).remove("properties");
    let mut properties = properties.and_then(|properties| properties.as_object().cloned()).unwrap_or_default();
    properties.extend(containers(of, way));
    properties
}

/// A membership is a row of its own: who joins must be named, and there may be any number of them.
fn members(list: &mut Map<String, Value>) {
    list.remove("maxItems");
    let Some(Value::Object(member)) = list.get_mut("items") else { return };
    member.extend([if_any(json!(["value"]))]);
    let value = member.get_mut("properties").and_then(|properties| properties.get_mut("value"));
    if let Some(value) = value.and_then(Value::as_object_mut) {
        value.insert("type".to_owned(), "string".into());
        value.insert("minLength".to_owned(), 1.into());
    }
}

/// The containers of a type's extensions by their names, those that stand in others in their places.
fn containers(of: &ResourceType, way: Way) -> Map<String, Value> {
    let container = |extension: &Extension| {
        let mut schema = object(&extension.schema.attributes, way);
        match way {
            Way::In if extension.required => drop(schema.insert("minProperties".to_owned(), 1.into())),
            Way::In | Way::Part => or_null(&mut schema),
            Way::Out => {}
        }
        if way == Way::Part { schema } else { described(schema, &extension.schema.description) }
    };
    let named = |extension: &Extension, schema: Map<String, Value>| (extension.schema.id.to_string(), schema.into());
    let outer = of.extensions.iter().filter(|extension| extension.within.is_none());
    let whole = outer.map(|outer| {
        let mut schema = container(outer);
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.extend(of.nested_in(outer).map(|inner| named(inner, container(inner))));
        }
        named(outer, schema)
    });
    whole.collect()
}

/// `meta` of RFC 7643 section 3.1. A selection may leave out any part of it.
fn meta(resource_type: &str) -> Value {
    let moment = json!({"type": "string", "format": "date-time"});
    json!({
        "type": "object", "readOnly": true, "additionalProperties": false, "minProperties": 1,
        "properties": {
            "resourceType": {"const": resource_type}, "created": moment, "lastModified": moment,
            "location": {"type": "string", "format": "uri-reference"}, "version": reference("schemas", "scim.ETag"),
        },
    })
}

/// `schemas` of RFC 7643 section 3: the base schema, and the extensions that are used.
fn schemas(of: &ResourceType, way: Way) -> Value {
    let base = of.schema.id.as_str();
    let known = std::iter::once(base).chain(of.extensions.iter().map(|extension| extension.schema.id.as_str()));
    let known: Vec<&str> = known.collect();
    let mut list = json!({"type": "array", "items": {"enum": known}, "contains": {"const": base}});
    if let (Way::Out, Value::Object(list)) = (way, &mut list) {
        list.insert("uniqueItems".to_owned(), true.into());
    }
    list
}
