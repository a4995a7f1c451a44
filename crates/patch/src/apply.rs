//! Applying a request: RFC 7644 section 3.5.2.

use std::collections::{BTreeSet, HashMap};

use scimwright_core::{
    Admit, AdmitError, Attribute, DataType, Extension, Mutability, Resource, ResourceType, same_value,
};
use serde_json::{Map, Value};

use crate::document::Document;
use crate::merge::says_the_same;
use crate::options::Notes;
use crate::target::{Change, Step, bind, is_read_only};
use crate::value::{Reader, items};
use crate::{Op, PatchError, PatchOptions, PatchRequest, add, remove, replace};

/// What a PATCH made of a resource.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Patched {
    /// The resource after all operations, canonical.
    pub resource: Resource,
    /// Whether anything is other than before. Where nothing is, `meta.lastModified` must stay (RFC 7644 section 3.5.2.1). Members
    /// that are kept as rows have no order, so another order of them is nothing.
    pub changed: bool,
    /// The attributes whose values are other than before, sorted: names at the top level, URI and name in extensions. `schemas`,
    /// which follows from the others, is not among them.
    pub touched: Vec<String>,
    /// What the operations gave a value, sorted: names at the top level, URIs of extensions. An attribute that is returned on
    /// request is shown in the answer to the PATCH that set it (RFC 7643 section 7).
    pub set: Vec<String>,
    /// The names of what had to be forgiven, each once, in the order in which it was met.
    pub leniencies: Vec<&'static str>,
    /// The unknown attributes that were passed over.
    pub ignored: Vec<String>,
}

/// Applies every operation in its order, each to what the one before has left, or none of them (RFC 7644 section 3.5.2).
///
/// Where the resource type keeps an attribute's values as rows (`ResourceType::membership`), `before` may hold only those of them
/// that [`PatchRequest::members_needed`] names: the rows that join and leave are the same as with all of them.
///
/// # Errors
///
/// When a path names nothing or selects nothing, a value does not fit, something would change that may not, or what is left is no
/// resource of its type.
pub fn apply(
    resource_type: &ResourceType,
    before: &Resource,
    request: &PatchRequest,
    options: &PatchOptions,
) -> Result<Patched, PatchError> {
    let mut work = Work {
        resource_type,
        options,
        reader: Reader::new(resource_type, options, request.notes.clone()),
        document: Document::open(before),
        set: BTreeSet::new(),
    };
    for (index, operation) in request.operations().iter().enumerate() {
        for step in bind(resource_type, options, index, operation, &mut work.reader.notes)? {
            match step {
                Step::Change(change) => work.change(&change)?,
                Step::Drop { index, extension } => work.drop_extension(index, extension)?,
            }
        }
    }
    work.finish(before)
}

/// A request half way.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) resource_type: &'a ResourceType,
    pub(crate) options: &'a PatchOptions,
    pub(crate) reader: Reader<'a>,
    pub(crate) document: Document<'a>,
    set: BTreeSet<String>,
}

impl<'a> Work<'a> {
    fn change(&mut self, change: &Change<'a>) -> Result<(), PatchError> {
        let (container, attribute) = (change.container, change.attribute);
        if is_read_only(change) {
            let name = change.sub.map_or_else(|| change.name(), |sub| change.name_of(sub));
            return if self.repeats(change) { Ok(()) } else { Err(change.mutability(name)) };
        }
        if container.is_none() && attribute.name.as_str() == "schemas" {
            self.check_schemas(change)?;
        }
        let ignored = self.reader.notes.ignored.len();
        let needed = attribute.required && self.document.has(container, attribute);
        let fixed = match attribute.mutability {
            Mutability::Immutable => self.document.current(container, attribute),
            _ => None,
        };
        match change.op {
            Op::Add => add::add(self, change)?,
            Op::Remove => remove::remove(self, change)?,
            Op::Replace => replace::replace(self, change)?,
        }
        if let Some(old) = fixed {
            match self.document.current(container, attribute) {
                // Another spelling of what cannot change is no change.
                Some(new) if same_value(attribute, &old, &new) => self.document.restore(container, attribute, old),
                _ => return Err(change.mutability(change.name())),
            }
        }
        if needed && !self.document.has(container, attribute) {
            return Err(change.required(change.name()));
        }
        if let Some(extension) = container {
            for name in self.reader.notes.ignored.iter_mut().skip(ignored) {
                *name = format!("{}:{name}", extension.schema.id);
            }
        }
        if change.op != Op::Remove && change.value.is_some_and(|value| !value.is_null()) {
            self.set.insert(match container {
                None => attribute.name.as_str().to_owned(),
                Some(extension) => extension.schema.id.as_str().to_owned(),
            });
        }
        Ok(())
    }

    /// Whether an object says of something read-only what is so anyway (ruling R-33). A path to it is never that innocent.
    fn repeats(&self, change: &Change<'a>) -> bool {
        let Some(given) = change.value.filter(|_| !change.by_path && change.op != Op::Remove) else { return false };
        if change.op == Op::Add && given.is_null() {
            return true;
        }
        let stored = self.document.current(change.container, change.attribute);
        match change.sub {
            None => says_the_same(change.attribute, stored.as_ref(), given),
            Some(sub) => says_the_same(sub, stored.as_ref().and_then(|stored| stored.get(sub.name.as_str())), given),
        }
    }

