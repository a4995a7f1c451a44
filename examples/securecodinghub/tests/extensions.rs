//! Extensions that an organisation registers for itself: its own discovery, validation, filters and PATCH know them, and nobody
//! else's.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::{Client, Hub, Organisation, Server, Wire, at_once, filter, named, patch, replace, tally, text, user};
use ureq::http::Method;

const BADGE: &str = "urn:acme:params:scim:schemas:badge:2.0:User";

/// The schema of a badge, with these attributes more.
fn badge(more: &[Value]) -> Value {
    let mut attributes = vec![
        json!({"name": "number", "type": "integer"}),
        json!({"name": "color", "canonicalValues": ["red", "blue"]}),
        json!({"name": "code", "caseExact": true, "uniqueness": "server"}),
        json!({"name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value"}, {"name": "type"}, {"name": "primary", "type": "boolean"}]}),
    ];
    attributes.extend_from_slice(more);
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": BADGE, "name": "Badge", "attributes": attributes})
}

/// A user without an address who has this badge.
fn badged(name: &str, badge: Value) -> Value {
    let mut user = named(name);
    user["schemas"].as_array_mut().unwrap().push(BADGE.into());
    user[BADGE] = badge;
    user
}

/// Acme, which has registered the badge, and globex, which is taken by the letter and has registered nothing.
struct Two {
    hub: Hub,
    server: Server,
    admin: Client,
    acme: Organisation,
    globex: Organisation,
}

impl Two {
    #[track_caller]
    fn new() -> Self {
        let hub = Hub::new();
        let server = hub.serve("");
        let acme = hub.organisation(&server, "acme", "--profile strict");
        let globex = hub.organisation(&server, "globex", "--profile strict");
        let admin = hub.admin(&server, "acme");
        admin.post("/extensions", &badge(&[])).is(201);
        Self { hub, server, admin, acme, globex }
    }
}

/// How many users a filter finds.
#[track_caller]
fn found(client: &Client, wanted: &str) -> usize {
    client.find("/Users", wanted).len()
}

#[test]
fn what_is_registered_is_shown_as_it_was_registered() {
    let two = Two::new();
    let Two { hub, server, admin, .. } = &two;
    let location = format!("http://{}/api/sch/admin/v1/extensions/{BADGE}", server.listen());
    let one = admin.get(&format!("/extensions/{BADGE}"));
    assert_eq!(one.header("content-location"), location);
    let one = one.is(200);
    assert_eq!((text(&one, "id"), text(&one["meta"], "location")), (BADGE.to_owned(), location.clone()));
    // Every characteristic is spelled out, as in discovery.
    assert_eq!(one["attributes"][0]["mutability"], "readWrite");
    assert_eq!(admin.read(&format!("/extensions/{}", BADGE.to_uppercase())), one);
    let list = admin.read("/extensions");
    assert_eq!((&list["totalResults"], &list["Resources"]), (&json!(1), &json!([one])));
    assert_eq!(hub.admin(server, "globex").read("/extensions")["totalResults"], 0);

    let again = hub.admin(server, "globex").post("/extensions", &badge(&[]));
    assert_eq!(again.header("location"), location, "what acme has registered is free for globex");
    again.is(201);
}

#[test]
fn discovery_knows_it_for_its_own_organisation_alone() {
    let two = Two::new();
    let Two { server, acme, globex, .. } = &two;
    let has = |client: &Client| {
        let lists = |path: &str| client.read(path)["Resources"].to_string().contains(BADGE);
        let description = client.read("/openapi.json")["components"]["schemas"]["User"].to_string();
        assert_eq!(description.contains(BADGE), lists("/Schemas"), "the description is made of the same schemas");
        (lists("/Schemas"), lists("/ResourceTypes"), client.get(&format!("/Schemas/{BADGE}")).status)
    };
    assert_eq!(has(&acme.client), (true, true, 200));
    assert_eq!(has(&globex.client), (false, false, 404));
    assert_eq!(has(&server.first_client()), (false, false, 404));
    assert_eq!(has(&server.client("schscim_wrong")), (false, false, 404), "discovery is for everybody");
    let users = acme.client.read("/ResourceTypes/User");
    let own = json!({"schema": BADGE, "required": false});
    assert!(users["schemaExtensions"].as_array().unwrap().contains(&own), "{users}");
    assert_eq!(text(&acme.client.read(&format!("/Schemas/{BADGE}")), "id"), BADGE);
    assert_eq!(acme.client.read("/Schemas")["totalResults"], 8);
}

