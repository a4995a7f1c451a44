//! When each token was last used, to the minute.
//!
//! That is a write, and a write waits for other writers and for the disk. A request must not wait for it, so one thread
//! beside the requests does it, for all tokens that were noted in the meantime at once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, TransactionBehavior, params};

use super::records::{Moment, now};
use super::schema;

const MINUTE: Duration = Duration::from_secs(60);

/// Shorter than elsewhere: a server that stops waits for this thread, and what it writes can be missed.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether a token that was last noted then is to be noted again.
pub(super) fn is_due(last_used: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    // A moment in the future is another machine's wrong clock. It is put right rather than kept until it comes.
    last_used.is_none_or(|then| !(TimeDelta::zero()..TimeDelta::minutes(1)).contains(&(now - then)))
}

/// Takes note of used tokens. The thread starts with the first one, so a command that only reads has none.
pub(super) struct LastUsed {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: OnceLock<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Tokens to be written, each once however many requests carry it.
    waiting: Vec<String>,
    /// When each was last put there. A token is tried once a minute even while writing fails.
    noted: HashMap<String, Instant>,
    closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastUsed {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), shared: Arc::default(), thread: OnceLock::new() }
    }

    /// Notes that a token was used now. Returns at once.
    pub(super) fn note(&self, token: &str) {
        {
            let mut state = self.shared.state();
            if state.noted.get(token).is_some_and(|at| at.elapsed() < MINUTE) {
                return;
            }
            state.noted.insert(token.to_owned(), Instant::now());
            state.waiting.push(token.to_owned());
        }
        self.shared.changed.notify_one();
        self.thread.get_or_init(|| {
            let (path, shared) = (self.path.clone(), Arc::clone(&self.shared));
            let started = std::thread::Builder::new().name("last-used".to_owned()).spawn(move || run(&path, &shared));
            started.inspect_err(|error| tracing::warn!(%error, "tokens' last use is not noted")).ok()
        });
    }
}

impl Drop for LastUsed {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.changed.notify_one();
        if let Some(Some(thread)) = self.thread.take() {
            // It fails only if the thread panicked, which the panic has told already.
            drop(thread.join());
        }
    }
}

/// Writes what is waiting, until the directory is dropped and nothing is waiting any more.
fn run(path: &Path, shared: &Shared) {
    let mut connection = None;
    loop {
        let waiting = {
            let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
            let mut state = shared.changed.wait_while(shared.state(), idle).unwrap_or_else(PoisonError::into_inner);
            if state.waiting.is_empty() {
                return;
            }
            state.noted.retain(|_, at| at.elapsed() < MINUTE);
            std::mem::take(&mut state.waiting)
        };
        if let Err(error) = write(path, &mut connection, &waiting) {
            tracing::warn!(%error, "tokens' last use could not be noted");
        }
    }
}

fn write(path: &Path, kept: &mut Option<Connection>, tokens: &[String]) -> Result<(), rusqlite::Error> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(open(path)?),
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut statement = transaction.prepare_cached("UPDATE sch_token SET last_used = ?2 WHERE id = ?1")?;
        let at = now();
        for token in tokens {
            statement.execute(params![token, Moment(at)])?;
        }
    }
    transaction.commit()
}

fn open(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = schema::open(path, BUSY_TIMEOUT)?;
    // Not worth a wait for the disk while others want the write lock: a power cut may forget a minute of this. The file
    // stays whole all the same, since write-ahead logging needs the wait for durability only.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Directory, NewOrganisation};
    use crate::policy::Edition;
    use crate::token::Secret;

    struct Case {
        folder: tempfile::TempDir,
        secret: Secret,
    }

    impl Case {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let directory = Directory::open(folder.path().join("hub.db")).unwrap();
            directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).unwrap();
            let (_, secret) = directory.create_token("acme", crate::policy::TokenScope::Scim, "").unwrap();
            Self { folder, secret }
        }

        fn open(&self) -> Directory {
            Directory::open(self.folder.path().join("hub.db")).unwrap()
        }

        /// Uses the token in a server of its own, and waits until that one has ended and so has written all.
        fn use_token(&self) {
            let directory = self.open();
            for _ in 0..10 {
                assert!(directory.authenticate(&self.secret).unwrap().is_some());
            }
        }

        fn last_used(&self) -> Option<DateTime<Utc>> {
            self.open().tokens("acme").unwrap()[0].last_used
        }

        fn set_last_used(&self, ago: TimeDelta) -> DateTime<Utc> {
            let then = now() - ago;
            let connection = Connection::open(self.folder.path().join("hub.db")).unwrap();
            connection.execute("UPDATE sch_token SET last_used = ?1", [Moment(then)]).unwrap();
            then
        }
    }

    #[test]
    fn the_first_use_is_noted() {
        let case = Case::new();
        assert_eq!(case.last_used(), None);
        let before = now();
        case.use_token();
        assert!((before..=now()).contains(&case.last_used().unwrap()));
    }

    #[test]
    fn a_use_within_the_minute_is_not_written() {
        let case = Case::new();
        let then = case.set_last_used(TimeDelta::seconds(30));
        case.use_token();
        assert_eq!(case.last_used(), Some(then));
        let then = case.set_last_used(TimeDelta::seconds(61));
        case.use_token();
        assert!(case.last_used().unwrap() > then);
    }

    #[test]
    fn a_moment_in_the_future_is_put_right() {
        let case = Case::new();
        case.set_last_used(TimeDelta::hours(-5));
        case.use_token();
        assert!(case.last_used().unwrap() <= now());
    }

    #[test]
    fn a_request_does_not_wait_for_a_writer() {
        let case = Case::new();
        let mut writer = Connection::open(case.folder.path().join("hub.db")).unwrap();
        let held = writer.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let directory = case.open();
        let started = Instant::now();
        assert!(directory.authenticate(&case.secret).unwrap().is_some());
        assert!(started.elapsed() < Duration::from_secs(1));
        held.commit().unwrap();
    }

    #[test]
    fn a_token_waits_once_however_often_it_is_used() {
        let noted = LastUsed::new(Path::new("nowhere"));
        // A thread that never runs, so that what waits can be looked at.
        noted.thread.set(None).unwrap();
        for token in ["a", "b", "a", "a"] {
            noted.note(token);
        }
        assert_eq!(noted.shared.state().waiting, ["a", "b"]);
    }
}
