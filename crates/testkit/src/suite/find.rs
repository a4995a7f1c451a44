//! `find` answers what the store in memory answers: for random records, filters, sorts and starts, and for those where a translation
//! to another language goes wrong most easily.

use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use scimwright_filter::{Binding, SortBy};
use scimwright_store::{Change, Delta, InMemory, Member, Members, Page, Query, Start, Store, TenantId, Write};
use serde_json::{Value, json};

use super::asked::{Asked, Memberships, SORTS, all_of, asked, population, query, started};
use super::resources::{group, user};
use super::sample::{change, draft, resource_type, tenant};
use super::{Subject, filters};

/// A store beside the one in memory, and the tenant whose records both have.
struct Pair<'p> {
    store: &'p dyn Store,
    memory: InMemory,
    whose: TenantId,
}

impl<'p> Pair<'p> {
    fn new(store: &'p dyn Store, whose: &str) -> Self {
        Self { store, memory: InMemory::default(), whose: tenant(whose) }
    }

    fn commit(&self, change: &Change) {
        let wanted = block_on(self.memory.commit(&self.whose, change.clone())).unwrap();
        assert_eq!(block_on(self.store.commit(&self.whose, change.clone())).unwrap(), wanted);
    }

    fn fill(&self, users: Vec<Value>, groups: Vec<Value>, memberships: &Memberships) {
        for change in population(users, groups, memberships) {
            self.commit(&change);
        }
    }

    fn found(&self, query: &Query) -> Page {
        block_on(self.store.find(&self.whose, query)).unwrap()
    }

    fn wanted(&self, query: &Query) -> Page {
        block_on(self.memory.find(&self.whose, query)).unwrap()
    }

    fn agree(&self, types: &[&str], asked: &Asked) -> Result<(), TestCaseError> {
        let query = started(query(asked, types), &asked.start, &self.memory, &self.whose);
        prop_assert_eq!(self.found(&query), self.wanted(&query), "{:?} on {:?}, {:?}", asked, types, query.start);
        let nobody = block_on(self.store.find(&tenant("nobody"), &query)).unwrap();
        prop_assert_eq!(nobody, query.run([]), "what a tenant finds that has nothing");
        Ok(())
    }

    fn agree_on_all(&self, on_users: &[Asked], on_groups: &[Asked]) -> Result<(), TestCaseError> {
        for (types, asked) in [(["User", "Group"], on_users), (["Group", "User"], on_groups)] {
            for (at, asked) in asked.iter().enumerate() {
                // One in three looks at both types.
                self.agree(if at % 3 == 2 { &types[..] } else { &types[..1] }, asked)?;
            }
        }
        Ok(())
    }
}

/// Random records, filters, sorts and starts: a page has what it has in memory, in the same order, with the same marks and total.
///
/// Each random case has a tenant of its own in one store, with the same ids and names as the others.
pub fn finds_what_memory_finds(subject: &Subject) {
    let store = subject.store();
    let populations = (vec(user(), 0..24), vec(group(), 0..5), vec((0..8_usize, 0..32_usize), 0..24));
    let questions = (vec(asked(some(filters::on_users())), 36), vec(asked(some(filters::on_groups())), 18));
    subject.each(&(populations, questions), |case, ((users, groups, memberships), (on_users, on_groups))| {
        let pair = Pair::new(&*store, case);
        pair.fill(users, groups, &memberships);
        pair.agree_on_all(&on_users, &on_groups)
    });
}

/// The filter, or none.
fn some(filter: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop_oneof![1 => Just(String::new()), 3 => filter]
}

/// Questions that are hard for one who takes another language for the filter's: about one value, half known, or nearly equal.
const ON_USERS: [&str; 24] = [
    r#"emails[value eq "x" and value eq "y"]"#,
    r#"emails[value eq "x" and value sw "y"]"#,
    r#"emails[value eq "x" or value eq "z"]"#,
    r#"emails[not (value eq "x")]"#,
    r#"emails.value ne "x""#,
    r#"emails.value eq "x" and emails.value eq "y""#,
    r#"(userName eq "a" and active eq true) or userName eq "b""#,
    r#"(userName eq "a" and active eq false) or userName eq "b""#,
    r#"(displayName eq "same" and emails.value eq "y") or userName eq "ab""#,
    r#"(displayName eq "same" and emails.value sw "z") or userName eq "ab""#,
    r#"displayName eq "same" and not (emails.value eq "y" or active eq false)"#,
    r#"userName sw "a""#,
    r#"userName sw "a\u0301""#,
    r#"userName sw "a%""#,
    r#"userName sw "\udbff\udfff""#,
    r#"userName sw """#,
    r#"groups.value eq "g0" and not (groups.value eq "g1")"#,
    r#"groups[value eq "g0" and value eq "g1"]"#,
    r#"groups.value eq "G0""#,
    r#"id eq "U2" or id eq "u2""#,
    r#"meta.version co "-""#,
    r#"meta.version co "-" and userName eq "a""#,
    r#"meta.location eq "https://scim.example/v2/Users/u0""#,
    r#"id eq "g0""#,
];

