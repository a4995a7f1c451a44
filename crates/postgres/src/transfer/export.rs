//! Everything of a tenant, some rows at a time, in one snapshot.

use scimwright_core::Resource;
use scimwright_sql::instant;
use scimwright_store::{Draft, IndexKey, Item, Key, Member, Scope, Sink, TenantId, TenantIdError, Version};
use tokio_postgres::Row;

use crate::bind::Bind;
use crate::commit::{GLOBAL, StoredKey, TENANT};
use crate::error::Failure;
use crate::read::{count, logged, maybe_text, text};
use crate::session::Session;

/// So many rows are in memory at a time.
const ROWS: usize = 500;

pub(super) async fn tenants(session: &mut Session) -> Result<Vec<TenantId>, Failure> {
    let rows = session.rows("SELECT tenant FROM scim_tenant WHERE position > 0 ORDER BY tenant", &[]).await?;
    let names = rows.iter().map(|row| text(row, 0)).collect::<Result<Vec<_>, _>>()?;
    let tenants: Result<_, TenantIdError> = names.iter().map(|name| name.parse()).collect();
    tenants.map_err(|error| Failure::Tenant(error.into()))
}

/// A statement about one tenant, and what each of its rows becomes.
type Part = (&'static str, fn(&Row) -> Result<Item, Failure>);

/// In the order that is promised.
const PARTS: [Part; 10] = [
    // Of a tenant that was erased, it is only known that it is closed.
    ("SELECT position, closed FROM scim_tenant WHERE tenant = $1 AND position > 0", |row| {
        Ok(Item::Head { position: count(row, 0)?, closed: row.try_get(1)? })
    }),
    (
        "SELECT type, id, version, created, modified, members, display, keys, notes, document \
         FROM scim_record WHERE tenant = $1 ORDER BY type, id",
        record,
    ),
    (
        "SELECT group_id, member_id, member_type, display FROM scim_member \
         WHERE tenant = $1 ORDER BY group_id, member_id",
        |row| {
            let member = Member { id: text(row, 1)?, resource_type: text(row, 2)?, display: maybe_text(row, 3)? };
            Ok(Item::Member { group: text(row, 0)?, member })
        },
    ),
    ("SELECT name, value FROM scim_fact WHERE tenant = $1 ORDER BY name", |row| {
        Ok(Item::Fact { name: text(row, 0)?, value: serde_json::from_str(row.try_get(1)?)? })
    }),
    ("SELECT position, hash, event FROM scim_log WHERE tenant = $1 ORDER BY position", |row| {
        Ok(Item::Entry(logged(row)?))
    }),
    // A counter that has counted too little may be below nothing.
    ("SELECT type, greatest(count, 0) FROM scim_count WHERE tenant = $1", |row| {
        Ok(Item::Count { resource_type: text(row, 0)?, count: count(row, 1)? })
    }),
    ("SELECT type, path, greatest(count, 0) FROM scim_keyed WHERE tenant = $1", |row| {
        Ok(Item::Keyed { resource_type: text(row, 0)?, path: text(row, 1)?, count: count(row, 2)? })
    }),
    ("SELECT type, path, value, id FROM scim_key WHERE tenant = $1", |row| {
        Ok(Item::Key { resource_type: text(row, 0)?, path: text(row, 1)?, value: text(row, 2)?, id: text(row, 3)? })
    }),
    ("SELECT type, path, value, id FROM scim_unique WHERE tenant = $1", |row| {
        let (resource_type, path) = (text(row, 0)?, text(row, 1)?);
        Ok(Item::Unique { global: false, resource_type, path, value: text(row, 2)?, id: text(row, 3)? })
    }),
    // These lie by their values, so those of all tenants are walked through.
    ("SELECT path, value, id FROM scim_global WHERE tenant = $1", |row| {
        let (resource_type, path) = (String::new(), text(row, 0)?);
        Ok(Item::Unique { global: true, resource_type, path, value: text(row, 1)?, id: text(row, 2)? })
    }),
];

pub(super) async fn export(session: &mut Session, tenant: &TenantId, mut sink: Sink) -> Result<(), Failure> {
    for (statement, item) in PARTS {
        let cursor = session.declare(statement, &[Bind::text(tenant.as_str())]).await?;
        loop {
            let rows = session.unprepared(&format!("FETCH {ROWS} FROM {cursor}"), &[]).await?;
            for row in &rows {
                sink(item(row)?).map_err(Failure::Transfer)?;
            }
            if rows.len() < ROWS {
                break;
            }
        }
    }
    Ok(())
}

fn record(row: &Row) -> Result<Item, Failure> {
    let keys: Vec<StoredKey> = serde_json::from_str(&text(row, 7)?)?;
    let draft = Draft {
        key: Key { resource_type: text(row, 0)?, id: text(row, 1)? },
        resource: Resource::from_stored(serde_json::from_str(&text(row, 9)?)?),
        index: keys.into_iter().map(index_key).collect(),
        display: maybe_text(row, 6)?,
        notes: serde_json::from_str(&text(row, 8)?)?,
        created: Some(instant(row.try_get(3)?)),
    };
    let (version, modified) = (Version(count(row, 2)?), instant(row.try_get(4)?));
    Ok(Item::Record { draft, version, modified, member_count: count(row, 5)? })
}

fn index_key((scope, path, value): StoredKey) -> IndexKey {
    let scope = match scope {
        TENANT => Scope::Tenant,
        GLOBAL => Scope::Global,
        _ => Scope::Many,
    };
    IndexKey { path, value, scope }
}
