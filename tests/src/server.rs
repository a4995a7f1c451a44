//! The server under test and how it is asked.

#![allow(clippy::missing_panics_doc, reason = "checks that panic are what these methods are for")]

use std::borrow::Borrow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use pollster::block_on;
use scimwright_compat::Profile;
use scimwright_core::{Catalog, Instant};
use scimwright_http::Scim;
use scimwright_service::{Context, Features, Limits, Plain, Policy, Service};
use scimwright_sqlite::{SqliteOptions, SqliteStore};
use scimwright_store::{InMemory, Store};
use scimwright_testkit::postgres::Cluster;
use scimwright_testkit::suite::Kept;
use scimwright_testkit::vector_catalog;
use serde_json::Value;

use crate::answer::Answer;
use crate::description::Description;
use crate::doors::Doors;
use crate::patch_op;

/// What `meta.location` begins with.
pub const BASE: &str = "https://scim.example/scim/v2";
const ACME: &str = "Bearer acme";
const MOUNT: &str = "/scim/v2";
/// Where the description of a server is.
pub const OPENAPI: &str = "/openapi.json";

/// How a server is set up: strict, with users, groups and gadgets, unless a test says otherwise.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The types it serves.
    pub catalog: Catalog,
    /// The types it serves to `globex`, where they are others.
    pub globex: Option<Catalog>,
    /// What it tolerates.
    pub profile: Profile,
    /// What the application adds.
    pub policy: Arc<dyn Policy>,
    /// How much may be asked.
    pub limits: Limits,
    /// What it says of itself.
    pub features: Features,
    /// Whether discovery needs no token.
    pub open_discovery: bool,
    /// The longest body.
    pub max_body: usize,
    /// Another clock than the system's.
    pub clock: Option<fn() -> Instant>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            catalog: vector_catalog().unwrap_or_else(|error| panic!("the shipped schemas load: {error}")),
            globex: None,
            profile: Profile::strict(),
            policy: Arc::new(Plain),
            limits: Limits::default(),
            features: Features::default(),
            open_discovery: true,
            max_body: 4 << 20,
            clock: None,
        }
    }
}

/// Which store a server keeps its data in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// The store in memory.
    InMemory,
    /// The store in a file of a temporary folder.
    Sqlite,
    /// The store in a database of a throw-away server.
    Postgres,
}

impl StoreKind {
    /// Every kind that there is on this machine: a missing PostgreSQL is told by
    /// [`Cluster::shared`](scimwright_testkit::postgres::Cluster::shared).
    #[must_use]
    pub fn all() -> Vec<Self> {
        let postgres = Cluster::shared().map(|_| Self::Postgres);
        [Self::InMemory, Self::Sqlite].into_iter().chain(postgres).collect()
    }

    /// A fresh store. What it lives in goes with it.
    #[must_use]
    pub fn fresh(self) -> Arc<dyn Store> {
        self.fresh_in().0
    }

    /// A fresh store, and the folder of its files if it has any.
    fn fresh_in(self) -> (Arc<dyn Store>, Option<PathBuf>) {
        match self {
            Self::InMemory => (Arc::new(InMemory::default()), None),
            Self::Sqlite => {
                let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
                let store = SqliteStore::open(folder.path().join("scim.db"), SqliteOptions::default());
                let (store, path) =
                    (store.unwrap_or_else(|error| panic!("no store: {error}")), folder.path().to_owned());
                (Arc::new(Kept::new(store, folder)), Some(path))
            }
            Self::Postgres => (Arc::new(crate::postgres::fresh_store()), None),
        }
    }
}

/// A server that is called in process.
#[derive(Debug)]
pub struct Server {
    scim: Scim,
    /// What it says of itself in OpenAPI to each caller.
    descriptions: Mutex<HashMap<HeaderValue, Arc<Description>>>,
    store: Arc<dyn Store>,
    folder: Option<PathBuf>,
}

/// Runs a check on a server of the usual setup, over each of the stores.
#[track_caller]
pub fn on_every_store(check: impl Fn(&Server)) {
    Setup::default().on_every_store(check);
}

