use super::*;

/// A number.
struct Register;

#[derive(Clone, Copy, Debug)]
enum Number {
    Write(u8),
    Read(u8),
    /// Writes the second when it reads the first, and says whether it did.
    Swap(u8, u8, bool),
}

impl Model for Register {
    type State = u8;
    type Op = Number;

    fn start(&self) -> u8 {
        0
    }

    fn step(&self, state: &u8, op: &Number) -> Vec<u8> {
        match *op {
            Number::Write(value) => vec![value],
            Number::Read(value) if value == *state => vec![value],
            Number::Swap(old, new, true) if old == *state => vec![new],
            Number::Swap(old, _, false) if old != *state => vec![*state],
            _ => vec![],
        }
    }
}

/// Calls of `began..ended operation`.
fn of<Op: Copy>(calls: &[(u64, u64, Op)]) -> Vec<Call<Op>> {
    calls.iter().map(|(began, ended, op)| Call::new(*began, *ended, *op)).collect()
}

#[track_caller]
fn holds(calls: &[(u64, u64, Number)]) {
    let calls = of(calls);
    let order = check(&Register, &calls).unwrap_or_else(|why| panic!("{}", why.describe(&calls)));
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..calls.len()).collect::<Vec<_>>(), "each call has one place");
    for (place, at) in order.iter().enumerate() {
        let later = &order[place + 1..];
        assert!(later.iter().all(|other| calls[*other].ended > Some(calls[*at].began)), "{order:?}");
    }
}

#[track_caller]
fn breaks(calls: &[(u64, u64, Number)]) {
    let calls = of(calls);
    assert!(matches!(check(&Register, &calls), Err(Unexplained::Contradiction { .. })), "{calls:?}");
}

use Number::{Read, Swap, Write};

#[test]
fn one_after_the_other_is_explained() {
    holds(&[]);
    holds(&[(1, 2, Write(1)), (3, 4, Read(1)), (5, 6, Write(2)), (7, 8, Read(2))]);
    breaks(&[(1, 2, Write(1)), (3, 4, Read(2))]);
    breaks(&[(1, 2, Read(1)), (3, 4, Write(1))]);
}

#[test]
fn calls_at_once_may_have_either_order() {
    for seen in [0, 1] {
        holds(&[(1, 4, Write(1)), (2, 3, Read(seen))]);
    }
    for seen in [1, 2] {
        holds(&[(1, 4, Write(1)), (2, 3, Write(2)), (5, 6, Read(seen))]);
    }
    // Whoever reads later does not read what was there before.
    holds(&[(1, 9, Write(1)), (2, 3, Read(0)), (4, 5, Read(1))]);
    breaks(&[(1, 9, Write(1)), (2, 3, Read(1)), (4, 5, Read(0))]);
}

#[test]
fn a_stale_read_is_found() {
    breaks(&[(1, 2, Write(1)), (3, 4, Write(2)), (5, 6, Read(1))]);
    // However much else is under way.
    breaks(&[
        (1, 2, Write(1)),
        (3, 20, Write(7)),
        (4, 5, Write(2)),
        (6, 7, Read(1)),
        (8, 9, Read(7)),
        (10, 11, Read(2)),
    ]);
}

#[test]
fn a_lost_update_is_found() {
    // Both read 1 and wrote over it, so one of them has written over the other.
    breaks(&[(1, 2, Write(1)), (3, 8, Swap(1, 2, true)), (4, 7, Swap(1, 3, true))]);
    holds(&[(1, 2, Write(1)), (3, 8, Swap(1, 2, true)), (4, 7, Swap(1, 3, false))]);
    breaks(&[(1, 2, Write(1)), (3, 8, Swap(1, 2, false)), (4, 7, Swap(1, 3, false))]);
}

#[test]
fn what_was_never_answered_may_have_happened_or_not() {
    for seen in [0, 1] {
        let calls = [Call::pending(1, Write(1)), Call::new(2, 3, Read(seen))];
        assert!(check(&Register, &calls).is_ok(), "{seen}");
    }
    let back = [Call::pending(1, Write(1)), Call::new(2, 3, Read(1)), Call::new(4, 5, Read(0))];
    assert!(check(&Register, &back).is_err());
    let early = [Call::new(1, 2, Read(1)), Call::pending(3, Write(1))];
    assert!(check(&Register, &early).is_err(), "not before it was sent");
}

