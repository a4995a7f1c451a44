//! An organisation from one database to another: the same ids, versions, times, log and tokens.
//!
//! It is closed where it is, copied, compared, and opened where it has come to; in this order, so that it is never open in two places,
//! whenever this is interrupted. What was begun is finished by doing the same again, or taken back.
//!
//! It is closed twice: in the directory, so that requests are turned away at the gate, and in the store, so that those that were let in
//! before commit nothing any more. Every attempt has an id of its own, which stands beside the organisation in both databases. Each step
//! is done only where the attempt's own id still stands, so whoever is overtaken by another attempt, or by an undo, stops.

mod spool;

use std::collections::BTreeSet;
use std::io::Write;

use chrono::Utc;
use scimwright_core::Instant;
use scimwright_store::{Change, Event, Item, TenantId, Transfer};
use serde_json::json;
use uuid::Uuid;

use super::OperationError;
use super::signing::carry;
use crate::cli::MoveArgs;
use crate::commands::write_json;
use crate::database::{Database, Opened};
use crate::directory::{Closed, Organisation};
use spool::{Head, Spool, first, head};

/// Runs `move …`.
///
/// # Errors
/// When the organisation is unknown, a database cannot be used, or the copy is not what was copied. What was begun then can be
/// done again or taken back.
pub async fn run(database: &Database, args: &MoveArgs, json: bool, out: &mut dyn Write) -> Result<(), OperationError> {
    let here = database.open().await?;
    let organisation = here.directory.organisation(&args.org).await?;
    let Organisation { name, id, .. } = &organisation;
    let place = match &args.to {
        Some(to) if !args.abandon => {
            let to =
                Database::parse(&to.0, std::env::var_os("PGPASSWORD").as_deref()).map_err(OperationError::Target)?;
            if name_of(&to) == name_of(database) {
                return Err(OperationError::SameDatabase(to.to_string()));
            }
            let there = to.open().await?;
            let road = Road { from: &here, to: &there, here: name_of(database), there: name_of(&to) };
            if args.undo {
                road.undo(&organisation).await?;
                road.here
            } else {
                road.travel(&organisation, &mut |_| Ok(())).await?;
                if args.erase {
                    road.erase(&organisation).await?;
                }
                road.there
            }
        }
        _ => {
            abandon(&here, &organisation).await?;
            name_of(database)
        }
    };
    if json {
        return Ok(write_json(out, &json!({"organisation": name, "id": id, "database": place, "erased": args.erase}))?);
    }
    match args.undo {
        true => writeln!(out, "`{name}` stays in {place}")?,
        false => {
            writeln!(out, "`{name}` has moved to {place}: let its provider's URL lead to a server on that database")?
        }
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

/// Who is told of each step, and may stop the move there.
pub type Done<'d> = &'d mut (dyn FnMut(Step) -> Result<(), OperationError> + Send);

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
}

impl Road<'_> {
    /// Moves the organisation, or goes on where it was interrupted. What is done after each step is the caller's to say.
    ///
    /// # Errors
    /// When a database fails, another attempt or an undo was faster, or what arrived is not what left.
    pub async fn travel(&self, organisation: &Organisation, done: Done<'_>) -> Result<(), OperationError> {
        let id = &organisation.id;
        let arrived = self.to.directory.organisation_by_id(id).await?;
        let there = arrived.as_ref().map(|there| &there.closed);
        match (&organisation.closed, there) {
            (Some(Closed::Moved(to)), _) if *to == self.there => return Ok(()),
            // All but the mark was done.
            (Some(leaving @ Closed::Leaving { to, .. }), Some(None)) if *to == self.there => {
                return self.mark(id, leaving, done).await;
            }
            (None, Some(None)) => return Err(OperationError::TwoCopies(self.there.clone())),
            (_, Some(Some(Closed::Unknown(state)))) => return Err(OperationError::Elsewhere(state.clone())),
            (None, _) => self.check(organisation).await?,
            (Some(Closed::Leaving { to, .. }), _) if *to == self.there => {}
            (Some(closed), _) => return Err(OperationError::Elsewhere(closed.to_string())),
        }
        let attempt = Attempt { road: self, organisation, by: Uuid::new_v4().to_string() };
        let leaving = attempt.leaving();
        self.from.directory.put_state(id, organisation.closed.as_ref(), Some(leaving.clone())).await?;
        let gone = attempt.go(done).await;
        if matches!(gone, Err(OperationError::SameDatabase(_))) {
            open(self.from, id, &leaving).await?;
            return gone;
        }
        gone.map_err(|source| OperationError::StillClosed {
            name: organisation.name.clone(),
            source: Box::new(source),
        })?;
        self.mark(id, &leaving, done).await
    }

    async fn mark(&self, id: &str, leaving: &Closed, done: Done<'_>) -> Result<(), OperationError> {
        self.from.directory.put_state(id, Some(leaving), Some(Closed::Moved(self.there.clone()))).await?;
        done(Step::Marked)
    }

    /// What can be known before anything is closed: whether somebody else there has the name, and whether a server there would find
    /// what comes.
    async fn check(&self, organisation: &Organisation) -> Result<(), OperationError> {
        let others = self.to.directory.organisations().await?;
        let name = crate::directory::name_key(&organisation.name);
        let taken = others.iter().find(|other| crate::directory::name_key(&other.name) == name);
        if let Some(other) = taken.filter(|other| other.id != organisation.id) {
            return Err(OperationError::NameThere(other.name.clone()));
        }
        self.check_indexes(&organisation.id.parse()?).await
    }

    /// A store finds resources by the keys that they were written with. Where more is indexed than here, filters would pass over what
    /// comes.
    async fn check_indexes(&self, tenant: &TenantId) -> Result<(), OperationError> {
        let (here, there) = (self.from.directory.indexes().await?, self.to.directory.indexes().await?);
        let missed = there.into_iter().filter_map(|(name, indexes)| {
            let known = here.get(&name).cloned().unwrap_or_default();
            let missed: BTreeSet<String> = indexes.difference(&known).cloned().collect();
            (!missed.is_empty()).then_some((name, missed))
        });
        for (name, missed) in missed {
            let of = name.clone();
            let is_one =
                move |item| matches!(item, Item::Record { draft, .. } if draft.key.resource_type == of).then_some(());
            if first(&*self.from.store, tenant, is_one).await?.is_some() {
                return Err(OperationError::OtherIndexes { name, indexes: missed.into_iter().collect() });
            }
        }
        Ok(())
    }

    /// Takes back what was begun: the organisation is open where it was, and the copy goes.
    ///
    /// # Errors
    /// When there is nothing to be taken back, since it has not left or has arrived, or a database fails.
    pub async fn undo(&self, organisation: &Organisation) -> Result<(), OperationError> {
        let id = &organisation.id;
        match &organisation.closed {
            None => return open_store(self.from, id).await,
            Some(Closed::Leaving { to, .. }) if *to == self.there => {}
            Some(closed) => return Err(OperationError::Elsewhere(closed.to_string())),
        }
        let arrived = |there: &Organisation| there.closed.is_none();
        if self.to.directory.organisation_by_id(id).await?.as_ref().is_some_and(arrived) {
            return Err(OperationError::Arrived(self.there.clone()));
        }
        let attempt = Attempt { road: self, organisation, by: Uuid::new_v4().to_string() };
        // From here on a move that is under way gets no further.
        self.from.directory.put_state(id, organisation.closed.as_ref(), Some(attempt.leaving())).await?;
        attempt.forget(&id.parse()?).await.map_err(|error| match error {
            OperationError::TwoCopies(there) => OperationError::Arrived(there),
            other => other,
        })?;
        open(self.from, id, &attempt.leaving()).await
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
        // The store erases only what is closed, which it is unless it has come back and is open again.
        self.from.store.erase(&id.parse()?).await?;
        Ok(self.from.directory.forget(id, &Closed::Moved(self.there.clone())).await?)
    }
}

