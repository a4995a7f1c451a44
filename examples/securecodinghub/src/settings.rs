//! What the server is told from outside: defaults, below a TOML file, below the environment, below flags.
//!
//! Each source becomes a [`Layer`], where what it does not name stays `None`, and the upper layer wins. A key that
//! nobody knows is an error in all of them: a limit that was spelled wrongly must not silently be no limit.

mod description;
mod error;
mod layer;
mod public_url;

use std::ffi::OsString;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use crate::database::Database;
use crate::policy::{Edition, named};
use crate::rate::RateLimit;

pub use description::{BadDescription, Description};
pub use error::{Place, SettingsError};
pub use layer::Layer;
pub(crate) use layer::{parse_database, parse_path};
pub use public_url::{BadPublicUrl, PublicUrl, SCIM_PATH};

/// What the environment variables of the product start with.
pub const ENVIRONMENT_PREFIX: &str = "SECURECODINGHUB_";

/// Smallest limit for the body of a request: what a provider may send must fit.
pub const SMALLEST_MAX_BODY: usize = 1024 * 1024;

/// How the server is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Where the data is.
    pub database: Database,
    /// Where the providers reach the server, if that was said; see [`Settings::public_url`].
    pub given_public_url: Option<PublicUrl>,
    /// How many requests an organisation may send.
    pub rate_limit: RateLimit,
    /// How long requests that are under way have to finish when the server is told to stop.
    pub drain: Duration,
    /// A PATCH of a group with more members than this is answered 204, without the group.
    pub group_reply_limit: usize,
    /// Resources in a page of a list when the client does not say; never more than [`Settings::max_page_size`].
    pub page_size: usize,
    /// Resources in a page of a list at most.
    pub max_page_size: usize,
    /// The longest body of a request, in bytes.
    pub max_body: usize,
    /// Who may read the discovery endpoints.
    pub discovery: Discovery,
    /// Where the description of the endpoint is.
    pub openapi: Description,
    /// Whose policies new organisations get.
    pub edition: Edition,
    /// Folders of schemas and resource types that are served beside users and groups.
    pub types: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            database: Database::default(),
            given_public_url: None,
            rate_limit: RateLimit::default(),
            // Below the 30 seconds after which Kubernetes kills.
            drain: Duration::from_secs(20),
            group_reply_limit: 1000,
            page_size: 100,
            max_page_size: 1000,
            max_body: 4 * 1024 * 1024,
            discovery: Discovery::Public,
            openapi: Description::default(),
            edition: Edition::First,
            types: Vec::new(),
        }
    }
}

impl Settings {
    /// Puts the layers on top of each other. The file is the one that `--config` names (`config`), or else
    /// `SECURECODINGHUB_CONFIG`, or none.
    ///
    /// # Errors
    /// When the file cannot be read, or a key or a value in it or in the environment is wrong.
    pub fn load<K: Into<OsString>, V: Into<OsString>>(
        config: Option<&Path>,
        flags: Layer,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, SettingsError> {
        let environment: Vec<(OsString, OsString)> =
            environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let password = environment.iter().find(|(name, _)| name == "PGPASSWORD").map(|(_, value)| value.clone());
        let (environment, named_there) = layer::from_environment(environment)?;
        let file = match config.map(Path::to_owned).or(named_there) {
            Some(path) => layer::from_file(&path)?,
            None => Layer::default(),
        };
        let given = flags.or(environment).or(file);
        let default = Self::default();
        let database = given.database.map(|given| Database::parse(&given.0, password.as_deref())).transpose()?;
        Ok(Self {
            listen: given.listen.unwrap_or(default.listen),
            database: database.unwrap_or(default.database),
            given_public_url: given.public_url,
            rate_limit: given.rate_limit.unwrap_or(default.rate_limit),
            drain: given.drain.unwrap_or(default.drain),
            group_reply_limit: given.group_reply_limit.unwrap_or(default.group_reply_limit),
            page_size: given.page_size.unwrap_or(default.page_size),
            max_page_size: given.max_page_size.unwrap_or(default.max_page_size),
            max_body: given.max_body.unwrap_or(default.max_body),
            discovery: given.discovery.unwrap_or(default.discovery),
            openapi: given.openapi.unwrap_or(default.openapi),
            edition: given.edition.unwrap_or(default.edition),
            types: given.types.unwrap_or(default.types),
        })
    }

    /// Where the providers reach the server: what was given, or `http://` and the address that it listens on.
    pub fn public_url(&self) -> PublicUrl {
        self.given_public_url.clone().unwrap_or_else(|| PublicUrl::of_address(self.listen))
    }

    /// The SCIM base URL, as providers are told it.
    pub fn scim_base(&self) -> String {
        format!("{}{SCIM_PATH}", self.public_url())
    }

    /// The same with the address that the system gave, where port 0 had asked it for any.
    #[must_use]
    pub fn bound_to(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Checks what matters to a server only, and not to a command beside it.
    ///
    /// # Errors
    /// When tokens would cross the network in the clear.
    pub fn check_serving(&self) -> Result<(), SettingsError> {
        let public_url = self.public_url();
        if !self.listen.ip().to_canonical().is_loopback() && !public_url.is_https() {
            return Err(SettingsError::Cleartext { listen: self.listen, public_url });
        }
        Ok(())
    }
}

/// Who may read ServiceProviderConfig, Schemas and ResourceTypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Discovery {
    /// Everybody
    Public,
    /// Who has a token
    Token,
}
named!(Discovery, "discovery setting");

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: [(&str, &str); 0] = [];

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn load(config: &Path, flags: Layer, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::load(Some(config), flags, environment.iter().copied())
    }

