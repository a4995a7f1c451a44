//! Decisions: pure functions from what is there and what was sent to what shall be written. Nothing here waits.

use std::collections::{BTreeSet, HashMap};

use scimwright_compat::{Quirk, Quirks};
use scimwright_core::{Admit, Catalog, Instant, Resource, ResourceType, ScimError, ScimType, Unknown};
use scimwright_patch::{PatchOptions, PatchRequest};
use scimwright_store::{Delta, Draft, Event, Fact, IndexKey, Key, Member, Record, Transition};
use serde_json::{Map, Value};

use crate::policy::{Policy, Writing};
use crate::render::endpoints;
use crate::secrets::keep_secrets;
use crate::{Context, index_keys};

/// What shall be written, before it is.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) draft: Draft,
    pub(crate) members: Delta,
    /// Whether the document or the notes differ from what is stored.
    pub(crate) rewritten: bool,
    pub(crate) facts: Vec<Fact>,
    pub(crate) changed: Vec<String>,
    pub(crate) transition: Option<Transition>,
    pub(crate) quirks: Quirks,
    /// The top-level names that the request gave a value.
    pub(crate) set: Vec<String>,
    /// Whether the provider takes over a record that was not its own.
    linked: bool,
}

impl Decision {
    /// Whether there is nothing to write.
    pub(crate) const fn is_nothing(&self) -> bool {
        !self.rewritten && self.members.is_empty()
    }

    /// The log entry of this decision.
    pub(crate) fn event(&self, context: &Context, operation: &str, status: u16, time: Instant) -> Event {
        let mut event = event(context, operation, Some(self.draft.key.clone()), status, time);
        event.changed.clone_from(&self.changed);
        event.transition = self.transition;
        event.joined = self.members.join.iter().map(|member| member.id.clone()).collect();
        event.left.clone_from(&self.members.leave);
        event.quirks = names(self.quirks.union(context.quirks));
        event.detail = match (self.linked, self.is_nothing()) {
            (true, _) => Some("linked: the provider manages it from now on".to_owned()),
            (false, true) => Some("nothing changed".to_owned()),
            (false, false) => None,
        };
        event
    }
}

/// A log entry that says who asked for what.
pub(crate) fn event(context: &Context, operation: &str, target: Option<Key>, status: u16, time: Instant) -> Event {
    let mut event = Event::default();
    event.time = time.to_string();
    event.actor = context.actor.to_string();
    event.operation = operation.to_owned();
    event.target = target;
    event.status = status;
    event
}

pub(crate) fn names(quirks: Quirks) -> Vec<String> {
    quirks.iter().map(|quirk| quirk.name().to_owned()).collect()
}

/// What a body says, apart from what is kept as rows.
pub(crate) struct Incoming {
    pub(crate) resource: Resource,
    pub(crate) members: Vec<Member>,
    pub(crate) quirks: Quirks,
    set: Vec<String>,
    given: Vec<String>,
}

/// Reads the body of a POST, or of a PUT over what is stored.
pub(crate) fn incoming(
    context: &Context,
    resource_type: &ResourceType,
    mut body: Value,
    stored: Option<&Resource>,
) -> Result<Incoming, ScimError> {
    let mut quirks = context.profile.repair(resource_type, &mut body);
    let admit = Admit::new(resource_type).unknown(unknown(context));
    let given: Vec<String> = body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default();
    let admitted = match stored {
        None => admit.create(body)?,
        Some(stored) => admit.replace(body, stored)?,
    };
    if !admitted.ignored.is_empty() {
        quirks.insert(Quirk::UnknownAttributes);
    }
    let mut resource = admitted.resource;
    // What a PUT left out and the server kept is not what the request set.
    let is_given = |name: &&String| given.iter().any(|given| given.eq_ignore_ascii_case(name));
    let set = resource.as_map().keys().filter(is_given).cloned().collect();
    let members = take_members(resource_type, &mut resource)?;
    Ok(Incoming { resource, members, quirks, set, given })
}

/// A POST: the new record, with an id of ours.
pub(crate) fn create(
    context: &Context,
    resource_type: &ResourceType,
    incoming: &Incoming,
    id: String,
    known: &[Fact],
) -> Result<Decision, ScimError> {
    let members = delta(context, resource_type, incoming.members.clone(), Vec::new());
    let key = Key::new(resource_type.name.clone(), id);
    finish(
        context,
        resource_type,
        Next {
            key,
            before: None,
            adopts: None,
            resource: incoming.resource.clone(),
            members,
            known,
            quirks: incoming.quirks,
            set: incoming.set.clone(),
            given: &incoming.given,
        },
    )
}

