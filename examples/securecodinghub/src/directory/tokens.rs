//! Making, revoking and recognising tokens.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::organisations::by_name;
use super::records::{Moment, check_label, now};
use super::{Authenticated, Directory, DirectoryError, Organisation, TokenRecord, last_used};
use crate::policy::TokenScope;
use crate::token::{Digest, NoRandomness, Secret};

/// Of each scope, the one in use and the one that is to replace it.
const LIVING_TOKENS: usize = 2;

/// How long before its end the log says that a token comes to one.
const WARNING: TimeDelta = TimeDelta::days(30);

static BY_DIGEST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT t.digest, {}, {} FROM sch_token t JOIN sch_organisation o ON o.id = t.organisation WHERE t.digest = ?1",
        TokenRecord::COLUMNS,
        Organisation::COLUMNS
    )
});

impl Directory {
    /// Makes a token for an organisation. The secret is shown to whoever asked, and cannot be had again.
    ///
    /// # Errors
    /// When the organisation is unknown or has two living tokens of the scope already, or the label cannot be one.
    pub fn create_token(
        &self,
        organisation: &str,
        scope: TokenScope,
        label: &str,
    ) -> Result<(TokenRecord, Secret), DirectoryError> {
        self.write(|transaction| {
            let organisation = by_name(transaction, organisation)?;
            insert(transaction, &organisation, scope, label)
        })
    }

    /// The tokens of an organisation, revoked ones too, oldest first.
    ///
    /// # Errors
    /// When the organisation is unknown, or the database fails.
    pub fn tokens(&self, organisation: &str) -> Result<Vec<TokenRecord>, DirectoryError> {
        self.with(|connection| {
            let organisation = by_name(connection, organisation)?;
            of_organisation(connection, &organisation)
        })
    }

    /// Revokes a token: the next request that carries it is refused, by every server on this database. Revoking again
    /// changes nothing.
    ///
    /// # Errors
    /// When the organisation has no such token.
    pub fn revoke(&self, organisation: &str, token: &str) -> Result<TokenRecord, DirectoryError> {
        self.write(|transaction| {
            let organisation = by_name(transaction, organisation)?;
            transaction.execute(
                "UPDATE sch_token SET revoked = ?3 WHERE organisation = ?1 AND id = ?2 AND revoked IS NULL",
                params![organisation.id, token, Moment(now())],
            )?;
            let tokens = of_organisation(transaction, &organisation)?;
            let found = tokens.into_iter().find(|record| record.id == token);
            found.ok_or_else(|| DirectoryError::UnknownToken {
                organisation: organisation.name,
                token: token.to_owned(),
            })
        })
    }

