//! The file: how it is opened, and the store's tables in it.

use std::error::Error;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use scimwright_store::{ChainHash, Event, TenantIdError};

use crate::OpenError;

/// The version of [`SCHEMA`]. A change to it gets a new number here and a step in [`migrate`].
const VERSION: i64 = 3;

/// Every table. The second part came with version 2, the rest with version 3.
pub(crate) const SCHEMA: &str = concat!(
    include_str!("schema.sql"),
    include_str!("keyed.sql"),
    include_str!("chained.sql"),
    "DROP TABLE scim_log; ALTER TABLE scim_log_chained RENAME TO scim_log;",
    include_str!("closed.sql"),
);

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
fn migrate(connection: &Connection, found: i64) -> Result<(), OpenError> {
    if found < 2 {
        connection.execute_batch(include_str!("keyed.sql"))?;
    }
    if found < 3 {
        connection.execute_batch(include_str!("chained.sql"))?;
        chain(connection)?;
        connection.execute_batch("DROP TABLE scim_log; ALTER TABLE scim_log_chained RENAME TO scim_log;")?;
        connection.execute_batch(include_str!("active.sql"))?;
        connection.execute_batch(include_str!("closed.sql"))?;
    }
    connection.execute("UPDATE scim_meta SET value = ?1 WHERE name = 'schema'", [VERSION.to_string()])?;
    Ok(())
}

