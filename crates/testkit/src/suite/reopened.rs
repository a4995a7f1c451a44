//! What was acknowledged is there when the store is opened again. See [`store_suite!`](crate::store_suite) with `reopen`.
//!
//! Each case takes a store, and a function that gives one up, however roughly, and opens what it has left behind.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use scimwright_store::{Guard, Scope, Store, StoreError, Version, When};
use serde_json::json;

use super::at::{At, delete, event, fact, group_key, index_key, insert, members, replace, titled, user_key};
use super::log::verified;
use super::sample::{change, group, join, tenant, user};

/// A store that can be given up and opened again.
struct Lives<S, R> {
    store: Arc<S>,
    reopen: R,
}

impl<S: Store, R: Fn(S) -> S> Lives<S, R> {
    fn at(&self, whose: &str) -> At {
        At { store: Arc::clone(&self.store) as Arc<dyn Store>, whose: tenant(whose) }
    }

    /// The next life. Nobody else may hold the store.
    fn again(self) -> Self {
        let store = Arc::into_inner(self.store).expect("nobody holds the store any more");
        Self { store: Arc::new((self.reopen)(store)), ..self }
    }
}

/// Records, memberships, keys, facts and log of two tenants.
fn fill(at: &At) {
    let mut ada = titled("1", "ada", "Countess \u{0}\u{e9}");
    ada.index.push(index_key("login", &format!("{}'s", at.whose), Scope::Global));
    ada.notes.insert("origin".to_owned(), json!({"n": [1, 0.25]}));
    at.does([insert(ada), user("2", "grace"), group("g", &["1", "2"]), group("h", &["2"])]);
    let mut more = change([join("h", &["1", "g"]), replace(titled("2", "grace", "Admiral"), Version(1))]);
    more.events.push(event("second"));
    more.facts.push(fact("known", Some(json!({"so": "far"})), When::Absent));
    at.change(more).unwrap();
    at.does([members("h", super::at::leaving(&["2"]))]);
    at.tries([user("3", "ada")]).expect_err("the name is taken");
}

/// Records, versions, times, members, facts, log and hashes are as they were, life after life; so is what was refused.
pub fn everything_is_there_when_it_is_opened_again<S: Store>(fresh: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let mut lives = Lives { store: Arc::new(fresh()), reopen };
    let names = ["a", "A", "b"];
    names.iter().for_each(|name| fill(&lives.at(name)));
    for life in 0..3_u64 {
        let before = names.map(|name| lives.at(name).everything());
        lives = lives.again();
        assert_eq!(names.map(|name| lives.at(name).everything()), before, "life {life}");
        let at = lives.at("a");
        assert_eq!(verified(&at).position, 4 + life * 2);
        // Positions go on, and times grow over the reopening.
        let (record, id) = (at.record(&group_key("g")), format!("life {life}"));
        assert_eq!(at.does([user(&id, &id)]).version, Version(5 + life * 2));
        at.does([join("g", &[&id])]);
        assert!(at.record(&group_key("g")).modified > record.modified);
    }
}

/// What nobody sees until it is needed is remembered too: keys that are held, seats that are taken, versions, the end of the chain.
pub fn promises_hold_when_it_is_opened_again<S: Store>(fresh: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let lives = Lives { store: Arc::new(fresh()), reopen };
    fill(&lives.at("a"));
    lives.at("a").does([user("gone", "gone")]);
    lives.at("a").does([delete(user_key("gone"))]);
    let lives = lives.again();
    let at = lives.at("a");
    let taken = |done: Result<_, StoreError>| matches!(done, Err(StoreError::Conflict { .. }));
    assert!(taken(at.tries([user("3", "Ada")])) && taken(at.tries([user("g", "jean")])));
    let mut stranger = titled("1", "ada", "");
    stranger.index.push(index_key("login", "a's", Scope::Global));
    assert!(taken(lives.at("b").tries([insert(stranger)])));
    let seat = |limit| {
        let mut comes = change([user("gone", "gone")]);
        comes.guards.push(Guard::AtMost { resource_type: "User".to_owned(), limit });
        at.change(comes)
    };
    assert!(matches!(seat(2), Err(StoreError::Guard { limit: 2, .. })));
    assert!(matches!(at.tries([replace(titled("2", "x", ""), Version(1))]), Err(StoreError::Stale(_))));
    assert_eq!(seat(3).unwrap().version, Version(7));
    assert_eq!(verified(&at).position, 7);
}

