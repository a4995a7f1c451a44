//! Resource types as data: folders of JSON that the server is started with, without a line of code for any of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Client, Hub, Server, named, patch, replace, team, text, user};
use ureq::http::Method;

const DEVICE: &str = "urn:ietf:params:scim:schemas:core:2.0:Device";
const BLE: &str = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device";
const DPP: &str = "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device";
const FDO: &str = "urn:ietf:params:scim:schemas:extension:fido-device-onboard:2.0:Device";
const APPS: &str = "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device";
const PASSKEY: &str = "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device";
const APP: &str = "urn:ietf:params:scim:schemas:core:2.0:EndpointApp";
const GADGET: &str = "urn:example:params:scim:schemas:lab:2.0:Gadget";
const ROLE: &str = "urn:ietf:params:scim:schemas:core:2.0:Role";
const ENTITLEMENT: &str = "urn:ietf:params:scim:schemas:core:2.0:Entitlement";

/// A folder that ships with the product.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("types").join(name)
}

/// A server with these folders of types.
#[track_caller]
fn serve(hub: &Hub, folders: &[&str]) -> Server {
    let mut command = hub.program("serve --json --listen 127.0.0.1:0 --rate-limit off");
    for folder in folders {
        command.arg("--types").arg(shipped(folder));
    }
    hub.start(&mut command)
}

/// A server with devices, and a client that is taken by the letter.
fn devices() -> (Hub, Server, Client) {
    let hub = Hub::new();
    let server = serve(&hub, &["device"]);
    let client = hub.organisation(&server, "acme", "--profile strict").client;
    (hub, server, client)
}

/// The examples of RFC 9944, by the number of their figure.
fn figure(number: u8) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rfc9944");
    let begins = format!("figure-{number:02}-");
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&begins)).unwrap();
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// What a client may have written of a resource, apart from these paths, which nobody reads or which are the server's.
fn written(mut resource: Value, without: &[&[&str]]) -> Value {
    for path in [&["id"][..], &["meta"], &["schemas"]].iter().chain(without) {
        let (last, parents) = path.split_last().unwrap();
        let mut place = &mut resource;
        for parent in parents {
            place = place.get_mut(*parent).unwrap();
        }
        place.as_object_mut().unwrap().remove(*last);
    }
    resource
}

/// The names in a list of discovery.
fn names(client: &Client, path: &str) -> Vec<String> {
    let list = client.read(path);
    list["Resources"].as_array().unwrap().iter().map(|resource| text(resource, "id")).collect()
}

#[test]
fn discovery_tells_what_the_folders_hold() {
    let (_hub, _server, client) = devices();
    assert_eq!(names(&client, "/ResourceTypes"), ["User", "Group", "Device", "EndpointApp"]);
    let device = client.read("/ResourceTypes/Device");
    assert_eq!((text(&device, "endpoint"), text(&device, "schema")), ("/Devices".to_owned(), DEVICE.to_owned()));
    let extensions = device["schemaExtensions"].as_array().unwrap();
    assert_eq!(extensions.len(), 10);
    // RFC 9944 section 7: none of them is required.
    assert!(extensions.iter().all(|extension| extension["required"] == false));
    for extension in extensions {
        let schema = client.read(&format!("/Schemas/{}", text(extension, "schema")));
        assert_eq!(schema["meta"]["resourceType"], "Schema");
    }
    assert_eq!(text(&client.read("/ResourceTypes/EndpointApp"), "endpoint"), "/EndpointApps");

    // RFC 9944 tables 3, 4 and 6: what nobody reads.
    let attribute = |schema: &str, name: &str| {
        let schema = client.read(&format!("/Schemas/{schema}"));
        schema["attributes"].as_array().unwrap().iter().find(|own| own["name"] == name).unwrap().clone()
    };
    for (schema, name) in [(BLE, "irk"), (DPP, "bootstrapKey"), (FDO, "fdoVoucher")] {
        let attribute = attribute(schema, name);
        assert_eq!(
            (&attribute["mutability"], &attribute["returned"]),
            (&json!("writeOnly"), &json!("never")),
            "{name}"
        );
    }
    assert_eq!(attribute(BLE, "mobility")["type"], "boolean");
    assert_eq!(attribute(DEVICE, "active")["required"], true);
    assert_eq!(attribute(APP, "applicationType")["mutability"], "readOnly");
}

