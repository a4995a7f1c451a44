//! The program as a person runs it: processes, exit codes, and what is written where.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use securecodinghub::directory::Directory;
use securecodinghub::token::Secret;

fn program(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_securecodinghub"));
    command.args(line.split_whitespace()).current_dir(folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECURECODINGHUB_")) {
        command.env_remove(name);
    }
    command
}

fn run(folder: &Path, line: &str) -> Output {
    program(folder, line).output().expect("the program starts")
}

#[track_caller]
fn succeeds(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is text")
}

#[track_caller]
fn fails(output: &Output, code: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(output.stdout.is_empty());
    error
}

#[test]
fn a_token_is_made_used_and_revoked_beside_an_open_database() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), "org create acme --seats 3");
    let made = succeeds(folder.path(), "token create --org acme --label okta --json");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let secret = Secret::parse(made["token"].as_str().unwrap()).unwrap();

    // What a server has open all the while.
    let server = Directory::open(folder.path().join("securecodinghub.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let authenticate = || runtime.block_on(server.authenticate(&secret)).unwrap();
    let who = authenticate().unwrap();
    assert_eq!((who.organisation.name.as_str(), who.organisation.seats), ("acme", Some(3)));

    succeeds(folder.path(), "org set acme --profile okta --scim off");
    let who = authenticate().unwrap();
    assert_eq!((who.organisation.profile.to_string().as_str(), who.organisation.scim_enabled), ("okta", false));

    succeeds(folder.path(), &format!("token revoke --org acme {}", who.token_id));
    assert_eq!(authenticate(), None);
}

#[test]
fn commands_at_the_same_moment_keep_to_two_tokens() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), "org create acme");
    let started: Vec<_> = (0..6)
        .map(|_| {
            let mut command = program(folder.path(), "token create --org acme");
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let made = started.into_iter().map(|mut child| child.wait().unwrap()).filter(|status| status.success()).count();
    assert_eq!(made, 2);
}

#[test]
fn settings_come_from_flags_environment_and_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hub.toml"), "edition = 'second'\ndatabase = 'file.db'").unwrap();
    let made = succeeds(folder.path(), "org create acme --json --config hub.toml");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&made["linking"], &made["deletion"]), (&"reactivate".into(), &"deactivate".into()));
    assert!(folder.path().join("file.db").exists());

    let output = program(folder.path(), "org create acme")
        .env("SECURECODINGHUB_CONFIG", "hub.toml")
        .env("SECURECODINGHUB_DATABASE", "environment.db")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(folder.path().join("environment.db").exists());
    assert!(!folder.path().join("securecodinghub.db").exists());
}

#[test]
fn an_unknown_setting_stops_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path(), "org list").env("SECURECODINGHUB_RATELIMIT", "50/s").output().unwrap();
    assert_eq!(
        fails(&output, 1),
        "error: there is no setting `SECURECODINGHUB_RATELIMIT`, which is in the environment: did you mean \
         `SECURECODINGHUB_RATE_LIMIT`?\n"
    );
    std::fs::write(folder.path().join("hub.toml"), "ratelimit = '50/s'").unwrap();
    let error = fails(&run(folder.path(), "org list --config hub.toml"), 1);
    assert!(error.contains("`ratelimit`, which is in `hub.toml`: did you mean `rate_limit`?"), "{error}");
}

#[test]
fn an_error_tells_its_causes() {
    let folder = tempfile::tempdir().unwrap();
    let error = fails(&run(folder.path(), "org list --database missing/hub.db"), 1);
    assert!(error.starts_with("error: cannot open the database `missing/hub.db`: unable to open"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

/// Proves: AU-6.
#[test]
fn serving_in_the_clear_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["--listen 0.0.0.0:0", "serve --listen 0.0.0.0:0 --public-url http://hub.example"] {
        let error = fails(&run(folder.path(), line), 1);
        assert!(error.contains("in the clear"), "{error}");
    }
}

#[test]
fn help_is_an_answer_and_a_mistake_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let help = succeeds(folder.path(), "--help");
    for word in ["serve", "org", "token", "user", "log", "--listen", "--database", "--public-url", "--json"] {
        assert!(help.contains(word), "{word}");
    }
    assert!(succeeds(folder.path(), "--version").starts_with("securecodinghub "));
    fails(&run(folder.path(), "org lst"), 2);
    fails(&run(folder.path(), "--rate-limit 5/s"), 2);
}
