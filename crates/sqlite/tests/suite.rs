//! What every store promises, asked of SQLite: see `scimwright_testkit::suite`.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use scimwright_sqlite::SqliteStore;
use scimwright_store::{Fact, Store, When, Write};
use scimwright_testkit::suite::Kept;
use scimwright_testkit::suite::sample::{change, get, tenant, user};
use serde_json::json;
use support::{Temporary, open};
use tempfile::TempDir;

/// A store in a folder of its own, which goes with it.
fn fresh_store() -> Kept<SqliteStore, TempDir> {
    let Temporary { store, folder } = Temporary::new();
    Kept::new(store, folder)
}

/// Closes the file and opens it again.
fn reopen(Kept { store, with: folder }: Kept<SqliteStore, TempDir>) -> Kept<SqliteStore, TempDir> {
    drop(store);
    Kept::new(open(&folder), folder)
}

/// Numbers are read to their last digit where `serde_json` has its `float_roundtrip`, as in these tests: the suite asks for exact ones only.
#[test]
fn numbers_are_kept_to_their_last_digit() {
    let store = fresh_store();
    let number = json!({"is": -2.485_352_496_044_081e-144});
    let mut change = change([user("1", "ada")]);
    let Write::Insert { draft, .. } = &mut change.writes[0] else { unreachable!() };
    draft.notes.insert("number".to_owned(), number.clone());
    change.facts.push(Fact { name: "number".to_owned(), value: Some(number.clone()), when: When::Absent });
    block_on(store.commit(&tenant("a"), change)).unwrap();
    assert_eq!(get(&store, "a", "User", "1").unwrap().notes["number"], number);
    assert_eq!(block_on(store.fact(&tenant("a"), "number")).unwrap(), Some(number));
}

scimwright_testkit::store_suite!(fresh_store, reopen = reopen);

scimwright_testkit::transfer_suite!(fresh_store);
