//! Requests of one client, and what was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use scimwright_core::urns;
use serde_json::{Value, json};

use super::plan::{Act, Condition, Verb};
use super::{Asked, Content, Door, Race, Rules, Seen, Shown, Step};
use crate::linearizability::{Call, History};

/// What there is to be asked for: all clients know of it.
#[derive(Debug, Default)]
pub(super) struct Known {
    users: Vec<String>,
    groups: Vec<String>,
    /// Users who do nothing but join and leave.
    people: Vec<String>,
    /// The versions of each resource that each client has seen.
    versions: BTreeMap<(usize, String), Vec<String>>,
}

/// One client.
#[derive(Debug)]
pub(super) struct Client<'r, D> {
    pub(super) door: &'r D,
    pub(super) number: usize,
    pub(super) race: &'r Race,
    pub(super) history: &'r History<Step>,
    pub(super) known: &'r Mutex<Known>,
}

/// Names for which users are made and renamed: few, so that they meet.
const NAMES: usize = 3;
/// People who join and leave.
const PEOPLE: usize = 4;
/// Groups beyond which no more are made.
const GROUPS: usize = 3;

impl<D: Door> Client<'_, D> {
    /// What is there when the race begins.
    pub(super) fn set_up(&mut self) {
        for number in 0..PEOPLE {
            let name = format!("r{}-person{number}", self.race.seed);
            self.create(Content::User { name, title: None }, |known| &mut known.people);
        }
        self.create(Content::User { name: self.name(0), title: None }, |known| &mut known.users);
        self.create(self.group(0, 1), |known| &mut known.groups);
    }

    /// What is there when it is over.
    pub(super) fn read_all(&mut self) {
        let all = self.with(|known| [&known.people[..], &known.users, &known.groups].concat());
        for id in all {
            self.read(&id);
        }
    }

    pub(super) fn act(&mut self, act: Act) {
        let pick = |from: &[String]| from.get(act.target % from.len().max(1)).cloned();
        let (user, group) = self.with(|known| (pick(&known.users), pick(&known.groups)));
        match (act.verb, user, group) {
            (Verb::CreateUser, ..) => {
                let content = Content::User { name: self.name(act.with), title: None };
                self.create(content, |known| &mut known.users);
            }
            (Verb::ReplaceUser, Some(id), _) => {
                let content = Content::User { name: self.name(act.with), title: Some(self.fresh()) };
                self.change(Asked::Replace(id, content), act.condition);
            }
            (Verb::Title, Some(id), _) => self.change(Asked::Title(id, self.fresh()), act.condition),
            (Verb::ReadUser, Some(id), _) | (Verb::ReadGroup, _, Some(id)) => self.read(&id),
            (Verb::DeleteUser, Some(id), _) | (Verb::DeleteGroup, _, Some(id)) => {
                self.change(Asked::Delete(id), act.condition);
            }
            (Verb::CreateGroup, ..) if self.with(|known| known.groups.len() < GROUPS) => {
                self.create(self.group(self.fresh(), act.with), |known| &mut known.groups);
            }
            (Verb::ReplaceGroup | Verb::CreateGroup, _, Some(id)) => {
                self.change(Asked::Replace(id, self.group(self.fresh(), act.with)), act.condition);
            }
            (Verb::Rename, _, Some(id)) => {
                self.change(Asked::Rename(id, format!("r{} {}", self.race.seed, self.fresh())), act.condition);
            }
            (Verb::Join, _, Some(id)) => self.change(Asked::Join(id, self.people(act.with)), act.condition),
            (Verb::Leave, _, Some(id)) => {
                for member in self.people(1 << (act.with % PEOPLE)) {
                    self.change(Asked::Leave(id.clone(), member), act.condition);
                }
            }
            (Verb::DeletePerson, ..) => {
                let person = self.with(|known| pick(&known.people));
                self.change(Asked::Delete(person.unwrap_or_default()), Condition::None);
            }
            _ => {}
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn name(&self, number: usize) -> String {
        format!("r{}-user{}", self.race.seed, number % NAMES)
    }

    /// A number that nobody has written yet.
    fn fresh(&self) -> u64 {
        use std::sync::atomic::{AtomicU64, Ordering};

        static LAST: AtomicU64 = AtomicU64::new(0);
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The people whose bits are set.
    fn people(&self, bits: usize) -> BTreeSet<String> {
        let chosen = |(at, id): (usize, &String)| (bits >> at & 1 == 1).then(|| id.clone());
        self.with(|known| known.people.iter().enumerate().filter_map(chosen).collect())
    }

    fn group(&self, name: u64, bits: usize) -> Content {
        Content::Group { name: format!("r{} {name}", self.race.seed), members: self.people(bits) }
    }

    /// POST; what was made is known from then on.
    fn create(&mut self, content: Content, to: impl FnOnce(&mut Known) -> &mut Vec<String>) {
        let endpoint = match content {
            Content::User { .. } => "/Users",
            Content::Group { .. } => "/Groups",
        };
        let body = content.to_json();
        let shown = self.history.record(|| {
            let seen = self.door.send("POST", endpoint, None, Some(&body));
            steps(Asked::Create(content), None, &seen)
        });
        if let Some((id, tag)) = shown {
            self.remember(&id, tag);
            self.with(|known| to(known).push(id));
        }
    }

    fn read(&mut self, id: &str) {
        let path = self.path(id);
        let shown = self.history.record(|| {
            let seen = self.door.send("GET", &path, None, None);
            steps(Asked::Read(id.to_owned()), None, &seen)
        });
        if let Some((id, tag)) = shown {
            self.remember(&id, tag);
        }
    }

    /// PUT, PATCH or DELETE.
    fn change(&mut self, asked: Asked, condition: Condition) {
        let (method, body) = asked.request();
        let Some(id) = asked.target().map(str::to_owned) else { return };
        let if_match = self.with(|known| {
            let seen = known.versions.get(&(self.number, id.clone()))?;
            match condition {
                Condition::None => None,
                Condition::Newest => seen.last().cloned(),
                Condition::Oldest => seen.first().cloned(),
            }
        });
        let path = self.path(&id);
        let shown = self.history.record(|| {
            let seen = self.door.send(method, &path, if_match.as_deref(), body.as_ref());
            steps(asked, if_match.as_deref().and_then(version), &seen)
        });
        if let Some((id, tag)) = shown {
            self.remember(&id, tag);
        }
    }

    fn path(&self, id: &str) -> String {
        let is_group = self.with(|known| known.groups.iter().any(|group| group == id));
        format!("/{}/{id}", if is_group { "Groups" } else { "Users" })
    }

    fn remember(&self, id: &str, tag: Option<String>) {
        if let Some(tag) = tag {
            self.with(|known| known.versions.entry((self.number, id.to_owned())).or_default().push(tag));
        }
    }
}

/// What was asked and answered, as steps; and the id and tag of what was shown.
fn steps(asked: Asked, if_match: Option<u64>, seen: &Seen) -> (Option<(String, Option<String>)>, Vec<Step>) {
    let shown = Shown::read(seen);
    let told = shown.as_ref().map(|shown| (shown.id.clone(), seen.etag.clone()));
    let made = told.as_ref().filter(|_| matches!(asked, Asked::Create(_))).map(|(id, _)| id.clone());
    let is_group = matches!(&shown, Some(Shown { content: Content::Group { .. }, .. }));
    let step = Step { asked, if_match, status: seen.status, made, shown };
    if !is_group || matches!(step.asked, Asked::Read(_)) {
        return (told, vec![step]);
    }
    // A group is read again after it was written, so that its body shows what others have done meanwhile.
    let read = step.shown.clone().map(|shown| Step {
        asked: Asked::Read(shown.id.clone()),
        if_match: None,
        status: 200,
        made: None,
        shown: Some(shown),
    });
    let write = Step { shown: None, ..step };
    (told, std::iter::once(write).chain(read).collect())
}

/// Members who were acknowledged, whom nothing can have removed since, and whom the last look at the group does not show. This
/// asks for no order, so it finds by itself what the search would find, and says who it is.
#[must_use]
pub fn missing_members(rules: Rules, calls: &[Call<Step>]) -> Vec<String> {
    let mut missing = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let Some((group, members)) = call.op.acknowledged() else { continue };
        let Some(last) = last_look(calls, group) else { continue };
        let goes = |member: &String| {
            let later = |other: &Call<Step>| other.ended.is_none_or(|ended| ended > call.began);
            let others = calls.iter().enumerate().filter(|(other, _)| *other != at);
            others.into_iter().any(|(_, other)| {
                other.op.ends(group, member) || (later(other) && other.op.may_remove(rules, group, member))
            })
        };
        let was_made = |member: &String| calls.iter().any(|other| other.op.made.as_ref() == Some(member));
        for member in members.iter().filter(|member| !last.contains(*member) && was_made(member) && !goes(member)) {
            missing.push(format!("{member}, who joined by {:?}", call.op));
        }
    }
    missing
}

/// The members that the last answer about a group shows; none when it was gone then.
fn last_look<'c>(calls: &'c [Call<Step>], group: &str) -> Option<&'c BTreeSet<String>> {
    let looks = calls.iter().filter(|call| matches!(&call.op.asked, Asked::Read(id) if id == group));
    match &looks.max_by_key(|call| call.began)?.op.shown.as_ref()?.content {
        Content::Group { members, .. } => Some(members),
        Content::User { .. } => None,
    }
}

