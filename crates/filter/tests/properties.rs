//! What holds for every filter, and for every text.

use std::thread;

use proptest::prelude::*;
use scimwright_core::{AttrName, AttrPath, Catalog, Resource};
use scimwright_filter::{Binding, Expr, Filter, Literal, Number, Op, PatchPath, Syntax};

fn name() -> impl Strategy<Value = AttrName> {
    let text = prop_oneof![4 => "\\$?[a-zA-Z][a-zA-Z0-9$_-]{0,6}", 1 => "not|and|or|pr|eq|true|null"];
    text.prop_map(|text| text.parse().expect("it is a name"))
}

fn path() -> impl Strategy<Value = AttrPath> {
    let urn = proptest::option::weighted(0.2, "[a-z]{1,4}:[a-zA-Z0-9.:'/=&_-]{1,9}");
    (urn, name(), proptest::option::weighted(0.3, name())).prop_map(|(urn, name, sub)| AttrPath {
        urn: urn.map(|urn| urn.parse().expect("it is a URN")),
        name,
        sub,
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    let number = prop_oneof![
        any::<i64>().prop_map(Literal::from),
        any::<u64>().prop_map(|value| Literal::Number(serde_json::Number::from(value).into())),
        any::<f64>().prop_filter_map("JSON has finite numbers only", |value| {
            serde_json::Number::from_f64(value).map(|value| Literal::Number(Number::from(value)))
        }),
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?"
            .prop_map(|text| Literal::Number(text.parse().expect("it is a number"))),
    ];
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::from),
        number,
        any::<String>().prop_map(Literal::from),
        "[ -~é\"\\\\\u{0}-\u{1f}]{0,8}".prop_map(Literal::from),
    ]
}

fn term() -> impl Strategy<Value = Filter> {
    prop_oneof![
        path().prop_map(Filter::present),
        (path(), proptest::sample::select(Op::ALL.to_vec()), literal())
            .prop_map(|(path, op, literal)| Filter::compare(path, op, literal)),
    ]
}

/// Trees of those leaves, with and without whatever the builders would make simpler.
fn combined(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    leaf.prop_recursive(5, 32, 4, |inner| {
        let chain = proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            chain.clone().prop_map(|filters| Filter::all(filters).expect("it is not deep")),
            chain.prop_map(|filters| Filter::any(filters).expect("it is not deep")),
            inner.prop_map(|filter| Filter::negate(filter).expect("it is not deep")),
        ]
    })
}

fn selection() -> impl Strategy<Value = Filter> {
    combined(term())
}

fn filter() -> impl Strategy<Value = Filter> {
    let within = (path(), selection())
        .prop_map(|(path, inner)| Filter::within(path, inner).expect("there are no brackets inside"));
    combined(prop_oneof![3 => term(), 1 => within])
}

fn patch_path() -> impl Strategy<Value = PatchPath> {
    (path(), proptest::option::of((selection(), proptest::option::of(name())))).prop_map(|(attribute, rest)| {
        let (selection, sub) = rest.map_or((None, None), |(selection, sub)| (Some(selection), sub));
        PatchPath { attribute, selection, sub }
    })
}

