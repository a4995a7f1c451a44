//! RFC 7644 section 3 without HTTP: operations in, replies out.