#[test]
fn steps_of_one_call_keep_their_order() {
    let steps = |first: Number, second: Number| [Call::new(1, 4, first), Call::new(1, 4, second).after(0)];
    assert!(check(&Register, &steps(Write(1), Read(1))).is_ok());
    assert!(check(&Register, &steps(Write(1), Read(0))).is_err());
    assert!(check(&Register, &steps(Read(0), Write(1))).is_ok());
}

/// Names that are taken once, and groups of members.
struct Groups;

#[derive(Clone, Copy, Debug)]
enum Group {
    /// Whether it was made.
    Make(&'static str, bool),
    Join(&'static str, u8),
    Leave(&'static str, u8),
    Members(&'static str, &'static [u8]),
}

impl Model for Groups {
    type State = std::collections::BTreeMap<&'static str, std::collections::BTreeSet<u8>>;
    type Op = Group;

    fn start(&self) -> Self::State {
        Self::State::new()
    }

    fn step(&self, state: &Self::State, op: &Group) -> Vec<Self::State> {
        let mut next = state.clone();
        let fits = match *op {
            Group::Make(name, made) => {
                made == next.insert(name, state.get(name).cloned().unwrap_or_default()).is_none()
            }
            Group::Join(name, member) => next.get_mut(name).map(|members| members.insert(member)).is_some(),
            Group::Leave(name, member) => next.get_mut(name).map(|members| members.remove(&member)).is_some(),
            Group::Members(name, seen) => next.get(name).is_some_and(|members| members.iter().eq(seen)),
        };
        fits.then_some(next).into_iter().collect()
    }
}

#[test]
fn a_name_that_was_taken_twice_is_found() {
    let twice = |second: bool| of(&[(1, 4, Group::Make("a", true)), (2, 3, Group::Make("a", second))]);
    assert!(check(&Groups, &twice(false)).is_ok());
    assert!(check(&Groups, &twice(true)).is_err());
    let nobody = of(&[(1, 4, Group::Make("a", false)), (2, 3, Group::Make("a", false))]);
    assert!(check(&Groups, &nobody).is_err());
}

#[test]
fn a_member_that_is_missing_is_found() {
    let after = |seen: &'static [u8]| {
        of(&[
            (1, 2, Group::Make("a", true)),
            (3, 9, Group::Join("a", 1)),
            (4, 8, Group::Join("a", 2)),
            (5, 7, Group::Leave("a", 2)),
            (10, 11, Group::Members("a", seen)),
        ])
    };
    for seen in [&[1, 2][..], &[1]] {
        assert!(check(&Groups, &after(seen)).is_ok(), "{seen:?}");
    }
    for seen in [&[][..], &[2], &[1, 2, 3]] {
        assert!(check(&Groups, &after(seen)).is_err(), "{seen:?}");
    }
}

#[test]
fn what_cannot_be_explained_is_described() {
    let calls = of(&[(1, 2, Write(1)), (3, 4, Read(1)), (5, 6, Read(0)), (7, 8, Write(3))]);
    let why = check(&Register, &calls).expect_err("nobody wrote 0");
    assert_eq!(why, Unexplained::Contradiction { explained: vec![0, 1], stuck: vec![2] });
    insta::assert_snapshot!(why.describe(&calls), @r"
    no order explains the history. As far as this one goes:
      #0 1..2 Write(1)
      #1 3..4 Read(1)
    none of these can come next:
      #2 5..6 Read(0)
    ");
}

#[test]
fn many_calls_at_once_are_searched_without_searching_twice() {
    // Each of ten writers may be the last one; without a memory there would be 10! orders.
    let mut calls: Vec<(u64, u64, Number)> = (0..10).map(|number| (u64::from(number), 100, Write(number))).collect();
    calls.push((200, 201, Read(7)));
    holds(&calls);
    calls.push((202, 203, Read(8)));
    breaks(&calls);
}

#[test]
fn a_history_is_taken_down_in_the_order_of_time() {
    let history = History::new();
    let (first, second) = (history.begin(), history.begin());
    history.end(second, [Write(7)]);
    history.end(first, [Write(8), Read(8)]);
    let calls = history.into_calls();
    let moments: Vec<_> = calls.iter().map(|call| (call.began, call.ended, call.after)).collect();
    assert_eq!(moments, [(1, Some(2), None), (0, Some(3), None), (0, Some(3), Some(1))]);
    assert!(check(&Register, &calls).is_ok());
}
