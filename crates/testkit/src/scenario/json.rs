//! JSON whose members stay in the order they were written in.
//!
//! Some servers apply the members of a PATCH value one after another, so a body has to go out as it was recorded.
//! The map of `serde_json` sorts, and its feature that does not would change every other crate of the build.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Self>),
    Object(Members),
}

/// The members of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Members(Vec<(String, Json)>);

impl Json {
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number without a fraction; `2.0` has one.
    pub(super) fn as_integer(&self) -> Option<i128> {
        match self {
            Self::Number(number) => number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&Members> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// A member of an object or an item of a list.
    pub(super) fn child(&self, part: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(part),
            Self::List(items) => items.get(position(part)?),
            _ => None,
        }
    }

    /// What is at a JSON pointer (RFC 6901).
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        parts(pointer).iter().try_fold(self, |value, part| value.child(part))
    }

    /// Puts a value at a JSON pointer; objects on the way there are made, and `-` appends to a list.
    pub(super) fn set(&mut self, pointer: &str, value: Self) -> Result<(), String> {
        let parts = parts(pointer);
        let (last, way) = parts.split_last().ok_or("an empty pointer cannot be set")?;
        let mut place = self;
        for part in way {
            place = match place {
                Self::Object(members) => members.entry(part),
                other => other.item(part).ok_or_else(|| format!("{pointer}: nothing at {part:?}"))?,
            };
        }
        match place {
            Self::Object(members) => *members.entry(last) = value,
            Self::List(items) if last == "-" => items.push(value),
            other => *other.item(last).ok_or_else(|| format!("{pointer}: nothing at {last:?}"))? = value,
        }
        Ok(())
    }

    /// Takes out what is at a JSON pointer, if there is anything.
    pub(super) fn drop_at(&mut self, pointer: &str) {
        let parts = parts(pointer);
        let Some((last, way)) = parts.split_last() else { return };
        let mut place = self;
        for part in way {
            let next = match place {
                Self::Object(members) => members.get_mut(part),
                other => other.item(part),
            };
            match next {
                Some(next) => place = next,
                None => return,
            }
        }
        match place {
            Self::Object(members) => members.0.retain(|(name, _)| name != last),
            Self::List(items) => {
                if let Some(index) = position(last).filter(|index| *index < items.len()) {
                    items.remove(index);
                }
            }
            _ => {}
        }
    }

    fn item(&mut self, part: &str) -> Option<&mut Self> {
        match self {
            Self::List(items) => items.get_mut(position(part)?),
            _ => None,
        }
    }

    /// The value as it is written into a text: a string bare, anything else as JSON.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The value for a message, cut when it is long.
    pub(super) fn brief(&self, limit: usize) -> String {
        let text = self.to_string();
        match text.char_indices().nth(limit) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }

    /// Equal as JSON: the order of members does not count, and 1 is 1.0.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => match (self.as_integer(), other.as_integer()) {
                (Some(one), Some(two)) => one == two,
                _ => one.as_f64() == two.as_f64(),
            },
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same(two))
            }
            (Self::Object(one), Self::Object(two)) => {
                one.len() == two.len()
                    && one.iter().all(|(name, value)| two.get(name).is_some_and(|other| value.same(other)))
            }
            _ => self == other,
        }
    }
}

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.0.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The member of this name; an empty object when it is not there yet.
    fn entry(&mut self, name: &str) -> &mut Json {
        let index = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), Json::Object(Self::default())));
            self.0.len() - 1
        });
        &mut self.0[index].1
    }

    /// The only member, if there is just one.
    pub(super) fn single(&self) -> Option<(&str, &Json)> {
        match self.0.as_slice() {
            [(name, value)] => Some((name, value)),
            _ => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Json)> for Members {
    /// A name that comes twice keeps its first place and its last value.
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(members: I) -> Self {
        let mut all = Self::default();
        for (name, value) in members {
            *all.entry(&name) = value;
        }
        all
    }
}

fn parts(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

fn position(part: &str) -> Option<usize> {
    // `parse` alone would take "+1".
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Object(members) => Ok(members),
            other => Err(serde::de::Error::custom(format_args!("expected an object, got {}", other.brief(60)))),
        }
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Members::default();
        while let Some((name, value)) = map.next_entry::<String, Json>()? {
            *members.entry(&name) = value;
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn members_keep_their_order() {
        let text = r#"{"z":1,"a":{"y":null,"b":[1.5,true,"x"]},"m":-3}"#;
        assert_eq!(json(text).to_string(), text);
        assert_eq!(json(r#"{"b":1,"a":2,"b":3}"#).to_string(), r#"{"b":3,"a":2}"#);
    }

    #[test]
    fn pointers_read() {
        let value = json(r#"{"a/b":{"~":[10,20]},"0":{"x":1}}"#);
        assert_eq!(value.at("/a~1b/~0/1"), Some(&json("20")));
        assert_eq!(value.at("/0/x"), Some(&json("1")));
        assert_eq!(value.at("/a~1b/~0/+1"), None);
        assert_eq!(value.at("/a~1b/~0/2"), None);
        assert_eq!(value.at(""), Some(&value));
    }

    #[test]
    fn pointers_write() {
        let mut value = json(r#"{"a":[{"b":1}]}"#);
        value.set("/a/0/b", json("2")).unwrap();
        value.set("/a/-", json("3")).unwrap();
        value.set("/x/y", json("4")).unwrap();
        assert_eq!(value.to_string(), r#"{"a":[{"b":2},3],"x":{"y":4}}"#);
        assert!(value.set("/a/7", json("5")).is_err());
        assert!(value.set("/x/y/z", json("5")).is_err());
        value.drop_at("/a/0");
        value.drop_at("/x/y");
        value.drop_at("/not/there");
        assert_eq!(value.to_string(), r#"{"a":[3],"x":{}}"#);
    }

    #[test]
    fn equality_knows_numbers_and_not_order() {
        assert!(json(r#"{"a":1,"b":[2]}"#).same(&json(r#"{"b":[2.0],"a":1}"#)));
        assert!(!json("1").same(&json("\"1\"")));
        assert!(!json("1").same(&json("true")));
        assert!(!json("[1,2]").same(&json("[2,1]")));
        assert!(json("18446744073709551615").same(&json("18446744073709551615")));
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        assert_eq!(json(r#""äöü""#).brief(3), "\"äö...");
        assert_eq!(json(r#""äöü""#).brief(5), "\"äöü\"");
    }
}
