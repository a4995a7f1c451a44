//! Who joins and who leaves: all at once, however many they are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use scimwright_store::{Delta, Displaced, Key, Member, StoreError};

use super::{MOVED, Work};
use crate::bind::Bind;
use crate::error::Failure;
use crate::read;

/// What came of members who were to join and leave.
pub(super) struct Moved {
    /// How many more there are than before.
    pub(super) more: i64,
    /// Whether anybody joined or left.
    pub(super) any: bool,
}

impl Work<'_> {
    /// Lets members join and leave; the group's own row is the caller's to write.
    pub(super) async fn members(&mut self, group: &Key, delta: &Delta) -> Result<Moved, Failure> {
        let Delta { join, leave, exclusive, of } = delta;
        let types = self.types(join, of).await?;
        let gone = if leave.is_empty() { 0 } else { self.leave(&group.id, leave).await? };
        let joined = if join.is_empty() { HashSet::new() } else { self.join(&group.id, join, &types).await? };
        if *exclusive && !joined.is_empty() {
            self.displace(group, join, &joined).await?;
        }
        let come = joined.len() as u64;
        Ok(Moved { more: come.cast_signed() - gone.cast_signed(), any: come + gone > 0 })
    }

    /// The types of those who join, who must all be there and of a type that may.
    async fn types(&mut self, join: &[Member], of: &[String]) -> Result<HashMap<String, String>, Failure> {
        if join.is_empty() {
            return Ok(HashMap::new());
        }
        let text = "SELECT r.id, r.type FROM unnest($2::text[]) AS w (id) CROSS JOIN LATERAL \
                    (SELECT o.id, o.type FROM scim_record AS o WHERE o.tenant = $1 AND o.id = w.id OFFSET 0) AS r";
        let mut types = HashMap::new();
        for row in self.session.rows(text, &[self.tenant(), ids(join)]).await? {
            types.insert(read::text(&row, 0)?, read::text(&row, 1)?);
        }
        let may = |member: &&Member| match types.get(&member.id) {
            Some(own) => !of.is_empty() && !of.contains(own),
            None => true,
        };
        let strangers: Vec<_> = join.iter().filter(may).map(|member| member.id.clone()).collect();
        if strangers.is_empty() { Ok(types) } else { Err(StoreError::NoSuchMembers(strangers).into()) }
    }

    /// How many have left.
    async fn leave(&mut self, group: &str, leave: &[String]) -> Result<u64, Failure> {
        let text = "DELETE FROM scim_member WHERE tenant = $1 AND group_id = $2 AND member_id = ANY ($3)";
        let leave = Bind::texts(leave.iter().map(String::as_str));
        self.session.execute(text, &[self.tenant(), Bind::text(group), leave]).await
    }

    /// Who of them was no member before.
    async fn join(
        &mut self,
        group: &str,
        join: &[Member],
        types: &HashMap<String, String>,
    ) -> Result<HashSet<String>, Failure> {
        // Who is named twice joins as he is named first.
        let mut seen = HashSet::new();
        let join: Vec<_> = join.iter().filter(|member| seen.insert(member.id.as_str())).collect();
        let text = "INSERT INTO scim_member (tenant, group_id, member_id, member_type, display) \
                    SELECT $1, $2, n.id, n.type, n.display FROM unnest($3::text[], $4::text[], $5::text[]) \
                    AS n (id, type, display) ON CONFLICT DO NOTHING RETURNING member_id";
        let values = [
            self.tenant(),
            Bind::text(group),
            Bind::texts(join.iter().map(|member| member.id.as_str())),
            Bind::texts(join.iter().filter_map(|member| types.get(&member.id)).map(String::as_str)),
            Bind::maybes(join.iter().map(|member| member.display.as_deref())),
        ];
        let rows = self.session.rows(text, &values).await?;
        rows.iter().map(|row| read::text(row, 0)).collect()
    }

    /// Lets those who have joined leave every other group of the same type.
    async fn displace(&mut self, group: &Key, join: &[Member], joined: &HashSet<String>) -> Result<(), Failure> {
        let members = Bind::texts(joined.iter().map(String::as_str));
        let text = "SELECT u.member_id, g.id FROM unnest($2::text[]) AS w (id) CROSS JOIN LATERAL \
                    (SELECT m.member_id, m.group_id FROM scim_member AS m WHERE m.tenant = $1 AND m.member_id = w.id OFFSET 0) AS u \
                    CROSS JOIN LATERAL (SELECT r.id FROM scim_record AS r WHERE r.tenant = $1 AND r.id = u.group_id \
                    AND r.type = $3 AND r.id <> $4 OFFSET 0) AS g";
        let own = [Bind::text(&group.resource_type), Bind::text(&group.id)];
        let [resource_type, id] = own;
        let rows = self.session.rows(text, &[self.tenant(), members, resource_type, id]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let pairs = rows.iter().map(|row| Ok((read::text(row, 0)?, read::text(row, 1)?)));
        let pairs: Vec<(String, String)> = pairs.collect::<Result<_, Failure>>()?;
        // Pair by pair, each by its whole key, however many members and groups there are.
        let text = "DELETE FROM scim_member AS m USING unnest($2::text[], $3::text[]) AS p (member_id, group_id) \
                    WHERE m.tenant = $1 AND m.group_id = p.group_id AND m.member_id = p.member_id";
        let of_pairs = Bind::texts(pairs.iter().map(|(member, _)| member.as_str()));
        let from = Bind::texts(pairs.iter().map(|(_, other)| other.as_str()));
        self.session.execute(text, &[self.tenant(), of_pairs, from]).await?;
        let (mut left, mut lost): (HashMap<String, BTreeSet<String>>, BTreeMap<String, i64>) = Default::default();
        for (member, other) in pairs {
            *lost.entry(other.clone()).or_default() += 1;
            left.entry(member).or_default().insert(other);
        }
        for member in join {
            for group in left.remove(&member.id).unwrap_or_default() {
                self.displaced.push(Displaced { group, member: member.id.clone() });
            }
        }
        self.shrink(&lost).await
    }

    /// Lets a record leave every group that it is in.
    pub(super) async fn leave_all(&mut self, key: &Key) -> Result<(), Failure> {
        let text = "DELETE FROM scim_member WHERE tenant = $1 AND member_id = $2 RETURNING group_id";
        let rows = self.session.rows(text, &[self.tenant(), Bind::text(&key.id)]).await?;
        let groups = rows.iter().map(|row| Ok((read::text(row, 0)?, 1)));
        let groups: BTreeMap<_, _> = groups.collect::<Result<_, Failure>>()?;
        if groups.is_empty() { Ok(()) } else { self.shrink(&groups).await }
    }

    /// Gives groups the commit's version and time, and so many members less.
    async fn shrink(&mut self, groups: &BTreeMap<String, i64>) -> Result<(), Failure> {
        let text = format!(
            "UPDATE scim_record SET version = $3, modified = {MOVED}, members = members - $5 \
             WHERE tenant = $1 AND id = ANY ($2)"
        );
        // Together those that lose as many: almost always all of them.
        let mut by_loss: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        for (group, lost) in groups {
            by_loss.entry(*lost).or_default().push(group);
        }
        for (lost, groups) in by_loss {
            let (version, time) = (Bind::count(self.version.0), Bind::Integer(self.time));
            let values = [self.tenant(), Bind::texts(groups), version, time, Bind::Integer(lost)];
            self.session.execute(&text, &values).await?;
        }
        Ok(())
    }
}

fn ids(members: &[Member]) -> Bind {
    Bind::texts(members.iter().map(|member| member.id.as_str()))
}
