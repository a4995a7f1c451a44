//! Requests of one client, and what was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use scimwright_core::urns;
use serde_json::{Value, json};

use super::plan::{Act, Condition, Verb};
use super::{Asked, Content, Door, Race, Seen, Shown, Step};
use crate::linearizability::History;

/// What there is to be asked for: all clients know of it.
#[derive(Debug, Default)]
struct Known {
    users: Vec<String>,
    groups: Vec<String>,
    /// Users who do nothing but join and leave.
    people: Vec<String>,
    /// The versions of each resource that each client has seen.
    versions: BTreeMap<(usize, String), Vec<String>>,
}

/// What the clients of a race share.
#[derive(Debug, Default)]
pub(super) struct Ground {
    pub(super) history: History<Step>,
    known: Mutex<Known>,
    /// The last number that somebody has written.
    last: AtomicU64,
}

impl Ground {
    pub(super) const fn client<'r, D>(&'r self, race: &'r Race, number: usize, door: &'r D) -> Client<'r, D> {
        Client { door, number, race, ground: self }
    }
}

/// One client.
#[derive(Debug)]
pub(super) struct Client<'r, D> {
    door: &'r D,
    number: usize,
    race: &'r Race,
    ground: &'r Ground,
}

/// Names for which users are made and renamed: few, so that they meet.
const NAMES: usize = 3;
/// People who join and leave.
const PEOPLE: usize = 4;
/// Groups beyond which no more are made.
const GROUPS: usize = 3;

impl<D: Door> Client<'_, D> {
    /// What is there when the race begins.
    pub(super) async fn set_up(&self) {
        for number in 0..PEOPLE {
            let name = format!("r{}-person{number}", self.race.seed);
            self.create(Content::User { name, title: None }, |known| &mut known.people).await;
        }
        self.create(Content::User { name: self.name(0), title: None }, |known| &mut known.users).await;
        self.create(self.group(0, 1), |known| &mut known.groups).await;
    }

    /// What is there when it is over.
    pub(super) async fn read_all(&self) {
        let all = self.with(|known| [&known.people[..], &known.users, &known.groups].concat());
        for id in all {
            self.read(&id).await;
        }
    }

    /// All that the client does in the race.
    pub(super) async fn acts(&self) {
        for act in self.race.acts(self.number) {
            self.act(act).await;
        }
    }

    async fn act(&self, act: Act) {
        let pick = |from: &[String]| from.get(act.target % from.len().max(1)).cloned();
        let (user, group) = self.with(|known| (pick(&known.users), pick(&known.groups)));
        match (act.verb, user, group) {
            (Verb::CreateUser, ..) => {
                let content = Content::User { name: self.name(act.with), title: None };
                self.create(content, |known| &mut known.users).await;
            }
            (Verb::CreateGroup, ..) if self.with(|known| known.groups.len() < GROUPS) => {
                self.create(self.group(self.fresh(), act.with), |known| &mut known.groups).await;
            }
            (Verb::ReadUser, Some(id), _) | (Verb::ReadGroup, _, Some(id)) => self.read(&id).await,
            (Verb::DeletePerson, ..) => {
                let person = self.with(|known| pick(&known.people));
                self.change(Asked::Delete(person.unwrap_or_default()), Condition::None).await;
            }
            (verb, user, group) => {
                for asked in self.changes(verb, (user, group), act.with) {
                    self.change(asked, act.condition).await;
                }
            }
        }
    }

    /// The changes of a user or a group that a verb means.
    fn changes(&self, verb: Verb, target: (Option<String>, Option<String>), with: usize) -> Vec<Asked> {
        let one = match (verb, target) {
            (Verb::ReplaceUser, (Some(id), _)) => {
                Asked::Replace(id, Content::User { name: self.name(with), title: Some(self.fresh()) })
            }
            (Verb::Title, (Some(id), _)) => Asked::Title(id, self.fresh()),
            (Verb::DeleteUser, (Some(id), _)) | (Verb::DeleteGroup, (_, Some(id))) => Asked::Delete(id),
            (Verb::ReplaceGroup | Verb::CreateGroup, (_, Some(id))) => {
                Asked::Replace(id, self.group(self.fresh(), with))
            }
            (Verb::Rename, (_, Some(id))) => Asked::Rename(id, format!("r{} {}", self.race.seed, self.fresh())),
            (Verb::Join, (_, Some(id))) => Asked::Join(id, self.people(with)),
            (Verb::Leave, (_, Some(id))) => {
                let who = self.people(1 << (with % PEOPLE));
                return who.into_iter().map(|member| Asked::Leave(id.clone(), member)).collect();
            }
            _ => return Vec::new(),
        };
        vec![one]
    }

    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.ground.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn name(&self, number: usize) -> String {
        format!("r{}-user{}", self.race.seed, number % NAMES)
    }

    /// A number that nobody has written yet.
    fn fresh(&self) -> u64 {
        self.ground.last.fetch_add(1, Ordering::Relaxed) + 1
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
    async fn create(&self, content: Content, to: impl FnOnce(&mut Known) -> &mut Vec<String>) {
        let endpoint = match content {
            Content::User { .. } => "/Users",
            Content::Group { .. } => "/Groups",
        };
        if let Some(id) = self.send(endpoint, Asked::Create(content), None).await {
            self.with(|known| to(known).push(id));
        }
    }

    async fn read(&self, id: &str) {
        self.send(&self.path(id), Asked::Read(id.to_owned()), None).await;
    }

    /// PUT, PATCH or DELETE.
    async fn change(&self, asked: Asked, condition: Condition) {
        let Some(id) = asked.target().map(str::to_owned) else { return };
        let if_match = self.with(|known| {
            let seen = known.versions.get(&(self.number, id.clone()))?;
            match condition {
                Condition::None => None,
                Condition::Newest => seen.last().cloned(),
                Condition::Oldest => seen.first().cloned(),
            }
        });
        self.send(&self.path(&id), asked, if_match).await;
    }

    /// Sends a request and takes down what came of it. Tells the `id` of what was shown, and remembers its version.
    async fn send(&self, path: &str, asked: Asked, if_match: Option<String>) -> Option<String> {
        let body = asked.body();
        let begun = self.ground.history.begin();
        let seen = self.door.send(asked.method(), path, if_match.as_deref(), body.as_ref()).await;
        let steps = steps(asked, if_match.as_deref().and_then(version), &seen);
        let id = steps.last().and_then(|step| step.shown.as_ref()).map(|shown| shown.id.clone());
        self.ground.history.end(begun, steps);
        if let (Some(id), Some(tag)) = (id.clone(), seen.etag) {
            self.with(|known| known.versions.entry((self.number, id)).or_default().push(tag));
        }
        id
    }

    fn path(&self, id: &str) -> String {
        let is_group = self.with(|known| known.groups.iter().any(|group| group == id));
        format!("/{}/{id}", if is_group { "Groups" } else { "Users" })
    }
}

