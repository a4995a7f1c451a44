//! What a request asks, apart from who asks: parameters, headers, body.

use bytes::Bytes;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, Method};
use scimwright_compat::Quirk;
use scimwright_core::{ScimError, ScimType, Selection, urns};
use scimwright_service::{Context, Expect, ListQuery, Operation};
use serde_json::Value;

use crate::body::{check_media_type, parse};
use crate::route::Route;

/// The query string, names in any case, unknown ones passed over (RFC 7644 section 3.4.2).
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    attributes: Option<String>,
    excluded: Option<String>,
    pub(crate) filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    cursor: Option<String>,
}

impl Parameters {
    pub(crate) fn read(query: &str) -> Result<Self, ScimError> {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match name.to_ascii_lowercase().as_str() {
                "attributes" => &mut read.attributes,
                "excludedattributes" => &mut read.excluded,
                "filter" => &mut read.filter,
                "sortby" => &mut read.sort_by,
                "sortorder" => &mut read.sort_order,
                "startindex" => &mut read.start_index,
                "count" => &mut read.count,
                "cursor" => &mut read.cursor,
                _ => continue,
            };
            // Taking either of two filters could answer more than was asked for.
            if slot.replace(value.into_owned()).is_some() {
                return Err(ScimError::bad(ScimType::InvalidValue, format!("the parameter `{name}` is given twice")));
            }
        }
        Ok(read)
    }

    pub(crate) fn selection(&self) -> Result<Selection, ScimError> {
        let names = |list: &Option<String>| list.clone().unwrap_or_default();
        let (attributes, excluded) = (names(&self.attributes), names(&self.excluded));
        Ok(Selection::new(attributes.split(','), excluded.split(','))?)
    }

    /// What is wrong with a page size has a word of its own where there is a cursor (RFC 9865 section 2.1).
    fn of_count(&self) -> impl Fn(ScimError) -> ScimError {
        let has_cursor = self.cursor.is_some();
        move |error| if has_cursor { ScimError::bad(ScimType::InvalidCount, error.detail()) } else { error }
    }

    fn list_query(&self) -> Result<ListQuery, ScimError> {
        Ok(ListQuery {
            filter: self.filter.clone(),
            sort_by: self.sort_by.clone(),
            sort_order: self.sort_order.clone(),
            cursor: self.cursor.clone(),
            start_index: self.start_index.as_deref().map(|text| integer("startIndex", text)).transpose()?,
            count: self.count.as_deref().map(|text| integer("count", text)).transpose().map_err(self.of_count())?,
        })
    }
}

/// A whole number; one too large to be counted is as good as the largest.
fn integer(name: &str, text: &str) -> Result<i64, ScimError> {
    let text = text.trim();
    let (digits, limit) = match text.strip_prefix('-') {
        Some(digits) => (digits, i64::MIN),
        None => (text, i64::MAX),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScimError::bad(ScimType::InvalidValue, format!("`{name}` is not a whole number")));
    }
    Ok(text.parse().unwrap_or(limit))
}

/// The operation of a request that was let in.
pub(crate) fn operation(
    route: Route,
    parts: &Parts,
    body: &Bytes,
    context: &mut Context,
) -> Result<Operation, ScimError> {
    let parameters = Parameters::read(parts.uri.query().unwrap_or_default())?;
    if route.is_discovery() && parameters.filter.is_some() {
        // RFC 7644 section 4: a filter there is refused rather than ignored.
        return Err(ScimError::new(403, "discovery cannot be filtered: leave `filter` out"));
    }
    let (expect, unless) = preconditions(parts);
    Ok(match (route, &parts.method) {
        (Route::ServiceProviderConfig, _) => Operation::ServiceProviderConfig,
        (Route::Schemas, _) => Operation::Schemas,
        (Route::Schema(urn), _) => Operation::Schema(urn),
        (Route::ResourceTypes, _) => Operation::ResourceTypes,
        (Route::ResourceType(name), _) => Operation::ResourceType(name),
        (Route::Type(resource_type), &Method::POST) => {
            Operation::Create { resource_type, selection: parameters.selection()?, body: json(parts, body, context)? }
        }
        (Route::Type(resource_type), _) => {
            let resource_type = Some(resource_type);
            Operation::List { resource_type, query: parameters.list_query()?, selection: parameters.selection()? }
        }
        (Route::Root, _) => {
            Operation::List { resource_type: None, query: parameters.list_query()?, selection: parameters.selection()? }
        }
        (Route::Bulk, _) => Operation::Bulk(json(parts, body, context)?),
        (Route::Search(resource_type), _) => {
            let (query, selection) = search(json(parts, body, context)?, context)?;
            Operation::List { resource_type, query, selection }
        }
        (Route::Resource(resource_type, id), &Method::PUT) => {
            let (selection, body) = (parameters.selection()?, json(parts, body, context)?);
            Operation::Replace { resource_type, id, body, selection, expect }
        }
        (Route::Resource(resource_type, id), &Method::PATCH) => {
            let (selection, body) = (parameters.selection()?, json(parts, body, context)?);
            Operation::Patch { resource_type, id, body, selection, expect }
        }
        (Route::Resource(resource_type, id), &Method::DELETE) => Operation::Delete { resource_type, id, expect },
        (Route::Resource(resource_type, id), _) => {
            Operation::Get { resource_type, id, selection: parameters.selection()?, expect, unless }
        }
        // Whoever stands for a resource was led to it before, and the description asks the service nothing.
        (Route::Me, _) | (Route::OpenApi, _) => return Err(ScimError::not_found("an endpoint of this path")),
    })
}

