use scimwright_core::{Catalog, ResourceType, ResourceTypeSpec};
use serde_json::{Value, json};

use crate::{BindError, Binding, BoundFilter, Field, Filter, Operand, Test};

/// Users and groups, and gadgets: one attribute of every type, and what no standard schema has.
fn catalog() -> Catalog {
    let sub = |name: &str, data_type: &str| json!({"name": name, "type": data_type});
    let gadget = json!({"id": "urn:x:lab:Gadget", "attributes": [
        {"name": "label", "caseExact": true},
        {"name": "ports", "type": "integer"},
        {"name": "weight", "type": "decimal"},
        {"name": "enabled", "type": "boolean"},
        {"name": "builtAt", "type": "dateTime"},
        {"name": "print", "type": "binary"},
        {"name": "home", "type": "reference"},
        {"name": "tags", "multiValued": true},
        {"name": "primary", "type": "boolean"},
        {"name": "pin", "returned": "never"},
        {"name": "code", "mutability": "writeOnly"},
        {"name": "place", "type": "complex", "subAttributes": [
            sub("building", "string"), {"name": "code", "returned": "never"}, sub("primary", "boolean"),
            {"name": "doors", "multiValued": true}]},
        {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
            sub("value", "string"), sub("primary", "boolean"), sub("count", "integer"),
            {"name": "marks", "multiValued": true}]},
        {"name": "keys", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "returned": "never"}, sub("type", "string")]},
    ]});
    Catalog::standard()
        .with_schema(&gadget)
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Gadget", "endpoint": "/Gadgets", "schema": "urn:x:lab:Gadget"}),
        ))
        .unwrap()
}

fn to(name: &str, text: &str) -> Result<BoundFilter, BindError> {
    let catalog = catalog();
    let resource_type: &ResourceType = catalog.resource_type(name).unwrap();
    let binding = Binding { served: catalog.resource_types(), ..Binding::new(resource_type) };
    text.parse::<Filter>().unwrap().bind(&binding)
}

#[track_caller]
fn user(text: &str) -> Test {
    to("User", text).unwrap_or_else(|error| panic!("{text}: {error}")).test
}

#[track_caller]
fn field(name: &str, text: &str) -> Field {
    match to(name, text).unwrap_or_else(|error| panic!("{text}: {error}")).test {
        Test::Compare(field, ..) | Test::Present(field) | Test::Within(field, _) => field,
        other => panic!("{text}: {other:?}"),
    }
}

#[track_caller]
fn operand(text: &str) -> Operand {
    match to("Gadget", text).unwrap_or_else(|error| panic!("{text}: {error}")).test {
        Test::Compare(_, _, operand) => operand,
        other => panic!("{text}: {other:?}"),
    }
}

#[track_caller]
fn refused(text: &str) -> String {
    let error = to("Gadget", text).expect_err(text);
    assert!(error.to_string().contains(error.path()), "{error}");
    error.to_string()
}

