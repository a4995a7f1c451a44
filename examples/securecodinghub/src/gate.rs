//! Who may come in: by a token, for what the token opens, and not too often.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;
use scimwright_core::ScimError;
use scimwright_http::{Authenticate, Denied, bearer};
use scimwright_service::Context;
use scimwright_store::TenantId;

use crate::directory::{Authenticated, Directory};
use crate::endpoint::context;
use crate::extensions::Extensions;
use crate::people::People;
use crate::policy::TokenScope;
use crate::rate::Limiter;
use crate::settings::{Discovery, Settings};
use crate::token::Secret;

/// Lets callers in by their token. The SCIM endpoint and the admin interface share it, and so an organisation's rate limit.
#[derive(Debug)]
pub struct Gate {
    directory: Arc<Directory>,
    extensions: Arc<Extensions>,
    limiter: Limiter,
    base: Arc<str>,
    open_discovery: bool,
}

impl Gate {
    /// The gate in front of what is in the directory.
    pub fn new(settings: &Settings, directory: Arc<Directory>, extensions: Arc<Extensions>) -> Self {
        Self {
            directory,
            extensions,
            limiter: Limiter::new(settings.rate_limit),
            base: settings.scim_base().into(),
            open_discovery: settings.discovery == Discovery::Public,
        }
    }

    /// Whom the request speaks for, if what it carries opens this, and he does not ask too often.
    ///
    /// # Errors
    /// 401 without a good token, 429 when the organisation asks too often, 403 when the token opens something else or SCIM is
    /// switched off, 503 when tokens cannot be looked up.
    pub async fn caller(&self, request: &Parts, scope: TokenScope) -> Result<Authenticated, Denied> {
        self.look_up(request, scope, true).await
    }

    /// Looks the token up; `counts` when the request counts against the organisation's rate limit.
    async fn look_up(&self, request: &Parts, scope: TokenScope, counts: bool) -> Result<Authenticated, Denied> {
        let refused = Denied::Unauthorized { presented: true };
        let secret = Secret::parse(bearer(request)?).map_err(|malformed| {
            // Told apart for the administrator who pasted half of it, never for the caller.
            tracing::warn!(reason = %malformed, peer = %peer(request), "a token was refused");
            refused.clone()
        })?;
        let found = self.directory.authenticate(&secret).await.map_err(|error| {
            let error = &error as &(dyn std::error::Error + 'static);
            tracing::error!(error, "tokens cannot be looked up");
            Denied::Refused(ScimError::new(503, "the service cannot reach its data at the moment: try again later"))
        })?;
        let Some(caller) = found else {
            tracing::warn!(reason = "unknown, revoked or expired", peer = %peer(request), "a token was refused");
            return Err(refused);
        };
        if counts {
            self.limiter
                .check(&caller.organisation.id)
                .map_err(|retry_after| Denied::TooManyRequests { retry_after: retry_after.seconds() })?;
        }
        if caller.scope != scope {
            let (token, peer) = (&caller.token_id, peer(request));
            // Below the interface that was asked, and without the query, which may name people.
            let (method, path) = (&request.method, request.uri.path());
            tracing::warn!(token, scope = %caller.scope, wanted = %scope, %peer, %method, path, "a token was refused");
            return Err(Denied::InsufficientScope);
        }
        if !caller.organisation.scim_enabled {
            return Err(Denied::Refused(ScimError::new(403, "SCIM is switched off for this organisation")));
        }
        Ok(caller)
    }

    /// What holds for that caller.
    ///
    /// # Errors
    /// 503 when what the organisation has set or registered cannot be read.
    pub async fn context(&self, caller: &Authenticated) -> Result<Context, ScimError> {
        let catalog = self.extensions.catalog_of(&caller.organisation).await.map_err(|error| error.to_scim())?;
        Ok(catalog.into_iter().fold(self.admin_context(caller)?, Context::catalog))
    }

    /// What holds for that caller apart from what his organisation has registered, which he may be about to mend.
    ///
    /// # Errors
    /// 503 when what the organisation has set cannot be read.
    pub fn admin_context(&self, caller: &Authenticated) -> Result<Context, ScimError> {
        let organisation = &caller.organisation;
        context(organisation, &caller.token_id, &self.base, People::provisioned(organisation))
    }
}

/// The gate as the SCIM endpoint has it.
#[derive(Clone, Debug)]
pub struct ScimGate(Arc<Gate>);

impl ScimGate {
    /// For tokens of providers.
    pub fn new(gate: Arc<Gate>) -> Self {
        Self(gate)
    }
}

#[async_trait]
impl Authenticate for ScimGate {
    async fn authenticate(&self, request: &Parts) -> Result<Context, Denied> {
        let caller = self.0.caller(request, TokenScope::Scim).await?;
        self.0.context(&caller).await.map_err(Denied::Refused)
    }

    async fn still(&self, request: &Parts, _context: Context) -> Result<Context, Denied> {
        let caller = self.0.look_up(request, TokenScope::Scim, false).await?;
        self.0.context(&caller).await.map_err(Denied::Refused)
    }

    fn anonymous(&self, _request: &Parts) -> Option<Context> {
        let nobody: Option<TenantId> = "discovery".parse().ok();
        nobody.filter(|_| self.0.open_discovery).map(|nobody| Context::new(nobody, "anonymous", &self.0.base))
    }
}

/// Where a request came from, as far as the server was told.
fn peer(request: &Parts) -> String {
    let address = request.extensions.get::<axum::extract::ConnectInfo<SocketAddr>>();
    address.map_or_else(|| "unknown".to_owned(), |address| address.0.to_string())
}
