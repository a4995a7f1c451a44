//! The service: one entry for every operation.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_lock::{Mutex, MutexGuard};
use chrono::DateTime;
use scimwright_compat::{Quirk, Quirks};
use scimwright_core::{Catalog, Instant, ResourceType, ScimError, Selection, View};
use scimwright_filter::Syntax;
use scimwright_store::{Key, Members, Record, Store, StoreError, TenantId};

use crate::cursor::Cursors;
use crate::operation::{Expect, Operation, Reply};
use crate::render::render;
use crate::{Context, Features, discovery};

/// A SCIM service provider without its transport.
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: Limits,
    features: Features,
    pub(crate) cursors: Cursors,
    pub(crate) clock: fn() -> Instant,
    /// Who lost a race for a record queues here, so that the next try is not lost too. A place serves many records.
    turnstiles: Arc<[Mutex<()>; 64]>,
}

/// How much one request may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Resources in a page when the client does not say; one at least.
    pub default_count: usize,
    /// Resources in a page at most; one at least.
    pub max_count: usize,
    /// How far behind the first resource a page of a sorted list may end when it is asked for by `startIndex`; what goes further into a
    /// longer list is answered `tooMany`, for a store may have to keep in order whatever stands before the page. Cursors know no
    /// such limit.
    pub max_sorted_index: usize,
    /// How long a cursor leads somewhere (RFC 9865 section 4, `cursorTimeout`); told in whole seconds.
    pub cursor_timeout: Duration,
    /// Members beyond which a PATCH of a group answers 204 unless the client names `attributes`.
    pub max_reply_members: u64,
    /// Operations in one bulk request.
    pub max_bulk_operations: usize,
    /// Bytes of one bulk request. A transport that takes less says so here.
    pub max_bulk_payload: usize,
    /// Operations in one PATCH.
    pub max_patch_operations: usize,
    /// Length, depth and terms of filters and paths; its tolerance is the profile's to say.
    pub syntax: Syntax,
    /// Bytes of a value by which a resource is found, in the form in which it is compared. A longer one is `invalidValue`, on every store,
    /// for the index of some takes no more.
    pub max_key_bytes: usize,
    /// How often a write is decided anew when others were faster.
    pub attempts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            default_count: 100,
            max_count: 1000,
            max_sorted_index: 100_000,
            cursor_timeout: Duration::from_secs(3600),
            max_reply_members: 1000,
            max_bulk_operations: 1000,
            max_bulk_payload: 4 << 20,
            max_patch_operations: 2_000,
            syntax: Syntax::default(),
            max_key_bytes: 1024,
            attempts: 64,
        }
    }
}

impl Service {
    /// A service for the types of a catalog over a store.
    ///
    /// # Panics
    ///
    /// When the operating system has no random numbers.
    #[must_use]
    pub fn new(catalog: Catalog, store: impl Store) -> Self {
        Self::over(catalog, Arc::new(store))
    }

    /// The same, over a store that others hold too.
    ///
    /// # Panics
    ///
    /// When the operating system has no random numbers.
    #[must_use]
    pub fn over(catalog: Catalog, store: Arc<dyn Store>) -> Self {
        Self {
            catalog: Arc::new(catalog),
            store,
            limits: Limits::default(),
            features: Features::default(),
            cursors: Cursors::random(),
            clock: now,
            turnstiles: Arc::new(std::array::from_fn(|_| Mutex::new(()))),
        }
    }

    /// The same service with other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same service, saying something else of itself.
    #[must_use]
    pub fn features(mut self, features: Features) -> Self {
        self.features = features;
        self
    }

    /// The same service with a key for its cursors (RFC 9865): services with one key understand each other's, and those from before a
    /// restart. Keep it secret; without one a service draws its own.
    #[must_use]
    pub fn cursor_key(mut self, key: [u8; 32]) -> Self {
        self.cursors = Cursors::new(&key);
        self
    }

