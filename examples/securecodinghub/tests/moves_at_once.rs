//! Moves, undos and requests that meet: whatever comes when, an organisation is open in one place, and has there what was acknowledged.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use scimwright_core::{ScimError, Selection};
use scimwright_service::{Context, Operation, Service};
use scimwright_store::{
    Change, Committed, Key, Logged, Members, Page, Query, Record, Store, StoreError, TenantId, Transfer,
};
use securecodinghub::directory::DirectoryError;
use securecodinghub::endpoint::{context, service};
use securecodinghub::operations::OperationError;
use securecodinghub::operations::moving::{Road, Step};
use securecodinghub::people::People;
use securecodinghub::settings::Settings;
use support::moving::{Case, STEPS, acme, open_at, seen};
use support::{Hub, named};

const THERE: &str = "--database other.db";

/// A store that says when something is to be committed, and does it when it is told to: a server that is stopped in between.
#[derive(Debug)]
struct Held {
    store: Arc<dyn Transfer>,
    arrived: Mutex<Sender<()>>,
    goes: Mutex<Receiver<()>>,
}

#[async_trait::async_trait]
impl Store for Held {
    async fn get(&self, tenant: &TenantId, key: &Key, members: Members) -> Result<Option<Record>, StoreError> {
        self.store.get(tenant, key, members).await
    }

    async fn find(&self, tenant: &TenantId, query: &Query) -> Result<Page, StoreError> {
        self.store.find(tenant, query).await
    }

    async fn commit(&self, tenant: &TenantId, change: Change) -> Result<Committed, StoreError> {
        self.arrived.lock().unwrap().send(()).unwrap();
        self.goes.lock().unwrap().recv().unwrap();
        self.store.commit(tenant, change).await
    }

    async fn log(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.store.log(tenant, after, limit).await
    }

    async fn fact(&self, tenant: &TenantId, name: &str) -> Result<Option<serde_json::Value>, StoreError> {
        self.store.fact(tenant, name).await
    }
}

/// What a server does that was stopped between the gate and its commit, and goes on when all else is done.
fn late<T: Send>(case: &Case, act: impl AsyncFnOnce(Service, Context) -> T + Send, meanwhile: impl FnOnce()) -> T {
    let organisation = case.runtime.block_on(case.from.directory.organisation("acme")).unwrap();
    let (arrives, arrived) = channel();
    let (go, goes) = channel();
    let held = Held { store: Arc::clone(&case.from.store), arrived: Mutex::new(arrives), goes: Mutex::new(goes) };
    let service = service(&Settings::default(), Arc::new(held)).unwrap();
    let context = context(&organisation, "token 1", "http://hub.example", People::provisioned(&organisation)).unwrap();
    thread::scope(|scope| {
        let late = scope.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(act(service, context))
        });
        arrived.recv().unwrap();
        meanwhile();
        // As often as it tries.
        for _ in 0..10 {
            let _ = go.send(());
        }
        late.join().unwrap()
    })
}

async fn create(service: Service, context: Context) -> Result<u16, ScimError> {
    let resource_type = service.resource_type("Group").unwrap();
    let body = support::team("Late", &[]);
    let create = Operation::Create { resource_type, body, selection: Selection::default() };
    service.handle(&context, create).await.map(|reply| reply.status)
}

async fn refuse(service: Service, context: Context) {
    let error = ScimError::new(400, "the body has ended in the middle");
    service.log_refusal(&context, "create", None, &error).await;
}

#[test]
fn a_request_that_was_let_in_before_the_move_is_not_acknowledged_after_it() {
    for erase in [false, true] {
        let hub = Hub::on_a_file();
        let server = hub.serve("");
        acme(&hub, &server);
        let case = Case::new(&hub);
        let moves = || {
            case.travel(None).unwrap();
            if erase {
                case.erase().unwrap();
            }
        };
        let refused = late(&case, create, moves).unwrap_err();
        assert_eq!(refused.status(), 503, "{refused:?}");
        let tenants = case.runtime.block_on(case.from.store.tenants()).unwrap();
        assert_eq!(tenants.is_empty(), erase);
        assert_eq!(hub.run("doctor --json").status.code(), Some(0));
    }
}

#[test]
fn a_refusal_that_is_late_is_in_no_log() {
    for erase in [false, true] {
        let hub = Hub::on_a_file();
        let server = hub.serve("");
        let organisation = acme(&hub, &server);
        let case = Case::new(&hub);
        let tenant: TenantId = text_id(&case);
        let log = || case.runtime.block_on(case.from.store.log(&tenant, 0, usize::MAX)).unwrap();
        let mut after = Vec::new();
        late(&case, refuse, || {
            case.travel(None).unwrap();
            if erase {
                case.erase().unwrap();
            }
            after = log();
        });
        assert_eq!((log(), after.is_empty()), (after.clone(), erase));
        let tenants = case.runtime.block_on(case.from.store.tenants()).unwrap();
        assert_eq!(tenants.is_empty(), erase);
        drop(organisation);
    }
}

/// The tenant that `acme` is.
fn text_id(case: &Case) -> TenantId {
    case.runtime.block_on(case.from.directory.organisation("acme")).unwrap().id.parse().unwrap()
}

