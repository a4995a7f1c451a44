//! Points that the RFCs leave open, and how they are decided here: the rulings of the requirements that no test of
//! its subject proves already.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::urns;
use scimwright_tests::{BENCH, Server, Setup, gadget, on_every_store, user, with};
use serde_json::{Value, json};

/// Gadgets of these names, each with more.
fn gadgets(server: &Server, of: &[(&str, Value)]) {
    for (name, more) in of {
        server.create("/Gadgets", with(gadget(name), more.clone()));
    }
}

/// The names of the gadgets that a filter finds.
#[track_caller]
fn found(server: &Server, filter: &str) -> String {
    server.filter("/Gadgets", filter).is(200).names("name").join(" ")
}

/// Filters that cannot be asked of gadgets, whatever is stored.
#[track_caller]
fn refused(server: &Server, filters: &[&str]) {
    for filter in filters {
        server.filter("/Gadgets", filter).fails(400, "invalidFilter");
    }
}

#[test]
fn r_1_what_has_no_value_differs_from_every_value() {
    on_every_store(|server| {
        gadgets(
            server,
            &[
                ("empty", json!({})),
                ("full", json!({"order": "x", "ports": 4, "enabled": true, "builtAt": "2020-01-01T00:00:00Z"})),
            ],
        );
        for (equal, different) in [
            ("order eq \"x\"", "order ne \"x\""),
            ("ports eq 4", "ports ne 4"),
            ("enabled eq true", "enabled ne true"),
            ("builtAt eq \"2020-01-01T00:00:00Z\"", "builtAt ne \"2020-01-01T00:00:00Z\""),
            ("location.room eq \"1\"", "location.room ne \"1\""),
        ] {
            let all = ["empty", "full"];
            let (equal, different) = (found(server, equal), found(server, different));
            let complement: Vec<&str> = all.into_iter().filter(|name| !equal.contains(name)).collect();
            assert_eq!(different, complement.join(" "));
        }
    });
}

#[test]
fn r_2_of_many_values_one_that_differs_is_enough() {
    on_every_store(|server| {
        gadgets(
            server,
            &[
                ("both", json!({"tags": ["red", "blue"], "parts": [{"type": "main"}, {"type": "spare"}]})),
                ("none", json!({})),
                ("red", json!({"tags": ["red"], "parts": [{"type": "main"}]})),
            ],
        );
        assert_eq!(found(server, "tags ne \"red\""), "both none");
        assert_eq!(found(server, "parts.type ne \"main\""), "both none");
        assert_eq!(found(server, "parts[type ne \"main\"]"), "both");
    });
}

#[test]
fn r_3_null_is_no_value() {
    on_every_store(|server| {
        gadgets(server, &[("blank", json!({"order": ""})), ("empty", json!({})), ("full", json!({"order": "x"}))]);
        assert_eq!(found(server, "order eq null"), "empty");
        assert_eq!(found(server, "order ne null"), "blank full");
        for op in ["gt", "ge", "lt", "le", "co", "sw", "ew"] {
            refused(server, &[&format!("order {op} null")]);
        }
    });
}

#[test]
fn r_4_what_is_empty_is_not_present() {
    on_every_store(|server| {
        gadgets(
            server,
            &[
                ("blank", json!({"order": "", "location": {"building": ""}, "parts": [{"value": ""}]})),
                ("empty", json!({"order": null, "location": {}, "parts": [{}]})),
                ("full", json!({"order": "x", "location": {"building": "N"}, "parts": [{"value": "p"}]})),
                ("naught", json!({"ports": 0, "enabled": false})),
            ],
        );
        for attribute in ["order", "location", "location.building", "parts", "parts.value"] {
            assert_eq!(found(server, &format!("{attribute} pr")), "full", "{attribute}");
        }
        for attribute in ["ports", "enabled"] {
            assert_eq!(found(server, &format!("{attribute} pr")), "naught", "{attribute}");
        }
    });
}

#[test]
fn r_5_parts_of_text_are_sought_in_text_alone() {
    on_every_store(|server| {
        for op in ["co", "sw", "ew"] {
            for (attribute, operand) in [
                ("enabled", "\"t\""),
                ("enabled", "true"),
                ("ports", "4"),
                ("ports", "\"4\""),
                ("weight", "1.5"),
                ("builtAt", "\"2020\""),
                ("fingerprint", "\"AQ\""),
            ] {
                refused(server, &[&format!("{attribute} {op} {operand}")]);
            }
        }
    });
}

#[test]
fn r_6_a_complex_attribute_is_its_value_or_nothing() {
    on_every_store(|server| {
        let bench = json!({BENCH: {"supervisor": {"value": "7"}}, "parts": [{"value": "p"}]});
        gadgets(server, &[("arm", bench)]);
        assert_eq!(found(server, "parts eq \"P\""), "arm");
        assert_eq!(found(server, &format!("{BENCH}:supervisor eq \"7\"")), "arm");
        refused(server, &["location eq \"x\"", "location co \"x\"", "meta eq \"x\""]);
    });
}

#[test]
fn r_7_r_12_the_whole_filter_must_fit_the_schema() {
    on_every_store(|server| {
        gadgets(server, &[("arm", json!({}))]);
        refused(
            server,
            &[
                "enabled eq \"true\"",
                "ports eq \"4\"",
                "name eq 1",
                "name eq true",
                "builtAt gt \"yesterday\"",
                "builtAt gt 5",
                // What stands before them decides already, and does not hide them.
                "name eq \"arm\" or enabled gt true",
                "name eq \"nobody\" and ports eq \"4\"",
                "not (name eq \"nobody\" and bogus pr)",
                "parts[value eq \"x\" and bogus eq \"y\"]",
            ],
        );
    });
}

