//! What the cases write: records as a service would make them, and changes of one write or more.
//!
//! The functions panic on what no test would ask for, such as a body that its schema refuses.

use std::sync::{Arc, LazyLock};

use pollster::block_on;
use scimwright_core::{Admit, AttrPath, Catalog, Instant, Resource, ResourceType, Target, Uniqueness, fold};
use scimwright_filter::{Binding, Filter};
use scimwright_store::{
    Change, Committed, Delta, Draft, Event, IndexKey, Key, Member, Members, Query, Record, Scope, Store, StoreError,
    TenantId, Write,
};
use serde_json::{Map, Value, json};

/// The types that are written, loaded once.
pub(crate) static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::standard);

/// The tenant of that name.
#[must_use]
pub fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

/// The moment that a text names.
#[must_use]
pub fn time(text: &str) -> Instant {
    text.parse().unwrap()
}

/// A type of the standard catalog.
#[must_use]
pub fn resource_type(name: &str) -> Arc<ResourceType> {
    Arc::clone(CATALOG.resource_type(name).unwrap())
}

/// A record from what a client would send.
#[must_use]
pub fn draft(resource_type: &ResourceType, id: &str, mut body: Value) -> Draft {
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
fn index(resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
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

/// Everybody of a type whom a filter selects; all of them where it is empty.
#[must_use]
pub fn filtered(type_name: &str, filter: &str) -> Query {
    let resource_type = resource_type(type_name);
    let mut query = Query::new(Arc::clone(&resource_type), usize::MAX);
    if !filter.is_empty() {
        let filter: Filter = filter.parse().unwrap();
        query.parts[0].filter = Some(filter.bind(&Binding::new(&resource_type)).unwrap());
    }
    query
}

/// A user of that name comes.
#[must_use]
pub fn user(id: &str, user_name: &str) -> Write {
    let draft = draft(&resource_type("User"), id, json!({"userName": user_name}));
    Write::Insert { draft, members: Delta::default() }
}

/// A group comes, with members.
#[must_use]
pub fn group(id: &str, members: &[&str]) -> Write {
    let draft = draft(&resource_type("Group"), id, json!({"displayName": format!("the {id}")}));
    Write::Insert { draft, members: joining(members) }
}

/// Members join a group.
#[must_use]
pub fn join(group: &str, members: &[&str]) -> Write {
    Write::Members { group: Key::new("Group", group), members: joining(members), expect: None }
}

/// These join, nobody leaves.
#[must_use]
pub fn joining(members: &[&str]) -> Delta {
    let join = members.iter().map(|id| Member { id: (*id).to_owned(), ..Member::default() }).collect();
    Delta { join, ..Delta::default() }
}

/// A change at the beginning of 2026, with one event.
#[must_use]
pub fn change(writes: impl IntoIterator<Item = Write>) -> Change {
    let mut change = Change::new(time("2026-01-01T00:00:00Z"), Event::default());
    change.writes.extend(writes);
    change
}

/// Commits such a change and waits for what comes of it.
///
/// # Errors
///
/// The outcome that stopped it.
#[track_caller]
pub fn commit(
    store: &(impl Store + ?Sized),
    whose: &str,
    writes: impl IntoIterator<Item = Write>,
) -> Result<Committed, StoreError> {
    block_on(store.commit(&tenant(whose), change(writes)))
}

/// Reads a record with all its members.
#[track_caller]
#[must_use]
pub fn get(store: &(impl Store + ?Sized), whose: &str, resource_type: &str, id: &str) -> Option<Record> {
    block_on(store.get(&tenant(whose), &Key::new(resource_type, id), Members::All)).unwrap()
}
