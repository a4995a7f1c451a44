//! The scenario runner against a server of a few lines, and the files it is made for.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::{Request, Response};
use scimwright_testkit::scenario::{Error, Outcome, Runner, Scenario, Settings, load_dir};
use serde_json::{Value, json};

/// Users in memory: create, read, list by page, delete; whatever else is asked for is not found.
#[derive(Default)]
struct Fake {
    users: RefCell<Vec<Value>>,
    seen: RefCell<Vec<Request<Bytes>>>,
    /// Page after page the same users.
    stuck: bool,
}

impl Fake {
    fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.seen.borrow_mut().push(request.clone());
        let path = request.uri().path().strip_prefix("/scim").ok_or("not below the base")?.to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        let mut users = self.users.borrow_mut();
        let found = users.iter().position(|user| path == format!("/Users/{}", user["id"].as_str().unwrap()));
        let (status, body) = match (request.method().as_str(), path.as_str(), found) {
            _ if request.headers().get("authorization").is_none_or(|value| value != "Bearer t") => {
                (401, scim_error("401", None))
            }
            ("GET", "/ServiceProviderConfig", _) => {
                (200, json!({"sort": {"supported": true}, "bulk": {"supported": false}}))
            }
            ("POST", "/Users", _) if body["userName"].as_str().is_none() => {
                (400, scim_error("400", Some("invalidValue")))
            }
            ("POST", "/Users", _) => {
                let mut user = body;
                user["id"] = json!(format!("id{}", users.len() + 1));
                users.push(user.clone());
                (201, user)
            }
            ("GET", "/Users", _) => (200, self.page(request.uri().query().unwrap_or_default(), &users)),
            ("GET", _, Some(index)) => (200, users[index].clone()),
            ("DELETE", _, Some(index)) => {
                users.remove(index);
                (204, Value::Null)
            }
            ("GET", "/page", _) => return Ok(Response::new(Bytes::from_static(b"<html>"))),
            ("GET", "/broken", _) => return Err("the line is cut".to_owned()),
            _ => (404, scim_error("404", None)),
        };
        let text = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = Response::builder().status(status).header("Content-Type", "application/scim+json; charset=utf-8");
        Ok(answer.header("ETag", "W/\"1\"").body(text).unwrap())
    }

    fn page(&self, query: &str, users: &[Value]) -> Value {
        let number = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
        };
        let start = number("startIndex").unwrap_or(1);
        let skip = if self.stuck { 0 } else { start - 1 };
        let page: Vec<_> = users.iter().skip(skip).take(number("count").unwrap_or(100)).collect();
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": users.len(), "startIndex": start, "itemsPerPage": page.len(), "Resources": page,
        })
    }
}

fn scim_error(status: &str, scim_type: Option<&str>) -> Value {
    let mut error = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": status, "detail": "no",
    });
    if let Some(scim_type) = scim_type {
        error["scimType"] = json!(scim_type);
    }
    error
}

fn scenario(rest: &Value) -> Scenario {
    let mut file = json!({"idp": "i", "scenario": "s", "source": "o"});
    file.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    Scenario::parse("x.json", &file.to_string()).unwrap()
}

fn settings() -> Settings {
    Settings::new("http://localhost/scim/", "t")
}

fn play_with(fake: &Fake, settings: Settings, rest: &Value) -> Outcome {
    let transport = |request| fake.answer(request);
    Runner::new(&transport, settings).unwrap().play(&scenario(rest))
}

/// Plays these steps after one that makes Ada, saved as `u`.
fn play(steps: &[Value]) -> Outcome {
    let mut all = vec![json!({"method": "POST", "path": "/Users", "as": "u", "body": {
        "userName": "Ada", "active": true, "emails": [{"value": "a@x.example", "type": "work"}, {"type": "home"}],
    }})];
    all.extend(steps.iter().cloned());
    play_with(&Fake::default(), settings(), &json!({"requests": all}))
}

/// The differences of one step that fails.
fn differences(expect: &Value) -> Vec<String> {
    differences_at("/Users/${u.id}", expect)
}

