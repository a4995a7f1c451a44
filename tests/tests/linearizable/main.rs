//! Several clients at once on the same users and groups, over HTTP: an order of their requests explains every answer, and
//! nobody is missing from a group who was acknowledged as a member. What it takes to notice is shown with stores that are wrong.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod stores;

use async_trait::async_trait;
use scimwright_store::InMemory;
use scimwright_testkit::races::{Door, Race, Rules, Seen, judge};
use scimwright_tests::{Server, Setup, StoreKind};
use serde_json::Value;
use stores::{Fault, Faulty, Waiting};

/// A client of the server under test.
struct InProcess<'s>(&'s Server);

#[async_trait]
impl Door for InProcess<'_> {
    async fn send(&self, method: &str, path: &str, if_match: Option<&str>, body: Option<&Value>) -> Seen {
        let mut ask = self.0.ask(method, path);
        if let Some(body) = body {
            ask = ask.json(body);
        }
        if let Some(tag) = if_match {
            ask = ask.with("if-match", tag);
        }
        let answer = ask.answer().await;
        let etag = answer.header("etag").map(str::to_owned);
        Seen { status: answer.status, etag, body: answer.body }
    }
}

/// Races of three and four clients, all different. The seed of each tells what its clients did.
fn races(count: u64) -> impl Iterator<Item = Race> {
    (0..count).map(|seed| Race { seed, clients: if seed % 2 == 0 { 3 } else { 4 }, requests: 7 })
}

/// Runs a race with a thread for each client, and says what is wrong with its history.
fn run(server: &Server, race: &Race) -> Result<(), String> {
    let doors: Vec<_> = (0..race.clients).map(|_| InProcess(server)).collect();
    judge(Rules::default(), &race.run(&doors)).map_err(|why| format!("{race:?}: {why}"))
}

/// Runs a race in one thread, where whatever happens follows from its seed.
fn simulate(server: &Server, race: &Race) -> Result<(), String> {
    judge(Rules::default(), &race.simulate(&InProcess(server))).map_err(|why| format!("{race:?}: {why}"))
}

#[track_caller]
fn all_are_explained(kind: StoreKind, count: u64) {
    let server = Setup::default().start(kind);
    for race in races(count) {
        run(&server, &race).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn an_order_explains_what_threads_do_at_once_in_memory() {
    all_are_explained(StoreKind::InMemory, 60);
}

#[test]
fn an_order_explains_what_threads_do_at_once_on_sqlite() {
    all_are_explained(StoreKind::Sqlite, 20);
}

#[test]
fn an_order_explains_whatever_comes_between_reading_and_writing() {
    let server = Setup::default().start_over(Waiting::over(InMemory::default()));
    for race in races(200) {
        simulate(&server, &race).unwrap_or_else(|why| panic!("{why}"));
    }
}

/// A store that is wrong is found out within so many races.
#[track_caller]
fn is_found_out(fault: Fault, within: u64) {
    let server = Setup::default().start_over(Waiting::over(Faulty::new(fault)));
    let found = races(within).find_map(|race| simulate(&server, &race).err());
    assert!(found.is_some(), "{fault:?} goes unnoticed");
}

#[test]
fn a_store_that_writes_over_what_it_has_not_read_is_found_out() {
    is_found_out(Fault::LostUpdates, 60);
}

#[test]
fn a_store_that_forgets_members_is_found_out() {
    is_found_out(Fault::LostMembers, 60);
}

#[test]
fn a_store_that_reads_from_the_past_is_found_out() {
    is_found_out(Fault::StaleReads, 60);
}

#[test]
fn a_store_that_gives_a_name_twice_is_found_out() {
    is_found_out(Fault::NoUniqueness, 60);
}

#[test]
fn a_store_that_deletes_without_looking_is_found_out() {
    is_found_out(Fault::BlindDeletes, 60);
}
