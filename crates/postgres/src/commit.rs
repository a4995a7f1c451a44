//! Writing: one commit is one transaction, whose first statement locks the tenant's row.
//!
//! Whoever has that row is the only one who writes for the tenant, so whatever a later statement reads stays as it is until the end. The
//! number of statements depends on the number of writes, never on how many members or keys they have.

mod keys;
mod members;
mod write;

pub(crate) use keys::{GLOBAL, StoredKey, TENANT, stored_keys};
pub(crate) use write::document;

use scimwright_sql::nanos;
use scimwright_store::{
    ChainHash, Change, Committed, Cut, Displaced, Fact, Guard, Logged, StoreError, TenantId, Version, When, Write,
};

use crate::bind::Bind;
use crate::error::{Failure, Remedy};
use crate::read;
use crate::retry::Retry;
use crate::session::{Ended, Session};
use crate::store::Shared;

/// When a record was last written, if the commit of version `$3` at the time `$4` writes it: never at the same time twice.
pub(crate) const MOVED: &str = "CASE WHEN version = $3 THEN modified ELSE greatest($4, modified + 1000000) END";

/// Told apart from every other attempt to commit anything.
type Attempt = [u8; 16];

/// Does all of the change, or answers why not. Tries again whatever has certainly not happened.
pub(crate) async fn commit(shared: &Shared, tenant: &TenantId, change: &Change) -> Result<Committed, Failure> {
    let mut retry = Retry::new(shared.options.patience);
    loop {
        let failure = match once(shared, tenant, change).await {
            Ok(done) => return Ok(done),
            Err(Stopped::Before(failure)) => failure,
            Err(Stopped::Within { done, first, attempt, failure }) => {
                // Nobody is told of a failure that may be none: what became of it is asked for as long as patience lasts.
                retry.wait(failure).await.map_err(|_| Failure::Uncertain)?;
                match resolve(shared, tenant, first, attempt, &mut retry).await? {
                    true => return Ok(done),
                    false => continue,
                }
            }
        };
        retry.wait(failure).await?;
    }
}

/// Why an attempt has not succeeded.
enum Stopped {
    /// Before `COMMIT` was sent, or with the server's word that it did not commit.
    Before(Failure),
    /// The connection was lost after `COMMIT` was sent, so this is done or it is not.
    Within { done: Committed, first: u64, attempt: Attempt, failure: Failure },
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Before(failure)
    }
}

async fn once(shared: &Shared, tenant: &TenantId, change: &Change) -> Result<Committed, Stopped> {
    let mut attempt = Attempt::default();
    getrandom::fill(&mut attempt).map_err(|_| Failure::Random)?;
    let _turn = shared.turns.take(tenant, shared.options.wait_timeout).await?;
    let mut session = Session::writing(&shared.pool, shared.options.prepared).await?;
    let done = match apply(&mut session, tenant, change, attempt).await {
        Ok(done) => done,
        Err(failure) => {
            if failure.remedy() != Remedy::Reconnect {
                session.end();
            }
            return Err(failure.into());
        }
    };
    match session.commit().await {
        Ended::Committed => Ok(done),
        Ended::Failed(failure) => Err(failure.into()),
        Ended::Unknown(failure) => {
            let first = done.version.0 + 1 - change.events.len() as u64;
            Err(Stopped::Within { done, first, attempt, failure })
        }
    }
}

/// Finds out whether an attempt to commit has succeeded, after its connection was lost.
///
/// The lock of the tenant's row is what makes the answer final: the attempt held it until it ended, so once we have it the attempt has
/// ended one way or the other. If it has succeeded, the entry at its first position bears its mark, which nobody else has. If there is
/// another entry, or none yet, it has not. What was cut off meanwhile cannot be asked any more.
async fn resolve(
    shared: &Shared,
    tenant: &TenantId,
    first: u64,
    attempt: Attempt,
    retry: &mut Retry,
) -> Result<bool, Failure> {
    loop {
        match look(shared, tenant, first, attempt).await {
            Ok(answer) => return answer.ok_or(Failure::Uncertain),
            Err(failure) => retry.wait(failure).await.map_err(|_| Failure::Uncertain)?,
        }
    }
}

