//! The client: where the server is, who asks, and how.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use scimwright_core::{Group, ResourceType, User, urns};
use serde_json::Value;
use url::{Host, Url};

use crate::{Bulk, Clock, Error, Me, Query, Resources, Retry, Transport};

/// A client of one SCIM service provider. A clone is a handle to the same one.
#[derive(Clone)]
pub struct Client {
    settings: Arc<Settings>,
}

/// What a client goes by.
pub(crate) struct Settings {
    /// Without a slash at its end.
    base: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) retry: Retry,
    pub(crate) max_response: usize,
    /// Whether the server pages by cursors, once somebody wanted to know.
    pub(crate) cursors: OnceLock<bool>,
}

/// How a client is made. The first thing that goes wrong is told at the end.
#[must_use = "it is made by `build`"]
pub struct ClientBuilder {
    base: String,
    headers: HeaderMap,
    error: Option<Error>,
    clock: Option<Arc<dyn Clock>>,
    retry: Retry,
    max_response: usize,
    plain_http: bool,
}

impl Client {
    /// A client of the server at that base URI, such as `https://example.com/scim/v2`, with that bearer token, over
    /// [`Reqwest`](crate::Reqwest).
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build`].
    #[cfg(feature = "reqwest")]
    pub fn new(base: &str, token: &str) -> Result<Self, Error> {
        Self::builder(base).bearer(token).build()
    }

    /// A client of the server at that base URI, to be told more.
    pub fn builder(base: &str) -> ClientBuilder {
        ClientBuilder {
            base: base.to_owned(),
            headers: HeaderMap::new(),
            error: None,
            clock: None,
            retry: Retry::default(),
            max_response: 16 << 20,
            plain_http: false,
        }
    }

    /// The resources at an endpoint, such as `/Users`, seen as `T`: a typed view, or JSON as `serde_json::Value`.
    #[must_use]
    pub fn resources<T>(&self, endpoint: &str) -> Resources<T> {
        Resources::new(self, endpoint, None)
    }

    /// The resources of a type, as JSON.
    #[must_use]
    pub fn resources_of(&self, resource_type: &ResourceType) -> Resources<Value> {
        Resources::new(self, &resource_type.endpoint, Some(resource_type.schema.id.as_str()))
    }

    /// The users, in the view of RFC 7643 section 4.1. Extensions are no part of it: for those use a view of your own,
    /// or JSON.
    #[must_use]
    pub fn users(&self) -> Resources<User> {
        Resources::new(self, "/Users", Some(urns::USER))
    }

    /// The groups, in the view of RFC 7643 section 4.2.
    #[must_use]
    pub fn groups(&self) -> Resources<Group> {
        Resources::new(self, "/Groups", Some(urns::GROUP))
    }

    /// Whoever asks, as a resource (RFC 7644 section 3.11).
    #[must_use]
    pub fn me<T>(&self) -> Me<T> {
        Me::new(self)
    }

    /// A search over all types of the server (RFC 7644 section 3.4.3), by POST.
    pub fn search<T>(&self) -> Query<T> {
        Query::new(self, "").by_post()
    }

    /// A bulk job, empty yet (RFC 7644 section 3.7).
    pub fn bulk(&self) -> Bulk {
        Bulk::new(self)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl Settings {
    /// The URI of a path below the base.
    pub(crate) fn target(&self, path: &str, query: &str) -> Result<Url, Error> {
        let mark = if query.is_empty() { "" } else { "?" };
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}{mark}{query}")).map_err(Error::request)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.as_ref().map_or_else(SystemTime::now, |clock| clock.now())
    }
}

impl ClientBuilder {
    /// With a bearer token (RFC 6750). It is in no `Debug` output and goes to no other origin than that of the base
    /// URI.
    pub fn bearer(self, token: &str) -> Self {
        self.secret(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// With a header on every request, such as `Authorization` of another scheme. Its value is treated as a secret.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match HeaderName::try_from(name) {
            Ok(name) => self.secret(name, value),
            Err(error) => {
                self.error.get_or_insert(Error::request(error));
                self
            }
        }
    }

    fn secret(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::try_from(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(_) => {
                self.error
                    .get_or_insert(Error::request(format!("the value of `{name}` has characters that no header has")));
            }
        }
        self
    }

    /// With other rules for trying again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// With a clock for waiting between attempts, else it is the transport's ([`Transport::clock`]):
    /// [`Reqwest`](crate::Reqwest) brings tokio's. Without any nothing is sent again.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Takes answers of at most so many bytes (16 MiB unless said otherwise).
    pub const fn max_response(mut self, bytes: usize) -> Self {
        self.max_response = bytes;
        self
    }

    /// Sends in the clear also to other machines. RFC 7644 section 7.1 wants TLS, for whoever reads a bearer token has
    /// it.
    pub const fn plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// The client, over [`Reqwest`](crate::Reqwest). A server on this machine is asked without a proxy.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::build_over`], and when TLS cannot be set up.
    #[cfg(feature = "reqwest")]
    pub fn build(self) -> Result<Client, Error> {
        // What the environment says of proxies is meant for other machines: one of them would get the token.
        let here = Url::parse(&self.base).is_ok_and(|base| is_here(&base));
        let transport = if here { crate::Reqwest::without_proxy()? } else { crate::Reqwest::new()? };
        self.build_over(transport)
    }

    /// The client, over that transport.
    ///
    /// # Errors
    ///
    /// When the base is no `https` URI without query and fragment (`http` is taken for this machine, or after
    /// [`ClientBuilder::plain_http`]), or when a header is none.
    pub fn build_over(self, transport: impl Transport) -> Result<Client, Error> {
        let Self { base, headers, error, clock, retry, max_response, plain_http } = self;
        if let Some(error) = error {
            return Err(error);
        }
        let base = read_base(&base, plain_http)?;
        let clock = clock.or_else(|| transport.clock());
        let (transport, cursors) = (Arc::new(transport), OnceLock::new());
        Ok(Client { settings: Arc::new(Settings { base, headers, transport, clock, retry, max_response, cursors }) })
    }
}

fn read_base(text: &str, plain_http: bool) -> Result<Url, Error> {
    let refuse = |reason: &str| Err(Error::request(format!("the base URI {reason}")));
    let Ok(base) = Url::parse(text) else { return refuse("is no absolute URI") };
    match base.scheme() {
        "https" => {}
        "http" if plain_http || is_here(&base) => {}
        "http" => return refuse("is not https, and the server is another machine"),
        _ => return refuse("is neither https nor http"),
    }
    // Of what follows a query nothing would be left (requirement E-1).
    if base.query().is_some() || base.fragment().is_some() {
        return refuse("has a query or a fragment");
    }
    if !base.username().is_empty() || base.password().is_some() {
        return refuse("holds credentials, which belong into a header");
    }
    Ok(base)
}

fn is_here(base: &Url) -> bool {
    match base.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { base, transport, retry, .. } = self.settings();
        let mut debug = out.debug_struct("Client");
        debug.field("base", &base.as_str()).field("transport", transport).field("retry", retry).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not as it was given: credentials in it are refused, but only at the end.
        let origin = Url::parse(&self.base).ok().map(|base| base.origin().ascii_serialization());
        out.debug_struct("ClientBuilder").field("origin", &origin).field("retry", &self.retry).finish_non_exhaustive()
    }
}
