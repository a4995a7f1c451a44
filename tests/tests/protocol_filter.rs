//! Filters over HTTP: RFC 7644 section 3.4.2.2. What they mean in full is in the vectors; here is what a client sees.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use scimwright_compat::{Profile, Quirk};
use scimwright_core::{Catalog, urns};
use scimwright_tests::{Answer, PASSWORD, Server, Setup, gadget, group, on_every_store, user, with};
use serde_json::{Value, json};

/// Three people who differ in everything.
fn people(server: &Server) -> [Answer; 3] {
    [
        json!({"userName": "ada", "title": "Countess", "active": true, "externalId": "E-1", "userType": "Employee",
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"value": "ada@x.example", "type": "work", "primary": true},
                {"value": "ada@home.org", "type": "home"}],
            urns::ENTERPRISE_USER: {"department": "Engines", "manager": {"value": "7"}}}),
        json!({"userName": "bob", "title": "Guide 100%", "active": false, "userType": "Contractor",
            "emails": [{"value": "bob@home.org", "type": "work"}],
            urns::ENTERPRISE_USER: {"manager": {"value": "M-7"}}}),
        json!({"userName": "eve", "name": {"familyName": "Adams"}}),
    ]
    .map(|more| server.create("/Users", with(user(""), more)))
}

/// Proves: F-2, F-3, F-6, F-7, F-8, F-9, F-10, F-14, F-15, F-16, F-17, F-18, F-20, F-22, F-24, F-26, F-27, F-28, F-29,
///
#[test]
fn filters_find_what_they_say() {
    on_every_store(|server| {
        people(server);
        for (filter, wanted) in [
            // F-3: names and operators have no case.
            ("USERNAME Eq \"ADA\"", "ada"),
            ("username EQ \"ada\" AND TITLE PR", "ada"),
            // F-6: not, then and, then or.
            ("userName eq \"eve\" or userName eq \"ada\" and active eq false", "eve"),
            ("(userName eq \"eve\" or userName eq \"ada\") and active eq true", "ada"),
            ("not (userName eq \"ada\") and title pr", "bob"),
            // F-7, F-8, R-1: what has no value is not equal to one.
            ("active ne true", "bob eve"),
            ("userType ne \"Employee\"", "bob eve"),
            ("userType eq null", "eve"),
            ("userType ne null", "ada bob"),
            // of many values any may differ.
            ("emails.type ne \"work\"", "ada eve"),
            ("emails.type ne \"fax\"", "ada bob eve"),
            // what only other types have has no value.
            ("members pr", ""),
            ("not (members.value eq \"7\")", "ada bob eve"),
            // F-9: no wildcards.
            ("title co \"%\"", "bob"),
            ("title co \"*\"", ""),
            ("userName sw \"_\"", ""),
            ("userName co \"\"", "ada bob eve"),
            ("userName ew \"DA\"", "ada"),
            ("userName sw \"ada\"", "ada"),
            // F-10: false is a value.
            ("active pr", "ada bob"),
            ("name pr", "ada eve"),
            ("name.givenName pr", "ada"),
            // F-11.
            ("userName ge \"BOB\"", "bob eve"),
            ("userName lt \"b\"", "ada"),
            // F-14: two values of truth.
            ("not (title eq \"x\")", "ada bob eve"),
            ("not (emails pr)", "eve"),
            // F-15, F-16: any value, and each for itself.
            ("emails.type eq \"home\"", "ada"),
            ("emails.type eq \"work\" and emails.value ew \"home.org\"", "ada bob"),
            // F-17: one value.
            ("emails[type eq \"work\" and value ew \"home.org\"]", "bob"),
            ("emails[not (type eq \"work\")]", "ada"),
            // F-20: the value.
            ("emails eq \"ADA@x.example\"", "ada"),
            ("emails co \"home\"", "ada bob"),
            // so it is for a manager; R-10: brackets around the one value.
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"7\"", "ada"),
            ("name[givenName eq \"ADA\" and familyName sw \"love\"]", "ada"),
            ("name[givenName eq \"Ada\" and familyName eq \"Adams\"]", ""),
            // F-22: externalId has case, and so has the value of a manager.
            ("externalId eq \"E-1\"", "ada"),
            ("externalId eq \"e-1\"", ""),
            ("externalId sw \"e\"", ""),
            ("name.familyName eq \"LOVELACE\"", "ada"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"m-7\"", ""),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"M-7\"", "bob"),
            // F-24.
            ("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"", "ada bob"),
            ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", "ada bob eve"),
            // F-26, F-27.
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada\"", "ada"),
            ("URN:ietf:params:scim:schemas:core:2.0:USER:username eq \"ada\"", "ada"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"engines\"", "ada"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"7\"", "ada"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr", "ada"),
            // F-28, F-29, R-15.
            ("userName eq \"\\u0061da\"", "ada"),
            ("title eq null and active eq null or active eq false", "bob eve"),
            ("title eq \"Guide\\u0020100%\"", "bob"),
            ("not(title pr)", "eve"),
            ("  userName   eq   \"ada\" ", "ada"),
        ] {
            assert_eq!(server.found(filter).join(" "), wanted, "{filter}");
        }
    });
}

