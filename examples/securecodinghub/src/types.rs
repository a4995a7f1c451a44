//! Types from folders, from one start of the server to the next.
//!
//! A store finds records by the keys that they were written with. A folder that changes what is a key would make filters pass over
//! what was written before, without a word; so the server remembers the indexes of each type, and does not start with a new one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use scimwright_core::{Attribute, Catalog, ResourceType, Target};
use scimwright_store::{Query, Store, StoreError, TenantId, TenantIdError};

use crate::directory::{Directory, DirectoryError};

/// The indexes of each type: what is a key, and how values are compared.
pub(crate) type Indexes = BTreeMap<String, BTreeSet<String>>;

/// Why the types of the folders cannot be served from this database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangedTypes {
    /// An index is new, or is another one.
    #[error(
        "resource type `{name}` has resources that were written without the index {}, and filters would pass over them: leave \
         what it indexes, makes unique or compares exactly as it was", indexes.join(", ")
    )]
    Indexes {
        /// The type.
        name: String,
        /// The indexes that are new.
        indexes: Vec<String>,
    },
    /// The product's tables cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The resources cannot be counted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The id of an organisation in the database is damaged.
    #[error(transparent)]
    Tenant(#[from] TenantIdError),
}

/// Compares the types that are to be served with those that were, and remembers them.
///
/// # Errors
/// When resources of a type would not be found by an index that the type has now, or the database cannot be used.
pub async fn check(directory: &Directory, store: &dyn Store, catalog: &Catalog) -> Result<(), ChangedTypes> {
    let known = directory.indexes().await?;
    let mut now = known.clone();
    // What is no folder's is the program's own to keep right.
    let own = Catalog::standard();
    for resource_type in catalog.resource_types().iter().filter(|other| own.resource_type(&other.name).is_none()) {
        let indexes = indexes_of(resource_type);
        if let Some(known) = known.get(&resource_type.name) {
            let new: Vec<String> = indexes.difference(known).cloned().collect();
            if !new.is_empty() && any(directory, store, resource_type).await? {
                return Err(ChangedTypes::Indexes { name: resource_type.name.clone(), indexes: new });
            }
        }
        now.insert(resource_type.name.clone(), indexes);
    }
    // An index that has gone is forgotten: what is written without it would not be in it later.
    if now != known {
        directory.remember_indexes(&now).await?;
    }
    Ok(())
}

fn indexes_of(resource_type: &ResourceType) -> BTreeSet<String> {
    let describe = |attribute: &Attribute| {
        let compared = if attribute.case_exact { "exact" } else { "folded" };
        format!("{:?} {compared} {:?}", attribute.data_type, attribute.uniqueness)
    };
    let indexes = resource_type.indexes.iter().map(|index| {
        let how = match index.path.parse().ok().and_then(|path| resource_type.resolve(&path)) {
            Some(Target::Attribute { attribute, sub, .. }) => describe(sub.unwrap_or(attribute)),
            _ => String::new(),
        };
        format!("`{}` ({how})", index.path)
    });
    indexes.collect()
}

/// Whether any organisation has a resource of the type.
async fn any(
    directory: &Directory,
    store: &dyn Store,
    resource_type: &Arc<ResourceType>,
) -> Result<bool, ChangedTypes> {
    for organisation in directory.organisations().await? {
        let tenant: TenantId = organisation.id.parse()?;
        if !store.find(&tenant, &Query::new(resource_type.clone(), 1)).await?.records.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
