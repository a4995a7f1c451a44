//! What is the same for every catalog: the messages of RFC 7644 and the resources of discovery, each by its component's name.

use scimwright_core::{Catalog, ScimType, urns};
use scimwright_service::Limits;
use serde_json::{Map, Value, json};

use super::parameters::{FILTERS, ORDERS, SORT_BY};
use super::reference;

/// The schemas of everything that does not depend on a resource type.
pub(super) fn schemas(catalog: &Catalog, limits: &Limits) -> Map<String, Value> {
    let discovered = |name: &str| list(&reference("schemas", name));
    let all = [
        ("scim.ETag", json!({"type": "string", "pattern": "^W/\"[^\"]*\"$"})),
        ("scim.Error", error()),
        ("scim.Search", search()),
        ("scim.BulkRequest", bulk_request(limits)),
        ("scim.BulkResponse", bulk_response()),
        ("scim.ServiceProviderConfig", service_provider_config(catalog)),
        ("scim.ResourceType", resource_type()),
        ("scim.ResourceTypes", discovered("scim.ResourceType")),
        ("scim.Attribute", attribute()),
        ("scim.Schema", schema()),
        ("scim.Schemas", discovered("scim.Schema")),
    ];
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// A ListResponse of such items, all of them: RFC 7644 section 4.
fn list(item: &Value) -> Value {
    message(
        urns::LIST_RESPONSE,
        &["totalResults", "startIndex", "itemsPerPage", "Resources"],
        json!({
            "totalResults": {"type": "integer", "minimum": 0}, "startIndex": {"const": 1},
            "itemsPerPage": {"type": "integer", "minimum": 0}, "Resources": {"type": "array", "items": item},
        }),
    )
}

/// A ListResponse of such items, a page of them: RFC 7644 section 3.4.2, RFC 9865 section 2. By index it says where it begins and how
/// many there are; by cursor it says where others begin.
pub(super) fn page(item: &Value, limits: &Limits) -> Value {
    let cursor = json!({"type": "string", "minLength": 1});
    let mut page = message(
        urns::LIST_RESPONSE,
        &["itemsPerPage", "Resources"],
        json!({
            "totalResults": {"type": "integer", "minimum": 0}, "startIndex": {"type": "integer", "minimum": 1},
            "itemsPerPage": {"type": "integer", "minimum": 0}, "previousCursor": cursor, "nextCursor": cursor,
            "Resources": {"type": "array", "items": item, "maxItems": limits.max_count.max(1)},
        }),
    );
    if let Some(page) = page.as_object_mut() {
        page.insert("dependentRequired".to_owned(), json!({"startIndex": ["totalResults"]}));
        let by_cursor = json!({"properties": {"previousCursor": false, "nextCursor": false}});
        page.insert("dependentSchemas".to_owned(), json!({"startIndex": by_cursor}));
    }
    page
}

/// RFC 7644 section 3.12.
fn error() -> Value {
    let types: Vec<&str> = ScimType::ALL.iter().map(|scim_type| scim_type.as_str()).collect();
    message(
        urns::ERROR,
        &["status", "detail"],
        json!({
            "status": {"type": "string", "pattern": "^[45][0-9]{2}$", "description": "The HTTP status."},
            "scimType": {"enum": types},
            "detail": {"type": "string", "minLength": 1, "description": "A sentence for a person."},
        }),
    )
}

/// RFC 7644 section 3.4.3.
fn search() -> Value {
    let names = json!({"type": ["array", "null"], "items": {"type": "string"}});
    let number = json!({"type": ["integer", "null"]});
    let filter = json!({"type": ["string", "null"], "minLength": 1, "examples": FILTERS});
    request(
        urns::SEARCH_REQUEST,
        &[],
        json!({
            "attributes": names, "excludedAttributes": names, "filter": filter, "startIndex": number, "count": number,
            "sortBy": {"type": ["string", "null"], "examples": [SORT_BY]}, "sortOrder": {"type": ["string", "null"], "examples": ORDERS},
            "cursor": {"type": ["string", "null"], "description": "Empty for the first page."},
        }),
    )
}

/// RFC 7644 section 3.7.
fn bulk_request(limits: &Limits) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let operation = json!({
        "type": "object", "required": ["method", "path"],
        "properties": {
            "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
            "bulkId": text("The name of what a POST makes; others refer to it as `bulkId:…`."),
            "version": text("The version that the resource must have, as in If-Match."),
            "path": text("Such as `/Users`, or `/Users/` and an id."),
            "data": {"type": "object", "description": "The body that the request would have alone."},
        },
    });
    request(
        urns::BULK_REQUEST,
        &["Operations"],
        json!({
            "failOnErrors": {"type": ["integer", "null"], "minimum": 1, "description": "Stop after so many errors."},
            "Operations": {"type": "array", "items": operation, "maxItems": limits.max_bulk_operations},
        }),
    )
}

fn bulk_response() -> Value {
    let text = json!({"type": "string"});
    let operation = json!({
        "type": "object", "required": ["method", "status"], "additionalProperties": false,
        "properties": {
            "method": {"type": "string", "description": "As it was sent."},
            "bulkId": text, "version": reference("schemas", "scim.ETag"),
            "location": {"type": "string", "format": "uri-reference"},
            "status": {"type": "string", "pattern": "^[2-5][0-9]{2}$"},
            "response": reference("schemas", "scim.Error"),
        },
    });
    message(urns::BULK_RESPONSE, &["Operations"], json!({"Operations": {"type": "array", "items": operation}}))
}

