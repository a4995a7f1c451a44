//! What may change, when, and by whom: RFC 7643 section 7 as RFC 7644 section 3.5.2 wants it kept.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod common;

use common::{BENCH, MANAGER, after, becomes, refused, stays, strict};
use scimwright_core::urns;
use serde_json::{Value, json};

/// Proves: PA-17, PA-18, R-33, R-41.
#[test]
fn what_only_the_server_writes_is_not_written() {
    let groups = json!({"groups": [{"value": "g1", "type": "direct"}, {"value": "g2"}], urns::ENTERPRISE_USER: {"manager": {"value": "9", "displayName": "Boss"}}});
    let by_path = |op: &str, path: &str, value: Value| {
        let mut operation = json!({"op": op, "path": path});
        if op != "remove" {
            operation["value"] = value;
        }
        refused("User", groups.clone(), operation)
    };
    insta::assert_snapshot!(by_path("replace", "id", json!("1")), @"mutability: operation 0: `id` cannot be changed");
    insta::assert_snapshot!(by_path("add", "meta.created", json!("2001-01-01T00:00:00Z")), @"mutability: operation 0: `meta.created` cannot be changed");
    insta::assert_snapshot!(by_path("remove", "groups", json!(null)), @"mutability: operation 0: `groups` cannot be changed");
    insta::assert_snapshot!(by_path("remove", "groups[value eq \"g1\"]", json!(null)), @"mutability: operation 0: `groups` cannot be changed");
    insta::assert_snapshot!(by_path("add", "groups.display", json!("x")), @"mutability: operation 0: `groups.display` cannot be changed");
    insta::assert_snapshot!(by_path("replace", &format!("{MANAGER}.displayName"), json!("Boss")), @"mutability: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName` cannot be changed");
    insta::assert_snapshot!(by_path("replace", MANAGER, json!({"value": "8", "displayName": "Other"})), @"mutability: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName` cannot be changed");
    // As one of many in an object it may be repeated (rulings R-33 and R-41).
    for value in [
        json!({"id": "1", "meta": {"created": "2001-01-01T00:00:00Z"}, "meta.location": "x"}),
        json!({"groups": [{"Value": "g2", "$ref": null}, {"value": "g1", "type": "DIRECT", "display": "G"}]}),
        json!({urns::ENTERPRISE_USER: {"manager": {"displayName": "boss"}}}),
        json!({format!("{MANAGER}.displayName"): "Boss"}),
        json!({"schemas": [urns::USER], "ID": "1"}),
    ] {
        let (patched, before) = after("User", groups.clone(), json!({"op": "replace", "value": value}), &strict());
        assert_eq!((patched.changed, patched.resource), (false, before));
    }
    stays("User", groups.clone(), json!({"op": "add", "value": {"id": null, "groups": null}}));
    let changed = |value: Value| refused("User", groups.clone(), json!({"op": "replace", "value": value}));
    insta::assert_snapshot!(changed(json!({"id": "2", "title": "x"})), @"mutability: operation 0: `id` cannot be changed");
    insta::assert_snapshot!(changed(json!({"id": null})), @"mutability: operation 0: `id` cannot be changed");
    insta::assert_snapshot!(changed(json!({"groups": [{"value": "g1", "type": "direct"}]})), @"mutability: operation 0: `groups` cannot be changed");
    insta::assert_snapshot!(changed(json!({"urn:ietf:params:scim:schemas:core:2.0:User": {"id": "2"}})), @"mutability: operation 0: `id` cannot be changed");
    insta::assert_snapshot!(changed(json!({format!("{MANAGER}.displayName"): "Other"})), @"mutability: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName` cannot be changed");
    insta::assert_snapshot!(changed(json!({urns::ENTERPRISE_USER: {"manager": {"displayName": "Other"}}})), @"mutability: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName` cannot be changed");
    // It goes with what it is part of, and comes back with it.
    becomes("User", groups.clone(), json!({"op": "remove", "path": MANAGER}), urns::ENTERPRISE_USER, json!(null));
    becomes(
        "User",
        groups.clone(),
        json!([{"op": "remove", "path": MANAGER}, {"op": "add", "path": MANAGER, "value": {"value": "8"}}]),
        urns::ENTERPRISE_USER,
        json!({"manager": {"value": "8", "displayName": "Boss"}}),
    );
    let place = json!({"place": {"building": "B", "seen": "S"}});
    becomes(
        "Lab",
        place,
        json!([{"op": "remove", "path": "place"}, {"op": "add", "path": "place.building", "value": "C"}]),
        "place",
        json!({"building": "C", "seen": "S"}),
    );
    // In a new value of a list it is left out, in one that stays it stays.
    let parts = json!({"parts": [{"value": "p", "checked": "yes", "note": "n"}]});
    becomes(
        "Lab",
        parts.clone(),
        json!({"op": "add", "path": "parts", "value": {"value": "q", "checked": "yes"}}),
        "parts",
        json!([{"value": "p", "checked": "yes", "note": "n"}, {"value": "q"}]),
    );
    becomes(
        "Lab",
        parts.clone(),
        json!({"op": "replace", "path": "parts", "value": [{"value": "q"}, {"value": "P"}]}),
        "parts",
        json!([{"value": "q"}, {"value": "P", "checked": "yes"}]),
    );
    insta::assert_snapshot!(refused("Lab", parts.clone(), json!({"op": "replace", "path": "parts[value eq \"p\"]", "value": {"checked": "no"}})), @"mutability: operation 0: `parts.checked` cannot be changed");
    insta::assert_snapshot!(refused("Lab", parts, json!({"op": "replace", "path": "parts[value eq \"p\"].checked", "value": "yes"})), @"mutability: operation 0: `parts.checked` cannot be changed");
}

