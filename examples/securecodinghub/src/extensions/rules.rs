//! Which schemas may extend the users of an organisation, and how they may change.

use std::collections::BTreeSet;

use scimwright_core::{Attribute, Catalog, DataType, Mutability, Schema, SchemaError, Uniqueness, Urn, urns};
use serde_json::Value;

use super::draft;

/// Extensions that an organisation may have at a time.
pub const MOST_EXTENSIONS: usize = 10;
/// Attributes of one extension, parts of complex ones counted too.
pub const MOST_ATTRIBUTES: usize = 100;
/// Bytes of the schema as it is sent.
pub const LARGEST: usize = 64 << 10;
/// URIs that an organisation may have used in all, of which those with values out of sight stay in mind.
pub(super) const MOST_URIS: usize = 100;
/// Bytes of the URI.
const LONGEST_URI: usize = 200;
/// Bytes of the name of an attribute.
const LONGEST_NAME: usize = 64;
/// Names of attributes that a user has at the top level and that have rules of their own there. An extension's attribute of such a
/// name would be taken for it by whoever looks at names alone. Parts of complex attributes may have them.
const RESERVED: [&str; 6] = ["id", "schemas", "meta", "externalId", "password", "userName"];

/// Why a schema cannot extend users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The JSON is another resource.
    #[error("this is no schema: its `schemas` lack `{}`", urns::SCHEMA)]
    NotASchema,
    /// A schema or an attribute of it is something else in JSON.
    #[error("a schema is a JSON object, and so is each of its attributes")]
    NotAnObject,
    /// A schema or an attribute has a member that neither has.
    #[error(
        "{of} has `{}`, which is nothing that RFC 7643 section 7 knows{}", member.escape_debug(),
        meant.map(|meant| format!(": is it `{meant}`?")).unwrap_or_default()
    )]
    Member {
        /// Whose it is, in words.
        of: String,
        /// Its name.
        member: String,
        /// The one that differs from it by case alone.
        meant: Option<&'static str>,
    },
    /// The JSON is no schema that RFC 7643 section 7 knows.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The URI is of a kind that extensions cannot have.
    #[error("`{urn}` cannot name an extension: {reason}")]
    Uri {
        /// The URI.
        urn: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing in it.
    #[error("the schema has no attributes")]
    Empty,
    /// There is too much in it.
    #[error("the schema has {0} attributes, and {MOST_ATTRIBUTES} are the most")]
    TooLarge(usize),
    /// An attribute cannot be kept as it says.
    #[error("`{attribute}` {reason}")]
    Attribute {
        /// Its name.
        attribute: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Reads a schema that shall extend users, beside what the catalog has.
///
/// # Errors
/// When it is no schema, or one that cannot extend users.
pub(super) fn read(json: &Value, catalog: &Catalog) -> Result<Schema, Unfit> {
    if let Some(schemas) = json.get("schemas") {
        let list = schemas.as_array().map(Vec::as_slice).unwrap_or_default();
        if !list.iter().any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(urns::SCHEMA))) {
            return Err(Unfit::NotASchema);
        }
    }
    draft::check(json)?;
    let schema = Schema::from_json(json)?;
    check_uri(&schema.id)?;
    for served in catalog.schemas() {
        check_apart(&schema.id, &served.id)?;
    }
    if schema.attributes.is_empty() {
        return Err(Unfit::Empty);
    }
    for attribute in &schema.attributes {
        if RESERVED.iter().any(|reserved| attribute.name.is(reserved)) {
            let reason =
                "has a meaning of its own for every resource (RFC 7643 section 3.1) or user: choose another name";
            return Err(Unfit::Attribute { attribute: attribute.name.to_string(), reason });
        }
        check_attribute(attribute, attribute.name.to_string())?;
        for sub in &attribute.sub_attributes {
            check_attribute(sub, format!("{}.{}", attribute.name, sub.name))?;
        }
    }
    Ok(schema)
}

/// Whether extensions may have that URI.
pub(super) fn check_uri(urn: &Urn) -> Result<(), Unfit> {
    let refuse = |reason: &str| Err(Unfit::Uri { urn: urn.to_string(), reason: reason.to_owned() });
    let lower = urn.as_str().to_ascii_lowercase();
    // No sign that means something in a path or a filter.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'_' | b'-' | b'~');
    if !lower.starts_with("urn:") || !lower.bytes().all(plain) || lower.ends_with(':') {
        refuse("expected `urn:`, then letters, digits and `:`, `.`, `_`, `-`, `~`")
    } else if lower.starts_with("urn:ietf:params:scim:") {
        refuse("what begins with `urn:ietf:params:scim:` is IANA's to give (RFC 7643 section 10.1)")
    } else if lower.len() > LONGEST_URI {
        refuse("it is longer than 200 characters")
    } else {
        Ok(())
    }
}

