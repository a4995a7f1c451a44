//! `attributes` and `excludedAttributes` wherever a resource is shown: RFC 7644 section 3.9.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::{Catalog, ResourceTypeSpec, urns};
use scimwright_tests::{Server, Setup, on_every_store, user, with};
use serde_json::{Value, json};

/// A user with something to leave out, and where it is.
fn ada(server: &Server) -> String {
    let name = json!({"givenName": "Ada", "familyName": "Lovelace"});
    server.create("/Users", with(user("ada"), json!({"title": "t", "name": name}))).path().to_owned()
}

/// A search by POST.
fn search(server: &Server, more: Value) -> Value {
    let found = server.post("/Users/.search", with(json!({"schemas": [urns::SEARCH_REQUEST]}), more)).is(200);
    found.resources()[0].clone()
}

#[test]
fn pr_1_pr_6_both_parameters_shape_one_resource_lists_and_searches() {
    on_every_store(|server| {
        let path = ada(server);
        for (parameter, names, wanted) in [
            ("attributes", vec!["title"], vec!["id", "schemas", "title"]),
            ("attributes", vec!["title", "name.givenName"], vec!["id", "name", "schemas", "title"]),
            ("excludedAttributes", vec!["name", "meta"], vec!["id", "schemas", "title", "userName"]),
        ] {
            let query = format!("{parameter}={}", names.join(","));
            let one = server.get(format!("{path}?{query}")).is(200);
            assert_eq!(one.keys(), wanted, "{query}");
            let list = server.get(format!("/Users?{query}")).is(200);
            assert_eq!(list.resources(), std::slice::from_ref(&one.body), "{query}");
            assert_eq!(search(server, json!({parameter: names})), one.body, "{query}");
        }
    });
}

#[test]
fn pr_2_every_write_answers_as_it_is_asked_to() {
    on_every_store(|server| {
        let body = with(user("bob"), json!({"title": "t", "nickName": "n"}));
        let made = server.create("/Users?attributes=title", body.clone());
        assert_eq!(made.keys(), ["id", "schemas", "title"]);
        let path = format!("/Users/{}", made.id());
        let put = server.put(format!("{path}?attributes=nickName"), body).is(200);
        assert_eq!(put.keys(), ["id", "nickName", "schemas"]);
        let change = json!([{"op": "replace", "path": "title", "value": "u"}]);
        let patched = server.patch(format!("{path}?excludedAttributes=nickName,meta"), change).is(200);
        assert_eq!(patched.keys(), ["id", "schemas", "title", "userName"]);
    });
}

#[test]
fn pr_5_a_search_takes_one_of_them_too() {
    on_every_store(|server| {
        ada(server);
        let both = json!({"schemas": [urns::SEARCH_REQUEST], "attributes": ["title"], "excludedAttributes": ["name"]});
        server.post("/Users/.search", both).fails(400, "invalidValue");
    });
}

#[test]
fn pr_8_a_part_that_is_always_returned_comes_with_its_siblings() {
    let of = |name: &str, many: bool| {
        json!({"name": name, "type": "complex", "multiValued": many, "subAttributes": [
            {"name": "kind", "returned": "always"}, {"name": "size"}, {"name": "colour"}]})
    };
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:Thing", "attributes": [of("box", false), of("parts", true)]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}),
        ))
        .unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let whole = json!({"kind": "k", "size": "s", "colour": "c"});
        let body = json!({"schemas": ["urn:x:Thing"], "box": whole, "parts": [whole]});
        let path = server.create("/Things", body).path().to_owned();
        let shown = |query: &str| server.get(format!("{path}?{query}")).is(200);
        let one = shown("attributes=box.size,parts.colour");
        assert_eq!(one["box"], json!({"kind": "k", "size": "s"}));
        assert_eq!(one["parts"], json!([{"kind": "k", "colour": "c"}]));
        let without = shown("excludedAttributes=box.kind,box.size,parts.kind,parts.size,parts.colour");
        assert_eq!(without["box"], json!({"kind": "k", "colour": "c"}));
        assert_eq!(without["parts"], json!([{"kind": "k"}]));
    });
}
