//! What is answered: headers, bodies, and where an answer leads.

use serde_json::{Map, Value, json};

use super::{Named, reference};
use crate::MEDIA_TYPE;

/// A response. `schema` is that of its body, null where it has none.
pub(super) fn response(description: &str, headers: &[&str], schema: &Value) -> Value {
    let mut response = Map::new();
    response.insert("description".to_owned(), description.into());
    if !headers.is_empty() {
        let headers = headers.iter().map(|name| ((*name).to_owned(), reference("headers", name)));
        response.insert("headers".to_owned(), Value::Object(headers.collect()));
    }
    if !schema.is_null() {
        response.insert("content".to_owned(), json!({MEDIA_TYPE: {"schema": schema}}));
    }
    response.into()
}

/// The responses that operations share, each by its component's name: errors, and what shows resources of each type.
pub(super) fn responses(types: &[Named<'_>], me: Option<&Named<'_>>) -> Map<String, Value> {
    let shown = |named: &Named<'_>, description: &str, headers: &[&str]| {
        let mut shown = response(description, headers, &named.reference("schemas", ""));
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("links".to_owned(), links(named));
        }
        shown
    };
    let of_type = |named: &Named<'_>| {
        [
            (named.part(""), shown(named, "The resource.", &["ETag", "Content-Location"])),
            (named.part(".Made"), shown(named, "It was made.", &["ETag", "Location"])),
            (named.part(".List"), response("A page.", &[], &named.reference("schemas", ".List"))),
        ]
    };
    // At `/Me` every answer says whose it is (RFC 7644 section 3.11).
    let own = |named: &Named<'_>| {
        let headers = ["ETag", "Content-Location", "Location"];
        ("scim.Me".to_owned(), shown(named, "The caller's own resource.", &headers))
    };
    let everything = ("scim.List".to_owned(), response("A page.", &[], &reference("schemas", "scim.List")));
    types.iter().flat_map(of_type).chain(me.map(own)).chain([everything]).chain(errors()).collect()
}

/// From a representation to the operations on what it shows, in the version that it shows.
fn links(named: &Named<'_>) -> Value {
    let all = [("read", "If-None-Match"), ("replace", "If-Match"), ("patch", "If-Match"), ("delete", "If-Match")];
    let link = |(verb, condition): (&str, &str)| {
        let condition = format!("header.{condition}");
        let parameters = json!({"path.id": "$response.body#/id", condition: "$response.header.ETag"});
        (verb.to_owned(), json!({"operationId": format!("{verb}{}", named.name), "parameters": parameters}))
    };
    all.into_iter().map(link).collect::<Map<_, _>>().into()
}

/// The errors that are sent, each by its status: RFC 7644 section 3.12.
fn errors() -> impl Iterator<Item = (String, Value)> {
    const ERRORS: &[(u16, &str, &[&str])] = &[
        (400, "The request is malformed, or a value does not fit; `scimType` says which.", &[]),
        (401, "A credential is missing or not good.", &["WWW-Authenticate"]),
        (403, "The caller may not do this.", &[]),
        (404, "Nothing is here, or not for this caller.", &[]),
        (405, "The endpoint does not know the method.", &["Allow"]),
        (409, "A value is taken, or the resource is in a state that forbids this.", &[]),
        (412, "The resource has another version than was asked for.", &[]),
        (413, "The body is too large, or a job has too many operations.", &[]),
        (415, "The body is of another media type.", &[]),
        (429, "Too many requests.", &["Retry-After"]),
        (
            503,
            "The service cannot reach its data at the moment, or too many change the same resource.",
            &["Retry-After"],
        ),
    ];
    ERRORS.iter().map(|(status, description, headers)| {
        let own = json!({"properties": {"status": {"const": status.to_string()}}});
        let schema = json!({"allOf": [reference("schemas", "scim.Error"), own]});
        (format!("scim.{status}"), response(description, headers, &schema))
    })
}

/// The headers of responses, each by its name. They are always there where a response names them.
pub(super) fn headers() -> Map<String, Value> {
    let text = json!({"type": "string", "minLength": 1});
    let uri = json!({"type": "string", "format": "uri-reference"});
    let all = [
        ("ETag", "The version of the resource; weak (RFC 7644 section 3.14).", reference("schemas", "scim.ETag")),
        ("Location", "The URI of what was made, or of whoever asks at `/Me`.", uri.clone()),
        ("Content-Location", "The URI of the resource.", uri),
        ("WWW-Authenticate", "How to authenticate (RFC 6750 section 3).", text.clone()),
        ("Allow", "The methods that the endpoint knows.", text),
        ("Retry-After", "Seconds to wait.", json!({"type": "integer", "minimum": 1})),
    ];
    let header =
        |description: &str, schema: Value| json!({"description": description, "required": true, "schema": schema});
    all.into_iter().map(|(name, description, schema)| (name.to_owned(), header(description, schema))).collect()
}
