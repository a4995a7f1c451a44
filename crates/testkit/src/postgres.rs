//! PostgreSQL for tests: a server that is made for one process, is gone when that process is, and nobody has to install by hand.
//!
//! ```
//! use scimwright_testkit::postgres::Cluster;
//!
//! // None where PostgreSQL is not installed, which is told once and loudly.
//! if let Some(cluster) = Cluster::shared() {
//!     let database = cluster.database();
//!     assert_eq!(cluster.ask(database.url(), "SELECT 1")?, "1");
//! }
//! # Ok::<(), scimwright_testkit::postgres::ClusterError>(())
//! ```
//!
//! # Scope
//!
//! Debian's programs are found where Debian puts them, others by `PATH`. PostgreSQL refuses to run as root, so root starts it as
//! `postgres` or `nobody`. Nothing is durable: what a test writes need not survive a power cut. The server listens on a free port of
//! the loopback and trusts whoever connects to it.
//!
//! `SCIM_TEST_POSTGRES_URL` names a server to use instead, by a role that may make databases. With `SCIMWRIGHT_CI=1` a missing
//! PostgreSQL is a panic, so that nobody takes tests for passed that were passed over.

mod account;
mod bouncer;
mod programs;
mod server;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use bouncer::Bouncer;

use server::Server;

/// Names a server to use in the place of a throw-away one.
const URL: &str = "SCIM_TEST_POSTGRES_URL";
/// Where everything has to be there.
const CI: &str = "SCIMWRIGHT_CI";

/// A server with databases for tests.
#[derive(Debug)]
pub struct Cluster {
    shared: Arc<Shared>,
    /// The databases that others are copied from.
    templates: Mutex<HashSet<String>>,
}

#[derive(Debug)]
struct Shared {
    /// The URL of a database that is there always.
    url: String,
    psql: PathBuf,
    /// None when the server is somebody else's.
    server: Option<Server>,
}

/// A database of a test's own. It goes when this is dropped, whoever is still connected.
#[derive(Debug)]
pub struct Database {
    shared: Arc<Shared>,
    name: String,
    url: String,
}

/// Why there is no PostgreSQL to test with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A program is not installed.
    #[error("`{0}` is not installed: neither in /usr/lib/postgresql nor in PATH")]
    NotInstalled(&'static str),
    /// Root cannot run PostgreSQL, and there is nobody else to run it.
    #[error("PostgreSQL does not run as root, and /etc/passwd has neither `postgres` nor `nobody`")]
    NoAccount,
    /// A program or a folder cannot be used.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// A program said no.
    #[error("{program} has failed: {said}")]
    Failed {
        /// Which.
        program: &'static str,
        /// Its own words.
        said: String,
    },
}

impl ClusterError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

impl Cluster {
    /// The server that all tests of this process share; none where PostgreSQL cannot be started.
    ///
    /// # Panics
    ///
    /// When it cannot be started and `SCIMWRIGHT_CI` is `1`.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        let start = || match Self::start(&[]) {
            Ok(cluster) => Some(cluster),
            Err(error) => {
                let why = chain(&error);
                assert!(std::env::var_os(CI).is_none_or(|ci| ci != "1"), "no PostgreSQL to test with: {why}");
                eprintln!("SKIPPED: everything that needs PostgreSQL, for there is none: {why}");
                None
            }
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// A server of one's own with settings more, such as `log_statement=all`. A server that `SCIM_TEST_POSTGRES_URL` names has
    /// its own settings.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed or does not start.
    pub fn start(settings: &[&str]) -> Result<Self, ClusterError> {
        match std::env::var(URL) {
            Ok(url) if !url.is_empty() => Self::over(url, None),
            _ => {
                let server = server::postgres(settings)?;
                Self::over(url_of(&server), Some(server))
            }
        }
    }

    /// A server that runs already.
    ///
    /// # Errors
    ///
    /// When `psql` is not installed.
    pub fn at(url: impl Into<String>) -> Result<Self, ClusterError> {
        Self::over(url.into(), None)
    }

    fn over(url: String, server: Option<Server>) -> Result<Self, ClusterError> {
        let psql = programs::find("psql")?;
        Ok(Self { shared: Arc::new(Shared { url, psql, server }), templates: Mutex::default() })
    }

