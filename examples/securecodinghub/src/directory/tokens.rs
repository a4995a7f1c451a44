//! Making, revoking and recognising tokens.

use chrono::{DateTime, TimeDelta, Utc};

use super::organisations::by_name;
use super::records::{check_label, now};
use super::tables::{Tables, Used};
use super::{Authenticated, Directory, DirectoryError, Organisation, TokenRecord, last_used};
use crate::policy::TokenScope;
use crate::token::{NoRandomness, Secret};

/// Of each scope, the one in use and the one that is to replace it.
const LIVING_TOKENS: usize = 2;

/// How long before its end the log says that a token comes to one.
const WARNING: TimeDelta = TimeDelta::days(30);

impl Directory {
    /// Makes a token for an organisation. The secret is shown to whoever asked, and cannot be had again.
    ///
    /// # Errors
    /// When the organisation is unknown or has two living tokens of the scope already, or the label cannot be one.
    pub async fn create_token(
        &self,
        organisation: &str,
        scope: TokenScope,
        label: &str,
    ) -> Result<(TokenRecord, Secret), DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                let organisation = by_name(tables, organisation, true).await?;
                insert(tables, &organisation, scope, label).await
            })
        })
        .await
    }

    /// The tokens of an organisation, revoked ones too, oldest first.
    ///
    /// # Errors
    /// When the organisation is unknown, or the database fails.
    pub async fn tokens(&self, organisation: &str) -> Result<Vec<TokenRecord>, DirectoryError> {
        self.read(|tables, _| {
            Box::pin(async move {
                let organisation = by_name(tables, organisation, false).await?;
                tables.tokens(&organisation.id).await
            })
        })
        .await
    }

    /// Revokes a token: the next request that carries it is refused, by every server on this database. Revoking again
    /// changes nothing.
    ///
    /// # Errors
    /// When the organisation has no such token.
    pub async fn revoke(&self, organisation: &str, token: &str) -> Result<TokenRecord, DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                let organisation = by_name(tables, organisation, true).await?;
                tables.revoke(&organisation.id, token, now()).await?;
                let tokens = tables.tokens(&organisation.id).await?;
                let found = tokens.into_iter().find(|record| record.id == token);
                found.ok_or_else(|| DirectoryError::UnknownToken {
                    organisation: organisation.name,
                    token: token.to_owned(),
                })
            })
        })
        .await
    }

    /// Whom a token speaks for, if it was neither revoked nor has expired. Read from the database each time, so that a
    /// revoked token is refused at once. What it opens, and whether SCIM is turned on for the organisation, is for the
    /// caller to see.
    ///
    /// # Errors
    /// When the database fails. That is no verdict on the token: answer 503 and not 401, or the provider gives up.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Option<Authenticated>, DirectoryError> {
        let digest = &secret.digest();
        let found = self.read(|tables, _| tables.token(digest)).await?;
        // How far the index compared could perhaps be timed, but it compares hashes: to learn a byte of a stored one, a
        // guesser would have to choose the hash of the guess. Comparing again here, in constant time, leans on no index.
        let Some((_, token, organisation)) = found.filter(|(stored, ..)| stored == digest) else {
            return Ok(None);
        };
        if token.revoked.is_some() {
            tracing::info!(token = token.id, organisation = organisation.name, "a revoked token was presented");
            return Ok(None);
        }
        let now = Utc::now();
        if !token.lives_at(now) {
            tracing::info!(token = token.id, organisation = organisation.name, "an expired token was presented");
            return Ok(None);
        }
        warn_of_its_end(&token, &organisation, now);
        if last_used::is_due(token.last_used, now) {
            self.last_used.note(Used { organisation: organisation.id.clone(), token: token.id.clone() });
        }
        Ok(Some(Authenticated { organisation, token_id: token.id, scope: token.scope }))
    }
}

/// Once a day, while there is time to make another and hand it over.
fn warn_of_its_end(token: &TokenRecord, organisation: &Organisation, now: DateTime<Utc>) {
    let used_today = token.last_used.is_some_and(|then| then.date_naive() == now.date_naive());
    if !used_today && !token.lives_at(now + WARNING) {
        let expires = token.expires().to_rfc3339();
        tracing::warn!(
            token = token.id,
            organisation = organisation.name,
            expires,
            "a token that is in use expires soon"
        );
    }
}

