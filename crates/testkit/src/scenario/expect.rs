//! Expected values: subsets, lists in any order, and operators in the place of a value.

use regex::Regex;

use super::{
    json::{Json, Members},
    vars,
};

/// How much of a value a message shows.
const SHOWN: usize = 220;

/// The differences between what is expected at a place and what is there, none when it fits.
pub(super) fn compare(expected: &Json, actual: Option<&Json>, at: &str) -> Vec<String> {
    if let Some((operator, argument)) = expected.as_object().and_then(Operator::of) {
        return operator.apply(argument, actual, at);
    }
    let Some(actual) = actual else {
        return vec![format!("{at}: expected {}, but it is absent", expected.brief(SHOWN))];
    };
    match (expected, actual) {
        (Json::Object(expected), Json::Object(actual)) => expected
            .iter()
            .flat_map(|(name, value)| compare(value, actual.get(name), &format!("{at}/{name}")))
            .collect(),
        (Json::List(expected), Json::List(actual)) => compare_lists(expected, actual, at),
        (Json::Object(_), _) => vec![format!("{at}: expected an object, got {}", actual.brief(SHOWN))],
        (Json::List(_), _) => vec![format!("{at}: expected a list, got {}", actual.brief(SHOWN))],
        _ if expected.same(actual) => Vec::new(),
        _ => vec![format!("{at}: expected {}, got {}", expected.brief(SHOWN), actual.brief(SHOWN))],
    }
}

/// Whether RFC 7643 section 2.5 sees nothing here; an empty object holds nothing either.
pub(super) fn is_unassigned(value: Option<&Json>) -> bool {
    match value {
        None | Some(Json::Null) => true,
        Some(Json::List(items)) => items.is_empty(),
        Some(Json::Object(members)) => members.is_empty(),
        _ => false,
    }
}

