//! What a request costs when there are very many users: the same things done to a thousand users, to a million in one organisation, and
//! to many organisations of a hundred, turn and turn about, so that whatever else the machine does hits all of them.
//!
//! ```text
//! cargo bench -p scimwright-testkit --bench scale
//! ```
//!
//! `SCALE_USERS` (1000000), `SCALE_TENANTS` (10000), `SCALE_TURNS` (300) and `SCALE_STORES` (`sqlite,postgres`) change what is done. PostgreSQL
//! is the throw-away one of the tests, with durable commits. The tables are those of `docs/scale.md`.

use std::time::{Duration, Instant as Clock};

use pollster::block_on;
use scimwright_core::{Admit, Catalog, ResourceType};
use scimwright_filter::{Binding, Filter};
use scimwright_service::index_keys;
use scimwright_store::{
    Change, Delta, Draft, Event, Item, Key, Logged, Mark, Member, Members, Query, Source, Start, TenantId, Transfer,
    Version, Write,
};
use serde_json::{Map, json};

mod stores;

use stores::Opened;

const PAGE: usize = 100;
const GROUP: &str = "everybody";
/// Turns that are not counted.
const WARM: usize = 10;
const MADE: &str = "2026-01-01T00:00:00Z";

fn main() {
    // `cargo test --benches` and the like ask for nothing that takes an hour.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (users, tenants, turns) =
        (setting("SCALE_USERS", 1_000_000), setting("SCALE_TENANTS", 10_000), setting("SCALE_TURNS", 300));
    let stores = std::env::var("SCALE_STORES").unwrap_or_else(|_| "sqlite,postgres".to_owned());
    for name in stores.split(',') {
        let open = || stores::open(name);
        let mut crowds = [
            Crowd::new(format!("{} users", grouped(1_000)), open(), 1, 1_000),
            Crowd::new(format!("{} users", grouped(users)), open(), 1, users),
            Crowd::new(format!("{} x 100 users", grouped(tenants)), open(), tenants, 100),
        ];
        report(name, &mut crowds, turns);
    }
}

