//! What is cut off a log, kept in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use scimwright_store::Logged;

use crate::operations::{OperationError, at, sync_folder};

/// A new file for what is cut off, readable for its owner alone. It goes again unless it is kept: nothing was cut off then.
pub(super) struct Archive {
    path: PathBuf,
    file: BufWriter<File>,
    kept: bool,
}

impl Archive {
    pub(super) fn new(path: &Path) -> Result<Self, OperationError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OperationError::Exists {
                path: path.to_owned(),
                advice: "choose another name, for no archive is overwritten",
            },
            _ => at(path)(error),
        })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), kept: false })
    }

    pub(super) fn write(&mut self, entry: &Logged) -> Result<(), OperationError> {
        let line = serde_json::to_string(entry).map_err(io::Error::from)?;
        writeln!(self.file, "{line}").map_err(at(&self.path))
    }

    /// Waits for the disk: only then may the entries go.
    pub(super) fn finish(&mut self) -> Result<(), OperationError> {
        let path = &self.path;
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).map_err(at(path))?;
        sync_folder(path)
    }

    /// Lets the file stay, and tells which it is.
    pub(super) fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if !self.kept {
            // The file is this process's own. Where it cannot be removed it is in the way of the next archive, which says so.
            drop(std::fs::remove_file(&self.path));
        }
    }
}
