//! What may come in: RFC 7643 sections 2 and 7, RFC 7644 sections 3.3, 3.5.1 and 3.5.2.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Number, Value};

use crate::{
    Attribute, DataType, Extension, Mutability, Resource, ResourceType, ScimError, ScimType, ValueError, check_simple,
    fold, prepare_password, user_name_is_allowed,
};

/// Turns what a client sent into a canonical [`Resource`], or says what is wrong with it.
///
/// Names are matched without case and take the schema's spelling; null, `[]` and `{}` mean unassigned; values fit their types;
/// what is read-only is left as the server has it; what is immutable stays as it was.
#[derive(Clone, Copy, Debug)]
pub struct Admit<'a> {
    resource_type: &'a ResourceType,
    unknown: Unknown,
    /// Whether lists have a longest length.
    bounded: bool,
}

/// What happens to attributes that no schema of the type has (ruling R-36).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// They are left out, and [`Admitted::ignored`] names them.
    #[default]
    Ignore,
    /// They are an error.
    Refuse,
}

/// A resource that was let in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Admitted {
    /// The resource, canonical.
    pub resource: Resource,
    /// The unknown attributes that were left out.
    pub ignored: Vec<String>,
}

/// Why a document or value is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmitError {
    /// The body is no JSON object.
    #[error("expected a JSON object")]
    NotAnObject,
    /// `schemas` is missing, empty, or names what the resource type does not have (RFC 7643 section 3).
    #[error("`schemas` {0}")]
    Schemas(String),
    /// One attribute is written twice in different case.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// No schema of the resource type has the attribute.
    #[error("`{0}` is no attribute of this resource type")]
    Unknown(String),
    /// A value is of the wrong type.
    #[error("`{path}`: {source}")]
    Value {
        /// Where.
        path: String,
        /// What was expected and found.
        source: ValueError,
    },
    /// A user name has control characters or blanks at its ends (RFC 8265 section 3.3).
    #[error("`{0}` may not have control characters or outer blanks")]
    UserName(String),
    /// A password has control characters (RFC 8265 section 4.2).
    #[error("`{0}` may not have control characters")]
    Password(String),
    /// A list in the document has more values than [`Admit::MAX_VALUES`].
    #[error("`{0}` has more than {max} values", max = Admit::MAX_VALUES)]
    TooManyValues(String),
    /// More than one value is primary (RFC 7643 section 2.4).
    #[error("`{0}` has more than one primary value")]
    TwoPrimaries(String),
    /// A required attribute is missing or empty.
    #[error("`{0}` is required")]
    Required(String),
    /// A PATCH would leave a required attribute without a value (RFC 7644 section 3.5.2.2).
    #[error("`{0}` is required and cannot be removed")]
    RequiredRemoved(String),
    /// A value would change that is immutable or read-only.
    #[error("`{0}` cannot be changed")]
    Mutability(String),
}

impl AdmitError {
    /// The type that the client is told: RFC 7644 section 3.12, table 9.
    #[must_use]
    pub const fn scim_type(&self) -> ScimType {
        match self {
            Self::NotAnObject | Self::Twice(_) => ScimType::InvalidSyntax,
            Self::Mutability(_) | Self::RequiredRemoved(_) => ScimType::Mutability,
            Self::Schemas(_)
            | Self::Unknown(_)
            | Self::Value { .. }
            | Self::UserName(_)
            | Self::Password(_)
            | Self::TooManyValues(_)
            | Self::TwoPrimaries(_)
            | Self::Required(_) => ScimType::InvalidValue,
        }
    }
}

impl From<AdmitError> for ScimError {
    fn from(error: AdmitError) -> Self {
        Self::bad(error.scim_type(), error.to_string())
    }
}

/// Whether the value counts as assigned: null, `[]` and `{}` do not (RFC 7643 section 2.5).
#[must_use]
pub fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    }
}

