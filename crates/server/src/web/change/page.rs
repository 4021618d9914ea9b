//! The page of a change: the decision first, everything else below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use acts::audit::find_timeline::find_timeline;
use acts::change::draft_review;
use acts::change::find_acts::{OpenActs, find_acts};
use acts::core::noun;
use acts::report::find_changes::outcomes_of_keys;
use acts::report::find_records::{find_comments, find_entries, find_pipeline_reports};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::change::change_file::ChangeFile;
use model::change::duties::undo;
use model::change::read_content::new_change::NewChange;
use model::change::record::{Change, Target};
use model::change::success;
use model::change::timers::decision_due;
use model::core::act::{self, Act as Verb, actions};
use model::emergency::records::BreakGlass;
use model::risk::cause::Cause;
use pages::{
    Act, ActContext, ActForm, ActTone, Brief, ChangePage, Choice, Decision, Entry, Field, LEFT_OUT, Notice, Place,
    Rich, Tone, Work,
};

use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::card_news::full_brief;
use crate::web::approval::decision_card;
use crate::web::change::course;
use crate::web::change::open_acts::{context, decisions, has_decided_all, note, others};
use crate::web::change::plan_steps::{length, steps};
use crate::web::change::review_draft::{add_cause_question, add_look_question, start_from};
use crate::web::change::runbook::{by_steps, rolls_back_since};
use crate::web::change::sections::Around;
use crate::web::compliance::retention;
use crate::web::gate::reopening;
use crate::web::incident::links;
use crate::web::notify::told_people;
use crate::web::risk::{forecast_section, matrix_section};
use crate::web::schedule::conflict_list;
use crate::web::shared::form::{self, Decoded, Form, refill, to_errors, unplaced};
use crate::web::shared::view::{View, Visitor, notice_of, show_as};
use crate::web::shared::words::{free, kind, plain, risk, state};

/// A returned form: its input, and the errors.
pub(crate) struct Refused {
    /// The path to which the form was sent, below the change's address: `/hold`.
    pub path: String,
    /// The sent form.
    pub form: Form,
    /// The decoded input.
    pub decoded: Decoded,
    /// The answer.
    pub failure: Failure,
}

/// Which tab of the page an address names, and the place of the first target that the page lists.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct ChangePageQuery {
    tab: Option<String>,
    targets: Option<usize>,
}

/// Shows a change.
pub(crate) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    Query(asked): Query<ChangePageQuery>,
) -> Response {
    let (tab, from) = (asked.tab.unwrap_or_default(), asked.targets.unwrap_or_default());
    show_as(&state, &visitor, Place::Changes, 200, move |view| {
        view.follow(Some(&key));
        page(view, (&key, &tab, from), None)
    })
    .await
}

/// The tab in which an act is done and its result is shown: the reader stays there. The first tab for all other acts.
pub(crate) fn tab_of(path: &str) -> &'static str {
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default()) {
        ("approvals", "withdrawal") | ("conditions" | "peer-reviews", _) => "approvals",
        ("evidence", _) => "evidence",
        ("tasks", _) => "plan",
        ("permits" | "permit-file" | "readiness" | "undo", _) | ("implementation", "entries") => "work",
        ("review", _) => "review",
        ("comments", _) => "comments",
        _ => "",
    }
}

/// Shows a change with a form that came back.
pub(crate) async fn show_refused(state: &AppState, visitor: &Visitor, key: String, refused: Refused) -> Response {
    let status = refused.failure.status();
    let refused = Arc::new(refused);
    show_as(state, visitor, Place::Changes, status, move |view| {
        page(view, (&key, tab_of(&refused.path), 0), Some(&refused))
    })
    .await
}

