//! The errata of RFC 7644 that change what a service provider does, each with what it changes.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{Server, Setup, gadget, group, on_every_store, patch_op, user, with};
use serde_json::{Value, json};

fn total(server: &Server, path: &str, filter: &str) -> Value {
    server.filter(path, filter).is(200)["totalResults"].clone()
}

/// Proves: erratum 4979, erratum 4978, D-18.
#[test]
fn erratum_4979_4978_there_is_one_configuration() {
    on_every_store(|server| {
        server.get("/ServiceProviderConfigs").fails(404, "");
        assert_eq!(server.get("/ServiceProviderConfig").is(200)["schemas"], json!([urns::SERVICE_PROVIDER_CONFIG]));
    });
}

/// Proves: erratum 6893, SEC-5.
#[test]
fn erratum_6893_sensitive_is_403() {
    on_every_store(|server| {
        assert_eq!(server.filter("/Users", "password eq \"x\"").fails(403, "sensitive")["status"], "403");
    });
}

/// Proves: erratum 7916, erratum 5050, B-6, B-9.
#[test]
fn erratum_7916_5050_bulk_operations_have_a_status_and_patch_a_whole_message() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let operations = json!([{"op": "add", "path": "title", "value": "t"}]);
        let patch = |data: Value| json!({"method": "PATCH", "path": ada.path(), "data": data});
        let job = json!({"schemas": [urns::BULK_REQUEST], "Operations": [
            patch(patch_op(&operations)),
            patch(json!({"Operations": operations})),
            patch(json!({"op": "add", "path": "title", "value": "t"})),
            patch(operations.clone()),
        ]});
        let answer = server.post("/Bulk", job).is(200);
        let results = answer["Operations"].as_array().unwrap();
        assert_eq!(results[0]["status"], "200");
        for result in &results[1..] {
            assert_eq!((&result["status"], &result["response"]["status"]), (&json!("400"), &json!("400")), "{result}");
        }
    });
}

/// Proves: erratum 4670.
#[test]
fn erratum_4670_comparisons_bind_before_and_and_and_before_or() {
    on_every_store(|server| {
        for (name, title) in [("a", "x"), ("b", "y"), ("c", "x")] {
            server.create("/Users", with(user(name), json!({"title": title})));
        }
        assert_eq!(server.found("userName eq \"b\" or userName eq \"a\" and title eq \"y\""), ["b"]);
        assert_eq!(server.found("(userName eq \"b\" or userName eq \"a\") and title eq \"x\""), ["a"]);
        assert_eq!(server.found("not (userName eq \"a\") and title eq \"x\" or title eq \"y\""), ["b", "c"]);
    });
}

/// Proves: erratum 4690, erratum 7322.
#[test]
fn erratum_4690_7322_brackets_hold_groups_and_chains_but_no_brackets() {
    on_every_store(|server| {
        let emails = json!([{"value": "a@x", "type": "work", "display": "A"}, {"value": "b@x", "type": "home"}]);
        let made = server.create("/Users", with(user("ada"), json!({"emails": emails})));
        for (filter, found) in [
            ("emails[type eq \"work\" and value sw \"a\" and display eq \"a\" and primary ne true]", 1),
            ("emails[type eq \"home\" and (value sw \"a\" or display pr)]", 0),
            ("emails[(type eq \"home\" or type eq \"work\") and not (display pr)]", 1),
        ] {
            assert_eq!(total(server, "/Users", filter), found, "{filter}");
            let path = format!("{filter}.display");
            let change = json!([{"op": "add", "path": path, "value": "D"}]);
            server.patch(made.path(), change).is(if found == 1 { 200 } else { 400 });
            server.put(made.path(), with(user("ada"), json!({"emails": emails}))).is(200);
        }
        server.filter("/Users", "emails[type eq \"work\" and emails[value pr]]").fails(400, "invalidFilter");
        let nested = json!([{"op": "remove", "path": "emails[emails[type pr]]"}]);
        server.patch(made.path(), nested).fails(400, "invalidFilter");
    });
}

/// Proves: erratum 7122, R-11.
#[test]
fn erratum_7122_values_of_simple_lists_are_selected_in_brackets() {
    on_every_store(|server| {
        let arm = server.create("/Gadgets", with(gadget("arm"), json!({"tags": ["red", "blue"]})));
        assert_eq!(total(server, "/Gadgets", "tags[value eq \"RED\"]"), 1);
        let remove = |path: &str| server.patch(arm.path(), json!([{"op": "remove", "path": path}]));
        // What the erratum wants besides is not taken up.
        remove("tags eq \"red\"").fails(400, "invalidPath");
        assert_eq!(remove("tags[value eq \"red\"]").is(200)["tags"], json!(["blue"]));
    });
}

/// Proves: erratum 8084, Q-13.
#[test]
fn erratum_8084_what_is_listed_has_schemas() {
    on_every_store(|server| {
        server.create("/Users", with(user("ada"), json!({urns::ENTERPRISE_USER: {"department": "D"}})));
        for query in ["", "?attributes=userName", "?excludedAttributes=schemas"] {
            let list = server.get(format!("/Users{query}")).is(200);
            assert_eq!(list.resources()[0]["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]), "{query}");
        }
    });
}

/// Proves: erratum 8367.
#[test]
fn erratum_8367_a_resource_is_found_by_its_id_alone() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"externalId": "E-1"})));
        server.get(made.path()).is(200);
        for name in ["ada", "E-1"] {
            server.get(format!("/Users/{name}")).fails(404, "");
            server.delete(format!("/Users/{name}")).fails(404, "");
        }
    });
}

/// Proves: erratum 5295.
#[test]
fn erratum_5295_an_answer_without_a_body_has_no_credentials_and_no_location() {
    Setup::default().limits(|limits| limits.max_reply_members = 0).on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[]));
        let join = json!([{"op": "add", "path": "members", "value": [{"value": ada.id()}]}]);
        for answer in [server.patch(team.path(), join).is(204), server.delete(ada.path()).is(204)] {
            assert_eq!((answer.header("authorization"), answer.header("location")), (None, None));
        }
    });
}

/// Proves: erratum 6010.
#[test]
fn erratum_6010_items_per_page_counts_what_is_in_the_page() {
    on_every_store(|server| {
        for path in ["/ResourceTypes", "/Schemas", "/ResourceTypes?count=1"] {
            let list = server.get(path).is(200);
            assert_eq!(list["itemsPerPage"], list.resources().len(), "{path}");
        }
    });
}

/// Proves: erratum 7319.
#[test]
fn erratum_7319_not_may_touch_its_parenthesis() {
    on_every_store(|server| {
        server.create("/Users", user("ada"));
        for filter in ["not(title pr)", "not (title pr)", "NOT(title pr)", "userName pr and not(title pr)"] {
            assert_eq!(server.found(filter), ["ada"], "{filter}");
        }
    });
}

/// Beyond the errata: what the RFC's examples do against its own text.
#[test]
fn what_examples_of_the_rfc_do_is_taken() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        // Section 3.5.2.2 leaves a blank out.
        let path = format!("members[value eq\"{}\"]", ada.id());
        assert_eq!(server.patch(team.path(), json!([{"op": "remove", "path": path}])).is(200)["members"], Value::Null);
        // Section 3.12 answers `mutability` to a PUT with another id; section 3.5.1 says to ignore it.
        assert_eq!(server.put(ada.path(), with(user("ada"), json!({"id": "other"}))).is(200).id(), ada.id());
    });
}