/// Whether two values of an attribute are the same one, by its type and case rule.
#[must_use]
pub fn same_value(attribute: &Attribute, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) if !attribute.case_exact => {
            left == right || fold(left) == fold(right)
        }
        (Value::Number(left), Value::Number(right)) => same_number(left, right),
        _ => left == right,
    }
}

/// Whether two numbers are worth the same, exactly: 3 and 3.0 are, but beyond 2^53 neighbours share one float.
fn same_number(left: &Number, right: &Number) -> bool {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    // Beyond its range the cast stops at a value that no whole number of JSON has.
    #[expect(clippy::cast_possible_truncation, reason = "there is no fraction, and out of range it saturates")]
    let is = |whole: i128, float: Option<f64>| float.is_some_and(|it| it.fract() == 0.0 && it as i128 == whole);
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left == right,
        (Some(left), None) => is(left, right.as_f64()),
        (None, Some(right)) => is(right, left.as_f64()),
        (None, None) => left.as_f64() == right.as_f64(),
    }
}

impl<'a> Admit<'a> {
    /// So many values a list may have that is part of the document. Memberships are rows and have no such limit.
    pub const MAX_VALUES: usize = 1000;

    /// For resources of that type.
    #[must_use]
    pub const fn new(resource_type: &'a ResourceType) -> Self {
        Self { resource_type, unknown: Unknown::Ignore, bounded: true }
    }

    /// With lists of any length: for what somebody else keeps, whose limits are other ones.
    #[must_use]
    pub const fn any_length(mut self) -> Self {
        self.bounded = false;
        self
    }

    /// With another rule for unknown attributes.
    #[must_use]
    pub const fn unknown(mut self, unknown: Unknown) -> Self {
        self.unknown = unknown;
        self
    }

    /// The body of a POST (RFC 7644 section 3.3). Read-only attributes are ignored.
    ///
    /// # Errors
    ///
    /// When the body is no object, its `schemas` are wrong, a value does not fit its type, or a required one is missing.
    pub fn create(&self, body: Value) -> Result<Admitted, AdmitError> {
        let (mut document, ignored) = self.read(body, Origin::Client)?;
        self.settle_schemas(&mut document);
        self.check_required(&document, Rule { error: AdmitError::Required, stored: false })?;
        Ok(Admitted { resource: Resource::from_stored(document), ignored })
    }

    /// The body of a PUT over what is stored (RFC 7644 section 3.5.1). Read-only attributes stay, write-only and immutable ones
    /// that were left out stay, everything else left out is cleared.
    ///
    /// # Errors
    ///
    /// As [`Admit::create`], and when an immutable attribute has another value than the stored one.
    pub fn replace(&self, body: Value, stored: &Resource) -> Result<Admitted, AdmitError> {
        let (mut document, ignored) = self.read(body, Origin::Client)?;
        keep(self.resource_type.attributes(), &mut document, stored.as_map(), "")?;
        for extension in &self.resource_type.extensions {
            let urn = extension.schema.id.as_str();
            let Some(before) = stored.get(urn).and_then(Value::as_object) else { continue };
            let mut inside = match document.remove(urn) {
                Some(Value::Object(inside)) => inside,
                _ => Map::new(),
            };
            keep(&extension.schema.attributes, &mut inside, before, &format!("{urn}:"))?;
            if !inside.is_empty() {
                document.insert(urn.to_owned(), inside.into());
            }
        }
        self.settle_schemas(&mut document);
        self.check_required(&document, Rule { error: AdmitError::Required, stored: true })?;
        Ok(Admitted { resource: Resource::from_stored(document), ignored })
    }

    /// A whole document from a trusted source, read-only attributes and all: an export, a fixture.
    ///
    /// # Errors
    ///
    /// As [`Admit::create`], but a missing required value is not one.
    pub fn trusted(&self, body: Value) -> Result<Resource, AdmitError> {
        let (mut document, _) = self.read(body, Origin::Trusted)?;
        self.settle_schemas(&mut document);
        Ok(Resource::from_stored(document))
    }

