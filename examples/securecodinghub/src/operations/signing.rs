//! Who vouches for the entries of a log that were cut off: a key of the database.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use scimwright_store::Checkpoint;

use crate::directory::{Directory, DirectoryError};

/// What the name of a key begins with. The rest is the public key in hexadecimal.
const KIND: &str = "ed25519:";

/// The key that a database signs its checkpoints with, and the public ones of others that count here.
#[derive(Clone)]
pub struct AuditKey {
    own: SigningKey,
    elsewhere: Vec<String>,
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditKey").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl AuditKey {
    /// The key of that database, drawn when it is first asked for.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random bytes.
    pub async fn of(directory: &Directory) -> Result<Self, DirectoryError> {
        let own = SigningKey::from_bytes(&directory.audit_key().await?);
        Ok(Self { own, elsewhere: directory.audit_keys_elsewhere().await? })
    }

    /// The public key, as it stands in checkpoints.
    pub fn name(&self) -> String {
        format!("{KIND}{}", hex(self.own.verifying_key().as_bytes()))
    }

    /// The public keys of databases that organisations came from.
    pub fn elsewhere(&self) -> &[String] {
        &self.elsewhere
    }

    /// Signs a checkpoint.
    pub fn sign(&self, checkpoint: &mut Checkpoint) {
        checkpoint.key = self.name();
        checkpoint.signature = hex(&self.own.sign(&checkpoint.message()).to_bytes());
    }

    /// Whether a checkpoint is signed by one of these keys.
    ///
    /// # Errors
    /// Why it is not to be trusted.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let known = checkpoint.key == self.name() || self.elsewhere.contains(&checkpoint.key);
        if !known {
            return Err(format!("the key `{}` is not one of this database", checkpoint.key.escape_debug()));
        }
        let bad = || "its signature is not good".to_owned();
        let key = checkpoint.key.strip_prefix(KIND).and_then(bytes).ok_or_else(bad)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| bad())?;
        let signature = bytes(&checkpoint.signature).map(|bytes| Signature::from_bytes(&bytes)).ok_or_else(bad)?;
        key.verify_strict(&checkpoint.message(), &signature).map_err(|_| bad())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            tenant: "acme".to_owned(),
            position: 7,
            hash: [7; 32].into(),
            time: "2026-01-01T00:00:00Z".to_owned(),
            cuts_before: 0,
            previous: None,
            key: String::new(),
            signature: String::new(),
        }
    }

    fn key(seed: u8) -> AuditKey {
        AuditKey { own: SigningKey::from_bytes(&[seed; 32]), elsewhere: Vec::new() }
    }

    #[test]
    fn what_was_signed_is_trusted_as_it_was() {
        let (ours, mut signed) = (key(1), checkpoint());
        ours.sign(&mut signed);
        assert_eq!(ours.check(&signed), Ok(()));
        let changed: [fn(&mut Checkpoint); 5] = [
            |checkpoint| checkpoint.position = 8,
            |checkpoint| checkpoint.tenant = "globex".to_owned(),
            |checkpoint| checkpoint.hash = [8; 32].into(),
            |checkpoint| checkpoint.time.clear(),
            |checkpoint| checkpoint.signature.replace_range(..2, "00"),
        ];
        for change in changed {
            let mut changed = signed.clone();
            change(&mut changed);
            assert_eq!(ours.check(&changed), Err("its signature is not good".to_owned()));
        }
        for unsigned in [String::new(), "ä".repeat(64)] {
            assert!(ours.check(&Checkpoint { signature: unsigned, ..signed.clone() }).is_err());
        }
        assert!(ours.check(&checkpoint()).is_err());
    }

    #[test]
    fn a_key_of_elsewhere_counts_when_it_was_let_in() {
        let (ours, theirs, mut signed) = (key(1), key(2), checkpoint());
        theirs.sign(&mut signed);
        assert!(ours.check(&signed).unwrap_err().contains("is not one of this database"));
        assert_eq!(AuditKey { elsewhere: vec![theirs.name()], ..ours }.check(&signed), Ok(()));
    }
}
