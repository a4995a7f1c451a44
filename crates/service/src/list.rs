//! Lists: RFC 7644 section 3.4.2, RFC 9865.

use std::sync::Arc;

use scimwright_compat::{Quirk, Quirks};
use scimwright_core::{AttrPath, ResourceType, ScimError, ScimType, Selection, View, urns};
use scimwright_filter::{BindError, Binding, Filter, SortBy};
use scimwright_store::{Key, Mark, Members, Page, Part, Query, Record, Start};
use serde_json::{Map, Value, json};

use crate::cursor::Cursor;
use crate::operation::{ListQuery, Reply};
use crate::render::render;
use crate::service::shown_members;
use crate::{Context, Service};

/// How the client goes from page to page.
enum Paging {
    /// From this one on: RFC 7644 section 3.4.2.4.
    Index(usize),
    /// RFC 9865, with what tells this query from others.
    Cursor(Cursor, String),
}

impl Service {
    pub(crate) async fn list(
        &self,
        context: &Context,
        resource_type: Option<Arc<ResourceType>>,
        asked: &ListQuery,
        selection: &Selection,
    ) -> Result<Reply, ScimError> {
        let types = match &resource_type {
            Some(one) => std::slice::from_ref(one),
            None => self.catalog_of(context).resource_types(),
        };
        let (mut paging, count) = self.paging(context, types, asked, selection)?;
        let mut quirks = context.quirks;
        let parts = self.parts(context, types, asked, selection, &mut quirks)?;
        let mut query = Query::over(parts, count);
        query.base = context.base.clone();
        query.served = self.catalog_of(context).resource_types().into();
        query.descending = query.is_sorted() && descending(asked)?;
        match &mut paging {
            Paging::Index(start) => query.start = Start::Offset(*start - 1),
            Paging::Cursor(cursor, _) => {
                cursor.restore(self.mark_of(context, &query, cursor).await?)?;
                query.start = cursor.start();
                // To count what a filter selects may cost far more than the page, and RFC 9865 section 2 does not insist.
                query.total = count == 0 || asked.filter.is_none();
            }
        }
        self.check_depth(context, &query).await?;
        let page =
            self.store.find(&context.tenant, &query).await.map_err(|error| Self::unavailable(context, &error))?;
        let body = self.page_body(context, &query, &paging, &page, selection)?;
        Ok(Reply { status: 200, body: Some(body), quirks, ..Reply::default() })
    }

    /// Where the page begins, and how many resources it has at most.
    fn paging(
        &self,
        context: &Context,
        types: &[Arc<ResourceType>],
        asked: &ListQuery,
        selection: &Selection,
    ) -> Result<(Paging, usize), ScimError> {
        let max = self.limits.max_count.max(1);
        let count = asked.count.map_or(self.limits.default_count.clamp(1, max), at_least_zero);
        let Some(text) = &asked.cursor else {
            let start = asked.start_index.map_or(1, |start| at_least_zero(start).max(1));
            return Ok((Paging::Index(start), count.min(max)));
        };
        if asked.start_index.is_some() {
            // Ruling R-25.
            let detail = "`startIndex` and `cursor` are two ways through a list: give one of them";
            return Err(ScimError::bad(ScimType::InvalidValue, detail));
        }
        let invalid = |detail: String| ScimError::bad(ScimType::InvalidCount, detail);
        if count > max {
            return Err(invalid(format!("with a cursor, `count` is at most {max}")));
        }
        let ListQuery { filter, sort_by, sort_order, .. } = asked;
        let types: Vec<_> = types.iter().map(|own| own.name.as_str()).collect();
        let query = json!([context.tenant.as_str(), types, filter, sort_by, sort_order, selection.to_string()]);
        let query = query.to_string();
        let now = (self.clock)();
        let cursor = if text.is_empty() {
            Cursor { made: now, count, back: false, mark: None, digest: None }
        } else {
            self.cursors.open(text, &query, now, self.limits.cursor_timeout)?
        };
        if cursor.count != count {
            return Err(invalid(format!("the pages of this cursor are of {}: repeat that `count`", cursor.count)));
        }
        Ok((Paging::Cursor(Cursor { made: now, ..cursor }, query), count))
    }

