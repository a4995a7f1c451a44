//! What holds for every request: a resource stays canonical, a part of the members is enough, adding twice is adding once, and
//! nothing panics.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod common;

use std::collections::BTreeSet;

use common::{BENCH, MANAGER, message, patch, resource_type, stored};
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_core::{Admit, Resource, urns};
use scimwright_patch::{MembersNeeded, PatchOptions, PatchRequest, apply, membership_delta};
use serde_json::{Map, Value, json};

fn options() -> impl Strategy<Value = PatchOptions> {
    any::<bool>().prop_map(|tolerant| if tolerant { PatchOptions::tolerant() } else { PatchOptions::default() })
}

/// Few names and few texts, so that operations meet.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => select(vec!["a", "A", "b", "work", "home", "", "True", "1", "2"]).prop_map(Value::from),
        1 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::from),
        1 => (0..3).prop_map(Value::from),
    ]
}

/// One value of a list such as `emails`, mostly of the right types.
fn element() -> impl Strategy<Value = Value> {
    let texts = || proptest::option::of(select(vec!["a", "A", "b", "c", ""]));
    let part = |name: &'static str, value: Option<Value>| value.map(|value| (name.to_owned(), value));
    (texts(), texts(), texts(), proptest::option::of(any::<bool>()), proptest::option::weighted(0.1, scalar()))
        .prop_map(move |(value, kind, display, primary, odd)| {
            let parts = [
                part("value", value.map(Value::from)),
                part("type", kind.map(Value::from)),
                part("Display", display.map(Value::from)),
                part("primary", primary.map(Value::from)),
                part("sku", odd),
            ];
            Value::Object(parts.into_iter().flatten().collect())
        })
}

fn elements() -> impl Strategy<Value = Value> {
    prop_oneof![element(), proptest::collection::vec(element(), 0..4).prop_map(Value::from)]
}

fn place() -> impl Strategy<Value = Value> {
    let keys = select(vec!["building", "ROOM", "doors", "seen", "givenName", "value", "$ref", "displayName"]);
    proptest::collection::hash_map(
        keys,
        prop_oneof![scalar(), proptest::collection::vec(scalar(), 0..3).prop_map(Value::from)],
        0..4,
    )
    .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![3 => scalar(), 4 => elements(), 3 => place(), 2 => object(), 1 => proptest::collection::vec(scalar(), 0..3).prop_map(Value::from)]
}

/// The value of an operation without a path.
fn object() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        (
            select(vec![
                "title", "TITLE", "userName", "name", "serial", "state", "secret", "id", "schemas", "weight",
                "nonsense"
            ]),
            scalar().boxed()
        ),
        (select(vec!["emails", "addresses", "parts", "emails[type eq \"a\"]", "groups"]), elements().boxed()),
        (select(vec!["name", "place", MANAGER, "meta"]), place().boxed()),
        (
            select(vec![
                "tags",
                "marks",
                "place.doors",
                "emails.value",
                "name.givenName",
                "emails[value eq \"a\"].type"
            ]),
            scalar().boxed()
        ),
        (
            select(vec![urns::ENTERPRISE_USER, BENCH]),
            place().prop_map(|place| json!({"manager": place, "department": "d"})).boxed()
        ),
        (select(vec![BENCH]), elements().prop_map(|slots| json!({"slots": slots, "bench": "b"})).boxed()),
    ];
    proptest::collection::vec(one, 0..4).prop_map(|members| {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    })
}

fn path() -> impl Strategy<Value = Option<String>> {
    let whole = select(vec![
        "title",
        "userName",
        "name",
        "emails",
        "addresses",
        "id",
        "meta",
        "schemas",
        "serial",
        "marks",
        "tags",
        "place",
        "parts",
        "weight",
        "state",
        "secret",
        MANAGER,
        urns::ENTERPRISE_USER,
        BENCH,
        "active",
    ]);
    let part = select(vec![
        "name.givenName",
        "emails.type",
        "emails.primary",
        "place.room",
        "place.doors",
        "place.building",
        "parts.sku",
        "parts.value",
        "emails[value eq \"a\"]",
        "emails[type eq \"a\"].value",
        "emails[primary eq true].value",
        "emails[not (type pr)].primary",
        "addresses[type eq \"a\"].locality",
        "addresses[type eq \"b\" and primary eq true]",
        "parts[value eq \"a\"].sku",
        "tags[value sw \"a\"]",
        "parts[value eq \"a\" or type eq \"b\"]",
        "parts[sku pr].note",
        "name[givenName eq \"a\"].familyName",
        "nonsense",
        "emails[",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        "urn:example:bench:2.0:Lab:slots[value eq \"a\"].primary",
    ]);
    prop_oneof![1 => Just(None), 4 => whole.prop_map(|path| Some(path.to_owned())), 5 => part.prop_map(|path| Some(path.to_owned()))]
}

