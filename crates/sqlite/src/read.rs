//! Reading what is no record: the log and the facts. Each function here runs in one read transaction, which is one
//! snapshot.

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params};
use scimwright_store::{ChainHash, Logged, TenantId};
use serde_json::Value;

use crate::error::Failure;

pub(crate) fn log(sql: &Connection, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, Failure> {
    let mut statement = sql.prepare_cached(
        "SELECT position, hash, event FROM scim_log WHERE tenant = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![tenant.as_str(), after, bounded(limit)])?;
    let mut log = Vec::new();
    while let Some(row) = rows.next()? {
        let (hash, event) =
            (ChainHash::from(row.get::<_, [u8; 32]>(1)?), row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?);
        log.push(Logged { position: row.get(0)?, event: serde_json::from_str(event)?, hash });
    }
    Ok(log)
}

pub(crate) fn fact(sql: &Connection, tenant: &str, name: &str) -> Result<Option<Value>, Failure> {
    let mut statement = sql.prepare_cached("SELECT value FROM scim_fact WHERE tenant = ?1 AND name = ?2")?;
    let text: Option<String> = statement.query_row(params![tenant, name], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// A number of rows as SQLite takes it.
pub(crate) fn bounded(rows: usize) -> Sql {
    Sql::Integer(i64::try_from(rows).unwrap_or(i64::MAX))
}
