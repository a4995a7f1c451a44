//! PgBouncer before a server, as many operators run it.

use super::server::{Place, Server, started};
use super::{ClusterError, Database, programs, with_database};

/// A `PgBouncer` in transaction mode: a client has a connection of the server from `BEGIN` to `COMMIT` and no longer.
#[derive(Debug)]
pub struct Bouncer {
    server: Server,
}

impl Bouncer {
    /// Starts one before the server at that port.
    pub(crate) fn before(server: u16) -> Result<Self, ClusterError> {
        let program = programs::find("pgbouncer")?;
        let start = |port| {
            let place = Place::new("pgbouncer")?;
            let (settings, users) = (place.path("pgbouncer.ini"), place.path("users"));
            let text = settings_of(server, port, &users.display().to_string());
            for (path, text) in [(&settings, text.as_str()), (&users, "\"postgres\" \"\"\n")] {
                place.write(path, text)?;
            }
            // What ends it at once has changed with its versions, and it has nothing to put away.
            place.serve(&program, &[settings.display().to_string()], port, "KILL")
        };
        Ok(Self { server: started("pgbouncer", start, Server::accepts)? })
    }

    /// The URL of a database of the server, through this.
    #[must_use]
    pub fn url(&self, database: &Database) -> String {
        with_database(&format!("postgres://postgres@127.0.0.1:{}?sslmode=disable", self.server.port()), database.name())
    }
}

/// The file `pgbouncer.ini`.
fn settings_of(server: u16, port: u16, users: &str) -> String {
    // The pool is small, so that clients do share connections.
    format!(
        "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 4\n\
         max_client_conn = 500\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n\
         auth_file = {users}\n"
    )
}
