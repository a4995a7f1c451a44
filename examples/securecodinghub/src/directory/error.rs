//! What can go wrong with the directory, in words for the person at the command line.

use std::path::PathBuf;

use scimwright_postgres::Remedy;

use super::Closed;
use crate::policy::TokenScope;
use crate::token::NoRandomness;

/// What a database says.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the directory could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The file cannot be opened or made.
    #[error("cannot open the database `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The path names no file.
    #[error("`{}` names no file, and the database must be one: give a path such as securecodinghub.db", .0.display())]
    NotAFile(PathBuf),
    /// A newer version of the product has written the file.
    #[error(
        "the database is of version {found} and this program knows versions up to {known}: run the newer securecodinghub"
    )]
    Newer {
        /// The version of the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The database has no tables of the product, or those of an older version.
    #[error(
        "the database {}, and this program needs version {known}: run `securecodinghub migrate --database …`",
        found.map_or_else(|| "has no tables of this program".to_owned(), |found| format!("is of version {found}"))
    )]
    Older {
        /// The version of its tables, if there are any.
        found: Option<i64>,
        /// The version that this program knows.
        known: i64,
    },
    /// The database is there and fails.
    #[error("the database fails")]
    Database(#[source] Source),
    /// There is no connection to the database, or none any more.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Source),
    /// Another transaction was in the way of this one, of which nothing was done.
    #[error("the database is too busy")]
    Busy(#[source] Source),
    /// The work was broken off.
    #[error("the change was interrupted")]
    Interrupted,
    /// A name that no organisation can have.
    #[error("`{}` is no name for an organisation: {reason}", given.escape_debug())]
    BadName {
        /// What was given.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A label that no token can have.
    #[error("`{}` is no label for a token: {reason}", given.escape_debug())]
    BadLabel {
        /// What was given.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another organisation has this name, perhaps with other capitals.
    #[error("there is an organisation `{0}` already: choose another name")]
    NameTaken(String),
    /// More seats than can be counted.
    #[error("{0} seats are more than can be counted: leave the limit out instead")]
    TooManySeats(u64),
    /// The organisation takes no changes.
    #[error("organisation `{0}` is closed here: {1}")]
    Closed(String, Closed),
    /// The organisation is in another state than it was found in.
    #[error("organisation `{name}` is {} by now: somebody else moves it, or takes its move back", state.as_ref().map_or_else(|| "open".to_owned(), ToString::to_string))]
    OtherState {
        /// Its name.
        name: String,
        /// Its state.
        state: Option<Closed>,
    },
    /// No organisation has this name.
    #[error("there is no organisation `{}`: see `securecodinghub org list`", .0.escape_debug())]
    UnknownOrganisation(String),
    /// The organisation has as many living tokens as it may.
    #[error(
        "organisation `{organisation}` has {} living tokens{} ({}), and more may not live at a time: take one that is out \
         of use and run `securecodinghub token revoke --org '{organisation}' ID` first",
        living.len(),
        if *scope == TokenScope::Admin { " of scope admin" } else { "" },
        living.join(", ")
    )]
    TooManyTokens {
        /// The organisation.
        organisation: String,
        /// What they open.
        scope: TokenScope,
        /// The public ids of its living tokens of that scope, oldest first.
        living: Vec<String>,
    },
    /// The organisation has no token with this id.
    #[error(
        "organisation `{organisation}` has no token `{}`: see `securecodinghub token list --org '{organisation}'`",
        token.escape_debug()
    )]
    UnknownToken {
        /// The organisation.
        organisation: String,
        /// What was given as the token's id.
        token: String,
    },
    /// What the database holds is not what was put there.
    #[error("an extension of organisation `{0}` in the database is no schema")]
    DamagedExtension(String, #[source] serde_json::Error),
    /// What the database remembers of types is not what was put there.
    #[error("what the database remembers of the indexes of resource types cannot be read")]
    DamagedIndexes(#[source] serde_json::Error),
    /// A key in the database is not what was put there.
    #[error("the key `{0}` in the database is damaged: bring it back from a backup")]
    DamagedKey(&'static str),
    /// No token can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl DirectoryError {
    /// What to do about it. Only where nothing was done it may be done again.
    pub(super) const fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable(_) => Remedy::Reconnect,
            Self::Busy(_) => Remedy::Again,
            _ => Remedy::Report,
        }
    }
}

impl From<rusqlite::Error> for DirectoryError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}
