//! Cursor paging: RFC 9865.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use scimwright_core::{Instant, urns};
use scimwright_tests::{Answer, Server, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

/// Users `u00`, `u01`, … in the order in which lists have them.
fn people(server: &Server, count: usize) -> Vec<Answer> {
    (0..count).map(|at| server.create("/Users", user(&format!("u{at:02}")))).collect()
}

/// The page of a query at that cursor.
#[track_caller]
fn page(server: &Server, path: &str, query: &[(&str, &str)], cursor: &str) -> Answer {
    let list = server.query(path, &[query, &[("cursor", cursor)]].concat()).is(200);
    for name in ["nextCursor", "previousCursor"] {
        if let Some(cursor) = cursor_of(&list, name) {
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            assert!(!cursor.is_empty() && cursor.bytes().all(unreserved), "{cursor}");
        }
    }
    list
}

/// The values of a member, in the order of the list.
fn listed<'a>(list: &'a Answer, member: &str) -> Vec<&'a str> {
    list.resources().iter().map(|one| one[member].as_str().unwrap()).collect()
}

fn cursor_of<'a>(list: &'a Answer, name: &str) -> Option<&'a str> {
    list.body.get(name).map(|cursor| cursor.as_str().unwrap())
}

/// All names, page by page, and all pages.
#[track_caller]
fn walk(server: &Server, path: &str, query: &[(&str, &str)]) -> (Vec<String>, Vec<Answer>) {
    let (mut names, mut pages, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let list = page(server, path, query, &cursor);
        names.extend(
            list.resources()
                .iter()
                .map(|one| one["userName"].as_str().or(one["displayName"].as_str()).unwrap().to_owned()),
        );
        let next = cursor_of(&list, "nextCursor").map(str::to_owned);
        pages.push(list);
        match next {
            Some(next) => cursor = next,
            None => return (names, pages),
        }
    }
}

#[test]
fn cu_1_cu_2_cu_5_cu_6_a_walk_goes_from_page_to_page() {
    on_every_store(|server| {
        people(server, 7);
        let (names, pages) = walk(server, "/Users", &[("count", "3")]);
        assert_eq!(names, ["u00", "u01", "u02", "u03", "u04", "u05", "u06"]);
        assert_eq!(pages.iter().map(|page| page.resources().len()).collect::<Vec<_>>(), [3, 3, 1]);
        let keys = |at: usize| pages[at].keys();
        assert_eq!(keys(0), ["Resources", "itemsPerPage", "nextCursor", "schemas", "totalResults"]);
        assert_eq!(keys(1), ["Resources", "itemsPerPage", "nextCursor", "previousCursor", "schemas", "totalResults"]);
        assert_eq!(keys(2), ["Resources", "itemsPerPage", "previousCursor", "schemas", "totalResults"]);
        assert!(pages.iter().all(|page| page["totalResults"] == 7));
        // A parameter without a value is the empty cursor too.
        assert_eq!(listed(&server.get("/Users?cursor&count=3").is(200), "userName"), ["u00", "u01", "u02"]);
        // A page that is just full is the last one all the same.
        assert_eq!(walk(server, "/Users", &[("count", "7")]).1.len(), 1);
        assert_eq!(walk(server, "/Groups", &[("count", "7")]).1[0]["totalResults"], 0);
    });
}

#[test]
fn cu_4_a_walk_can_turn_back() {
    on_every_store(|server| {
        people(server, 7);
        for query in [&[("count", "3")][..], &[("count", "3"), ("sortBy", "userName"), ("sortOrder", "descending")]] {
            let (_, pages) = walk(server, "/Users", query);
            let mut back = pages.last().unwrap().clone();
            for wanted in pages.iter().rev().skip(1) {
                back = page(server, "/Users", query, cursor_of(&back, "previousCursor").unwrap());
                assert_eq!(listed(&back, "userName"), listed(wanted, "userName"));
            }
            assert_eq!(cursor_of(&back, "previousCursor"), None);
            let again = page(server, "/Users", query, cursor_of(&back, "nextCursor").unwrap());
            assert_eq!(listed(&again, "userName"), listed(&pages[1], "userName"));
        }
    });
}

#[test]
fn cu_3_going_back_to_what_is_gone_still_leads_forward() {
    on_every_store(|server| {
        let people = people(server, 4);
        let (_, pages) = walk(server, "/Users", &[("count", "2")]);
        for gone in &people[..2] {
            server.delete(gone.path()).is(204);
        }
        let empty = page(server, "/Users", &[("count", "2")], cursor_of(&pages[1], "previousCursor").unwrap());
        assert_eq!((empty.resources().len(), cursor_of(&empty, "previousCursor")), (0, None));
        let next = page(server, "/Users", &[("count", "2")], cursor_of(&empty, "nextCursor").unwrap());
        assert_eq!(listed(&next, "userName"), ["u02", "u03"]);
    });
}