/// A log that was cut is cut, and its chain goes on.
pub fn a_log_that_was_cut_goes_on_when_it_is_opened_again<S: Store>(fresh: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let lives = Lives { store: Arc::new(fresh()), reopen };
    fill(&lives.at("a"));
    let last = lives.at("a").log(3, 1)[0].hash;
    lives.at("a").change(super::log::cut(&lives.at("a"), 4, last)).unwrap();
    let before = lives.at("a").everything();
    let lives = lives.again();
    let at = lives.at("a");
    assert_eq!(at.everything(), before);
    assert_eq!(at.does([user("3", "jean")]).version, Version(6));
    let now = verified(&at);
    assert_eq!((now.entries, now.position), (2, 6));
}

/// Of many who write at once nobody is lost who was acknowledged, whenever the store goes.
pub fn nobody_is_lost_who_was_acknowledged<S: Store>(fresh: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let mut lives = Lives { store: Arc::new(fresh()), reopen };
    lives.at("a").does([group("g", &[])]);
    for life in 0..3 {
        thread::scope(|scope| {
            for number in 0..4 {
                let at = lives.at("a");
                scope.spawn(move || {
                    for turn in 0..4 {
                        let id = format!("{life}-{number}-{turn}");
                        at.does([user(&id, &id), join("g", &[&id])]);
                    }
                });
            }
        });
        lives = lives.again();
        let at = lives.at("a");
        let members = at.record(&group_key("g"));
        assert_eq!((members.members.len(), members.member_count), ((life + 1) * 16, (life as u64 + 1) * 16));
        assert_eq!(at.ids("User", "").len(), (life + 1) * 16);
        assert_eq!(verified(&at).position, 1 + (life as u64 + 1) * 16);
    }
}

/// A commit that was under way when the store went is there wholly or not at all, and those before it are there.
pub fn what_was_under_way_is_whole_or_not_there<S: Store>(fresh: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let mut lives = Lives { store: Arc::new(fresh()), reopen };
    lives.at("a").does([user("1", "ada"), group("g", &[])]);
    for life in 0..5 {
        let at = lives.at("a");
        let id = format!("{life}");
        at.does([user(&format!("{id}-known"), &format!("{id}-known"))]);
        let (left, right) = (format!("{id}-left"), format!("{id}-right"));
        let mut both = change([user(&left, &left), user(&right, &right), join("g", &[&left, &right])]);
        both.events.push(event("second"));
        both.facts.push(fact("linked", Some(json!(id)), When::Always));
        // Asked, but nobody waits for the answer.
        let asked = is_done_at_once(at.store.commit(&at.whose, both));
        drop(at);
        lives = lives.again();
        let at = lives.at("a");
        assert!(at.is_there(&user_key(&format!("{id}-known"))));
        let there = [&left, &right].map(|id| at.is_there(&user_key(id)));
        let joined =
            at.record(&group_key("g")).members.iter().filter(|member| [&left, &right].contains(&&member.id)).count();
        let linked = at.fact("linked") == Some(json!(id));
        let whole = ([true, true], 2, true);
        assert!((there, joined, linked) == whole || (!asked && (there, joined, linked) == ([false, false], 0, false)));
        verified(&at);
    }
}

/// Whether something is done when it is looked at for the first time. It is not looked at again.
fn is_done_at_once(work: impl Future<Output = Result<impl Sized, StoreError>>) -> bool {
    matches!(pin!(work).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(_)))
}
