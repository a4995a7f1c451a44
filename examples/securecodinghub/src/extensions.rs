//! Extensions of users that organisations register for themselves: what one of them has does not exist for the others.

pub mod command;
mod draft;
mod rules;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use scimwright_core::{Catalog, CatalogError, Instant, Schema, ScimError, ScimType, Urn};
use scimwright_service::{Context, Service};
use scimwright_store::{Change, Event, Key, StoreError, TenantId};
use serde_json::Value;

pub use rules::{LARGEST, MOST_ATTRIBUTES, MOST_EXTENSIONS, Unfit};

use crate::directory::{Directory, DirectoryError, ExtensionChange, ExtensionRecord, Notice, Organisation};

/// The type that is extended.
const EXTENDED: &str = "User";

/// Why an extension was not registered or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// The schema cannot extend users.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The organisation has as many as it may.
    #[error("the organisation has {MOST_EXTENSIONS} extensions, and these are the most: remove one first")]
    TooMany,
    /// The organisation has used up its URIs.
    #[error("the organisation has registered too many different extensions: register one of those again")]
    TooManyUris,
    /// The extension is registered with another meaning.
    #[error(
        "`{urn}` is registered with other attributes, and users may have values of them: {}. New attributes may be added; for \
         anything else give the schema another URI", clashes.join(", ")
    )]
    Clash {
        /// The URI.
        urn: String,
        /// What differs.
        clashes: Vec<String>,
    },
    /// Users would lose what they have.
    #[error("{users} of the organisation's users {has} values of this extension: remove these first", users = .0, has = has(.0))]
    InUse(u64),
    /// The organisation has no such extension.
    #[error("the organisation has no extension `{}`", .0.escape_debug())]
    Unknown(String),
    /// The database cannot answer.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The users cannot be counted.
    #[error("{}", .0.detail())]
    Store(ScimError),
    /// The work was cut off.
    #[error("the change was interrupted")]
    Interrupted,
    /// What the organisation has registered is damaged.
    #[error("the organisation's extensions cannot be read")]
    Catalog(#[from] CatalogError),
}

fn has(users: &u64) -> &'static str {
    if *users == 1 { "has" } else { "have" }
}

impl ExtensionError {
    /// What a client is told: RFC 7644 section 3.12.
    #[must_use]
    pub fn to_scim(&self) -> ScimError {
        match self {
            Self::Unfit(_) => ScimError::bad(ScimType::InvalidValue, self.to_string()),
            Self::TooMany | Self::TooManyUris | Self::Clash { .. } | Self::InUse(_) => {
                ScimError::new(409, self.to_string())
            }
            Self::Unknown(_) => ScimError::not_found("an extension of this URI"),
            Self::Store(error) => error.clone(),
            Self::Directory(_) | Self::Catalog(_) | Self::Interrupted => {
                tracing::error!(error = %self, "extensions cannot be read or written");
                ScimError::new(503, "the service cannot reach its data at the moment: try again later")
            }
        }
    }
}

/// What a registration came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It is new.
    New,
    /// It has attributes more than before, or other words.
    Changed,
    /// It was there already.
    Unchanged,
}

/// The extensions of every organisation, and the catalogs that they make.
///
/// An organisation's number of changes comes with every token that is looked up, so what any process on the file has changed
/// holds from the next request on; only then is it read and built anew.
#[derive(Debug)]
pub struct Extensions {
    directory: Arc<Directory>,
    service: Service,
    base: Arc<Catalog>,
    built: Mutex<HashMap<String, Built>>,
}

/// A catalog, and after how many changes it was built; none where the organisation has no extension.
type Built = (i64, Option<Arc<Catalog>>);

impl Extensions {
    /// Those in the directory, for users of that service.
    pub fn new(directory: Arc<Directory>, service: Service) -> Self {
        let base = Arc::new(service.catalog().clone());
        Self { directory, service, base, built: Mutex::default() }
    }

