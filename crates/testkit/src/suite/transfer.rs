//! Whole tenants, out of a store and into another: what every [`Transfer`] promises. See [`transfer_suite!`](crate::transfer_suite).

use std::io;
use std::sync::{Arc, mpsc};

use pollster::block_on;
use scimwright_core::Instant;
use scimwright_store::{Delta, Draft, Guard, Item, Key, Scope, StoreError, TenantId, Transfer, Version, When, Write};
use serde_json::{Value, json};

use super::at::{At, delete, event, fact, index_key, insert, keyed, members, replace, titled, user_key};
use super::closing::close;
use super::log::{cut, verified};
use super::sample::{change, group, join, joining, tenant, time, user};

/// Where stores come from, each with nothing in it.
pub type Fresh<'f> = &'f dyn Fn() -> Arc<dyn Transfer>;

/// A case of the suite for transfers: it panics when the store breaks its promise.
pub type Case = fn(Fresh<'_>);

/// The tenant of that name in a store.
fn at(store: &Arc<dyn Transfer>, whose: &str) -> At {
    At { store: Arc::clone(store) as Arc<dyn scimwright_store::Store>, whose: tenant(whose) }
}

/// Everything of a tenant; what is derived sorted, for it comes in any order.
fn export(store: &Arc<dyn Transfer>, whose: &str) -> Vec<Item> {
    let (sender, items) = mpsc::channel();
    let sink = Box::new(move |item| sender.send(item).map_err(io::Error::other));
    block_on(store.export(&tenant(whose), sink)).unwrap();
    let (mut items, mut derived): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| !item.is_derived());
    derived.sort_by_key(|item| format!("{item:?}"));
    items.append(&mut derived);
    items
}

fn import(store: &Arc<dyn Transfer>, whose: &str, items: &[Item]) -> Result<(), StoreError> {
    block_on(store.import(&tenant(whose), Box::new(Vec::from(items).into_iter().map(Ok))))
}

fn tenants(store: &Arc<dyn Transfer>) -> Vec<String> {
    let tenants: Vec<TenantId> = block_on(store.tenants()).unwrap();
    tenants.into_iter().map(|tenant| tenant.to_string()).collect()
}

/// A record of everything: times of every precision, notes, hard texts, groups in groups, other types, facts, and a log that was cut.
fn fill(at: &At) {
    let long_ago: Instant = time("2001-02-03T04:05:06.000000007Z");
    let mut ada = Draft { created: Some(long_ago), ..titled("1", "ada", "Countess \u{0}\u{1}\u{e9}'\"\\") };
    ada.index.push(index_key("login", &format!("{}'s", at.whose), Scope::Global));
    ada.notes.insert("origin".to_owned(), json!({"n": [1, 0.25, u64::MAX, null]}));
    at.does([insert(ada), user("2", "grace"), group("g", &["1", "2"]), group("h", &["2", "g"])]);
    let mut unnamed = keyed("Device", "\u{10000}d", &[("serial", "7", Scope::Tenant)]);
    unnamed.display = None;
    at.does([insert(unnamed), user("3", "jean")]);
    let named = Delta { exclusive: true, ..joining(&["\u{10000}d", "1"]) };
    let mut moves = change([members("h", named), delete(user_key("3"))]);
    moves.time = time("2026-03-04T05:06:07.089Z");
    moves.events.push(event("second"));
    moves.facts.push(fact("known", Some(json!({"so": ["far", 0.5]})), When::Absent));
    moves.facts.push(fact("linked", Some(json!("\u{0}")), When::Absent));
    at.change(moves).unwrap();
    at.tries([user("4", "ada")]).expect_err("the name is taken");
    let second = at.log(1, 1)[0].hash;
    at.change(cut(at, 2, second)).unwrap();
}

/// What goes into another store is what came out of the first: ids, versions, times, members, facts, log and hashes.
pub fn what_is_taken_in_is_what_came_out(fresh: Fresh<'_>) {
    let (from, to) = (fresh(), fresh());
    for name in ["a", "A", "b"] {
        fill(&at(&from, name));
    }
    at(&to, "b").does([user("1", "ada")]);
    let theirs = at(&to, "b").everything();
    for name in ["a", "A"] {
        let items = export(&from, name);
        import(&to, name, &items).unwrap();
        assert_eq!(at(&to, name).everything(), at(&from, name).everything(), "{name}");
        let device = Key::new("Device", "\u{10000}d");
        assert_eq!(at(&to, name).record(&device), at(&from, name).record(&device));
        assert_eq!(verified(&at(&to, name)), verified(&at(&from, name)));
        assert_eq!(export(&to, name), items, "{name}");
    }
    assert_eq!(at(&to, "b").everything(), theirs);
    assert_eq!(tenants(&to), ["A", "a", "b"]);
}

