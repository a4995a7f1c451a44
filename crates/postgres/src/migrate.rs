//! The store's tables: who makes them, and who checks that they are there.

use refinery::{Migration, Runner};
use tokio_postgres::Client;

use crate::connect::{alone, config};
use crate::{OpenError, PostgresOptions};

/// Distributes the tables over the nodes of a Citus cluster, all of one tenant on one node. To be run once, behind [`migrate`].
pub const DISTRIBUTE: &str = include_str!("../distribute.sql");

/// Every step of the schema, in order. What has been released is never changed.
const STEPS: [(&str, &str); 1] = [("V1__tables", include_str!("../migrations/V1__tables.sql"))];

/// Where the steps that were taken are noted.
const HISTORY: &str = "scim_schema_history";

/// Which schema a database had and which it has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// The version before; none when there were no tables.
    pub from: Option<i64>,
    /// The version now.
    pub to: i64,
}

/// Makes the store's tables, or brings those of an earlier version up to date. Each step is a transaction of its own. To be run by an
/// operator, with the rights to make tables, and on a direct connection.
///
/// # Errors
///
/// When the server does not answer, a later version of this crate has made the tables, or a step fails.
pub async fn migrate(url: &str) -> Result<Migrated, OpenError> {
    let config = config(url, &PostgresOptions::default())?;
    alone(&config, async |client| {
        let from = version(client).await?;
        if let Some(found) = from.filter(|found| *found > KNOWN) {
            return Err(OpenError::Newer { found, known: KNOWN });
        }
        let steps: Result<Vec<_>, _> = STEPS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
        let wrong = |error: refinery::Error| OpenError::Migration(error.into());
        let mut runner = Runner::new(&steps.map_err(wrong)?);
        runner.set_migration_table_name(HISTORY);
        runner.run_async(client).await.map_err(wrong)?;
        Ok(Migrated { from, to: KNOWN })
    })
    .await?
}

/// The version of the schema that this crate works with.
const KNOWN: i64 = STEPS.len() as i64;

/// Which version the tables have; none where there are none.
async fn version(client: &Client) -> Result<Option<i64>, OpenError> {
    let there = format!("SELECT to_regclass('{HISTORY}') IS NOT NULL");
    if !client.query_typed_one(&there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let last = format!("SELECT max(version)::bigint FROM {HISTORY}");
    Ok(client.query_typed_one(&last, &[]).await?.try_get(0)?)
}

/// Checks that the tables are those of this version.
pub(crate) async fn check(client: &Client) -> Result<(), OpenError> {
    let encoding = client.query_typed_one("SELECT current_setting('server_encoding')", &[]).await?;
    let encoding: String = encoding.try_get(0)?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding(encoding));
    }
    match version(client).await? {
        None => Err(OpenError::Missing),
        Some(found) if found < KNOWN => Err(OpenError::Older { found, known: KNOWN }),
        Some(found) if found > KNOWN => Err(OpenError::Newer { found, known: KNOWN }),
        Some(_) => Ok(()),
    }
}
