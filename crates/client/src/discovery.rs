//! What a server says about itself: RFC 7643 sections 5 to 7, RFC 7644 section 4.

use http::Method;
use scimwright_core::{Attribute, Catalog, CatalogError, DataType, Mutability, ResourceTypeSpec, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::query::Page;
use crate::send::Call;
use crate::{Client, Error, Paging, Query, Request, Versioned};

/// What a server can do: RFC 7643 section 5 and RFC 9865 section 4.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ServiceProviderConfig {
    /// Where people read on.
    pub documentation_uri: Option<String>,
    /// Whether it knows PATCH.
    pub patch: Supported,
    /// Whether, and how much, it takes in bulk.
    pub bulk: BulkSupport,
    /// Whether it filters, and how many results it answers at most.
    pub filter: FilterSupport,
    /// Whether passwords can be changed.
    pub change_password: Supported,
    /// Whether it sorts.
    pub sort: Supported,
    /// Whether resources have versions.
    pub etag: Supported,
    /// How it goes from page to page, where it says so (RFC 9865 section 4).
    pub pagination: Option<Pagination>,
    /// How clients say who they are.
    pub authentication_schemes: Vec<AuthenticationScheme>,
}

/// Whether something is supported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Supported {
    /// Whether it is.
    pub supported: bool,
}

/// `bulk` of [`ServiceProviderConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BulkSupport {
    /// Whether it is supported.
    pub supported: bool,
    /// How many operations a job may have.
    pub max_operations: Option<u64>,
    /// How many bytes a job may have.
    pub max_payload_size: Option<u64>,
}

/// `filter` of [`ServiceProviderConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct FilterSupport {
    /// Whether it is supported.
    pub supported: bool,
    /// How many results an answer has at most.
    pub max_results: Option<u64>,
}

/// `pagination` of [`ServiceProviderConfig`]: RFC 9865 section 4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Pagination {
    /// Whether there are cursors.
    pub cursor: bool,
    /// Whether pages are found by index.
    pub index: bool,
    /// What a query gets that says nothing: `cursor` or `index`.
    pub default_pagination_method: Option<String>,
    /// How long a page is when the query does not say.
    pub default_page_size: Option<u64>,
    /// How long a page is at most.
    pub max_page_size: Option<u64>,
    /// For how many seconds a cursor is good.
    pub cursor_timeout: Option<u64>,
}

/// One of `authenticationSchemes` of [`ServiceProviderConfig`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AuthenticationScheme {
    /// Such as `oauthbearertoken`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name for people.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The specification.
    pub spec_uri: Option<String>,
    /// Where people read on.
    pub documentation_uri: Option<String>,
    /// Whether it is preferred.
    pub primary: Option<bool>,
}

impl Client {
    /// What the server can do.
    pub fn service_provider_config(&self) -> Request<Versioned<ServiceProviderConfig>> {
        Request::new(self, Ok(Call::new(Method::GET, "/ServiceProviderConfig")))
    }

    /// All schemas of the server, as it shows them.
    ///
    /// # Errors
    ///
    /// As every request.
    pub async fn schemas(&self) -> Result<Vec<Value>, Error> {
        self.discover("/Schemas").await
    }

    /// All resource types of the server, as it shows them.
    ///
    /// # Errors
    ///
    /// As every request.
    pub async fn resource_types(&self) -> Result<Vec<Value>, Error> {
        self.discover("/ResourceTypes").await
    }

    /// Everything that the server says of its types, as a catalog: what [`diff`](crate::diff()) and filters are bound
    /// to.
    ///
    /// A list whose values are known by an immutable `value`, such as `members` of a group, is taken for one that the
    /// server keeps as rows, of any length.
    ///
    /// # Errors
    ///
    /// As every request, and when what the server says does not fit together.
    pub async fn catalog(&self) -> Result<Catalog, Error> {
        let (schemas, types) = (self.schemas().await?, self.resource_types().await?);
        let misfit = |error: CatalogError| Error::malformed(200, format!("what discovery says does not fit: {error}"));
        let mut catalog = Catalog::empty();
        for schema in &schemas {
            catalog = catalog.with_schema(schema).map_err(misfit)?;
        }
        for json in types {
            let schema = json.get("schema").and_then(Value::as_str).and_then(|urn| catalog.schema(urn));
            let rows = schema.and_then(|schema| rows(schema));
            let spec = ResourceTypeSpec::from_json(json);
            let spec = match rows {
                Some(attribute) => spec.membership(&attribute),
                None => spec,
            };
            catalog = catalog.with_resource_type(spec).map_err(misfit)?;
        }
        Ok(catalog)
    }

    /// Discovery has no pages (RFC 7644 section 4), but where a server has some all are read.
    async fn discover(&self, endpoint: &str) -> Result<Vec<Value>, Error> {
        let mut pages = Query::<Value>::new(self, endpoint).paging(Paging::Index).pages();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let Page { resources, .. } = page?;
            found.extend(resources.into_iter().map(|one| one.resource));
        }
        Ok(found)
    }

    /// Whether the server announces cursors (RFC 9865 section 4). A server that says nothing of itself has none.
    pub(crate) async fn pages_by_cursor(&self) -> Result<bool, Error> {
        if let Some(known) = self.settings().cursors.get() {
            return Ok(*known);
        }
        let announced = match self.service_provider_config().await {
            Ok(config) => config.resource.pagination.is_some_and(|pagination| pagination.cursor),
            Err(Error::Refused(refusal)) if matches!(refusal.status, 403 | 404 | 405 | 501) => false,
            Err(Error::Malformed { .. }) => false,
            Err(error) => return Err(error),
        };
        Ok(*self.settings().cursors.get_or_init(|| announced))
    }
}

/// The list whose values are other resources, by an id that does not change.
fn rows(schema: &Schema) -> Option<String> {
    let fixed = |sub: &Attribute| sub.mutability == Mutability::Immutable;
    let is_rows = |attribute: &&Attribute| {
        let list = attribute.multi_valued && attribute.data_type == DataType::Complex;
        list && attribute.sub("value").is_some_and(fixed) && attribute.sub("$ref").is_some()
    };
    schema.attributes.iter().find(is_rows).map(|attribute| attribute.name.to_string())
}
