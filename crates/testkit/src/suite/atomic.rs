//! All of a change, or nothing.

use scimwright_store::{Guard, Key, Scope, StoreError, Version, When, Write};
use serde_json::json;

use super::Subject;
use super::at::{At, at_time, delete, event, fact, group_key, index_key, insert, keyed, replace, titled, user_key};
use super::sample::{change, group, join, time, user};

/// What a change may come to at its end, and how the store must answer.
type Ending = (&'static str, fn(&At) -> Write, fn(&StoreError) -> bool);

/// Each of the outcomes that stop a change at its last write.
const ENDINGS: [Ending; 6] = [
    (
        "a name that is taken",
        |_| user("late", "Ada"),
        |error| matches!(error, StoreError::Conflict { path, holder: Some(Key { id, .. }) } if path == "userName" && id == "1"),
    ),
    (
        "an id that is taken",
        |_| group("1", &[]),
        |error| matches!(error, StoreError::Conflict { path, holder: None } if path == "id"),
    ),
    (
        "a record that is not there",
        |_| delete(user_key("nobody")),
        |error| matches!(error, StoreError::NotFound(key) if *key == user_key("nobody")),
    ),
    (
        "a version that is past",
        |_| replace(titled("2", "grace", ""), Version(0)),
        |error| matches!(error, StoreError::Stale(key) if *key == user_key("2")),
    ),
    (
        "a member who is not there",
        |_| join("g", &["2", "nobody"]),
        |error| matches!(error, StoreError::NoSuchMembers(ids) if ids == &["nobody"]),
    ),
    (
        "a key of everybody's that is taken",
        |at| insert(keyed("User", "late", &[("login", &format!("{}'s", at.whose), Scope::Global)])),
        |error| matches!(error, StoreError::Conflict { path, holder: Some(_) } if path == "login"),
    ),
];

/// Two users and two groups; the first user has a key of everybody's as well.
fn fill(at: &At) {
    let mut ada = titled("1", "ada", "Countess");
    ada.index.push(index_key("login", &format!("{}'s", at.whose), Scope::Global));
    at.does([insert(ada), user("2", "grace"), group("g", &["1"]), group("h", &["1", "2"])]);
    let mut known = change([]);
    known.facts.push(fact("known", Some(json!({"so": "far"})), When::Always));
    at.change(known).unwrap();
}

/// Writes of every kind, which would all succeed.
fn writes(at: &At) -> Vec<Write> {
    let mut ada = titled("1", "ada", "Lady");
    ada.index.push(index_key("login", &format!("{}'s", at.whose), Scope::Global));
    vec![
        insert(keyed("User", "3", &[("userName", "bob", Scope::Tenant), ("login", "bob", Scope::Global)])),
        replace(ada, at.version(&user_key("1"))),
        join("g", &["2", "3"]),
        delete(group_key("h")),
        group("i", &["1", "3"]),
    ]
}

/// A change whose last write fails changes no record, no membership and no fact, takes no place in the log and holds no key.
pub fn a_change_that_fails_at_its_end_leaves_nothing(subject: &Subject) {
    let one = At::new(subject);
    for (number, (what, last, is_answer)) in ENDINGS.into_iter().enumerate() {
        let at = one.other(&format!("tenant{number}"));
        fill(&at);
        let before = at.everything();
        let mut failing = change(writes(&at).into_iter().chain([last(&at)]));
        failing.facts.push(fact("known", Some(json!("otherwise")), When::Always));
        let error = at.change(failing).expect_err(what);
        assert!(is_answer(&error), "{what}: {error:?}");
        assert_eq!(at.everything(), before, "after {what}");
        assert_eq!(at.ids("User", r#"userName eq "bob""#), [""; 0], "found by a key after {what}");
        assert_eq!(at.ids("User", r#"userName eq "ada""#), ["1"], "found by a key after {what}");
        // What the failed change would have taken is free, and what it would have given away is not.
        let free = [("userName", "bob", Scope::Tenant), ("login", "bob", Scope::Global)];
        let next = at.does([insert(keyed("User", "4", &free))]);
        assert_eq!(next.version, Version(3), "the position after {what}");
        at.tries([user("5", "ada")]).expect_err("the name is still taken");
        at.does([delete(user_key("4"))]);
    }
}

/// A guard that does not hold takes everything back that was written before it was asked.
pub fn a_guard_that_fails_takes_everything_back(subject: &Subject) {
    let at = At::new(subject);
    fill(&at);
    let before = at.everything();
    let mut full = change(writes(&at));
    full.facts.push(fact("known", None, When::Always));
    full.guards.push(Guard::AtMost { resource_type: "User".to_owned(), limit: 2 });
    let error = at.change(full.clone()).expect_err("three are more than two");
    assert!(matches!(error, StoreError::Guard { ref resource_type, limit: 2 } if resource_type == "User"), "{error:?}");
    assert_eq!(at.everything(), before);
    // Nor does a number of records stay behind that are not there: one more has room all the same.
    full.guards = vec![Guard::AtMost { resource_type: "User".to_owned(), limit: 3 }];
    assert_eq!(at.change(full).unwrap().version, Version(3));
    assert_eq!(at.fact("known"), None);
    assert_eq!(at.ids("User", ""), ["1", "2", "3"]);
}

/// A change that failed can be tried again as it is once the reason is gone.
pub fn what_failed_succeeds_when_the_reason_is_gone(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &[])]);
    let wanted = [user("2", "grace"), join("g", &["1", "2"]), user("3", "ada")];
    at.tries(wanted.clone()).expect_err("the name is taken");
    at.does([delete(user_key("1")), user("4", "kathleen")]);
    let error = at.tries(wanted.clone()).expect_err("a member is gone");
    assert!(matches!(error, StoreError::NoSuchMembers(ref ids) if ids == &["1"]), "{error:?}");
    at.does([user("1", "jean")]);
    assert_eq!(at.does(wanted).version, Version(4));
    assert_eq!(at.record(&group_key("g")).member_count, 2);
}

/// The writes of one change are done in their order, and each sees what those before it have done.
pub fn writes_of_one_change_see_one_another(subject: &Subject) {
    let at = At::new(subject);
    let mut all = at_time(time("2026-02-03T04:05:06.789Z"), []);
    all.events.push(event("second"));
    let this = Version(2);
    all.writes = vec![
        user("1", "ada"),
        group("g", &["1"]),
        // The name is free again by the time the next one takes it.
        replace(titled("1", "augusta", "Countess"), this),
        user("2", "ada"),
        join("g", &["2"]),
        Write::Delete { key: user_key("1"), expect: Some(this) },
        user("1", "annabella"),
        group("h", &["1", "g"]),
        Write::Members { group: group_key("h"), members: super::at::leaving(&["g"]), expect: Some(this) },
    ];
    assert_eq!(at.change(all).unwrap().version, this);
    assert_eq!(at.ids("User", r#"userName eq "ada""#), ["2"]);
    assert_eq!(at.ids("User", r#"userName eq "augusta""#), [""; 0]);
    let members = |id: &str| {
        let group = at.record(&group_key(id));
        assert_eq!((group.version, group.modified), (this, time("2026-02-03T04:05:06.789Z")), "{id}");
        assert_eq!(group.member_count, group.members.len() as u64, "{id}");
        group.members.into_iter().map(|member| member.id).collect::<Vec<_>>()
    };
    assert_eq!((members("g"), members("h")), (vec!["2".to_owned()], vec!["1".to_owned()]));
    assert_eq!(at.record(&user_key("1")).resource.get("userName"), Some(&json!("annabella")));
    assert_eq!(at.position(), 2);
}

/// What stops a change is told of the write that comes first, whatever comes after it.
pub fn the_first_obstacle_is_the_one_that_is_told(subject: &Subject) {
    let at = At::new(subject);
    fill(&at);
    let told = |writes: Vec<Write>| format!("{:?}", at.tries(writes).expect_err("it cannot be done"));
    let guarded = |write: Write| {
        let mut full = change([write]);
        full.guards.push(Guard::AtMost { resource_type: "User".to_owned(), limit: 0 });
        format!("{:?}", at.change(full).expect_err("it cannot be done"))
    };
    let taken = r#"Conflict { path: "userName", holder: Some(Key { resource_type: "User", id: "1" }) }"#;
    let stale = r#"Stale(Key { resource_type: "User", id: "1" })"#;
    let gone = r#"NotFound(Key { resource_type: "User", id: "nobody" })"#;
    let name = || user("3", "ada");
    let past = || replace(titled("1", "ada", ""), Version(0));
    let nobody = || delete(user_key("nobody"));
    assert_eq!(told(vec![name(), past(), nobody()]), taken);
    assert_eq!(told(vec![past(), nobody(), name()]), stale);
    assert_eq!(told(vec![nobody(), name(), past()]), gone);
    // Of one write: whether the record is there, then its version, then its keys, then its members; guards come last of all.
    let stranger = |write: Write| match write {
        Write::Insert { draft, .. } => Write::Insert { draft, members: super::sample::joining(&["stranger"]) },
        Write::Replace { draft, expect, .. } => {
            Write::Replace { draft, expect, members: super::sample::joining(&["stranger"]) }
        }
        other => other,
    };
    assert_eq!(told(vec![stranger(past())]), stale);
    assert_eq!(told(vec![stranger(name())]), taken);
    assert_eq!(told(vec![insert(titled("1", "grace", ""))]), r#"Conflict { path: "id", holder: None }"#);
    assert_eq!(guarded(name()), taken);
    assert_eq!(guarded(stranger(user("3", "jean"))), r#"NoSuchMembers(["stranger"])"#);
    assert_eq!(guarded(user("3", "jean")), r#"Guard { resource_type: "User", limit: 0 }"#);
}
