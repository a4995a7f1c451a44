//! PUT and DELETE: RFC 7644 sections 3.5.1 and 3.6.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{BENCH, GADGET, gadget, group, on_every_store, user, with, without};
use serde_json::{Value, json};

#[test]
fn pu_1_pu_3_pu_10_put_replaces() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"title": "Countess"})));
        let put = server.put(made.path(), with(user("Ada"), json!({"title": "Lady", "active": true}))).is(200);
        assert_eq!((&put["userName"], &put["title"], &put["active"]), (&json!("Ada"), &json!("Lady"), &json!(true)));
        assert_eq!(put.header("content-location"), put["meta"]["location"].as_str());
        assert_eq!(server.get(made.path()).is(200).text, put.text);
    });
}

#[test]
fn pu_2_e_3_put_does_not_create() {
    on_every_store(|server| {
        server.put("/Users/nobody", user("ada")).fails(404, "");
        server.put("/Users/nobody", user("ada")).with("if-match", "*").fails(404, "");
        server.put("/Users/nobody", user("ada")).with("if-none-match", "*").fails(404, "");
        server.put("/Users", user("ada")).fails(405, "");
        assert_eq!(server.get("/Users").is(200)["totalResults"], 0);
    });
}

#[test]
fn pu_4_pu_5_pu_17_what_is_left_out_is_cleared() {
    on_every_store(|server| {
        let full = json!({"title": "t", "active": true, "externalId": "e",
            "name": {"givenName": "g", "familyName": "f"},
            "emails": [{"value": "a"}], urns::ENTERPRISE_USER: {"department": "d", "costCenter": "c"}});
        for less in [
            json!({}),
            json!({"title": null, "active": null, "externalId": null, "name": null, "emails": [],
                urns::ENTERPRISE_USER: null}),
            json!({"name": {}, "emails": [null], urns::ENTERPRISE_USER: {}}),
        ] {
            let made = server.create("/Users", with(user("ada"), full.clone()));
            let put = server.put(made.path(), with(user("ada"), less)).is(200);
            assert_eq!(put.keys(), ["id", "meta", "schemas", "userName"]);
            assert_eq!(put["schemas"], json!([urns::USER]));
            assert_eq!(server.get(made.path()).is(200).text, put.text);
            server.delete(made.path()).is(204);
        }
        let made = server.create("/Users", with(user("ada"), full));
        let less = json!({"name": {"givenName": "h"}, urns::ENTERPRISE_USER: {"costCenter": "c"}});
        let put = server.put(made.path(), with(user("ada"), less)).is(200);
        assert_eq!(put["name"], json!({"givenName": "h"}));
        assert_eq!(put[urns::ENTERPRISE_USER], json!({"costCenter": "c"}));
    });
}

#[test]
fn pu_6_pu_7_pu_16_c_5_what_is_immutable_stays() {
    on_every_store(|server| {
        let made = server.create("/Gadgets", gadget("arm"));
        let put = |more: Value| server.put(made.path(), with(gadget("arm"), more));
        assert_eq!(put(json!({"serial": "S-1"})).is(200)["serial"], "S-1");
        put(json!({"serial": "S-2"})).fails(400, "mutability");
        put(json!({"serial": "s-1"})).fails(400, "mutability");
        assert_eq!(put(json!({"ports": 1})).is(200)["serial"], "S-1");
        assert_eq!(put(json!({"serial": null})).is(200)["serial"], "S-1");
        put(json!({"location": {"room": "1", "floor": 1}})).is(200);
        put(json!({"location": {"room": "2", "floor": 1}})).fails(400, "mutability");
        assert_eq!(put(json!({"location": {"floor": 2}})).is(200)["location"], json!({"room": "1", "floor": 2}));
    });
}

#[test]
fn pu_8_what_is_read_only_is_ignored() {
    on_every_store(|server| {
        let ada = server.create("/Users", with(user("ada"), json!({"title": "t"})));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let before = server.get(ada.path()).is(200);
        let body = with(
            before.body.clone(),
            json!({"id": "other", "groups": [], "meta": {"resourceType": "Group", "created": "1970-01-01T00:00:00Z"}}),
        );
        assert_eq!(server.put(ada.path(), body).is(200).text, before.text);
        server.put(ada.path(), with(before.body.clone(), json!({"id": 7, "groups": "none", "meta": "x"}))).is(200);
        assert_eq!(server.get(team.path()).is(200)["members"][0]["value"], ada.id());
    });
}

#[test]
fn pu_9_c_15_required_values_must_be_given() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for body in [without(user(""), "userName"), user(""), with(user(""), json!({"userName": null}))] {
            server.put(made.path(), body).fails(400, "invalidValue");
        }
        let team = server.create("/Groups", group("team", &[]));
        server.put(team.path(), without(group("", &[]), "displayName")).fails(400, "invalidValue");
        server.put(made.path(), json!({"userName": "ada"})).fails(400, "invalidValue");
        server.put(made.path(), with(user("ada"), json!({"active": "no"}))).fails(400, "invalidValue");
        server.put(made.path(), json!([])).fails(400, "invalidSyntax");
        server.ask("PUT", made.path()).raw("{").fails(400, "invalidSyntax");
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

#[test]
fn pu_11_r_27_a_taken_value_is_a_conflict() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let bob = server.create("/Users", user("bob"));
        server.put(bob.path(), user("ADA")).fails(409, "uniqueness");
        assert_eq!(server.get(bob.path()).is(200).text, bob.text);
        server.put(bob.path(), user("BOB")).is(200);
        server.put(ada.path(), user("augusta")).is(200);
        server.put(bob.path(), user("ada")).is(200);
    });
}