/// Inserts inside the caller's transaction, which has the organisation's lock: it keeps others from counting at the same moment.
pub(super) async fn insert(
    tables: &mut dyn Tables,
    organisation: &Organisation,
    scope: TokenScope,
    label: &str,
) -> Result<(TokenRecord, Secret), DirectoryError> {
    check_label(label)?;
    let tokens = tables.tokens(&organisation.id).await?;
    // Later than every other one, so that they are listed in the order in which they were made.
    let created = tokens.last().map_or_else(now, |last| now().max(last.created + TimeDelta::milliseconds(1)));
    let living: Vec<String> = tokens
        .into_iter()
        .filter(|token| token.lives_at(now()) && token.scope == scope)
        .map(|token| token.id)
        .collect();
    if living.len() >= LIVING_TOKENS {
        return Err(DirectoryError::TooManyTokens { organisation: organisation.name.clone(), scope, living });
    }
    let secret = Secret::generate()?;
    let token = TokenRecord {
        id: public_id()?,
        organisation: organisation.id.clone(),
        label: label.to_owned(),
        created,
        last_used: None,
        revoked: None,
        scope,
    };
    tables.add_token(&token, &secret.digest()).await?;
    Ok((token, secret))
}

/// A short name for a token, of characters that are not mistaken for each other. It has nothing to do with the secret,
/// so that it can stand in logs.
fn public_id() -> Result<String, NoRandomness> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random).map_err(NoRandomness)?;
    let characters = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    Ok("tk_".chars().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::testing::Case;
    use crate::directory::{Changes, NewOrganisation};
    use crate::policy::Edition;

    /// A database of each kind with organisation `acme`.
    async fn with_acme() -> Vec<(Case, Directory, Organisation)> {
        let mut all = Vec::new();
        for case in Case::each() {
            let directory = case.open().await;
            let acme = directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
            all.push((case, directory, acme));
        }
        all
    }

    #[tokio::test]
    async fn a_token_speaks_for_its_organisation_alone() {
        for (_case, directory, _) in with_acme().await {
            let globex =
                directory.create_organisation(&NewOrganisation::named("globex", Edition::First)).await.unwrap();
            let (acmes, acme_secret) = directory.create_token("acme", TokenScope::Scim, "").await.unwrap();
            let (globexs, globex_secret) = directory.create_token("GLOBEX", TokenScope::Scim, "okta").await.unwrap();
            let who = directory.authenticate(&globex_secret).await.unwrap().unwrap();
            assert_eq!(who, Authenticated { organisation: globex, token_id: globexs.id, scope: TokenScope::Scim });
            assert_eq!(directory.authenticate(&acme_secret).await.unwrap().unwrap().token_id, acmes.id);
            assert_eq!(directory.authenticate(&Secret::generate().unwrap()).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn a_token_that_another_process_revokes_is_refused_at_once() {
        for (case, server, _) in with_acme().await {
            let (token, secret) = server.create_token("acme", TokenScope::Scim, "").await.unwrap();
            assert!(server.authenticate(&secret).await.unwrap().is_some());
            let command = case.open().await;
            let revoked = command.revoke("acme", &token.id).await.unwrap();
            assert_eq!(server.authenticate(&secret).await.unwrap(), None);
            let again = server.revoke("acme", &token.id).await.unwrap();
            assert_eq!(again.revoked, revoked.revoked, "the first moment stays");
        }
    }

    #[tokio::test]
    async fn what_another_process_sets_is_seen_by_the_next_request() {
        for (case, server, _) in with_acme().await {
            let (_, secret) = server.create_token("acme", TokenScope::Scim, "").await.unwrap();
            assert!(server.authenticate(&secret).await.unwrap().unwrap().organisation.scim_enabled);
            let off = Changes { scim_enabled: Some(false), ..Changes::default() };
            case.open().await.set_organisation("acme", &off).await.unwrap();
            assert!(!server.authenticate(&secret).await.unwrap().unwrap().organisation.scim_enabled);
        }
    }

    #[tokio::test]
    async fn two_live_and_the_third_is_told_what_to_do() {
        for (_case, directory, _) in with_acme().await {
            let (old, _) = directory.create_token("acme", TokenScope::Scim, "old").await.unwrap();
            let (new, _) = directory.create_token("acme", TokenScope::Scim, "new").await.unwrap();
            let message = directory.create_token("Acme", TokenScope::Scim, "third").await.unwrap_err().to_string();
            assert!(message.contains("2 living tokens ("), "{message}");
            assert!(message.contains(&old.id) && message.contains(&new.id), "{message}");
            assert!(message.contains("securecodinghub token revoke --org 'acme' ID"), "{message}");
            directory.revoke("acme", &old.id).await.unwrap();
            let (third, _) = directory.create_token("acme", TokenScope::Scim, "third").await.unwrap();
            let ids: Vec<_> = directory.tokens("acme").await.unwrap().into_iter().map(|token| token.id).collect();
            assert_eq!(ids, [old.id, new.id, third.id]);
        }
    }

    /// Proves: AU-6.
    #[tokio::test]
    async fn a_token_ends_after_a_year_and_makes_room_for_another() {
        for (_case, directory, acme) in with_acme().await {
            let made_before = async |age: TimeDelta, label: &str| {
                let secret = Secret::generate().unwrap();
                let digest = secret.digest();
                let token = TokenRecord {
                    id: public_id().unwrap(),
                    organisation: acme.id.clone(),
                    label: label.to_owned(),
                    created: now() - age,
                    last_used: None,
                    revoked: None,
                    scope: TokenScope::Scim,
                };
                directory.write(|tables, _| tables.add_token(&token, &digest)).await.unwrap();
                (token, directory.authenticate(&secret).await.unwrap().is_some())
            };
            directory.create_token("acme", TokenScope::Scim, "new").await.unwrap();
            let (almost, let_in) = made_before(TimeDelta::days(365) - TimeDelta::hours(1), "almost").await;
            assert!(let_in);
            assert!(directory.create_token("acme", TokenScope::Scim, "third").await.is_err());
            directory.revoke("acme", &almost.id).await.unwrap();
            let (_, let_in) = made_before(TimeDelta::days(365), "old").await;
            assert!(!let_in);
            let listed = directory.tokens("acme").await.unwrap();
            assert!(listed[0].expires() <= now() && listed[0].revoked.is_none());
            assert_eq!(listed[2].expires() - listed[2].created, TimeDelta::days(365));
            directory.create_token("acme", TokenScope::Scim, "third").await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_two_of_one_scope_leave_room_for_two_of_the_other() {
        for (_case, directory, _) in with_acme().await {
            for scope in [TokenScope::Scim, TokenScope::Admin] {
                for _ in 0..2 {
                    let (token, secret) = directory.create_token("acme", scope, "").await.unwrap();
                    assert_eq!(token.scope, scope);
                    assert_eq!(directory.authenticate(&secret).await.unwrap().unwrap().scope, scope);
                }
                assert!(directory.create_token("acme", scope, "").await.is_err());
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn processes_cannot_race_past_the_limit() {
        for (case, ..) in with_acme().await {
            // A directory for each: they share nothing but the database, as processes do.
            let attempts: Vec<_> = (0..8)
                .map(|_| {
                    let case = case.clone();
                    let create =
                        async move { case.open().await.create_token("acme", TokenScope::Scim, "").await.is_ok() };
                    tokio::spawn(create)
                })
                .collect();
            let mut made = 0;
            for attempt in attempts {
                made += usize::from(attempt.await.unwrap());
            }
            assert_eq!(made, 2);
        }
    }

    #[tokio::test]
    async fn a_token_of_another_organisation_cannot_be_revoked() {
        for (_case, directory, _) in with_acme().await {
            directory.create_organisation(&NewOrganisation::named("globex", Edition::First)).await.unwrap();
            let (token, secret) = directory.create_token("acme", TokenScope::Scim, "").await.unwrap();
            let error = directory.revoke("globex", &token.id).await.unwrap_err();
            assert!(matches!(error, DirectoryError::UnknownToken { .. }), "{error}");
            assert!(directory.authenticate(&secret).await.unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn the_file_never_holds_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path().join("hub.db")).unwrap();
        directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
        let (_, secret) = directory.create_token("acme", TokenScope::Scim, "label-of-the-token").await.unwrap();
        directory.authenticate(&secret).await.unwrap();
        directory.close().await;
        drop(directory);
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("label-of-the-token"));
        assert!(!holds(secret.expose()));
        assert!(!holds(&secret.expose()[8..24]));
    }
}
