//! The examples of RFC 7643 and RFC 7644, sent as they stand there.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use scimwright_core::urns;
use scimwright_tests::{Server, group, on_every_store, user, with, without};
use serde_json::{Value, json};

fn example(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/examples").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What a client may have written of a user.
fn written(body: Value) -> Value {
    let mut body = without(without(without(without(body, "id"), "meta"), "groups"), "password");
    if let Some(manager) = body[urns::ENTERPRISE_USER]["manager"].as_object_mut() {
        manager.remove("displayName");
    }
    // Asking for a member makes it.
    if body[urns::ENTERPRISE_USER].is_null() { without(body, urns::ENTERPRISE_USER) } else { body }
}

#[test]
fn users_come_back_as_they_were_sent() {
    on_every_store(|server| {
        for name in [
            "rfc7643/8.1-user-minimal.json",
            "rfc7643/8.2-user-full.json",
            "rfc7643/8.3-enterprise-user.json",
            "rfc7644/3.3-user-post-request.json",
        ] {
            let made = server.post("/Users", example(name)).is(201);
            assert_eq!(written(made.body.clone()), written(example(name)), "{name}");
            server.delete(made.path()).is(204);
        }
    });
}

#[test]
fn a_put_answers_as_the_rfc_shows() {
    on_every_store(|server| {
        let made = server.create("/Users", example("rfc7644/3.3-user-post-request.json"));
        let put = server.put(made.path(), example("rfc7644/3.5.1-user-put-request.json")).is(200);
        let wanted = example("rfc7644/3.5.1-user-put-response.json");
        assert_eq!(written(put.body.clone()), written(wanted));
        assert_eq!(put["meta"]["created"], made["meta"]["created"]);
    });
}

/// A server with the full user, and what a PATCH of it leaves.
fn patched(server: &Server, name: &str) -> Value {
    let made = server.create("/Users", example("rfc7643/8.2-user-full.json"));
    let patched = server.ask("PATCH", made.path()).json(&example(name)).is(200).body;
    server.delete(made.path()).is(204);
    patched
}

#[test]
fn patches_of_a_user_do_what_the_rfc_says() {
    on_every_store(|server| {
        let before = example("rfc7643/8.2-user-full.json");
        let added = patched(server, "rfc7644/3.5.2.1-patch-add-no-path.json");
        assert_eq!((&added["nickName"], &added["emails"]), (&json!("Babs"), &before["emails"]));
        let removed = patched(server, "rfc7644/3.5.2.2-patch-remove-filtered-email.json");
        assert_eq!(removed["emails"], json!([{"value": "babs@jensen.org", "type": "home"}]));
        let address = patched(server, "rfc7644/3.5.2.3-patch-replace-work-address.json");
        let wanted = example("rfc7644/3.5.2.3-patch-replace-work-address.json")["Operations"][0]["value"].clone();
        assert_eq!(address["addresses"][0], wanted);
        let street = patched(server, "rfc7644/3.5.2.3-patch-replace-street.json");
        let wanted = with(before["addresses"][0].clone(), json!({"streetAddress": "1010 Broadway Ave"}));
        assert_eq!(street["addresses"][0], wanted);
        let replaced = patched(server, "rfc7644/3.5.2.3-patch-replace-no-path.json");
        assert_eq!(replaced["emails"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn patches_of_a_group_do_what_the_rfc_says() {
    on_every_store(|server| {
        let people = ["babs", "james"].map(|name| server.create("/Users", user(name)));
        let [babs, james] = people.each_ref().map(|person| person.id());
        // The RFC leaves the middle of its identifiers out.
        let send = |path: &str, name: &str| {
            let mut text = example(name).to_string();
            for (written, meant) in [
                ("2819c223-7f76-453a-919d-413861904646", babs),
                ("2819c223-7f76-...413861904646", babs),
                ("2819c223...919d-413861904646", babs),
                ("2819c223...413861904646", babs),
                ("08e1d05d-121c-4561-8b96-473d93df9210", james),
                ("08e1d05d...473d93df9210", james),
            ] {
                text = text.replace(written, meant);
            }
            let members =
                server.ask("PATCH", path).raw(text).is(200)["members"].as_array().cloned().unwrap_or_default();
            let mut names: Vec<String> =
                members.iter().map(|member| member["display"].as_str().unwrap_or("nobody").to_owned()).collect();
            names.sort();
            names
        };
        let team = server.create("/Groups", group("Tour Guides", &[]));
        assert_eq!(send(team.path(), "rfc7644/3.5.2.1-patch-add-member.json"), ["Babs Jensen"]);
        assert_eq!(send(team.path(), "rfc7644/3.5.2.2-patch-remove-and-add-member.json"), ["James Smith"]);
        assert_eq!(send(team.path(), "rfc7644/3.5.2.3-patch-replace-members.json"), ["Babs Jensen", "James Smith"]);
        assert_eq!(send(team.path(), "rfc7644/3.5.2.2-patch-remove-member.json"), ["James Smith"]);
        assert_eq!(send(team.path(), "rfc7644/3.5.2.2-patch-remove-all-members.json"), [""; 0]);
        let both = ["Babs Jensen", "James Smith"];
        assert_eq!(send(team.path(), "rfc7644/3.5.2.2-patch-remove-all-then-add.json"), both);
    });
}

#[test]
fn a_search_finds_what_the_rfc_asks_for() {
    on_every_store(|server| {
        for (name, display) in [("a", "Smith"), ("b", "smithers"), ("c", "Blacksmith")] {
            server.create("/Users", with(user(name), json!({"displayName": display, "title": "t"})));
        }
        let found = server.post("/Users/.search", example("rfc7644/3.4.3-search-request.json")).is(200);
        assert_eq!(found.names("userName"), ["a", "b"]);
        assert_eq!(found.resources()[0]["title"], Value::Null);
    });
}
