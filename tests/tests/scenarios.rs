//! What identity providers were seen to send, played against the whole service in process: over every store, under the
//! policy of the product that these scenarios were written for.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use pollster::block_on;
use scimwright_http::{Scim, StaticToken};
use scimwright_service::{Doctor, Service};
use scimwright_sqlite::{SqliteOptions, SqliteStore};
use scimwright_store::{Store, Transfer};
use scimwright_testkit::scenario::{Outcome, Runner, Scenario, Settings, load_dir};
use scimwright_tests::StoreKind;
use securecodinghub::directory::{Directory, NewOrganisation, Organisation};
use securecodinghub::endpoint::{catalog, context};
use securecodinghub::people::People;
use securecodinghub::policy::{Edition, Profile};
use tokio::runtime::Builder;

const BASE: &str = "https://hub.example/api/sch/scim/v2";

/// What is not played although it was asked for, and why.
const SKIPPED: &[(&str, &str)] = &[];

/// What is asked of one store.
struct Play {
    /// How the requests of the organisation are read.
    profile: Profile,
    /// Whose rules hold for its people.
    edition: Edition,
    /// Which scenarios are meant.
    wanted: fn(&Scenario) -> bool,
    /// How many there are at least, so that a corpus that shrank does not pass for one that holds.
    at_least: usize,
    settings: fn(&mut Settings),
}

/// Those of every client: neither the product's own nor, for the second edition, what contradicts it.
const TOLERANT: Play = Play {
    profile: Profile::Tolerant,
    edition: Edition::First,
    wanted: |scenario| scenario.profile() != Some("securecodinghub-soft"),
    at_least: 120,
    settings: |settings| settings.profiles = vec!["securecodinghub".to_owned()],
};

const SECOND_EDITION: Play = Play {
    profile: Profile::Tolerant,
    edition: Edition::Second,
    wanted: |scenario| scenario.profile() != Some("securecodinghub"),
    at_least: 111,
    settings: |settings| settings.profiles = vec!["securecodinghub-soft".to_owned()],
};

const STRICT: Play = Play {
    profile: Profile::Strict,
    edition: Edition::First,
    wanted: |scenario| scenario.profile().is_none() && scenario.tolerance().is_empty(),
    at_least: 80,
    settings: |settings| settings.strict = true,
};

const ENTRA: Play = Play {
    profile: Profile::Entra,
    edition: Edition::First,
    wanted: |scenario| scenario.name().starts_with("entra/"),
    at_least: 50,
    settings: |_| {},
};

const OKTA: Play = Play {
    profile: Profile::Okta,
    edition: Edition::First,
    wanted: |scenario| scenario.name().starts_with("okta/"),
    at_least: 23,
    settings: |_| {},
};

impl Play {
    /// Plays it on a store of which nothing is known but that it is empty, and looks at it after each request.
    fn over(&self, store: Arc<dyn Store>, look: &dyn Fn(&Organisation)) {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path().join("hub.db")).unwrap();
        let mut organisation = NewOrganisation::named("Acme", self.edition);
        organisation.profile = self.profile;
        let runtime = Builder::new_current_thread().build().unwrap();
        let organisation = runtime.block_on(directory.create_organisation(&organisation)).unwrap();
        let people = People::provisioned(&organisation);
        let caller = context(&organisation, "tests", BASE, people).unwrap();
        let service = Service::over(catalog(&[]).unwrap(), store);
        let scim = Scim::new(service, StaticToken::new("secret", caller)).mount("/api/sch/scim/v2");
        let transport = |request: Request<Bytes>| {
            let (parts, body) = block_on(scim.handle(request.map(Full::new))).into_parts();
            let body = block_on(body.collect()).unwrap_or_else(|never| match never {}).to_bytes();
            look(&organisation);
            Ok(Response::from_parts(parts, body))
        };
        let mut settings = Settings::new(BASE, "secret");
        (self.settings)(&mut settings);
        let runner = Runner::new(&transport, settings).unwrap();
        let all = load_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/idp")).unwrap();
        let wanted: Vec<&Scenario> = all.iter().filter(|scenario| (self.wanted)(scenario)).collect();
        assert!(wanted.len() >= self.at_least, "only {} scenarios", wanted.len());
        let lines = wanted.iter().filter_map(|scenario| line(scenario.name(), &runner.play(scenario)));
        let lines: Vec<String> = lines.collect();
        assert!(lines.is_empty(), "{} of {}:\n{}", lines.len(), wanted.len(), lines.join("\n"));
    }

    /// Plays it, and examines what is in the store after each request, for scenarios take away what they have made.
    fn leaves_it_well<T: Transfer>(&self, store: Arc<T>) {
        let catalog = Arc::new(catalog(&[]).unwrap());
        let (records, members, entries) = (Cell::new(0), Cell::new(0), Cell::new(0));
        self.over(store.clone(), &|organisation| {
            let doctor = Doctor::new(catalog.clone(), Arc::new(People::provisioned(organisation)));
            let diagnosis = block_on(doctor.examine(&*store, &organisation.id.parse().unwrap())).unwrap();
            assert_eq!(diagnosis.findings, []);
            records.set(records.get().max(diagnosis.records));
            members.set(members.get().max(diagnosis.members));
            entries.set(diagnosis.entries);
        });
        let seen = (records.get(), members.get(), entries.get());
        assert!(seen.0 > 3 && seen.1 > 1 && seen.2 > 100, "{seen:?}");
    }

    fn on_every_store(&self) {
        for kind in StoreKind::all() {
            eprintln!("on {kind:?}");
            self.over(kind.fresh(), &|_| ());
        }
    }
}

#[test]
fn a_doctor_finds_nothing_behind_any_scenario() {
    for play in [TOLERANT, SECOND_EDITION] {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("scim.db"), SqliteOptions::default()).unwrap();
        play.leaves_it_well(Arc::new(store));
    }
}

/// What is wrong with an outcome, in one line.
fn line(name: &str, outcome: &Outcome) -> Option<String> {
    let expected = SKIPPED.iter().find(|(skipped, _)| *skipped == name).map(|(_, reason)| *reason);
    match (outcome, expected) {
        (Outcome::Passed, None) => None,
        (Outcome::Skipped(reason), Some(expected)) if reason == expected => None,
        (Outcome::Passed, Some(reason)) => Some(format!("{name}: passed, so it need not be skipped: {reason}")),
        (Outcome::Skipped(reason), _) => Some(format!("{name}: skipped: {reason}")),
        (Outcome::Failed { differences, .. }, _) => Some(format!("{name}: {}", differences.join("; "))),
    }
}

#[test]
fn the_product() {
    TOLERANT.on_every_store();
}

#[test]
fn the_second_edition() {
    SECOND_EDITION.on_every_store();
}

#[test]
fn strict() {
    STRICT.on_every_store();
}

#[test]
fn entra() {
    ENTRA.on_every_store();
}

#[test]
fn okta() {
    OKTA.on_every_store();
}
