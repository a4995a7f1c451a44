//! What is sent again, after how long, and what never is. No test waits.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::time::Duration;

use pollster::block_on;
use scimwright_client::{Client, ETag, Error, PatchRequest, Retry};
use scimwright_core::urns;
use scimwright_patch::PatchOptions;
use serde_json::{Value, json};
use support::{Does, Script, StillClock, builder};

/// A client of that script, and the clock it waits by.
fn client(script: Vec<Does>, random: f64) -> (Client, Script, StillClock) {
    let (script, clock) = (Script::new(script), StillClock::new(random));
    (builder().clock(clock.clone()).build_over(script.clone()).unwrap(), script, clock)
}

fn ok() -> Does {
    Does::json(200, &json!({"id": "42", "userName": "ada"}))
}

fn patch() -> PatchRequest {
    let message = json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": "remove", "path": "title"}]});
    PatchRequest::from_json(message, &PatchOptions::default()).unwrap()
}

/// What can go wrong for the moment.
fn troubles() -> [(&'static str, Does); 8] {
    [
        ("429", Does::status(429)),
        ("500 with Retry-After", Does::status(500).with("retry-after", "0")),
        ("502", Does::status(502)),
        ("503", Does::status(503)),
        ("503 with Retry-After", Does::status(503).with("retry-after", "0")),
        ("504", Does::status(504)),
        ("unreachable", Does::Unreachable),
        ("broken", Does::Breaks),
    ]
}

/// After which troubles a call is sent again: the names of those.
fn again(call: impl Fn(&Client) -> Result<(), Error>) -> Vec<&'static str> {
    let mut again = Vec::new();
    for (name, trouble) in troubles() {
        let (client, server, _) = client(vec![trouble, ok()], 1.0);
        let done = call(&client);
        assert_eq!(done.is_ok(), server.is_done(), "{name}");
        if done.is_ok() {
            let asked = server.asked();
            assert_eq!((&asked[0].line, &asked[0].body), (&asked[1].line, &asked[1].body), "{name}");
            assert_eq!(asked[0].headers, asked[1].headers, "{name}");
            again.push(name);
        }
    }
    again
}

const ALL: [&str; 8] =
    ["429", "500 with Retry-After", "502", "503", "503 with Retry-After", "504", "unreachable", "broken"];
/// Where the server has not acted, as far as anybody can tell.
const UNTOUCHED: [&str; 2] = ["429", "unreachable"];

#[test]
fn what_reads_is_sent_again_whatever_happened() {
    assert_eq!(again(|client| block_on(client.users().get("42")).map(drop)), ALL);
    assert_eq!(again(|client| block_on(client.service_provider_config()).map(drop)), ALL);
    let list = |client: &Client, post: bool| {
        let users = client.resources::<Value>("/Users");
        // The answer of the script is no list, which says that it came.
        match block_on(if post { users.search() } else { users.list() }.first()) {
            Err(Error::Malformed { .. }) => Ok(()),
            other => other.map(drop),
        }
    };
    assert_eq!(again(|client| list(client, false)), ALL);
    assert_eq!(again(|client| list(client, true)), ALL);
}

#[test]
fn what_can_be_done_twice_is_sent_again_whatever_happened() {
    let tag = || ETag::new("W/\"1\"");
    assert_eq!(again(|client| block_on(client.users().delete("42"))), ALL);
    assert_eq!(again(|client| block_on(client.users().replace("42", &json!({})).if_match(&tag())).map(drop)), ALL);
    assert_eq!(again(|client| block_on(client.users().patch("42", &patch()).if_match(&tag())).map(drop)), ALL);
}

#[test]
fn what_cannot_is_sent_again_only_where_the_server_has_not_acted() {
    assert_eq!(again(|client| block_on(client.users().create(&json!({}))).map(drop)), UNTOUCHED);
    assert_eq!(again(|client| block_on(client.users().replace("42", &json!({}))).map(drop)), UNTOUCHED);
    assert_eq!(again(|client| block_on(client.users().patch("42", &patch())).map(drop)), UNTOUCHED);
    let any = ETag::new("*");
    assert_eq!(again(|client| block_on(client.users().patch("42", &patch()).if_match(&any)).map(drop)), UNTOUCHED);
    let bulk = |client: &Client| match block_on(client.bulk().send()) {
        Err(Error::Malformed { .. }) => Ok(()),
        other => other.map(drop),
    };
    assert_eq!(again(bulk), UNTOUCHED);
}

