//! Searches by POST on one type: RFC 7644 section 3.4.3.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::urns;
use scimwright_tests::{Server, Setup, on_every_store, user, with};
use serde_json::{Value, json};

/// Users `a`, `b`, `c` and `d`, in the order in which lists have them.
fn people(server: &Server) {
    for name in ["a", "b", "c", "d"] {
        server.create("/Users", user(name));
    }
}

/// A search by POST.
fn search(more: Value) -> Value {
    with(json!({"schemas": [urns::SEARCH_REQUEST]}), more)
}

#[test]
fn se_1_se_3_se_4_a_search_by_post_is_a_query() {
    on_every_store(|server| {
        people(server);
        let body = json!({"filter": "userName gt \"a\"", "startIndex": 2, "count": 1, "attributes": ["userName"]});
        let found = server.post("/Users/.search", search(body)).is(200);
        let query = [("filter", "userName gt \"a\""), ("startIndex", "2"), ("count", "1"), ("attributes", "userName")];
        assert_eq!(found.body, server.query("/Users", &query).is(200).body);
        assert_eq!((found.names("userName"), &found["totalResults"]), (vec!["c"], &json!(3)));
        let found = server.post("/Users/.search", search(json!({"excludedAttributes": ["userName"]}))).is(200);
        assert_eq!(found.resources()[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "meta", "schemas"]);
        assert_eq!(server.post("/Groups/.search", search(json!({}))).is(200)["totalResults"], 0);
        assert_eq!(server.get("/Users").is(200)["totalResults"], 4, "nothing was made");
        let get = server.get("/Users/.search").fails(405, "");
        assert_eq!(get.header("allow"), Some("POST"));
    });
}

#[test]
fn se_2_se_7_a_search_says_what_it_is() {
    on_every_store(|server| {
        for body in [json!({}), json!({"schemas": []}), json!({"schemas": [urns::USER]}), json!({"schemas": "x"})] {
            server.post("/Users/.search", body).fails(400, "invalidValue");
        }
        server.post("/Users/.search", json!([])).fails(400, "invalidSyntax");
        server.post("/Users/.search", search(json!({"foo": 1, "sortBy": "userName"}))).is(200);
        server.post("/Users/.search", search(json!({"Filter": "userName pr", "COUNT": 0}))).is(200);
        for bad in [
            json!({"count": "1"}),
            json!({"count": 1.5}),
            json!({"startIndex": true}),
            json!({"attributes": "userName"}),
            json!({"attributes": [1]}),
            json!({"attributes": ["userName"], "excludedAttributes": ["name"]}),
        ] {
            server.post("/Users/.search", search(bad)).fails(400, "invalidValue");
        }
        server.post("/Users/.search", search(json!({"filter": 1}))).fails(400, "invalidFilter");
        let twice = json!({"filter": "userName eq \"a\"", "Filter": "userName pr"});
        server.post("/Users/.search", search(twice)).fails(400, "invalidSyntax");
        // As large as a number may be, as in a URI.
        let huge: Value =
            serde_json::from_str(r#"{"count": 99999999999999999999, "startIndex": -99999999999999999999}"#).unwrap();
        server.post("/Users/.search", search(huge)).is(200);
        server.post("/Users/.search", search(json!({"filter": ""}))).fails(400, "invalidFilter");
        server.post("/Users/.search", search(json!({}))).without("content-type").fails(415, "");
    });
    Setup::default().profile(Profile::strict().with(Quirk::NoSchemas)).on_every_store(|server| {
        server.post("/Users/.search", json!({})).is(200);
    });
}

#[test]
fn r_14_se_6_a_search_may_not_ask_for_secrets_either() {
    on_every_store(|server| {
        server.create("/Users", user("ada"));
        server.post("/Users/.search", search(json!({"filter": "password pr"}))).fails(400, "invalidFilter");
    });
}
