//! Every statement of the store stays where its tenant is: the same tables, parted by tenant, and every plan names one part alone.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::collections::BTreeSet;

use scimwright_postgres::PostgresOptions;
use scimwright_testkit::suite::{CASES, Kept, Subject};
use support::plans::{explaining, ran};

const TABLES: &str = include_str!("../migrations/V1__tables.sql");

/// The tables, each parted into four.
fn parted() -> String {
    let (mut sql, mut name) = (String::new(), "");
    for line in TABLES.lines() {
        if let Some(table) = line.strip_prefix("CREATE TABLE ") {
            name = table.split_whitespace().next().unwrap();
        }
        if line == ");" {
            let by = if name == "scim_global" { "value" } else { "tenant" };
            sql.push_str(&format!(") PARTITION BY HASH ({by});\n"));
            for part in 0..4 {
                sql.push_str(&format!(
                    "CREATE TABLE {name}_{part} PARTITION OF {name} FOR VALUES WITH (MODULUS 4, REMAINDER {part});\n"
                ));
            }
        } else {
            sql.push_str(line);
            sql.push('\n');
        }
    }
    sql
}

#[test]
fn every_statement_touches_one_partition() {
    let Some(cluster) = explaining() else { return };
    let shared: &'static _ = Box::leak(Box::new(cluster));
    let fresh = move || {
        let database = shared.prepared("parted", |url| {
            shared.ask(url, &parted()).unwrap();
            let noted = "CREATE TABLE scim_schema_history (version int4 PRIMARY KEY); \
                         INSERT INTO scim_schema_history VALUES (1)";
            shared.ask(url, noted).unwrap();
        });
        Kept::new(support::open(database.url(), PostgresOptions::default()), database)
    };
    let subject = Subject::new(fresh).cases(1);
    // Whether they hold is asked elsewhere; here they are what brings every statement up.
    let ran =
        ran(shared, || CASES.iter().filter(|(name, _)| !name.contains("large")).for_each(|(_, case)| case(&subject)));
    let (mut texts, mut tables) = (BTreeSet::new(), BTreeSet::new());
    for ran in &ran {
        let part = |name: &String| name.rsplit_once('_').and_then(|(_, part)| part.parse::<u8>().ok());
        let named: BTreeSet<_> = ran.tables();
        let parts: BTreeSet<u8> = named.iter().filter_map(part).collect();
        assert!(parts.len() <= 1, "{} names {named:?}", ran.text);
        texts.insert(ran.text.clone());
        tables.extend(named.iter().filter(|name| part(name).is_some()).map(|name| name[..name.len() - 2].to_owned()));
    }
    // Every table was met, and every kind of statement run.
    let every = TABLES.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
    let every: BTreeSet<_> = every.map(|line| line.trim_end_matches(" (").to_owned()).collect();
    let missed: Vec<_> = every.difference(&tables).collect();
    assert_eq!(missed, [""; 0]);
    assert!(texts.len() > 40, "{}", texts.len());
}
