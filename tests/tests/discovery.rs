//! What the service says of itself: RFC 7644 section 4, RFC 7643 sections 5 to 8.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_testkit::vector_catalog;
use scimwright_tests::{BASE, BENCH, GADGET, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

#[test]
fn d_1_d_2_d_4_the_configuration_is_one_whole_object() {
    on_every_store(|server| {
        let config = server.get("/ServiceProviderConfig").is(200);
        assert_eq!(config["schemas"], json!([urns::SERVICE_PROVIDER_CONFIG]));
        assert_eq!(config["Resources"], Value::Null);
        for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
            assert!(config[feature]["supported"].is_boolean(), "{feature}: {}", config.text);
        }
        for (feature, limit) in [("bulk", "maxOperations"), ("bulk", "maxPayloadSize"), ("filter", "maxResults")] {
            assert!(config[feature][limit].is_u64(), "{feature}.{limit}: {}", config.text);
        }
        let schemes = config["authenticationSchemes"].as_array().unwrap();
        let types = ["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"];
        assert!(!schemes.is_empty());
        for scheme in schemes {
            assert!(types.contains(&scheme["type"].as_str().unwrap()), "{scheme}");
            assert!(scheme["name"].is_string() && scheme["description"].is_string(), "{scheme}");
        }
        assert_eq!(config["meta"]["resourceType"], "ServiceProviderConfig");
        assert_eq!(config["meta"]["location"], format!("{BASE}/ServiceProviderConfig"));
    });
}

/// Proves: PA-1, B-1.
#[test]
fn d_17_what_is_announced_is_what_works() {
    on_every_store(|server| {
        let config = server.get("/ServiceProviderConfig").is(200);
        let supported = |feature: &str| config[feature]["supported"] == true;
        let made = server.create("/Users", user("ada"));
        let patched = server.patch(made.path(), json!([{"op": "add", "path": "title", "value": "t"}])).send().status;
        assert_eq!(supported("patch"), patched == 200);
        let bulk = server
            .post(
                "/Bulk",
                json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "POST", "path": "/Users", "bulkId": "b", "data": user("bulk")}]}),
            )
            .send()
            .status;
        assert_eq!(supported("bulk"), bulk == 200);
        assert_eq!(bulk == 501, !supported("bulk"));
        let found = server.filter("/Users", "userName eq \"ada\"").send();
        assert_eq!(supported("filter"), found.status == 200 && found["totalResults"] == 1);
        assert_eq!(supported("etag"), server.get(made.path()).send().header("etag").is_some());
        for name in ["c", "b"] {
            server.create("/Users", user(name));
        }
        let names = server.get("/Users?sortBy=userName&sortOrder=descending").is(200);
        let in_order: Vec<&str> = names.resources().iter().map(|user| user["userName"].as_str().unwrap()).collect();
        assert_eq!(supported("sort"), in_order.is_sorted_by(|left, right| left >= right), "{in_order:?}");
        assert_eq!(config["pagination"]["index"], true);
    });
}

#[test]
fn d_3_d_14_discovery_cannot_be_written() {
    on_every_store(|server| {
        for path in ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User"] {
            let before = server.get(path).is(200).text;
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let refused = server.ask(method, path).json(&json!({})).fails(405, "");
                assert_eq!(refused.header("allow"), Some("GET, HEAD"));
            }
            assert_eq!(server.get(path).is(200).text, before);
        }
    });
}

