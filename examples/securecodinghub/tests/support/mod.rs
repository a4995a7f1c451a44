//! The real program in a folder of its own, and the clients that talk to it.
#![allow(dead_code, unused_imports, reason = "every file of tests uses another part of it")]
#![allow(unreachable_pub, reason = "every file of tests is a program of its own, and nothing in it can be reached")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod hand;
mod hub;
pub mod moving;

use std::time::{Duration, Instant};

pub use {
    client::{Answer, Client, Wire, filter},
    hand::Hand,
    hub::{Hub, Organisation, Server},
};

use serde_json::{Value, json};

/// Long enough for a busy machine. Whatever comes true sooner is noticed sooner.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again until the answer is there.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "this never came true: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Does the same from many threads at one moment, each told its number.
pub fn at_once<T: Send>(threads: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        let (start, act) = (&start, &act);
        let running: Vec<_> = (0..threads)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    act(number)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// How many of the answers have each status, lowest first: `201: 1, 403: 9`.
pub fn tally(answers: &[Answer]) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_insert(0) += 1;
    }
    counts.iter().map(|(status, count)| format!("{status}: {count}")).collect::<Vec<_>>().join(", ")
}

/// A user as Entra sends one, with an e-mail address that is the user name too.
pub fn user(email: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": email,
        "active": true,
        "emails": [{"value": email, "type": "work", "primary": true}],
        "name": {"givenName": "Ada", "familyName": "Nowak"},
    })
}

/// A user without an address.
pub fn named(user_name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": user_name})
}

/// A team with these members.
pub fn team(name: &str, members: &[&str]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": values(members),
    })
}

/// Ids as the members of a group.
pub fn values(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({"value": id})).collect()
}

/// A PATCH message.
pub fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// A PATCH message that replaces one attribute.
pub fn replace(path: &str, value: impl Into<Value>) -> Value {
    patch(json!([{"op": "replace", "path": path, "value": value.into()}]))
}

/// A PATCH message that lets people join a team.
pub fn join(ids: &[&str]) -> Value {
    patch(json!([{"op": "add", "path": "members", "value": values(ids)}]))
}

/// The text of a member of a JSON object.
#[track_caller]
pub fn text(json: &Value, name: &str) -> String {
    json.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no text `{name}` in {json}")).to_owned()
}

/// The `value` of each item of a list, sorted; nothing where there is no list.
pub fn ids(list: &Value) -> Vec<String> {
    let mut ids: Vec<String> =
        list.as_array().into_iter().flatten().filter_map(|item| item["value"].as_str()).map(str::to_owned).collect();
    ids.sort_unstable();
    ids
}

/// Texts in the order in which [`ids`] gives them.
pub fn sorted(texts: &[&str]) -> Vec<String> {
    let mut texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    texts.sort_unstable();
    texts
}
