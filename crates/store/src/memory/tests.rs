use pollster::block_on;
use serde_json::json;

use super::*;
use crate::{Event, Fact, When};

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn time(second: u32) -> Instant {
    format!("2026-01-01T00:00:{second:02}Z").parse().unwrap()
}

fn draft(resource_type: &str, id: &str, index: &[(&str, &str, Scope)]) -> Draft {
    let index = index.iter().map(|(path, value, scope)| IndexKey {
        path: (*path).into(),
        value: (*value).into(),
        scope: *scope,
    });
    Draft {
        key: Key::new(resource_type, id),
        resource: Resource::from_stored(json!({"displayName": format!("the {id}")}).as_object().cloned().unwrap()),
        index: index.collect(),
        display: Some(format!("the {id}")),
        notes: serde_json::Map::new(),
        created: None,
    }
}

fn insert(resource_type: &str, id: &str, index: &[(&str, &str, Scope)]) -> Write {
    Write::Insert { draft: draft(resource_type, id, index), members: Delta::default() }
}

fn join(group: &str, ids: &[&str], exclusive: bool) -> Write {
    let join = ids.iter().map(|id| Member { id: (*id).into(), ..Member::default() }).collect();
    Write::Members {
        group: Key::new("Group", group),
        members: Delta { join, exclusive, ..Delta::default() },
        expect: None,
    }
}

fn commit(store: &InMemory, whose: &str, writes: Vec<Write>) -> Result<Committed, StoreError> {
    let mut change = Change::new(time(1), Event::default());
    change.writes = writes;
    block_on(store.commit(&tenant(whose), change))
}

fn members(store: &InMemory, group: &str) -> Vec<String> {
    let record = block_on(store.get(&tenant("a"), &Key::new("Group", group), Members::All)).unwrap().unwrap();
    record.members.into_iter().map(|member| format!("{} {}", member.resource_type, member.id)).collect()
}

#[test]
fn a_change_that_fails_at_its_end_leaves_nothing() {
    let store = InMemory::default();
    let first = [("userName", "ada", Scope::Tenant), ("login", "ada@x", Scope::Global)];
    commit(&store, "a", vec![insert("User", "1", &first), insert("Group", "g", &[])]).unwrap();
    let writes = vec![
        insert("User", "2", &[("userName", "bob", Scope::Tenant)]),
        join("g", &["1", "2"], false),
        Write::Delete { key: Key::new("User", "1"), expect: None },
        insert("User", "3", &[("userName", "bob", Scope::Tenant)]),
    ];
    let error = commit(&store, "a", writes).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { holder: Some(key), .. } if key.id == "2"));
    assert!(block_on(store.get(&tenant("a"), &Key::new("User", "2"), Members::None)).unwrap().is_none());
    assert!(block_on(store.get(&tenant("a"), &Key::new("User", "1"), Members::None)).unwrap().is_some());
    assert_eq!(members(&store, "g"), Vec::<String>::new());
    assert_eq!(block_on(store.log(&tenant("a"), 0, 10)).unwrap().len(), 1);
    // The name that was claimed and given back is free, the one that was released and taken back is not.
    commit(&store, "a", vec![insert("User", "4", &[("userName", "bob", Scope::Tenant)])]).unwrap();
    assert!(commit(&store, "a", vec![insert("User", "5", &first)]).is_err());
}

#[test]
fn a_global_key_is_taken_for_everybody_and_says_nothing_of_strangers() {
    let store = InMemory::default();
    let key = [("login", "ada@x", Scope::Global)];
    commit(&store, "a", vec![insert("User", "1", &key)]).unwrap();
    let error = commit(&store, "b", vec![insert("User", "1", &key)]).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { holder: None, .. }));
    let error = commit(&store, "a", vec![insert("User", "2", &key)]).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { holder: Some(key), .. } if key.id == "1"));
    commit(&store, "a", vec![Write::Delete { key: Key::new("User", "1"), expect: None }]).unwrap();
    commit(&store, "b", vec![insert("User", "1", &key)]).unwrap();
}

#[test]
fn versions_are_positions_and_guard_against_the_past() {
    let store = InMemory::default();
    let one = commit(&store, "a", vec![insert("User", "1", &[])]).unwrap().version;
    let replace = |expect| Write::Replace { draft: draft("User", "1", &[]), expect, members: Delta::default() };
    let two = commit(&store, "a", vec![replace(one)]).unwrap().version;
    assert_eq!((one, two), (Version(1), Version(2)));
    assert!(matches!(commit(&store, "a", vec![replace(one)]), Err(StoreError::Stale(_))));
    assert!(matches!(commit(&store, "b", vec![replace(one)]), Err(StoreError::NotFound(_))));
}

