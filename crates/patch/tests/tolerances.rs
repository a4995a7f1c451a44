//! What clients are known to send beyond RFC 7644: refused by default, taken where an option says so, and then told.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod common;

use common::{BENCH, MANAGER, patch, stored};
use scimwright_core::urns;
use scimwright_patch::PatchOptions;
use serde_json::{Value, json};

/// The attribute after the operations and what had to be forgiven, or the error.
#[track_caller]
fn patched(
    type_name: &str,
    before: Value,
    operations: Value,
    options: &PatchOptions,
    name: &str,
) -> Result<(Value, Vec<&'static str>), String> {
    let operations = if operations.is_array() { operations } else { json!([operations]) };
    match patch(type_name, &stored(type_name, before), operations, options) {
        Ok(patched) => Ok((patched.resource.get(name).cloned().unwrap_or_default(), patched.leniencies)),
        Err(error) => Err(format!("{}: {error}", error.scim_type().as_str())),
    }
}

/// What is taken when all is tolerated, is refused by default, and needs this one tolerance.
#[track_caller]
fn needs(type_name: &str, before: Value, operations: Value, leniency: &'static str, name: &str, expected: Value) {
    let found = patched(type_name, before.clone(), operations.clone(), &PatchOptions::tolerant(), name);
    assert_eq!(found, Ok((expected, vec![leniency])));
    let strict = patched(type_name, before, operations, &PatchOptions::default(), name);
    assert!(strict.is_err(), "let through: {strict:?}");
}

#[track_caller]
fn tolerated(type_name: &str, before: Value, operations: Value, name: &str) -> Value {
    patched(type_name, before, operations, &PatchOptions::tolerant(), name).unwrap().0
}

#[track_caller]
fn refused(type_name: &str, before: Value, operations: Value) -> String {
    patched(type_name, before, operations, &PatchOptions::tolerant(), "").unwrap_err()
}

