//! Making, finding and changing organisations.

use uuid::Uuid;

use super::records::{check_name, check_seats, name_key, now};
use super::tables::Tables;
use super::{Changes, Directory, DirectoryError, NewOrganisation, Organisation};

impl Directory {
    /// Makes an organisation, with SCIM turned on and without a token.
    ///
    /// # Errors
    /// When the name is taken, also with other capitals, or cannot be a name.
    pub async fn create_organisation(&self, new: &NewOrganisation) -> Result<Organisation, DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                // Whoever starts a server later does not take the database for a fresh one.
                tables.is_first().await?;
                insert(tables, new).await
            })
        })
        .await
    }

    /// All organisations, by name: what the operator may ask for and no request does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, DirectoryError> {
        let mut organisations = self.read(|tables, _| tables.organisations()).await?;
        organisations.sort_by_cached_key(|organisation| name_key(&organisation.name));
        Ok(organisations)
    }

    /// The organisation of this name, whatever its capitals.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn organisation(&self, name: &str) -> Result<Organisation, DirectoryError> {
        self.read(|tables, _| Box::pin(by_name(tables, name, false))).await
    }

    /// The organisation of this id, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organisation_by_id(&self, id: &str) -> Result<Option<Organisation>, DirectoryError> {
        self.read(|tables, _| tables.organisation(id, false)).await
    }

    /// Changes an organisation and returns it as it is then. The next request of its tokens finds the change.
    ///
    /// # Errors
    /// When there is no organisation of this name, or the database fails.
    pub async fn set_organisation(&self, name: &str, changes: &Changes) -> Result<Organisation, DirectoryError> {
        self.write(|tables, _| {
            Box::pin(async move {
                let mut organisation = by_name(tables, name, true).await?;
                let Changes { seats, profile, linking, deletion, scim_enabled } = changes;
                organisation.seats = seats.unwrap_or(organisation.seats);
                organisation.profile = profile.unwrap_or(organisation.profile);
                organisation.linking = linking.unwrap_or(organisation.linking);
                organisation.deletion = deletion.unwrap_or(organisation.deletion);
                organisation.scim_enabled = scim_enabled.unwrap_or(organisation.scim_enabled);
                check_seats(organisation.seats)?;
                tables.set_organisation(&organisation).await?;
                Ok(organisation)
            })
        })
        .await
    }
}

/// The organisation of this name; with `lock` it may be changed, and nobody else does so until the transaction ends.
pub(super) async fn by_name(tables: &mut dyn Tables, name: &str, lock: bool) -> Result<Organisation, DirectoryError> {
    let found = tables.named(&name_key(name), lock).await?;
    let organisation = found.ok_or_else(|| DirectoryError::UnknownOrganisation(name.to_owned()))?;
    if lock {
        organisation.check_open()?;
    }
    Ok(organisation)
}

/// Inserts inside the caller's transaction.
pub(super) async fn insert(tables: &mut dyn Tables, new: &NewOrganisation) -> Result<Organisation, DirectoryError> {
    check_name(&new.name)?;
    check_seats(new.seats)?;
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
        closed: None,
    };
    let key = name_key(&organisation.name);
    if !tables.add_organisation(&organisation, &key).await? {
        let holder = tables.named(&key, false).await?;
        return Err(DirectoryError::NameTaken(holder.map_or(organisation.name, |holder| holder.name)));
    }
    Ok(organisation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::testing::Case;
    use crate::policy::{Deletion, Edition, Linking, Profile};

    #[tokio::test]
    async fn an_organisation_is_found_as_it_was_made() {
        for case in Case::each() {
            let directory = case.open().await;
            let new = NewOrganisation { seats: Some(25), ..NewOrganisation::named("Acme", Edition::Second) };
            let made = directory.create_organisation(&new).await.unwrap();
            assert_eq!(made.linking, Linking::Reactivate);
            assert_eq!(made.deletion, Deletion::Deactivate);
            assert!(made.scim_enabled);
            assert_eq!(directory.organisation("ACME").await.unwrap(), made);
            assert_eq!(directory.organisation_by_id(&made.id).await.unwrap(), Some(made.clone()));
            assert_eq!(directory.organisation_by_id("nobody").await.unwrap(), None);
            assert_eq!(directory.organisations().await.unwrap(), [made]);
        }
    }

    #[tokio::test]
    async fn a_name_is_taken_whatever_its_capitals() {
        for case in Case::each() {
            let directory = case.open().await;
            directory.create_organisation(&NewOrganisation::named("Øresund", Edition::First)).await.unwrap();
            let error =
                directory.create_organisation(&NewOrganisation::named("øRESUND", Edition::First)).await.unwrap_err();
            assert_eq!(error.to_string(), "there is an organisation `Øresund` already: choose another name");
        }
    }

    #[tokio::test]
    async fn organisations_are_listed_by_name() {
        for case in Case::each() {
            let directory = case.open().await;
            for name in ["zeta", "Alpha", "beta"] {
                directory.create_organisation(&NewOrganisation::named(name, Edition::First)).await.unwrap();
            }
            let names: Vec<_> = directory.organisations().await.unwrap().into_iter().map(|o| o.name).collect();
            assert_eq!(names, ["Alpha", "beta", "zeta"]);
        }
    }

    #[tokio::test]
    async fn only_what_is_named_changes() {
        for case in Case::each() {
            let directory = case.open().await;
            let made = directory.create_organisation(&NewOrganisation::named("acme", Edition::First)).await.unwrap();
            let changes = Changes { seats: Some(Some(5)), profile: Some(Profile::Okta), ..Changes::default() };
            let changed = directory.set_organisation("acme", &changes).await.unwrap();
            assert_eq!(changed, Organisation { seats: Some(5), profile: Profile::Okta, ..made.clone() });
            let off = Changes { seats: Some(None), scim_enabled: Some(false), ..Changes::default() };
            let changed = directory.set_organisation("acme", &off).await.unwrap();
            assert_eq!(changed, Organisation { profile: Profile::Okta, scim_enabled: false, ..made });
            assert_eq!(directory.organisation("acme").await.unwrap(), changed);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused() {
        for case in Case::each() {
            let directory = case.open().await;
            assert!(matches!(directory.organisation("acme").await, Err(DirectoryError::UnknownOrganisation(_))));
            assert!(matches!(
                directory.set_organisation("acme", &Changes::default()).await,
                Err(DirectoryError::UnknownOrganisation(_))
            ));
            let new = NewOrganisation { seats: Some(u64::MAX), ..NewOrganisation::named("acme", Edition::First) };
            assert!(matches!(directory.create_organisation(&new).await, Err(DirectoryError::TooManySeats(_))));
            let error = directory.create_organisation(&NewOrganisation::named(" a", Edition::First)).await.unwrap_err();
            assert_eq!(error.to_string(), "` a` is no name for an organisation: it begins or ends with a space");
            assert!(directory.organisations().await.unwrap().is_empty());
        }
    }
}
