//! Erases a person's data from their account: name, login, addresses, accounts and directory attributes, with their
//! salts. The person's id in the log stays, and so does every proof of their acts.

use model::compliance::person_erasure::{NAME, PersonErasure, PersonErasureInput, login_of};
use model::compliance::retention_rule;
use model::core::act::actions;
use model::core::enums::KeptKind;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Person;
use serde_json::{Value, json};
use store::change::form_draft;
use store::record::{self, Filter, Record};

use crate::compliance::erase_from_answers::erase_from_answers;
use crate::compliance::erase_texts::{NAMED, Place, commitments, erase_record, former_of, plain};
use crate::compliance::find_holds;
use crate::compliance::retention_in_force::{rules, since};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};
use crate::guard::other_setters::{has_lost_another, others_who_set};
use crate::guard::self_grant::is_behind;
use crate::incident::keep::keep;

impl PlainNoun for PersonErasure {
    type Input = PersonErasureInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/person-erasures/{}/page", self.id))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: PersonErasureInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let person = directory.by_login(&input.person).cloned();
        if reading.says("person") && person.is_none() {
            reading.wrong(
                "person",
                "unknown",
                format!("No person has the login `{}`.", input.person),
            );
        }
        reading.finish()?;
        let Some(person) = person else {
            return Err(Refusal::field("person", "missing", "`person` is missing.").into());
        };
        check(cx, &person)?;
        let waiting = Filter::new().equals("active", true).order_by("id");
        let waiting = record::bodies::<Self>(cx.tx, &waiting)?;
        if waiting.iter().any(|it| it.person == person.id) {
            let text = "An erasure of this person's data waits for a second person.";
            let satisfy = "Have the erasure confirmed, or withdraw it.";
            return Err(Refusal::not_now("erasure_asked", text, satisfy, Vec::new()).into());
        }
        let me = cx.actor.person.clone();
        let asked = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            person: person.id,
            reason: input.reason,
            by: me.clone(),
            handed_by: cx.actor.hand().cloned(),
            at: cx.now,
            done_by: None,
            done_at: None,
            active: true,
        };
        let asked = keep(cx, "person_erasure.asked", asked, json!({}))?;
        if others_who_set(cx, &me)?.is_empty() && !has_lost_another(cx)? {
            return erase(cx, asked);
        }
        Ok(asked)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        keep(
            cx,
            "person_erasure.withdrawn",
            Self { active: false, ..self },
            json!({}),
        )
    }
}

/// Performs an erasure that another person requested (`POST /person-erasures/{id}/confirmation`).
///
/// # Errors
/// 403, 404; 409 `not_open`, `second_person_needed`, `under_legal_hold`, `kept_by_rule` or `not_in_state`; the store's.
pub fn confirm_person_erasure(cx: &mut Context<'_, '_>, id: &str) -> Result<PersonErasure> {
    cx.allow(actions::SET_POLICY)?;
    let found = PersonErasure::found(cx, id)?.ok_or_else(|| Refusal::not_found("person erasure"))?;
    if !found.active {
        let text = "The erasure was done or withdrawn.";
        return Err(Refusal::not_now("not_open", text, "Ask for another one.", Vec::new()).into());
    }
    let directory = cx.directory()?;
    if is_behind(cx, &directory, (&found.by, found.handed_by.as_ref())) {
        let text = "The requester of an erasure cannot confirm it.";
        let me = cx.actor.person.clone();
        let others = others_who_set(cx, &me)?;
        let satisfy = "Another person who may set policies must confirm it.";
        return Err(Refusal::not_now("second_person_needed", text, satisfy, others).into());
    }
    let person = load(cx, &found.person)?;
    check(cx, &person)?;
    erase(cx, found)
}

fn load(cx: &mut Context<'_, '_>, id: &PersonId) -> Result<Person> {
    let found = record::load::<Person>(cx.tx, id.as_str())?;
    Ok(found.ok_or_else(|| Refusal::not_found("person"))?.record)
}

