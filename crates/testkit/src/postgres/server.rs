//! A server that ends with this process, however that ends.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::account::Account;
use super::programs::{self, read};
use super::{ClusterError, chain};

/// How long a server may take to answer. Only a machine that hangs comes near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often another port is tried, when somebody takes the one that was free a moment ago.
const TRIES: usize = 5;

/// Runs the server, and ends it when the pipe on its own input does: that is when our process closes it or is no more. The folder goes
/// then too; when the server ended by itself, it stays until we have read the log.
const WATCHDOG: &str = r#"
folder=$1; signal=$2; shift 2
exec 3<&0
"$@" </dev/null >>"$folder/log" 2>&1 3<&- &
server=$!
{ read -r _ <&3; kill -s "$signal" "$server"; } &
reader=$!
wait "$server"
: >"$folder/ended"
if kill "$reader" 2>/dev/null; then read -r _ <&3; fi
rm -rf "$folder"
"#;

/// A server under a watchdog, in a folder of its own.
#[derive(Debug)]
pub(crate) struct Server {
    watchdog: Child,
    folder: PathBuf,
    port: u16,
}

/// A folder for a server, and who is to own it.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    account: Option<Account>,
}

impl Place {
    pub(crate) fn new(kind: &str) -> Result<Self, ClusterError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("scimwright-{kind}-{}-{number}", std::process::id()));
        let wrong = |error| ClusterError::io(format!("{}", folder.display()))(error);
        std::fs::create_dir(&folder).map_err(wrong)?;
        let account = Account::of_servers(&folder)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(wrong)?;
        account.map_or(Ok(()), |account| account.own(&folder)).map_err(wrong)?;
        Ok(Self { folder, account })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file that the server's account may read.
    pub(crate) fn write(&self, path: &Path, text: &str) -> Result<(), ClusterError> {
        let written = std::fs::write(path, text);
        let owned = written.and_then(|()| self.account.map_or(Ok(()), |account| account.own(path)));
        owned.map_err(ClusterError::io(format!("{}", path.display())))
    }

    /// A command that the server's account runs in the folder.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }

    /// Runs a server until this process ends. `signal` is what ends it at once.
    pub(crate) fn serve(
        self,
        program: &Path,
        args: &[String],
        port: u16,
        signal: &str,
    ) -> Result<Server, ClusterError> {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", WATCHDOG, "sh"]).arg(&self.folder).arg(signal).arg(program).args(args);
        // A group of its own, so that what interrupts the tests does not reach the watchdog. No output of ours, for whoever reads the
        // tests' output waits until nobody has it open.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watchdog = command.spawn().map_err(ClusterError::io("/bin/sh"))?;
        Ok(Server { watchdog, folder: self.folder, port })
    }
}

impl Server {
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn log(&self) -> String {
        read(&self.folder.join("log"))
    }

    /// Waits until the server says that it is ready; false when it has ended instead.
    pub(crate) fn wait(&self, ready: impl Fn(&Self) -> bool) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.folder.join("ended").exists() {
                return false;
            }
            if ready(self) {
                return true;
            }
            sleep(Duration::from_millis(5));
        }
        false
    }

    /// Whether somebody accepts connections on the port.
    pub(crate) fn accepts(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        if let Err(error) = self.watchdog.wait() {
            eprintln!("the watchdog of {} cannot be waited for: {}", self.folder.display(), chain(&error));
        }
    }
}

/// A port of the loopback that is free now.
pub(crate) fn free_port() -> Result<u16, ClusterError> {
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    free.map(|address| address.port()).map_err(ClusterError::io("no free port on 127.0.0.1"))
}

/// Makes a server and tries again when its port was taken meanwhile.
pub(crate) fn started(
    program: &'static str,
    start: impl Fn(u16) -> Result<Server, ClusterError>,
    ready: impl Fn(&Server) -> bool,
) -> Result<Server, ClusterError> {
    let mut said = String::new();
    for _ in 0..TRIES {
        let server = start(free_port()?)?;
        if server.wait(&ready) {
            return Ok(server);
        }
        said = server.log();
    }
    Err(ClusterError::Failed { program, said })
}

/// A new PostgreSQL with these settings.
pub(crate) fn postgres(settings: &[&str]) -> Result<Server, ClusterError> {
    let args = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"].map(str::to_owned);
    made_by("initdb", &args, settings)
}

/// A PostgreSQL that follows the one at that port, and begins with all that is there.
pub(crate) fn follower(of: u16) -> Result<Server, ClusterError> {
    let from = format!("--dbname=postgres://postgres@127.0.0.1:{of}/?sslmode=disable");
    let args = [from, "--write-recovery-conf".to_owned(), "--checkpoint=fast".to_owned()];
    made_by("pg_basebackup", &args, &[])
}

/// A PostgreSQL whose data that program makes.
fn made_by(maker: &'static str, args: &[String], settings: &[&str]) -> Result<Server, ClusterError> {
    let (path, postgres) = (programs::find(maker)?, programs::find("postgres")?);
    let start = |port| {
        let place = Place::new("postgres")?;
        let mut command = place.command(&path);
        command.args(["--no-sync", "--pgdata=data"]).args(args);
        if let Err(error) = programs::run(maker, &mut command) {
            // Nobody watches the folder yet.
            drop(std::fs::remove_dir_all(&place.folder));
            return Err(error);
        }
        start_postgres(place, &postgres, settings, port)
    };
    // The eighth line of the file is the state, and is written last.
    let state = |server: &Server| read(&server.folder.join("data/postmaster.pid")).lines().nth(7).map(str::to_owned);
    started("postgres", start, |server| state(server).is_some_and(|state| state.trim() == "ready"))
}

fn start_postgres(place: Place, postgres: &Path, settings: &[&str], port: u16) -> Result<Server, ClusterError> {
    let port_setting = format!("port={port}");
    let own = [
        port_setting.as_str(),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "shared_buffers=64MB",
        // What a test writes may be lost with the power.
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
    ];
    let mut args = vec!["-D".to_owned(), place.path("data").display().to_string()];
    args.extend(own.iter().chain(settings).flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]));
    place.serve(postgres, &args, port, "QUIT")
}
