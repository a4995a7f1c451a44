//! What a server says of itself, as a client reads it.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use scimwright_client::{Error, diff};
use scimwright_core::{Admit, Catalog, Resource, urns};
use serde_json::{Value, json};
use support::{Does, client};

#[test]
fn a_configuration_is_read_as_far_as_it_is_there() {
    let whole = json!({"schemas": [urns::SERVICE_PROVIDER_CONFIG], "documentationUri": "https://docs.example",
        "patch": {"supported": true}, "bulk": {"supported": true, "maxOperations": 100, "maxPayloadSize": 1000},
        "filter": {"supported": true, "maxResults": 200}, "changePassword": {"supported": false}, "sort": {"supported": true},
        "etag": {"supported": true}, "pagination": {"cursor": true, "index": true, "maxPageSize": 50, "cursorTimeout": 3600},
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "n", "description": "d", "primary": true}],
        "meta": {"version": "W/\"1\""}, "somethingElse": [1]});
    let (client, server) =
        client([Does::json(200, &whole), Does::json(200, &json!({"schemas": [], "patch": {}, "bulk": null}))]);
    let read = block_on(client.service_provider_config()).unwrap();
    let config = read.resource;
    assert!(
        config.patch.supported && config.sort.supported && config.etag.supported && !config.change_password.supported
    );
    assert_eq!((config.bulk.max_operations, config.filter.max_results), (Some(100), Some(200)));
    assert_eq!(config.pagination.unwrap().max_page_size, Some(50));
    assert_eq!(
        (config.authentication_schemes[0].kind.as_str(), read.version.unwrap().as_str()),
        ("oauthbearertoken", "W/\"1\"")
    );
    let bare = block_on(client.service_provider_config()).unwrap().resource;
    assert!(!bare.patch.supported && bare.pagination.is_none() && bare.authentication_schemes.is_empty());
    assert_eq!(server.lines(), ["GET /ServiceProviderConfig"; 2]);
}

/// The lists of discovery, whole or in pages.
fn list(resources: Vec<Value>, total: usize) -> Does {
    Does::json(200, &json!({"schemas": [urns::LIST_RESPONSE], "totalResults": total, "Resources": resources}))
}

fn standard() -> (Vec<Value>, Vec<Value>) {
    let catalog = Catalog::standard();
    let schemas = catalog.schemas().iter().map(|schema| Value::Object(schema.to_json())).collect();
    (schemas, catalog.resource_types().iter().map(|one| Value::Object(one.to_json())).collect())
}

#[test]
fn a_catalog_is_made_of_what_is_discovered() {
    let (schemas, types) = standard();
    // A server with pages where RFC 7644 section 4 has none is read to the end all the same.
    let (first, second) = schemas.split_at(2);
    let total = schemas.len();
    let (client, server) = client([list(first.to_vec(), total), list(second.to_vec(), total), list(types, 2)]);
    let catalog = block_on(client.catalog()).unwrap();
    assert_eq!(
        server.lines(),
        ["GET /Schemas?startIndex=1", "GET /Schemas?startIndex=3", "GET /ResourceTypes?startIndex=1"]
    );
    let users = catalog.resource_type("User").unwrap();
    assert_eq!(users.attributes(), Catalog::standard().resource_type("User").unwrap().attributes());
    assert!(users.extension(urns::ENTERPRISE_USER).is_some());

    // Members are taken for rows, so that a group may have as many as it likes.
    let groups = catalog.resource_type("Group").unwrap();
    let group = |count: usize| -> Resource {
        let members: Vec<Value> = (0..count).map(|id| json!({"value": id.to_string()})).collect();
        Admit::new(groups).trusted(json!({"schemas": [urns::GROUP], "displayName": "g", "members": members})).unwrap()
    };
    let patch = diff(groups, &group(2000), &group(2001)).unwrap().unwrap();
    assert_eq!(patch.to_json()["Operations"], json!([{"op": "add", "path": "members", "value": [{"value": "2000"}]}]));
}

#[test]
fn what_does_not_fit_together_is_told() {
    let (schemas, types) = standard();
    let without_groups: Vec<Value> = schemas.iter().filter(|schema| schema["id"] != urns::GROUP).cloned().collect();
    let twice = [schemas.clone(), schemas.clone()].concat();
    for (schemas, types) in [(without_groups, types.clone()), (twice, types), (schemas, vec![json!({"name": "X"})])] {
        let totals = (schemas.len(), types.len());
        let (client, _) = client([list(schemas, totals.0), list(types, totals.1)]);
        let error = block_on(client.catalog()).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }
}
