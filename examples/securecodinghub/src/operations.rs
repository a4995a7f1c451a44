//! What the operator does with whole databases and with logs: backups, examinations, retention.

pub mod audit;
pub mod backup;
pub mod doctor;
pub mod moving;
pub mod restore;
mod signing;

use std::io;
use std::path::{Path, PathBuf};

use scimwright_store::chain::ChainError;
use scimwright_store::{StoreError, TenantIdError};

use crate::commands::CommandError;
use crate::database::{BadDatabase, Database, DatabaseError};
use crate::directory::DirectoryError;
use crate::endpoint::TypesError;
use crate::extensions::ExtensionError;

pub use signing::{AuditKey, BadKey, PublicKey, Trust};

/// Why something that the operator asked for was not done, or what it came to that is not well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The product's tables cannot be used, or the organisation is unknown.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// What is served does not fit together.
    #[error(transparent)]
    Types(#[from] TypesError),
    /// What an organisation has registered cannot be read.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// The resources cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The organisation's id in the database is damaged.
    #[error(transparent)]
    Tenant(#[from] TenantIdError),
    /// The log is not what was written.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The answer cannot be written.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
    /// There are findings, which were shown.
    #[error("{findings} of the things that were looked at {}: see above", if *findings == 1 { "is not well" } else { "are not well" })]
    Unwell {
        /// How many.
        findings: u64,
    },
    /// The database is no file, and this is about files.
    #[error(
        "{0} is in PostgreSQL, which has its own tools: use pg_dump and pg_restore, or its archive of write-ahead logs"
    )]
    NotAFile(String),
    /// There is no database to be copied.
    #[error("there is no database `{}`", .0.display())]
    NoDatabase(PathBuf),
    /// The file is no database of this program.
    #[error("`{}` is no database of this program", .0.display())]
    Foreign(PathBuf),
    /// A file is in the way.
    #[error("there is a file `{}` already: {advice}", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
        /// What to do.
        advice: &'static str,
    },
    /// Somebody has the database open.
    #[error("the database `{}` is in use: stop the servers on it first", .0.display())]
    InUse(PathBuf),
    /// A write-ahead log would be taken for one of the copy.
    #[error(
        "there is a write-ahead log `{}` without its database, whose last changes may be in it: put it away first", .0.display()
    )]
    Leftover(PathBuf),
    /// A file was copied while it was in use, which makes no backup.
    #[error("there is a write-ahead log beside `{}`: a copy of a database in use is no backup, make one with `backup`", .0.display())]
    Torn(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot read or write `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// SQLite cannot do it.
    #[error("SQLite cannot use `{}`", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What it says.
        source: rusqlite::Error,
    },
    /// What was copied is damaged.
    #[error("the database is damaged, and so is the copy, which was not kept: {0}")]
    Damaged(String),
    /// The database to move to is none.
    #[error(transparent)]
    Target(BadDatabase),
    /// The organisation is to be moved to where it is.
    #[error("{0} is the database that it is in: name another one with --to")]
    SameDatabase(String),
    /// The organisation is open at both places, which no move leaves.
    #[error(
        "the organisation is open in {0} as well: if that is not this very database under another name, one of the two came from a \
         backup and is to be put away"
    )]
    TwoCopies(String),
    /// The organisation is under way to somewhere else.
    #[error("the organisation is closed here: {0}")]
    Elsewhere(String),
    /// The move cannot be taken back.
    #[error("the organisation has arrived in {0}: move it back from there")]
    Arrived(String),
    /// The organisation is not where it should have gone.
    #[error("the organisation is not open in {0}, so nothing is erased")]
    NotThere(String),
    /// Another attempt to move the organisation, or an undo, was faster.
    #[error("another `move` or an --undo has come in between")]
    Overtaken,
    /// The move has stopped after the organisation was closed.
    #[error("organisation `{name}` is closed for now: do the same again to go on, or take the move back with --undo")]
    StillClosed {
        /// The organisation.
        name: String,
        /// Why it has stopped.
        source: Box<Self>,
    },
    /// Another organisation has the name in the other database.
    #[error("there is an organisation `{0}` already in the database to move to, so nothing was begun")]
    NameThere(String),
    /// What is indexed in the other database is not indexed here.
    #[error(
        "the organisation has resources of type `{name}` without the index {}, which the database to move to has: filters there would pass \
         over them, so serve the same types from both first", indexes.join(", ")
    )]
    OtherIndexes {
        /// The type.
        name: String,
        /// The indexes that are missing.
        indexes: Vec<String>,
    },
    /// What arrived is not what left.
    #[error(
        "what has arrived is not what has left: run `doctor` on both databases, and take the move back with --undo"
    )]
    Unequal,
    /// Another process has cut the log since it was checked.
    #[error("somebody else has cut the log meanwhile: do the same again")]
    CutMeanwhile,
    /// Nobody knows whether the entries went.
    #[error(
        "whether the entries were cut off is not known, so `{}` was kept: look with `audit verify`, and remove the file only \
         where the log still begins with them", archive.display()
    )]
    Uncertain {
        /// Where they are.
        archive: PathBuf,
        /// What the store says.
        source: StoreError,
    },
    /// The file holds no private key.
    #[error("`{}` holds no key that signs: make one with `audit key --new FILE`", .0.display())]
    NoKey(PathBuf),
    /// Others may read the private key.
    #[error("`{}` may be read by others than its owner, which no key that signs should be: chmod 600", .0.display())]
    OpenKey(PathBuf),
    /// The log does not have the head that was noted.
    #[error("entry {position} of the log has the hash {found} and not the one that was noted: the log was rewritten")]
    OtherHead {
        /// Its position.
        position: u64,
        /// The hash that it has.
        found: String,
    },
    /// The noted head is not in the log.
    #[error("the log has no entry {position}: {why}")]
    NoHead {
        /// The position.
        position: u64,
        /// Why not.
        why: &'static str,
    },
}

impl From<CommandError> for OperationError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Directory(error) => Self::Directory(error),
            CommandError::Write(error) => Self::Write(error),
        }
    }
}

/// The file that the database is.
fn file_of(database: &Database) -> Result<&Path, OperationError> {
    match database {
        Database::File(path) => Ok(path),
        Database::Postgres(url) => Err(OperationError::NotAFile(url.to_string())),
    }
}

/// Says which file could not be read or written.
fn at(path: &Path) -> impl FnOnce(io::Error) -> OperationError + '_ {
    |source| OperationError::File { path: path.to_owned(), source }
}

/// Says of which file SQLite speaks.
fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> OperationError + '_ {
    |source| OperationError::Sqlite { path: path.to_owned(), source }
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The file beside another, whose name is the other's with more at its end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Makes what was done in a folder outlive a power cut.
fn sync_folder(path: &Path) -> Result<(), OperationError> {
    // Windows has no handles for folders, and keeps their entries by itself.
    if cfg!(unix) {
        let folder = folder_of(path);
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    }
    Ok(())
}