#[test]
fn f_4_f_5_f_33_malformed_filters_are_refused() {
    on_every_store(|server| {
        people(server);
        for filter in [
            "",
            " ",
            "userName",
            "userName eq",
            "userName regex \"x\"",
            "userName eq bob",
            "userName eq 'bob'",
            "eq \"x\"",
            "userName eq \"bob",
            "userName eq \"bob\" and",
            "and userName pr",
            "(userName pr",
            "userName pr)",
            "userName eq \"a\" userName eq \"b\"",
            "emails[type eq \"work\"",
            "emails[]",
            "emails[emails[type pr]]",
            "not userName pr",
            "userName eq {}",
            "userName eq [1]",
            "userName eq 01",
            "userName eq True",
            "\u{0}",
            "emails[type eq \"work\"].value eq \"x\"",
            "userName eq \"a\" xor userName pr",
            "userName eq \"\\x\"",
        ] {
            server.filter("/Users", filter).fails(400, "invalidFilter");
        }
    });
}

/// Proves: F-19, R-3, R-5, R-6, R-7, R-8, R-9, R-12, R-42.
#[test]
fn f_12_f_13_f_21_impossible_comparisons_are_refused_whatever_is_stored() {
    on_every_store(|server| {
        for filter in [
            "active gt true",
            "active co \"t\"",
            "active eq \"true\"",
            "active eq 1",
            "userName eq 1",
            "userName gt null",
            "userName co null",
            "meta.created eq \"yesterday\"",
            "meta.created sw \"2020\"",
            "x509Certificates.value gt \"AQ==\"",
            "name eq \"x\"",
            "name co \"x\"",
            "addresses eq \"x\"",
            "bogus eq \"x\"",
            "department eq \"x\"",
            "name.bogus pr",
            "emails.bogus eq \"x\"",
            "emails[bogus eq \"x\"]",
            "emails[userName eq \"x\"]",
            "emails.value[type eq \"x\"]",
            "userName[value eq \"x\"]",
            // Hidden by what stands before it.
            "userName pr or active gt true",
            "userName eq \"nobody\" and bogus pr",
        ] {
            server.filter("/Users", filter).fails(400, "invalidFilter");
        }
        for filter in [
            "ports eq \"4\"",
            "ports co 4",
            "weight sw 1",
            "builtAt co \"2\"",
            "fingerprint ge \"AQ==\"",
            "enabled lt false",
        ] {
            server.filter("/Gadgets", filter).fails(400, "invalidFilter");
        }
    });
}

