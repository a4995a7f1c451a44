//! What the tests of this crate share: a store in a folder of its own, drafts with their keys, and the strategies.
#![allow(dead_code, reason = "every test file uses a part")]

pub(crate) mod filters;
pub(crate) mod histories;
pub(crate) mod resources;

use std::sync::Arc;

use pollster::block_on;
use scimwright_core::{Admit, AttrPath, Catalog, Instant, Resource, ResourceType, Target, Uniqueness, fold};
use scimwright_sqlite::{SqliteOptions, SqliteStore};
use scimwright_store::{
    Change, Committed, Delta, Draft, Event, IndexKey, Key, Member, Members, Record, Scope, Store, StoreError, TenantId,
    Write,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A store, and the folder that goes with it.
pub(crate) struct Temporary {
    pub store: SqliteStore,
    pub folder: TempDir,
}

impl Temporary {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        Self { store, folder }
    }
}

/// Opens the store of a folder, as often as one likes.
pub(crate) fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(folder.path().join("scim.db"), SqliteOptions::default()).unwrap()
}

pub(crate) fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub(crate) fn time(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) fn resource_type(name: &str) -> Arc<ResourceType> {
    Arc::clone(Catalog::standard().resource_type(name).unwrap())
}

/// A record from what a client would send.
pub(crate) fn draft(resource_type: &ResourceType, id: &str, mut body: Value) -> Draft {
    body["schemas"] = json!([resource_type.schema.id.as_str()]);
    let resource = Admit::new(resource_type).create(body).unwrap().resource;
    let display = resource.get("displayName").or_else(|| resource.get("userName")).and_then(Value::as_str);
    Draft {
        key: Key::new(&resource_type.name, id),
        index: index(resource_type, &resource),
        display: display.map(str::to_owned),
        notes: Map::new(),
        created: None,
        resource,
    }
}

/// The keys of a resource: each value of each index, folded unless it is case exact.
pub(crate) fn index(resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
    let mut keys = Vec::new();
    for spec in resource_type.indexes.iter().filter(|spec| spec.path != "meta.lastModified") {
        let path: AttrPath = spec.path.parse().unwrap();
        let Some(Target::Attribute { attribute, sub, .. }) = resource_type.resolve(&path) else { continue };
        let attribute = sub.unwrap_or(attribute);
        let document = match &spec.container {
            Some(urn) => resource.get(urn).and_then(Value::as_object),
            None => Some(resource.as_map()),
        };
        let value = document.and_then(|document| document.get(&spec.name));
        for value in each(value) {
            let value = match &spec.sub {
                Some(sub) => value.get(sub),
                None => Some(value),
            };
            for value in each(value) {
                let value = match value {
                    Value::String(text) if attribute.case_exact => text.clone(),
                    Value::String(text) => fold(text),
                    Value::Bool(truth) => truth.to_string(),
                    other => panic!("no index is of {other}"),
                };
                keys.push(IndexKey {
                    path: spec.path.clone(),
                    value,
                    scope: match attribute.uniqueness {
                        Uniqueness::None => Scope::Many,
                        Uniqueness::Server => Scope::Tenant,
                        Uniqueness::Global => Scope::Global,
                    },
                });
            }
        }
    }
    keys
}

fn each(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
        None => &[],
    }
}

pub(crate) fn user(id: &str, user_name: &str) -> Write {
    let draft = draft(&resource_type("User"), id, json!({"userName": user_name}));
    Write::Insert { draft, members: Delta::default() }
}

pub(crate) fn group(id: &str, members: &[&str]) -> Write {
    let draft = draft(&resource_type("Group"), id, json!({"displayName": format!("the {id}")}));
    Write::Insert { draft, members: joining(members) }
}

pub(crate) fn join(group: &str, members: &[&str]) -> Write {
    Write::Members { group: Key::new("Group", group), members: joining(members), expect: None }
}

pub(crate) fn joining(members: &[&str]) -> Delta {
    let join = members.iter().map(|id| Member { id: (*id).to_owned(), ..Member::default() }).collect();
    Delta { join, ..Delta::default() }
}

pub(crate) fn change(writes: impl IntoIterator<Item = Write>) -> Change {
    let mut change = Change::new(time("2026-01-01T00:00:00Z"), Event::default());
    change.writes.extend(writes);
    change
}

#[track_caller]
pub(crate) fn commit(
    store: &impl Store,
    whose: &str,
    writes: impl IntoIterator<Item = Write>,
) -> Result<Committed, StoreError> {
    block_on(store.commit(&tenant(whose), change(writes)))
}

#[track_caller]
pub(crate) fn get(store: &impl Store, whose: &str, resource_type: &str, id: &str) -> Option<Record> {
    block_on(store.get(&tenant(whose), &Key::new(resource_type, id), Members::All)).unwrap()
}
