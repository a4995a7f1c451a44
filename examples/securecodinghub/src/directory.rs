//! The organisations and their tokens: tables of the product's own, beside those of SCIM in one database.
//!
//! Every answer is read from the database when it is asked for, never from memory. So what a command beside a running
//! server changes, a revoked token above all, holds from the server's next request on.
//!
//! What is decided stands here, once. What a database does is statements, in `tables`; the back ends give them their words.

mod error;
mod extensions;
mod keys;
mod last_used;
mod moving;
mod organisations;
pub(crate) mod postgres;
mod records;
mod sqlite;
mod tables;
#[cfg(test)]
mod testing;
mod tokens;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use scimwright_postgres::Retry;

pub use error::{DirectoryError, Source};
pub use extensions::{ExtensionChange, ExtensionRecord, Notice};
pub use keys::TrustedKey;
pub use moving::Closed;
pub(crate) use records::name_key;
pub use records::{Authenticated, Changes, NewOrganisation, Organisation, TokenRecord};

use last_used::LastUsed;
use tables::{Backend, Done, Kind, Tables};

use crate::policy::TokenScope;
use crate::types::Indexes;

/// The product's tables. One value serves all requests.
pub struct Directory {
    backend: Arc<dyn Backend>,
    last_used: LastUsed,
}

/// What is done with tables, and may be done again from its beginning.
type Doing<'t, T> = Pin<Box<dyn Future<Output = Done<T>> + Send + 't>>;

/// Says to the compiler that what is borrowed for `'a` outlives the tables.
type Within<'t, 'a> = PhantomData<&'t &'a ()>;

impl Directory {
    /// Opens the database in a file, and makes the file and the product's tables where they are missing.
    ///
    /// # Errors
    /// When the file cannot be opened or made, is no database, or was written by a newer version of the product.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DirectoryError> {
        Ok(Self::over(Arc::new(sqlite::SqliteFile::open(path.as_ref())?)))
    }

    fn over(backend: Arc<dyn Backend>) -> Self {
        Self { last_used: LastUsed::new(backend.clone()), backend }
    }

    /// Waits until what was noted of the use of tokens is written, though not for long.
    pub async fn close(&self) {
        self.last_used.close().await;
    }

    /// Makes organisation `default` with a token, if there is no organisation at all: what a server does with a fresh
    /// database. Of several that start at once, one makes it and the others get `None`.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random bytes.
    pub async fn make_first_organisation(
        &self,
        new: &NewOrganisation,
        label: &str,
    ) -> Result<Option<Created>, DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                if !tables.is_first().await? {
                    return Ok(None);
                }
                let organisation = organisations::insert(tables, new).await?;
                let (token, secret) = tokens::insert(tables, &organisation, TokenScope::Scim, label).await?;
                Ok(Some(Created { organisation, token, secret }))
            })
        })
        .await
    }

    /// The indexes that each resource type had when a server last served it.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub(crate) async fn indexes(&self) -> Result<Indexes, DirectoryError> {
        let text = self.read(|tables, _| tables.text("indexes")).await?;
        text.map_or(Ok(Indexes::new()), |text| serde_json::from_str(&text).map_err(DirectoryError::DamagedIndexes))
    }

    /// Remembers the indexes of each resource type.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn remember_indexes(&self, indexes: &Indexes) -> Result<(), DirectoryError> {
        let text = &serde_json::to_string(indexes).map_err(DirectoryError::DamagedIndexes)?;
        self.write(|tables, _| tables.keep_text("indexes", text)).await
    }

    /// Reads, and again where a lost connection makes that worth while.
    async fn read<'a, T>(
        &'a self,
        work: impl for<'t> Fn(&'t mut dyn Tables, Within<'t, 'a>) -> Doing<'t, T>,
    ) -> Result<T, DirectoryError> {
        self.attempt(Kind::Read, work).await
    }

    /// Runs the work in one transaction, of which all is done or nothing. It is repeated only where nothing was done: a commit
    /// of which nobody knows whether it came through is an error.
    async fn write<'a, T>(
        &'a self,
        work: impl for<'t> Fn(&'t mut dyn Tables, Within<'t, 'a>) -> Doing<'t, T>,
    ) -> Result<T, DirectoryError> {
        self.attempt(Kind::Write, work).await
    }

    async fn attempt<'a, T>(
        &'a self,
        kind: Kind,
        work: impl for<'t> Fn(&'t mut dyn Tables, Within<'t, 'a>) -> Doing<'t, T>,
    ) -> Result<T, DirectoryError> {
        // One time for all attempts, however each of them fails.
        let until = Instant::now() + self.backend.patience();
        let mut retry = Retry::new(self.backend.patience());
        loop {
            let done = match self.backend.begin_until(kind, until).await {
                Ok(mut tables) => match work(&mut *tables, PhantomData).await {
                    Ok(done) => tables.commit().await.map(|()| done),
                    Err(error) => {
                        tables.abandon().await;
                        Err(error)
                    }
                },
                Err(error) => Err(error),
            };
            match done {
                Err(error) if !retry.again(error.remedy()).await || Instant::now() >= until => return Err(error),
                Err(_) => {}
                done => return done,
            }
        }
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("backend", &self.backend).finish_non_exhaustive()
    }
}

