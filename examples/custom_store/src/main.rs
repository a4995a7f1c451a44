//! A store of one's own: durable, in a file with one line a commit. It answers from memory and can be rebuilt from its journal,
//! as a store over a message log would.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use scimwright::core::{Catalog, Selection, urns};
use scimwright::service::{Context, Operation, Service};
use scimwright::store::{
    Change, Committed, InMemory, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId,
};
use serde_json::{Value, json};

/// Every change that was ever committed, and what they add up to.
#[derive(Debug)]
struct Journal {
    memory: InMemory,
    /// None when a line could not be written: then memory knows more than the file, and nothing more is promised.
    file: Mutex<Option<File>>,
}

impl Journal {
    fn open(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let (memory, mut bytes) = (InMemory::default(), Vec::new());
        file.read_to_end(&mut bytes)?;
        // A process that died while it wrote left half a line, and had told nobody that it succeeded.
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        file.set_len(u64::try_from(bytes.len())?)?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (tenant, change): (String, Change) = serde_json::from_slice(line)?;
            pollster::block_on(memory.commit(&tenant.parse()?, change))?;
        }
        Ok(Self { memory, file: Mutex::new(Some(file)) })
    }
}

#[async_trait]
impl Store for Journal {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        self.memory.get(tenant, key, members).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.memory.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        let mut line = serde_json::to_string(&(tenant.as_str(), &change)).map_err(StoreError::unavailable)?;
        line.push('\n');
        // The lock keeps the lines in the order of the commits. Memory judges first: what it refuses is not written. It never
        // waits, so blocking on it under a lock is harmless.
        let mut file = self.file.lock().map_err(|_| StoreError::unavailable("the journal is broken"))?;
        let open = file.as_mut().ok_or_else(|| StoreError::unavailable("the journal is broken"))?;
        let committed = pollster::block_on(self.memory.commit(tenant, change))?;
        if let Err(error) = open.write_all(line.as_bytes()).and_then(|()| open.sync_data()) {
            *file = None;
            return Err(StoreError::unavailable(error));
        }
        Ok(committed)
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.memory.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<Value>, StoreError> {
        self.memory.fact(tenant, name).await
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("journal.jsonl");
    let context = Context::new("acme".parse()?, "example", "https://example.com/scim/v2");

    let service = Service::new(Catalog::standard(), Journal::open(&path)?);
    let users = service.resource_type("User")?;
    let body = json!({"schemas": [urns::USER], "userName": "ada"});
    let create = Operation::Create { resource_type: users.clone(), body, selection: Selection::default() };
    let made = pollster::block_on(service.handle(&context, create.clone()))?.body.unwrap_or_default();
    drop(service);

    // Another process would find the same: the user, and that the name is taken.
    let service = Service::new(Catalog::standard(), Journal::open(&path)?);
    let id = made.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let get = Operation::Get { resource_type: users, id, selection: Selection::default(), expect: None, unless: None };
    assert_eq!(pollster::block_on(service.handle(&context, get))?.body, Some(made));
    assert_eq!(pollster::block_on(service.handle(&context, create)).map_err(|error| error.status()), Err(409));
    eprintln!("{}", std::fs::read_to_string(&path)?.trim_end());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use scimwright_testkit::suite::Kept;
    use tempfile::TempDir;

    use super::Journal;

    type Journaled = Kept<Journal, TempDir>;

    fn open(folder: TempDir) -> Journaled {
        let journal = Journal::open(&folder.path().join("journal.jsonl")).expect("the journal can be read");
        Kept::new(journal, folder)
    }

    fn fresh_store() -> Journaled {
        open(tempfile::tempdir().expect("there is room"))
    }

    /// What another process finds when this one died while it wrote.
    fn reopen(Kept { store, with: folder }: Journaled) -> Journaled {
        drop(store);
        let journal = OpenOptions::new().append(true).open(folder.path().join("journal.jsonl"));
        journal.and_then(|mut journal| journal.write_all(b"[\"a\",{\"tim")).expect("it can be written");
        open(folder)
    }

    // All that a store promises, as tests.
    scimwright_testkit::store_suite!(fresh_store, cases = 20, reopen = reopen);
}
