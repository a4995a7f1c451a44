//! The product's rules about people and teams: who an account is, who takes it over, how many there may be.

use scimwright_core::{Resource, ResourceType, ScimError, fold};
use scimwright_service::{Adoption, Conflicting, Deletion as Deleted, Policy, Writing};
use scimwright_store::{Fact, Guard, IndexKey, Record, Scope};
use serde_json::{Map, Value, json};

use crate::directory::Organisation;
use crate::policy::{Deletion, Linking};

/// The key by which a person is known over all organisations.
const LOGIN: &str = "e-mail";
/// The key by which a user of one organisation is known, whatever the name looks like.
const NAME: &str = "user name";
/// The key by which a team is known in its organisation.
const TEAM: &str = "team name";
/// Whether SCIM manages the record: until then it may be linked.
const MANAGED: &str = "managed";
/// Who made the record.
const ORIGIN: &str = "origin";
/// The training record that goes with the account.
const LEARNER: &str = "learner";

/// What holds for the requests of one organisation.
#[derive(Clone, Debug)]
pub struct People {
    organisation: String,
    seats: Option<u64>,
    linking: Linking,
    deletion: Deletion,
    by_hand: bool,
}

impl People {
    /// For a provider that speaks SCIM.
    pub fn provisioned(organisation: &Organisation) -> Self {
        Self {
            organisation: organisation.id.clone(),
            seats: organisation.seats,
            linking: organisation.linking,
            deletion: organisation.deletion,
            by_hand: false,
        }
    }

    /// For an administrator, or for a first sign-in: what they make may be linked later.
    pub fn by_hand(organisation: &Organisation) -> Self {
        Self { by_hand: true, linking: Linking::Refuse, ..Self::provisioned(organisation) }
    }

    /// Whether a provider's POST may take over this user.
    fn may_link(&self, holder: &Record) -> Option<u16> {
        let managed = is_managed(holder);
        let active = holder.resource.get("active").and_then(Value::as_bool).unwrap_or(true);
        match self.linking {
            Linking::Link if !managed => Some(201),
            Linking::Reactivate if !active => Some(200),
            _ => None,
        }
    }
}

impl Policy for People {
    fn keys(&self, resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
        match resource_type.name.as_str() {
            "User" => {
                let global = |path: &str, value| IndexKey { path: path.to_owned(), value, scope: Scope::Global };
                let name = resource.get("userName").and_then(Value::as_str).map(fold);
                // By this a user who was deleted softly is found again, whatever his name looks like.
                let name = name.map(|name| global(NAME, format!("{} {name}", self.organisation)));
                logins(resource).into_iter().map(|login| global(LOGIN, login)).chain(name).collect()
            }
            "Group" => {
                let name = resource.get("displayName").and_then(Value::as_str).map(fold);
                // None of these keys may have the path of an attribute: filters would find their values there.
                let key = |value| IndexKey { path: TEAM.to_owned(), value, scope: Scope::Tenant };
                name.into_iter().map(key).collect()
            }
            _ => Vec::new(),
        }
    }

    fn adopt(&self, conflict: &Conflicting<'_>) -> Adoption {
        let status = match conflict.resource_type.name.as_str() {
            // Deleted softly, and now created anew: the same person.
            "User" if conflict.retired => Some(200),
            "User" => self.may_link(conflict.holder),
            // A team made by hand that no provider has claimed.
            "Group" if !self.by_hand => {
                let claimed = is_managed(conflict.holder) || conflict.holder.resource.get("externalId").is_some();
                (!claimed).then_some(201)
            }
            _ => None,
        };
        status.map_or(Adoption::Refuse, Adoption::Adopt)
    }

    fn before_write(&self, writing: &mut Writing<'_>) -> Result<(), ScimError> {
        if !self.by_hand {
            writing.notes.insert(MANAGED.to_owned(), true.into());
        } else if writing.adopts.is_some() {
            // Deleted softly by the provider, who thereby gave the user up, and now made by hand: to be linked again.
            writing.notes.remove(MANAGED);
        }
        if writing.before.is_none() {
            writing.notes.insert(ORIGIN.to_owned(), if self.by_hand { "hand" } else { "scim" }.into());
        }
        if writing.resource_type.name != "User" {
            return Ok(());
        }
        // A new account may be used unless the provider says otherwise, and so may one that was linked.
        let silent = match (writing.before, writing.adopts) {
            (None, _) => writing.resource.get("active").is_none(),
            (Some(_), Some(incoming)) => incoming.get("active").is_none(),
            (Some(_), None) => false,
        };
        if silent {
            writing.resource.put("active", true.into());
        }
        keep_training_record(writing);
        Ok(())
    }

