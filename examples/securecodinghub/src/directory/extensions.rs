//! The extensions that organisations have registered, and the notices of what became of them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::records::now;
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
    /// What it is known by in its organisation.
    pub id: String,
    /// The id of the organisation.
    pub organisation: String,
    /// The event, as JSON.
    pub event: String,
}

impl Directory {
    /// The extensions of an organisation, removed ones too, and how often they have changed, from one moment.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn extensions(&self, organisation: &str) -> Result<(i64, Vec<ExtensionRecord>), DirectoryError> {
        self.read(|tables, _| tables.extensions_and_changes(organisation)).await
    }

    /// The extensions of every organisation that has any, by the organisation's name.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub async fn all_extensions(&self) -> Result<HashMap<String, Vec<ExtensionRecord>>, DirectoryError> {
        let mut all = HashMap::new();
        for organisation in self.organisations().await? {
            if organisation.extensions > 0 {
                all.insert(organisation.name, self.extensions(&organisation.id).await?.1);
            }
        }
        Ok(all)
    }

    /// Changes the extensions of an organisation, if at all, as decided over what is there; nobody else writes meanwhile. It may
    /// be decided more than once, where the database asks for that. The event waits with the change for its place in the log, to
    /// which the caller brings it.
    ///
    /// # Errors
    /// What was decided against it, or when the database fails or is damaged.
    pub async fn change_extensions<T: Send + 'static, E: From<DirectoryError> + Send + 'static>(
        &self,
        organisation: &Organisation,
        decide: impl Fn(&[ExtensionRecord]) -> Result<(ExtensionChange, String, T), E> + Send + Sync + 'static,
    ) -> Result<(T, Notice), E> {
        let decide = Arc::new(decide);
        let decide = &decide;
        let decided = self.write(|tables, _| {
            Box::pin(async move {
                tables.organisation(&organisation.id, true).await?;
                let (there, decide) = (tables.extensions(&organisation.id).await?, Arc::clone(decide));
                // Schemas are compared, which is no work for a thread that answers others.
                let decided = tokio::task::spawn_blocking(move || decide(&there)).await;
                let (change, event, told) = match decided.map_err(|_| DirectoryError::Interrupted)? {
                    Ok(decided) => decided,
                    // Nothing was written, so there is nothing to give up.
                    Err(refused) => return Ok(Err(refused)),
                };
                if change != ExtensionChange::Nothing {
                    tables.change_extension(&organisation.id, &change, now()).await?;
                }
                let id = tables.add_notice(&organisation.id, &event, now()).await?;
                Ok(Ok((told, Notice { id, organisation: organisation.id.clone(), event })))
            })
        });
        decided.await?
    }

    /// What is not in the provisioning logs yet although it should, oldest first: whoever was to bring it there has died or
    /// failed. It is the caller's to bring now, and for a while nobody else's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_notices(&self) -> Result<Vec<Notice>, DirectoryError> {
        let before = now() - CLAIM;
        let mut notices = Vec::new();
        // Looking costs less than a lock, and almost always nothing is there.
        for organisation in &self.read(|tables, _| tables.waiting(before)).await? {
            notices.extend(self.write(|tables, _| tables.claim(organisation, before, now())).await?);
        }
        Ok(notices)
    }

    /// Forgets a notice that is in the log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_notice(&self, notice: &Notice) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                tables.organisation(&notice.organisation, true).await?;
                tables.remove_notice(&notice.organisation, &notice.id).await
            })
        })
        .await
    }
}
