//! Reading: every statement that changes nothing. Each function here runs in one read transaction, which is one
//! snapshot.

use chrono::DateTime;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use scimwright_core::{Instant, Resource};
use scimwright_store::{Key, Logged, Member, Members, Membership, Page, Query, Record, TenantId, Version};
use serde_json::Value;

use crate::error::Failure;
use crate::pushdown::Pushdown;

/// What [`Head::read`] expects, in this order.
const HEAD: &str = "r.id, r.version, r.created, r.modified, r.members, r.notes, r.document";

/// The records, by the one index that has those of a type in the order of their id.
const RECORDS: &str = "scim_record AS r INDEXED BY scim_record_of_type";

/// A statement with more values than this is not kept: who asks for many things at once seldom asks for just that shape
/// again, and hundreds of them would fill more memory than the page cache.
const KEPT: usize = 16;

pub(crate) fn get(
    sql: &Connection,
    tenant: &TenantId,
    key: &Key,
    members: &Members,
) -> Result<Option<Record>, Failure> {
    let statement = format!("SELECT {HEAD} FROM {RECORDS} WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3");
    let mut statement = sql.prepare_cached(&statement)?;
    let reader = Reader { sql, tenant, resource_type: &key.resource_type };
    let row = statement.query_row(params![tenant.as_str(), key.resource_type, key.id], Head::read).optional()?;
    let Some(head) = row else { return Ok(None) };
    let mut record = reader.record(head)?;
    record.members = reader.members(&key.id, members)?;
    record.member_of = reader.member_of(&key.id)?;
    Ok(Some(record))
}

pub(crate) fn find(sql: &Connection, tenant: &TenantId, query: &Query) -> Result<Page, Failure> {
    let reader = Reader { sql, tenant, resource_type: &query.resource_type.name };
    let pushdown = Pushdown::of(query);
    if pushdown.exact { reader.page(query, &pushdown) } else { reader.sieve(query, &pushdown) }
}

/// How SQLite goes about the statements of [`find`], in its own words.
pub(crate) fn explain(sql: &Connection, tenant: &TenantId, query: &Query) -> Result<Vec<String>, Failure> {
    let reader = Reader { sql, tenant, resource_type: &query.resource_type.name };
    let pushdown = Pushdown::of(query);
    let mut values = reader.values(&pushdown);
    let mut statements = Vec::new();
    if pushdown.exact {
        statements.push((total_statement(query, &pushdown), values.clone()));
        values.extend([bounded(query.count), bounded(query.offset)]);
        statements.push((page_statement(&pushdown), values));
    } else {
        statements.push((sieve_statement(&pushdown), values));
    }
    let mut lines = Vec::new();
    for (statement, values) in statements {
        let mut statement = sql.prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
        let details = statement.query_map(params_from_iter(values), |row| row.get(3))?;
        lines.extend(details.collect::<Result<Vec<String>, _>>()?);
    }
    Ok(lines)
}

