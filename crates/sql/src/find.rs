//! Pages: what a query selects, in its order, in one read transaction.
//!
//! Three roads lead there. Without a sort the records come in the order of their id. A sort by an attribute that has an index walks
//! along that index. Every other sort looks at each candidate, and keeps no more of them than the page and what stands before it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ops::ControlFlow;

use scimwright_store::{Page, Place, Query, Record, Start, TenantId};

use crate::pushdown::Pushdown;
use crate::read::Reader;
use crate::search::{Direction, Index, Region, Search};
use crate::source::{Beside, Walk};
use crate::{Dialect, Source, Statement};

use gathered::{Candidate, Gathered, Walked};

mod gathered;
mod statements;
#[cfg(test)]
mod tests;

pub use statements::statements;

/// What a query selects, as [`Store::find`](scimwright_store::Store::find) promises it. The source is one read transaction.
///
/// Memory is that of the page and of some hundreds of candidates; a sort that no index has keeps the places of what stands before
/// the page as well.
///
/// # Errors
///
/// When the source fails or has rows that nobody has written.
pub async fn find<S: Source>(
    source: &mut S,
    dialect: Dialect,
    tenant: &TenantId,
    query: &Query,
) -> Result<Page, S::Error> {
    Finder::new(dialect, tenant, query).page(source).await
}

/// A query under way.
struct Finder<'f> {
    query: &'f Query,
    parts: Vec<Search<'f>>,
    /// Where the page begins, when it begins at a mark.
    mark: Option<Place>,
    backward: bool,
}

/// Where a walk begins, seen from a part.
enum Stands {
    /// Before its first record.
    Before,
    /// Among its records, at an id.
    Within(String),
    /// Behind its last record.
    Behind,
}

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());
const ENOUGH: ControlFlow<()> = ControlFlow::Break(());

impl<'f> Finder<'f> {
    fn new(dialect: Dialect, tenant: &'f TenantId, query: &'f Query) -> Self {
        let parts = query.parts.iter().enumerate().map(|(at, part)| {
            let reader = Reader { dialect, tenant, resource_type: &part.resource_type.name };
            Search { at, part, pushdown: Pushdown::of(dialect, part), reader }
        });
        let mark = match &query.start {
            Start::Offset(_) => None,
            Start::After(mark) | Start::Before(mark) => Some(query.place_of(mark)),
        };
        Self { query, parts: parts.collect(), mark, backward: query.is_backward() }
    }

    async fn page<S: Source>(&self, source: &mut S) -> Result<Page, S::Error> {
        let mut total = 0;
        let skip = match self.query.start {
            Start::Offset(offset) => offset,
            Start::After(_) | Start::Before(_) => 0,
        };
        let mut gathered = Gathered { skip, wanted: self.query.count.saturating_add(1), records: Vec::new() };
        if self.query.is_sorted() {
            let walked = match self.index() {
                Some((search, index)) => self.along(source, search, &index, &mut gathered, &mut total).await?,
                None => false,
            };
            if !walked {
                gathered.records.clear();
                (gathered.skip, total) = (skip, 0);
                self.best(source, &mut gathered, &mut total).await?;
            }
        } else {
            self.by_id(source, &mut gathered, &mut total).await?;
        }
        let Gathered { mut records, .. } = gathered;
        let more = records.len() > self.query.count;
        records.truncate(self.query.count);
        let records = self.complete(source, records).await?;
        Ok(self.query.page(self.query.total.then_some(total), more, records))
    }

