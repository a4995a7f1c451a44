//! Connections that break: whoever reads does not notice, and a commit is done once, whenever it was that the answer got lost.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pollster::block_on;
use scimwright_postgres::{PostgresOptions, PostgresStore};
use scimwright_store::{Key, Members, Store, StoreError};
use scimwright_testkit::postgres::{Cluster, Database};
use scimwright_testkit::suite::sample::{change, group, join, tenant, user};
use support::Fresh;

/// What becomes of the next `COMMIT` that comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// It passes.
    Nothing,
    /// The connection breaks, and the server never sees it.
    Before,
    /// The server commits, and the connection breaks before anybody is told.
    After,
}

/// What stands between a store and its server.
struct Proxy {
    port: u16,
    next: Arc<Mutex<Cut>>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (next, cuts) = (Arc::new(Mutex::new(Cut::Nothing)), Arc::new(AtomicUsize::new(0)));
        let shared = (Arc::clone(&next), Arc::clone(&cuts));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let (next, cuts) = (Arc::clone(&shared.0), Arc::clone(&shared.1));
                // Whether answers still reach the client.
                let deaf = Arc::new(Mutex::new(false));
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let cut = Arc::clone(&deaf);
                thread::spawn(move || {
                    pass(&mut from, &mut to, |_| !*cut.lock().unwrap());
                    drop(to.shutdown(Shutdown::Both));
                });
                let (mut from, mut to) = (client, server);
                thread::spawn(move || {
                    pass(&mut from, &mut to, |bytes| {
                        // A simple query, which is how transactions end.
                        let commits = bytes.windows(6).any(|word| word == b"COMMIT");
                        let cut = if commits {
                            std::mem::replace(&mut *next.lock().unwrap(), Cut::Nothing)
                        } else {
                            Cut::Nothing
                        };
                        cuts.fetch_add(usize::from(cut != Cut::Nothing), Ordering::SeqCst);
                        *deaf.lock().unwrap() |= cut == Cut::After;
                        cut != Cut::Before
                    });
                    drop(to.shutdown(Shutdown::Both));
                    drop(from.shutdown(Shutdown::Both));
                });
            }
        });
        Self { port, next, cuts }
    }

    fn cut(&self, cut: Cut) {
        *self.next.lock().unwrap() = cut;
    }
}

/// Passes bytes on until one side has no more or `on` says no.
fn pass(from: &mut TcpStream, to: &mut TcpStream, mut on: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || !on(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

/// A store behind a proxy, and one beside it.
fn apart(cluster: &Cluster) -> (Proxy, PostgresStore, PostgresStore, Database) {
    let database = support::database(cluster);
    let address = database.url().split_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
    let proxy = Proxy::before(address.clone());
    let url = database.url().replace(&address, &format!("127.0.0.1:{}", proxy.port));
    let store = support::open(&url, PostgresOptions::default());
    let beside = support::open(database.url(), PostgresOptions::default());
    (proxy, store, beside, database)
}

#[test]
fn a_commit_whose_answer_was_lost_is_done_once() {
    let Some(cluster) = Cluster::shared().filter(|cluster| cluster.folder().is_some()) else { return };
    let (proxy, store, beside, _database) = apart(cluster);
    let whose = tenant("a");
    for (number, cut) in [Cut::Before, Cut::After, Cut::After, Cut::Before, Cut::Nothing].into_iter().enumerate() {
        proxy.cut(cut);
        // The first of all makes the tenant, so that there is no row to lock yet.
        let id = format!("u{number}");
        let done = block_on(store.commit(&whose, change([user(&id, &id)]))).unwrap();
        assert_eq!(done.version.0, number as u64 + 1, "{cut:?}");
        let there = block_on(beside.get(&whose, &Key::new("User", &id), Members::None)).unwrap().unwrap();
        assert_eq!(there.version, done.version, "{cut:?}");
        assert_eq!(block_on(beside.log(&whose, 0, 100)).unwrap().len(), number + 1, "{cut:?}");
    }
    assert_eq!(proxy.cuts.load(Ordering::SeqCst), 4);
}

#[test]
fn what_others_did_meanwhile_is_not_taken_for_ones_own() {
    let Some(cluster) = Cluster::shared().filter(|cluster| cluster.folder().is_some()) else { return };
    let (proxy, store, beside, _database) = apart(cluster);
    let whose = tenant("a");
    let members: Vec<String> = (0..20).map(|number| format!("u{number}")).collect();
    let writes = members.iter().map(|id| user(id, id)).chain([group("g", &[])]);
    block_on(beside.commit(&whose, change(writes))).unwrap();
    // The same time and the same event: nothing but the attempt tells these commits apart.
    thread::scope(|scope| {
        for (store, half) in [(&store, &members[..10]), (&beside, &members[10..])] {
            let (proxy, whose) = (&proxy, &whose);
            scope.spawn(move || {
                for (number, id) in half.iter().enumerate() {
                    proxy.cut(if number % 2 == 0 { Cut::Before } else { Cut::After });
                    block_on(store.commit(whose, change([join("g", &[id])]))).unwrap();
                }
            });
        }
    });
    let group = block_on(beside.get(&whose, &Key::new("Group", "g"), Members::All)).unwrap().unwrap();
    assert_eq!((group.members.len(), group.member_count), (20, 20));
    assert_eq!(block_on(beside.log(&whose, 0, 100)).unwrap().len(), 21);
}

#[test]
fn broken_connections_are_made_anew() {
    let Some(cluster) = Cluster::shared().filter(|cluster| cluster.folder().is_some()) else { return };
    let fresh = support::fresh(cluster, PostgresOptions::default());
    let (whose, database) = (tenant("a"), &fresh.with);
    let end_all = || {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
            database.name()
        );
        cluster.ask(database.url(), &sql).unwrap();
    };
    for number in 0..5 {
        let id = format!("u{number}");
        block_on(fresh.commit(&whose, change([user(&id, &id)]))).unwrap();
        end_all();
        assert!(block_on(fresh.get(&whose, &Key::new("User", &id), Members::None)).unwrap().is_some());
        end_all();
    }
    assert_eq!(block_on(fresh.log(&whose, 0, 100)).unwrap().len(), 5);
}

#[test]
fn patience_ends() {
    if Cluster::shared().is_none_or(|cluster| cluster.folder().is_none()) {
        return;
    }
    let patience = Duration::from_millis(300);
    let cluster = Cluster::start(&[]).unwrap();
    let Fresh { store, with } = support::fresh(&cluster, PostgresOptions { patience, ..PostgresOptions::default() });
    // The server goes for good.
    drop((with, cluster));
    let started = Instant::now();
    let failed = block_on(store.get(&tenant("a"), &Key::new("User", "1"), Members::None));
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    let failed = block_on(store.commit(&tenant("a"), change([user("1", "1")])));
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    assert!(started.elapsed() >= patience * 2);
}

#[test]
fn the_host_that_accepts_writes_is_found() {
    let Some(cluster) = Cluster::shared().filter(|cluster| cluster.folder().is_some()) else { return };
    let database = support::database(cluster);
    // Nobody listens at the first address.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (who, rest) = database.url().split_once('@').unwrap();
    let url = format!("{who}@{nobody},{rest}&target_session_attrs=read-write");
    let store = support::open(&url, PostgresOptions::default());
    let done = block_on(store.commit(&tenant("a"), change([user("1", "1")]))).unwrap();
    assert_eq!(done.version.0, 1);
}
