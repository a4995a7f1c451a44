//! Cursors: RFC 9865.
//!
//! A cursor is a place in the order of a query, sealed: nobody but a service with the same key can read or make one, and it opens only
//! for the query that it was made for. So nothing has to be remembered between pages, a page need not pass over those before it, and the
//! value that a list is sorted by does not show in URIs.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use scimwright_core::{Instant, ScimError, ScimType};
use scimwright_store::{Mark, Start};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Makes cursors and reads them.
#[derive(Clone)]
pub(crate) struct Cursors {
    cipher: XChaCha20Poly1305,
}

/// Where a page begins, and how large it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// When it was made.
    #[serde(rename = "t")]
    pub(crate) made: Instant,
    /// The page size that the walk began with.
    #[serde(rename = "c")]
    pub(crate) count: usize,
    /// Whether it leads to the page before the mark.
    #[serde(rename = "b", default)]
    pub(crate) back: bool,
    /// The record at the edge of the page; none for the first page.
    #[serde(rename = "m", default)]
    pub(crate) mark: Option<Mark>,
    /// What the value that the record is sorted by comes to, where it is too long for a URI: then the mark is without.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
}

/// A value of so many bytes of JSON still stands in a cursor.
const LONGEST: usize = 512;

/// So many random bytes stand in front of what is sealed.
const NONCE: usize = 24;

impl Cursors {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&(*key).into()) }
    }

    pub(crate) fn random() -> Self {
        let mut key = [0; 32];
        if let Err(error) = getrandom::fill(&mut key) {
            panic!("the operating system has no random numbers: {error}");
        }
        Self::new(&key)
    }

    /// Seals a cursor for one query: whatever tells that query from another.
    pub(crate) fn seal(&self, cursor: &Cursor, query: &str) -> Result<String, ScimError> {
        // Neither happens: a cursor is plain data, and whoever drew a key has random numbers.
        let broken = || ScimError::new(500, "no cursor can be made at the moment");
        let msg = serde_json::to_vec(cursor).map_err(|_| broken())?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| broken())?;
        let payload = Payload { msg: &msg, aad: query.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| broken())?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens a cursor of that query.
    ///
    /// # Errors
    ///
    /// 400 `invalidCursor`, in the same words whatever is wrong (RFC 9865 section 5.2), and `expiredCursor` for a good one that is old.
    pub(crate) fn open(&self, text: &str, query: &str, now: Instant, timeout: Duration) -> Result<Cursor, ScimError> {
        let invalid = || {
            let detail = "the cursor is none of this query: repeat every parameter of the query with the `nextCursor` or \
                          `previousCursor` of its last page, or begin again with an empty `cursor`";
            ScimError::bad(ScimType::InvalidCursor, detail)
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(invalid)?;
        let payload = Payload { msg: sealed, aad: query.as_bytes() };
        let msg = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| invalid())?;
        let cursor: Cursor = serde_json::from_slice(&msg).map_err(|_| invalid())?;
        let age = (now.utc() - cursor.made.utc()).to_std().unwrap_or_default();
        if age > timeout { Err(expired()) } else { Ok(cursor) }
    }
}

/// The cursor was good once.
pub(crate) fn expired() -> ScimError {
    let detail = "the cursor has expired: begin again with an empty `cursor`, and do not wait longer than `cursorTimeout` of \
                  ServiceProviderConfig";
    ScimError::bad(ScimType::ExpiredCursor, detail)
}

impl Cursor {
    /// The cursor to a mark, with the same size of pages.
    pub(crate) fn to(&self, back: bool, mark: Option<Mark>) -> Self {
        let digest = mark.as_ref().and_then(|mark| digest(mark).filter(|(length, _)| *length > LONGEST));
        let mark = match (mark, &digest) {
            (Some(mark), Some(_)) => Some(Mark { key: None, ..mark }),
            (mark, _) => mark,
        };
        Self { made: self.made, count: self.count, back, mark, digest: digest.map(|(_, digest)| digest) }
    }

