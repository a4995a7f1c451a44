//! Which records there are: a part of them at a time.

use std::collections::HashMap;

use super::sums::hash;

/// Which records there are, of those whose hashes end in certain bits. With no bits these are all; when they become too many, a bit
/// more halves them, and the next rounds look at the others.
pub(super) struct Ends {
    known: HashMap<u128, u16>,
    most: usize,
    /// So many bits, and which.
    bits: u32,
    part: u128,
    types: Vec<String>,
}

impl Ends {
    pub(super) fn new(most: usize) -> Self {
        Self { known: HashMap::new(), most, bits: 0, part: 0, types: Vec::new() }
    }

    /// There is this record.
    pub(super) fn is_there(&mut self, id: &str, resource_type: &str) {
        let hash = hash([id]);
        if !self.covers(hash) {
            return;
        }
        let at = self.types.iter().position(|known| known == resource_type).unwrap_or_else(|| {
            self.types.push(resource_type.to_owned());
            self.types.len() - 1
        });
        self.known.insert(hash, u16::try_from(at).unwrap_or(u16::MAX));
        // Only the first round chooses how many parts there are.
        if self.known.len() > self.most && self.part == 0 {
            self.bits += 1;
            let (bits, part) = (self.bits, self.part);
            self.known.retain(|hash, _| covers(*hash, bits, part));
        }
    }

    /// The type of a record; none where it is another round's to say.
    pub(super) fn resource_type(&self, id: &str) -> Option<Found<'_>> {
        let hash = hash([id]);
        self.covers(hash).then(|| {
            let known = self.known.get(&hash).and_then(|at| self.types.get(usize::from(*at)));
            known.map_or(Found::Nothing, |known| Found::Type(known))
        })
    }

    fn covers(&self, hash: u128) -> bool {
        covers(hash, self.bits, self.part)
    }

    /// Those that the next round looks at, if any are left.
    pub(super) fn next(self) -> Option<Self> {
        let part = self.part + 1;
        (part < 1 << self.bits).then(|| Self { known: HashMap::new(), part, ..self })
    }
}

fn covers(hash: u128, bits: u32, part: u128) -> bool {
    hash & ((1 << bits) - 1) == part
}

/// What is known of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'f> {
    /// It is of that type.
    Type(&'f str),
    /// It is not there.
    Nothing,
}