    /// Says in the server's log which extensions do not fit what is served: what has been put into folders of types since they were
    /// registered may clash with them. They are left out, each for its own organisation.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn report_misfits(&self) -> Result<(), DirectoryError> {
        for (organisation, records) in self.directory.all_extensions().await? {
            self.build(&organisation, &records);
        }
        Ok(())
    }

    /// What is served to an organisation; none where it has no extensions that fit and is served what everybody is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn catalog_of(&self, organisation: &Organisation) -> Result<Option<Arc<Catalog>>, ExtensionError> {
        if organisation.extensions == 0 {
            return Ok(None);
        }
        let built = || self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((changes, catalog)) = built().get(&organisation.id)
            && *changes == organisation.extensions
        {
            return Ok(catalog.clone());
        }
        let (changes, records) = self.directory.extensions(&organisation.id).await?;
        let catalog = self.build(&organisation.name, &records);
        built().insert(organisation.id.clone(), (changes, catalog.clone()));
        Ok(catalog)
    }

    /// What is served with these extensions. One that does not fit is no reason to serve nothing to its organisation or to others.
    fn build(&self, organisation: &str, records: &[ExtensionRecord]) -> Option<Arc<Catalog>> {
        let mut catalog: Option<Catalog> = None;
        for record in living(records) {
            match self.fit(catalog.as_ref().unwrap_or(&*self.base), record) {
                Ok(grown) => catalog = Some(grown),
                Err(misfit) => tracing::error!(
                    organisation,
                    extension = record.urn_key,
                    error = &misfit as &(dyn std::error::Error + 'static),
                    "an extension does not fit what is served and is left out: remove it, or what clashes with it"
                ),
            }
        }
        catalog.map(Arc::new)
    }

    fn fit(&self, catalog: &Catalog, record: &ExtensionRecord) -> Result<Catalog, Misfit> {
        let schema = Schema::from_json(&record.schema).map_err(CatalogError::from)?;
        for served in self.base.schemas() {
            rules::check_apart(&schema.id, &served.id)?;
        }
        Ok(catalog.clone().with_schema(&record.schema)?.with_extension(EXTENDED, &record.urn_key, false)?)
    }

    /// The extensions that an organisation has, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list(&self, organisation: &Organisation) -> Result<Vec<ExtensionRecord>, ExtensionError> {
        let mut records = self.list_with_removed(organisation).await?;
        records.retain(|record| record.removed.is_none());
        Ok(records)
    }

    /// The same with those that were removed and whose URIs keep their meaning.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list_with_removed(&self, organisation: &Organisation) -> Result<Vec<ExtensionRecord>, ExtensionError> {
        Ok(self.directory.extensions(&organisation.id).await?.1)
    }

    /// The extension of that URI.
    ///
    /// # Errors
    /// When there is none, or the database cannot be read.
    pub async fn get(&self, organisation: &Organisation, urn: &str) -> Result<ExtensionRecord, ExtensionError> {
        let found = self.list(organisation).await?.into_iter().find(|record| record.urn_key.eq_ignore_ascii_case(urn));
        found.ok_or_else(|| ExtensionError::Unknown(urn.to_owned()))
    }

    /// Registers a schema, or one that has grown.
    ///
    /// # Errors
    /// When the schema cannot extend users, gives a registered one another meaning, or there are too many.
    pub async fn register(
        &self,
        organisation: &Organisation,
        actor: &str,
        json: Value,
    ) -> Result<(Registered, ExtensionRecord), ExtensionError> {
        let base = self.base.clone();
        let read = tokio::task::spawn_blocking(move || rules::read(&json, &base));
        let schema = read.await.map_err(|_| ExtensionError::Interrupted)??;
        let urn = schema.id.clone();
        let actor = actor.to_owned();
        let done = self.change(organisation, move |there| decide(there, &schema, &actor)).await?;
        Ok((done, self.get(organisation, urn.as_str()).await?))
    }

    /// Removes an extension that no user carries. One that users out of sight carry is kept in mind, so that its URI keeps its
    /// meaning: see [`crate::policy::Deletion::Deactivate`].
    ///
    /// # Errors
    /// When there is no such extension, or users carry it.
    pub async fn remove(
        &self,
        context: &Context,
        organisation: &Organisation,
        urn: &str,
    ) -> Result<(), ExtensionError> {
        let record = self.get(organisation, urn).await?;
        let schema = Schema::from_json(&record.schema).map_err(CatalogError::from)?;
        let carriers = self.carriers(context, &schema.id).await?;
        if carriers.seen > 0 {
            return Err(ExtensionError::InUse(carriers.seen));
        }
        let keep = carriers.retired > 0;
        let (key, id, actor) = (record.urn_key.clone(), schema.id.clone(), context.actor.clone());
        let remove = move |there: &[ExtensionRecord]| match living(there).any(|other| other.urn_key == key) {
            false => Err(ExtensionError::Unknown(id.to_string())),
            true => {
                let event = event(&actor, "extension-remove", 204, &id, Vec::new());
                Ok((ExtensionChange::Remove { urn_key: key.clone(), keep }, event, ()))
            }
        };
        self.change(organisation, remove).await?;
        // Somebody may have written a user after these were counted, and who was let in before this moment still may.
        let late = self.carriers(context, &schema.id).await?.seen;
        if late > 0 {
            let actor = context.actor.clone();
            self.change(organisation, move |there| decide(there, &schema, &actor)).await?;
            return Err(ExtensionError::InUse(late));
        }
        Ok(())
    }

    /// Changes what the organisation has, and enters it in the log.
    async fn change<T: Send + 'static>(
        &self,
        organisation: &Organisation,
        decide: impl Fn(&[ExtensionRecord]) -> Result<(ExtensionChange, String, T), ExtensionError> + Send + Sync + 'static,
    ) -> Result<T, ExtensionError> {
        let (done, notice) = self.directory.change_extensions(organisation, decide).await?;
        self.enter(notice).await;
        self.catch_up().await;
        Ok(done)
    }

    async fn carriers(&self, context: &Context, urn: &Urn) -> Result<scimwright_service::Carriers, ExtensionError> {
        let users = self.service.resource_type(EXTENDED).map_err(ExtensionError::Store)?;
        self.service.carriers(context, &users, urn).await.map_err(ExtensionError::Store)
    }

    /// Enters into the provisioning logs what somebody else has left: a change and its notice are in the database together, so
    /// none is lost when a process dies in between.
    pub async fn catch_up(&self) {
        match self.directory.claim_notices().await {
            Ok(notices) => {
                for notice in notices {
                    self.enter(notice).await;
                }
            }
            Err(error) => tracing::warn!(%error, "notices of extensions cannot be read"),
        }
    }

    /// Brings a notice into the log. When that fails it waits for the next who catches up.
    async fn enter(&self, notice: Notice) {
        if let Err(error) = self.log(&notice).await {
            return tracing::warn!(%error, "a notice of an extension is not in the log yet");
        }
        if let Err(error) = self.directory.forget_notice(&notice).await {
            tracing::warn!(%error, "a notice of an extension will be in the log twice");
        }
    }

    async fn log(&self, notice: &Notice) -> Result<(), StoreError> {
        let tenant: TenantId = notice.organisation.parse().map_err(StoreError::unavailable)?;
        let event: Event = serde_json::from_str(&notice.event).map_err(StoreError::unavailable)?;
        self.service.store().commit(&tenant, Change::new(now(), event)).await.map(drop)
    }
}