#[test]
fn users_of_its_own_organisation_have_it() {
    let two = Two::new();
    let Two { hub, acme, .. } = &two;
    let client = &acme.client;
    let whole = json!({"number": 7, "color": "Red", "code": "A1", "doors": [{"value": "north", "type": "front"}]});
    let made = client.post("/Users", &badged("ada", whole.clone())).is(201);
    assert_eq!(made[BADGE], whole);
    assert!(made["schemas"].as_array().unwrap().contains(&json!(BADGE)));
    let path = format!("/Users/{}", text(&made, "id"));
    client.make("/Users", &badged("ben", json!({"number": 5, "color": "blue"})));
    client.make("/Users", &named("cy"));

    assert_eq!(found(client, &format!("{BADGE}:number gt 6")), 1);
    assert_eq!(found(client, &format!("{BADGE}:color eq \"RED\" and {BADGE}:doors[type eq \"front\"]")), 1);
    assert_eq!(found(client, &format!("{BADGE}:code eq \"a1\"")), 0, "it is case exact");
    assert_eq!(found(client, &format!("not ({BADGE}:number pr)")), 1);
    let sorted = client.read(&format!("/Users?sortBy={BADGE}:number&attributes=userName"));
    let order: Vec<_> = sorted["Resources"].as_array().unwrap().iter().map(|user| text(user, "userName")).collect();
    assert_eq!(order, ["ben", "ada", "cy"]);

    let changed = client.patch(&path, &replace(&format!("{BADGE}:number"), 8)).is_done();
    assert_eq!(changed[BADGE]["number"], 8);
    let more = patch(json!([{"op": "add", "path": format!("{BADGE}:doors"), "value": [{"value": "lab"}]}]));
    assert_eq!(client.patch(&path, &more).is_done()[BADGE]["doors"].as_array().unwrap().len(), 2);
    let without_path = patch(json!([{"op": "replace", "value": {BADGE: {"color": "blue"}}}]));
    assert_eq!(client.patch(&path, &without_path).is_done()[BADGE]["color"], "blue");
    let one_door = patch(json!([{"op": "remove", "path": format!("{BADGE}:doors[value eq \"north\"]")}]));
    assert_eq!(client.patch(&path, &one_door).is_done()[BADGE]["doors"], json!([{"value": "lab"}]));

    let shown = client.read(&format!("{path}?attributes={BADGE}:number"));
    assert_eq!((&shown[BADGE], &shown["userName"]), (&json!({"number": 8}), &Value::Null));
    assert_eq!(client.read(&format!("{path}?attributes={BADGE}"))[BADGE]["color"], "blue");
    assert_eq!(client.read(&format!("{path}?excludedAttributes={BADGE}"))[BADGE], Value::Null);

    let put = client.put(&path, &badged("ada", json!({"number": 9}))).is(200);
    assert_eq!(put[BADGE], json!({"number": 9}));
    let bare = client.put(&path, &named("ada")).is(200);
    assert_eq!((&bare[BADGE], bare["schemas"].to_string().contains(BADGE)), (&Value::Null, false));

    let log = hub.log("acme");
    assert!(log.iter().any(|entry| entry["operation"] == "patch" && entry["changed"] == json!([BADGE])));
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let two = Two::new();
    let Two { acme, .. } = &two;
    let client = &acme.client;
    let made = client.post("/Users", &badged("ada", json!({"number": 7, "code": "A1"}))).is(201);
    let path = format!("/Users/{}", text(&made, "id"));
    for wrong in
        [json!({"number": "seven"}), json!({"number": 7.5}), json!({"doors": "north"}), json!({"size": 3}), json!(7)]
    {
        client.post("/Users", &badged("bad", wrong.clone())).is_error(400, "invalidValue");
        client.put(&path, &badged("ada", wrong)).is_error(400, "invalidValue");
    }
    client.patch(&path, &replace(&format!("{BADGE}:number"), "seven")).is_error(400, "invalidValue");
    client.patch(&path, &replace(&format!("{BADGE}:size"), 3)).is_error(400, "invalidPath");
    for wrong in [format!("{BADGE}:size eq 3"), format!("{BADGE}:number eq \"7\""), "number eq 7".to_owned()] {
        client.get(&format!("/Users?{}", filter(&wrong))).is_error(400, "invalidFilter");
    }
    // Unique is unique among the users of an organisation.
    client.post("/Users", &badged("twin", json!({"code": "A1"}))).is_error(409, "uniqueness");
    client.make("/Users", &badged("other", json!({"code": "a1"})));
}

