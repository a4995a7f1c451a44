//! How rows look in SQLite.

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Result, Row};
use serde_json::Value;

use crate::directory::{ExtensionRecord, Organisation, TokenRecord};

/// A moment as the file has it: RFC 3339 in UTC to the millisecond. As texts they sort like the moments.
pub(super) struct Moment(pub(super) DateTime<Utc>);

impl ToSql for Moment {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.to_rfc3339_opts(SecondsFormat::Millis, true).into())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let moment = DateTime::parse_from_rfc3339(value.as_str()?).map_err(FromSqlError::other)?;
        Ok(Self(moment.with_timezone(&Utc)))
    }
}

/// One of the policies' enums, by its name.
struct Named<T>(T);

impl<T> FromSql for Named<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// Reads an organisation, whose first column is column `at` of the row.
pub(super) fn organisation(row: &Row<'_>, at: usize) -> Result<Organisation> {
    Ok(Organisation {
        id: row.get(at)?,
        name: row.get(at + 1)?,
        seats: seats(row, at + 2)?,
        profile: row.get::<_, Named<_>>(at + 3)?.0,
        linking: row.get::<_, Named<_>>(at + 4)?.0,
        deletion: row.get::<_, Named<_>>(at + 5)?.0,
        scim_enabled: row.get(at + 6)?,
        created: row.get::<_, Moment>(at + 7)?.0,
        extensions: row.get(at + 8)?,
        closed: row.get::<_, Option<Named<_>>>(at + 9)?.map(|closed| closed.0),
    })
}

fn seats(row: &Row<'_>, at: usize) -> Result<Option<u64>> {
    let number: Option<i64> = row.get(at)?;
    let unsigned = |number| u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number));
    number.map(unsigned).transpose()
}

/// Reads a token, whose first column is column `at` of the row.
pub(super) fn token(row: &Row<'_>, at: usize) -> Result<TokenRecord> {
    Ok(TokenRecord {
        id: row.get(at)?,
        organisation: row.get(at + 1)?,
        label: row.get(at + 2)?,
        created: row.get::<_, Moment>(at + 3)?.0,
        last_used: row.get::<_, Option<Moment>>(at + 4)?.map(|moment| moment.0),
        revoked: row.get::<_, Option<Moment>>(at + 5)?.map(|moment| moment.0),
        scope: row.get::<_, Named<_>>(at + 6)?.0,
    })
}

/// Reads an extension, whose first column is column `at` of the row, and the text of its schema.
pub(super) fn extension(row: &Row<'_>, at: usize) -> Result<(ExtensionRecord, String)> {
    let record = ExtensionRecord {
        urn_key: row.get(at)?,
        schema: Value::Null,
        created: row.get::<_, Moment>(at + 2)?.0,
        changed: row.get::<_, Moment>(at + 3)?.0,
        removed: row.get::<_, Option<Moment>>(at + 4)?.map(|moment| moment.0),
    };
    Ok((record, row.get(at + 1)?))
}
