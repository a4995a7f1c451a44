use serde_json::json;

use super::*;
use crate::{Catalog, ResourceTypeSpec, urns};

fn catalog() -> Catalog {
    Catalog::standard()
        .with_schema(&json!({"id": "urn:x:thing", "attributes": [
            {"name": "name", "required": true},
            {"name": "serial", "caseExact": true, "mutability": "immutable"},
            {"name": "secret", "mutability": "writeOnly", "returned": "never"},
            {"name": "state", "mutability": "readOnly"},
            {"name": "place", "type": "complex", "subAttributes": [
                {"name": "room", "mutability": "immutable"}, {"name": "floor", "type": "integer"}]},
            {"name": "tags", "multiValued": true},
        ]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:thing"}),
        ))
        .unwrap()
}

#[track_caller]
fn create(type_name: &str, body: Value) -> Result<Value, String> {
    let catalog = catalog();
    let admitted = Admit::new(catalog.resource_type(type_name).unwrap()).create(body);
    admitted
        .map(|admitted| admitted.resource.into_map().into())
        .map_err(|error| format!("{:?}: {error}", error.scim_type()))
}

fn thing(more: Value) -> Value {
    let mut body = json!({"schemas": ["urn:x:thing"], "name": "n"});
    body.as_object_mut().unwrap().append(more.as_object().cloned().as_mut().unwrap());
    body
}

#[test]
fn names_take_the_schemas_spelling_and_empties_go() {
    let body = json!({
        "Schemas": [urns::USER.to_uppercase(), urns::USER], "USERNAME": "Ada", "Title": null, "emails": [], "name": {"GIVENNAME": "Ada"},
        "addresses": [{}, {"locality": null}], "id": "mine", "meta": 7, "groups": "x", "nickName": "",
        urns::ENTERPRISE_USER.to_uppercase(): {"Department": "R&D", "manager": {"Value": "1", "displayName": "no"}},
    });
    assert_eq!(
        create("User", body).unwrap(),
        json!({
            "schemas": [urns::USER, urns::ENTERPRISE_USER], "userName": "Ada", "name": {"givenName": "Ada"}, "nickName": "",
            urns::ENTERPRISE_USER: {"department": "R&D", "manager": {"value": "1"}},
        })
    );
}

#[test]
fn errors_name_the_place_and_the_reason() {
    let bad = |more: Value| create("Thing", thing(more)).unwrap_err();
    insta::assert_snapshot!(create("Thing", json!([])).unwrap_err(), @"InvalidSyntax: expected a JSON object");
    insta::assert_snapshot!(create("Thing", json!({"name": "n"})).unwrap_err(), @"InvalidValue: `schemas` is missing: expected a list with `urn:x:thing`");
    insta::assert_snapshot!(bad(json!({"schemas": [urns::USER]})), @"InvalidValue: `schemas` names `urn:ietf:params:scim:schemas:core:2.0:User`, which Thing does not have");
    insta::assert_snapshot!(bad(json!({"NAME": "again"})), @"InvalidSyntax: `name` is given twice");
    insta::assert_snapshot!(bad(json!({"name": ""})), @"InvalidValue: `name` is required");
    insta::assert_snapshot!(bad(json!({"place": {"floor": 1.5}})), @"InvalidValue: `place.floor`: expected a whole number, found `1.5`");
    insta::assert_snapshot!(bad(json!({"tags": ["a", 1]})), @"InvalidValue: `tags[1]`: expected a string, found `1`");
    insta::assert_snapshot!(bad(json!({"tags": "a"})), @"InvalidValue: `tags`: expected a list, found the string `a`");
    let user = |more: Value| {
        let mut body = json!({"schemas": [urns::USER], "userName": "u"});
        body.as_object_mut().unwrap().append(more.as_object().cloned().as_mut().unwrap());
        create("User", body).unwrap_err()
    };
    insta::assert_snapshot!(user(json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]})), @"InvalidValue: `emails` has more than one primary value");
    insta::assert_snapshot!(user(json!({"userName": "a\u{0}b"})), @"InvalidValue: `userName` may not have control characters or outer blanks");
    insta::assert_snapshot!(user(json!({urns::ENTERPRISE_USER: {"manager": {"value": 1}}})), @"InvalidValue: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`: expected a string, found `1`");
}

#[test]
fn unknown_attributes_are_ignored_and_named_or_refused() {
    let catalog = catalog();
    let things = catalog.resource_type("Thing").unwrap();
    let body = thing(json!({"colour": "red", "place": {"floor": 1, "wing": "w"}}));
    assert_eq!(Admit::new(things).create(body.clone()).unwrap().ignored, ["colour", "place.wing"]);
    let error = Admit::new(things).unknown(Unknown::Refuse).create(body).unwrap_err();
    assert_eq!(error, AdmitError::Unknown("colour".into()));
}

