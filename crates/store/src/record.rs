//! What is kept: records, members, who they belong to.

use std::fmt;
use std::str::FromStr;

use scimwright_core::{Instant, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Whose data it is: an organisation, a customer. Opaque text of 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Box<str>);

/// Why a text is no tenant identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant identifier has 1 to 128 visible ASCII characters")]
pub struct TenantIdError;

/// What names a record: its resource type and its `id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The name of the resource type, such as `User`.
    pub resource_type: String,
    /// The `id`, unique over all types of a tenant (RFC 7643 section 3.1).
    pub id: String,
}

/// The position in the tenant's log at which a record was last written. Grows with every write, never repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub u64);

/// A resource with what a store knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name.
    pub key: Key,
    /// When it was last written, as a position.
    pub version: Version,
    /// When it was made.
    pub created: Instant,
    /// When it was last written, as a time.
    pub modified: Instant,
    /// The document, with `id` and `meta` stamped in, without what is kept as rows.
    pub resource: Resource,
    /// The members that were asked for, by id.
    pub members: Vec<Member>,
    /// How many members there are in all, whichever were asked for. A store keeps the number, it does not count them.
    pub member_count: u64,
    /// The groups that it is a member of, by id.
    pub member_of: Vec<Membership>,
    /// The application's own notes about the record: never shown, never filtered.
    pub notes: Map<String, Value>,
}

/// One row of a membership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The member's `id`.
    pub id: String,
    /// The member's resource type. A store fills it in.
    pub resource_type: String,
    /// The name for people that the client sent along.
    pub display: Option<String>,
}

/// A membership seen from the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: Key,
    /// The group's name for people.
    pub display: Option<String>,
}

/// Which members of a group are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Members {
    /// None of them.
    #[default]
    None,
    /// Those of these identifiers, if they are members.
    Named(Vec<String>),
    /// All of them.
    All,
}

impl TenantId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = TenantIdError;

    fn from_str(text: &str) -> Result<Self, TenantIdError> {
        let good = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if good { Ok(Self(text.into())) } else { Err(TenantIdError) }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Key {
    /// The name of a record.
    pub fn new(resource_type: impl Into<String>, id: impl Into<String>) -> Self {
        Self { resource_type: resource_type.into(), id: id.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.resource_type, self.id)
    }
}

impl Record {
    /// The whole resource as filters and clients see it: the document, with the rows in the attributes that show them. URIs
    /// are left to whoever knows the base URI.
    #[must_use]
    pub fn whole(&self, resource_type: &ResourceType) -> Resource {
        let mut resource = self.resource.clone();
        if let Some(attribute) = &resource_type.membership {
            resource.put(attribute, self.members.iter().map(Member::to_json).collect());
        }
        if let Some(attribute) = &resource_type.member_of {
            resource.put(attribute, self.member_of.iter().map(Membership::to_json).collect());
        }
        resource
    }
}

impl Record {
    /// The entity tag, weak because two equal representations may differ in bytes (RFC 7644 section 3.14).
    ///
    /// Memberships are part of a user's representation but rows of the groups, so they have their own part in the tag of every type
    /// that shows them.
    #[must_use]
    pub fn etag(&self, resource_type: &ResourceType) -> String {
        let version = self.version.0;
        if self.member_of.is_empty() || resource_type.member_of.is_none() {
            return format!("W/\"{version}\"");
        }
        // FNV-1a: the tag must stay the same from one release to the next, which the standard hasher does not promise.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for membership in &self.member_of {
            let display = membership.display.as_deref().unwrap_or_default();
            for byte in membership.group.id.bytes().chain([0]).chain(display.bytes()).chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        format!("W/\"{version}-{:08x}\"", hash >> 32)
    }

    /// The whole resource with all of `meta`, as a service with that base URI shows it: `version` and `location` are not stored.
    #[must_use]
    pub fn whole_at(&self, resource_type: &ResourceType, base: &str) -> Resource {
        let mut resource = self.whole(resource_type);
        if let Some(Value::Object(mut meta)) = resource.take("meta") {
            meta.insert("location".to_owned(), resource_type.location(base, &self.key.id).into());
            meta.insert("version".to_owned(), self.etag(resource_type).into());
            resource.put("meta", meta.into());
        }
        resource
    }
}

impl Member {
    fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("value".to_owned(), self.id.as_str().into());
        if !self.resource_type.is_empty() {
            json.insert("type".to_owned(), self.resource_type.as_str().into());
        }
        if let Some(display) = &self.display {
            json.insert("display".to_owned(), display.as_str().into());
        }
        json.into()
    }

    /// The member that a value of `members` names. The type is the store's to say.
    #[must_use]
    pub fn from_json(json: &Value) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self { id: text("value")?, resource_type: String::new(), display: text("display") })
    }
}

impl Membership {
    fn to_json(&self) -> Value {
        let mut json = json!({"value": self.group.id, "type": "direct"});
        if let (Some(display), Some(object)) = (&self.display, json.as_object_mut()) {
            object.insert("display".to_owned(), display.as_str().into());
        }
        json
    }
}
