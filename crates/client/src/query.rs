//! Queries: RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865.

use std::fmt;
use std::marker::PhantomData;

use http::Method;
use scimwright_core::urns;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::answer::Raw;
use crate::error::member;
use crate::pages::Walk;
use crate::request::{Projection, query};
use crate::send::{Answer, Call, send};
use crate::{All, Client, Error, FromAnswer, Pages, Versioned};

/// A query, not asked yet. [`Query::all`] and [`Query::pages`] ask for every page, one after another.
#[must_use = "nothing is asked before its answer is wanted"]
pub struct Query<T> {
    pub(crate) asked: Asked,
    answer: PhantomData<fn() -> T>,
}

/// What a query asks for.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) client: Client,
    /// Empty for the root.
    endpoint: String,
    by_post: bool,
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<SortOrder>,
    selection: Projection,
    pub(crate) count: Option<usize>,
    pub(crate) paging: Paging,
}

/// How a query goes from page to page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// By cursor where ServiceProviderConfig announces it, else by index. The client asks for that once. An endpoint that
    /// takes no notice of the cursor, and says that there is more, is gone through by index.
    #[default]
    Announced,
    /// By index (RFC 7644 section 3.4.2.4). What others write meanwhile may shift a resource onto another page.
    Index,
    /// By cursor (RFC 9865).
    Cursor,
}

/// `sortOrder`: RFC 7644 section 3.4.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// The smallest first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Wherever the server begins.
    Anywhere,
    /// At this place, counted from 1.
    Index(u64),
    /// At this cursor; the empty one is the first page.
    Cursor(String),
}

/// One page of the answer to a query: RFC 7644 section 3.4.2.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// How many there are on all pages, as far as the server says so.
    pub total_results: Option<u64>,
    /// Where this page begins, counted from 1.
    pub start_index: Option<u64>,
    /// The cursor of the next page (RFC 9865); the last page has none.
    pub next_cursor: Option<String>,
    /// The cursor of the page before.
    pub previous_cursor: Option<String>,
    /// What is on this page.
    pub resources: Vec<Versioned<T>>,
    /// Who is on this page: by `id`, which every resource has, or else by all that it says.
    pub(crate) names: Vec<String>,
}

impl<T> Query<T> {
    pub(crate) fn new(client: &Client, endpoint: &str) -> Self {
        let asked = Asked {
            client: client.clone(),
            endpoint: endpoint.to_owned(),
            by_post: false,
            filter: None,
            sort_by: None,
            sort_order: None,
            selection: Projection::default(),
            count: None,
            paging: Paging::default(),
        };
        Self { asked, answer: PhantomData }
    }

    pub(crate) const fn by_post(mut self) -> Self {
        self.asked.by_post = true;
        self
    }

    /// Those that this filter selects: a text, or a [`Filter`](crate::Filter).
    pub fn filter(mut self, filter: impl fmt::Display) -> Self {
        self.asked.filter = Some(filter.to_string());
        self
    }

    /// Sorted by this attribute (RFC 7644 section 3.4.2.3).
    pub fn sort_by(mut self, path: &str) -> Self {
        self.asked.sort_by = Some(path.to_owned());
        self
    }

    /// Sorted in this order; ascending unless said otherwise.
    pub const fn sort_order(mut self, order: SortOrder) -> Self {
        self.asked.sort_order = Some(order);
        self
    }

