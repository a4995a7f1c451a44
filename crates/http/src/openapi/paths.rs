//! The endpoints: RFC 7644 section 3.2, table 2, as far as they are served.

use serde_json::{Map, Value, json};

use super::operation::{ALWAYS, BODY, Operation};
use super::parameters::{id, query, selection, shared};
use super::responses::response;
use super::schema::{Verb, whole};
use super::{MEDIA_TYPE_OF_DESCRIPTION, Named, OpenApi, reference};

// No name of a type has a blank.
const DISCOVERY: &str = "SCIM discovery";
const BULK: &str = "SCIM bulk";
const EVERYTHING: &str = "SCIM root";

/// Every path that is served.
pub(super) fn paths(of: &OpenApi<'_>, types: &[Named<'_>]) -> Map<String, Value> {
    let mut paths = Map::new();
    for named in types {
        let endpoint = &named.of.endpoint;
        paths.insert(endpoint.clone(), collection(named));
        paths.insert(
            format!("{endpoint}/.search"),
            search(
                named.operation("search", "Ask by POST for resources of type"),
                named.reference("responses", ".List"),
            ),
        );
        paths.insert(format!("{endpoint}/{{id}}"), resource(named));
    }
    // As in `list.Everything`: no operation on a type has a dot in its name.
    let everything = || reference("responses", "scim.List");
    let list = Operation::new("list.Everything".to_owned(), EVERYTHING, "List resources of every type".to_owned());
    let list = list.parameters([selection(None), query()].concat()).answers(200, everything()).fails(&ALWAYS);
    paths.insert("/".to_owned(), json!({"get": list.into_json()}));
    let ask = Operation::new(
        "search.Everything".to_owned(),
        EVERYTHING,
        "Ask by POST for resources of every type".to_owned(),
    );
    paths.insert("/.search".to_owned(), search(ask, everything()));
    if let Some(named) = of.own(types) {
        paths.insert("/Me".to_owned(), me(named));
    }
    paths.insert("/Bulk".to_owned(), bulk());
    for (path, name, one) in [
        ("/ServiceProviderConfig", "ServiceProviderConfig", None),
        ("/ResourceTypes", "ResourceTypes", None),
        ("/ResourceTypes/{id}", "ResourceType", Some("The name of a resource type.")),
        ("/Schemas", "Schemas", None),
        ("/Schemas/{id}", "Schema", Some("The URI of a schema.")),
    ] {
        paths.insert(path.to_owned(), discovery(of, name, one));
    }
    if let Some(path) = of.path {
        paths.insert(path.to_owned(), own(of));
    }
    paths
}

/// What operations are gathered under.
pub(super) fn tags(types: &[Named<'_>]) -> Value {
    let of_types = types.iter().map(|named| json!({"name": named.name, "description": named.of.description}));
    let fixed = [
        json!({"name": EVERYTHING, "description": "Resources of every type at once (RFC 7644 section 3.4.2.1)."}),
        json!({"name": BULK, "description": "Several operations in one request (RFC 7644 section 3.7)."}),
        json!({"name": DISCOVERY, "description": "What the service says of itself (RFC 7644 section 4)."}),
    ];
    of_types.chain(fixed).collect()
}

impl Named<'_> {
    fn operation(&self, verb: &str, what: &str) -> Operation {
        Operation::new(format!("{verb}{}", self.name), self.name, format!("{what} {}", self.of.name))
    }

    /// The body of a request that writes a whole resource.
    fn body(&self, verb: Verb) -> Value {
        json!({"allOf": [self.reference("schemas", ".Request"), whole(self.of, verb)]})
    }
}

/// `/Users`
fn collection(named: &Named<'_>) -> Value {
    let list = named
        .operation("list", "List resources of type")
        .parameters([selection(Some(named)), query()].concat())
        .answers(200, named.reference("responses", ".List"))
        .fails(&ALWAYS);
    let create = named
        .operation("create", "Make a resource of type")
        .parameters(selection(Some(named)))
        .body(&named.body(Verb::Create))
        .answers(201, named.reference("responses", ".Made"))
        // A service may take over what is there already.
        .answers(200, named.reference("responses", ""))
        .fails(&ALWAYS)
        .fails(&[409])
        .fails(&BODY);
    json!({"get": list.into_json(), "post": create.into_json()})
}

