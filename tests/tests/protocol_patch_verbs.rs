//! What `add`, `remove` and `replace` do: RFC 7644 sections 3.5.2.1 to 3.5.2.3, over HTTP. Every turn of it is in the vectors.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::urns;
use scimwright_tests::{Server, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

/// What has come of one attribute of a user after these operations, which must succeed. The answer is what is stored.
#[track_caller]
fn becomes(server: &Server, before: &Value, operations: &Value, attribute: &str) -> Value {
    let made = server.create("/Users", with(user("ada"), before.clone()));
    let patched = server.patch(made.path(), operations.clone()).is(200);
    let read = server.get(made.path()).is(200);
    assert_eq!(read.text, patched.text, "{operations}");
    for name in made.keys().into_iter().filter(|name| !["meta", "schemas", attribute].contains(name)) {
        assert_eq!(read[name], made[name], "{operations} changes {name}");
    }
    server.delete(made.path()).is(204);
    read[attribute].clone()
}

/// A user whose attributes are of every shape.
fn full() -> Value {
    json!({"title": "t", "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"value": "a@work", "type": "work"}, {"value": "b@work", "type": "work"}, {"value": "c@home", "type": "home"}]})
}

#[test]
fn pd_1_an_addition_has_a_value() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), full()));
        for operation in [json!({"op": "add", "path": "nickName"}), json!({"op": "add"})] {
            server.patch(made.path(), json!([operation])).fails(400, "invalidValue");
        }
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

#[test]
fn pd_2_pd_11_an_addition_without_a_path_adds_each_attribute() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), full()));
        let value = json!({"nickName": "A", "name": {"middleName": "King"}, "emails": [{"value": "d@other", "type": "other"}],
            urns::ENTERPRISE_USER: {"department": "D"}});
        let patched = server.patch(made.path(), json!([{"op": "add", "value": value}])).is(200);
        assert_eq!(patched["nickName"], "A");
        assert_eq!(patched["name"], json!({"givenName": "Ada", "familyName": "Lovelace", "middleName": "King"}));
        assert_eq!(patched["emails"].as_array().unwrap().len(), 4);
        assert_eq!(patched[urns::ENTERPRISE_USER], json!({"department": "D"}));
        assert_eq!(patched["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]));
        assert_eq!((&patched["title"], &patched["userName"]), (&made["title"], &made["userName"]));
    });
}

#[test]
fn pd_3_px_2_a_single_value_is_set_or_replaced() {
    on_every_store(|server| {
        for op in ["add", "replace"] {
            let set = json!([{"op": op, "path": "title", "value": "u"}]);
            assert_eq!(becomes(server, &full(), &set, "title"), "u", "{op} over a value");
            assert_eq!(becomes(server, &json!({}), &set, "title"), "u", "{op} over none");
            let switch = json!([{"op": op, "path": "active", "value": false}]);
            assert_eq!(becomes(server, &json!({"active": true}), &switch, "active"), false, "{op}");
        }
    });
}

#[test]
fn pd_4_pd_5_values_are_added_once_one_or_many() {
    on_every_store(|server| {
        let (one, other) = (json!({"value": "x", "type": "work"}), json!({"value": "y", "type": "home"}));
        for (value, wanted) in [
            (other.clone(), json!([one, other])),
            (json!([other]), json!([one, other])),
            (json!([one, other]), json!([one, other])),
            (one.clone(), json!([one])),
        ] {
            let add = json!([{"op": "add", "path": "emails", "value": value}]);
            assert_eq!(becomes(server, &json!({"emails": [one]}), &add, "emails"), wanted, "{add}");
        }
        let add = json!([{"op": "add", "path": "emails", "value": one}]);
        assert_eq!(becomes(server, &json!({}), &add, "emails"), json!([one]));
        // What is there already is no change at all.
        let made = server.create("/Users", with(user("ada"), json!({"emails": [one]})));
        assert_eq!(server.patch(made.path(), add).is(200).text, made.text);
        let arm = server.create("/Gadgets", with(gadget("arm"), json!({"tags": ["red"]})));
        let tags = |value: Value| {
            server.patch(arm.path(), json!([{"op": "add", "path": "tags", "value": value}])).is(200)["tags"].clone()
        };
        assert_eq!(tags(json!("RED")), json!(["red"]));
        assert_eq!(tags(json!(["blue", "red"])), json!(["red", "blue"]));
    });
}

