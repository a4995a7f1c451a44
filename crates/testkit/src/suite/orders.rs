//! Random commits and reads of several threads, on few records: an order of them explains every answer, record by record.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use scimwright_store::{Members, Record, StoreError, Version, Write};

use super::Subject;
use super::at::{At, group_key, insert, leaving, members, replace};
use super::sample::{draft, joining, resource_type, user};
use crate::linearizability::{Call, History, Model, check};
use crate::random::Random;

/// The groups that everybody writes and reads.
const GROUPS: [&str; 2] = ["g", "h"];

/// Those who join and leave, and stay themselves.
const USERS: [&str; 3] = ["u", "v", "w"];

/// A call about one group, with its answer.
#[derive(Clone, Debug)]
struct Op {
    group: &'static str,
    asked: Asked,
    answer: Answer,
}

#[derive(Clone, Debug)]
enum Asked {
    Insert(String),
    Rename(String, Version),
    Join(&'static str),
    Leave(&'static str),
    Delete(Option<Version>),
    Read,
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Done(Version),
    Taken,
    Stale,
    Gone,
    Shown(Seen),
}

impl Answer {
    fn version(&self) -> Option<Version> {
        match self {
            Self::Done(version) => Some(*version),
            Self::Shown(seen) => Some(Version(seen.version)),
            _ => None,
        }
    }
}

/// What a group looks like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Seen {
    version: u64,
    name: String,
    members: BTreeSet<String>,
}

/// One group without any concurrency.
struct OneGroup;

/// The version of the last commit that was about it, and what it looks like.
type State = (u64, Option<Seen>);

impl Model for OneGroup {
    type State = State;
    type Op = Op;

    fn start(&self) -> State {
        (0, None)
    }

