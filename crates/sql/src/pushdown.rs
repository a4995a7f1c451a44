//! From a bound filter to SQL, as far as a database can decide it from its indexes.
//!
//! The law: a condition may select more than the filter does and then says that it is not exact, so that every
//! candidate is asked again; it never selects less. So `or` goes down with all of its parts or not at all, `not` only
//! over an exact part, and `and` with what it has.
//!
//! INVARIANT: a record has a key for every value of every indexed attribute, folded unless the attribute is case exact.
//! That is whoever writes records' to keep, and what makes equality of keys mean equality of values.
//!
//! A planner may guess wrongly, so the text leaves it no choice. The most selective part *drives*: an index that has its records in the
//! order of their id stands in front, or the ids of several searches do. Every other part is a *check* of one candidate, written so
//! that nothing is searched for it before. SQLite goes through tables in the order of a `CROSS JOIN` and by the index that is named,
//! and a `+` keeps a check from becoming a search. PostgreSQL does not move what has an `OFFSET 0`: each candidate's record, and each
//! check, is looked up by itself, by all columns of a key.

use scimwright_core::{DataType, ResourceType, Uniqueness};
use scimwright_filter::{Field, Op, Operand, Test};
use scimwright_store::Part as Asked;

use crate::{Dialect, Value};

mod write;

/// More would meet SQLite's own limits (500 terms in a compound select, expressions 1,000 deep); what is beyond is
/// asked in Rust.
const TERMS: usize = 200;
const DEPTH: usize = 16;

/// `meta.lastModified` shows milliseconds, and so filters see them, while the column has nanoseconds.
const MILLI: i128 = 1_000_000;

/// The rank of the part that drives worst.
const WIDELY: u8 = 7;

/// What a database can decide of a query.
#[derive(Debug)]
pub(crate) struct Pushdown {
    dialect: Dialect,
    /// What is searched, with `scim_record AS r` in it.
    pub(crate) from: String,
    /// The column that yields the ids of what is searched in their order.
    pub(crate) id: &'static str,
    /// Conditions on it, each with ` AND ` in front. The first value is the tenant, and the second the type.
    pub(crate) condition: String,
    /// From the third on.
    pub(crate) values: Vec<Value>,
    /// Whether the condition selects just what the filter does.
    pub(crate) exact: bool,
    /// Whether the condition begins with a search of an index, so that only what that finds is looked at.
    pub(crate) driven: bool,
    /// What is counted instead, where an index has one row for each of what is searched: behind `FROM`.
    pub(crate) counted: Option<String>,
}

impl Pushdown {
    /// The translation of the filter of a part.
    pub(crate) fn of(dialect: Dialect, part: &Asked) -> Self {
        let mut down = Self {
            dialect,
            from: dialect.records().to_owned(),
            id: "r.id",
            condition: String::new(),
            values: Vec::new(),
            exact: true,
            driven: false,
            counted: None,
        };
        if let Some(filter) = &part.filter {
            let mut translator = Translator { resource_type: &part.resource_type, terms: 0 };
            let Known { part: known, exact } = translator.test(&filter.test, Scope::Record, 0);
            down.exact = down.select(known, part.sort.is_some()) && exact;
        }
        down
    }
}

/// What is known of a test: a part that holds whenever the test does, and whether it holds only then.
struct Known {
    part: Part,
    exact: bool,
}

/// What a database can decide. A superset of nothing is nothing, so `Nothing` is always exact.
#[derive(Clone, Debug)]
enum Part {
    Everything,
    Nothing,
    Leaf(Leaf),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

/// One search of one index.
#[derive(Clone, Debug)]
enum Leaf {
    Id(String),
    Key { path: String, value: String, shared: Shared },
    KeyFrom { path: String, from: String, until: Option<String> },
    HasMember(String),
    IsMember(String),
    Modified { from: Option<i64>, until: Option<i64> },
}

/// How many records have one value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shared {
    /// One, or a few: of a unique attribute, and of what clients tell their resources apart by.
    Hardly,
    /// Some.
    Partly,
    /// Half of them, perhaps: of yes and no.
    Widely,
}

/// What the fields of a test are about.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// The record.
    Record,
    /// One value of an attribute, the same for the whole test.
    Value,
}

/// From tests to parts.
struct Translator<'t> {
    resource_type: &'t ResourceType,
    terms: usize,
}

impl Known {
    const ANYTHING: Self = Self { part: Part::Everything, exact: false };

    const fn exactly(part: Part) -> Self {
        Self { part, exact: true }
    }
}

