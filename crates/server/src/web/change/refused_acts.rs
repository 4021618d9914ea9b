//! Acts that would be refused now: the reason takes the place of the button, with the remedy.

use acts::change::find_acts::OpenActs;
use model::change::change_file::ChangeFile;
use model::change::closure::before_closure;
use model::change::requirement::{against_assessment, against_start, against_submission, before_approvals};
use model::core::act::Act as Verb;
use model::core::unmet::Unmet;
use model::emergency::break_glass::against_breaking;
use pages::{ActForm, Rich};

use crate::web::shared::view::View;

/// The most reasons beside a button; the section of unmet conditions lists them all.
const REASONS_SHOWN: usize = 3;

/// Shows why an act cannot be done now, by the same rules that refuse it.
pub(crate) fn why_not(
    view: &View<'_, '_, '_>,
    file: &ChangeFile,
    open: &OpenActs,
    (verb, form): (Verb, ActForm),
) -> ActForm {
    let rows = against(view, file, verb);
    match rows.is_empty() {
        false => form.disabled(reasons(view, file, open, &rows)),
        true if verb == Verb::Assess => warned(view, file, form),
        true => form,
    }
}

/// The obstacles to an act, whatever its form holds.
fn against(view: &View<'_, '_, '_>, file: &ChangeFile, verb: Verb) -> Vec<Unmet> {
    let (change, directory, now) = (&file.change, &*view.directory, view.now());
    match verb {
        Verb::Submit => against_submission(file, directory, now),
        Verb::Assess => against_assessment(change, directory),
        Verb::Start => against_start(file, directory, now),
        Verb::Close => before_closure(file, directory, now),
        Verb::BreakGlass | Verb::CosignBreakGlass => against_breaking(change, directory),
        _ => Vec::new(),
    }
}

/// The first reasons, a line each.
fn reasons(view: &View<'_, '_, '_>, file: &ChangeFile, open: &OpenActs, rows: &[Unmet]) -> Rich {
    let mut all = Rich::new();
    for (place, row) in rows.iter().take(REASONS_SHOWN).enumerate() {
        let one = reason(view, file, open, row);
        all = if place == 0 { one } else { all.line().append(one) };
    }
    match rows.len().saturating_sub(REASONS_SHOWN) {
        0 => all,
        more => all.line().link(format!("And {more} more."), "#requirements"),
    }
}

/// The reason, the remedy, and the way there: a link to the field for a person who may edit it, for other readers the people
/// who can.
fn reason(view: &View<'_, '_, '_>, file: &ChangeFile, open: &OpenActs, row: &Unmet) -> Rich {
    let reason = view.sentence(&row.text).text(" ").append(view.sentence(&row.satisfy));
    if let Some(field) = field_of(row).filter(|_| open.has(Verb::Edit)) {
        let page = format!("{}/edit#{field}", view.change_url(&file.change.key));
        return reason.text(" ").link("Edit it.", page);
    }
    if row.waiting_on.is_empty() || row.waiting_on.contains(&view.directory.login(&view.me)) {
        return reason;
    }
    reason
        .text(" Held by ")
        .append(view.all_waits_on(&row.waiting_on))
        .text(".")
}

/// The form field of a change for a missing item.
fn field_of(row: &Unmet) -> Option<&str> {
    match row.code.as_str() {
        "plan_missing" => Some("s-plan"),
        "rollback_plan_missing" => Some("s-back"),
        "window_over" => Some("planned_start"),
        "field_missing" => match row.satisfy.split('`').nth(1)? {
            "targets" => Some("s-where"),
            field => Some(field),
        },
        _ => None,
    }
}

/// The rules depend on the risk, which the assessment settles: the form shows what they would require at present.
fn warned(view: &View<'_, '_, '_>, file: &ChangeFile, form: ActForm) -> ActForm {
    let rows = before_approvals(file, &view.directory, view.now());
    let is_asked = |row: &&Unmet| row.code != "field_missing";
    let Some(row) = rows.iter().find(is_asked) else {
        return form;
    };
    let told = view.sentence(&row.text).text(" ").append(view.sentence(&row.satisfy));
    form.note(format!(
        "This change is refused in its present form, unless a different risk requires less. {}",
        told.plain()
    ))
}