/// Proves: R-17, R-21, erratum 8097.
#[test]
fn a_value_path_that_selects_nothing_makes_what_it_describes() {
    let create = "create-on-no-match";
    needs(
        "User",
        json!({}),
        json!([
            {"op": "add", "path": "addresses[type eq \"work\"].locality", "value": "Gdansk"},
            {"op": "replace", "path": "addresses[TYPE eq \"work\"].Country", "value": "PL"},
        ]),
        create,
        "addresses",
        json!([{"type": "work", "locality": "Gdansk", "country": "PL"}]),
    );
    let home = json!({"emails": [{"value": "a@x", "type": "home", "primary": true}]});
    needs(
        "User",
        home.clone(),
        json!({"op": "Replace", "path": "emails[type eq \"work\" and primary eq true]", "value": {"value": "b@x", "display": "B"}}),
        create,
        "emails",
        json!([{"value": "a@x", "type": "home", "primary": false}, {"value": "b@x", "type": "work", "primary": true, "display": "B"}]),
    );
    // The value is there, only not as the filter has it: there are no two of one value and type.
    needs(
        "User",
        home.clone(),
        json!({"op": "Add", "path": "emails[type eq \"home\" and display eq \"H\"].value", "value": "A@X"}),
        create,
        "emails",
        json!([{"value": "a@x", "type": "home", "primary": true, "display": "H"}]),
    );
    needs(
        "Lab",
        json!({"tags": ["red"]}),
        json!({"op": "add", "path": "tags[value eq \"blue\"]", "value": "Blue"}),
        create,
        "tags",
        json!(["red", "Blue"]),
    );
    needs(
        "User",
        json!({}),
        json!({"op": "add", "path": "name[givenName eq \"Ada\"].familyName", "value": "L"}),
        create,
        "name",
        json!({"givenName": "Ada", "familyName": "L"}),
    );
    needs(
        "Group",
        json!({}),
        json!({"op": "add", "path": "members[value eq \"1\"]", "value": {"display": "One"}}),
        create,
        "members",
        json!([{"value": "1", "display": "One"}]),
    );
    needs(
        "Lab",
        json!({}),
        json!({"op": "replace", "path": format!("{BENCH}:slots[value eq \"1\"].primary"), "value": true}),
        create,
        BENCH,
        json!({"slots": [{"value": "1", "primary": true}]}),
    );
    // Nothing is made of nothing.
    needs(
        "User",
        home.clone(),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": null}),
        create,
        "emails",
        home["emails"].clone(),
    );
    needs(
        "User",
        json!({}),
        json!({"op": "replace", "path": "name[givenName eq \"Ada\"].familyName", "value": null}),
        create,
        "name",
        json!(null),
    );
    // A filter that describes no value, another than it would make, or one that is the server's.
    let no_target = |type_name: &str, path: &str, value: Value| {
        refused(
            type_name,
            json!({"name": if type_name == "User" { json!({"givenName": "Bob"}) } else { json!("n") },
        "members": [{"value": "1", "type": "Group"}], "displayName": "g"}),
            json!({"op": "replace", "path": path, "value": value}),
        )
    };
    insta::assert_snapshot!(no_target("User", "emails[type eq \"work\" or type eq \"home\"].value", json!("b@x")), @r#"noTarget: operation 0: no value matches `emails[type eq "work" or type eq "home"].value`"#);
    insta::assert_snapshot!(no_target("User", "emails[type sw \"work\"].value", json!("b@x")), @r#"noTarget: operation 0: no value matches `emails[type sw "work"].value`"#);
    insta::assert_snapshot!(no_target("User", "emails[value eq \"a@x\"].value", json!("b@x")), @r#"noTarget: operation 0: no value matches `emails[value eq "a@x"].value`"#);
    insta::assert_snapshot!(no_target("User", "emails.value", json!("b@x")), @"noTarget: operation 0: no value matches `emails.value`");
    insta::assert_snapshot!(no_target("User", "name[givenName eq \"Ada\"].familyName", json!("L")), @r#"noTarget: operation 0: no value matches `name[givenName eq "Ada"].familyName`"#);
    insta::assert_snapshot!(no_target("Lab", "tags[value eq \"blue\"]", json!("red")), @r#"noTarget: operation 0: no value matches `tags[value eq "blue"]`"#);
    insta::assert_snapshot!(no_target("Lab", "parts[checked eq \"yes\"].value", json!("p")), @r#"noTarget: operation 0: no value matches `parts[checked eq "yes"].value`"#);
    insta::assert_snapshot!(no_target("Group", "members[value eq \"1\" and type eq \"User\"].display", json!("One")), @r#"noTarget: operation 0: no value matches `members[value eq "1" and type eq "User"].display`"#);
}

/// Proves: R-19, PM-10.
#[test]
fn a_remove_with_a_value_removes_what_it_names_and_no_more() {
    let by_value = "remove-with-value";
    let members = json!({"members": [{"value": "1", "type": "User"}, {"value": "2"}, {"value": "3"}]});
    let remove = |path: &str, value: Value| json!({"op": "Remove", "path": path, "value": value});
    needs(
        "Group",
        members.clone(),
        remove("members", json!([{"$ref": null, "value": "2"}, {"value": "9"}])),
        by_value,
        "members",
        json!([{"value": "1", "type": "User"}, {"value": "3"}]),
    );
    needs(
        "Group",
        members.clone(),
        remove("members", json!({"value": "1", "type": "Group", "display": "x"})),
        by_value,
        "members",
        json!([{"value": "2"}, {"value": "3"}]),
    );
    needs("Group", members.clone(), remove("members", json!(["1", "3"])), by_value, "members", json!([{"value": "2"}]));
    needs(
        "Group",
        members.clone(),
        remove("members[value eq \"1\" or value eq \"2\"]", json!([{"value": "2"}, {"value": "3"}])),
        by_value,
        "members",
        json!([{"value": "1", "type": "User"}, {"value": "3"}]),
    );
    // The path says what goes, so null widens nothing.
    needs(
        "Group",
        members.clone(),
        remove("members[value eq \"2\"]", json!(null)),
        by_value,
        "members",
        json!([{"value": "1", "type": "User"}, {"value": "3"}]),
    );
    needs("User", json!({"title": "T"}), remove("title", json!(null)), by_value, "title", json!(null));
    // Nothing is named.
    for nothing in [json!([]), json!({}), json!([null]), json!([{}]), json!([{"value": null}])] {
        needs("Group", members.clone(), remove("members", nothing), by_value, "members", members["members"].clone());
    }
    insta::assert_snapshot!(refused("Group", members.clone(), remove("members", json!(null))), @"invalidValue: operation 0: `members`: null does not say which values to remove");
    insta::assert_snapshot!(refused("Group", members.clone(), remove("members.display", json!(null))), @"invalidValue: operation 0: `members.display`: null does not say which values to remove");
    insta::assert_snapshot!(refused("Group", members, remove("members", json!([{"value": 1}]))), @"invalidValue: operation 0: `members.value`: expected a string, found `1`");

    let emails = json!({"emails": [{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "b@x", "type": "home"}]});
    needs(
        "User",
        emails.clone(),
        remove("emails", json!([{"value": "A@X", "type": "HOME"}])),
        by_value,
        "emails",
        json!([{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "home"}]),
    );
    needs(
        "User",
        emails.clone(),
        remove("emails", json!("a@x")),
        by_value,
        "emails",
        json!([{"value": "b@x", "type": "home"}]),
    );
    needs(
        "User",
        emails.clone(),
        remove("emails", json!({"type": "home"})),
        by_value,
        "emails",
        json!([{"value": "a@x", "type": "work"}]),
    );
    needs(
        "User",
        emails.clone(),
        remove("emails[type eq \"home\"].value", json!("a@x")),
        by_value,
        "emails",
        json!([{"value": "a@x", "type": "work"}, {"type": "home"}, {"value": "b@x", "type": "home"}]),
    );
    needs(
        "Lab",
        json!({"tags": ["red", "blue"]}),
        remove("tags", json!(["RED", "green"])),
        by_value,
        "tags",
        json!(["blue"]),
    );

    let manager = json!({urns::ENTERPRISE_USER: {"manager": {"value": "9", "displayName": "B"}, "department": "D"}});
    needs(
        "User",
        manager.clone(),
        remove(MANAGER, json!({"value": "9"})),
        by_value,
        urns::ENTERPRISE_USER,
        json!({"department": "D"}),
    );
    needs(
        "User",
        manager.clone(),
        remove(MANAGER, json!({"value": "8"})),
        by_value,
        urns::ENTERPRISE_USER,
        manager[urns::ENTERPRISE_USER].clone(),
    );
    needs(
        "User",
        manager.clone(),
        remove(MANAGER, json!({})),
        by_value,
        urns::ENTERPRISE_USER,
        manager[urns::ENTERPRISE_USER].clone(),
    );
    needs(
        "User",
        manager.clone(),
        remove(urns::ENTERPRISE_USER, json!({"department": "d", "manager": {"value": "8"}})),
        by_value,
        urns::ENTERPRISE_USER,
        json!({"manager": {"value": "9", "displayName": "B"}}),
    );
    needs("User", json!({"title": "T"}), remove("title", json!("x")), by_value, "title", json!("T"));
    needs(
        "User",
        json!({"title": "T"}),
        remove("urn:ietf:params:scim:schemas:core:2.0:User", json!({"title": "t"})),
        by_value,
        "title",
        json!(null),
    );
    insta::assert_snapshot!(refused("User", manager, remove(urns::ENTERPRISE_USER, json!({"manager.displayName": "B"}))), @"mutability: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName` cannot be changed");
}

#[test]
fn a_request_is_not_applied_with_fewer_options_than_it_was_read_with() {
    let group = stored("Group", json!({"members": [{"value": "1"}]}));
    let message = common::message(json!([{"op": "remove", "path": "members", "value": [{"value": "9"}]}]));
    let request = scimwright_patch::PatchRequest::from_json(message, &PatchOptions::tolerant()).unwrap();
    let error = scimwright_patch::apply(common::resource_type("Group"), &group, &request, &PatchOptions::default());
    insta::assert_snapshot!(error.unwrap_err(), @"operation 0: `remove` takes no value");
}

/// Proves: R-30.
#[test]
fn booleans_come_as_strings() {
    let booleans = "boolean-strings";
    needs(
        "User",
        json!({"active": true}),
        json!({"op": "Replace", "path": "active", "value": "False"}),
        booleans,
        "active",
        json!(false),
    );
    needs("User", json!({}), json!({"op": "Add", "value": {"active": "TRUE"}}), booleans, "active", json!(true));
    needs(
        "User",
        json!({}),
        json!({"op": "Add", "path": "emails", "value": {"value": "a@x", "primary": "true"}}),
        booleans,
        "emails",
        json!([{"value": "a@x", "primary": true}]),
    );
    let roles = json!({"roles": [{"value": "Reader", "primary": true}, {"value": "Auditor"}]});
    needs(
        "User",
        roles,
        json!({"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "Admin"}),
        "filter-boolean-strings",
        "roles",
        json!([{"value": "Admin", "primary": true}, {"value": "Auditor"}]),
    );
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "add", "path": "active", "value": "yes"})), @"invalidValue: operation 0: `active`: expected true or false, found the string `yes`");
    // A string that says "True" is a string.
    assert_eq!(tolerated("User", json!({}), json!({"op": "add", "path": "title", "value": "True"}), "title"), "True");
}

#[test]
fn the_empty_string_clears() {
    let full = json!({"title": "T", "name": {"givenName": "A", "familyName": "B"}, "phoneNumbers": [{"value": "1", "type": "mobile", "display": "one"}, {"value": "2", "type": "work"}],
        "addresses": [{"type": "work", "locality": "G", "country": "PL"}], urns::ENTERPRISE_USER: {"department": "D", "manager": {"value": "9"}}});
    let clear = |path: &str, name: &str| {
        for op in ["replace", "add"] {
            let operation = json!({"op": op, "path": path, "value": ""});
            let (value, names) = patched("User", full.clone(), operation, &PatchOptions::tolerant(), name).unwrap();
            assert_eq!(names, ["empty-string-clears"]);
            if op == "add" {
                return value;
            }
        }
        Value::Null
    };
    assert_eq!(clear("title", "title"), json!(null));
    assert_eq!(clear("name.givenName", "name"), json!({"familyName": "B"}));
    assert_eq!(clear("name", "name"), json!(null));
    assert_eq!(
        clear("phoneNumbers[type eq \"mobile\"].value", "phoneNumbers"),
        json!([{"value": "2", "type": "work"}])
    );
    assert_eq!(
        clear("phoneNumbers[type eq \"mobile\"].display", "phoneNumbers"),
        json!([{"value": "1", "type": "mobile"}, {"value": "2", "type": "work"}])
    );
    assert_eq!(clear("addresses[type eq \"work\"].locality", "addresses"), json!([{"type": "work", "country": "PL"}]));
    assert_eq!(clear(MANAGER, urns::ENTERPRISE_USER), json!({"department": "D"}));
    assert_eq!(clear(&format!("{MANAGER}.value"), urns::ENTERPRISE_USER), json!({"department": "D"}));
    let operation = json!({"op": "add", "path": "emails", "value": [{"value": "", "type": "work"}, {"value": "a@x", "display": ""}]});
    assert_eq!(tolerated("User", json!({}), operation, "emails"), json!([{"value": "a@x"}]));
    assert_eq!(
        tolerated("User", full, json!({"op": "replace", "path": "phoneNumbers", "value": ""}), "phoneNumbers"),
        json!(null)
    );
    assert_eq!(
        tolerated("Lab", json!({"tags": ["a"]}), json!({"op": "add", "path": "tags", "value": ["", "b"]}), "tags"),
        json!(["a", "b"])
    );
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "replace", "path": "userName", "value": ""})), @"mutability: operation 0: `userName` is required and cannot be removed");
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "replace", "path": "active", "value": ""})), @"invalidValue: operation 0: `active`: expected true or false, found the string ``");
    // By default it is a string like any other.
    let kept = patched(
        "User",
        json!({}),
        json!({"op": "replace", "path": "title", "value": ""}),
        &PatchOptions::default(),
        "title",
    );
    assert_eq!(kept, Ok((json!(""), vec![])));
}

