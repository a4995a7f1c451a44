//! Entity tags and preconditions: RFC 7644 section 3.14, RFC 9110 section 13.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_tests::{Answer, Server, group, on_every_store, user, with};
use serde_json::json;

/// Headers that name the version of a resource, and headers that do not.
fn tags(current: &str) -> ([String; 6], [String; 7]) {
    let opaque = current.trim_start_matches("W/").to_owned();
    let names = [
        current.to_owned(),
        opaque.clone(),
        "*".to_owned(),
        format!("\"x\", {current}"),
        format!("{opaque},W/\"y\",\"z\""),
        opaque.trim_matches('"').to_owned(),
    ];
    let others = ["\"x\"", "W/\"x\"", "\"x\", W/\"y,z\"", "\"*\"", "", ",", "\"unclosed"].map(str::to_owned);
    (names, others)
}

/// Every verb that changes a resource, as a request that would succeed.
fn writes<'s>(server: &'s Server, path: &str, title: &str) -> [scimwright_tests::Ask<'s>; 3] {
    [
        server.put(path, with(user("ada"), json!({"title": title}))),
        server.patch(path, json!([{"op": "replace", "path": "title", "value": title}])),
        server.delete(path),
    ]
}

#[test]
fn v_1_v_2_v_3_every_answer_with_a_resource_says_its_version() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let read = server.get(made.path()).is(200);
        let put = server.put(made.path(), with(user("ada"), json!({"title": "t"}))).is(200);
        let patched = server.patch(made.path(), json!([{"op": "remove", "path": "title"}])).is(200);
        for answer in [&made, &read, &put, &patched] {
            assert_eq!(answer["meta"]["version"], answer.etag());
            assert!(answer.etag().starts_with("W/\""));
        }
        assert_eq!(made.etag(), read.etag());
        assert!(made.etag() != put.etag() && put.etag() != patched.etag() && made.etag() != patched.etag());
    });
}

#[test]
fn v_4_if_none_match_spares_the_body() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let (names, others) = tags(made.etag());
        for header in &names {
            let spared = server.get(made.path()).with("if-none-match", header).is(304);
            assert_eq!(spared.etag(), made.etag(), "{header}");
            server.ask("HEAD", made.path()).with("if-none-match", header).is(304);
        }
        for header in &others {
            assert_eq!(server.get(made.path()).with("if-none-match", header).is(200).text, made.text, "{header}");
        }
        let lines =
            server.get(made.path()).with("if-none-match", "\"x\"").also("if-none-match", made.etag().as_bytes());
        lines.is(304);
        server.get("/Users/nobody").with("if-none-match", "*").fails(404, "");
        // A list has no version.
        server.get("/Users").with("if-none-match", "*").is(200);
    });
}

#[test]
fn v_5_v_6_v_7_v_10_r_32_pu_12_pa_22_de_5_if_match_guards_every_write() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let (_, others) = tags(made.etag());
        for header in &others {
            for write in writes(server, made.path(), "never") {
                write.with("if-match", header).fails(412, "");
            }
        }
        assert_eq!(server.get(made.path()).is(200).text, made.text);
        for at in 0..6 {
            for verb in 0..3 {
                let made = server.create("/Users", user(&format!("u{at}{verb}")));
                let header = &tags(made.etag()).0[at];
                let [put, patch, delete] = writes(server, made.path(), "t");
                match verb {
                    0 => put
                        .json(&with(user(&format!("u{at}{verb}")), json!({"title": "t"})))
                        .with("if-match", header)
                        .is(200),
                    1 => patch.with("if-match", header).is(200),
                    _ => delete.with("if-match", header).is(204),
                };
            }
        }
    });
}

