//! Crash points: the store fails around its commits, and what the service says over it stays true.

use std::sync::Arc;
use std::thread;

use pollster::block_on;
use scimwright_core::Selection;
use scimwright_service::{Context, Operation, Service};
use scimwright_store::{Members, Store, StoreError};
use serde_json::{Value, json};

use super::Subject;
use super::asked::{Asked, query};
use super::at::{At, group_key, user_key};
use super::failing::{Failing, Moment};
use super::log::verified;
use super::sample::{CATALOG, change, group, join, resource_type, user};

/// A service over a store that fails, and a look at what that store has.
struct Served {
    service: Service,
    failing: Arc<Failing>,
    at: At,
}

/// What a client asks, once or more often until there is an answer.
#[derive(Clone, Copy, Debug)]
enum Ask<'a> {
    Create(&'a str),
    Replace(&'a str, &'a str),
    Title(&'a str, &'a str),
    Join(&'a str, &'a str),
    Leave(&'a str, &'a str),
    Delete(&'a str),
}

impl Served {
    fn new(subject: &Subject) -> Self {
        let at = At::new(subject);
        at.does([user("1", "ada"), user("2", "grace"), group("g", &["1"])]);
        Self::over(at)
    }

    fn over(at: At) -> Self {
        let failing = Arc::new(Failing::over(Arc::clone(&at.store)));
        let store: Arc<dyn Store> = Arc::clone(&failing) as Arc<dyn Store>;
        Self { service: Service::over(CATALOG.clone(), store), failing, at }
    }

    /// The status that a client gets. The actor is how the log names him.
    fn status(&self, actor: &str, ask: Ask<'_>) -> u16 {
        let context = Context::new(self.at.whose.clone(), actor, "https://scim.example/v2");
        match block_on(self.service.handle(&context, operation(ask))) {
            Ok(reply) => reply.status,
            Err(error) => error.status(),
        }
    }

    /// The same again and again, until the answer is one.
    fn insist(&self, actor: &str, ask: Ask<'_>) -> (usize, u16) {
        for attempt in 1..1_000 {
            let status = self.status(actor, ask);
            if status != 503 {
                return (attempt, status);
            }
        }
        panic!("{actor} was never answered");
    }

    /// What every record says but for versions and times, all at one moment.
    fn said(&self) -> Vec<Value> {
        let all = Asked { members: Members::All, ..Asked::everything(usize::MAX) };
        let records = self.at.find(&query(&all, &["User", "Group"])).records;
        let said = records.into_iter().map(|mut record| {
            record.resource.take("meta");
            // A user that was made by the service has an id that follows from the time.
            let id = record.resource.take("id").filter(|id| id.as_str().is_some_and(|id| id.len() < 3));
            json!([id, record.resource.as_map(), record.members, record.member_count])
        });
        said.collect()
    }
}

fn operation(ask: Ask<'_>) -> Operation {
    let (users, groups, selection) = (resource_type("User"), resource_type("Group"), Selection::default());
    let of_user = |name: &str| json!({"schemas": [users.schema.id.as_str()], "userName": name, "title": name});
    let patch = |operation: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    let value = |id: &str| json!([{"value": id}]);
    match ask {
        Ask::Create(name) => Operation::Create { body: of_user(name), resource_type: users, selection },
        Ask::Replace(id, name) => {
            Operation::Replace { body: of_user(name), resource_type: users, id: id.into(), selection, expect: None }
        }
        Ask::Title(id, title) => {
            let body = patch(json!({"op": "replace", "path": "title", "value": title}));
            Operation::Patch { resource_type: users, id: id.into(), body, selection, expect: None }
        }
        Ask::Join(id, user) => {
            let body = patch(json!({"op": "add", "path": "members", "value": value(user)}));
            Operation::Patch { resource_type: groups, id: id.into(), body, selection, expect: None }
        }
        Ask::Leave(id, user) => {
            let body = patch(json!({"op": "remove", "path": format!("members[value eq \"{user}\"]")}));
            Operation::Patch { resource_type: groups, id: id.into(), body, selection, expect: None }
        }
        Ask::Delete(id) => Operation::Delete { resource_type: users, id: id.into(), expect: None },
    }
}

/// What is asked of a fresh tenant, what comes of it, and what comes of it when it has happened before.
const ASKS: [(Ask<'static>, u16, u16); 6] = [
    (Ask::Create("jean"), 201, 409),
    (Ask::Replace("1", "augusta"), 200, 200),
    (Ask::Title("1", "Countess"), 200, 200),
    (Ask::Join("g", "2"), 200, 200),
    (Ask::Leave("g", "1"), 200, 200),
    (Ask::Delete("1"), 204, 404),
];

/// What a tenant says after an operation that nothing went wrong with.
fn undisturbed(subject: &Subject, ask: Ask<'_>, status: u16) -> Vec<Value> {
    let served = Served::new(subject);
    assert_eq!(served.status("undisturbed", ask), status, "{ask:?}");
    served.said()
}

/// The store fails before it commits: the client hears of it, nothing has happened, and asking again does what was asked, once.
pub fn what_fails_before_its_commit_has_not_happened(subject: &Subject) {
    for (ask, status, _) in ASKS {
        let served = Served::new(subject);
        let before = served.at.everything();
        served.failing.fail_next(Moment::Before);
        assert_eq!(served.status("first", ask), 503, "{ask:?}");
        assert_eq!(served.at.everything(), before, "{ask:?}");
        assert_eq!(served.status("second", ask), status, "{ask:?}");
        assert_eq!(served.said(), undisturbed(subject, ask, status), "{ask:?}");
        let log = served.at.log(1, 9);
        assert_eq!(log.iter().map(|logged| logged.event.actor.as_str()).collect::<Vec<_>>(), ["second"]);
    }
}

/// The store fails when it has committed: the client cannot know, but it has happened wholly, with one entry in the log; asking again
/// changes nothing more.
pub fn what_fails_after_its_commit_has_happened_once(subject: &Subject) {
    for (ask, status, again) in ASKS {
        let wanted = undisturbed(subject, ask, status);
        // Some writes are read again before they are answered, and that may fail as well.
        let of_group = matches!(ask, Ask::Join(..) | Ask::Leave(..));
        for moment in [Some(Moment::After), Some(Moment::Reading).filter(|_| of_group)].into_iter().flatten() {
            let served = Served::new(subject);
            served.failing.fail_next(moment);
            assert_eq!(served.status("first", ask), 503, "{ask:?} {moment:?}");
            assert_eq!(served.said(), wanted, "{ask:?} {moment:?}");
            assert_eq!(served.at.log(1, 9).len(), 1, "{ask:?} {moment:?}");
            assert_eq!(served.status("second", ask), again, "{ask:?} {moment:?}");
            assert_eq!(served.said(), wanted, "{ask:?} {moment:?}");
            assert_eq!(verified(&served.at).position, served.at.position());
        }
    }
}

/// Whoever waits for a commit goes away in the middle of it: it happens wholly or not at all, and asking again makes it happen, once.
pub fn what_is_given_up_during_its_commit_is_whole_or_not_there(subject: &Subject) {
    for (ask, status, again) in ASKS {
        let wanted = undisturbed(subject, ask, status);
        let served = Served::new(subject);
        let before = served.said();
        served.failing.fail_next(Moment::During);
        assert_eq!(served.status("first", ask), 503, "{ask:?}");
        let now = served.said();
        assert!(now == before || now == wanted, "{ask:?}: {now:?}");
        let (_, answer) = served.insist("second", ask);
        assert!(answer == status || answer == again, "{ask:?}: {answer}");
        assert_eq!(served.said(), wanted, "{ask:?}");
        verified(&served.at);
    }
}

/// A commit that nobody waits for leaves a store that works, and is whole or not there.
pub fn a_commit_that_nobody_waits_for_is_whole_or_not_there(subject: &Subject) {
    let at = At::new(subject);
    at.does([user("1", "ada"), group("g", &[])]);
    let failing = Failing::over(Arc::clone(&at.store));
    for number in 0..20 {
        let (left, right) = (format!("{number}-left"), format!("{number}-right"));
        failing.fail_next(Moment::During);
        let both = change([user(&left, &left), user(&right, &right), join("g", &[&left, &right])]);
        let done = block_on(failing.commit(&at.whose, both));
        assert!(matches!(done, Err(StoreError::Unavailable(_))), "{done:?}");
        let group = at.record(&group_key("g"));
        assert_eq!((group.members.len() % 2, group.member_count), (0, group.members.len() as u64));
        at.does([join("g", &["1"]), super::at::members("g", super::at::leaving(&["1"]))]);
    }
    assert_eq!(at.ids("User", "").len() % 2, 1);
    verified(&at);
}

/// So many clients, each of which asks for so many things of every kind.
const CLIENTS: usize = 4;
const TURNS: usize = 6;

/// The store fails at one of three commits while several clients ask, each until he is answered: nothing that was acknowledged is lost,
/// nothing is there twice, and the log has an entry for every commit.
pub fn nothing_acknowledged_is_lost_while_the_store_fails(subject: &Subject) {
    let served = Served::new(subject);
    served.failing.fail_often(7);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn({
                    let served = &served;
                    move || (0..TURNS).for_each(|turn| one_turn(served, client, turn))
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    served.failing.recover();
    for client in 0..CLIENTS {
        for turn in 0..TURNS {
            let found = served.at.ids("User", &format!("userName eq \"{client}-{turn}\""));
            assert_eq!(found.len(), 1, "{client}-{turn}");
            let record = served.at.record(&user_key(&found[0]));
            let there = if turn % 2 == 0 { vec!["g"] } else { vec![] };
            let groups: Vec<_> = record.member_of.iter().map(|membership| membership.group.id.as_str()).collect();
            assert_eq!((record.resource.get("title"), groups), (Some(&json!("last")), there), "{client}-{turn}");
        }
    }
    let members = served.at.record(&group_key("g"));
    assert_eq!(
        (members.member_count, members.members.len()),
        (1 + (CLIENTS * TURNS / 2) as u64, 1 + CLIENTS * TURNS / 2)
    );
    verified(&served.at);
}

/// A user comes, gets a title, joins, and leaves again in every other turn.
fn one_turn(served: &Served, client: usize, turn: usize) {
    let name = format!("{client}-{turn}");
    let ask = |what: &str, ask: Ask<'_>, wanted: &[u16]| {
        let actor = format!("{name} {what}");
        let (attempts, status) = served.insist(&actor, ask);
        assert!(
            wanted.contains(&status) && (attempts > 1 || status == wanted[0]),
            "{actor}: {status} after {attempts}"
        );
        let entries = served.at.log(0, usize::MAX).into_iter().filter(|logged| logged.event.actor == actor).count();
        let done = served.failing.done_by(&actor);
        assert!((done.written..=done.written + done.open).contains(&entries), "{actor}: {entries} for {done:?}");
        assert!(entries > 0 && (attempts > 1 || entries == 1), "{actor}: {entries} after {attempts}");
    };
    ask("create", Ask::Create(&name), &[201, 409]);
    let id = served.at.ids("User", &format!("userName eq \"{name}\"")).concat();
    ask("title", Ask::Title(&id, "first"), &[200]);
    ask("join", Ask::Join("g", &id), &[200]);
    ask("again", Ask::Title(&id, "last"), &[200]);
    if turn % 2 == 1 {
        ask("leave", Ask::Leave("g", &id), &[200]);
    }
}
