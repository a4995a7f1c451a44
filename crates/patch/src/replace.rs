//! `replace`: RFC 7644 section 3.5.2.3.

use std::collections::HashSet;

use scimwright_core::Mutability;
use serde_json::Value;

use crate::PatchError;
use crate::add::add_value;
use crate::amend;
use crate::apply::Work;
use crate::list::List;
use crate::target::{Change, fixed_value};

pub(crate) fn replace<'a>(work: &mut Work<'a>, change: &Change<'a>) -> Result<(), PatchError> {
    if !change.attribute.multi_valued {
        return amend::single(work, change);
    }
    if change.sub.is_some() || change.selection.is_some() {
        return amend::values(work, change);
    }
    let values = work.new_values(change)?;
    let list = work.document.list(change.container, change.attribute);
    if fixed_value(change.attribute).is_some() {
        keep_named(change, list, values)
    } else {
        put_all(change, list, values)
    }
}

/// Lists such as `members`: who is named and there already stays as he is (ruling R-37), so that naming all of them is no change.
fn keep_named<'a>(change: &Change<'a>, list: &mut List<'a>, values: Vec<Value>) -> Result<(), PatchError> {
    let named: HashSet<String> = values.iter().map(|value| change.attribute.element_key(value)).collect();
    for at in list.places() {
        if list.get(at).is_some_and(|value| !named.contains(&change.attribute.element_key(value))) {
            list.take(at);
        }
    }
    values.into_iter().try_for_each(|value| add_value(change, list, value))
}

/// Every other list: the new values in their order. What only the server writes stays with a value that stays.
fn put_all<'a>(change: &Change<'a>, list: &mut List<'a>, values: Vec<Value>) -> Result<(), PatchError> {
    let subs = change.attribute.sub_attributes.iter();
    let read_only: Vec<&str> =
        subs.filter(|sub| sub.mutability == Mutability::ReadOnly).map(|sub| sub.name.as_str()).collect();
    let mut new = List::new(change.attribute, None);
    for mut value in values {
        if !read_only.is_empty()
            && let Some(old) = list.place_of(&value).and_then(|at| list.get(at))
            && let Value::Object(object) = &mut value
        {
            for name in &read_only {
                if let Some(part) = old.get(*name) {
                    object.insert((*name).to_owned(), part.clone());
                }
            }
        }
        add_value(change, &mut new, value)?;
    }
    *list = new;
    Ok(())
}
