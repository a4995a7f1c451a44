//! What is asked of a service provider, and why some of it is not proved.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// `requirements.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    /// What the requirements are about, in their order.
    pub(crate) parts: Vec<Part>,
    pub(crate) requirements: Vec<Requirement>,
    /// What we decided where the RFCs are silent or contradict themselves.
    pub(crate) rulings: Vec<Ruling>,
    /// Those that change what a server does.
    pub(crate) errata: Vec<Erratum>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) title: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirement {
    pub(crate) id: String,
    pub(crate) section: String,
    pub(crate) level: String,
    pub(crate) requirement: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ruling {
    pub(crate) id: String,
    pub(crate) point: String,
    pub(crate) ruling: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erratum {
    pub(crate) id: String,
    pub(crate) rfc: u16,
    pub(crate) section: String,
    pub(crate) effect: String,
}

/// The part that an id belongs to.
pub(crate) fn part(id: &str) -> &str {
    id.split_once('-').map_or(id, |(part, _)| part)
}

impl Spec {
    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The ids of all rows, in their order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let requirements = self.requirements.iter().map(|row| row.id.as_str());
        requirements.chain(self.rulings.iter().map(|row| &*row.id)).chain(self.errata.iter().map(|row| &*row.id))
    }

    /// The requirements of a part.
    pub(crate) fn of<'s>(&'s self, id: &'s str) -> impl Iterator<Item = &'s Requirement> {
        self.requirements.iter().filter(move |row| part(&row.id) == id)
    }

    /// Rows of one id, and rows of no part.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let twice = self.ids().filter(|id| !seen.insert(*id)).map(|id| format!("{id} is there twice"));
        let parts: BTreeSet<&str> = self.parts.iter().map(|part| &*part.id).collect();
        let stray = self.requirements.iter().filter(|row| !parts.contains(part(&row.id)));
        twice.chain(stray.map(|row| format!("{} is of no part", row.id))).collect()
    }
}

/// Why something is not proved.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    pub(crate) status: Status,
    pub(crate) reason: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum Status {
    /// It binds somebody else, or what we do not take up.
    #[serde(rename = "not applicable")]
    NotApplicable,
    /// It is ours to do, and not done.
    #[serde(rename = "not done")]
    NotDone,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "not applicable",
            Self::NotDone => "not done",
        }
    }
}

/// `reasons.json`, by id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Reasons(pub(crate) BTreeMap<String, Reason>);

impl Reasons {
    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}
