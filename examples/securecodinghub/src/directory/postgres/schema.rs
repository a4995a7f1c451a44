//! The tables in PostgreSQL: made by `migrate` and by nothing else, so that who starts a server needs no right to make tables.

use std::time::Instant;

use deadpool_postgres::{Object, Pool};
use scimwright_postgres::{OpenError, Schema};

use super::{SILENCE, connect, failure, in_time, late};
use crate::directory::DirectoryError;

/// The migrations in order. Each is run once, and none is ever changed.
pub(super) const MIGRATIONS: [(&str, &str); 2] = [
    ("V1__tables", include_str!("../../../migrations/V1__tables.sql")),
    ("V2__closed", include_str!("../../../migrations/V2__closed.sql")),
];

/// The tables. Where it is noted which migrations were run is a table of its own, beside that of the store.
const TABLES: Schema = Schema::new("sch_schema_history", &MIGRATIONS);

/// The version that this program knows.
pub(super) const VERSION: i64 = TABLES.version();

/// Brings the tables up to date.
///
/// # Errors
/// When the database cannot be reached, may not be changed, or has tables of a newer version.
pub(crate) async fn migrate(pool: &Pool) -> Result<(), DirectoryError> {
    // It takes the time that it takes, but for the way to the server.
    let mut client = connect(pool, Instant::now() + SILENCE).await?;
    TABLES.migrate(&mut client).await.map(drop).map_err(refused)
}

/// Checks that the tables are those that this program knows.
pub(super) async fn check(client: &Object, until: Instant) -> Result<(), DirectoryError> {
    in_time(until, TABLES.check(client)).await.map_err(|error| error.map_or_else(late, refused))
}

fn refused(error: OpenError) -> DirectoryError {
    match error {
        OpenError::Missing => DirectoryError::Older { found: None, known: VERSION },
        OpenError::Older { found, known } => DirectoryError::Older { found: Some(found), known },
        OpenError::Newer { found, known } => DirectoryError::Newer { found, known },
        OpenError::Database(source) => match source.downcast() {
            Ok(error) => failure(*error),
            Err(source) => DirectoryError::Database(source),
        },
        OpenError::Migration(source) => DirectoryError::Database(source),
        other => DirectoryError::Database(other.into()),
    }
}
