//! Profiles: which quirks a tenant's provider may need.

use std::str::FromStr;

use scimwright_core::AttrPath;
use scimwright_filter::{Expr, Filter};

use crate::{Quirk, Quirks};

/// The tolerance shown to one client. A value, chosen at run time.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    name: String,
    quirks: Quirks,
    aliases: Vec<(String, AttrPath)>,
}

/// There is no profile of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile(String);

impl std::fmt::Display for UnknownProfile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "there is no profile `{}`: choose strict, okta, entra or tolerant", self.0)
    }
}

impl std::error::Error for UnknownProfile {}

impl Profile {
    /// The names of the profiles that ship.
    pub const NAMES: [&'static str; 4] = ["strict", "okta", "entra", "tolerant"];

    /// RFC 7643 and RFC 7644 with our rulings, nothing more.
    #[must_use]
    pub fn strict() -> Self {
        Self { name: "strict".to_owned(), quirks: Quirks::NONE, aliases: Vec::new() }
    }

    /// What Okta sends.
    #[must_use]
    pub fn okta() -> Self {
        let quirks = [
            Quirk::UnknownAttributes,
            Quirk::UnknownSchemas,
            Quirk::PathKeysInValue,
            Quirk::EmptyStringClears,
            Quirk::ReferenceAsString,
            Quirk::PatchExtraMembers,
            Quirk::UnknownMembers,
            Quirk::Alias,
        ];
        Self { name: "okta".to_owned(), quirks: quirks.into_iter().collect(), aliases: Vec::new() }
    }

    /// What Microsoft Entra sends, with and without its flag `aadOptscim062020`.
    #[must_use]
    pub fn entra() -> Self {
        let quirks = [
            Quirk::BooleanStrings,
            Quirk::FilterBooleanStrings,
            Quirk::RemoveWithValue,
            Quirk::CreateOnNoMatch,
            Quirk::AttributeAfterBracket,
            Quirk::PathKeysInValue,
            Quirk::ReferenceAsString,
            Quirk::UnknownAttributes,
            Quirk::UnknownSchemas,
            Quirk::PatchExtraMembers,
            Quirk::EmptyStringClears,
            Quirk::UnknownMembers,
        ];
        Self { name: "entra".to_owned(), quirks: quirks.into_iter().collect(), aliases: Vec::new() }
    }

    /// What both send, and every other client we have seen: the default of a server.
    #[must_use]
    pub fn tolerant() -> Self {
        Self { name: "tolerant".to_owned(), quirks: Quirks::ALL, aliases: Vec::new() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the quirk is tolerated.
    #[must_use]
    pub const fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// The same profile with one quirk more.
    #[must_use]
    pub const fn with(mut self, quirk: Quirk) -> Self {
        self.quirks.insert(quirk);
        self
    }

    /// The same profile with one quirk less.
    #[must_use]
    pub const fn without(mut self, quirk: Quirk) -> Self {
        self.quirks.remove(quirk);
        self
    }

    /// The same profile, where a name that is none of SCIM's stands for a path in filters, if [`Quirk::Alias`] is tolerated.
    #[must_use]
    pub fn alias(mut self, name: &str, path: AttrPath) -> Self {
        self.aliases.push((name.to_owned(), path));
        self
    }

    /// The filter with aliases replaced by what they stand for, or none when it has no alias.
    #[must_use]
    pub fn rewrite(&self, filter: &Filter) -> Option<Filter> {
        if self.aliases.is_empty() || !self.has(Quirk::Alias) {
            return None;
        }
        let mut fired = false;
        let rewritten = self.rewrite_part(filter, &mut fired);
        rewritten.filter(|_| fired)
    }

    /// Depth is bounded by the filter's own ([`Filter::MAX_DEPTH`]).
    fn rewrite_part(&self, filter: &Filter, fired: &mut bool) -> Option<Filter> {
        let mut path = |path: &AttrPath| {
            let plain = path.urn.is_none() && path.sub.is_none();
            match self.aliases.iter().find(|(name, _)| plain && path.name.is(name)) {
                Some((_, meant)) => {
                    *fired = true;
                    meant.clone()
                }
                None => path.clone(),
            }
        };
        let expr = match filter.expr() {
            Expr::Compare(own, op, literal) => Expr::Compare(path(own), *op, literal.clone()),
            Expr::Present(own) => Expr::Present(path(own)),
            Expr::Within(own, inner) => Expr::Within(own.clone(), inner.clone()),
            Expr::Not(inner) => Expr::Not(Box::new(self.rewrite_part(inner, fired)?)),
            Expr::And(parts) => {
                Expr::And(parts.iter().map(|part| self.rewrite_part(part, fired)).collect::<Option<_>>()?)
            }
            Expr::Or(parts) => {
                Expr::Or(parts.iter().map(|part| self.rewrite_part(part, fired)).collect::<Option<_>>()?)
            }
        };
        Filter::new(expr).ok()
    }
}

impl Default for Profile {
    /// [`Profile::tolerant`].
    fn default() -> Self {
        Self::tolerant()
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        match name {
            "strict" => Ok(Self::strict()),
            "okta" => Ok(Self::okta()),
            "entra" => Ok(Self::entra()),
            "tolerant" => Ok(Self::tolerant()),
            other => Err(UnknownProfile(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_name_is_a_profile() {
        for name in Profile::NAMES {
            assert_eq!(name.parse::<Profile>().unwrap().name(), name);
        }
        assert!("lenient".parse::<Profile>().is_err());
    }

    #[test]
    fn aliases_are_rewritten_wherever_they_stand_and_only_where_tolerated() {
        let profile = Profile::tolerant().alias("email", "emails.value".parse().unwrap());
        let rewritten = |text: &str| profile.rewrite(&text.parse().unwrap()).map(|filter| filter.to_string());
        assert_eq!(
            rewritten(r#"EMAIL eq "a" or not (email pr)"#).as_deref(),
            Some(r#"emails.value eq "a" or not (emails.value pr)"#)
        );
        assert_eq!(rewritten(r#"emails eq "a""#), None);
        assert_eq!(profile.without(Quirk::Alias).rewrite(&r#"email eq "a""#.parse().unwrap()), None);
    }
}
