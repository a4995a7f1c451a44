//! Resource types and the catalog of them: RFC 7643 section 6.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::hints::{Hints, merge};
use crate::{AttrName, AttrPath, Attribute, Mutability, Schema, SchemaError, Urn, uri_segment, urns};

/// Every schema and resource type that a server knows: data, loaded at run time.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    schemas: Vec<Arc<Schema>>,
    types: Vec<Arc<ResourceType>>,
}

/// A resource type: an endpoint, a base schema and extensions (RFC 7643 section 6), with the common attributes of section 3.1
/// merged in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResourceType {
    /// Such as `User`.
    pub name: String,
    /// Such as `/Users`.
    pub endpoint: String,
    /// What it is.
    pub description: String,
    /// The base schema.
    pub schema: Arc<Schema>,
    /// The extensions that its resources may carry.
    pub extensions: Vec<Extension>,
    /// The attribute whose values are kept as rows beside the document, such as `members` of a group.
    pub membership: Option<String>,
    /// The read-only attribute that shows the memberships of this resource, such as `groups` of a user.
    pub member_of: Option<String>,
    /// What a store keeps an index of.
    pub indexes: Vec<IndexSpec>,
    /// What ServiceProviderConfig says beside RFC 7643 section 5 as long as this type is served.
    pub announces: Map<String, Value>,
    /// Common attributes, then those of the base schema: what stands at the top level of a document.
    attributes: Vec<Attribute>,
    by_name: HashMap<String, usize>,
}

/// A schema extension of a resource type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Extension {
    /// The extension's schema; its URI is the name of the container in a document.
    pub schema: Arc<Schema>,
    /// Whether every resource must carry it.
    pub required: bool,
    /// The extension in whose container this one stands where clients see it; none for the top level. Everywhere else, in paths
    /// too, it is an extension like every other.
    pub within: Option<Urn>,
}

/// One attribute whose values a store can look up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexSpec {
    /// The extension's URI, when the attribute belongs to one.
    pub container: Option<String>,
    /// The attribute.
    pub name: String,
    /// The sub-attribute.
    pub sub: Option<String>,
    /// The path as one text: what names the index in a store.
    pub path: String,
}

/// How a resource type is put into a catalog, beside the JSON of RFC 7643 section 6.
#[derive(Clone, Debug, Default)]
pub struct ResourceTypeSpec {
    json: Value,
    hints: Hints,
}

/// What a path means for a resource type.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The resource itself: the URI of the base schema, bare.
    Root,
    /// A whole extension: its URI, bare (ruling R-23).
    Container(&'a Extension),
    /// An attribute or sub-attribute.
    Attribute {
        /// The extension it stands in, none for the top level.
        container: Option<&'a Extension>,
        /// The attribute.
        attribute: &'a Attribute,
        /// The sub-attribute, where one is named.
        sub: Option<&'a Attribute>,
    },
}

