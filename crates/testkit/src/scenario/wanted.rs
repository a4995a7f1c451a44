//! What a step says its answer has to be.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    expect,
    json::{Json, Members},
    vars,
};

#[derive(Clone, Debug)]
pub(super) struct Expect {
    pub(super) status: Option<Statuses>,
    pub(super) shape: Shape,
    pub(super) headers: Members,
    pub(super) body_contains: Option<Json>,
    pub(super) body_absent: Vec<String>,
    pub(super) body_empty: bool,
}

/// What kind of message the answer has to be.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Any,
    Error(ErrorWanted),
    List(ListWanted),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListWanted {
    #[serde(default, deserialize_with = "even_null")]
    pub(super) total: Option<Json>,
    pub(super) items: Option<Json>,
    pub(super) max_items: Option<Json>,
    #[serde(default, rename = "startIndex", deserialize_with = "even_null")]
    pub(super) start_index: Option<Json>,
    #[serde(default, deserialize_with = "even_null")]
    pub(super) resources: Option<Json>,
    #[serde(default)]
    pub(super) resources_optional: bool,
    #[serde(default)]
    pub(super) paged: bool,
}

/// What is expected as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExpect {
    status: Option<Statuses>,
    #[serde(default)]
    headers: Members,
    #[serde(default, deserialize_with = "even_null")]
    body_contains: Option<Json>,
    #[serde(default)]
    body_absent: Vec<String>,
    #[serde(default)]
    body_empty: bool,
    error: Option<ErrorWanted>,
    list: Option<ListWanted>,
    pub(super) ids: Option<Json>,
    pub(super) min_pages: Option<usize>,
    #[serde(rename = "max_ms")]
    _max_ms: Option<f64>,
}

impl RawExpect {
    /// Whether nothing is expected beside what a crawl may expect.
    pub(super) fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.headers.is_empty()
            && self.body_contains.is_none()
            && self.body_absent.is_empty()
            && !self.body_empty
            && self.error.is_none()
            && self.list.is_none()
    }

    pub(super) fn check(self) -> Result<Expect, String> {
        if self.ids.is_some() || self.min_pages.is_some() {
            return Err("ids and min_pages belong to crawl".to_owned());
        }
        let shape = match (self.error, self.list) {
            (None, None) => Shape::Any,
            (Some(error), None) => Shape::Error(error),
            (None, Some(list)) => Shape::List(list.check()?),
            _ => return Err("an answer is not both an error and a list".to_owned()),
        };
        for (_, pattern) in self.headers.iter() {
            expect::audit(pattern)?;
        }
        self.body_contains.iter().try_for_each(expect::audit)?;
        Ok(Expect {
            status: self.status,
            shape,
            headers: self.headers,
            body_contains: self.body_contains,
            body_absent: self.body_absent,
            body_empty: self.body_empty,
        })
    }
}

impl ListWanted {
    fn check(self) -> Result<Self, String> {
        for pattern in [&self.total, &self.start_index, &self.resources].into_iter().flatten() {
            expect::audit(pattern)?;
        }
        for number in [&self.items, &self.max_items].into_iter().flatten() {
            if number.as_integer().is_none() && !number.as_str().is_some_and(vars::has_variables) {
                return Err(format!("items and max_items are numbers, not {number}"));
            }
        }
        Ok(self)
    }

    /// Whether the step is about paging, so that the count of what came has to be right.
    pub(super) fn is_paged(&self) -> bool {
        self.paged || self.max_items.is_some() || self.start_index.is_some()
    }
}

/// The status codes that are allowed.
#[derive(Clone, Debug)]
pub(super) struct Statuses(Vec<Status>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Code(u16),
    /// The hundreds: `2xx`.
    Class(u16),
}

impl Statuses {
    pub(super) fn allow(&self, code: u16) -> bool {
        self.0.iter().any(|status| match status {
            Status::Code(wanted) => *wanted == code,
            Status::Class(hundreds) => *hundreds == code / 100,
        })
    }

    fn from_json(json: &Json) -> Result<Self, String> {
        let one = |json: &Json| {
            let code = json.as_integer().and_then(|code| u16::try_from(code).ok()).map(Status::Code);
            let class = || json.as_str()?.strip_suffix("xx")?.parse().ok().map(Status::Class);
            code.or_else(class).ok_or_else(|| format!("{json} is neither a status code nor a class of them"))
        };
        let all =
            json.as_list().unwrap_or(std::slice::from_ref(json)).iter().map(one).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() {
            return Err("no status at all is allowed".to_owned());
        }
        Ok(Self(all))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, status) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " or " })?;
            match status {
                Status::Code(code) => write!(f, "{code}")?,
                Status::Class(hundreds) => write!(f, "{hundreds}xx")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Json::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A SCIM error.
#[derive(Clone, Debug)]
pub(super) struct ErrorWanted {
    pub(super) status: Statuses,
    /// The values of `scimType` that are allowed; when there are none, any is, and none.
    pub(super) scim_types: Vec<Json>,
}

impl<'de> Deserialize<'de> for ErrorWanted {
    /// `{"status": …, "scimType": …}`, or the status alone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let mut status = json.as_object().is_none().then_some(&json);
        let mut scim_types = Vec::new();
        for (name, value) in json.as_object().into_iter().flat_map(Members::iter) {
            match (name, value) {
                ("status", value) => status = Some(value),
                ("scimType", Json::String(_)) => scim_types = vec![value.clone()],
                ("scimType", Json::List(kinds)) if kinds.iter().all(|kind| kind.as_str().is_some()) => {
                    scim_types.clone_from(kinds);
                }
                ("scimType", other) => return Err(D::Error::custom(format_args!("{other} is no scimType"))),
                _ => return Err(D::Error::unknown_field(name, &["status", "scimType"])),
            }
        }
        let status = status.ok_or_else(|| D::Error::missing_field("status"))?;
        Ok(Self { status: Statuses::from_json(status).map_err(D::Error::custom)?, scim_types })
    }
}

/// For members where null is a value of its own.
pub(super) fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        let statuses = |text: &str| Statuses::from_json(&Json::parse(text.as_bytes()).unwrap());
        let some = statuses(r#"[200, "4xx"]"#).unwrap();
        assert!(some.allow(200) && some.allow(404) && !some.allow(201));
        assert_eq!(some.to_string(), "200 or 4xx");
        for wrong in ["[]", "\"200\"", "\"xx\"", "2.0", "null", "[[200]]"] {
            assert!(statuses(wrong).is_err(), "{wrong}");
        }
    }
}
