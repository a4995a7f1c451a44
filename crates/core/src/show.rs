//! What may go out: `returned`, `attributes` and `excludedAttributes` (RFC 7643 section 7, RFC 7644 section 3.9).

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::{Map, Value};

use crate::{
    AttrPath, Attribute, Extension, Mutability, Resource, ResourceType, Returned, ScimError, ScimType, Target,
};

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

/// Why lists of names are no selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// `attributes` and `excludedAttributes` were both given (ruling R-22).
    #[error("`attributes` and `excludedAttributes` exclude each other: give one of them")]
    Both,
    /// There are more names than any schema has use for.
    #[error("more than {max} attributes are named", max = Selection::MAX_NAMES)]
    TooMany,
}

impl From<SelectionError> for ScimError {
    fn from(error: SelectionError) -> Self {
        Self::bad(ScimType::InvalidValue, error.to_string())
    }
}

impl Selection {
    /// So many names a list may have.
    pub const MAX_NAMES: usize = 500;

    /// From the lists of names in a request. Names that nobody knows select nothing (RFC 7644 section 3.9).
    ///
    /// # Errors
    ///
    /// When both lists have a name, or one has more than [`Selection::MAX_NAMES`].
    pub fn new<'n>(
        attributes: impl IntoIterator<Item = &'n str>,
        excluded: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, SelectionError> {
        let read = |text: &str| {
            let text = text.trim();
            let known = text.parse().map(Named::Path);
            (!text.is_empty()).then(|| known.unwrap_or_else(|_| Named::Urn(text.to_owned())))
        };
        let only: Vec<_> = attributes.into_iter().filter_map(read).take(Self::MAX_NAMES + 1).collect();
        let without: Vec<_> = excluded.into_iter().filter_map(read).take(Self::MAX_NAMES + 1).collect();
        if only.len().max(without.len()) > Self::MAX_NAMES {
            return Err(SelectionError::TooMany);
        }
        match (only.is_empty(), without.is_empty()) {
            (false, false) => Err(SelectionError::Both),
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
        let view = View::new(resource_type, self);
        let choice = view.choice(None, attribute);
        match attribute.returned {
            Returned::Never => false,
            Returned::Always => true,
            Returned::Default => !matches!(choice, Choice::Nothing),
            Returned::Request => self.mode == Mode::Only && !matches!(choice, Choice::Nothing),
        }
    }
}

impl fmt::Display for Selection {
    /// As the parameter of a query: `attributes=userName,emails.value`, or nothing.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.mode {
            Mode::Usual => return Ok(()),
            Mode::Only => "attributes=",
            Mode::Without => "excludedAttributes=",
        })?;
        for (at, named) in self.named.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match named {
                Named::Path(path) => write!(out, "{comma}{path}")?,
                Named::Urn(urn) => write!(out, "{comma}{urn}")?,
            }
        }
        Ok(())
    }
}

/// A selection bound to a resource type: names are resolved once, however many resources are shown.
#[derive(Debug)]
pub struct View<'a> {
    resource_type: &'a ResourceType,
    mode: Mode,
    /// Containers that are named as a whole; none is the top level.
    containers: HashSet<Option<&'a str>>,
    /// Attributes that are named, by container and name.
    named: HashMap<(Option<&'a str>, &'a str), Parts<'a>>,
}

/// What is named of one attribute.
#[derive(Debug, Default)]
struct Parts<'a> {
    whole: bool,
    subs: Vec<&'a Attribute>,
}

impl<'a> View<'a> {
    /// The selection for resources of that type.
    #[must_use]
    pub fn new(resource_type: &'a ResourceType, selection: &Selection) -> Self {
        let mut view = Self { resource_type, mode: selection.mode, containers: HashSet::new(), named: HashMap::new() };
        for named in &selection.named {
            let target = match named {
                Named::Path(path) => resource_type.resolve(path),
                Named::Urn(urn) => resource_type.resolve_urn(urn),
            };
            match target {
                Some(Target::Root) => drop(view.containers.insert(None)),
                Some(Target::Container(extension)) => view.name_container(extension),
                Some(Target::Attribute { container, attribute, sub }) => {
                    let container = container.map(|extension| extension.schema.id.as_str());
                    let parts = view.named.entry((container, attribute.name.as_str())).or_default();
                    match sub {
                        None => parts.whole = true,
                        Some(sub) if !parts.subs.iter().any(|other| other.name == sub.name) => parts.subs.push(sub),
                        Some(_) => {}
                    }
                }
                None => {}
            }
        }
        view
    }

    /// An extension with all that stands inside it.
    fn name_container(&mut self, extension: &'a Extension) {
        // Extensions stand inside each other as their schemas say, which is never in a circle that a container closes twice.
        if self.containers.insert(Some(extension.schema.id.as_str())) {
            for inner in self.resource_type.nested_in(extension) {
                self.name_container(inner);
            }
        }
    }