pub(crate) fn log(sql: &Connection, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, Failure> {
    let mut statement = sql.prepare_cached(
        "SELECT position, event FROM scim_log WHERE tenant = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![tenant.as_str(), after, bounded(limit)])?;
    let mut log = Vec::new();
    while let Some(row) = rows.next()? {
        let event: String = row.get(1)?;
        log.push(Logged { position: row.get(0)?, event: serde_json::from_str(&event)? });
    }
    Ok(log)
}

pub(crate) fn fact(sql: &Connection, tenant: &str, name: &str) -> Result<Option<Value>, Failure> {
    let mut statement = sql.prepare_cached("SELECT value FROM scim_fact WHERE tenant = ?1 AND name = ?2")?;
    let text: Option<String> = statement.query_row(params![tenant, name], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

fn page_statement(pushdown: &Pushdown) -> String {
    let (limit, offset) = (pushdown.values.len() + 3, pushdown.values.len() + 4);
    format!("{} LIMIT ?{limit} OFFSET ?{offset}", sieve_statement(pushdown))
}

fn sieve_statement(pushdown: &Pushdown) -> String {
    let condition = &pushdown.condition;
    format!("SELECT {HEAD} FROM {RECORDS} WHERE r.tenant = ?1 AND r.type = ?2{condition} ORDER BY r.id")
}

fn total_statement(query: &Query, pushdown: &Pushdown) -> String {
    if query.filter.is_none() {
        return "SELECT count FROM scim_count WHERE tenant = ?1 AND type = ?2".to_owned();
    }
    let condition = &pushdown.condition;
    format!("SELECT count(*) FROM {RECORDS} WHERE r.tenant = ?1 AND r.type = ?2{condition}")
}

/// A number of rows as SQLite takes it.
fn bounded(rows: usize) -> Sql {
    Sql::Integer(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// A row of scim_record.
struct Head {
    id: String,
    version: u64,
    created: i64,
    modified: i64,
    member_count: u64,
    notes: String,
    document: String,
}

impl Head {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
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
struct Reader<'r> {
    sql: &'r Connection,
    tenant: &'r TenantId,
    resource_type: &'r str,
}

impl Reader<'_> {
    /// The page of a query that SQLite answers alone.
    fn page(&self, query: &Query, pushdown: &Pushdown) -> Result<Page, Failure> {
        let mut values = self.values(pushdown);
        let mut records = Vec::new();
        if query.count > 0 {
            values.extend([bounded(query.count), bounded(query.offset)]);
            self.each(&page_statement(pushdown), &values, |row| {
                let mut record = self.record(Head::read(row)?)?;
                self.complete(&mut record, query)?;
                records.push(record);
                Ok(())
            })?;
            values.truncate(values.len() - 2);
        }
        // A page that is not full is the last one and tells the total: a lookup by a unique key is one statement.
        let last = records.len() < query.count && (query.offset == 0 || !records.is_empty());
        let total = if last { (query.offset + records.len()) as u64 } else { self.total(query, pushdown, &values)? };
        Ok(Page { total, records })
    }

    fn total(&self, query: &Query, pushdown: &Pushdown, values: &[Sql]) -> Result<u64, Failure> {
        let mut total = 0;
        self.each(&total_statement(query, pushdown), values, |row| {
            total = row.get(0)?;
            Ok(())
        })?;
        Ok(total)
    }

    /// The page of a query that SQLite can only narrow down: each candidate is asked, one at a time in memory.
    fn sieve(&self, query: &Query, pushdown: &Pushdown) -> Result<Page, Failure> {
        let mentions = |name: &str| query.filter.as_ref().is_some_and(|filter| filter.mentions(name));
        // A record's tag, which is `meta.version`, depends on its memberships too.
        let up = query.resource_type.member_of.as_deref().is_some_and(mentions) || mentions("meta");
        let down = query.filters_members();
        let mut page = Page::default();
        self.each(&sieve_statement(pushdown), &self.values(pushdown), |row| {
            let mut record = self.record(Head::read(row)?)?;
            if down {
                record.members = self.members(&record.key.id, &Members::All)?;
            }
            if up {
                record.member_of = self.member_of(&record.key.id)?;
            }
            if !query.selects(&record) {
                return Ok(());
            }
            if page.total >= query.offset as u64 && page.records.len() < query.count {
                self.complete(&mut record, query)?;
                page.records.push(record);
            }
            page.total += 1;
            Ok(())
        })?;
        Ok(page)
    }

    /// Runs a statement that was made for one query, and hands out its rows one at a time.
    fn each(
        &self,
        statement: &str,
        values: &[Sql],
        mut each: impl FnMut(&Row<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut statement = self.sql.prepare_cached(statement)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        drop(rows);
        if values.len() > KEPT {
            statement.discard();
        }
        Ok(())
    }

    fn values(&self, pushdown: &Pushdown) -> Vec<Sql> {
        let first = [self.tenant.as_str(), self.resource_type].map(|text| Sql::Text(text.to_owned()));
        first.into_iter().chain(pushdown.values.iter().cloned()).collect()
    }

    /// The record without its rows.
    fn record(&self, head: Head) -> Result<Record, Failure> {
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

    /// The record with the rows that a page shows.
    fn complete(&self, record: &mut Record, query: &Query) -> Result<(), Failure> {
        record.members = self.members(&record.key.id, &query.members)?;
        record.member_of = self.member_of(&record.key.id)?;
        Ok(())
    }

    fn members(&self, group: &str, wanted: &Members) -> Result<Vec<Member>, Failure> {
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

    fn member_of(&self, member: &str) -> Result<Vec<Membership>, Failure> {
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
fn instant(nanos: i64) -> Instant {
    Instant::from_utc(DateTime::from_timestamp_nanos(nanos).naive_utc())
}

#[cfg(test)]
mod tests;
