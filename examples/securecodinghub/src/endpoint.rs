//! The SCIM endpoint: the catalog that is served, and what holds for a caller.

use std::path::PathBuf;
use std::sync::Arc;

use scimwright_compat::Profile;
use scimwright_core::{Catalog, CatalogError, FolderError, ScimError};
use scimwright_http::Scim;
use scimwright_service::{Context, Limits, Service};
use scimwright_store::{Store, TenantId};
use serde_json::Value;

use crate::directory::Organisation;
use crate::gate::{Gate, ScimGate};
use crate::people::People;
use crate::settings::{Description, Settings};

/// What cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TypesError {
    /// The product's own types do not fit together.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A folder of types cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// The types that the product serves: users and groups of RFC 7643, the attributes of the customers' own, and whatever these
/// folders hold.
///
/// # Errors
/// When a folder cannot be used. The error names the file.
pub fn catalog(types: &[PathBuf]) -> Result<Catalog, TypesError> {
    Ok(own_catalog()?.with_folders(types)?)
}

/// Users, groups and the attributes of the customers' own.
fn own_catalog() -> Result<Catalog, CatalogError> {
    // A file that is no JSON is a schema without id to the catalog, which says so.
    let own: Value = serde_json::from_str(include_str!("../schemas/CustomExtensionName.json")).unwrap_or_default();
    let urn = own.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    Catalog::standard().with_schema(&own)?.with_extension("User", &urn, false)
}

/// The endpoint of that service, behind the gate.
pub fn endpoint(settings: &Settings, service: Service, gate: Arc<Gate>) -> Scim {
    let scim = Scim::new(service, ScimGate::new(gate)).max_body(settings.max_body);
    match &settings.openapi {
        Description::At(path) => scim.openapi(path),
        Description::Off => scim,
    }
}

/// The service that the endpoint and the commands share.
///
/// # Errors
/// When the catalog cannot be built.
pub fn service(settings: &Settings, store: Arc<dyn Store>) -> Result<Service, TypesError> {
    Ok(service_of(settings, catalog(&settings.types)?, store))
}

/// The same for types that were loaded already.
pub fn service_of(settings: &Settings, catalog: Catalog, store: Arc<dyn Store>) -> Service {
    let mut limits = Limits::default();
    limits.max_reply_members = settings.group_reply_limit as u64;
    limits.default_count = settings.page_size;
    limits.max_count = settings.max_page_size;
    // What is announced is what is taken.
    limits.max_bulk_payload = settings.max_body;
    Service::over(catalog, store).limits(limits)
}

/// What holds for a caller of that organisation.
///
/// # Errors
/// 503 when the organisation is on its way to another database, or is none that this version understands.
pub fn context(organisation: &Organisation, actor: &str, base: &str, people: People) -> Result<Context, ScimError> {
    // Where it has gone is nobody's business but the operator's.
    if organisation.closed.is_some() {
        return Err(ScimError::new(503, "the organisation is being moved: try again later"));
    }
    let broken = |_| ScimError::new(503, "the organisation cannot be served at the moment");
    let tenant: TenantId = organisation.id.parse().map_err(broken)?;
    let unknown = |_| ScimError::new(503, "the organisation cannot be served at the moment");
    let mut profile: Profile = organisation.profile.to_string().parse().map_err(unknown)?;
    // Okta sends the name of its unique field as an administrator typed it: the guide says `email`.
    if let Ok(path) = "emails.value".parse() {
        profile = profile.alias("email", path);
    }
    Ok(Context::new(tenant, actor, base).profile(profile).policy(Arc::new(people)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalog_is_whole() {
        let catalog = catalog(&[]).unwrap();
        let users = catalog.resource_type("User").unwrap();
        assert_eq!(users.extensions.len(), 2);
    }
}