/// The same about groups.
const ON_GROUPS: [&str; 6] = [
    r#"members.value eq "u0" and members.value eq "u2""#,
    r#"members[value eq "u0" and value eq "u2"]"#,
    r#"members[value eq "g0" and type eq "Group"]"#,
    r#"members[value eq "u0" and type eq "Group"]"#,
    r#"displayName eq "SAME" and members.value eq "u0""#,
    r#"members.value eq "U0""#,
];

/// Each of the filters, and what it leaves.
fn ask(filters: &[&str]) -> Vec<Asked> {
    let negations = filters.iter().map(|filter| format!("not ({filter})"));
    let all = filters.iter().map(|filter| (*filter).to_owned()).chain(negations);
    all.map(|filter| Asked { filter, members: Members::All, total: true, ..Asked::everything(100) }).collect()
}

/// Filters that a translation to SQL gets wrong which takes its logic for that of RFC 7644 section 3.4.2.2, and all their negations.
pub fn filters_are_not_mistaken_for_something_near(subject: &Subject) {
    let user = |name: &str, emails: &[&str], active: bool| {
        let emails: Vec<_> = emails.iter().map(|value| json!({"value": value})).collect();
        json!({"userName": name, "displayName": "Same", "emails": emails, "active": active})
    };
    let users = vec![
        user("a", &["x", "y"], true),
        user("A\u{301}", &["x"], false),
        user("b", &["y", "Z"], true),
        user("ab", &[], false),
        user("a%", &["%"], true),
        user("a\u{10ffff}", &["'"], true),
    ];
    let groups = vec![json!({"displayName": "Same"}), json!({"displayName": "Other"})];
    let store = subject.store();
    let pair = Pair::new(&*store, "a");
    pair.fill(users, groups, &vec![(0, 0), (0, 1), (1, 0), (1, 6), (0, 2)]);
    pair.agree_on_all(&ask(&ON_USERS), &ask(&ON_GROUPS)).unwrap();
}

/// A list without a filter says how many there are, wherever the page begins and however long it is.
pub fn lists_have_their_totals(subject: &Subject) {
    let store = subject.store();
    let pair = Pair::new(&*store, "a");
    pair.fill((0..7).map(|at| json!({"userName": format!("user {at}")})).collect(), vec![], &vec![]);
    for (offset, count) in [(0, 3), (0, 7), (0, 8), (5, 3), (7, 1), (9, 9), (0, 0), (usize::MAX, usize::MAX)] {
        for (name, total) in [("User", 7), ("Group", 0)] {
            let mut query = Query::new(resource_type(name), count);
            query.start = Start::Offset(offset);
            let found = pair.found(&query);
            assert_eq!(found, pair.wanted(&query), "{name} {offset} {count}");
            assert_eq!(found.total, Some(total), "{name} {offset} {count}");
        }
    }
}

/// Whoever walks from page to page meets everybody once, in either direction, by every sort.
pub fn a_walk_by_marks_meets_everybody_once(subject: &Subject) {
    let store = subject.store();
    let pair = Pair::new(&*store, "a");
    let user = |at: usize| {
        let mut user = json!({"userName": format!("u{}", (at * 7) % 20)});
        if !at.is_multiple_of(3) {
            user["externalId"] = format!("e{}", at % 4).into();
            user["displayName"] = format!("D{}", at % 2).into();
        }
        user
    };
    let groups = vec![json!({"displayName": "d0"}), json!({"displayName": "Other"})];
    pair.fill((0..20).map(user).collect(), groups, &vec![(0, 1), (1, 0)]);
    for sort in SORTS.map(Some).into_iter().chain([None]) {
        for (types, count) in [(&["User"][..], 1), (&["User"], 3), (&["User", "Group"], 4), (&["Group"], 1)] {
            for descending in [false, true] {
                walk(&pair, &query(&Asked { sort, descending, ..Asked::everything(count) }, types));
            }
        }
    }
}