/// Texts that are nearly filters.
fn nearly() -> impl Strategy<Value = String> {
    let token = proptest::sample::select(vec![
        "a",
        "b.c",
        "urn:x:y:z",
        "emails",
        "not",
        "and",
        "or",
        "pr",
        "eq",
        "co",
        "EQ",
        "Not",
        "(",
        ")",
        "[",
        "]",
        " ",
        " ",
        " ",
        "\t",
        ".",
        ":",
        "\"x\"",
        "\"",
        "'",
        "\\",
        "\"\\u00e9\"",
        "true",
        "True",
        "null",
        "1",
        "-0.5e+3",
        "01",
        "é",
        "\u{1f600}",
        "$ref",
        ",",
    ]);
    proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

fn survives(text: &str) {
    for syntax in [Syntax::default(), Syntax::tolerant()] {
        match syntax.filter(text) {
            Ok(parsed) => {
                assert_eq!(parsed.value.to_string().parse::<Filter>().as_ref(), Ok(&parsed.value), "{text}");
                if let Ok(strict) = text.parse::<Filter>() {
                    assert_eq!(strict, parsed.value, "{text}");
                }
            }
            Err(error) => assert!(error.at() <= text.len() && text.is_char_boundary(error.at()), "{text}: {error}"),
        }
        match syntax.path(text) {
            Ok(parsed) => {
                assert_eq!(parsed.value.to_string().parse::<PatchPath>().as_ref(), Ok(&parsed.value), "{text}")
            }
            Err(error) => assert!(error.at() <= text.len() && text.is_char_boundary(error.at()), "{text}: {error}"),
        }
    }
}

proptest! {
    #[test]
    fn a_printed_filter_reads_as_itself(filter in filter()) {
        let text = filter.to_string();
        let syntax = Syntax { max_bytes: usize::MAX, ..Syntax::default() };
        let read = syntax.filter(&text).unwrap_or_else(|error| panic!("{text}: {error}")).value;
        prop_assert_eq!(&read, &filter, "{}", text);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn a_printed_path_reads_as_itself(path in patch_path()) {
        let text = path.to_string();
        let syntax = Syntax { max_bytes: usize::MAX, ..Syntax::default() };
        let read = syntax.path(&text).unwrap_or_else(|error| panic!("{text}: {error}")).value;
        prop_assert_eq!(&read, &path, "{}", text);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn no_text_does_harm(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn no_near_miss_does_harm(text in nearly()) {
        survives(&text);
    }

    #[test]
    fn whatever_binds_has_an_answer_and_its_negation_the_other(filter in filter()) {
        let catalog = Catalog::standard();
        let users = catalog.resource_type("User").expect("there are users");
        let resource = Resource::default();
        let Ok(bound) = filter.bind(&Binding::new(users)) else { return Ok(()) };
        let negated = Filter::negate(filter).expect("it is not deep").bind(&Binding::new(users)).expect("as before");
        prop_assert_ne!(bound.matches(&resource), negated.matches(&resource));
    }
}

/// The deepest filters of each make.
fn deepest() -> Vec<Filter> {
    let leaf = || Filter::present("title".parse().expect("it is a path"));
    let chain = |filter: Filter, depth: usize| {
        if depth.is_multiple_of(2) { Filter::all(vec![leaf(), filter]) } else { Filter::any(vec![filter, leaf()]) }
    };
    let grow = |filter: Filter, limit: usize, step: &dyn Fn(Filter, usize) -> Result<Filter, _>| {
        (filter.depth()..limit).fold(filter, |filter, depth| step(filter, depth).expect("it is deep, but not too deep"))
    };
    let nots = grow(leaf(), Filter::MAX_DEPTH, &|filter, _| Filter::negate(filter));
    let chains = grow(leaf(), Filter::MAX_DEPTH, &chain);
    let value = Filter::present("value".parse().expect("it is a path"));
    let inner = grow(value, Filter::MAX_DEPTH - 1, &|filter, _| Filter::negate(filter));
    let within = Filter::within("emails".parse().expect("it is a path"), inner).expect("it is not too deep");
    vec![nots, chains, within]
}

#[test]
fn the_deepest_filters_need_little_stack() {
    let catalog = Catalog::standard();
    let users = catalog.resource_type("User").expect("there are users");
    let work: Vec<_> = deepest()
        .into_iter()
        .map(|filter| {
            let bound = filter.bind(&Binding::new(users)).expect("users have the attributes");
            (filter, bound)
        })
        .collect();
    let work = || {
        for (filter, bound) in work {
            assert_eq!(filter.depth(), Filter::MAX_DEPTH);
            assert_eq!(filter.clone(), filter);
            assert!(filter.to_string().len() > Filter::MAX_DEPTH);
            assert!(format!("{filter:?}").len() > Filter::MAX_DEPTH);
            assert!(format!("{filter:#?}").len() > Filter::MAX_DEPTH);
            assert!(format!("{:#?}", bound.clone()).len() > Filter::MAX_DEPTH);
            let _ = bound.matches(&Resource::default());
            // One level more is refused, and dropping what was to be it recurses no further.
            assert!(Filter::negate(filter).is_err());
        }
    };
    thread::scope(|scope| {
        let small = thread::Builder::new().stack_size(256 * 1024);
        small.spawn_scoped(scope, work).expect("threads start").join().expect("nothing overflows");
    });
}

#[test]
fn chains_are_flat_and_never_empty() {
    let leaf = |name: &str| Filter::present(name.parse().expect("it is a path"));
    let both = || Filter::all(vec![leaf("a"), leaf("b")]).expect("it is a chain");
    let flat =
        Filter::all(vec![both(), leaf("c"), Filter::all(vec![both()]).expect("it is a chain")]).expect("so is it");
    assert_eq!(flat.to_string(), "a pr and b pr and c pr and a pr and b pr");
    assert_eq!(flat.depth(), 2);
    assert!(matches!(flat.expr(), Expr::And(terms) if terms.len() == 5));
    assert_eq!(Filter::any(vec![leaf("a")]), Ok(leaf("a")));
    assert!(Filter::any(Vec::new()).is_err());
    let within = Filter::within("emails".parse().expect("it is a path"), leaf("value")).expect("it is a filter");
    assert!(Filter::within("emails".parse().expect("it is a path"), Filter::negate(within).expect("it is")).is_err());
}