#[test]
fn pd_6_pd_7_px_4_parts_are_merged_into_what_is_there() {
    on_every_store(|server| {
        for op in ["add", "replace"] {
            let object = json!([{"op": op, "path": "name", "value": {"givenName": "Augusta", "middleName": "King"}}]);
            let merged = json!({"givenName": "Augusta", "familyName": "Lovelace", "middleName": "King"});
            assert_eq!(becomes(server, &full(), &object, "name"), merged, "{op}");
            let part = json!([{"op": op, "path": "name.middleName", "value": "King"}]);
            let merged = json!({"givenName": "Ada", "familyName": "Lovelace", "middleName": "King"});
            assert_eq!(becomes(server, &full(), &part, "name"), merged, "{op}");
            assert_eq!(becomes(server, &json!({}), &part, "name"), json!({"middleName": "King"}), "{op}");
            let no_path = json!([{"op": op, "value": {"name": {"middleName": "King"}}}]);
            assert_eq!(becomes(server, &full(), &no_path, "name"), merged, "{op}");
        }
    });
}

#[test]
fn pd_8_px_6_a_part_is_set_on_every_value_that_matches() {
    on_every_store(|server| {
        let displays = |emails: Value| -> Vec<String> {
            emails.as_array().unwrap().iter().map(|email| email["display"].as_str().unwrap_or("-").to_owned()).collect()
        };
        for op in ["add", "replace"] {
            let set = json!([{"op": op, "path": "emails[type eq \"work\"].display", "value": "W"}]);
            assert_eq!(displays(becomes(server, &full(), &set, "emails")), ["W", "W", "-"], "{op}");
            let twice = json!([set[0], {"op": op, "path": "emails[value eq \"a@work\"].display", "value": "A"}]);
            assert_eq!(displays(becomes(server, &full(), &twice, "emails")), ["A", "W", "-"], "{op}");
        }
    });
}

#[test]
fn pa_14_schemas_is_assumed_and_what_is_added_to_it_holds_for_what_follows() {
    on_every_store(|server| {
        let department = format!("{}:department", urns::ENTERPRISE_USER);
        let first = json!({"op": "add", "path": "schemas", "value": [urns::ENTERPRISE_USER]});
        let then = json!({"op": "add", "path": department, "value": "D"});
        for operations in [json!([first, then]), json!([then, first]), json!([then])] {
            let made = server.create("/Users", user("ada"));
            let patched = server.patch(made.path(), operations.clone()).is(200);
            assert_eq!(patched["schemas"], json!([urns::USER, urns::ENTERPRISE_USER]), "{operations}");
            assert_eq!(patched[urns::ENTERPRISE_USER]["department"], "D", "{operations}");
            server.delete(made.path()).is(204);
        }
    });
}

#[test]
fn pm_2_pm_3_pm_6_what_is_removed_is_unassigned() {
    on_every_store(|server| {
        for (path, attribute, wanted) in [
            ("title", "title", json!(null)),
            ("emails", "emails", json!(null)),
            ("name", "name", json!(null)),
            ("name.familyName", "name", json!({"givenName": "Ada"})),
            ("NAME.FAMILYNAME", "name", json!({"givenName": "Ada"})),
        ] {
            let remove = json!([{"op": "remove", "path": path}]);
            assert_eq!(becomes(server, &full(), &remove, attribute), wanted, "{path}");
        }
        let last = json!([{"op": "remove", "path": "name.givenName"}, {"op": "remove", "path": "name.familyName"}]);
        assert_eq!(becomes(server, &full(), &last, "name"), json!(null));
    });
}

#[test]
fn pm_4_pm_5_pm_8_r_18_what_matches_is_removed_and_nothing_else() {
    on_every_store(|server| {
        let home = json!({"value": "c@home", "type": "home"});
        for (path, wanted) in [
            ("emails[type eq \"work\"]", json!([home])),
            ("emails[type eq \"work\" and value sw \"b\"]", json!([{"value": "a@work", "type": "work"}, home])),
            ("emails[type pr]", json!(null)),
            ("emails[type eq \"work\"].type", json!([{"value": "a@work"}, {"value": "b@work"}, home])),
            ("emails[type eq \"fax\"]", full()["emails"].clone()),
            ("emails[type eq \"fax\"].value", full()["emails"].clone()),
        ] {
            let remove = json!([{"op": "remove", "path": path}]);
            assert_eq!(becomes(server, &full(), &remove, "emails"), wanted, "{path}");
        }
        // What is not there can be removed, and that changes nothing.
        let made = server.create("/Users", with(user("ada"), full()));
        for path in ["nickName", "phoneNumbers", "name.middleName", "emails[type eq \"fax\"]"] {
            let remove = json!([{"op": "remove", "path": path}]);
            assert_eq!(server.patch(made.path(), remove).is(200).text, made.text, "{path}");
        }
    });
}

