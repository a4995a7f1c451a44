//! The client against `scim2-server` from PyPI, a server that others wrote, over sockets of this machine.
//!
//! It is found by the variable `SCIM2_SERVER`, or on the path. Where it is not, nothing is proved, which is said out
//! loud; with `SCIMWRIGHT_CI` set that is a failure.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]
#![cfg(feature = "reqwest")]

#[path = "scim2_server/process.rs"]
mod process;

use process::{Server, TOKEN, foreign_server};
use scimwright_client::{Client, ETag, Error, Paging, Query, Reqwest, SortOrder, diff};
use scimwright_core::{Catalog, Group, Resource, ResourceType, ScimType, User, urns};
use serde_json::{Value, json};

fn client_as(server: &Server, token: &str) -> Client {
    let transport = Reqwest::of(reqwest::Client::builder().no_proxy()).unwrap();
    Client::builder(&server.base).bearer(token).build_over(transport).unwrap()
}

fn client(server: &Server) -> Client {
    client_as(server, TOKEN)
}

fn with(mut one: Value, more: Value) -> Value {
    one.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    one
}

#[tokio::test]
async fn it_is_discovered() {
    let Some(server) = foreign_server(&json!({})) else { return };
    let client = client(&server);
    let config = client.service_provider_config().await.unwrap().resource;
    assert!(config.patch.supported && config.bulk.supported && config.filter.supported && config.etag.supported);
    assert_eq!(config.authentication_schemes[0].kind, "oauthbearertoken");
    let catalog = client.catalog().await.unwrap();
    let standard = Catalog::standard();
    for name in ["User", "Group"] {
        let (found, own) = (catalog.resource_type(name).unwrap(), standard.resource_type(name).unwrap());
        assert_eq!(
            (&found.endpoint, &found.schema.id, &found.membership),
            (&own.endpoint, &own.schema.id, &own.membership)
        );
        let names = |of: &ResourceType| of.attributes().iter().map(|one| one.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(found), names(own));
    }
    assert!(catalog.resource_type("User").unwrap().extension(urns::ENTERPRISE_USER).is_some());
}

