//! The errata of RFC 7643 and RFC 7644 that change what a server does, each by what a client sees. Some are followed, some
//! are not; `docs/coverage.md` says which.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::{Catalog, ResourceTypeSpec, urns};
use scimwright_tests::{Server, Setup, gadget, group, on_every_store, user, with, without};
use serde_json::{Value, json};

/// The attribute of a served schema, or a sub-attribute of it.
#[track_caller]
fn attribute(server: &Server, urn: &str, path: &str) -> Value {
    let schema = server.get(format!("/Schemas/{urn}")).is(200);
    path.split('.').fold(schema.body, |at, name| {
        let parts = at["attributes"].as_array().or_else(|| at["subAttributes"].as_array()).unwrap();
        parts.iter().find(|part| part["name"] == name).cloned().unwrap_or_else(|| panic!("{urn} has no {path}"))
    })
}

/// A server of things that have these attributes.
fn things(attributes: Value) -> Setup {
    let catalog = Catalog::standard().with_schema(&json!({"id": "urn:x:Thing", "attributes": attributes})).unwrap();
    let spec = ResourceTypeSpec::from_json(json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}));
    Setup { catalog: catalog.with_resource_type(spec).unwrap(), ..Setup::default() }
}

fn thing(more: Value) -> Value {
    with(json!({"schemas": ["urn:x:Thing"]}), more)
}

#[test]
fn erratum_5606_erratum_8435_attributes_may_be_binary() {
    things(json!([{"name": "print", "type": "binary"}])).on_every_store(|server| {
        assert_eq!(attribute(server, "urn:x:Thing", "print")["type"], "binary");
        assert_eq!(server.create("/Things", thing(json!({"print": "AQID"})))["print"], "AQID");
        server.post("/Things", thing(json!({"print": "%%"}))).fails(400, "invalidValue");
    });
}

#[test]
fn erratum_5607_a_simple_part_may_have_many_values() {
    let many = json!({"name": "codes", "multiValued": true});
    things(json!([{"name": "box", "type": "complex", "subAttributes": [many]}])).on_every_store(|server| {
        assert_eq!(attribute(server, "urn:x:Thing", "box.codes")["multiValued"], true);
        let made = server.create("/Things", thing(json!({"box": {"codes": ["a", "b"]}})));
        assert_eq!(made["box"]["codes"], json!(["a", "b"]));
        assert_eq!(server.filter("/Things", "box.codes eq \"B\"").is(200)["totalResults"], 1);
        server.post("/Things", thing(json!({"box": {"codes": "a"}}))).fails(400, "invalidValue");
        let join = json!([{"op": "add", "path": "box.codes", "value": ["c"]}]);
        assert_eq!(server.patch(made.path(), join).is(200)["box"]["codes"], json!(["a", "b", "c"]));
    });
}

#[test]
fn erratum_6004_complex_attributes_are_not_unique() {
    let part = json!({"name": "value"});
    let unique = json!([{"name": "box", "type": "complex", "uniqueness": "server", "subAttributes": [part]}]);
    things(unique).on_every_store(|server| {
        assert_eq!(attribute(server, "urn:x:Thing", "box")["uniqueness"], Value::Null);
        for path in ["name", "emails", "addresses"] {
            assert_eq!(attribute(server, urns::USER, path)["uniqueness"], Value::Null, "{path}");
        }
        for _ in 0..2 {
            server.create("/Things", thing(json!({"box": {"value": "same"}})));
        }
        let same = json!({"name": {"familyName": "L"}, "emails": [{"value": "a@x.example"}]});
        for name in ["a", "b"] {
            server.create("/Users", with(user(name), same.clone()));
        }
    });
}

#[test]
fn erratum_7522_a_type_has_a_list_of_extensions() {
    on_every_store(|server| {
        for kind in server.get("/ResourceTypes").is(200).resources() {
            assert!(kind["schemaExtensions"].is_array(), "{kind}");
        }
        let user = server.get("/ResourceTypes/User").is(200);
        assert_eq!(user["schemaExtensions"], json!([{"schema": urns::ENTERPRISE_USER, "required": false}]));
    });
}

