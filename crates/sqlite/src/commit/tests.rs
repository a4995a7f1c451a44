//! What a commit costs: which rows it changes, and whether it does more in a large tenant than in a small one.

use std::collections::BTreeMap;

use scimwright_store::Event;

use super::*;
use crate::testing::{Cost, Watched};

impl Watched {
    fn writes(&self, write: Write) -> Cost {
        let tenant = "a".parse().unwrap();
        let change = Change::new("2026-01-01T00:00:00Z".parse().unwrap(), Event::default()).write(write);
        self.cost(|sql| drop(commit(sql, &tenant, change).unwrap()))
    }

    /// How many members the group has by its own row, and by theirs.
    fn members(&self) -> (u64, u64) {
        let sql =
            "SELECT members, (SELECT count(*) FROM scim_member WHERE group_id = 'g') FROM scim_record WHERE id = 'g'";
        self.sql.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }
}

fn rows(rows: &[(&str, u64)]) -> BTreeMap<String, u64> {
    rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn delta(join: &[&str], leave: &[&str]) -> Write {
    let join = join.iter().map(|id| Member { id: (*id).to_owned(), ..Member::default() }).collect();
    let leave = leave.iter().map(|id| (*id).to_owned()).collect();
    Write::Members { group: Key::new("Group", "g"), members: Delta { join, leave, ..Delta::default() }, expect: None }
}

#[test]
fn one_member_is_one_row_whatever_the_size_of_the_group() {
    let (small, large) = (Watched::new(10), Watched::new(100_000));
    let both = |write: Write| {
        let cost = large.writes(write.clone());
        // As many steps of the machine in both: not one row more was looked at.
        assert_eq!(small.writes(write), cost);
        cost.rows
    };
    let rest = [("insert scim_log", 1), ("update scim_record", 1), ("update scim_tenant", 1)];
    // Users nobody and below are in both groups; the last two are in none.
    let stranger = |write: fn(&str) -> Write| {
        let (of_small, of_large) = (small.writes(write("u00000010")), large.writes(write("u00100000")));
        assert_eq!(of_small, of_large);
        of_large.rows
    };
    let with = |own: (&'static str, u64)| rows(&[&rest[..], &[own]].concat());
    assert_eq!(stranger(|id| delta(&[id], &[])), with(("insert scim_member", 1)));
    assert_eq!(large.members(), (100_001, 100_001));
    // Who is there already joins nothing, and the group stays as it is.
    let nothing = rows(&[("insert scim_log", 1), ("update scim_tenant", 1)]);
    assert_eq!(both(delta(&["u00000003"], &[])), nothing);
    assert_eq!(both(delta(&[], &["u00000003"])), with(("delete scim_member", 1)));
    assert_eq!(both(delta(&[], &["u00000003"])), nothing);
    assert_eq!(large.members(), (100_000, 100_000));
    // Whoever goes leaves nothing behind, and touches nobody else's row.
    let gone = both(Write::Delete { key: Key::new("User", "u00000004"), expect: None });
    let gone_rows = [
        ("delete scim_key", 3),
        ("delete scim_member", 1),
        ("delete scim_record", 1),
        ("delete scim_unique", 1),
        ("update scim_count", 1),
        ("update scim_keyed", 3),
    ];
    assert_eq!(gone, rows(&[&rest[..], &gone_rows].concat()));
    assert_eq!(large.members(), (99_999, 99_999));
}

#[test]
fn one_user_costs_the_same_in_every_crowd() {
    let (small, large) = (Watched::new(10), Watched::new(100_000));
    let draft = |name: &str| Draft {
        key: Key::new("User", "new"),
        resource: Resource::default(),
        index: vec![IndexKey { path: "userName".into(), value: name.into(), scope: Scope::Tenant }],
        display: None,
        notes: serde_json::Map::new(),
        created: None,
    };
    let no_one = Delta::default;
    let elsewhere = Draft { key: Key::new("Group", "h"), index: vec![], ..draft("") };
    let of_two = Delta { join: vec![Member { id: "u00000002".into(), ..Member::default() }], ..no_one() };
    for write in [
        Write::Insert { draft: draft("new"), members: no_one() },
        Write::Replace { draft: draft("newer"), expect: Version(2), members: no_one() },
        Write::Insert { draft: elsewhere, members: Delta { exclusive: true, ..of_two } },
        Write::Delete { key: Key::new("User", "new"), expect: None },
        Write::Delete { key: Key::new("Group", "h"), expect: None },
    ] {
        assert_eq!(small.writes(write.clone()), large.writes(write.clone()), "{write:?}");
    }
}

#[test]
fn a_replacement_writes_only_the_keys_that_change() {
    let watched = Watched::new(1);
    let key = |path: &str, value: &str, scope| IndexKey { path: path.into(), value: value.into(), scope };
    let draft = |index: Vec<IndexKey>| Draft {
        key: Key::new("User", "new"),
        resource: Resource::default(),
        index,
        display: None,
        notes: serde_json::Map::new(),
        created: None,
    };
    let name = key("userName", "ada", Scope::Tenant);
    let index = vec![name.clone(), key("emails.value", "a@x", Scope::Many), key("login", "ada", Scope::Global)];
    let inserted = watched.writes(Write::Insert { draft: draft(index.clone()), members: Delta::default() }).rows;
    assert_eq!((inserted["insert scim_key"], inserted["insert scim_unique"]), (3, 2));
    let mut version = 2;
    let mut replace = |index| {
        let expect = Version(version);
        version += 1;
        watched.writes(Write::Replace { draft: draft(index), expect, members: Delta::default() }).rows
    };
    let rest = [("insert scim_log", 1), ("update scim_record", 1), ("update scim_tenant", 1)];
    assert_eq!(replace(index), rows(&rest));
    let other = vec![name.clone(), key("emails.value", "b@x", Scope::Many), key("login", "ada", Scope::Many)];
    let changed = [("delete scim_key", 1), ("delete scim_unique", 1), ("insert scim_key", 1), ("update scim_keyed", 2)];
    assert_eq!(replace(other), rows(&[&rest[..], &changed].concat()));
    assert_eq!(replace(vec![name]), rows(&[&rest[..], &[("delete scim_key", 2), ("update scim_keyed", 2)]].concat()));
}

#[test]
fn what_is_stamped_is_not_stored() {
    let watched = Watched::new(0);
    let mut resource = Resource::default();
    resource.put("title", "Dr".into());
    resource.stamp("new", "User", "1999-01-01T00:00:00Z".parse().unwrap(), "1999-01-01T00:00:00Z".parse().unwrap());
    let key = Key::new("User", "new");
    let draft = Draft { key, resource, index: vec![], display: None, notes: serde_json::Map::new(), created: None };
    watched.writes(Write::Insert { draft, members: Delta::default() });
    let row = watched.sql.query_row("SELECT document, modified FROM scim_record WHERE id = 'new'", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    });
    assert_eq!(row.unwrap(), (r#"{"title":"Dr"}"#.to_owned(), 1_767_225_600_000_000_000));
}

#[test]
fn a_time_that_does_not_fit_is_refused() {
    let watched = Watched::new(0);
    let change = Change::new("2300-01-01T00:00:00Z".parse().unwrap(), Event::default());
    let refused = commit(&watched.sql, &"a".parse().unwrap(), change);
    assert_eq!(refused.unwrap_err().to_string(), "the time of the change is not between the years 1678 and 2261");
}