/// A new organisation and its first token.
#[derive(Debug)]
pub struct Created {
    /// The organisation.
    pub organisation: Organisation,
    /// What is kept of the token.
    pub token: TokenRecord,
    /// The token itself, to be shown now or never.
    pub secret: crate::token::Secret,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::testing::Case;
    use crate::policy::Edition;

    #[test]
    fn handlers_can_share_it() {
        fn shared<T: Send + Sync + 'static>() {}
        fn sent<T: Send>(_: &T) {}
        shared::<Directory>();
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path().join("hub.db")).unwrap();
        sent(&directory.create_token("acme", TokenScope::Scim, ""));
    }

    #[test]
    fn what_sqlite_takes_for_no_file_is_refused() {
        for path in ["", ":memory:", "file:hub.db?mode=memory", "file:hub.db"] {
            assert!(matches!(Directory::open(path), Err(DirectoryError::NotAFile(_))), "{path:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_the_first_start_makes_an_organisation() {
        for case in Case::each() {
            // Several servers on one fresh database, each making the organisation if it is missing.
            let starts: Vec<_> = (0..8)
                .map(|_| {
                    let case = case.clone();
                    tokio::spawn(async move {
                        let (directory, new) = (case.open().await, NewOrganisation::named("default", Edition::First));
                        let made = directory.make_first_organisation(&new, "first").await.unwrap().is_some();
                        (made, directory.cursor_key().await.unwrap())
                    })
                })
                .collect();
            let mut made = Vec::new();
            for start in starts {
                made.push(start.await.unwrap());
            }
            assert_eq!(made.iter().filter(|(made, _)| *made).count(), 1);
            assert!(made.iter().all(|(_, key)| *key == made[0].1), "all seal cursors with one key");
            let directory = case.open().await;
            assert_eq!(directory.organisations().await.unwrap().len(), 1);
            assert_eq!(directory.tokens("default").await.unwrap().len(), 1);
        }
    }

    #[tokio::test]
    async fn an_organisation_made_by_hand_is_the_first() {
        for case in Case::each() {
            let directory = case.open().await;
            directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
            let new = NewOrganisation::named("default", Edition::First);
            assert!(directory.make_first_organisation(&new, "").await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn indexes_are_remembered() {
        for case in Case::each() {
            let directory = case.open().await;
            assert_eq!(directory.indexes().await.unwrap(), Indexes::new());
            for names in [["a", "b"], ["a", "c"]] {
                let indexes = Indexes::from([("Device".to_owned(), names.map(str::to_owned).into())]);
                directory.remember_indexes(&indexes).await.unwrap();
                assert_eq!(case.open().await.indexes().await.unwrap(), indexes);
            }
        }
    }
}
