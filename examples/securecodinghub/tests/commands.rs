//! The commands beside a running server, the settings, and how a server starts and stops.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Hub, Server, Wire, eventually, named, text, user};

fn keys(json: &Value) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What a plain GET outside the SCIM endpoint is answered.
fn plain(server: &Server, path: &str) -> (u16, String) {
    let mut wire = Wire::open(server);
    wire.write(&format!("GET {path} HTTP/1.1\r\nhost: hub.example\r\n\r\n"));
    wire.answer()
}

/// Whether nobody listens there any more.
fn is_refused(listen: &str) -> bool {
    TcpStream::connect(listen).is_err()
}

#[test]
fn every_command_works_beside_a_running_server_and_speaks_json() {
    let hub = Hub::new();
    let server = hub.serve("");

    let made = hub.json("org create acme --seats 5 --profile okta --edition second");
    assert_eq!(keys(&made), ["closed", "created", "deletion", "id", "linking", "name", "profile", "scim", "seats"]);
    assert_eq!((&made["seats"], &made["profile"]), (&json!(5), &json!("okta")));
    assert_eq!((&made["linking"], &made["deletion"]), (&json!("reactivate"), &json!("deactivate")));
    let token = hub.json("token create --org acme --label okta");
    assert_eq!(
        keys(&token),
        ["created", "expires", "id", "label", "lastUsed", "organisation", "revoked", "scope", "token"]
    );
    let client = server.client(&text(&token, "token"));
    client.make("/Users", &user("ada@acme.example"));

    let added = hub.json("user add --org acme --email ben@acme.example");
    assert_eq!(keys(&added), ["email", "id", "organisation"]);
    assert_eq!(client.read(&format!("/Users/{}", text(&added, "id")))["userName"], "ben@acme.example");

    let set = hub.json("org set acme --seats 2 --profile tolerant --linking link --deletion remove");
    assert_eq!((&set["seats"], &set["linking"], &set["deletion"]), (&json!(2), &json!("link"), &json!("remove")));
    client.post("/Users", &user("third@acme.example")).is_error(403, "");
    let names: Vec<Value> =
        hub.json("org list").as_array().unwrap().iter().map(|organisation| organisation["name"].clone()).collect();
    assert_eq!(names, ["acme", "default"]);

    let listed = hub.json("token list --org acme");
    assert_eq!(keys(&listed[0]), ["created", "expires", "id", "label", "lastUsed", "revoked", "scope"]);
    let revoked = hub.json(&format!("token revoke --org acme {}", text(&token, "id")));
    assert!(revoked["revoked"].is_string());
    client.get("/Users").is_error(401, "");

    let log = hub.log("acme");
    assert_eq!(log.len(), 3);
    assert_eq!((&log[0]["actor"], &log[0]["operation"]), (&token["id"], &json!("create")));
    assert_eq!((&log[1]["actor"], &log[1]["target"]["id"]), (&json!("admin"), &added["id"]));
    assert_eq!(log[2]["status"], 403);
    // For people the same in words.
    for (line, words) in [
        ("org list", vec!["acme", "default", "SEATS"]),
        ("org set acme --seats 3", vec!["acme", "3"]),
        ("org create globex", vec!["globex", "none"]),
        ("token create --org globex", vec!["schscim_", "this once"]),
        ("token list --org acme", vec!["okta", "EXPIRES", "LAST USED"]),
        ("user add --org globex --email own@globex.example", vec!["own@globex.example", "globex"]),
        ("log --org acme", vec!["create", "201", "403", "admin", "eat limit reached"]),
    ] {
        let printed = hub.prints(line);
        for word in words {
            assert!(printed.contains(word), "{line}: {printed}");
        }
    }
}

