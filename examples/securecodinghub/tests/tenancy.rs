//! Many organisations in one server: what belongs to one does not exist for the others.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::{Client, Hub, at_once, join, named, patch, replace, sorted, tally, team, user};

#[test]
fn the_token_alone_tells_the_organisation() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let globex = hub.organisation(&server, "globex", "");

    // A name that is no address may stand in each of them.
    let in_acme = acme.client.make("/Users", &named("ada"));
    let in_globex = globex.client.make("/Users", &named("ada"));
    assert_ne!(in_acme, in_globex);
    let team_of_acme = acme.client.make("/Groups", &team("Platform", &[]));
    let team_of_globex = globex.client.make("/Groups", &team("Platform", &[]));
    assert_ne!(team_of_acme, team_of_globex);

    for (client, user, group) in
        [(&acme.client, &in_acme, &team_of_acme), (&globex.client, &in_globex, &team_of_globex)]
    {
        let listed = |path: &str| -> Vec<Value> {
            let list = client.read(path);
            assert_eq!(list["totalResults"], 1, "{list}");
            list["Resources"].as_array().unwrap().iter().map(|resource| resource["id"].clone()).collect()
        };
        assert_eq!(listed("/Users"), [json!(user)]);
        assert_eq!(listed("/Groups"), [json!(group)]);
        assert_eq!(client.find("/Users", "userName eq \"ADA\"")[0]["id"], json!(user));
    }
    assert_eq!(server.first_client().count("/Users"), 0);
}

/// Proves: AU-3.
#[test]
fn ids_of_another_organisation_are_as_good_as_none() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let globex = hub.organisation(&server, "globex", "");
    let ada = acme.client.make("/Users", &user("ada@acme.example"));
    let platform = acme.client.make("/Groups", &team("Platform", &[&ada]));
    let before = (acme.client.read(&format!("/Users/{ada}")), acme.client.read(&format!("/Groups/{platform}")));

    let nobody = "00000000-0000-7000-8000-000000000000";
    for (kind, id, body) in [("Users", &ada, user("eve@globex.example")), ("Groups", &platform, team("Stolen", &[]))] {
        let (theirs, unknown) = (format!("/{kind}/{id}"), format!("/{kind}/{nobody}"));
        let change = replace("externalId", "stolen");
        let ask = |path: &str| {
            let client = &globex.client;
            [client.get(path), client.put(path, &body), client.patch(path, &change), client.delete(path)]
        };
        for (answer, unknown) in ask(&theirs).iter().zip(ask(&unknown)) {
            answer.is_error(404, "");
            // Not a word differs from what is said of an id that nobody has.
            assert_eq!(answer.text, unknown.text);
        }
        assert_eq!(globex.client.find(&format!("/{kind}"), &format!("id eq \"{id}\"")).len(), 0);
    }
    assert_eq!(globex.client.find("/Groups", &format!("members.value eq \"{ada}\"")).len(), 0);
    let after = (acme.client.read(&format!("/Users/{ada}")), acme.client.read(&format!("/Groups/{platform}")));
    assert_eq!(after, before);
}

#[test]
fn an_e_mail_that_another_organisation_has_is_a_conflict_that_says_nothing_of_it() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let globex = hub.organisation(&server, "globex", "");
    let ada = acme.client.make("/Users", &user("ada@corp.example"));
    // One whom acme manages, and one whom acme has by hand and so could link itself.
    hub.invite("acme", "ben@corp.example");
    let own = globex.client.make("/Users", &user("own@corp.example"));

    let within = globex.client.post("/Users", &user("OWN@corp.example"));
    within.is_error(409, "uniqueness");
    for taken in ["ada@corp.example", "ADA@Corp.Example", "ben@corp.example"] {
        let mut by_e_mail = user(taken);
        by_e_mail["userName"] = "somebody".into();
        for answer in [
            globex.client.post("/Users", &user(taken)),
            globex.client.post("/Users", &by_e_mail),
            globex.client.patch(&format!("/Users/{own}"), &replace("userName", taken)),
            globex.client.patch(&format!("/Users/{own}"), &replace("emails[type eq \"work\"].value", taken)),
            globex.client.put(&format!("/Users/{own}"), &by_e_mail),
        ] {
            answer.is_error(409, "uniqueness");
            for tells in ["acme", &acme.id, &ada, &acme.token_id, "organi", "tenant"] {
                assert!(!answer.text.to_lowercase().contains(tells), "{}", answer.text);
            }
        }
    }
    let log = hub.log("globex");
    assert_eq!(log.iter().filter(|entry| entry["status"] == 409).count(), 16);
    for entry in &log {
        let entry = entry.to_string();
        assert!(!entry.contains("acme") && !entry.contains(&acme.id) && !entry.contains(&ada), "{entry}");
    }
    assert_eq!(globex.client.count("/Users"), 1);
    assert_eq!(globex.client.read(&format!("/Users/{own}"))["userName"], "own@corp.example");
    assert_eq!(hub.log("acme").len(), 2, "acme hears nothing of it");
}

