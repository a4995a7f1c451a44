//! GET of one and of many, pages, projections, searches by POST: RFC 7644 sections 3.4 and 3.9.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{Answer, BASE, BENCH, GADGET, Server, Setup, gadget, on_every_store, user, with, without};
use serde_json::{Value, json};

/// Users `a`, `b`, `c`, … in the order in which lists have them.
fn people(server: &Server, count: u8) -> Vec<Answer> {
    (0..count).map(|at| server.create("/Users", user(&char::from(b'a' + at).to_string()))).collect()
}

/// What a list says of its page, and how many resources it has.
#[track_caller]
fn page(server: &Server, query: &str) -> (i64, i64, i64, usize) {
    let list = server.get(format!("/Users{query}")).is(200);
    let number = |name: &str| list[name].as_i64().unwrap_or_else(|| panic!("{name}: {}", list.text));
    (number("totalResults"), number("startIndex"), number("itemsPerPage"), list.resources().len())
}

#[test]
fn rd_1_rd_5_rd_6_r_44_get_shows_a_resource() {
    on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"title": "Countess"})));
        let read = server.get(made.path()).is(200);
        assert_eq!(read.body, made.body);
        assert_eq!(read.etag(), made.etag());
        assert_eq!(read.header("content-location").unwrap(), format!("{BASE}{}", made.path()));
        assert_eq!(read.header("location"), None);
    });
}

#[test]
fn rd_2_what_is_shown_by_default() {
    on_every_store(|server| {
        let body = with(gadget("arm"), json!({"notes": "n", "secret": "s", "ports": 4, "enabled": false}));
        let made = server.create("/Gadgets", body);
        let read = server.get(made.path()).is(200);
        assert_eq!(read.keys(), ["enabled", "id", "meta", "name", "ports", "schemas"]);
        assert_eq!(
            read["meta"].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["created", "lastModified", "location", "resourceType", "version"]
        );
    });
}

/// Proves: PA-24.
#[test]
fn rd_3_e_12_what_is_not_there_is_404() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for path in ["/Users/nobody", &format!("/Groups/{}", made.id()), "/Nothing", "/Users/1/2", "//", "/users"] {
            server.get(path).fails(404, "");
        }
        for path in ["/Users/nobody", "/Groups/nobody"] {
            server.put(path, user("x")).fails(404, "");
            server.patch(path, json!([{"op": "remove", "path": "title"}])).fails(404, "");
            server.delete(path).fails(404, "");
        }
    });
}

#[test]
fn e_head_is_get_without_a_body() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for path in [made.path(), "/Users", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes/User", "/Users/x"] {
            let (get, head) = (server.get(path).send(), server.ask("HEAD", path).send());
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(head.headers, get.headers, "{path}");
        }
        server.ask("HEAD", made.path()).with("if-none-match", made.etag()).is(304);
    });
}

#[test]
fn q_1_q_2_q_3_q_13_a_list_says_what_it_is() {
    on_every_store(|server| {
        let empty = server.get("/Users").is(200);
        assert_eq!(empty["schemas"], json!([urns::LIST_RESPONSE]));
        assert_eq!((&empty["totalResults"], &empty["Resources"]), (&json!(0), &json!([])));
        let ada = server.create("/Users", user("ada"));
        let list = server.get("/Users").is(200);
        assert_eq!(list["totalResults"], 1);
        assert_eq!(list.resources(), [ada.body]);
        assert_eq!((list.header("etag"), list.header("location")), (None, None));
    });
}

#[test]
fn q_5_nothing_found_is_an_empty_list() {
    on_every_store(|server| {
        server.create("/Users", user("ada"));
        let list = server.filter("/Users", "userName eq \"bob\"").is(200);
        assert_eq!(
            (&list["totalResults"], &list["itemsPerPage"], &list["Resources"]),
            (&json!(0), &json!(0), &json!([]))
        );
        assert_eq!(server.get("/Groups").is(200)["totalResults"], 0);
    });
}

#[test]
fn q_6_unknown_parameters_are_ignored() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        for query in
            ["?foo=bar", "?aadOptscim062020", "?aadOptscim062020&count=1", "?", "?&&", "?=x", "?%ff=%ff&sort=x"]
        {
            assert_eq!(server.get(format!("/Users{query}")).is(200)["totalResults"], 1, "{query}");
            assert_eq!(server.get(format!("{}{query}", ada.path())).is(200).id(), ada.id(), "{query}");
        }
        server
            .patch(format!("{}?aadOptscim062020", ada.path()), json!([{"op": "add", "path": "title", "value": "t"}]))
            .is(200);
        assert_eq!(server.get("/Users?Filter=userName+eq+%22ada%22&COUNT=1").is(200)["totalResults"], 1);
    });
}

