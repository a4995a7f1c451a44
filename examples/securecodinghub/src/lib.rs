//! The parts of the server `securecodinghub`: a SCIM 2.0 endpoint for many organisations, each known by its tokens.
//!
//! [`run`] is the whole program; the binary only hands it the arguments, the environment and the standard output.

pub mod accounts;
pub mod admin;
pub mod cli;
pub mod commands;
pub mod database;
pub mod directory;
pub mod endpoint;
pub mod extensions;
pub mod gate;
mod leftover;
pub mod log;
pub mod operations;
pub mod people;
pub mod policy;
pub mod rate;
pub mod serve;
pub mod settings;
mod table;
pub mod token;
pub mod types;

use std::ffi::OsString;
use std::io::{self, Write};

use cli::{Command, Invocation, UserCommand};
use commands::CommandError;
use database::DatabaseError;
use extensions::command::ExtensionCommandError;
use settings::{Settings, SettingsError};

/// Does what the arguments ask for, and writes what is to be shown to `out`.
///
/// # Errors
/// When it could not be done. A request for help or the version is an error too, of clap's: see [`Failure::Usage`].
pub fn run(
    arguments: impl IntoIterator<Item: Into<OsString> + Clone>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let invocation = Invocation::read(arguments)?;
    let settings = Settings::load(invocation.common.config.as_deref(), invocation.layer(), environment)?;
    let json = invocation.common.json;
    match &invocation.command {
        Command::Serve(_) => {
            settings.check_serving()?;
            serve::run(settings, json, out)?;
        }
        command => {
            // A command does one thing after the other: no threads are made for it.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(CommandError::from)?.block_on(command_on(command, &settings, json, out))?;
        }
    }
    out.flush().map_err(CommandError::from)?;
    Ok(())
}

/// Does what a command beside the server is to do.
async fn command_on(command: &Command, settings: &Settings, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let database = &settings.database;
    match command {
        // INVARIANT: the caller serves.
        Command::Serve(_) => {}
        Command::Org(command) => {
            commands::org(&*database.directory().await?, settings.edition, command, json, out).await?;
        }
        Command::Token(command) => commands::token(&*database.directory().await?, command, json, out).await?,
        Command::Extension(command) => extensions::command::run(settings, command, json, out).await?,
        Command::User(UserCommand::Add(args)) => accounts::add(settings, args, json, out).await?,
        Command::Log(args) => log::show(settings, args, json, out).await?,
        Command::Migrate => {
            database.migrate().await?;
            commands::show_migrated(database, json, out)?;
        }
        Command::Audit(command) => operations::audit::run(database, command, json, out).await?,
        Command::Doctor(args) => operations::doctor::run(settings, args, json, out).await?,
        Command::Backup(args) => operations::backup::run(database, args, json, out)?,
        Command::Move(args) => operations::moving::run(database, args, json, out).await?,
        Command::Restore(args) => operations::restore::run(settings, args, json, out).await?,
    }
    Ok(())
}

/// Why the program ends without having done what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The arguments are wrong, or ask for help or the version. Clap prints this best.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The server could not serve.
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    /// No extension was registered or removed.
    #[error(transparent)]
    Extension(#[from] ExtensionCommandError),
    /// No user was made.
    #[error(transparent)]
    Account(#[from] accounts::AccountError),
    /// The log cannot be shown.
    #[error(transparent)]
    Log(#[from] log::LogError),
    /// Something that the operator asked for was not done.
    #[error(transparent)]
    Operation(#[from] operations::OperationError),
}

impl Failure {
    /// Whether the reader of the output went away, as `head` does when it has seen enough. That is no failure to tell.
    pub fn is_closed_output(&self) -> bool {
        let error = match self {
            Self::Command(CommandError::Write(error))
            | Self::Extension(ExtensionCommandError::Write(CommandError::Write(error)))
            | Self::Log(log::LogError::Write(error))
            | Self::Operation(operations::OperationError::Write(error)) => error,
            _ => return false,
        };
        error.kind() == io::ErrorKind::BrokenPipe
    }
}
