//! The quirks: what somebody sends that RFC 7643 and RFC 7644 do not allow.

use std::fmt;
use std::str::FromStr;

use scimwright_filter::Leniency;

macro_rules! quirks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal because $reason:literal;)+) => {
        /// One deviation that can be tolerated.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Quirk {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Quirk {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in settings and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Who sends it and why it is harmless to take.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$variant => $reason,)+ }
            }
        }
    };
}

quirks! {
    /// `"True"` and `"False"`, in any case, where a boolean belongs.
    BooleanStrings = "boolean-strings" because "Entra without the flag aadOptscim062020 sends active as a string";
    /// A boolean compared with such a string in a filter or path.
    FilterBooleanStrings = "filter-boolean-strings" because "Entra replaces roles[primary eq \"True\"].value";
    /// `remove` with a path and a value: the value says which values go.
    RemoveWithValue = "remove-with-value" because "Entra removes members by path members and a list of values";
    /// `add` or `replace` on a value filter that selects nothing makes the value that the filter describes.
    CreateOnNoMatch = "create-on-no-match" because "Entra sets emails[type eq \"work\"].value on users that have none";
    /// `emails[type eq "work"].value eq "x"` as a filter.
    AttributeAfterBracket = "attribute-after-bracket-in-filter" because "Entra matches users by the mapped path of their e-mail";
    /// Keys such as `name.givenName`, or a URN and a name, in the value of a PATCH without path (always taken, ruling R-34).
    PathKeysInValue = "path-keys-in-value" because "Entra with the flag aadOptscim062020 gathers changes in one value";
    /// `userName eq ada`.
    UnquotedFilterValues = "unquoted-filter-values" because "authentik and the RFCs' own examples leave the quotation marks out";
    /// A manager that is just an id.
    ReferenceAsString = "reference-as-string" because "Entra sends the manager as a bare identifier";
    /// Names that no schema of the type has are left out.
    UnknownAttributes = "unknown-attributes" because "most providers send more than a server knows";
    /// URNs in `schemas` that the type does not have are left out.
    UnknownSchemas = "unknown-schemas" because "providers list extensions of other applications";
    /// `schemas` without the type's own URN.
    BaseSchemaMissing = "base-schema-missing" because "clients of SCIM 1.1 descent name another URN for User";
    /// No `schemas` at all.
    NoSchemas = "no-schemas" because "small clients leave it out";
    /// A body without `Content-Type`.
    NoContentType = "no-content-type" because "small clients leave it out";
    /// Two values with `primary` true: the first stays primary.
    TwoPrimaries = "two-primaries" because "Ping marks every e-mail as primary";
    /// Members of a PATCH message or operation that RFC 7644 does not have.
    PatchExtraMembers = "patch-extra-members" because "Entra sends a name inside an operation";
    /// The empty string means unassigned.
    EmptyStringClears = "empty-string-clears" because "Entra and Okta clear an attribute by sending \"\"";
    /// Members that do not exist are passed over.
    UnknownMembers = "unknown-members" because "Okta pushes groups before it has assigned all their people";
    /// An attribute name that is none of SCIM's, such as `email` for `emails.value`.
    Alias = "attribute-alias" because "Okta's unique identifier field can be set to email";
}

impl From<Leniency> for Quirk {
    fn from(leniency: Leniency) -> Self {
        match leniency {
            Leniency::AttributeAfterBracket => Self::AttributeAfterBracket,
            // Whatever else the tolerant grammar forgives is a value written without its quotation marks or in other letters.
            _ => Self::UnquotedFilterValues,
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Quirk {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|quirk| quirk.name() == name).ok_or(())
    }
}

/// A set of quirks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Quirks(u32);

impl Quirks {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// All of them.
    pub const ALL: Self = Self(u32::MAX);

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, quirk: &Quirk) -> bool {
        self.0 & (1 << *quirk as u32) != 0
    }

    /// One more.
    pub const fn insert(&mut self, quirk: Quirk) {
        self.0 |= 1 << quirk as u32;
    }

    /// One less.
    pub const fn remove(&mut self, quirk: Quirk) {
        self.0 &= !(1 << quirk as u32);
    }

    /// Those that are in it, in the order of [`Quirk::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        Quirk::ALL.iter().copied().filter(move |quirk| self.contains(quirk))
    }

    /// Those of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Quirk> for Quirks {
    fn from_iter<I: IntoIterator<Item = Quirk>>(quirks: I) -> Self {
        let mut set = Self::NONE;
        quirks.into_iter().for_each(|quirk| set.insert(quirk));
        set
    }
}

impl Extend<Quirk> for Quirks {
    fn extend<I: IntoIterator<Item = Quirk>>(&mut self, quirks: I) {
        quirks.into_iter().for_each(|quirk| self.insert(quirk));
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter().map(Quirk::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_quirks_are_one_to_one() {
        for quirk in Quirk::ALL {
            assert_eq!(quirk.name().parse(), Ok(*quirk));
            assert!(!quirk.reason().is_empty());
        }
        assert!(Quirk::ALL.len() <= 32, "a set has 32 places");
    }
}
