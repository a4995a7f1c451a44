//! Several clients on the same users and groups at once, and whether one after the other could have had the same answers.
//!
//! A [`Race`] is a seed: what each client does follows from it. [`Race::run`] sends the requests through a [`Door`] for each
//! client, in threads that interleave as they happen to; [`Race::simulate`] does it in one thread, where that follows from the
//! seed too. [`judge`] looks for an order of what was answered that a [`Directory`] explains (RFC 7644 sections 3.3 to 3.6 and
//! 3.14), and asks besides whether a member is missing whom the server has acknowledged.
//!
//! # Scope
//!
//! What a user shows of its groups is left out: it is part of other resources, and no request changes it together with the
//! user. Versions are taken for numbers that grow, as those of this project are.

mod directory;
mod missing;
mod plan;
mod record;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::task::{Context, Waker};

use async_trait::async_trait;
use pollster::block_on;
use serde_json::Value;

use crate::linearizability::{self, Call};
use crate::random::Random;

pub use directory::{Directory, Rules};
pub use missing::missing_members;

use plan::Act;
use record::Ground;

/// How one client reaches the server.
#[async_trait]
pub trait Door: Sync {
    /// Sends a request to a path below the base, and waits for the answer.
    async fn send(&self, method: &str, path: &str, if_match: Option<&str>, body: Option<&Value>) -> Seen;
}

/// An answer: what of it is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The HTTP status.
    pub status: u16,
    /// The entity tag.
    pub etag: Option<String>,
    /// The body; null where there is none.
    pub body: Value,
}

/// What clients do at once.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// What it all follows from.
    pub seed: u64,
    /// How many clients there are.
    pub clients: usize,
    /// How many requests each of them sends.
    pub requests: usize,
}

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// What was asked.
    pub asked: Asked,
    /// The version that the client insisted on.
    pub if_match: Option<u64>,
    /// The HTTP status.
    pub status: u16,
    /// The `id` of what was made.
    pub made: Option<String>,
    /// The resource that was shown.
    pub shown: Option<Shown>,
}

/// What can be asked. Users and groups are named by their `id`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// POST.
    Create(Content),
    /// PUT.
    Replace(String, Content),
    /// PATCH of a user's `title`.
    Title(String, u64),
    /// PATCH of a group's `displayName`.
    Rename(String, String),
    /// PATCH that adds members.
    Join(String, BTreeSet<String>),
    /// PATCH that removes one.
    Leave(String, String),
    /// DELETE.
    Delete(String),
    /// GET, or the body that answers the write of a group: it is read after it was written.
    Read(String),
}

/// What of a resource is written and read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// A user.
    User {
        /// `userName`, in lower case.
        name: String,
        /// `title`, which is a number here.
        title: Option<u64>,
    },
    /// A group.
    Group {
        /// `displayName`.
        name: String,
        /// The `value` of its members.
        members: BTreeSet<String>,
    },
}

/// A resource as an answer shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its `id`.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// The rest.
    pub content: Content,
}

impl Race {
    /// Runs it: a thread for each of the doors, all of one tenant. What other tests have left there does no harm.
    pub fn run(&self, doors: &[impl Door]) -> Vec<Call<Step>> {
        let ground = Ground::default();
        let Some(first) = doors.first() else { return Vec::new() };
        block_on(ground.client(self, 0, first).set_up());
        let start = Barrier::new(doors.len());
        std::thread::scope(|scope| {
            for (number, door) in doors.iter().enumerate() {
                let (start, client) = (&start, ground.client(self, number, door));
                scope.spawn(move || {
                    start.wait();
                    block_on(client.acts());
                });
            }
        });
        block_on(ground.client(self, 0, first).read_all());
        ground.history.into_calls()
    }

    /// Runs it in one thread, which lets one client go on wherever another waits, in an order that follows from the seed. Where
    /// the server waits for nobody but itself the history is the same each time.
    pub fn simulate(&self, door: &impl Door) -> Vec<Call<Step>> {
        let ground = Ground::default();
        block_on(ground.client(self, 0, door).set_up());
        let clients = (0..self.clients).map(|number| ground.client(self, number, door));
        take_turns(&mut Random::new(!self.seed), clients.map(|client| async move { client.acts().await }));
        block_on(ground.client(self, 0, door).read_all());
        ground.history.into_calls()
    }

    /// What one client does.
    fn acts(&self, client: usize) -> Vec<Act> {
        let mut random = Random::new(self.seed ^ (client as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (0..self.requests).map(|_| random.act()).collect()
    }
}

/// Lets tasks go on one at a time until all have ended.
fn take_turns(random: &mut Random, tasks: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut tasks: Vec<_> = tasks.map(Box::pin).collect();
    let mut context = Context::from_waker(Waker::noop());
    while !tasks.is_empty() {
        let at = random.below(tasks.len());
        let ended = tasks.get_mut(at).is_some_and(|task| task.as_mut().poll(&mut context).is_ready());
        if ended {
            drop(tasks.swap_remove(at));
        }
    }
}

/// Whether an order of the calls explains what was answered, and nobody is missing who was acknowledged as a member.
///
/// # Errors
///
/// What is wrong, in words.
pub fn judge(rules: Rules, calls: &[Call<Step>]) -> Result<(), String> {
    let missing = missing_members(rules, calls);
    if !missing.is_empty() {
        return Err(format!("members are missing who were acknowledged:\n{}", missing.join("\n")));
    }
    let model = Directory::new(rules);
    linearizability::check(&model, calls).map(drop).map_err(|why| why.describe(calls))
}

#[cfg(test)]
mod tests;
