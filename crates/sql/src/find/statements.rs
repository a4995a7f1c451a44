//! The statements of a query, without running them.

use scimwright_store::{Query, TenantId};

use super::{Finder, Stands};
use crate::search::Region;
use crate::{Dialect, Statement};

/// The statements that [`find`](crate::find) may run for a query, so that a database can be asked how it goes about them. Where statements name ids
/// that others have found, some stand in for them, and a walk is shown as its first part where the page is one.
#[must_use]
pub fn statements(dialect: Dialect, tenant: &TenantId, query: &Query) -> Vec<Statement> {
    let finder = Finder::new(dialect, tenant, query);
    let direction = finder.direction();
    let mut statements = Vec::new();
    for search in &finder.parts {
        if query.total {
            statements.push(if search.pushdown.exact { search.count() } else { search.candidates() });
        }
        let page = |statement: Statement| statement.part(dialect, query.count.saturating_add(1), 0);
        match finder.index() {
            Some((search, index)) => {
                let mark = finder.mark.as_ref();
                statements.extend(search.absent(&index));
                statements.extend(search.along(&index, Region::With, direction, mark).map(page));
                statements.extend(search.along(&index, Region::Without, direction, mark).map(page));
            }
            None if query.is_sorted() => {
                statements.push(search.candidates());
                statements.push(search.reader.records_statement(&["a", "b"].map(str::to_owned)));
            }
            None => {
                let from = match finder.stands(search) {
                    Stands::Within(id) => Some(id),
                    Stands::Before | Stands::Behind => None,
                };
                statements.push(page(search.by_id(direction, from.as_deref())));
            }
        }
        statements.extend(search.beside());
    }
    statements
}
