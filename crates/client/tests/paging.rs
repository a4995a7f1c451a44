//! From page to page, to the end, whatever a server says of it.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use pollster::block_on;
use scimwright_client::{Client, Paging, Query, SortOrder};
use scimwright_core::{User, urns};
use serde_json::{Value, json};
use support::{BASE, Does, client};

/// A page with the users of these numbers.
fn page(numbers: std::ops::Range<u32>, more: Value) -> Does {
    let user = |number: u32| {
        json!({"id": number.to_string(), "userName": format!("u{number}"),
            "meta": {"location": format!("{BASE}/Users/{number}"), "version": format!("W/\"{number}\"")}})
    };
    let mut body = json!({"schemas": [urns::LIST_RESPONSE], "Resources": numbers.map(user).collect::<Vec<_>>()});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    Does::json(200, &body)
}

fn by_index(client: &Client) -> Query<User> {
    client.users().list().paging(Paging::Index).page_size(3)
}

fn by_cursor(client: &Client) -> Query<User> {
    client.users().list().paging(Paging::Cursor).page_size(3)
}

/// The numbers of all that came, the requests that it took, and the error at the end, if one was there.
#[track_caller]
fn walked(script: Vec<Does>, query: fn(&Client) -> Query<User>) -> (Vec<String>, Vec<String>, Option<String>) {
    let (client, server) = client(script);
    let mut all = query(&client).all();
    let (mut came, mut error) = (Vec::new(), None);
    while let Some(next) = block_on(all.next()) {
        match next {
            Ok(one) => came.push(one.resource.id),
            Err(found) => error = Some(found.to_string()),
        }
    }
    assert!(block_on(all.next()).is_none(), "the end is the end");
    assert!(server.is_done(), "pages were left");
    (came, server.lines(), error)
}

fn numbers(of: std::ops::Range<u32>) -> Vec<String> {
    of.map(|number| number.to_string()).collect()
}

#[test]
fn pages_by_index_go_on_to_the_total() {
    let (came, asked, error) = walked(
        vec![
            page(1..4, json!({"totalResults": 7, "startIndex": 1, "itemsPerPage": 3})),
            page(4..7, json!({"totalResults": 7, "startIndex": 4, "itemsPerPage": 3})),
            page(7..8, json!({"totalResults": 7, "startIndex": 7, "itemsPerPage": 1})),
        ],
        by_index,
    );
    assert_eq!((came, error), (numbers(1..8), None));
    assert_eq!(
        asked,
        ["GET /Users?count=3&startIndex=1", "GET /Users?count=3&startIndex=4", "GET /Users?count=3&startIndex=7"]
    );
}

#[test]
fn a_short_page_is_not_the_end_by_index() {
    let (came, asked, error) = walked(
        vec![
            page(1..2, json!({"totalResults": 4, "startIndex": 1, "itemsPerPage": 1})),
            page(2..4, json!({"totalResults": 4, "startIndex": 2, "itemsPerPage": 2})),
            page(4..5, json!({"totalResults": 4, "startIndex": 4, "itemsPerPage": 1})),
        ],
        by_index,
    );
    assert_eq!((came, error), (numbers(1..5), None));
    assert_eq!(asked.last().unwrap(), "GET /Users?count=3&startIndex=4");
}

#[test]
fn a_full_last_page_is_the_end_by_index() {
    let (came, asked, _) = walked(vec![page(1..4, json!({"totalResults": 3}))], by_index);
    assert_eq!((came, asked.len()), (numbers(1..4), 1));
    let (came, ..) = walked(vec![page(1..1, json!({"totalResults": 0}))], by_index);
    assert_eq!(came, [""; 0]);
    let (came, ..) = walked(vec![Does::json(200, &json!({"totalResults": 0}))], by_index);
    assert_eq!(came, [""; 0]);
}

#[test]
fn a_server_whose_numbers_are_wrong_is_asked_until_nothing_comes() {
    // Items per page are 0, so what came is counted; and the total is beyond what there is.
    let (came, asked, error) = walked(
        vec![
            page(1..4, json!({"totalResults": 100, "startIndex": 1, "itemsPerPage": 0})),
            page(4..6, json!({"totalResults": 100, "startIndex": 4, "itemsPerPage": 0})),
            page(6..6, json!({"totalResults": 100, "startIndex": 6, "itemsPerPage": 0})),
        ],
        by_index,
    );
    assert_eq!((came, error), (numbers(1..6), None));
    assert_eq!(asked.last().unwrap(), "GET /Users?count=3&startIndex=6");
    // The total is less than what came, or not there at all.
    for total in [json!(2), Value::Null, json!("7"), json!(-1)] {
        let (came, ..) = walked(
            vec![
                page(1..4, json!({"totalResults": total})),
                page(4..6, json!({"totalResults": total})),
                page(6..6, json!({"totalResults": total})),
            ],
            by_index,
        );
        assert_eq!(came, numbers(1..6), "{total}");
    }
}

