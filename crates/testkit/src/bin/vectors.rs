//! Runs files of vectors: `vectors FILE…` prints a line for each failure, then the counts, and fails if one failed.

use std::io::{self, Write};
use std::process::ExitCode;

use scimwright_testkit::vectors;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut out = io::stdout().lock();
    match run(&files, &mut out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "vectors: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all scored vectors of all files passed.
fn run(files: &[String], out: &mut dyn Write) -> Result<bool, Box<dyn std::error::Error>> {
    if files.is_empty() {
        return Err("name one or more files: vectors FILE…".into());
    }
    let (mut passed, mut failed, mut unscored) = (0, 0, 0);
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let report = vectors::run(&text).map_err(|error| format!("{file}: {error}"))?;
        for failure in &report.failed {
            writeln!(out, "{file}: {failure}")?;
        }
        passed += report.passed;
        failed += report.failed.len();
        unscored += report.unscored_count;
    }
    writeln!(out, "{passed} passed, {failed} failed, {unscored} unscored")?;
    Ok(failed == 0)
}
