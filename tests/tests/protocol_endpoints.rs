//! Where the endpoints are and who may use them: RFC 7644 sections 3.2, 3.13 and 2.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use pollster::block_on;
use scimwright_core::{Catalog, urns};
use scimwright_http::{Scim, StaticToken};
use scimwright_service::{Context, Service};
use scimwright_store::InMemory;
use scimwright_tests::{BASE, gadget, group, on_every_store, user};
use serde_json::json;

#[test]
fn e_2_every_endpoint_of_the_protocol_answers() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let arm = server.create("/Gadgets", gadget("arm"));
        for path in ["/Users", "/Groups", "/Gadgets", "/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
            server.get(path).is(200);
        }
        for made in [&ada, &team, &arm] {
            assert_eq!(server.get(made.path()).is(200).id(), made.id());
        }
        for path in ["/ResourceTypes/User", &format!("/Schemas/{}", urns::USER)] {
            server.get(path).is(200);
        }
        for path in ["/Users/.search", "/Groups/.search", "/Gadgets/.search"] {
            let found = server.post(path, json!({"schemas": [urns::SEARCH_REQUEST]})).is(200);
            assert_eq!(found["totalResults"], 1);
        }
        let delete = json!([{"method": "DELETE", "path": arm.path()}]);
        server.post("/Bulk", json!({"schemas": [urns::BULK_REQUEST], "Operations": delete})).is(200);
        server.post("/.search", json!({"schemas": [urns::SEARCH_REQUEST]})).is(200);
        // Whoever stands for nothing is told so, and not that the endpoint is nowhere.
        server.get("/Me").fails(501, "");
    });
}

/// The status of GET of a path, on a service that is mounted there.
fn status(mount: &str, path: &str) -> u16 {
    let service = Service::new(Catalog::standard(), InMemory::default());
    let caller = Context::new("acme".parse().unwrap(), "tests", BASE);
    let scim = Scim::new(service, StaticToken::new("secret", caller)).mount(mount);
    let request = Request::get(path).header("authorization", "Bearer secret").body(Full::<Bytes>::default()).unwrap();
    block_on(scim.handle(request)).status().as_u16()
}

#[test]
fn e_10_a_version_that_is_not_served_is_nowhere() {
    for (path, wanted) in [
        ("/scim/v2/Users", 200),
        ("/scim/v2/Users/", 200),
        ("/scim/v1/Users", 404),
        ("/scim/v9/Users", 404),
        ("/scim/v22/Users", 404),
        ("/scim/V2/Users", 404),
        ("/scim/v2/v2/Users", 404),
        ("/scim/v2Users", 404),
        ("/scim/Users", 404),
        ("/v2/Users", 404),
        ("/Users", 404),
    ] {
        assert_eq!(status("/scim/v2", path), wanted, "{path}");
    }
}