#[test]
fn d_5_d_6_d_16_lists_and_single_resources_say_the_same() {
    on_every_store(|server| {
        for (path, member, kind) in
            [("/Schemas", urns::SCHEMA, "Schema"), ("/ResourceTypes", urns::RESOURCE_TYPE, "ResourceType")]
        {
            let list = server.get(path).is(200);
            assert_eq!(list["schemas"], json!([urns::LIST_RESPONSE]));
            assert_eq!(list["totalResults"], list.resources().len());
            assert_eq!(list["itemsPerPage"], list.resources().len());
            assert_eq!(list["startIndex"], 1);
            for resource in list.resources() {
                assert_eq!(resource["schemas"], json!([member]));
                assert_eq!(resource["meta"]["resourceType"], kind);
                let location = resource["meta"]["location"].as_str().unwrap();
                assert_eq!(location, format!("{BASE}{path}/{}", resource["id"].as_str().unwrap()));
                assert_eq!(server.get(location.strip_prefix(BASE).unwrap()).is(200).body, *resource);
            }
        }
        let names = server.get("/ResourceTypes").is(200).names("name").join(" ");
        assert_eq!(names, "Gadget Group User");
        // The URI of a schema has no case, the name of a type has.
        let upper = format!("/Schemas/{}", urns::USER.to_uppercase());
        assert_eq!(server.get(upper).is(200).id(), urns::USER);
        server.get("/ResourceTypes/USER").fails(404, "");
    });
}

#[test]
fn d_7_discovery_has_no_pages_and_no_order() {
    on_every_store(|server| {
        for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
            let all = server.get(path).is(200).text;
            let query = "count=1&startIndex=2&sortBy=id&sortOrder=descending";
            assert_eq!(server.get(format!("{path}?{query}")).is(200).text, all);
            assert_eq!(server.get(format!("{path}?count=abc")).is(200).text, all);
        }
    });
}

#[test]
fn d_8_discovery_cannot_be_filtered() {
    on_every_store(|server| {
        for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/ResourceTypes/User", "/Schemas/x"] {
            server.filter(path, "name eq \"User\"").fails(403, "");
            server.filter(path, "name eq \"User\"").without("authorization").fails(403, "");
        }
    });
}

#[test]
fn d_9_d_10_d_11_types_and_schemas_fit_together() {
    on_every_store(|server| {
        let schemas = server.get("/Schemas").is(200);
        let ids = schemas.names("id");
        let types = server.get("/ResourceTypes").is(200);
        let mut endpoints = std::collections::BTreeSet::new();
        for kind in types.resources() {
            let text = |name: &str| kind[name].as_str().unwrap_or_else(|| panic!("{name}: {kind}"));
            assert_eq!(text("id"), text("name"));
            assert!(text("endpoint").starts_with('/') && endpoints.insert(text("endpoint")), "{kind}");
            assert!(ids.contains(&text("schema")), "{kind}");
            for extension in kind["schemaExtensions"].as_array().unwrap() {
                assert!(ids.contains(&extension["schema"].as_str().unwrap()), "{kind}");
                assert!(extension["required"].is_boolean(), "{kind}");
            }
            server.get(text("endpoint")).is(200);
        }
        assert!(ids.contains(&GADGET) && ids.contains(&BENCH) && ids.contains(&urns::ENTERPRISE_USER));
    });
}

#[test]
fn d_12_every_uri_in_use_has_a_schema() {
    on_every_store(|server| {
        let body = with(user("ada"), json!({urns::ENTERPRISE_USER: {"department": "D"}}));
        server.create("/Users", body);
        server.create("/Groups", group("team", &[]));
        let bench = json!({"schemas": [GADGET, BENCH], BENCH: {"bench": "b"}});
        server.create("/Gadgets", with(gadget("arm"), bench));
        let listed = server.get("/Schemas").is(200);
        let ids = listed.names("id");
        let mut used = std::collections::BTreeSet::new();
        for path in ["/Users", "/Groups", "/Gadgets", "/Schemas", "/ResourceTypes"] {
            for resource in server.get(path).is(200).resources() {
                used.extend(resource["schemas"].as_array().unwrap().iter().map(|urn| urn.as_str().unwrap().to_owned()));
            }
        }
        used.insert(server.get("/ServiceProviderConfig").is(200)["schemas"][0].as_str().unwrap().to_owned());
        assert_eq!(used.len(), 8, "{used:?}");
        for urn in &used {
            assert!(ids.contains(&urn.as_str()), "{urn} is not in {ids:?}");
            assert_eq!(server.get(format!("/Schemas/{urn}")).is(200).id(), urn);
        }
    });
}

