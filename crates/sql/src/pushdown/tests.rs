use std::fmt::Write;
use std::sync::Arc;

use scimwright_core::{Catalog, ResourceTypeSpec, urns};
use scimwright_filter::{Binding, Filter};
use serde_json::json;

use super::*;

fn part(resource_type: &Arc<ResourceType>, filter: &str) -> Asked {
    let filter: Filter = filter.parse().unwrap();
    let mut part = Asked::new(Arc::clone(resource_type));
    part.filter = Some(filter.bind(&Binding::new(resource_type)).unwrap());
    part
}

fn bound(resource_type: &Arc<ResourceType>, filter: &str) -> Pushdown {
    Pushdown::of(Dialect::Sqlite, &part(resource_type, filter))
}

fn pushdown(resource_type: &str, filter: &str) -> Pushdown {
    bound(Catalog::standard().resource_type(resource_type).unwrap(), filter)
}

/// What becomes of each filter, one after the other.
fn told(dialect: Dialect, resource_type: &str, filters: &[&str]) -> String {
    let mut told = String::new();
    for filter in filters {
        let part = part(Catalog::standard().resource_type(resource_type).unwrap(), filter);
        let Pushdown { from, condition, values, exact, .. } = Pushdown::of(dialect, &part);
        let says = if exact { "exact" } else { "wider" };
        writeln!(
            told,
            "{filter}\n  {says}{}{}",
            from.split_once(" CROSS JOIN ").map(|(index, _)| format!(" from {index}")).unwrap_or_default(),
            condition.replace(" (SELECT", "\n      (SELECT").replace(" UNION", "\n      UNION")
        )
        .unwrap();
        for (at, value) in values.iter().enumerate() {
            writeln!(told, "    {} = {value:?}", dialect.place(at + 3)).unwrap();
        }
    }
    told
}

#[test]
fn comparisons_of_users_become_searches() {
    let filters = [
        r#"userName eq "BJensen""#,
        r#"externalId eq "Ext-1""#,
        r#"emails eq "B@x.example""#,
        r#"id eq "2819""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "26118915""#,
        r#"userName sw "Bj""#,
        r#"groups.value eq "e9e30dba""#,
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified eq "2011-05-13T04:42:34.0005Z""#,
        r#"meta.lastModified le "9999-12-31T00:00:00Z""#,
        r#"userName co "jens""#,
        r#"userName ne "bjensen""#,
        "active eq true",
        "title pr",
    ];
    insta::assert_snapshot!(told(Dialect::Sqlite, "User", &filters));
    insta::assert_snapshot!(told(Dialect::Postgres, "User", &filters));
}

#[test]
fn connectives_keep_what_is_sound() {
    let filters = [
        r#"displayName eq "Babs" and userName eq "bjensen""#,
        r#"emails eq "b@x.example" and externalId eq "Ext-1""#,
        r#"userName eq "bjensen" and active eq true"#,
        r#"userName eq "a" or externalId eq "b""#,
        r#"userName eq "a" or active eq true"#,
        r#"(userName eq "a" and active eq true) or userName eq "b""#,
        r#"(userName eq "a" and displayName eq "x") or userName eq "b""#,
        r#"not (userName eq "a")"#,
        r#"not (userName eq "a" and active eq true)"#,
        r#"displayName sw "b" and meta.lastModified ge "2011-05-13T04:42:34Z""#,
        r#"emails[type eq "work" and value eq "b@x.example"]"#,
        r#"emails[value eq "b@x.example"]"#,
        r#"emails[value eq "b@x.example" and value eq "c@x.example"]"#,
        r#"emails[not (value eq "b@x.example")]"#,
        r#"not (emails[type eq "work" and value eq "b@x.example"])"#,
        r#"meta[lastModified lt "2011-05-13T04:42:34Z"] and groups[value eq "g"]"#,
    ];
    insta::assert_snapshot!(told(Dialect::Sqlite, "User", &filters));
    insta::assert_snapshot!(told(Dialect::Postgres, "User", &filters));
}

#[test]
fn members_of_groups_become_searches() {
    let filters = [
        r#"members eq "2819""#,
        r#"members[value eq "2819"] and displayName eq "Tour Guides""#,
        r#"members[value eq "2819" and type eq "User"]"#,
        r#"displayName eq "Tour Guides" and not (members.value eq "2819")"#,
    ];
    insta::assert_snapshot!(told(Dialect::Sqlite, "Group", &filters));
    insta::assert_snapshot!(told(Dialect::Postgres, "Group", &filters));
}

