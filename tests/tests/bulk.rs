//! Bulk operations over HTTP: RFC 7644 section 3.7, requirements B-1 to B-26.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_tests::{Answer, BASE, Server, Setup, group, on_every_store, patch_op, user, with};
use serde_json::{Value, json};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn job(operations: Value) -> Value {
    json!({"schemas": [BULK], "Operations": operations})
}

fn post(path: &str, bulk_id: &str, data: Value) -> Value {
    json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": data})
}

/// The statuses of a job that was processed, in the order of its operations.
#[track_caller]
fn statuses(answer: &Answer) -> Vec<&str> {
    results(answer).iter().map(|result| result["status"].as_str().unwrap()).collect()
}

fn results(answer: &Answer) -> &Vec<Value> {
    answer["Operations"].as_array().unwrap()
}

/// Where an operation happened, below the base.
fn path(result: &Value) -> &str {
    result["location"].as_str().unwrap().strip_prefix(BASE).unwrap()
}

/// Proves: B-8, R-29.
#[test]
fn b_2_b_7_b_9_b_10_b_12_b_13_each_operation_has_its_result() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let answer = server.post("/Bulk", job(json!([
            post("/Users", "b", user("bob")),
            {"method": "put", "path": ada.path(), "data": with(user("ada"), json!({"title": "Dr"}))},
            {"method": "PATCH", "path": ada.path(), "data": patch_op(&json!([{"op": "add", "path": "nickName", "value": "A"}]))},
            post("/Users", "again", user("BOB")),
            {"method": "DELETE", "path": ada.path()},
        ]))).is(200);
        assert_eq!(answer["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
        assert_eq!(statuses(&answer), ["201", "200", "200", "409", "204"]);
        let [made, put, _, conflict, gone] = results(&answer).as_slice() else { panic!("{answer:?}") };
        assert_eq!((made["bulkId"].as_str(), made["method"].as_str()), (Some("b"), Some("POST")));
        assert_eq!(server.get(path(made)).is(200).etag(), made["version"].as_str().unwrap());
        assert_eq!((path(put), path(gone)), (ada.path(), ada.path()));
        assert!(conflict.get("location").is_none(), "a failed POST has been nowhere");
        assert_eq!(conflict["response"]["scimType"], "uniqueness");
        assert!(answer["failOnErrors"].is_null());
        server.get(ada.path()).is(404);
    });
}

/// Proves: B-19.
#[test]
fn b_18_b_20_references_are_resolved_in_any_order_and_place() {
    on_every_store(|server| {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let answer = server
            .post(
                "/Bulk",
                job(json!([
                    {"method": "PATCH", "path": "/Groups/bulkId:g", "data": patch_op(&json!([
                        {"op": "remove", "path": "members[value eq \"bulkId:b\"]"}]))},
                    post("/Groups", "g", group("team", &["bulkId:a", "bulkId:b"])),
                    post("/Users", "a", with(user("a"), json!({enterprise: {"manager": {"value": "bulkId:b"}}}))),
                    post("/Users", "b", user("b")),
                ])),
            )
            .is(200);
        assert_eq!(statuses(&answer), ["200", "201", "201", "201"]);
        let [_, team, a, b] = results(&answer).as_slice() else { panic!("{answer:?}") };
        let id = |result: &Value| path(result).rsplit('/').next().unwrap().to_owned();
        let members = server.get(path(team)).is(200)["members"].clone();
        assert_eq!(members.as_array().unwrap().len(), 1);
        assert_eq!(members[0]["value"], id(a));
        assert_eq!(server.get(path(a)).is(200)[enterprise]["manager"]["value"], id(b));
    });
}

#[test]
fn b_21_groups_that_are_members_of_each_other_are_made_first_and_joined_then() {
    on_every_store(|server| {
        let text = include_str!("../data/examples/rfc7644/3.7.1-bulk-request-circular.json");
        let answer = server.post("/Bulk", serde_json::from_str(text).unwrap()).is(200);
        assert_eq!(statuses(&answer), ["201", "201"]);
        let groups: Vec<Answer> = results(&answer).iter().map(|result| server.get(path(result)).is(200)).collect();
        for (own, other, result) in [(0, 1, 0), (1, 0, 1)] {
            assert_eq!(groups[own]["members"][0]["value"], groups[other].id());
            assert_eq!(results(&answer)[result]["version"], groups[own].etag());
        }
    });
}