/// What was asked and answered, as steps.
fn steps(asked: Asked, if_match: Option<u64>, seen: &Seen) -> Vec<Step> {
    let shown = Shown::read(seen);
    let made = shown.as_ref().filter(|_| matches!(asked, Asked::Create(_))).map(|shown| shown.id.clone());
    let is_group = matches!(&shown, Some(Shown { content: Content::Group { .. }, .. }));
    let step = Step { asked, if_match, status: seen.status, made, shown };
    if !is_group || matches!(step.asked, Asked::Read(_)) {
        return vec![step];
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
    std::iter::once(write).chain(read).collect()
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

    fn method(&self) -> &'static str {
        match self {
            Self::Create(_) => "POST",
            Self::Replace(..) => "PUT",
            Self::Title(..) | Self::Rename(..) | Self::Join(..) | Self::Leave(..) => "PATCH",
            Self::Delete(_) => "DELETE",
            Self::Read(_) => "GET",
        }
    }

    fn body(&self) -> Option<Value> {
        let operation = match self {
            Self::Create(content) | Self::Replace(_, content) => return Some(content.to_json()),
            Self::Delete(_) | Self::Read(_) => return None,
            Self::Title(_, title) => json!({"op": "replace", "path": "title", "value": title.to_string()}),
            Self::Rename(_, name) => json!({"op": "replace", "path": "displayName", "value": name}),
            Self::Join(_, members) => json!({"op": "add", "path": "members", "value": values(members)}),
            Self::Leave(_, member) => json!({"op": "remove", "path": format!("members[value eq \"{member}\"]")}),
        };
        Some(json!({"schemas": [urns::PATCH_OP], "Operations": [operation]}))
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
