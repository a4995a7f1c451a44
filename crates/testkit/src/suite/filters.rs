//! Strategies for filters: texts from templates, so that what a client could send is what is tested.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::resources::{GROUPS, TEXTS, TIMES, USERS};

const OPS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
const DATE_OPS: [&str; 6] = ["eq", "ne", "gt", "ge", "lt", "le"];

/// Moments that nothing happened at, some beyond what a store may be able to keep.
const MOMENTS: [&str; 4] =
    ["2026-01-01T01:00:00+01:00", "-0044-03-15T12:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00.0011Z"];

/// Attributes, and values that they may well have.
type Terms = [(&'static str, &'static [&'static str])];

const KINDS: [&str; 4] = ["work", "WORK", "direct", "User"];
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

/// What is worked out of a record when somebody looks: a tag depends on the memberships too.
const TAGS: [&str; 4] = ["W/\"1\"", "W/\"2\"", "W/\"3\"", "W/\"2-"];
const PLACES: [&str; 3] = ["https://scim.example/v2/Users/u0", "https://scim.example/v2/Groups/g1", "/u2"];

const OF_USERS: [(&str, &[&str]); 20] = [
    ("userName", &TEXTS),
    ("username", &TEXTS),
    ("externalId", &TEXTS),
    ("displayName", &TEXTS),
    ("emails", &TEXTS),
    ("emails.value", &TEXTS),
    ("emails.type", &KINDS),
    ("title", &TEXTS),
    ("name.familyName", &TEXTS),
    (DEPARTMENT, &TEXTS),
    (MANAGER, &USERS),
    ("id", &USERS),
    ("id", &GROUPS),
    ("groups", &GROUPS),
    ("groups.value", &GROUPS),
    ("groups.display", &TEXTS),
    ("groups.$ref", &PLACES),
    ("members.value", &USERS),
    ("meta.version", &TAGS),
    ("meta.location", &PLACES),
];

const OF_GROUPS: [(&str, &[&str]); 14] = [
    ("displayName", &TEXTS),
    ("displayName", &TEXTS),
    ("externalId", &TEXTS),
    ("id", &GROUPS),
    ("members", &USERS),
    ("members.value", &USERS),
    ("members.value", &GROUPS),
    ("members.type", &KINDS),
    ("members.display", &TEXTS),
    ("members.$ref", &PLACES),
    ("userName", &TEXTS),
    ("groups.value", &GROUPS),
    ("meta.version", &TAGS),
    ("meta.location", &PLACES),
];

/// A filter on users; some of it names attributes that only groups have.
pub(super) fn on_users() -> impl Strategy<Value = String> {
    let others = [
        "active eq true",
        "active ne false",
        "active pr",
        "title pr",
        "groups pr",
        "emails pr",
        "title eq null",
        "groups eq null",
        "externalId eq null",
        "userName ne null",
    ];
    let brackets = prop_oneof![
        inside(&[("value", &TEXTS)], &[("type", &KINDS)]).prop_map(|inside| format!("emails[{inside}]")),
        inside(&[("value", &GROUPS)], &[("display", &TEXTS)]).prop_map(|inside| format!("groups[{inside}]")),
    ];
    connected(prop_oneof![
        6 => compare(&OF_USERS),
        2 => brackets,
        1 => dates(),
        1 => select(others.to_vec()).prop_map(str::to_owned),
    ])
}

/// A filter on groups; some of it names attributes that only users have.
pub(super) fn on_groups() -> impl Strategy<Value = String> {
    let others = ["members pr", "externalId pr", "members eq null", "externalId ne null", "active eq true"];
    let brackets = inside(&[("value", &USERS)], &[("type", &KINDS), ("display", &TEXTS)]);
    connected(prop_oneof![
        6 => compare(&OF_GROUPS),
        2 => brackets.prop_map(|inside| format!("members[{inside}]")),
        1 => dates(),
        1 => select(others.to_vec()).prop_map(str::to_owned),
    ])
}

/// What stands in brackets, where it matters that all of it is about one value.
fn inside(values: &'static Terms, others: &'static Terms) -> impl Strategy<Value = String> {
    let two = || (compare(values), prop_oneof![compare(others), compare(values)]);
    prop_oneof![
        compare(values),
        two().prop_map(|(left, right)| format!("{left} and {right}")),
        two().prop_map(|(left, right)| format!("{left} or {right}")),
        compare(values).prop_map(|inner| format!("not ({inner})")),
        two().prop_map(|(left, right)| format!("{left} and not ({right})")),
    ]
}

fn compare(terms: &'static Terms) -> BoxedStrategy<String> {
    // Equality is what indexes know best, so it is asked most.
    let op = || prop_oneof![5 => Just("eq"), 2 => Just("sw"), 2 => select(OPS.as_slice())];
    let own =
        (select(terms), op()).prop_flat_map(|((attribute, values), op)| (Just(attribute), Just(op), select(values)));
    let odd = (select(terms), op(), select(["", "U", "ad", "G", "nobody"].as_slice()));
    let odd = odd.prop_map(|((attribute, _), op, value)| (attribute, op, value));
    prop_oneof![6 => own, 1 => odd]
        .prop_map(|(attribute, op, value)| format!("{attribute} {op} {}", Value::from(value)))
        .boxed()
}

fn dates() -> impl Strategy<Value = String> {
    let moment = prop_oneof![3 => select(TIMES.as_slice()), 1 => select(MOMENTS.as_slice())];
    let attribute = prop_oneof![3 => Just("meta.lastModified"), 1 => Just("meta.created")];
    (attribute, select(DATE_OPS.as_slice()), moment)
        .prop_map(|(attribute, op, moment)| format!("{attribute} {op} \"{moment}\""))
}

fn connected(leaf: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    leaf.prop_recursive(3, 10, 3, |inner| {
        let terms = vec(inner.clone(), 2..4);
        prop_oneof![
            2 => terms.clone().prop_map(|terms| format!("({})", terms.join(" and "))),
            3 => terms.prop_map(|terms| format!("({})", terms.join(" or "))),
            1 => inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}
