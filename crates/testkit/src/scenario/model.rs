//! What a scenario file says, checked as far as it can be before it is played.

use std::path::Path;

use serde::Deserialize;

use super::{
    Error,
    json::{Json, Members},
    read, vars,
    wanted::{Expect, RawExpect, even_null},
};

/// What a server may announce and a scenario may need.
pub(super) const CONFIGURED: [&str; 6] = ["bulk", "etag", "sort", "changePassword", "patch", "filter"];
/// Schemas that a scenario may need, with the name of the need.
pub(super) const SCHEMAS: [(&str, &str); 2] = [
    ("enterprise", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
    ("custom-extension", "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"),
];

/// Requests of one client in order, and what has to come back.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    head: Head,
    pub(super) steps: Vec<Step>,
}

impl Scenario {
    /// Reads one file. Its name is that of the file without the folder.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] or [`Error::Format`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Self::parse(&name, &read(path)?)
    }

    /// Reads a scenario from JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] when it is not JSON, lacks what a scenario must have, or has keys, operators, transforms or
    /// needs that do not exist.
    pub fn parse(name: &str, json: &str) -> Result<Self, Error> {
        let refused = |reason: String| Error::Format { name: name.to_owned(), reason };
        let mut head: Head = serde_json::from_str(json).map_err(|error| refused(error.to_string()))?;
        let whole = Json::parse(json.as_bytes()).map_err(|error| refused(error.to_string()))?;
        audit_variables(&whole).map_err(refused)?;
        if let Some(need) = head.needs.iter().find(|need| !is_need(need)) {
            return Err(refused(format!("nothing announces the need {need:?}")));
        }
        let steps = std::mem::take(&mut head.requests)
            .into_iter()
            .enumerate()
            .map(|(index, step)| step.check().map_err(|reason| refused(format!("step {}: {reason}", index + 1))))
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), head, steps })
    }

    /// The file, relative to the folder it was loaded from.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identity provider.
    #[must_use]
    pub fn idp(&self) -> &str {
        &self.head.idp
    }

    /// What happens, in one line.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.head.scenario
    }

    /// Where the traffic comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.head.source
    }

    /// How sure that is: `documented`, `recorded` or `derived`.
    #[must_use]
    pub fn evidence(&self) -> Option<&str> {
        self.head.evidence.as_deref()
    }

    /// What the server has to get right.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.head.why.as_deref()
    }

    /// What a strict server would refuse in it.
    #[must_use]
    pub fn tolerance(&self) -> &[String] {
        &self.head.tolerance
    }

    /// The features that the server has to announce.
    #[must_use]
    pub fn needs(&self) -> &[String] {
        &self.head.needs
    }

    /// The profile that has to be asked for.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.head.profile.as_deref()
    }

    /// Whether it fails when others are played on the same server at the same time, as it reads whole lists.
    #[must_use]
    pub fn serial(&self) -> bool {
        self.head.serial
    }

    pub(super) fn vars(&self) -> &Members {
        &self.head.vars
    }

    pub(super) fn headers(&self) -> &Members {
        &self.head.headers
    }

    pub(super) fn content_type_on_get(&self) -> bool {
        self.head.content_type_on_get
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    idp: String,
    scenario: String,
    source: String,
    evidence: Option<String>,
    why: Option<String>,
    #[serde(default)]
    tolerance: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    profile: Option<String>,
    #[serde(default)]
    serial: bool,
    #[serde(default)]
    vars: Members,
    #[serde(default)]
    headers: Members,
    #[serde(default)]
    content_type_on_get: bool,
    requests: Vec<RawStep>,
}

/// A step as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    name: Option<String>,
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: Members,
    #[serde(default, deserialize_with = "even_null")]
    body: Option<Json>,
    raw: Option<String>,
    body_of: Option<String>,
    body_set: Option<Members>,
    body_drop: Option<Vec<String>>,
    #[serde(rename = "as")]
    save_as: Option<String>,
    repeat: Option<usize>,
    crawl: Option<String>,
    count: Option<usize>,
    first_with_index: Option<bool>,
    #[serde(default, rename = "continue")]
    goes_on: bool,
    #[serde(default)]
    expect: RawExpect,
}

/// A step as it is played.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: Option<String>,
    pub(super) headers: Members,
    pub(super) repeat: usize,
    /// Whether the scenario goes on when this step fails.
    pub(super) goes_on: bool,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Exchange { method: String, path: String, body: Body, save_as: Option<String>, expect: Box<Expect> },
    Crawl(Crawl),
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    None,
    Json(Json),
    Raw(String),
    /// A saved answer with changes.
    Of {
        name: String,
        drop: Vec<String>,
        set: Members,
    },
}

/// A list that is read page by page.
#[derive(Clone, Debug)]
pub(super) struct Crawl {
    pub(super) path: String,
    pub(super) count: Option<usize>,
    pub(super) first_with_index: bool,
    pub(super) ids: Option<Json>,
    pub(super) min_pages: usize,
}

impl RawStep {
    fn check(self) -> Result<Step, String> {
        let repeat = match self.repeat {
            Some(0) => return Err("repeat is 0, so nothing would be sent".to_owned()),
            times => times.unwrap_or(1),
        };
        let (name, headers, goes_on) = (self.name.clone(), self.headers.clone(), self.goes_on);
        let action = if self.crawl.is_some() { self.check_crawl()? } else { self.check_exchange()? };
        Ok(Step { name, headers, repeat, goes_on, action })
    }

