//! The store's rows of the performance table: what serves one user or one member costs the same in every crowd, and commits that
//! wait together share the wait for the disk.


use pollster::block_on;
use scimwright_core::{Admit, Catalog};
use scimwright_filter::{Binding, Filter};
use scimwright_sqlite::{SqliteOptions, SqliteStore};
use scimwright_store::{
    Change, Delta, Draft, Event, IndexKey, Key, Member, Members, Query, Scope, Store, TenantId, Version, Write,
};
use serde_json::{Map, json};
use tempfile::TempDir;

/// A store with so many users, all of them in one group.
struct Crowd {
    store: SqliteStore,
    tenant: TenantId,
    catalog: Catalog,
    users: usize,
    _folder: TempDir,
}

impl Crowd {
    fn new(users: usize) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let store = SqliteStore::open(folder.path().join("scim.db"), SqliteOptions::default()).expect("it opens");
        let tenant = "crowd".parse().expect("it is a tenant");
        let crowd = Self { store, tenant, catalog: Catalog::standard(), users, _folder: folder };
        let ids: Vec<_> = (0..users).collect();
        for ids in ids.chunks(10_000) {
            crowd.commit(ids.iter().map(|at| crowd.user(&format!("{at:06}"))).collect());
        }
        let group = Draft { key: Key::new("Group", "all"), ..crowd.draft("all") };
        let group = Draft { index: Vec::new(), ..group };
        let everybody = ids.iter().map(|at| Member { id: format!("{at:06}"), ..Member::default() }).collect();
        crowd.commit(vec![Write::Insert { draft: group, members: Delta { join: everybody, ..Delta::default() } }]);
        crowd
    }

    fn draft(&self, id: &str) -> Draft {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("user{id}@example.com"), "externalId": format!("ext-{id}"), "displayName": "Ada Lovelace",
            "name": {"givenName": "Ada", "familyName": "Lovelace"}, "active": true,
            "emails": [{"value": format!("user{id}@example.com"), "type": "work", "primary": true}],
        });
        let users = self.catalog.resource_type("User").expect("there are users");
        let key = |path: &str, value: String, scope| IndexKey { path: path.to_owned(), value, scope };
        Draft {
            key: Key::new("User", id),
            resource: Admit::new(users).create(body).expect("it is a user").resource,
            index: vec![
                key("userName", format!("user{id}@example.com"), Scope::Tenant),
                key("externalId", format!("ext-{id}"), Scope::Many),
                key("emails.value", format!("user{id}@example.com"), Scope::Many),
                key("displayName", "ada lovelace".to_owned(), Scope::Many),
            ],
            display: None,
            notes: Map::new(),
        }
    }

    fn user(&self, id: &str) -> Write {
        Write::Insert { draft: self.draft(id), members: Delta::default() }
    }

    fn commit(&self, writes: Vec<Write>) -> Version {
        let mut change = Change::new("2026-01-01T00:00:00Z".parse().expect("it is a time"), Event::default());
        change.writes = writes;
        block_on(self.store.commit(&self.tenant, change)).expect("it is committed").version
    }

    fn get(&self, key: &Key) {
        block_on(self.store.get(&self.tenant, key, Members::None)).expect("it answers").expect("it is there");
    }

    fn find(&self, text: &str) {
        let users = self.catalog.resource_type("User").expect("there are users");
        let mut query = Query::new(users.clone(), 100);
        let filter: Filter = text.parse().expect("it is a filter");
        query.filter = Some(filter.bind(&Binding::new(users)).expect("it is about users"));
        let page = block_on(self.store.find(&self.tenant, &query)).expect("it answers");
        assert_eq!(page.total, 1);
    }

    fn one_member(&self) {
        let delta = |join, leave| Write::Members {
            group: Key::new("Group", "all"),
            members: Delta { join, leave, exclusive: false },
            expect: None,
        };
        let id = "000007".to_owned();
        self.commit(vec![delta(Vec::new(), vec![id.clone()])]);
        self.commit(vec![delta(vec![Member { id, ..Member::default() }], Vec::new())]);
    }
}


fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) * 10_000.0
}
fn m(name: &str, n: u32, f: impl Fn()) {
    for _ in 0..100 { f(); }
    let (c, t) = (cpu(), std::time::Instant::now());
    for _ in 0..n { f(); }
    println!("{name}: cpu {:.1} us, wall {:.1} us", (cpu() - c) / f64::from(n), t.elapsed().as_micros() as f64 / f64::from(n));
}
fn main() {
    let only = std::env::args().nth(2);
    let m = |name: &str, n: u32, f: &dyn Fn()| if only.as_deref().is_none_or(|o| o == name) { m(name, n, f) };

    let users: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let t = std::time::Instant::now();
    let crowd = Crowd::new(users);
    println!("built in {:?} cpu {}", t.elapsed(), cpu() / 1e6);
    m("get", 20000, &|| crowd.get(&Key::new("User", "000007")));
    m("get group", 20000, &|| crowd.get(&Key::new("Group", "all")));
    m("eq", 20000, &|| crowd.find(r#"userName eq "USER000007@example.com""#));
    m("eq and active", 20000, &|| crowd.find(r#"userName eq "USER000007@example.com" and active eq true"#));
    let users = crowd.catalog.resource_type("User").unwrap().clone();
    let filter: Filter = r#"userName eq "USER000007@example.com""#.parse().unwrap();
    let mut query = Query::new(users.clone(), 100);
    query.filter = Some(filter.bind(&Binding::new(&users)).unwrap());
    m("eq prepared", 20000, &|| drop(block_on(crowd.store.find(&crowd.tenant, &query)).unwrap()));
    m("clone query", 20000, &|| drop(query.clone()));
    m("members", 300, &|| crowd.one_member());
    m("noop fact", 20000, &|| drop(block_on(crowd.store.fact(&crowd.tenant, "x")).unwrap()));
    let q = Query::new(users.clone(), 100);
    m("page of 100", 500, &|| drop(block_on(crowd.store.find(&crowd.tenant, &q)).unwrap()));
    println!("{}", std::fs::read_to_string("/proc/self/status").unwrap().lines().filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS")).collect::<Vec<_>>().join(" "));
}