#[test]
fn another_organisation_does_not_know_it() {
    let two = Two::new();
    let Two { hub, server, acme, globex, .. } = &two;
    acme.client.make("/Users", &badged("ada", json!({"number": 7, "code": "A1"})));
    let client = &globex.client;
    client.post("/Users", &badged("ada", json!({"number": 7}))).is_error(400, "invalidValue");
    client.get(&format!("/Users?{}", filter(&format!("{BADGE}:number eq 7")))).is_error(400, "invalidFilter");
    let path = format!("/Users/{}", client.make("/Users", &named("ada")));
    client.patch(&path, &replace(&format!("{BADGE}:number"), 7)).is_error(400, "invalidPath");
    client.put(&path, &badged("ada", json!({"number": 7}))).is_error(400, "invalidValue");

    // Who is tolerant passes over what he does not know, and keeps none of it.
    hub.prints("org set globex --profile tolerant");
    let made = client.post("/Users", &badged("eve", json!({"number": 7}))).is(201);
    assert!(!made.to_string().contains(BADGE), "{made}");
    // One that globex registers later is its own, and nobody has it yet.
    hub.admin(server, "globex").post("/extensions", &badge(&[])).is(201);
    assert_eq!(found(client, &format!("{BADGE}:number pr")), 0);
    client.make("/Users", &badged("twin", json!({"code": "A1"})));
}

#[test]
fn a_token_opens_one_thing() {
    let two = Two::new();
    let Two { hub, server, admin, acme, .. } = &two;
    let admin_token = hub.json("token create --org acme --scope admin --label second");
    let secret = text(&admin_token, "token");
    assert_eq!(admin_token["scope"], "admin");
    // RFC 7644 section 3.12: the token is good, and not for this. RFC 6750 section 3.1 has the word for it.
    for answer in [
        server.client(&secret).get("/Users"),
        server.client(&secret).post("/Users", &named("ada")),
        server.client(&secret).get("/Schemas"),
        server.client(&secret).get("/Nothing"),
        server.admin(&acme.token).get("/extensions"),
        server.admin(&acme.token).post("/extensions", &badge(&[])),
        server.admin(&acme.token).delete(&format!("/extensions/{BADGE}")),
        server.admin(&acme.token).get("/nothing"),
    ] {
        answer.is_error(403, "");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"scim\", error=\"insufficient_scope\"");
    }
    // Who tried what is in the server's log, without what the query may name.
    server.client(&secret).get("/Users?filter=userName%20eq%20%22eve%22").is_error(403, "");
    let told = server.stderr();
    for (wanted, method, path) in [
        ("scim", "POST", "/Users".to_owned()),
        ("scim", "GET", "/Users".to_owned()),
        ("admin", "POST", "/extensions".to_owned()),
        ("admin", "DELETE", format!("/extensions/{BADGE}")),
    ] {
        let words = [
            format!("wanted={wanted}"),
            format!("method={method}"),
            format!("path=\"{path}\""),
            "peer=127.0.0.1:".to_owned(),
        ];
        let tells = |line: &str| line.contains("a token was refused") && words.iter().all(|word| line.contains(word));
        assert!(told.lines().any(tells), "{words:?}: {told}");
    }
    assert!(!told.contains("eve"), "{told}");
    for (path, method) in
        [("/extensions", Method::GET), ("/extensions", Method::POST), ("/nothing", Method::GET), ("", Method::PUT)]
    {
        let missing = admin.send_raw(method.clone(), path, &[], None);
        missing.is_error(401, "");
        assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"scim\"");
        server.admin("schscim_wrong").send(method, path, None).is_error(401, "");
    }
    admin.get("/nothing").is_error(404, "");
    for (method, path, allowed) in [
        (Method::PUT, "/extensions".to_owned(), "GET, HEAD, POST"),
        (Method::POST, format!("/extensions/{BADGE}"), "GET, HEAD, DELETE"),
        (Method::PATCH, format!("/extensions/{BADGE}"), "GET, HEAD, DELETE"),
    ] {
        let answer = admin.send(method, &path, Some(&badge(&[])));
        answer.is_error(405, "");
        assert_eq!(answer.header("allow"), allowed);
    }

    // Two of each scope may live, so that one of them can replace the other.
    let error = hub.refuses("token create --org acme --scope admin");
    assert!(error.contains("2 living tokens of scope admin") && error.contains(&text(&admin_token, "id")), "{error}");
    hub.prints("token create --org acme --label provider");
    let listed = hub.json("token list --org acme");
    let scopes: Vec<_> = listed.as_array().unwrap().iter().map(|token| text(token, "scope")).collect();
    assert_eq!(scopes, ["scim", "admin", "admin", "scim"]);
    assert!(!listed.to_string().contains(&secret[8..20]) && hub.prints("token list --org acme").contains("admin"));

    let second = server.admin(&secret);
    second.read("/extensions");
    hub.prints(&format!("token revoke --org acme {}", text(&admin_token, "id")));
    second.get("/extensions").is_error(401, "");
    admin.read("/extensions");
    hub.prints("org set acme --scim off");
    admin.get("/extensions").is_error(403, "");
}

