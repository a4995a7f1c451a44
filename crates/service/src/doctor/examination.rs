//! An examination under way: pure, for it is told what there is.

use std::collections::BTreeMap;

use scimwright_core::ResourceType;
use scimwright_store::chain::{CHECKPOINT, Verifier};
use scimwright_store::{ChainHash, Checkpoint, Draft, IndexKey, Item, Key, Logged, Member, Scope, TenantId};

use super::ends::{Ends, Found};
use super::finding::{Finding, Row};
use super::sums::Sums;
use super::{Diagnosis, Doctor, MOST};
use crate::decide::{RETIRED, display, keys};

/// So many records are known at a time: some 50 MB.
const KNOWN: usize = 1 << 20;

/// One round after the other, each over all items.
pub(super) struct Examination {
    doctor: Doctor,
    tenant: TenantId,
    round: u32,
    found: Vec<Finding>,
    omitted: u64,
    records: u64,
    members: u64,
    position: u64,
    counts: Counts,
    chain: Chain,
    keys: Sums,
    unique: Sums,
    member_counts: Sums,
    /// Whether the sums are to be looked at: in the second round, where they differ.
    gathers: bool,
    ends: Option<Ends>,
}

/// How many there are, and how many the store says.
#[derive(Default)]
struct Counts {
    records: BTreeMap<String, Pair>,
    keys: BTreeMap<(String, String), Pair>,
    /// Whether the store keeps a number of keys at all.
    keeps_keys: bool,
}

#[derive(Clone, Copy, Default)]
struct Pair {
    are: u64,
    says: u64,
}

/// What a row that is on one side only is.
type Kind = fn(Row) -> Finding;

struct Chain {
    verifier: Verifier,
    entries: u64,
    broken: bool,
}

impl Examination {
    pub(super) fn new(doctor: Doctor, tenant: &TenantId) -> Self {
        Self::knowing(KNOWN, doctor, tenant)
    }

    /// The same for so many records at a time.
    pub(super) fn knowing(most: usize, doctor: Doctor, tenant: &TenantId) -> Self {
        Self {
            doctor,
            tenant: tenant.clone(),
            round: 0,
            found: Vec::new(),
            omitted: 0,
            records: 0,
            members: 0,
            position: 0,
            counts: Counts::default(),
            chain: Chain { verifier: Verifier::new(tenant, None), entries: 0, broken: false },
            keys: Sums::new(),
            unique: Sums::new(),
            member_counts: Sums::new(),
            gathers: false,
            ends: Some(Ends::new(most)),
        }
    }

    /// The next item of this round.
    pub(super) fn see(&mut self, item: Item) {
        match item {
            Item::Head { position, .. } => self.position = position,
            Item::Record { draft, version, member_count, .. } => {
                if self.round == 0 {
                    self.record(&draft, version.0);
                }
                self.sum(&draft, member_count);
                if let Some(ends) = &mut self.ends {
                    ends.is_there(&draft.key.id, &draft.key.resource_type);
                }
            }
            Item::Member { group, member } => {
                self.members += u64::from(self.round == 0);
                self.member_counts.right(&[&group]);
                self.membership(&group, &member);
            }
            Item::Key { resource_type, path, value, id } => {
                if self.round == 0 {
                    self.counts.keys.entry((resource_type.clone(), path.clone())).or_default().are += 1;
                }
                self.keys.right(&[&resource_type, &path, &value, &id]);
            }
            Item::Unique { global, resource_type, path, value, id } => {
                self.unique.right(&[if global { "" } else { &resource_type }, &path, &value, &id]);
            }
            once if self.round == 0 => self.once(once),
            _ => {}
        }
    }

