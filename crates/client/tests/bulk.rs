//! Bulk jobs: what is sent, and what is made of the outcomes.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use scimwright_client::{ETag, Error, PatchRequest};
use scimwright_core::urns;
use scimwright_patch::PatchOptions;
use serde_json::{Value, json};
use support::{BASE, Does, client};

#[test]
fn operations_name_what_the_job_makes() {
    let (client, server) = client([Does::json(200, &json!({"schemas": [urns::BULK_RESPONSE], "Operations": []}))]);
    let (users, groups) = (client.users(), client.groups());
    let mut job = client.bulk().fail_on_errors(1);
    let ada = job.create(&users, &json!({"userName": "ada"}));
    let group = job.create(&groups, &json!({"displayName": "g", "members": [{"value": ada}]}));
    let message = json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "Ms"}]});
    let patch = PatchRequest::from_json(message.clone(), &PatchOptions::default()).unwrap();
    job.patch(&users, &ada, &patch);
    job.replace(&groups, "7/8", &json!({"displayName": "h", "members": [{"value": &group}]}))
        .if_match(&ETag::new("W/\"1\""));
    job.delete(&users, "9").if_match(&ETag::new("W/\"2\""));
    assert!(block_on(job.send()).unwrap().outcomes.is_empty());

    let asked = server.asked().remove(0);
    assert_eq!(asked.line, format!("POST {BASE}/Bulk"));
    assert_eq!(
        asked.body,
        json!({"schemas": [urns::BULK_REQUEST], "failOnErrors": 1, "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": [urns::USER], "userName": "ada"}},
            {"method": "POST", "path": "/Groups", "bulkId": "2", "data": {"schemas": [urns::GROUP], "displayName": "g", "members": [{"value": "bulkId:1"}]}},
            {"method": "PATCH", "path": "/Users/bulkId:1", "data": message},
            {"method": "PUT", "path": "/Groups/7%2F8", "version": "W/\"1\"",
                "data": {"schemas": [urns::GROUP], "displayName": "h", "members": [{"value": "bulkId:2"}]}},
            {"method": "DELETE", "path": "/Users/9", "version": "W/\"2\""},
        ]})
    );
}

#[test]
fn r_29_outcomes_are_read_however_the_status_is_written() {
    let taken = json!({"schemas": [urns::ERROR], "status": "409", "scimType": "uniqueness", "detail": "taken"});
    let answer = json!({"Operations": [
        {"method": "POST", "bulkId": "1", "version": "W/\"1\"", "location": format!("{BASE}/Users/a%20b"), "status": "201", "response": {"id": "a b"}},
        {"method": "post", "bulkId": "2", "status": {"code": "409"}, "response": taken},
        {"method": "DELETE", "location": format!("{BASE}/Users/3"), "status": {"code": 204}},
        {"method": "PUT", "location": format!("{BASE}/Users/4"), "status": 412},
    ]});
    let (client, _) = client([Does::json(200, &answer)]);
    let mut job = client.bulk();
    let one = job.create(&client.users(), &json!({"userName": "one"}));
    let two = job.create(&client.users(), &json!({"userName": "two"}));
    let three = job.create(&client.users(), &json!({"userName": "three"}));
    let done = block_on(job.send()).unwrap();
    let statuses: Vec<u16> = done.outcomes.iter().map(|outcome| outcome.status).collect();
    assert_eq!(statuses, [201, 409, 204, 412]);
    let made = done.of(&one).unwrap();
    assert_eq!((made.id().as_deref(), &made.version, made.check()), (Some("a b"), &Some(ETag::new("W/\"1\"")), Ok(())));
    assert_eq!(made.response, Some(json!({"id": "a b"})));
    let refused = done.of(&two).unwrap();
    assert_eq!((refused.method.as_str(), refused.id()), ("POST", None));
    assert_eq!(refused.check().unwrap_err().to_string(), "409 uniqueness: taken");
    assert_eq!(done.of(&three), None, "the server stopped before");
    let failures: Vec<String> = done.failures().map(|(_, refusal)| refusal.to_string()).collect();
    assert_eq!(failures, ["409 uniqueness: taken", "412"]);
}

#[test]
fn an_outcome_without_a_status_is_none() {
    for operation in
        [json!({}), json!({"status": "fine"}), json!({"status": {"code": null}}), json!({"status": 70_000}), json!(1)]
    {
        let (client, _) = client([Does::json(200, &json!({"Operations": [operation]}))]);
        assert!(matches!(block_on(client.bulk().send()), Err(Error::Malformed { .. })), "{operation}");
    }
}

#[test]
fn a_job_that_cannot_be_made_is_not_sent() {
    let (client, server) = client([]);
    let users = client.resources::<Value>("/Users");
    let mut job = client.bulk();
    job.delete(&users, "").if_match(&ETag::new("x"));
    job.create(&users, &json!({"userName": "ada"}));
    assert!(matches!(block_on(job.send()), Err(Error::Request(_))));
    let mut job = client.bulk();
    job.create(&users, &json!("not an object"));
    assert!(matches!(block_on(job.send()), Err(Error::Request(_))));
    assert_eq!(server.lines(), [""; 0]);
}
