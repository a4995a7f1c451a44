//! The resource while operations work on it.

use std::collections::BTreeMap;

use scimwright_core::{Attribute, Extension, Resource, ResourceType, is_assigned};
use serde_json::{Map, Value};

use crate::list::List;

/// A copy of the resource, with the lists that operations touch taken apart.
// INVARIANT: nothing in it is null, `[]` or `{}`, except that a container may be left empty until `close`.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    map: Map<String, Value>,
    lists: BTreeMap<(Option<&'a str>, &'a str), List<'a>>,
}

impl<'a> Document<'a> {
    pub(crate) fn open(resource: &Resource) -> Self {
        Self { map: resource.as_map().clone(), lists: BTreeMap::new() }
    }

    /// The values of a multi-valued attribute.
    pub(crate) fn list(&mut self, container: Option<&'a Extension>, attribute: &'a Attribute) -> &mut List<'a> {
        let urn = container.map(|extension| extension.schema.id.as_str());
        let name = attribute.name.as_str();
        let Self { map, lists } = self;
        lists
            .entry((urn, name))
            .or_insert_with(|| List::new(attribute, inside(map, urn).and_then(|map| map.remove(name))))
    }

    /// The value of an attribute that has one.
    pub(crate) fn get(&self, container: Option<&Extension>, attribute: &Attribute) -> Option<&Value> {
        let map = match container {
            None => &self.map,
            Some(extension) => self.map.get(extension.schema.id.as_str())?.as_object()?,
        };
        map.get(attribute.name.as_str())
    }

    /// Takes out the value of an attribute that has one.
    pub(crate) fn take(&mut self, container: Option<&Extension>, attribute: &Attribute) -> Option<Value> {
        let urn = container.map(|extension| extension.schema.id.as_str());
        inside(&mut self.map, urn)?.remove(attribute.name.as_str())
    }

    /// Sets the value of an attribute that has one; an extension that is not there yet begins.
    pub(crate) fn put(&mut self, container: Option<&Extension>, attribute: &Attribute, value: Value) {
        if !is_assigned(&value) {
            self.take(container, attribute);
            return;
        }
        let map = match container {
            None => &mut self.map,
            Some(extension) => {
                let slot = self.map.entry(extension.schema.id.as_str()).or_insert_with(|| Map::new().into());
                if !slot.is_object() {
                    *slot = Map::new().into();
                }
                match slot {
                    Value::Object(map) => map,
                    _ => return,
                }
            }
        };
        map.insert(attribute.name.as_str().to_owned(), value);
    }

    /// The value of an attribute, whatever it is kept as.
    pub(crate) fn current(&self, container: Option<&'a Extension>, attribute: &'a Attribute) -> Option<Value> {
        let urn = container.map(|extension| extension.schema.id.as_str());
        match self.lists.get(&(urn, attribute.name.as_str())) {
            Some(list) => list.to_value(),
            None => self.get(container, attribute).cloned(),
        }
    }

    /// Puts back what an attribute had.
    pub(crate) fn restore(&mut self, container: Option<&'a Extension>, attribute: &'a Attribute, value: Value) {
        if attribute.multi_valued {
            *self.list(container, attribute) = List::new(attribute, Some(value));
        } else {
            self.put(container, attribute, value);
        }
    }

    /// Whether an attribute has a value that is more than an empty string.
    pub(crate) fn has(&self, container: Option<&'a Extension>, attribute: &'a Attribute) -> bool {
        let urn = container.map(|extension| extension.schema.id.as_str());
        match self.lists.get(&(urn, attribute.name.as_str())) {
            Some(list) => !list.is_empty(),
            None => self.get(container, attribute).is_some_and(|value| value.as_str() != Some("")),
        }
    }

    /// Takes out a whole extension.
    pub(crate) fn drop_container(&mut self, extension: &Extension) {
        let urn = extension.schema.id.as_str();
        self.map.remove(urn);
        self.lists.retain(|(container, _), _| *container != Some(urn));
    }

    /// The document in one piece again.
    pub(crate) fn close(mut self, resource_type: &ResourceType) -> Map<String, Value> {
        for ((urn, name), list) in std::mem::take(&mut self.lists) {
            let Some(value) = list.into_value() else { continue };
            if let Some(urn) = urn {
                self.map.entry(urn).or_insert_with(|| Map::new().into());
            }
            if let Some(map) = inside(&mut self.map, urn) {
                map.insert(name.to_owned(), value);
            }
        }
        for extension in &resource_type.extensions {
            let urn = extension.schema.id.as_str();
            if self.map.get(urn).is_some_and(|inside| !is_assigned(inside)) {
                self.map.remove(urn);
            }
        }
        self.map
    }
}

/// The object in which the attributes of an extension, or those of the top level, stand.
fn inside<'m>(map: &'m mut Map<String, Value>, urn: Option<&str>) -> Option<&'m mut Map<String, Value>> {
    match urn {
        None => Some(map),
        Some(urn) => map.get_mut(urn)?.as_object_mut(),
    }
}
