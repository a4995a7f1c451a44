//! Organisations that move from one database to another, with their tokens and their logs, and what happens when they stop half-way.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use securecodinghub::operations::OperationError;
use securecodinghub::operations::moving::{Road, Step};
use serde_json::Value;
use support::moving::{Case, STEPS, acme, open_at, seen};
use support::{Hub, named, team, text, user};

#[test]
fn an_organisation_moves_and_comes_back() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let other = "--database other.db";
    hub.prints(&format!("org create globex {other}"));
    let elsewhere = hub.serve(other);
    let before = seen(&hub, &server, &acme, "");
    elsewhere.client(&acme.token).get("/Users").is_error(401, "");
    let told = hub.prints("move --org acme --to other.db");
    assert!(told.contains("`acme` has moved to "), "{told}");
    assert_eq!(seen(&hub, &elsewhere, &acme, other), before);
    // Where it was it is closed: a provider that still asks there tries again later.
    let refused = acme.client.get("/Users");
    refused.is_error(503, "");
    assert_ne!(refused.header("retry-after"), "");
    acme.client.post("/Users", &named("late")).is_error(503, "");
    for line in ["token create --org acme", "user add --org acme --email x@acme.example", "org set acme --seats 1"] {
        assert!(hub.refuses(line).contains("moved to"), "{line}");
    }
    assert_eq!(hub.run("doctor --json").status.code(), Some(0));
    assert_eq!(hub.run(&format!("doctor --json {other}")).status.code(), Some(0));
    // It lives on: with its seats, its deleted, its checkpoint, its extension.
    let client = elsewhere.client(&acme.token);
    client.make("/Users", &named("new"));
    assert_eq!(client.post("/Users", &named("eve")).is(200)["active"], true);
    hub.prints(&format!("audit verify --org acme {other}"));
    let after = seen(&hub, &elsewhere, &acme, other);
    // Doing it again changes nothing, and back it goes over what it left behind.
    hub.prints("move --org acme --to other.db");
    assert_eq!(seen(&hub, &elsewhere, &acme, other), after);
    hub.prints(&format!("move --org acme --to securecodinghub.db --erase {other}"));
    assert_eq!(seen(&hub, &server, &acme, ""), after);
    let names: Vec<String> =
        hub.json(&format!("org list {other}")).as_array().unwrap().iter().map(|org| text(org, "name")).collect();
    assert_eq!(names, ["globex"]);
    elsewhere.client(&acme.token).get("/Users").is_error(401, "");
    assert_eq!(hub.run("doctor --json").status.code(), Some(0));
    assert_eq!(hub.run(&format!("doctor --json {other}")).status.code(), Some(0));
}

#[test]
fn an_organisation_moves_from_a_file_to_postgresql_and_back() {
    let Some(postgres) = Hub::on_postgres() else { return };
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let before = seen(&hub, &server, &acme, "");
    let url = postgres.url().unwrap().to_owned();
    let elsewhere = postgres.serve("");
    hub.prints(&format!("move --org acme --to {url} --erase"));
    assert_eq!(seen(&postgres, &elsewhere, &acme, ""), before);
    assert_eq!(server.client(&acme.token).get("/Users").status, 401);
    let client = elsewhere.client(&acme.token);
    client.make("/Users", &named("new"));
    assert_eq!(client.post("/Users", &named("eve")).is(200)["active"], true);
    assert_eq!(postgres.run("doctor --json").status.code(), Some(0), "{}", postgres.prints("doctor"));
    let after = seen(&postgres, &elsewhere, &acme, "");
    postgres.prints(&format!("move --org acme --to {}", hub.database().display()));
    assert_eq!(seen(&hub, &server, &acme, ""), after);
    assert_eq!(elsewhere.client(&acme.token).get("/Users").status, 503);
    assert_eq!(hub.run("doctor --json").status.code(), Some(0));
}

