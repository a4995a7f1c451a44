//! The engine rows of the performance table: parse, print, bind, match.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scimwright_core::{Admit, Catalog};
use scimwright_filter::{Binding, Filter};

const ONE: &str = r#"userName eq "bjensen""#;
const VALUE_PATHS: &str =
    r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#;

/// 200 comparisons, about 5 KiB.
fn long() -> String {
    let terms: Vec<_> = (0..200).map(|index| format!("userName eq \"user-{index}\"")).collect();
    terms.join(" or ")
}

fn parsing(criterion: &mut Criterion) {
    let long = long();
    let texts = [("one comparison", ONE), ("two value paths", VALUE_PATHS), ("200 comparisons", long.as_str())];
    let mut group = criterion.benchmark_group("parse");
    for (name, text) in texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(text).parse::<Filter>()));
    }
    group.finish();
}

fn matching(criterion: &mut Criterion) {
    let catalog = Catalog::standard();
    let users = catalog.resource_type("User").expect("there are users");
    let user = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "BJensen@example.com",
        "active": true,
        "emails": [
            {"value": "babs@jensen.org", "type": "home"},
            {"value": "bjensen@example.com", "type": "work", "primary": true},
        ],
        "meta": {"resourceType": "User", "lastModified": "2011-05-13T04:42:34Z"},
    });
    let user = Admit::new(users).trusted(user).expect("it is a user");
    let filters = [
        ("userName", r#"userName eq "bjensen@example.com""#),
        ("value path", r#"emails[type eq "work" and value ew "@example.com"]"#),
        ("dateTime", r#"meta.lastModified gt "2011-05-13T04:42:33Z""#),
    ];
    let mut group = criterion.benchmark_group("match");
    for (name, text) in filters {
        let filter: Filter = text.parse().expect("it is a filter");
        let bound = filter.bind(&Binding::new(users)).expect("it fits users");
        assert!(bound.matches(&user), "{text}");
        group.bench_function(name, |bencher| bencher.iter(|| bound.matches(black_box(&user))));
    }
    group.finish();

    let filter: Filter = ONE.parse().expect("it is a filter");
    criterion.bench_function("bind/one comparison", |bencher| bencher.iter(|| filter.bind(&Binding::new(users))));
    criterion.bench_function("print/one comparison", |bencher| bencher.iter(|| filter.to_string()));
}

criterion_group!(benches, parsing, matching);
criterion_main!(benches);
