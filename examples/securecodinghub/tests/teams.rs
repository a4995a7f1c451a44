//! Teams: groups that a provider pushes, with one team for each person.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::{Client, Hub, at_once, ids, join, named, patch, replace, sorted, tally, team, text, user};

fn people<const N: usize>(client: &Client) -> [String; N] {
    std::array::from_fn(|number| client.make("/Users", &user(&format!("person{number}@corp.example"))))
}

fn members(client: &Client, group: &str) -> Vec<String> {
    ids(&client.read(&format!("/Groups/{group}"))["members"])
}

fn teams_of(client: &Client, user: &str) -> Vec<String> {
    ids(&client.read(&format!("/Users/{user}"))["groups"])
}

#[test]
fn a_pushed_group_is_a_team_with_its_name_and_the_providers_id() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada] = people(&client);
    let mut body = team("Platform", &[]);
    body["externalId"] = "okta-4711".into();
    let made = client.post("/Groups", &body).is(201);
    assert_eq!((&made["displayName"], &made["externalId"]), (&json!("Platform"), &json!("okta-4711")));
    let path = format!("/Groups/{}", text(&made, "id"));
    client.patch(&path, &join(&[&ada])).is_done();
    // Okta renames without a path and with the id in the value.
    let rename = patch(json!([{"op": "replace", "value": {"id": made["id"], "displayName": "Platform B"}}]));
    client.patch(&path, &rename).is_done();
    let read = client.read(&path);
    assert_eq!((&read["displayName"], &read["externalId"]), (&json!("Platform B"), &json!("okta-4711")));
    assert_eq!(ids(&read["members"]), [ada.as_str()]);
    assert_eq!(client.read(&format!("/Users/{ada}"))["groups"][0]["display"], "Platform B");
    assert_eq!(client.find("/Groups", "displayName eq \"platform b\"").len(), 1);
    assert_eq!(client.find("/Groups", "displayName eq \"Platform\"").len(), 0);
}

#[test]
fn a_wizard_app_sets_members_by_put() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada, ben, cleo] = people(&client);
    let id = client.make("/Groups", &team("Platform", &[&ada, &ben]));
    let put = client.put(&format!("/Groups/{id}"), &team("Platform", &[&ben, &cleo])).is(200);
    assert_eq!(ids(&put["members"]), sorted(&[&ben, &cleo]));
    assert_eq!(members(&client, &id), sorted(&[&ben, &cleo]));
    assert_eq!(teams_of(&client, &ada).len(), 0);
}

#[test]
fn joining_another_team_leaves_the_first_and_the_answer_shows_it() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada, ben] = people(&client);
    let first = client.make("/Groups", &team("First", &[&ada, &ben]));
    let second = client.make("/Groups", &team("Second", &[]));
    let third = client.make("/Groups", &team("Third", &[]));
    let replaced = patch(json!([{"op": "replace", "path": "members", "value": [{"value": ada}]}]));
    let in_value = patch(json!([{"op": "add", "value": {"members": [{"value": ada}]}}]));

    // Each way of joining moves her on: by PATCH in three forms, by PUT, by POST of a new team.
    let mut from = first.clone();
    let mut moves_to = |to: &str, answer: Value| {
        assert_eq!(ids(&answer["members"]), [ada.as_str()], "the answer shows the state after the move: {answer}");
        assert_eq!(members(&client, to), [ada.as_str()]);
        assert!(!members(&client, &from).contains(&ada));
        assert_eq!(teams_of(&client, &ada), [to]);
        let entry = hub.last_entry("default");
        assert_eq!(entry["displaced"], json!([{"group": from, "member": ada}]), "{entry}");
        assert_eq!(entry["joined"], json!([ada]));
        from = to.to_owned();
    };
    moves_to(&second, client.patch(&format!("/Groups/{second}"), &join(&[&ada])).is(200));
    moves_to(&third, client.patch(&format!("/Groups/{third}"), &replaced).is(200));
    moves_to(&second, client.patch(&format!("/Groups/{second}"), &in_value).is(200));
    moves_to(&third, client.put(&format!("/Groups/{third}"), &team("Third", &[&ada])).is(200));
    let made = client.post("/Groups", &team("Fourth", &[&ada])).is(201);
    moves_to(&text(&made, "id"), made);
    assert_eq!(members(&client, &first), [ben.as_str()], "nobody else has moved");
    let for_people = hub.prints("log --org default");
    assert!(for_people.lines().last().unwrap().contains(&format!("moved {ada} from {third}")), "{for_people}");
}

