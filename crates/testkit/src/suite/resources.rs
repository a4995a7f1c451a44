//! Strategies for what is stored: few different values, so that records meet in them, and hard ones, so that folding
//! matters.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_core::urns;
use serde_json::{Map, Value, json};

/// Texts that fold into one another, begin with one another, or mean something to SQL, JSON or filters.
pub(super) const TEXTS: [&str; 16] = [
    "ada",
    "ADA",
    "adam",
    "Ada Lovelace",
    "ａｄａ",
    "Straße",
    "STRASSE",
    "josé",
    "jose\u{301}",
    "ſ",
    "S",
    "K",
    "a_b%",
    "'; --",
    "\"q\"",
    "ada\u{10ffff}",
];

/// Identifiers: of users, of groups, and some that differ in case only.
pub(super) const USERS: [&str; 6] = ["u0", "u1", "u2", "U2", "u3", "é"];
pub(super) const GROUPS: [&str; 4] = ["g0", "g1", "G1", "g2"];

/// Moments, two of them within one millisecond.
pub(super) const TIMES: [&str; 6] = [
    "2025-12-31T23:59:59.999999999Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.0004Z",
    "2026-01-01T00:00:00.001Z",
    "2026-01-01T00:00:00.0019Z",
    "2026-06-01T12:00:00.123456789Z",
];

pub(super) fn text() -> impl Strategy<Value = &'static str> {
    select(TEXTS.as_slice())
}

/// The body of a user. The name is one of few, so that users clash.
pub(super) fn user() -> impl Strategy<Value = Value> {
    let email = (option::of(text()), option::of(select(["work", "Work", "home"].as_slice())), any::<Option<bool>>());
    let email = email.prop_map(|(value, kind, _)| {
        let mut email = Map::new();
        put(&mut email, "value", value);
        put(&mut email, "type", kind);
        Value::from(email)
    });
    let manager = select([USERS[0], USERS[2], USERS[3], "nobody"].as_slice());
    let optional = (option::of(text()), option::of(text()), option::of(text()), option::of(any::<bool>()));
    (text(), optional, vec(email, 0..3), option::of(manager), option::of(text())).prop_map(
        |(name, (external, display, title, active), emails, manager, department)| {
            let mut user = Map::new();
            put(&mut user, "userName", Some(name));
            put(&mut user, "externalId", external);
            put(&mut user, "displayName", display);
            put(&mut user, "title", title);
            put(&mut user, "active", active);
            put(&mut user, "emails", (!emails.is_empty()).then_some(emails));
            let mut more = Map::new();
            put(&mut more, "manager", manager.map(|value| json!({"value": value})));
            put(&mut more, "department", department);
            put(&mut user, urns::ENTERPRISE_USER, (!more.is_empty()).then_some(more));
            user.into()
        },
    )
}

/// The body of a group, without members.
pub(super) fn group() -> impl Strategy<Value = Value> {
    (text(), option::of(text())).prop_map(|(display, external)| {
        let mut group = Map::new();
        put(&mut group, "displayName", Some(display));
        put(&mut group, "externalId", external);
        group.into()
    })
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}
