//! Transfers that are wrong.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use scimwright_store::{
    Change, Committed, InMemory, Item, Key, Logged, Members, Page, Query, Record, Sink, Source, Store, StoreError,
    TenantId, Transfer,
};
use scimwright_testkit::suite::transfer::{self, Case};
use serde_json::Value;

/// What is wrong with a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Facts stay behind.
    WithoutFacts,
    /// Times are told in seconds.
    CoarseTimes,
    /// Members come before the records.
    AnyOrder,
    /// What is there is written over.
    WritesOver,
    /// What came before the source broke stays.
    TornImport,
    /// Whatever comes in is taken for whole.
    Credulous,
    /// Whoever is erased takes everybody along.
    ErasesAll,
    /// Whoever is erased need not be closed.
    ErasesOpen,
    /// Whoever comes is open.
    OpensAll,
    /// A tenant that was only looked for is listed.
    ListsAnybody,
    /// That nobody takes what is exported is not told.
    DeafSink,
}

#[derive(Debug)]
struct Faulty {
    inner: InMemory,
    fault: Fault,
    asked: Mutex<Vec<TenantId>>,
}

impl Faulty {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

/// The item as it is written by somebody who cares less.
fn coarse(item: Item) -> Item {
    match item {
        Item::Record { draft, version, modified, member_count } => {
            let modified = modified.to_string().parse().unwrap_or(modified);
            let created = draft.created.map(|created| created.to_string().parse().unwrap_or(created));
            let draft = scimwright_store::Draft { created, ..draft };
            Item::Record { draft, version, modified, member_count }
        }
        other => other,
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        self.asked.lock().unwrap().push(tenant.clone());
        self.inner.get(tenant, key, members).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.inner.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        self.inner.commit(tenant, change).await
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.inner.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.inner.fact(tenant, name).await
    }
}

#[async_trait]
impl Transfer for Faulty {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let mut tenants = self.inner.tenants().await?;
        if self.is(Fault::ListsAnybody) {
            tenants.extend(self.asked.lock().unwrap().iter().cloned());
            tenants.sort();
            tenants.dedup();
        }
        Ok(tenants)
    }

    async fn export(&self, tenant: &TenantId, mut sink: Sink) -> Result<(), StoreError> {
        let fault = self.fault;
        let mut late = Vec::new();
        let held = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&held);
        self.inner
            .export(
                tenant,
                Box::new(move |item| {
                    keep.lock().unwrap().push(item);
                    Ok(())
                }),
            )
            .await?;
        let items = std::mem::take(&mut *held.lock().unwrap());
        for item in items {
            let done = match (&item, fault) {
                (Item::Fact { .. }, Fault::WithoutFacts) => Ok(()),
                (Item::Record { .. }, Fault::AnyOrder) => {
                    late.push(item);
                    Ok(())
                }
                (_, Fault::CoarseTimes) => sink(coarse(item)),
                _ => sink(item),
            };
            if !self.is(Fault::DeafSink) {
                done.map_err(StoreError::unavailable)?;
            }
        }
        late.into_iter().try_for_each(sink).map_err(StoreError::unavailable)
    }

    async fn import(&self, tenant: &TenantId, source: Source) -> Result<(), StoreError> {
        match self.fault {
            Fault::WritesOver => {
                erase(&self.inner, tenant).await?;
                self.inner.import(tenant, source).await
            }
            Fault::TornImport => {
                let mut got = Vec::new();
                for item in source {
                    match item {
                        Ok(item) => got.push(item),
                        Err(error) => {
                            let part = got
                                .into_iter()
                                .filter(|item| matches!(item, Item::Record { .. } | Item::Member { .. }));
                            let head = std::iter::once(Item::Head { position: 0, closed: false });
                            let whole: Vec<io::Result<Item>> = head.chain(part).map(unversioned).map(Ok).collect();
                            drop(self.inner.import(tenant, Box::new(whole.into_iter())).await);
                            return Err(StoreError::unavailable(error));
                        }
                    }
                }
                self.inner.import(tenant, Box::new(got.into_iter().map(Ok))).await
            }
            Fault::OpensAll => {
                let open = |item| match item {
                    Item::Head { position, .. } => Item::Head { position, closed: false },
                    other => other,
                };
                self.inner.import(tenant, Box::new(source.map(move |item| item.map(open)))).await
            }
            Fault::Credulous => drop_refusal(self.inner.import(tenant, source).await),
            _ => self.inner.import(tenant, source).await,
        }
    }

    async fn erase(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let others = if self.is(Fault::ErasesAll) { self.inner.tenants().await? } else { Vec::new() };
        for other in others {
            erase(&self.inner, &other).await?;
        }
        if self.is(Fault::ErasesOpen) { erase(&self.inner, tenant).await } else { self.inner.erase(tenant).await }
    }
}

/// Whether it is closed or not.
async fn erase(store: &InMemory, tenant: &TenantId) -> Result<(), StoreError> {
    let mut change = Change::new("2026-01-01T00:00:00Z".parse().unwrap(), scimwright_store::Event::default());
    change.close = Some(true);
    store.commit(tenant, change).await?;
    store.erase(tenant).await
}

/// A record that fits to a log without entries.
fn unversioned(item: Item) -> Item {
    match item {
        Item::Record { draft, modified, member_count, .. } => {
            Item::Record { draft, version: scimwright_store::Version(0), modified, member_count }
        }
        other => other,
    }
}

/// A refusal is forgotten, but for that of a tenant that is there or a key that is taken.
fn drop_refusal(done: Result<(), StoreError>) -> Result<(), StoreError> {
    match done {
        Err(StoreError::Unavailable(_)) => Ok(()),
        other => other,
    }
}

/// Whether a case finds the fault.
fn fails(fault: Fault, case: Case) -> bool {
    let fresh = move || -> Arc<dyn Transfer> {
        Arc::new(Faulty { inner: InMemory::default(), fault, asked: Mutex::default() })
    };
    catch_unwind(AssertUnwindSafe(|| case(&fresh))).is_err()
}

#[test]
fn transfers_that_are_wrong_are_caught() {
    let faults: [(Fault, Case); 11] = [
        (Fault::ErasesOpen, transfer::only_a_closed_tenant_is_erased),
        (Fault::OpensAll, transfer::closedness_moves_along),
        (Fault::WithoutFacts, transfer::what_is_taken_in_is_what_came_out),
        (Fault::CoarseTimes, transfer::what_is_taken_in_is_what_came_out),
        (Fault::AnyOrder, transfer::items_come_in_their_order),
        (Fault::WritesOver, transfer::a_tenant_that_is_there_is_not_written_over),
        (Fault::TornImport, transfer::a_source_that_breaks_leaves_nothing),
        (Fault::Credulous, transfer::what_does_not_fit_together_stays_outside),
        (Fault::ErasesAll, transfer::an_erased_tenant_was_never_there),
        (Fault::ListsAnybody, transfer::tenants_are_those_that_have_committed),
        (Fault::DeafSink, transfer::a_sink_that_breaks_ends_the_export),
    ];
    for (fault, case) in faults {
        assert!(fails(fault, case), "{fault:?} goes unnoticed");
    }
}
