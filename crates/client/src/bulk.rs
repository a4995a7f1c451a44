//! Bulk jobs: RFC 7644 section 3.7.

use std::fmt;

use http::Method;
use percent_encoding::percent_decode_str;
use scimwright_core::urns;
use scimwright_patch::PatchRequest;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::answer::Raw;
use crate::error::member;
use crate::request::path_of;
use crate::send::{Call, send};
use crate::{Client, ETag, Error, FromAnswer, Refusal, Resources};

/// A bulk job: operations that are sent together. The first thing that goes wrong while it is made is told by
/// [`Bulk::send`].
///
/// What the server takes in one job, it says in [`ServiceProviderConfig`](crate::ServiceProviderConfig); a job that is
/// too large is refused as a whole, with 413.
#[must_use = "nothing is done before it is sent"]
pub struct Bulk {
    client: Client,
    /// What its ids begin with, so that those of another job are others.
    name: String,
    operations: Vec<Map<String, Value>>,
    fail_on_errors: Option<usize>,
    error: Option<Error>,
}

/// A resource that a job makes, before it has an id. Where another operation of the job names the resource, this stands
/// for its id: it serialises, and prints, to the reference of RFC 7644 section 3.7.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BulkId(String);

/// An operation that was just put into a job.
pub struct BulkOperation<'b> {
    operation: Option<&'b mut Map<String, Value>>,
}

/// What a job led to: the outcome of every operation that the server came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BulkResponse {
    /// In the order of the server, which may be another than that of the job.
    pub outcomes: Vec<BulkOutcome>,
    /// The ids of the operations in the order of the job.
    asked: Vec<Option<BulkId>>,
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BulkOutcome {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The one of the operation, where it has one.
    pub bulk_id: Option<BulkId>,
    /// The URI of the resource. An operation that failed to create one has none.
    pub location: Option<String>,
    /// The version of the resource.
    pub version: Option<ETag>,
    /// The HTTP status that the operation would have had alone.
    pub status: u16,
    /// The resource or the error, where the server shows it.
    pub response: Option<Value>,
}

impl Bulk {
    pub(crate) fn new(client: &Client) -> Self {
        let name = format!("{:016x}", fastrand::u64(..));
        Self { client: client.clone(), name, operations: Vec::new(), fail_on_errors: None, error: None }
    }

    /// The server stops after so many errors. Without this it goes on to the end.
    pub const fn fail_on_errors(mut self, errors: usize) -> Self {
        self.fail_on_errors = Some(errors);
        self
    }

    /// Creates a resource.
    pub fn create<T>(&mut self, resources: &Resources<T>, resource: &(impl Serialize + ?Sized)) -> BulkId {
        let id = BulkId(format!("{}-{}", self.name, self.operations.len() + 1));
        let body = resources.body(resource);
        let added = self.add("POST", Ok(resources.endpoint().to_owned()), Some(body));
        if let Some(operation) = added.operation {
            operation.insert("bulkId".to_owned(), id.0.as_str().into());
        }
        id
    }

    /// Replaces a resource; a [`BulkId`] prints to what stands for an id.
    pub fn replace<T>(
        &mut self,
        resources: &Resources<T>,
        id: impl fmt::Display,
        resource: &(impl Serialize + ?Sized),
    ) -> BulkOperation<'_> {
        let body = resources.body(resource);
        self.add("PUT", path_of(resources.endpoint(), &id.to_string()), Some(body))
    }

    /// Changes a resource; a [`BulkId`] prints to what stands for an id.
    pub fn patch<T>(
        &mut self,
        resources: &Resources<T>,
        id: impl fmt::Display,
        patch: &PatchRequest,
    ) -> BulkOperation<'_> {
        self.add("PATCH", path_of(resources.endpoint(), &id.to_string()), Some(Ok(patch.to_json())))
    }

    /// Deletes a resource.
    pub fn delete<T>(&mut self, resources: &Resources<T>, id: impl fmt::Display) -> BulkOperation<'_> {
        self.add("DELETE", path_of(resources.endpoint(), &id.to_string()), None)
    }

    fn add(
        &mut self,
        method: &str,
        path: Result<String, Error>,
        data: Option<Result<Value, Error>>,
    ) -> BulkOperation<'_> {
        match path.and_then(|path| Ok((path, data.transpose()?))) {
            Ok((path, data)) => {
                let mut operation =
                    Map::from_iter([("method".to_owned(), method.into()), ("path".to_owned(), path.into())]);
                operation.extend(data.map(|data| ("data".to_owned(), data)));
                self.operations.push(operation);
                BulkOperation { operation: self.operations.last_mut() }
            }
            Err(error) => {
                self.error.get_or_insert(error);
                BulkOperation { operation: None }
            }
        }
    }

    /// Sends the job. That operations failed is no error here; each outcome tells.
    ///
    /// # Errors
    ///
    /// When an operation could not be put in, when the server refuses the job as a whole, and as every request.
    pub async fn send(self) -> Result<BulkResponse, Error> {
        let Self { client, operations, fail_on_errors, error, name: _ } = self;
        if let Some(error) = error {
            return Err(error);
        }
        let id = |operation: &Map<String, Value>| operation.get("bulkId")?.as_str().map(|id| BulkId(id.to_owned()));
        let asked = operations.iter().map(id).collect();
        let mut message = json!({"schemas": [urns::BULK_REQUEST], "Operations": operations});
        if let Some(errors) = fail_on_errors {
            message["failOnErrors"] = errors.into();
        }
        let call = Call::new(Method::POST, "/Bulk").with_body(&message);
        Ok(BulkResponse { asked, ..BulkResponse::from_answer(Raw(send(&client, &call).await?))? })
    }
}

