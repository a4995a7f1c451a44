//! The commands on organisations and tokens. They work on the database, beside a running server or without one.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::cli::{OrgCommand, OrgCreateArgs, OrgSetArgs, TokenCommand};
use crate::database::Database;
use crate::directory::{Changes, Directory, DirectoryError, NewOrganisation, Organisation, TokenRecord};
use crate::policy::{Edition, Seats, TokenScope};
use crate::table;
use crate::token::Secret;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The directory refused it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The answer could not be written.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
}

/// Runs `org …`. A new organisation gets the policies of the edition.
///
/// # Errors
/// When the directory refuses, or the answer cannot be written.
pub async fn org(
    directory: &Directory,
    edition: Edition,
    command: &OrgCommand,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    match command {
        OrgCommand::Create(OrgCreateArgs { name, seats, profile, edition: _ }) => {
            let mut new = NewOrganisation::named(name, edition);
            new.seats = seats.and_then(|seats| seats.0);
            new.profile = profile.unwrap_or(new.profile);
            let organisation = directory.create_organisation(&new).await?;
            show_organisation(&organisation, json, out)
        }
        OrgCommand::Set(OrgSetArgs { name, changes }) => {
            let organisation = directory.set_organisation(name, &Changes::from(changes)).await?;
            show_organisation(&organisation, json, out)
        }
        OrgCommand::List => {
            let organisations = directory.organisations().await?;
            if json {
                return write_json(out, &organisations.iter().map(organisation_json).collect());
            }
            let rows = organisations.iter().map(|organisation| {
                [
                    organisation.name.clone(),
                    Seats(organisation.seats).to_string(),
                    organisation.profile.to_string(),
                    organisation.linking.to_string(),
                    organisation.deletion.to_string(),
                    on_off(organisation.scim_enabled).to_owned(),
                    moment(organisation.created),
                    state(organisation),
                ]
            });
            table::rows(out, ["NAME", "SEATS", "PROFILE", "LINKING", "DELETION", "SCIM", "CREATED", "STATE"], rows)?;
            Ok(())
        }
    }
}

/// Runs `token …`.
///
/// # Errors
/// When the directory refuses, or the answer cannot be written.
pub async fn token(
    directory: &Directory,
    command: &TokenCommand,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    match command {
        TokenCommand::Create(args) => {
            let organisation = directory.organisation(&args.org).await?;
            let (token, secret) = directory.create_token(&organisation.name, args.scope, &args.label).await?;
            show_new_token(&organisation, &token, &secret, json, out)
        }
        TokenCommand::List(args) => {
            let tokens = directory.tokens(&args.org).await?;
            if json {
                return write_json(out, &tokens.iter().map(token_json).collect());
            }
            let rows = tokens.iter().map(|token| {
                [
                    token.id.clone(),
                    token.label.clone(),
                    token.scope.to_string(),
                    moment(token.created),
                    moment(token.expires()),
                    token.last_used.map_or_else(|| "never".to_owned(), moment),
                    token.revoked.map(moment).unwrap_or_default(),
                ]
            });
            table::rows(out, ["ID", "LABEL", "SCOPE", "CREATED", "EXPIRES", "LAST USED", "REVOKED"], rows)?;
            Ok(())
        }
        TokenCommand::Revoke(args) => {
            let token = directory.revoke(&args.org, &args.id).await?;
            if json {
                return write_json(out, &token_json(&token));
            }
            writeln!(out, "revoked {} at {}", token.id, token.revoked.map(moment).unwrap_or_default())?;
            Ok(())
        }
    }
}

