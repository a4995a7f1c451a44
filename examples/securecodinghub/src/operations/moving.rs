//! An organisation from one database to another: the same ids, versions, times, log and tokens.
//!
//! It is closed where it is, copied, compared, and opened where it has come to; in this order, so that it is never open in two places,
//! whenever this is interrupted. What was begun is finished by doing the same again, or taken back.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scimwright_store::{Item, Store, TenantId, Transfer};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::signing::carry;
use super::{OperationError, at};
use crate::cli::MoveArgs;
use crate::commands::write_json;
use crate::database::{Database, Opened};
use crate::directory::{Closed, Organisation};

/// Runs `move …`.
///
/// # Errors
/// When the organisation is unknown, a database cannot be used, or the copy is not what was copied. What was begun then can be
/// done again or taken back.
pub async fn run(database: &Database, args: &MoveArgs, json: bool, out: &mut dyn Write) -> Result<(), OperationError> {
    let to = Database::parse(&args.to.0, std::env::var_os("PGPASSWORD").as_deref()).map_err(OperationError::Target)?;
    if name_of(&to) == name_of(database) {
        return Err(OperationError::SameDatabase(to.to_string()));
    }
    let (here, there) = (database.open().await?, to.open().await?);
    let organisation = here.directory.organisation(&args.org).await?;
    let road = Road { from: &here, to: &there, here: name_of(database), there: name_of(&to), settle: args.settle() };
    let what = if args.undo {
        road.undo(&organisation).await?;
        "stays"
    } else {
        road.travel(&organisation, &mut |_| Ok(())).await?;
        if args.erase {
            road.erase(&organisation).await?;
        }
        "has moved"
    };
    let Organisation { name, id, .. } = organisation;
    if json {
        let place = if args.undo { &road.here } else { &road.there };
        return Ok(write_json(out, &json!({"organisation": name, "id": id, "database": place, "erased": args.erase}))?);
    }
    match args.undo {
        true => writeln!(out, "`{name}` {what} in {}", road.here)?,
        false => writeln!(
            out,
            "`{name}` {what} to {}: let its provider's URL lead to a server on that database",
            road.there
        )?,
    }
    Ok(())
}

/// A database as it is called in the other one, whatever folder this is run in. It has no password.
fn name_of(database: &Database) -> String {
    match database {
        Database::File(path) => path
            .canonicalize()
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.clone())
            .display()
            .to_string(),
        Database::Postgres(url) => url.to_string(),
    }
}

/// What has just been done. Whatever stops the move behind one of these, the organisation is open in one place at most, and the same
/// can be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It takes no requests where it is.
    Closed,
    /// Its row, tokens and extensions are at the other place.
    Listed,
    /// Its resources are there too.
    Copied,
    /// They are the same.
    Compared,
    /// It takes requests there.
    Opened,
    /// It is marked as gone where it was.
    Marked,
}

/// Two databases.
#[derive(Debug)]
pub struct Road<'r> {
    /// Where the organisation is.
    pub from: &'r Opened,
    /// Where it goes.
    pub to: &'r Opened,
    /// What the first is called.
    pub here: String,
    /// What the second is called.
    pub there: String,
    /// How long nothing may have been written before it is copied: requests that had been let in before it was closed may still be
    /// at their end.
    pub settle: Duration,
}

