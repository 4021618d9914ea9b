//! Deactivates a person: sessions, tokens, second factors and open requests end in this transaction. If the account is
//! marked as compromised, its decisions and the permits that depend on them are void, and its credentials are deleted.

use std::collections::BTreeSet;

use model::approval::absence::Delegation;
use model::change::record::Change;
use model::change::related_records::{Approval, ChangeTask, Condition, Evidence, PeerReview, Permit};
use model::core::act;
use model::core::body::Body;
use model::core::enums::State;
use model::core::ids::{ChangeId, PersonId};
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::leaver::{counts_as_of, has_part, is_glass_of, leave};
use model::directory::snapshot::{Deactivation, Person, Token};
use serde::Deserialize;
use serde_json::json;
use store::identity::session;
use store::record::{self, Filter};

use crate::case::settle_open;
use crate::change::set_template;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::directory::end_signed::end_signed;
use crate::directory::{review_access, suspend_given};
use crate::guard::{impersonation, last_administrator, session_end};
use crate::identity::{set_agent, set_workload};
use crate::notify::action_items;

/// How many open changes are read at once.
const AT_ONCE: usize = 500;

/// Deactivates a person (`POST /people/{login}/deactivation {compromised, reason}`). A later request for an inactive
/// person can still mark the account as compromised.
///
/// # Errors
/// 403, 404, 422; 409 when nothing would change; the store's.
pub fn deactivate_person(cx: &mut Context<'_, '_>, login: &str, body: &Body) -> Result<Person> {
    cx.allow(act::actions::SET_PERSON)?;
    let directory = cx.directory()?;
    let Some(person) = directory.by_login(login).cloned() else {
        return Err(Refusal::not_found(format!("person {login}")).into());
    };
    let mut reading = Reading::new(body, "");
    let compromised = reading.boolean("compromised").unwrap_or(false);
    let reason = reading.text("reason", TEXT);
    reading.finish()?;
    if !person.active && (person.is_compromised() || !compromised) {
        let text = format!("{} is deactivated already.", person.name);
        return Err(Refusal::not_now("already_inactive", text, "Nothing is left to do.", Vec::new()).into());
    }
    if !compromised {
        let after = Person {
            active: false,
            ..person.clone()
        };
        last_administrator::check(cx, &after)?;
    }
    end_person(cx, person, compromised, reason)
}

/// Marks a person as inactive and ends their access and work. `person` is the record to save, with any other new
/// fields.
///
/// # Errors
/// The store's.
pub fn end_person(
    cx: &mut Context<'_, '_>,
    person: Person,
    compromised: bool,
    reason: Option<String>,
) -> Result<Person> {
    // A compromised mark stays until an administrator activates the account: a person's leaving, or a removal by a
    // directory that does not know of the mark, does not clear it.
    let said = person
        .deactivation
        .clone()
        .filter(|known| known.compromised && !compromised);
    let is_news = compromised && said.is_none();
    let mut deactivation = said.unwrap_or(Deactivation {
        by: cx.actor.person.clone(),
        at: cx.now,
        compromised,
        reason,
        suspended: Vec::new(),
    });
    let mut gone = vec![person.id.clone()];
    if is_news {
        let given = suspend_given::suspend_given(cx, &person.id)?;
        deactivation.suspended = given.things;
        gone.extend(given.made);
    }
    let person = Person {
        active: false,
        deactivation: Some(deactivation),
        ..person
    };
    let is_last = last_administrator::is_last(&*cx.directory()?, &person);
    let person = cx.put_estate("person.deactivated", person, json!({"compromised": compromised}))?;
    if is_last {
        last_administrator::notify_change_managers(cx, &person)?;
    }
    end_access(cx, &person.id)?;
    set_agent::end_of(cx, &person.id)?;
    if compromised {
        for account in &gone {
            set_template::suspend_of(cx, account)?;
        }
        end_signed(cx, &gone)?;
        impersonation::forget_ways_in(cx, &person.id)?;
        impersonation::take_back(cx, &person.id)?;
    }
    end_delegations(cx, &person.id)?;
    review_access::reassign_parts(cx)?;
    action_items::reassign_items(cx, &person.id)?;
    if is_news {
        suspend_given::follow(cx, &person)?;
    }
    end_work(cx, &gone, compromised)?;
    // Others may have to approve instead: deputies end, and rules look for the remaining people.
    settle_open::settle_with_approvers(cx)?;
    Ok(person)
}

/// Ends the delegations from and to a person.
fn end_delegations(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    for column in ["delegator", "delegate"] {
        let filter = Filter::new()
            .equals(column, person.as_str())
            .more("ends_at", cx.now)
            .order_by("id");
        for stored in record::find::<Delegation>(cx.tx, &filter)? {
            let ended = Delegation {
                ends_at: cx.now,
                ..stored.record
            };
            cx.put_estate("delegation.ended", ended, json!({}))?;
        }
    }
    Ok(())
}

