//! A store that fails around its commits: before, in the middle, and when all is done but nobody has heard.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use scimwright_store::{Change, Committed, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId};
use serde_json::Value;

use crate::random::Random;

/// When a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before anything is written.
    Before,
    /// In the middle of the commit: whoever waits for it goes away, and whether it happens is open.
    During,
    /// When it is done, but before anybody hears of it.
    After,
    /// When it is done and known, and what was written is read again.
    Reading,
}

/// A store over another that answers [`StoreError::Unavailable`] when it is told to: as one does whose connection breaks.
#[derive(Debug)]
pub struct Failing {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: Option<Moment>,
    often: Option<Random>,
    reading: bool,
    done: HashMap<String, Done>,
}

/// What became of the commits of an actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// So many are written.
    pub(super) written: usize,
    /// Of so many it is open.
    pub(super) open: usize,
}

impl Failing {
    /// A store that does not fail until it is told to.
    #[must_use]
    pub fn over(inner: Arc<dyn Store>) -> Self {
        Self { inner, state: Mutex::new(State { next: None, often: None, reading: false, done: HashMap::new() }) }
    }

    /// Fails at the next commit.
    pub fn fail_next(&self, moment: Moment) {
        self.state().next = Some(moment);
    }

    /// Fails at one of three commits from here on, before it or after it, as the seed says. Never during it: what is given up may still
    /// happen later, and undo what was asked for meanwhile.
    pub fn fail_often(&self, seed: u64) {
        self.state().often = Some(Random::new(seed));
    }

    /// Fails no more.
    pub fn recover(&self) {
        let mut state = self.state();
        (state.next, state.often, state.reading) = (None, None, false);
    }

    pub(super) fn done_by(&self, actor: &str) -> Done {
        self.state().done.get(actor).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Option<Moment> {
        let mut state = self.state();
        let chosen = state.often.as_mut().and_then(|random| match random.below(9) {
            0 => Some(Moment::Before),
            1 | 2 => Some(Moment::After),
            _ => None,
        });
        state.next.take().or(chosen)
    }
}

fn broken<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable("the connection broke"))
}

/// Begins something, and goes away unless it is done at once.
async fn begun<T>(mut work: impl Future<Output = T> + Unpin) -> Option<T> {
    poll_fn(|context| match std::pin::Pin::new(&mut work).poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[async_trait]
impl Store for Failing {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        if std::mem::take(&mut self.state().reading) {
            return broken();
        }
        self.inner.get(tenant, key, members).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.inner.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let moment = self.moment();
        if moment == Some(Moment::Before) {
            return broken();
        }
        let actor = change.events.first().map(|event| event.actor.clone()).unwrap_or_default();
        let commit = self.inner.commit(tenant, change);
        let done = if moment == Some(Moment::During) { begun(commit).await } else { Some(commit.await) };
        let mut state = self.state();
        let of_actor = state.done.entry(actor).or_default();
        match &done {
            Some(Ok(_)) => of_actor.written += 1,
            Some(Err(_)) => {}
            None => of_actor.open += 1,
        }
        match (moment, done) {
            (Some(Moment::During | Moment::After), Some(Ok(_))) | (_, None) => broken(),
            (moment, Some(done)) => {
                state.reading |= moment == Some(Moment::Reading);
                done
            }
        }
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.inner.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.inner.fact(tenant, name).await
    }
}
