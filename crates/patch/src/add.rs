//! `add`: RFC 7644 section 3.5.2.1.

use scimwright_core::DataType;
use serde_json::{Map, Value};

use crate::PatchError;
use crate::amend;
use crate::apply::Work;
use crate::list::List;
use crate::merge::merge;
use crate::target::{Change, fixed_value};
use crate::value::{Parts, is_primary};

pub(crate) fn add<'a>(work: &mut Work<'a>, change: &Change<'a>) -> Result<(), PatchError> {
    if !change.attribute.multi_valued {
        return amend::single(work, change);
    }
    if change.sub.is_some() || change.selection.is_some() {
        return amend::values(work, change);
    }
    let values = work.new_values(change)?;
    let list = work.document.list(change.container, change.attribute);
    for value in values {
        add_value(change, list, value)?;
    }
    Ok(())
}

/// Adds a value to a list, unless it is there: then what more it says joins the one that is there, except in lists such as
/// `members`, whose values do not change (ruling R-37).
pub(crate) fn add_value<'a>(change: &Change<'a>, list: &mut List<'a>, value: Value) -> Result<(), PatchError> {
    let primary = value.as_object().is_some_and(is_primary);
    let at = match list.place_of(&value) {
        None => list.push(value),
        Some(at) => {
            if change.attribute.data_type == DataType::Complex && fixed_value(change.attribute).is_none() {
                join(change, list, at, value)?;
            }
            at
        }
    };
    if primary && list.get(at).and_then(Value::as_object).is_some_and(is_primary) {
        list.demote_others(at);
    }
    Ok(())
}

fn join<'a>(change: &Change<'a>, list: &mut List<'a>, at: usize, value: Value) -> Result<(), PatchError> {
    let (Value::Object(mut set), Some(Value::Object(old))) = (value, list.get(at)) else { return Ok(()) };
    // What makes it the same value keeps its spelling.
    set.retain(|name, _| name != "value" && name != "type");
    let mut new: Map<String, Value> = old.clone();
    merge(change, &mut new, &Parts { set, ..Parts::default() })?;
    if new != *old {
        list.put(at, Value::Object(new));
    }
    Ok(())
}