/// Two schemas must not be one, and none may read as an attribute of the other: `urn:a:b` with the attribute `c` is `urn:a:b:c`.
pub(super) fn check_apart(new: &Urn, other: &Urn) -> Result<(), Unfit> {
    let refuse = |reason: String| Err(Unfit::Uri { urn: new.to_string(), reason });
    let inside = |inner: &Urn, outer: &Urn| {
        let (inner, outer) = (inner.as_str(), outer.as_str());
        inner.get(..outer.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(outer))
            && inner.as_bytes().get(outer.len()) == Some(&b':')
    };
    if new == other {
        refuse("this server has a schema of that URI".to_owned())
    } else if inside(new, other) || inside(other, new) {
        refuse(format!("beside `{other}` one of the two would read as an attribute of the other"))
    } else {
        Ok(())
    }
}

fn check_attribute(attribute: &Attribute, name: String) -> Result<(), Unfit> {
    let reason = if attribute.name.as_str().len() > LONGEST_NAME {
        "is longer than 64 characters"
    } else if attribute.is_hidden() {
        "is never returned, and this server keeps no secrets of users: nobody could ever have its value"
    } else if attribute.mutability == Mutability::ReadOnly {
        "is readOnly, and the server has nothing to write there: nobody could ever have its value"
    } else if attribute.data_type == DataType::Complex && attribute.sub_attributes.is_empty() {
        "is complex and has no subAttributes: nobody could ever have its value"
    } else if attribute.uniqueness == Uniqueness::Global {
        "cannot be unique over all organisations: make it unique on the `server`, which is within this one"
    } else {
        return Ok(());
    };
    Err(Unfit::Attribute { attribute: name, reason })
}

/// What another version of a schema brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// The attributes that are new.
    pub(super) added: Vec<String>,
    /// What values that are there would not bear, in words.
    pub(super) clashes: Vec<String>,
}

/// Compares a schema with the one that shall take its place. Texts for people and suggested values may change as they like.
pub(super) fn compare(old: &Schema, new: &Schema) -> Difference {
    let mut difference = Difference::default();
    if old.id.as_str() != new.id.as_str() {
        difference.clashes.push(format!("its URI is written `{}`", old.id));
    }
    compare_lists(&old.attributes, &new.attributes, "", &mut difference);
    difference
}

fn compare_lists(old: &[Attribute], new: &[Attribute], prefix: &str, difference: &mut Difference) {
    let mut known = BTreeSet::new();
    for before in old {
        let name = format!("{prefix}{}", before.name);
        let Some(after) = new.iter().find(|after| after.name == before.name) else {
            difference.clashes.push(format!("`{name}` is missing"));
            continue;
        };
        known.insert(&after.name);
        difference.clashes.extend(changed(before, after).map(|what| format!("`{name}` has another {what}")));
        compare_lists(&before.sub_attributes, &after.sub_attributes, &format!("{name}."), difference);
    }
    for attribute in new.iter().filter(|attribute| !known.contains(&attribute.name)) {
        let name = format!("{prefix}{}", attribute.name);
        if attribute.required {
            difference.clashes.push(format!("`{name}` is new and required, and users who have the extension lack it"));
        }
        difference.added.push(name);
    }
}

