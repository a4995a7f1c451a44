//! Whole tenants, out of one store and into another: what goes in is what came out.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::sync::mpsc;

use pollster::block_on;
use scimwright_store::{Change, Event, Item, Key, Store, StoreError, Transfer, Write};
use serde_json::json;

use scimwright_testkit::suite::sample::{draft, resource_type, tenant, time};
use support::Temporary;

/// Everything of a tenant; what is derived sorted, for it comes in any order.
fn export(store: &impl Transfer, whose: &str) -> Vec<Item> {
    let (sender, items) = mpsc::channel();
    let sink = Box::new(move |item| sender.send(item).map_err(std::io::Error::other));
    block_on(store.export(&tenant(whose), sink)).unwrap();
    let (mut items, mut derived): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| !item.is_derived());
    derived.sort_by_key(|item| format!("{item:?}"));
    items.append(&mut derived);
    items
}

fn import(store: &impl Transfer, whose: &str, items: Vec<Item>) -> Result<(), StoreError> {
    block_on(store.import(&tenant(whose), Box::new(items.into_iter().map(Ok))))
}

fn insert(id: &str, name: &str) -> Change {
    let draft = draft(&resource_type("User"), id, json!({"userName": name}));
    Change::new(time("2026-01-01T00:00:00Z"), Event::default())
        .write(Write::Insert { draft, members: Default::default() })
}

#[test]
fn an_erased_tenant_leaves_no_row_but_that_it_is_closed() {
    let disk = Temporary::new();
    for whose in ["a", "b"] {
        block_on(disk.store.commit(&tenant(whose), insert("1", "ada"))).unwrap();
    }
    let close = |closed| {
        let mut change = insert("2", "grace");
        change.close = Some(closed);
        change
    };
    block_on(disk.store.commit(&tenant("a"), close(true))).unwrap();
    block_on(disk.store.erase(&tenant("a"))).unwrap();
    assert!(export(&disk.store, "a").is_empty());
    assert_eq!(block_on(disk.store.tenants()).unwrap(), [tenant("b")]);
    let sql = rusqlite::Connection::open(disk.folder.path().join("scim.db")).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%tenant%'";
    let mut tables = sql.prepare(tables).unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert!(tables.len() >= 9, "{tables:?}");
    for table in tables {
        let rows = |whose: &str| -> u64 {
            let count = format!("SELECT count(*) FROM {table} WHERE tenant = ?1");
            sql.query_row(&count, [whose], |row| row.get(0)).unwrap()
        };
        assert_eq!(rows("a"), u64::from(table == "scim_tenant"), "{table}");
        let kept = rows("b");
        assert!(kept > 0 || ["scim_member", "scim_fact"].contains(&table.as_str()), "{table}");
    }
    // It can come to be again, from its first entry.
    assert_eq!(block_on(disk.store.commit(&tenant("a"), close(false))).unwrap().version.0, 1);
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let (disk, full) = (Temporary::new(), Temporary::new());
    block_on(full.store.commit(&tenant("a"), insert("1", "ada"))).unwrap();
    let mut damaged = export(&full.store, "a");
    let twin = damaged.iter().position(|item| matches!(item, Item::Record { .. })).unwrap();
    let Item::Record { mut draft, version, modified, member_count } = damaged[twin].clone() else { unreachable!() };
    draft.key = Key::new("User", "2");
    damaged.insert(twin + 1, Item::Record { draft, version, modified, member_count });
    // Two records have one user name.
    let refused = import(&disk.store, "a", damaged);
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    let torn: Vec<_> = export(&full.store, "a").into_iter().filter(|item| !matches!(item, Item::Entry(_))).collect();
    assert!(import(&disk.store, "a", torn).is_err());
    let stranger = Item::Member { group: "1".into(), member: Default::default() };
    let mut strange = export(&full.store, "a");
    strange.insert(twin + 1, stranger);
    assert!(import(&disk.store, "a", strange).is_err());
    assert!(block_on(disk.store.tenants()).unwrap().is_empty());
    assert!(export(&disk.store, "a").is_empty());
    // Nothing is held: the same can come in whole, and then not again.
    import(&disk.store, "a", export(&full.store, "a")).unwrap();
    assert!(matches!(import(&disk.store, "a", export(&full.store, "a")), Err(StoreError::TenantExists)));
    block_on(disk.store.commit(&tenant("b"), insert("1", "ada"))).unwrap();
}

/// Imports wait for their turn among the commits, and take nobody with them.
#[test]
fn commits_go_on_around_an_import() {
    let (disk, full) = (Temporary::new(), Temporary::new());
    for number in 0..50 {
        block_on(full.store.commit(&tenant("a"), insert(&number.to_string(), &format!("user {number}")))).unwrap();
    }
    let items = export(&full.store, "a");
    std::thread::scope(|scope| {
        let write = |whose: &'static str| {
            let store = disk.store.clone();
            move || {
                (0..20).for_each(|number| {
                    drop(
                        block_on(store.commit(&tenant(whose), insert(&number.to_string(), &number.to_string())))
                            .unwrap(),
                    );
                })
            }
        };
        scope.spawn(write("b"));
        scope.spawn(write("c"));
        scope.spawn(|| import(&disk.store, "a", items.clone()).unwrap());
    });
    assert_eq!(export(&disk.store, "a"), items);
    assert_eq!(block_on(disk.store.log(&tenant("b"), 0, 100)).unwrap().len(), 20);
}
