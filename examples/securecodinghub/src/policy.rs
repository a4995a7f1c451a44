//! The choices of an organisation, each by the name that it has on the command line, in files and in the database.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;

/// Gives an enum its text form in both directions, from the one list of names that clap shows in `--help`.
macro_rules! named {
    ($type:ty, $what:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(clap::ValueEnum::to_possible_value(self).as_ref().map_or("", |value| value.get_name()))
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::policy::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as clap::ValueEnum>::from_str(text, false).map_err(|_| $crate::policy::UnknownName {
                    what: $what,
                    given: text.to_owned(),
                    known: <Self as clap::ValueEnum>::value_variants().iter().map(ToString::to_string).collect(),
                })
            }
        }
    };
}
pub(crate) use named;

/// A name that is none of those that a setting knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{given}`: choose one of {}", known.join(", "))]
pub struct UnknownName {
    pub(crate) what: &'static str,
    pub(crate) given: String,
    pub(crate) known: Vec<String>,
}

/// What a POST does when its e-mail is that of an account that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Linking {
    /// An account that SCIM does not manage yet is linked, active or not
    Link,
    /// A deactivated account is linked and active again; an active one is a conflict
    Reactivate,
    /// Every account is a conflict
    Refuse,
}
named!(Linking, "linking policy");

/// What a DELETE of a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Deletion {
    /// The user is gone and the seat is free; the training record stays
    Remove,
    /// The user is out of sight, and comes back as the same user when made again
    Deactivate,
}
named!(Deletion, "deletion policy");

/// Whose way of speaking SCIM the organisation's requests are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Profile {
    /// The RFCs as written
    Strict,
    /// What Okta sends
    Okta,
    /// What Microsoft Entra ID sends
    Entra,
    /// What any known provider sends
    Tolerant,
}
named!(Profile, "profile");

/// The two editions of the product's documentation, as defaults for organisations made from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Edition {
    /// Linking `link`, deletion `remove`
    First,
    /// Linking `reactivate`, deletion `deactivate`
    Second,
}
named!(Edition, "edition");

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum TokenScope {
    /// The SCIM endpoint: for a provider
    Scim,
    /// The admin interface: for who says which attributes users have
    Admin,
}
named!(TokenScope, "scope");

impl Edition {
    /// How this edition links accounts.
    pub fn linking(self) -> Linking {
        match self {
            Self::First => Linking::Link,
            Self::Second => Linking::Reactivate,
        }
    }

    /// How this edition deletes users.
    pub fn deletion(self) -> Deletion {
        match self {
            Self::First => Deletion::Remove,
            Self::Second => Deletion::Deactivate,
        }
    }
}

/// A seat limit as it is written: a number, or `none` for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seats(pub Option<u64>);

impl Seats {
    /// The database counts in signed 64 bits.
    pub(crate) const MAX: u64 = i64::MAX as u64;
}

impl FromStr for Seats {
    type Err = BadSeats;

    fn from_str(text: &str) -> Result<Self, BadSeats> {
        if text == "none" {
            return Ok(Self(None));
        }
        match text.parse() {
            Ok(number) if number <= Self::MAX => Ok(Self(Some(number))),
            _ => Err(BadSeats(text.to_owned())),
        }
    }
}

impl fmt::Display for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("none"),
        }
    }
}

/// A text that is no seat limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number of seats: give a whole number, or `none` for no limit")]
pub struct BadSeats(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for profile in Profile::value_variants() {
            assert_eq!(profile.to_string().parse::<Profile>().unwrap(), *profile);
        }
        for linking in Linking::value_variants() {
            assert_eq!(linking.to_string().parse::<Linking>().unwrap(), *linking);
        }
        for scope in TokenScope::value_variants() {
            assert_eq!(scope.to_string().parse::<TokenScope>().unwrap(), *scope);
        }
        assert_eq!(Deletion::Deactivate.to_string(), "deactivate");
        assert_eq!("second".parse::<Edition>().unwrap(), Edition::Second);
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "azure".parse::<Profile>().unwrap_err();
        assert_eq!(error.to_string(), "there is no profile `azure`: choose one of strict, okta, entra, tolerant");
        assert!("Link".parse::<Linking>().is_err(), "names are written in small letters");
    }

    #[test]
    fn seats_are_a_number_or_none() {
        assert_eq!("none".parse::<Seats>().unwrap(), Seats(None));
        assert_eq!("0".parse::<Seats>().unwrap(), Seats(Some(0)));
        assert_eq!(Seats(Some(25)).to_string(), "25");
        for bad in ["", "-1", "many", "1.5", "9223372036854775808"] {
            assert!(bad.parse::<Seats>().is_err(), "{bad}");
        }
    }
}