impl Translator<'_> {
    fn test(&mut self, test: &Test, scope: Scope, depth: usize) -> Known {
        if depth > DEPTH {
            return Known::ANYTHING;
        }
        match test {
            Test::And(tests) => self.and(tests, scope, depth),
            Test::Or(tests) => self.or(tests, scope, depth),
            Test::Not(test) => match (scope, self.test(test, scope, depth + 1)) {
                (Scope::Record, Known { part, exact: true }) => Known::exactly(part.negated()),
                // That some value is not x does not mean that no value is x, and what is wider becomes narrower.
                _ => Known::ANYTHING,
            },
            Test::Never => Known::exactly(Part::Nothing),
            // Inside brackets there must still be a value for which it holds.
            Test::Always => Known { part: Part::Everything, exact: scope == Scope::Record },
            Test::Compare(field, op, operand) => match self.leaf(field, *op, operand) {
                Some(part) if self.terms < TERMS => {
                    self.terms += 1;
                    Known::exactly(part)
                }
                _ => Known::ANYTHING,
            },
            Test::Present(_) => Known::ANYTHING,
            Test::Within(_, test) => self.test(test, Scope::Value, depth + 1),
        }
    }

    fn and(&mut self, tests: &[Test], scope: Scope, depth: usize) -> Known {
        let (mut parts, mut exact) = (Vec::new(), true);
        for test in tests {
            let known = self.test(test, scope, depth + 1);
            exact &= known.exact;
            match known.part {
                Part::Everything => {}
                Part::Nothing => return Known::exactly(Part::Nothing),
                Part::And(inner) => parts.extend(inner),
                part => parts.push(part),
            }
        }
        // Each part may hold for another value than the rest.
        exact &= scope == Scope::Record || tests.len() < 2;
        let part = match parts.len() {
            0 => Part::Everything,
            1 => parts.remove(0),
            _ => Part::And(parts),
        };
        Known { part, exact }
    }

    fn or(&mut self, tests: &[Test], scope: Scope, depth: usize) -> Known {
        let (mut parts, mut exact) = (Vec::new(), true);
        for test in tests {
            let known = self.test(test, scope, depth + 1);
            exact &= known.exact;
            match known.part {
                Part::Everything => return Known { part: Part::Everything, exact: known.exact },
                Part::Nothing => {}
                Part::Or(inner) => parts.extend(inner),
                part => parts.push(part),
            }
        }
        let part = match parts.len() {
            0 => return Known::exactly(Part::Nothing),
            1 => parts.remove(0),
            _ => Part::Or(parts),
        };
        Known { part, exact }
    }

    /// What an index knows of a comparison, exactly; none where there is no index.
    fn leaf(&self, field: &Field, op: Op, operand: &Operand) -> Option<Part> {
        let leaf = match operand {
            Operand::Text(text) => self.text(field, op, text)?,
            Operand::Instant(instant) if field.path == "meta.lastModified" => {
                let utc = instant.utc().and_utc();
                let nanos = i128::from(utc.timestamp()) * 1_000_000_000 + i128::from(utc.timestamp_subsec_nanos());
                return modified(op, nanos);
            }
            Operand::Bool(truth) => self.truth(field, op, *truth)?,
            _ => return None,
        };
        Some(Part::Leaf(leaf))
    }

    fn text(&self, field: &Field, op: Op, text: &str) -> Option<Leaf> {
        let is = |attribute: &Option<String>| {
            // Rows are found by the very id, so the filter must mean just that one.
            let attribute = attribute.as_deref().filter(|_| op == Op::Eq && field.case_exact)?;
            (field.path.strip_prefix(attribute)? == ".value").then_some(())
        };
        if is(&self.resource_type.membership).is_some() {
            return Some(Leaf::HasMember(text.to_owned()));
        }
        if is(&self.resource_type.member_of).is_some() {
            return Some(Leaf::IsMember(text.to_owned()));
        }
        if field.path == "id" && op == Op::Eq && field.case_exact {
            return Some(Leaf::Id(text.to_owned()));
        }
        // Filters fold the URIs of schemas, which no schema says.
        let text_like = matches!(field.data_type, DataType::String | DataType::Reference | DataType::Binary);
        if !text_like || field.path == "schemas" {
            return None;
        }
        let path = self.indexed(field)?;
        match op {
            Op::Eq => Some(Leaf::Key { path, value: text.to_owned(), shared: self.shared(field) }),
            Op::Sw if !text.is_empty() => Some(Leaf::KeyFrom { path, from: text.to_owned(), until: successor(text) }),
            _ => None,
        }
    }

    /// A record has the key of a boolean when it has the value, and none where a missing value counts as false.
    fn truth(&self, field: &Field, op: Op, truth: bool) -> Option<Leaf> {
        let known = op == Op::Eq && field.data_type == DataType::Boolean && (truth || !field.assumed_false);
        let path = self.indexed(field).filter(|_| known)?;
        Some(Leaf::Key { path, value: truth.to_string(), shared: Shared::Widely })
    }

    /// The path of an attribute that has an index.
    fn indexed(&self, field: &Field) -> Option<String> {
        let index = self.resource_type.indexes.iter().find(|index| index.path == field.path)?;
        Some(index.path.clone())
    }

    fn shared(&self, field: &Field) -> Shared {
        let top = field.container.is_none() && field.sub.is_none();
        let attribute = self.resource_type.attribute(&field.name).filter(|_| top);
        let unique = attribute.is_some_and(|own| own.uniqueness != Uniqueness::None);
        if unique || field.path == "externalId" { Shared::Hardly } else { Shared::Partly }
    }
}