/// None when the log does not go back that far any more.
async fn look(shared: &Shared, tenant: &TenantId, first: u64, attempt: Attempt) -> Result<Option<bool>, Failure> {
    let mut session = Session::writing(&shared.pool, shared.options.prepared).await?;
    let (last, _) = advance(&mut session, tenant, 0).await?;
    let text = "SELECT attempt FROM scim_log WHERE tenant = $1 AND position = $2";
    let rows = session.rows(text, &[Bind::text(tenant.as_str()), Bind::count(first)]).await?;
    let found = rows.first().map(|row| row.try_get::<_, &[u8]>(0).map(|mark| mark == attempt)).transpose()?;
    if found != Some(true) {
        // A tenant that was never there is not made by asking.
        session.end();
        return Ok(found.or((last < first).then_some(false)));
    }
    // After a crash a leader shows what no replica had confirmed yet. Our own commit lies behind it, so when that is confirmed, it is too.
    match session.commit().await {
        Ended::Committed => Ok(Some(true)),
        Ended::Failed(failure) | Ended::Unknown(failure) => Err(failure),
    }
}

/// Does the change within a transaction that somebody else ends.
async fn apply(
    session: &mut Session,
    tenant: &TenantId,
    change: &Change,
    attempt: Attempt,
) -> Result<Committed, Failure> {
    let time = nanos(change.time).ok_or(Failure::Time)?;
    // By its entries in the log a commit is found again when its answer was lost.
    if change.events.is_empty() {
        return Err(Failure::Unknown);
    }
    let (last, closed) = advance(session, tenant, change.events.len()).await?;
    if closed && change.close.is_none() {
        return Err(StoreError::Closed.into());
    }
    let before = last - change.events.len() as u64;
    let head = head(session, tenant, before).await?;
    if let Some(cut) = &change.cut {
        check_cut(session, tenant, before, cut).await?;
    }
    let mut work = Work { session, tenant: tenant.as_str(), time, version: Version(last), displaced: Vec::new() };
    for write in &change.writes {
        work.write(write).await?;
    }
    if change.writes.iter().any(|write| matches!(write, Write::Insert { .. })) {
        for guard in &change.guards {
            work.guard(guard).await?;
        }
    }
    for fact in &change.facts {
        work.fact(fact).await?;
    }
    let displaced = work.displaced;
    if let Some(close) = change.close {
        let text = format!("UPDATE scim_tenant SET closed = {close} WHERE tenant = $1");
        session.execute(&text, &[Bind::text(tenant.as_str())]).await?;
    }
    let mut events = change.events.clone();
    if let Some(event) = events.first_mut() {
        event.displaced.extend(displaced.iter().cloned());
    }
    let entries: Vec<_> = head.extend(before, events).collect();
    append(session, tenant, &entries, &attempt).await?;
    if let Some(Cut { through, .. }) = change.cut {
        let text = "DELETE FROM scim_log WHERE tenant = $1 AND position <= $2";
        session.execute(text, &[Bind::text(tenant.as_str()), Bind::count(through)]).await?;
    }
    Ok(Committed::new(Version(last), displaced))
}

/// Locks the tenant's row until the transaction ends, takes the next positions of its log, and answers the last of them and
/// whether the tenant is closed.
pub(crate) async fn advance(session: &mut Session, tenant: &TenantId, by: usize) -> Result<(u64, bool), Failure> {
    let text = "INSERT INTO scim_tenant AS t (tenant, position) VALUES ($1, $2) \
                ON CONFLICT (tenant) DO UPDATE SET position = t.position + excluded.position RETURNING position, closed";
    let rows = session.rows(text, &[Bind::text(tenant.as_str()), Bind::count(by as u64)]).await?;
    let row = rows.first().ok_or(Failure::Unknown)?;
    Ok((read::count(row, 0)?, row.try_get(1)?))
}

/// The hash of the last entry of the tenant's log.
async fn head(session: &mut Session, tenant: &TenantId, last: u64) -> Result<ChainHash, Failure> {
    if last == 0 {
        return Ok(ChainHash::first(tenant));
    }
    let text = "SELECT hash FROM scim_log WHERE tenant = $1 AND position = $2";
    let rows = session.rows(text, &[Bind::text(tenant.as_str()), Bind::count(last)]).await?;
    let hash = rows.first().map(|row| row.try_get::<_, &[u8]>(0)).transpose()?;
    let hash: Option<[u8; 32]> = hash.and_then(|hash| hash.try_into().ok());
    hash.map(ChainHash::from).ok_or(Failure::Log(last))
}

