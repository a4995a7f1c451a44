//! Repairs of the bodies of POST and PUT, guided by the schema.

use scimwright_core::{Attribute, DataType, Mutability, ResourceType};
use serde_json::{Map, Value};

use crate::{Profile, Quirk, Quirks};

impl Profile {
    /// Sets right what this profile tolerates in the body of a POST or PUT and says which quirks fired. What is left is for
    /// [`Admit`](scimwright_core::Admit) to judge.
    pub fn repair(&self, resource_type: &ResourceType, body: &mut Value) -> Quirks {
        let mut repair = Repair { profile: self, fired: Quirks::NONE };
        if let Value::Object(object) = body {
            repair.schemas(resource_type, object);
            for (key, value) in object.iter_mut() {
                if let Some(attribute) = resource_type.attribute(key) {
                    repair.attribute(attribute, value);
                } else if let (Some(extension), Value::Object(inside)) = (resource_type.extension(key), value) {
                    for (key, value) in inside.iter_mut() {
                        if let Some(attribute) = extension.schema.attribute(key) {
                            repair.attribute(attribute, value);
                        }
                    }
                }
            }
        }
        repair.fired
    }

    /// Sets right the `schemas` of a message, such as a PatchOp, that must name `urn`.
    pub fn repair_message(&self, urn: &str, body: &mut Value) -> Quirks {
        let mut repair = Repair { profile: self, fired: Quirks::NONE };
        if let Value::Object(object) = body {
            repair.message(urn, &|own| own.eq_ignore_ascii_case(urn), object);
        }
        repair.fired
    }
}

struct Repair<'p> {
    profile: &'p Profile,
    fired: Quirks,
}

impl Repair<'_> {
    /// Notes that the quirk is there, and says whether it is tolerated.
    fn takes(&mut self, quirk: Quirk) -> bool {
        let has = self.profile.has(quirk);
        if has {
            self.fired.insert(quirk);
        }
        has
    }

    fn schemas(&mut self, resource_type: &ResourceType, body: &mut Map<String, Value>) {
        let base = &resource_type.schema.id;
        self.message(base.as_str(), &|urn| resource_type.resolve_urn(urn).is_some(), body);
    }

    /// `schemas` of a body that must name `base`, and else only what is known.
    fn message(&mut self, base: &str, knows: &dyn Fn(&str) -> bool, body: &mut Map<String, Value>) {
        let key = body.keys().find(|key| key.eq_ignore_ascii_case("schemas")).cloned();
        let list = key.as_ref().and_then(|key| body.get_mut(key));
        let list = match list {
            Some(Value::Array(list)) if !list.is_empty() => list,
            Some(Value::Array(_) | Value::Null) | None => {
                if self.takes(Quirk::NoSchemas) {
                    body.insert(key.unwrap_or_else(|| "schemas".to_owned()), vec![base].into());
                }
                return;
            }
            Some(_) => return,
        };
        let known = |urn: &Value| match urn.as_str() {
            Some(urn) => knows(urn),
            None => true,
        };
        if list.iter().any(|urn| !known(urn)) && self.takes(Quirk::UnknownSchemas) {
            list.retain(known);
        }
        let has_base = list.iter().any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(base)));
        if !has_base && self.takes(Quirk::BaseSchemaMissing) {
            list.push(base.into());
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &mut Value) {
        if attribute.mutability == Mutability::ReadOnly {
            return;
        }
        match value {
            Value::Array(items) if attribute.multi_valued => {
                for item in items.iter_mut() {
                    self.element(attribute, item);
                }
                self.primaries(items);
            }
            Value::Array(_) => {}
            one => self.element(attribute, one),
        }
    }

    fn element(&mut self, attribute: &Attribute, value: &mut Value) {
        match (attribute.data_type, &mut *value) {
            (DataType::Boolean, Value::String(text)) => {
                let meant = boolean(text);
                if let Some(meant) = meant.filter(|_| self.takes(Quirk::BooleanStrings)) {
                    *value = meant.into();
                }
            }
            (_, Value::String(text)) if text.is_empty() && self.takes(Quirk::EmptyStringClears) => *value = Value::Null,
            (DataType::Complex, Value::String(text)) if !attribute.multi_valued && attribute.sub("value").is_some() => {
                let id = std::mem::take(text);
                if self.takes(Quirk::ReferenceAsString) {
                    let mut object = Map::new();
                    object.insert("value".to_owned(), id.into());
                    *value = object.into();
                } else {
                    *value = id.into();
                }
            }
            (DataType::Complex, Value::Object(object)) => {
                for (key, value) in object.iter_mut() {
                    if let Some(sub) = attribute.sub(key) {
                        self.attribute(sub, value);
                    }
                }
                self.hollow(attribute, value);
            }
            _ => {}
        }
    }

    /// A value of a list whose `value` was emptied is none any more: what is left only says what kind of nothing it is.
    fn hollow(&mut self, attribute: &Attribute, value: &mut Value) {
        let Value::Object(object) = &*value else { return };
        let label = |key: &str| ["type", "primary", "display"].iter().any(|label| label.eq_ignore_ascii_case(key));
        let emptied = object.iter().any(|(key, value)| key.eq_ignore_ascii_case("value") && value.is_null());
        let bare = object.iter().all(|(key, value)| value.is_null() || label(key));
        if attribute.multi_valued && emptied && bare && self.takes(Quirk::EmptyStringClears) {
            *value = Value::Null;
        }
    }

    fn primaries(&mut self, items: &mut [Value]) {
        let mut primaries = items.iter_mut().filter_map(Value::as_object_mut).filter_map(|item| {
            item.iter_mut().find(|(key, value)| key.eq_ignore_ascii_case("primary") && **value == Value::Bool(true))
        });
        let Some(_first) = primaries.next() else { return };
        for (_, again) in primaries {
            if self.takes(Quirk::TwoPrimaries) {
                *again = Value::Bool(false);
            }
        }
    }
}

