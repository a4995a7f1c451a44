//! SCIM 2.0 PATCH: operations and what they do to a resource.
