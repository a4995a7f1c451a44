//! Tables: who makes them, and who checks that they are there.

use refinery::{Migration, Runner};
use tokio_postgres::Client;

use crate::connect::{alone, config, leads};
use crate::{OpenError, PostgresOptions};

/// Distributes the tables over the nodes of a Citus cluster, all of one tenant on one node. To be run once, behind [`migrate`].
pub const DISTRIBUTE: &str = include_str!("../distribute.sql");

/// The store's own tables. What has been released is never changed.
const TABLES: Schema =
    Schema::new("scim_schema_history", &[("V1__tables", include_str!("../migrations/V1__tables.sql"))]);

/// Which schema a database had and which it has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// The version before; none when there were no tables.
    pub from: Option<i64>,
    /// The version now.
    pub to: i64,
}

/// Tables, and the steps in which they are made: the store's, or those that a program has beside them in the same database.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    history: &'static str,
    steps: &'static [(&'static str, &'static str)],
}

impl Schema {
    /// Tables by the steps that make them, in order: each has a name such as `V1__tables` and its SQL. The table `history` notes which
    /// were taken.
    #[must_use]
    pub const fn new(history: &'static str, steps: &'static [(&'static str, &'static str)]) -> Self {
        Self { history, steps }
    }

    /// The version that the last step leads to.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.steps.len() as i64
    }

    /// Makes the tables, or brings those of an earlier version up to date. Each step is a transaction of its own. Of several that do this
    /// at once, each succeeds, and each step is taken once.
    ///
    /// # Errors
    ///
    /// When the server does not answer, a later version has made the tables, or a step fails.
    pub async fn migrate(&self, client: &mut Client) -> Result<Migrated, OpenError> {
        let steps: Result<Vec<_>, _> = self.steps.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
        let wrong = |error: refinery::Error| OpenError::Migration(error.into());
        let mut runner = Runner::new(&steps.map_err(wrong)?);
        runner.set_migration_table_name(self.history);
        let first = self.found(client).await?;
        let (from, mut before) = (first.flatten(), first);
        loop {
            if let Some(found) = before.flatten().filter(|found| *found > self.version()) {
                return Err(OpenError::Newer { found, known: self.version() });
            }
            // Looking takes no right to make tables.
            if before.flatten() == Some(self.version()) {
                break;
            }
            let Err(error) = runner.run_async(client).await else { break };
            // Who makes what somebody else is making waits for him, and is told that it is there already.
            let now = self.found(client).await?;
            if now <= before {
                return Err(wrong(error));
            }
            before = now;
        }
        Ok(Migrated { from, to: self.version() })
    }

    /// Checks that the tables are those of this version.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or the tables are missing or of another version.
    pub async fn check(&self, client: &Client) -> Result<(), OpenError> {
        let known = self.version();
        match self.found(client).await?.flatten() {
            None => Err(OpenError::Missing),
            Some(found) if found < known => Err(OpenError::Older { found, known }),
            Some(found) if found > known => Err(OpenError::Newer { found, known }),
            Some(_) => Ok(()),
        }
    }

    /// Which version the tables have: none where no step was taken, and not even that where nobody has begun.
    async fn found(&self, client: &Client) -> Result<Option<Option<i64>>, OpenError> {
        let there = format!("SELECT to_regclass('{}') IS NOT NULL", self.history);
        if !client.query_typed_one(&there, &[]).await?.try_get::<_, bool>(0)? {
            return Ok(None);
        }
        let last = format!("SELECT max(version)::bigint FROM {}", self.history);
        Ok(Some(client.query_typed_one(&last, &[]).await?.try_get(0)?))
    }
}

/// Makes the store's tables, or brings those of an earlier version up to date, as [`Schema::migrate`] does. To be run by an operator, with
/// the rights to make tables, and on a direct connection.
///
/// # Errors
///
/// When the server does not answer or follows another, a later version of this crate has made the tables, or a step fails.
pub async fn migrate(url: &str) -> Result<Migrated, OpenError> {
    let config = config(url, &PostgresOptions::default())?;
    alone(&config, async |client| {
        leads(&config, client).await?;
        TABLES.migrate(client).await
    })
    .await?
}

/// Checks that the store's tables are those of this version.
pub(crate) async fn check(client: &Client) -> Result<(), OpenError> {
    let encoding = client.query_typed_one("SELECT current_setting('server_encoding')", &[]).await?;
    let encoding: String = encoding.try_get(0)?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding(encoding));
    }
    TABLES.check(client).await
}