fn differences_at(path: &str, expect: &Value) -> Vec<String> {
    match play(&[json!({"path": path, "expect": expect})]) {
        Outcome::Failed { step: 2, differences } => {
            let head = format!("step 2 (GET {path}): ");
            differences.iter().map(|line| line.strip_prefix(&head).unwrap().to_owned()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_as_expected_passes() {
    let outcome = play(&[
        json!({"path": "/Users/${u.id}", "as": "now", "expect": {
            "status": [200, "3xx"], "headers": {"content-type": {"$startswith": "application/scim+json"}, "etag": "${u@etag}"},
            "body_contains": {"id": "${u.id}", "userName": {"$ieq": "ada"}, "emails": [{"type": "home"}]},
            "body_absent": ["/title", "/emails/0/primary"],
        }}),
        json!({"path": "/Users?count=1", "expect": {"list": {"total": 1, "items": 1, "max_items": 1, "startIndex": 1,
            "resources": [{"userName": "Ada"}]}}}),
        json!({"path": "/Users/nobody", "expect": {"error": {"status": 404}}}),
        json!({"path": "/Users/nobody", "expect": {"error": 404}}),
        json!({"method": "POST", "path": "/Users", "raw": "{}", "expect": {
            "error": {"status": 400, "scimType": ["invalidValue", "invalidSyntax"]}}}),
        json!({"path": "/Users", "headers": {"authorization": null}, "expect": {"error": {"status": 401}}}),
        json!({"method": "POST", "path": "/Users", "repeat": 3, "as": "u", "body": {"userName": "n${n}"},
            "expect": {"status": 201, "body_contains": {"userName": "n${n}"}}}),
        json!({"crawl": "/Users", "count": 3, "expect": {"ids": ["${u.id}", "${u1.id}", "${u3.id}"], "min_pages": 2}}),
        json!({"method": "POST", "path": "/Users", "as": "copy", "body_of": "now", "body_drop": ["/emails/0"],
            "body_set": {"/title": "x ${u.id}"},
            "expect": {"body_contains": {"title": "x id1", "emails": {"$all": [{"$len": 1}, [{"type": "home"}]]}}}}),
        json!({"method": "DELETE", "path": "/Users/${copy.id}", "expect": {"status": 204, "body_empty": true, "max_ms": 5}}),
    ]);
    assert_eq!(outcome, Outcome::Passed, "{outcome}");
}

#[test]
fn a_wrong_status_fails() {
    assert_eq!(
        differences_at("/Users/nobody", &json!({"status": [200, "3xx"], "body_contains": {"id": 1}})),
        [
            r#"status: expected 200 or 3xx, got 404 {"detail":"no","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}"#
        ]
    );
    assert!(differences(&json!({"error": {"status": 400}}))[0].starts_with("status: expected 400, got 200 {"));
    assert!(differences_at("/Users/nobody", &json!({"list": {}}))[0].starts_with("status: expected 200, got 404"));
}

#[test]
fn a_wrong_body_fails() {
    assert_eq!(
        differences(&json!({"body_contains": {"userName": "Bob", "title": "x"}, "body_absent": ["/emails/1/type"]})),
        [
            "body/title: expected \"x\", but it is absent",
            "body/userName: expected \"Bob\", got \"Ada\"",
            "body/emails/1/type: expected nothing here, got \"home\"",
        ]
    );
    assert!(differences(&json!({"body_empty": true}))[0].starts_with("body: expected none, got {"));
    assert!(differences_at("/page", &json!({"body_contains": {}}))[0].contains("is not JSON"));
    assert!(differences_at("/page", &json!({"list": {}}))[0].contains("is not JSON"));
    let found = differences_at("/Users/nobody", &json!({"body_contains": {"id": 1}}));
    assert_eq!(found[0], "body/id: expected 1, but it is absent");
    assert!(found[1].starts_with("the answer was 404 {"), "{found:?}");
}

#[test]
fn a_wrong_list_fails() {
    assert_eq!(
        differences_at(
            "/Users",
            &json!({"list": {"total": {"$min": 2}, "items": 0, "max_items": 0, "startIndex": 2,
            "resources": [{"userName": "Bob"}]}})
        )
        .iter()
        .map(|line| line.split(" among").next().unwrap().split(", got [{").next().unwrap())
        .collect::<Vec<_>>(),
        [
            "list/totalResults: expected at least 2, got 1",
            "list/Resources: expected 0 items",
            "list/Resources: asked for at most 0, got 1",
            "list/startIndex: expected 2, got 1",
            "list/Resources: no item matches {\"userName\":\"Bob\"}",
        ]
    );
    assert_eq!(
        differences(&json!({"list": {}})),
        [
            r#"list/schemas: expected ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], but it is absent"#,
            r#"list/totalResults: expected type integer, got nothing"#,
        ]
    );
}

#[test]
fn a_wrong_header_fails() {
    assert_eq!(
        differences(&json!({"headers": {"ETag": "W/\"2\"", "Location": {"$any": true}}})),
        [r#"header etag: expected "W/\"2\"", got "W/\"1\"""#, "header location: expected a value, got nothing"]
    );
}

#[test]
fn a_wrong_error_fails() {
    let steps = json!({"method": "POST", "path": "/Users", "body": {}, "expect": {"error": {"status": 400, "scimType": "uniqueness"}}});
    let Outcome::Failed { differences, .. } = play(&[steps]) else { panic!("it passed") };
    assert_eq!(
        differences[0],
        r#"step 2 (POST /Users): error/scimType: expected one of ["uniqueness"], got "invalidValue""#
    );
}

#[test]
fn a_crawl_that_goes_wrong_fails() {
    let make = json!({"method": "POST", "path": "/Users", "repeat": 4, "as": "u", "body": {"userName": "n"}});
    let crawl =
        json!({"name": "import", "crawl": "/Users?x=y", "count": 2, "expect": {"ids": ["${u4.id}"], "min_pages": 3}});
    let fake = Fake { stuck: true, ..Fake::default() };
    let outcome = play_with(&fake, settings(), &json!({"requests": [make, crawl]}));
    assert_eq!(
        outcome.to_string(),
        "failed\n  step 2 (import): 2 resources came more than once\
         \n  step 2 (import): the resource \"id4\" was not listed\
         \n  step 2 (import): expected at least 3 pages, got 2"
    );
    let queries: Vec<_> = fake.seen.borrow().iter().filter_map(|r| r.uri().query().map(str::to_owned)).collect();
    assert_eq!(queries, ["x=y&startIndex=1&count=2", "x=y&startIndex=3&count=2"]);
}

#[test]
fn the_first_failure_ends_a_scenario_unless_it_may_go_on() {
    let bad = json!({"path": "/Users/x", "expect": {"status": 200}});
    let mut soft = bad.clone();
    soft["continue"] = json!(true);
    let Outcome::Failed { step, differences } = play(&[soft, bad.clone(), bad]) else { panic!("it passed") };
    assert_eq!((step, differences.len()), (2, 2));
    assert!(differences[1].starts_with("step 3 (GET /Users/x): status:"));
}

#[test]
fn what_cannot_go_on_fails() {
    let text = |path: &str| play(&[json!({"path": path, "continue": true}), json!({"path": "/never"})]).to_string();
    assert_eq!(text("/${nobody.id}"), "failed\n  step 2 (GET /${nobody.id}): scenario: ${nobody.id}: is not known");
    assert_eq!(text("/broken"), "failed\n  step 2 (GET /broken): no answer from the server: the line is cut");
    let outcome = play_with(&Fake::default(), settings(), &json!({"vars": {"x": "${y}"}, "requests": []}));
    assert_eq!(outcome.to_string(), "failed\n  vars: scenario: ${y}: is not known");
}

#[test]
fn what_was_made_is_deleted_again() {
    let steps = json!({"requests": [
        {"method": "POST", "path": "/Users?x", "repeat": 2, "body": {"userName": "a"}},
        {"path": "/Users/x", "expect": {"status": 200}},
    ]});
    let fake = Fake::default();
    assert!(play_with(&fake, settings(), &steps).is_failure());
    assert!(fake.users.borrow().is_empty());
    assert!(play_with(&fake, Settings { keep: true, ..settings() }, &steps).is_failure());
    assert_eq!(fake.users.borrow().len(), 2);
}

#[test]
fn headers_and_bodies_go_out_as_they_are_written() {
    let fake = Fake::default();
    // As text, since the order of the members is what matters.
    let text = r#"{"idp": "i", "scenario": "s", "source": "o", "vars": {"z": "Zoë", "a": "${z}!"},
        "headers": {"User-Agent": "ua ${a}", "content-type": "application/json"}, "requests": [
        {"method": "PUT", "path": "/Users/x?filter=a eq \"${a|q}\"", "body": {"z": 1, "a": {"y.b": "${a}", "x": null}}},
        {"method": "PUT", "path": "/Users/x", "raw": "{\"a\": ", "headers": {"Content-Type": null, "accept": "*/*"}},
        {"method": "PUT", "path": "/Users/x", "body": null},
        {"path": "/Users/x"}]}"#;
    let transport = |request| fake.answer(request);
    let runner = Runner::new(&transport, settings()).unwrap();
    assert_eq!(runner.play(&Scenario::parse("x", text).unwrap()), Outcome::Passed);
    let seen = fake.seen.borrow();
    let [first, second, third, fourth] = &seen[2..] else { panic!("{seen:?}") };
    assert_eq!(first.uri(), "/scim/Users/x?filter=a%20eq%20%22Zo%C3%AB%21%22");
    assert_eq!(first.body(), r#"{"z":1,"a":{"y.b":"Zoë!","x":null}}"#);
    assert_eq!(first.headers()["content-type"], "application/json");
    assert_eq!(first.headers()["user-agent"].as_bytes(), "ua Zoë!".as_bytes());
    assert_eq!(first.headers()["accept"], "application/scim+json");
    assert_eq!(first.headers()["authorization"], "Bearer t");
    assert_eq!(second.body(), r#"{"a": "#);
    assert!(!second.headers().contains_key("content-type"));
    assert_eq!(second.headers()["accept"], "*/*");
    assert_eq!(third.body(), "null");
    assert!(fourth.body().is_empty() && !fourth.headers().contains_key("content-type"));
}

#[test]
fn what_was_not_asked_for_is_skipped() {
    let play = |settings: Settings, rest: Value| play_with(&Fake::default(), settings, &rest).to_string();
    let profile = json!({"profile": "p", "requests": []});
    assert_eq!(play(settings(), profile.clone()), "skipped: profile p was not asked for");
    assert_eq!(play(Settings { profiles: vec!["p".to_owned()], ..settings() }, profile), "passed");
    let tolerant = json!({"tolerance": ["a", "b"], "requests": []});
    assert_eq!(play(Settings { strict: true, ..settings() }, tolerant.clone()), "skipped: it needs a, b");
    assert_eq!(play(settings(), tolerant), "passed");
    let needs = json!({"needs": ["sort", "bulk", "enterprise"], "requests": []});
    assert_eq!(play(settings(), needs.clone()), "skipped: the server does not announce bulk, enterprise");
    assert_eq!(play(Settings { need_all: true, ..settings() }, needs), "passed");
}

#[test]
fn what_a_server_announces() {
    let transport = |request: Request<Bytes>| {
        assert_eq!(request.headers().get("authorization"), None);
        Ok(Response::new(Bytes::from_static(match request.uri().path() {
            "/Schemas" => {
                br#"{"Resources": [
                {"id": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}, 7,
                {"id": "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"}]}"#
            }
            _ => br#"{"etag": {"supported": true}, "patch": true, "sort": {"supported": "true"}}"#,
        })))
    };
    let runner = Runner::new(&transport, Settings::new("https://host", "")).unwrap();
    assert_eq!(runner.features().collect::<Vec<_>>(), ["custom-extension", "enterprise", "etag"]);

    let cut = |_: Request<Bytes>| Err("cut".to_owned());
    assert!(matches!(Runner::new(&cut, settings()), Err(Error::NoAnswer(reason)) if reason == "cut"));
    assert!(matches!(Runner::new(&cut, Settings::new("/scim", "")), Err(Error::Base(_))));
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/idp")
}

#[test]
fn every_recorded_scenario_can_be_read() {
    let scenarios = load_dir(&corpus()).unwrap();
    assert!(scenarios.len() >= 120, "only {}", scenarios.len());
    assert!(scenarios.is_sorted_by_key(Scenario::name));
    assert!(scenarios.iter().any(|scenario| scenario.name() == "okta/08-put-echo.json"));
    for scenario in &scenarios {
        let evidence = scenario.evidence().unwrap_or_default();
        assert!(["documented", "recorded", "derived"].contains(&evidence), "{}: {evidence:?}", scenario.name());
        assert!(scenario.why().is_some_and(|why| !why.is_empty()), "{}", scenario.name());
    }
}

#[test]
fn files_and_folders_that_are_not_there() {
    assert!(matches!(load_dir(&corpus().join("nobody")), Err(Error::Read { .. })));
    assert!(matches!(Scenario::load(&corpus().join("nobody.json")), Err(Error::Read { .. })));
    let one = Scenario::load(&corpus().join("okta/08-put-echo.json")).unwrap();
    assert_eq!((one.name(), one.idp()), ("08-put-echo.json", "okta"));
}
