//! Facts beside the resources, and guards.

use scimwright_store::{Change, Fact, Guard, StoreError, Version, When, Write};
use serde_json::{Value, json};

use super::Subject;
use super::at::{At, delete, fact, group_key, replace, titled, user_key};
use super::sample::{change, group, joining, user};

/// A change that only writes facts.
fn facts(facts: impl IntoIterator<Item = Fact>) -> Change {
    let mut change = change([]);
    change.facts.extend(facts);
    change
}

/// A fact is known until it is forgotten or another takes its place, and outlives the resources it speaks of.
pub fn facts_are_known_until_they_are_forgotten(subject: &Subject) {
    let at = At::new(subject);
    assert_eq!(at.fact("known"), None);
    let values =
        [json!(true), json!(""), json!({"a": [1, {"b": "\u{0}\u{e9}'"}]}), json!([]), json!("x".repeat(100_000))];
    for value in values {
        at.change(facts([fact("known", Some(value.clone()), When::Always)])).unwrap();
        assert_eq!(at.fact("known"), Some(value));
    }
    let mut with_user = change([user("1", "ada")]);
    with_user.facts.push(fact("of 1", Some(json!("ada")), When::Always));
    at.change(with_user).unwrap();
    at.does([delete(user_key("1"))]);
    assert_eq!((at.fact("of 1"), at.fact("OF 1"), at.fact("of 1 ")), (Some(json!("ada")), None, None));
    at.change(facts([fact("known", None, When::Always), fact("never", None, When::Always)])).unwrap();
    assert_eq!((at.fact("known"), at.fact("of 1")), (None, Some(json!("ada"))));
}

/// A fact is written only when what is known allows it; that it does not is no failure.
pub fn facts_are_written_only_when_what_is_known_allows_it(subject: &Subject) {
    let at = At::new(subject);
    let write = |value: Option<i32>, when| {
        let before = at.position();
        let done = at.change(facts([fact("known", value.map(Value::from), when)])).unwrap();
        assert_eq!(done.version, Version(before + 1));
        at.fact("known").and_then(|known| known.as_i64())
    };
    assert_eq!(write(Some(1), When::Is(json!(1))), None);
    assert_eq!(write(Some(1), When::Absent), Some(1));
    assert_eq!(write(Some(2), When::Absent), Some(1));
    assert_eq!(write(Some(2), When::Is(json!("1"))), Some(1));
    assert_eq!(write(Some(2), When::Is(json!(1))), Some(2));
    assert_eq!(write(None, When::Is(json!(1))), Some(2));
    assert_eq!(write(None, When::Is(json!(2))), None);
    // Values are compared as JSON, not as texts.
    let object = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (one, same) = (object(r#"{"a": 1, "b": [2]}"#), object(r#"{"b":[2],"a":1}"#));
    at.change(facts([fact("known", Some(one), When::Always)])).unwrap();
    at.change(facts([fact("known", Some(json!("met")), When::Is(same))])).unwrap();
    assert_eq!(at.fact("known"), Some(json!("met")));
}

/// The facts of one change are written in their order, and each sees those before it. One that is passed over stops no other.
pub fn facts_of_one_change_see_one_another(subject: &Subject) {
    let at = At::new(subject);
    let one = |name: &str, value: i32, when| fact(name, Some(value.into()), when);
    at.change(facts([
        one("known", 1, When::Absent),
        one("known", 2, When::Absent),
        one("known", 3, When::Is(json!(1))),
        one("seats", 4, When::Is(json!(3))),
        one("linked", 5, When::Absent),
    ]))
    .unwrap();
    assert_eq!((at.fact("known"), at.fact("seats"), at.fact("linked")), (Some(json!(3)), None, Some(json!(5))));
}

/// A change under the guard that a type has no more than so many records.
fn guarded(at: &At, resource_type: &str, limit: u64, writes: Vec<Write>) -> Result<Version, StoreError> {
    let mut change = change(writes);
    change.guards.push(Guard::AtMost { resource_type: resource_type.to_owned(), limit });
    at.change(change).map(|committed| committed.version)
}

/// A guard counts when all writes are done: what they bring counts, and what they take away does not.
pub fn a_guard_counts_after_the_writes(subject: &Subject) {
    let at = At::new(subject);
    guarded(&at, "User", 1, vec![user("1", "ada")]).unwrap();
    let refused = guarded(&at, "User", 1, vec![user("2", "grace")]);
    assert!(
        matches!(refused, Err(StoreError::Guard { ref resource_type, limit: 1 }) if resource_type == "User"),
        "{refused:?}"
    );
    assert!(guarded(&at, "User", 2, vec![user("2", "grace"), user("3", "jean")]).is_err());
    assert!(!at.is_there(&user_key("2")));
    // One goes and another comes, in either order.
    guarded(&at, "User", 1, vec![delete(user_key("1")), user("2", "grace")]).unwrap();
    guarded(&at, "User", 1, vec![user("3", "jean"), delete(user_key("2"))]).unwrap();
    assert!(guarded(&at, "User", 0, vec![delete(user_key("3")), user("4", "annie")]).is_err());
    assert_eq!(at.ids("User", ""), ["3"]);
}

/// A guard is looked at only when the change inserts something, counts its own type in its own tenant, and all of them must hold.
pub fn a_guard_is_about_its_type_and_its_tenant(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), user("2", "grace"), group("g", &[])]);
    at.other("b").does((0..5).map(|number| user(&number.to_string(), &format!("user {number}"))));
    // There are too many already, but nobody comes.
    let version = guarded(&at, "User", 1, vec![replace(titled("1", "augusta", ""), Version(1))]).unwrap();
    let members = Write::Members { group: group_key("g"), members: joining(&["1"]), expect: None };
    guarded(&at, "User", 0, vec![members]).unwrap();
    guarded(&at, "User", 0, vec![Write::Delete { key: user_key("1"), expect: Some(version) }]).unwrap();
    // Whatever comes, the guard is looked at.
    assert!(guarded(&at, "User", 0, vec![group("h", &[])]).is_err());
    guarded(&at, "User", 1, vec![group("h", &[])]).unwrap();
    guarded(&at, "User", 2, vec![user("3", "jean")]).unwrap();
    guarded(&at, "Device", 0, vec![group("i", &[])]).unwrap();
    let mut two = change([group("j", &[])]);
    two.guards.extend(
        [("User", 9), ("Group", 3)].map(|(name, limit)| Guard::AtMost { resource_type: name.to_owned(), limit }),
    );
    let refused = at.change(two);
    assert!(
        matches!(refused, Err(StoreError::Guard { ref resource_type, limit: 3 }) if resource_type == "Group"),
        "{refused:?}"
    );
}
