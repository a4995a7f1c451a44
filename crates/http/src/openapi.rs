//! The service described for machines that do not know SCIM: an OpenAPI 3.1 document, generated from the catalog.

mod attribute;
mod messages;
mod operation;
mod parameters;
mod patch;
mod paths;
mod responses;
mod schema;

use scimwright_core::{Catalog, ResourceType};
use scimwright_service::{Features, Limits, Service};
use serde_json::{Map, Value, json};

/// The media type of the description.
pub(crate) const MEDIA_TYPE_OF_DESCRIPTION: &str = "application/json";

/// The OpenAPI 3.1 description of a service: what [`Scim`](crate::Scim) serves, and nothing else.
///
/// It is made of the catalog, the limits and the features alone, so that a resource type or an extension that is loaded at run time is described as
/// well as those that ship. Schemas are JSON Schema 2020-12. Representations are described as strictly as they are sent: there is nothing in
/// them that the description does not name. What clients send may hold more than is described, for RFC 7643 lets them.
///
/// ```
/// use scimwright_core::Catalog;
/// use scimwright_http::OpenApi;
/// use scimwright_service::Service;
/// use scimwright_store::InMemory;
///
/// let service = Service::new(Catalog::standard(), InMemory::default());
/// let description = OpenApi::new(&service, "https://example.com/scim/v2").to_json();
/// assert_eq!(description["openapi"], "3.1.0");
/// assert!(description["paths"]["/Users/{id}"]["patch"].is_object());
/// ```
///
/// # Scope
///
/// JSON Schema compares names exactly, while SCIM does not: the description has the schemas' spelling. Nor has it words for
/// `caseExact` and `uniqueness`, nor for what a selection does: of a representation only what is `returned: always` is required.
/// HEAD is answered wherever GET is, and not described.
#[derive(Clone, Debug)]
pub struct OpenApi<'a> {
    catalog: &'a Catalog,
    limits: &'a Limits,
    features: &'a Features,
    base: &'a str,
    open_discovery: bool,
    me: Option<&'a str>,
    path: Option<&'a str>,
}

impl<'a> OpenApi<'a> {
    /// Of a service whose base URI this is.
    #[must_use]
    pub fn new(service: &'a Service, base: &'a str) -> Self {
        Self {
            catalog: service.catalog(),
            limits: service.current_limits(),
            features: service.current_features(),
            base,
            open_discovery: false,
            me: None,
            path: None,
        }
    }

    /// With the types of another catalog, such as a tenant's own.
    #[must_use]
    pub const fn catalog(mut self, catalog: &'a Catalog) -> Self {
        self.catalog = catalog;
        self
    }

    /// With discovery that needs no token, or needs one as everything else does, which is the default.
    #[must_use]
    pub const fn open_discovery(mut self, open: bool) -> Self {
        self.open_discovery = open;
        self
    }

    /// For a caller who is a resource of that type: `/Me` stands for it, and is not served to others.
    #[must_use]
    pub const fn me(mut self, resource_type: &'a str) -> Self {
        self.me = Some(resource_type);
        self
    }

    /// With the path below the base URI, such as `/openapi.json`, where the description itself is served.
    #[must_use]
    pub const fn served_at(mut self, path: &'a str) -> Self {
        self.path = Some(path);
        self
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let types = Named::all(self.catalog);
        let mut json = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "SCIM 2.0",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "System for Cross-domain Identity Management (RFC 7643, RFC 7644). Names of attributes ignore case.",
            },
            "servers": [{"url": self.base}],
            "security": self.security(false),
            "tags": paths::tags(&types),
            "paths": paths::paths(self, &types),
            "components": {
                "schemas": self.schemas(&types),
                "parameters": parameters::parameters(),
                "headers": responses::headers(),
                "responses": responses::responses(&types, self.own(&types)),
                "securitySchemes": self.security_schemes().into_iter().collect::<Map<_, _>>(),
            },
        });
        if let (Some(uri), Some(json)) = (&self.features.documentation_uri, json.as_object_mut()) {
            json.insert("externalDocs".to_owned(), json!({"url": uri}));
        }
        json
    }

    /// The type of the caller's own resource.
    fn own<'n, 'c>(&self, types: &'n [Named<'c>]) -> Option<&'n Named<'c>> {
        self.me.and_then(|me| types.iter().find(|named| named.name == me))
    }

    fn schemas(&self, types: &[Named<'_>]) -> Map<String, Value> {
        let of_type = |named: &Named<'_>| {
            [
                (named.part(""), schema::outgoing(named.of)),
                (named.part(".Request"), schema::incoming(named.of)),
                (named.part(".Parts"), schema::parts(named.of)),
                (named.part(".Patch"), patch::message(named, self.limits)),
                // Other names are taken, and select nothing.
                (named.part(".Path"), json!({"type": "string", "examples": schema::paths(named.of)})),
                (named.part(".List"), messages::page(&named.reference("schemas", ""), self.limits)),
            ]
        };
        let any: Vec<Value> = types.iter().map(|named| named.reference("schemas", "")).collect();
        // A service without types has empty lists.
        let any = if any.is_empty() { false.into() } else { json!({"anyOf": any}) };
        let everything = ("scim.List".to_owned(), messages::page(&any, self.limits));
        let fixed = messages::schemas(self.catalog, self.limits);
        types.iter().flat_map(of_type).chain([everything]).chain(fixed).collect()
    }

    /// How clients authenticate: the same that ServiceProviderConfig says (RFC 7643 section 5), by the schemes of RFC 9110 section
    /// 11.1. Where a token of OAuth comes from is not known there, so that such a scheme is a bearer token here.
    fn security_schemes(&self) -> Vec<(String, Value)> {
        let mut schemes: Vec<(String, Value)> = Vec::new();
        for scheme in &self.features.authentication_schemes {
            let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or_default();
            let http = match text("type") {
                "oauthbearertoken" | "oauth2" => "bearer",
                "httpbasic" => "basic",
                "httpdigest" => "digest",
                "oauth" => "OAuth",
                _ => continue,
            };
            let name = text("type").to_owned();
            if !schemes.iter().any(|(other, _)| *other == name) {
                schemes.push((name, json!({"type": "http", "scheme": http, "description": text("description")})));
            }
        }
        schemes
    }

    /// Any one of the schemes will do, or perhaps none.
    fn security(&self, or_none: bool) -> Value {
        let none = or_none.then(|| json!({}));
        none.into_iter().chain(self.security_schemes().into_iter().map(|(name, _)| json!({name: []}))).collect()
    }
}

/// A resource type, and what its components and operations are called by: its name has no dot, so that theirs may.
struct Named<'c> {
    name: &'c str,
    of: &'c ResourceType,
}

impl<'c> Named<'c> {
    fn all(catalog: &'c Catalog) -> Vec<Self> {
        catalog.resource_types().iter().map(|of| Self { name: &of.name, of }).collect()
    }

    /// The name of a component that belongs to the type.
    fn part(&self, part: &str) -> String {
        format!("{}{part}", self.name)
    }

    /// A reference to it.
    fn reference(&self, kind: &str, part: &str) -> Value {
        reference(kind, &self.part(part))
    }
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

#[cfg(test)]
mod tests;
