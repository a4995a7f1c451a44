//! Text in the languages of the world: RFC 7644 section 5, RFC 8265.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use pollster::block_on;
use scimwright_core::ResourceType;
use scimwright_service::Policy;
use scimwright_store::{Key, Members};
use scimwright_tests::{Answer, Server, Setup, on_every_store, user, with};
use serde_json::{Value, json};

/// Keeps a password as it comes, to be looked at. An application keeps a hash of just this.
#[derive(Debug)]
struct Keeps;

impl Policy for Keeps {
    fn secret(&self, _type: &ResourceType, _attribute: &str, value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

/// The password that the application was given to keep.
fn kept(server: &Server, of: &Answer) -> Value {
    let key = Key::new("User", of.id());
    let record = block_on(server.store().get(&"acme".parse().unwrap(), &key, Members::None)).unwrap().unwrap();
    record.resource.get("password").cloned().unwrap_or_default()
}

#[test]
fn i_1_i_3_a_password_is_prepared_before_it_is_kept() {
    // RFC 8265 section 4.2: other blanks are blanks, composed as NFC has it, and neither case nor width is touched.
    for (sent, prepared) in [
        ("e\u{301}te\u{301} 2026", "été 2026"),
        ("été\u{a0}2026", "été 2026"),
        ("a\u{3000}b\u{2003}c", "a b c"),
        ("Correct Horse", "Correct Horse"),
        ("ＰＡＳＳ", "ＰＡＳＳ"),
        ("\u{1d11e}π", "\u{1d11e}π"),
    ] {
        Setup::default().policy(Keeps).on_every_store(|server| {
            let made = server.create("/Users", with(user("ada"), json!({"password": sent})));
            assert_eq!(kept(server, &made), prepared, "{sent:?}");
            let other = json!({"password": "another"});
            server.put(made.path(), with(user("ada"), other.clone())).is(200);
            server.put(made.path(), with(user("ada"), json!({"password": sent}))).is(200);
            assert_eq!(kept(server, &made), prepared, "{sent:?} by PUT");
            server.patch(made.path(), json!([{"op": "replace", "value": other}])).is(200);
            server.patch(made.path(), json!([{"op": "replace", "path": "password", "value": sent}])).is(200);
            assert_eq!(kept(server, &made), prepared, "{sent:?} by PATCH");
        });
    }
}

#[test]
fn i_3_a_password_has_no_control_characters() {
    on_every_store(|server| {
        let made = server.create("/Users", user("ada"));
        for bad in ["a\u{0}b", "line\nbreak", "\u{7f}", "\u{85}"] {
            server.post("/Users", with(user("bob"), json!({"password": bad}))).fails(400, "invalidValue");
            let change = json!([{"op": "replace", "path": "password", "value": bad}]);
            server.patch(made.path(), change).fails(400, "invalidValue");
        }
        assert_eq!(server.get("/Users").is(200).names("userName"), ["ada"]);
    });
}

#[test]
fn pu_3_a_put_replaces_what_is_write_only_too() {
    Setup::default().policy(Keeps).on_every_store(|server| {
        let made = server.create("/Users", with(user("ada"), json!({"password": "first"})));
        let put = server.put(made.path(), with(user("ada"), json!({"password": "second"}))).is(200);
        assert_eq!((kept(server, &made), &put["password"]), (json!("second"), &Value::Null));
    });
}

#[test]
fn i_2_i_5_letters_have_no_case_whatever_the_alphabet() {
    on_every_store(|server| {
        for (name, other, title, found) in [
            ("BJensen", "bJENSEN", "Élève", "éLÈVE"),
            ("ЖУКОВ", "жуков", "Σίσυφος", "σίσυφοσ"),
            ("Ⅷ", "ⅷ", "STRASSE", "straße"),
        ] {
            let made = server.create("/Users", with(user(name), json!({"title": title})));
            assert_eq!(made["userName"], name, "the spelling is kept");
            server.post("/Users", user(other)).fails(409, "uniqueness");
            assert_eq!(server.found(&format!("userName eq \"{other}\"")), [name]);
            assert_eq!(server.found(&format!("title eq \"{found}\"")), [name], "{title} and {found}");
        }
    });
}

/// The index of some stores takes no longer values, so none does (RFC 7644 section 3.12, `invalidValue`).
#[test]
fn values_that_are_looked_for_have_a_longest_length() {
    on_every_store(|server| {
        let values = [("userName", "x", 1024), ("userName", "\u{1f4a9}", 256), ("externalId", "\u{0}", 1024)];
        for (attribute, char, most) in values.into_iter().chain([("externalId", "\u{1}", 1024)]) {
            let one = |value: &str| with(user("ada"), json!({attribute: value, "title": "x".repeat(5000)}));
            let longest = char.repeat(most);
            let longer = format!("{longest}{char}");
            let made = server.create("/Users", one(&longest));
            assert_eq!(made[attribute], longest);
            server.post("/Users", one(&longest)).fails(409, "uniqueness");
            server.post("/Users", one(&longer)).fails(400, "invalidValue");
            server.put(made.path(), one(&longer)).fails(400, "invalidValue");
            let patch = json!([{"op": "replace", "path": attribute, "value": longer}]);
            server.patch(made.path(), patch).fails(400, "invalidValue");
            server.delete(made.path()).is(204);
        }
    });
}
