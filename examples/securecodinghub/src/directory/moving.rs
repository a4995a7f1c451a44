//! Organisations on their way from one database to another.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use super::records::{name_key, now};
use super::tables::Tables;
use super::{Directory, DirectoryError, ExtensionRecord, Organisation, TokenRecord};
use crate::token::Digest;
use crate::types::Indexes;

/// Why an organisation takes no requests. Of all databases that have an organisation, it is open in one at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is on its way to a database.
    Leaving {
        /// Which.
        to: String,
        /// The attempt that moves it.
        by: String,
    },
    /// It is on its way here.
    Arriving {
        /// The attempt that moves it.
        by: String,
    },
    /// It has gone to that database.
    Moved(String),
    /// For a reason that this version does not know.
    Unknown(String),
}

const ARRIVING: &str = "arriving";
const LEAVING: &str = "leaving to ";
const MOVED: &str = "moved to ";

/// As it stands in the database, and as it is told to people.
impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaving { to, by } => write!(f, "{LEAVING}{to} (move {by})"),
            Self::Arriving { by } => write!(f, "{ARRIVING} (move {by})"),
            Self::Moved(to) => write!(f, "{MOVED}{to}"),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

impl FromStr for Closed {
    type Err = Infallible;

    /// What nobody knows is a reason to stay closed, and is kept as it is.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let attempt = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (move "));
        let known = match attempt {
            Some((ARRIVING, by)) => Some(Self::Arriving { by: by.to_owned() }),
            Some((leaving, by)) => {
                leaving.strip_prefix(LEAVING).map(|to| Self::Leaving { to: to.to_owned(), by: by.to_owned() })
            }
            None => None,
        };
        let moved = || text.strip_prefix(MOVED).map(|to| Self::Moved(to.to_owned()));
        Ok(known.or_else(moved).unwrap_or_else(|| Self::Unknown(text.to_owned())))
    }
}

/// Later than anybody looks.
fn far() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(100_000)
}

/// Everything of an organisation that is in the product's tables.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Luggage {
    pub(crate) organisation: Organisation,
    /// Tokens are kept as digests, so they go on working elsewhere.
    pub(crate) tokens: Vec<(TokenRecord, Digest)>,
    pub(crate) extensions: Vec<ExtensionRecord>,
    /// Entries of the log that are not in it yet.
    pub(crate) notices: Vec<String>,
}

impl Directory {
    /// Closes an organisation, or opens it, if it is in the state that is expected. The next request of its tokens finds the change.
    ///
    /// # Errors
    /// When there is none of this id, it is in another state, or the database fails.
    pub(crate) async fn put_state(
        &self,
        id: &str,
        expected: Option<&Closed>,
        closed: Option<Closed>,
    ) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            let closed = closed.clone();
            Box::pin(async move {
                let organisation = in_state(tables, id, expected).await?;
                if closed.is_none() {
                    // What was to be taken along is brought into the log here.
                    tables.claim(id, far() + TimeDelta::days(1), now()).await?;
                }
                tables.set_organisation(&Organisation { closed, ..organisation }).await
            })
        })
        .await
    }

    /// What is to be taken along. Notices are claimed with it, so that nobody here brings them into the log any more.
    ///
    /// # Errors
    /// When there is none of this id, it is in another state than is expected, or the database fails.
    pub(crate) async fn luggage(&self, id: &str, expected: &Closed) -> Result<Luggage, DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                let organisation = in_state(tables, id, Some(expected)).await?;
                let tokens = tables.tokens_with_digests(id).await?;
                let extensions = tables.extensions(id).await?;
                // Claimed for good: whoever claims them here now would be too late.
                let claimed = tables.claim(id, far() + TimeDelta::days(1), far()).await?;
                let notices = claimed.into_iter().map(|notice| notice.event).collect();
                Ok(Luggage { organisation, tokens, extensions, notices })
            })
        })
        .await
    }

    /// Takes an organisation in, closed in that way.
    ///
    /// # Errors
    /// When the name or the id is taken, or the database fails.
    pub(crate) async fn take_in(&self, luggage: &Luggage, closed: Closed) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            let closed = Some(closed.clone());
            Box::pin(async move {
                // Whoever starts a server later does not take the database for a fresh one.
                tables.is_first().await?;
                let organisation = Organisation { closed, ..luggage.organisation.clone() };
                let key = name_key(&organisation.name);
                if !tables.add_organisation(&organisation, &key).await? {
                    return Err(DirectoryError::NameTaken(organisation.name));
                }
                for (token, digest) in &luggage.tokens {
                    tables.add_token(token, digest).await?;
                }
                for extension in &luggage.extensions {
                    tables.add_extension(&organisation.id, extension).await?;
                }
                for event in &luggage.notices {
                    tables.add_notice(&organisation.id, event, now()).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Remembers the indexes of types that were never served here: what comes was written with them.
    ///
    /// # Errors
    /// When the database fails or is damaged.
    pub(crate) async fn learn_indexes(&self, elsewhere: &Indexes) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                let text = tables.text("indexes").await?;
                let known: Option<Indexes> =
                    text.map(|text| serde_json::from_str(&text)).transpose().map_err(DirectoryError::DamagedIndexes)?;
                let mut all = elsewhere.clone();
                all.extend(known.unwrap_or_default());
                let text = serde_json::to_string(&all).map_err(DirectoryError::DamagedIndexes)?;
                tables.keep_text("indexes", &text).await
            })
        })
        .await
    }

    /// Forgets an organisation and everything of it, if it is in the state that is expected.
    ///
    /// # Errors
    /// When there is none of this id, it is in another state, or the database fails.
    pub(crate) async fn forget(&self, id: &str, expected: &Closed) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                let organisation = in_state(tables, id, Some(expected)).await?;
                tables.remove_organisation(id, &name_key(&organisation.name)).await
            })
        })
        .await
    }
}

