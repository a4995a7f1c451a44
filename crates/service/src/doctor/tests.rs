use std::collections::BTreeSet;
use std::sync::mpsc;

use pollster::block_on;
use scimwright_core::Resource;
use scimwright_core::Selection;
use scimwright_store::{Event, InMemory, Item, Key, Logged, Member, Version};
use serde_json::{Value, json};

use super::*;
use crate::{Context, Deletion, Operation, Plain, Service};

/// Users have a key of everybody, and are retired when they are deleted.
#[derive(Debug)]
struct Rules;

impl Policy for Rules {
    fn keys(&self, of: &scimwright_core::ResourceType, resource: &Resource) -> Vec<scimwright_store::IndexKey> {
        let name = resource.get("userName").and_then(Value::as_str).filter(|_| of.name == "User");
        let key = |name: &str| scimwright_store::IndexKey {
            path: "login".to_owned(),
            value: name.to_owned(),
            scope: scimwright_store::Scope::Global,
        };
        name.map(key).into_iter().collect()
    }

    fn deletion(&self, record: &scimwright_store::Record) -> Deletion {
        if record.key.resource_type == "User" { Deletion::Retire } else { Deletion::Remove }
    }
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// Two users and one who was retired, two groups of which one has members, and a log of all that.
fn items() -> Vec<Item> {
    let store = Arc::new(InMemory::default());
    let service = Service::over(Catalog::standard(), store.clone());
    let context = Context::new(tenant(), "tests", "https://example.com").policy(Arc::new(Rules));
    let create = |of: &str, mut body: Value| {
        let resource_type = service.resource_type(of).unwrap();
        body["schemas"] = json!([resource_type.schema.id.as_str()]);
        let create = Operation::Create { resource_type, body, selection: Selection::default() };
        let reply = block_on(service.handle(&context, create)).unwrap();
        reply.body.unwrap().get("id").and_then(|id| id.as_str()).unwrap().to_owned()
    };
    let ada = create("User", json!({"userName": "ada", "externalId": "a", "emails": [{"value": "a@x.example"}]}));
    let bob = create("User", json!({"userName": "bob", "displayName": "Bob"}));
    let eve = create("User", json!({"userName": "eve"}));
    create("Group", json!({"displayName": "crew", "members": [{"value": ada}, {"value": bob}]}));
    create("Group", json!({"displayName": "empty"}));
    let delete = Operation::Delete { resource_type: service.resource_type("User").unwrap(), id: eve, expect: None };
    block_on(service.handle(&context, delete)).unwrap();
    let (sender, items) = mpsc::channel();
    let sink = Box::new(move |item| sender.send(item).map_err(std::io::Error::other));
    block_on(store.export(&tenant(), sink)).unwrap();
    let mut items: Vec<Item> = items.into_iter().collect();
    let keys = items.iter().filter(|item| matches!(item, Item::Key { path, .. } if path == "userName")).count() as u64;
    items.push(Item::Keyed { resource_type: "User".into(), path: "userName".into(), count: keys });
    let others: BTreeSet<_> = items
        .iter()
        .filter_map(|item| match item {
            Item::Key { resource_type, path, .. } => Some((resource_type.clone(), path.clone())),
            _ => None,
        })
        .filter(|key| *key != ("User".to_owned(), "userName".to_owned()))
        .collect();
    for (resource_type, path) in others {
        let of = |item: &&Item| matches!(item, Item::Key { resource_type: of, path: by, .. } if *of == resource_type && *by == path);
        let count = items.iter().filter(of).count() as u64;
        items.push(Item::Keyed { resource_type, path, count });
    }
    items
}

fn doctor() -> Doctor {
    Doctor::new(Arc::new(Catalog::standard()), Arc::new(Rules)).trust(|checkpoint| match checkpoint.key.as_str() {
        "ours" => Ok(()),
        _ => Err("nobody vouches for it".to_owned()),
    })
}

/// What is found, knowing so many records at a time.
fn examine(items: &[Item], most: usize) -> Diagnosis {
    let mut examination = Box::new(Examination::knowing(most, doctor(), &tenant()));
    loop {
        items.iter().cloned().for_each(|item| examination.see(item));
        match (*examination).next() {
            Ok(next) => examination = next,
            Err(diagnosis) => return diagnosis,
        }
    }
}

/// The names of what is found, however many records are known at a time.
#[track_caller]
fn names(items: &[Item]) -> Vec<&'static str> {
    let mut all: Vec<_> = [1_000, 2, 1]
        .map(|most| {
            let mut found = examine(items, most).findings;
            found.sort();
            found
        })
        .into();
    let first = all.remove(0);
    assert!(all.iter().all(|other| *other == first), "{first:?} and {all:?}");
    for finding in &first {
        assert!(!finding.advice().is_empty() && !finding.to_string().is_empty());
        assert_eq!(serde_json::to_value(finding).unwrap()["finding"], finding.name());
    }
    first.iter().map(Finding::name).collect()
}