#[test]
fn the_examples_of_rfc_9944_come_back_as_they_were_sent() {
    let (_hub, _server, client) = devices();
    for number in [3, 5, 6, 7, 9, 11] {
        let made = client.post("/Devices", &figure(number)).is(201);
        assert_ne!(made["id"], figure(number)["id"], "the server names what it makes");
        assert_eq!(made["meta"]["resourceType"], "Device");
        assert_eq!(written(made.clone(), &[]), written(figure(number), &[]), "figure {number}");
        let id = text(&made, "id");
        assert_eq!(client.read(&format!("/Devices/{id}")), made);
        // What a client reads it may send back.
        assert_eq!(written(client.put(&format!("/Devices/{id}"), &made).is(200), &[]), written(made, &[]));
    }
    assert_eq!(client.count("/Devices"), 6);

    let dpp = client.post("/Devices", &figure(8)).is(201);
    assert_eq!(written(dpp, &[]), written(figure(8), &[&[DPP, "bootstrapKey"]]));
    let fdo = client.post("/Devices", &figure(10)).is(201);
    assert_eq!(written(fdo.clone(), &[]), written(figure(10), &[&[FDO]]));
    assert_eq!(fdo["schemas"], json!([DEVICE, FDO]), "it has a voucher, which is nobody's to see");

    // Read-only attributes are the server's to give, and this one gives none of these.
    let app = client.post("/EndpointApps", &figure(4)).is(201);
    assert_eq!(written(app, &[]), written(figure(4), &[&["applicationType"]]));
}

#[test]
fn applications_are_referred_to_by_the_server() {
    let (_hub, server, client) = devices();
    let mut app = figure(4);
    let control = client.make("/EndpointApps", &app);
    app["applicationName"] = "Telemetry App 1".into();
    let telemetry = client.make("/EndpointApps", &app);
    let mut device = figure(12);
    device[APPS]["applications"] =
        json!([{"value": control}, {"value": telemetry, "$ref": "https://elsewhere.example/1"}]);
    let made = client.post("/Devices", &device).is(201);
    let refers = |id: &str| json!({"value": id, "$ref": format!("{}/EndpointApps/{id}", server.base())});
    assert_eq!(made[APPS], json!({"applications": [refers(&control), refers(&telemetry)]}));

    let path = format!("/Devices/{}", text(&made, "id"));
    let filter = format!("{APPS}:applications.value eq \"{telemetry}\"");
    assert_eq!(client.find("/Devices", &filter).len(), 1);
    // Who reads a value may send it back, address and all.
    let list = json!([refers(&control)]);
    let left = client.patch(&path, &replace(&format!("{APPS}:applications"), list)).is_done();
    assert_eq!(left[APPS]["applications"], json!([refers(&control)]));
    assert_eq!(client.find("/Devices", &filter).len(), 0);
}

