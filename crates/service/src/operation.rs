//! What can be asked, and what is answered.

use std::sync::Arc;

use scimwright_compat::Quirks;
use scimwright_core::{ResourceType, Selection};
use serde_json::{Map, Value};

/// One request of RFC 7644, parsed and routed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// Section 3.4.1.
    Get {
        /// Of which type.
        resource_type: Arc<ResourceType>,
        /// Which one.
        id: String,
        /// What to show.
        selection: Selection,
        /// `If-Match`.
        expect: Option<Expect>,
        /// `If-None-Match`: answer 304 when the version is one of these.
        unless: Option<Expect>,
    },
    /// Section 3.4.2.
    List {
        /// Of which type; of all of them, as at the root, without one.
        resource_type: Option<Arc<ResourceType>>,
        /// Which of them, in which order, from where.
        query: ListQuery,
        /// What to show.
        selection: Selection,
    },
    /// Section 3.3.
    Create {
        /// Of which type.
        resource_type: Arc<ResourceType>,
        /// The resource.
        body: Value,
        /// What to show.
        selection: Selection,
    },
    /// Section 3.5.1.
    Replace {
        /// Of which type.
        resource_type: Arc<ResourceType>,
        /// Which one.
        id: String,
        /// The resource.
        body: Value,
        /// What to show.
        selection: Selection,
        /// `If-Match`.
        expect: Option<Expect>,
    },
    /// Section 3.5.2.
    Patch {
        /// Of which type.
        resource_type: Arc<ResourceType>,
        /// Which one.
        id: String,
        /// The PatchOp message.
        body: Value,
        /// What to show.
        selection: Selection,
        /// `If-Match`.
        expect: Option<Expect>,
    },
    /// Section 3.6.
    Delete {
        /// Of which type.
        resource_type: Arc<ResourceType>,
        /// Which one.
        id: String,
        /// `If-Match`.
        expect: Option<Expect>,
    },
    /// Section 3.7: the BulkRequest message.
    Bulk(Value),
    /// Section 4.
    ServiceProviderConfig,
    /// Section 4: all schemas.
    Schemas,
    /// Section 4: the schema of that URI.
    Schema(String),
    /// Section 4: all resource types.
    ResourceTypes,
    /// Section 4: the resource type of that name.
    ResourceType(String),
}

/// The parameters of a list: RFC 7644 sections 3.4.2.2 to 3.4.2.4, RFC 9865 section 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// `filter`, as sent.
    pub filter: Option<String>,
    /// `sortBy`, as sent; empty is none.
    pub sort_by: Option<String>,
    /// `sortOrder`, as sent: `ascending`, which is also what none means, or `descending`.
    pub sort_order: Option<String>,
    /// `startIndex`, as sent: less than 1 means 1.
    pub start_index: Option<i64>,
    /// `count`, as sent: negative means 0.
    pub count: Option<i64>,
    /// `cursor`, as sent: empty for the first page. A walk meets whoever is there from its beginning to its end just once, as long as
    /// the value that he is sorted by stays.
    pub cursor: Option<String>,
}

/// A list of entity tags, as in `If-Match` and `If-None-Match`: RFC 9110 sections 13.1.1 and 13.1.2.
///
/// Tags are compared by their opaque part, for SCIM's own examples put weak tags into `If-Match` (ruling R-32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// `*`: any version, as long as there is one.
    Any,
    /// One of these.
    Tags(Vec<String>),
    /// None of these: `If-None-Match` of a request that writes.
    Except(Box<Self>),
    /// Both of these.
    Both(Box<[Self; 2]>),
}

impl Expect {
    /// Reads the value of a header. Text that is no list of tags matches nothing, so that nothing is overwritten by mistake;
    /// a tag without quotation marks is taken for the tag it means.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let header = header.trim();
        if header == "*" {
            return Self::Any;
        }
        let mut tags = Vec::new();
        let mut rest = header;
        while !rest.is_empty() {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let bare = rest.strip_prefix("W/").unwrap_or(rest);
            let (tag, after) = match bare.strip_prefix('"') {
                // An opaque tag may hold commas, but no quotation mark.
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => bare.split_once(',').unwrap_or((bare, "")),
            };
            if !tag.trim().is_empty() {
                tags.push(tag.trim().to_owned());
            }
            rest = after;
        }
        Self::Tags(tags)
    }

    /// Whether the tag is one of these.
    #[must_use]
    pub fn matches(&self, tag: &str) -> bool {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|own| own == opaque),
            Self::Except(others) => !others.matches(tag),
            Self::Both(both) => both.iter().all(|one| one.matches(tag)),
        }
    }
}

/// What the client is answered when nothing failed.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, where there is one.
    pub body: Option<Map<String, Value>>,
    /// The entity tag of the resource.
    pub etag: Option<String>,
    /// The URI of the resource.
    pub location: Option<String>,
    /// Which tolerances the request needed.
    pub quirks: Quirks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags_are_read_as_sent() {
        let tags = |header: &str| match Expect::parse(header) {
            Expect::Any => "any".to_owned(),
            Expect::Tags(tags) => tags.join("|"),
            other => format!("{other:?}"),
        };
        assert_eq!(tags(" * "), "any");
        assert_eq!(tags(r#"W/"1", "2,3" ,"4""#), "1|2,3|4");
        assert_eq!(tags("7"), "7");
        assert_eq!(tags(r#""unclosed"#), "unclosed");
        assert_eq!(tags(",, ,"), "");
        assert!(Expect::parse(r#""12""#).matches(r#"W/"12""#));
        assert!(!Expect::parse("").matches(r#"W/"12""#));
        let except = |header: &str| Expect::Except(Box::new(Expect::parse(header)));
        assert!(!except("*").matches(r#"W/"12""#) && !except(r#""12""#).matches(r#"W/"12""#));
        let both = Expect::Both(Box::new([Expect::Any, except(r#""13""#)]));
        assert!(both.matches(r#"W/"12""#) && !both.matches(r#"W/"13""#));
    }
}