#[test]
fn the_pace_of_both_is_one() {
    let hub = Hub::new();
    let server = hub.serve("--rate-limit 25/s:25");
    let acme = hub.organisation(&server, "acme", "");
    let admin = hub.admin(&server, "acme");
    // The burst is used up from one side, and the other one feels it. What comes too fast has an end.
    let refused = support::eventually("the limit is reached", || {
        acme.client.get("/Users?count=0");
        let answer = admin.get("/extensions");
        (answer.status == 429).then_some(answer)
    });
    refused.is_error(429, "");
    assert_ne!(refused.header("retry-after"), "");
    hub.admin(&server, "default").read("/extensions");
}

#[test]
fn servers_on_one_file_follow_at_once_and_a_restart_keeps_it() {
    let Two { hub, server, admin, acme, globex: _ } = Two::new();
    let other = hub.serve("");
    let there = other.client(&acme.token);
    let made = there.make("/Users", &badged("ada", json!({"number": 7})));
    for round in 0..5 {
        let name = format!("level{round}");
        let more: Vec<Value> = (0..=round).map(|at| json!({"name": format!("level{at}"), "type": "integer"})).collect();
        admin.post("/extensions", &badge(&more)).is(200);
        let changed = there.patch(&format!("/Users/{made}"), &replace(&format!("{BADGE}:{name}"), round)).is_done();
        assert_eq!(changed[BADGE][&name], round);
    }
    // What the operator registers, a server that runs knows too.
    let desk = json!({"id": "urn:acme:desk", "attributes": [{"name": "room"}]});
    std::fs::write(hub.path().join("desk.json"), desk.to_string()).unwrap();
    hub.prints("extension add --org acme desk.json");
    for client in [&there, &acme.client] {
        client.read("/Schemas/urn:acme:desk");
    }
    other
        .admin(&text(&hub.json("token create --org acme --scope admin"), "token"))
        .delete("/extensions/urn:acme:desk")
        .is(204);
    for client in [&there, &acme.client] {
        client.get("/Schemas/urn:acme:desk").is_error(404, "");
    }
    drop((server, other));
    let server = hub.serve("");
    let client = server.client(&acme.token);
    assert_eq!(client.read(&format!("/Users/{made}"))[BADGE]["number"], 7);
    assert_eq!(found(&client, &format!("{BADGE}:level4 eq 4")), 1);
}

#[test]
fn a_schema_may_grow_and_not_change() {
    let two = Two::new();
    let Two { hub, admin, acme, .. } = &two;
    let path = format!("/Users/{}", acme.client.make("/Users", &badged("ada", json!({"number": 7}))));
    let post = |schema: &Value| admin.post("/extensions", schema);
    let before = admin.read("/extensions");
    post(&badge(&[])).is(200);
    assert_eq!(admin.read("/extensions"), before, "to register the same is to change nothing");
    let grown = badge(&[json!({"name": "level", "type": "integer"})]);
    assert_eq!(post(&grown).is(200)["attributes"].as_array().unwrap().len(), 5);
    let mut described = grown.clone();
    described["attributes"][0]["description"] = "What stands on it.".into();
    post(&described).is(200);

    let mut other = grown.clone();
    other["attributes"][0]["type"] = "string".into();
    for (schema, reason) in [
        (badge(&[]), "`level` is missing"),
        (other, "`number` has another type"),
        (badge(&[json!({"name": "Level", "type": "integer"})]), "`level` has another spelling"),
        (
            badge(&[json!({"name": "level", "type": "integer"}), json!({"name": "size", "required": true})]),
            "`size` is new and required",
        ),
    ] {
        let detail = post(&schema).is_error(409, "");
        assert!(detail.contains(reason) && detail.contains(BADGE), "{detail}");
    }
    let mut spelled = grown;
    spelled["id"] = BADGE.to_uppercase().into();
    assert!(post(&spelled).is_error(409, "").contains("its URI is written"));
    assert_eq!(
        acme.client.patch(&path, &replace(&format!("{BADGE}:level"), 3)).is_done()[BADGE],
        json!({"number": 7, "level": 3})
    );
    let changes: Vec<Value> =
        hub.log("acme").into_iter().filter(|entry| entry["operation"] == "extension-change").collect();
    assert_eq!(changes.len(), 3);
    assert_eq!(changes[1]["changed"], json!(["level"]));
}