#[test]
fn pu_13_a_list_is_replaced_whole() {
    on_every_store(|server| {
        let emails = json!([{"value": "a", "type": "work", "primary": true}, {"value": "b", "type": "home"}]);
        let made = server.create("/Users", with(user("ada"), json!({"emails": emails})));
        let put = |emails: Value| server.put(made.path(), with(user("ada"), json!({"emails": emails})));
        assert_eq!(
            put(json!([{"value": "b", "primary": true}])).is(200)["emails"],
            json!([{"value": "b", "primary": true}])
        );
        put(json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}])).fails(400, "invalidValue");
    });
}

#[test]
fn pu_14_m_10_m_11_created_stays_and_last_modified_moves() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let put = server.put(made.path(), with(user("ada"), json!({"title": "t"}))).is(200);
        let again = server.put(made.path(), with(user("ada"), json!({"title": "u"}))).is(200);
        let meta = |of: &Value, name: &str| of["meta"][name].as_str().unwrap().to_owned();
        for later in [&put, &again] {
            assert_eq!(meta(&later.body, "created"), meta(&made.body, "created"));
        }
        // All of one form, so the texts compare as the moments do.
        assert!(meta(&made.body, "lastModified") < meta(&put.body, "lastModified"));
        assert!(meta(&put.body, "lastModified") < meta(&again.body, "lastModified"));
    });
}

#[test]
fn r_26_a_put_that_changes_nothing_leaves_version_and_time() {
    on_every_store(|server| {
        let body = with(
            gadget("arm"),
            json!({"schemas": [GADGET, BENCH], "serial": "S", "ports": 4, "tags": ["a", "b"], "location": {"room": "1"},
                "parts": [{"value": "p", "primary": true}], BENCH: {"bench": "b"}}),
        );
        let made = server.create("/Gadgets", body.clone());
        let read = server.get(made.path()).is(200);
        assert_eq!(server.put(made.path(), body).is(200).text, read.text);
        assert_eq!(server.put(made.path(), read.body.clone()).is(200).text, read.text);
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let read = server.get(team.path()).is(200);
        assert_eq!(server.put(team.path(), read.body.clone()).is(200).text, read.text);
        assert_eq!(server.put(team.path(), group("team", &[ada.id(), ada.id()])).is(200).etag(), read.etag());
    });
}

#[test]
fn u_15_members_are_what_a_put_says() {
    on_every_store(|server| {
        let people = ["a", "b", "c"].map(|name| server.create("/Users", user(name)));
        let [a, b, c] = people.each_ref().map(|person| person.id());
        let team = server.create("/Groups", group("team", &[a, b]));
        let put = server.put(team.path(), group("team", &[b, c])).is(200);
        let mut members: Vec<&str> =
            put["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
        members.sort_unstable();
        assert_eq!(members, [b, c]);
        assert_ne!(put.etag(), team.etag());
        assert_eq!(server.get(people[0].path()).is(200)["groups"], Value::Null);
        server.put(team.path(), group("team", &["nobody"])).fails(400, "invalidValue");
        server
            .put(team.path(), with(group("team", &[]), json!({"members": [{"display": "x"}]})))
            .fails(400, "invalidValue");
        assert_eq!(server.get(team.path()).is(200).text, put.text);
        assert_eq!(server.put(team.path(), without(group("team", &[]), "members")).is(200)["members"], Value::Null);
    });
}

#[test]
fn pr_2_the_answer_of_a_put_is_projected() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let body = with(user("ada"), json!({"title": "t", "nickName": "n"}));
        let put = server.put(format!("{}?attributes=nickName", made.path()), body.clone()).is(200);
        assert_eq!(put.keys(), ["id", "nickName", "schemas"]);
        let put = server.put(format!("{}?excludedAttributes=meta,title", made.path()), body).is(200);
        assert_eq!(put.keys(), ["id", "nickName", "schemas", "userName"]);
        assert_eq!(put.header("content-location").map(|location| location.ends_with(made.path())), Some(true));
    });
}

/// Proves: PA-24.
#[test]
fn de_1_de_2_rd_4_what_is_deleted_is_gone() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let gone = server.delete(made.path()).is(204);
        assert_eq!((gone.header("etag"), gone.header("content-location")), (None, None));
        server.get(made.path()).fails(404, "");
        server.ask("HEAD", made.path()).is(404);
        server.put(made.path(), user("ada")).fails(404, "");
        server.patch(made.path(), json!([{"op": "remove", "path": "title"}])).fails(404, "");
        server.delete(made.path()).fails(404, "");
        server.get(made.path()).with("if-none-match", made.etag()).fails(404, "");
        assert_eq!(server.get("/Users").is(200)["totalResults"], 0);
    });
}

#[test]
fn de_6_v_8_whoever_is_deleted_leaves_every_group() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        server.delete(ada.path()).is(204);
        let left = server.get(team.path()).is(200);
        assert_eq!(left["members"], Value::Null);
        assert_ne!(left.etag(), team.etag());
        server.put(team.path(), group("team", &[ada.id()])).fails(400, "invalidValue");
    });
}

#[test]
fn u_11_a_deleted_group_is_no_users_group() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let inner = server.create("/Groups", group("inner", &[ada.id()]));
        let outer = server.create("/Groups", group("outer", &[inner.id()]));
        server.delete(inner.path()).is(204);
        assert_eq!(server.get(ada.path()).is(200)["groups"], Value::Null);
        assert_eq!(server.get(outer.path()).is(200)["members"], Value::Null);
        assert_eq!(server.get(ada.path()).is(200).text, ada.text, "as it was before it was a member");
    });
}
