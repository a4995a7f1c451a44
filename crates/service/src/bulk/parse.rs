//! A bulk request as it was sent.

use std::collections::HashSet;
use std::sync::Arc;

use scimwright_core::{Catalog, ResourceType, ScimError, ScimType, urns};
use serde_json::{Map, Value};

/// A whole request.
pub(super) struct Request {
    /// Stop after so many errors; never without it.
    pub(super) fail_on_errors: Option<usize>,
    pub(super) operations: Vec<Job>,
}

/// One operation.
pub(super) struct Job {
    /// As it was sent, in capitals.
    pub(super) method: String,
    pub(super) bulk_id: Option<String>,
    pub(super) version: Option<String>,
    pub(super) data: Value,
    /// Where it goes, or what is wrong with the operation.
    pub(super) target: Result<Place, ScimError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Collection(Arc<ResourceType>),
    Resource(Arc<ResourceType>, Name),
}

/// How a resource is named in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Id(String),
    BulkId(String),
}

impl Job {
    pub(super) fn parsed_method(&self) -> Option<Method> {
        match self.method.as_str() {
            "POST" => Some(Method::Post),
            "PUT" => Some(Method::Put),
            "PATCH" => Some(Method::Patch),
            "DELETE" => Some(Method::Delete),
            _ => None,
        }
    }

    /// The bulkId that this operation makes, if it is well formed.
    pub(super) fn makes(&self) -> Option<&str> {
        self.bulk_id.as_deref().filter(|_| self.target.is_ok() && self.parsed_method() == Some(Method::Post))
    }
}

/// Reads the request. What is wrong with one operation is that operation's affair; what is wrong with the message is everybody's.
pub(super) fn job(catalog: &Catalog, body: Value, max_operations: usize) -> Result<Request, ScimError> {
    let syntax = |detail: &str| ScimError::bad(ScimType::InvalidSyntax, detail);
    let Value::Object(mut body) = body else { return Err(syntax("expected a JSON object")) };
    let schemas = take(&mut body, "schemas");
    let named = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(urns::BULK_REQUEST));
    if !schemas.as_ref().and_then(Value::as_array).is_some_and(|list| list.iter().any(named)) {
        return Err(syntax(&format!("`schemas` lacks `{}`", urns::BULK_REQUEST)));
    }
    let fail_on_errors = match take(&mut body, "failOnErrors") {
        None | Some(Value::Null) => None,
        Some(number) => match number.as_u64() {
            // One that is less than 1 would mean that nothing may be tried.
            Some(limit) if limit > 0 => Some(usize::try_from(limit).unwrap_or(usize::MAX)),
            _ => return Err(syntax("`failOnErrors` is not a number greater than 0")),
        },
    };
    let Some(Value::Array(operations)) = take(&mut body, "Operations") else {
        return Err(syntax("`Operations` is not a list"));
    };
    if operations.len() > max_operations {
        return Err(ScimError::new(413, format!("the job has more than {max_operations} operations (maxOperations)")));
    }
    let mut seen = HashSet::new();
    let operations = operations.into_iter().map(|operation| one(catalog, operation, &mut seen)).collect();
    Ok(Request { fail_on_errors, operations })
}

fn one(catalog: &Catalog, operation: Value, seen: &mut HashSet<String>) -> Job {
    let invalid = |detail: String| ScimError::bad(ScimType::InvalidValue, detail);
    let Value::Object(mut operation) = operation else {
        let target = Err(ScimError::bad(ScimType::InvalidSyntax, "an operation is a JSON object"));
        return Job { method: String::new(), bulk_id: None, version: None, data: Value::Null, target };
    };
    let mut text = |name: &str| match take(&mut operation, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (method, bulk_id) = (text("method").unwrap_or_default().to_ascii_uppercase(), text("bulkId"));
    let (version, path) = (text("version"), text("path"));
    let data = take(&mut operation, "data").unwrap_or_default();
    let mut job = Job { method, bulk_id, version, data, target: Err(invalid("`path` is missing".to_owned())) };
    job.target = match (job.parsed_method(), path) {
        (None, _) => Err(invalid(format!("the method `{}` is none of POST, PUT, PATCH and DELETE", job.method))),
        (Some(_), None) => Err(invalid("`path` is missing".to_owned())),
        (Some(method), Some(path)) => {
            place(catalog, &path).and_then(|place| fits(method, &place, &job.data).map(|()| place))
        }
    };
    if job.parsed_method() == Some(Method::Post) {
        let unique = match &job.bulk_id {
            None => Err(invalid("`bulkId` is required with POST".to_owned())),
            Some(bulk_id) if bulk_id.is_empty() => Err(invalid("`bulkId` is empty".to_owned())),
            Some(bulk_id) if !seen.insert(bulk_id.clone()) => Err(invalid(format!("bulkId `{bulk_id}` is used twice"))),
            Some(_) => Ok(()),
        };
        job.target = unique.and(job.target);
    }
    job
}

/// `/Users`, `/Users/42` or `/Users/bulkId:x`.
fn place(catalog: &Catalog, path: &str) -> Result<Place, ScimError> {
    let nowhere = || ScimError::not_found("an endpoint of this path");
    let rest = path.strip_prefix('/').ok_or_else(nowhere)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (endpoint, id) = match rest.split_once('/') {
        Some((endpoint, id)) => (endpoint, Some(id)),
        None => (rest, None),
    };
    let of = catalog.by_endpoint(&format!("/{endpoint}")).cloned().ok_or_else(nowhere)?;
    match id {
        None => Ok(Place::Collection(of)),
        Some(id) if id.is_empty() || id.contains('/') => Err(nowhere()),
        Some(id) => Ok(Place::Resource(
            of,
            match id.strip_prefix("bulkId:") {
                Some(bulk_id) => Name::BulkId(bulk_id.to_owned()),
                None => Name::Id(id.to_owned()),
            },
        )),
    }
}

/// Whether the method goes there, and brings data where it must.
fn fits(method: Method, place: &Place, data: &Value) -> Result<(), ScimError> {
    let invalid = |detail: &str| Err(ScimError::bad(ScimType::InvalidValue, detail));
    match (method, place) {
        (Method::Post, Place::Resource(..)) => invalid("POST goes to an endpoint such as /Users"),
        (Method::Put | Method::Patch | Method::Delete, Place::Collection(_)) => {
            invalid("this method goes to a resource such as /Users/1")
        }
        (Method::Post | Method::Put | Method::Patch, _) if !data.is_object() => {
            invalid("`data` is missing or no object")
        }
        _ => Ok(()),
    }
}

/// A member in any case.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = if object.contains_key(name) {
        name.to_owned()
    } else {
        object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone()
    };
    object.remove(&key)
}
