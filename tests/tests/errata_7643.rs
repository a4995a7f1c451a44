//! The errata of RFC 7643 (and of RFC 7642, where one was filed) that change what a service provider does, each with what it
//! changes.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::{Catalog, ResourceTypeSpec, urns};
use scimwright_tests::{Server, Setup, group, on_every_store, user, with, without};
use serde_json::{Value, json};

/// A part of what a list says, by the value of one of its members.
#[track_caller]
fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}: {list}"))
}

/// An attribute of a schema that is served.
#[track_caller]
fn attribute(server: &Server, urn: &str, path: &str) -> Value {
    let schema = server.get(format!("/Schemas/{urn}")).is(200);
    let (name, sub) = path.split_once('.').map_or((path, None), |(name, sub)| (name, Some(sub)));
    let attribute = named(&schema["attributes"], name);
    sub.map_or(attribute, |sub| named(&attribute["subAttributes"], sub)).clone()
}

fn total(server: &Server, path: &str, filter: &str) -> Value {
    server.filter(path, filter).is(200)["totalResults"].clone()
}

/// A catalog with one type, `Thing`, of that schema.
fn things(attributes: &Value) -> Result<Setup, scimwright_core::CatalogError> {
    let catalog =
        Catalog::empty().with_schema(&json!({"id": "urn:x:Thing", "attributes": attributes}))?.with_resource_type(
            ResourceTypeSpec::from_json(json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"})),
        )?;
    Ok(Setup { catalog, ..Setup::default() })
}

fn thing(more: Value) -> Value {
    with(json!({"schemas": ["urn:x:Thing"]}), more)
}

/// Proves: erratum 5368.
#[test]
fn erratum_5368_a_group_has_a_display_name() {
    on_every_store(|server| {
        let nameless = without(group("", &[]), "displayName");
        server.post("/Groups", nameless.clone()).fails(400, "invalidValue");
        let made = server.create("/Groups", group("team", &[]));
        server.put(made.path(), nameless).fails(400, "invalidValue");
        server.patch(made.path(), json!([{"op": "remove", "path": "displayName"}])).fails(400, "mutability");
        assert_eq!(attribute(server, urns::GROUP, "displayName")["required"], true);
    });
}

/// Proves: erratum 5606, erratum 8435, erratum 8415.
#[test]
fn erratum_5606_8435_8415_binary_is_a_type_of_attributes_and_of_their_parts() {
    let parts = json!([{"name": "value", "type": "binary"}]);
    let setup = things(&json!([{"name": "key", "type": "binary"},
        {"name": "keys", "type": "complex", "multiValued": true, "subAttributes": parts}]));
    setup.unwrap().on_every_store(|server| {
        server.create("/Things", thing(json!({"key": "AQID", "keys": [{"value": "AQID"}]})));
        server.post("/Things", thing(json!({"key": "%"}))).fails(400, "invalidValue");
        server.post("/Things", thing(json!({"keys": [{"value": "%"}]}))).fails(400, "invalidValue");
        assert_eq!(attribute(server, "urn:x:Thing", "keys.value")["type"], "binary");
    });
}

/// Proves: erratum 8415.
#[test]
fn erratum_8415_a_part_is_not_complex() {
    let nested = json!([{"name": "a", "type": "complex", "subAttributes": [
        {"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]}]);
    assert!(things(&nested).is_err());
    on_every_store(|server| {
        let types = attribute(server, urns::SCHEMA, "attributes")["subAttributes"].clone();
        let of_parts = named(&named(&types, "subAttributes")["subAttributes"], "type")["canonicalValues"].clone();
        let of_parts: Vec<&str> = of_parts.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert!(of_parts.contains(&"binary") && !of_parts.contains(&"complex"), "{of_parts:?}");
    });
}

/// Proves: erratum 5607.
#[test]
fn erratum_5607_a_part_may_have_many_simple_values() {
    let setup = things(&json!([{"name": "box", "type": "complex", "subAttributes": [
        {"name": "tags", "multiValued": true}, {"name": "refs", "type": "reference", "referenceTypes": ["A", "B"]}]}]));
    setup.unwrap().on_every_store(|server| {
        let made = server.create("/Things", thing(json!({"box": {"tags": ["a", "b"]}})));
        assert_eq!(server.get(made.path()).is(200)["box"], json!({"tags": ["a", "b"]}));
        server.post("/Things", thing(json!({"box": {"tags": "a"}}))).fails(400, "invalidValue");
        assert_eq!(attribute(server, "urn:x:Thing", "box.refs")["referenceTypes"], json!(["A", "B"]));
        assert_eq!(total(server, "/Things", "box.tags eq \"B\""), 1);
    });
}

/// Proves: erratum 6004.
#[test]
fn erratum_6004_complex_attributes_are_not_unique() {
    let setup = things(&json!([
        {"name": "name", "type": "complex", "uniqueness": "server", "subAttributes": [{"name": "given"}]},
        {"name": "mails", "type": "complex", "multiValued": true, "uniqueness": "server",
            "subAttributes": [{"name": "value"}]}]));
    setup.unwrap().on_every_store(|server| {
        for _ in 0..2 {
            server.create("/Things", thing(json!({"name": {"given": "g"}, "mails": [{"value": "m"}]})));
        }
        for name in ["name", "mails"] {
            assert_eq!(attribute(server, "urn:x:Thing", name)["uniqueness"], Value::Null);
        }
    });
    on_every_store(|server| {
        for name in ["emails", "name", "addresses"] {
            assert_eq!(attribute(server, urns::USER, name)["uniqueness"], Value::Null);
        }
    });
}

/// Proves: erratum 7522.
#[test]
fn erratum_7522_schema_extensions_is_a_list() {
    on_every_store(|server| {
        for (name, extensions) in
            [("User", json!([{"schema": urns::ENTERPRISE_USER, "required": false}])), ("Group", json!([]))]
        {
            assert_eq!(server.get(format!("/ResourceTypes/{name}")).is(200)["schemaExtensions"], extensions);
        }
        assert_eq!(attribute(server, urns::RESOURCE_TYPE, "schemaExtensions")["multiValued"], true);
    });
}

/// Proves: erratum 8417, erratum 5999.
#[test]
fn erratum_8417_5999_every_schema_that_is_served_has_schemas_and_meta() {
    on_every_store(|server| {
        for urn in [
            urns::USER,
            urns::GROUP,
            urns::ENTERPRISE_USER,
            urns::SCHEMA,
            urns::RESOURCE_TYPE,
            urns::SERVICE_PROVIDER_CONFIG,
        ] {
            let schema = server.get(format!("/Schemas/{urn}")).is(200);
            assert_eq!(schema["schemas"], json!([urns::SCHEMA]));
            assert_eq!(schema["meta"]["resourceType"], "Schema");
            assert!(schema["meta"]["location"].as_str().unwrap().ends_with(&format!("/Schemas/{urn}")));
        }
    });
}

/// Proves: erratum 8471.
#[test]
fn erratum_8471_a_users_groups_are_groups() {
    on_every_store(|server| {
        assert_eq!(attribute(server, urns::USER, "groups.$ref")["referenceTypes"], json!(["Group"]));
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let reference = server.get(ada.path()).is(200)["groups"][0]["$ref"].clone();
        assert!(reference.as_str().unwrap().ends_with(team.path()), "{reference}");
    });
}

/// Proves: erratum 8472.
#[test]
fn erratum_8472_the_managers_id_has_case() {
    on_every_store(|server| {
        assert_eq!(attribute(server, urns::ENTERPRISE_USER, "manager.value")["caseExact"], true);
        server.create("/Users", with(user("ada"), json!({urns::ENTERPRISE_USER: {"manager": {"value": "M-a"}}})));
        for (value, found) in [("M-a", 1), ("m-a", 0), ("M-A", 0)] {
            let filter = format!("{}:manager.value eq \"{value}\"", urns::ENTERPRISE_USER);
            assert_eq!(total(server, "/Users", &filter), found, "{filter}");
        }
    });
}

/// Proves: erratum 8475, erratum 8363, erratum 8366, erratum 8365, D-10.
#[test]
fn erratum_8475_8363_8366_8365_names_and_endpoints_are_unique_and_have_case() {
    let of = |name: &str, endpoint: &str| {
        ResourceTypeSpec::from_json(json!({"name": name, "endpoint": endpoint, "schema": urns::USER}))
    };
    let standard = Catalog::standard;
    assert!(standard().with_resource_type(of("User", "/Others")).is_err());
    assert!(standard().with_resource_type(of("Other", "/Users")).is_err());
    assert!(standard().with_schema(&json!({"id": urns::USER.to_uppercase(), "attributes": []})).is_err());
    let listed = ResourceTypeSpec::from_json(json!({"name": "X", "endpoint": ["/Xs", "/Ys"], "schema": urns::USER}));
    assert!(standard().with_resource_type(listed).is_err(), "a type has one endpoint");
    let catalog = standard().with_resource_type(of("user", "/users")).unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        server.create("/Users", user("ada"));
        assert_eq!(server.get("/users").is(200)["totalResults"], 0, "another type");
        assert_eq!(server.get("/ResourceTypes/user").is(200)["endpoint"], "/users");
        assert_eq!(server.get("/ResourceTypes/User").is(200)["endpoint"], "/Users");
        for path in ["/ResourceTypes/USER", "/USERS"] {
            server.get(path).fails(404, "");
        }
        for name in ["name", "endpoint"] {
            let attribute = attribute(server, urns::RESOURCE_TYPE, name);
            assert_eq!((&attribute["uniqueness"], &attribute["caseExact"]), (&json!("server"), &json!(true)), "{name}");
        }
    });
}

/// Proves: erratum 6001.
#[test]
fn erratum_6001_references_have_case() {
    on_every_store(|server| {
        let body = json!({"profileUrl": "https://x.example/Ada", "photos": [{"value": "https://x.example/Ada.png"}]});
        let ada = server.create("/Users", with(user("ada"), body));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let reference = server.get(ada.path()).is(200)["groups"][0]["$ref"].as_str().unwrap().to_owned();
        assert!(reference.contains(team.id()));
        for (filter, found) in [
            ("profileUrl eq \"https://x.example/Ada\"", 1),
            ("profileUrl eq \"https://x.example/ada\"", 0),
            ("photos.value eq \"https://x.example/Ada.png\"", 1),
            ("photos.value eq \"https://x.example/ADA.png\"", 0),
        ] {
            assert_eq!(total(server, "/Users", filter), found, "{filter}");
        }
        for name in ["profileUrl", "photos.value", "groups.$ref"] {
            assert_eq!(attribute(server, urns::USER, name)["caseExact"], true, "{name}");
        }
    });
}

/// Proves: erratum 6005.
#[test]
fn erratum_6005_an_address_may_be_primary() {
    on_every_store(|server| {
        let addresses = json!([{"locality": "G", "type": "work", "primary": true}, {"locality": "H", "type": "home"}]);
        let made = server.create("/Users", with(user("ada"), json!({"addresses": addresses})));
        assert_eq!(made["addresses"], addresses);
        assert_eq!(server.found("addresses[primary eq true and locality eq \"g\"]"), ["ada"]);
        let two = json!([{"locality": "G", "primary": true}, {"locality": "H", "primary": true}]);
        server.post("/Users", with(user("bob"), json!({"addresses": two}))).fails(400, "invalidValue");
        assert_eq!(attribute(server, urns::USER, "addresses.primary")["type"], "boolean");
    });
}

/// Proves: erratum 6403, erratum 8359.
#[test]
fn erratum_6403_8359_a_manager_may_be_a_value_alone() {
    on_every_store(|server| {
        let body = with(user("ada"), json!({urns::ENTERPRISE_USER: {"manager": {"value": "7"}}}));
        assert_eq!(server.create("/Users", body)[urns::ENTERPRISE_USER], json!({"manager": {"value": "7"}}));
    });
}

/// Proves: erratum 8281.
#[test]
fn erratum_8281_what_is_required_is_in_every_put() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        server.put(made.path(), json!({"schemas": [urns::USER], "title": "t"})).fails(400, "invalidValue");
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

/// Proves: erratum 8358.
#[test]
fn erratum_8358_what_a_value_is_called_may_be_written() {
    on_every_store(|server| {
        let body = json!({"emails": [{"value": "a@x.example", "display": "A"}],
            "phoneNumbers": [{"value": "1", "display": "One"}], "photos": [{"value": "https://x.example/a", "display": "P"}]});
        let made = server.create("/Users", with(user("ada"), body.clone()));
        for name in ["emails", "phoneNumbers", "photos"] {
            assert_eq!(made[name], body[name]);
        }
        let set = json!([{"op": "replace", "path": "emails[value pr].display", "value": "B"}]);
        assert_eq!(server.patch(made.path(), set).is(200)["emails"][0]["display"], "B");
    });
}

/// Proves: erratum 8418, erratum 8419, D-14.
#[test]
fn erratum_8418_8419_schemas_and_types_always_have_their_id() {
    on_every_store(|server| {
        for path in ["/Schemas", "/ResourceTypes"] {
            for query in ["", "?attributes=name", "?excludedAttributes=id"] {
                for resource in server.get(format!("{path}{query}")).is(200).resources() {
                    assert!(resource["id"].is_string(), "{path}{query}: {resource}");
                }
            }
        }
        for urn in [urns::SCHEMA, urns::RESOURCE_TYPE] {
            let schema = server.get(format!("/Schemas/{urn}")).is(200);
            let listed = schema["attributes"].as_array().unwrap().iter().any(|attribute| attribute["name"] == "id");
            assert!(!listed, "id is an attribute of every resource and of no schema: {urn}");
        }
    });
}

/// Proves: erratum 6000, erratum 8470.
#[test]
fn erratum_6000_8470_certificates_have_case_and_may_repeat() {
    on_every_store(|server| {
        for name in ["ada", "bob"] {
            server.create("/Users", with(user(name), json!({"x509Certificates": [{"value": "AQIDBA=="}]})));
        }
        assert_eq!(total(server, "/Users", "x509Certificates.value eq \"AQIDBA==\""), 2);
        assert_eq!(total(server, "/Users", "x509Certificates.value eq \"aqidba==\""), 0);
        let value = attribute(server, urns::USER, "x509Certificates.value");
        assert_eq!((&value["caseExact"], &value["uniqueness"]), (&json!(true), &json!("none")));
        assert_eq!(attribute(server, urns::USER, "x509Certificates")["caseExact"], Value::Null, "it is complex");
    });
}

/// Proves: erratum 6011.
#[test]
fn erratum_6011_a_member_may_have_a_name() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let members = json!([{"value": ada.id(), "display": "Ada L."}]);
        let team = server.create("/Groups", with(group("team", &[]), json!({"members": members})));
        assert_eq!(server.get(team.path()).is(200)["members"][0]["display"], "Ada L.");
        // As all of a member it is written once: RFC 7643 section 4.2.
        assert_eq!(attribute(server, urns::GROUP, "members.display")["mutability"], "immutable");
        let rename = format!("members[value eq \"{}\"].display", ada.id());
        server
            .patch(team.path(), json!([{"op": "replace", "path": rename, "value": "Countess"}]))
            .fails(400, "mutability");
    });
}

/// Proves: erratum 8011, erratum 9018, D-4.
#[test]
fn erratum_8011_9018_the_configuration_tells_types_of_authentication_and_etags() {
    on_every_store(|server| {
        let config = server.get("/ServiceProviderConfig").is(200);
        assert_eq!(config["etag"], json!({"supported": true}));
        for scheme in config["authenticationSchemes"].as_array().unwrap() {
            assert!(scheme["type"].is_string() && scheme["primary"].is_boolean(), "{scheme}");
        }
        let kind = attribute(server, urns::SERVICE_PROVIDER_CONFIG, "authenticationSchemes.type");
        let words = json!(["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"]);
        assert_eq!((&kind["canonicalValues"], &kind["required"]), (&words, &json!(true)));
        attribute(server, urns::SERVICE_PROVIDER_CONFIG, "authenticationSchemes.primary");
        assert_eq!(attribute(server, urns::SERVICE_PROVIDER_CONFIG, "etag.supported")["required"], true);
    });
}

/// Proves: erratum 8924.
#[test]
fn erratum_8924_a_name_may_begin_with_a_dollar() {
    on_every_store(|server| {
        let (manager, reference) = (format!("{}:manager", urns::ENTERPRISE_USER), "https://x.example/Users/7");
        let ada = server.create("/Users", user("ada"));
        let set = json!([{"op": "add", "path": format!("{manager}.$ref"), "value": reference}]);
        server.patch(ada.path(), set).is(200);
        assert_eq!(total(server, "/Users", &format!("{manager}.$ref eq \"{reference}\"")), 1);
        assert_eq!(total(server, "/Users", &format!("{manager}[$REF sw \"https://elsewhere\"]")), 0);
        let shown = server.get(format!("{}?attributes={manager}.$ref", ada.path())).is(200);
        assert_eq!(shown[urns::ENTERPRISE_USER]["manager"], json!({"$ref": reference}));
        let remove = json!([{"op": "remove", "path": format!("{manager}.$REF")}]);
        assert_eq!(server.patch(ada.path(), remove).is(200)["schemas"], json!([urns::USER]));
    });
}

/// Proves: erratum 8361.
#[test]
fn erratum_8361_the_configuration_has_no_identifiers() {
    on_every_store(|server| {
        let config = server.get("/ServiceProviderConfig").is(200);
        assert_eq!((&config["id"], &config["externalId"]), (&Value::Null, &Value::Null));
        for resource in server.get("/ResourceTypes").is(200).resources() {
            assert_eq!((&resource["id"], &resource["externalId"]), (&resource["name"], &Value::Null));
        }
    });
}

/// Beyond the errata: identifiers and references that the RFC's schemas call case-insensitive against their own section 3.1.
#[test]
fn identifiers_of_members_and_groups_have_case() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let upper = ada.id().to_uppercase();
        assert_ne!(upper, ada.id(), "a random identifier without a letter: the test cannot say anything");
        assert_eq!(total(server, "/Groups", &format!("members.value eq \"{}\"", ada.id())), 1);
        assert_eq!(total(server, "/Groups", &format!("members.value eq \"{upper}\"")), 0);
        assert_eq!(total(server, "/Users", &format!("groups.value eq \"{}\"", team.id().to_uppercase())), 0);
        server.post("/Groups", group("other", &[&upper])).fails(400, "invalidValue");
        for (urn, name) in [(urns::USER, "groups.value"), (urns::GROUP, "members.value"), (urns::GROUP, "members.$ref")]
        {
            assert_eq!(attribute(server, urn, name)["caseExact"], true, "{name}");
        }
        let ims = attribute(server, urns::USER, "ims.type")["canonicalValues"].clone();
        assert!(ims.as_array().unwrap().contains(&json!("other")), "{ims}");
        assert_eq!(attribute(server, urns::RESOURCE_TYPE, "schemaExtensions")["required"], false);
    });
}
