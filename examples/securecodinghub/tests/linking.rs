//! Linking: a provider takes over the people who are there already, each of them once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::{Client, Hub, at_once, named, patch, replace, tally, team, user};
use ureq::http::Method;

const WORK: &str = "emails[type eq \"work\"].value";

/// A user whose user name is not the e-mail address, as Entra has them.
fn with_name(user_name: &str, email: &str) -> Value {
    let mut body = user(email);
    body["userName"] = user_name.into();
    body
}

/// How many users have an address, in whatever case, as their user name or e-mail.
fn holders(client: &Client, email: &str) -> usize {
    client.find("/Users", &format!("userName eq \"{email}\" or emails.value eq \"{email}\"")).len()
}

#[test]
fn a_user_made_by_hand_is_linked_by_the_e_mail_whatever_its_case() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let id = hub.invite("default", "Ada@Corp.example");
    let hand = hub.hand("default");
    hand.patch("User", &id, replace("title", "Team lead"));
    hand.patch("User", &id, replace("roles", json!([{"value": "reviewer"}])));
    let team = hand.make("Group", team("Platform", &[&id]));
    let progress = hand.training_record(&id);

    let mut body = with_name("ada.nowak@tenant.example", "ada@corp.example");
    body["externalId"] = "0b1c".into();
    let answer = client.post("/Users", &body);
    let linked = answer.is(201);
    assert_eq!(linked["id"], json!(id));
    assert_eq!(answer.header("location"), format!("{}/Users/{id}", server.base()));

    // What the provider said is taken, what only the product knows stays.
    assert_eq!(linked["userName"], "ada.nowak@tenant.example");
    assert_eq!(linked["externalId"], "0b1c");
    assert_eq!(linked["name"], json!({"givenName": "Ada", "familyName": "Nowak"}));
    assert_eq!(linked["emails"][0]["value"], "ada@corp.example");
    assert_eq!(linked["active"], true);
    assert_eq!(linked["title"], "Team lead");
    assert_eq!(linked["roles"], json!([{"value": "reviewer"}]));
    assert_eq!(support::ids(&linked["groups"]), [team]);
    assert_eq!(hand.training_record(&id), progress);
    assert_eq!(client.read(&format!("/Users/{id}")), linked);
    assert_eq!(client.count("/Users"), 1);

    let entry = hub.last_entry("default");
    assert_eq!(
        (&entry["operation"], &entry["status"], &entry["target"]["id"]),
        (&json!("link"), &json!(201), &json!(id))
    );
    // From now on SCIM manages this user.
    client.post("/Users", &body).is_error(409, "uniqueness");
}

#[test]
fn the_user_name_alone_links_when_it_is_the_address() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let id = hub.invite("default", "jörg@corp.example");
    let linked = client.post("/Users", &named("JÖRG@Corp.Example")).is(201);
    assert_eq!(linked["id"], json!(id));
    assert_eq!(linked["userName"], "JÖRG@Corp.Example");
    assert_eq!(linked["emails"][0]["value"], "jörg@corp.example");
    client.post("/Users", &named("jörg@corp.example")).is_error(409, "uniqueness");
    assert_eq!(client.count("/Users"), 1);
}

#[test]
fn a_user_made_just_in_time_is_linked() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let id = hub.hand("default").make("User", with_name("idp|4711", "ADA@corp.example"));
    assert_eq!(client.post("/Users", &with_name("ada@tenant.example", "ada@corp.example")).is(201)["id"], json!(id));
    assert_eq!(client.count("/Users"), 1);
}

#[test]
fn a_deactivated_user_who_is_linked_is_as_active_as_the_provider_says() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let hand = hub.hand("default");
    for (email, said, active, transition) in [
        ("says.true@corp.example", json!(true), true, json!("reactivated")),
        ("says.string@corp.example", json!("True"), true, json!("reactivated")),
        ("says.nothing@corp.example", Value::Null, true, json!("reactivated")),
        ("says.false@corp.example", json!(false), false, Value::Null),
    ] {
        let id = hub.invite("default", email);
        hand.patch("User", &id, replace("active", false));
        assert_eq!(client.read(&format!("/Users/{id}"))["active"], false);
        let mut body = user(email);
        body["active"] = said;
        let linked = client.post("/Users", &body).is(201);
        assert_eq!((&linked["id"], &linked["active"]), (&json!(id), &json!(active)), "{email}");
        let entry = hub.last_entry("default");
        assert_eq!((&entry["operation"], &entry["transition"]), (&json!("link"), &transition), "{email}");
    }
}

