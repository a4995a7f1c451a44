//! How SQLite goes about queries in a tenant of 100,000 users: by searching, never by walking through all of them.
#![allow(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod support;

use std::sync::Arc;
use std::time::Instant;

use pollster::block_on;
use scimwright_core::ResourceType;
use scimwright_filter::{Binding, Filter};
use scimwright_store::{Delta, Draft, IndexKey, Key, Page, Query, Scope, Store, Write};
use scimwright_testkit::suite::sample::{change, draft, group, resource_type, tenant};
use serde_json::{Value, json};

use support::Temporary;

const USERS: usize = 100_000;

/// A store with one crowded tenant.
struct Crowd(Temporary);

/// Everybody has one display name of 1,000 and is in one group of two; one in four has an address.
fn crowd() -> Crowd {
    let disk = Temporary::new();
    let template = draft(&resource_type("User"), "", json!({"userName": "template"}));
    for chunk in (0..USERS).collect::<Vec<_>>().chunks(USERS / 4) {
        let writes = chunk.iter().map(|at| Write::Insert { draft: one_of(&template, *at), members: Delta::default() });
        block_on(disk.store.commit(&tenant("crowd"), change(writes))).unwrap();
    }
    let ids: Vec<_> = (0..USERS).map(|at| format!("{at:06}")).collect();
    for (name, part) in ["left", "right"].iter().zip(ids.chunks(USERS / 2)) {
        let part: Vec<_> = part.iter().map(String::as_str).collect();
        block_on(disk.store.commit(&tenant("crowd"), change([group(name, &part)]))).unwrap();
    }
    Crowd(disk)
}

/// One user of the crowd, made without the schema, which takes its time in a debug build.
fn one_of(template: &Draft, at: usize) -> Draft {
    let key = Key::new("User", format!("{at:06}"));
    let mut draft = Draft { key, index: Vec::new(), ..template.clone() };
    let mut put = |name: &str, path: &str, shown: Value, value: String, scope| {
        draft.resource.put(name, shown);
        draft.index.push(IndexKey { path: path.to_owned(), value, scope });
    };
    let (name, display) = (format!("user{at}@example.com"), format!("User {}", at % 1000));
    put("userName", "userName", name.to_uppercase().into(), name.clone(), Scope::Tenant);
    put("displayName", "displayName", display.as_str().into(), display.to_lowercase(), Scope::Many);
    if at % 4 == 3 {
        put("externalId", "externalId", format!("ext-{at}").into(), format!("ext-{at}"), Scope::Many);
        put("emails", "emails.value", json!([{"value": name, "type": "work"}]), name.clone(), Scope::Many);
    }
    let active = at.is_multiple_of(2);
    put("active", "active", active.into(), active.to_string(), Scope::Many);
    draft
}

fn query(resource_type: &Arc<ResourceType>, filter: &str) -> Query {
    let mut query = Query::new(Arc::clone(resource_type), 100);
    if !filter.is_empty() {
        let filter: Filter = filter.parse().unwrap();
        query.parts[0].filter = Some(filter.bind(&Binding::new(resource_type)).unwrap());
    }
    query
}

impl Crowd {
    #[track_caller]
    fn plan(&self, type_name: &str, filter: &str) -> Vec<String> {
        let query = query(&resource_type(type_name), filter);
        let lines = block_on(self.0.store.explain(&tenant("crowd"), &query)).unwrap();
        // The ids that a statement brings along are gone through, of course.
        let lists = ["SCAN j2 VIRTUAL TABLE INDEX 1:", "SCAN j3 VIRTUAL TABLE INDEX 1:"];
        for line in lines.iter().filter(|line| !lists.contains(&line.as_str())) {
            assert!(!line.contains("SCAN") && !line.contains("TEMP B-TREE"), "{filter}: {lines:#?}");
        }
        lines
    }

    #[track_caller]
    fn searches(&self, type_name: &str, filter: &str, wanted: &str) {
        let lines = self.plan(type_name, filter);
        let found = lines.iter().any(|line| line == wanted);
        // Records come by id from what the search has found, not the other way round.
        let by_id = "SEARCH r USING INDEX scim_record_of_type (tenant=? AND type=? AND id=?)";
        assert!(found && lines.iter().any(|line| line == by_id), "{filter}: {lines:#?}");
    }

    fn find(&self, filter: &str) -> Page {
        block_on(self.0.store.find(&tenant("crowd"), &query(&resource_type("User"), filter))).unwrap()
    }
}