/// `true` and `false` in any case; other text is no boolean to anybody.
fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use scimwright_core::{Catalog, urns};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn repaired(profile: &Profile, mut body: Value) -> (Value, Vec<&'static str>) {
        let catalog = Catalog::standard();
        let fired = profile.repair(catalog.resource_type("User").unwrap(), &mut body);
        (body, fired.iter().map(Quirk::name).collect())
    }

    #[test]
    fn what_is_right_is_left_alone() {
        let body = json!({"schemas": [urns::USER], "userName": "a", "active": true, "emails": [{"value": "x", "primary": true}]});
        assert_eq!(repaired(&Profile::tolerant(), body.clone()), (body, vec![]));
    }

    #[test]
    fn each_quirk_is_mended_and_named() {
        let (body, fired) = repaired(
            &Profile::tolerant(),
            json!({
                "Schemas": ["urn:who:knows"], "ACTIVE": "fALSE", "title": "", "displayName": "False",
                "emails": [{"value": "a", "primary": true}, {"value": "b", "Primary": "True"}, {"value": "", "type": "work"}],
                urns::ENTERPRISE_USER: {"Manager": "42", "department": ""},
            }),
        );
        assert_eq!(
            body,
            json!({
                "Schemas": [urns::USER], "ACTIVE": false, "title": null, "displayName": "False",
                "emails": [{"value": "a", "primary": true}, {"value": "b", "Primary": false}, null],
                urns::ENTERPRISE_USER: {"Manager": {"value": "42"}, "department": null},
            })
        );
        assert_eq!(
            fired,
            [
                "boolean-strings",
                "reference-as-string",
                "unknown-schemas",
                "base-schema-missing",
                "two-primaries",
                "empty-string-clears"
            ]
        );
    }

    #[test]
    fn a_strict_profile_mends_nothing() {
        let body = json!({"active": "True", "title": "", urns::ENTERPRISE_USER: {"manager": "42"}});
        assert_eq!(repaired(&Profile::strict(), body.clone()), (body, vec![]));
    }

    #[test]
    fn other_text_is_no_boolean() {
        let body = json!({"schemas": [urns::USER], "active": "yes"});
        assert_eq!(repaired(&Profile::tolerant(), body.clone()), (body, vec![]));
    }
}
