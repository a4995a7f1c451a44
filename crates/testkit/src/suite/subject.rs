//! What is tested: where stores come from, and how much is asked of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use scimwright_store::{
    Change, Committed, Key, Logged, Members, Page, Query, Record, Sink, Source, Store, StoreError, TenantId, Transfer,
};
use serde_json::Value;

/// Names another number of random cases than [`Subject::cases`] says.
const CASES: &str = "SCIM_TEST_CASES";

/// A store under test: where new ones come from, and how many random cases each law looks at.
pub struct Subject {
    fresh: Box<dyn Fn() -> Arc<dyn Store>>,
    cases: u32,
}

impl Subject {
    /// Stores that come from there, each with nothing in it.
    pub fn new<S: Store>(fresh: impl Fn() -> S + 'static) -> Self {
        Self { fresh: Box::new(move || Arc::new(fresh())), cases: 80 }
    }

    /// With so many random cases where a law has such; 80 without it. The environment variable `SCIM_TEST_CASES` has the last word.
    #[must_use]
    pub fn cases(mut self, cases: u32) -> Self {
        self.cases = cases;
        self
    }

    /// A new store.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        (self.fresh)()
    }

    /// Does something for each of the random cases. Every one has a name of its own, so that all may share a store.
    pub(crate) fn each<G: Strategy>(&self, any: &G, law: impl Fn(&str, G::Value) -> Result<(), TestCaseError>) {
        let asked = std::env::var(CASES).ok().map(|text| text.parse().expect("SCIM_TEST_CASES is a number"));
        let cases = asked.unwrap_or(self.cases);
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let number = AtomicU64::new(0);
        let done = runner.run(any, |value| law(&format!("case{}", number.fetch_add(1, Ordering::Relaxed)), value));
        match done {
            Ok(()) => {}
            Err(TestError::Fail(why, value)) => panic!("{why}\nfor {value:#?}"),
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Subject").field("cases", &self.cases).finish_non_exhaustive()
    }
}

/// A store, and what has to live as long as it does, such as the folder that its file is in. The store goes first.
#[derive(Debug)]
pub struct Kept<S, K> {
    /// The store.
    pub store: S,
    /// What it needs.
    pub with: K,
}

impl<S, K> Kept<S, K> {
    /// Keeps both.
    pub const fn new(store: S, with: K) -> Self {
        Self { store, with }
    }
}

#[async_trait]
impl<S: Store, K: fmt::Debug + Send + Sync + 'static> Store for Kept<S, K> {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        self.store.get(tenant, key, members).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.store.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        self.store.commit(tenant, change).await
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.store.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.store.fact(tenant, name).await
    }
}

#[async_trait]
impl<S: Transfer, K: fmt::Debug + Send + Sync + 'static> Transfer for Kept<S, K> {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.store.tenants().await
    }

    async fn export(&self, tenant: &TenantId, sink: Sink) -> Result<(), StoreError> {
        self.store.export(tenant, sink).await
    }

    async fn import(&self, tenant: &TenantId, source: Source) -> Result<(), StoreError> {
        self.store.import(tenant, source).await
    }

    async fn erase(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.store.erase(tenant).await
    }
}
