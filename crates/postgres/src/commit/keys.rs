//! The keys by which records are found, and those that may stand once only.

use std::collections::{BTreeMap, BTreeSet};

use scimwright_store::{IndexKey, Key, Scope, StoreError};

use super::Work;
use crate::bind::Bind;
use crate::error::Failure;
use crate::read;

/// A key as it stands in `scim_record.keys`: scope, path, value.
pub(crate) type StoredKey = (u8, String, String);

pub(crate) const MANY: u8 = 0;
pub(crate) const TENANT: u8 = 1;
pub(crate) const GLOBAL: u8 = 2;

pub(crate) fn stored_keys(index: &[IndexKey]) -> Vec<StoredKey> {
    let number = |scope| match scope {
        Scope::Many => MANY,
        Scope::Tenant => TENANT,
        Scope::Global => GLOBAL,
    };
    index.iter().map(|key| (number(key.scope), key.path.clone(), key.value.clone())).collect()
}

/// Not one statement with the next: databases that spread tables over nodes have no place for a `WITH` that writes.
const GONE: &str = "DELETE FROM scim_key AS k WHERE k.tenant = $1 AND k.type = $2 AND k.id = $3 \
                    AND k.path = ANY ($4) AND k.value = ANY ($5) AND EXISTS (SELECT 1 FROM \
                    unnest($4::text[], $5::text[]) AS o (path, value) WHERE o.path = k.path AND o.value = k.value) \
                    RETURNING k.path";
const COME: &str = "INSERT INTO scim_key (tenant, type, path, value, id) SELECT $1, $2, n.path, n.value, $3 \
                    FROM unnest($4::text[], $5::text[]) AS n (path, value) ON CONFLICT DO NOTHING RETURNING path";

/// A path and a value.
type Place<'k> = (&'k str, &'k str);

