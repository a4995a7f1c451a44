//! Strategies for filters: texts from templates, so that what a client could send is what is tested.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::resources::{GROUPS, TEXTS, TIMES, USERS};

const OPS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
const DATE_OPS: [&str; 6] = ["eq", "ne", "gt", "ge", "lt", "le"];

/// Moments that nothing happened at, some beyond what a store may be able to keep.
const MOMENTS: [&str; 4] =
    ["2026-01-01T01:00:00+01:00", "-0044-03-15T12:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00.0011Z"];

const USER_TEXTS: [&str; 16] = [
    "userName",
    "username",
    "externalId",
    "displayName",
    "title",
    "name.familyName",
    "emails",
    "emails.value",
    "emails.type",
    "id",
    "groups",
    "groups.value",
    "groups.display",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "members.value",
];

const GROUP_TEXTS: [&str; 9] = [
    "displayName",
    "externalId",
    "id",
    "members",
    "members.value",
    "members.type",
    "members.display",
    "userName",
    "groups.value",
];

/// A filter on users; some of it names attributes that only groups have.
pub(crate) fn on_users() -> impl Strategy<Value = String> {
    let inside = prop_oneof![
        compare(&["value", "type", "display"]),
        (compare(&["value"]), compare(&["type", "value"])).prop_map(|(left, right)| format!("{left} and {right}")),
        (compare(&["value"]), compare(&["type", "value"])).prop_map(|(left, right)| format!("{left} or {right}")),
        compare(&["value"]).prop_map(|inner| format!("not ({inner})")),
    ];
    let brackets = (select(["emails", "groups"].as_slice()), inside);
    connected(
        prop_oneof![
            4 => compare(&USER_TEXTS),
            1 => brackets.prop_map(|(attribute, inside)| format!("{attribute}[{inside}]")),
            1 => dates(),
            1 => select(["active eq true", "active ne false", "active pr", "title pr", "groups pr", "emails pr"].as_slice())
                .prop_map(str::to_owned),
            1 => select(["title", "groups", "externalId", "emails", "userName"].as_slice())
                .prop_map(|attribute| format!("{attribute} eq null")),
        ]
        .boxed(),
    )
}

/// A filter on groups; some of it names attributes that only users have.
pub(crate) fn on_groups() -> impl Strategy<Value = String> {
    let inside = prop_oneof![
        compare(&["value", "type", "display"]),
        (compare(&["value"]), compare(&["type"])).prop_map(|(left, right)| format!("{left} and {right}")),
        compare(&["value"]).prop_map(|inner| format!("not ({inner})")),
    ];
    connected(
        prop_oneof![
            4 => compare(&GROUP_TEXTS),
            2 => inside.prop_map(|inside| format!("members[{inside}]")),
            1 => dates(),
            1 => select(["members pr", "externalId pr", "members eq null", "externalId ne null"].as_slice())
                .prop_map(str::to_owned),
        ]
        .boxed(),
    )
}

fn compare(attributes: &'static [&'static str]) -> BoxedStrategy<String> {
    // Equality is what indexes know best, so it is asked most.
    let op = prop_oneof![3 => Just("eq"), 1 => Just("sw"), 2 => select(OPS.as_slice())];
    let value = prop_oneof![
        4 => select(TEXTS.as_slice()),
        2 => select(USERS.as_slice()),
        2 => select(GROUPS.as_slice()),
        1 => select(["", "U", "a", "User", "WORK"].as_slice()),
    ];
    (select(attributes), op, value)
        .prop_map(|(attribute, op, value)| format!("{attribute} {op} {}", Value::from(value)))
        .boxed()
}

fn dates() -> impl Strategy<Value = String> {
    let moment = prop_oneof![3 => select(TIMES.as_slice()), 1 => select(MOMENTS.as_slice())];
    let attribute = prop_oneof![3 => Just("meta.lastModified"), 1 => Just("meta.created")];
    (attribute, select(DATE_OPS.as_slice()), moment)
        .prop_map(|(attribute, op, moment)| format!("{attribute} {op} \"{moment}\""))
}

fn connected(leaf: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    leaf.prop_recursive(3, 12, 3, |inner| {
        let terms = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            2 => (terms.clone(), any::<bool>()).prop_map(|(terms, _)| format!("({})", terms.join(" and "))),
            2 => terms.prop_map(|terms| format!("({})", terms.join(" or "))),
            1 => inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}
