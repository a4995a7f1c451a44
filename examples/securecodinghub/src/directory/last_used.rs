//! When each token was last used, to the minute.
//!
//! That is a write, and a write waits for other writers and for the disk. A request must not wait for it, so one task
//! beside the requests does it, for all tokens that were noted in the meantime at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use super::DirectoryError;
use super::records::now;
use super::tables::{Backend, Kind, Used};

const MINUTE: Duration = Duration::from_secs(60);

/// A server that stops waits no longer for what can be missed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether a token that was last noted then is to be noted again.
pub(super) fn is_due(last_used: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    // A moment in the future is another machine's wrong clock. It is put right rather than kept until it comes.
    last_used.is_none_or(|then| !(TimeDelta::zero()..TimeDelta::minutes(1)).contains(&(now - then)))
}

/// Takes note of used tokens. A task runs as long as something waits to be written.
pub(super) struct LastUsed {
    backend: Arc<dyn Backend>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when the task ends.
    idle: Notify,
}

#[derive(Default)]
struct State {
    /// Tokens to be written, each once however many requests carry it.
    waiting: Vec<Used>,
    /// When each was last put there. A token is tried once a minute even while writing fails.
    noted: HashMap<Used, Instant>,
    /// Whether the task runs.
    writing: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what waits; with nothing there the task ends.
    fn take(&self) -> Option<Vec<Used>> {
        let mut state = self.state();
        state.noted.retain(|_, at| at.elapsed() < MINUTE);
        state.writing = !state.waiting.is_empty();
        state.writing.then(|| std::mem::take(&mut state.waiting))
    }
}

impl LastUsed {
    pub(super) fn new(backend: Arc<dyn Backend>) -> Self {
        Self { backend, shared: Arc::default() }
    }

    /// Notes that a token was used now. Returns at once.
    pub(super) fn note(&self, token: Used) {
        let mut state = self.shared.state();
        if state.noted.get(&token).is_some_and(|at| at.elapsed() < MINUTE) {
            return;
        }
        state.noted.insert(token.clone(), Instant::now());
        state.waiting.push(token);
        if !std::mem::replace(&mut state.writing, true) {
            tokio::spawn(run(self.backend.clone(), self.shared.clone()));
        }
    }

    /// Waits until nothing waits to be written, though not for long.
    pub(super) async fn close(&self) {
        let written = async {
            loop {
                let mut idle = std::pin::pin!(self.shared.idle.notified());
                // From here on it hears of the end of the task.
                idle.as_mut().enable();
                if !self.shared.state().writing {
                    return;
                }
                idle.await;
            }
        };
        if tokio::time::timeout(PATIENCE, written).await.is_err() {
            tracing::warn!("tokens' last use could not be noted in time");
        }
    }
}

async fn run(backend: Arc<dyn Backend>, shared: Arc<Shared>) {
    while let Some(waiting) = shared.take() {
        if let Err(error) = write(&*backend, &waiting).await {
            tracing::warn!(%error, "tokens' last use could not be noted");
        }
    }
    shared.idle.notify_waiters();
}

async fn write(backend: &dyn Backend, tokens: &[Used]) -> Result<(), DirectoryError> {
    let mut tables = backend.begin(Kind::Aside).await?;
    match tables.used(tokens, now()).await {
        Ok(()) => tables.commit().await,
        Err(error) => {
            tables.abandon().await;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::testing::Case;
    use crate::directory::{Directory, NewOrganisation};
    use crate::policy::Edition;
    use crate::token::Secret;

    struct Used {
        case: Case,
        organisation: String,
        secret: Secret,
    }

    impl Used {
        async fn on_each() -> Vec<Self> {
            let mut all = Vec::new();
            for case in Case::each() {
                let directory = case.open().await;
                let made =
                    directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
                let (_, secret) = directory.create_token("acme", crate::policy::TokenScope::Scim, "").await.unwrap();
                all.push(Self { case, organisation: made.id, secret });
            }
            all
        }

        /// Uses the token in a server of its own, and waits until that one has written all.
        async fn use_token(&self) {
            let directory = self.case.open().await;
            for _ in 0..10 {
                assert!(directory.authenticate(&self.secret).await.unwrap().is_some());
            }
            directory.close().await;
        }

        async fn last_used(&self) -> Option<DateTime<Utc>> {
            self.case.open().await.tokens("acme").await.unwrap()[0].last_used
        }

        async fn set_last_used(&self, ago: TimeDelta) -> DateTime<Utc> {
            let then = now() - ago;
            let directory: Directory = self.case.open().await;
            let token = directory.tokens("acme").await.unwrap()[0].id.clone();
            let used = [super::Used { organisation: self.organisation.clone(), token }];
            directory.write(|tables, _| tables.used(&used, then)).await.unwrap();
            then
        }
    }

    #[tokio::test]
    async fn the_first_use_is_noted() {
        for case in Used::on_each().await {
            assert_eq!(case.last_used().await, None);
            let before = now();
            case.use_token().await;
            assert!((before..=now()).contains(&case.last_used().await.unwrap()));
        }
    }

    #[tokio::test]
    async fn a_use_within_the_minute_is_not_written() {
        for case in Used::on_each().await {
            let then = case.set_last_used(TimeDelta::seconds(30)).await;
            case.use_token().await;
            assert_eq!(case.last_used().await, Some(then));
            let then = case.set_last_used(TimeDelta::seconds(61)).await;
            case.use_token().await;
            assert!(case.last_used().await.unwrap() > then);
        }
    }

    #[tokio::test]
    async fn a_moment_in_the_future_is_put_right() {
        for case in Used::on_each().await {
            case.set_last_used(TimeDelta::hours(-5)).await;
            case.use_token().await;
            assert!(case.last_used().await.unwrap() <= now());
        }
    }

    #[tokio::test]
    async fn a_request_does_not_wait_for_a_writer() {
        for case in Used::on_each().await {
            let directory = case.case.open().await;
            let (before, after) = (case.case.open().await, case.case.open().await);
            let organisation = case.organisation.clone();
            // Somebody has the locks until the request is answered.
            let (told, answered) = tokio::sync::oneshot::channel::<()>();
            let (locked, begins) = tokio::sync::oneshot::channel();
            let held = tokio::spawn(async move {
                let mut tables = before.backend.begin(Kind::Write).await.unwrap();
                tables.organisation(&organisation, true).await.unwrap();
                locked.send(()).unwrap();
                answered.await.unwrap();
                tables.abandon().await;
            });
            begins.await.unwrap();
            assert!(directory.authenticate(&case.secret).await.unwrap().is_some());
            told.send(()).unwrap();
            held.await.unwrap();
            directory.close().await;
            assert!(after.tokens("acme").await.unwrap()[0].last_used.is_some());
        }
    }

    #[tokio::test]
    async fn a_token_waits_once_however_often_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path().join("hub.db")).unwrap();
        let used = |token: &str| super::Used { organisation: "acme".to_owned(), token: token.to_owned() };
        for token in ["a", "b", "a", "a"] {
            directory.last_used.note(used(token));
        }
        // The task has not run yet: there is one thread, and it is here.
        assert_eq!(directory.last_used.shared.state().waiting, [used("a"), used("b")]);
    }
}
