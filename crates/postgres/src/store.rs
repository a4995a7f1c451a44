//! The store: a handle to a pool of connections.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use scimwright_store::{Change, Committed, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::commit;
use crate::connect::{config, leads, pool, refused};
use crate::error::Failure;
use crate::retry::Retry;
use crate::session::Session;
use crate::turns::Turns;
use crate::{OpenError, PostgresOptions, migrate, read};

/// A store in a PostgreSQL database.
///
/// A clone is a handle to the same connections. Other stores, in this process or others, may work on the same database: nothing is
/// remembered between transactions. When the last handle is dropped the connections are closed.
#[derive(Clone)]
pub struct PostgresStore {
    shared: Arc<Shared>,
}

/// What every request needs.
pub(crate) struct Shared {
    pub(crate) pool: Pool,
    pub(crate) options: PostgresOptions,
    pub(crate) turns: Turns,
    runtime: Handle,
}

impl PostgresStore {
    /// Opens the database that a URL names, and checks that it has the tables of this version. It makes none: see
    /// [`migrate`](crate::migrate()). The store works on the Tokio runtime that this is called on, while its answers may be awaited
    /// anywhere.
    ///
    /// `postgres://user:password@host,otherhost/database` tries the hosts in turn until it finds the one that accepts writes: of several
    /// hosts `target_session_attrs` is `read-write` when it is left out. A server that follows another is refused, for what it answers
    /// may be of yesterday; with `target_session_attrs=read-only` it is what is asked for, and the store can read alone. `sslmode` is `disable`, `prefer` or `require`, and `prefer` when it is left out. Whenever TLS is used the
    /// server's certificate is verified by the certificates of the system (`SSL_CERT_FILE` names others) and the host's name, as
    /// `verify-full` of other clients does; `prefer` goes without TLS only where the server has none.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, the server does not answer, refuses or follows another, or the tables are missing or of another
    /// version.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let runtime = Handle::try_current().map_err(|error| OpenError::Runtime(error.into()))?;
        let config = config(url, &options)?;
        let pool = pool(&config, &options)?;
        let client = pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => refused(&config, error),
            other => OpenError::Database(other.into()),
        })?;
        leads(&config, &client).await?;
        migrate::check(&client).await?;
        drop(client);
        Ok(Self { shared: Arc::new(Shared { pool, options, turns: Turns::default(), runtime }) })
    }

    /// How PostgreSQL goes about a query: the lines of `EXPLAIN` for each statement that [`Store::find`] would run. For tests and for
    /// doctors; the words are PostgreSQL's and change with its versions and with what is in the tables.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the database cannot be asked.
    pub async fn explain(&self, tenant: &TenantId, query: &Query) -> Result<Vec<String>, StoreError> {
        self.read(Explain(tenant.clone(), query.clone())).await
    }

    /// The store's connections, for the tables that a program has beside the store's in the same database. Whoever takes one leaves
    /// nothing behind in its session, and gives it back without an open transaction.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// How the store uses its database.
    #[must_use]
    pub fn options(&self) -> &PostgresOptions {
        &self.shared.options
    }

    /// Reads in one snapshot. As nothing is written, it is tried again whenever the connection breaks.
    pub(crate) async fn read<R: Read>(&self, read: R) -> Result<R::Answer, StoreError> {
        let shared = Arc::clone(&self.shared);
        self.work(async move {
            let mut retry = Retry::new(shared.options.patience);
            loop {
                match shared.once(&read).await {
                    Ok(answer) => return Ok(answer),
                    Err(failure) => retry.wait(failure).await?,
                }
            }
        })
        .await
    }

    /// Does something on the store's runtime. Whoever asked may stop waiting; the work is done all the same.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.shared.runtime.spawn(work).await {
            Ok(done) => Ok(done?),
            Err(error) if error.is_panic() => Err(Failure::Panic.into()),
            Err(_) => Err(Failure::Stopped.into()),
        }
    }

    /// The same for what may block, as somebody else's source or sink does: on a thread of its own.
    pub(crate) async fn work_blocking<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let runtime = self.shared.runtime.clone();
        let done = self.shared.runtime.spawn_blocking(move || runtime.block_on(work));
        match done.await {
            Ok(done) => Ok(done?),
            Err(error) if error.is_panic() => Err(Failure::Panic.into()),
            Err(_) => Err(Failure::Stopped.into()),
        }
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Shared {
    async fn once<R: Read>(&self, read: &R) -> Result<R::Answer, Failure> {
        let prepared = self.options.prepared;
        let mut session = match R::SINGLE {
            true => Session::single(&self.pool, prepared).await?,
            false => Session::reading(&self.pool, prepared).await?,
        };
        let answer = read.read(&mut session).await?;
        session.end();
        Ok(answer)
    }
}

/// Something that is read.
pub(crate) trait Read: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Whether it is one statement, which sees one state by itself.
    const SINGLE: bool = false;

    fn read(&self, session: &mut Session) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

struct Get(TenantId, Key, Members);
struct Find(TenantId, Query);
struct Explain(TenantId, Query);
struct Log(TenantId, u64, usize);
struct Fact(TenantId, String);

impl Read for Get {
    type Answer = Option<Record>;

    async fn read(&self, session: &mut Session) -> Result<Option<Record>, Failure> {
        read::get(session, &self.0, &self.1, &self.2).await
    }
}

impl Read for Find {
    type Answer = Page;

    async fn read(&self, session: &mut Session) -> Result<Page, Failure> {
        read::find(session, &self.0, &self.1).await
    }
}

impl Read for Explain {
    type Answer = Vec<String>;

    async fn read(&self, session: &mut Session) -> Result<Vec<String>, Failure> {
        read::explain(session, &self.0, &self.1).await
    }
}

impl Read for Log {
    type Answer = Vec<Logged>;
    const SINGLE: bool = true;

    async fn read(&self, session: &mut Session) -> Result<Vec<Logged>, Failure> {
        read::log(session, &self.0, self.1, self.2).await
    }
}

impl Read for Fact {
    type Answer = Option<Value>;
    const SINGLE: bool = true;

    async fn read(&self, session: &mut Session) -> Result<Option<Value>, Failure> {
        read::fact(session, self.0.as_str(), &self.1).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        self.read(Get(tenant.clone(), key.clone(), members)).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.read(Find(tenant.clone(), query.clone())).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let (shared, tenant) = (self.shared(), tenant.clone());
        self.work(async move { commit::commit(&shared, &tenant, &change).await }).await
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.read(Log(tenant.clone(), after, limit)).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.read(Fact(tenant.clone(), name.to_owned())).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the pool: it knows the password.
        out.debug_struct("PostgresStore").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
