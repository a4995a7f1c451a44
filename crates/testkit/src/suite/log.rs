//! The log: places without gaps, events as they were written, and a chain that retention does not break.

use pollster::block_on;
use scimwright_store::chain::{self, CHECKPOINT, ChainHash, Verified};
use scimwright_store::{Change, Checkpoint, Cut, Event, Logged, StoreError, Transition, Version, When};

use super::Subject;
use super::at::{At, delete, displaced, event, fact, group_key, replace, titled, user_key};
use super::sample::{change, group, user};

/// A change of nothing but events.
fn events(names: &[&str]) -> Change {
    let mut change = change([]);
    change.events = names.iter().map(|name| event(name)).collect();
    change
}

/// An event with something in every field.
fn full() -> Event {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let mut full = event("patch");
    full.time = "2026-01-01T00:00:00Z".to_owned();
    full.actor = "token 7 \u{0}\u{e9}\"\\".to_owned();
    full.target = Some(user_key("1"));
    full.status = 409;
    full.detail = Some("a line\nand another".to_owned());
    full.changed = texts(&["userName", "emails.value"]);
    full.transition = Some(Transition::Deactivated);
    full.joined = texts(&["1", "2"]);
    full.left = texts(&["3"]);
    full.displaced = vec![displaced("g", "1")];
    full.quirks = texts(&["path-case"]);
    full
}

/// Every event has the next place, in the order in which it was written, and is read as it was written.
pub fn every_event_has_its_place(subject: &Subject) {
    let at = At::new(subject);
    assert_eq!(at.log(0, 9), []);
    let mut first = change([user("1", "ada")]);
    first.events = vec![event("create"), full()];
    at.change(first).unwrap();
    at.tries([user("2", "ada")]).expect_err("the name is taken");
    at.change(events(&["a", "b", "c"])).unwrap();
    let log = at.log(0, usize::MAX);
    let places: Vec<_> = log.iter().map(|logged| (logged.position, logged.event.operation.as_str())).collect();
    assert_eq!(places, [(1, "create"), (2, "patch"), (3, "a"), (4, "b"), (5, "c")]);
    assert_eq!(log[1].event, full());
}

/// The log is read from any place on, a few entries at a time, oldest first.
pub fn the_log_is_read_from_any_place(subject: &Subject) {
    let at = At::new(subject);
    for _ in 0..5 {
        at.change(events(&["one", "two"])).unwrap();
    }
    let places = |after, limit| at.log(after, limit).iter().map(|logged| logged.position).collect::<Vec<_>>();
    assert_eq!(places(0, usize::MAX), (1..=10).collect::<Vec<_>>());
    assert_eq!(places(0, 3), [1, 2, 3]);
    assert_eq!(places(3, 4), [4, 5, 6, 7]);
    assert_eq!(places(8, 9), [9, 10]);
    for (after, limit) in [(10, 1), (11, 5), (u64::MAX, usize::MAX), (0, 0), (4, 0)] {
        assert_eq!(places(after, limit), [0; 0], "{after} {limit}");
    }
}

/// Who left other groups stands in the first event of the change, behind what its writer had put there, and is hashed with it.
pub fn the_first_event_says_who_was_displaced(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &["1"]), group("h", &[])]);
    let mut moves = events(&["patch", "remark"]);
    moves.events[0].displaced.push(displaced("elsewhere", "2"));
    let mut join = super::sample::joining(&["1"]);
    join.exclusive = true;
    moves.writes.push(super::at::members("h", join));
    at.change(moves).unwrap();
    let log = at.log(1, 9);
    assert_eq!(log[0].event.displaced, [displaced("elsewhere", "2"), displaced("g", "1")]);
    assert_eq!(log[1].event.displaced, []);
    verified(&at);
}

/// The log of a tenant, whose chain must hold.
#[track_caller]
pub(super) fn verified(at: &At) -> Verified {
    let trust = |_: &Checkpoint| Ok(());
    block_on(chain::verify(&*at.store, &at.whose, trust)).unwrap_or_else(|why| panic!("{}: {why}", at.whose))
}

/// The hash of every entry follows from the one before, and that of the first from the tenant's name.
pub fn the_log_is_a_chain(subject: &Subject) {
    let one = At::new(subject);
    let tenants = [one.other("a"), one.other("b"), one.other("A")];
    for number in 0..4 {
        for at in &tenants {
            let mut some = events(&["first", "second"]);
            some.events[0].detail = Some(format!("\u{e9}\u{0} {number}"));
            some.events.push(full());
            at.change(some).unwrap();
            at.tries([delete(user_key("nobody"))]).expect_err("nobody is there");
        }
    }
    for at in &tenants {
        let mut hash = ChainHash::first(&at.whose);
        let log = at.log(0, usize::MAX);
        assert_eq!(log.len(), 12);
        for (place, Logged { position, event, hash: found }) in (1..).zip(&log) {
            hash = hash.next(place, event);
            assert_eq!((*position, *found), (place, hash), "{}", at.whose);
        }
        assert_eq!((verified(at).position, verified(at).head), (12, hash));
    }
}

