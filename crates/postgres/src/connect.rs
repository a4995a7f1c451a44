//! The way to the server: its URL, its certificate, and the pool of connections.

use std::error::Error;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolBuilder, RecyclingMethod, Runtime};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{OpenError, PostgresOptions};

/// A host that is gone without a word is noticed by silence: the default of two hours is too long for whoever waits for an answer.
const SILENCE: Duration = Duration::from_secs(15);

/// What a URL says, with our defaults where it says nothing.
pub(crate) fn config(url: &str, options: &PostgresOptions) -> Result<Config, OpenError> {
    let mut config = Config::from_str(url).map_err(|error| OpenError::Url(error.into()))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.connect_timeout);
    }
    if config.get_application_name().is_none() {
        config.application_name("scimwright");
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    // Of several, only one leads. What the others answer may be of yesterday, a revoked token above all.
    let several = config.get_hosts().len().max(config.get_hostaddrs().len()) > 1;
    if several && !url.contains("target_session_attrs") {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    config.keepalives_idle(config.get_keepalives_idle().min(SILENCE));
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(SILENCE / 3);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
    Ok(config)
}

/// Connections that are opened when they are needed.
pub(crate) fn pool(config: &Config, options: &PostgresOptions) -> Result<Pool, OpenError> {
    let settings = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match tls(config)? {
        Some(tls) => Manager::from_config(config.clone(), tls, settings),
        None => Manager::from_config(config.clone(), NoTls, settings),
    };
    // With several hosts each may take its time.
    let hosts = u32::try_from(config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
    let timeout = config.get_connect_timeout().copied().unwrap_or(options.connect_timeout).saturating_mul(hosts);
    let builder: PoolBuilder = Pool::builder(manager);
    let builder = builder.max_size(options.connections.max(1)).runtime(Runtime::Tokio1);
    let builder = builder.wait_timeout(Some(options.wait_timeout)).create_timeout(Some(timeout));
    builder.build().map_err(|error| OpenError::Database(error.into()))
}

/// Why there is no connection.
pub(crate) fn refused(config: &Config, error: tokio_postgres::Error) -> OpenError {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    // The driver's own words for a server that does not take writes, not those of a firewall.
    let told =
        source.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none());
    if told && config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite {
        return OpenError::ReadOnly;
    }
    error.into()
}

/// Checks that the server follows no other, unless the URL asks for one that does.
pub(crate) async fn leads(config: &Config, client: &Client) -> Result<(), OpenError> {
    if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
        return Ok(());
    }
    let follows = client.query_typed_one("SELECT pg_is_in_recovery()", &[]).await?;
    if follows.try_get(0)? { Err(OpenError::ReadOnly) } else { Ok(()) }
}

/// One connection for as long as something is done with it.
pub(crate) async fn alone<T>(config: &Config, work: impl AsyncFnOnce(&mut Client) -> T) -> Result<T, OpenError> {
    match tls(config)? {
        Some(tls) => {
            let (client, connection) = config.connect(tls).await.map_err(|error| refused(config, error))?;
            Ok(beside(client, connection, work).await)
        }
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(|error| refused(config, error))?;
            Ok(beside(client, connection, work).await)
        }
    }
}

async fn beside<T>(
    mut client: Client,
    connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
    work: impl AsyncFnOnce(&mut Client) -> T,
) -> T {
    let connection = tokio::spawn(connection);
    let done = work(&mut client).await;
    drop(client);
    // The server has closed it too when this ends. What was wrong with it the client was told.
    drop(connection.await);
    done
}

/// How TLS is made, where the URL allows for it. Whenever it is used the server has to prove who it is.
fn tls(config: &Config) -> Result<Option<MakeRustlsConnect>, OpenError> {
    let mode = config.get_ssl_mode();
    if mode == SslMode::Disable {
        return Ok(None);
    }
    match client_config() {
        Ok(config) => Ok(Some(MakeRustlsConnect::new(config))),
        Err(_) if mode == SslMode::Prefer => Ok(None),
        Err(error) => Err(OpenError::Certificates(error)),
    }
}

fn client_config() -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let first = found.errors.into_iter().next();
        return Err(first.map_or_else(|| "the system has none".into(), Into::into));
    }
    // Named, for other crates of a program may bring other providers.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
