//! A whole tenant into the file, inside a transaction that the writer has begun and will end.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use scimwright_core::Instant;
use scimwright_sql::nanos;
use scimwright_store::{Draft, Intake, Item, Logged, Member, Misfit, Source, StoreError, TenantId, Version};

use crate::commit::Work;
use crate::error::Failure;

/// Keys come in the order of records, which is none for an index of values. This much memory spares the disk most of that.
const CACHE_KIB: i64 = 64 << 10;

pub(super) fn import(sql: &Connection, tenant: &TenantId, source: Source) -> Result<(), Failure> {
    let there = "SELECT 1 FROM scim_tenant WHERE tenant = ?1 AND position > 0";
    if sql.prepare_cached(there)?.exists([tenant.as_str()])? {
        return Err(StoreError::TenantExists.into());
    }
    let usual: i64 = sql.pragma_query_value(None, "cache_size", |row| row.get(0))?;
    sql.pragma_update(None, "cache_size", -CACHE_KIB)?;
    let done = take_in(sql, tenant, source);
    sql.pragma_update(None, "cache_size", usual)?;
    done
}

fn take_in(sql: &Connection, tenant: &TenantId, source: Source) -> Result<(), Failure> {
    let mut intake = Intake::new(tenant);
    let mut import = Import { sql, tenant, counts: BTreeMap::new(), group: None };
    for item in source {
        let item = item.map_err(Failure::Transfer)?;
        intake.check(&item).map_err(StoreError::from)?;
        import.item(item)?;
    }
    intake.finish().map_err(StoreError::from)?;
    import.end_group()?;
    let mut statement = sql.prepare_cached("INSERT INTO scim_count (tenant, type, count) VALUES (?1, ?2, ?3)")?;
    for (resource_type, count) in &import.counts {
        statement.execute(params![tenant.as_str(), resource_type, count])?;
    }
    Ok(())
}

/// An import under way.
struct Import<'i> {
    sql: &'i Connection,
    tenant: &'i TenantId,
    /// How many records of each type came in.
    counts: BTreeMap<String, u64>,
    /// The group whose members come in, and how many came: they stand together.
    group: Option<(String, u64)>,
}

impl Import<'_> {
    fn item(&mut self, item: Item) -> Result<(), Failure> {
        let (sql, tenant) = (self.sql, self.tenant.as_str());
        match item {
            Item::Head { position, closed } => {
                let head = "INSERT OR REPLACE INTO scim_tenant (tenant, position, closed) VALUES (?1, ?2, ?3)";
                sql.execute(head, params![tenant, position, closed])?;
            }
            Item::Record { draft, version, modified, member_count: _ } => self.record(&draft, version, modified)?,
            Item::Member { group, member } => self.member(group, &member)?,
            Item::Fact { name, value } => {
                let fact = "INSERT INTO scim_fact (tenant, name, value) VALUES (?1, ?2, ?3)";
                sql.prepare_cached(fact)?.execute(params![tenant, name, serde_json::to_string(&value)?])?;
            }
            Item::Entry(Logged { position, event, hash }) => {
                let entry = "INSERT INTO scim_log (tenant, position, hash, event) VALUES (?1, ?2, ?3, ?4)";
                let event = serde_json::to_string(&event)?;
                sql.prepare_cached(entry)?.execute(params![tenant, position, hash.as_bytes(), event])?;
            }
            derived if derived.is_derived() => {}
            _ => return Err(Failure::Unknown),
        }
        Ok(())
    }

    /// As it was written last, by the same statements as everything that is written.
    fn record(&mut self, draft: &Draft, version: Version, modified: Instant) -> Result<(), Failure> {
        let time = nanos(modified).ok_or(Failure::Time)?;
        let work = Work { sql: self.sql, tenant: self.tenant.as_str(), time, version, displaced: Vec::new() };
        work.put(draft)?;
        *self.counts.entry(draft.key.resource_type.clone()).or_default() += 1;
        Ok(())
    }

    fn member(&mut self, group: String, member: &Member) -> Result<(), Failure> {
        let misfit = || Failure::from(StoreError::from(Misfit::membership(&group, &member.id)));
        let mut statement = self.sql.prepare_cached("SELECT type FROM scim_record WHERE tenant = ?1 AND id = ?2")?;
        let resource_type: Option<String> =
            statement.query_row(params![self.tenant.as_str(), member.id], |row| row.get(0)).optional()?;
        if resource_type.is_none_or(|resource_type| resource_type != member.resource_type) {
            return Err(misfit());
        }
        let sql = "INSERT INTO scim_member (tenant, group_id, member_id, member_type, display) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        let row = params![self.tenant.as_str(), group, member.id, member.resource_type, member.display];
        if self.sql.prepare_cached(sql)?.execute(row)? == 0 {
            return Err(misfit());
        }
        if self.group.as_ref().is_none_or(|(last, _)| *last != group) {
            self.end_group()?;
            self.group = Some((group, 0));
        }
        if let Some((_, count)) = &mut self.group {
            *count += 1;
        }
        Ok(())
    }

    /// Notes beside the group how many members it has, which also shows whether it is there.
    fn end_group(&mut self) -> Result<(), Failure> {
        let Some((group, count)) = self.group.take() else { return Ok(()) };
        let sql = "UPDATE scim_record SET members = members + ?3 WHERE tenant = ?1 AND id = ?2";
        if self.sql.prepare_cached(sql)?.execute(params![self.tenant.as_str(), group, count])? == 0 {
            return Err(StoreError::from(Misfit::new(format!("there is no group `{group}`"))).into());
        }
        Ok(())
    }
}
