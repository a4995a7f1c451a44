//! Binding: what an operation means for a resource type, as steps on one attribute each.

use std::collections::HashSet;

use scimwright_core::{
    AdmitError, AttrPath, Attribute, DataType, Extension, Mutability, ResourceType, Target, Unknown, check_simple,
};
use scimwright_filter::{BindError, BoundFilter, PatchPath};
use serde_json::{Map, Value};

use crate::options::{FILTER_BOOLEAN_STRINGS, Notes, PATH_KEYS_IN_VALUE, REMOVE_WITH_VALUE};
use crate::{Op, Operation, PatchError, PatchOptions, Path};

/// One thing to do. An operation without a path is as many as its value has attributes.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// On an attribute.
    Change(Box<Change<'a>>),
    /// A whole extension goes.
    Drop { index: usize, extension: &'a Extension },
}

/// What is to be done to one attribute, its names resolved and its filter bound.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// The operation it is part of.
    pub(crate) index: usize,
    pub(crate) op: Op,
    pub(crate) container: Option<&'a Extension>,
    pub(crate) attribute: &'a Attribute,
    pub(crate) sub: Option<&'a Attribute>,
    /// Which values of the attribute.
    pub(crate) selection: Option<BoundFilter>,
    /// There always for add and replace.
    pub(crate) value: Option<&'a Value>,
    /// Whether the client named the attribute by a path, and so meant it, or as one of many in an object (ruling R-33).
    pub(crate) by_path: bool,
    /// As the client has it, for errors.
    path: String,
}

impl Change<'_> {
    /// The attribute as errors and [`crate::Patched::touched`] have it.
    pub(crate) fn name(&self) -> String {
        qualified(self.container, self.attribute.name.as_str())
    }

    /// The sub-attribute as errors have it.
    pub(crate) fn name_of(&self, sub: &Attribute) -> String {
        format!("{}.{}", self.name(), sub.name)
    }

    pub(crate) fn no_target(&self) -> PatchError {
        PatchError::NoTarget { index: self.index, path: self.path.clone() }
    }

    pub(crate) fn value_error(&self, reason: impl Into<String>) -> PatchError {
        PatchError::Value { index: self.index, reason: format!("`{}`: {}", self.path, reason.into()) }
    }

    pub(crate) fn mutability(&self, name: String) -> PatchError {
        PatchError::Admit { index: self.index, source: AdmitError::Mutability(name) }
    }

    pub(crate) fn required(&self, name: String) -> PatchError {
        PatchError::Admit { index: self.index, source: AdmitError::RequiredRemoved(name) }
    }

    /// An error about a value, which knows the attribute but not the extension that it stands in.
    pub(crate) fn admit(&self, source: AdmitError) -> PatchError {
        let place = |path: String| qualified(self.container, &path);
        let source = match source {
            AdmitError::Value { path, source } => AdmitError::Value { path: place(path), source },
            AdmitError::Twice(path) => AdmitError::Twice(place(path)),
            AdmitError::Unknown(path) => AdmitError::Unknown(place(path)),
            AdmitError::TwoPrimaries(path) => AdmitError::TwoPrimaries(place(path)),
            other => other,
        };
        PatchError::Admit { index: self.index, source }
    }
}

fn qualified(container: Option<&Extension>, name: &str) -> String {
    container.map_or_else(|| name.to_owned(), |extension| format!("{}:{name}", extension.schema.id))
}

/// What an operation means for that resource type.
pub(crate) fn bind<'a>(
    resource_type: &'a ResourceType,
    options: &PatchOptions,
    index: usize,
    operation: &'a Operation,
    notes: &mut Notes,
) -> Result<Vec<Step<'a>>, PatchError> {
    if operation.op == Op::Remove && operation.value.is_some() {
        // A request that was read with other options than it is applied with must not lose its value on the way.
        if !options.remove_with_value {
            return Err(PatchError::Value { index, reason: "`remove` takes no value".to_owned() });
        }
        notes.lenient(REMOVE_WITH_VALUE);
    }
    let mut binder =
        Binder { resource_type, options, index, op: operation.op, notes, steps: Vec::new(), seen: HashSet::new() };
    match &operation.path {
        None => binder.whole(operation.value.as_ref())?,
        Some(Path::Schema(urn)) => match resource_type.resolve_urn(urn.as_str()) {
            Some(target) => binder.bare(target, operation.value.as_ref())?,
            None => return Err(binder.no_such(&urn.to_string())),
        },
        Some(Path::Attribute(path)) => binder.path(path, operation.value.as_ref())?,
    }
    Ok(binder.steps)
}

