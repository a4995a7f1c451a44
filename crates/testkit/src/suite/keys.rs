//! Keys that may stand once, and keys that may repeat.

use scimwright_store::{Draft, Key, Scope, StoreError, Version, Write};

use super::Subject;
use super::at::{At, delete, index_key, insert, keyed, replace, titled, user_key};
use super::sample::{filtered, user};

/// Who is told to hold a key at that path.
#[track_caller]
fn holder(done: Result<impl std::fmt::Debug, StoreError>, wanted: &str) -> Option<Key> {
    match done {
        Err(StoreError::Conflict { path, holder }) => {
            assert_eq!(path, wanted);
            holder
        }
        other => panic!("the key was taken, and the answer was {other:?}"),
    }
}

fn login(id: &str, value: &str) -> Draft {
    keyed("User", id, &[("login", value, Scope::Global)])
}

/// A key that may stand once in a tenant is refused to the next, who is told who has it; other types and tenants have their own.
pub fn a_key_of_a_tenant_is_taken_once(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada")]);
    assert_eq!(holder(at.tries([user("2", "Ada")]), "userName"), Some(user_key("1")));
    at.does([user("2", "grace")]);
    let version = at.version(&user_key("2"));
    assert_eq!(holder(at.tries([replace(titled("2", "ADA", ""), version)]), "userName"), Some(user_key("1")));
    // Who has it may keep it.
    at.does([replace(titled("1", "Ada", "Countess"), Version(1))]);
    at.does([insert(keyed("Device", "d", &[("userName", "ada", Scope::Tenant)]))]);
    at.other("b").does([user("3", "ada")]);
}

/// A key that may stand once over all tenants: in one's own the holder is told, whatever its type; of another's nothing is.
pub fn a_key_of_everybody_is_taken_once_and_tells_nothing_of_strangers(subject: &Subject) {
    let here = At::new(subject);
    let there = here.other("b");
    here.does([insert(login("1", "ada"))]);
    assert_eq!(holder(here.tries([insert(login("2", "ada"))]), "login"), Some(user_key("1")));
    let device = insert(keyed("Device", "d", &[("login", "ada", Scope::Global)]));
    assert_eq!(holder(here.tries([device.clone()]), "login"), Some(user_key("1")));
    for write in [insert(login("1", "ada")), insert(login("2", "ada")), device] {
        assert_eq!(holder(there.tries([write]), "login"), None);
    }
    there.does([user("1", "ada")]);
    assert_eq!(holder(there.tries([replace(login("1", "ada"), Version(1))]), "login"), None);
    here.does([delete(user_key("1"))]);
    there.does([replace(login("1", "ada"), Version(1))]);
    assert_eq!(holder(here.tries([insert(login("1", "ada"))]), "login"), None);
}

/// An `id` is taken once in a tenant, over all of its types (RFC 7643 section 3.1). Nobody is told to hold it.
pub fn an_id_is_taken_once(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada")]);
    for type_name in ["User", "Group", "Device"] {
        assert_eq!(holder(at.tries([insert(keyed(type_name, "1", &[]))]), "id"), None, "{type_name}");
    }
    assert_eq!(holder(at.tries([insert(keyed("User", "2", &[])), insert(keyed("Group", "2", &[]))]), "id"), None);
    at.other("b").does([user("1", "ada")]);
    at.does([delete(user_key("1")), insert(keyed("Group", "1", &[]))]);
    assert!(at.is_there(&Key::new("Group", "1")) && !at.is_there(&user_key("1")));
}

/// Keys that may repeat are no obstacle, also beside the same value in another scope.
pub fn keys_that_may_repeat_do(subject: &Subject) {
    let at = At::new(subject);
    let keys = |scope| [("badge", "7", Scope::Many), ("badge", "7", scope), ("badge", "7", Scope::Many)];
    at.does([insert(keyed("User", "1", &keys(Scope::Many))), insert(keyed("User", "2", &keys(Scope::Tenant)))]);
    at.does([insert(keyed("User", "3", &keys(Scope::Global))), insert(keyed("User", "4", &keys(Scope::Many)))]);
    let one = insert(keyed("User", "5", &[("badge", "7", Scope::Tenant)]));
    assert_eq!(holder(at.tries([one.clone()]), "badge"), Some(user_key("2")));
    // The unique one goes, and the repeated one of the same value stays.
    at.does([replace(keyed("User", "2", &keys(Scope::Many)), Version(1)), one]);
}

/// A key goes with its record, or when the record is written without it.
pub fn a_key_that_is_released_is_free(subject: &Subject) {
    let at = At::new(subject);
    let both = [("login", "ada", Scope::Global), ("badge", "7", Scope::Tenant)];
    at.does([insert(keyed("User", "1", &both))]);
    let taken = |id: &str| at.tries([insert(keyed("User", id, &both))]).is_err();
    assert!(taken("2"));
    at.does([replace(keyed("User", "1", &[]), Version(1))]);
    at.does([insert(keyed("User", "2", &both))]);
    assert!(taken("3"));
    at.does([delete(user_key("2"))]);
    at.does([insert(keyed("User", "3", &both))]);
    assert!(taken("4"));
    // A key that becomes one that may repeat holds no place any more; one that becomes unique takes it.
    let many = both.map(|(path, value, _)| (path, value, Scope::Many));
    let version = at.version(&user_key("3"));
    at.does([replace(keyed("User", "3", &many), version), insert(keyed("User", "4", &both))]);
    let version = at.version(&user_key("3"));
    assert_eq!(holder(at.tries([replace(keyed("User", "3", &both), version)]), "login"), Some(user_key("4")));
}

