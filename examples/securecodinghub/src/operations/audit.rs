//! The provisioning log as evidence: checked, signed, and cut to the days that it is to be kept for.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use scimwright_core::Instant;
use scimwright_store::chain::{self, CHECKPOINT, Verified, Verifier};
use scimwright_store::{Change, Checkpoint, Cut, Event, Fact, Logged, Store, TenantId, When};
use serde_json::json;

use super::{AuditKey, OperationError, at, sync_folder};
use crate::cli::{AuditCommand, AuditRetainArgs, AuditVerifyArgs, Head};
use crate::commands::write_json;
use crate::database::{Database, Opened};
use crate::table;

/// Entries that are read at a time.
const PAGE: usize = 500;

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
    let opened = database.open().await?;
    let key = AuditKey::of(&opened.directory).await?;
    match command {
        AuditCommand::Key(_) => {
            if json {
                return Ok(write_json(out, &json!({"key": key.name(), "elsewhere": key.elsewhere()}))?);
            }
            writeln!(out, "{}", key.name())?;
            key.elsewhere()
                .iter()
                .try_for_each(|key| writeln!(out, "{key} (of a database that organisations came from)"))?;
            Ok(())
        }
        AuditCommand::Verify(args) => verify(&opened, &key, args, json, out).await,
        AuditCommand::Retain(args) => retain(&opened, &key, args, json, out).await,
    }
}

