//! The SCIM endpoint: the catalog that is served, who may call it, and how it is mounted.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;
use scimwright_compat::Profile;
use scimwright_core::{Catalog, CatalogError, FolderError, ScimError};
use scimwright_http::{Authenticate, Denied, Scim, bearer};
use scimwright_service::{Context, Limits, Service};
use scimwright_store::{Store, TenantId};
use serde_json::Value;

use crate::directory::{Directory, Organisation};
use crate::people::People;
use crate::rate::Limiter;
use crate::settings::{Discovery, Settings};
use crate::token::Secret;

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

/// The endpoint over a store, for the types of that catalog. Its cursors are sealed with the key.
pub fn endpoint(
    settings: &Settings,
    catalog: Catalog,
    directory: Arc<Directory>,
    store: Arc<dyn Store>,
    cursor_key: [u8; 32],
) -> Scim {
    let service = service_of(settings, catalog, store).cursor_key(cursor_key);
    let gate = Gate {
        directory,
        limiter: Limiter::new(settings.rate_limit),
        base: settings.scim_base().into(),
        open_discovery: settings.discovery == Discovery::Public,
    };
    Scim::new(service, gate).max_body(settings.max_body)
}

/// The service that the endpoint and the commands share.
///
/// # Errors
/// When the catalog cannot be built.
pub fn service(settings: &Settings, store: Arc<dyn Store>) -> Result<Service, TypesError> {
    Ok(service_of(settings, catalog(&settings.types)?, store))
}

fn service_of(settings: &Settings, catalog: Catalog, store: Arc<dyn Store>) -> Service {
    let mut limits = Limits::default();
    limits.max_reply_members = settings.group_reply_limit as u64;
    // What is announced is what is taken.
    limits.max_bulk_payload = settings.max_body;
    Service::over(catalog, store).limits(limits)
}

/// What holds for a caller of that organisation.
///
/// # Errors
/// 503 when the organisation in the database is none that this version understands.
pub fn context(organisation: &Organisation, actor: &str, base: &str, people: People) -> Result<Context, ScimError> {
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

/// Lets callers in by their token.
#[derive(Debug)]
struct Gate {
    directory: Arc<Directory>,
    limiter: Limiter,
    base: Arc<str>,
    open_discovery: bool,
}

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(&self, request: &Parts) -> Result<Context, Denied> {
        let refused = Denied::Unauthorized { presented: true };
        let secret = Secret::parse(bearer(request)?).map_err(|malformed| {
            // Told apart for the administrator who pasted half of it, never for the caller.
            tracing::warn!(reason = %malformed, peer = %peer(request), "a token was refused");
            refused.clone()
        })?;
        let found = self.directory.authenticate(&secret).map_err(|error| {
            tracing::error!(error = %error, "tokens cannot be looked up");
            Denied::Refused(ScimError::new(503, "the service cannot reach its data at the moment: try again later"))
        })?;
        let Some(caller) = found else {
            tracing::warn!(reason = "unknown, revoked or expired", peer = %peer(request), "a token was refused");
            return Err(refused);
        };
        self.limiter
            .check(&caller.organisation.id)
            .map_err(|retry_after| Denied::TooManyRequests { retry_after: retry_after.seconds() })?;
        if !caller.organisation.scim_enabled {
            return Err(Denied::Refused(ScimError::new(403, "SCIM is switched off for this organisation")));
        }
        let people = People::provisioned(&caller.organisation);
        context(&caller.organisation, &caller.token_id, &self.base, people).map_err(Denied::Refused)
    }

    fn anonymous(&self, _request: &Parts) -> Option<Context> {
        let nobody: Option<TenantId> = "discovery".parse().ok();
        nobody.filter(|_| self.open_discovery).map(|nobody| Context::new(nobody, "anonymous", &self.base))
    }
}

/// Where a request came from, as far as the server was told.
fn peer(request: &Parts) -> String {
    let address = request.extensions.get::<axum::extract::ConnectInfo<SocketAddr>>();
    address.map_or_else(|| "unknown".to_owned(), |address| address.0.to_string())
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
