//! The simple data types: RFC 7643 section 2.3.

use serde_json::Value;

use crate::{DataType, Instant};

/// Why a value is not of its attribute's type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct ValueError {
    expected: &'static str,
    found: String,
}

impl ValueError {
    /// The same without the value, for what nobody may read.
    pub(crate) fn hide(self) -> Self {
        Self { found: "something else".to_owned(), ..self }
    }

    pub(crate) fn new(expected: &'static str, found: &Value) -> Self {
        Self { expected, found: describe(found) }
    }
}

/// Checks one value that is not null against a simple type.
///
/// # Errors
///
/// When the value is of another JSON type, or a string that is no dateTime, base64 or URI where one is asked for.
pub fn check_simple(data_type: DataType, value: &Value) -> Result<(), ValueError> {
    let (good, expected) = match (data_type, value) {
        (DataType::String, value) => (value.is_string(), "a string"),
        (DataType::Boolean, value) => (value.is_boolean(), "true or false"),
        (DataType::Decimal, value) => (value.is_number(), "a number"),
        // JSON with a fraction or an exponent is read as a float, so 1e3 is none (RFC 7643 section 2.3.4).
        (DataType::Integer, value) => (value.is_i64() || value.is_u64(), "a whole number"),
        (DataType::DateTime, value) => (
            value.as_str().is_some_and(|text| text.parse::<Instant>().is_ok()),
            "a dateTime such as 2011-05-13T04:42:34Z",
        ),
        (DataType::Binary, value) => (value.as_str().is_some_and(is_base64), "base64"),
        (DataType::Reference, value) => (value.as_str().is_some_and(is_uri_reference), "a URI"),
        (DataType::Complex, value) => (value.is_object(), "an object"),
    };
    if good { Ok(()) } else { Err(ValueError::new(expected, value)) }
}

/// What a value is, in words short enough for an error: strings are cut, lists and objects only named.
fn describe(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > 40 => {
            format!("the string `{}…`", text.chars().take(40).collect::<String>())
        }
        Value::String(text) => format!("the string `{text}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => format!("`{other}`"),
    }
}

/// RFC 4648 section 4; padding may be left out (RFC 7643 section 2.3.6). The URL-safe alphabet is only for attributes whose
/// definition asks for it, and no characteristic of a schema does.
fn is_base64(text: &str) -> bool {
    use base64::Engine as _;
    use base64::alphabet;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    STANDARD.decode(text).is_ok()
}

/// A URI or relative reference (RFC 3986), as far as its characters go. Letters outside ASCII are taken, for clients send them.
fn is_uri_reference(text: &str) -> bool {
    !text.chars().any(|character| {
        character.is_control()
            || character.is_whitespace()
            || matches!(character, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn takes(data_type: DataType, good: &[Value], bad: &[Value]) {
        for value in good {
            assert_eq!(check_simple(data_type, value), Ok(()), "{value}");
        }
        for value in bad {
            assert!(check_simple(data_type, value).is_err(), "{value}");
        }
    }

    #[test]
    fn each_type_takes_its_own() {
        takes(DataType::Boolean, &[json!(true)], &[json!("true"), json!(1)]);
        takes(DataType::Integer, &[json!(0), json!(-3), json!(u64::MAX)], &[json!(1.5), json!("1")]);
        takes(DataType::Integer, &[], &[serde_json::from_str("1e3").unwrap(), serde_json::from_str("1.0").unwrap()]);
        takes(DataType::Decimal, &[json!(2.5), json!(3)], &[json!("2.5")]);
        takes(DataType::DateTime, &[json!("2020-01-01T00:00:00Z")], &[json!("2020-01-01"), json!(0)]);
        takes(
            DataType::Binary,
            &[json!("AQIDBA=="), json!("AQIDBA"), json!("+/8")],
            &[json!("%%"), json!("_-8"), json!(1)],
        );
        takes(
            DataType::Reference,
            &[json!("https://a.example/B"), json!("../Users/1")],
            &[json!("not a uri"), json!({})],
        );
    }

    #[test]
    fn errors_say_what_was_expected_and_found() {
        let error = check_simple(DataType::Boolean, &json!("yes")).unwrap_err();
        insta::assert_snapshot!(error, @"expected true or false, found the string `yes`");
    }
}
