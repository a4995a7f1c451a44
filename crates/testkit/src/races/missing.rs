//! Members who were acknowledged and are not there: found without any search.

use std::collections::BTreeSet;

use super::{Asked, Content, Rules, Step};
use crate::linearizability::Call;

/// Members who were acknowledged, whom nothing can have removed since, and whom the last look at the group does not show. This
/// asks for no order, so it finds by itself what the search would find, and says who it is.
#[must_use]
pub fn missing_members(rules: Rules, calls: &[Call<Step>]) -> Vec<String> {
    let mut missing = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let Some((group, members)) = call.op.acknowledged() else { continue };
        let Some(last) = last_look(calls, group) else { continue };
        let goes = |member: &String| {
            let later = |other: &Call<Step>| other.ended.is_none_or(|ended| ended > call.began);
            let others = calls.iter().enumerate().filter(|(other, _)| *other != at);
            others.into_iter().any(|(_, other)| {
                other.op.ends(group, member) || (later(other) && other.op.may_remove(rules, group, member))
            })
        };
        let was_made = |member: &String| calls.iter().any(|other| other.op.made.as_ref() == Some(member));
        for member in members.iter().filter(|member| !last.contains(*member) && was_made(member) && !goes(member)) {
            missing.push(format!("{member}, who joined by {:?}", call.op));
        }
    }
    missing
}

/// The members that the last answer about a group shows; none when it was gone then.
fn last_look<'c>(calls: &'c [Call<Step>], group: &str) -> Option<&'c BTreeSet<String>> {
    let looks = calls.iter().filter(|call| matches!(&call.op.asked, Asked::Read(id) if id == group));
    match &looks.max_by_key(|call| call.began)?.op.shown.as_ref()?.content {
        Content::Group { members, .. } => Some(members),
        Content::User { .. } => None,
    }
}

impl Step {
    const fn is_done(&self) -> bool {
        matches!(self.status, 200..300)
    }

    /// The group and the members that it certainly had when this was answered.
    fn acknowledged(&self) -> Option<(&str, &BTreeSet<String>)> {
        if !self.is_done() {
            return None;
        }
        match &self.asked {
            Asked::Join(group, members) | Asked::Replace(group, Content::Group { members, .. }) => {
                Some((group, members))
            }
            Asked::Create(Content::Group { members, .. }) => Some((self.made.as_deref()?, members)),
            _ => None,
        }
    }

    /// Whether the group or the member was deleted.
    fn ends(&self, group: &str, member: &str) -> bool {
        self.is_done() && matches!(&self.asked, Asked::Delete(id) if id == group || id == member)
    }

    /// Whether somebody may be out of a group by this, whenever it happened.
    fn may_remove(&self, rules: Rules, group: &str, member: &String) -> bool {
        let elsewhere = |id: Option<&str>, members: &BTreeSet<String>| {
            rules.one_group_at_a_time && id != Some(group) && members.contains(member)
        };
        self.is_done()
            && match &self.asked {
                Asked::Leave(id, who) => id == group && who == member,
                Asked::Replace(id, Content::Group { members, .. }) if id == group => !members.contains(member),
                Asked::Replace(id, Content::Group { members, .. }) | Asked::Join(id, members) => {
                    elsewhere(Some(id), members)
                }
                Asked::Create(Content::Group { members, .. }) => elsewhere(self.made.as_deref(), members),
                _ => false,
            }
    }
}
