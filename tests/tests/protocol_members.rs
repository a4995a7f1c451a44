//! Groups, their members and the other way round: RFC 7643 sections 4.1.2 and 4.2, over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::Instant;
use scimwright_tests::{Answer, BASE, Server, Setup, group, on_every_store, user, with};
use serde_json::{Value, json};

#[test]
fn u_11_u_16_a_group_and_its_members_name_each_other() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let inner = server.create("/Groups", group("inner", &[ada.id()]));
        let outer = server.create("/Groups", group("outer", &[inner.id(), ada.id()]));
        let mut members = server.get(outer.path()).is(200)["members"].as_array().unwrap().clone();
        members.sort_by_key(|member| member["type"].to_string());
        let reference = |of: &Answer| format!("{BASE}{}", of.path());
        assert_eq!(
            members,
            [
                json!({"value": inner.id(), "$ref": reference(&inner), "type": "Group"}),
                json!({"value": ada.id(), "$ref": reference(&ada), "type": "User"}),
            ]
        );
        let mut groups = server.get(ada.path()).is(200)["groups"].as_array().unwrap().clone();
        groups.sort_by_key(|group| group["display"].to_string());
        assert_eq!(
            groups,
            [
                json!({"value": inner.id(), "$ref": reference(&inner), "display": "inner", "type": "direct"}),
                json!({"value": outer.id(), "$ref": reference(&outer), "display": "outer", "type": "direct"}),
            ]
        );
        for path in [ada.path(), inner.path()] {
            server.get(path).is(200);
        }
    });
}

/// The values of a list of references, sorted.
fn values(server: &Server, of: &Answer, name: &str) -> Vec<String> {
    let read = server.get(of.path()).is(200);
    let list = read[name].as_array().cloned().unwrap_or_default();
    let mut values: Vec<String> = list.iter().map(|value| value["value"].as_str().unwrap().to_owned()).collect();
    values.sort();
    values
}

#[test]
fn u_10_memberships_change_through_groups_alone() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[]));
        let groups = json!([{"value": team.id()}]);
        server.patch(ada.path(), json!([{"op": "add", "path": "groups", "value": groups}])).fails(400, "mutability");
        server.patch(ada.path(), json!([{"op": "add", "value": {"groups": groups}}])).fails(400, "mutability");
        server.put(ada.path(), with(user("ada"), json!({"groups": groups}))).is(200);
        assert_eq!(server.get(team.path()).is(200).text, team.text);
        let bob = server.create("/Users", with(user("bob"), json!({"groups": groups})));
        assert_eq!(values(server, &bob, "groups"), [] as [&str; 0]);
    });
}

#[test]
fn u_12_a_group_that_is_reached_through_another_is_not_a_direct_one() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let inner = server.create("/Groups", group("inner", &[ada.id()]));
        let outer = server.create("/Groups", group("outer", &[inner.id()]));
        let read = server.get(ada.path()).is(200);
        let direct: Vec<&Value> =
            read["groups"].as_array().unwrap().iter().filter(|group| group["type"] == "direct").collect();
        assert_eq!((direct.len(), &direct[0]["value"]), (1, &json!(inner.id())));
        assert!(!values(server, &outer, "members").contains(&ada.id().to_owned()));
    });
}

#[test]
fn u_16_what_a_client_says_of_a_member_beside_its_value_does_not_count() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let members = json!([{"value": ada.id(), "type": "Group", "$ref": "https://elsewhere.example/Users/1"}]);
        let team = server.create("/Groups", with(group("team", &[]), json!({"members": members})));
        let reference = format!("{BASE}{}", ada.path());
        assert_eq!(team["members"], json!([{"value": ada.id(), "type": "User", "$ref": reference}]));
        server.get(team["members"][0]["$ref"].as_str().unwrap().strip_prefix(BASE).unwrap()).is(200);
    });
}

#[test]
fn u_17_groups_may_hold_each_other() {
    on_every_store(|server| {
        let one = server.create("/Groups", group("one", &[]));
        let two = server.create("/Groups", group("two", &[one.id()]));
        server.put(one.path(), group("one", &[two.id(), one.id()])).is(200);
        let mut both = [one.id(), two.id()];
        both.sort_unstable();
        assert_eq!(values(server, &one, "members"), both);
        assert_eq!(values(server, &two, "members"), [one.id()]);
        assert_eq!(server.get("/Groups").is(200)["totalResults"], 2);
        server.delete(one.path()).is(204);
        assert_eq!(values(server, &two, "members"), [] as [&str; 0]);
        server.delete(two.path()).is(204);
    });
}

