//! What is looked for.

use std::sync::Arc;

use scimwright_core::ResourceType;
use scimwright_filter::{BoundFilter, SortBy, SortKey};
use serde::{Deserialize, Serialize};

use crate::{Endpoints, Members, Record};

/// A page of the records that are looked for, in one order.
///
/// The order is total: first by the value that each [`Part::sort`] names, where records without one come last; then by the place of
/// the record's type among the parts; then by `id`. So a query whose parts name no value is in the order of types and ids.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query {
    /// What is looked for, type by type. A type stands here once.
    pub parts: Vec<Part>,
    /// Whether the whole order is turned around: the last comes first, and so do records without a value.
    pub descending: bool,
    /// Where the page begins.
    pub start: Start,
    /// How many to answer at most.
    pub count: usize,
    /// Whether the answer needs [`Page::total`], which may cost more than the page.
    pub total: bool,
    /// The base URI of the service that asks, for filters on `meta.location` and `$ref`.
    pub base: Arc<str>,
    /// The types that it serves, whose endpoints are in every `$ref`.
    pub served: Arc<[Arc<ResourceType>]>,
}

/// What is looked for among the records of one type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part {
    /// Of which type.
    pub resource_type: Arc<ResourceType>,
    /// Which of them; all without one.
    pub filter: Option<BoundFilter>,
    /// What orders them; without one, no record of the type has a value.
    pub sort: Option<SortBy>,
    /// Whether the answer needs members.
    pub members: Members,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Behind so many records.
    Offset(usize),
    /// Behind a mark, whether or not its record is still there.
    After(Mark),
    /// Before a mark: the page is the last one that ends in front of it, and stands in the query's order all the same.
    Before(Mark),
}

/// A place in the order of a query: that of a record, when the mark was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The value by which the record was sorted.
    pub key: Option<SortKey>,
    /// The record's type.
    pub resource_type: String,
    /// The record's `id`.
    pub id: String,
}

/// What a query selects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// How many in all, wherever the page begins; none when that was not asked.
    pub total: Option<u64>,
    /// Whether there are more beyond the page: behind it, or in front of it when it was asked for by [`Start::Before`].
    pub more: bool,
    /// Those of the page.
    pub records: Vec<Record>,
    /// Where the first of them stands.
    pub first: Option<Mark>,
    /// Where the last of them stands.
    pub last: Option<Mark>,
}

/// What orders records: absent values after present ones, then the part, then the `id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Whether there is no value. The first field, for what has none comes last.
    unvalued: bool,
    key: Option<SortKey>,
    /// Which of the query's parts.
    part: usize,
    id: String,
}

impl Part {
    /// All records of a type, in the order of their `id`.
    #[must_use]
    pub fn new(resource_type: Arc<ResourceType>) -> Self {
        Self { resource_type, filter: None, sort: None, members: Members::None }
    }

    /// Whether the filter or the order looks at that attribute or extension at the top of a resource, so that a store must have it
    /// at hand.
    #[must_use]
    pub fn looks_at(&self, top_level: &str) -> bool {
        let filter = self.filter.as_ref().is_some_and(|filter| filter.mentions(top_level));
        filter || self.sort.as_ref().is_some_and(|sort| sort.mentions(top_level))
    }

    /// Whether the filter or the order looks at members, so that a store must show them all.
    #[must_use]
    pub fn looks_at_members(&self) -> bool {
        self.resource_type.membership.as_deref().is_some_and(|attribute| self.looks_at(attribute))
    }

    /// Whether the filter or the order looks at the groups of a record. Its tag, which is `meta.version`, depends on them too.
    #[must_use]
    pub fn looks_at_groups(&self) -> bool {
        let Some(groups) = self.resource_type.member_of.as_deref() else { return false };
        let filters_meta = self.filter.as_ref().is_some_and(|filter| filter.mentions("meta"));
        let sorts_meta = self.sort.as_ref().is_some_and(|sort| sort.mentions("meta")) && self.time().is_none();
        self.looks_at(groups) || filters_meta || sorts_meta
    }

    /// Whether a record is one of those looked for, and if so, the value by which it is sorted. `exact` says that the filter is
    /// known to hold. The record comes with all that filter and order look at.
    fn examine(&self, record: &Record, endpoints: Endpoints<'_>, exact: bool) -> Option<Option<SortKey>> {
        if record.key.resource_type != self.resource_type.name {
            return None;
        }
        // The times of `meta` count with every digit, not only with those that are shown.
        let time = self.time().map(|time| match time {
            Time::Created => SortKey::Instant(record.created),
            Time::Modified => SortKey::Instant(record.modified),
        });
        let filter = self.filter.as_ref().filter(|_| !exact);
        let sort = self.sort.as_ref().filter(|_| time.is_none());
        if filter.is_none() && sort.is_none() {
            return Some(time);
        }
        let refers = filter.is_some_and(|filter| filter.mentions_sub("$ref"))
            || sort.is_some_and(|sort| sort.field.sub.as_deref() == Some("$ref"));
        let seen = if refers {
            endpoints.represent(&self.resource_type, record)
        } else if self.looks_at("meta") {
            record.whole_at(&self.resource_type, endpoints.base)
        } else {
            record.whole(&self.resource_type)
        };
        if filter.is_some_and(|filter| !filter.matches(&seen)) {
            return None;
        }
        Some(time.or_else(|| sort.and_then(|sort| sort.key(&seen))))
    }