/// Why a catalog cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// A schema is none.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Two schemas share a URI.
    #[error("schema `{0}` is in the catalog already")]
    SchemaTwice(String),
    /// A resource type is malformed.
    #[error("resource type `{name}`: {reason}")]
    ResourceType {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl Catalog {
    /// A catalog without anything.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// `User` with the enterprise extension and `Group`, with the schemas of RFC 7643 as errata have mended them.
    ///
    /// # Panics
    ///
    /// Never: what it loads ships with this crate and a test loads it.
    #[must_use]
    pub fn standard() -> Self {
        static STANDARD: LazyLock<Catalog> = LazyLock::new(|| match standard() {
            Ok(catalog) => catalog,
            Err(error) => unreachable!("the shipped schemas load: {error}"),
        });
        STANDARD.clone()
    }

    /// The same catalog with one schema more.
    ///
    /// # Errors
    ///
    /// When the JSON is no schema, or its URI is taken.
    pub fn with_schema(mut self, json: &Value) -> Result<Self, CatalogError> {
        let schema = Schema::from_json(json)?;
        if self.schema(schema.id.as_str()).is_some() {
            return Err(CatalogError::SchemaTwice(schema.id.to_string()));
        }
        self.schemas.push(Arc::new(schema));
        Ok(self)
    }

    /// The same catalog with one resource type more.
    ///
    /// # Errors
    ///
    /// When the JSON is no resource type, names a schema that the catalog lacks, or its name or endpoint is taken.
    pub fn with_resource_type(mut self, spec: ResourceTypeSpec) -> Result<Self, CatalogError> {
        let resource_type = self.build(&spec, None)?;
        let clash =
            |other: &Arc<ResourceType>| other.name == resource_type.name || other.endpoint == resource_type.endpoint;
        if self.types.iter().any(clash) {
            return Err(CatalogError::ResourceType {
                name: resource_type.name,
                reason: "its name or endpoint is in the catalog already".to_owned(),
            });
        }
        self.types.push(Arc::new(resource_type));
        Ok(self)
    }

    /// The same catalog, where a resource type carries one extension more.
    ///
    /// # Errors
    ///
    /// When the type or the schema is not in the catalog, or the type has the extension already.
    pub fn with_extension(mut self, type_name: &str, urn: &str, required: bool) -> Result<Self, CatalogError> {
        let error = |reason: &str| CatalogError::ResourceType { name: type_name.to_owned(), reason: reason.to_owned() };
        let schema = self.schema(urn).cloned().ok_or_else(|| error("the extension's schema is not in the catalog"))?;
        let slot = self.types.iter_mut().find(|slot| slot.name == type_name);
        let slot = slot.ok_or_else(|| error("it is not in the catalog"))?;
        if slot.extension(urn).is_some() {
            return Err(error("it has the extension already"));
        }
        let mut changed = ResourceType::clone(slot);
        changed.extensions.push(Extension { schema, required, within: None });
        changed.index_unique_attributes();
        *slot = Arc::new(changed);
        Ok(self)
    }

    /// All schemas, in the order they were added.
    #[must_use]
    pub fn schemas(&self) -> &[Arc<Schema>] {
        &self.schemas
    }

    /// The schema of that URI, whatever the case.
    #[must_use]
    pub fn schema(&self, urn: &str) -> Option<&Arc<Schema>> {
        self.schemas.iter().find(|schema| schema.id.is(urn))
    }

    /// All resource types, in the order they were added.
    #[must_use]
    pub fn resource_types(&self) -> &[Arc<ResourceType>] {
        &self.types
    }

    /// The resource type of that name; names are case exact (erratum 8475).
    #[must_use]
    pub fn resource_type(&self, name: &str) -> Option<&Arc<ResourceType>> {
        self.types.iter().find(|slot| slot.name == name)
    }

    /// The resource type of that endpoint, written as `/Users`.
    #[must_use]
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&Arc<ResourceType>> {
        self.types.iter().find(|slot| slot.endpoint == endpoint)
    }

    /// What the types say of the service that serves them, for ServiceProviderConfig.
    #[must_use]
    pub fn announces(&self) -> Map<String, Value> {
        let mut all = Map::new();
        for resource_type in &self.types {
            merge(&mut all, &resource_type.announces);
        }
        all
    }

    fn build(&self, spec: &ResourceTypeSpec, label: Option<&str>) -> Result<ResourceType, CatalogError> {
        let name = spec.json.get("name").and_then(Value::as_str).or(label).unwrap_or("without name").to_owned();
        let error = |reason: String| CatalogError::ResourceType { name: name.clone(), reason };
        let draft: TypeDraft = Deserialize::deserialize(&spec.json).map_err(|source| error(source.to_string()))?;
        check_name(&draft.name).map_err(error)?;
        check_endpoint(&draft.endpoint).map_err(error)?;
        let hints = draft.hints;
        let find =
            |urn: &str| self.schema(urn).cloned().ok_or_else(|| error(format!("schema `{urn}` is not in the catalog")));
        let schema = find(&draft.schema)?;
        let extensions = draft.schema_extensions.iter().map(|extension| {
            Ok(Extension { schema: find(&extension.schema)?, required: extension.required, within: None })
        });
        let extensions = extensions.collect::<Result<Vec<_>, CatalogError>>()?;
        for (at, extension) in extensions.iter().enumerate() {
            let same = |other: &Extension| other.schema.id == extension.schema.id;
            if extension.schema.id == schema.id || extensions.iter().skip(at + 1).any(same) {
                return Err(error(format!("it has the schema `{}` twice", extension.schema.id)));
            }
        }

        // RFC 7643 section 3.1 wins over a schema that lists a common attribute.
        let mut attributes = common().to_vec();
        attributes.extend(
            schema.attributes.iter().filter(|own| !common().iter().any(|common| common.name == own.name)).cloned(),
        );
        let by_name =
            attributes.iter().enumerate().map(|(at, own)| (own.name.as_str().to_ascii_lowercase(), at)).collect();
        let mut resource_type = ResourceType {
            name: draft.name,
            endpoint: draft.endpoint,
            description: draft.description,
            schema,
            extensions,
            membership: spec.hints.membership.clone().or_else(|| hints.membership.clone()),
            member_of: spec.hints.member_of.clone().or_else(|| hints.member_of.clone()),
            indexes: Vec::new(),
            announces: hints.service_provider_config.clone(),
            attributes,
            by_name,
        };
        resource_type.check_rows(&hints).map_err(error)?;
        resource_type.nest(&hints.nested).map_err(error)?;
        let asked = hints.indexes.iter().chain(&spec.hints.indexes).map(String::as_str);
        for path in ["externalId", "meta.lastModified"].into_iter().chain(asked) {
            resource_type.add_index(path).map_err(error)?;
        }
        resource_type.index_unique_attributes();
        Ok(resource_type)
    }
}

impl ResourceTypeSpec {
    /// The member of the JSON that may hold hints: what RFC 7643 section 6 has no word for, and these methods say.
    ///
    /// ```
    /// use scimwright_core::{Catalog, ResourceTypeSpec};
    /// use serde_json::json;
    ///
    /// let spec = ResourceTypeSpec::from_json(json!({
    ///     "name": "Crew", "endpoint": "/Crews", "schema": "urn:ietf:params:scim:schemas:core:2.0:Group",
    ///     "urn:scimwright:hints:1.0:ResourceType": {"membership": "members", "indexes": ["displayName"]},
    /// }));
    /// let catalog = Catalog::standard().with_resource_type(spec)?;
    /// assert_eq!(catalog.resource_type("Crew").and_then(|crew| crew.membership.as_deref()), Some("members"));
    /// # Ok::<(), scimwright_core::CatalogError>(())
    /// ```
    ///
    /// | hint | says |
    /// |---|---|
    /// | `membership` | [`ResourceTypeSpec::membership`] |
    /// | `memberOf` | [`ResourceTypeSpec::member_of`] |
    /// | `indexes` | a list of [`ResourceTypeSpec::index`] |
    /// | `nested` | for the URI of an extension, the URIs of those that stand in its container: [`Extension::within`] |
    /// | `serviceProviderConfig` | members of ServiceProviderConfig: [`ResourceType::announces`] |
    pub const HINTS: &'static str = "urn:scimwright:hints:1.0:ResourceType";

    /// From the JSON of RFC 7643 section 6.
    #[must_use]
    pub fn from_json(json: Value) -> Self {
        Self { json, ..Self::default() }
    }

    /// Values of this attribute are kept as rows, one a member, and not in the document.
    #[must_use]
    pub fn membership(mut self, attribute: &str) -> Self {
        self.hints.membership = Some(attribute.to_owned());
        self
    }

    /// This read-only attribute shows which resources have this one as a member.
    #[must_use]
    pub fn member_of(mut self, attribute: &str) -> Self {
        self.hints.member_of = Some(attribute.to_owned());
        self
    }

    /// A store keeps an index of this attribute. Unique attributes, `externalId` and `meta.lastModified` have one anyway.
    #[must_use]
    pub fn index(mut self, path: &str) -> Self {
        self.hints.indexes.push(path.to_owned());
        self
    }
}

impl ResourceType {
    /// What stands at the top level of a document: common attributes, then those of the base schema.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The top-level attribute of that name, whatever the case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        // Almost every name comes in the schema's own spelling or in lower case; the map is keyed by the latter.
        let at = match self.by_name.get(name) {
            Some(at) => at,
            None => self.by_name.get(&name.to_ascii_lowercase())?,
        };
        self.attributes.get(*at)
    }

    /// The extension of that URI, whatever the case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.schema.id.is(urn))
    }

    /// The extensions that stand in the container of this one.
    pub fn nested_in<'a>(&'a self, outer: &'a Extension) -> impl Iterator<Item = &'a Extension> {
        self.extensions.iter().filter(|extension| extension.within.as_ref() == Some(&outer.schema.id))
    }

    /// What a path means here; none when it names nothing that the type has. An unqualified name is never looked for in
    /// extensions (ruling R-9).
    #[must_use]
    pub fn resolve(&self, path: &AttrPath) -> Option<Target<'_>> {
        let in_base = |urn: &Urn| *urn == self.schema.id;
        let (container, attribute) = match &path.urn {
            None => (None, self.attribute(path.name.as_str())),
            Some(urn) if in_base(urn) => (None, self.attribute(path.name.as_str())),
            Some(urn) => match self.extension(urn.as_str()) {
                Some(extension) => (Some(extension), extension.schema.attribute(path.name.as_str())),
                None => (None, None),
            },
        };
        let Some(attribute) = attribute else { return self.resolve_bare(path) };
        let sub = match &path.sub {
            None => None,
            Some(sub) => Some(attribute.sub(sub.as_str())?),
        };
        Some(Target::Attribute { container, attribute, sub })
    }

    /// A bare schema URI, which parses as a URI and an attribute (`…:2.0` and `User`).
    fn resolve_bare(&self, path: &AttrPath) -> Option<Target<'_>> {
        path.urn.as_ref()?;
        self.resolve_urn(&path.to_string())
    }

    /// What a bare schema URI means here.
    #[must_use]
    pub fn resolve_urn(&self, urn: &str) -> Option<Target<'_>> {
        if self.schema.id.is(urn) { Some(Target::Root) } else { self.extension(urn).map(Target::Container) }
    }

    /// The URI of a resource of this type below a base URI without a slash at its end: what `meta.location` says.
    #[must_use]
    pub fn location(&self, base: &str, id: &str) -> String {
        // Ids are the server's own, but a store may have been filled with others.
        format!("{base}{}/{}", self.endpoint, uri_segment(id))
    }

    /// The resource of discovery, RFC 7643 section 6, without `meta`.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let extensions: Vec<Value> = self
            .extensions
            .iter()
            .map(|extension| json!({"schema": extension.schema.id.as_str(), "required": extension.required}))
            .collect();
        let mut json = Map::new();
        json.insert("schemas".to_owned(), json!([urns::RESOURCE_TYPE]));
        json.insert("id".to_owned(), self.name.as_str().into());
        json.insert("name".to_owned(), self.name.as_str().into());
        json.insert("endpoint".to_owned(), self.endpoint.as_str().into());
        json.insert("description".to_owned(), self.description.as_str().into());
        json.insert("schema".to_owned(), self.schema.id.as_str().into());
        json.insert("schemaExtensions".to_owned(), extensions.into());
        json
    }

    fn add_index(&mut self, text: &str) -> Result<(), String> {
        let path: AttrPath = text.parse().map_err(|error: crate::PathError| error.to_string())?;
        let Some(Target::Attribute { container, attribute, sub }) = self.resolve(&path) else {
            return Err(format!("there is no attribute `{text}` to index"));
        };
        let spec = IndexSpec::new(container, attribute, sub);
        if self.is_worked_out(&spec, attribute) {
            return Err(format!("`{text}` is not kept in the document, so that there is nothing to index"));
        }
        if !self.indexes.contains(&spec) {
            self.indexes.push(spec);
        }
        Ok(())
    }

    /// The unique index is the duplicate check, so every unique attribute has one.
    fn index_unique_attributes(&mut self) {
        let top = self.attributes.iter().map(|attribute| (None, attribute));
        let inside = self.extensions.iter().flat_map(|extension| {
            extension.schema.attributes.iter().map(move |attribute| (Some(extension), attribute))
        });
        let mut found = Vec::new();
        for (container, attribute) in top.chain(inside) {
            let unique = |attribute: &Attribute| attribute.uniqueness != crate::Uniqueness::None;
            if unique(attribute) && attribute.name.as_str() != "id" {
                found.push(IndexSpec::new(container, attribute, None));
            }
            let subs = attribute.sub_attributes.iter().filter(|sub| unique(sub));
            let subs = subs.map(|sub| IndexSpec::new(container, attribute, Some(sub)));
            found.extend(subs.filter(|spec| !self.is_worked_out(spec, attribute)));
        }
        for spec in found {
            if !self.indexes.contains(&spec) {
                self.indexes.push(spec);
            }
        }
    }

    /// Whether values are kept as rows or worked out when somebody looks, so that no key could ever be written for them.
    fn is_worked_out(&self, spec: &IndexSpec, attribute: &Attribute) -> bool {
        let top = spec.container.is_none().then_some(spec.name.as_str());
        let is = |rows: &Option<String>| rows.is_some() && rows.as_deref() == top;
        let by_time = spec.path == "meta.lastModified";
        let reference = spec.sub.as_deref().is_some_and(|sub| {
            sub == "$ref" && attribute.sub(sub).is_some_and(|sub| sub.mutability == Mutability::ReadOnly)
        });
        is(&self.membership) || is(&self.member_of) || (top == Some("meta") && !by_time) || reference
    }
}

