//! Callers with catalogs of their own: what one has declared does not exist for the others.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::{Catalog, ResourceTypeSpec, urns};
use scimwright_tests::{Server, Setup, patch_op, user, with};
use serde_json::{Value, json};

const BADGE: &str = "urn:globex:params:scim:schemas:badge:2.0:User";
const DESK: &str = "urn:globex:params:scim:schemas:desk:2.0:Desk";

/// What globex alone has: an extension of users, and a type.
fn own() -> Catalog {
    let badge = json!({"id": BADGE, "attributes": [
        {"name": "number", "type": "integer"}, {"name": "color", "caseExact": true},
        {"name": "code", "uniqueness": "server"}]});
    let desk = json!({"id": DESK, "attributes": [{"name": "room", "required": true}]});
    Catalog::standard()
        .with_schema(&badge)
        .and_then(|catalog| catalog.with_extension("User", BADGE, false))
        .and_then(|catalog| catalog.with_schema(&desk))
        .and_then(|catalog| {
            let desks = json!({"name": "Desk", "endpoint": "/Desks", "schema": DESK});
            catalog.with_resource_type(ResourceTypeSpec::from_json(desks))
        })
        .unwrap()
}

fn on_every_store(check: impl Fn(&Server)) {
    Setup { catalog: Catalog::standard(), globex: Some(own()), ..Setup::default() }.on_every_store(check);
}

fn badged(name: &str, badge: Value) -> Value {
    with(user(name), json!({"schemas": [urns::USER, BADGE], BADGE: badge}))
}

#[test]
fn discovery_shows_a_caller_his_own() {
    on_every_store(|server| {
        let names = |list: &scimwright_tests::Answer| list.names("name").join(" ");
        assert_eq!(names(&server.get("/ResourceTypes").by("globex").is(200)), "Desk Group User");
        assert_eq!(names(&server.get("/ResourceTypes").is(200)), "Group User");
        server.get(format!("/Schemas/{BADGE}")).by("globex").is(200);
        server.get(format!("/Schemas/{BADGE}")).fails(404, "");
        server.get("/ResourceTypes/Desk").by("globex").is(200);
        // Where discovery is public, whoever is not known sees what the service has, and so does who has nothing of his own.
        for anybody in [server.get("/ResourceTypes").without("authorization"), server.get("/ResourceTypes").by("wrong")]
        {
            assert_eq!(names(&anybody.is(200)), "Group User");
        }
        let extended = server.get("/ResourceTypes/User").by("globex").is(200);
        assert!(extended.text.contains(BADGE));
        assert!(!server.get("/ResourceTypes/User").is(200).text.contains(BADGE));
    });
}

#[test]
fn an_extension_of_one_is_unknown_to_the_other() {
    on_every_store(|server| {
        let made = server.post("/Users", badged("ada", json!({"number": 7, "color": "Red", "code": "X"})));
        let made = made.by("globex").is(201);
        assert_eq!(made[BADGE], json!({"number": 7, "color": "Red", "code": "X"}));
        server.post("/Users", badged("ada", json!({"number": 7}))).fails(400, "invalidValue");
        server.post("/Users", badged("bad", json!({"number": "seven"}))).by("globex").fails(400, "invalidValue");
        server.post("/Users", badged("twin", json!({"code": "x"}))).by("globex").fails(409, "uniqueness");

        let find = |text: &str| server.filter("/Users", text);
        let filter = format!("{BADGE}:number gt 6 and {BADGE}:color eq \"Red\"");
        assert_eq!(find(&filter).by("globex").is(200).names("userName"), ["ada"]);
        assert_eq!(find(&format!("{BADGE}:color eq \"red\"")).by("globex").is(200)["totalResults"], 0);
        find(&filter).fails(400, "invalidFilter");

        let change = json!([{"op": "replace", "path": format!("{BADGE}:number"), "value": 8}]);
        let changed = server.patch(made.path(), change.clone()).by("globex").is(200);
        assert_eq!(changed[BADGE]["number"], 8);
        let mine = server.create("/Users", user("ada"));
        server.patch(mine.path(), change).fails(400, "invalidPath");

        let selected = format!("{}?attributes={BADGE}:color", made.path());
        assert_eq!(server.get(selected).by("globex").is(200)[BADGE], json!({"color": "Red"}));
        let excluded = format!("{}?excludedAttributes={BADGE}", made.path());
        assert_eq!(server.get(excluded).by("globex").is(200)[BADGE], Value::Null);
        let replaced = server.put(made.path(), badged("ada", json!({"number": 9}))).by("globex").is(200);
        assert_eq!(replaced[BADGE], json!({"number": 9}));
    });
}

#[test]
fn lists_over_everything_are_over_what_the_caller_has() {
    on_every_store(|server| {
        for (at, color) in ["c", "a", "b"].iter().enumerate() {
            server.post("/Users", badged(&format!("u{at}"), json!({"color": color}))).by("globex").is(201);
        }
        server.post("/Desks", json!({"schemas": [DESK], "room": "1"})).by("globex").is(201);
        let by_color = format!("{BADGE}:color");
        let sorted = server.query("/Users", &[("sortBy", &by_color)]).by("globex").is(200);
        let names: Vec<_> = sorted.resources().iter().map(|user| user["userName"].as_str().unwrap()).collect();
        assert_eq!(names, ["u1", "u2", "u0"]);
        server.query("/Users", &[("sortBy", &by_color)]).fails(400, "invalidValue");
        assert_eq!(server.get("/").by("globex").is(200)["totalResults"], 4);
        // A cursor is good for the types that it was made over.
        let page = server.query("/", &[("cursor", ""), ("count", "2")]).by("globex").is(200);
        let next = page["nextCursor"].as_str().unwrap().to_owned();
        server.query("/", &[("cursor", &next), ("count", "2")]).by("globex").is(200);
        server.query("/Users", &[("cursor", &next), ("count", "2")]).by("globex").fails(400, "invalidCursor");
    });
}

#[test]
fn a_type_of_one_is_no_endpoint_for_the_other() {
    on_every_store(|server| {
        let desk = json!({"schemas": [DESK], "room": "12"});
        let made = server.post("/Desks", desk.clone()).by("globex").is(201);
        assert_eq!(made["meta"]["resourceType"], "Desk");
        server.get(made.path()).by("globex").is(200);
        server.post("/Desks", desk.clone()).fails(404, "");
        server.get(made.path()).fails(404, "");
        // Who may come in is asked first, also where nobody but globex has the path.
        server.get("/Desks").by("wrong").fails(401, "");
        server.get("/Nothing").by("wrong").fails(401, "");
        server.get("/Nothing").by("globex").fails(404, "");

        let bulk = json!({"schemas": [urns::BULK_REQUEST], "Operations": [
            {"method": "POST", "path": "/Desks", "bulkId": "d", "data": desk},
            {"method": "PATCH", "path": "/Desks/bulkId:d", "data": patch_op(&json!([{"op": "add", "path": "room", "value": "13"}]))},
        ]});
        let statuses = |answer: &scimwright_tests::Answer| -> Vec<String> {
            let operations = answer["Operations"].as_array().unwrap();
            operations.iter().map(|done| done["status"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(statuses(&server.post("/Bulk", bulk.clone()).by("globex").is(200)), ["201", "200"]);
        assert_eq!(statuses(&server.post("/Bulk", bulk).is(200)), ["404", "404"]);
        assert_eq!(server.filter("/Desks", "room eq \"13\"").by("globex").is(200)["totalResults"], 1);
    });
}
