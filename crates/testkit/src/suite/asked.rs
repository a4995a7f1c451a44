//! Questions for `find`: who is there, what is asked, and where the page begins.

use std::collections::HashSet;
use std::sync::Arc;

use pollster::block_on;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_filter::{Binding, Filter, SortBy};
use scimwright_store::{
    Change, Delta, Event, InMemory, Mark, Member, Members, Part, Query, Start, Store, TenantId, Write,
};
use serde_json::Value;

use super::resources::{GROUPS, TIMES, USERS};
use super::sample::{CATALOG, draft, resource_type, time};

/// Who is in which group, by numbers that wrap around.
pub(super) type Memberships = Vec<(usize, usize)>;

/// A question.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) filter: String,
    pub(super) sort: Option<&'static str>,
    pub(super) descending: bool,
    pub(super) start: From,
    pub(super) count: usize,
    pub(super) total: bool,
    pub(super) members: Members,
}

impl Asked {
    /// No filter and no order, from the beginning.
    pub(super) const fn everything(count: usize) -> Self {
        Self {
            filter: String::new(),
            sort: None,
            descending: false,
            start: From::Offset(0),
            count,
            total: false,
            members: Members::None,
        }
    }
}

/// Where a page begins; a mark is that of some record, by a number that wraps around.
#[derive(Clone, Debug)]
pub(super) enum From {
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
pub(super) const SORTS: [&str; 18] = [
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

pub(super) fn asked(filter: impl Strategy<Value = String>) -> impl Strategy<Value = Asked> {
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
pub(super) fn population(users: Vec<Value>, groups: Vec<Value>, memberships: &Memberships) -> Vec<Change> {
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
pub(super) fn query(asked: &Asked, types: &[&str]) -> Query {
    let parts = types.iter().map(|name| {
        let resource_type = resource_type(name);
        // As a search over everything binds it: what only the other type has is never there.
        let binding = Binding { served: CATALOG.resource_types(), ..Binding::new(&resource_type) };
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
    query.served = CATALOG.resource_types().into();
    query
}

/// The same query for one page of everything.
pub(super) fn all_of(query: &Query) -> Query {
    let mut all = query.clone();
    (all.start, all.count) = (Start::Offset(0), usize::MAX);
    all
}

/// The same query from where the page begins.
pub(super) fn started(mut query: Query, from: &From, memory: &InMemory, whose: &TenantId) -> Query {
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