#[test]
fn a_server_that_goes_nowhere_is_told_so() {
    // It ignores `startIndex`, and says that there is always more.
    let same = |more: Value| page(1..4, more);
    let (came, _, error) = walked(vec![same(json!({"totalResults": 9})), same(json!({"totalResults": 9}))], by_index);
    assert_eq!(came, numbers(1..4), "what comes twice is not given twice");
    insta::assert_snapshot!(error.unwrap(), @"the answer of status 200 makes no sense: the server goes back to an earlier page: it would never end");
    // Whatever is shown of the users: neither where they are, nor even who.
    for one in [json!({"id": "1", "userName": "ada"}), json!({"userName": "ada"})] {
        let same = || Does::json(200, &json!({"Resources": [one]}));
        let (client, server) = client([same(), same()]);
        let mut all = client.resources::<Value>("/Users").list().paging(Paging::Index).all();
        assert!(block_on(all.next()).unwrap().is_ok());
        assert!(block_on(all.next()).unwrap().is_err() && server.is_done());
    }
    let first = json!({"totalResults": 9, "startIndex": 1});
    let (_, _, error) = walked(vec![same(first.clone()), page(2..5, first)], by_index);
    assert!(error.unwrap().contains("goes back"));
}

#[test]
fn pages_by_cursor_go_on_to_the_last_cursor() {
    let (came, asked, error) = walked(
        vec![
            page(1..4, json!({"nextCursor": "a-1"})),
            page(4..4, json!({"nextCursor": "b~2", "previousCursor": "x"})),
            page(4..5, json!({"nextCursor": "c", "totalResults": 5})),
            page(5..6, json!({"totalResults": 5})),
        ],
        by_cursor,
    );
    assert_eq!((came, error), (numbers(1..6), None));
    assert_eq!(
        asked,
        [
            "GET /Users?count=3&cursor=",
            "GET /Users?count=3&cursor=a-1",
            "GET /Users?count=3&cursor=b~2",
            "GET /Users?count=3&cursor=c"
        ]
    );
    // What a server should never say, an empty cursor, would begin again.
    let (came, ..) = walked(vec![page(1..4, json!({"nextCursor": ""}))], by_cursor);
    assert_eq!(came, numbers(1..4));
}

#[test]
fn cursors_that_lead_in_circles_are_an_error() {
    let (came, _, error) = walked(
        vec![
            page(1..2, json!({"nextCursor": "a"})),
            page(2..3, json!({"nextCursor": "b"})),
            page(3..4, json!({"nextCursor": "a"})),
        ],
        by_cursor,
    );
    assert_eq!(came, numbers(1..3));
    insta::assert_snapshot!(error.unwrap(), @"the answer of status 200 makes no sense: a cursor comes again: it would never end");
    let empty = |at: u32| page(1..1, json!({"nextCursor": format!("c{at}")}));
    let (came, asked, error) = walked((0..101).map(empty).collect(), by_cursor);
    assert_eq!((came.len(), asked.len()), (0, 101));
    assert!(error.unwrap().contains("empty"));
}

#[test]
fn a_server_that_has_cursors_only_is_followed() {
    // RFC 9865 section 2.3: it may answer a query without a cursor with one.
    let script = vec![page(1..4, json!({"nextCursor": "n"})), page(4..5, json!({}))];
    let (came, asked, _) = walked(script, by_index);
    assert_eq!(came, numbers(1..5));
    assert_eq!(asked, ["GET /Users?count=3&startIndex=1", "GET /Users?count=3&cursor=n"]);
}

#[test]
fn an_endpoint_that_ignores_cursors_is_followed_by_index() {
    let script = vec![page(1..4, json!({"totalResults": 5})), page(4..6, json!({"totalResults": 5}))];
    let (came, asked, error) = walked(script, by_cursor);
    assert_eq!((came, error), (numbers(1..6), None));
    assert_eq!(asked, ["GET /Users?count=3&cursor=", "GET /Users?count=3&startIndex=4"]);
    // Who followed a cursor is at the end, even where somebody was removed meanwhile.
    let script =
        vec![page(1..4, json!({"totalResults": 7, "nextCursor": "n"})), page(4..6, json!({"totalResults": 7}))];
    let (came, asked, error) = walked(script, by_cursor);
    assert_eq!((came, asked.len(), error), (numbers(1..6), 2, None));
}