/// Copies the log of every tenant into the new table, entry by entry, with the hashes that it would have had from the beginning.
fn chain(connection: &Connection) -> Result<(), OpenError> {
    let mut old = connection.prepare("SELECT tenant, position, event FROM scim_log ORDER BY tenant, position")?;
    let mut new =
        connection.prepare("INSERT INTO scim_log_chained (tenant, position, hash, event) VALUES (?1, ?2, ?3, ?4)")?;
    let mut rows = old.query([])?;
    let mut before: Option<(String, ChainHash)> = None;
    while let Some(row) = rows.next()? {
        let (name, position, text): (String, u64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let damaged = |source: Box<dyn Error + Send + Sync>| OpenError::Log { tenant: name.clone(), position, source };
        let event: Event = serde_json::from_str(&text).map_err(|error| damaged(error.into()))?;
        let head = match before.take() {
            Some((tenant, head)) if tenant == name => head,
            _ => ChainHash::first(&name.parse().map_err(|error: TenantIdError| damaged(error.into()))?),
        };
        let hash = head.next(position, &event);
        new.execute(params![name, position, hash.as_bytes(), text])?;
        before = Some((name, hash));
    }
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
    use pollster::block_on;
    use rusqlite::StatementStatus;
    use rusqlite::types::Value;
    use scimwright_store::chain::verify;
    use scimwright_store::{Change, Store};

    use super::*;

    #[test]
    fn a_file_of_version_1_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let (path, options) = (folder.path().join("scim.db"), SqliteOptions::default());
        let old = prepare(&path, &options).unwrap();
        old.execute_batch(
            "DROP TRIGGER scim_key_comes; DROP TRIGGER scim_key_goes; DROP TABLE scim_keyed;
             ALTER TABLE scim_tenant DROP COLUMN closed;
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
    fn users_of_version_2_are_found_by_whether_they_are_active() {
        let folder = tempfile::tempdir().unwrap();
        let (path, options) = (folder.path().join("scim.db"), SqliteOptions::default());
        let old = prepare(&path, &options).unwrap();
        let user = "INSERT INTO scim_record VALUES ('a', ?1, ?2, 1, 0, 0, 0, NULL, ?3, '{}', ?4)";
        for (of_type, id, keys, document) in [
            ("User", "yes", r#"[[1,"userName","y"]]"#, r#"{"active":true}"#),
            ("User", "no", "[]", r#"{"active":false,"userName":"n"}"#),
            ("User", "silent", "[]", r#"{"userName":"s"}"#),
            ("User", "odd", "[]", r#"{"active":"true"}"#),
            ("Group", "group", "[]", r#"{"active":true}"#),
        ] {
            old.execute(user, [of_type, id, keys, document]).unwrap();
        }
        old.execute_batch(LOG_OF_VERSION_2).unwrap();
        // The second time there is nothing to do.
        for _ in 0..2 {
            let new = prepare(&path, &options).unwrap();
            let told = |sql: &str| -> String { new.query_row(sql, [], |row| row.get(0)).unwrap() };
            let keys = "SELECT group_concat(id || ' ' || path || ' ' || value, ', ') FROM scim_key";
            assert_eq!(told(keys), "no active false, yes active true");
            let of_yes = "SELECT keys FROM scim_record WHERE id = 'yes'";
            assert_eq!(told(of_yes), r#"[[1,"userName","y"],[0,"active","true"]]"#);
            assert_eq!(told("SELECT group_concat(id) FROM scim_record WHERE keys = '[]'"), "silent,odd,group");
            assert_eq!(told("SELECT CAST(count AS TEXT) FROM scim_keyed WHERE path = 'active'"), "2");
            new.execute("UPDATE scim_meta SET value = '2' WHERE name = 'schema'", []).unwrap();
            new.execute_batch(LOG_OF_VERSION_2).unwrap();
        }
    }

    /// A log without hashes, as it was before version 3.
    const LOG_OF_VERSION_2: &str = "
        DROP TABLE scim_log;
        ALTER TABLE scim_tenant DROP COLUMN closed;
        CREATE TABLE scim_log (
            tenant TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (tenant, position)
        ) STRICT, WITHOUT ROWID;
        UPDATE scim_meta SET value = '2' WHERE name = 'schema';";

    #[test]
    fn a_log_of_version_2_becomes_a_chain() {
        let folder = tempfile::tempdir().unwrap();
        let (path, options) = (folder.path().join("scim.db"), SqliteOptions::default());
        let old = prepare(&path, &options).unwrap();
        old.execute_batch(LOG_OF_VERSION_2).unwrap();
        let mut event = Event::default();
        event.actor = "admin".to_owned();
        let text = serde_json::to_string(&event).unwrap();
        for (tenant, entries) in [("a", 3), ("b", 2)] {
            old.execute("INSERT INTO scim_tenant VALUES (?1, ?2)", params![tenant, entries]).unwrap();
            for position in 1..=entries {
                old.execute("INSERT INTO scim_log VALUES (?1, ?2, ?3)", params![tenant, position, text]).unwrap();
            }
        }
        let store = crate::SqliteStore::open(&path, options.clone()).unwrap();
        for (tenant, entries) in [("a", 3), ("b", 2)] {
            let tenant = tenant.parse().unwrap();
            let change = Change::new("2026-01-01T00:00:00Z".parse().unwrap(), event.clone());
            block_on(store.commit(&tenant, change)).unwrap();
            let verified = block_on(verify(&store, &tenant, |_| Ok(()))).unwrap();
            assert_eq!(verified.entries, entries + 1);
        }
        // A process that had the file open before cannot break the chain.
        assert!(old.execute("INSERT INTO scim_log (tenant, position, event) VALUES ('a', 5, ?1)", [&text]).is_err());
    }

    #[test]
    fn a_log_that_cannot_be_read_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (path, options) = (folder.path().join("scim.db"), SqliteOptions::default());
        let old = prepare(&path, &options).unwrap();
        old.execute_batch(LOG_OF_VERSION_2).unwrap();
        old.execute("INSERT INTO scim_log VALUES ('a', 1, 'nonsense')", []).unwrap();
        let error = prepare(&path, &options).unwrap_err();
        assert_eq!(error.to_string(), "entry 1 of the log of a cannot be read");
        let kept: String = old.query_row("SELECT event FROM scim_log", [], |row| row.get(0)).unwrap();
        assert_eq!((kept.as_str(), version(&old).unwrap()), ("nonsense", Some(2)));
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
