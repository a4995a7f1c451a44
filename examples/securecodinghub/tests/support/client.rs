//! Clients: one that speaks SCIM, and one that sees every byte.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};

use super::PATIENCE;

/// A provider with a token. A clone shares its connections, which are kept alive.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    token: String,
}

impl Client {
    pub fn new(base: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            // A proxy that the environment names does not know the server.
            .proxy(None)
            .build();
        Self { agent: config.into(), base: base.to_owned(), token: token.to_owned() }
    }

    /// The same provider with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None)
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body))
    }

    #[track_caller]
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body))
    }

    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body))
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None)
    }

    /// The resource, which must be there.
    #[track_caller]
    pub fn read(&self, path: &str) -> Value {
        self.get(path).is(200)
    }

    /// Makes a resource and tells its id.
    #[track_caller]
    pub fn make(&self, path: &str, body: &Value) -> String {
        super::text(&self.post(path, body).is(201), "id")
    }

    /// What a filter finds.
    #[track_caller]
    pub fn find(&self, path: &str, wanted: &str) -> Vec<Value> {
        let list = self.read(&format!("{path}?{}", filter(wanted)));
        let found = list["Resources"].as_array().unwrap_or_else(|| panic!("this is no list: {list}"));
        assert_eq!(list["totalResults"], found.len(), "{list}");
        found.clone()
    }

    /// How many resources there are.
    #[track_caller]
    pub fn count(&self, path: &str) -> u64 {
        self.read(&format!("{path}?count=0"))["totalResults"].as_u64().unwrap()
    }

    /// Sends a request whose body is JSON.
    #[track_caller]
    pub fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.try_send(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The same for somebody whose server may go away.
    pub fn try_send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, ureq::Error> {
        let headers = [("authorization", format!("Bearer {}", self.token))];
        let bytes = body.map(|body| body.to_string().into_bytes());
        self.try_send_raw(method, path, &headers, bytes)
    }

    /// Sends any bytes with these headers and no others but those of HTTP.
    #[track_caller]
    pub fn send_raw(&self, method: Method, path: &str, headers: &[(&str, String)], body: Option<&str>) -> Answer {
        let bytes = body.map(|body| body.as_bytes().to_vec());
        self.try_send_raw(method, path, headers, bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn try_send_raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = match body {
            Some(body) => self.agent.run(request.header("content-type", "application/scim+json").body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        }?;
        let (parts, mut body) = response.into_parts();
        let text = body.with_config().limit(64 << 20).read_to_string()?;
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, text })
    }
}

/// A filter as it stands in a query string.
pub fn filter(wanted: &str) -> String {
    format!("filter={}", form_urlencoded::byte_serialize(wanted.as_bytes()).collect::<String>())
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of an answer that has this status; null where there is none.
    #[track_caller]
    pub fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A PATCH that was done. Whether the resource is shown is the server's choice.
    #[track_caller]
    pub fn is_done(&self) -> Value {
        assert!(matches!(self.status, 200 | 204), "{}: {}", self.status, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The sentence of an error as RFC 7644 section 3.12 shapes it, with this status and `scimType`, empty for none.
    #[track_caller]
    pub fn is_error(&self, status: u16, scim_type: &str) -> String {
        let body = self.is(status);
        assert_eq!(self.header("content-type"), "application/scim+json");
        assert_eq!(body["schemas"], serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{body}");
        assert_eq!(body["status"], status.to_string(), "{body}");
        assert_eq!(body["scimType"].as_str().unwrap_or_default(), scim_type, "{body}");
        let detail = super::text(&body, "detail");
        assert_ne!(detail, "");
        detail
    }

    /// The header, empty where there is none.
    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

/// One connection, written and read by hand, for whatever depends on the connection itself.
pub struct Wire {
    stream: TcpStream,
    /// Read and not yet used.
    rest: Vec<u8>,
    /// The status line and the headers of the last answer.
    head: String,
}

impl Wire {
    pub fn open(server: &super::Server) -> Self {
        let stream = TcpStream::connect(server.listen()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, rest: Vec::new(), head: String::new() }
    }

    /// Writes text as it is.
    pub fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// The next answer: its status and its body.
    pub fn answer(&mut self) -> (u16, String) {
        let head = loop {
            if let Some(end) = self.rest.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8(self.rest.drain(..end + 4).collect()).unwrap();
            }
            assert!(self.more(), "the connection ended before the answer did");
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let length: usize = length.unwrap_or(0);
        while self.rest.len() < length {
            assert!(self.more(), "the connection ended before the body did");
        }
        self.head = head;
        (status, String::from_utf8(self.rest.drain(..length).collect()).unwrap())
    }

    /// Whether the last answer said that it was the last one on this connection.
    pub fn was_told_to_close(&self) -> bool {
        self.head.to_ascii_lowercase().contains("\r\nconnection: close\r\n")
    }

    /// Whether the server has closed its side, with nothing more to say.
    pub fn is_closed(&mut self) -> bool {
        self.rest.is_empty() && !self.more()
    }

    fn more(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(read) => {
                self.rest.extend(&bytes[..read]);
                read > 0
            }
            // A connection that is reset is over, too.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }
}
