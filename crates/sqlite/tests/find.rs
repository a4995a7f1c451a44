//! The law of every store: `find` answers what the store in memory answers.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_core::Catalog;
use scimwright_filter::{Binding, Filter, SortBy};
use scimwright_store::{
    Change, Delta, Event, InMemory, Mark, Member, Members, Part, Query, Start, Store, TenantId, Write,
};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

use support::resources::{GROUPS, TIMES, USERS, group, user};
use support::{Temporary, draft, filters, resource_type, tenant, time};

/// Who is in which group, by numbers that wrap around.
type Memberships = Vec<(usize, usize)>;

#[derive(Clone, Debug)]
struct Asked {
    filter: String,
    sort: Option<&'static str>,
    descending: bool,
    start: From,
    count: usize,
    total: bool,
    members: Members,
}

/// Where a page begins; a mark is that of some record, by a number that wraps around.
#[derive(Clone, Debug)]
enum From {
    Offset(usize),
    After(usize),
    Before(usize),
    /// Behind a record that is gone by now.
    AfterGone(usize),
    /// Behind a record of a type that is not looked for.
    AfterStranger(usize),
}

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";

/// With an index and without, of one value and of many, of one type and of both, in the document and in rows.
const SORTS: [&str; 18] = [
    "userName",
    "userName",
    "externalId",
    "externalId",
    "displayName",
    "displayName",
    "id",
    "meta.lastModified",
    "meta.created",
    "meta.version",
    "emails",
    "emails.type",
    "active",
    "name.familyName",
    "groups.display",
    "members",
    DEPARTMENT,
    MANAGER,
];

fn asked(filter: impl Strategy<Value = String>) -> impl Strategy<Value = Asked> {
    let named = vec![USERS[0].to_owned(), USERS[2].to_owned()];
    let members = select(vec![Members::None, Members::All, Members::Named(named)]);
    let offset = prop_oneof![3 => Just(0), 2 => 0..4_usize, 1 => Just(usize::MAX)].prop_map(From::Offset);
    let mark = prop_oneof![
        3 => (0..30_usize).prop_map(From::After),
        2 => (0..30_usize).prop_map(From::Before),
        1 => (0..30_usize).prop_map(From::AfterGone),
        1 => (0..30_usize).prop_map(From::AfterStranger),
    ];
    let count = prop_oneof![3 => Just(100), 3 => 0..4_usize, 1 => Just(usize::MAX)];
    let sort = prop_oneof![2 => Just(None), 3 => select(SORTS.as_slice()).prop_map(Some)];
    let start = prop_oneof![offset, mark];
    (filter, (sort, any::<bool>()), start, count, any::<bool>(), members).prop_map(
        |(filter, (sort, descending), start, count, total, members)| Asked {
            filter,
            sort,
            descending,
            start,
            count,
            total,
            members,
        },
    )
}

/// Changes that bring users and groups into a store, at different times.
fn population(users: Vec<Value>, groups: Vec<Value>, memberships: &Memberships) -> Vec<Change> {
    let mut names = HashSet::new();
    let users = users.into_iter().zip(USERS.iter().cycle()).enumerate().filter_map(|(at, (body, id))| {
        let id = if at < USERS.len() { (*id).to_owned() } else { format!("{id}-{at}") };
        let draft = draft(&resource_type("User"), &id, body);
        // The name is the one key of users that may not repeat.
        let name = draft.index.iter().find(|key| key.path == "userName").map(|key| key.value.clone());
        names.insert(name).then_some(draft)
    });
    let users: Vec<_> = users.collect();
    let groups = groups.into_iter().zip(GROUPS);
    let groups: Vec<_> = groups.map(|(body, id)| draft(&resource_type("Group"), id, body)).collect();
    let everybody: Vec<_> = users.iter().chain(&groups).map(|draft| draft.key.id.clone()).collect();
    let joins = memberships.iter().filter_map(|(group, member)| {
        let group = groups.get(group % groups.len().max(1))?.key.clone();
        let id = everybody.get(member % everybody.len().max(1))?.clone();
        let member = Member { id, display: (member % 3 == 0).then(|| "Ada".to_owned()), ..Member::default() };
        Some(Write::Members { group, members: Delta { join: vec![member], ..Delta::default() }, expect: None })
    });
    let joins: Vec<_> = joins.collect();
    let inserts = users.into_iter().chain(groups).map(|draft| Write::Insert { draft, members: Delta::default() });
    let writes: Vec<_> = inserts.chain(joins).collect();
    let changes = writes.chunks(5).zip(TIMES.iter().cycle()).map(|(writes, moment)| {
        let mut change = Change::new(time(moment), Event::default());
        change.writes = writes.to_vec();
        change
    });
    changes.collect()
}

