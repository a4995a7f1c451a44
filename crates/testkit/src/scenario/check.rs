//! A whole answer against what a step expects of it.

use super::{
    expect::{compare, is_unassigned},
    json::{Json, Members},
    vars::Variables,
    wanted::{ErrorWanted, Expect, ListWanted, Shape, Statuses},
    wire::Answer,
};

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// How much of a body a message about a status shows: the detail of an error should be in it.
const SHOWN: usize = 400;

/// The differences, none when the answer is as expected; the error is one of the scenario itself.
pub(super) fn check(expect: &Expect, answer: &Answer, variables: &mut Variables) -> Result<Vec<String>, String> {
    let differences = match &expect.shape {
        Shape::Any => expect.status.as_ref().map_or_else(Vec::new, |wanted| check_status(wanted, answer)),
        Shape::Error(wanted) => check_error(wanted, expect.status.as_ref(), answer),
        Shape::List(wanted) => check_list(wanted, expect.status.as_ref(), answer, variables)?,
    };
    if !differences.is_empty() {
        // An answer of another kind differs everywhere; the rest would only hide why.
        return Ok(differences);
    }
    let reads_body = expect.body_contains.is_some() || !expect.body_absent.is_empty();
    match &answer.note {
        Some(note) if expect.body_empty => Ok(vec![format!("body: expected none, but {note}")]),
        Some(note) if reads_body => Ok(vec![note.clone()]),
        _ => check_parts(expect, answer, variables),
    }
}

/// Whether the first difference tells the status already.
pub(super) fn is_about_status(differences: &[String]) -> bool {
    differences.first().is_some_and(|first| first.starts_with("status:"))
}

fn check_parts(expect: &Expect, answer: &Answer, variables: &mut Variables) -> Result<Vec<String>, String> {
    let mut differences = Vec::new();
    for (name, wanted) in expect.headers.iter() {
        let got = answer.header(name).map(|value| Json::String(value.to_owned()));
        let at = format!("header {}", name.to_lowercase());
        differences.extend(compare(&variables.fill(wanted)?, got.as_ref(), &at));
    }
    if let Some(wanted) = &expect.body_contains {
        differences.extend(compare(&variables.fill(wanted)?, answer.body.as_ref(), "body"));
    }
    for pointer in &expect.body_absent {
        let pointer = variables.fill_text(pointer)?;
        let found = answer.body.as_ref().and_then(|body| body.at(&pointer));
        if let Some(found) = found.filter(|found| !is_unassigned(Some(found))) {
            differences.push(format!("body{pointer}: expected nothing here, got {}", found.brief(SHOWN)));
        }
    }
    if let Some(body) = answer.body.as_ref().filter(|_| expect.body_empty) {
        differences.push(format!("body: expected none, got {}", body.brief(SHOWN)));
    }
    Ok(differences)
}

fn check_status(wanted: &Statuses, answer: &Answer) -> Vec<String> {
    if wanted.allow(answer.status) {
        return Vec::new();
    }
    vec![format!("status: expected {wanted}, got {}", answer.brief(SHOWN))]
}

/// A SCIM error as RFC 7644 section 3.12 has it.
fn check_error(wanted: &ErrorWanted, status: Option<&Statuses>, answer: &Answer) -> Vec<String> {
    if answer.status < 300 {
        return vec![format!("status: expected {}, got {}", wanted.status, answer.brief(SHOWN))];
    }
    let mut differences = check_status(status.unwrap_or(&wanted.status), answer);
    if !differences.is_empty() {
        return differences;
    }
    let mut shape = vec![
        ("schemas", Json::List(vec![text(ERROR)])),
        ("status", text(&answer.status.to_string())),
        ("detail", object([("$any", Json::Bool(true))])),
    ];
    if !wanted.scim_types.is_empty() {
        shape.push(("scimType", object([("$in", Json::List(wanted.scim_types.clone()))])));
    }
    differences.extend(compare_message(&object(shape), answer, "error"));
    let content_type = answer.header("content-type").map(text);
    let scim = object([("$startswith", text("application/scim+json"))]);
    differences.extend(compare(&scim, content_type.as_ref(), "header content-type"));
    differences
}

/// A list as RFC 7644 section 3.4.2 has it.
fn check_list(
    wanted: &ListWanted,
    status: Option<&Statuses>,
    answer: &Answer,
    variables: &mut Variables,
) -> Result<Vec<String>, String> {
    let ok = match status {
        Some(wanted) => wanted.allow(answer.status),
        None => answer.status == 200,
    };
    if !ok {
        let wanted = status.map_or_else(|| "200".to_owned(), ToString::to_string);
        return Ok(vec![format!("status: expected {wanted}, got {}", answer.brief(SHOWN))]);
    }
    let integer = || object([("$type", text("integer"))]);
    let frame = object([("schemas", Json::List(vec![text(LIST)])), ("totalResults", integer())]);
    let mut differences = compare_message(&frame, answer, "list");
    let Some(list) = answer.body.as_ref().filter(|_| differences.is_empty()) else { return Ok(differences) };

    let resources: &[Json] = match list.get("Resources") {
        Some(Json::List(items)) => items,
        other if wanted.resources_optional && is_unassigned(other) => &[],
        other => {
            let got = other.map_or_else(|| "nothing".to_owned(), |value| value.brief(SHOWN));
            return Ok(vec![format!("list/Resources: expected a list, got {got}")]);
        }
    };
    differences.extend(compare(&object([("startIndex", integer()), ("itemsPerPage", integer())]), Some(list), "list"));
    let says = list.get("itemsPerPage").and_then(Json::as_integer).unwrap_or_default();
    if differences.is_empty() && wanted.is_paged() && says != resources.len() as i128 {
        differences.push(format!("list/itemsPerPage: says {says}, but {} resources came", resources.len()));
    }

    let came = Json::List(resources.to_vec());
    if let Some(total) = &wanted.total {
        differences.extend(compare(&variables.fill(total)?, list.get("totalResults"), "list/totalResults"));
    }
    if let Some(items) = &wanted.items {
        let length = object([("$len", variables.fill(items)?)]);
        differences.extend(compare(&length, Some(&came), "list/Resources"));
    }
    if let Some(limit) = &wanted.max_items {
        let limit = variables.fill(limit)?;
        let limit = limit.as_integer().ok_or_else(|| format!("max_items is a number, not {limit}"))?;
        if resources.len() as i128 > limit {
            let count = resources.len();
            differences.push(format!("list/Resources: asked for at most {limit}, got {count}"));
        }
    }
    if let Some(start) = &wanted.start_index {
        differences.extend(compare(&variables.fill(start)?, list.get("startIndex"), "list/startIndex"));
    }
    if let Some(wanted) = &wanted.resources {
        differences.extend(compare(&variables.fill(wanted)?, Some(&came), "list/Resources"));
    }
    Ok(differences)
}

/// As [`compare`], but says so when the body is there and no JSON.
fn compare_message(expected: &Json, answer: &Answer, at: &str) -> Vec<String> {
    match &answer.note {
        Some(note) => vec![format!("{at}: {note}")],
        None => compare(expected, answer.body.as_ref(), at),
    }
}

fn text(value: &str) -> Json {
    Json::String(value.to_owned())
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Members>())
}
