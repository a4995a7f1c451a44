//! Trying again: how often, how long, and after which pause.

use std::time::{Duration, Instant};

use crate::error::{Failure, Remedy};

/// How often a transaction is tried that others are in the way of.
const TRIES: u32 = 12;

/// The first pause between two attempts, and the longest.
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);

/// Goes on trying what has failed, as the store does. For the statements of a program on its own tables, by [`PostgresStore::pool`].
///
/// [`PostgresStore::pool`]: crate::PostgresStore::pool
#[derive(Debug)]
pub struct Retry {
    patience: Duration,
    conflicts: u32,
    lost: Option<Instant>,
    pause: Duration,
}

impl Retry {
    /// Nothing has been tried. When there is no connection, it goes on for as long as patience lasts, from the first failure on.
    #[must_use]
    pub const fn new(patience: Duration) -> Self {
        Self { patience, conflicts: 0, lost: None, pause: PAUSE }
    }

    /// Waits a while before the next attempt; hands the failure back when there shall be none.
    pub(crate) async fn wait(&mut self, failure: Failure) -> Result<(), Failure> {
        if self.again(failure.remedy()).await { Ok(()) } else { Err(failure) }
    }

    /// Waits a while before the next attempt. Answers `false`, and at once, when there shall be none.
    pub async fn again(&mut self, remedy: Remedy) -> bool {
        let again = match remedy {
            Remedy::Again => {
                self.conflicts += 1;
                self.conflicts < TRIES
            }
            Remedy::Reconnect => self.lost.get_or_insert_with(Instant::now).elapsed() < self.patience,
            Remedy::Report => false,
        };
        if !again {
            return false;
        }
        // Two that were in each other's way must not meet again, so each waits for a time of its own.
        let most = u64::try_from(self.pause.as_micros()).unwrap_or(u64::MAX);
        tokio::time::sleep(Duration::from_micros(fastrand::u64(most / 4..=most))).await;
        self.pause = (self.pause * 2).min(LONGEST);
        true
    }
}