    /// An empty database.
    ///
    /// # Panics
    ///
    /// When the server refuses to make it.
    #[must_use]
    pub fn database(&self) -> Database {
        self.make(None)
    }

    /// A database like the one of that name, which is made empty and handed to `prepare` when it is asked for first: to copy a
    /// database takes a tenth of the time in which its tables are made.
    ///
    /// # Panics
    ///
    /// When the server refuses to make it.
    #[must_use]
    pub fn prepared(&self, name: &str, prepare: impl FnOnce(&str)) -> Database {
        if self.shared.server.is_none() {
            // Nothing would ever remove the template from a server that outlives this process.
            let database = self.make(None);
            prepare(database.url());
            return database;
        }
        let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        if !templates.contains(name) {
            self.shared.run(&format!("CREATE DATABASE \"{name}\" TEMPLATE template0"));
            prepare(&with_database(&self.shared.url, name));
            templates.insert(name.to_owned());
        }
        drop(templates);
        self.make(Some(name))
    }

    fn make(&self, template: Option<&str>) -> Database {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("scim_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let template = template.unwrap_or("template0");
        self.shared.run(&format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""));
        let url = with_database(&self.shared.url, &name);
        Database { shared: Arc::clone(&self.shared), name, url }
    }

    /// A `PgBouncer` in transaction mode before this server.
    ///
    /// # Errors
    ///
    /// When it is not installed or does not start, or when the server is somebody else's.
    pub fn bouncer(&self) -> Result<Bouncer, ClusterError> {
        let none = ClusterError::Failed { program: "pgbouncer", said: format!("{URL} names somebody else's server") };
        Bouncer::before(self.shared.server.as_ref().ok_or(none)?.port())
    }

    /// A server that follows this one: it takes no writes, and has all that is here now.
    ///
    /// # Errors
    ///
    /// When it does not start, or when the server is somebody else's.
    pub fn follower(&self) -> Result<Self, ClusterError> {
        let none =
            ClusterError::Failed { program: "pg_basebackup", said: format!("{URL} names somebody else's server") };
        let server = server::follower(self.shared.server.as_ref().ok_or(none)?.port())?;
        Self::over(url_of(&server), Some(server))
    }

    /// The URL of a database of that name at this server.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        with_database(&self.shared.url, database.name())
    }

    /// What a statement answers: its columns with `|` between them, a line for each row.
    ///
    /// # Errors
    ///
    /// When `psql` cannot be run, or with the server's words when it refuses the statement.
    pub fn ask(&self, url: &str, sql: &str) -> Result<String, ClusterError> {
        psql(&self.shared.psql, url, sql)
    }

    /// What the server has written to its log so far; nothing of somebody else's.
    #[must_use]
    pub fn log(&self) -> String {
        self.shared.server.as_ref().map(Server::log).unwrap_or_default()
    }

    /// Where the server keeps what it keeps.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.shared.server.as_ref().map(Server::folder)
    }
}

impl Shared {
    fn run(&self, sql: &str) {
        if let Err(error) = psql(&self.psql, &self.url, sql) {
            panic!("{sql}: {}", chain(&error));
        }
    }
}

impl Database {
    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Best effort: with the server goes the database anyway.
        let gone = psql(&self.shared.psql, &self.shared.url, &format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name));
        if let Err(error) = gone {
            eprintln!("the database {} stays: {}", self.name, chain(&error));
        }
    }
}

fn psql(program: &Path, url: &str, sql: &str) -> Result<String, ClusterError> {
    let mut command = Command::new(program);
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--no-password"]);
    command.args(["--dbname", url, "--command", sql]).env("PGCONNECT_TIMEOUT", "20");
    programs::run("psql", &mut command)
}

fn url_of(server: &Server) -> String {
    format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", server.port())
}

/// The same URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (place, query) = url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
    let authority = place.find("://").map_or(0, |at| at + 3);
    let end = place[authority..].find('/').map_or(place.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &place[..end])
}

/// An error with all that it comes from, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |line, source| format!("{line}: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_given_another_database() {
        for (url, wanted) in [
            ("postgres://a@b:1/c", "postgres://a@b:1/d"),
            ("postgres://a@b:1", "postgres://a@b:1/d"),
            ("postgresql://a:p@b,c/x?sslmode=require", "postgresql://a:p@b,c/d?sslmode=require"),
        ] {
            assert_eq!(with_database(url, "d"), wanted);
        }
    }
}
