//! Whatever comes in, a SCIM error goes out: never a panic, never a 5xx. What an error looks like is checked in every
//! answer.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::Profile;
use scimwright_core::{Admit, urns};
use scimwright_service::Limits;
use scimwright_tests::{Ask, GADGET, Server, Setup, gadget, group, user, with};
use serde_json::{Value, json};

/// The checks hold for a strict and for a tolerant profile, over both stores.
fn on_every_server(check: impl Fn(&Server)) {
    for profile in [Profile::strict(), Profile::tolerant()] {
        Setup::default().profile(profile).on_every_store(&check);
    }
}

/// A client's error, whichever.
#[track_caller]
fn refused(ask: Ask<'_>) {
    let answer = ask.send();
    assert!((400..500).contains(&answer.status), "{}: {:.300}", answer.status, answer.text);
    assert!(answer.text.len() < 2000, "an error is short, not {} bytes", answer.text.len());
}

/// A client's error, or an answer; either is right, as long as it comes.
#[track_caller]
fn answered(ask: Ask<'_>) {
    let answer = ask.send();
    assert!((200..500).contains(&answer.status), "{}: {:.300}", answer.status, answer.text);
}

/// Every request that has a body.
fn bodies<'s>(server: &'s Server, path: &str, body: &str) -> [Ask<'s>; 5] {
    [("POST", "/Users"), ("POST", "/Groups"), ("PUT", path), ("PATCH", path), ("POST", "/Users/.search")]
        .map(|(method, path)| server.ask(method, path).raw(body.to_owned()))
}

/// Proves: ER-11, SEC-9.
#[test]
fn deep_json() {
    on_every_server(|server| {
        let made = server.create("/Users", user("ada"));
        for depth in [200, 10_000, 500_000] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"name\":", "}"), ("[{\"emails\":", "}]")] {
                let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let (unclosed, known) =
                    (open.repeat(depth), format!("{{\"schemas\":[\"{}\"],\"emails\":{deep}}}", urns::USER));
                for body in [deep, unclosed, known] {
                    bodies(server, made.path(), &body).into_iter().for_each(|ask| refused(ask));
                }
            }
        }
        // As deep as it is let in.
        let deep = (0..100).fold(json!("x"), |inner, _| json!([inner]));
        for name in ["emails", "name", "title", "bogus", urns::ENTERPRISE_USER] {
            answered(server.post("/Users", with(user("deep"), json!({name: deep}))));
            answered(server.patch(made.path(), json!([{"op": "add", "value": {name: deep}}])));
            answered(server.patch(made.path(), json!([{"op": "replace", "path": name, "value": deep}])));
        }
    });
}

