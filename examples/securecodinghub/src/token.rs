//! The text that a provider sends as its bearer token, and what is kept of it.
//!
//! A token is `schscim_`, 256 random bits in 43 base62 digits, and a CRC-32 over all of that in 6 more. The check
//! digits protect nothing: they let the log tell a token that was pasted badly from one that is simply not valid, and
//! they let a scanner for leaked secrets recognise ours without asking us. The answer to the client is the same.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// What every token starts with.
pub const PREFIX: &str = "schscim_";

/// 62^43 is just above 2^256, so 43 digits hold 32 bytes.
const RANDOM_DIGITS: usize = 43;
/// 62^6 is above 2^32, so 6 digits hold a CRC-32.
const CHECK_DIGITS: usize = 6;
const CHECKED_LEN: usize = PREFIX.len() + RANDOM_DIGITS;
const WHOLE_LEN: usize = CHECKED_LEN + CHECK_DIGITS;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token in the clear. It exists between a request's header and its digest, and once when it is shown to the person
/// who asked for it; nothing stores it, and `Debug` does not print it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new token of 256 bits from the operating system.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random).map_err(NoRandomness)?;
        let mut text = String::with_capacity(WHOLE_LEN);
        text.push_str(PREFIX);
        text.push_str(&base62::<RANDOM_DIGITS>(&random));
        let check = check_digits(text.as_bytes());
        text.push_str(&check);
        Ok(Self(text))
    }

    /// Reads a token as a client sent it.
    ///
    /// # Errors
    /// Says how the text differs from every token that we could have made. That is for the log alone: a client is told
    /// the same 401 for all of them, and for a well-formed token that nobody holds.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if !text.starts_with(PREFIX) {
            return Err(Malformed::NotOurs);
        }
        if text.len() < WHOLE_LEN {
            return Err(Malformed::CutOff);
        }
        // Bytes and not characters: a token that is longer than its length in characters is outside the alphabet.
        let Some((checked, check)) = text.as_bytes().split_at_checked(CHECKED_LEN) else {
            return Err(Malformed::CutOff);
        };
        let in_alphabet = checked[PREFIX.len()..].iter().all(|byte| ALPHABET.contains(byte));
        // The digits are compared as text. As numbers, two spellings could mean one CRC.
        if !in_alphabet || check_digits(checked).as_bytes() != check {
            return Err(Malformed::Mistyped);
        }
        Ok(Self(text.to_owned()))
    }

    /// The token in the clear, for the one time that it is shown.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up in place of the token.
    pub fn digest(&self) -> Digest {
        // A plain hash is enough because the token is 256 random bits: there is no dictionary to run through, so a slow
        // password hash would only slow every request down.
        Digest(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({PREFIX}…)")
    }
}

