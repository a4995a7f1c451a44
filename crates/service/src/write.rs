//! The one road of every write: load, decide, commit, show; again when somebody was faster.

use std::collections::HashSet;
use std::sync::Arc;

use scimwright_compat::Quirk;
use scimwright_core::{ResourceType, ScimError, ScimType, Selection, urns};
use scimwright_patch::{MembersNeeded, PatchRequest};
use scimwright_store::{
    Change, Delta, Displaced, Fact, Key, Member, Members, Membership, Record, StoreError, When, Write,
};
use serde_json::Value;

use crate::Context;
use crate::decide::{self, Decision, Incoming};
use crate::operation::{Expect, Operation, Reply};
use crate::outcome::{Written, taken, too_busy};
use crate::policy::{Adoption, Conflicting, Deletion};
use crate::service::{Service, check_version};

/// Members that turned out not to exist, dropped before a write is tried again.
type Strangers = Vec<String>;

impl Service {
    /// Does a write and enters it in the log, whatever came of it.
    pub(crate) async fn write(&self, context: &Context, operation: Operation) -> Result<Reply, ScimError> {
        let (name, target) = match &operation {
            Operation::Create { .. } => ("create", None),
            Operation::Replace { resource_type, id, .. } => ("replace", Some(Key::new(resource_type.name.clone(), id))),
            Operation::Patch { resource_type, id, .. } => ("patch", Some(Key::new(resource_type.name.clone(), id))),
            Operation::Delete { resource_type, id, .. } => ("delete", Some(Key::new(resource_type.name.clone(), id))),
            _ => return Err(ScimError::new(501, "this operation is not supported")),
        };
        let done = match operation {
            Operation::Create { resource_type, body, selection } => {
                self.create(context, &resource_type, body, &selection).await
            }
            Operation::Replace { resource_type, id, body, selection, expect } => {
                let target = Target { resource_type: &resource_type, id: &id, expect: expect.as_ref() };
                self.replace(context, target, body, &selection).await
            }
            Operation::Patch { resource_type, id, body, selection, expect } => {
                let target = Target { resource_type: &resource_type, id: &id, expect: expect.as_ref() };
                self.patch(context, target, body, &selection).await
            }
            Operation::Delete { resource_type, id, expect } => {
                self.delete(context, Target { resource_type: &resource_type, id: &id, expect: expect.as_ref() }).await
            }
            _ => return Err(ScimError::new(501, "this operation is not supported")),
        };
        if let Err(error) = &done {
            self.log_refusal(context, name, target, error).await;
        }
        done
    }

    async fn create(
        &self,
        context: &Context,
        resource_type: &Arc<ResourceType>,
        body: Value,
        selection: &Selection,
    ) -> Result<Reply, ScimError> {
        let mut incoming = decide::incoming(context, resource_type, body, None)?;
        let mut known = Vec::new();
        for name in context.policy.facts_wanted(resource_type, &incoming.resource) {
            let value = self.store.fact(&context.tenant, &name).await;
            let value = value.map_err(|error| Self::unavailable(context, &error))?;
            known.extend(value.map(|value| Fact { name, value: Some(value), when: When::Always }));
        }
        let mut purge = Vec::new();
        for _ in 0..self.limits.attempts {
            let id = uuid::Uuid::now_v7().to_string();
            let decision = decide::create(context, resource_type, &incoming, id, &known)?;
            self.check_keys(&decision)?;
            let time = self.moment_after(None);
            let mut change = Change::new(time, decision.event(context, "create", 201, time));
            change.guards = context.policy.guards(resource_type);
            change.facts.clone_from(&decision.facts);
            let write = Write::Insert { draft: decision.draft.clone(), members: self.joining(context, &decision) };
            match self.store.commit(&context.tenant, change.write(write)).await {
                Ok(committed) => {
                    let written = Written { decision, version: committed.version, time, status: 201, quiet: false };
                    return self.show_written(context, resource_type, None, written, selection).await;
                }
                Err(StoreError::Conflict { holder: Some(holder), path }) => {
                    let meeting = Meeting { holder: &holder, path: &path, purge: &mut purge };
                    if let Some(reply) = self.adopt(context, resource_type, &mut incoming, meeting, selection).await? {
                        return Ok(reply);
                    }
                }
                Err(StoreError::NoSuchMembers(strangers)) => self.pass_over(context, &mut incoming, &strangers)?,
                Err(StoreError::Stale(_)) => {}
                Err(error) => return Err(self.refusal(context, error)),
            }
        }
        Err(too_busy())
    }

