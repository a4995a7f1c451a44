//! The description in OpenAPI 3.1: that it is one, and that it is true. Every other test helps: each answer of a server under test is
//! held against the server's description.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::Method;
use scimwright_core::{Catalog, ResourceTypeSpec, urns};
use scimwright_http::OpenApi;
use scimwright_service::Service;
use scimwright_store::InMemory;
use scimwright_testkit::vector_catalog;
use scimwright_tests::{
    Answer, BASE, BENCH, GADGET, OPENAPI, PASSWORD, Server, Setup, StoreKind, gadget, group, on_every_store, user,
    with, without,
};
use serde_json::{Value, json};

fn described(catalog: Catalog, open: bool) -> Value {
    let service = Service::new(catalog, InMemory::default());
    OpenApi::new(&service, "https://scim.example/v2").open_discovery(open).served_at(OPENAPI).to_json()
}

/// Names that are hard on keys and references; extensions of which one is required and one stands in another; characteristics that part
/// what comes from what goes.
fn odd() -> Catalog {
    let schema = json!({"id": "urn:example:odd", "attributes": [
        {"name": "code", "required": true, "mutability": "immutable", "returned": "always"},
        {"name": "pin", "required": true, "mutability": "writeOnly", "returned": "never"},
        {"name": "seen", "type": "dateTime", "mutability": "readOnly", "required": true, "returned": "always"},
        {"name": "parts", "type": "complex", "multiValued": true, "required": true,
         "subAttributes": [{"name": "value", "type": "binary", "required": true}, {"name": "primary", "type": "boolean"}]},
    ]});
    let more = json!({"id": MORE, "attributes": [{"name": "size", "type": "integer"}]});
    let inner = json!({"id": INNER, "attributes": [{"name": "depth", "type": "decimal"}, {"name": "tags", "multiValued": true}]});
    let of = json!({"name": "Odd-1_x", "endpoint": "/odd.things~", "schema": "urn:example:odd",
        "schemaExtensions": [{"schema": MORE, "required": true}, {"schema": INNER, "required": false}],
        ResourceTypeSpec::HINTS: {"nested": {MORE: [INNER]}, "serviceProviderConfig": {"odd": {"supported": true}}}});
    let catalog = [schema, more, inner].iter().try_fold(Catalog::empty(), Catalog::with_schema);
    // Names that the description itself has use for.
    let names = ["Everything", "Me", "scim", "Bulk", "Schemas", "OpenApi", "Error"]
        .map(|name| json!({"name": name, "endpoint": format!("/{name}s"), "schema": "urn:example:odd"}));
    let types = names.into_iter().chain([of]).map(ResourceTypeSpec::from_json);
    types.fold(catalog.unwrap(), |catalog, of| catalog.with_resource_type(of).unwrap())
}

/// Types that others have written: RFC 9944, and the draft on roles and entitlements.
fn folders() -> Catalog {
    let types = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/securecodinghub/types");
    Catalog::standard().with_folders(&[types.join("device"), types.join("roles")]).unwrap()
}

const MORE: &str = "https://odd.example/more~/x%25y";
const INNER: &str = "urn:example:odd:inner";

/// Every object in a document, with the JSON pointer to it.
fn objects<'d>(value: &'d Value, at: &str, found: &mut Vec<(String, &'d Value)>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            found.push((at.to_owned(), value));
            object.iter().map(|(name, part)| (name.replace('~', "~0").replace('/', "~1"), part)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(at, part)| (at.to_string(), part)).collect(),
        _ => Vec::new(),
    };
    for (name, part) in parts {
        objects(part, &format!("{at}/{name}"), found);
    }
}

#[test]
fn the_description_is_an_openapi_document() {
    let schema: Value = serde_json::from_str(include_str!("../data/openapi/schema-3.1.json")).unwrap();
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    for catalog in [Catalog::empty(), Catalog::standard(), vector_catalog().unwrap(), odd(), folders()] {
        for open in [false, true] {
            let document = described(catalog.clone(), open);
            let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
            for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
                assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
            }
        }
    }
    assert!(!validator.is_valid(&json!({"openapi": "3.1.0", "info": {"title": "no version"}, "paths": {}})));
}

