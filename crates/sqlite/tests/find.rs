//! What `find` does beyond the suite.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use scimwright_filter::{Binding, SortBy};
use scimwright_store::{Delta, InMemory, Member, Members, Query, Store, Write};
use scimwright_testkit::suite::sample::{change, draft, resource_type, tenant};
use support::Temporary;

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
    let change = change(users.chain(groups));
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