    /// A creation met `holder`. None when the world has changed meanwhile and creating is worth another try.
    async fn adopt(
        &self,
        context: &Context,
        resource_type: &Arc<ResourceType>,
        incoming: &mut Incoming,
        meeting: Meeting<'_>,
        selection: &Selection,
    ) -> Result<Option<Reply>, ScimError> {
        let Meeting { holder, path, purge } = meeting;
        let found = self.store.get(&context.tenant, holder, Members::None).await;
        let Some(mut record) = found.map_err(|error| Self::unavailable(context, &error))? else { return Ok(None) };
        let retired = holder.resource_type == decide::retired(resource_type);
        let conflict = Conflicting { resource_type, incoming: &incoming.resource, holder: &record, path, retired };
        let Adoption::Adopt(status) = context.policy.adopt(&conflict) else { return Err(taken(path)) };
        let mut decision = decide::adopt(context, resource_type, incoming, &record)?;
        self.check_keys(&decision)?;
        if retired {
            // It was made when it was first made, and has left every group since.
            decision.draft.created = Some(record.created);
            record.member_of.clear();
        }
        let time = self.moment_after(Some(record.modified));
        let mut change = Change::new(time, decision.event(context, "link", status, time));
        change.facts.clone_from(&decision.facts);
        forget(context, purge, status, &mut change);
        let (draft, members) = (decision.draft.clone(), self.joining(context, &decision));
        let change = if retired {
            // It comes back to where it was, and takes a place again.
            change.guards = context.policy.guards(resource_type);
            let back = Write::Insert { draft, members };
            change.write(Write::Delete { key: record.key.clone(), expect: Some(record.version) }).write(back)
        } else {
            change.write(Write::Replace { draft, expect: record.version, members })
        };
        match self.store.commit(&context.tenant, change).await {
            Ok(committed) => {
                let written = Written { decision, version: committed.version, time, status, quiet: false };
                self.show_written(context, resource_type, Some(record), written, selection).await.map(Some)
            }
            Err(StoreError::Stale(_) | StoreError::NotFound(_)) => {
                purge.clear();
                Ok(None)
            }
            // Two who were deleted shared what this one has: the first comes back, the other is forgotten.
            Err(StoreError::Conflict { holder: Some(other), .. })
                if other.resource_type == decide::retired(resource_type)
                    && other != *holder
                    && !purge.contains(&other) =>
            {
                purge.push(other);
                Ok(None)
            }
            Err(StoreError::NoSuchMembers(strangers)) => self.pass_over(context, incoming, &strangers).map(|()| None),
            Err(error) => Err(self.refusal(context, error)),
        }
    }

    async fn replace(
        &self,
        context: &Context,
        target: Target<'_>,
        body: Value,
        selection: &Selection,
    ) -> Result<Reply, ScimError> {
        let members = if target.resource_type.membership.is_some() { Members::All } else { Members::None };
        let decide = |before: &Record| decide::replace(context, target.resource_type, body.clone(), before);
        self.change(context, target, Plan { name: "replace", members, commutes: false, decide: &decide }, selection)
            .await
    }

    async fn patch(
        &self,
        context: &Context,
        target: Target<'_>,
        mut body: Value,
        selection: &Selection,
    ) -> Result<Reply, ScimError> {
        let repaired = context.profile.repair_message(urns::PATCH_OP, &mut body);
        let options = decide::patch_options(context, self.syntax(context), self.limits.max_patch_operations);
        let request = match PatchRequest::from_json(body, &options) {
            Ok(request) => request,
            Err(error) => {
                // Whether the resource is there comes before what is wrong with the request.
                self.load(context, target.resource_type, target.id, Members::None).await?;
                return Err(error.into());
            }
        };
        let (members, commutes) = match request.members_needed(target.resource_type, &options) {
            MembersNeeded::None => (Members::None, true),
            MembersNeeded::Named(ids) => (Members::Named(ids), true),
            MembersNeeded::All => (Members::All, false),
        };
        let decide = |before: &Record| {
            decide::patch(
                context,
                self.catalog_of(context),
                target.resource_type,
                (&request, repaired),
                &options,
                before,
            )
        };
        self.change(context, target, Plan { name: "patch", members, commutes, decide: &decide }, selection).await
    }