#[test]
fn what_is_referred_to_is_there() {
    for catalog in [Catalog::standard(), vector_catalog().unwrap(), odd(), folders()] {
        let document = described(catalog, false);
        let mut all = Vec::new();
        objects(&document, "", &mut all);
        let mut ids = BTreeSet::new();
        let mut references = 0;
        for (at, object) in &all {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let pointer = percent_encoding::percent_decode_str(reference.strip_prefix('#').unwrap());
                assert!(document.pointer(&pointer.decode_utf8().unwrap()).is_some(), "{at}: {reference}");
                references += 1;
            }
            if let Some(id) = object.get("operationId").and_then(Value::as_str).filter(|_| !at.contains("/links/")) {
                assert!(ids.insert(id), "two operations are called {id}");
            }
        }
        let linked =
            all.iter().filter(|(at, _)| at.contains("/links/")).filter_map(|(_, link)| link.get("operationId"));
        let linked: Vec<&str> = linked.map(|id| id.as_str().unwrap()).collect();
        assert!(linked.iter().all(|id| ids.contains(id)), "{linked:?}");
        assert!(references > 80 && linked.len() >= 4, "{references} references, {} links", linked.len());
    }
}

#[test]
fn every_path_and_method_is_served_and_no_other() {
    on_every_store(|server| {
        let description = server.description();
        let description = description.document();
        for (template, item) in description["paths"].as_object().unwrap() {
            let path = template.replace("{id}", "nobody");
            for (verb, method) in
                [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")]
            {
                let answer = server.ask(method, path.as_str()).json(&json!({})).send();
                if item[verb].is_object() {
                    assert!(![405, 501].contains(&answer.status), "{method} {path}: {}", answer.status);
                    assert!(answer.status != 404 || template.contains("{id}"), "{method} {path}");
                    continue;
                }
                assert_eq!(answer.status, 405, "{method} {path}");
                let allowed: BTreeSet<&str> = answer.header("allow").unwrap().split(", ").collect();
                let methods = item.as_object().unwrap().keys().map(|verb| verb.to_uppercase());
                let mut known: BTreeSet<String> = methods.filter(|verb| verb != "PARAMETERS").collect();
                known.extend(known.contains("GET").then(|| "HEAD".to_owned()));
                assert_eq!(allowed, known.iter().map(String::as_str).collect(), "{path}");
            }
        }
        for path in ["/Users", "/Groups/{id}", "/Gadgets/.search", "/Bulk", "/Schemas/{id}", OPENAPI] {
            assert!(description["paths"][path].is_object(), "{path}");
        }
    });
}

/// Which operations answered with which statuses, as the description has them.
#[derive(Default)]
struct Seen(BTreeMap<String, BTreeSet<u16>>);

impl Seen {
    /// The answer, which the description must know.
    #[track_caller]
    fn answer(&mut self, server: &Server, method: &str, path: &str, answer: Answer) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let description = server.description();
        let operation = description.operation(&method, path).unwrap_or_else(|| panic!("{method} {path}"));
        assert_eq!(description.judge(&method, path, &answer), Ok(true), "{method} {path}");
        let id = operation["operationId"].as_str().unwrap().to_owned();
        self.0.entry(id).or_default().insert(answer.status);
        answer
    }

    #[track_caller]
    fn get(&mut self, server: &Server, path: &str) -> Answer {
        self.answer(server, "GET", path, server.get(path).send())
    }

    #[track_caller]
    fn ask(&mut self, server: &Server, method: &str, path: &str, body: &Value) -> Answer {
        self.answer(server, method, path, server.ask(method, path).json(body).send())
    }

    /// All of them, a line an operation.
    fn lines(&self) -> String {
        let line = |(id, statuses): (&String, &BTreeSet<u16>)| {
            let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
            format!("{id}: {}\n", statuses.join(" "))
        };
        self.0.iter().map(line).collect()
    }
}

