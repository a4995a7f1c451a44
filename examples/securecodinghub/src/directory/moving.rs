//! Organisations on their way from one database to another.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use super::records::{name_key, now};
use super::{Directory, DirectoryError, ExtensionRecord, Organisation, TokenRecord};
use crate::token::Digest;

/// Why an organisation takes no requests. Of all databases that have an organisation, it is open in one at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is on its way to that database.
    Leaving(String),
    /// It is on its way here.
    Arriving,
    /// It has gone to that database.
    Moved(String),
}

const LEAVING: &str = "leaving to ";
const MOVED: &str = "moved to ";

/// As it stands in the database, and as it is told to people.
impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaving(to) => write!(f, "{LEAVING}{to}"),
            Self::Arriving => f.write_str("arriving"),
            Self::Moved(to) => write!(f, "{MOVED}{to}"),
        }
    }
}

impl FromStr for Closed {
    type Err = Infallible;

    /// What nobody knows is taken for a reason to stay closed.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match (text.strip_prefix(LEAVING), text.strip_prefix(MOVED)) {
            (Some(to), _) => Self::Leaving(to.to_owned()),
            (_, Some(to)) => Self::Moved(to.to_owned()),
            _ => Self::Arriving,
        })
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
    /// Closes an organisation, or opens it. The next request of its tokens finds the change.
    ///
    /// # Errors
    /// When there is none of this id, or the database fails.
    pub(crate) async fn put_state(&self, id: &str, closed: Option<Closed>) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            let closed = closed.clone();
            Box::pin(async move {
                let found = tables.organisation(id, true).await?;
                let organisation = found.ok_or_else(|| DirectoryError::UnknownOrganisation(id.to_owned()))?;
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
    /// When there is none of this id, or the database fails.
    pub(crate) async fn luggage(&self, id: &str) -> Result<Luggage, DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                let found = tables.organisation(id, true).await?;
                let organisation = found.ok_or_else(|| DirectoryError::UnknownOrganisation(id.to_owned()))?;
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

    /// Takes an organisation in, closed.
    ///
    /// # Errors
    /// When the name or the id is taken, or the database fails.
    pub(crate) async fn take_in(&self, luggage: &Luggage) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                // Whoever starts a server later does not take the database for a fresh one.
                tables.is_first().await?;
                let organisation = Organisation { closed: Some(Closed::Arriving), ..luggage.organisation.clone() };
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

    /// Forgets an organisation and everything of it, if it is there.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn forget(&self, id: &str) -> Result<(), DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                match tables.organisation(id, true).await? {
                    Some(organisation) => tables.remove_organisation(id, &name_key(&organisation.name)).await,
                    None => Ok(()),
                }
            })
        })
        .await
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
        for closed in [Closed::Leaving("a.db".to_owned()), Closed::Arriving, Closed::Moved("b.db".to_owned())] {
            assert_eq!(closed.to_string().parse(), Ok(closed));
        }
        assert_eq!("something newer".parse(), Ok(Closed::Arriving));
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

            let leaving = Some(Closed::Leaving("there".to_owned()));
            here.put_state(&acme.id, leaving.clone()).await.unwrap();
            let luggage = here.luggage(&acme.id).await.unwrap();
            assert_eq!((luggage.tokens.len(), luggage.extensions.len(), luggage.notices.len()), (2, 1, 1));
            assert_eq!(luggage.organisation.closed, leaving);
            // Nothing changes any more.
            assert!(matches!(
                here.set_organisation("acme", &Changes::default()).await,
                Err(DirectoryError::Closed(..))
            ));
            assert!(matches!(here.create_token("acme", TokenScope::Scim, "").await, Err(DirectoryError::Closed(..))));
            assert!(matches!(here.revoke("acme", &token.id).await, Err(DirectoryError::Closed(..))));
            assert!(matches!(here.change_extensions(&acme, put).await, Err(DirectoryError::Closed(..))));

            there.take_in(&luggage).await.unwrap();
            assert!(there.take_in(&luggage).await.is_err());
            let arrived = there.luggage(&acme.id).await.unwrap();
            assert_eq!(arrived.organisation.closed, Some(Closed::Arriving));
            assert_eq!(Luggage { organisation: luggage.organisation.clone(), ..arrived }, luggage);
            there.put_state(&acme.id, None).await.unwrap();
            let who = there.authenticate(&secret).await.unwrap().unwrap();
            let same = Organisation { extensions: 1, ..acme.clone() };
            assert_eq!((who.token_id, who.organisation), (token.id, same));
            assert_eq!(there.authenticate(&revoked).await.unwrap(), None);

            there.forget(&acme.id).await.unwrap();
            assert!(there.organisations().await.unwrap().is_empty());
            assert_eq!(there.authenticate(&secret).await.unwrap(), None);
            // As if it had never been here: it can come again.
            there.take_in(&luggage).await.unwrap();
            there.forget("nobody").await.unwrap();
        }
    }
}