/// Whether a person's data may be erased now: the account is deactivated, no hold order names the person or holds a
/// change in which they had a part, and the longest retention rule since the deactivation has ended.
fn check(cx: &mut Context<'_, '_>, person: &Person) -> Result<()> {
    let Some(gone) = person.deactivation.as_ref().filter(|_| !person.active) else {
        let text = "The account is active: its data is in use.";
        return Err(Refusal::not_now("not_in_state", text, "Deactivate it first.", Vec::new()).into());
    };
    if person.login == login_of(&person.id) {
        let text = "The data of this person was erased before.";
        return Err(Refusal::not_now("already_erased", text, "Nothing is left to erase.", Vec::new()).into());
    }
    let orders = find_holds::active_orders(cx)?;
    if let Some(order) = orders.iter().find(|order| order.people.contains(&person.id)) {
        let text = format!(
            "The hold order {} names this person: none of their data can be erased.",
            order.id
        );
        let satisfy = "Lift it first (`POST /hold-orders/{id}/lifting`), if its requesters agree.";
        return Err(Refusal::not_now("under_legal_hold", text, satisfy, Vec::new()).into());
    }
    if let Some((key, order)) = find_holds::part_held(cx, &orders, &person.id)? {
        let text = format!(
            "The hold order {order} covers {key}, in which this person took part: none of their data can be erased."
        );
        let satisfy = "Lift it first (`POST /hold-orders/{id}/lifting`), if its requesters agree.";
        return Err(Refusal::not_now("under_legal_hold", text, satisfy, Vec::new()).into());
    }
    let rules = rules(cx)?;
    let Some(rule) = retention_rule::longest(&rules, KeptKind::Change) else {
        return Ok(());
    };
    if since(cx.now, Some(rule.keep_days)).is_some_and(|before| gone.at < before) {
        return Ok(());
    }
    let text = format!(
        "The retention rule `{}` requires keeping the names of deciders for {} days after they left.",
        rule.key, rule.keep_days
    );
    let satisfy = "Wait until then, or have the rule switched off if the regime does not apply here.";
    Err(Refusal::not_now("kept_by_rule", text, satisfy, Vec::new()).into())
}

fn erase(cx: &mut Context<'_, '_>, erasure: PersonErasure) -> Result<PersonErasure> {
    let person = load(cx, &erasure.person)?;
    let login = person.login.clone();
    let bare = bare(person);
    let id = bare.id.0.clone();
    cx.put_estate("person.erased", bare, json!({}))?;
    form_draft::delete_of_person(cx.tx, &id)?;
    let (texts, _) = former_of(cx, (Person::TABLE, &id))?;
    for piece in texts.chunks(NAMED) {
        let mut written = Written::default();
        erase_record::<Person>(cx, &mut written, &id, &commitments(piece), &|_| {})?;
        let texts: Vec<Value> = piece.iter().map(Place::told).collect();
        let data = json!({"kind": "person", "records": [{"table": Person::TABLE, "id": id, "texts": texts}]});
        cx.emit(
            vec![draft("text.erased", (Person::TABLE, id.clone()), cx.now, data)],
            written,
        )?;
    }
    erase_from_answers(cx, [login.as_str(), id.as_str()], &plain(&texts))?;
    cx.touch_directory()?;
    let done = PersonErasure {
        done_by: Some(cx.actor.person.clone()),
        done_at: Some(cx.now),
        active: false,
        ..erasure
    };
    let data = json!({"texts": texts.len()});
    keep(cx, "person_erasure.done", done, data)
}

/// The account without data about the person. Rights and functions stay: they show what the account could do.
fn bare(person: Person) -> Person {
    let deactivation = person.deactivation.map(|mut it| {
        it.reason = None;
        it
    });
    Person {
        login: login_of(&person.id),
        name: NAME.to_owned(),
        email: None,
        accounts: Vec::new(),
        subjects: Vec::new(),
        external_id: None,
        attributes: Vec::new(),
        telling: None,
        vouched: Vec::new(),
        readdressed: None,
        deactivation,
        ..person
    }
}
