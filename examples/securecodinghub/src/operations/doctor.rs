//! Whether what is in the database fits together.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use scimwright_core::Catalog;
use scimwright_service::{Diagnosis, Doctor};
use scimwright_store::TenantId;
use serde_json::{Value, json};

use super::{OperationError, Trust};
use crate::cli::DoctorArgs;
use crate::commands::write_json;
use crate::database::Opened;
use crate::directory::Organisation;
use crate::endpoint::{catalog, service_of};
use crate::extensions::Extensions;
use crate::people::People;
use crate::settings::Settings;

/// Whom requests without a token are for: discovery alone, of which nothing is kept but refusals.
const NOBODY: &str = "discovery";

/// Runs `doctor …`. The exit code says whether anything was found.
///
/// # Errors
/// When the organisation is unknown, the database cannot be used, or something was found, which is shown before.
pub async fn run(
    settings: &Settings,
    args: &DoctorArgs,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), OperationError> {
    let opened = settings.database.open().await?;
    let reports = examine(settings, &opened, args.org.as_deref()).await?;
    show(&reports, json, out)
}

/// What was found of one organisation.
#[derive(Debug)]
pub struct Report {
    /// Its name; the id where there is no organisation of that id.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What was found, or why nothing could be.
    pub found: Result<Diagnosis, Problem>,
}

/// Why an organisation could not be examined.
#[derive(Debug)]
pub enum Problem {
    /// Its resources cannot be read.
    Unreadable(String),
    /// There are resources and no organisation that they belong to.
    Ownerless,
}

/// Examines one organisation, or all of them and what belongs to none.
///
/// # Errors
/// When the organisation is unknown, or the database cannot be used.
pub async fn examine(settings: &Settings, opened: &Opened, only: Option<&str>) -> Result<Vec<Report>, OperationError> {
    let Opened { directory, store } = opened;
    let organisations = match only {
        Some(name) => vec![directory.organisation(name).await?],
        None => directory.organisations().await?,
    };
    let own = catalog(&settings.types)?;
    let extensions = Extensions::new(directory.clone(), service_of(settings, own.clone(), store.clone()));
    let (own, keys) = (Arc::new(own), Trust::of(directory).await?);
    let mut reports = Vec::new();
    for organisation in &organisations {
        let catalog = extensions.catalog_of(organisation).await?.unwrap_or_else(|| own.clone());
        let (doctor, tenant) = (doctor(organisation, catalog, &keys), organisation.id.parse()?);
        let mut found = doctor.examine(&**store, &tenant).await;
        if found.is_err() {
            // Whether it is the organisation that cannot be read, or the database that is away.
            directory.organisation_by_id(&organisation.id).await?;
            found = doctor.examine(&**store, &tenant).await;
        }
        // What the database says is what is wrong with it.
        let found = found.map_err(|error| Problem::Unreadable(causes(&error)));
        reports.push(Report { name: organisation.name.clone(), id: organisation.id.clone(), found });
    }
    if only.is_none() {
        let known: BTreeSet<&str> = organisations.iter().map(|organisation| organisation.id.as_str()).collect();
        let ownerless = |tenant: &TenantId| !known.contains(tenant.as_str()) && tenant.as_str() != NOBODY;
        for tenant in store.tenants().await?.into_iter().filter(ownerless) {
            let id = tenant.to_string();
            // It may have been made since the others were listed.
            if directory.organisation_by_id(&id).await?.is_some() {
                continue;
            }
            reports.push(Report { name: id.clone(), id, found: Err(Problem::Ownerless) });
        }
    }
    Ok(reports)
}

fn doctor(organisation: &Organisation, catalog: Arc<Catalog>, keys: &Trust) -> Doctor {
    let keys = keys.clone();
    Doctor::new(catalog, Arc::new(People::provisioned(organisation))).trust(move |checkpoint| keys.check(checkpoint))
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Shows what was found, one finding a line.
///
/// # Errors
/// When the output cannot be written, or there was a finding.
pub fn show(reports: &[Report], json: bool, out: &mut dyn Write) -> Result<(), OperationError> {
    if json {
        write_json(out, &to_json(reports))?;
    } else {
        write_lines(reports, out)?;
        if reports.is_empty() {
            writeln!(out, "there are no organisations")?;
        }
    }
    match findings(reports) {
        0 => Ok(()),
        findings => Err(OperationError::Unwell { findings }),
    }
}

/// How many findings there are.
pub(super) fn findings(reports: &[Report]) -> u64 {
    reports.iter().map(Report::findings).sum()
}

pub(super) fn to_json(reports: &[Report]) -> Value {
    reports.iter().map(Report::to_json).collect()
}

pub(super) fn write_lines(reports: &[Report], out: &mut dyn Write) -> std::io::Result<()> {
    reports.iter().flat_map(Report::lines).try_for_each(|line| writeln!(out, "{line}"))
}

impl Problem {
    /// The kind, what is wrong, and what to do about it.
    fn words(&self) -> (&'static str, String, &'static str) {
        match self {
            Self::Unreadable(why) => ("unreadable", format!("it cannot be read: {why}"), "go back to a backup"),
            Self::Ownerless => (
                "ownerless",
                "there are resources and no organisation".to_owned(),
                "bring the organisation back from a backup",
            ),
        }
    }
}

impl Report {
    /// How many findings there are.
    pub fn findings(&self) -> u64 {
        match &self.found {
            Ok(diagnosis) => diagnosis.findings.len() as u64 + diagnosis.omitted,
            Err(_) => 1,
        }
    }

    fn lines(&self) -> Vec<String> {
        let name = self.name.escape_debug();
        let line = |(kind, what, advice): (&str, String, &str)| format!("{name}: {kind}: {what}: {advice}");
        match &self.found {
            Err(problem) => vec![line(problem.words())],
            Ok(found) if self.findings() == 0 => vec![format!(
                "{name}: well: {} records, {} memberships, {} entries in the log, head {}@{}",
                found.records, found.members, found.entries, found.head, found.position
            )],
            Ok(found) => {
                let each = found.findings.iter();
                let each = each.map(|finding| line((finding.name(), finding.to_string(), finding.advice())));
                let more = (found.omitted > 0).then(|| format!("{name}: and {} more", found.omitted));
                each.chain(more).collect()
            }
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({"organisation": self.name, "id": self.id});
        match &self.found {
            Err(problem) => {
                let (finding, message, advice) = problem.words();
                json["findings"] = json!([{"finding": finding, "message": message, "advice": advice}]);
            }
            Ok(found) => {
                let findings = found.findings.iter().map(|finding| {
                    let mut json = serde_json::to_value(finding).unwrap_or_default();
                    json["message"] = finding.to_string().into();
                    json["advice"] = finding.advice().into();
                    json
                });
                json["findings"] = findings.collect();
                json["omitted"] = found.omitted.into();
                json["records"] = found.records.into();
                json["memberships"] = found.members.into();
                json["entries"] = found.entries.into();
                json["position"] = found.position.into();
                json["head"] = found.head.to_string().into();
            }
        }
        json
    }
}