#[test]
fn erratum_8361_the_configuration_needs_no_id() {
    on_every_store(|server| {
        let config = server.get("/ServiceProviderConfig").is(200);
        assert_eq!((&config["id"], &config["externalId"]), (&Value::Null, &Value::Null));
        for kind in server.get("/ResourceTypes").is(200).resources() {
            assert_eq!(kind["externalId"], Value::Null);
        }
    });
}

#[test]
fn erratum_8415_a_part_may_be_binary_and_not_complex() {
    let of = |part: Value| json!([{"name": "box", "type": "complex", "subAttributes": [part]}]);
    let complex = json!({"id": "urn:x:T", "attributes": of(json!({"name": "inner", "type": "complex",
        "subAttributes": [{"name": "value"}]}))});
    assert!(Catalog::empty().with_schema(&complex).is_err());
    things(of(json!({"name": "print", "type": "binary"}))).on_every_store(|server| {
        server.create("/Things", thing(json!({"box": {"print": "AQID"}})));
        server.post("/Things", thing(json!({"box": {"print": "%%"}}))).fails(400, "invalidValue");
        assert_eq!(attribute(server, urns::USER, "x509Certificates.value")["type"], "binary");
    });
}

#[test]
fn erratum_8417_discovery_says_what_it_is_made_of() {
    on_every_store(|server| {
        let one = server.get("/ServiceProviderConfig").is(200).body;
        let lists = ["/Schemas", "/ResourceTypes"].map(|path| server.get(path).is(200).resources().to_vec());
        for resource in lists.concat().iter().chain([&one]) {
            assert_eq!(resource["schemas"].as_array().map(Vec::len), Some(1), "{resource}");
            let meta = &resource["meta"];
            assert!(meta["resourceType"].is_string() && meta["location"].is_string(), "{resource}");
        }
    });
}

#[test]
fn erratum_8471_groups_of_a_user_are_groups() {
    on_every_store(|server| {
        assert_eq!(attribute(server, urns::USER, "groups.$ref")["referenceTypes"], json!(["Group"]));
    });
}

#[test]
fn erratum_8472_erratum_6001_ids_and_references_have_case() {
    on_every_store(|server| {
        let body = json!({"profileUrl": "https://x.example/Ada", "photos": [{"value": "https://x.example/P.png"}],
            urns::ENTERPRISE_USER: {"manager": {"value": "Id-7"}}});
        server.create("/Users", with(user("ada"), body));
        let manager = format!("{}:manager.value", urns::ENTERPRISE_USER);
        for (path, exact, other) in [
            (manager.as_str(), "Id-7", "id-7"),
            ("profileUrl", "https://x.example/Ada", "https://x.example/ada"),
            ("photos.value", "https://x.example/P.png", "https://x.example/p.png"),
        ] {
            assert_eq!(server.found(&format!("{path} eq \"{exact}\"")), ["ada"], "{path}");
            assert_eq!(server.found(&format!("{path} eq \"{other}\"")), [""; 0], "{path}");
        }
        for path in ["profileUrl", "photos.value", "groups.$ref"] {
            assert_eq!(attribute(server, urns::USER, path)["caseExact"], true, "{path}");
        }
        assert_eq!(attribute(server, urns::ENTERPRISE_USER, "manager.value")["caseExact"], true);
    });
}

