//! Bulk jobs: what is sent, and what is made of the outcomes.

#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use pollster::block_on;
use scimwright_client::{Bulk, BulkId, BulkResponse, Client, ETag, Error, PatchRequest, Retry};
use scimwright_core::urns;
use scimwright_patch::PatchOptions;
use serde_json::{Value, json};
use support::{BASE, Does, Script, builder, client};

#[test]
fn operations_name_what_the_job_makes() {
    let (client, server) = client([Does::json(200, &json!({"schemas": [urns::BULK_RESPONSE], "Operations": []}))]);
    let (users, groups) = (client.users(), client.groups());
    let mut job = client.bulk().fail_on_errors(1);
    let ada = job.create(&users, &json!({"userName": "ada"}));
    let group = job.create(&groups, &json!({"displayName": "g", "members": [{"value": &ada}]}));
    let message = json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "Ms"}]});
    let patch = PatchRequest::from_json(message.clone(), &PatchOptions::default()).unwrap();
    job.patch(&users, &ada, &patch);
    job.replace(&groups, "7/8", &json!({"displayName": "h", "members": [{"value": &group}]}))
        .if_match(&ETag::new("W/\"1\""));
    job.delete(&users, "9").if_match(&ETag::new("W/\"2\""));
    assert!(block_on(job.send()).unwrap().outcomes.is_empty());

    let plain = |id: &BulkId| id.to_string().trim_start_matches("bulkId:").to_owned();
    let asked = server.asked().remove(0);
    assert_eq!(asked.line, format!("POST {BASE}/Bulk"));
    assert_eq!(
        asked.body,
        json!({"schemas": [urns::BULK_REQUEST], "failOnErrors": 1, "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": plain(&ada), "data": {"schemas": [urns::USER], "userName": "ada"}},
            {"method": "POST", "path": "/Groups", "bulkId": plain(&group), "data": {"schemas": [urns::GROUP], "displayName": "g", "members": [{"value": ada.to_string()}]}},
            {"method": "PATCH", "path": format!("/Users/{ada}"), "data": message},
            {"method": "PUT", "path": "/Groups/7%2F8", "version": "W/\"1\"",
                "data": {"schemas": [urns::GROUP], "displayName": "h", "members": [{"value": group.to_string()}]}},
            {"method": "DELETE", "path": "/Users/9", "version": "W/\"2\""},
        ]})
    );
}

/// Sends a job to a server that answers with these outcomes, in which `#1` stands for the id of the first operation.
fn sent(job: impl FnOnce(&Client, &mut Bulk) -> Vec<BulkId>, answer: &Value) -> (BulkResponse, Vec<BulkId>) {
    let script = Script::new([]);
    let client = builder().retry(Retry::never()).build_over(script.clone()).unwrap();
    let mut bulk = client.bulk();
    let ids = job(&client, &mut bulk);
    let mut answer = answer.to_string();
    for (at, id) in ids.iter().enumerate() {
        answer = answer.replace(&format!("#{}", at + 1), id.to_string().trim_start_matches("bulkId:"));
    }
    script.will(Does::Answer(200, Vec::new(), answer));
    (block_on(bulk.send()).unwrap(), ids)
}

fn two_users(client: &Client, job: &mut Bulk) -> Vec<BulkId> {
    ["one", "two"].iter().map(|name| job.create(&client.users(), &json!({"userName": name}))).collect()
}

#[test]
fn an_id_of_one_job_is_none_of_another() {
    let answer = json!({"Operations": [{"method": "POST", "bulkId": "#1", "status": "201"}, {"method": "POST", "bulkId": "#2", "status": "409"}]});
    let ((first, of_first), (_, of_second)) = (sent(two_users, &answer), sent(two_users, &answer));
    assert!(of_first.iter().all(|id| !of_second.contains(id)));
    assert_eq!(first.of(&of_first[0]).unwrap().status, 201);
    assert_eq!(first.of(&of_second[0]), None);
}

#[test]
fn outcomes_are_known_by_their_id_and_else_by_their_place() {
    let statuses = |answer: Value| {
        let (done, ids) = sent(two_users, &answer);
        ids.iter().map(|id| done.of(id).map(|outcome| outcome.status)).collect::<Vec<_>>()
    };
    let one = |id: Value, status: u16| json!({"method": "POST", "bulkId": id, "status": status.to_string()});
    let nameless = |status: u16| one(Value::Null, status);
    assert_eq!(statuses(json!({"Operations": [one(json!("#2"), 409), one(json!("#1"), 201)]})), [Some(201), Some(409)]);
    assert_eq!(statuses(json!({"Operations": [nameless(201), nameless(409)]})), [Some(201), Some(409)]);
    // One of the two, but nobody knows which.
    assert_eq!(statuses(json!({"Operations": [nameless(201)]})), [None, None]);
    let other = json!({"method": "DELETE", "status": "204"});
    assert_eq!(statuses(json!({"Operations": [other, nameless(409)]})), [None, Some(409)]);
}

#[test]
fn r_29_outcomes_are_read_however_the_status_is_written() {
    let taken = json!({"schemas": [urns::ERROR], "status": "409", "scimType": "uniqueness", "detail": "taken"});
    let answer = json!({"Operations": [
        {"method": "POST", "bulkId": "#1", "version": "W/\"1\"", "location": format!("{BASE}/Users/a%20b"), "status": "201", "response": {"id": "a b"}},
        {"method": "post", "bulkId": "#2", "status": {"code": "409"}, "response": taken},
        {"method": "DELETE", "location": format!("{BASE}/Users/3"), "status": {"code": 204}},
        {"method": "PUT", "location": format!("{BASE}/Users/4"), "status": 412},
    ]});
    let three_users = |client: &Client, job: &mut Bulk| {
        let mut ids = two_users(client, job);
        ids.push(job.create(&client.users(), &json!({"userName": "three"})));
        ids
    };
    let (done, ids) = sent(three_users, &answer);
    let [one, two, three] = &ids[..] else { panic!("{ids:?}") };
    let statuses: Vec<u16> = done.outcomes.iter().map(|outcome| outcome.status).collect();
    assert_eq!(statuses, [201, 409, 204, 412]);
    let made = done.of(one).unwrap();
    assert_eq!((made.id().as_deref(), &made.version, made.check()), (Some("a b"), &Some(ETag::new("W/\"1\"")), Ok(())));
    assert_eq!(made.response, Some(json!({"id": "a b"})));
    let refused = done.of(two).unwrap();
    assert_eq!((refused.method.as_str(), refused.id()), ("POST", None));
    assert_eq!(refused.check().unwrap_err().to_string(), "409 uniqueness: taken");
    assert_eq!(done.of(three), None, "the server stopped before");
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
