//! Attributes as JSON Schema: the characteristics of RFC 7643 section 7, as far as JSON Schema has words for them.

use scimwright_core::{Admit, Attribute, DataType, Mutability, Returned};
use serde_json::{Map, Value, json};

/// Which way a document goes. What is read-only does not come in, what is secret does not go out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A whole resource comes in.
    In,
    /// Parts of one come in: nothing of it must be there, and of a list one value will do (RFC 7644 section 3.5.2.1).
    Part,
    /// A representation goes out. It is canonical, never empty, and nothing is in it that no schema names.
    Out,
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

/// An object of these attributes.
pub(super) fn object(attributes: &[Attribute], way: Way) -> Map<String, Value> {
    let shown = attributes.iter().filter(|attribute| match way {
        Way::In | Way::Part => attribute.mutability != Mutability::ReadOnly,
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
        Way::In | Way::Part => schema.extend([if_any(required.into())]),
        Way::Out => drop(schema.insert("required".to_owned(), required.into())),
    }
    if way == Way::Out {
        schema.insert("additionalProperties".to_owned(), false.into());
        schema.insert("minProperties".to_owned(), 1.into());
    }
    schema
}

/// Whether every document of that way has the attribute. Who asks for a resource may choose what is not `returned: always`.
pub(super) fn must(attribute: &Attribute, way: Way) -> bool {
    let brought = attribute.required && attribute.mutability != Mutability::ReadOnly;
    match way {
        Way::In => brought,
        Way::Part => false,
        Way::Out => {
            let assigned = brought || attribute.name.as_str() == "id";
            assigned && attribute.returned == Returned::Always && !attribute.is_hidden()
        }
    }
}

/// One value of a simple attribute as a part, or none, without what else is particular to it.
pub(super) fn kind(attribute: &Attribute) -> Value {
    let mut schema = of_value(attribute, Way::Part);
    or_null(&mut schema);
    schema.into()
}

/// Null is unassigned (RFC 7643 section 2.5).
pub(super) fn or_null(schema: &mut Map<String, Value>) {
    if let Some(own) = schema.remove("type") {
        schema.insert("type".to_owned(), json!([own, "null"]));
    }
}

/// What is required of an object that a client writes, unless it is empty, for then it is nothing (RFC 7643 section 2.5).
pub(super) fn if_any(required: Value) -> (String, Value) {
    ("anyOf".to_owned(), json!([{"required": required}, {"maxProperties": 0}]))
}

pub(super) fn described(mut schema: Map<String, Value>, description: &str) -> Map<String, Value> {
    if !description.is_empty() {
        schema.insert("description".to_owned(), description.into());
    }
    schema
}

pub(super) fn name_of(attribute: &Attribute) -> String {
    attribute.name.as_str().to_owned()
}

fn of_attribute(attribute: &Attribute, way: Way) -> Map<String, Value> {
    let mut schema = of_value(attribute, way);
    if attribute.multi_valued {
        schema = list(attribute, schema, way);
    }
    match way {
        Way::In if attribute.required => schema.extend(at_least_one(attribute)),
        Way::In | Way::Part => or_null(&mut schema),
        Way::Out => {}
    }
    if way == Way::Part {
        // The rest has been said of the whole.
        return schema;
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
    if !attribute.canonical_values.is_empty() && way != Way::Part {
        // Suggestions: others are kept.
        schema.insert("examples".to_owned(), attribute.canonical_values.clone().into());
    }
    schema
}

/// A list of such values, of which one at most is primary (RFC 7643 section 2.4). Null among them is no value.
fn list(attribute: &Attribute, mut item: Map<String, Value>, way: Way) -> Map<String, Value> {
    let mut schema = Map::new();
    match way {
        Way::In | Way::Part => {
            or_null(&mut item);
            schema.insert("maxItems".to_owned(), Admit::MAX_VALUES.into());
        }
        Way::Out => drop(schema.insert("minItems".to_owned(), 1.into())),
    }
    schema.insert("type".to_owned(), "array".into());
    if attribute.sub("primary").is_some_and(|primary| primary.data_type == DataType::Boolean) {
        let primary = json!({"type": "object", "properties": {"primary": {"const": true}}, "required": ["primary"]});
        schema.insert("contains".to_owned(), primary);
        schema.insert("minContains".to_owned(), 0.into());
        schema.insert("maxContains".to_owned(), 1.into());
    }
    if way == Way::Part {
        let one = Value::Object(item.clone());
        schema.insert("items".to_owned(), item.into());
        return Map::from_iter([("anyOf".to_owned(), json!([schema, one]))]);
    }
    schema.insert("items".to_owned(), item.into());
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

/// What people are told of an attribute.
fn words(attribute: &Attribute) -> String {
    let mut words = attribute.description.clone();
    if !attribute.reference_types.is_empty() {
        let gap = if words.is_empty() { "" } else { " " };
        words = format!("{words}{gap}Points to: {}.", attribute.reference_types.join(", "));
    }
    words
}
