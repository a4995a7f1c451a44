//! Backups, looked at and put into place.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::backup::{check_ours, has_log};
use super::doctor::{self, Report};
use super::{OperationError, at, beside, file_of, folder_of, sqlite, sync_folder};
use crate::cli::RestoreArgs;
use crate::commands::write_json;
use crate::database::Database;
use crate::settings::Settings;

/// Runs `restore FILE` and `restore --check FILE`.
///
/// # Errors
/// When the backup could not be served, which is shown before; and when the database is in use, or there and not to be replaced.
pub async fn run(
    settings: &Settings,
    args: &RestoreArgs,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), OperationError> {
    let target = file_of(&settings.database)?;
    if !args.check {
        // What can be known before a long look.
        check_place(target, args.replace)?;
    }
    let (versions, reports) = check(settings, &args.file, json, out).await?;
    if args.check {
        if !json {
            writeln!(
                out,
                "{}: tables of version {}, resources of version {}",
                args.file.display(),
                versions.0,
                versions.1
            )?;
        }
        return doctor::show(&reports, json, out);
    }
    if reports.iter().any(|report| report.findings() > 0) {
        return doctor::show(&reports, json, out);
    }
    let aside = place(&args.file, target, args.replace)?;
    if json {
        return Ok(write_json(out, &json!({"database": target, "backup": args.file, "replaced": aside}))?);
    }
    if let Some(aside) = &aside {
        writeln!(out, "{} is what was there before", aside.display())?;
    }
    writeln!(out, "{} is restored from {}", target.display(), args.file.display())?;
    Ok(())
}

/// The versions of the tables of the product and of the store.
type Versions = (i64, i64);

/// Opens a copy of the backup, as a server would, and examines it. What SQLite finds wrong with it is shown here.
async fn check(
    settings: &Settings,
    backup: &Path,
    json: bool,
    out: &mut dyn Write,
) -> Result<(Versions, Vec<Report>), OperationError> {
    if !backup.exists() {
        return Err(OperationError::NoDatabase(backup.to_owned()));
    }
    if has_log(backup) {
        return Err(OperationError::Torn(backup.to_owned()));
    }
    let folder = tempfile::Builder::new().prefix("securecodinghub-").tempdir().map_err(at(&std::env::temp_dir()))?;
    let copy = folder.path().join("copy.db");
    std::fs::copy(backup, &copy).map_err(at(backup))?;
    let versions = look(&copy, backup, json, out)?;
    let settings = Settings { database: Database::File(copy), ..settings.clone() };
    let opened = settings.database.open().await?;
    Ok((versions, doctor::examine(&settings, &opened, None).await?))
}

/// Has SQLite check every page and index of the copy.
fn look(copy: &Path, backup: &Path, json: bool, out: &mut dyn Write) -> Result<Versions, OperationError> {
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sqlite(backup))?;
    check_ours(&connection, backup)?;
    let all = |sql: &str| -> rusqlite::Result<Vec<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let wrong = all("PRAGMA integrity_check").map_err(sqlite(backup))?;
    if wrong.iter().any(|line| line != "ok") {
        if json {
            write_json(out, &json!({"damaged": wrong}))?;
        } else {
            wrong.iter().try_for_each(|line| writeln!(out, "damaged: {line}"))?;
        }
        return Err(OperationError::Unwell { findings: wrong.len() as u64 });
    }
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(sqlite(backup));
    let product = one("SELECT value FROM sch_meta WHERE key = 'version'")?;
    Ok((product, one("SELECT CAST(value AS INTEGER) FROM scim_meta WHERE name = 'schema'")?))
}

/// Whether a database may come to be there.
fn check_place(target: &Path, replace: bool) -> Result<(), OperationError> {
    match (target.exists(), replace) {
        (true, false) => {
            let advice = "take --replace to put it aside";
            Err(OperationError::Exists { path: target.to_owned(), advice })
        }
        (true, true) => {
            let aside = aside_of(target);
            let advice = "it was put aside before: move it elsewhere";
            if aside.exists() { Err(OperationError::Exists { path: aside, advice }) } else { lock(target).map(drop) }
        }
        // It would be taken for the log of what comes there.
        (false, _) if has_log(target) => Err(OperationError::Leftover(beside(target, "-wal"))),
        (false, _) => Ok(()),
    }
}

fn aside_of(target: &Path) -> PathBuf {
    beside(target, ".replaced")
}

/// Copies the backup into place, and tells where what was there is now.
fn place(backup: &Path, target: &Path, replace: bool) -> Result<Option<PathBuf>, OperationError> {
    let mut file =
        tempfile::Builder::new().prefix(".securecodinghub-").tempfile_in(folder_of(target)).map_err(at(target))?;
    let mut from = std::fs::File::open(backup).map_err(at(backup))?;
    io::copy(&mut from, file.as_file_mut()).map_err(at(backup))?;
    file.as_file().sync_all().map_err(at(target))?;
    check_place(target, replace)?;
    let there = target.exists();
    // Held until all is done, so that no server opens what is about to go.
    let lock = there.then(|| lock(target)).transpose()?;
    let aside = there.then(|| aside_of(target));
    if let Some(aside) = &aside {
        std::fs::rename(target, aside).map_err(at(aside))?;
    }
    let advice = "somebody was faster";
    file.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => OperationError::Exists { path: target.to_owned(), advice },
        _ => at(target)(error.error),
    })?;
    sync_folder(target)?;
    drop(lock);
    Ok(aside)
}

/// Takes a database for this process alone, with everything that is in its write-ahead log. Whoever has it open is in the way.
fn lock(target: &Path) -> Result<Connection, OperationError> {
    let connection = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sqlite(target))?;
    connection.busy_timeout(Duration::ZERO).map_err(sqlite(target))?;
    // SQLite changes the mode for who is alone only, and then there is no other file that belongs to this one.
    let alone = connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .and_then(|()| connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0)))
        .and_then(|mode| connection.execute_batch("BEGIN EXCLUSIVE").map(|()| mode));
    match alone {
        Ok(mode) if mode == "delete" => Ok(connection),
        Ok(_) => Err(OperationError::InUse(target.to_owned())),
        Err(rusqlite::Error::SqliteFailure(error, _))
            if matches!(error.code, rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) =>
        {
            Err(OperationError::InUse(target.to_owned()))
        }
        // What is damaged may be replaced; that nobody has it open cannot be said, though nobody could use it.
        Err(rusqlite::Error::SqliteFailure(error, _))
            if matches!(error.code, rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) =>
        {
            Ok(connection)
        }
        Err(error) => Err(sqlite(target)(error)),
    }
}
