//! POST: RFC 7644 section 3.3, with what RFC 7643 says of `schemas`, `id` and `meta`.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::{Catalog, Instant, ResourceTypeSpec, urns};
use scimwright_tests::{BASE, BENCH, GADGET, Setup, gadget, group, on_every_store, user, with, without};
use serde_json::{Value, json};

#[test]
fn cr_1_post_creates() {
    on_every_store(|server| {
        let made = server.post("/Users", user("ada")).is(201);
        assert_eq!(made["userName"], "ada");
        server.get(made.path()).is(200);
        assert_eq!(server.get("/Users").is(200)["totalResults"], 1);
    });
}

#[test]
fn cr_2_location_is_where_it_is() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let location = made.header("location").unwrap();
        assert_eq!(location, format!("{BASE}/Users/{}", made.id()));
        assert_eq!(made["meta"]["location"], location);
        assert_eq!(made.header("content-location"), None);
    });
}

#[test]
fn cr_3_the_answer_is_what_get_shows() {
    on_every_store(|server| {
        let body = with(
            user("ada"),
            json!({"title": "Lady", "emails": [{"value": "ada@x.example"}], urns::ENTERPRISE_USER: {"department": "D"}}),
        );
        let made = server.create("/Users", body);
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

#[test]
fn cr_4_read_only_attributes_are_ignored() {
    on_every_store(|server| {
        let team = server.create("/Groups", group("team", &[]));
        let body = with(user("ada"), json!({"id": "mine", "groups": [{"value": team.id()}], "meta": {"version": "x"}}));
        let made = server.create("/Users", body);
        assert_ne!(made.id(), "mine");
        assert_eq!(made["groups"], Value::Null);
        assert_ne!(made["meta"]["version"], "x");
        let made = server.create("/Gadgets", with(gadget("arm"), json!({"state": "running"})));
        assert_eq!(made["state"], Value::Null);
        // What is ignored is not even looked at.
        server.create("/Users", with(user("bob"), json!({"groups": "none", "id": 7, "meta": []})));
    });
}

#[test]
fn cr_6_null_means_no_value() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"active": null, "emails": [], "title": null})));
        assert_eq!(made.keys(), ["id", "meta", "schemas", "userName"]);
    });
}

#[test]
fn cr_7_er_8_a_taken_value_is_a_conflict() {
    on_every_store(|server| {
        server.create("/Users", user("ada"));
        server.post("/Users", user("ADA")).fails(409, "uniqueness");
        assert_eq!(server.get("/Users").is(200)["totalResults"], 1);
        server.create("/Gadgets", with(gadget("arm"), json!({"serial": "S-1"})));
        server.post("/Gadgets", with(gadget("leg"), json!({"serial": "S-1"}))).fails(409, "uniqueness");
        server.create("/Gadgets", with(gadget("leg"), json!({"serial": "s-1"})));
        // A user and a gadget may have one name.
        server.create("/Gadgets", gadget("ada"));
    });
}

#[test]
fn cr_8_what_is_no_json_is_bad_syntax() {
    on_every_store(|server| {
        for text in ["{", "", "[", "nul", "{\"userName\": }", "{} {}", "\u{feff}{}"] {
            server.ask("POST", "/Users").raw(text).fails(400, "invalidSyntax");
        }
        for body in [json!([]), json!("ada"), json!(7), json!(null)] {
            server.post("/Users", body).fails(400, "invalidSyntax");
        }
        assert_eq!(server.get("/Users").is(200)["totalResults"], 0);
    });
}

/// Proves: A-17.
#[test]
fn cr_9_c_15_required_values_and_types_are_checked() {
    on_every_store(|server| {
        for body in [
            without(user("x"), "userName"),
            user(""),
            with(user("x"), json!({"userName": null})),
            with(user("x"), json!({"userName": 7})),
            with(user("x"), json!({"active": "yes"})),
            with(user("x"), json!({"emails": {"value": "a@x.example"}})),
            with(user("x"), json!({"name": "Ada"})),
            with(user("x"), json!({urns::ENTERPRISE_USER: []})),
            with(user("x"), json!({urns::ENTERPRISE_USER: {"manager": {"value": 1}}})),
        ] {
            server.post("/Users", body).fails(400, "invalidValue");
        }
        server.post("/Groups", without(group("g", &[]), "displayName")).fails(400, "invalidValue");
        server.post("/Gadgets", json!({"schemas": [GADGET]})).fails(400, "invalidValue");
    });
}

