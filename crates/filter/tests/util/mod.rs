//! The vectors of the specification.

use std::fs;

use serde_json::Value;

/// A file below `tests/data` of the workspace.
#[track_caller]
pub(crate) fn data(name: &str) -> Value {
    let path = format!("{}/../../tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
