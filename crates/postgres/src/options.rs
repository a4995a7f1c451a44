//! How a store uses its database.

use std::time::Duration;

/// How a store uses its database. Where that is, who asks, and by which TLS, is in the URL.
///
/// ```
/// use scimwright_postgres::PostgresOptions;
///
/// let options = PostgresOptions { connections: 20, ..PostgresOptions::default() };
/// assert!(!options.prepared);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// How many connections there are at most. They are opened when they are needed. 10 by default.
    pub connections: usize,
    /// How long to wait for a host to accept a connection. 5 seconds by default; `connect_timeout` in the URL goes before it.
    pub connect_timeout: Duration,
    /// How long a request waits until a connection is free. 10 seconds by default.
    pub wait_timeout: Duration,
    /// How long a request goes on trying when connections break or none can be made, as while another server takes over. 20 seconds by
    /// default.
    pub patience: Duration,
    /// Whether statements are prepared once for each connection, so that the server need not read and plan them anew each time. Only
    /// for direct connections: `PgBouncer` in transaction mode hands a connection from one client to the next. Off by default.
    pub prepared: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 10,
            connect_timeout: Duration::from_secs(5),
            wait_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(20),
            prepared: false,
        }
    }
}
