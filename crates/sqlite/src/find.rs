//! Reading records: what `scimwright_sql` asks, answered by one connection in one read transaction.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Rows, params_from_iter};
use scimwright_sql::{Cell, Damaged, Dialect, Row, Source, Statement, Value, Walk};
use scimwright_store::{Key, Members, Page, Query, Record, TenantId};

use crate::error::Failure;

/// A statement with more values than this is not kept: who asks for many things at once seldom asks for just that shape
/// again, and hundreds of them would fill more memory than the page cache.
const KEPT: usize = 16;

pub(crate) fn find(sql: &Connection, tenant: &TenantId, query: &Query) -> Result<Page, Failure> {
    now(scimwright_sql::find(&mut Reading { sql }, Dialect::Sqlite, tenant, query))
}

pub(crate) fn get(
    sql: &Connection,
    tenant: &TenantId,
    key: &Key,
    members: &Members,
) -> Result<Option<Record>, Failure> {
    now(scimwright_sql::get(&mut Reading { sql }, Dialect::Sqlite, tenant, key, members))
}

/// How SQLite goes about the statements of [`find`], in its own words.
pub(crate) fn explain(sql: &Connection, tenant: &TenantId, query: &Query) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for Statement { text, values } in scimwright_sql::statements(Dialect::Sqlite, tenant, query) {
        let mut prepared = sql.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
        let details = prepared.query_map(params_from_iter(values.iter().map(Bound)), |row| row.get(3))?;
        lines.extend(details.collect::<Result<Vec<String>, _>>()?);
    }
    Ok(lines)
}

/// What a future answers that waits for nothing.
fn now<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(Failure::Stopped),
    }
}

/// A connection within a read transaction.
struct Reading<'c> {
    sql: &'c Connection,
}

impl Reading<'_> {
    /// Runs a statement that was made for one query.
    fn run<T>(
        &self,
        Statement { text, values }: &Statement,
        read: impl FnOnce(&mut Rows<'_>, usize) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut statement = self.sql.prepare_cached(text)?;
        let columns = statement.column_count();
        let read = read(&mut statement.query(params_from_iter(values.iter().map(Bound)))?, columns)?;
        if values.len() > KEPT {
            statement.discard();
        }
        Ok(read)
    }
}

impl Source for Reading<'_> {
    type Error = Failure;

    async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        self.run(statement, |rows, columns| batch(rows, columns, usize::MAX))
    }

    async fn walk(&mut self, statement: &Statement, walk: &mut Walk<'_>) -> Result<(), Failure> {
        let mut beside = Reading { sql: self.sql };
        self.run(statement, |rows, columns| {
            loop {
                let size = walk.size();
                let batch = batch(rows, columns, size)?;
                let last = batch.len() < size;
                if now(walk.take(&mut beside, batch))? == ControlFlow::Break(()) || last {
                    return Ok(());
                }
            }
        })
    }
}

/// The next rows, so many at most.
fn batch(rows: &mut Rows<'_>, columns: usize, size: usize) -> Result<Vec<Row>, Failure> {
    let mut batch = Vec::new();
    while batch.len() < size {
        let Some(row) = rows.next()? else { break };
        let cells = (0..columns).map(|at| cell(row.get_ref(at)?));
        batch.push(Row(cells.collect::<Result<_, Failure>>()?));
    }
    Ok(batch)
}

fn cell(value: ValueRef<'_>) -> Result<Cell, Failure> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(number) => Ok(Cell::Integer(number)),
        ValueRef::Text(text) => Ok(Cell::Text(String::from_utf8(text.to_vec()).map_err(|_| Damaged::Columns)?)),
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(Damaged::Columns.into()),
    }
}

/// A value as SQLite takes it.
struct Bound<'v>(&'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::Text(text) => text.to_sql(),
            Value::Integer(number) => number.to_sql(),
            Value::Texts(texts) => {
                let json = serde_json::to_string(texts);
                Ok(json.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?.into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
