//! Errors, methods, media types, limits and callers: RFC 7644 sections 2, 3.8 and 3.12.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::urns;
use scimwright_tests::{PASSWORD, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

#[test]
fn er_1_er_2_er_3_e_9_errors_are_as_the_rfc_writes_them() {
    on_every_store(|server| {
        let taken = server.create("/Users", user("ada"));
        let text = |answer: scimwright_tests::Ask<'_>| answer.send().text;
        insta::allow_duplicates! {
            insta::assert_snapshot!(text(server.get("/Users/nobody")), @r#"{"detail":"a User of this id is not here","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}"#);
            insta::assert_snapshot!(text(server.get("/Nothing")), @r#"{"detail":"an endpoint of this path is not here","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}"#);
            insta::assert_snapshot!(text(server.post("/Users", user("ADA"))), @r#"{"detail":"the value of `userName` is taken already","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","status":"409"}"#);
            insta::assert_snapshot!(text(server.post("/Users", json!({"schemas": [urns::USER]}))), @r#"{"detail":"`userName` is required","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"invalidValue","status":"400"}"#);
            insta::assert_snapshot!(text(server.post("/Users", with(user("x"), json!({"active": "yes"})))), @r#"{"detail":"`active`: expected true or false, found the string `yes`","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"invalidValue","status":"400"}"#);
            insta::assert_snapshot!(text(server.get("/Users").without("authorization")), @r#"{"detail":"a valid bearer token is needed","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401"}"#);
            insta::assert_snapshot!(text(server.delete("/Users")), @r#"{"detail":"this endpoint knows GET, HEAD, POST only","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"405"}"#);
            insta::assert_snapshot!(text(server.delete(taken.path()).with("if-match", "\"x\"")), @r#"{"detail":"the resource has another version than the request asks for: read it again","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"412"}"#);
            insta::assert_snapshot!(text(server.get("/Me")), @r#"{"detail":"/Me is not supported here: this caller stands for no resource","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"501"}"#);
            insta::assert_snapshot!(text(server.patch(taken.path(), json!([{"op": "remove", "path": "userName"}]))), @r#"{"detail":"operation 0: `userName` is required and cannot be removed","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"mutability","status":"400"}"#);
        }
    });
}

#[test]
fn u_2_errors_tell_no_secrets() {
    on_every_store(|server| {
        // That no answer shows the password is checked in every one of them; here are those that come nearest.
        for password in [json!([PASSWORD]), json!({"value": PASSWORD}), json!([[PASSWORD]])] {
            server.post("/Users", with(user("ada"), json!({"password": password}))).fails(400, "invalidValue");
        }
        let made = server.create("/Users", user("ada"));
        let change = json!([{"op": "replace", "path": "password", "value": [PASSWORD]}]);
        server.patch(made.path(), change).fails(400, "invalidValue");
        let change = json!([{"op": "replace", "value": {"password": {"x": PASSWORD}}}]);
        server.patch(made.path(), change).fails(400, "invalidValue");
        server.filter("/Users", &format!("password eq \"{PASSWORD}\"")).fails(403, "sensitive");
        server.ask("POST", "/Users").raw(format!("{{\"password\": \"{PASSWORD}\" x}}")).fails(400, "invalidSyntax");
        server
            .ask("POST", "/Gadgets")
            .json(&with(gadget("arm"), json!({"secret": [PASSWORD]})))
            .fails(400, "invalidValue");
    });
}

#[test]
fn er_9_methods_that_an_endpoint_does_not_know() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let (all, one, discovery) = ("GET, HEAD, POST", "GET, HEAD, PUT, PATCH, DELETE", "GET, HEAD");
        for (path, allowed) in [
            ("/Users", all),
            ("/Groups", all),
            ("/Gadgets", all),
            (made.path(), one),
            ("/Users/nobody", one),
            ("/Users/.search", "POST"),
            ("/ServiceProviderConfig", discovery),
            ("/Schemas", discovery),
            ("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", discovery),
            ("/ResourceTypes", discovery),
            ("/ResourceTypes/User", discovery),
        ] {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SEARCH", "get"] {
                if allowed.split(", ").any(|known| known == method) {
                    continue;
                }
                let answer = server.ask(method, path).json(&user("bob")).fails(405, "");
                assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
            }
        }
        assert_eq!(server.get("/Users").is(200).names("userName"), ["ada"]);
    });
}

#[test]
fn e_2_e_13_me_1_what_is_not_supported_says_so() {
    on_every_store(|server| {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            server.ask(method, "/Me").json(&user("ada")).fails(501, "");
        }
        server.get("/Me/anything").fails(404, "");
        server.get("/Me").without("authorization").is(401);
    });
}

#[test]
fn e_5_e_6_e_7_the_answer_is_scim_whatever_was_asked_for() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for accept in
            ["application/scim+json", "application/json", "*/*", "text/html", "", "application/*;q=0.1", "garbage;;"]
        {
            // The media type is checked in every answer.
            server.get(made.path()).with("accept", accept).is(200);
            server.get("/Users/nobody").with("accept", accept).is(404);
        }
        server.get(made.path()).without("accept").is(200);
    });
}

#[test]
fn e_8_er_10_bodies_are_json() {
    on_every_store(|server| {
        for (at, media_type) in [
            "application/scim+json",
            "application/json",
            "application/scim+json; charset=utf-8",
            "Application/SCIM+JSON;charset=\"UTF-8\"; x=y",
            "application/json ;charset=utf-8",
        ]
        .iter()
        .enumerate()
        {
            server.post("/Users", user(&format!("u{at}"))).with("content-type", media_type).is(201);
        }
        let made = server.get("/Users?count=1").is(200).resources()[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/Users/{made}");
        for media_type in [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "",
            "json",
            "multipart/form-data",
            "application/scim+jsonx",
        ] {
            server.post("/Users", user("x")).with("content-type", media_type).fails(415, "");
            server.put(&*path, user("x")).with("content-type", media_type).fails(415, "");
            server.patch(&*path, json!([])).with("content-type", media_type).fails(415, "");
        }
        server.post("/Users", user("x")).without("content-type").fails(415, "");
        server.get("/Users").with("content-type", "text/plain").is(200);
        server.delete(path).with("content-type", "text/plain").is(204);
    });
    Setup::default().profile(Profile::strict().with(Quirk::NoContentType)).on_every_store(|server| {
        server.post("/Users", user("x")).without("content-type").is(201);
        server.post("/Users", user("y")).with("content-type", "text/plain").fails(415, "");
    });
}

#[test]
fn sec_9_a_body_may_be_so_long_and_no_longer() {
    Setup { max_body: 1000, ..Setup::default() }.on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let exact = |length: usize| {
            let body = with(user("bob"), json!({"title": ""})).to_string();
            body.replace("\"title\":\"\"", &format!("\"title\":\"{}\"", "x".repeat(length - body.len())))
        };
        assert_eq!(exact(1000).len(), 1000);
        server.ask("POST", "/Users").raw(exact(1001)).fails(413, "");
        server.ask("PUT", made.path()).raw(exact(1001)).fails(413, "");
        server.ask("PATCH", made.path()).raw(exact(1001)).fails(413, "");
        // Said to be too long, or longer than it was said to be.
        server.post("/Users", user("x")).with("content-length", "1001").fails(413, "");
        server.ask("POST", "/Users").raw(exact(1001)).with("content-length", "10").fails(413, "");
        server.ask("POST", "/Users").raw(exact(1000)).is(201);
        assert_eq!(server.get("/Users").is(200).names("userName"), ["ada", "bob"]);
    });
}

#[test]
fn e_10_e_12_versions_and_stray_paths() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for path in [
            "/v9/Users",
            "/Nothing",
            "/users",
            "/USERS",
            "//Users",
            "/Users//",
            "/Users/x/y",
            "//",
            "/Me/x",
            "/Schemas/a/b",
            "/serviceproviderconfig",
            "/ServiceProviderConfigs",
            "/ResourceTypes/user",
            "/Users/%2F",
            "/Users/..",
            "/Users/.",
        ] {
            server.get(path).fails(404, "");
        }
        // A slash at the end is harmless.
        assert_eq!(server.get("/Users/").is(200)["totalResults"], 1);
        assert_eq!(server.get(format!("{}/", made.path())).is(200).text, made.text);
        assert_eq!(server.get("/Users/?count=0").is(200)["totalResults"], 1);
        server.get("/ServiceProviderConfig/").is(200);
        server.create("/Users/", user("bob"));
        server.patch(format!("{}/", made.path()), json!([{"op": "add", "path": "title", "value": "t"}])).is(200);
        // So is an escape that need not be one.
        assert_eq!(server.get(made.path().replace('-', "%2D")).is(200).id(), made.id());
        assert_eq!(server.get("/%55sers").is(200)["totalResults"], 2);
    });
}

