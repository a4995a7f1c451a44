//! The tenant's log: who did what to whom, and what came of it. Never a secret, never a whole body.

use serde::{Deserialize, Serialize};

use crate::{ChainHash, Displaced, Key};

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    /// When, as RFC 3339 in UTC.
    pub time: String,
    /// Who, as the application names callers: the public id of a token, `admin`.
    pub actor: String,
    /// What was asked: `create`, `replace`, `patch`, `delete`, `link`.
    pub operation: String,
    /// Whom it was about, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Key>,
    /// The HTTP status that the caller got.
    pub status: u16,
    /// A refusal in words, or a remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The names of the attributes that changed, without their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Whether the account was switched on or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<Transition>,
    /// The ids of those who joined the group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<String>,
    /// The ids of those who left the group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// Who left other groups by joining this one. A store fills it in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub displaced: Vec<Displaced>,
    /// Which tolerances the request needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quirks: Vec<String>,
}

/// A change of an account's state that auditors ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transition {
    /// The account may not be used any more; its data stays.
    Deactivated,
    /// The account may be used again.
    Reactivated,
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// The place: 1, 2, 3 and so on, without gaps.
    pub position: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// What ties it to the entry before: see [`chain`](crate::chain).
    pub hash: ChainHash,
}
