//! Stores that give others a chance, and stores that are wrong.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use scimwright_store::{
    Change, Committed, InMemory, Key, Logged, Members, Page, Query, Record, Scope, Store, StoreError, TenantId, Write,
};
use serde_json::Value;

/// Waits for a moment before and after each call, so that much comes between a read and the write that follows from it.
#[derive(Debug)]
pub(crate) struct Waiting<S>(S);

impl<S> Waiting<S> {
    pub(crate) const fn over(inner: S) -> Self {
        Self(inner)
    }
}

/// Lets others go on first.
async fn wait() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl<S: Store> Store for Waiting<S> {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        wait().await;
        let found = self.0.get(tenant, key, members).await;
        wait().await;
        found
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.0.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        wait().await;
        let done = self.0.commit(tenant, change).await;
        wait().await;
        done
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.0.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.0.fact(tenant, name).await
    }
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A document is replaced whatever version it has.
    LostUpdates,
    /// Every fifth who joins does not.
    LostMembers,
    /// Every fifth read is what was read of it before.
    StaleReads,
    /// A unique key is a key like any other.
    NoUniqueness,
    /// A record is deleted whatever version it has.
    BlindDeletes,
}

/// The store in memory with a fault.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: InMemory,
    fault: Fault,
    calls: AtomicUsize,
    past: Mutex<HashMap<(Key, String), Record>>,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { inner: InMemory::default(), fault, calls: AtomicUsize::new(0), past: Mutex::default() }
    }

    fn every_fifth(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) % 5 == 4
    }

    /// The record as it was read before, or as it is now.
    fn as_it_was(&self, key: &Key, members: &Members, now: Option<Record>) -> Option<Record> {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (key.clone(), format!("{members:?}"));
        let old = past.get(&place).cloned().filter(|_| self.every_fifth());
        if let Some(now) = &now {
            past.insert(place, now.clone());
        }
        old.or(now)
    }

    /// The change as a store without the fault would have to be asked for it.
    async fn spoil(&self, tenant: &TenantId, change: &mut Change) {
        for write in &mut change.writes {
            match (self.fault, write) {
                (Fault::LostUpdates, Write::Replace { draft, expect, .. }) => {
                    if let Ok(Some(now)) = self.inner.get(tenant, &draft.key, Members::None).await {
                        *expect = now.version;
                    }
                }
                (
                    Fault::LostMembers,
                    Write::Insert { members, .. } | Write::Replace { members, .. } | Write::Members { members, .. },
                ) => members.join.retain(|_| !self.every_fifth()),
                (Fault::NoUniqueness, Write::Insert { draft, .. } | Write::Replace { draft, .. }) => {
                    draft.index.iter_mut().for_each(|key| key.scope = Scope::Many);
                }
                (Fault::BlindDeletes, Write::Delete { expect, .. }) => *expect = None,
                _ => {}
            }
        }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        let now = self.inner.get(tenant, key, members.clone()).await?;
        Ok(if self.fault == Fault::StaleReads { self.as_it_was(key, &members, now) } else { now })
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.inner.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, mut change: Change) -> Result<Committed, StoreError> {
        self.spoil(tenant, &mut change).await;
        self.inner.commit(tenant, change).await
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.inner.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.inner.fact(tenant, name).await
    }
}