#[test]
fn a_user_whom_scim_manages_is_a_conflict_and_stays_as_it_is() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let id = client.make("/Users", &with_name("ada@tenant.example", "ada@corp.example"));
    let before = client.read(&format!("/Users/{id}"));
    for body in [
        with_name("ada@tenant.example", "ada@corp.example"),
        with_name("ADA@TENANT.EXAMPLE", "other@corp.example"),
        with_name("other@tenant.example", "ADA@Corp.Example"),
        // The user name of one is the address of the other.
        named("ada@corp.example"),
        with_name("other@tenant.example", "Ada@Tenant.example"),
    ] {
        client.post("/Users", &body).is_error(409, "uniqueness");
    }
    client.patch(&format!("/Users/{id}"), &replace("active", false)).is_done();
    let deactivated = client.read(&format!("/Users/{id}"));
    // Deactivated or not: the provider finds the user and reactivates by PATCH.
    client.post("/Users", &user("ada@corp.example")).is_error(409, "uniqueness");
    assert_eq!(client.read(&format!("/Users/{id}")), deactivated);
    assert_eq!((&before["userName"], &before["name"]), (&deactivated["userName"], &deactivated["name"]));
    assert_eq!(client.count("/Users"), 1);
}

#[test]
fn an_unlinked_user_is_found_and_the_first_patch_or_put_links() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    for (email, method, body) in [
        ("patched@corp.example", Method::PATCH, replace("title", "Engineer")),
        // Nothing is different afterwards but who manages the user.
        ("unchanged@corp.example", Method::PATCH, replace("active", true)),
        ("put@corp.example", Method::PUT, user("put@corp.example")),
    ] {
        let id = hub.invite("default", email);
        let found = client.find("/Users", &format!("userName eq \"{}\"", email.to_uppercase()));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["id"], json!(id));
        assert_eq!(client.find("/Users", &format!("emails.value eq \"{email}\""))[0]["id"], json!(id));
        let path = format!("/Users/{id}");
        client.send(method, &path, Some(&body)).is_done();
        let entry = hub.last_entry("default");
        assert!(entry["detail"].as_str().is_some_and(|detail| detail.starts_with("linked")), "{entry}");
        assert_eq!(client.read(&path)["id"], json!(id));
        client.post("/Users", &user(email)).is_error(409, "uniqueness");
    }
}

#[test]
fn looking_and_failing_do_not_link() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let id = hub.invite("default", "ada@corp.example");
    let path = format!("/Users/{id}");
    client.read(&path);
    client.patch(&path, &replace("active", "perhaps")).is_error(400, "invalidValue");
    client.put(&path, &json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]})).is(400);
    assert_eq!(client.post("/Users", &user("ada@corp.example")).is(201)["id"], json!(id));
}

