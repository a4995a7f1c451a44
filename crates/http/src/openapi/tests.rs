use http::Request;
use http_body_util::{BodyExt, Full};
use scimwright_core::ResourceTypeSpec;
use scimwright_service::Context;
use scimwright_store::InMemory;

use super::*;
use crate::{Scim, StaticToken};

const THING: &str = "urn:example:Thing";
const MORE: &str = "urn:example:More";

/// One type with a little of everything.
fn small() -> Service {
    let schema = json!({"id": THING, "name": "Thing", "attributes": [
        {"name": "name", "required": true, "uniqueness": "server", "description": "What it is called."},
        {"name": "kind", "canonicalValues": ["big", "small"], "mutability": "immutable", "required": true},
        {"name": "pin", "mutability": "writeOnly", "returned": "never"},
        {"name": "count", "type": "integer", "mutability": "readOnly", "returned": "always"},
        {"name": "owner", "type": "complex", "subAttributes": [
            {"name": "value"}, {"name": "$ref", "type": "reference", "referenceTypes": ["User"]}, {"name": "seen", "type": "dateTime", "mutability": "readOnly"}]},
        {"name": "links", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "reference", "required": true, "returned": "always"}, {"name": "primary", "type": "boolean"}]},
    ]});
    let more =
        json!({"id": MORE, "attributes": [{"name": "size", "type": "decimal"}, {"name": "print", "type": "binary"}]});
    let of = json!({"name": "Thing", "endpoint": "/Things", "description": "A thing.", "schema": THING,
        "schemaExtensions": [{"schema": MORE, "required": false}]});
    let catalog = Catalog::empty().with_schema(&schema).unwrap().with_schema(&more).unwrap();
    Service::new(catalog.with_resource_type(ResourceTypeSpec::from_json(of)).unwrap(), InMemory::default())
}

/// What operations take and answer, a line each.
fn outline(document: &Value) -> String {
    let mut lines = String::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap().iter().filter(|(verb, _)| *verb != "parameters") {
            let name = |parameter: &Value| {
                let name = parameter["name"].as_str().or_else(|| parameter["$ref"].as_str()?.rsplit('/').next());
                name.unwrap().to_owned()
            };
            let own = [&item["parameters"], &operation["parameters"]];
            let taken: Vec<String> = own.iter().filter_map(|list| list.as_array()).flatten().map(name).collect();
            let answered: Vec<&str> = operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
            let (id, taken, answered) =
                (operation["operationId"].as_str().unwrap(), taken.join(" "), answered.join(" "));
            lines += &format!("{} {path} = {id}({taken}): {answered}\n", verb.to_uppercase());
        }
    }
    lines
}