#[test]
fn a_put_keeps_what_is_not_the_clients_and_clears_the_rest() {
    let catalog = catalog();
    let admit = Admit::new(catalog.resource_type("Thing").unwrap());
    let stored = admit
        .trusted(thing(json!({"id": "1", "serial": "S", "secret": "x", "state": "on", "tags": ["a"],
        "place": {"room": "R", "floor": 1}})))
        .unwrap();
    let put =
        |more: Value| admit.replace(thing(more), &stored).map(|admitted| Value::from(admitted.resource.into_map()));
    assert_eq!(
        put(json!({"id": "2", "state": "off", "place": {"floor": 2}})).unwrap(),
        thing(json!({"id": "1", "serial": "S", "secret": "x", "state": "on", "place": {"room": "R", "floor": 2}}))
    );
    assert_eq!(
        put(json!({"serial": "S", "secret": "y"})).unwrap(),
        thing(json!({"id": "1", "serial": "S", "secret": "y", "state": "on"}))
    );
    assert_eq!(put(json!({"serial": "T"})).unwrap_err(), AdmitError::Mutability("serial".into()));
    assert_eq!(put(json!({"place": {"room": "Q"}})).unwrap_err(), AdmitError::Mutability("place.room".into()));
}

#[test]
fn repeated_values_are_one_and_lose_nothing() {
    let user = json!({"schemas": [urns::USER], "userName": "u", "emails": [
        {"value": "A@x", "type": "work"}, {"value": "a@x", "type": "home"}, {"value": "a@X", "type": "Work", "primary": true}]});
    assert_eq!(
        create("User", user).unwrap()["emails"],
        json!([{"value": "A@x", "type": "work", "primary": true}, {"value": "a@x", "type": "home"}])
    );
    let group = json!({"schemas": [urns::GROUP], "displayName": "g", "members": [
        {"value": "1", "type": "User"}, {"value": "1"}, {"value": "2"}]});
    assert_eq!(create("Group", group).unwrap()["members"], json!([{"value": "1", "type": "User"}, {"value": "2"}]));
}

#[test]
fn a_patched_resource_must_still_be_one() {
    let catalog = catalog();
    let admit = Admit::new(catalog.resource_type("Thing").unwrap());
    let stored = admit.trusted(thing(json!({"id": "1", "serial": "S", "state": "on"}))).unwrap();
    let patched = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut after = stored.as_map().clone();
        change(&mut after);
        admit.patched(&stored, after)
    };
    assert_eq!(
        patched(&|after| {
            after.remove("name");
        }),
        Err(AdmitError::RequiredRemoved("name".into()))
    );
    assert_eq!(
        patched(&|after| {
            after.remove("serial");
        }),
        Err(AdmitError::Mutability("serial".into()))
    );
    assert_eq!(
        patched(&|after| {
            after.insert("state".into(), "off".into());
        }),
        Err(AdmitError::Mutability("state".into()))
    );
    assert_eq!(
        patched(&|after| {
            after.insert("tags".into(), json!([]));
        })
        .as_ref(),
        Ok(&stored)
    );
}

#[test]
fn names_stand_once_even_where_one_is_null() {
    let error = create("Thing", thing(json!({"label": "x", "LABEL": null}))).unwrap_err();
    insta::assert_snapshot!(error, @"InvalidSyntax: `label` is given twice");
}

#[test]
fn lists_of_a_document_have_an_end() {
    let tags = |count: usize| thing(json!({"tags": (0..count).map(|at| at.to_string()).collect::<Vec<_>>()}));
    assert!(create("Thing", tags(Admit::MAX_VALUES)).is_ok());
    insta::assert_snapshot!(create("Thing", tags(Admit::MAX_VALUES + 1)).unwrap_err(), @"InvalidValue: `tags` has more than 1000 values");
}

