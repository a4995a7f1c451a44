//! Who vouches for the entries of a log that were cut off: a key of the database, or better one that is kept elsewhere.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use scimwright_store::chain::CHECKPOINT;
use scimwright_store::{Checkpoint, TenantId};

use super::{OperationError, at, sync_folder};
use crate::database::Opened;
use crate::directory::{Directory, DirectoryError, TrustedKey};
use crate::token::NoRandomness;

/// What the name of a key begins with. The rest is the public key in hexadecimal.
const KIND: &str = "ed25519:";

/// What a file with a private key begins with.
const PRIVATE: &str = "ed25519-private:";

/// A key that signs checkpoints.
#[derive(Clone)]
pub struct AuditKey(SigningKey);

/// A public key, as it stands in checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(String);

/// A text that is no [`PublicKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is ed25519: and 64 hexadecimal digits, as `audit key` shows it")]
pub struct BadKey;

/// Whose signatures count.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those of the keys that the database itself names: its own, and those of elsewhere.
    Named {
        /// Its own, if it has drawn one.
        own: Option<String>,
        /// Those of elsewhere, each for one organisation.
        elsewhere: Vec<TrustedKey>,
    },
    /// Those of the keys that were given, whatever the database says.
    Given(Vec<PublicKey>),
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditKey").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl FromStr for PublicKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let key = text.strip_prefix(KIND).and_then(bytes::<32>).ok_or(BadKey)?;
        Ok(Self(format!("{KIND}{}", hex(&key))))
    }
}

impl AuditKey {
    /// The key of that database, drawn when it is first asked for.
    ///
    /// # Errors
    /// When the database fails, or the operating system gives no random bytes.
    pub async fn of(directory: &Directory) -> Result<Self, DirectoryError> {
        Ok(Self(SigningKey::from_bytes(&directory.audit_key().await?)))
    }

    /// The key in a file.
    ///
    /// # Errors
    /// When the file cannot be read, holds no key, or may be read by others than its owner.
    pub fn read(path: &Path) -> Result<Self, OperationError> {
        let text = std::fs::read_to_string(path).map_err(at(path))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).map_err(at(path))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(OperationError::OpenKey(path.to_owned()));
            }
        }
        let key = text.trim_end().strip_prefix(PRIVATE).and_then(bytes);
        Ok(Self(SigningKey::from_bytes(&key.ok_or_else(|| OperationError::NoKey(path.to_owned()))?)))
    }

    /// Draws a key and writes it to a new file, readable for its owner alone.
    ///
    /// # Errors
    /// When there is such a file already, it cannot be written, or the operating system gives no random bytes.
    pub fn make(path: &Path) -> Result<Self, OperationError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| DirectoryError::from(NoRandomness(error)))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(at(path))?;
        writeln!(file, "{PRIVATE}{}", hex(&key)).and_then(|()| file.sync_all()).map_err(at(path))?;
        sync_folder(path)?;
        Ok(Self(SigningKey::from_bytes(&key)))
    }

    /// The public key, as it stands in checkpoints.
    pub fn name(&self) -> String {
        format!("{KIND}{}", hex(self.0.verifying_key().as_bytes()))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.name())
    }

    /// Signs a checkpoint.
    pub fn sign(&self, checkpoint: &mut Checkpoint) {
        checkpoint.key = self.name();
        checkpoint.signature = hex(&self.0.sign(&checkpoint.message()).to_bytes());
    }
}

impl Trust {
    /// What the database says. Nothing is written to it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(directory: &Directory) -> Result<Self, DirectoryError> {
        let own = directory.drawn_audit_key().await?;
        let own = own.map(|key| AuditKey(SigningKey::from_bytes(&key)).name());
        Ok(Self::Named { own, elsewhere: directory.trusted_audit_keys().await? })
    }

    /// What was given, or where that is nothing what the database says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn given(keys: &[PublicKey], directory: &Directory) -> Result<Self, DirectoryError> {
        if keys.is_empty() { Self::of(directory).await } else { Ok(Self::Given(keys.to_owned())) }
    }

    /// Whether a checkpoint is signed by one of these keys.
    ///
    /// # Errors
    /// Why it is not to be trusted.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let name = || checkpoint.key.escape_debug();
        match self {
            Self::Given(keys) if !keys.iter().any(|key| key.0 == checkpoint.key) => {
                return Err(format!("the key `{}` is not one of those that were given", name()));
            }
            Self::Named { own, elsewhere } if own.as_ref() != Some(&checkpoint.key) => {
                let mut theirs = elsewhere.iter().filter(|trusted| trusted.key == checkpoint.key);
                let counts =
                    |it: &TrustedKey| it.organisation == checkpoint.tenant && checkpoint.position <= it.through;
                if !theirs.any(counts) {
                    return Err(format!("the key `{}` is not one of this database", name()));
                }
            }
            _ => {}
        }
        check_signature(checkpoint).ok_or_else(|| "its signature is not good".to_owned())
    }
}