#[test]
fn cr_10_de_3_a_deleted_resource_blocks_no_name() {
    on_every_store(|server| {
        let first = server.create("/Users", user("ada"));
        server.delete(first.path()).is(204);
        let second = server.create("/Users", user("Ada"));
        assert_ne!(first.id(), second.id());
    });
}

#[test]
fn cr_11_pr_2_the_answer_is_projected() {
    on_every_store(|server| {
        let body = with(user("ada"), json!({"title": "Countess", "nickName": "A"}));
        let made = server.create("/Users?attributes=title", body);
        assert_eq!(made.keys(), ["id", "schemas", "title"]);
        assert!(made.header("location").is_some_and(|location| location.ends_with(made.id())));
        assert!(made.header("etag").is_some());
        let made = server.create("/Users?excludedAttributes=meta,title", with(user("bob"), json!({"title": "t"})));
        assert_eq!(made.keys(), ["id", "schemas", "userName"]);
    });
}

#[test]
fn s_1_everything_says_what_it_is() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[made.id()]));
        let bulk = json!({"schemas": [urns::BULK_REQUEST], "Operations": [{"method": "DELETE", "path": "/Users/x"}]});
        let search = json!({"schemas": [urns::SEARCH_REQUEST]});
        for (answer, urn) in [
            (server.get(made.path()).is(200), urns::USER),
            (server.get(format!("{}?attributes=userName", made.path())).is(200), urns::USER),
            (server.get(format!("{}?excludedAttributes=schemas", made.path())).is(200), urns::USER),
            (server.get(team.path()).is(200), urns::GROUP),
            (server.get("/Users").is(200), urns::LIST_RESPONSE),
            (server.get("/Users?count=0").is(200), urns::LIST_RESPONSE),
            (server.post("/Users/.search", search).is(200), urns::LIST_RESPONSE),
            (server.post("/Bulk", bulk).is(200), urns::BULK_RESPONSE),
            (server.get("/Users/x").is(404), urns::ERROR),
            (server.post("/Users", json!({})).is(400), urns::ERROR),
            (server.get("/ServiceProviderConfig").is(200), urns::SERVICE_PROVIDER_CONFIG),
            (server.get("/Schemas").is(200), urns::LIST_RESPONSE),
            (server.get("/ResourceTypes/User").is(200), urns::RESOURCE_TYPE),
            (server.get(format!("/Schemas/{}", urns::USER)).is(200), urns::SCHEMA),
        ] {
            assert_eq!(answer["schemas"], json!([urn]), "{}", answer.text);
            // What is inside says so too, where it is a resource or a message.
            let inside = answer["Resources"].as_array().into_iter().flatten();
            let results = answer["Operations"].as_array().into_iter().flatten().map(|result| &result["response"]);
            for resource in inside.chain(results) {
                assert!(resource["schemas"].as_array().is_some_and(|urns| !urns.is_empty()), "{}", answer.text);
            }
        }
    });
}

#[test]
fn s_2_schemas_must_be_there() {
    on_every_store(|server| {
        server.post("/Users", json!({"userName": "ada"})).fails(400, "invalidValue");
        for schemas in [json!([]), json!(null), json!(urns::USER), json!([7]), json!({})] {
            server.post("/Users", with(user("ada"), json!({"schemas": schemas}))).fails(400, "invalidValue");
        }
    });
    let lenient = Setup::default().profile(Profile::strict().with(Quirk::NoSchemas));
    lenient.on_every_store(|server| {
        assert_eq!(server.create("/Users", json!({"userName": "ada"}))["schemas"], json!([urns::USER]));
    });
}

