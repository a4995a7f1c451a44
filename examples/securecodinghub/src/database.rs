//! Where the data is, and how it is opened: the product's tables and those of SCIM, which are in one database.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use scimwright_postgres::{OpenError as PostgresError, PostgresOptions, PostgresStore};
use scimwright_sqlite::{OpenError, SqliteOptions, SqliteStore};
use scimwright_store::Transfer;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::directory::{Directory, DirectoryError, postgres};

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// In a file. A relative path starts in the working directory.
    File(PathBuf),
    /// In PostgreSQL.
    Postgres(PostgresUrl),
}

/// The URL of a database in PostgreSQL. It may hold a password, and so neither `Debug` nor `Display` shows all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    url: String,
    /// What the URL says.
    config: Box<Config>,
}

/// Why a text does not say where the data is. It does not repeat the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadDatabase {
    /// The scheme of the URL is another one.
    #[error(
        "`{0}://` is no database that this program knows: give the path of a file, or a URL that begins with postgres://"
    )]
    Scheme(String),
    /// The URL is not one of PostgreSQL.
    #[error("the URL of the database cannot be read: write it as postgres://user@host:5432/name")]
    Url(#[source] tokio_postgres::Error),
    /// The URL is no text.
    #[error("the URL of the database is no Unicode")]
    NotUnicode,
}

impl Database {
    /// Reads a path or a URL. The password, where the URL has none, is what stands in `PGPASSWORD`.
    ///
    /// # Errors
    /// When it is a URL of another kind, or cannot be read.
    pub fn parse(text: &OsStr, password: Option<&OsStr>) -> Result<Self, BadDatabase> {
        let lossy = text.to_string_lossy();
        let Some((scheme, _)) = lossy.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            return Ok(Self::File(PathBuf::from(text)));
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(BadDatabase::Scheme(scheme.to_owned()));
        }
        let mut url = text.to_str().ok_or(BadDatabase::NotUnicode)?.to_owned();
        let mut config: Config = url.parse().map_err(BadDatabase::Url)?;
        if let (None, Some(password)) = (config.get_password(), password) {
            let password = percent_encode(password.as_encoded_bytes(), NON_ALPHANUMERIC);
            url = format!("{url}{}password={password}", if url.contains('?') { '&' } else { '?' });
            config = url.parse().map_err(BadDatabase::Url)?;
        }
        Ok(Self::Postgres(PostgresUrl { url, config: Box::new(config) }))
    }
}

/// RFC 3986 section 3.1; of one letter it would be the drive of a path on Windows.
fn is_scheme(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    text.len() > 1 && text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(plain)
}

impl Default for Database {
    fn default() -> Self {
        Self::File(PathBuf::from("securecodinghub.db"))
    }
}

/// As it may be shown.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

impl fmt::Display for PostgresUrl {
    /// Who, where and what, and none of the rest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate().map(|(at, host)| {
            let host = match host {
                Host::Tcp(name) => name.clone(),
                #[cfg(unix)]
                Host::Unix(path) => path.display().to_string(),
            };
            match ports.get(at).or(ports.first()) {
                Some(port) => format!("{host}:{port}"),
                None => host,
            }
        });
        let name = self.config.get_dbname().map(|name| format!("/{name}")).unwrap_or_default();
        write!(f, "postgres://{user}{}{name}", hosts.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

/// A text that was given for a database, not yet read. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Given(pub OsString);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(…)")
    }
}

impl<T: Into<OsString>> From<T> for Given {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The product's tables cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The resources in a file cannot be used.
    #[error(transparent)]
    Sqlite(#[from] OpenError),
    /// The resources in PostgreSQL cannot be used.
    #[error(transparent)]
    Postgres(PostgresError),
    /// The tables of resources in PostgreSQL are missing, or are those of an older version.
    #[error("{}: run `securecodinghub migrate --database …`", older(.0))]
    Older(PostgresError),
}

fn older(error: &PostgresError) -> String {
    match error {
        PostgresError::Older { found, known } => {
            format!("the tables of resources are of version {found}, and this program needs version {known}")
        }
        _ => "the database has no tables of resources".to_owned(),
    }
}

impl From<PostgresError> for DatabaseError {
    fn from(error: PostgresError) -> Self {
        match error {
            PostgresError::Missing | PostgresError::Older { .. } => Self::Older(error),
            other => Self::Postgres(other),
        }
    }
}

/// A database that is open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The organisations and what belongs to them alone.
    pub directory: Arc<Directory>,
    /// The resources.
    pub store: Arc<dyn Transfer>,
}