/// Everything that can be done to a resource of one type, and much of what can go wrong.
fn play(seen: &mut Seen, server: &Server, endpoint: &str, (body, other): (Value, Value), patch: Value) {
    let made = seen.ask(server, "POST", endpoint, &body);
    let path = made.path().to_owned();
    seen.ask(server, "POST", endpoint, &body);
    seen.ask(server, "POST", endpoint, &json!({"schemas": []}));
    seen.answer(server, "POST", endpoint, server.post(endpoint, other).with("content-type", "text/plain").send());
    for query in
        ["", "?attributes=id", "?excludedAttributes=meta", "?attributes=meta.version", "?attributes=a&attributes=b"]
    {
        seen.get(server, &format!("{path}{query}"));
        seen.get(server, &format!("{endpoint}{query}"));
    }
    seen.get(server, &format!("{endpoint}/nobody"));
    seen.get(server, &format!("{endpoint}?filter=id+pr&startIndex=2&count=0"));
    seen.get(server, &format!("{endpoint}?filter=id"));
    seen.get(server, &format!("{endpoint}?sortBy=meta.lastModified&sortOrder=descending&cursor="));
    seen.get(server, &format!("{endpoint}?cursor=x"));
    seen.answer(server, "GET", &path, server.get(path.as_str()).with("if-none-match", made.etag()).send());
    seen.answer(server, "GET", &path, server.get(path.as_str()).with("if-match", "W/\"0\"").send());
    for (body, status) in [(json!({"schemas": [urns::SEARCH_REQUEST], "filter": "id pr"}), 200), (json!({}), 400)] {
        let answer = seen.ask(server, "POST", &format!("{endpoint}/.search"), &body);
        assert_eq!(answer.status, status);
    }
    let message = |operations: Value| json!({"schemas": [urns::PATCH_OP], "Operations": operations});
    seen.ask(server, "PATCH", &path, &message(patch.clone()));
    seen.ask(server, "PATCH", &path, &message(json!([{"op": "add", "path": "no such", "value": 1}])));
    seen.ask(server, "PATCH", &format!("{endpoint}/nobody"), &message(patch.clone()));
    seen.ask(server, "PUT", &path, &body);
    seen.ask(server, "PUT", &path, &json!([]));
    seen.ask(server, "PUT", &format!("{endpoint}/nobody"), &body);
    for method in ["PATCH", "PUT", "DELETE"] {
        let body = if method == "PATCH" { message(patch.clone()) } else { body.clone() };
        let late = server.ask(method, path.as_str()).json(&body).with("if-match", "W/\"0\"").send();
        assert_eq!(seen.answer(server, method, &path, late).status, 412);
    }
    seen.ask(server, "DELETE", &path, &Value::Null);
    seen.ask(server, "DELETE", &path, &Value::Null);
    for token in ["nobody", "busy", "closed"] {
        seen.answer(server, "GET", endpoint, server.get(endpoint).by(token).send());
    }
}

