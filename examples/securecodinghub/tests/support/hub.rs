//! The program: its folder, its commands, its server.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use scimwright_testkit::postgres::{Bouncer, Cluster, Database as PostgresDatabase};
use securecodinghub::database::Database;
use serde_json::Value;
use tempfile::TempDir;

use super::{Client, Hand, PATIENCE, text};

/// Whether these tests are those of `tests/postgres.rs`.
const ON_POSTGRES: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"postgres");

/// What the database in PostgreSQL is told to the program in.
const DATABASE: &str = "SECURECODINGHUB_DATABASE";

/// A folder and a database. Servers and commands that are started here share it.
pub struct Hub {
    folder: TempDir,
    /// A database of its own in PostgreSQL; none where the database is a file in the folder.
    postgres: Option<PostgresDatabase>,
    /// What stands before it.
    pooler: Option<Bouncer>,
    /// How many servers were started, each with a log of its own.
    servers: Cell<usize>,
}

impl Hub {
    /// With a file, or in `tests/postgres.rs` with PostgreSQL. Where that is missing it is said, and the tests run on a file again.
    pub fn new() -> Self {
        if ON_POSTGRES { Self::on_postgres().unwrap_or_else(Self::on_a_file) } else { Self::on_a_file() }
    }

    pub fn on_a_file() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: None, pooler: None, servers: Cell::new(0) }
    }

    /// With a database in PostgreSQL, if there is one here, that has been migrated.
    pub fn on_postgres() -> Option<Self> {
        let database = Cluster::shared()?.prepared("securecodinghub", |url| {
            let hub = Self::on_a_file();
            let output = hub.program("migrate").env(DATABASE, url).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        });
        Some(Self { postgres: Some(database), ..Self::on_a_file() })
    }

    /// The same with `PgBouncer` in transaction mode before it.
    pub fn through_a_pooler() -> Option<Self> {
        let hub = Self::on_postgres()?;
        match Cluster::shared()?.bouncer() {
            Ok(pooler) => Some(Self { pooler: Some(pooler), ..hub }),
            Err(error) => {
                assert!(std::env::var_os("SCIMWRIGHT_CI").is_none_or(|ci| ci != "1"), "no PgBouncer: {error}");
                eprintln!("SKIPPED: what is asked through PgBouncer: {error}");
                None
            }
        }
    }

    /// The database as the program knows it.
    pub fn settings(&self) -> Database {
        let text = self.url().map_or_else(|| self.database().into(), Into::into);
        let text: std::ffi::OsString = text;
        Database::parse(&text, None).unwrap()
    }

    /// Does to the database what no command does.
    #[track_caller]
    pub fn sql(&self, statements: &str) {
        match &self.postgres {
            Some(database) => drop(Cluster::shared().unwrap().ask(database.url(), statements).unwrap()),
            None => {
                let connection = rusqlite::Connection::open(self.database()).unwrap();
                connection.busy_timeout(PATIENCE).unwrap();
                connection.execute_batch(statements).unwrap();
            }
        }
    }

    /// The URL of the database in PostgreSQL.
    pub fn url(&self) -> Option<String> {
        let database = self.postgres.as_ref()?;
        Some(self.pooler.as_ref().map_or_else(|| database.url().to_owned(), |pooler| pooler.url(database)))
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file, where it is one.
    pub fn database(&self) -> PathBuf {
        self.path().join("securecodinghub.db")
    }

    /// The program with these arguments, not yet started. Words are split at blanks.
    pub fn program(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_securecodinghub"));
        command.args(line.split_whitespace()).current_dir(self.path()).stdin(Stdio::null()).env_remove("RUST_LOG");
        // What is set around the tests is none of their business.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECURECODINGHUB_"))
        {
            command.env_remove(name);
        }
        if let Some(url) = self.url() {
            command.env(DATABASE, url);
        }
        command
    }

    pub fn run(&self, line: &str) -> Output {
        self.program(line).output().unwrap()
    }

    /// What a command prints when all goes well.
    #[track_caller]
    pub fn prints(&self, line: &str) -> String {
        let output = self.run(line);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {error}");
        assert_eq!(error, "", "{line}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command prints with `--json`.
    #[track_caller]
    pub fn json(&self, line: &str) -> Value {
        let printed = self.prints(&format!("{line} --json"));
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{line}: {error}: {printed}"))
    }

    /// What a command complains when it cannot do what it was asked. It prints nothing then.
    #[track_caller]
    pub fn refuses(&self, line: &str) -> String {
        let output = self.run(line);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{line}: {error}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{line}");
        assert!(error.starts_with("error: "), "{line}: {error}");
        error
    }

    /// The provisioning log of an organisation.
    #[track_caller]
    pub fn log(&self, organisation: &str) -> Vec<Value> {
        self.log_after(organisation, 0)
    }

    /// The part of the log behind that position.
    #[track_caller]
    pub fn log_after(&self, organisation: &str, position: u64) -> Vec<Value> {
        let printed = self.prints(&format!("log --org {organisation} --after {position} --json"));
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last entry of the log.
    #[track_caller]
    pub fn last_entry(&self, organisation: &str) -> Value {
        self.log(organisation).pop().unwrap_or_else(|| panic!("the log of {organisation} is empty"))
    }

    /// Makes an organisation with a token; the flags are those of `org create`.
    #[track_caller]
    pub fn organisation(&self, server: &Server, name: &str, flags: &str) -> Organisation {
        let made = self.json(&format!("org create {name} {flags}"));
        let token = self.json(&format!("token create --org {name} --label test"));
        let secret = text(&token, "token");
        Organisation {
            name: name.to_owned(),
            id: text(&made, "id"),
            token_id: text(&token, "id"),
            client: server.client(&secret),
            token: secret,
        }
    }

    /// A client of the organisation's admin interface, with a token of its own.
    #[track_caller]
    pub fn admin(&self, server: &Server, organisation: &str) -> Client {
        let token = self.json(&format!("token create --org {organisation} --scope admin"));
        server.admin(&text(&token, "token"))
    }

    /// Makes a user as an administrator does, and tells the id.
    #[track_caller]
    pub fn invite(&self, organisation: &str, email: &str) -> String {
        text(&self.json(&format!("user add --org {organisation} --email {email}")), "id")
    }

    /// What other parts of the product do in this database: the program has no command for all of it.
    pub fn hand(&self, organisation: &str) -> Hand {
        Hand::new(&self.settings(), organisation)
    }

    /// A server with these flags. No organisation is slowed down, unless a flag says so.
    #[track_caller]
    pub fn serve(&self, flags: &str) -> Server {
        let limit = if flags.contains("--rate-limit") { "" } else { "--rate-limit off" };
        self.start(&mut self.program(&format!("serve --json --listen 127.0.0.1:0 {limit} {flags}")))
    }

    /// A server as the command starts it, which must be one that prints JSON.
    #[track_caller]
    pub fn start(&self, command: &mut Command) -> Server {
        self.servers.set(self.servers.get() + 1);
        let stderr = self.path().join(format!("server-{}.stderr", self.servers.get()));
        let child = command.stdout(Stdio::piped()).stderr(File::create(&stderr).unwrap()).spawn().unwrap();
        // From here on the child ends with its owner, whatever goes wrong.
        let mut server = Server { child, greeting: Value::Null, stderr };
        let stdout = server.child.stdout.take().unwrap();
        let (told, greeting) = mpsc::channel();
        // A thread of its own, because a pipe has no deadline. It ends when the server does.
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            let _ = told.send(lines.next());
            lines.for_each(drop);
        });
        match greeting.recv_timeout(PATIENCE) {
            Ok(Some(Ok(line))) => server.greeting = serde_json::from_str(&line).unwrap(),
            other => panic!("the server does not greet: {other:?}: {}", server.stderr()),
        }
        server
    }

    /// Every byte of the database and of the files beside it; in PostgreSQL every value of every row.
    pub fn bytes_on_disk(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(database) = &self.postgres {
            let ask = |sql: &str| Cluster::shared().unwrap().ask(database.url(), sql).unwrap();
            for table in ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").lines() {
                let rows = ask(&format!("SELECT t::text FROM {table} t"));
                // Bytes are shown as \\x and their digits.
                for digits in rows.split("\\x").skip(1) {
                    let pairs = digits.as_bytes().chunks(2).map_while(|pair| std::str::from_utf8(pair).ok());
                    bytes.extend(pairs.map_while(|pair| u8::from_str_radix(pair, 16).ok()));
                }
                bytes.extend(rows.bytes());
            }
        }
        for entry in std::fs::read_dir(self.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("securecodinghub.db") {
                bytes.extend(std::fs::read(path).unwrap());
            }
        }
        bytes
    }
}

