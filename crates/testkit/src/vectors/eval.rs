//! `{filter, resource, match | error}`.

use scimwright_core::{Admit, Catalog};
use scimwright_filter::{BindError, Binding, Filter};
use serde_json::Value;

use super::{Verdict, check_error, type_of};

pub(super) fn judge(catalog: &Catalog, file: &Value, vector: &Value) -> Verdict {
    let text = vector.get("filter").and_then(Value::as_str).ok_or("the vector has no `filter`")?;
    let entry = match vector.get("resource") {
        Some(Value::String(name)) => {
            file.get("resources").and_then(|resources| resources.get(name)).ok_or("there is no such resource")?
        }
        Some(inline) => inline,
        None => return Err("the vector has no `resource`".to_owned()),
    };
    let resource_type = type_of(catalog, entry)?;
    let document = entry.get("resource").unwrap_or(entry).clone();
    let resource =
        Admit::new(resource_type).trusted(document).map_err(|error| format!("the resource is none: {error}"))?;
    let outcome = match text.parse::<Filter>() {
        Err(error) => Err(error.scim_type().as_str()),
        Ok(filter) => {
            let binding = Binding { resource_type, served: catalog.resource_types(), boolean_strings: false };
            filter
                .bind(&binding)
                .map(|bound| bound.matches(&resource))
                .map_err(|error: BindError| error.scim_type().as_str())
        }
    };
    match (outcome, vector.get("match").and_then(Value::as_bool), vector.get("error")) {
        (Ok(came), Some(wanted), _) if came == wanted => Ok(()),
        (Ok(came), Some(wanted), _) => Err(format!("wanted match = {wanted}, came {came}")),
        (Err(scim_type), _, Some(wanted)) => check_error(wanted, 400, Some(scim_type)),
        (Ok(came), None, Some(wanted)) => Err(format!("wanted the error {wanted}, came match = {came}")),
        (Err(scim_type), Some(wanted), None) => Err(format!("wanted match = {wanted}, came the error {scim_type}")),
        (_, None, None) => Err("the vector has neither `match` nor `error`".to_owned()),
    }
}
