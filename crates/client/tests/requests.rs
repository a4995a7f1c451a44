//! One request and its answer: what is sent, what is made of what comes back, and what is not done.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use scimwright_client::{Client, ETag, Error, PatchRequest, Retry, diff};
use scimwright_core::{Catalog, ScimType, User, urns};
use scimwright_patch::PatchOptions;
use serde_json::{Value, json};
use support::{BASE, Does, Script, TOKEN, builder, client};

fn ada() -> Value {
    json!({"schemas": [urns::USER], "id": "42", "userName": "ada",
        "meta": {"version": "W/\"7\"", "location": format!("{BASE}/Users/42")}})
}

fn patch() -> PatchRequest {
    let message =
        json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "Ms"}]});
    PatchRequest::from_json(message, &PatchOptions::default()).unwrap()
}

#[test]
fn every_verb_goes_where_it_belongs() {
    let (client, server) = client([
        Does::json(201, &ada()).with("etag", "W/\"8\""),
        Does::json(200, &ada()),
        Does::json(200, &ada()),
        Does::status(204).with("etag", "W/\"9\""),
        Does::status(204),
    ]);
    let users = client.users();
    let made = block_on(users.create(&json!({"userName": "ada"}))).unwrap();
    assert_eq!((made.resource.id.as_str(), made.version.unwrap().as_str()), ("42", "W/\"8\""), "the header wins");
    assert_eq!(made.location.unwrap(), format!("{BASE}/Users/42"));
    let read = block_on(users.get("42")).unwrap();
    let version = read.version.unwrap();
    assert_eq!(version, ETag::new("W/\"7\""), "from `meta.version`");
    block_on(users.replace("42", &read.resource).if_match(&version)).unwrap();
    let patched = block_on(users.patch("42", &patch()).if_match(&version)).unwrap();
    assert_eq!((patched.resource, patched.version), (None, Some(ETag::new("W/\"9\""))));
    block_on(users.delete("42").if_match(&ETag::new("*"))).unwrap();

    let asked = server.asked();
    let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST https://scim.example/scim/v2/Users",
            "GET https://scim.example/scim/v2/Users/42",
            "PUT https://scim.example/scim/v2/Users/42",
            "PATCH https://scim.example/scim/v2/Users/42",
            "DELETE https://scim.example/scim/v2/Users/42",
        ]
    );
    let tags: Vec<_> = asked.iter().map(|asked| asked.header("if-match")).collect();
    assert_eq!(tags, [None, None, Some("W/\"7\""), Some("W/\"7\""), Some("*")]);
    for asked in &asked {
        assert_eq!(asked.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(asked.header("accept"), Some("application/scim+json, application/json;q=0.9"));
        let with_body = !asked.body.is_null();
        assert_eq!(asked.header("content-type"), with_body.then_some("application/scim+json"));
    }
    assert_eq!(asked[0].body, json!({"schemas": [urns::USER], "userName": "ada"}));
    assert_eq!(asked[3].body, patch().to_json());
    assert!(server.is_done());
}

#[test]
fn a_view_is_sent_without_what_is_no_value() {
    let (client, server) = client([Does::json(200, &ada()), Does::json(200, &ada())]);
    let mut user = User::default();
    user.user_name = "ada".to_owned();
    user.active = Some(false);
    block_on(client.users().create(&user)).unwrap();
    assert_eq!(server.asked()[0].body, json!({"schemas": [urns::USER], "userName": "ada", "active": false}));
    // An extension that is in use is named, an attribute that is called like one is not.
    let body = json!({"userName": "ada", urns::ENTERPRISE_USER: {"department": "d", "manager": null}, "urn:x:y": {}, "tags": [null, {}, "a"]});
    block_on(client.users().create(&body)).unwrap();
    assert_eq!(
        server.asked()[0].body,
        json!({"schemas": [urns::USER, urns::ENTERPRISE_USER], "userName": "ada", urns::ENTERPRISE_USER: {"department": "d"}, "tags": ["a"]})
    );
}

