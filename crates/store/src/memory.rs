//! The store in memory: small, and right before it is fast. Every other store is tested against it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::TimeDelta;
use scimwright_core::{Instant, Resource};
use serde_json::Value;

use crate::{
    ChainHash, Change, Committed, Cut, Delta, Displaced, Draft, Guard, IndexKey, Key, Logged, Member, Members,
    Membership, Page, Query, Record, Scope, Store, StoreError, TenantId, Version, Write,
};

/// Keeps everything in memory and forgets it with the process. For tests, examples and as the oracle of other stores.
#[derive(Debug, Default)]
pub struct InMemory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tenants: HashMap<TenantId, Tenant>,
    /// Who holds the keys that are unique over all tenants.
    global: Global,
}

/// By path and value.
type Global = HashMap<(String, String), (TenantId, Key)>;

#[derive(Debug, Default)]
struct Tenant {
    records: BTreeMap<Key, Stored>,
    /// The type of every id, for ids are unique over all types.
    types: HashMap<String, String>,
    /// (group, member)
    members: BTreeMap<(String, String), Member>,
    /// (member, group)
    member_of: BTreeSet<(String, String)>,
    unique: HashMap<(String, String, String), Key>,
    facts: HashMap<String, Value>,
    /// The last position of the log.
    position: u64,
    closed: bool,
    log: VecDeque<Logged>,
}

#[derive(Clone, Debug)]
struct Stored {
    draft: Draft,
    version: Version,
    created: Instant,
    modified: Instant,
    member_count: u64,
}

impl Stored {
    /// When it was last written, if it is written now: never at the same time twice, whatever the clock says.
    fn moved(&self, time: Instant, version: Version) -> Instant {
        let next = Instant::from_utc(self.modified.utc() + TimeDelta::milliseconds(1));
        if self.version == version { self.modified } else { time.max(next) }
    }
}

#[async_trait]
impl Store for InMemory {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        let state = self.lock();
        Ok(state.tenants.get(tenant).and_then(|tenant| tenant.record(key, &members)))
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        let state = self.lock();
        let Some(tenant) = state.tenants.get(tenant) else { return Ok(query.run([])) };
        let records = tenant.records.keys().filter_map(|key| {
            let part = query.parts.iter().find(|part| part.resource_type.name == key.resource_type)?;
            let needed = if part.looks_at_members() { &Members::All } else { &part.members };
            tenant.record(key, needed)
        });
        Ok(query.run(records))
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let mut state = self.lock();
        let State { tenants, global } = &mut *state;
        let place = tenants.entry(tenant.clone()).or_default();
        let mut work = Work { id: tenant, tenant: place, global, undo: Vec::new(), displaced: Vec::new() };
        let done = work.run(change);
        if done.is_err() {
            work.roll_back();
        }
        done
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let state = self.lock();
        let log = state.tenants.get(tenant).into_iter().flat_map(|tenant| &tenant.log);
        Ok(log.filter(|logged| logged.position > after).take(limit).cloned().collect())
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        Ok(self.lock().tenants.get(tenant).and_then(|tenant| tenant.facts.get(name).cloned()))
    }
}