#[test]
fn the_log_is_read_in_parts() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    for number in 0..7 {
        client.make("/Users", &named(&format!("user {number}")));
    }
    let positions = |flags: &str| -> Vec<u64> {
        let printed = hub.prints(&format!("log --org default --json {flags}"));
        printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64().unwrap()).collect()
    };
    assert_eq!(positions(""), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(positions("--after 5"), [6, 7]);
    assert_eq!(positions("--limit 2"), [1, 2]);
    assert_eq!(positions("--after 3 --limit 2"), [4, 5]);
    assert_eq!(positions("--limit 0"), [0_u64; 0]);
    assert_eq!(positions("--after 7"), [0_u64; 0]);
    assert_eq!(positions("--after 18446744073709551615"), [0_u64; 0]);

    // More than a page of it, to a reader who has seen enough after the first line.
    hub.hand("default").make_many(2000);
    assert_eq!(positions("").len(), 2007);
    let mut command = hub.program("log --org default --json");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(error, "");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_mistake_is_told_in_words_and_changes_nothing() {
    let hub = Hub::new();
    hub.prints("org create acme");
    for (line, words) in [
        ("org create ACME", "there is an organisation"),
        ("org set globex --seats 1", "there is no organisation `globex`"),
        ("token create --org globex", "there is no organisation `globex`"),
        ("token list --org globex", "there is no organisation `globex`"),
        ("token revoke --org acme tk_nothing", "has no token `tk_nothing`"),
        ("user add --org globex --email ada@corp.example", "there is no organisation `globex`"),
        ("user add --org acme --email ada", "`ada` is not an e-mail address"),
        ("user add --org acme --email ada@localhost", "`ada@localhost` is not an e-mail address"),
        ("user add --org acme --email @corp.example", "`@corp.example` is not an e-mail address"),
        ("log --org globex", "there is no organisation `globex`"),
    ] {
        let error = hub.refuses(line);
        assert!(error.contains(words), "{line}: {error}");
        assert_eq!(hub.refuses(&format!("{line} --json")), error, "mistakes are for people in any case");
    }
    assert_eq!(hub.json("org list").as_array().unwrap().len(), 1);
    assert_eq!(hub.json("token list --org acme"), json!([]));
    assert_eq!(hub.log("acme").len(), 0);
}

#[test]
fn only_a_fresh_database_gets_an_organisation_and_a_token() {
    let hub = Hub::new();
    let server = hub.serve("");
    let greeting = server.greeting().clone();
    assert_eq!(keys(&greeting), ["base", "database", "listen", "organisation", "token"]);
    assert_eq!(greeting["organisation"], "default");
    assert_eq!(greeting["base"], format!("http://{}/api/sch/scim/v2", server.listen()));
    let id = server.first_client().make("/Users", &user("ada@corp.example"));
    drop(server);

    let server = hub.serve("");
    assert_eq!(keys(server.greeting()), ["base", "database", "listen"]);
    server.client(&text(&greeting, "token")).read(&format!("/Users/{id}"));
    assert_eq!(hub.json("token list --org default").as_array().unwrap().len(), 1);
}

#[test]
fn two_servers_on_one_database_agree() {
    let hub = Hub::new();
    let first = hub.serve("--rate-limit 25/s");
    let second = hub.serve("");
    let acme = hub.organisation(&first, "acme", "--seats 1");
    let elsewhere = second.client(&acme.token);
    let id = acme.client.make("/Users", &user("ada@corp.example"));
    assert_eq!(elsewhere.read(&format!("/Users/{id}"))["userName"], "ada@corp.example");
    elsewhere.post("/Users", &user("ADA@corp.example")).is_error(409, "uniqueness");
    elsewhere.post("/Users", &user("ben@corp.example")).is_error(403, "");
    elsewhere.delete(&format!("/Users/{id}")).is(204);
    acme.client.get(&format!("/Users/{id}")).is_error(404, "");
    hub.prints(&format!("token revoke --org acme {}", acme.token_id));
    acme.client.get("/Users").is_error(401, "");
    elsewhere.get("/Users").is_error(401, "");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let hub = Hub::new();
    let server = hub.serve("");
    let error = Hub::new().refuses(&format!("serve --listen {}", server.listen()));
    assert!(error.contains(&server.listen()) && error.contains("--listen"), "{error}");
}

#[test]
fn what_lies_outside_and_what_nobody_knows() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    let (status, page) = plain(&server, "/");
    assert_eq!(status, 200);
    assert!(page.contains("/api/sch/scim/v2"), "{page}");
    for outside in ["/nothing", "/Users", "/api", "/api/sch/scim", "/api/sch/scim/v20/Users", "/api/sch/scim/v3/Users"]
    {
        let (status, body) = plain(&server, outside);
        assert_eq!(status, 404, "{outside}");
        assert!(!body.contains("urn:ietf:params:scim"), "{outside}: {body}");
    }
    for below in ["/Nothing", "/Users/1/2", "/users", "/Groups//"] {
        client.get(below).is_error(404, "");
        client.with_token("wrong").get(below).is_error(401, "");
    }
    // The base itself is a query over everything.
    for base in ["", "/"] {
        assert_eq!(client.read(base)["totalResults"], 0);
        client.with_token("wrong").get(base).is_error(401, "");
    }
    // Announced is what is true.
    let config = client.read("/ServiceProviderConfig");
    for (feature, supported) in [("patch", true), ("filter", true), ("changePassword", false), ("etag", true)] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    client.get("/Me").is_error(501, "");
    let types: Vec<String> =
        client.read("/ResourceTypes")["Resources"].as_array().unwrap().iter().map(|each| text(each, "name")).collect();
    assert_eq!(support::sorted(&types.iter().map(String::as_str).collect::<Vec<_>>()), ["Group", "User"]);
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
}

