//! How PostgreSQL goes about queries in a tenant of 100,000 users: by searching, never by walking through all of them.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use scimwright_postgres::{PostgresOptions, PostgresStore};
use scimwright_store::{Query, Store};
use scimwright_testkit::postgres::Cluster;
use scimwright_testkit::suite::sample::{filtered, tenant};
use support::plans::{Ran, crowd, explaining, ran};

const USERS: usize = 100_000;

/// Shapes that providers send, and how many rows may be met for a page of ten: some for each record, its keys and its groups.
const FEW: [(&str, &str); 15] = [
    ("User", r#"userName eq "Name7@example.com""#),
    ("User", r#"externalId eq "ext-7""#),
    ("User", r#"emails eq "name7@example.com""#),
    ("User", r#"emails[type eq "work" and value eq "name7@example.com"]"#),
    ("User", r#"emails.value eq "name7@example.com""#),
    ("User", r#"displayName eq "User 7""#),
    ("User", r#"id eq "u0000007""#),
    ("User", r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "u0000007""#),
    ("User", r#"userName eq "name7@example.com" and active eq false"#),
    ("User", r#"active eq false and externalId eq "ext-7""#),
    ("User", r#"meta.lastModified gt "1970-01-01T00:01:39.990Z""#),
    ("User", r#"meta.lastModified ge "1970-01-01T00:01:39.990Z" and active eq true"#),
    ("Group", r#"members eq "u0000007""#),
    ("Group", r#"members[value eq "u0000007"]"#),
    ("Group", r#"id eq "g" and members eq "u0000007""#),
];

/// Their pages cost what they show, but everybody who is found is counted.
const MANY: [(&str, &str); 3] = [
    ("User", "active eq true"),
    ("User", r#"groups eq "g""#),
    ("User", r#"active eq true and meta.lastModified ge "1970-01-01T00:00:50Z""#),
];

fn page(resource_type: &str, filter: &str) -> Query {
    let mut query = filtered(resource_type, filter);
    query.count = 10;
    query
}

fn find(cluster: &Cluster, store: &PostgresStore, query: &Query) -> (usize, Vec<Ran>) {
    let mut found = 0;
    let ran = ran(cluster, || found = block_on(store.find(&tenant("a"), query)).unwrap().records.len());
    assert!(!ran.is_empty());
    (found, ran)
}

fn never_scans(what: &str, ran: &[Ran]) {
    for ran in ran {
        let scans = ran.scans();
        assert!(scans.iter().all(|scan| scan.node != "Seq Scan"), "{what}: {}\n{scans:#?}", ran.text);
    }
}

#[test]
fn what_providers_ask_is_searched_for() {
    let Some(cluster) = explaining() else { return };
    let database = support::database(&cluster);
    crowd(&cluster, database.url(), USERS, USERS / 2);
    let store = support::open(database.url(), PostgresOptions::default());
    for (resource_type, filter) in FEW {
        let (found, ran) = find(&cluster, &store, &page(resource_type, filter));
        assert!(found > 0, "{filter}");
        never_scans(filter, &ran);
        let rows: u64 = ran.iter().map(Ran::rows).sum();
        assert!(rows < 500, "{filter} meets {rows} rows: {ran:#?}");
    }
    for (resource_type, filter) in MANY {
        let mut query = page(resource_type, filter);
        never_scans(filter, &find(&cluster, &store, &query).1);
        // Without a total nobody is counted.
        query.total = false;
        let (found, ran) = find(&cluster, &store, &query);
        assert_eq!(found, 10, "{filter}");
        never_scans(filter, &ran);
        let rows: u64 = ran.iter().map(Ran::rows).sum();
        let whole = filter.contains("meta.lastModified");
        assert!(whole || rows < 500, "{filter} meets {rows} rows: {ran:#?}");
    }
    let lines = block_on(store.explain(&tenant("a"), &page("User", FEW[0].1))).unwrap();
    assert!(lines.iter().any(|line| line.contains("scim_key_pkey")), "{lines:#?}");
}

#[test]
fn a_planner_without_statistics_searches_too() {
    let Some(cluster) = explaining() else { return };
    let database = support::database(&cluster);
    crowd(&cluster, database.url(), 20_000, 10_000);
    cluster.ask(database.url(), "DELETE FROM pg_statistic; UPDATE pg_class SET reltuples = -1, relpages = 0").unwrap();
    let store = support::open(database.url(), PostgresOptions::default());
    for (resource_type, filter) in FEW {
        never_scans(filter, &find(&cluster, &store, &page(resource_type, filter)).1);
    }
}
