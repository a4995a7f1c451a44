//! The canonical form of filters: operators and keywords in lower case, one blank between tokens, parentheses only
//! where they are needed, names and numbers as they were written.

use std::fmt;

use crate::{Expr, Filter, Literal, Number, Op};

impl fmt::Display for Filter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr().fmt(out)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(terms) => joined(out, terms, " and ", |term| matches!(term.expr(), Self::Or(_))),
            Self::Or(terms) => joined(out, terms, " or ", |_| false),
            Self::Not(inner) => write!(out, "not ({inner})"),
            Self::Compare(path, op, literal) => write!(out, "{path} {op} {literal}"),
            Self::Present(path) => write!(out, "{path} pr"),
            Self::Within(path, inner) => write!(out, "{path}[{inner}]"),
        }
    }
}

fn joined(out: &mut fmt::Formatter<'_>, terms: &[Filter], word: &str, grouped: fn(&Filter) -> bool) -> fmt::Result {
    for (index, term) in terms.iter().enumerate() {
        if index > 0 {
            out.write_str(word)?;
        }
        if grouped(term) { write!(out, "({term})")? } else { write!(out, "{term}")? }
    }
    Ok(())
}

impl fmt::Display for Op {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(number) => number.fmt(out),
            // JSON with the escapes that it cannot do without, and no others.
            Self::String(text) => out.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