#[test]
fn joining_where_one_is_already_moves_nobody() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada] = people(&client);
    let id = client.make("/Groups", &team("Platform", &[&ada]));
    client.patch(&format!("/Groups/{id}"), &join(&[&ada, &ada])).is_done();
    assert_eq!(members(&client, &id), [ada.as_str()]);
    let entry = hub.last_entry("default");
    assert_eq!((&entry["joined"], &entry["displaced"]), (&Value::Null, &Value::Null), "{entry}");
}

#[test]
fn who_is_put_into_many_teams_at_once_ends_in_one() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada, ben] = people(&client);
    let groups: Vec<String> =
        (0..4).map(|number| client.make("/Groups", &team(&format!("Team {number}"), &[]))).collect();
    for round in 0..10 {
        let answers = at_once(4, |number| {
            let path = format!("/Groups/{}", groups[number]);
            // Half of them by a way that rewrites the team, half by one that does not.
            if number % 2 == 0 {
                client.patch(&path, &join(&[&ada, &ben]))
            } else {
                client.put(&path, &team(&format!("Team {number}"), &[&ada, &ben]))
            }
        });
        assert!(answers.iter().all(|answer| answer.status == 200), "round {round}: {}", tally(&answers));
        for person in [&ada, &ben] {
            let own = teams_of(&client, person);
            assert_eq!(own.len(), 1, "round {round}");
            for group in &groups {
                assert_eq!(members(&client, group).contains(person), *group == own[0], "round {round}");
            }
        }
    }
}

#[test]
fn deleting_a_team_keeps_its_people() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada] = people(&client);
    let path = format!("/Groups/{}", client.make("/Groups", &team("Platform", &[&ada])));
    client.delete(&path).is(204);
    client.get(&path).is_error(404, "");
    let read = client.read(&format!("/Users/{ada}"));
    assert_eq!((&read["active"], &read["groups"]), (&json!(true), &Value::Null));
    assert_eq!(client.find("/Groups", "displayName eq \"Platform\"").len(), 0);
    // The name is free again, also where users are deleted softly.
    hub.prints("org set default --deletion deactivate");
    let again = client.make("/Groups", &team("Platform", &[]));
    client.delete(&format!("/Groups/{again}")).is(204);
    assert_ne!(client.make("/Groups", &team("Platform", &[])), again);
}

#[test]
fn who_does_not_exist_is_passed_over_and_the_log_says_so() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada, ben] = people(&client);
    let made = client.post("/Groups", &team("Platform", &["nobody", &ada])).is(201);
    let id = text(&made, "id");
    let path = format!("/Groups/{id}");
    assert_eq!(ids(&made["members"]), [ada.as_str()]);
    assert_eq!(hub.last_entry("default")["quirks"], json!(["unknown-members"]));
    client.patch(&path, &join(&["nobody", &ben])).is_done();
    assert_eq!(hub.last_entry("default")["quirks"], json!(["unknown-members"]));
    assert_eq!(members(&client, &id), sorted(&[&ada, &ben]));
    client.put(&path, &team("Platform", &[&ben, "nobody"])).is(200);
    assert_eq!(hub.last_entry("default")["quirks"], json!(["unknown-members"]));
    assert_eq!(members(&client, &id), [ben.as_str()]);
    // Nobody of them is assigned yet.
    client.patch(&path, &join(&["nobody", "neither"])).is_done();
    let remove = patch(json!([{"op": "remove", "path": "members[value eq \"nobody\"]"}]));
    client.patch(&path, &remove).is_done();
    client.post("/Groups", &team("Empty", &["nobody"])).is(201);

    hub.prints("org set default --profile strict");
    client.patch(&path, &join(&["nobody"])).is_error(400, "invalidValue");
    client.post("/Groups", &team("Strict", &["nobody", &ada])).is_error(400, "invalidValue");
    assert_eq!(members(&client, &id), [ben.as_str()]);
    assert_eq!(client.find("/Groups", "displayName eq \"Strict\"").len(), 0);
}

