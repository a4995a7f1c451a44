//! The product's tables in PostgreSQL, beside those of SCIM in one database.
//!
//! Statements have no names and leave nothing behind in their session, so a pooler may give every transaction another connection.
//! What belongs to an organisation is found by its id first, in every key and every condition: see `migrations`. What a
//! request does touches one organisation, but for the look-up that says which.

mod rows;
mod schema;
#[cfg(test)]
mod sharding;
mod statements;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool, PoolError};
use scimwright_postgres::{PostgresStore, Remedy};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::tables::{Backend, Done, Kind, Tables};
use super::{Directory, DirectoryError};

pub(crate) use schema::migrate;

/// Whoever has waited for an organisation's row has to see what was written meanwhile, whatever the database is set to. And who is
/// gone without a word must not hold that row for long. The settings end with the transaction.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '15s'; \
                     SET LOCAL lock_timeout = '8s'";

/// How long a statement may take, or a commit: one that takes longer is waiting for a server that is not there any more. Another
/// connection may lead to one that is, while patience lasts.
const SILENCE: Duration = Duration::from_secs(10);

impl Directory {
    /// Opens the tables in the database of the store, which must be there: see [`migrate`].
    ///
    /// # Errors
    /// When the database cannot be reached, or its tables are missing, or are of an older or a newer version.
    pub(crate) async fn in_postgres(store: &PostgresStore) -> Result<Self, DirectoryError> {
        let patience = store.options().patience;
        Self::through(Postgres { pool: store.pool().clone(), patience, _store: Some(store.clone()) }).await
    }

    async fn through(database: Postgres) -> Result<Self, DirectoryError> {
        let until = Instant::now() + database.patience;
        schema::check(&connect(&database.pool, until).await?, until).await?;
        Ok(Self::over(Arc::new(database)))
    }
}

/// A database.
#[derive(Debug)]
struct Postgres {
    pool: Pool,
    /// As long as the store's, so that whoever takes over from a server is waited for by all of a request.
    patience: Duration,
    /// Whose connections they are: they are closed when the last handle to it goes.
    _store: Option<PostgresStore>,
}

#[async_trait]
impl Backend for Postgres {
    fn patience(&self) -> Duration {
        self.patience
    }

    async fn begin_until(&self, kind: Kind, until: Instant) -> Done<Box<dyn Tables>> {
        let mut session = Session { client: Some(connect(&self.pool, until).await?), open: false, until };
        // A token's last use is one statement of its own each: nobody waits for another, and none is in another's way.
        if kind == Kind::Write {
            // Also when whoever asks goes away before the answer comes.
            session.open = true;
            session.batch(BEGIN).await?;
        }
        Ok(Box::new(session))
    }
}

async fn connect(pool: &Pool, until: Instant) -> Done<Object> {
    let got = tokio::time::timeout_at(until.into(), pool.get()).await.map_err(|_| late())?;
    got.map_err(|error| match error {
        PoolError::Backend(error) => failure(error),
        other => DirectoryError::Unreachable(other.into()),
    })
}

/// A connection while somebody has it.
struct Session {
    /// None once it is not to be used any more.
    client: Option<Object>,
    /// Whether a transaction is under way.
    open: bool,
    /// When whoever asked has waited long enough.
    until: Instant,
}

impl Session {
    fn client(&self) -> Done<&Object> {
        self.client.as_ref().ok_or(DirectoryError::Interrupted)
    }

    async fn batch(&mut self, sql: &str) -> Done<()> {
        let done = in_time(self.until, self.client()?.batch_execute(sql)).await;
        self.heed(done)
    }

    /// Lets nobody have the connection again where it is unknown what it is doing.
    fn heed<T>(&mut self, done: Result<T, Option<Error>>) -> Done<T> {
        done.map_err(|error| match error {
            Some(error) => {
                // A server that takes no writes any more is not the one to ask next time.
                if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
                    self.discard();
                }
                failure(error)
            }
            None => {
                self.discard();
                late()
            }
        })
    }

    /// Closes the connection: what was open in it is rolled back by the server.
    fn discard(&mut self) {
        drop(self.client.take().map(Object::take));
    }

    async fn end(&mut self, how: &str) -> Done<()> {
        if self.open {
            self.batch(how).await?;
            self.open = false;
        }
        Ok(())
    }

    async fn commit(mut self) -> Done<()> {
        // Whether a commit came through that was not answered nobody knows, so it is not for repeating.
        self.end("COMMIT").await.map_err(|error| match error {
            DirectoryError::Unreachable(source) => DirectoryError::Database(source),
            other => other,
        })
    }

    async fn abandon(mut self) {
        // Where this fails the connection goes, and with it what was begun.
        drop(self.end("ROLLBACK").await);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It did not end well, or whoever asked has gone away in the middle. There is no time here to roll back.
        if self.open {
            self.discard();
        }
    }
}

/// Waits for an answer; `None` is none in time.
async fn in_time<T, E>(until: Instant, answer: impl Future<Output = Result<T, E>>) -> Result<T, Option<E>> {
    match tokio::time::timeout_at(until.min(Instant::now() + SILENCE).into(), answer).await {
        Ok(done) => done.map_err(Some),
        Err(_) => Err(None),
    }
}

fn late() -> DirectoryError {
    DirectoryError::Unreachable(std::io::Error::from(std::io::ErrorKind::TimedOut).into())
}

/// What a failure means for whoever asked.
fn failure(error: Error) -> DirectoryError {
    match Remedy::of(&error) {
        // Somebody has held the organisation's row for long: the server is there.
        Remedy::Reconnect if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => DirectoryError::Busy(error.into()),
        // There is no connection, or it broke; or the server ends, is not there yet or has become a replica.
        Remedy::Reconnect => DirectoryError::Unreachable(error.into()),
        Remedy::Again => DirectoryError::Busy(error.into()),
        Remedy::Report => DirectoryError::Database(error.into()),
    }
}
