//! Strategies for histories of commits over two tenants, and what they do to a store.

use pollster::block_on;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use scimwright_store::{
    Change, Delta, Draft, Event, Fact, Guard, IndexKey, Key, Member, Members, Scope, Store, TenantId, Version, When,
    Write,
};
use serde_json::{Value, json};

use super::resources::{GROUPS, TIMES, USERS, group, user};
use super::sample::{draft, joining, resource_type, time};

pub(super) const TENANTS: [&str; 2] = ["a", "b"];
pub(super) const FACTS: [&str; 2] = ["seats", "linked"];

/// One of the tenants of a case.
pub(super) fn whose(case: &str, tenant: &str) -> TenantId {
    super::sample::tenant(&format!("{case}-{tenant}"))
}

/// One commit, with versions that are worked out when it is made.
#[derive(Clone, Debug)]
pub(super) struct Step {
    whose: &'static str,
    time: &'static str,
    writes: Vec<Plan>,
    limit: Option<(&'static str, u64)>,
    fact: Option<Known>,
    events: usize,
}

/// A fact that is written or forgotten, and what must be known before.
#[derive(Clone, Debug)]
struct Known {
    name: &'static str,
    value: Option<f64>,
    when: When,
}

#[derive(Clone, Debug)]
enum Plan {
    Insert { body: Body, members: Delta },
    Replace { body: Body, expect: Expect, members: Delta },
    Members { group: Key, members: Delta, expect: Option<Expect> },
    Delete { key: Key, expect: Option<Expect> },
}

#[derive(Clone, Debug)]
struct Body {
    key: Key,
    json: Value,
    keys: Vec<IndexKey>,
    notes: Option<u64>,
    created: Option<&'static str>,
}

/// Which version a write expects.
#[derive(Clone, Copy, Debug)]
enum Expect {
    Current,
    Stale,
    /// The one that an earlier write of the same change gives.
    OfThisChange,
}

/// A history: first some records come to be in each tenant, then anything may happen.
pub(super) fn history() -> impl Strategy<Value = Vec<Step>> {
    let pair = || (select(&USERS[..4]), select(&USERS[..4]));
    let groups = vec((group(), pair()), GROUPS.len()..=GROUPS.len());
    (groups, vec(step(), 1..20)).prop_map(|(groups, steps)| {
        let user =
            |id: &'static str| (Key::new("User", id), json!({"userName": format!("first {id}")}), Delta::default());
        let groups = groups.into_iter().zip(GROUPS).map(|((json, (one, two)), id)| {
            let exclusive = id == GROUPS[1];
            (Key::new("Group", id), json, Delta { exclusive, ..joining(&[one, two]) })
        });
        let here = USERS.into_iter().take(4).map(user).chain(groups.take(3)).map(|first| (TENANTS[0], first));
        let there = [user(USERS[0]), user(USERS[1])].map(|first| (TENANTS[1], first));
        let first = here.chain(there).map(|(whose, (key, json, members))| {
            let body = Body { key, json, keys: Vec::new(), notes: None, created: None };
            let writes = vec![Plan::Insert { body, members }];
            Step { whose, time: TIMES[1], writes, limit: None, fact: None, events: 1 }
        });
        first.chain(steps).collect()
    })
}

fn step() -> impl Strategy<Value = Step> {
    let limit = option::weighted(0.3, (select(["User", "Group"].as_slice()), 1..5_u64));
    let fact = option::weighted(0.4, known());
    (
        prop_oneof![4 => Just(TENANTS[0]), 1 => Just(TENANTS[1])],
        select(TIMES.as_slice()),
        vec(plan(), 1..3),
        limit,
        fact,
        1..3_usize,
    )
        .prop_map(|(whose, time, writes, limit, fact, events)| Step { whose, time, writes, limit, fact, events })
}

fn known() -> impl Strategy<Value = Known> {
    // Few values, so that what must be known sometimes is; and exact ones, for the last digit of others is lost by `serde_json` itself
    // unless its `float_roundtrip` is on.
    let value = || select([1.0, 2.0, -0.125].as_slice());
    let when = prop_oneof![Just(When::Always), Just(When::Absent), value().prop_map(|value| When::Is(fact(value)))];
    (select(FACTS.as_slice()), option::weighted(0.7, value()), when).prop_map(|(name, value, when)| Known {
        name,
        value,
        when,
    })
}

fn fact(value: f64) -> Value {
    json!({"is": value})
}

fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        2 => (body(), members()).prop_map(|(body, members)| Plan::Insert { body, members }),
        2 => (body(), expect(), members()).prop_map(|(body, expect, members)| Plan::Replace { body, expect, members }),
        4 => (key(), members(), option::of(expect()))
            .prop_map(|(group, members, expect)| Plan::Members { group, members, expect }),
        1 => (key(), option::of(expect())).prop_map(|(key, expect)| Plan::Delete { key, expect }),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    let users = (select(USERS.as_slice()), user()).prop_map(|(id, json)| (Key::new("User", id), json));
    // A group may even be asked to take the id of a user.
    let ids = prop_oneof![9 => select(GROUPS.as_slice()), 1 => select(USERS.as_slice())];
    let groups = (ids, group()).prop_map(|(id, json)| (Key::new("Group", id), json));
    let scope = select([Scope::Many, Scope::Tenant, Scope::Global].as_slice());
    let own = (select(["login", "badge"].as_slice()), select(["x", "y", "z"].as_slice()), scope);
    let own = own.prop_map(|(path, value, scope)| IndexKey { path: path.to_owned(), value: value.to_owned(), scope });
    let created = option::weighted(0.3, select(TIMES.as_slice()));
    (prop_oneof![2 => users, 1 => groups], vec(own, 0..3), option::of(any::<u64>()), created)
        .prop_map(|((key, json), keys, notes, created)| Body { key, json, keys, notes, created })
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        1 => select(USERS.as_slice()).prop_map(|id| Key::new("User", id)),
        4 => select(GROUPS.as_slice()).prop_map(|id| Key::new("Group", id)),
    ]
}

