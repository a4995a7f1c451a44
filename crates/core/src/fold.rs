//! Folding of text, so that what SCIM calls equal is equal byte for byte: RFC 7643 section 2.3.1, RFC 7644 sections 5 and 7.8.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// The form in which strings that are not `caseExact` are compared, sorted and indexed.
///
/// Full-width and half-width letters become ordinary ones (the width mapping of RFC 8265 section 3.3, which `userName` needs),
/// then Unicode's full case folding, in normalization form C. No locale and no database collation takes part, so every store
/// finds the same. Folding what is folded already changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let folded: String = text.chars().flat_map(ordinary_width).nfd().default_case_fold().nfc().collect();
    // Case folding can leave a sequence that composes into a letter with a fold of its own; the second round settles it.
    folded.chars().nfd().default_case_fold().nfc().collect()
}

/// Whether PRECIS would take the text as a user name as far as it can do harm: RFC 8265 section 3.3 forbids control
/// characters, and white space at the ends is never meant.
#[must_use]
pub fn user_name_is_allowed(text: &str) -> bool {
    !text.is_empty()
        && !text.chars().any(char::is_control)
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
}

/// A password as it is compared and kept: the profile OpaqueString of RFC 8265 section 4.2, which RFC 7644 section 5 asks for.
///
/// Blanks beyond ASCII become ordinary ones and the text is composed (NFC); case and width stay. None for text with control
/// characters or line separators, which the profile forbids.
#[must_use]
pub fn prepare_password(text: &str) -> Option<String> {
    let forbidden = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    if text.chars().any(forbidden) {
        return None;
    }
    // What is white space still is in the category Zs.
    Some(text.chars().map(|character| if character.is_whitespace() { ' ' } else { character }).nfc().collect())
}

/// A full-width or half-width character as the ordinary one it stands for, any other as it is.
fn ordinary_width(character: char) -> impl Iterator<Item = char> {
    let wide = matches!(character, '\u{3000}' | '\u{ff01}'..='\u{ffee}');
    let (mapped, same) = if wide { (Some(std::iter::once(character).nfkc()), None) } else { (None, Some(character)) };
    mapped.into_iter().flatten().chain(same)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_names_fold_alike() {
        assert_eq!(fold("BJensen"), fold("bjensen"));
        assert_eq!(fold("JOSÉ"), fold("jose\u{301}"));
        assert_eq!(fold("ｂｊｅｎｓｅｎ"), "bjensen");
        assert_eq!(fold("Straße"), fold("STRASSE"));
        assert_ne!(fold("josé"), fold("jose"));
    }

    proptest! {
        #[test]
        fn preparing_twice_is_preparing_once(text in any::<String>()) {
            let once = prepare_password(&text);
            prop_assert_eq!(once.as_deref().and_then(prepare_password), once);
        }

        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,12}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }

    #[test]
    fn user_names_with_controls_or_outer_blanks_are_refused() {
        assert!(user_name_is_allowed("Ada Lovelace"));
        for bad in ["", "a\u{0}b", " a", "a\u{3000}"] {
            assert!(!user_name_is_allowed(bad), "{bad:?}");
        }
    }
}