#[test]
fn what_fits_together_is_healthy() {
    let diagnosis = examine(&items(), 1_000);
    assert_eq!(diagnosis.findings, []);
    assert_eq!((diagnosis.records, diagnosis.members, diagnosis.entries, diagnosis.position), (5, 2, 6, 6));
    assert_eq!(names(&items()), Vec::<&str>::new());
    assert_eq!(examine(&[], 1).findings, []);
}

/// Changes the first item for which there is a change.
fn damage(change: impl Fn(&mut Item) -> bool) -> Vec<Item> {
    let mut items = items();
    assert!(items.iter_mut().any(change), "there is nothing to damage");
    items
}

fn without(which: impl Fn(&Item) -> bool) -> Vec<Item> {
    let mut items = items();
    let at = items.iter().position(which).unwrap();
    items.remove(at);
    items
}

fn with(item: Item) -> Vec<Item> {
    let mut items = items();
    items.push(item);
    items
}

fn key_of(id: &str) -> (String, String, String, String) {
    ("User".into(), "userName".into(), "mallory".into(), id.into())
}

/// Damages the first record of that type.
fn record(of: &str, change: impl Fn(&mut scimwright_store::Draft, &mut Version, &mut u64)) -> Vec<Item> {
    damage(|item| match item {
        Item::Record { draft, version, member_count, .. } if draft.key.resource_type == of => {
            change(draft, version, member_count);
            true
        }
        _ => false,
    })
}

#[test]
fn every_damage_to_indexes_is_found_by_its_name() {
    let (resource_type, path, value, id) = key_of("nobody");
    let stray = Item::Key { resource_type, path, value, id };
    assert_eq!(names(&with(stray)), ["key-stray", "key-count"]);
    assert_eq!(names(&without(|item| matches!(item, Item::Key { .. }))), ["key-missing", "key-count"]);
    for wanted in [true, false] {
        let unique = |item: &Item| matches!(item, Item::Unique { global, .. } if *global == wanted);
        assert_eq!(names(&without(unique)), ["unique-missing"]);
        let (resource_type, path, value, id) = key_of("nobody");
        let resource_type = if wanted { String::new() } else { resource_type };
        assert_eq!(names(&with(Item::Unique { global: wanted, resource_type, path, value, id })), ["unique-stray"]);
    }
    // Somebody else has what is his.
    let stolen = damage(|item| match item {
        Item::Unique { id, .. } => {
            *id = "mallory".into();
            true
        }
        _ => false,
    });
    assert_eq!(names(&stolen), ["unique-missing", "unique-stray"]);
    let renamed = record("User", |draft, _, _| draft.resource.put("userName", "mallory".into()));
    assert_eq!(names(&renamed)[0], "stale-index");
    let named = record("Group", |draft, _, _| draft.display = Some("other".into()));
    assert_eq!(names(&named), ["stale-display"]);
    let retired = record("User~retired", |draft, _, _| draft.index.clear());
    assert!(names(&retired).contains(&"stale-index"));
}

#[test]
fn every_damage_to_counters_is_found_by_its_name() {
    let count = damage(|item| match item {
        Item::Count { count, .. } => {
            *count += 1;
            true
        }
        _ => false,
    });
    assert_eq!(names(&count), ["record-count"]);
    let keyed = damage(|item| match item {
        Item::Keyed { count, .. } => {
            *count += 1;
            true
        }
        _ => false,
    });
    assert_eq!(names(&keyed), ["key-count"]);
    assert_eq!(names(&without(|item| matches!(item, Item::Keyed { .. }))), ["key-count"]);
    assert_eq!(names(&without(|item| matches!(item, Item::Count { .. }))), ["record-count"]);
    assert_eq!(names(&record("Group", |_, _, count| *count += 1)), ["member-count"]);
    assert_eq!(names(&without(|item| matches!(item, Item::Member { .. }))), ["member-count"]);
    assert_eq!(names(&record("User", |_, version, _| version.0 = 7)), ["future-version"]);
}

