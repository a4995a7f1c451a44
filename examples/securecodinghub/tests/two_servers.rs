//! Two servers on one database, both under load: what one has promised the other keeps.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;

use scimwright_store::{ChainHash, Event, TenantId};
use serde_json::{Value, json};
use support::{Answer, Client, Hub, Organisation, Server, at_once, ids, join, named, team, user};

/// A database of each kind that there is here.
fn hubs() -> Vec<Hub> {
    [Some(Hub::on_a_file()), Hub::on_postgres(), Hub::through_a_pooler()].into_iter().flatten().collect()
}

/// The organisation's clients at the two servers, in turn.
fn clients(servers: &[Server; 2], organisation: &Organisation) -> [Client; 2] {
    [servers[0].client(&organisation.token), servers[1].client(&organisation.token)]
}

/// How often each of the addresses was given to somebody.
fn made(answers: &[(String, Answer)]) -> BTreeMap<&str, usize> {
    let mut made = BTreeMap::new();
    for (email, _) in answers.iter().filter(|(_, answer)| answer.status == 201) {
        *made.entry(email.as_str()).or_default() += 1;
    }
    made
}

/// Reads the whole log as an auditor does, and checks its chain by nothing but what stands in it.
fn audit(hub: &Hub, organisation: &Organisation) -> Vec<Value> {
    let log = hub.log(&organisation.name);
    let tenant: TenantId = organisation.id.parse().unwrap();
    let mut hash = ChainHash::first(&tenant);
    for (at, entry) in log.iter().enumerate() {
        let position = at as u64 + 1;
        assert_eq!(entry["position"], position, "there is no gap");
        let event: Event = serde_json::from_value(entry.clone()).unwrap();
        hash = hash.next(position, &event);
        assert_eq!(entry["hash"], hash.to_string(), "entry {position} follows from the one before");
    }
    log
}

#[test]
fn nobody_is_lost_doubled_or_too_many_under_load_on_both() {
    const SEATS: usize = 15;
    for hub in hubs() {
        let servers = [hub.serve(""), hub.serve("")];
        let acme = hub.organisation(&servers[0], "acme", &format!("--seats {SEATS}"));
        let globex = hub.organisation(&servers[1], "globex", "");
        let everyone = globex.client.make("/Groups", &team("Everyone", &[]));
        let (full, open) = (clients(&servers, &acme), clients(&servers, &globex));

        let answers: Vec<Vec<(String, Answer)>> = at_once(8, |thread| {
            let (full, open) = (&full[thread % 2], &open[thread % 2]);
            let mut answers = Vec::new();
            for number in 0..10 {
                // Each of these addresses is wanted by several threads, at both servers and in both organisations.
                let wanted = format!("wanted{}@corp.example", (thread / 2 * 5 + number) % 20);
                let client = if (thread + number) % 4 < 2 { full } else { open };
                answers.push((wanted.clone(), client.post("/Users", &user(&wanted))));
                let own = format!("own{thread}.{number}@corp.example");
                let who = open.make("/Users", &user(&own));
                assert!(matches!(open.patch(&format!("/Groups/{everyone}"), &join(&[&who])).status, 200 | 204));
                answers.push((who, open.get(&format!("/Users/{}", "nobody"))));
                answers.push((String::new(), full.post("/Users", &named(&format!("guest {thread} {number}")))));
            }
            answers
        });
        let answers: Vec<(String, Answer)> = answers.into_iter().flatten().collect();

        for (email, times) in made(&answers).into_iter().filter(|(email, _)| !email.is_empty()) {
            assert_eq!(times, 1, "{email} is one person");
        }
        let unexpected: Vec<_> =
            answers.iter().filter(|(_, answer)| ![201, 403, 404, 409].contains(&answer.status)).collect();
        assert!(unexpected.is_empty(), "{:?}", unexpected.iter().map(|(_, answer)| &answer.text).collect::<Vec<_>>());
        for client in &full {
            assert_eq!(client.count("/Users"), SEATS as u64, "every seat is taken, and no more");
        }
        let mut joined: Vec<String> =
            answers.iter().filter(|(_, answer)| answer.status == 404).map(|(who, _)| who.clone()).collect();
        joined.sort_unstable();
        assert_eq!(joined.len(), 80);
        for client in &open {
            assert_eq!(ids(&client.read(&format!("/Groups/{everyone}"))["members"]), joined);
        }

        let log = audit(&hub, &acme);
        let creates = log.iter().filter(|entry| entry["operation"] == "create" && entry["status"] == 201).count();
        assert_eq!(creates, SEATS);
        let joins = audit(&hub, &globex);
        let joins = joins.iter().flat_map(|entry| entry["joined"].as_array().cloned().unwrap_or_default());
        assert_eq!(joins.count(), 80, "each has joined once");
    }
}

#[test]
fn what_happens_at_one_holds_at_the_other_at_once() {
    for hub in hubs() {
        let servers = [hub.serve(""), hub.serve("")];
        let acme = hub.organisation(&servers[0], "acme", "");
        let [here, there] = clients(&servers, &acme);
        for round in 0..10 {
            let made = hub.json("token create --org acme");
            let (id, secret) = (support::text(&made, "id"), support::text(&made, "token"));
            let [own_here, own_there] = [here.with_token(&secret), there.with_token(&secret)];
            let ada = own_here.make("/Users", &user(&format!("ada{round}@corp.example")));
            assert_eq!(own_there.read(&format!("/Users/{ada}"))["id"], json!(ada));
            own_there.patch(&format!("/Users/{ada}"), &support::replace("title", "Dr")).is_done();
            assert_eq!(own_here.read(&format!("/Users/{ada}"))["title"], "Dr");
            hub.prints(&format!("token revoke --org acme {id}"));
            own_there.get("/Users?count=1").is_error(401, "");
            own_here.get("/Users?count=1").is_error(401, "");
        }
        hub.prints("org set acme --scim off");
        there.get("/Users?count=1").is_error(403, "");
        hub.prints("org set acme --scim on");
        here.read("/Users?count=1");

        // A walk through a list that changes servers at every page.
        let mut cursor = String::new();
        let mut seen = Vec::new();
        for client in [&here, &there].into_iter().cycle() {
            let page = client.read(&format!("/Users?attributes=userName&sortBy=userName&count=3&cursor={cursor}"));
            seen.extend(page["Resources"].as_array().unwrap().iter().map(|user| support::text(user, "userName")));
            match page.get("nextCursor") {
                Some(next) => cursor = next.as_str().unwrap().to_owned(),
                None => break,
            }
        }
        let wanted: Vec<String> = (0..10).map(|round| format!("ada{round}@corp.example")).collect();
        assert_eq!(seen, wanted);
        audit(&hub, &acme);
    }
}
