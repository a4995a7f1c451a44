//! Vectors: files of cases for the engines. Three formats, told apart by what a file holds.
//!
//! - *filters*: `{filter, valid, canonical, ast}`: does a text parse, how is it printed, what tree is it?
//! - *eval*: `{filter, resource, match | error}` over named `resources`: does a filter select a resource?
//! - *patch*: `{name, resourceType, before, operations, after, changed | error}`: what do operations do?
//!
//! Entries marked `ambiguous` or `tolerance` are not scored: the RFC leaves them open. They are run all the same, and
//! [`Report::unscored`] says where we differ from what the file recommends.

mod eval;
mod filters;
mod patch;
mod tree;

use std::fmt;

use scimwright_core::{Catalog, CatalogError};
use serde_json::Value;

/// What came of a file of vectors.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many scored vectors came out as they say.
    pub passed: usize,
    /// The scored ones that did not.
    pub failed: Vec<Difference>,
    /// How many are not scored.
    pub unscored_count: usize,
    /// Those of them that came out otherwise than recommended.
    pub unscored: Vec<Difference>,
}

/// A vector that came out otherwise than it says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Which vector.
    pub vector: String,
    /// What was wanted and what came.
    pub difference: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.vector, self.difference)
    }
}

/// Why a file cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// It is not JSON.
    #[error("the file is not JSON")]
    Json(#[from] serde_json::Error),
    /// It is none of the three formats.
    #[error("the file has no `vectors` of a known format")]
    Format,
    /// The shipped schemas do not load.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Runs a file of any of the three formats.
///
/// # Errors
///
/// When the text is no JSON or of no known format.
pub fn run(text: &str) -> Result<Report, VectorError> {
    let file: Value = serde_json::from_str(text)?;
    let catalog = super::vector_catalog()?;
    let vectors = file.get("vectors").and_then(Value::as_array).ok_or(VectorError::Format)?;
    let has = |name: &str| vectors.iter().any(|vector| vector.get(name).is_some());
    let judge: &dyn Fn(&Value) -> Verdict = if has("operations") {
        &|vector| patch::judge(&catalog, vector)
    } else if file.get("resources").is_some() || has("resource") {
        &|vector| eval::judge(&catalog, &file, vector)
    } else if has("filter") {
        &filters::judge
    } else {
        return Err(VectorError::Format);
    };
    let mut report = Report::default();
    for vector in vectors {
        let open = ["ambiguous", "tolerance"]
            .iter()
            .any(|mark| vector.get(*mark).is_some_and(|mark| *mark != Value::Bool(false)));
        let verdict = judge(vector).map_err(|difference| Difference { vector: label(vector), difference });
        match (open, verdict) {
            (false, Ok(())) => report.passed += 1,
            (false, Err(difference)) => report.failed.push(difference),
            (true, verdict) => {
                report.unscored_count += 1;
                report.unscored.extend(verdict.err());
            }
        }
    }
    Ok(report)
}

/// Nothing, or what differs.
type Verdict = Result<(), String>;

/// What a vector is known by.
fn label(vector: &Value) -> String {
    let text = |name: &str| vector.get(name).and_then(Value::as_str);
    match (text("name"), text("filter"), text("resource")) {
        (Some(name), ..) => name.to_owned(),
        (None, Some(filter), Some(resource)) => format!("{filter} on {resource}"),
        (None, Some(filter), None) => format!("`{filter}`"),
        _ => vector.to_string(),
    }
}

/// Whether an error is one of those that a vector allows: its status, and any of its types.
fn check_error(wanted: &Value, status: u16, scim_type: Option<&str>) -> Verdict {
    let types: Vec<&str> = match wanted.get("scimType") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let status_fits = wanted.get("status").and_then(Value::as_u64).is_none_or(|wanted| wanted == u64::from(status));
    let type_fits = types.is_empty() || scim_type.is_some_and(|own| types.contains(&own));
    if status_fits && type_fits {
        return Ok(());
    }
    Err(format!("wanted the error {wanted}, came {status} {}", scim_type.unwrap_or("without a type")))
}

/// The catalog's type that a vector names.
fn type_of<'c>(catalog: &'c Catalog, value: &Value) -> Result<&'c scimwright_core::ResourceType, String> {
    let name = value.get("resourceType").and_then(Value::as_str).unwrap_or("User");
    catalog.resource_type(name).map(AsRef::as_ref).ok_or_else(|| format!("there is no resource type `{name}`"))
}
