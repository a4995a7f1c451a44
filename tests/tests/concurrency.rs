//! Many writers on one thing: nobody is turned away and nothing that was acknowledged is missing.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::thread;

use scimwright_tests::{group, on_every_store, user};
use serde_json::json;

#[test]
fn many_changes_of_one_user_all_come_through() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        thread::scope(|scope| {
            for writer in 0..16 {
                let ada = &ada;
                scope.spawn(move || {
                    for turn in 0..4 {
                        let value = json!([{"value": format!("w{writer}t{turn}@corp.example"), "type": format!("t{writer}-{turn}")}]);
                        server.patch(ada.path(), json!([{"op": "add", "path": "emails", "value": value}])).is(200);
                    }
                });
            }
        });
        assert_eq!(server.get(ada.path()).is(200)["emails"].as_array().unwrap().len(), 64);
    });
}

#[test]
fn many_additions_to_one_group_all_survive() {
    on_every_store(|server| {
        let users: Vec<_> = (0..32).map(|at| server.create("/Users", user(&format!("u{at}")))).collect();
        let team = server.create("/Groups", group("team", &[]));
        thread::scope(|scope| {
            for user in &users {
                let team = &team;
                scope.spawn(move || {
                    let add = json!([{"op": "add", "path": "members", "value": [{"value": user.id()}]}]);
                    server.patch(team.path(), add).is(200);
                });
            }
        });
        assert_eq!(server.get(team.path()).is(200)["members"].as_array().unwrap().len(), 32);
    });
}

#[test]
fn of_many_creations_of_one_name_one_wins() {
    on_every_store(|server| {
        let statuses: Vec<u16> = thread::scope(|scope| {
            let tries: Vec<_> = (0..16)
                .map(|at| {
                    scope.spawn(move || {
                        server.post("/Users", user(if at % 2 == 0 { "Ada" } else { "aDA" })).send().status
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 15, "{statuses:?}");
    });
}