#[test]
fn q_a_parameter_given_twice_is_refused() {
    on_every_store(|server| {
        people(server, 2);
        let twice = "/Users?filter=userName+eq+%22a%22&filter=userName+pr";
        server.get(twice).fails(400, "invalidValue");
        for name in ["count", "startIndex", "cursor", "sortBy", "sortOrder", "attributes", "excludedAttributes"] {
            server.get(format!("/Users?{name}=1&{}=1", name.to_uppercase())).fails(400, "invalidValue");
        }
    });
}

#[test]
fn q_11_de_2_lists_forget_what_is_deleted() {
    on_every_store(|server| {
        let people = people(server, 3);
        server.delete(people[1].path()).is(204);
        assert_eq!(server.get("/Users").is(200).names("userName"), ["a", "c"]);
        assert_eq!(server.found("userName pr"), ["a", "c"]);
        assert!(server.found("userName eq \"b\"").is_empty());
        assert!(server.found(&format!("id eq \"{}\"", people[1].id())).is_empty());
    });
}

#[test]
fn q_12_lists_are_projected_as_single_resources_are() {
    on_every_store(|server| {
        let body = with(user("ada"), json!({"title": "t", "name": {"givenName": "A", "familyName": "L"}}));
        let made = server.create("/Users", body);
        for query in ["?attributes=name.givenName", "?excludedAttributes=title,meta", "?attributes=bogus", ""] {
            let one = server.get(format!("{}{query}", made.path())).is(200).body;
            assert_eq!(server.get(format!("/Users{query}")).is(200).resources(), [one], "{query}");
        }
    });
}

/// Proves: PG-2, PG-3, PG-4, PG-6, PG-7, PG-8.
#[test]
fn pg_1_pages_are_counted_from_one() {
    on_every_store(|server| {
        people(server, 3);
        // total, startIndex, itemsPerPage, resources
        assert_eq!(page(server, ""), (3, 1, 3, 3));
        assert_eq!(page(server, "?startIndex=0&count=2"), (3, 1, 2, 2));
        assert_eq!(page(server, "?startIndex=-5&count=2"), (3, 1, 2, 2));
        assert_eq!(page(server, "?startIndex=3&count=2"), (3, 3, 1, 1));
        assert_eq!(page(server, "?count=0"), (3, 1, 0, 0));
        assert_eq!(page(server, "?count=-1"), (3, 1, 0, 0));
        assert_eq!(page(server, "?count=1000"), (3, 1, 3, 3));
        assert_eq!(page(server, "?startIndex=2&count=1&filter=userName+ne+%22a%22"), (2, 2, 1, 1));
        assert_eq!(page(server, "?filter=userName+eq+%22c%22&count=0"), (1, 1, 0, 0));
    });
}