#[test]
fn erratum_8475_erratum_8363_erratum_8366_erratum_8365_a_type_has_one_name_and_one_endpoint() {
    let spec = |name: &str, endpoint: &str| {
        ResourceTypeSpec::from_json(json!({"name": name, "endpoint": endpoint, "schema": urns::USER}))
    };
    for (name, endpoint) in [("User", "/People"), ("Person", "/Users")] {
        assert!(Catalog::standard().with_resource_type(spec(name, endpoint)).is_err(), "{name} {endpoint}");
    }
    assert!(Catalog::standard().with_schema(&json!({"id": urns::USER.to_uppercase(), "attributes": []})).is_err());
    let two = ResourceTypeSpec::from_json(json!({"name": "X", "endpoint": ["/Xs", "/Ys"], "schema": urns::USER}));
    assert!(Catalog::standard().with_resource_type(two).is_err(), "one endpoint");
    // Another case is another name.
    let catalog = Catalog::standard().with_resource_type(spec("user", "/users")).unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let lower = server.create("/users", user("ada"));
        assert_eq!(lower["meta"]["resourceType"], "user");
        assert_eq!(server.get("/Users").is(200)["totalResults"], 0);
        for (name, endpoint) in [("User", "/Users"), ("user", "/users")] {
            assert_eq!(server.get(format!("/ResourceTypes/{name}")).is(200)["endpoint"], endpoint);
        }
        server.get("/ResourceTypes/USER").fails(404, "");
        server.get("/USERS").fails(404, "");
    });
}

#[test]
fn erratum_6005_one_address_may_be_primary() {
    on_every_store(|server| {
        let addresses = json!([{"locality": "A", "type": "work", "primary": true}, {"locality": "B", "type": "home"}]);
        let made = server.create("/Users", with(user("ada"), json!({"addresses": addresses})));
        assert_eq!(made["addresses"], addresses);
        let other = json!([{"op": "replace", "path": "addresses[type eq \"home\"].primary", "value": true}]);
        let patched = server.patch(made.path(), other).is(200);
        assert_ne!(patched["addresses"][0]["primary"], true);
        assert_eq!(patched["addresses"][1]["primary"], true);
    });
}

#[test]
fn erratum_8281_a_put_has_what_is_required() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        server.put(made.path(), with(without(user(""), "userName"), json!({"title": "t"}))).fails(400, "invalidValue");
        let team = server.create("/Groups", group("team", &[]));
        server.put(team.path(), without(group("", &[]), "displayName")).fails(400, "invalidValue");
    });
}

#[test]
fn erratum_8358_names_for_people_may_be_written() {
    on_every_store(|server| {
        for list in ["emails", "phoneNumbers", "ims", "photos", "entitlements", "roles", "x509Certificates"] {
            assert_eq!(attribute(server, urns::USER, &format!("{list}.display"))["mutability"], "readWrite", "{list}");
            let value = json!({"value": "AQID", "display": "One"});
            let made = server.create("/Users", with(user(list), json!({list: [value]})));
            assert_eq!(made[list][0]["display"], "One");
            let change =
                json!([{"op": "replace", "path": format!("{list}[display eq \"one\"].display"), "value": "Two"}]);
            assert_eq!(server.patch(made.path(), change).is(200)[list][0]["display"], "Two", "{list}");
        }
    });
}

#[test]
fn erratum_8418_erratum_8419_discovery_has_ids_as_everything_has() {
    on_every_store(|server| {
        for path in ["/Schemas", "/ResourceTypes"] {
            for resource in server.get(path).is(200).resources() {
                assert!(resource["id"].as_str().is_some_and(|id| !id.is_empty()), "{resource}");
            }
        }
        assert_eq!(server.get("/ResourceTypes/User").is(200).id(), "User");
        server.get("/ResourceTypes/uSER").fails(404, "");
    });
}

