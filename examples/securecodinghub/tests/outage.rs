//! A database in PostgreSQL that is away for a while.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use scimwright_testkit::postgres::Cluster;
use support::{Hub, eventually, user};

/// Lets nobody into the database, or again.
fn let_in(hub: &Hub, yes: bool) {
    let cluster = Cluster::shared().unwrap();
    let url = hub.url().unwrap();
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let elsewhere = cluster.database();
    cluster.ask(elsewhere.url(), &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {yes}")).unwrap();
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    cluster.ask(elsewhere.url(), &cut).unwrap();
}

#[test]
fn while_the_database_is_away_the_answer_is_503_and_then_all_is_well() {
    let Some(hub) = Hub::on_postgres() else { return };
    let server = hub.serve("");
    let client = server.first_client();
    let ada = client.make("/Users", &user("ada@corp.example"));
    for round in 0..2 {
        let_in(&hub, false);
        // A provider that reads 401 stops and asks for a new token; after 503 it tries again.
        for refused in [client.get(&format!("/Users/{ada}")), client.post("/Users", &user("ben@corp.example"))] {
            refused.is_error(503, "");
            assert_ne!(refused.header("retry-after"), "");
            for word in ["SQL", "postgres", "sch_", "connection"] {
                assert!(!refused.text.contains(word), "{}", refused.text);
            }
        }
        let error = hub.refuses("org list");
        assert!(error.contains("the database"), "{error}");
        let_in(&hub, true);
        eventually("the server recovers by itself", || {
            (client.get(&format!("/Users/{ada}")).status == 200).then_some(())
        });
        client.make("/Users", &user(&format!("carl{round}@corp.example")));
    }
    assert_eq!(hub.log("default").len(), 3, "what was refused was not done");
}

#[test]
fn a_password_is_never_told() {
    let Some(hub) = Hub::on_postgres() else { return };
    let url = hub.url().unwrap().replace("://postgres@", "://postgres:s3cret-W0rd@");
    let nowhere = url.replace("127.0.0.1:", "127.0.0.1:1");
    for (database, works) in [(url.clone(), true), (nowhere, false), (url.replace("postgres://", "mysql://"), false)] {
        for line in ["org list", "serve --listen 127.0.0.1:x", "log --org nobody", "migrate --json", "--datbase x"] {
            let mut command = hub.program(line);
            let output = command.env("SECURECODINGHUB_DATABASE", &database).env("RUST_LOG", "debug").output().unwrap();
            let told = [output.stdout, output.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(!told.contains("s3cret"), "{line}: {told}");
            assert!(works || !output.status.success(), "{line}: {told}");
        }
    }
    // Nor by a file of settings that cannot be read.
    std::fs::write(hub.path().join("hub.toml"), format!("listen = '127.0.0.1:0'\ndatabase = {url}\n")).unwrap();
    let error = hub.refuses("org list --config hub.toml");
    assert!(error.contains("line 2") && !error.contains("s3cret"), "{error}");
    // Nor by a server.
    let mut command = hub.program("serve --json --listen 127.0.0.1:0");
    let server = hub.start(command.env("SECURECODINGHUB_DATABASE", &url).env("RUST_LOG", "debug"));
    server.first_client().make("/Users", &user("ada@corp.example"));
    assert!(support::text(server.greeting(), "database").starts_with("postgres://postgres@127.0.0.1:"));
    assert!(!server.greeting().to_string().contains("s3cret") && !server.stderr().contains("s3cret"));
}

#[test]
fn a_role_that_may_only_read_and_write_is_enough_to_serve() {
    let Some(hub) = Hub::on_postgres() else { return };
    let url = hub.url().unwrap();
    let role = format!("hub_{}", std::process::id());
    hub.sql(&format!(
        "CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    ));
    let as_role = url.replace("://postgres@", &format!("://{role}@"));
    let mut command = hub.program("serve --json --listen 127.0.0.1:0");
    let server = hub.start(command.env("SECURECODINGHUB_DATABASE", &as_role));
    server.first_client().make("/Users", &user("ada@corp.example"));
    drop(server);
    hub.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_database_without_tables_is_told_how_to_get_them() {
    let Some(cluster) = Cluster::shared() else { return };
    let (database, hub) = (cluster.database(), Hub::on_a_file());
    let run = |line: &str| hub.program(line).env("SECURECODINGHUB_DATABASE", database.url()).output().unwrap();
    for line in
        ["serve --listen 127.0.0.1:0", "org list", "user add --org acme --email ada@corp.example", "log --org acme"]
    {
        let output = run(line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("run `securecodinghub migrate --database …`"), "{line}: {error}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{line}");
    }
    for _ in 0..2 {
        let output = run("migrate");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.starts_with("the tables in postgres://") && told.ends_with("are up to date\n"), "{told}");
    }
    let output = run("org list");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // For a file it does what opening does.
    assert!(hub.prints("migrate").starts_with("the tables in securecodinghub.db are up to date"));
    assert!(hub.database().exists());
}
