//! Sorting: RFC 7644 section 3.4.2.3.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{Answer, Server, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

/// Makes a user of each body, named by the first word.
fn users(server: &Server, bodies: &[(&str, Value)]) {
    for (name, more) in bodies {
        server.create("/Users", with(user(name), more.clone()));
    }
}

/// The values of a member, in the order of the list.
fn listed<'a>(list: &'a Answer, member: &str) -> Vec<&'a str> {
    list.resources().iter().map(|one| one[member].as_str().unwrap()).collect()
}

/// The names of the users in that order.
#[track_caller]
fn order(server: &Server, sort_by: &str, sort_order: &str) -> String {
    let list = server.query("/Users", &[("sortBy", sort_by), ("sortOrder", sort_order)]).is(200);
    listed(&list, "userName").join(" ")
}

#[test]
fn so_1_d_17_sorting_is_announced() {
    on_every_store(|server| {
        assert_eq!(server.get("/ServiceProviderConfig").is(200)["sort"], json!({"supported": true}));
    });
}

#[test]
fn so_2_so_3_so_8_lists_are_sorted_either_way() {
    on_every_store(|server| {
        users(server, &[("b", json!({})), ("c", json!({})), ("a", json!({}))]);
        assert_eq!(order(server, "userName", ""), "a b c");
        assert_eq!(order(server, "userName", "ascending"), "a b c");
        assert_eq!(order(server, "userName", "descending"), "c b a");
        assert_eq!(order(server, "id", "descending"), "a c b");
        assert_eq!(order(server, "meta.created", "ascending"), "b c a");
        assert_eq!(order(server, "meta.lastModified", "descending"), "a c b");
        assert_eq!(order(server, "", "descending"), "b c a", "an order of nothing");
        for wrong in ["down", "desc", "ascending,descending"] {
            server.query("/Users", &[("sortBy", "userName"), ("sortOrder", wrong)]).fails(400, "invalidValue");
            assert_eq!(order(server, "", wrong), "b c a", "of no effect");
        }
    });
}

#[test]
fn so_4_of_several_values_the_primary_one_counts_else_the_first() {
    on_every_store(|server| {
        let mails = |list: Value| json!({"emails": list});
        users(
            server,
            &[
                ("first", mails(json!([{"value": "b@x.example"}, {"value": "a@x.example"}]))),
                ("primary", mails(json!([{"value": "z@x.example"}, {"value": "A@x.example", "primary": true}]))),
                ("single", mails(json!([{"value": "c@x.example", "type": "work"}]))),
            ],
        );
        assert_eq!(order(server, "emails", ""), "primary first single");
        assert_eq!(order(server, "emails.value", "descending"), "single first primary");
        assert_eq!(order(server, "emails.type", ""), "single first primary", "the others have none");
    });
}

#[test]
fn so_5_so_9_a_path_leads_to_the_value_in_any_case_and_qualified() {
    on_every_store(|server| {
        let name = |family: &str| json!({"name": {"familyName": family}});
        users(server, &[("x", name("Zuse")), ("y", name("lovelace")), ("z", name("Hopper"))]);
        for path in ["name.familyName", "NAME.FAMILYNAME", "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName"]
        {
            assert_eq!(order(server, path, ""), "z y x", "{path}");
        }
        for wrong in [
            "name",
            "addresses",
            "bogus",
            "name.bogus",
            "emails[type eq \"work\"]",
            "department",
            "a b",
            "userName,title",
        ] {
            server.query("/Users", &[("sortBy", wrong)]).fails(400, "invalidValue");
        }
        // An order would tell of what must not be seen.
        server.query("/Users", &[("sortBy", "password")]).fails(400, "invalidValue");
        let extended = |name: &str, department: &str| {
            let schemas = json!([urns::USER, urns::ENTERPRISE_USER]);
            with(user(name), json!({"schemas": schemas, urns::ENTERPRISE_USER: {"department": department}}))
        };
        server.create("/Users", extended("b", "Tours"));
        server.create("/Users", extended("a", "Zoo"));
        let department = format!("{}:Department", urns::ENTERPRISE_USER.to_uppercase());
        assert_eq!(order(server, &department, ""), "b a x y z");
    });
}

#[test]
fn so_6_without_a_value_last_when_ascending_and_first_when_descending() {
    on_every_store(|server| {
        users(
            server,
            &[("none", json!({})), ("b", json!({"title": "b"})), ("a", json!({"title": "a"})), ("nil", json!({}))],
        );
        assert_eq!(order(server, "title", ""), "a b none nil");
        assert_eq!(order(server, "title", "descending"), "nil none b a");
        // The same where an index leads the way.
        users(server, &[("e", json!({"externalId": "1"}))]);
        assert_eq!(order(server, "externalId", ""), "e none b a nil");
        assert_eq!(order(server, "externalId", "descending"), "nil a b none e");
    });
}

