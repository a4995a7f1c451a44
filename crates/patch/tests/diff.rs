//! The law of `diff`: applied to the one state it gives the other, whatever the two are.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod common;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use common::CATALOG;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_core::{
    Admit, AdmitError, Attribute, Catalog, DataType, Mutability, Resource, ResourceType, ResourceTypeSpec,
};
use scimwright_patch::{Op, PatchOptions, PatchRequest, apply, diff};
use serde_json::{Map, Value, json};

/// Users, groups, labs, gadgets and crews: every data type and characteristic.
static TYPES: LazyLock<Catalog> = LazyLock::new(|| {
    let data = |path: &str| -> Value {
        let path = format!("{}/../../tests/data/schemas/{path}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    CATALOG
        .clone()
        .with_schema(&data("Gadget.json"))
        .unwrap()
        .with_schema(&data("GadgetBench.json"))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(data("ResourceType-Gadget.json")))
        .unwrap()
        .with_schema(&json!({"id": CREW, "attributes": [{"name": "ship"}]}))
        .unwrap()
        .with_schema(&json!({"id": RADIO, "attributes": [{"name": "band"}, {"name": "call"}]}))
        .unwrap()
        .with_schema(&json!({"id": CODE, "attributes": [{"name": "key", "type": "integer"}]}))
        .unwrap()
        .with_schema(&json!({"id": BADGE, "attributes": [
            {"name": "no"}, {"name": "pin", "mutability": "writeOnly", "returned": "never"},
            {"name": "lock", "type": "complex", "subAttributes": [
                {"name": "door"}, {"name": "floor"}, {"name": "side"}, {"name": "model"},
                {"name": "code", "mutability": "writeOnly", "returned": "never"}]},
        ]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(json!({
            "name": "Crew", "endpoint": "/Crews", "schema": CREW,
            "schemaExtensions": [{"schema": CODE}, {"schema": RADIO}, {"schema": BADGE}],
            (ResourceTypeSpec::HINTS): {"nested": {RADIO: [CODE]}},
        })))
        .unwrap()
});

/// A type with an extension that stands in the container of another one, and one with secrets.
const CREW: &str = "urn:x:crew";
const RADIO: &str = "urn:x:radio";
const CODE: &str = "urn:x:code";
const BADGE: &str = "urn:x:badge";

/// A value of a simple attribute: few of each kind, so that two documents meet.
fn simple(data_type: DataType) -> BoxedStrategy<Value> {
    let texts = |texts: &'static [&'static str]| select(texts).prop_map(Value::from).boxed();
    match data_type {
        DataType::String => texts(&["a", "A", "b", "work", "home", "quote \" and ]", "c\u{e9}"]),
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::Integer => {
            select(vec![0_i64, 1, 9_007_199_254_740_992, 9_007_199_254_740_993]).prop_map(Value::from).boxed()
        }
        DataType::Decimal => select(vec![json!(1), json!(1.0), json!(1.5), json!(-2)]).boxed(),
        DataType::DateTime => texts(&["2011-05-13T04:42:34Z", "2011-05-13T04:42:34.000Z", "2020-01-01T00:00:00Z"]),
        DataType::Binary => texts(&["AQID", "aqid", "AQIDBA=="]),
        DataType::Reference => texts(&["Users/1", "users/1", "https://x.example/"]),
        DataType::Complex => Just(Value::Null).boxed(),
    }
}

fn value(attribute: &Attribute) -> BoxedStrategy<Value> {
    let one = match attribute.data_type {
        DataType::Complex => {
            let likely = if attribute.multi_valued { 0.6 } else { 0.5 };
            object(&attribute.sub_attributes, likely).boxed()
        }
        simple_type => simple(simple_type),
    };
    if attribute.multi_valued { proptest::collection::vec(one, 0..5).prop_map(Value::from).boxed() } else { one }
}

fn object(attributes: &[Attribute], likely: f64) -> BoxedStrategy<Value> {
    let mut members: BoxedStrategy<Map<String, Value>> = Just(Map::new()).boxed();
    for attribute in attributes {
        let name = attribute.name.as_str().to_owned();
        let given = if attribute.required {
            value(attribute).prop_map(Some).boxed()
        } else {
            proptest::option::weighted(likely, value(attribute)).boxed()
        };
        members = (members, given)
            .prop_map(move |(mut members, value)| {
                members.extend(value.map(|value| (name.clone(), value)));
                members
            })
            .boxed();
    }
    members.prop_map(Value::from).boxed()
}

/// At most one value of a list is primary.
fn one_primary(value: &mut Value) {
    match value {
        Value::Array(items) => {
            let primaries = items.iter_mut().filter(|item| item.get("primary") == Some(&json!(true)));
            primaries.skip(1).for_each(|item| item["primary"] = json!(false));
        }
        Value::Object(object) => object.values_mut().for_each(one_primary),
        _ => {}
    }
}

fn canonical(resource_type: &ResourceType, mut body: Value) -> Resource {
    one_primary(&mut body);
    body["schemas"] = json!([resource_type.schema.id.as_str()]);
    Admit::new(resource_type).trusted(body).unwrap()
}

/// A body of that type, not canonical yet.
fn body(resource_type: &ResourceType) -> BoxedStrategy<Value> {
    let mut whole = object(resource_type.attributes(), 0.4);
    for extension in &resource_type.extensions {
        let urn = extension.schema.id.as_str().to_owned();
        let inside = proptest::option::weighted(0.6, object(&extension.schema.attributes, 0.5));
        whole = (whole, inside)
            .prop_map(move |(mut whole, inside)| {
                whole.as_object_mut().unwrap().extend(inside.map(|inside| (urn.clone(), inside)));
                whole
            })
            .boxed();
    }
    whole
}

/// A document made of two: of each member the one, the other, or a mixture.
fn mixed(one: &Value, other: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            let member = |name: &String| {
                let (one, other) = (one.get(name), other.get(name));
                let chosen = match (choices.next().unwrap_or_default() % 4, one, other) {
                    (0, one, _) => one.cloned(),
                    (1, _, other) => other.cloned(),
                    (_, Some(one), Some(other)) => Some(mixed(one, other, choices)),
                    (_, one, None) => one.cloned(),
                    (_, None, other) => other.cloned(),
                };
                chosen.map(|value| (name.clone(), value))
            };
            names.cloned().collect::<Vec<_>>().iter().filter_map(member).collect::<Map<_, _>>().into()
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut items: Vec<Value> =
                one.iter().filter(|_| !choices.next().unwrap_or_default().is_multiple_of(5)).cloned().collect();
            for item in other {
                let at = usize::from(choices.next().unwrap_or_default());
                match (at % 4, items.len()) {
                    (0, _) => items.push(item.clone()),
                    (1, length @ 1..) => items[at % length] = mixed(&items[at % length].clone(), item, choices),
                    _ => {}
                }
            }
            items.into()
        }
        (one, other) => {
            if choices.next().unwrap_or_default().is_multiple_of(2) {
                one.clone()
            } else {
                other.clone()
            }
        }
    }
}