/// One test, for it takes longer to gather the crowd than to look at it.
#[test]
fn nobody_walks_through_a_crowd() {
    let crowd = crowd();
    equality_of_an_indexed_attribute_is_a_search_for_its_key(&crowd);
    memberships_and_times_are_searched_too(&crowd);
    what_no_index_knows_goes_through_one_type_of_one_tenant_in_order(&crowd);
    lookups_are_right_and_quick(&crowd);
}

const BY_KEY: &str = "SEARCH d USING PRIMARY KEY (tenant=? AND type=? AND path=? AND value=?)";
const BY_KEYS: &str = "SEARCH k USING PRIMARY KEY (tenant=? AND type=? AND path=? AND value=?)";

fn equality_of_an_indexed_attribute_is_a_search_for_its_key(crowd: &Crowd) {
    for filter in [
        r#"userName eq "user7@example.com""#,
        r#"externalId eq "ext-7""#,
        r#"emails.value eq "user7@example.com""#,
        r#"emails[type eq "work" and value eq "user7@example.com"]"#,
        r#"userName eq "user7@example.com" and active eq true"#,
        r#"title pr and emails.value eq "user7@example.com" and name.familyName co "x""#,
        r#"externalId eq "ext-7" and not (active eq false)"#,
        r#"displayName sw "user" and userName eq "user7@example.com""#,
        r#"meta.lastModified gt "2020-01-01T00:00:00Z" and externalId eq "ext-7""#,
        r#"displayName eq "user 7" and userName eq "user7@example.com""#,
        "active eq true",
        r#"active eq false and title co "x""#,
    ] {
        crowd.searches("User", filter, BY_KEY);
    }
    for filter in [
        r#"userName eq "user7@example.com" or externalId eq "ext-11""#,
        r#"(userName eq "user7@example.com" and active eq true) or externalId eq "ext-11""#,
    ] {
        crowd.searches("User", filter, BY_KEYS);
    }
    crowd.searches(
        "User",
        r#"userName sw "user7@""#,
        "SEARCH k USING PRIMARY KEY (tenant=? AND type=? AND path=? AND value>? AND value<?)",
    );
}

fn memberships_and_times_are_searched_too(crowd: &Crowd) {
    crowd.searches(
        "Group",
        r#"members eq "000007""#,
        "SEARCH d USING COVERING INDEX scim_member_up (tenant=? AND member_id=?)",
    );
    crowd.searches("User", r#"groups.value eq "left""#, "SEARCH d USING PRIMARY KEY (tenant=? AND group_id=?)");
    crowd.searches(
        "User",
        r#"meta.lastModified gt "2030-01-01T00:00:00Z""#,
        "SEARCH o USING COVERING INDEX scim_record_by_time (tenant=? AND type=? AND modified>?)",
    );
    crowd.searches(
        "User",
        r#"id eq "000007""#,
        "SEARCH o USING INDEX sqlite_autoindex_scim_record_1 (tenant=? AND id=?)",
    );
}

fn what_no_index_knows_goes_through_one_type_of_one_tenant_in_order(crowd: &Crowd) {
    for filter in
        ["", "title pr", "not (active eq true)", r#"userName co "7@""#, r#"not (userName eq "user7@example.com")"#]
    {
        let lines = crowd.plan("User", filter);
        let walks =
            lines.iter().any(|line| line.starts_with("SEARCH r USING") && line.ends_with("(tenant=? AND type=?)"));
        assert!(walks, "{filter}: {lines:#?}");
    }
}

fn lookups_are_right_and_quick(crowd: &Crowd) {
    let all = crowd.find("");
    assert_eq!((all.total, all.records.len()), (Some(USERS as u64), 100));
    let some = crowd.find(r#"displayName eq "USER 7""#);
    assert_eq!((some.total, some.records.len()), (Some(USERS as u64 / 1000), 100));
    assert_eq!(crowd.find(r#"displayName eq "user 7" and active eq true"#).total, Some(0));
    assert_eq!(crowd.find(r#"displayName eq "user 8" and active eq true"#).total, Some(100));

    // A hundred walks through everybody would take minutes.
    let started = Instant::now();
    for at in (0..USERS).step_by(USERS / 100) {
        let filter = format!(r#"userName eq "user{at}@example.com" and title eq null"#);
        assert_eq!(crowd.find(&filter).records[0].key.id, format!("{at:06}"));
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
