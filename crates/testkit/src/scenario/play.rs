//! Plays scenarios, and asks a server first what it can do.

use std::{collections::BTreeSet, fmt};

use bytes::Bytes;
use http::Request;

use super::{
    Error, Outcome, Settings, Transport,
    check::{check, is_about_status},
    json::{Json, Members},
    model::{Action, Body, CONFIGURED, Crawl, SCHEMAS, Scenario, Step},
    vars::Variables,
    wanted::{Expect, ListWanted, Shape},
    wire::{Answer, Base, Layers, resource_path},
};

const SCIM: &str = "application/scim+json";
/// A list that has not ended by now never will.
const MAX_PAGES: usize = 5000;

/// Plays scenarios against one server.
pub struct Runner<'a> {
    transport: &'a dyn Transport,
    settings: Settings,
    base: Base,
    features: BTreeSet<&'static str>,
}

impl<'a> Runner<'a> {
    /// Asks the server what it announces, once, in its ServiceProviderConfig and its schemas. A server that tells
    /// nothing announces nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Base`] when the base is no address, [`Error::NoAnswer`] when the transport fails.
    pub fn new(transport: &'a dyn Transport, settings: Settings) -> Result<Self, Error> {
        let base = Base::parse(&settings.base)?;
        let mut runner = Self { transport, settings, base, features: BTreeSet::new() };
        let config = runner.probe("/ServiceProviderConfig")?;
        let schemas = runner.probe("/Schemas")?;
        let supported = |name: &str| config.get(name).and_then(|feature| feature.get("supported"));
        let listed = schemas.get("Resources").and_then(Json::as_list).unwrap_or_default();
        let knows = |id: &str| listed.iter().any(|schema| schema.get("id").and_then(Json::as_str) == Some(id));
        runner.features.extend(CONFIGURED.iter().filter(|name| supported(name) == Some(&Json::Bool(true))));
        runner.features.extend(SCHEMAS.iter().filter(|(_, id)| knows(id)).map(|(name, _)| name));
        Ok(runner)
    }

    /// What the server announces, by the names that scenarios use under `needs`.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.features.iter().copied()
    }

    /// Plays one scenario and, unless told otherwise, deletes the users and groups it made.
    pub fn play(&self, scenario: &Scenario) -> Outcome {
        if let Some(reason) = self.reason_to_skip(scenario) {
            return Outcome::Skipped(reason);
        }
        let variables = Variables::new(&self.settings);
        let mut run = Run { runner: self, scenario, variables, made: Vec::new() };
        let outcome = run.play();
        if !self.settings.keep {
            run.tidy();
        }
        outcome
    }

    fn reason_to_skip(&self, scenario: &Scenario) -> Option<String> {
        if let Some(profile) = scenario.profile().filter(|name| !self.settings.profiles.iter().any(|p| p == name)) {
            return Some(format!("profile {profile} was not asked for"));
        }
        if self.settings.strict && !scenario.tolerance().is_empty() {
            return Some(format!("it needs {}", scenario.tolerance().join(", ")));
        }
        let needs = scenario.needs().iter().map(String::as_str);
        let lacking: Vec<&str> = needs.filter(|need| !self.features.contains(need)).collect();
        let skip = !lacking.is_empty() && !self.settings.need_all;
        skip.then(|| format!("the server does not announce {}", lacking.join(", ")))
    }

    /// What is at a discovery endpoint; an empty object when there is nothing to be read.
    fn probe(&self, path: &str) -> Result<Json, Error> {
        let headers = texts(&self.default_headers().into_members());
        let request = self.base.request("GET", path, &headers, None).map_err(Error::NoAnswer)?;
        let answer = self.exchange(request).map_err(Error::NoAnswer)?;
        let body = answer.body.filter(|_| answer.status == 200);
        Ok(body.unwrap_or_else(|| Json::Object(Members::default())))
    }

    fn exchange(&self, request: Request<Bytes>) -> Result<Answer, String> {
        let response = self.transport.send(request)?;
        Ok(Answer::new(response.status().as_u16(), response.headers(), response.body()))
    }

    fn default_headers(&self) -> Layers {
        let mut headers = Layers::default();
        if !self.settings.token.is_empty() {
            headers.set("Authorization", &Json::String(format!("Bearer {}", self.settings.token)));
        }
        headers.set("Accept", &Json::String(SCIM.to_owned()));
        headers
    }
}

impl fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("base", &self.base).field("features", &self.features).finish_non_exhaustive()
    }
}

/// What ends a scenario early.
enum Stop {
    /// The scenario itself is wrong.
    Scenario(String),
    NoAnswer(String),
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Scenario(reason)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario(reason) => write!(f, "scenario: {reason}"),
            Self::NoAnswer(reason) => write!(f, "no answer from the server: {reason}"),
        }
    }
}

/// One scenario being played.
struct Run<'a> {
    runner: &'a Runner<'a>,
    scenario: &'a Scenario,
    variables: Variables,
    /// The paths of what has to be deleted again.
    made: Vec<String>,
}

