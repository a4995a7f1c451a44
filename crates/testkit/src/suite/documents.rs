//! What is written is what is read: documents, notes, names and identifiers of every kind.

use scimwright_core::fold;
use scimwright_store::{Draft, Key, Members, Query, Version};
use serde_json::{Map, Value, json};

use super::Subject;
use super::at::{At, insert, keyed, replace, titled, user_key};
use super::sample::{draft, resource_type, user};

/// Texts that databases, drivers and JSON have trouble with.
const HARD: [&str; 16] = [
    "",
    " ",
    "a\u{0}b",
    "\u{0}",
    "\u{1}\u{1}\u{0}\u{1}\u{2}",
    "a\r\n\tb",
    "\\u0000 \\x00 \\",
    "'; DROP TABLE scim_record; --",
    "\"$1\" ?1 :a @b %s {}",
    "%_[a-z]*",
    "\u{feff}bom",
    "\u{10ffff}\u{fffd}\u{fffe}",
    "e\u{301} \u{e9}",
    "\u{202e}right to left",
    "\u{1f469}\u{200d}\u{1f680}",
    "NULL",
];

/// A user whose every text is that one.
fn hard(id: &str, text: &str) -> Draft {
    let mut draft = draft(&resource_type("User"), id, json!({"userName": format!("user {id}")}));
    draft.resource.put("title", text.into());
    draft.resource.put("emails", json!([{"value": text, "display": text}]));
    draft.index.extend([
        super::at::index_key("emails.value", &fold(text), scimwright_store::Scope::Many),
        super::at::index_key(text, id, scimwright_store::Scope::Tenant),
    ]);
    draft.display = Some(text.to_owned());
    draft.notes = Map::from_iter([(text.to_owned(), json!([text, {text: null}]))]);
    draft
}

/// A document comes back as it was written, but for `id` and `meta`, with its notes; so does one that was written over it.
pub fn a_document_comes_back_as_it_was_written(subject: &Subject) {
    let at = At::new(subject);
    let same = |wanted: &Draft, version: u64| {
        let mut record = at.record(&wanted.key);
        record.resource.take("id");
        record.resource.take("meta");
        assert_eq!(record.resource, wanted.resource);
        assert_eq!((record.notes, record.version), (wanted.notes.clone(), Version(version)));
    };
    let mut ada = titled("1", "ada", "Countess");
    ada.resource
        .put("x", json!({"b": [1, -7, 0.5, true, null, {"": []}], "a": {}, "large": u64::MAX, "small": i64::MIN}));
    ada.notes =
        Map::from_iter([("seen".to_owned(), json!({"by": ["one", 2, null]})), ("\u{e9}".to_owned(), Value::Null)]);
    at.does([insert(ada.clone())]);
    same(&ada, 1);
    let plain = titled("1", "ada", "");
    at.does([replace(plain.clone(), Version(1))]);
    same(&plain, 2);
    at.does([replace(ada.clone(), Version(2))]);
    same(&ada, 3);
    // A record may be nearly nothing.
    let mut nothing = keyed("User", "2", &[]);
    nothing.resource = scimwright_core::Resource::default();
    at.does([insert(nothing.clone())]);
    same(&nothing, 4);
}

/// Every text that JSON can hold can be stored: NUL, quotes, what looks like SQL, and characters beyond 16 bits.
pub fn hard_texts_come_back_as_they_are(subject: &Subject) {
    let at = At::new(subject);
    for (number, text) in HARD.into_iter().enumerate() {
        let wanted = hard(&number.to_string(), text);
        at.does([insert(wanted.clone())]);
        let record = at.record(&wanted.key);
        assert_eq!(record.resource.get("title"), Some(&json!(text)));
        assert_eq!(record.resource.get("emails"), wanted.resource.get("emails"), "{text:?}");
        assert_eq!(record.notes, wanted.notes);
        // A key is found by its value.
        let literal = Value::from(text);
        let found = at.ids("User", &format!("emails.value eq {literal}"));
        assert!(found.contains(&number.to_string()), "{text:?} found {found:?}");
    }
}