/// Whether the entry up to which the log is to be cut was there before this commit, with the hash that is to stand for it.
async fn check_cut(session: &mut Session, tenant: &TenantId, last: u64, cut: &Cut) -> Result<(), Failure> {
    let text = "SELECT position FROM scim_log WHERE tenant = $1 AND position = $2 AND hash = $3";
    let hash = Bind::Bytes(cut.hash.as_bytes().to_vec());
    let rows = session.rows(text, &[Bind::text(tenant.as_str()), Bind::count(cut.through), hash]).await?;
    let there = cut.through <= last && !rows.is_empty();
    if there { Ok(()) } else { Err(StoreError::NoSuchEntry(cut.through).into()) }
}

/// Puts entries at the end of the tenant's log.
pub(crate) async fn append(
    session: &mut Session,
    tenant: &TenantId,
    entries: &[Logged],
    attempt: &[u8],
) -> Result<(), Failure> {
    let text = "INSERT INTO scim_log (tenant, position, hash, attempt, event) \
                SELECT $1, e.position, e.hash, $2, e.event \
                FROM unnest($3::bigint[], $4::bytea[], $5::text[]) AS e (position, hash, event)";
    let positions = entries.iter().map(|entry| i64::try_from(entry.position).unwrap_or(i64::MAX)).collect();
    let hashes = entries.iter().map(|entry| entry.hash.as_bytes().to_vec()).collect();
    let events: Vec<_> = entries.iter().map(|entry| serde_json::to_string(&entry.event)).collect::<Result<_, _>>()?;
    let values = [
        Bind::text(tenant.as_str()),
        Bind::Bytes(attempt.to_vec()),
        Bind::Integers(positions),
        Bind::ManyBytes(hashes),
        Bind::texts(events.iter().map(String::as_str)),
    ];
    session.execute(text, &values).await?;
    Ok(())
}

/// A commit under way.
pub(crate) struct Work<'w> {
    session: &'w mut Session,
    tenant: &'w str,
    time: i64,
    version: Version,
    displaced: Vec<Displaced>,
}

impl<'w> Work<'w> {
    /// For what asks and writes no record.
    pub(crate) const fn new(session: &'w mut Session, tenant: &'w str) -> Self {
        Self { session, tenant, time: 0, version: Version(0), displaced: Vec::new() }
    }

    fn tenant(&self) -> Bind {
        Bind::text(self.tenant)
    }

    async fn guard(&mut self, guard: &Guard) -> Result<(), Failure> {
        match guard {
            Guard::AtMost { resource_type, limit } => {
                let text = "SELECT count FROM scim_count WHERE tenant = $1 AND type = $2";
                let rows = self.session.rows(text, &[self.tenant(), Bind::text(resource_type)]).await?;
                match rows.first().map(|row| read::count(row, 0)).transpose()? {
                    Some(count) if count > *limit => {
                        Err(StoreError::Guard { resource_type: resource_type.clone(), limit: *limit }.into())
                    }
                    _ => Ok(()),
                }
            }
            // A guard that cannot be checked does not hold.
            _ => Err(Failure::Unknown),
        }
    }

    async fn fact(&mut self, fact: &Fact) -> Result<(), Failure> {
        let Fact { name, value, when } = fact;
        if *when != When::Always && !when.holds(read::fact(self.session, self.tenant, name).await?.as_ref()) {
            return Ok(());
        }
        match value {
            Some(value) => {
                let text = "INSERT INTO scim_fact (tenant, name, value) VALUES ($1, $2, $3) \
                            ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value";
                let value = Bind::text(&serde_json::to_string(value)?);
                self.session.execute(text, &[self.tenant(), Bind::text(name), value]).await?;
            }
            None => {
                let text = "DELETE FROM scim_fact WHERE tenant = $1 AND name = $2";
                self.session.execute(text, &[self.tenant(), Bind::text(name)]).await?;
            }
        }
        Ok(())
    }
}
