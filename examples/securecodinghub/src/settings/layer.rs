//! One source of settings, and how the file and the environment become one.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::{Description, Discovery, ENVIRONMENT_PREFIX, Place, PublicUrl, SMALLEST_MAX_BODY, SettingsError};
use crate::database::Given;
use crate::policy::Edition;
use crate::rate::RateLimit;

/// The keys of the file, and in capitals and with the prefix those of the environment.
const KEYS: [&str; 13] = [
    "listen",
    "database",
    "public_url",
    "rate_limit",
    "drain_seconds",
    "group_reply_limit",
    "page_size",
    "max_page_size",
    "max_body",
    "discovery",
    "openapi",
    "edition",
    "types",
];

/// Known to the environment only: the file that it names cannot name another.
const CONFIG: &str = "config";

/// Settings as one source gives them; `None` is not named there. As flags they are those of `serve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Layer {
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = parse_listen)]
    pub listen: Option<SocketAddr>,
    /// The database; its flag is one of all commands and so not declared here
    #[arg(skip)]
    pub database: Option<Given>,
    /// The root URL under which providers reach the server [default: http:// and the address]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// Requests of one organisation: 100/s, 100/s:1000 with a burst, or off [default: 100/s:1000]
    #[arg(long, value_name = "LIMIT")]
    pub rate_limit: Option<RateLimit>,
    /// How long requests under way have to finish after SIGTERM [default: 20]
    #[arg(long = "drain-seconds", value_name = "N", value_parser = parse_drain)]
    pub drain: Option<Duration>,
    /// Answer PATCH of a group with more members than this without the group [default: 1000]
    #[arg(long, value_name = "N")]
    pub group_reply_limit: Option<usize>,
    /// Resources in a page of a list when the client does not say [default: 100]
    #[arg(long, value_name = "N", value_parser = parse_page)]
    pub page_size: Option<usize>,
    /// Resources in a page of a list at most [default: 1000]
    #[arg(long, value_name = "N", value_parser = parse_page)]
    pub max_page_size: Option<usize>,
    /// The longest body of a request in bytes, at least 1048576 [default: 4194304]
    #[arg(long, value_name = "BYTES", value_parser = parse_max_body)]
    pub max_body: Option<usize>,
    /// Who may read what the server says of itself [default: public]
    #[arg(long, value_enum, value_name = "WHO")]
    pub discovery: Option<Discovery>,
    /// Where below the base URL the OpenAPI description is: a name such as /openapi.json, or off [default: /openapi.json]
    #[arg(long, value_name = "PATH")]
    pub openapi: Option<Description>,
    /// The edition of the documentation whose policies new organisations get [default: first]
    #[arg(long, value_enum)]
    pub edition: Option<Edition>,
    /// A folder of schemas and resource types to serve beside users and groups; may be given several times
    #[arg(long, value_name = "FOLDER", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub types: Option<Vec<PathBuf>>,
}

impl Layer {
    /// This layer on top of another.
    #[must_use]
    pub fn or(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            database: self.database.or(below.database),
            public_url: self.public_url.or(below.public_url),
            rate_limit: self.rate_limit.or(below.rate_limit),
            drain: self.drain.or(below.drain),
            group_reply_limit: self.group_reply_limit.or(below.group_reply_limit),
            page_size: self.page_size.or(below.page_size),
            max_page_size: self.max_page_size.or(below.max_page_size),
            max_body: self.max_body.or(below.max_body),
            discovery: self.discovery.or(below.discovery),
            openapi: self.openapi.or(below.openapi),
            edition: self.edition.or(below.edition),
            types: self.types.or(below.types),
        }
    }

    /// Sets one of [`KEYS`] from its text, in which file and environment agree. The error is the reason.
    fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
        fn read<T: FromStr<Err: Error>>(text: &str) -> Result<Option<T>, String> {
            text.parse().map(Some).map_err(|error: T::Err| error.to_string())
        }
        match key {
            "listen" => self.listen = Some(parse_listen(text)?),
            "database" => self.database = Some(parse_database(text.as_ref())?),
            "public_url" => self.public_url = read(text)?,
            "rate_limit" => self.rate_limit = read(text)?,
            "drain_seconds" => self.drain = Some(parse_drain(text)?),
            "group_reply_limit" => self.group_reply_limit = Some(whole_number(text)?),
            "page_size" => self.page_size = Some(parse_page(text)?),
            "max_page_size" => self.max_page_size = Some(parse_page(text)?),
            "max_body" => self.max_body = Some(parse_max_body(text)?),
            "discovery" => self.discovery = read(text)?,
            "openapi" => self.openapi = read(text)?,
            "edition" => self.edition = read(text)?,
            "types" => self.types = Some(parse_folders(text.as_ref())?),
            // INVARIANT: both callers look the key up in KEYS first.
            _ => return Err("this setting is not known".to_owned()),
        }
        Ok(())
    }
}

