//! What a list says of itself where it is a part of a longer one: RFC 7644 section 3.4.2.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_core::urns;
use scimwright_tests::{on_every_store, user};
use serde_json::json;

#[test]
fn q_4_a_part_of_a_list_says_which_it_is() {
    on_every_store(|server| {
        for name in ["a", "b", "c"] {
            server.create("/Users", user(name));
        }
        for (query, start, items) in [("count=1", 1, 1), ("startIndex=2&count=1", 2, 1), ("startIndex=2", 2, 2)] {
            let list = server.get(format!("/Users?{query}")).is(200);
            assert_eq!(list["totalResults"], 3, "{query}");
            assert_eq!((&list["startIndex"], &list["itemsPerPage"]), (&json!(start), &json!(items)), "{query}");
            assert_eq!(list.resources().len(), items);
        }
        let search = json!({"schemas": [urns::SEARCH_REQUEST], "startIndex": 3, "count": 5});
        let list = server.post("/Users/.search", search).is(200);
        assert_eq!((&list["startIndex"], &list["itemsPerPage"]), (&json!(3), &json!(1)));
    });
}
