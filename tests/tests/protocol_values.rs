//! Names, types and characteristics of attributes: RFC 7643 sections 2 and 7, seen over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::{Catalog, ResourceTypeSpec, urns};
use scimwright_tests::{Answer, BASE, BENCH, GADGET, Server, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

/// A gadget with one attribute more.
fn made(server: &Server, name: &str, value: Value) -> Answer {
    let count = server.get("/Gadgets?count=0").is(200)["totalResults"].to_string();
    server.post("/Gadgets", with(gadget(&format!("gadget {count}")), json!({name: value}))).send()
}

/// Values of an attribute that come back as they were sent, and values that are refused.
#[track_caller]
fn takes(attribute: &'static str, good: &[Value], bad: &[Value]) {
    on_every_store(|server| {
        for value in good {
            let made = made(server, attribute, value.clone());
            assert_eq!(made.status, 201, "{attribute} {value}: {}", made.text);
            assert_eq!(server.get(made.path()).is(200)[attribute], *value);
        }
        for value in bad {
            let answer = made(server, attribute, value.clone());
            let came = (answer.status, answer["scimType"].as_str());
            assert_eq!(came, (400, Some("invalidValue")), "{attribute} {value}: {}", answer.text);
        }
        assert_eq!(server.get("/Gadgets?count=0").is(200)["totalResults"], good.len());
    });
}

/// A server of things that have these attributes.
fn things(attributes: Value) -> Setup {
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:Thing", "attributes": attributes}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}),
        ))
        .unwrap();
    Setup { catalog, ..Setup::default() }
}

#[test]
fn a_1_names_have_no_case() {
    on_every_store(|server| {
        let body = json!({"SCHEMAS": [urns::USER], "USERNAME": "ada", "Name": {"GIVENNAME": "Ada"},
            "eMails": [{"VALUE": "a@x.example", "Type": "work"}]});
        let made = server.create("/Users", body);
        assert_eq!(made.keys(), ["emails", "id", "meta", "name", "schemas", "userName"]);
        assert_eq!(made["name"], json!({"givenName": "Ada"}));
        assert_eq!(made["emails"], json!([{"value": "a@x.example", "type": "work"}]));
        assert_eq!(server.found("USERNAME eq \"ada\" and NAME.givenname pr"), ["ada"]);
        let change = json!([{"op": "replace", "path": "NAME.FAMILYNAME", "value": "L"},
            {"op": "add", "value": {"TITLE": "t"}}]);
        let changed = server.patch(format!("{}?attributes=NAME.Familyname,tItLe", made.path()), change).is(200);
        assert_eq!(changed.keys(), ["id", "name", "schemas", "title"]);
        assert_eq!(changed["name"], json!({"familyName": "L"}));
        let less = server.get(format!("{}?excludedAttributes=NAME,EMAILS,USERname", made.path())).is(200);
        assert_eq!(less.keys(), ["id", "meta", "schemas", "title"]);
        server.create("/Users", with(user("bob"), json!({"name": {"familyName": "A"}})));
        let sorted = server.get("/Users?sortBy=NAME.FamilyNAME").is(200);
        let names: Vec<&Value> = sorted.resources().iter().map(|user| &user["userName"]).collect();
        assert_eq!(names, ["bob", "ada"]);
        server.post("/Users", with(user("a"), json!({"USERNAME": "b"}))).fails(400, "invalidSyntax");
    });
}

#[test]
fn a_5_members_of_an_object_have_no_order() {
    on_every_store(|server| {
        let body = with(user("ada"), json!({"name": {"givenName": "Ada", "familyName": "L"}}));
        let made = server.create("/Users", body);
        let raw = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
            {"op": "replace", "path": "name", "value": {"familyName": "L", "givenName": "Ada"}}]}"#;
        assert_eq!(server.ask("PATCH", made.path()).raw(raw).is(200).etag(), made.etag());
    });
}

#[test]
fn a_6_a_list_of_one_is_a_list() {
    takes("tags", &[json!(["one"])], &[json!("one"), json!({"value": "one"}), json!([["one"]]), json!(["one", 2])]);
}

#[test]
fn a_7_r_38_one_value_is_primary() {
    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    takes("parts", &[json!([{"value": "a", "primary": true}, {"value": "b", "primary": false}])], &[two]);
}