#[tokio::test]
async fn users_and_groups_are_made_read_replaced_and_removed() {
    let Some(server) = foreign_server(&json!({})) else { return };
    let client = client(&server);
    let users = client.users();
    let mut new = User::default();
    new.user_name = "ada".to_owned();
    new.title = Some("Ms".to_owned());
    let made = users.create(&new).await.unwrap();
    let id = made.resource.id.clone();
    assert_eq!(made.location, Some(format!("{}/Users/{id}", server.base)));
    let read = users.get(&id).await.unwrap();
    assert_eq!((&read.resource.user_name, &read.version), (&new.user_name, &made.version));
    let version = read.version.unwrap();
    assert_eq!(users.get_unless(&id, &version).await.unwrap(), None);
    assert_eq!(users.get(&id).attributes(["userName"]).await.unwrap().resource.title, None);
    assert_eq!(users.get(&id).excluding(["userName"]).await.unwrap().resource.title, new.title);

    let mut other = read.resource;
    other.nick_name = Some("Countess".to_owned());
    let replaced = users.replace(&id, &other).if_match(&version).await.unwrap();
    assert_eq!(replaced.resource.nick_name, other.nick_name);
    let late = users.replace(&id, &other).if_match(&version).await.unwrap_err();
    assert_eq!(late.status(), Some(412));

    let groups = client.groups();
    let team =
        groups.create(&json!({"displayName": "team", "members": [{"value": id, "type": "User"}]})).await.unwrap();
    let team = groups.get(&team.resource.id).await.unwrap().resource;
    assert_eq!(team.members.iter().map(|member| member.value.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    groups.delete(&team.id).await.unwrap();
    users.delete(&id).if_match(&ETag::new("*")).await.unwrap();
    assert_eq!(users.get(&id).await.unwrap_err().status(), Some(404));
    assert_eq!(users.list().count().await.unwrap(), 0);
}

/// Makes `before`, sends the difference to what `change` makes of it, and compares what is there then.
async fn differs(client: &Client, of: &ResourceType, before: Value, change: impl FnOnce(&mut Resource)) {
    let resources = client.resources_of(of);
    let before = resources.create(&before).await.unwrap().admit(of).unwrap();
    let mut after = before.resource.clone();
    change(&mut after);
    let patch = diff(of, &before.resource, &after).unwrap().unwrap_or_else(|| panic!("nothing to do"));
    let id = before.resource.id().to_owned();
    let version = before.version.unwrap();
    let sent = patch.to_json();
    let patched = resources.patch(&id, &patch).if_match(&version).await;
    let patched = patched.unwrap_or_else(|error| panic!("{error}: {sent}"));
    assert_ne!(patched.version, Some(version), "{sent}");
    let now = resources.get(&id).await.unwrap().admit(of).unwrap().resource;
    assert_eq!(diff(of, &now, &after).unwrap().map(|patch| patch.to_json()), None, "what is missing after {sent}");
}

#[tokio::test]
async fn differences_are_patches_that_it_understands() {
    let Some(server) = foreign_server(&json!({})) else { return };
    let client = client(&server);
    let catalog = client.catalog().await.unwrap();
    let users = catalog.resource_type("User").unwrap();
    let user = |name: &str, more: Value| with(json!({"userName": name}), more);
    let emails = json!([
        {"value": "a@work.example", "type": "work", "primary": true}, {"value": "a@home.example", "type": "home"}, {"value": "a@old.example"},
    ]);

    differs(&client, users, user("simple", json!({"title": "Ms", "nickName": "x", "active": true})), |after| {
        after.put("title", "Countess".into());
        after.take("nickName");
        after.put("active", false.into());
        after.put("externalId", "e".into());
    })
    .await;
    differs(
        &client,
        users,
        user("parts", json!({"name": {"givenName": "A", "familyName": "B", "middleName": "M"}})),
        |after| {
            after.put("name", json!({"givenName": "A", "familyName": "K", "honorificPrefix": "Ms"}));
        },
    )
    .await;
    differs(
        &client,
        users,
        user("anew", json!({"name": {"givenName": "A", "familyName": "B", "middleName": "M"}})),
        |after| {
            after.put("name", json!({"honorificPrefix": "Ms"}));
        },
    )
    .await;
    let extension = json!({"department": "d", "costCenter": "c", "manager": {"value": "7"}});
    differs(&client, users, user("extension", json!({urns::ENTERPRISE_USER: extension})), |after| {
        after.put(urns::ENTERPRISE_USER, json!({"department": "e", "division": "x", "manager": {"value": "8"}}));
    })
    .await;
    differs(
        &client,
        users,
        user("no-extension-any-more", json!({urns::ENTERPRISE_USER: {"department": "d", "costCenter": "c"}})),
        |after| {
            after.take(urns::ENTERPRISE_USER);
        },
    )
    .await;
    differs(&client, users, user("extension-anew", json!({})), |after| {
        after.put(urns::ENTERPRISE_USER, json!({"department": "e", "manager": {"value": "8"}}));
    })
    .await;

    let list = |name: &str| user(name, json!({"emails": emails}));
    differs(&client, users, list("one-value"), |after| {
        let mut emails = emails.clone();
        emails[1]["value"] = "b@home.example".into();
        after.put("emails", emails);
    })
    .await;
    differs(&client, users, list("one-more"), |after| {
        let mut emails = emails.clone();
        emails.as_array_mut().unwrap().push(json!({"value": "new@x.example"}));
        after.put("emails", emails);
    })
    .await;
    differs(&client, users, list("one-less"), |after| {
        let mut emails = emails.clone();
        emails.as_array_mut().unwrap().remove(2);
        after.put("emails", emails);
    })
    .await;
    differs(&client, users, list("one-display"), |after| {
        let mut emails = emails.clone();
        emails[1]["display"] = "Home".into();
        after.put("emails", emails);
    })
    .await;
    differs(&client, users, list("another-primary"), |after| {
        let mut emails = emails.clone();
        emails[0].as_object_mut().unwrap().remove("primary");
        emails[1]["primary"] = true.into();
        after.put("emails", emails);
    })
    .await;
    differs(&client, users, list("all-others"), |after| {
        after.put("emails", json!([{"value": "x@x.example"}, {"value": "y@x.example", "type": "work"}]));
    })
    .await;
    differs(&client, users, list("none"), |after| drop(after.take("emails"))).await;
}

#[tokio::test]
async fn members_join_and_leave() {
    let Some(server) = foreign_server(&json!({})) else { return };
    let client = client(&server);
    let catalog = client.catalog().await.unwrap();
    let groups = catalog.resource_type("Group").unwrap();
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(client.users().create(&json!({"userName": format!("m{number}")})).await.unwrap().resource.id);
    }
    let members = |range: std::ops::Range<usize>| ids[range].iter().map(|id| json!({"value": id})).collect::<Value>();
    let group = json!({"displayName": "team", "members": members(0..4)});
    differs(&client, groups, group.clone(), |after| after.put("members", members(0..5))).await;
    differs(&client, groups, group.clone(), |after| after.put("members", members(0..3))).await;
    differs(&client, groups, group.clone(), |after| after.put("members", members(3..6))).await;
    differs(&client, groups, group.clone(), |after| after.put("members", members(4..6))).await;
    differs(&client, groups, group, |after| drop(after.take("members"))).await;
}

/// How many users there are, and how long a page may be: no divisor, so that the last page is short.
const USERS: usize = 40;
const PAGE: usize = 7;

async fn walk(query: Query<User>) -> Vec<String> {
    let mut pages = query.clone().page_size(PAGE).pages();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        assert!(page.unwrap().resources.len() <= PAGE);
        count += 1;
    }
    assert_eq!(count, USERS.div_ceil(PAGE));
    let all = query.page_size(PAGE).all().collect().await.unwrap();
    let mut names: Vec<String> = all.into_iter().map(|one| one.resource.user_name).collect();
    names.sort();
    names
}

