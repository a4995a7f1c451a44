//! The log as a chain: every entry has a hash that follows from the one before, so that nobody can change, insert or remove an entry
//! in the middle without all that come after telling.
//!
//! The hash of an entry is `SHA-256(hash of the entry before || canonical JSON of the entry)`, where the canonical JSON is that of RFC
//! 8785 of `{"position": …, …}` with the fields of [`Event`] beside it: what [`Logged`] serializes to, without `hash`. What stands
//! before the first entry is the hash of the tenant's name, so that the log of one tenant is never taken for another's. An auditor needs
//! nothing of this crate to check it.
//!
//! Retention cuts the oldest entries off. A [`Checkpoint`] stands for them: it says which hash the last of them had, and who vouches for
//! that. It is kept as the fact [`CHECKPOINT`], written by the very change that cuts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{Event, Logged, Store, StoreError, TenantId};

mod whole;

pub use whole::{verify_noted, verify_whole};

/// The name of the fact that is the [`Checkpoint`] before the first entry that a log still has.
pub const CHECKPOINT: &str = "scimwright.log.checkpoint";

/// What stands in front of a tenant's name where that is hashed.
const DOMAIN: &str = "scimwright log 1\n";

/// What stands in front of a checkpoint where that is signed.
const CHECKPOINT_DOMAIN: &str = "scimwright checkpoint 1\n";

/// So many entries are read at a time.
const PAGE: usize = 500;

/// The hash of an entry of the log and, through the entry before, of all that went before. Shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainHash([u8; 32]);

/// Why a text is no [`ChainHash`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash of the log is 64 hexadecimal digits")]
pub struct ChainHashError;

/// Which entries leave the log with a change: see [`Change::cut`](crate::Change::cut).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The last entry that leaves. All before it leave too.
    pub through: u64,
    /// The hash that it must have: that of the checkpoint which stands for it from now on.
    pub hash: ChainHash,
}

/// What stands for the entries that were cut off: the log begins behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// Whose log.
    pub tenant: String,
    /// The position of the last entry that was cut off.
    pub position: u64,
    /// The hash of that entry.
    pub hash: ChainHash,
    /// When it was cut off, as RFC 3339 in UTC.
    pub time: String,
    /// How often the log was cut before. What stood for that is [`previous`](Checkpoint::previous).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cuts_before: u64,
    /// The SHA-256 of the [`message`](Checkpoint::message) of the checkpoint before this one, if there was one: whoever has kept that
    /// one can show that this one follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<ChainHash>,
    /// Which key has signed, as the application names its keys. Empty where nobody has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The signature of [`Checkpoint::message`], as the application writes it. Empty where nobody has signed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

/// What [`verify_whole`] or [`verify`] has found of a log whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// What stands for the entries that were cut off, if any were.
    pub checkpoint: Option<Checkpoint>,
    /// How many entries there are.
    pub entries: u64,
    /// The position of the last one, or of the checkpoint; 0 in an empty log.
    pub position: u64,
    /// The hash at that position. Whoever notes it elsewhere can tell later whether the log was rewritten from its beginning.
    pub head: ChainHash,
}

