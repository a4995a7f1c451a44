//! Tokens: what they look like, who is let in by them, and where their text never stands.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Answer, Hub, Wire, eventually, replace, text, user};
use ureq::http::Method;

/// A header with a token.
fn bearer(token: &str) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer {token}"))]
}

fn random_part(token: &str) -> String {
    token.strip_prefix("schscim_").unwrap().to_owned()
}

/// Proves: AU-6.
#[test]
fn a_token_is_shown_once_and_has_its_shape() {
    let hub = Hub::new();
    hub.prints("org create acme");
    let made = hub.json("token create --org acme --label okta");
    let token = text(&made, "token");
    let random = random_part(&token);
    // 256 bits in 43 digits of 62 letters, and six digits that check them.
    assert_eq!(random.len(), 43 + 6, "{token}");
    assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
    assert_ne!(text(&hub.json("token create --org acme"), "token"), token);

    let listed = hub.json("token list --org acme");
    assert_eq!(listed[0]["id"], made["id"]);
    assert_eq!(listed[0]["label"], "okta");
    assert_eq!(listed[0]["created"], made["created"]);
    assert_eq!(listed[0]["lastUsed"], Value::Null);
    assert_eq!(listed[0]["revoked"], Value::Null);
    for shown in [listed.to_string(), hub.prints("token list --org acme"), hub.json("org list").to_string()] {
        assert!(!shown.contains(&random[..10]), "{shown}");
    }
    let for_people = hub.prints("token list --org acme");
    assert!(for_people.contains("okta") && for_people.contains("never"), "{for_people}");
}

#[test]
fn two_live_at_a_time_so_that_one_can_replace_the_other() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let new = hub.json("token create --org acme --label new");
    let renewed = acme.client.with_token(&text(&new, "token"));
    acme.client.read("/Users?count=1");
    renewed.read("/Users?count=1");

    let error = hub.refuses("token create --org acme --label third");
    assert!(error.contains(&acme.token_id) && error.contains(new["id"].as_str().unwrap()), "{error}");

    let revoked = hub.json(&format!("token revoke --org acme {}", acme.token_id));
    assert_eq!(revoked["id"], json!(acme.token_id));
    assert!(revoked["revoked"].is_string());
    acme.client.get("/Users?count=1").is_error(401, "");
    renewed.read("/Users?count=1");
    let third = hub.json("token create --org acme --label third");
    acme.client.with_token(&text(&third, "token")).read("/Users?count=1");
    // The old one stays in the list, so that the log can be understood.
    assert_eq!(hub.json("token list --org acme")[0]["revoked"], revoked["revoked"]);
}

/// Proves: AU-6.
#[test]
fn a_token_that_has_expired_is_refused_like_any_bad_one() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let listed = hub.json("token list --org acme");
    let moment = |of: &str| chrono::DateTime::parse_from_rfc3339(&text(&listed[0], of)).unwrap();
    assert_eq!(moment("expires") - moment("created"), chrono::TimeDelta::days(365));
    acme.client.read("/Users?count=1");
    let aged = |created: &str| {
        let (organisation, token) = (&acme.id, &acme.token_id);
        hub.sql(&format!(
            "UPDATE sch_token SET created = '{created}', last_used = NULL WHERE organisation = '{organisation}' AND id = '{token}'"
        ));
        assert_eq!(hub.json("token list --org acme")[0]["created"], created);
    };
    aged("2020-01-01T00:00:00.000Z");
    let refused = acme.client.get("/Users?count=1");
    refused.is_error(401, "");
    let unknown = acme.client.with_token("schscim_wrong").get("/Users?count=1");
    assert_eq!(
        (&refused.text, refused.header("www-authenticate")),
        (&unknown.text, unknown.header("www-authenticate"))
    );
    assert!(server.stderr().contains("an expired token was presented"), "{}", server.stderr());
    // Whoever is about to be refused is told in time.
    let soon = chrono::Utc::now() - chrono::TimeDelta::days(340);
    aged(&soon.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    assert!(!server.stderr().contains("expires soon"));
    acme.client.read("/Users?count=1");
    assert!(server.stderr().contains("expires soon"), "{}", server.stderr());
}

