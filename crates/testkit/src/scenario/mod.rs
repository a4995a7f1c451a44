//! Recorded traffic of identity providers, played against a server.
//!
//! A [`Scenario`] is a JSON file: the requests one client sends, in order, and what has to come back. A [`Runner`]
//! plays it through a [`Transport`], which may call a server in process or go over a socket, and gives a verdict:
//!
//! ```
//! use bytes::Bytes;
//! use scimwright_testkit::scenario::{Outcome, Runner, Scenario, Settings};
//!
//! let server = |_: http::Request<Bytes>| Ok(http::Response::new(Bytes::from(r#"{"userName": "ada", "active": true}"#)));
//! let scenario = Scenario::parse(
//!     "ada.json",
//!     r#"{"idp": "none", "scenario": "read Ada", "source": "this page", "requests": [
//!         {"method": "GET", "path": "/Users/1",
//!          "expect": {"status": 200, "body_contains": {"userName": {"$ieq": "ADA"}}}}]}"#,
//! )?;
//! let runner = Runner::new(&server, Settings::new("http://localhost/scim/v2", "secret"))?;
//! assert_eq!(runner.play(&scenario), Outcome::Passed);
//! # Ok::<(), scimwright_testkit::scenario::Error>(())
//! ```
//!
//! # The format
//!
//! A scenario has `idp`, `scenario` (its title), `source` and `requests`; optional are `evidence`, `why`, `tolerance`,
//! `needs`, `profile`, `serial`, `vars`, `headers` and `content_type_on_get`. Unknown keys are errors, so that a
//! misspelt expectation cannot pass for one that holds.
//!
//! Each of the `requests` has `method` and `path` (below the base, with the query), a body as `body`, `raw` or `body_of`
//! with `body_set` and `body_drop`, `headers` (null takes one out), `as` (the name the answer is saved under), `repeat`,
//! `name`, `continue` and `expect`. Or it has `crawl`, a list to read page by page, with `count` and `first_with_index`.
//!
//! `expect` knows `status`, `headers`, `body_contains`, `body_absent`, `body_empty`, `error` and `list`; for `crawl`
//! it knows `ids` and `min_pages`. `max_ms` is read and ignored: what a call in process takes says nothing about a
//! network, and a verdict must not depend on what else the machine does.
//!
//! An expected object is a subset of what comes, and each item of an expected list needs an item of its own, in any
//! order. In the place of a value may stand an object whose only member is one of `$any`, `$absent`, `$absent_or`,
//! `$type`, `$exact`, `$regex`, `$ieq`, `$startswith`, `$endswith`, `$contains`, `$in`, `$not`, `$len`, `$min`, `$max`,
//! `$each`, `$none`, `$all`.
//!
//! Every string may hold variables: `${uid}`, `${guid}`, `${guid:label}`, `${token}`, `${base}`, `${now}`, `${n}`, those
//! of `vars`, and of saved answers `${name.path.0.to}` and `${name@header}`; each changed by `|q`, `|upper`, `|lower`,
//! `|json` or `|second`.

mod check;
mod expect;
mod json;
mod model;
mod play;
mod vars;
mod wanted;
mod wire;

use std::{fmt, fs, io, path::Path};

use bytes::Bytes;
use http::{Request, Response};

pub use self::{model::Scenario, play::Runner};

/// One way to reach a server: in process, or over a socket.
///
/// Any `Fn(Request<Bytes>) -> Result<Response<Bytes>, String>` is one.
pub trait Transport {
    /// Sends one request and waits for the answer.
    ///
    /// The request is what a server would see of it on the wire: its target is path and query, the authority is in
    /// `Host`, and `Content-Length` is there when there is a body to count.
    ///
    /// # Errors
    ///
    /// A text that says why no answer came. An answer of whatever status is not an error.
    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String>;
}

impl<F> Transport for F
where
    F: Fn(Request<Bytes>) -> Result<Response<Bytes>, String>,
{
    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self(request)
    }
}

/// How scenarios are played, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The bearer token; when empty, no `Authorization` is sent by default.
    pub token: String,
    /// The address a provider would be given: what `${base}` means, and the prefix of each path.
    pub base: String,
    /// Play the scenarios of these profiles, too.
    pub profiles: Vec<String>,
    /// Skip the scenarios that a strict server refuses.
    pub strict: bool,
    /// Play what needs a feature that the server does not announce, too.
    pub need_all: bool,
    /// Leave the users and groups that were made.
    pub keep: bool,
}

impl Settings {
    /// Everything off: no profiles, tolerant, by what is announced, tidy.
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            base: base.into(),
            profiles: Vec::new(),
            strict: false,
            need_all: false,
            keep: false,
        }
    }
}

/// How a scenario ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Every answer was as expected.
    Passed,
    /// Something else came, or the scenario could not go on.
    Failed {
        /// The first step that failed, counted from 1; 0 when none was reached.
        step: usize,
        /// What differs, one line for each, with the step it belongs to. Several steps only with `continue`.
        differences: Vec<String>,
    },
    /// Not played, and why.
    Skipped(String),
}

impl Outcome {
    /// Whether something differed.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
            Self::Failed { differences, .. } => {
                f.write_str("failed")?;
                differences.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
        }
    }
}

/// Why nothing could be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or a folder could not be read.
    #[error("cannot read {path}")]
    Read {
        /// Which one.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file is no scenario.
    #[error("{name}: {reason}")]
    Format {
        /// Which one.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The base in the settings is no address.
    #[error("the base must be an http or https address, not {0:?}")]
    Base(String),
    /// The server did not answer when it was asked what it can do.
    #[error("the server does not answer: {0}")]
    NoAnswer(String),
}

/// Every scenario in a folder and the folders below it, sorted by name; files that do not end in `.json` are left out.
///
/// # Errors
///
/// [`Error::Read`] or [`Error::Format`] for the first file that cannot be used.
pub fn load_dir(dir: &Path) -> Result<Vec<Scenario>, Error> {
    let mut files = Vec::new();
    collect(dir, "", &mut files)?;
    files.sort();
    files.iter().map(|name| Scenario::parse(name, &read(&dir.join(name))?)).collect()
}

/// The names of the JSON files below a folder, relative to where the search began and with `/` on every platform.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), Error> {
    let failed = |source| Error::Read { path: folder.display().to_string(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else if name.ends_with(".json") {
            files.push(name);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Read { path: path.display().to_string(), source })
}
