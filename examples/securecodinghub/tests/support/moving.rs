//! An organisation with something of everything, two databases, and the way between them.

use std::path::Path;

use securecodinghub::database::{Database, Opened};
use securecodinghub::operations::OperationError;
use securecodinghub::operations::moving::{Road, Step};
use serde_json::{Value, json};

use super::{Hub, Organisation, Server, join, named, team, text, user};

pub const STEPS: [Step; 6] = [Step::Closed, Step::Listed, Step::Copied, Step::Compared, Step::Opened, Step::Marked];

/// An organisation with people, one who was deleted, a team, an extension, a checkpoint, and two tokens.
pub fn acme(hub: &Hub, server: &Server) -> Organisation {
    let acme = hub.organisation(server, "acme", "--edition second --seats 10");
    let ada = acme.client.make("/Users", &user("ada@acme.example"));
    let ben = acme.client.make("/Users", &user("ben@acme.example"));
    let eve = acme.client.make("/Users", &named("eve"));
    hub.prints("audit retain --org acme --keep 0");
    let crew = acme.client.make("/Groups", &team("Crew", &[&ada]));
    acme.client.patch(&format!("/Groups/{crew}"), &join(&[&ben])).is_done();
    acme.client.delete(&format!("/Users/{eve}")).is(204);
    let badge = json!({"id": "urn:acme:badge", "name": "Badge", "attributes": [{"name": "number", "type": "string"}]});
    std::fs::write(hub.path().join("badge.json"), badge.to_string()).unwrap();
    hub.prints("extension add --org acme badge.json");
    acme
}

/// An entry of the log without its place, which those before it have moved.
pub fn plain(mut entry: Value) -> Value {
    for moved in ["position", "hash"] {
        entry.as_object_mut().unwrap().remove(moved).unwrap();
    }
    entry
}

/// Everything that a client and an auditor see.
pub fn seen(hub: &Hub, server: &Server, acme: &Organisation, flags: &str) -> Value {
    let client = server.client(&acme.token);
    let with_meta = |path: &str| {
        let mut list = client.read(path)["Resources"].clone();
        // The address of the server is another one.
        for resource in list.as_array_mut().unwrap() {
            let location = text(&resource["meta"], "location");
            resource["meta"]["location"] = location.rsplit_once("/scim/v2").unwrap().1.into();
            for member in resource.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten() {
                member["$ref"] = Value::Null;
            }
            for group in resource.get_mut("groups").and_then(Value::as_array_mut).into_iter().flatten() {
                group["$ref"] = Value::Null;
            }
        }
        list
    };
    let mut tokens = hub.json(&format!("token list --org acme {flags}"));
    for token in tokens.as_array_mut().unwrap() {
        // Written a moment after it is used.
        token["lastUsed"] = Value::Null;
    }
    // That it was closed and opened again stands in the log.
    hub.prints(&format!("audit verify --org acme {flags}"));
    let log = hub.prints(&format!("log --org acme --json {flags}"));
    let log = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let log: Vec<_> =
        log.filter(|entry| entry["operation"] != "close" && entry["operation"] != "open").map(plain).collect();
    json!({
        "users": with_meta("/Users"), "groups": with_meta("/Groups"), "tokens": tokens,
        "log": log,
        "extensions": hub.json(&format!("extension list --org acme {flags}")),
    })
}

/// Both databases, and the way between them.
pub struct Case {
    pub runtime: tokio::runtime::Runtime,
    pub from: Opened,
    pub to: Opened,
}

impl Case {
    pub fn new(hub: &Hub) -> Self {
        Self::between(hub.path(), "securecodinghub.db", "other.db")
    }

    /// With other files in that folder.
    pub fn between(folder: &Path, from: &str, to: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let open = |file: &str| runtime.block_on(Database::File(folder.join(file)).open()).unwrap();
        let (from, to) = (open(from), open(to));
        Self { runtime, from, to }
    }

    pub fn road(&self) -> Road<'_> {
        Road { from: &self.from, to: &self.to, here: "here".into(), there: "there".into() }
    }

    /// Moves it until that step is done.
    pub fn travel(&self, until: Option<Step>) -> Result<(), OperationError> {
        let acme = self.runtime.block_on(self.from.directory.organisation("acme")).unwrap();
        let mut crash = |step| match until {
            Some(last) if last == step => Err(OperationError::Overtaken),
            _ => Ok(()),
        };
        self.runtime.block_on(self.road().travel(&acme, &mut crash))
    }

    pub fn erase(&self) -> Result<(), OperationError> {
        let acme = self.runtime.block_on(self.from.directory.organisation("acme")).unwrap();
        self.runtime.block_on(self.road().erase(&acme))
    }

    pub fn undo(&self) -> Result<(), OperationError> {
        let acme = self.runtime.block_on(self.from.directory.organisation("acme")).unwrap();
        self.runtime.block_on(self.road().undo(&acme))
    }
}

/// Where the token is let in.
pub fn open_at(servers: &[&Server], acme: &Organisation) -> Vec<u16> {
    servers.iter().map(|server| server.client(&acme.token).get("/Users").status).collect()
}
