//! The storage seam of a SCIM server, and the store in memory.