#[test]
fn every_damage_to_memberships_is_found_by_its_name() {
    let member = |change: fn(&mut String, &mut Member)| {
        damage(|item| match item {
            Item::Member { group, member } => {
                change(group, member);
                true
            }
            _ => false,
        })
    };
    assert_eq!(names(&member(|_, member| member.id = "nobody".into())), ["member-missing"]);
    assert_eq!(names(&member(|_, member| member.resource_type = "Group".into())), ["member-type"]);
    assert_eq!(names(&member(|group, _| *group = "nothing".into())), ["member-count", "group-missing"]);
    let mut in_himself = items();
    let user = in_himself.iter().find_map(|item| match item {
        Item::Member { member, .. } => Some(member.clone()),
        _ => None,
    });
    let user = user.unwrap();
    in_himself.push(Item::Member { group: user.id.clone(), member: user });
    assert_eq!(names(&in_himself), ["member-count", "not-a-group"]);
    let other = record("Group", |draft, _, _| draft.key.resource_type = "Crew".into());
    assert!(names(&other).contains(&"unknown-type"));
}

#[test]
fn every_damage_to_the_log_is_found_by_its_name() {
    let entry = |at: u64, change: fn(&mut Event)| {
        damage(|item| match item {
            Item::Entry(Logged { position, event, .. }) if *position == at => {
                change(event);
                true
            }
            _ => false,
        })
    };
    assert_eq!(names(&entry(2, |event| event.actor = "somebody else".into())), ["chain"]);
    let gone = |at: u64| without(move |item| matches!(item, Item::Entry(logged) if logged.position == at));
    assert_eq!(names(&gone(1)), ["chain"]);
    assert_eq!(names(&gone(3)), ["chain"]);
    // Nothing follows the last one, but the store knows that it was there.
    assert_eq!(names(&gone(6)), ["position"]);
    let cut = |whose: &str, key: &str| {
        let mut items = items();
        let hash = items.iter().find_map(|item| match item {
            Item::Entry(logged) if logged.position == 2 => Some(logged.hash),
            _ => None,
        });
        items.retain(|item| !matches!(item, Item::Entry(logged) if logged.position <= 2));
        let value = json!({"tenant": whose, "position": 2, "hash": hash.unwrap(), "time": "", "key": key});
        let at = items.iter().position(|item| matches!(item, Item::Entry(_))).unwrap();
        items.insert(at, Item::Fact { name: scimwright_store::chain::CHECKPOINT.into(), value });
        items
    };
    assert_eq!(names(&cut("acme", "ours")), Vec::<&str>::new());
    assert_eq!(names(&cut("acme", "theirs")), ["checkpoint"]);
    assert_eq!(names(&cut("globex", "ours")), ["checkpoint"]);
}

#[test]
fn what_everything_lacks_is_told_in_part() {
    let mut items = items();
    let one = items.iter().find(|item| matches!(item, Item::Record { .. })).cloned().unwrap();
    let Item::Record { draft, version, modified, .. } = one else { unreachable!() };
    for number in 0..3_000 {
        let mut draft = draft.clone();
        draft.key = Key::new("Group", format!("g{number}"));
        items.insert(1, Item::Record { draft, version, modified, member_count: 0 });
    }
    let diagnosis = examine(&items, 1_000_000);
    assert_eq!(diagnosis.findings.len(), MOST);
    assert!(diagnosis.omitted > 1_000, "{}", diagnosis.omitted);
}

#[test]
fn a_store_is_examined_without_being_asked_twice_when_it_is_well() {
    let diagnosis =
        block_on(Doctor::new(Arc::new(Catalog::standard()), Arc::new(Plain)).examine(&InMemory::default(), &tenant()));
    assert_eq!(diagnosis.unwrap().findings, []);
}