/// Opens an organisation again whose other database cannot be reached any more.
///
/// # Errors
/// When it is not on its way, or the database fails.
pub async fn abandon(here: &Opened, organisation: &Organisation) -> Result<(), OperationError> {
    match &organisation.closed {
        None => open_store(here, &organisation.id).await,
        Some(leaving @ Closed::Leaving { .. }) => open(here, &organisation.id, leaving).await,
        Some(closed) => Err(OperationError::Elsewhere(closed.to_string())),
    }
}

/// Opens an organisation in the directory, if that is still its state, and then in the store. Should this be interrupted between the
/// two, writes are refused until the undo is done again.
async fn open(place: &Opened, id: &str, expected: &Closed) -> Result<(), OperationError> {
    place.directory.put_state(id, Some(expected), None).await?;
    open_store(place, id).await
}

async fn open_store(place: &Opened, id: &str) -> Result<(), OperationError> {
    let tenant: TenantId = id.parse()?;
    if head(&*place.store, &tenant).await?.is_some_and(|head| head.closed) {
        put_closed(&*place.store, &tenant, false).await?;
    }
    Ok(())
}

/// Closes a tenant in the store or opens it, and answers the position of the entry that says so.
async fn put_closed(store: &dyn Transfer, tenant: &TenantId, closed: bool) -> Result<u64, OperationError> {
    let now = Utc::now();
    let mut event = Event::default();
    event.time = now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    event.actor = "admin".to_owned();
    event.operation = if closed { "close" } else { "open" }.to_owned();
    event.status = 200;
    let mut change = Change::new(Instant::from_utc(now.naive_utc()), event);
    change.close = Some(closed);
    Ok(store.commit(tenant, change).await?.version.0)
}

