//! A person's way through the product: switched off and on, deleted, back again, and what the log says of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::{Client, Hub, join, named, patch, replace, team, text, user};

const WORK: &str = "emails[type eq \"work\"].value";

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[test]
fn patch_and_put_deactivate_and_reactivate_in_every_spelling() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let id = client.make("/Users", &user("ada@corp.example"));
    let path = format!("/Users/{id}");
    let platform = client.make("/Groups", &team("Platform", &[&id]));
    let by_path = |value: Value| drop(client.patch(&path, &replace("active", value)).is_done());
    let without_path = |value: Value| {
        drop(client.patch(&path, &patch(json!([{"op": "Replace", "value": {"active": value}}]))).is_done());
    };
    let by_put = |value: Value| drop(client.put(&path, &with(user("ada@corp.example"), "active", value)).is_done());
    for (number, (say, off, on)) in [
        (&by_path as &dyn Fn(Value), json!(false), json!(true)),
        (&by_path, json!("False"), json!("True")),
        (&by_path, json!("false"), json!("true")),
        (&without_path, json!(false), json!(true)),
        (&without_path, json!("False"), json!("True")),
        (&by_put, json!(false), json!(true)),
        (&by_put, json!("False"), json!("True")),
    ]
    .into_iter()
    .enumerate()
    {
        let quirks = if off.is_string() { json!(["boolean-strings"]) } else { Value::Null };
        for (value, active, transition) in [(off, false, "deactivated"), (on, true, "reactivated")] {
            say(value);
            // Switched off, the user is still there to be read, matched and switched on again.
            let read = client.read(&path);
            assert_eq!(read["active"], active, "round {number}");
            assert_eq!(support::ids(&read["groups"]), [platform.as_str()]);
            let found = client.find("/Users", &format!("userName eq \"ada@corp.example\" and active eq {active}"));
            assert_eq!(found, [read]);
            let entry = hub.last_entry("default");
            assert_eq!(entry["transition"], transition, "round {number}: {entry}");
            assert_eq!((&entry["status"], &entry["changed"]), (&json!(200), &json!(["active"])), "{entry}");
            assert_eq!(entry["quirks"], quirks, "round {number}: {entry}");
        }
    }
    let for_people = hub.prints("log --org default");
    assert!(for_people.contains("  DEACTIVATED  changed active  quirks boolean-strings\n"), "{for_people}");
    assert!(for_people.contains("  REACTIVATED  changed active\n"), "{for_people}");
    // What is so already is no transition.
    by_path(json!(true));
    let entry = hub.last_entry("default");
    assert_eq!((&entry["transition"], &entry["detail"]), (&Value::Null, &json!("nothing changed")));
}

#[test]
fn text_that_is_no_boolean_changes_nothing() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let path = format!("/Users/{}", client.make("/Users", &user("ada@corp.example")));
    let before = client.read(&path);
    for value in [json!("no"), json!(""), json!(0), json!([false]), json!({"value": false})] {
        client.patch(&path, &replace("active", value.clone())).is_error(400, "invalidValue");
        client.put(&path, &with(user("ada@corp.example"), "active", value.clone())).is_error(400, "invalidValue");
        let ben = with(user("ben@corp.example"), "active", value);
        client.post("/Users", &ben).is_error(400, "invalidValue");
    }
    assert_eq!(client.read(&path), before);
    assert_eq!(client.count("/Users"), 1);
}

#[test]
fn delete_removes_and_frees_everything_but_the_training_record() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let hand = hub.hand("default");
    let id = client.make("/Users", &with(user("ada@corp.example"), "userName", json!("ada@tenant.example")));
    let path = format!("/Users/{id}");
    client.patch(&path, &replace(WORK, "ada.later@corp.example")).is_done();
    let stays = client.make("/Users", &user("ben@corp.example"));
    let platform = client.make("/Groups", &team("Platform", &[&id, &stays]));
    let record = hand.training_record(&id);
    assert_ne!(record, hand.training_record(&stays));

    client.delete(&path).is(204);
    for answer in [
        client.get(&path),
        client.delete(&path),
        client.put(&path, &user("ada@corp.example")),
        client.patch(&path, &replace("active", true)),
    ] {
        answer.is_error(404, "");
    }
    assert_eq!(client.find("/Users", "userName sw \"ada\"").len(), 0);
    assert_eq!(support::ids(&client.read(&format!("/Groups/{platform}"))["members"]), [stays.as_str()]);
    let entry = hub.log("default").into_iter().find(|entry| entry["operation"] == "delete").unwrap();
    assert_eq!((&entry["status"], &entry["target"]["id"]), (&json!(204), &json!(id)));
    assert_eq!(entry["displaced"], json!([{"group": platform, "member": id}]));

    // By each address that the person had then, the record is found again. The account is another one.
    for again in ["ADA.later@corp.example", "ada@tenant.example"] {
        let new = client.make("/Users", &user(again));
        assert_ne!(new, id);
        assert_eq!(hand.training_record(&new), record, "{again}");
        client.delete(&format!("/Users/{new}")).is(204);
    }
    // An address that was given up before may be somebody else's by now.
    let new = client.make("/Users", &user("ada@corp.example"));
    assert_ne!(hand.training_record(&new), record);
    // Another organisation has no record of that person.
    let globex = hub.organisation(&server, "globex", "").client;
    let elsewhere = globex.make("/Users", &user("ada.later@corp.example"));
    assert_ne!(hub.hand("globex").training_record(&elsewhere), record);
}