    /// The end of every PATCH: empties go, `schemas` follows the containers, and the whole must still be a resource of its
    /// type, with everything immutable and read-only as it was.
    ///
    /// # Errors
    ///
    /// When a required attribute has gone, an immutable or read-only one changed, or two values are primary.
    pub fn patched(&self, before: &Resource, mut after: Map<String, Value>) -> Result<Resource, AdmitError> {
        after.retain(|_, value| is_assigned(value));
        unchanged(self.resource_type.attributes(), before.as_map(), &after, "")?;
        for extension in &self.resource_type.extensions {
            let urn = extension.schema.id.as_str();
            for (name, value) in after.get(urn).and_then(Value::as_object).into_iter().flatten() {
                check_lengths(name, value)?;
            }
            let empty = Map::new();
            let inside = |document: &'_ Map<String, Value>| document.get(urn).and_then(Value::as_object).cloned();
            let (old, new) = (inside(before.as_map()).unwrap_or_default(), inside(&after).unwrap_or(empty));
            unchanged(&extension.schema.attributes, &old, &new, &format!("{urn}:"))?;
        }
        for attribute in self.resource_type.attributes() {
            if let Some(value) = after.get(attribute.name.as_str()) {
                one_primary(attribute, value)?;
                self.check_length(attribute, value)?;
            }
        }
        self.settle_schemas(&mut after);
        self.check_required(&after, Rule { error: AdmitError::RequiredRemoved, stored: true })?;
        Ok(Resource::from_stored(after))
    }

    /// The value of one attribute, canonical, or none where it means unassigned. A list where the attribute is multi-valued.
    ///
    /// # Errors
    ///
    /// When the value does not fit the attribute's type.
    pub fn value(&self, attribute: &Attribute, value: Value) -> Result<Option<Value>, AdmitError> {
        let mut reader = Reader { unknown: self.unknown, origin: Origin::Client, ignored: Vec::new() };
        reader.value(attribute, value, &Place::top(attribute.name.as_str()))
    }

    /// One value of a multi-valued attribute, canonical, or none where it is empty.
    ///
    /// # Errors
    ///
    /// When the value does not fit the attribute's type.
    pub fn element(&self, attribute: &Attribute, value: Value) -> Result<Option<Value>, AdmitError> {
        let mut reader = Reader { unknown: self.unknown, origin: Origin::Client, ignored: Vec::new() };
        reader.element(attribute, value, &Place::top(attribute.name.as_str()))
    }

    fn read(&self, body: Value, origin: Origin) -> Result<(Map<String, Value>, Vec<String>), AdmitError> {
        let Value::Object(body) = body else { return Err(AdmitError::NotAnObject) };
        let mut reader = Reader { unknown: self.unknown, origin, ignored: Vec::new() };
        let mut document = Map::new();
        let mut schemas = None;
        once(body.keys())?;
        for (key, value) in body {
            if key.eq_ignore_ascii_case("schemas") {
                if schemas.replace(value).is_some() {
                    return Err(AdmitError::Twice(key));
                }
            } else if let Some(attribute) = self.resource_type.attribute(&key) {
                self.check_length(attribute, &value)?;
                reader.member(&mut document, attribute, value, &Place::top(attribute.name.as_str()))?;
            } else if let Some(extension) = self.resource_type.extension(&key) {
                self.read_container(&mut reader, &mut document, extension, value)?;
            } else {
                reader.unknown(key)?;
            }
        }
        self.check_schemas(schemas)?;
        Ok((document, reader.ignored))
    }

    /// An extension and, taken out of its container, those that stand inside it.
    fn read_container(
        &self,
        reader: &mut Reader,
        document: &mut Map<String, Value>,
        extension: &Extension,
        mut value: Value,
    ) -> Result<(), AdmitError> {
        let urn = extension.schema.id.as_str();
        if document.contains_key(urn) {
            return Err(AdmitError::Twice(urn.to_owned()));
        }
        for inner in self.resource_type.nested_in(extension) {
            let Some(object) = value.as_object_mut() else { break };
            once(object.keys())?;
            let Some(key) = object.keys().find(|key| inner.schema.id.is(key)).cloned() else { continue };
            let nested = object.remove(&key).unwrap_or_default();
            self.read_container(reader, document, inner, nested)?;
        }
        for (name, value) in value.as_object().into_iter().flatten() {
            check_lengths(name, value)?;
        }
        let inside = reader.container(extension, value)?;
        if !inside.is_empty() {
            document.insert(urn.to_owned(), inside.into());
        }
        Ok(())
    }

