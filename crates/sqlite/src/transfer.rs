//! Whole tenants, out of the file and into it.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};
use scimwright_store::{Sink, Source, StoreError, TenantId, Transfer};

use crate::SqliteStore;
use crate::error::Failure;

mod export;
mod import;

/// The tables that have rows of a tenant and no scope of their own, but for that of the tenants, where it stays closed.
const TABLES: [&str; 7] = [
    "scim_count",
    "scim_record",
    "scim_key",
    // After the keys, whose triggers count there.
    "scim_keyed",
    "scim_member",
    "scim_log",
    "scim_fact",
];

#[async_trait]
impl Transfer for SqliteStore {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.read(export::tenants).await
    }

    async fn export(&self, tenant: &TenantId, sink: Sink) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.read(move |sql| export::export(sql, &tenant, sink)).await
    }

    async fn import(&self, tenant: &TenantId, source: Source) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |sql| import::import(sql, &tenant, source)).await
    }

    async fn erase(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |sql| erase(sql, &tenant)).await
    }
}

fn erase(sql: &Connection, tenant: &TenantId) -> Result<(), Failure> {
    let closed = "SELECT closed FROM scim_tenant WHERE tenant = ?1";
    match sql.query_row(closed, [tenant.as_str()], |row| row.get::<_, bool>(0)).optional()? {
        None => return Ok(()),
        Some(false) => return Err(StoreError::Open.into()),
        Some(true) => sql.execute("UPDATE scim_tenant SET position = 0 WHERE tenant = ?1", [tenant.as_str()])?,
    };
    for table in TABLES {
        sql.execute(&format!("DELETE FROM {table} WHERE tenant = ?1"), [tenant.as_str()])?;
    }
    // The keys that are unique over everything have no index by tenant. To read them all once is little beside the rest.
    sql.execute("DELETE FROM scim_unique WHERE scope = ?1 OR (scope = '' AND tenant = ?1)", [tenant.as_str()])?;
    Ok(())
}
