//! Where we stand on every requirement: `docs/coverage.md` is made here, from what the tests say that they prove.
//!
//! A test names the ids that it proves at the beginning of its name (`pu_2_e_3_put_does_not_create`), or in a line of
//! its docs: `/// Proves: F-12, R-5, erratum 8475.` The ids are those of `tests/data/spec/requirements.json`. What no
//! test proves has a reason in `tests/data/spec/reasons.json`. After a change of any of these the page is made anew:
//!
//! ```console
//! $ SCIMWRIGHT_WRITE=1 cargo test -p scimwright-tests --test coverage
//! ```
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod check;
mod collect;
mod ids;
mod page;
mod readme;
mod spec;

use std::path::{Path, PathBuf};

use check::Matrix;
use spec::{Reasons, Spec};

/// What makes the page anew.
const COMMAND: &str = "SCIMWRIGHT_WRITE=1 cargo test -p scimwright-tests --test coverage";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(name: &str) -> String {
    let path = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The requirements, the reasons, and what the tests of the workspace prove.
fn project() -> (Matrix, Vec<String>) {
    let spec = Spec::parse(&text("tests/data/spec/requirements.json")).unwrap();
    let reasons = Reasons::parse(&text("tests/data/spec/reasons.json")).unwrap();
    let (proofs, wrong) = collect::workspace(&root(), &spec);
    (Matrix::new(spec, reasons, &proofs), wrong)
}

#[track_caller]
fn nothing_in(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_requirement_is_proved_or_argued() {
    let (matrix, wrong) = project();
    nothing_in(&[wrong, matrix.problems()].concat());
}

#[test]
fn the_page_is_what_is_generated() {
    let page = page::page(&project().0, COMMAND);
    if std::env::var_os("SCIMWRIGHT_WRITE").is_some() {
        std::fs::write(root().join("docs/coverage.md"), &page).unwrap();
    }
    nothing_in(&Vec::from_iter(page::difference(&text("docs/coverage.md"), &page, COMMAND)));
}

#[test]
fn the_readme_promises_what_is_proved() {
    nothing_in(&readme::problems(&text("README.md"), &project().0));
}

#[test]
fn nothing_was_lost_on_the_way() {
    let spec = Spec::parse(&text("tests/data/spec/requirements.json")).unwrap();
    assert_eq!((spec.requirements.len(), spec.rulings.len(), spec.parts.len()), (417, 44, 30));
    let level = |level: &str| spec.requirements.iter().filter(|row| row.level == level).count();
    let levels = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"].map(level);
    assert_eq!((levels, levels.iter().sum::<usize>()), ([301, 30, 56, 1, 29], 417));
    assert_eq!(spec.problems(), Vec::<String>::new());
    let (proofs, _) = collect::workspace(&root(), &spec);
    assert!(proofs.len() > 150, "only {} tests name what they prove", proofs.len());
    for folder in ["crates/", "examples/", "tests/"] {
        assert!(proofs.iter().any(|proof| proof.file.starts_with(folder)), "{folder} has tests that prove something");
    }
}