/// What is wrong with the operators in an expected value, as far as it can be told before variables are filled in.
pub(super) fn audit(expected: &Json) -> Result<(), String> {
    match expected {
        Json::List(items) => items.iter().try_for_each(audit),
        Json::Object(members) => {
            if let Some((operator, argument)) = Operator::of(members) {
                return operator.audit(argument);
            }
            for (name, value) in members.iter() {
                if Operator::from_name(name).is_some() {
                    return Err(format!("{name} has to stand alone in its object"));
                }
                // The only attribute that SCIM begins with a dollar sign.
                if name.starts_with('$') && name != "$ref" && !vars::has_variables(name) {
                    return Err(format!("unknown operator {name}"));
                }
                audit(value)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Every expected item needs an actual item of its own.
fn compare_lists(expected: &[Json], actual: &[Json], at: &str) -> Vec<String> {
    let fitting: Vec<Vec<usize>> = expected
        .iter()
        .map(|item| (0..actual.len()).filter(|place| compare(item, actual.get(*place), at).is_empty()).collect())
        .collect();
    let got = || Json::List(actual.to_vec()).brief(SHOWN);
    if let Some((item, _)) = expected.iter().zip(&fitting).find(|(_, places)| places.is_empty()) {
        return vec![format!("{at}: no item matches {} among {}", item.brief(SHOWN), got())];
    }
    let mut taken = vec![None; actual.len()];
    let placed = (0..expected.len()).all(|item| place(item, &fitting, &mut taken, &mut vec![false; actual.len()]));
    if placed {
        return Vec::new();
    }
    vec![format!("{at}: expected items {}, got {}", Json::List(expected.to_vec()).brief(SHOWN), got())]
}

/// Finds a place for an item, moving those that have one already where that helps.
fn place(item: usize, fitting: &[Vec<usize>], taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for &spot in &fitting[item] {
        if std::mem::replace(&mut tried[spot], true) {
            continue;
        }
        if taken[spot].is_none_or(|other| place(other, fitting, taken, tried)) {
            taken[spot] = Some(item);
            return true;
        }
    }
    false
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Any,
    Absent,
    AbsentOr,
    Type,
    Exact,
    Regex,
    Ieq,
    StartsWith,
    EndsWith,
    Contains,
    In,
    Not,
    Len,
    Min,
    Max,
    Each,
    None,
    All,
}

const OPERATORS: [(&str, Operator); 18] = [
    ("$any", Operator::Any),
    ("$absent", Operator::Absent),
    ("$absent_or", Operator::AbsentOr),
    ("$type", Operator::Type),
    ("$exact", Operator::Exact),
    ("$regex", Operator::Regex),
    ("$ieq", Operator::Ieq),
    ("$startswith", Operator::StartsWith),
    ("$endswith", Operator::EndsWith),
    ("$contains", Operator::Contains),
    ("$in", Operator::In),
    ("$not", Operator::Not),
    ("$len", Operator::Len),
    ("$min", Operator::Min),
    ("$max", Operator::Max),
    ("$each", Operator::Each),
    ("$none", Operator::None),
    ("$all", Operator::All),
];

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

impl Operator {
    fn from_name(name: &str) -> Option<Self> {
        OPERATORS.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
    }

    fn name(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }

    /// The operator and its argument, when an object is one.
    fn of(members: &Members) -> Option<(Self, &Json)> {
        let (name, argument) = members.single()?;
        Some((Self::from_name(name)?, argument))
    }

    fn apply(self, want: &Json, actual: Option<&Json>, at: &str) -> Vec<String> {
        let fits = |expected: &Json, value: Option<&Json>| compare(expected, value, at).is_empty();
        let verdict = match self {
            Self::All => {
                return match want.as_list() {
                    Some(all) => all.iter().flat_map(|item| compare(item, actual, at)).collect(),
                    None => vec![self.misused(want, at)],
                };
            }
            Self::Each => {
                return match actual.and_then(Json::as_list) {
                    Some(items) => items
                        .iter()
                        .enumerate()
                        .flat_map(|(index, item)| compare(want, Some(item), &format!("{at}/{index}")))
                        .collect(),
                    None => vec![different("a list", actual, at)],
                };
            }
            Self::Absent => (is_unassigned(actual), "nothing".to_owned()),
            Self::AbsentOr | Self::In => {
                let Some(choices) = want.as_list() else { return vec![self.misused(want, at)] };
                let nothing = self == Self::AbsentOr && is_unassigned(actual);
                let fits = nothing || choices.iter().any(|item| fits(item, actual));
                let or = if self == Self::AbsentOr { "nothing or " } else { "" };
                (fits, format!("{or}one of {}", want.brief(SHOWN)))
            }
            Self::Not => (actual.is_none() || !fits(want, actual), format!("anything but {}", want.brief(SHOWN))),
            Self::None => {
                let fits = match actual {
                    Some(Json::List(items)) => !items.iter().any(|item| fits(want, Some(item))),
                    other => is_unassigned(other),
                };
                (fits, format!("no item like {}", want.brief(SHOWN)))
            }
            Self::Len => {
                let Some(wanted) = want.as_integer() else { return vec![self.misused(want, at)] };
                let fits = length(actual).is_some_and(|length| length as i128 == wanted);
                (fits, format!("{wanted} items"))
            }
            Self::Any => {
                let fits = actual.is_some_and(|value| *value != Json::Null && value.as_str() != Some(""));
                (fits, "a value".to_owned())
            }
            Self::Type => {
                let Some(wanted) = want.as_str() else { return vec![self.misused(want, at)] };
                let got = actual.map(type_of);
                let fits = got == Some(wanted) || (wanted == "number" && got == Some("integer"));
                (fits, format!("type {wanted}"))
            }
            Self::Exact => {
                let fits = actual.is_some_and(|value| type_of(value) == type_of(want) && value.same(want));
                (fits, format!("exactly {}", want.brief(SHOWN)))
            }
            Self::Min | Self::Max => {
                let Some(limit) = number(want) else { return vec![self.misused(want, at)] };
                let within = |value: f64| if self == Self::Min { value >= limit } else { value <= limit };
                let word = if self == Self::Min { "at least" } else { "at most" };
                (actual.and_then(number).is_some_and(within), format!("{word} {want}"))
            }
            Self::Regex | Self::Ieq | Self::StartsWith | Self::EndsWith | Self::Contains => {
                let Some(wanted) = want.as_str() else { return vec![self.misused(want, at)] };
                return self.apply_to_text(wanted, actual, at);
            }
        };
        match verdict {
            (true, _) => Vec::new(),
            (false, wanted) => vec![different(&wanted, actual, at)],
        }
    }

    fn apply_to_text(self, wanted: &str, actual: Option<&Json>, at: &str) -> Vec<String> {
        let Some(text) = actual.and_then(Json::as_str) else { return vec![different("a string", actual, at)] };
        let (fits, word) = match self {
            Self::Regex => match Regex::new(wanted) {
                Ok(pattern) => (pattern.is_match(text), "a match of"),
                Err(error) => return vec![format!("{at}: {wanted:?} is no regular expression: {error}")],
            },
            Self::Ieq => (text.to_lowercase() == wanted.to_lowercase(), "in any case"),
            Self::StartsWith => (text.starts_with(wanted), "a text that starts with"),
            Self::EndsWith => (text.ends_with(wanted), "a text that ends with"),
            _ => (text.contains(wanted), "a text that contains"),
        };
        if fits { Vec::new() } else { vec![different(&format!("{word} {wanted:?}"), actual, at)] }
    }

    fn misused(self, argument: &Json, at: &str) -> String {
        format!("{at}: {} cannot be used with {}", self.name(), argument.brief(SHOWN))
    }

    fn audit(self, argument: &Json) -> Result<(), String> {
        // What a variable stands for is known later only.
        if argument.as_str().is_some_and(vars::has_variables) {
            return Ok(());
        }
        let fits = match self {
            Self::Any | Self::Absent => *argument == Json::Bool(true),
            Self::AbsentOr | Self::In | Self::All => argument.as_list().is_some(),
            Self::Type => argument.as_str().is_some_and(|name| TYPES.contains(&name)),
            Self::Regex => argument.as_str().is_some_and(|pattern| Regex::new(pattern).is_ok()),
            Self::Ieq | Self::StartsWith | Self::EndsWith | Self::Contains => argument.as_str().is_some(),
            Self::Len => argument.as_integer().is_some_and(|length| length >= 0),
            Self::Min | Self::Max => number(argument).is_some(),
            // Taken literally, whatever looks like an operator in it.
            Self::Exact => return Ok(()),
            Self::Not | Self::Each | Self::None => true,
        };
        if !fits {
            return Err(format!("{} cannot be used with {}", self.name(), argument.brief(SHOWN)));
        }
        audit(argument)
    }
}

fn different(wanted: &str, actual: Option<&Json>, at: &str) -> String {
    let got = actual.map_or_else(|| "nothing".to_owned(), |value| value.brief(SHOWN));
    format!("{at}: expected {wanted}, got {got}")
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) if value.as_integer().is_some() => "integer",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::List(_) => "array",
        Json::Object(_) => "object",
    }
}

fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        _ => None,
    }
}