    /// PUT and PATCH: decide over what is there, commit against the version that was read.
    async fn change(
        &self,
        context: &Context,
        target: Target<'_>,
        plan: Plan<'_>,
        selection: &Selection,
    ) -> Result<Reply, ScimError> {
        let mut strangers = Strangers::new();
        let mut purge: Vec<Key> = Vec::new();
        let mut turn = None;
        let quiet = plan.name == "patch";
        for _ in 0..self.limits.attempts {
            let before = self.load(context, target.resource_type, target.id, plan.members.clone()).await?;
            target.check(&before)?;
            let mut decision = (plan.decide)(&before)?;
            self.check_keys(&decision)?;
            drop_strangers(&mut decision, &strangers);
            let time = self.moment_after(Some(before.modified));
            let change = Change::new(time, decision.event(context, plan.name, 200, time));
            if decision.is_nothing() {
                self.store.commit(&context.tenant, change).await.map_err(|error| Self::unavailable(context, &error))?;
                let (version, time) = (before.version, before.modified);
                let written = Written { version, time, decision, status: 200, quiet };
                return self.show_written(context, target.resource_type, Some(before), written, selection).await;
            }
            let mut change = change;
            forget(context, &purge, 200, &mut change);
            let insist = target.expect.is_some() || !plan.commutes;
            let mut members = self.joining(context, &decision);
            if !insist {
                rely(&mut members, &plan.members, &before);
            }
            let mut change = change.write(write_of(&decision, &before, members, insist));
            change.facts.clone_from(&decision.facts);
            match self.store.commit(&context.tenant, change).await {
                Ok(committed) => {
                    let written = Written { decision, version: committed.version, time, status: 200, quiet };
                    return self.show_written(context, target.resource_type, Some(before), written, selection).await;
                }
                Err(StoreError::Stale(_)) if turn.is_none() => turn = self.turn(&context.tenant, target.id).await,
                Err(StoreError::Stale(_)) => {}
                Err(StoreError::NoSuchMembers(found)) if context.profile.has(Quirk::UnknownMembers) => {
                    strangers.extend(found)
                }
                // A deleted resource does not block a name (RFC 7644 section 3.6): what was kept of it goes.
                Err(StoreError::Conflict { holder: Some(other), .. })
                    if other.resource_type == decide::retired(target.resource_type) && !purge.contains(&other) =>
                {
                    purge.push(other);
                }
                Err(StoreError::NotFound(key)) if purge.contains(&key) => purge.retain(|other| *other != key),
                Err(error) => return Err(self.refusal(context, error)),
            }
        }
        Err(too_busy())
    }

    /// Refuses a value by which a resource is to be found and that is longer than an index takes.
    fn check_keys(&self, decision: &Decision) -> Result<(), ScimError> {
        let most = self.limits.max_key_bytes;
        match decision.draft.index.iter().find(|key| key.value.len() > most) {
            Some(key) => {
                let detail =
                    format!("`{}` has a value of more than {most} bytes, which is too long for its index", key.path);
                Err(ScimError::bad(ScimType::InvalidValue, detail))
            }
            None => Ok(()),
        }
    }

    /// Who joins and leaves: of the types that may, which are never those of retired records.
    fn joining(&self, context: &Context, decision: &Decision) -> Delta {
        let mut members = decision.members.clone();
        if members.of.is_empty() {
            members.of = self.catalog_of(context).resource_types().iter().map(|served| served.name.clone()).collect();
        }
        members
    }