async fn crowd(client: &Client) -> Vec<String> {
    let names: Vec<String> = (0..USERS).map(|number| format!("u{number:02}")).collect();
    for name in &names {
        client.users().create(&json!({"userName": name})).await.unwrap();
    }
    names
}

#[tokio::test]
async fn every_page_comes_by_index() {
    let Some(server) = foreign_server(&json!({})) else { return };
    let client = client(&server);
    let names = crowd(&client).await;
    client.groups().create(&json!({"displayName": "g"})).await.unwrap();
    let users = client.users();
    // It announces no cursors.
    for paging in [Paging::Index, Paging::Announced] {
        assert_eq!(walk(users.list().paging(paging)).await, names);
        assert_eq!(walk(users.search().paging(paging)).await, names);
        assert_eq!(walk(client.search().filter("userName pr").paging(paging)).await, names);
    }
    let sorted = users.list().sort_by("userName").sort_order(SortOrder::Descending).page_size(PAGE);
    let sorted = sorted.all().collect().await.unwrap();
    assert!(sorted.iter().map(|one| &one.resource.user_name).eq(names.iter().rev()));

    let found = users.list().filter("userName eq \"U13\"").first().await.unwrap().unwrap();
    assert_eq!(found.resource.user_name, "u13");
    assert!(found.version.is_some() && found.location.is_some());
    assert_eq!(users.list().filter("userName sw \"u0\"").count().await.unwrap(), 10);
    assert_eq!(users.list().filter("userName eq \"nobody\"").first().await.unwrap(), None);
    let only = users.list().filter("userName eq \"u13\"").attributes(["id"]).page_size(1);
    assert_eq!(only.all().collect().await.unwrap()[0].resource.id, found.resource.id);
}

#[tokio::test]
async fn every_page_comes_by_cursor() {
    let pagination = json!({"cursor": true, "index": true, "defaultPaginationMethod": "index"});
    let Some(server) = foreign_server(&json!({"pagination": pagination})) else { return };
    let client = client(&server);
    let names = crowd(&client).await;
    assert!(client.service_provider_config().await.unwrap().resource.pagination.unwrap().cursor);
    let users = client.users();
    for paging in [Paging::Cursor, Paging::Announced] {
        assert_eq!(walk(users.list().paging(paging)).await, names);
        assert_eq!(walk(users.search().paging(paging)).await, names);
        assert_eq!(walk(client.search().filter("userName pr").paging(paging)).await, names);
    }
    let nonsense = users.list().paging(Paging::Cursor).filter("nonsense").all().collect().await;
    assert_eq!(nonsense.unwrap_err().status(), Some(400));
}

#[tokio::test]
async fn errors_are_told() {
    let Some(server) = foreign_server(&json!({})) else { return };
    let client = client(&server);
    let users = client.users();
    users.create(&json!({"userName": "ada"})).await.unwrap();
    let told = |error: Error| error.refusal().map(|refusal| (refusal.status, refusal.kind())).unwrap();
    let taken = users.create(&json!({"userName": "ADA"})).await.unwrap_err();
    assert_eq!(told(taken), (409, Some(ScimType::Uniqueness)));
    assert_eq!(told(users.create(&json!({"title": "t"})).await.unwrap_err()).0, 400);
    let nonsense = users.list().filter("userName xx \"a\"").first().await.unwrap_err();
    assert_eq!(told(nonsense), (400, Some(ScimType::InvalidFilter)));
    assert_eq!(told(users.get("nobody").await.unwrap_err()), (404, None));
    let stranger = client_as(&server, "another-token");
    assert_eq!(told(stranger.users().get("1").await.unwrap_err()), (401, None));
    // It maps a caller to nobody.
    assert_eq!(told(client.me::<User>().get().await.unwrap_err()), (501, None));
}

#[tokio::test]
async fn a_job_makes_people_and_their_group() {
    let Some(server) = foreign_server(&json!({})) else { return };
    let client = client(&server);
    let (users, groups) = (client.users(), client.groups());
    let gone = users.create(&json!({"userName": "gone"})).await.unwrap();
    let mut job = client.bulk();
    let ada = job.create(&users, &json!({"userName": "ada"}));
    let team = job.create(&groups, &json!({"displayName": "team", "members": [{"value": ada, "type": "User"}]}));
    let again = job.create(&users, &json!({"userName": "ada"}));
    job.delete(&users, &gone.resource.id).if_match(&gone.version.unwrap());
    let done = job.send().await.unwrap();
    assert_eq!(done.outcomes.iter().map(|outcome| outcome.status).collect::<Vec<_>>(), [201, 201, 409, 204]);
    assert_eq!(done.of(&again).unwrap().check().unwrap_err().status, 409);
    let (ada, team) = (done.of(&ada).unwrap().id().unwrap(), done.of(&team).unwrap().id().unwrap());
    let team: Group = groups.get(&team).await.unwrap().resource;
    assert_eq!((team.members.len(), team.members[0].value.as_str()), (1, ada.as_str()));
    assert_eq!(users.get(&gone.resource.id).await.unwrap_err().status(), Some(404));
}
