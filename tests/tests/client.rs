//! The client against our own server, in process.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use pollster::block_on;
use scimwright_client::{Client, ETag, Error, Paging, SortOrder, Transport, TransportError, diff};
use scimwright_core::{Catalog, Group, Resource, ResourceType, ScimType, User, urns};
use scimwright_http::Scim;
use scimwright_tests::{BASE, BENCH, GADGET, Server, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

/// No wire: the request is handed over.
#[derive(Debug)]
struct InProcess(Scim);

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, TransportError> {
        let (parts, body) = self.0.handle(request.map(Full::new)).await.into_parts();
        let body = body.collect().await.unwrap_or_else(|never| match never {}).to_bytes();
        if body.len() > limit { Err(TransportError::too_large()) } else { Ok(Response::from_parts(parts, body)) }
    }
}

fn client_as(server: &Server, token: &str) -> Client {
    Client::builder(BASE).bearer(token).build_over(InProcess(server.scim().clone())).unwrap()
}

fn client(server: &Server) -> Client {
    client_as(server, "acme")
}

#[test]
fn a_user_is_made_read_replaced_and_removed() {
    on_every_store(|server| {
        let users = client(server).users();
        let mut new = User::default();
        new.user_name = "ada".to_owned();
        new.title = Some("Ms".to_owned());
        let made = block_on(users.create(&new)).unwrap();
        assert_eq!(made.location, Some(format!("{BASE}/Users/{}", made.resource.id)));
        let id = made.resource.id.as_str();

        let read = block_on(users.get(id)).unwrap();
        assert_eq!((&read.resource, &read.version), (&made.resource, &made.version));
        let only = block_on(users.get(id).attributes(["userName"])).unwrap().resource;
        assert_eq!((only.user_name.as_str(), only.title), ("ada", None));
        let version = read.version.unwrap();
        assert_eq!(block_on(users.get_unless(id, &version)).unwrap(), None);

        let mut other = read.resource;
        other.title = None;
        other.nick_name = Some("Ada".to_owned());
        let replaced = block_on(users.replace(id, &other).if_match(&version)).unwrap();
        assert_eq!((replaced.resource.title, replaced.resource.nick_name.as_deref()), (None, Some("Ada")));
        assert_ne!(replaced.version, Some(version.clone()));

        // Whoever comes with an old version is refused, and nothing happens.
        let stale = |done: Result<(), Error>| assert_eq!(done.unwrap_err().status(), Some(412));
        stale(block_on(users.replace(id, &other).if_match(&version)).map(drop));
        stale(block_on(users.delete(id).if_match(&version)));
        block_on(users.delete(id).if_match(&replaced.version.unwrap())).unwrap();
        assert_eq!(block_on(users.get(id)).unwrap_err().status(), Some(404));
    });
}

#[test]
fn refusals_are_told_with_their_type() {
    on_every_store(|server| {
        let users = client(server).resources::<Value>("/Users").schema(urns::USER);
        block_on(users.create(&json!({"userName": "ada"}))).unwrap();
        let refused = |done: Result<(), Error>| {
            let error = done.unwrap_err();
            let refusal = error.refusal().unwrap_or_else(|| panic!("{error}"));
            assert!(refusal.detail.as_ref().is_some_and(|detail| !detail.is_empty()));
            (refusal.status, refusal.kind())
        };
        let create = |body: Value| refused(block_on(users.create(&body)).map(drop));
        assert_eq!(create(json!({"userName": "ADA"})), (409, Some(ScimType::Uniqueness)));
        assert_eq!(create(json!({"title": "t"})), (400, Some(ScimType::InvalidValue)));
        let query = users.list().filter("userName xx 1");
        assert_eq!(refused(block_on(query.all().collect()).map(drop)), (400, Some(ScimType::InvalidFilter)));
        let nobody = client_as(server, "nobody").users();
        assert_eq!(refused(block_on(nobody.get("1")).map(drop)), (401, None));
        let busy = client_as(server, "busy").users();
        let error = block_on(busy.get("1")).unwrap_err();
        assert_eq!(error.refusal().unwrap().retry_after.unwrap().as_secs(), 7);
    });
}

