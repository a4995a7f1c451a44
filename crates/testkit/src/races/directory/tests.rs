use super::*;
use crate::linearizability::{Call, check};
use crate::races::missing_members;

const PLAIN: Rules = Rules { one_group_at_a_time: false, unknown_members_pass: false };

fn user(name: &str, title: Option<u64>) -> Content {
    Content::User { name: name.to_owned(), title }
}

fn group(members: &[&str]) -> Content {
    Content::Group { name: "team".to_owned(), members: set(members) }
}

fn set(members: &[&str]) -> BTreeSet<String> {
    members.iter().map(|member| (*member).to_owned()).collect()
}

fn step(asked: Asked, if_match: Option<u64>, status: u16) -> Step {
    Step { asked, if_match, status, made: None, shown: None }
}

fn shown(step: Step, id: &str, version: u64, content: Content) -> Step {
    let made = matches!(step.asked, Asked::Create(_)).then(|| id.to_owned());
    Step { made, shown: Some(Shown { id: id.to_owned(), version, content }), ..step }
}

/// A creation that was answered 201.
fn made(id: &str, version: u64, content: Content) -> Step {
    shown(step(Asked::Create(content.clone()), None, 201), id, version, content)
}

fn read(id: &str, version: u64, content: Content) -> Step {
    shown(step(Asked::Read(id.to_owned()), None, 200), id, version, content)
}

fn replaced(id: &str, if_match: Option<u64>, version: u64, content: Content) -> Step {
    shown(step(Asked::Replace(id.to_owned(), content.clone()), if_match, 200), id, version, content)
}

fn join(id: &str, members: &[&str], status: u16) -> Step {
    step(Asked::Join(id.to_owned(), set(members)), None, status)
}

fn delete(id: &str, if_match: Option<u64>, status: u16) -> Step {
    step(Asked::Delete(id.to_owned()), if_match, status)
}

/// One after the other.
fn serial(steps: &[Step]) -> Vec<Call<Step>> {
    (0..).step_by(2).zip(steps).map(|(began, step)| Call::new(began, began + 1, step.clone())).collect()
}

/// Those of the first, then all of the second at once, then those of the third.
fn around(first: &[Step], at_once: &[Step], last: &[Step]) -> Vec<Call<Step>> {
    let mut calls = serial(first);
    calls.extend((100..).zip(at_once).map(|(began, step)| Call::new(began, began + 100, step.clone())));
    calls.extend(serial(last).into_iter().map(|call| Call::new(call.began + 1000, call.began + 1001, call.op)));
    calls
}

#[track_caller]
fn holds_by(rules: Rules, calls: &[Call<Step>]) {
    check(&Directory::new(rules), calls).unwrap_or_else(|why| panic!("{}", why.describe(calls)));
}

#[track_caller]
fn holds(calls: &[Call<Step>]) {
    holds_by(PLAIN, calls);
}

#[track_caller]
fn breaks(calls: &[Call<Step>]) {
    assert!(check(&Directory::new(PLAIN), calls).is_err(), "{calls:#?}");
}

#[test]
fn what_one_client_sees_is_explained() {
    let (ada, bob) = (user("ada", None), user("bob", Some(7)));
    let moved = user("ada", Some(1));
    holds(&serial(&[
        made("1", 10, ada.clone()),
        step(Asked::Create(ada.clone()), None, 409),
        made("2", 11, bob.clone()),
        replaced("1", Some(10), 12, moved.clone()),
        shown(step(Asked::Title("1".to_owned(), 1), None, 200), "1", 12, moved.clone()),
        step(Asked::Replace("1".to_owned(), ada.clone()), Some(10), 412),
        step(Asked::Replace("2".to_owned(), ada.clone()), None, 409),
        step(Asked::Create(group(&["1", "nobody"])), None, 400),
        made("g", 13, group(&["1", "2"])),
        join("g", &["nobody"], 400),
        join("g", &["1"], 200),
        read("g", 13, group(&["1", "2"])),
        delete("1", Some(10), 412),
        delete("1", Some(12), 204),
        delete("1", None, 404),
        step(Asked::Read("1".to_owned()), None, 404),
        read("g", 14, group(&["2"])),
        made("3", 15, ada),
    ]));
}

#[test]
fn a_name_that_two_have_is_found() {
    let both = |second: Step| around(&[], &[made("1", 10, user("ada", None)), second], &[]);
    holds(&both(step(Asked::Create(user("ada", None)), None, 409)));
    breaks(&both(made("2", 11, user("ada", None))));
    breaks(&around(&[], &[step(Asked::Create(user("ada", None)), None, 409)], &[]));
}

#[test]
fn a_lost_update_is_found() {
    let first = [made("1", 10, user("ada", None))];
    let race = |second: Step, last: Content| {
        around(&first, &[replaced("1", Some(10), 11, user("ada", Some(1))), second], &[read("1", 11, last)])
    };
    holds(&race(step(Asked::Replace("1".to_owned(), user("ada", Some(2))), Some(10), 412), user("ada", Some(1))));
    breaks(&race(replaced("1", Some(10), 12, user("ada", Some(2))), user("ada", Some(1))));
    // Without a condition too: what was acknowledged last is there, in one order or the other.
    let patches = |last: u64, version: u64| {
        let rename =
            shown(step(Asked::Replace("1".to_owned(), user("bob", Some(5))), None, 200), "1", 11, user("bob", Some(5)));
        let title = shown(step(Asked::Title("1".to_owned(), 9), None, 200), "1", 12, user("bob", Some(9)));
        around(&first, &[rename, title], &[read("1", version, user("bob", Some(last)))])
    };
    holds(&patches(9, 12));
    breaks(&patches(5, 12));
    breaks(&patches(9, 11));
}