fn members() -> impl Strategy<Value = Delta> {
    let ids = || prop_oneof![6 => select(USERS.as_slice()), 2 => select(GROUPS.as_slice()), 1 => Just("nobody")];
    let member = (ids(), option::of(Just("Babs"))).prop_map(|(id, display)| Member {
        id: id.to_owned(),
        resource_type: String::new(),
        display: display.map(str::to_owned),
    });
    let leave = vec(ids().prop_map(str::to_owned), 0..3);
    let of = prop_oneof![3 => Just(&[][..]), 1 => Just(&["User"][..]), 1 => Just(&["Group", "Device"][..])];
    let of = of.prop_map(|of: &[&str]| of.iter().map(|name| (*name).to_owned()).collect());
    let some = (vec(member, 0..3), leave, any::<bool>(), of).prop_map(|(join, leave, exclusive, of)| Delta {
        join,
        leave,
        exclusive,
        of,
    });
    prop_oneof![1 => Just(Delta::default()), 3 => some]
}

fn expect() -> impl Strategy<Value = Expect> {
    prop_oneof![8 => Just(Expect::Current), 1 => Just(Expect::Stale), 1 => Just(Expect::OfThisChange)]
}

impl Step {
    /// The change, as somebody would make it who has read the store before.
    pub(super) fn change(&self, store: &impl Store, case: &str) -> (TenantId, Change) {
        let whose = whose(case, self.whose);
        let position = block_on(store.log(&whose, 0, usize::MAX)).unwrap().len();
        let version = |key: &Key, expect: Expect| {
            let now = block_on(store.get(&whose, key, Members::None)).unwrap().map_or(Version(7), |it| it.version);
            match expect {
                Expect::Current => now,
                Expect::Stale => Version(now.0.saturating_sub(1)),
                Expect::OfThisChange => Version((position + self.events) as u64),
            }
        };
        let mut change = Change::new(time(self.time), event(0));
        change.events.extend((1..self.events).map(event));
        change.writes = self.writes.iter().map(|plan| plan.write(&version)).collect();
        if let Some((resource_type, limit)) = self.limit {
            change.guards.push(Guard::AtMost { resource_type: resource_type.to_owned(), limit });
        }
        if let Some(Known { name, value, when }) = self.fact.clone() {
            change.facts.push(Fact { name: name.to_owned(), value: value.map(fact), when });
        }
        keep_apart(case, &mut change);
        (whose, change)
    }
}

/// The keys that are unique over all tenants belong to one case: all cases share a store.
fn keep_apart(case: &str, change: &mut Change) {
    for write in &mut change.writes {
        let (Write::Insert { draft, .. } | Write::Replace { draft, .. }) = write else { continue };
        for key in draft.index.iter_mut().filter(|key| key.scope == Scope::Global) {
            key.value = format!("{case}/{}", key.value);
        }
    }
}

impl Plan {
    fn write(&self, version: &impl Fn(&Key, Expect) -> Version) -> Write {
        match self.clone() {
            Self::Insert { body, members } => Write::Insert { draft: body.draft(), members },
            Self::Replace { body, expect, members } => {
                Write::Replace { expect: version(&body.key, expect), draft: body.draft(), members }
            }
            Self::Members { group, members, expect } => {
                let expect = expect.map(|expect| version(&group, expect));
                Write::Members { group, members, expect }
            }
            Self::Delete { key, expect } => {
                let expect = expect.map(|expect| version(&key, expect));
                Write::Delete { key, expect }
            }
        }
    }
}

impl Body {
    fn draft(self) -> Draft {
        let Self { key, json, keys, notes, created } = self;
        let mut draft = draft(&resource_type(&key.resource_type), &key.id, json);
        draft.index.extend(keys);
        draft.created = created.map(time);
        draft.notes.extend(notes.map(|notes| ("origin".to_owned(), notes.into())));
        draft
    }
}

fn event(number: usize) -> Event {
    let mut event = Event::default();
    event.operation = format!("operation {number}");
    event.status = 200;
    event
}
