//! Lists: who is new, who is gone, who is another.

use std::collections::{HashMap, HashSet};

use scimwright_core::{AttrName, AttrPath, Attribute, DataType, Mutability};
use scimwright_filter::{Filter, Literal, Op as Comparison, Syntax};
use serde_json::{Map, Value};

use crate::diff::parts::one_by_one;
use crate::diff::place::{Place, Spot};
use crate::diff::select::Selector;
use crate::diff::smallest;
use crate::diff::state::{Element, elements, same};
use crate::target::fixed_value;
use crate::{Op, Operation};

/// What happens to a list.
pub(super) fn changes(place: &Place<'_>, old: Option<&Value>, new: Option<&Value>) -> Vec<Operation> {
    let attribute = place.attribute;
    let selector = || Selector::new(place, old);
    let (old, new) = (elements(attribute, old), elements(attribute, new));
    match (old.is_empty(), new.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => vec![place.put(false, list(&new))],
        (false, true) => vec![place.remove()],
        _ if fixed_value(attribute).is_some() => of_members(place, &old, &new),
        _ => of_values(place, &old, &new, selector),
    }
}

fn list<'e>(elements: impl IntoIterator<Item = &'e Element>) -> Value {
    elements.into_iter().map(|element| element.value.clone()).collect()
}

/// A list whose values are what they say.
fn of_values<'p>(
    place: &'p Place<'_>,
    old: &[Element],
    new: &[Element],
    selector: impl FnOnce() -> Selector<'p>,
) -> Vec<Operation> {
    let attribute = place.attribute;
    let keys = |elements: &[Element]| elements.iter().map(|element| element.key.clone()).collect::<HashSet<_>>();
    let there = keys(old);
    // A value that becomes primary makes the others not primary (requirement PA-13).
    let promoted = new.iter().any(|element| element.is_primary() && !there.contains(&element.key));
    let left: Vec<Element> =
        old.iter().map(|one| if promoted { one.demoted(attribute) } else { one.clone() }).collect();
    let (there, wanted) = (keys(&left), keys(new));
    let gone: Vec<&Element> =
        old.iter().zip(&left).filter(|(_, left)| !wanted.contains(&left.key)).map(|(old, _)| old).collect();
    let came: Vec<&Element> = new.iter().filter(|element| !there.contains(&element.key)).collect();
    let part = match (gone.as_slice(), came.as_slice()) {
        ([], []) => return Vec::new(),
        ([], _) => Some(vec![place.act(Op::Add, Spot::default(), Some(list(came)))]),
        (_, []) => selector().all(&gone).map(|filter| {
            let spot = Spot { selection: Some(&filter), sub: None };
            vec![place.act(Op::Remove, spot, None)]
        }),
        ([gone], [came]) if may_become(attribute, gone, came) => {
            selector().one(gone).map(|filter| become_other(place, &filter, gone, came))
        }
        _ => None,
    };
    smallest(part.into_iter().chain([vec![place.put(true, list(new))]]))
}

/// Whether one value can be made another: what is immutable in it stays, or is given for the first time.
fn may_become(attribute: &Attribute, old: &Element, new: &Element) -> bool {
    let fixed = attribute.sub_attributes.iter().filter(|sub| sub.mutability == Mutability::Immutable);
    fixed.map(|sub| (sub, sub.name.as_str())).all(|(sub, name)| match (old.value.get(name), new.value.get(name)) {
        (None, _) => true,
        (Some(old), Some(new)) => same(sub, old, new),
        (Some(_), None) => false,
    })
}

fn become_other(place: &Place<'_>, filter: &Filter, old: &Element, new: &Element) -> Vec<Operation> {
    match (&old.value, &new.value) {
        (Value::Object(old), Value::Object(new)) => one_by_one(place, Some(filter), old, new),
        (_, new) => vec![place.act(Op::Replace, Spot { selection: Some(filter), sub: None }, Some(new.clone()))],
    }
}

