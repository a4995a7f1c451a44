//! Texts as PostgreSQL takes them: it has no U+0000 in a text, and clients may send one.
//!
//! U+0000 becomes U+0001 U+0001, and U+0001 becomes U+0001 U+0002. No two texts become the same, their order stays, and so do prefixes.

use std::borrow::Cow;

use scimwright_sql::Damaged;

const MARK: char = '\u{1}';

/// A text as it is stored.
pub(crate) fn encode(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(MARK, "\u{1}\u{2}").replace('\0', "\u{1}\u{1}"))
}

/// The text that was stored.
pub(crate) fn decode(stored: String) -> Result<String, Damaged> {
    if !stored.contains(MARK) {
        return Ok(stored);
    }
    let mut text = String::with_capacity(stored.len());
    let mut stored = stored.chars();
    while let Some(char) = stored.next() {
        text.push(match char {
            MARK => match stored.next() {
                Some(MARK) => '\0',
                Some('\u{2}') => MARK,
                _ => return Err(Damaged::Columns),
            },
            plain => plain,
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_the_order_stays(one in "[\0-\u{3}a]{0,6}", other in "[\0-\u{3}a]{0,6}") {
            let (left, right) = (encode(&one).into_owned(), encode(&other).into_owned());
            prop_assert!(!left.contains('\0'));
            prop_assert_eq!(left.cmp(&right), one.cmp(&other));
            prop_assert_eq!(left.starts_with(&right), one.starts_with(&other));
            prop_assert_eq!(decode(left).unwrap(), one);
        }
    }

    #[test]
    fn what_nobody_has_written_is_told() {
        assert!(decode("\u{1}".to_owned()).is_err());
        assert!(decode("\u{1}x".to_owned()).is_err());
    }
}
