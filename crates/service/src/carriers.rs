//! Who carries an extension, for applications whose extensions come and go.

use std::sync::Arc;

use scimwright_core::{ResourceType, ScimError, Urn};
use scimwright_filter::{Binding, Filter};
use scimwright_store::{Part, Query, TenantId};

use crate::decide::retired;
use crate::{Context, Service};

/// How many records carry an extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Carriers {
    /// Those that clients see.
    pub seen: u64,
    /// Those that a DELETE has put out of sight, and that may come back ([`Deletion::Retire`](crate::Deletion::Retire)).
    pub retired: u64,
}

impl Service {
    /// How many resources of a type have values in the extension of that URI, by what their `schemas` say.
    ///
    /// # Errors
    ///
    /// 503 when the store cannot answer.
    pub async fn carriers(
        &self,
        context: &Context,
        resource_type: &Arc<ResourceType>,
        urn: &Urn,
    ) -> Result<Carriers, ScimError> {
        let mut out_of_sight = ResourceType::clone(resource_type);
        out_of_sight.name = retired(resource_type);
        Ok(Carriers {
            seen: self.count_of(context, resource_type.clone(), urn).await?,
            retired: self.count_of(context, Arc::new(out_of_sight), urn).await?,
        })
    }

    async fn count_of(&self, context: &Context, of: Arc<ResourceType>, urn: &Urn) -> Result<u64, ScimError> {
        let broken = |error: &dyn std::error::Error| ScimError::new(500, error.to_string());
        // No URI has a quotation mark or a backslash in it.
        let filter: Filter = format!("schemas eq \"{urn}\"").parse().map_err(|error| broken(&error))?;
        let bound = filter.bind(&Binding::new(&of)).map_err(|error| broken(&error))?;
        let mut part = Part::new(of);
        part.filter = Some(bound);
        let query = Query::over(vec![part], 0);
        let tenant: &TenantId = &context.tenant;
        let page = self.store.find(tenant, &query).await.map_err(|error| Self::unavailable(context, &error))?;
        Ok(page.total.unwrap_or_default())
    }
}