#[test]
fn a_8_r_16_what_is_not_primary_is_not() {
    on_every_store(|server| {
        let emails = json!([{"value": "a@x.example"}, {"value": "b@x.example", "primary": true}]);
        server.create("/Users", with(user("ada"), json!({"emails": emails})));
        assert_eq!(server.found("emails[primary eq false and value eq \"a@x.example\"]"), ["ada"]);
        assert!(server.found("emails[primary eq true and value eq \"a@x.example\"]").is_empty());
    });
}

#[test]
fn a_9_a_10_a_value_is_there_once_for_each_type() {
    let one = json!([{"value": "a", "type": "main"}, {"value": "a", "type": "spare"}]);
    takes("parts", &[one], &[]);
    on_every_store(|server| {
        let twice = json!([{"value": "A", "type": "main"}, {"value": "a", "type": "Main", "quantity": 2}]);
        let answer = made(server, "parts", twice);
        assert_eq!(answer["parts"], json!([{"value": "A", "type": "main", "quantity": 2}]), "{}", answer.text);
    });
}

#[test]
fn a_14_a_15_a_16_null_and_empty_are_unassigned() {
    on_every_store(|server| {
        let empty = json!({"title": null, "emails": [], "name": {}, "addresses": [{}, {"locality": null}],
            "phoneNumbers": [null], urns::ENTERPRISE_USER: {"manager": {"value": null}}});
        let made = server.create("/Users", with(user("ada"), empty.clone()));
        assert_eq!(made.keys(), ["id", "meta", "schemas", "userName"]);
        for filter in ["emails pr", "title pr", "name pr", "addresses pr", "phoneNumbers pr"] {
            assert!(server.found(filter).is_empty(), "{filter}");
        }
        let full = json!({"title": "t", "emails": [{"value": "e"}], "name": {"givenName": "g"}});
        server.put(made.path(), with(user("ada"), full)).is(200);
        let put = server.put(made.path(), with(user("ada"), empty)).is(200);
        assert_eq!(put.keys(), ["id", "meta", "schemas", "userName"]);
        let full = json!({"title": "t", "emails": [{"value": "e"}], "name": {"givenName": "g", "familyName": "f"}});
        server.put(made.path(), with(user("ada"), full)).is(200);
        let change = json!([{"op": "replace", "path": "title", "value": null},
            {"op": "replace", "path": "emails", "value": []},
            {"op": "replace", "value": {"name": {"givenName": null}}}]);
        let patched = server.patch(made.path(), change).is(200);
        assert_eq!(patched.keys(), ["id", "meta", "name", "schemas", "userName"]);
        assert_eq!(patched["name"], json!({"familyName": "f"}));
    });
}

#[test]
fn a_11_the_usual_parts_of_a_value_mean_the_same_in_every_schema() {
    on_every_store(|server| {
        let parts = json!([{"value": "Motor", "display": "The motor", "type": "main", "primary": true},
            {"value": "Wheel", "type": "spare"}]);
        let made = server.create("/Gadgets", with(gadget("arm"), json!({"parts": parts})));
        let found = |filter: &str| server.filter("/Gadgets", filter).is(200)["totalResults"].clone();
        // `value` is what the attribute is compared by.
        assert_eq!((found("parts eq \"motor\""), found("parts eq \"The motor\"")), (json!(1), json!(0)));
        // `primary` is one value's at most, and false where it is not said.
        assert_eq!(found("parts[value eq \"wheel\" and primary eq false]"), 1);
        let other = json!([{"op": "replace", "path": "parts[type eq \"spare\"].primary", "value": true}]);
        let parts = server.patch(made.path(), other).is(200)["parts"].clone();
        assert_ne!(parts[0]["primary"], true);
        assert_eq!(parts[1]["primary"], true);
        // `value` and `type` say which value it is.
        let same = json!([{"op": "add", "path": "parts", "value": [{"value": "WHEEL", "type": "spare"}]}]);
        assert_eq!(server.patch(made.path(), same).is(200)["parts"], parts);
        // `$ref` is a reference, whose case counts.
        let supervisor = json!({"value": "7", "$ref": "../Users/Ab"});
        let body = with(gadget("leg"), json!({"schemas": [GADGET, BENCH], BENCH: {"supervisor": supervisor}}));
        assert_eq!(server.create("/Gadgets", body)[BENCH]["supervisor"], supervisor);
        assert_eq!(found(&format!("{BENCH}:supervisor.$ref eq \"../Users/Ab\"")), 1);
        assert_eq!(found(&format!("{BENCH}:supervisor.$ref eq \"../users/ab\"")), 0);
    });
}

