//! What may go out: `returned`, `attributes` and `excludedAttributes` (RFC 7643 section 7, RFC 7644 section 3.9).

use serde_json::{Map, Value};

use crate::{AttrPath, Attribute, Mutability, Resource, ResourceType, Returned, ScimError, ScimType, Target};

/// Which attributes the client wants to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    mode: Mode,
    named: Vec<Named>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Mode {
    #[default]
    Usual,
    Only,
    Without,
}

/// One name of a list: a path, or the bare URI of a schema.
#[derive(Clone, Debug, PartialEq)]
enum Named {
    Path(AttrPath),
    Urn(String),
}

/// `attributes` and `excludedAttributes` were both given (ruling R-22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`attributes` and `excludedAttributes` exclude each other: give one of them")]
pub struct SelectionError;

impl From<SelectionError> for ScimError {
    fn from(error: SelectionError) -> Self {
        Self::bad(ScimType::InvalidValue, error.to_string())
    }
}

impl Selection {
    /// From the lists of names in a request. Names that nobody knows select nothing (RFC 7644 section 3.9).
    ///
    /// # Errors
    ///
    /// When both lists have a name.
    pub fn new<'n>(
        attributes: impl IntoIterator<Item = &'n str>,
        excluded: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, SelectionError> {
        let read = |text: &str| {
            let text = text.trim();
            let known = text.parse().map(Named::Path);
            (!text.is_empty()).then(|| known.unwrap_or_else(|_| Named::Urn(text.to_owned())))
        };
        let only: Vec<_> = attributes.into_iter().filter_map(read).collect();
        let without: Vec<_> = excluded.into_iter().filter_map(read).collect();
        match (only.is_empty(), without.is_empty()) {
            (false, false) => Err(SelectionError),
            (false, true) => Ok(Self { mode: Mode::Only, named: only }),
            (true, false) => Ok(Self { mode: Mode::Without, named: without }),
            (true, true) => Ok(Self::default()),
        }
    }

    /// Whether the client chose at all.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self.mode, Mode::Usual)
    }

    /// Whether `attributes` was given: then a PATCH answers with a body (RFC 7644 section 3.5.2).
    #[must_use]
    pub const fn names_attributes(&self) -> bool {
        matches!(self.mode, Mode::Only)
    }

    /// Whether any part of that top-level attribute would be shown, so that a store need not read what nobody sees.
    #[must_use]
    pub fn wants(&self, resource_type: &ResourceType, attribute: &str) -> bool {
        let Some(attribute) = resource_type.attribute(attribute) else { return false };
        let choice = self.choice(resource_type, None, attribute);
        match attribute.returned {
            Returned::Never => false,
            Returned::Always => true,
            Returned::Default => !matches!(choice, Choice::Nothing),
            Returned::Request => self.mode == Mode::Only && !matches!(choice, Choice::Nothing),
        }
    }

    /// What of one attribute the client wants.
    fn choice<'a>(
        &self,
        resource_type: &'a ResourceType,
        container: Option<&str>,
        attribute: &'a Attribute,
    ) -> Choice<'a> {
        let mut subs = Vec::new();
        let mut whole = false;
        for named in &self.named {
            let target = match named {
                Named::Path(path) => resource_type.resolve(path),
                Named::Urn(urn) => resource_type.resolve_urn(urn),
            };
            match target {
                Some(Target::Root) => whole |= container.is_none(),
                Some(Target::Container(extension)) => whole |= container == Some(extension.schema.id.as_str()),
                Some(Target::Attribute { container: other, attribute: named, sub })
                    if named.name == attribute.name
                        && other.map(|extension| extension.schema.id.as_str()) == container =>
                {
                    match sub {
                        Some(sub) => subs.push(sub),
                        None => whole = true,
                    }
                }
                _ => {}
            }
        }
        match (self.mode, whole) {
            (Mode::Usual, _) => Choice::Usual,
            (Mode::Only, true) => Choice::Named,
            (Mode::Only, false) if subs.is_empty() => Choice::Nothing,
            (Mode::Only, false) => Choice::Subs(subs),
            (Mode::Without, true) => Choice::Nothing,
            (Mode::Without, false) if subs.is_empty() => Choice::Usual,
            (Mode::Without, false) => Choice::NotSubs(subs),
        }
    }
}

/// What of one attribute is wanted.
enum Choice<'a> {
    Nothing,
    /// As if nothing had been said.
    Usual,
    /// Asked for by name, so `returned: request` is shown too.
    Named,
    Subs(Vec<&'a Attribute>),
    NotSubs(Vec<&'a Attribute>),
}

/// The representation of a resource: what `returned` allows and the client wants.
///
/// `just_set` names the attributes that the request itself gave a value: those with `returned: request` are shown in the
/// answer to it (RFC 7643 section 7).
#[must_use]
pub fn show(
    resource_type: &ResourceType,
    resource: &Resource,
    selection: &Selection,
    just_set: &[&str],
) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in resource.as_map() {
        if let Some(attribute) = resource_type.attribute(name) {
            let choice = selection.choice(resource_type, None, attribute);
            let set = just_set.contains(&name.as_str());
            shown.extend(show_attribute(attribute, value, choice, set).map(|value| (name.clone(), value)));
        } else if let (Some(extension), Some(inside)) = (resource_type.extension(name), value.as_object()) {
            let visible: Map<_, _> = inside
                .iter()
                .filter_map(|(own, value)| {
                    let attribute = extension.schema.attribute(own)?;
                    let choice = selection.choice(resource_type, Some(extension.schema.id.as_str()), attribute);
                    let set = just_set.contains(&name.as_str());
                    show_attribute(attribute, value, choice, set).map(|value| (own.clone(), value))
                })
                .collect();
            if !visible.is_empty() {
                shown.insert(name.clone(), visible.into());
            }
        }
    }
    shown
}

