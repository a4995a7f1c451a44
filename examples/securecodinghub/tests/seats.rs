//! Seats: how many people an organisation may have, and who is turned away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::process::Stdio;

use serde_json::json;
use support::{Client, Hub, at_once, named, replace, tally, team, user};

/// Fills an organisation with so many users and tells their ids.
fn fill(client: &Client, number: usize) -> Vec<String> {
    (0..number).map(|number| client.make("/Users", &user(&format!("seat{number}@corp.example")))).collect()
}

/// A refusal that an administrator can read in the log of the provider.
#[track_caller]
fn is_full(answer: &support::Answer, limit: u64) {
    let detail = answer.is_error(403, "");
    assert!(detail.contains(&format!("({limit})")) && detail.contains("eat limit reached"), "{detail}");
}

#[test]
fn beyond_the_limit_nobody_is_created_and_everything_else_goes_on() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 2").client;
    let ids = fill(&client, 2);
    is_full(&client.post("/Users", &user("third@corp.example")), 2);
    assert_eq!(client.count("/Users"), 2);
    assert_eq!(client.find("/Users", "userName eq \"third@corp.example\"").len(), 0);
    let refused = hub.last_entry("acme");
    assert_eq!((&refused["operation"], &refused["status"]), (&json!("create"), &json!(403)));
    assert!(refused["detail"].as_str().unwrap().contains("(2)"), "{refused}");

    let path = format!("/Users/{}", ids[0]);
    for active in [false, true] {
        client.patch(&path, &replace("active", active)).is_done();
        let mut body = user("seat0@corp.example");
        body["active"] = active.into();
        assert_eq!(client.put(&path, &body).is(200)["active"], active);
    }
    client.patch(&path, &replace("title", "Engineer")).is_done();
    client.make("/Groups", &team("Platform", &[&ids[0]]));
    // A mistake is told before the limit: the same request would fail with a free seat too.
    client.post("/Users", &user("SEAT1@corp.example")).is_error(409, "uniqueness");
    client.post("/Users", &json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]})).is(400);
    is_full(&client.post("/Users", &named("no address")), 2);
    // Nor does the administrator get one more than was paid for.
    let error = hub.refuses("user add --org acme --email third@corp.example");
    assert!(error.contains("Seat limit reached (2)"), "{error}");
    assert_eq!(client.count("/Users"), 2);
}

#[test]
fn a_deactivated_user_keeps_the_seat_and_a_deleted_one_gives_it_back() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 1").client;
    let path = format!("/Users/{}", fill(&client, 1)[0]);
    client.patch(&path, &replace("active", false)).is_done();
    is_full(&client.post("/Users", &user("next@corp.example")), 1);
    client.delete(&path).is(204);
    client.make("/Users", &user("next@corp.example"));
    is_full(&client.post("/Users", &user("over@corp.example")), 1);
}

#[test]
fn a_user_who_was_deleted_softly_gives_the_seat_back_and_needs_one_to_return() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 1 --edition second").client;
    let id = client.make("/Users", &user("ada@corp.example"));
    client.delete(&format!("/Users/{id}")).is(204);
    let next = client.make("/Users", &user("next@corp.example"));
    is_full(&client.post("/Users", &user("ada@corp.example")), 1);
    client.get(&format!("/Users/{id}")).is_error(404, "");
    assert_eq!(client.count("/Users"), 1);
    client.delete(&format!("/Users/{next}")).is(204);
    assert_eq!(client.post("/Users", &user("ada@corp.example")).is(200)["id"], json!(id));
    is_full(&client.post("/Users", &user("over@corp.example")), 1);
}

#[test]
fn linking_takes_no_seat() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 2").client;
    let id = hub.invite("acme", "ada@corp.example");
    fill(&client, 1);
    assert_eq!(client.post("/Users", &user("ada@corp.example")).is(201)["id"], json!(id));
    is_full(&client.post("/Users", &user("over@corp.example")), 2);
    assert_eq!(client.count("/Users"), 2);
}