fn page(
    view: &mut View<'_, '_, '_>,
    (key, tab, from): (&str, &str, usize),
    refused: Option<&Refused>,
) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let file = view.cx.file(key)?;
    let open = find_acts(view.cx, &file)?;
    let id = file.change.id.0.clone();
    let comments = find_comments(view.cx, &id)?;
    let entries = find_entries(view.cx, &id)?;
    let reports = find_pipeline_reports(view.cx, &id)?;
    let told = find_timeline(view.cx, &id)?;
    let context = ActContext {
        is_rolled_back: rolls_back_since(&entries).is_some(),
        by_steps: by_steps(&file.change, &entries),
        causes: causes(view, &open)?,
        ..context(view, &file)
    };
    let has_failed = success::succeeded(&file.change) == Some(false);
    let is_owed = has_failed && file.change.reviews.is_empty() && open.has(act::Act::Review);
    let review_draft = is_owed.then(|| draft_review::draft_review(view.cx, key)).transpose()?;
    let around = Around {
        file: &file,
        comments,
        entries,
        reports,
        told,
        open: &open,
        context: &context,
        review_draft,
        listed: listed(&file.change, from),
    };
    let matrix = matrix_section::section(view, &file)?;
    let forecast = forecast_section::section(view, &file.change)?;
    let linked = links::from_elsewhere(view, &file.change.key)?;
    let own_links: Vec<&str> = file
        .links
        .iter()
        .filter(|it| it.to_change.is_some())
        .map(|it| it.to.as_str())
        .collect();
    let outcomes = outcomes_of_keys(view.cx, &own_links)?;
    let mut page = assemble(view, &around);
    page.links = around.links(view, &outcomes);
    page.risk_sections.push(matrix);
    page.risk_sections.extend(forecast);
    page.notices.extend(conflict_list::notice(view, &file.change)?);
    page.brief = full_brief(view, &file)?;
    page.targets_note = targets_note(&file.change, from, &context.change_url);
    page.linked.extend(linked);
    page.linked.extend(told_people::section(view, &file.change.key)?);
    tab.clone_into(&mut page.tab);
    for_each_act(&mut page, &mut |act| mark(act, &context));
    for_each_act(&mut page, &mut |act| {
        add_cause_question(act, &file.change);
        add_look_question(act, &file.change);
    });
    if let Some(refused) = refused {
        put_back(view, &mut page, refused, &context);
        // A form at the top, with the acts that are possible now, is in the first tab, whatever it is about.
        let mut above = page.decision.acts.iter().chain(&page.acts);
        if above.any(|act| act.is_open) {
            page.tab.clear();
        }
    }
    Ok(page.render())
}

/// The root causes that a review may name, where the reader may write one.
fn causes(view: &mut View<'_, '_, '_>, open: &OpenActs) -> acts::Result<Vec<Choice>> {
    if !open.has(act::Act::Review) {
        return Ok(Vec::new());
    }
    let found = noun::list::<Cause>(view.cx)?.into_iter();
    let found = found.filter(|cause| !cause.is_retired);
    let named = found.map(|cause| Choice::said(cause.key, cause.name));
    let none = Choice::new("", "Nothing went wrong");
    Ok(std::iter::once(none).chain(named).collect())
}

/// How many targets a page lists.
const TARGETS: usize = 100;

/// Where the page of targets begins on which this place is; the last page for a place behind all.
fn page_start(from: usize, all: usize) -> usize {
    from.min(all.saturating_sub(1)) / TARGETS * TARGETS
}

/// The page of targets on which a place is.
fn listed(change: &Change, from: usize) -> &[Target] {
    let all = &change.content.targets;
    let start = page_start(from, all.len());
    all.chunks(TARGETS).nth(start / TARGETS).unwrap_or_default()
}

/// The note at the heading of targets that are not all listed.
fn targets_note(change: &Change, from: usize, change_url: &str) -> Option<Rich> {
    let all = change.content.targets.len();
    if all <= TARGETS {
        return None;
    }
    let start = page_start(from, all);
    let told = change.target_records.iter().filter(|record| record.outcome.is_some());
    let mut note = Rich::from(format!("{} of {all} recorded", told.count()));
    let places = [
        ("earlier", start.checked_sub(TARGETS)),
        ("later", Some(start + TARGETS).filter(|next| *next < all)),
    ];
    for (label, place) in places {
        if let Some(place) = place {
            let url = format!("{change_url}?tab=work&targets={place}#targets");
            note = note.text(" · ").link(label, url);
        }
    }
    Some(note)
}

