//! The store in memory with a fault: what a database, a driver or a hurry makes of the contract.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use scimwright_store::{
    ChainHash, Change, Committed, Guard, InMemory, Key, Logged, Members, Page, Query, Record, Scope, Store, StoreError,
    TenantId, Version, When, Write,
};
use serde_json::Value;

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A document is replaced whatever version it has.
    LostUpdate,
    /// A record that a tenant does not have is looked for in the others.
    LeakingRecords,
    /// A list is that of all tenants.
    LeakingLists,
    /// Facts have no tenant.
    LeakingFacts,
    /// The names of tenants are compared without case.
    FoldedTenants,
    /// A conflict names the holder in another tenant.
    TalkativeKeys,
    /// Filters on a name compare it as it was written.
    NarrowFilter,
    /// The writes before one that fails stay.
    TornCommit,
    /// A fact stays that was written by a change which fails.
    TornFacts,
    /// Two entries of the log have one position.
    ReusedPosition,
    /// A change that fails takes a position, and nobody has it.
    Gap,
    /// Keys are compared without case.
    FoldedKeys,
    /// Ids are compared without case.
    FoldedIds,
    /// Texts end at the first NUL.
    CutTexts,
    /// The hash of an entry is its own alone.
    SkippedHash,
    /// The log is cut wherever that is asked.
    BlindCut,
    /// A tenant that is closed goes on as if it were not.
    DeafToClosing,
    /// Whether a tenant is closed is asked a moment before the change is made.
    EarlyClosing,
    /// Who joins takes the places of those who are there.
    ReplacingJoin,
    /// A guard is asked before the writes.
    EarlyGuard,
    /// Nobody asks whether keys are taken.
    NoUniqueness,
    /// The keys of a record stay taken when it goes.
    KeptKeys,
    /// The total is counted a moment later than the page is read.
    LateTotal,
    /// A group has the version of its document, whoever joins.
    StandingVersions,
    /// A record was last written when it was made.
    StandingTimes,
    /// Facts are written whatever is known.
    BlindFacts,
    /// Every fifth read is what was read of it before.
    StaleReads,
    /// What was committed is committed once more, as after a connection that broke.
    DoubledCommit,
    /// All members are shown whoever was asked for.
    AllMembers,
    /// Every fifth change is acknowledged and forgotten.
    Forgotten,
}

#[derive(Debug)]
pub(crate) struct Faulty {
    inner: InMemory,
    fault: Fault,
    calls: AtomicUsize,
    commits: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tenants: BTreeSet<TenantId>,
    /// The versions of documents.
    documents: HashMap<(TenantId, Key), Version>,
    /// What was read last.
    past: HashMap<(TenantId, Key), Record>,
    /// The first positions behind a gap.
    gaps: HashMap<TenantId, Vec<u64>>,
    /// What is held for ever.
    kept: Vec<(TenantId, scimwright_store::IndexKey)>,
    /// Who is closed.
    closed: BTreeSet<TenantId>,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        let (calls, commits) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { inner: InMemory::default(), fault, calls, commits, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn every_fifth(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) % 5 == 4
    }

    fn tenant(&self, tenant: &TenantId) -> TenantId {
        if self.is(Fault::FoldedTenants) { tenant.as_str().to_lowercase().parse().unwrap() } else { tenant.clone() }
    }

