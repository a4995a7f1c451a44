//! For the tests beside the code: a database that counts what is done to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

/// A tenant `a` with a group `g` of so many users and one user more, filled past the store to be quick.
pub(crate) struct Watched {
    pub(crate) sql: Connection,
    steps: Arc<AtomicU64>,
}

/// What was done: steps of SQLite's virtual machine, and changed rows of each table.
#[derive(Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) steps: u64,
    pub(crate) rows: BTreeMap<String, u64>,
}

impl Watched {
    pub(crate) fn new(members: usize) -> Self {
        let sql = Connection::open_in_memory().unwrap();
        sql.execute_batch(crate::open::SCHEMA).unwrap();
        sql.execute_batch(&format!(
            "BEGIN;
             INSERT INTO scim_tenant (tenant, position) VALUES ('a', 1);
             INSERT INTO scim_log VALUES ('a', 1, zeroblob(32), '{{}}');
             INSERT INTO scim_count VALUES ('a', 'User', {members} + 1), ('a', 'Group', 1);
             INSERT INTO scim_record VALUES ('a', 'Group', 'g', 1, 0, 0, {members}, 'G', '[]', '{{}}', '{{}}');
             INSERT INTO scim_record
                 WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < {members})
                 SELECT 'a', 'User', format('u%08d', n), 1, 0, n, 0, NULL, format('[[1,\"userName\",\"name%08d\"],[0,\"externalId\",\"ext%08d\"],[0,\"active\",\"true\"]]', n, n),
                     '{{}}', format('{{\"userName\":\"name%08d\",\"externalId\":\"ext%08d\",\"active\":true}}', n, n)
                 FROM n;
             INSERT INTO scim_key
                 SELECT 'a', 'User', 'userName', keys ->> '$[0][2]', id FROM scim_record WHERE type = 'User';
             INSERT INTO scim_key
                 SELECT 'a', 'User', 'externalId', keys ->> '$[1][2]', id FROM scim_record WHERE type = 'User';
             INSERT INTO scim_key
                 SELECT 'a', 'User', 'active', keys ->> '$[2][2]', id FROM scim_record WHERE type = 'User';
             INSERT INTO scim_unique SELECT tenant, type, path, value, tenant, id FROM scim_key WHERE path = 'userName';
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

    /// What something costs.
    pub(crate) fn cost(&self, what: impl FnOnce(&Connection)) -> Cost {
        self.sql.execute_batch("DELETE FROM changed").unwrap();
        self.steps.store(0, Ordering::Relaxed);
        what(&self.sql);
        let steps = self.steps.load(Ordering::Relaxed);
        let mut statement = self.sql.prepare("SELECT name, count(*) FROM changed GROUP BY name").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        Cost { steps, rows: rows.collect::<Result<_, _>>().unwrap() }
    }

    fn watch(&mut self) {
        // SQLite's own hook for changed rows says nothing of tables without row ids; triggers of this connection do.
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
}
