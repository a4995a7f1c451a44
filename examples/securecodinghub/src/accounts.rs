//! Users made by hand.

use std::io::{self, Write};

use scimwright_core::{ScimError, Selection, urns};
use scimwright_service::{Context, Operation};
use serde_json::json;

use crate::cli::UserAddArgs;
use crate::database::{DatabaseError, Opened};
use crate::directory::DirectoryError;
use crate::endpoint::{TypesError, context, service};
use crate::extensions::{ExtensionError, Extensions};
use crate::people::{People, address};
use crate::settings::Settings;

/// Why no user was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The address is none.
    #[error("`{0}` is not an e-mail address")]
    NotAnAddress(String),
    /// The organisation is unknown, or the product's tables cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// What is served does not fit together.
    #[error(transparent)]
    Types(#[from] TypesError),
    /// What the organisation has registered cannot be used.
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    /// The user cannot be made: the address is taken, no seat is left.
    #[error("{}", .0.detail())]
    Refused(ScimError),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Write(#[from] io::Error),
}

// By hand, for the text above says all of it: as a source it would be printed again.
impl From<ScimError> for AccountError {
    fn from(error: ScimError) -> Self {
        Self::Refused(error)
    }
}

/// Makes a user as an administrator would, not managed by SCIM until a provider links it. It goes the road of every write.
///
/// # Errors
/// When the address is none or taken, the organisation is unknown or full, or the database cannot be used.
pub async fn add(settings: &Settings, args: &UserAddArgs, json: bool, out: &mut dyn Write) -> Result<(), AccountError> {
    let email = args.email.trim();
    if address(email).is_none() {
        return Err(AccountError::NotAnAddress(args.email.clone()));
    }
    let Opened { directory, store } = settings.database.open().await?;
    let organisation = directory.organisation(&args.org).await?;
    organisation.check_open()?;
    let service = service(settings, store)?;
    let context = context(&organisation, "admin", &settings.scim_base(), People::by_hand(&organisation))?;
    // Who comes back from out of sight may have values in an extension.
    let catalog = Extensions::new(directory, service.clone()).catalog_of(&organisation).await?;
    let context = catalog.into_iter().fold(context, Context::catalog);
    let body = json!({
        "schemas": [urns::USER],
        "userName": email,
        "emails": [{"value": email, "type": "work", "primary": true}],
    });
    let users = service.catalog_of(&context).resource_type("User").cloned();
    let resource_type = users.ok_or_else(|| ScimError::not_found("a resource type of this name"))?;
    let create = Operation::Create { resource_type, body, selection: Selection::default() };
    let reply = service.handle(&context, create).await?;
    let id = reply.body.as_ref().and_then(|body| body.get("id")).and_then(|id| id.as_str()).unwrap_or_default();
    if json {
        writeln!(out, "{}", json!({"id": id, "email": email, "organisation": organisation.name}))?;
    } else {
        writeln!(out, "{email} is a user of `{}`, id {id}", organisation.name)?;
    }
    Ok(())
}
