//! Retention: what is old is cut off, and a signed checkpoint stands for it.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use scimwright_core::Instant;
use scimwright_store::chain::{self, CHECKPOINT, ChainError, Verifier};
use scimwright_store::{Change, Checkpoint, Cut, Event, Fact, Store, StoreError, TenantId, When};
use serde_json::{Value, json};

use super::archive::Archive;
use crate::cli::AuditRetainArgs;
use crate::commands::write_json;
use crate::database::Opened;
use crate::operations::OperationError;
use crate::operations::signing::{AuditKey, Trust, trusted};

/// Entries that are read at a time.
const PAGE: usize = 500;

/// Runs `audit retain …`.
pub(super) async fn run(
    opened: &Opened,
    args: &AuditRetainArgs,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), OperationError> {
    let organisation = opened.directory.organisation(&args.org).await?;
    organisation.check_open()?;
    let tenant: TenantId = organisation.id.parse()?;
    let (key, trust) = keys(opened, args).await?;
    // Nobody signs for what is not whole.
    let log = chain::verify_whole(&*opened.store, &tenant, |checkpoint| trust.check(checkpoint)).await?;
    let now = Utc::now();
    let days = args.keep.map_or(TimeDelta::zero(), |days| TimeDelta::days(i64::from(days)));
    let before = args.before.unwrap_or(now - days);
    let mut archive = args.archive.as_deref().map(Archive::new).transpose()?;
    let start = log.checkpoint.as_ref();
    let Some(old) = walk(&*opened.store, &tenant, start, before, archive.as_mut()).await? else {
        if json {
            return Ok(write_json(out, &json!({"cut": 0}))?);
        }
        writeln!(out, "there is no entry of before {}", exact(before))?;
        return Ok(());
    };
    archive.as_mut().map(Archive::finish).transpose()?;
    let checkpoint = next(&tenant, start, &old, now, &key);
    let value = serde_json::to_value(&checkpoint).map_err(io::Error::from)?;
    if args.key_file.is_some() {
        // So that the doctor, and whoever has not noted the key, can check the signature too.
        opened.directory.trust_audit_key(&trusted(&checkpoint)).await?;
    }
    let mut change = Change::new(Instant::from_utc(now.naive_utc()), event(&old, before, now));
    change.facts.push(Fact { name: CHECKPOINT.to_owned(), value: Some(value.clone()), when: When::Always });
    change.cut = Some(old.last);
    if let Err(error) = opened.store.commit(&tenant, change).await {
        failed(&*opened.store, &tenant, error, &value, archive).await?;
    } else if let Some(archive) = archive {
        archive.keep();
    }
    if json {
        return Ok(write_json(out, &json!({"cut": old.entries, "checkpoint": value}))?);
    }
    writeln!(out, "cut off {} entries up to {}, of before {}", old.entries, old.last.through, exact(before))?;
    Ok(())
}

/// The key that signs, and whose signatures count for the checkpoint before.
async fn keys(opened: &Opened, args: &AuditRetainArgs) -> Result<(AuditKey, Trust), OperationError> {
    let Some(path) = &args.key_file else {
        return Ok((AuditKey::of(&opened.directory).await?, Trust::given(&args.keys, &opened.directory).await?));
    };
    // A key from elsewhere does not vouch for what only the database vouches for: that may be made up.
    let key = AuditKey::read(path)?;
    let mut keys = args.keys.clone();
    keys.push(key.public());
    Ok((key, Trust::Given(keys)))
}

/// What stands for the entries from now on.
fn next(tenant: &TenantId, before: Option<&Checkpoint>, old: &Old, now: DateTime<Utc>, key: &AuditKey) -> Checkpoint {
    let mut checkpoint = Checkpoint {
        tenant: tenant.to_string(),
        position: old.last.through,
        hash: old.last.hash,
        time: exact(now),
        cuts_before: before.map_or(0, |before| before.cuts_before + 1),
        previous: before.map(Checkpoint::digest),
        key: String::new(),
        signature: String::new(),
    };
    key.sign(&mut checkpoint);
    checkpoint
}

/// What it means that the change failed. The archive goes only where nothing was cut off for certain.
async fn failed(
    store: &dyn Store,
    tenant: &TenantId,
    error: StoreError,
    checkpoint: &Value,
    archive: Option<Archive>,
) -> Result<(), OperationError> {
    match error {
        StoreError::NoSuchEntry(_) => return Err(OperationError::CutMeanwhile),
        StoreError::Unavailable(_) => {}
        refused => return Err(refused.into()),
    }
    // The answer may have been lost on its way, and the change not.
    let there = store.fact(tenant, CHECKPOINT).await.is_ok_and(|there| there.as_ref() == Some(checkpoint));
    let archive = archive.map(Archive::keep);
    match archive {
        _ if there => Ok(()),
        Some(archive) => Err(OperationError::Uncertain { archive, source: error }),
        None => Err(error.into()),
    }
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
    start: Option<&Checkpoint>,
    before: DateTime<Utc>,
    mut archive: Option<&mut Archive>,
) -> Result<Option<Old>, OperationError> {
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
            // The log was whole a moment ago: what is missing since was cut off.
            verifier.check(entry).map_err(|error| match error {
                ChainError::Gap { .. } => OperationError::CutMeanwhile,
                other => other.into(),
            })?;
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