#[test]
fn what_will_not_change_is_not_tried_again() {
    for status in [400, 401, 403, 404, 409, 412, 413, 500, 501] {
        let (client, server, clock) = client(vec![Does::status(status)], 1.0);
        assert_eq!(block_on(client.users().get("42")).unwrap_err().status(), Some(status));
        assert!(server.is_done() && clock.slept().is_empty());
    }
}

#[test]
fn waiting_doubles_up_to_the_longest_and_ends() {
    let always = || (0..7).map(|_| Does::status(502)).collect::<Vec<_>>();
    let with = |retry: Retry, random: f64| {
        let (script, clock) = (Script::new(always()), StillClock::new(random));
        let client = builder().retry(retry).clock(clock.clone()).build_over(script.clone()).unwrap();
        assert_eq!(block_on(client.users().get("42")).unwrap_err().status(), Some(502));
        (script.asked().len(), clock.slept())
    };
    assert_eq!(with(Retry::default(), 1.0), (4, vec![250, 500, 1000]));
    assert_eq!(with(Retry::default(), 0.5), (4, vec![125, 250, 500]));
    assert_eq!(with(Retry::default(), 0.0), (4, vec![0, 0, 0]));
    let patient = Retry::default().attempts(7).waiting(Duration::from_secs(1), Duration::from_secs(5));
    assert_eq!(with(patient, 1.0), (7, vec![1000, 2000, 4000, 5000, 5000, 5000]));
    assert_eq!(with(Retry::never(), 1.0), (1, vec![]));
    assert_eq!(with(Retry::default().attempts(0), 1.0), (1, vec![]));
}

#[test]
fn the_server_says_how_long() {
    let busy = |after: &str| Does::status(429).with("retry-after", after);
    // The clock stands at 08:49:37.
    let (client, server, clock) = client(vec![busy("3"), busy("Sun, 06 Nov 1994 08:49:47 GMT"), busy("0"), ok()], 1.0);
    block_on(client.users().create(&json!({}))).unwrap();
    assert_eq!(clock.slept(), [3000, 10_000, 1000], "what is asked for, or the usual where that is more");
    assert!(server.is_done());
}

#[test]
fn who_is_to_wait_too_long_is_told_at_once() {
    let (client, server, clock) = client(vec![Does::status(503).with("retry-after", "31")], 1.0);
    let error = block_on(client.users().get("42")).unwrap_err();
    assert_eq!(error.refusal().unwrap().retry_after, Some(Duration::from_secs(31)));
    assert!(server.is_done() && clock.slept().is_empty());
}

#[test]
fn what_an_attempt_has_deleted_is_deleted() {
    for trouble in [Does::Breaks, Does::status(502), Does::status(504), Does::status(503)] {
        let (client, _, _) = client(vec![trouble, Does::Unreachable, Does::status(404)], 1.0);
        block_on(client.users().delete("42")).unwrap();
    }
    // Here no attempt can have done it.
    for trouble in [Does::Unreachable, Does::status(429)] {
        let (client, _, _) = client(vec![trouble, Does::status(404)], 1.0);
        assert_eq!(block_on(client.users().delete("42")).unwrap_err().status(), Some(404));
    }
    // And what is read and not there is not there.
    let (client, _, _) = client(vec![Does::Breaks, Does::status(404)], 1.0);
    assert_eq!(block_on(client.users().get("42")).unwrap_err().status(), Some(404));
}

#[test]
fn without_a_clock_nothing_is_sent_again() {
    let script = Script::new([Does::status(429)]);
    let client = builder().build_over(script.clone()).unwrap();
    assert_eq!(block_on(client.users().get("42")).unwrap_err().status(), Some(429));
    assert!(script.is_done());
}

#[test]
fn a_redirect_is_followed_anew_in_every_attempt() {
    let moved = || Does::status(307).with("location", "/scim/v2/Users/43");
    let (client, server, _) = client(vec![moved(), Does::status(502), moved(), ok()], 1.0);
    block_on(client.users().get("42")).unwrap();
    assert_eq!(server.lines(), ["GET /Users/42", "GET /Users/43", "GET /Users/42", "GET /Users/43"]);
}