/// The same as the `id` of a group, of its member, and as names that show at the other side.
pub fn hard_texts_name_records(subject: &Subject) {
    let at = At::new(subject);
    for text in HARD.into_iter().filter(|text| !text.is_empty()) {
        let (group, id) = (format!("group {text}"), format!("{text} user"));
        let mut made = keyed("Group", &group, &[]);
        made.display = Some(text.to_owned());
        let mut members = super::sample::joining(&[&id]);
        members.join[0].display = Some(text.to_owned());
        at.does([insert(keyed("User", &id, &[])), scimwright_store::Write::Insert { draft: made, members }]);
        let record = at.find_record(&Key::new("Group", &group), Members::Named(vec![id.clone()])).unwrap();
        let shown = record.members.first().map(|member| (member.id.as_str(), member.display.as_deref()));
        assert_eq!((shown, record.member_count), (Some((id.as_str(), Some(text))), 1), "{text:?}");
        let seen = at.record(&user_key(&id)).member_of;
        assert_eq!(seen.len(), 1, "{text:?}");
        assert_eq!((seen[0].group.id.as_str(), seen[0].display.as_deref()), (group.as_str(), Some(text)));
        at.does([super::at::delete(user_key(&id))]);
        assert_eq!(at.record(&Key::new("Group", &group)).member_count, 0, "{text:?}");
    }
}

/// Ids that differ in case, in accents or in blanks only are the ids of different records; so are types.
pub fn ids_are_compared_as_they_are(subject: &Subject) {
    let at = At::new(subject);
    let ids = ["a", "A", "a ", " a", "a\u{301}", "\u{e1}", "\u{c1}", "a\u{0}", "\u{ff41}", "1", "01", "1.0"];
    for id in ids {
        at.does([insert(keyed("User", id, &[]))]);
    }
    let mut sorted = ids;
    sorted.sort_unstable();
    assert_eq!(at.ids("User", ""), sorted);
    for (number, id) in ids.into_iter().enumerate() {
        assert_eq!(at.record(&user_key(id)).version, Version(number as u64 + 1), "{id:?}");
        assert!(!at.is_there(&Key::new("user", id)) && !at.is_there(&Key::new("Use", id)));
        assert_eq!(at.ids("User", &format!("id eq {}", Value::from(id))), [id]);
    }
    // A group whose members differ in case only.
    at.does([super::sample::group("g", &["A", "a"])]);
    assert_eq!(at.record(&Key::new("Group", "g")).member_count, 2);
    at.does([super::at::delete(user_key("A"))]);
    let left = at.record(&Key::new("Group", "g")).members;
    assert_eq!(left.into_iter().map(|member| member.id).collect::<Vec<_>>(), ["a"]);
}

/// A document of a megabyte is a document.
pub fn large_documents_are_documents(subject: &Subject) {
    let at = At::new(subject);
    let mut large = titled("1", "ada", &"x\u{e9}".repeat(400_000));
    let emails: Vec<_> = (0..2_000).map(|at| json!({"value": format!("{at}@example.com")})).collect();
    large.resource.put("emails", emails.into());
    large.notes.insert("large".to_owned(), "n".repeat(200_000).into());
    at.does([insert(large.clone()), user("2", "grace")]);
    let record = at.record(&user_key("1"));
    assert_eq!(
        (record.resource.get("title"), record.resource.get("emails")),
        (large.resource.get("title"), large.resource.get("emails"))
    );
    assert_eq!(record.notes, large.notes);
    assert_eq!(at.find(&Query::new(resource_type("User"), 1)).records, [record]);
}

/// The name for people is what it was written as, whatever the document says; none is none.
pub fn the_name_for_people_is_the_draft_s(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), super::sample::group("g", &["1"])]);
    for (number, name) in [Some("other"), None, Some(""), Some("the g")].into_iter().enumerate() {
        let mut group = draft(&resource_type("Group"), "g", json!({"displayName": "in the document"}));
        group.display = name.map(str::to_owned);
        at.does([replace(group, Version(number as u64 + 1))]);
        let seen = at.record(&user_key("1")).member_of;
        assert_eq!(seen[0].display.as_deref(), name);
    }
}