    /// What is looked at in the first round alone.
    fn once(&mut self, item: Item) {
        match item {
            Item::Fact { name, value } if name == CHECKPOINT => match serde_json::from_value::<Checkpoint>(value) {
                Ok(checkpoint) => self.checkpoint(&checkpoint),
                Err(error) => {
                    self.find(Finding::Checkpoint { reason: format!("the checkpoint cannot be read: {error}") })
                }
            },
            Item::Entry(logged) => self.entry(&logged),
            Item::Count { resource_type, count } => self.counts.records.entry(resource_type).or_default().says = count,
            Item::Keyed { resource_type, path, count } => {
                self.counts.keeps_keys = true;
                self.counts.keys.entry((resource_type, path)).or_default().says = count;
            }
            _ => {}
        }
    }

    /// What can be said of a record by itself.
    fn record(&mut self, draft: &Draft, version: u64) {
        self.records += 1;
        let key = || draft.key.clone();
        self.counts.records.entry(draft.key.resource_type.clone()).or_default().are += 1;
        if version > self.position {
            self.find(Finding::FutureVersion { key: key(), version, position: self.position });
        }
        let Some((resource_type, retired)) = self.type_of(&draft.key) else {
            return self.find(Finding::UnknownType { key: key() });
        };
        let policy = &*self.doctor.policy;
        let mut wanted = match retired {
            true => policy.retired_keys(resource_type, &draft.resource),
            false => keys(policy, resource_type, &draft.resource),
        };
        let without = |left: &[IndexKey], right: &[IndexKey]| -> Vec<IndexKey> {
            left.iter().filter(|key| !right.contains(key)).cloned().collect()
        };
        wanted.sort_unstable();
        wanted.dedup();
        let (missing, extra) = (without(&wanted, &draft.index), without(&draft.index, &wanted));
        if !(missing.is_empty() && extra.is_empty()) {
            self.find(Finding::StaleIndex { key: key(), missing, extra });
        }
        if display(&draft.resource) != draft.display {
            self.find(Finding::StaleDisplay { key: key() });
        }
    }

    /// The type of a record, and whether it was retired.
    fn type_of(&self, key: &Key) -> Option<(&ResourceType, bool)> {
        let (name, retired) = match key.resource_type.strip_suffix(RETIRED) {
            Some(name) => (name, true),
            None => (key.resource_type.as_str(), false),
        };
        self.doctor.catalog.resource_type(name).map(|resource_type| (&**resource_type, retired))
    }

    /// The rows that there should be for a record.
    fn sum(&mut self, draft: &Draft, member_count: u64) {
        let Draft { key: Key { resource_type, id }, index, .. } = draft;
        self.member_counts.left(&[id], member_count);
        let mut rows: Vec<_> = index.iter().map(|key| (&key.path, &key.value)).collect();
        rows.sort_unstable();
        rows.dedup();
        for (path, value) in rows {
            self.keys.left(&[resource_type, path, value, id], 1);
        }
        let mut unique: Vec<_> = index.iter().filter(|key| key.scope != Scope::Many).collect();
        unique.sort_unstable();
        unique.dedup();
        for IndexKey { path, value, scope } in unique {
            let whose = if *scope == Scope::Global { "" } else { resource_type };
            self.unique.left(&[whose, path, value, id], 1);
        }
    }

    fn membership(&mut self, group: &str, member: &Member) {
        let Some(ends) = &self.ends else { return };
        let (group, id) = (group.to_owned(), member.id.clone());
        let of = match ends.resource_type(&group) {
            Some(Found::Nothing) => Some(Finding::GroupMissing { group: group.clone(), member: id.clone() }),
            Some(Found::Type(of)) => {
                let key = Key::new(of, group.clone());
                let may = self.type_of(&key).is_none_or(|(of, retired)| of.membership.is_some() && !retired);
                (!may).then(|| Finding::NotAGroup { group: key, member: id.clone() })
            }
            None => None,
        };
        let who = match ends.resource_type(&id) {
            Some(Found::Nothing) => Some(Finding::MemberMissing { group, member: id }),
            Some(Found::Type(is)) if is != member.resource_type => {
                Some(Finding::MemberType { group, member: id, says: member.resource_type.clone(), is: is.to_owned() })
            }
            _ => None,
        };
        of.into_iter().chain(who).for_each(|finding| self.find(finding));
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.chain.verifier = Verifier::new(&self.tenant, Some((checkpoint.position, checkpoint.hash)));
        let whose =
            if checkpoint.tenant == self.tenant.as_str() { Ok(()) } else { Err("it is another tenant's".to_owned()) };
        if let Err(why) = whose.and_then(|()| (self.doctor.trust)(checkpoint)) {
            let position = checkpoint.position;
            let reason = format!("the checkpoint at position {position} of the log is not to be trusted: {why}");
            self.find(Finding::Checkpoint { reason });
        }
    }