#[test]
fn what_is_said_about_schemas_is_sent_as_it_is() {
    let (client, server) = client([Does::json(201, &ada()), Does::json(201, &ada())]);
    let devices = client.resources::<Value>("Devices/");
    block_on(devices.create(&json!({"schemas": ["urn:x:Device"], "name": "n"}))).unwrap();
    block_on(devices.create(&json!({"name": "n"}))).unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].line, "POST https://scim.example/scim/v2/Devices");
    assert_eq!(asked[0].body["schemas"], json!(["urn:x:Device"]));
    assert_eq!(asked[1].body, json!({"name": "n"}), "nobody knows the schema");
}

#[test]
fn attributes_are_chosen_on_every_verb() {
    let (client, server) = client((0..6).map(|_| Does::json(200, &ada())));
    let users = client.resources_of(Catalog::standard().resource_type("User").unwrap());
    block_on(users.get("42").attributes(["userName", "name.givenName"])).unwrap();
    block_on(users.get("42").excluding([format!("{}:manager", urns::ENTERPRISE_USER)])).unwrap();
    block_on(users.create(&json!({"userName": "ada"})).attributes(["id"])).unwrap();
    block_on(users.replace("42", &json!({"userName": "ada"})).attributes(["id"])).unwrap();
    block_on(users.patch("42", &patch()).attributes(["id"])).unwrap();
    block_on(client.me::<Value>().get().attributes(["id"])).unwrap();
    insta::assert_snapshot!(server.lines().join("\n"), @"
    GET /Users/42?attributes=userName%2Cname.givenName
    GET /Users/42?excludedAttributes=urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Aextension%3Aenterprise%3A2.0%3AUser%3Amanager
    POST /Users?attributes=id
    PUT /Users/42?attributes=id
    PATCH /Users/42?attributes=id
    GET /Me?attributes=id
    ");
}

#[test]
fn an_id_is_one_segment_of_a_path_whatever_is_in_it() {
    let (client, server) = client((0..3).map(|_| Does::status(204)));
    for id in ["a/b?c#d%2e", "é\u{0}", "..x"] {
        block_on(client.users().delete(id)).unwrap();
    }
    assert_eq!(server.lines(), ["DELETE /Users/a%2Fb%3Fc%23d%252e", "DELETE /Users/%C3%A9%00", "DELETE /Users/..x"]);
    // These would be the collection itself, or what is above it.
    for id in ["", ".", ".."] {
        let error = block_on(client.users().delete(id)).unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{error}");
    }
    assert_eq!(server.lines(), [""; 0]);
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (client, server) = client([Does::status(304), Does::json(200, &ada())]);
    let version = ETag::new("W/\"7\"");
    assert_eq!(block_on(client.users().get_unless("42", &version)).unwrap(), None);
    assert!(block_on(client.users().get_unless("42", &version)).unwrap().is_some());
    assert!(server.asked().iter().all(|asked| asked.header("if-none-match") == Some("W/\"7\"")));
}

#[test]
fn me_is_whoever_asks() {
    let (client, server) =
        client([Does::json(201, &ada()), Does::json(200, &ada()), Does::status(204), Does::status(204)]);
    let me = client.me::<User>();
    assert_eq!(block_on(me.create(&json!({"userName": "ada"}))).unwrap().resource.user_name, "ada");
    block_on(me.replace(&json!({"userName": "ada"}))).unwrap();
    block_on(me.patch(&patch())).unwrap();
    block_on(me.delete()).unwrap();
    let asked = server.asked();
    let lines: Vec<_> = asked.iter().map(|asked| asked.line.replace(BASE, "")).collect();
    assert_eq!(lines, ["POST /Me", "PUT /Me", "PATCH /Me", "DELETE /Me"]);
    assert_eq!(asked[0].body["schemas"], json!([urns::USER]));
}

#[test]
fn errors_are_told_as_the_server_told_them() {
    let scim =
        json!({"schemas": [urns::ERROR], "status": "409", "scimType": "uniqueness", "detail": "`userName` is taken"});
    let (client, _) = client([
        Does::json(409, &scim),
        Does::json(400, &json!({"Detail": "odd", "SCIMTYPE": "ownWord", "status": 500})),
        Does::Answer(502, vec![("content-type", "text/html".to_owned())], "<html>bad gateway</html>".to_owned()),
        Does::status(401),
        Does::json(429, &json!({})).with("retry-after", "7"),
        Does::status(503).with("retry-after", "Thu, 06 Nov 2994 08:49:37 GMT"),
    ]);
    let refused = || block_on(client.users().get("42")).unwrap_err();
    let error = refused();
    assert_eq!(error.to_string(), "the server refuses: 409 uniqueness: `userName` is taken");
    assert_eq!((error.status(), error.refusal().unwrap().kind()), (Some(409), Some(ScimType::Uniqueness)));
    let error = refused();
    assert_eq!(error.to_string(), "the server refuses: 400 ownWord: odd", "the status of the answer counts");
    assert_eq!(error.refusal().unwrap().kind(), None);
    assert_eq!(refused().to_string(), "the server refuses: 502");
    assert_eq!(refused().to_string(), "the server refuses: 401");
    assert_eq!(refused().refusal().unwrap().retry_after.unwrap().as_secs(), 7);
    assert!(refused().refusal().unwrap().retry_after.unwrap().as_secs() > 900 * 365 * 86400);
}

#[test]
fn what_a_refusal_came_with_is_kept_up_to_a_length() {
    let page = format!("<html>grace{}</html>", "x".repeat(9000));
    let html = |text: &str| Does::Answer(502, vec![("content-type", "text/html".to_owned())], text.to_owned());
    let server = Script::new([html("<html>grace</html>"), html(&page)]);
    let client = builder().retry(Retry::never()).max_response(5000).build_over(server).unwrap();
    let error = block_on(client.users().get("42")).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.body(), refusal.content_type()), (&b"<html>grace</html>"[..], Some("text/html")));
    assert!(!format!("{error} {error:?}").contains("grace"), "{error:?}");
    // Longer than any answer may be: its status counts nevertheless.
    let error = block_on(client.users().get("42")).unwrap_err();
    assert_eq!(error.refusal().unwrap().body(), &page.as_bytes()[..8192]);
    assert_eq!(error.status(), Some(502));
}

