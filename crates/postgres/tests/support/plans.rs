//! What PostgreSQL has really done: a server that writes down the plan of every statement it has run, with the rows that each step met.

use std::collections::BTreeSet;

use scimwright_testkit::postgres::Cluster;
use serde_json::Value;

/// A server that explains everything; none where there is none, or where it is somebody else's.
pub(crate) fn explaining() -> Option<Cluster> {
    let own = Cluster::shared()?.folder().is_some();
    let settings = [
        "session_preload_libraries=auto_explain",
        "auto_explain.log_min_duration=0",
        "auto_explain.log_analyze=on",
        "auto_explain.log_timing=off",
        "auto_explain.log_format=json",
        "log_min_messages=log",
        "log_line_prefix=@@",
        "autovacuum=off",
    ];
    own.then(|| Cluster::start(&settings).unwrap())
}

/// A statement that was run.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub text: String,
    plan: Value,
}

/// One step that reads a table.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub node: String,
    pub table: String,
    /// The rows that were met, whether or not they were wanted.
    pub rows: u64,
}

/// What was run while something was done.
pub(crate) fn ran(cluster: &Cluster, what: impl FnOnce()) -> Vec<Ran> {
    let before = cluster.log().len();
    what();
    // A statement is explained when its transaction ends, for which whoever only reads does not wait.
    let server = cluster.database();
    while cluster.ask(server.url(), BUSY).unwrap().trim() != "0" {
        std::thread::yield_now();
    }
    let log = cluster.log();
    let entries = log[before..].split("@@").filter_map(|entry| entry.split_once("  plan:\n"));
    entries.map(|(_, json)| read(json)).filter(|ran| ran.text.contains("scim_")).collect()
}

/// How many others are in a transaction.
const BUSY: &str = "SELECT count(*) FROM pg_stat_activity \
                    WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()";

fn read(json: &str) -> Ran {
    let json: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    Ran { text: json["Query Text"].as_str().unwrap().to_owned(), plan: json["Plan"].clone() }
}

impl Ran {
    /// Every step that reads a table.
    pub(crate) fn scans(&self) -> Vec<Scan> {
        let mut scans = Vec::new();
        walk(&self.plan, &mut |node| {
            let name = node["Node Type"].as_str().unwrap();
            if let (Some(table), true) = (node["Relation Name"].as_str(), name.ends_with("Scan")) {
                let number = |name: &str| node[name].as_f64().unwrap_or_default();
                let removed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
                let rows = ((number("Actual Rows") + removed) * number("Actual Loops")).round();
                scans.push(Scan { node: name.to_owned(), table: table.to_owned(), rows: rows as u64 });
            }
        });
        scans
    }

    /// Every table, and every partition of one, that the plan names.
    pub(crate) fn tables(&self) -> BTreeSet<String> {
        let mut tables = BTreeSet::new();
        walk(&self.plan, &mut |node| tables.extend(node["Relation Name"].as_str().map(str::to_owned)));
        tables
    }

    /// How many rows were met.
    pub(crate) fn rows(&self) -> u64 {
        self.scans().iter().map(|scan| scan.rows).sum()
    }
}

fn walk(node: &Value, each: &mut dyn FnMut(&Value)) {
    each(node);
    for below in node["Plans"].as_array().into_iter().flatten() {
        walk(below, each);
    }
}

/// A tenant `a` with so many users and a group of so many of them, past the store to be quick. `User` number 7 is `u0000007`, and all
/// keys of a user end in its number.
pub(crate) fn crowd(cluster: &Cluster, url: &str, users: usize, members: usize) {
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
    let sql = format!(
        r#"BEGIN;
        CREATE TEMP TABLE n AS SELECT n, 'u' || lpad(n::text, 7, '0') AS id FROM generate_series(1, {users}) AS n;
        CREATE TEMP TABLE k AS SELECT id, path, value, scope FROM n CROSS JOIN LATERAL (VALUES
            ('userName', 'name' || n || '@example.com', 1), ('externalId', 'ext-' || n, 0), ('displayName', 'user ' || n % 1000, 0),
            ('emails.value', 'name' || n || '@example.com', 0), ('active', (n % 2 = 0)::text, 0),
            ('{manager}', 'u' || lpad((n / 10)::text, 7, '0'), 0)) AS v (path, value, scope);
        INSERT INTO scim_tenant (tenant, position) VALUES ('a', 1);
        INSERT INTO scim_log VALUES ('a', 1, decode(repeat('00', 32), 'hex'), '', '{{}}');
        INSERT INTO scim_count VALUES ('a', 'User', {users}), ('a', 'Group', 1);
        INSERT INTO scim_record
            SELECT 'a', 'User', id, 1, 0, n * 1000000::bigint, 0, NULL, keys, '{{}}', json_build_object(
                'userName', 'name' || n || '@example.com', 'externalId', 'ext-' || n, 'displayName', 'user ' || n % 1000,
                'active', n % 2 = 0, 'emails', json_build_array(json_build_object('value', 'name' || n || '@example.com', 'type', 'work')))::text
            FROM n JOIN (SELECT id, json_agg(json_build_array(scope, path, value))::text AS keys FROM k GROUP BY id) AS k USING (id);
        INSERT INTO scim_record VALUES ('a', 'Group', 'g', 1, 0, 0, {members}, 'G', '[]', '{{}}', '{{"displayName": "G"}}');
        INSERT INTO scim_key SELECT 'a', 'User', path, value, id FROM k;
        INSERT INTO scim_keyed SELECT 'a', 'User', path, count(*) FROM k GROUP BY path;
        INSERT INTO scim_unique SELECT 'a', 'User', path, value, id FROM k WHERE scope = 1;
        INSERT INTO scim_member SELECT 'a', 'g', id, 'User', NULL FROM n WHERE n <= {members};
        COMMIT;
        ANALYZE;"#
    );
    cluster.ask(url, &sql).unwrap();
}