/// Ends sessions, tokens and workloads of a person. Tokens and workloads that act for somebody else have lost the
/// person accountable for them.
fn end_access(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let ended = session::delete_of_person(cx.tx, person.as_str())?;
    session_end::note_ended(cx, &ended)?;
    let filter = Filter::new().equals("revoked", false).order_by("id");
    for stored in record::find::<Token>(cx.tx, &filter)? {
        let token = stored.record;
        if &token.person == person || &token.owner == person {
            cx.put_estate("token.revoked", Token { revoked: true, ..token }, json!({}))?;
        }
    }
    for workload in set_workload::workloads(cx)? {
        if workload.active && (&workload.person == person || &workload.owner == person) {
            set_workload::end(cx, workload)?;
        }
    }
    Ok(())
}

/// Removes people from every open change in which they have a part: the deactivated person, and with a compromised
/// account the accounts that it made, whose decisions count as its own.
fn end_work(cx: &mut Context<'_, '_>, people: &[PersonId], compromised: bool) -> Result<()> {
    let mut concerned = BTreeSet::new();
    for person in people {
        concerned.extend(self::concerned(cx, person)?);
    }
    let open: Vec<&str> = State::ALL
        .iter()
        .filter(|state| state.is_open())
        .map(|state| state.as_str())
        .collect();
    let filter = Filter::new().one_of("state", open).order_by("number");
    let changes = record::bodies::<Change>(cx.tx, &filter)?;
    if compromised {
        for some in changes.chunks(AT_ONCE) {
            concerned.extend(represented_in(cx, some, people)?);
        }
    }
    for change in changes {
        let names_one = people.iter().any(|person| is_named(&change, person));
        if concerned.contains(change.id.as_str()) || names_one {
            cx.on_change(change.id.as_str(), |case| {
                for (place, person) in people.iter().enumerate() {
                    // Most of the further accounts have no part in the change.
                    if place == 0 || has_part(&case.file, person) {
                        leave(case, person, compromised);
                    }
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Ids of the changes with records of this person.
fn concerned(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let standing = || {
        Filter::new()
            .equals("person", person.as_str())
            .equals("state", "standing")
            .order_by("id")
    };
    let approvals = record::find::<Approval>(cx.tx, &standing())?;
    found.extend(approvals.into_iter().map(|it| it.record.change.0));
    let reviews = record::find::<PeerReview>(cx.tx, &standing())?;
    found.extend(reviews.into_iter().map(|it| it.record.change.0));
    let tasks = Filter::new()
        .equals("assignee", person.as_str())
        .equals("state", "open")
        .order_by("id");
    let tasks = record::find::<ChangeTask>(cx.tx, &tasks)?;
    found.extend(tasks.into_iter().map(|it| it.record.change.0));
    let conditions = Filter::new().equals("state", "open").order_by("id");
    let conditions = record::find::<Condition>(cx.tx, &conditions)?.into_iter();
    found.extend(
        conditions
            .map(|it| it.record)
            .filter(|it| &it.checker == person)
            .map(|it| it.change.0),
    );
    let permits = Filter::new()
        .equals("state", "issued")
        .more("expires_at", cx.now)
        .order_by("id");
    let permits = record::find::<Permit>(cx.tx, &permits)?.into_iter();
    found.extend(
        permits
            .map(|it| it.record)
            .filter(|it| &it.by == person)
            .map(|it| it.change.0),
    );
    Ok(found)
}

/// The fields by which a record shows that a person accepted or confirmed something.
#[derive(Deserialize)]
struct Acceptance {
    change: ChangeId,
    #[serde(alias = "accepted")]
    met: Option<By>,
}

#[derive(Deserialize)]
struct By {
    by: PersonId,
}

/// Ids of those open changes in which a compromised account acted without a decision of its own: by a sign-in that it
/// set up, by a delegate, by accepting failed evidence or by confirming a condition.
fn represented_in(cx: &mut Context<'_, '_>, changes: &[Change], people: &[PersonId]) -> Result<BTreeSet<String>> {
    let of_these = || {
        Filter::new()
            .one_of("change_id", changes.iter().map(|it| it.id.as_str()))
            .order_by("id")
    };
    let approvals = record::bodies::<Approval>(cx.tx, &of_these().equals("state", "standing"))?;
    let approvals = approvals
        .into_iter()
        .filter(|it| people.iter().any(|person| counts_as_of(it, person)));
    let mut found: BTreeSet<String> = approvals.map(|it| it.change.0).collect();
    let mut said = record::parts::<Evidence, Acceptance>(cx.tx, &of_these())?;
    said.extend(record::parts::<Condition, Acceptance>(cx.tx, &of_these())?);
    let said = said
        .into_iter()
        .filter(|it| it.met.as_ref().is_some_and(|met| people.contains(&met.by)));
    found.extend(said.map(|it| it.change.0));
    Ok(found)
}

fn is_named(change: &Change, person: &PersonId) -> bool {
    let content = &change.content;
    let glass = change.break_glass.as_ref();
    &change.requester == person
        || &content.owner == person
        || content.implementers.contains(person)
        || content.tester.as_ref() == Some(person)
        || change.requests.iter().any(|request| &request.person == person)
        || glass.is_some_and(|it| is_glass_of(it, person))
}