/// The document with one small thing changed in some of its lists: a value gone, more, primary or not, or with another
/// part.
fn nudged(one: &Value, other: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    let (Value::Object(one), other) = (one, other) else { return one.clone() };
    let mut nudged = one.clone();
    for (name, value) in &mut nudged {
        match value {
            Value::Object(_) if name.contains(':') => *value = self::nudged(value, &other[name.as_str()], choices),
            Value::Array(items) if choices.next().unwrap_or_default().is_multiple_of(2) => {
                nudge(items, other[name.as_str()].as_array().map(Vec::as_slice).unwrap_or_default(), choices);
            }
            _ => {}
        }
    }
    nudged.into()
}

fn nudge(items: &mut Vec<Value>, other: &[Value], choices: &mut impl Iterator<Item = u8>) {
    let mut choose = |length: usize| usize::from(choices.next().unwrap_or_default()) % length.max(1);
    let (at, from, what) = (choose(items.len()), choose(other.len()), choose(8));
    match (what, items.get_mut(at), other.get(from)) {
        (0, Some(_), _) => drop(items.remove(at)),
        (1, _, Some(other)) => items.push(other.clone()),
        (2 | 3, Some(Value::Object(_)), _) => {
            let primary = items[at]["primary"] == true;
            items.iter_mut().for_each(|item| item["primary"] = json!(false));
            items[at]["primary"] = json!(!primary);
        }
        (4, Some(Value::Object(item)), _) => {
            let name = item.keys().nth(choose(item.len())).cloned();
            name.and_then(|name| item.remove(&name));
        }
        (_, Some(Value::Object(item)), Some(Value::Object(other))) => {
            let part = other.iter().nth(choose(other.len()));
            item.extend(part.map(|(name, value)| (name.clone(), value.clone())));
        }
        (_, Some(item), Some(other)) => *item = other.clone(),
        _ => {}
    }
}