/// Shows a token for the one time that it can be shown: what `token create` prints, and a server with a fresh database.
///
/// # Errors
/// When it cannot be written.
pub fn show_new_token(
    organisation: &Organisation,
    token: &TokenRecord,
    secret: &Secret,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    if json {
        let mut value = token_json(token);
        value["organisation"] = json!(organisation.name);
        value["token"] = json!(secret.expose());
        return write_json(out, &value);
    }
    table::fields(
        out,
        [
            ("organisation", organisation.name.clone()),
            ("id", token.id.clone()),
            ("label", token.label.clone()),
            ("scope", token.scope.to_string()),
            ("expires", moment(token.expires())),
            ("token", secret.expose().to_owned()),
        ],
    )?;
    let whom = match token.scope {
        TokenScope::Scim => "give it to the provider now",
        TokenScope::Admin => "keep it where secrets are kept",
    };
    writeln!(out, "\nThe token is shown this once and cannot be had again: {whom}.")?;
    Ok(())
}

/// Says that the tables are up to date.
///
/// # Errors
/// When it cannot be written.
pub fn show_migrated(database: &Database, json: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    if json {
        return write_json(out, &json!({"database": database.to_string(), "migrated": true}));
    }
    writeln!(out, "the tables in {database} are up to date")?;
    Ok(())
}

fn show_organisation(organisation: &Organisation, json: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    if json {
        return write_json(out, &organisation_json(organisation));
    }
    table::fields(
        out,
        [
            ("name", organisation.name.clone()),
            ("id", organisation.id.clone()),
            ("seats", Seats(organisation.seats).to_string()),
            ("profile", organisation.profile.to_string()),
            ("linking", organisation.linking.to_string()),
            ("deletion", organisation.deletion.to_string()),
            ("scim", on_off(organisation.scim_enabled).to_owned()),
            ("created", moment(organisation.created)),
        ],
    )?;
    Ok(())
}

fn organisation_json(organisation: &Organisation) -> Value {
    json!({
        "id": organisation.id,
        "name": organisation.name,
        "seats": organisation.seats,
        "profile": organisation.profile.to_string(),
        "linking": organisation.linking.to_string(),
        "deletion": organisation.deletion.to_string(),
        "scim": organisation.scim_enabled,
        "created": exact(organisation.created),
        "closed": organisation.closed.as_ref().map(ToString::to_string),
    })
}

/// Whether it takes requests, or why not.
fn state(organisation: &Organisation) -> String {
    organisation.closed.as_ref().map_or_else(|| "open".to_owned(), ToString::to_string)
}

fn token_json(token: &TokenRecord) -> Value {
    json!({
        "id": token.id,
        "label": token.label,
        "scope": token.scope.to_string(),
        "created": exact(token.created),
        "expires": exact(token.expires()),
        "lastUsed": token.last_used.map(exact),
        "revoked": token.revoked.map(exact),
    })
}