/// Proves: DE-2, DE-4.
#[test]
fn a_soft_delete_keeps_the_user_out_of_sight_until_created_anew() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    hub.prints("org set default --deletion deactivate");
    // By the address, by the user name that is one, and by a user name that is none.
    let people = [
        (user("ada@corp.example"), user("ADA@corp.example")),
        (named("ben@corp.example"), named("Ben@corp.example")),
        (named("cleo"), named("CLEO")),
    ];
    for (body, again) in people {
        let made = client.post("/Users", &body).is(201);
        let id = text(&made, "id");
        let path = format!("/Users/{id}");
        let record = hub.hand("default").training_record(&id);
        let platform = client.make("/Groups", &team(&format!("Team of {id}"), &[&id]));
        client.patch(&path, &replace("title", "Engineer")).is_done();

        client.delete(&path).is(204);
        let entry = hub.last_entry("default");
        assert_eq!((&entry["operation"], &entry["transition"]), (&json!("delete"), &json!("deactivated")), "{entry}");
        assert_eq!(entry["target"]["id"], json!(id));
        for answer in [
            client.get(&path),
            client.delete(&path),
            client.put(&path, &body),
            client.patch(&path, &replace("active", true)),
        ] {
            answer.is_error(404, "");
        }
        assert_eq!(client.find("/Users", &format!("id eq \"{id}\"")).len(), 0);
        assert_eq!(client.find("/Users", &format!("userName eq \"{}\"", text(&body, "userName"))).len(), 0);
        assert_eq!(client.count("/Users"), 0);
        assert_eq!(client.read(&format!("/Groups/{platform}"))["members"], Value::Null);

        let back = client.post("/Users", &again);
        let shown = back.is(200);
        assert_eq!((&shown["id"], &shown["active"]), (&json!(id), &json!(true)));
        assert_eq!(shown["userName"], again["userName"]);
        assert_eq!(shown["title"], "Engineer");
        assert_eq!(shown["meta"]["created"], made["meta"]["created"]);
        assert_eq!(client.read(&path), shown);
        assert_eq!(hub.hand("default").training_record(&id), record);
        let entry = hub.last_entry("default");
        assert_eq!((&entry["operation"], &entry["transition"]), (&json!("link"), &json!("reactivated")), "{entry}");
        client.delete(&path).is(204);
    }
}

#[test]
fn who_was_deleted_softly_stands_in_nobodys_way() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let globex = hub.organisation(&server, "globex", "").client;
    hub.prints("org set default --deletion deactivate");
    let deleted = |email: &str| {
        let id = client.make("/Users", &user(email));
        client.delete(&format!("/Users/{id}")).is(204);
        id
    };
    // Another organisation may have the address, and as long as it has, the person cannot come back.
    let id = deleted("ada@corp.example");
    let elsewhere = globex.make("/Users", &user("ada@corp.example"));
    client.post("/Users", &user("ada@corp.example")).is_error(409, "uniqueness");
    globex.delete(&format!("/Users/{elsewhere}")).is(204);
    // Whatever was set meanwhile: the person is not lost.
    hub.prints("org set default --deletion remove --linking refuse");
    assert_eq!(client.post("/Users", &user("ada@corp.example")).is(200)["id"], json!(id));

    // Somebody here may have it, and has it then for good.
    hub.prints("org set default --deletion deactivate --linking link");
    let id = deleted("ben@corp.example");
    let heir = client.make("/Users", &named("heir"));
    client.patch(&format!("/Users/{heir}"), &replace("userName", "ben@corp.example")).is_done();
    client.post("/Users", &user("ben@corp.example")).is_error(409, "uniqueness");
    client.patch(&format!("/Users/{heir}"), &replace("userName", "heir")).is_done();
    assert_ne!(client.make("/Users", &user("ben@corp.example")), id);
}

