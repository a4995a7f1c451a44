//! The product's rules about people and teams: who an account is, who takes it over, how many there may be.

use std::collections::BTreeSet;

use scimwright_core::{Resource, ResourceType, ScimError, ScimType, fold};
use scimwright_service::{Adoption, Conflicting, Deletion as Deleted, Policy, Writing};
use scimwright_store::{Fact, Guard, IndexKey, Record, Scope, StoreError, When};
use serde_json::{Value, json};

use crate::directory::Organisation;
use crate::policy::{Deletion, Linking};

/// The key by which a person is known over all organisations.
const LOGIN: &str = "e-mail";
/// The same in one organisation, for those who were deleted there.
const OWN_LOGIN: &str = "e-mail here";
/// More addresses than anybody has, and fewer than would block others.
const MOST_LOGINS: usize = 20;
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

    /// Keeps who made the record and whether a provider manages it; the first word of a provider about a record links it.
    fn note_who_manages(&self, writing: &mut Writing<'_>) {
        let managed = writing.notes.get(MANAGED) == Some(&Value::Bool(true));
        let known = writing.before.is_some();
        if !self.by_hand {
            let may = !known || writing.adopts.is_some() || self.linking != Linking::Refuse;
            if may && !managed {
                *writing.linked = known;
                writing.notes.insert(MANAGED.to_owned(), true.into());
            }
        } else if writing.adopts.is_some() {
            // Deleted softly by the provider, who thereby gave the user up, and now made by hand: to be linked again.
            writing.notes.remove(MANAGED);
        }
        if !known {
            writing.notes.insert(ORIGIN.to_owned(), if self.by_hand { "hand" } else { "scim" }.into());
        }
    }

    /// Whether a provider's POST may take over this user.
    fn may_link(&self, holder: &Record) -> Option<u16> {
        let managed = is_managed(holder);
        let active = self.is_active(&holder.resource);
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
                let mut keys = self.retired_keys(resource_type, resource);
                keys.extend(logins(resource).into_iter().map(|login| global(LOGIN, login)));
                keys
            }
            "Group" => {
                let name = resource.get("displayName").and_then(Value::as_str).map(|name| fold(name.trim()));
                // None of these keys may have the path of an attribute: filters would find their values there.
                let key = |value| IndexKey { path: TEAM.to_owned(), value, scope: Scope::Tenant };
                name.into_iter().map(key).collect()
            }
            _ => Vec::new(),
        }
    }

    /// By these a user who was deleted softly is found again in his own organisation; to others his addresses are free.
    fn retired_keys(&self, resource_type: &ResourceType, resource: &Resource) -> Vec<IndexKey> {
        if resource_type.name != "User" {
            return Vec::new();
        }
        let here = |path: &str, value: &str| global(path, format!("{} {value}", self.organisation));
        let name = resource.get("userName").and_then(Value::as_str).map(|name| here(NAME, &fold(name.trim())));
        logins(resource).iter().map(|login| here(OWN_LOGIN, login)).chain(name).collect()
    }

    fn member_types(&self, resource_type: &ResourceType) -> Vec<String> {
        // Teams are made of people. What other types are made of is for those to say who declare them.
        if resource_type.name == "Group" { vec!["User".to_owned()] } else { Vec::new() }
    }

    /// Nobody signs in here with a password of SCIM's, so none is kept. What the folders of types call write-only is there for
    /// others to act on, and kept as it came.
    fn secret(&self, resource_type: &ResourceType, _attribute: &str, value: &Value) -> Option<Value> {
        let own = matches!(resource_type.name.as_str(), "User" | "Group");
        (!own).then(|| value.clone())
    }

    /// Only who is said to be active is: an account without a word about it cannot be used.
    fn is_active(&self, resource: &Resource) -> bool {
        resource.get("active") == Some(&Value::Bool(true))
    }

    fn store_failed(&self, error: &StoreError) {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(%error, cause, organisation = self.organisation, "the database does not answer");
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
        self.note_who_manages(writing);
        if writing.resource_type.name != "User" {
            return Ok(());
        }
        let active = |resource: &Resource| resource.get("active").is_some();
        let given = writing.given.iter().any(|name| name.eq_ignore_ascii_case("active"));
        match (writing.before, writing.adopts) {
            // A new account may be used unless the provider says otherwise, and so may one that was linked. Null is a word too.
            (None, _) if !active(writing.resource) && !given => writing.resource.put("active", true.into()),
            (Some(_), Some(incoming)) if !active(incoming) => writing.resource.put("active", true.into()),
            // A PUT that says nothing about it neither deactivates nor reactivates anybody. To remove it is to say something.
            (Some(before), None) if !active(writing.resource) && !writing.given.is_empty() && !given => {
                let as_it_was = before.resource.get("active").cloned().unwrap_or_default();
                writing.resource.put("active", as_it_was);
            }
            _ => {}
        }
        if logins(writing.resource).len() > MOST_LOGINS {
            let detail = format!("a person has at most {MOST_LOGINS} addresses for work: mark the others otherwise");
            return Err(ScimError::bad(ScimType::InvalidValue, detail));
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

fn global(path: &str, value: String) -> IndexKey {
    IndexKey { path: path.to_owned(), value, scope: Scope::Global }
}

/// Whether SCIM manages the record already.
fn is_managed(record: &Record) -> bool {
    record.notes.get(MANAGED) == Some(&Value::Bool(true))
}

/// The addresses by which a person signs in: the user name where it is one, and of the e-mails the primary ones and those for
/// work, or the first where there is neither. A private address that people share is none.
fn logins(user: &Resource) -> BTreeSet<String> {
    let emails = user.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |email: &Value, name: &str| email.get(name).and_then(Value::as_str).map(str::to_owned);
    let ours = |email: &&Value| {
        email.get("primary") == Some(&Value::Bool(true))
            || text(email, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
    };
    let mut chosen: Vec<String> = emails.iter().filter(ours).filter_map(|email| text(email, "value")).collect();
    if chosen.is_empty() {
        chosen.extend(emails.first().and_then(|email| text(email, "value")));
    }
    chosen.extend(user.get("userName").and_then(Value::as_str).map(str::to_owned));
    chosen.iter().filter_map(|text| address(text)).collect()
}

/// The e-mail address that a text is, in the one form in which addresses are compared; none where it is no address.
///
/// Blanks around it, letters of other width or case, what cannot be seen, and a dot that ends the domain make no other address.
pub(crate) fn address(text: &str) -> Option<String> {
    let visible: String = text.chars().filter(|character| !is_invisible(*character)).collect();
    let folded = fold(visible.trim());
    let (local, domain) = folded.trim_end_matches('.').rsplit_once('@')?;
    let good =
        !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !folded.contains(char::is_whitespace);
    good.then(|| format!("{local}@{domain}"))
}

/// Characters that Unicode means to be ignored where they are shown.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

fn fact(login: &str) -> String {
    format!("{LEARNER} {login}")
}

/// The training record stays when the account goes, and is found again by any address that the person had then. An address that
/// a living person gives up, as when a mapping is set right, leads to nobody; one that leads to somebody else is left alone.
fn keep_training_record(writing: &mut Writing<'_>) {
    let logins = logins(writing.resource);
    let known = || {
        let mut known = writing.known.iter().filter(|fact| logins.iter().any(|login| fact.name == self::fact(login)));
        known.find_map(|fact| fact.value.as_ref()?.as_str().map(str::to_owned))
    };
    let learner = match writing.notes.get(LEARNER).and_then(Value::as_str) {
        Some(learner) => learner.to_owned(),
        None => known().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
    };
    let before = writing.before.map(|before| self::logins(&before.resource)).unwrap_or_default();
    let own = json!(learner);
    let taken = logins.difference(&before).map(|login| Fact {
        name: fact(login),
        value: Some(own.clone()),
        when: When::Absent,
    });
    let given_up =
        before.difference(&logins).map(|login| Fact { name: fact(login), value: None, when: When::Is(own.clone()) });
    writing.facts.extend(taken.chain(given_up).collect::<Vec<_>>());
    writing.notes.insert(LEARNER.to_owned(), own);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn of(user: Value) -> Vec<String> {
        logins(&Resource::from_stored(user.as_object().cloned().unwrap())).into_iter().collect()
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
        for no_address in ["ada", "@x.example", "ada@", "ada@localhost", "a b@x.example", "ada@."] {
            assert_eq!(address(no_address), None, "{no_address}");
        }
    }

    #[test]
    fn one_address_has_one_form() {
        for same in [
            "Ada@Corp.example",
            " ada@corp.example ",
            "ada\u{ff20}corp\u{ff0e}example",
            "ada@corp.example.",
            "ada@CORP\u{200b}.example",
        ] {
            assert_eq!(address(same).as_deref(), Some("ada@corp.example"), "{same:?}");
        }
    }
}