impl Step {
    const fn is_done(&self) -> bool {
        matches!(self.status, 200..300)
    }

    /// The group and the members that it certainly had when this was answered.
    fn acknowledged(&self) -> Option<(&str, &BTreeSet<String>)> {
        if !self.is_done() {
            return None;
        }
        match &self.asked {
            Asked::Join(group, members) | Asked::Replace(group, Content::Group { members, .. }) => {
                Some((group, members))
            }
            Asked::Create(Content::Group { members, .. }) => Some((self.made.as_deref()?, members)),
            _ => None,
        }
    }

    /// Whether the group or the member was deleted.
    fn ends(&self, group: &str, member: &str) -> bool {
        self.is_done() && matches!(&self.asked, Asked::Delete(id) if id == group || id == member)
    }

    /// Whether somebody may be out of a group by this, whenever it happened.
    fn may_remove(&self, rules: Rules, group: &str, member: &String) -> bool {
        let elsewhere = |id: Option<&str>, members: &BTreeSet<String>| {
            rules.one_group_at_a_time && id != Some(group) && members.contains(member)
        };
        self.is_done()
            && match &self.asked {
                Asked::Leave(id, who) => id == group && who == member,
                Asked::Replace(id, Content::Group { members, .. }) if id == group => !members.contains(member),
                Asked::Replace(id, Content::Group { members, .. }) | Asked::Join(id, members) => {
                    elsewhere(Some(id), members)
                }
                Asked::Create(Content::Group { members, .. }) => elsewhere(self.made.as_deref(), members),
                _ => false,
            }
    }
}

