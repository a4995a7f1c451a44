//! The words of the grammar, and the fault that stops a parser.

use nom::bytes::complete::take_till1;
use nom::character::complete::{space0, space1};
use nom::error::ErrorKind;
use nom::{IResult, Parser};
use scimwright_core::{AttrName, AttrPath};

use crate::error::{Found, Kind, Of, short};
use crate::{Literal, ParseError};

pub(crate) type Rule<'i, T> = IResult<&'i str, T, Fault>;

/// `attrPath = [URI ":"] NAME ["." NAME]`
pub(crate) fn attr_path(input: &str) -> Rule<'_, AttrPath> {
    const WHAT: &str = "an attribute";
    let (rest, word) = expected(WHAT, take_till1(is_delimiter)).parse(input)?;
    match word.parse() {
        Ok(path) => Ok((rest, path)),
        Err(_) => Err(nom::Err::Error(Fault::expected(WHAT, input))),
    }
}

/// `NAME = ["$"] ALPHA *( "$" / "-" / "_" / DIGIT / ALPHA )`
pub(crate) fn name(input: &str) -> Rule<'_, AttrName> {
    const WHAT: &str = "the name of a sub-attribute";
    let (rest, word) = expected(WHAT, take_till1(is_delimiter)).parse(input)?;
    match word.parse() {
        Ok(name) => Ok((rest, name)),
        Err(_) => Err(nom::Err::Error(Fault::expected(WHAT, input))),
    }
}

/// The word in any case. Nom's own `tag_no_case` lowers the case of all of Unicode, which took a third of the time of a
/// filter.
pub(crate) fn word<'i>(word: &'static str, input: &'i str) -> Rule<'i, ()> {
    match input.split_at_checked(word.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(word) => Ok((rest, ())),
        _ => Err(nom::Err::Error(Fault::expected(word, input))),
    }
}

/// `SP word SP`, where a parenthesis may stand instead of the second blank. The end will do too, so that the error is
/// about what should follow the word and not about the word.
pub(crate) fn keyword<'i>(name: &'static str, input: &'i str) -> Rule<'i, ()> {
    let (input, _) = space1(input)?;
    let (input, ()) = word(name, input)?;
    match input.bytes().next() {
        None | Some(b' ' | b'\t' | b'(') => space0(input).map(|(rest, _)| (rest, ())),
        Some(_) => Err(nom::Err::Error(Fault::expected(name, input))),
    }
}

/// `string = %x22 *char %x22`: RFC 8259 section 7.
pub(crate) fn string(input: &str) -> Rule<'_, Literal> {
    let fault =
        |what, at: usize| Fault { kind: FaultKind::Expected(what), left: input.len().saturating_sub(at) }.fatal();
    let mut escaped = false;
    let mut bytes = input.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let (quoted, rest) = input.split_at(at + 1);
                if !escaped {
                    return Ok((rest, Literal::String(quoted.get(1..at).unwrap_or_default().to_owned())));
                }
                return match serde_json::from_str(quoted) {
                    Ok(text) => Ok((rest, Literal::String(text))),
                    Err(error) => Err(fault("an escape of JSON", error.column().saturating_sub(1))),
                };
            }
            b'\\' => {
                escaped = true;
                bytes.next();
            }
            0..0x20 => return Err(fault("an escape such as `\\n` for a control character", at)),
            _ => {}
        }
    }
    Err(fault("`\"`", input.len()))
}

pub(crate) const fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t')
}

pub(crate) const fn is_delimiter(letter: char) -> bool {
    is_blank(letter) || matches!(letter, '(' | ')' | '[' | ']' | '"')
}

pub(crate) fn end<'i>(what: &'static str) -> impl Parser<&'i str, Output = (), Error = Fault> {
    move |input: &'i str| {
        if input.is_empty() { Ok((input, ())) } else { Err(Fault::expected(what, input).fatal()) }
    }
}

/// The parser, which tells in these words what it wanted.
pub(crate) fn expected<'i, O>(
    what: &'static str,
    mut parser: impl Parser<&'i str, Output = O, Error = Fault>,
) -> impl Parser<&'i str, Output = O, Error = Fault> {
    move |input: &'i str| parser.parse(input).map_err(|error| error.map(|_| Fault::expected(what, input)))
}

pub(crate) fn fatal(error: nom::Err<Fault>) -> nom::Err<Fault> {
    match error {
        nom::Err::Error(fault) => nom::Err::Failure(fault),
        other => other,
    }
}

/// What stopped the parser, and how much text was left then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    kind: FaultKind,
    left: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum FaultKind {
    Expected(&'static str),
    TooDeep(usize),
    TooManyTerms(usize),
}

impl Fault {
    pub(crate) const fn new(kind: FaultKind, rest: &str) -> Self {
        Self { kind, left: rest.len() }
    }

    pub(crate) const fn expected(what: &'static str, rest: &str) -> Self {
        Self::new(FaultKind::Expected(what), rest)
    }

    pub(crate) const fn fatal(self) -> nom::Err<Self> {
        nom::Err::Failure(self)
    }

    pub(crate) fn explain(self, text: &str, of: Of) -> ParseError {
        let at = text.floor_char_boundary(text.len().saturating_sub(self.left));
        let kind = match self.kind {
            FaultKind::Expected(what) => Kind::Expected { what, found: Found::at(text.get(at..).unwrap_or_default()) },
            FaultKind::TooDeep(max) => Kind::TooDeep { max },
            FaultKind::TooManyTerms(max) => Kind::TooManyTerms { max },
        };
        ParseError { kind, of, at }
    }
}

impl nom::error::ParseError<&str> for Fault {
    fn from_error_kind(input: &str, _: ErrorKind) -> Self {
        Self::expected("something else", input)
    }

    fn append(_: &str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl Found {
    /// The next word, cut short: enough to recognise the place.
    fn at(rest: &str) -> Self {
        if rest.is_empty() {
            return Self::End;
        }
        let word = rest.split(is_blank).next().filter(|word| !word.is_empty());
        Self::Text(short(word.unwrap_or(rest)))
    }
}