/// Why a log cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// An entry is missing, or stands twice.
    #[error("entry {expected} of the log is missing: the next one is {found}")]
    Gap {
        /// The position that was to come next.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// An entry is not what was written, or what stood before it was not.
    #[error("the hash of entry {0} of the log does not follow from what stands before it")]
    Broken(u64),
    /// Entries are gone from the end, or all of them.
    #[error("the log ends with entry {ends}, but entry {written} was written: its end was taken away")]
    Ends {
        /// The last position that the log has.
        ends: u64,
        /// The last position that the tenant has.
        written: u64,
    },
    /// The fact that should be a checkpoint is none.
    #[error("the checkpoint at the beginning of the log cannot be read")]
    NoCheckpoint(#[source] serde_json::Error),
    /// The checkpoint is another tenant's, or its signature is not good.
    #[error("the checkpoint at position {0} of the log is not to be trusted: {1}")]
    Untrusted(u64, String),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChainHash {
    /// What stands before the first entry of a tenant's log.
    #[must_use]
    pub fn first(tenant: &TenantId) -> Self {
        Self(Sha256::new().chain_update(DOMAIN).chain_update(tenant.as_str()).finalize().into())
    }

    /// The hash of the entry that comes next.
    #[must_use]
    pub fn next(self, position: u64, event: &Event) -> Self {
        let entry = canonical(&entry(position, event));
        Self(Sha256::new().chain_update(self.0).chain_update(entry).finalize().into())
    }

    /// Puts events behind an entry of the log: the first of them at the position after `last`.
    pub fn extend(self, last: u64, events: Vec<Event>) -> impl Iterator<Item = Logged> {
        events.into_iter().zip(last + 1..).scan(self, |hash, (event, position)| {
            *hash = hash.next(position, &event);
            Some(Logged { position, event, hash: *hash })
        })
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for ChainHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ChainHash({self})")
    }
}

impl FromStr for ChainHash {
    type Err = ChainHashError;

    fn from_str(text: &str) -> Result<Self, ChainHashError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(ChainHashError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| pair.get(at).and_then(|digit| char::from(*digit).to_digit(16));
            let (high, low) = digit(0).zip(digit(1)).ok_or(ChainHashError)?;
            *byte = u8::try_from(high * 16 + low).map_err(|_| ChainHashError)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ChainHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Checkpoint {
    /// What is signed: everything but the signature.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let unsigned = Self { signature: String::new(), ..self.clone() };
        let value = serde_json::to_value(unsigned).unwrap_or_default();
        [CHECKPOINT_DOMAIN.as_bytes(), canonical(&value).as_bytes()].concat()
    }

    /// What the next checkpoint says of this one.
    #[must_use]
    pub fn digest(&self) -> ChainHash {
        ChainHash(Sha256::digest(self.message()).into())
    }

    /// Whether it stands for entries of that tenant, and is trusted.
    fn check(&self, tenant: &TenantId, trust: impl Fn(&Self) -> Result<(), String>) -> Result<(), ChainError> {
        let ours = if self.tenant == tenant.as_str() { trust(self) } else { Err("it is another tenant's".to_owned()) };
        ours.map_err(|why| ChainError::Untrusted(self.position, why))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Reads the log of a tenant page by page and checks that it is a chain from its beginning, or from the checkpoint that `trust` trusts.
///
/// A plain [`Store`] does not tell how far it has written, so entries that are gone from the end are not missed, and entries that are
/// cut off between two pages look like a gap. Where the store can do it, [`verify_whole`] has neither of these weaknesses.
///
/// # Errors
///
/// What is wrong with it, or that it cannot be read. `trust` says why a checkpoint is not to be trusted.
pub async fn verify<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    trust: impl Fn(&Checkpoint) -> Result<(), String>,
) -> Result<Verified, ChainError> {
    let checkpoint = store.fact(tenant, CHECKPOINT).await?.map(serde_json::from_value::<Checkpoint>).transpose();
    let checkpoint = checkpoint.map_err(ChainError::NoCheckpoint)?;
    if let Some(known) = &checkpoint {
        known.check(tenant, trust)?;
    }
    let start = checkpoint.as_ref().map(|known| (known.position, known.hash));
    let mut verifier = Verifier::new(tenant, start);
    loop {
        let page = store.log(tenant, verifier.position, PAGE).await?;
        if page.is_empty() {
            break;
        }
        page.iter().try_for_each(|logged| verifier.check(logged))?;
    }
    let Verifier { position, head, entries } = verifier;
    Ok(Verified { checkpoint, entries, position, head })
}

/// Checks entries one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Verifier {
    position: u64,
    head: ChainHash,
    entries: u64,
}

impl Verifier {
    /// Begins where the log begins, or behind the position and hash of a checkpoint.
    #[must_use]
    pub fn new(tenant: &TenantId, checkpoint: Option<(u64, ChainHash)>) -> Self {
        let (position, head) = checkpoint.unwrap_or_else(|| (0, ChainHash::first(tenant)));
        Self { position, head, entries: 0 }
    }

    /// Begins anew behind a checkpoint.
    const fn begin(&mut self, position: u64, hash: ChainHash) {
        *self = Self { position, head: hash, entries: 0 };
    }

    /// Checks the next entry.
    ///
    /// # Errors
    ///
    /// [`ChainError::Gap`] when it is not the next one, [`ChainError::Broken`] when its hash does not follow.
    pub fn check(&mut self, logged: &Logged) -> Result<(), ChainError> {
        let expected = self.position + 1;
        if logged.position != expected {
            return Err(ChainError::Gap { expected, found: logged.position });
        }
        let head = self.head.next(expected, &logged.event);
        if logged.hash != head {
            return Err(ChainError::Broken(expected));
        }
        *self = Self { position: expected, head, entries: self.entries + 1 };
        Ok(())
    }

    /// The position that was checked last, and its hash.
    #[must_use]
    pub const fn head(&self) -> (u64, ChainHash) {
        (self.position, self.head)
    }
}

/// An entry as it is hashed.
fn entry(position: u64, event: &Event) -> Value {
    // An event is texts, lists of texts and a number: it cannot fail to become JSON.
    let mut entry = match serde_json::to_value(event) {
        Ok(Value::Object(entry)) => entry,
        _ => Map::new(),
    };
    entry.insert("position".to_owned(), position.into());
    entry.into()
}

/// JSON as RFC 8785 writes it, for values whose numbers are whole: members in the order of their names in UTF-16, no spaces.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            // Not left to the map: in which order it keeps its members depends on who else uses `serde_json`.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|left, right| left.0.encode_utf16().cmp(right.0.encode_utf16()));
            let members =
                members.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests;