impl Content {
    /// The body that writes it.
    fn to_json(&self) -> Value {
        match self {
            Self::User { name, title } => {
                let title = title.map(|title| title.to_string());
                json!({"schemas": [urns::USER], "userName": name, "title": title})
            }
            Self::Group { name, members } => {
                json!({"schemas": [urns::GROUP], "displayName": name, "members": values(members)})
            }
        }
    }
}

impl Asked {
    fn target(&self) -> Option<&str> {
        match self {
            Self::Create(_) => None,
            Self::Replace(id, _)
            | Self::Title(id, _)
            | Self::Rename(id, _)
            | Self::Join(id, _)
            | Self::Leave(id, _)
            | Self::Delete(id)
            | Self::Read(id) => Some(id),
        }
    }

    /// The method and the body.
    fn request(&self) -> (&'static str, Option<Value>) {
        let patch = |operation: Value| ("PATCH", Some(json!({"schemas": [urns::PATCH_OP], "Operations": [operation]})));
        match self {
            Self::Create(content) => ("POST", Some(content.to_json())),
            Self::Replace(_, content) => ("PUT", Some(content.to_json())),
            Self::Title(_, title) => patch(json!({"op": "replace", "path": "title", "value": title.to_string()})),
            Self::Rename(_, name) => patch(json!({"op": "replace", "path": "displayName", "value": name})),
            Self::Join(_, members) => patch(json!({"op": "add", "path": "members", "value": values(members)})),
            Self::Leave(_, member) => patch(json!({"op": "remove", "path": format!("members[value eq \"{member}\"]")})),
            Self::Delete(_) => ("DELETE", None),
            Self::Read(_) => ("GET", None),
        }
    }
}

impl Shown {
    /// The resource in an answer, if it is one.
    fn read(seen: &Seen) -> Option<Self> {
        let text = |name: &str| seen.body.get(name).and_then(Value::as_str).map(str::to_owned);
        let of_member = |member: &Value| member.get("value").and_then(Value::as_str).map(str::to_owned);
        let content = match text("userName") {
            Some(name) => Content::User { name, title: text("title").and_then(|title| title.parse().ok()) },
            None => {
                let members = seen.body.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                Content::Group { name: text("displayName")?, members: members.iter().filter_map(of_member).collect() }
            }
        };
        Some(Self { id: text("id")?, version: version(seen.etag.as_deref()?)?, content })
    }
}

fn values(members: &BTreeSet<String>) -> Value {
    members.iter().map(|id| json!({"value": id})).collect()
}

/// The number that a version begins with; what a user's groups add to it is left out.
fn version(tag: &str) -> Option<u64> {
    let digits = tag.trim_start_matches("W/").trim_matches('"');
    digits.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
