use scimwright_core::{Admit, Catalog, ResourceTypeSpec, urns};
use serde_json::{Value, json};

use super::*;

const LAB: &str = "urn:example:lab:2.0:Lab";

fn catalog() -> Catalog {
    let text = |name: &str| json!({"name": name});
    let fixed = |name: &str| json!({"name": name, "mutability": "immutable"});
    Catalog::standard()
        .with_schema(&json!({"id": LAB, "attributes": [
            {"name": "name", "required": true}, fixed("serial"), {"name": "weight", "type": "decimal"},
            {"name": "tags", "multiValued": true}, {"name": "secret", "mutability": "writeOnly", "returned": "never"},
            {"name": "marks", "mutability": "immutable", "multiValued": true},
            {"name": "place", "type": "complex", "subAttributes": [
                fixed("room"), text("building"), {"name": "doors", "multiValued": true}]},
            {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
                text("value"), text("type"), {"name": "primary", "type": "boolean"}, fixed("sku")]},
            {"name": "crew", "type": "complex", "multiValued": true, "subAttributes": [
                fixed("value"), text("role"), text("shift")]},
        ]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(json!({"name": "Lab", "endpoint": "/Labs", "schema": LAB})))
        .unwrap()
}

/// One line an operation.
#[track_caller]
fn between(type_name: &str, before: Value, after: Value) -> String {
    let catalog = catalog();
    let resource_type = catalog.resource_type(type_name).unwrap();
    let stored = |more: Value| {
        let mut body = match type_name {
            "User" => json!({"schemas": [urns::USER], "id": "1", "userName": "ada"}),
            "Group" => json!({"schemas": [urns::GROUP], "id": "2", "displayName": "g"}),
            _ => json!({"schemas": [LAB], "name": "n"}),
        };
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        Admit::new(resource_type).trusted(body).unwrap()
    };
    let (before, after) = (stored(before), stored(after));
    let patch = match diff(resource_type, &before, &after) {
        Ok(Some(patch)) => patch,
        Ok(None) => return "nothing".to_owned(),
        Err(error) => return format!("{}: {error}", error.scim_type().as_str()),
    };
    let line = |operation: &Operation| {
        let Operation { op, path, value } = operation;
        let value = value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
        format!("{op} {}{value}", path.as_ref().unwrap()).replace(urns::ENTERPRISE_USER, "ENTERPRISE")
    };
    patch.operations().iter().map(line).collect::<Vec<_>>().join("\n")
}

fn user(before: Value, after: Value) -> String {
    between("User", before, after)
}

fn emails(before: Value, after: Value) -> String {
    user(json!({"emails": before}), json!({"emails": after}))
}

fn lab(before: Value, after: Value) -> String {
    between("Lab", before, after)
}

#[test]
fn simple_attributes_are_added_replaced_and_removed() {
    insta::assert_snapshot!(user(json!({}), json!({"title": "Guide"})), @r#"add title "Guide""#);
    insta::assert_snapshot!(user(json!({"title": "Guide"}), json!({"title": "guide"})), @r#"replace title "guide""#);
    insta::assert_snapshot!(user(json!({"title": "Guide", "active": true}), json!({"active": false})), @r#"
    remove title
    replace active false
    "#);
    insta::assert_snapshot!(lab(json!({"weight": 3}), json!({"weight": 3.0})), @"nothing");
    insta::assert_snapshot!(lab(json!({"weight": 3}), json!({"weight": 3.5})), @"replace weight 3.5");
    insta::assert_snapshot!(user(json!({"externalId": "1"}), json!({"externalId": "2", "userName": "Ada"})), @r#"
    replace externalId "2"
    replace userName "Ada"
    "#);
}

#[test]
fn what_is_the_servers_is_left_to_it() {
    insta::assert_snapshot!(user(
        json!({"id": "1", "groups": [{"value": "g"}], "meta": {"version": "W/\"1\""}, urns::ENTERPRISE_USER: {"manager": {"value": "7", "displayName": "Boss"}}}),
        json!({"id": "2", "meta": {"version": "W/\"2\""}, urns::ENTERPRISE_USER: {"manager": {"value": "8"}}})), @r#"replace ENTERPRISE:manager.value "8""#);
    insta::assert_snapshot!(user(
        json!({urns::ENTERPRISE_USER: {"manager": {"value": "7", "displayName": "Boss"}}}),
        json!({urns::ENTERPRISE_USER: {"manager": {"value": "7", "displayName": "Chief"}}})), @"nothing");
    insta::assert_snapshot!(user(json!({"password": "t1meMa$heen"}), json!({})), @"nothing");
    insta::assert_snapshot!(user(json!({}), json!({"password": "t1meMa$heen"})), @r#"add password "t1meMa$heen""#);
}

#[test]
fn only_the_sub_attributes_that_change_are_named() {
    let name = |before: Value, after: Value| user(json!({"name": before}), json!({"name": after}));
    insta::assert_snapshot!(name(json!(null), json!({"givenName": "Ada"})), @r#"add name.givenName "Ada""#);
    insta::assert_snapshot!(name(json!(null), json!({"givenName": "Ada", "familyName": "King"})), @r#"add name {"familyName":"King","givenName":"Ada"}"#);
    insta::assert_snapshot!(name(json!({"givenName": "Ada", "familyName": "Byron"}), json!({"givenName": "Ada", "familyName": "King"})), @r#"replace name.familyName "King""#);
    insta::assert_snapshot!(name(json!({"givenName": "A", "familyName": "Byron", "honorificPrefix": "Ms"}),
        json!({"givenName": "Ada", "familyName": "King", "honorificPrefix": "Ms"})), @r#"replace name {"familyName":"King","givenName":"Ada"}"#);
    insta::assert_snapshot!(name(json!({"givenName": "Ada", "familyName": "Byron"}), json!({"givenName": "Ada"})), @"remove name.familyName");
    insta::assert_snapshot!(name(json!({"givenName": "Ada", "familyName": "Byron"}), json!({"familyName": "King"})), @r#"
    replace name.familyName "King"
    remove name.givenName
    "#);
    insta::assert_snapshot!(name(json!({"givenName": "Ada", "familyName": "Byron", "middleName": "B", "formatted": "x"}), json!({"honorificPrefix": "Ms"})), @r#"
    remove name
    add name {"honorificPrefix":"Ms"}
    "#);
    insta::assert_snapshot!(name(json!({"givenName": "Ada"}), json!(null)), @"remove name");
    insta::assert_snapshot!(lab(json!({"place": {"doors": ["a", "b"]}}), json!({"place": {"doors": ["b", "c", "a"]}})), @r#"add place.doors ["c"]"#);
    insta::assert_snapshot!(lab(json!({"place": {"doors": ["a", "b"]}}), json!({"place": {"doors": ["b", "c"]}})), @r#"replace place.doors ["b","c"]"#);
    insta::assert_snapshot!(lab(json!({"place": {"doors": ["a"], "building": "x"}}), json!({"place": {"doors": ["a", "b"], "building": "y"}})), @r#"replace place {"building":"y","doors":["a","b"]}"#);
}

#[test]
fn extensions_are_named_by_their_uri() {
    let enterprise = |before: Value, after: Value| {
        user(json!({urns::ENTERPRISE_USER: before}), json!({urns::ENTERPRISE_USER: after}))
    };
    insta::assert_snapshot!(enterprise(json!(null), json!({"department": "Tours", "manager": {"value": "7"}})), @r#"
    add ENTERPRISE:department "Tours"
    add ENTERPRISE:manager.value "7"
    "#);
    insta::assert_snapshot!(enterprise(json!({"department": "Tours", "costCenter": "1"}), json!({"department": "Sales"})), @r#"
    remove ENTERPRISE:costCenter
    replace ENTERPRISE:department "Sales"
    "#);
    insta::assert_snapshot!(enterprise(json!({"department": "Tours", "costCenter": "1"}), json!(null)), @"remove ENTERPRISE");
    insta::assert_snapshot!(enterprise(json!({"department": "Tours"}), json!(null)), @"remove ENTERPRISE");
}

#[test]
fn a_value_of_a_list_is_named_by_what_it_alone_has() {
    let work = json!({"value": "ada@work.example", "type": "work"});
    let home = json!({"value": "ada@home.example", "type": "home"});
    insta::assert_snapshot!(emails(json!([work, home]), json!([home, work])), @"nothing");
    insta::assert_snapshot!(emails(json!([work, home]), json!([work, {"value": "a@home.example", "type": "home"}])), @r#"replace emails[type eq "home"].value "a@home.example""#);
    insta::assert_snapshot!(emails(json!([work, home]), json!([home])), @r#"remove emails[type eq "work"]"#);
    insta::assert_snapshot!(emails(json!([work]), json!([work, home])), @r#"add emails [{"type":"home","value":"ada@home.example"}]"#);
    insta::assert_snapshot!(emails(json!([work]), json!(null)), @"remove emails");
    insta::assert_snapshot!(emails(json!(null), json!([work])), @r#"add emails [{"type":"work","value":"ada@work.example"}]"#);
    insta::assert_snapshot!(emails(json!([work, home]), json!([work, {"value": "ada@home.example", "type": "home", "display": "Ada"}])), @r#"add emails[type eq "home"].display "Ada""#);
    insta::assert_snapshot!(emails(json!([work, {"value": "ada@home.example", "type": "home", "display": "Ada"}]), json!([work, home])), @r#"remove emails[type eq "home"].display"#);
    // Two things about one value are one operation, that gives all that it has.
    insta::assert_snapshot!(emails(json!([work, home, {"value": "other@example.com"}]),
        json!([work, {"value": "a@b.example", "type": "other"}, {"value": "other@example.com"}])), @r#"replace emails[type eq "home"] {"type":"other","value":"a@b.example"}"#);
    // What two have in common picks neither; what only both together are does.
    insta::assert_snapshot!(emails(
        json!([{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "b@x", "type": "home"}]),
        json!([{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "b@x", "type": "home", "display": "B"}])), @r#"add emails[value eq "b@x" and type eq "home"].display "B""#);
    // Several leave by what they have in common, or one by one.
    insta::assert_snapshot!(emails(
        json!([{"value": "a@x", "type": "old"}, {"value": "b@x", "type": "old"}, work, home]), json!([work, home])), @r#"remove emails[type eq "old"]"#);
    insta::assert_snapshot!(emails(
        json!([{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "home"}, work, home]), json!([work, home])), @r#"remove emails[value eq "a@x" or value eq "b@x"]"#);
    insta::assert_snapshot!(lab(json!({"tags": ["red", "blue"]}), json!({"tags": ["Red", "blue"]})), @r#"replace tags ["Red","blue"]"#);
    insta::assert_snapshot!(lab(json!({"tags": ["red", "green", "blue", "yellow"]}), json!({"tags": ["red", "green", "blue"]})), @r#"remove tags[value eq "yellow"]"#);
}

#[test]
fn a_list_is_replaced_as_a_whole_where_that_is_less() {
    insta::assert_snapshot!(emails(json!([{"value": "a@x"}, {"value": "b@x"}]), json!([{"value": "b@x"}, {"value": "c@x"}, {"value": "d@x"}])), @r#"replace emails [{"value":"b@x"},{"value":"c@x"},{"value":"d@x"}]"#);
    insta::assert_snapshot!(emails(json!([{"value": "a@x"}]), json!([{"value": "c@x"}])), @r#"replace emails [{"value":"c@x"}]"#);
    // Nothing tells these two apart but their length, which no filter can ask for.
    insta::assert_snapshot!(emails(json!([{"value": "x".repeat(9000)}, {"value": "b@x"}]), json!([{"value": "b@x"}])), @r#"replace emails [{"value":"b@x"}]"#);
}

#[test]
fn who_becomes_primary_makes_the_others_not_primary() {
    let list = |first: Value, second: Value| {
        json!([
        {"value": "ada@work.example", "type": "work", "primary": first}, {"value": "ada@home.example", "type": "home", "primary": second}])
    };
    insta::assert_snapshot!(emails(list(json!(true), json!(null)), list(json!(null), json!(true))), @r#"add emails[type eq "home"].primary true"#);
    insta::assert_snapshot!(emails(list(json!(true), json!(null)), list(json!(false), json!(null))), @r#"remove emails[type eq "work"].primary"#);
    insta::assert_snapshot!(emails(list(json!(true), json!(null)), list(json!(true), json!(false))), @"nothing");
    insta::assert_snapshot!(emails(list(json!(true), json!(null)), json!([
        {"value": "ada@work.example", "type": "work"}, {"value": "ada@home.example", "type": "home"}, {"value": "a@new.example", "primary": true}])), @r#"add emails [{"primary":true,"value":"a@new.example"}]"#);
    insta::assert_snapshot!(emails(json!([{"value": "ada@work.example", "type": "work", "primary": true}, {"value": "ada@home.example", "type": "home"}]),
        json!([{"value": "a@work.example", "type": "work"}, {"value": "ada@home.example", "type": "home"}])), @r#"replace emails[type eq "work"] {"primary":false,"type":"work","value":"a@work.example"}"#);
}

#[test]
fn members_leave_and_join_by_their_value() {
    let group = |before: Value, after: Value| between("Group", json!({"members": before}), json!({"members": after}));
    let (one, two, three) = (json!({"value": "1", "type": "User"}), json!({"value": "2"}), json!({"value": "3"}));
    insta::assert_snapshot!(group(json!([one, two]), json!([two, one])), @"nothing");
    insta::assert_snapshot!(group(json!([one, two]), json!([one, two, three])), @r#"add members [{"value":"3"}]"#);
    insta::assert_snapshot!(group(json!([one, two]), json!([one])), @r#"remove members[value eq "2"]"#);
    insta::assert_snapshot!(group(json!([one, two]), json!([two, three])), @r#"
    remove members[value eq "1"]
    add members [{"value":"3"}]
    "#);
    insta::assert_snapshot!(group(json!([one, two, three]), json!([two])), @r#"remove members[value eq "1" or value eq "3"]"#);
    insta::assert_snapshot!(group(json!([one, two]), json!([three])), @r#"replace members [{"value":"3"}]"#);
    insta::assert_snapshot!(group(json!([one, two]), json!(null)), @"remove members");
    insta::assert_snapshot!(group(json!(null), json!([one])), @r#"add members [{"type":"User","value":"1"}]"#);
    // Who is left without a type keeps the one that he has, for it cannot change.
    insta::assert_snapshot!(group(json!([one]), json!([{"value": "1"}])), @"nothing");
    insta::assert_snapshot!(group(json!([two]), json!([{"value": "2", "display": "Two"}])), @r#"add members[value eq "2"].display "Two""#);
    insta::assert_snapshot!(lab(json!({"crew": [{"value": "1", "role": "a"}, {"value": "2"}]}), json!({"crew": [{"value": "1", "role": "b", "shift": "x"}]})), @r#"
    remove crew[value eq "2"]
    replace crew[value eq "1"] {"role":"b","shift":"x","value":"1"}
    "#);
}

#[test]
fn what_is_immutable_is_no_patch_away() {
    insta::assert_snapshot!(lab(json!({}), json!({"serial": "S"})), @r#"add serial "S""#);
    insta::assert_snapshot!(lab(json!({"serial": "S"}), json!({"serial": "s"})), @"nothing");
    insta::assert_snapshot!(lab(json!({"serial": "S"}), json!({})), @"nothing");
    insta::assert_snapshot!(lab(json!({"serial": "S"}), json!({"serial": "T"})), @"mutability: `serial` cannot be changed");
    insta::assert_snapshot!(lab(json!({"place": {"room": "1"}}), json!({"place": {"room": "2"}})), @"mutability: `place.room` cannot be changed");
    insta::assert_snapshot!(lab(json!({"place": {"room": "1", "building": "x"}}), json!({})), @"remove place");
    insta::assert_snapshot!(lab(json!({"marks": ["a"]}), json!({"marks": ["b"]})), @"mutability: `marks` cannot be changed");
    insta::assert_snapshot!(lab(json!({"parts": [{"value": "m", "sku": "K"}]}), json!({"parts": [{"value": "m", "sku": "L"}]})), @"mutability: `parts.sku` cannot be changed");
    // Another value is another part, and may say what it likes.
    insta::assert_snapshot!(lab(json!({"parts": [{"value": "m", "sku": "K"}]}), json!({"parts": [{"value": "n", "sku": "L"}]})), @r#"replace parts [{"sku":"L","value":"n"}]"#);
    insta::assert_snapshot!(between("Group", json!({"members": [{"value": "1", "type": "User"}]}), json!({"members": [{"value": "1", "type": "Group"}]})), @"mutability: `members.type` cannot be changed");
    insta::assert_snapshot!(lab(json!({"name": "n"}), json!({"name": null})), @"invalidValue: `name` is required");
}
