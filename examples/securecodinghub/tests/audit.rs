//! The provisioning log as evidence: what `audit` shows, and what an auditor finds without this program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use support::{Hub, Organisation, Server, named, replace, text};

/// An organisation with four entries in its log, of which the third has what JSON must escape.
fn acme(hub: &Hub, server: &Server) -> Organisation {
    let acme = hub.organisation(server, "acme", "");
    let ada = acme.client.make("/Users", &named("ada"));
    acme.client.patch(&format!("/Users/{ada}"), &replace("title", "Dr")).is_done();
    acme.client.post("/Users", &named("ada")).is_error(409, "uniqueness");
    let odd = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "béa \u{1F600}", "nickName": "\"\\\u{1}\u{7f}"});
    acme.client.make("/Users", &odd);
    acme
}

/// What the auditor's script says of a log that came as lines of JSON.
fn script(arguments: &[&str], log: &str) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/audit/verify_log.py");
    let mut child = Command::new("python3")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(log.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn log(hub: &Hub) -> String {
    hub.prints("log --org acme --json")
}

fn head(hub: &Hub) -> String {
    text(&hub.json("audit verify --org acme"), "head")
}

#[test]
fn an_auditor_needs_nothing_but_sha_256_and_json() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let (log, head) = (log(&hub), head(&hub));
    assert!(head.ends_with("@4"), "{head}");
    let said = script(&[&acme.id], &log);
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), head, "{}", String::from_utf8_lossy(&said.stderr));
    // He finds what was changed, taken out and moved, and a log of somebody else.
    let lines: Vec<&str> = log.lines().collect();
    let swapped = [lines[0], lines[2], lines[1], lines[3]].join("\n");
    for (changed, reason) in [
        (log.replacen("\"status\":409", "\"status\":201", 1), "the hash of entry 3 does not follow"),
        (lines[1..].join("\n"), "entry 1 is missing: the next one is 2"),
        (swapped, "entry 2 is missing: the next one is 3"),
    ] {
        let said = script(&[&acme.id], &changed);
        let error = String::from_utf8_lossy(&said.stderr);
        assert!(!said.status.success() && error.contains(reason), "{error}");
    }
    assert!(!script(&["somebody-else"], &log).status.success());
}

#[test]
fn a_noted_head_shows_that_a_log_was_rewritten() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let noted = head(&hub);
    acme.client.make("/Users", &named("ben"));
    let told = hub.prints(&format!("audit verify --org acme --head {noted}"));
    assert!(told.contains("entries       5"), "{told}");
    let (hash, _) = noted.split_once('@').unwrap();
    let error = hub.refuses(&format!("audit verify --org acme --head {hash}@3"));
    assert!(error.contains("entry 3 of the log has the hash"), "{error}");
    let error = hub.refuses(&format!("audit verify --org acme --head {hash}@6"));
    assert!(error.contains("the log has no entry 6: the log ends before"), "{error}");
    // One byte of what was written.
    hub.sql("UPDATE scim_log SET event = replace(event, 'create', 'creaTe') WHERE position = 1");
    let error = hub.refuses("audit verify --org acme");
    assert!(error.contains("the hash of entry 1 of the log does not follow"), "{error}");
    assert!(hub.refuses("audit retain --org acme --keep 0").contains("the hash of entry 1"));
    assert_eq!(hub.run("doctor --org acme").status.code(), Some(1));
}

#[test]
fn what_is_old_goes_and_a_signed_checkpoint_stands_for_it() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let before = log(&hub);
    assert_eq!(hub.json("audit retain --org acme --keep 1 --archive none.jsonl"), json!({"cut": 0}));
    assert!(!hub.path().join("none.jsonl").exists());
    let key = text(&hub.json("audit key"), "key");
    assert!(key.starts_with("ed25519:") && key.len() == 8 + 64, "{key}");

    let done = hub.json("audit retain --org acme --keep 0 --archive old.jsonl");
    assert_eq!(
        (&done["cut"], &done["checkpoint"]["position"], &done["checkpoint"]["key"]),
        (&json!(4), &json!(4), &json!(key))
    );
    // Nothing is lost that was archived, and the archive is a log that can be checked.
    assert_eq!(std::fs::read_to_string(hub.path().join("old.jsonl")).unwrap(), before);
    assert!(hub.refuses("audit retain --org acme --keep 0 --archive old.jsonl").contains("no archive is overwritten"));
    let archived = script(&[&acme.id], &before);
    let cut = String::from_utf8(archived.stdout).unwrap().trim().to_owned();
    assert_eq!(cut, format!("{}@4", text(&done["checkpoint"], "hash")));

    // The cut is in the log itself: who, when, how many.
    let left = hub.log("acme");
    assert_eq!(left.len(), 1);
    assert_eq!(
        (&left[0]["position"], &left[0]["operation"], &left[0]["actor"]),
        (&json!(5), &json!("retain"), &json!("admin"))
    );
    assert!(text(&left[0], "detail").starts_with("4 entries up to 4 were cut off"));
    acme.client.make("/Users", &named("ben"));
    let verified = hub.json("audit verify --org acme");
    assert_eq!((&verified["entries"], &verified["position"]), (&json!(2), &json!(6)));
    assert_eq!(verified["checkpoint"], done["checkpoint"]);
    let said = script(&[&acme.id, &cut], &log(&hub));
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), text(&verified, "head"));
    hub.prints(&format!("audit verify --org acme --head {cut}"));
    let hash = text(&done["checkpoint"], "hash");
    let error = hub.refuses(&format!("audit verify --org acme --head {hash}@2"));
    assert!(error.contains("it was cut off, and a checkpoint stands for it"), "{error}");
    assert!(hub.prints("doctor --org acme").contains("acme: well: "));
    // And again, from the checkpoint on.
    let again = hub.json("audit retain --org acme --keep 0");
    assert_eq!((&again["cut"], &again["checkpoint"]["position"]), (&json!(2), &json!(6)));
    hub.prints("audit verify --org acme");
}

