//! Pages: what a query selects, in its order, in one read transaction.
//!
//! Three roads lead there. Without a sort the records come in the order of their id. A sort by an attribute that has an index walks
//! along that index. Every other sort looks at each candidate, and keeps no more of them than the page and what stands before it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};
use scimwright_core::DataType;
use scimwright_filter::SortKey;
use scimwright_store::{Members, Page, Part, Place, Query, Record, Start, TenantId};

use crate::error::Failure;
use crate::pushdown::Pushdown;
use crate::read::{HEAD, Head, RECORDS, Reader, bounded};

pub(crate) fn find(sql: &Connection, tenant: &TenantId, query: &Query) -> Result<Page, Failure> {
    Finder::new(sql, tenant, query).page()
}

/// How SQLite goes about the statements of [`find`], in its own words.
pub(crate) fn explain(sql: &Connection, tenant: &TenantId, query: &Query) -> Result<Vec<String>, Failure> {
    let finder = Finder::new(sql, tenant, query);
    let mut lines = Vec::new();
    for part in &finder.parts {
        for statement in finder.statements(part) {
            let mut prepared = sql.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text))?;
            let details = prepared.query_map(params_from_iter(statement.values), |row| row.get(3))?;
            lines.extend(details.collect::<Result<Vec<String>, _>>()?);
        }
    }
    Ok(lines)
}

/// A query under way.
struct Finder<'f> {
    query: &'f Query,
    parts: Vec<Search<'f>>,
    /// Where the page begins, when it begins at a mark.
    mark: Option<Place>,
    backward: bool,
}

/// One part of a query.
struct Search<'f> {
    at: usize,
    part: &'f Part,
    pushdown: Pushdown,
    reader: Reader<'f>,
}

/// A statement and its values.
struct Statement {
    text: String,
    values: Vec<Sql>,
}

/// The page as it grows.
struct Gathered {
    /// How many are still to be passed over.
    skip: usize,
    /// How many are wanted: one more than the page has, which tells whether there are more.
    wanted: usize,
    /// What there is, each with its place.
    records: Vec<(Record, Place)>,
}

/// What one walk through one part has met.
#[derive(Default)]
struct Walked {
    /// So many records of the part, passed over or taken.
    met: usize,
    /// Whether these are all from where the walk began.
    all: bool,
}

impl<'f> Finder<'f> {
    fn new(sql: &'f Connection, tenant: &'f TenantId, query: &'f Query) -> Self {
        let search = |(at, part): (usize, &'f Part)| {
            let reader = Reader { sql, tenant, resource_type: &part.resource_type.name };
            Search { at, part, pushdown: Pushdown::of(part), reader }
        };
        let parts = query.parts.iter().enumerate().map(search).collect();
        let mark = match &query.start {
            Start::Offset(_) => None,
            Start::After(mark) | Start::Before(mark) => Some(query.place_of(mark)),
        };
        Self { query, parts, mark, backward: query.is_backward() }
    }

    fn page(&self) -> Result<Page, Failure> {
        let mut total = 0;
        let skip = match self.query.start {
            Start::Offset(offset) => offset,
            Start::After(_) | Start::Before(_) => 0,
        };
        let mut gathered = Gathered { skip, wanted: self.query.count.saturating_add(1), records: Vec::new() };
        if self.query.is_sorted() {
            let walked = match self.index() {
                Some((search, index)) => self.along(search, &index, &mut gathered, &mut total)?,
                None => false,
            };
            if !walked {
                gathered.records.clear();
                (gathered.skip, total) = (skip, 0);
                self.best(&mut gathered, &mut total)?;
            }
        } else {
            self.by_id(&mut gathered, &mut total)?;
        }
        let Gathered { mut records, .. } = gathered;
        let more = records.len() > self.query.count;
        records.truncate(self.query.count);
        for (record, place) in &mut records {
            self.complete(record, place.part())?;
        }
        Ok(self.query.page(self.query.total.then_some(total), more, records))
    }