    /// The parts in the order of the walk.
    fn in_order(&self) -> impl Iterator<Item = &Search<'f>> {
        let last = self.parts.len();
        (0..last).filter_map(move |at| self.parts.get(if self.backward { last - 1 - at } else { at }))
    }

    const fn direction(&self) -> Direction {
        Direction { backward: self.backward }
    }

    /// Part after part, each in the order of ids.
    async fn by_id<S: Source>(&self, source: &mut S, gathered: &mut Gathered, total: &mut u64) -> Result<(), S::Error> {
        for search in self.in_order() {
            let from = match self.stands(search) {
                Stands::Before => None,
                Stands::Within(id) => Some(id),
                Stands::Behind => {
                    *total += if self.query.total { self.count(source, search).await? } else { 0 };
                    continue;
                }
            };
            if gathered.is_full() {
                if !self.query.total {
                    break;
                }
                *total += self.count(source, search).await?;
                continue;
            }
            let statement = search.by_id(self.direction(), from.as_deref());
            let walked = if search.pushdown.exact {
                self.take(source, search, &statement, &search.count(), gathered).await?
            } else {
                self.sift(source, search, &statement, gathered).await?
            };
            if self.query.total {
                let counted = walked.all && from.is_none();
                *total += if counted { walked.met as u64 } else { self.count(source, search).await? };
            }
        }
        Ok(())
    }

    /// Where the mark stands, seen from a part whose records have no value to be sorted by.
    fn stands(&self, search: &Search<'_>) -> Stands {
        let Some(mark) = &self.mark else { return Stands::Before };
        // Whatever has a value stands in front of whatever has none.
        let order = if mark.has_value() { Ordering::Greater } else { search.at.cmp(&mark.part()) };
        match if self.backward { order.reverse() } else { order } {
            Ordering::Less => Stands::Behind,
            Ordering::Equal => Stands::Within(mark.id().to_owned()),
            Ordering::Greater => Stands::Before,
        }
    }

    /// What the database selects exactly: it also passes over what stands before the page. How many the statement has without a page
    /// is what `count` tells.
    async fn take<S: Source>(
        &self,
        source: &mut S,
        search: &Search<'_>,
        statement: &Statement,
        count: &Statement,
        gathered: &mut Gathered,
    ) -> Result<Walked, S::Error> {
        let room = gathered.wanted - gathered.records.len();
        let rows = source.rows(&statement.part(search.reader.dialect, room, gathered.skip)).await?;
        let found = rows.len();
        for row in rows {
            let record = search.reader.record(row)?;
            let place = self.query.place_of_selected(search.at, &record);
            gathered.records.extend(place.map(|place| (record, place)));
        }
        // A page that is not full is the last one and tells the total: a lookup by a unique key is one statement.
        if found == room {
            gathered.skip = 0;
            return Ok(Walked { met: found, all: false });
        }
        let met = if found > 0 || gathered.skip == 0 {
            gathered.skip + found
        } else {
            usize::try_from(number(source, count).await?).unwrap_or(usize::MAX)
        };
        gathered.skip = gathered.skip.saturating_sub(met);
        Ok(Walked { met, all: true })
    }

    /// What the database can only narrow down: each candidate is asked, some at a time in memory.
    async fn sift<S: Source>(
        &self,
        source: &mut S,
        search: &Search<'_>,
        statement: &Statement,
        gathered: &mut Gathered,
    ) -> Result<Walked, S::Error> {
        let mut walked = Walked { met: 0, all: true };
        let enough = gathered.room();
        let mut each = |record| {
            if gathered.is_full() && !self.query.total {
                walked.all = false;
                return ENOUGH;
            }
            if let Some(place) = self.query.place(search.at, &record) {
                walked.met += 1;
                gathered.offer(record, place);
            }
            GO_ON
        };
        source.walk(statement, &mut self.walk(search, enough, &mut each)).await?;
        Ok(walked)
    }

    /// A walk through candidates, each with the rows that the filter and the order look at.
    fn walk<'w>(
        &self,
        search: &'w Search<'_>,
        enough: usize,
        each: &'w mut (dyn FnMut(Record) -> ControlFlow<()> + Send),
    ) -> Walk<'w> {
        let beside = Beside { members: search.part.looks_at_members(), groups: search.part.looks_at_groups() };
        Walk::new(search.reader, beside, enough, each)
    }

    /// Along an index: those that have a value, and then, or before when the walk goes backward, those that have none. Answers whether
    /// the index knows everybody: an attribute may have got it after records were written.
    async fn along<S: Source>(
        &self,
        source: &mut S,
        search: &Search<'_>,
        index: &Index,
        gathered: &mut Gathered,
        total: &mut u64,
    ) -> Result<bool, S::Error> {
        if self.query.total {
            *total = self.count(source, search).await?;
        }
        let absent = match search.absent(index) {
            Some(statement) => number(source, &statement).await?,
            None => 0,
        };
        let regions = if self.backward { [Region::Without, Region::With] } else { [Region::With, Region::Without] };
        for region in regions {
            if gathered.is_full() || (region == Region::Without && absent == 0) {
                continue;
            }
            let statement = search.along(index, region, self.direction(), self.mark.as_ref());
            let Some(statement) = statement else { continue };
            if region == Region::With && search.pushdown.exact {
                let count = search.counted(statement.clone());
                self.take(source, search, &statement, &count, gathered).await?;
            } else if !self.sift_region(source, search, &statement, region, gathered).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What stands in one region of an index. Answers whether it belongs there.
    async fn sift_region<S: Source>(
        &self,
        source: &mut S,
        search: &Search<'_>,
        statement: &Statement,
        region: Region,
        gathered: &mut Gathered,
    ) -> Result<bool, S::Error> {
        let mut whole = true;
        let enough = gathered.room();
        let mut each = |record| {
            if gathered.is_full() {
                return ENOUGH;
            }
            let Some(place) = self.placed(search, &record) else { return GO_ON };
            if region == Region::Without && place.has_value() {
                whole = false;
                return ENOUGH;
            }
            gathered.offer(record, place);
            GO_ON
        };
        source.walk(statement, &mut self.walk(search, enough, &mut each)).await?;
        Ok(whole)
    }

    /// The place of a candidate, if the query selects it.
    fn placed(&self, search: &Search<'_>, record: &Record) -> Option<Place> {
        if search.pushdown.exact {
            self.query.place_of_selected(search.at, record)
        } else {
            self.query.place(search.at, record)
        }
    }

    /// The best of all candidates. What is kept of each is its place, and of no more than the page and what stands before it.
    async fn best<S: Source>(&self, source: &mut S, gathered: &mut Gathered, total: &mut u64) -> Result<(), S::Error> {
        let room = gathered.skip.saturating_add(gathered.wanted);
        let mark = self.mark.clone().map(|mark| self.candidate(mark));
        let mut heap = BinaryHeap::new();
        for search in &self.parts {
            let mut each = |record| {
                let Some(place) = self.placed(search, &record) else { return GO_ON };
                *total += 1;
                let candidate = self.candidate(place);
                if mark.as_ref().is_none_or(|mark| candidate > *mark) {
                    heap.push(candidate);
                    if heap.len() > room {
                        heap.pop();
                    }
                }
                GO_ON
            };
            source.walk(&search.candidates(), &mut self.walk(search, usize::MAX, &mut each)).await?;
        }
        let places = heap.into_sorted_vec().into_iter().skip(gathered.skip).map(|candidate| candidate.place);
        gathered.records = self.records(source, places.collect()).await?;
        Ok(())
    }

    /// The records that stand at these places.
    async fn records<S: Source>(&self, source: &mut S, places: Vec<Place>) -> Result<Vec<(Record, Place)>, S::Error> {
        let mut found = HashMap::new();
        for search in &self.parts {
            let ids = places.iter().filter(|place| place.part() == search.at).map(|place| place.id().to_owned());
            let ids: Vec<_> = ids.collect();
            if !ids.is_empty() {
                let records = search.reader.records(source, &ids).await?;
                found.extend(records.into_iter().map(|record| (record.key.id.clone(), record)));
            }
        }
        // An id is unique over all types.
        Ok(places.into_iter().filter_map(|place| Some((found.remove(place.id())?, place))).collect())
    }

    fn candidate(&self, place: Place) -> Candidate {
        Candidate { place, backward: self.backward }
    }

    /// Adds the rows that a page shows.
    async fn complete<S: Source>(
        &self,
        source: &mut S,
        records: Vec<(Record, Place)>,
    ) -> Result<Vec<(Record, Place)>, S::Error> {
        let (mut parts, mut places) = (BTreeMap::<_, Vec<_>>::new(), Vec::with_capacity(records.len()));
        for (record, place) in records {
            parts.entry(place.part()).or_default().push(record);
            places.push(place);
        }
        for (at, records) in &mut parts {
            let Some(search) = self.parts.get(*at) else { continue };
            search.reader.add_members(source, records, &search.part.members).await?;
            search.reader.add_groups(source, records).await?;
        }
        let mut parts: HashMap<_, _> = parts.into_iter().map(|(at, records)| (at, records.into_iter())).collect();
        let completed = places.into_iter().filter_map(|place| Some((parts.get_mut(&place.part())?.next()?, place)));
        Ok(completed.collect())
    }

    /// The index along which the order of the query lies.
    fn index(&self) -> Option<(&Search<'f>, Index)> {
        let [search] = self.parts.as_slice() else { return None };
        Index::of(search, self.query, self.mark.as_ref()).map(|index| (search, index))
    }

    /// How many records a part selects.
    async fn count<S: Source>(&self, source: &mut S, search: &Search<'_>) -> Result<u64, S::Error> {
        if search.pushdown.exact {
            return number(source, &search.count()).await;
        }
        let mut count = 0;
        let mut each = |record| {
            count += u64::from(self.query.place(search.at, &record).is_some());
            GO_ON
        };
        source.walk(&search.candidates(), &mut self.walk(search, usize::MAX, &mut each)).await?;
        Ok(count)
    }
}

/// The number that a statement answers; none is nothing.
async fn number<S: Source>(source: &mut S, statement: &Statement) -> Result<u64, S::Error> {
    match source.rows(statement).await?.pop() {
        Some(row) => Ok(row.cells().integer()?.unsigned_abs()),
        None => Ok(0),
    }
}