#[test]
fn a_checkpoint_that_somebody_made_is_not_trusted() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    acme(&hub, &server);
    hub.json("audit retain --org acme --keep 0");
    let forged: [(&str, &str); 2] = [
        ("json_set(value, '$.time', '2020-01-01T00:00:00Z')", "its signature is not good"),
        ("json_set(value, '$.key', 'ed25519:00')", "is not one of this database"),
    ];
    let whole = "CREATE TABLE kept AS SELECT * FROM scim_fact";
    hub.sql(whole);
    for (value, reason) in forged {
        hub.sql(&format!("UPDATE scim_fact SET value = {value} WHERE name = 'scimwright.log.checkpoint'"));
        let error = hub.refuses("audit verify --org acme");
        assert!(error.contains(reason), "{error}");
        let reports: Value = serde_json::from_slice(&hub.run("doctor --org acme --json").stdout).unwrap();
        assert_eq!(reports[0]["findings"][0]["finding"], "checkpoint");
        hub.sql("DELETE FROM scim_fact; INSERT INTO scim_fact SELECT * FROM kept");
    }
    hub.prints("audit verify --org acme");
}

#[test]
fn an_end_that_was_taken_away_shows() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    acme(&hub, &server);
    let truncated = "DELETE FROM scim_log WHERE position > 2";
    let wiped = "DELETE FROM scim_log; DELETE FROM scim_fact";
    for (damage, ends) in [(truncated, 2), (wiped, 0)] {
        hub.sql(damage);
        for line in ["audit verify --org acme", "audit retain --org acme --keep 0"] {
            let error = hub.refuses(line);
            let wanted = format!("the log ends with entry {ends}, but entry 4 was written");
            assert!(error.contains(&wanted), "{line}: {error}");
        }
    }
}

#[test]
fn an_auditor_names_the_keys_that_count() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let (own, other) = (text(&hub.json("audit key"), "key"), format!("ed25519:{}", "0".repeat(64)));
    hub.json("audit retain --org acme --keep 0");
    assert!(hub.prints("audit verify --org acme").contains("was taken from this database"));
    let told = hub.prints(&format!("audit verify --org acme --key {other} --key {own}"));
    assert!(!told.contains("was taken from this database"), "{told}");
    let error = hub.refuses(&format!("audit verify --org acme --key {other}"));
    assert!(error.contains("is not one of those that were given"), "{error}");

    // A key that is kept elsewhere signs only behind what its owner trusts.
    let outside = text(&hub.json("audit key --new audit.key"), "key");
    assert_eq!(text(&hub.json("audit key --key-file audit.key"), "key"), outside);
    assert!(hub.refuses("audit key --new audit.key").contains("audit.key"));
    acme.client.make("/Users", &named("ben"));
    let error = hub.refuses("audit retain --org acme --keep 0 --key-file audit.key");
    assert!(error.contains("is not one of those that were given"), "{error}");
    let done = hub.json(&format!("audit retain --org acme --keep 0 --key-file audit.key --key {own}"));
    let checkpoint = &done["checkpoint"];
    assert_eq!((&checkpoint["key"], &checkpoint["cutsBefore"]), (&json!(outside), &json!(1)));
    assert_eq!(text(checkpoint, "previous").len(), 64);
    let verified = hub.json(&format!("audit verify --org acme --key {outside}"));
    assert_eq!(verified["keyFrom"], "given");
    assert!(hub.refuses(&format!("audit verify --org acme --key {own}")).contains("is not one of those"));
    // The database does not sign with it, but knows it, for this organisation and up to there.
    let digits = std::fs::read_to_string(hub.path().join("audit.key")).unwrap();
    let secret = digits.trim().rsplit_once(':').unwrap().1.as_bytes().chunks(2);
    let secret: Vec<u8> =
        secret.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
    assert!(!hub.bytes_on_disk().windows(secret.len()).any(|bytes| bytes == secret));
    assert!(hub.prints("doctor --org acme").contains("acme: well: "));
    let elsewhere = &hub.json("audit key")["elsewhere"];
    assert_eq!(*elsewhere, json!([{"organisation": acme.id, "key": outside, "through": checkpoint["position"]}]));
}

#[test]
fn what_may_only_be_read_can_be_verified() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    acme(&hub, &server);
    hub.sql("CREATE TRIGGER shut BEFORE INSERT ON sch_meta BEGIN SELECT RAISE(ABORT, 'read only'); END");
    hub.prints("audit verify --org acme");
    assert!(hub.prints("doctor --org acme").contains("acme: well: "));
    assert!(hub.refuses("audit key").contains("the database fails"));
}

#[test]
fn an_archive_stays_where_nobody_knows_whether_entries_went() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    acme(&hub, &server);
    hub.sql("CREATE TRIGGER kept BEFORE DELETE ON scim_log BEGIN SELECT RAISE(ABORT, 'kept'); END");
    let error = hub.refuses("audit retain --org acme --keep 0 --archive old.jsonl");
    assert!(error.contains("`old.jsonl` was kept"), "{error}");
    hub.sql("DROP TRIGGER kept");
    hub.prints("audit verify --org acme");
    std::fs::remove_file(hub.path().join("old.jsonl")).unwrap();
    hub.prints("audit retain --org acme --keep 0 --archive old.jsonl");
    assert_eq!(std::fs::read_to_string(hub.path().join("old.jsonl")).unwrap().lines().count(), 4);
}
