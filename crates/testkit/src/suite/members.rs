//! Members: who joins, who leaves, and what both sides see of it.

use scimwright_store::{Delta, Displaced, Key, Member, Members, Membership, StoreError, Version, Write};

use super::Subject;
use super::at::{At, delete, displaced, group_key, insert, keyed, leaving, member, members, replace, user_key};
use super::sample::{draft, group, join, joining, resource_type, user};

/// The members of a group, by id, which must be as many as the group says.
#[track_caller]
fn ids(at: &At, group: &str) -> Vec<String> {
    let group = at.record(&group_key(group));
    assert_eq!(group.member_count, group.members.len() as u64, "{} counts its members", group.key);
    group.members.into_iter().map(|member| member.id).collect()
}

/// The groups of a user.
#[track_caller]
fn groups(at: &At, id: &str) -> Vec<String> {
    at.record(&user_key(id)).member_of.into_iter().map(|membership| membership.group.id).collect()
}

/// Members come by the order of their ids, byte by byte: none, those that are named, or all. The number is always that of all.
pub fn members_come_as_they_are_asked_for(subject: &Subject) {
    let at = At::new(subject);
    let everybody = ["10", "9", "A", "B", "a", "a b", "\u{e9}", "\u{ffff}", "\u{10000}"];
    at.does(everybody.iter().rev().map(|id| insert(keyed("User", id, &[]))));
    at.does([user("stranger", "stranger"), group("g", &everybody), group("h", &["stranger"])]);
    let ask = |asked: Members| {
        let group = at.find_record(&group_key("g"), asked).unwrap();
        assert_eq!(group.member_count, everybody.len() as u64);
        group.members.into_iter().map(|member| member.id).collect::<Vec<_>>()
    };
    assert_eq!(ask(Members::All), everybody);
    assert_eq!(ask(Members::None), [""; 0]);
    let named = ["a", "stranger", "10", "a", "nobody", "\u{10000}", "g", "A"].map(str::to_owned);
    assert_eq!(ask(Members::Named(named.into())), ["10", "A", "a", "\u{10000}"]);
    assert_eq!(ask(Members::Named(vec![])), [""; 0]);
}

/// A row has the member's type, which the store fills in, and the name that came with whoever joined first.
pub fn a_member_has_its_type_and_the_name_it_came_with(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("h", &[]), insert(keyed("Device", "d", &[])), group("g", &[])]);
    let named = |id: &str, type_name: &str, display: &str| Member {
        display: Some(display.to_owned()),
        ..member(id, type_name)
    };
    // What is said of the type is not believed.
    let join = vec![named("1", "Group", "Ada"), member("h", ""), member("d", "")];
    at.does([members("g", Delta { join, ..Delta::default() })]);
    let told = vec![named("1", "User", "Ada"), member("d", "Device"), member("h", "Group")];
    assert_eq!(at.record(&group_key("g")).members, told);
    let again = |id| Delta { join: vec![named(id, "", "Countess")], ..Delta::default() };
    at.does([members("g", again("1"))]);
    assert_eq!(at.record(&group_key("g")).members, told);
    // Who has been away comes with another name.
    at.does([members("g", Delta { leave: vec!["1".to_owned()], ..again("1") })]);
    assert_eq!(at.record(&group_key("g")).members.first(), Some(&named("1", "User", "Countess")));
}

/// The number of members follows every join and every leave, however often somebody is named.
pub fn the_number_of_members_is_kept(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), user("2", "grace"), user("3", "jean"), group("g", &["1", "1", "2"])]);
    assert_eq!(ids(&at, "g"), ["1", "2"]);
    at.does([join("g", &["2", "3", "3"])]);
    assert_eq!(ids(&at, "g"), ["1", "2", "3"]);
    at.does([members("g", leaving(&["1", "1", "nobody"]))]);
    assert_eq!(ids(&at, "g"), ["2", "3"]);
    let swap = Delta { leave: vec!["2".to_owned()], ..joining(&["1"]) };
    at.does([members("g", swap)]);
    assert_eq!(ids(&at, "g"), ["1", "3"]);
    let renamed = draft(&resource_type("Group"), "g", serde_json::json!({"displayName": "renamed"}));
    let both = Delta { leave: vec!["3".to_owned()], ..joining(&["2"]) };
    at.does([Write::Replace { draft: renamed, expect: at.version(&group_key("g")), members: both }]);
    assert_eq!(ids(&at, "g"), ["1", "2"]);
    at.does([delete(user_key("1"))]);
    assert_eq!(ids(&at, "g"), ["2"]);
    at.does([members("g", leaving(&["2"]))]);
    assert_eq!(ids(&at, "g"), [""; 0]);
}

