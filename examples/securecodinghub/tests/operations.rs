//! Backups, restores and examinations: of the real program, on a file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use support::{Hub, Organisation, Server, eventually, join, named, replace, team, text, user};

/// An organisation with people, one who was deleted, and a team of two.
fn acme(hub: &Hub, server: &Server) -> Organisation {
    let acme = hub.organisation(server, "acme", "--edition second");
    let ada = acme.client.make("/Users", &user("ada@acme.example"));
    let ben = acme.client.make("/Users", &user("ben@acme.example"));
    let eve = acme.client.make("/Users", &named("eve"));
    let crew = acme.client.make("/Groups", &team("Crew", &[&ada]));
    acme.client.patch(&format!("/Groups/{crew}"), &join(&[&ben])).is_done();
    acme.client.patch(&format!("/Users/{ada}"), &replace("title", "Dr")).is_done();
    acme.client.delete(&format!("/Users/{eve}")).is(204);
    acme
}

fn stop(mut server: Server) {
    server.terminate();
    assert!(server.ends().success());
}

/// What `doctor --json` says, and whether the exit code says the same.
fn doctor(hub: &Hub, flags: &str) -> Vec<Value> {
    let output = hub.run(&format!("doctor --json {flags}"));
    let reports: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let well = reports.iter().all(|report| report["findings"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(output.status.code(), Some(if well { 0 } else { 1 }));
    reports
}

/// The names of what is found.
fn found(hub: &Hub) -> Vec<String> {
    let reports = doctor(hub, "");
    let each = reports.iter().flat_map(|report| report["findings"].as_array().cloned().unwrap());
    each.map(|finding| text(&finding, "finding")).collect()
}

#[test]
fn every_damage_done_by_hand_is_found_by_its_name() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    acme(&hub, &server);
    assert_eq!(found(&hub), Vec::<String>::new());
    stop(server);
    // The last one who closes the file brings everything into it.
    let whole = std::fs::read(hub.database()).unwrap();
    assert!(!hub.path().join("securecodinghub.db-wal").exists());
    let cases: [(&str, &[&str]); 18] = [
        ("DELETE FROM scim_key WHERE path = 'userName' AND value LIKE 'ada%'", &["key-missing"]),
        (
            "INSERT INTO scim_key SELECT tenant, type, path, 'mallory', id FROM scim_key WHERE path = 'userName' LIMIT 1",
            &["key-stray"],
        ),
        (
            "UPDATE scim_key SET value = 'mallory' WHERE path = 'userName' AND value LIKE 'ada%'",
            &["key-missing", "key-stray"],
        ),
        ("DELETE FROM scim_unique WHERE scope <> '' AND path = 'userName' AND value LIKE 'ada%'", &["unique-missing"]),
        ("DELETE FROM scim_unique WHERE scope = '' AND path = 'e-mail' AND value LIKE 'ada%'", &["unique-missing"]),
        (
            "UPDATE scim_unique SET id = 'nobody' WHERE scope = '' AND path = 'e-mail' AND value LIKE 'ada%'",
            &["unique-missing", "unique-stray"],
        ),
        ("UPDATE scim_count SET count = count + 1 WHERE type = 'User'", &["record-count"]),
        ("UPDATE scim_keyed SET count = count - 1 WHERE path = 'userName'", &["key-count"]),
        ("UPDATE scim_record SET members = 3 WHERE type = 'Group'", &["member-count"]),
        ("DELETE FROM scim_member WHERE member_id = (SELECT min(member_id) FROM scim_member)", &["member-count"]),
        (
            "UPDATE scim_member SET member_type = 'Group' WHERE member_id = (SELECT min(member_id) FROM scim_member)",
            &["member-type"],
        ),
        (
            "UPDATE scim_member SET member_id = 'nobody' WHERE member_id = (SELECT min(member_id) FROM scim_member)",
            &["member-missing"],
        ),
        (
            "UPDATE scim_member SET group_id = 'nothing' WHERE member_id = (SELECT min(member_id) FROM scim_member)",
            &["group-missing", "member-count"],
        ),
        (
            "UPDATE scim_record SET document = json_set(document, '$.userName', 'mallory') WHERE document LIKE '%ada@acme%'",
            &["stale-index", "stale-display"],
        ),
        ("UPDATE scim_record SET version = 1000 WHERE type = 'Group'", &["future-version"]),
        ("UPDATE scim_log SET event = json_set(event, '$.actor', 'somebody') WHERE position = 3", &["chain"]),
        ("DELETE FROM scim_log WHERE position = 3", &["chain"]),
        ("DELETE FROM scim_log WHERE position = (SELECT max(position) FROM scim_log)", &["position"]),
    ];
    for (damage, wanted) in cases {
        std::fs::write(hub.database(), &whole).unwrap();
        hub.sql(damage);
        let mut names = found(&hub);
        names.sort();
        let mut wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        wanted.sort();
        assert_eq!(names, wanted, "{damage}");
        let output = hub.run("doctor");
        assert_eq!(output.status.code(), Some(1));
        let lines = String::from_utf8(output.stdout).unwrap();
        assert!(lines.lines().any(|line| line.starts_with(&format!("acme: {}: ", wanted[0]))), "{lines}");
    }
    std::fs::write(hub.database(), &whole).unwrap();
    hub.sql("UPDATE scim_record SET document = '{' WHERE type = 'Group'");
    assert_eq!(found(&hub), ["unreadable"]);
    std::fs::write(hub.database(), &whole).unwrap();
    hub.sql("PRAGMA foreign_keys = off; DELETE FROM sch_token; DELETE FROM sch_organisation WHERE name = 'acme'");
    assert_eq!(found(&hub), ["ownerless"]);
}

#[test]
fn a_backup_of_a_database_in_use_is_whole_and_has_what_was_acknowledged() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let (stop, made) = (AtomicBool::new(false), Arc::new(Mutex::new(Vec::new())));
    let (writers, count) = (4, AtomicUsize::new(0));
    let before = std::thread::scope(|scope| {
        for writer in 0..writers {
            let (client, made, stop, count) = (server.client(&acme.token), made.clone(), &stop, &count);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let id = client.make("/Users", &named(&format!("writer {writer} {number}")));
                    made.lock().unwrap().push(id);
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        eventually("the writers write", || (count.load(Ordering::SeqCst) > 40).then_some(()));
        let before = made.lock().unwrap().clone();
        let made = hub.json("backup hub.backup");
        assert!(made["bytes"].as_u64().unwrap() > 0);
        // They wrote all the while.
        let after = count.load(Ordering::SeqCst);
        eventually("the writers go on", || (count.load(Ordering::SeqCst) > after).then_some(()));
        stop.store(true, Ordering::SeqCst);
        before
    });
    let told = hub.prints("restore --check hub.backup");
    assert!(told.contains("\nacme: well: "), "{told}");
    let backup = rusqlite::Connection::open(hub.path().join("hub.backup")).unwrap();
    for id in before {
        let there = "SELECT 1 FROM scim_record WHERE id = ?1";
        assert!(backup.prepare(there).unwrap().exists([&id]).unwrap(), "{id}");
    }
    drop(backup);
    let error = hub.refuses("backup hub.backup");
    assert!(error.contains("there is a file `hub.backup` already"), "{error}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(hub.path().join("hub.backup")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Nothing is left of what was on the way.
    let hidden = std::fs::read_dir(hub.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!hidden.into_iter().any(|name| name.to_string_lossy().starts_with('.')));
}

#[test]
fn a_backup_takes_the_place_of_a_database_that_nobody_uses() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    hub.prints("backup hub.backup");
    let late = acme.client.make("/Users", &named("late"));
    let error = hub.refuses("restore hub.backup");
    assert!(error.contains("already: take --replace to put it aside"), "{error}");
    let error = hub.refuses("restore hub.backup --replace");
    assert!(error.contains("is in use: stop the servers on it first"), "{error}");
    acme.client.read(&format!("/Users/{late}"));
    stop(server);
    let told = hub.prints("restore hub.backup --replace");
    assert!(told.contains("securecodinghub.db.replaced is what was there before"), "{told}");
    let server = hub.serve("");
    let client = server.client(&acme.token);
    assert_eq!(client.count("/Users"), 2);
    client.get(&format!("/Users/{late}")).is_error(404, "");
    client.make("/Users", &named("late"));
    assert_eq!(found(&hub), Vec::<String>::new());
    stop(server);
    // What was put aside is a database still, and is not put aside twice.
    assert_eq!(doctor(&hub, "--database securecodinghub.db.replaced").len(), 2);
    let error = hub.refuses("restore hub.backup --replace");
    assert!(error.contains("it was put aside before"), "{error}");
    // Where there is none, nothing needs to be told.
    hub.prints("restore hub.backup --database other.db");
    assert_eq!(doctor(&hub, "--database other.db").len(), 2);
    std::fs::write(hub.path().join("third.db-wal"), "left over").unwrap();
    let error = hub.refuses("restore hub.backup --database third.db");
    assert!(error.contains("without its database"), "{error}");
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    acme(&hub, &server);
    for (file, reason) in [
        ("nothing", "there is no database `nothing`"),
        ("text", "SQLite cannot use `text`"),
        ("other", "`other` is no database of this program"),
    ] {
        std::fs::write(
            hub.path().join("text"),
            "this is no database, but it is long enough to be looked at as if it were one: ".repeat(10),
        )
        .unwrap();
        drop(
            rusqlite::Connection::open(hub.path().join("other"))
                .unwrap()
                .execute_batch("CREATE TABLE IF NOT EXISTS t (a)"),
        );
        let error = hub.refuses(&format!("restore --check {file}"));
        assert!(error.contains(reason), "{error}");
    }
    let error = hub.refuses("backup x --database nowhere.db");
    assert!(error.contains("there is no database `nowhere.db`"), "{error}");
    assert!(!hub.path().join("nowhere.db").exists() && !hub.path().join("x").exists());
    // A copy of a database in use may be anything.
    std::fs::copy(hub.database(), hub.path().join("torn.db")).unwrap();
    std::fs::copy(hub.path().join("securecodinghub.db-wal"), hub.path().join("torn.db-wal")).unwrap();
    let error = hub.refuses("restore torn.db --database fresh.db");
    assert!(error.contains("a copy of a database in use is no backup"), "{error}");
    // What does not fit together is said, and restored all the same: there may be nothing better.
    hub.prints("backup good.db");
    let damaged = rusqlite::Connection::open(hub.path().join("good.db")).unwrap();
    damaged.execute_batch("DELETE FROM scim_unique").unwrap();
    drop(damaged);
    assert_eq!(hub.run("restore --check good.db").status.code(), Some(1));
    let told = hub.prints("restore good.db --database fresh.db");
    assert!(told.contains("acme: unique-missing: ") && told.contains("restored all the same"), "{told}");
    assert!(told.contains("These tokens open it"), "{told}");
    let restored = hub.json("restore good.db --database again.db");
    assert!(restored["findings"].as_u64().unwrap() > 0 && restored["reports"].is_array(), "{restored}");
    assert_eq!(restored["livingTokens"].as_array().unwrap().len(), 2, "{restored}");
    // A page that is none.
    let mut bytes = std::fs::read(hub.path().join("good.db")).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x55);
    std::fs::write(hub.path().join("bad.db"), bytes).unwrap();
    assert_eq!(hub.run("restore --check bad.db").status.code(), Some(1));
    assert_eq!(hub.run("restore bad.db --database worse.db").status.code(), Some(1));
    assert!(!hub.path().join("worse.db").exists());
}

#[test]
fn a_database_in_which_nothing_was_provisioned_is_one() {
    let hub = Hub::on_a_file();
    hub.json("org create acme");
    hub.prints("backup hub.backup");
    let told = hub.prints("restore --check hub.backup");
    assert!(told.contains("resources none"), "{told}");
    hub.prints("restore hub.backup --replace");
    assert_eq!(hub.json("org list")[0]["name"], "acme");
}

#[test]
fn a_database_in_postgresql_has_its_own_tools() {
    let hub = Hub::on_a_file();
    for line in ["backup hub.backup", "restore hub.backup", "restore --check hub.backup"] {
        let error = hub.refuses(&format!("{line} --database postgres://ada:s3cret@127.0.0.1:1/hub"));
        assert!(error.contains("use pg_dump and pg_restore"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
