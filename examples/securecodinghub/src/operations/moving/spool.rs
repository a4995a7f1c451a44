//! What is copied, between the two databases.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::sync::{Arc, Mutex, PoisonError};

use scimwright_store::{Item, TenantId, Transfer};
use sha2::{Digest as _, Sha256};

use crate::operations::{OperationError, at};

/// What the store tells of the tenant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The last position of its log.
    pub(super) position: u64,
    /// Whether it is closed.
    pub(super) closed: bool,
}

/// How far a tenant is, if it is there.
pub(super) async fn head(store: &dyn Transfer, tenant: &TenantId) -> Result<Option<Head>, OperationError> {
    Ok(first(store, tenant, |item| match item {
        Item::Head { position, closed } => Some(Head { position, closed }),
        _ => None,
    })
    .await?)
}

/// The first item of which something is known. The rest of the export is not waited for.
pub(super) async fn first<T: Send + 'static>(
    store: &dyn Transfer,
    tenant: &TenantId,
    mut wanted: impl FnMut(Item) -> Option<T> + Send + 'static,
) -> Result<Option<T>, scimwright_store::StoreError> {
    let found = Arc::new(Mutex::new(None));
    let place = Arc::clone(&found);
    let sink = move |item| match wanted(item) {
        Some(known) => {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
            Err(io::Error::other("this is enough"))
        }
        None => Ok(()),
    };
    let done = store.export(tenant, Box::new(sink)).await;
    match found.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(known) => Ok(Some(known)),
        None => done.map(|()| None),
    }
}

/// An exported organisation in a file that has no name and is gone with this process, and the digest of it.
pub(super) struct Spool {
    file: File,
    pub(super) digest: [u8; 32],
}

/// What is written as the items come.
struct Writing {
    file: BufWriter<File>,
    hash: Sha256,
}

impl Spool {
    /// Without what is derived, which every store makes for itself.
    pub(super) async fn of(store: &dyn Transfer, tenant: &TenantId) -> Result<Self, OperationError> {
        let file = tempfile::tempfile().map_err(at(&std::env::temp_dir()))?;
        let writing = Writing { file: BufWriter::new(file), hash: Sha256::new() };
        let shared = Arc::new(Mutex::new(writing));
        let sink = Arc::clone(&shared);
        let each = move |item: Item| sink.lock().unwrap_or_else(PoisonError::into_inner).item(item);
        store.export(tenant, Box::new(each)).await?;
        let kept = || OperationError::Write(io::Error::other("the store has kept what it was to export to"));
        let writing = Arc::into_inner(shared).ok_or_else(kept)?.into_inner().unwrap_or_else(PoisonError::into_inner);
        let file = writing.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Self { file, digest: writing.hash.finalize().into() })
    }

    /// The items, in order.
    pub(super) fn items(mut self) -> Result<impl Iterator<Item = io::Result<Item>> + Send + 'static, OperationError> {
        self.file.rewind()?;
        Ok(BufReader::new(self.file).lines().map(|line| Ok(serde_json::from_str(&line?)?)))
    }
}

impl Writing {
    fn item(&mut self, mut item: Item) -> io::Result<()> {
        if item.is_derived() {
            return Ok(());
        }
        // Counted anew where it comes to.
        if let Item::Record { member_count, .. } = &mut item {
            *member_count = 0;
        }
        let mut line = serde_json::to_vec(&item)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.file.write_all(&line)
    }
}
