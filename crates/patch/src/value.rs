//! What a value says, read by the schema: RFC 7643 sections 2.3 to 2.5.

use std::collections::HashSet;

use scimwright_core::{Admit, AdmitError, Attribute, DataType, Mutability, ResourceType, Unknown};
use serde_json::{Map, Value};

use crate::PatchOptions;
use crate::options::{BOOLEAN_STRINGS, EMPTY_STRING_CLEARS, Notes, REFERENCE_AS_STRING};

/// Reads the values of a request and remembers what it had to forgive.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    admit: Admit<'a>,
    options: &'a PatchOptions,
    pub(crate) notes: Notes,
}

/// What a simple value says.
#[derive(Debug)]
pub(crate) enum Simple {
    /// Null: no value (RFC 7643 section 2.5).
    Null,
    /// `""`, which clears.
    Cleared,
    /// A canonical value; a list where the attribute is one.
    Value(Value),
}

/// What an object of sub-attributes says.
#[derive(Debug, Default)]
pub(crate) struct Parts<'a> {
    /// Sub-attributes and their canonical values.
    pub(crate) set: Map<String, Value>,
    /// Those that are null, `[]` or `{}`.
    pub(crate) unset: Vec<&'a Attribute>,
    /// Those that are cleared with `""`.
    pub(crate) cleared: Vec<&'a Attribute>,
    /// Those that only the server writes, as they were sent.
    pub(crate) read_only: Vec<(&'a Attribute, Value)>,
    /// A bare string, which stands for all that there is to say.
    pub(crate) bare: bool,
}

/// What stands for one value of a complex attribute.
#[derive(Debug)]
pub(crate) enum Complex<'a> {
    /// Null.
    Null,
    /// `""`, which clears.
    Cleared,
    /// An object.
    Parts(Parts<'a>),
}

impl<'a> Reader<'a> {
    pub(crate) fn new(resource_type: &'a ResourceType, options: &'a PatchOptions, notes: Notes) -> Self {
        // What no schema has is sorted out here, where it can be told.
        Self { admit: Admit::new(resource_type).unknown(Unknown::Refuse), options, notes }
    }

    /// One simple value: of an attribute that has one, or one of a list.
    pub(crate) fn simple(&mut self, attribute: &Attribute, value: &Value) -> Result<Simple, AdmitError> {
        if self.clears(attribute, value) {
            return Ok(Simple::Cleared);
        }
        let value = self.boolean(attribute, value.clone());
        Ok(self.admit.element(attribute, value)?.map_or(Simple::Null, Simple::Value))
    }