#[test]
fn a_manager_comes_as_a_string() {
    let manager = json!({urns::ENTERPRISE_USER: {"manager": {"value": "9", "$ref": "../Users/9", "displayName": "B"}}});
    let bare = "reference-as-string";
    needs(
        "User",
        json!({}),
        json!({"op": "Add", "path": MANAGER, "value": "9"}),
        bare,
        urns::ENTERPRISE_USER,
        json!({"manager": {"value": "9"}}),
    );
    // The reference was to another; the name is the server's to mend.
    needs(
        "User",
        manager.clone(),
        json!({"op": "replace", "path": MANAGER, "value": "8"}),
        bare,
        urns::ENTERPRISE_USER,
        json!({"manager": {"value": "8", "displayName": "B"}}),
    );
    needs(
        "User",
        manager.clone(),
        json!({"op": "replace", "value": {urns::ENTERPRISE_USER: {"manager": "9"}}}),
        bare,
        urns::ENTERPRISE_USER,
        manager[urns::ENTERPRISE_USER].clone(),
    );
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "add", "path": "name", "value": "Jim"})), @"invalidValue: operation 0: `name`: expected an object, found the string `Jim`");
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "add", "path": "emails", "value": "a@x"})), @"invalidValue: operation 0: `emails`: expected an object, found the string `a@x`");
}

#[test]
fn other_slips_are_taken_and_told() {
    needs(
        "User",
        json!({}),
        json!({"op": "add", "name": "addMember", "path": "title", "value": "T"}),
        "patch-extra-members",
        "title",
        json!("T"),
    );
    let emails = json!({"emails": [{"value": "a@x", "type": "work"}]});
    for path in ["emails[type eq work].value", "emails[type eq 'work'].value"] {
        needs(
            "User",
            emails.clone(),
            json!({"op": "replace", "path": path, "value": "b@x"}),
            "unquoted-filter-values",
            "emails",
            json!([{"value": "b@x", "type": "work"}]),
        );
    }
    // A role in a string is a string.
    let role = "{\"id\":\"1\",\"value\":\"25\"}";
    assert_eq!(
        tolerated("User", json!({}), json!({"op": "Add", "path": "roles", "value": [{"value": role}]}), "roles"),
        json!([{"value": role}])
    );
}
