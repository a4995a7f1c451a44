//! Two sides that should be the same, compared without keeping either.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// So many sums of each kind: 1 MiB. With a million records a sum stands for some dozens of rows.
const SUMS: usize = 1 << 16;

/// Of so many sums that differ the items are gathered.
const GATHERED: usize = 1 << 10;

/// What is compared. One row of one kind.
pub(super) type Item = Vec<String>;

/// 128 bits of a hash of texts.
pub(super) fn hash<'t>(texts: impl IntoIterator<Item = &'t str>) -> u128 {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    digest.iter().take(16).fold(0, |hash, byte| hash << 8 | u128::from(*byte))
}

/// Items that should be as often on the left as on the right.
pub(super) struct Sums {
    differences: Vec<u128>,
    /// In the second round: what was seen of the items whose sums differ.
    gathered: Option<Gathered>,
}

#[derive(Default)]
struct Gathered {
    seen: BTreeMap<Item, Sides>,
    /// Sums that differ, more than are looked at.
    more: u64,
}

/// How often an item was on each side, and whether it was named on the left at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) left: u64,
    pub(super) right: u64,
    pub(super) named: bool,
}

impl Sums {
    pub(super) fn new() -> Self {
        Self { differences: vec![0; SUMS], gathered: None }
    }

    /// The item is so often on the left.
    pub(super) fn left(&mut self, item: &[&str], times: u64) {
        self.add(item, u128::from(times), Sides { left: times, right: 0, named: true });
    }

    /// The item is once on the right.
    pub(super) fn right(&mut self, item: &[&str]) {
        self.add(item, u128::MAX, Sides { left: 0, right: 1, named: false });
    }

    fn add(&mut self, item: &[&str], times: u128, sides: Sides) {
        let hash = hash(item.iter().copied());
        let Some(difference) = self.differences.get_mut((hash % SUMS as u128) as usize) else { return };
        match &mut self.gathered {
            // Times u128::MAX is minus once.
            None => *difference = difference.wrapping_add(hash.wrapping_mul(times)),
            Some(gathered) if *difference != 0 => {
                let seen = gathered.seen.entry(item.iter().map(|text| (*text).to_owned()).collect()).or_default();
                seen.left += sides.left;
                seen.right += sides.right;
                seen.named |= sides.named;
            }
            Some(_) => {}
        }
    }

    /// Whether there is a reason for a second round, which this prepares.
    pub(super) fn gather(&mut self) -> bool {
        let mut gathered = Gathered::default();
        let differing = self.differences.iter_mut().filter(|difference| **difference != 0);
        for difference in differing.skip(GATHERED) {
            *difference = 0;
            gathered.more += 1;
        }
        let any = self.differences.iter().any(|difference| *difference != 0);
        self.gathered = Some(gathered);
        any
    }

    /// The items that were not as often on one side as on the other, and how many there are more, at least.
    pub(super) fn differing(self) -> (impl Iterator<Item = (Item, Sides)>, u64) {
        let Gathered { seen, more } = self.gathered.unwrap_or_default();
        (seen.into_iter().filter(|(_, sides)| sides.left != sides.right), more)
    }
}