#[test]
fn a_database_under_another_name_is_the_same() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let before = seen(&hub, &server, &acme, "");
    drop(rusqlite::Connection::open(hub.path().join("other.db")).unwrap());
    let case = Case::new(&hub);
    let organisation = case.runtime.block_on(case.from.directory.organisation("acme")).unwrap();
    let road = Road { to: &case.from, ..case.road() };
    let refused = case.runtime.block_on(road.travel(&organisation, &mut |_| Ok(())));
    assert!(matches!(refused, Err(OperationError::TwoCopies(_))), "{refused:?}");
    assert_eq!(seen(&hub, &server, &acme, ""), before);
    // Also where a move to elsewhere was begun, and is gone on with, or taken back, under the wrong name.
    assert!(case.travel(Some(Step::Closed)).is_err());
    let organisation = case.runtime.block_on(case.from.directory.organisation("acme")).unwrap();
    let refused = case.runtime.block_on(road.undo(&organisation));
    assert!(matches!(refused, Err(OperationError::SameDatabase(_))), "{refused:?}");
    let organisation = case.runtime.block_on(case.from.directory.organisation("acme")).unwrap();
    let refused = case.runtime.block_on(road.travel(&organisation, &mut |_| Ok(())));
    assert!(matches!(refused, Err(OperationError::SameDatabase(_))), "{refused:?}");
    assert_eq!(seen(&hub, &server, &acme, ""), before);
}

#[test]
fn a_move_that_stops_anywhere_leaves_one_open_copy_and_can_be_finished() {
    for until in STEPS {
        let hub = Hub::on_a_file();
        let server = hub.serve("");
        let acme = acme(&hub, &server);
        let elsewhere = hub.serve("--database other.db");
        let before = seen(&hub, &server, &acme, "");
        let case = Case::new(&hub);
        assert!(case.travel(Some(until)).is_err());
        let open = open_at(&[&server, &elsewhere], &acme);
        let there = matches!(until, Step::Opened | Step::Marked);
        let wanted = match until {
            Step::Closed => [503, 401],
            _ if there => [503, 200],
            _ => [503, 503],
        };
        assert_eq!(open, wanted, "{until:?}");
        case.travel(None).unwrap();
        assert_eq!(open_at(&[&server, &elsewhere], &acme), [503, 200], "{until:?}");
        assert_eq!(seen(&hub, &elsewhere, &acme, "--database other.db"), before, "{until:?}");
    }
}

#[test]
fn a_move_that_stopped_can_be_taken_back_until_it_has_arrived() {
    for until in STEPS {
        let hub = Hub::on_a_file();
        let server = hub.serve("");
        let acme = acme(&hub, &server);
        let elsewhere = hub.serve("--database other.db");
        let before = seen(&hub, &server, &acme, "");
        let case = Case::new(&hub);
        assert!(case.travel(Some(until)).is_err());
        if matches!(until, Step::Opened | Step::Marked) {
            assert!(case.undo().is_err());
            assert_eq!(open_at(&[&server, &elsewhere], &acme), [503, 200], "{until:?}");
        } else {
            case.undo().unwrap();
            assert_eq!(open_at(&[&server, &elsewhere], &acme), [200, 401], "{until:?}");
            assert_eq!(seen(&hub, &server, &acme, ""), before, "{until:?}");
            assert_eq!(hub.run("doctor --json --database other.db").status.code(), Some(0));
        }
    }
}

#[test]
fn nothing_that_was_acknowledged_is_left_behind() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let elsewhere = hub.serve("--database other.db");
    let stop = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (client, stop) = (server.client(&acme.token), &stop);
                scope.spawn(move || {
                    let mut made = Vec::new();
                    for number in 0.. {
                        let answer = client.post("/Groups", &team(&format!("{writer} {number}"), &[]));
                        match answer.status {
                            201 => made.push(text(&answer.json(), "id")),
                            503 => return made,
                            other => panic!("{other}: {}", answer.text),
                        }
                        if stop.load(Ordering::SeqCst) {
                            return made;
                        }
                    }
                    made
                })
            })
            .collect();
        hub.prints("move --org acme --to other.db");
        stop.store(true, Ordering::SeqCst);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<String>>()
    });
    let client = elsewhere.client(&acme.token);
    for id in made {
        client.read(&format!("/Groups/{id}"));
    }
}

