//! The throw-away PostgreSQL: it answers, keeps databases apart, and does not outlive who started it.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scimwright_testkit::postgres::{Cluster, ClusterError};

/// Says that this process is the one that starts a server and dies.
const OWNER: &str = "SCIM_TEST_POSTGRES_OWNER";

#[test]
fn databases_are_fresh_and_go_with_their_tests() {
    let Some(cluster) = Cluster::shared() else { return };
    let prepare = |url: &str| drop(cluster.ask(url, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").unwrap());
    let first = cluster.prepared("prepared", prepare);
    cluster.ask(first.url(), "INSERT INTO t VALUES (2)").unwrap();
    let second = cluster.prepared("prepared", |_| panic!("it is prepared already"));
    assert_eq!(cluster.ask(first.url(), "SELECT n FROM t ORDER BY n").unwrap(), "1\n2");
    assert_eq!(cluster.ask(second.url(), "SELECT n, n FROM t").unwrap(), "1|1");
    assert!(matches!(cluster.ask(cluster.database().url(), "SELECT n FROM t"), Err(ClusterError::Failed { .. })));
    let url = first.url().to_owned();
    drop(first);
    assert!(cluster.ask(&url, "SELECT 1").is_err());
}

#[test]
fn a_bouncer_stands_before_it() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    let bouncer = match cluster.bouncer() {
        Ok(bouncer) => bouncer,
        Err(error) if std::env::var_os("SCIMWRIGHT_CI").is_none() => return eprintln!("SKIPPED: {error}"),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(cluster.ask(&bouncer.url(&database), "SELECT current_database()").unwrap(), database.name());
}

#[test]
fn it_ends_with_its_owner_even_when_that_is_killed() {
    if std::env::var_os(OWNER).is_some() {
        let cluster = Cluster::start(&[]).unwrap();
        let folder = cluster.folder().unwrap();
        let database = cluster.database();
        writeln!(std::io::stdout(), "\n{} {}", folder.display(), database.url()).unwrap();
        loop {
            std::thread::park();
        }
    }
    if Cluster::shared().is_none_or(|cluster| cluster.folder().is_none()) {
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "it_ends_with_its_owner_even_when_that_is_killed", "--nocapture"]).env(OWNER, "1");
    let mut owner = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains(" postgres://")).unwrap();
    let (folder, url) = line.split_once(' ').unwrap();
    let address = url.split_once('@').unwrap().1.split_once('/').unwrap().0;
    assert!(Path::new(folder).is_dir());
    drop(TcpStream::connect(address).unwrap());
    owner.kill().unwrap();
    owner.wait().unwrap();
    // It may take its time, but it has to happen.
    let killed = Instant::now();
    while Path::new(folder).exists() || TcpStream::connect(address).is_ok() {
        assert!(killed.elapsed() < Duration::from_secs(60), "{line} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}