#[test]
fn health_and_readiness_are_told_without_a_token() {
    let hub = Hub::new();
    let server = hub.serve("");
    assert_eq!(plain(&server, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(plain(&server, "/readyz"), (200, "ready\n".to_owned()));
    hub.sql("ALTER TABLE sch_organisation RENAME TO away");
    // The process is well: it is the database that cannot be read, so nobody needs to restart the server.
    assert_eq!(plain(&server, "/healthz").0, 200);
    let (status, body) = plain(&server, "/readyz");
    assert_eq!(status, 503);
    assert!(!body.contains("sch_organisation"), "{body}");
    hub.sql("ALTER TABLE away RENAME TO sch_organisation");
    assert_eq!(plain(&server, "/readyz").0, 200);
}

/// A POST of which all but the last byte is sent.
fn under_way(server: &Server, email: &str) -> (Wire, String) {
    let body = user(email).to_string();
    let (begin, end) = body.split_at(body.len() - 1);
    let mut wire = Wire::open(server);
    wire.write(&format!(
        "POST /api/sch/scim/v2/Users HTTP/1.1\r\nhost: hub.example\r\nauthorization: Bearer {}\r\n\
         content-type: application/scim+json\r\ncontent-length: {}\r\n\r\n{begin}",
        server.token(),
        body.len()
    ));
    (wire, end.to_owned())
}

#[test]
fn a_server_that_is_told_to_stop_finishes_what_was_begun() {
    for signal in [Signal::TERM, Signal::INT] {
        let hub = Hub::new();
        let mut server = hub.serve("");
        let (mut wire, rest) = under_way(&server, "ada@corp.example");
        let mut idle = Wire::open(&server);
        idle.write("GET /healthz HTTP/1.1\r\nhost: hub.example\r\n\r\n");
        assert_eq!(idle.answer().0, 200);
        // A request that is answered after the one above was sent: the server has begun with that one.
        server.first_client().read("/Users?count=0");

        server.signal(signal);
        let listen = server.listen();
        eventually("nobody new is let in", || is_refused(&listen).then_some(()));
        // Who has nothing under way is not waited for.
        assert!(idle.is_closed());
        assert!(!server.has_ended(), "one request is still under way");

        wire.write(&rest);
        let (status, body) = wire.answer();
        assert_eq!(status, 201, "{body}");
        assert!(wire.is_closed());
        assert_eq!(server.ends().code(), Some(0));
        assert!(server.stderr().contains("draining"), "{}", server.stderr());

        let made: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(hub.last_entry("default")["target"]["id"], made["id"]);
    }
}

#[test]
fn a_request_that_never_ends_is_cut_off_when_the_time_is_over() {
    let hub = Hub::new();
    let mut server = hub.serve("--drain-seconds 1");
    let (_wire, _rest) = under_way(&server, "ada@corp.example");
    server.first_client().read("/Users?count=0");
    server.terminate();
    assert_eq!(server.ends().code(), Some(0));
    assert!(server.stderr().contains("cut off"), "{}", server.stderr());
    assert_eq!(hub.log("default").len(), 0);
}

#[test]
fn whoever_asks_twice_does_not_wait() {
    let hub = Hub::new();
    let mut server = hub.serve("--drain-seconds 3600");
    let (_wire, _rest) = under_way(&server, "ada@corp.example");
    server.first_client().read("/Users?count=0");
    server.terminate();
    eventually("the server drains", || server.stderr().contains("draining").then_some(()));
    assert!(!server.has_ended());
    server.signal(Signal::INT);
    assert_eq!(server.ends().code(), Some(0));
}

#[test]
fn a_server_can_be_stopped_as_soon_as_it_has_greeted() {
    let hub = Hub::new();
    for round in 0..20 {
        let mut server = hub.serve("");
        server.terminate();
        assert_eq!(server.ends().code(), Some(0), "round {round}");
    }
}