    /// `schemas` of a body: there, not empty, with the base schema, and nothing that the type does not have.
    fn check_schemas(&self, schemas: Option<Value>) -> Result<(), AdmitError> {
        let base = &self.resource_type.schema.id;
        let list = match schemas {
            Some(Value::Array(list)) if !list.is_empty() => list,
            Some(Value::Null | Value::Array(_)) | None => {
                return Err(AdmitError::Schemas(format!("is missing: expected a list with `{base}`")));
            }
            Some(_) => return Err(AdmitError::Schemas("is not a list of URIs".to_owned())),
        };
        let mut has_base = false;
        for urn in &list {
            match urn.as_str() {
                Some(urn) if base.is(urn) => has_base = true,
                Some(urn) if self.resource_type.extension(urn).is_some() => {}
                Some(urn) => {
                    return Err(AdmitError::Schemas(format!(
                        "names `{urn}`, which {} does not have",
                        self.resource_type.name
                    )));
                }
                None => return Err(AdmitError::Schemas("is not a list of URIs".to_owned())),
            }
        }
        if has_base { Ok(()) } else { Err(AdmitError::Schemas(format!("lacks `{base}`"))) }
    }

    /// The base schema and the extensions that are in use, each once (RFC 7643 section 3.3, ruling R-40).
    fn settle_schemas(&self, document: &mut Map<String, Value>) {
        let used = self.resource_type.extensions.iter().map(|extension| extension.schema.id.as_str());
        let used = used.filter(|urn| document.contains_key(*urn));
        let schemas: Vec<Value> =
            std::iter::once(self.resource_type.schema.id.as_str()).chain(used).map(Value::from).collect();
        document.insert("schemas".to_owned(), schemas.into());
    }

    /// No list is longer than [`Admit::MAX_VALUES`], at whatever depth, except the one that is kept as rows.
    fn check_length(&self, attribute: &Attribute, value: &Value) -> Result<(), AdmitError> {
        let rows = self.resource_type.membership.as_deref().is_some_and(|rows| attribute.name.is(rows));
        if rows || !self.bounded { Ok(()) } else { check_lengths(attribute.name.as_str(), value) }
    }

    fn check_required(&self, document: &Map<String, Value>, rule: Rule) -> Result<(), AdmitError> {
        required(self.resource_type.attributes(), document, "", rule)?;
        for extension in &self.resource_type.extensions {
            let urn = extension.schema.id.as_str();
            match document.get(urn).and_then(Value::as_object) {
                Some(inside) => required(&extension.schema.attributes, inside, &format!("{urn}:"), rule)?,
                None if extension.required => return Err((rule.error)(urn.to_owned())),
                None => {}
            }
        }
        Ok(())
    }
}

/// Who wrote a document: a client does not write what is read-only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Client,
    Trusted,
}

/// Where in a document we are, for errors; costs nothing until one is made.
#[derive(Clone, Copy)]
struct Place<'p> {
    parent: Option<&'p Self>,
    name: &'p str,
    index: Option<usize>,
    /// Whether what stands here is nobody's to read, so that no error quotes it.
    secret: bool,
}

impl<'p> Place<'p> {
    const fn top(name: &'p str) -> Self {
        Self { parent: None, name, index: None, secret: false }
    }

    const fn inside(parent: &'p Self, name: &'p str) -> Self {
        Self { parent: Some(parent), name, index: None, secret: parent.secret }
    }

    const fn at(&self, index: usize) -> Self {
        Self { index: Some(index), ..*self }
    }

    fn of(&self, attribute: &Attribute) -> Self {
        Self { secret: self.secret || attribute.is_hidden(), ..*self }
    }

