use super::*;

fn seen(status: u16, etag: &str, body: Value) -> Seen {
    Seen { status, etag: Some(etag.to_owned()), body }
}

#[test]
fn answers_are_read() {
    let user = json!({"id": "1", "userName": "ada", "title": "7", "meta": {}});
    let of_user = Content::User { name: "ada".to_owned(), title: Some(7) };
    let shown = Shown { id: "1".to_owned(), version: 12, content: of_user };
    assert_eq!(Shown::read(&seen(200, "W/\"12\"", user.clone())), Some(shown.clone()));
    assert_eq!(Shown::read(&seen(200, "W/\"12-0a1b2c3d\"", user)), Some(shown));
    let group = json!({"id": "2", "displayName": "team", "members": [{"value": "1"}, {"value": "3"}]});
    let members = BTreeSet::from(["1".to_owned(), "3".to_owned()]);
    let of_group = Content::Group { name: "team".to_owned(), members };
    let shown = Shown { id: "2".to_owned(), version: 3, content: of_group };
    assert_eq!(Shown::read(&seen(200, "\"3\"", group)), Some(shown));
    for nothing in [json!(null), json!({"status": "404"}), json!({"userName": "x"})] {
        assert_eq!(Shown::read(&seen(404, "W/\"1\"", nothing)), None);
    }
}

#[test]
fn a_group_that_was_written_is_read_again() {
    let answer = seen(200, "W/\"9\"", json!({"id": "g", "displayName": "team", "members": [{"value": "1"}]}));
    let asked = Asked::Join("g".to_owned(), BTreeSet::from(["1".to_owned()]));
    let steps = steps(asked.clone(), Some(8), &answer);
    let [write, read] = steps.as_slice() else { panic!("{steps:?}") };
    assert_eq!((&write.asked, write.if_match, write.status, &write.shown), (&asked, Some(8), 200, &None));
    assert_eq!((&read.asked, read.if_match, read.status), (&Asked::Read("g".to_owned()), None, 200));
    assert_eq!(read.shown.as_ref().map(|shown| shown.version), Some(9));
}

#[test]
fn a_user_that_was_written_is_what_the_answer_shows() {
    let answer = seen(201, "W/\"9\"", json!({"id": "1", "userName": "ada"}));
    let asked = Asked::Create(Content::User { name: "ada".to_owned(), title: None });
    let steps = steps(asked, None, &answer);
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].made.as_deref(), Some("1"));
    assert_eq!(steps[0].shown.as_ref().map(|shown| shown.version), Some(9));
}

#[test]
fn requests_are_those_of_the_protocol() {
    let request = |asked: Asked| format!("{} {}", asked.method(), asked.body().unwrap_or_default());
    let who = BTreeSet::from(["1".to_owned()]);
    insta::assert_snapshot!(request(Asked::Join("g".to_owned(), who)), @r#"PATCH {"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#);
    insta::assert_snapshot!(request(Asked::Leave("g".to_owned(), "1".to_owned())), @r#"PATCH {"Operations":[{"op":"remove","path":"members[value eq \"1\"]"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#);
    insta::assert_snapshot!(request(Asked::Delete("g".to_owned())), @"DELETE null");
}