/// A POST that takes over a record that was there: what the request says replaces what is stored, the rest stays.
pub(crate) fn adopt(
    context: &Context,
    resource_type: &ResourceType,
    incoming: &Incoming,
    holder: &Record,
) -> Result<Decision, ScimError> {
    let mut merged = holder.resource.as_map().clone();
    if holder.key.resource_type == retired(resource_type) {
        // Who was out of sight may have values of an extension that went meanwhile. No index knows them, so they go too.
        let known = |name: &str| resource_type.attribute(name).is_some() || resource_type.extension(name).is_some();
        merged.retain(|name, _| known(name));
    }
    for (name, value) in incoming.resource.as_map() {
        match (merged.get_mut(name), value) {
            (Some(Value::Object(there)), Value::Object(new)) if resource_type.extension(name).is_some() => {
                there.append(&mut new.clone())
            }
            _ => drop(merged.insert(name.clone(), value.clone())),
        }
    }
    let resource = Admit::new(resource_type).patched(&holder.resource, merged)?;
    let members = delta(context, resource_type, incoming.members.clone(), Vec::new());
    finish(
        context,
        resource_type,
        Next {
            key: Key::new(resource_type.name.clone(), holder.key.id.clone()),
            before: Some(holder),
            adopts: Some(&incoming.resource),
            resource,
            members,
            known: &[],
            quirks: incoming.quirks,
            set: incoming.set.clone(),
            given: &incoming.given,
        },
    )
}

/// A PUT.
pub(crate) fn replace(
    context: &Context,
    resource_type: &ResourceType,
    body: Value,
    before: &Record,
) -> Result<Decision, ScimError> {
    let incoming = incoming(context, resource_type, body, Some(&before.resource))?;
    let wanted: BTreeSet<_> = incoming.members.iter().map(|member| &member.id).collect();
    let there: BTreeSet<_> = before.members.iter().map(|member| &member.id).collect();
    let leave = there.difference(&wanted).map(|id| (*id).clone()).collect();
    let join = incoming.members.iter().filter(|member| !there.contains(&member.id)).cloned().collect();
    let members = delta(context, resource_type, join, leave);
    finish(
        context,
        resource_type,
        Next {
            key: before.key.clone(),
            before: Some(before),
            adopts: None,
            resource: incoming.resource,
            members,
            known: &[],
            quirks: incoming.quirks,
            set: incoming.set,
            given: &incoming.given,
        },
    )
}

/// A PATCH over a record that came with the members it needs to see.
pub(crate) fn patch(
    context: &Context,
    catalog: &Catalog,
    resource_type: &ResourceType,
    (request, repaired): (&PatchRequest, Quirks),
    options: &PatchOptions,
    before: &Record,
) -> Result<Decision, ScimError> {
    let mut whole = before.whole(resource_type);
    // What a client was shown of a member is there, and does not change.
    endpoints(context, catalog).refer_to_members(resource_type, &mut whole);
    let patched = scimwright_patch::apply(resource_type, &whole, request, options)?;
    let moved = scimwright_patch::membership_delta(resource_type, &whole, &patched.resource);
    let leniencies = patched.leniencies.iter().filter_map(|name| name.parse::<Quirk>().ok());
    let mut quirks = repaired.union(leniencies.collect());
    if !patched.ignored.is_empty() {
        quirks.insert(Quirk::UnknownAttributes);
    }
    let mut resource = patched.resource;
    let after = members_of(resource_type, &resource).to_vec();
    for rows in [&resource_type.membership, &resource_type.member_of].into_iter().flatten() {
        resource.take(rows);
    }
    let mut join = read_members(resource_type, &moved.joined)?;
    let mut leave = moved.left;
    // Only its row knows the name that a member was given, so who gets one comes in anew.
    let renamed = renamed(before, &read_members(resource_type, &after)?);
    leave.extend(renamed.iter().map(|member| member.id.clone()));
    join.extend(renamed);
    let members = delta(context, resource_type, join, leave);
    finish(
        context,
        resource_type,
        Next {
            key: before.key.clone(),
            before: Some(before),
            adopts: None,
            resource,
            members,
            known: &[],
            quirks,
            set: patched.set,
            given: &[],
        },
    )
}

/// The members that stay under another name for people than they had.
fn renamed(before: &Record, after: &[Member]) -> Vec<Member> {
    let displays: HashMap<&str, &Option<String>> =
        before.members.iter().map(|member| (member.id.as_str(), &member.display)).collect();
    let is_renamed = |member: &&Member| displays.get(member.id.as_str()).is_some_and(|old| **old != member.display);
    after.iter().filter(is_renamed).cloned().collect()
}

/// DELETE where the policy keeps the record: one typed transition, the same that PATCH and PUT make.
pub(crate) fn deactivate(
    context: &Context,
    resource_type: &ResourceType,
    before: &Record,
) -> Result<Decision, ScimError> {
    let mut resource = before.resource.clone();
    resource.put("active", false.into());
    finish(
        context,
        resource_type,
        Next {
            key: before.key.clone(),
            before: Some(before),
            adopts: None,
            resource,
            members: Delta::default(),
            known: &[],
            quirks: Quirks::NONE,
            set: Vec::new(),
            given: &[],
        },
    )
}

/// What the name of the type of a retired record ends with.
pub(crate) const RETIRED: &str = "~retired";

/// The type under which a retired record is kept: no endpoint leads there.
pub(crate) fn retired(resource_type: &ResourceType) -> String {
    format!("{}{RETIRED}", resource_type.name)
}

