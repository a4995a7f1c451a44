//! What the JSON of a resource type cannot say: how its resources are kept and shown.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{DataType, Mutability, ResourceType};

/// Hints as they stand in the JSON of a resource type, in a container as every extension has one (RFC 7643 section 3.3).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Hints {
    pub(crate) membership: Option<String>,
    pub(crate) member_of: Option<String>,
    #[serde(default)]
    pub(crate) indexes: Vec<String>,
    /// The URI of an extension, and those of the extensions that stand in its container.
    #[serde(default)]
    pub(crate) nested: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) service_provider_config: Map<String, Value>,
}

impl ResourceType {
    /// Whether the attributes that hints name can be what they are said to be.
    pub(crate) fn check_rows(&self, hints: &Hints) -> Result<(), String> {
        for (hint, name) in [("membership", &hints.membership), ("memberOf", &hints.member_of)] {
            let Some(name) = name else { continue };
            let attribute =
                self.attribute(name).ok_or_else(|| format!("there is no attribute `{name}` for `{hint}`"))?;
            if attribute.data_type != DataType::Complex || !attribute.multi_valued || attribute.sub("value").is_none() {
                return Err(format!("`{name}` cannot be its `{hint}`: that is a list of objects with a `value`"));
            }
            if hint == "memberOf" && attribute.mutability != Mutability::ReadOnly {
                return Err(format!("`{name}` cannot be its `{hint}`: that is read-only"));
            }
        }
        Ok(())
    }

    /// Puts each of these extensions into the container of another one.
    pub(crate) fn nest(&mut self, nested: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
        for (outer, inner) in nested {
            let missing = |urn: &str| format!("`nested` names `{urn}`, which is none of its extensions");
            let place = self.extension(outer).ok_or_else(|| missing(outer))?.schema.id.clone();
            for urn in inner {
                let slot = self.extensions.iter_mut().find(|extension| extension.schema.id.is(urn));
                let slot = slot.ok_or_else(|| missing(urn))?;
                if slot.schema.id == place || slot.within.replace(place.clone()).is_some() {
                    return Err(format!("`nested` puts `{urn}` into itself or into two others"));
                }
            }
        }
        // One level: what stands inside holds nothing itself.
        let deep = self.extensions.iter().find(|extension| {
            let outer = extension.within.as_ref().and_then(|outer| self.extension(outer.as_str()));
            outer.is_some_and(|outer| outer.within.is_some())
        });
        deep.map_or(Ok(()), |deep| Err(format!("`nested` puts `{}` more than one level deep", deep.schema.id)))
    }
}

