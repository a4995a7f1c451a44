//! What a bulk job answers for each of its operations: RFC 7644 section 3.7.3.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::{ScimError, urns};
use scimwright_service::{Policy, Writing};
use scimwright_tests::{Answer, BASE, Server, Setup, group, on_every_store, patch_op, user, with};
use serde_json::{Value, json};

/// A job of these operations, which is processed.
#[track_caller]
fn run(server: &Server, operations: &Value) -> Vec<Value> {
    let job = json!({"schemas": [urns::BULK_REQUEST], "Operations": operations});
    let answer = server.post("/Bulk", job).is(200);
    assert_eq!(answer["schemas"], json!([urns::BULK_RESPONSE]));
    assert_eq!(answer.keys(), ["Operations", "schemas"]);
    answer["Operations"].as_array().unwrap().clone()
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

fn post(path: &str, bulk_id: &str, data: &Value) -> Value {
    json!({"method": "POST", "path": path, "bulkId": bulk_id, "data": data})
}

fn location(of: &Answer) -> String {
    format!("{BASE}{}", of.path())
}

#[test]
fn b_7_b_8_b_10_b_11_every_failure_is_told_and_says_where() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let results = run(
            server,
            &json!([
                post("/Users", "a", &user("ADA")),
                {"method": "PUT", "path": ada.path(), "data": {"schemas": [urns::USER]}},
                {"method": "PATCH", "path": ada.path(), "data": patch_op(&json!([{"op": "remove", "path": "userName"}]))},
                {"method": "DELETE", "path": ada.path(), "version": "W/\"0\""},
                {"method": "DELETE", "path": "/Users/nobody"},
            ]),
        );
        assert_eq!(statuses(&results), ["409", "400", "400", "412", "404"]);
        let types = results.iter().map(|result| result["response"]["scimType"].as_str().unwrap_or_default());
        assert_eq!(types.collect::<Vec<_>>(), ["uniqueness", "invalidValue", "mutability", "", ""]);
        for result in &results {
            let response = &result["response"];
            assert_eq!(response["schemas"], json!([urns::ERROR]), "{result}");
            assert_eq!(response["status"], result["status"], "{result}");
            assert!(!response["detail"].as_str().unwrap().is_empty(), "{result}");
            assert_eq!(result["version"], Value::Null, "{result}");
        }
        assert_eq!(results[0]["location"], Value::Null, "a failed POST has been nowhere");
        for result in &results[1..4] {
            assert_eq!(result["location"], location(&ada), "{result}");
        }
        assert_eq!(server.get(ada.path()).is(200).text, ada.text);
    });
}

#[test]
fn b_12_b_13_methods_and_bulk_ids_come_back_and_versions_are_those_of_the_resources() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let title = patch_op(&json!([{"op": "add", "path": "title", "value": "t"}]));
        let results = run(
            server,
            &json!([
                post("/Users", "b", &user("bob")),
                {"method": "PATCH", "path": ada.path(), "bulkId": "mine", "data": title},
                {"method": "PUT", "path": "/Users/bulkId:b", "data": user("robert")},
            ]),
        );
        assert_eq!(statuses(&results), ["201", "200", "200"]);
        let told = |name: &str| results.iter().map(|result| result[name].as_str().unwrap_or("-")).collect::<Vec<_>>();
        assert_eq!(told("method"), ["POST", "PATCH", "PUT"]);
        assert_eq!(told("bulkId"), ["b", "mine", "-"]);
        assert_eq!(results[0]["location"], results[2]["location"]);
        for result in &results[1..] {
            let path = result["location"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
            assert_eq!(server.get(path).is(200).etag(), result["version"]);
        }
    });
}

#[test]
fn b_14_a_version_guards_put_patch_and_delete() {
    on_every_store(|server| {
        let [a, b, c] = ["a", "b", "c"].map(|name| server.create("/Users", user(name)));
        let title = patch_op(&json!([{"op": "add", "path": "title", "value": "t"}]));
        let operations = |versions: [&str; 3]| {
            json!([
                {"method": "PUT", "path": a.path(), "version": versions[0], "data": with(user("a"), json!({"title": "t"}))},
                {"method": "PATCH", "path": b.path(), "version": versions[1], "data": title},
                {"method": "DELETE", "path": c.path(), "version": versions[2]},
            ])
        };
        assert_eq!(statuses(&run(server, &operations(["W/\"x\"", "\"y\"", "W/\"0\""]))), ["412", "412", "412"]);
        for made in [&a, &b, &c] {
            assert_eq!(server.get(made.path()).is(200).text, made.text);
        }
        assert_eq!(statuses(&run(server, &operations([a.etag(), b.etag(), c.etag()]))), ["200", "200", "204"]);
    });
}