/// Within one change keys are given and taken in the order of its writes.
pub fn keys_change_hands_within_one_change(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), user("2", "grace")]);
    let (one, two) = (
        |name: &str, expect| replace(titled("1", name, ""), expect),
        |name: &str, expect| replace(titled("2", name, ""), expect),
    );
    // As long as the other has it, nobody can swap.
    let swap = [one("grace", Version(1)), two("ada", Version(1))];
    assert_eq!(holder(at.tries(swap), "userName"), Some(user_key("2")));
    at.does([one("on the way", Version(1)), two("ada", Version(1)), one("grace", Version(2))]);
    assert_eq!(
        (at.ids("User", r#"userName eq "ada""#), at.ids("User", r#"userName eq "grace""#)),
        (vec!["2".into()], vec!["1".into()])
    );
    // Release and take, in this order only.
    assert_eq!(holder(at.tries([user("3", "ada"), delete(user_key("2"))]), "userName"), Some(user_key("2")));
    at.does([delete(user_key("2")), user("3", "ada")]);
    // Two records of one change cannot both have it.
    assert_eq!(holder(at.tries([user("4", "jean"), user("5", "jean")]), "userName"), Some(user_key("4")));
    at.does([user("4", "jean")]);
}

/// Of several keys that are taken, the first in the record's own order is told.
pub fn the_first_key_that_is_taken_is_told(subject: &Subject) {
    let at = At::new(subject);
    at.does([
        insert(login("1", "ada")),
        insert(keyed("User", "2", &[("badge", "7", Scope::Tenant)])),
        user("3", "ada"),
    ]);
    let keys = [("login", "ada", Scope::Global), ("badge", "7", Scope::Tenant), ("userName", "ada", Scope::Tenant)];
    for (turn, first) in [(0, "login"), (1, "badge"), (2, "userName")] {
        let mut keys = keys;
        keys.rotate_left(turn);
        holder(at.tries([insert(keyed("User", "4", &keys))]), first);
    }
}

/// Values that a database may take for equal, and which are not.
const NEARLY_EQUAL: [&str; 14] = [
    "ada",
    "Ada",
    "ADA",
    "ada ",
    " ada",
    "ad\u{e1}",
    "ada\u{301}",
    "ada\u{0}",
    "ada\u{0}x",
    "\u{ff41}da",
    "ada\u{200b}",
    "4",
    "4.0",
    "04",
];

/// Keys are compared as they are, character by character: folding was done before they came.
pub fn keys_are_compared_as_they_are(subject: &Subject) {
    let at = At::new(subject);
    for scope in [Scope::Tenant, Scope::Global] {
        let of = |id: String, value: &str| insert(keyed("User", &id, &[("login", value, scope)]));
        for (number, value) in NEARLY_EQUAL.into_iter().enumerate() {
            at.does([of(format!("{scope:?}{number}"), value)]);
        }
        for (number, value) in NEARLY_EQUAL.into_iter().enumerate() {
            let held = holder(at.tries([of("late".to_owned(), value)]), "login");
            assert_eq!(held, Some(user_key(&format!("{scope:?}{number}"))), "{value:?}");
        }
    }
    // Paths are texts as well.
    at.does([insert(keyed("User", "path", &[("LOGIN", "ada", Scope::Tenant), ("Login", "ada", Scope::Global)]))]);
}

/// A record is found by the keys that it has now, and by none that it had.
pub fn a_record_is_found_by_the_keys_it_has_now(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), user("2", "grace")]);
    at.does([replace(titled("1", "jean", ""), Version(1)), delete(user_key("2"))]);
    for (name, found) in [("ada", &[][..]), ("grace", &[]), ("jean", &["1"]), ("JEAN", &["1"])] {
        assert_eq!(at.ids("User", &format!("userName eq \"{name}\"")), found, "{name}");
        assert_eq!(at.find(&filtered("User", &format!("userName eq \"{name}\""))).total, Some(found.len() as u64));
    }
    // A failed attempt to take another name changes nothing about that.
    let mut jean = titled("1", "annie", "");
    jean.index.push(index_key("login", "annie", Scope::Global));
    at.tries([replace(jean, at.version(&user_key("1"))), Write::Delete { key: user_key("2"), expect: None }])
        .expect_err("the second is gone");
    assert_eq!(
        (at.ids("User", r#"userName eq "annie""#), at.ids("User", r#"userName sw "j""#)),
        (vec![], vec!["1".to_owned()])
    );
}
