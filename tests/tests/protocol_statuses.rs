//! Which status and which `scimType` an error has: RFC 7644 section 3.12, tables 8 and 9.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use async_trait::async_trait;
use scimwright_core::{ScimType, urns};
use scimwright_store::{Change, Committed, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId};
use scimwright_tests::{Setup, group, on_every_store, user, with};
use serde_json::{Value, json};

#[test]
fn er_4_every_mistake_has_the_type_of_the_table() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        server.create("/Users", user("bob"));
        let patch = |operation: Value| server.patch(ada.path(), json!([operation]));
        for (ask, status, scim_type) in [
            (server.filter("/Users", "userName is \"x\""), 400, ScimType::InvalidFilter),
            (server.filter("/Users", "active gt true"), 400, ScimType::InvalidFilter),
            (server.post("/Users", user("BOB")), 409, ScimType::Uniqueness),
            (patch(json!({"op": "remove", "path": "userName"})), 400, ScimType::Mutability),
            (patch(json!({"op": "replace", "path": "id", "value": "x"})), 400, ScimType::Mutability),
            (server.ask("POST", "/Users").raw("{"), 400, ScimType::InvalidSyntax),
            (server.ask("PATCH", ada.path()).json(&json!({})), 400, ScimType::InvalidSyntax),
            (patch(json!({"op": "add", "path": "emails..x", "value": "x"})), 400, ScimType::InvalidPath),
            (patch(json!({"op": "remove"})), 400, ScimType::NoTarget),
            (
                patch(json!({"op": "replace", "path": "emails[type eq \"x\"].value", "value": "x"})),
                400,
                ScimType::NoTarget,
            ),
            (server.post("/Users", json!({"schemas": [urns::USER]})), 400, ScimType::InvalidValue),
            (server.post("/Users", with(user("x"), json!({"active": 1}))), 400, ScimType::InvalidValue),
            (server.filter("/Users", "password eq \"x\""), 403, ScimType::Sensitive),
        ] {
            ask.fails(status, scim_type.as_str());
        }
    });
}

#[test]
fn er_5_every_status_is_used_as_in_the_table() {
    let setup = Setup { max_body: 10_000, ..Setup::default() };
    setup.limits(|limits| limits.max_bulk_operations = 1).on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let bulk = |count: usize| {
            let operations = vec![json!({"method": "DELETE", "path": "/Users/nobody"}); count];
            server.post("/Bulk", json!({"schemas": [urns::BULK_REQUEST], "Operations": operations}))
        };
        for (ask, status) in [
            (server.ask("POST", "/Users").raw("["), 400),
            (server.get("/Users").without("authorization"), 401),
            (server.put(ada.path(), user("x")).by("reader"), 403),
            (server.get("/Users/nobody"), 404),
            (server.post("/Users", user("ada")), 409),
            (server.delete(ada.path()).with("if-match", "W/\"x\""), 412),
            (server.post("/Users", with(user("long"), json!({"title": "x".repeat(10_000)}))), 413),
            (bulk(2), 413),
            (server.ask("PATCH", "/Me").json(&json!({})), 501),
        ] {
            // That the body says the same is checked in every answer.
            let answer = ask.is(status);
            assert_eq!(answer["status"], status.to_string());
        }
        bulk(1).is(200);
    });
}

/// A store that fails, and whose reasons are nobody's business.
#[derive(Debug)]
struct Failing;

const REASON: &str = "disk I/O error at /var/lib/scim/scim.db (hunter2)";

#[async_trait]
impl Store for Failing {
    async fn get(&self, _: &TenantId, _: &Key, _: Members) -> Result<Option<Record>, StoreError> {
        Err(StoreError::unavailable(REASON))
    }

    async fn find(&self, _: &TenantId, _: &Query) -> Result<Page, StoreError> {
        Err(StoreError::unavailable(REASON))
    }

    async fn commit(&self, _: &TenantId, _: Change) -> Result<Committed, StoreError> {
        Err(StoreError::unavailable(REASON))
    }

    async fn log(&self, _: &TenantId, _: u64, _: usize) -> Result<Vec<Logged>, StoreError> {
        Err(StoreError::unavailable(REASON))
    }

    async fn fact(&self, _: &TenantId, _: &str) -> Result<Option<Value>, StoreError> {
        Err(StoreError::unavailable(REASON))
    }
}

#[test]
fn er_7_when_the_server_fails_it_says_what_to_do_and_not_why() {
    let server = Setup::default().start_over(Failing);
    let title = json!([{"op": "add", "path": "title", "value": "t"}]);
    for ask in [
        server.get("/Users"),
        server.get("/Users/1"),
        server.filter("/Users", "userName eq \"ada\""),
        server.post("/Users", user("ada")),
        server.post("/Groups", group("team", &["1"])),
        server.put("/Users/1", user("ada")),
        server.patch("/Users/1", title),
        server.delete("/Users/1"),
    ] {
        let answer = ask.fails(503, "");
        assert!(answer["detail"].as_str().unwrap().contains("try again"), "{}", answer.text);
        assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
        for word in ["disk", "/var", "hunter2", "panicked", ".rs", "SQL"] {
            assert!(!answer.text.contains(word), "{}", answer.text);
        }
    }
}
