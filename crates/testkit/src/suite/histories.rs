//! After any history a store has what the store in memory has, and has answered the same.

use pollster::block_on;
use proptest::prelude::*;
use scimwright_store::{InMemory, Key, Members, Page, Query, Store, TenantId};

use super::Subject;
use super::plan::{FACTS, TENANTS, history, whose};
use super::resources::{GROUPS, USERS};
use super::sample::resource_type;

/// Random histories over two tenants, one commit after the other: each is answered as in memory, and leaves what it leaves there.
pub fn every_history_leaves_what_it_leaves_in_memory(subject: &Subject) {
    let (store, memory) = (subject.store(), InMemory::default());
    subject.each(&history(), |case, steps| {
        for step in steps {
            let (whose, change) = step.change(&memory, case);
            let wanted = block_on(memory.commit(&whose, change.clone()));
            let found = block_on(store.commit(&whose, change));
            match (&wanted, &found) {
                (Ok(wanted), Ok(found)) => prop_assert_eq!(wanted, found),
                (Err(wanted), Err(found)) => prop_assert_eq!(format!("{wanted:?}"), format!("{found:?}")),
                _ => prop_assert!(false, "{wanted:?} is not {found:?}"),
            }
            same(case, &memory, &*store)?;
        }
        Ok(())
    });
}

/// Everything that can be asked about the tenants of a case.
fn same(case: &str, left: &dyn Store, right: &dyn Store) -> Result<(), TestCaseError> {
    for tenant in TENANTS {
        let whose = whose(case, tenant);
        for type_name in ["User", "Group"] {
            prop_assert_eq!(all(left, &whose, type_name), all(right, &whose, type_name));
            for id in USERS.iter().chain(&GROUPS).chain(&["nobody"]) {
                let key = Key::new(type_name, *id);
                let named = Members::Named(vec!["u2".to_owned(), "u0".to_owned(), "g1".to_owned(), "u0".to_owned()]);
                for members in [Members::None, named] {
                    let ask = |store: &dyn Store| block_on(store.get(&whose, &key, members.clone())).unwrap();
                    prop_assert_eq!(ask(left), ask(right));
                }
            }
        }
        for (after, limit) in [(0, usize::MAX), (2, 3), (u64::MAX, 1), (0, 0)] {
            let ask = |store: &dyn Store| block_on(store.log(&whose, after, limit)).unwrap();
            prop_assert_eq!(ask(left), ask(right));
        }
        for name in FACTS {
            let ask = |store: &dyn Store| block_on(store.fact(&whose, name)).unwrap();
            prop_assert_eq!(ask(left), ask(right));
        }
    }
    Ok(())
}

fn all(store: &dyn Store, whose: &TenantId, type_name: &str) -> Page {
    let mut query = Query::new(resource_type(type_name), usize::MAX);
    query.parts[0].members = Members::All;
    block_on(store.find(whose, &query)).unwrap()
}