#[test]
fn devices_are_filtered_and_patched() {
    let (_hub, _server, client) = devices();
    let id = client.make("/Devices", &figure(5));
    client.make("/Devices", &figure(6));
    client.make("/Devices", &figure(11));
    let path = format!("/Devices/{id}");
    let found = |filter: &str| client.find("/Devices", filter).len();
    assert_eq!(found("displayName sw \"ble\" and active eq true"), 2);
    assert_eq!(found(&format!("{BLE}:deviceMacAddress eq \"2c:54:91:88:c9:e2\"")), 2);
    assert_eq!(found(&format!("{BLE}:versionSupport eq \"5.4\" and not ({BLE}:mobility eq false)")), 2);
    assert_eq!(found(&format!("{PASSKEY}:key ge 123456")), 1);
    assert_eq!(found("urn:ietf:params:scim:schemas:extension:zigbee:2.0:Device:versionSupport eq \"3.0\""), 1);
    assert_eq!(found(&format!("{BLE}:pairingMethods eq \"{PASSKEY}\"")), 1);

    let changed = client.patch(&path, &replace(&format!("{PASSKEY}:key"), 654_321)).is_done();
    assert_eq!(changed[BLE][PASSKEY], json!({"key": 654_321}));
    assert_eq!(found(&format!("{PASSKEY}:key eq 654321")), 1);
    let within =
        patch(json!([{"op": "replace", "value": {"active": false, BLE: {"mobility": false, PASSKEY: {"key": 7}}}}]));
    let changed = client.patch(&path, &within).is_done();
    assert_eq!((&changed["active"], &changed[BLE]["mobility"]), (&json!(false), &json!(false)));
    assert_eq!(changed[BLE][PASSKEY], json!({"key": 7}));
    client.patch(&path, &replace(&format!("{BLE}:mobility"), "perhaps")).is_error(400, "invalidValue");
    client.patch(&path, &patch(json!([{"op": "remove", "path": "active"}]))).is_error(400, "mutability");
    client.patch(&path, &replace("groups", json!([]))).is_error(400, "mutability");
    let gone = client.patch(&path, &patch(json!([{"op": "remove", "path": BLE}]))).is_done();
    assert_eq!((&gone[BLE], &gone["schemas"]), (&Value::Null, &json!([DEVICE])));
    assert_eq!(found(&format!("{PASSKEY}:key pr")), 0);

    let only = client.read(&format!("{path}?attributes=displayName"));
    assert_eq!(written(only, &[]), json!({"displayName": "BLE Heart Monitor"}));
    for (wrong, body) in [
        ("active is missing", json!({"schemas": [DEVICE], "displayName": "x"})),
        ("a number for a text", json!({"schemas": [DEVICE], "active": true, "displayName": 7})),
        ("no such attribute", json!({"schemas": [DEVICE], "active": true, "color": "red"})),
        (
            "an extension of users",
            json!({"schemas": [DEVICE, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"], "active": true}),
        ),
        ("the extension lacks what it needs", json!({"schemas": [DEVICE], "active": true, BLE: {"isRandom": true}})),
    ] {
        assert_eq!(client.post("/Devices", &body).status, 400, "{wrong}");
    }
    client.delete(&path).is(204);
    client.get(&path).is_error(404, "");
    client.get(&format!("/Users/{id}")).is_error(404, "");
}

#[test]
fn what_is_write_only_is_kept_and_never_told() {
    let (hub, _server, client) = devices();
    let voucher = "-----BEGIN OWNERSHIP VOUCHER-----";
    let mut device = figure(10);
    device[FDO]["fdoVoucher"] = voucher.into();
    let made = client.post("/Devices", &device);
    assert!(!made.text.contains(voucher), "{}", made.text);
    let id = text(&made.is(201), "id");
    let path = format!("/Devices/{id}");
    // Who changes something else need not bring it again.
    let renamed = client.patch(&path, &replace("displayName", "Renamed")).is_done();
    assert_eq!(renamed["schemas"], json!([DEVICE, FDO]));
    let put = client.put(&path, &json!({"schemas": [DEVICE], "active": true})).is(200);
    assert_eq!(put["schemas"], json!([DEVICE, FDO]));
    for asked in [format!("{path}?attributes={FDO}"), format!("{path}?attributes={FDO}:fdoVoucher")] {
        assert!(!client.get(&asked).text.contains(voucher));
    }
    for filter in [format!("{FDO}:fdoVoucher sw \"-\""), format!("{FDO}:fdoVoucher pr")] {
        client.get(&format!("/Devices?{}", support::filter(&filter))).is_error(403, "sensitive");
    }
    assert!(hub.bytes_on_disk().windows(voucher.len()).any(|window| window == voucher.as_bytes()));
    assert!(!hub.prints("log --org acme --json").contains(voucher));
    // Passwords are another matter: this server has no use for one.
    let mut ada = user("ada@acme.example");
    ada["password"] = "Correct-Horse-77".into();
    client.make("/Users", &ada);
    assert!(!hub.bytes_on_disk().windows(16).any(|window| window == b"Correct-Horse-77"));
}

#[test]
fn bulk_makes_devices_and_their_applications() {
    let (_hub, _server, client) = devices();
    let mut device = figure(12);
    device[APPS] = json!({"applications": [{"value": "bulkId:app"}]});
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Devices", "bulkId": "device", "data": device},
        {"method": "POST", "path": "/EndpointApps", "bulkId": "app", "data": figure(4)},
        {"method": "PATCH", "path": "/Devices/bulkId:device", "data": replace("displayName", "Renamed")},
    ]});
    let done = client.post("/Bulk", &bulk).is(200);
    let statuses: Vec<_> = done["Operations"].as_array().unwrap().iter().map(|one| text(one, "status")).collect();
    assert_eq!(statuses, ["201", "201", "200"], "{done}");
    let app = text(&client.find("/EndpointApps", "applicationName pr")[0], "id");
    let device = &client.find("/Devices", "displayName eq \"renamed\"")[0];
    assert_eq!(device[APPS]["applications"][0]["value"], json!(app));
}

