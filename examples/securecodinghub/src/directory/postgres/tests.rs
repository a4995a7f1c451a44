//! What is so because the database is a server, and others have it too.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, Pool, Runtime};
use scimwright_testkit::postgres::Cluster;
use tokio_postgres::NoTls;

use super::schema::VERSION;
use super::testing::{database, open, over, pool};
use super::{failure, migrate};
use crate::directory::tables::{Backend, Kind};
use crate::directory::{Directory, DirectoryError, NewOrganisation};
use crate::policy::{Edition, TokenScope};

/// Of whoever is not to lose it.
const PATIENCE: Duration = Duration::from_secs(20);

async fn refusal(url: &str) -> String {
    Directory::through(over(pool(url), PATIENCE)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_tables_are_made_by_migrate_alone() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    let url = database.url();
    let needs = format!("and this program needs version {VERSION}: run `securecodinghub migrate --database …`");
    let missing = format!("the database has no tables of this program, {needs}");
    assert_eq!(refusal(url).await, missing);
    assert_eq!(refusal(url).await, missing, "asking has made none");
    for _ in 0..2 {
        migrate(&pool(url)).await.unwrap();
        open(url).await;
    }
    let last_is = |version: i64| {
        let last = "(SELECT max(version) FROM sch_schema_history)";
        cluster.ask(url, &format!("UPDATE sch_schema_history SET version = {version} WHERE version = {last}")).unwrap();
    };
    last_is(70);
    let newer = format!(
        "the database is of version 70 and this program knows versions up to {VERSION}: run the newer securecodinghub"
    );
    assert_eq!(refusal(url).await, newer);
    assert_eq!(migrate(&pool(url)).await.unwrap_err().to_string(), newer);
    cluster.ask(url, "DELETE FROM sch_schema_history WHERE version > 1").unwrap();
    last_is(0);
    assert_eq!(refusal(url).await, format!("the database is of version 0, {needs}"));
}

#[tokio::test]
async fn a_lost_connection_is_nothing_to_notice() {
    let Some(database) = database() else { return };
    let directory = open(database.url()).await;
    directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
    let cluster = Cluster::shared().unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()";
    for label in ["old", "new"] {
        assert!(cluster.ask(database.url(), cut).unwrap().contains('t'), "there was a connection");
        let (_, secret) = directory.create_token("acme", TokenScope::Scim, label).await.unwrap();
        cluster.ask(database.url(), cut).unwrap();
        assert!(directory.authenticate(&secret).await.unwrap().is_some());
    }
    assert_eq!(directory.tokens("acme").await.unwrap().len(), 2, "nothing was done twice");
}

#[tokio::test]
async fn nobody_there_is_no_verdict_on_a_token() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ada:s3cret@{}/hub", listener.local_addr().unwrap());
    drop(listener);
    let directory = Directory::over(Arc::new(over(pool(&url), Duration::from_millis(300))));
    let secret = crate::token::Secret::generate().unwrap();
    let error = directory.authenticate(&secret).await.unwrap_err();
    assert!(matches!(error, DirectoryError::Unreachable(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

/// A server that says nothing at all.
#[tokio::test]
async fn a_silent_server_is_waited_for_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ada@{}/hub?sslmode=disable", listener.local_addr().unwrap());
    let directory = Directory::over(Arc::new(over(pool(&url), Duration::from_millis(300))));
    let secret = crate::token::Secret::generate().unwrap();
    let asked = tokio::time::timeout(PATIENCE, directory.authenticate(&secret)).await.expect("patience ends");
    assert!(matches!(asked, Err(DirectoryError::Unreachable(_))), "{asked:?}");
}

/// A server that hangs in the middle: somebody has locked what is asked for, and does not come back.
#[tokio::test]
async fn a_server_that_hangs_is_waited_for_once() {
    let Some(database) = database() else { return };
    let locked = pool(database.url()).get().await.unwrap();
    locked.batch_execute("BEGIN; LOCK TABLE sch_digest, sch_organisation").await.unwrap();
    let directory = Directory::over(Arc::new(over(pool(database.url()), Duration::from_millis(300))));
    let secret = crate::token::Secret::generate().unwrap();
    let read = tokio::time::timeout(PATIENCE, directory.authenticate(&secret)).await.expect("patience ends");
    assert!(matches!(read, Err(DirectoryError::Unreachable(_))), "{read:?}");
    let new = NewOrganisation::named("acme", Edition::First);
    let written = tokio::time::timeout(PATIENCE, directory.create_organisation(&new)).await.expect("patience ends");
    assert!(matches!(written, Err(DirectoryError::Unreachable(_))), "{written:?}");
    locked.batch_execute("ROLLBACK").await.unwrap();
    directory.create_organisation(&new).await.unwrap();
}

#[tokio::test]
async fn a_lock_that_is_not_given_is_another_in_the_way() {
    let Some(database) = database() else { return };
    let pool = pool(database.url());
    let (one, other) = (pool.get().await.unwrap(), pool.get().await.unwrap());
    one.batch_execute("BEGIN; LOCK TABLE sch_meta").await.unwrap();
    let error = other.batch_execute("BEGIN; LOCK TABLE sch_meta NOWAIT").await.unwrap_err();
    let error = failure(error);
    assert!(matches!(error, DirectoryError::Busy(_)), "{error:?}");
}

#[tokio::test]
async fn who_takes_over_is_waited_for() {
    let Some(database) = database() else { return };
    let (before, rest) = database.url().split_once('@').unwrap();
    let (server, rest) = rest.split_once('/').unwrap();
    let address = server.to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{before}@{}/{rest}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            // The first ones find nobody who speaks.
            if number >= 7 {
                let mut server = tokio::net::TcpStream::connect(&address).await.unwrap();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
            }
        }
    });
    let directory = Directory::over(Arc::new(over(pool(&url), PATIENCE)));
    directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
    assert_eq!(open(database.url()).await.organisations().await.unwrap().len(), 1);
}