/// Proves: I-6.
#[test]
fn so_7_values_are_ordered_by_their_type() {
    on_every_store(|server| {
        users(server, &[("b", json!({})), ("A", json!({})), ("c", json!({})), ("É", json!({})), ("z", json!({}))]);
        assert_eq!(order(server, "userName", ""), "A b c z É", "code points, without case and locale");
        users(server, &[("y", json!({"externalId": "b"})), ("x", json!({"externalId": "C"}))]);
        assert_eq!(order(server, "externalId", "").split(' ').take(2).collect::<Vec<_>>(), ["x", "y"], "case counts");

        let more = [("n9", 9, 0.5, false), ("n10", 10, -2.0, true), ("m1", -1, 10.0, false)];
        for (name, ports, weight, enabled) in more {
            let built = format!("2026-01-01T00:00:00{}", if enabled { "+02:00" } else { "Z" });
            let body = json!({"ports": ports, "weight": weight, "enabled": enabled, "builtAt": built});
            server.create("/Gadgets", with(gadget(name), body));
        }
        let gadgets =
            |sort_by: &str| listed(&server.query("/Gadgets", &[("sortBy", sort_by)]).is(200), "name").join(" ");
        assert_eq!(gadgets("ports"), "m1 n9 n10");
        assert_eq!(gadgets("weight"), "n10 n9 m1");
        assert_eq!(gadgets("enabled").split(' ').next_back(), Some("n10"));
        assert_eq!(gadgets("builtAt").split(' ').next(), Some("n10"));
    });
}

#[test]
fn so_10_ties_are_broken_so_that_pages_fit_together() {
    on_every_store(|server| {
        let bodies: Vec<_> = (0..11).map(|at| (format!("u{at:02}"), json!({"title": (at % 2).to_string()}))).collect();
        let bodies: Vec<_> = bodies.iter().map(|(name, body)| (name.as_str(), body.clone())).collect();
        users(server, &bodies);
        for sort_order in ["ascending", "descending"] {
            let mut seen = Vec::new();
            for start in ["1", "4", "7", "10"] {
                let page = [("sortBy", "title"), ("sortOrder", sort_order), ("startIndex", start), ("count", "3")];
                let page = server.query("/Users", &page).is(200);
                assert_eq!(page["totalResults"], 11);
                seen.extend(listed(&page, "userName").into_iter().map(str::to_owned));
            }
            let mut wanted: Vec<_> = (0..11).map(|at| format!("u{at:02}")).collect();
            wanted.sort_by_key(|name| name.trim_start_matches('u').parse::<u32>().unwrap() % 2);
            if sort_order == "descending" {
                wanted.reverse();
            }
            assert_eq!(seen, wanted);
        }
    });
}

#[test]
fn sorting_goes_with_filters_projections_and_rows() {
    on_every_store(|server| {
        users(server, &[("b", json!({"title": "t"})), ("c", json!({"title": "t"})), ("a", json!({}))]);
        let query = [("sortBy", "userName"), ("filter", "title pr"), ("attributes", "title"), ("count", "1")];
        let list = server.query("/Users", &query).is(200);
        assert_eq!((&list["totalResults"], list.resources()[0].get("userName")), (&json!(2), None));
        // What a list is sorted by need not be seen, and neither need the members of groups.
        let ids: Vec<_> = server.get("/Users").is(200).resources().iter().map(|user| user["id"].clone()).collect();
        let id = |at: usize| ids[at].as_str().unwrap();
        server.create("/Groups", group("late", &[id(1)]));
        server.create("/Groups", group("early", &[id(0), id(2)]));
        server.create("/Groups", group("empty", &[]));
        for selection in
            [("excludedAttributes", "members"), ("attributes", "displayName"), ("attributes", "members,displayName")]
        {
            let list = server.query("/Groups", &[("sortBy", "members.value"), selection]).is(200);
            assert_eq!(listed(&list, "displayName"), ["early", "late", "empty"]);
            assert_eq!(list.text.contains("\"members\""), selection.1.contains("members,"), "{}", list.text);
        }
        assert_eq!(order(server, "groups.display", ""), "b a c");
    });
}

/// Proves: PG-9, R-24.
#[test]
fn q_10_a_sorted_list_is_open_up_to_an_index() {
    Setup::default().limits(|limits| limits.max_sorted_index = 5).on_every_store(|server| {
        let names: Vec<_> = (0..6).map(|at| format!("u{at}")).collect();
        for name in &names[..3] {
            server.create("/Users", user(name));
        }
        let page = |start: &'static str, count: &'static str| {
            server.query("/Users", &[("sortBy", "title"), ("startIndex", start), ("count", count)])
        };
        // Behind the end of a short list there is nothing, and nothing to keep in order.
        for (start, count) in [("4", "3"), ("9223372036854775807", "1"), ("100000", "0")] {
            let empty = page(start, count).is(200);
            assert_eq!((&empty["totalResults"], empty.resources().len()), (&json!(3), 0));
        }
        for name in &names[3..] {
            server.create("/Users", user(name));
        }
        assert_eq!(page("4", "2").is(200).resources().len(), 2);
        page("5", "3").fails(400, "tooMany");
        page("9223372036854775807", "1").fails(400, "tooMany");
        page("1", "100").is(200);
        server.get("/Users?startIndex=100").is(200);
        server.query("/Users", &[("sortBy", "title"), ("cursor", ""), ("count", "100")]).is(200);
        let one = [("sortBy", "title"), ("startIndex", "100"), ("filter", "userName eq \"u1\"")];
        assert_eq!(server.query("/Users", &one).is(200)["totalResults"], 1);
    });
}
