//! Several clients at once over real connections: an order of their requests explains every answer, and no member is missing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use async_trait::async_trait;
use scimwright_testkit::races::{Door, Race, Rules, Seen, judge};
use serde_json::Value;
use support::{Client, Hub};
use ureq::http::Method;

/// One of several clients of an organisation, with a connection of its own.
struct Connection {
    client: Client,
    token: String,
}

#[async_trait]
impl Door for Connection {
    async fn send(&self, method: &str, path: &str, if_match: Option<&str>, body: Option<&Value>) -> Seen {
        let mut headers = vec![("authorization", format!("Bearer {}", self.token))];
        if body.is_some() {
            headers.push(("content-type", "application/scim+json".to_owned()));
        }
        headers.extend(if_match.map(|tag| ("if-match", tag.to_owned())));
        let body = body.map(Value::to_string);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = self.client.send_raw(method, path, &headers, body.as_deref());
        let etag = Some(answer.header("etag")).filter(|tag| !tag.is_empty());
        let body = if answer.text.is_empty() { Value::Null } else { answer.json() };
        Seen { status: answer.status, etag, body }
    }
}

/// What the product adds to the protocol: a person is in one team, and who does not exist is passed over.
const RULES: Rules = Rules { one_group_at_a_time: true, unknown_members_pass: true };

#[test]
fn an_order_explains_what_clients_do_at_once() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    for seed in 0..12 {
        let race = Race { seed, clients: 4, requests: 8 };
        let connect = |_| Connection { client: server.client(&acme.token), token: acme.token.clone() };
        let connections: Vec<_> = (0..race.clients).map(connect).collect();
        judge(RULES, &race.run(&connections)).unwrap_or_else(|why| panic!("{race:?}: {why}"));
    }
}
