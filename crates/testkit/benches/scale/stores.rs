//! The stores that are measured, each fresh and durable.

use std::sync::{Arc, LazyLock};

use scimwright_postgres::{PostgresOptions, PostgresStore, migrate};
use scimwright_sqlite::{SqliteOptions, SqliteStore};
use scimwright_store::Transfer;
use scimwright_testkit::postgres::{Cluster, Database};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What the stores in PostgreSQL work on.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("there are threads"));

/// A server whose commits are on the disk when they are answered, as those of SQLite are.
static DURABLE: LazyLock<Cluster> = LazyLock::new(|| {
    let settings =
        ["fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=256MB", "max_wal_size=4GB"];
    Cluster::start(&settings).expect("PostgreSQL is installed")
});

/// A store and what it lives in.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Transfer>,
    database: Option<Database>,
    _folder: Option<TempDir>,
}

/// A fresh store of that name: `postgres`, `postgres-prepared` or `sqlite`.
pub(crate) fn open(name: &str) -> Opened {
    match name {
        "sqlite" => {
            let folder = tempfile::tempdir().expect("there is room");
            let store = SqliteStore::open(folder.path().join("scim.db"), SqliteOptions::default()).expect("it opens");
            Opened { store: Arc::new(store), database: None, _folder: Some(folder) }
        }
        "postgres" | "postgres-prepared" => {
            let database = DURABLE.database();
            let options = PostgresOptions { prepared: name == "postgres-prepared", ..PostgresOptions::default() };
            let store = RUNTIME.block_on(async {
                migrate(database.url()).await.expect("there are tables");
                PostgresStore::connect(database.url(), options).await.expect("it opens")
            });
            Opened { store: Arc::new(store), database: Some(database), _folder: None }
        }
        other => panic!("there is no store `{other}`"),
    }
}

impl Opened {
    /// Does now what the database would do by itself some minutes after a large import, in the middle of the measurements.
    pub(crate) fn settle(&self) {
        if let Some(database) = &self.database {
            for sql in ["VACUUM ANALYZE", "CHECKPOINT"] {
                DURABLE.ask(database.url(), sql).expect("it is tidied up");
            }
        }
    }
}

/// Makes the system forget how much memory the process has had.
pub(crate) fn forget_peak() {
    // Where this cannot be done, the peak is that of the import.
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}

/// How much memory the process has had since, in KiB; none where the system does not say.
pub(crate) fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