#[test]
fn organisations_do_not_see_each_others_devices() {
    let (hub, server, client) = devices();
    let globex = hub.organisation(&server, "globex", "").client;
    let id = client.make("/Devices", &figure(5));
    let path = format!("/Devices/{id}");
    let nobody = "/Devices/00000000-0000-7000-8000-000000000000";
    let ask = |path: &str| {
        let change = replace("displayName", "stolen");
        [globex.get(path), globex.put(path, &figure(5)), globex.patch(path, &change), globex.delete(path)]
    };
    for (theirs, unknown) in ask(&path).iter().zip(ask(nobody)) {
        theirs.is_error(404, "");
        assert_eq!(theirs.text, unknown.text);
    }
    assert_eq!(globex.count("/Devices"), 0);
    assert_eq!(globex.find("/Devices", &format!("id eq \"{id}\"")).len(), 0);
    // The same address may stand in both, for it is no e-mail address of a person.
    globex.make("/Devices", &figure(5));
    assert_eq!(client.read(&path)["displayName"], "BLE Heart Monitor");
}

#[test]
fn what_holds_for_people_holds_for_nothing_else() {
    let hub = Hub::new();
    let server = serve(&hub, &["device"]);
    // Seats are counted in people, whom DELETE keeps out of sight here; devices are neither.
    let acme = hub.organisation(&server, "acme", "--seats 1 --edition second");
    let client = &acme.client;
    let ada = client.make("/Users", &user("ada@acme.example"));
    let devices: Vec<String> = (0..3).map(|_| client.make("/Devices", &figure(5))).collect();
    client.post("/Users", &named("ben")).is_error(403, "");
    client.delete(&format!("/Devices/{}", devices[0])).is(204);
    assert_eq!(client.count("/Devices"), 2);
    let again = client.make("/Devices", &figure(5));
    assert_ne!(again, devices[0], "it is another one, and not that one come back");
    // An account without a word about `active` gets one; a device has to say it.
    client.post("/Devices", &json!({"schemas": [DEVICE]})).is_error(400, "invalidValue");

    // Teams are of people.
    let made = client.make("/Groups", &team("Platform", &[&ada, &devices[1]]));
    assert_eq!(support::ids(&client.read(&format!("/Groups/{made}"))["members"]), [ada]);
    assert_eq!(client.read(&format!("/Devices/{}", devices[1]))["groups"], Value::Null);
    let log = hub.log("acme");
    assert!(log.iter().any(|entry| entry["target"]["resourceType"] == "Device" && entry["operation"] == "delete"));
}

#[test]
fn gadgets_are_data_too() {
    let hub = Hub::new();
    let server = serve(&hub, &["gadget"]);
    let client = server.first_client();
    let made = client.post("/Gadgets", &json!({"schemas": [GADGET], "name": "probe"})).is(201);
    let path = format!("/Gadgets/{}", text(&made, "id"));
    assert_eq!(client.find("/Gadgets", "name eq \"probe\"").len(), 1);
    client.patch(&path, &replace("name", "other")).is_done();
    client.delete(&path).is(204);
    // It is the one that the vectors speak of.
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/testkit/schemas");
    for name in ["Gadget.json", "GadgetBench.json", "ResourceType-Gadget.json"] {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(read(&shipped("gadget")), read(&vectors), "{name}");
    }
}

