//! Where the description of the endpoint is.

use std::fmt;
use std::str::FromStr;

/// Where below the SCIM base URL the OpenAPI description is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Description {
    /// Nowhere.
    Off,
    /// At this path.
    At(String),
}

impl Default for Description {
    fn default() -> Self {
        Self::At("/openapi.json".to_owned())
    }
}

impl FromStr for Description {
    type Err = BadDescription;

    /// The path is one name that ends in `.json`: so it is the path of no resource type and of no resource.
    fn from_str(text: &str) -> Result<Self, BadDescription> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let name = text.strip_prefix('/').and_then(|name| name.strip_suffix(".json")).unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
        if name.is_empty() || !name.chars().all(plain) {
            return Err(BadDescription(text.to_owned()));
        }
        Ok(Self::At(text.to_owned()))
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(path) => f.write_str(path),
        }
    }
}

/// A text that is no such place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place for a description: write a path such as `/openapi.json`, or `off`")]
pub struct BadDescription(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_somewhere_or_nowhere() {
        for good in ["/openapi.json", "/scim-v2.api.json", "off"] {
            assert_eq!(good.parse::<Description>().map(|place| place.to_string()).as_deref(), Ok(good));
        }
        for bad in
            ["", "on", "openapi.json", "/", "/.json", "/Users", "/a/b.json", "/a b.json", "/openapi.json/", "/é.json"]
        {
            assert!(bad.parse::<Description>().is_err(), "{bad}");
        }
    }
}