#[test]
fn each_organisation_has_its_policy_and_a_running_server_follows_it() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let hand = hub.hand("default");
    let deactivated = |email: &str| {
        let id = hub.invite("default", email);
        hand.patch("User", &id, replace("active", false));
        id
    };

    hub.prints("org set default --linking reactivate");
    hub.invite("default", "active@corp.example");
    client.post("/Users", &user("active@corp.example")).is_error(409, "uniqueness");
    let id = deactivated("by.hand@corp.example");
    let answer = client.post("/Users", &user("by.hand@corp.example"));
    let back = answer.is(200);
    assert_eq!((&back["id"], &back["active"]), (&json!(id), &json!(true)));
    // Also one whom SCIM manages and has deactivated.
    client.patch(&format!("/Users/{id}"), &replace("active", "False")).is_done();
    let mut renamed = user("By.Hand@corp.example");
    renamed["name"]["familyName"] = "Zielinska".into();
    let back = client.post("/Users", &renamed).is(200);
    assert_eq!((&back["id"], &back["active"]), (&json!(id), &json!(true)));
    assert_eq!(back["name"]["familyName"], "Zielinska");
    client.post("/Users", &renamed).is_error(409, "uniqueness");

    hub.prints("org set default --linking refuse");
    deactivated("refused@corp.example");
    client.post("/Users", &user("refused@corp.example")).is_error(409, "uniqueness");
    client.post("/Users", &user("active@corp.example")).is_error(409, "uniqueness");

    // Changing such a user is allowed, and links as little.
    let active = client.find("/Users", "userName eq \"active@corp.example\"")[0]["id"].as_str().unwrap().to_owned();
    client.patch(&format!("/Users/{active}"), &replace("title", "Engineer")).is_done();

    hub.prints("org set default --linking link");
    client.post("/Users", &user("refused@corp.example")).is(201);
    client.post("/Users", &user("active@corp.example")).is(201);
    assert_eq!(client.count("/Users"), 3);
}

#[test]
fn a_request_with_the_addresses_of_two_people_changes_neither() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let (ada, ben) = (hub.invite("default", "ada@corp.example"), hub.invite("default", "ben@corp.example"));
    let both = || [client.read(&format!("/Users/{ada}")), client.read(&format!("/Users/{ben}"))];
    let before = both();
    client.post("/Users", &with_name("ada@corp.example", "ben@corp.example")).is_error(409, "uniqueness");
    client.post("/Users", &with_name("ben@corp.example", "ada@corp.example")).is_error(409, "uniqueness");
    assert_eq!(both(), before);
    assert_eq!(client.post("/Users", &user("ben@corp.example")).is(201)["id"], json!(ben));
}

#[test]
fn an_update_that_takes_another_ones_address_is_a_conflict_as_a_whole() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    client.make("/Users", &with_name("ada@tenant.example", "ada@corp.example"));
    hub.invite("default", "invited@corp.example");
    let id = client.make("/Users", &with_name("ben@tenant.example", "ben@corp.example"));
    let path = format!("/Users/{id}");
    let before = client.read(&path);
    for taken in ["ADA@corp.example", "ada@tenant.example", "invited@corp.example"] {
        let change = patch(json!([
            {"op": "replace", "path": "name.givenName", "value": "Benno"},
            {"op": "replace", "path": WORK, "value": taken},
        ]));
        client.patch(&path, &change).is_error(409, "uniqueness");
        client.patch(&path, &replace("userName", taken)).is_error(409, "uniqueness");
        client.put(&path, &with_name("ben@tenant.example", taken)).is_error(409, "uniqueness");
        client.put(&path, &with_name(taken, "ben@corp.example")).is_error(409, "uniqueness");
    }
    assert_eq!(client.read(&path), before);
    // An address that was given up is free at once.
    client.patch(&path, &replace(WORK, "benno@corp.example")).is_done();
    client.make("/Users", &user("ben@corp.example"));
}

#[test]
fn a_private_address_that_people_share_is_nobodys_login() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    for name in ["ada", "ben"] {
        let mut body = user(&format!("{name}@corp.example"));
        let family = json!({"value": "family@home.example", "type": "home"});
        body["emails"].as_array_mut().unwrap().push(family);
        client.make("/Users", &body);
    }
    assert_eq!(holders(&client, "family@home.example"), 2);
}

#[test]
fn one_address_is_one_person_however_it_is_written() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let id = hub.invite("default", "ada@corp.example");
    let linked = client.post("/Users", &with_name("ada", " Ada\u{ff20}corp.example. ")).is(201);
    assert_eq!(linked["id"], json!(id));
    for same in ["ada@corp.example.", "ada@corp\u{ff0e}example", " ada@corp.example", "ad\u{ad}a@corp\u{200b}.example"]
    {
        client.post("/Users", &with_name("other", same)).is_error(409, "uniqueness");
        client.post("/Users", &named(same.trim())).is_error(409, "uniqueness");
    }
    assert_eq!(client.count("/Users"), 1);
}