    /// Puts the value back that was too long. `now` is where the record stands now.
    ///
    /// # Errors
    ///
    /// `expiredCursor` when the record is gone, or sorted by another value since.
    pub(crate) fn restore(&mut self, now: Option<Mark>) -> Result<(), ScimError> {
        let Some(wanted) = self.digest.take() else { return Ok(()) };
        let found = now.filter(|mark| digest(mark).is_some_and(|(_, digest)| digest == wanted));
        self.mark = Some(found.ok_or_else(expired)?);
        Ok(())
    }

    /// Where the page begins.
    pub(crate) fn start(&self) -> Start {
        match &self.mark {
            None => Start::Offset(0),
            Some(mark) if self.back => Start::Before(mark.clone()),
            Some(mark) => Start::After(mark.clone()),
        }
    }
}

/// How long the value of a mark is in JSON, and what tells it from others.
fn digest(mark: &Mark) -> Option<(usize, String)> {
    let key = serde_json::to_vec(mark.key.as_ref()?).ok()?;
    Some((key.len(), URL_SAFE_NO_PAD.encode(Sha256::digest(&key))))
}

impl fmt::Debug for Cursors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Cursors")
    }
}

#[cfg(test)]
mod tests {
    use scimwright_filter::SortKey;

    use super::*;

    fn cursor() -> Cursor {
        let mark =
            Mark { key: Some(SortKey::Text("ada".to_owned())), resource_type: "User".to_owned(), id: "7".to_owned() };
        Cursor { made: "2026-01-01T00:00:00Z".parse().unwrap(), count: 10, back: true, mark: Some(mark), digest: None }
    }

    fn open(cursors: &Cursors, text: &str, query: &str, now: &str) -> Result<Cursor, ScimError> {
        cursors.open(text, query, now.parse().unwrap(), Duration::from_secs(60))
    }

    #[test]
    fn cu_6_a_cursor_opens_for_its_query_and_shows_nothing() {
        let cursors = Cursors::random();
        let text = cursors.seal(&cursor(), "q").unwrap();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{text}");
        assert_ne!(text, cursors.seal(&cursor(), "q").unwrap());
        let plain = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert!(!plain.windows(3).any(|bytes| bytes == b"ada"));
        assert_eq!(open(&cursors, &text, "q", "2026-01-01T00:01:00Z"), Ok(cursor()));
    }

    #[test]
    fn cu_18_cu_19_what_is_forged_foreign_or_cut_is_refused_in_the_same_words() {
        let cursors = Cursors::random();
        let text = cursors.seal(&cursor(), "q").unwrap();
        let now = "2026-01-01T00:00:00Z";
        let refused = |cursors: &Cursors, text: &str, query: &str| open(cursors, text, query, now).unwrap_err();
        let wanted = refused(&cursors, &text, "another query");
        assert_eq!(wanted.scim_type(), Some(ScimType::InvalidCursor));
        assert_eq!(refused(&Cursors::random(), &text, "q"), wanted);
        for at in 0..text.len() {
            let flipped = if &text[at..=at] == "A" { "B" } else { "A" };
            assert_eq!(refused(&cursors, &format!("{}{flipped}{}", &text[..at], &text[at + 1..]), "q"), wanted);
            assert_eq!(refused(&cursors, &text[..at], "q"), wanted);
        }
        assert_eq!(refused(&cursors, "§", "q"), wanted);
    }

    #[test]
    fn cu_10_an_old_cursor_is_expired_and_a_forged_one_is_invalid_at_every_age() {
        let cursors = Cursors::random();
        let text = cursors.seal(&cursor(), "q").unwrap();
        let late = "2026-01-01T00:01:00.001Z";
        let types = |query: &str| open(&cursors, &text, query, late).unwrap_err().scim_type();
        assert_eq!(types("q"), Some(ScimType::ExpiredCursor));
        assert_eq!(types("r"), Some(ScimType::InvalidCursor));
        // A clock that went back is no reason to refuse.
        assert!(open(&cursors, &text, "q", "2025-12-31T23:00:00Z").is_ok());
    }

    #[test]
    fn a_key_outlives_the_service() {
        let text = Cursors::new(&[7; 32]).seal(&cursor(), "q").unwrap();
        assert!(open(&Cursors::new(&[7; 32]), &text, "q", "2026-01-01T00:00:00Z").is_ok());
    }
}
