//! Trees in the prefix form of the vectors.

use scimwright_filter::{Expr, Filter, Literal};
use serde_json::{Value, json};

/// `[op, path, value]`, `["pr", path]`, `["and" | "or", …]`, `["not", x]`, `["[]", path, filter]`.
pub(super) fn tree(filter: &Filter) -> Value {
    let list = |word: &str, parts: &[Filter]| -> Value {
        std::iter::once(json!(word)).chain(parts.iter().map(tree)).collect()
    };
    match filter.expr() {
        Expr::And(parts) => list("and", parts),
        Expr::Or(parts) => list("or", parts),
        Expr::Not(inner) => json!(["not", tree(inner)]),
        Expr::Present(path) => json!(["pr", path.to_string()]),
        Expr::Within(path, inner) => json!(["[]", path.to_string(), tree(inner)]),
        Expr::Compare(path, op, literal) => json!([op.to_string(), path.to_string(), value(literal)]),
    }
}

/// Whether two trees are the same one. Numbers are compared by value: a file may spell them otherwise.
pub(super) fn same_tree(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_tree(left, right))
        }
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(truth) => (*truth).into(),
        Literal::Number(number) => Value::Number(number.value().clone()),
        Literal::String(text) => text.as_str().into(),
    }
}