impl InMemory {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held can only be a bug of this module, and every change is undone or whole by then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    fn record(&self, key: &Key, members: &Members) -> Option<Record> {
        let stored = self.records.get(key)?;
        let row = |id: &String| self.members.get(&(key.id.clone(), id.clone())).cloned();
        let members = match members {
            Members::None => Vec::new(),
            Members::Named(ids) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                ids.dedup();
                ids.iter().filter_map(row).collect()
            }
            Members::All => self.members_of(&key.id).cloned().collect(),
        };
        let member_of = self.groups_of(&key.id).filter_map(|group| {
            let group = Key::new(self.types.get(group)?.clone(), group.clone());
            let display = self.records.get(&group)?.draft.display.clone();
            Some(Membership { group, display })
        });
        let mut resource: Resource = stored.draft.resource.clone();
        resource.stamp(&key.id, &key.resource_type, stored.created, stored.modified);
        Some(Record {
            key: key.clone(),
            version: stored.version,
            created: stored.created,
            modified: stored.modified,
            resource,
            members,
            member_count: stored.member_count,
            member_of: member_of.collect(),
            notes: stored.draft.notes.clone(),
        })
    }

    fn members_of(&self, group: &str) -> impl Iterator<Item = &Member> {
        let group = group.to_owned();
        self.members
            .range((group.clone(), String::new())..)
            .take_while(move |((own, _), _)| *own == group)
            .map(|(_, member)| member)
    }

    fn groups_of(&self, member: &str) -> impl Iterator<Item = &String> {
        let member = member.to_owned();
        self.member_of
            .range((member.clone(), String::new())..)
            .take_while(move |(own, _)| *own == member)
            .map(|(_, group)| group)
    }
}

/// A change under way, and how to take it back.
struct Work<'w> {
    id: &'w TenantId,
    tenant: &'w mut Tenant,
    global: &'w mut Global,
    undo: Vec<Undo>,
    displaced: Vec<Displaced>,
}

/// What stood there before.
enum Undo {
    Record(Key, Option<Box<Stored>>),
    Member(String, String, Option<Member>),
    Unique((String, String, String), Option<Key>),
    Global((String, String), Option<(TenantId, Key)>),
}