/// Whether the signature is that of the key that the checkpoint names.
fn check_signature(checkpoint: &Checkpoint) -> Option<()> {
    let key = VerifyingKey::from_bytes(&checkpoint.key.strip_prefix(KIND).and_then(bytes)?).ok()?;
    let signature = Signature::from_bytes(&bytes(&checkpoint.signature)?);
    key.verify_strict(&checkpoint.message(), &signature).ok()
}

/// Lets the key that has signed for an organisation's log count where the organisation goes: for it alone, and no further than it
/// has signed. What is not trusted here is not trusted there.
///
/// # Errors
/// When a database fails.
pub(super) async fn carry(from: &Opened, to: &Opened, tenant: &TenantId) -> Result<(), OperationError> {
    let fact = from.store.fact(tenant, CHECKPOINT).await?;
    let Some(checkpoint) = fact.and_then(|fact| serde_json::from_value::<Checkpoint>(fact).ok()) else { return Ok(()) };
    if checkpoint.tenant == tenant.as_str() && Trust::of(&from.directory).await?.check(&checkpoint).is_ok() {
        to.directory.trust_audit_key(&trusted(&checkpoint)).await?;
    }
    Ok(())
}

/// What is trusted of the key that has signed a checkpoint.
pub(super) fn trusted(checkpoint: &Checkpoint) -> TrustedKey {
    TrustedKey { organisation: checkpoint.tenant.clone(), key: checkpoint.key.clone(), through: checkpoint.position }
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
        AuditKey(SigningKey::from_bytes(&[seed; 32]))
    }

    fn named(own: &AuditKey, elsewhere: Vec<TrustedKey>) -> Trust {
        Trust::Named { own: Some(own.name()), elsewhere }
    }

    #[test]
    fn what_was_signed_is_trusted_as_it_was() {
        let (ours, mut signed) = (key(1), checkpoint());
        ours.sign(&mut signed);
        let ours = named(&ours, Vec::new());
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
    fn a_key_of_elsewhere_counts_for_whom_and_for_what_it_was_let_in() {
        let (ours, theirs, mut signed) = (key(1), key(2), checkpoint());
        theirs.sign(&mut signed);
        let not_ours = |elsewhere| {
            let error = named(&ours, elsewhere).check(&signed).unwrap_err();
            assert!(error.contains("is not one of this database"), "{error}");
        };
        not_ours(Vec::new());
        let good = trusted(&signed);
        not_ours(vec![TrustedKey { organisation: "globex".to_owned(), ..good.clone() }]);
        not_ours(vec![TrustedKey { through: 6, ..good.clone() }]);
        assert_eq!(named(&ours, vec![good]).check(&signed), Ok(()));
    }

    #[test]
    fn what_was_given_counts_and_nothing_else() {
        let (ours, theirs, mut signed) = (key(1), key(2), checkpoint());
        ours.sign(&mut signed);
        let error = Trust::Given(vec![theirs.public()]).check(&signed).unwrap_err();
        assert!(error.contains("is not one of those that were given"), "{error}");
        let given = Trust::Given(vec![theirs.public(), ours.public()]);
        assert_eq!(given.check(&signed), Ok(()));
        signed.position = 8;
        assert_eq!(given.check(&signed), Err("its signature is not good".to_owned()));
    }

    #[test]
    fn a_public_key_is_read_as_it_is_shown() {
        let name = key(1).name();
        assert_eq!(name.parse(), Ok(key(1).public()));
        let digits = name.strip_prefix(KIND).unwrap();
        assert_eq!(format!("{KIND}{}", digits.to_uppercase()).parse(), Ok(key(1).public()));
        for bad in ["", digits, KIND, &format!("{name}0"), &format!("{KIND}{}", "g".repeat(64))] {
            assert_eq!(bad.parse::<PublicKey>(), Err(BadKey), "{bad}");
        }
    }

    #[test]
    fn a_key_in_a_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.key");
        let made = AuditKey::make(&path).unwrap();
        assert_eq!(AuditKey::read(&path).unwrap().name(), made.name());
        assert!(AuditKey::make(&path).is_err(), "no key is overwritten");
        std::fs::write(&path, format!("{PRIVATE}00")).unwrap();
        assert!(matches!(AuditKey::read(&path), Err(OperationError::NoKey(_))));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            assert!(matches!(AuditKey::read(&path), Err(OperationError::OpenKey(_))));
        }
    }
}