fn operation() -> impl Strategy<Value = Value> {
    (select(vec!["add", "replace", "remove", "Add"]), path(), value(), object(), any::<bool>()).prop_map(
        |(op, path, value, object, with_value)| {
            let mut operation = Map::from_iter([("op".to_owned(), op.into())]);
            if op != "remove" || with_value {
                operation.insert("value".to_owned(), if path.is_none() { object } else { value });
            }
            if let Some(path) = path {
                operation.insert("path".to_owned(), path.into());
            }
            Value::Object(operation)
        },
    )
}

/// What may be stored: whatever of a random document is let in.
fn resource() -> impl Strategy<Value = (&'static str, Resource)> {
    (select(vec!["User", "Lab"]), elements(), elements(), place(), select(vec!["a", "b"])).prop_map(
        |(type_name, emails, parts, place, text)| {
            let admit = |more: Value| {
                let base = stored(type_name, json!({}));
                let mut body = base.as_map().clone();
                body.extend(more.as_object().cloned().unwrap_or_default());
                Admit::new(resource_type(type_name)).trusted(body.into()).ok()
            };
            let list = |value: Value| if value.is_array() { value } else { json!([value]) };
            let documents = match type_name {
                "User" => [
                    json!({"title": text, "emails": list(emails.clone()), "addresses": list(parts), "name": {"givenName": "a"},
                        "groups": [{"value": "g"}], urns::ENTERPRISE_USER: {"manager": {"value": text, "displayName": "Boss"}}}),
                    json!({"emails": list(emails)}),
                ],
                _ => [
                    json!({"serial": text, "marks": ["a"], "tags": ["a", "b"], "place": place, "parts": list(parts.clone()), "state": "on",
                        BENCH: {"slots": list(emails)}}),
                    json!({"parts": list(parts), "place": {"building": "x", "seen": "y"}}),
                ],
            };
            let found = documents.into_iter().find_map(admit);
            (type_name, found.unwrap_or_else(|| stored(type_name, json!({}))))
        },
    )
}

/// Those of the operations that can be done one after another, so that most requests get through.
fn that_work(type_name: &str, before: &Resource, operations: Vec<Value>, options: &PatchOptions) -> Value {
    let mut now = before.clone();
    let works = |operation: &Value| match patch(type_name, &now, json!([operation]), options) {
        Ok(patched) => {
            now = patched.resource;
            true
        }
        Err(_) => false,
    };
    Value::Array(operations.into_iter().filter(works).collect())
}

