//! What each operation does to each kind of attribute, and what it says when it will not.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod common;

use common::{BENCH, MANAGER, after, becomes, emails, patch, refused, refused_with, stays, stored, strict};
use scimwright_core::{Unknown, urns};
use scimwright_patch::PatchOptions;
use serde_json::{Value, json};

#[test]
fn a_value_that_becomes_primary_demotes_the_others() {
    let demoted =
        json!([{"value": "a@x", "type": "work", "primary": false}, {"value": "b@x", "type": "home", "primary": true}]);
    for operation in [
        json!({"op": "add", "path": "emails", "value": {"value": "B@X", "type": "Home", "primary": true}}),
        json!({"op": "add", "value": {"emails": [{"value": "b@x", "type": "home", "primary": true}]}}),
        json!({"op": "replace", "path": "emails[type eq \"home\"]", "value": {"primary": true}}),
        json!({"op": "replace", "path": "emails[value sw \"b\"].primary", "value": true}),
    ] {
        becomes("User", emails(), operation, "emails", demoted.clone());
    }
    let slots = json!({BENCH: {"slots": [{"value": "1", "primary": true}, {"value": "2"}]}});
    let operation = json!({"op": "add", "path": format!("{BENCH}:slots[value eq \"2\"].primary"), "value": true});
    becomes(
        "Lab",
        slots,
        operation,
        BENCH,
        json!({"slots": [{"value": "1", "primary": false}, {"value": "2", "primary": true}]}),
    );
}

#[test]
fn two_primaries_are_refused() {
    let two = json!([{"value": "c@x", "primary": true}, {"value": "d@x", "primary": true}]);
    insta::assert_snapshot!(refused("User", emails(), json!({"op": "add", "path": "emails", "value": two})), @"invalidValue: operation 0: `emails` has more than one primary value");
    insta::assert_snapshot!(refused("User", emails(), json!({"op": "replace", "value": {"emails": two}})), @"invalidValue: operation 0: `emails` has more than one primary value");
    insta::assert_snapshot!(refused("User", emails(), json!({"op": "replace", "path": "emails.primary", "value": true})), @"invalidValue: operation 0: `emails` has more than one primary value");
    insta::assert_snapshot!(refused("User", emails(), json!({"op": "add", "path": "emails[type pr]", "value": {"primary": true}})), @"invalidValue: operation 0: `emails` has more than one primary value");
    // One value twice is one value.
    let twice = json!([{"value": "c@x", "primary": true}, {"value": "C@x", "primary": true}]);
    becomes(
        "User",
        json!({}),
        json!({"op": "add", "path": "emails", "value": twice}),
        "emails",
        json!([{"value": "c@x", "primary": true}]),
    );
}

