//! A SCIM store in PostgreSQL: [`scimwright_store::Store`] for many servers over one database.