impl Database {
    /// Opens the product's tables alone.
    ///
    /// # Errors
    /// When the database cannot be reached or opened, or has tables of another version.
    pub async fn directory(&self) -> Result<Arc<Directory>, DatabaseError> {
        match self {
            Self::File(path) => Ok(Arc::new(Directory::open(path)?)),
            // The connections are the store's.
            Self::Postgres(_) => Ok(self.open().await?.directory),
        }
    }

    /// Opens all of it.
    ///
    /// # Errors
    /// When the database cannot be reached or opened, or has tables of another version.
    pub async fn open(&self) -> Result<Opened, DatabaseError> {
        match self {
            Self::File(path) => {
                let directory = Arc::new(Directory::open(path)?);
                Ok(Opened { directory, store: Arc::new(SqliteStore::open(path, SqliteOptions::default())?) })
            }
            Self::Postgres(url) => {
                let store = PostgresStore::connect(&url.url, PostgresOptions::default()).await?;
                let directory = Arc::new(Directory::in_postgres(&store).await?);
                Ok(Opened { directory, store: Arc::new(store) })
            }
        }
    }

    /// Makes the tables, or brings them up to date. For a file that is what opening it does.
    ///
    /// # Errors
    /// When the database cannot be reached, may not be changed, or has tables of a newer version.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        match self {
            Self::File(_) => self.open().await.map(drop),
            Self::Postgres(url) => {
                scimwright_postgres::migrate(&url.url).await?;
                let store = PostgresStore::connect(&url.url, PostgresOptions::default()).await?;
                Ok(postgres::migrate(store.pool()).await?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Database {
        Database::parse(text.as_ref(), None).unwrap()
    }

    #[test]
    fn a_path_is_a_file_and_a_url_is_a_server() {
        for path in ["securecodinghub.db", "./postgres.db", "/var/lib/hub.db", "C:\\hub.db", "a:b", "://", ":memory:"] {
            assert_eq!(parse(path), Database::File(path.into()), "{path}");
        }
        for (url, shown) in [
            ("postgres://ada:s3cret@db.example/hub", "postgres://ada@db.example:5432/hub"),
            ("postgresql://ada@a:1,b:2/hub?target_session_attrs=read-write", "postgres://ada@a:1,b:2/hub"),
            ("postgres://db.example?user=ada&password=s3cret", "postgres://ada@db.example"),
        ] {
            let database = parse(url);
            assert!(matches!(database, Database::Postgres(_)), "{url}");
            for text in [database.to_string(), format!("{database:?}"), format!("{:?}", Given::from(url))] {
                assert!(!text.contains("s3cret"), "{text}");
            }
            assert!(database.to_string().starts_with(shown), "{database}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_not_repeated() {
        for (url, reason) in [
            ("mysql://ada:s3cret@db.example/hub", "`mysql://` is no database that this program knows"),
            ("http://s3cret@db.example", "`http://` is no database"),
            ("postgres://ada:s3cret@db.example:port/hub", "the URL of the database cannot be read"),
            ("postgres://ada@db.example/hub?s3cret", "the URL of the database cannot be read"),
            ("postgres://ada@db.example/hub?passwort=s3cret", "the URL of the database cannot be read"),
        ] {
            let error = Database::parse(url.as_ref(), None).unwrap_err();
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let text = format!("{error}: {cause}");
            assert!(text.starts_with(reason), "{text}");
            assert!(!text.contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn a_password_may_come_from_elsewhere() {
        let with = |url: &str| {
            let database = Database::parse(url.as_ref(), Some("else where&?".as_ref())).unwrap();
            let Database::Postgres(url) = database else { panic!("this is a file") };
            url.config.get_password().map(<[u8]>::to_owned)
        };
        assert_eq!(with("postgres://ada@db.example/hub").as_deref(), Some(&b"else where&?"[..]));
        assert_eq!(with("postgres://db.example/hub?user=ada").as_deref(), Some(&b"else where&?"[..]));
        assert_eq!(with("postgres://ada:own@db.example/hub").as_deref(), Some(&b"own"[..]));
    }
}