/// The body of a search: RFC 7644 section 3.4.3. Unknown members are passed over, as unknown parameters are.
fn search(mut body: Value, context: &mut Context) -> Result<(ListQuery, Selection), ScimError> {
    let invalid = |detail: String| ScimError::bad(ScimType::InvalidValue, detail);
    let fired = context.profile.repair_message(urns::SEARCH_REQUEST, &mut body);
    context.quirks = context.quirks.union(fired);
    let Value::Object(body) = body else {
        return Err(ScimError::bad(ScimType::InvalidSyntax, "expected a JSON object"));
    };
    let mut names: Vec<_> = body.keys().map(|name| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| &pair[0]) {
        // Taking either of two filters could answer more than was asked for.
        return Err(ScimError::bad(ScimType::InvalidSyntax, format!("`{twice}` is given twice")));
    }
    let member = |name: &str| {
        let value = body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        value.filter(|value| !value.is_null())
    };
    let schemas = member("schemas").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !schemas.iter().any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(urns::SEARCH_REQUEST))) {
        return Err(invalid(format!("`schemas` lacks `{}`", urns::SEARCH_REQUEST)));
    }
    let names = |name: &str| -> Result<Vec<&str>, ScimError> {
        let list = match member(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
            Some(_) => None,
        };
        list.ok_or_else(|| invalid(format!("`{name}` is not a list of names")))
    };
    let has_cursor = member("cursor").is_some();
    let number = |name: &str| match member(name) {
        None => Ok(None),
        // Beyond 64 bits it is as good as the largest.
        Some(value) if value.is_u64() => Ok(Some(value.as_i64().unwrap_or(i64::MAX))),
        Some(value) => match (value.as_i64(), value.as_f64()) {
            (Some(number), _) => Ok(Some(number)),
            (None, Some(float)) if float.abs() >= 9e18 => Ok(Some(if float > 0.0 { i64::MAX } else { i64::MIN })),
            _ => {
                let scim_type =
                    if name == "count" && has_cursor { ScimType::InvalidCount } else { ScimType::InvalidValue };
                Err(ScimError::bad(scim_type, format!("`{name}` is not a whole number")))
            }
        },
    };
    let text = |name: &str, error: ScimType| match member(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ScimError::bad(error, format!("`{name}` is not a string"))),
    };
    let selection = Selection::new(names("attributes")?, names("excludedAttributes")?)?;
    let query = ListQuery {
        filter: text("filter", ScimType::InvalidFilter)?,
        sort_by: text("sortBy", ScimType::InvalidValue)?,
        sort_order: text("sortOrder", ScimType::InvalidValue)?,
        start_index: number("startIndex")?,
        count: number("count")?,
        cursor: text("cursor", ScimType::InvalidCursor)?,
    };
    Ok((query, selection))
}

/// What must hold of the version, and which versions need no answer: RFC 9110 sections 13.1.1 and 13.1.2. `If-None-Match` is
/// the latter where something is read, and the former everywhere else.
fn preconditions(parts: &Parts) -> (Option<Expect>, Option<Expect>) {
    let (expect, unless) = (list_of_tags(&parts.headers, &IF_MATCH), list_of_tags(&parts.headers, &IF_NONE_MATCH));
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return (expect, unless);
    }
    let except = unless.map(|unless| Expect::Except(Box::new(unless)));
    match (expect, except) {
        (Some(expect), Some(except)) => (Some(Expect::Both(Box::new([expect, except]))), None),
        (expect, except) => (expect.or(except), None),
    }
}

/// A header that may come in several lines.
fn list_of_tags(headers: &HeaderMap, name: &HeaderName) -> Option<Expect> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    (!lines.is_empty()).then(|| Expect::parse(&lines.join(", ")))
}

/// The body as JSON: RFC 7644 sections 3.1 and 8.1.
fn json(parts: &Parts, body: &Bytes, context: &mut Context) -> Result<Value, ScimError> {
    match check_media_type(parts)? {
        true => {}
        false if context.profile.has(Quirk::NoContentType) => context.quirks.insert(Quirk::NoContentType),
        false => return Err(ScimError::new(415, "Content-Type is missing: send the body as application/scim+json")),
    }
    parse(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_generously_but_never_guessed() {
        assert_eq!(integer("count", " 7 "), Ok(7));
        assert_eq!(integer("count", "-3"), Ok(-3));
        assert_eq!(integer("count", "99999999999999999999"), Ok(i64::MAX));
        assert_eq!(integer("count", "-99999999999999999999"), Ok(i64::MIN));
        for bad in ["", "abc", "1.5", "1e3", "--1", "0x1"] {
            assert!(integer("count", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_are_known_in_any_case_and_given_once() {
        let read = Parameters::read("FILTER=a+b%2Bc&foo=bar&aadOptscim062020").unwrap();
        assert_eq!(read.filter.as_deref(), Some("a b+c"));
        assert!(Parameters::read("filter=a&Filter=b").is_err());
    }
}