    /// The parts in the order of the walk.
    fn in_order(&self) -> impl Iterator<Item = &Search<'f>> {
        let last = self.parts.len();
        (0..last).filter_map(move |at| self.parts.get(if self.backward { last - 1 - at } else { at }))
    }

    /// Part after part, each in the order of ids.
    fn by_id(&self, gathered: &mut Gathered, total: &mut u64) -> Result<(), Failure> {
        for search in self.in_order() {
            let from = match self.stands(search) {
                Stands::Before => None,
                Stands::Within(id) => Some(id),
                Stands::Behind => {
                    *total += if self.query.total { search.count(self.query)? } else { 0 };
                    continue;
                }
            };
            if gathered.is_full() {
                if !self.query.total {
                    break;
                }
                *total += search.count(self.query)?;
                continue;
            }
            let statement = self.id_statement(search, from.as_deref());
            let walked = if search.pushdown.exact {
                self.take(search, statement, gathered)?
            } else {
                self.sift(search, &statement, gathered)?
            };
            if self.query.total {
                let counted = walked.all && from.is_none();
                *total += if counted { walked.met as u64 } else { search.count(self.query)? };
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

    /// What SQLite selects exactly: it also counts what is passed over.
    fn take(&self, search: &Search<'_>, mut statement: Statement, gathered: &mut Gathered) -> Result<Walked, Failure> {
        let room = gathered.wanted - gathered.records.len();
        let place = statement.values.len();
        statement.text.push_str(&format!(" LIMIT ?{} OFFSET ?{}", place + 1, place + 2));
        statement.values.extend([bounded(room), bounded(gathered.skip)]);
        let mut found = 0;
        search.reader.each(&statement.text, &statement.values, |row| {
            let record = search.reader.record(Head::read(row)?)?;
            let place = self.query.place_of_selected(search.at, &record);
            gathered.records.extend(place.map(|place| (record, place)));
            found += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        // A page that is not full is the last one and tells the total: a lookup by a unique key is one statement.
        if found == room {
            gathered.skip = 0;
            return Ok(Walked { met: found, all: false });
        }
        let met = if found > 0 || gathered.skip == 0 {
            gathered.skip + found
        } else {
            usize::try_from(search.count(self.query)?).unwrap_or(usize::MAX)
        };
        gathered.skip = gathered.skip.saturating_sub(met);
        Ok(Walked { met, all: true })
    }

    /// What SQLite can only narrow down: each candidate is asked, one at a time in memory.
    fn sift(&self, search: &Search<'_>, statement: &Statement, gathered: &mut Gathered) -> Result<Walked, Failure> {
        let mut walked = Walked { met: 0, all: true };
        search.reader.each(&statement.text, &statement.values, |row| {
            if gathered.is_full() && !self.query.total {
                walked.all = false;
                return Ok(ControlFlow::Break(()));
            }
            let record = search.seen(row)?;
            if let Some(place) = self.query.place(search.at, &record) {
                walked.met += 1;
                gathered.offer(record, place);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(walked)
    }

    /// Along an index: those that have a value, and then, or before when the walk goes backward, those that have none. Answers whether
    /// the index knows everybody: an attribute may have got it after records were written.
    fn along(
        &self,
        search: &Search<'_>,
        index: &Index,
        gathered: &mut Gathered,
        total: &mut u64,
    ) -> Result<bool, Failure> {
        if self.query.total {
            *total = search.count(self.query)?;
        }
        let absent = search.absent(index)?;
        let regions = if self.backward { [Region::Without, Region::With] } else { [Region::With, Region::Without] };
        for region in regions {
            if gathered.is_full() || (region == Region::Without && absent == 0) {
                continue;
            }
            let Some(statement) = self.along_statement(search, index, region) else { continue };
            let mut whole = true;
            search.reader.each(&statement.text, &statement.values, |row| {
                if gathered.is_full() {
                    return Ok(ControlFlow::Break(()));
                }
                // Nothing is read of what is only passed over.
                if gathered.skip > 0 && search.pushdown.exact && region == Region::With {
                    gathered.skip -= 1;
                    return Ok(ControlFlow::Continue(()));
                }
                let Some(place) = self.placed(search, row)? else { return Ok(ControlFlow::Continue(())) };
                if region == Region::Without && place.1.has_value() {
                    whole = false;
                    return Ok(ControlFlow::Break(()));
                }
                gathered.offer(place.0, place.1);
                Ok(ControlFlow::Continue(()))
            })?;
            if !whole {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A candidate and its place, if the query selects it.
    fn placed(&self, search: &Search<'_>, row: &Row<'_>) -> Result<Option<(Record, Place)>, Failure> {
        let record = search.seen(row)?;
        let place = if search.pushdown.exact {
            self.query.place_of_selected(search.at, &record)
        } else {
            self.query.place(search.at, &record)
        };
        Ok(place.map(|place| (record, place)))
    }

    /// The best of all candidates. What is kept of each is its place, and of no more than the page and what stands before it.
    fn best(&self, gathered: &mut Gathered, total: &mut u64) -> Result<(), Failure> {
        let room = gathered.skip.saturating_add(gathered.wanted);
        let mark = self.mark.clone().map(|mark| self.candidate(mark));
        let mut heap = BinaryHeap::new();
        for search in &self.parts {
            let statement = search.candidates();
            search.reader.each(&statement.text, &statement.values, |row| {
                let Some((_, place)) = self.placed(search, row)? else { return Ok(ControlFlow::Continue(())) };
                *total += 1;
                let candidate = self.candidate(place);
                if mark.as_ref().is_none_or(|mark| candidate > *mark) {
                    heap.push(candidate);
                    if heap.len() > room {
                        heap.pop();
                    }
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        for Candidate { place, .. } in heap.into_sorted_vec().into_iter().skip(gathered.skip) {
            let Some(search) = self.parts.get(place.part()) else { continue };
            let record = search.reader.one(place.id())?;
            gathered.records.extend(record.map(|record| (record, place)));
        }
        Ok(())
    }

    fn candidate(&self, place: Place) -> Candidate {
        Candidate { place, backward: self.backward }
    }

    /// Adds the rows that a page shows.
    fn complete(&self, record: &mut Record, part: usize) -> Result<(), Failure> {
        if let Some(search) = self.parts.get(part) {
            record.members = search.reader.members(&record.key.id, &search.part.members)?;
            record.member_of = search.reader.member_of(&record.key.id)?;
        }
        Ok(())
    }

    /// The index along which the order of the query lies; none where there is none, or where a search leads to few candidates.
    fn index(&self) -> Option<(&Search<'f>, Index)> {
        let [search] = self.parts.as_slice() else { return None };
        let sort = search.part.sort.as_ref()?;
        let field = &sort.field;
        // To count what only memory can select, every candidate has to be looked at anyway.
        if search.pushdown.driven || (self.query.total && !search.pushdown.exact) {
            return None;
        }
        // An index has one type, and cannot tell where a mark of another one stands.
        if self.mark.as_ref().is_some_and(|mark| mark.part() != search.at) {
            return None;
        }
        let index = match field.path.as_str() {
            "id" => Index::Id,
            "meta.lastModified" => Index::Modified,
            path => {
                let known = search.part.resource_type.indexes.iter().any(|index| index.path == path);
                let text = matches!(field.data_type, DataType::String | DataType::Reference | DataType::Binary);
                if !known || !text || field.multi_valued {
                    return None;
                }
                Index::Key { path: path.to_owned() }
            }
        };
        let fits = self.mark.as_ref().and_then(Place::key).is_none_or(|key| index.value(key).is_some());
        fits.then_some((search, index))
    }

    /// The records of one region, from the mark on. None when the walk has passed the region, or nobody is in it.
    fn along_statement(&self, search: &Search<'_>, index: &Index, region: Region) -> Option<Statement> {
        let mut statement = Statement { text: String::new(), values: search.values() };
        let mark = self.mark.as_ref();
        let marked = mark.is_some_and(Place::has_value);
        let (above, direction) = if self.backward { ("<", "DESC") } else { (">", "ASC") };
        let condition = &search.pushdown.condition;
        match region {
            Region::With => {
                // Behind a mark without a value, going forward, there is nobody who has one.
                if mark.is_some() && !marked && !self.backward {
                    return None;
                }
                let (from, value, id) = index.walk(&mut statement);
                let beyond = mark.filter(|_| marked).and_then(|mark| Some((index.value(mark.key()?)?, mark.id())));
                let beyond = beyond.map(|(key, own)| {
                    let (key, own) = (statement.place(key), statement.place(Sql::Text(own.to_owned())));
                    format!(" AND ({value}, {id}) {above} ({key}, {own})")
                });
                let beyond = beyond.unwrap_or_default();
                statement.text = format!(
                    "SELECT {HEAD} FROM {from}{beyond}{condition} ORDER BY {value} {direction}, {id} {direction}"
                );
            }
            Region::Without => {
                let Index::Key { path } = index else { return None };
                if marked && self.backward {
                    return None;
                }
                // `keys` is a list of lists in JSON, where only a quote that opens a text stands directly behind a comma: inside a text
                // there is a backslash between them.
                let path = statement.place(Sql::Text(format!(",\"{path}\",")));
                let beyond = mark.filter(|_| !marked).map(|mark| mark.id().to_owned());
                let beyond = beyond.map(|id| format!(" AND r.id {above} {}", statement.place(Sql::Text(id))));
                let beyond = beyond.unwrap_or_default();
                statement.text = format!(
                    "SELECT {HEAD} FROM {RECORDS} WHERE r.tenant = ?1 AND r.type = ?2{beyond} \
                     AND instr(r.keys, {path}) = 0{condition} ORDER BY r.id {direction}"
                );
            }
        }
        Some(statement)
    }

    fn id_statement(&self, search: &Search<'_>, from: Option<&str>) -> Statement {
        let Pushdown { id, driven, .. } = &search.pushdown;
        let mut statement = Statement { text: String::new(), values: search.values() };
        let (above, direction) = if self.backward { ("<", "DESC") } else { (">", "ASC") };
        let beyond = from.map(|from| {
            let from = statement.place(Sql::Text(from.to_owned()));
            // Where a list of ids leads, the mark must not.
            let id = if *driven && *id == "r.id" { "+r.id" } else { id };
            format!(" AND {id} {above} {from}")
        });
        statement.text = format!("{}{} ORDER BY {id} {direction}", search.selection(HEAD), beyond.unwrap_or_default());
        statement
    }

    /// The statements that a page of this part may need.
    fn statements(&self, search: &Search<'_>) -> Vec<Statement> {
        let mut statements = Vec::new();
        if self.query.total && search.pushdown.exact {
            statements.push(search.count_statement());
        }
        match self.index() {
            Some((search, index)) => statements.extend(
                [Region::With, Region::Without]
                    .map(|it| self.along_statement(search, &index, it))
                    .into_iter()
                    .flatten(),
            ),
            None if self.query.is_sorted() => statements.push(search.candidates()),
            None => {
                let from = match self.stands(search) {
                    Stands::Within(id) => Some(id),
                    Stands::Before | Stands::Behind => None,
                };
                statements.push(self.id_statement(search, from.as_deref()));
            }
        }
        statements
    }
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

/// Records that have a value to be sorted by, or none.
#[derive(Clone, Copy, PartialEq)]
enum Region {
    With,
    Without,
}

/// An index in whose order a query can be answered.
enum Index {
    Id,
    Modified,
    Key { path: String },
}

impl Index {
    /// What the walk goes over, and the columns with the value and the id.
    fn walk(&self, statement: &mut Statement) -> (String, &'static str, &'static str) {
        match self {
            Self::Id => (format!("{RECORDS} WHERE r.tenant = ?1 AND r.type = ?2"), "r.id", "r.id"),
            Self::Modified => {
                let from = "scim_record AS r INDEXED BY scim_record_by_time WHERE r.tenant = ?1 AND r.type = ?2";
                (from.to_owned(), "r.modified", "r.id")
            }
            Self::Key { path } => {
                let path = statement.place(Sql::Text(path.clone()));
                let from = format!(
                    "scim_key AS s CROSS JOIN {RECORDS} ON r.id = s.id \
                     WHERE s.tenant = ?1 AND s.type = ?2 AND s.path = {path} AND r.tenant = ?1 AND r.type = ?2"
                );
                (from, "s.value", "s.id")
            }
        }
    }

    /// A value as the index has it; none when it cannot have it.
    fn value(&self, key: &SortKey) -> Option<Sql> {
        match (self, key) {
            (Self::Id | Self::Key { .. }, SortKey::Text(text)) => Some(Sql::Text(text.clone())),
            (Self::Modified, SortKey::Instant(instant)) => {
                instant.utc().and_utc().timestamp_nanos_opt().map(Sql::Integer)
            }
            _ => None,
        }
    }
}

impl Search<'_> {
    fn values(&self) -> Vec<Sql> {
        let first = [self.reader.tenant.as_str(), self.reader.resource_type].map(|text| Sql::Text(text.to_owned()));
        first.into_iter().chain(self.pushdown.values.iter().cloned()).collect()
    }

    fn selection(&self, columns: &str) -> String {
        let Pushdown { from, condition, .. } = &self.pushdown;
        format!("SELECT {columns} FROM {from} WHERE r.tenant = ?1 AND r.type = ?2{condition}")
    }

    /// Everybody who may be selected, in any order.
    fn candidates(&self) -> Statement {
        Statement { text: self.selection(HEAD), values: self.values() }
    }

    fn count_statement(&self) -> Statement {
        let text = match self.part.filter {
            None => "SELECT count FROM scim_count WHERE tenant = ?1 AND type = ?2".to_owned(),
            Some(_) => self.selection("count(*)"),
        };
        Statement { text, values: self.values() }
    }

    /// How many records the part selects.
    fn count(&self, query: &Query) -> Result<u64, Failure> {
        let mut count = 0;
        if self.pushdown.exact {
            let statement = self.count_statement();
            self.reader.each(&statement.text, &statement.values, |row| {
                count = row.get(0)?;
                Ok(ControlFlow::Continue(()))
            })?;
        } else {
            let statement = self.candidates();
            self.reader.each(&statement.text, &statement.values, |row| {
                count += u64::from(query.place(self.at, &self.seen(row)?).is_some());
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(count)
    }

    /// How many records of the type the index does not have.
    fn absent(&self, index: &Index) -> Result<u64, Failure> {
        let Index::Key { path } = index else { return Ok(0) };
        let mut statement = self.reader.sql.prepare_cached(
            "SELECT coalesce((SELECT count FROM scim_count WHERE tenant = ?1 AND type = ?2), 0) \
             - coalesce((SELECT count FROM scim_keyed WHERE tenant = ?1 AND type = ?2 AND path = ?3), 0)",
        )?;
        let values = rusqlite::params![self.reader.tenant.as_str(), self.reader.resource_type, path];
        Ok(statement.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// A candidate with the rows that the filter and the order look at.
    fn seen(&self, row: &Row<'_>) -> Result<Record, Failure> {
        let mut record = self.reader.record(Head::read(row)?)?;
        if self.part.looks_at_members() {
            record.members = self.reader.members(&record.key.id, &Members::All)?;
        }
        if self.part.looks_at_groups() {
            record.member_of = self.reader.member_of(&record.key.id)?;
        }
        Ok(record)
    }
}

impl Statement {
    fn place(&mut self, value: Sql) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }
}

impl Gathered {
    const fn is_full(&self) -> bool {
        self.records.len() >= self.wanted
    }

    /// Passes a record over, takes it, or leaves it when there is no room.
    fn offer(&mut self, record: Record, place: Place) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.is_full() {
            self.records.push((record, place));
        }
    }
}

/// A place that is greater the later the walk comes to it.
#[derive(PartialEq, Eq)]
struct Candidate {
    place: Place,
    backward: bool,
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

#[cfg(test)]
mod tests;
