//! The message: RFC 7644 section 3.5.2.

use std::fmt;

use scimwright_core::{Urn, urns};
use scimwright_filter::{ParseError, PatchPath};
use serde_json::{Map, Value, json};

use crate::options::{EXTRA_MEMBERS, Notes};
use crate::{PatchError, PatchOptions};

/// A PATCH message that was read, or made by [`diff`](crate::diff()): operations in their order, their paths parsed. Nothing is known of
/// a resource type yet.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchRequest {
    operations: Vec<Operation>,
    /// What reading it needed.
    pub(crate) notes: Notes,
}

/// One operation of a message (RFC 7644 section 3.5.2).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// What is done.
    pub op: Op,
    /// Where, or none for the resource itself. `remove` always has one.
    pub path: Option<Path>,
    /// With what. `add` and `replace` always have one; it may be null, which is not the same as none.
    pub value: Option<Value>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// RFC 7644 section 3.5.2.1.
    Add,
    /// RFC 7644 section 3.5.2.2.
    Remove,
    /// RFC 7644 section 3.5.2.3.
    Replace,
}

/// Where an operation works.
#[derive(Clone, Debug, PartialEq)]
pub enum Path {
    /// The path of RFC 7644 figure 7. The bare URI of a schema often reads as one, too: as a URI and an attribute.
    Attribute(PatchPath),
    /// The bare URI of a schema that does not (ruling R-23).
    Schema(Urn),
}

impl PatchRequest {
    /// A request that nobody had to read.
    // INVARIANT: it is as if it had been read from the message that it prints.
    pub(crate) fn of(operations: Vec<Operation>) -> Self {
        Self { operations, notes: Notes::default() }
    }

    /// Reads a message. The names of its members, and the names of operations, may come in any case (ruling R-31).
    ///
    /// # Errors
    ///
    /// When `schemas` lacks `PatchOp`, when `Operations` is no list of one to [`PatchOptions::max_operations`] operations, when an
    /// operation has no known `op`, a malformed path, a member that RFC 7644 does not have, or lacks the path or value that it needs.
    pub fn from_json(message: Value, options: &PatchOptions) -> Result<Self, PatchError> {
        let Value::Object(message) = message else {
            return Err(PatchError::Message("expected a JSON object".to_owned()));
        };
        let mut notes = Notes::default();
        let [schemas, operations] = members(message, ["schemas", "Operations"], options, &mut notes)
            .map_err(|fault| PatchError::Message(fault.explain("the message")))?;
        let is_patch = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(urns::PATCH_OP));
        if !schemas.as_ref().and_then(Value::as_array).is_some_and(|list| list.iter().any(is_patch)) {
            return Err(PatchError::Message(format!("`schemas` is not a list with `{}`", urns::PATCH_OP)));
        }
        let Some(Value::Array(list)) = operations else {
            return Err(PatchError::Message("`Operations` is not a list".to_owned()));
        };
        if list.is_empty() || list.len() > options.max_operations {
            let (max, found) = (options.max_operations, list.len());
            return Err(PatchError::Message(format!("expected 1 to {max} `Operations`, found {found}")));
        }
        let operations = list.into_iter().enumerate();
        let operations = operations.map(|(index, json)| Operation::from_json(index, json, options, &mut notes));
        Ok(Self { operations: operations.collect::<Result<_, _>>()?, notes })
    }

    /// The operations, in their order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The message as it is sent. Reading it gives the same request.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let operations: Vec<Value> = self.operations.iter().map(Operation::to_json).collect();
        json!({"schemas": [urns::PATCH_OP], "Operations": operations})
    }
}

impl Operation {
    fn from_json(index: usize, json: Value, options: &PatchOptions, notes: &mut Notes) -> Result<Self, PatchError> {
        let fault = |reason: String| PatchError::Operation { index, reason };
        let Value::Object(json) = json else { return Err(fault("expected a JSON object".to_owned())) };
        let [op, path, value] = members(json, ["op", "path", "value"], options, notes)
            .map_err(|unfit| fault(unfit.explain("an operation")))?;
        let op = match &op {
            Some(Value::String(word)) => Op::named(word),
            _ => None,
        };
        let op = op.ok_or_else(|| fault("expected `op` to be `add`, `remove` or `replace`".to_owned()))?;
        let path = match path {
            // Null is the same as nothing (RFC 7643 section 2.5).
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(Path::read(&text, index, options, notes)?),
            Some(other) => {
                let reason = "expected a string".to_owned();
                return Err(PatchError::Path { index, path: other.to_string(), reason });
            }
        };
        match op {
            Op::Remove if path.is_none() => Err(PatchError::NoPath { index }),
            Op::Remove if value.is_some() && !options.remove_with_value => {
                let reason = "`remove` takes no value: a filter in the path selects what goes".to_owned();
                Err(PatchError::Value { index, reason })
            }
            Op::Add | Op::Replace if value.is_none() => {
                Err(PatchError::Value { index, reason: format!("`{op}` needs a value") })
            }
            _ => Ok(Self { op, path, value }),
        }
    }

