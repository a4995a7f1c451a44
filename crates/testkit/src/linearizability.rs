//! Whether what several clients saw at once is what one after the other could have seen.
//!
//! A history is a list of [`Call`]s, each with the moments at which it was sent and answered. It is linearizable when there is
//! an order of all calls in which each has the answer that a [`Model`] without any concurrency gives, and in which no call
//! comes before one that was answered before it was sent (Herlihy and Wing 1990). [`check`] searches for such an order as Wing
//! and Gong do, and remembers which sets of calls have led to which states (Lowe 2017), so that it does not search twice.
//!
//! ```
//! use scimwright_testkit::linearizability::{Call, Model, check};
//!
//! /// A number that is written and read.
//! struct Register;
//!
//! #[derive(Debug)]
//! enum Op {
//!     Write(u8),
//!     Read(u8),
//! }
//!
//! impl Model for Register {
//!     type State = u8;
//!     type Op = Op;
//!
//!     fn start(&self) -> u8 {
//!         0
//!     }
//!
//!     fn step(&self, state: &u8, op: &Op) -> Vec<u8> {
//!         match op {
//!             Op::Write(value) => vec![*value],
//!             Op::Read(value) if value == state => vec![*state],
//!             Op::Read(_) => vec![],
//!         }
//!     }
//! }
//!
//! // Both are under way at once, so the read may come first.
//! assert!(check(&Register, &[Call::new(1, 4, Op::Write(1)), Call::new(2, 3, Op::Read(0))]).is_ok());
//! // Here the write was answered before the read was sent.
//! assert!(check(&Register, &[Call::new(1, 2, Op::Write(1)), Call::new(3, 4, Op::Read(0))]).is_err());
//! ```

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a system does when one call comes after the other.
pub trait Model {
    /// What it remembers.
    type State: Clone + Eq + Hash;
    /// What is asked, with the answer that came.
    type Op;

    /// What it remembers at the beginning.
    fn start(&self) -> Self::State;

    /// What it may remember after the call, if this is how it answers in that state: nothing where it cannot have answered so,
    /// more than one state where the answer leaves that open.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Vec<Self::State>;
}

/// A call of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call<Op> {
    /// The moment before it was sent.
    pub began: u64,
    /// The moment after its answer had come; none when none came, so that it may have happened at any time since, or never.
    pub ended: Option<u64>,
    /// A call that this one comes after although both are under way at once: its place in the history.
    pub after: Option<usize>,
    /// What was asked and answered.
    pub op: Op,
}

/// Why no order was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexplained {
    /// There is none.
    Contradiction {
        /// The longest order that there is for a part of the history.
        explained: Vec<usize>,
        /// The calls of which one would have to come next; none of them could.
        stuck: Vec<usize>,
    },
    /// The search was given up: there are too many ways.
    TooLarge,
}

/// So many pairs of calls done and state reached are looked at before the search is given up.
const LIMIT: usize = 2_000_000;

/// Finds an order that explains the history: the places of its calls. Calls without an answer are in it where they happened.
///
/// # Errors
///
/// When there is no such order.
pub fn check<M: Model>(model: &M, calls: &[Call<M::Op>]) -> Result<Vec<usize>, Unexplained> {
    let mut seen = HashSet::new();
    let mut best: (Vec<usize>, Vec<usize>) = Default::default();
    let mut order = Vec::new();
    let mut frames = vec![Frame::new(model, calls, Done::none(calls.len()), model.start())];
    while let Some(frame) = frames.last_mut() {
        if frame.done.has_all_answered(calls) {
            return Ok(order);
        }
        let Some((call, state)) = frame.next.pop() else {
            if order.len() >= best.0.len() {
                best = (order.clone(), frame.enabled.clone());
            }
            frames.pop();
            order.pop();
            continue;
        };
        let done = frame.done.with(call);
        if !seen.insert((done.clone(), state.clone())) {
            continue;
        }
        if seen.len() > LIMIT {
            return Err(Unexplained::TooLarge);
        }
        order.push(call);
        frames.push(Frame::new(model, calls, done, state));
    }
    Err(Unexplained::Contradiction { explained: best.0, stuck: best.1 })
}

/// A part of an order, and how it may go on.
struct Frame<State> {
    done: Done,
    /// The calls that may come next in time.
    enabled: Vec<usize>,
    /// Those of them that the model allows, with what they lead to, not tried yet.
    next: Vec<(usize, State)>,
}

