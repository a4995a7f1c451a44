//! Walks through lists that outlive what they began at.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::{Hub, named};

#[test]
fn a_cursor_leads_on_after_a_restart_and_at_another_server() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let globex = hub.organisation(&server, "globex", "");
    for name in ["a", "b", "c", "d", "e"] {
        acme.client.make("/Users", &named(name));
        globex.client.make("/Users", &named(name));
    }
    let page = |client: &support::Client, cursor: &str| {
        client.get(&format!("/Users?attributes=userName&sortBy=userName&sortOrder=descending&count=2&cursor={cursor}"))
    };
    let first = page(&acme.client, "").is(200);
    let cursor = first["nextCursor"].as_str().unwrap();
    let other = hub.serve("");
    let there = page(&other.client(&acme.token), cursor).is(200);
    assert_eq!(there["Resources"][0]["userName"], "c");
    server.kill();
    other.kill();
    let again = hub.serve("");
    assert_eq!(page(&again.client(&acme.token), cursor).is(200)["Resources"], there["Resources"]);
    // In another organisation it leads nowhere, and neither does it at the server of another file.
    page(&again.client(&globex.token), cursor).is_error(400, "invalidCursor");
    let stranger = Hub::new();
    page(&stranger.serve("").first_client(), cursor).is_error(400, "invalidCursor");
}

/// Proves: PG-5, CU-16.
#[test]
fn pages_are_as_large_as_the_settings_say() {
    let hub = Hub::new();
    let server = hub.serve("--page-size 2 --max-page-size 3");
    let acme = hub.organisation(&server, "acme", "");
    for name in ["a", "b", "c", "d"] {
        acme.client.make("/Users", &named(name));
    }
    let size = |query: &str| acme.client.read(&format!("/Users{query}"))["itemsPerPage"].clone();
    assert_eq!((size(""), size("?count=100"), size("?count=1")), (2.into(), 3.into(), 1.into()));
    acme.client.get("/Users?cursor=&count=4").is_error(400, "invalidCount");
    let config = acme.client.read("/ServiceProviderConfig");
    let (pages, filter) = (&config["pagination"], &config["filter"]);
    assert_eq!(
        (&pages["defaultPageSize"], &pages["maxPageSize"], &filter["maxResults"]),
        (&2.into(), &3.into(), &3.into())
    );
    for wrong in ["--page-size 0", "--max-page-size x"] {
        let output = hub.run(&format!("serve {wrong}"));
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("page-size"), "{wrong}");
    }
}