#[test]
fn nobody_takes_more_addresses_than_a_person_has() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let with_many = |number: usize| {
        let mut body = named("collector");
        body["emails"] =
            (0..number).map(|number| json!({"value": format!("a{number}@corp.example"), "type": "work"})).collect();
        body
    };
    client.post("/Users", &with_many(21)).is_error(400, "invalidValue");
    client.make("/Users", &with_many(20));
}

#[test]
fn the_administrator_cannot_make_one_who_is_there() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    client.make("/Users", &with_name("ada@tenant.example", "ada@corp.example"));
    hub.invite("default", "ben@corp.example");
    hub.prints("org create globex");
    for taken in ["ADA@Corp.example", "ada@tenant.example", "ben@corp.example"] {
        for organisation in ["default", "globex"] {
            let error = hub.refuses(&format!("user add --org {organisation} --email {taken}"));
            assert!(error.contains("taken"), "{error}");
            assert!(!error.contains("globex") && !error.contains("default"), "{error}");
        }
    }
    assert_eq!(client.count("/Users"), 2);
}

#[test]
fn two_who_create_one_e_mail_at_once_make_one_user() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    for round in 0..20 {
        let email = format!("ada{round}@corp.example");
        let bodies = [
            user(&email),
            user(&email.to_uppercase()),
            // By the user name here, by the address there.
            named(&email),
            with_name(&format!("upn{round}@tenant.example"), &email),
        ];
        let answers = at_once(bodies.len(), |number| client.post("/Users", &bodies[number]));
        assert_eq!(tally(&answers), "201: 1, 409: 3", "round {round}");
        assert_eq!(holders(&client, &email), 1);
    }
    assert_eq!(client.count("/Users"), 20);
}

#[test]
fn two_who_link_one_user_at_once_link_once() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    for round in 0..10 {
        let email = format!("ada{round}@corp.example");
        let id = hub.invite("default", &email);
        let answers = at_once(3, |number| {
            client.post("/Users", &with_name(&format!("upn{number}-{round}@tenant.example"), &email))
        });
        assert_eq!(tally(&answers), "201: 1, 409: 2", "round {round}");
        let linked = answers.iter().find(|answer| answer.status == 201).unwrap().json();
        assert_eq!(linked["id"], json!(id));
        assert_eq!(client.read(&format!("/Users/{id}")), linked);
    }
    assert_eq!(client.count("/Users"), 10);
}

#[test]
fn the_administrator_and_the_provider_at_once_make_one_user() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    for round in 0..10 {
        let email = format!("ada{round}@corp.example");
        // Two processes: nothing but the database stands between them.
        let mut command = hub.program(&format!("user add --org default --email {}", email.to_uppercase()));
        let mut adding =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let posted = client.post("/Users", &user(&email)).is(201);
        let added = adding.wait().unwrap();
        // Whoever comes second links what is there, or is refused.
        let log = hub.log("default");
        let made = log.iter().find(|entry| entry["target"]["id"] == posted["id"]).unwrap();
        assert_eq!(made["actor"] == "admin", added.success(), "round {round}: {made}");
        let linked = log.iter().any(|entry| entry["operation"] == "link" && entry["target"]["id"] == posted["id"]);
        assert_eq!(linked, added.success(), "round {round}");
        assert_eq!(holders(&client, &email), 1, "round {round}");
    }
    assert_eq!(client.count("/Users"), 10);
}

#[test]
fn two_who_change_to_one_e_mail_at_once_leave_it_to_one() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let ids = [client.make("/Users", &named("ada")), client.make("/Users", &named("ben"))];
    for round in 0..10 {
        let email = format!("new{round}@corp.example");
        let answers = at_once(3, |number| match ids.get(number) {
            Some(id) => client.patch(&format!("/Users/{id}"), &replace(WORK, email.as_str())),
            None => client.post("/Users", &named(&email)),
        });
        let done = answers.iter().filter(|answer| answer.status < 300).count();
        assert_eq!(done, 1, "{}", tally(&answers));
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201 | 204 | 409)), "{}", tally(&answers));
        assert_eq!(holders(&client, &email), 1, "round {round}");
    }
}