#[test]
fn a_12_a_resource_is_the_same_by_the_uri_of_any_version() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let uris = ["https://scim.example/scim/v2", "https://scim.example/scim/v1", "https://scim.example/scim"];
        let member = |base: &&str| json!({"value": ada.id(), "$ref": format!("{base}/Users/{}", ada.id())});
        let members: Vec<Value> = uris.iter().map(member).collect();
        let team = server.create("/Groups", with(group("team", &[]), json!({"members": members})));
        let reference = format!("{BASE}{}", ada.path());
        assert_eq!(team["members"], json!([{"value": ada.id(), "type": "User", "$ref": reference}]));
        for member in &members {
            let join = json!([{"op": "add", "path": "members", "value": [member]}]);
            assert_eq!(server.patch(team.path(), join).is(200).text, team.text, "who is a member already");
        }
        let leave = json!([{"op": "replace", "path": "members", "value": [members[2]]}]);
        assert_eq!(server.patch(team.path(), leave).is(200).text, team.text);
    });
}

#[test]
fn a_17_r_36_unknown_attributes_are_refused_or_ignored() {
    let body =
        with(user("ada"), json!({"favouriteColour": "red", "name": {"givenName": "Ada", "epithet": "the first"}}));
    on_every_store(|server| {
        server.post("/Users", body.clone()).fails(400, "invalidValue");
    });
    Setup::default().profile(Profile::strict().with(Quirk::UnknownAttributes)).on_every_store(|server| {
        let made = server.create("/Users", body.clone());
        assert_eq!((&made["favouriteColour"], &made["name"]), (&Value::Null, &json!({"givenName": "Ada"})));
    });
}

#[test]
fn t_1_e_4_strings_are_unicode() {
    let long = json!("x".repeat(100_000));
    let texts = ["", "žluťoučký kůň", "e\u{301}", "🦀👩‍👩‍👧", "a\u{0}b", "\u{202e}", "<b>&amp;", "\\\"\n\t/"];
    let good: Vec<Value> = texts.iter().map(|text| json!(text)).chain([long]).collect();
    takes("order", &good, &[json!(1), json!(true), json!(["a"]), json!({})]);
}

#[test]
fn t_2_other_labels_are_kept() {
    takes("parts", &[json!([{"value": "a", "type": "imaginary"}])], &[]);
}

#[test]
fn t_3_r_30_booleans_are_literals() {
    takes("enabled", &[json!(true), json!(false)], &[json!("true"), json!("True"), json!(1), json!(0)]);
}

#[test]
fn t_4_decimals_are_numbers() {
    takes("weight", &[json!(2.5), json!(-3), json!(0), json!(1e-7)], &[json!("2.5"), json!(true)]);
}

#[test]
fn t_5_integers_have_no_fraction_and_no_exponent() {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    takes(
        "ports",
        &[json!(4), json!(-4), json!(0), json!(i64::MIN), json!(u64::MAX)],
        &[json!(1.5), number("1e3"), number("1.0"), number("18446744073709551616"), json!("4")],
    );
}

/// Proves: R-13.
#[test]
fn t_6_t_7_a_date_time_has_date_and_time() {
    takes(
        "builtAt",
        &[json!("2020-02-29T12:00:00Z"), json!("2020-02-29T12:00:00.123456789+05:30"), json!("2020-02-29T12:00:00")],
        &[json!("2020-01-01"), json!("12:00:00Z"), json!("2021-02-29T12:00:00Z"), json!("yesterday"), json!(0)],
    );
    on_every_store(|server| {
        made(server, "builtAt", json!("2020-02-29T12:00:00+02:00"));
        let total = |filter: &str| server.filter("/Gadgets", filter).is(200)["totalResults"].clone();
        assert_eq!(total("builtAt eq \"2020-02-29T10:00:00.000Z\""), 1);
        assert_eq!(total("builtAt lt \"2020-02-29T11:00:00Z\""), 1);
        assert_eq!(total("builtAt gt \"2020-02-29T11:00:00Z\""), 0);
    });
}

