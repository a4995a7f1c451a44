//! A SCIM service over HTTP: a [tower service](tower_service::Service) that needs no runtime of its own and mounts in axum, hyper
//! or anything else that speaks `http`.
//!
//! ```
//! use http::Request;
//! use http_body_util::Full;
//! use scimwright_core::Catalog;
//! use scimwright_http::{Scim, StaticToken};
//! use scimwright_service::{Context, Service};
//! use scimwright_store::InMemory;
//!
//! let service = Service::new(Catalog::standard(), InMemory::default());
//! let context = Context::new("acme".parse()?, "docs", "https://example.com/scim/v2");
//! let scim = Scim::new(service, StaticToken::new("secret", context)).mount("/scim/v2");
//!
//! let request = Request::get("/scim/v2/Users?filter=userName+eq+%22ada%22").header("authorization", "Bearer secret");
//! let response = pollster::block_on(scim.handle(request.body(Full::<bytes::Bytes>::default())?));
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.headers()["content-type"], "application/scim+json");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! Routes, media types, limits, preconditions, status codes and headers of RFC 7644; errors in SCIM's body always. Who a caller is
//! the application says through [`Authenticate`]. Nothing here knows a database, and nothing here sends requests.

mod auth;
mod body;
mod openapi;
mod request;
pub mod response;
mod route;
mod scim;

pub use auth::{Authenticate, Denied, StaticToken, bearer};
pub use body::read_json;
pub use openapi::OpenApi;
pub use response::MEDIA_TYPE;
pub use scim::Scim;