    /// Which time of `meta` the records are sorted by.
    fn time(&self) -> Option<Time> {
        match self.sort.as_ref()?.field.path.as_str() {
            "meta.lastModified" => Some(Time::Modified),
            "meta.created" => Some(Time::Created),
            _ => None,
        }
    }
}

/// The times that a store knows better than the document.
enum Time {
    Created,
    Modified,
}

impl Query {
    /// The first `count` records of a type.
    #[must_use]
    pub fn new(resource_type: Arc<ResourceType>, count: usize) -> Self {
        Self::over(vec![Part::new(resource_type)], count)
    }

    /// The first `count` records of several types, and how many there are.
    #[must_use]
    pub fn over(parts: Vec<Part>, count: usize) -> Self {
        Self {
            parts,
            descending: false,
            start: Start::Offset(0),
            count,
            total: true,
            base: "".into(),
            served: Arc::default(),
        }
    }

    /// Whether a value orders the records.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.parts.iter().any(|part| part.sort.is_some())
    }

    /// Whether the store has to walk from the end of the ascending order to its beginning.
    #[must_use]
    pub const fn is_backward(&self) -> bool {
        self.descending != matches!(self.start, Start::Before(_))
    }

    /// Where a record stands in the order, when that part selects it. The record comes with all that filter and order look at.
    #[must_use]
    pub fn place(&self, part: usize, record: &Record) -> Option<Place> {
        self.examined(part, record, false)
    }

    /// The same for a record of which a store knows that the filter selects it.
    #[must_use]
    pub fn place_of_selected(&self, part: usize, record: &Record) -> Option<Place> {
        self.examined(part, record, true)
    }

    fn examined(&self, part: usize, record: &Record, exact: bool) -> Option<Place> {
        let endpoints = Endpoints { base: &self.base, served: &self.served };
        let key = self.parts.get(part)?.examine(record, endpoints, exact)?;
        Some(Place { unvalued: key.is_none(), key, part, id: record.key.id.clone() })
    }

    /// Where a mark stands in the order. A type that is not looked for comes after all that have the mark's value.
    #[must_use]
    pub fn place_of(&self, mark: &Mark) -> Place {
        let part = self.parts.iter().position(|part| part.resource_type.name == mark.resource_type);
        let part = part.unwrap_or(self.parts.len());
        Place { unvalued: mark.key.is_none(), key: mark.key.clone(), part, id: mark.id.clone() }
    }

    /// The mark of a place.
    #[must_use]
    pub fn mark(&self, place: &Place) -> Option<Mark> {
        let resource_type = self.parts.get(place.part)?.resource_type.name.clone();
        Some(Mark { key: place.key.clone(), resource_type, id: place.id.clone() })
    }

    /// What the query means: its answer over records that come with all their members.
    pub fn run(&self, all: impl IntoIterator<Item = Record>) -> Page {
        let placed = all.into_iter().filter_map(|record| {
            let place = (0..self.parts.len()).find_map(|part| self.place(part, &record))?;
            Some((place, record))
        });
        let mut found: Vec<_> = placed.collect();
        found.sort_by(|left, right| left.0.cmp(&right.0));
        let total = self.total.then_some(found.len() as u64);
        // From here on the walk goes away from where the page begins, whichever way that is.
        if self.is_backward() {
            found.reverse();
        }
        let begin = match &self.start {
            Start::Offset(offset) => (*offset).min(found.len()),
            Start::After(mark) | Start::Before(mark) => {
                let mark = self.place_of(mark);
                let passed = |place: &Place| if self.is_backward() { *place >= mark } else { *place <= mark };
                found.iter().take_while(|(place, _)| passed(place)).count()
            }
        };
        let more = found.len() - begin > self.count;
        let page = found.into_iter().skip(begin).take(self.count);
        self.page(total, more, page.map(|(place, record)| (self.shown(place.part, record), place)).collect())
    }

    /// A page of records that come in the order of the walk, each with its place.
    #[must_use]
    pub fn page(&self, total: Option<u64>, more: bool, mut found: Vec<(Record, Place)>) -> Page {
        if matches!(self.start, Start::Before(_)) {
            found.reverse();
        }
        let mark = |edge: Option<&(Record, Place)>| edge.and_then(|(_, place)| self.mark(place));
        let (first, last) = (mark(found.first()), mark(found.last()));
        Page { total, more, records: found.into_iter().map(|(record, _)| record).collect(), first, last }
    }

    /// The record with the members that are shown.
    fn shown(&self, part: usize, mut record: Record) -> Record {
        match self.parts.get(part).map(|part| &part.members) {
            None | Some(Members::None) => record.members.clear(),
            Some(Members::Named(ids)) => record.members.retain(|member| ids.contains(&member.id)),
            Some(Members::All) => {}
        }
        record
    }
}

impl Place {
    /// Which of the query's parts.
    #[must_use]
    pub const fn part(&self) -> usize {
        self.part
    }

    /// The value by which the record is sorted.
    #[must_use]
    pub const fn key(&self) -> Option<&SortKey> {
        self.key.as_ref()
    }

    /// Whether there is such a value.
    #[must_use]
    pub const fn has_value(&self) -> bool {
        self.key.is_some()
    }

    /// The `id` of the record.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}
