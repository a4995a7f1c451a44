//! The store: a handle to the threads that do its work.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use futures_channel::oneshot;
use rusqlite::Connection;
use scimwright_store::{Change, Committed, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId};
use serde_json::Value;

use crate::error::Failure;
use crate::{OpenError, SqliteOptions, find, open, read, readers, writer};

/// A store in an SQLite file.
///
/// A clone is a handle to the same threads and connections. Other stores, in this process or another, may have the same
/// file open: nothing is remembered between transactions. Dropping the last handle waits until everything that was
/// asked for is done.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    /// None while the store is being dropped.
    queues: Option<Queues>,
    threads: Vec<JoinHandle<()>>,
}

struct Queues {
    writes: Sender<writer::Job>,
    reads: Sender<readers::Job>,
}

impl SqliteStore {
    /// Opens the file, or makes it. The folder must be there.
    ///
    /// The file may hold other tables; the store's own have names that begin with `scim_`.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or is no database, when a later version of this crate has written it, when it
    /// cannot have a write-ahead log, as a database in memory, or when no threads can be started.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let connection = open::prepare(path, &options)?;
        let (writes, jobs) = mpsc::channel();
        let (reads, questions) = mpsc::channel();
        let questions = Arc::new(Mutex::new(questions));
        // From here on an error drops what is there, which ends the threads that were started.
        let queues = Some(Queues { writes, reads });
        let mut shared = Shared { path: path.to_owned(), queues, threads: Vec::new() };
        shared.start("scim-writer", move || writer::run(&connection, &jobs))?;
        for _ in 0..options.readers.max(1) {
            let mut connection = open::reader(path, &options)?;
            let questions = Arc::clone(&questions);
            shared.start("scim-reader", move || readers::run(&mut connection, &questions))?;
        }
        Ok(Self { shared: Arc::new(shared) })
    }

    /// How SQLite goes about a query: the lines of `EXPLAIN QUERY PLAN` for each statement that [`Store::find`] would
    /// run. For tests and for doctors; the words are SQLite's and change with its versions.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the file cannot be read.
    pub async fn explain(&self, tenant: &TenantId, query: &Query) -> Result<Vec<String>, StoreError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read(move |sql| find::explain(sql, &tenant, &query)).await
    }

    /// Lets the writer write something that is no commit, in a transaction of its own.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = writer::job(write);
        if self.shared.queues.as_ref().is_none_or(|queues| queues.writes.send(job).is_err()) {
            return Err(Failure::Stopped.into());
        }
        answer.await.unwrap_or_else(|_| Err(Failure::Panic.into()))
    }

    /// Lets one of the readers read, in one snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = readers::job(read);
        if self.shared.queues.as_ref().is_none_or(|queues| queues.reads.send(job).is_err()) {
            return Err(Failure::Stopped.into());
        }
        answer.await.unwrap_or_else(|_| Err(Failure::Panic.into()))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        let (tenant, key) = (tenant.clone(), key.clone());
        self.read(move |sql| find::get(sql, &tenant, &key, &members)).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read(move |sql| find::find(sql, &tenant, &query)).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let (answer, committed) = oneshot::channel();
        let job = writer::Job::Commit(writer::Commit { tenant: tenant.clone(), change, answer });
        if self.shared.queues.as_ref().is_none_or(|queues| queues.writes.send(job).is_err()) {
            return Err(Failure::Stopped.into());
        }
        committed.await.unwrap_or_else(|_| Err(Failure::Panic.into()))
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |sql| read::log(sql, &tenant, after, limit)).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.read(move |sql| read::fact(sql, tenant.as_str(), &name)).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SqliteStore").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Shared {
    fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work).map_err(OpenError::Thread)?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(Queues { writes, reads }) = self.queues.take() else { return };
        // The writer was started first and goes last: when the connections close at once, each takes another for the last one, and
        // the log beside the file stays there.
        let readers = self.threads.split_off(self.threads.len().min(1));
        drop(reads);
        readers.into_iter().for_each(wait);
        drop(writes);
        self.threads.drain(..).for_each(wait);
    }
}

/// Waits until a thread has ended.
fn wait(thread: JoinHandle<()>) {
    // A waker may run what awaited an answer on the thread that gave it, and that may own the last handle.
    if thread.thread().id() != thread::current().id() {
        drop(thread.join());
    }
}