#[test]
fn a_cursor_that_is_no_text_is_not_the_end() {
    for name in ["nextCursor", "previousCursor"] {
        let (came, _, error) = walked(vec![page(1..4, json!({name: 17}))], by_cursor);
        assert_eq!(came, [""; 0]);
        assert_eq!(error.unwrap(), format!("the answer of status 200 makes no sense: `{name}` is no string"));
    }
    let (came, _, error) = walked(vec![page(1..4, json!({"nextCursor": null}))], by_cursor);
    assert_eq!((came, error), (numbers(1..4), None));
}

#[test]
fn a_page_that_begins_elsewhere_than_asked_is_an_error() {
    for start in [json!(2), json!(u64::MAX)] {
        let (came, _, error) = walked(vec![page(1..4, json!({"totalResults": 9, "startIndex": start}))], by_index);
        assert_eq!(came, [""; 0]);
        assert!(error.unwrap().contains("would be missed"), "{start}");
    }
    // Who counts from 0 means the first.
    let script = vec![
        page(1..4, json!({"totalResults": 5, "startIndex": 0})),
        page(4..6, json!({"totalResults": 5, "startIndex": 4})),
    ];
    let (came, _, error) = walked(script, by_index);
    assert_eq!((came, error), (numbers(1..6), None));
}

#[test]
fn fresh_cursors_to_the_same_pages_are_an_error() {
    let to = |users: std::ops::Range<u32>, cursor: &str| page(users, json!({"nextCursor": cursor}));
    let (came, _, error) = walked(vec![to(1..3, "a"), to(1..3, "b")], by_cursor);
    assert_eq!(came, numbers(1..3));
    assert!(error.unwrap().contains("goes back to an earlier page"));
    let (came, _, error) = walked(vec![to(1..3, "a"), to(3..5, "b"), to(1..3, "c")], by_cursor);
    assert_eq!(came, numbers(1..5));
    assert!(error.unwrap().contains("goes back to an earlier page"));
    let more = || json!({"totalResults": 100});
    let (came, _, error) = walked(vec![page(1..3, more()), page(3..5, more()), page(1..3, more())], by_index);
    assert_eq!(came, numbers(1..5));
    assert!(error.unwrap().contains("goes back to an earlier page"));
}

#[test]
fn a_cursor_has_a_length_that_a_uri_can_have() {
    let (.., error) = walked(vec![page(1..3, json!({"nextCursor": "x".repeat(8193)}))], by_cursor);
    assert!(error.unwrap().contains("longer than 8192 bytes"));
    let script = vec![page(1..3, json!({"nextCursor": "x".repeat(8192)})), page(3..4, json!({}))];
    assert_eq!(walked(script, by_cursor).0, numbers(1..4));
}

#[test]
fn the_first_may_be_on_a_later_page() {
    let (client, server) = client([
        page(1..1, json!({"nextCursor": "a"})),
        page(1..1, json!({"nextCursor": "b"})),
        page(5..6, json!({"nextCursor": "c"})),
    ]);
    let found = block_on(client.users().list().first()).unwrap().unwrap();
    assert_eq!(found.resource.id, "5");
    assert_eq!(server.lines(), ["GET /Users?count=1", "GET /Users?count=1&cursor=a", "GET /Users?count=1&cursor=b"]);
}

#[test]
fn errors_end_the_walk() {
    let script = vec![page(1..4, json!({"nextCursor": "n"})), Does::json(400, &json!({"scimType": "expiredCursor"}))];
    let (came, _, error) = walked(script, by_cursor);
    assert_eq!(came, numbers(1..4));
    assert_eq!(error.unwrap(), "the server refuses: 400 expiredCursor");
}

#[test]
fn how_to_page_is_what_the_server_announces() {
    let config = |pagination: Value| Does::json(200, &json!({"pagination": pagination, "patch": {"supported": true}}));
    let last = || page(1..2, json!({"totalResults": 1}));
    let announced = |config: Does| {
        // Asked once, however many lists there are.
        let (client, server) = client([config, last(), last()]);
        for _ in 0..2 {
            block_on(client.users().list().all().collect()).unwrap();
        }
        server.lines()
    };
    let cursor = ["GET /ServiceProviderConfig", "GET /Users?cursor=", "GET /Users?cursor="];
    let index = ["GET /ServiceProviderConfig", "GET /Users?startIndex=1", "GET /Users?startIndex=1"];
    assert_eq!(announced(config(json!({"cursor": true, "index": true}))), cursor);
    assert_eq!(announced(config(json!({"cursor": false, "index": true}))), index);
    assert_eq!(announced(config(Value::Null)), index);
    assert_eq!(announced(Does::status(404)), index);
    assert_eq!(announced(Does::Answer(200, Vec::new(), "nonsense".to_owned())), index);
    // An outage is none of its words, and is not remembered.
    let (client, server) = client([Does::status(500), config(json!({"cursor": true})), last()]);
    assert_eq!(block_on(client.users().list().all().collect()).unwrap_err().status(), Some(500));
    assert_eq!(block_on(client.users().list().all().collect()).unwrap().len(), 1);
    assert!(server.is_done());
}