#[test]
fn f_11_f_22_f_32_r_4_numbers_and_what_is_shown_on_request_are_compared() {
    on_every_store(|server| {
        for (name, more) in [
            ("nine", json!({"ports": 9, "weight": 1.5, "notes": "cold"})),
            ("ten", json!({"ports": 10, "weight": 1e2})),
        ] {
            server.create("/Gadgets", with(gadget(name), more));
        }
        let found = |filter: &str| {
            let list = server.filter("/Gadgets", filter).is(200);
            list.names("name").join(" ")
        };
        assert_eq!(found("ports gt 9"), "ten");
        assert_eq!(found("ports ge 9.0"), "nine ten");
        assert_eq!(found("weight eq 100"), "ten");
        assert_eq!(found("weight lt 2"), "nine");
        assert_eq!(found("notes eq \"COLD\""), "nine");
        // What is always shown, though nobody has set it.
        assert_eq!(found("state eq null"), "nine ten");
        // F-22: each with the case of its own attribute.
        server.create(
            "/Gadgets",
            with(
                gadget("arm"),
                json!({"serial": "Sn-1", "codes": ["Ab"], "tags": ["Red"],
            "parts": [{"value": "Motor", "sku": "Sk-1"}]}),
            ),
        );
        assert_eq!(found("serial eq \"Sn-1\" and codes co \"b\" and parts.sku ew \"k-1\""), "arm");
        assert_eq!(found("serial sw \"SN\" or codes eq \"AB\" or parts.sku eq \"sk-1\" or parts[sku sw \"sk\"]"), "");
        assert_eq!(found("tags eq \"RED\" and parts.value eq \"MOTOR\" and parts[value co \"OTO\"]"), "arm");
        // of simple values, `value` is the value itself.
        assert_eq!(found("tags[value eq \"red\"]"), "arm");
        assert_eq!(found("codes[value eq \"ab\"]"), "");
        // text without a letter is no value.
        server.create(
            "/Gadgets",
            with(gadget("leg"), json!({"order": "", "tags": [""], "parts": [{}, {"value": null}]})),
        );
        assert_eq!(found("name eq \"leg\" and (order pr or parts pr)"), "");
    });
}

#[test]
fn f_25_meta_and_memberships_are_compared() {
    on_every_store(|server| {
        let [ada, bob, _] = people(server);
        let team = server.create("/Groups", group("team", &[ada.id(), bob.id()]));
        assert_eq!(server.found(&format!("groups.value eq \"{}\"", team.id())), ["ada", "bob"]);
        assert_eq!(server.found("groups pr"), ["ada", "bob"]);
        assert_eq!(server.found("groups.display eq \"TEAM\""), ["ada", "bob"]);
        assert_eq!(server.found("meta.resourceType eq \"User\"").len(), 3);
        assert_eq!(server.found("meta.resourceType eq \"user\"").len(), 0);
        assert_eq!(server.found("meta.created gt \"2020-01-01T00:00:00Z\"").len(), 3);
        assert_eq!(server.found("meta.lastModified lt \"2020-01-01T00:00:00Z\"").len(), 0);
        let read = server.get(bob.path()).is(200);
        let modified = read["meta"]["lastModified"].as_str().unwrap();
        assert!(server.found(&format!("meta.lastModified ge \"{modified}\"")).contains(&"bob".to_owned()));
        assert!(!server.found(&format!("meta.lastModified gt \"{modified}\"")).contains(&"bob".to_owned()));
        assert_eq!(server.found(&format!("id eq \"{}\" and meta.lastModified eq \"{modified}\"", bob.id())), ["bob"]);
        let location = read["meta"]["location"].as_str().unwrap();
        assert_eq!(server.found(&format!("meta.location eq \"{location}\"")), ["bob"]);
        let version = read.etag().replace('"', "\\\"");
        assert_eq!(server.found(&format!("id eq \"{}\" and meta.version eq \"{version}\"", bob.id())), ["bob"]);
        let groups = |filter: &str| server.filter("/Groups", filter).is(200)["totalResults"].clone();
        assert_eq!(groups(&format!("members.value eq \"{}\"", ada.id())), 1);
        assert_eq!(groups(&format!("members[value eq \"{}\" and type eq \"User\"]", ada.id())), 1);
        assert_eq!(groups("members.value eq \"nobody\""), 0);
        assert_eq!(groups("displayName eq \"TEAM\" and members pr"), 1);
    });
}

#[test]
fn f_30_i_1_text_is_prepared_before_it_is_compared() {
    on_every_store(|server| {
        server.create("/Users", with(user("José"), json!({"title": "ＡＢＣ", "nickName": "ﬁre"})));
        for filter in [
            "userName eq \"jose\u{301}\"",
            "userName eq \"JOSÉ\"",
            "title eq \"abc\"",
            "title ew \"Ｃ\"",
            "userName sw \"JOSE\u{301}\"",
        ] {
            assert_eq!(server.found(filter), ["José"], "{filter}");
        }
        assert!(server.found("userName eq \"jose\"").is_empty());
    });
}