/// Proves: AU-5.
#[test]
fn whoever_has_no_good_token_gets_the_same_401_and_the_log_alone_knows_why() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let whole = &acme.token;
    let revoked = hub.json("token create --org acme");
    hub.prints(&format!("token revoke --org acme {}", text(&revoked, "id")));
    let last = if whole.ends_with('A') { 'B' } else { 'A' };
    let mistyped = format!("{}{last}", &whole[..whole.len() - 1]);
    let cut_off = &whole[..40];
    // What a token of another database looks like: nothing is wrong with it but that nobody here has it.
    let elsewhere = text(
        &{
            let elsewhere = Hub::new();
            elsewhere.prints("org create acme");
            elsewhere.json("token create --org acme")
        },
        "token",
    );

    let ask = |headers: &[(&str, String)]| acme.client.send_raw(Method::GET, "/Users?count=1", headers, None);
    let same = |answer: &Answer| {
        answer.is_error(401, "");
        (answer.text.clone(), answer.header("www-authenticate"), answer.headers.len())
    };
    // RFC 6750 section 3: without credentials of this scheme no error is named.
    for headers in
        [vec![], vec![("authorization", format!("Basic {whole}"))], vec![("authorization", format!("Token {whole}"))]]
    {
        let missing = ask(&headers);
        missing.is_error(401, "");
        assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"scim\"", "{headers:?}");
    }

    let refused = same(&ask(&bearer(&elsewhere)));
    assert!(refused.1.starts_with("Bearer "), "{refused:?}");
    assert!(server.stderr().contains("reason=\"unknown, revoked or expired\""), "{}", server.stderr());
    for (headers, reason) in [
        (bearer(&mistyped), "mistyped"),
        (bearer(cut_off), "cut off"),
        (bearer("secret"), "not a token of this server"),
        (bearer("schscim_0000000000000000"), "cut off"),
        (bearer(&text(&revoked, "token")), "a revoked token was presented"),
    ] {
        let before = server.stderr().matches(reason).count();
        assert_eq!(same(&ask(&headers)), refused, "{reason}");
        assert_eq!(server.stderr().matches(reason).count(), before + 1, "{reason}: {}", server.stderr());
    }
    for headers in [bearer(""), vec![("authorization", whole.clone())]] {
        assert_eq!(same(&ask(&headers)), refused, "{headers:?}");
    }
    // The scheme has no case, and the right token is still one.
    ask(&[("authorization", format!("bearer {whole}"))]).is(200);
    // Whoever looks for the client that sends a bad token needs to know where it is.
    assert!(server.stderr().contains("peer=127.0.0.1:"), "{}", server.stderr());
    for told in [whole.as_str(), &mistyped, cut_off, &elsewhere, "secret", "0000000000000000"] {
        assert!(!server.stderr().contains(told), "{}", server.stderr());
    }
}

#[test]
fn authentication_comes_before_everything_else() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let wrong = client.with_token("schscim_wrong");
    for (method, path, body) in [
        (Method::POST, "/Users", Some("{ this is no JSON")),
        (Method::POST, "/Users", Some("{}")),
        (Method::GET, "/Users?filter=broken", None),
        (Method::GET, "/Users/nobody", None),
        (Method::GET, "/Nothing", None),
        (Method::DELETE, "/Users", None),
        (Method::POST, "/Bulk", Some("{}")),
    ] {
        let headers = bearer("schscim_wrong");
        wrong.send_raw(method.clone(), path, &headers, body).is_error(401, "");
        // With a good token each of them is another mistake.
        let status = client.send_raw(method, path, &bearer(&server.token()), body).status;
        assert!(matches!(status, 400 | 404 | 405 | 501), "{path}: {status}");
    }
    wrong.send_raw(Method::POST, "/Users", &bearer("schscim_wrong"), Some(&" ".repeat(5 << 20))).is_error(401, "");
    let statuses: Vec<_> = hub.log("default").iter().map(|entry| entry["status"].clone()).collect();
    assert_eq!(statuses, [400, 400], "the two bad users that came with a good token");
}

