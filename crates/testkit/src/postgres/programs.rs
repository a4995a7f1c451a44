//! The programs of PostgreSQL: where they are, and how they are asked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ClusterError;

/// Where Debian keeps one folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A program of the newest version that Debian has put there, or the one that `PATH` finds.
pub(crate) fn find(program: &'static str) -> Result<PathBuf, ClusterError> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers such as PgBouncer are in the administrator's folder, which is in nobody else's PATH.
    let places = versions.into_iter().rev().map(|(_, place)| place).chain(std::env::split_paths(&path));
    let mut places = places.chain([PathBuf::from("/usr/sbin")]);
    let found = places.find_map(|place| Some(place.join(program)).filter(|file| file.is_file()));
    found.ok_or(ClusterError::NotInstalled(program))
}

/// What a command prints when it succeeds.
pub(crate) fn run(program: &'static str, command: &mut Command) -> Result<String, ClusterError> {
    let output = command.stdin(Stdio::null()).output().map_err(ClusterError::io(program))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    Err(ClusterError::Failed { program, said: String::from_utf8_lossy(&output.stderr).trim_end().to_owned() })
}

/// A file as far as it can be read.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
