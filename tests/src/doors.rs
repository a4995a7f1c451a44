//! Who may call a server under test.

use async_trait::async_trait;
use http::Method;
use http::request::Parts;
use scimwright_core::ScimError;
use scimwright_http::{Authenticate, Denied, bearer};
use scimwright_service::Context;
use scimwright_store::Key;

/// Lets in by the name of the tenant: `acme` and `globex` are tokens. `reader` may read what `acme` has, `busy` has asked
/// too often, `closed` belongs to somebody for whom the service is switched off. `as.User.7` is user 7 of `acme`.
#[derive(Debug)]
pub(crate) struct Doors {
    pub(crate) acme: Context,
    pub(crate) globex: Context,
    pub(crate) open_discovery: bool,
}

#[async_trait]
impl Authenticate for Doors {
    async fn authenticate(&self, request: &Parts) -> Result<Context, Denied> {
        match bearer(request)? {
            "acme" => Ok(self.acme.clone()),
            "globex" => Ok(self.globex.clone()),
            "reader" if matches!(request.method, Method::GET | Method::HEAD) => Ok(self.acme.clone()),
            "reader" => Err(Denied::Refused(ScimError::new(403, "this caller may read only"))),
            "busy" => Err(Denied::TooManyRequests { retry_after: 7 }),
            "closed" => Err(Denied::Refused(ScimError::new(403, "the service is switched off"))),
            other => match other.strip_prefix("as.").and_then(|own| own.split_once('.')) {
                Some((resource_type, id)) => Ok(self.acme.clone().subject(Key::new(resource_type, id))),
                None => Err(Denied::Unauthorized { presented: true }),
            },
        }
    }

    fn anonymous(&self, _request: &Parts) -> Option<Context> {
        self.open_discovery.then(|| self.acme.clone())
    }
}
