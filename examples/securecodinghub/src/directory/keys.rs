//! The keys of a database, and the public ones of others that count in it.

use super::{Directory, DirectoryError, Doing};
use crate::token::NoRandomness;

const CURSOR_KEY: &str = "cursor_key";
const AUDIT_KEY: &str = "audit_key";

/// What the names of the rows begin with that say whose signatures count. Each key has a row of its own, so that nobody who adds one
/// writes over what another adds.
const TRUSTED: &str = "audit_key_of/";

/// A public key that has signed for the log of an organisation, though it is not the one of this database: the organisation came from
/// elsewhere, or its checkpoints are signed with a key that is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The id of the organisation. The key counts for no other.
    pub organisation: String,
    /// The public key, as it stands in checkpoints.
    pub key: String,
    /// The last position that it has signed for. It counts for nothing behind that.
    pub through: u64,
}

impl Directory {
    /// The key that seals the cursors of lists: drawn once for each database, so that a walk through a list outlives a restart and
    /// may go on at another server on the same database.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random bytes.
    pub async fn cursor_key(&self) -> Result<[u8; 32], DirectoryError> {
        self.key(CURSOR_KEY).await
    }

    /// The key that signs what stands for the beginning of a log that was cut off: drawn once for each database.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random bytes.
    pub async fn audit_key(&self) -> Result<[u8; 32], DirectoryError> {
        self.key(AUDIT_KEY).await
    }

    /// The same, if it was drawn already: nothing is written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drawn_audit_key(&self) -> Result<Option<[u8; 32]>, DirectoryError> {
        self.read(|tables, _| tables.key(AUDIT_KEY)).await
    }

    /// The public keys from elsewhere whose signatures count here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trusted_audit_keys(&self) -> Result<Vec<TrustedKey>, DirectoryError> {
        let rows = self.read(|tables, _| tables.texts(TRUSTED)).await?;
        let trusted = rows.into_iter().filter_map(|(name, through)| {
            let (organisation, key) = name.strip_prefix(TRUSTED)?.rsplit_once('/')?;
            let through = through.parse().ok()?;
            Some(TrustedKey { organisation: organisation.to_owned(), key: key.to_owned(), through })
        });
        Ok(trusted.collect())
    }

    /// Lets the signatures of a key count here too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trust_audit_key(&self, trusted: &TrustedKey) -> Result<(), DirectoryError> {
        let name = &format!("{TRUSTED}{}/{}", trusted.organisation, trusted.key);
        self.write(|tables, _| -> Doing<'_, ()> {
            Box::pin(async move {
                let known = tables.text(name).await?.and_then(|known| known.parse::<u64>().ok());
                if known.is_some_and(|known| known >= trusted.through) {
                    return Ok(());
                }
                tables.keep_text(name, &trusted.through.to_string()).await
            })
        })
        .await
    }

    async fn key(&self, name: &'static str) -> Result<[u8; 32], DirectoryError> {
        // Where it was drawn long ago nobody needs to be allowed to write.
        if let Some(key) = self.read(move |tables, _| tables.key(name)).await? {
            return Ok(key);
        }
        self.write(move |tables, _| {
            Box::pin(async move {
                if let Some(key) = tables.key(name).await? {
                    return Ok(key);
                }
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(NoRandomness)?;
                tables.keep_key(name, key).await?;
                // Another server may have been quicker, and then its key is the one.
                tables.key(name).await?.ok_or(DirectoryError::DamagedKey(name))
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::testing::Case;

    #[tokio::test]
    async fn keys_of_elsewhere_count_for_one_organisation_up_to_a_position() {
        for case in Case::each() {
            let directory = case.open().await;
            let key = |organisation: &str, key: &str, through| TrustedKey {
                organisation: organisation.to_owned(),
                key: format!("ed25519:{key}"),
                through,
            };
            // Two that are added at one moment are both there.
            let (one, two) = (key("acme", "aa", 7), key("acme", "bb", 3));
            let other = case.open().await;
            let (first, second) = tokio::join!(directory.trust_audit_key(&one), other.trust_audit_key(&two));
            first.and(second).unwrap();
            for again in [key("acme", "aa", 5), key("globex", "aa", 2)] {
                directory.trust_audit_key(&again).await.unwrap();
            }
            let mut trusted = directory.trusted_audit_keys().await.unwrap();
            trusted.sort_by_key(|trusted| trusted.through);
            assert_eq!(trusted, [key("globex", "aa", 2), two, one]);
        }
    }

    #[tokio::test]
    async fn a_key_is_drawn_once_and_looked_up_without_being_drawn() {
        for case in Case::each() {
            let directory = case.open().await;
            assert_eq!(directory.drawn_audit_key().await.unwrap(), None);
            let key = directory.audit_key().await.unwrap();
            assert_eq!(case.open().await.audit_key().await.unwrap(), key);
            assert_eq!(directory.drawn_audit_key().await.unwrap(), Some(key));
            assert_ne!(directory.cursor_key().await.unwrap(), key);
        }
    }

    #[tokio::test]
    async fn a_damaged_key_is_an_error_and_not_one_that_nobody_keeps() {
        for case in Case::each() {
            let directory = case.open().await;
            directory.write(|tables, _| tables.keep_text(AUDIT_KEY, "short")).await.unwrap();
            assert!(directory.audit_key().await.is_err());
            assert!(directory.drawn_audit_key().await.is_err());
        }
    }
}