#[test]
fn endpoints_are_those_of_the_types_and_those_of_every_service() {
    let service = small();
    let closed = OpenApi::new(&service, "https://example.com/v2").served_at("/openapi.json");
    insta::assert_snapshot!(outline(&closed.to_json()), @r"
    GET / = list.Everything(attributes excludedAttributes filter sortBy sortOrder startIndex count cursor): 200 400 401 403 429 503
    POST /.search = search.Everything(): 200 400 401 403 413 415 429 503
    POST /Bulk = runBulk(): 200 400 401 403 413 415 429 503
    GET /ResourceTypes = discoverResourceTypes(): 200 400 401 403 429 503
    GET /ResourceTypes/{id} = discoverResourceType(id): 200 400 401 403 404 429 503
    GET /Schemas = discoverSchemas(): 200 400 401 403 429 503
    GET /Schemas/{id} = discoverSchema(id): 200 400 401 403 404 429 503
    GET /ServiceProviderConfig = discoverServiceProviderConfig(): 200 400 401 403 429 503
    GET /Things = listThing(attributes excludedAttributes filter sortBy sortOrder startIndex count cursor): 200 400 401 403 429 503
    POST /Things = createThing(attributes excludedAttributes): 200 201 400 401 403 409 413 415 429 503
    POST /Things/.search = searchThing(): 200 400 401 403 413 415 429 503
    DELETE /Things/{id} = deleteThing(id If-Match If-None-Match): 204 400 401 403 404 405 412 429 503
    GET /Things/{id} = readThing(id attributes excludedAttributes If-Match If-None-Match): 200 304 400 401 403 404 405 412 429 503
    PATCH /Things/{id} = patchThing(id attributes excludedAttributes If-Match If-None-Match): 200 400 401 403 404 405 409 412 413 415 429 503
    PUT /Things/{id} = replaceThing(id attributes excludedAttributes If-Match If-None-Match): 200 400 401 403 404 405 409 412 413 415 429 503
    GET /openapi.json = discoverOpenApi(): 200 401 403 429 503
    ");
    let told =
        |document: Value| outline(&document).lines().filter(|line| line.contains("/S")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(told(closed.open_discovery(true).to_json()), @r"
    GET /Schemas = discoverSchemas(): 200 400 403 429 503
    GET /Schemas/{id} = discoverSchema(id): 200 400 403 404 429 503
    GET /ServiceProviderConfig = discoverServiceProviderConfig(): 200 400 403 429 503
    ");
}

#[test]
fn a_small_catalog_has_a_small_description() {
    let service = small();
    let document = OpenApi::new(&service, "https://example.com/v2").to_json();
    let own = |part: &Value| -> Map<String, Value> {
        let all = part.as_object().unwrap().clone();
        all.into_iter().filter(|(name, _)| name.split('.').any(|part| part == "Thing")).collect()
    };
    let components = &document["components"];
    let own = json!({
        "servers": document["servers"], "security": document["security"], "tags": document["tags"],
        "create": document["paths"]["/Things"]["post"], "securitySchemes": components["securitySchemes"],
        "schemas": own(&components["schemas"]), "responses": own(&components["responses"]),
    });
    insta::assert_snapshot!(format!("{own:#}"));
}

#[test]
fn schemes_are_those_of_the_configuration() {
    let mut features = Features::default();
    let scheme = |kind: &str| json!({"type": kind, "name": kind, "description": format!("by {kind}")});
    features.authentication_schemes =
        ["oauth2", "httpbasic", "httpdigest", "oauth", "httpbasic", "smoke"].map(scheme).to_vec();
    features.documentation_uri = Some("https://example.com/help".to_owned());
    let service = small().features(features);
    let document = OpenApi::new(&service, "/v2").to_json();
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let schemes: Vec<String> = schemes.iter().map(|(name, scheme)| format!("{name} {}", scheme["scheme"])).collect();
    assert_eq!(schemes, [r#"httpbasic "basic""#, r#"httpdigest "digest""#, r#"oauth "OAuth""#, r#"oauth2 "bearer""#]);
    assert_eq!(document["security"].as_array().unwrap().len(), 4);
    assert_eq!(document["externalDocs"]["url"], "https://example.com/help");
}

/// The status and media type at a path.
fn get(scim: &Scim, path: &str, token: Option<&str>) -> (u16, String, Value) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = pollster::block_on(scim.handle(request.body(Full::<bytes::Bytes>::default()).unwrap()));
    let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    let (parts, body) = response.into_parts();
    let body = pollster::block_on(body.collect()).unwrap().to_bytes();
    (parts.status.as_u16(), media_type, serde_json::from_slice(&body).unwrap())
}

#[test]
fn it_is_served_where_it_is_said_to_be_and_nowhere_else() {
    let context = || Context::new("acme".parse().unwrap(), "tests", "https://example.com/v2");
    let scim = || Scim::new(small(), StaticToken::new("secret", context())).mount("/v2");
    let (status, media_type, body) = get(&scim().openapi("/api.json"), "/v2/api.json", None);
    assert_eq!((status, media_type.as_str()), (200, "application/json"));
    assert_eq!(body["servers"], json!([{"url": "https://example.com/v2"}]));
    assert_eq!(body["paths"]["/api.json"]["get"]["security"], json!([{}, {"oauthbearertoken": []}]));
    assert_eq!(get(&scim().openapi("api.json"), "/v2/api.json", None).2, body);
    assert_eq!(get(&scim().openapi("/api.json"), "/v2/openapi.json", Some("secret")).0, 404);
    assert_eq!(get(&scim(), "/v2/openapi.json", Some("secret")).0, 404);
    assert_eq!(get(&scim(), "/v2/openapi.json", None).0, 401);
}
