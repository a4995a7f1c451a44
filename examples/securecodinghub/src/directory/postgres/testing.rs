//! The tables in a throw-away cluster.

use std::time::Duration;

use deadpool_postgres::{Manager, Pool};
use scimwright_testkit::postgres::{Cluster, Database};
use tokio_postgres::NoTls;

use super::Postgres;
use crate::directory::Directory;

/// A pool of its own, as a process has one.
pub(crate) fn pool(url: &str) -> Pool {
    Pool::builder(Manager::new(url.parse().unwrap(), NoTls)).max_size(4).build().unwrap()
}

/// The tables that a pool leads to.
pub(super) fn over(pool: Pool, patience: Duration) -> Postgres {
    Postgres { pool, patience, _store: None }
}

/// A database with the tables.
pub(crate) fn database() -> Option<Database> {
    let cluster = Cluster::shared()?;
    Some(cluster.prepared("directory", |url| {
        // On a thread of its own, for the test's is a runtime's already.
        let migrate = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(super::migrate(&pool(url))).unwrap();
        };
        std::thread::scope(|scope| scope.spawn(migrate).join()).unwrap();
    }))
}

/// Opens the tables as another process does.
pub(crate) async fn open(url: &str) -> Directory {
    Directory::through(over(pool(url), Duration::from_secs(20))).await.unwrap()
}