    /// The representation of a resource: what `returned` allows and the client wants.
    ///
    /// `just_set` names the attributes that the request itself gave a value: those with `returned: request` are shown in the
    /// answer to it (RFC 7643 section 7).
    #[must_use]
    pub fn show(&self, resource: &Resource, just_set: &[&str]) -> Map<String, Value> {
        let mut shown = Map::new();
        for (name, value) in resource.as_map() {
            let set = just_set.contains(&name.as_str());
            if let Some(attribute) = self.resource_type.attribute(name) {
                let choice = self.choice(None, attribute);
                shown.extend(show_attribute(attribute, value, &choice, set).map(|value| (name.clone(), value)));
            } else if let (Some(extension), Some(inside)) = (self.resource_type.extension(name), value.as_object()) {
                let urn = extension.schema.id.as_str();
                let visible = inside.iter().filter_map(|(own, value)| {
                    let attribute = extension.schema.attribute(own)?;
                    let choice = self.choice(Some(urn), attribute);
                    show_attribute(attribute, value, &choice, set).map(|value| (own.clone(), value))
                });
                let visible: Map<_, _> = visible.collect();
                if !visible.is_empty() {
                    shown.insert(name.clone(), visible.into());
                }
            }
        }
        self.nest(&mut shown);
        shown
    }

    /// Puts extensions that stand in the container of another one there.
    fn nest(&self, shown: &mut Map<String, Value>) {
        for extension in &self.resource_type.extensions {
            let Some(outer) = &extension.within else { continue };
            let urn = extension.schema.id.as_str();
            let Some(inside) = shown.remove(urn) else { continue };
            let place = shown.entry(outer.as_str()).or_insert_with(|| Map::new().into());
            if let Some(place) = place.as_object_mut() {
                place.insert(urn.to_owned(), inside);
            }
        }
    }

    /// What of one attribute the client wants.
    fn choice(&self, container: Option<&'a str>, attribute: &'a Attribute) -> Choice<'_> {
        if self.mode == Mode::Usual {
            return Choice::Usual;
        }
        let parts = self.named.get(&(container, attribute.name.as_str()));
        let whole = self.containers.contains(&container) || parts.is_some_and(|parts| parts.whole);
        match (self.mode, whole, parts) {
            (Mode::Usual, ..) => Choice::Usual,
            (Mode::Only, true, parts) => Choice::Named(parts.map(|parts| parts.subs.as_slice()).unwrap_or_default()),
            (Mode::Only, false, Some(parts)) => Choice::Subs(&parts.subs),
            (Mode::Only, false, None) | (Mode::Without, true, _) => Choice::Nothing,
            (Mode::Without, false, Some(parts)) => Choice::NotSubs(&parts.subs),
            (Mode::Without, false, None) => Choice::Usual,
        }
    }
}

/// What of one attribute is wanted.
#[derive(Clone, Copy)]
enum Choice<'a> {
    Nothing,
    /// As if nothing had been said.
    Usual,
    /// Asked for by name, so `returned: request` is shown too; and these parts of it as well.
    Named(&'a [&'a Attribute]),
    Subs(&'a [&'a Attribute]),
    NotSubs(&'a [&'a Attribute]),
}

/// The representation of one resource: [`View::show`] for who shows only one.
#[must_use]
pub fn show(
    resource_type: &ResourceType,
    resource: &Resource,
    selection: &Selection,
    just_set: &[&str],
) -> Map<String, Value> {
    View::new(resource_type, selection).show(resource, just_set)
}