/// Proves: B-25.
#[test]
fn inside_a_bulk_request_each_creation_needs_its_own_seat() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 2").client;
    let ids = fill(&client, 1);
    let create = |number: usize| {
        let bulk_id = format!("user{number}");
        json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": user(&format!("{bulk_id}@corp.example"))})
    };
    let change = json!({"method": "PATCH", "path": format!("/Users/{}", ids[0]), "data": replace("title", "Engineer")});
    let answer = client.post(
        "/Bulk",
        &json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [create(1), create(2), change, create(3)],
        }),
    );
    // What the server does not announce it does not do by half.
    if client.read("/ServiceProviderConfig")["bulk"]["supported"] == false {
        answer.is_error(501, "");
        assert_eq!(client.count("/Users"), 1);
        return;
    }
    let answer = answer.is(200);
    let statuses: Vec<String> =
        answer["Operations"].as_array().unwrap().iter().map(|each| support::text(each, "status")).collect();
    assert_eq!(statuses, ["201", "403", "200", "403"], "{answer}");
    assert_eq!(client.count("/Users"), 2);
    assert_eq!(client.read(&format!("/Users/{}", ids[0]))["title"], "Engineer");
}

#[test]
fn a_running_server_follows_another_limit() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 3").client;
    let ids = fill(&client, 3);
    // Fewer than there are: nobody is thrown out, and nobody comes in.
    hub.prints("org set acme --seats 1");
    is_full(&client.post("/Users", &user("over@corp.example")), 1);
    client.patch(&format!("/Users/{}", ids[2]), &replace("title", "Engineer")).is_done();
    client.delete(&format!("/Users/{}", ids[0])).is(204);
    client.delete(&format!("/Users/{}", ids[1])).is(204);
    is_full(&client.post("/Users", &user("over@corp.example")), 1);
    client.delete(&format!("/Users/{}", ids[2])).is(204);
    client.make("/Users", &user("fits@corp.example"));
    hub.prints("org set acme --seats none");
    fill(&client, 5);
    hub.prints("org set acme --seats 0");
    is_full(&client.post("/Users", &user("over@corp.example")), 0);
}

#[test]
fn ten_at_once_for_one_seat_are_one_201_and_nine_403() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 3").client;
    fill(&client, 2);
    for round in 0..10 {
        let answers =
            at_once(10, |number| client.post("/Users", &user(&format!("racer{number}.{round}@corp.example"))));
        assert_eq!(tally(&answers), "201: 1, 403: 9", "round {round}");
        answers.iter().filter(|answer| answer.status == 403).for_each(|answer| is_full(answer, 3));
        assert_eq!(client.count("/Users"), 3);
        let made = answers.iter().find(|answer| answer.status == 201).unwrap().json();
        client.delete(&format!("/Users/{}", made["id"].as_str().unwrap())).is(204);
    }
}

#[test]
fn processes_that_race_for_one_seat_get_one() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 1").client;
    let commands: Vec<_> = (0..4)
        .map(|number| {
            let mut command = hub.program(&format!("user add --org acme --email hand{number}@corp.example"));
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let answers = at_once(4, |number| client.post("/Users", &user(&format!("scim{number}@corp.example"))));
    let by_command =
        commands.into_iter().map(|mut child| child.wait().unwrap()).filter(|status| status.success()).count();
    let by_request = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(by_command + by_request, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 403)), "{}", tally(&answers));
    assert_eq!(client.count("/Users"), 1);
}

#[test]
fn a_seat_that_is_given_back_during_the_race_is_taken_once() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = hub.organisation(&server, "acme", "--seats 5").client;
    let ids = fill(&client, 5);
    // Five leave while twenty come: at most five get in, and never a sixth sits.
    let answers = at_once(25, |number| match ids.get(number) {
        Some(id) => client.delete(&format!("/Users/{id}")),
        None => client.post("/Users", &user(&format!("racer{number}@corp.example"))),
    });
    let made = answers.iter().filter(|answer| answer.status == 201).count() as u64;
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 204 | 403)), "{}", tally(&answers));
    assert_eq!(client.count("/Users"), made);
    for number in made..5 {
        client.make("/Users", &user(&format!("late{number}@corp.example")));
    }
    is_full(&client.post("/Users", &user("over@corp.example")), 5);
}
