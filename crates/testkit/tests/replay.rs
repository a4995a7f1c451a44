//! The inputs of the fuzz targets, asked of the same laws on any toolchain: seeds, and whatever fuzzing has found.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use scimwright_testkit::laws;

type Law = fn(&[u8]);

const LAWS: [(&str, Law); 4] =
    [("filter", laws::filter), ("path", laws::path), ("patch", laws::patch), ("if_match", laws::if_match)];

/// Plays every file of `fuzz/<kind>/<target>` and answers how many there were. A directory that is not there fails: a
/// replay of nothing would pass for ever.
#[track_caller]
fn replay(kind: &str) -> Vec<(&'static str, usize)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(kind);
    let mut broken = Vec::new();
    let mut played = Vec::new();
    for (target, law) in LAWS {
        let directory = root.join(target);
        let mut files: Vec<_> = fs::read_dir(&directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
            .map(|entry| entry.expect("a file of the directory").path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", directory.display());
        for file in &files {
            let bytes = fs::read(file).expect("a readable file");
            if catch_unwind(AssertUnwindSafe(|| law(&bytes))).is_err() {
                broken.push(file.strip_prefix(&root).unwrap_or(file).display().to_string());
            }
        }
        played.push((target, files.len()));
    }
    assert!(broken.is_empty(), "{kind}: the laws do not hold for {broken:#?}");
    played
}

#[test]
fn the_corpus_keeps_the_laws() {
    for (target, count) in replay("corpus") {
        assert!(count >= 20, "{target} has only {count} seeds: is the checkout whole?");
    }
}

#[test]
fn what_fuzzing_found_keeps_the_laws() {
    replay("regressions");
}

/// A target that nobody replays, or a replay of no target, is a mistake in one of the two places.
#[test]
fn every_fuzz_target_is_replayed() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let mut found: Vec<String> = fs::read_dir(targets)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut replayed = LAWS.map(|(target, _)| target);
    replayed.sort_unstable();
    assert_eq!(found, replayed);
}
