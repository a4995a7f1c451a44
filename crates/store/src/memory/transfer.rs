//! Whole tenants, out of memory and into it.

use async_trait::async_trait;

use super::{Global, InMemory, State, Stored, Tenant};
use crate::{Draft, IndexKey, Intake, Item, Key, Misfit, Scope, Sink, Source, StoreError, TenantId, Transfer};

#[async_trait]
impl Transfer for InMemory {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let state = self.lock();
        let committed = state.tenants.iter().filter(|(_, tenant)| tenant.position > 0);
        let mut tenants: Vec<TenantId> = committed.map(|(id, _)| id.clone()).collect();
        tenants.sort();
        Ok(tenants)
    }

    async fn export(&self, tenant: &TenantId, mut sink: Sink) -> Result<(), StoreError> {
        let state = self.lock();
        let Some(whole) = state.tenants.get(tenant).filter(|tenant| tenant.position > 0) else { return Ok(()) };
        whole
            .items()
            .chain(state.unique(tenant, whole))
            .try_for_each(|item| sink(item).map_err(StoreError::unavailable))
    }

    async fn import(&self, tenant: &TenantId, source: Source) -> Result<(), StoreError> {
        // Read before the lock is taken: the items may come from this very store.
        let mut whole = Tenant::default();
        let mut intake = Intake::new(tenant);
        for item in source {
            let item = item.map_err(StoreError::unavailable)?;
            intake.check(&item)?;
            whole.take_in(item)?;
        }
        intake.finish()?;
        let mut state = self.lock();
        if state.tenants.get(tenant).is_some_and(|there| there.position > 0) {
            return Err(StoreError::TenantExists);
        }
        let global = state.claim(tenant, &mut whole)?;
        state.global.extend(global);
        state.tenants.insert(tenant.clone(), whole);
        Ok(())
    }

    async fn erase(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let mut state = self.lock();
        let Some(whole) = state.tenants.get_mut(tenant) else { return Ok(()) };
        if !whole.closed && whole.position > 0 {
            return Err(StoreError::Open);
        }
        *whole = Tenant { closed: whole.closed, ..Tenant::default() };
        state.global.retain(|_, (holder, _)| holder != tenant);
        Ok(())
    }
}

impl State {
    /// The keys of a tenant that may stand once only, as this store keeps them.
    fn unique<'s>(&'s self, id: &'s TenantId, tenant: &'s Tenant) -> impl Iterator<Item = Item> + 's {
        let here = tenant.unique.iter().map(|((resource_type, path, value), key)| Item::Unique {
            global: false,
            resource_type: resource_type.clone(),
            path: path.clone(),
            value: value.clone(),
            id: key.id.clone(),
        });
        let everywhere =
            self.global.iter().filter(move |(_, (holder, _))| holder == id).map(|((path, value), (_, key))| {
                Item::Unique {
                    global: true,
                    resource_type: String::new(),
                    path: path.clone(),
                    value: value.clone(),
                    id: key.id.clone(),
                }
            });
        here.chain(everywhere)
    }

    /// Gives the tenant its own unique keys, and answers those that it will have over all tenants.
    fn claim(&self, id: &TenantId, tenant: &mut Tenant) -> Result<Global, StoreError> {
        let mut global = Global::new();
        let Tenant { records, unique, .. } = tenant;
        for (key, stored) in records {
            for IndexKey { path, value, scope } in &stored.draft.index {
                let holder = match scope {
                    Scope::Many => continue,
                    Scope::Tenant => {
                        let place = (key.resource_type.clone(), path.clone(), value.clone());
                        unique.insert(place, key.clone())
                    }
                    Scope::Global => {
                        let place = (path.clone(), value.clone());
                        if self.global.contains_key(&place) {
                            return Err(StoreError::Conflict { path: path.clone(), holder: None });
                        }
                        global.insert(place, (id.clone(), key.clone())).map(|(_, key)| key)
                    }
                };
                if holder.is_some_and(|holder| holder != *key) {
                    return Err(StoreError::Conflict { path: path.clone(), holder: None });
                }
            }
        }
        Ok(global)
    }
}

