//! The law of every store: after any history it has what the store in memory has, and has answered the same.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use proptest::prelude::*;
use scimwright_store::{InMemory, Key, Members, Page, Query, Store};

use support::histories::{FACTS, TENANTS, history};
use support::resources::{GROUPS, USERS};
use support::{Temporary, resource_type, tenant};

fn all(store: &impl Store, whose: &str, type_name: &str) -> Page {
    let mut query = Query::new(resource_type(type_name), usize::MAX);
    query.parts[0].members = Members::All;
    block_on(store.find(&tenant(whose), &query)).unwrap()
}

/// Everything that can be asked about a tenant.
fn same(left: &impl Store, right: &impl Store) {
    for whose in TENANTS {
        for type_name in ["User", "Group"] {
            assert_eq!(all(left, whose, type_name), all(right, whose, type_name));
            for id in USERS.iter().chain(&GROUPS).chain(&["nobody"]) {
                let key = Key::new(type_name, *id);
                let named = Members::Named(vec!["u2".to_owned(), "u0".to_owned(), "g1".to_owned(), "u0".to_owned()]);
                for members in [Members::None, named] {
                    let ask = |store: &dyn Store| block_on(store.get(&tenant(whose), &key, members.clone())).unwrap();
                    assert_eq!(ask(left), ask(right));
                }
            }
        }
        for (after, limit) in [(0, usize::MAX), (2, 3), (u64::MAX, 1), (0, 0)] {
            let ask = |store: &dyn Store| block_on(store.log(&tenant(whose), after, limit)).unwrap();
            assert_eq!(ask(left), ask(right));
        }
        for name in FACTS {
            let ask = |store: &dyn Store| block_on(store.fact(&tenant(whose), name)).unwrap();
            assert_eq!(ask(left), ask(right));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_history_leaves_what_it_leaves_in_memory(steps in history()) {
        let disk = Temporary::new();
        let memory = InMemory::default();
        for step in steps {
            let change = step.change(&memory);
            let wanted = block_on(memory.commit(&step.tenant(), change.clone()));
            let found = block_on(disk.store.commit(&step.tenant(), change));
            match (&wanted, &found) {
                (Ok(wanted), Ok(found)) => prop_assert_eq!(wanted, found),
                (Err(wanted), Err(found)) => prop_assert_eq!(format!("{wanted:?}"), format!("{found:?}")),
                _ => prop_assert!(false, "{wanted:?} is not {found:?}"),
            }
            same(&memory, &disk.store);
        }
    }
}
