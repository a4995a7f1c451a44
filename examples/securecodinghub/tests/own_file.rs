//! What is so because the database is a file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::{Hub, user};

#[cfg(unix)]
#[test]
fn the_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let hub = Hub::new();
    let server = hub.serve("");
    server.first_client().make("/Users", &user("ada@acme.example"));
    for name in ["securecodinghub.db", "securecodinghub.db-wal", "securecodinghub.db-shm"] {
        let mode = std::fs::metadata(hub.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
