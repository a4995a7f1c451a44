//! `extension …`: what the operator may do without a token, beside a running server or without one.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use scimwright_core::ScimError;
use serde_json::{Value, json};

use super::{ExtensionError, Extensions, LARGEST, Registered};
use crate::cli::ExtensionCommand;
use crate::commands::{CommandError, exact, moment, write_json};
use crate::database::{DatabaseError, Opened};
use crate::directory::{DirectoryError, ExtensionRecord};
use crate::endpoint::{TypesError, context, service};
use crate::people::People;
use crate::settings::Settings;
use crate::table;

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionCommandError {
    /// The organisation is unknown, or the product's tables cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// What is served does not fit together.
    #[error(transparent)]
    Types(#[from] TypesError),
    /// The file cannot be read.
    #[error("cannot read the schema in `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is longer than any schema that is taken.
    #[error("`{}` is longer than {LARGEST} bytes", .0.display())]
    TooLong(PathBuf),
    /// The file is no JSON.
    #[error("`{}` is not JSON", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// Line and column.
        source: serde_json::Error,
    },
    /// It was refused.
    #[error(transparent)]
    Refused(#[from] ExtensionError),
    /// What the organisation has set cannot be read.
    #[error("{}", .0.detail())]
    Context(ScimError),
    /// The answer cannot be written.
    #[error(transparent)]
    Write(#[from] CommandError),
}

impl From<io::Error> for ExtensionCommandError {
    fn from(error: io::Error) -> Self {
        Self::Write(error.into())
    }
}

/// Runs `extension …`.
///
/// # Errors
/// When the organisation or the extension is unknown, it is refused, or the database or the file cannot be used.
pub async fn run(
    settings: &Settings,
    command: &ExtensionCommand,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), ExtensionCommandError> {
    let name = match command {
        ExtensionCommand::Add(args) => &args.org,
        ExtensionCommand::List(args) => &args.org,
        ExtensionCommand::Remove(args) => &args.org,
    };
    let Opened { directory, store } = settings.database.open().await?;
    let organisation = directory.organisation(name).await?;
    let extensions = Extensions::new(directory, service(settings, store)?);
    match command {
        ExtensionCommand::Add(args) => {
            let schema = read(&args.file)?;
            let (done, record) = extensions.register(&organisation, "admin", schema).await?;
            if json {
                return Ok(write_json(out, &extension_json(&record))?);
            }
            let what = match done {
                Registered::New => "is registered",
                Registered::Changed => "is registered anew",
                Registered::Unchanged => "was registered already",
            };
            writeln!(out, "{} {what} for `{}`", urn(&record), organisation.name)?;
        }
        ExtensionCommand::List(_) => {
            let records = extensions.list_with_removed(&organisation).await?;
            if json {
                return Ok(write_json(out, &records.iter().map(listed_json).collect())?);
            }
            let rows = records.iter().map(|record| {
                let attributes = record.schema["attributes"].as_array().map_or(0, Vec::len);
                let removed = record.removed.map(moment).unwrap_or_default();
                let (created, changed) = (moment(record.created), moment(record.changed));
                [urn(record).to_owned(), attributes.to_string(), created, changed, removed]
            });
            table::rows(out, ["URI", "ATTRIBUTES", "CREATED", "CHANGED", "REMOVED"], rows)?;
        }
        ExtensionCommand::Remove(args) => {
            let people = People::by_hand(&organisation);
            let context = context(&organisation, "admin", &settings.scim_base(), people);
            let context = context.map_err(ExtensionCommandError::Context)?;
            let record = extensions.get(&organisation, &args.urn).await?;
            extensions.remove(&context, &organisation, &args.urn).await?;
            if json {
                return Ok(write_json(out, &extension_json(&record))?);
            }
            writeln!(out, "{} is removed from `{}`", urn(&record), organisation.name)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Value, ExtensionCommandError> {
    let unreadable = |source| ExtensionCommandError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let most = LARGEST as u64 + 1;
    if path.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        std::fs::File::open(path).map_err(unreadable)?.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() > LARGEST {
        return Err(ExtensionCommandError::TooLong(path.to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|source| ExtensionCommandError::Json { path: path.to_owned(), source })
}

fn urn(record: &ExtensionRecord) -> &str {
    record.schema["id"].as_str().unwrap_or(&record.urn_key)
}

fn extension_json(record: &ExtensionRecord) -> Value {
    json!({
        "urn": urn(record),
        "created": exact(record.created),
        "changed": exact(record.changed),
        "schema": record.schema,
    })
}

fn listed_json(record: &ExtensionRecord) -> Value {
    let mut json = extension_json(record);
    json["removed"] = record.removed.map(exact).into();
    json
}