#[test]
fn pm_9_whole_values_may_go_although_their_parts_may_not_change() {
    on_every_store(|server| {
        let parts = json!([{"value": "p", "sku": "K"}, {"value": "q", "sku": "L"}]);
        let arm = server.create("/Gadgets", with(gadget("arm"), json!({"serial": "S", "parts": parts})));
        let remove = |path: &str| server.patch(arm.path(), json!([{"op": "remove", "path": path}]));
        remove("parts[value eq \"p\"].sku").fails(400, "mutability");
        remove("serial").fails(400, "mutability");
        assert_eq!(remove("parts[value eq \"p\"]").is(200)["parts"], json!([{"value": "q", "sku": "L"}]));
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let leave = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ada.id())}]);
        assert_eq!(server.patch(team.path(), leave).is(200)["members"], Value::Null);
    });
}

#[test]
fn pm_10_r_19_a_value_never_widens_what_is_removed() {
    let members = |server: &Server| -> (String, [String; 2]) {
        let ids = ["a", "b"].map(|name| server.create("/Users", user(name)).id().to_owned());
        let team = server.create("/Groups", group("team", &[&ids[0], &ids[1]]));
        (team.path().to_owned(), ids)
    };
    let remove = |id: &str| json!([{"op": "remove", "path": "members", "value": [{"value": id}]}]);
    on_every_store(|server| {
        let (team, [a, _]) = members(server);
        let before = server.get(&*team).is(200).text;
        server.patch(&*team, remove(&a)).fails(400, "invalidValue");
        assert_eq!(server.get(&*team).is(200).text, before);
    });
    Setup::default().profile(Profile::strict().with(Quirk::RemoveWithValue)).on_every_store(|server| {
        let (team, [a, b]) = members(server);
        for id in ["nobody", &a, &a] {
            let left = server.patch(&*team, remove(id)).is(200)["members"].clone();
            assert!(left.as_array().unwrap().iter().any(|member| member["value"] == *b), "{id}: {left}");
        }
        assert_eq!(server.get(&*team).is(200)["members"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn px_1_px_5_r_20_replacing_leaves_what_was_not_named() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), full()));
        let value = json!({"title": "u", "emails": [{"value": "d"}], "nickName": "n"});
        let patched = server.patch(made.path(), json!([{"op": "replace", "value": value}])).is(200);
        assert_eq!((&patched["title"], &patched["nickName"]), (&json!("u"), &json!("n")));
        assert_eq!((&patched["emails"], &patched["name"]), (&json!([{"value": "d"}]), &made["name"]));
        server.delete(made.path()).is(204);
        // Every value that matches, and of it what is named.
        let replace = json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": {"display": "W"}}]);
        let wanted = json!([{"value": "a@work", "type": "work", "display": "W"},
            {"value": "b@work", "type": "work", "display": "W"}, {"value": "c@home", "type": "home"}]);
        assert_eq!(becomes(server, &full(), &replace, "emails"), wanted);
        let whole =
            json!([{"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "x", "type": "other"}}]);
        assert_eq!(becomes(server, &full(), &whole, "emails")[2], json!({"value": "x", "type": "other"}));
    });
}

#[test]
fn px_3_all_values_are_replaced() {
    on_every_store(|server| {
        for value in [json!([{"value": "x"}]), json!({"value": "x"})] {
            let replace = json!([{"op": "replace", "path": "emails", "value": value}]);
            assert_eq!(becomes(server, &full(), &replace, "emails"), json!([{"value": "x"}]), "{value}");
            assert_eq!(becomes(server, &json!({}), &replace, "emails"), json!([{"value": "x"}]), "{value}");
        }
    });
}

/// Proves: PD-9, erratum 8097.
#[test]
fn px_7_r_17_r_21_what_matches_nothing_has_no_target_or_is_made() {
    let (replace, add) = (
        json!([{"op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x"}]),
        json!([{"op": "add", "path": "emails[type eq \"fax\"].value", "value": "x"}]),
    );
    on_every_store(|server| {
        for (name, before) in [("ada", full()), ("bob", json!({}))] {
            let made = server.create("/Users", with(user(name), before));
            for operations in [&replace, &add] {
                server.patch(made.path(), operations.clone()).fails(400, "noTarget");
            }
            assert_eq!(server.get(made.path()).is(200).text, made.text);
        }
    });
    Setup::default().profile(Profile::strict().with(Quirk::CreateOnNoMatch)).on_every_store(|server| {
        for operations in [&replace, &add] {
            let wanted = json!([{"value": "x", "type": "fax"}]);
            assert_eq!(becomes(server, &json!({}), operations, "emails"), wanted, "{operations}");
        }
    });
}

#[test]
fn px_8_null_and_empty_unassign() {
    on_every_store(|server| {
        for (path, value, attribute) in [
            ("title", json!(null), "title"),
            ("emails", json!([]), "emails"),
            ("emails", json!(null), "emails"),
            ("name", json!(null), "name"),
        ] {
            let replace = json!([{"op": "replace", "path": path, "value": value}]);
            assert_eq!(becomes(server, &full(), &replace, attribute), json!(null), "{path} {value}");
        }
        let part = json!([{"op": "replace", "path": "name", "value": {"givenName": null}}]);
        assert_eq!(becomes(server, &full(), &part, "name"), json!({"familyName": "Lovelace"}));
        let made = server.create("/Users", user("ada"));
        server
            .patch(made.path(), json!([{"op": "replace", "path": "userName", "value": null}]))
            .fails(400, "mutability");
    });
}

#[test]
fn px_9_without_a_path_the_value_is_an_object() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for value in [json!("x"), json!(7), json!(true), json!(null), json!([{"title": "t"}])] {
            server.patch(made.path(), json!([{"op": "replace", "value": value}])).fails(400, "invalidValue");
        }
        assert_eq!(server.get(made.path()).is(200).text, made.text);
    });
}