/// Merges what two types say of the service: objects grow together, of yes and no the yes holds, and of others the later.
pub(crate) fn merge(into: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (name, value) in more {
        match (into.get_mut(name), value) {
            (Some(Value::Object(into)), Value::Object(more)) => merge(into, more),
            (Some(Value::Bool(known)), Value::Bool(more)) => *known |= *more,
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Admit, AdmitError, Catalog, ResourceTypeSpec, Selection, show, urns};

    const BASE: &str = "urn:x:crew";
    const RADIO: &str = "urn:x:radio";
    const CODE: &str = "urn:x:code";

    /// Crews, which have radios, which have codes.
    fn crews(hints: Value) -> Result<Catalog, crate::CatalogError> {
        let list = |name: &str, mutability: &str| {
            json!({"name": name, "type": "complex", "multiValued": true, "mutability": mutability,
                "subAttributes": [{"name": "value"}]})
        };
        Catalog::standard()
            .with_schema(&json!({"id": BASE, "attributes": [{"name": "ship"}, list("sailors", "readWrite"), list("fleets", "readOnly")]}))?
            .with_schema(&json!({"id": RADIO, "attributes": [{"name": "band"}]}))?
            .with_schema(&json!({"id": CODE, "attributes": [{"name": "key", "type": "integer"}]}))?
            .with_resource_type(ResourceTypeSpec::from_json(json!({
                "name": "Crew", "endpoint": "/Crews", "schema": BASE,
                "schemaExtensions": [{"schema": RADIO}, {"schema": CODE}],
                (ResourceTypeSpec::HINTS): hints,
            })))
    }

    #[test]
    fn hints_say_what_the_methods_say() {
        let hints = json!({"membership": "sailors", "memberOf": "fleets", "indexes": ["ship", format!("{CODE}:key")]});
        let catalog = crews(hints).unwrap();
        let crew = catalog.resource_type("Crew").unwrap();
        assert_eq!((crew.membership.as_deref(), crew.member_of.as_deref()), (Some("sailors"), Some("fleets")));
        let paths: Vec<_> = crew.indexes.iter().map(|index| index.path.as_str()).collect();
        assert_eq!(paths, ["externalId", "meta.lastModified", "ship", "urn:x:code:key"]);
        assert_eq!(crew.to_json().get(ResourceTypeSpec::HINTS), None, "they are nobody else's business");
    }

    #[test]
    fn hints_that_cannot_be_are_refused() {
        let refused = |hints: Value| crews(hints).unwrap_err().to_string();
        insta::assert_snapshot!(refused(json!({"member": "x"})), @"resource type `Crew`: unknown field `member`, expected one of `membership`, `memberOf`, `indexes`, `nested`, `serviceProviderConfig`");
        insta::assert_snapshot!(refused(json!({"membership": "crew"})), @"resource type `Crew`: there is no attribute `crew` for `membership`");
        insta::assert_snapshot!(refused(json!({"membership": "ship"})), @"resource type `Crew`: `ship` cannot be its `membership`: that is a list of objects with a `value`");
        insta::assert_snapshot!(refused(json!({"memberOf": "sailors"})), @"resource type `Crew`: `sailors` cannot be its `memberOf`: that is read-only");
        insta::assert_snapshot!(refused(json!({"indexes": ["crew"]})), @"resource type `Crew`: there is no attribute `crew` to index");
        insta::assert_snapshot!(refused(json!({"nested": {RADIO: ["urn:x:none"]}})), @"resource type `Crew`: `nested` names `urn:x:none`, which is none of its extensions");
        insta::assert_snapshot!(refused(json!({"nested": {BASE: [CODE]}})), @"resource type `Crew`: `nested` names `urn:x:crew`, which is none of its extensions");
        insta::assert_snapshot!(refused(json!({"nested": {RADIO: [RADIO]}})), @"resource type `Crew`: `nested` puts `urn:x:radio` into itself or into two others");
        insta::assert_snapshot!(refused(json!({"nested": {RADIO: [CODE], CODE: [RADIO]}})), @"resource type `Crew`: `nested` puts `urn:x:radio` more than one level deep");
    }

    #[test]
    fn names_and_endpoints_are_nobody_elses() {
        let refused = |name: &str, endpoint: &str| {
            let spec = json!({"name": name, "endpoint": endpoint, "schema": urns::GROUP});
            Catalog::standard().with_resource_type(ResourceTypeSpec::from_json(spec)).is_err()
        };
        assert!(!refused("Crew", "/Crews"));
        for (name, endpoint) in [
            ("Crew", "/Schemas"),
            ("Crew", "/bulk"),
            ("Crew", "/Me"),
            ("Crew", "/.search"),
            ("Crew", "/Cr ews"),
            ("Crew", "/Crews/all"),
            ("Crew", "Crews"),
            ("User~retired", "/Crews"),
            ("", "/Crews"),
            ("User", "/Crews"),
            ("Crew", "/Users"),
        ] {
            assert!(refused(name, endpoint), "{name} {endpoint}");
        }
    }

    #[test]
    fn what_is_nested_stands_inside_for_clients_and_beside_for_us() {
        let catalog = crews(json!({"nested": {RADIO: [CODE]}})).unwrap();
        let crew = catalog.resource_type("Crew").unwrap();
        let inside = json!({"schemas": [BASE, RADIO], RADIO: {"band": "HF", "URN:X:CODE": {"KEY": 7}}});
        let beside = json!({"schemas": [BASE, RADIO, CODE], RADIO: {"band": "HF"}, CODE: {"key": 7}});
        let admitted = Admit::new(crew).create(inside.clone()).unwrap().resource;
        assert_eq!(Value::Object(admitted.as_map().clone()), beside);
        assert_eq!(Admit::new(crew).create(beside).unwrap().resource, admitted);

        let shown = |only: &'static str| {
            let selection = Selection::new(only.split(','), []).unwrap();
            let mut shown = show(crew, &admitted, &selection, &[]);
            shown.remove("schemas");
            Value::Object(shown)
        };
        assert_eq!(shown(""), json!({RADIO: {"band": "HF", CODE: {"key": 7}}}));
        assert_eq!(shown("urn:x:code:key"), json!({RADIO: {CODE: {"key": 7}}}));
        assert_eq!(shown("urn:x:radio:band"), json!({RADIO: {"band": "HF"}}));

        let twice = json!({"schemas": [BASE], RADIO: {CODE: {"key": 7}}, CODE: {"key": 8}});
        assert_eq!(Admit::new(crew).create(twice), Err(AdmitError::Twice(CODE.to_owned())));
        let misfit = json!({"schemas": [BASE], RADIO: {CODE: {"key": "seven"}}});
        assert!(Admit::new(crew).create(misfit).is_err());
        let none = json!({"schemas": [BASE], RADIO: {"band": "HF", CODE: null}});
        assert_eq!(Admit::new(crew).create(none).unwrap().resource.get(CODE), None);
    }

    #[test]
    fn what_types_say_of_the_service_grows_together() {
        let says = |name: &str, says: Value| {
            let json = json!({"name": name, "endpoint": format!("/{name}s"), "schema": urns::GROUP,
                (ResourceTypeSpec::HINTS): {"serviceProviderConfig": says}});
            ResourceTypeSpec::from_json(json)
        };
        let crew = json!({"ships": {"crews": {"supported": true}, "fleets": {"supported": false}}});
        let fleet = json!({"ships": {"crews": {"supported": false}, "fleets": {"supported": true, "most": 3}}});
        let one = Catalog::standard().with_resource_type(says("Crew", crew.clone())).unwrap();
        assert_eq!(Value::Object(one.announces()), crew);
        let both = one.with_resource_type(says("Fleet", fleet)).unwrap();
        assert_eq!(
            Value::Object(both.announces()),
            json!({"ships": {"crews": {"supported": true}, "fleets": {"supported": true, "most": 3}}})
        );
        assert!(Catalog::standard().announces().is_empty());
    }
}
