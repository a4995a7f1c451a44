//! The organisations and their tokens: tables of the product's own, beside those of SCIM in one SQLite file.
//!
//! Every answer is read from the file when it is asked for, never from memory. So what a command beside a running
//! server changes, a revoked token above all, holds from the server's next request on.

mod error;
mod extensions;
mod last_used;
mod organisations;
mod records;
mod schema;
mod tokens;

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::token::NoRandomness;

pub use error::DirectoryError;
pub use extensions::{ExtensionChange, ExtensionRecord, Notice};
pub use records::{Authenticated, Changes, NewOrganisation, Organisation, TokenRecord};

use last_used::LastUsed;

use crate::policy::TokenScope;
use crate::types::Indexes;

/// Connections that are kept for the next caller. More may be open while more threads ask at the same moment.
const IDLE_CONNECTIONS: usize = 8;

/// The product's tables. One value serves all threads; its methods block for as long as SQLite takes, which for a read
/// is some 20 microseconds.
pub struct Directory {
    path: Box<Path>,
    idle: Mutex<Vec<Connection>>,
    last_used: LastUsed,
}

impl Directory {
    /// Opens the database, and makes the file and the product's tables where they are missing.
    ///
    /// # Errors
    /// When the file cannot be opened or made, is no database, or was written by a newer version of the product.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DirectoryError> {
        let path = path.as_ref();
        // What SQLite does not take for the name of a file: a database of this connection alone, of which each of ours
        // would see another one, and a URI, which may ask for such a one too.
        let text = path.as_os_str().as_encoded_bytes();
        if text.is_empty() || text == b":memory:" || text.starts_with(b"file:") {
            return Err(DirectoryError::NotAFile(path.to_owned()));
        }
        let connection = schema::prepare(path)?;
        Ok(Self { path: path.into(), idle: Mutex::new(vec![connection]), last_used: LastUsed::new(path) })
    }

    /// Makes organisation `default` with a token, if there is no organisation at all: what a server does with a fresh
    /// database. Of several that start at once, one makes it and the others get `None`.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random bytes.
    pub fn make_first_organisation(
        &self,
        new: &NewOrganisation,
        label: &str,
    ) -> Result<Option<Created>, DirectoryError> {
        self.write(|transaction| {
            if organisations::any(transaction)? {
                return Ok(None);
            }
            let organisation = organisations::insert(transaction, new)?;
            let (token, secret) = tokens::insert(transaction, &organisation, TokenScope::Scim, label)?;
            Ok(Some(Created { organisation, token, secret }))
        })
    }

    /// The key that seals the cursors of lists: drawn once for each database, so that a walk through a list outlives a restart and
    /// may go on at another server on the same file.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random bytes.
    pub fn cursor_key(&self) -> Result<[u8; 32], DirectoryError> {
        self.write(|transaction| {
            let known =
                transaction.query_row("SELECT value FROM sch_meta WHERE key = 'cursor_key'", [], |row| row.get(0));
            if let Some(key) = known.optional()? {
                return Ok(key);
            }
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(NoRandomness)?;
            transaction.execute("INSERT INTO sch_meta (key, value) VALUES ('cursor_key', ?1)", [key])?;
            Ok(key)
        })
    }

    /// The indexes that each resource type had when a server last served it.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub(crate) fn indexes(&self) -> Result<Indexes, DirectoryError> {
        let text: Option<String> = self.with(|connection| {
            let sql = "SELECT value FROM sch_meta WHERE key = 'indexes'";
            Ok::<_, DirectoryError>(connection.query_row(sql, [], |row| row.get(0)).optional()?)
        })?;
        text.map_or(Ok(Indexes::new()), |text| serde_json::from_str(&text).map_err(DirectoryError::DamagedIndexes))
    }

    /// Remembers the indexes of each resource type.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn remember_indexes(&self, indexes: &Indexes) -> Result<(), DirectoryError> {
        let text = serde_json::to_string(indexes).map_err(DirectoryError::DamagedIndexes)?;
        self.write(|transaction| {
            let sql = "INSERT INTO sch_meta (key, value) VALUES ('indexes', ?1) ON CONFLICT DO UPDATE SET value = ?1";
            Ok(transaction.execute(sql, [text]).map(drop)?)
        })
    }

    /// Lends a connection to the work.
    fn with<T, E: From<DirectoryError>>(&self, work: impl FnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E> {
        let kept = self.idle().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => schema::connect(&self.path)?,
        };
        let result = work(&mut connection);
        let mut idle = self.idle();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
        result
    }

    /// Runs the work in one transaction that holds the write lock from its first read on, so that no other process
    /// writes between what it has read and what it writes.
    fn write<T, E: From<DirectoryError>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        self.with(|connection| {
            let behavior = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior).map_err(DirectoryError::from)?;
            let result = work(&transaction)?;
            transaction.commit().map_err(DirectoryError::from)?;
            Ok(result)
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // The lock is only held for a push or a pop, which leave the list whole whatever happens.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A new organisation and its first token.
#[derive(Debug)]
pub struct Created {
    /// The organisation.
    pub organisation: Organisation,
    /// What is kept of the token.
    pub token: TokenRecord,
    /// The token itself, to be shown now or never.
    pub secret: crate::token::Secret,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Edition;

    #[test]
    fn handlers_can_share_it() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Directory>();
    }

    #[test]
    fn what_sqlite_takes_for_no_file_is_refused() {
        for path in ["", ":memory:", "file:hub.db?mode=memory", "file:hub.db"] {
            assert!(matches!(Directory::open(path), Err(DirectoryError::NotAFile(_))), "{path:?}");
        }
    }

    #[test]
    fn only_the_first_start_makes_an_organisation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let new = NewOrganisation::named("default", Edition::First);
        // Several servers on one fresh file, each making the tables and the organisation if they are missing.
        let made: Vec<bool> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let directory = Directory::open(&path).unwrap();
                        directory.make_first_organisation(&new, "first").unwrap().is_some()
                    })
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
        let directory = Directory::open(&path).unwrap();
        assert_eq!(directory.organisations().unwrap().len(), 1);
        assert_eq!(directory.tokens("default").unwrap().len(), 1);
    }

    #[test]
    fn connections_are_kept_and_not_hoarded() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path().join("hub.db")).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| directory.organisations().unwrap());
            }
        });
        assert!((1..=IDLE_CONNECTIONS).contains(&directory.idle().len()));
    }
}
