//! What is shown and what is kept: `returned` and secrets, RFC 7643 sections 7 and 9.2, over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use pollster::block_on;
use scimwright_core::{Catalog, ResourceType, ResourceTypeSpec, ScimError, ScimType, urns};
use scimwright_service::Policy;
use scimwright_store::{Key, Members};
use scimwright_tests::{Answer, PASSWORD, Server, Setup, gadget, on_every_store, user, with};
use serde_json::{Value, json};

#[test]
fn c_6_c_8_pr_11_secrets_are_never_shown() {
    on_every_store(|server| {
        let made =
            server.create("/Users?attributes=password,userName", with(user("ada"), json!({"password": PASSWORD})));
        let hidden = server.create("/Gadgets", with(gadget("arm"), json!({"secret": PASSWORD})));
        for path in [made.path(), "/Users", hidden.path(), "/Gadgets"] {
            for query in ["", "?attributes=password,secret", "?excludedAttributes=userName"] {
                let shown = server.get(format!("{path}{query}")).is(200);
                assert!(!shown.text.contains("\"password\"") && !shown.text.contains("\"secret\""), "{}", shown.text);
            }
        }
        let change = json!([{"op": "replace", "path": "password", "value": PASSWORD}]);
        assert_eq!(server.patch(made.path(), change).is(200)["password"], Value::Null);
        let body = with(user("ada"), json!({"password": PASSWORD}));
        assert_eq!(server.put(format!("{}?attributes=password", made.path()), body).is(200).keys(), ["id", "schemas"]);
        // Neither in the answers of a bulk request, nor in what the log keeps; the former is checked in every answer.
        let make = with(user("bob"), json!({"password": PASSWORD}));
        let change = json!({"schemas": [urns::PATCH_OP],
            "Operations": [{"op": "replace", "path": "password", "value": PASSWORD}]});
        let operations = json!([{"method": "POST", "path": "/Users", "bulkId": "b", "data": make},
            {"method": "PATCH", "path": made.path(), "data": change}]);
        let bulk = server.post("/Bulk", json!({"schemas": [urns::BULK_REQUEST], "Operations": operations})).is(200);
        assert_eq!(
            (&bulk["Operations"][0]["status"], &bulk["Operations"][1]["status"]),
            (&json!("201"), &json!("200"))
        );
        let log = block_on(server.store().log(&"acme".parse().unwrap(), 0, 1000)).unwrap();
        assert!(log.len() > 4, "{log:?}");
        assert!(!format!("{log:?}").contains(PASSWORD), "{log:?}");
    });
}

#[test]
fn c_7_c_9_what_is_always_shown_is_and_the_rest_as_it_is_asked_for() {
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:Thing", "attributes": [
            {"name": "code", "returned": "always"}, {"name": "name"},
            {"name": "box", "type": "complex", "subAttributes": [{"name": "id", "returned": "always"}, {"name": "size"}]}]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}),
        ))
        .unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let body = json!({"schemas": ["urn:x:Thing"], "code": "c", "name": "n", "box": {"id": "b", "size": "s"}});
        let path = server.create("/Things", body.clone()).path().to_owned();
        for (query, wanted, boxed) in [
            ("", &["box", "code", "id", "meta", "name", "schemas"][..], json!({"id": "b", "size": "s"})),
            ("?attributes=name", &["code", "id", "name", "schemas"], Value::Null),
            ("?attributes=box.size", &["box", "code", "id", "schemas"], json!({"id": "b", "size": "s"})),
            (
                "?excludedAttributes=id,code,schemas,meta,name",
                &["box", "code", "id", "schemas"],
                json!({"id": "b", "size": "s"}),
            ),
            ("?excludedAttributes=box.id,box.size,meta", &["box", "code", "id", "name", "schemas"], json!({"id": "b"})),
        ] {
            let other = json!({"op": "replace", "path": "name", "value": format!("n {query}")});
            let answers = [
                server.get(format!("{path}{query}")).is(200).body,
                server.get(format!("/Things{query}")).is(200).resources()[0].clone(),
                server.patch(format!("{path}{query}"), json!([other])).is(200).body,
                server.put(format!("{path}{query}"), body.clone()).is(200).body,
                server.create(format!("/Things{query}"), body.clone()).body,
            ];
            for answer in answers {
                let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
                assert_eq!(keys, wanted, "{query}: {answer}");
                assert_eq!(answer["box"], boxed, "{query}: {answer}");
            }
            let made = server.get("/Things?startIndex=2&attributes=id").is(200);
            server.delete(format!("/Things/{}", made.resources()[0]["id"].as_str().unwrap())).is(204);
        }
    });
}