    /// What is asked of each type.
    fn parts(
        &self,
        context: &Context,
        types: &[Arc<ResourceType>],
        asked: &ListQuery,
        selection: &Selection,
        quirks: &mut Quirks,
    ) -> Result<Vec<Part>, ScimError> {
        let filter = asked.filter.as_deref().map(|text| self.filter(context, text, quirks)).transpose()?;
        let sort: Option<AttrPath> = match asked.sort_by.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(text.parse().map_err(|error| unsortable(&error))?),
        };
        let mut parts = Vec::with_capacity(types.len());
        for resource_type in types {
            let binding = Binding {
                resource_type,
                served: self.catalog_of(context).resource_types(),
                boolean_strings: context.profile.has(Quirk::FilterBooleanStrings),
            };
            let mut part = Part::new(resource_type.clone());
            part.members = shown_members(resource_type, selection);
            if let Some(filter) = &filter {
                let bound = filter.bind(&binding).map_err(unfilterable)?;
                if bound.coerced_booleans {
                    quirks.insert(Quirk::FilterBooleanStrings);
                }
                part.filter = Some(bound);
            }
            if let Some(path) = &sort {
                part.sort = SortBy::bind(path, &binding).map_err(|error| unsortable(&error))?;
            }
            parts.push(part);
        }
        Ok(parts)
    }

    /// The filter of a request, as the client's profile reads it.
    fn filter(&self, context: &Context, text: &str, quirks: &mut Quirks) -> Result<Filter, ScimError> {
        let malformed = |error| ScimError::bad(ScimType::InvalidFilter, format!("the filter is malformed: {error}"));
        let parsed = self.syntax(context).filter(text).map_err(malformed)?;
        quirks.extend(parsed.leniencies.into_iter().map(Quirk::from));
        Ok(match context.profile.rewrite(&parsed.value) {
            Some(rewritten) => {
                quirks.insert(Quirk::Alias);
                rewritten
            }
            None => parsed.value,
        })
    }

    /// Where the record of a cursor stands now, when the cursor could not say by what value it is sorted.
    async fn mark_of(&self, context: &Context, query: &Query, cursor: &Cursor) -> Result<Option<Mark>, ScimError> {
        let Some(mark) = cursor.mark.as_ref().filter(|_| cursor.digest.is_some()) else { return Ok(None) };
        let Some(part) = query.parts.iter().position(|part| part.resource_type.name == mark.resource_type) else {
            return Ok(None);
        };
        let key = Key::new(mark.resource_type.clone(), mark.id.clone());
        let found = self.store.get(&context.tenant, &key, Members::All).await;
        let record = found.map_err(|error| Self::unavailable(context, &error))?;
        let place = record.and_then(|record| query.place_of_selected(part, &record));
        Ok(place.and_then(|place| query.mark(&place)))
    }

    /// A sorted list may have to keep in order whatever stands before its page, and that must end somewhere (RFC 7644 section 3.12,
    /// `tooMany`). Behind the end of a shorter list there is nothing to keep.
    async fn check_depth(&self, context: &Context, query: &Query) -> Result<(), ScimError> {
        let max = self.limits.max_sorted_index;
        let deep = match query.start {
            Start::Offset(offset) => offset > 0 && query.is_sorted() && offset.saturating_add(query.count) > max,
            Start::After(_) | Start::Before(_) => false,
        };
        if !deep {
            return Ok(());
        }
        let mut all = query.clone();
        (all.start, all.count) = (Start::Offset(0), 0);
        all.parts.iter_mut().for_each(|part| part.sort = None);
        let found = self.store.find(&context.tenant, &all).await.map_err(|error| Self::unavailable(context, &error))?;
        if found.total.is_some_and(|total| total > max as u64) {
            let detail = format!("a sorted list is open up to index {max}: use a filter, or `cursor` for all of it");
            return Err(ScimError::bad(ScimType::TooMany, detail));
        }
        Ok(())
    }

    /// The ListResponse.
    fn page_body(
        &self,
        context: &Context,
        query: &Query,
        paging: &Paging,
        page: &Page,
        selection: &Selection,
    ) -> Result<Map<String, Value>, ScimError> {
        let views: Vec<_> = query.parts.iter().map(|part| View::new(&part.resource_type, selection)).collect();
        let catalog = self.catalog_of(context);
        let show = |record: &Record| {
            let of = |(part, _): &(&Part, &View<'_>)| part.resource_type.name == record.key.resource_type;
            let (part, view) = query.parts.iter().zip(&views).find(of)?;
            Some(render(context, catalog, &part.resource_type, record, view, &[]))
        };
        let resources: Vec<_> = page.records.iter().filter_map(show).collect();
        let mut body = Map::new();
        body.insert("schemas".to_owned(), json!([urns::LIST_RESPONSE]));
        let whole = matches!(query.start, Start::Offset(0)) && !page.more;
        if let Some(total) = page.total.or(whole.then_some(page.records.len() as u64)) {
            body.insert("totalResults".to_owned(), total.into());
        }
        match paging {
            Paging::Index(start) => {
                body.insert("startIndex".to_owned(), (*start).into());
            }
            Paging::Cursor(cursor, bound) => {
                let [previous, next] = neighbours(query, page);
                for (name, to) in [("previousCursor", previous), ("nextCursor", next)] {
                    if let Some((back, mark)) = to {
                        body.insert(name.to_owned(), self.cursors.seal(&cursor.to(back, mark), bound)?.into());
                    }
                }
            }
        }
        body.insert("itemsPerPage".to_owned(), resources.len().into());
        body.insert("Resources".to_owned(), resources.into());
        Ok(body)
    }
}

