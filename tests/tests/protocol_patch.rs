//! PATCH over HTTP: RFC 7644 section 3.5.2. What operations do in full is in the vectors; here is what a client sees.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{Answer, BENCH, PASSWORD, Server, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

/// A user with something in most places.
fn ada(server: &Server) -> Answer {
    let body = json!({
        "title": "Countess", "name": {"givenName": "Ada", "familyName": "Lovelace"}, "active": true,
        "emails": [{"value": "ada@x.example", "type": "work", "primary": true},
            {"value": "ada@home.org", "type": "home"}],
        urns::ENTERPRISE_USER: {"department": "Engines", "manager": {"value": "7"}},
    });
    server.create("/Users", with(user("ada"), body))
}

#[test]
fn pa_1_pa_10_a_patch_answers_with_the_whole_resource() {
    on_every_store(|server| {
        let made = ada(server);
        let patched = server.patch(made.path(), json!([{"op": "replace", "path": "title", "value": "Lady"}])).is(200);
        assert_eq!(patched["title"], "Lady");
        assert_eq!(patched.keys(), made.keys());
        assert_eq!(patched.header("content-location"), made.header("location"));
        assert_ne!(patched.etag(), made.etag());
        assert_eq!(server.get(made.path()).is(200).text, patched.text);
    });
}

/// Proves: R-31.
#[test]
fn pa_2_pa_3_pa_4_the_message_says_what_it_is() {
    on_every_store(|server| {
        let made = ada(server);
        let remove = json!({"op": "remove", "path": "title"});
        for message in [
            json!({"Operations": [remove]}),
            json!({"schemas": [], "Operations": [remove]}),
            json!({"schemas": [urns::USER], "Operations": [remove]}),
            json!({"schemas": [urns::PATCH_OP]}),
            json!({"schemas": [urns::PATCH_OP], "Operations": []}),
            json!({"schemas": [urns::PATCH_OP], "Operations": remove}),
            json!({"schemas": [urns::PATCH_OP], "Operations": [null]}),
            json!({"schemas": [urns::PATCH_OP], "Operations": [{"path": "title"}]}),
            json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": "move", "path": "title"}]}),
            json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": ["remove"], "path": "title"}]}),
            json!([]),
            json!("remove"),
        ] {
            let answer = server.ask("PATCH", made.path()).json(&message).is(400);
            let scim_type = answer["scimType"].as_str().unwrap_or_default();
            assert!(["invalidSyntax", "invalidValue"].contains(&scim_type), "{message}: {}", answer.text);
        }
        server.ask("PATCH", made.path()).raw("{").fails(400, "invalidSyntax");
        assert_eq!(server.get(made.path()).is(200).text, made.text);
        // the word of an operation has no case, and neither have names.
        let message =
            json!({"SCHEMAS": [urns::PATCH_OP.to_uppercase()], "operations": [{"OP": "Remove", "Path": "TITLE"}]});
        assert_eq!(server.ask("PATCH", made.path()).json(&message).is(200)["title"], Value::Null);
    });
}

