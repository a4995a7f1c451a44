//! The one thread that writes: commits that wait are gathered into one durable transaction.
//!
//! A durable transaction costs a wait for the disk, whatever is in it. While that wait lasts the next commits queue up,
//! and the thread takes them all together. Each has a savepoint, so that one which fails takes nothing with it but
//! itself; nobody hears of success before the disk has it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use futures_channel::oneshot;
use rusqlite::Connection;
use scimwright_store::{Change, Committed, StoreError, TenantId};

use crate::commit::commit;
use crate::error::Failure;

/// How many commits share a transaction at most: readers see none of them before the last is done.
const BATCH: usize = 256;

/// What waits for the writer.
pub(crate) enum Job {
    /// Something that may share a transaction with others.
    Commit(Commit),
    /// Something that has one alone, and answers whoever asked.
    Alone(Box<dyn FnOnce(&Connection) + Send>),
}

/// A commit that waits, and who waits for it.
pub(crate) struct Commit {
    pub(crate) tenant: TenantId,
    pub(crate) change: Change,
    pub(crate) answer: oneshot::Sender<Result<Committed, StoreError>>,
}

/// Something that is written in a transaction of its own, and what is awaited of it: an error means that it panicked.
pub(crate) fn job<T: Send + 'static>(
    write: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, StoreError>>) {
    let (answer, awaited) = oneshot::channel();
    let job = move |connection: &Connection| {
        let done = whole(connection, write).map_err(StoreError::from);
        roll_back(connection);
        drop(answer.send(done));
    };
    (Job::Alone(Box::new(job)), awaited)
}

/// Commits until nobody can send any more and everything that was sent is done.
pub(crate) fn run(connection: &Connection, jobs: &Receiver<Job>) {
    let mut next = None;
    while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
        match job {
            Job::Commit(first) => {
                let mut batch = vec![first];
                while batch.len() < BATCH && next.is_none() {
                    match jobs.try_recv() {
                        Ok(Job::Commit(commit)) => batch.push(commit),
                        Ok(other) => next = Some(other),
                        Err(_) => break,
                    }
                }
                commit_all(connection, batch);
            }
            Job::Alone(work) => {
                // A panic drops the sender inside the job, which is the answer; the thread goes on.
                drop(catch_unwind(AssertUnwindSafe(|| work(connection))));
                roll_back(connection);
            }
        }
    }
}

/// Commits together, and tells each who waits.
fn commit_all(connection: &Connection, batch: Vec<Commit>) {
    let (todo, waiting): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|Commit { tenant, change, answer }| ((tenant, change), answer)).unzip();
    match transaction(connection, todo) {
        Ok(done) => {
            for (answer, result) in waiting.into_iter().zip(done) {
                // Who does not wait any more cannot be told; the commit stands.
                drop(answer.send(result));
            }
        }
        Err(failure) => {
            roll_back(connection);
            let failure = Arc::new(failure);
            for answer in waiting {
                drop(answer.send(Err(StoreError::unavailable(Arc::clone(&failure)))));
            }
        }
    }
}

/// Ends a transaction that has failed.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // If this fails as well, so will the next BEGIN, and it is told there.
        drop(connection.execute_batch("ROLLBACK"));
    }
}

/// One durable transaction of somebody alone.
fn whole<T>(sql: &Connection, write: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
    execute(sql, "BEGIN IMMEDIATE")?;
    let done = write(sql)?;
    execute(sql, "COMMIT")?;
    Ok(done)
}

/// One durable transaction. An error is one of all of it: whatever was decided in it may have leant on what is lost
/// now.
fn transaction(sql: &Connection, todo: Vec<(TenantId, Change)>) -> Result<Vec<Result<Committed, StoreError>>, Failure> {
    execute(sql, "BEGIN IMMEDIATE")?;
    let mut done = Vec::with_capacity(todo.len());
    for (tenant, change) in todo {
        done.push(alone(sql, &tenant, change)?.map_err(StoreError::from));
    }
    execute(sql, "COMMIT")?;
    Ok(done)
}

/// One commit in its savepoint. The outer error is one of the transaction, the inner one its own.
fn alone(sql: &Connection, tenant: &TenantId, change: Change) -> Result<Result<Committed, Failure>, Failure> {
    execute(sql, "SAVEPOINT one")?;
    let done = catch_unwind(AssertUnwindSafe(|| commit(sql, tenant, change))).unwrap_or(Err(Failure::Panic));
    if done.is_err() {
        if sql.is_autocommit() {
            // A full disk or a broken file ends the whole transaction.
            return done.map(Ok);
        }
        execute(sql, "ROLLBACK TO one")?;
    }
    execute(sql, "RELEASE one")?;
    Ok(done)
}

fn execute(sql: &Connection, statement: &str) -> Result<(), Failure> {
    sql.prepare_cached(statement)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use pollster::block_on;
    use scimwright_core::Resource;
    use scimwright_store::{Delta, Draft, Event, Key, Write};
    use serde_json::{Map, Value};

    use super::*;

    fn insert(id: &str, title: &str) -> Change {
        let mut resource = Resource::default();
        resource.put("title", Value::from(title));
        let key = Key::new("User", id);
        let draft = Draft { key, resource, index: Vec::new(), display: None, notes: Map::new(), created: None };
        let insert = Write::Insert { draft, members: Delta::default() };
        Change::new("2026-01-01T00:00:00Z".parse().unwrap(), Event::default()).write(insert)
    }

    /// What becomes of changes that wait together: the version of each, or its error.
    fn commits(sql: &Connection, changes: Vec<Change>) -> Vec<String> {
        let (queue, jobs) = mpsc::channel();
        let answers: Vec<_> = changes
            .into_iter()
            .map(|change| {
                let (answer, waiting) = oneshot::channel();
                let tenant = "a".parse().unwrap();
                queue.send(Job::Commit(Commit { tenant, change, answer })).unwrap();
                waiting
            })
            .collect();
        drop(queue);
        run(sql, &jobs);
        let told = |done: Result<Committed, StoreError>| match done {
            Ok(committed) => committed.version.0.to_string(),
            Err(error) => error.to_string(),
        };
        answers.into_iter().map(|answer| told(block_on(answer).unwrap())).collect()
    }

    fn database() -> Connection {
        let sql = Connection::open_in_memory().unwrap();
        sql.execute_batch(crate::open::SCHEMA).unwrap();
        sql
    }

    #[test]
    fn nobody_hears_of_success_when_the_transaction_fails() {
        let mut sql = database();
        let mut fails = true;
        sql.commit_hook(Some(move || std::mem::replace(&mut fails, false))).unwrap();
        let lost = commits(&sql, vec![insert("1", ""), insert("1", ""), insert("2", "")]);
        // Not even of the conflict, for what it was in conflict with is lost as well.
        assert_eq!(lost, ["the store is not available"; 3]);
        assert_eq!(commits(&sql, vec![insert("1", ""), insert("1", ""), insert("2", "")]), ["1", "`id` is taken", "2"]);
    }

    #[test]
    fn a_full_disk_ends_the_transaction_and_not_the_store() {
        let sql = database();
        let pages: i64 = sql.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        sql.pragma_update(None, "max_page_count", pages + 40).unwrap();
        let large = "x".repeat(1 << 20);
        assert_eq!(commits(&sql, vec![insert("1", ""), insert("2", &large)]), ["the store is not available"; 2]);
        assert_eq!(commits(&sql, vec![insert("1", ""), insert("2", "")]), ["1", "2"]);
    }
}