fn assemble(view: &View<'_, '_, '_>, around: &Around<'_>) -> ChangePage {
    let file = around.file;
    let change = &file.change;
    let content = &change.content;
    let mut acts = others(view, file, around.open, around.context);
    if let Some(draft) = &around.review_draft {
        let reviews = acts.iter_mut().filter(|form| form.id == "review");
        reviews.for_each(|form| start_from(form, draft));
    }
    acts.extend(retention::acts(view, change, &around.context.change_url));
    acts.extend(reopening::acts(view, change, &around.context.change_url));
    ChangePage {
        frame: view.frame.clone(),
        key: change.key.clone(),
        title: content.title.clone(),
        digest: change.digests.content.clone(),
        state: state(change.state),
        is_on_hold: change.is_on_hold(),
        risk: (!change.risk.reasons.is_empty()).then(|| risk(change.risk.level)),
        kind: kind(content.kind),
        flags: flags(change),
        outcome: change.outcome.map(decision_card::outcome_mark),
        byline: Rich::from(format!("by {}, ", view.name(&change.requester))).append(view.ago(change.created_at)),
        notices: notices(view, file, around.open),
        head_acts: head_acts(view, change, around.open, around.context),
        stepper: around.stepper(view),
        decision: decision(view, file, around.open, around.context),
        acts_note: Rich::from(note(view, file, !acts.is_empty())),
        acts,
        requirements: around.requirements(view),
        approvals: around.approvals(view),
        plan: steps(view, &content.plan),
        plan_note: Rich::from(length(&content.plan)),
        rollback_plan: steps(view, &content.rollback_plan),
        rollback_note: Rich::from(length(&content.rollback_plan)),
        texts: texts(change),
        targets: around.targets(view),
        targets_note: None,
        evidence: around.evidence(view),
        conditions: around.conditions(view),
        tasks: around.tasks(view),
        gate: around.gate(view),
        runbook: around.runbook(view),
        review: around.review(view),
        watch: around.watch(view),
        course: course::section(view, change, &around.entries),
        comments: around.comments(view),
        timeline: around.timeline(view),
        timeline_note: if view.frame.places.contains(&Place::AuditLog) {
            let verify = view.url(&format!("/audit/verify/{}", escaped(&change.key)));
            Rich::new()
                .link(format!("Verify all {}", around.told.len()), verify)
                .text(" · ")
                .link("The whole log", view.url("/audit"))
        } else {
            Rich::new()
        },
        facts: around.facts(view),
        risk_sections: Vec::new(),
        linked: Vec::new(),
        tab: String::new(),
        // The page adds the data from the store.
        brief: Brief::default(),
        links: Work::default(),
    }
}

fn flags(change: &Change) -> Vec<pages::Mark> {
    let rows = [
        (change.content.expedited, Tone::Plain, "Expedited"),
        (change.overrun, Tone::Stop, "Overrun"),
        (change.window_missed, Tone::Wait, "Window missed"),
        (change.in_freeze, Tone::Freeze, "In a freeze"),
        (change.unauthorized, Tone::Stop, "Unauthorized"),
        (change.break_glass.is_some(), Tone::Stop, "Break-glass"),
        (change.retrospective.is_some(), Tone::Wait, "Retrospective"),
    ];
    rows.into_iter()
        .filter(|(is, _, _)| *is)
        .map(|(_, tone, words)| tone.mark(words))
        .collect()
}

fn texts(change: &Change) -> Vec<(String, String)> {
    let content = &change.content;
    let rows = [
        (NewChange::DESCRIPTION.label, &content.description),
        (NewChange::JUSTIFICATION.label, &content.justification),
        (NewChange::OBJECTIVES.label, &content.objectives),
        (NewChange::VERIFICATION.label, &content.verification),
        ("Effect on security", &content.security),
        (NewChange::EXPEDITED_REASON.label, &content.expedited_reason),
        (NewChange::NO_ROLLBACK_REASON.label, &content.no_rollback_reason),
        ("The threat", &content.threat),
    ];
    let mut texts: Vec<(String, String)> = rows
        .into_iter()
        .filter_map(|(label, text)| Some((label.to_owned(), text.clone()?)))
        .collect();
    if !content.excluded.is_empty() {
        let lines: Vec<String> = content
            .excluded
            .iter()
            .map(|row| format!("- {}: {}", row.item, row.reason))
            .collect();
        texts.push((LEFT_OUT.to_owned(), lines.join("\n")));
    }
    texts
}