#[test]
fn answers_that_make_no_sense_are_errors() {
    let body = |text: &str| Does::Answer(200, Vec::new(), text.to_owned());
    let (client, _) = client([
        body(""),
        body("<html/>"),
        body("[]"),
        body("{\"id\": 42}"),
        body("{\"Resources\": {}}"),
        body("{}"),
        body("{\"totalResults\": 1, \"Resources\": [\"secret-name\"]}"),
        body("{\"Operations\": 1}"),
    ]);
    let told = |error: Error| {
        assert_eq!(error.status(), Some(200));
        error.to_string()
    };
    let users = client.users();
    let read = || told(block_on(users.get("42")).unwrap_err());
    insta::assert_snapshot!(read(), @"the server answers 200 and does not show the resource");
    insta::assert_snapshot!(read(), @"the answer of status 200 makes no sense: the body is no JSON");
    insta::assert_snapshot!(read(), @"the answer of status 200 makes no sense: it is no JSON object");
    insta::assert_snapshot!(read(), @"the answer of status 200 makes no sense: the resource does not fit the view");
    let list = || told(block_on(users.list().first()).unwrap_err());
    insta::assert_snapshot!(list(), @"the answer of status 200 makes no sense: `Resources` is no list");
    insta::assert_snapshot!(list(), @"the answer of status 200 makes no sense: `Resources` is no list");
    insta::assert_snapshot!(list(), @"the answer of status 200 makes no sense: it is no JSON object");
    insta::assert_snapshot!(told(block_on(client.bulk().send()).unwrap_err()), @"the answer of status 200 makes no sense: `Operations` is no list");
}

