//! A check of a log over one snapshot, so that neither its end nor a cut made meanwhile goes unseen.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{CHECKPOINT, ChainError, ChainHash, Checkpoint, Verified, Verifier};
use crate::{Item, StoreError, TenantId, Transfer};

/// Checks that the log of a tenant is a chain from its beginning, or from the checkpoint that `trust` trusts, up to the last position
/// that the tenant has. All of it is one snapshot, read in memory that does not grow with it: entries that are cut off meanwhile are no
/// gap, and entries that are gone from the end are [`ChainError::Ends`]. The store gives out the records too, which are passed over.
///
/// # Errors
///
/// What is wrong with it, or that it cannot be read. `trust` says why a checkpoint is not to be trusted.
pub async fn verify_whole<T: Transfer + ?Sized>(
    store: &T,
    tenant: &TenantId,
    trust: impl Fn(&Checkpoint) -> Result<(), String>,
) -> Result<Verified, ChainError> {
    verify_noted(store, tenant, None, trust).await.map(|(verified, _)| verified)
}

/// The same, and the hash that the log has at a position: that of the entry, or of the checkpoint. `None` where it has neither.
///
/// # Errors
///
/// As for [`verify_whole`].
pub async fn verify_noted<T: Transfer + ?Sized>(
    store: &T,
    tenant: &TenantId,
    noted: Option<u64>,
    trust: impl Fn(&Checkpoint) -> Result<(), String>,
) -> Result<(Verified, Option<ChainHash>), ChainError> {
    let shared = Arc::new(Mutex::new(Check::new(tenant, noted)));
    let seeing = Arc::clone(&shared);
    let see = move |item| match seeing.lock().unwrap_or_else(PoisonError::into_inner).see(item) {
        // What follows a break says nothing more.
        Some(error) => Err(io::Error::other(error.to_string())),
        None => Ok(()),
    };
    let read = store.export(tenant, Box::new(see)).await;
    let kept = || StoreError::unavailable("the store has kept what it was to export to");
    let check = Arc::into_inner(shared).ok_or_else(kept)?.into_inner().unwrap_or_else(PoisonError::into_inner);
    // A check that has failed is why the export did.
    if !check.failed {
        read?;
    }
    check.finish(tenant, trust)
}

/// A check under way.
pub(super) struct Check {
    verifier: Verifier,
    checkpoint: Option<Checkpoint>,
    /// The last position that the tenant has.
    written: u64,
    noted: Option<(u64, Option<ChainHash>)>,
    outcome: Result<(), ChainError>,
    failed: bool,
}

impl Check {
    pub(super) fn new(tenant: &TenantId, noted: Option<u64>) -> Self {
        Self {
            verifier: Verifier::new(tenant, None),
            checkpoint: None,
            written: 0,
            noted: noted.map(|position| (position, None)),
            outcome: Ok(()),
            failed: false,
        }
    }

    /// The next item. An error says that no other is asked for; [`Check::finish`] says it too.
    pub(super) fn see(&mut self, item: Item) -> Option<&ChainError> {
        if !self.failed
            && let Err(error) = self.look(item)
        {
            self.failed = true;
            self.outcome = Err(error);
        }
        self.outcome.as_ref().err()
    }

    fn look(&mut self, item: Item) -> Result<(), ChainError> {
        match item {
            Item::Head { position, .. } => self.written = position,
            Item::Fact { name, value } if name == CHECKPOINT => {
                let known: Checkpoint = serde_json::from_value(value).map_err(ChainError::NoCheckpoint)?;
                self.verifier.begin(known.position, known.hash);
                self.note(known.position, known.hash);
                self.checkpoint = Some(known);
            }
            Item::Entry(logged) => {
                self.verifier.check(&logged)?;
                self.note(logged.position, logged.hash);
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, at: u64, hash: ChainHash) {
        if let Some((position, found)) = &mut self.noted
            && *position == at
        {
            *found = Some(hash);
        }
    }

    /// What was found when there are no more items.
    pub(super) fn finish(
        self,
        tenant: &TenantId,
        trust: impl Fn(&Checkpoint) -> Result<(), String>,
    ) -> Result<(Verified, Option<ChainHash>), ChainError> {
        // Whoever made up a checkpoint is told of that, and not of what does not follow from it.
        if let Some(known) = &self.checkpoint {
            known.check(tenant, trust)?;
        }
        self.outcome?;
        let Verifier { position, head, entries } = self.verifier;
        if position != self.written {
            return Err(ChainError::Ends { ends: position, written: self.written });
        }
        let verified = Verified { checkpoint: self.checkpoint, entries, position, head };
        Ok((verified, self.noted.and_then(|(_, hash)| hash)))
    }
}