impl Road<'_> {
    /// Moves the organisation, or goes on where it was interrupted. What is done after each step is the caller's to say.
    ///
    /// # Errors
    /// When a database fails, somebody wrote meanwhile, or what arrived is not what left.
    pub async fn travel(
        &self,
        organisation: &Organisation,
        done: &mut (dyn FnMut(Step) -> Result<(), OperationError> + Send),
    ) -> Result<(), OperationError> {
        let (id, tenant): (_, TenantId) = (&organisation.id, organisation.id.parse()?);
        let leaving = Closed::Leaving(self.there.clone());
        let arrived = self.to.directory.organisation_by_id(id).await?;
        match (&organisation.closed, arrived.as_ref().map(|there| &there.closed)) {
            (Some(closed), _) if *closed == Closed::Moved(self.there.clone()) => return Ok(()),
            // All but the mark was done.
            (Some(closed), Some(None)) if *closed == leaving => return self.mark(id, done).await,
            (None, Some(None)) => return Err(OperationError::TwoCopies(self.there.clone())),
            (None, _) => self.from.directory.put_state(id, Some(leaving)).await?,
            (Some(closed), _) if *closed == leaving => {}
            (Some(closed), _) => return Err(OperationError::Elsewhere(closed.to_string())),
        }
        done(Step::Closed)?;
        if let Err(error) = self.forget(&tenant, id).await {
            if matches!(error, OperationError::SameDatabase(_)) {
                self.from.directory.put_state(id, None).await?;
            }
            return Err(error);
        }
        let position = self.settled(&tenant).await?;
        self.to.directory.take_in(&self.from.directory.luggage(id).await?).await?;
        done(Step::Listed)?;
        carry(self.from, self.to, &tenant).await?;
        let copy = Spool::of(&*self.from.store, &tenant).await?;
        let copied = copy.digest;
        if copy.items > 0 {
            self.to.store.import(&tenant, Box::new(copy.items()?)).await?;
        }
        done(Step::Copied)?;
        if Spool::of(&*self.to.store, &tenant).await?.digest != copied {
            return Err(OperationError::Unequal);
        }
        if last(&*self.from.store, &tenant, position).await? != position {
            return Err(OperationError::Written);
        }
        done(Step::Compared)?;
        self.to.directory.put_state(id, None).await?;
        done(Step::Opened)?;
        self.mark(id, done).await
    }

    async fn mark(
        &self,
        id: &str,
        done: &mut (dyn FnMut(Step) -> Result<(), OperationError> + Send),
    ) -> Result<(), OperationError> {
        self.from.directory.put_state(id, Some(Closed::Moved(self.there.clone()))).await?;
        done(Step::Marked)
    }

    /// Takes back what was begun: the organisation is open where it was, and the copy goes.
    ///
    /// # Errors
    /// When there is nothing to be taken back, since it has not left or has arrived, or a database fails.
    pub async fn undo(&self, organisation: &Organisation) -> Result<(), OperationError> {
        let id = &organisation.id;
        match &organisation.closed {
            None => return Ok(()),
            Some(closed) if *closed == Closed::Leaving(self.there.clone()) => {}
            Some(closed) => return Err(OperationError::Elsewhere(closed.to_string())),
        }
        if self.to.directory.organisation_by_id(id).await?.is_some_and(|there| there.closed.is_none()) {
            return Err(OperationError::Arrived(self.there.clone()));
        }
        self.forget(&id.parse()?, id).await?;
        Ok(self.from.directory.put_state(id, None).await?)
    }

    /// Forgets the organisation where it was.
    ///
    /// # Errors
    /// When it has not moved, or the database fails.
    pub async fn erase(&self, organisation: &Organisation) -> Result<(), OperationError> {
        let id = &organisation.id;
        let there = self.to.directory.organisation_by_id(id).await?;
        if there.is_none_or(|there| there.closed.is_some()) {
            return Err(OperationError::NotThere(self.there.clone()));
        }
        self.from.store.erase(&id.parse()?).await?;
        Ok(self.from.directory.forget(id).await?)
    }

    /// Forgets what there is at the other place of an organisation that is not there: left over from an attempt before, or from when
    /// it moved away.
    async fn forget(&self, tenant: &TenantId, id: &str) -> Result<(), OperationError> {
        let there = self.to.directory.organisation_by_id(id).await?;
        match there.map(|there| there.closed) {
            None | Some(Some(Closed::Arriving | Closed::Moved(_))) => {}
            Some(None) => return Err(OperationError::TwoCopies(self.there.clone())),
            // It is leaving from here, so both are one database under two names.
            Some(Some(Closed::Leaving(_))) => return Err(OperationError::SameDatabase(self.there.clone())),
        }
        self.to.store.erase(tenant).await?;
        Ok(self.to.directory.forget(id).await?)
    }

    /// Waits until nothing is written any more, and tells the last position of the log.
    async fn settled(&self, tenant: &TenantId) -> Result<u64, OperationError> {
        let mut position = last(&*self.from.store, tenant, 0).await?;
        loop {
            tokio::time::sleep(self.settle).await;
            let now = last(&*self.from.store, tenant, position).await?;
            if now == position {
                return Ok(position);
            }
            position = now;
        }
    }
}

/// The last position of a log of which that much is known.
async fn last(store: &dyn Store, tenant: &TenantId, mut known: u64) -> Result<u64, OperationError> {
    loop {
        match store.log(tenant, known, 500).await?.last() {
            Some(entry) => known = entry.position,
            None => return Ok(known),
        }
    }
}

/// An exported organisation in a file that has no name and is gone with this process, and the digest of it.
struct Spool {
    file: File,
    items: u64,
    digest: [u8; 32],
}

/// What is written as the items come.
struct Writing {
    file: BufWriter<File>,
    hash: Sha256,
    items: u64,
}

impl Spool {
    /// Without what is derived, which every store makes for itself.
    async fn of(store: &dyn Transfer, tenant: &TenantId) -> Result<Self, OperationError> {
        let file = tempfile::tempfile().map_err(at(&std::env::temp_dir()))?;
        let writing = Writing { file: BufWriter::new(file), hash: Sha256::new(), items: 0 };
        let shared = Arc::new(Mutex::new(writing));
        let sink = Arc::clone(&shared);
        let each = move |item: Item| sink.lock().unwrap_or_else(PoisonError::into_inner).item(item);
        store.export(tenant, Box::new(each)).await?;
        let kept = || OperationError::Write(io::Error::other("the store has kept what it was to export to"));
        let writing = Arc::into_inner(shared).ok_or_else(kept)?.into_inner().unwrap_or_else(PoisonError::into_inner);
        let file = writing.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Self { file, items: writing.items, digest: writing.hash.finalize().into() })
    }

    /// The items, in order.
    fn items(mut self) -> Result<impl Iterator<Item = io::Result<Item>> + Send + 'static, OperationError> {
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
        self.items += 1;
        self.file.write_all(&line)
    }
}