/// Proves: ER-11, SEC-9.
#[test]
fn deep_and_long_filters_and_paths() {
    on_every_server(|server| {
        let made = server.create("/Users", user("ada"));
        let deep = |open: &str, inner: &str, close: &str, depth: usize| {
            format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
        };
        let filters = [
            deep("(", "title pr", ")", 5000),
            deep("(", "", "", 5000),
            deep("not (", "title pr", ")", 3000),
            deep("emails[", "type pr", "]", 3000),
            deep("title pr and (", "title pr", ")", 1500),
            vec!["title pr"; 1500].join(" or "),
            vec!["title pr"; 1500].join(" and not (title pr) or "),
            format!("title eq \"{}\"", "x".repeat(20_000)),
            format!("{} pr", "a".repeat(20_000)),
            format!("{}:a pr", vec!["urn"; 5000].join(":")),
            format!("{} pr", vec!["a"; 5000].join(".")),
            format!("title eq {}", "1".repeat(20_000)),
            format!("title eq \"{}\"", "\\u0061".repeat(3000)),
            " ".repeat(20_000),
            "\"".repeat(20_000),
        ];
        for filter in &filters {
            if filter.len() * 3 < 60_000 {
                refused(server.filter("/Users", filter));
            }
            refused(server.post("/Users/.search", json!({"schemas": [urns::SEARCH_REQUEST], "filter": filter})));
            for path in
                [filter.clone(), format!("emails[{filter}]"), format!("emails[{filter}].value"), format!("{filter}.x")]
            {
                for op in ["add", "remove", "replace"] {
                    let mut operation = json!({"op": op, "path": path, "value": "x"});
                    if op == "remove" {
                        operation.as_object_mut().unwrap().remove("value");
                    }
                    refused(server.patch(made.path(), json!([operation])));
                }
            }
            answered(server.patch(made.path(), json!([{"op": "add", "value": {filter: "x"}}])));
        }
        let names = |count: usize| format!("{}?attributes={}", made.path(), vec!["userName"; count].join(","));
        server.get(names(500)).is(200);
        refused(server.get(names(501)));
        server.get(format!("/Users?excludedAttributes={}", ",".repeat(60_000))).is(200);
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

/// Proves: ER-11, SEC-9.
#[test]
fn many_operations_and_many_values() {
    on_every_server(|server| {
        let made = server.create("/Users", user("ada"));
        let operations = |count: usize| vec![json!({"op": "replace", "path": "title", "value": "t"}); count];
        let limit = Limits::default().max_patch_operations;
        refused(server.patch(made.path(), operations(10_001).into()));
        refused(server.patch(made.path(), operations(limit + 1).into()));
        server.patch(made.path(), operations(limit).into()).is(200);
        let emails = |count: usize| {
            let email = |at: usize| json!({"value": format!("{at}@x.example"), "type": "work"});
            with(user("many"), json!({"emails": (0..count).map(email).collect::<Value>()}))
        };
        refused(server.post("/Users", emails(20_000)));
        refused(server.post("/Users", emails(Admit::MAX_VALUES + 1)));
        let many = server.create("/Users", emails(Admit::MAX_VALUES));
        let one = json!([{"op": "add", "path": "emails", "value": {"value": "one more"}}]);
        refused(server.patch(many.path(), one));
        assert_eq!(server.get(many.path()).is(200).text, many.text);
        let primaries: Vec<Value> = (0..20_000).map(|at| json!({"value": at.to_string(), "primary": true})).collect();
        answered(server.post("/Users", with(user("primaries"), json!({"emails": primaries}))));
        let same = vec![json!({"value": "nobody"}); 20_000];
        answered(server.post("/Groups", with(group("many", &[]), json!({"members": same}))));
        let strangers: Vec<Value> = (0..20_000).map(|at| json!({"value": at.to_string()})).collect();
        answered(server.post("/Groups", with(group("strangers", &[]), json!({"members": strangers}))));
        let schemas = vec![urns::USER; 20_000];
        assert_eq!(
            server.create("/Users", with(user("schemas"), json!({"schemas": schemas})))["schemas"],
            json!([urns::USER])
        );
        let wide: Value = (0..20_000).map(|at| (format!("a{at}"), json!(at))).collect::<serde_json::Map<_, _>>().into();
        answered(server.post("/Users", with(user("wide"), wide)));
    });
}

/// Proves: ER-11.
#[test]
fn huge_numbers() {
    on_every_server(|server| {
        let made = server.create("/Gadgets", gadget("arm"));
        let nines = "9".repeat(400);
        for number in [
            "1e400",
            "-1e400",
            "1e999999999",
            nines.as_str(),
            "-0",
            "0.0000000000000000000000000000000000001e-400",
            "1E+2",
        ] {
            for name in ["ports", "weight", "readings", "name", "enabled", "location", "bogus"] {
                let label = if name == "name" { String::new() } else { format!(r#""name":"{name} {number}","#) };
                let body = format!(r#"{{"schemas":["{GADGET}"],{label}"{name}":{number}}}"#);
                answered(server.ask("POST", "/Gadgets").raw(body));
                let operation = format!(r#"{{"op":"replace","path":"{name}","value":{number}}}"#);
                let patch = format!(r#"{{"schemas":["{}"],"Operations":[{operation}]}}"#, urns::PATCH_OP);
                answered(server.ask("PATCH", made.path()).raw(patch));
                for op in ["eq", "gt", "co"] {
                    answered(server.filter("/Gadgets", &format!("{name} {op} {number}")));
                }
            }
            answered(server.get(format!("/Gadgets?count={number}").replace('+', "%2B")));
            let page = format!(r#""startIndex":{number},"count":{number}"#);
            let search = format!(r#"{{"schemas":["{}"],{page}}}"#, urns::SEARCH_REQUEST);
            answered(server.ask("POST", "/Gadgets/.search").raw(search));
        }
        for query in [
            "count=-9223372036854775808",
            "startIndex=-9223372036854775809",
            "startIndex=18446744073709551615&count=18446744073709551615",
        ] {
            server.get(format!("/Gadgets?{query}")).is(200);
        }
        refused(server.ask("POST", "/Gadgets").raw(with(gadget("n"), json!({})).to_string().replace("\"n\"", "1e400")));
    });
}

#[test]
fn names_that_are_given_twice() {
    on_every_server(|server| {
        let made = server.create("/Users", user("ada"));
        let twice = [
            json!({"userName": "a", "USERNAME": "b"}),
            json!({"name": {"givenName": "a", "GivenName": "b"}}),
            json!({"emails": [{"value": "a", "Value": "b"}]}),
            json!({"Schemas": [urns::USER], "SCHEMAS": [urns::USER]}),
            json!({urns::ENTERPRISE_USER: {"costCenter": "a"}, urns::ENTERPRISE_USER.to_uppercase(): {"costCenter": ""}}),
            json!({urns::ENTERPRISE_USER: {"department": "a", "DEPARTMENT": "b"}}),
        ];
        for more in twice {
            let body = with(user("bob"), more.clone());
            server.post("/Users", body.clone()).fails(400, "invalidSyntax");
            server.put(made.path(), body).fails(400, "invalidSyntax");
            if more.get("Schemas").is_none() {
                refused(server.patch(made.path(), json!([{"op": "add", "value": more}])));
            }
        }
        let operations = json!([{"op": "remove", "path": "title"}]);
        let patch = json!({"schemas": [urns::PATCH_OP], "SCHEMAS": [urns::PATCH_OP], "Operations": operations});
        refused(server.ask("PATCH", made.path()).json(&patch));
        refused(server.patch(made.path(), json!([{"op": "remove", "OP": "add", "path": "title"}])));
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

/// Proves: ER-11.
#[test]
fn bytes_that_are_no_text() {
    on_every_server(|server| {
        let made = server.create("/Users", user("ada"));
        let body = |bytes: &[u8]| {
            [b"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"", bytes, b"\"}"].concat()
        };
        for bytes in [
            &b"\xff"[..],
            b"\xc3",
            b"\xed\xa0\x80",
            b"\xf5\x80\x80\x80",
            b"\\ud800",
            b"\\udc00\\ud800",
            b"\x00",
            b"\x1f",
            b"\\x",
        ] {
            for (method, path) in [("POST", "/Users"), ("PUT", made.path()), ("PATCH", made.path())] {
                refused(server.ask(method, path).raw(body(bytes)));
            }
        }
        let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [utf16, vec![0; 100], vec![0xff; 100], b"\x1f\x8b\x08\x00".to_vec()] {
            refused(server.ask("POST", "/Users").raw(bytes));
        }
        for path in [
            "/Users/%ff",
            "/%ff",
            "/Users/%c3%28",
            "/Schemas/%ff",
            "/ResourceTypes/%ed%a0%80",
            "/Users/%",
            "/Users/%2",
            "/Users/%zz",
        ] {
            server.get(path).fails(404, "");
        }
        for query in
            ["filter=%ff", "filter=userName+eq+%22%ff%22", "count=%ff", "attributes=%ff", "filter=%00", "filter=%"]
        {
            answered(server.get(format!("/Users?{query}")));
        }
        refused(server.get("/Users?filter=%ff"));
    });
}

#[test]
fn stray_paths() {
    on_every_server(|server| {
        let made = server.create("/Users", user("ada"));
        let long = format!("/Users/{}", "x".repeat(50_000));
        for path in [
            "//Users",
            "/Users//",
            "/Users///x",
            "///",
            "/Users/%2e%2e",
            "/Users/../Users",
            "/Users/%2F..%2FUsers",
            "/Users/a%2Fb",
            "/Users/%00",
            "/Users;a=b",
            "/Users%3Fcount=1",
            "/Users%20",
            "/%20Users",
            "/Users/\\",
            "/.search/",
            "/Users/.search/x",
            "/Users/.Search",
            &long,
            "/Users/%252e",
            "/U%00sers",
            "/Users/*",
            "/Schemas/..%2F..%2Fetc%2Fpasswd",
            "/~",
            "/Users/-1",
        ] {
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let answer = server.ask(method, path).json(&user("x")).send();
                let status = answer.status;
                assert!(
                    matches!(status, 404 | 405) || path == "/.search/" && status == 501,
                    "{method} {path:.50}: {status}"
                );
            }
        }
        let slashes = made.path().replace('/', "//");
        server.get(slashes).fails(404, "");
        assert_eq!(server.get(format!("/Users/{}", made.id().replace('-', "%2d"))).is(200).id(), made.id());
        assert_eq!(server.get("/Users").is(200)["totalResults"], 1);
    });
}

/// Proves: ER-11.
#[test]
fn odd_headers() {
    on_every_server(|server| {
        let made = server.create("/Users", user("ada"));
        let long = "x".repeat(60_000);
        for name in
            ["authorization", "if-match", "if-none-match", "accept", "content-type", "content-length", "x-anything"]
        {
            for value in [
                &b"\xff\xfe"[..],
                b"",
                b"\t",
                b"\"",
                b"W/",
                b"W/\"",
                b"*, *",
                b",,,,",
                b"\"\xc3\xa9\"",
                b"-1",
                b"0x10",
                long.as_bytes(),
            ] {
                for ask in
                    [server.get(made.path()), server.put(made.path(), user("ada")), server.delete("/Users/nobody")]
                {
                    answered(ask.clone().without(name).also(name, value));
                    answered(ask.also(name, value));
                }
            }
        }
        let tags = vec!["\"x\""; 15_000].join(",");
        server.put(made.path(), user("ada")).with("if-match", &tags).fails(412, "");
        server.put(made.path(), user("ada")).with("if-match", &format!("{tags},{}", made.etag())).is(200);
        // Two callers are none: the first line counts, and both are looked at by nobody else.
        server.get("/Users").by("nobody").also("authorization", b"Bearer acme").fails(401, "");
        server.get("/Users").with("x-http-method-override", "DELETE").is(200);
        server.post("/Users", user("bob")).with("transfer-encoding", "chunked").is(201);
        server.get(made.path()).with("range", "bytes=0-1").is(200);
        server.get(made.path()).with("expect", "100-continue").is(200);
    });
}

#[test]
fn text_with_a_nul_in_it_is_text() {
    on_every_server(|server| {
        for (name, external) in [("a", "x\u{0}a"), ("b", "x\u{0}b"), ("c", "x")] {
            let more = json!({"externalId": external, "title": external, "emails": [{"value": external}]});
            server.create("/Users", with(user(name), more));
        }
        for attribute in ["externalId", "title", "emails.value"] {
            assert_eq!(server.found(&format!("{attribute} eq \"x\\u0000a\"")), ["a"], "{attribute}");
            assert_eq!(server.found(&format!("{attribute} eq \"x\"")), ["c"], "{attribute}");
            assert_eq!(server.found(&format!("{attribute} sw \"x\\u0000\"")), ["a", "b"], "{attribute}");
            assert_eq!(server.found(&format!("{attribute} ew \"b\"")), ["b"], "{attribute}");
            assert_eq!(server.found(&format!("{attribute} gt \"x\\u0000a\"")), ["b"], "{attribute}");
        }
        server.create("/Groups", group("g\u{0}1", &[]));
        server.create("/Groups", group("g\u{0}2", &[]));
        assert_eq!(server.filter("/Groups", "displayName eq \"g\\u0000\\u0031\"").is(200)["totalResults"], 1);
    });
}
