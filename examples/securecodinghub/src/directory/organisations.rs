//! Making, finding and changing organisations.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::records::{Moment, check_name, name_key, now, seats_column};
use super::{Changes, Directory, DirectoryError, NewOrganisation, Organisation};

impl Directory {
    /// Makes an organisation, with SCIM turned on and without a token.
    ///
    /// # Errors
    /// When the name is taken, also with other capitals, or cannot be a name.
    pub fn create_organisation(&self, new: &NewOrganisation) -> Result<Organisation, DirectoryError> {
        self.write(|transaction| insert(transaction, new))
    }

    /// All organisations, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn organisations(&self) -> Result<Vec<Organisation>, DirectoryError> {
        self.with(|connection| {
            let sql = format!("SELECT {} FROM sch_organisation o ORDER BY o.name_key", Organisation::COLUMNS);
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([], |row| Organisation::read(row, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The organisation of this name, whatever its capitals.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub fn organisation(&self, name: &str) -> Result<Organisation, DirectoryError> {
        self.with(|connection| by_name(connection, name))
    }

    /// The organisation of this id, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn organisation_by_id(&self, id: &str) -> Result<Option<Organisation>, DirectoryError> {
        self.with(|connection| {
            let sql = format!("SELECT {} FROM sch_organisation o WHERE o.id = ?1", Organisation::COLUMNS);
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement.query_row([id], |row| Organisation::read(row, 0)).optional()?)
        })
    }

    /// Changes an organisation and returns it as it is then. The next request of its tokens finds the change.
    ///
    /// # Errors
    /// When there is no organisation of this name, or the database fails.
    pub fn set_organisation(&self, name: &str, changes: &Changes) -> Result<Organisation, DirectoryError> {
        self.write(|transaction| {
            let mut organisation = by_name(transaction, name)?;
            let Changes { seats, profile, linking, deletion, scim_enabled } = changes;
            organisation.seats = seats.unwrap_or(organisation.seats);
            organisation.profile = profile.unwrap_or(organisation.profile);
            organisation.linking = linking.unwrap_or(organisation.linking);
            organisation.deletion = deletion.unwrap_or(organisation.deletion);
            organisation.scim_enabled = scim_enabled.unwrap_or(organisation.scim_enabled);
            let seats = seats_column(organisation.seats)?;
            transaction.execute(
                "UPDATE sch_organisation
                 SET seats = ?2, profile = ?3, linking = ?4, deletion = ?5, scim_enabled = ?6
                 WHERE id = ?1",
                params![
                    organisation.id,
                    seats,
                    organisation.profile.to_string(),
                    organisation.linking.to_string(),
                    organisation.deletion.to_string(),
                    organisation.scim_enabled,
                ],
            )?;
            Ok(organisation)
        })
    }
}

pub(super) fn any(connection: &Connection) -> Result<bool, DirectoryError> {
    Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM sch_organisation)", [], |row| row.get(0))?)
}

pub(super) fn by_name(connection: &Connection, name: &str) -> Result<Organisation, DirectoryError> {
    let sql = format!("SELECT {} FROM sch_organisation o WHERE o.name_key = ?1", Organisation::COLUMNS);
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_row([name_key(name)], |row| Organisation::read(row, 0)).optional()?;
    found.ok_or_else(|| DirectoryError::UnknownOrganisation(name.to_owned()))
}

/// Inserts inside the caller's write transaction, whose lock makes the look for the name and the insert one step.
pub(super) fn insert(connection: &Connection, new: &NewOrganisation) -> Result<Organisation, DirectoryError> {
    check_name(&new.name)?;
    let seats = seats_column(new.seats)?;
    match by_name(connection, &new.name) {
        Err(DirectoryError::UnknownOrganisation(_)) => {}
        Ok(holder) => return Err(DirectoryError::NameTaken(holder.name)),
        Err(error) => return Err(error),
    }
    let organisation = Organisation {
        id: Uuid::new_v4().to_string(),
        name: new.name.clone(),
        seats: new.seats,
        profile: new.profile,
        linking: new.linking,
        deletion: new.deletion,
        scim_enabled: true,
        created: now(),
        extensions: 0,
    };
    connection.execute(
        "INSERT INTO sch_organisation (id, name, name_key, seats, profile, linking, deletion, scim_enabled, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            organisation.id,
            organisation.name,
            name_key(&organisation.name),
            seats,
            organisation.profile.to_string(),
            organisation.linking.to_string(),
            organisation.deletion.to_string(),
            organisation.scim_enabled,
            Moment(organisation.created),
        ],
    )?;
    Ok(organisation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Deletion, Edition, Linking, Profile};