    fn to_json(&self) -> Value {
        let Self { op, path, value } = self;
        let mut json = Map::from_iter([("op".to_owned(), op.as_str().into())]);
        json.extend(path.as_ref().map(|path| ("path".to_owned(), path.to_string().into())));
        json.extend(value.as_ref().map(|value| ("value".to_owned(), value.clone())));
        json.into()
    }
}

impl Op {
    /// The word of the RFC, whatever its case: Entra sends `Add`.
    fn named(word: &str) -> Option<Self> {
        [Self::Add, Self::Remove, Self::Replace].into_iter().find(|op| op.as_str().eq_ignore_ascii_case(word))
    }

    /// The word of the RFC.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Path {
    pub(crate) fn read(
        text: &str,
        index: usize,
        options: &PatchOptions,
        notes: &mut Notes,
    ) -> Result<Self, PatchError> {
        match options.syntax.path(text) {
            Ok(parsed) => {
                notes.lenient_path(&parsed.leniencies);
                Ok(Self::Attribute(parsed.value))
            }
            Err(error) => match text.parse() {
                // Whether a schema of that URI exists is for the resource type to say.
                Ok(urn) if text.len() <= options.syntax.max_bytes => Ok(Self::Schema(urn)),
                _ => Err(malformed(index, text, &error)),
            },
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(path) => path.fmt(out),
            Self::Schema(urn) => urn.fmt(out),
        }
    }
}

/// The filter is at fault when the fault lies between the brackets, the path everywhere else (requirement PA-6).
fn malformed(index: usize, text: &str, error: &ParseError) -> PatchError {
    const LONGEST: usize = 200;
    let (path, reason) = (text.chars().take(LONGEST).collect(), error.to_string());
    let open = text.find('[');
    if open.is_some_and(|open| open < error.at() && closing(text, open).is_none_or(|close| error.at() <= close)) {
        PatchError::Filter { index, path, reason }
    } else {
        PatchError::Path { index, path, reason }
    }
}

/// The bracket that closes the one at `open`, strings passed over.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// A member that cannot be taken.
enum Unfit {
    Twice(String),
    Unknown(String),
}

impl Unfit {
    fn explain(self, of: &str) -> String {
        match self {
            Self::Twice(name) => format!("`{name}` is given twice"),
            Self::Unknown(name) => format!("`{name}` is no member of {of}"),
        }
    }
}

