//! Values of statements, each with its type: nothing is left for the server to guess, so a statement needs no round trip of its own.

use scimwright_sql::Value;
use tokio_postgres::types::{ToSql, Type};

use crate::text::encode;

/// A value of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Bind {
    Text(Option<String>),
    Texts(Vec<Option<String>>),
    Integer(i64),
    Integers(Vec<i64>),
    Bytes(Vec<u8>),
    ManyBytes(Vec<Vec<u8>>),
}

impl Bind {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Some(encode(text).into_owned()))
    }

    pub(crate) fn maybe(text: Option<&str>) -> Self {
        Self::Text(text.map(|text| encode(text).into_owned()))
    }

    pub(crate) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::maybes(texts.into_iter().map(Some))
    }

    pub(crate) fn maybes<'t>(texts: impl IntoIterator<Item = Option<&'t str>>) -> Self {
        Self::Texts(texts.into_iter().map(|text| text.map(|text| encode(text).into_owned())).collect())
    }

    /// A number that stands for rows or positions.
    pub(crate) fn count(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(crate) fn value(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(value) => value,
            Self::Texts(value) => value,
            Self::Integer(value) => value,
            Self::Integers(value) => value,
            Self::Bytes(value) => value,
            Self::ManyBytes(value) => value,
        }
    }

    pub(crate) const fn kind(&self) -> Type {
        match self {
            Self::Text(_) => Type::TEXT,
            Self::Texts(_) => Type::TEXT_ARRAY,
            Self::Integer(_) => Type::INT8,
            Self::Integers(_) => Type::INT8_ARRAY,
            Self::Bytes(_) => Type::BYTEA,
            Self::ManyBytes(_) => Type::BYTEA_ARRAY,
        }
    }
}

impl From<&Value> for Bind {
    fn from(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::text(text),
            Value::Integer(number) => Self::Integer(*number),
            Value::Texts(texts) => Self::texts(texts.iter().map(String::as_str)),
        }
    }
}