    fn facts_wanted(&self, resource_type: &ResourceType, resource: &Resource) -> Vec<String> {
        if resource_type.name == "User" {
            logins(resource).iter().map(|login| fact(login)).collect()
        } else {
            Vec::new()
        }
    }

    fn guards(&self, resource_type: &ResourceType) -> Vec<Guard> {
        match self.seats {
            Some(limit) if resource_type.name == "User" => {
                vec![Guard::AtMost { resource_type: "User".to_owned(), limit }]
            }
            _ => Vec::new(),
        }
    }

    fn guard_failed(&self, _resource_type: &str, limit: u64) -> ScimError {
        ScimError::new(403, format!("Seat limit reached ({limit}). Remove users or contact support to increase it."))
    }

    fn deletion(&self, record: &Record) -> Deleted {
        match self.deletion {
            Deletion::Deactivate if record.key.resource_type == "User" => Deleted::Retire,
            _ => Deleted::Remove,
        }
    }

    fn exclusive_membership(&self, resource_type: &ResourceType) -> bool {
        resource_type.name == "Group"
    }
}

/// Whether SCIM manages the record already.
fn is_managed(record: &Record) -> bool {
    record.notes.get(MANAGED) == Some(&Value::Bool(true))
}

/// The folded e-mail addresses by which a person signs in: the user name where it looks like one, and of the addresses the
/// primary ones and those for work, or the first where there is neither. A private address that people share is none.
fn logins(user: &Resource) -> Vec<String> {
    let emails: Vec<&Map<String, Value>> = user
        .get("emails")
        .and_then(Value::as_array)
        .map(|emails| emails.iter().filter_map(Value::as_object).collect())
        .unwrap_or_default();
    let text = |email: &&Map<String, Value>, name: &str| email.get(name).and_then(Value::as_str).map(str::to_owned);
    let ours = |email: &&&Map<String, Value>| {
        email.get("primary") == Some(&Value::Bool(true))
            || text(email, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
    };
    let mut chosen: Vec<String> = emails.iter().filter(ours).filter_map(|email| text(email, "value")).collect();
    if chosen.is_empty() {
        chosen.extend(emails.first().and_then(|email| text(email, "value")));
    }
    chosen.extend(user.get("userName").and_then(Value::as_str).map(str::to_owned));
    let mut logins: Vec<String> =
        chosen.iter().filter(|text| looks_like_an_address(text)).map(|text| fold(text)).collect();
    logins.sort_unstable();
    logins.dedup();
    logins
}

fn looks_like_an_address(text: &str) -> bool {
    matches!(text.rsplit_once('@'), Some((local, domain)) if !local.is_empty() && domain.contains('.'))
}

fn fact(login: &str) -> String {
    format!("{LEARNER} {login}")
}

/// The training record stays when the account goes, and is found again by any address that the person had.
fn keep_training_record(writing: &mut Writing<'_>) {
    let logins = logins(writing.resource);
    let known = || writing.known.iter().find_map(|fact| fact.value.as_ref()?.as_str().map(str::to_owned));
    let learner = match writing.notes.get(LEARNER).and_then(Value::as_str) {
        Some(learner) => learner.to_owned(),
        None => known().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
    };
    let before = writing.before.map(|before| self::logins(&before.resource)).unwrap_or_default();
    let is_known = |login: &String| {
        let name = fact(login);
        before.contains(login)
            || writing.known.iter().any(|known| known.name == name && known.value == Some(json!(learner)))
    };
    let new = logins.iter().filter(|login| !is_known(login));
    let facts: Vec<_> = new.map(|login| Fact { name: fact(login), value: Some(json!(learner)) }).collect();
    writing.facts.extend(facts);
    writing.notes.insert(LEARNER.to_owned(), learner.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn of(user: Value) -> Vec<String> {
        logins(&Resource::from_stored(user.as_object().cloned().unwrap()))
    }

    #[test]
    fn people_are_known_by_their_addresses_for_work() {
        assert_eq!(of(json!({"userName": "Ada@Corp.example"})), ["ada@corp.example"]);
        assert_eq!(
            of(json!({"userName": "ada", "emails": [{"value": "A@x.example"}, {"value": "b@x.example"}]})),
            ["a@x.example"]
        );
        assert_eq!(
            of(json!({"userName": "ada@t.example", "emails": [
                {"value": "home@x.example", "type": "home"}, {"value": "ada@x.example", "type": "Work"}, {"value": "p@x.example", "primary": true}]})),
            ["ada@t.example", "ada@x.example", "p@x.example"]
        );
        assert_eq!(of(json!({"userName": "ada", "emails": [{"type": "work"}]})), Vec::<String>::new());
        for no_address in ["ada", "@x.example", "ada@", "ada@localhost"] {
            assert!(!looks_like_an_address(no_address), "{no_address}");
        }
    }
}