struct Binder<'a, 'n> {
    resource_type: &'a ResourceType,
    options: &'n PatchOptions,
    index: usize,
    op: Op,
    notes: &'n mut Notes,
    steps: Vec<Step<'a>>,
    /// What an object has named already.
    seen: HashSet<String>,
}

impl<'a> Binder<'a, '_> {
    fn path(&mut self, path: &PatchPath, value: Option<&'a Value>) -> Result<(), PatchError> {
        if let Some(target) = self.bare_target(path) {
            return self.bare(target, value);
        }
        let change = self.change(path, None, value, true)?.ok_or_else(|| self.no_such(&path.to_string()))?;
        self.steps.push(Step::Change(Box::new(change)));
        Ok(())
    }

    /// The bare URI of a schema, which reads as a URI and an attribute. It is tried first (ruling R-23).
    fn bare_target(&self, path: &PatchPath) -> Option<Target<'a>> {
        let PatchPath { attribute: AttrPath { urn: Some(_), sub: None, .. }, selection: None, sub: None } = path else {
            return None;
        };
        self.resource_type.resolve_urn(&path.to_string())
    }

    /// A target that is a schema: the resource itself or an extension.
    fn bare(&mut self, target: Target<'a>, value: Option<&'a Value>) -> Result<(), PatchError> {
        match target {
            Target::Root => self.whole(value),
            Target::Container(extension) => self.extension(extension, value),
            Target::Attribute { .. } => Ok(()),
        }
    }

    /// No path, or the URI of the base schema: the value is an object of attributes.
    fn whole(&mut self, value: Option<&'a Value>) -> Result<(), PatchError> {
        match value {
            Some(Value::Object(object)) => self.object(object, true),
            None => Err(PatchError::NoPath { index: self.index }),
            Some(_) => {
                let reason = format!("expected an object of attributes to {} without a path", self.op);
                Err(PatchError::Value { index: self.index, reason })
            }
        }
    }

    fn object(&mut self, object: &'a Map<String, Value>, outermost: bool) -> Result<(), PatchError> {
        for (key, value) in object {
            if let Some(attribute) = self.resource_type.attribute(key) {
                // What a client read it sends back, times and all (ruling R-41).
                if attribute.name.as_str() != "meta" {
                    self.member(None, attribute, key, value)?;
                }
                continue;
            }
            match self.resource_type.resolve_urn(key) {
                Some(Target::Container(extension)) => self.extension(extension, Some(value))?,
                Some(Target::Root) if outermost => match value {
                    Value::Object(inner) => self.object(inner, false)?,
                    Value::Null if self.op == Op::Add => {}
                    _ => return Err(self.no_object(key, value)),
                },
                _ => self.path_key(None, key, value)?,
            }
        }
        Ok(())
    }

    /// An extension as a whole: what is given is done inside it, the rest stays.
    fn extension(&mut self, extension: &'a Extension, value: Option<&'a Value>) -> Result<(), PatchError> {
        let urn = extension.schema.id.as_str();
        let object = match (self.op, value) {
            (_, Some(Value::Object(object))) => object,
            (Op::Add, Some(Value::Null)) => return Ok(()),
            (Op::Remove, None) | (Op::Replace | Op::Remove, Some(Value::Null)) => {
                // What stands in its container goes with it.
                for extension in std::iter::once(extension).chain(self.resource_type.nested_in(extension)) {
                    self.steps.push(Step::Drop { index: self.index, extension });
                }
                return Ok(());
            }
            (_, value) => return Err(self.no_object(urn, value.unwrap_or(&Value::Null))),
        };
        for (key, value) in object {
            let nested = || self.resource_type.nested_in(extension).find(|inner| inner.schema.id.is(key));
            match extension.schema.attribute(key) {
                Some(attribute) => self.member(Some(extension), attribute, key, value)?,
                None => match nested() {
                    Some(inner) => self.extension(inner, Some(value))?,
                    None => self.path_key(Some(extension), key, value)?,
                },
            }
        }
        Ok(())
    }

    /// An attribute that an object names plainly.
    fn member(
        &mut self,
        container: Option<&'a Extension>,
        attribute: &'a Attribute,
        key: &str,
        value: &'a Value,
    ) -> Result<(), PatchError> {
        let path = qualified(container, key);
        self.push(Change {
            index: self.index,
            op: self.op,
            container,
            attribute,
            sub: None,
            selection: None,
            value: Some(value),
            by_path: false,
            path,
        })
    }

    /// A key that is more than a name: `name.givenName`, a name with its URN, even a value path (ruling R-34).
    fn path_key(&mut self, container: Option<&'a Extension>, key: &'a str, value: &'a Value) -> Result<(), PatchError> {
        let parsed = if key.contains(['.', ':', '[']) { self.options.syntax.path(key).ok() } else { None };
        let change = match &parsed {
            Some(parsed) => self.change(&parsed.value, container, Some(value), false)?,
            None => None,
        };
        match (change, parsed) {
            (Some(change), Some(parsed)) => {
                self.notes.lenient(PATH_KEYS_IN_VALUE);
                self.notes.lenient_path(&parsed.leniencies);
                if change.attribute.name.as_str() == "meta" {
                    return Ok(());
                }
                self.push(change)
            }
            _ if self.options.unknown == Unknown::Refuse => {
                Err(PatchError::Admit { index: self.index, source: AdmitError::Unknown(qualified(container, key)) })
            }
            _ => {
                self.notes.ignore(qualified(container, key));
                Ok(())
            }
        }
    }

    /// What a path means, or none when it names nothing. A plain name inside an extension is one of the extension's.
    fn change(
        &mut self,
        path: &PatchPath,
        inside: Option<&'a Extension>,
        value: Option<&'a Value>,
        by_path: bool,
    ) -> Result<Option<Change<'a>>, PatchError> {
        let PatchPath { attribute: AttrPath { urn, name, sub: before }, selection, sub: behind } = path;
        if before.is_some() && selection.is_some() {
            return Err(self.bad_path(&path.to_string(), "brackets stand behind an attribute, not a sub-attribute"));
        }
        let (container, attribute) = match (inside, urn) {
            (Some(extension), None) => (Some(extension), extension.schema.attribute(name.as_str())),
            _ => match self.resource_type.resolve(&AttrPath { urn: urn.clone(), name: name.clone(), sub: None }) {
                Some(Target::Attribute { container, attribute, .. }) => (container, Some(attribute)),
                _ => (None, None),
            },
        };
        let Some(attribute) = attribute else { return Ok(None) };
        let sub = match before.as_ref().or(behind.as_ref()) {
            None => None,
            Some(sub) => match attribute.sub(sub.as_str()) {
                Some(sub) => Some(sub),
                None => return Ok(None),
            },
        };
        let selection = match selection {
            None => None,
            Some(filter) => {
                let bound =
                    filter.bind_selection(attribute, self.options.boolean_strings).map_err(|error| match error {
                        // The brackets are at fault, whatever is in them.
                        BindError::NotSelectable { .. } => self.bad_path(&path.to_string(), &error.to_string()),
                        _ => {
                            PatchError::Filter { index: self.index, path: path.to_string(), reason: error.to_string() }
                        }
                    })?;
                if bound.coerced_booleans {
                    self.notes.lenient(FILTER_BOOLEAN_STRINGS);
                }
                Some(bound)
            }
        };
        let (index, op) = (self.index, self.op);
        let path = path.to_string();
        Ok(Some(Change { index, op, container, attribute, sub, selection, value, by_path, path }))
    }

    /// Takes in a change that an object asks for, unless the object asks for it twice.
    fn push(&mut self, change: Change<'a>) -> Result<(), PatchError> {
        // The spelling of the schema, so that two cases of one name meet; a value path is as the client wrote it.
        let mut place = change.name();
        if let Some(sub) = change.sub {
            place = change.name_of(sub);
        }
        if change.selection.is_some() {
            place.clone_from(&change.path);
        }
        if !self.seen.insert(place.clone()) {
            return Err(PatchError::Admit { index: self.index, source: AdmitError::Twice(place) });
        }
        self.steps.push(Step::Change(Box::new(change)));
        Ok(())
    }

    fn no_such(&self, path: &str) -> PatchError {
        self.bad_path(path, &format!("{} has no such attribute", self.resource_type.name))
    }

    fn bad_path(&self, path: &str, reason: &str) -> PatchError {
        PatchError::Path { index: self.index, path: path.to_owned(), reason: reason.to_owned() }
    }

    fn no_object(&self, path: &str, value: &Value) -> PatchError {
        match check_simple(DataType::Complex, value) {
            Err(source) => {
                PatchError::Admit { index: self.index, source: AdmitError::Value { path: path.to_owned(), source } }
            }
            Ok(()) => PatchError::Value { index: self.index, reason: format!("`{path}`: expected an object") },
        }
    }
}

/// Whether an attribute, or the sub-attribute that is meant, is the server's alone.
pub(crate) fn is_read_only(change: &Change<'_>) -> bool {
    change.attribute.mutability == Mutability::ReadOnly
        || change.sub.is_some_and(|sub| sub.mutability == Mutability::ReadOnly)
}

/// The `value` that the values of a list are known by alone, where it cannot change: as long as that is the same, it is the same
/// member (ruling R-37).
pub(crate) fn fixed_value(attribute: &Attribute) -> Option<&Attribute> {
    attribute.sub("value").filter(|sub| sub.mutability == Mutability::Immutable && sub.name.as_str() == "value")
}
