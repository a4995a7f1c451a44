//! What the tests of this crate share: stores in fresh databases of a throw-away server, and the runtime that they work on.
#![allow(dead_code, reason = "every test file uses a part")]

pub(crate) mod plans;

use std::sync::LazyLock;

use scimwright_postgres::{PostgresOptions, PostgresStore, migrate};
use scimwright_testkit::postgres::{Bouncer, Cluster, Database};
use scimwright_testkit::suite::Kept;
use tokio::runtime::Runtime;

/// What every store of a test process works on.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// A store, and the database that goes with it.
pub(crate) type Fresh = Kept<PostgresStore, Database>;

pub(crate) fn open(url: &str, options: PostgresOptions) -> PostgresStore {
    RUNTIME.block_on(PostgresStore::connect(url, options)).unwrap()
}

/// An empty database with the store's tables.
pub(crate) fn database(cluster: &Cluster) -> Database {
    cluster.prepared("scim_template", |url| assert_eq!(RUNTIME.block_on(migrate(url)).unwrap().from, None))
}

/// A store in a database of its own.
pub(crate) fn fresh(cluster: &Cluster, options: PostgresOptions) -> Fresh {
    let database = database(cluster);
    Kept::new(open(database.url(), options), database)
}

/// A PgBouncer; none where it is not installed, which is told.
pub(crate) fn bouncer(cluster: &Cluster) -> Option<Bouncer> {
    match cluster.bouncer() {
        Ok(bouncer) => Some(bouncer),
        Err(error) if std::env::var_os("SCIMWRIGHT_CI").is_some_and(|ci| ci == "1") => panic!("{error}"),
        Err(error) => {
            eprintln!("SKIPPED: what needs PgBouncer: {error}");
            None
        }
    }
}