#[test]
fn r_8_r_9_names_are_known_by_some_type_or_by_none() {
    on_every_store(|server| {
        server.create("/Users", with(user("ada"), json!({urns::ENTERPRISE_USER: {"department": "D"}})));
        // Of another type that is served: no value here.
        for filter in ["serial eq \"S\"", "ports gt 1", "members pr"] {
            assert!(server.found(filter).is_empty(), "{filter}");
        }
        assert_eq!(server.found("not (serial eq \"S\")"), ["ada"]);
        // Of no type, and never guessed to be an extension's.
        for filter in ["bogus eq \"x\"", "department eq \"D\"", "manager.value eq \"7\"", "urn:who:knows:x pr"] {
            server.filter("/Users", filter).fails(400, "invalidFilter");
        }
    });
}

#[test]
fn r_10_brackets_are_for_single_values_too() {
    on_every_store(|server| {
        gadgets(
            server,
            &[("arm", json!({"location": {"building": "N", "floor": 2}})), ("leg", json!({"location": {"floor": 2}}))],
        );
        assert_eq!(found(server, "location[building eq \"n\" and floor eq 2]"), "arm");
        assert_eq!(found(server, "location[floor gt 1]"), "arm leg");
        assert_eq!(found(server, "location[not (building pr)]"), "leg");
    });
}

#[test]
fn r_16_what_is_not_primary_is_false() {
    on_every_store(|server| {
        gadgets(
            server,
            &[
                ("plain", json!({"parts": [{"value": "p"}]})),
                ("said", json!({"parts": [{"value": "p", "primary": false}]})),
                ("true", json!({"parts": [{"value": "p", "primary": true}]})),
            ],
        );
        for filter in ["parts[primary eq false]", "parts.primary eq false", "parts[primary ne true]"] {
            assert_eq!(found(server, filter), "plain said", "{filter}");
        }
        assert_eq!(found(server, "parts[primary eq true]"), "true");
    });
}

#[test]
fn r_15_blanks_may_be_many_and_words_are_quoted() {
    on_every_store(|server| {
        gadgets(server, &[("arm", json!({}))]);
        for filter in
            ["  name   eq  \"arm\"  ", "( name eq \"arm\" )", "name eq\"arm\"", "parts[ value pr ] or name pr"]
        {
            assert_eq!(found(server, filter), "arm", "{filter:?}");
        }
        refused(server, &["name eq arm", "name eq 'arm'", "nameeq \"arm\""]);
    });
    Setup::default().profile(Profile::strict().with(Quirk::UnquotedFilterValues)).on_every_store(|server| {
        gadgets(server, &[("arm", json!({}))]);
        assert_eq!(found(server, "name eq arm"), "arm");
    });
}

#[test]
fn r_30_words_for_booleans_are_taken_where_that_is_tolerated() {
    let patch = |value: &str| json!([{"op": "replace", "path": "active", "value": value}]);
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"active": true})));
        for word in ["True", "False", "true", "false", "yes"] {
            server.patch(made.path(), patch(word)).fails(400, "invalidValue");
            server.put(made.path(), with(user("ada"), json!({"active": word}))).fails(400, "invalidValue");
        }
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
    Setup::default().profile(Profile::strict().with(Quirk::BooleanStrings)).on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"active": "True"})));
        assert_eq!(made["active"], true);
        assert_eq!(server.patch(made.path(), patch("False")).is(200)["active"], false);
        assert_eq!(server.put(made.path(), with(user("ada"), json!({"active": "TRUE"}))).is(200)["active"], true);
        server.patch(made.path(), patch("yes")).fails(400, "invalidValue");
    });
}

#[test]
fn r_41_meta_is_refused_by_path_and_passed_over_in_an_object() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for op in ["add", "replace"] {
            for (path, value) in [
                ("meta", json!({"created": "1970-01-01T00:00:00Z"})),
                ("meta.created", json!("1970-01-01T00:00:00Z")),
                ("meta.version", json!("W/\"1\"")),
            ] {
                let change = json!([{"op": op, "path": path, "value": value}]);
                server.patch(made.path(), change).fails(400, "mutability");
            }
            let object = json!([{"op": op, "value": {"meta": {"created": "1970-01-01T00:00:00Z"}}}]);
            assert_eq!(server.patch(made.path(), object).is(200).text, made.text);
        }
        server.patch(made.path(), json!([{"op": "remove", "path": "meta"}])).fails(400, "mutability");
    });
}

#[test]
fn r_42_a_part_before_brackets_means_nothing() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        for path in ["name.givenName[value eq \"x\"]", "emails.value[type eq \"work\"]", "emails.type[value pr].value"]
        {
            server.filter("/Users", path).fails(400, "invalidFilter");
            for operation in [json!({"op": "remove", "path": path}), json!({"op": "add", "path": path, "value": "x"})] {
                server.patch(ada.path(), json!([operation])).fails(400, "invalidPath");
            }
        }
        assert_eq!(server.get(ada.path()).is(200).text, ada.text);
    });
}

#[test]
fn r_36_where_unknown_attributes_are_ignored_unknown_schemas_are_refused() {
    Setup::default().profile(Profile::strict().with(Quirk::UnknownAttributes)).on_every_store(|server| {
        for urn in ["urn:who:knows", urns::GROUP] {
            let unknown = json!({"schemas": [urns::USER, urn]});
            server.post("/Users", with(user("ada"), unknown)).fails(400, "invalidValue");
        }
        let made = server.create("/Users", with(user("ada"), json!({"favouriteColour": "red"})));
        assert_eq!(made["favouriteColour"], Value::Null);
    });
}