impl IndexSpec {
    /// The index of that attribute.
    #[must_use]
    pub fn new(container: Option<&Extension>, attribute: &Attribute, sub: Option<&Attribute>) -> Self {
        let container = container.map(|extension| extension.schema.id.as_str().to_owned());
        let (name, sub) = (attribute.name.as_str().to_owned(), sub.map(|sub| sub.name.as_str().to_owned()));
        let mut path = container.as_ref().map_or_else(String::new, |urn| format!("{urn}:"));
        path.push_str(&name);
        if let Some(sub) = &sub {
            path.push('.');
            path.push_str(sub);
        }
        Self { container, name, sub, path }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeDraft {
    name: String,
    endpoint: String,
    #[serde(default)]
    description: String,
    schema: String,
    #[serde(default)]
    schema_extensions: Vec<ExtensionDraft>,
    #[serde(default, rename = "urn:scimwright:hints:1.0:ResourceType")]
    hints: Hints,
}

#[derive(Deserialize)]
struct ExtensionDraft {
    schema: String,
    #[serde(default)]
    required: bool,
}

/// A name stands in URIs and in stores, where other signs have meanings of their own.
fn check_name(name: &str) -> Result<(), String> {
    if AttrName::is_valid(name) && !name.contains('$') {
        Ok(())
    } else {
        Err("its name is not a letter followed by letters, digits, `-` and `_`".to_owned())
    }
}

/// One segment of a path, and none that RFC 7644 section 3.2 gives another meaning.
fn check_endpoint(endpoint: &str) -> Result<(), String> {
    const TAKEN: [&str; 5] = ["Schemas", "ResourceTypes", "ServiceProviderConfig", "Bulk", "Me"];
    let name = endpoint.strip_prefix('/').unwrap_or_default();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(good) {
        Err("its endpoint is not a path such as /Users".to_owned())
    } else if TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
        Err(format!("its endpoint `{endpoint}` has another meaning in RFC 7644"))
    } else {
        Ok(())
    }
}

fn standard() -> Result<Catalog, CatalogError> {
    let load = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    Catalog::empty()
        .with_schema(&load(include_str!("../schemas/User.json")))?
        .with_schema(&load(include_str!("../schemas/Group.json")))?
        .with_schema(&load(include_str!("../schemas/EnterpriseUser.json")))?
        .with_schema(&load(include_str!("../schemas/ServiceProviderConfig.json")))?
        .with_schema(&load(include_str!("../schemas/ResourceType.json")))?
        .with_schema(&load(include_str!("../schemas/Schema.json")))?
        .with_resource_type(
            ResourceTypeSpec::from_json(json!({
                "name": "User", "endpoint": "/Users", "description": "User Account", "schema": urns::USER,
                "schemaExtensions": [{"schema": urns::ENTERPRISE_USER, "required": false}],
            }))
            .member_of("groups")
            .index("emails.value")
            .index("displayName")
            .index("active")
            .index(&format!("{}:manager.value", urns::ENTERPRISE_USER)),
        )?
        .with_resource_type(
            ResourceTypeSpec::from_json(json!({
                "name": "Group", "endpoint": "/Groups", "description": "Group", "schema": urns::GROUP,
            }))
            .membership("members")
            .index("displayName"),
        )
}

/// The common attributes with the characteristics of RFC 7643 sections 3 and 3.1.
fn common() -> &'static [Attribute] {
    static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(|| {
        let sub = |name: &str, kind: &str, exact: bool| json!({"name": name, "type": kind, "caseExact": exact, "mutability": "readOnly"});
        let schema = json!({"id": "urn:scimwright:common", "attributes": [
            {"name": "schemas", "type": "reference", "multiValued": true, "required": true, "returned": "always",
             "description": "The URIs of the schemas that the resource uses."},
            {"name": "id", "caseExact": true, "mutability": "readOnly", "returned": "always", "uniqueness": "server",
             "description": "The server's identifier of the resource."},
            {"name": "externalId", "caseExact": true, "description": "The client's identifier of the resource."},
            {"name": "meta", "type": "complex", "mutability": "readOnly", "description": "About the resource itself.",
             "subAttributes": [sub("resourceType", "string", true), sub("created", "dateTime", false),
                sub("lastModified", "dateTime", false), sub("location", "reference", true), sub("version", "string", true)]},
        ]});
        match Schema::from_json(&schema) {
            Ok(schema) => schema.attributes,
            Err(error) => unreachable!("the common attributes load: {error}"),
        }
    });
    &COMMON
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(text: &str) -> String {
        let catalog = Catalog::standard();
        let users = catalog.resource_type("User").unwrap();
        match text.parse().ok().and_then(|path| users.resolve(&path)) {
            None => "nothing".to_owned(),
            Some(Target::Root) => "root".to_owned(),
            Some(Target::Container(extension)) => format!("container {}", extension.schema.id),
            Some(Target::Attribute { container, attribute, sub }) => {
                format!(
                    "{}{:?} {:?}",
                    if container.is_some() { "ext " } else { "" },
                    attribute.name,
                    sub.map(|sub| &sub.name)
                )
            }
        }
    }

