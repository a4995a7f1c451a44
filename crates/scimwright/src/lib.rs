//! SCIM 2.0 for Rust: parts for a provider, and a provider made of them.