#[test]
fn everything_that_is_asked_is_asked_on_every_page() {
    let script = || [page(1..2, json!({"nextCursor": "n"})), page(2..3, json!({}))];
    let asked = |query: Query<User>| {
        let query = query.filter("userName co \"+ü&\"").sort_by("name.familyName").sort_order(SortOrder::Descending);
        query.attributes(["userName", "name"]).page_size(1).paging(Paging::Cursor)
    };
    let (by_get, server) = client(script());
    block_on(asked(by_get.users().list()).all().collect()).unwrap();
    insta::assert_snapshot!(server.lines().join("\n"), @"
    GET /Users?attributes=userName%2Cname&filter=userName%20co%20%22%2B%C3%BC%26%22&sortBy=name.familyName&sortOrder=descending&count=1&cursor=
    GET /Users?attributes=userName%2Cname&filter=userName%20co%20%22%2B%C3%BC%26%22&sortBy=name.familyName&sortOrder=descending&count=1&cursor=n
    ");

    let message = json!({"schemas": [urns::SEARCH_REQUEST], "attributes": ["userName", "name"], "filter": "userName co \"+ü&\"",
        "sortBy": "name.familyName", "sortOrder": "descending", "count": 1});
    let with = |name: &str, value: Value| {
        let mut message = message.clone();
        message[name] = value;
        message
    };
    let (by_post, server) = client(script());
    block_on(asked(by_post.users().search()).all().collect()).unwrap();
    let posted = server.asked();
    assert!(posted.iter().all(|asked| asked.line == format!("POST {BASE}/Users/.search")));
    assert_eq!(posted[0].body, with("cursor", json!("")));
    assert_eq!(posted[1].body, with("cursor", json!("n")));

    let (at_root, server) = client([page(1..2, json!({"totalResults": 2})), page(2..3, json!({"totalResults": 2}))]);
    let query = at_root.search::<Value>().excluding(["meta"]).paging(Paging::Index);
    assert_eq!(block_on(query.all().collect()).unwrap().len(), 2);
    let posted = server.asked();
    assert!(posted.iter().all(|asked| asked.line == format!("POST {BASE}/.search")));
    assert_eq!(
        posted[1].body,
        json!({"schemas": [urns::SEARCH_REQUEST], "excludedAttributes": ["meta"], "startIndex": 2})
    );
}

#[test]
fn one_and_how_many() {
    let (client, server) = client([
        page(5..6, json!({"totalResults": 3})),
        page(1..1, json!({"totalResults": 0})),
        Does::json(200, &json!({"totalResults": 3})),
    ]);
    let found = block_on(client.users().list().filter("userName eq \"u5\"").first()).unwrap().unwrap();
    assert_eq!((found.resource.user_name.as_str(), found.version.unwrap().as_str()), ("u5", "W/\"5\""));
    assert_eq!(block_on(client.users().list().first()).unwrap(), None);
    assert_eq!(block_on(client.users().list().count()).unwrap(), 3);
    assert_eq!(
        server.lines(),
        ["GET /Users?filter=userName%20eq%20%22u5%22&count=1", "GET /Users?count=1", "GET /Users?count=0"]
    );
}

#[test]
fn pages_are_asked_for_when_they_are_wanted_and_are_a_stream() {
    let (client, server) = client([page(1..4, json!({"totalResults": 4})), page(4..5, json!({"totalResults": 4}))]);
    let mut pages = by_index(&client).pages();
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(server.lines(), [""; 0]);
    let Poll::Ready(Some(Ok(first))) = Pin::new(&mut pages).poll_next(&mut context) else { panic!("no page") };
    assert_eq!((first.resources.len(), first.total_results), (3, Some(4)));
    assert_eq!(server.lines().len(), 1);
    let Poll::Ready(Some(Ok(second))) = Pin::new(&mut pages).poll_next(&mut context) else { panic!("no page") };
    assert_eq!(second.resources.len(), 1);
    assert!(matches!(Pin::new(&mut pages).poll_next(&mut context), Poll::Ready(None)));

    // A stream can be sent to another thread.
    fn sent<S: Stream + Send + Unpin>(_: &S) {}
    sent(&pages);
    sent(&by_index(&client).all());
}