#[test]
fn every_answer_is_described() {
    Setup::default().limits(|limits| limits.max_reply_members = 1).on_every_store(|server| {
        let mut seen = Seen::default();
        let ada = with(
            user("ada"),
            json!({"emails": [{"value": "a@x.example", "type": "work", "primary": true}], "name": {"givenName": "Ada"}, "password": PASSWORD,
                urns::ENTERPRISE_USER: {"department": "d"}, "profileUrl": "../ada", "x509Certificates": [{"value": "AQID"}]}),
        );
        let title = json!([{"op": "replace", "path": "title", "value": "t"}, {"op": "remove", "path": "name.givenName"}]);
        play(&mut seen, server, "/Users", (ada, user("eve")), title);
        let whole = json!({
            "serial": "1", "order": "o", "notes": "n", "secret": PASSWORD, "ports": 3, "weight": 2.5, "enabled": true,
            "builtAt": "2011-05-13T04:42:34.5", "fingerprint": "+/8", "homepage": "https://x.example", "tags": ["a"],
            "readings": [1, 2], "location": {"building": "b"},
        });
        let added = json!([{"op": "add", "value": {"tags": ["b"], BENCH: {}}}]);
        play(&mut seen, server, "/Gadgets", (with(gadget("g"), whole), gadget("h")), added);
        let members = [server.create("/Users", user("m")), server.create("/Users", user("n"))];
        let members: Vec<&str> = members.iter().map(Answer::id).collect();
        let renamed = json!([{"op": "replace", "path": "displayName", "value": "t"}]);
        play(&mut seen, server, "/Groups", (group("g", &members), group("h", &[])), renamed);

        let operations = json!([
            {"method": "POST", "path": "/Users", "bulkId": "x", "data": user("bulk")},
            {"method": "PUT", "path": "/Users/bulkId:x", "data": user("bulk2")},
            {"method": "DELETE", "path": "/Users/nobody"},
            {"method": "JUMP", "path": "/Users"},
            7,
        ]);
        seen.ask(server, "POST", "/Bulk", &json!({"schemas": [urns::BULK_REQUEST], "Operations": operations}));
        seen.ask(server, "POST", "/Bulk", &json!({"schemas": [urns::BULK_REQUEST]}));
        let many = vec![json!({}); 1001];
        seen.ask(server, "POST", "/Bulk", &json!({"schemas": [urns::BULK_REQUEST], "Operations": many}));
        for path in ["/", "/?cursor=&count=1&filter=id+pr", "/?count=1", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes", OPENAPI] {
            assert_eq!(seen.get(server, path).status, 200, "{path}");
        }
        let found = seen.ask(server, "POST", "/.search", &json!({"schemas": [urns::SEARCH_REQUEST], "cursor": "", "count": 1}));
        let next = json!({"schemas": [urns::SEARCH_REQUEST], "cursor": found["nextCursor"], "count": 1});
        assert_eq!(seen.ask(server, "POST", "/.search", &next).status, 200);
        for path in ["/Schemas/x", "/ResourceTypes/x", "/ResourceTypes/User?filter=id+pr", "/Schemas?count=1&count=1"] {
            seen.get(server, path);
        }
        seen.get(server, &format!("/Schemas/{GADGET}"));
        seen.get(server, "/ResourceTypes/Gadget");
        // Every operation, and each with a success.
        insta::allow_duplicates!(insta::assert_snapshot!(seen.lines(), @r"
        createGadget: 201 400 409 415
        createGroup: 201 400 415
        createUser: 201 400 409 415
        deleteGadget: 204 404 412
        deleteGroup: 204 404 412
        deleteUser: 204 404 412
        discoverOpenApi: 200
        discoverResourceType: 200 403 404
        discoverResourceTypes: 200
        discoverSchema: 200 404
        discoverSchemas: 200 400
        discoverServiceProviderConfig: 200
        list.Everything: 200
        listGadget: 200 400 401 403 429
        listGroup: 200 400 401 403 429
        listUser: 200 400 401 403 429
        patchGadget: 200 400 404 412
        patchGroup: 204 400 404 412
        patchUser: 200 400 404 412
        readGadget: 200 304 400 404 412
        readGroup: 200 304 400 404 412
        readUser: 200 304 400 404 412
        replaceGadget: 200 400 404 412
        replaceGroup: 200 400 404 412
        replaceUser: 200 400 404 412
        runBulk: 200 400 413
        search.Everything: 200
        searchGadget: 200 400
        searchGroup: 200 400
        searchUser: 200 400
        "));
    });
}

#[test]
fn odd_types_are_described_and_served() {
    Setup { catalog: odd(), ..Setup::default() }.on_every_store(|server| {
        let mut seen = Seen::default();
        let thing = json!({"schemas": ["urn:example:odd"], "code": "c", "pin": "1", "parts": [{"value": "AQID"}],
            MORE: {"size": 1, INNER: {"depth": 2.5}}});
        let made = seen.ask(server, "POST", "/odd.things~", &thing);
        assert_eq!((made.status, &made["code"], &made["pin"]), (201, &json!("c"), &Value::Null));
        assert_eq!(made[MORE], thing[MORE], "one extension stands in the other");
        // What cannot be seen, and what cannot be changed, may be left out of a PUT and only there.
        let rest = without(without(thing.clone(), "pin"), "code");
        assert_eq!(seen.ask(server, "POST", "/odd.things~", &rest).status, 400);
        assert_eq!(seen.ask(server, "PUT", made.path(), &rest).status, 200);
        let description = server.description();
        let required = |path: &str, verb: &str| {
            let content = &description.document()["paths"][path][verb]["requestBody"]["content"];
            content["application/scim+json"]["schema"]["allOf"][1]["required"].clone()
        };
        assert_eq!(required("/odd.things~", "post"), json!(["schemas", "code", "pin", "parts", MORE]));
        assert_eq!(required("/odd.things~/{id}", "put"), json!(["schemas", "parts", MORE]));
        // URIs of schemas may have anything in them, and their locations lead there all the same.
        for path in ["/Schemas", "/ResourceTypes"] {
            for resource in seen.get(server, path).resources() {
                let location = resource["meta"]["location"].as_str().unwrap().strip_prefix(BASE).unwrap();
                assert_eq!(seen.get(server, location).body, *resource);
            }
        }
        assert_eq!(seen.get(server, "/ServiceProviderConfig")["odd"], json!({"supported": true}));
    });
}

#[test]
fn every_caller_has_a_description_of_what_there_is_for_him() {
    Setup { globex: Some(odd()), ..Setup::default() }.on_every_store(|server| {
        let paths = |token: &str| {
            let description = server.get(OPENAPI).by(token).is(200);
            description["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert!(paths("globex").contains(&"/odd.things~/{id}".to_owned()));
        assert!(!paths("globex").contains(&"/Users".to_owned()) && paths("acme").contains(&"/Users".to_owned()));
        assert!(!paths("acme").contains(&"/Me".to_owned()), "/Me is not supported for a caller who is nobody");

        let ada = server.create("/Users", user("ada"));
        let own = format!("as.User.{}", ada.id());
        assert!(paths(&own).contains(&"/Me".to_owned()));
        let description = server.get(OPENAPI).by(&own).is(200);
        let get = &description["paths"]["/Me"]["get"];
        assert_eq!((&get["operationId"], &get["tags"]), (&json!("read.Me"), &json!(["User"])));
        // What holds for it is checked as everything is.
        server.get("/Me").by(&own).is(200);
        server.patch("/Me", json!([{"op": "add", "path": "title", "value": "t"}])).by(&own).is(200);
        server.delete("/Me").by(&own).is(204);
        server.get("/Me").by(&own).fails(404, "");
    });
}

#[test]
fn what_is_not_described_is_found() {
    let server = Setup::default().start(StoreKind::InMemory);
    let made = server.create("/Users", with(user("ada"), json!({"title": "t"})));
    let read = server.get(made.path()).is(200);
    let judged = |answer: &Answer| server.description().judge(&Method::GET, made.path(), answer);
    assert_eq!(judged(&read), Ok(true));
    assert_eq!(server.description().judge(&Method::TRACE, made.path(), &read), Ok(false), "nothing is said of it");
    let wrong = |change: &dyn Fn(&mut Answer)| {
        let mut answer = read.clone();
        change(&mut answer);
        judged(&answer).unwrap_err()
    };
    assert_eq!(wrong(&|answer| answer.status = 418), "status 418 is not described");
    assert_eq!(wrong(&|answer| drop(answer.headers.remove("etag"))), "the header ETag is missing");
    assert!(wrong(&|answer| drop(answer.headers.insert("etag", "\"1\"".parse().unwrap()))).contains("does not match"));
    assert_eq!(
        wrong(&|answer| drop(answer.headers.insert("content-type", "text/html".parse().unwrap()))),
        "`text/html` is not described"
    );
    for (name, value) in [
        ("password", json!(PASSWORD)),
        ("nickname", json!("not the schema's spelling")),
        ("title", json!(7)),
        ("active", json!("true")),
        ("emails", json!([])),
        ("emails", json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}])),
        ("meta", json!({"resourceType": "Group"})),
        ("meta", json!({"created": "yesterday"})),
        ("schemas", json!([urns::GROUP])),
        ("schemas", json!([urns::USER, urns::USER])),
        ("id", Value::Null),
        (urns::ENTERPRISE_USER, json!({"rank": 1})),
    ] {
        wrong(&|answer| answer.body[name] = value.clone());
    }
    wrong(&|answer| drop(answer.body.as_object_mut().unwrap().remove("id")));
}

#[test]
fn the_description_is_as_public_as_discovery() {
    for open in [false, true] {
        Setup { open_discovery: open, ..Setup::default() }.on_every_store(|server| {
            let own = server.get(OPENAPI).is(200);
            assert_eq!(own.body, *server.description().document());
            assert_eq!(own.header("content-type"), Some("application/json"));
            let anonymous = server.get(OPENAPI).without("authorization").send();
            assert_eq!(anonymous.status, if open { 200 } else { 401 });
            assert_eq!(anonymous.status, server.get("/Schemas").without("authorization").send().status);
            let security = &own["paths"][OPENAPI]["get"]["security"];
            assert_eq!(*security, if open { json!([{}, {"oauthbearertoken": []}]) } else { Value::Null });
            assert_eq!(server.ask("HEAD", OPENAPI).is(200).text, "");
        });
    }
}
