//! The four writes.

use scimwright_core::Resource;
use scimwright_sql::nanos;
use scimwright_store::{Draft, Key, StoreError, Version, Write};

use super::keys::{StoredKey, stored_keys};
use super::members::Moved;
use super::{MOVED, Work};
use crate::bind::Bind;
use crate::error::Failure;
use crate::read;

/// What a write needs to know of the record that it changes.
pub(super) struct Head {
    keys: String,
    members: u64,
}

impl Head {
    fn keys(&self) -> Result<Vec<StoredKey>, Failure> {
        Ok(serde_json::from_str(&self.keys)?)
    }
}

impl Work<'_> {
    pub(super) async fn write(&mut self, write: &Write) -> Result<(), Failure> {
        match write {
            Write::Insert { draft, members } => {
                self.insert(draft).await?;
                let Moved { more, .. } = self.members(&draft.key, members).await?;
                if more == 0 { Ok(()) } else { self.touch(&draft.key.id, more).await }
            }
            Write::Replace { draft, expect, members } => {
                self.replace(draft, *expect).await?;
                let Moved { more, .. } = self.members(&draft.key, members).await?;
                if more == 0 { Ok(()) } else { self.touch(&draft.key.id, more).await }
            }
            Write::Members { group, members, expect } => {
                self.expect(group, *expect).await?;
                match self.members(group, members).await? {
                    Moved { any: false, .. } => Ok(()),
                    Moved { more, .. } => self.touch(&group.id, more).await,
                }
            }
            Write::Delete { key, expect } => self.delete(key, *expect).await,
        }
    }

    async fn insert(&mut self, draft: &Draft) -> Result<(), Failure> {
        let Draft { key, resource, index, display, notes, created } = draft;
        let created = created.map_or(Some(self.time), nanos).ok_or(Failure::Time)?;
        let wanted = stored_keys(index);
        let text = "INSERT INTO scim_record \
                    (tenant, type, id, version, created, modified, members, display, keys, notes, document) \
                    VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10) ON CONFLICT (tenant, id) DO NOTHING";
        let values = [
            self.tenant(),
            Bind::text(&key.resource_type),
            Bind::text(&key.id),
            Bind::count(self.version.0),
            Bind::Integer(created),
            Bind::Integer(self.time),
            Bind::maybe(display.as_deref()),
            Bind::text(&serde_json::to_string(&wanted)?),
            Bind::text(&serde_json::to_string(notes)?),
            Bind::text(&document(resource)?),
        ];
        if self.session.execute(text, &values).await? == 0 {
            return Err(StoreError::Conflict { path: "id".to_owned(), holder: None }.into());
        }
        self.count(&key.resource_type, 1).await?;
        self.rekey(key, &[], &wanted).await
    }

    async fn replace(&mut self, draft: &Draft, expect: Version) -> Result<(), Failure> {
        let Draft { key, resource, index, display, notes, created: _ } = draft;
        let head = self.expect(key, Some(expect)).await?;
        let wanted = stored_keys(index);
        let keys = serde_json::to_string(&wanted)?;
        if keys != head.keys {
            self.rekey(key, &head.keys()?, &wanted).await?;
        }
        let text = format!(
            "UPDATE scim_record SET version = $3, modified = {MOVED}, display = $5, keys = $6, notes = $7, document = $8 \
             WHERE tenant = $1 AND id = $2"
        );
        let values = [
            self.tenant(),
            Bind::text(&key.id),
            Bind::count(self.version.0),
            Bind::Integer(self.time),
            Bind::maybe(display.as_deref()),
            Bind::text(&keys),
            Bind::text(&serde_json::to_string(notes)?),
            Bind::text(&document(resource)?),
        ];
        self.session.execute(&text, &values).await?;
        Ok(())
    }

    async fn delete(&mut self, key: &Key, expect: Option<Version>) -> Result<(), Failure> {
        let head = self.expect(key, expect).await?;
        self.rekey(key, &head.keys()?, &[]).await?;
        self.leave_all(key).await?;
        let of_record = [self.tenant(), Bind::text(&key.id)];
        if head.members > 0 {
            self.session.execute("DELETE FROM scim_member WHERE tenant = $1 AND group_id = $2", &of_record).await?;
        }
        self.session.execute("DELETE FROM scim_record WHERE tenant = $1 AND id = $2", &of_record).await?;
        self.count(&key.resource_type, -1).await
    }

    /// The record, which must be there in that version.
    async fn expect(&mut self, key: &Key, expect: Option<Version>) -> Result<Head, Failure> {
        let text = "SELECT version, keys, members FROM scim_record WHERE tenant = $1 AND type = $2 AND id = $3";
        let values = [self.tenant(), Bind::text(&key.resource_type), Bind::text(&key.id)];
        let rows = self.session.rows(text, &values).await?;
        let Some(row) = rows.first() else { return Err(StoreError::NotFound(key.clone()).into()) };
        let version = Version(read::count(row, 0)?);
        if expect.is_some_and(|expect| expect != version) {
            return Err(StoreError::Stale(key.clone()).into());
        }
        Ok(Head { keys: read::text(row, 1)?, members: read::count(row, 2)? })
    }

    /// Gives a group whose members change the commit's version and time, and so many members more.
    pub(super) async fn touch(&mut self, group: &str, more: i64) -> Result<(), Failure> {
        let text = format!(
            "UPDATE scim_record SET version = $3, modified = {MOVED}, members = members + $5 WHERE tenant = $1 AND id = $2"
        );
        let (version, time) = (Bind::count(self.version.0), Bind::Integer(self.time));
        let values = [self.tenant(), Bind::text(group), version, time, Bind::Integer(more)];
        self.session.execute(&text, &values).await?;
        Ok(())
    }

    async fn count(&mut self, resource_type: &str, by: i64) -> Result<(), Failure> {
        let text = "INSERT INTO scim_count AS c (tenant, type, count) VALUES ($1, $2, $3) \
                    ON CONFLICT (tenant, type) DO UPDATE SET count = c.count + excluded.count";
        self.session.execute(text, &[self.tenant(), Bind::text(resource_type), Bind::Integer(by)]).await?;
        Ok(())
    }
}

/// The document as it is kept: without what is stamped on it when it is read.
pub(crate) fn document(resource: &Resource) -> Result<String, Failure> {
    let mut resource = resource.clone();
    resource.take("id");
    resource.take("meta");
    Ok(serde_json::to_string(resource.as_map())?)
}