/// A moment for programs.
pub(crate) fn exact(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A moment for people.
pub(crate) fn moment(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

pub(crate) fn write_json(out: &mut dyn Write, value: &Value) -> Result<(), CommandError> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, Invocation};
    use crate::directory::Directory;

    struct Case {
        _folder: tempfile::TempDir,
        directory: Directory,
    }

    impl Case {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let directory = Directory::open(folder.path().join("hub.db")).unwrap();
            Self { _folder: folder, directory }
        }

        async fn run(&self, line: &str) -> Result<String, CommandError> {
            let arguments = std::iter::once("securecodinghub").chain(line.split_whitespace());
            let invocation = Invocation::read(arguments).unwrap();
            let mut out = Vec::new();
            match &invocation.command {
                Command::Org(command) => {
                    org(&self.directory, Edition::First, command, invocation.common.json, &mut out).await?;
                }
                Command::Token(command) => token(&self.directory, command, invocation.common.json, &mut out).await?,
                other => panic!("{other:?} is not tested here"),
            }
            Ok(String::from_utf8(out).unwrap())
        }

        async fn json(&self, line: &str) -> Value {
            serde_json::from_str(&self.run(&format!("{line} --json")).await.unwrap()).unwrap()
        }
    }

    #[tokio::test]
    async fn organisations_from_first_to_last() {
        let case = Case::new();
        assert_eq!(
            case.run("org list").await.unwrap(),
            "NAME  SEATS  PROFILE  LINKING  DELETION  SCIM  CREATED  STATE\n"
        );
        assert_eq!(case.json("org list").await, json!([]));
        let made = case.json("org create acme --seats 25 --profile entra").await;
        assert_eq!(made["seats"], 25);
        assert_eq!(made["linking"], "link");
        let set = case.json("org set ACME --seats none --scim off --deletion deactivate").await;
        assert_eq!(set["id"], made["id"]);
        assert_eq!(set["seats"], Value::Null);
        assert_eq!(set["scim"], false);
        assert_eq!(set["profile"], "entra");
        assert_eq!(case.json("org list").await, json!([set]));
        let list = case.run("org list").await.unwrap();
        let line = list.lines().nth(1).unwrap();
        assert!(line.starts_with("acme  none   entra    link     deactivate  off   2"), "{list}");
        let shown = case.run("org set acme --linking refuse").await.unwrap();
        assert!(shown.contains("\nlinking   refuse\n"), "{shown}");
    }

    #[tokio::test]
    async fn tokens_from_first_to_last() {
        let case = Case::new();
        case.run("org create acme").await.unwrap();
        let made = case.json("token create --org acme --label okta").await;
        assert_eq!(made["organisation"], "acme");
        let secret = Secret::parse(made["token"].as_str().unwrap()).unwrap();
        let id = made["id"].as_str().unwrap();
        assert_eq!(case.directory.authenticate(&secret).await.unwrap().unwrap().token_id, id);

        let second = case.run("token create --org ACME").await.unwrap();
        assert!(second.contains("organisation  acme\n"), "{second}");
        assert!(second.contains("label         -\n"), "{second}");
        let shown = second.lines().find_map(|line| line.strip_prefix("token         ")).unwrap();
        assert!(Secret::parse(shown).is_ok());
        assert!(case.run("token create --org acme").await.is_err());

        let revoked = case.run(&format!("token revoke --org acme {id}")).await.unwrap();
        assert!(revoked.starts_with(&format!("revoked {id} at 2")), "{revoked}");
        assert_eq!(case.directory.authenticate(&secret).await.unwrap(), None);
        let list = case.json("token list --org acme").await;
        assert_eq!(list[0]["id"], id);
        assert!(list[0]["revoked"].is_string());
        assert_eq!(list[1]["revoked"], Value::Null);
        assert_eq!(list[1]["lastUsed"], Value::Null);
        let listed = case.run("token list --org acme").await.unwrap();
        assert_eq!(listed.lines().count(), 3, "{listed}");
        assert!(listed.lines().nth(2).unwrap().ends_with(" -"), "{listed}");
        assert!(!listed.contains("schscim_"), "{listed}");
    }

    #[tokio::test]
    async fn mistakes_say_what_to_do() {
        let case = Case::new();
        let message = async |line: &str| case.run(line).await.unwrap_err().to_string();
        let unknown = "there is no organisation `acme`: see `securecodinghub org list`";
        for line in
            ["org set acme --scim on", "token create --org acme", "token list --org acme", "token revoke --org acme x"]
        {
            assert_eq!(message(line).await, unknown, "{line}");
        }
        case.run("org create acme").await.unwrap();
        assert_eq!(message("org create Acme").await, "there is an organisation `acme` already: choose another name");
        assert_eq!(
            message("token revoke --org acme x").await,
            "organisation `acme` has no token `x`: see `securecodinghub token list --org 'acme'`"
        );
    }

    #[tokio::test]
    async fn an_output_that_is_closed_is_an_error_and_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let case = Case::new();
        for json in [false, true] {
            let error = org(&case.directory, Edition::First, &OrgCommand::List, json, &mut Closed).await.unwrap_err();
            let CommandError::Write(error) = error else { panic!("{error}") };
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