/// Every attribute of a schema, parts and all, with the path to it.
fn attributes<'a>(of: &'a Value, prefix: &str, found: &mut Vec<(String, &'a Value)>) {
    let parts = of["attributes"].as_array().or_else(|| of["subAttributes"].as_array());
    for attribute in parts.into_iter().flatten() {
        let path = format!("{prefix}{}", attribute["name"].as_str().unwrap());
        attributes(attribute, &format!("{path}."), found);
        found.push((path, attribute));
    }
}

#[test]
fn d_13_schemas_spell_out_every_characteristic() {
    on_every_store(|server| {
        for schema in server.get("/Schemas").is(200).resources() {
            assert!(schema["name"].is_string() && schema["description"].is_string(), "{schema}");
            let mut all = Vec::new();
            attributes(schema, "", &mut all);
            assert!(!all.is_empty(), "{schema}");
            for (path, attribute) in all {
                let text =
                    |name: &str| attribute[name].as_str().unwrap_or_else(|| panic!("{path}.{name}: {attribute}"));
                let flag = |name: &str| assert!(attribute[name].is_boolean(), "{path}.{name}: {attribute}");
                text("description");
                flag("multiValued");
                flag("required");
                assert!(["readOnly", "readWrite", "immutable", "writeOnly"].contains(&text("mutability")), "{path}");
                assert!(["always", "never", "default", "request"].contains(&text("returned")), "{path}");
                match text("type") {
                    "complex" => assert!(attribute["subAttributes"].is_array(), "{path}"),
                    "string" | "reference" | "binary" => {
                        flag("caseExact");
                        assert!(["none", "server", "global"].contains(&text("uniqueness")), "{path}");
                    }
                    "boolean" | "decimal" | "integer" | "dateTime" => {}
                    other => panic!("{path} is of type {other}"),
                }
            }
        }
    });
}

#[test]
fn d_13_what_was_loaded_is_what_is_shown() {
    let shipped: Value = serde_json::from_str(include_str!("../data/schemas/Gadget.json")).unwrap();
    on_every_store(|server| {
        let served = server.get(format!("/Schemas/{GADGET}")).is(200);
        let (mut wanted, mut came) = (Vec::new(), Vec::new());
        attributes(&shipped, "", &mut wanted);
        attributes(&served.body, "", &mut came);
        assert_eq!(wanted.len(), came.len());
        for ((path, wanted), (other, came)) in wanted.iter().zip(&came) {
            assert_eq!(path, other);
            for (name, value) in wanted.as_object().unwrap() {
                if name != "subAttributes" {
                    assert_eq!(came[name], *value, "{path}.{name}");
                }
            }
        }
    });
}

#[test]
fn s_13_s_14_messages_are_no_schemas() {
    on_every_store(|server| {
        for id in server.get("/Schemas").is(200).names("id") {
            assert!(!id.contains(":api:"), "{id}");
        }
        for message in [
            urns::LIST_RESPONSE,
            urns::PATCH_OP,
            urns::SEARCH_REQUEST,
            urns::ERROR,
            urns::BULK_REQUEST,
            urns::BULK_RESPONSE,
        ] {
            assert!(message.starts_with("urn:ietf:params:scim:api:"));
            server.get(format!("/Schemas/{message}")).fails(404, "");
        }
    });
}

#[test]
fn d_15_d_18_what_is_not_known_is_404() {
    on_every_store(|server| {
        for path in [
            "/Schemas/urn:x",
            "/Schemas/User",
            "/Schemas/%20",
            "/ResourceTypes/Robot",
            "/ServiceProviderConfigs",
            "/Schema",
        ] {
            server.get(path).fails(404, "");
        }
    });
}

#[test]
fn s_15_a_smaller_catalog_is_a_smaller_service() {
    let catalog = scimwright_core::Catalog::empty();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        assert_eq!(server.get("/ResourceTypes").is(200)["totalResults"], 0);
        assert_eq!(server.get("/Schemas").is(200)["totalResults"], 0);
        server.get("/Users").fails(404, "");
        server.post("/Users", user("ada")).fails(404, "");
    });
    assert_eq!(vector_catalog().unwrap().resource_types().len(), 3);
}
