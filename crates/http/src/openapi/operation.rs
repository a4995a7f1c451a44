//! One operation: what it is called, what it takes, what it answers.

use serde_json::{Map, Value, json};

use super::reference;
use crate::MEDIA_TYPE;

/// What any request with a token may be told.
pub(super) const ALWAYS: [u16; 5] = [400, 401, 403, 429, 503];

/// What is told of bodies beside what they say.
pub(super) const BODY: [u16; 2] = [413, 415];

/// An operation under way.
pub(super) struct Operation(Map<String, Value>);

impl Operation {
    pub(super) fn new(id: String, tag: &str, summary: String) -> Self {
        let operation = json!({"operationId": id, "tags": [tag], "summary": summary, "responses": {}});
        Self(operation.as_object().cloned().unwrap_or_default())
    }

    pub(super) fn parameters(mut self, parameters: Vec<Value>) -> Self {
        self.0.insert("parameters".to_owned(), parameters.into());
        self
    }

    /// With a body, which may come as either media type (RFC 7644 section 3.8).
    pub(super) fn body(mut self, schema: &Value) -> Self {
        let content = json!({MEDIA_TYPE: {"schema": schema}, "application/json": {"schema": schema}});
        self.0.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
        self
    }

    /// With another security than the document's.
    pub(super) fn security(mut self, security: Value) -> Self {
        self.0.insert("security".to_owned(), security);
        self
    }

    /// With an answer of that status.
    pub(super) fn answers(mut self, status: u16, response: Value) -> Self {
        if let Some(Value::Object(responses)) = self.0.get_mut("responses") {
            responses.insert(status.to_string(), response);
        }
        self
    }

    /// With errors of these statuses.
    pub(super) fn fails(self, statuses: &[u16]) -> Self {
        statuses
            .iter()
            .fold(self, |own, status| own.answers(*status, reference("responses", &format!("scim.{status}"))))
    }

    pub(super) fn into_json(self) -> Value {
        self.0.into()
    }
}
