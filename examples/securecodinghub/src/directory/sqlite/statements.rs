//! The statements in SQLite's words. The write lock of the file stands for the locks of rows.

use std::sync::LazyLock;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Params, Row, params};

use super::Session;
use super::rows::{self, Moment};
use crate::directory::records::seats_column;
use crate::directory::tables::{Done, EXTENSION, ORGANISATION, TOKEN, TOKEN_WIDTH, Tables, Used, schema_of};
use crate::directory::{DirectoryError, ExtensionChange, ExtensionRecord, Notice, Organisation, TokenRecord};
use crate::token::Digest;

static BY_DIGEST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT t.digest, {TOKEN}, {ORGANISATION} FROM sch_token t JOIN sch_organisation o ON o.id = t.organisation
         WHERE t.digest = ?1"
    )
});

impl Session {
    fn run(&self, sql: &str, values: impl Params) -> Done<usize> {
        Ok(self.sql()?.prepare_cached(sql)?.execute(values)?)
    }

    fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Done<Option<T>> {
        Ok(self.sql()?.prepare_cached(sql)?.query_row(values, read).optional()?)
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Done<Vec<T>> {
        let mut statement = self.sql()?.prepare_cached(sql)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn change(&self, organisation: &str, change: &ExtensionChange, at: Moment) -> Done<usize> {
        match change {
            ExtensionChange::Nothing => Ok(0),
            ExtensionChange::Put { urn_key, schema } => self.run(
                "INSERT INTO sch_extension (organisation, urn_key, schema, created, changed) VALUES (?1, ?2, ?3, ?4, ?4)
                 ON CONFLICT DO UPDATE SET schema = ?3, changed = ?4, removed = NULL",
                params![organisation, urn_key, schema.to_string(), at],
            ),
            ExtensionChange::Remove { urn_key, keep: false } => self.run(
                "DELETE FROM sch_extension WHERE organisation = ?1 AND urn_key = ?2",
                params![organisation, urn_key],
            ),
            ExtensionChange::Remove { urn_key, keep: true } => self.run(
                "UPDATE sch_extension SET removed = ?3 WHERE organisation = ?1 AND urn_key = ?2",
                params![organisation, urn_key, at],
            ),
        }
    }
}

fn organisation_where(condition: &str) -> String {
    format!("SELECT {ORGANISATION} FROM sch_organisation o {condition}")
}

#[async_trait]
impl Tables for Session {
    async fn commit(self: Box<Self>) -> Done<()> {
        self.end().await
    }

    async fn abandon(self: Box<Self>) {
        drop(self);
    }

    async fn key(&mut self, name: &'static str) -> Done<Option<[u8; 32]>> {
        let value = self.one("SELECT value FROM sch_meta WHERE key = ?1", [name], |row| row.get::<_, Value>(0))?;
        let key = |value| match value {
            Value::Blob(bytes) => bytes.try_into().ok(),
            _ => None,
        };
        value.map(|value| key(value).ok_or(DirectoryError::DamagedKey(name))).transpose()
    }

    async fn keep_key(&mut self, name: &str, key: [u8; 32]) -> Done<()> {
        let sql = "INSERT INTO sch_meta (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.run(sql, params![name, key]).map(drop)
    }

    async fn text(&mut self, name: &str) -> Done<Option<String>> {
        self.one("SELECT value FROM sch_meta WHERE key = ?1", [name], |row| row.get(0))
    }

    async fn texts(&mut self, prefix: &str) -> Done<Vec<(String, String)>> {
        let sql = "SELECT key, value FROM sch_meta WHERE substr(key, 1, length(?1)) = ?1";
        self.all(sql, [prefix], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    async fn keep_text(&mut self, name: &str, text: &str) -> Done<()> {
        let sql = "INSERT INTO sch_meta (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2";
        self.run(sql, [name, text]).map(drop)
    }

    async fn is_first(&mut self) -> Done<bool> {
        let any = self.one("SELECT 1 FROM sch_organisation LIMIT 1", [], |_| Ok(()))?;
        Ok(any.is_none())
    }

    async fn organisations(&mut self) -> Done<Vec<Organisation>> {
        self.all(&organisation_where(""), [], |row| rows::organisation(row, 0))
    }

    async fn named(&mut self, name_key: &str, _lock: bool) -> Done<Option<Organisation>> {
        self.one(&organisation_where("WHERE o.name_key = ?1"), [name_key], |row| rows::organisation(row, 0))
    }

    async fn organisation(&mut self, id: &str, _lock: bool) -> Done<Option<Organisation>> {
        self.one(&organisation_where("WHERE o.id = ?1"), [id], |row| rows::organisation(row, 0))
    }

    async fn add_organisation(&mut self, organisation: &Organisation, name_key: &str) -> Done<bool> {
        let added = self.run(
            "INSERT INTO sch_organisation
                 (id, name, name_key, seats, profile, linking, deletion, scim_enabled, created, extensions, closed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
            params![
                organisation.id,
                organisation.name,
                name_key,
                seats_column(organisation.seats),
                organisation.profile.to_string(),
                organisation.linking.to_string(),
                organisation.deletion.to_string(),
                organisation.scim_enabled,
                Moment(organisation.created),
                organisation.extensions,
                organisation.closed.as_ref().map(ToString::to_string),
            ],
        )?;
        Ok(added > 0)
    }

    async fn set_organisation(&mut self, organisation: &Organisation) -> Done<()> {
        let sql =
            "UPDATE sch_organisation SET seats = ?2, profile = ?3, linking = ?4, deletion = ?5, scim_enabled = ?6,
                   closed = ?7 WHERE id = ?1";
        let values = params![
            organisation.id,
            seats_column(organisation.seats),
            organisation.profile.to_string(),
            organisation.linking.to_string(),
            organisation.deletion.to_string(),
            organisation.scim_enabled,
            organisation.closed.as_ref().map(ToString::to_string),
        ];
        self.run(sql, values).map(drop)
    }

    async fn token(&mut self, digest: &Digest) -> Done<Option<(Digest, TokenRecord, Organisation)>> {
        self.one(&BY_DIGEST, [digest.as_bytes()], |row| {
            let stored = Digest::from(row.get::<_, [u8; 32]>(0)?);
            Ok((stored, rows::token(row, 1)?, rows::organisation(row, 1 + TOKEN_WIDTH)?))
        })
    }

    async fn tokens(&mut self, organisation: &str) -> Done<Vec<TokenRecord>> {
        // By rowid among those of the same millisecond, which is the order of insertion.
        let sql = format!("SELECT {TOKEN} FROM sch_token t WHERE t.organisation = ?1 ORDER BY t.created, t.rowid");
        self.all(&sql, [organisation], |row| rows::token(row, 0))
    }

    async fn tokens_with_digests(&mut self, organisation: &str) -> Done<Vec<(TokenRecord, Digest)>> {
        let sql =
            format!("SELECT {TOKEN}, t.digest FROM sch_token t WHERE t.organisation = ?1 ORDER BY t.created, t.rowid");
        let read = |row: &Row<'_>| Ok((rows::token(row, 0)?, Digest::from(row.get::<_, [u8; 32]>(TOKEN_WIDTH)?)));
        self.all(&sql, [organisation], read)
    }

    async fn add_token(&mut self, token: &TokenRecord, digest: &Digest) -> Done<()> {
        let sql = "INSERT INTO sch_token (id, organisation, digest, label, created, scope, last_used, revoked)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let values = params![
            token.id,
            token.organisation,
            digest.as_bytes(),
            token.label,
            Moment(token.created),
            token.scope.to_string(),
            token.last_used.map(Moment),
            token.revoked.map(Moment),
        ];
        self.run(sql, values).map(drop)
    }

    async fn revoke(&mut self, organisation: &str, token: &str, at: DateTime<Utc>) -> Done<()> {
        let sql = "UPDATE sch_token SET revoked = ?3 WHERE organisation = ?1 AND id = ?2 AND revoked IS NULL";
        self.run(sql, params![organisation, token, Moment(at)]).map(drop)
    }

    async fn used(&mut self, tokens: &[Used], at: DateTime<Utc>) -> Done<()> {
        for Used { organisation, token } in tokens {
            let sql = "UPDATE sch_token SET last_used = ?3 WHERE organisation = ?1 AND id = ?2";
            self.run(sql, params![organisation, token, Moment(at)])?;
        }
        Ok(())
    }

    async fn extensions(&mut self, organisation: &str) -> Done<Vec<ExtensionRecord>> {
        let sql =
            format!("SELECT {EXTENSION} FROM sch_extension e WHERE e.organisation = ?1 ORDER BY e.created, e.urn_key");
        let found = self.all(&sql, [organisation], |row| rows::extension(row, 0))?;
        let with_schema = |(record, text): (ExtensionRecord, String)| {
            Ok(ExtensionRecord { schema: schema_of(organisation, &text)?, ..record })
        };
        found.into_iter().map(with_schema).collect()
    }

    async fn extensions_and_changes(&mut self, organisation: &str) -> Done<(i64, Vec<ExtensionRecord>)> {
        // A transaction that reads is a snapshot.
        self.sql()?.execute_batch("BEGIN")?;
        let sql = "SELECT extensions FROM sch_organisation WHERE id = ?1";
        let changes = self.one(sql, [organisation], |row| row.get(0))?;
        let records = self.extensions(organisation).await?;
        self.sql()?.execute_batch("COMMIT")?;
        Ok((changes.unwrap_or_default(), records))
    }

    async fn change_extension(&mut self, organisation: &str, change: &ExtensionChange, at: DateTime<Utc>) -> Done<()> {
        self.change(organisation, change, Moment(at))?;
        // By this number every server on the file sees that what it knows is of yesterday.
        let sql = "UPDATE sch_organisation SET extensions = extensions + 1 WHERE id = ?1";
        self.run(sql, [organisation]).map(drop)
    }

    async fn add_extension(&mut self, organisation: &str, extension: &ExtensionRecord) -> Done<()> {
        let sql = "INSERT INTO sch_extension (organisation, urn_key, schema, created, changed, removed)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values = params![
            organisation,
            extension.urn_key,
            extension.schema.to_string(),
            Moment(extension.created),
            Moment(extension.changed),
            extension.removed.map(Moment),
        ];
        self.run(sql, values).map(drop)
    }

    async fn remove_organisation(&mut self, organisation: &str, _name_key: &str) -> Done<()> {
        for sql in [
            "DELETE FROM sch_notice WHERE organisation = ?1",
            "DELETE FROM sch_extension WHERE organisation = ?1",
            "DELETE FROM sch_token WHERE organisation = ?1",
            "DELETE FROM sch_organisation WHERE id = ?1",
        ] {
            self.run(sql, [organisation])?;
        }
        Ok(())
    }

    async fn add_notice(&mut self, organisation: &str, event: &str, at: DateTime<Utc>) -> Done<String> {
        let sql = "INSERT INTO sch_notice (organisation, event, claimed) VALUES (?1, ?2, ?3)";
        self.run(sql, params![organisation, event, Moment(at)])?;
        Ok(self.sql()?.last_insert_rowid().to_string())
    }

    async fn waiting(&mut self, before: DateTime<Utc>) -> Done<Vec<String>> {
        let sql = "SELECT DISTINCT organisation FROM sch_notice WHERE claimed IS NULL OR claimed < ?1";
        self.all(sql, [Moment(before)], |row| row.get(0))
    }

    async fn claim(&mut self, organisation: &str, before: DateTime<Utc>, at: DateTime<Utc>) -> Done<Vec<Notice>> {
        const LEFT: &str = "organisation = ?1 AND (claimed IS NULL OR claimed < ?2)";
        let sql = format!("SELECT id, event FROM sch_notice WHERE {LEFT} ORDER BY id");
        let read = |row: &Row<'_>| {
            let id = row.get::<_, i64>(0)?.to_string();
            Ok(Notice { id, organisation: organisation.to_owned(), event: row.get(1)? })
        };
        let notices = self.all(&sql, params![organisation, Moment(before)], read)?;
        let sql = format!("UPDATE sch_notice SET claimed = ?3 WHERE {LEFT}");
        self.run(&sql, params![organisation, Moment(before), Moment(at)])?;
        Ok(notices)
    }

    async fn remove_notice(&mut self, organisation: &str, id: &str) -> Done<()> {
        let sql = "DELETE FROM sch_notice WHERE organisation = ?1 AND id = ?2";
        self.run(sql, params![organisation, id]).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::sqlite::SqliteFile;
    use crate::directory::tables::{Backend, Kind};
    use crate::token::Secret;

    #[tokio::test]
    async fn the_look_up_is_planned_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile::open(&folder.path().join("hub.db")).unwrap();
        let connection = file.take().unwrap();
        let mut session = Session { connection: Some(connection), home: Some(file.idle.clone()) };
        let digest = Secret::generate().unwrap().digest();
        for _ in 0..10 {
            assert!(session.token(&digest).await.unwrap().is_none());
        }
        let statement = session.sql().unwrap().prepare_cached(&BY_DIGEST).unwrap();
        let again = statement.get_status(rusqlite::StatementStatus::RePrepare);
        assert_eq!((statement.get_status(rusqlite::StatementStatus::Run), again), (10, 0));
        drop(file.begin(Kind::Read).await.unwrap());
    }
}