    /// The same service with another clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: fn() -> Instant) -> Self {
        self.clock = clock;
        self
    }

    /// The types that are served to everybody who has no catalog of his own.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The types that are served to this caller.
    #[must_use]
    pub fn catalog_of<'c>(&'c self, context: &'c Context) -> &'c Catalog {
        context.catalog.as_deref().unwrap_or(&self.catalog)
    }

    /// How much one request may ask for.
    #[must_use]
    pub const fn current_limits(&self) -> &Limits {
        &self.limits
    }

    /// What it says of itself.
    #[must_use]
    pub const fn current_features(&self) -> &Features {
        &self.features
    }

    /// Where everything is kept.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The served type of that name.
    ///
    /// # Errors
    ///
    /// 404 when there is none.
    pub fn resource_type(&self, name: &str) -> Result<Arc<ResourceType>, ScimError> {
        self.catalog.resource_type(name).cloned().ok_or_else(|| ScimError::not_found("a resource type of this name"))
    }

    /// Does what is asked.
    ///
    /// # Errors
    ///
    /// The error that the client shall read. A write that failed has changed nothing but the log.
    pub async fn handle(&self, context: &Context, operation: Operation) -> Result<Reply, ScimError> {
        match operation {
            Operation::Get { resource_type, id, selection, expect, unless } => {
                self.get(context, &resource_type, &id, &selection, (expect.as_ref(), unless.as_ref())).await
            }
            Operation::List { resource_type, query, selection } => {
                self.list(context, resource_type, &query, &selection).await
            }
            Operation::ServiceProviderConfig => {
                let catalog = self.catalog_of(context);
                Ok(discovery::service_provider_config(context, catalog, &self.features, &self.limits))
            }
            Operation::Bulk(body) => self.bulk(context, body).await,
            Operation::Schemas => Ok(discovery::schemas(context, self.catalog_of(context))),
            Operation::Schema(urn) => discovery::schema(context, self.catalog_of(context), &urn),
            Operation::ResourceTypes => Ok(discovery::resource_types(context, self.catalog_of(context))),
            Operation::ResourceType(name) => discovery::resource_type(context, self.catalog_of(context), &name),
            write => self.write(context, write).await,
        }
    }

    async fn get(
        &self,
        context: &Context,
        resource_type: &ResourceType,
        id: &str,
        selection: &Selection,
        (expect, unless): (Option<&Expect>, Option<&Expect>),
    ) -> Result<Reply, ScimError> {
        let record = self.load(context, resource_type, id, shown_members(resource_type, selection)).await?;
        check_version(resource_type, &record, expect)?;
        if unless.is_some_and(|unless| unless.matches(&record.etag(resource_type))) {
            let location = Some(resource_type.location(&context.base, id));
            return Ok(Reply { status: 304, etag: Some(record.etag(resource_type)), location, ..Reply::default() });
        }
        Ok(self.reply(context, resource_type, 200, &record, selection, &[]))
    }

    /// The grammar that the caller's profile asks for.
    pub(crate) fn syntax(&self, context: &Context) -> Syntax {
        let tolerant =
            context.profile.has(Quirk::UnquotedFilterValues) || context.profile.has(Quirk::AttributeAfterBracket);
        Syntax { tolerant, ..self.limits.syntax }
    }

    /// Waits for the others who want to change the same record.
    pub(crate) async fn turn(&self, tenant: &TenantId, key: &str) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        (tenant, key).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % 64).unwrap_or_default();
        Some(self.turnstiles.get(place)?.lock().await)
    }

    /// The answer when the store cannot be reached. The database's words stay with us.
    pub(crate) fn unavailable(context: &Context, error: &StoreError) -> ScimError {
        context.policy.store_failed(error);
        ScimError::new(503, "the service cannot reach its data at the moment: try again later")
    }

    pub(crate) async fn load(
        &self,
        context: &Context,
        resource_type: &ResourceType,
        id: &str,
        members: Members,
    ) -> Result<Record, ScimError> {
        let key = Key::new(resource_type.name.clone(), id);
        let record =
            self.store.get(&context.tenant, &key, members).await.map_err(|error| Self::unavailable(context, &error))?;
        record.ok_or_else(|| ScimError::not_found(&format!("a {} of this id", resource_type.name)))
    }

    pub(crate) fn reply(
        &self,
        context: &Context,
        resource_type: &ResourceType,
        status: u16,
        record: &Record,
        selection: &Selection,
        just_set: &[&str],
    ) -> Reply {
        Reply {
            status,
            body: Some(render(
                context,
                self.catalog_of(context),
                resource_type,
                record,
                &View::new(resource_type, selection),
                just_set,
            )),
            etag: Some(record.etag(resource_type)),
            location: Some(resource_type.location(&context.base, &record.key.id)),
            quirks: Quirks::NONE,
        }
    }

    /// The present moment, as precise as `meta` writes it, and after the one given.
    pub(crate) fn moment_after(&self, before: Option<Instant>) -> Instant {
        let now = (self.clock)();
        let next = |before: Instant| Instant::from_utc(before.utc() + chrono::TimeDelta::milliseconds(1));
        before.map_or(now, |before| now.max(next(before)))
    }
}

/// Which members a representation needs.
pub(crate) fn shown_members(resource_type: &ResourceType, selection: &Selection) -> Members {
    let shown = resource_type.membership.as_ref().is_some_and(|attribute| selection.wants(resource_type, attribute));
    if shown { Members::All } else { Members::None }
}

/// `If-Match`, and `If-None-Match` of what writes (RFC 7644 section 3.14, RFC 9110 section 13.1).
pub(crate) fn check_version(
    resource_type: &ResourceType,
    record: &Record,
    expect: Option<&Expect>,
) -> Result<(), ScimError> {
    match expect {
        Some(expect) if !expect.matches(&record.etag(resource_type)) => {
            Err(ScimError::new(412, "the resource has another version than the request asks for: read it again"))
        }
        _ => Ok(()),
    }
}

/// The system's clock in milliseconds.
fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Instant::from_utc(DateTime::from_timestamp_millis(millis).unwrap_or_default().naive_utc())
}
