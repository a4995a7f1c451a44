//! Stores in PostgreSQL: each in a fresh database of the server that all tests of a process share.

use std::sync::LazyLock;

use scimwright_postgres::{PostgresOptions, PostgresStore, migrate};
use scimwright_testkit::postgres::{Cluster, Database};
use scimwright_testkit::suite::Kept;
use tokio::runtime::{Builder, Runtime};

/// What the stores work on.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap_or_else(|error| panic!("no runtime: {error}"))
});

/// A store, and the database that goes with it.
pub(crate) fn fresh_store() -> Kept<PostgresStore, Database> {
    let cluster = Cluster::shared().unwrap_or_else(|| panic!("there is no PostgreSQL"));
    let database = cluster.prepared("scim_tables", |url| {
        RUNTIME.block_on(migrate(url)).unwrap_or_else(|error| panic!("no tables: {error}"));
    });
    let store = RUNTIME.block_on(PostgresStore::connect(database.url(), PostgresOptions::default()));
    Kept::new(store.unwrap_or_else(|error| panic!("no store: {error}")), database)
}
