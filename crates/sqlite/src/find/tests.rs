use std::sync::Arc;

use scimwright_core::{Catalog, Instant};
use scimwright_filter::{Binding, Filter, SortBy, SortKey};
use scimwright_store::{Mark, Start};

use super::*;
use crate::testing::Watched;

fn query(type_name: &str, filter: &str) -> Query {
    let resource_type = Arc::clone(Catalog::standard().resource_type(type_name).unwrap());
    let filter: Filter = filter.parse().unwrap();
    let filter = filter.bind(&Binding::new(&resource_type)).unwrap();
    let mut query = Query::new(resource_type, 5);
    query.parts[0].filter = Some(filter);
    query
}

/// So many nanoseconds after 1970.
fn instant(nanos: usize) -> Instant {
    format!("1970-01-01T00:00:00.{nanos:09}Z").parse().unwrap()
}

#[test]
fn what_serves_one_costs_the_same_in_every_crowd() {
    let (small, large, tenant) = (Watched::new(10), Watched::new(100_000), "a".parse().unwrap());
    let same = |what: &dyn Fn(&Connection), label: &str| {
        let (small, large) = (small.cost(what), large.cost(what));
        assert!(small.steps > 0 && small == large, "{label}: {small:?} {large:?}");
    };
    let named = Members::Named(vec!["u00000003".to_owned(), "nobody".to_owned()]);
    for (type_name, id) in [("User", "u00000003"), ("Group", "g"), ("User", "nobody")] {
        let key = Key::new(type_name, id);
        same(&|sql| drop(get(sql, &tenant, &key, &Members::None).unwrap()), id);
        same(&|sql| drop(get(sql, &tenant, &key, &named).unwrap()), id);
    }
    for (type_name, filter, total) in [
        ("User", r#"userName eq "name00000003""#, 1),
        ("User", r#"userName eq "nobody""#, 0),
        ("User", r#"userName eq "name00000003" and active eq true"#, 1),
        ("User", r#"active eq true and userName eq "name00000003""#, 1),
        ("User", r#"active eq false"#, 0),
        ("User", r#"userName eq "name00000003" and groups.value eq "g""#, 1),
        ("User", r#"groups.value eq "g" and userName eq "name00000003""#, 1),
        ("User", r#"userName sw "name" and userName eq "name00000003""#, 1),
        ("User", r#"meta.lastModified lt "2030-01-01T00:00:00Z" and userName eq "name00000003""#, 1),
        ("User", r#"userName eq "name00000003" or (userName eq "name00000004" and title pr)"#, 1),
        ("User", r#"id eq "u00000003""#, 1),
        ("Group", r#"members eq "u00000003""#, 1),
        ("Group", r#"displayName eq "g" and members eq "u00000003""#, 0),
    ] {
        let query = query(type_name, filter);
        same(&|sql| assert_eq!(find(sql, &tenant, &query).unwrap().total, Some(total)), filter);
    }
    // A page of everybody is a page.
    let mut everybody = query("User", "active eq true");
    everybody.parts[0].filter = None;
    same(&|sql| assert_eq!(find(sql, &tenant, &everybody).unwrap().records.len(), 5), "everybody");
}

/// A page of a walk costs what it shows: the same in every crowd, at the beginning and far behind it, in both directions.
#[test]
fn a_page_of_a_walk_costs_the_same_at_every_depth() {
    let (small, large, tenant) = (Watched::new(20), Watched::new(100_000), "a".parse().unwrap());
    let cost = |watched: &Watched, query: &Query| {
        // Once before, so that statements are prepared.
        find(&watched.sql, &tenant, query).unwrap();
        watched.cost(|sql| {
            let page = find(sql, &tenant, query).unwrap();
            assert_eq!((page.records.len(), page.more, page.total), (5, true, None));
        })
    };
    for (sort, filter) in [
        (None, None),
        (None, Some(r#"groups.value eq "g""#)),
        (None, Some("active eq true")),
        (None, Some(r#"active eq true or userName eq "name00000003""#)),
        (Some("userName"), Some("active eq true")),
        (Some("userName"), None),
        (Some("externalId"), None),
        (Some("meta.lastModified"), None),
        (Some("id"), None),
    ] {
        let mut walk = query("User", filter.unwrap_or("active eq true"));
        let part = &mut walk.parts[0];
        part.filter = part.filter.take().filter(|_| filter.is_some());
        let bind = |sort: &str| SortBy::bind(&sort.parse().unwrap(), &Binding::new(&part.resource_type)).unwrap();
        part.sort = sort.and_then(bind);
        walk.total = false;
        // The mark of user number `at`, as the watched database has made him.
        let mark = |at: usize| {
            let key = match sort {
                None => None,
                Some("id") => Some(SortKey::Text(format!("u{at:08}"))),
                Some("userName") => Some(SortKey::Text(format!("name{at:08}"))),
                Some("externalId") => Some(SortKey::Text(format!("ext{at:08}"))),
                Some(_) => Some(SortKey::Instant(instant(at))),
            };
            Mark { key, resource_type: "User".to_owned(), id: format!("u{at:08}") }
        };
        for descending in [false, true] {
            walk.descending = descending;
            for start in [Start::After, Start::Before] {
                walk.start = start(mark(10));
                let expected = cost(&small, &walk);
                for at in [10, 50_000, 99_990] {
                    walk.start = start(mark(at));
                    assert_eq!(cost(&large, &walk), expected, "{sort:?} {filter:?} {descending} {at}");
                }
            }
        }
    }
}
