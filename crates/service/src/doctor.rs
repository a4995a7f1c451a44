//! Whether what a store keeps of a tenant fits together: indexes and documents, counters and rows, both ends of every membership,
//! and the chain of the log.
//!
//! A doctor reads exported items, in memory that does not grow with the tenant. What has to be on two sides (a key and its row, a
//! group and its members) is added up on both, in many sums by hash; only where two sums differ are the items themselves gathered, in
//! another round. Which records there are is kept as hashes, of as many as there is room for; each round more looks at others.

mod ends;
mod examination;
mod finding;
mod sums;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use scimwright_core::Catalog;
use scimwright_store::{ChainHash, Checkpoint, StoreError, TenantId, Transfer};

use crate::Policy;
use examination::Examination;

pub use finding::Finding;

/// More findings than anybody reads.
const MOST: usize = 1_000;

/// Examines what a store keeps of a tenant.
///
/// ```
/// use std::sync::Arc;
/// use scimwright_core::Catalog;
/// use scimwright_service::{Doctor, Plain};
/// use scimwright_store::InMemory;
///
/// let doctor = Doctor::new(Arc::new(Catalog::standard()), Arc::new(Plain));
/// let diagnosis = pollster::block_on(doctor.examine(&InMemory::default(), &"acme".parse()?))?;
/// assert!(diagnosis.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Doctor {
    catalog: Arc<Catalog>,
    policy: Arc<dyn Policy>,
    trust: Trust,
}

/// Says why a checkpoint is not to be trusted.
type Trust = Arc<dyn Fn(&Checkpoint) -> Result<(), String> + Send + Sync>;

/// What a doctor has found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What does not fit together. Nothing, as it should be.
    pub findings: Vec<Finding>,
    /// How many findings more there are, at least; only so many are told.
    pub omitted: u64,
    /// How many records there are.
    pub records: u64,
    /// How many memberships there are.
    pub members: u64,
    /// How many entries the log has.
    pub entries: u64,
    /// The last position of the log.
    pub position: u64,
    /// The hash of that entry.
    pub head: ChainHash,
}

impl Doctor {
    /// Knows that catalog, and the keys that the policy adds.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>, policy: Arc<dyn Policy>) -> Self {
        Self { catalog, policy, trust: Arc::new(|_| Ok(())) }
    }

    /// Asks whether the checkpoint of a log is to be trusted. Without this every one is.
    #[must_use]
    pub fn trust(mut self, trust: impl Fn(&Checkpoint) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.trust = Arc::new(trust);
        self
    }

    /// Examines a tenant. It may be written to meanwhile: what is told of one round was so at one moment.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the store cannot be read.
    pub async fn examine<T: Transfer + ?Sized>(&self, store: &T, tenant: &TenantId) -> Result<Diagnosis, StoreError> {
        let mut examination = Examination::new(self.clone(), tenant);
        loop {
            let shared = Arc::new(Mutex::new(examination));
            let seeing = Arc::clone(&shared);
            let see = move |item| {
                seeing.lock().unwrap_or_else(PoisonError::into_inner).see(item);
                Ok(())
            };
            store.export(tenant, Box::new(see)).await?;
            let gone = || StoreError::unavailable("the store has kept what it was to export to");
            let seen = Arc::into_inner(shared).ok_or_else(gone)?;
            match seen.into_inner().unwrap_or_else(PoisonError::into_inner).next() {
                Ok(next) => examination = *next,
                Err(diagnosis) => return Ok(diagnosis),
            }
        }
    }
}

impl fmt::Debug for Doctor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Doctor").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
