//! Servers that may not write for a while, and tenants whose row somebody holds: others go on, and all goes on when that is over.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::thread;
use std::time::Duration;

use pollster::block_on;
use scimwright_postgres::PostgresOptions;
use scimwright_store::{Delta, Key, Members, Store, StoreError, Write};
use scimwright_testkit::postgres::Cluster;
use scimwright_testkit::suite::sample::{change, group, joining, tenant, user};

/// As a leader that has become a replica: what was opened before is of no use any more, and must not stay in the pool.
#[test]
fn a_server_that_may_not_write_is_left_and_found_again() {
    let Some(cluster) = Cluster::shared() else { return };
    let options =
        PostgresOptions { patience: Duration::from_millis(300), connections: 2, ..PostgresOptions::default() };
    let fresh = support::fresh(cluster, options);
    let (whose, name) = (tenant("a"), fresh.with.name());
    let set = |to: &str| {
        let sql = format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = {to}");
        cluster.ask(&fresh.with.url().replace(name, "postgres"), &sql).unwrap();
        let ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        if to == "on" {
            cluster.ask(fresh.with.url(), ends).unwrap();
        }
    };
    set("on");
    for _ in 0..3 {
        let refused = block_on(fresh.commit(&whose, change([user("1", "ada")])));
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    // Nobody ends these connections: if one that may not write were kept, it would be found here.
    set("off");
    for id in ["1", "2", "3"] {
        block_on(fresh.commit(&whose, change([user(id, id)]))).unwrap();
    }
    assert_eq!(block_on(fresh.log(&whose, 0, 10)).unwrap().len(), 3);
}

#[test]
fn a_tenant_whose_row_is_held_keeps_no_others_waiting() {
    let Some(cluster) = Cluster::shared() else { return };
    let options = PostgresOptions { connections: 3, ..PostgresOptions::default() };
    let fresh = support::fresh(cluster, options);
    for whose in ["a", "b"] {
        block_on(fresh.commit(&tenant(whose), change([group("g", &[])]))).unwrap();
    }
    thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let held = "BEGIN; SELECT position FROM scim_tenant WHERE tenant = 'a' FOR UPDATE; SELECT pg_sleep(600)";
            cluster.ask(fresh.with.url(), held)
        });
        let holds =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
        while cluster.ask(fresh.with.url(), holds).unwrap().trim() != "1" {
            thread::sleep(Duration::from_millis(5));
        }
        let waiting: Vec<_> = (0..8)
            .map(|number| {
                let store = &fresh;
                scope.spawn(move || {
                    let id = format!("u{number}");
                    block_on(store.commit(&tenant("a"), change([user(&id, &id)])))
                })
            })
            .collect();
        // More than there are connections wait for one tenant; another one writes and reads all the same.
        block_on(fresh.commit(&tenant("b"), change([user("1", "ada")]))).unwrap();
        assert!(block_on(fresh.get(&tenant("b"), &Key::new("User", "1"), Members::None)).unwrap().is_some());
        let ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND wait_event = 'PgSleep'";
        cluster.ask(fresh.with.url(), ends).unwrap();
        assert!(holder.join().unwrap().is_err());
        for one in waiting {
            one.join().unwrap().unwrap();
        }
    });
    assert_eq!(block_on(fresh.log(&tenant("a"), 0, 100)).unwrap().len(), 9);
}

/// Who leaves many groups at once, by deletion or by joining one that he is in alone, costs as many statements as who leaves one.
#[test]
fn many_groups_are_left_at_once() {
    let Some(cluster) = Cluster::shared() else { return };
    let fresh = support::fresh(cluster, PostgresOptions::default());
    let whose = tenant("a");
    let users: Vec<String> = (0..200).map(|at| format!("u{at:03}")).collect();
    block_on(fresh.commit(&whose, change(users.iter().map(|id| user(id, id))))).unwrap();
    // u000 is in every group, and each of the others in two.
    let groups = (0..200).map(|at| {
        let members = [users[0].as_str(), users[at].as_str(), users[(at + 1) % 200].as_str()];
        let mut members = members.to_vec();
        members.sort_unstable();
        members.dedup();
        group(&format!("g{at:03}"), &members)
    });
    block_on(fresh.commit(&whose, change(groups))).unwrap();
    let all: Vec<_> = users.iter().map(String::as_str).collect();
    let delta = Delta { exclusive: true, ..joining(&all[2..199]) };
    let moved = change([Write::Members { group: Key::new("Group", "g000"), members: delta, expect: None }]);
    let done = block_on(fresh.commit(&whose, moved)).unwrap();
    // Each of those 197 was in two groups, none of them g000.
    assert_eq!(done.displaced.len(), 2 * 197);
    let get = |id: &str| block_on(fresh.get(&whose, &Key::new("Group", id), Members::All)).unwrap().unwrap();
    for at in 0..200 {
        let group = get(&format!("g{at:03}"));
        assert_eq!(group.members.len() as u64, group.member_count, "{at}");
    }
    let gone = Write::Delete { key: Key::new("User", "u000"), expect: None };
    block_on(fresh.commit(&whose, change([gone]))).unwrap();
    for at in 0..200 {
        let group = get(&format!("g{at:03}"));
        assert_eq!(group.members.len() as u64, group.member_count, "{at}");
        assert!(group.members.iter().all(|member| member.id != "u000"), "{at}");
    }
}