#[test]
fn what_cannot_move_stays() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let error = hub.refuses("move --org acme --to ./securecodinghub.db");
    assert!(error.contains("is the database that it is in"), "{error}");
    assert!(hub.refuses("move --org nobody --to other.db").contains("there is no organisation `nobody`"));
    // Somebody there has the name.
    hub.prints("org create acme --database other.db");
    let error = hub.refuses("move --org acme --to other.db");
    assert!(error.contains("there is an organisation `acme` already"), "{error}");
    // That is known before anything is closed.
    acme.client.read("/Users");
    assert_eq!(hub.json("org list")[0]["closed"], Value::Null);
    // Somebody there has the e-mail of one of its users.
    let elsewhere = hub.serve("--database third.db");
    elsewhere.first_client().make("/Users", &user("ada@acme.example"));
    let error = hub.refuses("move --org acme --to third.db");
    for told in ["is taken", "`acme` is closed for now: do the same again to go on, or take the move back with --undo"]
    {
        assert!(error.contains(told), "{error}");
    }
    acme.client.get("/Users").is_error(503, "");
    assert!(text(&hub.json("org list")[0], "closed").starts_with("leaving to "));
    assert!(hub.prints("org list").contains("leaving to "));
    let error = hub.refuses("move --org acme --to other.db");
    assert!(error.contains("leaving to"), "{error}");
    hub.prints("move --org acme --to third.db --undo");
    acme.client.read("/Users");
    assert_eq!(hub.run("doctor --json --database third.db").status.code(), Some(0));
    acme.client.make("/Users", &named("after"));
}

#[test]
fn a_move_to_a_database_that_is_gone_can_be_given_up() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    let before = seen(&hub, &server, &acme, "");
    assert!(Case::new(&hub).travel(Some(Step::Copied)).is_err());
    for file in ["other.db", "other.db-wal", "other.db-shm"] {
        drop(std::fs::remove_file(hub.path().join(file)));
    }
    // Whatever it was called.
    assert!(hub.refuses("move --org acme --to gone.db --undo").contains("leaving to there"));
    acme.client.get("/Users").is_error(503, "");
    assert!(hub.prints("move --org acme --undo --abandon").contains("`acme` stays in "));
    assert_eq!(seen(&hub, &server, &acme, ""), before);
    acme.client.make("/Users", &named("after"));
    // It is not for what has arrived.
    hub.prints("move --org acme --to third.db");
    assert!(hub.refuses("move --org acme --undo --abandon").contains("moved to"));
}

#[test]
fn what_would_not_be_found_there_stays() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let acme = acme(&hub, &server);
    hub.prints("org create globex --database other.db");
    let there = rusqlite::Connection::open(hub.path().join("other.db")).unwrap();
    let put = |indexes: &str| {
        let text = "INSERT OR REPLACE INTO sch_meta (key, value) VALUES ('indexes', ?1)";
        there.execute(text, [indexes]).unwrap();
    };
    put(r#"{"Group": ["`externalName` (String folded None)"], "Device": ["`serial` (String folded None)"]}"#);
    let error = hub.refuses("move --org acme --to other.db");
    assert!(error.contains("of type `Group` without the index `externalName`"), "{error}");
    acme.client.read("/Users");
    // Of what it has nothing, nothing is missed; and what was served here is known there.
    let here = rusqlite::Connection::open(hub.database()).unwrap();
    let text = "INSERT OR REPLACE INTO sch_meta (key, value) VALUES ('indexes', ?1)";
    here.execute(text, [r#"{"Group": ["`a` (x)"]}"#]).unwrap();
    put(r#"{"Device": ["`serial` (String folded None)"]}"#);
    hub.prints("move --org acme --to other.db");
    let known: String =
        there.query_row("SELECT value FROM sch_meta WHERE key = 'indexes'", [], |row| row.get(0)).unwrap();
    assert!(known.contains("`a` (x)") && known.contains("`serial`"), "{known}");
}
