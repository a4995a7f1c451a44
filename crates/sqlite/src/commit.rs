//! Writing: what one commit does, inside a transaction that somebody else has begun and will end.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use scimwright_core::Resource;
use scimwright_sql::nanos;
use scimwright_store::{
    ChainHash, Change, Committed, Cut, Delta, Displaced, Draft, Fact, Guard, IndexKey, Key, Logged, Member, Scope,
    StoreError, TenantId, Version, When, Write,
};

use crate::error::Failure;

/// When a record was last written, if the commit of version `?3` at the time `?4` writes it: never at the same time
/// twice.
const MOVED: &str = "CASE WHEN version = ?3 THEN modified ELSE max(?4, modified + 1000000) END";

/// A row of `scim_record.keys`: scope, path, value.
pub(crate) type StoredKey = (u8, String, String);

/// Does all of the change, or answers why not; then whoever called rolls back what was done so far.
pub(crate) fn commit(sql: &Connection, tenant: &TenantId, change: Change) -> Result<Committed, Failure> {
    let Change { time, writes, guards, facts, mut events, cut, close, .. } = change;
    let inserts = writes.iter().any(|write| matches!(write, Write::Insert { .. }));
    let time = nanos(time).ok_or(Failure::Time)?;
    let (last, closed) = advance(sql, tenant, events.len())?;
    if closed && close.is_none() {
        return Err(StoreError::Closed.into());
    }
    let before = last - events.len() as u64;
    let head = head(sql, tenant, before)?;
    if let Some(cut) = &cut {
        check_cut(sql, tenant, before, cut)?;
    }
    let mut work = Work { sql, tenant: tenant.as_str(), time, version: Version(last), displaced: Vec::new() };
    for write in writes {
        work.write(write)?;
    }
    if inserts {
        for guard in guards {
            work.guard(guard)?;
        }
    }
    for fact in facts {
        work.fact(&fact)?;
    }
    if let Some(close) = close {
        let sql = sql.prepare_cached("UPDATE scim_tenant SET closed = ?2 WHERE tenant = ?1");
        sql?.execute(params![tenant.as_str(), close])?;
    }
    if let Some(event) = events.first_mut() {
        event.displaced.extend(work.displaced.iter().cloned());
    }
    let mut log = sql.prepare_cached("INSERT INTO scim_log (tenant, position, hash, event) VALUES (?1, ?2, ?3, ?4)")?;
    for Logged { position, event, hash } in head.extend(before, events) {
        log.execute(params![tenant.as_str(), position, hash.as_bytes(), serde_json::to_string(&event)?])?;
    }
    if let Some(Cut { through, .. }) = cut {
        let sql = sql.prepare_cached("DELETE FROM scim_log WHERE tenant = ?1 AND position <= ?2");
        sql?.execute(params![tenant.as_str(), through])?;
    }
    Ok(Committed::new(work.version, work.displaced))
}