fn notices(view: &View<'_, '_, '_>, file: &ChangeFile, open: &OpenActs) -> Vec<Notice> {
    let change = &file.change;
    let mut notices = Vec::new();
    if let Some(why) = &open.withheld {
        notices.push(Notice::new(Tone::Wait, why.as_str()).title("This sign-in does not let you decide"));
    }
    if let Some(hold) = &change.hold {
        let reason = free(&hold.reason);
        let text = match hold.until {
            Some(at) => reason
                .line()
                .text(format!("People are reminded {}.", view.reader.moment(at))),
            None => reason,
        };
        let title = format!("On hold by {}, {}", view.name(&hold.by), view.reader.distance(hold.at));
        notices.push(Notice::new(Tone::Wait, text).title(title));
    }
    if let Some(returned) = &change.returned {
        let title = format!("{} returned it with a question", view.name(&returned.by));
        notices.push(Notice::new(Tone::Wait, returned.reason.as_str()).title(title));
    }
    if let Some(rejection) = &change.rejection {
        let title = format!(
            "{} rejected it, {}",
            view.name(&rejection.by),
            view.reader.distance(rejection.at)
        );
        notices.push(Notice::new(Tone::Stop, rejection.reason.as_str()).title(title));
    }
    if let Some(cancelled) = &change.cancelled {
        let title = format!("{} cancelled it", view.name(&cancelled.by));
        notices.push(Notice::new(Tone::Plain, cancelled.reason.as_str()).title(title));
    }
    notices.extend(change.break_glass.as_ref().map(|glass| glass_notice(view, glass)));
    if let Some(asked) = change.extension.as_ref().filter(|asked| asked.decision.is_none()) {
        let title = format!(
            "{} asks for more time, until {}",
            view.name(&asked.by),
            view.reader.moment(asked.until)
        );
        notices.push(Notice::new(Tone::Wait, free(&asked.reason)).title(title));
    }
    if !change.turned_normal.is_empty() {
        let fields: Vec<String> = change.turned_normal.iter().map(|field| plain(field)).collect();
        let text = format!(
            "It deviates from its template and is therefore a normal change: {}.",
            fields.join(", ")
        );
        notices.push(Notice::new(Tone::Wait, text));
    }
    notices.extend(reach_notice(view, change));
    notices.extend(undo_notice(view, change));
    notices.extend(retention::notices(view, change));
    notices
}

/// The notice that the graph reaches more than at the assessment.
fn reach_notice(view: &View<'_, '_, '_>, change: &Change) -> Option<Notice> {
    let grown_at = change.reach.as_ref()?.grown_at?;
    let text = Rich::from("The dependency graph has grown since then, so the assessment is due again. ")
        .link("What is new", format!("{}/affected", view.change_url(&change.key)));
    let title = format!("Its reach has grown, {}", view.reader.moment(grown_at));
    Some(Notice::new(Tone::Wait, text).title(title))
}

/// The planned undo that is still ahead, or was missed.
fn undo_notice(view: &View<'_, '_, '_>, change: &Change) -> Option<Notice> {
    let undo = undo::open(change).filter(|_| change.state.is_open())?;
    let at = view.reader.moment(undo.at);
    let (tone, title) = match change.undo_missed_at {
        Some(_) => (Tone::Stop, format!("The undo was due at {at} and is not recorded")),
        None => (Tone::Wait, format!("The undo is due at {at}")),
    };
    Some(Notice::new(tone, free(&undo.text)).title(title))
}

/// The person who broke the glass, the reason, and the replaced step.
fn glass_notice(view: &View<'_, '_, '_>, glass: &BreakGlass) -> Notice {
    let title = format!(
        "{} used break-glass, until {}",
        view.name(&glass.by),
        view.reader.moment(glass.until)
    );
    let reason = free(&glass.reason);
    let text = match (glass.is_lawful(), glass.ended) {
        (true, _) => reason,
        (false, false) => reason.line().text("The gate stays closed until a second person signs."),
        (false, true) => reason
            .line()
            .text("No second person signed it, so the gate stayed closed."),
    };
    let text = glass.bypassed.iter().fold(text, |text, row| {
        let bypassed = view.sentence(&row.text);
        text.line().text("Bypassed: ").append(bypassed)
    });
    let text = match glass.factor.as_ref().filter(|factor| factor.is_second) {
        Some(factor) => text.line().text(decision_card::confirmed_with(factor)),
        None => text,
    };
    Notice::new(Tone::Stop, text).title(title)
}