/// The column's range for a comparison with a moment, where what is compared is the column cut to milliseconds.
fn modified(op: Op, nanos: i128) -> Option<Part> {
    let floor = nanos.div_euclid(MILLI) * MILLI;
    let ceiling = if floor == nanos { floor } else { floor + MILLI };
    let (from, until) = match op {
        Op::Gt => (Some(floor + MILLI), None),
        Op::Ge => (Some(ceiling), None),
        Op::Lt => (None, Some(ceiling)),
        Op::Le => (None, Some(floor + MILLI)),
        Op::Eq if floor == nanos => (Some(floor), Some(floor + MILLI)),
        Op::Eq => return Some(Part::Nothing),
        Op::Ne | Op::Co | Op::Sw | Op::Ew => return None,
    };
    // Bounds that 64 bits cannot hold are beyond every record.
    let (lowest, highest) = (i128::from(i64::MIN), i128::from(i64::MAX));
    if from.is_some_and(|from| from > highest) || until.is_some_and(|until| until <= lowest) {
        return Some(Part::Nothing);
    }
    let bound = |bound: Option<i128>| bound.and_then(|bound| i64::try_from(bound).ok());
    Some(match (bound(from), bound(until)) {
        (None, None) => Part::Everything,
        (from, until) => Part::Leaf(Leaf::Modified { from, until }),
    })
}

/// The first text after all those that begin with a prefix; none when there is no such text. Bytes of UTF-8 sort as
/// code points do.
fn successor(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

impl Part {
    fn negated(self) -> Self {
        match self {
            Self::Everything => Self::Nothing,
            Self::Nothing => Self::Everything,
            Self::Not(part) => *part,
            part => Self::Not(Box::new(part)),
        }
    }

    /// Whether searches for the part find records of the type alone: a member may be of any.
    fn is_typed(&self) -> bool {
        match self {
            Self::Leaf(leaf) => !matches!(leaf, Leaf::HasMember(_) | Leaf::IsMember(_)),
            Self::And(parts) | Self::Or(parts) => parts.iter().all(Self::is_typed),
            Self::Everything | Self::Nothing | Self::Not(_) => true,
        }
    }

    /// How well a part drives a search, the lowest best; none when it cannot.
    fn rank(&self) -> Option<u8> {
        match self {
            Self::Everything | Self::Not(_) => None,
            Self::Nothing | Self::Leaf(Leaf::Id(_)) => Some(0),
            Self::Leaf(Leaf::Key { shared: Shared::Hardly, .. }) => Some(1),
            Self::Leaf(Leaf::HasMember(_)) => Some(2),
            Self::Leaf(Leaf::Key { shared: Shared::Partly, .. }) => Some(3),
            Self::Leaf(Leaf::IsMember(_)) => Some(4),
            Self::Leaf(Leaf::KeyFrom { .. }) => Some(5),
            Self::Leaf(Leaf::Modified { .. }) => Some(6),
            // What half of them have leads nowhere, but its index has them in order.
            Self::Leaf(Leaf::Key { shared: Shared::Widely, .. }) => Some(WIDELY),
            Self::And(parts) => parts.iter().filter_map(Self::rank).min(),
            // To gather half of them is dearer than to walk through all of them in order.
            Self::Or(parts) => {
                let ranks = parts.iter().map(|part| part.rank().filter(|rank| *rank < WIDELY));
                ranks.into_iter().try_fold(0, |worst, rank| Some(worst.max(rank?)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