/// What is fixed once it was given, and what nobody can read, so that nobody can be expected to give it again.
fn stays(attribute: &Attribute) -> bool {
    attribute.mutability == Mutability::Immutable || attribute.is_hidden()
}

/// The document with what stays in the place where `before` has it.
fn with_what_stays(attributes: &[Attribute], before: &Map<String, Value>, after: &mut Map<String, Value>) {
    for attribute in attributes {
        let name = attribute.name.as_str();
        match (before.get(name), after.get_mut(name)) {
            (Some(old), _) if stays(attribute) => drop(after.insert(name.to_owned(), old.clone())),
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                with_what_stays(&attribute.sub_attributes, old, new)
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => {
                let old: BTreeMap<String, &Value> =
                    old.iter().map(|item| (attribute.element_key(item), item)).collect();
                for new in new {
                    if let (Some(Value::Object(old)), Value::Object(new)) = (old.get(&attribute.element_key(new)), new)
                    {
                        with_what_stays(&attribute.sub_attributes, old, new);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a secret is all that there is of an attribute: then it does not show, so that no PATCH can mean to remove it,
/// but a PUT does.
fn has_lone_secret(before: &Resource, seen: &Resource) -> bool {
    let lock = |resource: &Resource| resource.get(BADGE).and_then(|badge| badge.get("lock")).is_some();
    lock(before) && !lock(seen)
}

/// The resource without what nobody can read.
fn as_seen(resource_type: &ResourceType, resource: &Resource) -> Resource {
    fn seen(attributes: &[Attribute], object: &mut Map<String, Value>) {
        for attribute in attributes {
            let name = attribute.name.as_str();
            match object.get_mut(name) {
                Some(_) if attribute.is_hidden() => drop(object.remove(name)),
                Some(Value::Object(inside)) => seen(&attribute.sub_attributes, inside),
                _ => {}
            }
        }
    }
    let mut map = resource.as_map().clone();
    seen(resource_type.attributes(), &mut map);
    for extension in &resource_type.extensions {
        if let Some(Value::Object(inside)) = map.get_mut(extension.schema.id.as_str()) {
            seen(&extension.schema.attributes, inside);
        }
    }
    canonical(resource_type, map.into())
}

type Pair = (&'static ResourceType, Resource, Resource);

/// Two states of a resource of some type.
fn pair() -> impl Strategy<Value = Pair> {
    select(vec!["User", "Group", "Gadget", "Lab", "Crew"]).prop_flat_map(|name| {
        let resource_type = &**TYPES.resource_type(name).unwrap();
        (body(resource_type), body(resource_type), proptest::collection::vec(any::<u8>(), 200)).prop_map(
            move |(one, other, choices)| {
                let mut choices = choices.into_iter();
                let before = canonical(resource_type, one.clone());
                let near = choices.next().unwrap_or_default().is_multiple_of(2);
                let after = if near { nudged(&one, &other, &mut choices) } else { mixed(&one, &other, &mut choices) };
                (resource_type, before, canonical(resource_type, after))
            },
        )
    })
}

/// Two states, of which the later one has everything that stays.
fn pair_of_one_resource() -> impl Strategy<Value = Pair> {
    pair().prop_map(|(resource_type, before, after)| {
        let mut map = after.into_map();
        with_what_stays(resource_type.attributes(), before.as_map(), &mut map);
        for extension in &resource_type.extensions {
            let urn = extension.schema.id.as_str();
            let Some(Value::Object(old)) = before.get(urn) else { continue };
            let mut inside = map.remove(urn).and_then(|inside| inside.as_object().cloned()).unwrap_or_default();
            with_what_stays(&extension.schema.attributes, old, &mut inside);
            map.insert(urn.to_owned(), inside.into());
        }
        let after = canonical(resource_type, map.into());
        (resource_type, before, after)
    })
}

/// A document as the RFC compares it: lists as sets, `primary: false` as no word about it, numbers by what they are
/// worth, and without what only the server writes. Values of a list without `value` that differ in being primary only
/// are one.
fn comparable(attributes: &[Attribute], object: &Map<String, Value>) -> Value {
    let writable = attributes.iter().filter(|attribute| attribute.mutability != Mutability::ReadOnly);
    let given = writable.filter_map(|attribute| Some((attribute, object.get(attribute.name.as_str())?)));
    let members = given.filter_map(|(attribute, value)| {
        let value = comparable_value(attribute, value);
        let nothing = value == json!([]) || value == json!({}) || (value == false && attribute.name.is("primary"));
        (!nothing).then(|| (attribute.name.as_str().to_owned(), value))
    });
    Value::Object(members.collect())
}

fn comparable_value(attribute: &Attribute, value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| comparable_value(attribute, item)).collect();
            items.retain(|item| *item != json!({}));
            let primaries: Vec<Value> = items.iter().filter(|item| item["primary"] == true).cloned().collect();
            items.retain(|item| {
                primaries.iter().all(|primary| {
                    let mut demoted = primary.as_object().unwrap().clone();
                    demoted.remove("primary");
                    *item != Value::Object(demoted) || item.get("value").is_some()
                })
            });
            items.sort_by_key(Value::to_string);
            items.dedup();
            items.into()
        }
        Value::Object(object) => comparable(&attribute.sub_attributes, object),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap();
            if float.fract() == 0.0 { json!(float as i64) } else { value.clone() }
        }
        // What is immutable stays as it was spelled first.
        Value::String(text) if attribute.mutability == Mutability::Immutable && !attribute.case_exact => {
            scimwright_core::fold(text).into()
        }
        other => other.clone(),
    }
}

fn state(resource_type: &ResourceType, resource: &Resource) -> Value {
    let mut state = comparable(resource_type.attributes(), resource.as_map());
    state.as_object_mut().unwrap().remove("schemas");
    for extension in &resource_type.extensions {
        let urn = extension.schema.id.as_str();
        let inside = resource.get(urn).and_then(Value::as_object).cloned().unwrap_or_default();
        let inside = comparable(&extension.schema.attributes, &inside);
        if inside != json!({}) {
            state[urn] = inside;
        }
    }
    state
}

/// The state after the patch, which everybody who is strict takes, and whose every operation is needed.
#[track_caller]
fn patched(resource_type: &ResourceType, before: &Resource, patch: &PatchRequest) -> Result<Value, TestCaseError> {
    let strict = PatchOptions::default();
    let message = patch.to_json();
    let read = PatchRequest::from_json(message.clone(), &strict);
    prop_assert_eq!(read.as_ref(), Ok(patch), "read again: {}", message);
    let done = apply(resource_type, before, patch, &strict);
    let done = match done {
        Ok(done) => done,
        Err(error) => return Err(TestCaseError::fail(format!("{error}: {message}"))),
    };
    prop_assert!(done.changed && done.leniencies.is_empty() && done.ignored.is_empty(), "{}", message);
    let state = state(resource_type, &done.resource);
    let operations = message["Operations"].as_array().unwrap();
    for at in 0..operations.len() {
        let mut fewer = operations.clone();
        fewer.remove(at);
        let Ok(fewer) = PatchRequest::from_json(common::message(fewer.into()), &strict) else { continue };
        if let Ok(done) = apply(resource_type, before, &fewer, &strict) {
            prop_assert!(self::state(resource_type, &done.resource) != state, "operation {} is idle: {}", at, message);
        }
    }
    Ok(state)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_patch_makes_the_one_state_of_the_other((resource_type, before, after) in pair_of_one_resource()) {
        match diff(resource_type, &before, &after) {
            Ok(None) => prop_assert_eq!(state(resource_type, &before), state(resource_type, &after)),
            Ok(Some(patch)) => prop_assert_eq!(patched(resource_type, &before, &patch)?, state(resource_type, &after)),
            Err(error) => {
                // Values of a list that only one of the two has may say what they like, so this is about something
                // else.
                prop_assert!(matches!(error, AdmitError::Mutability(_)), "{}", error);
                prop_assert_eq!(Admit::new(resource_type).replace(after.into_map().into(), &before), Err(error));
            }
        }
    }

    #[test]
    fn a_patch_does_what_a_put_does((resource_type, before, after) in pair()) {
        let put = Admit::new(resource_type).replace(after.as_map().clone().into(), &before);
        match (diff(resource_type, &before, &after), put) {
            (Ok(None), Ok(put)) => prop_assert_eq!(state(resource_type, &before), state(resource_type, &put.resource)),
            (Ok(Some(patch)), Ok(put)) => {
                prop_assert_eq!(patched(resource_type, &before, &patch)?, state(resource_type, &put.resource));
            }
            (patch, put) => prop_assert_eq!(patch.unwrap_err(), put.unwrap_err()),
        }
    }

    #[test]
    fn secrets_that_nobody_reads_stay_as_with_a_put((resource_type, before, after) in pair()) {
        // Both states as a client sees them; the server has the secrets of the first.
        let (seen, wanted) = (as_seen(resource_type, &before), as_seen(resource_type, &after));
        prop_assume!(!has_lone_secret(&before, &seen));
        let Ok(put) = Admit::new(resource_type).replace(wanted.as_map().clone().into(), &before) else { return Ok(()) };
        let left = match diff(resource_type, &seen, &wanted).unwrap() {
            None => state(resource_type, &before),
            Some(patch) => {
                let done = apply(resource_type, &before, &patch, &PatchOptions::default());
                prop_assert!(done.is_ok(), "{:?}: {}", done, patch.to_json());
                state(resource_type, &done.unwrap().resource)
            }
        };
        prop_assert_eq!(left, state(resource_type, &put.resource));
    }

    #[test]
    fn there_is_nothing_to_do_between_equals((resource_type, before, _) in pair(), turn in any::<prop::sample::Index>()) {
        prop_assert_eq!(diff(resource_type, &before, &before), Ok(None));
        // Another order of every list, and every word about not being primary, say nothing new.
        fn reordered(value: &mut Value, turn: prop::sample::Index) {
            match value {
                Value::Array(items) if !items.is_empty() => {
                    let by = turn.index(items.len());
                    items.rotate_left(by);
                }
                Value::Object(object) => object.values_mut().for_each(|value| reordered(value, turn)),
                _ => {}
            }
        }
        let mut other = Value::Object(before.as_map().clone());
        // The order of what is immutable is part of it.
        other.as_object_mut().unwrap().remove("marks");
        reordered(&mut other, turn);
        prop_assert_eq!(diff(resource_type, &before, &canonical(resource_type, other)), Ok(None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_group_costs_what_changes(
        members in proptest::sample::subsequence((0..200).collect::<Vec<u16>>(), 100..150),
        left in proptest::sample::subsequence((0..200).collect::<Vec<u16>>(), 0..5),
        joined in proptest::sample::subsequence((200..300).collect::<Vec<u16>>(), 0..5),
    ) {
        let groups = TYPES.resource_type("Group").unwrap();
        let group = |members: &mut dyn Iterator<Item = &u16>| {
            let members: Vec<Value> = members.map(|id| json!({"value": id.to_string(), "type": "User"})).collect();
            canonical(groups, json!({"displayName": "g", "members": members}))
        };
        let before = group(&mut members.iter());
        let after = group(&mut members.iter().filter(|id| !left.contains(id)).chain(&joined));
        let left = left.iter().filter(|id| members.contains(id)).count();
        match diff(groups, &before, &after).unwrap() {
            None => prop_assert_eq!((left, joined.len()), (0, 0)),
            Some(patch) => {
                prop_assert_eq!(patched(groups, &before, &patch)?, state(groups, &after));
                prop_assert_eq!(patch.operations().len(), usize::from(left > 0) + usize::from(!joined.is_empty()));
                for operation in patch.operations() {
                    let values = operation.value.as_ref().map(|value| value.as_array().unwrap().len());
                    match operation.op {
                        Op::Add => prop_assert_eq!(values, Some(joined.len())),
                        other => prop_assert_eq!((other, values), (Op::Remove, None)),
                    }
                }
            }
        }
    }
}

fn members(ids: std::ops::Range<usize>) -> Resource {
    let members: Vec<Value> = ids.map(|id| json!({"value": format!("member-{id:028}"), "type": "User"})).collect();
    canonical(TYPES.resource_type("Group").unwrap(), json!({"displayName": "g", "members": members}))
}

#[test]
fn one_member_more_of_a_thousand_is_one_operation_with_one_value() {
    let groups = TYPES.resource_type("Group").unwrap();
    let patch = diff(groups, &members(0..1000), &members(0..1001)).unwrap().unwrap();
    assert_eq!(
        patch.to_json()["Operations"],
        json!([{"op": "add", "path": "members", "value": [{"value": "member-0000000000000000000000001000", "type": "User"}]}])
    );
    let patch = diff(groups, &members(0..1001), &members(0..1000)).unwrap().unwrap();
    let path = r#"members[value eq "member-0000000000000000000000001000"]"#;
    assert_eq!(patch.to_json()["Operations"], json!([{"op": "remove", "path": path}]));
}

#[test]
fn thousands_who_leave_are_told_in_filters_that_servers_take() {
    let groups = TYPES.resource_type("Group").unwrap();
    let (before, after) = (members(0..5000), members(4000..5100));
    let patch = diff(groups, &before, &after).unwrap().unwrap();
    // 4000 names of 35 letters, and 100 newcomers.
    assert_eq!(patch.operations().len(), 26);
    assert_eq!(patched_state(groups, &before, &patch), state(groups, &after));
}

#[track_caller]
fn patched_state(resource_type: &ResourceType, before: &Resource, patch: &PatchRequest) -> Value {
    let read = PatchRequest::from_json(patch.to_json(), &PatchOptions::default()).unwrap();
    state(resource_type, &apply(resource_type, before, &read, &PatchOptions::default()).unwrap().resource)
}

#[test]
fn members_that_no_filter_can_name_are_told_whole() {
    let groups = TYPES.resource_type("Group").unwrap();
    let group = |members: Value| canonical(groups, json!({"displayName": "g", "members": members}));
    let long = "x".repeat(9000);
    let before = group(json!([{"value": "1"}, {"value": long}, {"display": "nobody"}]));
    let after = group(json!([{"value": "1"}, {"value": "2"}]));
    let patch = diff(groups, &before, &after).unwrap().unwrap();
    assert_eq!(patch.operations().len(), 1);
    assert_eq!(patched_state(groups, &before, &patch), state(groups, &after));
    let before = group(json!([{"value": "1"}, {"value": long}]));
    let after = group(json!([{"value": "1"}, {"value": long, "display": "somebody"}]));
    let patch = diff(groups, &before, &after).unwrap().unwrap();
    assert_eq!(patched_state(groups, &before, &patch), state(groups, &after));
}

#[test]
fn a_secret_that_was_not_read_is_not_removed_with_what_it_stands_in() {
    let crews = TYPES.resource_type("Crew").unwrap();
    let crew = |badge: Value| canonical(crews, json!({BADGE: badge}));
    let operations = |before: Value, after: Value| {
        diff(crews, &crew(before), &crew(after)).unwrap().unwrap().to_json()["Operations"].clone()
    };
    assert_eq!(operations(json!({"no": "1"}), json!({})), json!([{"op": "remove", "path": "urn:x:badge:no"}]));
    // A PUT without `lock` leaves nothing of it, its secret neither.
    assert_eq!(
        operations(json!({"lock": {"door": "1", "floor": "2"}}), json!({})),
        json!([{"op": "remove", "path": "urn:x:badge:lock"}])
    );
    // But one with another `lock` leaves its secret.
    let left = operations(json!({"lock": {"door": "1", "floor": "2", "side": "l"}}), json!({"lock": {"model": "m"}}));
    assert_eq!(left.as_array().unwrap().len(), 4, "{left}");
}
