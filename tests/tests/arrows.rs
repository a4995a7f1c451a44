//! The plan of the house: who may know whom, checked against what cargo says, and what may be named where.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scimwright_tests::cargo;
use serde_json::Value;

/// The floors, from the ground up. Arrows point down only: a package knows packages of lower floors, never one of its
/// own.
const FLOORS: &[&[&str]] = &[
    &["scimwright-core"],
    &["scimwright-filter"],
    &["scimwright-compat", "scimwright-patch", "scimwright-store"],
    &["scimwright-service", "scimwright-sql"],
    &["scimwright-client", "scimwright-http", "scimwright-postgres", "scimwright-sqlite", "scimwright-testkit"],
    &["scimwright"],
    &["custom_schema", "custom_store", "quickstart", "securecodinghub"],
    // Nobody knows these.
    &["scimwright-tests"],
];

/// What the packages of a library may not bring along.
const NO_RUNTIME: &[&str] = &["tokio", "async-std", "smol", "hyper", "axum", "reqwest"];

/// The transport of the client that is ready to use brings what it runs on. Without that feature the client needs no runtime either.
const BRINGS_A_TRANSPORT: &str = "scimwright-client";

/// The driver of PostgreSQL works on a runtime. Whoever wants none takes another store.
const BRINGS_A_DRIVER: &str = "scimwright-postgres";

/// Only this crate names vendors.
const COMPAT: &str = "scimwright-compat";
const VENDORS: &[&str] = &[
    "okta",
    "entra",
    "azure",
    "microsoft",
    "google",
    "authentik",
    "keycloak",
    "onelogin",
    "jumpcloud",
    "sailpoint",
    "auth0",
    "pingone",
    "pingfederate",
    "rippling",
    "workday",
    "salesforce",
];

fn run(arguments: &[&str]) -> String {
    let output = cargo().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of the workspace, by name.
fn packages() -> BTreeMap<String, Value> {
    let metadata: Value = serde_json::from_str(&run(&["metadata", "--format-version=1", "--no-deps"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    packages.into_iter().map(|package| (package["name"].as_str().unwrap().to_owned(), package)).collect()
}

fn floor(package: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&package))
}

/// The folder of a package.
fn folder(package: &Value) -> PathBuf {
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

/// The packages that are libraries for others: those below `crates`.
fn libraries() -> Vec<(String, Value)> {
    let libraries = packages().into_iter().filter(|(_, package)| folder(package).parent().unwrap().ends_with("crates"));
    let libraries: Vec<_> = libraries.collect();
    assert!(libraries.len() >= 11, "only {}", libraries.len());
    libraries
}

#[test]
fn every_package_has_a_floor() {
    let packages = packages();
    for name in packages.keys() {
        assert!(floor(name).is_some(), "{name} has no floor: give it one in FLOORS");
    }
    for name in FLOORS.iter().copied().flatten() {
        assert!(packages.contains_key(*name), "{name} has a floor but is not there");
    }
}

#[test]
fn arrows_point_down() {
    let packages = packages();
    let mut arrows = 0;
    let mut wrong = Vec::new();
    for (name, package) in &packages {
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            // What tests need is no arrow of the house; what is built is.
            if dependency["kind"] == "dev" || !packages.contains_key(other) {
                continue;
            }
            arrows += 1;
            if floor(other) >= floor(name) {
                wrong.push(format!("{name} may not know {other}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(arrows > 20, "only {arrows} arrows were looked at");
}

#[test]
fn libraries_bring_no_runtime_and_a_plain_serde_json() {
    let looks = libraries().into_iter().flat_map(|(name, _)| match name.as_str() {
        // The facade's features add crates that are looked at themselves.
        "scimwright" => vec![(name, None, true)],
        BRINGS_A_TRANSPORT => {
            vec![(name.clone(), Some("--no-default-features"), true), (name, Some("--all-features"), false)]
        }
        BRINGS_A_DRIVER => vec![(name, Some("--all-features"), false)],
        _ => vec![(name, Some("--all-features"), true)],
    });
    for (name, features, without_runtime) in looks {
        let mut arguments =
            vec!["tree", "--package", &name, "--edges", "normal", "--prefix", "none", "--format", "{p};{f}"];
        arguments.extend(features);
        let tree = run(&arguments);
        let mut crates = 0;
        for line in tree.lines().filter(|line| !line.is_empty()) {
            let (package, features) = line.trim_end_matches(" (*)").split_once(';').unwrap();
            let package = package.split(' ').next().unwrap();
            crates += 1;
            assert!(!(without_runtime && NO_RUNTIME.contains(&package)), "{name} brings {package}");
            if package == "serde_json" {
                let more: Vec<&str> = features.split(',').filter(|name| !["default", "std"].contains(name)).collect();
                assert!(more.is_empty(), "{name} builds serde_json with {more:?}");
            }
        }
        assert!(crates > 3, "{name}: {tree}");
    }
}

/// The files of Rust below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lines of a source that are built into the crate: neither comments nor tests.
fn code(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            // Either a module in a file of its own, or tests to the end.
            match lines.next() {
                Some((_, module)) if module.ends_with(';') => continue,
                _ => break,
            }
        }
        if !line.trim_start().starts_with("//") {
            found.push((at + 1, without_comment(line)));
        }
    }
    found
}

/// What follows `//` is a comment, unless it is in a text, as the `//` of a URI is.
fn without_comment(line: &str) -> &str {
    let outside = |at: &usize| line[..*at].matches('"').count().is_multiple_of(2);
    let comment = line.match_indices(" // ").map(|(at, _)| at).find(outside);
    &line[..comment.unwrap_or(line.len())]
}

/// Whether a line names a vendor: `Ping` only as a word of its own, for it is one.
fn vendor(line: &str) -> Option<&'static str> {
    let lower = line.to_lowercase();
    let ping = lower.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "ping");
    VENDORS.iter().copied().find(|vendor| lower.contains(vendor)).or(ping.then_some("ping"))
}

#[test]
fn only_compat_names_vendors() {
    let mut looked_at = 0;
    for (name, package) in libraries() {
        let mut files = Vec::new();
        sources(&folder(&package).join("src"), &mut files);
        for file in files
            .iter()
            .filter(|file| !file.ends_with("tests.rs") && !file.components().any(|part| part.as_os_str() == "tests"))
        {
            let text = std::fs::read_to_string(file).unwrap();
            for (at, line) in code(&text) {
                looked_at += 1;
                let found = vendor(line).filter(|_| name != COMPAT);
                assert_eq!(found, None, "{name}, {} line {at}: {line}", file.file_name().unwrap().display());
            }
        }
    }
    assert!(looked_at > 5000, "only {looked_at} lines were looked at");
}

#[test]
fn vendors_are_found_where_they_are_named() {
    let named = |text: &'static str| code(text).iter().filter_map(|(_, line)| vendor(line)).collect::<Vec<_>>();
    assert_eq!(
        named("let a = Okta; // Entra\n    /// Google\n//! Azure\nlet b = \"http://microsoft.example\";"),
        ["okta", "microsoft"]
    );
    assert_eq!(named("fn ping() {}\nfn mapping() {} \nfn shopping() {}"), ["ping"]);
    assert_eq!(named("#[cfg(test)]\nmod okta;\nuse entra;"), ["entra"]);
    assert_eq!(named("let a = 1;\n#[cfg(test)]\nmod tests { const A: &str = \"okta\"; }"), [""; 0]);
}
