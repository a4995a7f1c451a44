//! What clients do, at random but the same for the same seed.

use crate::random::Random;

/// What a client does next. Numbers choose among what there is at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) verb: Verb,
    /// Which resource.
    pub(super) target: usize,
    /// Which name, or which members.
    pub(super) with: usize,
    /// Which version to insist on.
    pub(super) condition: Condition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    CreateUser,
    ReplaceUser,
    Title,
    ReadUser,
    DeleteUser,
    CreateGroup,
    ReplaceGroup,
    Rename,
    Join,
    Leave,
    ReadGroup,
    DeleteGroup,
    DeletePerson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    None,
    /// The version that the client saw last.
    Newest,
    /// The first that it saw.
    Oldest,
}

/// How often each verb comes: what is deleted must not be all there is to see.
const VERBS: &[(Verb, usize)] = &[
    (Verb::CreateUser, 3),
    (Verb::ReplaceUser, 3),
    (Verb::Title, 4),
    (Verb::ReadUser, 2),
    (Verb::DeleteUser, 1),
    (Verb::CreateGroup, 1),
    (Verb::ReplaceGroup, 3),
    (Verb::Rename, 2),
    (Verb::Join, 7),
    (Verb::Leave, 3),
    (Verb::ReadGroup, 3),
    (Verb::DeleteGroup, 1),
    (Verb::DeletePerson, 1),
];

impl Random {
    /// What comes next.
    pub(super) fn act(&mut self) -> Act {
        let total = VERBS.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        let mut verb = Verb::ReadGroup;
        for (candidate, weight) in VERBS {
            if at < *weight {
                verb = *candidate;
                break;
            }
            at -= weight;
        }
        let condition = match self.below(5) {
            0 | 1 => Condition::Newest,
            2 => Condition::Oldest,
            _ => Condition::None,
        };
        Act { verb, target: self.below(64), with: self.below(64), condition }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_it_all_and_every_verb_comes() {
        let acts = |seed| {
            let mut random = Random::new(seed);
            (0..500).map(|_| random.act()).collect::<Vec<_>>()
        };
        assert_eq!(acts(7), acts(7));
        assert_ne!(acts(7), acts(8));
        for (verb, _) in VERBS {
            assert!(acts(7).iter().any(|act| act.verb == *verb), "{verb:?}");
        }
    }
}
