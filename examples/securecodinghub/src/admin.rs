//! The admin interface: what an organisation says of itself over HTTP, with a token of its own kind. Errors are SCIM's.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use scimwright_core::{ScimError, urns};
use scimwright_http::{read_json, response};
use scimwright_service::{Context, Reply, Service};
use scimwright_store::Key;
use serde_json::{Map, Value, json};

use crate::commands::exact;
use crate::directory::{Authenticated, ExtensionRecord};
use crate::extensions::{Extensions, LARGEST, Registered, key_of};
use crate::gate::Gate;
use crate::policy::TokenScope;

/// Where the interface lives below the public URL.
pub const ADMIN_PATH: &str = "/api/sch/admin/v1";

/// What the interface needs.
#[derive(Clone, Debug)]
pub struct Admin {
    gate: Arc<Gate>,
    extensions: Arc<Extensions>,
    service: Service,
    base: Arc<str>,
}

/// Who asks, and what holds for him.
#[derive(Clone, Debug)]
struct Caller {
    who: Arc<Authenticated>,
    context: Context,
}

impl Admin {
    /// The interface below that public URL.
    pub fn new(gate: Arc<Gate>, extensions: Arc<Extensions>, service: Service, public_url: &str) -> Self {
        Self { gate, extensions, service, base: format!("{public_url}{ADMIN_PATH}").into() }
    }

    /// Its routes, to be nested at [`ADMIN_PATH`]. Who may come in is asked before where a path leads.
    pub fn routes(self) -> Router {
        let admin = self.clone();
        let extensions =
            get(list).post(register).fallback(|| async { response::method_not_allowed("GET, HEAD, POST") });
        let extension =
            get(read).delete(remove).fallback(|| async { response::method_not_allowed("GET, HEAD, DELETE") });
        Router::new()
            .route("/extensions", extensions)
            .route("/extensions/{urn}", extension)
            .fallback(|| async { response::of_error(&ScimError::not_found("an endpoint of this path")) })
            .with_state(self)
            .layer(middleware::from_fn_with_state(admin, let_in))
    }

    /// The extension as it is shown.
    fn shown(&self, record: &ExtensionRecord) -> Map<String, Value> {
        let mut schema = record.schema.as_object().cloned().unwrap_or_default();
        let urn = schema.get("id").and_then(Value::as_str).unwrap_or_default();
        let meta = json!({
            "resourceType": "Schema",
            "created": exact(record.created),
            "lastModified": exact(record.changed),
            "location": self.location(urn),
        });
        schema.insert("meta".to_owned(), meta);
        schema
    }

    /// None of the signs that a URI of an extension may have needs escaping.
    fn location(&self, urn: &str) -> String {
        format!("{}/extensions/{urn}", self.base)
    }

    fn reply(&self, status: u16, record: &ExtensionRecord) -> Response {
        let body = self.shown(record);
        let mut reply = Reply::default();
        reply.status = status;
        reply.location = body.get("id").and_then(Value::as_str).map(|urn| self.location(urn));
        reply.body = Some(body);
        response::of_reply(reply).into_response()
    }

    /// The answer to what could not be done; refusals of changes are evidence, and enter the log.
    async fn refuse(&self, caller: &Caller, change: Option<(&str, Option<Key>)>, error: &ScimError) -> Response {
        if let Some((operation, extension)) = change {
            self.service.log_refusal(&caller.context, operation, extension, error).await;
        }
        response::of_error(error).into_response()
    }
}

/// The URI in a path; what is no text names nothing.
type Urn = Result<Path<String>, PathRejection>;

fn name(urn: Urn) -> String {
    urn.map(|Path(urn)| urn).unwrap_or_default()
}

async fn let_in(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let who = match admin.gate.caller(&parts, TokenScope::Admin).await {
        Ok(who) => who,
        Err(denied) => return response::of_denied(denied).into_response(),
    };
    let context = match admin.gate.admin_context(&who) {
        Ok(context) => context,
        Err(error) => return response::of_error(&error).into_response(),
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(Caller { who: Arc::new(who), context });
    next.run(request).await
}

async fn list(State(admin): State<Admin>, caller: axum::Extension<Caller>) -> Response {
    match admin.extensions.list(&caller.who.organisation).await {
        Ok(records) => {
            let mut reply = Reply::default();
            reply.status = 200;
            let found: Vec<_> = records.iter().map(|record| admin.shown(record)).collect();
            reply.body = json!({
                "schemas": [urns::LIST_RESPONSE], "totalResults": found.len(), "itemsPerPage": found.len(), "startIndex": 1,
                "Resources": found,
            })
            .as_object()
            .cloned();
            response::of_reply(reply).into_response()
        }
        Err(error) => admin.refuse(&caller, None, &error.to_scim()).await,
    }
}

async fn read(State(admin): State<Admin>, caller: axum::Extension<Caller>, urn: Urn) -> Response {
    let urn = name(urn);
    match admin.extensions.get(&caller.who.organisation, &urn).await {
        Ok(record) => admin.reply(200, &record),
        Err(error) => admin.refuse(&caller, None, &error.to_scim()).await,
    }
}

async fn register(State(admin): State<Admin>, caller: axum::Extension<Caller>, request: Request) -> Response {
    let operation = "extension-add";
    let (parts, body) = request.into_parts();
    let json = match read_json(&parts, body, LARGEST).await {
        Ok(json) => json,
        Err(error) => return admin.refuse(&caller, Some((operation, None)), &error).await,
    };
    let extension = json.get("id").and_then(Value::as_str).and_then(key_of);
    to_the_end(async move {
        match admin.extensions.register(&caller.who.organisation, &caller.who.token_id, json).await {
            Ok((Registered::New, record)) => admin.reply(201, &record),
            Ok((_, record)) => admin.reply(200, &record),
            Err(error) => admin.refuse(&caller, Some((operation, extension)), &error.to_scim()).await,
        }
    })
    .await
}

async fn remove(State(admin): State<Admin>, caller: axum::Extension<Caller>, urn: Urn) -> Response {
    let urn = name(urn);
    to_the_end(async move {
        match admin.extensions.remove(&caller.context, &caller.who.organisation, &urn).await {
            Ok(()) => {
                let mut reply = Reply::default();
                reply.status = 204;
                response::of_reply(reply).into_response()
            }
            Err(error) => {
                let change = Some(("extension-remove", key_of(&urn)));
                admin.refuse(&caller, change, &error.to_scim()).await
            }
        }
    })
    .await
}

/// Does the whole of a change, also when the client hangs up meanwhile and nobody waits for the answer any more: what has been
/// changed must be looked at once more, and must enter the log.
async fn to_the_end(change: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(change).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a change of extensions was broken off");
        response::of_error(&ScimError::new(500, "the change was broken off: see what is registered")).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_goes_on_when_nobody_waits_for_it() {
        let (go_on, told) = tokio::sync::oneshot::channel();
        let (done, ended) = tokio::sync::oneshot::channel();
        let change = to_the_end(async move {
            let _ = told.await;
            let _ = done.send(());
            Response::default()
        });
        // It has begun, and its client is gone.
        let mut change = Box::pin(change);
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(change.as_mut().poll(context).is_pending())).await
        );
        drop(change);
        go_on.send(()).unwrap();
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn a_change_that_panics_is_500() {
        let answer = to_the_end(async { panic!("as a defect would") }).await;
        assert_eq!(answer.status(), 500);
    }
}