/// The SHA-256 of a token. Comparing two takes the same time wherever they differ.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest's bytes, as the database keeps them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell two apart in a failed test, too little to look one up.
        write!(f, "Digest({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// How a text differs from a token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not start with [`PREFIX`].
    #[error("this is not a token of this server: ours start with `{PREFIX}`")]
    NotOurs,
    /// It starts like ours and is too short.
    #[error("the token is cut off: copy it whole, all {WHOLE_LEN} characters")]
    CutOff,
    /// It is long enough, and its check digits or its characters are wrong.
    #[error("the token is mistyped: its check digits do not fit, so copy it again")]
    Mistyped,
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gives no random bytes, so no token can be made")]
pub struct NoRandomness(#[source] pub(crate) getrandom::Error);

fn check_digits(checked: &[u8]) -> String {
    base62::<CHECK_DIGITS>(&crc32(checked).to_be_bytes())
}

/// A big-endian number in `DIGITS` base62 digits, with leading zeros.
///
/// Long division by 62, one digit a round. The caller's `DIGITS` is wide enough for its bytes.
fn base62<const DIGITS: usize>(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_usize;
        for byte in &mut number {
            let dividend = rest * 256 + usize::from(*byte);
            *byte = (dividend / 62) as u8;
            rest = dividend % 62;
        }
        *digit = ALPHABET[rest];
    }
    digits.iter().copied().map(char::from).collect()
}

/// CRC-32 as zip, PNG and Ethernet have it. It notices every single changed character: an error burst of up to 32 bits
/// cannot go unseen. A table would be faster, and 51 bytes a request do not need it.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xEDB8_8320 & carry);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token_of(random: &[u8; 32]) -> String {
        let body = format!("{PREFIX}{}", base62::<RANDOM_DIGITS>(random));
        let check = check_digits(body.as_bytes());
        body + &check
    }

    #[test]
    fn crc_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn base62_is_fixed_width_and_holds_the_largest_number() {
        assert_eq!(base62::<RANDOM_DIGITS>(&[0; 32]), "0".repeat(43));
        assert_eq!(base62::<CHECK_DIGITS>(&61_u32.to_be_bytes()), "00000z");
        assert_eq!(base62::<CHECK_DIGITS>(&62_u32.to_be_bytes()), "000010");
        assert_eq!(base62::<CHECK_DIGITS>(&u32::MAX.to_be_bytes()), "4gfFC3");
        // One more digit would still be zero: 43 are enough.
        assert!(base62::<44>(&[0xFF; 32]).starts_with('0'));
        assert!(!base62::<RANDOM_DIGITS>(&[0xFF; 32]).starts_with('0'));
    }

    #[test]
    fn a_token_keeps_its_shape_between_versions() {
        // A token given out yesterday must be read tomorrow, so this text never changes.
        let text = token_of(&[7; 32]);
        assert_eq!(text, "schscim_1fJjkkpe9PiTw9KSulA8Ghct30vZz4HpdQ5c5b9cPF12aG2Hr");
        assert!(Secret::parse(&text).is_ok());
    }

    /// Proves: AU-6.
    #[test]
    fn generated_tokens_parse_and_differ() {
        let first = Secret::generate().unwrap();
        let second = Secret::generate().unwrap();
        assert_eq!(first.expose().len(), WHOLE_LEN);
        assert_eq!(Secret::parse(first.expose()).unwrap().digest(), first.digest());
        assert_ne!(first.digest(), second.digest());
    }

    #[test]
    fn debug_hides_the_text() {
        let secret = Secret::generate().unwrap();
        let shown = format!("{secret:?}");
        assert_eq!(shown, "Secret(schscim_…)");
        assert!(!format!("{:?}", secret.digest()).contains(&secret.expose()[8..]));
    }

    #[test]
    fn malformed_tokens_are_told_apart() {
        let whole = token_of(&[1; 32]);
        for (text, expected) in [
            ("", Malformed::NotOurs),
            ("schscim", Malformed::NotOurs),
            ("SCHSCIM_1234", Malformed::NotOurs),
            ("schscim_", Malformed::CutOff),
            (&whole[..WHOLE_LEN - 1], Malformed::CutOff),
            (&format!("{whole}A"), Malformed::Mistyped),
            (&format!(" {whole}"), Malformed::NotOurs),
            (&format!("{whole} "), Malformed::Mistyped),
            (&whole.replacen(&whole[20..21], "é", 1), Malformed::Mistyped),
            (&format!("{PREFIX}{}", "é".repeat(40)), Malformed::Mistyped),
            (&format!("{PREFIX}{}", whole[8..].to_lowercase()), Malformed::Mistyped),
        ] {
            assert_eq!(Secret::parse(text).unwrap_err(), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whole_tokens_are_read(random: [u8; 32]) {
            prop_assert!(Secret::parse(&token_of(&random)).is_ok());
        }

        #[test]
        fn a_changed_character_is_noticed(random: [u8; 32], at in 0..WHOLE_LEN, to: char) {
            let mut characters: Vec<char> = token_of(&random).chars().collect();
            prop_assume!(characters[at] != to);
            characters[at] = to;
            prop_assert!(Secret::parse(&characters.iter().collect::<String>()).is_err());
        }

        #[test]
        fn another_letter_of_the_alphabet_is_noticed(random: [u8; 32], at in PREFIX.len()..WHOLE_LEN, to in 0_usize..62) {
            let mut bytes = token_of(&random).into_bytes();
            prop_assume!(bytes[at] != ALPHABET[to]);
            bytes[at] = ALPHABET[to];
            prop_assert_eq!(Secret::parse(&String::from_utf8(bytes).unwrap()).unwrap_err(), Malformed::Mistyped);
        }

        #[test]
        fn a_dropped_character_is_noticed(random: [u8; 32], at in 0..WHOLE_LEN) {
            let mut text = token_of(&random);
            text.remove(at);
            let expected = if at < PREFIX.len() { Malformed::NotOurs } else { Malformed::CutOff };
            prop_assert_eq!(Secret::parse(&text).unwrap_err(), expected);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = Secret::parse(&text);
            let _ = Secret::parse(&format!("{PREFIX}{text}"));
        }
    }
}
