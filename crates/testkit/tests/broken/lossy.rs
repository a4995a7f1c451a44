//! Stores that forget when they are opened again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use async_trait::async_trait;
use pollster::block_on;
use scimwright_store::{
    Change, Committed, InMemory, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId, Write,
};
use scimwright_testkit::suite::reopened;
use serde_json::Value;

/// The store in memory, with a journal of all that it has done.
#[derive(Debug, Default)]
struct Journal {
    memory: InMemory,
    changes: Mutex<Vec<(TenantId, Change)>>,
}

impl Journal {
    /// What follows from a part of the journal.
    fn again(self, keep: impl FnOnce(Vec<(TenantId, Change)>) -> Vec<(TenantId, Change)>) -> Self {
        let again = Self::default();
        for (tenant, change) in keep(self.changes.into_inner().unwrap()) {
            // What followed from something that is lost may not be possible any more.
            drop(block_on(again.commit(&tenant, change)));
        }
        again
    }
}

#[async_trait]
impl Store for Journal {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        self.memory.get(tenant, key, members).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.memory.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let mut changes = self.changes.lock().unwrap();
        let done = block_on(self.memory.commit(tenant, change.clone()))?;
        changes.push((tenant.clone(), change));
        Ok(done)
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.memory.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.memory.fact(tenant, name).await
    }
}

type Reopen = fn(Journal) -> Journal;
type Case = fn(fn() -> Journal, Reopen);

const CASES: [Case; 5] = [
    reopened::everything_is_there_when_it_is_opened_again,
    reopened::promises_hold_when_it_is_opened_again,
    reopened::a_log_that_was_cut_goes_on_when_it_is_opened_again,
    reopened::nobody_is_lost_who_was_acknowledged,
    reopened::what_was_under_way_is_whole_or_not_there,
];

/// Which of the cases fail.
fn failing(reopen: Reopen) -> Vec<usize> {
    let fails = |case: &Case| catch_unwind(AssertUnwindSafe(|| case(Journal::default, reopen))).is_err();
    CASES.iter().enumerate().filter(|(_, case)| fails(case)).map(|(at, _)| at).collect()
}

#[test]
fn a_journal_that_is_whole_passes() {
    assert_eq!(failing(|journal| journal.again(|all| all)), [0; 0]);
}

#[test]
fn a_journal_without_its_last_line_is_caught() {
    let last = failing(|journal| {
        journal.again(|mut all| {
            all.pop();
            all
        })
    });
    assert_eq!(last, [0, 1, 2, 3, 4]);
}

#[test]
fn a_journal_that_forgets_facts_or_keys_is_caught() {
    let facts = failing(|journal| {
        journal.again(|mut all| {
            all.iter_mut().for_each(|(_, change)| change.facts.clear());
            all
        })
    });
    assert!(facts.contains(&0), "{facts:?}");
    let keys = failing(|journal| {
        journal.again(|mut all| {
            for (_, change) in &mut all {
                for write in &mut change.writes {
                    if let Write::Insert { draft, .. } | Write::Replace { draft, .. } = write {
                        draft.index.clear();
                    }
                }
            }
            all
        })
    });
    assert_eq!(keys, [1]);
}
