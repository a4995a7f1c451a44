//! The command line.
//!
//! `serve` is what happens without a subcommand, so its flags are known with and without it. Environment variables are
//! no business of clap here: the settings read the environment once, as a whole, to find the names that nobody knows.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::database::Given;
use crate::directory::Changes;
use crate::policy::{Deletion, Edition, Linking, Profile, Seats, TokenScope};
use crate::settings::{Layer, parse_database, parse_path};

mod operations;

pub use operations::{
    AuditCommand, AuditKeyArgs, AuditRetainArgs, AuditVerifyArgs, BackupArgs, DoctorArgs, Head, MoveArgs, RestoreArgs,
};

/// A SCIM 2.0 server for many organisations
#[derive(Debug, Parser)]
#[command(name = "securecodinghub", version, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    serve: Layer,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What was asked for.
#[derive(Debug)]
pub struct Invocation {
    /// What every command takes.
    pub common: Common,
    /// The command; [`Command::Serve`] when none was named.
    pub command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Common {
    /// Settings in a TOML file; flags and SECURECODINGHUB_ variables win over it
    #[arg(long, global = true, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub config: Option<PathBuf>,
    /// The database: a file, or the URL of one in PostgreSQL, best given in SECURECODINGHUB_DATABASE as it may hold a password
    /// [default: securecodinghub.db]
    #[arg(long, global = true, value_name = "FILE|URL", value_parser = OsStringValueParser::new().try_map(|text| parse_database(&text)))]
    pub database: Option<Given>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server; the same as no command
    Serve(Layer),
    /// Organisations
    #[command(subcommand)]
    Org(OrgCommand),
    /// Tokens of an organisation
    #[command(subcommand)]
    Token(TokenCommand),
    /// Extensions of users that an organisation has
    #[command(subcommand)]
    Extension(ExtensionCommand),
    /// Users of an organisation
    #[command(subcommand)]
    User(UserCommand),
    /// Show the provisioning log of an organisation
    Log(LogArgs),
    /// Make the tables in the database, or bring them up to date
    Migrate,
    /// Check, sign and cut the provisioning log of an organisation
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Check that what is in the database fits together
    Doctor(DoctorArgs),
    /// Copy a database file while servers use it
    Backup(BackupArgs),
    /// Move an organisation to another database, with its tokens and its log
    Move(MoveArgs),
    /// Put a backup in the place of the database, or say whether one could be
    Restore(RestoreArgs),
}

/// `org …`
#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// Make an organisation
    Create(OrgCreateArgs),
    /// List the organisations
    List,
    /// Change an organisation; a running server follows at once
    Set(OrgSetArgs),
}

/// `org create …`
#[derive(Clone, Debug, Args)]
pub struct OrgCreateArgs {
    /// Its name
    pub name: String,
    /// How many users it may have [default: none]
    #[arg(long, value_name = "N|none")]
    pub seats: Option<Seats>,
    /// Whose requests it will get [default: tolerant]
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// The edition of the documentation whose policies it gets [default: first]
    #[arg(long, value_enum)]
    pub edition: Option<Edition>,
}

/// `org set …`
#[derive(Clone, Debug, Args)]
pub struct OrgSetArgs {
    /// Its name
    pub name: String,
    /// What is to change.
    #[command(flatten)]
    pub changes: OrgChangeArgs,
}

/// What `org set` can change; one of them must be there.
#[derive(Clone, Debug, Default, Args)]
#[group(required = true, multiple = true)]
pub struct OrgChangeArgs {
    /// How many users it may have
    #[arg(long, value_name = "N|none")]
    pub seats: Option<Seats>,
    /// Whose requests it gets
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// What a new user does when the e-mail is that of an account that is there already
    #[arg(long, value_enum)]
    pub linking: Option<Linking>,
    /// What deleting a user does
    #[arg(long, value_enum)]
    pub deletion: Option<Deletion>,
    /// Whether its tokens are let in
    #[arg(long, value_enum)]
    pub scim: Option<Switch>,
}

impl From<&OrgChangeArgs> for Changes {
    fn from(args: &OrgChangeArgs) -> Self {
        Self {
            seats: args.seats.map(|seats| seats.0),
            profile: args.profile,
            linking: args.linking,
            deletion: args.deletion,
            scim_enabled: args.scim.map(|switch| switch == Switch::On),
        }
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

/// `token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and show it, this once
    Create(TokenCreateArgs),
    /// List the tokens, without their secrets
    List(TokenListArgs),
    /// Revoke a token; the next request with it is refused
    Revoke(TokenRevokeArgs),
}

/// `token create …`
#[derive(Clone, Debug, Args)]
pub struct TokenCreateArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// A word to know it by
    #[arg(long, default_value = "", hide_default_value = true)]
    pub label: String,
    /// What it opens
    #[arg(long, value_enum, default_value_t = TokenScope::Scim)]
    pub scope: TokenScope,
}

