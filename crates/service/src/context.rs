//! Who asks, and what holds for him.

use std::sync::Arc;

use scimwright_compat::{Profile, Quirks};
use scimwright_core::Catalog;
use scimwright_store::{Key, TenantId};

use crate::{Plain, Policy};

/// Everything about a caller that an operation depends on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    /// Whose data is asked for.
    pub tenant: TenantId,
    /// Who asks, for the log: the public id of a token, never the token.
    pub actor: Arc<str>,
    /// The base URI of the service, without a slash at its end: what `meta.location` begins with.
    pub base: Arc<str>,
    /// The caller's own resource, where the application maps him to one: what `/Me` stands for (RFC 7644 section 3.11).
    pub subject: Option<Key>,
    /// What is tolerated.
    pub profile: Arc<Profile>,
    /// What the application adds to the protocol.
    pub policy: Arc<dyn Policy>,
    /// The types and schemas that there are for him; the service's own where this is none.
    pub catalog: Option<Arc<Catalog>>,
    /// Tolerances that the request needed before it became an operation, for the log.
    pub quirks: Quirks,
}

impl Context {
    /// A caller with the default profile and no policy.
    #[must_use]
    pub fn new(tenant: TenantId, actor: &str, base: &str) -> Self {
        Self {
            tenant,
            actor: actor.into(),
            base: base.trim_end_matches('/').into(),
            subject: None,
            profile: Arc::new(Profile::default()),
            policy: Arc::new(Plain),
            catalog: None,
            quirks: Quirks::NONE,
        }
    }

    /// The same caller with another profile.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<Arc<Profile>>) -> Self {
        self.profile = profile.into();
        self
    }

    /// The same caller under a policy.
    #[must_use]
    pub fn policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.policy = policy;
        self
    }

    /// The same caller with types and schemas of his own in place of the service's: what discovery shows, and what everything
    /// he sends is read by.
    #[must_use]
    pub fn catalog(mut self, catalog: impl Into<Arc<Catalog>>) -> Self {
        self.catalog = Some(catalog.into());
        self
    }

    /// The same caller, who is that resource: `/Me` stands for it.
    #[must_use]
    pub fn subject(mut self, subject: Key) -> Self {
        self.subject = Some(subject);
        self
    }
}
