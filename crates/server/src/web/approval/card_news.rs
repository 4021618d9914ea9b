//! The additions of a decision card to the change itself: edits since the reader decided, warnings, the conditions of others,
//! and the question of the last return.

use acts::change::compare_versions::{Comparison, last_question, since_decision};
use acts::change::find_warnings::warnings_of;
use model::change::change_file::ChangeFile;
use model::change::related_records::Condition;
use model::core::statement::Stated;
use pages::{Brief, Rich, Tone, count};

use crate::web::approval::decision_card::{brief, missing_beside_decisions};
use crate::web::approval::edit_words::difference;
use crate::web::approval::warnings;
use crate::web::shared::view::View;
use crate::web::shared::words::beginning_of_prose;

/// The most differences on a card; the page of versions shows all.
const MOST_EDITS: usize = 8;
/// The most characters of a condition or a question on a card.
const MOST_LETTERS: usize = 400;

/// The card of a change with everything that is to be seen before a decision.
///
/// # Errors
/// The store's.
pub(crate) fn whole_brief(view: &mut View<'_, '_, '_>, file: &ChangeFile) -> acts::Result<Brief> {
    let found = warnings_of(view.cx, file)?;
    let me = view.me.clone();
    let compared = since_decision(view.cx, file, &me)?;
    let asked = last_question(view.cx, &file.change)?;
    Ok(Brief {
        warned: warnings::rows(view, &found),
        since: compared.map(|it| since(view, file, &it)).unwrap_or_default(),
        conditions: conditions(view, file),
        question: asked.map(|it| question(view, &it)).unwrap_or_default(),
        ..brief(view, file)
    })
}

/// The whole card, with the people who decide, for the page of a change and for a letter: the list of missing items does not
/// repeat their names.
///
/// # Errors
/// The store's.
pub(crate) fn full_brief(view: &mut View<'_, '_, '_>, file: &ChangeFile) -> acts::Result<Brief> {
    let mut card = whole_brief(view, file)?;
    card.still_missing = missing_beside_decisions(view, file);
    Ok(card)
}

/// The address of a comparison.
pub(crate) fn versions_url(view: &View<'_, '_, '_>, key: &str, (from, to): (usize, usize)) -> String {
    format!("{}/versions?from={from}&to={to}", view.change_url(key))
}

/// The editor, the versions before and after, the reason, and each difference.
fn since(view: &View<'_, '_, '_>, file: &ChangeFile, compared: &Comparison) -> Vec<(Tone, Rich)> {
    let mut rows = Vec::new();
    if let Some(newest) = compared.versions.last() {
        let who = view.person(&newest.by).text(" edited it ");
        rows.push((Tone::Wait, who.append(view.ago(newest.at)).text(".")));
    }
    rows.extend(compared.questions.iter().map(|asked| {
        let who = view.person(&asked.by).text(" had asked: ");
        (Tone::Plain, who.quoted(beginning_of_prose(&asked.reason, MOST_LETTERS)))
    }));
    let (from, to) = (compared.from, compared.to);
    let versions = format!("You decided about version {from}, and this is version {to}.");
    rows.push((Tone::Plain, Rich::from(versions)));
    let edits = compared.edits.iter().take(MOST_EDITS);
    rows.extend(edits.map(|it| (Tone::Wait, difference(view, &it.change))));
    let all = compared.edits.len();
    if all > MOST_EDITS {
        let shown = count(MOST_EDITS as u64);
        let text = format!(
            "Only the first {shown} of {} differences are shown here.",
            count(all as u64)
        );
        rows.push((Tone::Plain, Rich::from(text)));
    }
    let url = versions_url(view, &file.change.key, (from, to));
    rows.push((Tone::Plain, Rich::new().link("Both versions side by side", url)));
    rows
}

/// The conditions in force, those of others first, each with its checker or the person who found it met.
fn conditions(view: &View<'_, '_, '_>, file: &ChangeFile) -> Vec<(Tone, Rich)> {
    let setter = |row: &Condition| {
        let set = file.approvals.iter().find(|it| it.id == row.approval);
        set.map(|it| it.person.clone())
    };
    let mut rows: Vec<&Condition> = file.conditions.iter().filter(|row| !row.lapsed).collect();
    rows.sort_by_key(|row| setter(row).as_ref() == Some(&view.me));
    let one = |row: &&Condition| {
        let who = setter(row).map(|it| view.name(&it)).unwrap_or_default();
        let text = Rich::new()
            .name(who)
            .text(": ")
            .quoted(beginning_of_prose(&row.text, MOST_LETTERS))
            .line();
        match &row.met {
            Some(met) => (
                Tone::Ok,
                text.text("Met, confirmed by ")
                    .append(view.person(&met.by))
                    .text(", ")
                    .append(view.ago(met.at)),
            ),
            None => (Tone::Wait, text.append(view.person(&row.checker)).text(" checks it.")),
        }
    };
    rows.iter().map(one).collect()
}

/// The question of the last return, also after its answer: an approver reads both together.
fn question(view: &View<'_, '_, '_>, last: &Stated) -> Rich {
    Rich::new()
        .append(view.person(&last.by))
        .text(" returned it with a question, ")
        .append(view.ago(last.at))
        .text(".")
        .line()
        .quoted(beginning_of_prose(&last.reason, MOST_LETTERS))
}
