//! Schemas and the characteristics of attributes: RFC 7643 sections 2.2 and 7.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AttrName, Urn, urns};

/// A schema: a URI and the attributes that it defines (RFC 7643 section 7).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Schema {
    /// The schema's URI.
    pub id: Urn,
    /// The name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its attributes, in the order given.
    pub attributes: Vec<Attribute>,
}

/// One attribute with all its characteristics (RFC 7643 section 2.2).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Attribute {
    /// The name in the schema's spelling.
    pub name: AttrName,
    /// The type of the value, or of each value.
    pub data_type: DataType,
    /// Whether the value is a list.
    pub multi_valued: bool,
    /// What it means.
    pub description: String,
    /// Whether a resource must have a value.
    pub required: bool,
    /// Suggested values, such as `work` and `home`. Others are kept (RFC 7643 section 2.3.1 lets us).
    pub canonical_values: Vec<String>,
    /// Whether strings differ that differ in case only.
    pub case_exact: bool,
    /// Who may write it and when.
    pub mutability: Mutability,
    /// When it is shown.
    pub returned: Returned,
    /// Among what a value must be the only one of its kind.
    pub uniqueness: Uniqueness,
    /// What a reference may point to: names of resource types, `external` or `uri`.
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute.
    pub sub_attributes: Vec<Self>,
}

/// RFC 7643 section 2.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DataType {
    /// Unicode text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Decimal,
    /// A number without fraction and exponent.
    Integer,
    /// An `xsd:dateTime`.
    DateTime,
    /// Base64.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// RFC 7643 section 7, `mutability`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the server writes it.
    ReadOnly,
    /// Read and written at any time.
    #[default]
    ReadWrite,
    /// Written once.
    Immutable,
    /// Written, never read.
    WriteOnly,
}

/// RFC 7643 section 7, `returned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every representation.
    Always,
    /// In none.
    Never,
    /// Unless the client chose otherwise.
    #[default]
    Default,
    /// When the client asked for it or has just set it.
    Request,
}

/// RFC 7643 section 7, `uniqueness`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Values may repeat.
    #[default]
    None,
    /// One resource of a tenant has it.
    Server,
    /// One resource of all tenants has it.
    Global,
}

/// Why a JSON document is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schema `{schema}`: {reason}")]
pub struct SchemaError {
    schema: String,
    reason: String,
}

impl Schema {
    /// Reads a schema from the JSON of RFC 7643 section 7. Characteristics left out take the defaults of section 2.2.
    ///
    /// # Errors
    ///
    /// When `id` is no URI, a name is no attribute name or stands twice, a type or characteristic is unknown, or a complex
    /// attribute holds another (section 2.3.8; only the Schema schema itself may).
    pub fn from_json(json: &Value) -> Result<Self, SchemaError> {
        let label = json.get("id").and_then(Value::as_str).unwrap_or("without id").to_owned();
        let error = |reason: String| SchemaError { schema: label.clone(), reason };
        let draft: SchemaDraft = Deserialize::deserialize(json).map_err(|source| error(source.to_string()))?;
        let id: Urn = draft.id.parse().map_err(|source: crate::UrnError| error(source.to_string()))?;
        let nested = id.is(urns::SCHEMA);
        let attributes = attributes(draft.attributes, nested, 0).map_err(error)?;
        Ok(Self { name: draft.name.unwrap_or_else(|| label.clone()), description: draft.description, id, attributes })
    }

    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.is(name))
    }

    /// The schema as RFC 7643 section 7 writes it, every characteristic spelled out, without `meta`.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        json.insert("schemas".to_owned(), vec![urns::SCHEMA].into());
        json.insert("id".to_owned(), self.id.as_str().into());
        json.insert("name".to_owned(), self.name.as_str().into());
        json.insert("description".to_owned(), self.description.as_str().into());
        json.insert("attributes".to_owned(), self.attributes.iter().map(Attribute::to_json).collect());
        json
    }
}

impl Attribute {
    /// The sub-attribute of that name.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&Self> {
        self.sub_attributes.iter().find(|sub| sub.name.is(name))
    }

    /// Whether this is a list of objects that have a `value`, so that a filter may leave `.value` out (ruling R-6).
    #[must_use]
    pub fn default_sub(&self) -> Option<&Self> {
        self.sub("value")
    }

    fn to_json(&self) -> Value {
        let mut json = Map::new();
        let complex = self.data_type == DataType::Complex;
        json.insert("name".to_owned(), self.name.as_str().into());
        json.insert("type".to_owned(), word(self.data_type));
        json.insert("multiValued".to_owned(), self.multi_valued.into());
        json.insert("description".to_owned(), self.description.as_str().into());
        json.insert("required".to_owned(), self.required.into());
        if !self.canonical_values.is_empty() {
            json.insert("canonicalValues".to_owned(), self.canonical_values.clone().into());
        }
        if matches!(self.data_type, DataType::String | DataType::Reference | DataType::Binary) {
            json.insert("caseExact".to_owned(), self.case_exact.into());
        }
        json.insert("mutability".to_owned(), word(self.mutability));
        json.insert("returned".to_owned(), word(self.returned));
        if !complex {
            json.insert("uniqueness".to_owned(), word(self.uniqueness));
        }
        if !self.reference_types.is_empty() {
            json.insert("referenceTypes".to_owned(), self.reference_types.clone().into());
        }
        if complex {
            json.insert("subAttributes".to_owned(), self.sub_attributes.iter().map(Self::to_json).collect());
        }
        json.into()
    }
}

/// A characteristic in the RFC's spelling.
fn word(characteristic: impl Serialize) -> Value {
    serde_json::to_value(characteristic).unwrap_or_default()
}