fn head_acts(view: &View<'_, '_, '_>, change: &Change, open: &OpenActs, context: &ActContext) -> Vec<ActForm> {
    let mut acts = Vec::new();
    if open.has(Verb::Edit) {
        acts.push(ActForm::link("Edit", format!("{}/edit", context.change_url)).tone(ActTone::Quiet));
    }
    if open.has(Verb::Schedule) {
        let propose = view.url(&format!("/calendar/propose?change={}", escaped(&change.key)));
        acts.push(ActForm::link("Another time", propose).tone(ActTone::Quiet));
    }
    acts.push(ActForm::link("Versions", format!("{}/versions", context.change_url)).tone(ActTone::Quiet));
    if view.frame.may_create {
        acts.push(ActForm::link("Clone", format!("{}/clone", context.change_url)).tone(ActTone::Quiet));
    }
    if open.has(Verb::Watch) {
        let watches = change.watchers.contains(&view.me);
        let form = Act::Watch.form(context).tone(ActTone::Quiet);
        acts.push(match watches {
            true => ActForm::new(
                "unwatch",
                "Stop watching",
                format!("{}/watchers/end", context.change_url),
            )
            .tone(ActTone::Quiet),
            false => form,
        });
    }
    acts
}

fn decision(view: &View<'_, '_, '_>, file: &ChangeFile, open: &OpenActs, context: &ActContext) -> Decision {
    let change = &file.change;
    let acts = decisions(view, file, open, context);
    let mine: Vec<_> = change
        .requests
        .iter()
        .filter(|request| request.person == view.me)
        .collect();
    let said = has_decided_all(view, file);
    let heading = match (acts.is_empty(), said) {
        (true, _) => "Decisions on this change",
        (false, false) => "Your decision",
        (false, true) => "You decided; another decision replaces it",
    };
    let first = mine.iter().min_by_key(|request| request.asked_at);
    let is_open = !said && !acts.is_empty();
    let due = decision_due(change, &view.me).filter(|_| is_open);
    let asked = first.map(|request| format!("asked {}", view.reader.moment(request.asked_at)));
    let unseen = first.filter(|request| is_open && request.acknowledged_at.is_none());
    let seen = unseen.map(|request| decision_card::seen_by_text(view, request));
    Decision {
        heading: heading.to_owned(),
        due: due.map(|at| decision_card::due_text(view, at)).unwrap_or_default(),
        is_late: due.is_some_and(|at| at <= view.now()),
        asked: asked.unwrap_or_default(),
        seen: seen.unwrap_or_default(),
        binds: binds(change, acts.is_empty()),
        acts,
    }
}

fn binds(change: &Change, is_silent: bool) -> Rich {
    let digest = change.digests.content.as_str();
    match is_silent {
        true => Rich::new().text("Content digest ").digest(digest),
        false => Rich::new()
            .text("You decide on exactly this text: digest ")
            .digest(digest)
            .text(". An edit of it voids your decision, and you are notified."),
    }
}

/// Opens the returned form, with its values and errors, and shows the other errors above the page.
fn put_back(view: &View<'_, '_, '_>, page: &mut ChangePage, refused: &Refused, context: &ActContext) {
    let mut errors = refused.failure.problem.errors.clone();
    errors.extend(refused.decoded.errors.iter().cloned());
    let errors: BTreeMap<String, String> = refused.decoded.by_field(&errors, &view.reader);
    let address = format!("{}{}", context.change_url, refused.path);
    let sent = &refused.form;
    // Two forms may send the same decision, one of them with a comment: the form with room for the typed text is the right one.
    let mut best: Option<(String, usize)> = None;
    for_each_act(page, &mut |act| {
        let cx = typed_in(act, sent);
        if is_same(act, &address, sent) && best.as_ref().is_none_or(|(_, most)| cx > *most) {
            best = Some((act.id.clone(), cx));
        }
    });
    let mut rest: Option<Vec<String>> = None;
    for_each_act(page, &mut |act| {
        let is_best = best.as_ref().is_some_and(|(id, _)| *id == act.id);
        if rest.is_none() && is_best && is_same(act, &address, sent) {
            rest = Some(refill(act, sent, &errors));
            carry(act, sent);
        }
    });
    let mut notice = notice_of(view, &refused.failure);
    if rest.is_none() {
        notice.rows.extend(typed(&address, sent));
    }
    let rest = rest.unwrap_or_else(|| unplaced(&errors));
    if rest.len() < errors.len() {
        notice.rows.push(to_errors());
    }
    notice.rows.extend(rest.iter().map(|text| view.sentence(text)));
    page.frame.notices.push(notice);
}

