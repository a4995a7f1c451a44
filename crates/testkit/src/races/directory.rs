//! A directory of users and groups that is asked one thing at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Content, Shown, Step};
use crate::linearizability::Model;

/// In what servers differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Who joins a group leaves every other.
    pub one_group_at_a_time: bool,
    /// Members that do not exist are passed over and not refused.
    pub unknown_members_pass: bool,
}

/// Users with unique names, and groups of users: what RFC 7644 says of each request when no other is under way.
#[derive(Clone, Copy, Debug)]
pub struct Directory {
    rules: Rules,
}

/// The resources, by `id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    resources: BTreeMap<String, Stored>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Stored {
    content: Content,
    version: Version,
}

/// What is known of a version. Not every answer tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Version {
    Is(u64),
    MoreThan(u64),
}

impl Version {
    /// The version after a change, which is not told yet.
    const fn moved(self) -> Self {
        match self {
            Self::Is(version) | Self::MoreThan(version) => Self::MoreThan(version),
        }
    }

    /// The version, if it may be this one.
    fn told(self, version: u64) -> Option<Self> {
        let fits = match self {
            Self::Is(known) => known == version,
            Self::MoreThan(known) => version > known,
        };
        fits.then_some(Self::Is(version))
    }
}

impl Directory {
    /// A directory by these rules, empty.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { rules }
    }
}

impl Model for Directory {
    type State = State;
    type Op = Step;

    fn start(&self) -> State {
        State::default()
    }

    fn step(&self, state: &State, step: &Step) -> Vec<State> {
        let mut next = state.clone();
        next.answers(self.rules, step).then_some(next).into_iter().collect()
    }
}

impl State {
    /// Does what is asked, and says whether it is answered so.
    fn answers(&mut self, rules: Rules, step: &Step) -> bool {
        let (id, content) = match &step.asked {
            Asked::Create(content) => return self.create(rules, content, step),
            Asked::Read(id) => return self.shows(id, step),
            Asked::Replace(id, content) => (id, Some(content)),
            Asked::Title(id, _)
            | Asked::Rename(id, _)
            | Asked::Join(id, _)
            | Asked::Leave(id, _)
            | Asked::Delete(id) => (id, None),
        };
        let Some(stored) = self.resources.get_mut(id) else { return step.status == 404 };
        if let Some(version) = step.if_match {
            match (stored.version.told(version), stored.version) {
                // Whatever the version is, it is another.
                (None, _) => return step.status == 412,
                // It may be another: nobody was told.
                (Some(_), Version::MoreThan(_)) if step.status == 412 => return true,
                (Some(told), _) => stored.version = told,
            }
        }
        let before = stored.content.clone();
        let mut after = content.cloned().unwrap_or_else(|| before.clone());
        match (&step.asked, &mut after) {
            (Asked::Delete(_), _) => {
                self.remove(id);
                return step.status == 204;
            }
            (Asked::Title(_, title), Content::User { title: now, .. }) => *now = Some(*title),
            (Asked::Rename(_, name), Content::Group { name: now, .. }) => now.clone_from(name),
            (Asked::Join(_, who), Content::Group { members, .. }) => members.extend(who.iter().cloned()),
            (Asked::Leave(_, who), Content::Group { members, .. }) => drop(members.remove(who)),
            _ => {}
        }
        if let Some(refused) = self.admit(rules, id, Some(&before), &mut after) {
            return step.status == refused;
        }
        self.write(rules, id, Some(before), after);
        let patches = !matches!(step.asked, Asked::Replace(..));
        // Whether a PATCH shows the resource is the server's choice (RFC 7644 section 3.5.2).
        (step.status == 200 || step.status == 204 && patches) && self.tells(id, step)
    }

    fn create(&mut self, rules: Rules, content: &Content, step: &Step) -> bool {
        let mut content = content.clone();
        match (self.admit(rules, "", None, &mut content), &step.made) {
            (Some(refused), _) => step.status == refused,
            (None, Some(id)) if step.status == 201 && !self.resources.contains_key(id) => {
                self.write(rules, id, None, content);
                self.tells(id, step)
            }
            (None, _) => false,
        }
    }

    /// The status with which what shall be there is refused. Members that pass are taken out.
    fn admit(&self, rules: Rules, id: &str, before: Option<&Content>, after: &mut Content) -> Option<u16> {
        match after {
            Content::User { name, .. } => {
                let taken = |(other, stored): (&String, &Stored)| {
                    other != id && matches!(&stored.content, Content::User { name: own, .. } if own == name)
                };
                self.resources.iter().any(taken).then_some(409)
            }
            Content::Group { members, .. } => {
                let there = |member: &String| self.resources.contains_key(member);
                if rules.unknown_members_pass {
                    members.retain(there);
                    return None;
                }
                let old = match before {
                    Some(Content::Group { members, .. }) => members.clone(),
                    _ => BTreeSet::new(),
                };
                (!members.difference(&old).all(there)).then_some(400)
            }
        }
    }

    /// Writes what shall be there; the version moves when something changes. Who joined leaves the other groups, where that is
    /// the rule.
    fn write(&mut self, rules: Rules, id: &str, before: Option<Content>, after: Content) {
        if let (true, Content::Group { members, .. }) = (rules.one_group_at_a_time, &after) {
            let old = match &before {
                Some(Content::Group { members, .. }) => members.clone(),
                _ => BTreeSet::new(),
            };
            let joined: Vec<String> = members.difference(&old).cloned().collect();
            for member in joined {
                self.leaves(&member, Some(id));
            }
        }
        let version = self.resources.get(id).map_or(Version::MoreThan(0), |stored| stored.version);
        let version = if before.as_ref() == Some(&after) { version } else { version.moved() };
        self.resources.insert(id.to_owned(), Stored { content: after, version });
    }

    fn remove(&mut self, id: &str) {
        self.resources.remove(id);
        self.leaves(id, None);
    }

    /// Takes somebody out of every group but one.
    fn leaves(&mut self, member: &str, but: Option<&str>) {
        for (id, stored) in &mut self.resources {
            if let Content::Group { members, .. } = &mut stored.content
                && Some(id.as_str()) != but
                && members.remove(member)
            {
                stored.version = stored.version.moved();
            }
        }
    }

    /// Whether a read is answered so.
    fn shows(&mut self, id: &str, step: &Step) -> bool {
        match (self.resources.contains_key(id), step.status) {
            (true, 200 | 201) => step.shown.is_some() && self.tells(id, step),
            (false, 404) => step.shown.is_none(),
            _ => false,
        }
    }

    /// Whether what is shown, if anything, is what is there. From now on its version is known.
    fn tells(&mut self, id: &str, step: &Step) -> bool {
        let Some(Shown { id: shown, version, content }) = &step.shown else { return true };
        let Some(stored) = self.resources.get_mut(id) else { return false };
        match stored.version.told(*version) {
            Some(told) if shown == id && *content == stored.content => {
                stored.version = told;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