async fn verify(
    opened: &Opened,
    key: &AuditKey,
    args: &AuditVerifyArgs,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), OperationError> {
    let organisation = opened.directory.organisation(&args.org).await?;
    let tenant: TenantId = organisation.id.parse()?;
    let verified = chain::verify(&*opened.store, &tenant, |checkpoint| key.check(checkpoint)).await?;
    if let Some(head) = args.head {
        compare(&*opened.store, &tenant, &verified, head).await?;
    }
    let Verified { checkpoint, entries, position, head, .. } = verified;
    if json {
        let value = json!({
            "organisation": organisation.name, "id": organisation.id, "entries": entries, "position": position,
            "head": format!("{head}@{position}"), "checkpoint": checkpoint, "noted": args.head.map(|head| head.position),
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
    Ok(())
}

/// Whether the log still has the entry that was noted.
async fn compare(store: &dyn Store, tenant: &TenantId, log: &Verified, noted: Head) -> Result<(), OperationError> {
    let Head { hash, position } = noted;
    let cut = log.checkpoint.as_ref().map(|checkpoint| (checkpoint.position, checkpoint.hash));
    let missing = |why| OperationError::NoHead { position, why };
    let found = match cut {
        Some((last, hash)) if position == last => hash,
        Some((last, _)) if position < last => return Err(missing("it was cut off, and a checkpoint stands for it")),
        _ if position == 0 => return Err(missing("the first one is entry 1")),
        _ => {
            let entry = store.log(tenant, position - 1, 1).await?.into_iter().find(|entry| entry.position == position);
            entry.ok_or_else(|| missing("the log ends before, so that its end was cut off since it was noted"))?.hash
        }
    };
    if found == hash { Ok(()) } else { Err(OperationError::OtherHead { position, found: found.to_string() }) }
}

async fn retain(
    opened: &Opened,
    key: &AuditKey,
    args: &AuditRetainArgs,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), OperationError> {
    let organisation = opened.directory.organisation(&args.org).await?;
    organisation.check_open()?;
    let tenant: TenantId = organisation.id.parse()?;
    // Nobody signs for what is not whole.
    chain::verify(&*opened.store, &tenant, |checkpoint| key.check(checkpoint)).await?;
    let now = Utc::now();
    let days = args.keep.map_or(TimeDelta::zero(), |days| TimeDelta::days(i64::from(days)));
    let before = args.before.unwrap_or(now - days);
    let mut archive = args.archive.as_deref().map(Archive::new).transpose()?;
    let Some(old) = walk(&*opened.store, &tenant, before, archive.as_mut()).await? else {
        // An empty archive helps nobody.
        archive.map(Archive::remove).transpose()?;
        if json {
            return Ok(write_json(out, &json!({"cut": 0}))?);
        }
        writeln!(out, "there is no entry of before {}", exact(before))?;
        return Ok(());
    };
    if let Some(archive) = archive {
        archive.finish()?;
    }
    let mut checkpoint = Checkpoint {
        tenant: tenant.to_string(),
        position: old.last.through,
        hash: old.last.hash,
        time: exact(now),
        cuts_before: 0,
        previous: None,
        key: String::new(),
        signature: String::new(),
    };
    key.sign(&mut checkpoint);
    let value = serde_json::to_value(&checkpoint).map_err(io::Error::from)?;
    let mut change = Change::new(Instant::from_utc(now.naive_utc()), event(&old, before, now));
    change.facts.push(Fact { name: CHECKPOINT.to_owned(), value: Some(value.clone()), when: When::Always });
    change.cut = Some(old.last);
    opened.store.commit(&tenant, change).await?;
    if json {
        return Ok(write_json(out, &json!({"cut": old.entries, "checkpoint": value}))?);
    }
    writeln!(out, "cut off {} entries up to {}, of before {}", old.entries, old.last.through, exact(before))?;
    Ok(())
}

/// What is old enough.
struct Old {
    entries: u64,
    last: Cut,
}

/// The entries of before a moment, from the first one on. They are archived as they are passed.
async fn walk(
    store: &dyn Store,
    tenant: &TenantId,
    before: DateTime<Utc>,
    mut archive: Option<&mut Archive>,
) -> Result<Option<Old>, OperationError> {
    let start = store.fact(tenant, CHECKPOINT).await?.and_then(|fact| serde_json::from_value::<Checkpoint>(fact).ok());
    let mut verifier = Verifier::new(tenant, start.map(|checkpoint| (checkpoint.position, checkpoint.hash)));
    let mut old: Option<Old> = None;
    loop {
        let page = store.log(tenant, verifier.head().0, PAGE).await?;
        for entry in &page {
            // A time that cannot be read is not known to be old.
            let time = DateTime::parse_from_rfc3339(&entry.event.time).ok().filter(|time| *time < before);
            if time.is_none() {
                return Ok(old);
            }
            verifier.check(entry)?;
            if let Some(archive) = &mut archive {
                archive.write(entry)?;
            }
            let entries = old.map_or(0, |old| old.entries) + 1;
            old = Some(Old { entries, last: Cut { through: entry.position, hash: entry.hash } });
        }
        if page.is_empty() {
            return Ok(old);
        }
    }
}

fn event(old: &Old, before: DateTime<Utc>, now: DateTime<Utc>) -> Event {
    let mut event = Event::default();
    event.time = exact(now);
    event.actor = "admin".to_owned();
    event.operation = "retain".to_owned();
    event.status = 200;
    let (entries, through) = (old.entries, old.last.through);
    event.detail = Some(format!("{entries} entries up to {through} were cut off, of before {}", exact(before)));
    event
}

fn exact(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A new file for what is cut off, readable for its owner alone.
struct Archive {
    path: std::path::PathBuf,
    file: BufWriter<File>,
}

impl Archive {
    fn new(path: &Path) -> Result<Self, OperationError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OperationError::Exists {
                path: path.to_owned(),
                advice: "choose another name, for no archive is overwritten",
            },
            _ => at(path)(error),
        })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    fn write(&mut self, entry: &Logged) -> Result<(), OperationError> {
        let line = serde_json::to_string(entry).map_err(io::Error::from)?;
        writeln!(self.file, "{line}").map_err(at(&self.path))
    }

    /// Waits for the disk: only then may the entries go.
    fn finish(self) -> Result<(), OperationError> {
        let Self { path, file } = self;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(at(&path))?;
        sync_folder(&path)
    }

    fn remove(self) -> Result<(), OperationError> {
        std::fs::remove_file(&self.path).map_err(at(&self.path))
    }
}