#[test]
fn a_stale_read_and_a_version_that_goes_back_are_found() {
    let (old, new) = (user("ada", None), user("ada", Some(1)));
    let after = |last: Step| serial(&[made("1", 10, old.clone()), replaced("1", None, 11, new.clone()), last]);
    holds(&after(read("1", 11, new.clone())));
    for wrong in [
        read("1", 10, old.clone()),
        read("1", 11, old.clone()),
        read("1", 10, new.clone()),
        read("1", 12, new.clone()),
        read("2", 11, new.clone()),
        step(Asked::Read("1".to_owned()), None, 404),
        replaced("1", None, 11, user("ada", Some(2))),
        replaced("1", None, 9, user("ada", Some(2))),
        // What changes nothing keeps the version.
        replaced("1", None, 12, new.clone()),
        step(Asked::Title("1".to_owned(), 3), None, 503),
    ] {
        breaks(&after(wrong));
    }
}

#[test]
fn conditions_hold_where_they_succeed_and_fail_where_they_do_not() {
    let ada = || made("1", 10, user("ada", None));
    breaks(&serial(&[ada(), delete("1", Some(9), 204)]));
    breaks(&serial(&[ada(), delete("1", Some(10), 412)]));
    breaks(&serial(&[ada(), delete("1", None, 412)]));
    // Nobody knows the version after somebody joined, until somebody is told.
    let (bob, team) = (made("2", 11, user("bob", None)), made("g", 12, group(&[])));
    let joined = [ada(), bob, team, join("g", &["1"], 200)];
    let then = |steps: &[Step]| serial(&[&joined[..], steps].concat());
    holds(&then(&[delete("g", Some(13), 204)]));
    holds(&then(&[delete("g", Some(13), 412), read("g", 14, group(&["1"]))]));
    breaks(&then(&[delete("g", Some(12), 204)]));
    let kept = Step { if_match: Some(13), ..join("g", &["1"], 200) };
    holds(&then(&[kept.clone(), read("g", 13, group(&["1"]))]));
    breaks(&then(&[kept, read("g", 14, group(&["1"]))]));
}

#[test]
fn a_member_who_is_missing_is_found_in_two_ways() {
    let first = [made("1", 10, user("ada", None)), made("2", 11, user("bob", None)), made("g", 12, group(&[]))];
    let race = |last: &[&str]| {
        around(&first, &[join("g", &["1"], 200), join("g", &["2"], 200)], &[read("g", 14, group(last))])
    };
    holds(&race(&["1", "2"]));
    assert_eq!(missing_members(PLAIN, &race(&["1", "2"])), [""; 0]);
    for last in [&["1"][..], &["2"], &[]] {
        breaks(&race(last));
        assert_eq!(missing_members(PLAIN, &race(last)).len(), 2 - last.len(), "{last:?}");
    }
    // Somebody may have removed him, or her.
    let leave = step(Asked::Leave("g".to_owned(), "1".to_owned()), None, 200);
    for removal in [leave, delete("1", None, 204), step(Asked::Replace("g".to_owned(), group(&[])), None, 200)] {
        let calls = around(&first, &[join("g", &["1"], 200), removal], &[read("g", 14, group(&[]))]);
        assert_eq!(missing_members(PLAIN, &calls), [""; 0]);
        holds(&calls);
    }
    // What was refused removes nobody, nor does what came before.
    let refused = step(Asked::Leave("g".to_owned(), "1".to_owned()), Some(3), 412);
    let calls = around(&first, &[join("g", &["1"], 200), refused], &[read("g", 14, group(&[]))]);
    assert_eq!(missing_members(PLAIN, &calls).len(), 1);
    let before = [&first[..], &[step(Asked::Leave("g".to_owned(), "1".to_owned()), None, 200)]].concat();
    let calls = around(&before, &[join("g", &["1"], 200)], &[read("g", 14, group(&[]))]);
    assert_eq!(missing_members(PLAIN, &calls).len(), 1);
    // A group that was made with members has them.
    let calls = serial(&[first[0].clone(), made("h", 13, group(&["1"])), read("h", 14, group(&[]))]);
    assert_eq!(missing_members(PLAIN, &calls).len(), 1);
}

#[test]
fn who_was_deleted_joins_nothing_any_more() {
    let first = [made("1", 10, user("ada", None)), made("g", 12, group(&[]))];
    let race = |status: u16, last: &[&str]| {
        around(&first, &[join("g", &["1"], status), delete("1", None, 204)], &[read("g", 15, group(last))])
    };
    holds(&race(200, &[]));
    breaks(&race(200, &["1"]));
    let untouched = around(&first, &[join("g", &["1"], 400), delete("1", None, 204)], &[read("g", 12, group(&[]))]);
    holds(&untouched);
    breaks(&race(400, &["1"]));
}

#[test]
fn rules_of_a_server_are_kept() {
    let rules = Rules { one_group_at_a_time: true, unknown_members_pass: true };
    let first = [
        made("1", 10, user("ada", None)),
        made("g", 11, group(&["1"])),
        Step { shown: None, ..made("h", 12, group(&["1", "nobody"])) },
        read("h", 12, group(&["1"])),
    ];
    let then = |last: Step| serial(&[&first[..], &[last]].concat());
    holds_by(rules, &then(read("g", 12, group(&[]))));
    breaks(&then(read("g", 12, group(&[]))));
    assert!(check(&Directory::new(rules), &then(read("g", 11, group(&["1"])))).is_err());
    assert_eq!(missing_members(rules, &then(read("g", 12, group(&[])))), [""; 0]);
    assert_eq!(missing_members(PLAIN, &then(read("g", 12, group(&[])))).len(), 1);
}