#[test]
fn members_are_rows_that_know_their_type_and_leave_with_it() {
    let store = InMemory::default();
    commit(&store, "a", vec![insert("User", "1", &[]), insert("Group", "g", &[]), insert("Group", "h", &[])]).unwrap();
    let before = commit(&store, "a", vec![join("g", &["1", "h"], false)]).unwrap().version;
    assert_eq!(members(&store, "g"), ["User 1", "Group h"]);
    assert!(
        matches!(commit(&store, "a", vec![join("g", &["2"], false)]), Err(StoreError::NoSuchMembers(ids)) if ids == ["2"])
    );

    let moved = commit(&store, "a", vec![join("h", &["1"], true)]).unwrap();
    assert_eq!(moved.displaced, [Displaced { group: "g".into(), member: "1".into() }]);
    let ada = block_on(store.get(&tenant("a"), &Key::new("User", "1"), Members::None)).unwrap().unwrap();
    assert_eq!(ada.member_of, [Membership { group: Key::new("Group", "h"), display: Some("the h".into()) }]);

    let gone = commit(&store, "a", vec![Write::Delete { key: Key::new("User", "1"), expect: None }]).unwrap().version;
    let group = block_on(store.get(&tenant("a"), &Key::new("Group", "h"), Members::All)).unwrap().unwrap();
    assert!(group.members.is_empty() && group.version == gone && gone > before);
}

#[test]
fn guards_count_after_the_writes_and_let_others_pass() {
    let store = InMemory::default();
    let guarded = |write| {
        let mut change = Change::new(time(1), Event::default()).write(write);
        change.guards.push(Guard::AtMost { resource_type: "User".into(), limit: 1 });
        block_on(store.commit(&tenant("a"), change))
    };
    let version = guarded(insert("User", "1", &[])).unwrap().version;
    assert!(matches!(guarded(insert("User", "2", &[])), Err(StoreError::Guard { limit: 1, .. })));
    guarded(Write::Replace { draft: draft("User", "1", &[]), expect: version, members: Delta::default() }).unwrap();
    guarded(insert("Group", "2", &[])).unwrap();
}

#[test]
fn facts_outlive_resources_and_stay_in_their_tenant() {
    let store = InMemory::default();
    let mut change = Change::new(time(1), Event::default());
    change.facts.push(Fact { name: "f".into(), value: Some(json!(1)), when: When::Always });
    block_on(store.commit(&tenant("a"), change)).unwrap();
    assert_eq!(block_on(store.fact(&tenant("a"), "f")).unwrap(), Some(json!(1)));
    assert_eq!(block_on(store.fact(&tenant("b"), "f")).unwrap(), None);
}

#[test]
fn facts_are_written_only_when_what_is_known_allows_it() {
    let store = InMemory::default();
    let write = |value: Option<serde_json::Value>, when| {
        let mut change = Change::new(time(1), Event::default());
        change.facts.push(Fact { name: "f".into(), value, when });
        block_on(store.commit(&tenant("a"), change)).unwrap();
        block_on(store.fact(&tenant("a"), "f")).unwrap()
    };
    assert_eq!(write(Some(json!(1)), When::Absent), Some(json!(1)));
    assert_eq!(write(Some(json!(2)), When::Absent), Some(json!(1)));
    assert_eq!(write(None, When::Is(json!(2))), Some(json!(1)));
    assert_eq!(write(None, When::Is(json!(1))), None);
}

#[test]
fn only_the_types_that_may_join_do() {
    let store = InMemory::default();
    commit(&store, "a", vec![insert("User", "1", &[]), insert("Group", "g", &[]), insert("Group", "h", &[])]).unwrap();
    let Write::Members { group, mut members, expect } = join("g", &["1", "h"], false) else { unreachable!() };
    members.of = vec!["User".into()];
    let refused = commit(&store, "a", vec![Write::Members { group, members, expect }]);
    assert!(matches!(refused, Err(StoreError::NoSuchMembers(ids)) if ids == ["h"]));
}

#[test]
fn a_record_that_comes_back_keeps_the_time_it_was_made() {
    let store = InMemory::default();
    let back = Draft { created: Some(time(0)), ..draft("User", "1", &[]) };
    commit(&store, "a", vec![Write::Insert { draft: back, members: Delta::default() }]).unwrap();
    let record = block_on(store.get(&tenant("a"), &Key::new("User", "1"), Members::None)).unwrap().unwrap();
    assert_eq!((record.created, record.modified), (time(0), time(1)));
}
