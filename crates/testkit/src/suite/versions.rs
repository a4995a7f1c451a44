//! Positions, versions and times.

use scimwright_core::Instant;
use scimwright_store::{Draft, Key, Scope, StoreError, Version, Write};
use serde_json::json;

use super::Subject;
use super::at::{At, at_time, delete, event, group_key, insert, keyed, leaving, members, replace, titled, user_key};
use super::sample::{change, group, join, joining, time, user};

/// The version of everything that a change writes is the position of the last of its events.
pub fn the_version_is_the_position_of_the_last_event(subject: &Subject) {
    let at = At::new(subject);
    let mut first = change([user("1", "ada"), group("g", &["1"])]);
    first.events.extend([event("second"), event("third")]);
    assert_eq!(at.change(first).unwrap().version, Version(3));
    assert_eq!((at.version(&user_key("1")), at.version(&group_key("g"))), (Version(3), Version(3)));
    // A change that writes nothing but its event takes a position too.
    assert_eq!(at.does([]).version, Version(4));
    assert_eq!(at.does([replace(titled("1", "ada", ""), Version(3))]).version, Version(5));
    assert_eq!((at.version(&user_key("1")), at.version(&group_key("g"))), (Version(5), Version(3)));
    // Another tenant has positions of its own.
    assert_eq!(at.other("b").does([user("1", "ada")]).version, Version(1));
}

/// A version that is expected must be the one that the record has: not one before, not one to come.
pub fn a_version_that_is_expected_must_be_the_one(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &[])]);
    at.does([replace(titled("1", "ada", "Countess"), Version(1)), join("g", &["1"])]);
    let before = at.everything();
    for wrong in [Version(0), Version(1), Version(3), Version(u64::from(u32::MAX))] {
        let expect = Some(wrong);
        let on_the_user = [replace(titled("1", "ada", ""), wrong), Write::Delete { key: user_key("1"), expect }];
        for write in on_the_user {
            let error = at.tries([write]).expect_err("another version");
            assert!(matches!(error, StoreError::Stale(ref key) if *key == user_key("1")), "{error:?}");
        }
        // Whether or not anybody would join or leave.
        for delta in [joining(&["g"]), joining(&["1"]), leaving(&["1"])] {
            let error =
                at.tries([Write::Members { group: group_key("g"), members: delta, expect }]).expect_err("stale");
            assert!(matches!(error, StoreError::Stale(ref key) if *key == group_key("g")), "{error:?}");
        }
    }
    assert_eq!(at.everything(), before);
    let expect = Some(Version(2));
    at.does([Write::Members { group: group_key("g"), members: leaving(&["1"]), expect }]);
    at.does([Write::Delete { key: user_key("1"), expect }]);
}

/// What is not there cannot be replaced, joined or deleted, with a version or without; nor can a record by the name of another type.
pub fn what_is_not_there_is_not_found(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &[])]);
    let before = at.everything();
    let nobody = user_key("nobody");
    let not_a_group = group_key("1");
    let mut as_group = titled("1", "ada", "");
    as_group.key = not_a_group.clone();
    for (write, missing) in [
        (replace(titled("nobody", "nobody", ""), Version(1)), &nobody),
        (delete(nobody.clone()), &nobody),
        (Write::Delete { key: nobody.clone(), expect: Some(Version(1)) }, &nobody),
        (replace(as_group, Version(1)), &not_a_group),
        (delete(not_a_group.clone()), &not_a_group),
        (members("1", joining(&["g"])), &not_a_group),
    ] {
        let error = at.tries([write]).expect_err("it is not there");
        assert!(matches!(error, StoreError::NotFound(ref key) if key == missing), "{error:?}");
    }
    assert_eq!(at.everything(), before);
    assert!(!at.is_there(&not_a_group) && !at.other("b").is_there(&user_key("1")));
}

