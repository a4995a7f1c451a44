//! From parts to SQL: one part drives the search, the others check what it finds.

use super::{Leaf, Part, Pushdown, WIDELY};
use crate::{Dialect, Value};

impl Pushdown {
    /// Writes the condition for a part. Answers whether the condition says all that the part does. Where another order is asked for
    /// than that of ids, what leads to half of all does not drive: the walk may be along the index of that order.
    pub(super) fn select(&mut self, part: Part, sorted: bool) -> bool {
        let terms = match part {
            Part::Everything => return true,
            Part::Nothing => {
                self.condition.push_str(match self.dialect {
                    Dialect::Sqlite => " AND 0",
                    Dialect::Postgres => " AND FALSE",
                });
                return true;
            }
            Part::And(terms) => terms,
            term => vec![term],
        };
        let ranked = terms.iter().enumerate().filter_map(|(at, term)| Some((term.rank()?, at)));
        let driver = ranked.min().filter(|(rank, _)| *rank < WIDELY || !sorted).map(|(_, at)| at);
        let mut exact = true;
        if let Some(driver) = driver.and_then(|at| terms.get(at)) {
            self.driven = true;
            if !self.join(driver) && !self.gather(driver) {
                exact &= self.and_check(driver);
            }
        }
        for (at, term) in terms.iter().enumerate() {
            if Some(at) != driver {
                exact &= self.and_check(term);
            }
        }
        if terms.len() > 1 {
            self.counted = None;
        } else if let [Part::Leaf(Leaf::Key { .. })] = terms.as_slice() {
            // Every key has its record, and the values have these places wherever the part stands.
            let [tenant, of_type, path, value] = [1, 2, 3, 4].map(|number| self.dialect.place(number));
            self.counted = Some(format!(
                "scim_key AS d WHERE d.tenant = {tenant} AND d.type = {of_type} AND d.path = {path} AND d.value = {value}"
            ));
        }
        exact
    }

    /// Starts from an index that has what one search finds in the order of ids: then a page costs what it shows, however many more
    /// there are. Answers whether there is one.
    fn join(&mut self, driver: &Part) -> bool {
        let Part::Leaf(leaf) = driver else { return false };
        let (tenant, of_type) = (self.dialect.place(1), self.dialect.place(2));
        let (table, condition, id) = match leaf {
            Leaf::Key { path, value, .. } => {
                let (path, value) = (self.value(path), self.value(value));
                let condition = format!("d.type = {of_type} AND d.path = {path} AND d.value = {value}");
                ("scim_key AS d".to_owned(), condition, "d.id")
            }
            Leaf::HasMember(member) => {
                (self.dialect.member_up("d"), format!("d.member_id = {}", self.value(member)), "d.group_id")
            }
            Leaf::IsMember(group) => {
                ("scim_member AS d".to_owned(), format!("d.group_id = {}", self.value(group)), "d.member_id")
            }
            Leaf::Id(id) if self.dialect == Dialect::Postgres => {
                let id = self.value(id);
                self.condition.push_str(&format!(" AND r.id = {id}"));
                return true;
            }
            Leaf::Id(_) | Leaf::KeyFrom { .. } | Leaf::Modified { .. } => return false,
        };
        self.from = self.dialect.with_records(&table, id);
        self.condition.push_str(&format!(" AND d.tenant = {tenant} AND {condition}"));
        self.id = id;
        true
    }