#[test]
fn t_8_t_9_binary_is_base64() {
    takes(
        "fingerprint",
        &[json!("AQIDBA=="), json!("AQIDBA"), json!("+/8="), json!("")],
        // The URL-safe alphabet is for attributes that ask for it, and none can.
        &[json!("%%"), json!("A"), json!("AQ ID"), json!("_-8"), json!([1, 2])],
    );
    on_every_store(|server| {
        made(server, "fingerprint", json!("AQIDBA=="));
        let total = |filter: &str| server.filter("/Gadgets", filter).is(200)["totalResults"].clone();
        assert_eq!(total("fingerprint eq \"AQIDBA==\""), 1);
        assert_eq!(total("fingerprint eq \"aqidba==\""), 0);
    });
}

#[test]
fn t_10_references_are_uris() {
    takes(
        "homepage",
        &[json!("https://a.example/B?c=d#e"), json!("urn:x:y"), json!("Users/1"), json!("../Users/1")],
        &[json!("not a uri"), json!("<x>"), json!(1), json!({"value": "x"})],
    );
    on_every_store(|server| {
        made(server, "owner", json!("https://a.example/B"));
        assert_eq!(server.filter("/Gadgets", "owner eq \"https://a.example/B\"").is(200)["totalResults"], 1);
        assert_eq!(server.filter("/Gadgets", "owner eq \"https://a.example/b\"").is(200)["totalResults"], 0);
    });
}

#[test]
fn t_11_a_relative_reference_is_kept_and_leads_on_from_the_base() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let relative = format!("Users/{}", ada.id());
        let owned = made(server, "owner", json!(relative));
        assert_eq!(owned["owner"], relative);
        // The base is everything up to, and not including, the endpoint.
        let base = owned["meta"]["location"].as_str().unwrap().strip_suffix(&format!("Gadgets/{}", owned.id()));
        let resolved = format!("{}{relative}", base.unwrap());
        assert_eq!(resolved, ada["meta"]["location"].as_str().unwrap());
        assert_eq!(server.get(resolved.strip_prefix(BASE).unwrap()).is(200).id(), ada.id());
    });
}

#[test]
fn c_1_c_2_case_counts_where_the_schema_says_so() {
    on_every_store(|server| {
        let made = server.create("/Gadgets", with(gadget("Arm"), json!({"serial": "Sn-1", "codes": ["Aa"]})));
        assert_eq!((&made["name"], &made["serial"]), (&json!("Arm"), &json!("Sn-1")));
        let total = |filter: &str| server.filter("/Gadgets", filter).is(200)["totalResults"].clone();
        assert_eq!(total("name eq \"aRM\""), 1);
        assert_eq!(total("serial eq \"Sn-1\" and codes eq \"Aa\""), 1);
        assert_eq!(total("serial eq \"sn-1\" or codes eq \"AA\""), 0);
    });
}

/// Proves: PA-17, PA-18, PA-19, PA-20, PM-9, PX-10.
#[test]
fn c_3_c_5_what_may_not_be_written_is_not() {
    on_every_store(|server| {
        let body = with(gadget("arm"), json!({"state": "on", "location": {"building": "N", "room": "1"}}));
        let made = server.create("/Gadgets", body);
        assert_eq!(made["state"], Value::Null);
        let change = |operation: Value| server.patch(made.path(), json!([operation]));
        change(json!({"op": "add", "path": "state", "value": "on"})).fails(400, "mutability");
        // Once, and never again.
        change(json!({"op": "add", "path": "serial", "value": "S"})).is(200);
        for operation in [
            json!({"op": "replace", "path": "serial", "value": "T"}),
            json!({"op": "add", "path": "serial", "value": "s"}),
            json!({"op": "remove", "path": "serial"}),
            json!({"op": "replace", "value": {"serial": null}}),
            json!({"op": "replace", "path": "location.room", "value": "2"}),
        ] {
            change(operation).fails(400, "mutability");
        }
        assert_eq!(server.get(made.path()).is(200)["serial"], "S");
        assert_eq!(server.get(made.path()).is(200)["location"], json!({"building": "N", "room": "1"}));
    });
}

