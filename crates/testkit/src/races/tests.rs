use std::future::poll_fn;
use std::sync::Mutex;
use std::task::Poll;

use serde_json::json;

use super::*;

/// A server that remembers what was made and nothing else, and thinks a while about each request.
#[derive(Default)]
struct Forgetful {
    made: Mutex<u64>,
}

#[async_trait]
impl Door for Forgetful {
    async fn send(&self, method: &str, path: &str, _if_match: Option<&str>, body: Option<&Value>) -> Seen {
        let mut thinking = 3;
        poll_fn(|context| {
            thinking -= 1;
            context.waker().wake_by_ref();
            if thinking == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let Some(mut body) = body.cloned().filter(|_| method == "POST") else {
            return Seen { status: 404, ..Seen::default() };
        };
        let number = self.made.lock().map(|mut made| {
            *made += 1;
            *made
        });
        let number = number.unwrap_or_default();
        body["id"] = json!(format!("{path} {number}"));
        Seen { status: 201, etag: Some(format!("W/\"{number}\"")), body }
    }
}

const RACE: Race = Race { seed: 7, clients: 3, requests: 10 };

#[test]
fn a_simulation_is_the_same_each_time_and_another_for_another_seed() {
    let history = |seed| Race { seed, ..RACE }.simulate(&Forgetful::default());
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

#[test]
fn clients_meet() {
    let calls = RACE.simulate(&Forgetful::default());
    let meets =
        |call: &Call<Step>| calls.iter().any(|other| other.began < call.began && other.ended > Some(call.began));
    assert!(calls.iter().filter(|call| meets(call)).count() > 10, "{calls:#?}");
    assert!(calls.len() >= 30, "every client has had its say: {}", calls.len());
}

#[test]
fn a_server_that_forgets_is_found_out() {
    let calls = RACE.simulate(&Forgetful::default());
    let why = judge(Rules::default(), &calls).expect_err("what was made is not there");
    assert!(why.contains("none of these can come next"), "{why}");
}
