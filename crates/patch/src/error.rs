//! Why a PATCH is refused, and what the client is told: RFC 7644 section 3.12, table 9.

use scimwright_core::{AdmitError, ScimError, ScimType};

/// Why a PATCH is refused. The resource is as it was.
///
/// `index` is the operation at fault, counted from 0 as the list in the message is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The message is no `PatchOp` (RFC 7644 section 3.5.2).
    #[error("{0}")]
    Message(String),
    /// An operation is malformed.
    #[error("operation {index}: {reason}")]
    Operation {
        /// Which operation.
        index: usize,
        /// What was expected and found.
        reason: String,
    },
    /// A path is malformed, or names nothing that the resource type has (RFC 7644 section 3.5.2, figure 7).
    #[error("operation {index}: `{path}` is no path here: {reason}")]
    Path {
        /// Which operation.
        index: usize,
        /// The path as it was sent.
        path: String,
        /// What was expected and found.
        reason: String,
    },
    /// The filter in a path is malformed, or compares what cannot be compared (RFC 7644 section 3.4.2.2).
    #[error("operation {index}: the filter in `{path}`: {reason}")]
    Filter {
        /// Which operation.
        index: usize,
        /// The path as it was sent.
        path: String,
        /// What was expected and found.
        reason: String,
    },
    /// A `remove` does not say what (RFC 7644 section 3.5.2.2).
    #[error("operation {index}: `remove` needs a path")]
    NoPath {
        /// Which operation.
        index: usize,
    },
    /// A path selects no value (RFC 7644 section 3.5.2.3).
    #[error("operation {index}: no value matches `{path}`")]
    NoTarget {
        /// Which operation.
        index: usize,
        /// The path.
        path: String,
    },
    /// A value is missing, or of no use at its path.
    #[error("operation {index}: {reason}")]
    Value {
        /// Which operation.
        index: usize,
        /// What was expected and found.
        reason: String,
    },
    /// A value does not fit the schema, or may not change (RFC 7643 section 7).
    #[error("operation {index}: {source}")]
    Admit {
        /// Which operation.
        index: usize,
        /// What the schema says.
        source: AdmitError,
    },
    /// Every operation went well, but what they leave is no resource of its type.
    #[error("after all operations: {source}")]
    Result {
        /// What the schema says.
        source: AdmitError,
    },
}

impl PatchError {
    /// The operation at fault, counted from 0, where it is one.
    #[must_use]
    pub const fn index(&self) -> Option<usize> {
        match self {
            Self::Message(_) | Self::Result { .. } => None,
            Self::Operation { index, .. }
            | Self::Path { index, .. }
            | Self::Filter { index, .. }
            | Self::NoPath { index }
            | Self::NoTarget { index, .. }
            | Self::Value { index, .. }
            | Self::Admit { index, .. } => Some(*index),
        }
    }

    /// The type that the client is told: RFC 7644 section 3.12, table 9.
    #[must_use]
    pub const fn scim_type(&self) -> ScimType {
        match self {
            Self::Message(_) | Self::Operation { .. } => ScimType::InvalidSyntax,
            Self::Path { .. } => ScimType::InvalidPath,
            Self::Filter { .. } => ScimType::InvalidFilter,
            Self::NoPath { .. } | Self::NoTarget { .. } => ScimType::NoTarget,
            Self::Value { .. } => ScimType::InvalidValue,
            Self::Admit { source, .. } | Self::Result { source } => source.scim_type(),
        }
    }
}

impl From<PatchError> for ScimError {
    fn from(error: PatchError) -> Self {
        Self::bad(error.scim_type(), error.to_string())
    }
}