#[test]
fn c_4_what_is_read_write_is_read_and_written_at_any_time() {
    on_every_store(|server| {
        let made = server.create("/Gadgets", with(gadget("arm"), json!({"order": "one", "ports": 1, "tags": ["a"]})));
        for at in 2..5 {
            let value = json!({"order": format!("{at}"), "ports": at, "tags": [format!("t{at}")]});
            let change = json!([{"op": "replace", "value": value}]);
            assert_eq!(server.patch(made.path(), change).is(200)["ports"], at);
            let read = server.get(made.path()).is(200);
            assert_eq!((&read["order"], &read["tags"]), (&value["order"], &value["tags"]));
            server.put(made.path(), with(gadget("arm"), json!({"ports": -at}))).is(200);
            let read = server.get(made.path()).is(200);
            assert_eq!((&read["ports"], &read["order"]), (&json!(-at), &Value::Null));
        }
    });
}

#[test]
fn c_13_what_is_unique_everywhere_is_so_over_all_tenants() {
    things(json!([{"name": "tag", "uniqueness": "global"}, {"name": "own", "uniqueness": "server"}])).on_every_store(
        |server| {
            let thing = |more: Value| with(json!({"schemas": ["urn:x:Thing"]}), more);
            let first = server.create("/Things", thing(json!({"tag": "T-1", "own": "O-1"})));
            server.post("/Things", thing(json!({"tag": "t-1"}))).fails(409, "uniqueness");
            let refused = server.post("/Things", thing(json!({"tag": "T-1"}))).by("globex").fails(409, "uniqueness");
            assert!(!refused.text.contains(first.id()), "nothing is said of the other tenant: {}", refused.text);
            server.post("/Things", thing(json!({"own": "O-1"}))).by("globex").is(201);
            server.delete(first.path()).is(204);
            server.post("/Things", thing(json!({"tag": "T-1"}))).by("globex").is(201);
        },
    );
}

#[test]
fn c_17_only_references_refer_to_types() {
    let of = |kind: &str| json!({"name": kind, "type": kind, "referenceTypes": ["User"]});
    let mut attributes: Vec<Value> = ["reference", "string", "integer", "boolean", "binary"].map(of).to_vec();
    attributes.push(json!({"name": "complex", "type": "complex", "referenceTypes": ["User"],
        "subAttributes": [{"name": "$ref", "type": "reference", "referenceTypes": ["Group"]}]}));
    things(attributes.into()).on_every_store(|server| {
        let schema = server.get("/Schemas/urn:x:Thing").is(200);
        for attribute in schema["attributes"].as_array().unwrap() {
            let wanted = if attribute["type"] == "reference" { json!(["User"]) } else { Value::Null };
            assert_eq!(attribute["referenceTypes"], wanted, "{attribute}");
        }
        assert_eq!(schema["attributes"][5]["subAttributes"][0]["referenceTypes"], json!(["Group"]));
    });
}

#[test]
fn c_12_c_14_i_1_i_2_i_5_unique_values_are_compared_as_text() {
    on_every_store(|server| {
        server.create("/Users", user("José.Straße"));
        for same in ["josé.straße", "JOSE\u{301}.STRASSE", "ｊosé.straße"] {
            server.post("/Users", user(same)).fails(409, "uniqueness");
            assert_eq!(server.found(&format!("userName eq \"{same}\"")), ["José.Straße"], "{same}");
        }
        server.create("/Users", user("jose.strasse"));
        server.create("/Users", with(user("é"), json!({"title": "École"})));
        assert_eq!(server.found("title sw \"éC\""), ["é"]);
    });
}

#[test]
fn i_4_user_names_have_no_controls_and_no_outer_blanks() {
    on_every_store(|server| {
        for bad in ["a\u{0}b", " ada", "ada ", "\u{7f}", "a\u{3000}", " "] {
            server.post("/Users", user(bad)).fails(400, "invalidValue");
        }
        server.create("/Users", user("Ada Lovelace"));
    });
}