#[test]
fn required_attributes_bind_who_has_the_extension() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "--profile strict");
    let before = acme.client.make("/Users", &named("ada"));
    let schema = json!({"id": BADGE, "attributes": [{"name": "number", "type": "integer", "required": true}, {"name": "color"}]});
    hub.admin(&server, "acme").post("/extensions", &schema).is(201);
    // Who was there before has no badge, and need not.
    acme.client.patch(&format!("/Users/{before}"), &replace("title", "Dr.")).is_done();
    acme.client.make("/Users", &named("ben"));
    acme.client.post("/Users", &badged("cy", json!({"color": "red"}))).is_error(400, "invalidValue");
    acme.client.make("/Users", &badged("cy", json!({"number": 1})));
}

#[test]
fn an_extension_goes_when_nobody_has_it() {
    let two = Two::new();
    let Two { hub, admin, acme, .. } = &two;
    let at = format!("/extensions/{BADGE}");
    let path = format!("/Users/{}", acme.client.make("/Users", &badged("ada", json!({"number": 7}))));
    acme.client.make("/Users", &badged("ben", json!({"number": 8})));
    assert!(admin.delete(&at).is_error(409, "").starts_with("2 of the organisation's users have values"));
    acme.client.delete("/Users/nobody").is(404);
    let ben = text(&acme.client.find("/Users", "userName eq \"ben\"")[0], "id");
    acme.client.delete(&format!("/Users/{ben}")).is(204);
    assert!(admin.delete(&at).is_error(409, "").starts_with("1 of the organisation's users has values"));
    acme.client.patch(&path, &patch(json!([{"op": "remove", "path": BADGE}]))).is_done();
    admin.delete(&at).is(204);

    admin.get(&at).is_error(404, "");
    admin.delete(&at).is_error(404, "");
    acme.client.get(&format!("/Schemas/{BADGE}")).is_error(404, "");
    acme.client.post("/Users", &badged("cy", json!({"number": 7}))).is_error(400, "invalidValue");
    acme.client.get(&format!("/Users?{}", filter(&format!("{BADGE}:number pr")))).is_error(400, "invalidFilter");
    // Nothing is left of it, so the next one may mean what it likes.
    let other = json!({"id": BADGE, "attributes": [{"name": "number", "type": "string"}]});
    admin.post("/extensions", &other).is(201);
    acme.client.make("/Users", &badged("cy", json!({"number": "seven"})));

    let log: Vec<_> =
        hub.log("acme").into_iter().filter(|entry| text(entry, "operation").starts_with("extension")).collect();
    let brief: Vec<_> = log.iter().map(|entry| format!("{} {}", text(entry, "operation"), entry["status"])).collect();
    assert_eq!(
        brief,
        [
            "extension-add 201",
            "extension-remove 409",
            "extension-remove 409",
            "extension-remove 204",
            "extension-remove 404",
            "extension-add 201"
        ]
    );
    for entry in &log[..4] {
        assert_eq!(entry["target"], json!({"resourceType": "Schema", "id": BADGE}), "{entry}");
    }
    assert_eq!(log[4]["target"], Value::Null, "what leads nowhere is text of the client's choice");
    let admins = hub.json("token list --org acme");
    assert!(log.iter().all(|entry| entry["actor"] == admins[1]["id"]), "{log:?}");
    assert!(hub.log("globex").is_empty());
}

