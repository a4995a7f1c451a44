//! Programs of the workspace, built and found.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The cargo that runs the tests, in the root of the workspace.
#[must_use]
pub fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).stdin(Stdio::null());
    command
}

/// Where a program of a package of the workspace is, built as it is now.
///
/// # Panics
///
/// When it cannot be built.
#[must_use]
pub fn built(package: &str, program: &str) -> PathBuf {
    let output = cargo()
        .args(["build", "--quiet", "--message-format=json", "--package", package, "--bin", program])
        .output()
        .unwrap_or_else(|error| panic!("cargo cannot be run: {error}"));
    let messages = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{program} cannot be built: {}", String::from_utf8_lossy(&output.stderr));
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter(|message| message["target"]["name"] == program);
    let executable = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    executable.unwrap_or_else(|| panic!("cargo does not say where {program} is"))
}
