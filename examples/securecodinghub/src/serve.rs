//! The server: opens the database, says what to do next, answers until it is told to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::get;
use scimwright_http::Scim;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::admin::{ADMIN_PATH, Admin};
use crate::database::{DatabaseError, Opened};
use crate::directory::{Created, Directory, DirectoryError, NewOrganisation};
use crate::endpoint::{TypesError, catalog, endpoint, service_of};
use crate::extensions::Extensions;
use crate::gate::Gate;
use crate::leftover;
use crate::settings::{SCIM_PATH, Settings};
use crate::types::{self, ChangedTypes};

/// How long a change may be missing in the log when its process died, beside the time that its process had for it.
const CATCH_UP: Duration = Duration::from_secs(60);

/// Why the server could not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: choose another with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The product's tables cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// What is served does not fit together.
    #[error(transparent)]
    Types(#[from] TypesError),
    /// The types are not those that resources were written by.
    #[error(transparent)]
    Changed(#[from] ChangedTypes),
    /// The runtime or the connection failed.
    #[error("the server stopped")]
    Io(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT, then finishes what was begun.
///
/// # Errors
/// When the database, the address or a folder of types cannot be used.
pub fn run(settings: Settings, json: bool, out: &mut dyn Write) -> Result<(), ServeError> {
    start_log();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings, json, out))
}

async fn serve(settings: Settings, json: bool, out: &mut dyn Write) -> Result<(), ServeError> {
    // Before anybody can know that the server is there, and so ask it to stop.
    let mut signals = Signals::heard()?;
    // Before a database is made, whose first token would be shown to nobody if this failed.
    let catalog = catalog(&settings.types)?;
    let listener =
        TcpListener::bind(settings.listen).await.map_err(|source| ServeError::Listen(settings.listen, source))?;
    let settings = settings.bound_to(listener.local_addr()?);
    let Opened { directory, store } = settings.database.open().await?;
    types::check(&directory, &*store, &catalog).await?;
    let first =
        directory.make_first_organisation(&NewOrganisation::named("default", settings.edition), "first").await?;
    let service = service_of(&settings, catalog, store.clone()).cursor_key(directory.cursor_key().await?);
    let extensions = Arc::new(Extensions::new(directory.clone(), service.clone()));
    extensions.report_misfits().await?;
    extensions.catch_up().await;
    let catching_up = tokio::spawn(catch_up(extensions.clone()));
    let gate = Arc::new(Gate::new(&settings, directory.clone(), extensions.clone()));
    let admin = Admin::new(gate.clone(), extensions, service.clone(), settings.public_url().as_str());
    let scim = endpoint(&settings, service, gate);
    greet(&settings, first.as_ref(), json, out)?;

    let (stop, stopped) = watch::channel(false);
    let app = router(scim, admin, directory.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(told(stopped));
    let server = tokio::spawn(async move { server.await });
    signals.next().await;
    tracing::info!("draining");
    let _ = stop.send(true);
    tokio::select! {
        ended = tokio::time::timeout(settings.drain, server) => match ended {
            Ok(Ok(done)) => done?,
            Ok(Err(error)) => tracing::error!(%error, "the server failed"),
            Err(_) => tracing::warn!(seconds = settings.drain.as_secs(), "requests that took too long were cut off"),
        },
        // Whoever is impatient asks twice.
        () = signals.next() => tracing::warn!("told to stop again: requests under way were cut off"),
    }
    // The writer finishes what it has begun when the last handle goes.
    catching_up.abort();
    drop(catching_up.await);
    directory.close().await;
    drop(store);
    Ok(())
}

/// Enters into the logs what others have left, as often as there can be something new.
async fn catch_up(extensions: Arc<Extensions>) {
    loop {
        tokio::time::sleep(CATCH_UP).await;
        extensions.catch_up().await;
    }
}

/// Everything that the server answers.
pub fn router(scim: Scim, admin: Admin, directory: Arc<Directory>) -> Router {
    Router::new()
        .route("/", get(|| async { format!("SecureCodingHub. The SCIM endpoint is at {SCIM_PATH}\n") }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(directory)
        .nest_service(SCIM_PATH, scim)
        .nest_service(ADMIN_PATH, admin.routes())
        .layer(middleware::from_fn(leftover::read_first))
}

/// Whether requests would be answered: the database can be read.
async fn ready(State(directory): State<Arc<Directory>>) -> (StatusCode, &'static str) {
    // Nobody's: what is asked is whether there is an answer.
    match directory.organisation_by_id("").await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be read\n")
        }
    }
}

/// What an administrator needs next. The first token is shown here and never again.
fn greet(settings: &Settings, first: Option<&Created>, json: bool, out: &mut dyn Write) -> io::Result<()> {
    let base = settings.scim_base();
    if json {
        let mut line =
            json!({"base": base, "listen": settings.listen.to_string(), "database": settings.database.to_string()});
        if let (Some(first), Some(line)) = (first, line.as_object_mut()) {
            line.insert("organisation".to_owned(), first.organisation.name.clone().into());
            line.insert("token".to_owned(), first.secret.expose().into());
        }
        writeln!(out, "{line}")?;
        return out.flush();
    }
    writeln!(out, "SecureCodingHub keeps its data in {}", settings.database)?;
    writeln!(out)?;
    writeln!(out, "  base URL  {base}")?;
    match first {
        Some(first) => {
            let token = first.secret.expose();
            writeln!(out, "  token     {token}")?;
            writeln!(out, "            of organisation `{}`, shown this once", first.organisation.name)?;
            writeln!(out)?;
            writeln!(out, "Paste both into your identity provider, or try:")?;
            writeln!(out)?;
            writeln!(out, "  curl -s '{base}/Users' -H 'Authorization: Bearer {token}'")?;
        }
        None => {
            writeln!(out, "  token     as made before; for another: securecodinghub token create --org NAME")?;
        }
    }
    writeln!(out)?;
    writeln!(out, "Stop with Ctrl-C.")?;
    out.flush()
}

/// Logs go to the standard error, so that the standard output stays what it says. `RUST_LOG` chooses what.
fn start_log() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,securecodinghub=info".into());
    // A second server in one process, as in tests, keeps the first one's log.
    let colours = io::stderr().is_terminal();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(io::stderr).try_init();
}

async fn told(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// SIGTERM and Ctrl-C. From when this is there they no longer end the process by themselves.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn heard() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Ctrl-C. From when this is there it no longer ends the process by itself.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn heard() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}
