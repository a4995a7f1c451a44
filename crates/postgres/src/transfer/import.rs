//! A whole tenant into the database, some items at a time, in a transaction that somebody else ends.

use std::collections::{BTreeMap, BTreeSet};

use scimwright_core::Instant;
use scimwright_sql::nanos;
use scimwright_store::{Draft, Intake, Item, Key, Logged, Member, Misfit, Source, StoreError, TenantId, Version};

use crate::bind::Bind;
use crate::commit::{GLOBAL, StoredKey, TENANT, Work, advance, append, document, stored_keys};
use crate::error::Failure;
use crate::session::Session;

/// So many items are in memory at a time, and go out in one statement.
const ITEMS: usize = 500;

pub(super) async fn import(session: &mut Session, tenant: &TenantId, source: Source) -> Result<(), Failure> {
    if advance(session, tenant, 0).await?.0 > 0 {
        return Err(StoreError::TenantExists.into());
    }
    let mut intake = Intake::new(tenant);
    let mut import =
        Import { session, tenant, batch: Batch::default(), counts: BTreeMap::new(), keyed: BTreeMap::new() };
    for item in source {
        let item = item.map_err(Failure::Transfer)?;
        intake.check(&item).map_err(StoreError::from)?;
        import.item(item).await?;
    }
    intake.finish().map_err(StoreError::from)?;
    import.flush().await?;
    import.count().await
}

/// Items that have come in and are not written yet. They come kind by kind.
#[derive(Default)]
struct Batch {
    records: Vec<(Draft, Version, Instant)>,
    members: Vec<(String, Member)>,
    facts: Vec<(String, String)>,
    entries: Vec<Logged>,
}

impl Batch {
    fn len(&self) -> usize {
        self.records.len() + self.members.len() + self.facts.len() + self.entries.len()
    }
}

/// An import under way.
struct Import<'i> {
    session: &'i mut Session,
    tenant: &'i TenantId,
    batch: Batch,
    /// How many records of each type came in.
    counts: BTreeMap<String, i64>,
    /// How many keys of each type and path.
    keyed: BTreeMap<(String, String), i64>,
}

