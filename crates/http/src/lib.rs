//! A SCIM service as a tower service, without a runtime.
