//! Where the settings of a server come from.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::json;
use support::{Hub, named, text};

#[test]
fn settings_come_from_flags_over_environment_over_file() {
    let hub = Hub::new();
    let file = "listen = '127.0.0.1:0'\ndatabase = 'from-file.db'\ndiscovery = 'token'\npublic_url = 'https://file.example'\n\
                edition = 'second'\nmax_body = 2097152\nrate_limit = 'off'\ndrain_seconds = 1\ngroup_reply_limit = 1\n";
    std::fs::write(hub.path().join("hub.toml"), file).unwrap();

    // Everything from the file, which the environment names.
    let server = hub.start(hub.program("--json").env("SECURECODINGHUB_CONFIG", "hub.toml"));
    assert_eq!(server.base(), "https://file.example/api/sch/scim/v2");
    assert_eq!(server.greeting()["database"], "from-file.db");
    let client = server.first_client();
    client.with_token("wrong").get("/Schemas").is_error(401, "");
    let made = client.post("/Users", &named("ada"));
    let id = text(&made.is(201), "id");
    assert_eq!(made.header("location"), format!("https://file.example/api/sch/scim/v2/Users/{id}"));
    let mut large = named("large");
    large["title"] = "x".repeat(2 << 20).into();
    client.post("/Users", &large).is_error(413, "");
    let pair = client.make("/Groups", &support::team("Pair", &[&id]));
    let ben = client.make("/Users", &named("ben"));
    assert_eq!(client.patch(&format!("/Groups/{pair}"), &support::join(&[&ben])).status, 204);
    client.delete(&format!("/Users/{id}")).is(204);
    assert_eq!(client.post("/Users", &named("ada")).is(200)["id"], json!(id), "policies of the second edition");
    drop(server);

    // The environment over the file, a flag over both.
    let mut command = hub.program("serve --json --config hub.toml --public-url https://flag.example");
    command.env("SECURECODINGHUB_PUBLIC_URL", "https://environment.example").env("SECURECODINGHUB_DISCOVERY", "public");
    let server = hub.start(&mut command);
    assert_eq!(server.base(), "https://flag.example/api/sch/scim/v2");
    server.client("wrong").read("/Schemas");
    assert_eq!(
        server.client("wrong").read("/ServiceProviderConfig")["meta"]["location"],
        "https://flag.example/api/sch/scim/v2/ServiceProviderConfig"
    );
}

#[test]
fn a_setting_that_nobody_knows_stops_the_server() {
    let hub = Hub::new();
    let serve = "serve --listen 127.0.0.1:0";
    let output = hub.program(serve).env("SECURECODINGHUB_RATELIMIT", "off").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `SECURECODINGHUB_RATE_LIMIT`?"));
    std::fs::write(hub.path().join("hub.toml"), "drain = 3\n").unwrap();
    let error = hub.refuses(&format!("{serve} --config hub.toml"));
    assert!(error.contains("`drain`, which is in `hub.toml`: did you mean `drain_seconds`?"), "{error}");
    std::fs::write(hub.path().join("hub.toml"), "drain_seconds = 'soon'\n").unwrap();
    let error = hub.refuses(&format!("{serve} --config hub.toml"));
    assert!(error.contains("drain_seconds"), "{error}");
    assert_eq!(hub.run(&format!("{serve} --ratelimit off")).status.code(), Some(2));
    assert!(!hub.database().exists(), "nothing was begun");
}