impl Setup {
    /// The same setup with another profile.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The same setup with another policy.
    #[must_use]
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// The same setup, its limits changed.
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Runs a check on a fresh server over each of the stores; all are run, and the names of those that fail are told.
    pub fn on_every_store(&self, check: impl Fn(&Server)) {
        let mut first = None;
        for kind in StoreKind::all() {
            let server = self.start(kind);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&server))) {
                eprintln!("the check above failed on {kind:?}");
                first.get_or_insert(panic);
            }
        }
        if let Some(panic) = first {
            resume_unwind(panic);
        }
    }

    /// A fresh server.
    #[must_use]
    pub fn start(&self, kind: StoreKind) -> Server {
        let (store, folder) = kind.fresh_in();
        Server { folder, ..self.start_shared(store) }
    }

    /// A fresh server over a store of the test's own.
    #[must_use]
    pub fn start_over(&self, store: impl Store) -> Server {
        self.start_shared(Arc::new(store))
    }

    fn start_shared(&self, store: Arc<dyn Store>) -> Server {
        let service = Service::over(self.catalog.clone(), store.clone());
        let service = service.limits(self.limits.clone()).features(self.features.clone());
        let service = self.clock.into_iter().fold(service, Service::clock);
        let context = |tenant: &str| {
            let tenant = tenant.parse().unwrap_or_else(|error| panic!("{tenant}: {error}"));
            Context::new(tenant, "tests", BASE).profile(self.profile.clone()).policy(self.policy.clone())
        };
        let globex = self.globex.clone().into_iter().fold(context("globex"), Context::catalog);
        let doors = Doors { acme: context("acme"), globex, open_discovery: self.open_discovery };
        let scim = Scim::new(service, doors).mount(MOUNT).max_body(self.max_body).openapi(OPENAPI);
        Server { scim, descriptions: Mutex::default(), store, folder: None }
    }
}

impl Server {
    /// The store itself.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The HTTP service itself.
    #[must_use]
    pub fn scim(&self) -> &Scim {
        &self.scim
    }

    /// What it says of itself in OpenAPI to the caller `acme`. Every answer is held against what was said to whoever asked.
    #[must_use]
    pub fn description(&self) -> Arc<Description> {
        self.description_for(&HeaderValue::from_static(ACME))
    }

    /// What it says of itself to whom these credentials let in; whoever is not let in is told what anybody is.
    fn description_for(&self, credentials: &HeaderValue) -> Arc<Description> {
        let mut known = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(credentials.clone()).or_insert_with(|| self.describe(credentials)).clone()
    }

    fn describe(&self, credentials: &HeaderValue) -> Arc<Description> {
        let request = Request::get(format!("{MOUNT}{OPENAPI}")).header(AUTHORIZATION, credentials);
        let request = request.body(Full::<Bytes>::default()).unwrap_or_else(|error| panic!("{error}"));
        let (parts, body) = block_on(self.scim.handle(request)).into_parts();
        if parts.status != 200 {
            return self.describe(&HeaderValue::from_static(ACME));
        }
        let body = block_on(body.collect()).unwrap_or_else(|never| match never {}).to_bytes();
        Description::of(serde_json::from_slice(&body).unwrap_or_else(|error| panic!("no description: {error}")))
    }

    /// Every byte of every file that the store keeps; nothing when it keeps none.
    #[must_use]
    pub fn files(&self) -> Vec<u8> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("no folder: {error}"));
        let read = |entry: std::fs::DirEntry| std::fs::read(entry.path()).unwrap_or_default();
        entries.filter_map(Result::ok).flat_map(read).collect()
    }

    /// A request as the caller `acme`.
    pub fn ask(&self, method: &str, path: impl Borrow<str>) -> Ask<'_> {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_else(|error| panic!("{method}: {error}"));
        let (mut parts, ()) = Request::new(()).into_parts();
        let target = format!("{MOUNT}{}", path.borrow());
        parts.uri = target.parse().unwrap_or_else(|error| panic!("{}: {error}", short(&target)));
        parts.method = method;
        parts.headers.insert(AUTHORIZATION, HeaderValue::from_static(ACME));
        Ask { server: self, request: Request::from_parts(parts, Bytes::new()) }
    }

    /// GET.
    pub fn get(&self, path: impl Borrow<str>) -> Ask<'_> {
        self.ask("GET", path)
    }

    /// GET with parameters, which are escaped.
    pub fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Ask<'_> {
        self.get(target(path, parameters))
    }

    /// GET with a filter.
    pub fn filter(&self, path: &str, filter: &str) -> Ask<'_> {
        self.query(path, &[("filter", filter)])
    }

    /// POST.
    pub fn post(&self, path: impl Borrow<str>, body: Value) -> Ask<'_> {
        self.ask("POST", path).json(&body)
    }

    /// PUT.
    pub fn put(&self, path: impl Borrow<str>, body: Value) -> Ask<'_> {
        self.ask("PUT", path).json(&body)
    }

    /// PATCH with these operations.
    pub fn patch(&self, path: impl Borrow<str>, operations: Value) -> Ask<'_> {
        self.ask("PATCH", path).json(&patch_op(&operations))
    }

    /// DELETE.
    pub fn delete(&self, path: impl Borrow<str>) -> Ask<'_> {
        self.ask("DELETE", path)
    }

    /// POST that must make something.
    #[track_caller]
    pub fn create(&self, path: impl Borrow<str>, body: Value) -> Answer {
        self.post(path, body).is(201)
    }

    /// The `userName` of the users that a filter finds, sorted.
    #[track_caller]
    pub fn found(&self, filter: &str) -> Vec<String> {
        self.filter("/Users", filter).is(200).names("userName").into_iter().map(str::to_owned).collect()
    }
}