/// RFC 7643 section 5, with the pagination of RFC 9865 section 4 and what the types say besides.
fn service_provider_config(catalog: &Catalog) -> Value {
    let supported = |more: Value| {
        let mut properties = more.as_object().cloned().unwrap_or_default();
        properties.insert("supported".to_owned(), json!({"type": "boolean"}));
        let required: Vec<String> = properties.keys().cloned().collect();
        json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
    };
    let (count, flag, text) =
        (json!({"type": "integer", "minimum": 0}), json!({"type": "boolean"}), json!({"type": "string"}));
    let scheme = json!({
        "type": "object", "required": ["type", "name", "description"],
        "properties": {"type": text, "name": text, "description": text, "specUri": text, "documentationUri": text, "primary": flag},
    });
    let announced = catalog.announces().into_iter().map(|(name, value)| (name, json!({"const": value})));
    let mut properties: Map<String, Value> = announced.collect();
    let own = json!({
        "documentationUri": {"type": "string", "format": "uri-reference"},
        "patch": supported(json!({})),
        "bulk": supported(json!({"maxOperations": count, "maxPayloadSize": count})),
        "filter": supported(json!({"maxResults": count})),
        "changePassword": supported(json!({})),
        "sort": supported(json!({})),
        "etag": supported(json!({})),
        "pagination": {
            "type": "object", "required": ["cursor", "index"], "additionalProperties": false,
            "properties": {
                "cursor": flag, "index": flag, "defaultPaginationMethod": {"enum": ["cursor", "index"]},
                "defaultPageSize": count, "maxPageSize": count, "cursorTimeout": count,
            },
        },
        "authenticationSchemes": {"type": "array", "items": scheme},
    });
    properties.extend(own.as_object().cloned().unwrap_or_default());
    discovered(
        urns::SERVICE_PROVIDER_CONFIG,
        "ServiceProviderConfig",
        &["patch", "bulk", "filter", "changePassword", "sort", "etag", "pagination", "authenticationSchemes"],
        properties.into(),
    )
}

/// RFC 7643 section 6.
fn resource_type() -> Value {
    let text = json!({"type": "string"});
    let extension = json!({
        "type": "object", "required": ["schema", "required"], "additionalProperties": false,
        "properties": {"schema": text, "required": {"type": "boolean"}},
    });
    discovered(
        urns::RESOURCE_TYPE,
        "ResourceType",
        &["id", "name", "endpoint", "description", "schema", "schemaExtensions"],
        json!({
            "id": text, "name": text, "description": text, "schema": text,
            "endpoint": {"type": "string", "pattern": "^/"},
            "schemaExtensions": {"type": "array", "items": extension},
        }),
    )
}

/// RFC 7643 section 7.
fn schema() -> Value {
    let text = json!({"type": "string"});
    let attributes = json!({"type": "array", "items": reference("schemas", "scim.Attribute")});
    discovered(
        urns::SCHEMA,
        "Schema",
        &["id", "name", "description", "attributes"],
        json!({"id": text, "name": text, "description": text, "attributes": attributes}),
    )
}

/// An attribute in a schema, or a part of another: RFC 7643 section 7.
fn attribute() -> Value {
    let (text, flag, texts) =
        (json!({"type": "string"}), json!({"type": "boolean"}), json!({"type": "array", "items": {"type": "string"}}));
    json!({
        "type": "object", "additionalProperties": false,
        "required": ["name", "type", "multiValued", "description", "required", "mutability", "returned"],
        "properties": {
            "name": text, "multiValued": flag, "description": text, "required": flag, "canonicalValues": texts,
            "type": {"enum": ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"]},
            "caseExact": flag,
            "mutability": {"enum": ["readOnly", "readWrite", "immutable", "writeOnly"]},
            "returned": {"enum": ["always", "never", "default", "request"]},
            "uniqueness": {"enum": ["none", "server", "global"]},
            "referenceTypes": texts,
            "subAttributes": {"type": "array", "items": reference("schemas", "scim.Attribute")},
        },
    })
}

/// A resource of discovery, whole: nothing is selected there.
fn discovered(urn: &str, name: &str, required: &[&str], properties: Value) -> Value {
    let meta = json!({
        "type": "object", "required": ["resourceType", "location"], "additionalProperties": false,
        "properties": {"resourceType": {"const": name}, "location": {"type": "string", "format": "uri-reference"}},
    });
    let mut properties = properties.as_object().cloned().unwrap_or_default();
    properties.insert("meta".to_owned(), meta);
    let required: Vec<&str> = required.iter().copied().chain(["meta"]).collect();
    message(urn, &required, properties.into())
}

/// What is sent to a client: of that URI, and with nothing in it that is not named.
fn message(urn: &str, required: &[&str], properties: Value) -> Value {
    let mut properties = properties.as_object().cloned().unwrap_or_default();
    properties.insert("schemas".to_owned(), json!({"const": [urn]}));
    let required: Vec<&str> = ["schemas"].into_iter().chain(required.iter().copied()).collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

/// What a client sends: `schemas` names the message, perhaps among others.
pub(super) fn request(urn: &str, required: &[&str], properties: Value) -> Value {
    let mut properties = properties.as_object().cloned().unwrap_or_default();
    properties.insert("schemas".to_owned(), json!({"type": "array", "contains": {"const": urn}}));
    let required: Vec<&str> = ["schemas"].into_iter().chain(required.iter().copied()).collect();
    json!({"type": "object", "required": required, "properties": properties})
}