/// The organisation, locked until the transaction ends, if it is in that state.
async fn in_state(
    tables: &mut dyn Tables,
    id: &str,
    expected: Option<&Closed>,
) -> Result<Organisation, DirectoryError> {
    let found = tables.organisation(id, true).await?;
    let organisation = found.ok_or_else(|| DirectoryError::UnknownOrganisation(id.to_owned()))?;
    if organisation.closed.as_ref() == expected {
        Ok(organisation)
    } else {
        Err(DirectoryError::OtherState { name: organisation.name, state: organisation.closed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::testing::Case;
    use crate::directory::{Changes, ExtensionChange, NewOrganisation};
    use crate::policy::{Edition, TokenScope};

    #[test]
    fn a_reason_is_read_as_it_is_written() {
        let (to, by) = ("a (move x).db".to_owned(), "7".to_owned());
        for closed in [
            Closed::Leaving { to: to.clone(), by: by.clone() },
            Closed::Arriving { by },
            Closed::Moved(to.clone()),
            Closed::Unknown("something newer".to_owned()),
            Closed::Unknown("arriving".to_owned()),
        ] {
            assert_eq!(closed.to_string().parse(), Ok(closed));
        }
    }

    /// Every database to every other.
    #[tokio::test]
    async fn an_organisation_arrives_as_it_left() {
        let kinds = Case::each().len();
        for (from, to) in (0..kinds * kinds).map(|pair| (pair / kinds, pair % kinds)) {
            // Each pair is fresh.
            let (from, to) = (Case::each().remove(from), Case::each().remove(to));
            let (here, there) = (from.open().await, to.open().await);
            let new = NewOrganisation { seats: Some(9), ..NewOrganisation::named("Acme", Edition::Second) };
            let acme = here.create_organisation(&new).await.unwrap();
            let (token, secret) = here.create_token("acme", TokenScope::Scim, "first").await.unwrap();
            let (_, revoked) = here.create_token("acme", TokenScope::Admin, "second").await.unwrap();
            let id = here.tokens("acme").await.unwrap()[1].id.clone();
            here.revoke("acme", &id).await.unwrap();
            here.authenticate(&secret).await.unwrap();
            let put = |_: &[ExtensionRecord]| {
                let schema = serde_json::json!({"id": "urn:acme:badge"});
                Ok::<_, DirectoryError>((
                    ExtensionChange::Put { urn_key: "urn:acme:badge".into(), schema },
                    "{}".into(),
                    (),
                ))
            };
            here.change_extensions(&acme, put).await.unwrap();

            let leaving = Closed::Leaving { to: "there".to_owned(), by: "1".to_owned() };
            let other = Closed::Leaving { to: "there".to_owned(), by: "2".to_owned() };
            here.put_state(&acme.id, None, Some(leaving.clone())).await.unwrap();
            // Nobody but who has closed it does anything about it.
            let is_refused = |done: Result<(), DirectoryError>| matches!(done, Err(DirectoryError::OtherState { .. }));
            for expected in [None, Some(&other)] {
                assert!(is_refused(here.put_state(&acme.id, expected, None).await));
            }
            assert!(is_refused(here.luggage(&acme.id, &other).await.map(drop)));
            assert!(is_refused(here.forget(&acme.id, &other).await));
            let luggage = here.luggage(&acme.id, &leaving).await.unwrap();
            assert_eq!((luggage.tokens.len(), luggage.extensions.len(), luggage.notices.len()), (2, 1, 1));
            assert_eq!(luggage.organisation.closed, Some(leaving));
            // Nothing changes any more.
            assert!(matches!(
                here.set_organisation("acme", &Changes::default()).await,
                Err(DirectoryError::Closed(..))
            ));
            assert!(matches!(here.create_token("acme", TokenScope::Scim, "").await, Err(DirectoryError::Closed(..))));
            assert!(matches!(here.revoke("acme", &token.id).await, Err(DirectoryError::Closed(..))));
            assert!(matches!(here.change_extensions(&acme, put).await, Err(DirectoryError::Closed(..))));

            let arriving = Closed::Arriving { by: "1".to_owned() };
            there.take_in(&luggage, arriving.clone()).await.unwrap();
            assert!(there.take_in(&luggage, arriving.clone()).await.is_err());
            let arrived = there.luggage(&acme.id, &arriving).await.unwrap();
            assert_eq!(arrived.organisation.closed, Some(arriving.clone()));
            assert_eq!(Luggage { organisation: luggage.organisation.clone(), ..arrived }, luggage);
            there.put_state(&acme.id, Some(&arriving), None).await.unwrap();
            let who = there.authenticate(&secret).await.unwrap().unwrap();
            let same = Organisation { extensions: 1, ..acme.clone() };
            assert_eq!((who.token_id, who.organisation), (token.id, same));
            assert_eq!(there.authenticate(&revoked).await.unwrap(), None);

            assert!(is_refused(there.forget(&acme.id, &arriving).await));
            there.put_state(&acme.id, None, Some(arriving.clone())).await.unwrap();
            there.forget(&acme.id, &arriving).await.unwrap();
            assert!(there.organisations().await.unwrap().is_empty());
            assert_eq!(there.authenticate(&secret).await.unwrap(), None);
            // As if it had never been here: it can come again.
            there.take_in(&luggage, arriving).await.unwrap();
        }
    }
}