fn is_canonical(type_name: &str, resource: &Resource) -> Result<(), TestCaseError> {
    let again = Admit::new(resource_type(type_name)).trusted(resource.as_map().clone().into());
    prop_assert_eq!(again.as_ref(), Ok(resource));
    for value in resource.as_map().values().chain(resource.as_map().values().filter_map(|value| value.get("slots"))) {
        let primaries = value.as_array().into_iter().flatten().filter(|item| item.get("primary") == Some(&json!(true)));
        prop_assert!(primaries.count() < 2, "{value}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_patched_resource_is_canonical(
        (type_name, before) in resource(),
        operations in proptest::collection::vec(operation(), 1..8),
        options in options(),
    ) {
        let operations = that_work(type_name, &before, operations, &options);
        let Ok(patched) = patch(type_name, &before, operations, &options) else { return Ok(()) };
        is_canonical(type_name, &patched.resource)?;
        prop_assert_eq!(patched.changed, patched.resource != before);
        prop_assert_eq!(patched.changed, !patched.touched.is_empty());
        prop_assert_eq!(patched.resource.get("id"), before.get("id"));
        prop_assert_eq!(patched.resource.get("meta"), before.get("meta"));
        // What is strict needs nothing forgiven, except what the rulings let through anyway.
        if options == PatchOptions::default() {
            prop_assert!(patched.leniencies.iter().all(|name| ["path-keys-in-value", "unknown-attributes"].contains(name)));
        }
    }

    #[test]
    fn a_strict_success_is_the_same_when_tolerated(
        (type_name, before) in resource(),
        operations in proptest::collection::vec(operation(), 1..8),
    ) {
        // The empty string is the one thing that means something else.
        let tolerant = PatchOptions { empty_string_clears: false, ..PatchOptions::tolerant() };
        let operations = that_work(type_name, &before, operations, &PatchOptions::default());
        let Ok(strict) = patch(type_name, &before, operations.clone(), &PatchOptions::default()) else { return Ok(()) };
        let tolerated = patch(type_name, &before, operations, &tolerant);
        prop_assert_eq!(tolerated.map(|patched| patched.resource), Ok(strict.resource));
    }

    #[test]
    fn one_failure_fails_all(
        (type_name, before) in resource(),
        mut operations in proptest::collection::vec(operation(), 1..4),
        at in any::<prop::sample::Index>(),
    ) {
        operations.insert(at.index(operations.len() + 1), json!({"op": "replace", "path": "id", "value": "other"}));
        prop_assert!(patch(type_name, &before, operations.into(), &PatchOptions::tolerant()).is_err());
    }

    #[test]
    fn adding_twice_is_adding_once(
        (type_name, before) in resource(),
        operations in proptest::collection::vec(
            (select(vec!["emails", "addresses", "parts", "tags", "place", "name", "title", MANAGER, BENCH, "place.doors"]), value()), 1..8),
        options in options(),
    ) {
        // A bare string takes with it what was said of another manager, and so undoes what an earlier operation added.
        let options = PatchOptions { reference_as_string: false, ..options };
        let adds = operations.into_iter().map(|(path, value)| json!({"op": "add", "path": path, "value": value}));
        let operations = that_work(type_name, &before, adds.collect(), &options);
        let Ok(once) = patch(type_name, &before, operations.clone(), &options) else { return Ok(()) };
        let twice = patch(type_name, &once.resource, operations, &options);
        prop_assert_eq!(twice.map(|patched| (patched.changed, patched.resource)), Ok((false, once.resource)));
    }

    #[test]
    fn a_part_of_the_members_is_enough(
        members in proptest::collection::btree_set(0..6_u8, 0..6),
        nameless in any::<bool>(),
        operations in proptest::collection::vec(on_members(), 1..5),
        options in options(),
    ) {
        let groups = resource_type("Group");
        let mut whole: Vec<Value> = members.iter().map(|id| json!({"value": id.to_string(), "type": if id % 2 == 0 { "User" } else { "Group" }})).collect();
        if nameless {
            whole.push(json!({"display": "d"}));
        }
        let Ok(request) = PatchRequest::from_json(message(operations.into()), &options) else { return Ok(()) };
        let partial: Vec<Value> = match request.members_needed(groups, &options) {
            MembersNeeded::None => Vec::new(),
            MembersNeeded::Named(ids) => {
                let named = |member: &&Value| ids.iter().any(|id| member["value"] == **id);
                whole.iter().filter(named).cloned().collect()
            }
            MembersNeeded::All => whole.clone(),
        };
        let (whole, partial) = (stored("Group", json!({"members": whole})), stored("Group", json!({"members": partial})));
        let delta = |before: &Resource| {
            apply(groups, before, &request, &options).map(|patched| {
                (membership_delta(groups, before, &patched.resource), patched.changed, patched.leniencies, patched.ignored)
            })
        };
        prop_assert_eq!(delta(&partial), delta(&whole));
    }

    #[test]
    fn members_are_a_set(
        before in proptest::collection::btree_set(0..6_u8, 0..6),
        operations in proptest::collection::vec((any::<bool>(), 0..8_u8), 1..12),
    ) {
        let members = |ids: &BTreeSet<u8>| ids.iter().map(|id| json!({"value": id.to_string()})).collect::<Vec<_>>();
        let mut expected = before.clone();
        let mut request = Vec::new();
        for (add, id) in operations {
            if add {
                expected.insert(id);
                request.push(json!({"op": "add", "path": "members", "value": {"value": id.to_string()}}));
            } else {
                expected.remove(&id);
                request.push(json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}));
            }
        }
        let group = stored("Group", json!({"members": members(&before)}));
        let patched = patch("Group", &group, request.into(), &PatchOptions::default());
        let mut found = patched.unwrap().resource.take("members").unwrap_or_else(|| json!([]));
        found.as_array_mut().unwrap().sort_by_key(Value::to_string);
        prop_assert_eq!(found, Value::from(members(&expected)));
    }

    #[test]
    fn nothing_panics(
        request in anything(),
        inside in proptest::collection::vec(anything(), 1..4),
        options in options(),
    ) {
        for message in [request.clone(), json!({"schemas": [urns::PATCH_OP], "Operations": request}), message(inside.into())] {
            let Ok(request) = PatchRequest::from_json(message, &options) else { continue };
            for type_name in ["User", "Group", "Lab"] {
                let before = stored(type_name, json!({}));
                let _ = request.members_needed(resource_type(type_name), &options);
                if let Ok(patched) = apply(resource_type(type_name), &before, &request, &options) {
                    is_canonical(type_name, &patched.resource)?;
                }
            }
        }
    }
}

