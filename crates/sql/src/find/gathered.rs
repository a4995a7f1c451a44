//! What has been gathered of a page.

use std::cmp::Ordering;

use scimwright_store::{Place, Record};

/// The page as it grows.
pub(super) struct Gathered {
    /// How many are still to be passed over.
    pub(super) skip: usize,
    /// How many are wanted: one more than the page has, which tells whether there are more.
    pub(super) wanted: usize,
    /// What there is, each with its place.
    pub(super) records: Vec<(Record, Place)>,
}

/// What one walk through one part has met.
#[derive(Default)]
pub(super) struct Walked {
    /// So many records of the part, passed over or taken.
    pub(super) met: usize,
    /// Whether these are all from where the walk began.
    pub(super) all: bool,
}

impl Gathered {
    pub(super) const fn is_full(&self) -> bool {
        self.records.len() >= self.wanted
    }

    /// How many rows are needed at least.
    pub(super) const fn room(&self) -> usize {
        self.skip.saturating_add(self.wanted.saturating_sub(self.records.len()))
    }

    /// Passes a record over, takes it, or leaves it when there is no room.
    pub(super) fn offer(&mut self, record: Record, place: Place) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.is_full() {
            self.records.push((record, place));
        }
    }
}

/// A place that is greater the later the walk comes to it.
#[derive(PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) place: Place,
    pub(super) backward: bool,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.place.cmp(&other.place);
        if self.backward { order.reverse() } else { order }
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