#[test]
fn two_organisations_that_race_for_one_e_mail_get_one_user() {
    let hub = Hub::new();
    let server = hub.serve("");
    let organisations = [hub.organisation(&server, "acme", ""), hub.organisation(&server, "globex", "")];
    for round in 0..20 {
        let (lower, upper) = (format!("ada{round}@corp.example"), format!("ADA{round}@CORP.example"));
        let answers = at_once(2, |number| {
            organisations[number].client.post("/Users", &user(if number == 0 { &lower } else { &upper }))
        });
        assert_eq!(tally(&answers), "201: 1, 409: 1", "round {round}");
    }
    let count = |client: &Client| client.count("/Users");
    assert_eq!(count(&organisations[0].client) + count(&organisations[1].client), 20);
}

#[test]
fn people_of_another_organisation_do_not_join_a_team() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let globex = hub.organisation(&server, "globex", "");
    let ada = acme.client.make("/Users", &user("ada@acme.example"));
    let platform = acme.client.make("/Groups", &team("Platform", &[&ada]));
    let own = globex.client.make("/Users", &user("own@globex.example"));

    let made = globex.client.make("/Groups", &team("Made", &[&ada, &own]));
    globex.client.patch(&format!("/Groups/{made}"), &join(&[&ada])).is_done();
    globex.client.put(&format!("/Groups/{made}"), &team("Made", &[&ada, &own])).is(200);
    let members = |client: &Client, group: &str| support::ids(&client.read(&format!("/Groups/{group}"))["members"]);
    assert_eq!(members(&globex.client, &made), sorted(&[&own]));
    assert_eq!(members(&acme.client, &platform), sorted(&[&ada]), "she has not left her team");

    hub.prints("org set globex --profile strict");
    globex.client.patch(&format!("/Groups/{made}"), &join(&[&ada])).is_error(400, "invalidValue");
    globex.client.patch(&format!("/Groups/{platform}"), &join(&[&own])).is_error(404, "");
    assert_eq!(members(&acme.client, &platform), sorted(&[&ada]));
}

#[test]
fn scim_switched_off_is_403_for_that_organisation_alone() {
    let hub = Hub::new();
    let server = hub.serve("");
    let acme = hub.organisation(&server, "acme", "");
    let globex = hub.organisation(&server, "globex", "");
    let ada = acme.client.make("/Users", &user("ada@acme.example"));

    hub.prints("org set acme --scim off");
    let ada_path = format!("/Users/{ada}");
    for answer in [
        acme.client.get("/Users"),
        acme.client.get(&ada_path),
        acme.client.post("/Users", &user("ben@acme.example")),
        acme.client.put(&ada_path, &user("ada@acme.example")),
        acme.client.patch(&ada_path, &replace("active", false)),
        acme.client.delete(&ada_path),
        acme.client.get("/Groups"),
        acme.client.patch("/Groups/none", &patch(json!([]))),
        acme.client.get("/Nothing"),
    ] {
        answer.is_error(403, "");
    }
    globex.client.make("/Users", &user("own@globex.example"));

    hub.prints("org set acme --scim on");
    assert_eq!(acme.client.read(&ada_path)["active"], true);
    assert_eq!(acme.client.count("/Users"), 1);
}

#[test]
fn each_organisation_has_its_own_log_seats_and_policies() {
    let hub = Hub::new();
    let server = hub.serve("");
    let small = hub.organisation(&server, "small", "--seats 1");
    let large = hub.organisation(&server, "large", "--edition second");
    let one_of_small = small.client.make("/Users", &user("one@small.example"));
    small.client.post("/Users", &user("two@small.example")).is_error(403, "");
    let one_of_large = large.client.make("/Users", &user("one@large.example"));
    large.client.make("/Users", &user("two@large.example"));

    // The first edition removes the deleted, the second keeps them out of sight.
    small.client.delete(&format!("/Users/{one_of_small}")).is(204);
    assert_ne!(small.client.make("/Users", &user("one@small.example")), one_of_small);
    large.client.delete(&format!("/Users/{one_of_large}")).is(204);
    assert_eq!(large.client.post("/Users", &user("one@large.example")).is(200)["id"], json!(one_of_large));

    let brief = |organisation: &str| -> Vec<String> {
        let log = hub.log(organisation);
        log.iter()
            .map(|entry| format!("{} {} {}", entry["position"], entry["operation"].as_str().unwrap(), entry["status"]))
            .collect()
    };
    assert_eq!(brief("small"), ["1 create 201", "2 create 403", "3 delete 204", "4 create 201"]);
    assert_eq!(brief("large"), ["1 create 201", "2 create 201", "3 delete 204", "4 link 200"]);
    assert_eq!(brief("default"), Vec::<String>::new());
    assert!(hub.log("small").iter().all(|entry| entry["actor"] == json!(small.token_id)));
}
