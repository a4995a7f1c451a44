//! A server that says what a test wants, and a clock that takes no time.

#![allow(dead_code, reason = "each file of tests uses some of it")]

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use scimwright_client::{Client, ClientBuilder, Clock, Retry, Transport, TransportError};
use serde_json::Value;

pub(crate) const BASE: &str = "https://scim.example/scim/v2";
pub(crate) const TOKEN: &str = "schscim_Zm9yIG15IGV5ZXMgb25seQ";

/// What the server does with one request.
#[derive(Debug)]
pub(crate) enum Does {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The server cannot be reached.
    Unreachable,
    /// The connection breaks after the request was sent.
    Breaks,
}

impl Does {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, vec![("content-type", "application/scim+json".to_owned())], body.to_string())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// What a server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Answers by a script, and remembers what it was asked. Once the script is at its end every request is one too many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    script: Arc<Mutex<VecDeque<Does>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    pub(crate) fn new(script: impl IntoIterator<Item = Does>) -> Self {
        Self { script: Arc::new(Mutex::new(script.into_iter().collect())), asked: Arc::default() }
    }

    /// What comes at the end of the script.
    pub(crate) fn will(&self, does: Does) {
        self.script.lock().unwrap().push_back(does);
    }

    /// Everything that was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// The method and target of everything that was asked, below the base.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line.replace(BASE, "")).collect()
    }

    /// Whether every answer was wanted.
    pub(crate) fn is_done(&self) -> bool {
        self.script.lock().unwrap().is_empty()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>, _limit: usize) -> Result<Response<Bytes>, TransportError> {
        let (parts, body) = request.into_parts();
        self.asked.lock().unwrap().push(Asked {
            line: format!("{} {}", parts.method, parts.uri),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        });
        match self.script.lock().unwrap().pop_front().unwrap_or_else(|| panic!("one request too many: {}", parts.uri)) {
            Does::Answer(status, headers, body) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response.body(body.into()).unwrap())
            }
            Does::Unreachable => Err(TransportError::not_sent("connection refused")),
            Does::Breaks => Err(TransportError::broken("connection reset")),
        }
    }
}

/// Remembers how long it was to sleep, and does not.
#[derive(Clone, Debug)]
pub(crate) struct StillClock {
    slept: Arc<Mutex<Vec<Duration>>>,
    random: f64,
}

impl StillClock {
    pub(crate) fn new(random: f64) -> Self {
        Self { slept: Arc::default(), random }
    }

    pub(crate) fn slept(&self) -> Vec<u128> {
        std::mem::take(&mut *self.slept.lock().unwrap()).iter().map(Duration::as_millis).collect()
    }
}

impl Clock for StillClock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.slept.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }

    /// Sun, 06 Nov 1994 08:49:37 GMT
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn random(&self) -> f64 {
        self.random
    }
}

pub(crate) fn builder() -> ClientBuilder {
    Client::builder(BASE).bearer(TOKEN)
}

/// A client of that script, which sends everything once.
pub(crate) fn client(script: impl IntoIterator<Item = Does>) -> (Client, Script) {
    let script = Script::new(script);
    (builder().retry(Retry::never()).build_over(script.clone()).unwrap(), script)
}