#[test]
fn what_is_there_is_not_added_again() {
    stays("User", emails(), json!({"op": "add", "path": "emails", "value": {"value": "A@X", "type": "WORK"}}));
    stays("User", emails(), json!({"op": "add", "path": "emails", "value": null}));
    stays("User", emails(), json!({"op": "add", "path": "emails", "value": [null, {}, {"value": null}]}));
    stays("User", emails(), json!({"op": "add", "path": "emails[type eq \"work\"].value", "value": null}));
    stays("User", emails(), json!({"op": "add", "path": "emails[type eq \"fax\"].value", "value": null}));
    stays("User", json!({"name": {"givenName": "A"}}), json!({"op": "add", "value": {"name": {"givenName": null}}}));
    stays("User", json!({}), json!({"op": "add", "path": MANAGER, "value": null}));
    stays("User", json!({}), json!({"op": "add", "path": urns::ENTERPRISE_USER, "value": null}));
    stays("Lab", json!({"tags": ["Red"]}), json!({"op": "add", "path": "tags", "value": ["red", "RED"]}));
    stays("User", json!({}), json!({"op": "add", "value": {urns::USER: null}}));
    stays(
        "Lab",
        json!({"place": {"building": "B", "height": 3}}),
        json!({"op": "replace", "path": "place.height", "value": 3.0}),
    );
    stays("Lab", json!({"weight": 3}), json!({"op": "replace", "path": "weight", "value": 3.0}));
    // Values without a `value` are known by all they say, except by whether they are primary.
    let addresses = json!({"addresses": [{"type": "work", "primary": false}, {"type": "home", "primary": true}]});
    becomes(
        "User",
        addresses,
        json!({"op": "add", "path": "addresses", "value": {"type": "work", "primary": true}}),
        "addresses",
        json!([{"type": "work", "primary": true}, {"type": "home", "primary": false}]),
    );
    // What more it says joins what is there, unless the list is one of members.
    becomes(
        "User",
        emails(),
        json!({"op": "add", "path": "emails", "value": {"value": "B@X", "type": "home", "display": "B"}}),
        "emails",
        json!([{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home", "display": "B"}]),
    );
    stays(
        "Group",
        json!({"members": [{"value": "1"}]}),
        json!({"op": "add", "path": "members", "value": {"value": "1", "display": "One"}}),
    );
}

#[test]
fn members_are_who_they_are_by_their_value() {
    let members = json!({"members": [{"value": "1", "display": "One"}, {"value": "2"}]});
    stays(
        "Group",
        members.clone(),
        json!({"op": "replace", "path": "members", "value": [{"value": "2", "display": "Two"}, {"value": "1"}]}),
    );
    becomes(
        "Group",
        members.clone(),
        json!({"op": "replace", "path": "members", "value": [{"value": "3"}, {"value": "2", "display": "x"}]}),
        "members",
        json!([{"value": "2"}, {"value": "3"}]),
    );
    becomes(
        "Group",
        members.clone(),
        json!({"op": "remove", "path": "members[value eq \"1\" or value eq \"9\"]"}),
        "members",
        json!([{"value": "2"}]),
    );
    becomes(
        "Group",
        members.clone(),
        json!({"op": "Add", "path": "Members", "value": [{"$ref": null, "value": "3"}]}),
        "members",
        json!([{"value": "1", "display": "One"}, {"value": "2"}, {"value": "3"}]),
    );
    stays(
        "Group",
        members.clone(),
        json!({"op": "replace", "path": "members[value eq \"1\"]", "value": {"value": "1"}}),
    );
    becomes(
        "Group",
        members.clone(),
        json!({"op": "replace", "path": "members[value eq \"2\"].display", "value": "Two"}),
        "members",
        json!([{"value": "1", "display": "One"}, {"value": "2", "display": "Two"}]),
    );
    insta::assert_snapshot!(refused("Group", members.clone(), json!({"op": "replace", "path": "members[value eq \"1\"].value", "value": "9"})), @"mutability: operation 0: `members.value` cannot be changed");
    insta::assert_snapshot!(refused("Group", members.clone(), json!({"op": "replace", "path": "members.display", "value": null})), @"mutability: operation 0: `members.display` cannot be changed");
    insta::assert_snapshot!(refused("Group", members, json!({"op": "add", "path": "members[value eq \"9\"].display", "value": "Nine"})), @r#"noTarget: operation 0: no value matches `members[value eq "9"].display`"#);
}

#[test]
fn what_was_removed_can_be_added_again() {
    let there_and_back = |path: &str, value: Value, filter: &str| json!([{"op": "remove", "path": format!("{path}[value eq \"{filter}\"]")}, {"op": "add", "path": path, "value": value}]);
    let members = json!({"members": [{"value": "1", "display": "One"}, {"value": "2"}]});
    // Members have no order, so nothing has changed when it is all over.
    stays("Group", members.clone(), there_and_back("members", json!({"value": "2"}), "2"));
    stays("Group", members.clone(), there_and_back("members", json!({"value": "1", "display": "One"}), "1"));
    let forgotten = json!([{"value": "2"}, {"value": "1"}]);
    becomes("Group", members, there_and_back("members", json!({"value": "1"}), "1"), "members", forgotten);
    let operations = there_and_back("emails", json!({"value": "a@x", "type": "work"}), "a@x");
    let expected = json!([{"value": "b@x", "type": "home"}, {"value": "a@x", "type": "work"}]);
    becomes("User", emails(), operations, "emails", expected);
    let tags = json!({"tags": ["red", "blue"]});
    becomes("Lab", tags, there_and_back("tags", json!("Red"), "RED"), "tags", json!(["blue", "Red"]));
}

#[test]
fn a_sub_attribute_of_a_list_without_filter_is_that_of_all_values() {
    becomes(
        "User",
        emails(),
        json!({"op": "replace", "path": "emails.display", "value": "D"}),
        "emails",
        json!([{"value": "a@x", "type": "work", "primary": true, "display": "D"}, {"value": "b@x", "type": "home", "display": "D"}]),
    );
    becomes(
        "User",
        emails(),
        json!({"op": "remove", "path": "emails.type"}),
        "emails",
        json!([{"value": "a@x", "primary": true}, {"value": "b@x"}]),
    );
    stays("User", json!({}), json!({"op": "remove", "path": "emails.type"}));
    // Values that become the same one are one.
    becomes(
        "User",
        emails(),
        json!({"op": "replace", "path": "emails", "value": [{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home", "display": "D"}]}),
        "emails",
        json!([{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home", "display": "D"}]),
    );
    let same = json!({"emails": [{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home", "display": "D"}]});
    becomes(
        "User",
        same,
        json!({"op": "replace", "path": "emails.type", "value": "other"}),
        "emails",
        json!([{"value": "a@x", "type": "other", "display": "D"}]),
    );
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "add", "path": "emails.type", "value": "work"})), @"noTarget: operation 0: no value matches `emails.type`");
}

#[test]
fn value_paths_merge_into_every_selected_value() {
    becomes(
        "User",
        emails(),
        json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": [{"VALUE": "c@x", "primary": null}]}),
        "emails",
        json!([{"value": "c@x", "type": "work"}, {"value": "b@x", "type": "home"}]),
    );
    becomes(
        "User",
        emails(),
        json!({"op": "add", "path": "emails[type eq \"work\"]", "value": {"value": "c@x", "primary": null}}),
        "emails",
        json!([{"value": "c@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home"}]),
    );
    becomes(
        "User",
        emails(),
        json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": null}),
        "emails",
        json!([{"value": "b@x", "type": "home"}]),
    );
    becomes(
        "User",
        emails(),
        json!({"op": "remove", "path": "emails[type pr].value"}),
        "emails",
        json!([{"type": "work", "primary": true}, {"type": "home"}]),
    );
    becomes(
        "Lab",
        json!({"tags": ["red", "blue"]}),
        json!({"op": "replace", "path": "tags[value eq \"RED\"]", "value": "green"}),
        "tags",
        json!(["green", "blue"]),
    );
    becomes(
        "Lab",
        json!({"tags": ["red", "blue"]}),
        json!({"op": "remove", "path": "tags[value sw \"r\"]"}),
        "tags",
        json!(["blue"]),
    );
    // On a complex attribute with one value (ruling R-10).
    let name = json!({"name": {"givenName": "Ada", "familyName": "L"}});
    becomes(
        "User",
        name.clone(),
        json!({"op": "replace", "path": "name[givenName eq \"ada\"].familyName", "value": "K"}),
        "name",
        json!({"givenName": "Ada", "familyName": "K"}),
    );
    becomes("User", name.clone(), json!({"op": "remove", "path": "name[givenName eq \"ada\"]"}), "name", json!(null));
    stays("User", name.clone(), json!({"op": "remove", "path": "name[givenName eq \"bob\"].familyName"}));
    insta::assert_snapshot!(refused("User", name, json!({"op": "replace", "path": "name[givenName eq \"bob\"].familyName", "value": "K"})), @r#"noTarget: operation 0: no value matches `name[givenName eq "bob"].familyName`"#);
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "replace", "path": "name[givenName eq \"bob\"].familyName", "value": "K"})), @r#"noTarget: operation 0: no value matches `name[givenName eq "bob"].familyName`"#);
    insta::assert_snapshot!(refused("User", emails(), json!([{"op": "remove", "path": "title"}, {"op": "replace", "path": "emails[type eq \"fax\"]", "value": {"value": "x"}}])), @r#"noTarget: operation 1: no value matches `emails[type eq "fax"]`"#);
    insta::assert_snapshot!(refused("User", emails(), json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": [{}, {}]})), @r#"invalidValue: operation 0: `emails[type eq "work"]`: expected one value for those that are selected, found a list"#);
    insta::assert_snapshot!(refused("User", emails(), json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": "c@x"})), @"invalidValue: operation 0: `emails`: expected an object, found the string `c@x`");
}

#[test]
fn paths_that_mean_nothing_are_refused() {
    let path = |path: &str| refused("User", emails(), json!({"op": "replace", "path": path, "value": "x"}));
    insta::assert_snapshot!(path("favouriteColour"), @"invalidPath: operation 0: `favouriteColour` is no path here: User has no such attribute");
    insta::assert_snapshot!(path("name.nick"), @"invalidPath: operation 0: `name.nick` is no path here: User has no such attribute");
    insta::assert_snapshot!(path("department"), @"invalidPath: operation 0: `department` is no path here: User has no such attribute");
    insta::assert_snapshot!(path("urn:example:none:1.0:X:y"), @"invalidPath: operation 0: `urn:example:none:1.0:X:y` is no path here: User has no such attribute");
    insta::assert_snapshot!(path("urn:example:none:1.0"), @"invalidPath: operation 0: `urn:example:none:1.0` is no path here: User has no such attribute");
    insta::assert_snapshot!(path("emails[type eq \"work\"].colour"), @r#"invalidPath: operation 0: `emails[type eq "work"].colour` is no path here: User has no such attribute"#);
    insta::assert_snapshot!(path("name.x[type eq \"work\"]"), @r#"invalidPath: operation 0: `name.x[type eq "work"]` is no path here: brackets stand behind an attribute, not a sub-attribute"#);
    insta::assert_snapshot!(path("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User[department eq \"x\"]"), @r#"invalidPath: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User[department eq "x"]` is no path here: User has no such attribute"#);
    insta::assert_snapshot!(path("emails[colour eq \"red\"].value"), @r#"invalidFilter: operation 0: the filter in `emails[colour eq "red"].value`: there is no attribute `emails.colour`"#);
    insta::assert_snapshot!(path("emails[primary gt true].value"), @"invalidFilter: operation 0: the filter in `emails[primary gt true].value`: `gt` cannot be used on `primary`, a boolean: expected `eq`, `ne` or `pr`");
    insta::assert_snapshot!(path("title[value eq \"x\"]"), @r#"invalidPath: operation 0: `title[value eq "x"]` is no path here: brackets cannot stand behind `title`: expected a complex or multi-valued attribute in front of them"#);
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let add = |path: &str, value: Value| refused("User", json!({}), json!({"op": "add", "path": path, "value": value}));
    insta::assert_snapshot!(add("active", json!("yes")), @"invalidValue: operation 0: `active`: expected true or false, found the string `yes`");
    insta::assert_snapshot!(add("name.givenName", json!(7)), @"invalidValue: operation 0: `name.givenName`: expected a string, found `7`");
    insta::assert_snapshot!(add("name", json!("Jim")), @"invalidValue: operation 0: `name`: expected an object, found the string `Jim`");
    insta::assert_snapshot!(add("name", json!({"givenName": "A", "GIVENNAME": "B"})), @"invalidSyntax: operation 0: `name.givenName` is given twice");
    insta::assert_snapshot!(add("emails", json!("a@x")), @"invalidValue: operation 0: `emails`: expected an object, found the string `a@x`");
    insta::assert_snapshot!(add("emails", json!([[{"value": "a@x"}]])), @"invalidValue: operation 0: `emails`: expected an object, found a list");
    insta::assert_snapshot!(add("userName", json!("a\u{0}b")), @"invalidValue: operation 0: `userName` may not have control characters or outer blanks");
    insta::assert_snapshot!(add(MANAGER, json!("26118915")), @"invalidValue: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager`: expected an object, found the string `26118915`");
    insta::assert_snapshot!(add(&format!("{MANAGER}.value"), json!(1)), @"invalidValue: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`: expected a string, found `1`");
    insta::assert_snapshot!(add("schemas", json!(["urn:example:none"])), @"invalidValue: operation 0: `schemas` names `urn:example:none`, which User does not have");
    insta::assert_snapshot!(add(urns::ENTERPRISE_USER, json!("x")), @"invalidValue: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`: expected an object, found the string `x`");
    insta::assert_snapshot!(add("urn:ietf:params:scim:schemas:core:2.0:User", json!("x")), @"invalidValue: operation 0: expected an object of attributes to add without a path");
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "replace", "value": null})), @"invalidValue: operation 0: expected an object of attributes to replace without a path");
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "add", "value": {"title": "a", "TITLE": "b"}})), @"invalidSyntax: operation 0: `title` is given twice");
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "add", "value": {"title": "a", "urn:ietf:params:scim:schemas:core:2.0:User:title": "b"}})), @"invalidSyntax: operation 0: `title` is given twice");
    insta::assert_snapshot!(refused("User", json!({}), json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User"})), @"noTarget: operation 0: `remove` needs a path");
}

#[test]
fn objects_name_attributes_in_every_way() {
    let value = json!({
        "NickName": "Jim", "name.givenName": "Jim", "urn:ietf:params:scim:schemas:core:2.0:user:title": "T",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "D",
        "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"Manager.value": "9", "costCenter": "C", "division": null},
        "urn:ietf:params:scim:schemas:core:2.0:User": {"displayName": "J"},
        "emails[type eq \"work\"].value": "c@x",
    });
    let (patched, _) = after("User", emails(), json!({"op": "replace", "value": value}), &strict());
    let user = Value::from(patched.resource.into_map());
    assert_eq!(user["emails"][0]["value"], "c@x");
    assert_eq!(
        (&user["nickName"], &user["name"], &user["title"], &user["displayName"]),
        (&json!("Jim"), &json!({"givenName": "Jim"}), &json!("T"), &json!("J"))
    );
    assert_eq!(user[urns::ENTERPRISE_USER], json!({"department": "D", "manager": {"value": "9"}, "costCenter": "C"}));
    assert_eq!(user["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]));
    assert_eq!(patched.leniencies, ["path-keys-in-value"]);
    assert_eq!(patched.set, ["displayName", "emails", "name", "nickName", "title", urns::ENTERPRISE_USER]);
    insta::assert_debug_snapshot!(patched.touched, @r#"
[
    "displayName",
    "emails",
    "name",
    "nickName",
    "title",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
]
"#);
}

#[test]
fn extensions_come_and_go() {
    let more = json!({urns::ENTERPRISE_USER: {"department": "D", "costCenter": "C"}});
    becomes(
        "User",
        more.clone(),
        json!({"op": "replace", "path": urns::ENTERPRISE_USER, "value": {"department": "E"}}),
        urns::ENTERPRISE_USER,
        json!({"department": "E", "costCenter": "C"}),
    );
    for operation in [
        json!({"op": "remove", "path": urns::ENTERPRISE_USER}),
        json!({"op": "replace", "path": urns::ENTERPRISE_USER.to_uppercase(), "value": null}),
        json!({"op": "replace", "value": {urns::ENTERPRISE_USER: null}}),
        json!({"op": "replace", "path": urns::ENTERPRISE_USER, "value": {"department": null, "COSTCENTER": null}}),
    ] {
        becomes("User", more.clone(), operation.clone(), "schemas", json!([urns::USER]));
        becomes("User", more.clone(), operation, urns::ENTERPRISE_USER, json!(null));
    }
    let slots = json!({BENCH: {"slots": [{"value": "1"}], "bench": "b"}});
    becomes(
        "Lab",
        slots,
        json!([{"op": "add", "path": format!("{BENCH}:slots"), "value": {"value": "2"}}, {"op": "remove", "path": BENCH}]),
        BENCH,
        json!(null),
    );
    // `schemas` says what is in use, whatever is written there.
    stays("User", more.clone(), json!({"op": "replace", "path": "schemas", "value": [urns::USER]}));
    stays("User", json!({}), json!({"op": "add", "path": "schemas", "value": urns::ENTERPRISE_USER.to_uppercase()}));
    stays("User", more, json!({"op": "remove", "path": format!("schemas[value eq \"{}\"]", urns::ENTERPRISE_USER)}));
}

#[test]
fn unknown_names_in_values_are_ignored_or_refused() {
    let operation = json!({"op": "add", "value": {"colour": "red", "name": {"nick": "x"}, "urn:example:x": {},
        urns::ENTERPRISE_USER: {"rank": 1, "manager": {"mood": "good"}}, "emails": {"value": "a@x", "colour": 1}}});
    let (patched, _) = after("User", json!({}), operation.clone(), &strict());
    assert_eq!(patched.touched, ["emails"]);
    assert_eq!(patched.leniencies, ["unknown-attributes"]);
    insta::assert_debug_snapshot!(patched.ignored, @r#"
[
    "colour",
    "urn:example:x",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:rank",
    "emails.colour",
    "name.nick",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.mood",
]
"#);
    let strict = PatchOptions { unknown: Unknown::Refuse, ..PatchOptions::default() };
    let refused = |operation: Value| refused_with("User", json!({}), operation, &strict);
    insta::assert_snapshot!(refused(operation), @"invalidValue: operation 0: `colour` is no attribute of this resource type");
    insta::assert_snapshot!(refused(json!({"op": "add", "path": "name", "value": {"nick": "x"}})), @"invalidValue: operation 0: `name.nick` is no attribute of this resource type");
    insta::assert_snapshot!(refused(json!({"op": "add", "path": MANAGER, "value": {"mood": "x"}})), @"invalidValue: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.mood` is no attribute of this resource type");
    insta::assert_snapshot!(refused(json!({"op": "add", "path": urns::ENTERPRISE_USER, "value": {"rank": 1}})), @"invalidValue: operation 0: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:rank` is no attribute of this resource type");
}

#[test]
fn passwords_are_written() {
    becomes(
        "User",
        json!({}),
        json!({"op": "replace", "value": {"password": "t1meMa$heen"}}),
        "password",
        json!("t1meMa$heen"),
    );
}

/// Proves: PA-9.
#[test]
fn nothing_stays_of_a_request_that_fails() {
    let before = stored("User", emails());
    let copy = before.clone();
    let operations = json!([{"op": "replace", "path": "title", "value": "T"}, {"op": "remove", "path": "userName"}]);
    let error = patch("User", &before, operations, &strict()).unwrap_err();
    assert_eq!((error.index(), before), (Some(1), copy));
    let told = scimwright_core::ScimError::from(error);
    assert_eq!((told.status(), told.scim_type()), (400, Some(scimwright_core::ScimType::Mutability)));
}

#[test]
fn a_thousand_members_come_and_go_one_by_one() {
    let ids = |range: std::ops::Range<usize>| range.map(|id| json!({"value": id.to_string()})).collect::<Vec<_>>();
    let add = |id: usize| json!({"op": "add", "path": "members", "value": [{"value": id.to_string()}]});
    let remove = |id: usize| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
    let operations: Vec<Value> = (1_000..2_000).map(add).chain((0..1_000).map(remove)).collect();
    let before = json!({"members": ids(0..1_000)});
    becomes("Group", before, operations.into(), "members", ids(1_000..2_000).into());
}

#[test]
fn what_was_stored_is_not_mended_in_passing() {
    let mut old = stored("User", emails()).into_map();
    old.insert("schemas".to_owned(), json!([urns::USER, "urn:example:gone"]));
    let before = scimwright_core::Resource::from_stored(old);
    let patched = patch("User", &before, json!([{"op": "remove", "path": "title"}]), &strict()).unwrap();
    assert_eq!((patched.changed, patched.resource), (false, before));
}