#[test]
fn fields_have_the_schemas_spelling_and_the_path_of_an_index() {
    insta::assert_debug_snapshot!(field("User", "EMAILS.VALUE co \"x\""), @r#"
    Field {
        container: None,
        name: "emails",
        sub: Some(
            "value",
        ),
        path: "emails.value",
        data_type: String,
        case_exact: false,
        multi_valued: true,
        element: false,
        assumed_false: false,
    }
    "#);
    let paths = |text: &str| field("User", text).path;
    insta::assert_snapshot!(paths("urn:ietf:params:scim:schemas:core:2.0:USER:username pr"), @"userName");
    insta::assert_snapshot!(paths("URN:ietf:params:scim:schemas:extension:enterprise:2.0:User:MANAGER eq \"1\""), @"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value");
    insta::assert_snapshot!(paths("meta.lastmodified pr"), @"meta.lastModified");
    for index in &catalog().resource_type("User").unwrap().indexes {
        assert_eq!(paths(&format!("{} pr", index.path.to_lowercase())), index.path);
    }
}

#[test]
fn value_stands_for_a_complex_attribute_that_has_it() {
    assert_eq!(field("User", "emails eq \"x\""), field("User", "emails.value eq \"x\""));
    assert_eq!(field("Group", "members eq \"x\"").path, "members.value");
    // With `pr` and null it is the attribute itself that is there or not.
    assert_eq!(field("User", "emails pr").path, "emails");
    assert_eq!(field("User", "emails eq null").path, "emails");
}

#[test]
fn fields_in_brackets_are_relative_but_their_paths_are_whole() {
    insta::assert_debug_snapshot!(user("emails[VALUE eq \"X\" and primary ne true]"), @r#"
    Within(
        Field {
            container: None,
            name: "emails",
            sub: None,
            path: "emails",
            data_type: Complex,
            case_exact: false,
            multi_valued: true,
            element: false,
            assumed_false: false,
        },
        And(
            [
                Compare(
                    Field {
                        container: None,
                        name: "value",
                        sub: None,
                        path: "emails.value",
                        data_type: String,
                        case_exact: false,
                        multi_valued: false,
                        element: false,
                        assumed_false: false,
                    },
                    Eq,
                    Text(
                        "x",
                    ),
                ),
                Compare(
                    Field {
                        container: None,
                        name: "primary",
                        sub: None,
                        path: "emails.primary",
                        data_type: Boolean,
                        case_exact: false,
                        multi_valued: false,
                        element: false,
                        assumed_false: true,
                    },
                    Ne,
                    Bool(
                        true,
                    ),
                ),
            ],
        ),
    )
    "#);
    let Test::Within(_, inner) = to("Gadget", "tags[VALUE eq \"Red\"]").unwrap().test else { panic!() };
    let Test::Compare(field, _, operand) = *inner else { panic!() };
    assert!(field.element && !field.multi_valued);
    assert_eq!((field.path.as_str(), operand), ("tags", Operand::Text("red".into())));
}

#[test]
fn operands_are_of_the_attributes_type_and_folded_by_its_case() {
    assert_eq!(operand("label eq \"AbC\""), Operand::Text("AbC".into()));
    assert_eq!(operand("tags eq \"ÄbC\""), Operand::Text("äbc".into()));
    assert_eq!(operand("print eq \"AbC=\""), Operand::Text("AbC=".into()));
    assert_eq!(operand("home sw \"HTTP:\""), Operand::Text("HTTP:".into()));
    assert_eq!(operand("schemas eq \"URN:X\""), Operand::Text("urn:x".into()));
    assert_eq!(operand("enabled eq true"), Operand::Bool(true));
    assert_eq!(operand("ports gt 1.5"), Operand::Number(serde_json::Number::from_f64(1.5).unwrap()));
    assert_eq!(operand("builtAt lt \"2020-01-01T00:00:00+01:00\""), operand("builtAt lt \"2019-12-31T23:00:00Z\""));
    assert_eq!(operand("ports ne null"), Operand::Null);
}

#[test]
fn primary_is_assumed_false_on_lists_of_values_only() {
    assert!(field("Gadget", "parts.primary eq true").assumed_false);
    assert!(!field("Gadget", "place.primary eq true").assumed_false);
    assert!(!field("Gadget", "primary eq true").assumed_false);
}

#[test]
fn what_does_not_fit_is_refused_and_the_error_says_what_would() {
    insta::assert_snapshot!(refused("bogus pr"), @"there is no attribute `bogus`");
    insta::assert_snapshot!(refused("department pr"), @"there is no attribute `department`: expected the whole name where it is in an extension, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`");
    insta::assert_snapshot!(refused("urn:x:lab:Gadget pr"), @"there is no attribute `urn:x:lab:Gadget`");
    insta::assert_snapshot!(refused("place.roof pr"), @"there is no attribute `place.roof`");
    insta::assert_snapshot!(refused("parts[bogus eq 1]"), @"there is no attribute `parts.bogus`");
    insta::assert_snapshot!(refused("parts[parts.value eq 1]"), @"there is no attribute `parts.parts.value`");
    insta::assert_snapshot!(refused("tags[label eq 1]"), @"there is no attribute `tags.label`");
    insta::assert_snapshot!(refused("enabled gt true"), @"`gt` cannot be used on `enabled`, a boolean: expected `eq`, `ne` or `pr`");
    insta::assert_snapshot!(refused("print le \"AA==\""), @"`le` cannot be used on `print`, binary data: expected `eq`, `ne` or `pr`");
    insta::assert_snapshot!(refused("ports co 1"), @"`co` cannot be used on `ports`, an integer: expected `eq`, `ne`, `gt`, `ge`, `lt`, `le` or `pr`");
    insta::assert_snapshot!(refused("place co null"), @"`co` cannot be used on `place`, a complex attribute: expected `pr`");
    insta::assert_snapshot!(refused("label gt null"), @"expected a string to compare `label` with, found `null`");
    insta::assert_snapshot!(refused("label eq 1"), @"expected a string to compare `label` with, found `1`");
    insta::assert_snapshot!(refused("enabled eq \"true\""), @r#"expected `true` or `false` to compare `enabled` with, found `"true"`"#);
    insta::assert_snapshot!(refused("weight eq \"1\""), @r#"expected a number to compare `weight` with, found `"1"`"#);
    insta::assert_snapshot!(refused("builtAt eq \"today\""), @r#"expected a dateTime such as "2011-05-13T04:42:34Z" to compare `builtAt` with, found `"today"`"#);
    insta::assert_snapshot!(refused("print eq true"), @"expected a base64 string to compare `print` with, found `true`");
    insta::assert_snapshot!(refused("place eq \"x\""), @"`place` is complex: expected one of its sub-attributes, such as `place.building`");
    insta::assert_snapshot!(refused("label[value pr]"), @"brackets cannot stand behind `label`: expected a complex or multi-valued attribute in front of them");
    insta::assert_snapshot!(refused("parts.value[value pr]"), @"brackets cannot stand behind the sub-attribute `parts.value`: expected the attribute itself in front of them");
    insta::assert_snapshot!(refused("pin pr"), @"`pin` is never shown and can be neither filtered nor sorted by");
}

#[test]
fn what_is_never_returned_cannot_be_probed_in_any_way() {
    for text in [
        "pin eq \"1\"",
        "pin eq null",
        "place.code sw \"1\"",
        "place[code pr]",
        "keys eq \"1\"",
        "keys[value pr]",
        // What is only written is not read either, whatever `returned` says.
        "code sw \"1\"",
        "code pr",
    ] {
        assert!(matches!(to("Gadget", text), Err(BindError::Secret { .. })), "{text}");
    }
    assert!(to("Gadget", "keys[type eq \"x\"]").is_ok());
    assert!(matches!(to("Group", "password eq \"x\""), Err(BindError::Secret { .. })));
}

#[test]
fn the_whole_filter_is_checked_whatever_would_be_skipped() {
    for text in [
        "enabled pr or enabled gt true",
        "userName pr and enabled gt true",
        "not (userName eq null and bogus pr)",
        "emails[bogus pr]",
        "emails[primary gt true] and label pr",
    ] {
        assert!(to("Gadget", text).is_err(), "{text}");
    }
}

#[test]
fn attributes_of_other_served_types_have_no_value() {
    let gadget = |text: &str| to("Gadget", text).unwrap().test;
    for never in ["userName pr", "userName eq \"x\"", "userName ne null", "emails[type eq \"x\"]", "title gt \"a\""] {
        assert_eq!(gadget(never), Test::Never, "{never}");
        assert_eq!(gadget(&format!("not ({never})")), Test::Always, "{never}");
    }
    for always in ["userName ne \"x\"", "userName eq null", "emails eq null"] {
        assert_eq!(gadget(always), Test::Always, "{always}");
    }
    assert_eq!(gadget("userName pr and label pr"), Test::Never);
    assert_eq!(gadget("userName pr or label pr"), gadget("label pr"));
    assert_eq!(gadget("userName eq null and label pr"), gadget("label pr"));
    // Without the others it is not known at all.
    let catalog = catalog();
    let alone = Binding::new(catalog.resource_type("Gadget").unwrap());
    assert!("userName pr".parse::<Filter>().unwrap().bind(&alone).is_err());
}

#[test]
fn strings_stand_for_booleans_where_that_is_asked_for() {
    let catalog = catalog();
    let gadgets = catalog.resource_type("Gadget").unwrap();
    let bind =
        |text: &str| text.parse::<Filter>().unwrap().bind(&Binding { boolean_strings: true, ..Binding::new(gadgets) });
    let bound = bind("enabled eq \"True\"").unwrap();
    assert!(bound.coerced_booleans);
    assert_eq!(bound.test, bind("enabled eq true").unwrap().test);
    assert!(!bind("enabled eq true").unwrap().coerced_booleans);
    assert!(bind("enabled eq \"yes\"").is_err());
}

#[test]
fn mentions_tells_what_must_be_loaded() {
    let group = |text: &str| to("Group", text).unwrap();
    assert!(group("displayName pr and not (members[value eq \"x\"])").mentions("members"));
    assert!(group("members.value eq \"x\"").mentions("Members"));
    assert!(!group("displayName eq \"members\" or groups.value eq \"x\"").mentions("members"));
    assert!(!group("displayName pr").mentions("groups"));
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let user = to("User", &format!("{urn}:manager.value eq \"1\"")).unwrap();
    assert!(user.mentions(urn) && !user.mentions("manager"));
}

#[track_caller]
fn described(attribute: &str, text: &str) -> Option<Value> {
    let catalog = catalog();
    let attribute = catalog.resource_type("Gadget").unwrap().attribute(attribute).unwrap();
    let bound = text.parse::<Filter>().unwrap().bind_selection(attribute, true).unwrap();
    bound.equalities().map(|terms| terms.iter().map(|(name, value)| json!([name, value])).collect())
}

#[test]
fn a_selection_of_equalities_describes_a_value() {
    let some = |text: &str| described("parts", text).expect(text);
    assert_eq!(some("VALUE eq \"Motor\" and count eq 2"), json!([["value", "Motor"], ["count", 2]]));
    assert_eq!(
        some("value eq \"Motor\" and (count eq null and primary eq \"TRUE\")"),
        json!([["value", "Motor"], ["primary", true]])
    );
    assert_eq!(some("marks eq \"A\""), json!([["marks", ["A"]]]));
    assert_eq!(described("tags", "value eq \"Red\""), Some(json!([["value", "Red"]])));
    for text in [
        "value ne \"x\"",
        "value pr",
        "value eq \"x\" or count eq 1",
        "not (value eq \"x\")",
        "count eq 1 and count eq 2",
        "count eq null",
        "value eq \"x\" and count gt 1",
    ] {
        assert_eq!(described("parts", text), None, "{text}");
    }
}

#[test]
fn a_selection_is_about_one_attribute() {
    let catalog = catalog();
    let gadgets = catalog.resource_type("Gadget").unwrap();
    let bind = |attribute: &str, text: &str| {
        text.parse::<Filter>().unwrap().bind_selection(gadgets.attribute(attribute).unwrap(), false)
    };
    let bound = bind("parts", "value eq \"MOTOR\" and not (primary eq true)").unwrap();
    assert!(bound.selects(&json!({"value": "Motor"})));
    assert!(!bound.selects(&json!({"value": "Motor", "primary": true})));
    assert!(bind("tags", "value sw \"r\"").unwrap().selects(&json!("Red")));
    assert!(bind("place", "doors eq \"north\"").unwrap().selects(&json!({"doors": ["South", "North"]})));
    insta::assert_snapshot!(bind("label", "value pr").unwrap_err(), @"brackets cannot stand behind `label`: expected a complex or multi-valued attribute in front of them");
    insta::assert_snapshot!(bind("parts", "userName pr").unwrap_err(), @"there is no attribute `parts.userName`");
    insta::assert_snapshot!(bind("parts", "marks[value eq \"x\"]").unwrap_err(), @"brackets cannot stand behind `marks`: expected a complex or multi-valued attribute in front of them");
    assert!(matches!(bind("keys", "value pr"), Err(BindError::Secret { .. })));
}

#[test]
fn a_bound_filter_can_go_anywhere() {
    fn anywhere<T: Send + Sync + Clone + 'static>(_: &T) {}
    anywhere(&to("User", "userName pr").unwrap());
}