    fn step(&self, (last, now): &State, op: &Op) -> Vec<State> {
        let answered = |wanted: Answer| if op.answer == wanted { vec![(*last, now.clone())] } else { vec![] };
        let Some(group) = now else {
            return match (&op.asked, &op.answer) {
                (Asked::Insert(name), Answer::Done(version)) => written(*last, *version, name.clone(), BTreeSet::new()),
                (Asked::Insert(_), _) => vec![],
                _ => answered(Answer::Gone),
            };
        };
        match (&op.asked, &op.answer) {
            (Asked::Insert(_), _) => answered(Answer::Taken),
            (Asked::Read, _) => answered(Answer::Shown(group.clone())),
            (Asked::Rename(_, expect) | Asked::Delete(Some(expect)), _) if expect.0 != group.version => {
                answered(Answer::Stale)
            }
            (Asked::Rename(name, _), Answer::Done(version)) => {
                written(*last, *version, name.clone(), group.members.clone())
            }
            (Asked::Delete(_), Answer::Done(version)) if version.0 > *last => vec![(version.0, None)],
            (Asked::Join(id) | Asked::Leave(id), Answer::Done(version)) if version.0 > *last => {
                let mut members = group.members.clone();
                let moved = if matches!(op.asked, Asked::Join(_)) {
                    members.insert((*id).to_owned())
                } else {
                    members.remove(*id)
                };
                if moved { written(*last, *version, group.name.clone(), members) } else { vec![(*last, now.clone())] }
            }
            _ => vec![],
        }
    }
}

/// The group as it was written, if its version is a later one.
fn written(last: u64, version: Version, name: String, members: BTreeSet<String>) -> Vec<State> {
    let seen = Seen { version: version.0, name, members };
    if version.0 > last { vec![(version.0, Some(seen))] } else { vec![] }
}

/// What one thread does: the group, and what it asks of it when it has last seen that version.
fn ask(random: &mut Random, number: usize, turn: usize, seen: Version) -> Asked {
    let user = USERS[random.below(USERS.len())];
    match random.below(12) {
        0 | 1 => Asked::Insert(format!("made by {number} at {turn}")),
        2 | 3 => Asked::Rename(format!("named by {number} at {turn}"), seen),
        4..=6 => Asked::Join(user),
        7 => Asked::Leave(user),
        8 => Asked::Delete(Some(seen).filter(|_| random.below(2) == 0)),
        _ => Asked::Read,
    }
}

fn write(group: &'static str, asked: &Asked) -> Option<Write> {
    let named = |name: &str| draft(&resource_type("Group"), group, serde_json::json!({"displayName": name}));
    Some(match asked {
        Asked::Insert(name) => insert(named(name)),
        Asked::Rename(name, expect) => replace(named(name), *expect),
        Asked::Join(id) => members(group, joining(&[id])),
        Asked::Leave(id) => members(group, leaving(&[id])),
        Asked::Delete(expect) => Write::Delete { key: group_key(group), expect: *expect },
        Asked::Read => return None,
    })
}

fn seen(record: Record) -> Seen {
    assert_eq!(record.member_count, record.members.len() as u64, "{} counts its members", record.key);
    let name = record.resource.get("displayName").and_then(|name| name.as_str()).unwrap_or_default().to_owned();
    Seen { version: record.version.0, name, members: record.members.into_iter().map(|member| member.id).collect() }
}

fn answer(at: &At, group: &'static str, asked: &Asked) -> Answer {
    let Some(write) = write(group, asked) else {
        let found = at.find_record(&group_key(group), Members::All);
        return found.map_or(Answer::Gone, |record| Answer::Shown(seen(record)));
    };
    match at.tries([write]) {
        Ok(done) => Answer::Done(done.version),
        Err(StoreError::Conflict { path, .. }) if path == "id" => Answer::Taken,
        Err(StoreError::Stale(_)) => Answer::Stale,
        Err(StoreError::NotFound(_)) => Answer::Gone,
        Err(error) => panic!("{asked:?} of {group}: {error:?}"),
    }
}

/// So many threads, each of which asks so many times.
const THREADS: usize = 4;
const TURNS: usize = 10;

/// One history, which follows from the seed but for how the threads meet.
fn history(at: &At, seed: u64) -> Vec<Call<Op>> {
    let (history, start) = (History::new(), Barrier::new(THREADS));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (history, start) = (&history, &start);
            scope.spawn(move || {
                let mut random = Random::new(seed * THREADS as u64 + number as u64);
                let mut known = [Version(0); GROUPS.len()];
                start.wait();
                for turn in 0..TURNS {
                    let which = random.below(GROUPS.len());
                    let (group, asked) = (GROUPS[which], ask(&mut random, number, turn, known[which]));
                    let begun = history.begin();
                    let answer = answer(at, group, &asked);
                    known[which] = answer.version().unwrap_or(known[which]);
                    history.end(begun, [Op { group, asked, answer }]);
                }
            });
        }
    });
    history.into_calls()
}

/// An order of its commits and reads explains what every thread was answered about a group, and what it looked like. Commits that came
/// after one another have versions that do.
pub fn an_order_explains_what_threads_see_of_a_group(subject: &Subject) {
    let one = At::new(subject);
    for seed in 0..30 {
        let at = one.other(&format!("seed{seed}"));
        at.does(USERS.map(|id| user(id, id)));
        let calls = history(&at, seed);
        in_order(&calls);
        for group in GROUPS {
            let calls: Vec<_> = calls.iter().filter(|call| call.op.group == group).cloned().collect();
            if let Err(why) = check(&OneGroup, &calls) {
                panic!("seed {seed}, {group}: {}", why.describe(&calls));
            }
        }
    }
}

/// No version twice, and none before that of a commit which was answered before this one was sent.
fn in_order(calls: &[Call<Op>]) {
    let version = |call: &Call<Op>| match call.op.answer {
        Answer::Done(version) => Some(version),
        _ => None,
    };
    let done: Vec<_> = calls.iter().filter_map(|call| Some((version(call)?, call))).collect();
    for (version, call) in &done {
        for (other, later) in done.iter().filter(|(_, later)| !std::ptr::eq(*later, *call)) {
            assert_ne!(version, other, "{call:?} and {later:?}");
            let before = call.ended.is_some_and(|ended| ended < later.began);
            assert!(!before || version < other, "{call:?}, then {later:?}");
        }
    }
}
