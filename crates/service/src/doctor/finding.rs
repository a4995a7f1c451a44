//! What can be wrong, and what to do about it.

use std::fmt;

use scimwright_store::{IndexKey, Key};
use serde::Serialize;

/// One thing that does not fit together. [`Display`](fmt::Display) says what, [`Finding::advice`] what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Finding {
    /// No type of that name is served.
    UnknownType {
        /// The record.
        key: Key,
    },
    /// The keys that a record was written with are not those that it would be written with today.
    StaleIndex {
        /// The record.
        key: Key,
        /// What it lacks.
        missing: Vec<IndexKey>,
        /// What it has too much.
        extra: Vec<IndexKey>,
    },
    /// The name by which others refer to a record is not the one in its document.
    StaleDisplay {
        /// The record.
        key: Key,
    },
    /// A record has a version that the log has not reached.
    FutureVersion {
        /// The record.
        key: Key,
        /// Its version.
        version: u64,
        /// The last position of the log.
        position: u64,
    },
    /// A record is not found by a key that it has.
    KeyMissing(Row),
    /// A record is found by a key that it does not have, or somebody is who is not there.
    KeyStray(Row),
    /// A key that may stand once only is not kept from others.
    UniqueMissing(Row),
    /// A key that nobody has is kept from everybody.
    UniqueStray(Row),
    /// There are more or fewer records of a type than the store says.
    RecordCount {
        /// The type.
        resource_type: String,
        /// What the store says.
        says: u64,
        /// How many there are.
        are: u64,
    },
    /// There are more or fewer keys of a path than the store says.
    KeyCount {
        /// The type.
        resource_type: String,
        /// The path.
        path: String,
        /// What the store says.
        says: u64,
        /// How many there are.
        are: u64,
    },
    /// A group has more or fewer members than the store says.
    MemberCount {
        /// The `id` of the group.
        group: String,
        /// What the store says.
        says: u64,
        /// How many there are.
        are: u64,
    },
    /// There is a member of a group that is not there.
    GroupMissing {
        /// The `id` of the group.
        group: String,
        /// The `id` of the member.
        member: String,
    },
    /// There is a member of something that can have none.
    NotAGroup {
        /// The record.
        group: Key,
        /// The `id` of the member.
        member: String,
    },
    /// There is a member that is not there.
    MemberMissing {
        /// The `id` of the group.
        group: String,
        /// The `id` of the member.
        member: String,
    },
    /// A member is of another type than its row says.
    MemberType {
        /// The `id` of the group.
        group: String,
        /// The `id` of the member.
        member: String,
        /// What the row says.
        says: String,
        /// What it is.
        is: String,
    },
    /// The log does not end where the store says.
    Position {
        /// What the store says.
        says: u64,
        /// Where it ends.
        ends: u64,
    },
    /// The log is no chain.
    Chain {
        /// What is wrong.
        reason: String,
    },
    /// The checkpoint at the beginning of the log is not to be trusted.
    Checkpoint {
        /// Why.
        reason: String,
    },
}

/// A row of an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The type; empty for a key that is unique over all tenants.
    pub resource_type: String,
    /// Which attribute.
    pub path: String,
    /// The folded value.
    pub value: String,
    /// The `id` of the record.
    pub id: String,
}

impl Finding {
    /// A word for the kind of it, as in its JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UnknownType { .. } => "unknown-type",
            Self::StaleIndex { .. } => "stale-index",
            Self::StaleDisplay { .. } => "stale-display",
            Self::FutureVersion { .. } => "future-version",
            Self::KeyMissing(_) => "key-missing",
            Self::KeyStray(_) => "key-stray",
            Self::UniqueMissing(_) => "unique-missing",
            Self::UniqueStray(_) => "unique-stray",
            Self::RecordCount { .. } => "record-count",
            Self::KeyCount { .. } => "key-count",
            Self::MemberCount { .. } => "member-count",
            Self::GroupMissing { .. } => "group-missing",
            Self::NotAGroup { .. } => "not-a-group",
            Self::MemberMissing { .. } => "member-missing",
            Self::MemberType { .. } => "member-type",
            Self::Position { .. } => "position",
            Self::Chain { .. } => "chain",
            Self::Checkpoint { .. } => "checkpoint",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::UnknownType { .. } => "serve the type that it was written by, or bring it back from a backup",
            Self::StaleIndex { .. } | Self::StaleDisplay { .. } => {
                "write the record once more, with any change: keys and names are worked out when a record is written"
            }
            Self::KeyMissing(_)
            | Self::KeyStray(_)
            | Self::UniqueMissing(_)
            | Self::UniqueStray(_)
            | Self::RecordCount { .. }
            | Self::KeyCount { .. }
            | Self::MemberCount { .. } => {
                "move the organisation to another database, which makes indexes and counters anew"
            }
            Self::GroupMissing { .. }
            | Self::NotAGroup { .. }
            | Self::MemberMissing { .. }
            | Self::MemberType { .. } => "let the member leave the group and join again, or go back to a backup",
            Self::FutureVersion { .. } | Self::Position { .. } => "the end of the log was cut off: go back to a backup",
            Self::Chain { .. } | Self::Checkpoint { .. } => {
                "somebody has changed the log: compare it with a backup, and its head with what you have noted"
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType { key } => write!(out, "{key} is of a type that is not served"),
            Self::StaleIndex { key, missing, extra } => {
                write!(out, "{key} was written with other keys than it has:")?;
                let mut each = |what: &str, keys: &[IndexKey]| {
                    keys.iter().try_for_each(|IndexKey { path, value, scope }| {
                        write!(out, " {what} {path} {value:?} ({scope:?})")
                    })
                };
                each("without", missing)?;
                each("with", extra)
            }
            Self::StaleDisplay { key } => write!(out, "{key} is shown to others by another name than it has"),
            Self::FutureVersion { key, version, position } => {
                write!(out, "{key} has version {version}, and the log ends at {position}")
            }
            Self::KeyMissing(row) => write!(out, "{row} is not found by it"),
            Self::KeyStray(row) => write!(out, "{row} is found by it without having it"),
            Self::UniqueMissing(row) => write!(out, "{row} does not keep it from others"),
            Self::UniqueStray(row) => write!(out, "{row} keeps it from others without having it"),
            Self::RecordCount { resource_type, says, are } => {
                write!(out, "there are {are} records of type {resource_type}, and {says} are counted")
            }
            Self::KeyCount { resource_type, path, says, are } => {
                write!(out, "there are {are} keys {path} of type {resource_type}, and {says} are counted")
            }
            Self::MemberCount { group, says, are } => {
                write!(out, "group {group} has {are} members, and {says} are counted")
            }
            Self::GroupMissing { group, member } => write!(out, "{member} is a member of {group}, which is not there"),
            Self::NotAGroup { group, member } => write!(out, "{member} is a member of {group}, which can have none"),
            Self::MemberMissing { group, member } => {
                write!(out, "group {group} has the member {member}, who is not there")
            }
            Self::MemberType { group, member, says, is } => {
                write!(out, "member {member} of group {group} is a {is} and its row says {says:?}")
            }
            Self::Position { says, ends } => write!(out, "the log ends at {ends} and should end at {says}"),
            Self::Chain { reason } | Self::Checkpoint { reason } => out.write_str(reason),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource_type, path, value, id } = self;
        let whose = if resource_type.is_empty() { "of everybody" } else { resource_type };
        write!(out, "key {path} {value:?} ({whose}): record {id}")
    }
}
