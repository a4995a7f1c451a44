//! Whether what comes in fits together: for every store that imports.

use crate::chain::{CHECKPOINT, Checkpoint, Verifier};
use crate::{Item, StoreError, TenantId};

/// Why items cannot be taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is to be taken in does not fit together: {0}")]
pub struct Misfit(String);

impl Misfit {
    /// For stores: what does not fit.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// For stores: one of the ends of a membership is not there, or is of another type.
    #[must_use]
    pub fn membership(group: &str, member: &str) -> Self {
        Self(format!("`{member}` cannot be a member of `{group}`"))
    }
}

/// Checks items one after the other, in the order that an export gives them. It knows nothing of records by name, for that would not
/// stay small: that ids do not repeat and that both ends of a membership are there is the store's to check.
///
/// ```
/// use scimwright_store::{Intake, Item};
///
/// let mut intake = Intake::new(&"acme".parse()?);
/// intake.check(&Item::Head { position: 0, closed: false })?;
/// intake.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Intake {
    tenant: TenantId,
    stage: Stage,
    position: u64,
    checkpoint: Option<(u64, crate::ChainHash)>,
    verifier: Option<Verifier>,
}

/// How far it is. In the order of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Nothing,
    Head,
    Records,
    Members,
    Facts,
    Entries,
    Derived,
}

impl Intake {
    /// For that tenant.
    #[must_use]
    pub fn new(tenant: &TenantId) -> Self {
        Self { tenant: tenant.clone(), stage: Stage::Nothing, position: 0, checkpoint: None, verifier: None }
    }

    /// Checks the next item.
    ///
    /// # Errors
    ///
    /// When it cannot follow those that went before.
    pub fn check(&mut self, item: &Item) -> Result<(), Misfit> {
        let stage = match item {
            Item::Head { .. } => Stage::Head,
            Item::Record { .. } => Stage::Records,
            Item::Member { .. } => Stage::Members,
            Item::Fact { .. } => Stage::Facts,
            Item::Entry(_) => Stage::Entries,
            Item::Count { .. } | Item::Keyed { .. } | Item::Key { .. } | Item::Unique { .. } => Stage::Derived,
        };
        if stage < self.stage || (stage == Stage::Head) != (self.stage == Stage::Nothing) {
            return Err(Misfit(format!("{stage:?} after {:?}", self.stage)));
        }
        self.stage = stage;
        match item {
            Item::Head { position, .. } => self.position = *position,
            Item::Record { version, draft, .. } if version.0 > self.position => {
                return Err(Misfit(format!("{} has version {} and the log ends before", draft.key, version.0)));
            }
            Item::Record { draft, .. } if draft.created.is_none() => {
                return Err(Misfit(format!("{} does not say when it was made", draft.key)));
            }
            Item::Fact { name, value } if name == CHECKPOINT => {
                let known: Checkpoint = serde_json::from_value(value.clone())
                    .map_err(|error| Misfit(format!("the checkpoint of the log cannot be read: {error}")))?;
                self.checkpoint = Some((known.position, known.hash));
            }
            Item::Entry(logged) => {
                let (tenant, checkpoint) = (&self.tenant, self.checkpoint);
                let verifier = self.verifier.get_or_insert_with(|| Verifier::new(tenant, checkpoint));
                verifier.check(logged).map_err(|error| Misfit(error.to_string()))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks that nothing is missing at the end.
    ///
    /// # Errors
    ///
    /// When there was no head, or the log does not end where the head says.
    pub fn finish(self) -> Result<(), Misfit> {
        if self.stage == Stage::Nothing {
            return Err(Misfit("there is nothing".to_owned()));
        }
        let start = self.checkpoint.map_or(0, |(position, _)| position);
        let last = self.verifier.map_or(start, |verifier| verifier.head().0);
        if last == self.position {
            Ok(())
        } else {
            Err(Misfit(format!("the log ends at {last} and not at {}", self.position)))
        }
    }
}

impl From<Misfit> for StoreError {
    fn from(misfit: Misfit) -> Self {
        Self::unavailable(misfit)
    }
}