    fn entry(&mut self, logged: &Logged) {
        self.chain.entries += 1;
        if self.chain.broken {
            return;
        }
        if let Err(error) = self.chain.verifier.check(logged) {
            // What comes behind the break says nothing more.
            self.chain.broken = true;
            self.find(Finding::Chain { reason: error.to_string() });
        }
    }

    fn find(&mut self, finding: Finding) {
        if self.found.len() < MOST {
            self.found.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    /// The next round, or what was found when there is none.
    pub(super) fn next(mut self) -> Result<Box<Self>, Diagnosis> {
        match self.round {
            0 => self.end_first(),
            1 if self.gathers => self.end_gathering(),
            _ => {}
        }
        let gathers = self.round == 0 && self.gathers;
        self.ends = self.ends.take().and_then(Ends::next);
        self.round += 1;
        if gathers || self.ends.is_some() { Ok(Box::new(self)) } else { Err(self.diagnosis()) }
    }

    fn end_first(&mut self) {
        let Counts { records, keys, keeps_keys } = std::mem::take(&mut self.counts);
        for (resource_type, Pair { are, says }) in records {
            if are != says {
                self.find(Finding::RecordCount { resource_type, says, are });
            }
        }
        for ((resource_type, path), Pair { are, says }) in keys {
            if keeps_keys && are != says {
                self.find(Finding::KeyCount { resource_type, path, says, are });
            }
        }
        let (ends, _) = self.chain.verifier.head();
        if !self.chain.broken && ends != self.position {
            self.find(Finding::Position { says: self.position, ends });
        }
        let sums = [&mut self.keys, &mut self.unique, &mut self.member_counts];
        self.gathers = sums.map(Sums::gather).contains(&true);
    }

    fn end_gathering(&mut self) {
        let take = |sums: &mut Sums| std::mem::replace(sums, Sums::new());
        let (keys, unique) = (take(&mut self.keys), take(&mut self.unique));
        let members = take(&mut self.member_counts);
        let kinds: [(Sums, Kind, Kind); 2] =
            [(keys, Finding::KeyMissing, Finding::KeyStray), (unique, Finding::UniqueMissing, Finding::UniqueStray)];
        for (sums, missing, stray) in kinds {
            let (differing, more) = sums.differing();
            self.omitted += more;
            for (item, sides) in differing {
                if let Ok([resource_type, path, value, id]) = <[String; 4]>::try_from(item) {
                    let row = Row { resource_type, path, value, id };
                    self.find(if sides.left > sides.right { missing(row) } else { stray(row) });
                }
            }
        }
        let (differing, more) = members.differing();
        self.omitted += more;
        // Of groups that are not there something else was said.
        for (group, sides) in differing.filter(|(_, sides)| sides.named) {
            self.find(Finding::MemberCount { group: group.concat(), says: sides.left, are: sides.right });
        }
    }

    fn diagnosis(self) -> Diagnosis {
        let (position, head): (u64, ChainHash) = self.chain.verifier.head();
        Diagnosis {
            findings: self.found,
            omitted: self.omitted,
            records: self.records,
            members: self.members,
            entries: self.chain.entries,
            position,
            head,
        }
    }
}
