//! The file: how it is opened, and the product's tables in it.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::directory::DirectoryError;

/// The version of the tables: of [`TABLES`] after every one of the [`STEPS`]. A change to them is a step more.
const VERSION: i64 = 1 + STEPS.len() as i64;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// `name_key` is the name with its case folded, by the program and not by SQLite, whose `NOCASE` knows ASCII only.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS sch_meta (
        key TEXT NOT NULL PRIMARY KEY,
        value ANY NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sch_organisation (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        name_key TEXT NOT NULL UNIQUE,
        seats INTEGER CHECK (seats >= 0),
        profile TEXT NOT NULL,
        linking TEXT NOT NULL,
        deletion TEXT NOT NULL,
        scim_enabled INTEGER NOT NULL CHECK (scim_enabled IN (0, 1)),
        created TEXT NOT NULL
    ) STRICT;

    CREATE TABLE sch_token (
        id TEXT NOT NULL PRIMARY KEY,
        organisation TEXT NOT NULL REFERENCES sch_organisation (id),
        digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
        label TEXT NOT NULL,
        created TEXT NOT NULL,
        last_used TEXT,
        revoked TEXT
    ) STRICT;

    CREATE INDEX sch_token_organisation ON sch_token (organisation);
";

/// What has changed since version 1, in order. A server of the version before that runs on would still read and write the tables,
/// but must not: version 1 knows no scopes, so an admin token would open the SCIM endpoint to it, and no extensions, so it would
/// write users without what they have in them. Nothing here can stop it; the README tells the operator to.
const STEPS: [&str; 2] = [
    "
    ALTER TABLE sch_token ADD COLUMN scope TEXT NOT NULL DEFAULT 'scim';

    ALTER TABLE sch_organisation ADD COLUMN extensions INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE sch_extension (
        organisation TEXT NOT NULL REFERENCES sch_organisation (id),
        urn_key TEXT NOT NULL,
        schema TEXT NOT NULL,
        created TEXT NOT NULL,
        changed TEXT NOT NULL,
        removed TEXT,
        PRIMARY KEY (organisation, urn_key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sch_notice (
        id INTEGER NOT NULL PRIMARY KEY,
        organisation TEXT NOT NULL REFERENCES sch_organisation (id),
        event TEXT NOT NULL,
        claimed TEXT
    ) STRICT;
",
    "
    -- Why an organisation takes no requests: it is on its way to another file, or has gone there.
    ALTER TABLE sch_organisation ADD COLUMN closed TEXT;
",
];

/// Opens one connection to a file whose tables are there.
pub(super) fn connect(path: &Path) -> Result<Connection, DirectoryError> {
    open(path, BUSY_TIMEOUT).map_err(|source| DirectoryError::Open { path: path.to_owned(), source })
}

/// Opens one connection that gives up after `busy` when another one writes.
pub(super) fn open(path: &Path, busy: Duration) -> Result<Connection, rusqlite::Error> {
    // Without SQLite's own mutex: one thread at a time has the connection.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Plans must not depend on what is bound. Otherwise SQLite notes for a join that another value of a parameter could
    // call for another plan, and takes the clearing of bindings, with which a cached statement returns to its cache, for
    // such a value: it would be parsed and planned anew each time, at 38 µs instead of 5 for the look-up of a token.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Opens the file, makes it and the tables where they are missing, and checks their version.
pub(super) fn prepare(path: &Path) -> Result<Connection, DirectoryError> {
    let opening = |source| DirectoryError::Open { path: path.to_owned(), source };
    make_private(path);
    let mut connection = connect(path)?;
    write_ahead(&connection).map_err(opening)?;
    // Reading first spares a command beside a busy server the wait for the write lock.
    if version(&connection).map_err(opening)?.map(check).transpose()? == Some(VERSION) {
        return Ok(connection);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(opening)?;
    // Another process may have made or changed them between the look above and the lock.
    let found = match version(&transaction).map_err(opening)? {
        Some(found) => check(found)?,
        None => {
            transaction.execute_batch(TABLES)?;
            transaction.execute("INSERT INTO sch_meta (key, value) VALUES ('version', 1)", [])?;
            1
        }
    };
    for step in STEPS.iter().skip(usize::try_from(found - 1).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.execute("UPDATE sch_meta SET value = ?1 WHERE key = 'version'", [VERSION])?;
    transaction.commit()?;
    Ok(connection)
}

fn version(connection: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'sch_meta'";
    if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    connection.query_row("SELECT value FROM sch_meta WHERE key = 'version'", [], |row| row.get(0)).optional()
}

/// The version, unless it is one that this program does not know.
fn check(found: i64) -> Result<i64, DirectoryError> {
    if found > VERSION { Err(DirectoryError::Newer { found, known: VERSION }) } else { Ok(found) }
}

/// Makes the file readable for its owner alone, since it names people. SQLite gives the files beside it the same mode.
///
/// A failure is left to SQLite, which then fails to open the file and says why.
fn make_private(path: &Path) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(path));
}

/// Turns the file to write-ahead logging, where readers do not wait for writers. The mode stays with the file.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let started = Instant::now();
    loop {
        // SQLite answers "busy" here at once, without its busy timeout, when two connections try at the same moment.
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == ErrorCode::DatabaseBusy && started.elapsed() < BUSY_TIMEOUT =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;

    #[test]
    fn the_file_is_as_promised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let connection = prepare(&path).unwrap();
        let pragma = |name: &str| -> String {
            connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).map_or_else(
                |error| error.to_string(),
                |value| match value {
                    rusqlite::types::Value::Text(text) => text,
                    other => format!("{other:?}"),
                },
            )
        };
        assert_eq!(pragma("journal_mode"), "wal");
        assert_eq!(pragma("synchronous"), "Integer(2)");
        assert_eq!(pragma("foreign_keys"), "Integer(1)");
        assert_eq!(pragma("busy_timeout"), "Integer(10000)");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_newer_database_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        drop(Directory::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.execute("UPDATE sch_meta SET value = 7 WHERE key = 'version'", []).unwrap();
        let error = Directory::open(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the database is of version 7 and this program knows versions up to 3: run the newer securecodinghub"
        );
        assert_eq!(version(&connection).unwrap(), Some(7));
    }

    #[tokio::test]
    async fn a_database_of_the_first_version_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(TABLES).unwrap();
        old.execute_batch(
            "INSERT INTO sch_meta VALUES ('version', 1);
             INSERT INTO sch_organisation VALUES ('1', 'acme', 'acme', NULL, 'okta', 'link', 'remove', 1, '2026-01-01T00:00:00.000Z');
             INSERT INTO sch_token VALUES ('tk_1', '1', zeroblob(32), '', '2026-01-01T00:00:00.000Z', NULL, NULL);",
        )
        .unwrap();
        // Several at once, and all of them again.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| Directory::open(&path).unwrap());
            }
        });
        let directory = Directory::open(&path).unwrap();
        assert_eq!(version(&old).unwrap(), Some(VERSION));
        let tokens = directory.tokens("acme").await.unwrap();
        assert_eq!(tokens[0].scope, crate::policy::TokenScope::Scim, "what there was opens what it opened");
        assert_eq!(directory.organisation("acme").await.unwrap().extensions, 0);
    }

    #[test]
    fn other_tables_in_the_file_do_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE resource (id TEXT); INSERT INTO resource VALUES ('a')").unwrap();
        drop(Directory::open(&path).unwrap());
        drop(Directory::open(&path).unwrap());
        assert_eq!(other.query_row("SELECT count(*) FROM resource", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Directory::open(folder.path().join("missing").join("hub.db")).unwrap_err();
        assert!(error.to_string().starts_with("cannot open the database `"), "{error}");
        let text = folder.path().join("notes.txt");
        std::fs::write(&text, "these are notes and not a database, for sure".repeat(40)).unwrap();
        assert!(matches!(Directory::open(&text), Err(DirectoryError::Open { .. })));
    }

    #[tokio::test]
    async fn opening_beside_a_writer_does_not_wait_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        drop(Directory::open(&path).unwrap());
        let mut writer = Connection::open(&path).unwrap();
        let _held = writer.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let started = Instant::now();
        Directory::open(&path).unwrap().organisations().await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