    fn misfit(&self, source: ValueError) -> AdmitError {
        AdmitError::Value { path: self.to_string(), source: if self.secret { source.hide() } else { source } }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            // An extension's URI ends with a colon where an attribute's name ends with a dot.
            write!(out, "{parent}{}", if parent.name.contains(':') { ':' } else { '.' })?;
        }
        out.write_str(self.name)?;
        match self.index {
            Some(index) => write!(out, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// Refuses a value that is a list of too many, or has one inside.
fn check_lengths(name: &str, value: &Value) -> Result<(), AdmitError> {
    match value {
        Value::Array(items) if items.len() > Admit::MAX_VALUES => Err(AdmitError::TooManyValues(name.to_owned())),
        Value::Array(items) => items.iter().try_for_each(|item| check_lengths(name, item)),
        Value::Object(parts) => parts.iter().try_for_each(|(name, part)| check_lengths(name, part)),
        _ => Ok(()),
    }
}

/// One walk through one document.
struct Reader {
    unknown: Unknown,
    origin: Origin,
    ignored: Vec<String>,
}

impl Reader {
    /// Reads one attribute into the object that is being built.
    fn member(
        &mut self,
        object: &mut Map<String, Value>,
        attribute: &Attribute,
        value: Value,
        place: &Place<'_>,
    ) -> Result<(), AdmitError> {
        let name = attribute.name.as_str();
        if object.contains_key(name) {
            return Err(AdmitError::Twice(place.to_string()));
        }
        // Ignored before it is looked at: clients send back what they read, sometimes years later.
        if attribute.mutability == Mutability::ReadOnly && self.origin == Origin::Client {
            return Ok(());
        }
        if let Some(value) = self.value(attribute, value, place)? {
            object.insert(name.to_owned(), value);
        }
        Ok(())
    }

    fn container(&mut self, extension: &Extension, value: Value) -> Result<Map<String, Value>, AdmitError> {
        let urn = extension.schema.id.as_str();
        let place = Place::top(urn);
        let object = match value {
            Value::Object(object) => object,
            Value::Null => Map::new(),
            other => {
                return Err(AdmitError::Value { path: urn.to_owned(), source: ValueError::new("an object", &other) });
            }
        };
        let mut inside = Map::new();
        once(object.keys())?;
        for (key, value) in object {
            match extension.schema.attribute(&key) {
                Some(attribute) => {
                    self.member(&mut inside, attribute, value, &Place::inside(&place, attribute.name.as_str()))?;
                }
                None => self.unknown(format!("{urn}:{key}"))?,
            }
        }
        Ok(inside)
    }

    fn value(&mut self, attribute: &Attribute, value: Value, place: &Place<'_>) -> Result<Option<Value>, AdmitError> {
        let place = &place.of(attribute);
        if !attribute.multi_valued {
            return self.element(attribute, value, place);
        }
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return Ok(None),
            other => return Err(place.misfit(ValueError::new("a list", &other))),
        };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            list.extend(self.element(attribute, item, &place.at(index))?);
        }
        let list = Value::Array(without_repeats(attribute, list));
        one_primary(attribute, &list).map_err(|_| AdmitError::TwoPrimaries(place.to_string()))?;
        Ok(is_assigned(&list).then_some(list))
    }

    fn element(&mut self, attribute: &Attribute, value: Value, place: &Place<'_>) -> Result<Option<Value>, AdmitError> {
        if value.is_null() {
            return Ok(None);
        }
        let place = &place.of(attribute);
        check_simple(attribute.data_type, &value).map_err(|source| place.misfit(source))?;
        let Value::Object(object) = value else { return self.simple(attribute, value, place).map(Some) };
        let mut inside = Map::new();
        once(object.keys())?;
        for (key, value) in object {
            match attribute.sub(&key) {
                Some(sub) => self.member(&mut inside, sub, value, &Place::inside(place, sub.name.as_str()))?,
                None => self.unknown(Place::inside(place, &key).to_string())?,
            }
        }
        Ok((!inside.is_empty()).then_some(Value::Object(inside)))
    }

    /// A value of a simple type: two attributes are prepared besides (RFC 7644 section 5).
    fn simple(&self, attribute: &Attribute, value: Value, place: &Place<'_>) -> Result<Value, AdmitError> {
        let Some(text) = value.as_str().filter(|_| place.parent.is_none()) else { return Ok(value) };
        match attribute.name.as_str() {
            "userName" if !text.is_empty() && !user_name_is_allowed(text) => {
                Err(AdmitError::UserName(place.to_string()))
            }
            // What is stored already is the application's own work.
            "password" if self.origin == Origin::Client => {
                prepare_password(text).map(Value::from).ok_or_else(|| AdmitError::Password(place.to_string()))
            }
            _ => Ok(value),
        }
    }

    fn unknown(&mut self, path: String) -> Result<(), AdmitError> {
        match self.unknown {
            Unknown::Refuse => Err(AdmitError::Unknown(path)),
            Unknown::Ignore => {
                self.ignored.push(path);
                Ok(())
            }
        }
    }
}

impl Attribute {
    /// What tells values of a multi-valued attribute apart: `(value, type)` (RFC 7643 section 2.4), the `value` alone where it
    /// is immutable, as in `members` (ruling R-37), the whole value where there is no `value`.
    #[must_use]
    pub fn element_key(&self, value: &Value) -> String {
        let text = |attribute: &Self, value: &Value| match value {
            Value::String(text) if !attribute.case_exact => fold(text),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if self.data_type != DataType::Complex {
            return text(self, value);
        }
        let part = |name: &str| self.sub(name).zip(value.get(name)).map(|(sub, value)| text(sub, value));
        match part("value") {
            Some(key) if self.sub("value").is_some_and(|sub| sub.mutability == Mutability::Immutable) => key,
            Some(key) => format!("{key}\u{0}{}", part("type").unwrap_or_default()),
            None => value.to_string(),
        }
    }
}

/// The list without values that it has already; what a repetition knows more joins the first.
fn without_repeats(attribute: &Attribute, list: Vec<Value>) -> Vec<Value> {
    if list.len() < 2 {
        return list;
    }
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(list.len());
    let mut kept: Vec<Value> = Vec::with_capacity(list.len());
    for item in list {
        match seen.entry(attribute.element_key(&item)) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(kept.len());
                kept.push(item);
            }
            std::collections::hash_map::Entry::Occupied(slot) => {
                let first = kept.get_mut(*slot.get()).and_then(Value::as_object_mut);
                if let (Some(first), Value::Object(again)) = (first, item) {
                    for (name, value) in again {
                        first.entry(name).or_insert(value);
                    }
                }
            }
        }
    }
    kept
}

