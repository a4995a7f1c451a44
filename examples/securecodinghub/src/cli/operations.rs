//! The arguments of what the operator does with databases and logs.

use std::path::PathBuf;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Subcommand};
use scimwright_store::ChainHash;

use crate::database::Given;
use crate::operations::PublicKey;
use crate::settings::{parse_database, parse_path};

/// `audit …`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that nobody has changed the log, and show its head to be noted elsewhere
    Verify(AuditVerifyArgs),
    /// Cut off the oldest entries; a signed checkpoint stands for them
    Retain(AuditRetainArgs),
    /// Show the public key that the checkpoints of this database are signed with
    Key(AuditKeyArgs),
}

/// `audit verify …`
#[derive(Clone, Debug, Args)]
pub struct AuditVerifyArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// A head that was noted before: the log must still have it
    #[arg(long, value_name = "HASH@POSITION")]
    pub head: Option<Head>,
    /// A public key whose checkpoints are trusted, and no other that the database names; may be given several times
    #[arg(long = "key", value_name = "ed25519:HEX")]
    pub keys: Vec<PublicKey>,
}

/// `audit retain …`
#[derive(Clone, Debug, Args)]
pub struct AuditRetainArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// Keep the entries of so many days
    #[arg(long, value_name = "DAYS", required_unless_present = "before", conflicts_with = "before", value_parser = clap::value_parser!(u32).range(..=36_500))]
    pub keep: Option<u32>,
    /// Cut off the entries of before this day, as YYYY-MM-DD, or moment
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub before: Option<DateTime<Utc>>,
    /// Write what is cut off to this new file first, as JSON one entry a line
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub archive: Option<PathBuf>,
    /// Sign with the key in this file, and not with the one in the database
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub key_file: Option<PathBuf>,
    /// A public key whose checkpoint, if the log begins behind one, is trusted; may be given several times
    #[arg(long = "key", value_name = "ed25519:HEX")]
    pub keys: Vec<PublicKey>,
}

/// `audit key`
#[derive(Clone, Debug, Args)]
pub struct AuditKeyArgs {
    /// Draw another key into this new file, to be kept elsewhere than the database
    #[arg(long, value_name = "FILE", conflicts_with = "key_file", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub new: Option<PathBuf>,
    /// Show the public key of the one in this file
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub key_file: Option<PathBuf>,
}

/// `doctor …`
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// The organisation [default: all of them]
    #[arg(long, value_name = "NAME")]
    pub org: Option<String>,
    /// A folder of types that the server serves; may be given several times
    #[arg(long, value_name = "FOLDER", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub types: Option<Vec<PathBuf>>,
}

/// `backup …`
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// The new file
    #[arg(value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub file: PathBuf,
}

/// `restore …`
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub file: PathBuf,
    /// Only say whether the backup could be served
    #[arg(long, conflicts_with = "replace")]
    pub check: bool,
    /// Put the database that is there aside, as a file whose name ends with .replaced
    #[arg(long)]
    pub replace: bool,
    /// A folder of types that the server serves; may be given several times
    #[arg(long, value_name = "FOLDER", value_parser = OsStringValueParser::new().try_map(|text| parse_path(&text)))]
    pub types: Option<Vec<PathBuf>>,
}

/// `move …`
#[derive(Clone, Debug, Args)]
pub struct MoveArgs {
    /// The organisation
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// The database to move it to: a file, or the URL of one in PostgreSQL
    #[arg(long, value_name = "FILE|URL", required_unless_present = "abandon", value_parser = OsStringValueParser::new().try_map(|text| parse_database(&text)))]
    pub to: Option<Given>,
    /// Forget it here once it has moved, instead of keeping it closed
    #[arg(long)]
    pub erase: bool,
    /// Take back a move that was interrupted
    #[arg(long, conflicts_with = "erase")]
    pub undo: bool,
    /// With --undo: do not look into the other database, which is gone for good. A copy in it must never be served
    #[arg(long, requires = "undo", conflicts_with = "to")]
    pub abandon: bool,
}

/// The hash of an entry of a log, as it was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The hash.
    pub hash: ChainHash,
    /// The position of the entry.
    pub position: u64,
}

/// A text that is no [`Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head is 64 hexadecimal digits, an @ and a position, as `audit verify` shows it")]
pub struct BadHead;

impl FromStr for Head {
    type Err = BadHead;

    fn from_str(text: &str) -> Result<Self, BadHead> {
        let (hash, position) = text.split_once('@').ok_or(BadHead)?;
        Ok(Self { hash: hash.parse().map_err(|_| BadHead)?, position: position.parse().map_err(|_| BadHead)? })
    }
}

/// A day, which begins at midnight UTC, or a moment of RFC 3339.
fn moment(text: &str) -> Result<DateTime<Utc>, chrono::ParseError> {
    match text.parse::<NaiveDate>() {
        Ok(day) => Ok(day.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => DateTime::parse_from_rfc3339(text).map(|moment| moment.with_timezone(&Utc)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_shown() {
        let hash = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";
        let head: Head = format!("{hash}@7").parse().unwrap();
        assert_eq!((head.hash.to_string().as_str(), head.position), (hash, 7));
        for bad in [hash, "7", "@7", &format!("{hash}@"), &format!("{hash}x@7"), &format!("{hash}@-1")] {
            assert!(bad.parse::<Head>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(moment("2026-01-02").unwrap(), moment("2026-01-02T00:00:00Z").unwrap());
        assert_eq!(moment("2026-01-02T01:00:00+01:00").unwrap(), moment("2026-01-02").unwrap());
        assert!(moment("yesterday").is_err());
    }
}