#[test]
fn who_comes_back_from_out_of_sight_has_what_he_had() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "--profile strict --edition second");
    let admin = hub.admin(&server, "acme");
    admin.post("/extensions", &badge(&[])).is(201);
    let at = format!("/extensions/{BADGE}");
    let mut ada = user("ada@acme.example");
    ada["schemas"].as_array_mut().unwrap().push(BADGE.into());
    ada[BADGE] = json!({"number": 7});
    let id = acme.client.make("/Users", &ada);
    acme.client.delete(&format!("/Users/{id}")).is(204);

    // Nobody is seen to have it, so it goes; but what it means stays as long as somebody may come back with it.
    assert_eq!(hub.json("extension list --org acme")[0]["removed"], Value::Null);
    admin.delete(&at).is(204);
    // The operator sees why the URI is not free; to its organisation it is gone.
    assert_eq!(admin.read("/extensions")["totalResults"], 0);
    let listed = hub.json("extension list --org acme");
    assert_eq!((listed.as_array().unwrap().len(), text(&listed[0], "urn")), (1, BADGE.to_owned()));
    let removed = text(&listed[0], "removed").get(..10).unwrap().to_owned();
    let shown = hub.prints("extension list --org acme");
    let columns: Vec<_> = shown
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>())
        .collect();
    assert_eq!((columns[0][4], columns[1].len()), ("REMOVED", 5), "{shown}");
    assert!(columns[1][4].starts_with(&removed), "{shown}");
    let other = json!({"id": BADGE, "attributes": [{"name": "number", "type": "string"}]});
    assert!(admin.post("/extensions", &other).is_error(409, "").contains("`number` has another type"));
    admin.post("/extensions", &badge(&[json!({"name": "level", "type": "integer"})])).is(201);
    // He is made again by hand, which brings him back as he was.
    assert_eq!(hub.invite("acme", "ada@acme.example"), id);
    assert_eq!(acme.client.read(&format!("/Users/{id}"))[BADGE], json!({"number": 7}));
    assert!(admin.delete(&at).is_error(409, "").starts_with("1 of"));

    // Who comes back while there is no such extension has left it behind, in every way.
    acme.client.delete(&format!("/Users/{id}")).is(204);
    admin.delete(&at).is(204);
    assert_eq!(hub.invite("acme", "ada@acme.example"), id);
    admin.post("/extensions", &badge(&[json!({"name": "level", "type": "integer"})])).is(201);
    let back = acme.client.read(&format!("/Users/{id}"));
    assert_eq!((&back[BADGE], back["schemas"].to_string().contains(BADGE)), (&Value::Null, false));
    assert_eq!(found(&acme.client, &format!("{BADGE}:number pr")), 0);
    admin.delete(&at).is(204);
    admin.post("/extensions", &other).is(201);
}

#[test]
fn a_change_enters_the_log_also_when_its_client_hangs_up() {
    let two = Two::new();
    let Two { hub, server, .. } = &two;
    let token = text(&hub.json("token create --org acme --scope admin"), "token");
    let request = format!(
        "DELETE /api/sch/admin/v1/extensions/{BADGE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let database = rusqlite::Connection::open(hub.database()).unwrap();
    let mut patience = std::time::Duration::from_millis(50);
    let removed = support::eventually("a removal is in the log", || {
        // The change waits for the database, and its client does not wait for the change.
        database.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut wire = Wire::open(server);
        wire.write(&request);
        std::thread::sleep(patience);
        drop(wire);
        std::thread::sleep(patience);
        database.execute_batch("COMMIT").unwrap();
        // A busy machine may not have come to the request at all.
        patience *= 2;
        hub.log("acme").into_iter().find(|entry| entry["operation"] == "extension-remove" && entry["status"] == 204)
    });
    assert_eq!(removed["target"], json!({"resourceType": "Schema", "id": BADGE}));
}

#[test]
fn what_cannot_extend_users_is_refused() {
    let two = Two::new();
    let Two { hub, admin, .. } = &two;
    let of = |urn: &str, attribute: Value| json!({"id": urn, "attributes": [attribute]});
    for (schema, reason) in [
        (json!([]), "schema"),
        (json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}), "this is no schema"),
        (json!({"id": "urn:acme:x", "attributes": []}), "no attributes"),
        (of("urn:ietf:params:scim:schemas:extension:acme:2.0:User", json!({"name": "a"})), "IANA"),
        (of("URN:ietf:params:SCIM:schemas:extension:enterprise:2.0:User", json!({"name": "a"})), "IANA"),
        (of("https://acme.example/badge", json!({"name": "a"})), "expected `urn:`"),
        (of(&format!("{BADGE}:number"), json!({"name": "a"})), "read as an attribute"),
        (of("urn:acme:x", json!({"name": "a", "type": "bool"})), "unknown variant `bool`"),
        (of("urn:acme:x", json!({"name": "a b"})), "not an attribute name"),
        (of("urn:acme:x", json!({"name": "a", "returned": "never"})), "never returned"),
        (of("urn:acme:x", json!({"name": "a", "uniqueness": "global"})), "unique over all"),
    ] {
        let detail = admin.post("/extensions", &schema).is_error(400, "invalidValue");
        assert!(detail.contains(reason), "{detail}");
    }
    let refusals =
        hub.log("acme").into_iter().filter(|entry| entry["operation"] == "extension-add" && entry["status"] == 400);
    let targets: Vec<_> = refusals.map(|entry| entry["target"]["id"].clone()).collect();
    // Which extension it was to be, as far as that was the URI of one.
    assert_eq!(targets[..6], [Value::Null, Value::Null, "urn:acme:x".into(), Value::Null, Value::Null, Value::Null]);
    assert_eq!(targets[6..], [[format!("{BADGE}:number")].as_slice(), &vec!["urn:acme:x".to_owned(); 4]].concat());
    let own = json!({"id": "urn:scim:schemas:extension:x:1.0:User", "attributes": [{"name": "a"}]});
    admin.post("/extensions", &own).is(201);

    let many: Vec<Value> = (0..101).map(|at| json!({"name": format!("a{at}")})).collect();
    let detail =
        admin.post("/extensions", &json!({"id": "urn:acme:many", "attributes": many})).is_error(400, "invalidValue");
    assert!(detail.contains("100 are the most"), "{detail}");
    let long = of("urn:acme:long", json!({"name": "a", "description": "x".repeat(70_000)}));
    admin.post("/extensions", &long).is_error(413, "");
    let token = hub.json("token create --org acme --scope admin");
    let raw = |kind: &str, body: &str| {
        let headers =
            [("authorization", format!("Bearer {}", text(&token, "token"))), ("content-type", kind.to_owned())];
        admin.send_raw(Method::POST, "/extensions", &headers, Some(body))
    };
    raw("application/json", "{").is(400);
    for at in 2..10 {
        admin.post("/extensions", &of(&format!("urn:acme:e{at}"), json!({"name": "a"}))).is(201);
    }
    assert!(
        admin
            .post("/extensions", &of("urn:acme:more", json!({"name": "a"})))
            .is_error(409, "")
            .contains("10 extensions")
    );
    assert_eq!(admin.read("/extensions")["totalResults"], 10);
    admin.delete("/extensions/urn:acme:e5").is(204);
    admin.post("/extensions", &of("urn:acme:more", json!({"name": "a"}))).is(201);
}