#[test]
fn what_was_made_is_found_though_it_is_not_shown() {
    let made = Does::status(201).with("location", &format!("{BASE}/Users/42")).with("etag", "W/\"1\"");
    let (client, _) = client([made, Does::status(204)]);
    let error = block_on(client.users().create(&json!({"userName": "ada"}))).unwrap_err();
    assert_eq!(error.status(), Some(201));
    let Error::NotShown { location, version, .. } = error else { panic!("{error}") };
    assert_eq!((location, version), (Some(format!("{BASE}/Users/42")), Some(ETag::new("W/\"1\""))));
    let error = block_on(client.users().replace("42", &json!({"userName": "ada"}))).unwrap_err();
    assert!(matches!(error, Error::NotShown { status: 204, location: None, version: None }), "{error}");
}

#[test]
fn who_did_not_ask_whether_something_changed_is_not_told_that_nothing_did() {
    let (client, _) = client([Does::status(304), Does::status(304)]);
    let malformed = |error: Error| assert!(matches!(error, Error::Malformed { status: 304, .. }), "{error}");
    malformed(block_on(client.users().delete("42")).unwrap_err());
    malformed(block_on(client.users().patch("42", &patch())).unwrap_err());
}

#[test]
fn lists_that_are_longer_than_ours_may_be_are_compared_nevertheless() {
    let catalog = Catalog::standard();
    let users = catalog.resource_type("User").unwrap();
    let email = |number: usize| json!({"value": format!("{number}@x.example")});
    let mut body = ada();
    body["emails"] = (0..1001).map(email).collect();
    let (client, _) = client([Does::json(200, &body)]);
    let before = block_on(client.resources_of(users).get("42")).unwrap().admit(users).unwrap().resource;
    let mut after = before.clone();
    after.put("emails", (0..1002).map(email).collect());
    let patch = diff(users, &before, &after).unwrap().unwrap();
    let expected = json!([{"op": "add", "path": "emails", "value": [{"value": "1001@x.example"}]}]);
    assert_eq!(patch.to_json()["Operations"], expected);
}

#[test]
fn null_is_the_same_as_no_value() {
    let (client, _) =
        client([Does::json(200, &json!({"id": "42", "userName": "ada", "emails": null, "name": {"givenName": null}}))]);
    let user = block_on(client.users().get("42")).unwrap().resource;
    assert_eq!((user.emails.len(), user.name.unwrap().given_name), (0, None));
}

#[test]
fn er_6_redirects_lead_to_the_same_origin_only() {
    let to = |status: u16, location: &str| Does::status(status).with("location", location);
    let (client, server) = client([
        to(308, "/scim/v2/Users/42"),
        to(307, "https://scim.example:443/v3/Users/42?x=y"),
        Does::json(200, &ada()),
        to(307, "../Users"),
        Does::json(201, &ada()),
    ]);
    block_on(client.me::<User>().get()).unwrap();
    assert_eq!(server.lines(), ["GET /Me", "GET /Users/42", "GET https://scim.example/v3/Users/42?x=y"]);
    block_on(client.users().create(&json!({"userName": "ada"}))).unwrap();
    let asked = server.asked();
    assert_eq!(asked[1].line, "POST https://scim.example/scim/Users");
    assert_eq!(asked[1].body, asked[0].body, "the same request again");
    assert!(asked[1].header("authorization").is_some());
}

#[test]
fn the_token_goes_to_no_other_origin() {
    for location in [
        "https://evil.example/scim/v2/Users/42",
        "http://scim.example/scim/v2/Users/42",
        "https://scim.example:8443/scim/v2/Users/42",
        "//evil.example/x",
        "",
        "https://",
    ] {
        let (client, server) = client([Does::status(307).with("location", location)]);
        let error = block_on(client.users().get("42")).unwrap_err();
        assert!(matches!(error, Error::Redirected { status: 307, .. }), "{location}: {error}");
        assert_eq!(server.lines().len(), 1);
    }
    // These would make another request of it.
    for status in [300, 301, 302, 303] {
        let (client, server) = client([Does::status(status).with("location", "/scim/v2/Users/43")]);
        let error = block_on(client.users().create(&json!({}))).unwrap_err();
        assert!(matches!(error, Error::Redirected { .. }), "{status}: {error}");
        assert_eq!(server.lines().len(), 1);
    }
}

