//! A resource type and an extension of one's own, as data: no struct, no trait, no code for either.

use scimwright::core::{Catalog, ResourceTypeSpec, Selection, urns};
use scimwright::service::{Context, ListQuery, Operation, Service};
use scimwright::store::InMemory;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalog = Catalog::standard()
        .with_schema(&json!({
        "id": "urn:example:params:scim:schemas:1.0:Badge", "name": "Badge", "attributes": [
            {"name": "number", "required": true, "caseExact": true, "uniqueness": "server", "mutability": "immutable"},
            {"name": "doors", "multiValued": true},
            {"name": "issued", "type": "dateTime"},
        ]}))?
        .with_resource_type(ResourceTypeSpec::from_json(json!({
            "name": "Badge", "endpoint": "/Badges", "schema": "urn:example:params:scim:schemas:1.0:Badge"})))?
        .with_schema(&json!({
            "id": "urn:example:params:scim:schemas:extension:1.0:Parking", "name": "Parking", "attributes": [
                {"name": "level", "type": "integer"}]}))?
        .with_extension("User", "urn:example:params:scim:schemas:extension:1.0:Parking", false)?;

    let service = Service::new(catalog, InMemory::default());
    let context = Context::new("acme".parse()?, "example", "https://example.com/scim/v2");
    let run = |operation| pollster::block_on(service.handle(&context, operation));

    for (name, body) in [
        (
            "Badge",
            json!({"schemas": ["urn:example:params:scim:schemas:1.0:Badge"], "number": "B-1", "DOORS": ["North", "Lab"]}),
        ),
        (
            "User",
            json!({"schemas": [urns::USER], "userName": "ada",
            "urn:example:params:scim:schemas:extension:1.0:Parking": {"level": 3}}),
        ),
    ] {
        let create =
            Operation::Create { resource_type: service.resource_type(name)?, body, selection: Selection::default() };
        run(create)?;
    }
    for (name, filter) in [
        ("Badge", r#"doors eq "lab" and not (issued pr)"#),
        ("User", "urn:example:params:scim:schemas:extension:1.0:Parking:level gt 2"),
    ] {
        let query = ListQuery { filter: Some(filter.to_owned()), ..ListQuery::default() };
        let resource_type = Some(service.resource_type(name)?);
        let list = Operation::List { resource_type, query, selection: Selection::default() };
        let found = run(list)?.body.unwrap_or_default();
        eprintln!("{filter}: {}", found.get("totalResults").unwrap_or(&json!(0)));
        assert_eq!(found.get("totalResults"), Some(&json!(1)), "the filter finds what was made");
    }
    Ok(())
}
