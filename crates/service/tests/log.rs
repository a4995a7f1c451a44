//! What the log of a tenant tells: who did what to whom, which attributes changed, who joined and left, and what was tolerated.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

use std::sync::Arc;

use pollster::block_on;
use scimwright_compat::{Quirk, Quirks};
use scimwright_core::{Catalog, Resource, ResourceType, Selection};
use scimwright_service::{Context, Deletion, Operation, Policy, Service};
use scimwright_store::{Event, InMemory, IndexKey, Record, Scope, Store, chain};
use serde_json::{Value, json};

/// Users have a key of everybody, and are retired when they are deleted.
#[derive(Debug)]
struct Retiring;

impl Policy for Retiring {
    fn keys(&self, resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
        let name = resource.get("userName").and_then(Value::as_str).filter(|_| resource_type.name == "User");
        let key = |name: &str| IndexKey { path: "login".to_owned(), value: name.to_owned(), scope: Scope::Global };
        name.map(key).into_iter().collect()
    }

    fn deletion(&self, record: &Record) -> Deletion {
        if record.key.resource_type == "User" { Deletion::Retire } else { Deletion::Remove }
    }
}

struct Case {
    store: Arc<InMemory>,
    service: Service,
    context: Context,
}

impl Case {
    fn new() -> Self {
        let store = Arc::new(InMemory::default());
        let service = Service::over(Catalog::standard(), store.clone());
        let mut context =
            Context::new("acme".parse().unwrap(), "tk_1", "https://example.com").policy(Arc::new(Retiring));
        context.quirks = Quirks::NONE;
        Self { store, service, context }
    }

    fn create(&self, of: &str, mut body: Value) -> String {
        let resource_type = self.service.resource_type(of).unwrap();
        body["schemas"] = json!([resource_type.schema.id.as_str()]);
        let create = Operation::Create { resource_type, body, selection: Selection::default() };
        let reply = block_on(self.service.handle(&self.context, create)).unwrap();
        reply.body.unwrap().get("id").and_then(|id| id.as_str()).unwrap().to_owned()
    }

    fn patch(&self, of: &str, id: &str, operations: Value) {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        let (resource_type, id) = (self.service.resource_type(of).unwrap(), id.to_owned());
        let patch = Operation::Patch { resource_type, id, body, selection: Selection::default(), expect: None };
        block_on(self.service.handle(&self.context, patch)).unwrap();
    }

    fn delete(&self, of: &str, id: &str) {
        let (resource_type, id) = (self.service.resource_type(of).unwrap(), id.to_owned());
        block_on(self.service.handle(&self.context, Operation::Delete { resource_type, id, expect: None })).unwrap();
    }

    /// What was logged behind that position.
    fn log(&self, after: u64) -> Vec<Event> {
        let log = block_on(self.store.log(&self.context.tenant, after, usize::MAX)).unwrap();
        log.into_iter().map(|logged| logged.event).collect()
    }
}

#[test]
fn an_entry_tells_who_did_what_to_whom() {
    let case = Case::new();
    let ada = case.create("User", json!({"userName": "ada", "title": "Dr"}));
    let bob = case.create("User", json!({"userName": "bob"}));
    let crew = case.create("Group", json!({"displayName": "crew", "members": [{"value": ada}]}));
    case.patch("User", &ada, json!([{"op": "replace", "path": "title", "value": "Prof"}]));
    case.patch(
        "Group",
        &crew,
        json!([
        {"op": "add", "path": "members", "value": [{"value": bob}]},
        {"op": "remove", "path": format!("members[value eq \"{ada}\"]")},
        {"op": "replace", "path": "displayName", "value": "fleet"}]),
    );
    let log = case.log(0);
    assert!(log.iter().all(|event| event.actor == "tk_1" && event.target.is_some()));
    let told: Vec<_> = log.iter().map(|event| (event.operation.as_str(), event.changed.join(","))).collect();
    assert_eq!(told[0], ("create", "schemas,title,userName".to_owned()));
    assert_eq!(
        (&*log[2].joined, &log[2].changed),
        ([ada.clone()].as_slice(), &vec!["displayName".into(), "schemas".into()])
    );
    assert_eq!(told[3], ("patch", "title".to_owned()));
    assert_eq!((&log[4].joined, &log[4].left, told[4].1.as_str()), (&vec![bob], &vec![ada], "displayName"));
    assert!(block_on(chain::verify(&*case.store, &case.context.tenant, |_| Ok(()))).is_ok());
}

#[test]
fn what_a_request_needed_is_told_of_a_deletion_too() {
    let mut case = Case::new();
    let crew = case.create("Group", json!({"displayName": "crew"}));
    case.context.quirks.insert(Quirk::UnknownAttributes);
    case.delete("Group", &crew);
    assert_eq!(case.log(1)[0].quirks, [Quirk::UnknownAttributes.name()]);
}

#[test]
fn those_who_are_forgotten_are_named() {
    let case = Case::new();
    let eve = case.create("User", json!({"userName": "eve"}));
    case.delete("User", &eve);
    let ada = case.create("User", json!({"userName": "ada"}));
    // The name of somebody who was deleted is free, and what was kept of him goes.
    case.patch("User", &ada, json!([{"op": "replace", "path": "userName", "value": "eve"}]));
    let log = case.log(3);
    let told: Vec<_> = log.iter().map(|event| (event.operation.as_str(), event.target.clone().unwrap().id)).collect();
    assert_eq!(told, [("patch", ada), ("forget", eve)]);
}