/// `token list …`
#[derive(Clone, Debug, Args)]
pub struct TokenListArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
}

/// `token revoke …`
#[derive(Clone, Debug, Args)]
pub struct TokenRevokeArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// The id that `token list` shows
    pub id: String,
}

/// `extension …`
#[derive(Debug, Subcommand)]
pub enum ExtensionCommand {
    /// Register a schema, or one that has attributes more than the one registered
    Add(ExtensionAddArgs),
    /// List the extensions, and the removed ones whose URIs keep their meaning
    List(ExtensionListArgs),
    /// Remove an extension that no user has
    Remove(ExtensionRemoveArgs),
}

/// `extension add …`
#[derive(Clone, Debug, Args)]
pub struct ExtensionAddArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// A folder of types that the server serves, and with which the schema must not clash; may be given several times
    #[arg(long, value_name = "FOLDER", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub types: Option<Vec<PathBuf>>,
    /// The schema as RFC 7643 section 7 writes it, in JSON; `-` is the standard input
    #[arg(value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub file: PathBuf,
}

/// `extension list …`
#[derive(Clone, Debug, Args)]
pub struct ExtensionListArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
}

/// `extension remove …`
#[derive(Clone, Debug, Args)]
pub struct ExtensionRemoveArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// The URI of its schema
    pub urn: String,
}

/// `user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user by hand, as an administrator would
    Add(UserAddArgs),
}

/// `user add …`
#[derive(Clone, Debug, Args)]
pub struct UserAddArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// The user's e-mail address
    #[arg(long)]
    pub email: String,
}

/// `log …`
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// Only entries after this position
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub after: u64,
    /// So many entries at most
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    pub limit: usize,
}

impl Invocation {
    /// Reads the arguments of the process, of which the first is its name.
    ///
    /// # Errors
    /// When they are wrong, and also when they ask for help or the version: clap's error says which.
    pub fn read(arguments: impl IntoIterator<Item: Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let Cli { common, serve, command } = Cli::try_parse_from(arguments)?;
        let command = match command {
            None => Command::Serve(serve),
            // `--listen … serve --rate-limit …` is one set of flags; what stands behind the command wins.
            Some(Command::Serve(behind)) => Command::Serve(behind.or(serve)),
            Some(_) if serve != Layer::default() => {
                let text = "flags of `serve` stand before another command: leave them out\n";
                return Err(Cli::command().error(ErrorKind::ArgumentConflict, text));
            }
            Some(command) => command,
        };
        Ok(Self { common, command })
    }

