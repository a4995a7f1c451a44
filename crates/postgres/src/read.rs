//! Reading: what `scimwright_sql` asks, the log, and the facts.

use std::ops::ControlFlow;

use scimwright_sql::{Cell, Damaged, Dialect, Row, Source, Statement, Walk};
use scimwright_store::{ChainHash, Key, Logged, Members, Page, Query, Record, TenantId};
use serde_json::Value;
use tokio_postgres::types::{FromSql, Type};

use crate::bind::Bind;
use crate::error::Failure;
use crate::session::Session;
use crate::text::decode;

/// What `scimwright_sql` reads from: a transaction that sees one state.
pub(crate) struct Reading<'s>(pub(crate) &'s mut Session);

pub(crate) async fn get(
    session: &mut Session,
    tenant: &TenantId,
    key: &Key,
    members: &Members,
) -> Result<Option<Record>, Failure> {
    scimwright_sql::get(&mut Reading(session), Dialect::Postgres, tenant, key, members).await
}

pub(crate) async fn find(session: &mut Session, tenant: &TenantId, query: &Query) -> Result<Page, Failure> {
    scimwright_sql::find(&mut Reading(session), Dialect::Postgres, tenant, query).await
}

/// How PostgreSQL goes about the statements of [`find`], in its own words.
pub(crate) async fn explain(session: &mut Session, tenant: &TenantId, query: &Query) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for Statement { text, values } in scimwright_sql::statements(Dialect::Postgres, tenant, query) {
        let values: Vec<_> = values.iter().map(Bind::from).collect();
        for row in session.unprepared(&format!("EXPLAIN {text}"), &values).await? {
            lines.push(row.try_get(0)?);
        }
    }
    Ok(lines)
}

pub(crate) async fn log(
    session: &mut Session,
    tenant: &TenantId,
    after: u64,
    limit: usize,
) -> Result<Vec<Logged>, Failure> {
    let text = "SELECT position, hash, event FROM scim_log \
                WHERE tenant = $1 AND position > $2 ORDER BY position LIMIT $3";
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let rows = session.rows(text, &[Bind::text(tenant.as_str()), Bind::count(after), Bind::count(limit)]).await?;
    rows.iter().map(logged).collect()
}

/// An entry of the log from its position, hash and event.
pub(crate) fn logged(row: &tokio_postgres::Row) -> Result<Logged, Failure> {
    let hash: [u8; 32] = row.try_get::<_, &[u8]>(1)?.try_into().map_err(|_| Damaged::Columns)?;
    let event = serde_json::from_str(row.try_get(2)?)?;
    Ok(Logged { position: count(row, 0)?, event, hash: ChainHash::from(hash) })
}

pub(crate) async fn fact(session: &mut Session, tenant: &str, name: &str) -> Result<Option<Value>, Failure> {
    let text = "SELECT value FROM scim_fact WHERE tenant = $1 AND name = $2";
    let rows = session.rows(text, &[Bind::text(tenant), Bind::text(name)]).await?;
    rows.first().map(|row| Ok(serde_json::from_str(row.try_get(0)?)?)).transpose()
}

/// A text of a row as it was before it was stored.
pub(crate) fn text(row: &tokio_postgres::Row, at: usize) -> Result<String, Failure> {
    Ok(decode(row.try_get(at)?)?)
}

/// The same for a column that may be null.
pub(crate) fn maybe_text(row: &tokio_postgres::Row, at: usize) -> Result<Option<String>, Failure> {
    Ok(row.try_get::<_, Option<String>>(at)?.map(decode).transpose()?)
}

/// A number of a row that is never below zero.
pub(crate) fn count(row: &tokio_postgres::Row, at: usize) -> Result<u64, Failure> {
    Ok(u64::try_from(row.try_get::<_, i64>(at)?).map_err(|_| Damaged::Columns)?)
}

impl Source for Reading<'_> {
    type Error = Failure;

    async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        let values: Vec<_> = statement.values.iter().map(Bind::from).collect();
        self.0.rows(&statement.text, &values).await?.iter().map(cells).collect()
    }

    async fn walk(&mut self, statement: &Statement, walk: &mut Walk<'_>) -> Result<(), Failure> {
        let values: Vec<_> = statement.values.iter().map(Bind::from).collect();
        let cursor = self.0.declare(&statement.text, &values).await?;
        loop {
            let size = walk.size();
            let batch = self.0.unprepared(&format!("FETCH {size} FROM {cursor}"), &[]).await?;
            let last = batch.len() < size;
            let batch: Vec<_> = batch.iter().map(cells).collect::<Result<_, _>>()?;
            if walk.take(self, batch).await? == ControlFlow::Break(()) || last {
                // What has broken off leaves a cursor with rows still to come; it need not stay until the transaction ends.
                self.0.unprepared(&format!("CLOSE {cursor}"), &[]).await?;
                return Ok(());
            }
        }
    }
}

fn cells(row: &tokio_postgres::Row) -> Result<Row, Failure> {
    let cells = (0..row.len()).map(|at| cell(row, at));
    Ok(Row(cells.collect::<Result<_, Failure>>()?))
}

fn cell(row: &tokio_postgres::Row, at: usize) -> Result<Cell, Failure> {
    let kind = row.columns().get(at).map(tokio_postgres::Column::type_);
    match kind {
        Some(&Type::TEXT) => Ok(maybe_text(row, at)?.map_or(Cell::Null, Cell::Text)),
        Some(kind) if <i64 as FromSql>::accepts(kind) => {
            Ok(row.try_get::<_, Option<i64>>(at)?.map_or(Cell::Null, Cell::Integer))
        }
        _ => Err(Damaged::Columns.into()),
    }
}
