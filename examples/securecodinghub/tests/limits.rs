//! Limits: how fast, how large, how long.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Answer, Client, Hub, Wire, at_once, eventually, join, named, replace, team, user};

/// Sends until the organisation is told to wait.
#[track_caller]
fn until_refused(what: &str, mut send: impl FnMut() -> Answer) -> Answer {
    eventually(what, || Some(send()).filter(|answer| answer.status == 429))
}

#[test]
fn who_sends_too_much_is_told_when_to_come_back_and_nothing_is_changed() {
    let hub = Hub::new();
    let server = hub.serve("--rate-limit 25/s:25");
    let acme = hub.organisation(&server, "acme", "");
    let globex = hub.organisation(&server, "globex", "");
    let (mut made, mut round) = (0, 0);
    let refused = eventually("eighty at once are too many", || {
        round += 1;
        // From four threads: a single one might be slower than the limit on a busy machine.
        let answers = at_once(4, |thread| {
            let post = |number| acme.client.post("/Users", &named(&format!("{round} {thread} {number}")));
            (0..20).map(post).collect::<Vec<_>>()
        });
        let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().flatten().partition(|answer| answer.status == 201);
        made += done.len();
        (!refused.is_empty()).then_some(refused)
    });
    assert!(made >= 25, "{made}");
    for refused in refused {
        refused.is_error(429, "");
        // Whole seconds, and one is enough where 25 pass in each.
        assert_eq!(refused.header("retry-after"), "1");
    }
    until_refused("reading is limited as well", || acme.client.get("/Users?count=0"));
    // It is the organisation that is limited, and not the token. One request may slip through after a while.
    let second = acme.client.with_token(&support::text(&hub.json("token create --org acme"), "token"));
    let is_refused = |_| {
        until_refused("the first token is too fast", || acme.client.get("/Users?count=0"));
        second.get("/Users?count=0").status == 429
    };
    assert!((0..10).any(is_refused));
    // The others are not slowed down.
    globex.client.read("/Users?count=0");
    let count = eventually("the organisation may send again", || {
        let answer = acme.client.get("/Users?count=0");
        (answer.status == 200).then(|| answer.json()["totalResults"].as_u64().unwrap())
    });
    assert_eq!(count, made as u64, "who was refused was not created");
    assert_eq!(hub.log("acme").len(), made);
}

#[test]
fn the_pace_of_a_first_cycle_passes() {
    let hub = Hub::new();
    // The limit that holds when nobody sets one.
    let server = hub.start(&mut hub.program("serve --json --listen 127.0.0.1:0"));
    let client = server.first_client();
    // Four seconds' worth of Entra's first cycle, all at once.
    let answers = at_once(4, |thread| {
        (0..25).map(|number| client.post("/Users", &named(&format!("{thread} {number}"))).status).collect::<Vec<_>>()
    });
    assert_eq!(answers.concat(), [201; 100]);
}

#[test]
fn no_limit_can_be_set_below_the_pace_of_a_first_cycle() {
    let hub = Hub::new();
    for limit in ["24/s", "100/s:24", "0/s"] {
        let output = hub.run(&format!("serve --listen 127.0.0.1:0 --rate-limit {limit}"));
        assert_eq!(output.status.code(), Some(2), "{limit}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("give 25 or more"), "{limit}");
    }
    let output = hub.run("serve --listen 127.0.0.1:0 --max-body 1048575");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("at least 1048576"));
}

#[test]
fn wrong_tokens_use_up_nobodys_pace() {
    let hub = Hub::new();
    let server = hub.serve("--rate-limit 25/s:25");
    let acme = hub.organisation(&server, "acme", "");
    let wrong = acme.client.with_token(&acme.token[..50]);
    for _ in 0..100 {
        wrong.get("/Users").is_error(401, "");
    }
    acme.client.read("/Users");
}

/// A user in exactly so many bytes.
fn of_bytes(bytes: usize) -> String {
    let mut body = named("large");
    // An attribute that nothing is found by: what is has a limit of its own.
    body["nickName"] = "".into();
    let rest = bytes - body.to_string().len();
    body["nickName"] = "x".repeat(rest).into();
    body.to_string()
}

