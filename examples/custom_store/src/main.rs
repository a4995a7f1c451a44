//! A store of one's own: five methods over anything that can keep records. This one wraps the store in memory, counts what
//! is asked of it, and writes every commit's events to a journal, as a store over a message log would.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use scimwright::core::{Catalog, Selection, urns};
use scimwright::service::{Context, Operation, Service};
use scimwright::store::{Change, Committed, InMemory, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId};
use serde_json::{Value, json};

/// The store, and what it has seen.
#[derive(Debug, Default)]
struct Journalled {
    inner: InMemory,
    reads: AtomicUsize,
    journal: Mutex<Vec<String>>,
}

#[async_trait]
impl Store for Journalled {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.get(tenant, key, members).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let line = format!("{tenant}: {} writes, {} events", change.writes.len(), change.events.len());
        let committed = self.inner.commit(tenant, change).await?;
        // Only what is in the store is told to the world.
        self.journal.lock().map_err(|_| StoreError::unavailable("the journal is broken"))?.push(line);
        Ok(committed)
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.inner.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.inner.fact(tenant, name).await
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = std::sync::Arc::new(Journalled::default());
    let service = Service::over(Catalog::standard(), store.clone());
    let context = Context::new("acme".parse()?, "example", "https://example.com/scim/v2");
    let users = service.resource_type("User")?;
    let body = json!({"schemas": [urns::USER], "userName": "ada"});
    let create = Operation::Create { resource_type: users.clone(), body, selection: Selection::default() };
    let made = pollster::block_on(service.handle(&context, create))?.body.unwrap_or_default();
    let id = made.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let get = Operation::Get { resource_type: users, id, selection: Selection::default(), unless: None };
    assert_eq!(pollster::block_on(service.handle(&context, get))?.status, 200);
    let journal = store.journal.lock().map_err(|_| "the journal is broken")?;
    assert_eq!(*journal, ["acme: 1 writes, 1 events"]);
    eprintln!("{} commits, {} reads", journal.len(), store.reads.load(Ordering::Relaxed));
    Ok(())
}
