//! From two states of a resource to the PATCH between them.

mod parts;
mod place;
mod select;
mod state;
mod values;

use scimwright_core::{Admit, AdmitError, Attribute, DataType, Extension, Mutability, Resource, ResourceType};
use serde_json::{Map, Value};

use crate::diff::place::{Place, remove_extension};
use crate::diff::state::same;
use crate::{Op, Operation, PatchRequest};

/// The smallest PATCH that makes `after` of `before`, or none where nothing is to be done (RFC 7644 section 3.5.2 knows
/// no message without operations).
///
/// It asks for what a PUT of `after` would leave (RFC 7644 section 3.5.1, [`Admit::replace`]): what only the server
/// writes is its own affair, and so are `id`, `meta` and `schemas`; what is write-only or immutable and left out stays;
/// everything else left out goes. The order of a list means nothing, and `primary: false` is the same as no word about
/// it (RFC 7643 section 2.4).
///
/// # What is smallest
///
/// Fewest operations, then the shortest paths and values, among messages of this form:
///
/// - Every operation names one attribute by its path, in an extension the qualified one. Operations without path could
///   say everything at once, but then nulls and whole lists stand for what goes. Only an extension that goes altogether
///   is named by its own URI (ruling R-23), and only where its schema has nothing hidden or immutable, which would stay.
/// - `add` gives a value where there was none, `replace` another one, `remove` takes it away. Nothing is said with
///   null.
/// - In an attribute with sub-attributes only those are named that change: one by its own path, several in one object
///   (section 3.5.2.3 leaves the others alone). The attribute is removed and added anew only where that is fewer
///   operations.
/// - A list gets the values that are new, loses those that a filter picks, changes the one value that a filter picks,
///   or is replaced as a whole, whichever is smallest. A filter is used only where it picks exactly those values, out
///   of all that are there. A value that becomes primary makes the others not primary, so these are not named.
/// - A list whose values are known by an immutable `value`, such as `members`, is replaced as a whole only when nobody
///   stays. Else it is told who leaves and who joins, so that a group of thousands costs what changes, and whoever
///   joined meanwhile stays.
///
/// The default [`PatchOptions`](crate::PatchOptions) take whatever this makes.
///
/// ```
/// use scimwright_core::{Admit, Catalog};
/// use scimwright_patch::diff;
///
/// let catalog = Catalog::standard();
/// let users = catalog.resource_type("User").ok_or("no such type")?;
/// let user = |mail: &str| {
///     Admit::new(users).trusted(serde_json::json!({
///         "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
///         "userName": "bjensen",
///         "emails": [{"type": "work", "value": mail, "primary": true}, {"type": "home", "value": "babs@jensen.org"}],
///     }))
/// };
///
/// let patch = diff(users, &user("bjensen@example.com")?, &user("barbara@example.com")?)?.ok_or("nothing to do")?;
/// assert_eq!(patch.to_json()["Operations"], serde_json::json!([
///     {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "barbara@example.com"},
/// ]));
/// assert_eq!(diff(users, &user("bjensen@example.com")?, &user("bjensen@example.com")?)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When no PATCH can do it: [`AdmitError::Mutability`] when something immutable has another value in `after` (RFC 7643
/// section 7; also in a value of a list that is in both), [`AdmitError::Required`] when something required has none.
/// And when `after` is no resource of that type for another reason, as [`Admit::replace`] says.
pub fn diff(
    resource_type: &ResourceType,
    before: &Resource,
    after: &Resource,
) -> Result<Option<PatchRequest>, AdmitError> {
    let after = Admit::new(resource_type).any_length().replace(after.as_map().clone().into(), before)?.resource;
    let base = changes(None, resource_type.attributes(), before.as_map(), after.as_map());
    let (mut gone, mut operations) = (Vec::new(), Vec::new());
    for extension in &resource_type.extensions {
        let nothing = Map::new();
        let urn = extension.schema.id.as_str();
        let inside = |resource: &'_ Resource| resource.get(urn).and_then(Value::as_object).cloned();
        let (old, new) = (inside(before).unwrap_or_default(), inside(&after));
        let inside = changes(Some(extension), &extension.schema.attributes, &old, new.as_ref().unwrap_or(&nothing));
        if !inside.is_empty() && may_go(resource_type, extension, &after) {
            gone.push(extension);
        } else {
            operations.push((extension, inside));
        }
    }
    let with_outer = |inner: &Extension| goes_with_another(inner, &gone);
    let whole = gone.iter().filter(|extension| !with_outer(extension)).map(|extension| remove_extension(extension));
    let parts = operations.into_iter().filter(|(extension, _)| !with_outer(extension)).flat_map(|(_, inside)| inside);
    let operations: Vec<Operation> = base.into_iter().chain(whole).chain(parts).collect();
    Ok((!operations.is_empty()).then(|| PatchRequest::of(operations)))
}

