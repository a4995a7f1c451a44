//! How rows look in PostgreSQL.

use std::error::Error;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::directory::tables::Done;
use crate::directory::{DirectoryError, ExtensionRecord, Organisation, TokenRecord};

/// The value of a column.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Done<T> {
    row.try_get(at).map_err(damaged)
}

/// One of the policies' enums, by its name.
fn named<T: FromStr<Err: Error + Send + Sync + 'static>>(row: &Row, at: usize) -> Done<T> {
    get::<&str>(row, at)?.parse().map_err(damaged)
}

fn damaged(error: impl Error + Send + Sync + 'static) -> DirectoryError {
    DirectoryError::Database(error.into())
}

/// Reads an organisation, whose first column is column `at` of the row.
pub(super) fn organisation(row: &Row, at: usize) -> Done<Organisation> {
    let seats: Option<i64> = get(row, at + 2)?;
    Ok(Organisation {
        id: get(row, at)?,
        name: get(row, at + 1)?,
        seats: seats.map(u64::try_from).transpose().map_err(damaged)?,
        profile: named(row, at + 3)?,
        linking: named(row, at + 4)?,
        deletion: named(row, at + 5)?,
        scim_enabled: get(row, at + 6)?,
        created: get(row, at + 7)?,
        extensions: get(row, at + 8)?,
        closed: get::<Option<&str>>(row, at + 9)?.map(str::parse).transpose().map_err(damaged)?,
    })
}

/// Reads a token, whose first column is column `at` of the row.
pub(super) fn token(row: &Row, at: usize) -> Done<TokenRecord> {
    Ok(TokenRecord {
        id: get(row, at)?,
        organisation: get(row, at + 1)?,
        label: get(row, at + 2)?,
        created: get(row, at + 3)?,
        last_used: get(row, at + 4)?,
        revoked: get(row, at + 5)?,
        scope: named(row, at + 6)?,
    })
}

/// Reads an extension, whose first column is column `at` of the row, and the text of its schema; none where the columns are null.
pub(super) fn extension(row: &Row, at: usize) -> Done<Option<(ExtensionRecord, String)>> {
    let Some(urn_key) = get::<Option<String>>(row, at)? else { return Ok(None) };
    let created: DateTime<Utc> = get(row, at + 2)?;
    let record = ExtensionRecord {
        urn_key,
        schema: Value::Null,
        created,
        changed: get(row, at + 3)?,
        removed: get(row, at + 4)?,
    };
    Ok(Some((record, get(row, at + 1)?)))
}