#[test]
fn t_12_members_that_do_not_exist_are_refused_or_passed_over() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        server.post("/Groups", group("team", &[ada.id(), "nobody"])).fails(400, "invalidValue");
        assert_eq!(server.get("/Groups").is(200)["totalResults"], 0, "nothing was made");
    });
    Setup::default().profile(Profile::strict().with(Quirk::UnknownMembers)).on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let team = server.create("/Groups", group("team", &[ada.id(), "nobody"]));
        assert_eq!(values(server, &team, "members"), [ada.id()]);
        let join = json!([{"op": "add", "path": "members", "value": [{"value": "somebody"}]}]);
        let before = server.get(team.path()).is(200);
        assert_eq!(server.patch(team.path(), join).is(200)["members"], before["members"]);
        server.put(team.path(), group("team", &["nobody"])).is(200);
        assert_eq!(values(server, &team, "members"), [] as [&str; 0]);
    });
}

/// A clock that stands still, as the system's does between two of its ticks.
fn noon() -> Instant {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

#[test]
fn m_11_last_modified_moves_with_each_change_and_never_back() {
    Setup { clock: Some(noon), ..Setup::default() }.on_every_store(|server| {
        let people = ["a", "b"].map(|name| server.create("/Users", user(name)));
        let [a, b] = people.each_ref().map(|person| person.id());
        let team = server.create("/Groups", group("team", &[a]));
        let time = |of: &Answer| of["meta"]["lastModified"].as_str().unwrap().to_owned();
        let mut last = time(&team);
        for operation in [
            json!({"op": "replace", "path": "displayName", "value": "crew"}),
            json!({"op": "add", "path": "members", "value": [{"value": b}]}),
            json!({"op": "remove", "path": format!("members[value eq \"{b}\"]")}),
        ] {
            let now = time(&server.patch(team.path(), json!([operation])).is(200));
            assert!(now > last, "{last} moved to {now}: {operation}");
            last = now;
        }
        // The group changes with whoever is deleted.
        server.delete(people[0].path()).is(204);
        let now = time(&server.get(team.path()).is(200));
        assert!(now > last, "{last} moved to {now}: a member was deleted");
    });
}

#[test]
fn v_8_members_are_part_of_the_version_of_a_group() {
    on_every_store(|server| {
        let people = ["a", "b"].map(|name| server.create("/Users", user(name)));
        let team = server.create("/Groups", group("team", &[people[0].id()]));
        let join = json!([{"op": "add", "path": "members", "value": [{"value": people[1].id()}]}]);
        let stale = server.patch(team.path(), join.clone()).with("if-match", "\"x\"").fails(412, "");
        assert_eq!(stale["scimType"], Value::Null);
        let joined = server.patch(team.path(), join).with("if-match", team.etag()).is(200);
        assert_ne!(joined.etag(), team.etag());
        assert!(joined["meta"]["lastModified"].as_str() > team["meta"]["lastModified"].as_str());
        assert_eq!(joined["meta"]["created"], team["meta"]["created"]);
        server.get(team.path()).with("if-none-match", joined.etag()).is(304);
    });
}

/// Proves: F-23.
#[test]
fn the_uris_of_members_and_groups_are_found_as_they_are_shown() {
    on_every_store(|server| {
        let ada = server.create("/Users", user("ada"));
        let bea = server.create("/Users", user("bea"));
        let crew = server.create("/Groups", group("crew", &[ada.id()]));
        let all = server.create("/Groups", group("all", &[crew.id(), bea.id()]));
        let names = |path: &str, member: &str, filter: String| -> Vec<String> {
            server.filter(path, &filter).is(200).names(member).into_iter().map(str::to_owned).collect()
        };
        let (ada_uri, crew_uri) = (format!("{BASE}{}", ada.path()), format!("{BASE}{}", crew.path()));
        assert_eq!(names("/Groups", "displayName", format!("members.$ref eq \"{ada_uri}\"")), ["crew"]);
        assert_eq!(names("/Groups", "displayName", format!("members[$ref ew \"{}\"]", crew.id())), ["all"]);
        assert_eq!(names("/Groups", "displayName", "members.$ref co \"/Users/\"".to_owned()), ["all", "crew"]);
        assert_eq!(names("/Users", "userName", format!("groups.$ref eq \"{crew_uri}\"")), ["ada"]);
        assert_eq!(names("/Users", "userName", "groups[$ref pr]".to_owned()), ["ada", "bea"]);
        assert_eq!(names("/Users", "userName", "not (groups.$ref pr)".to_owned()), Vec::<String>::new());
        let _ = all;
    });
}
