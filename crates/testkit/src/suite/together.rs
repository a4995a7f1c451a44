//! Many at once: threads that share the store.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use scimwright_store::{Delta, Guard, Key, Members, Query, Scope, StoreError, Version, When, Write};
use serde_json::json;

use super::Subject;
use super::at::{At, delete, event, fact, group_key, insert, keyed, members, replace, titled, user_key};
use super::log::verified;
use super::sample::{change, group, join, joining, resource_type, user};

/// So many do something at once.
const CROWD: usize = 8;

/// What each of so many threads comes to when all begin at once.
fn at_once<T: Send>(crowd: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(crowd);
    thread::scope(|scope| {
        let one = |number| {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let threads: Vec<_> = (0..crowd).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Of many who want a name at once, one gets it; all others are told who. Also where it is unique over all tenants.
pub fn one_of_many_gets_a_key(subject: &Subject) {
    let at = At::new(subject);
    for (round, scope) in [Scope::Tenant, Scope::Global, Scope::Tenant, Scope::Global].into_iter().enumerate() {
        let name = format!("login{round}");
        let tries = |number: usize| {
            // A key of everybody's is wanted by two tenants.
            let at = if scope == Scope::Global && number % 2 == 1 { at.other("b") } else { at.clone() };
            let id = format!("{round}-{number}");
            let wanted = insert(keyed("User", &id, &[("login", &name, scope)]));
            (at.whose.clone(), id, at.tries([wanted]))
        };
        let done = at_once(CROWD, tries);
        let won: Vec<_> = done.iter().filter(|(_, _, done)| done.is_ok()).collect();
        assert_eq!(won.len(), 1, "{done:?}");
        let (where_held, holder, _) = won[0];
        for (whose, id, done) in done.iter().filter(|(_, _, done)| done.is_err()) {
            let told = (whose == where_held).then(|| user_key(holder));
            let is_told = matches!(done, Err(StoreError::Conflict { holder, .. }) if *holder == told);
            assert!(is_told, "{whose} {id}: {done:?}");
            assert!(!at.other(whose.as_str()).is_there(&user_key(id)), "{id}");
        }
    }
}

/// Seats are never exceeded, however many come at once, and none stays empty that somebody wanted.
pub fn seats_are_never_exceeded(subject: &Subject) {
    let at = At::new(subject);
    let done = at_once(CROWD, |number| {
        (0..3)
            .map(|turn| {
                let id = format!("{number}-{turn}");
                let mut comes = change([user(&id, &id)]);
                comes.guards.push(Guard::AtMost { resource_type: "User".to_owned(), limit: 5 });
                at.change(comes)
            })
            .collect::<Vec<_>>()
    });
    let (seated, refused): (Vec<_>, Vec<_>) = done.into_iter().flatten().partition(Result::is_ok);
    assert_eq!(seated.len(), 5);
    assert!(refused.iter().all(|done| matches!(done, Err(StoreError::Guard { limit: 5, .. }))), "{refused:?}");
    assert_eq!(at.find(&Query::new(resource_type("User"), 99)).total, Some(5));
}

/// Members who join at once all are members, and the group knows how many they are.
pub fn all_who_join_at_once_are_members(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("first", "first"), group("g", &["first"])]);
    let versions = at_once(CROWD, |number| {
        let turns = (0..6).map(|turn| {
            let id = format!("{number}-{turn}");
            let came = at.does([user(&id, &id)]);
            let joined = at.does([join("g", &[&id, "first"])]);
            [came.version, joined.version]
        });
        turns.collect::<Vec<_>>().concat()
    });
    let group = at.record(&group_key("g"));
    assert_eq!((group.members.len(), group.member_count), (1 + CROWD * 6, 1 + CROWD as u64 * 6));
    let mut versions = versions.concat();
    versions.sort_unstable();
    assert_eq!(versions, (2..).map(Version).take(CROWD * 12).collect::<Vec<_>>());
    assert_eq!(Some(&group.version), versions.iter().rev().find(|version| **version <= group.version));
    assert_eq!(verified(&at).position, 1 + CROWD as u64 * 12);
}

/// Of many who have read the same version one can write; so nobody's update is lost.
pub fn no_update_is_lost(subject: &Subject) {
    let at = At::new(subject);
    at.does([insert(titled("1", "counter", "0"))]);
    for round in 1..=5_u64 {
        let now = at.record(&user_key("1"));
        let done = at_once(CROWD, |number| {
            let title = format!("{round} by {number}");
            at.tries([replace(titled("1", "counter", &title), now.version)]).map(|done| (done.version, title))
        });
        let (won, lost): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
        assert!(lost.iter().all(|done| matches!(done, Err(StoreError::Stale(_)))), "{lost:?}");
        let won: Vec<_> = won.into_iter().map(Result::unwrap).collect();
        let after = at.record(&user_key("1"));
        let title = after.resource.get("title").and_then(|title| title.as_str()).unwrap_or_default();
        assert_eq!(won, [(after.version, title.to_owned())], "round {round}");
        assert_eq!(after.version, Version(1 + round));
    }
}

/// Exclusive groups: whoever is moved by many at once ends up in one group, and no group counts wrongly.
pub fn who_is_moved_by_many_is_in_one_group(subject: &Subject) {
    let at = At::new(subject);
    let groups: Vec<_> = (0..CROWD).map(|number| format!("g{number}")).collect();
    at.does([user("1", "ada"), user("2", "grace")]);
    at.does(groups.iter().map(|id| group(id, &[])));
    at_once(CROWD, |number| {
        for turn in 0..5 {
            let moved = Delta { exclusive: true, ..joining(&["1", "2"]) };
            at.does([members(&groups[(number + turn) % CROWD], moved)]);
        }
    });
    for id in ["1", "2"] {
        assert_eq!(at.record(&user_key(id)).member_of.len(), 1, "{id}");
    }
    let counted: u64 = groups
        .iter()
        .map(|id| at.record(&group_key(id)))
        .map(|group| {
            assert_eq!(group.member_count, group.members.len() as u64);
            group.member_count
        })
        .sum();
    assert_eq!(counted, 2);
}

/// Who is deleted while others let him join is in no group afterwards.
pub fn who_is_deleted_meanwhile_is_in_no_group(subject: &Subject) {
    let at = At::new(subject);
    at.does([group("g", &[]), group("h", &[])]);
    for round in 0..5 {
        let id = format!("u{round}");
        at.does([user(&id, &id)]);
        at_once(CROWD, |number| {
            let done = match number {
                0 => at.tries([delete(user_key(&id))]),
                even if even % 2 == 0 => at.tries([join("g", &[&id])]),
                _ => at.tries([join("h", &[&id])]),
            };
            assert!(matches!(done, Ok(_) | Err(StoreError::NoSuchMembers(_))), "{done:?}");
        });
        for group in ["g", "h"] {
            let group = at.record(&group_key(group));
            assert_eq!((group.members, group.member_count), (vec![], 0));
        }
    }
}

/// Of many who would write a fact that must not be known, or must be what they have read, the first one does.
pub fn facts_are_compared_and_written_at_once(subject: &Subject) {
    let at = At::new(subject);
    for _ in 0..5 {
        let when = at.fact("known").map_or(When::Absent, When::Is);
        let done = at_once(CROWD, |number| {
            let mut write = change([]);
            let value = json!([at.whose.as_str(), number]);
            write.facts.push(fact("known", Some(value.clone()), when.clone()));
            (at.change(write).unwrap().version, value)
        });
        let first = done.into_iter().min_by_key(|(version, _)| *version);
        assert_eq!(at.fact("known"), first.map(|(_, value)| value));
        // The next round wants another value to begin with.
        let mut next = change([]);
        next.facts.push(fact("known", Some(json!(at.position())), When::Always));
        at.change(next).unwrap();
    }
}

/// Who reads while others write sees whole commits, in their order: never half of one, never a later one without those before.
///
/// The writers go on until every reader has looked some times.
pub fn readers_see_whole_commits_in_order(subject: &Subject) {
    const READERS: usize = 2;
    let at = At::new(subject);
    at.does([group("g", &[])]);
    let (done, looks) = (AtomicBool::new(false), [const { AtomicUsize::new(0) }; READERS]);
    let written = thread::scope(|scope| {
        let readers: Vec<_> = looks.iter().map(|looks| scope.spawn(|| watch(&at, &done, looks))).collect();
        let seen = || looks.iter().all(|looks| looks.load(Ordering::SeqCst) > 4);
        let ended = || readers.iter().any(thread::ScopedJoinHandle::is_finished);
        let written = at_once(3, |number| {
            let turns = (0..400).take_while(|turn| *turn < 12 || !(seen() || ended()));
            turns.map(|turn| pair(&at, &format!("{number}-{turn:05}"))).count() as u64
        });
        done.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        written.iter().sum::<u64>()
    });
    let page = at.find(&Query::new(resource_type("User"), 9));
    assert_eq!((page.total, at.record(&group_key("g")).member_count), (Some(2 * written), 2 * written));
    assert_eq!(verified(&at).position, 1 + 2 * written);
}

/// Two users and their memberships in one commit of two events.
fn pair(at: &At, name: &str) {
    let (left, right) = (format!("{name}-left"), format!("{name}-right"));
    let mut both = change([user(&left, &left), user(&right, &right), join("g", &[&left, &right])]);
    both.events = vec![event(&left), event(&right)];
    at.change(both).unwrap();
}

/// Looks at everything until the others are done, and counts how often.
fn watch(at: &At, done: &AtomicBool, looks: &AtomicUsize) {
    let (mut before, mut position) = (0, 0);
    loop {
        // Read first, so that the last look is one at everything.
        let last = done.load(Ordering::SeqCst);
        let page = at.find(&Query::new(resource_type("User"), usize::MAX));
        let total = page.total.unwrap();
        assert_eq!((page.records.len() as u64, page.more), (total, false), "the total is that of the page");
        let few = at.find(&Query::new(resource_type("User"), 3));
        assert_eq!(few.more, few.total > Some(3), "whether there are more is what the total says");
        assert!(total.is_multiple_of(2) && total >= before, "{before}, then {total}");
        let group = at.find_record(&group_key("g"), Members::All).unwrap();
        assert_eq!((group.members.len() as u64, group.member_count % 2), (group.member_count, 0));
        assert!(group.member_count >= total, "members came with their users");
        for record in &page.records {
            assert_eq!(record.member_of.first().map(|membership| &membership.group), Some(&Key::new("Group", "g")));
        }
        let log = at.log(0, usize::MAX);
        assert!(log.iter().zip(1..).all(|(logged, place)| logged.position == place), "the log has gaps");
        assert!(log.len() % 2 == 1 && log.len() >= position, "{position}, then {}", log.len());
        for events in log[1..].chunks(2) {
            let names = events.iter().map(|logged| logged.event.operation.rsplit_once('-').unwrap().0);
            assert_eq!(
                names.collect::<std::collections::BTreeSet<_>>().len(),
                1,
                "the events of a commit stand together"
            );
        }
        (before, position) = (total, log.len());
        looks.fetch_add(1, Ordering::SeqCst);
        if last {
            return;
        }
    }
}

/// Tenants that write at once do not disturb one another.
pub fn tenants_write_at_once_without_disturbing_one_another(subject: &Subject) {
    let one = At::new(subject);
    at_once(CROWD, |number| {
        let at = one.other(&format!("tenant{number}"));
        for turn in 0..5 {
            let id = turn.to_string();
            let done = at.does([user(&id, &format!("user {id}")), group(&format!("g{id}"), &[&id])]);
            assert_eq!(done.version, Version(turn + 1));
        }
        at.does([Write::Delete { key: user_key("0"), expect: Some(Version(1)) }]);
        assert_eq!(at.ids("User", ""), ["1", "2", "3", "4"]);
        assert_eq!(verified(&at).position, 6);
    });
}