    /// Whom a token speaks for, if it was neither revoked nor has expired. Read from the database each time, so that a
    /// revoked token is refused at once. What it opens, and whether SCIM is turned on for the organisation, is for the
    /// caller to see.
    ///
    /// # Errors
    /// When the database fails. That is no verdict on the token: answer 503 and not 401, or the provider gives up.
    pub fn authenticate(&self, secret: &Secret) -> Result<Option<Authenticated>, DirectoryError> {
        let digest = secret.digest();
        let Some((token, organisation)) = self.with(|connection| by_digest(connection, &digest))? else {
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
            self.last_used.note(&token.id);
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

fn by_digest(connection: &Connection, digest: &Digest) -> Result<Option<(TokenRecord, Organisation)>, DirectoryError> {
    let mut statement = connection.prepare_cached(&BY_DIGEST)?;
    let found = statement
        .query_row([digest.as_bytes()], |row| {
            let stored = Digest::from(row.get::<_, [u8; 32]>(0)?);
            Ok((stored, TokenRecord::read(row, 1)?, Organisation::read(row, 1 + TokenRecord::WIDTH)?))
        })
        .optional()?;
    // How far the index compared could perhaps be timed, but it compares hashes: to learn a byte of a stored one, a
    // guesser would have to choose the hash of the guess. Comparing again here, in constant time, leans on no index.
    Ok(found.filter(|(stored, ..)| stored == digest).map(|(_, token, organisation)| (token, organisation)))
}

fn of_organisation(connection: &Connection, organisation: &Organisation) -> Result<Vec<TokenRecord>, DirectoryError> {
    // By rowid among those of the same millisecond, which is the order of insertion.
    let sql = format!(
        "SELECT {} FROM sch_token t WHERE t.organisation = ?1 ORDER BY t.created, t.rowid",
        TokenRecord::COLUMNS
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([&organisation.id], |row| TokenRecord::read(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Inserts inside the caller's write transaction: its lock keeps another process from counting at the same moment.
pub(super) fn insert(
    connection: &Connection,
    organisation: &Organisation,
    scope: TokenScope,
    label: &str,
) -> Result<(TokenRecord, Secret), DirectoryError> {
    check_label(label)?;
    let living: Vec<String> = of_organisation(connection, organisation)?
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
        created: now(),
        last_used: None,
        revoked: None,
        scope,
    };
    connection.execute(
        "INSERT INTO sch_token (id, organisation, digest, label, created, scope) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            token.id,
            token.organisation,
            secret.digest().as_bytes(),
            token.label,
            Moment(token.created),
            scope.to_string()
        ],
    )?;
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
    use crate::directory::{Changes, NewOrganisation};
    use crate::policy::Edition;

    fn with_acme() -> (tempfile::TempDir, Directory) {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path().join("hub.db")).unwrap();
        directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).unwrap();
        (folder, directory)
    }

    #[test]
    fn a_token_speaks_for_its_organisation_alone() {
        let (_folder, directory) = with_acme();
        let globex = directory.create_organisation(&NewOrganisation::named("globex", Edition::First)).unwrap();
        let (acmes, acme_secret) = directory.create_token("acme", TokenScope::Scim, "").unwrap();
        let (globexs, globex_secret) = directory.create_token("GLOBEX", TokenScope::Scim, "okta").unwrap();
        let who = directory.authenticate(&globex_secret).unwrap().unwrap();
        assert_eq!(who, Authenticated { organisation: globex, token_id: globexs.id, scope: TokenScope::Scim });
        assert_eq!(directory.authenticate(&acme_secret).unwrap().unwrap().token_id, acmes.id);
        assert_eq!(directory.authenticate(&Secret::generate().unwrap()).unwrap(), None);
    }

    #[test]
    fn a_token_that_another_process_revokes_is_refused_at_once() {
        let (folder, server) = with_acme();
        let (token, secret) = server.create_token("acme", TokenScope::Scim, "").unwrap();
        assert!(server.authenticate(&secret).unwrap().is_some());
        let command = Directory::open(folder.path().join("hub.db")).unwrap();
        let revoked = command.revoke("acme", &token.id).unwrap();
        assert_eq!(server.authenticate(&secret).unwrap(), None);
        assert_eq!(server.revoke("acme", &token.id).unwrap().revoked, revoked.revoked, "the first moment stays");
    }

    #[test]
    fn what_another_process_sets_is_seen_by_the_next_request() {
        let (folder, server) = with_acme();
        let (_, secret) = server.create_token("acme", TokenScope::Scim, "").unwrap();
        assert!(server.authenticate(&secret).unwrap().unwrap().organisation.scim_enabled);
        let command = Directory::open(folder.path().join("hub.db")).unwrap();
        command.set_organisation("acme", &Changes { scim_enabled: Some(false), ..Changes::default() }).unwrap();
        assert!(!server.authenticate(&secret).unwrap().unwrap().organisation.scim_enabled);
    }

    #[test]
    fn two_live_and_the_third_is_told_what_to_do() {
        let (_folder, directory) = with_acme();
        let (old, _) = directory.create_token("acme", TokenScope::Scim, "old").unwrap();
        let (new, _) = directory.create_token("acme", TokenScope::Scim, "new").unwrap();
        let message = directory.create_token("Acme", TokenScope::Scim, "third").unwrap_err().to_string();
        assert!(message.contains(&format!("2 living tokens ({}, {})", old.id, new.id)), "{message}");
        assert!(message.contains("securecodinghub token revoke --org 'acme' ID"), "{message}");
        directory.revoke("acme", &old.id).unwrap();
        let (third, _) = directory.create_token("acme", TokenScope::Scim, "third").unwrap();
        let ids: Vec<_> = directory.tokens("acme").unwrap().into_iter().map(|token| token.id).collect();
        assert_eq!(ids, [old.id, new.id, third.id]);
    }

    /// Proves: AU-6.
    #[test]
    fn a_token_ends_after_a_year_and_makes_room_for_another() {
        let (_folder, directory) = with_acme();
        let (old, secret) = directory.create_token("acme", TokenScope::Scim, "old").unwrap();
        directory.create_token("acme", TokenScope::Scim, "new").unwrap();
        let is_let_in_when_made_before = |age: TimeDelta| {
            let made = Moment(now() - age);
            let change = "UPDATE sch_token SET created = ?2 WHERE id = ?1";
            directory
                .write(|transaction| Ok::<_, DirectoryError>(transaction.execute(change, params![old.id, made])?))
                .unwrap();
            directory.authenticate(&secret).unwrap().is_some()
        };
        assert!(is_let_in_when_made_before(TimeDelta::days(365) - TimeDelta::hours(1)));
        assert!(directory.create_token("acme", TokenScope::Scim, "third").is_err());
        assert!(!is_let_in_when_made_before(TimeDelta::days(365)));
        let listed = directory.tokens("acme").unwrap();
        assert!(listed[0].expires() <= now() && listed[0].revoked.is_none());
        assert_eq!(listed[1].expires() - listed[1].created, TimeDelta::days(365));
        directory.create_token("acme", TokenScope::Scim, "third").unwrap();
    }

    #[test]
    fn the_two_of_one_scope_leave_room_for_two_of_the_other() {
        let (_folder, directory) = with_acme();
        for scope in [TokenScope::Scim, TokenScope::Admin] {
            for _ in 0..2 {
                let (token, secret) = directory.create_token("acme", scope, "").unwrap();
                assert_eq!(token.scope, scope);
                assert_eq!(directory.authenticate(&secret).unwrap().unwrap().scope, scope);
            }
            assert!(directory.create_token("acme", scope, "").is_err());
        }
    }

    #[test]
    fn processes_cannot_race_past_the_limit() {
        let (folder, _) = with_acme();
        let path = folder.path().join("hub.db");
        let made = std::thread::scope(|scope| {
            // A directory for each: they share nothing but the file, as processes do.
            let attempts: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| Directory::open(&path).unwrap().create_token("acme", TokenScope::Scim, "").is_ok())
                })
                .collect();
            attempts.into_iter().map(|attempt| attempt.join().unwrap()).filter(|made| *made).count()
        });
        assert_eq!(made, 2);
    }

