use scimwright_core::{Catalog, Resource, ResourceTypeSpec};
use serde_json::{Value, json};

use crate::{Binding, Filter};

fn catalog() -> Catalog {
    let thing = json!({"id": "urn:x:Thing", "attributes": [
        {"name": "title"}, {"name": "serial", "caseExact": true}, {"name": "size", "type": "integer"},
        {"name": "mass", "type": "decimal"}, {"name": "at", "type": "dateTime"}, {"name": "on", "type": "boolean"},
        {"name": "tags", "multiValued": true},
        {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value"}, {"name": "type"}, {"name": "primary", "type": "boolean"},
            {"name": "marks", "multiValued": true}]},
    ]});
    Catalog::empty()
        .with_schema(&thing)
        .unwrap()
        .with_resource_type(ResourceTypeSpec::from_json(
            json!({"name": "Thing", "endpoint": "/Things", "schema": "urn:x:Thing"}),
        ))
        .unwrap()
}

/// Whether each filter holds for the resource, `T` or `f`.
#[track_caller]
fn answers(resource: Value, filters: &[&str]) -> String {
    let catalog = catalog();
    let binding = Binding::new(catalog.resource_type("Thing").unwrap());
    let Value::Object(resource) = resource else { panic!("not an object") };
    let resource = Resource::from_stored(resource);
    let answer = |text: &&str| {
        let bound = text.parse::<Filter>().unwrap().bind(&binding).unwrap_or_else(|error| panic!("{text}: {error}"));
        if bound.matches(&resource) { 'T' } else { 'f' }
    };
    filters.iter().map(answer).collect()
}

#[test]
fn nothing_is_unequal_to_everything_and_orders_with_nothing() {
    let filters = [
        "title eq \"x\"",
        "title ne \"x\"",
        "title eq null",
        "title ne null",
        "title pr",
        "title le \"z\"",
        "title co \"\"",
    ];
    assert_eq!(answers(json!({}), &filters), "fTTffff");
    assert_eq!(answers(json!({"title": ""}), &filters), "fTfTfTT");
    assert_eq!(answers(json!({"title": "X"}), &filters), "TffTTTT");
}

#[test]
fn not_is_two_valued() {
    assert_eq!(answers(json!({}), &["not (title eq \"x\")", "not (title ne \"x\")", "not (size gt 1)"]), "TfT");
}

#[test]
fn of_many_values_any_may_match_and_any_may_differ() {
    let filters =
        ["tags eq \"red\"", "tags ne \"red\"", "not (tags eq \"red\")", "tags[value ne \"red\"]", "tags eq null"];
    assert_eq!(answers(json!({"tags": ["Red"]}), &filters), "Tffff");
    assert_eq!(answers(json!({"tags": ["Red", "blue"]}), &filters), "TTfTf");
    assert_eq!(answers(json!({"tags": ["blue"]}), &filters), "fTTTf");
    assert_eq!(answers(json!({}), &filters), "fTTfT");
}

#[test]
fn values_that_do_not_say_are_not_primary() {
    let filters = [
        "parts[primary eq false]",
        "parts[primary ne true]",
        "parts[primary eq true]",
        "parts[primary pr]",
        "parts[primary eq null]",
        "parts.primary eq false",
        "parts.primary ne true",
        "parts.primary ne false",
    ];
    assert_eq!(answers(json!({"parts": [{"value": "a"}]}), &filters), "TTffTTTf");
    assert_eq!(answers(json!({"parts": [{"value": "a", "primary": true}]}), &filters), "ffTTfffT");
    assert_eq!(answers(json!({"parts": [{"value": "a", "primary": true}, {"value": "b"}]}), &filters), "TTTTTTTT");
    assert_eq!(answers(json!({}), &filters), "ffffffTT");
}

#[test]
fn brackets_are_about_one_value() {
    let parts = json!({"parts": [{"value": "a", "type": "x", "marks": ["m", "n"]}, {"value": "b"}]});
    assert_eq!(
        answers(
            parts,
            &[
                "parts[value eq \"a\" and type eq \"x\"]",
                "parts[value eq \"b\" and type eq \"x\"]",
                "parts.value eq \"b\" and parts.type eq \"x\"",
                "parts[not (type pr)]",
                "not (parts[type pr])",
                "parts[marks eq \"n\"]",
                "parts.marks eq \"n\"",
                "parts.type ne \"x\"",
                "parts[type ne \"x\"]",
            ]
        ),
        "TfTTfTTfT"
    );
}

#[test]
fn numbers_are_compared_by_what_they_are_worth() {
    let filters = [
        "size eq 9007199254740993",
        "size gt 9007199254740992",
        "size eq 9007199254740992.0",
        "size ge 1e3",
        "size lt 1e300",
    ];
    assert_eq!(answers(json!({"size": 9_007_199_254_740_993_i64}), &filters), "TTfTT");
    assert_eq!(answers(json!({"size": 9_007_199_254_740_992_i64}), &filters), "ffTTT");
    assert_eq!(answers(json!({"mass": 2.5}), &["mass eq 2.50", "mass gt 2", "mass lt 3", "mass eq 25e-1"]), "TTTT");
    assert_eq!(answers(json!({"size": u64::MAX}), &["size gt 1", "size eq 18446744073709551615"]), "TT");
}

#[test]
fn strings_are_compared_by_case_rule_and_code_point() {
    let thing = json!({"title": "Straße 10", "serial": "aB"});
    assert_eq!(
        answers(
            thing,
            &[
                "title eq \"STRASSE 10\"",
                "title ew \"E 10\"",
                "title gt \"strasse 1\"",
                "title lt \"z\"",
                "serial eq \"ab\"",
                "serial gt \"aA\"",
                "serial lt \"ab\"",
            ]
        ),
        "TTTTfTT"
    );
}

#[test]
fn moments_are_compared_in_any_spelling_and_nonsense_is_none() {
    let filters =
        ["at eq \"2020-01-01T01:00:00+01:00\"", "at gt \"2019-12-31T23:59:59.999Z\"", "at ne \"2020-01-01T00:00:00Z\""];
    assert_eq!(answers(json!({"at": "2020-01-01T00:00:00.000Z"}), &filters), "TTf");
    assert_eq!(answers(json!({"at": "soon"}), &filters), "ffT");
    assert_eq!(answers(json!({"on": "true"}), &["on eq true", "on ne true", "on pr"]), "fTT");
}