#[test]
fn a_body_beyond_the_limit_is_413_and_one_at_the_limit_is_taken() {
    let hub = Hub::new();
    let server = hub.serve("--max-body 1048576");
    let client = server.first_client();
    let headers = [("authorization", format!("Bearer {}", server.token()))];
    let post = |body: &str| client.send_raw(ureq::http::Method::POST, "/Users", &headers, Some(body));
    for bytes in [1_048_577, 3 << 20, 20 << 20] {
        post(&of_bytes(bytes)).is_error(413, "");
    }
    assert_eq!(client.count("/Users"), 0);
    post(&of_bytes(1_048_576)).is(201);
    assert_eq!(client.count("/Users"), 1);

    // The same where the length is not known beforehand.
    let chunked = |bytes: usize| {
        let (mut wire, body) = (Wire::open(&server), of_bytes(bytes));
        wire.write(&format!(
            "POST /api/sch/scim/v2/Users HTTP/1.1\r\nhost: hub.example\r\nauthorization: Bearer {}\r\n\
             content-type: application/scim+json\r\ntransfer-encoding: chunked\r\n\r\n",
            server.token()
        ));
        wire.write(&format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
        wire.answer().0
    };
    assert_eq!(chunked(1_048_577), 413);
    assert_eq!(chunked(1_048_576), 409, "the name is taken, and so the body was read");
}

#[test]
fn a_team_of_ten_thousand_fits() {
    let hub = Hub::new();
    let server = hub.serve("--max-body 1048576");
    let client = server.first_client();
    let people = hub.hand("default").make_many(10_001);
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let made = client.post("/Groups", &team("Everybody", &people[..10_000])).is(201);
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    assert_eq!(made["members"].as_array().unwrap().len(), 10_000);
    // The answer to one more would be a megabyte that nobody asked for.
    assert_eq!(client.patch(&path, &join(&[people[10_000]])).status, 204);
    assert_eq!(client.read(&path)["members"].as_array().unwrap().len(), 10_001);
    client.put(&path, &team("Everybody", &people[1..])).is(200);
    assert_eq!(client.read(&path)["members"].as_array().unwrap().len(), 10_000);
    assert_eq!(client.read(&format!("/Users/{}", people[0]))["groups"], json!(null));
}

#[test]
fn a_page_of_a_hundred_people_takes_below_a_second() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client = server.first_client();
    hub.hand("default").make_many(1000);
    // A busy machine may be slow once. What is slow each time is the server.
    eventually("a page comes within a second", || {
        let started = Instant::now();
        let page = client.read("/Users?startIndex=501&count=100");
        assert_eq!(page["Resources"].as_array().unwrap().len(), 100);
        assert_eq!(page["totalResults"], 1000);
        (started.elapsed() < Duration::from_secs(1)).then_some(())
    });
}

fn head(method: &str, path: &str, token: &str, more: &str) -> String {
    format!(
        "{method} /api/sch/scim/v2{path} HTTP/1.1\r\nhost: hub.example\r\nauthorization: Bearer {token}\r\n\
         content-type: application/scim+json\r\n{more}\r\n"
    )
}

#[test]
fn a_refusal_before_the_body_came_costs_the_client_nothing_else() {
    let hub = Hub::new();
    let server = hub.serve("");
    let (client, token) = (server.first_client(), server.token());
    let body = user("ada@corp.example").to_string();
    let length = format!("content-length: {}\r\n", body.len());
    for (path, token, status) in
        [("/Users", "schscim_wrong", 401), ("/Nothing", token.as_str(), 404), ("/Users/nobody", token.as_str(), 405)]
    {
        let mut wire = Wire::open(&server);
        wire.write(&head("POST", path, token, &length));
        // Another request takes its time: by now the server has read the head, and nothing more has come.
        client.read("/Users?count=0");
        wire.write(&body);
        assert_eq!(wire.answer().0, status, "{path}");
        assert!(!wire.was_told_to_close());
        // The connection goes on with the next request, since nothing else was said.
        wire.write(&head("GET", "/Users?count=0", &server.token(), ""));
        let (next, text) = wire.answer();
        assert_eq!(next, 200, "{path}: {text}");
    }
    // Large bodies are read to their end, so that the client gets to read the answer.
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(3 << 20));
    let mut wire = Wire::open(&server);
    wire.write(&head("POST", "/Users", "schscim_wrong", &format!("content-length: {}\r\n", large.len())));
    wire.write(&large);
    assert_eq!(wire.answer().0, 401);
}

#[test]
fn a_client_that_asks_before_it_sends_is_refused_before_it_sends() {
    let hub = Hub::new();
    let server = hub.serve("");
    let mut wire = Wire::open(&server);
    let more = "content-length: 1000000\r\nexpect: 100-continue\r\n";
    wire.write(&head("POST", "/Users", "schscim_wrong", more));
    // Not 100: nobody reads what would come.
    assert_eq!(wire.answer().0, 401);
    assert!(wire.was_told_to_close() && wire.is_closed());
}

#[test]
fn one_slow_client_does_not_hold_up_the_others() {
    let hub = Hub::new();
    let server = hub.serve("");
    let client: Client = server.first_client();
    let mut slow: Vec<Wire> = (0..50).map(|_| Wire::open(&server)).collect();
    for wire in &mut slow {
        wire.write(&head("POST", "/Users", &server.token(), "content-length: 1000\r\n"));
        wire.write("{");
    }
    let id = client.make("/Users", &user("ada@corp.example"));
    client.patch(&format!("/Users/{id}"), &replace("title", "Engineer")).is_done();
    assert_eq!(client.count("/Users"), 1);
}
