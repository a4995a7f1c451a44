//! `{filter, valid, canonical, ast}`.

use scimwright_filter::Filter;
use serde_json::Value;

use super::Verdict;
use super::tree::{same_tree, tree};

pub(super) fn judge(vector: &Value) -> Verdict {
    let text = vector.get("filter").and_then(Value::as_str).ok_or("the vector has no `filter`")?;
    let valid = vector.get("valid").and_then(Value::as_bool).ok_or("the vector does not say whether it is `valid`")?;
    let filter = match (text.parse::<Filter>(), valid) {
        (Ok(filter), true) => filter,
        (Err(_), false) => return Ok(()),
        (Ok(filter), false) => return Err(format!("wanted an error, came `{filter}`")),
        (Err(error), true) => return Err(format!("wanted a filter, came the error: {error}")),
    };
    let printed = filter.to_string();
    if let Some(canonical) = vector.get("canonical").and_then(Value::as_str)
        && canonical != printed
    {
        return Err(format!("wanted the canonical form `{canonical}`, came `{printed}`"));
    }
    if printed.parse::<Filter>().as_ref() != Ok(&filter) {
        return Err(format!("the printed form `{printed}` is another filter"));
    }
    match vector.get("ast") {
        Some(wanted) if !same_tree(wanted, &tree(&filter)) => {
            Err(format!("wanted the tree {wanted}, came {}", tree(&filter)))
        }
        _ => Ok(()),
    }
}