fn show_attribute(attribute: &Attribute, value: &Value, choice: &Choice<'_>, just_set: bool) -> Option<Value> {
    if attribute.is_hidden() {
        return None;
    }
    let choice = match (attribute.returned, *choice) {
        // `always` is stronger than any wish (RFC 7643 section 7).
        (Returned::Always, Choice::Subs(named)) => Choice::Named(named),
        (Returned::Always, Choice::Nothing | Choice::NotSubs(_)) => Choice::Usual,
        // Excluding a part of what is not shown does not show the rest.
        (Returned::Request, Choice::Usual | Choice::NotSubs(_)) if !just_set => return None,
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
        (Choice::Named(named), Returned::Request) => just_set || named.iter().any(|other| other.name == sub.name),
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
    use crate::{Admit, Catalog, ResourceTypeSpec, urns};

    #[test]
    fn an_extension_is_left_out_with_what_stands_inside_it() {
        let spec = json!({"name": "Crew", "endpoint": "/Crews", "schema": "urn:x:crew",
            "schemaExtensions": [{"schema": "urn:x:radio"}, {"schema": "urn:x:code"}],
            (ResourceTypeSpec::HINTS): {"nested": {"urn:x:radio": ["urn:x:code"]}}});
        let catalog = ["crew", "radio", "code"].into_iter().try_fold(Catalog::empty(), |catalog, name| {
            catalog.with_schema(&json!({"id": format!("urn:x:{name}"), "attributes": [{"name": name}]}))
        });
        let catalog = catalog.unwrap().with_resource_type(ResourceTypeSpec::from_json(spec)).unwrap();
        let crews = catalog.resource_type("Crew").unwrap();
        let body =
            json!({"schemas": ["urn:x:crew"], "crew": "c", "urn:x:radio": {"radio": "r", "urn:x:code": {"code": "s"}}});
        let crew = Admit::new(crews).create(body).unwrap().resource;
        let keys = |selection: Selection| -> String {
            View::new(crews, &selection)
                .show(&crew, &[])
                .into_iter()
                .filter(|(name, _)| name != "schemas")
                .map(|(name, value)| format!("{name}={value} "))
                .collect()
        };
        insta::assert_snapshot!(keys(Selection::new([], ["urn:x:radio"]).unwrap()), @r#"crew="c""#);
        insta::assert_snapshot!(keys(Selection::new(["urn:x:radio"], []).unwrap()), @r#"urn:x:radio={"radio":"r","urn:x:code":{"code":"s"}}"#);
        insta::assert_snapshot!(keys(Selection::new([], ["urn:x:code"]).unwrap()), @r#"crew="c" urn:x:radio={"radio":"r"}"#);
    }

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
        assert_eq!(Selection::new(["a"], ["b"]), Err(SelectionError::Both));
    }

    #[test]
    fn a_list_of_names_has_an_end() {
        assert_eq!(Selection::new(["a"; Selection::MAX_NAMES + 1], []), Err(SelectionError::TooMany));
        assert!(Selection::new(["a"; Selection::MAX_NAMES], []).is_ok());
    }

    #[test]
    fn excluding_a_part_of_what_is_shown_on_request_does_not_show_the_rest() {
        let catalog = Catalog::empty()
            .with_schema(
                &json!({"id": "urn:x:y", "attributes": [{"name": "notes", "type": "complex", "returned": "request",
                "subAttributes": [{"name": "a"}, {"name": "b"}]}]}),
            )
            .unwrap()
            .with_resource_type(crate::ResourceTypeSpec::from_json(
                json!({"name": "X", "endpoint": "/Xs", "schema": "urn:x:y"}),
            ))
            .unwrap();
        let of = catalog.resource_type("X").unwrap();
        let resource =
            Admit::new(of).create(json!({"schemas": ["urn:x:y"], "notes": {"a": "A", "b": "B"}})).unwrap().resource;
        let shown = |only: &'static str, without: &'static str, set: &[&str]| {
            show(of, &resource, &Selection::new(only.split(','), without.split(',')).unwrap(), set).remove("notes")
        };
        assert_eq!(shown("", "notes.a", &[]), None);
        assert_eq!(shown("", "notes.a", &["notes"]), Some(json!({"b": "B"})));
        assert_eq!(shown("notes.a", "", &[]), Some(json!({"a": "A"})));
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

    #[test]
    fn parts_that_are_shown_on_request_are_shown_where_they_are_named() {
        let parts = json!([{"name": "a"}, {"name": "b", "returned": "request"}]);
        let attribute = |name: &str, returned: &str| json!({"name": name, "type": "complex", "returned": returned, "subAttributes": parts});
        let catalog = Catalog::empty()
            .with_schema(
                &json!({"id": "urn:x:y", "attributes": [attribute("usual", "default"), attribute("fixed", "always")]}),
            )
            .unwrap()
            .with_resource_type(crate::ResourceTypeSpec::from_json(
                json!({"name": "Y", "endpoint": "/Ys", "schema": "urn:x:y"}),
            ))
            .unwrap();
        let of = catalog.resource_type("Y").unwrap();
        let whole = json!({"schemas": ["urn:x:y"], "usual": {"a": 1, "b": 2}, "fixed": {"a": 1, "b": 2}});
        let resource = Resource::from_stored(whole.as_object().cloned().unwrap());
        let shown = |only: &str| {
            let mut shown = show(of, &resource, &Selection::new(only.split(','), []).unwrap(), &[]);
            shown.remove("schemas");
            serde_json::to_string(&shown).unwrap()
        };
        insta::assert_snapshot!(shown(""), @r#"{"fixed":{"a":1},"usual":{"a":1}}"#);
        insta::assert_snapshot!(shown("usual.b"), @r#"{"fixed":{"a":1},"usual":{"b":2}}"#);
        insta::assert_snapshot!(shown("usual,usual.b"), @r#"{"fixed":{"a":1},"usual":{"a":1,"b":2}}"#);
        insta::assert_snapshot!(shown("fixed.b"), @r#"{"fixed":{"a":1,"b":2}}"#);
    }
}
