//! What runs statements: a read transaction of a store.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;

use scimwright_store::{Members, Record};

use crate::Statement;
use crate::read::Reader;

/// A read transaction, in which every statement sees the same state.
///
/// The futures need not be `Send`; those of [`find`](crate::find) and [`get`](crate::get) are whenever those of the source are.
pub trait Source {
    /// Why a statement was not answered.
    type Error: From<Damaged>;

    /// All rows of a statement that has few: as many as the page, and one more.
    ///
    /// # Errors
    ///
    /// When the database fails.
    fn rows(&mut self, statement: &Statement) -> impl Future<Output = Result<Vec<Row>, Self::Error>>;

    /// The rows of a statement that may have very many, batch by batch: [`Walk::size`] rows are read and given to [`Walk::take`],
    /// until there are no more or it says [`ControlFlow::Break`]. It asks the source for more while the walk is under way.
    ///
    /// Rows that are not in memory yet are left in the database: SQLite keeps the statement open, PostgreSQL a cursor. Of PostgreSQL
    /// every such statement orders its rows by something that no two of them share, so that it may also be run part by part:
    /// [`Statement::part`] is the first batch, which is often the last, and a cursor goes on behind it.
    ///
    /// # Errors
    ///
    /// When the database fails, or what [`Walk::take`] answers.
    fn walk(&mut self, statement: &Statement, walk: &mut Walk<'_>) -> impl Future<Output = Result<(), Self::Error>>;
}

/// One row of an answer, column by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Cell>);

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number: `INTEGER` of SQLite, `bigint` of PostgreSQL.
    Integer(i64),
    /// A text.
    Text(String),
}

/// A row is not what was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damaged {
    /// A column is missing or has another type.
    #[error("a row of the database has other columns than it should")]
    Columns,
    /// A document is no JSON.
    #[error("what is stored is not what was written")]
    Json(#[from] serde_json::Error),
}

/// A walk through candidates, with all that the query looks at beside each of them.
pub struct Walk<'w> {
    reader: Reader<'w>,
    beside: Beside,
    size: usize,
    each: &'w mut (dyn FnMut(Record) -> ControlFlow<()> + Send),
}

/// What is read beside each candidate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside {
    pub(crate) members: bool,
    pub(crate) groups: bool,
}

/// No batch has more rows than this.
const ROWS: usize = 256;

/// Members are read for no more groups at once than have so many together; a group of more is read by itself.
const MEMBERS: u64 = 10_000;

impl<'w> Walk<'w> {
    /// A walk that hands each candidate to `each`, of which so many are probably enough.
    pub(crate) fn new(
        reader: Reader<'w>,
        beside: Beside,
        enough: usize,
        each: &'w mut (dyn FnMut(Record) -> ControlFlow<()> + Send),
    ) -> Self {
        Self { reader, beside, size: enough.clamp(1, ROWS), each }
    }

    /// How many rows to read next: first what is probably enough, then more and more, up to some hundreds.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Takes the next rows, and says whether to go on.
    ///
    /// # Errors
    ///
    /// When a row is damaged, or the source fails to read what stands beside the candidates.
    pub async fn take<S: Source>(&mut self, source: &mut S, rows: Vec<Row>) -> Result<ControlFlow<()>, S::Error> {
        self.size = self.size.saturating_mul(2).min(ROWS);
        let (mut batch, mut members) = (Vec::new(), 0);
        for row in rows {
            let record = self.reader.record(row)?;
            let more = if self.beside.members { record.member_count } else { 0 };
            if members + more > MEMBERS && !batch.is_empty() {
                if self.hand(source, std::mem::take(&mut batch)).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                members = 0;
            }
            members += more;
            batch.push(record);
        }
        self.hand(source, batch).await
    }

    async fn hand<S: Source>(&mut self, source: &mut S, mut records: Vec<Record>) -> Result<ControlFlow<()>, S::Error> {
        let wanted = if self.beside.members { Members::All } else { Members::None };
        self.reader.add_members(source, &mut records, &wanted).await?;
        if self.beside.groups {
            self.reader.add_groups(source, &mut records).await?;
        }
        Ok(records.into_iter().try_for_each(&mut self.each))
    }
}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Walk").field("beside", &self.beside).field("size", &self.size).finish_non_exhaustive()
    }
}

/// The cells of a row, one after the other.
pub(crate) struct Cells(std::vec::IntoIter<Cell>);

impl Row {
    pub(crate) fn cells(self) -> Cells {
        Cells(self.0.into_iter())
    }
}

impl Cells {
    pub(crate) fn text(&mut self) -> Result<String, Damaged> {
        self.optional_text()?.ok_or(Damaged::Columns)
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, Damaged> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(Cell::Null) => Ok(None),
            _ => Err(Damaged::Columns),
        }
    }

    pub(crate) fn integer(&mut self) -> Result<i64, Damaged> {
        match self.0.next() {
            Some(Cell::Integer(number)) => Ok(number),
            _ => Err(Damaged::Columns),
        }
    }

    /// A number that is never below zero.
    pub(crate) fn count(&mut self) -> Result<u64, Damaged> {
        u64::try_from(self.integer()?).map_err(|_| Damaged::Columns)
    }
}

#[cfg(test)]
mod tests;
