//! The store's rows of the performance table: what serves one user or one member costs the same in every crowd, and
//! commits that wait together share the wait for the disk.

use std::thread;

use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pollster::block_on;
use scimwright_core::{Admit, Catalog};
use scimwright_filter::{Binding, Filter, SortBy, SortKey};
use scimwright_sqlite::{SqliteOptions, SqliteStore};
use scimwright_store::{
    Change, Delta, Draft, Event, IndexKey, Key, Mark, Member, Members, Query, Scope, Start, Store, TenantId, Version,
    Write,
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
            "userName": format!("user{id}@example.com"), "externalId": format!("ext-{id}"),
            "displayName": "Ada Lovelace",
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
            created: None,
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
        query.parts[0].filter = Some(filter.bind(&Binding::new(users)).expect("it is about users"));
        let page = block_on(self.store.find(&self.tenant, &query)).expect("it answers");
        assert_eq!(page.total, Some(1));
    }

    /// A page of a hundred from the middle of everybody: by a mark, or by its index.
    fn page(&self, sort: &str, by_mark: bool) {
        let users = self.catalog.resource_type("User").expect("there are users");
        let mut query = Query::new(users.clone(), 100);
        query.total = !by_mark;
        if !sort.is_empty() {
            let path = sort.parse().expect("it is a path");
            query.parts[0].sort = SortBy::bind(&path, &Binding::new(users)).expect("users have it");
        }
        let (middle, id) = (self.users / 2, format!("{:06}", self.users / 2));
        let key = (!sort.is_empty()).then(|| SortKey::Text(format!("user{id}@example.com")));
        query.start = match by_mark {
            true => Start::After(Mark { key, resource_type: "User".to_owned(), id }),
            false => Start::Offset(middle),
        };
        let page = block_on(self.store.find(&self.tenant, &query)).expect("it answers");
        assert_eq!((page.records.len(), page.more), (100, true));
    }

    fn replace(&self, bencher: &mut Bencher<'_>) {
        let draft = self.draft("000007");
        let mut version = block_on(self.store.get(&self.tenant, &draft.key, Members::None))
            .expect("it answers")
            .expect("it is there")
            .version;
        bencher.iter(|| {
            let write = Write::Replace { draft: draft.clone(), expect: version, members: Delta::default() };
            version = self.commit(vec![write]);
        });
    }

    fn one_member(&self) {
        let delta = |join, leave| Write::Members {
            group: Key::new("Group", "all"),
            members: Delta { join, leave, ..Delta::default() },
            expect: None,
        };
        let id = "000007".to_owned();
        self.commit(vec![delta(Vec::new(), vec![id.clone()])]);
        self.commit(vec![delta(vec![Member { id, ..Member::default() }], Vec::new())]);
    }
}

fn in_a_crowd(criterion: &mut Criterion) {
    let crowds = [1_000, 100_000].map(Crowd::new);
    let mut group = criterion.benchmark_group("store");
    for crowd in &crowds {
        let id = |name| BenchmarkId::new(name, crowd.users);
        group.bench_function(id("get"), |bencher| bencher.iter(|| crowd.get(&Key::new("User", "000007"))));
        group.bench_function(id("get group"), |bencher| bencher.iter(|| crowd.get(&Key::new("Group", "all"))));
        group.bench_function(id("userName eq"), |bencher| {
            bencher.iter(|| crowd.find(r#"userName eq "USER000007@example.com""#));
        });
        group.bench_function(id("userName eq and active"), |bencher| {
            bencher.iter(|| crowd.find(r#"userName eq "USER000007@example.com" and active eq true"#));
        });
        for (name, sort, by_mark) in
            [("page by cursor", "", true), ("page by cursor, sorted", "userName", true), ("page by index", "", false)]
        {
            group.bench_function(id(name), |bencher| bencher.iter(|| crowd.page(sort, by_mark)));
        }
        group.bench_function(id("replace"), |bencher| crowd.replace(bencher));
        group.bench_function(id("remove and add a member"), |bencher| bencher.iter(|| crowd.one_member()));
    }
    group.finish();

    let mut group = criterion.benchmark_group("insert");
    let [crowd, _] = &crowds;
    for at_once in [1, 64] {
        group.throughput(Throughput::Elements(at_once));
        let mut round = 0;
        group.bench_function(BenchmarkId::new("at once", at_once), |bencher| {
            bencher.iter(|| {
                round += 1;
                thread::scope(|scope| {
                    for at in 0..at_once {
                        scope.spawn(move || crowd.commit(vec![crowd.user(&format!("{at_once}-{round}-{at}"))]));
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, in_a_crowd);
criterion_main!(benches);
