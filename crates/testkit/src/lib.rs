//! Vectors, recorded scenarios and laws for SCIM crates and servers.

pub mod scenario;
