//! Whose turn it is: the commits of one tenant come one after the other anyway, so they need not wait on many connections, which those
//! of other tenants want.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scimwright_store::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Failure;

/// One commits, and the next one is ready when it is done.
const AT_ONCE: usize = 2;

/// The tenants that commit at this moment.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

/// The right to use a connection for a commit of a tenant, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    tenant: &'t TenantId,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for a turn of the tenant, first come first served.
    pub(crate) async fn take<'t>(&'t self, tenant: &'t TenantId, at_most: Duration) -> Result<Turn<'t>, Failure> {
        let semaphore = {
            let mut tenants = self.tenants();
            Arc::clone(tenants.entry(tenant.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        // Made before waiting, so that who gives up cleans up too.
        let mut turn = Turn { turns: self, tenant, permit: None };
        let permit = tokio::time::timeout(at_most, semaphore.acquire_owned()).await;
        turn.permit = Some(permit.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Stopped)?);
        Ok(turn)
    }

    fn tenants(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Arc<Semaphore>>> {
        // Held for single steps that leave the map whole.
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut tenants = self.turns.tenants();
        // Whoever waits or commits has the semaphore too; with nobody left, the map forgets the tenant.
        if tenants.get(self.tenant).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            tenants.remove(self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tenant_takes_its_turns_and_leaves_others_theirs() {
        let (turns, a, b) = (Turns::default(), "a".parse().unwrap(), "b".parse().unwrap());
        let soon = Duration::from_millis(5);
        let first = turns.take(&a, soon).await.unwrap();
        let second = turns.take(&a, soon).await.unwrap();
        assert!(matches!(turns.take(&a, soon).await, Err(Failure::Busy)));
        drop(turns.take(&b, soon).await.unwrap());
        drop(first);
        let third = turns.take(&a, soon).await.unwrap();
        assert_eq!(turns.tenants().len(), 1);
        drop((second, third));
        assert_eq!(turns.tenants().len(), 0);
    }
}
