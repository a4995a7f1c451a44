//! The variables of one run: `${name}`, `${name.path.0.to}`, `${name@header}`, each with `|transforms`.

use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use super::{Settings, json::Json, wire::Answer};

/// What a URI never escapes (RFC 3986 section 2.3); all else is, so that the text can stand anywhere in a query.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug)]
pub(super) struct Variables {
    values: HashMap<String, Json>,
    guids: HashMap<String, String>,
    answers: HashMap<String, Answer>,
}

impl Variables {
    pub(super) fn new(settings: &Settings) -> Self {
        let uid = Uuid::new_v4().simple().to_string()[..12].to_owned();
        let base = settings.base.trim_end_matches('/').to_owned();
        let values = [("uid", uid), ("token", settings.token.clone()), ("base", base), ("now", now())];
        Self {
            values: values.map(|(name, value)| (name.to_owned(), Json::String(value))).into(),
            guids: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    pub(super) fn define(&mut self, name: &str, value: Json) {
        self.values.insert(name.to_owned(), value);
    }

    pub(super) fn save(&mut self, name: String, answer: Answer) {
        self.answers.insert(name, answer);
    }

    /// The body of a saved answer.
    pub(super) fn body_of(&self, name: &str) -> Result<&Json, String> {
        let answer = self.answers.get(name).ok_or_else(|| format!("no answer is saved as {name:?}"))?;
        answer.body.as_ref().ok_or_else(|| format!("the answer saved as {name:?} has no JSON body"))
    }

    /// Replaces every variable in a value; a string that is one variable becomes a value of that variable's type.
    pub(super) fn fill(&mut self, value: &Json) -> Result<Json, String> {
        Ok(match value {
            Json::String(text) => match whole(text) {
                Some(expression) => self.lookup(expression)?,
                None => Json::String(self.fill_text(text)?),
            },
            Json::List(items) => Json::List(items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?),
            Json::Object(members) => Json::Object(
                members
                    .iter()
                    .map(|(name, value)| Ok((self.fill_text(name)?, self.fill(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }

    /// Replaces every variable in a text.
    pub(super) fn fill_text(&mut self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Variable(expression) => filled.push_str(&self.lookup(expression)?.to_text()),
            }
        }
        Ok(filled)
    }

    fn lookup(&mut self, expression: &str) -> Result<Json, String> {
        let (name, transforms) = expression.split_once('|').unwrap_or((expression, ""));
        let value = self.resolve(name.trim())?;
        transforms.split('|').filter(|name| !name.is_empty()).try_fold(value, |value, name| {
            let transform =
                Transform::from_name(name).ok_or_else(|| format!("unknown transform |{name} in ${{{expression}}}"))?;
            Ok(Json::String(transform.apply(&value.to_text())))
        })
    }

    fn resolve(&mut self, name: &str) -> Result<Json, String> {
        if name == "guid" || name.starts_with("guid:") {
            let fresh = || Uuid::new_v4().to_string();
            return Ok(Json::String(self.guids.entry(name.to_owned()).or_insert_with(fresh).clone()));
        }
        let failed = |reason: String| format!("${{{name}}}: {reason}");
        if let Some((who, header)) = name.split_once('@') {
            let answer = self.answers.get(who).ok_or_else(|| failed(format!("no answer is saved as {who:?}")))?;
            return Ok(Json::String(answer.header(header).unwrap_or_default().to_owned()));
        }
        let mut parts = name.split('.');
        let head = parts.next().unwrap_or_default();
        let root = match self.values.get(head) {
            Some(value) => value,
            None if self.answers.contains_key(head) => self.body_of(head).map_err(failed)?,
            None => return Err(failed("is not known".to_owned())),
        };
        parts
            .try_fold(root, |value, part| value.child(part).ok_or_else(|| failed(format!("nothing at {part:?}"))))
            .cloned()
    }
}

/// What is wrong with the variables in a text, as far as it can be told before the scenario is played.
pub(super) fn audit(text: &str) -> Result<(), String> {
    for piece in pieces(text) {
        if let Piece::Variable(expression) = piece {
            for name in expression.split('|').skip(1).filter(|name| !name.is_empty()) {
                Transform::from_name(name).ok_or_else(|| format!("unknown transform |{name} in ${{{expression}}}"))?;
            }
        }
    }
    Ok(())
}

/// Whether a text is different once it is filled.
pub(super) fn has_variables(text: &str) -> bool {
    pieces(text).any(|piece| matches!(piece, Piece::Variable(_)))
}

enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// The variable that a text consists of.
fn whole(text: &str) -> Option<&str> {
    let mut pieces = pieces(text);
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Variable(expression)), None) => Some(expression),
        _ => None,
    }
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((expression, after)) = variable(rest) {
            rest = after;
            return Some(Piece::Variable(expression));
        }
        let begin = rest.match_indices("${").map(|(begin, _)| begin).find(|begin| variable(&rest[*begin..]).is_some());
        let (text, after) = rest.split_at(begin.unwrap_or(rest.len()));
        rest = after;
        Some(Piece::Text(text))
    })
}

/// The variable that a text begins with, and what follows; `${}` and an open `${` are plain text.
fn variable(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("${")?.split_once('}').filter(|(expression, _)| !expression.is_empty())
}

#[derive(Clone, Copy)]
enum Transform {
    Query,
    Upper,
    Lower,
    Json,
    Second,
}

impl Transform {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "q" => Self::Query,
            "upper" => Self::Upper,
            "lower" => Self::Lower,
            "json" => Self::Json,
            "second" => Self::Second,
            _ => return None,
        })
    }

    fn apply(self, text: &str) -> String {
        match self {
            Self::Query => utf8_percent_encode(text, RESERVED).to_string(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::Json => {
                let quoted = Json::String(text.to_owned()).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Second => without_fraction(text),
        }
    }
}

/// A time without the fraction of its seconds.
fn without_fraction(text: &str) -> String {
    let bytes = text.as_bytes();
    for (dot, _) in text.match_indices('.') {
        let seconds = dot >= 3 && bytes[dot - 3] == b':' && bytes[dot - 2..dot].iter().all(u8::is_ascii_digit);
        let digits = bytes[dot + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if seconds && digits > 0 {
            return format!("{}{}", &text[..dot], &text[dot + 1 + digits..]);
        }
    }
    text.to_owned()
}

/// The current time in UTC, to the second.
fn now() -> String {
    // A clock before 1970 is no reason to fail a scenario.
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    timestamp(seconds)
}

fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years are counted from March, so that the leap day is the last day of one, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::new(&Settings::new("http://host/scim/", "t0k"));
        let body = br#"{"id": "7", "emails": [{"value": "a+b@x.example"}], "count": 3, "on": true}"#;
        let mut headers = http::HeaderMap::new();
        headers.insert("location", http::HeaderValue::from_static("/Users/7"));
        variables.save("u".to_owned(), Answer::new(201, &headers, body));
        variables.save("gone".to_owned(), Answer::new(204, &headers, b""));
        variables
    }

    fn text(template: &str) -> String {
        variables().fill_text(template).unwrap()
    }

    #[test]
    fn names() {
        assert_eq!(text("${token}, ${base}"), "t0k, http://host/scim");
        assert_eq!(text("/Users/${u.id}?x=${u.emails.0.value}"), "/Users/7?x=a+b@x.example");
        assert_eq!(text("${u@Location}${u@etag}"), "/Users/7");
        assert_eq!(text("${u.count} ${u.on}"), "3 true");
        assert_eq!(text("${} $plain {x} ${open"), "${} $plain {x} ${open");
        assert_eq!(text("${uid}").len(), 12);
        assert_ne!(text("${uid}"), text("${uid}"));
    }

    #[test]
    fn guids_are_stable_under_their_label() {
        let mut variables = variables();
        let mut get = |template: &str| variables.fill_text(template).unwrap();
        assert_eq!(get("${guid:a}"), get("${guid:a}"));
        assert_ne!(get("${guid:a}"), get("${guid:b}"));
        assert_ne!(get("${guid:a}"), get("${guid}"));
        assert_eq!(get("${guid}").len(), 36);
    }

    #[test]
    fn a_variable_alone_keeps_its_type() {
        let fill = |text: &str| variables().fill(&Json::parse(text.as_bytes()).unwrap()).unwrap().to_string();
        assert_eq!(
            fill(r#"{"n": "${u.count}", "s": "x${u.count}", "${u.id}": ["${u.on}"]}"#),
            r#"{"n":3,"s":"x3","7":[true]}"#
        );
        assert_eq!(fill(r#""${u.emails}""#), r#"[{"value":"a+b@x.example"}]"#);
        assert_eq!(fill(r#""${u.count|upper}""#), r#""3""#);
    }

    #[test]
    fn transforms() {
        let mut variables = variables();
        variables.define("x", Json::String("Ä b\"&+~".to_owned()));
        variables.define("t", Json::String("2026-01-02T03:04:05.678901Z".to_owned()));
        let mut get = |template: &str| variables.fill_text(template).unwrap();
        assert_eq!(get("${x|q}"), "%C3%84%20b%22%26%2B~");
        assert_eq!(get("${x|upper}"), "Ä B\"&+~");
        assert_eq!(get("${x|lower}"), "ä b\"&+~");
        assert_eq!(get("${x|json}"), "Ä b\\\"&+~");
        assert_eq!(get("${t|second}"), "2026-01-02T03:04:05Z");
        assert_eq!(get("${t|second|q}"), "2026-01-02T03%3A04%3A05Z");
        assert_eq!(without_fraction("v1.2 at 03:04:05Z"), "v1.2 at 03:04:05Z");
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let fails = |template: &str| variables().fill_text(template).unwrap_err();
        assert_eq!(fails("${nobody}"), "${nobody}: is not known");
        assert_eq!(fails("${u.emails.1.value}"), "${u.emails.1.value}: nothing at \"1\"");
        assert_eq!(fails("${x@etag}"), "${x@etag}: no answer is saved as \"x\"");
        assert_eq!(fails("${gone.id}"), "${gone.id}: the answer saved as \"gone\" has no JSON body");
        assert_eq!(fails("${uid|rot13}"), "unknown transform |rot13 in ${uid|rot13}");
        assert!(audit("a ${u.id|q} ${uid|rot13}").is_err());
        assert!(audit("a ${u.id|q|lower} ${").is_ok());
    }

    #[test]
    fn time() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_798_761_599), "2026-12-31T23:59:59Z");
    }
}