    /// One value of a complex attribute.
    pub(crate) fn complex(&mut self, attribute: &'a Attribute, value: &Value) -> Result<Complex<'a>, AdmitError> {
        let object = match value {
            Value::Null => return Ok(Complex::Null),
            Value::Object(object) => object,
            value if self.clears(attribute, value) => return Ok(Complex::Cleared),
            Value::String(_)
                if self.options.reference_as_string && !attribute.multi_valued && attribute.sub("value").is_some() =>
            {
                self.notes.lenient(REFERENCE_AS_STRING);
                let object = Map::from_iter([("value".to_owned(), value.clone())]);
                let parts = self.parts(attribute, &object)?;
                return Ok(Complex::Parts(Parts { bare: true, ..parts }));
            }
            // Says what was expected.
            other => {
                return self.admit.element(attribute, other.clone()).map(|_| Complex::Null);
            }
        };
        self.parts(attribute, object).map(Complex::Parts)
    }

    fn parts(&mut self, attribute: &'a Attribute, object: &Map<String, Value>) -> Result<Parts<'a>, AdmitError> {
        let mut parts = Parts::default();
        let mut given = Map::new();
        let mut seen: Vec<&Attribute> = Vec::with_capacity(object.len());
        for (key, value) in object {
            let Some(sub) = attribute.sub(key) else {
                self.unknown(format!("{}.{key}", attribute.name))?;
                continue;
            };
            if seen.iter().any(|other| other.name == sub.name) {
                return Err(AdmitError::Twice(format!("{}.{}", attribute.name, sub.name)));
            }
            seen.push(sub);
            if sub.mutability == Mutability::ReadOnly {
                parts.read_only.push((sub, value.clone()));
            } else if is_nothing(sub, value) {
                parts.unset.push(sub);
            } else if self.clears(sub, value) {
                parts.cleared.push(sub);
            } else {
                let mut value = self.boolean(sub, value.clone());
                if sub.multi_valued && !value.is_array() {
                    value = Value::Array(vec![value]);
                }
                given.insert(sub.name.as_str().to_owned(), value);
            }
        }
        if let Some(Value::Object(set)) = self.admit.element(attribute, Value::Object(given))? {
            parts.set = set;
        }
        Ok(parts)
    }

    /// The values for a simple multi-valued attribute: a list, or one of them.
    pub(crate) fn simples(&mut self, attribute: &Attribute, value: &Value) -> Result<Vec<Value>, AdmitError> {
        let mut values = Vec::new();
        for item in items(value) {
            if let Simple::Value(value) = self.simple(attribute, item)? {
                values.push(value);
            }
        }
        Ok(values)
    }

    /// The values for a complex multi-valued attribute: a list, or one of them. Only the server writes what is read-only in a new
    /// value, so that is left out, as in a POST.
    pub(crate) fn complexes(&mut self, attribute: &'a Attribute, value: &Value) -> Result<Vec<Value>, AdmitError> {
        let mut values = Vec::new();
        let mut primaries = HashSet::new();
        for item in items(value) {
            let Complex::Parts(parts) = self.complex(attribute, item)? else { continue };
            if parts.set.is_empty() || (!parts.cleared.is_empty() && !says_something(&parts.set)) {
                continue;
            }
            let primary = is_primary(&parts.set);
            let value = Value::Object(parts.set);
            if primary {
                primaries.insert(attribute.element_key(&value));
            }
            values.push(value);
        }
        if primaries.len() > 1 {
            return Err(AdmitError::TwoPrimaries(attribute.name.to_string()));
        }
        Ok(values)
    }

    fn clears(&mut self, attribute: &Attribute, value: &Value) -> bool {
        let clears = self.options.empty_string_clears
            && value.as_str() == Some("")
            && matches!(attribute.data_type, DataType::String | DataType::Reference | DataType::Complex);
        if clears {
            self.notes.lenient(EMPTY_STRING_CLEARS);
        }
        clears
    }

    fn boolean(&mut self, attribute: &Attribute, value: Value) -> Value {
        let word = value.as_str().filter(|_| self.options.boolean_strings && attribute.data_type == DataType::Boolean);
        let found =
            word.and_then(|word| [true, false].into_iter().find(|value| word.eq_ignore_ascii_case(text(*value))));
        match found {
            Some(found) => {
                self.notes.lenient(BOOLEAN_STRINGS);
                Value::Bool(found)
            }
            None => value,
        }
    }

    fn unknown(&mut self, name: String) -> Result<(), AdmitError> {
        match self.options.unknown {
            Unknown::Refuse => Err(AdmitError::Unknown(name)),
            Unknown::Ignore => {
                self.notes.ignore(name);
                Ok(())
            }
        }
    }
}

const fn text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Whether the value says that the attribute has none (RFC 7643 section 2.5): null, an empty list where a list belongs, an empty
/// object where an object does.
fn is_nothing(attribute: &Attribute, value: &Value) -> bool {
    match value {
        Value::Array(items) => attribute.multi_valued && items.is_empty(),
        Value::Object(parts) => attribute.data_type == DataType::Complex && parts.is_empty(),
        other => other.is_null(),
    }
}

/// The values that a value for a multi-valued attribute stands for.
pub(crate) fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// Whether a value of a list says more than of what kind it would be.
pub(crate) fn says_something(object: &Map<String, Value>) -> bool {
    object.keys().any(|name| !matches!(name.as_str(), "type" | "primary" | "display"))
}

pub(crate) fn is_primary(object: &Map<String, Value>) -> bool {
    object.get("primary") == Some(&Value::Bool(true))
}
