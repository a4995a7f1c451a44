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
                // As it is now, for it may have left since it was asked for.
                if let Some(now) = tables.organisation(&organisation.id, true).await? {
                    now.check_open()?;
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::NewOrganisation;
    use crate::directory::testing::Case;
    use crate::policy::Edition;

    fn put(urn_key: &str) -> ExtensionChange {
        ExtensionChange::Put { urn_key: urn_key.to_owned(), schema: serde_json::json!({"id": urn_key}) }
    }

    /// A change that counts what is there when it is decided.
    fn change(
        change: ExtensionChange,
    ) -> impl Fn(&[ExtensionRecord]) -> Result<(ExtensionChange, String, usize), DirectoryError> {
        move |there| Ok((change.clone(), format!("after {}", there.len()), there.len()))
    }

    #[tokio::test]
    async fn a_change_and_its_notice_are_there_together() {
        for case in Case::each() {
            let directory = case.open().await;
            let acme = directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
            let globex =
                directory.create_organisation(&NewOrganisation::named("globex", Edition::First)).await.unwrap();
            let (told, first) = directory.change_extensions(&acme, change(put("urn:b"))).await.unwrap();
            assert_eq!((told, first.event.as_str()), (0, "after 0"));
            let (_, second) = directory.change_extensions(&acme, change(put("urn:a"))).await.unwrap();
            let kept = ExtensionChange::Remove { urn_key: "urn:b".to_owned(), keep: true };
            let (_, third) = directory.change_extensions(&acme, change(kept)).await.unwrap();
            let (_, other) = directory.change_extensions(&globex, change(ExtensionChange::Nothing)).await.unwrap();
            let refused = directory
                .change_extensions(&acme, |_| Err::<(ExtensionChange, String, ()), _>(DirectoryError::Interrupted))
                .await;
            assert!(refused.is_err());

            let (changes, records) = case.open().await.extensions(&acme.id).await.unwrap();
            assert_eq!(changes, 3);
            let keys: Vec<_> =
                records.iter().map(|record| (record.urn_key.as_str(), record.removed.is_some())).collect();
            assert_eq!(keys, [("urn:b", true), ("urn:a", false)]);
            assert_eq!(records[1].schema, serde_json::json!({"id": "urn:a"}));
            assert_eq!(directory.extensions(&globex.id).await.unwrap(), (0, Vec::new()));
            assert_eq!(directory.extensions("nobody").await.unwrap(), (0, Vec::new()));
            assert_eq!(directory.organisation("acme").await.unwrap().extensions, 3);

            // Who made them is about to enter them, so they are nobody else's, until he has had his time.
            assert_eq!(directory.claim_notices().await.unwrap(), []);
            for organisation in [&acme.id, &globex.id] {
                let (far, past) = (now() + CLAIM, now() - CLAIM * 2);
                directory.write(|tables, _| tables.claim(organisation, far, past)).await.unwrap();
            }
            directory.forget_notice(&first).await.unwrap();
            let mut left = directory.claim_notices().await.unwrap();
            left.sort_by_key(|notice| notice.organisation != acme.id);
            assert_eq!(left, [second, third, other]);
            assert_eq!(case.open().await.claim_notices().await.unwrap(), []);
            for notice in &left {
                directory.forget_notice(notice).await.unwrap();
            }
            let far = now() + CLAIM;
            assert_eq!(directory.read(|tables, _| tables.waiting(far)).await.unwrap(), Vec::<String>::new());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn changes_at_one_moment_are_decided_one_after_the_other() {
        for case in Case::each() {
            let directory = case.open().await;
            let acme = directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
            let changes: Vec<_> = (0..6)
                .map(|number| {
                    let (case, acme) = (case.clone(), acme.clone());
                    tokio::spawn(async move {
                        let directory = case.open().await;
                        let decide = change(put(&format!("urn:{number}")));
                        directory.change_extensions(&acme, decide).await.unwrap().0
                    })
                })
                .collect();
            let mut seen = Vec::new();
            for change in changes {
                seen.push(change.await.unwrap());
            }
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
        }
    }
}