/// A tenant that was taken in goes on where it was: positions, keys, seats, memberships and what is found by keys.
pub fn a_tenant_goes_on_where_it_was(fresh: Fresh<'_>) {
    let (from, to) = (fresh(), fresh());
    fill(&at(&from, "a"));
    import(&to, "a", &export(&from, "a")).unwrap();
    for store in [&from, &to] {
        let at = at(store, "a");
        assert_eq!(at.ids("User", r#"userName eq "ada""#), ["1"]);
        assert_eq!(at.ids("Group", r#"members.value eq "2""#), ["g", "h"]);
        assert_eq!(at.ids("User", r#"groups.value eq "h""#), ["1", "2"]);
        let taken = |write: Write| assert!(matches!(at.tries([write]), Err(StoreError::Conflict { .. })));
        taken(user("4", "ADA"));
        taken(group("1", &[]));
        taken(insert(keyed("Device", "e", &[("serial", "7", Scope::Tenant)])));
        taken(insert(keyed("User", "4", &[("login", "a's", Scope::Global)])));
        let mut full = change([user("3", "jean")]);
        full.guards.push(Guard::AtMost { resource_type: "User".to_owned(), limit: 2 });
        assert!(matches!(at.change(full.clone()), Err(StoreError::Guard { .. })));
        full.guards = vec![Guard::AtMost { resource_type: "User".to_owned(), limit: 3 }];
        assert_eq!(at.change(full).unwrap().version, Version(6));
        at.does([replace(titled("1", "augusta", ""), Version(1)), join("g", &["3"]), delete(user_key("2"))]);
        verified(&at);
    }
    assert_eq!(at(&to, "a").everything(), at(&from, "a").everything());
    assert_eq!(export(&to, "a"), export(&from, "a"));
}

/// Items come in their order: the head, records, members, facts, entries, and last what is derived from them.
pub fn items_come_in_their_order(fresh: Fresh<'_>) {
    let store = fresh();
    fill(&at(&store, "a"));
    fill(&at(&store, "b"));
    let (sender, items) = mpsc::channel();
    block_on(store.export(&tenant("a"), Box::new(move |item| sender.send(item).map_err(io::Error::other)))).unwrap();
    let place = |item: &Item| match item {
        Item::Head { .. } => (0, String::new(), String::new()),
        Item::Record { draft, .. } => (1, draft.key.resource_type.clone(), draft.key.id.clone()),
        Item::Member { group, member } => (2, group.clone(), member.id.clone()),
        Item::Fact { name, .. } => (3, name.clone(), String::new()),
        Item::Entry(logged) => (4, format!("{:020}", logged.position), String::new()),
        _ => (5, String::new(), String::new()),
    };
    let places: Vec<_> = items.into_iter().map(|item| place(&item)).collect();
    assert!(places.is_sorted(), "{places:?}");
    let many = |which| places.iter().filter(|(kind, ..)| *kind == which).count();
    assert_eq!([many(0), many(1), many(2), many(3), many(4)], [1, 5, 5, 3, 3], "{places:?}");
    assert!(export(&store, "nobody").is_empty());
}

/// A tenant that is there is not written over, and nothing of it changes; nor is anything taken in under another name.
pub fn a_tenant_that_is_there_is_not_written_over(fresh: Fresh<'_>) {
    let (from, to) = (fresh(), fresh());
    fill(&at(&from, "a"));
    let items = export(&from, "a");
    at(&to, "a").does([user("9", "annie")]);
    let before = at(&to, "a").everything();
    let refused = import(&to, "a", &items);
    assert!(matches!(refused, Err(StoreError::TenantExists)), "{refused:?}");
    assert_eq!(at(&to, "a").everything(), before);
    let refused = import(&from, "a", &items);
    assert!(matches!(refused, Err(StoreError::TenantExists)), "{refused:?}");
    // The log is the other's, and so is its checkpoint.
    assert!(import(&to, "b", &uncut(fresh, "a")).is_err());
    assert_eq!((tenants(&to), at(&to, "b").position()), (vec!["a".to_owned()], 0));
}

/// Everything of a tenant whose log was never cut.
fn uncut(fresh: Fresh<'_>, whose: &str) -> Vec<Item> {
    let store = fresh();
    at(&store, whose).does([user("1", "ada"), user("2", "grace"), group("g", &["1", "2"])]);
    at(&store, whose).does([]);
    export(&store, whose)
}

/// A source that breaks off leaves nothing, wherever it does: no record, no key, no place in the log.
pub fn a_source_that_breaks_leaves_nothing(fresh: Fresh<'_>) {
    let (from, to) = (fresh(), fresh());
    fill(&at(&from, "a"));
    let items = export(&from, "a");
    let nobody = at(&to, "a").everything();
    for length in 0..items.len() {
        let part = Vec::from(&items[..length]).into_iter().map(Ok);
        let source = Box::new(part.chain([Err(io::Error::other("the line is dead"))]));
        let broken = block_on(to.import(&tenant("a"), source));
        assert!(matches!(broken, Err(StoreError::Unavailable(_))), "after {length}: {broken:?}");
        assert_eq!(at(&to, "a").everything(), nobody, "after {length}");
    }
    assert_eq!(tenants(&to), [""; 0]);
    // Nothing is held of it: the key of everybody's is free, and the whole can come.
    at(&to, "b").does([insert(keyed("User", "1", &[("login", "a's", Scope::Global)]))]);
    at(&to, "b").does([delete(user_key("1"))]);
    import(&to, "a", &items).unwrap();
    assert_eq!(at(&to, "a").everything(), at(&from, "a").everything());
}

/// What makes a list of items one that does not fit together.
type Damage = (&'static str, fn(&mut Vec<Item>));

const DAMAGES: [Damage; 6] = [
    ("nothing at all", |items| items.clear()),
    ("no head", |items| drop(items.remove(0))),
    ("no entry", |items| items.retain(|item| !matches!(item, Item::Entry(logged) if logged.position == 2))),
    ("no first entry", |items| items.retain(|item| !matches!(item, Item::Entry(logged) if logged.position == 1))),
    ("another word in an entry", |items| {
        for item in items {
            if let Item::Entry(logged) = item {
                logged.event.actor.push('x');
            }
        }
    }),
    ("a member that is not there", |items| {
        items.retain(|item| !matches!(item, Item::Record { draft, .. } if draft.key.id == "1"));
    }),
];

/// Items that do not fit together are refused, and leave nothing.
pub fn what_does_not_fit_together_stays_outside(fresh: Fresh<'_>) {
    let whole = uncut(fresh, "a");
    let store = fresh();
    let nobody = at(&store, "a").everything();
    for (what, damage) in DAMAGES {
        let mut items = whole.clone();
        damage(&mut items);
        let refused = import(&store, "a", &items);
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{what}: {refused:?}");
        assert_eq!((at(&store, "a").everything(), tenants(&store)), (nobody.clone(), vec![]), "{what}");
    }
    import(&store, "a", &whole).unwrap();
}

/// A key of everybody's that somebody has in the new place is a conflict, and nothing comes in.
pub fn a_key_that_is_taken_keeps_a_tenant_outside(fresh: Fresh<'_>) {
    let (from, to) = (fresh(), fresh());
    fill(&at(&from, "a"));
    at(&to, "b").does([insert(keyed("User", "1", &[("login", "a's", Scope::Global)]))]);
    let (items, before) = (export(&from, "a"), at(&to, "b").everything());
    let refused = import(&to, "a", &items);
    assert!(matches!(refused, Err(StoreError::Conflict { ref path, .. }) if path == "login"), "{refused:?}");
    assert_eq!((at(&to, "b").everything(), tenants(&to)), (before, vec!["b".to_owned()]));
    at(&to, "b").does([delete(user_key("1"))]);
    import(&to, "a", &items).unwrap();
}

/// A sink that breaks ends the export, and the store goes on.
pub fn a_sink_that_breaks_ends_the_export(fresh: Fresh<'_>) {
    let store = fresh();
    fill(&at(&store, "a"));
    let whole = export(&store, "a");
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        let mut left = length;
        let sink = Box::new(move |_| {
            left = left.checked_sub(1).ok_or_else(|| io::Error::other("the disk is full"))?;
            Ok(())
        });
        let broken = block_on(store.export(&tenant("a"), sink));
        assert!(matches!(broken, Err(StoreError::Unavailable(_))), "after {length}: {broken:?}");
    }
    assert_eq!(export(&store, "a"), whole);
    at(&store, "a").does([user("9", "annie")]);
}

/// A tenant that is open cannot be erased, and nothing of it changes.
pub fn only_a_closed_tenant_is_erased(fresh: Fresh<'_>) {
    let store = fresh();
    fill(&at(&store, "a"));
    let whole = export(&store, "a");
    let refused = block_on(store.erase(&tenant("a")));
    assert!(matches!(refused, Err(StoreError::Open)), "{refused:?}");
    assert_eq!(export(&store, "a"), whole);
    at(&store, "a").does([user("9", "annie")]);
    at(&store, "a").change(close(true)).unwrap();
    block_on(store.erase(&tenant("a"))).unwrap();
    assert_eq!(tenants(&store), [""; 0]);
}

/// A tenant that is closed is so where it comes to, until it is opened there.
pub fn closedness_moves_along(fresh: Fresh<'_>) {
    let (from, to) = (fresh(), fresh());
    fill(&at(&from, "a"));
    let is_closed = |items: &[Item]| matches!(items.first(), Some(Item::Head { closed: true, .. }));
    assert!(!is_closed(&export(&from, "a")));
    at(&from, "a").change(close(true)).unwrap();
    let items = export(&from, "a");
    assert!(is_closed(&items));
    import(&to, "a", &items).unwrap();
    assert_eq!(export(&to, "a"), items);
    let (from, to) = (at(&from, "a"), at(&to, "a"));
    for at in [&from, &to] {
        assert!(matches!(at.tries([user("9", "annie")]), Err(StoreError::Closed)));
    }
    to.change(close(false)).unwrap();
    to.does([user("9", "annie")]);
    assert!(matches!(from.tries([user("9", "annie")]), Err(StoreError::Closed)));
    verified(&to);
}

/// A tenant that is erased was never there; the others are as they were, and it can come to be again.
pub fn an_erased_tenant_was_never_there(fresh: Fresh<'_>) {
    let store = fresh();
    for name in ["a", "b", "A"] {
        fill(&at(&store, name));
    }
    let (gone, whole) = (at(&store, "a"), export(&store, "a"));
    let others = ["b", "A"].map(|name| at(&store, name).everything());
    gone.change(close(true)).unwrap();
    block_on(store.erase(&gone.whose)).unwrap();
    assert_eq!(tenants(&store), ["A", "b"]);
    assert_eq!(["b", "A"].map(|name| at(&store, name).everything()), others);
    assert_eq!(gone.everything(), at(&store, "nobody").everything());
    assert!(export(&store, "a").is_empty() && !gone.is_there(&user_key("1")));
    // Erasing nobody is nothing.
    block_on(store.erase(&gone.whose)).unwrap();
    block_on(store.erase(&tenant("nobody"))).unwrap();
    assert_eq!(tenants(&store), ["A", "b"]);
    // Nobody who is late brings it back.
    assert!(matches!(gone.tries([user("1", "ada")]), Err(StoreError::Closed)));
    assert_eq!((tenants(&store), gone.position()), (vec!["A".to_owned(), "b".to_owned()], 0));
    // Its keys are free, its log begins anew, and its seats are empty.
    let mut first = change([insert(keyed("User", "1", &[("login", "a's", Scope::Global)]))]);
    first.guards.push(Guard::AtMost { resource_type: "User".to_owned(), limit: 1 });
    first.close = Some(false);
    assert_eq!(gone.change(first).unwrap().version, Version(1));
    assert_eq!(verified(&gone).entries, 1);
    gone.change(close(true)).unwrap();
    block_on(store.erase(&gone.whose)).unwrap();
    import(&store, "a", &whole).unwrap();
    assert_eq!(export(&store, "a"), whole);
}

/// Tenants are those that have ever committed anything, in the order of their names.
pub fn tenants_are_those_that_have_committed(fresh: Fresh<'_>) {
    let store = fresh();
    assert_eq!(tenants(&store), [""; 0]);
    for name in ["b", "a", "B", "~", "0", "a%"] {
        at(&store, name).does([]);
    }
    at(&store, "failed").tries([delete(user_key("1"))]).expect_err("it is not there");
    assert!(!at(&store, "looked").is_there(&user_key("1")));
    assert_eq!(tenants(&store), ["0", "B", "a", "a%", "b", "~"]);
    at(&store, "a").does([user("1", "ada")]);
    at(&store, "a").does([delete(user_key("1"))]);
    assert_eq!(tenants(&store).len(), 6);
}

/// An archive of items, one a line, is the tenant as well.
pub fn an_archive_is_the_tenant(fresh: Fresh<'_>) {
    let (from, to) = (fresh(), fresh());
    fill(&at(&from, "a"));
    let lines: Vec<String> = export(&from, "a").iter().map(|item| serde_json::to_string(item).unwrap()).collect();
    let items: Vec<Item> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    import(&to, "a", &items).unwrap();
    assert_eq!(at(&to, "a").everything(), at(&from, "a").everything());
    assert_eq!(at(&to, "a").fact("linked"), Some(Value::from("\u{0}")));
}