/// `/Users/.search`, or `/.search`
fn search(search: Operation, found: Value) -> Value {
    let search = search.body(&reference("schemas", "scim.Search")).answers(200, found).fails(&ALWAYS).fails(&BODY);
    json!({"post": search.into_json()})
}

/// `/Users/42`
fn resource(named: &Named<'_>) -> Value {
    let mut item = one(named, &|verb, what| named.operation(verb, what), &named.reference("responses", ""));
    if let Some(item) = item.as_object_mut() {
        item.insert("parameters".to_owned(), id("The id of the resource."));
    }
    item
}

/// `/Me`: the caller's own resource (RFC 7644 section 3.11).
fn me(named: &Named<'_>) -> Value {
    let operation = |verb: &str, what: &str| {
        let what = what.strip_suffix(" of type").unwrap_or(what);
        Operation::new(format!("{verb}.Me"), named.name, format!("{what}: the caller's own"))
    };
    one(named, &operation, &reference("responses", "scim.Me"))
}

/// What is done to one resource.
fn one(named: &Named<'_>, operation: &dyn Fn(&str, &str) -> Operation, shown: &Value) -> Value {
    let conditions = || shared(&["If-Match", "If-None-Match"]);
    // An id such as `.search` leads to an endpoint that does not know these methods.
    let errors = [404, 405, 412];
    let read = operation("read", "Read a resource of type")
        .parameters([selection(Some(named)), conditions()].concat())
        .answers(200, shown.clone())
        .answers(304, response("The caller has this version already.", &["ETag", "Content-Location"], &Value::Null))
        .fails(&ALWAYS)
        .fails(&errors);
    let write = |verb: &str, what: &str, body: &Value| {
        operation(verb, what)
            .parameters([selection(Some(named)), conditions()].concat())
            .body(body)
            .answers(200, shown.clone())
            .fails(&ALWAYS)
            .fails(&errors)
            .fails(&[409])
            .fails(&BODY)
    };
    let replace = write("replace", "Replace a resource of type", &named.body(Verb::Replace));
    let mut patch = write("patch", "Change parts of a resource of type", &named.reference("schemas", ".Patch"));
    if named.of.membership.is_some() {
        let large = "Done. The resource is large, and is shown where `attributes` asks for it.";
        patch = patch.answers(204, response(large, &["ETag"], &Value::Null));
    }
    let delete = operation("delete", "Delete a resource of type")
        .parameters(conditions())
        .answers(204, response("It is gone.", &[], &Value::Null))
        .fails(&ALWAYS)
        .fails(&errors);
    json!({"get": read.into_json(), "put": replace.into_json(), "patch": patch.into_json(), "delete": delete.into_json()})
}

/// `/Bulk`
fn bulk() -> Value {
    let results = response("What came of each operation.", &[], &reference("schemas", "scim.BulkResponse"));
    let run = Operation::new("runBulk".to_owned(), BULK, "Run several operations".to_owned())
        .body(&reference("schemas", "scim.BulkRequest"))
        .answers(200, results)
        .fails(&ALWAYS)
        .fails(&BODY);
    json!({"post": run.into_json()})
}

/// One of the endpoints of discovery, or one resource of it.
fn discovery(of: &OpenApi<'_>, name: &str, one: Option<&str>) -> Value {
    let shown = reference("schemas", &format!("scim.{name}"));
    // Filters are 403 (RFC 7644 section 4).
    let get = told(of, name).answers(200, response("What the service says.", &[], &shown)).fails(&[400, 403]);
    match one {
        Some(description) => json!({"parameters": id(description), "get": get.fails(&[404]).into_json()}),
        None => json!({"get": get.into_json()}),
    }
}

/// The path of the description itself.
fn own(of: &OpenApi<'_>) -> Value {
    let schema = json!({"type": "object", "required": ["openapi", "info", "paths"]});
    let shown = json!({"description": "This description.", "content": {MEDIA_TYPE_OF_DESCRIPTION: {"schema": schema}}});
    json!({"get": told(of, "OpenApi").answers(200, shown).into_json()})
}

/// Reading what the service says of itself, which may be anybody's to read.
fn told(of: &OpenApi<'_>, name: &str) -> Operation {
    let get = Operation::new(format!("discover{name}"), DISCOVERY, format!("Read {name}"));
    // Where nobody needs a token, one that is good shows what there is for its owner, and may be refused as it would be elsewhere.
    let told = get.fails(&[403, 429, 503]);
    if of.open_discovery { told.security(of.security(true)) } else { told.fails(&[401]) }
}