    #[test]
    fn what_is_not_in_the_document_has_no_index() {
        let schema = json!({"id": "urn:x:crew", "attributes": [
            {"name": "sailors", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value"}, {"name": "display"}]},
            {"name": "boss", "type": "complex", "subAttributes": [{"name": "value"},
                {"name": "$ref", "type": "reference", "mutability": "readOnly", "uniqueness": "server", "referenceTypes": ["User"]}]}]});
        let catalog = Catalog::empty().with_schema(&schema).unwrap();
        let spec =
            || ResourceTypeSpec::from_json(json!({"name": "Crew", "endpoint": "/Crews", "schema": "urn:x:crew"}));
        for path in ["sailors.display", "meta.location", "meta", "boss.$ref"] {
            assert!(catalog.clone().with_resource_type(spec().membership("sailors").index(path)).is_err(), "{path}");
        }
        let good = catalog.with_resource_type(spec().membership("sailors").index("boss.value")).unwrap();
        let paths: Vec<_> = good.types[0].indexes.iter().map(|index| index.path.as_str()).collect();
        assert_eq!(paths, ["externalId", "meta.lastModified", "boss.value"]);
    }

    #[test]
    fn paths_resolve_in_any_case_with_and_without_urn() {
        insta::assert_snapshot!(describe("USERNAME"), @r#""userName" None"#);
        insta::assert_snapshot!(describe("urn:ietf:params:scim:schemas:core:2.0:USER:Name.GivenName"), @r#""name" Some("givenName")"#);
        insta::assert_snapshot!(describe("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"), @r#"ext "manager" Some("value")"#);
        insta::assert_snapshot!(describe("urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"), @"container urn:ietf:params:scim:schemas:extension:enterprise:2.0:User");
        insta::assert_snapshot!(describe("urn:ietf:params:scim:schemas:core:2.0:User"), @"root");
        insta::assert_snapshot!(describe("department"), @"nothing");
        insta::assert_snapshot!(describe("name.nick"), @"nothing");
        insta::assert_snapshot!(describe("meta.lastModified"), @r#""meta" Some("lastModified")"#);
    }

    #[test]
    fn common_attributes_win_over_a_schema_that_lists_them() {
        let catalog = Catalog::empty()
            .with_schema(
                &json!({"id": "urn:x:y", "attributes": [{"name": "ID", "mutability": "readWrite"}, {"name": "a"}]}),
            )
            .unwrap()
            .with_resource_type(ResourceTypeSpec::from_json(
                json!({"name": "X", "endpoint": "/Xs", "schema": "urn:x:y"}),
            ))
            .unwrap();
        let id = catalog.resource_type("X").unwrap().attribute("id").unwrap();
        assert_eq!(id.mutability, crate::Mutability::ReadOnly);
        assert!(id.case_exact);
    }

    #[test]
    fn unique_attributes_have_an_index() {
        let catalog = Catalog::standard();
        let paths: Vec<_> =
            catalog.resource_type("User").unwrap().indexes.iter().map(|spec| spec.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "externalId",
                "meta.lastModified",
                "emails.value",
                "displayName",
                "active",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
                "userName"
            ]
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let spec = |endpoint: &str| {
            ResourceTypeSpec::from_json(json!({"name": "X", "endpoint": endpoint, "schema": urns::USER}))
        };
        assert!(Catalog::empty().with_resource_type(spec("/Xs")).is_err());
        assert!(Catalog::standard().with_resource_type(spec("/Users")).is_err());
        assert!(Catalog::standard().with_resource_type(spec("Xs")).is_err());
        assert!(Catalog::standard().with_resource_type(spec("/Xs").index("nothing")).is_err());
        assert!(Catalog::standard().with_extension("User", urns::ENTERPRISE_USER, false).is_err());
    }
}