#[test]
fn lists_inside_have_an_end_too() {
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:box", "attributes": [
            {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [{"name": "codes", "multiValued": true}]}]}))
        .and_then(|catalog| catalog.with_schema(&json!({"id": "urn:x:more", "attributes": [{"name": "tags", "multiValued": true}]})))
        .and_then(|catalog| catalog.with_resource_type(ResourceTypeSpec::from_json(json!({"name": "Box", "endpoint": "/Boxes",
            "schema": "urn:x:box", "schemaExtensions": [{"schema": "urn:x:more"}]}))))
        .unwrap();
    let admit = Admit::new(catalog.resource_type("Box").unwrap());
    let list = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
    for (count, good) in [(Admit::MAX_VALUES, true), (Admit::MAX_VALUES + 1, false)] {
        let inside = json!({"schemas": ["urn:x:box"], "parts": [{"codes": list(count)}]});
        let extended = json!({"schemas": ["urn:x:box", "urn:x:more"], "urn:x:more": {"tags": list(count)}});
        for body in [inside, extended] {
            assert_eq!(admit.create(body).is_ok(), good);
        }
        let empty = admit.create(json!({"schemas": ["urn:x:box"]})).unwrap().resource;
        let mut patched = empty.as_map().clone();
        patched.insert("urn:x:more".to_owned(), json!({"tags": list(count)}));
        assert_eq!(admit.patched(&empty, patched).is_ok(), good);
    }
}

#[test]
fn secrets_and_immutable_parts_of_lists_survive_a_put() {
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:lock", "attributes": [
            {"name": "pin", "required": true, "mutability": "writeOnly", "returned": "never"},
            {"name": "keys", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value"},
                {"name": "serial", "mutability": "immutable"}, {"name": "code", "mutability": "writeOnly"}]},
        ]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Lock", "endpoint": "/Locks", "schema": "urn:x:lock"}),
        ))
        .unwrap();
    let admit = Admit::new(catalog.resource_type("Lock").unwrap());
    assert_eq!(admit.create(json!({"schemas": ["urn:x:lock"]})), Err(AdmitError::Required("pin".into())));
    // Without the pin, as when a policy stores no secrets.
    let stored = admit
        .trusted(json!({"schemas": ["urn:x:lock"], "keys": [{"value": "k", "serial": "S", "code": "C"}]}))
        .unwrap();
    let put = |keys: Value| admit.replace(json!({"schemas": ["urn:x:lock"], "keys": keys}), &stored);
    assert_eq!(
        put(json!([{"value": "k"}, {"value": "new", "serial": "T"}])).unwrap().resource.get("keys").unwrap(),
        &json!([{"value": "k", "serial": "S", "code": "C"}, {"value": "new", "serial": "T"}])
    );
    assert_eq!(put(json!([{"value": "k", "serial": "T"}])), Err(AdmitError::Mutability("keys.serial".into())));
    assert!(admit.patched(&stored, stored.as_map().clone()).is_ok());
}

#[test]
fn secrets_are_not_quoted_and_not_lost() {
    let pin = json!({"name": "pin", "multiValued": true, "returned": "never"});
    let lock =
        json!({"name": "lock", "type": "complex", "mutability": "writeOnly", "subAttributes": [{"name": "code"}]});
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:door", "attributes": [pin, lock]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Door", "endpoint": "/Doors", "schema": "urn:x:door"}),
        ))
        .unwrap();
    let admit = Admit::new(catalog.resource_type("Door").unwrap());
    let door = |more: Value| {
        let mut body = json!({"schemas": ["urn:x:door"]});
        body.as_object_mut().unwrap().append(more.as_object().cloned().as_mut().unwrap());
        body
    };
    let bad = |more: Value| admit.create(door(more)).unwrap_err().to_string();
    insta::assert_snapshot!(bad(json!({"pin": "1234"})), @"`pin`: expected a list, found something else");
    insta::assert_snapshot!(bad(json!({"lock": {"code": 1234}})), @"`lock.code`: expected a string, found something else");
    // Who cannot read it sends back what he read without it.
    let stored = admit.create(door(json!({"pin": ["1234"], "lock": {"code": "5"}}))).unwrap().resource;
    assert_eq!(admit.replace(door(json!({})), &stored).unwrap().resource, stored);
}

#[test]
fn numbers_are_the_same_when_they_are_worth_the_same() {
    let catalog = catalog();
    let floor = catalog.resource_type("Thing").unwrap().attribute("place").unwrap().sub("floor").unwrap();
    let same = |left: &str, right: &str| {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(same_value(floor, &read(left), &read(right)), same_value(floor, &read(right), &read(left)));
        same_value(floor, &read(left), &read(right))
    };
    assert!(
        same("3", "3.0")
            && same("-0", "0.0")
            && same("1e300", "1e300")
            && same("9007199254740992", "9007199254740992.0")
    );
    // One float stands for both of these.
    assert!(!same("9007199254740993", "9007199254740992") && !same("9007199254740993", "9007199254740992.0"));
    assert!(!same("3", "3.5") && !same("18446744073709551615", "1e300") && !same("1e200", "1e300"));
}