/// One attempt to move an organisation, or to take that back.
struct Attempt<'a> {
    road: &'a Road<'a>,
    organisation: &'a Organisation,
    /// Its id, which no other has.
    by: String,
}

impl Attempt<'_> {
    fn leaving(&self) -> Closed {
        Closed::Leaving { to: self.road.there.clone(), by: self.by.clone() }
    }

    fn arriving(&self) -> Closed {
        Closed::Arriving { by: self.by.clone() }
    }

    /// All between the closing here and the opening there.
    async fn go(&self, done: Done<'_>) -> Result<(), OperationError> {
        let Road { from, to, .. } = self.road;
        let (id, tenant): (_, TenantId) = (&self.organisation.id, self.organisation.id.parse()?);
        done(Step::Closed)?;
        self.forget(&tenant).await?;
        // From here on nothing is committed.
        let position = self.close(&tenant).await?;
        self.road.check_indexes(&tenant).await?;
        to.directory.learn_indexes(&from.directory.indexes().await?).await?;
        to.directory.take_in(&from.directory.luggage(id, &self.leaving()).await?, self.arriving()).await?;
        done(Step::Listed)?;
        carry(from, to, &tenant).await?;
        let copy = Spool::of(&*from.store, &tenant).await?;
        let copied = copy.digest;
        // What is copied is closed, so it can be erased there whatever comes in between.
        self.still_leaving(&tenant, position).await?;
        to.store.import(&tenant, Box::new(copy.items()?)).await?;
        if to.directory.organisation_by_id(id).await?.is_none() {
            // It was taken back meanwhile, and nobody there knows of what has come.
            to.store.erase(&tenant).await?;
            return Err(OperationError::Overtaken);
        }
        done(Step::Copied)?;
        if Spool::of(&*to.store, &tenant).await?.digest != copied {
            return Err(OperationError::Unequal);
        }
        self.still_leaving(&tenant, position).await?;
        done(Step::Compared)?;
        self.still_leaving(&tenant, position).await?;
        self.open(&tenant, position).await?;
        done(Step::Opened)
    }

    /// Closes the store, unless it is closed, and tells the last position of the log.
    async fn close(&self, tenant: &TenantId) -> Result<u64, OperationError> {
        let from = self.road.from;
        let state = || async {
            let now = from.directory.organisation_by_id(&self.organisation.id).await?;
            Ok::<_, OperationError>(now.map(|now| now.closed))
        };
        if state().await? != Some(Some(self.leaving())) {
            return Err(OperationError::Overtaken);
        }
        if let Some(Head { position, closed: true }) = head(&*from.store, tenant).await? {
            return Ok(position);
        }
        let position = put_closed(&*from.store, tenant, true).await?;
        match state().await? {
            Some(Some(closed)) if closed == self.leaving() => return Ok(position),
            // It was taken back just before, and is to be open.
            Some(None) => drop(put_closed(&*from.store, tenant, false).await?),
            _ => {}
        }
        Err(OperationError::Overtaken)
    }

    /// Whether all is here as it was copied. Who overtakes this attempt from now on meets its row at the other place before he does
    /// anything, and takes it away.
    async fn still_leaving(&self, tenant: &TenantId, position: u64) -> Result<(), OperationError> {
        let from = self.road.from;
        let now = from.directory.organisation_by_id(&self.organisation.id).await?;
        let here = head(&*from.store, tenant).await?;
        if now.is_some_and(|now| now.closed == Some(self.leaving())) && here == Some(Head { position, closed: true }) {
            Ok(())
        } else {
            Err(OperationError::Overtaken)
        }
    }

    /// Opens what has arrived: first the store, which refuses to erase it from then on, and then the gate.
    async fn open(&self, tenant: &TenantId, position: u64) -> Result<(), OperationError> {
        let to = self.road.to;
        if put_closed(&*to.store, tenant, false).await? != position + 1 {
            // It was erased after it was compared: what was opened is nothing.
            put_closed(&*to.store, tenant, true).await?;
            return Err(OperationError::Overtaken);
        }
        Ok(to.directory.put_state(&self.organisation.id, Some(&self.arriving()), None).await?)
    }

    /// Forgets what there is at the other place of an organisation that is not open there: left over from an attempt before, or from
    /// when it moved away. The row there is made this attempt's own first, so nobody else can open it.
    async fn forget(&self, tenant: &TenantId) -> Result<(), OperationError> {
        let (to, id) = (self.road.to, &self.organisation.id);
        let there = || self.road.there.clone();
        let state = match to.directory.organisation_by_id(id).await?.map(|there| there.closed) {
            None => None,
            Some(Some(state @ (Closed::Arriving { .. } | Closed::Moved(_)))) => Some(state),
            Some(None) => return Err(OperationError::TwoCopies(there())),
            // It is leaving from here, so both are one database under two names.
            Some(Some(leaving)) if leaving == self.leaving() => return Err(OperationError::SameDatabase(there())),
            Some(Some(other)) => return Err(OperationError::Elsewhere(other.to_string())),
        };
        if let Some(state) = &state {
            to.directory.put_state(id, Some(state), Some(self.arriving())).await?;
            if head(&*to.store, tenant).await?.is_some_and(|head| !head.closed) {
                // An attempt stopped between opening the store and opening the gate.
                put_closed(&*to.store, tenant, true).await?;
                let now = to.directory.organisation_by_id(id).await?;
                if now.is_none_or(|now| now.closed != Some(self.arriving())) {
                    return Err(OperationError::Overtaken);
                }
            }
        }
        to.store.erase(tenant).await?;
        match state {
            Some(_) => Ok(to.directory.forget(id, &self.arriving()).await?),
            None => Ok(()),
        }
    }
}
