//! What a database has to do for the directory: statements, and nothing that is decided.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{DirectoryError, ExtensionChange, ExtensionRecord, Notice, Organisation, TokenRecord};
use crate::token::Digest;

/// What comes of a statement.
pub(super) type Done<T> = Result<T, DirectoryError>;

/// What statements are run together for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reading: each statement sees what is there when it starts.
    Read,
    /// Reading and writing: all of it or nothing, and nobody else writes what was read for this.
    Write,
    /// The same for what can be missed: it waits neither long nor for the disk.
    Aside,
}

/// A database that holds the product's tables.
#[async_trait]
pub(super) trait Backend: Debug + Send + Sync {
    /// How long a request goes on when the database is away or hangs.
    fn patience(&self) -> Duration;

    /// Begins. Nothing that is written is there before [`Tables::commit`], and without it nothing ever is. No statement waits for a
    /// server longer than until then.
    async fn begin_until(&self, kind: Kind, until: Instant) -> Done<Box<dyn Tables>>;

    /// Begins what is tried once.
    async fn begin(&self, kind: Kind) -> Done<Box<dyn Tables>> {
        self.begin_until(kind, Instant::now() + self.patience()).await
    }
}

/// The statements. Whoever changes an organisation, or anything of it, finds it with `lock` first, and so is the only one.
#[async_trait]
pub(super) trait Tables: Send {
    /// Makes what was written last.
    async fn commit(self: Box<Self>) -> Done<()>;

    /// Gives up what was written.
    async fn abandon(self: Box<Self>);

    /// The key of that name. One that is damaged is an error.
    async fn key(&mut self, name: &'static str) -> Done<Option<[u8; 32]>>;

    /// Keeps a key by that name, unless there is one.
    async fn keep_key(&mut self, name: &str, key: [u8; 32]) -> Done<()>;

    /// The text of that name.
    async fn text(&mut self, name: &str) -> Done<Option<String>>;

    /// The texts whose names begin so, with their names.
    async fn texts(&mut self, prefix: &str) -> Done<Vec<(String, String)>>;

    /// Keeps a text by that name.
    async fn keep_text(&mut self, name: &str, text: &str) -> Done<()>;

    /// Notes that there is an organisation from now on. Answers whether this is the first.
    async fn is_first(&mut self) -> Done<bool>;

    /// All organisations, in no order.
    async fn organisations(&mut self) -> Done<Vec<Organisation>>;

    /// The organisation whose name has this key; with `lock` nobody else changes it until the end.
    async fn named(&mut self, name_key: &str, lock: bool) -> Done<Option<Organisation>>;

    /// The organisation of this id.
    async fn organisation(&mut self, id: &str, lock: bool) -> Done<Option<Organisation>>;

    /// Adds an organisation. Answers `false`, and does nothing, when the key of its name is taken.
    async fn add_organisation(&mut self, organisation: &Organisation, name_key: &str) -> Done<bool>;

    /// Writes what can change about an organisation.
    async fn set_organisation(&mut self, organisation: &Organisation) -> Done<()>;

    /// The token of this digest with its organisation, and the digest that was stored.
    async fn token(&mut self, digest: &Digest) -> Done<Option<(Digest, TokenRecord, Organisation)>>;

    /// The tokens of an organisation, oldest first.
    async fn tokens(&mut self, organisation: &str) -> Done<Vec<TokenRecord>>;

    /// The tokens of an organisation with what is stored of their secrets, oldest first.
    async fn tokens_with_digests(&mut self, organisation: &str) -> Done<Vec<(TokenRecord, Digest)>>;

    /// Adds a token.
    async fn add_token(&mut self, token: &TokenRecord, digest: &Digest) -> Done<()>;

    /// Revokes a token that is not revoked.
    async fn revoke(&mut self, organisation: &str, token: &str, at: DateTime<Utc>) -> Done<()>;

    /// Writes when tokens were last used: each with its organisation.
    async fn used(&mut self, tokens: &[Used], at: DateTime<Utc>) -> Done<()>;

    /// The extensions of an organisation, removed ones too, oldest first.
    async fn extensions(&mut self, organisation: &str) -> Done<Vec<ExtensionRecord>>;

    /// The same with how often they have changed, of one moment.
    async fn extensions_and_changes(&mut self, organisation: &str) -> Done<(i64, Vec<ExtensionRecord>)>;

    /// Changes an extension and counts the change.
    async fn change_extension(&mut self, organisation: &str, change: &ExtensionChange, at: DateTime<Utc>) -> Done<()>;

    /// Adds an extension as it was elsewhere, which is no change.
    async fn add_extension(&mut self, organisation: &str, extension: &ExtensionRecord) -> Done<()>;

    /// Removes an organisation and everything of it.
    async fn remove_organisation(&mut self, organisation: &str, name_key: &str) -> Done<()>;

    /// Adds a notice, claimed at that moment, and answers its id.
    async fn add_notice(&mut self, organisation: &str, event: &str, at: DateTime<Utc>) -> Done<String>;

    /// The organisations of which a notice may wait that nobody has claimed since `before`.
    async fn waiting(&mut self, before: DateTime<Utc>) -> Done<Vec<String>>;

    /// Claims what was last claimed before that moment, and answers it, oldest first.
    async fn claim(&mut self, organisation: &str, before: DateTime<Utc>, at: DateTime<Utc>) -> Done<Vec<Notice>>;

    /// Removes a notice.
    async fn remove_notice(&mut self, organisation: &str, id: &str) -> Done<()>;
}

/// A token that was used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Used {
    pub(super) organisation: String,
    pub(super) token: String,
}

/// The columns of an organisation `o`, in the order in which both databases read them.
pub(super) const ORGANISATION: &str =
    "o.id, o.name, o.seats, o.profile, o.linking, o.deletion, o.scim_enabled, o.created, o.extensions, o.closed";

/// The columns of a token `t`.
pub(super) const TOKEN: &str = "t.id, t.organisation, t.label, t.created, t.last_used, t.revoked, t.scope";

/// How many columns a token has.
pub(super) const TOKEN_WIDTH: usize = 7;

/// The columns of an extension `e`.
pub(super) const EXTENSION: &str = "e.urn_key, e.schema, e.created, e.changed, e.removed";

/// Reads the schema of an extension of that organisation.
pub(super) fn schema_of(organisation: &str, text: &str) -> Done<serde_json::Value> {
    serde_json::from_str(text).map_err(|error| DirectoryError::DamagedExtension(organisation.to_owned(), error))
}