#[test]
fn erratum_5999_representations_name_their_schemas() {
    on_every_store(|server| {
        let body = with(user("ada"), json!({urns::ENTERPRISE_USER: {"department": "D"}}));
        let made = server.create("/Users", body);
        assert_eq!(made["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]));
        assert_eq!(server.create("/Groups", group("team", &[]))["schemas"], json!([urns::GROUP]));
        assert_eq!(server.found(&format!("schemas eq \"{}\"", urns::ENTERPRISE_USER)), ["ada"]);
    });
}

#[test]
fn erratum_6000_erratum_8470_certificates_have_case_and_may_repeat() {
    on_every_store(|server| {
        for name in ["a", "b"] {
            server.create("/Users", with(user(name), json!({"x509Certificates": [{"value": "AQIDBA=="}]})));
        }
        assert_eq!(server.found("x509Certificates.value eq \"AQIDBA==\""), ["a", "b"]);
        assert_eq!(server.found("x509Certificates.value eq \"aqidba==\""), [""; 0]);
        assert_eq!(attribute(server, urns::USER, "x509Certificates.value")["caseExact"], true);
    });
}

#[test]
fn erratum_6011_a_member_may_have_a_name() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let members = json!([{"value": ada.id(), "display": "Ada"}]);
        let team = server.create("/Groups", with(group("team", &[]), json!({"members": members})));
        assert_eq!(team["members"][0]["display"], "Ada");
        assert_eq!(attribute(server, urns::GROUP, "members.display")["type"], "string");
    });
}

#[test]
fn erratum_8011_erratum_9018_the_configuration_is_whole() {
    on_every_store(|server| {
        let config = server.get("/ServiceProviderConfig").is(200);
        assert_eq!(config["etag"]["supported"], true);
        let schemes = config["authenticationSchemes"].as_array().unwrap();
        let types = ["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"];
        assert!(schemes.iter().all(|scheme| types.contains(&scheme["type"].as_str().unwrap_or_default())));
        assert!(!schemes.is_empty());
    });
}

#[test]
fn erratum_8924_references_may_be_named_in_filters_and_paths() {
    on_every_store(|server| {
        let path = format!("{}:manager.$ref", urns::ENTERPRISE_USER);
        let manager = json!({"value": "7", "$ref": "../Users/7"});
        let made = server.create("/Users", with(user("ada"), json!({urns::ENTERPRISE_USER: {"manager": manager}})));
        assert_eq!(server.found(&format!("{path} eq \"../Users/7\"")), ["ada"]);
        assert_eq!(server.found(&format!("{path} pr and not ({path} eq \"../Users/8\")")), ["ada"]);
        let change = json!([{"op": "replace", "path": path, "value": "../Users/8"}]);
        let patched = server.patch(made.path(), change).is(200);
        assert_eq!(patched[urns::ENTERPRISE_USER]["manager"], json!({"value": "7", "$ref": "../Users/8"}));
        let shown = server.get(format!("{}?attributes={path}", made.path())).is(200);
        assert_eq!(shown[urns::ENTERPRISE_USER]["manager"], json!({"$ref": "../Users/8"}));
    });
}

#[test]
fn erratum_4979_erratum_4978_the_endpoint_of_the_configuration_is_singular() {
    on_every_store(|server| {
        server.get("/ServiceProviderConfig").is(200);
        server.get("/ServiceProviderConfigs").fails(404, "");
    });
}

#[test]
fn erratum_6893_what_is_sensitive_is_forbidden() {
    on_every_store(|server| {
        let refused = server.filter("/Users", "password eq \"x\"").fails(403, "sensitive");
        assert_eq!(refused["status"], "403");
    });
}

