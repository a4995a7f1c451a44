//! What members cost: the same statements in a group of ten and in one of 100,000, and no row more.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::collections::BTreeMap;

use pollster::block_on;
use scimwright_postgres::{PostgresOptions, PostgresStore};
use scimwright_store::{Delta, Key, Members, Store, Write};
use scimwright_testkit::postgres::{Cluster, Database};
use scimwright_testkit::suite::sample::{change, filtered, joining, tenant};
use support::plans::{Ran, crowd, explaining, ran};

const MANY: usize = 100_000;

/// A group of so many members, and what is asked of it.
struct Group<'c> {
    cluster: &'c Cluster,
    store: PostgresStore,
    _database: Database,
}

/// How often each statement was run, and how many rows it met.
type Cost = BTreeMap<String, (u64, u64)>;

impl<'c> Group<'c> {
    fn of(cluster: &'c Cluster, members: usize) -> Self {
        let database = support::database(cluster);
        // Users who are no members too, so that some can join.
        crowd(cluster, database.url(), MANY + 2_000, members);
        Self { cluster, store: support::open(database.url(), PostgresOptions::default()), _database: database }
    }

    fn cost(&self, what: impl FnOnce(&PostgresStore)) -> Cost {
        let mut cost = Cost::new();
        for ran in ran(self.cluster, || what(&self.store)) {
            let (times, rows) = cost.entry(ran.text.clone()).or_default();
            *times += 1;
            *rows += Ran::rows(&ran);
        }
        assert!(!cost.is_empty());
        cost
    }

    fn commit(&self, delta: Delta) -> Cost {
        let write = Write::Members { group: Key::new("Group", "g"), members: delta, expect: None };
        self.cost(|store| drop(block_on(store.commit(&tenant("a"), change([write]))).unwrap()))
    }

    /// Everything that is asked of one member or of 1,000, and what it costs.
    fn costs(&self) -> Vec<(&'static str, Cost)> {
        let strangers: Vec<String> = (MANY + 1..=MANY + 1_000).map(|n| format!("u{n:07}")).collect();
        let names: Vec<&str> = strangers.iter().map(String::as_str).collect();
        let leaving = |leave: &[String]| Delta { leave: leave.to_vec(), ..Delta::default() };
        let get = |members: Members| {
            let group = Key::new("Group", "g");
            self.cost(|store| drop(block_on(store.get(&tenant("a"), &group, members)).unwrap().unwrap()))
        };
        vec![
            ("one joins", self.commit(joining(&names[..1]))),
            ("one joins again", self.commit(joining(&names[..1]))),
            ("one leaves", self.commit(leaving(&strangers[..1]))),
            ("1,000 join", self.commit(joining(&names))),
            ("1,000 leave", self.commit(leaving(&strangers))),
            ("read without members", get(Members::None)),
            ("read with one", get(Members::Named(vec!["u0000007".to_owned()]))),
            ("is one a member", {
                let query = filtered("Group", r#"id eq "g" and members eq "u0000007""#);
                self.cost(|store| assert_eq!(block_on(store.find(&tenant("a"), &query)).unwrap().total, Some(1)))
            }),
            ("a user's groups", {
                let key = Key::new("User", "u0000007");
                self.cost(|store| {
                    let user = block_on(store.get(&tenant("a"), &key, Members::None)).unwrap().unwrap();
                    assert_eq!(user.member_of.len(), 1);
                })
            }),
            ("a member is deleted", {
                let write = Write::Delete { key: Key::new("User", "u0000003"), expect: None };
                self.cost(|store| drop(block_on(store.commit(&tenant("a"), change([write]))).unwrap()))
            }),
        ]
    }
}

#[test]
fn a_member_costs_the_same_in_any_group() {
    let Some(cluster) = explaining() else { return };
    let (small, large) = (Group::of(&cluster, 10), Group::of(&cluster, MANY));
    for ((what, few), (_, many)) in small.costs().into_iter().zip(large.costs()) {
        let times = |cost: &Cost| cost.iter().map(|(text, (times, _))| (text.clone(), *times)).collect::<Vec<_>>();
        assert_eq!(times(&few), times(&many), "{what}");
        for (text, (_, rows)) in &many {
            // In a group of ten it may be less to look at all ten.
            let of_small = few[text].1;
            assert!(*rows <= of_small, "{what}: {rows} rows instead of {of_small}: {text}");
        }
        let statements: u64 = few.values().map(|(times, _)| times).sum();
        assert!(statements < 15, "{what} takes {statements} statements");
    }
}
