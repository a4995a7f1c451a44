//! One part of a query, and the statements that a page of it may need.

use scimwright_core::DataType;
use scimwright_filter::SortKey;
use scimwright_store::{Members, Part, Place, Query};

use crate::pushdown::Pushdown;
use crate::read::{HEAD, Reader};
use crate::{Dialect, Statement, Value, nanos};

/// One part of a query.
pub(crate) struct Search<'f> {
    /// Its place among the parts.
    pub(crate) at: usize,
    pub(crate) part: &'f Part,
    pub(crate) pushdown: Pushdown,
    pub(crate) reader: Reader<'f>,
}

/// Which way a walk goes.
#[derive(Clone, Copy)]
pub(crate) struct Direction {
    pub(crate) backward: bool,
}

/// Records that have a value to be sorted by, or none.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Region {
    With,
    Without,
}

/// An index in whose order a query can be answered.
pub(crate) enum Index {
    Id,
    Modified,
    Key { path: String },
}

impl Direction {
    const fn above(self) -> &'static str {
        if self.backward { "<" } else { ">" }
    }

    const fn order(self) -> &'static str {
        if self.backward { "DESC" } else { "ASC" }
    }
}

impl Index {
    /// The index of the values by which a part is sorted; none where there is none, or where a search leads to few candidates.
    pub(crate) fn of(search: &Search<'_>, query: &Query, mark: Option<&Place>) -> Option<Self> {
        let sort = search.part.sort.as_ref()?;
        let field = &sort.field;
        // To count what only memory can select, every candidate has to be looked at anyway.
        if search.pushdown.driven || (query.total && !search.pushdown.exact) {
            return None;
        }
        // An index has one type, and cannot tell where a mark of another one stands.
        if mark.is_some_and(|mark| mark.part() != search.at) {
            return None;
        }
        let index = match field.path.as_str() {
            "id" => Self::Id,
            "meta.lastModified" => Self::Modified,
            path => {
                let known = search.part.resource_type.indexes.iter().any(|index| index.path == path);
                let text = matches!(field.data_type, DataType::String | DataType::Reference | DataType::Binary);
                if !known || !text || field.multi_valued {
                    return None;
                }
                Self::Key { path: path.to_owned() }
            }
        };
        let fits = mark.and_then(Place::key).is_none_or(|key| index.value(key).is_some());
        fits.then_some(index)
    }

    /// What the walk goes over, and the columns with the value and the id.
    fn walk(&self, dialect: Dialect, statement: &mut Statement) -> (String, &'static str, &'static str) {
        let (tenant, of_type) = (dialect.place(1), dialect.place(2));
        let those = format!("r.tenant = {tenant} AND r.type = {of_type}");
        match self {
            Self::Id => (format!("{} WHERE {those}", dialect.records()), "r.id", "r.id"),
            Self::Modified => (format!("{} WHERE {those}", dialect.records_by_time("r")), "r.modified", "r.id"),
            Self::Key { path } => {
                let path = statement.place(dialect, Value::Text(path.clone()));
                let from = format!(
                    "{} WHERE s.tenant = {tenant} AND s.type = {of_type} AND s.path = {path} AND {those}",
                    dialect.with_records("scim_key AS s", "s.id")
                );
                (from, "s.value", "s.id")
            }
        }
    }

    /// A value as the index has it; none when it cannot have it.
    fn value(&self, key: &SortKey) -> Option<Value> {
        match (self, key) {
            (Self::Id | Self::Key { .. }, SortKey::Text(text)) => Some(Value::Text(text.clone())),
            (Self::Modified, SortKey::Instant(instant)) => nanos(*instant).map(Value::Integer),
            _ => None,
        }
    }
}

