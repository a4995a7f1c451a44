//! The file: how it is opened, and the store's tables in it.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::OpenError;

/// The version of [`SCHEMA`]. A change to it gets a new number here and a step in [`migrate`].
const VERSION: i64 = 2;

/// Every table. The second part came with version 2.
pub(crate) const SCHEMA: &str = concat!(include_str!("schema.sql"), include_str!("keyed.sql"));

/// The write-ahead log is cut back to this size once it is in the database, so that one bulk load does not keep the
/// disk.
const LOG_BYTES: i64 = 32 << 20;

/// More than there are different statements, and small beside the page cache. Filters of many shapes share what is
/// left.
const STATEMENTS: usize = 64;

/// How a store uses its file.
///
/// ```
/// use scimwright_sqlite::SqliteOptions;
///
/// let options = SqliteOptions { readers: 4, ..SqliteOptions::default() };
/// # assert_eq!(options.cache_kib, 2048);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How many threads read, each with a connection of its own; one at least. 2 by default.
    pub readers: usize,
    /// The page cache of each connection in KiB: of every reader and of the writer. 2048 by default.
    pub cache_kib: u32,
    /// How long to wait for another process that is writing to the file. 10 seconds by default.
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 2, cache_kib: 2048, busy_timeout: Duration::from_secs(10) }
    }
}

/// Opens the file, makes it and the tables where they are missing, and checks their version. The connection may write.
pub(crate) fn prepare(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    make_private(path);
    let mut connection = connect(path, options)?;
    write_ahead(&connection, options.busy_timeout)?;
    let encoding: String = connection.pragma_query_value(None, "encoding", |row| row.get(0))?;
    if encoding != "UTF-8" {
        return Err(OpenError::Encoding(encoding));
    }
    // Reading first spares a command beside a busy server the wait for the write lock.
    if let Some(found) = version(&connection)?.filter(|found| *found >= VERSION) {
        return check(found).map(|()| connection);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made them between the look above and the lock.
    match version(&transaction)? {
        Some(found) => {
            check(found)?;
            migrate(&transaction, found)?;
        }
        None => {
            transaction.execute_batch(SCHEMA)?;
            let sql = "INSERT INTO scim_meta (name, value) VALUES ('schema', ?1)";
            transaction.execute(sql, [VERSION.to_string()])?;
        }
    }
    transaction.commit()?;
    Ok(connection)
}

/// Opens one more connection to a file that [`prepare`] has prepared, for reading alone.
pub(crate) fn reader(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    let connection = connect(path, options)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, rusqlite::Error> {
    // Without SQLITE_OPEN_URI, for a file may be called `file:x?mode=memory`. The connection's own mutex is left out as
    // well, for one thread has it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.busy_timeout)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    // Pages are read, not mapped: of a mapped file an I/O error is a signal that ends the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    // A plan depends on the text of a statement alone. Without this, SQLite plans anew for every LIMIT that is bound,
    // which costs more than a lookup (50 µs of CPU).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn version(connection: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'scim_meta'";
    if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT CAST(value AS INTEGER) FROM scim_meta WHERE name = 'schema'";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// Brings the tables of an earlier version up to this one.
fn migrate(connection: &Connection, found: i64) -> Result<(), rusqlite::Error> {
    if found < 2 {
        connection.execute_batch(include_str!("keyed.sql"))?;
    }
    connection.execute("UPDATE scim_meta SET value = ?1 WHERE name = 'schema'", [VERSION.to_string()])?;
    Ok(())
}

const fn check(found: i64) -> Result<(), OpenError> {
    if found > VERSION { Err(OpenError::Newer { found, known: VERSION }) } else { Ok(()) }
}

/// Makes the file readable for its owner alone, since it names people. SQLite gives the files beside it the same mode.
///
/// A failure is left to SQLite, which then fails to open the file and says why.
fn make_private(path: &Path) {
    if path.as_os_str() == ":memory:" {
        return;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(path));
}

/// Turns the file to write-ahead logging, where readers do not wait for writers. The mode stays with the file.
fn write_ahead(connection: &Connection, patience: Duration) -> Result<(), OpenError> {
    let started = Instant::now();
    loop {
        // SQLite answers "busy" here at once, without its busy timeout, when two connections try at the same moment.
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(OpenError::Journal(mode)),
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == ErrorCode::DatabaseBusy && started.elapsed() < patience =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;
    use rusqlite::types::Value;

    use super::*;

    #[test]
    fn a_file_of_version_1_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let (path, options) = (folder.path().join("scim.db"), SqliteOptions::default());
        let old = prepare(&path, &options).unwrap();
        old.execute_batch(
            "DROP TRIGGER scim_key_comes; DROP TRIGGER scim_key_goes; DROP TABLE scim_keyed;
             UPDATE scim_meta SET value = '1' WHERE name = 'schema';
             INSERT INTO scim_key VALUES ('a', 'User', 'p', 'x', '1'), ('a', 'User', 'p', 'y', '2'), ('b', 'User', 'p', 'x', '3');",
        )
        .unwrap();
        let new = prepare(&path, &options).unwrap();
        assert_eq!(version(&new).unwrap(), Some(VERSION));
        let keyed = |tenant: &str| -> i64 {
            let sql = "SELECT count FROM scim_keyed WHERE tenant = ?1 AND type = 'User' AND path = 'p'";
            new.query_row(sql, [tenant], |row| row.get(0)).unwrap()
        };
        assert_eq!((keyed("a"), keyed("b")), (2, 1));
        // A process that had the file open before counts too, without knowing.
        old.execute_batch(
            "DELETE FROM scim_key WHERE tenant = 'a'; INSERT INTO scim_key VALUES ('b', 'User', 'p', 'z', '4')",
        )
        .unwrap();
        assert_eq!((keyed("a"), keyed("b")), (0, 2));
    }

    #[test]
    fn connections_are_as_promised() {
        let folder = tempfile::tempdir().unwrap();
        let (path, options) = (folder.path().join("scim.db"), SqliteOptions::default());
        let (writer, reader) = (prepare(&path, &options).unwrap(), reader(&path, &options).unwrap());
        for (name, wanted) in [
            ("journal_mode", Value::Text("wal".to_owned())),
            ("synchronous", Value::Integer(2)),
            ("foreign_keys", Value::Integer(1)),
            ("busy_timeout", Value::Integer(10_000)),
            ("cache_size", Value::Integer(-2048)),
        ] {
            for connection in [&writer, &reader] {
                let found: Value = connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
                assert_eq!(found, wanted, "{name}");
            }
        }
        writer.execute("DELETE FROM scim_fact", []).unwrap();
        assert!(reader.execute("DELETE FROM scim_fact", []).is_err());

        let mut statement = reader.prepare("SELECT position FROM scim_log WHERE tenant = ?1 LIMIT ?2").unwrap();
        for limit in 0..3 {
            assert!(!statement.exists(rusqlite::params!["a", limit]).unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