#[test]
fn cu_7_count_bounds_a_page() {
    Setup::default().limits(|limits| (limits.default_count, limits.max_count) = (2, 3)).on_every_store(|server| {
        people(server, 5);
        for count in ["0", "-3"] {
            let none = page(server, "/Users", &[("count", count)], "");
            assert_eq!((&none["totalResults"], none.resources().len()), (&json!(5), 0));
            let some = page(server, "/Users", &[("count", count), ("filter", "userName gt \"u01\"")], "");
            assert_eq!((&some["totalResults"], cursor_of(&some, "nextCursor")), (&json!(3), None));
        }
        assert_eq!(
            walk(server, "/Users", &[]).1.iter().map(|page| page.resources().len()).collect::<Vec<_>>(),
            [2, 2, 1]
        );
        server.query("/Users", &[("cursor", ""), ("count", "4")]).fails(400, "invalidCount");
        server.query("/Users", &[("cursor", ""), ("count", "x")]).fails(400, "invalidCount");
        assert_eq!(page(server, "/Users", &[("count", "3")], "").resources().len(), 3);
    });
}

/// Proves: CU-17, CU-19.
#[test]
fn cu_8_cu_10_a_cursor_is_good_for_its_query_only() {
    on_every_store(|server| {
        people(server, 5);
        server.post("/Users", user("other")).by("globex").is(201);
        let query = [("count", "2"), ("filter", "userName pr"), ("sortBy", "userName"), ("attributes", "userName")];
        let cursor = cursor_of(&page(server, "/Users", &query, ""), "nextCursor").unwrap().to_owned();
        assert_eq!(listed(&page(server, "/Users", &query, &cursor), "userName"), ["u02", "u03"]);
        let changed = |at: usize, value: &'static str| {
            let mut changed = query.to_vec();
            changed[at].1 = value;
            changed
        };
        let asked = |query: &[(&str, &str)], path: &str| server.query(path, &[query, &[("cursor", &*cursor)]].concat());
        let words = asked(&query, "/Groups").fails(400, "invalidCursor").text;
        for query in [changed(1, "id pr"), changed(2, "id"), changed(3, "id"), query[..3].to_vec(), query[1..].to_vec()]
        {
            let scim_type = if query.len() == 3 && query[0].0 == "filter" { "invalidCount" } else { "invalidCursor" };
            let refused = asked(&query, "/Users").fails(400, scim_type);
            assert!(scim_type == "invalidCount" || refused.text == words);
        }
        asked(&changed(0, "3"), "/Users").fails(400, "invalidCount");
        assert_eq!(asked(&query, "/").fails(400, "invalidCursor").text, words);
        assert_eq!(asked(&query, "/Users").by("globex").fails(400, "invalidCursor").text, words, "another's");
        assert_eq!(
            asked(&[&query[..], &[("sortOrder", "descending")]].concat(), "/Users").fails(400, "invalidCursor").text,
            words
        );
        let mut forged = cursor.clone();
        forged.replace_range(..1, if cursor.starts_with('A') { "B" } else { "A" });
        for forged in [&*forged, "AAAA", "%", "x y", &cursor[1..]] {
            let refused =
                server.query("/Users", &[&query[..], &[("cursor", forged)]].concat()).fails(400, "invalidCursor");
            assert_eq!(refused.text, words);
        }
    });
}

#[test]
fn cu_9_the_total_is_told_where_it_costs_nothing() {
    on_every_store(|server| {
        people(server, 5);
        let filter = ("filter", "userName gt \"u00\"");
        let (names, pages) = walk(server, "/Users", &[("count", "3"), filter]);
        assert_eq!(names, ["u01", "u02", "u03", "u04"]);
        assert!(pages.iter().all(|page| page.body.get("totalResults").is_none()));
        // One page is everything.
        assert_eq!(walk(server, "/Users", &[("count", "4"), filter]).1[0]["totalResults"], 4);
    });
}

static NOW: AtomicI64 = AtomicI64::new(1_800_000_000);