#[test]
fn pg_2_pg_6_pages_are_stable_and_whole() {
    on_every_store(|server| {
        let people = people(server, 7);
        let mut seen = Vec::new();
        for start in [1, 4, 7] {
            let list = server.get(format!("/Users?startIndex={start}&count=3")).is(200);
            assert_eq!(list["totalResults"], 7);
            seen.extend(list.resources().iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        }
        seen.sort();
        let mut ids: Vec<&str> = people.iter().map(Answer::id).collect();
        ids.sort_unstable();
        assert_eq!(seen, ids);
    });
}

#[test]
fn pg_5_the_server_has_a_largest_page() {
    let setup = Setup::default().limits(|limits| (limits.default_count, limits.max_count) = (2, 3));
    setup.on_every_store(|server| {
        people(server, 5);
        assert_eq!(page(server, ""), (5, 1, 2, 2));
        assert_eq!(page(server, "?count=100"), (5, 1, 3, 3));
        assert_eq!(page(server, "?startIndex=4&count=100"), (5, 4, 2, 2));
        let config = server.get("/ServiceProviderConfig").is(200);
        assert_eq!(config["filter"]["maxResults"], 3);
    });
}

#[test]
fn pg_9_r_24_past_the_end_is_an_empty_page() {
    on_every_store(|server| {
        people(server, 3);
        assert_eq!(page(server, "?startIndex=4"), (3, 4, 0, 0));
        assert_eq!(page(server, "?startIndex=1000&count=2"), (3, 1000, 0, 0));
        assert_eq!(page(server, "?startIndex=9223372036854775807"), (3, i64::MAX, 0, 0));
    });
}

#[test]
fn pg_10_what_is_no_whole_number_is_refused() {
    on_every_store(|server| {
        for value in ["abc", "", "1.5", "1e3", "0x1", "%20", "1,2", "%2B1"] {
            server.get(format!("/Users?count={value}")).fails(400, "invalidValue");
            server.get(format!("/Users?startIndex={value}")).fails(400, "invalidValue");
        }
        // Too large to be counted is as good as the largest.
        assert_eq!(page(server, "?count=99999999999999999999"), (0, 1, 0, 0));
        assert_eq!(page(server, "?startIndex=-99999999999999999999"), (0, 1, 0, 0));
    });
}

#[test]
fn pg_11_pages_need_no_memory() {
    on_every_store(|server| {
        let people = people(server, 4);
        assert_eq!(page(server, "?count=2"), (4, 1, 2, 2));
        server.delete(people[0].path()).is(204);
        assert_eq!(page(server, "?startIndex=3&count=2"), (3, 3, 1, 1));
    });
}

/// What of a full gadget is shown with a query, without `id`, `schemas` and `meta`.
fn shown(server: &Server, path: &str, query: &str) -> Value {
    let shown = server.get(format!("{path}?{query}")).is(200);
    assert!(shown["id"].is_string() && shown["schemas"].is_array(), "{}", shown.text);
    without(without(without(shown.body, "id"), "schemas"), "meta")
}

/// Proves: PR-3, PR-4, PR-7, PR-8, PR-9, PR-10, PR-11, PR-12, PR-13, PR-14, PR-15, R-23.
#[test]
fn projections_show_what_is_named_and_no_more() {
    on_every_store(|server| {
        let body = with(
            gadget("arm"),
            json!({"schemas": [GADGET, BENCH], "ports": 4, "notes": "n", "secret": "s",
                "location": {"building": "North", "floor": 2},
                "parts": [{"value": "m", "type": "main", "quantity": 1}, {"type": "spare"}],
                BENCH: {"bench": "b", "supervisor": {"value": "7"}}}),
        );
        let path = server.create("/Gadgets", body).path().to_owned();
        let location = json!({"building": "North", "floor": 2});
        let parts = json!([{"value": "m", "type": "main", "quantity": 1}, {"type": "spare"}]);
        let bench = json!({"bench": "b", "supervisor": {"value": "7"}});
        let all = json!({"name": "arm", "ports": 4, "location": location, "parts": parts, BENCH: bench});
        for (query, wanted) in [
            ("", all.clone()),
            ("attributes=", all.clone()),
            ("attributes=name", json!({"name": "arm"})),
            ("attributes=NAME,+ports", json!({"name": "arm", "ports": 4})),
            ("attributes=bogus", json!({})),
            ("attributes=secret,state", json!({})),
            ("attributes=notes", json!({"notes": "n"})),
            ("attributes=location", json!({"location": location})),
            ("attributes=location.FLOOR", json!({"location": {"floor": 2}})),
            ("attributes=location.bogus", json!({})),
            ("attributes=parts", json!({"parts": parts})),
            ("attributes=parts.value", json!({"parts": [{"value": "m"}]})),
            (
                "attributes=parts.value,parts.type",
                json!({"parts": [{"value": "m", "type": "main"}, {"type": "spare"}]}),
            ),
            (&format!("attributes={GADGET}:name"), json!({"name": "arm"})),
            (&format!("attributes={}:NAME", GADGET.to_uppercase()), json!({"name": "arm"})),
            (&format!("attributes={BENCH}"), json!({BENCH: bench})),
            (&format!("attributes={BENCH}:bench"), json!({BENCH: {"bench": "b"}})),
            (&format!("attributes={BENCH}:supervisor.value"), json!({BENCH: {"supervisor": {"value": "7"}}})),
            ("attributes=bench", json!({})),
            ("excludedAttributes=id,schemas,name,location,parts", json!({"ports": 4, BENCH: bench})),
            ("excludedAttributes=bogus", all.clone()),
            ("excludedAttributes=notes", all.clone()),
            ("excludedAttributes=location.building,location.floor,parts,ports", json!({"name": "arm", BENCH: bench})),
            (
                &format!("excludedAttributes=parts.type,parts.quantity,location,ports,{BENCH}:supervisor"),
                json!({"name": "arm", "parts": [{"value": "m"}], BENCH: {"bench": "b"}}),
            ),
            (&format!("excludedAttributes={BENCH},parts,location"), json!({"name": "arm", "ports": 4})),
        ] {
            assert_eq!(shown(server, &path, query), wanted, "{query}");
        }
        assert_eq!(server.get(format!("{path}?attributes=meta.version")).is(200).keys(), ["id", "meta", "schemas"]);
        assert_eq!(server.get(format!("{path}?excludedAttributes=meta")).is(200)["meta"], Value::Null);
    });
}

#[test]
fn pr_5_r_22_attributes_and_excluded_attributes_exclude_each_other() {
    on_every_store(|server| {
        let path = server.create("/Users", user("ada")).path().to_owned();
        let both = "attributes=userName&excludedAttributes=name";
        server.get(format!("{path}?{both}")).fails(400, "invalidValue");
        server.get(format!("/Users?{both}")).fails(400, "invalidValue");
        server.post(format!("/Users?{both}"), user("bob")).fails(400, "invalidValue");
        server.put(format!("{path}?{both}"), user("bob")).fails(400, "invalidValue");
        let title = json!([{"op": "add", "path": "title", "value": "t"}]);
        server.patch(format!("{path}?{both}"), title).fails(400, "invalidValue");
        let list = server.get("/Users").is(200);
        assert_eq!(list.names("userName"), ["ada"], "nothing was written");
        assert_eq!(list.resources()[0]["title"], Value::Null);
    });
}
