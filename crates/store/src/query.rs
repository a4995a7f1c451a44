//! What is looked for.

use std::sync::Arc;

use scimwright_core::{Resource, ResourceType};
use scimwright_filter::BoundFilter;

use crate::{Members, Record};

/// A page of the records that a filter selects, in the order of their `id`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query {
    /// Of which type.
    pub resource_type: Arc<ResourceType>,
    /// Which of them; all without one.
    pub filter: Option<BoundFilter>,
    /// How many to pass over.
    pub offset: usize,
    /// How many to answer at most.
    pub count: usize,
    /// Whether the answer needs members.
    pub members: Members,
    /// The base URI of the service that asks, for filters on `meta.location`.
    pub base: Arc<str>,
}

/// What a query selects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// How many in all.
    pub total: u64,
    /// Those of the page.
    pub records: Vec<Record>,
}

impl Query {
    /// The first `count` records of a type.
    #[must_use]
    pub fn new(resource_type: Arc<ResourceType>, count: usize) -> Self {
        Self { resource_type, filter: None, offset: 0, count, members: Members::None, base: "".into() }
    }

    /// Whether the filter looks at members, so that a store must show them to it.
    #[must_use]
    pub fn filters_members(&self) -> bool {
        match (&self.filter, &self.resource_type.membership) {
            (Some(filter), Some(attribute)) => filter.mentions(attribute),
            _ => false,
        }
    }

    /// Whether the record, with all that the filter looks at, is one of those looked for.
    #[must_use]
    pub fn selects(&self, record: &Record) -> bool {
        record.key.resource_type == self.resource_type.name
            && self.filter.as_ref().is_none_or(|filter| filter.matches(&self.seen(record, filter)))
    }

    /// The record as the filter sees it.
    fn seen(&self, record: &Record, filter: &BoundFilter) -> Resource {
        if filter.mentions("meta") {
            record.whole_at(&self.resource_type, &self.base)
        } else {
            record.whole(&self.resource_type)
        }
    }

    /// What the query means: its answer over records that come with all their members, in the order of their `id`.
    pub fn run(&self, all: impl IntoIterator<Item = Record>) -> Page {
        let mut page = Page::default();
        for (at, mut record) in all.into_iter().filter(|record| self.selects(record)).enumerate() {
            page.total += 1;
            if at >= self.offset && page.records.len() < self.count {
                match &self.members {
                    Members::None => record.members.clear(),
                    Members::Named(ids) => record.members.retain(|member| ids.contains(&member.id)),
                    Members::All => {}
                }
                page.records.push(record);
            }
        }
        page
    }
}