#[test]
fn b_21_b_22_what_cannot_be_resolved_fails_alone() {
    on_every_store(|server| {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let managed = |name: &str, by: &str| with(user(name), json!({enterprise: {"manager": {"value": by}}}));
        let answer = server
            .post(
                "/Bulk",
                job(json!([
                    post("/Users", "x", managed("x", "bulkId:y")),
                    post("/Users", "y", managed("y", "bulkId:x")),
                    post("/Users", "self", managed("self", "bulkId:self")),
                    post("/Users", "lost", managed("lost", "bulkId:nowhere")),
                    post("/Users", "bad", json!({"schemas": [BULK]})),
                    post("/Users", "late", managed("late", "bulkId:bad")),
                    post("/Users", "good", user("good")),
                ])),
            )
            .is(200);
        assert_eq!(statuses(&answer), ["409", "409", "409", "400", "400", "409", "201"]);
        assert_eq!(server.found("userName pr"), ["good"]);
    });
}

#[test]
fn b_21_a_circle_that_breaks_leaves_no_half_of_itself() {
    on_every_store(|server| {
        server.create("/Users", user("taken"));
        let answer = server
            .post(
                "/Bulk",
                job(json!([
                    post("/Groups", "a", group("a", &["bulkId:b"])),
                    post("/Groups", "b", with(group("b", &["bulkId:a"]), json!({"displayName": ""}))),
                ])),
            )
            .is(200);
        assert_eq!(statuses(&answer), ["409", "400"]);
        assert_eq!(server.get("/Groups").is(200)["totalResults"], 0);
    });
}

#[test]
fn b_3_b_4_b_5_b_6_r_28_what_is_wrong_with_one_operation_is_its_own_affair() {
    on_every_store(|server| {
        let answer = server
            .post(
                "/Bulk",
                job(json!([
                    {"method": "GET", "path": "/Users/1"},
                    {"method": "POST", "path": "/Users", "data": user("nameless")},
                    post("/Users", "one", user("one")),
                    post("/Users", "one", user("two")),
                    {"method": "PUT", "path": "/Users", "data": user("x")},
                    {"method": "PATCH", "path": "/Users/1"},
                    {"method": "DELETE", "path": "/Nothing/1"},
                    {"method": "DELETE", "path": "/Users/1"},
                    7,
                ])),
            )
            .is(200);
        assert_eq!(statuses(&answer), ["400", "400", "201", "400", "400", "400", "404", "404", "400"]);
        assert_eq!(server.found("userName pr"), ["one"]);
    });
}

#[test]
fn b_14_the_version_of_an_operation_is_its_if_match() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let change = |version: &str| {
            json!({"method": "PATCH", "path": ada.path(), "version": version,
                "data": patch_op(&json!([{"op": "add", "path": "title", "value": version}]))})
        };
        let answer = server.post("/Bulk", job(json!([change("W/\"0\""), change(ada.etag())]))).is(200);
        assert_eq!(statuses(&answer), ["412", "200"]);
    });
}

#[test]
fn b_15_b_16_b_17_errors_stop_the_job_only_when_it_says_so() {
    on_every_store(|server| {
        let operations = json!([
            post("/Users", "bad", json!({})),
            post("/Users", "a", user("a")),
            post("/Users", "worse", json!({})),
            post("/Users", "b", user("b")),
        ]);
        let stopping = |after: Value| {
            let job = with(job(operations.clone()), json!({"failOnErrors": after}));
            server.post("/Bulk", job).is(200)
        };
        assert_eq!(statuses(&stopping(json!(1))), ["400"]);
        assert_eq!(statuses(&stopping(json!(2))), ["400", "201", "400"]);
        assert_eq!(statuses(&stopping(Value::Null)), ["400", "409", "400", "201"]);
        let job = with(job(operations.clone()), json!({"failOnErrors": 0}));
        server.post("/Bulk", job).fails(400, "invalidSyntax");
    });
}

#[test]
fn b_23_b_24_b_26_what_is_wrong_with_the_job_does_nothing() {
    let setup = Setup::default().limits(|limits| {
        limits.max_bulk_operations = 2;
        limits.max_bulk_payload = 2000;
    });
    setup.on_every_store(|server: &Server| {
        let many: Vec<Value> = (0..3).map(|at| post("/Users", &at.to_string(), user(&format!("u{at}")))).collect();
        let answer = server.post("/Bulk", job(json!(many))).fails(413, "");
        assert!(answer["detail"].as_str().unwrap().contains('2'), "{answer:?}");
        let long = with(user("long"), json!({"title": "x".repeat(2000)}));
        server.post("/Bulk", job(json!([post("/Users", "a", long)]))).fails(413, "");
        server.post("/Bulk", json!({"schemas": [BULK]})).fails(400, "invalidSyntax");
        server.post("/Bulk", json!({"Operations": []})).fails(400, "invalidSyntax");
        server.post("/Bulk", json!([])).fails(400, "invalidSyntax");
        assert_eq!(server.found("userName pr"), Vec::<String>::new());
        let announced = server.get("/ServiceProviderConfig").is(200)["bulk"].clone();
        assert_eq!(announced, json!({"supported": true, "maxOperations": 2, "maxPayloadSize": 2000}));
    });
}