impl Run<'_> {
    fn play(&mut self) -> Outcome {
        for (name, value) in self.scenario.vars().iter() {
            match self.variables.fill(value) {
                Ok(value) => self.variables.define(name, value),
                Err(reason) => {
                    let differences = vec![format!("vars: {}", Stop::Scenario(reason))];
                    return Outcome::Failed { step: 0, differences };
                }
            }
        }
        let mut first = None;
        let mut differences = Vec::new();
        for (number, step) in (1..).zip(&self.scenario.steps) {
            let (found, goes_on) = self.play_step(number, step);
            if !found.is_empty() {
                first.get_or_insert(number);
                differences.extend(found);
            }
            if !goes_on {
                break;
            }
        }
        match first {
            Some(step) => Outcome::Failed { step, differences },
            None => Outcome::Passed,
        }
    }

    /// What differs, and whether the scenario goes on.
    fn play_step(&mut self, number: usize, step: &Step) -> (Vec<String>, bool) {
        for round in 1..=step.repeat {
            self.variables.define("n", Json::String(round.to_string()));
            let count = (step.repeat > 1).then_some(round);
            let (found, goes_on) = match self.play_round(step, count) {
                Ok(found) => (found, step.goes_on),
                Err(stop) => (vec![stop.to_string()], false),
            };
            if !found.is_empty() {
                let head = format!(
                    "step {number}{} ({})",
                    count.map_or_else(String::new, |n| format!(" round {n}")),
                    label(step)
                );
                return (found.iter().map(|text| format!("{head}: {text}")).collect(), goes_on);
            }
        }
        (Vec::new(), true)
    }

    fn play_round(&mut self, step: &Step, count: Option<usize>) -> Result<Vec<String>, Stop> {
        let (method, path, body, save_as, expect) = match &step.action {
            Action::Crawl(crawl) => return self.crawl(step, crawl),
            Action::Exchange { method, path, body, save_as, expect } => (method, path, body, save_as, expect),
        };
        let path = self.variables.fill_text(path)?;
        let body = self.body(body)?;
        let answer = self.send(step, method, &path, body.as_deref())?;
        if let Some(name) = save_as {
            let name = match count {
                Some(count) => format!("{name}{count}"),
                None => self.variables.fill_text(name)?,
            };
            self.variables.save(name, answer.clone());
        }
        let mut differences = check(expect, &answer, &mut self.variables)?;
        // A body that is not JSON has been shown by now.
        let shown = is_about_status(&differences) || answer.note.is_some();
        if !differences.is_empty() && !shown && answer.status >= 400 {
            differences.push(format!("the answer was {}", answer.brief(220)));
        }
        Ok(differences)
    }

    fn body(&mut self, body: &Body) -> Result<Option<String>, String> {
        Ok(match body {
            Body::None => None,
            Body::Json(value) => Some(self.variables.fill(value)?.to_string()),
            Body::Raw(text) => Some(self.variables.fill_text(text)?),
            Body::Of { name, drop, set } => {
                let mut document = self.variables.body_of(name)?.clone();
                for pointer in drop {
                    document.drop_at(&self.variables.fill_text(pointer)?);
                }
                for (pointer, value) in set.iter() {
                    let value = self.variables.fill(value)?;
                    document.set(&self.variables.fill_text(pointer)?, value)?;
                }
                Some(document.to_string())
            }
        })
    }

    fn send(&mut self, step: &Step, method: &str, path: &str, body: Option<&str>) -> Result<Answer, Stop> {
        let headers = self.headers(step, body.is_some())?;
        let request = self.runner.base.request(method, path, &headers, body)?;
        let answer = self.runner.exchange(request).map_err(Stop::NoAnswer)?;
        if method == "POST" && matches!(answer.status, 200 | 201) {
            self.remember(path, answer.body.as_ref());
        }
        Ok(answer)
    }

    fn headers(&mut self, step: &Step, has_body: bool) -> Result<Vec<(String, String)>, String> {
        let mut layers = self.runner.default_headers();
        if has_body {
            layers.set("Content-Type", &Json::String(SCIM.to_owned()));
        }
        for (name, value) in self.scenario.headers().iter() {
            // What a client names for all its requests describes bodies, and here is none.
            let idle = !has_body && !self.scenario.content_type_on_get() && name.eq_ignore_ascii_case("content-type");
            if !idle {
                layers.set(name, value);
            }
        }
        layers.extend(&step.headers);
        let filled = self.variables.fill(&Json::Object(layers.into_members()))?;
        Ok(filled.as_object().map(texts).unwrap_or_default())
    }

    /// Notes what a POST has made, be it alone or in bulk.
    fn remember(&mut self, path: &str, body: Option<&Json>) {
        let Some(body) = body else { return };
        let mut segments = path.split('?').next().unwrap_or_default().trim_end_matches('/').rsplit('/');
        let collection = segments.next().unwrap_or_default();
        if collection.eq_ignore_ascii_case("bulk") {
            for operation in body.get("Operations").and_then(Json::as_list).unwrap_or_default() {
                let member = |name: &str| operation.get(name).and_then(Json::as_str);
                let (Some("201"), Some(location)) = (member("status"), member("location")) else { continue };
                let mut segments = location.rsplit('/');
                if let (Some(id), Some(endpoint)) = (segments.next(), segments.next().and_then(endpoint)) {
                    self.made.push(format!("/{endpoint}/{id}"));
                }
            }
        } else if let (Some(endpoint), Some(id)) = (endpoint(collection), body.get("id").and_then(Json::as_str)) {
            self.made.push(resource_path(endpoint, id));
        }
    }

    /// Deletes what was made. The verdict stands already, so what comes back does not matter.
    fn tidy(&mut self) {
        let headers = texts(&self.runner.default_headers().into_members());
        for path in self.made.drain(..).rev() {
            if let Ok(request) = self.runner.base.request("DELETE", &path, &headers, None) {
                let _ = self.runner.exchange(request);
            }
        }
    }

    /// Reads a list page by page, as an import does.
    fn crawl(&mut self, step: &Step, crawl: &Crawl) -> Result<Vec<String>, Stop> {
        let expect = Expect {
            status: None,
            shape: Shape::List(ListWanted { paged: true, ..ListWanted::default() }),
            headers: Members::default(),
            body_contains: None,
            body_absent: Vec::new(),
            body_empty: false,
        };
        let mut seen: Vec<Option<Json>> = Vec::new();
        let mut start = 1;
        let mut pages = 0;
        let total = loop {
            let path = self.page_path(crawl, start)?;
            let answer = self.send(step, "GET", &path, None)?;
            let found = check(&expect, &answer, &mut self.variables)?;
            if !found.is_empty() {
                return Ok(found.iter().map(|text| format!("page at startIndex={start}: {text}")).collect());
            }
            let list = answer.body.unwrap_or(Json::Null);
            let number = |name: &str| list.get(name).and_then(Json::as_integer).unwrap_or_default();
            let page = list.get("Resources").and_then(Json::as_list).unwrap_or_default();
            if let Some(count) = crawl.count.filter(|count| page.len() > *count) {
                return Ok(vec![format!("page at startIndex={start}: asked for {count}, got {}", page.len())]);
            }
            if number("startIndex") != start as i128 {
                let says = number("startIndex");
                return Ok(vec![format!("page: asked for startIndex {start}, the answer says {says}")]);
            }
            seen.extend(page.iter().map(|resource| resource.get("id").cloned()));
            pages += 1;
            let total = number("totalResults");
            if page.is_empty() || seen.len() as i128 >= total {
                break total;
            }
            if pages > MAX_PAGES {
                return Ok(vec![format!("the list does not end after {pages} pages")]);
            }
            start += page.len();
        };
        self.judge_crawl(crawl, &seen, total, pages)
    }

    fn page_path(&mut self, crawl: &Crawl, start: usize) -> Result<String, String> {
        let mut path = self.variables.fill_text(&crawl.path)?;
        let index = (start > 1 || crawl.first_with_index).then(|| format!("startIndex={start}"));
        for parameter in index.into_iter().chain(crawl.count.map(|count| format!("count={count}"))) {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&parameter);
        }
        Ok(path)
    }

    fn judge_crawl(
        &mut self,
        crawl: &Crawl,
        seen: &[Option<Json>],
        total: i128,
        pages: usize,
    ) -> Result<Vec<String>, Stop> {
        let mut differences = Vec::new();
        let distinct: BTreeSet<Option<String>> = seen.iter().map(|id| id.as_ref().map(Json::to_string)).collect();
        if distinct.len() != seen.len() {
            differences.push(format!("{} resources came more than once", seen.len() - distinct.len()));
        }
        if seen.len() as i128 != total {
            differences.push(format!("{} resources came, totalResults says {total}", seen.len()));
        }
        if let Some(ids) = &crawl.ids {
            let ids = self.variables.fill(ids)?;
            let wanted = ids.as_list().ok_or_else(|| format!("ids is a list, not {ids}"))?;
            let missing = wanted.iter().filter(|id| !distinct.contains(&Some(id.to_string())));
            differences.extend(missing.map(|id| format!("the resource {id} was not listed")));
        }
        if pages < crawl.min_pages {
            differences.push(format!("expected at least {} pages, got {pages}", crawl.min_pages));
        }
        Ok(differences)
    }
}

/// What a message calls a step.
fn label(step: &Step) -> String {
    match (&step.name, &step.action) {
        (Some(name), _) => name.clone(),
        (None, Action::Exchange { method, path, .. }) => format!("{method} {path}"),
        (None, Action::Crawl(crawl)) => format!("all of {}", crawl.path),
    }
}

/// Where resources of a kind are, when they are of a kind that is tidied up.
fn endpoint(segment: &str) -> Option<&'static str> {
    ["Users", "Groups"].into_iter().find(|known| known.eq_ignore_ascii_case(segment))
}

fn texts(members: &Members) -> Vec<(String, String)> {
    members.iter().map(|(name, value)| (name.to_owned(), value.to_text())).collect()
}
