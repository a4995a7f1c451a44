//! Several clients at once on the same users and groups, over HTTP: an order of their requests explains every answer, and
//! nobody is missing from a group who was acknowledged as a member. What it takes to notice is shown with stores that are wrong.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod stores;

use scimwright_store::{InMemory, Store};
use scimwright_testkit::races::{Door, Race, Rules, Seen, judge};
use scimwright_tests::{Server, Setup, StoreKind};
use serde_json::Value;
use stores::{Fault, Faulty, Yielding};

/// A client of the server under test.
struct InProcess<'s>(&'s Server);

impl Door for InProcess<'_> {
    fn send(&self, method: &str, path: &str, if_match: Option<&str>, body: Option<&Value>) -> Seen {
        let mut ask = self.0.ask(method, path);
        if let Some(body) = body {
            ask = ask.json(body);
        }
        if let Some(tag) = if_match {
            ask = ask.with("if-match", tag);
        }
        let answer = ask.send();
        let etag = answer.header("etag").map(str::to_owned);
        Seen { status: answer.status, etag, body: answer.body }
    }
}

/// Runs a race, and says what is wrong with its history.
fn run(server: &Server, race: &Race) -> Result<(), String> {
    let doors: Vec<_> = (0..race.clients).map(|_| InProcess(server)).collect();
    judge(Rules::default(), &race.run(&doors)).map_err(|why| format!("{race:?}: {why}"))
}

/// Races of three and four clients, all different. The seed of each tells what its clients did.
fn races(count: u64) -> impl Iterator<Item = Race> {
    (0..count).map(|seed| Race { seed, clients: 3 + seed as usize % 2, requests: 7 })
}

#[track_caller]
fn all_are_explained(server: &Server, count: u64) {
    for race in races(count) {
        run(server, &race).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn whatever_clients_do_at_once_in_memory_an_order_explains() {
    all_are_explained(&Setup::default().start(StoreKind::InMemory), 60);
}

#[test]
fn whatever_clients_do_at_once_on_sqlite_an_order_explains() {
    all_are_explained(&Setup::default().start(StoreKind::Sqlite), 20);
}

#[test]
fn whatever_comes_between_reading_and_writing_an_order_explains() {
    all_are_explained(&Setup::default().start_over(Yielding::over(InMemory::default())), 150);
}

/// A store that is wrong is found out within so many races.
#[track_caller]
fn is_found_out(fault: Fault) {
    let server = Setup::default().start_over(Yielding::over(Faulty::new(fault)));
    let found = races(200).find_map(|race| run(&server, &race).err());
    assert!(found.is_some(), "{fault:?} goes unnoticed");
}

#[test]
fn a_store_that_writes_over_what_it_has_not_read_is_found_out() {
    is_found_out(Fault::LostUpdates);
}

#[test]
fn a_store_that_forgets_members_is_found_out() {
    is_found_out(Fault::LostMembers);
}

#[test]
fn a_store_that_reads_from_the_past_is_found_out() {
    is_found_out(Fault::StaleReads);
}

#[test]
fn a_store_that_gives_a_name_twice_is_found_out() {
    is_found_out(Fault::NoUniqueness);
}

#[test]
fn a_store_that_deletes_without_looking_is_found_out() {
    is_found_out(Fault::BlindDeletes);
}

/// That the wrapper alone is no fault: what it leaves as it is, is judged right.
#[test]
fn a_store_without_a_fault_is_not_found_out() {
    let store = Faulty::new(Fault::None);
    let _: &dyn Store = &store;
    all_are_explained(&Setup::default().start_over(Yielding::over(store)), 30);
}