    #[test]
    fn a_token_of_another_organisation_cannot_be_revoked() {
        let (_folder, directory) = with_acme();
        directory.create_organisation(&NewOrganisation::named("globex", Edition::First)).unwrap();
        let (token, secret) = directory.create_token("acme", TokenScope::Scim, "").unwrap();
        let error = directory.revoke("globex", &token.id).unwrap_err();
        assert!(matches!(error, DirectoryError::UnknownToken { .. }), "{error}");
        assert!(directory.authenticate(&secret).unwrap().is_some());
    }

    #[test]
    fn the_look_up_is_planned_once() {
        let (_folder, directory) = with_acme();
        let (_, secret) = directory.create_token("acme", TokenScope::Scim, "").unwrap();
        let planned: Result<_, DirectoryError> = directory.with(|connection| {
            for _ in 0..10 {
                assert!(by_digest(connection, &secret.digest())?.is_some());
            }
            let statement = connection.prepare_cached(&BY_DIGEST)?;
            let again = statement.get_status(rusqlite::StatementStatus::RePrepare);
            Ok((statement.get_status(rusqlite::StatementStatus::Run), again))
        });
        assert_eq!(planned.unwrap(), (10, 0));
    }

    #[test]
    fn the_file_never_holds_the_secret() {
        let (folder, directory) = with_acme();
        let (_, secret) = directory.create_token("acme", TokenScope::Scim, "label-of-the-token").unwrap();
        directory.authenticate(&secret).unwrap();
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
