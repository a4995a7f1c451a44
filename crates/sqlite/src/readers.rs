//! The threads that read, each with a connection of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use rusqlite::Connection;
use scimwright_store::StoreError;

use crate::error::Failure;

/// Something to read. It answers whoever asked.
pub(crate) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What is awaited of a [`Job`]: an error means that it panicked.
pub(crate) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// After so many steps of its machine SQLite asks whether somebody still waits: some microseconds.
const STEPS: i32 = 10_000;

/// What is to be read, as something that any of the threads can do.
pub(crate) fn job<T: Send + 'static>(
    read: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
) -> (Job, Answer<T>) {
    let (answer, awaited) = oneshot::channel::<Result<T, StoreError>>();
    let job = move |connection: &mut Connection| {
        // Who has gone away while the job was waiting costs nothing more, and who goes away in the middle of it little.
        if answer.is_canceled() {
            return;
        }
        let answer = Arc::new(answer);
        let asked = Arc::downgrade(&answer);
        let gone = move || asked.upgrade().is_none_or(|answer| answer.is_canceled());
        // Without the handler the job is done to its end, which is right too.
        drop(connection.progress_handler(STEPS, Some(gone)));
        let done = snapshot(connection, read).map_err(StoreError::from);
        drop(connection.progress_handler(0, None::<fn() -> bool>));
        if let Some(answer) = Arc::into_inner(answer) {
            drop(answer.send(done));
        }
    };
    (Box::new(job), awaited)
}

/// Reads until nobody can ask any more and everything that was asked is answered.
pub(crate) fn run(connection: &mut Connection, jobs: &Mutex<Receiver<Job>>) {
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
            let mut connection = Connection::open_in_memory().unwrap();
            run(&mut connection, &Mutex::new(jobs));
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
        // Nobody waits for this one any more, and it would never end.
        let (endless, answer) = job::<u32>(|sql| {
            let sql = sql.query_row(
                "WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n FROM n) SELECT max(n) FROM n",
                [],
                |row| row.get(0),
            );
            Ok(sql?)
        });
        queue.send(endless).unwrap();
        drop(answer);
        let (reads, answer) = job::<u32>(|sql| Ok(sql.query_row("SELECT 8", [], |row| row.get(0))?));
        queue.send(reads).unwrap();
        assert!(matches!(block_on(answer), Ok(Ok(8))));
        drop(queue);
        thread.join().unwrap();
    }
}
