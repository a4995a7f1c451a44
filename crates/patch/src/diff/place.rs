//! Where an operation works, and the operations on it.

use scimwright_core::{AttrName, AttrPath, Attribute, Extension};
use scimwright_filter::{Filter, PatchPath, Syntax};
use serde_json::Value;

use crate::diff::putting;
use crate::options::Notes;
use crate::{Op, Operation, PatchOptions, Path};

/// An attribute and the path to it.
pub(super) struct Place<'a> {
    pub(super) attribute: &'a Attribute,
    path: AttrPath,
}

/// A sub-attribute, or selected values, or a sub-attribute of these.
#[derive(Clone, Copy, Default)]
pub(super) struct Spot<'s> {
    pub(super) selection: Option<&'s Filter>,
    pub(super) sub: Option<&'s Attribute>,
}

impl<'a> Place<'a> {
    pub(super) fn new(container: Option<&Extension>, attribute: &'a Attribute) -> Self {
        let urn = container.map(|extension| extension.schema.id.clone());
        Self { attribute, path: AttrPath { urn, name: attribute.name.clone(), sub: None } }
    }

    /// Gives the attribute a value.
    pub(super) fn put(&self, was_there: bool, value: Value) -> Operation {
        self.act(putting(was_there), Spot::default(), Some(value))
    }

    /// Takes all that it has.
    pub(super) fn remove(&self) -> Operation {
        self.act(Op::Remove, Spot::default(), None)
    }

    pub(super) fn act(&self, op: Op, spot: Spot<'_>, value: Option<Value>) -> Operation {
        Operation { op, path: Some(Path::Attribute(self.path(spot))), value }
    }

    /// Whether a path with that filter is one that everybody takes who keeps to the default limits.
    pub(super) fn takes(&self, selection: &Filter) -> bool {
        let longest = self.attribute.sub_attributes.iter().map(|sub| sub.name.as_str().len() + 1).max();
        let spot = Spot { selection: Some(selection), sub: None };
        // Nobody may ask what a secret is.
        !self.attribute.is_hidden()
            && self.path(spot).to_string().len() + longest.unwrap_or_default() <= Syntax::default().max_bytes
    }

    fn path(&self, Spot { selection, sub }: Spot<'_>) -> PatchPath {
        let sub: Option<AttrName> = sub.map(|sub| sub.name.clone());
        match selection {
            None => PatchPath { attribute: AttrPath { sub, ..self.path.clone() }, selection: None, sub: None },
            Some(filter) => PatchPath { attribute: self.path.clone(), selection: Some(filter.clone()), sub },
        }
    }
}

/// A whole extension goes.
pub(super) fn remove_extension(extension: &Extension) -> Operation {
    let urn = &extension.schema.id;
    // The bare URI mostly reads as a URI and an attribute.
    let read = Path::read(urn.as_str(), 0, &PatchOptions::default(), &mut Notes::default());
    Operation { op: Op::Remove, path: Some(read.unwrap_or_else(|_| Path::Schema(urn.clone()))), value: None }
}
