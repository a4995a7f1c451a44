//! One transaction on one connection of the pool.

use deadpool_postgres::{Client, Object, Pool};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, Statement};

use crate::bind::Bind;
use crate::error::{Failure, Remedy};

/// How transactions begin. The settings last as long as the transaction: statements are written so that an index leads to each row, and
/// a planner that has no statistics yet must not read whole tables instead.
macro_rules! begin {
    ($mode:literal, $more:literal) => {
        concat!(
            "BEGIN ISOLATION LEVEL ",
            $mode,
            "; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
             SET LOCAL jit = off",
            $more
        )
    };
}

/// For commits: who has waited for the tenant's row has to see what was written while he did. A client that is gone without a word must
/// not hold that row for longer than others have patience. That it writes is not said: a server that may not write answers the first
/// statement with a code by which it is known.
const WRITE: &str =
    begin!("READ COMMITTED", "; SET LOCAL idle_in_transaction_session_timeout = '15s'; SET LOCAL lock_timeout = '10s'");
/// For what must see one state, however many statements it takes.
const READ: &str = begin!("REPEATABLE READ READ ONLY", "");

/// A statement with more values than this is not prepared: who asks for many things at once seldom asks for just that shape again.
const KEPT: usize = 16;

/// More prepared statements than this are not kept on a connection. Filters of many shapes share what is left by the store's own.
const STATEMENTS: usize = 256;

/// A connection, and the transaction on it, if one was begun. When it is dropped before its end the connection is closed with it, for
/// nobody else may get a connection with half a transaction.
pub(crate) struct Session {
    client: Option<Client>,
    /// What goes out in front of the first statement. Only what reads does not wait for the answer: a statement that writes must never
    /// reach a server that has refused to begin, for there it would commit by itself.
    begin: Option<&'static str>,
    /// Whether a transaction was begun and not ended.
    open: bool,
    prepared: bool,
    cursors: u32,
}

/// What came of an attempt to commit.
pub(crate) enum Ended {
    Committed,
    /// It was not committed.
    Failed(Failure),
    /// The connection was lost with the answer.
    Unknown(Failure),
}

impl Session {
    /// A transaction that sees one state and writes nothing.
    pub(crate) async fn reading(pool: &Pool, prepared: bool) -> Result<Self, Failure> {
        Self::new(pool, Some(READ), prepared).await
    }

    /// A transaction that writes.
    pub(crate) async fn writing(pool: &Pool, prepared: bool) -> Result<Self, Failure> {
        Self::new(pool, Some(WRITE), prepared).await
    }

    /// For a single statement that reads, which is a transaction of its own.
    pub(crate) async fn single(pool: &Pool, prepared: bool) -> Result<Self, Failure> {
        Self::new(pool, None, prepared).await
    }

    async fn new(pool: &Pool, begin: Option<&'static str>, prepared: bool) -> Result<Self, Failure> {
        Ok(Self { client: Some(pool.get().await?), begin, open: false, prepared, cursors: 0 })
    }

    pub(crate) async fn rows(&mut self, text: &str, values: &[Bind]) -> Result<Vec<Row>, Failure> {
        let prepared = self.prepared;
        let (client, begin) = self.next()?;
        let run = async {
            match statement(client, prepared, text, values).await? {
                Some(statement) => client.query(&statement, &plain(values)).await,
                None => client.query_typed(text, &typed(values)).await,
            }
        };
        Ok(behind(client, begin, run).await?)
    }

    /// How many rows a statement has written.
    pub(crate) async fn execute(&mut self, text: &str, values: &[Bind]) -> Result<u64, Failure> {
        let prepared = self.prepared;
        let (client, begin) = self.next()?;
        let run = async {
            match statement(client, prepared, text, values).await? {
                Some(statement) => client.execute(&statement, &plain(values)).await,
                None => client.execute_typed(text, &typed(values)).await,
            }
        };
        Ok(behind(client, begin, run).await?)
    }

    /// Opens a cursor of the transaction, and answers how to name it. It was never prepared: its name is part of its text.
    pub(crate) async fn declare(&mut self, text: &str, values: &[Bind]) -> Result<String, Failure> {
        self.cursors += 1;
        let name = format!("scim_cursor_{}", self.cursors);
        let text = format!("DECLARE {name} NO SCROLL CURSOR FOR {text}");
        self.unprepared(&text, values).await?;
        Ok(name)
    }

    /// Runs a statement whose text will not come again.
    pub(crate) async fn unprepared(&mut self, text: &str, values: &[Bind]) -> Result<Vec<Row>, Failure> {
        let (client, begin) = self.next()?;
        Ok(behind(client, begin, client.query_typed(text, &typed(values))).await?)
    }

    fn next(&mut self) -> Result<(&Client, Option<&'static str>), Failure> {
        let begin = self.begin.take();
        self.open |= begin.is_some();
        self.client.as_ref().map(|client| (client, begin)).ok_or(Failure::Stopped)
    }

    /// Commits what was written.
    pub(crate) async fn commit(mut self) -> Ended {
        let Some(client) = &self.client else { return Ended::Failed(Failure::Stopped) };
        match client.batch_execute("COMMIT").await {
            Ok(()) => {
                self.open = false;
                Ended::Committed
            }
            // The server answered, so it knows, and it says no.
            Err(error) if error.as_db_error().is_some() && Remedy::of(&error) != Remedy::Reconnect => {
                Ended::Failed(error.into())
            }
            Err(error) => Ended::Unknown(error.into()),
        }
    }

    /// Ends a transaction that has written nothing that is to stay. Nobody waits for it: the connection goes back to the pool when the
    /// server has answered.
    pub(crate) fn end(mut self) {
        if let Some(client) = self.client.take().filter(|_| self.open) {
            tokio::spawn(async move {
                if client.batch_execute("ROLLBACK").await.is_err() {
                    drop(Object::take(client));
                }
            });
        }
    }
}

/// The statement as the connection has it prepared, if it is to be.
async fn statement(
    client: &Client,
    prepared: bool,
    text: &str,
    values: &[Bind],
) -> Result<Option<Statement>, tokio_postgres::Error> {
    if !prepared || values.len() > KEPT {
        return Ok(None);
    }
    if client.statement_cache.size() > STATEMENTS {
        client.statement_cache.clear();
    }
    let kinds: Vec<Type> = values.iter().map(Bind::kind).collect();
    client.prepare_typed_cached(text, &kinds).await.map(Some)
}

fn plain(values: &[Bind]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(Bind::value).collect()
}

fn typed(values: &[Bind]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value.value(), value.kind())).collect()
}

/// Runs a statement behind what begins its transaction: both go out together when it only reads.
async fn behind<T>(
    client: &Client,
    begin: Option<&'static str>,
    run: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    let Some(begin) = begin else { return run.await };
    if begin == WRITE {
        client.batch_execute(begin).await?;
        return run.await;
    }
    let (begun, ran) = tokio::join!(biased; client.batch_execute(begin), run);
    begun.and(ran)
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(client) = self.client.take().filter(|_| self.open) {
            drop(Object::take(client));
        }
    }
}