#[test]
fn redirects_end() {
    let (client, server) = client((0..6).map(|_| Does::status(308).with("location", "/scim/v2/Users/42")));
    let error = block_on(client.users().get("42")).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    assert!(server.is_done());
}

#[test]
fn answers_are_bounded_whatever_the_transport_does() {
    let server = Script::new([Does::json(200, &json!({"id": "x".repeat(200)}))]);
    let client = builder().retry(Retry::never()).max_response(100).build_over(server).unwrap();
    let error = block_on(client.users().get("42")).unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
}

#[test]
fn secrets_and_people_are_in_no_debug_output() {
    let server = Script::new([Does::json(200, &ada())]);
    let making = builder().header("x-key", "swordfish");
    let mut shown = format!("{making:?}");
    let client = making.build_over(server.clone()).unwrap();
    let query = client.users().list().filter("userName eq \"grace\"");
    let request = client.users().create(&json!({"userName": "grace", "password": "t1meMa$heen"}));
    shown += &format!("{client:?} {query:?} {request:?} {:?} {:?}", client.users(), client.bulk());
    block_on(client.users().get("42")).unwrap();
    shown += &format!("{:?}", server.asked());
    for secret in [TOKEN, "swordfish", "t1meMa$heen", "grace"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn what_was_given_wrongly_is_not_shown_either() {
    let base = Client::builder("https://user:swordfish@x.example/scim?key=swordfish");
    let (client, _) = client([Does::status(302).with("location", "https://other.example/Users?filter=swordfish")]);
    let mut job = client.bulk();
    let operation = job.replace(&client.users(), "42", &json!({"userName": "ada", "password": "swordfish"}));
    let error = block_on(client.users().get("42")).unwrap_err();
    let shown = format!("{base:?} {operation:?} {error:?} {error}");
    assert!(!shown.contains("swordfish"), "{shown}");
    assert!(shown.contains("https://x.example") && shown.contains("PUT") && shown.contains("/Users/42"), "{shown}");
    assert!(error.to_string().contains("https://other.example,"), "{error}");
    let Error::Redirected { location, .. } = error else { panic!("{error}") };
    assert_eq!(location.as_str(), "https://other.example/Users?filter=swordfish");
}

#[test]
fn a_base_is_an_https_uri_and_nothing_else() {
    let made = |base: &str| Client::builder(base).build_over(Script::default());
    for good in [
        "https://x.example",
        "https://x.example/scim/v2/",
        "http://127.0.0.1:8080/v2",
        "http://localhost/v2",
        "http://[::1]/",
    ] {
        assert!(made(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/scim/v2",
        "x.example/scim",
        "ftp://x.example",
        "https://",
        "https://x.example/?a=b",
        "https://x.example/#a",
        "https://user:word@x.example/",
        "http://x.example/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
    ] {
        assert!(matches!(made(bad), Err(Error::Request(_))), "{bad}");
    }
    assert!(Client::builder("http://x.example/").plain_http().build_over(Script::default()).is_ok());
    assert!(Client::builder(BASE).bearer("line\nbreak").build_over(Script::default()).is_err());
    assert!(Client::builder(BASE).header("no name", "x").build_over(Script::default()).is_err());
}

#[test]
fn a_slash_at_the_end_of_the_base_is_one_slash() {
    let server = Script::new([Does::json(200, &ada()), Does::json(200, &json!({"totalResults": 0}))]);
    let client = Client::builder("https://scim.example/scim/v2/").build_over(server.clone()).unwrap();
    block_on(client.users().get("42")).unwrap();
    assert_eq!(block_on(client.search::<Value>().first()).unwrap(), None);
    assert_eq!(server.lines(), ["GET /Users/42", "POST /.search"]);
}
