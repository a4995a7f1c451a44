//! PATCH of a large group: what a request costs depends on what it names, not on how many members there are.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pollster::block_on;
use scimwright_store::{
    Change, Committed, InMemory, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId, Write,
};
use scimwright_testkit::suite::sample;
use scimwright_tests::{Server, Setup, group, user};
use serde_json::{Value, json};

/// Counts how often it is asked, and how many rows of members it reads and writes.
#[derive(Debug, Default)]
struct Counting {
    inner: InMemory,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicUsize,
    rows: AtomicUsize,
    /// Of these rows, those that were written.
    written: AtomicUsize,
}

impl Counts {
    fn add(&self, rows: usize) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// The calls and rows since this was last asked.
    fn take(&self) -> (usize, usize) {
        (self.calls.swap(0, Ordering::Relaxed), self.rows.swap(0, Ordering::Relaxed))
    }
}

#[async_trait]
impl Store for Counting {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        let found = self.inner.get(tenant, key, members).await?;
        self.counts.add(found.as_ref().map_or(0, |record| record.members.len()));
        Ok(found)
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.inner.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let rows = change.writes.iter().map(|write| match write {
            Write::Insert { members, .. } | Write::Replace { members, .. } | Write::Members { members, .. } => {
                members.join.len() + members.leave.len()
            }
            Write::Delete { .. } => 0,
        });
        let rows = rows.sum();
        self.counts.add(rows);
        self.counts.written.fetch_add(rows, Ordering::Relaxed);
        self.inner.commit(tenant, change).await
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.inner.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.inner.fact(tenant, name).await
    }
}

/// People who exist, and a group of the first so many.
fn team(server: &Server, people: usize, members: usize) -> (Vec<String>, String) {
    let ids: Vec<String> =
        (0..people).map(|at| server.create("/Users", user(&format!("u{at}"))).id().to_owned()).collect();
    let first: Vec<&str> = ids.iter().take(members).map(String::as_str).collect();
    let made = server.create("/Groups", group("team", &first));
    (ids, made.path().to_owned())
}

#[test]
fn pa_26_a_patch_of_a_large_group_reads_and_writes_what_it_names() {
    let store = Counting::default();
    let counts = store.counts.clone();
    let setup = Setup::default().limits(|limits| limits.max_reply_members = 100);
    let server = setup.start_over(store);
    let (ids, path) = team(&server, 1411, 1000);
    let join = |id: &String| json!({"op": "add", "path": "members", "value": [{"value": id}]});
    let leave = |id: &String| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
    let mut calls = Vec::new();
    // As many join as leave, and who is there already is named once more.
    for (from, count) in [(0, 1), (1, 10), (11, 100), (111, 300)] {
        let (old, new) = (&ids[from..from + count], &ids[1000 + from..1000 + from + count]);
        let operations: Vec<Value> =
            new.iter().map(join).chain(old.iter().map(join)).chain(old.iter().map(leave)).collect();
        counts.take();
        server.patch(&*path, operations.into()).is(204);
        let (asked, rows) = counts.take();
        calls.push(asked);
        // Who leaves is read, and who joins or leaves is written.
        assert_eq!(rows, 3 * count, "{count} joined and {count} left");
    }
    assert!(calls.iter().all(|asked| *asked == calls[0]), "as many calls whatever is sent: {calls:?}");
    let members = server.get(&*path).is(200)["members"].clone();
    let mut members: Vec<&str> =
        members.as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
    members.sort_unstable();
    let mut wanted: Vec<&str> = ids[411..].iter().map(String::as_str).collect();
    wanted.sort_unstable();
    assert_eq!(members, wanted);
}

/// A PUT says who the members shall be; what is written is who has come and who has gone.
#[test]
fn a_put_of_a_large_group_writes_the_difference_only() {
    const MANY: usize = 10_000;
    let store = Counting::default();
    let counts = store.counts.clone();
    let server = Setup::default().start_over(store);
    let ids: Vec<String> = (0..=MANY).map(|at| format!("u{at:05}")).collect();
    let people = sample::change(ids.iter().map(|id| sample::user(id, id)));
    block_on(server.store().commit(&sample::tenant("acme"), people)).unwrap();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let path = server.create("/Groups", group("team", &all[..MANY])).path().to_owned();
    let put = |members: &[&str]| {
        counts.written.store(0, Ordering::Relaxed);
        server.put(&*path, group("team", members)).is(200);
        counts.written.load(Ordering::Relaxed)
    };
    assert_eq!(put(&all[..MANY]), 0, "nobody comes or goes");
    assert_eq!(put(&all[1..]), 2, "one comes and one goes");
    assert_eq!(put(&all[..MANY - 100]), 102, "one comes back, and the others go");
}