/// `modified` is the time of the change, or a millisecond after what it was when the clock stands or goes back; it grows once a change.
pub fn modified_grows_with_every_write(subject: &Subject) {
    let at = At::new(subject);
    let times = |key: &Key| {
        let record = at.record(key);
        (record.created, record.modified)
    };
    let first = time("2026-01-01T00:00:00.0004Z");
    at.change(at_time(first, [user("1", "ada"), group("g", &[])])).unwrap();
    assert_eq!((times(&user_key("1")), times(&group_key("g"))), ((first, first), (first, first)));
    for (now, then) in [
        ("2026-01-01T00:00:00.0004Z", "2026-01-01T00:00:00.0014Z"),
        ("2025-06-01T00:00:00Z", "2026-01-01T00:00:00.0024Z"),
        ("2026-01-01T00:00:00.003Z", "2026-01-01T00:00:00.0034Z"),
        ("2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"),
        ("2026-03-01T00:00:00.123456789Z", "2026-03-01T00:00:00.123456789Z"),
    ] {
        let once = replace(titled("1", "ada", now), at.version(&user_key("1")));
        let position = at.position() + 1;
        let twice = replace(titled("1", "ada", "again"), Version(position));
        let moved = if at.record(&group_key("g")).members.is_empty() { joining(&["1"]) } else { leaving(&["1"]) };
        at.change(at_time(time(now), [once, twice, members("g", moved)])).unwrap();
        assert_eq!(times(&user_key("1")), (first, time(then)), "a user at {now}");
        assert_eq!(times(&group_key("g")), (first, time(then)), "a group at {now}");
    }
}

/// `id` and `meta` of a document are the store's: they say what the record says, whatever was written.
pub fn id_and_meta_are_stamped(subject: &Subject) {
    let at = At::new(subject);
    let (made, changed) = (time("2026-01-01T00:00:00Z"), time("2026-01-02T03:04:05.678Z"));
    let mut lies = titled("1", "ada", "");
    lies.resource.stamp("2", "Group", time("1999-01-01T00:00:00Z"), time("1999-01-01T00:00:00Z"));
    at.change(at_time(made, [insert(lies.clone())])).unwrap();
    let check = |modified: Instant| {
        let resource = at.record(&user_key("1")).resource;
        assert_eq!(resource.id(), "1");
        assert_eq!(resource.get("meta").and_then(|meta| meta.get("resourceType")), Some(&json!("User")));
        assert_eq!(resource.meta_instant("created"), Some(made));
        assert_eq!(resource.meta_instant("lastModified"), Some(modified));
    };
    check(made);
    at.change(at_time(changed, [replace(lies, Version(1))])).unwrap();
    check(changed);
}

/// A record that comes back keeps the time at which it was made first. Only an insertion looks at that.
pub fn created_is_what_an_insertion_says(subject: &Subject) {
    let at = At::new(subject);
    let (long_ago, now) = (time("2020-02-29T12:00:00.000000001Z"), time("2026-01-01T00:00:00Z"));
    at.does([insert(Draft { created: Some(long_ago), ..titled("1", "ada", "") }), user("2", "grace")]);
    let created = |id: &str| at.record(&user_key(id)).created;
    assert_eq!((created("1"), created("2")), (long_ago, now));
    assert_eq!(at.record(&user_key("1")).modified, now);
    let elsewhere = Some(time("2021-01-01T00:00:00Z"));
    at.does([replace(Draft { created: elsewhere, ..titled("1", "ada", "") }, Version(1))]);
    assert_eq!(created("1"), long_ago);
    // In one change a record may go and come back as one of another type.
    at.does([
        delete(user_key("1")),
        insert(Draft { created: elsewhere, ..keyed("Retired", "1", &[("was", "1", Scope::Many)]) }),
    ]);
    let retired = at.record(&Key::new("Retired", "1"));
    assert_eq!((retired.created, retired.version), (time("2021-01-01T00:00:00Z"), Version(3)));
    assert!(!at.is_there(&user_key("1")));
}

/// Who joins where he is, or leaves where he is not, changes nothing: the group's version and time stay. The log grows all the same.
pub fn joins_that_change_nobody_leave_version_and_time(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), user("2", "grace"), group("g", &["1"])]);
    let before = at.record(&group_key("g"));
    for (number, delta) in
        [joining(&["1"]), leaving(&["2", "nobody"]), joining(&[]), joining(&["1", "1"])].into_iter().enumerate()
    {
        let late = at_time(time("2026-05-05T00:00:00Z"), [members("g", delta)]);
        assert_eq!(at.change(late).unwrap().version, Version(number as u64 + 2));
        assert_eq!(at.record(&group_key("g")), before);
    }
    assert_eq!(at.position(), 5);
    // Who leaves and joins in one write has been away.
    let mut there_and_back = joining(&["1"]);
    there_and_back.leave = vec!["1".to_owned()];
    at.does([members("g", there_and_back)]);
    let after = at.record(&group_key("g"));
    assert_eq!((after.version, after.member_count), (Version(6), 1));
    assert!(after.modified > before.modified);
    // The members' own versions are not touched by any of it.
    assert_eq!((at.version(&user_key("1")), at.version(&user_key("2"))), (Version(1), Version(1)));
}
