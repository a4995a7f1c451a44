//! The statements in PostgreSQL's words.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::rows::{self, get};
use super::{Session, in_time};
use crate::directory::records::seats_column;
use crate::directory::tables::{Done, EXTENSION, ORGANISATION, TOKEN, TOKEN_WIDTH, Tables, Used, schema_of};
use crate::directory::{DirectoryError, ExtensionChange, ExtensionRecord, Notice, Organisation, TokenRecord};
use crate::token::Digest;

type Values<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// Rows of an organisation are locked against each other's changes, not against foreign keys that lead to it.
fn lock_words(lock: bool) -> &'static str {
    if lock { "FOR NO KEY UPDATE" } else { "" }
}

impl Session {
    async fn run(&mut self, sql: &str, values: Values<'_>) -> Done<u64> {
        let done = in_time(self.until, self.client()?.execute_typed(sql, values)).await;
        self.heed(done)
    }

    async fn all(&mut self, sql: &str, values: Values<'_>) -> Done<Vec<Row>> {
        let done = in_time(self.until, self.client()?.query_typed(sql, values)).await;
        self.heed(done)
    }

    async fn one(&mut self, sql: &str, values: Values<'_>) -> Done<Option<Row>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    async fn meta(&mut self, key: &str) -> Done<Option<Row>> {
        self.one("SELECT value FROM sch_meta WHERE key = $1", &[(&key, Type::TEXT)]).await
    }

    async fn keep(&mut self, key: &str, value: &[u8]) -> Done<bool> {
        let sql = "INSERT INTO sch_meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        Ok(self.run(sql, &[(&key, Type::TEXT), (&value, Type::BYTEA)]).await? > 0)
    }

    /// The organisation of a key that leads to one before it is known which: its name or a token's digest.
    async fn leads_to(&mut self, sql: &str, key: &(dyn ToSql + Sync), kind: Type) -> Done<Option<String>> {
        let row = self.one(sql, &[(key, kind)]).await?;
        row.map(|row| get(&row, 0)).transpose()
    }
}

fn extension_of(organisation: &str, row: &Row, at: usize) -> Done<Option<ExtensionRecord>> {
    let Some((record, text)) = rows::extension(row, at)? else { return Ok(None) };
    Ok(Some(ExtensionRecord { schema: schema_of(organisation, &text)?, ..record }))
}

#[async_trait]
impl Tables for Session {
    async fn commit(self: Box<Self>) -> Done<()> {
        Self::commit(*self).await
    }

    async fn abandon(self: Box<Self>) {
        Self::abandon(*self).await;
    }

    async fn key(&mut self, name: &'static str) -> Done<Option<[u8; 32]>> {
        let Some(row) = self.meta(name).await? else { return Ok(None) };
        get::<&[u8]>(&row, 0)?.try_into().map(Some).map_err(|_| DirectoryError::DamagedKey(name))
    }

    async fn keep_key(&mut self, name: &str, key: [u8; 32]) -> Done<()> {
        self.keep(name, &key).await.map(drop)
    }