/// Lets nobody be called root.
#[derive(Debug)]
struct NoRoot;

impl Policy for NoRoot {
    fn before_write(&self, writing: &mut Writing<'_>) -> Result<(), ScimError> {
        match writing.resource.get("userName").and_then(Value::as_str) {
            Some("root") => Err(ScimError::new(403, "nobody is root")),
            _ => Ok(()),
        }
    }
}

#[test]
fn b_25_an_operation_is_what_the_single_request_would_be() {
    Setup::default().policy(NoRoot).on_every_store(|server| {
        let [ada, bob] = ["ada", "bob"].map(|name| server.create("/Users", user(name)));
        let rename = |to: &str| patch_op(&json!([{"op": "replace", "path": "userName", "value": to}]));
        let requests = [
            ("POST", "/Users".to_owned(), user("root")),
            ("POST", "/Users".to_owned(), user("")),
            ("POST", "/Users".to_owned(), with(user("x"), json!({"schemas": [urns::GROUP]}))),
            ("POST", "/Groups".to_owned(), group("g", &["nobody"])),
            ("PUT", ada.path().to_owned(), user("root")),
            ("PUT", ada.path().to_owned(), user("BOB")),
            ("PATCH", bob.path().to_owned(), rename("root")),
            ("PATCH", bob.path().to_owned(), rename("ada")),
            ("PATCH", bob.path().to_owned(), json!({"Operations": []})),
            ("PATCH", "/Users/nobody".to_owned(), rename("x")),
        ];
        let operation = |(at, (method, path, data)): (usize, &(&str, String, Value))| {
            json!({"method": method, "path": path, "bulkId": at.to_string(), "data": data})
        };
        let operations: Value = requests.iter().enumerate().map(operation).collect();
        for (result, (method, path, data)) in run(server, &operations).iter().zip(&requests) {
            let alone = server.ask(method, &**path).json(data).send();
            assert_eq!(result["status"], alone.status.to_string(), "{method} {path} {data}: {}", alone.text);
            assert_eq!(result["response"], alone.body, "{method} {path} {data}");
        }
        assert_eq!(server.found("userName pr"), ["ada", "bob"]);
    });
}

#[test]
fn b_19_b_22_a_path_may_refer_to_what_the_job_makes() {
    on_every_store(|server| {
        let title = patch_op(&json!([{"op": "add", "path": "title", "value": "t"}]));
        let results = run(
            server,
            &json!([
                {"method": "PATCH", "path": "/Users/bulkId:a", "data": title},
                post("/Users", "a", &user("ada")),
                {"method": "DELETE", "path": "/Users/bulkId:b"},
                post("/Users", "b", &user("bob")),
                {"method": "DELETE", "path": "/Users/bulkId:nowhere"},
                post("/Users", "c", &json!({})),
                {"method": "PATCH", "path": "/Users/bulkId:c", "data": title},
            ]),
        );
        assert_eq!(statuses(&results), ["200", "201", "204", "201", "400", "400", "409"]);
        assert_eq!(server.found("title eq \"t\""), ["ada"]);
        assert_eq!(server.found("userName pr"), ["ada"]);
    });
}

#[test]
fn de_2_what_is_deleted_is_gone_for_bulk_too() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        server.delete(ada.path()).is(204);
        let title = patch_op(&json!([{"op": "add", "path": "title", "value": "t"}]));
        let results = run(
            server,
            &json!([
                {"method": "PUT", "path": ada.path(), "data": user("ada")},
                {"method": "PATCH", "path": ada.path(), "data": title},
                {"method": "DELETE", "path": ada.path()},
            ]),
        );
        assert_eq!(statuses(&results), ["404", "404", "404"]);
    });
}