impl Search<'_> {
    const fn dialect(&self) -> Dialect {
        self.reader.dialect
    }

    /// Without a text yet: the tenant, the type, and the values of the condition.
    fn statement(&self) -> Statement {
        let first = [self.reader.tenant.as_str().into(), self.reader.resource_type.into()];
        let values = first.into_iter().chain(self.pushdown.values.iter().cloned()).collect();
        Statement { text: String::new(), values }
    }

    fn selected(&self, columns: &str) -> String {
        let Pushdown { from, condition, .. } = &self.pushdown;
        let (tenant, of_type) = (self.dialect().place(1), self.dialect().place(2));
        format!("SELECT {columns} FROM {from} WHERE r.tenant = {tenant} AND r.type = {of_type}{condition}")
    }

    /// Everybody who may be selected. The order is nobody's concern, but PostgreSQL has one, so that the walk may be made in parts.
    pub(crate) fn candidates(&self) -> Statement {
        let mut text = self.selected(HEAD);
        if self.dialect() == Dialect::Postgres {
            text.push_str(&format!(" ORDER BY {}", self.pushdown.id));
        }
        Statement { text, ..self.statement() }
    }

    /// How many records an exact condition selects.
    pub(crate) fn count(&self) -> Statement {
        let (tenant, of_type) = (self.dialect().place(1), self.dialect().place(2));
        let text = match (&self.part.filter, &self.pushdown.counted) {
            (None, _) => format!("SELECT count FROM scim_count WHERE tenant = {tenant} AND type = {of_type}"),
            (Some(_), Some(keys)) => format!("SELECT count(*) FROM {keys}"),
            (Some(_), None) => self.selected("count(*)"),
        };
        Statement { text, ..self.statement() }
    }

    /// How many records of the type the index does not have; none when it has them all by its nature.
    pub(crate) fn absent(&self, index: &Index) -> Option<Statement> {
        let Index::Key { path } = index else { return None };
        let [tenant, of_type, place] = [1, 2, 3].map(|number| self.dialect().place(number));
        let text = format!(
            "SELECT coalesce((SELECT count FROM scim_count WHERE tenant = {tenant} AND type = {of_type}), 0) \
             - coalesce((SELECT count FROM scim_keyed \
             WHERE tenant = {tenant} AND type = {of_type} AND path = {place}), 0)"
        );
        let values = [self.reader.tenant.as_str(), self.reader.resource_type, path].map(Value::from).into();
        Some(Statement { text, values })
    }

    /// In the order of ids, from behind one of them on.
    pub(crate) fn by_id(&self, direction: Direction, from: Option<&str>) -> Statement {
        let Pushdown { id, driven, .. } = &self.pushdown;
        let mut statement = self.statement();
        let beyond = from.map(|from| {
            let from = statement.place(self.dialect(), from.into());
            // Where a list of ids leads, the mark must not.
            let leads = self.dialect() == Dialect::Sqlite && *driven && *id == "r.id";
            format!(" AND {}{id} {} {from}", if leads { "+" } else { "" }, direction.above())
        });
        statement.text =
            format!("{}{} ORDER BY {id} {}", self.selected(HEAD), beyond.unwrap_or_default(), direction.order());
        statement
    }

    /// The records of one region, from the mark on. None when the walk has passed the region, or nobody is in it.
    pub(crate) fn along(
        &self,
        index: &Index,
        region: Region,
        direction: Direction,
        mark: Option<&Place>,
    ) -> Option<Statement> {
        let marked = mark.is_some_and(Place::has_value);
        match region {
            // Behind a mark without a value, going forward, there is nobody who has one.
            Region::With if mark.is_some() && !marked && !direction.backward => None,
            Region::With => Some(self.along_values(index, direction, mark.filter(|_| marked))),
            Region::Without if marked && direction.backward => None,
            Region::Without => match index {
                Index::Key { path } => Some(self.along_others(path, direction, mark.filter(|_| !marked))),
                Index::Id | Index::Modified => None,
            },
        }
    }

    /// Those that have a value, in its order.
    fn along_values(&self, index: &Index, direction: Direction, mark: Option<&Place>) -> Statement {
        let mut statement = self.statement();
        let (from, value, id) = index.walk(self.dialect(), &mut statement);
        let beyond = mark.and_then(|mark| Some((index.value(mark.key()?)?, mark.id()))).map(|(key, own)| {
            let key = statement.place(self.dialect(), key);
            let own = statement.place(self.dialect(), own.into());
            format!(" AND ({value}, {id}) {} ({key}, {own})", direction.above())
        });
        let (beyond, condition, order) = (beyond.unwrap_or_default(), &self.pushdown.condition, direction.order());
        statement.text = format!("SELECT {HEAD} FROM {from}{beyond}{condition} ORDER BY {value} {order}, {id} {order}");
        statement
    }

    /// Those that have none, in the order of ids.
    fn along_others(&self, path: &str, direction: Direction, mark: Option<&Place>) -> Statement {
        let mut statement = self.statement();
        let (tenant, of_type) = (self.dialect().place(1), self.dialect().place(2));
        // `keys` is a list of lists in JSON, where only a quote that opens a text stands directly behind a comma: inside a text there is
        // a backslash between them.
        let path = statement.place(self.dialect(), Value::Text(format!(",\"{path}\",")));
        let keyless = match self.dialect() {
            Dialect::Sqlite => format!("instr(r.keys, {path}) = 0"),
            Dialect::Postgres => format!("strpos(r.keys, {path}) = 0"),
        };
        let beyond = mark.map(|mark| {
            let own = statement.place(self.dialect(), mark.id().into());
            format!(" AND r.id {} {own}", direction.above())
        });
        let (beyond, condition, order) = (beyond.unwrap_or_default(), &self.pushdown.condition, direction.order());
        statement.text = format!(
            "SELECT {HEAD} FROM {} WHERE r.tenant = {tenant} AND r.type = {of_type}{beyond} \
             AND {keyless}{condition} ORDER BY r.id {order}",
            self.dialect().records()
        );
        statement
    }

    /// How many rows a statement has, whatever their order.
    pub(crate) fn counted(&self, statement: Statement) -> Statement {
        let text = format!("SELECT count(*) FROM ({}) AS c", statement.text);
        Statement { text, ..statement }
    }

    /// What is read beside the records of a page.
    pub(crate) fn beside(&self) -> Vec<Statement> {
        let some = ["a", "b"].map(str::to_owned);
        let mut statements = Vec::new();
        for ids in [&some[..1], &some[..]] {
            statements.push(self.reader.groups_statement(ids));
            statements.extend(self.reader.members_statement(ids, &self.part.members));
            if self.part.looks_at_members() {
                statements.extend(self.reader.members_statement(ids, &Members::All));
            }
        }
        statements
    }
}
