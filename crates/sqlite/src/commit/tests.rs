//! What a commit costs: which rows it changes, and whether it does more in a large group than in a small one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use scimwright_store::Event;

use super::*;

/// A database with a group of so many members, filled past the store to be quick, and watched.
struct Watched {
    sql: Connection,
    steps: Arc<AtomicU64>,
}

/// What a commit did: its steps in SQLite's virtual machine, and the rows that it changed in each table.
#[derive(Debug, PartialEq)]
struct Cost {
    steps: u64,
    rows: BTreeMap<String, u64>,
}

impl Watched {
    fn new(members: usize) -> Self {
        let sql = Connection::open_in_memory().unwrap();
        sql.execute_batch(include_str!("../schema.sql")).unwrap();
        sql.execute_batch(&format!(
            "BEGIN;
             INSERT INTO scim_tenant VALUES ('a', 1);
             INSERT INTO scim_count VALUES ('a', 'User', {members} + 2), ('a', 'Group', 1);
             INSERT INTO scim_record VALUES ('a', 'Group', 'g', 1, 0, 0, {members}, 'G', '[]', '{{}}', '{{}}');
             INSERT INTO scim_record
                 WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n <= {members})
                 SELECT 'a', 'User', format('u%08d', n), 1, 0, 0, 0, NULL, '[]', '{{}}', '{{}}' FROM n;
             INSERT INTO scim_member
                 SELECT 'a', 'g', id, 'User', NULL FROM scim_record WHERE type = 'User' ORDER BY id LIMIT {members};
             COMMIT;
             CREATE TEMP TABLE changed (name TEXT);"
        ))
        .unwrap();
        let mut watched = Self { sql, steps: Arc::default() };
        watched.watch();
        watched
    }

    /// Has every changed row noted. SQLite's own hook for that says nothing of tables without row ids.
    fn watch(&mut self) {
        let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name LIKE 'scim_%'";
        let mut statement = self.sql.prepare(tables).unwrap();
        let tables: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        drop(statement);
        for table in tables {
            for verb in ["INSERT", "UPDATE", "DELETE"] {
                let name = format!("{} {table}", verb.to_lowercase());
                let trigger = format!(
                    "CREATE TEMP TRIGGER \"{name}\" AFTER {verb} ON main.{table} \
                     BEGIN INSERT INTO changed VALUES ('{name}'); END"
                );
                self.sql.execute_batch(&trigger).unwrap();
            }
        }
        let steps = Arc::clone(&self.steps);
        let count = move || {
            steps.fetch_add(1, Ordering::Relaxed);
            false
        };
        self.sql.progress_handler(1, Some(count)).unwrap();
    }

    fn cost(&self, write: Write) -> Cost {
        self.sql.execute_batch("DELETE FROM changed").unwrap();
        let tenant = "a".parse().unwrap();
        let change = Change::new("2026-01-01T00:00:00Z".parse().unwrap(), Event::default()).write(write);
        self.steps.store(0, Ordering::Relaxed);
        commit(&self.sql, &tenant, change).unwrap();
        let steps = self.steps.load(Ordering::Relaxed);
        let mut statement = self.sql.prepare("SELECT name, count(*) FROM changed GROUP BY name").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        Cost { steps, rows: rows.collect::<Result<_, _>>().unwrap() }
    }

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
    Write::Members { group: Key::new("Group", "g"), members: Delta { join, leave, exclusive: false }, expect: None }
}

#[test]
fn one_member_is_one_row_whatever_the_size_of_the_group() {
    let (small, large) = (Watched::new(10), Watched::new(100_000));
    let both = |write: Write| {
        let cost = large.cost(write.clone());
        // As many steps of the machine in both: not one row more was looked at.
        assert_eq!(small.cost(write), cost);
        cost.rows
    };
    let rest = [("insert scim_log", 1), ("update scim_record", 1), ("update scim_tenant", 1)];
    // Users nobody and below are in both groups; the last two are in none.
    let stranger = |write: fn(&str) -> Write| {
        let (of_small, of_large) = (small.cost(write("u00000010")), large.cost(write("u00100000")));
        assert_eq!(of_small, of_large);
        of_large.rows
    };
    let with = |own: (&'static str, u64)| rows(&[&rest[..], &[own]].concat());
    assert_eq!(stranger(|id| delta(&[id], &[])), with(("insert scim_member", 1)));
    assert_eq!(large.members(), (100_001, 100_001));
    assert_eq!(both(delta(&["u00000003"], &[])), rows(&rest));
    assert_eq!(both(delta(&[], &["u00000003"])), with(("delete scim_member", 1)));
    assert_eq!(both(delta(&[], &["u00000003"])), rows(&rest));
    assert_eq!(large.members(), (100_000, 100_000));
    let gone = both(Write::Delete { key: Key::new("User", "u00000004"), expect: None });
    let gone_rows = [("delete scim_member", 1), ("delete scim_record", 1), ("update scim_count", 1)];
    assert_eq!(gone, rows(&[&rest[..], &gone_rows].concat()));
    assert_eq!(large.members(), (99_999, 99_999));
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
    };
    let name = key("userName", "ada", Scope::Tenant);
    let index = vec![name.clone(), key("emails.value", "a@x", Scope::Many), key("login", "ada", Scope::Global)];
    let inserted = watched.cost(Write::Insert { draft: draft(index.clone()), members: Delta::default() }).rows;
    assert_eq!((inserted["insert scim_key"], inserted["insert scim_unique"]), (3, 2));
    let mut version = 2;
    let mut replace = |index| {
        let expect = Version(version);
        version += 1;
        watched.cost(Write::Replace { draft: draft(index), expect, members: Delta::default() }).rows
    };
    let rest = [("insert scim_log", 1), ("update scim_record", 1), ("update scim_tenant", 1)];
    assert_eq!(replace(index), rows(&rest));
    let other = vec![name.clone(), key("emails.value", "b@x", Scope::Many), key("login", "ada", Scope::Many)];
    let changed = [("delete scim_key", 1), ("delete scim_unique", 1), ("insert scim_key", 1)];
    assert_eq!(replace(other), rows(&[&rest[..], &changed].concat()));
    assert_eq!(replace(vec![name]), rows(&[&rest[..], &[("delete scim_key", 2)]].concat()));
}

#[test]
fn zz_debug() {
    let w = Watched::new(1000);
    for sql in [
        "UPDATE scim_record SET version = 3, modified = 4, members = members - 1 WHERE tenant = 'a' AND id IN (SELECT group_id FROM scim_member WHERE tenant = 'a' AND member_id = 'u00000004')",
        "DELETE FROM scim_member WHERE tenant = 'a' AND member_id = 'u00000004'",
        "DELETE FROM scim_member WHERE tenant = 'a' AND group_id = 'u00000004'",
        "DELETE FROM scim_record WHERE tenant = 'a' AND id = 'u00000004'",
    ] {
        println!("{sql}");
        let mut st = w.sql.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let l: Vec<String> = st.query_map([], |r| r.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
        println!("   {l:?}");
        w.steps.store(0, Ordering::Relaxed);
        w.sql.execute(sql, []).unwrap();
        println!("   {}", w.steps.load(Ordering::Relaxed));
    }
}
