//! A SCIM 2.0 client: create, read, change and delete resources, list them to the last page, and send the smallest
//! PATCH.
//!
//! ```
//! use scimwright_client::{Client, diff};
//! # use scimwright_client::{Transport, TransportError};
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # #[derive(Debug)]
//! # struct Server;
//! # #[async_trait::async_trait]
//! # impl Transport for Server {
//! #     async fn send(&self, request: Request<Bytes>, _: usize) -> Result<Response<Bytes>, TransportError> {
//! #         let ada = serde_json::json!({
//! #             "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "42", "userName": "ada",
//! #             "meta": {"version": "W/\"7\""}, "title": if request.method() == "PATCH" { "Countess" } else { "Ms" },
//! #         });
//! #         let body = match request.uri().path() {
//! #             "/scim/v2/Users" => serde_json::json!({"totalResults": 1, "Resources": [ada]}),
//! #             "/scim/v2/Users/42" => ada,
//! #             _ => serde_json::json!({}),
//! #         };
//! #         Ok(Response::new(body.to_string().into()))
//! #     }
//! # }
//! # pollster::block_on(async {
//! # let catalog = scimwright_core::Catalog::standard();
//! # let client = Client::builder("https://example.com/scim/v2").bearer("…").build_over(Server)?;
//! // let client = Client::new("https://example.com/scim/v2", token)?;
//! // let catalog = client.catalog().await?;
//! let user_type = catalog.resource_type("User").ok_or("no users")?;
//! let users = client.resources_of(user_type);
//! let mut all = users.list().filter(r#"userName sw "a""#).all();
//! while let Some(user) = all.next().await {
//!     let before = user?.admit(user_type)?;
//!     let mut after = before.resource.clone();
//!     after.put("title", "Countess".into());
//!     if let Some(patch) = diff(user_type, &before.resource, &after)? {
//!         let version = before.version.ok_or("no version")?;
//!         let patched = users.patch(before.resource.id(), &patch).if_match(&version).await?;
//!         assert_eq!(patched.resource.ok_or("no body")?["title"], "Countess");
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # Scope
//!
//! RFC 7644 from the other side: resources by their endpoints, typed by the views of `scimwright-core` or any other
//! type, or as JSON; [`Query`] with pages by index or by the cursors of RFC 9865, as a stream; [`Bulk`] with
//! references; discovery, up to a [`Catalog`](scimwright_core::Catalog) made of it; `/Me`; versions and conditions.
//! Errors are told as the server told them. What failed for the moment is sent again where that is safe ([`Retry`]).
//! Answers are bounded in size.
//!
//! How requests travel is a [`Transport`]'s affair: [`Reqwest`] is one that is ready, behind the feature `reqwest`,
//! which is on unless switched off, and wants tokio. Without it the crate needs no runtime.
//!
//! Nothing here keeps anything, synchronises directories, or gets tokens: it sends the one it is given, and to one
//! origin only.

mod answer;
mod bulk;
mod client;
mod clock;
mod discovery;
mod error;
mod pages;
mod query;
mod request;
mod resources;
mod retry;
mod send;
mod transport;

pub use answer::{ETag, FromAnswer, Patched, Versioned};
pub use bulk::{Bulk, BulkId, BulkOperation, BulkOutcome, BulkResponse};
pub use client::{Client, ClientBuilder};
pub use clock::Clock;
#[cfg(feature = "reqwest")]
pub use clock::TokioClock;
pub use discovery::{AuthenticationScheme, BulkSupport, FilterSupport, Pagination, ServiceProviderConfig, Supported};
pub use error::{Error, Location, Refusal};
pub use pages::{All, Pages};
pub use query::{Page, Paging, Query, SortOrder};
pub use request::Request;
pub use resources::{Me, Resources};
pub use retry::Retry;
pub use scimwright_filter::Filter;
pub use scimwright_patch::{PatchRequest, diff};
#[cfg(feature = "reqwest")]
pub use transport::Reqwest;
pub use transport::{Transport, TransportError, TransportErrorKind};