#[test]
fn every_page_of_250_users_comes_whichever_way() {
    on_every_store(|server| {
        let client = client(server);
        let users = client.users();
        let mut names: Vec<String> = (0..250).map(|number| format!("u{number:03}")).collect();
        for name in &names {
            server.create("/Users", user(name));
        }
        let all = |query: scimwright_client::Query<User>| {
            let mut pages = query.clone().page_size(7).pages();
            let mut sizes = Vec::new();
            while let Some(page) = block_on(pages.next()) {
                sizes.push(page.unwrap().resources.len());
            }
            assert_eq!((sizes.len(), sizes.last()), (36, Some(&5)));
            let all = block_on(query.page_size(7).all().collect()).unwrap();
            assert!(all.iter().all(|one| one.version.is_some() && one.location.is_some()));
            all.into_iter().map(|one| one.resource.user_name).collect::<Vec<_>>()
        };
        for paging in [Paging::Index, Paging::Cursor, Paging::Announced] {
            assert_eq!(all(users.list().paging(paging)), names, "{paging:?}");
            assert_eq!(all(users.search().paging(paging)), names, "{paging:?} by POST");
            assert_eq!(all(client.search().filter("userName pr").paging(paging)), names, "{paging:?} at the root");
        }
        names.reverse();
        let sorted = users.list().sort_by("userName").sort_order(SortOrder::Descending);
        for paging in [Paging::Index, Paging::Cursor] {
            assert_eq!(all(sorted.clone().paging(paging)), names, "{paging:?} sorted");
        }
        let some = users.list().filter("userName sw \"u00\"").attributes(["userName"]).page_size(3);
        assert_eq!(block_on(some.all().collect()).unwrap().len(), 10);
        assert_eq!(block_on(users.list().count()).unwrap(), 250);
        let found = block_on(users.list().filter("userName eq \"u123\"").first()).unwrap().unwrap();
        assert_eq!(found.resource.user_name, "u123");
        // A page that is larger than the server's largest is the server's largest, or refused, but never a part of the
        // whole.
        assert_eq!(block_on(users.list().paging(Paging::Index).page_size(100_000).all().collect()).unwrap().len(), 250);
    });
}

/// Sends the difference, and reads what is there then. Tells how many operations that took.
#[track_caller]
fn patched(client: &Client, of: &ResourceType, before: Value, change: impl Fn(&mut Resource)) -> usize {
    let resources = client.resources_of(of);
    let before = block_on(resources.create(&before)).unwrap().admit(of).unwrap();
    let mut after = before.resource.clone();
    change(&mut after);
    let patch = diff(of, &before.resource, &after).unwrap().unwrap_or_else(|| panic!("nothing to do"));
    let id = before.resource.id().to_owned();
    let done = block_on(resources.patch(&id, &patch).if_match(&before.version.unwrap())).unwrap();
    let read = block_on(resources.get(&id)).unwrap();
    assert_eq!(done.version, read.version);
    let now = read.admit(of).unwrap().resource;
    // The same patch again asks for nothing, and neither does the state that was wanted.
    assert_eq!(diff(of, &now, &after).unwrap(), None, "{}", patch.to_json());
    patch.operations().len()
}

#[test]
fn the_difference_as_a_patch_gives_the_state_that_was_wanted() {
    on_every_store(|server| {
        let client = client(server);
        let catalog = block_on(client.catalog()).unwrap();
        let types = |name: &str| catalog.resource_type(name).unwrap().clone();
        let (users, groups, gadgets) = (types("User"), types("Group"), types("Gadget"));

        let ada = with(
            user("ada"),
            json!({"title": "Ms", "name": {"givenName": "Ada", "familyName": "Byron"}, "active": true,
            "emails": [{"value": "ada@work.example", "type": "work", "primary": true}, {"value": "ada@home.example", "type": "home"}],
            urns::ENTERPRISE_USER: {"department": "Engines", "costCenter": "1"}}),
        );
        let operations = patched(&client, &users, ada, |after| {
            after.take("title");
            after.put("active", json!(false));
            after.put("name", json!({"givenName": "Ada", "familyName": "Lovelace"}));
            after.put("emails", json!([{"value": "ada@work.example", "type": "work"}, {"value": "ada@home.example", "type": "home", "primary": true}]));
            after.take(urns::ENTERPRISE_USER);
        });
        assert_eq!(operations, 5);

        let ids: Vec<String> =
            ["m1", "m2", "m3"].map(|name| server.create("/Users", user(name)).id().to_owned()).into();
        let operations = patched(&client, &groups, group("g", &[&ids[0], &ids[1]]), |after| {
            after.put("displayName", json!("h"));
            after.put("members", json!([{"value": ids[1]}, {"value": ids[2]}]));
        });
        assert_eq!(operations, 3);

        let arm = with(
            gadget("arm"),
            json!({"schemas": [GADGET, BENCH], "serial": "S", "tags": ["red", "blue"], "ports": 9_007_199_254_740_992_i64, "location": {"building": "N", "room": "1"},
            "parts": [{"value": "a", "type": "main", "sku": "K"}, {"value": "b"}], BENCH: {"slots": [{"value": "1"}]}}),
        );
        let operations = patched(&client, &gadgets, arm, |after| {
            after.put("ports", json!(9_007_199_254_740_993_i64));
            after.put("tags", json!(["blue", "green"]));
            after.put("location", json!({"floor": 2, "room": "1"}));
            after.put("parts", json!([{"value": "b", "quantity": 3}, {"value": "a", "type": "main", "sku": "K"}]));
            after.put(BENCH, json!({"bench": "x", "slots": [{"value": "1"}, {"value": "2", "primary": true}]}));
        });
        assert_eq!(operations, 7);
    });
}

