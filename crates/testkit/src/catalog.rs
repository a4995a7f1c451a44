//! The catalog that vectors speak of: RFC 7643's types, and `Gadget`, which has every data type and characteristic.

use scimwright_core::{Catalog, CatalogError, ResourceTypeSpec};
use serde_json::Value;

/// The standard catalog with `Gadget` and its extension.
///
/// # Errors
///
/// Never: what it loads ships with this crate and a test loads it.
pub fn vector_catalog() -> Result<Catalog, CatalogError> {
    let load = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    Catalog::standard()
        .with_schema(&load(include_str!("../schemas/Gadget.json")))?
        .with_schema(&load(include_str!("../schemas/GadgetBench.json")))?
        .with_resource_type(ResourceTypeSpec::from_json(load(include_str!("../schemas/ResourceType-Gadget.json"))))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_vector_catalog_loads() {
        assert!(super::vector_catalog().unwrap().resource_type("Gadget").is_some());
    }
}
