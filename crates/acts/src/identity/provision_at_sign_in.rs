//! Finds or makes the person in an identity provider's claims. One subject is one person, and so is one mail address: a second
//! account never counts as a second person.

use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::core::{confusables, enums};
use model::directory::snapshot::{self, Person};
use model::identity::provider::{Claimed, IdentityProvider, with_member};
use serde_json::json;
use store::identity::identities;
use store::record::{self, Filter};

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::{group_membership, known_address, last_administrator, person_fields};
use crate::identity::expire_federated_rights;

/// The most accounts of one person at providers.
const MOST_SUBJECTS: usize = 10;

/// Finds or creates the person behind a verified sign-in, and updates groups and roles from the provider's claims.
///
/// # Errors
/// 403 `nobody_known`, `not_an_address`, `address_not_verified`, `account_ended`, `login_taken` or `other_account`; the store's.
pub fn meet_person(cx: &mut Context<'_, '_>, provider: &IdentityProvider, claimed: &Claimed) -> Result<PersonId> {
    let found = match by_subject(cx, claimed)? {
        Some(person) => person,
        None => match by_mail(cx, provider, claimed)? {
            Some(person) => bind(cx, provider, person, claimed)?,
            None => make(cx, provider, claimed)?,
        },
    };
    if !found.active {
        let text = format!(
            "{}, your account here was deactivated. Ask an administrator.",
            found.name
        );
        return Err(Refusal::not_allowed("account_ended", text).into());
    }
    follow(cx, provider, found, claimed)
}

fn by_subject(cx: &mut Context<'_, '_>, claimed: &Claimed) -> Result<Option<Person>> {
    let ids = identities::find(cx.tx, identities::SUBJECT, &claimed.subject)?;
    let Some(id) = ids.first() else { return Ok(None) };
    Ok(record::load::<Person>(cx.tx, id)?.map(|stored| stored.record))
}

/// The person with the claimed main address. An unverified address, or one that a person has in another way, neither creates a
/// second person nor signs anybody in: an alias only attributes commits, and a directory's second address may be shared.
fn by_mail(cx: &mut Context<'_, '_>, provider: &IdentityProvider, claimed: &Claimed) -> Result<Option<Person>> {
    let Some(mail) = claimed.mail.as_deref() else {
        return Ok(None);
    };
    let is_believed = provider.mail_of(claimed).is_some();
    if is_believed && !person_fields::is_address(mail) {
        // In another spelling the address would be another one, and its owner a second person.
        return Err(Refusal::not_allowed("not_an_address", person_fields::no_address(mail)).into());
    }
    let Some(holder) = known_address::holder(cx, mail)? else {
        return Ok(None);
    };
    if !is_believed {
        // The sign-in did not prove the address, so its owner here must not be revealed.
        let text = format!(
            "{} did not state that it verified your address `{mail}`, which belongs to a person here. Have it verified there, \
             or ask an administrator.",
            provider.name
        );
        return Err(Refusal::not_allowed("address_not_verified", text).into());
    }
    if !holder.is_main {
        let text = format!(
            "`{mail}` is another address of {}, and one person has one account here. Sign in by their main address, or ask an \
             administrator to make this one theirs.",
            holder.person.login
        );
        return Err(Refusal::not_allowed("other_account", text).into());
    }
    Ok(Some(holder.person))
}

/// Ties a subject to a person who is known by the address. Nobody is tied to two subjects of one provider: the address
/// may have moved to another human.
fn bind(cx: &mut Context<'_, '_>, provider: &IdentityProvider, person: Person, claimed: &Claimed) -> Result<Person> {
    let of_this = format!("{} ", provider.issuer);
    let other = person.subjects.iter().any(|subject| subject.starts_with(&of_this));
    if other || person.subjects.len() >= MOST_SUBJECTS {
        let text = format!(
            "The address belongs to {}, who signs in at {} with another account. Ask an administrator.",
            person.login, provider.name
        );
        return Err(Refusal::not_allowed("other_account", text).into());
    }
    let mut subjects = person.subjects.clone();
    subjects.push(claimed.subject.clone());
    let bound = Person { subjects, ..person };
    cx.put_estate("person.bound", bound, json!({"provider": provider.key}))
}