    fn check_crawl(self) -> Result<Action, String> {
        let has_body = self.body.is_some() || self.raw.is_some() || self.body_of.is_some();
        if self.method.is_some() || self.path.is_some() || self.save_as.is_some() || has_body {
            return Err("crawl stands instead of method, path, body and as".to_owned());
        }
        if !self.expect.is_empty() {
            return Err("crawl expects ids and min_pages only".to_owned());
        }
        let RawExpect { ids, min_pages, .. } = self.expect;
        if !matches!(&ids, None | Some(Json::List(_) | Json::String(_))) {
            return Err("ids is a list".to_owned());
        }
        Ok(Action::Crawl(Crawl {
            path: self.crawl.unwrap_or_default(),
            count: self.count.filter(|count| *count > 0),
            first_with_index: self.first_with_index.unwrap_or(true),
            ids,
            min_pages: min_pages.unwrap_or(1),
        }))
    }

    fn check_exchange(self) -> Result<Action, String> {
        if self.count.is_some() || self.first_with_index.is_some() {
            return Err("count and first_with_index belong to crawl".to_owned());
        }
        if self.body_of.is_none() && (self.body_set.is_some() || self.body_drop.is_some()) {
            return Err("body_set and body_drop belong to body_of".to_owned());
        }
        let body = match (self.body, self.raw, self.body_of) {
            (None, None, None) => Body::None,
            (Some(body), None, None) => Body::Json(body),
            (None, Some(raw), None) => Body::Raw(raw),
            (None, None, Some(name)) => {
                Body::Of { name, drop: self.body_drop.unwrap_or_default(), set: self.body_set.unwrap_or_default() }
            }
            _ => return Err("body, raw and body_of exclude each other".to_owned()),
        };
        Ok(Action::Exchange {
            method: self.method.unwrap_or_else(|| "GET".to_owned()),
            path: self.path.ok_or("path or crawl is missing")?,
            body,
            save_as: self.save_as,
            expect: Box::new(self.expect.check()?),
        })
    }
}

fn is_need(name: &str) -> bool {
    CONFIGURED.contains(&name) || SCHEMAS.iter().any(|(need, _)| *need == name)
}

fn audit_variables(value: &Json) -> Result<(), String> {
    match value {
        Json::String(text) => vars::audit(text),
        Json::List(items) => items.iter().try_for_each(audit_variables),
        Json::Object(members) => members.iter().try_for_each(|(name, value)| {
            vars::audit(name)?;
            audit_variables(value)
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: &str) -> Result<Scenario, Error> {
        Scenario::parse("x", &format!(r#"{{"idp": "i", "scenario": "s", "source": "o", "requests": [{step}]}}"#))
    }

    fn refused(text: &str) -> String {
        step(text).unwrap_err().to_string()
    }

    #[test]
    fn a_scenario_says_what_it_is() {
        let scenario = Scenario::parse(
            "a/b.json",
            r#"{"idp": "entra", "scenario": "title", "source": "docs", "evidence": "derived", "why": "because",
                "tolerance": ["t"], "needs": ["bulk"], "profile": "p", "serial": true, "requests": []}"#,
        )
        .unwrap();
        assert_eq!((scenario.name(), scenario.idp(), scenario.title()), ("a/b.json", "entra", "title"));
        assert_eq!(
            (scenario.source(), scenario.evidence(), scenario.why()),
            ("docs", Some("derived"), Some("because"))
        );
        assert_eq!((scenario.tolerance(), scenario.needs()), (&["t".to_owned()][..], &["bulk".to_owned()][..]));
        assert_eq!((scenario.profile(), scenario.serial()), (Some("p"), true));
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(refused(r#"{"path": "/", "boddy": {}}"#).contains("unknown field `boddy`"));
        assert!(refused(r#"{"path": "/", "expect": {"stat": 1}}"#).contains("unknown field `stat`"));
        assert!(refused(r#"{"path": "/", "expect": {"list": {"totals": 1}}}"#).contains("unknown field `totals`"));
        assert!(refused(r#"{"path": "/", "expect": {"error": {"status": 1, "type": 1}}}"#).contains("`type`"));
        let text = r#"{"idp": "i", "scenario": "s", "source": "o", "requests": [], "need": []}"#;
        assert!(Scenario::parse("x", text).unwrap_err().to_string().contains("unknown field `need`"));
        assert!(Scenario::parse("x", r#"{"idp": "i"}"#).unwrap_err().to_string().contains("missing field"));
        assert!(Scenario::parse("x", &text.replace(r#""need": []"#, r#""needs": ["tea"]"#)).is_err());
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        assert!(refused("{}").contains("path or crawl is missing"));
        assert!(refused(r#"{"path": "/", "body": null, "raw": ""}"#).contains("exclude each other"));
        assert!(refused(r#"{"path": "/", "body_set": {}}"#).contains("belong to body_of"));
        assert!(refused(r#"{"path": "/", "count": 1}"#).contains("belong to crawl"));
        assert!(refused(r#"{"path": "/", "expect": {"ids": []}}"#).contains("belong to crawl"));
        assert!(refused(r#"{"path": "/", "expect": {"error": 400, "list": {}}}"#).contains("not both"));
        assert!(refused(r#"{"crawl": "/Users", "path": "/"}"#).contains("instead of"));
        assert!(refused(r#"{"crawl": "/Users", "expect": {"status": 200}}"#).contains("only"));
        assert!(refused(r#"{"path": "/", "repeat": 0}"#).contains("repeat"));
        assert!(refused(r#"{"path": "/${uid|rot13}"}"#).contains("rot13"));
        assert!(refused(r#"{"path": "/", "expect": {"body_contains": {"a": [{"$foo": 1}]}}}"#).contains("$foo"));
        assert!(refused(r#"{"path": "/", "expect": {"list": {"items": {"$min": 1}}}}"#).contains("numbers"));
    }
}