/// Members join those who are there; nobody is put in the place of another.
pub fn a_join_adds_and_replaces_nobody(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), user("2", "grace"), user("3", "jean"), group("g", &["1"])]);
    at.does([join("g", &["2"])]);
    let before = at.record(&group_key("g"));
    at.does([join("g", &["3"])]);
    let after = at.record(&group_key("g"));
    assert_eq!(ids(&at, "g"), ["1", "2", "3"]);
    // The document stays as it is, but for its time.
    let name = |record: &scimwright_store::Record| record.resource.get("displayName").cloned();
    assert_eq!((name(&before), before.created, before.notes), (name(&after), after.created, after.notes));
    // So it is when a document is written whose rows are not spoken of.
    let renamed = draft(&resource_type("Group"), "g", serde_json::json!({"displayName": "renamed"}));
    at.does([replace(renamed, after.version)]);
    assert_eq!(ids(&at, "g"), ["1", "2", "3"]);
}

/// Who does not exist in the tenant does not join, whatever else the write asks for. All who are missing are named, in their order.
pub fn strangers_do_not_join(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &["1"])]);
    at.other("b").does([user("2", "grace")]);
    let before = at.everything();
    let strange = joining(&["3", "1", "2", "0"]);
    let renamed = draft(&resource_type("Group"), "g", serde_json::json!({"displayName": "renamed"}));
    let fresh = draft(&resource_type("Group"), "h", serde_json::json!({"displayName": "new"}));
    for write in [
        members("g", strange.clone()),
        Write::Replace { draft: renamed, expect: Version(1), members: strange.clone() },
        Write::Insert { draft: fresh, members: strange },
    ] {
        let error = at.tries([write]).expect_err("they are not there");
        assert!(matches!(error, StoreError::NoSuchMembers(ref ids) if ids == &["3", "2", "0"]), "{error:?}");
    }
    assert_eq!(at.everything(), before);
}

/// Only records of the types that may join do; others count as not existing. Without a list of types any may.
pub fn only_the_types_that_may_join_do(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &[]), group("h", &[]), insert(keyed("Device", "d", &[]))]);
    let of = |types: &[&str]| Delta {
        of: types.iter().map(|name| (*name).to_owned()).collect(),
        ..joining(&["d", "1", "h"])
    };
    for (types, strangers) in
        [(&["User"][..], &["d", "h"][..]), (&["Group", "Device"], &["1"]), (&["user"], &["d", "1", "h"])]
    {
        let error = at.tries([members("g", of(types))]).expect_err("some may not");
        assert!(matches!(error, StoreError::NoSuchMembers(ref ids) if ids == strangers), "{types:?}: {error:?}");
    }
    at.does([members("g", of(&["Device", "Group", "User"]))]);
    assert_eq!(ids(&at, "g"), ["1", "d", "h"]);
    at.does([members("h", Delta { of: vec![], ..joining(&["1", "d"]) })]);
    assert_eq!(ids(&at, "h"), ["1", "d"]);
}

/// Exclusive: who joins leaves every other group of the same type, and the answer and the log say which.
pub fn exclusive_groups_displace(subject: &Subject) {
    let at = At::new(subject);
    let names = ["1", "2", "3"];
    at.does(names.map(|id| user(id, &format!("user {id}"))));
    let team = Write::Insert { draft: keyed("Team", "t", &[]), members: joining(&["1"]) };
    at.does([group("g", &["1", "2", "3"]), group("h", &["1"]), group("i", &["2"]), group("untouched", &[]), team]);
    let exclusive = |ids: &[&str]| Delta { exclusive: true, ..joining(ids) };
    let moved = at.does([members("i", exclusive(&["2", "1"]))]);
    // Who is a member already stays where else he is.
    let gone = [displaced("g", "1"), displaced("h", "1")];
    assert_eq!(moved.displaced, gone);
    assert_eq!(at.log(2, 9)[0].event.displaced, gone);
    assert_eq!(
        (ids(&at, "g"), ids(&at, "h"), ids(&at, "i")),
        (vec!["2".into(), "3".into()], vec![], vec!["1".into(), "2".into()])
    );
    // A team is of another type.
    assert_eq!(groups(&at, "1"), ["i", "t"]);
    for id in ["g", "h", "i"] {
        let record = at.record(&group_key(id));
        assert_eq!(record.version, moved.version, "{id}");
        assert!(record.modified > record.created, "{id}");
    }
    assert_eq!(at.version(&group_key("untouched")), Version(2));
    exclusive_at_birth(&at, exclusive(&["3", "1"]));
}

