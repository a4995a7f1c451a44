//! A server that follows another one: what it answers may be of yesterday, so nobody works on it by mistake.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::time::Duration;

use pollster::block_on;
use scimwright_postgres::{OpenError, PostgresOptions, PostgresStore, migrate};
use scimwright_store::{Key, Members, Store, StoreError};
use scimwright_testkit::postgres::Cluster;
use scimwright_testkit::suite::sample::{change, tenant, user};

fn connect(url: &str) -> Result<PostgresStore, OpenError> {
    let options = PostgresOptions { patience: Duration::from_millis(300), ..PostgresOptions::default() };
    support::RUNTIME.block_on(PostgresStore::connect(url, options))
}

#[test]
fn the_server_that_leads_is_asked() {
    let Some(cluster) = Cluster::shared().filter(|cluster| cluster.folder().is_some()) else { return };
    let database = support::database(cluster);
    let written = connect(database.url()).unwrap();
    block_on(written.commit(&tenant("a"), change([user("1", "1")]))).unwrap();
    let follower = cluster.follower().unwrap();
    let url = follower.url(&database);
    let address = |url: &str| url.split_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
    let (leads, follows) = (address(database.url()), address(&url));

    // Alone it is refused, whoever it is asked by and whatever the URL takes.
    for url in
        [url.clone(), format!("{url}&target_session_attrs=any"), url.replace(&follows, &format!("{follows},{follows}"))]
    {
        assert!(matches!(connect(&url), Err(OpenError::ReadOnly)), "{url}: {:?}", connect(&url));
        let migrated = support::RUNTIME.block_on(migrate(&url));
        assert!(matches!(migrated, Err(OpenError::ReadOnly)), "{url}: {migrated:?}");
    }
    // Of several the one that leads is found, also when the URL says nothing of it.
    let store = connect(&url.replace(&follows, &format!("{follows},{leads}"))).unwrap();
    assert_eq!(block_on(store.commit(&tenant("a"), change([user("2", "2")]))).unwrap().version.0, 2);
    // Who asks for one that follows gets it, and can read.
    let store =
        connect(&url.replace(&follows, &format!("{leads},{follows}")).replace('?', "?target_session_attrs=read-only&"));
    let store = store.unwrap();
    assert!(block_on(store.get(&tenant("a"), &Key::new("User", "1"), Members::None)).unwrap().is_some());
    let refused = block_on(store.commit(&tenant("a"), change([user("3", "3")])));
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}