/// Takes the next positions of the tenant's log, and answers the last of them and whether the tenant is closed.
fn advance(sql: &Connection, tenant: &TenantId, by: usize) -> Result<(u64, bool), Failure> {
    let mut statement = sql.prepare_cached(
        "INSERT INTO scim_tenant (tenant, position) VALUES (?1, ?2) \
         ON CONFLICT (tenant) DO UPDATE SET position = position + excluded.position RETURNING position, closed",
    )?;
    Ok(statement.query_row(params![tenant.as_str(), by], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// The hash of the last entry of the tenant's log.
fn head(sql: &Connection, tenant: &TenantId, last: u64) -> Result<ChainHash, Failure> {
    let mut statement = sql.prepare_cached("SELECT hash FROM scim_log WHERE tenant = ?1 AND position = ?2")?;
    let hash: Option<[u8; 32]> = statement.query_row(params![tenant.as_str(), last], |row| row.get(0)).optional()?;
    match hash {
        Some(hash) => Ok(hash.into()),
        None if last == 0 => Ok(ChainHash::first(tenant)),
        None => Err(Failure::Log(last)),
    }
}

/// Whether the entry up to which the log is to be cut was there before this commit, with the hash that is to stand for it.
fn check_cut(sql: &Connection, tenant: &TenantId, last: u64, cut: &Cut) -> Result<(), Failure> {
    let mut statement = sql.prepare_cached(
        "SELECT 1 FROM scim_log WHERE tenant = ?1 AND position = ?2 AND position <= ?3 AND hash = ?4",
    )?;
    let through = i64::try_from(cut.through).unwrap_or(i64::MAX);
    let there = statement.exists(params![tenant.as_str(), through, last, cut.hash.as_bytes()])?;
    if there { Ok(()) } else { Err(StoreError::NoSuchEntry(cut.through).into()) }
}

/// A commit under way.
pub(crate) struct Work<'w> {
    pub(crate) sql: &'w Connection,
    pub(crate) tenant: &'w str,
    pub(crate) time: i64,
    pub(crate) version: Version,
    pub(crate) displaced: Vec<Displaced>,
}

/// What a write needs to know of the record that it changes.
struct Head {
    version: Version,
    keys: String,
}

/// What came of members who were to join and leave.
struct Moved {
    /// How many more there are than before.
    more: i64,
    /// Whether anybody joined or left.
    any: bool,
}

impl Work<'_> {
    fn write(&mut self, write: Write) -> Result<(), Failure> {
        match write {
            Write::Insert { draft, members } => {
                self.insert(&draft)?;
                self.resize(&draft.key, &members)
            }
            Write::Replace { draft, expect, members } => {
                self.replace(&draft, expect)?;
                self.resize(&draft.key, &members)
            }
            Write::Members { group, members, expect } => {
                self.expect(&group, expect)?;
                match self.members(&group, &members)? {
                    Moved { any: false, .. } => Ok(()),
                    Moved { more, .. } => self.touch(&group.id, more),
                }
            }
            Write::Delete { key, expect } => self.delete(&key, expect),
        }
    }

    fn insert(&self, draft: &Draft) -> Result<(), Failure> {
        self.put(draft)?;
        self.count(&draft.key.resource_type, 1)
    }

    /// Writes a record that is new, with its keys, and leaves the counting to the caller.
    pub(crate) fn put(&self, draft: &Draft) -> Result<(), Failure> {
        let Draft { key, resource, index, display, notes, created } = draft;
        let created = created.map_or(Some(self.time), nanos).ok_or(Failure::Time)?;
        let mut statement = self.sql.prepare_cached(
            "INSERT INTO scim_record (tenant, type, id, version, created, modified, members, display, keys, notes, \
             document) VALUES (?1, ?2, ?3, ?4, ?10, ?5, 0, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, id) DO NOTHING",
        )?;
        let wanted = stored_keys(index);
        let inserted = statement.execute(params![
            self.tenant,
            key.resource_type,
            key.id,
            self.version.0,
            self.time,
            display,
            serde_json::to_string(&wanted)?,
            serde_json::to_string(notes)?,
            document(resource)?,
            created,
        ])?;
        if inserted == 0 {
            return Err(StoreError::Conflict { path: "id".to_owned(), holder: None }.into());
        }
        self.rekey(key, &[], &wanted)
    }

    fn replace(&self, draft: &Draft, expect: Version) -> Result<(), Failure> {
        let Draft { key, resource, index, display, notes, created: _ } = draft;
        let head = self.expect(key, Some(expect))?;
        let wanted = stored_keys(index);
        let keys = serde_json::to_string(&wanted)?;
        if keys != head.keys {
            self.rekey(key, &serde_json::from_str::<Vec<_>>(&head.keys)?, &wanted)?;
        }
        let mut statement = self.sql.prepare_cached(&format!(
            "UPDATE scim_record \
             SET version = ?3, modified = {MOVED}, display = ?5, keys = ?6, notes = ?7, document = ?8 \
             WHERE tenant = ?1 AND id = ?2",
        ))?;
        statement.execute(params![
            self.tenant,
            key.id,
            self.version.0,
            self.time,
            display,
            keys,
            serde_json::to_string(notes)?,
            document(resource)?,
        ])?;
        Ok(())
    }

    fn delete(&self, key: &Key, expect: Option<Version>) -> Result<(), Failure> {
        let head = self.expect(key, expect)?;
        self.rekey(key, &serde_json::from_str::<Vec<_>>(&head.keys)?, &[])?;
        let mut groups = self.sql.prepare_cached(&format!(
            "UPDATE scim_record SET version = ?3, modified = {MOVED}, members = members - 1 \
             WHERE tenant = ?1 AND id IN \
             (SELECT group_id FROM scim_member INDEXED BY scim_member_up WHERE tenant = ?1 AND member_id = ?2)",
        ))?;
        groups.execute(params![self.tenant, key.id, self.version.0, self.time])?;
        for sql in [
            "DELETE FROM scim_member INDEXED BY scim_member_up WHERE tenant = ?1 AND member_id = ?2",
            "DELETE FROM scim_member WHERE tenant = ?1 AND group_id = ?2",
            "DELETE FROM scim_record WHERE tenant = ?1 AND id = ?2",
        ] {
            self.sql.prepare_cached(sql)?.execute(params![self.tenant, key.id])?;
        }
        self.count(&key.resource_type, -1)
    }

    /// The record, which must be there in that version.
    fn expect(&self, key: &Key, expect: Option<Version>) -> Result<Head, Failure> {
        let mut statement = self
            .sql
            .prepare_cached("SELECT version, keys FROM scim_record WHERE tenant = ?1 AND type = ?2 AND id = ?3")?;
        let row = statement.query_row(params![self.tenant, key.resource_type, key.id], |row| {
            Ok(Head { version: Version(row.get(0)?), keys: row.get(1)? })
        });
        match (row.optional()?, expect) {
            (None, _) => Err(StoreError::NotFound(key.clone()).into()),
            (Some(head), Some(expect)) if head.version != expect => Err(StoreError::Stale(key.clone()).into()),
            (Some(head), _) => Ok(head),
        }
    }

    /// Gives a group whose members change the commit's version and time, and so many members more.
    fn touch(&self, group: &str, more: i64) -> Result<(), Failure> {
        let mut statement = self.sql.prepare_cached(&format!(
            "UPDATE scim_record SET version = ?3, modified = {MOVED}, members = members + ?5 \
             WHERE tenant = ?1 AND id = ?2",
        ))?;
        statement.execute(params![self.tenant, group, self.version.0, self.time, more])?;
        Ok(())
    }

    fn count(&self, resource_type: &str, by: i64) -> Result<(), Failure> {
        let mut statement = self.sql.prepare_cached(
            "INSERT INTO scim_count (tenant, type, count) VALUES (?1, ?2, ?3) \
             ON CONFLICT (tenant, type) DO UPDATE SET count = count + excluded.count",
        )?;
        statement.execute(params![self.tenant, resource_type, by])?;
        Ok(())
    }

    /// Releases the keys that are no longer wanted, then takes those that are new, in the order in which they were
    /// asked for.
    fn rekey(&self, key: &Key, held: &[StoredKey], wanted: &[StoredKey]) -> Result<(), Failure> {
        let (before, after) = (BTreeSet::from_iter(held), BTreeSet::from_iter(wanted));
        // One row of scim_key stands for a value in every scope.
        let named: BTreeSet<_> = wanted.iter().map(|(_, path, value)| (path, value)).collect();
        for old in before.difference(&after) {
            if !named.contains(&(&old.1, &old.2)) {
                let sql =
                    "DELETE FROM scim_key WHERE tenant = ?1 AND type = ?2 AND path = ?3 AND value = ?4 AND id = ?5";
                let row = params![self.tenant, key.resource_type, old.1, old.2, key.id];
                self.sql.prepare_cached(sql)?.execute(row)?;
            }
            if let Some((scope, resource_type)) = self.place(key, old.0) {
                let sql = "DELETE FROM scim_unique WHERE scope = ?1 AND type = ?2 AND path = ?3 AND value = ?4";
                self.sql.prepare_cached(sql)?.execute(params![scope, resource_type, old.1, old.2])?;
            }
        }
        for new in wanted.iter().filter(|new| !before.contains(new)) {
            self.claim(key, new)?;
            let sql = "INSERT INTO scim_key (tenant, type, path, value, id) VALUES (?1, ?2, ?3, ?4, ?5) \
                       ON CONFLICT DO NOTHING";
            self.sql.prepare_cached(sql)?.execute(params![self.tenant, key.resource_type, new.1, new.2, key.id])?;
        }
        Ok(())
    }

    /// Takes a unique key, or says who has it.
    fn claim(&self, key: &Key, (scope, path, value): &StoredKey) -> Result<(), Failure> {
        let Some((scope, resource_type)) = self.place(key, *scope) else { return Ok(()) };
        let mut statement = self.sql.prepare_cached(
            "INSERT INTO scim_unique (scope, type, path, value, tenant, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO NOTHING",
        )?;
        if statement.execute(params![scope, resource_type, path, value, self.tenant, key.id])? > 0 {
            return Ok(());
        }
        // The holder's type is not kept beside the key, for a key of everybody may be held by any type.
        let mut statement = self.sql.prepare_cached(
            "SELECT u.tenant = ?5, r.type, u.id FROM scim_unique AS u \
             CROSS JOIN scim_record AS r ON r.tenant = u.tenant AND r.id = u.id \
             WHERE u.scope = ?1 AND u.type = ?2 AND u.path = ?3 AND u.value = ?4",
        )?;
        let place = params![scope, resource_type, path, value, self.tenant];
        let (ours, holder) = statement.query_row(place, |row| {
            Ok((row.get::<_, bool>(0)?, Key { resource_type: row.get(1)?, id: row.get(2)? }))
        })?;
        if ours && holder == *key {
            return Ok(());
        }
        Err(StoreError::Conflict { path: path.clone(), holder: ours.then_some(holder) }.into())
    }

    /// Where scim_unique keeps a key of that scope: the scope and type to look under. None for keys that may repeat.
    fn place<'k>(&'k self, key: &'k Key, scope: u8) -> Option<(&'k str, &'k str)> {
        match scope {
            TENANT => Some((self.tenant, &key.resource_type)),
            GLOBAL => Some(("", "")),
            _ => None,
        }
    }

    /// Lets members join and leave with a record that was written just now.
    fn resize(&mut self, group: &Key, delta: &Delta) -> Result<(), Failure> {
        match self.members(group, delta)? {
            Moved { more: 0, .. } => Ok(()),
            Moved { more, .. } => self.touch(&group.id, more),
        }
    }

    /// Lets members join and leave; the group's own row is the caller's to write.
    fn members(&mut self, group: &Key, delta: &Delta) -> Result<Moved, Failure> {
        let Delta { join, leave, exclusive, of } = delta;
        let types = self.types(join, of)?;
        let mut moved = Moved { more: 0, any: false };
        for id in leave {
            let gone = self.leave(&group.id, id)?;
            moved = Moved { more: moved.more - gone, any: moved.any || gone > 0 };
        }
        let mut left: BTreeMap<String, i64> = BTreeMap::new();
        for (member, resource_type) in join.iter().zip(&types) {
            if !self.join(&group.id, member, resource_type)? {
                continue;
            }
            moved = Moved { more: moved.more + 1, any: true };
            let others = if *exclusive { self.other_groups(group, &member.id)? } else { Vec::new() };
            for other in others {
                let gone = self.leave(&other, &member.id)?;
                self.displaced.push(Displaced { group: other.clone(), member: member.id.clone() });
                *left.entry(other).or_default() -= gone;
            }
        }
        left.iter().try_for_each(|(other, more)| self.touch(other, *more))?;
        Ok(moved)
    }

    /// Answers whether the member is a new one.
    fn join(&self, group: &str, member: &Member, resource_type: &str) -> Result<bool, Failure> {
        let mut statement = self.sql.prepare_cached(
            "INSERT INTO scim_member (tenant, group_id, member_id, member_type, display) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO NOTHING",
        )?;
        Ok(statement.execute(params![self.tenant, group, member.id, resource_type, member.display])? > 0)
    }

    /// Answers how many left: one or none.
    fn leave(&self, group: &str, member: &str) -> Result<i64, Failure> {
        let sql = "DELETE FROM scim_member WHERE tenant = ?1 AND group_id = ?2 AND member_id = ?3";
        let left = self.sql.prepare_cached(sql)?.execute(params![self.tenant, group, member])?;
        Ok(i64::from(left > 0))
    }

    /// The types of those who join, who must all be there and of a type that may.
    fn types(&self, join: &[Member], of: &[String]) -> Result<Vec<String>, Failure> {
        let mut statement = self.sql.prepare_cached("SELECT type FROM scim_record WHERE tenant = ?1 AND id = ?2")?;
        let (mut types, mut strangers) = (Vec::with_capacity(join.len()), Vec::new());
        for member in join {
            match statement.query_row(params![self.tenant, member.id], |row| row.get(0)).optional()? {
                Some(own) if of.is_empty() || of.contains(&own) => types.push(own),
                _ => strangers.push(member.id.clone()),
            }
        }
        if strangers.is_empty() { Ok(types) } else { Err(StoreError::NoSuchMembers(strangers).into()) }
    }

    /// The other groups of the same type that the member is in.
    fn other_groups(&self, group: &Key, member: &str) -> Result<Vec<String>, Failure> {
        let mut statement = self.sql.prepare_cached(
            "SELECT m.group_id FROM scim_member AS m INDEXED BY scim_member_up \
             CROSS JOIN scim_record AS g ON g.tenant = m.tenant AND g.id = m.group_id \
             WHERE m.tenant = ?1 AND m.member_id = ?2 AND m.group_id <> ?3 AND g.type = ?4 ORDER BY m.group_id",
        )?;
        let groups = params![self.tenant, member, group.id, group.resource_type];
        Ok(statement.query_map(groups, |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn guard(&self, guard: Guard) -> Result<(), Failure> {
        match guard {
            Guard::AtMost { resource_type, limit } => {
                let sql = "SELECT count FROM scim_count WHERE tenant = ?1 AND type = ?2";
                let mut statement = self.sql.prepare_cached(sql)?;
                let count: Option<u64> =
                    statement.query_row(params![self.tenant, resource_type], |row| row.get(0)).optional()?;
                match count {
                    Some(count) if count > limit => Err(StoreError::Guard { resource_type, limit }.into()),
                    _ => Ok(()),
                }
            }
            // A guard that cannot be checked does not hold.
            _ => Err(Failure::Unknown),
        }
    }

    fn fact(&self, fact: &Fact) -> Result<(), Failure> {
        let Fact { name, value, when } = fact;
        if *when != When::Always && !when.holds(crate::read::fact(self.sql, self.tenant, name)?.as_ref()) {
            return Ok(());
        }
        match value {
            Some(value) => {
                let sql = "INSERT INTO scim_fact (tenant, name, value) VALUES (?1, ?2, ?3) \
                           ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value";
                self.sql.prepare_cached(sql)?.execute(params![self.tenant, name, serde_json::to_string(value)?])?;
            }
            None => {
                let sql = "DELETE FROM scim_fact WHERE tenant = ?1 AND name = ?2";
                self.sql.prepare_cached(sql)?.execute(params![self.tenant, name])?;
            }
        }
        Ok(())
    }
}

/// The scopes as they stand in `scim_record.keys`.
const MANY: u8 = 0;
pub(crate) const TENANT: u8 = 1;
pub(crate) const GLOBAL: u8 = 2;

fn stored_keys(index: &[IndexKey]) -> Vec<StoredKey> {
    let number = |scope| match scope {
        Scope::Many => MANY,
        Scope::Tenant => TENANT,
        Scope::Global => GLOBAL,
    };
    index.iter().map(|key| (number(key.scope), key.path.clone(), key.value.clone())).collect()
}

/// The document as it is kept: without what is stamped on it when it is read.
fn document(resource: &Resource) -> Result<String, Failure> {
    let mut resource = resource.clone();
    resource.take("id");
    resource.take("meta");
    Ok(serde_json::to_string(resource.as_map())?)
}

#[cfg(test)]
mod tests;
