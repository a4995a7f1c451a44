//! The syntax tree of a filter: RFC 7644 section 3.4.2.2, figure 1.

use scimwright_core::AttrPath;

use crate::{BuildError, Number};

/// A filter, as it was written: nothing is known yet of the attributes that it names.
///
/// `FromStr` reads it by the strict grammar and default limits (see [`Syntax`](crate::Syntax) for others), `Display`
/// prints the canonical form, and within those limits the two are inverses.
// INVARIANT: `depth` is right and at most `MAX_DEPTH`, so that nothing which walks the tree (clone, drop, print,
// compare, bind, match) recurses without bound; chains hold two terms or more and never a chain of their own kind;
// brackets hold no brackets. Only `new` and `leaf` make one.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    expr: Expr,
    depth: usize,
}

/// What a filter says. Exhaustive, for whoever translates filters should notice when the grammar grows.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `a and b and …`: all hold.
    And(Vec<Filter>),
    /// `a or b or …`: at least one holds.
    Or(Vec<Filter>),
    /// `not (…)`: it does not hold.
    Not(Box<Filter>),
    /// `attrPath SP compareOp SP compValue`: some value compares.
    Compare(AttrPath, Op, Literal),
    /// `attrPath SP "pr"`: there is a value that is not empty.
    Present(AttrPath),
    /// `attrPath "[" valFilter "]"`: all of the inner filter holds for one and the same value.
    Within(AttrPath, Box<Filter>),
}

/// How an attribute is compared: RFC 7644 section 3.4.2.2, table 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal to.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal to.
    Le,
}

/// `compValue`: what an attribute is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`, which is the same as having no value (RFC 7643 section 2.5).
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A JSON number.
    Number(Number),
    /// A JSON string, its escapes undone.
    String(String),
}

impl Filter {
    /// How deep a filter can be nested: a term alone is 1 deep, `not`, brackets and each change between `and` and `or`
    /// add one.
    pub const MAX_DEPTH: usize = 128;

    /// The filter that says this. A chain within a chain of the same kind joins it, and a chain of one is its term.
    ///
    /// # Errors
    ///
    /// When it would be deeper than [`Filter::MAX_DEPTH`], when a chain has no term, or when brackets stand inside
    /// brackets, which no filter can say (erratum 4690).
    pub fn new(expr: Expr) -> Result<Self, BuildError> {
        let (expr, below) = match expr {
            Expr::And(terms) => match chain(terms, |expr| matches!(expr, Expr::And(_)))? {
                Chain::One(term) => return Ok(term),
                Chain::Many(terms) => {
                    let depth = deepest(&terms);
                    (Expr::And(terms), depth)
                }
            },
            Expr::Or(terms) => match chain(terms, |expr| matches!(expr, Expr::Or(_)))? {
                Chain::One(term) => return Ok(term),
                Chain::Many(terms) => {
                    let depth = deepest(&terms);
                    (Expr::Or(terms), depth)
                }
            },
            Expr::Within(path, inner) if inner.has_brackets() => {
                return Err(BuildError::BracketsInBrackets(path.to_string()));
            }
            Expr::Not(ref inner) | Expr::Within(_, ref inner) => {
                let depth = inner.depth;
                (expr, depth)
            }
            Expr::Compare(..) | Expr::Present(_) => (expr, 0),
        };
        let depth = below + 1;
        if depth > Self::MAX_DEPTH { Err(BuildError::TooDeep) } else { Ok(Self { expr, depth }) }
    }

    /// `path op literal`.
    #[must_use]
    pub const fn compare(path: AttrPath, op: Op, literal: Literal) -> Self {
        Self::leaf(Expr::Compare(path, op, literal))
    }

    /// `path pr`.
    #[must_use]
    pub const fn present(path: AttrPath) -> Self {
        Self::leaf(Expr::Present(path))
    }

    /// The filters joined by `and`.
    ///
    /// # Errors
    ///
    /// As [`Filter::new`].
    pub fn all(filters: Vec<Self>) -> Result<Self, BuildError> {
        Self::new(Expr::And(filters))
    }

    /// The filters joined by `or`.
    ///
    /// # Errors
    ///
    /// As [`Filter::new`].
    pub fn any(filters: Vec<Self>) -> Result<Self, BuildError> {
        Self::new(Expr::Or(filters))
    }

    /// `not (filter)`.
    ///
    /// # Errors
    ///
    /// As [`Filter::new`].
    pub fn negate(filter: Self) -> Result<Self, BuildError> {
        Self::new(Expr::Not(Box::new(filter)))
    }

    /// `path[filter]`.
    ///
    /// # Errors
    ///
    /// As [`Filter::new`].
    pub fn within(path: AttrPath, filter: Self) -> Result<Self, BuildError> {
        Self::new(Expr::Within(path, Box::new(filter)))
    }

    /// What the filter says.
    #[must_use]
    pub const fn expr(&self) -> &Expr {
        &self.expr
    }

    /// What the filter says, given away.
    #[must_use]
    pub fn into_expr(self) -> Expr {
        self.expr
    }

    /// How deep it is nested.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    const fn leaf(expr: Expr) -> Self {
        debug_assert!(matches!(expr, Expr::Compare(..) | Expr::Present(_)));
        Self { expr, depth: 1 }
    }

    fn has_brackets(&self) -> bool {
        match &self.expr {
            Expr::And(terms) | Expr::Or(terms) => terms.iter().any(Self::has_brackets),
            Expr::Not(inner) => inner.has_brackets(),
            Expr::Compare(..) | Expr::Present(_) => false,
            Expr::Within(..) => true,
        }
    }
}

enum Chain {
    One(Filter),
    Many(Vec<Filter>),
}

/// Terms of a chain without chains of the same kind among them.
fn chain(terms: Vec<Filter>, same: fn(&Expr) -> bool) -> Result<Chain, BuildError> {
    let mut flat = if terms.iter().any(|term| same(&term.expr)) {
        let mut flat = Vec::with_capacity(terms.len());
        for term in terms {
            match term.expr {
                Expr::And(inner) | Expr::Or(inner) if same(&term.expr) => flat.extend(inner),
                _ => flat.push(term),
            }
        }
        flat
    } else {
        terms
    };
    match flat.len() {
        0 => Err(BuildError::Empty),
        1 => flat.pop().map(Chain::One).ok_or(BuildError::Empty),
        _ => Ok(Chain::Many(flat)),
    }
}

fn deepest(terms: &[Filter]) -> usize {
    terms.iter().map(|term| term.depth).max().unwrap_or_default()
}

impl Op {
    /// Every operator.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The operator as it is printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The operator of that name, whatever its case.
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str().eq_ignore_ascii_case(text))
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Self::Number(serde_json::Number::from(value).into())
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}