/// Proves: PA-19, PA-20, PM-9, PX-10.
#[test]
fn what_is_written_once_is_not_written_again() {
    becomes(
        "Lab",
        json!({}),
        json!({"op": "add", "value": {"serial": "S", "place": {"building": "B", "room": "R"}}}),
        "serial",
        json!("S"),
    );
    let lab = json!({"serial": "S", "marks": ["a", "b"], "place": {"building": "B", "room": "R"}, "parts": [{"value": "p", "sku": "1"}], BENCH: {"plate": "P"}});
    stays("Lab", lab.clone(), json!({"op": "replace", "path": "serial", "value": "s"}));
    stays("Lab", lab.clone(), json!({"op": "replace", "path": "place", "value": {"room": "r"}}));
    stays("Lab", lab.clone(), json!({"op": "add", "path": "marks", "value": ["a"]}));
    stays("Lab", lab.clone(), json!({"op": "replace", "path": "marks", "value": ["a", "b"]}));
    stays("Lab", lab.clone(), json!({"op": "replace", "path": "parts[value eq \"p\"].sku", "value": "1"}));
    becomes("Lab", lab.clone(), json!({"op": "remove", "path": "parts[sku eq \"1\"]"}), "parts", json!(null));
    becomes("Lab", lab.clone(), json!({"op": "remove", "path": "place"}), "place", json!(null));
    let changed = |operation: Value| refused("Lab", lab.clone(), operation);
    insta::assert_snapshot!(changed(json!({"op": "add", "path": "serial", "value": "T"})), @"mutability: operation 0: `serial` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "replace", "path": "serial", "value": null})), @"mutability: operation 0: `serial` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "remove", "path": "serial"})), @"mutability: operation 0: `serial` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "add", "path": "marks", "value": "c"})), @"mutability: operation 0: `marks` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "remove", "path": "marks[value eq \"a\"]"})), @"mutability: operation 0: `marks` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "add", "path": "place.room", "value": "Q"})), @"mutability: operation 0: `place.room` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "replace", "path": "place", "value": {"room": null}})), @"mutability: operation 0: `place.room` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "add", "path": "parts", "value": {"value": "P", "sku": "2"}})), @"mutability: operation 0: `parts.sku` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "remove", "path": "parts.sku"})), @"mutability: operation 0: `parts.sku` cannot be changed");
    insta::assert_snapshot!(changed(json!({"op": "remove", "path": BENCH})), @"mutability: operation 0: `urn:example:bench:2.0:Lab:plate` cannot be changed");
    // There is no way around it in two steps.
    insta::assert_snapshot!(changed(json!([{"op": "remove", "path": "place"}, {"op": "add", "path": "place", "value": {"building": "B", "room": "Q"}}])), @"mutability: after all operations: `place.room` cannot be changed");
    let twice =
        json!([{"op": "add", "path": "serial", "value": "S"}, {"op": "replace", "path": "serial", "value": "T"}]);
    insta::assert_snapshot!(refused("Lab", json!({}), twice), @"mutability: operation 1: `serial` cannot be changed");
}

/// Proves: PM-7, PX-8.
#[test]
fn what_is_required_is_not_removed() {
    let lab = json!({"place": {"building": "B", "doors": ["1"]}});
    let changed = |operation: Value| refused("Lab", lab.clone(), operation);
    insta::assert_snapshot!(changed(json!({"op": "remove", "path": "name"})), @"mutability: operation 0: `name` is required and cannot be removed");
    insta::assert_snapshot!(changed(json!({"op": "replace", "value": {"name": null}})), @"mutability: operation 0: `name` is required and cannot be removed");
    insta::assert_snapshot!(changed(json!({"op": "replace", "path": "name", "value": ""})), @"mutability: operation 0: `name` is required and cannot be removed");
    insta::assert_snapshot!(changed(json!({"op": "remove", "path": "place.building"})), @"mutability: operation 0: `place.building` is required and cannot be removed");
    insta::assert_snapshot!(changed(json!({"op": "replace", "path": "place", "value": {"building": null}})), @"mutability: operation 0: `place.building` is required and cannot be removed");
    insta::assert_snapshot!(changed(json!({"op": "remove", "path": "schemas"})), @"mutability: operation 0: `schemas` is required and cannot be removed");
    insta::assert_snapshot!(refused("Lab", json!({}), json!({"op": "add", "path": "place.doors", "value": "1"})), @"invalidValue: after all operations: `place.building` is required");
    becomes(
        "Lab",
        lab.clone(),
        json!({"op": "add", "path": "place.doors", "value": "2"}),
        "place",
        json!({"building": "B", "doors": ["1", "2"]}),
    );
    becomes(
        "Lab",
        lab.clone(),
        json!({"op": "replace", "path": "place.doors", "value": ["2"]}),
        "place",
        json!({"building": "B", "doors": ["2"]}),
    );
    becomes("Lab", lab, json!({"op": "remove", "path": "place"}), "place", json!(null));
}