#[test]
fn two_who_register_at_once_do_not_pass_the_limit_or_each_other() {
    let two = Two::new();
    let Two { hub, server, .. } = &two;
    let other = hub.serve("");
    let token = text(&hub.json("token create --org acme --scope admin"), "token");
    let admins = [server.admin(&token), other.admin(&token)];
    let answers = at_once(14, |number| {
        let schema = json!({"id": format!("urn:acme:e{number}"), "attributes": [{"name": "a"}]});
        admins[number % 2].post("/extensions", &schema)
    });
    assert_eq!(tally(&answers), "201: 9, 409: 5");
    // Of two meanings of one URI one holds.
    admins[0].delete(&format!("/extensions/{BADGE}")).is(204);
    let answers = at_once(2, |number| {
        let kind = if number == 0 { "string" } else { "integer" };
        admins[number].post("/extensions", &json!({"id": BADGE, "attributes": [{"name": "number", "type": kind}]}))
    });
    assert_eq!(tally(&answers), "201: 1, 409: 1");
    assert_eq!(
        hub.log("acme").iter().filter(|entry| entry["operation"] == "extension-add" && entry["status"] == 201).count(),
        11
    );
}

#[test]
fn the_operator_has_commands_for_it() {
    let hub = Hub::new();
    hub.prints("org create acme");
    std::fs::write(hub.path().join("badge.json"), badge(&[]).to_string()).unwrap();
    assert!(hub.prints("extension add --org acme badge.json").contains("is registered for `acme`"));
    assert!(hub.prints("extension add --org acme badge.json").contains("was registered already"));
    let listed = hub.json("extension list --org acme");
    assert_eq!((listed.as_array().unwrap().len(), text(&listed[0], "urn")), (1, BADGE.to_owned()));
    assert!(hub.prints("extension list --org acme").lines().nth(1).unwrap().starts_with(&format!("{BADGE}  4 ")));
    std::fs::write(hub.path().join("bad.json"), "{").unwrap();
    for (line, reason) in [
        ("extension add --org acme bad.json", "`bad.json` is not JSON"),
        ("extension add --org acme none.json", "cannot read the schema in `none.json`"),
        ("extension add --org nobody badge.json", "there is no organisation `nobody`"),
        ("extension remove --org acme urn:x", "the organisation has no extension `urn:x`"),
    ] {
        let error = hub.refuses(line);
        assert!(error.contains(reason), "{error}");
    }
    let server = hub.serve("");
    let token = text(&hub.json("token create --org acme"), "token");
    let client = server.client(&token);
    let id = client.make("/Users", &badged("ada", json!({"number": 7})));
    assert!(hub.refuses(&format!("extension remove --org acme {BADGE}")).contains("1 of the organisation's users"));
    client.delete(&format!("/Users/{id}")).is(204);
    assert!(hub.prints(&format!("extension remove --org acme {BADGE}")).contains("is removed from `acme`"));
    client.get(&format!("/Schemas/{BADGE}")).is_error(404, "");
    let actors: Vec<_> =
        hub.log("acme").iter().map(|entry| format!("{} {}", text(entry, "operation"), text(entry, "actor"))).collect();
    assert_eq!(actors[..2], ["extension-add admin", "extension-change admin"]);
    assert_eq!(actors.last().unwrap(), "extension-remove admin");
}

