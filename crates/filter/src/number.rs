//! Numbers as filters have them: JSON's, with their spelling.

use std::cmp::Ordering;
use std::str::FromStr;

/// A JSON number (RFC 8259 section 6) with the spelling that it came in, so that a filter prints as it was written.
///
/// Two numbers are equal when their spelling is; [`Number::value`] is for arithmetic.
#[derive(Clone, Debug)]
pub struct Number {
    text: Box<str>,
    value: serde_json::Number,
}

/// Why a text is no [`Number`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a JSON number of at most 64 bits")]
pub struct NumberError {
    text: String,
}

impl Number {
    /// The number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number. Whole ones are exact up to 64 bits, others are the nearest float.
    #[must_use]
    pub const fn value(&self) -> &serde_json::Number {
        &self.value
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Number {}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        // The number as a JSON text of its own could have blanks around it.
        match text.parse() {
            Ok(value) if !text.contains(|letter: char| letter.is_ascii_whitespace()) => {
                Ok(Self { text: text.into(), value })
            }
            _ => Err(NumberError { text: text.to_owned() }),
        }
    }
}

impl From<serde_json::Number> for Number {
    fn from(value: serde_json::Number) -> Self {
        Self { text: value.to_string().into(), value }
    }
}

/// Orders numbers by what they are worth, exactly: a whole number is not turned into a float to meet one, for beyond
/// 2^53 that would make neighbours equal.
pub(crate) fn compare_numbers(left: &serde_json::Number, right: &serde_json::Number) -> Option<Ordering> {
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (Some(left), None) => Some(whole_to_float(left, right.as_f64()?)),
        (None, Some(right)) => Some(whole_to_float(right, left.as_f64()?).reverse()),
        (None, None) => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn whole(number: &serde_json::Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn whole_to_float(whole: i128, float: f64) -> Ordering {
    let floor = float.floor();
    // The cast stops at the ends of i128, which lie far beyond the 65 bits that `whole` needs.
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number, and out of range it saturates")]
    let order = whole.cmp(&(floor as i128));
    if order == Ordering::Equal && float > floor { Ordering::Less } else { order }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn order(left: &str, right: &str) -> Option<Ordering> {
        let number = |text: &str| text.parse::<Number>().unwrap();
        let order = compare_numbers(number(left).value(), number(right).value());
        assert_eq!(compare_numbers(number(right).value(), number(left).value()), order.map(Ordering::reverse));
        order
    }

    #[test]
    fn numbers_are_ordered_exactly() {
        assert_eq!(order("1", "1.0"), Some(Ordering::Equal));
        assert_eq!(order("-0", "0"), Some(Ordering::Equal));
        assert_eq!(order("-2", "-1.5"), Some(Ordering::Less));
        assert_eq!(order("2", "1.5"), Some(Ordering::Greater));
        assert_eq!(order("9007199254740993", "9007199254740992.0"), Some(Ordering::Greater));
        assert_eq!(order("18446744073709551615", "18446744073709551616"), Some(Ordering::Less));
        assert_eq!(order("-9223372036854775808", "-9223372036854775809"), Some(Ordering::Equal), "the nearest float");
        assert_eq!(order("18446744073709551615", "1e300"), Some(Ordering::Less));
        assert_eq!(order("-9223372036854775808", "-1e300"), Some(Ordering::Greater));
    }

    #[test]
    fn numbers_keep_their_spelling_and_are_jsons() {
        assert_eq!("1E+3".parse::<Number>().unwrap().as_str(), "1E+3");
        for bad in
            ["", "01", "+1", ".5", "1.", "1e", "0x10", "NaN", "Infinity", "1 ", " 1", "1e999", "\n1", "1_0", "--1"]
        {
            assert!(bad.parse::<Number>().is_err(), "{bad}");
        }
    }
}
