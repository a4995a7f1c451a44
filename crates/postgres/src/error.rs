//! What can go wrong: opening a database, and everything after.

use std::error::Error;
use std::io;

use deadpool_postgres::PoolError;
use scimwright_sql::Damaged;
use scimwright_store::StoreError;
use tokio_postgres::error::SqlState;

/// Why a database cannot be opened as a store, or not be migrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is none of PostgreSQL's.
    #[error("the URL of the database cannot be read")]
    Url(#[source] Box<dyn Error + Send + Sync>),
    /// The database has no tables of the store.
    #[error("the database has no tables of this store yet: run `migrate`")]
    Missing,
    /// An earlier version of this crate has made the tables.
    #[error("the database has schema version {found} and this program needs {known}: run `migrate`")]
    Older {
        /// The database's version.
        found: i64,
        /// The version that is needed.
        known: i64,
    },
    /// A later version of this crate has made the tables, and this one would not understand them.
    #[error("the database has schema version {found}, which is newer than {known}, the newest that this program knows")]
    Newer {
        /// The database's version.
        found: i64,
        /// The last version that is known here.
        known: i64,
    },
    /// There is no certificate to trust, and the URL demands TLS.
    #[error("the URL demands TLS, and there are no certificates to check the server by")]
    Certificates(#[source] Box<dyn Error + Send + Sync>),
    /// The server takes no writes: it follows another one, or is set so. What it answers may be of yesterday.
    #[error(
        "the server takes no writes, for it follows another or is set to read only: name the one that leads, or all of them"
    )]
    ReadOnly,
    /// The database's texts are not in UTF-8.
    #[error("the database keeps its texts in {0}, and this store needs UTF8")]
    Encoding(String),
    /// There is no Tokio runtime to work on.
    #[error("a store in PostgreSQL is opened on a Tokio runtime")]
    Runtime(#[source] Box<dyn Error + Send + Sync>),
    /// The server does not answer, or refuses.
    #[error("the database cannot be opened")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// A migration has failed; the database is as it was before it.
    #[error("the database cannot be migrated")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Why something was not done: an outcome that the caller can act on, or a failure that it can only report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Outcome(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("what is stored is not what was written")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Damaged(#[from] Damaged),
    #[error("entry {0} of the log is missing, so that nothing can follow it")]
    Log(u64),
    #[error("the time of the change is not between the years 1678 and 2261")]
    Time,
    #[error("the change needs something that this store does not know")]
    Unknown,
    #[error("there is no randomness to tell attempts apart by")]
    Random,
    #[error("the connection was lost while the change was being committed, and whether it was cannot be told any more")]
    Uncertain,
    #[error("too many commits of the tenant wait already")]
    Busy,
    #[error("a task of the store has panicked")]
    Panic,
    #[error("the runtime of the store has stopped")]
    Stopped,
    #[error(transparent)]
    Transfer(io::Error),
    #[error("the name of a tenant is none")]
    Tenant(#[source] Box<dyn Error + Send + Sync>),
}

/// What to do about a failure; see [`Retry`](crate::Retry).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Another transaction was in the way, and the server has undone ours: the same again may succeed.
    Again,
    /// The connection is of no use any more, or there is none. Whether the same may be tried again depends on what was sent.
    Reconnect,
    /// None.
    Report,
}

impl Failure {
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Database(error) | Self::Pool(PoolError::Backend(error)) => Remedy::of(error),
            Self::Pool(PoolError::Timeout(_)) | Self::Busy => Remedy::Reconnect,
            _ => Remedy::Report,
        }
    }
}

impl Remedy {
    /// What to do about what the driver or the server says.
    #[must_use]
    pub fn of(error: &tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            // Not the server's words: the connection's own, unless a value has the wrong type.
            let source = error.source();
            let values = source.is_some_and(|source| source.is::<tokio_postgres::types::WasNull>());
            // A certificate that is not trusted today is not trusted in a second either.
            let broken = |error: &io::Error| error.kind() != io::ErrorKind::InvalidData;
            let network =
                error.is_closed() || source.is_none_or(|source| source.downcast_ref::<io::Error>().is_some_and(broken));
            return if network && !values { Self::Reconnect } else { Self::Report };
        };
        if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
            return Self::Again;
        }
        // A server that may not write any more was the leader once.
        let lost = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::IDLE_SESSION_TIMEOUT,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            // Somebody has held the tenant's row for long; he may be gone.
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        if lost.contains(code) || code.code().starts_with("08") { Self::Reconnect } else { Self::Report }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Outcome(outcome) => outcome,
            Failure::Database(error) => Self::unavailable(error),
            Failure::Pool(error) => Self::unavailable(error),
            Failure::Transfer(error) => Self::unavailable(error),
            other => Self::unavailable(other),
        }
    }
}