/// There and back.
fn walk(pair: &Pair<'_>, query: &Query) {
    let wanted = pair.wanted(&all_of(query)).records;
    let (mut here, mut met, mut last) = (query.clone(), Vec::new(), None);
    loop {
        let page = pair.found(&here);
        assert!(page.records.len() == query.count || !page.more, "a page that is not full is the last: {query:?}");
        met.extend(page.records);
        last = page.last.or(last);
        let Some(mark) = last.clone().filter(|_| page.more) else { break };
        here.start = Start::After(mark);
    }
    assert_eq!(met, wanted, "{query:?}");
    let mut back: Vec<_> = met.pop().into_iter().collect();
    while let Some(mark) = last {
        here.start = Start::Before(mark);
        let page = pair.found(&here);
        back.splice(0..0, page.records);
        last = page.first.filter(|_| page.more);
    }
    assert_eq!(back, wanted, "{query:?} backwards");
}

/// An attribute that got an index after records were written: whoever walks along the index meets the others too.
pub fn records_that_an_index_does_not_know_are_not_lost(subject: &Subject) {
    let store = subject.store();
    let pair = Pair::new(&*store, "a");
    let user = |name: &str, external: Option<&str>| json!({"userName": name, "externalId": external});
    let users = vec![user("c", Some("1")), user("a", None), user("b", Some("3")), user("d", Some("2"))];
    for mut change in population(users, vec![], &vec![]) {
        for write in &mut change.writes {
            if let Write::Insert { draft, .. } = write {
                draft.index.retain(|key| key.path != "externalId" && (key.path != "userName" || key.value == "a"));
            }
        }
        pair.commit(&change);
    }
    for sort in ["userName", "externalId"] {
        for (descending, offset, count) in [(false, 0, 9), (true, 0, 9), (true, 1, 2), (false, 1, 3)] {
            let mut query = Query::new(resource_type("User"), count);
            let path = sort.parse().unwrap();
            query.parts[0].sort = SortBy::bind(&path, &Binding::new(&resource_type("User"))).unwrap();
            (query.descending, query.start) = (descending, Start::Offset(offset));
            assert_eq!(pair.found(&query), pair.wanted(&query), "{sort} {descending} {offset} {count}");
        }
    }
}

/// A store may look for many ids at once, in a list or in a text with all of them: each means itself alone, whatever is in it.
pub fn lists_of_ids_mean_just_those(subject: &Subject) {
    const IDS: [&str; 11] = ["u", "u\0", "u\0x", "\"", "\\u0000", "u\u{1}", "\u{10ffff}", "1", "1.0", "true", "null"];
    let store = subject.store();
    let pair = Pair::new(&*store, "a");
    let insert = |of: &str, id: &str, body: Value, join: Vec<Member>| {
        let draft = draft(&resource_type(of), id, body);
        Write::Insert { draft, members: Delta { join, ..Delta::default() } }
    };
    let users = IDS.map(|id| insert("User", id, json!({"userName": id.escape_unicode().to_string()}), vec![]));
    let groups = [1, 2, 3].map(|length| {
        // Each lacks others.
        let ids = IDS.iter().filter(|id| id.len() != length);
        let join = ids.map(|id| Member { id: (*id).to_owned(), ..Member::default() }).collect();
        insert("Group", &format!("g{length}"), json!({"displayName": "Same"}), join)
    });
    pair.commit(&change(users.into_iter().chain(groups)));

    let pairs = IDS.iter().flat_map(|one| IDS.map(|other| vec![(*one).to_owned(), other.to_owned()]));
    for named in pairs.chain([vec![], IDS.map(str::to_owned).into()]) {
        let mut query = Query::new(resource_type("Group"), 9);
        query.parts[0].members = Members::Named(named);
        assert_eq!(pair.found(&query), pair.wanted(&query), "{:?}", query.parts[0].members);
    }
    // So are those on a page in an order that no index has, and the groups of many.
    for (descending, sort) in [(false, "title"), (true, "title"), (false, "userName"), (true, "groups.display")] {
        let mut query = Query::new(resource_type("User"), 9);
        query.parts[0].sort = SortBy::bind(&sort.parse().unwrap(), &Binding::new(&resource_type("User"))).unwrap();
        query.descending = descending;
        assert_eq!(pair.found(&query), pair.wanted(&query), "{sort} {descending}");
    }
}