/// The characteristics that differ.
fn changed(before: &Attribute, after: &Attribute) -> impl Iterator<Item = &'static str> {
    [
        ("spelling", before.name.as_str() != after.name.as_str()),
        ("type", before.data_type != after.data_type),
        ("multiValued", before.multi_valued != after.multi_valued),
        ("required", before.required != after.required),
        ("caseExact", before.case_exact != after.case_exact),
        ("mutability", before.mutability != after.mutability),
        ("returned", before.returned != after.returned),
        ("uniqueness", before.uniqueness != after.uniqueness),
        ("referenceTypes", before.reference_types != after.reference_types),
    ]
    .into_iter()
    .filter_map(|(what, differs)| differs.then_some(what))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(attributes: Value) -> Value {
        json!({"id": "urn:acme:badge", "attributes": attributes})
    }

    #[track_caller]
    fn refused(json: Value) -> String {
        read(&json, &Catalog::standard()).unwrap_err().to_string()
    }

    #[test]
    fn a_plain_schema_is_taken() {
        let schema = json!({"schemas": [urns::SCHEMA], "id": "urn:acme:params:scim:schemas:badge:2.0:User", "name": "Badge",
            "attributes": [{"name": "number", "type": "integer", "uniqueness": "server"}]});
        assert_eq!(read(&schema, &Catalog::standard()).unwrap().name, "Badge");
    }

    #[test]
    fn what_cannot_extend_users_is_refused_with_the_reason() {
        for (json, reason) in [
            (json!({"schemas": [urns::USER], "id": "urn:a:b", "attributes": []}), "this is no schema"),
            (json!([]), "a schema is a JSON object"),
            (json!({"attributes": [{"name": "a"}]}), "missing field `id`"),
            (with(json!([{"name": "a", "type": "money"}])), "unknown variant `money`"),
            (with(json!([])), "has no attributes"),
            (json!({"id": "urn:a:b"}), "has no attributes"),
            (with(json!([{"name": "pin", "returned": "never"}])), "`pin` is never returned"),
            (with(json!([{"name": "pin", "mutability": "writeOnly"}])), "`pin` is never returned"),
            (
                with(
                    json!([{"name": "card", "type": "complex", "subAttributes": [{"name": "pin", "returned": "never"}]}]),
                ),
                "`card.pin` is never returned",
            ),
            (with(json!([{"name": "card", "type": "complex"}])), "`card` is complex and has no subAttributes"),
            (with(json!([{"name": "card", "type": "complex", "subAttributes": []}])), "`card` is complex and has no"),
            (with(json!([{"name": "seen", "mutability": "readOnly"}])), "`seen` is readOnly"),
            (
                with(json!([{"name": "card", "type": "complex", "subAttributes": [
                    {"name": "seen", "type": "dateTime", "mutability": "readOnly"}]}])),
                "`card.seen` is readOnly",
            ),
            (with(json!([{"name": "number", "multivalued": true}])), "is it `multiValued`?"),
            (with(json!([{"name": "on", "type": "boolean", "uniqueness": "server"}])), "`on` cannot be unique"),
            (with(json!([{"name": "number", "uniqueness": "global"}])), "`number` cannot be unique over all"),
        ] {
            let error = refused(json);
            assert!(error.contains(reason), "{error}");
        }
        let many: Vec<Value> = (0..=MOST_ATTRIBUTES).map(|at| json!({"name": format!("a{at}")})).collect();
        assert_eq!(refused(with(many.into())), "the schema has 101 attributes, and 100 are the most");
    }

    #[test]
    fn names_with_a_meaning_at_the_top_are_refused() {
        for name in ["id", "schemas", "meta", "externalId", "password", "userName", "ID", "externalid"] {
            let error = refused(with(json!([{"name": "number"}, {"name": name}])));
            assert!(error.starts_with(&format!("`{name}` has a meaning of its own")), "{error}");
        }
        let taken = |attributes: Value| read(&with(attributes), &Catalog::standard()).is_ok();
        // Others are the extension's own, and so is a part of a complex attribute.
        assert!(taken(json!([{"name": "ids"}, {"name": "user"}])));
        assert!(taken(json!([{"name": "card", "type": "complex", "subAttributes": [{"name": "id"}]}])));

        let longest = "a".repeat(LONGEST_NAME);
        assert!(taken(json!([{"name": longest}])));
        let longer = format!("{longest}a");
        let part = json!([{"name": "card", "type": "complex", "subAttributes": [{"name": longer}]}]);
        assert_eq!(refused(with(json!([{"name": longer}]))), format!("`{longer}` is longer than 64 characters"));
        assert_eq!(refused(with(part)), format!("`card.{longer}` is longer than 64 characters"));
    }

    #[test]
    fn uris_are_nobody_elses() {
        let of = |urn: &str| json!({"id": urn, "attributes": [{"name": "a"}]});
        for (urn, reason) in [
            ("https://acme.example/badge", "expected `urn:`"),
            ("urn:acme:b/c", "expected `urn:`"),
            ("urn:acme:badge:", "expected `urn:`"),
            ("URN:IETF:params:scim:schemas:extension:acme:2.0:User", "IANA"),
            (urns::ENTERPRISE_USER, "IANA"),
        ] {
            assert!(refused(of(urn)).contains(reason), "{urn}");
        }
        assert!(refused(of(&format!("urn:{}", "a".repeat(200)))).contains("longer than 200"));
        let catalog = Catalog::empty().with_schema(&of("urn:acme:badge")).unwrap();
        let beside = |urn: &str| read(&of(urn), &catalog).map_err(|error| error.to_string());
        assert!(beside("URN:ACME:BADGE").unwrap_err().contains("has a schema of that URI"));
        assert!(beside("urn:acme:Badge:number").unwrap_err().contains("would read as an attribute"));
        assert!(beside("urn:acme").unwrap_err().contains("would read as an attribute"));
        assert!(beside("urn:acme:badges").is_ok());
    }

    #[test]
    fn a_schema_may_grow_and_not_change() {
        let schema = |attributes: Value| read(&with(attributes), &Catalog::empty()).unwrap();
        let old = schema(json!([
            {"name": "number", "type": "integer"},
            {"name": "card", "type": "complex", "subAttributes": [{"name": "color"}]},
        ]));
        let grown = compare(
            &old,
            &schema(json!([
                {"name": "card", "type": "complex", "description": "what is shown at the door",
                    "subAttributes": [{"name": "color", "canonicalValues": ["red"]}, {"name": "size"}]},
                {"name": "number", "type": "integer"}, {"name": "issued", "type": "dateTime"},
            ])),
        );
        assert_eq!(grown, Difference { added: vec!["card.size".into(), "issued".into()], clashes: vec![] });
        let clashing = compare(
            &old,
            &schema(json!([{"name": "Number", "multiValued": true}, {"name": "level", "required": true}])),
        );
        assert_eq!(
            clashing.clashes,
            [
                "`number` has another spelling",
                "`number` has another type",
                "`number` has another multiValued",
                "`card` is missing",
                "`level` is new and required, and users who have the extension lack it",
            ]
        );
        assert_eq!(compare(&old, &old), Difference::default());
    }
}
