//! The path from a change's state to one that allows a wanted act: the next act, the obstacles to that act, and the people for
//! whom it waits. A person whose act is refused at night reads this first, so the text describes this change and not only its
//! state.

use crate::change::change_file::Case;
use crate::change::lifecycle::{hold_unmet, is_legal, leads, states};
use crate::change::requirement::{
    against_start, against_submission, before_approvals, before_approved, before_scheduled, outcomes_missing,
};
use crate::change::{eligible, next_step};
use crate::core::act::Act;
use crate::core::enums::{Role, State};
use crate::core::ids::PersonId;
use crate::core::refusal::Refusal;
use crate::core::unmet::{Unmet, is_before_all, sentence};
use crate::directory::snapshot::logins;
use crate::emergency::budget;

/// The refusal of an act that does not belong to the change's state: one row, which names the act that leads there.
pub(crate) fn not_in_state(case: &Case<'_>, act: Act) -> Refusal {
    let state = case.change().state;
    let Some(usual) = leads(act, state) else {
        if states(act) == [State::Rejected] {
            // Nobody is advised to reject a change.
            let only = "Only a rejected change needs this.";
            return Refusal::not_in_state(act, state, Some(only), Vec::new());
        }
        return Refusal::not_in_state(act, state, None, Vec::new());
    };
    let rows = holding_up(case, act);
    let Some(first) = rows.first() else {
        let waiting_on = logins(&case.directory, &who_leads(case, act));
        return Refusal::not_in_state(act, state, Some(&format!("First {usual}.")), waiting_on);
    };
    let lead = match state {
        // No act of their own leaves these states: the change moves on with the last missing part.
        State::Authorizing | State::Approved if !is_of_incident(first) => what_meets(&first.code),
        _ if is_of_incident(first) => None,
        _ if is_before_all(&first.code) => what_meets(&first.code),
        _ => Some(usual),
    };
    // Text by people, such as the reason of a hold, keeps its own ending.
    let held = format!("{} {}", sentence(&first.text), capital(&first.satisfy));
    let satisfy = lead.map_or_else(|| held.clone(), |lead| format!("First {lead}. {held}"));
    Refusal::not_in_state(act, state, Some(&satisfy), waited_for(case, act, &rows))
}

/// The obstacles before the change's next state; the first one is to be solved first.
fn holding_up(case: &Case<'_>, act: Act) -> Vec<Unmet> {
    let (file, directory, now) = (&case.file, &*case.directory, case.now);
    let state = file.change.state;
    let is_ahead = states(act).iter().any(|wanted| *wanted > state && wanted.is_open());
    if !is_ahead || state == State::Rejected {
        return Vec::new();
    }
    let mut rows: Vec<Unmet> = hold_unmet(case.change(), &case.directory).into_iter().collect();
    // A break-glass replaces all conditions of a start, once a second person has signed.
    if act == Act::Start || states(act).iter().any(|wanted| *wanted >= State::Implementing) {
        rows.extend(budget::cosignature_unmet(file, directory, now));
    }
    rows.extend(match state {
        State::Draft => against_submission(file, directory, now),
        State::Assessing => before_approvals(file, directory, now),
        State::Authorizing => before_approved(file, directory, now),
        State::Approved => before_scheduled(file, directory, now),
        State::Scheduled => against_start(file, directory, now),
        State::Implementing => outcomes_missing(file, directory, now),
        State::Reviewing | State::Closed | State::Rejected | State::Cancelled => Vec::new(),
    });
    rows
}

/// Whether a major incident stops the change: the row names its commander's signature, and no exception from a freeze helps.
fn is_of_incident(row: &Unmet) -> bool {
    row.code == "freeze" && row.satisfy.contains("(POST /incidents/")
}

/// The act by which a condition is met, for those that are met by an act on the change.
fn what_meets(code: &str) -> Option<&'static str> {
    Some(match code {
        "on_hold" => "resume it (POST …/resume)",
        "cosignature_missing" => "get its co-signature (POST …/break-glass/co-signature)",
        "approval_missing" => "get its approvals (POST …/approvals)",
        "peer_review_missing" => "get its peer review (POST …/peer-reviews)",
        "evidence_missing" => "add its evidence (POST …/evidence)",
        "probe_missing" => "query its probe (POST …/checklist/{id}/probe)",
        "checklist_open" => "tick its checklist (POST …/checklist/{id}/tick)",
        "task_missing" | "task_open" => "finish its task (PATCH …/tasks/{id})",
        "template_not_valid" | "no_emergency" | "plan_missing" | "rollback_plan_missing" => "edit it (PATCH)",
        "not_planned" | "window_over" | "lead_time" => "plan other times (PUT …/schedule)",
        "freeze" => "plan it outside the freeze (PUT …/schedule), or get an exception (POST /freezes/{id}/exceptions)",
        _ => return None,
    })
}

/// The people for whom the first row waits, with those of other rows of its kind: of three approvals each may come first.
fn waited_for(case: &Case<'_>, act: Act, rows: &[Unmet]) -> Vec<String> {
    let Some(first) = rows.first() else { return Vec::new() };
    let mut people: Vec<String> = Vec::new();
    for login in rows
        .iter()
        .filter(|row| row.code == first.code)
        .flat_map(|row| &row.waiting_on)
    {
        if !people.contains(login) {
            people.push(login.clone());
        }
    }
    // Nobody is waited for while a window is not open, nor while no act of anybody's would help.
    let is_of_nobody = matches!(
        first.code.as_str(),
        "window_not_open" | "dependency_open" | "outcome_missing" | "cannot_be_met"
    );
    if people.is_empty() && !is_of_nobody {
        return logins(&case.directory, &who_leads(case, act));
    }
    people
}

/// The people who do the next act.
fn who_leads(case: &Case<'_>, act: Act) -> Vec<PersonId> {
    let (file, directory) = (&case.file, &*case.directory);
    let state = file.change.state;
    let is_ahead = states(act).iter().any(|wanted| *wanted > state && wanted.is_open());
    match state {
        State::Rejected | State::Draft => eligible::writers(&file.change, directory),
        // Any approver may return it, and a change manager always.
        _ if !is_ahead => {
            let mut people = directory.with_role(Role::ChangeManager);
            for request in &file.change.requests {
                if directory.is_active(&request.person) && !people.contains(&request.person) {
                    people.push(request.person.clone());
                }
            }
            people
        }
        State::Assessing | State::Authorizing | State::Approved => eligible::writers(&file.change, directory),
        State::Scheduled | State::Implementing => eligible::implementers(file, directory, case.now),
        State::Reviewing => eligible::reviewers(file, directory, case.now),
        State::Closed | State::Cancelled => Vec::new(),
    }
}

/// A sentence that begins with a capital letter: some rows go on in the middle of one.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Refuses an act that does not belong to the change's state.
///
/// # Errors
/// [`Refusal::NotNow`] with `not_in_state`: the act that leads to that state, its obstacles, and the people for whom it waits.
pub fn check_state(case: &Case<'_>, act: Act) -> Result<(), Refusal> {
    if is_legal(act, case.change().state) {
        return Ok(());
    }
    Err(next_step::not_in_state(case, act))
}

/// Refuses while the change is on hold.
///
/// # Errors
/// [`Refusal::NotNow`] with `on_hold`.
pub fn check_hold(case: &Case<'_>) -> Result<(), Refusal> {
    let Some(row) = hold_unmet(case.change(), &case.directory) else {
        return Ok(());
    };
    Err(Refusal::not_now("on_hold", row.text, row.satisfy, row.waiting_on))
}