/// The query over these types, from its beginning.
fn query(asked: &Asked, types: &[&str]) -> Query {
    let catalog = Catalog::standard();
    let parts = types.iter().map(|name| {
        let resource_type = resource_type(name);
        // As a search over everything binds it: what only the other type has is never there.
        let binding = Binding { served: catalog.resource_types(), ..Binding::new(&resource_type) };
        let mut part = Part::new(Arc::clone(&resource_type));
        if !asked.filter.is_empty() {
            let filter: Filter = asked.filter.parse().unwrap_or_else(|error| panic!("{}: {error}", asked.filter));
            part.filter = Some(filter.bind(&binding).unwrap_or_else(|error| panic!("{}: {error}", asked.filter)));
        }
        part.sort = asked.sort.and_then(|sort| SortBy::bind(&sort.parse().unwrap(), &binding).unwrap());
        part.members = asked.members.clone();
        part
    });
    let mut query = Query::over(parts.collect(), asked.count);
    query.descending = asked.descending;
    query.total = asked.total;
    query.base = "https://scim.example/v2".into();
    query.served = catalog.resource_types().into();
    query
}

/// The same query for one page of everything.
fn all_of(query: &Query) -> Query {
    let mut all = query.clone();
    (all.start, all.count) = (Start::Offset(0), usize::MAX);
    all
}

/// The same query from where the page begins.
fn started(mut query: Query, from: &From, memory: &InMemory, whose: &TenantId) -> Query {
    let count = block_on(memory.find(whose, &all_of(&query))).unwrap().records.len();
    let mark = |at: usize| {
        let mut one = query.clone();
        (one.start, one.count) = (Start::Offset(at % count.max(1)), 1);
        block_on(memory.find(whose, &one)).unwrap().first
    };
    let start = match from {
        From::Offset(offset) => Some(Start::Offset(*offset)),
        From::After(at) => mark(*at).map(Start::After),
        From::Before(at) => mark(*at).map(Start::Before),
        From::AfterGone(at) => mark(*at).map(|mark| Start::After(Mark { id: format!("{}0", mark.id), ..mark })),
        From::AfterStranger(at) => {
            mark(*at).map(|mark| Start::After(Mark { resource_type: "Stranger".to_owned(), ..mark }))
        }
    };
    query.start = start.unwrap_or(Start::Offset(0));
    query
}

fn agree(
    users: Vec<Value>,
    groups: Vec<Value>,
    memberships: &Memberships,
    on_users: &[Asked],
    on_groups: &[Asked],
) -> Result<(), TestCaseError> {
    let (disk, memory, whose) = (Temporary::new(), InMemory::default(), tenant("a"));
    for change in population(users, groups, memberships) {
        let wanted = block_on(memory.commit(&whose, change.clone())).unwrap();
        prop_assert_eq!(block_on(disk.store.commit(&whose, change)).unwrap(), wanted);
    }
    for (types, asked) in [(["User", "Group"], on_users), (["Group", "User"], on_groups)] {
        for (at, asked) in asked.iter().enumerate() {
            // One in three looks at both types.
            let types = if at % 3 == 2 { &types[..] } else { &types[..1] };
            let query = started(query(asked, types), &asked.start, &memory, &whose);
            let wanted = block_on(memory.find(&whose, &query)).unwrap();
            let found = block_on(disk.store.find(&whose, &query)).unwrap();
            prop_assert_eq!(found, wanted, "{:?} on {:?}, {:?}", asked, types, query.start);
            let nobody = block_on(disk.store.find(&tenant("b"), &query)).unwrap();
            prop_assert_eq!(nobody, query.run([]));
        }
    }
    Ok(())
}

/// The filter, or none.
fn some(filter: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop_oneof![1 => Just(String::new()), 3 => filter]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn sqlite_finds_what_memory_finds(
        users in vec(user(), 0..24),
        groups in vec(group(), 0..5),
        memberships in vec((0..8_usize, 0..32_usize), 0..24),
        on_users in vec(asked(some(filters::on_users())), 36),
        on_groups in vec(asked(some(filters::on_groups())), 18),
    ) {
        agree(users, groups, &memberships, &on_users, &on_groups)?;
    }
}

