//! Typed looks at the resources of RFC 7643 section 4. The document stays the truth; a view is for reading.

use serde::{Deserialize, Serialize};

/// RFC 7643 section 4.1. Extensions are views of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct User {
    /// The server's identifier.
    pub id: String,
    /// The client's identifier.
    pub external_id: Option<String>,
    /// The name to sign in with.
    pub user_name: String,
    /// The parts of the person's name.
    pub name: Option<Name>,
    /// The name to show.
    pub display_name: Option<String>,
    /// What friends say.
    pub nick_name: Option<String>,
    /// A page about the person.
    pub profile_url: Option<String>,
    /// Such as "Vice President".
    pub title: Option<String>,
    /// Such as "Employee".
    pub user_type: Option<String>,
    /// Such as "en-US".
    pub preferred_language: Option<String>,
    /// For numbers and dates.
    pub locale: Option<String>,
    /// Such as "Europe/Warsaw".
    pub timezone: Option<String>,
    /// Whether the account may be used.
    pub active: Option<bool>,
    /// E-mail addresses.
    pub emails: Vec<MultiValue>,
    /// Telephone numbers.
    pub phone_numbers: Vec<MultiValue>,
    /// Instant messaging addresses.
    pub ims: Vec<MultiValue>,
    /// Pictures.
    pub photos: Vec<MultiValue>,
    /// Postal addresses.
    pub addresses: Vec<Address>,
    /// The groups that the user is in; read-only.
    pub groups: Vec<MultiValue>,
    /// What the user may have.
    pub entitlements: Vec<MultiValue>,
    /// What the user is.
    pub roles: Vec<MultiValue>,
    /// Certificates.
    pub x509_certificates: Vec<MultiValue>,
    /// About the resource itself.
    pub meta: Option<Meta>,
}

/// RFC 7643 section 4.1.1, `name`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Name {
    /// The whole name.
    pub formatted: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The middle name.
    pub middle_name: Option<String>,
    /// Such as "Ms.".
    pub honorific_prefix: Option<String>,
    /// Such as "III".
    pub honorific_suffix: Option<String>,
}

/// A value with the default sub-attributes of RFC 7643 section 2.4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct MultiValue {
    /// The value.
    pub value: Option<String>,
    /// The value for people.
    pub display: Option<String>,
    /// Such as "work".
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether this is the preferred one.
    pub primary: Option<bool>,
    /// The URI of what the value names.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
}

/// RFC 7643 section 4.1.2, `addresses`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Address {
    /// The whole address.
    pub formatted: Option<String>,
    /// Street and number.
    pub street_address: Option<String>,
    /// The city.
    pub locality: Option<String>,
    /// The state or region.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country in two letters.
    pub country: Option<String>,
    /// Such as "work".
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether this is the preferred one.
    pub primary: Option<bool>,
}

/// RFC 7643 section 4.2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Group {
    /// The server's identifier.
    pub id: String,
    /// The client's identifier.
    pub external_id: Option<String>,
    /// The name to show.
    pub display_name: String,
    /// Who is in it.
    pub members: Vec<Member>,
    /// About the resource itself.
    pub meta: Option<Meta>,
}

/// One value of `members`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Member {
    /// The identifier of a user or group.
    pub value: String,
    /// Its URI.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its name for people.
    pub display: Option<String>,
}

/// RFC 7643 section 4.3: read it from the container that its URI names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EnterpriseUser {
    /// The number that the employer gave.
    pub employee_number: Option<String>,
    /// The cost center.
    pub cost_center: Option<String>,
    /// The organisation.
    pub organization: Option<String>,
    /// The division.
    pub division: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// Whom the user reports to.
    pub manager: Option<Manager>,
}

/// RFC 7643 section 4.3, `manager`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Manager {
    /// The identifier of a user.
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    /// Its name; read-only.
    pub display_name: Option<String>,
}

/// RFC 7643 section 3.1, `meta`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Meta {
    /// The name of the resource type.
    pub resource_type: Option<String>,
    /// When the resource was made.
    pub created: Option<String>,
    /// When it last changed.
    pub last_modified: Option<String>,
    /// Its URI.
    pub location: Option<String>,
    /// Its version, as in the ETag header.
    pub version: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Admit, Catalog, urns};

    #[test]
    fn views_read_what_admit_let_in() {
        let catalog = Catalog::standard();
        let users = catalog.resource_type("User").unwrap();
        let body = json!({"schemas": [urns::USER], "userName": "ada", "x509Certificates": [{"value": "AQID"}],
            "emails": [{"value": "a@x.example", "type": "work", "primary": true}], urns::ENTERPRISE_USER: {"manager": {"$ref": "Users/1"}}});
        let user = Admit::new(users).create(body).unwrap().resource;
        let view: User = user.view().unwrap();
        assert_eq!(view.emails[0].primary, Some(true));
        assert_eq!(view.x509_certificates[0].value.as_deref(), Some("AQID"));
        let more = user.get(urns::ENTERPRISE_USER).cloned().unwrap();
        let enterprise: EnterpriseUser = serde_json::from_value(more).unwrap();
        assert_eq!(enterprise.manager.unwrap().reference.as_deref(), Some("Users/1"));
    }
}
