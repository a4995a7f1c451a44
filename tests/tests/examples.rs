//! The examples run and do what they say.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use scimwright_tests::built;
use serde_json::Value;

/// A process that ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a request over a connection of its own and reads the answer to its end.
fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}");
    write!(stream, "{head}\r\n{headers}\r\n{body}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn quickstart_serves_what_it_prints() {
    let mut command = Command::new(built("quickstart", "quickstart"));
    let child = command.arg("127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut server = Running(child.unwrap());
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let curl = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("curl ")).unwrap();
    // curl -s 'http://127.0.0.1:41234/scim/v2/Users' -H 'Authorization: Bearer secret'
    let quoted: Vec<&str> = curl.split('\'').collect();
    let (url, header) = (quoted[1].strip_prefix("http://").unwrap(), quoted[3]);
    let (address, path) = url.split_at(url.find('/').unwrap());
    assert!(!address.ends_with(":0"), "the port is the one that was opened: {curl}");

    let (status, head, body) = ask(address, "GET", path, &format!("{header}\r\n"), "");
    assert_eq!((status, &body["totalResults"]), (200, &Value::from(0)), "{head}");
    assert!(head.contains("content-type: application/scim+json"), "{head}");

    let (status, head, body) = ask(address, "GET", path, "", "");
    assert_eq!((status, &body["status"]), (401, &Value::from("401")), "{head}");
    assert!(head.contains("www-authenticate: bearer"), "{head}");

    let user = r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}"#;
    let headers = format!("{header}\r\nContent-Type: application/scim+json\r\n");
    let (status, head, body) = ask(address, "POST", path, &headers, user);
    assert_eq!(status, 201, "{head}");
    let location = body["meta"]["location"].as_str().unwrap();
    let path = location.strip_prefix("http://").and_then(|location| location.strip_prefix(address)).unwrap();
    let (status, head, body) = ask(address, "GET", path, &format!("{header}\r\n"), "");
    assert_eq!((status, &body["userName"]), (200, &Value::from("ada")), "{head}");
}

#[track_caller]
fn succeeds(example: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new(built(example, example)).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(!output.stderr.is_empty(), "it says what it has done");
}

#[test]
fn custom_schema_succeeds() {
    succeeds("custom_schema");
}

#[test]
fn custom_store_succeeds() {
    succeeds("custom_store");
}