/// Items, members or characters; nothing has none of them.
fn length(value: Option<&Json>) -> Option<usize> {
    match value {
        Some(Json::List(items)) => Some(items.len()),
        Some(Json::Object(members)) => Some(members.len()),
        Some(Json::String(text)) => Some(text.chars().count()),
        None | Some(Json::Null) => Some(0),
        Some(Json::Bool(_) | Json::Number(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    fn fits(expected: &str, actual: &str) -> bool {
        compare(&json(expected), Some(&json(actual)), "body").is_empty()
    }

    fn fits_nothing(expected: &str) -> bool {
        compare(&json(expected), None, "body").is_empty()
    }

    fn difference(expected: &str, actual: &str) -> String {
        compare(&json(expected), Some(&json(actual)), "body").join("; ")
    }

    #[test]
    fn scalars_have_a_type() {
        assert!(fits("1", "1") && fits("1", "1.0") && fits("true", "true") && fits("null", "null"));
        assert!(!fits("1", "\"1\"") && !fits("\"1\"", "1") && !fits("true", "\"true\""));
        assert!(!fits("1", "true") && !fits("0", "false") && !fits("null", "\"\"") && !fits("\"a\"", "\"A\""));
        assert!(!fits_nothing("null"));
        assert_eq!(difference("\"a\"", "[1]"), "body: expected \"a\", got [1]");
    }

    #[test]
    fn objects_may_have_more() {
        assert!(fits(r#"{"a": 1}"#, r#"{"b": 2, "a": 1}"#) && fits("{}", r#"{"b": 2}"#));
        assert_eq!(difference(r#"{"a": {"b": 1}}"#, r#"{"a": {}}"#), "body/a/b: expected 1, but it is absent");
        assert_eq!(difference(r#"{"a": 1}"#, "[]"), "body: expected an object, got []");
    }

    #[test]
    fn lists_match_one_to_one_in_any_order() {
        assert!(fits("[1, 2]", "[3, 2, 1]") && fits("[]", "[1]"));
        assert!(!fits("[1, 1]", "[1, 2]") && fits("[1, 1]", "[1, 2, 1]"));
        // The first expected item fits both and has to leave the place that the second one needs.
        assert!(fits(r#"[{"a": 1}, {"a": 1, "b": 2}]"#, r#"[{"a": 1, "b": 2}, {"a": 1}]"#));
        assert!(!fits(r#"[{"a": 1}, {"a": 1, "b": 2}]"#, r#"[{"a": 1, "b": 2}, {"a": 2}]"#));
        assert_eq!(difference("[1, 4]", "[1, 2]"), "body: no item matches 4 among [1,2]");
        assert_eq!(difference("[1, 1]", "[1, 2]"), "body: expected items [1,1], got [1,2]");
        assert_eq!(difference("[1]", "{}"), "body: expected a list, got {}");
    }

    #[test]
    fn many_alike_items_are_placed_quickly() {
        let item = r#"{"a": 1}"#;
        let wanted = format!("[{}, {{\"a\": 2}}, {{\"a\": 2}}]", vec![item; 60].join(","));
        let came = format!("[{}, {{\"a\": 2}}]", vec![item; 80].join(","));
        assert!(!fits(&wanted, &came));
    }

    #[test]
    fn presence() {
        let any = r#"{"$any": true}"#;
        assert!(fits(any, "0") && fits(any, "false") && fits(any, "\"x\"") && fits(any, "[]"));
        assert!(!fits(any, "null") && !fits(any, "\"\"") && !fits_nothing(any));
        let absent = r#"{"$absent": true}"#;
        assert!(fits(absent, "null") && fits(absent, "[]") && fits(absent, "{}") && fits_nothing(absent));
        assert!(!fits(absent, "\"\"") && !fits(absent, "0") && !fits(absent, "[1]"));
        let absent_or = r#"{"$absent_or": ["a", {"$type": "integer"}]}"#;
        assert!(fits(absent_or, "[]") && fits(absent_or, "\"a\"") && fits(absent_or, "1") && fits_nothing(absent_or));
        assert_eq!(
            difference(absent_or, "\"b\""),
            r#"body: expected nothing or one of ["a",{"$type":"integer"}], got "b""#
        );
    }

    #[test]
    fn types() {
        for (name, value) in [
            ("null", "null"),
            ("boolean", "true"),
            ("integer", "1"),
            ("number", "1.5"),
            ("number", "1"),
            ("string", "\"\""),
            ("array", "[]"),
            ("object", "{}"),
        ] {
            assert!(fits(&format!(r#"{{"$type": "{name}"}}"#), value), "{name} {value}");
        }
        assert!(!fits(r#"{"$type": "integer"}"#, "1.0") && !fits(r#"{"$type": "integer"}"#, "\"1\""));
        assert!(!fits(r#"{"$type": "boolean"}"#, "0") && !fits_nothing(r#"{"$type": "null"}"#));
    }

    #[test]
    fn exact_takes_everything_literally() {
        assert!(fits(r#"{"$exact": {"a": [1, 2], "b": 1}}"#, r#"{"b": 1, "a": [1, 2]}"#));
        assert!(!fits(r#"{"$exact": {"a": 1}}"#, r#"{"a": 1, "b": 2}"#));
        assert!(!fits(r#"{"$exact": [1, 2]}"#, "[2, 1]") && !fits(r#"{"$exact": 1}"#, "1.0"));
        assert!(fits(r#"{"$exact": {"$any": true}}"#, r#"{"$any": true}"#));
        assert!(fits(r#"{"$exact": []}"#, "[]") && !fits_nothing(r#"{"$exact": null}"#));
    }

    #[test]
    fn texts() {
        assert!(fits(r#"{"$regex": "(?i)bearer"}"#, "\"BEARER x\"") && !fits(r#"{"$regex": "^b"}"#, "\"ab\""));
        assert!(fits(r#"{"$regex": "^\\d{4}-"}"#, "\"2026-\""));
        assert!(fits(r#"{"$ieq": "ÄB"}"#, "\"äb\"") && !fits(r#"{"$ieq": "a"}"#, "\"ab\""));
        assert!(fits(r#"{"$startswith": "a"}"#, "\"ab\"") && !fits(r#"{"$startswith": "b"}"#, "\"ab\""));
        assert!(fits(r#"{"$endswith": "b"}"#, "\"ab\"") && !fits(r#"{"$endswith": "a"}"#, "\"ab\""));
        assert!(fits(r#"{"$contains": "b"}"#, "\"abc\"") && !fits(r#"{"$contains": "B"}"#, "\"abc\""));
        assert!(!fits(r#"{"$contains": "1"}"#, "1") && !fits_nothing(r#"{"$contains": ""}"#));
        assert_eq!(difference(r#"{"$regex": "("}"#, "\"a\"").split(" regular").next(), Some("body: \"(\" is no"));
    }

    #[test]
    fn choices() {
        assert!(fits(r#"{"$in": [200, "a"]}"#, "\"a\"") && !fits(r#"{"$in": ["200"]}"#, "200"));
        assert!(!fits_nothing(r#"{"$in": ["a"]}"#) && fits_nothing(r#"{"$in": [{"$absent": true}]}"#));
        assert!(fits(r#"{"$not": 1}"#, "2") && fits_nothing(r#"{"$not": 1}"#) && !fits(r#"{"$not": 1}"#, "1"));
        assert!(!fits(r#"{"$not": [{"a": 1}]}"#, r#"[{"a": 1, "b": 2}]"#));
        assert!(fits(r#"{"$all": [{"$min": 1}, {"$max": 3}]}"#, "2"));
        assert_eq!(
            difference(r#"{"$all": [{"$min": 3}, {"$max": 1}]}"#, "2"),
            "body: expected at least 3, got 2; body: expected at most 1, got 2"
        );
        assert!(!fits(r#"{"$min": 1}"#, "\"2\"") && !fits_nothing(r#"{"$max": 1}"#) && !fits(r#"{"$min": 0}"#, "true"));
        assert!(fits(r#"{"$min": 1}"#, "1") && fits(r#"{"$max": 1.5}"#, "1.5"));
    }

    #[test]
    fn items() {
        assert!(
            fits(r#"{"$len": 2}"#, "[1, 1]")
                && fits(r#"{"$len": 2}"#, "\"äb\"")
                && fits(r#"{"$len": 1}"#, r#"{"a": 1}"#)
        );
        assert!(fits_nothing(r#"{"$len": 0}"#) && fits(r#"{"$len": 0}"#, "null") && !fits_nothing(r#"{"$len": 1}"#));
        assert_eq!(difference(r#"{"$len": 2}"#, "12"), "body: expected 2 items, got 12");
        assert!(fits(r#"{"$each": {"a": 1}}"#, r#"[{"a": 1}, {"a": 1, "b": 1}]"#) && fits(r#"{"$each": 1}"#, "[]"));
        assert_eq!(difference(r#"{"$each": {"a": 1}}"#, r#"[{"a": 1}, {"a": 2}]"#), "body/1/a: expected 1, got 2");
        assert!(!fits_nothing(r#"{"$each": 1}"#) && !fits(r#"{"$each": 1}"#, "null"));
        assert!(fits(r#"{"$none": {"a": 1}}"#, r#"[{"a": 2}]"#) && fits_nothing(r#"{"$none": 1}"#));
        assert!(fits(r#"{"$none": 1}"#, "null") && !fits(r#"{"$none": 1}"#, "2"));
        assert_eq!(difference(r#"{"$none": 1}"#, "[2, 1]"), "body: expected no item like 1, got [2,1]");
    }

    #[test]
    fn an_attribute_may_begin_with_a_dollar_sign() {
        assert!(fits(r#"{"$ref": "x"}"#, r#"{"$ref": "x"}"#) && !fits(r#"{"$ref": "x"}"#, r#"{"$ref": "y"}"#));
    }

    #[test]
    fn operators_are_audited() {
        let refused = |text: &str| audit(&json(text)).unwrap_err();
        assert_eq!(refused(r#"{"a": [{"$foo": 1}]}"#), "unknown operator $foo");
        assert_eq!(refused(r#"{"$any": true, "a": 1}"#), "$any has to stand alone in its object");
        assert_eq!(refused(r#"{"$in": "a"}"#), "$in cannot be used with \"a\"");
        assert_eq!(refused(r#"{"$all": [{"$len": -1}]}"#), "$len cannot be used with -1");
        assert_eq!(refused(r#"{"$type": "absent"}"#), "$type cannot be used with \"absent\"");
        assert_eq!(refused(r#"{"$not": {"$regex": "("}}"#), "$regex cannot be used with \"(\"");
        let fine =
            r#"{"a": {"$regex": "^${uid}"}, "b": {"$exact": {"$foo": 1}}, "c": {"$ref": 1}, "d": {"$in": "${x}"}}"#;
        assert_eq!(audit(&json(fine)), Ok(()));
        assert_eq!(compare(&json(r#"{"$in": 1}"#), None, "body"), ["body: $in cannot be used with 1"]);
    }
}