/// Where the pages before and behind a page begin: whether to go back, and from which mark.
type Neighbour = Option<(bool, Option<Mark>)>;

/// The pages before and behind a page, as far as there are any. Without resources asked for there are no pages.
fn neighbours(query: &Query, page: &Page) -> [Neighbour; 2] {
    if query.count == 0 {
        return [None, None];
    }
    let first = page.first.clone().map(|mark| (true, Some(mark)));
    let last = page.last.clone().map(|mark| (false, Some(mark)));
    match query.start {
        Start::Offset(_) => [None, last.filter(|_| page.more)],
        Start::After(_) => [first, last.filter(|_| page.more)],
        // Whoever goes back comes from somewhere. If everything before is gone by now, that is the beginning.
        Start::Before(_) => [first.filter(|_| page.more), last.or(Some((false, None)))],
    }
}

fn at_least_zero(number: i64) -> usize {
    usize::try_from(number.max(0)).unwrap_or(usize::MAX)
}

/// RFC 7644 section 3.4.2.3: without a word, ascending.
fn descending(asked: &ListQuery) -> Result<bool, ScimError> {
    match asked.sort_order.as_deref().map(str::trim) {
        None | Some("") => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("ascending") => Ok(false),
        Some(order) if order.eq_ignore_ascii_case("descending") => Ok(true),
        Some(_) => Err(ScimError::bad(ScimType::InvalidValue, "`sortOrder` is either `ascending` or `descending`")),
    }
}

fn unfilterable(error: BindError) -> ScimError {
    match error {
        // Ruling R-14: a filter on a secret could be used to guess it.
        BindError::Secret { .. } => ScimError::new(403, error.to_string()).with_type(ScimType::Sensitive),
        error => ScimError::bad(ScimType::InvalidFilter, error.to_string()),
    }
}

fn unsortable(error: &dyn std::fmt::Display) -> ScimError {
    ScimError::bad(ScimType::InvalidValue, format!("`sortBy` cannot be followed: {error}"))
}
