//! Queries over every type at once, and `/Me`: RFC 7644 sections 3.4.2.1, 3.4.3 and 3.11.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{Answer, BASE, Server, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

fn search(more: Value) -> Value {
    with(json!({"schemas": [urns::SEARCH_REQUEST]}), more)
}

/// Two users, two groups, one gadget.
fn mixed(server: &Server) {
    for name in ["bea", "ada"] {
        server.create("/Users", with(user(name), json!({"displayName": name})));
    }
    for name in ["Crew", "band"] {
        server.create("/Groups", group(name, &[]));
    }
    server.create("/Gadgets", gadget("arm"));
}

/// What each resource is and how it is called.
fn told(answer: &Answer) -> String {
    let name = |resource: &Value| {
        let name = ["displayName", "userName", "name"].iter().find_map(|name| resource[name].as_str());
        format!("{}:{}", resource["meta"]["resourceType"].as_str().unwrap(), name.unwrap())
    };
    answer.resources().iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn q_7_q_8_a_query_at_the_root_is_over_every_type() {
    on_every_store(|server| {
        mixed(server);
        for root in ["/", ""] {
            let all = server.get(root).is(200);
            assert_eq!(told(&all), "User:bea User:ada Group:Crew Group:band Gadget:arm", "{root}");
            assert_eq!((&all["totalResults"], &all["startIndex"]), (&json!(5), &json!(1)));
        }
        assert_eq!(told(&server.filter("/", "meta.resourceType eq \"Group\"").is(200)), "Group:Crew Group:band");
        let either = "meta.resourceType eq \"Group\" or userName sw \"a\"";
        assert_eq!(told(&server.filter("/", either).is(200)), "User:ada Group:Crew Group:band");
        let location = format!("meta.location sw \"{BASE}/Gadgets\"");
        assert_eq!(told(&server.filter("/", &location).is(200)), "Gadget:arm");
    });
}

#[test]
fn q_9_r_8_what_a_type_lacks_has_no_value_for_it() {
    on_every_store(|server| {
        mixed(server);
        assert_eq!(told(&server.filter("/", "userName pr").is(200)), "User:bea User:ada");
        assert_eq!(told(&server.filter("/", "not (userName pr)").is(200)), "Group:Crew Group:band Gadget:arm");
        assert_eq!(
            told(&server.filter("/", "userName ne \"ada\" and displayName pr").is(200)),
            "User:bea Group:Crew Group:band"
        );
        server.filter("/", "bogus pr").fails(400, "invalidFilter");
        server.filter("/", "password pr").fails(403, "sensitive");
        // By what only some have, the others come last.
        let sorted = |order: &str| told(&server.query("/", &[("sortBy", "displayName"), ("sortOrder", order)]).is(200));
        assert_eq!(sorted("ascending"), "User:ada Group:band User:bea Group:Crew Gadget:arm");
        assert_eq!(sorted("descending"), "Gadget:arm Group:Crew User:bea Group:band User:ada");
        server.query("/", &[("sortBy", "bogus")]).fails(400, "invalidValue");
    });
}

#[test]
fn pg_6_pages_of_the_root_fit_together() {
    on_every_store(|server| {
        mixed(server);
        let all = told(&server.get("/").is(200));
        for query in ["", "&sortBy=displayName", "&filter=meta.created+pr", "&sortBy=displayName&filter=id+pr"] {
            let whole = told(&server.get(format!("/?count=100{query}")).is(200));
            assert_eq!(whole.len(), all.len());
            for size in 1..4 {
                let mut seen = Vec::new();
                for start in (1..6).step_by(size) {
                    let page = server.get(format!("/?startIndex={start}&count={size}{query}")).is(200);
                    assert_eq!(page["totalResults"], 5);
                    seen.extend(told(&page).split(' ').filter(|told| !told.is_empty()).map(str::to_owned));
                }
                assert_eq!(seen.join(" "), whole, "{query} by {size}");
            }
        }
    });
}

#[test]
fn se_5_a_search_at_the_root_is_over_every_type() {
    on_every_store(|server| {
        mixed(server);
        let body = search(json!({"filter": "displayName pr", "sortBy": "displayName", "sortOrder": "descending",
            "attributes": ["displayName", "meta.resourceType"], "startIndex": 2, "count": 2}));
        let found = server.post("/.search", body).is(200);
        assert_eq!(told(&found), "User:bea Group:band");
        assert_eq!(found.keys(), ["Resources", "itemsPerPage", "schemas", "startIndex", "totalResults"]);
        assert_eq!(
            found.resources()[0].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["displayName", "id", "meta", "schemas"]
        );
        assert_eq!(server.get("/").is(200)["totalResults"], 5, "nothing was made");
        server.post("/.search", json!({})).fails(400, "invalidValue");
        server.post("/.search", search(json!({"filter": "password pr"}))).fails(400, "invalidFilter");
        assert_eq!(server.get("/.search").fails(405, "").header("allow"), Some("POST"));
        assert_eq!(server.post("/", user("x")).fails(405, "").header("allow"), Some("GET, HEAD"));
        server.post("/.search", search(json!({}))).without("authorization").fails(401, "");
        server.get("/").without("authorization").fails(401, "");
        assert_eq!(server.post("/.search", search(json!({}))).by("globex").is(200)["totalResults"], 0);
    });
}

#[test]
fn me_3_whoever_stands_for_a_resource_finds_it_at_me() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let own = format!("as.User.{}", ada.id());
        let location = format!("{BASE}{}", ada.path());
        let me = server.get("/Me").by(&own).is(200);
        assert_eq!(me.body, ada.body);
        assert_eq!((me.header("location"), me.header("content-location")), (Some(&*location), Some(&*location)));
        assert_eq!(me.etag(), ada.etag());
        assert_eq!(server.get("/Me?attributes=userName").by(&own).is(200).keys(), ["id", "schemas", "userName"]);
        server.get("/Me").by(&own).with("if-none-match", ada.etag()).is(304);

        let change = json!([{"op": "add", "path": "title", "value": "Countess"}]);
        let changed = server.patch("/Me", change).by(&own).is(200);
        assert_eq!((&changed["title"], changed.header("location")), (&json!("Countess"), Some(&*location)));
        let stale = server.put("/Me", user("ada")).by(&own).with("if-match", ada.etag()).fails(412, "");
        let unasked =
            server.patch("/Me", json!([{"op": "add", "path": "bogus", "value": 1}])).by(&own).fails(400, "invalidPath");
        for answer in [stale, unasked] {
            assert_eq!(answer.header("location"), Some(&*location));
        }
        assert_eq!(server.put("/Me", user("lady")).by(&own).is(200)["userName"], "lady");
        assert_eq!(
            server.post("/Me", user("x")).by(&own).fails(405, "").header("allow"),
            Some("GET, HEAD, PUT, PATCH, DELETE")
        );
        assert_eq!(server.delete("/Me").by(&own).is(204).header("location"), Some(&*location));
        assert_eq!(server.get("/Me").by(&own).fails(404, "").header("location"), Some(&*location));
        server.get(ada.path()).fails(404, "");
    });
}

#[test]
fn me_1_whoever_stands_for_nothing_is_told_so() {
    on_every_store(|server| {
        server.get("/Me").fails(501, "");
        server.get("/Me").by("as.Nothing.1").fails(501, "");
        server.get("/Me").by("as.User.nobody").fails(404, "");
    });
}
