use std::sync::Arc;

use scimwright_core::Catalog;
use scimwright_filter::{Binding, Filter};

use super::*;
use crate::testing::Watched;

fn query(type_name: &str, filter: &str) -> Query {
    let resource_type = Arc::clone(Catalog::standard().resource_type(type_name).unwrap());
    let filter: Filter = filter.parse().unwrap();
    let filter = filter.bind(&Binding::new(&resource_type)).unwrap();
    let mut query = Query::new(resource_type, 5);
    query.filter = Some(filter);
    query
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
        ("User", r#"userName eq "name00000003" and active eq true"#, 0),
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
        same(&|sql| assert_eq!(find(sql, &tenant, &query).unwrap().total, total), filter);
    }
    // A page of everybody is a page.
    let mut everybody = query("User", "active eq true");
    everybody.filter = None;
    same(&|sql| assert_eq!(find(sql, &tenant, &everybody).unwrap().records.len(), 5), "everybody");
}