#[test]
fn roles_are_announced_where_they_are_served() {
    let hub = Hub::new();
    let server = hub.serve("");
    let config = server.first_client().read("/ServiceProviderConfig");
    assert_eq!(config["RolesAndEntitlements"], Value::Null);
    server.first_client().get("/Roles").is_error(404, "");
    let token = server.token();
    drop(server);

    let server = serve(&hub, &["roles", "device"]);
    let client = server.client(&token);
    let says = &client.read("/ServiceProviderConfig")["RolesAndEntitlements"];
    for (kind, many) in [("roles", "multipleRolesSupported"), ("entitlements", "multipleEntitlementsSupported")] {
        assert_eq!(says[kind]["supported"], true);
        // What is said of the users' attribute is so.
        assert_eq!((&says[kind][many], &says[kind]["primarySupported"]), (&json!(true), &json!(true)));
        let mut ada = named(kind);
        ada[kind] = json!([{"value": "a", "type": "x", "primary": true}, {"value": "b"}]);
        let ada = client.post("/Users", &ada).is(201);
        assert_eq!(ada[kind], json!([{"value": "a", "type": "x", "primary": true}, {"value": "b"}]));
    }
    assert_eq!(client.read("/ServiceProviderConfig")["patch"], json!({"supported": true}));

    let lead = json!({"schemas": [ROLE], "value": "global_lead", "display": "Global Team Lead", "supported": true,
        "contains": ["us_team_lead"], "totalAssignmentsUsed": 7});
    let made = client.post("/Roles", &lead).is(201);
    assert_eq!(written(made, &[]), written(lead.clone(), &[&["totalAssignmentsUsed"]]));
    client.post("/Roles", &json!({"schemas": [ROLE], "value": "x"})).is_error(400, "invalidValue");
    client.post("/Roles", &json!({"schemas": [ROLE], "supported": true})).is_error(400, "invalidValue");
    assert_eq!(client.find("/Roles", "contains eq \"us_team_lead\" and value sw \"GLOBAL\"").len(), 1);
    client.make(
        "/Entitlements",
        &json!({"schemas": [ENTITLEMENT], "value": "storage.limit_100gb", "type": "ResourceLimit"}),
    );
    assert_eq!(names(&client, "/ResourceTypes"), ["User", "Group", "Entitlement", "Role", "Device", "EndpointApp"]);
}

#[test]
fn one_of_two_types_says_that_the_other_is_not_there() {
    let hub = Hub::new();
    let own = hub.path().join("types");
    std::fs::create_dir(&own).unwrap();
    for name in ["Role.json", "ResourceType-Role.json"] {
        std::fs::copy(shipped("roles").join(name), own.join(name)).unwrap();
    }
    let server = hub.serve("--types types");
    let says = server.first_client().read("/ServiceProviderConfig")["RolesAndEntitlements"].clone();
    assert_eq!((&says["roles"]["supported"], &says["entitlements"]), (&json!(true), &json!({"supported": false})));
}

