//! The product's rules about people, in process, over every store: what a fresh reading of the code once found wrong.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use pollster::block_on;
use scimwright_compat::Profile;
use scimwright_store::{TenantId, Transition};
use scimwright_tests::{Server, Setup, group, user, with};
use securecodinghub::directory::{Directory, NewOrganisation};
use securecodinghub::people::People;
use securecodinghub::policy::Edition;
use serde_json::{Value, json};

/// Runs a check under the rules of one edition of the product.
#[track_caller]
fn in_edition(edition: Edition, check: impl Fn(&Server)) {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::open(folder.path().join("hub.db")).unwrap();
    let new = NewOrganisation::named("Acme", edition);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let organisation = runtime.block_on(directory.create_organisation(&new)).unwrap();
    Setup::default().profile(Profile::tolerant()).policy(People::provisioned(&organisation)).on_every_store(check);
}

fn person(name: &str, email: &str) -> Value {
    with(user(name), json!({"emails": [{"value": email, "type": "work"}]}))
}

/// The training record that an address leads to.
fn learner(server: &Server, email: &str) -> Option<Value> {
    let tenant: TenantId = "acme".parse().unwrap();
    block_on(server.store().fact(&tenant, &format!("learner {email}"))).unwrap()
}

#[test]
fn an_address_that_was_a_mistake_leads_to_nobody_and_never_to_two() {
    in_edition(Edition::First, |server| {
        let alice = server.create("/Users", person("alice", "bob@corp.example"));
        let mistaken = learner(server, "bob@corp.example").unwrap();
        let right = json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "alice@corp.example"}]);
        server.patch(alice.path(), right).is(200);
        assert_eq!(learner(server, "bob@corp.example"), None);
        assert_eq!(learner(server, "alice@corp.example"), Some(mistaken.clone()));
        server.create("/Users", person("bob", "bob@corp.example"));
        assert_ne!(learner(server, "bob@corp.example"), Some(mistaken));
    });
}

#[test]
fn a_borrowed_address_does_not_take_the_training_record_of_its_owner() {
    in_edition(Edition::First, |server| {
        let carol = server.create("/Users", person("carol", "carol@corp.example"));
        let hers = learner(server, "carol@corp.example");
        server.delete(carol.path()).is(204);
        let bob = server.create("/Users", person("bob", "bob@corp.example"));
        for email in ["carol@corp.example", "bob@corp.example"] {
            let change = json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": email}]);
            server.patch(bob.path(), change).is(200);
        }
        assert_eq!(learner(server, "carol@corp.example"), hers);
    });
}

#[test]
fn one_address_cannot_be_had_twice_by_writing_it_otherwise() {
    in_edition(Edition::First, |server| {
        server.create("/Users", person("a", "dup@corp.example"));
        for (name, same) in [
            ("b", "DUP@Corp.Example"),
            ("c", " dup@corp.example "),
            ("d", "dup\u{ff20}corp\u{ff0e}example"),
            ("e", "dup@corp.example."),
            ("f", "dup@corp\u{200b}.example"),
        ] {
            server.post("/Users", person(name, same)).is(409);
        }
        server.post("/Users", user("dup\u{ff20}corp.example")).is(409);
    });
}

/// Proves: CR-5, CR-6, F-23.
#[test]
fn saying_nothing_of_active_neither_deactivates_nor_reactivates() {
    in_edition(Edition::First, |server| {
        let ada = server.create("/Users", user("ada"));
        assert_eq!(ada["active"], json!(true));
        assert_eq!(server.found("active eq true"), ["ada"], "what was added is compared as it was shown");
        server.patch(ada.path(), json!([{"op": "replace", "path": "active", "value": false}])).is(200);
        assert_eq!(server.put(ada.path(), user("ada")).is(200)["active"], json!(false));
        // To remove it is to say something: it goes, and who is not said to be active is not.
        server.patch(ada.path(), json!([{"op": "replace", "path": "active", "value": true}])).is(200);
        let removed = server.patch(ada.path(), json!([{"op": "remove", "path": "active"}])).is(200);
        assert!(!removed.keys().contains(&"active"));
        let log = block_on(server.store().log(&"acme".parse().unwrap(), 0, 100)).unwrap();
        let last = log.iter().rev().find_map(|entry| entry.event.transition);
        assert_eq!(last, Some(Transition::Deactivated));
        assert!(!server.put(ada.path(), user("ada")).is(200).keys().contains(&"active"), "and a PUT keeps it so");
        let silent = server.create("/Users", with(user("null"), json!({"active": null})));
        assert!(!silent.keys().contains(&"active"), "null overrides the default");
    });
}

/// Proves: DE-3, DE-4.
#[test]
fn the_deleted_are_out_of_sight_and_out_of_the_way_and_come_back_as_they_were() {
    in_edition(Edition::Second, |server| {
        let ada = server.create("/Users", person("ada", "ada@corp.example"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        server.delete(ada.path()).is(204);
        server.get(ada.path()).is(404);

        // Nobody can be made a member of anything any more.
        server.patch(team.path(), json!([{"op": "add", "path": "members", "value": [{"value": ada.id()}]}])).is(200);
        assert!(!server.get(team.path()).is(200).keys().contains(&"members"));

        // The name and the address are free for those who change.
        let bob = server.create("/Users", person("bob", "bob@corp.example"));
        server.delete(server.create("/Users", person("cid", "cid@corp.example")).path()).is(204);
        server.patch(bob.path(), json!([{"op": "replace", "path": "userName", "value": "cid"}])).is(200);

        let back = server.post("/Users", person("ada", "ada@corp.example")).is(200);
        assert_eq!(back.id(), ada.id());
        let again = server.get(ada.path()).is(200);
        assert_eq!(back["meta"], again["meta"], "what is answered is what is there");
        assert_eq!(again["meta"]["created"], ada["meta"]["created"]);
        assert!(!back.keys().contains(&"groups"));
    });
}

#[test]
fn two_of_the_deleted_do_not_block_a_third() {
    in_edition(Edition::Second, |server| {
        for (name, email) in [("u1", "m1@corp.example"), ("u2", "m2@corp.example")] {
            server.delete(server.create("/Users", person(name, email)).path()).is(204);
        }
        server.post("/Users", person("u1", "m2@corp.example")).is(200);
        assert_eq!(server.found("userName sw \"u\""), ["u1"]);
    });
}

#[test]
fn nobody_claims_the_addresses_of_everybody() {
    in_edition(Edition::First, |server| {
        let many: Vec<_> = (0..21).map(|at| json!({"value": format!("m{at}@corp.example"), "type": "work"})).collect();
        server.post("/Users", with(user("greedy"), json!({"emails": many}))).is(400);
        server.post("/Users", with(user("modest"), json!({"emails": &many[..20]}))).is(201);
    });
}

#[test]
fn teams_are_made_of_people() {
    in_edition(Edition::First, |server| {
        let team = server.create("/Groups", group("team", &[]));
        server.patch(team.path(), json!([{"op": "add", "path": "members", "value": [{"value": team.id()}]}])).is(200);
        assert!(!server.get(team.path()).is(200).keys().contains(&"members"));
    });
}
