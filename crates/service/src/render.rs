//! Records as clients see them: URIs, versions, projections.

use scimwright_core::{Catalog, ResourceType, View};
use scimwright_store::{Endpoints, Record};
use serde_json::{Map, Value};

use crate::Context;

/// What turns ids into URIs for a caller.
pub(crate) fn endpoints<'e>(context: &'e Context, catalog: &'e Catalog) -> Endpoints<'e> {
    Endpoints { base: &context.base, served: catalog.resource_types() }
}

/// The representation of a record.
pub(crate) fn render(
    context: &Context,
    catalog: &Catalog,
    resource_type: &ResourceType,
    record: &Record,
    view: &View<'_>,
    just_set: &[&str],
) -> Map<String, Value> {
    view.show(&endpoints(context, catalog).represent(resource_type, record), just_set)
}
