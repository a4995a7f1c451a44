//! What every store promises, asked of PostgreSQL: see `scimwright_testkit::suite`.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::sync::Arc;

use scimwright_postgres::{DISTRIBUTE, PostgresOptions, migrate};
use scimwright_testkit::postgres::Cluster;
use scimwright_testkit::suite::{CASES, Kept, Subject, TRANSFER_CASES};

/// Every case, in turn; all are asked, and the names of those that fail are told.
fn every_case(subject: &Subject) {
    let failed = CASES.iter().filter(|(name, case)| {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(subject))).is_err();
        if panicked {
            eprintln!("the case above is {name}");
        }
        panicked
    });
    let failed: Vec<_> = failed.map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_store_keeps_its_promises() {
    let Some(cluster) = Cluster::shared() else { return };
    every_case(&Subject::new(|| support::fresh(cluster, PostgresOptions::default())).cases(20));
}

#[test]
fn a_store_with_prepared_statements_keeps_them_too() {
    let Some(cluster) = Cluster::shared() else { return };
    let options = PostgresOptions { prepared: true, ..PostgresOptions::default() };
    every_case(&Subject::new(move || support::fresh(cluster, options.clone())).cases(5));
}

#[test]
fn a_store_behind_a_bouncer_keeps_them_too() {
    let Some(cluster) = Cluster::shared() else { return };
    let Some(bouncer) = support::bouncer(cluster) else { return };
    let fresh = move || {
        let database = support::database(cluster);
        Kept::new(support::open(&bouncer.url(&database), PostgresOptions::default()), database)
    };
    every_case(&Subject::new(fresh).cases(5));
}

/// A server with Citus, whose nodes share the tables.
#[test]
fn a_distributed_store_keeps_them_too() {
    let Some(url) = std::env::var("SCIM_TEST_CITUS_URL").ok().filter(|url| !url.is_empty()) else {
        return eprintln!("SKIPPED: the suite on Citus, for SCIM_TEST_CITUS_URL names no server");
    };
    let cluster: &'static Cluster = Box::leak(Box::new(Cluster::at(url).unwrap()));
    let fresh = move || {
        let database = cluster.database();
        cluster.ask(database.url(), "CREATE EXTENSION citus").unwrap();
        support::RUNTIME.block_on(migrate(database.url())).unwrap();
        cluster.ask(database.url(), DISTRIBUTE).unwrap();
        Kept::new(support::open(database.url(), PostgresOptions::default()), database)
    };
    every_case(&Subject::new(fresh).cases(5));
}

#[test]
fn tenants_are_taken_out_and_in() {
    let Some(cluster) = Cluster::shared() else { return };
    // The store alone is asked, so the databases wait for the end of it all.
    let databases = std::cell::RefCell::new(Vec::new());
    for (name, case) in TRANSFER_CASES {
        eprintln!("{name}");
        case(&|| {
            let database = support::database(cluster);
            let store = support::open(database.url(), PostgresOptions::default());
            databases.borrow_mut().push(database);
            Arc::new(store)
        });
    }
}