#[test]
fn an_extension_that_a_folder_of_types_clashes_with_is_left_out() {
    let Two { hub, server, acme, globex, .. } = Two::new();
    hub.admin(&server, "globex")
        .post("/extensions", &json!({"id": "urn:globex:x", "attributes": [{"name": "a"}]}))
        .is(201);
    let desk = json!({"id": "urn:acme:desk", "attributes": [{"name": "room"}]});
    let inside = json!({"id": format!("{BADGE}:inside"), "attributes": [{"name": "a"}]});
    let admin = hub.admin(&server, "acme");
    admin.post("/extensions", &desk).is(201);
    let ada = format!("/Users/{}", acme.client.make("/Users", &badged("ada", json!({"number": 7}))));
    drop((server, admin));

    // Neither the same schema nor one that would read as an attribute of it can be served beside the extension.
    for (at, clashing) in [badge(&[]), inside].iter().enumerate() {
        let folder = hub.path().join(format!("types{at}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("badge.json"), clashing.to_string()).unwrap();
        let of_type = json!({"name": "Badge", "endpoint": "/Badges", "schema": clashing["id"]});
        std::fs::write(folder.join("type.json"), of_type.to_string()).unwrap();
        std::fs::write(hub.path().join("badge.json"), badge(&[]).to_string()).unwrap();
        let add = format!("extension add --org globex --types types{at} badge.json");
        assert!(hub.refuses(&add).contains("cannot name an extension"));

        let server = hub.serve(&format!("--types types{at}"));
        let told = server.stderr();
        let told: Vec<_> = told.lines().filter(|line| line.contains("is left out")).collect();
        assert!(told.len() == 1 && told[0].contains("ERROR") && told[0].contains("acme"), "{told:?}");
        assert!(told[0].contains(&BADGE.to_ascii_lowercase()), "{told:?}");
        // It is the one extension of the one organisation.
        let (acme, globex) = (server.client(&acme.token), server.client(&globex.token));
        let extends = |client: &Client| client.read("/ResourceTypes/User")["schemaExtensions"].to_string();
        assert!(extends(&acme).contains("urn:acme:desk") && !extends(&acme).contains(BADGE));
        assert!(extends(&globex).contains("urn:globex:x"));
        assert_eq!(acme.read(&ada)[BADGE], Value::Null);
        globex.make("/Users", &named(&format!("ben{at}")));

        // Its organisation sees it, and can still let go of it when nobody has it.
        let token = hub.json("token list --org acme").as_array().unwrap().last().unwrap().clone();
        hub.prints(&format!("token revoke --org acme {}", text(&token, "id")));
        let admin = hub.admin(&server, "acme");
        assert_eq!(admin.read("/extensions")["totalResults"], 2);
        assert_eq!(text(&admin.read(&format!("/extensions/{BADGE}")), "id"), BADGE);
        assert!(admin.delete(&format!("/extensions/{BADGE}")).is_error(409, "").starts_with("1 of"));
        if at == 1 {
            acme.delete(&ada).is(204);
            admin.delete(&format!("/extensions/{BADGE}")).is(204);
        }
    }
    assert!(!hub.serve("--types types0").stderr().contains("is left out"));
}

#[test]
fn a_change_that_is_not_in_the_log_yet_gets_there() {
    let hub = Hub::new();
    hub.prints("org create acme");
    std::fs::write(hub.path().join("badge.json"), badge(&[]).to_string()).unwrap();
    hub.prints("extension add --org acme badge.json");
    // As if the process had died between the change and its place in the log.
    let event =
        json!({"time": "2026-01-01T00:00:00Z", "actor": "tk_1", "operation": "extension-change", "status": 200});
    let leave = |columns: &str, values: &str| {
        hub.sql(&format!(
            "INSERT INTO sch_notice (organisation, {columns}) SELECT id, {values} FROM sch_organisation WHERE name = 'acme'"
        ));
    };
    if hub.url().is_some() {
        leave("id, event", &format!("'1', '{event}'"));
        hub.sql("INSERT INTO sch_waiting SELECT id FROM sch_organisation WHERE name = 'acme'");
    } else {
        leave("event", &format!("'{event}'"));
    }
    let server = hub.serve("");
    assert_eq!(hub.last_entry("acme")["actor"], "tk_1");
    drop(server);
    drop(hub.serve(""));
    assert_eq!(hub.log("acme").len(), 2, "and once only");
}