    /// Starts from the ids that several searches find, or one that does not have them in order. Answers whether they find only those
    /// for which the part holds.
    fn gather(&mut self, driver: &Part) -> bool {
        let mut searches = Vec::new();
        let all = self.searches(driver, &mut searches);
        match self.dialect {
            Dialect::Sqlite => self.condition.push_str(&format!(" AND r.id IN ({})", searches.join(" UNION ALL "))),
            Dialect::Postgres => {
                let ids = match searches.as_slice() {
                    [one] => format!("SELECT DISTINCT i.id FROM ({one}) AS i (id)"),
                    many => many.join(" UNION "),
                };
                let ids = format!("({ids}) AS d (id)");
                self.from = self.dialect.with_records(&ids, "d.id");
                self.id = "d.id";
                self.counted = Some(ids).filter(|_| all && driver.is_typed());
            }
        }
        all
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
        let (tenant, of_type) = (self.dialect.place(1), self.dialect.place(2));
        match leaf {
            Leaf::Id(id) => {
                let id = self.value(id);
                format!(
                    "SELECT o.id FROM scim_record AS o WHERE o.tenant = {tenant} AND o.type = {of_type} AND o.id = {id}"
                )
            }
            Leaf::Key { path, value, .. } => {
                let (path, value) = (self.value(path), self.value(value));
                format!(
                    "SELECT k.id FROM scim_key AS k \
                     WHERE k.tenant = {tenant} AND k.type = {of_type} AND k.path = {path} AND k.value = {value}"
                )
            }
            Leaf::KeyFrom { path, from, until } => {
                let (path, from) = (self.value(path), self.value(from));
                let until = until.as_ref().map(|until| format!(" AND k.value < {}", self.value(until)));
                format!(
                    "SELECT k.id FROM scim_key AS k \
                     WHERE k.tenant = {tenant} AND k.type = {of_type} AND k.path = {path} AND k.value >= {from}{}",
                    until.unwrap_or_default()
                )
            }
            Leaf::HasMember(member) => {
                let (members, member) = (self.dialect.member_up("m"), self.value(member));
                format!("SELECT m.group_id FROM {members} WHERE m.tenant = {tenant} AND m.member_id = {member}")
            }
            Leaf::IsMember(group) => {
                let group = self.value(group);
                format!("SELECT m.member_id FROM scim_member AS m WHERE m.tenant = {tenant} AND m.group_id = {group}")
            }
            Leaf::Modified { from, until } => {
                let (records, range) = (self.dialect.records_by_time("o"), self.range("o", *from, *until));
                format!("SELECT o.id FROM {records} WHERE o.tenant = {tenant} AND o.type = {of_type} AND {range}")
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

    fn leaf_check(&mut self, leaf: &Leaf) -> Option<String> {
        let (tenant, of_type) = (self.dialect.place(1), self.dialect.place(2));
        let still = self.still();
        Some(match leaf {
            Leaf::Id(id) => format!("{still}r.id = {}", self.value(id)),
            Leaf::Key { path, value, .. } => {
                let (path, value) = (self.value(path), self.value(value));
                self.exists(&format!(
                    "scim_key AS k WHERE k.tenant = {tenant} AND k.type = {of_type} \
                     AND k.path = {path} AND k.value = {value} AND k.id = r.id"
                ))
            }
            // Whether one record has a key in a range is no single step: its keys are not kept together.
            Leaf::KeyFrom { .. } => return None,
            Leaf::HasMember(member) => {
                let member = self.value(member);
                self.exists(&format!(
                    "scim_member AS m WHERE m.tenant = {tenant} AND m.group_id = r.id AND m.member_id = {member}"
                ))
            }
            Leaf::IsMember(group) => {
                let group = self.value(group);
                self.exists(&format!(
                    "scim_member AS m WHERE m.tenant = {tenant} AND m.group_id = {group} AND m.member_id = r.id"
                ))
            }
            Leaf::Modified { from, until } => format!("({})", self.range(&format!("{still}r"), *from, *until)),
        })
    }

    /// Keeps SQLite from turning a check into the search that everything starts from.
    const fn still(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "+",
            Dialect::Postgres => "",
        }
    }

    fn exists(&self, rows: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("+EXISTS (SELECT 1 FROM {rows})"),
            Dialect::Postgres => format!("EXISTS (SELECT 1 FROM {rows} OFFSET 0)"),
        }
    }

    fn range(&mut self, table: &str, from: Option<i64>, until: Option<i64>) -> String {
        let from = from.map(|from| format!("{table}.modified >= {}", self.place(Value::Integer(from))));
        let until = until.map(|until| format!("{table}.modified < {}", self.place(Value::Integer(until))));
        from.into_iter().chain(until).collect::<Vec<_>>().join(" AND ")
    }

    fn value(&mut self, text: &str) -> String {
        self.place(text.into())
    }

    fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        self.dialect.place(self.values.len() + 2)
    }
}
