//! Reading what is known by name: records by their ids, members by their groups, groups by their members.

use std::collections::HashMap;

use scimwright_core::Resource;
use scimwright_store::{Key, Member, Members, Membership, Record, TenantId, Version};

use crate::{Damaged, Dialect, Row, Source, Statement, Value, instant};

/// The columns of a record as [`Reader::record`] expects them.
pub(crate) const HEAD: &str = "r.id, r.version, r.created, r.modified, r.members, r.notes, r.document";

/// One record with the members that are wanted and the groups that it is in; none when it is not there.
///
/// # Errors
///
/// When the source fails or has rows that nobody has written.
pub async fn get<S: Source>(
    source: &mut S,
    dialect: Dialect,
    tenant: &TenantId,
    key: &Key,
    members: &Members,
) -> Result<Option<Record>, S::Error> {
    let reader = Reader { dialect, tenant, resource_type: &key.resource_type };
    let mut records = reader.records(source, std::slice::from_ref(&key.id)).await?;
    reader.add_members(source, &mut records, members).await?;
    reader.add_groups(source, &mut records).await?;
    Ok(records.pop())
}

/// Reads the records of one type of one tenant.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'r> {
    pub(crate) dialect: Dialect,
    pub(crate) tenant: &'r TenantId,
    pub(crate) resource_type: &'r str,
}

impl Dialect {
    /// The records, by the one index that has those of a type in the order of their id.
    pub(crate) const fn records(self) -> &'static str {
        match self {
            Self::Sqlite => "scim_record AS r INDEXED BY scim_record_of_type",
            Self::Postgres => "scim_record AS r",
        }
    }

    /// The records by the time of their last change.
    pub(crate) fn records_by_time(self, name: &str) -> String {
        match self {
            Self::Sqlite => format!("scim_record AS {name} INDEXED BY scim_record_by_time"),
            Self::Postgres => format!("scim_record AS {name}"),
        }
    }

    /// Each row of something that has ids of records, in its order, with the record as `r` if it is of the type.
    pub(crate) fn with_records(self, table: &str, id: &str) -> String {
        match self {
            Self::Sqlite => format!("{table} CROSS JOIN {} ON r.id = {id}", self.records()),
            Self::Postgres => format!(
                "{table} CROSS JOIN LATERAL (SELECT * FROM scim_record AS o \
                 WHERE o.tenant = $1 AND o.type = $2 AND o.id = {id} OFFSET 0) AS r"
            ),
        }
    }

    /// The table of members under a name, from the member to its groups.
    pub(crate) fn member_up(self, name: &str) -> String {
        match self {
            Self::Sqlite => format!("scim_member AS {name} INDEXED BY scim_member_up"),
            Self::Postgres => format!("scim_member AS {name}"),
        }
    }
}

/// A statement that looks for some of many.
struct Among {
    dialect: Dialect,
    statement: Statement,
    /// SQLite's lists of what is looked for.
    lists: String,
    condition: String,
}

impl Among {
    fn new(reader: &Reader<'_>) -> Self {
        let values = vec![reader.tenant.as_str().into()];
        let statement = Statement { text: String::new(), values };
        Self { dialect: reader.dialect, statement, lists: String::new(), condition: String::new() }
    }

    fn equal(mut self, column: &str, value: &str) -> Self {
        let place = self.statement.place(self.dialect, value.into());
        self.condition.push_str(&format!(" AND {column} = {place}"));
        self
    }

    fn any(mut self, column: &str, values: &[String]) -> Self {
        if let [one] = values {
            return self.equal(column, one);
        }
        let place = self.statement.place(self.dialect, Value::Texts(values.to_vec()));
        match self.dialect {
            Dialect::Sqlite => {
                let list = format!("j{}", self.statement.values.len());
                self.lists.push_str(&format!("json_each({place}) AS {list} CROSS JOIN "));
                self.condition.push_str(&format!(" AND {column} = {list}.value"));
            }
            Dialect::Postgres => self.condition.push_str(&format!(" AND {column} = ANY({place})")),
        }
        self
    }

    /// What is selected from tables, of which the first has the tenant under that name.
    fn select(mut self, columns: &str, tables: &str, first: &str) -> Statement {
        let Self { lists, condition, .. } = self;
        let tenant = self.dialect.place(1);
        self.statement.text =
            format!("SELECT {columns} FROM {lists}{tables} WHERE {first}.tenant = {tenant}{condition}");
        self.statement
    }
}

