//! Statements: a text of one dialect with values in its places.

/// A dialect of SQL. Both have the same tables and columns; they differ in how a plan is made sure of.
///
/// SQLite has no statistics and does as the text says: which index, in which order. PostgreSQL plans by statistics; the text fences
/// off what must not be moved, so that each table is reached by the columns that its conditions name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, with places `?1`, `?2`.
    Sqlite,
    /// PostgreSQL, with places `$1`, `$2`. Every text column is `COLLATE "C"`, every number a `bigint`.
    Postgres,
}

/// A value of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// `TEXT` of SQLite, `text` of PostgreSQL.
    Text(String),
    /// `INTEGER` of SQLite, `bigint` of PostgreSQL.
    Integer(i64),
    /// `TEXT` of SQLite with a JSON array of them, `text[]` of PostgreSQL.
    Texts(Vec<String>),
}

/// A statement that reads, and its values.
///
/// Every table in it has the tenant among its conditions, the first value, so that where tables are parted by tenant one part answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statement {
    /// The text.
    pub text: String,
    /// The value of the first place, of the second, and so on.
    pub values: Vec<Value>,
}

impl Dialect {
    /// The place with that number, from 1 on.
    pub(crate) fn place(self, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
        }
    }
}

impl Statement {
    /// The same statement for so many of its rows, behind so many.
    #[must_use]
    pub fn part(&self, dialect: Dialect, rows: usize, behind: usize) -> Self {
        let mut part = self.clone();
        let [rows, behind] = [rows, behind].map(|number| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
        let (rows, behind) = (part.place(dialect, rows), part.place(dialect, behind));
        part.text.push_str(&format!(" LIMIT {rows} OFFSET {behind}"));
        part
    }

    /// Adds a value, and answers its place.
    pub(crate) fn place(&mut self, dialect: Dialect, value: Value) -> String {
        self.values.push(value);
        dialect.place(self.values.len())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