#[test]
fn c_10_pr_12_some_are_shown_on_request_only() {
    on_every_store(|server| {
        let made = server.create("/Gadgets", with(gadget("arm"), json!({"notes": "fragile"})));
        assert_eq!(made["notes"], "fragile", "the answer to the request that set it");
        let read = |query: &str| server.get(format!("{}{query}", made.path())).is(200)["notes"].clone();
        assert_eq!(read(""), Value::Null);
        assert_eq!(read("?attributes=name"), Value::Null);
        assert_eq!(read("?excludedAttributes=name"), Value::Null);
        assert_eq!(read("?attributes=NOTES"), "fragile");
        assert_eq!(server.get("/Gadgets").is(200).resources()[0]["notes"], Value::Null);
        assert_eq!(server.get("/Gadgets?attributes=notes").is(200).resources()[0]["notes"], "fragile");
        let patch = |operation: Value| server.patch(made.path(), json!([operation])).is(200)["notes"].clone();
        assert_eq!(patch(json!({"op": "replace", "path": "order", "value": "x"})), Value::Null);
        assert_eq!(patch(json!({"op": "replace", "path": "notes", "value": "hot"})), "hot");
        assert_eq!(patch(json!({"op": "add", "value": {"Notes": "cold"}})), "cold");
        assert_eq!(patch(json!({"op": "remove", "path": "notes"})), Value::Null);
        let put = |more: Value| server.put(made.path(), with(gadget("arm"), more)).is(200)["notes"].clone();
        assert_eq!(put(json!({"notes": "wet"})), "wet");
        assert_eq!(put(json!({})), Value::Null);
    });
}

#[test]
fn c_10_what_a_put_did_not_set_is_not_shown() {
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:Thing", "attributes": [
            {"name": "name"}, {"name": "origin", "mutability": "immutable", "returned": "request"}]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}),
        ))
        .unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let made = server.create("/Things", json!({"schemas": ["urn:x:Thing"], "name": "n", "origin": "here"}));
        assert_eq!(made["origin"], "here");
        let put = server.put(made.path(), json!({"schemas": ["urn:x:Thing"], "name": "m"})).is(200);
        assert_eq!(put["origin"], Value::Null, "this request did not set it");
        assert_eq!(server.get(format!("{}?attributes=origin", made.path())).is(200)["origin"], "here");
    });
}

/// Keeps what it is given in another form, so that a secret that was kept can be told from one in the clear.
#[derive(Debug)]
struct Turned;

impl Policy for Turned {
    fn secret(&self, _type: &ResourceType, attribute: &str, value: &Value) -> Option<Value> {
        let turned: String = value.as_str()?.chars().rev().collect();
        Some(format!("{attribute} {turned}").into())
    }
}

/// What is stored of a resource.
fn stored(server: &Server, of: &Answer, name: &str) -> Value {
    let key = Key::new(of["meta"]["resourceType"].as_str().unwrap(), of.id());
    let record = block_on(server.store().get(&"acme".parse().unwrap(), &key, Members::None)).unwrap().unwrap();
    record.resource.get(name).cloned().unwrap_or_default()
}

#[test]
fn u_2_u_3_u_4_pu_15_pa_25_passwords_are_not_stored_as_they_are() {
    let turned: String = PASSWORD.chars().rev().collect();
    for (setup, kept) in
        [(Setup::default(), Value::Null), (Setup::default().policy(Turned), json!(format!("password {turned}")))]
    {
        setup.on_every_store(|server| {
            let made = server.create("/Users", with(user("ada"), json!({"password": PASSWORD})));
            assert_eq!(stored(server, &made, "password"), kept);
            server.put(made.path(), with(user("ada"), json!({"title": "t"}))).is(200);
            assert_eq!(stored(server, &made, "password"), kept, "a PUT without one keeps it");
            server.patch(made.path(), json!([{"op": "add", "value": {"password": PASSWORD}}])).is(200);
            assert_eq!(stored(server, &made, "password"), kept);
            let files = server.files();
            let clear = files.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes());
            assert!(!clear, "the password is in a file");
        });
    }
}

/// Wants passwords of some length.
#[derive(Debug)]
struct Strict;

impl Policy for Strict {
    fn check_secret(&self, _type: &ResourceType, attribute: &str, value: &Value) -> Result<(), ScimError> {
        match value.as_str().map(|text| text.chars().count()) {
            Some(length) if length >= 8 => Ok(()),
            _ => Err(ScimError::bad(ScimType::InvalidValue, format!("`{attribute}` is too short"))),
        }
    }