/// Where a translation goes wrong that takes SQL for logic: what is about one value, what is half known, what is near.
#[test]
fn sqlite_is_not_taken_in() {
    let user = |name: &str, emails: &[&str], active: bool| {
        let emails: Vec<_> = emails.iter().map(|value| serde_json::json!({"value": value})).collect();
        serde_json::json!({"userName": name, "displayName": "Same", "emails": emails, "active": active})
    };
    let users = vec![
        user("a", &["x", "y"], true),
        user("A\u{301}", &["x"], false),
        user("b", &["y", "Z"], true),
        user("ab", &[], false),
        user("a%", &["%"], true),
        user("a\u{10ffff}", &["'"], true),
    ];
    let groups = vec![serde_json::json!({"displayName": "Same"}), serde_json::json!({"displayName": "Other"})];
    let memberships = vec![(0, 0), (0, 1), (1, 0), (1, 6), (0, 2)];
    let ask = |filters: &[&str]| -> Vec<Asked> {
        let negations = filters.iter().map(|filter| format!("not ({filter})"));
        let all = filters.iter().map(|filter| (*filter).to_owned()).chain(negations);
        let usual = |filter| Asked {
            filter,
            sort: None,
            descending: false,
            start: From::Offset(0),
            count: 100,
            total: true,
            members: Members::All,
        };
        all.map(usual).collect()
    };
    let on_users = ask(&[
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
    ]);
    let on_groups = ask(&[
        r#"members.value eq "u0" and members.value eq "u2""#,
        r#"members[value eq "u0" and value eq "u2"]"#,
        r#"members[value eq "g0" and type eq "Group"]"#,
        r#"members[value eq "u0" and type eq "Group"]"#,
        r#"displayName eq "SAME" and members.value eq "u0""#,
        r#"members.value eq "U0""#,
    ]);
    agree(users, groups, &memberships, &on_users, &on_groups).unwrap();
}

#[test]
fn lists_without_a_filter_have_their_totals() {
    let (disk, memory, whose) = (Temporary::new(), InMemory::default(), tenant("a"));
    let bodies = (0..7).map(|at| serde_json::json!({"userName": format!("user {at}")})).collect();
    for change in population(bodies, vec![], &vec![]) {
        block_on(memory.commit(&whose, change.clone())).unwrap();
        block_on(disk.store.commit(&whose, change)).unwrap();
    }
    for (offset, count) in [(0, 3), (0, 7), (0, 8), (5, 3), (7, 1), (9, 9), (0, 0), (usize::MAX, usize::MAX)] {
        for name in ["User", "Group"] {
            let mut query = Query::new(resource_type(name), count);
            query.start = Start::Offset(offset);
            let ask = |store: &dyn Store| block_on(store.find(&whose, &query)).unwrap();
            assert_eq!(ask(&disk.store), ask(&memory), "{offset} {count}");
        }
    }
}

/// Whoever walks from page to page meets everybody once, in either direction, by every sort.
#[test]
fn a_walk_by_marks_meets_everybody_once() {
    let (disk, memory, whose) = (Temporary::new(), InMemory::default(), tenant("a"));
    let user = |at: usize| {
        let mut user = serde_json::json!({"userName": format!("u{}", (at * 7) % 20)});
        if !at.is_multiple_of(3) {
            user["externalId"] = format!("e{}", at % 4).into();
            user["displayName"] = format!("D{}", at % 2).into();
        }
        user
    };
    let groups = vec![serde_json::json!({"displayName": "d0"}), serde_json::json!({"displayName": "Other"})];
    for change in population((0..20).map(user).collect(), groups, &vec![(0, 1), (1, 0)]) {
        block_on(memory.commit(&whose, change.clone())).unwrap();
        block_on(disk.store.commit(&whose, change)).unwrap();
    }
    for sort in SORTS.map(Some).into_iter().chain([None]) {
        for (types, count) in [(&["User"][..], 1), (&["User"], 3), (&["User", "Group"], 4), (&["Group"], 1)] {
            for descending in [false, true] {
                let asked = Asked {
                    filter: String::new(),
                    sort,
                    descending,
                    start: From::Offset(0),
                    count,
                    total: false,
                    members: Members::None,
                };
                let query = query(&asked, types);
                let everything = all_of(&query);
                let wanted: Vec<_> = block_on(memory.find(&whose, &everything)).unwrap().records;
                let mut met = Vec::new();
                let mut last;
                let mut here = query.clone();
                loop {
                    let page = block_on(disk.store.find(&whose, &here)).unwrap();
                    assert!(page.records.len() == count || !page.more);
                    met.extend(page.records);
                    last = page.last;
                    if !page.more {
                        break;
                    }
                    here.start = Start::After(last.clone().unwrap());
                }
                assert_eq!(met, wanted, "{sort:?} {types:?} {descending}");
                let mut back = vec![met.pop().unwrap()];
                loop {
                    here.start = Start::Before(last.unwrap());
                    let page = block_on(disk.store.find(&whose, &here)).unwrap();
                    back.splice(0..0, page.records);
                    if !page.more {
                        break;
                    }
                    last = page.first;
                }
                assert_eq!(back, wanted, "{sort:?} {types:?} {descending} backwards");
            }
        }
    }
}

