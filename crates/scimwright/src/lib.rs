#![doc = include_str!("../README.md")]

#[cfg(feature = "client")]
pub use scimwright_client as client;
pub use scimwright_compat as compat;
pub use scimwright_core as core;
pub use scimwright_filter as filter;
#[cfg(feature = "http")]
pub use scimwright_http as http;
pub use scimwright_patch as patch;
#[cfg(feature = "service")]
pub use scimwright_service as service;
#[cfg(feature = "sqlite")]
pub use scimwright_sqlite as sqlite;
#[cfg(feature = "service")]
pub use scimwright_store as store;