/// Proves: PA-6, PA-7, PA-9, PA-12, PA-15, PA-17, PA-18, PA-19, PA-23, PD-9, PM-1, PM-7, PM-9, PX-7, R-33, R-41.
#[test]
fn pa_5_to_pa_20_what_cannot_be_done_is_told_by_its_type() {
    on_every_store(|server| {
        let made = ada(server);
        let arm = server
            .create("/Gadgets", with(gadget("arm"), json!({"serial": "S", "parts": [{"value": "p", "sku": "K"}]})));
        let team = server.create("/Groups", group("team", &[made.id()]));
        server.create("/Users", user("bob"));
        let before = server.get(made.path()).is(200);
        let (user, gadget, group) = (made.path(), arm.path(), team.path());
        for (path, operation, status, scim_type) in [
            // PA-6, PA-12: no path.
            (user, json!({"op": "replace", "path": "emails[", "value": 1}), 400, "invalidFilter"),
            (user, json!({"op": "replace", "path": "title.", "value": 1}), 400, "invalidPath"),
            (user, json!({"op": "replace", "path": "emails[0]", "value": {}}), 400, "invalidFilter"),
            (user, json!({"op": "replace", "path": "/emails/0", "value": {}}), 400, "invalidPath"),
            (user, json!({"op": "replace", "path": 7, "value": {}}), 400, "invalidPath"),
            (user, json!({"op": "remove", "path": "emails[type is \"work\"]"}), 400, "invalidFilter"),
            (user, json!({"op": "remove", "path": "emails[primary gt true]"}), 400, "invalidFilter"),
            (user, json!({"op": "copy", "from": "title", "path": "nickName"}), 400, "invalidSyntax"),
            // PA-7: outside the schema.
            (user, json!({"op": "add", "path": "favouriteColour", "value": "red"}), 400, "invalidPath"),
            (user, json!({"op": "add", "path": "name.epithet", "value": "x"}), 400, "invalidPath"),
            (user, json!({"op": "add", "path": "department", "value": "x"}), 400, "invalidPath"),
            (user, json!({"op": "add", "path": "urn:who:knows:x", "value": "x"}), 400, "invalidPath"),
            // PA-15.
            (user, json!({"op": "replace", "path": "active", "value": "yes"}), 400, "invalidValue"),
            (user, json!({"op": "replace", "path": "title", "value": 7}), 400, "invalidValue"),
            (user, json!({"op": "add", "path": "emails", "value": "x"}), 400, "invalidValue"),
            (user, json!({"op": "add", "value": "x"}), 400, "invalidValue"),
            (user, json!({"op": "add", "path": "title"}), 400, "invalidValue"),
            (user, json!({"op": "replace", "path": "userName", "value": " x"}), 400, "invalidValue"),
            // PA-18, U-10, U-18, R-33, R-41.
            (user, json!({"op": "replace", "path": "id", "value": "x"}), 400, "mutability"),
            (user, json!({"op": "replace", "path": "meta.version", "value": "x"}), 400, "mutability"),
            (user, json!({"op": "remove", "path": "meta"}), 400, "mutability"),
            (user, json!({"op": "add", "path": "groups", "value": [{"value": "1"}]}), 400, "mutability"),
            (user, json!({"op": "remove", "path": "groups"}), 400, "mutability"),
            (user, json!({"op": "replace", "value": {"id": "other"}}), 400, "mutability"),
            (
                user,
                json!({"op": "add", "path": format!("{}:manager.displayName", urns::ENTERPRISE_USER), "value": "x"}),
                400,
                "mutability",
            ),
            // PA-19, PM-9, PX-10, U-15.
            (gadget, json!({"op": "replace", "path": "serial", "value": "T"}), 400, "mutability"),
            (gadget, json!({"op": "remove", "path": "serial"}), 400, "mutability"),
            (gadget, json!({"op": "replace", "path": "parts[value eq \"p\"].sku", "value": "L"}), 400, "mutability"),
            (
                group,
                json!({"op": "replace", "path": format!("members[value eq \"{}\"].value", made.id()), "value": "x"}),
                400,
                "mutability",
            ),
            // PM-1, PM-7, PX-7, PX-8, PD-9.
            (user, json!({"op": "remove"}), 400, "noTarget"),
            (user, json!({"op": "remove", "path": "userName"}), 400, "mutability"),
            (group, json!({"op": "remove", "path": "displayName"}), 400, "mutability"),
            (user, json!({"op": "replace", "path": "userName", "value": null}), 400, "mutability"),
            (user, json!({"op": "replace", "path": "emails[type eq \"other\"].value", "value": "x"}), 400, "noTarget"),
            (user, json!({"op": "add", "path": "emails[type eq \"other\"].value", "value": "x"}), 400, "noTarget"),
            (user, json!({"op": "replace", "path": "phoneNumbers.type", "value": "x"}), 400, "noTarget"),
            // PM-10, R-19.
            (group, json!({"op": "remove", "path": "members", "value": [{"value": "x"}]}), 400, "invalidValue"),
            // PA-23, R-27.
            (user, json!({"op": "replace", "path": "userName", "value": "BOB"}), 409, "uniqueness"),
            // T-12.
            (group, json!({"op": "add", "path": "members", "value": [{"value": "nobody"}]}), 400, "invalidValue"),
            (group, json!({"op": "add", "path": "members", "value": [{"display": "x"}]}), 400, "invalidValue"),
        ] {
            let answer = server.patch(path, json!([operation])).send();
            let came = (answer.status, answer["scimType"].as_str().unwrap_or_default());
            assert_eq!(came, (status, scim_type), "{operation}: {}", answer.text);
            // PA-9: what went before is undone.
            let first = if path == user { "nickName" } else { "externalId" };
            let several = json!([{"op": "add", "path": first, "value": "x"}, operation]);
            assert_eq!(server.patch(path, several).send().status, status, "{operation}");
        }
        assert_eq!(server.get(user).is(200).text, before.text);
        assert_eq!(server.get(gadget).is(200).text, arm.text);
        assert_eq!(server.get(group).is(200).text, team.text);
    });
}