fn setting(name: &str, usual: usize) -> usize {
    let text = std::env::var(name).ok();
    text.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// A number as people write it.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// A database with so many users in each of so many organisations, all of an organisation in one group of it.
struct Crowd {
    label: String,
    opened: Opened,
    tenants: usize,
    users: usize,
    catalog: Catalog,
    /// How many were created since.
    created: usize,
}

/// What is measured.
#[derive(Clone, Copy)]
enum What {
    Get,
    Filter,
    Create,
    Join,
    FirstPage,
    LastPage,
}

const ALL: [(What, &str); 6] = [
    (What::Get, "GET by id"),
    (What::Filter, "filter `userName eq`"),
    (What::Create, "create"),
    (What::Join, "add a member"),
    (What::FirstPage, "page 1 of 100 by cursor"),
    (What::LastPage, "last page of 100 by cursor"),
];

impl Crowd {
    fn new(label: String, opened: Opened, tenants: usize, users: usize) -> Self {
        let crowd = Self { label, opened, tenants, users, catalog: Catalog::standard(), created: 0 };
        let began = Clock::now();
        for at in 0..tenants {
            let tenant = tenant(at);
            block_on(crowd.opened.store.import(&tenant, crowd.items(&tenant))).expect("it is taken in");
        }
        crowd.opened.settle();
        eprintln!("{}: loaded in {} s", crowd.label, began.elapsed().as_secs());
        crowd
    }

    /// Everything of one organisation.
    fn items(&self, tenant: &TenantId) -> Source {
        let users = self.users;
        let people = self.catalog.resource_type("User").expect("there are users").clone();
        let groups = self.catalog.resource_type("Group").expect("there are groups").clone();
        let record = |draft: Draft, member_count: u64| Item::Record {
            draft: Draft { created: Some(moment()), ..draft },
            version: Version(1),
            modified: moment(),
            member_count,
        };
        let group = Draft { key: Key::new("Group", GROUP), ..draft(&groups, GROUP, json!({"displayName": GROUP})) };
        let mut entry = Event::default();
        entry.operation = "import".to_owned();
        let entries: Vec<Logged> = scimwright_store::ChainHash::first(tenant).extend(0, vec![entry]).collect();
        let items = std::iter::once(Item::Head { position: 1, closed: false })
            .chain(std::iter::once(record(group, users as u64)))
            .chain((0..users).map(move |at| record(user(&people, &id(at)), 0)))
            .chain((0..users).map(|at| Item::Member {
                group: GROUP.to_owned(),
                member: Member { id: id(at), resource_type: "User".to_owned(), display: None },
            }))
            .chain(entries.into_iter().map(Item::Entry));
        Box::new(items.map(Ok))
    }

    /// Does a thing once, and says how long it took. `turn` chooses the organisation and the user.
    fn measure(&mut self, what: What, turn: usize) -> Duration {
        // Far from one another, and never twice the same one after the other.
        let (tenant, at) = (tenant(turn * 7_919 % self.tenants), turn * 104_729 % self.users);
        let people = self.catalog.resource_type("User").expect("there are users").clone();
        match what {
            What::Get => self.timed(|store| {
                let found = block_on(store.get(&tenant, &Key::new("User", id(at)), Members::None)).expect("it answers");
                assert!(found.is_some_and(|record| record.member_of.len() == 1));
            }),
            What::Filter => {
                let filter: Filter = format!("userName eq \"{}\"", name(&id(at))).parse().expect("it is a filter");
                let mut query = Query::new(people.clone(), PAGE);
                query.parts[0].filter = Some(filter.bind(&Binding::new(&people)).expect("it binds"));
                self.timed(|store| {
                    let page = block_on(store.find(&tenant, &query)).expect("it answers");
                    assert_eq!(page.total, Some(1));
                })
            }
            What::Create => {
                self.created += 1;
                let draft = user(&people, &format!("new{:08}", self.created));
                let insert = Write::Insert { draft, members: Delta::default() };
                self.timed(|store| drop(block_on(store.commit(&tenant, change(insert))).expect("it is created")))
            }
            What::Join => {
                let joins = |join: Vec<Member>, leave: Vec<String>| {
                    let members = Delta { join, leave, ..Delta::default() };
                    change(Write::Members { group: Key::new("Group", GROUP), members, expect: None })
                };
                let leave = joins(Vec::new(), vec![id(at)]);
                block_on(self.opened.store.commit(&tenant, leave)).expect("the member leaves");
                let join = joins(vec![Member { id: id(at), ..Member::default() }], Vec::new());
                self.timed(|store| drop(block_on(store.commit(&tenant, join)).expect("the member joins")))
            }
            What::FirstPage => self.page(&tenant, people, Start::Offset(0)),
            What::LastPage => {
                let before = id(self.users - PAGE.min(self.users));
                let mark = Mark { key: None, resource_type: "User".to_owned(), id: before };
                // Those that were created meanwhile stand behind all others.
                self.page(&tenant, people, Start::After(mark))
            }
        }
    }

    fn page(&self, tenant: &TenantId, people: std::sync::Arc<ResourceType>, start: Start) -> Duration {
        let mut query = Query::new(people, PAGE);
        (query.start, query.total) = (start, false);
        self.timed(|store| {
            let page = block_on(store.find(tenant, &query)).expect("it answers");
            assert!(page.records.len() >= PAGE.min(self.users) - 1, "{}", page.records.len());
        })
    }

    fn timed(&self, what: impl FnOnce(&dyn Transfer)) -> Duration {
        let began = Clock::now();
        what(&*self.opened.store);
        began.elapsed()
    }
}

fn tenant(at: usize) -> TenantId {
    format!("tenant-{at:06}").parse().expect("it is a tenant")
}

fn id(at: usize) -> String {
    format!("{at:08}-0000-7000-8000-000000000000")
}

fn name(id: &str) -> String {
    format!("user.{id}@example.com")
}

fn moment() -> scimwright_core::Instant {
    MADE.parse().expect("it is a time")
}

fn change(write: Write) -> Change {
    let mut event = Event::default();
    event.operation = "patch".to_owned();
    Change::new(moment(), event).write(write)
}

/// A user with what providers usually send.
fn user(people: &ResourceType, id: &str) -> Draft {
    let body = json!({
        "userName": name(id),
        "externalId": format!("ext-{id}"),
        "displayName": format!("Ada Lovelace {id}"),
        "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
        "title": "Analyst",
        "preferredLanguage": "en-GB",
        "active": true,
        "emails": [{"value": name(id), "type": "work", "primary": true}],
        "phoneNumbers": [{"value": "tel:+44-20-7946-0000", "type": "work"}],
    });
    draft(people, id, body)
}

fn draft(resource_type: &ResourceType, id: &str, mut body: serde_json::Value) -> Draft {
    body["schemas"] = json!([resource_type.schema.id.to_string()]);
    let resource = Admit::new(resource_type).create(body).expect("it is canonical").resource;
    let index = index_keys(resource_type, &resource);
    Draft { key: Key::new(&resource_type.name, id), resource, index, display: None, notes: Map::new(), created: None }
}

/// Measures all crowds in turns, and prints the table: the median of each, and how often it is that of the first crowd.
fn report(store: &str, crowds: &mut [Crowd], turns: usize) {
    let mut times = vec![vec![Vec::with_capacity(turns); crowds.len()]; ALL.len()];
    for turn in 0..turns + WARM {
        for ((what, _), rows) in ALL.iter().zip(&mut times) {
            for (crowd, row) in crowds.iter_mut().zip(rows) {
                let time = crowd.measure(*what, turn);
                if turn >= WARM {
                    row.push(time);
                }
            }
        }
    }
    let mut lines =
        vec![["".to_owned()].into_iter().chain(crowds.iter().map(|crowd| crowd.label.clone())).collect::<Vec<_>>()];
    for ((_, label), rows) in ALL.iter().zip(times) {
        let medians: Vec<_> = rows.into_iter().map(median).collect();
        let usual = medians.first().copied().unwrap_or_default();
        let cells = medians.iter().enumerate().map(|(at, time)| {
            let micros = time.as_micros();
            if at == 0 { format!("{micros} \u{b5}s") } else { format!("{micros} \u{b5}s ({:.2})", ratio(*time, usual)) }
        });
        lines.push([(*label).to_owned()].into_iter().chain(cells).collect());
    }
    let memory = crowds.iter_mut().map(|crowd| crowd.memory(turns));
    lines.push(["peak memory of the process".to_owned()].into_iter().chain(memory.collect::<Vec<_>>()).collect());
    let mut table = format!("\n{store}\n\n");
    for (at, line) in lines.iter().enumerate() {
        table.push_str(&format!("| {} |\n", line.join(" | ")));
        if at == 0 {
            table.push_str(&format!("|{}\n", "---|".repeat(line.len())));
        }
    }
    eprintln!("{table}");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ratio(time: Duration, usual: Duration) -> f64 {
    time.as_secs_f64() / usual.as_secs_f64().max(1e-9)
}

impl Crowd {
    /// The most memory that the process had while it did all things with this crowd alone.
    fn memory(&mut self, turns: usize) -> String {
        stores::forget_peak();
        for turn in 0..turns / 3 {
            for (what, _) in ALL {
                self.measure(what, turn + 1_000_000);
            }
        }
        stores::peak().map_or_else(|| "?".to_owned(), |kib| format!("{} MiB", kib / 1024))
    }
}
