//! Closing: what a closed tenant refuses, and that nothing slips in behind the closing.

use std::sync::Barrier;
use std::thread;

use scimwright_store::{ChainHash, Change, Cut, StoreError, Version, When};
use serde_json::json;

use super::Subject;
use super::at::{At, delete, event, fact, user_key};
use super::log::{cut, verified};
use super::sample::{change, user};

/// So many write when the tenant is closed.
const WRITERS: usize = 4;

/// A change that closes the tenant, or opens it.
pub(super) fn close(closed: bool) -> Change {
    let mut change = change([]);
    change.events = vec![event(if closed { "close" } else { "open" })];
    change.close = Some(closed);
    change
}

/// Whether a change was refused because the tenant is closed.
fn is_refused(at: &At, change: Change) -> bool {
    matches!(at.change(change), Err(StoreError::Closed))
}

/// A closed tenant takes no change but one that closes or opens it, which may do more besides; everything of it can be read, and other
/// tenants are open.
pub fn a_closed_tenant_commits_nothing(subject: &Subject) {
    let at = At::new(subject);
    let other = at.other("b");
    at.does([user("1", "ada")]);
    // One that fails does not close.
    let mut fails = close(true);
    fails.writes.push(delete(user_key("nobody")));
    assert!(matches!(at.change(fails), Err(StoreError::NotFound(_))));
    at.does([user("2", "grace")]);
    let mut closing = close(true);
    closing.facts.push(fact("known", Some(json!("closed")), When::Always));
    closing.writes.push(user("3", "jean"));
    assert_eq!(at.change(closing).unwrap().version, Version(3));
    let before = at.everything();
    let mut knows = change([]);
    knows.facts.push(fact("known", None, When::Always));
    let first = at.log(0, 1)[0].hash;
    let mut blind = change([]);
    blind.cut = Some(Cut { through: 9, hash: ChainHash::first(&at.whose) });
    // It is asked before anything else.
    for refused in
        [change([]), knows, change([delete(user_key("1"))]), change([delete(user_key("0"))]), cut(&at, 1, first), blind]
    {
        assert!(is_refused(&at, refused.clone()), "{refused:?}");
        assert_eq!(at.everything(), before, "{refused:?}");
    }
    assert!(at.is_there(&user_key("3")));
    other.does([user("1", "ada")]);
    // Closing it once more keeps it closed, and is an entry like every other.
    assert_eq!(at.change(close(true)).unwrap().version, Version(4));
    assert!(is_refused(&at, change([])));
    assert_eq!(at.change(close(false)).unwrap().version, Version(5));
    assert_eq!(at.does([delete(user_key("1"))]).version, Version(6));
    verified(&at);
    // A tenant that never was can be closed.
    let fresh = at.other("c");
    fresh.change(close(true)).unwrap();
    assert!(is_refused(&fresh, change([])));
    assert_eq!(fresh.position(), 1);
}

/// Of changes that are under way when the tenant is closed, each is in the log before the closing or refused.
pub fn nothing_is_committed_behind_the_closing(subject: &Subject) {
    let at = At::new(subject);
    for round in 0..5 {
        let start = Barrier::new(WRITERS + 1);
        let (closed, acknowledged) = thread::scope(|scope| {
            let one = |writer: usize| {
                let (at, start) = (&at, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut acknowledged = Vec::new();
                    for number in 0.. {
                        let id = format!("{round} {writer} {number}");
                        match at.tries([user(&id, &id)]) {
                            Ok(done) => acknowledged.push(done.version.0),
                            Err(StoreError::Closed) => break,
                            Err(other) => panic!("{id}: {other:?}"),
                        }
                    }
                    acknowledged
                })
            };
            let writers: Vec<_> = (0..WRITERS).map(one).collect();
            let before = at.position();
            start.wait();
            // They are at it.
            while at.position() < before + WRITERS as u64 {
                thread::yield_now();
            }
            let closed = at.change(close(true)).unwrap().version.0;
            let acknowledged = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>();
            (closed, acknowledged)
        });
        assert!(acknowledged.iter().all(|position| *position < closed), "{acknowledged:?} and closed at {closed}");
        assert_eq!(at.position(), closed);
        at.change(close(false)).unwrap();
    }
    verified(&at);
}
