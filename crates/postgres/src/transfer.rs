//! Whole tenants, out of the database and into it.

use async_trait::async_trait;
use scimwright_store::{Sink, Source, StoreError, TenantId, Transfer};

use crate::PostgresStore;
use crate::bind::Bind;
use crate::commit::advance;
use crate::error::Failure;
use crate::session::{Ended, Session};
use crate::store::{Read, Shared};

mod export;
mod import;

/// The tables that have rows of a tenant, but for the tenant's own, where it stays closed.
const TABLES: [&str; 9] = [
    "scim_global",
    "scim_unique",
    "scim_keyed",
    "scim_key",
    "scim_member",
    "scim_log",
    "scim_fact",
    "scim_count",
    "scim_record",
];

struct Tenants;

impl Read for Tenants {
    type Answer = Vec<TenantId>;
    const SINGLE: bool = true;

    async fn read(&self, session: &mut Session) -> Result<Vec<TenantId>, Failure> {
        export::tenants(session).await
    }
}

#[async_trait]
impl Transfer for PostgresStore {
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.read(Tenants).await
    }

    async fn export(&self, tenant: &TenantId, sink: Sink) -> Result<(), StoreError> {
        let (shared, tenant) = (self.shared(), tenant.clone());
        self.work_blocking(async move {
            let mut session = Session::reading(&shared.pool, shared.options.prepared).await?;
            export::export(&mut session, &tenant, sink).await?;
            session.end();
            Ok(())
        })
        .await
    }

    async fn import(&self, tenant: &TenantId, source: Source) -> Result<(), StoreError> {
        let (shared, tenant) = (self.shared(), tenant.clone());
        self.work_blocking(async move {
            let mut session = Session::writing(&shared.pool, shared.options.prepared).await?;
            let done = import::import(&mut session, &tenant, source).await;
            finish(session, done).await
        })
        .await
    }

    async fn erase(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let (shared, tenant) = (self.shared(), tenant.clone());
        self.work(async move { erase(&shared, &tenant).await }).await
    }
}

async fn erase(shared: &Shared, tenant: &TenantId) -> Result<(), Failure> {
    let mut session = Session::writing(&shared.pool, shared.options.prepared).await?;
    let done = forget(&mut session, tenant).await;
    finish(session, done).await
}

async fn forget(session: &mut Session, tenant: &TenantId) -> Result<(), Failure> {
    // Who is writing for the tenant is waited for, and who comes later waits.
    match advance(session, tenant, 0).await? {
        // Not there: it is not made by asking.
        (0, false) => {
            let text = "DELETE FROM scim_tenant WHERE tenant = $1";
            return session.execute(text, &[Bind::text(tenant.as_str())]).await.map(drop);
        }
        (_, false) => return Err(StoreError::Open.into()),
        (_, true) => {}
    }
    let text = "UPDATE scim_tenant SET position = 0 WHERE tenant = $1";
    session.execute(text, &[Bind::text(tenant.as_str())]).await?;
    for table in TABLES {
        let text = format!("DELETE FROM {table} WHERE tenant = $1");
        session.execute(&text, &[Bind::text(tenant.as_str())]).await?;
    }
    Ok(())
}

/// Commits what was done, or takes it back.
async fn finish(session: Session, done: Result<(), Failure>) -> Result<(), Failure> {
    if let Err(failure) = done {
        session.end();
        return Err(failure);
    }
    match session.commit().await {
        Ended::Committed => Ok(()),
        Ended::Failed(failure) => Err(failure),
        // An operator asks for this, who sees what is there now.
        Ended::Unknown(_) => Err(Failure::Uncertain),
    }
}