/// Whether an extension may be removed by its own URI: nothing is left of it, nor of what stands in its container and
/// would go with it; and nothing in them can be there that stays when it is left out, but that nobody has read.
fn may_go(resource_type: &ResourceType, extension: &Extension, after: &Resource) -> bool {
    let with_it = std::iter::once(extension).chain(resource_type.nested_in(extension));
    let stays = |attribute: &Attribute| attribute.is_hidden() || attribute.mutability == Mutability::Immutable;
    with_it.into_iter().all(|extension| {
        after.get(extension.schema.id.as_str()).is_none() && !extension.schema.attributes.iter().any(stays)
    })
}

/// Whether one of those that go has the extension in its container and takes it along.
fn goes_with_another(inner: &Extension, gone: &[&Extension]) -> bool {
    let mut around = gone.iter().filter(|outer| inner.within.as_ref() == Some(&outer.schema.id));
    around.any(|outer| !goes_with_another(outer, gone))
}

/// What happens to attributes that stand beside each other.
fn changes(
    container: Option<&Extension>,
    attributes: &[Attribute],
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.mutability != Mutability::ReadOnly) {
        let name = attribute.name.as_str();
        let (old, new) = match (old.get(name), new.get(name)) {
            (None, None) => continue,
            // Whatever is immutable and was given is the same by now, if not by the letter.
            (Some(_), Some(_)) if attribute.mutability == Mutability::Immutable => continue,
            _ if container.is_none() && name == "schemas" => continue,
            both => both,
        };
        operations.extend(change(&Place::new(container, attribute), old, new));
    }
    operations
}

/// What happens to one attribute.
fn change(place: &Place<'_>, old: Option<&Value>, new: Option<&Value>) -> Vec<Operation> {
    let attribute = place.attribute;
    if attribute.multi_valued {
        return values::changes(place, old, new);
    }
    if attribute.data_type == DataType::Complex {
        return parts::changes(place, old, new);
    }
    match (old, new) {
        (Some(old), Some(new)) if same(attribute, old, new) => Vec::new(),
        (old, Some(new)) => vec![place.put(old.is_some(), new.clone())],
        (Some(_), None) => vec![place.remove()],
        (None, None) => Vec::new(),
    }
}

/// The plan with the fewest operations, and among those the one with the shortest paths and values; the first of
/// equals.
fn smallest(plans: impl IntoIterator<Item = Vec<Operation>>) -> Vec<Operation> {
    let length = |operation: &Operation| {
        let path = operation.path.as_ref().map_or(0, |path| path.to_string().len());
        path + operation.value.as_ref().map_or(0, |value| value.to_string().len())
    };
    let size = |plan: &Vec<Operation>| (plan.len(), plan.iter().map(length).sum::<usize>());
    plans.into_iter().min_by_key(size).unwrap_or_default()
}

/// The verb that gives a place a value.
const fn putting(was_there: bool) -> Op {
    if was_there { Op::Replace } else { Op::Add }
}

#[cfg(test)]
mod tests;
