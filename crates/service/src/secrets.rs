//! What of a secret, such as `password`, gets into a store: RFC 7643 section 9.2.

use scimwright_core::{Attribute, Resource, ResourceType, ScimError, is_assigned};
use scimwright_store::Record;
use serde_json::Value;

use crate::Context;

/// What is stored of secrets is the policy's to say, and whether they are good enough; the clear text goes no further (RFC
/// 7643 section 9.2).
pub(crate) fn keep_secrets(
    context: &Context,
    resource_type: &ResourceType,
    before: Option<&Record>,
    resource: &mut Resource,
) -> Result<(), ScimError> {
    let old = |name: &str| before.and_then(|before| before.resource.get(name));
    let seal = |path: &str, value: &Value| {
        context.policy.check_secret(resource_type, path, value)?;
        Ok(context.policy.secret(resource_type, path, value))
    };
    for attribute in resource_type.attributes().iter().filter(|attribute| has_secret(attribute)) {
        let name = attribute.name.as_str();
        if let Some(value) = resource.take(name) {
            let old: Vec<&Value> = old(name).into_iter().collect();
            resource.put(name, sealed(attribute, name, value, &old, &seal)?.unwrap_or_default());
        }
    }
    for extension in &resource_type.extensions {
        let urn = extension.schema.id.as_str();
        let hiding: Vec<&Attribute> =
            extension.schema.attributes.iter().filter(|attribute| has_secret(attribute)).collect();
        if hiding.is_empty() {
            continue;
        }
        let Some(Value::Object(mut inside)) = resource.take(urn) else { continue };
        for attribute in hiding {
            let name = attribute.name.as_str();
            let old: Vec<&Value> = old(urn).and_then(|old| old.get(name)).into_iter().collect();
            let Some(value) = inside.remove(name) else { continue };
            let kept = sealed(attribute, name, value, &old, &seal)?;
            inside.extend(kept.map(|kept| (name.to_owned(), kept)));
        }
        if inside.is_empty()
            && let Some(Value::Array(mut schemas)) = resource.take("schemas")
        {
            schemas.retain(|own| own.as_str() != Some(urn));
            resource.put("schemas", schemas.into());
        }
        resource.put(urn, inside.into());
    }
    Ok(())
}

/// Whether the attribute or a part of it is secret.
fn has_secret(attribute: &Attribute) -> bool {
    attribute.is_hidden() || attribute.sub_attributes.iter().any(Attribute::is_hidden)
}

/// What is stored of the secret at a path: the policy's work.
type Seal<'s> = dyn Fn(&str, &Value) -> Result<Option<Value>, ScimError> + 's;

/// A value as it may be stored. Of its secrets, what is in one of the old values is the policy's own work already.
fn sealed(
    attribute: &Attribute,
    path: &str,
    value: Value,
    old: &[&Value],
    seal: &Seal<'_>,
) -> Result<Option<Value>, ScimError> {
    if attribute.is_hidden() {
        return if old.contains(&&value) { Ok(Some(value)) } else { seal(path, &value) };
    }
    let whole: Value = match value {
        Value::Object(mut object) => {
            for sub in attribute.sub_attributes.iter().filter(|sub| sub.is_hidden()) {
                let name = sub.name.as_str();
                let old: Vec<&Value> = old.iter().filter_map(|old| old.get(name)).collect();
                let Some(value) = object.remove(name) else { continue };
                let kept = sealed(sub, &format!("{path}.{name}"), value, &old, seal)?;
                object.extend(kept.map(|kept| (name.to_owned(), kept)));
            }
            object.into()
        }
        Value::Array(items) => {
            let old: Vec<&Value> = old.iter().filter_map(|old| old.as_array()).flatten().collect();
            let kept = items.into_iter().map(|item| sealed(attribute, path, item, &old, seal));
            kept.filter_map(Result::transpose).collect::<Result<_, _>>()?
        }
        simple => simple,
    };
    Ok(is_assigned(&whole).then_some(whole))
}
