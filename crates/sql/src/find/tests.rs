use std::fmt::Write;
use std::sync::Arc;

use scimwright_core::Catalog;
use scimwright_filter::{Binding, Filter, SortBy, SortKey};
use scimwright_store::{Mark, Members, Part};

use super::*;
use crate::Value;
use crate::read::HEAD;

const DIALECTS: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

/// A query for two of a type, as `type, filter, sort`.
fn query(type_name: &str, filter: &str, sort: &str) -> Query {
    let resource_type = Arc::clone(Catalog::standard().resource_type(type_name).unwrap());
    let mut query = Query::new(Arc::clone(&resource_type), 2);
    let binding = Binding::new(&resource_type);
    if !filter.is_empty() {
        let filter: Filter = filter.parse().unwrap();
        query.parts[0].filter = Some(filter.bind(&binding).unwrap());
    }
    if !sort.is_empty() {
        query.parts[0].sort = SortBy::bind(&sort.parse().unwrap(), &binding).unwrap();
    }
    query
}

/// What a query may run, in both dialects.
fn told(query: &Query) -> String {
    let mut told = String::new();
    for dialect in DIALECTS {
        writeln!(told, "  {dialect:?}").unwrap();
        for Statement { text, values } in statements(dialect, &"acme".parse().unwrap(), query) {
            let text = text.replace(HEAD, "HEAD").replace(" WHERE", "\n      WHERE").replace(" AND ", "\n        AND ");
            writeln!(told, "    {text}").unwrap();
            let values: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
            writeln!(told, "      of {}", values.join(", ")).unwrap();
        }
    }
    told
}

/// Without what is read beside the records.
fn told_of_records(query: &Query) -> String {
    let lines = told(query);
    let beside = |statement: &str| statement.starts_with("    SELECT m.");
    let mut kept = String::new();
    let mut skip = false;
    for line in lines.lines() {
        if !line.starts_with("      ") {
            skip = beside(line);
        }
        if !skip {
            writeln!(kept, "{line}").unwrap();
        }
    }
    kept
}

fn mark(key: Option<SortKey>) -> Mark {
    Mark { key, resource_type: "User".to_owned(), id: "7".to_owned() }
}

