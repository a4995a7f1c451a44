//! What a client and the log are told of a write.

use scimwright_compat::Quirk;
use scimwright_core::{Instant, ResourceType, ScimError, ScimType, Selection};
use scimwright_store::{Change, Key, Member, Members, Record, StoreError, Version};

use crate::Context;
use crate::decide::{self, Decision, Incoming};
use crate::operation::Reply;
use crate::service::{Service, shown_members};
use crate::write::retain_known;

/// A decision that is in the store.
pub(crate) struct Written {
    pub(crate) decision: Decision,
    pub(crate) version: Version,
    pub(crate) time: Instant,
    pub(crate) status: u16,
    /// Whether the answer may do without the resource, which RFC 7644 section 3.5.2 leaves to us for PATCH alone.
    pub(crate) quiet: bool,
}

impl Service {
    /// The answer to a write that is in the store.
    pub(crate) async fn show_written(
        &self,
        context: &Context,
        resource_type: &ResourceType,
        before: Option<Record>,
        written: Written,
        selection: &Selection,
    ) -> Result<Reply, ScimError> {
        let Written { decision, version, time, status, quiet } = written;
        let set: Vec<&str> = decision.set.iter().map(String::as_str).collect();
        let decided = members_after(before.as_ref(), &decision);
        let created = decision.draft.created.or(before.as_ref().map(|before| before.created)).unwrap_or(time);
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
            let silent = |record: &Record| Reply {
                status: 204,
                etag: Some(record.etag(resource_type)),
                quirks: decision.quirks,
                ..Reply::default()
            };
            let silence = large && quiet && !selection.names_attributes();
            // Hooks of the store have had their say by now: who joined, of which type, and who left elsewhere. Others may have
            // been faster, so that this write changed nothing any more.
            let members = if silence { Members::None } else { shown_members(resource_type, selection) };
            let fresh = self
                .store
                .get(&context.tenant, &record.key, members)
                .await
                .map_err(|error| Self::unavailable(context, &error))?;
            match fresh {
                Some(fresh) if silence => return Ok(silent(&fresh)),
                Some(fresh) => record = fresh,
                // Somebody has deleted it since. It was written all the same, and nobody is told that it had no members.
                None if quiet => return Ok(silent(&record)),
                None => record.members = decided,
            }
        }
        let mut reply = self.reply(context, resource_type, status, &record, selection, &set);
        reply.quirks = decision.quirks.union(context.quirks);
        Ok(reply)
    }

    /// Leaves members out that do not exist, where the profile tolerates them.
    pub(crate) fn pass_over(
        &self,
        context: &Context,
        incoming: &mut Incoming,
        strangers: &[String],
    ) -> Result<(), ScimError> {
        if !context.profile.has(Quirk::UnknownMembers) {
            return Err(self.refusal(context, StoreError::NoSuchMembers(strangers.to_vec())));
        }
        incoming.quirks.insert(Quirk::UnknownMembers);
        retain_known(&mut incoming.members, strangers);
        Ok(())
    }

    /// An outcome of the store in the client's words.
    pub(crate) fn refusal(&self, context: &Context, error: StoreError) -> ScimError {
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
            StoreError::Closed => closed(),
            error => Self::unavailable(context, &error),
        }
    }

    /// Enters a refused write in the tenant's log: refusals are evidence too. For transports that refuse a request before it is an
    /// operation; [`Service::handle`] does it by itself. That the log cannot be written does not change the answer.
    pub async fn log_refusal(&self, context: &Context, operation: &str, target: Option<Key>, error: &ScimError) {
        if error.status() >= 500 {
            return;
        }
        let time = self.moment_after(None);
        // An id that leads nowhere is text of the client's choice: it may be an address, or a line that looks like ours.
        let target = target.filter(|_| error.status() != 404);
        let mut event = decide::event(context, operation, target, error.status(), time);
        event.quirks = decide::names(context.quirks);
        // Details of bad values quote them, and personal data stays out of logs (RFC 7644 section 7.5.1).
        event.detail = Some(match error.scim_type() {
            Some(ScimType::Uniqueness | ScimType::Mutability) | None => error.detail().to_owned(),
            Some(scim_type) => scim_type.as_str().to_owned(),
        });
        let _ = self.store.commit(&context.tenant, Change::new(time, event)).await;
    }
}

/// The members after a decision that was made over all of those before it. Of those who joined only the store knows the type.
fn members_after(before: Option<&Record>, decision: &Decision) -> Vec<Member> {
    let stay = before.into_iter().flat_map(|before| &before.members);
    let stay = stay.filter(|member| !decision.members.leave.contains(&member.id));
    stay.chain(&decision.members.join).cloned().collect()
}

/// Says which attribute, not whose: the holder may be a stranger's.
pub(crate) fn taken(path: &str) -> ScimError {
    ScimError::new(409, format!("the value of `{path}` is taken already")).with_type(ScimType::Uniqueness)
}

/// The tenant was closed after the caller had been let in.
fn closed() -> ScimError {
    ScimError::new(503, "no changes are taken at the moment: try again later")
}

pub(crate) fn too_busy() -> ScimError {
    ScimError::new(503, "others change the same resource at this moment: try again")
}