    /// `schemas` may be written, but only with what the type has. In the end it says what is in use, whatever was written.
    fn check_schemas(&self, change: &Change<'a>) -> Result<(), PatchError> {
        if change.op == Op::Remove {
            return Ok(());
        }
        for urn in items(change.value.unwrap_or(&Value::Null)).iter().filter_map(Value::as_str) {
            if self.resource_type.resolve_urn(urn).is_none() {
                let reason = format!("names `{urn}`, which {} does not have", self.resource_type.name);
                return Err(change.admit(AdmitError::Schemas(reason)));
            }
        }
        Ok(())
    }

    /// An extension goes, if everything in it may.
    fn drop_extension(&mut self, index: usize, extension: &'a Extension) -> Result<(), PatchError> {
        for attribute in &extension.schema.attributes {
            let stays = matches!(attribute.mutability, Mutability::ReadOnly | Mutability::Immutable);
            if stays && self.document.current(Some(extension), attribute).is_some() {
                let name = format!("{}:{}", extension.schema.id, attribute.name);
                return Err(PatchError::Admit { index, source: AdmitError::Mutability(name) });
            }
        }
        self.document.drop_container(extension);
        Ok(())
    }

    /// The values for a whole list, canonical.
    pub(crate) fn new_values(&mut self, change: &Change<'a>) -> Result<Vec<Value>, PatchError> {
        let value = change.value.unwrap_or(&Value::Null);
        let read = if change.attribute.data_type == DataType::Complex {
            self.reader.complexes(change.attribute, value)
        } else {
            self.reader.simples(change.attribute, value)
        };
        read.map_err(|error| change.admit(error))
    }

    fn finish(self, before: &Resource) -> Result<Patched, PatchError> {
        let Self { resource_type, reader, document, set, .. } = self;
        let mut after = document.close(resource_type);
        give_back_read_only(resource_type.attributes(), before.as_map(), &mut after);
        for extension in &resource_type.extensions {
            let urn = extension.schema.id.as_str();
            let inside = after.get_mut(urn).and_then(Value::as_object_mut);
            if let (Some(before), Some(after)) = (before.get(urn).and_then(Value::as_object), inside) {
                give_back_read_only(&extension.schema.attributes, before, after);
            }
        }
        let patched = Admit::new(resource_type).patched(before, after);
        let resource = patched.map_err(|source| PatchError::Result {
            source: match source {
                // Whatever an operation removes that is required is told there. What is left to find was never given.
                AdmitError::RequiredRemoved(name) if !before.as_map().contains_key(&name) => AdmitError::Required(name),
                other => other,
            },
        })?;
        let touched = touched(resource_type, before, &resource);
        let changed = !touched.is_empty();
        let Notes { leniencies, ignored } = reader.notes;
        Ok(Patched {
            // What was stored before a schema changed is not mended in passing.
            resource: if changed { resource } else { before.clone() },
            changed,
            touched: touched.into_iter().collect(),
            set: set.into_iter().collect(),
            leniencies,
            ignored,
        })
    }
}

/// A complex value that was removed and came back is still the server's in what only the server writes.
fn give_back_read_only(attributes: &[Attribute], before: &Map<String, Value>, after: &mut Map<String, Value>) {
    for attribute in attributes {
        let name = attribute.name.as_str();
        let read_only = |sub: &&Attribute| sub.mutability == Mutability::ReadOnly;
        for sub in attribute.sub_attributes.iter().filter(read_only) {
            let old = before.get(name).and_then(|old| old.get(sub.name.as_str()));
            let new = after.get_mut(name).and_then(Value::as_object_mut);
            if let (Some(old), Some(new)) = (old, new) {
                new.entry(sub.name.as_str()).or_insert_with(|| old.clone());
            }
        }
    }
}

fn touched(resource_type: &ResourceType, before: &Resource, after: &Resource) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    for name in before.as_map().keys().chain(after.as_map().keys()).filter(|name| *name != "schemas") {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        if resource_type.membership.as_ref() == Some(name)
            && let (Some(attribute), Some(old), Some(new)) = (resource_type.attribute(name), old, new)
            && same_rows(attribute, old, new)
        {
            continue;
        }
        if resource_type.extension(name).is_none() {
            touched.insert(name.clone());
            continue;
        }
        let empty = Map::new();
        let (old, new) =
            (old.and_then(Value::as_object).unwrap_or(&empty), new.and_then(Value::as_object).unwrap_or(&empty));
        let inside = old.keys().chain(new.keys()).filter(|inner| old.get(*inner) != new.get(*inner));
        touched.extend(inside.map(|inner| format!("{name}:{inner}")));
    }
    touched
}

/// Rows have no order: who leaves and comes back in one request was never gone.
fn same_rows(attribute: &Attribute, old: &Value, new: &Value) -> bool {
    let (old, new) = (items(old), items(new));
    let rows: HashMap<String, &Value> = old.iter().map(|row| (attribute.element_key(row), row)).collect();
    old.len() == new.len() && new.iter().all(|row| rows.get(&attribute.element_key(row)) == Some(&row))
}