#[test]
fn pa_8_pa_16_operations_apply_in_order() {
    on_every_store(|server| {
        let made = ada(server);
        let patched = server.patch(made.path(), json!([
            {"op": "add", "path": "emails", "value": [{"value": "new@x.example", "type": "other"}]},
            {"op": "replace", "path": "EMAILS[TYPE eq \"OTHER\"].display", "value": "New"},
            {"op": "remove", "path": "emails[type eq \"home\"]"},
            {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "value": "Augusta"},
            {"op": "add", "value": {"nickName": "A", "name": {"middleName": "King"}}},
            {"op": "remove", "path": "nickName"},
        ]));
        let patched = patched.is(200);
        let emails = json!([{"value": "ada@x.example", "type": "work", "primary": true},
            {"value": "new@x.example", "type": "other", "display": "New"}]);
        assert_eq!(patched["emails"], emails);
        assert_eq!(patched["name"], json!({"givenName": "Augusta", "middleName": "King", "familyName": "Lovelace"}));
        assert_eq!(patched["nickName"], Value::Null);
    });
}

#[test]
fn pa_13_pd_12_a_new_primary_takes_the_place_of_the_old() {
    on_every_store(|server| {
        for operation in [
            json!({"op": "add", "path": "emails", "value": [{"value": "n", "primary": true}]}),
            json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}),
            json!({"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "n", "primary": true}}),
            json!({"op": "add", "value": {"emails": [{"value": "n", "primary": true}]}}),
        ] {
            let made = ada(server);
            let patched = server.patch(made.path(), json!([operation])).is(200);
            let primaries: Vec<&Value> =
                patched["emails"].as_array().unwrap().iter().filter(|email| email["primary"] == true).collect();
            assert_eq!(primaries.len(), 1, "{operation}: {}", patched.text);
            assert_ne!(primaries[0]["type"], "work", "{operation}");
            server.delete(made.path()).is(204);
        }
    });
}