#[tokio::test]
async fn several_may_migrate_at_once() {
    let Some(cluster) = Cluster::shared() else { return };
    for _ in 0..3 {
        let database = cluster.database();
        let url = database.url();
        let processes = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(migrate(&pool(url)))
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..6).map(|_| scope.spawn(processes)).collect();
            running.into_iter().for_each(|running| running.join().unwrap().unwrap());
        });
        open(url).await;
    }
}

#[tokio::test]
async fn what_is_dropped_in_the_middle_was_never_there() {
    let Some(database) = database() else { return };
    let (cluster, there) = (Cluster::shared().unwrap(), "SELECT count(*) FROM sch_meta WHERE key = 'indexes'");
    // One connection: whoever comes next would get what was begun.
    let manager = Manager::new(database.url().parse().unwrap(), NoTls);
    let timeout = Some(Duration::from_secs(5));
    let pool = Pool::builder(manager).max_size(1).runtime(Runtime::Tokio1).wait_timeout(timeout).build().unwrap();
    let backend = over(pool, PATIENCE);
    for kind in [Kind::Write, Kind::Write] {
        let mut tables = backend.begin(kind).await.unwrap();
        tables.keep_text("indexes", "{}").await.unwrap();
        drop(tables);
        assert_eq!(backend.begin(Kind::Read).await.unwrap().text("indexes").await.unwrap(), None);
    }
    // Also when it is dropped before it has begun: the server has begun all the same.
    let mut begin = backend.begin(Kind::Write);
    let begun = std::future::poll_fn(|context| std::task::Poll::Ready(begin.as_mut().poll(context).is_ready()));
    assert!(!begun.await);
    drop(begin);
    backend.begin(Kind::Aside).await.unwrap().keep_text("indexes", "{}").await.unwrap();
    assert_eq!(cluster.ask(database.url(), there).unwrap(), "1");
    let mut tables = backend.begin(Kind::Write).await.unwrap();
    tables.keep_text("indexes", "other").await.unwrap();
    tables.abandon().await;
    assert_eq!(backend.begin(Kind::Read).await.unwrap().text("indexes").await.unwrap().as_deref(), Some("{}"));
}

#[tokio::test]
async fn a_pooler_may_change_the_connection_from_one_transaction_to_the_next() {
    let Some(database) = database() else { return };
    let bouncer = match Cluster::shared().unwrap().bouncer() {
        Ok(bouncer) => bouncer,
        Err(error) => {
            assert!(std::env::var_os("SCIMWRIGHT_CI").is_none_or(|ci| ci != "1"), "{error}");
            return eprintln!("SKIPPED: the directory through PgBouncer: {error}");
        }
    };
    let url = bouncer.url(&database);
    // More clients than the pooler has connections.
    let clients: Vec<_> = (0..12)
        .map(|number| {
            let url = url.clone();
            tokio::spawn(async move {
                let (directory, name) = (open(&url).await, format!("organisation {number}"));
                for round in 0..10 {
                    if round == 0 {
                        directory.create_organisation(&NewOrganisation::named(&name, Edition::First)).await.unwrap();
                    }
                    let (token, secret) = directory.create_token(&name, TokenScope::Scim, "").await.unwrap();
                    assert_eq!(directory.authenticate(&secret).await.unwrap().unwrap().organisation.name, name);
                    directory.revoke(&name, &token.id).await.unwrap();
                    assert_eq!(directory.authenticate(&secret).await.unwrap(), None);
                }
                directory.close().await;
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(open(&url).await.organisations().await.unwrap().len(), 12);
}
