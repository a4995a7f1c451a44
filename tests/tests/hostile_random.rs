//! Whatever comes in at random, a SCIM answer goes out: never a panic, never a 5xx.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::collection::vec;
use proptest::prelude::*;
use scimwright_compat::Profile;
use scimwright_tests::{Ask, BENCH, Setup, StoreKind, gadget, group, user, with};
use serde_json::{Value, json};

/// A client's error, or an answer; either is right, as long as it comes.
#[track_caller]
fn answered(ask: Ask<'_>) {
    let answer = ask.send();
    assert!((200..500).contains(&answer.status), "{}: {:.300}", answer.status, answer.text);
}

/// Parts of which requests are made at random: what matters, and what is nonsense.
fn word() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "userName",
        "emails",
        "name.givenName",
        "members",
        "password",
        "id",
        "meta",
        "schemas",
        "active",
        "groups",
        "eq",
        "pr",
        "co",
        "and",
        "not (",
        "(",
        ")",
        "[",
        "]",
        "[type eq \"work\"]",
        ".value",
        "true",
        "null",
        "1e5",
        "\"x\"",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        BENCH,
        ":",
        ".",
        ",",
        " ",
        "\\",
        "*",
        "\u{0}",
        "é",
        "🦀",
    ];
    prop_oneof![8 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn text() -> impl Strategy<Value = String> {
    vec(word(), 0..6).prop_map(|words| words.join(" "))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((word(), inner), 0..4)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// An operation of PATCH, or something like one.
fn operation() -> impl Strategy<Value = Value> {
    let op = proptest::sample::select(&["add", "remove", "replace", "Replace", "move"][..]);
    (op, proptest::option::of(text()), proptest::option::of(value())).prop_map(|(op, path, value)| {
        let mut operation = json!({"op": op});
        operation.as_object_mut().unwrap().extend(path.map(|path| ("path".to_owned(), path.into())));
        operation.as_object_mut().unwrap().extend(value.map(|value| ("value".to_owned(), value)));
        operation
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Proves: ER-11.
    #[test]
    fn whatever_comes_an_answer_goes(
        more in value(),
        operations in vec(operation(), 0..4),
        filter in text(),
        bytes in vec(any::<u8>(), 0..64),
        strict in any::<bool>(),
    ) {
        let profile = if strict { Profile::strict() } else { Profile::tolerant() };
        let server = Setup::default().profile(profile).start(StoreKind::InMemory);
        for (path, body) in [("/Users", user("ada")), ("/Groups", group("team", &[])), ("/Gadgets", gadget("arm"))] {
            let made = server.create(path, body.clone());
            answered(server.post(path, with(body.clone(), more.clone())));
            answered(server.post(path, more.clone()));
            answered(server.put(made.path(), with(body, more.clone())));
            answered(server.patch(made.path(), operations.clone().into()));
            answered(server.filter(path, &filter));
            answered(server.query(path, &[("attributes", &filter)]));
            answered(server.query(made.path(), &[("excludedAttributes", &filter)]));
            let tag = filter.replace(char::is_control, "");
            answered(server.get(made.path()).also("if-none-match", tag.as_bytes()));
            for method in ["POST", "PUT", "PATCH"] {
                answered(server.ask(method, if method == "POST" { path } else { made.path() }).raw(bytes.clone()));
            }
        }
    }
}
