//! Paths to endpoints: RFC 7644 section 3.2.

use std::sync::Arc;

use http::Method;
use percent_encoding::percent_decode_str;
use scimwright_core::{Catalog, ResourceType, ScimError};
use scimwright_store::Key;

/// What a path below the mount point means.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// `/Users`
    Type(Arc<ResourceType>),
    /// `/Users/42`
    Resource(Arc<ResourceType>, String),
    /// `/`, every type at once.
    Root,
    /// `/Users/.search`, and `/.search` for every type at once.
    Search(Option<Arc<ResourceType>>),
    /// `/Me`: whoever asks. To be resolved once he is known.
    Me,
    /// `/Bulk`
    Bulk,
    /// `/ServiceProviderConfig`
    ServiceProviderConfig,
    /// `/Schemas`
    Schemas,
    /// `/Schemas/urn:…`
    Schema(String),
    /// `/ResourceTypes`
    ResourceTypes,
    /// `/ResourceTypes/User`
    ResourceType(String),
    /// The description of everything, where it is served.
    OpenApi,
}

impl Route {
    /// The endpoint of a path. A slash at the end is harmless.
    pub(crate) fn find(catalog: &Catalog, path: &str) -> Result<Self, ScimError> {
        let nothing = || ScimError::not_found("an endpoint of this path");
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(Self::Root);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = path.split('/').map(|segment| percent_decode_str(segment).decode_utf8());
        let segments = segments.collect::<Result<Vec<_>, _>>().map_err(|_| nothing())?;
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let of_type = |name: &str| catalog.by_endpoint(&format!("/{name}")).cloned();
        match segments.as_slice() {
            ["ServiceProviderConfig"] => Ok(Self::ServiceProviderConfig),
            ["Schemas"] => Ok(Self::Schemas),
            ["Schemas", urn] => Ok(Self::Schema((*urn).to_owned())),
            ["ResourceTypes"] => Ok(Self::ResourceTypes),
            ["ResourceTypes", name] => Ok(Self::ResourceType((*name).to_owned())),
            ["Me"] => Ok(Self::Me),
            ["Bulk"] => Ok(Self::Bulk),
            [".search"] => Ok(Self::Search(None)),
            [name, ".search"] => of_type(name).map(|found| Self::Search(Some(found))).ok_or_else(nothing),
            [name] => of_type(name).map(Self::Type).ok_or_else(nothing),
            [name, id] if !id.is_empty() => {
                of_type(name).map(|found| Self::Resource(found, (*id).to_owned())).ok_or_else(nothing)
            }
            _ => Err(nothing()),
        }
    }

    /// Whether anybody may read it where discovery is public (ruling R-43).
    pub(crate) const fn is_discovery(&self) -> bool {
        matches!(
            self,
            Self::ServiceProviderConfig
                | Self::Schemas
                | Self::Schema(_)
                | Self::ResourceTypes
                | Self::ResourceType(_)
                | Self::OpenApi
        )
    }

    /// What `Allow` says.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Type(_) => "GET, HEAD, POST",
            Self::Search(_) | Self::Bulk => "POST",
            Self::Resource(..) => "GET, HEAD, PUT, PATCH, DELETE",
            _ => "GET, HEAD",
        }
    }

    /// What the provisioning log calls a write to this endpoint, and whom it is about.
    pub(crate) fn writes(&self, method: &Method) -> Option<(&'static str, Option<Key>)> {
        let key = |of: &ResourceType, id: &str| Some(Key::new(of.name.clone(), id));
        match (self, method) {
            (Self::Type(_), &Method::POST) => Some(("create", None)),
            (Self::Resource(of, id), &Method::PUT) => Some(("replace", key(of, id))),
            (Self::Resource(of, id), &Method::PATCH) => Some(("patch", key(of, id))),
            (Self::Resource(of, id), &Method::DELETE) => Some(("delete", key(of, id))),
            _ => None,
        }
    }

    /// Whether the endpoint knows the method.
    pub(crate) fn allows(&self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> String {
        match Route::find(&Catalog::standard(), path) {
            Ok(Route::Type(of)) => format!("type {}", of.name),
            Ok(Route::Search(of)) => format!("search of {}", of.map_or("everything".to_owned(), |of| of.name.clone())),
            Ok(Route::Resource(of, id)) => format!("{} `{id}`", of.name),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.status().to_string(),
        }
    }

    #[test]
    fn paths_lead_where_the_rfc_says() {
        assert_eq!(found("/Users"), "type User");
        assert_eq!(found("/Users/"), "type User");
        assert_eq!(found("/Groups/a%2Fb"), "Group `a/b`");
        assert_eq!(found("/Schemas/urn:x:y"), r#"Schema("urn:x:y")"#);
        assert_eq!(found("/Me"), "Me");
        assert_eq!(found("/"), "Root");
        assert_eq!(found(""), "Root");
        assert_eq!(found("/Users/.search"), "search of User");
        assert_eq!(found("/.search"), "search of everything");
        for nowhere in [
            "//",
            "/Me/1",
            "/users",
            "/Users//",
            "/Users/1/2",
            "//Users",
            "/Users/%ff",
            "/Nothing",
            "/ServiceProviderConfigs",
        ] {
            assert_eq!(found(nowhere), "404", "{nowhere}");
        }
    }
}
