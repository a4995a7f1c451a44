//! The other server as a process: found, started on a free port of this machine, ended by its own id.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Once;

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "a-token-for-this-test";

/// A server that ends with its owner.
#[derive(Debug)]
pub(crate) struct Server {
    /// What it says that it serves.
    pub(crate) base: String,
    child: Child,
    /// What it was told to say of itself.
    _folder: TempDir,
}

/// A fresh server that announces this besides what it always does; none where it is not installed.
pub(crate) fn foreign_server(announced: &Value) -> Option<Server> {
    let Some(program) = program() else {
        assert!(
            std::env::var_os("SCIMWRIGHT_CI").is_none(),
            "scim2-server is not installed, and SCIMWRIGHT_CI wants it"
        );
        static SAID: Once = Once::new();
        let said = "SKIPPED, NOTHING IS PROVED: scim2-server is not installed (pip install 'scim2-server[cursor]')";
        // Past what the harness holds back of a test that passes, and once for all of them.
        SAID.call_once(|| drop(writeln!(std::io::stderr(), "{said}")));
        return None;
    };
    let supported = json!({"supported": true});
    let mut config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": supported, "changePassword": supported, "sort": supported, "etag": supported,
        "bulk": {"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576},
        "filter": {"supported": true, "maxResults": 1000},
    });
    config.as_object_mut().unwrap().extend(announced.as_object().cloned().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    // Between finding a port and listening on it somebody else may take it.
    for _ in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(&program)
            .args(["--hostname", "127.0.0.1", "--port", &port.to_string(), "--bearer-token", TOKEN])
            .arg("--service-provider-config")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if let Some(base) = line.trim().strip_prefix("Serving SCIM on ") {
            return Some(Server { base: base.to_owned(), child, _folder: folder });
        }
        let status = child.wait().unwrap();
        let _ = writeln!(std::io::stderr(), "scim2-server did not start on port {port}: {status}");
    }
    panic!("scim2-server does not start");
}

/// Where the program is: as the environment says, or on the path.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SCIM2_SERVER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("scim2-server")).find(|program| program.is_file())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