/// A change that cuts the log at one of its entries, and leaves the checkpoint that stands for what is gone.
pub(super) fn cut(at: &At, through: u64, hash: ChainHash) -> Change {
    let mut change = events(&["retention"]);
    change.cut = Some(Cut { through, hash });
    let checkpoint = Checkpoint {
        tenant: at.whose.to_string(),
        position: through,
        hash,
        time: "2026-01-01T00:00:00Z".to_owned(),
        cuts_before: 0,
        previous: None,
        key: String::new(),
        signature: String::new(),
    };
    change.facts.push(fact(CHECKPOINT, serde_json::to_value(checkpoint).ok(), When::Always));
    change
}

/// Entries that are old enough leave the log; positions, versions and hashes go on, and what is left is a chain from the checkpoint.
pub fn retention_keeps_the_chain(subject: &Subject) {
    let at = At::new(subject);
    let other = at.other("b");
    for number in 0..6 {
        at.does([user(&number.to_string(), &format!("user {number}"))]);
        other.does([]);
    }
    let (all, theirs) = (at.log(0, usize::MAX), other.log(0, usize::MAX));
    let places = || at.log(0, usize::MAX).iter().map(|logged| logged.position).collect::<Vec<_>>();
    let done = at.change(cut(&at, 4, all[3].hash)).unwrap();
    assert_eq!((done.version, places()), (Version(7), vec![5, 6, 7]));
    assert_eq!(at.log(0, 2), all[4..]);
    assert_eq!(at.log(2, 1), all[4..5]);
    let now = verified(&at);
    assert_eq!((now.entries, now.position, now.checkpoint.map(|point| point.position)), (3, 7, Some(4)));
    // Once more, up to the entry that stood last.
    let last = at.log(6, 1)[0].hash;
    assert_eq!(at.change(cut(&at, 7, last)).unwrap().version, Version(8));
    assert_eq!(places(), [8]);
    assert_eq!(at.does([replace(titled("0", "user 0", ""), Version(1))]).version, Version(9));
    let now = verified(&at);
    assert_eq!((now.entries, now.position), (2, 9));
    assert_eq!(at.log(7, 1)[0].hash, last.next(8, &at.log(7, 1)[0].event));
    assert_eq!(other.log(0, usize::MAX), theirs);
}

/// A log is cut only at an entry that it has, with the hash that it has; else nothing of the change happens.
pub fn a_log_is_cut_only_where_it_can_be(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &["1"])]);
    at.change(events(&["a", "b", "c"])).unwrap();
    let log = at.log(0, usize::MAX);
    at.change(cut(&at, 1, log[0].hash)).unwrap();
    let before = at.everything();
    let first = ChainHash::first(&at.whose);
    // An entry that is gone, the beginning, another's hash, an entry that this very change writes, and places far away.
    let wrong =
        [(1, log[0].hash), (0, first), (2, log[2].hash), (3, log[1].hash), (6, first), (7, first), (u64::MAX, first)];
    for (through, hash) in wrong {
        let mut cannot = cut(&at, through, hash);
        cannot.writes = vec![user("2", "grace"), delete(group_key("g"))];
        cannot.facts.push(fact("known", Some(true.into()), When::Always));
        let error = at.change(cannot).expect_err("there is no such entry");
        assert!(matches!(error, StoreError::NoSuchEntry(place) if place == through), "{through}: {error:?}");
        assert_eq!(at.everything(), before, "{through}");
    }
    assert_eq!(verified(&at).checkpoint.map(|point| point.position), Some(1));
    // A change that cuts and fails otherwise cuts nothing.
    let mut fails = cut(&at, 3, log[2].hash);
    fails.writes.push(user("2", "ada"));
    at.change(fails).expect_err("the name is taken");
    assert_eq!(at.everything(), before);
    // A tenant without a log has nothing to be cut.
    let nobody = at.other("nobody");
    let error = nobody.change(cut(&nobody, 1, log[0].hash)).expect_err("there is no log");
    assert!(matches!(error, StoreError::NoSuchEntry(1)), "{error:?}");
    assert_eq!((nobody.position(), nobody.fact(CHECKPOINT)), (0, None));
}