/// A group that comes with its members, or is written with them, displaces as well.
fn exclusive_at_birth(at: &At, members: Delta) {
    let fresh = draft(&resource_type("Group"), "j", serde_json::json!({"displayName": "new"}));
    let came = at.does([Write::Insert { draft: fresh, members }]);
    assert_eq!(came.displaced, [displaced("g", "3"), displaced("i", "1")]);
    let again = draft(&resource_type("Group"), "h", serde_json::json!({"displayName": "again"}));
    let expect = at.version(&group_key("h"));
    let members = Delta { exclusive: true, ..joining(&["2"]) };
    let none: [Displaced; 2] = [displaced("g", "2"), displaced("i", "2")];
    assert_eq!(at.does([Write::Replace { draft: again, expect, members }]).displaced, none);
    assert_eq!((ids(at, "g"), ids(at, "i")), (vec![], vec![]));
    assert_eq!((ids(at, "h"), ids(at, "j")), (vec!["2".to_owned()], vec!["1".to_owned(), "3".to_owned()]));
}

/// A user shows its groups at once, by their ids, with the names that they have now.
pub fn a_member_sees_its_groups_at_once(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("h", &["1"]), group("G", &["1"]), group("g", &["1"])]);
    let seen = |names: &[(&str, &str)]| -> Vec<Membership> {
        names.iter().map(|(id, name)| Membership { group: group_key(id), display: Some((*name).to_owned()) }).collect()
    };
    let record = at.record(&user_key("1"));
    assert_eq!(record.member_of, seen(&[("G", "the G"), ("g", "the g"), ("h", "the h")]));
    let renamed = draft(&resource_type("Group"), "h", serde_json::json!({"displayName": "renamed"}));
    at.does([replace(renamed, Version(1)), members("G", leaving(&["1"]))]);
    let record = at.find_record(&user_key("1"), Members::None).unwrap();
    assert_eq!(record.member_of, seen(&[("g", "the g"), ("h", "renamed")]));
    assert_eq!(record.version, Version(1));
    let mut unnamed = draft(&resource_type("Group"), "g", serde_json::json!({"displayName": "hidden"}));
    unnamed.display = None;
    at.does([replace(unnamed, Version(1))]);
    assert_eq!(at.record(&user_key("1")).member_of[0], Membership { group: group_key("g"), display: None });
    // Groups are members as users are.
    at.does([join("h", &["g"])]);
    assert_eq!(at.record(&group_key("g")).member_of, seen(&[("h", "renamed")]));
}

/// Who is deleted leaves every group, and the groups that he leaves get the commit's version. A group that goes leaves its members.
pub fn who_is_deleted_leaves_every_group(subject: &Subject) {
    let at = At::new(subject);
    at.does([
        user("1", "ada"),
        user("2", "grace"),
        group("g", &["1", "2"]),
        group("h", &["1", "g"]),
        group("i", &["2"]),
    ]);
    at.does([]);
    let before = at.record(&group_key("i"));
    let gone = at.does([delete(user_key("1"))]);
    assert_eq!(gone.displaced, []);
    for id in ["g", "h"] {
        let record = at.record(&group_key(id));
        assert_eq!(record.version, gone.version, "{id}");
        assert!(record.modified > record.created, "{id}");
    }
    assert_eq!(
        (ids(&at, "g"), ids(&at, "h"), at.record(&group_key("i"))),
        (vec!["2".to_owned()], vec!["g".to_owned()], before)
    );
    // The id may come back, and nobody takes it for the one that was.
    at.does([user("1", "ada")]);
    assert_eq!((groups(&at, "1"), ids(&at, "g")), (vec![], vec!["2".to_owned()]));
    let members_stay = at.version(&user_key("2"));
    at.does([delete(group_key("g"))]);
    assert_eq!((groups(&at, "2"), ids(&at, "h")), (vec!["i".to_owned()], vec![]));
    assert_eq!(at.version(&user_key("2")), members_stay);
    at.does([group("g", &[])]);
    assert_eq!((ids(&at, "g"), at.record(&group_key("g")).member_of), (vec![], vec![]));
}

/// A group of many is written and read like one of few.
pub fn large_groups_are_groups(subject: &Subject) {
    let at = At::new(subject);
    let everybody: Vec<String> = (0..1_000).map(|at| format!("{at:04}")).collect();
    at.does(everybody.iter().map(|id| insert(keyed("User", id, &[]))));
    let all: Vec<&str> = everybody.iter().map(String::as_str).collect();
    at.does([group("g", &all), group("h", &all[500..])]);
    assert_eq!(ids(&at, "g"), everybody);
    let exclusive = Delta { exclusive: true, leave: vec!["0999".to_owned()], ..joining(&all[..600]) };
    assert_eq!(at.does([members("h", exclusive)]).displaced.len(), 500);
    assert_eq!((ids(&at, "g"), ids(&at, "h")), (everybody[500..].to_vec(), everybody[..999].to_vec()));
    at.does([members("g", leaving(&all))]);
    assert_eq!(ids(&at, "g"), [""; 0]);
    assert_eq!(
        at.find_record(&Key::new("Group", "h"), Members::Named(vec!["0500".to_owned()])).unwrap().members.len(),
        1
    );
}
