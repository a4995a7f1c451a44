//! A SCIM store in an SQLite file.