#[test]
fn a_team_is_made_of_people_and_not_of_teams() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let [ada] = people(&client);
    let inner = client.make("/Groups", &team("Inner", &[]));
    let outer = client.make("/Groups", &team("Outer", &[&ada, &inner]));
    client.patch(&format!("/Groups/{outer}"), &join(&[&inner])).is_done();
    assert_eq!(members(&client, &outer), [ada.as_str()]);
    hub.prints("org set default --profile strict");
    client.patch(&format!("/Groups/{outer}"), &join(&[&inner])).is_error(400, "invalidValue");
}

#[test]
fn a_team_made_by_hand_is_linked_once_and_never_doubled() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let hand = hub.hand("default");
    let [ada, ben] = people(&client);
    let by_hand = hand.make("Group", team("Platform", &[&ada]));
    let mut body = team("PLATFORM", &[&ben]);
    body["externalId"] = "okta-4711".into();
    let linked = client.post("/Groups", &body).is(201);
    assert_eq!(linked["id"], json!(by_hand));
    assert_eq!((&linked["displayName"], &linked["externalId"]), (&json!("PLATFORM"), &json!("okta-4711")));
    assert_eq!(members(&client, &by_hand), sorted(&[&ada, &ben]));
    assert_eq!(hub.last_entry("default")["operation"], "link");
    client.post("/Groups", &team("platform", &[])).is_error(409, "uniqueness");

    let mut claimed = team("Security", &[]);
    claimed["externalId"] = "somebody-else".into();
    hand.make("Group", claimed);
    client.post("/Groups", &team("Security", &[])).is_error(409, "uniqueness");
    assert_eq!(client.count("/Groups"), 2);
    // An administrator does not take over what a provider has.
    let entries = hub.log("default").len();
    client.post("/Groups", &team("Other", &[])).is(201);
    client.patch(&format!("/Groups/{by_hand}"), &replace("displayName", "other")).is_error(409, "uniqueness");
    client.put(&format!("/Groups/{by_hand}"), &team("OTHER", &[])).is_error(409, "uniqueness");
    assert_eq!(client.read(&format!("/Groups/{by_hand}"))["displayName"], "PLATFORM");
    assert_eq!(hub.log("default").len(), entries + 3);
}

#[test]
fn two_who_push_one_name_at_once_make_one_team() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    for round in 0..10 {
        let name = format!("Team {round}");
        let answers = at_once(3, |number| {
            client.post("/Groups", &team(&if number == 0 { name.to_uppercase() } else { name.clone() }, &[]))
        });
        assert_eq!(tally(&answers), "201: 1, 409: 2", "round {round}");
    }
    assert_eq!(client.count("/Groups"), 10);
}

#[test]
fn who_leaves_the_company_during_a_push_is_in_no_team() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let group = client.make("/Groups", &team("Platform", &[]));
    for round in 0..10 {
        let id = client.make("/Users", &named(&format!("user {round}")));
        let answers = at_once(2, |number| {
            if number == 0 {
                client.delete(&format!("/Users/{id}"))
            } else {
                client.patch(&format!("/Groups/{group}"), &join(&[&id]))
            }
        });
        answers[0].is(204);
        // Whoever came first: the push did not fail, and no member is left that nobody can read.
        answers[1].is_done();
        assert_eq!(members(&client, &group).len(), 0, "round {round}");
    }
}
