//! That the tables may be spread over machines: with every table cut into parts by what it is distributed by, no statement of a request
//! or of a command about an organisation looks into two parts.

use std::collections::{BTreeMap, BTreeSet};

use scimwright_testkit::postgres::Cluster;

use super::schema::MIGRATIONS;
use super::testing::open;
use crate::directory::{Changes, Closed, DirectoryError, ExtensionChange, NewOrganisation};
use crate::policy::{Edition, TokenScope};

/// What each table is distributed by, as `distribute.sql` says it.
const DISTRIBUTED: [(&str, &str); 6] = [
    ("sch_organisation", "id"),
    ("sch_token", "organisation"),
    ("sch_extension", "organisation"),
    ("sch_notice", "organisation"),
    ("sch_name", "name_key"),
    ("sch_digest", "digest"),
];

/// Small tables that every machine has.
const EVERYWHERE: [&str; 2] = ["sch_meta", "sch_waiting"];

const PARTS: usize = 4;

/// The tables of `migrate`, cut into parts.
fn in_parts() -> String {
    let mut sql: String = MIGRATIONS.iter().map(|(_, sql)| *sql).collect();
    for (table, column) in DISTRIBUTED {
        let begin = sql.find(&format!("CREATE TABLE {table} (")).unwrap();
        let end = begin + sql[begin..].find("\n);").unwrap();
        let parts = (0..PARTS).map(|part| {
            format!("CREATE TABLE {table}_p{part} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part});\n")
        });
        let parts: String = parts.collect();
        sql.replace_range(end..end + 3, &format!("\n) PARTITION BY HASH ({column});\n{parts}"));
    }
    sql
}

/// The parts of each table that a plan looks into: `2` for `sch_token_p2`, and for the indexes of that.
fn parts_of(plan: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut parts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for word in plan.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
        let known = |table: &str| DISTRIBUTED.iter().any(|(known, _)| *known == table);
        let Some((table, part)) = word.split_once("_p").filter(|(table, _)| known(table)) else { continue };
        let digits = part.len() - part.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        if digits > 0 {
            parts.entry(table).or_default().insert(&part[..digits]);
        }
    }
    parts
}

#[test]
fn what_is_distributed_is_what_is_tested() {
    let sql = include_str!("../../../migrations/distribute.sql");
    for (table, column) in DISTRIBUTED {
        assert!(sql.contains(&format!("create_distributed_table('{table}', '{column}'")), "{table}");
    }
    for table in EVERYWHERE {
        assert!(sql.contains(&format!("create_reference_table('{table}')")), "{table}");
    }
    let tables = MIGRATIONS.iter().map(|(_, sql)| sql.matches("CREATE TABLE").count());
    assert_eq!(tables.sum::<usize>(), DISTRIBUTED.len() + EVERYWHERE.len());
}

#[tokio::test]
async fn no_statement_looks_into_two_parts() {
    if Cluster::shared().is_none() {
        return;
    }
    let settings = ["shared_preload_libraries=auto_explain", "auto_explain.log_min_duration=0"];
    let cluster = Cluster::start(&settings).unwrap();
    if cluster.folder().is_none() {
        return eprintln!("SKIPPED: the parts that statements look into, for the server is somebody else's");
    }
    let database = cluster.database();
    cluster.ask(database.url(), &in_parts()).unwrap();
    let history = format!("CREATE TABLE sch_schema_history AS SELECT {} AS version", MIGRATIONS.len());
    cluster.ask(database.url(), &history).unwrap();

    let directory = open(database.url()).await;
    directory.make_first_organisation(&NewOrganisation::named("default", Edition::First), "").await.unwrap().unwrap();
    directory.cursor_key().await.unwrap();
    for name in ["acme", "globex", "initech", "umbrella"] {
        let made = directory.create_organisation(&NewOrganisation::named(name, Edition::First)).await.unwrap();
        let off = Changes { scim_enabled: Some(false), ..Changes::default() };
        directory.set_organisation(name, &off).await.unwrap();
        let (token, secret) = directory.create_token(name, TokenScope::Scim, "").await.unwrap();
        directory.authenticate(&secret).await.unwrap().unwrap();
        directory.revoke(name, &token.id).await.unwrap();
        directory.tokens(name).await.unwrap();
        directory.organisation_by_id(&made.id).await.unwrap().unwrap();
        let (urn_key, schema) = ("urn:a".to_owned(), serde_json::json!({}));
        for change in [
            ExtensionChange::Put { urn_key: urn_key.clone(), schema },
            ExtensionChange::Remove { urn_key: urn_key.clone(), keep: true },
            ExtensionChange::Remove { urn_key, keep: false },
        ] {
            let decide = move |_: &[_]| Ok::<_, DirectoryError>((change.clone(), String::new(), ()));
            let (_, notice) = directory.change_extensions(&made, decide).await.unwrap();
            directory.claim_notices().await.unwrap();
            directory.forget_notice(&notice).await.unwrap();
        }
        directory.extensions(&made.id).await.unwrap();
        // Away, and back again.
        let closed = Closed::Arriving { by: "1".to_owned() };
        directory.put_state(&made.id, None, Some(closed.clone())).await.unwrap();
        let luggage = directory.luggage(&made.id, &closed).await.unwrap();
        directory.forget(&made.id, &closed).await.unwrap();
        directory.take_in(&luggage, closed.clone()).await.unwrap();
        directory.put_state(&made.id, Some(&closed), None).await.unwrap();
    }
    directory.close().await;

    let mut seen: BTreeSet<String> = BTreeSet::new();
    for plan in plans(&cluster.log()) {
        for (table, parts) in parts_of(plan) {
            assert_eq!(parts.len(), 1, "{table} in {plan}");
            seen.insert(table.to_owned());
        }
    }
    assert_eq!(seen, DISTRIBUTED.map(|(table, _)| table.to_owned()).into(), "what is looked into at all");
    // The operator's look at all of them is seen for what it is.
    directory.organisations().await.unwrap();
    let log = cluster.log();
    assert!(plans(&log).iter().any(|plan| parts_of(plan).values().any(|parts| parts.len() == PARTS)));
}

/// The statements about the product's tables in the server's log, each with its plan.
fn plans(log: &str) -> Vec<&str> {
    let plans = log.split("Query Text: ").skip(1).map(|plan| plan.split("LOG:").next().unwrap_or(plan));
    plans.filter(|plan| !plan.starts_with("CREATE") && plan.contains("sch_")).collect()
}
