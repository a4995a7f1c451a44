//! SCIM 2.0 filters: parse, print, bind, match.
