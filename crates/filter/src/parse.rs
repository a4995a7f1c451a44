//! Text to [`Filter`] and [`PatchPath`]: the grammar of RFC 7644 section 3.4.2.2, figure 1, and section 3.5.2, figure
//! 7.
//!
//! The published rules are left-recursive and carry no precedence. What is implemented is the same language in layers,
//! as errata 4670, 4690, 7319, 7322 and 8924 have it:
//!
//! ```text
//! filter    = or
//! or        = and *( SP "or" SP and )
//! and       = unary *( SP "and" SP unary )
//! unary     = [ "not" [SP] ] "(" or ")" / valuePath / attrExp
//! valuePath = attrPath "[" or "]"           ; in there, unary has no valuePath
//! attrExp   = attrPath SP "pr" / attrPath SP compareOp SP compValue
//! path      = valuePath [ "." NAME ] / attrPath
//! ```
//!
//! SP is any run of blanks and tabs, may stand at any border of two tokens, and may be missing before a string or
//! parenthesis (ruling R-15), for the RFC's own examples do both.

use std::cell::{Cell, RefCell};

use nom::Parser;
use nom::bytes::complete::take_till1;
use nom::character::complete::{char, space0};
use nom::combinator::{cut, opt, peek};
use nom::sequence::{delimited, preceded, terminated};
use scimwright_core::AttrPath;

use crate::lex::{
    Fault, FaultKind, Rule, attr_path, end, expected, fatal, is_blank, is_delimiter, keyword, name, string, word,
};
use crate::{Expr, Filter, Leniency, Literal, Number, Op, PatchPath, Syntax};

const OPERATOR: &str = "an operator such as `eq` or `pr`";
const VALUE: &str = "a JSON string, number, `true`, `false` or `null`";

/// The rules of the grammar, each with what it must know of its surroundings.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'s> {
    syntax: &'s Syntax,
    seen: &'s Seen,
    /// Parentheses and brackets around.
    depth: usize,
    /// Whether brackets are around.
    inside: bool,
}

/// What is gathered over the whole text.
#[derive(Default)]
pub(crate) struct Seen {
    terms: Cell<usize>,
    pub(crate) leniencies: RefCell<Vec<Leniency>>,
}

impl<'s> Rules<'s> {
    pub(crate) const fn new(syntax: &'s Syntax, seen: &'s Seen) -> Self {
        Self { syntax, seen, depth: 0, inside: false }
    }
}