    /// The settings among the flags.
    pub fn layer(&self) -> Layer {
        let flags = match &self.command {
            Command::Serve(args) => args.clone(),
            Command::Org(OrgCommand::Create(args)) => Layer { edition: args.edition, ..Layer::default() },
            Command::Extension(ExtensionCommand::Add(args)) => Layer { types: args.types.clone(), ..Layer::default() },
            Command::Doctor(args) => Layer { types: args.types.clone(), ..Layer::default() },
            Command::Restore(args) => Layer { types: args.types.clone(), ..Layer::default() },
            _ => Layer::default(),
        };
        Layer { database: self.common.database.clone(), ..flags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::RateLimit;
    use std::time::Duration;

    fn read(line: &str) -> Result<Invocation, clap::Error> {
        Invocation::read(std::iter::once("securecodinghub").chain(line.split_whitespace()))
    }

    fn served(line: &str) -> Layer {
        let invocation = read(line).unwrap();
        assert!(matches!(invocation.command, Command::Serve(_)), "{line}");
        invocation.layer()
    }

    #[test]
    fn clap_finds_no_fault() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_goes_without_saying() {
        assert_eq!(served(""), Layer::default());
        let flags = "--listen 127.0.0.1:9 --database hub.db --public-url https://hub.example --rate-limit off";
        assert_eq!(served(flags), served(&format!("serve {flags}")));
        assert_eq!(served(flags).rate_limit, Some(RateLimit::Off));
        assert_eq!(served(flags).database, Some("hub.db".into()));
    }

    #[test]
    fn every_setting_has_a_flag() {
        let layer = served(
            "--listen [::1]:9 --database hub.db --public-url https://hub.example --rate-limit 50/s --drain-seconds 3 \
             --group-reply-limit 0 --max-body 1048576 --discovery token --openapi /scim.json --edition second --types a --types b \
             --page-size 5 --max-page-size 50",
        );
        let Layer {
            listen,
            database,
            public_url,
            rate_limit,
            drain,
            group_reply_limit,
            page_size,
            max_page_size,
            max_body,
            discovery,
            openapi,
            edition,
            types,
        } = layer;
        assert_eq!(types, Some(vec!["a".into(), "b".into()]));
        assert!(listen.is_some() && database.is_some() && public_url.is_some() && rate_limit.is_some());
        assert!(drain.is_some() && group_reply_limit.is_some() && max_body.is_some());
        assert!(
            discovery.is_some()
                && openapi.is_some()
                && edition.is_some()
                && page_size.is_some()
                && max_page_size.is_some()
        );
    }

    #[test]
    fn flags_before_and_behind_serve_are_one_set() {
        let layer = served("--listen 127.0.0.1:1 --drain-seconds 1 serve --listen 127.0.0.1:2");
        assert_eq!(layer.listen, Some("127.0.0.1:2".parse().unwrap()));
        assert_eq!(layer.drain, Some(Duration::from_secs(1)));
    }

    #[test]
    fn flags_of_serve_do_not_fit_other_commands() {
        assert_eq!(read("--listen 127.0.0.1:1 org list").unwrap_err().kind(), ErrorKind::ArgumentConflict);
        assert!(read("org list --listen 127.0.0.1:1").is_err());
    }

    #[test]
    fn common_flags_stand_anywhere() {
        for line in
            ["--database a.db --json org list", "org --json list --database a.db", "org list --json --database a.db"]
        {
            let invocation = read(line).unwrap();
            assert!(invocation.common.json, "{line}");
            assert_eq!(invocation.layer().database, Some("a.db".into()), "{line}");
        }
    }

    #[test]
    fn the_commands_are_read() {
        for line in [
            "org create acme",
            "org create acme --seats 5 --profile okta --edition second --json",
            "org list --json",
            "org set acme --seats none --profile strict --linking refuse --deletion deactivate --scim off --json",
            "token create --org acme --label okta --json",
            "token create --org acme --scope admin",
            "extension add --org acme badge.json --json",
            "extension add --org acme -",
            "extension list --org acme --json",
            "extension remove --org acme urn:acme:badge --json",
            "token list --org acme --json",
            "token revoke --org acme tk_1 --json",
            "user add --org acme --email ada@acme.example --json",
            "log --org acme --json",
            "serve --json",
            "migrate --database postgres://db.example/hub",
            "doctor",
            "doctor --org acme --types types --json",
            "backup hub.backup --json",
            "restore hub.backup --replace",
            "restore --check hub.backup --types types",
            "audit key",
            "move --org acme --to postgres://db.example/hub --erase",
            "move --org acme --to other.db --undo --json",
            "move --org acme --undo --abandon",
            "audit verify --org acme --head 3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7@7",
            "audit retain --org acme --keep 90 --archive acme.jsonl",
            "audit retain --org acme --before 2026-01-01",
        ] {
            assert!(read(line).is_ok(), "{line}");
        }
        for line in [
            "move --org acme",
            "move --org acme --to b.db --abandon",
            "move --org acme --abandon",
            "org",
            "org set acme",
            "token list",
            "token revoke --org acme",
            "user add --org acme",
            "log",
            "x",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn wrong_values_are_refused_with_the_reason() {
        for (line, reason) in [
            ("--rate-limit 5/s", "give 25 or more"),
            ("--max-body 5", "at least 1048576 bytes"),
            ("--listen 8080", "such as 127.0.0.1:8080"),
            ("--public-url hub", "such as https://hub.example.com"),
            ("--database=", "it is empty"),
            ("--openapi on", "such as `/openapi.json`, or `off`"),
            ("org create acme --seats few", "or `none` for no limit"),
            ("org set acme --profile azure", "[possible values: strict, okta, entra, tolerant]"),
        ] {
            let message = read(line).unwrap_err().to_string();
            assert!(message.contains(reason), "{line}: {message}");
        }
    }

    #[test]
    fn what_is_set_becomes_the_changes() {
        let Command::Org(OrgCommand::Set(args)) = read("org set acme --seats none --scim off").unwrap().command else {
            panic!("this is another command")
        };
        let expected = Changes { seats: Some(None), scim_enabled: Some(false), ..Changes::default() };
        assert_eq!(Changes::from(&args.changes), expected);
    }
}