/// Operations on the members of a group, and some that are not.
fn on_members() -> impl Strategy<Value = Value> {
    let id = || (0..8_u8).prop_map(|id| id.to_string());
    let member = (
        id(),
        proptest::option::weighted(0.2, select(vec!["value", "VALUE", "display", "type", "$ref"])),
        any::<bool>(),
    );
    let member = member.prop_map(|(id, other, null)| match other {
        Some("value" | "VALUE") | None => json!({"value": id, "$ref": if null { Value::Null } else { json!("x") }}),
        Some(other) => json!({"VALUE": id, other: if null { Value::Null } else { json!("User") }}),
    });
    let odd = select(vec![
        json!(null),
        json!([]),
        json!({}),
        json!({"display": "d"}),
        json!([[]]),
        json!("1"),
        json!({"value": 1}),
        json!({"value": ""}),
    ]);
    let value = prop_oneof![
        4 => member.clone(),
        4 => proptest::collection::vec(member, 0..4).prop_map(Value::from),
        2 => odd,
    ];
    let path = prop_oneof![
        6 => Just("members".to_owned()),
        3 => id().prop_map(|id| format!("members[value eq \"{id}\"]")),
        2 => (id(), id()).prop_map(|(one, two)| format!("Members[value eq \"{one}\" or value EQ \"{two}\"]")),
        1 => id().prop_map(|id| format!("members[value eq \"{id}\" and type eq \"User\"]")),
        1 => id().prop_map(|id| format!("members[not (value eq \"{id}\")]")),
        1 => id().prop_map(|id| format!("members[value eq \"{id}\"].display")),
        1 => id().prop_map(|id| format!("members[value eq \"{id}\"].value")),
        1 => id().prop_map(|id| format!("urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"{id}\"]")),
        1 => Just("members.display".to_owned()),
        1 => select(vec!["members[type eq \"User\"]", "members[value ne \"1\"]", "members[value pr]", "displayName",
            "members[value eq null]", "urn:ietf:params:scim:schemas:core:2.0:Group"]).prop_map(str::to_owned),
    ];
    let key = prop_oneof![3 => Just(None), 1 => select(vec!["members", "MEMBERS", "members[value eq \"1\"]", "members[value eq \"2\"].display"]).prop_map(Some)];
    (select(vec!["add", "add", "remove", "replace"]), path, key, proptest::option::weighted(0.8, value)).prop_map(
        |(op, path, key, value)| {
            let mut operation = match key.filter(|_| op != "remove") {
                Some(key) => json!({"op": op, "value": {key: value.clone().unwrap_or_default()}}),
                None => json!({"op": op, "path": path}),
            };
            let remove_alone = op == "remove" && path.contains('[');
            if let (Some(value), None, false) = (value, operation.get("value"), remove_alone) {
                operation["value"] =
                    if path.ends_with(".display") || path.ends_with(".value") { json!("1") } else { value };
            }
            operation
        },
    )
}

/// JSON of any shape, with names that mean something here and there.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        scalar(),
        "\\PC{0,8}".prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![
            "add",
            "remove",
            "replace",
            "emails",
            "members[value eq \"1\"]",
            urns::PATCH_OP,
            urns::USER,
            urns::ENTERPRISE_USER,
            "name.givenName"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let keys = prop_oneof![
            4 => select(vec!["op", "path", "value", "schemas", "Operations", "members", "emails", "name", "type", "primary", "name.givenName",
                "emails[type eq \"work\"].value", urns::USER, urns::ENTERPRISE_USER, "manager", "id", "meta"]).prop_map(str::to_owned),
            1 => "\\PC{0,8}",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((keys, inner), 0..5).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