#[test]
fn ids_that_are_compared_without_case_stay_in_rust() {
    let catalog = Catalog::standard()
        .with_schema(&json!({"id": "urn:example:Team", "attributes": [
            {"name": "people", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value"}]},
        ]}))
        .unwrap();
    let spec = json!({"name": "Team", "endpoint": "/Teams", "schema": "urn:example:Team"});
    let catalog = catalog.with_resource_type(ResourceTypeSpec::from_json(spec).membership("people")).unwrap();
    let down = bound(catalog.resource_type("Team").unwrap(), r#"people.value eq "a""#);
    assert_eq!((down.condition.as_str(), down.exact), ("", false));
}

#[test]
fn what_sqlite_would_choke_on_stays_in_rust() {
    let many = |count: usize, joint: &str| {
        (0..count).map(|at| format!(r#"userName eq "u{at}""#)).collect::<Vec<_>>().join(joint)
    };
    assert!(pushdown("User", &many(TERMS, " or ")).exact);
    let syntax = scimwright_filter::Syntax { max_terms: 2 * TERMS, max_bytes: 1 << 20, ..Default::default() };
    let users = Catalog::standard().resource_type("User").unwrap().clone();
    let mut part = Asked::new(Arc::clone(&users));
    for (joint, empty) in [(" or ", true), (" and ", false)] {
        let filter = syntax.filter(&many(TERMS + 1, joint)).unwrap().value;
        part.filter = Some(filter.bind(&Binding::new(&users)).unwrap());
        let down = Pushdown::of(Dialect::Sqlite, &part);
        assert!(!down.exact && down.condition.is_empty() == empty, "{joint}");
    }
}

#[test]
fn every_value_has_a_place() {
    for filter in [
        r#"userName eq "a" and (id eq "b" or userName sw "c")"#,
        r#"userName eq "a" and not (id eq "b" and userName sw "c")"#,
        r#"id eq "a" and (externalId eq "b" or (userName sw "c" and title pr))"#,
    ] {
        let down = pushdown("User", filter);
        for place in 3..down.values.len() + 3 {
            assert!(down.condition.contains(&format!("?{place}")), "{filter}: {down:?}");
        }
        assert!(!down.exact, "{filter}");
    }
}

#[test]
fn the_text_after_a_prefix_is_the_first_that_lacks_it() {
    assert_eq!(successor("ab").as_deref(), Some("ac"));
    assert_eq!(successor("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
    assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
    assert_eq!(successor("\u{10ffff}\u{10ffff}"), None);
}

#[test]
fn moments_are_compared_as_milliseconds_however_fine_they_are() {
    let second = 1_000_000_000;
    let shown = |nanos: i64| i128::from(nanos).div_euclid(MILLI) * MILLI;
    let holds = |part: &Part, nanos: i64| match part {
        Part::Everything => true,
        Part::Nothing => false,
        Part::Leaf(Leaf::Modified { from, until }) => {
            from.is_none_or(|from| nanos >= from) && until.is_none_or(|until| nanos < until)
        }
        other => panic!("{other:?}"),
    };
    let moments = [-1, 0, 1, 999_999, 1_000_000, 1_000_001, second, -second - 1, i64::MAX, i64::MIN + 1_000_000];
    let operands = moments.map(i128::from).into_iter().chain([i128::from(i64::MAX) + 5_000_000, -(1 << 70), 1 << 70]);
    for operand in operands {
        for op in [Op::Eq, Op::Gt, Op::Ge, Op::Lt, Op::Le] {
            let part = modified(op, operand).unwrap();
            for nanos in moments {
                let wanted = match op {
                    Op::Eq => shown(nanos) == operand,
                    Op::Gt => shown(nanos) > operand,
                    Op::Ge => shown(nanos) >= operand,
                    Op::Lt => shown(nanos) < operand,
                    _ => shown(nanos) <= operand,
                };
                assert_eq!(holds(&part, nanos), wanted, "{nanos} {op:?} {operand}: {part:?}");
            }
        }
    }
    assert!(modified(Op::Ne, 0).is_none());
}

#[test]
fn every_indexed_path_of_users_is_one_that_filters_name() {
    let users = Catalog::standard().resource_type("User").unwrap().clone();
    for index in users.indexes.iter().filter(|index| index.name != "meta") {
        let value = if index.name == "active" { "true" } else { r#""x""# };
        let down = bound(&users, &format!("{} eq {value}", index.path));
        assert!(down.exact && down.from.contains("scim_key"), "{}", index.path);
    }
    assert!(users.indexes.iter().any(|index| index.container.as_deref() == Some(urns::ENTERPRISE_USER)));
}
