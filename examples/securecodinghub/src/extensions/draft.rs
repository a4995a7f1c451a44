//! The JSON of a schema before it is read as one: what reading would pass over, or would take long over.

use serde_json::Value;

use super::rules::{MOST_ATTRIBUTES, Unfit};

/// What a schema has (RFC 7643 section 7), and every resource.
const OF_SCHEMA: [&str; 6] = ["id", "name", "description", "attributes", "schemas", "meta"];
/// What an attribute has (RFC 7643 section 7).
const OF_ATTRIBUTE: [&str; 12] = [
    "name",
    "type",
    "multiValued",
    "description",
    "required",
    "canonicalValues",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "referenceTypes",
    "subAttributes",
];
/// Types whose values cannot be unique (RFC 7643 sections 2.3.2 to 2.3.8).
const NEVER_UNIQUE: [&str; 4] = ["boolean", "dateTime", "binary", "complex"];

/// Checks that the JSON is no longer than it may be, and that all of it would be read.
///
/// # Errors
/// When there are more attributes than [`MOST_ATTRIBUTES`], what should be an object is none, there are members that a schema does not have,
/// or a uniqueness that values of the type do not have.
pub(super) fn check(json: &Value) -> Result<(), Unfit> {
    let attributes = json.get("attributes").unwrap_or(&Value::Null);
    // First, for each name is compared with all the others when the schema is read.
    let count = count(attributes);
    if count > MOST_ATTRIBUTES {
        return Err(Unfit::TooLarge(count));
    }
    check_members(json, &OF_SCHEMA, || "the schema".to_owned())?;
    check_attributes(attributes, "")
}

/// How many attributes there are, parts of complex ones counted too.
fn count(attributes: &Value) -> usize {
    let of = |attribute: &Value| 1 + attribute.get("subAttributes").map_or(0, count);
    attributes.as_array().into_iter().flatten().map(of).sum()
}

fn check_attributes(attributes: &Value, prefix: &str) -> Result<(), Unfit> {
    for attribute in attributes.as_array().into_iter().flatten() {
        let text = |member: &str| attribute.get(member).and_then(Value::as_str);
        let name = || format!("{prefix}{}", text("name").unwrap_or("an attribute without name"));
        check_members(attribute, &OF_ATTRIBUTE, || format!("`{}`", name()))?;
        let unique = text("uniqueness").is_some_and(|uniqueness| uniqueness != "none");
        if unique && text("type").is_some_and(|data_type| NEVER_UNIQUE.contains(&data_type)) {
            let reason = "cannot be unique: values of its type are not (RFC 7643 section 2.3)";
            return Err(Unfit::Attribute { attribute: name(), reason });
        }
        if let Some(parts) = attribute.get("subAttributes") {
            check_attributes(parts, &format!("{}.", name()))?;
        }
    }
    Ok(())
}

/// What is misspelled would be passed over, and the attribute would be another than was meant. A list in place of an object
/// would be read member by member.
fn check_members(json: &Value, known: &[&'static str], of: impl Fn() -> String) -> Result<(), Unfit> {
    let object = json.as_object().ok_or(Unfit::NotAnObject)?;
    match object.keys().find(|member| !known.contains(&member.as_str())) {
        None => Ok(()),
        Some(member) => {
            let meant = known.iter().find(|known| known.eq_ignore_ascii_case(member)).copied();
            Err(Unfit::Member { of: of(), member: member.clone(), meant })
        }
    }
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

    #[test]
    fn members_that_a_schema_does_not_have_are_named() {
        let one = |attribute: Value| json!({"id": "urn:acme:badge", "attributes": [{"name": "color"}, attribute]});
        for (json, reason) in [
            (
                one(json!({"name": "number", "type": "integer", "multivalued": true})),
                "`number` has `multivalued`, which is nothing that RFC 7643 section 7 knows: is it `multiValued`?",
            ),
            (
                one(json!({"name": "number", "Type": "integer"})),
                "`number` has `Type`, which is nothing that RFC 7643 section 7 knows: is it `type`?",
            ),
            (
                one(json!({"name": "card", "type": "complex", "subAttributes": [{"name": "pin", "hint": "4 digits"}]})),
                "`card.pin` has `hint`, which is nothing that RFC 7643 section 7 knows",
            ),
            (
                one(json!({"type": "string", "\u{1b}": 1})),
                "`an attribute without name` has `\\u{1b}`, which is nothing that RFC 7643 section 7 knows",
            ),
            (
                json!({"ID": "urn:acme:badge", "attributes": []}),
                "the schema has `ID`, which is nothing that RFC 7643 section 7 knows: is it `id`?",
            ),
        ] {
            assert_eq!(check(&json).unwrap_err().to_string(), reason);
        }
        let whole = one(json!({
            "name": "number", "type": "reference", "multiValued": false, "description": "", "required": false, "canonicalValues": [],
            "caseExact": true, "mutability": "readWrite", "returned": "default", "uniqueness": "server", "referenceTypes": ["uri"],
        }));
        assert_eq!(check(&whole), Ok(()));
        // What this server shows may be sent back.
        let shown = json!({"schemas": [], "id": "", "name": "", "description": "", "meta": {}, "attributes": []});
        assert_eq!(check(&shown), Ok(()));
    }

    #[test]
    fn what_cannot_be_unique_is_not_said_to_be() {
        for data_type in NEVER_UNIQUE {
            let of = |uniqueness: &str| {
                let attribute = json!({"name": "a", "type": data_type, "uniqueness": uniqueness});
                check(&json!({"attributes": [{"name": "card", "type": "complex", "subAttributes": [attribute]}]}))
            };
            assert_eq!(of("none"), Ok(()));
            for uniqueness in ["server", "global"] {
                let error = of(uniqueness).unwrap_err().to_string();
                assert!(error.starts_with("`card.a` cannot be unique"), "{error}");
            }
        }
    }
}
