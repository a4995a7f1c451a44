//! The product's tables in an SQLite file, beside those of SCIM.

mod rows;
mod schema;
mod statements;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::Connection;

use super::DirectoryError;
use super::tables::{Backend, Done, Kind, Tables};

/// Connections that are kept for the next caller. More may be open while more ask at the same moment.
const IDLE_CONNECTIONS: usize = 8;

/// Shorter than elsewhere: what is written so can be missed.
const ASIDE_TIMEOUT: Duration = Duration::from_secs(2);

/// A file. What waits for other writers or for the disk does so on a thread for that; a statement in between takes some 20
/// microseconds and stays on the thread that asks, for which a change of threads would cost as much.
pub(super) struct SqliteFile {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl SqliteFile {
    /// Opens the file, and makes it and its tables where they are missing.
    pub(super) fn open(path: &Path) -> Done<Self> {
        // What SQLite does not take for the name of a file: a database of this connection alone, of which each of ours
        // would see another one, and a URI, which may ask for such a one too.
        let text = path.as_os_str().as_encoded_bytes();
        if text.is_empty() || text == b":memory:" || text.starts_with(b"file:") {
            return Err(DirectoryError::NotAFile(path.to_owned()));
        }
        let connection = schema::prepare(path)?;
        Ok(Self { path: path.into(), idle: Arc::new(Mutex::new(vec![connection])) })
    }

    fn take(&self) -> Done<Connection> {
        let kept = idle(&self.idle).pop();
        kept.map_or_else(|| schema::connect(&self.path), Ok)
    }
}

#[async_trait]
impl Backend for SqliteFile {
    /// A file is never away, and locks have a time of their own.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    async fn begin_until(&self, kind: Kind, _until: Instant) -> Done<Box<dyn Tables>> {
        let (connection, home) = match kind {
            Kind::Read => (self.take()?, Some(self.idle.clone())),
            Kind::Write => (blocking(self.take()?, begin).await?, Some(self.idle.clone())),
            Kind::Aside => {
                let path = self.path.clone();
                (on_a_thread(move || begin(aside(&path)?)).await?, None)
            }
        };
        Ok(Box::new(Session { connection: Some(connection), home }))
    }
}

impl fmt::Debug for SqliteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A connection while somebody has it.
struct Session {
    /// None once it is given back.
    connection: Option<Connection>,
    /// Where it goes then; nowhere when it is not like the others.
    home: Option<Arc<Mutex<Vec<Connection>>>>,
}

impl Session {
    fn sql(&self) -> Done<&Connection> {
        self.connection.as_ref().ok_or(DirectoryError::Interrupted)
    }

    /// Waits for the disk, on another thread.
    async fn end(mut self) -> Done<()> {
        if let Some(connection) = self.connection.take().filter(|connection| !connection.is_autocommit()) {
            self.connection = Some(blocking(connection, commit).await?);
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(connection), Some(home)) = (self.connection.take(), &self.home) else { return };
        // What is dropped in the middle is not to be there. A connection of which that cannot be said is closed.
        if connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok() {
            let mut idle = idle(home);
            if idle.len() < IDLE_CONNECTIONS {
                idle.push(connection);
            }
        }
    }
}

fn idle(list: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    // The lock is only held for a push or a pop, which leave the list whole whatever happens.
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the write lock before the first read, so that no other process writes between what is read and what is written.
fn begin(connection: Connection) -> Done<Connection> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    Ok(connection)
}

fn commit(connection: Connection) -> Done<Connection> {
    connection.execute_batch("COMMIT")?;
    Ok(connection)
}

fn aside(path: &Path) -> Done<Connection> {
    let connection = schema::open(path, ASIDE_TIMEOUT)?;
    // Not worth a wait for the disk while others want the write lock: a power cut may forget a minute of this. The file
    // stays whole all the same, since write-ahead logging needs the wait for durability only.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

async fn blocking(connection: Connection, work: fn(Connection) -> Done<Connection>) -> Done<Connection> {
    on_a_thread(move || work(connection)).await
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> Done<T> + Send + 'static) -> Done<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(DirectoryError::Interrupted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_kept_and_not_hoarded() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile::open(&folder.path().join("hub.db")).unwrap();
        let mut taken = Vec::new();
        for _ in 0..32 {
            taken.push(file.begin(Kind::Read).await.unwrap());
        }
        drop(taken);
        assert_eq!(idle(&file.idle).len(), IDLE_CONNECTIONS);
    }

    #[tokio::test]
    async fn what_is_dropped_in_the_middle_was_never_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile::open(&folder.path().join("hub.db")).unwrap();
        for kind in [Kind::Write, Kind::Aside] {
            let mut tables = file.begin(kind).await.unwrap();
            tables.keep_text("indexes", "{}").await.unwrap();
            drop(tables);
            assert_eq!(file.begin(Kind::Read).await.unwrap().text("indexes").await.unwrap(), None, "{kind:?}");
        }
        // And nobody waits for its lock.
        let mut tables = file.begin(Kind::Write).await.unwrap();
        tables.keep_text("indexes", "{}").await.unwrap();
        tables.commit().await.unwrap();
        assert_eq!(file.begin(Kind::Read).await.unwrap().text("indexes").await.unwrap().as_deref(), Some("{}"));
    }
}