#[test]
fn a_put_that_says_nothing_of_active_changes_nothing_of_it() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let path = format!("/Users/{}", client.make("/Users", &user("ada@corp.example")));
    let mut silent = user("ada@corp.example");
    silent.as_object_mut().unwrap().remove("active");
    for active in [true, false] {
        client.patch(&path, &replace("active", active)).is_done();
        assert_eq!(client.put(&path, &silent).is(200)["active"], active);
        assert_eq!(hub.last_entry("default")["transition"], Value::Null);
    }
}

#[test]
fn who_was_deleted_softly_and_is_invited_again_can_be_linked() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    hub.prints("org set default --deletion deactivate");
    let id = client.make("/Users", &user("ada@corp.example"));
    client.delete(&format!("/Users/{id}")).is(204);
    // The administrator gets the same person back, whom the provider has given up and may take over anew.
    assert_eq!(hub.invite("default", "ada@corp.example"), id);
    assert_eq!(client.read(&format!("/Users/{id}"))["active"], true);
    assert_eq!(client.post("/Users", &user("ADA@corp.example")).is(201)["id"], json!(id));
    client.post("/Users", &user("ADA@corp.example")).is_error(409, "uniqueness");
}

#[test]
fn two_who_bring_one_deleted_user_back_at_once_bring_one() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    hub.prints("org set default --deletion deactivate");
    let id = client.make("/Users", &user("ada@corp.example"));
    for round in 0..10 {
        client.delete(&format!("/Users/{id}")).is(204);
        let answers = support::at_once(4, |_| client.post("/Users", &user("ada@corp.example")));
        assert_eq!(support::tally(&answers), "200: 1, 409: 3", "round {round}");
        assert_eq!(client.read("/Users")["Resources"][0]["id"], json!(id));
        assert_eq!(client.count("/Users"), 1);
    }
}

#[test]
fn a_guest_without_an_address_gets_one_later() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let upn = "grace_gmail.com#EXT#@tenant.onmicrosoft.example";
    let mut guest = named(upn);
    guest["emails"] = json!([{"type": "work", "primary": true, "value": ""}]);
    let made = client.post("/Users", &guest).is(201);
    assert_eq!(made["emails"], Value::Null);
    let path = format!("/Users/{}", text(&made, "id"));
    client.patch(&path, &replace(WORK, "grace@corp.example")).is_done();
    let read = client.read(&path);
    assert_eq!(read["emails"], json!([{"type": "work", "value": "grace@corp.example"}]));
    assert_eq!(client.find("/Users", &format!("userName eq \"{}\"", upn.to_uppercase())), [read]);
    assert_eq!(hub.last_entry("default")["quirks"], json!(["create-on-no-match"]));
    client.post("/Users", &user("grace@corp.example")).is_error(409, "uniqueness");
}

#[test]
fn okta_finds_people_by_email_which_is_no_attribute() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "--profile okta");
    let id = acme.client.make("/Users", &with(user("ada@corp.example"), "userName", json!("ada")));
    acme.client.make("/Users", &user("ben@corp.example"));
    let ids = |wanted: &str| -> Vec<String> {
        acme.client.find("/Users", wanted).iter().map(|found| text(found, "id")).collect()
    };
    for wanted in [
        "email eq \"ada@corp.example\"",
        "EMAIL Eq \"Ada@Corp.Example\"",
        "email eq \"ada@corp.example\" and active eq true",
        "not (email eq \"ben@corp.example\")",
    ] {
        assert_eq!(ids(wanted), [id.as_str()], "{wanted}");
    }
    assert_eq!(ids("email eq \"nobody@corp.example\"").len(), 0);
    // The attribute's own name says the same, and a name that nobody knows is still a mistake.
    assert_eq!(ids("emails.value eq \"ada@corp.example\""), [id.as_str()]);
    let unknown = format!("/Users?{}", support::filter("mail eq \"ada@corp.example\""));
    acme.client.get(&unknown).is_error(400, "invalidFilter");
    hub.prints("org set acme --profile strict");
    let alias = format!("/Users?{}", support::filter("email eq \"ada@corp.example\""));
    acme.client.get(&alias).is_error(400, "invalidFilter");
}

