//! The tables: made by `migrate` alone, and never guessed at.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::sync::Barrier;
use std::thread;

use scimwright_postgres::{DISTRIBUTE, OpenError, PostgresOptions, PostgresStore, migrate};
use scimwright_testkit::postgres::Cluster;

fn connect(url: &str) -> Result<PostgresStore, OpenError> {
    support::RUNTIME.block_on(PostgresStore::connect(url, PostgresOptions::default()))
}

#[test]
fn only_migrate_makes_tables() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    assert!(matches!(connect(database.url()), Err(OpenError::Missing)));
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'scim%'";
    assert_eq!(cluster.ask(database.url(), tables).unwrap(), "0");
    let migrated = support::RUNTIME.block_on(migrate(database.url())).unwrap();
    assert_eq!((migrated.from, migrated.to), (None, 1));
    let again = support::RUNTIME.block_on(migrate(database.url())).unwrap();
    assert_eq!((again.from, again.to), (Some(1), 1));
    connect(database.url()).unwrap();
}

#[test]
fn several_may_migrate_at_once() {
    const PROCESSES: usize = 8;
    let Some(cluster) = Cluster::shared() else { return };
    for _ in 0..3 {
        let (database, together) = (cluster.database(), Barrier::new(PROCESSES));
        let process = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            together.wait();
            runtime.block_on(migrate(database.url())).map(|migrated| migrated.to)
        };
        let done: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(process)).collect();
            running.into_iter().map(|running| running.join().unwrap()).collect()
        });
        assert!(done.iter().all(|done| matches!(done, Ok(1))), "{done:?}");
        assert_eq!(cluster.ask(database.url(), "SELECT count(*) FROM scim_schema_history").unwrap(), "1");
        connect(database.url()).unwrap();
    }
}

#[test]
fn a_step_that_fails_is_told_and_not_taken() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    cluster.ask(database.url(), "CREATE TABLE scim_fact (mine text)").unwrap();
    for _ in 0..2 {
        let failed = support::RUNTIME.block_on(migrate(database.url()));
        assert!(matches!(failed, Err(OpenError::Migration(_))), "{failed:?}");
        assert_eq!(cluster.ask(database.url(), "SELECT count(*) FROM scim_schema_history").unwrap(), "0");
    }
}

#[test]
fn another_version_is_told() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = support::database(cluster);
    let set = |version: i64| {
        cluster.ask(database.url(), &format!("UPDATE scim_schema_history SET version = {version}")).unwrap();
        connect(database.url()).unwrap_err().to_string()
    };
    assert_eq!(set(0), "the database has schema version 0 and this program needs 1: run `migrate`");
    assert_eq!(set(9), "the database has schema version 9, which is newer than 1, the newest that this program knows");
    let newer = support::RUNTIME.block_on(migrate(database.url()));
    assert!(matches!(newer, Err(OpenError::Newer { found: 9, .. })), "{newer:?}");
}

/// What the shape for sharding demands, read from the catalogs.
#[test]
fn the_tenant_comes_first_everywhere() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = support::database(cluster);
    let ask = |sql: &str| cluster.ask(database.url(), sql).unwrap();
    let tables = ask("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'scim\\_%' \
                      AND relname <> 'scim_schema_history' ORDER BY 1");
    assert_eq!(tables.lines().count(), 10);
    // Every table is distributed, the others beside the first.
    for table in tables.lines() {
        assert!(DISTRIBUTE.contains(&format!("create_distributed_table('{table}'")), "{table}");
    }
    let first = ask("SELECT i.indexrelid::regclass, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
                     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
                     WHERE c.relname LIKE 'scim\\_%' AND c.relname <> 'scim_schema_history'");
    for line in first.lines() {
        let (index, column) = line.split_once('|').unwrap();
        assert_eq!(column, if index == "scim_global_pkey" { "value" } else { "tenant" }, "{index}");
    }
    let foreign = ask("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'");
    for line in foreign.lines() {
        assert!(line.starts_with("FOREIGN KEY (tenant") && line.contains("(tenant"), "{line}");
    }
    // Whatever order the database has, texts have that of their bytes.
    let others = "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation o ON o.oid = a.attcollation \
                  WHERE c.relname LIKE 'scim\\_%' AND c.relname NOT LIKE 'scim\\_schema\\_history%' AND o.collname <> 'C'";
    assert_eq!(ask(others), "0");
    let own = "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relname LIKE 'scim\\_%'";
    assert_eq!(ask(own), "0");
    assert_eq!(ask("SELECT count(*) FROM pg_class WHERE relkind = 'S'"), "0");
}

#[test]
fn what_is_no_url_is_told_without_the_password() {
    let Some(_) = Cluster::shared() else { return };
    let wrong = connect("postgres://me:secret@127.0.0.1:1/x?sslmode=perhaps").unwrap_err();
    assert!(matches!(wrong, OpenError::Url(_)));
    assert!(!format!("{wrong:?} {wrong}").contains("secret"));
}