/// An organisation and a client with its token.
pub struct Organisation {
    pub name: String,
    pub id: String,
    pub token: String,
    pub token_id: String,
    pub client: Client,
}

/// A server that runs. It is killed when it goes out of scope, also when a test panics.
pub struct Server {
    child: Child,
    greeting: Value,
    stderr: PathBuf,
}

impl Server {
    /// The line that it began with.
    pub fn greeting(&self) -> &Value {
        &self.greeting
    }

    /// `127.0.0.1` and the port.
    #[track_caller]
    pub fn listen(&self) -> String {
        text(&self.greeting, "listen")
    }

    /// The base URL as it is told to providers.
    #[track_caller]
    pub fn base(&self) -> String {
        text(&self.greeting, "base")
    }

    /// The token of organisation `default`, which a server on a fresh database makes.
    #[track_caller]
    pub fn token(&self) -> String {
        text(&self.greeting, "token")
    }

    /// A client with that token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(&format!("http://{}/api/sch/scim/v2", self.listen()), token)
    }

    /// A client of the admin interface with that token.
    pub fn admin(&self, token: &str) -> Client {
        Client::new(&format!("http://{}/api/sch/admin/v1", self.listen()), token)
    }

    /// A client of organisation `default`.
    #[track_caller]
    pub fn first_client(&self) -> Client {
        self.client(&self.token())
    }

    /// What it has logged so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    /// Asks it to stop, as a supervisor does.
    pub fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        // The child is not reaped before it is waited for, so its id is still its own.
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it at once, with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the server does not end: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
