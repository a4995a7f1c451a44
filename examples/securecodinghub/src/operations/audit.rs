//! The provisioning log as evidence: checked, signed, and cut to the days that it is to be kept for.

mod archive;
mod retain;

use std::io::Write;

use scimwright_store::chain::{self, Verified};
use scimwright_store::{ChainHash, TenantId};
use serde_json::json;

use super::OperationError;
use super::signing::{AuditKey, Trust};
use crate::cli::{AuditCommand, AuditKeyArgs, AuditVerifyArgs, Head};
use crate::commands::write_json;
use crate::database::{Database, Opened};
use crate::directory::TrustedKey;
use crate::table;

/// Runs `audit …`.
///
/// # Errors
/// When the organisation is unknown, the database cannot be used, or the log is not what was written.
pub async fn run(
    database: &Database,
    command: &AuditCommand,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), OperationError> {
    match command {
        AuditCommand::Key(args) => key(database, args, json, out).await,
        AuditCommand::Verify(args) => verify(&database.open().await?, args, json, out).await,
        AuditCommand::Retain(args) => retain::run(&database.open().await?, args, json, out).await,
    }
}

async fn key(database: &Database, args: &AuditKeyArgs, json: bool, out: &mut dyn Write) -> Result<(), OperationError> {
    let (key, elsewhere) = match (&args.new, &args.key_file) {
        (Some(path), _) => (AuditKey::make(path)?, Vec::new()),
        (None, Some(path)) => (AuditKey::read(path)?, Vec::new()),
        (None, None) => {
            let opened = database.open().await?;
            (AuditKey::of(&opened.directory).await?, opened.directory.trusted_audit_keys().await?)
        }
    };
    if json {
        let elsewhere: Vec<_> = elsewhere
            .iter()
            .map(|TrustedKey { organisation, key, through }| {
                json!({"organisation": organisation, "key": key, "through": through})
            })
            .collect();
        return Ok(write_json(out, &json!({"key": key.name(), "elsewhere": elsewhere}))?);
    }
    writeln!(out, "{}", key.name())?;
    for TrustedKey { organisation, key, through } in elsewhere {
        writeln!(out, "{key} (from elsewhere, for the organisation {organisation} up to entry {through})")?;
    }
    Ok(())
}

async fn verify(
    opened: &Opened,
    args: &AuditVerifyArgs,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), OperationError> {
    let organisation = opened.directory.organisation(&args.org).await?;
    let tenant: TenantId = organisation.id.parse()?;
    let trust = Trust::given(&args.keys, &opened.directory).await?;
    let noted = args.head.map(|head| head.position);
    let check = chain::verify_noted(&*opened.store, &tenant, noted, |checkpoint| trust.check(checkpoint));
    let (verified, found) = check.await?;
    if let Some(head) = args.head {
        compare(&verified, found, head)?;
    }
    let Verified { checkpoint, entries, position, head, .. } = verified;
    let given = !args.keys.is_empty();
    if json {
        let value = json!({
            "organisation": organisation.name, "id": organisation.id, "entries": entries, "position": position,
            "head": format!("{head}@{position}"), "checkpoint": checkpoint, "noted": noted,
            "keyFrom": checkpoint.as_ref().map(|_| if given { "given" } else { "database" }),
        });
        return Ok(write_json(out, &value)?);
    }
    let begins = match &checkpoint {
        Some(cut) => format!("behind the checkpoint at {}, signed at {} by {}", cut.position, cut.time, cut.key),
        None => "with entry 1".to_owned(),
    };
    table::fields(
        out,
        [
            ("organisation", organisation.name),
            ("id", organisation.id),
            ("begins", begins),
            ("entries", entries.to_string()),
            ("head", format!("{head}@{position}")),
        ],
    )?;
    writeln!(out, "\nNote the head elsewhere: with --head it can be shown later that nothing before it was changed.")?;
    if checkpoint.is_some() && !given {
        writeln!(
            out,
            "That the key may sign was taken from this database, where whoever can write to it could have put another: \
             note the key elsewhere too, and give it with --key."
        )?;
    }
    Ok(())
}

/// Whether the log has the hash that was noted.
fn compare(log: &Verified, found: Option<ChainHash>, noted: Head) -> Result<(), OperationError> {
    let Head { hash, position } = noted;
    match found {
        Some(found) if found == hash => Ok(()),
        Some(found) => Err(OperationError::OtherHead { position, found: found.to_string() }),
        None => {
            let why = match &log.checkpoint {
                Some(cut) if position < cut.position => "it was cut off, and a checkpoint stands for it",
                _ if position == 0 => "the first one is entry 1",
                _ => "the log ends before, so that its end was cut off since it was noted",
            };
            Err(OperationError::NoHead { position, why })
        }
    }
}
