//! The extensions that organisations have registered, and the notices of what became of them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::records::{Moment, now};
use super::{Directory, DirectoryError, Organisation};

/// How long who has claimed a notice has to bring it into the log.
const CLAIM: TimeDelta = TimeDelta::minutes(1);

/// An extension of users as an organisation registered it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtensionRecord {
    /// The URI of its schema in small letters: URIs of schemas have no case.
    pub urn_key: String,
    /// The schema.
    pub schema: Value,
    /// When it was first registered.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub changed: DateTime<Utc>,
    /// When it was removed. It is kept when users out of sight still carry it, so that nobody gives its attributes another meaning.
    pub removed: Option<DateTime<Utc>>,
}

/// What is to become of an extension.
#[derive(Clone, Debug, PartialEq)]
pub enum ExtensionChange {
    /// It is there, with this schema.
    Put {
        /// The URI in small letters.
        urn_key: String,
        /// The schema.
        schema: Value,
    },
    /// It is removed.
    Remove {
        /// The URI in small letters.
        urn_key: String,
        /// Whether its schema stays in mind.
        keep: bool,
    },
    /// It stays as it is.
    Nothing,
}

/// An entry for an organisation's provisioning log that is not in it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// The id of the organisation.
    pub organisation: String,
    /// The event, as JSON.
    pub event: String,
}

impl ExtensionRecord {
    const COLUMNS: &str = "e.urn_key, e.schema, e.created, e.changed, e.removed";

    fn read(row: &Row<'_>) -> rusqlite::Result<(Self, String)> {
        let record = Self {
            urn_key: row.get(0)?,
            schema: Value::Null,
            created: row.get::<_, Moment>(2)?.0,
            changed: row.get::<_, Moment>(3)?.0,
            removed: row.get::<_, Option<Moment>>(4)?.map(|moment| moment.0),
        };
        Ok((record, row.get(1)?))
    }
}

impl Directory {
    /// The extensions of an organisation, removed ones too, and how often they have changed, from one moment.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub fn extensions(&self, organisation: &str) -> Result<(i64, Vec<ExtensionRecord>), DirectoryError> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            let sql = "SELECT extensions FROM sch_organisation WHERE id = ?1";
            let changes = transaction.prepare_cached(sql)?.query_row([organisation], |row| row.get(0)).optional()?;
            Ok((changes.unwrap_or_default(), records(&transaction, organisation)?))
        })
    }

    /// The extensions of every organisation that has any, by the organisation's name.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub fn all_extensions(&self) -> Result<HashMap<String, Vec<ExtensionRecord>>, DirectoryError> {
        let mut all = HashMap::new();
        for organisation in self.organisations()? {
            if organisation.extensions > 0 {
                all.insert(organisation.name, self.extensions(&organisation.id)?.1);
            }
        }
        Ok(all)
    }

    /// Changes the extensions of an organisation, if at all, as decided over what is there; nobody else writes meanwhile. The event
    /// waits with the change for its place in the log, to which the caller brings it.
    ///
    /// # Errors
    /// What was decided against it, or when the database fails or is damaged.
    pub fn change_extensions<T, E: From<DirectoryError>>(
        &self,
        organisation: &Organisation,
        decide: impl FnOnce(&[ExtensionRecord]) -> Result<(ExtensionChange, String, T), E>,
    ) -> Result<(T, Notice), E> {
        self.write(|transaction| {
            let (change, event, told) = decide(&records(transaction, &organisation.id)?)?;
            apply(transaction, &organisation.id, &change)?;
            let sql = "INSERT INTO sch_notice (organisation, event, claimed) VALUES (?1, ?2, ?3)";
            let values = params![organisation.id, event, Moment(now())];
            transaction.execute(sql, values).map_err(DirectoryError::from)?;
            let id = transaction.last_insert_rowid();
            Ok((told, Notice { id, organisation: organisation.id.clone(), event }))
        })
    }

    /// What is not in the provisioning logs yet although it should, oldest first: whoever was to bring it there has died or
    /// failed. It is the caller's to bring now, and for a while nobody else's.
    ///
    /// # Errors
    /// When the database fails.
    pub fn claim_notices(&self) -> Result<Vec<Notice>, DirectoryError> {
        const LEFT: &str = "claimed IS NULL OR claimed < ?1";
        let left = Moment(now() - CLAIM);
        // Looking costs less than a lock, and almost always nothing is there.
        let any = |connection: &mut Connection| {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM sch_notice WHERE {LEFT})");
            Ok::<bool, DirectoryError>(connection.prepare_cached(&sql)?.query_row([&left], |row| row.get(0))?)
        };
        if !self.with(any)? {
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            let sql = format!("UPDATE sch_notice SET claimed = ?2 WHERE {LEFT} RETURNING id, organisation, event");
            let mut statement = transaction.prepare_cached(&sql)?;
            let read = |row: &Row<'_>| Ok(Notice { id: row.get(0)?, organisation: row.get(1)?, event: row.get(2)? });
            let rows = statement.query_map(params![left, Moment(now())], read)?;
            let mut notices = rows.collect::<Result<Vec<_>, _>>()?;
            notices.sort_by_key(|notice| notice.id);
            Ok(notices)
        })
    }

    /// Forgets a notice that is in the log.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_notice(&self, id: i64) -> Result<(), DirectoryError> {
        self.write(|transaction| Ok(transaction.execute("DELETE FROM sch_notice WHERE id = ?1", [id]).map(drop)?))
    }
}

fn records(connection: &Connection, organisation: &str) -> Result<Vec<ExtensionRecord>, DirectoryError> {
    let sql = format!(
        "SELECT {} FROM sch_extension e WHERE e.organisation = ?1 ORDER BY e.created, e.urn_key",
        ExtensionRecord::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([organisation], ExtensionRecord::read)?;
    let mut records = Vec::new();
    for row in rows {
        let (record, text) = row?;
        let damaged = |error| DirectoryError::DamagedExtension(organisation.to_owned(), error);
        records.push(ExtensionRecord { schema: serde_json::from_str(&text).map_err(damaged)?, ..record });
    }
    Ok(records)
}

fn apply(connection: &Connection, organisation: &str, change: &ExtensionChange) -> Result<(), DirectoryError> {
    match change {
        ExtensionChange::Nothing => return Ok(()),
        ExtensionChange::Put { urn_key, schema } => connection.execute(
            "INSERT INTO sch_extension (organisation, urn_key, schema, created, changed) VALUES (?1, ?2, ?3, ?4, ?4)
             ON CONFLICT DO UPDATE SET schema = ?3, changed = ?4, removed = NULL",
            params![organisation, urn_key, schema.to_string(), Moment(now())],
        )?,
        ExtensionChange::Remove { urn_key, keep: false } => connection.execute(
            "DELETE FROM sch_extension WHERE organisation = ?1 AND urn_key = ?2",
            params![organisation, urn_key],
        )?,
        ExtensionChange::Remove { urn_key, keep: true } => connection.execute(
            "UPDATE sch_extension SET removed = ?3 WHERE organisation = ?1 AND urn_key = ?2",
            params![organisation, urn_key, Moment(now())],
        )?,
    };
    // By this number every server on the file sees that what it knows is of yesterday.
    connection.execute("UPDATE sch_organisation SET extensions = extensions + 1 WHERE id = ?1", [organisation])?;
    Ok(())
}