#[test]
fn u_13_active_is_what_it_was_set_to() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"active": false})));
        assert_eq!(made["active"], false);
        let on = server.patch(made.path(), json!([{"op": "replace", "path": "active", "value": true}])).is(200);
        assert_eq!(on["active"], true);
        assert_eq!(server.found("active eq true"), ["ada"]);
    });
}

/// Proves: A-2, A-4, T-13.
#[test]
fn t_14_a_published_schema_loads_whatever_it_says_of_complex_attributes() {
    let published = json!([{"name": "name", "type": "complex", "uniqueness": "none", "caseExact": true,
        "subAttributes": [{"name": "given"}]}]);
    things(published).on_every_store(|server| {
        let schema = server.get("/Schemas/urn:x:Thing").is(200);
        assert_eq!(schema["attributes"][0]["uniqueness"], Value::Null);
        assert_eq!(schema["attributes"][0]["caseExact"], Value::Null);
    });
    assert!(Catalog::empty().with_schema(&json!({"id": "urn:x:T", "attributes": [{"name": "1x"}]})).is_err());
    let dollar = json!({"id": "urn:x:T", "attributes": [{"name": "$ref", "type": "reference"}, {"name": "a-B_9$"}]});
    assert!(Catalog::empty().with_schema(&dollar).is_ok());
    let nested = json!({"id": "urn:x:T", "attributes": [{"name": "a", "type": "complex", "subAttributes": [
        {"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]}]});
    assert!(Catalog::empty().with_schema(&nested).is_err());
    let of_no_type = json!({"id": "urn:x:T", "attributes": [{"name": "a", "type": "colour"}]});
    assert!(Catalog::empty().with_schema(&of_no_type).is_err());
}

#[test]
fn a_3_c_16_what_a_schema_does_not_say_has_defaults() {
    things(json!([{"name": "word"}])).on_every_store(|server| {
        let thing = |more: Value| with(json!({"schemas": ["urn:x:Thing"]}), more);
        server.create("/Things", thing(json!({})));
        let made = server.create("/Things", thing(json!({"word": "One"})));
        server.create("/Things", thing(json!({"word": "one"})));
        assert_eq!(server.filter("/Things", "word eq \"ONE\"").is(200)["totalResults"], 2);
        server.post("/Things", thing(json!({"word": ["one"]}))).fails(400, "invalidValue");
        server.post("/Things", thing(json!({"word": 1}))).fails(400, "invalidValue");
        let change = json!([{"op": "replace", "path": "word", "value": "two"}]);
        assert_eq!(server.patch(made.path(), change).is(200)["word"], "two");
        let word = server.get("/Schemas/urn:x:Thing").is(200)["attributes"][0].clone();
        let defaults = json!({"name": "word", "type": "string", "multiValued": false, "description": "",
            "required": false, "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none"});
        assert_eq!(word, defaults);
    });
}

#[test]
fn u_7_labels_of_places_and_languages_are_kept_as_they_are() {
    on_every_store(|server| {
        let body = json!({"locale": "en_US", "preferredLanguage": "de, en;q=0.5", "timezone": "Mars/Olympus",
            "addresses": [{"country": "USA", "type": "work"}], "x509Certificates": [{"value": "AQID"}]});
        let made = server.create("/Users", with(user("ada"), body.clone()));
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(made[name], *value);
        }
    });
}

#[test]
fn sec_7_text_is_data() {
    on_every_store(|server| {
        let names =
            ["x' OR '1'='1", "x'; DROP TABLE scim_record; --", "%", "_", "x\\", "{{7*7}}", "$(id)", "x\"y", "*"];
        for name in names {
            server.create("/Users", with(user(name), json!({"title": name, "externalId": name})));
        }
        for name in names {
            let text = json!(name).to_string();
            for filter in ["userName eq", "title eq", "externalId eq"] {
                assert_eq!(server.found(&format!("{filter} {text}")), [name], "{filter} {text}");
            }
            server
                .get(format!("/Users/{}", name.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>()))
                .is(404);
        }
        assert_eq!(server.found("userName sw \"%\""), ["%"]);
        assert_eq!(server.found("title sw \"x'\"").len(), 2);
        assert_eq!(server.get("/Users").is(200)["totalResults"], names.len());
    });
}