#[test]
fn every_filter_that_providers_send() {
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"7\"";
    for (name, type_name, filter) in [
        ("user_name", "User", r#"userName eq "bjensen""#),
        ("external_id", "User", r#"externalId eq "701984""#),
        ("email", "User", r#"emails.value eq "b@x.example""#),
        ("email_of_kind", "User", r#"emails[type eq "work" and value eq "b@x.example"]"#),
        ("display_name", "Group", r#"displayName eq "Tour Guides""#),
        ("id", "User", r#"id eq "2819c223""#),
        ("members", "Group", r#"members eq "2819c223""#),
        ("manager", "User", manager),
        ("modified", "User", r#"meta.lastModified ge "2011-05-13T04:42:34Z""#),
        ("active", "User", "active eq true"),
        ("two", "User", r#"userName eq "bjensen" and active eq true"#),
        ("two_wide", "User", r#"meta.lastModified gt "2011-05-13T04:42:34Z" and active eq false"#),
        ("either", "User", r#"userName eq "bjensen" or externalId eq "701984""#),
        ("prefix", "User", r#"userName sw "b""#),
        ("no_index", "User", r#"title co "guide""#),
        ("all", "User", ""),
    ] {
        insta::assert_snapshot!(format!("filter_{name}"), told_of_records(&query(type_name, filter, "")), filter);
    }
}

#[test]
fn every_order_from_every_start() {
    let text = |text: &str| Some(SortKey::Text(text.to_owned()));
    let time = Some(SortKey::Instant("2011-05-13T04:42:34Z".parse().unwrap()));
    for (name, sort, key) in [
        ("id", "", None),
        ("an_index", "userName", text("bjensen")),
        ("the_id", "id", text("7")),
        ("time", "meta.lastModified", time),
        ("no_index", "title", text("guide")),
    ] {
        let mut told = String::new();
        let mut query = query("User", "", sort);
        query.total = false;
        let (with, without) = (mark(key), mark(None));
        let starts = [
            Start::Offset(0),
            Start::After(with.clone()),
            Start::Before(with),
            Start::After(without.clone()),
            Start::Before(without),
        ];
        for start in starts {
            for descending in [false, true] {
                (query.start, query.descending) = (start.clone(), descending);
                let order = if descending { "descending" } else { "ascending" };
                writeln!(told, "{start:?}, {order}").unwrap();
                told.push_str(&told_of_records(&query));
            }
        }
        insta::assert_snapshot!(format!("order_of_{name}"), told);
    }
}

#[test]
fn orders_of_some() {
    for (name, filter) in [
        ("unique", r#"userName eq "bjensen""#),
        ("half", "active eq true"),
        ("range", r#"meta.lastModified gt "2011-05-13T04:42:34Z""#),
        ("no_index", r#"title co "guide""#),
    ] {
        insta::assert_snapshot!(
            format!("order_of_some_{name}"),
            told_of_records(&query("User", filter, "displayName")),
            filter
        );
    }
}

#[test]
fn what_stands_beside_records() {
    let named = Members::Named(vec!["u2".to_owned(), "u1".to_owned(), "u2".to_owned()]);
    for (name, members, filter) in [
        ("none", Members::None, ""),
        ("all", Members::All, ""),
        ("named", named, ""),
        ("looked_at", Members::None, r#"members.display co "B""#),
    ] {
        let mut query = query("Group", filter, "");
        query.parts[0].members = members;
        insta::assert_snapshot!(format!("beside_{name}"), told(&query));
    }
}

/// The tables that a text names, by the name that it gives them.
fn tables(text: &str) -> Vec<&str> {
    let behind = ["FROM scim_", "JOIN scim_"].into_iter().flat_map(|word| text.split(word).skip(1));
    behind
        .map(|rest| match rest.split(' ').collect::<Vec<_>>()[..] {
            [_, "AS", name, ..] => name,
            _ => "",
        })
        .collect()
}

/// The law of the house for statements: the tenant stands in the condition of every table, also of those inside.
#[test]
fn every_table_is_asked_for_one_tenant() {
    let sorts = ["", "userName", "meta.lastModified", "title"];
    let filters = [
        r#"userName eq "a" and not (externalId eq "b") and groups.value eq "g""#,
        r#"userName eq "a" or id eq "b" or groups.value eq "g" or meta.lastModified lt "2011-05-13T04:42:34Z""#,
        r#"active eq true and groups.value eq "g""#,
        r#"groups.value eq "g" and userName sw "a""#,
        "active eq true or title pr",
        "",
    ];
    let mut seen = 0;
    for (filter, sort) in filters.iter().flat_map(|filter| sorts.map(|sort| (filter, sort))) {
        let query = query("User", filter, sort);
        for (dialect, Statement { text, values }) in DIALECTS
            .iter()
            .flat_map(|it| statements(*it, &"acme".parse().unwrap(), &query).into_iter().map(|one| (*it, one)))
        {
            let tables = tables(&text);
            for name in &tables {
                let given = if name.is_empty() { " tenant = ".to_owned() } else { format!("{name}.tenant = ") };
                let wanted = tables.iter().filter(|other| *other == name).count();
                assert_eq!(text.matches(&given).count(), wanted, "{given} in {text}");
            }
            seen += tables.len();
            // PostgreSQL takes no value without a place, and no place without a value.
            assert_eq!(values.first(), Some(&Value::Text("acme".to_owned())));
            for place in 1..=values.len() {
                assert!(text.contains(&dialect.place(place)), "{place} of {text}");
            }
            assert!(!text.contains(&dialect.place(values.len() + 1)), "{text}");
        }
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn a_query_over_two_types_asks_for_each() {
    let catalog = Catalog::standard();
    let parts = ["User", "Group"].map(|name| Part::new(Arc::clone(catalog.resource_type(name).unwrap())));
    let mut query = Query::over(parts.into(), 2);
    query.start = Start::After(Mark { key: None, resource_type: "Group".to_owned(), id: "g".to_owned() });
    insta::assert_snapshot!("two_types", told_of_records(&query));
}
