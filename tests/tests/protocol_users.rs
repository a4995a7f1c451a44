//! What RFC 7643 section 4 says of users and groups themselves, over HTTP. Memberships are in `protocol_members.rs`.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{Answer, BASE, Server, group, on_every_store, user, with, without};
use serde_json::{Value, json};

#[test]
fn u_1_a_user_has_a_name_that_nobody_else_has() {
    on_every_store(|server| {
        for body in [without(user("x"), "userName"), user(""), with(user("x"), json!({"userName": null}))] {
            server.post("/Users", body).fails(400, "invalidValue");
        }
        let ada = server.create("/Users", user("Ada"));
        for same in ["Ada", "ada", "ADA"] {
            server.post("/Users", user(same)).fails(409, "uniqueness");
            assert_eq!(server.found(&format!("userName eq \"{same}\"")), ["Ada"]);
        }
        let bob = server.create("/Users", user("bob"));
        let rename = json!([{"op": "replace", "path": "userName", "value": "ADA"}]);
        server.patch(bob.path(), rename).fails(409, "uniqueness");
        server.put(bob.path(), user("aDa")).fails(409, "uniqueness");
        server.patch(ada.path(), json!([{"op": "replace", "path": "userName", "value": ""}])).fails(400, "mutability");
        assert_eq!(server.get("/Users").is(200).names("userName"), ["Ada", "bob"]);
    });
}

/// Proves: erratum 5368.
#[test]
fn u_14_a_group_has_a_name() {
    on_every_store(|server| {
        for body in [
            without(group("x", &[]), "displayName"),
            group("", &[]),
            with(group("x", &[]), json!({"displayName": null})),
        ] {
            server.post("/Groups", body.clone()).fails(400, "invalidValue");
            let team = server.create("/Groups", group("team", &[]));
            server.put(team.path(), body).fails(400, "invalidValue");
            server.patch(team.path(), json!([{"op": "remove", "path": "displayName"}])).fails(400, "mutability");
            assert_eq!(server.get(team.path()).is(200).text, team.text);
        }
        // Names of groups need not differ.
        assert_eq!(server.get("/Groups").is(200).names("displayName"), ["team", "team", "team"]);
    });
}

fn members(server: &Server, of: &Answer) -> Vec<String> {
    let read = server.get(of.path()).is(200);
    let list = read["members"].as_array().cloned().unwrap_or_default();
    let mut values: Vec<String> = list.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
    values.sort();
    values
}

#[test]
fn u_15_members_come_and_go_and_do_not_change() {
    on_every_store(|server| {
        let people = ["a", "b"].map(|name| server.create("/Users", user(name)));
        let [a, b] = people.each_ref().map(|person| person.id());
        let team = server.create("/Groups", group("team", &[]));
        let patch = |operation: Value| server.patch(team.path(), json!([operation]));
        patch(json!({"op": "add", "path": "members", "value": [{"value": a, "display": "A"}]})).is(200);
        patch(json!({"op": "add", "path": "members", "value": {"value": b}})).is(200);
        let mut both = [a, b];
        both.sort_unstable();
        assert_eq!(members(server, &team), both);
        let before = server.get(team.path()).is(200);
        for (sub, other) in [("value", b), ("type", "Group"), ("$ref", "https://x.example/Users/1"), ("display", "B")] {
            let path = format!("members[value eq \"{a}\"].{sub}");
            patch(json!({"op": "replace", "path": path, "value": other})).fails(400, "mutability");
        }
        patch(json!({"op": "remove", "path": format!("members[value eq \"{a}\"].display")})).fails(400, "mutability");
        assert_eq!(server.get(team.path()).is(200).text, before.text);
        patch(json!({"op": "remove", "path": format!("members[value eq \"{a}\"]")})).is(200);
        assert_eq!(members(server, &team), [b]);
        // Out and in again is no change of a member.
        patch(json!({"op": "add", "path": "members", "value": [{"value": a, "display": "Anna"}]})).is(200);
        let display = |id: &str| {
            let read = server.get(team.path()).is(200);
            let members = read["members"].as_array().unwrap();
            members.iter().find(|member| member["value"] == *id).unwrap()["display"].clone()
        };
        assert_eq!(display(a), "Anna");
        patch(json!({"op": "remove", "path": "members"})).is(200);
        let again = json!([{"op": "add", "path": "members", "value": [{"value": a}, {"value": b}]},
            {"op": "remove", "path": format!("members[value eq \"{a}\"]")},
            {"op": "add", "path": "members", "value": [{"value": a, "display": "Ann"}]}]);
        server.patch(team.path(), again).is(200);
        assert_eq!((display(a), display(b)), (json!("Ann"), Value::Null));
        // What was never said of a member may still be said, and then is kept.
        patch(json!({"op": "add", "path": format!("members[value eq \"{b}\"].display"), "value": "Bob"})).is(200);
        assert_eq!((display(a), display(b)), (json!("Ann"), json!("Bob")));
        let reference = format!("{BASE}{}", people[1].path());
        patch(json!({"op": "replace", "path": format!("members[value eq \"{b}\"].$ref"), "value": reference})).is(200);
        patch(json!({"op": "remove", "path": format!("members[$ref eq \"{reference}\"]")})).is(200);
        assert_eq!(members(server, &team), [a]);
    });
}

/// Proves: erratum 6403, erratum 8359.
#[test]
fn u_18_u_19_a_manager_is_named_by_the_id_alone() {
    on_every_store(|server| {
        let boss = server.create("/Users", with(user("boss"), json!({"displayName": "The Boss"})));
        let manager = |manager: Value| json!({urns::ENTERPRISE_USER: {"manager": manager}});
        let by_value = manager(json!({"value": boss.id()}));
        let ada = server.create("/Users", with(user("ada"), by_value.clone()));
        assert_eq!(ada[urns::ENTERPRISE_USER]["manager"], by_value[urns::ENTERPRISE_USER]["manager"]);
        // A reference alone is as good, and both are kept together.
        let by_uri = manager(json!({"$ref": format!("{BASE}{}", boss.path())}));
        server.create("/Users", with(user("bob"), by_uri));
        let both = manager(json!({"value": boss.id(), "$ref": format!("{BASE}{}", boss.path())}));
        let eve = server.create("/Users", with(user("eve"), both.clone()));
        assert_eq!(eve[urns::ENTERPRISE_USER], both[urns::ENTERPRISE_USER]);

        let path = format!("{}:manager.displayName", urns::ENTERPRISE_USER);
        for op in ["add", "replace"] {
            let change = json!([{"op": op, "path": path, "value": "Somebody"}]);
            server.patch(ada.path(), change).fails(400, "mutability");
        }
        let named = manager(json!({"value": boss.id(), "displayName": "Somebody"}));
        let put = server.put(ada.path(), with(user("ada"), named.clone())).is(200);
        assert_ne!(put[urns::ENTERPRISE_USER]["manager"]["displayName"], "Somebody");
        let made = server.create("/Users", with(user("cid"), named));
        assert_ne!(made[urns::ENTERPRISE_USER]["manager"]["displayName"], "Somebody");
    });
}