#[test]
fn erratum_7916_the_status_of_an_operation_is_a_string() {
    on_every_store(|server| {
        let operations = json!([{"method": "POST", "path": "/Users", "bulkId": "a", "data": user("ada")},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": user("ADA")}]);
        let bulk = server.post("/Bulk", json!({"schemas": [urns::BULK_REQUEST], "Operations": operations})).is(200);
        assert_eq!(
            (&bulk["Operations"][0]["status"], &bulk["Operations"][1]["status"]),
            (&json!("201"), &json!("409"))
        );
        assert_eq!(bulk["Operations"][1]["response"]["status"], "409");
    });
}

#[test]
fn erratum_4670_erratum_7319_erratum_4690_erratum_7322_filters_are_grouped_as_everybody_means_them() {
    on_every_store(|server| {
        let emails = json!([{"value": "a@x.example", "type": "work"}, {"value": "b@y.example", "type": "home"}]);
        server.create("/Users", with(user("ada"), json!({"title": "t", "emails": emails})));
        server.create("/Users", user("bob"));
        for (filter, wanted) in [
            ("userName eq \"bob\" or title pr and userName eq \"eve\"", "bob"),
            ("(userName eq \"bob\" or title pr) and userName eq \"eve\"", ""),
            ("not (title pr) and userName pr or userName eq \"ada\"", "ada bob"),
            ("not(title pr)", "bob"),
            ("emails[(type eq \"work\" or type eq \"home\") and (value sw \"b\" or value sw \"c\")]", "ada"),
            ("emails[type eq \"work\" and value sw \"a\" and value ew \"e\" and not(value co \"y\")]", "ada"),
        ] {
            assert_eq!(server.found(filter).join(" "), wanted, "{filter}");
        }
        for nested in ["emails[emails[type pr]]", "emails[type eq \"work\" and addresses[type eq \"home\"]]"] {
            server.filter("/Users", nested).fails(400, "invalidFilter");
        }
    });
}

#[test]
fn erratum_7122_a_path_may_select_simple_values() {
    on_every_store(|server| {
        let made = server.create("/Gadgets", with(gadget("arm"), json!({"tags": ["red", "blue", "green"]})));
        let change = json!([{"op": "remove", "path": "tags[value eq \"BLUE\"]"}]);
        assert_eq!(server.patch(made.path(), change).is(200)["tags"], json!(["red", "green"]));
        let change = json!([{"op": "replace", "path": "tags[value sw \"r\"]", "value": "yellow"}]);
        assert_eq!(server.patch(made.path(), change).is(200)["tags"], json!(["yellow", "green"]));
    });
}

#[test]
fn erratum_8084_what_is_listed_says_its_schemas() {
    on_every_store(|server| {
        server.create("/Users", user("ada"));
        for query in ["", "?attributes=userName", "?excludedAttributes=schemas"] {
            assert_eq!(server.get(format!("/Users{query}")).is(200).resources()[0]["schemas"], json!([urns::USER]));
        }
    });
}

#[test]
fn erratum_8097_adding_to_what_is_not_there_has_no_target() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let change = json!([{"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@x.example"}]);
        server.patch(made.path(), change).fails(400, "noTarget");
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

#[test]
fn erratum_8367_a_resource_is_at_its_id_alone() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"externalId": "e-1"})));
        for other in ["ada", "e-1"] {
            server.get(format!("/Users/{other}")).fails(404, "");
            server.delete(format!("/Users/{other}")).fails(404, "");
        }
        server.get(made.path()).is(200);
    });
}

#[test]
fn erratum_5050_a_patch_in_bulk_is_a_whole_message() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let patch = |data: Value| {
            let operations = json!([{"method": "PATCH", "path": made.path(), "data": data}]);
            let bulk = json!({"schemas": [urns::BULK_REQUEST], "Operations": operations});
            server.post("/Bulk", bulk).is(200)["Operations"][0]["status"].clone()
        };
        let operations = json!([{"op": "add", "path": "title", "value": "t"}]);
        assert_eq!(patch(operations.clone()), "400", "the form of the example in the RFC is no message");
        assert_eq!(patch(json!({"schemas": [urns::PATCH_OP], "Operations": operations})), "200");
        assert_eq!(server.get(made.path()).is(200)["title"], "t");
    });
}

#[test]
fn erratum_5295_an_answer_has_no_authorization() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let change = json!([{"op": "add", "path": "title", "value": "t"}]);
        assert_eq!(server.patch(made.path(), change).is(200).header("authorization"), None);
        assert_eq!(server.delete(made.path()).is(204).header("authorization"), None);
    });
}

#[test]
fn erratum_6010_a_page_counts_what_is_in_it() {
    on_every_store(|server| {
        for name in ["a", "b", "c"] {
            server.create("/Users", user(name));
        }
        for path in ["/Users", "/Users?count=2", "/Users?startIndex=3&count=2", "/ResourceTypes", "/Schemas"] {
            let list = server.get(path).is(200);
            assert_eq!(list["itemsPerPage"], list.resources().len(), "{path}");
        }
    });
}
