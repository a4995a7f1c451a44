//! Backups of a database file while servers write to it.
//!
//! `VACUUM INTO` copies what one read transaction sees: everything that was acknowledged before it began, and whole commits only. It
//! waits for nobody and nobody for it, and what was deleted is not in the copy. SQLite's other way, its backup interface, begins anew
//! whenever another process writes, so under load it might never end.

use std::io::Write;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::{OperationError, at, beside, file_of, folder_of, sqlite, sync_folder};
use crate::cli::BackupArgs;
use crate::commands::write_json;
use crate::database::Database;

/// Runs `backup FILE`.
///
/// # Errors
/// When the database is not a file, the new file is there already or cannot be written, or the database is damaged.
pub fn run(database: &Database, args: &BackupArgs, json: bool, out: &mut dyn Write) -> Result<(), OperationError> {
    let source = file_of(database)?;
    let bytes = copy(source, &args.file)?;
    if json {
        return Ok(write_json(out, &json!({"file": args.file, "database": source, "bytes": bytes}))?);
    }
    writeln!(out, "{} is a backup of {}, {bytes} bytes", args.file.display(), source.display())?;
    writeln!(out, "Whether it could be served: securecodinghub restore --check {}", args.file.display())?;
    Ok(())
}

/// Copies a database that others may be writing to into a new file, which is there whole or not at all. Tells how large it is.
///
/// # Errors
/// When the new file is there already, or one of the files cannot be used.
pub fn copy(source: &Path, target: &Path) -> Result<u64, OperationError> {
    let advice = "choose another name, for no backup is overwritten";
    let exists = || OperationError::Exists { path: target.to_owned(), advice };
    if target.symlink_metadata().is_ok() {
        return Err(exists());
    }
    if !source.exists() {
        return Err(OperationError::NoDatabase(source.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(source, flags).map_err(sqlite(source))?;
    connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(sqlite(source))?;
    check_ours(&connection, source)?;
    // Readable for its owner alone, like the database, and gone if this goes wrong.
    let file =
        tempfile::Builder::new().prefix(".securecodinghub-").tempfile_in(folder_of(target)).map_err(at(target))?;
    let path = file.path().to_owned();
    // As an absolute path it is the name of a file to SQLite, whatever it looks like.
    let absolute = std::path::absolute(&path).map_err(at(&path))?;
    let name = absolute
        .to_str()
        .ok_or_else(|| at(target)(std::io::Error::new(std::io::ErrorKind::InvalidInput, "the path is no Unicode")))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(sqlite(source))?;
    drop(connection);
    check_whole(&path)?;
    file.as_file().sync_all().map_err(at(&path))?;
    let bytes = file.as_file().metadata().map_err(at(&path))?.len();
    file.persist_noclobber(target).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(),
        _ => at(target)(error.error),
    })?;
    sync_folder(target)?;
    Ok(bytes)
}

/// Checks that a file has the tables of the product. Those of the store come when something is provisioned.
pub(super) fn check_ours(connection: &Connection, path: &Path) -> Result<(), OperationError> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'sch_meta'";
    match connection.query_row(tables, [], |row| row.get::<_, u32>(0)) {
        Ok(1) => Ok(()),
        Ok(_) => Err(OperationError::Foreign(path.to_owned())),
        Err(error) => Err(sqlite(path)(error)),
    }
}

/// Checks the pages of a copy.
fn check_whole(path: &Path) -> Result<(), OperationError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sqlite(path))?;
    let found: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(sqlite(path))?;
    if found == "ok" { Ok(()) } else { Err(OperationError::Damaged(found)) }
}

/// Whether there is a write-ahead log beside a file in which there may be something.
pub(super) fn has_log(path: &Path) -> bool {
    beside(path, "-wal").metadata().is_ok_and(|log| log.len() > 0)
}
