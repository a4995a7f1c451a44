//! Everything of a tenant, row by row, in one read transaction.

use rusqlite::{Connection, Row};
use scimwright_core::Resource;
use scimwright_sql::instant;
use scimwright_store::{
    ChainHash, Draft, IndexKey, Item, Key, Logged, Member, Scope, Sink, TenantId, TenantIdError, Version,
};

use crate::commit::{GLOBAL, StoredKey, TENANT};
use crate::error::Failure;

pub(super) fn tenants(sql: &Connection) -> Result<Vec<TenantId>, Failure> {
    let mut statement = sql.prepare_cached("SELECT tenant FROM scim_tenant WHERE position > 0 ORDER BY tenant")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let tenants: Result<_, TenantIdError> = names.iter().map(|name| name.parse()).collect();
    tenants.map_err(|error| Failure::Tenant(error.into()))
}

/// A statement about one tenant, and what each of its rows becomes.
type Part = (&'static str, fn(&Row<'_>) -> Result<Item, Failure>);

/// In the order that is promised. Each statement walks along a primary key, or an index that is named.
const PARTS: [Part; 9] = [
    // Of a tenant that was erased, it is only known that it is closed.
    ("SELECT position, closed FROM scim_tenant WHERE tenant = ?1 AND position > 0", |row| {
        Ok(Item::Head { position: row.get(0)?, closed: row.get(1)? })
    }),
    (
        "SELECT type, id, version, created, modified, members, display, keys, notes, document \
         FROM scim_record INDEXED BY scim_record_of_type WHERE tenant = ?1 ORDER BY type, id",
        record,
    ),
    (
        "SELECT group_id, member_id, member_type, display FROM scim_member NOT INDEXED \
         WHERE tenant = ?1 ORDER BY group_id, member_id",
        |row| {
            let member = Member { id: row.get(1)?, resource_type: row.get(2)?, display: row.get(3)? };
            Ok(Item::Member { group: row.get(0)?, member })
        },
    ),
    ("SELECT name, value FROM scim_fact WHERE tenant = ?1 ORDER BY name", |row| {
        Ok(Item::Fact { name: row.get(0)?, value: serde_json::from_str(text(row, 1)?)? })
    }),
    ("SELECT position, hash, event FROM scim_log WHERE tenant = ?1 ORDER BY position", |row| {
        let (hash, event) = (ChainHash::from(row.get::<_, [u8; 32]>(1)?), serde_json::from_str(text(row, 2)?)?);
        Ok(Item::Entry(Logged { position: row.get(0)?, event, hash }))
    }),
    // A counter that has counted too little may be below nothing.
    ("SELECT type, max(count, 0) FROM scim_count WHERE tenant = ?1 ORDER BY type", |row| {
        Ok(Item::Count { resource_type: row.get(0)?, count: row.get(1)? })
    }),
    ("SELECT type, path, max(count, 0) FROM scim_keyed WHERE tenant = ?1 ORDER BY type, path", |row| {
        Ok(Item::Keyed { resource_type: row.get(0)?, path: row.get(1)?, count: row.get(2)? })
    }),
    ("SELECT type, path, value, id FROM scim_key WHERE tenant = ?1 ORDER BY type, path, value, id", |row| {
        Ok(Item::Key { resource_type: row.get(0)?, path: row.get(1)?, value: row.get(2)?, id: row.get(3)? })
    }),
    // All tenants share the rows without a scope, which are walked through.
    ("SELECT scope, type, path, value, id FROM scim_unique WHERE scope = ?1 OR (scope = '' AND tenant = ?1)", |row| {
        Ok(Item::Unique {
            global: text(row, 0)?.is_empty(),
            resource_type: row.get(1)?,
            path: row.get(2)?,
            value: row.get(3)?,
            id: row.get(4)?,
        })
    }),
];

pub(super) fn export(sql: &Connection, tenant: &TenantId, mut sink: Sink) -> Result<(), Failure> {
    for (statement, item) in PARTS {
        let mut statement = sql.prepare_cached(statement)?;
        let mut rows = statement.query([tenant.as_str()])?;
        while let Some(row) = rows.next()? {
            sink(item(row)?).map_err(Failure::Transfer)?;
        }
    }
    Ok(())
}

fn record(row: &Row<'_>) -> Result<Item, Failure> {
    let draft = Draft {
        key: Key { resource_type: row.get(0)?, id: row.get(1)? },
        resource: Resource::from_stored(serde_json::from_str(text(row, 9)?)?),
        index: serde_json::from_str::<Vec<StoredKey>>(text(row, 7)?)?.into_iter().map(index_key).collect(),
        display: row.get(6)?,
        notes: serde_json::from_str(text(row, 8)?)?,
        created: Some(instant(row.get(3)?)),
    };
    Ok(Item::Record { draft, version: Version(row.get(2)?), modified: instant(row.get(4)?), member_count: row.get(5)? })
}

fn index_key((scope, path, value): StoredKey) -> IndexKey {
    let scope = match scope {
        TENANT => Scope::Tenant,
        GLOBAL => Scope::Global,
        _ => Scope::Many,
    };
    IndexKey { path, value, scope }
}

fn text<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r str, Failure> {
    Ok(row.get_ref(at)?.as_str().map_err(rusqlite::Error::from)?)
}