fn show_attribute(attribute: &Attribute, value: &Value, choice: Choice<'_>, just_set: bool) -> Option<Value> {
    if attribute.is_hidden() {
        return None;
    }
    let choice = match (attribute.returned, choice) {
        // `always` is stronger than any wish (RFC 7643 section 7).
        (Returned::Always, Choice::Nothing | Choice::Subs(_) | Choice::NotSubs(_)) => Choice::Usual,
        (Returned::Request, Choice::Usual) if !just_set => return None,
        (_, Choice::Nothing) => return None,
        (_, choice) => choice,
    };
    if attribute.sub_attributes.is_empty() {
        return Some(value.clone());
    }
    let visible = |sub: &Attribute| match (&choice, sub.returned) {
        (_, Returned::Never) => false,
        (_, Returned::Always) => true,
        (Choice::Subs(named), _) => named.iter().any(|other| other.name == sub.name),
        (Choice::NotSubs(named), Returned::Default) => !named.iter().any(|other| other.name == sub.name),
        (_, Returned::Default) => true,
        (_, Returned::Request) => just_set,
    };
    let object = |object: &Map<String, Value>| -> Option<Value> {
        let parts: Map<_, _> = object
            .iter()
            .filter(|(name, _)| attribute.sub(name).is_some_and(|sub| !sub.is_hidden() && visible(sub)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        (!parts.is_empty()).then_some(Value::Object(parts))
    };
    match value {
        Value::Object(parts) => object(parts),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(|item| item.as_object().and_then(object)).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        _ => None,
    }
}

impl Attribute {
    /// Whether nobody may read it, whatever else a schema says: `returned` is never, or it is write-only (RFC 7643 section 7).
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Admit, Catalog, urns};

    #[track_caller]
    fn shown(attributes: &str, excluded: &str) -> String {
        let catalog = Catalog::standard();
        let users = catalog.resource_type("User").unwrap();
        let user = Admit::new(users).trusted(json!({
            "schemas": [urns::USER], "id": "1", "userName": "u", "password": "p", "name": {"givenName": "g", "familyName": "f"},
            "emails": [{"value": "a", "type": "work"}, {"value": "b"}], urns::ENTERPRISE_USER: {"department": "d", "costCenter": "c"},
        })).unwrap();
        let selection = Selection::new(attributes.split(','), excluded.split(',')).unwrap();
        let mut shown = show(users, &user, &selection, &[]);
        assert!(shown.remove("schemas").is_some(), "schemas is always shown");
        serde_json::to_string(&shown).unwrap()
    }

    #[test]
    fn what_is_asked_for_is_shown_with_what_always_is() {
        insta::assert_snapshot!(shown("", ""), @r#"{"emails":[{"type":"work","value":"a"},{"value":"b"}],"id":"1","name":{"familyName":"f","givenName":"g"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"c","department":"d"},"userName":"u"}"#);
        insta::assert_snapshot!(shown("USERNAME, bogus", ""), @r#"{"id":"1","userName":"u"}"#);
        insta::assert_snapshot!(shown("name.givenName,emails.type", ""), @r#"{"emails":[{"type":"work"}],"id":"1","name":{"givenName":"g"}}"#);
        insta::assert_snapshot!(shown("password", ""), @r#"{"id":"1"}"#);
        insta::assert_snapshot!(shown(urns::ENTERPRISE_USER, ""), @r#"{"id":"1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"c","department":"d"}}"#);
        insta::assert_snapshot!(shown("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", ""), @r#"{"id":"1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d"}}"#);
        insta::assert_snapshot!(shown("é%", ""), @r#"{"id":"1"}"#);
    }

    #[test]
    fn what_is_excluded_goes_but_never_what_always_is_shown() {
        insta::assert_snapshot!(shown("", "id,schemas,emails,name.givenName,name.familyName,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"), @r#"{"id":"1","userName":"u"}"#);
        insta::assert_snapshot!(shown("", "emails.value"), @r#"{"emails":[{"type":"work"}],"id":"1","name":{"familyName":"f","givenName":"g"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"c","department":"d"},"userName":"u"}"#);
        assert_eq!(Selection::new(["a"], ["b"]), Err(SelectionError));
    }

    #[test]
    fn what_nobody_sees_need_not_be_read() {
        let catalog = Catalog::standard();
        let groups = catalog.resource_type("Group").unwrap();
        let wants = |only: &'static str, without: &'static str| {
            Selection::new(only.split(','), without.split(',')).unwrap().wants(groups, "members")
        };
        assert!(
            wants("", "") && wants("members.value", "") && wants("", "displayName") && wants("", "members.display")
        );
        assert!(
            !wants("displayName", "")
                && !wants("", "members")
                && !wants("", "urn:ietf:params:scim:schemas:core:2.0:Group:MEMBERS")
        );
    }
}
