//! Laws of the whole service, for any schema and any document: what is read is what was written, writing what was read
//! changes nothing, secrets never leave, a PATCH does all or nothing.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod random;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_compat::Profile;
use scimwright_core::{Admit, ResourceType, Selection, show};
use scimwright_service::Policy;
use scimwright_tests::{Answer, Server, Setup, StoreKind, gadget, group, user, with};
use serde_json::{Value, json};

use random::{SECRET, Spec, URN, catalog, document, pruned, specs, stripped};

/// Keeps every secret as it is, so that only what is shown stands between it and the world.
#[derive(Debug)]
struct Keeps;

impl Policy for Keeps {
    fn secret(&self, _type: &ResourceType, _attribute: &str, value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

fn server(specs: &[Spec]) -> Server {
    let setup = Setup { catalog: catalog(specs), ..Setup::default() };
    setup.policy(Keeps).start(StoreKind::InMemory)
}

/// The names of all attributes, for `attributes`.
fn all(specs: &[Spec]) -> String {
    let part = |spec: &Spec, part: &Spec| format!("{}.{}", spec.name, part.name);
    let names = specs
        .iter()
        .flat_map(|spec| std::iter::once(spec.name.clone()).chain(spec.parts.iter().map(move |of| part(spec, of))));
    names.collect::<Vec<_>>().join(",")
}

/// A body of a thing, without what the server adds.
fn own(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    for name in ["id", "meta", "schemas"] {
        body.as_object_mut().unwrap().remove(name);
    }
    body
}

/// That nothing secret is in a text, by its marks and by its names.
#[track_caller]
fn tells_nothing(specs: &[Spec], text: &str) {
    assert!(!text.contains(SECRET), "a secret was shown: {text}");
    for spec in specs.iter().flat_map(|spec| spec.parts.iter().chain([spec])).filter(|spec| spec.is_hidden()) {
        assert!(!text.contains(&format!("\"{}\":", spec.name)), "{} was shown: {text}", spec.name);
    }
}

type Wrap = Box<dyn Fn(&Value) -> Value>;

/// The path to everything secret, and the body that has a value there.
fn secret_places(specs: &[Spec]) -> Vec<(String, Wrap)> {
    let mut places: Vec<(String, Wrap)> = Vec::new();
    for spec in specs {
        let name = spec.name.clone();
        if spec.is_hidden() {
            places.push((name.clone(), Box::new(move |value| json!({&name: value}))));
        }
        for part in spec.parts.iter().filter(|part| part.is_hidden() || spec.is_hidden()) {
            let (name, own, many) = (spec.name.clone(), part.name.clone(), spec.many);
            let inside = move |value: &Value| if many { json!([{&own: value}]) } else { json!({&own: value}) };
            places.push((format!("{name}.{}", part.name), Box::new(move |value| json!({&name: inside(value)}))));
        }
    }
    places
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_what_was_written(specs in specs(true), tape in vec(any::<u8>(), 1..60)) {
        let server = server(&specs);
        let sent = document(&specs, &tape);
        let made = server.create("/Things", with(sent.clone(), json!({"schemas": [URN]})));
        let kept = stripped(&specs, &sent, &|spec| spec.is_hidden() || spec.is_read_only());
        prop_assert_eq!(own(&made), kept.clone(), "the answer shows what the request set");
        let whole = server.get(format!("{}?attributes={}", made.path(), all(&specs))).is(200);
        prop_assert_eq!(own(&whole), kept.clone());
        let usual = server.get(made.path()).is(200);
        prop_assert_eq!(own(&usual), pruned(stripped(&specs, &kept, &Spec::is_on_request)));
        let listed = server.get("/Things").is(200);
        prop_assert_eq!(listed.resources(), [usual.body]);
    }

    #[test]
    fn writing_what_was_read_changes_nothing(specs in specs(false), tape in vec(any::<u8>(), 1..60)) {
        let server = server(&specs);
        let made = server.create("/Things", with(document(&specs, &tape), json!({"schemas": [URN]})));
        let query = format!("{}?attributes={},meta", made.path(), all(&specs));
        let read = server.get(query.clone()).is(200);
        let put = server.put(query.clone(), read.body.clone()).is(200);
        prop_assert_eq!(&put.text, &read.text);
        prop_assert_eq!(put.etag(), made.etag());
        // Nor does a PATCH that says the same without a path.
        let same = json!([{"op": "replace", "value": own(&read)}]);
        prop_assert_eq!(&server.patch(query.clone(), same).is(200).text, &read.text);
        // Secrets were not in what was read, and are there still.
        let stored = pollster::block_on(server.store().get(
            &"acme".parse().unwrap(),
            &scimwright_store::Key::new("Thing", made.id()),
            scimwright_store::Members::None,
        ));
        let stored = Value::Object(stored.unwrap().unwrap().resource.as_map().clone());
        let sent = stripped(&specs, &document(&specs, &tape), &Spec::is_read_only);
        for secret in specs.iter().filter(|spec| spec.is_hidden()) {
            prop_assert_eq!(&stored[&secret.name], &sent[&secret.name]);
        }
    }

    #[test]
    fn secrets_never_leave(specs in specs(true), tapes in [vec(any::<u8>(), 1..60), vec(any::<u8>(), 1..60)]) {
        let server = server(&specs);
        let [first, second] = tapes.each_ref().map(|tape| document(&specs, tape));
        let body = |of: &Value| with(of.clone(), json!({"schemas": [URN]}));
        let all = all(&specs);
        let made = server.post(format!("/Things?attributes={all}"), body(&first)).is(201);
        tells_nothing(&specs, &made.text);
        for query in ["", "?excludedAttributes=id", &format!("?attributes={all}"), &format!("?attributes={URN}")] {
            for path in [made.path(), "/Things"] {
                tells_nothing(&specs, &server.get(format!("{path}{query}")).is(200).text);
            }
            let path = format!("{}{query}", made.path());
            for answer in [
                server.put(&*path, body(&second)).send(),
                server.patch(&*path, json!([{"op": "replace", "value": first}])).send(),
                server.patch(&*path, json!([{"op": "add", "value": second}])).send(),
                server.post(&*format!("/Things{query}"), body(&second)).send(),
            ] {
                tells_nothing(&specs, &answer.text);
            }
            // A value where it does not fit is an error, and errors quote.
            for (place, wrap) in secret_places(&specs) {
                let one = json!({"x": SECRET});
                for bad in [json!([one]), one, json!([[SECRET]]), json!(SECRET), json!([SECRET])] {
                    let wrapped = wrap(&bad);
                    for answer in [
                        server.post(&*format!("/Things{query}"), body(&wrapped)).send(),
                        server.put(&*path, body(&wrapped)).send(),
                        server.patch(&*path, json!([{"op": "replace", "path": place, "value": bad}])).send(),
                        server.patch(&*path, json!([{"op": "add", "value": wrapped}])).send(),
                        server.patch(&*path, json!([{"op": "add", "value": {&place: bad}}])).send(),
                    ] {
                        tells_nothing(&specs, &answer.text);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_admitted_is_shown_without_secrets(
        specs in specs(true),
        tape in vec(any::<u8>(), 1..60),
        chosen in vec(any::<proptest::sample::Index>(), 0..4),
        only in any::<bool>(),
    ) {
        let catalog = catalog(&specs);
        let things = catalog.resource_type("Thing").unwrap();
        let sent = with(document(&specs, &tape), json!({"schemas": [URN]}));
        let resource = Admit::new(things).create(sent).unwrap().resource;
        let all = all(&specs);
        let names: Vec<&str> = all.split(',').collect();
        let chosen: Vec<&str> = chosen.iter().map(|index| *index.get(&names)).collect();
        let selection = if only { Selection::new(chosen, []) } else { Selection::new([], chosen) }.unwrap();
        for just_set in [vec![], names] {
            let shown = show(things, &resource, &selection, &just_set);
            tells_nothing(&specs, &Value::Object(shown).to_string());
        }
    }
}

/// Operations on a user that is called Ada: good ones, empty ones and bad ones.
const USER: &[&str] = &[
    r#"{"op": "replace", "path": "title", "value": "Lady"}"#,
    r#"{"op": "add", "path": "emails", "value": [{"value": "n@x.example", "type": "work", "primary": true}]}"#,
    r#"{"op": "add", "path": "emails", "value": {"value": "a@x.example", "type": "work"}}"#,
    r#"{"op": "remove", "path": "emails[type eq \"work\"]"}"#,
    r#"{"op": "remove", "path": "emails"}"#,
    r#"{"op": "replace", "path": "emails[type eq \"home\"].value", "value": "h@x.example"}"#,
    r#"{"op": "replace", "path": "emails.display", "value": "d"}"#,
    r#"{"op": "replace", "path": "name", "value": {"givenName": "A"}}"#,
    r#"{"op": "replace", "path": "name", "value": null}"#,
    r#"{"op": "add", "value": {"nickName": "n", "name.familyName": "f"}}"#,
    r#"{"op": "remove", "path": "nickName"}"#,
    r#"{"op": "replace", "path": "userName", "value": "ADA"}"#,
    r#"{"op": "replace", "path": "userName", "value": "bob"}"#,
    r#"{"op": "remove", "path": "userName"}"#,
    r#"{"op": "replace", "path": "active", "value": false}"#,
    r#"{"op": "replace", "path": "active", "value": "no"}"#,
    r#"{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "D"}"#,
    r#"{"op": "remove", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}"#,
    r#"{"op": "replace", "path": "password", "value": "secret"}"#,
    r#"{"op": "replace", "path": "id", "value": "x"}"#,
    r#"{"op": "add", "path": "groups", "value": []}"#,
    r#"{"op": "replace", "path": "bogus", "value": 1}"#,
    r#"{"op": "replace", "path": "title["}"#,
    r#"{"op": "remove"}"#,
];

/// Operations on a gadget.
const GADGET: &[&str] = &[
    r#"{"op": "add", "path": "serial", "value": "S"}"#,
    r#"{"op": "replace", "path": "serial", "value": "T"}"#,
    r#"{"op": "remove", "path": "serial"}"#,
    r#"{"op": "add", "path": "tags", "value": ["a", "B"]}"#,
    r#"{"op": "add", "path": "tags", "value": "b"}"#,
    r#"{"op": "remove", "path": "tags[value eq \"a\"]"}"#,
    r#"{"op": "add", "path": "parts", "value": [{"value": "p", "type": "main", "primary": true, "sku": "K"}]}"#,
    r#"{"op": "add", "path": "parts", "value": [{"value": "q", "primary": true}]}"#,
    r#"{"op": "replace", "path": "parts[value eq \"p\"].sku", "value": "L"}"#,
    r#"{"op": "replace", "path": "parts[primary eq true].quantity", "value": 3}"#,
    r#"{"op": "remove", "path": "parts[value eq \"p\"]"}"#,
    r#"{"op": "replace", "path": "location", "value": {"building": "N", "room": "1"}}"#,
    r#"{"op": "replace", "path": "location.room", "value": "2"}"#,
    r#"{"op": "remove", "path": "location"}"#,
    r#"{"op": "replace", "path": "notes", "value": "n"}"#,
    r#"{"op": "add", "path": "secret", "value": "s"}"#,
    r#"{"op": "replace", "path": "weight", "value": 2.50}"#,
    r#"{"op": "replace", "path": "ports", "value": 1.5}"#,
    r#"{"op": "replace", "path": "name", "value": "taken"}"#,
    r#"{"op": "replace", "path": "state", "value": "on"}"#,
];

/// Operations on a group; `A` and `B` are users.
const GROUP: &[&str] = &[
    r#"{"op": "add", "path": "members", "value": [{"value": "A"}]}"#,
    r#"{"op": "add", "path": "members", "value": [{"value": "A"}, {"value": "B", "display": "b"}]}"#,
    r#"{"op": "remove", "path": "members[value eq \"A\"]"}"#,
    r#"{"op": "remove", "path": "members"}"#,
    r#"{"op": "replace", "path": "members", "value": [{"value": "B"}]}"#,
    r#"{"op": "replace", "path": "members", "value": []}"#,
    r#"{"op": "add", "value": {"members": [{"value": "B"}], "externalId": "e"}}"#,
    r#"{"op": "replace", "path": "displayName", "value": "crew"}"#,
    r#"{"op": "remove", "path": "displayName"}"#,
    r#"{"op": "add", "path": "members", "value": [{"value": "nobody"}]}"#,
    r#"{"op": "replace", "path": "members[value eq \"A\"].value", "value": "B"}"#,
    r#"{"op": "remove", "path": "members", "value": [{"value": "A"}]}"#,
];

fn requests(pool: &'static [&'static str]) -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    vec(vec(select(pool), 1..5), 1..6)
}

/// That each of the requests does all or nothing, and that the version tells the two apart.
#[track_caller]
fn atomic(server: &Server, made: &Answer, requests: Vec<Vec<Value>>) {
    let path = format!("{}?excludedAttributes=meta", made.path());
    for operations in requests {
        let (whole, before) = (server.get(made.path()).is(200), server.get(&*path).is(200));
        let answer = server.patch(made.path(), operations.clone().into()).send();
        let (now, after) = (server.get(made.path()).is(200), server.get(&*path).is(200));
        if answer.status == 200 {
            let notes = |body: &Value| with(body.clone(), json!({"notes": null}));
            assert_eq!(notes(&answer.body), notes(&now.body), "{operations:?}");
            let hidden = operations.iter().any(|operation| {
                let text = operation.to_string();
                text.contains("notes") || text.contains("secret") || text.contains("password")
            });
            assert!(before.text == after.text || whole.etag() != now.etag(), "another version: {operations:?}");
            assert!(hidden || before.text != after.text || whole.text == now.text, "the same version: {operations:?}");
        } else {
            assert!((400..500).contains(&answer.status), "{}", answer.text);
            assert_eq!(now.text, whole.text, "{operations:?}: {}", answer.text);
            assert_eq!(now.etag(), whole.etag(), "{operations:?}: {}", answer.text);
        }
    }
}

fn parsed(requests: Vec<Vec<&str>>, replace: impl Fn(&str) -> String) -> Vec<Vec<Value>> {
    let operation = |text: &&str| serde_json::from_str(&replace(text)).unwrap();
    requests.iter().map(|operations| operations.iter().map(operation).collect()).collect()
}

fn profile(strict: bool) -> Setup {
    Setup::default().profile(if strict { Profile::strict() } else { Profile::tolerant() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Proves: PA-9.
    #[test]
    fn a_patch_of_a_user_does_all_or_nothing(requests in requests(USER), strict in any::<bool>()) {
        let server = profile(strict).start(StoreKind::InMemory);
        server.create("/Users", user("bob"));
        let work = json!({"value": "a@x.example", "type": "work", "primary": true});
        let emails = json!([work, {"value": "b@x.example", "type": "home"}]);
        let made = server.create("/Users", with(user("ada"), json!({"emails": emails, "nickName": "n"})));
        atomic(&server, &made, parsed(requests, str::to_owned));
    }

    /// Proves: PA-9.
    #[test]
    fn a_patch_of_a_gadget_does_all_or_nothing(requests in requests(GADGET), strict in any::<bool>()) {
        let server = profile(strict).policy(Keeps).start(StoreKind::InMemory);
        server.create("/Gadgets", gadget("taken"));
        let made = server.create("/Gadgets", gadget("arm"));
        atomic(&server, &made, parsed(requests, str::to_owned));
    }

    /// Proves: PA-9.
    #[test]
    fn a_patch_of_a_group_does_all_or_nothing(requests in requests(GROUP), strict in any::<bool>()) {
        let server = profile(strict).start(StoreKind::InMemory);
        let [a, b] = ["a", "b"].map(|name| server.create("/Users", user(name)).id().to_owned());
        let made = server.create("/Groups", group("team", &[&a]));
        let named = |text: &str| text.replace("\"A\"", &format!("\"{a}\"")).replace("\"B\"", &format!("\"{b}\""))
            .replace("\\\"A\\\"", &format!("\\\"{a}\\\""));
        atomic(&server, &made, parsed(requests, named));
    }
}