/// Reads an address to listen on.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "this is no address with a port: write one such as 127.0.0.1:8080".to_owned())
}

/// Reads the path of a file.
pub(crate) fn parse_path(text: &OsStr) -> Result<PathBuf, String> {
    if text.is_empty() { Err("it is empty: name a file or leave the setting out".to_owned()) } else { Ok(text.into()) }
}

/// Takes what was given for the database. It is looked at later and in one place, for clap repeats what it refuses, and a URL may
/// hold a password.
pub(crate) fn parse_database(text: &OsStr) -> Result<Given, String> {
    parse_path(text).map(Given::from)
}

/// Reads a list of folders, in the way in which the system writes lists of paths: with `:` between them, or `;` on Windows.
fn parse_folders(text: &OsStr) -> Result<Vec<PathBuf>, String> {
    std::env::split_paths(text).map(|path| parse_path(path.as_os_str())).collect()
}

/// Reads the size of a page.
fn parse_page(text: &str) -> Result<usize, String> {
    match whole_number(text)? {
        0 => Err("a page of nothing leads nowhere: give at least 1".to_owned()),
        size => Ok(size),
    }
}

/// Reads a number of seconds to drain.
fn parse_drain(text: &str) -> Result<Duration, String> {
    match whole_number(text)? {
        seconds if seconds <= 3600 => Ok(Duration::from_secs(seconds as u64)),
        _ => Err("nobody waits longer than an hour: give at most 3600 seconds".to_owned()),
    }
}

/// Reads the longest body.
fn parse_max_body(text: &str) -> Result<usize, String> {
    match whole_number(text)? {
        bytes if bytes >= SMALLEST_MAX_BODY => Ok(bytes),
        _ => Err(format!("a large group would not fit: give at least {SMALLEST_MAX_BODY} bytes")),
    }
}

fn whole_number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "this is no whole number".to_owned())
}

/// The layer of the environment, and the settings file that it names.
pub(super) fn from_environment<K: Into<OsString>, V: Into<OsString>>(
    variables: impl IntoIterator<Item = (K, V)>,
) -> Result<(Layer, Option<PathBuf>), SettingsError> {
    let mut layer = Layer::default();
    let mut config = None;
    for (name, value) in variables {
        let (name, value) = (name.into(), value.into());
        // A name that is not Unicode still starts with ours when it does: the prefix is ASCII.
        let name = name.to_string_lossy();
        let Some(short) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        let known = KEYS.into_iter().chain([CONFIG]);
        let Some(key) = known.clone().find(|key| variable(key) == name) else {
            let nearest = variable(nearest(&short.to_ascii_lowercase(), known));
            return Err(SettingsError::UnknownKey { key: name.into_owned(), place: Place::Environment, nearest });
        };
        // Paths need not be Unicode, all else must.
        let result = match key {
            CONFIG => parse_path(&value).map(|path| config = Some(path)),
            "database" => parse_database(&value).map(|given| layer.database = Some(given)),
            "types" => parse_folders(&value).map(|folders| layer.types = Some(folders)),
            _ => value.to_str().ok_or_else(|| "it is no Unicode".to_owned()).and_then(|text| layer.set(key, text)),
        };
        result.map_err(|reason| SettingsError::BadValue {
            key: name.into_owned(),
            place: Place::Environment,
            reason,
        })?;
    }
    Ok((layer, config))
}

/// The layer of a TOML file.
pub(super) fn from_file(path: &Path) -> Result<Layer, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        SettingsError::Parse { path: path.to_owned(), line, reason: error.message().to_owned() }
    })?;
    let mut layer = Layer::default();
    for (key, value) in table {
        let place = || Place::File(path.to_owned());
        if !KEYS.contains(&key.as_str()) {
            let nearest = nearest(&key, KEYS).to_owned();
            return Err(SettingsError::UnknownKey { key, place: place(), nearest });
        }
        let numeric =
            matches!(key.as_str(), "drain_seconds" | "group_reply_limit" | "page_size" | "max_page_size" | "max_body");
        let result = match value {
            // A path of its own each, so that nothing has to be escaped.
            toml::Value::Array(folders) if key == "types" => {
                folders_of(&folders).map(|found| layer.types = Some(found))
            }
            toml::Value::Integer(number) if numeric => layer.set(&key, &number.to_string()),
            toml::Value::String(text) if !numeric => layer.set(&key, &text),
            other if numeric => Err(format!("a whole number is expected and not a {}", other.type_str())),
            other => Err(format!("a text in quotes is expected and not a {}", other.type_str())),
        };
        result.map_err(|reason| SettingsError::BadValue { key, place: place(), reason })?;
    }
    Ok(layer)
}

