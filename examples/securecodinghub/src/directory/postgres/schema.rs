//! The tables in PostgreSQL: made by `migrate` and by nothing else, so that who starts a server needs no right to make tables.

use deadpool_postgres::{Object, Pool};
use refinery::{Migration, Runner};
use tokio_postgres::error::SqlState;

use super::{connect, failure, in_time};
use crate::directory::{DirectoryError, Source};

/// The migrations in order. Each is run once, and none is ever changed.
pub(super) const MIGRATIONS: [(&str, &str); 2] = [
    ("V1__tables", include_str!("../../../migrations/V1__tables.sql")),
    ("V2__closed", include_str!("../../../migrations/V2__closed.sql")),
];

/// Where it is noted which were run: the store of SCIM has a table of its own for that.
const HISTORY: &str = "sch_schema_history";

/// The version that this program knows.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings the tables up to date.
///
/// # Errors
/// When the database cannot be reached, may not be changed, or has tables of a newer version.
pub(crate) async fn migrate(pool: &Pool) -> Result<(), DirectoryError> {
    let mut client = connect(pool).await?;
    match check(&client).await {
        Err(DirectoryError::Older { .. }) => {}
        done => return done,
    }
    let database = |error: refinery::Error| DirectoryError::Database(Source::from(error));
    let mut migrations = Vec::new();
    for (name, sql) in MIGRATIONS {
        migrations.push(Migration::unapplied(name, sql).map_err(database)?);
    }
    let mut runner = Runner::new(&migrations);
    runner.set_migration_table_name(HISTORY);
    runner.run_async(&mut **client).await.map_err(database)?;
    check(&client).await
}

/// Checks that the tables are those that this program knows.
pub(super) async fn check(client: &Object) -> Result<(), DirectoryError> {
    let sql = format!("SELECT max(version)::bigint FROM {HISTORY}");
    let found = match in_time(client.query_typed(&sql, &[])).await {
        Ok(rows) => rows.first().and_then(|row| row.get::<_, Option<i64>>(0)),
        Err(Some(error)) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => None,
        Err(Some(error)) => return Err(failure(error)),
        Err(None) => {
            return Err(DirectoryError::Unreachable(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        }
    };
    match found {
        Some(VERSION) => Ok(()),
        Some(found) if found > VERSION => Err(DirectoryError::Newer { found, known: VERSION }),
        found => Err(DirectoryError::Older { found, known: VERSION }),
    }
}
