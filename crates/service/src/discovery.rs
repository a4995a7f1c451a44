//! What the service says about itself: RFC 7644 section 4, generated from the catalog and from what is really on.

use scimwright_core::{Catalog, ScimError, uri_segment, urns};
use serde_json::{Map, Value, json};

use crate::Context;
use crate::operation::Reply;
use crate::service::Limits;

/// What a deployment knows about itself beyond the catalog: part of ServiceProviderConfig (RFC 7643 section 5).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Features {
    /// Where people read on.
    pub documentation_uri: Option<String>,
    /// How clients authenticate, each as RFC 7643 section 5 describes it.
    pub authentication_schemes: Vec<Value>,
}

impl Default for Features {
    /// Bearer tokens.
    fn default() -> Self {
        Self {
            documentation_uri: None,
            authentication_schemes: vec![json!({
                "type": "oauthbearertoken", "name": "OAuth Bearer Token",
                "description": "A bearer token in the Authorization header (RFC 6750).",
                "specUri": "https://www.rfc-editor.org/info/rfc6750", "primary": true,
            })],
        }
    }
}

pub(crate) fn service_provider_config(
    context: &Context,
    catalog: &Catalog,
    features: &Features,
    limits: &Limits,
) -> Reply {
    let off = |more: Value| {
        let mut json = json!({"supported": false});
        if let (Some(json), Value::Object(more)) = (json.as_object_mut(), more) {
            json.extend(more);
        }
        json
    };
    let location = format!("{}/ServiceProviderConfig", context.base);
    // What types say first: nothing that they say takes the place of what RFC 7643 section 5 asks.
    let mut json = catalog.announces();
    json.insert("schemas".to_owned(), json!([urns::SERVICE_PROVIDER_CONFIG]));
    if let Some(uri) = &features.documentation_uri {
        json.insert("documentationUri".to_owned(), uri.as_str().into());
    }
    json.insert("patch".to_owned(), json!({"supported": true}));
    json.insert(
        "bulk".to_owned(),
        json!({
            "supported": true, "maxOperations": limits.max_bulk_operations, "maxPayloadSize": limits.max_bulk_payload,
        }),
    );
    json.insert("filter".to_owned(), json!({"supported": true, "maxResults": limits.max_count}));
    json.insert("changePassword".to_owned(), off(json!({})));
    json.insert("sort".to_owned(), json!({"supported": true}));
    json.insert("etag".to_owned(), json!({"supported": true}));
    json.insert(
        "pagination".to_owned(),
        json!({
            "cursor": true, "index": true, "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_count.clamp(1, limits.max_count.max(1)), "maxPageSize": limits.max_count.max(1),
            // A positive number of seconds, as RFC 9865 section 4 has it, even where a cursor is good for less.
            "cursorTimeout": limits.cursor_timeout.as_secs().max(1),
        }),
    );
    json.insert("authenticationSchemes".to_owned(), features.authentication_schemes.clone().into());
    single(json, "ServiceProviderConfig", location)
}

pub(crate) fn schemas(context: &Context, catalog: &Catalog) -> Reply {
    list(catalog.schemas().iter().map(|schema| schema_body(context, schema)).collect())
}

pub(crate) fn schema(context: &Context, catalog: &Catalog, urn: &str) -> Result<Reply, ScimError> {
    let schema = catalog.schema(urn).ok_or_else(|| ScimError::not_found("a schema of this URI"))?;
    let body = schema_body(context, schema);
    Ok(Reply { status: 200, body: body.as_object().cloned(), ..Reply::default() })
}

pub(crate) fn resource_types(context: &Context, catalog: &Catalog) -> Reply {
    list(catalog.resource_types().iter().map(|resource_type| type_body(context, resource_type)).collect())
}

pub(crate) fn resource_type(context: &Context, catalog: &Catalog, name: &str) -> Result<Reply, ScimError> {
    let resource_type =
        catalog.resource_type(name).ok_or_else(|| ScimError::not_found("a resource type of this name"))?;
    let body = type_body(context, resource_type);
    Ok(Reply { status: 200, body: body.as_object().cloned(), ..Reply::default() })
}

/// A ListResponse of everything: discovery has no pages (RFC 7644 section 4).
fn list(resources: Vec<Value>) -> Reply {
    let count = resources.len();
    let mut json = Map::new();
    json.insert("schemas".to_owned(), json!([urns::LIST_RESPONSE]));
    json.insert("totalResults".to_owned(), count.into());
    json.insert("itemsPerPage".to_owned(), count.into());
    json.insert("startIndex".to_owned(), 1.into());
    json.insert("Resources".to_owned(), resources.into());
    Reply { status: 200, body: Some(json), ..Reply::default() }
}

fn schema_body(context: &Context, schema: &scimwright_core::Schema) -> Value {
    with_meta(schema.to_json(), "Schema", format!("{}/Schemas/{}", context.base, uri_segment(schema.id.as_str())))
}

fn type_body(context: &Context, resource_type: &scimwright_core::ResourceType) -> Value {
    let location = format!("{}/ResourceTypes/{}", context.base, uri_segment(&resource_type.name));
    with_meta(resource_type.to_json(), "ResourceType", location)
}

fn single(json: Map<String, Value>, name: &str, location: String) -> Reply {
    let body = with_meta(json, name, location);
    Reply { status: 200, body: body.as_object().cloned(), ..Reply::default() }
}

fn with_meta(mut json: Map<String, Value>, name: &str, location: String) -> Value {
    json.insert("meta".to_owned(), json!({"resourceType": name, "location": location}));
    json.into()
}