impl Rules<'_> {
    /// `filter = or`, and nothing behind it.
    pub(crate) fn filter<'i>(self, input: &'i str) -> Rule<'i, Filter> {
        terminated(delimited(space0, |input| self.or(input), space0), end("`and`, `or` or the end")).parse(input)
    }

    /// `path = valuePath [ "." NAME ] / attrPath`, and nothing behind it.
    pub(crate) fn path<'i>(self, input: &'i str) -> Rule<'i, PatchPath> {
        let (input, attribute) = preceded(space0, attr_path).parse(input)?;
        let (input, selection) = opt(preceded((space0, peek(char('['))), |input| self.brackets(input))).parse(input)?;
        let (input, sub) = match &selection {
            Some(_) => opt(preceded(char('.'), cut(name))).parse(input)?,
            None => (input, None),
        };
        let (input, ()) = preceded(space0, end("the end of the path")).parse(input)?;
        Ok((input, PatchPath { attribute, selection, sub }))
    }

    // The rules from here to `brackets` call each other in a circle. They are written without closures and nested
    // combinators, which would take several times the stack in a build that is not optimised.

    /// `or = and *( SP "or" SP and )`
    fn or<'i>(self, input: &'i str) -> Rule<'i, Filter> {
        let (mut input, first) = self.and(input)?;
        let mut terms = Vec::new();
        while let Ok((rest, ())) = keyword("or", input) {
            let (rest, term) = self.and(rest).map_err(fatal)?;
            terms.push(term);
            input = rest;
        }
        chain(first, terms, Expr::Or, input)
    }

    /// `and = unary *( SP "and" SP unary )`
    fn and<'i>(self, input: &'i str) -> Rule<'i, Filter> {
        let (mut input, first) = self.unary(input)?;
        let mut terms = Vec::new();
        while let Ok((rest, ())) = keyword("and", input) {
            let (rest, term) = self.unary(rest).map_err(fatal)?;
            terms.push(term);
            input = rest;
        }
        chain(first, terms, Expr::And, input)
    }

    /// `unary = [ "not" [SP] ] "(" or ")" / valuePath / attrExp`
    ///
    /// `not` is an operator only where a parenthesis follows: an attribute may be called so.
    fn unary<'i>(self, input: &'i str) -> Rule<'i, Filter> {
        if input.starts_with('(') {
            return self.group(input);
        }
        if let Ok((rest, ())) = word("not", input) {
            let (rest, _) = space0(rest)?;
            if rest.starts_with('(') {
                let (rest, inner) = self.group(rest)?;
                return build(Expr::Not(Box::new(inner)), rest);
            }
        }
        self.on_attribute(input)
    }

    /// `"(" or ")"`
    fn group<'i>(self, input: &'i str) -> Rule<'i, Filter> {
        let deeper = self.deeper(input)?;
        let (input, _) = (char('('), space0).parse(input)?;
        let (input, filter) = deeper.or(input).map_err(fatal)?;
        let (input, _) = preceded(space0, expected("`and`, `or` or `)`", char(')'))).parse(input).map_err(fatal)?;
        Ok((input, filter))
    }

    /// `valuePath / attrExp`, which both begin with an attribute.
    fn on_attribute<'i>(self, input: &'i str) -> Rule<'i, Filter> {
        let (input, path) = attr_path(input)?;
        let (input, _) = space0(input)?;
        if input.starts_with('[') { self.value_path(path, input) } else { self.attr_exp(path, input) }
    }

    /// `valuePath = attrPath "[" valFilter "]"`, from the bracket on.
    ///
    /// Some clients send `emails[type eq "work"].value eq "x"`, which no grammar has.
    fn value_path<'i>(self, path: AttrPath, input: &'i str) -> Rule<'i, Filter> {
        let (mut rest, mut inner) = self.brackets(input)?;
        if self.syntax.tolerant && rest.starts_with('.') {
            let (after, sub) = cut(preceded(char('.'), name)).parse(rest)?;
            let (after, _) = space0(after)?;
            let (after, term) = self.attr_exp(AttrPath::of(sub), after)?;
            self.forgive(Leniency::AttributeAfterBracket);
            (rest, inner) = build(Expr::And(vec![inner, term]), after)?;
        }
        build(Expr::Within(path, Box::new(inner)), rest)
    }

    /// `"[" valFilter "]"`. In there only sub-attributes are compared, so brackets do not nest (erratum 4690).
    fn brackets<'i>(self, input: &'i str) -> Rule<'i, Filter> {
        if self.inside {
            return Err(Fault::expected(OPERATOR, input).fatal());
        }
        let deeper = Rules { inside: true, ..self.deeper(input)? };
        let (input, _) = (char('['), space0).parse(input)?;
        let (input, filter) = deeper.or(input).map_err(fatal)?;
        let (input, _) = preceded(space0, expected("`and`, `or` or `]`", char(']'))).parse(input).map_err(fatal)?;
        Ok((input, filter))
    }

    /// `attrExp = attrPath SP "pr" / attrPath SP compareOp SP compValue`, from the operator on.
    fn attr_exp<'i>(self, path: AttrPath, start: &'i str) -> Rule<'i, Filter> {
        let (input, word) = expected(OPERATOR, take_till1(|letter| is_delimiter(letter) || letter == '\''))
            .parse(start)
            .map_err(fatal)?;
        let terms = self.seen.terms.get() + 1;
        self.seen.terms.set(terms);
        if terms > self.syntax.max_terms {
            return Err(Fault::new(FaultKind::TooManyTerms(self.syntax.max_terms), start).fatal());
        }
        if word.eq_ignore_ascii_case("pr") {
            return Ok((input, Filter::present(path)));
        }
        let op = Op::named(word).ok_or_else(|| Fault::expected(OPERATOR, start).fatal())?;
        let (input, literal) = cut(preceded(space0, |input| self.comp_value(input))).parse(input)?;
        Ok((input, Filter::compare(path, op, literal)))
    }

    /// `compValue = false / null / true / number / string`, as JSON has them.
    fn comp_value<'i>(self, input: &'i str) -> Rule<'i, Literal> {
        match input.as_bytes().first() {
            Some(b'"') => string(input),
            Some(b'\'') if self.syntax.tolerant => self.single_quoted(input),
            _ => self.word(input),
        }
    }

    /// `false / null / true / number`, and strings that lack their quotes.
    fn word<'i>(self, input: &'i str) -> Rule<'i, Literal> {
        let (rest, word) =
            expected(VALUE, take_till1(|letter| is_blank(letter) || matches!(letter, ')' | ']'))).parse(input)?;
        let literal = match word {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "null" => Literal::Null,
            _ => match word.parse::<Number>() {
                Ok(number) => Literal::Number(number),
                Err(_) if self.syntax.tolerant => self.slipped(word),
                Err(_) => return Err(Fault::expected(VALUE, input).fatal()),
            },
        };
        Ok((rest, literal))
    }

    fn slipped(self, word: &str) -> Literal {
        let other_case = [("true", Literal::Bool(true)), ("false", Literal::Bool(false)), ("null", Literal::Null)];
        match other_case.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            Some((_, literal)) => {
                self.forgive(Leniency::LiteralCase);
                literal
            }
            None => {
                self.forgive(Leniency::UnquotedValue);
                Literal::String(word.to_owned())
            }
        }
    }

    fn single_quoted<'i>(self, input: &'i str) -> Rule<'i, Literal> {
        let body = input.get(1..).unwrap_or_default();
        match body.split_once('\'') {
            Some((text, rest)) => {
                self.forgive(Leniency::SingleQuotes);
                Ok((rest, Literal::String(text.to_owned())))
            }
            None => Err(Fault::expected("`'`", "").fatal()),
        }
    }

    /// The same rules one level down.
    fn deeper(self, input: &str) -> Result<Self, nom::Err<Fault>> {
        let max = self.syntax.max_depth.min(Filter::MAX_DEPTH);
        if self.depth >= max {
            return Err(Fault::new(FaultKind::TooDeep(max), input).fatal());
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn forgive(self, leniency: Leniency) {
        let mut leniencies = self.seen.leniencies.borrow_mut();
        if !leniencies.contains(&leniency) {
            leniencies.push(leniency);
        }
    }
}

/// The terms of a chain as one filter; a single one stays what it is.
fn chain(first: Filter, mut more: Vec<Filter>, join: fn(Vec<Filter>) -> Expr, rest: &str) -> Rule<'_, Filter> {
    if more.is_empty() {
        return Ok((rest, first));
    }
    more.insert(0, first);
    build(join(more), rest)
}

fn build(expr: Expr, rest: &str) -> Rule<'_, Filter> {
    match Filter::new(expr) {
        Ok(filter) => Ok((rest, filter)),
        // The grammar makes no empty chain and no brackets in brackets.
        Err(_) => Err(Fault::new(FaultKind::TooDeep(Filter::MAX_DEPTH), rest).fatal()),
    }
}

#[cfg(test)]
mod tests;