fn make(cx: &mut Context<'_, '_>, provider: &IdentityProvider, claimed: &Claimed) -> Result<Person> {
    let nobody = |text: String| Refusal::not_allowed("nobody_known", text);
    if !provider.creates_people {
        let text = "No person here is linked to this account. Ask an administrator to add you with its mail address.";
        return Err(nobody(text.to_owned()).into());
    }
    let login = claimed.login.as_deref().or(claimed.mail.as_deref()).unwrap_or_default();
    let login = login.trim().to_lowercase();
    if login.is_empty() || person_fields::no_login(&login).is_some() {
        let text = format!("{} did not send your login.", provider.name);
        return Err(nobody(text).into());
    }
    let taken = record::count::<Person>(cx.tx, &Filter::new().equals("login", login.as_str()))? > 0;
    if taken {
        let text = format!("The login `{login}` is already in use. Ask an administrator to add your mail address.");
        return Err(Refusal::not_allowed("login_taken", text).into());
    }
    let named = claimed.name.as_deref().map(confusables::name_in_one_line);
    let person = Person {
        id: PersonId(cx.new_id()?),
        version: 0,
        name: named.filter(|name| !name.is_empty()).unwrap_or_else(|| login.clone()),
        login,
        email: provider.mail_of(claimed).map(str::to_owned),
        roles: std::collections::BTreeSet::new(),
        zone: "UTC".to_owned(),
        active: true,
        accounts: Vec::new(),
        functions: std::collections::BTreeSet::new(),
        calendar: None,
        deactivation: None,
        subjects: vec![claimed.subject.clone()],
        external_id: None,
        attributes: Vec::new(),
        removed: false,
        telling: None,
        manager: None,
        refused_rights: Vec::new(),
        vouched: Vec::new(),
        readdressed: None,
        made_by: None,
        is_agent: false,
        services: Default::default(),
    };
    cx.put_estate("person.created", person, json!({"provider": provider.key}))
}

/// Applies the roles and groups that the provider manages.
fn follow(
    cx: &mut Context<'_, '_>,
    provider: &IdentityProvider,
    person: Person,
    claimed: &Claimed,
) -> Result<PersonId> {
    let id = person.id.clone();
    let mut roles = provider.roles_after(&person, claimed);
    let after = Person {
        roles: roles.clone(),
        ..person.clone()
    };
    if last_administrator::is_last(&*cx.directory()?, &after) {
        // Every other claim of the provider is applied; the last administrator keeps this role until another person has it.
        roles.insert(enums::Role::Admin);
    }
    let mut moved = false;
    let vouched = provider.vouched_after(&person, claimed, cx.now);
    let memberships = provider.memberships(&person, claimed);
    if roles != person.roles {
        let before = person.clone();
        let edited = Person {
            roles,
            vouched,
            ..person
        };
        let edited = cx.put_estate("person.edited", edited, json!({"provider": provider.key}))?;
        group_membership::leave_well_known_groups(cx, &before, &edited)?;
        settle_open::settle_person(cx, Some(&before), &edited)?;
    } else if vouched != person.vouched {
        let confirmed = Person { vouched, ..person };
        cx.put_estate("person.confirmed", confirmed, json!({"provider": provider.key}))?;
    }
    for (key, belongs) in memberships {
        let group = cx.directory()?.groups.get(&key).cloned();
        let Some(group) = group else { continue };
        if let Some(members) = with_member(&group.members, &id, belongs) {
            let group = snapshot::Group { members, ..group };
            // The provider maps roles itself, so gaining a membership here gives no role.
            let data = json!({"provider": provider.key});
            group_membership::put_group(cx, group, data, group_membership::Comers::Seated)?;
            moved = true;
        }
    }
    if moved {
        settle_open::settle_with_approvers(cx)?;
    }
    expire_federated_rights::set_for(cx, provider, &id)?;
    Ok(id)
}
