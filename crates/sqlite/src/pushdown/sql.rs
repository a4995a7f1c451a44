//! From parts to SQL: one part drives the search, the others check what it finds.

use rusqlite::types::Value;

use super::{Leaf, Part, Pushdown};
use crate::read::RECORDS;

impl Pushdown {
    /// Writes the condition for a part. Answers whether the condition says all that the part does.
    pub(super) fn select(&mut self, part: Part) -> bool {
        let terms = match part {
            Part::Everything => return true,
            Part::Nothing => {
                self.condition.push_str(" AND 0");
                return true;
            }
            Part::And(terms) => terms,
            term => vec![term],
        };
        let ranked = terms.iter().enumerate().filter_map(|(at, term)| Some((term.rank()?, at)));
        let driver = ranked.min().map(|(_, at)| at);
        let mut exact = true;
        if let Some(driver) = driver.and_then(|at| terms.get(at)) {
            self.driven = true;
            if !self.join(driver) {
                let mut searches = Vec::new();
                let all = self.searches(driver, &mut searches);
                self.condition.push_str(&format!(" AND r.id IN ({})", searches.join(" UNION ALL ")));
                exact &= all || self.and_check(driver);
            }
        }
        for (at, term) in terms.iter().enumerate() {
            if Some(at) != driver {
                exact &= self.and_check(term);
            }
        }
        exact
    }

    /// Starts from an index that has what one search finds in the order of ids: then a page costs what it shows, however many more
    /// there are. Answers whether there is one.
    fn join(&mut self, driver: &Part) -> bool {
        let Part::Leaf(leaf) = driver else { return false };
        let (index, condition, id) = match leaf {
            Leaf::Key { path, value, .. } => {
                let (path, value) = (self.value(path), self.value(value));
                ("scim_key AS d", format!("d.type = ?2 AND d.path = {path} AND d.value = {value}"), "d.id")
            }
            Leaf::HasMember(member) => {
                let condition = format!("d.member_id = {}", self.value(member));
                ("scim_member AS d INDEXED BY scim_member_up", condition, "d.group_id")
            }
            Leaf::IsMember(group) => {
                let condition = format!("d.group_id = {}", self.value(group));
                ("scim_member AS d", condition, "d.member_id")
            }
            Leaf::Id(_) | Leaf::KeyFrom { .. } | Leaf::Modified { .. } => return false,
        };
        self.from = format!("{index} CROSS JOIN {RECORDS} ON r.id = {id}");
        self.condition.push_str(&format!(" AND d.tenant = ?1 AND {condition}"));
        self.id = id;
        true
    }

    /// Adds the searches that find every record for which a part with a rank holds. Answers whether they find only
    /// those.
    fn searches(&mut self, part: &Part, searches: &mut Vec<String>) -> bool {
        match part {
            Part::Leaf(leaf) => {
                searches.push(self.search(leaf));
                true
            }
            Part::Or(parts) => {
                let mut all = true;
                for part in parts {
                    all &= self.searches(part, searches);
                }
                all
            }
            Part::And(parts) => {
                if let Some((_, best)) =
                    parts.iter().filter_map(|part| Some((part.rank()?, part))).min_by_key(|it| it.0)
                {
                    self.searches(best, searches);
                }
                false
            }
            Part::Everything | Part::Nothing | Part::Not(_) => false,
        }
    }

    fn search(&mut self, leaf: &Leaf) -> String {
        match leaf {
            Leaf::Id(id) => {
                let id = self.value(id);
                format!("SELECT o.id FROM scim_record AS o WHERE o.tenant = ?1 AND o.type = ?2 AND o.id = {id}")
            }
            Leaf::Key { path, value, .. } => {
                let (path, value) = (self.value(path), self.value(value));
                format!(
                    "SELECT k.id FROM scim_key AS k \
                     WHERE k.tenant = ?1 AND k.type = ?2 AND k.path = {path} AND k.value = {value}"
                )
            }
            Leaf::KeyFrom { path, from, until } => {
                let (path, from) = (self.value(path), self.value(from));
                let until = until.as_ref().map(|until| format!(" AND k.value < {}", self.value(until)));
                format!(
                    "SELECT k.id FROM scim_key AS k \
                     WHERE k.tenant = ?1 AND k.type = ?2 AND k.path = {path} AND k.value >= {from}{}",
                    until.unwrap_or_default()
                )
            }
            Leaf::HasMember(member) => {
                let member = self.value(member);
                format!(
                    "SELECT m.group_id FROM scim_member AS m INDEXED BY scim_member_up \
                     WHERE m.tenant = ?1 AND m.member_id = {member}"
                )
            }
            Leaf::IsMember(group) => {
                let group = self.value(group);
                format!("SELECT m.member_id FROM scim_member AS m WHERE m.tenant = ?1 AND m.group_id = {group}")
            }
            Leaf::Modified { from, until } => {
                let range = self.range("o", *from, *until);
                format!(
                    "SELECT o.id FROM scim_record AS o INDEXED BY scim_record_by_time \
                     WHERE o.tenant = ?1 AND o.type = ?2 AND {range}"
                )
            }
        }
    }