#[test]
fn discovery_is_for_everybody_unless_it_is_not() {
    let hub = Hub::new();
    let paths = ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User", "/openapi.json"];
    let server = hub.serve("");
    let token = server.token();
    for path in paths {
        server.client("").send_raw(Method::GET, path, &[], None).is(200);
        server.client("schscim_wrong").get(path).is(200);
    }
    drop(server);
    let server = hub.serve("--discovery token");
    for path in paths {
        server.client("").send_raw(Method::GET, path, &[], None).is_error(401, "");
        server.client(&token).read(path);
    }
}

#[test]
fn the_description_is_where_the_settings_say() {
    let hub = Hub::new();
    let server = hub.serve("");
    let description = server.first_client().read("/openapi.json");
    let base = text(&description["servers"][0], "url");
    assert!(base.ends_with("/api/sch/scim/v2") && base.contains(&server.listen().to_string()), "{base}");
    assert!(description["paths"]["/Users/{id}"]["patch"].is_object(), "{description}");
    let token = server.token();
    drop(server);
    for (flags, there, statuses) in
        [("--openapi /scim.json", "/scim.json", [200, 404]), ("--openapi off", "/scim.json", [404, 404])]
    {
        let server = hub.serve(flags);
        let status = |path: &str| server.client(&token).get(path).status;
        assert_eq!([status(there), status("/openapi.json")], statuses, "{flags}");
    }
}

/// Proves: AU-5.
#[test]
fn revocation_reaches_a_connection_that_is_open() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let request = format!(
        "GET /api/sch/scim/v2/Users?count=1 HTTP/1.1\r\nhost: hub.example\r\nauthorization: Bearer {}\r\n\r\n",
        acme.token
    );
    let mut open = Wire::open(&server);
    for _ in 0..3 {
        open.write(&request);
        assert_eq!(open.answer().0, 200);
    }
    hub.prints(&format!("token revoke --org acme {}", acme.token_id));
    open.write(&request);
    let (status, body) = open.answer();
    assert_eq!(status, 401, "{body}");
}

#[test]
fn the_last_use_is_noted() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let other = hub.json("token create --org acme --label idle");
    acme.client.read("/Users");
    let tokens = eventually("the use of the token is noted", || {
        let tokens = hub.json("token list --org acme");
        tokens[0]["lastUsed"].is_string().then_some(tokens)
    });
    assert!(text(&tokens[0], "lastUsed") >= text(&tokens[0], "created"));
    assert_eq!(tokens[1]["id"], other["id"]);
    assert_eq!(tokens[1]["lastUsed"], Value::Null);
}