/// A list whose values are known by a `value` that never changes.
fn of_members(place: &Place<'_>, old: &[Element], new: &[Element]) -> Vec<Operation> {
    let attribute = place.attribute;
    let by_value = |elements: &'_ [Element]| -> HashMap<String, usize> {
        elements.iter().enumerate().map(|(at, element)| (attribute.element_key(&element.value), at)).collect()
    };
    let (there, wanted) = (by_value(old), by_value(new));
    let left: Vec<&Element> =
        old.iter().filter(|element| !wanted.contains_key(&attribute.element_key(&element.value))).collect();
    let mut joined: Vec<&Element> = Vec::new();
    let mut other: Vec<(&Element, &Element)> = Vec::new();
    for element in new {
        match there.get(&attribute.element_key(&element.value)).and_then(|at| old.get(*at)) {
            None => joined.push(element),
            Some(old) if old.key != element.key => other.push((old, element)),
            Some(_) => {}
        }
    }
    if left.is_empty() && joined.is_empty() && other.is_empty() {
        return Vec::new();
    }
    if left.len() == old.len() {
        return vec![place.put(true, list(new))];
    }
    let primary = attribute.sub("primary").is_some();
    match said_by_value(place, &left, &other).filter(|_| !primary) {
        Some(mut operations) => {
            if !joined.is_empty() {
                operations.push(place.act(Op::Add, Spot::default(), Some(list(joined))));
            }
            operations
        }
        // Who has no name that a path can hold is not picked. Who stays is left as he is by `replace`.
        None if other.is_empty() && !primary => vec![place.put(true, list(new))],
        None => vec![place.remove(), place.put(false, list(new))],
    }
}

/// Those who leave, and those who become other in something else than their `value`; none when one of them cannot be
/// picked.
fn said_by_value(place: &Place<'_>, left: &[&Element], other: &[(&Element, &Element)]) -> Option<Vec<Operation>> {
    let Syntax { max_bytes, max_terms, .. } = Syntax::default();
    let filters: Option<Vec<Filter>> = left.iter().map(|element| named(place, element)).collect();
    let mut operations = Vec::new();
    let mut terms: Vec<Filter> = Vec::new();
    // Room for the attribute's own path and the brackets.
    let around = place.remove().path.map_or(0, |path| path.to_string().len()) + "[]".len();
    let mut bytes = around;
    for filter in filters? {
        let length = filter.to_string().len() + " or ".len();
        if terms.len() == max_terms || bytes + length > max_bytes {
            operations.push(remove_any(place, std::mem::take(&mut terms))?);
            bytes = around;
        }
        bytes += length;
        terms.push(filter);
    }
    if !terms.is_empty() {
        operations.push(remove_any(place, terms)?);
    }
    let nothing = Map::new();
    for (old, new) in other {
        let filter = named(place, old)?;
        let object = |element: &Element| element.value.as_object().cloned().unwrap_or_else(|| nothing.clone());
        operations.extend(one_by_one(place, Some(&filter), &object(old), &object(new)));
    }
    Some(operations)
}

fn remove_any(place: &Place<'_>, filters: Vec<Filter>) -> Option<Operation> {
    let filter = Filter::any(filters).ok()?;
    Some(place.act(Op::Remove, Spot { selection: Some(&filter), sub: None }, None))
}

/// `value eq "…"`, if that can be said.
fn named(place: &Place<'_>, element: &Element) -> Option<Filter> {
    let known_by =
        fixed_value(place.attribute).filter(|sub| sub.data_type != DataType::DateTime && !sub.is_hidden())?;
    let text = element.value.get("value").and_then(Value::as_str).filter(|text| !text.is_empty())?;
    let name: AttrName = known_by.name.clone();
    let filter = Filter::compare(AttrPath::of(name), Comparison::Eq, Literal::String(text.to_owned()));
    place.takes(&filter).then_some(filter)
}