#[test]
fn e_15_what_was_ignored_is_not_shown() {
    Setup::default().profile(Profile::tolerant()).on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"colour": "red", "id": "x", "title": ""})));
        assert_eq!(made.keys(), ["id", "meta", "schemas", "userName"]);
    });
}

#[test]
fn au_1_au_7_callers_are_known_before_anything_else_is_looked_at() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let asks = [
            server.get("/Users"),
            server.get(made.path()),
            server.get("/Nothing"),
            server.get("/Users?filter=("),
            server.delete("/Users"),
            server.delete(made.path()),
            server.ask("POST", "/Users").raw("{"),
            server.post("/Users", user("bob")).with("content-type", "text/plain"),
            server.post("/Users", user("bob")).with("content-length", "99999999999"),
            server.put(made.path(), json!({})),
        ];
        for ask in asks {
            let absent = ask.clone().without("authorization").fails(401, "");
            assert_eq!(absent.header("www-authenticate"), Some("Bearer realm=\"scim\""));
            // RFC 6750 section 3.1: no error where the client tried another scheme.
            for other in ["Basic YWNtZTphY21l", "Token acme", "Digest username=\"acme\""] {
                let refused = ask.clone().with("authorization", other).fails(401, "");
                assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"scim\""), "{other}");
            }
            for bad in ["Bearer nobody", "Bearer ", "Bearer", "bearer acme x", "acme", ""] {
                let refused = ask.clone().with("authorization", bad).fails(401, "");
                let challenge = refused.header("www-authenticate");
                assert_eq!(challenge, Some("Bearer realm=\"scim\", error=\"invalid_token\""), "{bad}");
            }
            ask.clone().by("closed").fails(403, "");
            let busy = ask.clone().by("busy").fails(429, "");
            assert_eq!(busy.header("retry-after"), Some("7"));
        }
        server.ask("HEAD", "/Users").without("authorization").is(401);
        for good in ["bearer acme", "BEARER acme", "Bearer   acme"] {
            server.get("/Users").with("authorization", good).is(200);
        }
        assert_eq!(server.get("/Users").is(200).names("userName"), ["ada"], "nobody has written");
    });
}

