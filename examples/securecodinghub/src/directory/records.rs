//! The rows of the directory as the rest of the product sees them.

use caseless::Caseless;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use unicode_normalization::UnicodeNormalization;

use super::{Closed, DirectoryError};
use crate::policy::{Deletion, Edition, Linking, Profile, TokenScope};

/// Longest name of an organisation and longest label of a token, in characters.
const LONGEST: usize = 100;

/// One customer: everything that a token can reach belongs to one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// A UUID that stays when the name changes: what the resources of the organisation are kept under.
    pub id: String,
    /// The name that an administrator gave.
    pub name: String,
    /// How many users it may have; `None` is no limit.
    pub seats: Option<u64>,
    /// How its requests are read.
    pub profile: Profile,
    /// What happens to accounts that are there already.
    pub linking: Linking,
    /// What DELETE does to a user.
    pub deletion: Deletion,
    /// Whether its tokens are let in at all. When not, they are answered 403.
    pub scim_enabled: bool,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// How often its extensions have changed; 0 as long as it never had any.
    pub extensions: i64,
    /// Why it takes no requests, if it does not.
    pub closed: Option<Closed>,
}

impl Organisation {
    /// Whether it takes changes.
    ///
    /// # Errors
    /// When it is on its way to another database, or is there.
    pub fn check_open(&self) -> Result<(), DirectoryError> {
        match &self.closed {
            None => Ok(()),
            Some(closed) => Err(DirectoryError::Closed(self.name.clone(), closed.clone())),
        }
    }
}

/// An organisation to be made.
#[derive(Clone, Debug)]
pub struct NewOrganisation {
    /// Its name.
    pub name: String,
    /// How many users it may have; `None` is no limit.
    pub seats: Option<u64>,
    /// How its requests are read.
    pub profile: Profile,
    /// What happens to accounts that are there already.
    pub linking: Linking,
    /// What DELETE does to a user.
    pub deletion: Deletion,
}

impl NewOrganisation {
    /// An organisation without a seat limit, open to every provider, with the policies of the edition.
    pub fn named(name: impl Into<String>, edition: Edition) -> Self {
        Self {
            name: name.into(),
            seats: None,
            profile: Profile::Tolerant,
            linking: edition.linking(),
            deletion: edition.deletion(),
        }
    }
}

/// What is to become different about an organisation; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// A new seat limit, or `Some(None)` for no limit.
    pub seats: Option<Option<u64>>,
    /// Another profile.
    pub profile: Option<Profile>,
    /// Another policy for accounts that are there already.
    pub linking: Option<Linking>,
    /// Another policy for DELETE.
    pub deletion: Option<Deletion>,
    /// Whether tokens are let in.
    pub scim_enabled: Option<bool>,
}

/// What is kept of a token, and can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// A short public name, for revoking it and for the log.
    pub id: String,
    /// The id of its organisation.
    pub organisation: String,
    /// What an administrator called it; may be empty.
    pub label: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When a request last carried it, to the minute.
    pub last_used: Option<DateTime<Utc>>,
    /// When it was revoked; `None` while it lives.
    pub revoked: Option<DateTime<Utc>>,
    /// What it opens.
    pub scope: TokenScope,
}

/// How long a token is good for: RFC 7644 section 7.4 asks for an end. A second token may live beside the first, so that
/// a provider need not stop when it comes.
const LIFETIME: TimeDelta = TimeDelta::days(365);

impl TokenRecord {
    /// When it is refused though nobody has revoked it.
    pub fn expires(&self) -> DateTime<Utc> {
        self.created + LIFETIME
    }

    /// Whether it is let in at that moment.
    pub fn lives_at(&self, moment: DateTime<Utc>) -> bool {
        self.revoked.is_none() && moment < self.expires()
    }
}

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The organisation of the token.
    pub organisation: Organisation,
    /// The public id of the token, for the provisioning log.
    pub token_id: String,
    /// What the token opens.
    pub scope: TokenScope,
}

pub(super) fn check_name(name: &str) -> Result<(), DirectoryError> {
    let reason = if name.is_empty() { Some("it is empty") } else { wrong_with(name) };
    reason.map_or(Ok(()), |reason| Err(DirectoryError::BadName { given: name.to_owned(), reason }))
}

pub(super) fn check_label(label: &str) -> Result<(), DirectoryError> {
    wrong_with(label).map_or(Ok(()), |reason| Err(DirectoryError::BadLabel { given: label.to_owned(), reason }))
}

/// Checks that a seat limit can be kept: databases count in 64 bits with a sign.
pub(super) fn check_seats(seats: Option<u64>) -> Result<(), DirectoryError> {
    match seats {
        Some(number) if i64::try_from(number).is_err() => Err(DirectoryError::TooManySeats(number)),
        _ => Ok(()),
    }
}

/// A seat limit as a database has it. Those that do not fit were refused by [`check_seats`].
pub(super) fn seats_column(seats: Option<u64>) -> Option<i64> {
    seats.map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

/// Names and labels go into tables and logs, one to a line, so they must not hide or move what stands around them.
fn wrong_with(text: &str) -> Option<&'static str> {
    let unprintable = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if text.trim() != text {
        Some("it begins or ends with a space")
    } else if text.chars().any(unprintable) {
        Some("it has a character that cannot be printed")
    } else if text.chars().count() > LONGEST {
        Some("it is longer than 100 characters")
    } else {
        None
    }
}

/// The form in which two names are the same when they differ in case only.
pub(crate) fn name_key(name: &str) -> String {
    name.nfd().default_case_fold().nfd().collect()
}

/// This moment, as exactly as databases keep it, so that what is returned equals what is read later.
pub(super) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_without_case() {
        assert_eq!(name_key("ACME"), name_key("acme"));
        assert_eq!(name_key("STRASSE"), name_key("straße"));
        assert_eq!(name_key("É"), name_key("e\u{301}"));
        assert_ne!(name_key("acme"), name_key("acme2"));
    }

    #[test]
    fn names_that_would_spoil_a_table_are_refused() {
        for good in ["a", "Acme GmbH & Co. KG", "日本", &"x".repeat(100)] {
            assert!(check_name(good).is_ok(), "{good:?}");
        }
        for bad in ["", " ", " a", "a ", "a\nb", "a\u{202E}b", "a\u{0}", &"x".repeat(101)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        assert!(check_label("").is_ok());
        assert_eq!(
            check_label("a\tb").unwrap_err().to_string(),
            r"`a\tb` is no label for a token: it has a character that cannot be printed"
        );
    }
}