    /// Shows these attributes only, beside those that are always shown (RFC 7644 section 3.9).
    pub fn attributes<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.asked.selection.only(names);
        self
    }

    /// Does not show these attributes. Not together with [`Query::attributes`].
    pub fn excluding<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.asked.selection.without(names);
        self
    }

    /// Pages of at most so many resources; the server's own size unless said.
    pub const fn page_size(mut self, count: usize) -> Self {
        self.asked.count = Some(count);
        self
    }

    /// Goes from page to page in this way.
    pub const fn paging(mut self, paging: Paging) -> Self {
        self.asked.paging = paging;
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Query<T> {
    /// Every resource, page by page as they are wanted.
    pub fn all(self) -> All<T> {
        All::new(self.pages())
    }

    /// Every page, as they are wanted.
    pub fn pages(self) -> Pages<T> {
        Pages::new(Walk::new(self.asked))
    }

    /// The first that there is, if any: what a client asks that looks for one user by a unique attribute. Pages by cursor
    /// may be empty and others follow nevertheless (RFC 9865 section 2); it is looked for on those, too.
    ///
    /// # Errors
    ///
    /// As every request, and when the server would lead in circles.
    pub async fn first(mut self) -> Result<Option<Versioned<T>>, Error> {
        self.asked.count = Some(1);
        All::new(Pages::new(Walk::anywhere(self.asked))).next().await.transpose()
    }

    /// How many there are, none of them shown.
    ///
    /// # Errors
    ///
    /// As every request, and when the server does not say.
    pub async fn count(mut self) -> Result<u64, Error> {
        self.asked.count = Some(0);
        let page: Page<Value> = self.asked.page(&At::Anywhere).await?;
        page.total_results.ok_or_else(|| Error::malformed(200, "there is no `totalResults`"))
    }
}

impl Asked {
    /// One page.
    pub(crate) async fn page<T: DeserializeOwned>(&self, at: &At) -> Result<Page<T>, Error> {
        Page::from_answer(Raw(send(&self.client, &self.call(at)).await?))
    }

    fn call(&self, at: &At) -> Call {
        if self.by_post {
            let mut call = Call::new(Method::POST, format!("{}/.search", self.endpoint));
            call.reads = true;
            return call.with_body(&self.message(at));
        }
        let mut call = Call::new(Method::GET, self.endpoint.clone());
        call.query = query(self.parameters(at));
        call
    }

    fn parameters(&self, at: &At) -> Vec<(&'static str, String)> {
        let order = self.sort_order.map(SortOrder::as_str);
        let mut parameters = self.selection.parameters();
        parameters.extend(self.filter.clone().map(|filter| ("filter", filter)));
        parameters.extend(self.sort_by.clone().map(|path| ("sortBy", path)));
        parameters.extend(order.map(|order| ("sortOrder", order.to_owned())));
        parameters.extend(self.count.map(|count| ("count", count.to_string())));
        match at {
            At::Anywhere => {}
            At::Index(index) => parameters.push(("startIndex", index.to_string())),
            At::Cursor(cursor) => parameters.push(("cursor", cursor.clone())),
        }
        parameters
    }

    /// The SearchRequest of RFC 7644 section 3.4.3, figure 2, and RFC 9865 section 3.
    fn message(&self, at: &At) -> Value {
        let mut message = Map::from_iter([("schemas".to_owned(), json!([urns::SEARCH_REQUEST]))]);
        let lists = [("attributes", &self.selection.attributes), ("excludedAttributes", &self.selection.excluded)];
        let lists = lists.into_iter().filter(|(_, names)| !names.is_empty());
        message.extend(lists.map(|(name, names)| (name.to_owned(), names.clone().into())));
        let texts = [("filter", &self.filter), ("sortBy", &self.sort_by)];
        message.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into()))));
        message.extend(self.sort_order.map(|order| ("sortOrder".to_owned(), order.as_str().into())));
        message.extend(self.count.map(|count| ("count".to_owned(), count.into())));
        match at {
            At::Anywhere => {}
            At::Index(index) => drop(message.insert("startIndex".to_owned(), (*index).into())),
            At::Cursor(cursor) => drop(message.insert("cursor".to_owned(), cursor.as_str().into())),
        }
        message.into()
    }
}

impl SortOrder {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

impl<T: DeserializeOwned> FromAnswer for Page<T> {
    fn from_answer(Raw(answer): Raw) -> Result<Self, Error> {
        let Answer { status, .. } = answer;
        let json = answer.json()?;
        if !json.is_object() {
            return Err(Error::malformed(status, "a list is a JSON object"));
        }
        let resources = match member(&json, "Resources") {
            Some(Value::Array(resources)) => resources.clone(),
            None | Some(Value::Null) if member(&json, "totalResults").is_some() => Vec::new(),
            _ => return Err(Error::malformed(status, "`Resources` is no list")),
        };
        let name =
            |one: &Value| member(one, "id").and_then(Value::as_str).map_or_else(|| one.to_string(), str::to_owned);
        let number = |name: &str| member(&json, name).and_then(Value::as_u64);
        let cursor = |name: &str| match member(&json, name) {
            None | Some(Value::Null) => Ok(None),
            // An empty cursor would begin again.
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|cursor| !cursor.is_empty())),
            // Whoever took it for none would take this page for the last.
            Some(_) => Err(Error::malformed(status, format!("`{name}` is no string"))),
        };
        Ok(Self {
            total_results: number("totalResults"),
            start_index: number("startIndex"),
            next_cursor: cursor("nextCursor")?,
            previous_cursor: cursor("previousCursor")?,
            names: resources.iter().map(name).collect(),
            resources: resources.into_iter().map(|one| Versioned::read(status, one)).collect::<Result<_, _>>()?,
        })
    }
}

impl<T> Clone for Query<T> {
    fn clone(&self) -> Self {
        Self { asked: self.asked.clone(), answer: PhantomData }
    }
}

impl<T> fmt::Debug for Query<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the filter, for it may name people.
        let Asked { endpoint, by_post, paging, count, .. } = &self.asked;
        let mut debug = out.debug_struct("Query");
        debug.field("endpoint", endpoint).field("by_post", by_post).field("paging", paging).field("count", count);
        debug.finish_non_exhaustive()
    }
}