#[test]
fn au_2_a_caller_may_be_let_in_to_read_only() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        server.get(made.path()).by("reader").is(200);
        server.get("/Users").by("reader").is(200);
        server.put(made.path(), user("bob")).by("reader").fails(403, "");
        server.post("/Users", user("bob")).by("reader").fails(403, "");
        server.delete(made.path()).by("reader").fails(403, "");
    });
}

#[test]
fn au_9_r_43_discovery_is_public_or_not() {
    let paths = ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User"];
    on_every_store(|server| {
        for path in paths {
            server.get(path).without("authorization").is(200);
            server.get(path).by("nobody").is(200);
        }
    });
    Setup { open_discovery: false, ..Setup::default() }.on_every_store(|server| {
        for path in paths {
            server.get(path).without("authorization").fails(401, "");
            server.get(path).by("nobody").fails(401, "");
            server.get(path).is(200);
        }
    });
}

#[test]
fn m_6_sec_1_sec_2_sec_3_tenants_do_not_see_each_other() {
    on_every_store(|server| {
        let body = with(user("ada"), json!({"externalId": "E-1"}));
        let ours = server.create("/Users", body.clone());
        let team = server.create("/Groups", group("team", &[ours.id()]));
        // The same names are free there.
        let theirs = server.post("/Users", body).by("globex").is(201);
        assert_ne!(ours.id(), theirs.id());
        for path in ["/Users", "/Users?filter=externalId+eq+%22E-1%22", "/Users?filter=userName+pr"] {
            let list = server.get(path).by("globex").is(200);
            assert_eq!((list.resources().len(), &list.resources()[0]["id"]), (1, &json!(theirs.id())), "{path}");
        }
        assert_eq!(server.get("/Groups").by("globex").is(200)["totalResults"], 0);
        // What is theirs is not there for us, and says so in the same words.
        let absent = server.get("/Users/nobody").is(404).text;
        for token in ["acme", "globex"] {
            let foreign = if token == "acme" { &theirs } else { &ours };
            assert_eq!(server.get(foreign.path()).by(token).fails(404, "").text, absent);
            server.put(foreign.path(), user("x")).by(token).fails(404, "");
            server.patch(foreign.path(), json!([{"op": "remove", "path": "title"}])).by(token).fails(404, "");
            server.delete(foreign.path()).by(token).fails(404, "");
            let filter = format!("id eq \"{}\"", foreign.id());
            assert_eq!(server.filter("/Users", &filter).by(token).is(200)["totalResults"], 0);
        }
        server.get(team.path()).by("globex").fails(404, "");
        server.post("/Groups", group("theirs", &[ours.id()])).by("globex").fails(400, "invalidValue");
        let join = json!([{"op": "add", "path": "members", "value": [{"value": theirs.id()}]}]);
        server.patch(team.path(), join).fails(400, "invalidValue");
        assert_eq!(server.get(ours.path()).is(200)["userName"], "ada");
        assert_eq!(server.get(theirs.path()).by("globex").is(200)["groups"], Value::Null);
    });
}
