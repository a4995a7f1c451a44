//! From SCIM queries to SQL: what a database can decide of a query, as text and values, for SQLite and for PostgreSQL.
