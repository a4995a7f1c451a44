//! Members that are kept as rows: which a request has to see, and who joins and leaves.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod common;

use common::{message, patch, resource_type, stored};
use scimwright_core::{Admit, Catalog, ResourceTypeSpec, urns};
use scimwright_patch::{MembersNeeded, PatchOptions, PatchRequest, membership_delta};
use serde_json::{Value, json};

#[track_caller]
fn needed(operation: Value) -> String {
    let operations = if operation.is_array() { operation } else { json!([operation]) };
    let options = PatchOptions::tolerant();
    let request = PatchRequest::from_json(message(operations), &options).unwrap();
    described(request.members_needed(resource_type("Group"), &options))
}

fn described(needed: MembersNeeded) -> String {
    match needed {
        MembersNeeded::None => "none".to_owned(),
        MembersNeeded::Named(ids) => ids.join(" "),
        MembersNeeded::All => "all".to_owned(),
    }
}

#[test]
fn a_request_that_names_members_needs_those() {
    let some = json!([{"value": "2"}, {"VALUE": "1", "$ref": null}, null]);
    for operation in [
        json!({"op": "add", "path": "members", "value": some}),
        json!({"op": "add", "path": "URN:ietf:params:scim:schemas:core:2.0:Group:MEMBERS", "value": some}),
        json!({"op": "add", "value": {"Members": some, "displayName": "g"}}),
        json!({"op": "add", "path": urns::GROUP, "value": {"members": some}}),
        json!({"op": "remove", "path": "members", "value": some}),
        json!({"op": "remove", "path": "members", "value": ["1", "2"]}),
        json!({"op": "remove", "path": "members[value eq \"1\" or (value eq \"2\" or value eq \"1\")]"}),
        json!({"op": "remove", "path": "members[value eq \"1\" or value eq \"2\"]", "value": [{"value": "9"}]}),
        json!({"op": "remove", "path": "members[value eq \"1\" or value eq \"2\"].display"}),
        json!({"op": "replace", "path": "members[value eq \"1\"].value", "value": "2"}),
        json!({"op": "replace", "path": "members[value eq \"1\"]", "value": {"value": "2"}}),
        json!({"op": "replace", "value": {"members[value eq \"1\"].display": "x", "members[value eq \"2\"].display": "y"}}),
        json!([{"op": "add", "path": "members", "value": {"value": "1"}}, {"op": "remove", "path": "members[value eq \"2\"]"}]),
    ] {
        assert_eq!(needed(operation.clone()), "1 2", "{operation}");
    }
}

#[test]
fn a_request_that_looks_at_the_list_needs_all_and_one_that_does_not_none() {
    for operation in [
        json!({"op": "replace", "path": "members", "value": [{"value": "1"}]}),
        json!({"op": "replace", "value": {"members": []}}),
        json!({"op": "remove", "path": "members"}),
        json!({"op": "remove", "path": "members[type eq \"User\"]"}),
        json!({"op": "remove", "path": "members[value ne \"1\"]"}),
        json!({"op": "remove", "path": "members[value eq \"1\" or value pr]"}),
        json!({"op": "remove", "path": "members[value eq null]"}),
        json!({"op": "remove", "path": "members", "value": {"display": "x"}}),
        json!({"op": "add", "path": "members", "value": [{"value": "1"}, {"display": "x"}]}),
        json!({"op": "add", "path": "members.display", "value": "x"}),
        json!([{"op": "add", "path": "members", "value": {"value": "1"}}, {"op": "remove", "path": "members"}]),
    ] {
        assert_eq!(needed(operation.clone()), "all", "{operation}");
    }
    for operation in [
        json!({"op": "replace", "path": "displayName", "value": "members"}),
        json!({"op": "replace", "value": {"id": "2", "displayName": "x"}}),
        json!({"op": "add", "path": "members", "value": []}),
        json!({"op": "remove", "path": "members", "value": []}),
        // An error, whoever is a member.
        json!([{"op": "remove", "path": "nonsense"}, {"op": "remove", "path": "members"}]),
    ] {
        assert_eq!(needed(operation.clone()), "none", "{operation}");
    }
    let options = PatchOptions::default();
    let request = PatchRequest::from_json(message(json!([{"op": "remove", "path": "emails"}])), &options).unwrap();
    assert_eq!(request.members_needed(resource_type("User"), &options), MembersNeeded::None);
}

/// What adding one member needs where members are of that kind.
fn needed_by(attribute: Value) -> String {
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:club", "attributes": [attribute]}))
        .unwrap()
        .with_resource_type(
            ResourceTypeSpec::from_json(json!({"name": "Club", "endpoint": "/Clubs", "schema": "urn:x:club"}))
                .membership("members"),
        )
        .unwrap();
    let value = if attribute["type"] == "complex" { json!({"value": "1"}) } else { json!("1") };
    let options = PatchOptions::default();
    let add = message(json!([{"op": "add", "path": "members", "value": value}]));
    let request = PatchRequest::from_json(add, &options).unwrap();
    described(request.members_needed(catalog.resource_type("Club").unwrap(), &options))
}

#[test]
fn members_that_depend_on_each_other_are_all_needed() {
    let value = || json!({"name": "value", "caseExact": true, "mutability": "immutable"});
    let members = |more: Value, subs: Value| {
        let mut members = json!({"name": "members", "type": "complex", "multiValued": true, "subAttributes": subs});
        members.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        members
    };
    assert_eq!(needed_by(members(json!({}), json!([value()]))), "1");
    assert_eq!(needed_by(json!({"name": "members", "multiValued": true, "caseExact": true})), "1");
    for attribute in [
        members(json!({"required": true}), json!([value()])),
        members(json!({"mutability": "immutable"}), json!([value()])),
        members(json!({}), json!([value(), {"name": "primary", "type": "boolean"}])),
        members(json!({}), json!([{"name": "value", "mutability": "immutable"}])),
        members(json!({}), json!([{"name": "value", "caseExact": true}])),
        members(json!({}), json!([{"name": "display"}])),
        json!({"name": "members", "multiValued": true}),
        json!({"name": "members", "multiValued": true, "type": "integer"}),
        json!({"name": "members", "caseExact": true}),
    ] {
        assert_eq!(needed_by(attribute.clone()), "all", "{attribute}");
    }
}

#[test]
fn the_delta_is_who_joined_and_who_left() {
    let groups = resource_type("Group");
    let before =
        stored("Group", json!({"members": [{"value": "1"}, {"value": "2", "display": "Two"}, {"display": "d"}]}));
    let after = stored("Group", json!({"members": [{"value": "3", "type": "User"}, {"value": "2", "display": "2"}]}));
    let delta = membership_delta(groups, &before, &after);
    assert_eq!((delta.joined, delta.left), (vec![json!({"value": "3", "type": "User"})], vec!["1".to_owned()]));
    let user = stored("User", json!({}));
    assert_eq!(membership_delta(resource_type("User"), &user, &user), Default::default());
}

#[test]
fn one_member_of_many_is_added_without_the_others() {
    let groups = resource_type("Group");
    let none = stored("Group", json!({}));
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "1", "type": "User"}]}]);
    let patched = patch("Group", &none, add.clone(), &PatchOptions::default()).unwrap();
    assert_eq!(membership_delta(groups, &none, &patched.resource).joined, [json!({"value": "1", "type": "User"})]);
    let there = Admit::new(groups).trusted(patched.resource.into_map().into()).unwrap();
    assert!(!patch("Group", &there, add, &PatchOptions::default()).unwrap().changed);
}