/// Does it on a thread, for a runtime is in use here.
fn aside<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(act).join().unwrap())
}

/// The same way in another process.
fn again(folder: &Path) -> Case {
    Case::between(folder, "securecodinghub.db", "other.db")
}

/// Moves, and after that step lets somebody else act.
fn travel_and(case: &Case, at: Step, act: &(dyn Fn() + Sync)) -> Result<(), OperationError> {
    let acme = case.runtime.block_on(case.from.directory.organisation("acme")).unwrap();
    let mut each = |step| {
        if step == at {
            aside(act);
        }
        Ok(())
    };
    case.runtime.block_on(case.road().travel(&acme, &mut each))
}

#[test]
fn who_decided_on_what_was_there_before_does_not_move_it_elsewhere() {
    for at in STEPS {
        let hub = Hub::on_a_file();
        let server = hub.serve("");
        let organisation = acme(&hub, &server);
        let (elsewhere, third) = (hub.serve(THERE), hub.serve("--database third.db"));
        let case = Case::new(&hub);
        let before = seen(&hub, &server, &organisation, "");
        let stale = case.runtime.block_on(case.from.directory.organisation("acme")).unwrap();
        let folder = hub.path();
        let late = || {
            let other = Case::between(folder, "securecodinghub.db", "third.db");
            let road = Road { there: "third".into(), ..other.road() };
            let refused = other.runtime.block_on(road.travel(&stale, &mut |_| Ok(())));
            let is_refused = matches!(refused, Err(OperationError::Directory(DirectoryError::OtherState { ref name, .. })) if name == "acme");
            assert!(is_refused, "{at:?}: {refused:?}");
        };
        travel_and(&case, at, &late).unwrap();
        assert_eq!(open_at(&[&server, &elsewhere, &third], &organisation), [503, 200, 401], "{at:?}");
        assert_eq!(seen(&hub, &elsewhere, &organisation, THERE), before, "{at:?}");
    }
}

#[test]
fn of_two_moves_at_once_the_later_one_goes_on() {
    for at in STEPS {
        let hub = Hub::on_a_file();
        let server = hub.serve("");
        let organisation = acme(&hub, &server);
        let elsewhere = hub.serve(THERE);
        let case = Case::new(&hub);
        let before = seen(&hub, &server, &organisation, "");
        let folder = hub.path();
        let first = travel_and(&case, at, &|| again(folder).travel(None).unwrap());
        assert_eq!(first.is_ok(), at == Step::Marked, "{at:?}: {first:?}");
        assert_eq!(open_at(&[&server, &elsewhere], &organisation), [503, 200], "{at:?}");
        assert_eq!(seen(&hub, &elsewhere, &organisation, THERE), before, "{at:?}");
        elsewhere.client(&organisation.token).make("/Users", &named("new"));
        assert_eq!(hub.run(&format!("doctor --json {THERE}")).status.code(), Some(0), "{at:?}");
    }
}

#[test]
fn an_undo_stops_the_move_that_is_under_way() {
    for at in STEPS {
        let hub = Hub::on_a_file();
        let server = hub.serve("");
        let organisation = acme(&hub, &server);
        let elsewhere = hub.serve(THERE);
        let case = Case::new(&hub);
        let before = seen(&hub, &server, &organisation, "");
        let arrived = matches!(at, Step::Opened | Step::Marked);
        let folder = hub.path();
        let first = travel_and(&case, at, &|| assert_eq!(again(folder).undo().is_err(), arrived, "{at:?}"));
        assert_eq!(first.is_ok(), arrived, "{at:?}: {first:?}");
        let (open, flags, place) = if arrived { ([503, 200], THERE, &elsewhere) } else { ([200, 401], "", &server) };
        assert_eq!(open_at(&[&server, &elsewhere], &organisation), open, "{at:?}");
        assert_eq!(seen(&hub, place, &organisation, flags), before, "{at:?}");
        place.client(&organisation.token).make("/Users", &named("new"));
        for flags in ["", THERE] {
            let examined = hub.run(&format!("doctor {flags}"));
            assert_eq!(examined.status.code(), Some(0), "{at:?} {flags}: {examined:?}");
        }
    }
}

#[test]
fn a_state_that_is_not_known_is_left_as_it_is() {
    let hub = Hub::on_a_file();
    let server = hub.serve("");
    let organisation = acme(&hub, &server);
    let case = Case::new(&hub);
    case.travel(Some(Step::Copied)).unwrap_err();
    let newer = rusqlite::Connection::open(hub.path().join("other.db")).unwrap();
    newer.execute("UPDATE sch_organisation SET closed = 'something newer'", []).unwrap();
    for refused in [case.travel(None), case.undo()] {
        assert!(refused.is_err());
    }
    let state: String = newer.query_row("SELECT closed FROM sch_organisation", [], |row| row.get(0)).unwrap();
    let kept: u64 = newer.query_row("SELECT count(*) FROM scim_record", [], |row| row.get(0)).unwrap();
    assert!(state == "something newer" && kept > 0, "{state} {kept}");
    assert_eq!(open_at(&[&server], &organisation), [503]);
}
