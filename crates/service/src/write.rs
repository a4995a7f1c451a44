//! The one road of every write: load, decide, commit, show; again when somebody was faster.

use std::sync::Arc;

use scimwright_compat::Quirk;
use scimwright_core::{ResourceType, ScimError, ScimType, Selection, urns};
use scimwright_patch::{MembersNeeded, PatchRequest};
use scimwright_store::{Change, Delta, Fact, Key, Member, Members, Record, Scope, StoreError, Version, Write};
use serde_json::Value;

use crate::Context;
use crate::decide::{self, Decision, Incoming};
use crate::operation::{Expect, Operation, Reply};
use crate::policy::{Adoption, Conflicting, Deletion};
use crate::service::{Service, check_version, shown_members, unavailable};

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
            let value = self.store.fact(&context.tenant, &name).await.map_err(unavailable)?;
            known.extend(value.map(|value| Fact { name, value: Some(value) }));
        }
        for _ in 0..self.limits.attempts {
            let id = uuid::Uuid::now_v7().to_string();
            let decision = decide::create(context, resource_type, &incoming, id, &known)?;
            let time = self.moment_after(None);
            let mut change = Change::new(time, decision.event(context, "create", 201, time));
            change.guards = context.policy.guards(resource_type);
            change.facts.clone_from(&decision.facts);
            let write = Write::Insert { draft: decision.draft.clone(), members: decision.members.clone() };
            match self.store.commit(&context.tenant, change.write(write)).await {
                Ok(committed) => {
                    let written = Written { decision, version: committed.version, time, status: 201, quiet: false };
                    return self.show_written(context, resource_type, None, written, selection).await;
                }
                Err(StoreError::Conflict { holder: Some(holder), path }) => {
                    if let Some(reply) =
                        self.adopt(context, resource_type, &mut incoming, &holder, &path, selection).await?
                    {
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
        holder: &Key,
        path: &str,
        selection: &Selection,
    ) -> Result<Option<Reply>, ScimError> {
        let Some(record) = self.store.get(&context.tenant, holder, Members::None).await.map_err(unavailable)? else {
            return Ok(None);
        };
        let retired = holder.resource_type == decide::retired(resource_type);
        let conflict = Conflicting { resource_type, incoming: &incoming.resource, holder: &record, path, retired };
        let Adoption::Adopt(status) = context.policy.adopt(&conflict) else { return Err(taken(path)) };
        let decision = decide::adopt(context, resource_type, incoming, &record)?;
        let time = self.moment_after(Some(record.modified));
        let mut change = Change::new(time, decision.event(context, "link", status, time));
        change.facts.clone_from(&decision.facts);
        let (draft, members) = (decision.draft.clone(), decision.members.clone());
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
            Err(StoreError::Stale(_) | StoreError::NotFound(_)) => Ok(None),
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
        let decide =
            |before: &Record| decide::patch(context, target.resource_type, (&request, repaired), &options, before);
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
        let quiet = plan.name == "patch";
        for _ in 0..self.limits.attempts {
            let before = self.load(context, target.resource_type, target.id, plan.members.clone()).await?;
            target.check(&before)?;
            let mut decision = (plan.decide)(&before)?;
            drop_strangers(&mut decision, &strangers);
            let time = self.moment_after(Some(before.modified));
            let change = Change::new(time, decision.event(context, plan.name, 200, time));
            if decision.is_nothing() {
                self.store.commit(&context.tenant, change).await.map_err(unavailable)?;
                let (version, time) = (before.version, before.modified);
                let written = Written { version, time, decision, status: 200, quiet };
                return self.show_written(context, target.resource_type, Some(before), written, selection).await;
            }
            let mut change = change.write(write_of(&decision, &before, target.expect.is_some() || !plan.commutes));
            change.facts.clone_from(&decision.facts);
            match self.store.commit(&context.tenant, change).await {
                Ok(committed) => {
                    let written = Written { decision, version: committed.version, time, status: 200, quiet };
                    return self.show_written(context, target.resource_type, Some(before), written, selection).await;
                }
                Err(StoreError::Stale(_)) => {}
                Err(StoreError::NoSuchMembers(found)) if context.profile.has(Quirk::UnknownMembers) => {
                    strangers.extend(found)
                }
                Err(error) => return Err(self.refusal(context, error)),
            }
        }
        Err(too_busy())
    }

    async fn delete(&self, context: &Context, target: Target<'_>) -> Result<Reply, ScimError> {
        for _ in 0..self.limits.attempts {
            let before = self.load(context, target.resource_type, target.id, Members::None).await?;
            target.check(&before)?;
            let time = self.moment_after(Some(before.modified));
            let change = match context.policy.deletion(&before) {
                Deletion::Remove => {
                    let event = decide::event(context, "delete", Some(before.key.clone()), 204, time);
                    // Deleting commutes with nothing that matters: only a version that the client named is insisted on.
                    let expect = target.expect.map(|_| before.version);
                    Change::new(time, event).write(Write::Delete { key: before.key.clone(), expect })
                }
                Deletion::Retire => {
                    let mut decision = decide::deactivate(context, target.resource_type, &before)?;
                    let event = decision.event(context, "delete", 204, time);
                    decision.draft.key.resource_type = decide::retired(target.resource_type);
                    // Only what a creation would meet keeps its place.
                    decision.draft.index.retain(|key| key.scope == Scope::Global);
                    let delete = Write::Delete { key: before.key.clone(), expect: Some(before.version) };
                    let keep = Write::Insert { draft: decision.draft, members: Delta::default() };
                    Change::new(time, event).write(delete).write(keep)
                }
                Deletion::Deactivate => {
                    let decision = decide::deactivate(context, target.resource_type, &before)?;
                    let change = Change::new(time, decision.event(context, "delete", 204, time));
                    if decision.is_nothing() { change } else { change.write(write_of(&decision, &before, true)) }
                }
            };
            match self.store.commit(&context.tenant, change).await {
                Ok(_) => return Ok(Reply { status: 204, ..Reply::default() }),
                Err(StoreError::Stale(_)) => {}
                Err(error) => return Err(self.refusal(context, error)),
            }
        }
        Err(too_busy())
    }

    /// The answer to a write that is in the store.
    async fn show_written(
        &self,
        context: &Context,
        resource_type: &ResourceType,
        before: Option<Record>,
        written: Written,
        selection: &Selection,
    ) -> Result<Reply, ScimError> {
        let Written { decision, version, time, status, quiet } = written;
        let set: Vec<&str> = decision.set.iter().map(String::as_str).collect();
        let created = before.as_ref().map_or(time, |before| before.created);
        let mut resource = decision.draft.resource;
        resource.stamp(&decision.draft.key.id, &resource_type.name, created, time);
        let mut record = Record {
            key: decision.draft.key,
            version,
            created,
            modified: time,
            resource,
            members: Vec::new(),
            member_count: before.as_ref().map_or(0, |before| before.member_count),
            member_of: before.map(|before| before.member_of).unwrap_or_default(),
            notes: decision.draft.notes,
        };
        if resource_type.membership.is_some() {
            let grown = record.member_count.saturating_add(decision.members.join.len() as u64);
            let large = grown.saturating_sub(decision.members.leave.len() as u64) > self.limits.max_reply_members;
            if large && quiet && !selection.names_attributes() {
                return Ok(Reply {
                    status: 204,
                    etag: Some(record.etag()),
                    quirks: decision.quirks,
                    ..Reply::default()
                });
            }
            // Hooks of the store have had their say by now: who joined, of which type, and who left elsewhere.
            let members = shown_members(resource_type, selection);
            let fresh = self.store.get(&context.tenant, &record.key, members).await.map_err(unavailable)?;
            record = fresh.unwrap_or(record);
        }
        let mut reply = self.reply(context, resource_type, status, &record, selection, &set);
        reply.quirks = decision.quirks;
        Ok(reply)
    }

    /// Leaves members out that do not exist, where the profile tolerates them.
    fn pass_over(&self, context: &Context, incoming: &mut Incoming, strangers: &[String]) -> Result<(), ScimError> {
        if !context.profile.has(Quirk::UnknownMembers) {
            return Err(self.refusal(context, StoreError::NoSuchMembers(strangers.to_vec())));
        }
        incoming.quirks.insert(Quirk::UnknownMembers);
        retain_known(&mut incoming.members, strangers);
        Ok(())
    }

    /// An outcome of the store in the client's words.
    fn refusal(&self, context: &Context, error: StoreError) -> ScimError {
        match error {
            StoreError::Conflict { path, .. } => taken(&path),
            StoreError::Guard { resource_type, limit } => context.policy.guard_failed(&resource_type, limit),
            StoreError::NotFound(key) => ScimError::not_found(&format!("a {} of this id", key.resource_type)),
            StoreError::NoSuchMembers(ids) => {
                let few: Vec<_> = ids.iter().take(5).map(|id| format!("`{id}`")).collect();
                let more = if ids.len() > few.len() { " and others" } else { "" };
                ScimError::bad(
                    ScimType::InvalidValue,
                    format!("members {}{more} do not exist: create them first", few.join(", ")),
                )
            }
            error => unavailable(error),
        }
    }

    /// Refusals are evidence too. That the log cannot be written does not change the answer.
    async fn log_refusal(&self, context: &Context, operation: &str, target: Option<Key>, error: &ScimError) {
        if error.status() >= 500 {
            return;
        }
        let time = self.moment_after(None);
        let mut event = decide::event(context, operation, target, error.status(), time);
        // Details of bad values quote them, and personal data stays out of logs (RFC 7644 section 7.5.1).
        event.detail = Some(match error.scim_type() {
            Some(ScimType::Uniqueness | ScimType::Mutability) | None => error.detail().to_owned(),
            Some(scim_type) => scim_type.as_str().to_owned(),
        });
        let _ = self.store.commit(&context.tenant, Change::new(time, event)).await;
    }
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
        check_version(record, self.expect)
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

/// A decision that is in the store.
struct Written {
    decision: Decision,
    version: Version,
    time: scimwright_core::Instant,
    status: u16,
    /// Whether the answer may do without the resource, which RFC 7644 section 3.5.2 leaves to us for PATCH alone.
    quiet: bool,
}

/// The smallest write that does it: rows alone where the document stays.
fn write_of(decision: &Decision, before: &Record, insist: bool) -> Write {
    let members = decision.members.clone();
    if decision.rewritten {
        Write::Replace { draft: decision.draft.clone(), expect: before.version, members }
    } else {
        Write::Members { group: before.key.clone(), members, expect: insist.then_some(before.version) }
    }
}

fn drop_strangers(decision: &mut Decision, strangers: &[String]) {
    if !strangers.is_empty() {
        decision.quirks.insert(Quirk::UnknownMembers);
        let Delta { join, .. } = &mut decision.members;
        retain_known(join, strangers);
    }
}

fn retain_known(members: &mut Vec<Member>, strangers: &[String]) {
    let strangers: std::collections::HashSet<_> = strangers.iter().map(String::as_str).collect();
    members.retain(|member| !strangers.contains(member.id.as_str()));
}

/// Says which attribute, not whose: the holder may be a stranger's.
fn taken(path: &str) -> ScimError {
    ScimError::new(409, format!("the value of `{path}` is taken already")).with_type(ScimType::Uniqueness)
}

fn too_busy() -> ScimError {
    ScimError::new(503, "others change the same resource at this moment: try again")
}