/// Why an extension that was registered cannot be served.
#[derive(Debug, thiserror::Error)]
enum Misfit {
    /// Something that is served has its URI, or reads as a part of it.
    #[error(transparent)]
    Uri(#[from] Unfit),
    /// The catalog does not take it.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

fn living(records: &[ExtensionRecord]) -> impl Iterator<Item = &ExtensionRecord> {
    records.iter().filter(|record| record.removed.is_none())
}

/// What becomes of a schema beside what is there.
fn decide(
    there: &[ExtensionRecord],
    schema: &Schema,
    actor: &str,
) -> Result<(ExtensionChange, String, Registered), ExtensionError> {
    let json = Value::Object(schema.to_json());
    let urn_key = schema.id.as_str().to_ascii_lowercase();
    let put = ExtensionChange::Put { urn_key: urn_key.clone(), schema: json.clone() };
    let own = there.iter().find(|record| record.urn_key == urn_key);
    let mut changed: Vec<String> = schema.attributes.iter().map(|attribute| attribute.name.to_string()).collect();
    if let Some(own) = own {
        let before = Schema::from_json(&own.schema).map_err(CatalogError::from)?;
        let rules::Difference { added, clashes } = rules::compare(&before, schema);
        if !clashes.is_empty() {
            return Err(ExtensionError::Clash { urn: before.id.to_string(), clashes });
        }
        if own.removed.is_none() {
            let event = |changed| event(actor, "extension-change", 200, &schema.id, changed);
            return Ok(match own.schema == json {
                true => (ExtensionChange::Nothing, event(Vec::new()), Registered::Unchanged),
                false => (put, event(added), Registered::Changed),
            });
        }
        changed = added;
    }
    if living(there).count() >= MOST_EXTENSIONS {
        return Err(ExtensionError::TooMany);
    }
    if own.is_none() && there.len() >= rules::MOST_URIS {
        return Err(ExtensionError::TooManyUris);
    }
    for other in there.iter().filter(|other| other.urn_key != urn_key) {
        let other = Schema::from_json(&other.schema).map_err(CatalogError::from)?;
        rules::check_apart(&schema.id, &other.id)?;
    }
    Ok((put, event(actor, "extension-add", 201, &schema.id, changed), Registered::New))
}

/// What the provisioning log calls an extension, if the text is a URI that one may have.
pub(crate) fn key_of(urn: &str) -> Option<Key> {
    let urn: Urn = urn.parse().ok()?;
    rules::check_uri(&urn).ok().map(|()| key(&urn))
}

fn key(urn: &Urn) -> Key {
    Key::new("Schema", urn.as_str())
}

/// An entry for the provisioning log.
fn event(actor: &str, operation: &str, status: u16, urn: &Urn, changed: Vec<String>) -> String {
    let mut event = Event::default();
    event.time = now().to_string();
    event.actor = actor.to_owned();
    event.operation = operation.to_owned();
    event.target = Some(key(urn));
    event.status = status;
    event.detail = (operation == "extension-change" && changed.is_empty()).then(|| "no attribute more".to_owned());
    event.changed = changed;
    serde_json::to_string(&event).unwrap_or_default()
}

fn now() -> Instant {
    let now: DateTime<Utc> = Utc::now().trunc_subsecs(3);
    Instant::from_utc(now.naive_utc())
}