    async fn delete(&self, context: &Context, target: Target<'_>) -> Result<Reply, ScimError> {
        for _ in 0..self.limits.attempts {
            let members = if target.resource_type.membership.is_some() { Members::All } else { Members::None };
            let before = self.load(context, target.resource_type, target.id, members).await?;
            target.check(&before)?;
            let time = self.moment_after(Some(before.modified));
            let mut change = match context.policy.deletion(&before) {
                Deletion::Remove => {
                    let mut event = decide::event(context, "delete", Some(before.key.clone()), 204, time);
                    event.quirks = decide::names(context.quirks);
                    // Deleting commutes with nothing that matters: only a version that the client named is insisted on.
                    let expect = target.expect.map(|_| before.version);
                    Change::new(time, event).write(Write::Delete { key: before.key.clone(), expect })
                }
                Deletion::Retire => {
                    let mut decision = decide::deactivate(context, target.resource_type, &before)?;
                    let event = decision.event(context, "delete", 204, time);
                    decision.draft.key.resource_type = decide::retired(target.resource_type);
                    decision.draft.created = Some(before.created);
                    // Only what a creation would meet keeps its place.
                    decision.draft.index = context.policy.retired_keys(target.resource_type, &decision.draft.resource);
                    let delete = Write::Delete { key: before.key.clone(), expect: Some(before.version) };
                    let keep = Write::Insert { draft: decision.draft, members: Delta::default() };
                    Change::new(time, event).write(delete).write(keep)
                }
                Deletion::Deactivate => {
                    let decision = decide::deactivate(context, target.resource_type, &before)?;
                    let change = Change::new(time, decision.event(context, "delete", 204, time));
                    if decision.is_nothing() {
                        change
                    } else {
                        change.write(write_of(&decision, &before, Delta::default(), true))
                    }
                }
            };
            // Who goes leaves his groups, and who goes as a group is left by its members.
            let goes = change.writes.iter().any(|write| matches!(write, Write::Delete { .. }));
            if let Some(event) = change.events.first_mut().filter(|_| goes) {
                let left = |membership: &Membership| Displaced {
                    group: membership.group.id.clone(),
                    member: before.key.id.clone(),
                };
                event.displaced = before.member_of.iter().map(left).collect();
                event.left = before.members.iter().map(|member| member.id.clone()).collect();
            }
            match self.store.commit(&context.tenant, change).await {
                Ok(_) => return Ok(Reply { status: 204, ..Reply::default() }),
                Err(StoreError::Stale(_)) => {}
                Err(error) => return Err(self.refusal(context, error)),
            }
        }
        Err(too_busy())
    }
}

/// Whom a creation met, and what of the deleted is in its way.
struct Meeting<'m> {
    holder: &'m Key,
    path: &'m str,
    purge: &'m mut Vec<Key>,
}

/// The resource that a write is about, and the version that the client insists on.
#[derive(Clone, Copy)]
struct Target<'t> {
    resource_type: &'t Arc<ResourceType>,
    id: &'t str,
    expect: Option<&'t Expect>,
}

impl Target<'_> {
    fn check(&self, record: &Record) -> Result<(), ScimError> {
        check_version(self.resource_type, record, self.expect)
    }
}

/// How a change is decided.
struct Plan<'p> {
    name: &'static str,
    members: Members,
    /// Whether adding and removing these members gives the same whatever others do meanwhile.
    commutes: bool,
    decide: &'p (dyn Fn(&Record) -> Result<Decision, ScimError> + Send + Sync),
}

/// The smallest write that does it: rows alone where the document stays.
fn write_of(decision: &Decision, before: &Record, members: Delta, insist: bool) -> Write {
    if decision.rewritten {
        Write::Replace { draft: decision.draft.clone(), expect: before.version, members }
    } else {
        Write::Members { group: before.key.clone(), members, expect: insist.then_some(before.version) }
    }
}

/// Lets go what was kept of those who were deleted and stand in the way, which the log tells of each.
fn forget(context: &Context, purge: &[Key], status: u16, change: &mut Change) {
    for key in purge {
        change.events.push(decide::event(context, "forget", Some(key.clone()), status, change.time));
        change.writes.push(Write::Delete { key: key.clone(), expect: None });
    }
}

/// Adds the members whom the request named and found as it wants them. Others may have changed that since it looked, and who
/// is to be there at the end of it must be there. A store passes over who is there, or gone, already.
fn rely(delta: &mut Delta, asked: &Members, before: &Record) {
    let Members::Named(ids) = asked else { return };
    let there: HashSet<&str> = before.members.iter().map(|member| member.id.as_str()).collect();
    let joining: HashSet<String> = delta.join.iter().map(|member| member.id.clone()).collect();
    let leaving: HashSet<String> = delta.leave.iter().cloned().collect();
    delta.join.extend(before.members.iter().filter(|member| !leaving.contains(&member.id)).cloned());
    delta.leave.extend(ids.iter().filter(|id| !there.contains(id.as_str()) && !joining.contains(*id)).cloned());
}

fn drop_strangers(decision: &mut Decision, strangers: &[String]) {
    if !strangers.is_empty() {
        decision.quirks.insert(Quirk::UnknownMembers);
        let Delta { join, .. } = &mut decision.members;
        retain_known(join, strangers);
    }
}

pub(crate) fn retain_known(members: &mut Vec<Member>, strangers: &[String]) {
    let strangers: HashSet<_> = strangers.iter().map(String::as_str).collect();
    members.retain(|member| !strangers.contains(member.id.as_str()));
}
