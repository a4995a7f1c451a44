//! The law of every store: `find` answers what the store in memory answers.

mod support;

use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_core::{Catalog, ResourceType};
use scimwright_filter::{Binding, Filter};
use scimwright_store::{Change, Delta, Event, InMemory, Member, Members, Query, Store, Write};
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
    offset: usize,
    count: usize,
    members: Members,
}

fn asked(filter: impl Strategy<Value = String>) -> impl Strategy<Value = Asked> {
    let named = vec![USERS[0].to_owned(), USERS[2].to_owned()];
    let members = select(vec![Members::None, Members::All, Members::Named(named)]);
    let offset = prop_oneof![3 => Just(0), 2 => 0..4_usize, 1 => Just(usize::MAX)];
    let count = prop_oneof![3 => Just(100), 2 => 0..4_usize, 1 => Just(usize::MAX)];
    (filter, offset, count, members).prop_map(|(filter, offset, count, members)| Asked {
        filter,
        offset,
        count,
        members,
    })
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

fn query(asked: &Asked, resource_type: Arc<ResourceType>, catalog: &Catalog) -> Query {
    let filter: Filter = asked.filter.parse().unwrap_or_else(|error| panic!("{}: {error}", asked.filter));
    // As a search over everything binds it: what only the other type has is never there.
    let binding = Binding { served: catalog.resource_types(), ..Binding::new(&resource_type) };
    let bound = filter.bind(&binding).unwrap_or_else(|error| panic!("{}: {error}", asked.filter));
    let mut query = Query::new(resource_type, asked.count);
    query.filter = Some(bound);
    query.offset = asked.offset;
    query.members = asked.members.clone();
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
    let catalog = Catalog::standard();
    for (name, asked) in [("User", on_users), ("Group", on_groups)] {
        for asked in asked {
            let query = query(asked, resource_type(name), &catalog);
            let wanted = block_on(memory.find(&whose, &query)).unwrap();
            let found = block_on(disk.store.find(&whose, &query)).unwrap();
            prop_assert_eq!(found, wanted, "{} on {}", asked.filter, name);
            prop_assert_eq!(block_on(disk.store.find(&tenant("b"), &query)).unwrap().total, 0);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn sqlite_finds_what_memory_finds(
        users in vec(user(), 0..14),
        groups in vec(group(), 0..5),
        memberships in vec((0..8_usize, 0..32_usize), 0..12),
        on_users in vec(asked(filters::on_users()), 24),
        on_groups in vec(asked(filters::on_groups()), 12),
    ) {
        agree(users, groups, &memberships, &on_users, &on_groups)?;
    }
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
            query.offset = offset;
            let ask = |store: &dyn Store| block_on(store.find(&whose, &query)).unwrap();
            assert_eq!(ask(&disk.store), ask(&memory), "{offset} {count}");
        }
    }
}