impl Reader<'_> {
    /// The records of these ids, in any order, without their rows.
    pub(crate) async fn records<S: Source>(&self, source: &mut S, ids: &[String]) -> Result<Vec<Record>, S::Error> {
        let rows = source.rows(&self.records_statement(ids)).await?;
        Ok(rows.into_iter().map(|row| self.record(row)).collect::<Result<_, _>>()?)
    }

    pub(crate) fn records_statement(&self, ids: &[String]) -> Statement {
        Among::new(self).equal("r.type", self.resource_type).any("r.id", ids).select(HEAD, self.dialect.records(), "r")
    }

    /// A row as a record without its rows.
    pub(crate) fn record(&self, row: Row) -> Result<Record, Damaged> {
        let mut cells = row.cells();
        let (id, version) = (cells.text()?, Version(cells.count()?));
        let (created, modified) = (instant(cells.integer()?), instant(cells.integer()?));
        let (member_count, notes) = (cells.count()?, serde_json::from_str(&cells.text()?)?);
        let mut resource = Resource::from_stored(serde_json::from_str(&cells.text()?)?);
        resource.stamp(&id, self.resource_type, created, modified);
        let key = Key::new(self.resource_type, id);
        let (members, member_of) = (Vec::new(), Vec::new());
        Ok(Record { key, version, created, modified, resource, members, member_count, member_of, notes })
    }

    /// Gives the records the members that are wanted, by id, and no others.
    pub(crate) async fn add_members<S: Source>(
        &self,
        source: &mut S,
        records: &mut [Record],
        wanted: &Members,
    ) -> Result<(), S::Error> {
        // Who has none is not asked.
        let groups: Vec<_> =
            records.iter().filter(|record| record.member_count > 0).map(|record| record.key.id.clone()).collect();
        let rows = match self.members_statement(&groups, wanted) {
            Some(statement) => source.rows(&statement).await?,
            None => Vec::new(),
        };
        let mut found: HashMap<String, Vec<Member>> = HashMap::new();
        for row in rows {
            let mut cells = row.cells();
            let group = cells.text()?;
            let member = Member { id: cells.text()?, resource_type: cells.text()?, display: cells.optional_text()? };
            found.entry(group).or_default().push(member);
        }
        for record in records {
            record.members = found.remove(&record.key.id).unwrap_or_default();
            record.members.sort_unstable_by(|left, right| left.id.cmp(&right.id));
        }
        Ok(())
    }

    /// None when nobody is asked for.
    pub(crate) fn members_statement(&self, groups: &[String], wanted: &Members) -> Option<Statement> {
        let among = Among::new(self);
        let among = match wanted {
            _ if groups.is_empty() => return None,
            Members::None => return None,
            Members::Named(ids) if ids.is_empty() => return None,
            Members::Named(ids) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                ids.dedup();
                among.any("m.group_id", groups).any("m.member_id", &ids)
            }
            Members::All => among.any("m.group_id", groups),
        };
        Some(among.select("m.group_id, m.member_id, m.member_type, m.display", "scim_member AS m", "m"))
    }

    /// Adds the groups that the records are members of, by id.
    pub(crate) async fn add_groups<S: Source>(&self, source: &mut S, records: &mut [Record]) -> Result<(), S::Error> {
        if records.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = records.iter().map(|record| record.key.id.clone()).collect();
        let mut found: HashMap<String, Vec<Membership>> = HashMap::new();
        for row in source.rows(&self.groups_statement(&ids)).await? {
            let mut cells = row.cells();
            let member = cells.text()?;
            let group = Key { resource_type: cells.text()?, id: cells.text()? };
            found.entry(member).or_default().push(Membership { group, display: cells.optional_text()? });
        }
        for record in records {
            record.member_of = found.remove(&record.key.id).unwrap_or_default();
            record.member_of.sort_unstable_by(|left, right| left.group.id.cmp(&right.group.id));
        }
        Ok(())
    }

    /// From the members to their groups, never from all groups to the members.
    pub(crate) fn groups_statement(&self, members: &[String]) -> Statement {
        let up = self.dialect.member_up("m");
        let tables = match self.dialect {
            Dialect::Sqlite => format!("{up} CROSS JOIN scim_record AS g ON g.tenant = m.tenant AND g.id = m.group_id"),
            Dialect::Postgres => format!(
                "{up} CROSS JOIN LATERAL (SELECT o.type, o.id, o.display FROM scim_record AS o \
                 WHERE o.tenant = $1 AND o.id = m.group_id OFFSET 0) AS g"
            ),
        };
        Among::new(self).any("m.member_id", members).select("m.member_id, g.type, g.id, g.display", &tables, "m")
    }
}