    /// What goes wrong before a change is made.
    async fn spoil(&self, tenant: &TenantId, change: &mut Change) -> Result<(), StoreError> {
        for write in &mut change.writes {
            self.spoil_write(tenant, write).await?;
        }
        let inserts = change.writes.iter().any(|write| matches!(write, Write::Insert { .. }));
        match self.fault {
            Fault::BlindFacts => change.facts.iter_mut().for_each(|fact| fact.when = When::Always),
            Fault::EarlyGuard => {
                for guard in change.guards.drain(..).filter(|_| inserts) {
                    let Guard::AtMost { resource_type, limit } = guard else { continue };
                    if self.count(tenant, &resource_type).await > limit {
                        return Err(StoreError::Guard { resource_type, limit });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn spoil_write(&self, tenant: &TenantId, write: &mut Write) -> Result<(), StoreError> {
        match (self.fault, write) {
            (Fault::LostUpdate, Write::Replace { draft, expect, .. }) => {
                if let Some(now) = self.inner.get(tenant, &draft.key, Members::None).await? {
                    *expect = now.version;
                }
            }
            (Fault::FoldedKeys, Write::Insert { draft, .. } | Write::Replace { draft, .. }) => {
                draft.index.iter_mut().for_each(|key| key.value = key.value.to_lowercase());
            }
            (Fault::FoldedIds, Write::Insert { draft, .. }) => {
                let folded = Key::new(&*draft.key.resource_type, draft.key.id.to_lowercase());
                if self.inner.get(tenant, &folded, Members::None).await?.is_some() {
                    return Err(StoreError::Conflict { path: "id".to_owned(), holder: None });
                }
            }
            (Fault::NoUniqueness, Write::Insert { draft, .. } | Write::Replace { draft, .. }) => {
                draft.index.iter_mut().for_each(|key| key.scope = Scope::Many);
            }
            (Fault::KeptKeys, Write::Insert { draft, .. }) => {
                let mut state = self.state();
                for key in draft.index.iter().filter(|key| key.scope != Scope::Many) {
                    let held = (tenant.clone(), key.clone());
                    if state.kept.contains(&held) {
                        return Err(StoreError::Conflict { path: key.path.clone(), holder: None });
                    }
                    state.kept.push(held);
                }
            }
            (Fault::ReplacingJoin, Write::Members { group, members, .. }) if !members.join.is_empty() => {
                let now = self.inner.get(tenant, group, Members::All).await?;
                let others = now.into_iter().flat_map(|group| group.members).map(|member| member.id);
                let stays = |id: &String| members.join.iter().any(|member| member.id == *id);
                members.leave.extend(others.filter(|id| !stays(id)).collect::<Vec<_>>());
            }
            _ => {}
        }
        Ok(())
    }

    async fn count(&self, tenant: &TenantId, resource_type: &str) -> u64 {
        let catalog = scimwright_core::Catalog::standard();
        let Some(resource_type) = catalog.resource_type(resource_type) else { return 0 };
        self.inner.find(tenant, &Query::new(resource_type.clone(), 0)).await.unwrap().total.unwrap()
    }

    /// What is left of a change that failed.
    async fn leave_behind(&self, tenant: &TenantId, change: Change) {
        match self.fault {
            Fault::TornCommit => {
                for write in &change.writes {
                    let mut part = Change::new(change.time, change.events[0].clone());
                    part.writes.push(write.clone());
                    if self.inner.commit(tenant, part).await.is_err() {
                        break;
                    }
                }
            }
            Fault::TornFacts => {
                let mut part = Change::new(change.time, change.events[0].clone());
                part.facts = change.facts;
                drop(self.inner.commit(tenant, part).await);
            }
            Fault::Gap => {
                let last = self.inner.log(tenant, 0, usize::MAX).await.unwrap().len() as u64;
                self.state().gaps.entry(tenant.clone()).or_default().push(last + 1);
            }
            _ => {}
        }
    }

    /// What goes wrong when a record is shown.
    fn show(&self, tenant: &TenantId, mut record: Record) -> Record {
        match self.fault {
            Fault::StandingVersions => {
                let known = self.state().documents.get(&(tenant.clone(), record.key.clone())).copied();
                record.version = known.unwrap_or(record.version);
            }
            Fault::StandingTimes => record.modified = record.created,
            Fault::CutTexts => {
                if let Some(Value::String(text)) = record.resource.take("title") {
                    record.resource.put("title", text.split('\0').next().unwrap_or_default().into());
                }
            }
            Fault::StaleReads => {
                let mut state = self.state();
                let old = state.past.insert((tenant.clone(), record.key.clone()), record.clone());
                return old.filter(|_| self.every_fifth()).unwrap_or(record);
            }
            _ => {}
        }
        record
    }

    async fn found(&self, tenant: &TenantId, key: &Key, members: &Members) -> Result<Option<Record>, StoreError> {
        let members = if self.is(Fault::AllMembers) { Members::All } else { members.clone() };
        let found = self.inner.get(tenant, key, members.clone()).await?;
        if found.is_some() {
            return Ok(found);
        }
        let others = if self.is(Fault::LeakingRecords) { self.state().tenants.clone() } else { BTreeSet::new() };
        for other in others {
            if let Some(found) = self.inner.get(&other, key, members.clone()).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Every record that the query could select, with all its members.
    async fn all(&self, tenant: &TenantId, query: &Query) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        for part in &query.parts {
            let mut all = Query::new(part.resource_type.clone(), usize::MAX);
            all.parts[0].members = Members::All;
            records.extend(self.inner.find(tenant, &all).await?.records);
        }
        Ok(records)
    }

    /// Waits until somebody commits, if anybody does.
    fn wait_for_a_commit(&self) {
        let (before, started) = (self.commits.load(Ordering::SeqCst), Instant::now());
        while self.commits.load(Ordering::SeqCst) == before && started.elapsed() < Duration::from_millis(100) {
            thread::yield_now();
        }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        let tenant = self.tenant(tenant);
        Ok(self.found(&tenant, key, &members).await?.map(|record| self.show(&tenant, record)))
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        let tenant = self.tenant(tenant);
        match self.fault {
            Fault::NarrowFilter => {
                let narrow = query.parts.iter().any(|part| part.filter.is_some() && part.looks_at("userName"));
                let mut all = self.all(&tenant, query).await?;
                let plain = |record: &Record| {
                    let name = record.resource.get("userName").and_then(Value::as_str);
                    name.is_none_or(|name| name.to_lowercase() == name)
                };
                all.retain(|record| !narrow || plain(record));
                Ok(query.run(all))
            }
            Fault::LeakingLists => {
                let others = self.state().tenants.clone();
                let mut all = Vec::new();
                for other in others {
                    all.extend(self.all(&other, query).await?);
                }
                Ok(query.run(all))
            }
            Fault::LateTotal => {
                let page = self.inner.find(&tenant, query).await?;
                self.wait_for_a_commit();
                Ok(Page { total: self.inner.find(&tenant, query).await?.total, ..page })
            }
            _ => {
                let mut page = self.inner.find(&tenant, query).await?;
                page.records = page.records.into_iter().map(|record| self.show(&tenant, record)).collect();
                Ok(page)
            }
        }
    }

    async fn commit(&self, tenant: &TenantId, mut change: Change) -> Result<Committed, StoreError> {
        let tenant = self.tenant(tenant);
        self.state().tenants.insert(tenant.clone());
        self.spoil(&tenant, &mut change).await?;
        if self.is(Fault::Forgotten) && self.every_fifth() {
            return Ok(Committed::new(Version(self.inner.log(&tenant, 0, usize::MAX).await?.len() as u64 + 1), vec![]));
        }
        match (self.fault, change.close) {
            (Fault::DeafToClosing, _) => change.close = None,
            (Fault::EarlyClosing, Some(true)) => drop(self.state().closed.insert(tenant.clone())),
            (Fault::EarlyClosing, Some(false)) => drop(self.state().closed.remove(&tenant)),
            (Fault::EarlyClosing, None) => {
                if self.state().closed.contains(&tenant) {
                    return Err(StoreError::Closed);
                }
                self.wait_for_a_commit();
            }
            _ => {}
        }
        if self.is(Fault::EarlyClosing) {
            change.close = None;
        }
        let done = self.inner.commit(&tenant, change.clone()).await;
        self.commits.fetch_add(1, Ordering::SeqCst);
        match done {
            Ok(done) => {
                for write in &change.writes {
                    if let Write::Insert { draft, .. } | Write::Replace { draft, .. } = write {
                        self.state().documents.insert((tenant.clone(), draft.key.clone()), done.version);
                    }
                }
                if self.is(Fault::DoubledCommit) {
                    drop(self.inner.commit(&tenant, change).await);
                }
                Ok(done)
            }
            Err(StoreError::NoSuchEntry(_)) if self.is(Fault::BlindCut) => {
                self.inner
                    .commit(&tenant, {
                        change.cut = None;
                        change
                    })
                    .await
            }
            Err(StoreError::Conflict { path, holder: None }) if self.is(Fault::TalkativeKeys) && path != "id" => {
                Err(StoreError::Conflict { path, holder: Some(Key::new("User", "1")) })
            }
            Err(error) => {
                self.leave_behind(&tenant, change).await;
                Err(error)
            }
        }
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let tenant = self.tenant(tenant);
        let mut log = self.inner.log(&tenant, after, limit).await?;
        for logged in &mut log {
            match self.fault {
                Fault::ReusedPosition if logged.position % 3 == 0 => logged.position -= 1,
                Fault::Gap => {
                    let gaps = self.state().gaps.get(&tenant).cloned().unwrap_or_default();
                    logged.position += gaps.iter().filter(|gap| **gap <= logged.position).count() as u64;
                }
                Fault::SkippedHash => logged.hash = ChainHash::first(&tenant).next(logged.position, &logged.event),
                _ => {}
            }
        }
        Ok(log)
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        let tenant = self.tenant(tenant);
        let known = self.inner.fact(&tenant, name).await?;
        if known.is_some() || !self.is(Fault::LeakingFacts) {
            return Ok(known);
        }
        let others = self.state().tenants.clone();
        for other in others {
            if let Some(known) = self.inner.fact(&other, name).await? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }
}