fn clock() -> Instant {
    let seconds = NOW.load(Ordering::Relaxed);
    let text = format!("2026-01-01T{:02}:{:02}:{:02}Z", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    text.parse().unwrap()
}

#[test]
fn cu_10_an_old_cursor_has_expired() {
    let setup = Setup { clock: Some(clock), ..Setup::default() };
    let setup = setup.limits(|limits| limits.cursor_timeout = std::time::Duration::from_secs(60));
    setup.on_every_store(|server| {
        NOW.store(0, Ordering::Relaxed);
        people(server, 5);
        let query = [("count", "1")];
        let first = page(server, "/Users", &query, "");
        NOW.store(60, Ordering::Relaxed);
        let second = page(server, "/Users", &query, cursor_of(&first, "nextCursor").unwrap());
        NOW.store(61, Ordering::Relaxed);
        let cursor = ("cursor", cursor_of(&first, "nextCursor").unwrap());
        server.query("/Users", &[query[0], cursor]).fails(400, "expiredCursor");
        // Every page begins anew.
        page(server, "/Users", &query, cursor_of(&second, "nextCursor").unwrap());
        assert_eq!(server.get("/ServiceProviderConfig").is(200)["pagination"]["cursorTimeout"], 60);
    });
}

#[test]
fn cu_11_pages_are_sorted() {
    on_every_store(|server| {
        for (at, title) in ["b", "", "C", "a", "b", ""].iter().enumerate() {
            let body = if title.is_empty() { json!({}) } else { json!({"title": title, "externalId": title}) };
            server.create("/Users", with(user(&format!("u{at}")), body));
        }
        for (sort_by, ascending) in
            [("title", "u3 u0 u4 u2 u1 u5"), ("externalId", "u2 u3 u0 u4 u1 u5"), ("userName", "u0 u1 u2 u3 u4 u5")]
        {
            for count in ["1", "2", "4", "6"] {
                let query = [("sortBy", sort_by), ("count", count)];
                assert_eq!(walk(server, "/Users", &query).0.join(" "), ascending, "{sort_by} by {count}");
                let query = [query[0], query[1], ("sortOrder", "descending")];
                let mut names = walk(server, "/Users", &query).0;
                names.reverse();
                assert_eq!(names.join(" "), ascending, "{sort_by} by {count}, descending");
            }
        }
    });
}

#[test]
fn cu_13_cu_14_r_25_index_is_the_default_and_both_at_once_are_none() {
    on_every_store(|server| {
        people(server, 3);
        let list = server.get("/Users?count=1").is(200);
        assert_eq!((&list["startIndex"], list.body.get("nextCursor")), (&json!(1), None));
        server.get("/Users?cursor=&startIndex=1").fails(400, "invalidValue");
        let body = json!({"schemas": [urns::SEARCH_REQUEST], "cursor": "", "startIndex": 1});
        server.post("/Users/.search", body).fails(400, "invalidValue");
        let config = server.get("/ServiceProviderConfig").is(200);
        assert_eq!(config["pagination"]["defaultPaginationMethod"], "index");
    });
}

#[test]
fn cu_15_a_search_takes_a_cursor_in_its_body() {
    on_every_store(|server| {
        people(server, 3);
        server.create("/Groups", group("crew", &[]));
        let search = |path: &str, cursor: &str, count: Value| {
            let body =
                json!({"schemas": [urns::SEARCH_REQUEST], "sortBy": "userName", "cursor": cursor, "count": count});
            server.post(path, body)
        };
        let first = search("/Users/.search", "", json!(2)).is(200);
        let next = cursor_of(&first, "nextCursor").unwrap();
        assert_eq!(listed(&search("/Users/.search", next, json!(2)).is(200), "userName"), ["u02"]);
        // The same query, asked the other way.
        let same = page(server, "/Users", &[("sortBy", "userName"), ("count", "2")], next);
        assert_eq!(listed(&same, "userName"), ["u02"]);
        search("/Users/.search", next, json!(3)).fails(400, "invalidCount");
        let first = search("/.search", "", json!(3)).is(200);
        assert_eq!(listed(&first, "userName"), ["u00", "u01", "u02"]);
        let rest = search("/.search", cursor_of(&first, "nextCursor").unwrap(), json!(3)).is(200);
        assert_eq!(listed(&rest, "displayName"), ["crew"]);
        let body = json!({"schemas": [urns::SEARCH_REQUEST], "cursor": 7});
        server.post("/Users/.search", body).fails(400, "invalidCursor");
    });
}

/// However many walks are begun, nothing is kept of them.
///
/// Proves: CU-20.
#[test]
fn cu_16_the_pages_are_announced() {
    Setup::default().limits(|limits| (limits.default_count, limits.max_count) = (20, 50)).on_every_store(|server| {
        let wanted = json!({"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 20,
            "maxPageSize": 50, "cursorTimeout": 3600});
        assert_eq!(server.get("/ServiceProviderConfig").is(200)["pagination"], wanted);
        // However many walks are begun, there is nothing to end.
        people(server, 2);
        for _ in 0..200 {
            page(server, "/Users", &[("count", "1")], "");
        }
        assert_eq!(walk(server, "/Users", &[("count", "1")]).0.len(), 2);
    });
}

#[test]
fn nobody_who_was_there_throughout_is_missed_or_met_twice() {
    on_every_store(|server| {
        let people = people(server, 60);
        let (stay, go): (Vec<_>, Vec<_>) = people.iter().enumerate().partition(|(at, _)| at % 3 > 0);
        for query in [&[("count", "4")][..], &[("count", "4"), ("sortBy", "userName"), ("sortOrder", "descending")]] {
            thread::scope(|scope| {
                let writer = scope.spawn(|| {
                    for (at, gone) in &go {
                        let _ = server.delete(gone.path()).send();
                        let _ = server.post("/Users", user(&format!("n{at}"))).send();
                        let (_, stays) = &stay[at % stay.len()];
                        server
                            .patch(stays.path(), json!([{"op": "add", "path": "title", "value": at.to_string()}]))
                            .is(200);
                    }
                });
                for _ in 0..3 {
                    let (names, _) = walk(server, "/Users", query);
                    for (_, stays) in &stay {
                        let name = stays["userName"].as_str().unwrap();
                        assert_eq!(names.iter().filter(|met| *met == name).count(), 1, "{name}: {names:?}");
                    }
                }
                writer.join().unwrap();
            });
        }
    });
}

#[test]
fn a_value_that_is_too_long_for_a_uri_is_not_in_the_cursor() {
    on_every_store(|server| {
        for (at, title) in ["a", "b", "c"].iter().enumerate() {
            server.create("/Users", with(user(&format!("u{at}")), json!({"title": title.repeat(50_000)})));
        }
        let query = [("sortBy", "title"), ("count", "1"), ("attributes", "userName")];
        let (names, pages) = walk(server, "/Users", &query);
        assert_eq!(names, ["u0", "u1", "u2"]);
        let cursor = cursor_of(&pages[0], "nextCursor").unwrap();
        assert!(cursor.len() < 1000);
        let back = page(server, "/Users", &query, cursor_of(&pages[2], "previousCursor").unwrap());
        assert_eq!(listed(&back, "userName"), ["u1"]);
        // It has the record look up its value, and that is another one by now.
        let first = format!("/Users/{}", pages[0].resources()[0]["id"].as_str().unwrap());
        server.patch(&*first, json!([{"op": "replace", "path": "title", "value": "z"}])).is(200);
        server.query("/Users", &[&query[..], &[("cursor", cursor)]].concat()).fails(400, "expiredCursor");
        server.delete(&*first).is(204);
        server.query("/Users", &[&query[..], &[("cursor", cursor)]].concat()).fails(400, "expiredCursor");
    });
}

#[test]
fn a_walk_goes_on_from_where_a_record_was() {
    on_every_store(|server| {
        let people: Vec<_> =
            ["a", "b", "c", "d"].map(|name| server.create("/Users", with(user(name), json!({"title": name})))).into();
        let query = [("sortBy", "title"), ("count", "2")];
        let first = page(server, "/Users", &query, "");
        let cursor = cursor_of(&first, "nextCursor").unwrap();
        // The record at the edge moves to the end, and the walk meets it there again: its value has changed.
        server.patch(people[1].path(), json!([{"op": "replace", "path": "title", "value": "z"}])).is(200);
        let rest = page(server, "/Users", &query, cursor);
        assert_eq!(listed(&rest, "userName"), ["c", "d"]);
        let last = page(server, "/Users", &query, cursor_of(&rest, "nextCursor").unwrap());
        assert_eq!(listed(&last, "userName"), ["b"]);
        server.delete(people[3].path()).is(204);
        assert_eq!(listed(&page(server, "/Users", &query, cursor), "userName"), ["c", "b"]);
    });
}

#[test]
fn a_walk_is_sorted_by_what_an_extension_has_and_by_times_of_any_year() {
    on_every_store(|server| {
        for (at, department) in [Some("b"), None, Some("A")].into_iter().enumerate() {
            let mut body = user(&format!("u{at}"));
            if let Some(department) = department {
                body = with(
                    body,
                    json!({"schemas": [urns::USER, urns::ENTERPRISE_USER], urns::ENTERPRISE_USER: {"department": department}}),
                );
            }
            server.create("/Users", body);
        }
        let department = format!("{}:department", urns::ENTERPRISE_USER);
        assert_eq!(walk(server, "/Users", &[("sortBy", &department), ("count", "1")]).0, ["u2", "u0", "u1"]);
        for (name, built) in
            [("z", "9999-12-31T23:59:59-05:00"), ("y", "-0044-03-15T12:00:00Z"), ("x", "2026-01-01T00:00:00Z")]
        {
            server.create("/Gadgets", with(gadget(name), json!({"builtAt": built})));
        }
        let mut cursor = String::new();
        let mut names = Vec::new();
        loop {
            let list = page(server, "/Gadgets", &[("sortBy", "builtAt"), ("count", "1")], &cursor);
            names.extend(listed(&list, "name").into_iter().map(str::to_owned));
            match cursor_of(&list, "nextCursor") {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(names, ["y", "x", "z"]);
    });
}