impl BulkOperation<'_> {
    /// Only if that is still the version, else this operation ends with 412.
    pub fn if_match(self, version: &ETag) {
        if let Some(operation) = self.operation {
            operation.insert("version".to_owned(), version.as_str().into());
        }
    }
}

impl BulkResponse {
    /// What became of the resource that was to be created; none when the server stopped before, and for an id of
    /// another job. Where a server forgets the `bulkId`, the place in the job tells, if there are as many outcomes as
    /// operations.
    #[must_use]
    pub fn of(&self, id: &BulkId) -> Option<&BulkOutcome> {
        let named = self.outcomes.iter().find(|outcome| outcome.bulk_id.as_ref() == Some(id));
        named.or_else(|| {
            let at = self.asked.iter().position(|asked| asked.as_ref() == Some(id))?;
            let outcome = self.outcomes.get(at).filter(|_| self.outcomes.len() == self.asked.len())?;
            let fits = outcome.bulk_id.is_none() && matches!(outcome.method.as_str(), "POST" | "");
            fits.then_some(outcome)
        })
    }

    /// The outcomes that are errors.
    pub fn failures(&self) -> impl Iterator<Item = (&BulkOutcome, Refusal)> {
        self.outcomes.iter().filter_map(|outcome| Some((outcome, outcome.check().err()?)))
    }
}

impl BulkOutcome {
    /// Whether it was done.
    ///
    /// # Errors
    ///
    /// What the server says of it, when it was not.
    pub fn check(&self) -> Result<(), Refusal> {
        match self.status {
            200..300 => Ok(()),
            status => Err(Refusal::new(status, self.response.as_ref())),
        }
    }

    /// The id of the resource: the last part of its URI.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let (_, last) = self.location.as_deref()?.rsplit_once('/')?;
        percent_decode_str(last).decode_utf8().ok().map(Into::into)
    }

    fn read(status: u16, json: &Value) -> Result<Self, Error> {
        let text = |name: &str| member(json, name).and_then(Value::as_str).map(str::to_owned);
        // RFC 7644 has it as a string in some examples, and as an object with a `code` in others (ruling R-29).
        let said = member(json, "status").map(|said| member(said, "code").unwrap_or(said));
        let code = said.and_then(|said| match said {
            Value::Number(number) => number.as_u64().and_then(|code| u16::try_from(code).ok()),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        });
        Ok(Self {
            method: text("method").unwrap_or_default().to_ascii_uppercase(),
            bulk_id: text("bulkId").map(BulkId),
            location: text("location"),
            version: text("version").map(ETag::new),
            status: code.ok_or_else(|| Error::malformed(status, "an operation has no `status`"))?,
            response: member(json, "response").filter(|response| !response.is_null()).cloned(),
        })
    }
}

impl FromAnswer for BulkResponse {
    fn from_answer(Raw(answer): Raw) -> Result<Self, Error> {
        let json = answer.json()?;
        let Some(Value::Array(operations)) = member(&json, "Operations") else {
            return Err(Error::malformed(answer.status, "`Operations` is no list"));
        };
        let outcomes = operations.iter().map(|one| BulkOutcome::read(answer.status, one)).collect::<Result<_, _>>()?;
        Ok(Self { outcomes, asked: Vec::new() })
    }
}

impl fmt::Display for BulkId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "bulkId:{}", self.0)
    }
}

impl Serialize for BulkId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for BulkOperation<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the body, for it may hold a password.
        let said = |name: &str| self.operation.as_ref().and_then(|operation| operation.get(name)?.as_str());
        let mut debug = out.debug_struct("BulkOperation");
        debug.field("method", &said("method")).field("path", &said("path")).finish_non_exhaustive()
    }
}

impl fmt::Debug for Bulk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, fail_on_errors, error, client: _, name: _ } = self;
        let mut debug = out.debug_struct("Bulk");
        debug.field("operations", &operations.len()).field("fail_on_errors", fail_on_errors).field("error", error);
        debug.finish_non_exhaustive()
    }
}