    fn fresh() -> (tempfile::TempDir, Directory) {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path().join("hub.db")).unwrap();
        (folder, directory)
    }

    #[test]
    fn an_organisation_is_found_as_it_was_made() {
        let (_folder, directory) = fresh();
        let new = NewOrganisation { seats: Some(25), ..NewOrganisation::named("Acme", Edition::Second) };
        let made = directory.create_organisation(&new).unwrap();
        assert_eq!(made.linking, Linking::Reactivate);
        assert_eq!(made.deletion, Deletion::Deactivate);
        assert!(made.scim_enabled);
        assert_eq!(directory.organisation("ACME").unwrap(), made);
        assert_eq!(directory.organisation_by_id(&made.id).unwrap(), Some(made.clone()));
        assert_eq!(directory.organisation_by_id("nobody").unwrap(), None);
        assert_eq!(directory.organisations().unwrap(), [made]);
    }

    #[test]
    fn a_name_is_taken_whatever_its_capitals() {
        let (_folder, directory) = fresh();
        directory.create_organisation(&NewOrganisation::named("Øresund", Edition::First)).unwrap();
        let error = directory.create_organisation(&NewOrganisation::named("øRESUND", Edition::First)).unwrap_err();
        assert_eq!(error.to_string(), "there is an organisation `Øresund` already: choose another name");
    }

    #[test]
    fn organisations_are_listed_by_name() {
        let (_folder, directory) = fresh();
        for name in ["zeta", "Alpha", "beta"] {
            directory.create_organisation(&NewOrganisation::named(name, Edition::First)).unwrap();
        }
        let names: Vec<_> = directory.organisations().unwrap().into_iter().map(|o| o.name).collect();
        assert_eq!(names, ["Alpha", "beta", "zeta"]);
    }

    #[test]
    fn only_what_is_named_changes() {
        let (_folder, directory) = fresh();
        let made = directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).unwrap();
        let changes = Changes { seats: Some(Some(5)), profile: Some(Profile::Okta), ..Changes::default() };
        let changed = directory.set_organisation("acme", &changes).unwrap();
        assert_eq!(changed, Organisation { seats: Some(5), profile: Profile::Okta, ..made.clone() });
        let off = Changes { seats: Some(None), scim_enabled: Some(false), ..Changes::default() };
        let changed = directory.set_organisation("acme", &off).unwrap();
        assert_eq!(changed, Organisation { profile: Profile::Okta, scim_enabled: false, ..made });
        assert_eq!(directory.organisation("acme").unwrap(), changed);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (_folder, directory) = fresh();
        assert!(matches!(directory.organisation("acme"), Err(DirectoryError::UnknownOrganisation(_))));
        assert!(matches!(
            directory.set_organisation("acme", &Changes::default()),
            Err(DirectoryError::UnknownOrganisation(_))
        ));
        let new = NewOrganisation { seats: Some(u64::MAX), ..NewOrganisation::named("acme", Edition::First) };
        assert!(matches!(directory.create_organisation(&new), Err(DirectoryError::TooManySeats(_))));
        let error = directory.create_organisation(&NewOrganisation::named(" a", Edition::First)).unwrap_err();
        assert_eq!(error.to_string(), "` a` is no name for an organisation: it begins or ends with a space");
        assert!(directory.organisations().unwrap().is_empty());
    }
}
