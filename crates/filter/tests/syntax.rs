//! Every vector of `filters.json`: texts that are filters, their trees and canonical forms, and texts that are none.

use scimwright_filter::{Expr, Filter, Literal, Syntax};
use serde_json::{Value, json};

mod util;

use util::data;

/// The prefix form of `filters.json`.
fn tree(filter: &Filter) -> Value {
    match filter.expr() {
        Expr::And(terms) => chain("and", terms),
        Expr::Or(terms) => chain("or", terms),
        Expr::Not(inner) => json!(["not", tree(inner)]),
        Expr::Present(path) => json!(["pr", path.to_string()]),
        Expr::Within(path, inner) => json!(["[]", path.to_string(), tree(inner)]),
        Expr::Compare(path, op, literal) => {
            let value = match literal {
                Literal::Null => Value::Null,
                Literal::Bool(value) => json!(value),
                Literal::Number(number) => number.value().clone().into(),
                Literal::String(text) => json!(text),
            };
            json!([op.as_str(), path.to_string(), value])
        }
    }
}

fn chain(word: &str, terms: &[Filter]) -> Value {
    std::iter::once(json!(word)).chain(terms.iter().map(tree)).collect()
}

/// Equal as JSON, where `-0`, `0` and `0.0` are one number.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

#[test]
fn every_vector_is_read_as_it_says() {
    let vectors = data("spec/filters.json");
    let vectors = vectors["vectors"].as_array().unwrap();
    assert!(vectors.len() > 150);
    let mut wrong = Vec::new();
    for vector in vectors {
        let text = vector["filter"].as_str().unwrap();
        let read = text.parse::<Filter>();
        // Where either verdict is acceptable it is enough that reading it did not panic.
        if vector["tolerance"] == true {
            continue;
        }
        match (vector["valid"].as_bool().unwrap(), read) {
            (true, Ok(filter)) => {
                let (canonical, ast) = (filter.to_string(), tree(&filter));
                if vector["canonical"] != *canonical || !same(&vector["ast"], &ast) {
                    wrong.push(format!("{text}: read as `{canonical}`, {ast}"));
                }
                assert_eq!(canonical.parse::<Filter>().as_ref(), Ok(&filter), "{text}");
            }
            (true, Err(error)) => wrong.push(format!("{text}: {error}")),
            (false, Ok(filter)) => wrong.push(format!("{text}: read as `{filter}`")),
            (false, Err(error)) => assert!(error.at() <= text.len(), "{text}: {error}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the grammar leaves a choice, this is ours (rulings R-15 and R-42, errata 7319 and 8924).
#[test]
fn tolerance_vectors_are_read_by_the_rulings() {
    let vectors = data("spec/filters.json");
    let refused: Vec<String> = vectors["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector["tolerance"] == true)
        .map(|vector| vector["filter"].as_str().unwrap())
        .filter(|text| text.parse::<Filter>().is_err())
        .map(str::to_owned)
        .collect();
    assert_eq!(
        refused,
        [
            "userName eq bjensen",
            "userName eq 'bjensen'",
            "active eq True",
            "title eq NULL",
            r#"emails[type eq "work"].value eq "x""#
        ]
    );
    for text in refused {
        let parsed = Syntax::tolerant().filter(&text).unwrap();
        assert_eq!(parsed.leniencies.len(), 1, "{text}");
    }
}

/// What the strict grammar reads, the tolerant one reads alike.
#[test]
fn tolerance_changes_no_meaning() {
    let vectors = data("spec/filters.json");
    for vector in vectors["vectors"].as_array().unwrap() {
        let text = vector["filter"].as_str().unwrap();
        if let Ok(strict) = text.parse::<Filter>() {
            let tolerant = Syntax::tolerant().filter(text).unwrap();
            assert_eq!(tolerant.value, strict, "{text}");
            assert_eq!(tolerant.leniencies, [], "{text}");
        }
    }
}
