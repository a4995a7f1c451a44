//! What is asked beside a body: query parameters and headers.

use serde_json::{Map, Value, json};

use super::{Named, reference};

/// Filters that every resource type understands.
pub(super) const FILTERS: [&str; 2] = ["id pr", "meta.lastModified gt \"2011-05-13T04:42:34Z\""];
/// An attribute that every resource type can be sorted by.
pub(super) const SORT_BY: &str = "meta.lastModified";
/// RFC 7644 section 3.4.2.3. Letters may be large or small, and nobody looks where there is nothing to sort by: suggestions.
pub(super) const ORDERS: [&str; 2] = ["ascending", "descending"];

/// The parameters that operations share, each by its component's name.
pub(super) fn parameters() -> Map<String, Value> {
    let query = |name: &str, description: &str, schema: Value| {
        (name.to_owned(), json!({"name": name, "in": "query", "description": description, "schema": schema}))
    };
    let header = |name: &str, description: &str| {
        let schema = json!({"type": "string", "examples": ["W/\"1\"", "*"]});
        (name.to_owned(), json!({"name": name, "in": "header", "description": description, "schema": schema}))
    };
    [
        query(
            "filter",
            "Only resources that this is true of (RFC 7644 section 3.4.2.2).",
            json!({"type": "string", "minLength": 1, "examples": FILTERS}),
        ),
        query("startIndex", "The first of the page, counted from 1; less means 1.", json!({"type": "integer"})),
        query(
            "count",
            "So many in a page at most; less than 0 means 0. The service has a limit of its own.",
            json!({"type": "integer"}),
        ),
        query(
            "sortBy",
            "The attribute that the list is sorted by (RFC 7644 section 3.4.2.3).",
            json!({"type": "string", "examples": [SORT_BY]}),
        ),
        query("sortOrder", "Ascending, unless said otherwise.", json!({"type": "string", "examples": ORDERS})),
        query(
            "cursor",
            "The page that begins there, empty for the first (RFC 9865 section 2); never together with `startIndex`. All else is as it \
             was for the page that the cursor comes from.",
            json!({"type": "string"}),
        ),
        header("If-Match", "Only if the resource has one of these versions, else 412."),
        header("If-None-Match", "Only if the resource has none of these versions."),
    ]
    .into_iter()
    .collect()
}

/// References to these.
pub(super) fn shared(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| reference("parameters", name)).collect()
}

/// What a list may be asked.
pub(super) fn query() -> Vec<Value> {
    shared(&["filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"])
}

/// `attributes` and `excludedAttributes`, of which a request names one (RFC 7644 section 3.9): paths of that type, or of any.
pub(super) fn selection(named: Option<&Named<'_>>) -> Vec<Value> {
    let path = named.map_or_else(|| json!({"type": "string"}), |named| named.reference("schemas", ".Path"));
    let names = json!({"type": "array", "items": path});
    let parameter = |name: &str, description: &str| {
        json!({
            "name": name, "in": "query", "description": description, "style": "form", "explode": false, "schema": names,
        })
    };
    vec![
        parameter("attributes", "Show only these, and what is always shown."),
        parameter("excludedAttributes", "Do not show these; never together with `attributes`."),
    ]
}

/// The last segment of a path.
pub(super) fn id(description: &str) -> Value {
    let schema = json!({"type": "string", "minLength": 1});
    json!([{"name": "id", "in": "path", "required": true, "description": description, "schema": schema}])
}