impl<State> Frame<State> {
    fn new<M: Model<State = State>>(model: &M, calls: &[Call<M::Op>], done: Done, state: State) -> Self {
        let enabled = done.enabled(calls);
        let steps = |at: &usize| {
            let states = calls.get(*at).map(|call| model.step(&state, &call.op)).unwrap_or_default();
            states.into_iter().map(|state| (*at, state)).collect::<Vec<_>>()
        };
        // The last is tried first, and what began first most often happened first.
        let next = enabled.iter().rev().flat_map(steps).collect();
        Self { done, enabled, next }
    }
}

/// A set of calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Done(Vec<u64>);

impl Done {
    fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn has(&self, call: usize) -> bool {
        self.0.get(call / 64).is_some_and(|word| word >> (call % 64) & 1 == 1)
    }

    fn with(&self, call: usize) -> Self {
        let mut more = self.clone();
        if let Some(word) = more.0.get_mut(call / 64) {
            *word |= 1 << (call % 64);
        }
        more
    }

    fn has_all_answered<Op>(&self, calls: &[Call<Op>]) -> bool {
        calls.iter().enumerate().all(|(at, call)| call.ended.is_none() || self.has(at))
    }

    /// The calls that may come next: no other that is not done was answered before they were sent.
    fn enabled<Op>(&self, calls: &[Call<Op>]) -> Vec<usize> {
        let open = || calls.iter().enumerate().filter(|(at, _)| !self.has(*at));
        let first = open().filter_map(|(_, call)| call.ended).min().unwrap_or(u64::MAX);
        let ready = |call: &Call<Op>| call.began <= first && call.after.is_none_or(|before| self.has(before));
        let mut enabled: Vec<(u64, usize)> =
            open().filter(|(_, call)| ready(call)).map(|(at, call)| (call.began, at)).collect();
        enabled.sort_unstable();
        enabled.into_iter().map(|(_, at)| at).collect()
    }
}

impl<Op> Call<Op> {
    /// A call that was sent and answered at these moments.
    pub const fn new(began: u64, ended: u64, op: Op) -> Self {
        Self { began, ended: Some(ended), after: None, op }
    }

    /// A call that was sent and never answered.
    pub const fn pending(began: u64, op: Op) -> Self {
        Self { began, ended: None, after: None, op }
    }

    /// The same call, which comes after another one whatever their moments say.
    #[must_use]
    pub const fn after(mut self, call: usize) -> Self {
        self.after = Some(call);
        self
    }
}

impl Unexplained {
    /// What was found, for people: the longest explanation, and the calls that have no place in it.
    pub fn describe<Op: Debug>(&self, calls: &[Call<Op>]) -> String {
        let Self::Contradiction { explained, stuck } = self else {
            return "there are too many orders to look at all of them".to_owned();
        };
        let line = |at: &usize| match calls.get(*at) {
            Some(Call { began, ended: Some(ended), op, .. }) => format!("  #{at} {began}..{ended} {op:?}\n"),
            Some(Call { began, op, .. }) => format!("  #{at} {began}.. {op:?}\n"),
            None => String::new(),
        };
        let lines = |calls: &[usize]| calls.iter().map(line).collect::<String>();
        format!(
            "no order explains the history. As far as this one goes:\n{}none of these can come next:\n{}",
            lines(explained),
            lines(stuck)
        )
    }
}

/// The moment at which a call of a [`History`] was sent.
#[derive(Debug)]
#[must_use]
pub struct Begun(u64);

/// Takes down what happens at once.
#[derive(Debug)]
pub struct History<Op> {
    clock: AtomicU64,
    calls: Mutex<Vec<Call<Op>>>,
}

impl<Op> History<Op> {
    /// A history of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { clock: AtomicU64::new(0), calls: Mutex::new(Vec::new()) }
    }

    /// The moment at which something is sent.
    pub fn begin(&self) -> Begun {
        Begun(self.clock.fetch_add(1, Ordering::SeqCst))
    }

    /// Takes down, now that it is answered, the steps of which it consisted: they came one after the other, and all of them
    /// since it was sent.
    pub fn end(&self, begun: Begun, steps: impl IntoIterator<Item = Op>) {
        let ended = self.clock.fetch_add(1, Ordering::SeqCst);
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, op) in steps.into_iter().enumerate() {
            let after = (number > 0).then(|| calls.len() - 1);
            calls.push(Call { began: begun.0, ended: Some(ended), after, op });
        }
    }

    /// All that was taken down.
    pub fn into_calls(self) -> Vec<Call<Op>> {
        self.calls.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Op> Default for History<Op> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