/// Who joins and leaves, by the rules that the policy has for groups of this type.
fn delta(context: &Context, resource_type: &ResourceType, join: Vec<Member>, leave: Vec<String>) -> Delta {
    Delta {
        join,
        leave,
        exclusive: context.policy.exclusive_membership(resource_type),
        of: context.policy.member_types(resource_type),
    }
}

/// What the engines of PATCH may tolerate for this caller.
pub(crate) fn patch_options(
    context: &Context,
    syntax: scimwright_filter::Syntax,
    max_operations: usize,
) -> PatchOptions {
    let has = |quirk| context.profile.has(quirk);
    PatchOptions {
        syntax,
        max_operations,
        create_on_no_match: has(Quirk::CreateOnNoMatch),
        remove_with_value: has(Quirk::RemoveWithValue),
        boolean_strings: has(Quirk::BooleanStrings),
        empty_string_clears: has(Quirk::EmptyStringClears),
        reference_as_string: has(Quirk::ReferenceAsString),
        extra_members: has(Quirk::PatchExtraMembers),
        unknown: unknown(context),
    }
}

/// The common end of every decision.
struct Next<'n> {
    key: Key,
    before: Option<&'n Record>,
    adopts: Option<&'n Resource>,
    resource: Resource,
    members: Delta,
    known: &'n [Fact],
    quirks: Quirks,
    set: Vec<String>,
    given: &'n [String],
}

fn finish(context: &Context, resource_type: &ResourceType, next: Next<'_>) -> Result<Decision, ScimError> {
    let Next { key, before, adopts, mut resource, members, known, quirks, set, given } = next;
    let mut linked = false;
    keep_secrets(context, resource_type, before, &mut resource)?;
    let mut notes = before.map(|before| before.notes.clone()).unwrap_or_default();
    let mut facts = Vec::new();
    context.policy.before_write(&mut Writing {
        resource_type,
        before,
        adopts,
        given,
        linked: &mut linked,
        resource: &mut resource,
        notes: &mut notes,
        known,
        facts: &mut facts,
    })?;
    let changed = difference(before.map(|before| &before.resource), &resource);
    let rewritten = before.is_none_or(|before| before.notes != notes) || !changed.is_empty();
    let transition = match before.map(|before| context.policy.is_active(&before.resource)) {
        Some(true) if !context.policy.is_active(&resource) => Some(Transition::Deactivated),
        Some(false) if context.policy.is_active(&resource) => Some(Transition::Reactivated),
        _ => None,
    };
    let index = keys(&*context.policy, resource_type, &resource);
    let display = display(&resource);
    let draft = Draft { key, resource, index, display, notes, created: None };
    Ok(Decision { draft, members, rewritten, facts, changed, transition, quirks, set, linked })
}

/// The keys by which a store finds a resource: those of the schema and those of the policy.
pub(crate) fn keys(policy: &dyn Policy, resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
    let mut index = index_keys(resource_type, resource);
    index.extend(policy.keys(resource_type, resource));
    index
}

/// The name for people that shows wherever others refer to a resource.
pub(crate) fn display(resource: &Resource) -> Option<String> {
    resource.get("displayName").or_else(|| resource.get("userName")).and_then(Value::as_str).map(str::to_owned)
}

fn unknown(context: &Context) -> Unknown {
    if context.profile.has(Quirk::UnknownAttributes) { Unknown::Ignore } else { Unknown::Refuse }
}

/// Splits off the members that a document brings.
fn take_members(resource_type: &ResourceType, resource: &mut Resource) -> Result<Vec<Member>, ScimError> {
    let members = read_members(resource_type, members_of(resource_type, resource))?;
    resource_type.membership.as_ref().map(|attribute| resource.take(attribute));
    Ok(members)
}

/// The values that name members.
fn members_of<'r>(resource_type: &ResourceType, resource: &'r Resource) -> &'r [Value] {
    let values = resource_type.membership.as_ref().and_then(|attribute| resource.get(attribute));
    values.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The members that these values name.
fn read_members(resource_type: &ResourceType, values: &[Value]) -> Result<Vec<Member>, ScimError> {
    let attribute = resource_type.membership.as_deref().unwrap_or_default();
    let missing = || ScimError::bad(ScimType::InvalidValue, format!("`{attribute}` has a value without `value`"));
    values.iter().map(|value| Member::from_json(value).ok_or_else(missing)).collect()
}

/// The names of the top-level attributes that differ; `meta` and `id` are the server's own.
fn difference(before: Option<&Resource>, after: &Resource) -> Vec<String> {
    let empty = Map::new();
    let before = before.map_or(&empty, Resource::as_map);
    let names: BTreeSet<&String> = before.keys().chain(after.as_map().keys()).collect();
    let own = |name: &&&String| name.as_str() != "meta" && name.as_str() != "id";
    names.iter().filter(own).filter(|name| before.get(**name) != after.get(name)).map(|name| (*name).clone()).collect()
}
