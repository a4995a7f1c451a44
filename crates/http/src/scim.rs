//! The tower service.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::Full;
use scimwright_core::{Catalog, ScimError, ScimType};
use scimwright_service::{Context, Service};
use scimwright_store::Key;
use serde_json::Value;

use crate::body::read;
use crate::request::operation;
use crate::response::{ScimResponse, located, method_not_allowed, of_denied, of_description, of_error, of_reply};
use crate::route::Route;
use crate::{Authenticate, Denied, OpenApi};

/// A SCIM service provider as a tower service. A clone is a handle to the same one.
#[derive(Clone, Debug)]
pub struct Scim {
    service: Arc<Service>,
    authenticate: Arc<dyn Authenticate>,
    mount: Arc<str>,
    max_body: usize,
    openapi: Option<Arc<str>>,
}

impl Scim {
    /// Serves the service to those whom `authenticate` lets in.
    #[must_use]
    pub fn new(service: Service, authenticate: impl Authenticate) -> Self {
        Self {
            service: Arc::new(service),
            authenticate: Arc::new(authenticate),
            mount: "".into(),
            max_body: 4 << 20,
            openapi: None,
        }
    }

    /// Below this path, such as `/scim/v2`. Leave it out where a router strips the path before.
    #[must_use]
    pub fn mount(mut self, path: &str) -> Self {
        self.mount = path.trim_end_matches('/').into();
        self
    }

    /// Takes bodies of at most so many bytes (4 MiB unless said otherwise); larger ones are answered 413.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Serves a description of everything, an [`OpenApi`] document, at this path below the mount point, such as `/openapi.json`; to
    /// whom discovery is served too, and of the types that there are for him. Nowhere unless said so.
    #[must_use]
    pub fn openapi(mut self, path: &str) -> Self {
        self.openapi = Some(format!("/{}", path.trim_start_matches('/')).into());
        self
    }

