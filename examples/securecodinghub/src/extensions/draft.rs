//! The JSON of a schema before it is read as one: what reading would pass over, or would take long over.

use serde_json::Value;

use super::rules::{MOST_ATTRIBUTES, Unfit};

/// Checks that the JSON is no longer than it may be, and that all of it would be read.
///
/// # Errors
/// When there are more attributes than [`MOST_ATTRIBUTES`], or what should be an object is none.
pub(super) fn check(json: &Value) -> Result<(), Unfit> {
    let attributes = json.get("attributes").unwrap_or(&Value::Null);
    // First, for each name is compared with all the others when the schema is read.
    let count = count(attributes);
    if count > MOST_ATTRIBUTES {
        return Err(Unfit::TooLarge(count));
    }
    check_members(json)?;
    check_attributes(attributes)
}

/// How many attributes there are, parts of complex ones counted too.
fn count(attributes: &Value) -> usize {
    let of = |attribute: &Value| 1 + attribute.get("subAttributes").map_or(0, count);
    attributes.as_array().into_iter().flatten().map(of).sum()
}

fn check_attributes(attributes: &Value) -> Result<(), Unfit> {
    for attribute in attributes.as_array().into_iter().flatten() {
        check_members(attribute)?;
        attribute.get("subAttributes").map_or(Ok(()), check_attributes)?;
    }
    Ok(())
}

/// A list in place of an object would be read member by member.
fn check_members(json: &Value) -> Result<(), Unfit> {
    json.as_object().map(drop).ok_or(Unfit::NotAnObject)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn too_many_attributes_are_refused_before_they_are_read() {
        // None of them could be read.
        let bad = |count: usize| Value::from(vec![json!({"name": 1}); count]);
        assert_eq!(check(&json!({"attributes": bad(100)})), Ok(()));
        assert_eq!(check(&json!({"attributes": bad(101)})), Err(Unfit::TooLarge(101)));
        let nested = json!([{"name": "a", "subAttributes": [{"subAttributes": bad(99)}]}]);
        assert_eq!(check(&json!({"attributes": nested})), Err(Unfit::TooLarge(101)));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in [
            json!(["urn:acme:badge", "Badge", "", [{"name": "a"}]]),
            json!({"id": "urn:acme:badge", "attributes": [["a"]]}),
            json!({"id": "urn:acme:badge", "attributes": [{"name": "a", "type": "complex", "subAttributes": ["b"]}]}),
        ] {
            assert_eq!(check(&json), Err(Unfit::NotAnObject), "{json}");
        }
    }
}