/// Fields of other pages' forms that accompany a decision, and that this page's form for the same act does not have.
const CARRIED: [&str; 4] = ["next", "step", "withdraws", "skipped"];

/// Adds the sent fields to a returned form: a runbook's fields for its step are not lost on the change's own page.
fn carry(act: &mut ActForm, sent: &Form) {
    for name in CARRIED {
        let value = sent.first(name);
        if !value.is_empty() && act.fields.iter().all(|field| field.name != name) {
            act.fields.push(Field::hidden(name, value));
        }
    }
}

/// How many of a form's fields that a person fills in were sent with something in them.
fn typed_in(act: &ActForm, sent: &Form) -> usize {
    let seen = act.fields.iter().filter(|field| field.input != pages::Input::Hidden);
    seen.filter(|field| !sent.first(&field.name).trim().is_empty()).count()
}

/// The text typed into a form that the page no longer has, so that the text is not lost.
fn typed(address: &str, sent: &Form) -> Vec<Rich> {
    let pairs = sent.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let kept = pages::Kept {
        action_url: address.to_owned(),
        fields: pairs.collect(),
        ..pages::Kept::default()
    };
    let row = |(label, value): (String, &str)| Rich::from(label).text(": ").said(value);
    kept.typed_by_hand().into_iter().map(row).collect()
}

/// Gives a form without a mark the mark that prevents a repeated act.
fn mark(act: &mut ActForm, context: &ActContext) {
    let is_marked = act.fields.iter().any(|field| field.name == form::MARK);
    if !act.is_link && !act.is_question && !is_marked {
        act.fields.push(pages::once(context));
    }
}

/// Whether this is the sent form: the same address and the same hidden fields, except those that are new on each page.
fn is_same(act: &ActForm, address: &str, form: &Form) -> bool {
    let anew = ["content_digest", "was", form::STANDS, form::MARK];
    let hidden = act
        .fields
        .iter()
        .filter(|field| field.input == pages::Input::Hidden)
        .filter(|field| !anew.contains(&field.name.as_str()));
    act.action_url == address && hidden.into_iter().all(|field| form.first(&field.name) == field.value)
}

fn for_each_act(page: &mut ChangePage, see: &mut dyn FnMut(&mut ActForm)) {
    page.decision
        .acts
        .iter_mut()
        .chain(page.acts.iter_mut())
        .chain(page.head_acts.iter_mut())
        .for_each(&mut *see);
    page.targets
        .iter_mut()
        .flat_map(|target| target.acts.iter_mut())
        .for_each(&mut *see);
    let works: [&mut Work; 10] = [
        &mut page.requirements,
        &mut page.approvals,
        &mut page.evidence,
        &mut page.conditions,
        &mut page.tasks,
        &mut page.gate,
        &mut page.runbook,
        &mut page.review,
        &mut page.watch,
        &mut page.links,
    ];
    for work in works {
        see_work(work, see);
    }
    see_work(&mut page.comments, see);
}

fn see_work(work: &mut Work, see: &mut dyn FnMut(&mut ActForm)) {
    work.acts.iter_mut().for_each(&mut *see);
    work.entries
        .iter_mut()
        .flat_map(|entry: &mut Entry| entry.acts.iter_mut())
        .for_each(&mut *see);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_targets_begins_at_a_hundred_and_the_last_one_stands_for_all_behind() {
        let starts = [
            (0, 0),
            (0, 250),
            (99, 250),
            (100, 250),
            (249, 250),
            (250, 250),
            (usize::MAX, 250),
            (7, 100),
        ];
        let starts = starts.map(|(from, all)| page_start(from, all));
        assert_eq!(starts, [0, 0, 0, 100, 200, 200, 200, 0]);
        assert_eq!(page_start(usize::MAX, 200), 100, "no page is empty");
    }
}
