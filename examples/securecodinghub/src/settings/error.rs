//! What can be wrong with the settings, with the place where to put it right.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::PublicUrl;
use crate::database::BadDatabase;

/// Where a setting was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The environment of the process.
    Environment,
    /// A TOML file.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A key that nobody knows.
    #[error("there is no setting `{key}`, which is in {place}: did you mean `{nearest}`?")]
    UnknownKey {
        /// As it was written.
        key: String,
        /// Where.
        place: Place,
        /// The known key that is most like it.
        nearest: String,
    },
    /// A value that the key cannot have.
    #[error("`{key}` in {place} cannot be used: {reason}")]
    BadValue {
        /// The key as it is written in that place.
        key: String,
        /// Where.
        place: Place,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The file is not there, or may not be read.
    #[error("cannot read the settings in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no TOML. What stands in the line is not repeated, for it may be a password.
    #[error("the settings in `{}` are no TOML: line {line}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The text does not say where the data is.
    #[error(transparent)]
    Database(#[from] BadDatabase),
    /// Tokens would be sent in the clear.
    #[error(
        "listening on {listen} with the public URL {public_url} would let tokens cross the network in the clear: put \
         something that speaks TLS in front and give its address as `--public-url https://…`, or listen on 127.0.0.1"
    )]
    Cleartext {
        /// The address to listen on.
        listen: SocketAddr,
        /// The URL that is not https.
        public_url: PublicUrl,
    },
}
