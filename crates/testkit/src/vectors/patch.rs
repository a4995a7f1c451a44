//! `{name, resourceType, before, operations, after, changed | error}`.

use scimwright_core::{Admit, Catalog, ScimError, urns};
use scimwright_patch::{PatchOptions, PatchRequest, Patched, apply};
use serde_json::{Map, Value, json};

use super::{Verdict, check_error, type_of};

pub(super) fn judge(catalog: &Catalog, vector: &Value) -> Verdict {
    let resource_type = type_of(catalog, vector)?;
    let before = vector.get("before").ok_or("the vector has no `before`")?.clone();
    let before =
        Admit::new(resource_type).trusted(before).map_err(|error| format!("`before` is no resource: {error}"))?;
    let message = match vector.get("request") {
        Some(message) => message.clone(),
        None => json!({"schemas": [urns::PATCH_OP], "Operations": vector.get("operations")}),
    };
    let options = PatchOptions::default();
    let done: Result<Patched, ScimError> = PatchRequest::from_json(message, &options)
        .and_then(|request| apply(resource_type, &before, &request, &options))
        .map_err(ScimError::from);
    match (done, vector.get("error"), vector.get("after")) {
        (Err(error), Some(wanted), _) => check_error(wanted, error.status(), error.scim_type().map(|own| own.as_str())),
        (Err(error), None, _) => Err(format!("wanted success, came {error}")),
        (Ok(_), Some(wanted), _) => Err(format!("wanted the error {wanted}, came success")),
        (Ok(patched), None, Some(after)) => {
            let came = Value::Object(patched.resource.as_map().clone());
            if comparable(&came) != comparable(after) {
                return Err(format!("wanted {}, came {}", comparable(after), comparable(&came)));
            }
            match vector.get("changed").and_then(Value::as_bool) {
                Some(wanted) if wanted != patched.changed => {
                    Err(format!("wanted changed = {wanted}, came {}", patched.changed))
                }
                _ => Ok(()),
            }
        }
        (Ok(_), None, None) => Err("the vector has neither `after` nor `error`".to_owned()),
    }
}

/// A document as the vectors compare it: without `meta`, without what means unassigned, without `primary` false, lists as sets.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, value)| {
                name.as_str() != "meta" && !(name.as_str() == "primary" && **value == Value::Bool(false))
            });
            let kept = kept.map(|(name, value)| (name.clone(), comparable(value)));
            kept.filter(|(_, value)| scimwright_core::is_assigned(value)).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(comparable).filter(scimwright_core::is_assigned).collect();
            items.sort_by_key(Value::to_string);
            items.into()
        }
        Value::Number(number) => number.as_f64().map_or_else(
            || value.clone(),
            |float| {
                // 3 and 3.0 are one number; beyond what a float tells apart the spelling decides.
                if float.abs() < 9e15 { json!(float) } else { value.clone() }
            },
        ),
        other => other.clone(),
    }
}