/// A path with parameters, which are escaped.
#[must_use]
pub(crate) fn target(path: &str, parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A request that was not sent yet.
#[derive(Clone, Debug)]
#[must_use]
pub struct Ask<'s> {
    server: &'s Server,
    request: Request<Bytes>,
}

impl Ask<'_> {
    /// With a header in the place of any of that name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.request.headers_mut().insert(header(name), field(value.as_bytes()));
        self
    }

    /// With one line more of a header, of whatever bytes.
    pub fn also(mut self, name: &str, value: &[u8]) -> Self {
        self.request.headers_mut().append(header(name), field(value));
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    /// As another caller.
    pub fn by(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// With a body that is JSON.
    pub fn json(self, body: &Value) -> Self {
        self.raw(body.to_string())
    }

    /// With a body that is said to be JSON.
    pub fn raw(mut self, body: impl Into<Bytes>) -> Self {
        self.request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/scim+json"));
        *self.request.body_mut() = body.into();
        self
    }

    /// What is asked, for messages.
    fn name(&self) -> String {
        format!("{} {}", self.request.method(), short(&self.request.uri().to_string()))
    }

    /// The answer, whatever its status.
    #[track_caller]
    #[must_use]
    pub fn send(self) -> Answer {
        self.clone().read(block_on(self.respond()))
    }

    /// The answer, for whoever does something else until it comes.
    pub async fn answer(self) -> Answer {
        self.clone().read(self.respond().await)
    }

    /// The answer, which must be one that is described to whoever asks.
    #[track_caller]
    fn read(&self, response: http::Response<Bytes>) -> Answer {
        let answer = Answer::read(self.request.method(), response);
        let target = self.request.uri().to_string();
        let nobody = HeaderValue::from_static("");
        let description = self.server.description_for(self.request.headers().get(AUTHORIZATION).unwrap_or(&nobody));
        let path = target.strip_prefix(MOUNT).unwrap_or_default();
        if let Err(wrong) = description.judge(self.request.method(), path, &answer) {
            panic!("{}: {} is not as described: {wrong}: {}", self.name(), answer.status, answer.text);
        }
        answer
    }

    async fn respond(self) -> http::Response<Bytes> {
        let (parts, body) = self.server.scim.handle(self.request.map(Full::new)).await.into_parts();
        let body = body.collect().await.unwrap_or_else(|never| match never {}).to_bytes();
        http::Response::from_parts(parts, body)
    }

    /// The answer, which must have that status.
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        let asked = self.name();
        let answer = self.send();
        assert_eq!(answer.status, status, "{asked}: {}", answer.text);
        answer
    }

    /// The answer, which must be an error of that status and `scimType`; an empty one means none.
    #[track_caller]
    pub fn fails(self, status: u16, scim_type: &str) -> Answer {
        let asked = self.name();
        let answer = self.send();
        let came = (answer.status, answer["scimType"].as_str().unwrap_or_default());
        assert_eq!(came, (status, scim_type), "{asked}: {}", answer.text);
        answer
    }
}

/// The beginning of a text.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

fn header(name: &str) -> HeaderName {
    name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn field(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).unwrap_or_else(|error| panic!("{value:?}: {error}"))
}
