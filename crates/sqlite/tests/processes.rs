//! One file and many who write to it: group commit, other processes, and what is left when everybody has gone.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use pollster::block_on;
use rusqlite::Connection;
use scimwright_sqlite::{OpenError, SqliteOptions, SqliteStore};
use scimwright_store::{Store, StoreError};
use scimwright_testkit::suite::sample::{change, commit, get, group, join, tenant, user};

use support::{Temporary, open};

/// The positions of a tenant's log.
fn positions(store: &SqliteStore, whose: &str) -> Vec<u64> {
    let log = block_on(store.log(&tenant(whose), 0, usize::MAX)).unwrap();
    log.into_iter().map(|logged| logged.position).collect()
}

#[test]
fn commits_at_once_all_succeed_and_one_that_fails_fails_alone() {
    let disk = Temporary::new();
    commit(&disk.store, "a", [user("first", "ada")]).unwrap();
    let threads: Vec<_> = (0..64)
        .map(|at| {
            let store = disk.store.clone();
            // One of them asks for the name that is taken, after a write that must go with it.
            let writes = match at {
                40 => vec![user("lost", "lost"), user("late", "Ada")],
                _ => vec![user(&format!("u{at}"), &format!("user {at}"))],
            };
            thread::spawn(move || commit(&store, "a", writes))
        })
        .collect();
    let done: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut versions = Vec::new();
    for (at, done) in done.into_iter().enumerate() {
        match done {
            Ok(committed) => versions.push(committed.version.0),
            Err(StoreError::Conflict { path, holder }) => {
                assert_eq!((at, path.as_str(), holder.unwrap().id.as_str()), (40, "userName", "first"));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..=64).collect::<Vec<_>>());
    assert_eq!(positions(&disk.store, "a"), (1..=64).collect::<Vec<_>>());
    assert!(get(&disk.store, "a", "User", "lost").is_none());
    assert!(get(&disk.store, "a", "User", "u63").is_some());
}

#[test]
fn what_was_asked_for_is_done_before_the_last_handle_goes() {
    let Temporary { store, folder } = Temporary::new();
    let other = store.clone();
    commit(&store, "a", [user("1", "ada"), group("g", &["1"])]).unwrap();
    drop(store);
    commit(&other, "b", [user("1", "ada")]).unwrap();
    {
        // Asked, but nobody waits for the answer.
        let late = pin!(async {
            let whose = tenant("a");
            other.commit(&whose, change([user("2", "bob"), join("g", &["2"])])).await
        });
        assert!(late.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(other);
    let store = open(&folder);
    let members = get(&store, "a", "Group", "g").unwrap().members;
    assert_eq!(members.into_iter().map(|member| member.id).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(get(&store, "b", "User", "1").unwrap().version.0, 1);
    assert_eq!(positions(&store, "a"), [1, 2]);
    drop(store);
    // The log beside the file has gone into it.
    assert!(!folder.path().join("scim.db-wal").exists());
}

#[test]
fn two_processes_take_turns() {
    let Temporary { store, folder } = Temporary::new();
    let other = open(&folder);
    commit(&store, "a", [group("g", &[])]).unwrap();
    for at in 0..10 {
        let (here, there) = (format!("h{at}"), format!("t{at}"));
        let mine = commit(&store, "a", [user(&here, &here), join("g", &[&here])]).unwrap();
        assert_eq!(get(&other, "a", "Group", "g").unwrap().version, mine.version);
        let theirs = commit(&other, "a", [user(&there, &there), join("g", &[&there])]).unwrap();
        assert_eq!(get(&store, "a", "Group", "g").unwrap().version, theirs.version);
        // What the other has done counts here at once.
        assert!(matches!(commit(&store, "a", [user("x", &there)]), Err(StoreError::Conflict { .. })));
    }
    assert_eq!(positions(&store, "a"), (1..=21).collect::<Vec<_>>());
    assert_eq!(get(&other, "a", "Group", "g").unwrap().member_count, 20);
}

#[test]
fn two_processes_at_once_lose_nobody() {
    let Temporary { store, folder } = Temporary::new();
    commit(&store, "a", [group("g", &[])]).unwrap();
    let threads: Vec<_> = [store.clone(), open(&folder)]
        .into_iter()
        .enumerate()
        .flat_map(|(process, store)| (0..4).map(move |thread| (process, thread, store.clone())))
        .map(|(process, number, store)| {
            thread::spawn(move || {
                for at in 0..12 {
                    let id = format!("{process}-{number}-{at}");
                    commit(&store, "a", [user(&id, &id), join("g", &[&id])]).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let group = get(&store, "a", "Group", "g").unwrap();
    assert_eq!((group.members.len(), group.member_count), (96, 96));
    assert_eq!(positions(&store, "a"), (1..=97).collect::<Vec<_>>());
    assert_eq!(group.version.0, 97);
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let threads: Vec<_> = (0..8)
        .map(|at| {
            let folder = Arc::clone(&folder);
            thread::spawn(move || {
                commit(&open(&folder), "a", [user(&format!("u{at}"), &format!("user {at}"))]).unwrap()
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| drop(thread.join().unwrap()));
    assert_eq!(positions(&open(&folder), "a").len(), 8);
}

#[test]
fn who_cannot_write_says_so_and_can_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scim.db");
    let options = SqliteOptions { busy_timeout: Duration::from_millis(20), ..SqliteOptions::default() };
    let store = SqliteStore::open(&path, options).unwrap();
    let hog = Connection::open(&path).unwrap();
    hog.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = commit(&store, "a", [user("1", "ada")]).unwrap_err();
    // Nothing of SQLite in what a client may read; all of it in the source.
    assert_eq!(error.to_string(), "the store is not available");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("locked"), "{source}");
    assert!(get(&store, "a", "User", "1").is_none());
    hog.execute_batch("ROLLBACK").unwrap();
    commit(&store, "a", [user("1", "ada")]).unwrap();
}

#[test]
fn files_that_are_no_stores_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| SqliteStore::open(folder.path().join(name), SqliteOptions::default());

    drop(open("newer.db").unwrap());
    let newer = Connection::open(folder.path().join("newer.db")).unwrap();
    newer.execute("UPDATE scim_meta SET value = '99' WHERE name = 'schema'", []).unwrap();
    let error = open("newer.db").unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, known: 3 }));
    assert_eq!(error.to_string(), "the file has schema version 99 and this program knows up to 3");

    // Texts would have another order than everywhere else.
    let other = Connection::open(folder.path().join("utf16.db")).unwrap();
    other.execute_batch("PRAGMA encoding = 'UTF-16le'; CREATE TABLE own (text TEXT)").unwrap();
    let error = open("utf16.db").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the database keeps its texts in UTF-16le, and this store needs UTF-8: give it a file of its own"
    );

    std::fs::write(
        folder.path().join("text.db"),
        "This is no database, and it is long enough to be seen as none. ".repeat(9),
    )
    .unwrap();
    assert!(matches!(open("text.db"), Err(OpenError::Database(_))));
    assert!(matches!(open("nowhere/scim.db"), Err(OpenError::Database(_))));
    let error = SqliteStore::open(":memory:", SqliteOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "the database cannot keep a write-ahead log, its journal mode stays `memory`");
}

#[test]
fn other_tables_in_the_file_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scim.db");
    let own = Connection::open(&path).unwrap();
    own.execute_batch(
        "CREATE TABLE sch_note (text TEXT); INSERT INTO sch_note VALUES ('mine'); PRAGMA user_version = 5",
    )
    .unwrap();
    let store = open(&folder);
    commit(&store, "a", [user("1", "ada")]).unwrap();
    drop(store);
    let text: String = own.query_row("SELECT text FROM sch_note", [], |row| row.get(0)).unwrap();
    let version: i64 = own.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!((text.as_str(), version), ("mine", 5));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let disk = Temporary::new();
    commit(&disk.store, "a", [user("1", "ada")]).unwrap();
    for name in ["scim.db", "scim.db-wal"] {
        let mode = std::fs::metadata(disk.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