#[test]
fn v_5_a_version_that_was_is_none() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let now = server.put(made.path(), with(user("ada"), json!({"title": "t"}))).is(200);
        for write in writes(server, made.path(), "u") {
            write.with("if-match", made.etag()).fails(412, "");
        }
        // Even where nothing would change.
        server.put(made.path(), with(user("ada"), json!({"title": "t"}))).with("if-match", made.etag()).fails(412, "");
        assert_eq!(server.get(made.path()).is(200).text, now.text);
        for path in ["/Users/nobody", "/Groups/nobody"] {
            for write in writes(server, path, "u") {
                write.with("if-match", made.etag()).fails(404, "");
            }
        }
    });
}

#[test]
fn v_5_if_match_guards_reading_too() {
    // RFC 9110 section 13.1.1: whatever the method.
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        server.get(made.path()).with("if-match", made.etag()).is(200);
        server.get(made.path()).with("if-match", "*").is(200);
        server.get(made.path()).with("if-match", "\"x\"").fails(412, "");
        // If-Match comes first (section 13.2.2).
        server.get(made.path()).with("if-match", "\"x\"").with("if-none-match", made.etag()).fails(412, "");
        server.get(made.path()).with("if-match", "*").with("if-none-match", made.etag()).is(304);
    });
}

#[test]
fn v_5_if_none_match_guards_every_write() {
    // RFC 9110 section 13.1.2: 412 for methods other than GET and HEAD.
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        let (names, _) = tags(made.etag());
        for header in &names {
            for write in writes(server, made.path(), "never") {
                write.with("if-none-match", header).fails(412, "");
            }
        }
        assert_eq!(server.get(made.path()).is(200).text, made.text);
        let [put, patch, delete] = writes(server, made.path(), "t");
        for (write, status) in [(put, 200), (patch, 200), (delete, 204)] {
            write.with("if-none-match", "\"x\"").is(status);
        }
    });
}

#[test]
fn v_8_m_12_pa_21_the_version_changes_when_the_representation_does() {
    on_every_store(|server| {
        let ada = server
            .create("/Users", with(user("ada"), json!({"title": "t", "emails": [{"value": "a", "type": "work"}]})));
        let now = |of: &Answer| server.get(of.path()).is(200);
        for nothing in [
            json!({"op": "replace", "path": "title", "value": "t"}),
            json!({"op": "add", "path": "title", "value": "t"}),
            json!({"op": "add", "path": "emails", "value": [{"value": "A", "type": "WORK"}]}),
            json!({"op": "remove", "path": "nickName"}),
            json!({"op": "remove", "path": "emails[type eq \"home\"]"}),
            json!({"op": "replace", "value": {"title": "t", "nickName": null}}),
        ] {
            let patched = server.patch(ada.path(), json!([nothing])).is(200);
            assert_eq!(patched.text, ada.text, "{nothing}");
        }
        let back_and_forth =
            json!([{"op": "add", "path": "nickName", "value": "n"}, {"op": "remove", "path": "nickName"}]);
        server.patch(ada.path(), back_and_forth).is(200);
        assert_eq!(now(&ada).text, ada.text);
        // What shows in the user is the user's too.
        let team = server.create("/Groups", group("team", &[ada.id()]));
        let member = now(&ada);
        assert_ne!(member.etag(), ada.etag());
        server.patch(team.path(), json!([{"op": "replace", "path": "displayName", "value": "other"}])).is(200);
        let renamed = now(&ada);
        assert_ne!(renamed.etag(), member.etag());
        assert_eq!(renamed["groups"][0]["display"], "other");
        server.get(ada.path()).with("if-none-match", member.etag()).is(200);
        // Joining twice is joining once.
        let before = now(&team);
        let join = json!([{"op": "add", "path": "members", "value": [{"value": ada.id()}]}]);
        assert_eq!(server.patch(team.path(), join).is(200).text, before.text);
        server.patch(team.path(), json!([{"op": "remove", "path": "members"}])).is(200);
        assert_ne!(now(&team).etag(), before.etag());
        assert_eq!(now(&ada).text, ada.text, "as it was before it was a member");
    });
}

#[test]
fn v_9_versions_are_announced() {
    on_every_store(|server| {
        assert_eq!(server.get("/ServiceProviderConfig").is(200)["etag"]["supported"], true);
    });
}
