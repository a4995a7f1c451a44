//! What identity providers really send, set right at the door of a SCIM server.