    fn secret(&self, of: &ResourceType, attribute: &str, value: &Value) -> Option<Value> {
        Turned.secret(of, attribute, value)
    }
}

#[test]
fn u_3_a_password_is_held_against_the_policy() {
    Setup::default().policy(Strict).on_every_store(|server| {
        server.post("/Users", with(user("ada"), json!({"password": "short"}))).fails(400, "invalidValue");
        assert_eq!(server.get("/Users").is(200)["totalResults"], 0);
        let made = server.create("/Users", with(user("ada"), json!({"password": PASSWORD})));
        let kept = stored(server, &made, "password");
        assert!(kept.is_string());
        server.put(made.path(), with(user("ada"), json!({"password": "short"}))).fails(400, "invalidValue");
        for operation in [
            json!({"op": "replace", "path": "password", "value": "short"}),
            json!({"op": "add", "value": {"title": "t", "password": "short"}}),
        ] {
            server.patch(made.path(), json!([operation])).fails(400, "invalidValue");
        }
        // What is kept, however short, was good once and is not looked at again.
        server.put(made.path(), with(user("ada"), json!({"title": "t"}))).is(200);
        assert_eq!(stored(server, &made, "password"), kept);
    });
}

#[test]
fn u_4_secrets_are_stored_nowhere_as_they_are() {
    let hidden = json!({"name": "pin", "mutability": "writeOnly", "returned": "never"});
    let parts = json!([{"name": "value"}, hidden]);
    let box_of =
        |name: &str, many: bool| json!({"name": name, "type": "complex", "multiValued": many, "subAttributes": parts});
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:Thing", "attributes": [hidden, box_of("one", false), box_of("many", true)]}))
        .unwrap()
        .with_schema(&json!({"id": "urn:x:More", "attributes": [hidden, box_of("inner", false)]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(json!({
            "name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing",
            "schemaExtensions": [{"schema": "urn:x:More", "required": false}]})))
        .unwrap();
    let setup = Setup { catalog, policy: Arc::new(Turned), ..Setup::default() };
    setup.on_every_store(|server| {
        let secret = json!({"value": "v", "pin": PASSWORD});
        let body = json!({
            "schemas": ["urn:x:Thing"], "pin": PASSWORD, "one": secret, "many": [secret],
            "urn:x:More": {"pin": PASSWORD, "inner": secret},
        });
        let made = server.create("/Things", body);
        let everything = ["pin", "one", "many", "urn:x:More"].map(|name| stored(server, &made, name)).to_vec();
        let everything = Value::Array(everything).to_string();
        assert!(!everything.contains(PASSWORD), "{everything}");
        assert_eq!(server.get(made.path()).is(200)["one"], json!({"value": "v"}));
        assert_eq!(server.get(made.path()).is(200)["many"], json!([{"value": "v"}]));
        let turned = format!("pin {}", PASSWORD.chars().rev().collect::<String>());
        assert_eq!(everything.matches(&turned).count(), 5, "{everything}");
        // Whatever else changes, what was turned is not turned again, and not lost.
        let change = json!([{"op": "replace", "path": "many[value eq \"v\"].value", "value": "w"},
            {"op": "replace", "path": "one.value", "value": "w"}]);
        server.patch(made.path(), change).is(200);
        let after = |name: &str| stored(server, &made, name);
        assert_eq!(after("many"), json!([{"value": "w", "pin": format!("many.{turned}")}]));
        assert_eq!(after("one"), json!({"value": "w", "pin": format!("one.{turned}")}));
        server.put(made.path(), json!({"schemas": ["urn:x:Thing"], "one": {"value": "x"}})).is(200);
        assert_eq!(after("one"), json!({"value": "x", "pin": format!("one.{turned}")}));
    });
}

#[test]
fn s_8_r_40_an_extension_of_which_nothing_is_stored_is_not_in_use() {
    let catalog = Catalog::standard()
        .with_schema(&json!({"id": "urn:x:More", "attributes": [{"name": "pin", "mutability": "writeOnly"}]}))
        .unwrap()
        .with_extension("User", "urn:x:More", false)
        .unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let body = with(user("ada"), json!({"schemas": [urns::USER, "urn:x:More"], "urn:x:More": {"pin": PASSWORD}}));
        let made = server.create("/Users", body);
        assert_eq!(made["schemas"], json!([urns::USER]));
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}