/// Takes an object apart into the members it may have, their names in any case.
fn members<const N: usize>(
    object: Map<String, Value>,
    names: [&str; N],
    options: &PatchOptions,
    notes: &mut Notes,
) -> Result<[Option<Value>; N], Unfit> {
    let mut found = [const { None }; N];
    for (key, value) in object {
        match names.iter().position(|name| name.eq_ignore_ascii_case(&key)) {
            Some(at) => {
                if found.get_mut(at).and_then(|slot| slot.replace(value)).is_some() {
                    return Err(Unfit::Twice(key));
                }
            }
            None if options.extra_members => notes.lenient(EXTRA_MEMBERS),
            None => return Err(Unfit::Unknown(key)),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn read(message: Value, options: &PatchOptions) -> Result<PatchRequest, String> {
        PatchRequest::from_json(message, options).map_err(|error| format!("{}: {error}", error.scim_type().as_str()))
    }

    #[track_caller]
    fn refused(message: Value) -> String {
        read(message, &PatchOptions::default()).unwrap_err()
    }

    #[track_caller]
    fn refused_operation(operation: Value) -> String {
        refused(json!({"schemas": [urns::PATCH_OP], "Operations": [operation]}))
    }

    #[test]
    fn names_come_in_any_case() {
        let message = json!({"SCHEMAS": [urns::PATCH_OP.to_uppercase()],
            "operations": [{"OP": "Add", "Path": "members", "VALUE": {"value": "1"}}, {"op": "REMOVE", "path": "title"}]});
        let request = read(message, &PatchOptions::default()).unwrap();
        let [add, remove] = request.operations() else { panic!("two operations") };
        assert_eq!((add.op, remove.op), (Op::Add, Op::Remove));
        assert_eq!(add.path.as_ref().map(Path::to_string).as_deref(), Some("members"));
        assert_eq!(remove.value, None);
    }

    #[test]
    fn what_is_no_patch_message_is_refused() {
        let one = json!([{"op": "remove", "path": "title"}]);
        insta::assert_snapshot!(refused(json!([])), @"invalidSyntax: expected a JSON object");
        insta::assert_snapshot!(refused(json!({"Operations": one})), @"invalidSyntax: `schemas` is not a list with `urn:ietf:params:scim:api:messages:2.0:PatchOp`");
        insta::assert_snapshot!(refused(json!({"schemas": [urns::USER], "Operations": one})), @"invalidSyntax: `schemas` is not a list with `urn:ietf:params:scim:api:messages:2.0:PatchOp`");
        insta::assert_snapshot!(refused(json!({"schemas": [urns::PATCH_OP]})), @"invalidSyntax: `Operations` is not a list");
        insta::assert_snapshot!(refused(json!({"schemas": [urns::PATCH_OP], "Operations": []})), @"invalidSyntax: expected 1 to 10000 `Operations`, found 0");
        insta::assert_snapshot!(refused(json!({"schemas": [urns::PATCH_OP], "Operations": one, "operations": one})), @"invalidSyntax: `operations` is given twice");
        insta::assert_snapshot!(refused(json!({"schemas": [urns::PATCH_OP], "Operations": one, "id": "1"})), @"invalidSyntax: `id` is no member of the message");
        let two = json!({"schemas": [urns::PATCH_OP], "Operations": [{"op": "remove", "path": "title"}, {"op": "remove", "path": "title"}]});
        let options = PatchOptions { max_operations: 1, ..PatchOptions::default() };
        insta::assert_snapshot!(read(two, &options).unwrap_err(), @"invalidSyntax: expected 1 to 1 `Operations`, found 2");
    }

    #[test]
    fn what_is_no_operation_is_refused() {
        insta::assert_snapshot!(refused_operation(json!("add")), @"invalidSyntax: operation 0: expected a JSON object");
        insta::assert_snapshot!(refused_operation(json!({"path": "title"})), @"invalidSyntax: operation 0: expected `op` to be `add`, `remove` or `replace`");
        insta::assert_snapshot!(refused_operation(json!({"op": "move", "path": "title"})), @"invalidSyntax: operation 0: expected `op` to be `add`, `remove` or `replace`");
        insta::assert_snapshot!(refused_operation(json!({"op": "remove", "path": "title", "name": "x"})), @"invalidSyntax: operation 0: `name` is no member of an operation");
        insta::assert_snapshot!(refused_operation(json!({"op": "remove", "path": "title", "Op": "add"})), @"invalidSyntax: operation 0: `op` is given twice");
        insta::assert_snapshot!(refused_operation(json!({"op": "remove"})), @"noTarget: operation 0: `remove` needs a path");
        insta::assert_snapshot!(refused_operation(json!({"op": "remove", "path": null})), @"noTarget: operation 0: `remove` needs a path");
        insta::assert_snapshot!(refused_operation(json!({"op": "add", "path": "title"})), @"invalidValue: operation 0: `add` needs a value");
        insta::assert_snapshot!(refused_operation(json!({"op": "replace"})), @"invalidValue: operation 0: `replace` needs a value");
        insta::assert_snapshot!(refused_operation(json!({"op": "remove", "path": "members", "value": null})), @"invalidValue: operation 0: `remove` takes no value: a filter in the path selects what goes");
    }

    #[test]
    fn malformed_paths_are_told_from_malformed_filters() {
        let path = |path: Value| refused_operation(json!({"op": "remove", "path": path}));
        insta::assert_snapshot!(path(json!(7)), @"invalidPath: operation 0: `7` is no path here: expected a string");
        insta::assert_snapshot!(path(json!("")), @"invalidPath: operation 0: `` is no path here: expected an attribute at byte 0, found the end");
        insta::assert_snapshot!(path(json!("/emails/0")), @"invalidPath: operation 0: `/emails/0` is no path here: expected an attribute at byte 0, found `/emails/0`");
        insta::assert_snapshot!(path(json!("name..givenName")), @"invalidPath: operation 0: `name..givenName` is no path here: expected an attribute at byte 0, found `name..givenName`");
        insta::assert_snapshot!(path(json!("title pr")), @"invalidPath: operation 0: `title pr` is no path here: expected the end of the path at byte 6, found `pr`");
        insta::assert_snapshot!(path(json!("emails[type eq \"work\"].value.x")), @r#"invalidPath: operation 0: `emails[type eq "work"].value.x` is no path here: expected the name of a sub-attribute at byte 23, found `value.x`"#);
        insta::assert_snapshot!(path(json!("emails[type eq \"]\"]]")), @r#"invalidPath: operation 0: `emails[type eq "]"]]` is no path here: expected the end of the path at byte 19, found `]`"#);
        insta::assert_snapshot!(path(json!("emails[type foo \"x\"].value")), @r#"invalidFilter: operation 0: the filter in `emails[type foo "x"].value`: expected an operator such as `eq` or `pr` at byte 12, found `foo`"#);
        insta::assert_snapshot!(path(json!("emails[0].value")), @"invalidFilter: operation 0: the filter in `emails[0].value`: expected an attribute at byte 7, found `0].value`");
        insta::assert_snapshot!(path(json!("emails[type eq \"work\"")), @r#"invalidFilter: operation 0: the filter in `emails[type eq "work"`: expected `and`, `or` or `]` at byte 21, found the end"#);
    }

    #[test]
    fn extra_members_are_ignored_and_told_where_the_option_says_so() {
        let options = PatchOptions { extra_members: true, ..PatchOptions::default() };
        let message = json!({"schemas": [urns::PATCH_OP], "id": "1",
            "Operations": [{"op": "add", "name": "addMember", "path": "title", "value": "x"}]});
        assert_eq!(read(message, &options).unwrap().notes.leniencies, [EXTRA_MEMBERS]);
    }
}
