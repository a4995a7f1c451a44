//! Backups, looked at and put into place.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
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
/// When the backup is damaged, which is shown before; with `--check` also when the doctor finds something; and when the database is in use, or there and not to be replaced.
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
    let Checked { versions, reports, living } = check(settings, &args.file, json, out).await?;
    if args.check {
        if !json {
            let resources = versions.1.map_or_else(|| "none".to_owned(), |version| format!("of version {version}"));
            writeln!(out, "{}: tables of version {}, resources {resources}", args.file.display(), versions.0)?;
        }
        return doctor::show(&reports, json, out);
    }
    let aside = place(&args.file, target, args.replace)?;
    let findings = doctor::findings(&reports);
    if json {
        let value = json!({
            "database": target, "backup": args.file, "replaced": aside, "findings": findings,
            "reports": doctor::to_json(&reports), "livingTokens": living,
        });
        return Ok(write_json(out, &value)?);
    }
    if findings > 0 {
        // Whoever restores has nothing better, and what is found can be mended later.
        doctor::write_lines(&reports, out)?;
        writeln!(out, "WARNING: the doctor has {findings} findings, see above; the backup is restored all the same")?;
    }
    if !living.is_empty() {
        writeln!(out, "These tokens open it, those too that were revoked since the backup: {}", living.join(", "))?;
    }
    if let Some(aside) = &aside {
        writeln!(out, "{} is what was there before", aside.display())?;
    }
    writeln!(out, "{} is restored from {}", target.display(), args.file.display())?;
    Ok(())
}

/// What is known of a backup that could be served.
struct Checked {
    versions: Versions,
    reports: Vec<Report>,
    /// The tokens that open it, each with its organisation.
    living: Vec<String>,
}

/// The versions of the tables of the product and of the store, which are not there before anything was provisioned.
type Versions = (i64, Option<i64>);

/// Opens a copy of the backup, as a server would, and examines it. What SQLite finds wrong with it is shown here.
async fn check(settings: &Settings, backup: &Path, json: bool, out: &mut dyn Write) -> Result<Checked, OperationError> {
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
    let reports = doctor::examine(&settings, &opened, None).await?;
    let (now, mut living) = (Utc::now(), Vec::new());
    for organisation in opened.directory.organisations().await? {
        let tokens = opened.directory.tokens(&organisation.name).await?;
        let opens = tokens.iter().filter(|token| token.revoked.is_none() && token.expires() > now);
        living.extend(opens.map(|token| format!("{} of {}", token.id, organisation.name)));
    }
    Ok(Checked { versions, reports, living })
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
    let resources = one("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'scim_meta'")? > 0;
    let resources = resources.then(|| one("SELECT CAST(value AS INTEGER) FROM scim_meta WHERE name = 'schema'"));
    Ok((product, resources.transpose()?))
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
    match &aside {
        Some(aside) => {
            own_like(target, file.as_file());
            // Never without a database under its name: a server that starts just now would make a fresh one there.
            std::fs::hard_link(target, aside).map_err(at(aside))?;
            file.persist(target).map_err(|error| at(target)(error.error))?;
        }
        None => {
            let advice = "somebody was faster";
            file.persist_noclobber(target).map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => OperationError::Exists { path: target.to_owned(), advice },
                _ => at(target)(error.error),
            })?;
        }
    }
    sync_folder(target)?;
    drop(lock);
    Ok(aside)
}

/// Gives a file the owner of another: whoever restores as root does not take the database from the server. Who may not give files
/// away owns what he restores, as when copying.
fn own_like(target: &Path, file: &std::fs::File) {
    #[cfg(unix)]
    if let Ok(there) = target.metadata() {
        use std::os::unix::fs::MetadataExt;
        drop(std::os::unix::fs::fchown(file, Some(there.uid()), Some(there.gid())));
    }
    #[cfg(not(unix))]
    let _ = (target, file);
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