fn folders_of(list: &[toml::Value]) -> Result<Vec<PathBuf>, String> {
    let text = |item: &toml::Value| item.as_str().map(str::to_owned);
    let texts: Option<Vec<String>> = list.iter().map(text).collect();
    let texts = texts.ok_or("a list of texts in quotes is expected")?;
    texts.iter().map(|text| parse_path(text.as_ref())).collect()
}

fn variable(key: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", key.to_ascii_uppercase())
}

fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> &'a str {
    // Weighs the beginning of the word: `drain` is `drain_seconds` cut short, and in edits it is nearer to `edition`.
    let likeness = |known: &str| strsim::jaro_winkler(key, known);
    known.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Result<Layer, SettingsError> {
        from_environment([(name, value)]).map(|(layer, _)| layer)
    }

    fn file(text: &str) -> Result<Layer, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.toml");
        std::fs::write(&path, text).unwrap();
        from_file(&path)
    }

    #[test]
    fn every_key_can_be_set() {
        for key in KEYS {
            let reason = Layer::default().set(key, "\u{0}").err();
            assert_ne!(reason.as_deref(), Some("this setting is not known"), "{key}");
        }
    }

    #[test]
    fn an_unknown_variable_is_named_with_the_nearest_known_one() {
        for (name, nearest) in [
            ("SECURECODINGHUB_RATELIMIT", "SECURECODINGHUB_RATE_LIMIT"),
            ("SECURECODINGHUB_LISTN", "SECURECODINGHUB_LISTEN"),
            ("SECURECODINGHUB_CONFIGURATION", "SECURECODINGHUB_CONFIG"),
            ("SECURECODINGHUB_DATABASE_FILE", "SECURECODINGHUB_DATABASE"),
            ("SECURECODINGHUB_listen", "SECURECODINGHUB_LISTEN"),
        ] {
            let error = environment(name, "x").unwrap_err().to_string();
            assert_eq!(
                error,
                format!("there is no setting `{name}`, which is in the environment: did you mean `{nearest}`?")
            );
        }
        assert_eq!(environment("SECURECODINGHUBS", "x").unwrap(), Layer::default(), "not ours");
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        for (text, key, nearest) in [
            ("maxbody = 2000000", "maxbody", "max_body"),
            ("public-url = 'https://a'", "public-url", "public_url"),
            ("drain = 5", "drain", "drain_seconds"),
            ("[limits]\nmax_body = 2000000", "limits", "listen"),
        ] {
            let error = file(text).unwrap_err();
            let SettingsError::UnknownKey { key: named, nearest: near, .. } = error else { panic!("{error}") };
            assert_eq!((named.as_str(), near.as_str()), (key, nearest));
        }
    }

    #[test]
    fn wrong_values_are_named_with_the_reason() {
        for (text, reason) in [
            ("listen = 'localhost'", "this is no address with a port: write one such as 127.0.0.1:8080"),
            ("listen = 8080", "a text in quotes is expected and not a integer"),
            ("drain_seconds = '5'", "a whole number is expected and not a string"),
            ("drain_seconds = -1", "this is no whole number"),
            ("drain_seconds = 3601", "nobody waits longer than an hour: give at most 3600 seconds"),
            ("max_body = 1048575", "a large group would not fit: give at least 1048576 bytes"),
            ("database = ''", "it is empty: name a file or leave the setting out"),
            (
                "openapi = 'openapi.json'",
                "`openapi.json` is no place for a description: write a path such as `/openapi.json`, or `off`",
            ),
            ("edition = 'third'", "there is no edition `third`: choose one of first, second"),
            ("rate_limit = '10/s'", "a rate limit below 25/s stops providers in their first cycle: give 25 or more"),
        ] {
            let error = file(text).unwrap_err();
            let SettingsError::BadValue { reason: given, .. } = &error else { panic!("{error}") };
            assert_eq!(given, reason, "{text}");
        }
        assert_eq!(
            environment("SECURECODINGHUB_MAX_BODY", "4M").unwrap_err().to_string(),
            "`SECURECODINGHUB_MAX_BODY` in the environment cannot be used: this is no whole number"
        );
        assert!(environment("SECURECODINGHUB_LISTEN", "").is_err());
        assert!(environment("SECURECODINGHUB_CONFIG", "").is_err());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        assert!(matches!(from_file(Path::new("/nowhere/hub.toml")), Err(SettingsError::Read { .. })));
        assert!(matches!(file("listen ="), Err(SettingsError::Parse { .. })));
        assert!(matches!(file("max_body = 2000000\nmax_body = 3000000"), Err(SettingsError::Parse { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_need_not_be_unicode_and_all_else_must() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"hub-\xFF.db".to_vec());
        let (layer, _) = from_environment([("SECURECODINGHUB_DATABASE", odd.clone())]).unwrap();
        assert_eq!(layer.database, Some(Given(odd.clone())));
        assert!(from_environment([("SECURECODINGHUB_LISTEN", odd)]).is_err());
    }
}
