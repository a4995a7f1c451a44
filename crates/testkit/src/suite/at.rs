//! A tenant of a store, and the short words in which the cases speak of it.

use std::sync::Arc;

use pollster::block_on;
use scimwright_core::Instant;
use scimwright_store::{
    Change, Committed, Delta, Displaced, Draft, Event, Fact, IndexKey, Key, Logged, Member, Members, Page, Query,
    Record, Scope, Start, Store, StoreError, TenantId, Version, When, Write,
};
use serde_json::{Value, json};

use super::Subject;
use super::sample::{change, draft, filtered, resource_type, tenant};

/// A tenant of a store.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) store: Arc<dyn Store>,
    pub(super) whose: TenantId,
}

/// What a tenant has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Everything {
    users: Page,
    groups: Page,
    log: Vec<Logged>,
    facts: Vec<Option<Value>>,
}

/// The facts that the cases write.
pub(super) const FACTS: [&str; 3] = ["known", "seats", "linked"];

impl At {
    /// A tenant of a new store.
    pub(super) fn new(subject: &Subject) -> Self {
        Self { store: subject.store(), whose: tenant("a") }
    }

    /// Another tenant of the same store.
    pub(super) fn other(&self, name: &str) -> Self {
        Self { store: Arc::clone(&self.store), whose: tenant(name) }
    }

    pub(super) fn change(&self, change: Change) -> Result<Committed, StoreError> {
        block_on(self.store.commit(&self.whose, change))
    }

    pub(super) fn tries(&self, writes: impl IntoIterator<Item = Write>) -> Result<Committed, StoreError> {
        self.change(change(writes))
    }

    /// The writes in one change, which must succeed.
    #[track_caller]
    pub(super) fn does(&self, writes: impl IntoIterator<Item = Write>) -> Committed {
        self.tries(writes).unwrap_or_else(|error| panic!("{}: {error:?}", self.whose))
    }

    #[track_caller]
    pub(super) fn find_record(&self, key: &Key, members: Members) -> Option<Record> {
        block_on(self.store.get(&self.whose, key, members)).unwrap()
    }

    /// A record that must be there, with all its members.
    #[track_caller]
    pub(super) fn record(&self, key: &Key) -> Record {
        self.find_record(key, Members::All).unwrap_or_else(|| panic!("{key} is not in {}", self.whose))
    }

    pub(super) fn is_there(&self, key: &Key) -> bool {
        self.find_record(key, Members::None).is_some()
    }

    #[track_caller]
    pub(super) fn version(&self, key: &Key) -> Version {
        self.record(key).version
    }

    #[track_caller]
    pub(super) fn find(&self, query: &Query) -> Page {
        block_on(self.store.find(&self.whose, query)).unwrap()
    }

    /// The ids of those of a type that a filter selects, in order.
    #[track_caller]
    pub(super) fn ids(&self, type_name: &str, filter: &str) -> Vec<String> {
        let page = self.find(&filtered(type_name, filter));
        page.records.into_iter().map(|record| record.key.id).collect()
    }

    #[track_caller]
    pub(super) fn log(&self, after: u64, limit: usize) -> Vec<Logged> {
        block_on(self.store.log(&self.whose, after, limit)).unwrap()
    }

    #[track_caller]
    pub(super) fn fact(&self, name: &str) -> Option<Value> {
        block_on(self.store.fact(&self.whose, name)).unwrap()
    }

    /// The last position of the log.
    #[track_caller]
    pub(super) fn position(&self) -> u64 {
        self.log(0, usize::MAX).last().map_or(0, |last| last.position)
    }

    #[track_caller]
    pub(super) fn everything(&self) -> Everything {
        let all = |name: &str| {
            let mut query = Query::new(resource_type(name), usize::MAX);
            query.parts[0].members = Members::All;
            query.start = Start::Offset(0);
            self.find(&query)
        };
        Everything {
            users: all("User"),
            groups: all("Group"),
            log: self.log(0, usize::MAX),
            facts: FACTS.map(|name| self.fact(name)).into(),
        }
    }
}

pub(super) fn user_key(id: &str) -> Key {
    Key::new("User", id)
}

pub(super) fn group_key(id: &str) -> Key {
    Key::new("Group", id)
}

/// A user with that title. The title has no index.
pub(super) fn titled(id: &str, user_name: &str, title: &str) -> Draft {
    draft(&resource_type("User"), id, json!({"userName": user_name, "title": title}))
}

/// A record of any type with these keys and nothing else.
pub(super) fn keyed(type_name: &str, id: &str, keys: &[(&str, &str, Scope)]) -> Draft {
    let mut made = draft(&resource_type("User"), id, json!({"userName": "of no account"}));
    made.key = Key::new(type_name, id);
    made.index = keys.iter().map(|(path, value, scope)| index_key(path, value, *scope)).collect();
    made
}

pub(super) fn index_key(path: &str, value: &str, scope: Scope) -> IndexKey {
    IndexKey { path: path.to_owned(), value: value.to_owned(), scope }
}

pub(super) fn insert(draft: Draft) -> Write {
    Write::Insert { draft, members: Delta::default() }
}

pub(super) fn replace(draft: Draft, expect: Version) -> Write {
    Write::Replace { draft, expect, members: Delta::default() }
}

pub(super) fn delete(key: Key) -> Write {
    Write::Delete { key, expect: None }
}

pub(super) fn members(group: &str, members: Delta) -> Write {
    Write::Members { group: group_key(group), members, expect: None }
}

pub(super) fn leaving(ids: &[&str]) -> Delta {
    Delta { leave: ids.iter().map(|id| (*id).to_owned()).collect(), ..Delta::default() }
}

pub(super) fn member(id: &str, type_name: &str) -> Member {
    Member { id: id.to_owned(), resource_type: type_name.to_owned(), display: None }
}

pub(super) fn displaced(group: &str, member: &str) -> Displaced {
    Displaced { group: group.to_owned(), member: member.to_owned() }
}

pub(super) fn fact(name: &str, value: Option<Value>, when: When) -> Fact {
    Fact { name: name.to_owned(), value, when }
}

/// A change at that time.
pub(super) fn at_time(time: Instant, writes: impl IntoIterator<Item = Write>) -> Change {
    let mut change = change(writes);
    change.time = time;
    change
}

/// An event that says what was done.
pub(super) fn event(operation: &str) -> Event {
    let mut event = Event::default();
    event.operation = operation.to_owned();
    event
}
