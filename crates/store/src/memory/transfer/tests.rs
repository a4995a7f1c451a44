use std::sync::mpsc;

use pollster::block_on;
use serde_json::json;

use super::*;
use crate::chain::{CHECKPOINT, Checkpoint};
use crate::{Change, Cut, Delta, Event, Fact, Member, Store, When, Write};

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn change() -> Change {
    Change::new("2026-01-01T00:00:00Z".parse().unwrap(), Event::default())
}

fn insert(resource_type: &str, id: &str, login: &str) -> Write {
    let document = json!({"displayName": id}).as_object().cloned().unwrap();
    let key = |path: &str, scope| IndexKey { path: path.to_owned(), value: login.to_owned(), scope };
    let draft = Draft {
        key: Key::new(resource_type, id),
        resource: scimwright_core::Resource::from_stored(document),
        index: vec![key("login", Scope::Global), key("name", Scope::Tenant), key("name", Scope::Many)],
        display: Some(id.to_owned()),
        notes: serde_json::Map::new(),
        created: None,
    };
    Write::Insert { draft, members: Delta::default() }
}

/// A store with a tenant `a` that has a group, a member of it, a fact and a log that was cut.
fn store() -> InMemory {
    let store = InMemory::default();
    let mut made = change().write(insert("User", "u", "ada")).write(insert("Group", "g", "team"));
    made.facts.push(Fact { name: "f".to_owned(), value: Some(json!(1)), when: When::Always });
    block_on(store.commit(&tenant("a"), made)).unwrap();
    let join = vec![Member { id: "u".to_owned(), ..Member::default() }];
    let members = Delta { join, ..Delta::default() };
    let join = Write::Members { group: Key::new("Group", "g"), members, expect: None };
    block_on(store.commit(&tenant("a"), change().write(join))).unwrap();
    let first = block_on(store.log(&tenant("a"), 0, 1)).unwrap().remove(0);
    let checkpoint = Checkpoint {
        tenant: "a".to_owned(),
        position: 1,
        hash: first.hash,
        time: String::new(),
        cuts_before: 0,
        previous: None,
        key: String::new(),
        signature: String::new(),
    };
    let mut cut = change();
    cut.cut = Some(Cut { through: 1, hash: first.hash });
    let value = serde_json::to_value(checkpoint).unwrap();
    cut.facts.push(Fact { name: CHECKPOINT.to_owned(), value: Some(value), when: When::Always });
    block_on(store.commit(&tenant("a"), cut)).unwrap();
    store
}

fn export(store: &InMemory, whose: &str) -> Vec<Item> {
    let (sender, items) = mpsc::channel();
    let sink = Box::new(move |item| sender.send(item).map_err(std::io::Error::other));
    block_on(store.export(&tenant(whose), sink)).unwrap();
    let (mut items, mut derived): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| !item.is_derived());
    // These come in any order.
    derived.sort_by_key(|item| format!("{item:?}"));
    items.append(&mut derived);
    items
}

fn import(store: &InMemory, whose: &str, items: Vec<Item>) -> Result<(), StoreError> {
    block_on(store.import(&tenant(whose), Box::new(items.into_iter().map(Ok))))
}

fn why(done: Result<(), StoreError>) -> String {
    match done.unwrap_err() {
        StoreError::Unavailable(source) => source.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn what_comes_in_is_what_went_out() {
    let (here, there) = (store(), InMemory::default());
    let items = export(&here, "a");
    assert_eq!(items.iter().filter(|item| item.is_derived()).count(), 2 + 4 + 4);
    import(&there, "a", items.clone()).unwrap();
    assert_eq!(export(&there, "a"), items);
    assert_eq!(block_on(there.tenants()).unwrap(), [tenant("a")]);
    // It lives on there as it would have here.
    let delete = || change().write(Write::Delete { key: Key::new("User", "u"), expect: None });
    for store in [&here, &there] {
        assert!(block_on(store.commit(&tenant("a"), change().write(insert("User", "v", "ada")))).is_err());
        block_on(store.commit(&tenant("a"), delete())).unwrap();
        block_on(store.commit(&tenant("a"), change().write(insert("User", "v", "ada")))).unwrap();
    }
    assert_eq!(export(&there, "a"), export(&here, "a"));
}

#[test]
fn what_is_erased_was_never_there() {
    let store = store();
    block_on(store.commit(&tenant("b"), change())).unwrap();
    let items = export(&store, "a");
    assert!(matches!(import(&store, "a", items.clone()), Err(StoreError::TenantExists)));
    assert!(matches!(block_on(store.erase(&tenant("a"))), Err(StoreError::Open)));
    block_on(store.commit(&tenant("a"), crate::Change { close: Some(true), ..change() })).unwrap();
    block_on(store.erase(&tenant("a"))).unwrap();
    assert_eq!(block_on(store.tenants()).unwrap(), [tenant("b")]);
    assert!(export(&store, "a").is_empty());
    block_on(store.commit(&tenant("b"), change().write(insert("User", "w", "ada")))).unwrap();
    // Somebody else has the name by now.
    assert!(matches!(import(&store, "a", items), Err(StoreError::Conflict { path, holder: None }) if path == "login"));
    assert!(export(&store, "a").is_empty());
}

#[test]
fn what_does_not_fit_together_stays_outside() {
    let whole: Vec<Item> = export(&store(), "a").into_iter().filter(|item| !item.is_derived()).collect();
    let without = |leave_out: fn(&Item) -> bool| whole.iter().filter(|item| !leave_out(item)).cloned().collect();
    let cases: [(Vec<Item>, &str); 7] = [
        (Vec::new(), "there is nothing"),
        (without(|item| matches!(item, Item::Head { .. })), "Records after Nothing"),
        (without(|item| matches!(item, Item::Entry(_))), "the log ends at 1 and not at 3"),
        (
            without(|item| matches!(item, Item::Record { draft, .. } if draft.key.id == "u")),
            "`u` cannot be a member of `g`",
        ),
        (
            without(|item| matches!(item, Item::Fact { name, .. } if name == CHECKPOINT)),
            "entry 1 of the log is missing",
        ),
        ([whole.clone(), whole.clone()].concat(), "Head after Entries"),
        (
            whole
                .iter()
                .flat_map(|item| match item {
                    Item::Record { .. } => vec![item.clone(), item.clone()],
                    other => vec![other.clone()],
                })
                .collect(),
            "there are two records",
        ),
    ];
    for (items, reason) in cases {
        let store = InMemory::default();
        let said = why(import(&store, "a", items));
        assert!(said.contains(reason), "{said}");
        assert!(block_on(store.tenants()).unwrap().is_empty());
    }
    // A log belongs to its tenant.
    let said = why(import(&InMemory::default(), "b", export(&uncut(), "a")));
    assert!(said.contains("the hash of entry 1 of the log does not follow"), "{said}");
}

/// A store in which the tenant `a` has one entry of the log and nothing else.
fn uncut() -> InMemory {
    let store = InMemory::default();
    block_on(store.commit(&tenant("a"), change())).unwrap();
    store
}

#[test]
fn a_source_or_a_sink_that_fails_ends_it() {
    let store = store();
    let failing = vec![Ok(Item::Head { position: 0, closed: false }), Err(std::io::Error::other("torn"))];
    assert_eq!(why(block_on(store.import(&tenant("b"), Box::new(failing.into_iter())))), "torn");
    let sink = Box::new(|_| Err(std::io::Error::other("full")));
    assert_eq!(why(block_on(store.export(&tenant("a"), sink))), "full");
}
