//! The vectors of the specification, through the engines and through the program that runs files of them.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scimwright_testkit::vectors::run;
use scimwright_tests::built;

/// Open points on which we do otherwise than a file recommends, and the ruling that says so.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("filters.json", "`userName  eq \"x\"`", BLANKS),
    ("filters.json", "` userName eq \"x\"`", BLANKS),
    ("filters.json", "`userName eq \"x\" `", BLANKS),
    ("filters.json", "`( title pr )`", BLANKS),
    ("filters.json", "`emails[ type eq \"work\" ]`", BLANKS),
    ("filters.json", "`title pr and(userType pr)`", MISSING),
    ("filters.json", "`userName eq\"x\"`", MISSING),
    ("filters.json", "`userName\teq\t\"x\"`", "R-15 again, where a tab is as good as a blank"),
    ("patch.json", "remove-with-value", "R-19: refused unless a profile tolerates it, and never ignored"),
];
const BLANKS: &str = "R-15: blanks more than the grammar has are accepted";
const MISSING: &str =
    "R-15: the example of RFC 7644 section 3.5.2.2 leaves this blank out, and nothing else could be meant";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/spec").join(name)
}

#[track_caller]
fn check(name: &str, scored: usize, open: usize) {
    let report = run(&std::fs::read_to_string(file(name)).unwrap()).unwrap();
    let failed: Vec<String> = report.failed.iter().map(ToString::to_string).collect();
    assert_eq!(failed, Vec::<String>::new());
    // A file that shrinks must not pass for one that holds.
    assert_eq!((report.passed, report.unscored_count), (scored, open), "of {name}");
    let came: Vec<&str> = report.unscored.iter().map(|difference| difference.vector.as_str()).collect();
    let known: Vec<&str> =
        DIFFERENCES.iter().filter(|(file, ..)| *file == name).map(|(_, vector, _)| *vector).collect();
    assert_eq!(came, known, "{:?}", report.unscored);
}

/// Proves: F-3, F-4, F-5, F-6, F-18, F-19, F-26, F-28, F-29, F-33, erratum 4670, erratum 4690, erratum 7319, erratum 7322,
/// erratum 8924.
#[test]
fn filters() {
    check("filters.json", 143, 19);
}

/// Proves: F-2, F-7, F-8, F-9, F-10, F-11, F-12, F-13, F-14, F-15, F-16, F-17, F-20, F-21, F-22, F-24, F-26, F-27, R-1, R-2,
/// R-3, R-4, R-5, R-6, R-7, R-8, R-9, R-10, R-11, R-12, R-13.
#[test]
fn eval() {
    check("eval.json", 135, 20);
}

/// Proves: PA-3, PA-4, PA-5, PA-6, PA-7, PA-8, PA-9, PA-12, PA-13, PA-15, PA-16, PA-18, PA-19, PA-20, PA-21,
/// PD-1, PD-2, PD-3, PD-4, PD-5, PD-6, PD-7, PD-8, PD-9, PD-10, PD-11, PD-12,
/// PM-1, PM-2, PM-3, PM-4, PM-5, PM-6, PM-7, PM-8, PM-9,
/// PX-1, PX-2, PX-3, PX-4, PX-5, PX-6, PX-7, PX-8, PX-9, PX-10.
#[test]
fn patch() {
    check("patch.json", 110, 26);
}

/// Runs the program `vectors` on these files.
fn vectors(files: &[PathBuf]) -> (Output, String) {
    let output = Command::new(built("scimwright-testkit", "vectors")).args(files).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[test]
fn the_program_counts_what_passed() {
    let (output, text) = vectors(&[file("filters.json"), file("eval.json"), file("patch.json")]);
    assert!(output.status.success(), "{text}");
    assert_eq!(text, "388 passed, 0 failed, 65 unscored\n");
}

#[test]
fn the_program_names_a_vector_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.json");
    let vectors_of_it = r#"{"vectors": [
        {"filter": "userName pr", "valid": true},
        {"filter": "userName is \"ada\"", "valid": true},
        {"filter": "userName eq ada", "valid": true, "ambiguous": "unquoted"}]}"#;
    std::fs::write(&wrong, vectors_of_it).unwrap();
    let (output, text) = vectors(std::slice::from_ref(&wrong));
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<&str> = text.lines().collect();
    let [failure, counts] = lines.as_slice() else { panic!("{text}") };
    let head = format!("{}: `userName is \"ada\"`: wanted a filter, came the error: ", wrong.display());
    assert!(failure.starts_with(&head), "{failure}");
    assert_eq!(*counts, "1 passed, 1 failed, 1 unscored");
}

#[test]
fn the_program_says_what_it_cannot_run() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing.json");
    std::fs::write(&nothing, "{}").unwrap();
    for files in [vec![], vec![folder.path().join("nobody.json")], vec![nothing]] {
        let (output, text) = vectors(&files);
        assert_eq!((output.status.code(), text.as_str()), (Some(2), ""), "{files:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("vectors: "), "{files:?}");
    }
}