    #[test]
    fn without_a_word_the_defaults_hold() {
        let settings = Settings::load(None, Layer::default(), NOTHING).unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.scim_base(), "http://127.0.0.1:8080/api/sch/scim/v2");
        assert_eq!(settings.rate_limit.to_string(), "100/s:1000");
        assert!(settings.check_serving().is_ok());
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let (_folder, path) = file(
            "listen = '127.0.0.1:1'\ndrain_seconds = 1\nmax_body = 2000000\nrate_limit = '200/s'\ndiscovery = 'token'",
        );
        let environment =
            [("SECURECODINGHUB_LISTEN", "127.0.0.1:2"), ("SECURECODINGHUB_DRAIN_SECONDS", "2"), ("PATH", "/bin")];
        let flags = Layer { listen: Some("127.0.0.1:3".parse().unwrap()), ..Layer::default() };
        let settings = load(&path, flags, &environment).unwrap();
        assert_eq!(settings.listen.port(), 3);
        assert_eq!(settings.drain, Duration::from_secs(2));
        assert_eq!(settings.max_body, 2_000_000);
        assert_eq!(settings.rate_limit.to_string(), "200/s:2000");
        assert_eq!(settings.discovery, Discovery::Token);
        assert_eq!(settings.group_reply_limit, 1000);
    }

    #[test]
    fn all_keys_can_be_set_in_the_file_and_in_the_environment() {
        let expected = Settings {
            listen: "[::1]:9000".parse().unwrap(),
            database: Database::File("hub.db".into()),
            given_public_url: Some("https://hub.example".parse().unwrap()),
            rate_limit: RateLimit::Off,
            drain: Duration::ZERO,
            group_reply_limit: 7,
            page_size: 5,
            max_page_size: 50,
            max_body: 1_048_576,
            discovery: Discovery::Token,
            openapi: Description::Off,
            edition: Edition::Second,
            types: vec!["types/device".into(), "types/roles".into()],
        };
        let (_folder, path) = file(
            "listen = '[::1]:9000'\ndatabase = 'hub.db'\npublic_url = 'https://hub.example/'\nrate_limit = 'off'
             drain_seconds = 0\ngroup_reply_limit = 7\npage_size = 5\nmax_page_size = 50\nmax_body = 1048576\ndiscovery = 'token'\nopenapi = 'off'\nedition = 'second'
             types = ['types/device', 'types/roles']",
        );
        assert_eq!(load(&path, Layer::default(), &[]).unwrap(), expected);
        let environment = [
            ("SECURECODINGHUB_LISTEN", "[::1]:9000"),
            ("SECURECODINGHUB_DATABASE", "hub.db"),
            ("SECURECODINGHUB_PUBLIC_URL", "https://hub.example/"),
            ("SECURECODINGHUB_RATE_LIMIT", "off"),
            ("SECURECODINGHUB_DRAIN_SECONDS", "0"),
            ("SECURECODINGHUB_GROUP_REPLY_LIMIT", "7"),
            ("SECURECODINGHUB_PAGE_SIZE", "5"),
            ("SECURECODINGHUB_MAX_PAGE_SIZE", "50"),
            ("SECURECODINGHUB_MAX_BODY", "1048576"),
            ("SECURECODINGHUB_DISCOVERY", "token"),
            ("SECURECODINGHUB_OPENAPI", "off"),
            ("SECURECODINGHUB_EDITION", "second"),
            (
                "SECURECODINGHUB_TYPES",
                if cfg!(windows) { "types/device;types/roles" } else { "types/device:types/roles" },
            ),
        ];
        assert_eq!(Settings::load(None, Layer::default(), environment).unwrap(), expected);
    }

    #[test]
    fn the_environment_can_name_the_file_and_the_flag_wins() {
        let (_a, from_environment) = file("drain_seconds = 1");
        let (_b, from_flag) = file("drain_seconds = 2");
        let environment = [("SECURECODINGHUB_CONFIG", from_environment.as_os_str())];
        let settings = Settings::load(None, Layer::default(), environment).unwrap();
        assert_eq!(settings.drain, Duration::from_secs(1));
        let settings = Settings::load(Some(&from_flag), Layer::default(), environment).unwrap();
        assert_eq!(settings.drain, Duration::from_secs(2));
    }

    #[test]
    fn tls_is_needed_beyond_the_loopback() {
        let serving = |listen: &str, url: Option<&str>| {
            let given_public_url = url.map(|url| url.parse().unwrap());
            Settings { listen: listen.parse().unwrap(), given_public_url, ..Settings::default() }.check_serving()
        };
        for listen in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(serving(listen, None).is_ok(), "{listen}");
        }
        for listen in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "[::ffff:10.0.0.1]:80"] {
            assert!(serving(listen, Some("https://hub.example")).is_ok(), "{listen}");
            assert!(serving(listen, Some("http://hub.example")).is_err(), "{listen}");
            assert!(serving(listen, None).is_err(), "{listen}");
        }
        assert_eq!(
            serving("0.0.0.0:8080", None).unwrap_err().to_string(),
            "listening on 0.0.0.0:8080 with the public URL http://0.0.0.0:8080 would let tokens cross the network in the \
             clear: put something that speaks TLS in front and give its address as `--public-url https://…`, or listen on \
             127.0.0.1"
        );
    }

    #[test]
    fn the_base_follows_the_port_that_was_given() {
        let settings = Settings { listen: "127.0.0.1:0".parse().unwrap(), ..Settings::default() };
        let settings = settings.bound_to("127.0.0.1:40123".parse().unwrap());
        assert_eq!(settings.scim_base(), "http://127.0.0.1:40123/api/sch/scim/v2");
    }
}
