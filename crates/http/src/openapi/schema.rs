//! SCIM schemas as JSON Schema 2020-12: the characteristics of RFC 7643 section 7, as far as JSON Schema has words for them.

use scimwright_core::{Admit, Attribute, DataType, Extension, Mutability, ResourceType, Returned};
use serde_json::{Map, Value, json};

use super::reference;

/// Which way a document goes. What is read-only does not come in, what is secret does not go out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// The request that a resource comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Replace,
}

/// `xsd:dateTime` (RFC 7643 section 2.3.5): what a client wrote comes back as it was written, and it need not have an offset.
const DATE_TIME: &str = concat!(
    r"^-?([1-9][0-9]{3,}|0[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    r"T(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?|24:00:00(\.0+)?)",
    r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?$"
);
/// RFC 4648 section 4, with padding or without.
const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}={0,2}|[A-Za-z0-9+/]{3}=?)?$";
/// The characters of a URI reference, and letters outside ASCII.
const REFERENCE: &str = r#"^[^\s\u0000-\u001f\u007f-\u009f"<>\\^`{|}]*$"#;
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

/// What a client may write of a resource of that type. What it must write of a whole one is said by [`whole`].
pub(super) fn incoming(of: &ResourceType) -> Value {
    let mut schema = object(of.attributes(), Way::In);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        // Of a whole resource it is said what it is, of parts it need not be: see [`whole`].
        properties.remove("schemas");
        for (name, pattern) in [("userName", USER_NAME), ("password", PASSWORD)] {
            if let Some(Value::Object(schema)) = properties.get_mut(name) {
                schema.insert("pattern".to_owned(), pattern.into());
            }
        }
        for rows in of.membership.iter().filter_map(|rows| of.attribute(rows)) {
            // A membership is a row of its own: who joins must be named, and there may be any number of them.
            if let Some(Value::Object(list)) = properties.get_mut(rows.name.as_str()) {
                list.remove("maxItems");
                if let Some(Value::Object(member)) = list.get_mut("items") {
                    member.extend([if_any(json!(["value"]))]);
                    let value = member.get_mut("properties").and_then(|properties| properties.get_mut("value"));
                    if let Some(value) = value.and_then(Value::as_object_mut) {
                        value.insert("type".to_owned(), "string".into());
                        value.insert("minLength".to_owned(), 1.into());
                    }
                }
            }
        }
        properties.extend(containers(of, Way::In));
    }
    // What is required of a whole resource is required of it always: see [`whole`].
    schema.remove("anyOf");
    schema.into()
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

/// A value that a client writes, or none, without what else is particular to the attribute.
pub(super) fn kind(attribute: &Attribute) -> Value {
    let mut schema = of_value(attribute, Way::In);
    schema.remove("examples");
    or_null(&mut schema);
    schema.into()
}