#[test]
fn px_10_pa_20_what_is_immutable_is_set_once() {
    on_every_store(|server| {
        for op in ["add", "replace"] {
            let arm = server.create("/Gadgets", gadget(op));
            let set = |value: &str| server.patch(arm.path(), json!([{"op": op, "path": "serial", "value": value}]));
            assert_eq!(set(&format!("S-{op}")).is(200)["serial"], format!("S-{op}"));
            set("T").fails(400, "mutability");
            assert_eq!(set(&format!("S-{op}")).is(200)["serial"], format!("S-{op}"), "the same again");
        }
    });
}

#[test]
fn r_37_a_value_is_known_by_its_value_and_type() {
    on_every_store(|server| {
        let bob = server.create("/Users", user("bob"));
        let named = with(group("team", &[]), json!({"members": [{"value": bob.id(), "display": "Bob"}]}));
        let team = server.create("/Groups", named);
        let again = json!([{"op": "add", "path": "members", "value": [{"value": bob.id(), "display": "Robert"}]}]);
        assert_eq!(server.patch(team.path(), again).is(200).text, team.text);
        let one = json!({"value": "x", "type": "work"});
        let add = |display: &str, kind: &str| json!([{"op": "add", "path": "emails", "value": [{"value": "X", "type": kind, "display": display}]}]);
        let before = json!({"emails": [one]});
        assert_eq!(becomes(server, &before, &add("D", "Work"), "emails").as_array().unwrap().len(), 1);
        assert_eq!(becomes(server, &before, &add("D", "home"), "emails").as_array().unwrap().len(), 2);
    });
}

#[test]
fn r_39_a_part_without_a_filter_is_of_every_value() {
    on_every_store(|server| {
        let set = json!([{"op": "replace", "path": "emails.display", "value": "D"}]);
        let emails = becomes(server, &full(), &set, "emails");
        assert!(emails.as_array().unwrap().iter().all(|email| email["display"] == "D"), "{emails}");
        let made = server.create("/Users", user("ada"));
        server.patch(made.path(), set).fails(400, "noTarget");
    });
}