#[test]
fn s_3_s_6_schemas_have_no_repetition_and_no_order() {
    on_every_store(|server| {
        let schemas = json!([urns::ENTERPRISE_USER, urns::USER, urns::USER, urns::ENTERPRISE_USER]);
        let body = with(user("ada"), json!({"schemas": schemas, urns::ENTERPRISE_USER: {"department": "D"}}));
        assert_eq!(server.create("/Users", body)["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]));
    });
}

#[test]
fn s_4_s_5_schemas_are_those_of_the_type() {
    on_every_store(|server| {
        for schemas in [json!([urns::USER, "urn:who:knows"]), json!([urns::USER, urns::GROUP]), json!([urns::GROUP])] {
            server.post("/Users", with(user("ada"), json!({"schemas": schemas}))).fails(400, "invalidValue");
        }
        server.post("/Users", with(user("a"), json!({"schemas": [urns::ENTERPRISE_USER]}))).fails(400, "invalidValue");
        server.post("/Groups", with(group("g", &[]), json!({"schemas": [urns::USER]}))).fails(400, "invalidValue");
    });
}

#[test]
fn s_7_s_8_s_11_an_extension_has_a_container_of_its_name() {
    on_every_store(|server| {
        let bare = server.create("/Users", user("bob"));
        assert_eq!(bare["schemas"], json!([urns::USER]));
        // Named but empty is not in use; in use but not named is.
        let named =
            with(user("eve"), json!({"schemas": [urns::USER, urns::ENTERPRISE_USER], urns::ENTERPRISE_USER: {}}));
        assert_eq!(server.create("/Users", named)["schemas"], json!([urns::USER]));
        let body = with(user("ada"), json!({urns::ENTERPRISE_USER: {"department": "D", "manager": {"value": "7"}}}));
        let made = server.get(server.create("/Users", body).path()).is(200);
        assert_eq!(made["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]));
        assert_eq!(made[urns::ENTERPRISE_USER], json!({"department": "D", "manager": {"value": "7"}}));
        assert_eq!(made["department"], Value::Null);
    });
}

#[test]
fn s_10_a_required_extension_is_required() {
    let catalog = Catalog::standard()
        .with_schema(&json!({"id": "urn:x:Thing", "attributes": [{"name": "name"}]}))
        .unwrap()
        .with_schema(&json!({"id": "urn:x:Tag", "attributes": [{"name": "tag", "required": true}, {"name": "ink"}]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(json!({
            "name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing",
            "schemaExtensions": [{"schema": "urn:x:Tag", "required": true}]})))
        .unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let thing = |tag: Value| json!({"schemas": ["urn:x:Thing", "urn:x:Tag"], "name": "n", "urn:x:Tag": tag});
        server.post("/Things", json!({"schemas": ["urn:x:Thing"], "name": "n"})).fails(400, "invalidValue");
        server.post("/Things", thing(json!({"ink": "red"}))).fails(400, "invalidValue");
        let made = server.create("/Things", thing(json!({"tag": "t"})));
        assert_eq!(made["schemas"], json!(["urn:x:Thing", "urn:x:Tag"]));
        server.put(made.path(), json!({"schemas": ["urn:x:Thing"], "name": "n"})).fails(400, "invalidValue");
        server.patch(made.path(), json!([{"op": "remove", "path": "urn:x:Tag"}])).fails(400, "mutability");
        server.patch(made.path(), json!([{"op": "remove", "path": "urn:x:Tag:tag"}])).fails(400, "mutability");
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

#[test]
fn s_12_uris_of_schemas_have_no_case() {
    on_every_store(|server| {
        let upper = |urn: &str| urn.to_uppercase();
        let body = json!({
            "schemas": [upper(urns::USER), upper(urns::ENTERPRISE_USER)], "userName": "ada",
            upper(urns::ENTERPRISE_USER): {"department": "D"},
        });
        let made = server.create("/Users", body);
        assert_eq!(made["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]));
        assert_eq!(made[urns::ENTERPRISE_USER]["department"], "D");
    });
}

#[test]
fn s_15_s_16_a_type_of_ones_own_is_served_like_any_other() {
    on_every_store(|server| {
        let body = with(gadget("arm"), json!({"schemas": [GADGET, BENCH], BENCH: {"bench": "north"}}));
        let made = server.create("/Gadgets", body);
        assert_eq!(made.header("location").unwrap(), format!("{BASE}/Gadgets/{}", made.id()));
        assert_eq!(made["meta"]["resourceType"], "Gadget");
        assert_eq!(server.filter("/Gadgets", "name eq \"ARM\"").is(200).resources(), [made.body]);
        let kind = server.get("/ResourceTypes/Gadget").is(200);
        assert_eq!((&kind["name"], &kind["endpoint"]), (&json!("Gadget"), &json!("/Gadgets")));
        assert_eq!(kind["schema"], GADGET);
        assert_eq!(kind["schemaExtensions"][0]["schema"], BENCH);
        for urn in [GADGET, BENCH] {
            assert_eq!(server.get(format!("/Schemas/{urn}")).is(200).id(), urn);
        }
    });
}

#[test]
fn m_1_m_2_m_3_ids_are_the_servers() {
    on_every_store(|server| {
        let mut ids = std::collections::BTreeSet::new();
        for name in ["a", "b", "c", "d"] {
            let made = server.create("/Users", with(user(name), json!({"id": "mine"})));
            let team = server.create("/Groups", group(name, &[made.id()]));
            server.delete(made.path()).is(204);
            for id in [made.id(), team.id()] {
                // Of such letters "bulkId" cannot be made, however often one draws.
                assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{id}");
                assert!(ids.insert(id.to_owned()), "{id} was given twice");
            }
            let renamed = json!([{"op": "replace", "path": "displayName", "value": "other"}]);
            assert_eq!(server.patch(team.path(), renamed).is(200).id(), team.id());
            assert_eq!(server.put(team.path(), with(group(name, &[]), json!({"id": "x"}))).is(200).id(), team.id());
        }
    });
}

#[test]
fn m_4_ids_have_case_and_are_always_shown() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let upper = made.id().to_uppercase();
        assert_ne!(upper, made.id(), "a random identifier without a letter: the test cannot say anything");
        server.get(format!("/Users/{upper}")).fails(404, "");
        assert!(server.found(&format!("id eq \"{upper}\"")).is_empty());
        assert_eq!(server.found(&format!("id eq \"{}\"", made.id())), ["ada"]);
        assert_eq!(server.get(format!("{}?excludedAttributes=id", made.path())).is(200).id(), made.id());
        server.patch(made.path(), json!([{"op": "replace", "path": "id", "value": "x"}])).fails(400, "mutability");
    });
}

#[test]
fn m_5_the_server_makes_up_no_external_id() {
    on_every_store(|server| {
        assert_eq!(server.create("/Users", user("ada"))["externalId"], Value::Null);
        assert_eq!(server.create("/Groups", group("g", &[]))["externalId"], Value::Null);
    });
}

#[test]
fn m_6_external_ids_have_case_and_may_repeat() {
    on_every_store(|server| {
        for (name, external) in [("a", "X-1"), ("b", "X-1"), ("c", "x-1")] {
            server.create("/Users", with(user(name), json!({"externalId": external})));
        }
        assert_eq!(server.found("externalId eq \"X-1\""), ["a", "b"]);
        assert_eq!(server.found("externalId eq \"x-1\""), ["c"]);
        let ada = server.create("/Users", user("ada"));
        let change = json!([{"op": "add", "path": "externalId", "value": "X-1"}]);
        assert_eq!(server.patch(ada.path(), change).is(200)["externalId"], "X-1");
        let put = server.put(ada.path(), with(user("ada"), json!({"externalId": "X-2"}))).is(200);
        assert_eq!(put["externalId"], "X-2");
    });
}

#[test]
fn m_7_m_8_m_9_m_11_meta_is_the_servers() {
    on_every_store(|server| {
        let meta = json!({"resourceType": "Group", "created": "1970-01-01T00:00:00Z", "location": "x", "version": "y"});
        let made = server.create("/Users", with(user("ada"), json!({"meta": meta.clone()})));
        assert_eq!(made["meta"]["resourceType"], "User");
        assert_eq!(server.create("/Groups", group("g", &[]))["meta"]["resourceType"], "Group");
        let created: Instant = made["meta"]["created"].as_str().unwrap().parse().unwrap();
        assert!(created > "2020-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(made["meta"]["created"], made["meta"]["lastModified"]);
        let put = server.put(made.path(), with(user("eve"), json!({"meta": meta}))).is(200);
        assert_eq!(put["meta"]["resourceType"], "User");
        assert_eq!(put["meta"]["created"], made["meta"]["created"]);
        assert_eq!(put["meta"]["location"], made["meta"]["location"]);
        assert_ne!(put["meta"]["version"], "y");
    });
}

#[test]
fn m_13_m_14_m_15_meta_says_where_and_which() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        assert!(made.etag().starts_with("W/\"") && made.etag().ends_with('"'), "{}", made.etag());
        assert_eq!(made["meta"]["version"], made.etag());
        let read = server.get(made.path()).is(200);
        assert_eq!(read.header("content-location"), made.header("location"));
        assert_eq!(read.etag(), made.etag());
    });
}

#[test]
fn m_16_m_17_common_attributes_are_as_the_rfc_has_them() {
    let catalog = Catalog::empty()
        .with_schema(&json!({"id": "urn:x:Thing", "attributes": [
            {"name": "id", "mutability": "readWrite", "caseExact": false, "returned": "default"},
            {"name": "externalId", "caseExact": false, "mutability": "readOnly"},
            {"name": "name"}]}))
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}),
        ))
        .unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let body = json!({"schemas": ["urn:x:Thing"], "id": "mine", "externalId": "E-1"});
        let made = server.create("/Things?excludedAttributes=id", body);
        assert_ne!(made.id(), "mine");
        assert_eq!(made["externalId"], "E-1");
        assert_eq!(made["meta"]["resourceType"], "Thing");
        assert_eq!(server.filter("/Things", "externalId eq \"e-1\"").is(200)["totalResults"], 0);
    });
}