#[test]
fn folders_are_named_by_flag_environment_and_file() {
    let hub = Hub::new();
    let folder = shipped("device").display().to_string();
    std::fs::write(hub.path().join("hub.toml"), format!("types = ['{folder}']\n")).unwrap();
    for mut command in [hub.program("serve --json --listen 127.0.0.1:0 --config hub.toml"), {
        let mut command = hub.program("--json --listen 127.0.0.1:0");
        command.env("SECURECODINGHUB_TYPES", &folder);
        command
    }] {
        let server = hub.start(&mut command);
        server.client("").send_raw(Method::GET, "/ResourceTypes/Device", &[], None).is(200);
    }
    let error = String::from_utf8(hub.program("org list --types x").output().unwrap().stderr).unwrap();
    assert!(error.contains("--types"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error_at_the_start_that_names_the_file() {
    let hub = Hub::new();
    let own = hub.path().join("own");
    std::fs::create_dir(&own).unwrap();
    let refuses = |expected: &[&str]| {
        let error = hub.refuses("serve --listen 127.0.0.1:0 --types own");
        for words in expected {
            assert!(error.contains(words), "{error}");
        }
    };
    refuses(&["there is no .json file in `own`"]);
    std::fs::write(own.join("crew.json"), "{\"id\": ").unwrap();
    refuses(&["own/crew.json", "is not JSON", "line 1"]);
    std::fs::write(
        own.join("crew.json"),
        json!({"id": "urn:x:y", "attributes": [{"name": "a", "type": "bool"}]}).to_string(),
    )
    .unwrap();
    refuses(&["own/crew.json", "unknown variant `bool`"]);
    std::fs::remove_file(own.join("crew.json")).unwrap();
    let crew = |name: &str, endpoint: &str| {
        let json = json!({"name": name, "endpoint": endpoint, "schema": "urn:ietf:params:scim:schemas:core:2.0:User"});
        std::fs::write(own.join("type.json"), json.to_string()).unwrap();
    };
    crew("Crew", "/Users");
    refuses(&["own/type.json", "its name or endpoint is in the catalog already"]);
    crew("User~retired", "/Crews");
    refuses(&["own/type.json", "its name is not"]);
    crew("Crew", "/Bulk");
    refuses(&["own/type.json", "another meaning"]);
    assert!(hub.refuses("serve --listen 127.0.0.1:0 --types nowhere").contains("cannot read `nowhere`"));
    // Nothing was begun that would have shown its token to nobody.
    assert!(!hub.database().exists());
}

#[test]
fn an_index_that_comes_later_would_miss_what_is_there() {
    let hub = Hub::new();
    let own = hub.path().join("types");
    std::fs::create_dir(&own).unwrap();
    let crew = |exact: bool, indexes: &[&str]| {
        let schema =
            json!({"id": "urn:x:crew", "attributes": [{"name": "ship", "caseExact": exact}, {"name": "port"}]});
        let of_type = json!({"name": "Crew", "endpoint": "/Crews", "schema": "urn:x:crew",
            "urn:scimwright:hints:1.0:ResourceType": {"indexes": indexes}});
        std::fs::write(own.join("crew.json"), json!([schema, of_type]).to_string()).unwrap();
    };
    crew(false, &["ship"]);
    let server = hub.serve("--types types");
    let token = server.token();
    drop(server);
    // Nobody has written one yet.
    crew(true, &["ship", "port"]);
    let server = hub.serve("--types types");
    let again = server.client(&token);
    again.make("/Crews", &json!({"schemas": ["urn:x:crew"], "ship": "Pequod", "port": "Nantucket"}));
    assert_eq!(again.find("/Crews", "port eq \"nantucket\"").len(), 1);
    drop(server);

    let refuses = || {
        let error = hub.refuses("serve --listen 127.0.0.1:0 --types types");
        assert!(error.contains("resource type `Crew` has resources that were written without the index"), "{error}");
    };
    crew(false, &["ship", "port"]);
    refuses();
    crew(true, &["ship", "port"]);
    hub.serve("--types types");
    // What goes is forgotten, for what is written meanwhile is not in it.
    crew(true, &["ship"]);
    hub.serve("--types types");
    crew(true, &["ship", "port"]);
    refuses();
}

#[test]
fn no_source_names_a_type_that_is_data() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = Vec::new();
    for package in ["crates", "examples"] {
        for entry in std::fs::read_dir(root.join(package)).unwrap() {
            let folder = entry.unwrap().path();
            // The vectors, which are tests, speak of gadgets.
            if !folder.ends_with("testkit") {
                collect(&folder.join("src"), &mut sources);
            }
        }
    }
    assert!(sources.len() > 100, "only {}", sources.len());
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for name in ["Device", "EndpointApp", "Gadget", "Entitlement"] {
            assert!(!code.contains(name), "{} names {name}", path.display());
        }
    }
}

/// The Rust sources below a folder, those of tests left out.
fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            sources.push(path);
        }
    }
}
