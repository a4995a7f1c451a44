//! What is written: changes and what came of them.

use scimwright_core::{Instant, Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Cut, Event, Key, Member, Version};

/// Writes, guards and events that happen together or not at all. Serializes, for stores that keep a journal of changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The time of the change: what `meta` says.
    pub time: Instant,
    /// In order; a later write sees an earlier one.
    pub writes: Vec<Write>,
    /// What must hold when all writes are done.
    pub guards: Vec<Guard>,
    /// Facts that the application keeps beside its resources.
    pub facts: Vec<Fact>,
    /// What the tenant's log says about it: one event at least, for every commit takes a place in the log.
    pub events: Vec<Event>,
    /// Which entries leave the log: those that are old enough. Whoever cuts writes the [`Checkpoint`](crate::Checkpoint) that stands for them
    /// as a fact of the same change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Closes the tenant with this change, or opens it. Without it the change is refused while the tenant is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<bool>,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Write {
    /// A new record. Its key must be new.
    Insert {
        /// The record.
        draft: Draft,
        /// Its first members.
        members: Delta,
    },
    /// Another document in the place of one that is there.
    Replace {
        /// The record as it shall be.
        draft: Draft,
        /// The version that was read.
        expect: Version,
        /// Who joins and leaves with it.
        members: Delta,
    },
    /// Members join and leave; the document stays. Commutes with other such writes, so usually nothing is expected.
    Members {
        /// The group.
        group: Key,
        /// Who joins and leaves.
        members: Delta,
        /// The version that the client insists on.
        expect: Option<Version>,
    },
    /// The record goes, from every group too.
    Delete {
        /// The record.
        key: Key,
        /// The version that was read or that the client insists on.
        expect: Option<Version>,
    },
}

/// A record as it shall be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Its name.
    pub key: Key,
    /// The document without rows. `meta` in it is not looked at.
    pub resource: Resource,
    /// The keys by which it is found, some of them unique.
    pub index: Vec<IndexKey>,
    /// The name for people that shows wherever others refer to it.
    pub display: Option<String>,
    /// The application's own notes.
    pub notes: Map<String, Value>,
    /// When it was made, for a record that comes back; the time of the change without it. Only an insertion looks at it.
    pub created: Option<Instant>,
}

/// A folded value by which a record is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexKey {
    /// Which attribute: [`IndexSpec::path`](scimwright_core::IndexSpec), or a name of the application's own.
    pub path: String,
    /// The value in the form in which it is compared.
    pub value: String,
    /// Among whom it may stand once only.
    pub scope: Scope,
}

/// Among whom a key may stand once only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// It may repeat.
    Many,
    /// Once in a tenant.
    Tenant,
    /// Once over all tenants.
    Global,
}

/// Who joins and who leaves a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// They join. Who is a member already stays as he is.
    pub join: Vec<Member>,
    /// They leave. Who is no member is passed over.
    pub leave: Vec<String>,
    /// Who joins leaves every other group of the same type: one group at a time.
    pub exclusive: bool,
    /// The types that may join; records of others count as not existing. Any type may where this is empty.
    pub of: Vec<String>,
}

/// What must hold after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Guard {
    /// The tenant has no more than so many records of a type. Only looked at when the change inserts one.
    AtMost {
        /// What is counted.
        resource_type: String,
        /// How many there may be.
        limit: u64,
    },
}

/// A fact that outlives the resources it speaks of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name in the tenant.
    pub name: String,
    /// What is known; none forgets it.
    pub value: Option<Value>,
    /// What must be known before; else nothing is written, and that is no failure.
    pub when: When,
}

/// What must be known before a fact is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum When {
    /// Whatever is known.
    #[default]
    Always,
    /// Nothing is known by that name.
    Absent,
    /// Just this is known.
    Is(Value),
}

impl When {
    /// Whether it holds for what is known.
    #[must_use]
    pub fn holds(&self, known: Option<&Value>) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => known.is_none(),
            Self::Is(value) => known == Some(value),
        }
    }
}

/// What came of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// The version that every written record now has.
    pub version: Version,
    /// Who left which other group because membership is exclusive.
    pub displaced: Vec<Displaced>,
}

/// A member that left one group by joining another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Displaced {
    /// The group that was left.
    pub group: String,
    /// Who left.
    pub member: String,
}

impl Change {
    /// A change that does nothing but enter the log.
    #[must_use]
    pub fn new(time: Instant, event: Event) -> Self {
        Self {
            time,
            writes: Vec::new(),
            guards: Vec::new(),
            facts: Vec::new(),
            events: vec![event],
            cut: None,
            close: None,
        }
    }

    /// With one write more.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
}

impl Delta {
    /// Whether nobody joins or leaves.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.join.is_empty() && self.leave.is_empty()
    }
}

impl Committed {
    /// For stores: what came of it.
    #[must_use]
    pub const fn new(version: Version, displaced: Vec<Displaced>) -> Self {
        Self { version, displaced }
    }
}