/// No name may stand twice in different case, whatever the values are: who reads after us might take the other one.
fn once<'k>(keys: impl Iterator<Item = &'k String>) -> Result<(), AdmitError> {
    let mut seen = std::collections::HashSet::new();
    for key in keys {
        if !seen.insert(key.to_ascii_lowercase()) {
            return Err(AdmitError::Twice(key.clone()));
        }
    }
    Ok(())
}

fn one_primary(attribute: &Attribute, value: &Value) -> Result<(), AdmitError> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let primaries = items.iter().filter(|item| item.get("primary") == Some(&Value::Bool(true))).count();
    if primaries > 1 { Err(AdmitError::TwoPrimaries(attribute.name.to_string())) } else { Ok(()) }
}

/// The name as errors show it; the prefix ends with its own separator.
fn qualified(prefix: &str, attribute: &Attribute) -> String {
    format!("{prefix}{}", attribute.name)
}

/// Brings over what a PUT does not say or may not change.
fn keep(
    attributes: &[Attribute],
    document: &mut Map<String, Value>,
    stored: &Map<String, Value>,
    prefix: &str,
) -> Result<(), AdmitError> {
    for attribute in attributes {
        let name = attribute.name.as_str();
        let Some(old) = stored.get(name) else { continue };
        match (attribute.mutability, document.get_mut(name)) {
            (Mutability::ReadOnly, _) | (Mutability::WriteOnly | Mutability::Immutable, None) => {
                document.insert(name.to_owned(), old.clone());
            }
            // Who could not read it did not leave it out on purpose.
            (_, None) if attribute.is_hidden() => {
                document.insert(name.to_owned(), old.clone());
            }
            (Mutability::Immutable, Some(new)) if !same_value(attribute, old, new) => {
                return Err(AdmitError::Mutability(qualified(prefix, attribute)));
            }
            (Mutability::ReadWrite, Some(Value::Object(new))) => {
                if let Some(old) = old.as_object() {
                    keep(&attribute.sub_attributes, new, old, &format!("{}.", qualified(prefix, attribute)))?;
                }
            }
            (Mutability::ReadWrite, Some(Value::Array(new))) => {
                keep_in_list(attribute, new, old, &format!("{}.", qualified(prefix, attribute)))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The same for the values of a list that were there before; those that are new are the client's to say.
fn keep_in_list(attribute: &Attribute, new: &mut [Value], old: &Value, prefix: &str) -> Result<(), AdmitError> {
    if attribute.sub_attributes.iter().all(|sub| sub.mutability == Mutability::ReadWrite) {
        return Ok(());
    }
    let old = old.as_array().map(Vec::as_slice).unwrap_or_default();
    let before: HashMap<String, &Value> = old.iter().map(|value| (attribute.element_key(value), value)).collect();
    for value in new {
        let key = attribute.element_key(value);
        if let (Some(Value::Object(old)), Value::Object(new)) = (before.get(&key), value) {
            keep(&attribute.sub_attributes, new, old, prefix)?;
        }
    }
    Ok(())
}

/// Whether everything immutable that had a value, and everything read-only, is as it was.
fn unchanged(
    attributes: &[Attribute],
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    prefix: &str,
) -> Result<(), AdmitError> {
    for attribute in attributes.iter().filter(|attribute| attribute.name.as_str() != "schemas") {
        let (old, new) = (before.get(attribute.name.as_str()), after.get(attribute.name.as_str()));
        match attribute.mutability {
            Mutability::ReadOnly if old != new => {
                return Err(AdmitError::Mutability(qualified(prefix, attribute)));
            }
            Mutability::Immutable if old.is_some_and(|old| new.is_none_or(|new| !same_value(attribute, old, new))) => {
                return Err(AdmitError::Mutability(qualified(prefix, attribute)));
            }
            _ => {}
        }
        if let (Some(Value::Object(old)), Some(Value::Object(new))) = (old, new) {
            unchanged(&attribute.sub_attributes, old, new, &format!("{}.", qualified(prefix, attribute)))?;
        }
    }
    Ok(())
}

/// What happens when a required attribute has no value.
#[derive(Clone, Copy)]
struct Rule {
    error: fn(String) -> AdmitError,
    /// Whether the resource is in the store already: then secrets were given once, and need not be kept where they were.
    stored: bool,
}

fn required(
    attributes: &[Attribute],
    document: &Map<String, Value>,
    prefix: &str,
    rule: Rule,
) -> Result<(), AdmitError> {
    for attribute in attributes.iter().filter(|attribute| !(rule.stored && attribute.is_hidden())) {
        let name = attribute.name.as_str();
        let value = document.get(name).filter(|value| is_assigned(value) && value.as_str() != Some(""));
        // What only the server writes is not the client's to bring.
        if attribute.required && value.is_none() && attribute.mutability != Mutability::ReadOnly && name != "schemas" {
            return Err((rule.error)(qualified(prefix, attribute)));
        }
        let objects = match value {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).collect(),
            Some(Value::Object(object)) => vec![object],
            _ => Vec::new(),
        };
        if attribute.sub_attributes.iter().any(|sub| sub.required) {
            for object in objects {
                required(&attribute.sub_attributes, object, &format!("{}.", qualified(prefix, attribute)), rule)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