#[test]
fn a_patch_that_comes_too_late_is_refused() {
    on_every_store(|server| {
        let client = client(server);
        let users = Catalog::standard().resource_type("User").unwrap().clone();
        let before = server.create("/Users", user("ada"));
        server.patch(before.path(), json!([{"op": "add", "path": "title", "value": "Ms"}])).is(200);
        let stored = block_on(client.resources_of(&users).get(before.id())).unwrap().admit(&users).unwrap().resource;
        let mut after = stored.clone();
        after.put("title", "Countess".into());
        let patch = diff(&users, &stored, &after).unwrap().unwrap();
        let late = client.users().patch(before.id(), &patch).if_match(&ETag::new(before.etag()));
        assert_eq!(block_on(late).unwrap_err().status(), Some(412));
        assert_eq!(server.get(before.path()).is(200)["title"], "Ms");
    });
}

#[test]
fn a_job_makes_people_and_their_group() {
    on_every_store(|server| {
        let client = client(server);
        let (users, groups) = (client.users(), client.groups());
        let gone = server.create("/Users", user("gone"));
        let mut job = client.bulk();
        let ada = job.create(&users, &json!({"userName": "ada"}));
        let team = job.create(&groups, &json!({"displayName": "team", "members": [{"value": ada}]}));
        let again = job.create(&users, &json!({"userName": "ADA"}));
        job.delete(&users, gone.id()).if_match(&ETag::new(gone.etag()));
        let done = block_on(job.send()).unwrap();
        assert_eq!(done.outcomes.iter().map(|outcome| outcome.status).collect::<Vec<_>>(), [201, 201, 409, 204]);
        let refusal = done.of(&again).unwrap().check().unwrap_err();
        assert_eq!(refusal.kind(), Some(ScimType::Uniqueness));
        let (ada, team) = (done.of(&ada).unwrap().id().unwrap(), done.of(&team).unwrap().id().unwrap());
        let team: Group = block_on(groups.get(&team)).unwrap().resource;
        assert_eq!((team.members.len(), team.members[0].value.as_str()), (1, ada.as_str()));
        assert_eq!(block_on(users.get(gone.id())).unwrap_err().status(), Some(404));
    });
}

#[test]
fn what_the_server_says_of_itself_is_a_catalog() {
    on_every_store(|server| {
        let client = client(server);
        let config = block_on(client.service_provider_config()).unwrap().resource;
        assert!(config.patch.supported && config.bulk.supported && config.etag.supported);
        let catalog = block_on(client.catalog()).unwrap();
        let names: Vec<&str> = catalog.resource_types().iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["User", "Group", "Gadget"]);
        let own = scimwright_testkit::vector_catalog().unwrap();
        for (found, own) in catalog.resource_types().iter().zip(own.resource_types()) {
            assert_eq!((found.attributes(), &found.membership), (own.attributes(), &own.membership));
            assert_eq!(found.to_json(), own.to_json());
        }
    });
}

#[test]
fn me_is_whoever_the_token_stands_for() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let me = client_as(server, &format!("as.User.{}", ada.id())).me::<User>();
        assert_eq!(block_on(me.get()).unwrap().resource.user_name, "ada");
        // The token of a machine stands for nobody.
        assert_eq!(block_on(client(server).me::<User>().get()).unwrap_err().status(), Some(501));
    });
}
