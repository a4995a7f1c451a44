//! Reading: every statement that changes nothing. Each function here runs in one read transaction, which is one
//! snapshot.

use std::ops::ControlFlow;

use chrono::DateTime;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use scimwright_core::{Instant, Resource};
use scimwright_store::{ChainHash, Key, Logged, Member, Members, Membership, Record, TenantId, Version};
use serde_json::Value;

use crate::error::Failure;

/// What [`Head::read`] expects, in this order.
pub(crate) const HEAD: &str = "r.id, r.version, r.created, r.modified, r.members, r.notes, r.document";

/// The records, by the one index that has those of a type in the order of their id.
pub(crate) const RECORDS: &str = "scim_record AS r INDEXED BY scim_record_of_type";

/// A statement with more values than this is not kept: who asks for many things at once seldom asks for just that shape
/// again, and hundreds of them would fill more memory than the page cache.
const KEPT: usize = 16;

pub(crate) fn get(
    sql: &Connection,
    tenant: &TenantId,
    key: &Key,
    members: &Members,
) -> Result<Option<Record>, Failure> {
    let reader = Reader { sql, tenant, resource_type: &key.resource_type };
    let Some(mut record) = reader.one(&key.id)? else { return Ok(None) };
    record.members = reader.members(&key.id, members)?;
    record.member_of = reader.member_of(&key.id)?;
    Ok(Some(record))
}

pub(crate) fn log(sql: &Connection, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, Failure> {
    let mut statement = sql.prepare_cached(
        "SELECT position, hash, event FROM scim_log WHERE tenant = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![tenant.as_str(), after, bounded(limit)])?;
    let mut log = Vec::new();
    while let Some(row) = rows.next()? {
        let (hash, event) =
            (ChainHash::from(row.get::<_, [u8; 32]>(1)?), row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?);
        log.push(Logged { position: row.get(0)?, event: serde_json::from_str(event)?, hash });
    }
    Ok(log)
}

pub(crate) fn fact(sql: &Connection, tenant: &str, name: &str) -> Result<Option<Value>, Failure> {
    let mut statement = sql.prepare_cached("SELECT value FROM scim_fact WHERE tenant = ?1 AND name = ?2")?;
    let text: Option<String> = statement.query_row(params![tenant, name], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// A number of rows as SQLite takes it.
pub(crate) fn bounded(rows: usize) -> Sql {
    Sql::Integer(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// A row of scim_record.
pub(crate) struct Head {
    id: String,
    version: u64,
    created: i64,
    modified: i64,
    member_count: u64,
    notes: String,
    document: String,
}

impl Head {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            version: row.get(1)?,
            created: row.get(2)?,
            modified: row.get(3)?,
            member_count: row.get(4)?,
            notes: row.get(5)?,
            document: row.get(6)?,
        })
    }
}

/// Reads the records of one type of one tenant.
pub(crate) struct Reader<'r> {
    pub(crate) sql: &'r Connection,
    pub(crate) tenant: &'r TenantId,
    pub(crate) resource_type: &'r str,
}

impl Reader<'_> {
    /// Runs a statement that was made for one query, and hands out its rows one at a time, until it is told to break off.
    pub(crate) fn each(
        &self,
        statement: &str,
        values: &[Sql],
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, Failure>,
    ) -> Result<(), Failure> {
        let mut statement = self.sql.prepare_cached(statement)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if each(row)?.is_break() {
                break;
            }
        }
        drop(rows);
        if values.len() > KEPT {
            statement.discard();
        }
        Ok(())
    }

    /// One record without its rows.
    pub(crate) fn one(&self, id: &str) -> Result<Option<Record>, Failure> {
        let statement = format!("SELECT {HEAD} FROM {RECORDS} WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3");
        let mut statement = self.sql.prepare_cached(&statement)?;
        let values = params![self.tenant.as_str(), self.resource_type, id];
        statement.query_row(values, Head::read).optional()?.map(|head| self.record(head)).transpose()
    }

    /// The record without its rows.
    pub(crate) fn record(&self, head: Head) -> Result<Record, Failure> {
        let Head { id, version, created, modified, member_count, notes, document } = head;
        let (created, modified) = (instant(created), instant(modified));
        let mut resource = Resource::from_stored(serde_json::from_str(&document)?);
        resource.stamp(&id, self.resource_type, created, modified);
        Ok(Record {
            key: Key::new(self.resource_type, id),
            version: Version(version),
            created,
            modified,
            resource,
            members: Vec::new(),
            member_count,
            member_of: Vec::new(),
            notes: serde_json::from_str(&notes)?,
        })
    }

    pub(crate) fn members(&self, group: &str, wanted: &Members) -> Result<Vec<Member>, Failure> {
        let read = |row: &Row<'_>| Ok(Member { id: row.get(0)?, resource_type: row.get(1)?, display: row.get(2)? });
        match wanted {
            Members::None => Ok(Vec::new()),
            Members::Named(ids) => {
                let mut statement = self.sql.prepare_cached(
                    "SELECT member_id, member_type, display FROM scim_member \
                     WHERE tenant = ?1 AND group_id = ?2 AND member_id = ?3",
                )?;
                let mut ids: Vec<_> = ids.iter().collect();
                ids.sort_unstable();
                ids.dedup();
                let mut members = Vec::new();
                for id in ids {
                    members.extend(statement.query_row(params![self.tenant.as_str(), group, id], read).optional()?);
                }
                Ok(members)
            }
            Members::All => {
                let mut statement = self.sql.prepare_cached(
                    "SELECT member_id, member_type, display FROM scim_member \
                     WHERE tenant = ?1 AND group_id = ?2 ORDER BY member_id",
                )?;
                let members = statement.query_map(params![self.tenant.as_str(), group], read)?;
                Ok(members.collect::<Result<_, _>>()?)
            }
        }
    }

    pub(crate) fn member_of(&self, member: &str) -> Result<Vec<Membership>, Failure> {
        // CROSS JOIN keeps the order: from the member to its groups, never from all groups to the member.
        let mut statement = self.sql.prepare_cached(
            "SELECT g.type, g.id, g.display FROM scim_member AS m INDEXED BY scim_member_up \
             CROSS JOIN scim_record AS g ON g.tenant = m.tenant AND g.id = m.group_id \
             WHERE m.tenant = ?1 AND m.member_id = ?2 ORDER BY m.group_id",
        )?;
        let memberships = statement.query_map(params![self.tenant.as_str(), member], |row| {
            Ok(Membership { group: Key { resource_type: row.get(0)?, id: row.get(1)? }, display: row.get(2)? })
        })?;
        Ok(memberships.collect::<Result<_, _>>()?)
    }
}

/// The moment of so many nanoseconds since 1970.
pub(crate) fn instant(nanos: i64) -> Instant {
    Instant::from_utc(DateTime::from_timestamp_nanos(nanos).naive_utc())
}