/// Every kind of write, done and refused, and what the log says of each.
fn every_write(client: &Client) -> Vec<(&'static str, u64, Value)> {
    let ada = client.make("/Users", &user("ada@corp.example"));
    let path = format!("/Users/{ada}");
    client.put(&path, &user("ada@corp.example")).is(200);
    client.patch(&path, &replace("title", "Engineer")).is_done();
    client.post("/Users", &user("ADA@corp.example")).is(409);
    client.post("/Users", &with(user("ben@corp.example"), "active", json!("perhaps"))).is(400);
    client.put(&path, &with(user("ada@corp.example"), "active", json!("perhaps"))).is(400);
    client.patch("/Users/nobody", &replace("title", "Engineer")).is(404);
    client.delete("/Users/nobody").is(404);
    client.put(&path, &json!("no object")).is(400);
    let platform = client.make("/Groups", &team("Platform", &[]));
    client.patch(&format!("/Groups/{platform}"), &join(&[&ada])).is_done();
    client.put(&format!("/Groups/{platform}"), &team("Platform", &[])).is(200);
    client.delete(&format!("/Groups/{platform}")).is(204);
    client.delete(&path).is(204);
    vec![
        ("create", 201, json!(ada)),
        ("replace", 200, json!(ada)),
        ("patch", 200, json!(ada)),
        ("create", 409, Value::Null),
        ("create", 400, Value::Null),
        ("replace", 400, json!(ada)),
        // An id that leads nowhere is any text: an address perhaps, and then it has no place in the log.
        ("patch", 404, Value::Null),
        ("delete", 404, Value::Null),
        ("replace", 400, json!(ada)),
        ("create", 201, json!(platform)),
        ("patch", 200, json!(platform)),
        ("replace", 200, json!(platform)),
        ("delete", 204, json!(platform)),
        ("delete", 204, json!(ada)),
    ]
}

#[test]
fn each_write_leaves_one_entry_that_says_when_who_what_whom_and_what_came_of_it() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let started = hub.json("org list")[0]["created"].clone();
    let expected = every_write(&acme.client);

    let log = hub.log("acme");
    assert_eq!(log.len(), expected.len());
    let moment = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
    let (started, ended) = (moment(started.as_str().unwrap()), chrono::Utc::now());
    for (number, (entry, (operation, status, target))) in log.iter().zip(expected).enumerate() {
        assert_eq!(entry["position"], number + 1, "{entry}");
        assert_eq!(entry["actor"], json!(acme.token_id), "{entry}");
        assert_eq!((&entry["operation"], &entry["status"]), (&json!(operation), &json!(status)), "{entry}");
        assert_eq!(entry["target"]["id"], target, "{entry}");
        // Refusals say why, in words or by SCIM's word for it.
        assert_eq!(entry["detail"].is_string(), status >= 400 || number == 1, "{entry}");
        assert!((started..=ended.into()).contains(&moment(&text(entry, "time"))), "{entry}");
    }
    assert_eq!(log[10]["joined"], json!([log[0]["target"]["id"]]));
    assert_eq!(log[11]["left"], json!([log[0]["target"]["id"]]));
    // Reading leaves none.
    acme.client.read("/Users");
    assert_eq!(hub.log("acme").len(), log.len());
    // And people read the same.
    let for_people = hub.prints("log --org acme");
    assert_eq!(for_people.lines().count(), log.len());
    assert!(for_people.lines().all(|line| line.contains(&acme.token_id)), "{for_people}");
}

#[test]
fn nobody_writes_lines_of_his_own_into_the_log() {
    let hub = Hub::new();
    let server = hub.serve("");
    server.first_client().delete("/Users/x%0A%20%20%20%20%202%20%20forged%1B%5B31m").is_error(404, "");
    for printed in [hub.prints("log --org default"), hub.prints("log --org default --json")] {
        assert_eq!(printed.lines().count(), 1, "{printed}");
        assert!(!printed.contains("forged") && !printed.contains('\u{1b}'), "{printed:?}");
    }
}

#[test]
fn the_log_tells_tokens_apart_and_has_no_gaps_under_load() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let second = hub.json("token create --org acme");
    let other = acme.client.with_token(&text(&second, "token"));
    hub.invite("acme", "hand@corp.example");
    let answers = support::at_once(8, |number| {
        let client = if number % 2 == 0 { &acme.client } else { &other };
        (0..10)
            // Every name comes from two threads, so half of these are refused; refusals are entries as well.
            .map(|round| client.post("/Users", &named(&format!("user {} {round}", number / 2))).status)
            .collect::<Vec<_>>()
    });
    let log = hub.log("acme");
    let positions: Vec<u64> = log.iter().map(|entry| entry["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=81).collect::<Vec<_>>());
    assert_eq!(log[0]["actor"], "admin");
    for (token, odd) in [(&acme.token_id, 0), (&text(&second, "id"), 1)] {
        let mut told: Vec<u64> = log
            .iter()
            .filter(|entry| entry["actor"] == json!(token))
            .map(|entry| entry["status"].as_u64().unwrap())
            .collect();
        let mut got: Vec<u64> =
            answers.iter().skip(odd).step_by(2).flatten().map(|status| u64::from(*status)).collect();
        told.sort_unstable();
        got.sort_unstable();
        assert_eq!(told, got);
    }
}