/// Proves.
#[test]
fn pa_14_s_8_s_9_pd_10_pd_11_extensions_come_and_go() {
    on_every_store(|server| {
        let department = format!("{}:department", urns::ENTERPRISE_USER);
        for operation in [
            json!({"op": "add", "path": department, "value": "D"}),
            json!({"op": "replace", "path": department.to_uppercase(), "value": "D"}),
            json!({"op": "add", "value": {urns::ENTERPRISE_USER: {"department": "D"}}}),
            json!({"op": "replace", "value": {&department: "D"}}),
            json!({"op": "add", "path": urns::ENTERPRISE_USER, "value": {"department": "D"}}),
        ] {
            let made = server.create("/Users", user("ada"));
            let patched = server.patch(made.path(), json!([operation])).is(200);
            assert_eq!(patched["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]), "{operation}");
            assert_eq!(patched[urns::ENTERPRISE_USER], json!({"department": "D"}), "{operation}");
            //
            let patched = server.patch(made.path(), json!([{"op": "remove", "path": department}])).is(200);
            assert_eq!(patched["schemas"], json!([urns::USER]), "{operation}");
            assert_eq!(patched.body[urns::ENTERPRISE_USER], Value::Null);
            server.delete(made.path()).is(204);
        }
        let made = ada(server);
        let patched = server.patch(made.path(), json!([{"op": "remove", "path": urns::ENTERPRISE_USER}])).is(200);
        assert_eq!(patched["schemas"], json!([urns::USER]));
    });
}

/// Proves: PR-2.
#[test]
fn pa_11_pr_16_attributes_ask_for_a_body() {
    on_every_store(|server| {
        let made = ada(server);
        let change = |query: &str, title: &str| {
            let operation = json!([{"op": "replace", "path": "title", "value": title}]);
            server.patch(format!("{}?{query}", made.path()), operation).is(200)
        };
        assert_eq!(change("attributes=title", "a").keys(), ["id", "schemas", "title"]);
        assert_eq!(change("attributes=bogus", "b").keys(), ["id", "schemas"]);
        let shown = change("excludedAttributes=emails,name,meta", "c");
        assert_eq!(shown.keys(), ["active", "id", "schemas", "title", urns::ENTERPRISE_USER, "userName"]);
    });
}

#[test]
fn pa_25_a_password_is_set_and_not_shown() {
    on_every_store(|server| {
        let made = ada(server);
        let change = json!([{"op": "replace", "path": "password", "value": PASSWORD}]);
        let patched = server.patch(format!("{}?attributes=password,title", made.path()), change).is(200);
        assert_eq!(patched.keys(), ["id", "schemas", "title"]);
    });
}

/// Proves: PA-10, PA-11.
#[test]
fn a_large_group_is_patched_without_being_sent() {
    Setup::default().limits(|limits| limits.max_reply_members = 2).on_every_store(|server| {
        let people = ["a", "b", "c", "d"].map(|name| server.create("/Users", user(name)));
        let [a, b, c, d] = people.each_ref().map(|person| person.id());
        let team = server.create("/Groups", group("team", &[a]));
        let join = |id: &str| json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
        // Up to the limit.
        assert_eq!(server.patch(team.path(), join(b)).is(200)["members"].as_array().unwrap().len(), 2);
        let silent = server.patch(team.path(), join(c)).is(204);
        assert_eq!(silent.etag(), server.get(team.path()).is(200).etag());
        // `attributes` asks for a body.
        let named = server.patch(format!("{}?attributes=displayName", team.path()), join(d)).is(200);
        assert_eq!(named.keys(), ["displayName", "id", "schemas"]);
        let named = server.patch(format!("{}?attributes=members", team.path()), join(d)).is(200);
        assert_eq!(named["members"].as_array().unwrap().len(), 4);
        let rename = json!([{"op": "replace", "path": "displayName", "value": "crew"}]);
        server.patch(format!("{}?excludedAttributes=members", team.path()), rename).is(204);
        let read = server.get(team.path()).is(200);
        assert_eq!((&read["displayName"], read["members"].as_array().unwrap().len()), (&json!("crew"), 4));
        let leave = json!([{"op": "remove", "path": format!("members[value eq \"{a}\" or value eq \"{b}\"]")}]);
        assert_eq!(server.patch(team.path(), leave).is(200)["members"].as_array().unwrap().len(), 2);
        // A no-op says its version too.
        server.patch(team.path(), join(a)).is(204);
        let now = server.get(team.path()).is(200).etag().to_owned();
        assert_eq!(server.patch(team.path(), join(a)).is(204).etag(), now);
        assert_eq!(server.put(team.path(), group("team", &[a, b, c])).is(200)["members"].as_array().unwrap().len(), 3);
    });
}

#[test]
fn pd_5_pm_4_pm_8_px_3_members_come_and_go_by_rows() {
    on_every_store(|server| {
        let people = ["a", "b", "c"].map(|name| server.create("/Users", user(name)));
        let [a, b, c] = people.each_ref().map(|person| person.id());
        let team = server.create("/Groups", group("team", &[a]));
        let members = |operation: Value| {
            let patched = server.patch(team.path(), json!([operation])).is(200);
            assert_eq!(server.get(team.path()).is(200).text, patched.text);
            let members = patched["members"].as_array().cloned().unwrap_or_default();
            let mut ids: Vec<String> =
                members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
            ids.sort();
            ids
        };
        let value = |ids: &[&str]| ids.iter().map(|id| json!({"value": id})).collect::<Value>();
        assert_eq!(members(json!({"op": "add", "path": "members", "value": value(&[a, b])})), [a, b]);
        assert_eq!(members(json!({"op": "add", "path": "members", "value": {"value": c}})), [a, b, c]);
        assert_eq!(members(json!({"op": "add", "value": {"members": value(&[c])}})), [a, b, c]);
        assert_eq!(members(json!({"op": "remove", "path": format!("members[value eq \"{b}\"]")})), [a, c]);
        assert_eq!(members(json!({"op": "remove", "path": format!("members[value eq \"{b}\"]")})), [a, c]);
        assert_eq!(members(json!({"op": "remove", "path": "members[value eq \"nobody\"]"})), [a, c]);
        assert_eq!(members(json!({"op": "replace", "path": "members", "value": value(&[b])})), [b]);
        assert_eq!(members(json!({"op": "replace", "path": "members", "value": []})), [] as [&str; 0]);
        assert_eq!(members(json!({"op": "add", "path": "members", "value": value(&[a, a])})), [a]);
        assert_eq!(members(json!({"op": "remove", "path": "members"})), [] as [&str; 0]);
        let moves = json!([
            {"op": "add", "path": "members", "value": value(&[a, b])},
            {"op": "remove", "path": format!("members[value eq \"{a}\"]")},
            {"op": "add", "path": "members", "value": value(&[c])},
        ]);
        let mut last = server.patch(team.path(), moves).is(200)["members"].as_array().unwrap().clone();
        last.sort_by_key(|member| member["value"].to_string());
        assert_eq!(last.iter().map(|member| &member["value"]).collect::<Vec<_>>(), [b, c]);
    });
}

/// Proves.
#[test]
fn r_34_r_35_values_without_a_path_may_name_parts() {
    on_every_store(|server| {
        let made = ada(server);
        let value = json!({"name.givenName": "Augusta", format!("{}:department", urns::ENTERPRISE_USER): "Looms",
            "emails[type eq \"home\"].value": "new@home.org", "name": {"middleName": "King"}});
        let patched = server.patch(made.path(), json!([{"op": "replace", "value": value}])).is(200);
        assert_eq!(patched["name"], json!({"givenName": "Augusta", "middleName": "King", "familyName": "Lovelace"}));
        assert_eq!(patched["emails"][1]["value"], "new@home.org");
        assert_eq!(patched[urns::ENTERPRISE_USER], json!({"department": "Looms", "manager": {"value": "7"}}));
        // what is so anyway is no change.
        let same = json!({"id": made.id(), "meta": {"version": "x"}, "title": "Lady", "schemas": [urns::USER]});
        assert_eq!(server.patch(made.path(), json!([{"op": "replace", "value": same}])).is(200)["title"], "Lady");
        let bench = json!([{"op": "add", "value": {BENCH: {"bench": "b"}}}]);
        server.patch(made.path(), bench).is(400);
    });
}
