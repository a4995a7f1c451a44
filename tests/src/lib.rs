//! Whole-system tests: what they share. A [`Server`] is the service behind its HTTP door, called in process.
//!
//! ```
//! use scimwright_tests::{on_every_store, user};
//!
//! on_every_store(|server| {
//!     let ada = server.create("/Users", user("ada"));
//!     server.get(ada.path()).with("if-none-match", ada.etag()).is(304);
//!     server.get("/Users/nobody").fails(404, "");
//! });
//! ```

mod answer;
mod description;
mod doors;
mod postgres;
mod programs;
mod server;

use serde_json::{Value, json};

pub use answer::{Answer, PASSWORD};
pub use description::Description;
pub use programs::{built, cargo};
pub use server::{Ask, BASE, OPENAPI, Server, Setup, StoreKind, on_every_store};

use scimwright_core::urns;

/// The base schema of `Gadget`, which has every data type and characteristic.
pub const GADGET: &str = "urn:example:params:scim:schemas:lab:2.0:Gadget";
/// The extension of `Gadget`.
pub const BENCH: &str = "urn:example:params:scim:schemas:extension:bench:2.0:Gadget";

/// A user of that name.
#[must_use]
pub fn user(name: &str) -> Value {
    json!({"schemas": [urns::USER], "userName": name})
}

/// A group of that name, with the members of these ids.
#[must_use]
pub fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [urns::GROUP], "displayName": name, "members": members})
}

/// A gadget of that name.
#[must_use]
pub fn gadget(name: &str) -> Value {
    json!({"schemas": [GADGET], "name": name})
}

/// The same object with more members, which win.
#[must_use]
pub fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

/// The same object without one member.
#[must_use]
pub fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().and_then(|object| object.remove(name));
    object
}

/// A message of PATCH with these operations.
#[must_use]
pub fn patch_op(operations: &Value) -> Value {
    json!({"schemas": [urns::PATCH_OP], "Operations": operations})
}

/// The lines of the README that are Rust, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