impl Work<'_> {
    fn run(&mut self, change: Change) -> Result<Committed, StoreError> {
        let Change { time, writes, guards, facts, mut events, cut, close } = change;
        if self.tenant.closed && close.is_none() {
            return Err(StoreError::Closed);
        }
        if let Some(Cut { through, hash }) = cut {
            let cut = |logged: &Logged| logged.position == through && logged.hash == hash;
            if !self.tenant.log.iter().any(cut) {
                return Err(StoreError::NoSuchEntry(through));
            }
        }
        let version = Version(self.tenant.position + events.len() as u64);
        let inserts = writes.iter().any(|write| matches!(write, Write::Insert { .. }));
        for write in writes {
            self.write(write, time, version)?;
        }
        for guard in guards {
            let Guard::AtMost { resource_type, limit } = guard;
            let count = self.tenant.records.keys().filter(|key| key.resource_type == resource_type).count() as u64;
            if inserts && count > limit {
                return Err(StoreError::Guard { resource_type, limit });
            }
        }
        // From here on nothing fails.
        for fact in facts {
            if !fact.when.holds(self.tenant.facts.get(&fact.name)) {
                continue;
            }
            match fact.value {
                Some(value) => drop(self.tenant.facts.insert(fact.name, value)),
                None => drop(self.tenant.facts.remove(&fact.name)),
            }
        }
        self.tenant.closed = close.unwrap_or(self.tenant.closed);
        if let Some(event) = events.first_mut() {
            event.displaced.extend(self.displaced.iter().cloned());
        }
        let head = self.tenant.log.back().map_or_else(|| ChainHash::first(self.id), |last| last.hash);
        self.tenant.log.extend(head.extend(self.tenant.position, events));
        self.tenant.position = version.0;
        if let Some(Cut { through, .. }) = cut {
            self.tenant.log.retain(|logged| logged.position > through);
        }
        Ok(Committed { version, displaced: std::mem::take(&mut self.displaced) })
    }

    fn write(&mut self, write: Write, time: Instant, version: Version) -> Result<(), StoreError> {
        match write {
            Write::Insert { draft, members } => {
                let key = draft.key.clone();
                if self.tenant.types.contains_key(&key.id) {
                    return Err(StoreError::Conflict { path: "id".to_owned(), holder: None });
                }
                self.claim(&draft.index, &key)?;
                let created = draft.created.unwrap_or(time);
                self.set(key.clone(), Some(Stored { draft, version, created, modified: time, member_count: 0 }));
                self.members(&key, members, time, version)?;
                Ok(())
            }
            Write::Replace { draft, expect, members } => {
                let key = draft.key.clone();
                let old = self.expect(&key, Some(expect))?;
                self.release(&old.draft.index, &key);
                self.claim(&draft.index, &key)?;
                let modified = old.moved(time, version);
                self.set(key.clone(), Some(Stored { draft, version, modified, ..old }));
                self.members(&key, members, time, version)?;
                Ok(())
            }
            Write::Members { group, members, expect } => {
                self.expect(&group, expect)?;
                if self.members(&group, members, time, version)? {
                    self.touch(&group, time, version);
                }
                Ok(())
            }
            Write::Delete { key, expect } => {
                let old = self.expect(&key, expect)?;
                self.release(&old.draft.index, &key);
                let groups: Vec<_> = self.tenant.groups_of(&key.id).cloned().collect();
                for group in groups {
                    self.set_member(&group, &key.id, None);
                    self.touch_id(&group, time, version);
                }
                let members: Vec<_> = self.tenant.members_of(&key.id).map(|member| member.id.clone()).collect();
                for member in members {
                    self.set_member(&key.id, &member, None);
                }
                self.set(key, None);
                Ok(())
            }
        }
    }

    /// Lets members join and leave, and says whether anybody did.
    fn members(&mut self, group: &Key, delta: Delta, time: Instant, version: Version) -> Result<bool, StoreError> {
        let strangers: Vec<_> = delta
            .join
            .iter()
            .filter(|member| match self.tenant.types.get(&member.id) {
                Some(own) => !delta.of.is_empty() && !delta.of.contains(own),
                None => true,
            })
            .map(|member| member.id.clone())
            .collect();
        if !strangers.is_empty() {
            return Err(StoreError::NoSuchMembers(strangers));
        }
        let mut moved = false;
        for id in delta.leave {
            moved |= self.tenant.members.contains_key(&(group.id.clone(), id.clone()));
            self.set_member(&group.id, &id, None);
        }
        for mut member in delta.join {
            if self.tenant.members.contains_key(&(group.id.clone(), member.id.clone())) {
                continue;
            }
            moved = true;
            if delta.exclusive {
                let others: Vec<_> =
                    self.tenant.groups_of(&member.id).filter(|other| **other != group.id).cloned().collect();
                for other in others {
                    if self.tenant.types.get(&other) == Some(&group.resource_type) {
                        self.set_member(&other, &member.id, None);
                        self.touch_id(&other, time, version);
                        self.displaced.push(Displaced { group: other, member: member.id.clone() });
                    }
                }
            }
            member.resource_type = self.tenant.types.get(&member.id).cloned().unwrap_or_default();
            let id = member.id.clone();
            self.set_member(&group.id, &id, Some(member));
        }
        Ok(moved)
    }

    fn expect(&self, key: &Key, expect: Option<Version>) -> Result<Stored, StoreError> {
        let stored = self.tenant.records.get(key).ok_or_else(|| StoreError::NotFound(key.clone()))?;
        match expect {
            Some(expect) if expect != stored.version => Err(StoreError::Stale(key.clone())),
            _ => Ok(stored.clone()),
        }
    }

    fn claim(&mut self, index: &[IndexKey], key: &Key) -> Result<(), StoreError> {
        for wanted in index {
            let conflict = |holder| StoreError::Conflict { path: wanted.path.clone(), holder };
            match wanted.scope {
                Scope::Many => {}
                Scope::Tenant => {
                    let place = (key.resource_type.clone(), wanted.path.clone(), wanted.value.clone());
                    match self.tenant.unique.get(&place) {
                        Some(holder) if holder != key => return Err(conflict(Some(holder.clone()))),
                        Some(_) => {}
                        None => {
                            self.tenant.unique.insert(place.clone(), key.clone());
                            self.undo.push(Undo::Unique(place, None));
                        }
                    }
                }
                Scope::Global => {
                    let place = (wanted.path.clone(), wanted.value.clone());
                    match self.global.get(&place) {
                        Some((tenant, _)) if tenant != self.id => return Err(conflict(None)),
                        Some((_, holder)) if holder != key => return Err(conflict(Some(holder.clone()))),
                        Some(_) => {}
                        None => {
                            self.global.insert(place.clone(), (self.id.clone(), key.clone()));
                            self.undo.push(Undo::Global(place, None));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn release(&mut self, index: &[IndexKey], key: &Key) {
        for held in index {
            match held.scope {
                Scope::Many => {}
                Scope::Tenant => {
                    let place = (key.resource_type.clone(), held.path.clone(), held.value.clone());
                    let old = self.tenant.unique.remove(&place);
                    self.undo.push(Undo::Unique(place, old));
                }
                Scope::Global => {
                    let place = (held.path.clone(), held.value.clone());
                    let old = self.global.remove(&place);
                    self.undo.push(Undo::Global(place, old));
                }
            }
        }
    }

    fn touch_id(&mut self, id: &str, time: Instant, version: Version) {
        if let Some(resource_type) = self.tenant.types.get(id).cloned() {
            self.touch(&Key::new(resource_type, id), time, version);
        }
    }

    fn touch(&mut self, key: &Key, time: Instant, version: Version) {
        if let Some(stored) = self.tenant.records.get(key) {
            let touched = Stored { version, modified: stored.moved(time, version), ..stored.clone() };
            self.set(key.clone(), Some(touched));
        }
    }

    fn set(&mut self, key: Key, stored: Option<Stored>) {
        match &stored {
            Some(_) => drop(self.tenant.types.insert(key.id.clone(), key.resource_type.clone())),
            None => drop(self.tenant.types.remove(&key.id)),
        }
        let old = match stored {
            Some(stored) => self.tenant.records.insert(key.clone(), stored),
            None => self.tenant.records.remove(&key),
        };
        self.undo.push(Undo::Record(key, old.map(Box::new)));
    }

    fn set_member(&mut self, group: &str, id: &str, member: Option<Member>) {
        let (down, up) = ((group.to_owned(), id.to_owned()), (id.to_owned(), group.to_owned()));
        let now = member.is_some();
        let old = match member {
            Some(member) => {
                self.tenant.member_of.insert(up);
                self.tenant.members.insert(down, member)
            }
            None => {
                self.tenant.member_of.remove(&up);
                self.tenant.members.remove(&down)
            }
        };
        self.recount(group, old.is_some(), now);
        self.undo.push(Undo::Member(group.to_owned(), id.to_owned(), old));
    }

    /// Keeps the number of members beside the group, so that nobody has to count rows.
    fn recount(&mut self, group: &str, before: bool, now: bool) {
        let Some(resource_type) = self.tenant.types.get(group) else { return };
        if let Some(stored) = self.tenant.records.get_mut(&Key::new(resource_type.clone(), group)) {
            stored.member_count = (stored.member_count + u64::from(now)).saturating_sub(u64::from(before));
        }
    }

    fn roll_back(&mut self) {
        for undo in std::mem::take(&mut self.undo).into_iter().rev() {
            match undo {
                Undo::Record(key, old) => self.set(key, old.map(|stored| *stored)),
                Undo::Member(group, id, old) => self.set_member(&group, &id, old),
                Undo::Unique(place, Some(key)) => drop(self.tenant.unique.insert(place, key)),
                Undo::Unique(place, None) => drop(self.tenant.unique.remove(&place)),
                Undo::Global(place, Some(holder)) => drop(self.global.insert(place, holder)),
                Undo::Global(place, None) => drop(self.global.remove(&place)),
            }
        }
        self.undo.clear();
    }
}

mod transfer;

#[cfg(test)]
mod tests;