    async fn text(&mut self, name: &str) -> Done<Option<String>> {
        let Some(row) = self.meta(name).await? else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(get(&row, 0)?).into_owned()))
    }

    async fn texts(&mut self, prefix: &str) -> Done<Vec<(String, String)>> {
        let sql = "SELECT key, value FROM sch_meta WHERE starts_with(key, $1)";
        let rows = self.all(sql, &[(&prefix, Type::TEXT)]).await?;
        let text = |row: &Row| Ok((get(row, 0)?, String::from_utf8_lossy(get(row, 1)?).into_owned()));
        rows.iter().map(text).collect()
    }

    async fn keep_text(&mut self, name: &str, text: &str) -> Done<()> {
        let sql = "INSERT INTO sch_meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2";
        self.run(sql, &[(&name, Type::TEXT), (&text.as_bytes(), Type::BYTEA)]).await.map(drop)
    }

    async fn is_first(&mut self) -> Done<bool> {
        // Whoever comes at the same moment waits here for the other's end.
        self.keep("first_organisation", b"").await
    }

    async fn organisations(&mut self) -> Done<Vec<Organisation>> {
        let sql = format!("SELECT {ORGANISATION} FROM sch_organisation o");
        let rows = self.all(&sql, &[]).await?;
        rows.iter().map(|row| rows::organisation(row, 0)).collect()
    }

    async fn named(&mut self, name_key: &str, lock: bool) -> Done<Option<Organisation>> {
        let sql = "SELECT organisation FROM sch_name WHERE name_key = $1";
        match self.leads_to(sql, &name_key, Type::TEXT).await? {
            Some(id) => self.organisation(&id, lock).await,
            None => Ok(None),
        }
    }

    async fn organisation(&mut self, id: &str, lock: bool) -> Done<Option<Organisation>> {
        let sql = format!("SELECT {ORGANISATION} FROM sch_organisation o WHERE o.id = $1 {}", lock_words(lock));
        let row = self.one(&sql, &[(&id, Type::TEXT)]).await?;
        row.map(|row| rows::organisation(&row, 0)).transpose()
    }

    async fn add_organisation(&mut self, organisation: &Organisation, name_key: &str) -> Done<bool> {
        // Whoever takes the same name at this moment waits here, and finds it taken.
        let sql = "INSERT INTO sch_name (name_key, organisation) VALUES ($1, $2) ON CONFLICT (name_key) DO NOTHING";
        if self.run(sql, &[(&name_key, Type::TEXT), (&organisation.id, Type::TEXT)]).await? == 0 {
            return Ok(false);
        }
        let sql = "INSERT INTO sch_organisation
                       (id, name, seats, profile, linking, deletion, scim_enabled, created, extensions, closed)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
        let values: Values<'_> = &[
            (&organisation.id, Type::TEXT),
            (&organisation.name, Type::TEXT),
            (&seats_column(organisation.seats), Type::INT8),
            (&organisation.profile.to_string(), Type::TEXT),
            (&organisation.linking.to_string(), Type::TEXT),
            (&organisation.deletion.to_string(), Type::TEXT),
            (&organisation.scim_enabled, Type::BOOL),
            (&organisation.created, Type::TIMESTAMPTZ),
            (&organisation.extensions, Type::INT8),
            (&organisation.closed.as_ref().map(ToString::to_string), Type::TEXT),
        ];
        Ok(self.run(sql, values).await? > 0)
    }

    async fn set_organisation(&mut self, organisation: &Organisation) -> Done<()> {
        let sql =
            "UPDATE sch_organisation SET seats = $2, profile = $3, linking = $4, deletion = $5, scim_enabled = $6,
                   closed = $7 WHERE id = $1";
        let values: Values<'_> = &[
            (&organisation.id, Type::TEXT),
            (&seats_column(organisation.seats), Type::INT8),
            (&organisation.profile.to_string(), Type::TEXT),
            (&organisation.linking.to_string(), Type::TEXT),
            (&organisation.deletion.to_string(), Type::TEXT),
            (&organisation.scim_enabled, Type::BOOL),
            (&organisation.closed.as_ref().map(ToString::to_string), Type::TEXT),
        ];
        self.run(sql, values).await.map(drop)
    }

    async fn token(&mut self, digest: &Digest) -> Done<Option<(Digest, TokenRecord, Organisation)>> {
        let digest = &digest.as_bytes()[..];
        let sql = "SELECT organisation FROM sch_digest WHERE digest = $1";
        let Some(organisation) = self.leads_to(sql, &digest, Type::BYTEA).await? else { return Ok(None) };
        let sql = format!(
            "SELECT {TOKEN}, {ORGANISATION}, t.digest FROM sch_token t JOIN sch_organisation o ON o.id = t.organisation
             WHERE t.organisation = $1 AND o.id = $1 AND t.digest = $2"
        );
        let Some(row) = self.one(&sql, &[(&organisation, Type::TEXT), (&digest, Type::BYTEA)]).await? else {
            return Ok(None);
        };
        let (token, organisation) = (rows::token(&row, 0)?, rows::organisation(&row, TOKEN_WIDTH)?);
        let stored: Option<[u8; 32]> = get::<&[u8]>(&row, row.len() - 1)?.try_into().ok();
        Ok(stored.map(|stored| (stored.into(), token, organisation)))
    }

    async fn tokens(&mut self, organisation: &str) -> Done<Vec<TokenRecord>> {
        let sql = format!("SELECT {TOKEN} FROM sch_token t WHERE t.organisation = $1 ORDER BY t.created, t.id");
        let rows = self.all(&sql, &[(&organisation, Type::TEXT)]).await?;
        rows.iter().map(|row| rows::token(row, 0)).collect()
    }

    async fn tokens_with_digests(&mut self, organisation: &str) -> Done<Vec<(TokenRecord, Digest)>> {
        let sql =
            format!("SELECT {TOKEN}, t.digest FROM sch_token t WHERE t.organisation = $1 ORDER BY t.created, t.id");
        let rows = self.all(&sql, &[(&organisation, Type::TEXT)]).await?;
        let read = |row: &Row| {
            let digest: Option<[u8; 32]> = get::<&[u8]>(row, TOKEN_WIDTH)?.try_into().ok();
            Ok((rows::token(row, 0)?, digest.ok_or(crate::directory::DirectoryError::Interrupted)?.into()))
        };
        rows.iter().map(read).collect()
    }

    async fn add_token(&mut self, token: &TokenRecord, digest: &Digest) -> Done<()> {
        let digest = &digest.as_bytes()[..];
        let sql = "INSERT INTO sch_digest (digest, organisation) VALUES ($1, $2)";
        self.run(sql, &[(&digest, Type::BYTEA), (&token.organisation, Type::TEXT)]).await?;
        let sql = "INSERT INTO sch_token (organisation, id, digest, label, created, scope, last_used, revoked)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values: Values<'_> = &[
            (&token.organisation, Type::TEXT),
            (&token.id, Type::TEXT),
            (&digest, Type::BYTEA),
            (&token.label, Type::TEXT),
            (&token.created, Type::TIMESTAMPTZ),
            (&token.scope.to_string(), Type::TEXT),
            (&token.last_used, Type::TIMESTAMPTZ),
            (&token.revoked, Type::TIMESTAMPTZ),
        ];
        self.run(sql, values).await.map(drop)
    }

    async fn revoke(&mut self, organisation: &str, token: &str, at: DateTime<Utc>) -> Done<()> {
        let sql = "UPDATE sch_token SET revoked = $3 WHERE organisation = $1 AND id = $2 AND revoked IS NULL";
        let values: Values<'_> = &[(&organisation, Type::TEXT), (&token, Type::TEXT), (&at, Type::TIMESTAMPTZ)];
        self.run(sql, values).await.map(drop)
    }

    async fn used(&mut self, tokens: &[Used], at: DateTime<Utc>) -> Done<()> {
        for Used { organisation, token } in tokens {
            let sql = "UPDATE sch_token SET last_used = $3 WHERE organisation = $1 AND id = $2";
            let values: Values<'_> = &[(organisation, Type::TEXT), (token, Type::TEXT), (&at, Type::TIMESTAMPTZ)];
            self.run(sql, values).await?;
        }
        Ok(())
    }

    async fn extensions(&mut self, organisation: &str) -> Done<Vec<ExtensionRecord>> {
        let sql =
            format!("SELECT {EXTENSION} FROM sch_extension e WHERE e.organisation = $1 ORDER BY e.created, e.urn_key");
        let rows = self.all(&sql, &[(&organisation, Type::TEXT)]).await?;
        rows.iter().filter_map(|row| extension_of(organisation, row, 0).transpose()).collect()
    }

    async fn extensions_and_changes(&mut self, organisation: &str) -> Done<(i64, Vec<ExtensionRecord>)> {
        // One statement is a snapshot.
        let sql = format!(
            "SELECT {EXTENSION}, o.extensions FROM sch_organisation o
             LEFT JOIN sch_extension e ON e.organisation = o.id AND e.organisation = $1
             WHERE o.id = $1 ORDER BY e.created, e.urn_key"
        );
        let rows = self.all(&sql, &[(&organisation, Type::TEXT)]).await?;
        let changes = rows.first().map(|row| get(row, row.len() - 1)).transpose()?;
        let records = rows.iter().filter_map(|row| extension_of(organisation, row, 0).transpose());
        Ok((changes.unwrap_or_default(), records.collect::<Done<_>>()?))
    }

    async fn change_extension(&mut self, organisation: &str, change: &ExtensionChange, at: DateTime<Utc>) -> Done<()> {
        let (organisation, at) = ((&organisation as &(dyn ToSql + Sync), Type::TEXT), (&at as _, Type::TIMESTAMPTZ));
        match change {
            ExtensionChange::Nothing => return Ok(()),
            ExtensionChange::Put { urn_key, schema } => {
                let sql = "INSERT INTO sch_extension (organisation, urn_key, schema, created, changed)
                           VALUES ($1, $2, $3, $4, $4)
                           ON CONFLICT (organisation, urn_key) DO UPDATE SET schema = $3, changed = $4, removed = NULL";
                let schema = schema.to_string();
                self.run(sql, &[organisation.clone(), (urn_key, Type::TEXT), (&schema, Type::TEXT), at]).await?;
            }
            ExtensionChange::Remove { urn_key, keep: false } => {
                let sql = "DELETE FROM sch_extension WHERE organisation = $1 AND urn_key = $2";
                self.run(sql, &[organisation.clone(), (urn_key, Type::TEXT)]).await?;
            }
            ExtensionChange::Remove { urn_key, keep: true } => {
                let sql = "UPDATE sch_extension SET removed = $3 WHERE organisation = $1 AND urn_key = $2";
                self.run(sql, &[organisation.clone(), (urn_key, Type::TEXT), at]).await?;
            }
        }
        // By this number every server on the database sees that what it knows is of yesterday.
        let sql = "UPDATE sch_organisation SET extensions = extensions + 1 WHERE id = $1";
        self.run(sql, &[organisation]).await.map(drop)
    }

    async fn add_extension(&mut self, organisation: &str, extension: &ExtensionRecord) -> Done<()> {
        let sql = "INSERT INTO sch_extension (organisation, urn_key, schema, created, changed, removed)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let values: Values<'_> = &[
            (&organisation, Type::TEXT),
            (&extension.urn_key, Type::TEXT),
            (&extension.schema.to_string(), Type::TEXT),
            (&extension.created, Type::TIMESTAMPTZ),
            (&extension.changed, Type::TIMESTAMPTZ),
            (&extension.removed, Type::TIMESTAMPTZ),
        ];
        self.run(sql, values).await.map(drop)
    }

    async fn remove_organisation(&mut self, organisation: &str, name_key: &str) -> Done<()> {
        // What leads to it first, each by what it is looked up by.
        for (_, digest) in self.tokens_with_digests(organisation).await? {
            let digest = &digest.as_bytes()[..];
            self.run("DELETE FROM sch_digest WHERE digest = $1", &[(&digest, Type::BYTEA)]).await?;
        }
        self.run("DELETE FROM sch_name WHERE name_key = $1", &[(&name_key, Type::TEXT)]).await?;
        for sql in [
            "DELETE FROM sch_waiting WHERE organisation = $1",
            "DELETE FROM sch_notice WHERE organisation = $1",
            "DELETE FROM sch_extension WHERE organisation = $1",
            "DELETE FROM sch_token WHERE organisation = $1",
            "DELETE FROM sch_organisation WHERE id = $1",
        ] {
            self.run(sql, &[(&organisation, Type::TEXT)]).await?;
        }
        Ok(())
    }

    async fn add_notice(&mut self, organisation: &str, event: &str, at: DateTime<Utc>) -> Done<String> {
        // They sort by age. Of one organisation one is made at a time.
        let id = Uuid::now_v7().to_string();
        let sql = "INSERT INTO sch_notice (organisation, id, event, claimed) VALUES ($1, $2, $3, $4)";
        let values: Values<'_> =
            &[(&organisation, Type::TEXT), (&id, Type::TEXT), (&event, Type::TEXT), (&at, Type::TIMESTAMPTZ)];
        self.run(sql, values).await?;
        let sql = "INSERT INTO sch_waiting (organisation) VALUES ($1) ON CONFLICT (organisation) DO NOTHING";
        self.run(sql, &[(&organisation, Type::TEXT)]).await?;
        Ok(id)
    }

    async fn waiting(&mut self, _before: DateTime<Utc>) -> Done<Vec<String>> {
        // No look into every organisation: the list is there for this, and almost always empty.
        let rows = self.all("SELECT organisation FROM sch_waiting", &[]).await?;
        rows.iter().map(|row| get(row, 0)).collect()
    }

    async fn claim(&mut self, organisation: &str, before: DateTime<Utc>, at: DateTime<Utc>) -> Done<Vec<Notice>> {
        let sql = "UPDATE sch_notice SET claimed = $3
                   WHERE organisation = $1 AND (claimed IS NULL OR claimed < $2) RETURNING id, event";
        let values: Values<'_> = &[(&organisation, Type::TEXT), (&before, Type::TIMESTAMPTZ), (&at, Type::TIMESTAMPTZ)];
        let rows = self.all(sql, values).await?;
        let read =
            |row: &Row| Ok(Notice { id: get(row, 0)?, organisation: organisation.to_owned(), event: get(row, 1)? });
        let mut notices = rows.iter().map(read).collect::<Done<Vec<_>>>()?;
        notices.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(notices)
    }

    async fn remove_notice(&mut self, organisation: &str, id: &str) -> Done<()> {
        let sql = "DELETE FROM sch_notice WHERE organisation = $1 AND id = $2";
        self.run(sql, &[(&organisation, Type::TEXT), (&id, Type::TEXT)]).await?;
        let sql = "SELECT 1 FROM sch_notice WHERE organisation = $1 LIMIT 1";
        if self.one(sql, &[(&organisation, Type::TEXT)]).await?.is_none() {
            // Who adds one has the organisation's lock too, so none can have come in between.
            let sql = "DELETE FROM sch_waiting WHERE organisation = $1";
            self.run(sql, &[(&organisation, Type::TEXT)]).await?;
        }
        Ok(())
    }
}
