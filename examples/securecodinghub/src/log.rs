//! The provisioning log: what was asked, by which token, about whom, and what came of it.

use std::io::{self, Write};

use scimwright_store::{Logged, StoreError, TenantId, TenantIdError, Transition};

use crate::cli::LogArgs;
use crate::database::{DatabaseError, Opened};
use crate::directory::DirectoryError;
use crate::settings::Settings;

/// Why the log cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The organisation is unknown, or the product's tables cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The organisation's id in the database is damaged.
    #[error(transparent)]
    Tenant(#[from] TenantIdError),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Write(#[from] io::Error),
}

/// Entries that are read at a time.
const PAGE: usize = 500;

/// Shows the provisioning log of an organisation, oldest first; as JSON one entry a line.
///
/// # Errors
/// When the organisation is unknown or the database cannot be read.
pub async fn show(settings: &Settings, args: &LogArgs, json: bool, out: &mut dyn Write) -> Result<(), LogError> {
    let Opened { directory, store } = settings.database.open().await?;
    let tenant: TenantId = directory.organisation(&args.org).await?.id.parse()?;
    let mut after = args.after;
    let mut left = args.limit;
    loop {
        let page = store.log(&tenant, after, PAGE.min(left)).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position;
        left -= page.len().min(left);
        for entry in &page {
            if json {
                writeln!(out, "{}", serde_json::to_string(entry).map_err(io::Error::from)?)?;
            } else {
                writeln!(out, "{}", line(entry))?;
            }
        }
        if left == 0 {
            return Ok(());
        }
    }
}

/// One entry for people.
fn line(entry: &Logged) -> String {
    let Logged { position, event, .. } = entry;
    // What came from outside may not end the line or move the cursor.
    let target = event.target.as_ref().map_or_else(|| "-".to_owned(), |key| key.to_string().escape_debug().to_string());
    let mut line = format!(
        "{position:>6}  {}  {:<12}  {:<7}  {}  {target}",
        event.time, event.actor, event.operation, event.status
    );
    match event.transition {
        Some(Transition::Deactivated) => line.push_str("  DEACTIVATED"),
        Some(Transition::Reactivated) => line.push_str("  REACTIVATED"),
        None => {}
    }
    let mut say = |label: &str, words: &[String]| {
        if !words.is_empty() {
            line.push_str(&format!("  {label} {}", words.join(",")));
        }
    };
    say("changed", &event.changed);
    say("joined", &event.joined);
    say("left", &event.left);
    let moved: Vec<_> = event.displaced.iter().map(|moved| format!("{} from {}", moved.member, moved.group)).collect();
    say("moved", &moved);
    say("quirks", &event.quirks);
    if let Some(detail) = &event.detail {
        line.push_str(&format!("  ({detail})"));
    }
    line
}