/// The containers of a type's extensions by their names, those that stand in others in their places.
fn containers(of: &ResourceType, way: Way) -> Map<String, Value> {
    let container = |extension: &Extension| {
        let mut schema = object(&extension.schema.attributes, way);
        match way {
            Way::In if extension.required => drop(schema.insert("minProperties".to_owned(), 1.into())),
            Way::In => or_null(&mut schema),
            Way::Out => {}
        }
        described(schema, &extension.schema.description)
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

/// An object of these attributes. What goes out is canonical: never empty, and nothing in it that is not named here.
fn object(attributes: &[Attribute], way: Way) -> Map<String, Value> {
    let shown = attributes.iter().filter(|attribute| match way {
        Way::In => attribute.mutability != Mutability::ReadOnly,
        Way::Out => !attribute.is_hidden(),
    });
    let properties: Map<String, Value> =
        shown.map(|attribute| (name_of(attribute), of_attribute(attribute, way).into())).collect();
    let required: Vec<String> = attributes.iter().filter(|attribute| must(attribute, way)).map(name_of).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    match way {
        _ if required.is_empty() => {}
        Way::In => schema.extend([if_any(required.into())]),
        Way::Out => drop(schema.insert("required".to_owned(), required.into())),
    }
    if way == Way::Out {
        schema.insert("additionalProperties".to_owned(), false.into());
        schema.insert("minProperties".to_owned(), 1.into());
    }
    schema
}

/// Whether every document of that way has the attribute. Who asks for a resource may choose what is not `returned: always`.
fn must(attribute: &Attribute, way: Way) -> bool {
    let own = attribute.name.as_str() == "id";
    match way {
        Way::In => attribute.required && attribute.mutability != Mutability::ReadOnly,
        Way::Out => {
            let assigned = own || (attribute.required && attribute.mutability != Mutability::ReadOnly);
            assigned && attribute.returned == Returned::Always && !attribute.is_hidden()
        }
    }
}

fn of_attribute(attribute: &Attribute, way: Way) -> Map<String, Value> {
    let mut schema = of_value(attribute, way);
    if attribute.multi_valued {
        schema = list(attribute, schema, way);
    }
    match way {
        // Null means unassigned (RFC 7643 section 2.5), and what is required cannot be that.
        Way::In if attribute.required => schema.extend(at_least_one(attribute)),
        Way::In => or_null(&mut schema),
        Way::Out => {}
    }
    if attribute.is_hidden() {
        schema.insert("writeOnly".to_owned(), true.into());
    } else if attribute.mutability == Mutability::ReadOnly {
        schema.insert("readOnly".to_owned(), true.into());
    }
    described(schema, &words(attribute))
}

/// One value, by its type: RFC 7643 section 2.3.
fn of_value(attribute: &Attribute, way: Way) -> Map<String, Value> {
    let schema = match attribute.data_type {
        DataType::Complex => return object(&attribute.sub_attributes, way),
        DataType::String => json!({"type": "string"}),
        DataType::Boolean => json!({"type": "boolean"}),
        DataType::Decimal => json!({"type": "number"}),
        DataType::Integer => json!({"type": "integer", "minimum": i64::MIN, "maximum": u64::MAX}),
        // Not `format`: RFC 3339 knows fewer texts than there are in this type.
        DataType::DateTime => json!({"type": "string", "pattern": DATE_TIME, "examples": ["2011-05-13T04:42:34Z"]}),
        DataType::Binary => json!({"type": "string", "contentEncoding": "base64", "pattern": BASE64}),
        DataType::Reference => json!({"type": "string", "pattern": REFERENCE}),
    };
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    if !attribute.canonical_values.is_empty() {
        // Suggestions: others are kept.
        schema.insert("examples".to_owned(), attribute.canonical_values.clone().into());
    }
    schema
}

/// A list of such values, of which one at most is primary (RFC 7643 section 2.4). Null among them is no value.
fn list(attribute: &Attribute, mut item: Map<String, Value>, way: Way) -> Map<String, Value> {
    let mut schema = Map::new();
    match way {
        Way::In => {
            or_null(&mut item);
            schema.insert("maxItems".to_owned(), Admit::MAX_VALUES.into());
        }
        Way::Out => drop(schema.insert("minItems".to_owned(), 1.into())),
    }
    schema.insert("type".to_owned(), "array".into());
    schema.insert("items".to_owned(), item.into());
    if attribute.sub("primary").is_some_and(|primary| primary.data_type == DataType::Boolean) {
        let primary = json!({"type": "object", "properties": {"primary": {"const": true}}, "required": ["primary"]});
        schema.insert("contains".to_owned(), primary);
        schema.insert("minContains".to_owned(), 0.into());
        schema.insert("maxContains".to_owned(), 1.into());
    }
    schema
}

/// What of a value makes it one: the empty string, list or object is none.
fn at_least_one(attribute: &Attribute) -> Option<(String, Value)> {
    let keyword = match attribute.data_type {
        _ if attribute.multi_valued => "minItems",
        DataType::Complex => "minProperties",
        DataType::Boolean | DataType::Decimal | DataType::Integer => return None,
        _ => "minLength",
    };
    Some((keyword.to_owned(), 1.into()))
}

/// What is required of an object that a client writes, unless it is empty, for then it is nothing (RFC 7643 section 2.5).
fn if_any(required: Value) -> (String, Value) {
    ("anyOf".to_owned(), json!([{"required": required}, {"maxProperties": 0}]))
}

fn or_null(schema: &mut Map<String, Value>) {
    if let Some(own) = schema.remove("type") {
        schema.insert("type".to_owned(), json!([own, "null"]));
    }
}

/// What people are told of an attribute.
fn words(attribute: &Attribute) -> String {
    let mut words = attribute.description.clone();
    if !attribute.reference_types.is_empty() {
        let gap = if words.is_empty() { "" } else { " " };
        words = format!("{words}{gap}Points to: {}.", attribute.reference_types.join(", "));
    }
    words
}

fn described(mut schema: Map<String, Value>, description: &str) -> Map<String, Value> {
    if !description.is_empty() {
        schema.insert("description".to_owned(), description.into());
    }
    schema
}

fn name_of(attribute: &Attribute) -> String {
    attribute.name.as_str().to_owned()
}