#[derive(Deserialize)]
struct SchemaDraft {
    id: String,
    name: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    attributes: Vec<AttributeDraft>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttributeDraft {
    name: String,
    #[serde(default, rename = "type")]
    data_type: DataType,
    #[serde(default)]
    multi_valued: bool,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    canonical_values: Vec<String>,
    #[serde(default)]
    case_exact: bool,
    #[serde(default)]
    mutability: Mutability,
    #[serde(default)]
    returned: Returned,
    #[serde(default)]
    uniqueness: Uniqueness,
    #[serde(default)]
    reference_types: Vec<String>,
    #[serde(default)]
    sub_attributes: Vec<Self>,
}

/// Every value of an indexed attribute is kept with the attribute's name.
const LONGEST_NAME: usize = 128;

/// Attributes of one level. `depth` counts how far inside we are, for the Schema schema alone goes two levels down.
fn attributes(drafts: Vec<AttributeDraft>, nested: bool, depth: u8) -> Result<Vec<Attribute>, String> {
    let mut done: Vec<Attribute> = Vec::with_capacity(drafts.len());
    let mut names = HashSet::with_capacity(drafts.len());
    for draft in drafts {
        let attribute = attribute(draft, nested, depth)?;
        if !names.insert(attribute.name.as_str().to_ascii_lowercase()) {
            return Err(format!("`{}` is defined twice", attribute.name));
        }
        done.push(attribute);
    }
    Ok(done)
}

fn attribute(draft: AttributeDraft, nested: bool, depth: u8) -> Result<Attribute, String> {
    let name: AttrName = draft.name.parse().map_err(|source: crate::NameError| source.to_string())?;
    if draft.name.len() > LONGEST_NAME {
        return Err(format!("the name of an attribute has more than {LONGEST_NAME} letters"));
    }
    let complex = draft.data_type == DataType::Complex;
    if complex && depth > 0 && !(nested && depth < 3) {
        return Err(format!("`{name}` is complex inside a complex attribute"));
    }
    if !complex && !draft.sub_attributes.is_empty() {
        return Err(format!("`{name}` has sub-attributes but is not complex"));
    }
    // These types have no case and no uniqueness of their own (RFC 7643 sections 2.3.2 to 2.3.8); references and binary
    // values are exact whatever a schema says (erratum 6001 and section 2.3.6).
    let exact = matches!(draft.data_type, DataType::Reference | DataType::Binary);
    let unique =
        !matches!(draft.data_type, DataType::Complex | DataType::DateTime | DataType::Binary | DataType::Boolean);
    Ok(Attribute {
        sub_attributes: attributes(draft.sub_attributes, nested, depth + 1)?,
        case_exact: exact || (draft.case_exact && draft.data_type == DataType::String),
        uniqueness: if unique { draft.uniqueness } else { Uniqueness::None },
        // They say what a reference may refer to, and nothing of any other type (RFC 7643 section 7).
        reference_types: if draft.data_type == DataType::Reference { draft.reference_types } else { Vec::new() },
        data_type: draft.data_type,
        multi_valued: draft.multi_valued,
        description: draft.description.unwrap_or_default(),
        required: draft.required,
        canonical_values: draft.canonical_values,
        mutability: draft.mutability,
        returned: draft.returned,
        name,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn one(attribute: Value) -> Result<Attribute, String> {
        Schema::from_json(&json!({"id": "urn:x:y", "attributes": [attribute]}))
            .map(|mut schema| schema.attributes.remove(0))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn characteristics_left_out_take_the_rfcs_defaults() {
        let attribute = one(json!({"name": "a"})).unwrap();
        assert_eq!(attribute.data_type, DataType::String);
        assert_eq!(attribute.mutability, Mutability::ReadWrite);
        assert_eq!(attribute.returned, Returned::Default);
        assert_eq!(attribute.uniqueness, Uniqueness::None);
        assert!(!attribute.required && !attribute.case_exact && !attribute.multi_valued);
    }

    #[test]
    fn bad_schemas_are_refused_and_say_why() {
        insta::assert_snapshot!(one(json!({"name": "1x"})).unwrap_err(),
            @"schema `urn:x:y`: `1x` is not an attribute name: a letter comes first, then letters, digits, `-`, `_` or `$`");
        insta::assert_snapshot!(one(json!({"name": "a", "type": "money"})).unwrap_err(),
            @"schema `urn:x:y`: unknown variant `money`, expected one of `string`, `boolean`, `decimal`, `integer`, `dateTime`, `binary`, `reference`, `complex`");
        insta::assert_snapshot!(
            one(json!({"name": "a", "type": "complex", "subAttributes": [{"name": "b", "type": "complex"}]})).unwrap_err(),
            @"schema `urn:x:y`: `b` is complex inside a complex attribute");
        let twice = Schema::from_json(&json!({"id": "urn:x:y", "attributes": [{"name": "a"}, {"name": "A"}]}));
        insta::assert_snapshot!(twice.unwrap_err(), @"schema `urn:x:y`: `A` is defined twice");
    }

    #[test]
    fn a_schema_survives_its_own_json() {
        for text in [
            include_str!("../schemas/User.json"),
            include_str!("../schemas/Group.json"),
            include_str!("../schemas/EnterpriseUser.json"),
            include_str!("../schemas/ServiceProviderConfig.json"),
            include_str!("../schemas/ResourceType.json"),
            include_str!("../schemas/Schema.json"),
        ] {
            let schema = Schema::from_json(&serde_json::from_str(text).unwrap()).unwrap();
            assert_eq!(Schema::from_json(&schema.to_json().into()).unwrap(), schema);
        }
    }
}