impl Work<'_> {
    /// Releases the keys that are no longer wanted, then takes those that are new. Where several are taken, the one that was asked for
    /// first is told.
    pub(super) async fn rekey(&mut self, key: &Key, held: &[StoredKey], wanted: &[StoredKey]) -> Result<(), Failure> {
        let (before, after) = (BTreeSet::from_iter(held), BTreeSet::from_iter(wanted));
        // One row of scim_key stands for a value in every scope.
        let named: BTreeSet<_> = wanted.iter().map(place).collect();
        let gone: Vec<_> = before.difference(&after).copied().collect();
        let come: Vec<_> = after.difference(&before).copied().collect();
        self.release(key, &gone).await?;
        self.claim(key, wanted, &come).await?;
        let gone: BTreeSet<_> = gone.into_iter().map(place).filter(|old| !named.contains(old)).collect();
        let come: BTreeSet<_> = come.into_iter().map(place).collect();
        if gone.is_empty() && come.is_empty() {
            return Ok(());
        }
        let mut more: BTreeMap<String, i64> = BTreeMap::new();
        for (places, text, by) in [(&gone, GONE, -1), (&come, COME, 1)] {
            if places.is_empty() {
                continue;
            }
            let own = [self.tenant(), Bind::text(&key.resource_type), Bind::text(&key.id)];
            let [tenant, resource_type, id] = own;
            for row in self.session.rows(text, &[tenant, resource_type, id, paths(places), texts(places)]).await? {
                *more.entry(read::text(&row, 0)?).or_default() += by;
            }
        }
        more.retain(|_, by| *by != 0);
        if more.is_empty() {
            return Ok(());
        }
        let text = "INSERT INTO scim_keyed AS c (tenant, type, path, count) SELECT $1, $2, m.path, m.more \
                    FROM unnest($3::text[], $4::bigint[]) AS m (path, more) \
                    ON CONFLICT (tenant, type, path) DO UPDATE SET count = c.count + excluded.count";
        let (paths, by) =
            (Bind::texts(more.keys().map(String::as_str)), Bind::Integers(more.values().copied().collect()));
        self.session.execute(text, &[self.tenant(), Bind::text(&key.resource_type), paths, by]).await?;
        Ok(())
    }

    /// Gives unique keys back.
    async fn release(&mut self, key: &Key, gone: &[&StoredKey]) -> Result<(), Failure> {
        let ours = of_scope(gone, TENANT);
        if !ours.is_empty() {
            let text = "DELETE FROM scim_unique AS u WHERE u.tenant = $1 AND u.type = $2 AND u.id = $3 \
                        AND u.path = ANY ($4) AND u.value = ANY ($5) AND EXISTS (SELECT 1 FROM \
                        unnest($4::text[], $5::text[]) AS o (path, value) WHERE o.path = u.path AND o.value = u.value)";
            let values =
                [self.tenant(), Bind::text(&key.resource_type), Bind::text(&key.id), paths(&ours), texts(&ours)];
            self.session.execute(text, &values).await?;
        }
        // By its value each, so that each is looked up where it lies.
        for (path, value) in of_scope(gone, GLOBAL) {
            let text = "DELETE FROM scim_global WHERE value = $1 AND path = $2 AND tenant = $3 AND id = $4";
            let values = [Bind::text(value), Bind::text(path), self.tenant(), Bind::text(&key.id)];
            self.session.execute(text, &values).await?;
        }
        Ok(())
    }

    /// Takes unique keys, or says who has the first that is taken.
    async fn claim(&mut self, key: &Key, wanted: &[StoredKey], come: &[&StoredKey]) -> Result<(), Failure> {
        let (ours, global) = (of_scope(come, TENANT), of_scope(come, GLOBAL));
        let mut taken: BTreeMap<(u8, Place<'_>), Option<Key>> = BTreeMap::new();
        if !ours.is_empty() {
            let text = "INSERT INTO scim_unique (tenant, type, path, value, id) SELECT $1, $2, n.path, n.value, $3 \
                        FROM unnest($4::text[], $5::text[]) AS n (path, value) ON CONFLICT DO NOTHING \
                        RETURNING path, value";
            let values =
                [self.tenant(), Bind::text(&key.resource_type), Bind::text(&key.id), paths(&ours), texts(&ours)];
            let mut got = BTreeSet::new();
            for row in self.session.rows(text, &values).await? {
                got.insert((read::text(&row, 0)?, read::text(&row, 1)?));
            }
            for (path, value) in ours {
                if !got.contains(&(path.to_owned(), value.to_owned())) {
                    let holder = self.holder(&key.resource_type, path, value).await?;
                    taken.insert((TENANT, (path, value)), holder);
                }
            }
        }
        // In one order for everybody: two who take the same keys wait for each other in turn, and not both at once.
        for (path, value) in global {
            if let Some(holder) = self.claim_global(key, path, value).await? {
                taken.insert((GLOBAL, (path, value)), holder);
            }
        }
        let first =
            wanted.iter().find_map(|wanted| taken.remove(&(wanted.0, place(wanted))).map(|held| (wanted, held)));
        match first {
            Some(((_, path, _), holder)) => Err(StoreError::Conflict { path: path.clone(), holder }.into()),
            None => Ok(()),
        }
    }

    /// Takes a key that is unique over all tenants. When somebody else has it: who, if he is of this tenant.
    pub(crate) async fn claim_global(
        &mut self,
        key: &Key,
        path: &str,
        value: &str,
    ) -> Result<Option<Option<Key>>, Failure> {
        let text = "INSERT INTO scim_global (value, path, tenant, id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let values = [Bind::text(value), Bind::text(path), self.tenant(), Bind::text(&key.id)];
        if self.session.execute(text, &values).await? > 0 {
            return Ok(None);
        }
        let text = "SELECT tenant, id FROM scim_global WHERE value = $1 AND path = $2";
        let rows = self.session.rows(text, &[Bind::text(value), Bind::text(path)]).await?;
        // Who had it may have given it back since; it was taken when we asked, and that is the answer.
        let Some(row) = rows.first() else { return Ok(Some(None)) };
        let (tenant, id) = (read::text(row, 0)?, read::text(row, 1)?);
        if tenant != self.tenant {
            return Ok(Some(None));
        }
        // The holder's type is not kept beside the key, for such a key may be held by any type.
        let text = "SELECT type FROM scim_record WHERE tenant = $1 AND id = $2";
        let rows = self.session.rows(text, &[self.tenant(), Bind::text(&id)]).await?;
        let resource_type = rows.first().map(|row| read::text(row, 0)).transpose()?;
        let holder = resource_type.map(|resource_type| Key { resource_type, id });
        Ok(if holder.as_ref() == Some(key) { None } else { Some(holder) })
    }

    /// Who has a key that is unique in the tenant.
    pub(crate) async fn holder(
        &mut self,
        resource_type: &str,
        path: &str,
        value: &str,
    ) -> Result<Option<Key>, Failure> {
        let text = "SELECT id FROM scim_unique WHERE tenant = $1 AND type = $2 AND path = $3 AND value = $4";
        let values = [self.tenant(), Bind::text(resource_type), Bind::text(path), Bind::text(value)];
        let rows = self.session.rows(text, &values).await?;
        let id = rows.first().map(|row| read::text(row, 0)).transpose()?;
        Ok(id.map(|id| Key::new(resource_type, id)))
    }
}

fn place((_, path, value): &StoredKey) -> Place<'_> {
    (path, value)
}

fn of_scope<'k>(keys: &[&'k StoredKey], scope: u8) -> BTreeSet<Place<'k>> {
    keys.iter().filter(|key| key.0 == scope).map(|key| place(key)).collect()
}

fn paths(places: &BTreeSet<Place<'_>>) -> Bind {
    Bind::texts(places.iter().map(|place| place.0))
}

fn texts(places: &BTreeSet<Place<'_>>) -> Bind {
    Bind::texts(places.iter().map(|place| place.1))
}