    /// Answers one request. Never fails: what goes wrong is an answer too.
    pub async fn handle<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let head = parts.method == Method::HEAD;
        let response = self.answer(parts, body).await.unwrap_or_else(|response| *response);
        if head { response.map(|_| Full::default()) } else { response }
    }

    async fn answer<B>(&self, parts: Parts, body: B) -> Result<ScimResponse, Box<ScimResponse>>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let route = self.route(self.service.catalog(), &parts);
        let context = self.caller(&parts, route.as_ref().ok()).await.map_err(|denied| Box::new(of_denied(denied)))?;
        let (route, me) = self.lead(&parts, &context).map_err(refuse)?;
        let answered = self.perform(route, parts, body, context).await;
        // In any answer from `/Me` (RFC 7644 section 3.11), whatever came of it.
        match (answered, me) {
            (answered, None) => answered,
            (Ok(response), Some(location)) => Ok(located(response, location)),
            (Err(response), Some(location)) => Err(Box::new(located(*response, location))),
        }
    }

    /// Where the path leads for a caller, who may have endpoints and types of his own; with the URI of his own resource, when it was
    /// asked for as `/Me`.
    fn lead(&self, parts: &Parts, context: &Context) -> Result<(Route, Option<String>), ScimError> {
        let catalog = context.catalog.as_deref().unwrap_or_else(|| self.service.catalog());
        match self.route(catalog, parts)? {
            Route::Me => self.own(context).map(|(route, location)| (route, Some(location))),
            route => Ok((route, None)),
        }
    }

    /// Does what is asked at an endpoint.
    async fn perform<B>(
        &self,
        route: Route,
        parts: Parts,
        body: B,
        mut context: Context,
    ) -> Result<ScimResponse, Box<ScimResponse>>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !route.allows(&parts.method) {
            return Err(Box::new(method_not_allowed(route.allow())));
        }
        if matches!(route, Route::OpenApi) {
            return Ok(of_description(&self.description(&parts, &context)));
        }
        let in_body = matches!(route, Route::Search(_));
        let writes = route.writes(&parts.method);
        let limit = match route {
            Route::Bulk => self.service.current_limits().max_bulk_payload.min(self.max_body),
            _ => self.max_body,
        };
        let read = read(&parts, body, limit).await;
        let mut route = route;
        if read.as_ref().is_ok_and(|body| !body.is_empty()) {
            // A body may take its time, and what holds for the caller is what holds now.
            context = self.authenticate.still(&parts, context).await.map_err(|denied| Box::new(of_denied(denied)))?;
            route = self.lead(&parts, &context).map_err(refuse)?.0;
        }
        let operation = match read.and_then(|body| operation(route, &parts, &body, &mut context)) {
            Ok(operation) => operation,
            Err(error) => {
                // A write that gets no further is a refused write all the same.
                if let Some((name, target)) = writes {
                    self.service.log_refusal(&context, name, target, &error).await;
                }
                return Err(refuse(error));
            }
        };
        match self.service.handle(&context, operation).await {
            Ok(reply) => Ok(of_reply(reply)),
            // `sensitive` speaks of what stands in URIs (RFC 7644 section 7.5.2, ruling R-14); this filter came in a body.
            Err(error) if in_body && error.scim_type() == Some(ScimType::Sensitive) => {
                Err(refuse(ScimError::bad(ScimType::InvalidFilter, error.detail())))
            }
            Err(error) => Err(refuse(error)),
        }
    }

    /// Where `/Me` leads: to the resource that the application maps the caller to (RFC 7644 section 3.11).
    fn own(&self, context: &Context) -> Result<(Route, String), ScimError> {
        let unmapped = || ScimError::new(501, "/Me is not supported here: this caller stands for no resource");
        let Key { resource_type, id } = context.subject.as_ref().ok_or_else(unmapped)?;
        let catalog = context.catalog.as_deref().unwrap_or_else(|| self.service.catalog());
        let of = catalog.resource_type(resource_type).ok_or_else(unmapped)?;
        Ok((Route::Resource(of.clone(), id.clone()), of.location(&context.base, id)))
    }

    fn route(&self, catalog: &Catalog, parts: &Parts) -> Result<Route, ScimError> {
        let outside = || ScimError::not_found("an endpoint of this path");
        let path = parts.uri.path().strip_prefix(&*self.mount).ok_or_else(outside)?;
        if !path.is_empty() && !path.starts_with('/') {
            return Err(outside());
        }
        if self.openapi.as_deref() == Some(path) {
            return Ok(Route::OpenApi);
        }
        Route::find(catalog, path)
    }

    /// What the caller may do here. Made for each request, for it is asked for seldom.
    fn description(&self, parts: &Parts, context: &Context) -> Value {
        let open = self.authenticate.anonymous(parts).is_some();
        let mut description = OpenApi::new(&self.service, &context.base).open_discovery(open);
        if let Some(own) = &context.catalog {
            description = description.catalog(own);
        }
        if let Some(subject) = &context.subject {
            description = description.me(&subject.resource_type);
        }
        if let Some(path) = &self.openapi {
            description = description.served_at(path);
        }
        description.to_json()
    }

    /// Credentials come first. Where discovery is public they are not needed, and good ones show what there is for the caller.
    async fn caller(&self, parts: &Parts, route: Option<&Route>) -> Result<Context, Denied> {
        let open = route.is_some_and(Route::is_discovery);
        let anonymous = self.authenticate.anonymous(parts).filter(|_| open);
        match (self.authenticate.authenticate(parts).await, anonymous) {
            (Err(Denied::Unauthorized { .. }), Some(anonymous)) => Ok(anonymous),
            (known, _) => known,
        }
    }
}

impl<B> tower_service::Service<Request<B>> for Scim
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _task: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let own = self.clone();
        Box::pin(async move { Ok(own.handle(request).await) })
    }
}

fn refuse(error: ScimError) -> Box<ScimResponse> {
    Box::new(of_error(&error))
}