impl Import<'_> {
    fn tenant(&self) -> Bind {
        Bind::text(self.tenant.as_str())
    }

    async fn item(&mut self, item: Item) -> Result<(), Failure> {
        match item {
            Item::Head { position, closed } => {
                let head = format!("UPDATE scim_tenant SET position = $2, closed = {closed} WHERE tenant = $1");
                self.session.execute(&head, &[self.tenant(), Bind::count(position)]).await?;
            }
            Item::Record { draft, version, modified, member_count: _ } => {
                self.batch.records.push((draft, version, modified));
            }
            Item::Member { group, member } => self.batch.members.push((group, member)),
            Item::Fact { name, value } => self.batch.facts.push((name, serde_json::to_string(&value)?)),
            Item::Entry(entry) => self.batch.entries.push(entry),
            derived if derived.is_derived() => {}
            _ => return Err(Failure::Unknown),
        }
        if self.batch.len() < ITEMS { Ok(()) } else { self.flush().await }
    }

    /// Writes what has gathered.
    async fn flush(&mut self) -> Result<(), Failure> {
        let Batch { records, members, facts, entries } = std::mem::take(&mut self.batch);
        if !records.is_empty() {
            self.records(&records).await?;
        }
        if !members.is_empty() {
            self.members(&members).await?;
        }
        if !facts.is_empty() {
            let text = "INSERT INTO scim_fact (tenant, name, value) SELECT $1, f.name, f.value \
                        FROM unnest($2::text[], $3::text[]) AS f (name, value)";
            let names = Bind::texts(facts.iter().map(|fact| fact.0.as_str()));
            let values = Bind::texts(facts.iter().map(|fact| fact.1.as_str()));
            self.session.execute(text, &[self.tenant(), names, values]).await?;
        }
        if !entries.is_empty() {
            append(self.session, self.tenant, &entries, &[]).await?;
        }
        Ok(())
    }

    async fn records(&mut self, records: &[(Draft, Version, Instant)]) -> Result<(), Failure> {
        let text = "INSERT INTO scim_record \
                    (tenant, type, id, version, created, modified, members, display, keys, notes, document) \
                    SELECT $1, r.type, r.id, r.version, r.created, r.modified, 0, r.display, r.keys, r.notes, r.document \
                    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], \
                    $8::text[], $9::text[], $10::text[]) \
                    AS r (type, id, version, created, modified, display, keys, notes, document) ON CONFLICT DO NOTHING";
        let (mut versions, mut created, mut modified) = (Vec::new(), Vec::new(), Vec::new());
        let (mut keys, mut notes, mut documents) = (Vec::new(), Vec::new(), Vec::new());
        for (draft, version, time) in records {
            let moved = nanos(*time).ok_or(Failure::Time)?;
            versions.push(i64::try_from(version.0).unwrap_or(i64::MAX));
            created.push(draft.created.map_or(Some(moved), nanos).ok_or(Failure::Time)?);
            modified.push(moved);
            keys.push(serde_json::to_string(&stored_keys(&draft.index))?);
            notes.push(serde_json::to_string(&draft.notes)?);
            documents.push(document(&draft.resource)?);
            *self.counts.entry(draft.key.resource_type.clone()).or_default() += 1;
        }
        let values = [
            self.tenant(),
            Bind::texts(records.iter().map(|(draft, ..)| draft.key.resource_type.as_str())),
            Bind::texts(records.iter().map(|(draft, ..)| draft.key.id.as_str())),
            Bind::Integers(versions),
            Bind::Integers(created),
            Bind::Integers(modified),
            Bind::maybes(records.iter().map(|(draft, ..)| draft.display.as_deref())),
            Bind::texts(keys.iter().map(String::as_str)),
            Bind::texts(notes.iter().map(String::as_str)),
            Bind::texts(documents.iter().map(String::as_str)),
        ];
        if self.session.execute(text, &values).await? < records.len() as u64 {
            return Err(StoreError::Conflict { path: "id".to_owned(), holder: None }.into());
        }
        self.keys(records).await
    }

    /// The keys of the records, and first those that may stand once only.
    async fn keys(&mut self, records: &[(Draft, Version, Instant)]) -> Result<(), Failure> {
        let (mut all, mut once) = (BTreeSet::new(), BTreeSet::new());
        for (draft, ..) in records {
            for (scope, path, value) in stored_keys(&draft.index) {
                if scope == TENANT || scope == GLOBAL {
                    once.insert((draft.key.clone(), (scope, path.clone(), value.clone())));
                }
                if all.insert((draft.key.clone(), path.clone(), value)) {
                    *self.keyed.entry((draft.key.resource_type.clone(), path)).or_default() += 1;
                }
            }
        }
        self.once(&once).await?;
        let text = "INSERT INTO scim_key (tenant, type, path, value, id) SELECT $1, k.type, k.path, k.value, k.id \
                    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS k (type, path, value, id)";
        let values = [
            self.tenant(),
            Bind::texts(all.iter().map(|(key, ..)| key.resource_type.as_str())),
            Bind::texts(all.iter().map(|(_, path, _)| path.as_str())),
            Bind::texts(all.iter().map(|(.., value)| value.as_str())),
            Bind::texts(all.iter().map(|(key, ..)| key.id.as_str())),
        ];
        self.session.execute(text, &values).await?;
        Ok(())
    }

    async fn once(&mut self, keys: &BTreeSet<(Key, StoredKey)>) -> Result<(), Failure> {
        let texts = [
            (
                TENANT,
                "INSERT INTO scim_unique (tenant, type, path, value, id) SELECT $1, k.type, k.path, k.value, k.id \
                 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS k (type, path, value, id) \
                 ON CONFLICT DO NOTHING",
            ),
            (
                GLOBAL,
                "INSERT INTO scim_global (value, path, tenant, id) SELECT k.value, k.path, $1, k.id \
                 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS k (type, path, value, id) \
                 ON CONFLICT DO NOTHING",
            ),
        ];
        for (scope, text) in texts {
            let some: Vec<_> = keys.iter().filter(|(_, stored)| stored.0 == scope).collect();
            let values = [
                self.tenant(),
                Bind::texts(some.iter().map(|(key, _)| key.resource_type.as_str())),
                Bind::texts(some.iter().map(|(_, stored)| stored.1.as_str())),
                Bind::texts(some.iter().map(|(_, stored)| stored.2.as_str())),
                Bind::texts(some.iter().map(|(key, _)| key.id.as_str())),
            ];
            if !some.is_empty() && self.session.execute(text, &values).await? < some.len() as u64 {
                return Err(self.conflict(&some).await?);
            }
        }
        Ok(())
    }

    /// Which of some keys is another record's.
    async fn conflict(&mut self, keys: &[&(Key, StoredKey)]) -> Result<Failure, Failure> {
        let tenant = self.tenant.as_str();
        let mut work = Work::new(self.session, tenant);
        for (key, (scope, path, value)) in keys {
            let holder = if *scope == TENANT {
                work.holder(&key.resource_type, path, value).await?
            } else {
                match work.claim_global(key, path, value).await? {
                    Some(holder) => holder,
                    None => continue,
                }
            };
            if holder.as_ref() != Some(key) {
                return Ok(StoreError::Conflict { path: path.clone(), holder }.into());
            }
        }
        Ok(Failure::Unknown)
    }

    async fn members(&mut self, members: &[(String, Member)]) -> Result<(), Failure> {
        // Whoever has the type that is said, in a group that is there.
        let text = "INSERT INTO scim_member (tenant, group_id, member_id, member_type, display) \
                    SELECT $1, n.group_id, n.id, n.type, n.display \
                    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS n (group_id, id, type, display) \
                    CROSS JOIN LATERAL (SELECT 1 FROM scim_record AS r \
                    WHERE r.tenant = $1 AND r.id = n.id AND r.type = n.type OFFSET 0) AS m \
                    ON CONFLICT DO NOTHING RETURNING group_id, member_id";
        let values = [
            self.tenant(),
            Bind::texts(members.iter().map(|(group, _)| group.as_str())),
            Bind::texts(members.iter().map(|(_, member)| member.id.as_str())),
            Bind::texts(members.iter().map(|(_, member)| member.resource_type.as_str())),
            Bind::maybes(members.iter().map(|(_, member)| member.display.as_deref())),
        ];
        let mut joined = BTreeSet::new();
        for row in self.session.rows(text, &values).await? {
            joined.insert((crate::read::text(&row, 0)?, crate::read::text(&row, 1)?));
        }
        let mut more: BTreeMap<&str, i64> = BTreeMap::new();
        for (group, member) in members {
            if !joined.remove(&(group.clone(), member.id.clone())) {
                return Err(StoreError::from(Misfit::membership(group, &member.id)).into());
            }
            *more.entry(group).or_default() += 1;
        }
        let text = "UPDATE scim_record SET members = members + ($3::bigint[])[array_position($2, id)] \
                    WHERE tenant = $1 AND id = ANY ($2)";
        let groups = Bind::texts(more.keys().copied());
        let numbers = Bind::Integers(more.values().copied().collect());
        if self.session.execute(text, &[self.tenant(), groups, numbers]).await? < more.len() as u64 {
            return Err(StoreError::from(Misfit::new("there are members of a group that is not there")).into());
        }
        Ok(())
    }

    /// Writes the counters.
    async fn count(&mut self) -> Result<(), Failure> {
        let text = "INSERT INTO scim_count (tenant, type, count) SELECT $1, c.type, c.count \
                    FROM unnest($2::text[], $3::bigint[]) AS c (type, count)";
        let types = Bind::texts(self.counts.keys().map(String::as_str));
        let counts = Bind::Integers(self.counts.values().copied().collect());
        self.session.execute(text, &[self.tenant(), types, counts]).await?;
        let text = "INSERT INTO scim_keyed (tenant, type, path, count) SELECT $1, c.type, c.path, c.count \
                    FROM unnest($2::text[], $3::text[], $4::bigint[]) AS c (type, path, count)";
        let types = Bind::texts(self.keyed.keys().map(|(resource_type, _)| resource_type.as_str()));
        let paths = Bind::texts(self.keyed.keys().map(|(_, path)| path.as_str()));
        let counts = Bind::Integers(self.keyed.values().copied().collect());
        self.session.execute(text, &[self.tenant(), types, paths, counts]).await?;
        Ok(())
    }
}