/// An attribute that got an index after records were written: whoever walks along the index meets the others too.
#[test]
fn records_that_an_index_does_not_know_are_not_lost() {
    let (disk, memory, whose) = (Temporary::new(), InMemory::default(), tenant("a"));
    let user = |name: &str, external: Option<&str>| {
        let mut user = serde_json::json!({"userName": name});
        user["externalId"] = external.into();
        user
    };
    let users = vec![user("c", Some("1")), user("a", None), user("b", Some("3")), user("d", Some("2"))];
    for mut change in population(users, vec![], &vec![]) {
        for write in &mut change.writes {
            if let Write::Insert { draft, .. } = write {
                draft.index.retain(|key| key.path != "externalId" && (key.path != "userName" || key.value == "a"));
            }
        }
        block_on(memory.commit(&whose, change.clone())).unwrap();
        block_on(disk.store.commit(&whose, change)).unwrap();
    }
    for sort in ["userName", "externalId"] {
        for (descending, offset, count) in [(false, 0, 9), (true, 0, 9), (true, 1, 2), (false, 1, 3)] {
            let mut query = Query::new(resource_type("User"), count);
            let path = sort.parse().unwrap();
            query.parts[0].sort = SortBy::bind(&path, &Binding::new(&resource_type("User"))).unwrap();
            (query.descending, query.start) = (descending, Start::Offset(offset));
            let ask = |store: &dyn Store| block_on(store.find(&whose, &query)).unwrap();
            assert_eq!(ask(&disk.store), ask(&memory), "{sort} {descending} {offset} {count}");
        }
    }
}

/// Ids are looked up in lists, and whatever is in one must mean itself alone.
#[test]
fn members_are_named_by_their_very_ids() {
    let (disk, memory, whose) = (Temporary::new(), InMemory::default(), tenant("a"));
    let ids = ["u", "u\0", "u\0x", "\"", "\\u0000", "u\u{1}", "\u{10ffff}", "1", "1.0", "true", "null"];
    let users = ids.iter().map(|id| {
        let draft = draft(&resource_type("User"), id, serde_json::json!({"userName": id.escape_unicode().to_string()}));
        Write::Insert { draft, members: Delta::default() }
    });
    let join: Vec<_> = ids.iter().map(|id| Member { id: (*id).to_owned(), ..Member::default() }).collect();
    let groups = ["g0", "g1", "g2"].map(|id| {
        let draft = draft(&resource_type("Group"), id, serde_json::json!({"displayName": "Same"}));
        // Each lacks another one.
        let join = join.iter().filter(|member| format!("g{}", member.id.len()) != id).cloned().collect();
        Write::Insert { draft, members: Delta { join, ..Delta::default() } }
    });
    let change = support::change(users.chain(groups));
    block_on(memory.commit(&whose, change.clone())).unwrap();
    block_on(disk.store.commit(&whose, change)).unwrap();
    let pairs = ids.iter().flat_map(|one| ids.map(|other| vec![(*one).to_owned(), other.to_owned()]));
    for named in pairs.chain([vec![], ids.map(str::to_owned).into()]) {
        let mut query = Query::new(resource_type("Group"), 9);
        query.parts[0].members = Members::Named(named.clone());
        let ask = |store: &dyn Store| block_on(store.find(&whose, &query)).unwrap();
        assert_eq!(ask(&disk.store), ask(&memory), "{named:?}");
    }
    // So are records whose order no index has, and the groups of many.
    let mut query = Query::new(resource_type("User"), 9);
    for (descending, sort) in [(false, "title"), (true, "title"), (false, "userName"), (true, "groups.display")] {
        let path = sort.parse().unwrap();
        query.parts[0].sort = SortBy::bind(&path, &Binding::new(&resource_type("User"))).unwrap();
        query.descending = descending;
        let ask = |store: &dyn Store| block_on(store.find(&whose, &query)).unwrap();
        assert_eq!(ask(&disk.store), ask(&memory), "{sort} {descending}");
    }
}