/// Proves: SEC-4.
#[test]
fn no_secret_is_stored_or_told() {
    let hub = Hub::new();
    // Everything that any part of the server would ever log.
    let mut server = hub.start(hub.program("serve --json --listen 127.0.0.1:0").env("RUST_LOG", "trace"));
    let acme = hub.organisation(&server, "acme", "");
    let client = &acme.client;
    let password = "Correct-Horse-77";

    let mut ada = user("ada@acme.example");
    ada["password"] = password.into();
    ada["displayName"] = "Ada-Whole-Body".into();
    let id = client.make("/Users", &ada);
    let path = format!("/Users/{id}");
    assert!(!client.get(&path).text.contains(password));
    client.put(&path, &ada).is(200);
    client.patch(&path, &replace("password", password)).is_done();
    let without_path = support::patch(json!([{"op": "replace", "value": {"password": password, "title": "x"}}]));
    client.patch(&path, &without_path).is_done();
    // Requests that fail after the password was read, in as many ways.
    client.post("/Users", &ada).is_error(409, "uniqueness");
    let mut broken = ada.clone();
    broken["active"] = password.into();
    client.post("/Users", &broken).is_error(400, "invalidValue");
    client.put(&path, &broken).is_error(400, "invalidValue");
    client.patch(&path, &replace("active", password)).is_error(400, "invalidValue");
    client.patch(&path, &replace(&format!("emails[{password}"), "x")).is(400);
    client.patch(&path, &replace("password", json!([password]))).is_error(400, "invalidValue");
    let headers = bearer(&acme.token);
    client.send_raw(Method::POST, "/Users", &headers, Some(&format!("{{\"password\":\"{password}\""))).is(400);
    client.get(&format!("/Users?{}", support::filter(&format!("password eq \"{password}\"")))).is(403);
    client.get(&format!("/Users/{password}")).is(404);
    client.with_token(&acme.token[..50]).get("/Users").is(401);

    let log = hub.prints("log --org acme --json") + &hub.prints("log --org acme");
    assert!(log.contains(&acme.token_id) && log.contains(&id));
    assert_eq!(hub.log("acme").iter().filter(|entry| entry["status"] == 400).count(), 6);
    let told = server.stderr();
    assert!(told.contains("cut off"), "{told}");
    let (random, first_random) = (random_part(&acme.token), random_part(&server.token()));
    for secret in [password, &random, &random[..16], &first_random, "Ada-Whole-Body", "ada@acme.example", "Nowak"] {
        assert!(!log.contains(secret), "{secret}: {log}");
        assert!(!told.contains(secret), "{secret}: {told}");
    }

    // In the write-ahead log as well as, later, in the database itself.
    let digest = Sha256::digest(acme.token.as_bytes());
    let on_disk = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    let check = || {
        let bytes = hub.bytes_on_disk();
        assert!(on_disk(&bytes, b"ada@acme.example") && on_disk(&bytes, acme.token_id.as_bytes()));
        assert!(on_disk(&bytes, &digest), "the token is kept as its SHA-256");
        for secret in [password, &random, &random[..16], &first_random] {
            assert!(!on_disk(&bytes, secret.as_bytes()), "{secret}");
        }
    };
    assert!(hub.url().is_some() || hub.path().join("securecodinghub.db-wal").exists());
    check();
    server.terminate();
    assert!(server.ends().success());
    check();
}

#[test]
fn a_database_that_cannot_be_read_is_503_and_never_401() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    hub.sql("ALTER TABLE sch_organisation RENAME TO away");
    // A provider that reads 401 stops and asks for a new token; after 503 it tries again.
    let refused = client.get("/Users?count=1");
    refused.is_error(503, "");
    assert_ne!(refused.header("retry-after"), "");
    assert!(!refused.text.contains("sch_organisation") && !refused.text.contains("SQL"), "{}", refused.text);
    hub.sql("ALTER TABLE away RENAME TO sch_organisation");
    client.read("/Users?count=1");
}

/// Who opens a request while his token is good has not written by that: the body counts, and by then the token must be good.
#[test]
fn a_token_that_is_revoked_before_the_body_arrives_writes_nothing() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let other = hub.json("token create --org acme --label other");
    let body = user("eve@acme.example").to_string();
    let mut wire = Wire::open(&server);
    wire.write(&format!(
        "POST /api/sch/scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/scim+json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        acme.token,
        body.len()
    ));
    // The server wants the body: it has let the caller in.
    assert_eq!(wire.answer().0, 100);
    hub.prints(&format!("token revoke --org acme {}", acme.token_id));
    wire.write(&body);
    let (status, answer) = wire.answer();
    assert_eq!(status, 401, "{answer}");
    assert_eq!(server.client(&text(&other, "token")).count("/Users"), 0);
}