    /// Adds a part as a condition on each candidate, as far as it can be one. Answers whether it is all of the part.
    fn and_check(&mut self, part: &Part) -> bool {
        let Some((check, exact)) = self.check(part) else { return false };
        self.condition.push_str(" AND ");
        self.condition.push_str(&check);
        exact
    }

    /// A part as a condition on one candidate, and whether it says all of the part; none when nothing can be said.
    fn check(&mut self, part: &Part) -> Option<(String, bool)> {
        let placed = self.values.len();
        let check = self.try_check(part);
        if check.is_none() {
            // What was begun and given up has no place for its values.
            self.values.truncate(placed);
        }
        check
    }

    fn try_check(&mut self, part: &Part) -> Option<(String, bool)> {
        match part {
            Part::Everything | Part::Nothing => None,
            Part::Leaf(leaf) => Some((self.leaf_check(leaf)?, true)),
            Part::And(parts) => {
                let (mut checks, mut all) = (Vec::new(), true);
                for part in parts {
                    match self.check(part) {
                        Some((check, exact)) => {
                            checks.push(check);
                            all &= exact;
                        }
                        None => all = false,
                    }
                }
                (!checks.is_empty()).then(|| (format!("({})", checks.join(" AND ")), all))
            }
            Part::Or(parts) => {
                let checks = parts.iter().map(|part| self.check(part)).collect::<Option<Vec<_>>>()?;
                let (checks, exact): (Vec<_>, Vec<_>) = checks.into_iter().unzip();
                Some((format!("({})", checks.join(" OR ")), exact.into_iter().all(|exact| exact)))
            }
            Part::Not(part) => match self.check(part)? {
                (check, true) => Some((format!("NOT {check}"), true)),
                (_, false) => None,
            },
        }
    }

    /// The `+` keeps SQLite from turning a check into the search that everything starts from.
    fn leaf_check(&mut self, leaf: &Leaf) -> Option<String> {
        Some(match leaf {
            Leaf::Id(id) => format!("+r.id = {}", self.value(id)),
            Leaf::Key { path, value, .. } => {
                let (path, value) = (self.value(path), self.value(value));
                format!(
                    "+EXISTS (SELECT 1 FROM scim_key AS k WHERE k.tenant = ?1 AND k.type = ?2 \
                     AND k.path = {path} AND k.value = {value} AND k.id = r.id)"
                )
            }
            // Whether one record has a key in a range is no single step: its keys are not kept together.
            Leaf::KeyFrom { .. } => return None,
            Leaf::HasMember(member) => format!(
                "+EXISTS (SELECT 1 FROM scim_member AS m \
                 WHERE m.tenant = ?1 AND m.group_id = r.id AND m.member_id = {})",
                self.value(member)
            ),
            Leaf::IsMember(group) => format!(
                "+EXISTS (SELECT 1 FROM scim_member AS m \
                 WHERE m.tenant = ?1 AND m.group_id = {} AND m.member_id = r.id)",
                self.value(group)
            ),
            Leaf::Modified { from, until } => format!("({})", self.range("+r", *from, *until)),
        })
    }

    fn range(&mut self, table: &str, from: Option<i64>, until: Option<i64>) -> String {
        let from = from.map(|from| format!("{table}.modified >= {}", self.place(Value::Integer(from))));
        let until = until.map(|until| format!("{table}.modified < {}", self.place(Value::Integer(until))));
        from.into_iter().chain(until).collect::<Vec<_>>().join(" AND ")
    }

    fn value(&mut self, text: &str) -> String {
        self.place(Value::Text(text.to_owned()))
    }

    fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len() + 2)
    }
}