#[test]
fn e_14_filters_are_decoded_once() {
    on_every_store(|server| {
        server.create("/Users", user("a+b"));
        server.create("/Users", user("a b"));
        server.create("/Users", user("a%2Bb"));
        server.create("/Users", user("ünï"));
        for (query, wanted) in [
            ("userName%20eq%20%22a%2Bb%22", "a+b"),
            ("userName+eq+%22a%2bb%22", "a+b"),
            ("userName+eq+%22a+b%22", "a b"),
            ("userName%20eq%20%22a%20b%22", "a b"),
            ("userName+eq+%22a%252Bb%22", "a%2Bb"),
            ("userName+eq+%22%C3%BCn%C3%AF%22", "ünï"),
            ("userName%20eq%20\"ünï\"", "ünï"),
        ] {
            let query = query.replace('"', "%22");
            assert_eq!(server.get(format!("/Users?filter={query}")).is(200).names("userName"), [wanted], "{query}");
        }
    });
}

#[test]
fn f_31_r_14_c_11_u_6_sec_5_secrets_cannot_be_filtered_by() {
    on_every_store(|server| {
        server.create("/Users", with(user("ada"), json!({"password": PASSWORD})));
        for filter in ["password pr", "PASSWORD eq \"x\"", "userName pr or not (password sw \"t\")"] {
            let refused = server.filter("/Users", filter).fails(403, "sensitive");
            assert_eq!(refused["status"], "403");
        }
        server.filter("/Gadgets", "secret eq \"s\"").fails(403, "sensitive");
    });
    let catalog = Catalog::standard()
        .with_schema(&json!({"id": "urn:x:More", "attributes": [
            {"name": "safe", "type": "complex", "subAttributes": [
                {"name": "value"}, {"name": "pin", "returned": "never"}]}]}))
        .unwrap()
        .with_extension("User", "urn:x:More", false)
        .unwrap();
    Setup { catalog, ..Setup::default() }.on_every_store(|server| {
        let body = json!({"safe": {"value": "v", "pin": "1"}});
        server
            .create("/Users", with(user("ada"), json!({"urn:x:More": body["safe"].as_object().map(|_| body.clone())})));
        for filter in ["urn:x:More:safe.pin eq \"1\"", "urn:x:More:safe[value eq \"v\" and pin sw \"1\"]"] {
            server.filter("/Users", filter).fails(403, "sensitive");
        }
        assert_eq!(server.found("urn:x:More:safe.value eq \"v\""), ["ada"]);
    });
}

#[test]
fn f_34_filters_have_bounds() {
    on_every_store(|server| {
        server.create("/Users", user("ada"));
        let deep = |depth: usize| format!("{}userName pr{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(server.found(&deep(10)), ["ada"]);
        let long = vec!["userName pr"; 100].join(" or ");
        assert_eq!(server.found(&long), ["ada"]);
        let not = format!("{}userName pr{}", "not (".repeat(10_000), ")".repeat(10_000));
        let or = vec!["userName pr"; 10_000].join(" or ");
        for filter in [deep(10_000), not, or, format!("userName eq \"{}\"", "x".repeat(100_000))] {
            let body = json!({"schemas": [urns::SEARCH_REQUEST], "filter": filter});
            server.post("/Users/.search", body).fails(400, "invalidFilter");
        }
        server.filter("/Users", &deep(5000)).fails(400, "invalidFilter");
        server.filter("/Users", &vec!["userName pr"; 1000].join(" or ")).fails(400, "invalidFilter");
    });
}

/// Proves: R-15.
#[test]
fn a_tolerant_profile_takes_what_clients_send() {
    let profile = Profile::strict().with(Quirk::UnquotedFilterValues).with(Quirk::AttributeAfterBracket);
    Setup::default().profile(profile.with(Quirk::FilterBooleanStrings)).on_every_store(|server| {
        people(server);
        for (filter, wanted) in [
            ("userName eq ada", "ada"),
            ("emails[type eq \"work\"].value eq \"bob@home.org\"", "bob"),
            ("active eq \"True\"", "ada"),
            ("active eq \"fALSE\"", "bob"),
        ] {
            assert_eq!(server.found(filter).join(" "), wanted, "{filter}");
        }
        server.filter("/Users", "active eq \"yes\"").fails(400, "invalidFilter");
        let answer = server.filter("/Users", "userName eq ada").is(200);
        assert_eq!(answer["totalResults"], Value::from(1));
    });
}
