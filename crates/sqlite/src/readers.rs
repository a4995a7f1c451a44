//! The threads that read, each with a connection of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

use futures_channel::oneshot;
use rusqlite::Connection;
use scimwright_store::StoreError;

use crate::error::Failure;

/// Something to read. It answers whoever asked.
pub(crate) type Job = Box<dyn FnOnce(&Connection) + Send>;

/// What is awaited of a [`Job`]: an error means that it panicked.
pub(crate) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// What is to be read, as something that any of the threads can do.
pub(crate) fn job<T: Send + 'static>(
    read: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
) -> (Job, Answer<T>) {
    let (answer, awaited) = oneshot::channel();
    let job = move |connection: &Connection| {
        // Who has gone away while the job was waiting costs nothing more.
        if !answer.is_canceled() {
            drop(answer.send(snapshot(connection, read).map_err(StoreError::from)));
        }
    };
    (Box::new(job), awaited)
}

/// Reads until nobody can ask any more and everything that was asked is answered.
pub(crate) fn run(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting and given away before reading: then the next thread waits.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic drops the sender inside the job, which is the answer; the thread goes on.
        drop(catch_unwind(AssertUnwindSafe(|| job(connection))));
        if !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
    }
}

/// Reads everything from one state of the file.
fn snapshot<T>(sql: &Connection, read: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
    sql.prepare_cached("BEGIN DEFERRED")?.execute([])?;
    let done = read(sql)?;
    sql.prepare_cached("COMMIT")?.execute([])?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use pollster::block_on;

    use super::*;

    #[test]
    fn a_job_that_panics_or_fails_takes_nobody_with_it() {
        let (queue, jobs) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let connection = Connection::open_in_memory().unwrap();
            run(&connection, &Mutex::new(jobs));
        });
        let (panics, answer) = job::<u32>(|_| panic!("on purpose"));
        queue.send(panics).unwrap();
        assert!(block_on(answer).is_err());
        let (fails, answer) = job::<u32>(|sql| Ok(sql.query_row("SELECT nothing", [], |row| row.get(0))?));
        queue.send(fails).unwrap();
        assert!(matches!(block_on(answer), Ok(Err(StoreError::Unavailable(_)))));
        let (reads, answer) = job::<u32>(|sql| Ok(sql.query_row("SELECT 7", [], |row| row.get(0))?));
        queue.send(reads).unwrap();
        assert!(matches!(block_on(answer), Ok(Ok(7))));
        drop(queue);
        thread.join().unwrap();
    }
}