impl Tenant {
    /// Everything but the unique keys, some of which are not the tenant's own.
    fn items(&self) -> impl Iterator<Item = Item> + '_ {
        let head = std::iter::once(Item::Head { position: self.position, closed: self.closed });
        let records = self.records.values().map(Stored::item);
        let members = self
            .members
            .iter()
            .map(|((group, _), member)| Item::Member { group: group.clone(), member: member.clone() });
        let mut facts: Vec<_> = self.facts.iter().collect();
        facts.sort_unstable_by_key(|(name, _)| *name);
        let facts = facts.into_iter().map(|(name, value)| Item::Fact { name: name.clone(), value: value.clone() });
        let entries = self.log.iter().cloned().map(Item::Entry);
        head.chain(records).chain(members).chain(facts).chain(entries).chain(self.counts())
    }

    /// This store counts when it is asked, and finds without an index.
    fn counts(&self) -> impl Iterator<Item = Item> + '_ {
        let mut counts: Vec<(&str, u64)> = Vec::new();
        for key in self.records.keys() {
            match counts.last_mut() {
                Some((last, count)) if *last == key.resource_type => *count += 1,
                _ => counts.push((&key.resource_type, 1)),
            }
        }
        let counts = counts.into_iter();
        let counts = counts.map(|(of, count)| Item::Count { resource_type: of.to_owned(), count });
        let keys = self.records.iter().flat_map(|(key, stored)| {
            let mut keys: Vec<_> = stored.draft.index.iter().map(|index| (&index.path, &index.value)).collect();
            keys.sort_unstable();
            keys.dedup();
            keys.into_iter().map(|(path, value)| Item::Key {
                resource_type: key.resource_type.clone(),
                path: path.clone(),
                value: value.clone(),
                id: key.id.clone(),
            })
        });
        counts.chain(keys)
    }

    /// Takes in one thing of another store.
    fn take_in(&mut self, item: Item) -> Result<(), Misfit> {
        match item {
            Item::Head { position, closed } => (self.position, self.closed) = (position, closed),
            Item::Record { draft, version, modified, member_count: _ } => {
                let Some(created) = draft.created else { return Ok(()) };
                let key = draft.key.clone();
                if self.types.insert(key.id.clone(), key.resource_type.clone()).is_some() {
                    return Err(Misfit::new(format!("there are two records `{}`", key.id)));
                }
                self.records.insert(key, Stored { draft, version, created, modified, member_count: 0 });
            }
            Item::Member { group, member } => {
                let of = self.types.get(&group).cloned();
                let count = of.and_then(|of| self.records.get_mut(&Key::new(of, group.clone())));
                let (Some(group_record), true) = (count, self.types.get(&member.id) == Some(&member.resource_type))
                else {
                    return Err(Misfit::membership(&group, &member.id));
                };
                group_record.member_count += 1;
                if !self.member_of.insert((member.id.clone(), group.clone())) {
                    return Err(Misfit::membership(&group, &member.id));
                }
                self.members.insert((group, member.id.clone()), member);
            }
            Item::Fact { name, value } => drop(self.facts.insert(name, value)),
            Item::Entry(logged) => self.log.push_back(logged),
            Item::Count { .. } | Item::Keyed { .. } | Item::Key { .. } | Item::Unique { .. } => {}
        }
        Ok(())
    }
}

impl Stored {
    fn item(&self) -> Item {
        let mut draft = Draft { created: Some(self.created), ..self.draft.clone() };
        draft.resource.take("id");
        draft.resource.take("meta");
        let Self { version, modified, member_count, .. } = *self;
        Item::Record { draft, version, modified, member_count }
    }
}

#[cfg(test)]
mod tests;
