//! The administrator's hand: what other parts of the product do in the same database, for which the program has no
//! command. A first sign-in makes an account just in time; an administrator makes teams, switches accounts off and
//! reads training records.

use scimwright_core::Selection;
use scimwright_service::{Context, Operation, Service};
use scimwright_store::{Key, Members};
use securecodinghub::database::{Database, Opened};
use securecodinghub::endpoint::{context, service};
use securecodinghub::people::People;
use securecodinghub::settings::Settings;
use serde_json::Value;

pub struct Hand {
    service: Service,
    context: Context,
    runtime: tokio::runtime::Runtime,
}

impl Hand {
    pub fn new(database: &Database, organisation: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Opened { directory, store } = runtime.block_on(database.open()).unwrap();
        let organisation = runtime.block_on(directory.organisation(organisation)).unwrap();
        Self {
            service: service(&Settings::default(), store).unwrap(),
            context: context(&organisation, "admin", "http://hub.example", People::by_hand(&organisation)).unwrap(),
            runtime,
        }
    }

    /// Makes a resource that SCIM does not manage, and tells its id.
    #[track_caller]
    pub fn make(&self, kind: &str, body: Value) -> String {
        let resource_type = self.service.resource_type(kind).unwrap();
        let made = self.run(Operation::Create { resource_type, body, selection: Selection::default() });
        super::text(&made, "id")
    }

    /// Makes so many users in little time, and tells their ids.
    pub fn make_many(&self, number: usize) -> Vec<String> {
        let resource_type = self.service.resource_type("User").unwrap();
        let mut making = tokio::task::JoinSet::new();
        // Fewer at a time than would wait too long for a connection.
        let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(200));
        for number in 0..number {
            let (service, context) = (self.service.clone(), self.context.clone());
            let body = super::named(&format!("one of many {number}"));
            let create =
                Operation::Create { resource_type: resource_type.clone(), body, selection: Selection::default() };
            // Those that wait together are written together.
            let turns = turns.clone();
            let make = async move {
                let _turn = turns.acquire_owned().await.unwrap();
                service.handle(&context, create).await
            };
            making.spawn_on(make, self.runtime.handle());
        }
        let replies = self.runtime.block_on(making.join_all());
        replies.into_iter().map(|reply| super::text(&Value::Object(reply.unwrap().body.unwrap()), "id")).collect()
    }

    /// Changes a resource, and leaves it as little managed as it was.
    #[track_caller]
    pub fn patch(&self, kind: &str, id: &str, body: Value) -> Value {
        let (resource_type, id) = (self.service.resource_type(kind).unwrap(), id.to_owned());
        self.run(Operation::Patch { resource_type, id, body, selection: Selection::default(), expect: None })
    }

    /// The training record that an account goes with.
    #[track_caller]
    pub fn training_record(&self, id: &str) -> String {
        let key = Key::new("User", id);
        let read = self.service.store().get(&self.context.tenant, &key, Members::None);
        let record = self.runtime.block_on(read).unwrap().unwrap();
        super::text(&Value::Object(record.notes), "learner")
    }

    #[track_caller]
    fn run(&self, operation: Operation) -> Value {
        let reply = self.runtime.block_on(self.service.handle(&self.context, operation)).unwrap();
        reply.body.map(Value::Object).unwrap_or_default()
    }
}
