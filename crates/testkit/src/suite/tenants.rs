//! Tenants know nothing of one another.

use scimwright_store::{Query, Scope, Start, Version, When};
use serde_json::json;

use super::Subject;
use super::asked::{Asked, query};
use super::at::{At, delete, fact, group_key, index_key, insert, keyed, members, replace, titled, user_key};
use super::sample::{change, filtered, group, join, joining, resource_type, tenant, user};

/// Names of tenants that are nearly the same.
const NAMES: [&str; 12] = ["acme", "ACME", "Acme", "acm", "acmee", "acme%", "a_me", "acme'", "acme/1", "%", "_", "0"];

/// The same ids, names and keys everywhere, with another title.
fn fill(at: &At) {
    let name = at.whose.to_string();
    let mut ada = titled("1", "ada", &name);
    ada.notes.insert("of".to_owned(), name.as_str().into());
    at.does([insert(ada), user("2", "grace"), group("g", &["1"])]);
    let mut known = change([join("g", &["2"])]);
    known.facts.push(fact("known", Some(name.as_str().into()), When::Absent));
    known.events[0].actor = name;
    at.change(known).unwrap();
}

/// Tenants with the same ids and names each have their own: records, members, lists, keys, facts and logs.
pub fn tenants_with_the_same_ids_are_apart(subject: &Subject) {
    let one = At::new(subject);
    let long = "x".repeat(128);
    let tenants: Vec<_> = NAMES.into_iter().chain([long.as_str()]).map(|name| one.other(name)).collect();
    tenants.iter().for_each(fill);
    for at in &tenants {
        let name = json!(at.whose.as_str());
        let ada = at.record(&user_key("1"));
        assert_eq!((ada.resource.get("title"), ada.notes.get("of")), (Some(&name), Some(&name)));
        assert_eq!((ada.version, ada.member_of.len()), (Version(1), 1));
        assert_eq!(at.record(&group_key("g")).member_count, 2);
        assert_eq!(at.find(&filtered("User", "")).total, Some(2));
        assert_eq!(at.find(&filtered("User", r#"userName eq "ada""#)).records, [ada]);
        assert_eq!(at.ids("Group", r#"members.value eq "1""#), ["g"]);
        assert_eq!(at.fact("known").as_ref(), Some(&name));
        let log = at.log(0, usize::MAX);
        assert_eq!((log.len(), log[1].event.actor.as_str()), (2, at.whose.as_str()));
    }
}

/// What one tenant does is not seen in another, whatever it does.
pub fn what_one_tenant_does_is_not_seen_in_another(subject: &Subject) {
    let here = At::new(subject);
    let there = here.other("b");
    fill(&here);
    fill(&there);
    let before = there.everything();
    here.does([replace(titled("1", "jean", ""), Version(1)), delete(user_key("2")), group("h", &["1"])]);
    let mut more = change([members("h", super::at::leaving(&["1"])), delete(group_key("g"))]);
    more.facts.push(fact("known", None, When::Always));
    here.change(more).unwrap();
    assert_eq!(there.everything(), before);
    // Names that are taken here are free there, and the other way round.
    there.does([user("3", "jean")]);
    here.does([user("3", "ada"), user("2", "grace")]);
    assert_eq!(
        (here.ids("User", r#"userName eq "ada""#), there.ids("User", r#"userName eq "ada""#)),
        (vec!["3".to_owned()], vec!["1".to_owned()])
    );
}

/// A tenant that is not there has nothing, and is not there either after it was asked.
pub fn a_tenant_that_is_not_there_has_nothing(subject: &Subject) {
    let at = At::new(subject);
    fill(&at);
    let nobody = at.other("b");
    let empty = nobody.everything();
    assert!(!nobody.is_there(&user_key("1")) && !nobody.is_there(&group_key("g")));
    assert_eq!((nobody.fact("known"), nobody.position(), nobody.ids("User", "")), (None, 0, vec![]));
    for write in [delete(user_key("1")), replace(titled("1", "ada", ""), Version(1)), members("g", joining(&["1"]))] {
        nobody.tries([write]).expect_err("it is not there");
    }
    nobody.tries([group("h", &["1"])]).expect_err("the member is not there");
    assert_eq!(nobody.everything(), empty);
}

/// A key of everybody's says nothing of where it is held, and moves from tenant to tenant only when it is given up.
pub fn a_key_of_everybody_moves_when_it_is_given_up(subject: &Subject) {
    let here = At::new(subject);
    let there = here.other("b");
    let with = |login: &str| {
        let mut ada = titled("1", "ada", "");
        ada.index.push(index_key("login", login, Scope::Global));
        ada
    };
    here.does([insert(with("ada"))]);
    there.does([insert(with("grace")), user("2", "jean")]);
    assert!(there.tries([replace(with("ada"), Version(1))]).is_err());
    // The attempt has taken nothing from anybody.
    assert!(here.tries([replace(with("grace"), Version(1))]).is_err());
    here.does([replace(with("annie"), Version(1))]);
    there.does([replace(with("ada"), Version(1))]);
    here.does([replace(with("grace"), Version(2))]);
    assert!(there.tries([insert(keyed("User", "3", &[("login", "annie", Scope::Global)]))]).is_ok());
}

/// A mark that one tenant got is a place in another's list like any other: it shows nothing of where it comes from.
pub fn a_mark_of_another_tenant_shows_nothing_of_it(subject: &Subject) {
    let here = At::new(subject);
    let there = here.other("b");
    here.does(["a", "c", "e", "g"].map(|id| user(id, &format!("name {id}"))));
    there.does(["b", "d", "f"].map(|id| user(id, &format!("name {id}"))));
    for sort in [None, Some("userName")] {
        let all = query(&Asked { sort, ..Asked::everything(2) }, &["User"]);
        let mark = here.find(&all).last.unwrap();
        let ids = |start: Start| {
            let mut query = all.clone();
            query.start = start;
            there.find(&query).records.into_iter().map(|record| record.key.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(Start::After(mark.clone())), ["d", "f"], "{sort:?}");
        assert_eq!(ids(Start::Before(mark)), ["b"], "{sort:?}");
    }
    assert_eq!(there.find(&Query::new(resource_type("User"), 9)).total, Some(3));
    assert_eq!(there.whose, tenant("b"));
}
