//! The facts of a decision card: the change, its place, its times, its safety, the deciders, the rollback, and the missing
//! items.

use jiff::{Timestamp, ToSpan};
use model::change::affected::affected;
use model::change::change_file::ChangeFile;
use model::change::record::{self, Change, Risk};
use model::change::related_records::{Approval, Coverage};
use model::change::template::template_trouble;
use model::change::timers;
use model::change::waiting_on::{Ahead, Step, ahead, first_awaited};
use model::core::enums::{self, ApprovalState, Decision, Disruption, EvidenceResult, Kind, Level};
use model::core::unmet::Unmet;
use model::emergency::budget::{could_co_sign, waits_for_cosignature};
use model::identity::factor::Factor;
use model::risk::effective::{Effective, effective};
use model::risk::security_questions::SecurityAnswer;
use pages::elements::text;
use pages::{Brief, MatrixPicture, Rich, Tone, count, minutes};

use crate::http::percent;
use crate::web::risk::{forecast_section, matrix_section};
use crate::web::shared::view::View;
use crate::web::shared::words::{beginning_of_prose, capital, names, plain};

/// The most missing items on a card.
const MISSING_SHOWN: usize = 3;

/// The card of a change for the reader, from its file alone; `card_news::whole_brief` adds warnings and edits.
pub(crate) fn brief(view: &View<'_, '_, '_>, file: &ChangeFile) -> Brief {
    let rows = ahead(file, &view.directory, view.now());
    let (risk, matrix) = risk(view, file);
    Brief {
        what: what(&file.change),
        where_: places(view, &file.change),
        when: when(view, &file.change).append(past_freezes(view, &file.change)),
        risk,
        matrix,
        why_you: why_you(view, file),
        why_safe: why_safe(view, file),
        who_decides: who_decides(view, file, &rows),
        if_it_fails: if_it_fails(view, &file.change),
        still_missing: still_missing(view, &rows),
        ..Brief::default()
    }
}

fn what(change: &Change) -> Rich {
    let content = &change.content;
    let said = |text: &Option<String>| {
        text.as_deref()
            .map(|text| beginning_of_prose(text, 240))
            .unwrap_or_default()
    };
    let (what, why) = (said(&content.description), said(&content.justification));
    match (what.is_empty(), why.is_empty()) {
        (true, true) => Rich::new(),
        (false, true) => Rich::new().said(what),
        (true, false) => Rich::new().said(why),
        (false, false) => Rich::new().said(what).line().quoted(why),
    }
}

fn places(view: &View<'_, '_, '_>, change: &Change) -> Rich {
    let mut rich = Rich::new();
    for (place, target) in change.content.targets.iter().enumerate() {
        if place > 0 {
            rich = rich.text("; ");
        }
        let service = target.service.as_str();
        rich = rich
            .said_link(service, view.url(&format!("/services/{service}")))
            .text(", ")
            .said(target.environment.as_str());
    }
    // The same items as on the page of the change's reach.
    let found = affected(&view.directory, &change.content.targets);
    let reached: Vec<String> = found
        .into_iter()
        .filter(|one| one.distance > 0)
        .map(|one| one.key)
        .collect();
    let rich = match reached.len() {
        0 => rich,
        1..=4 => rich.text(". It reaches ").append(names(&reached)).text("."),
        many => rich.text(format!(". It reaches {} things.", count(many as u64))),
    };
    in_waves(view, change, rich)
}

/// The number of members that the rollout covers, and its stop conditions: an approval covers the list of members.
fn in_waves(view: &View<'_, '_, '_>, change: &Change, rich: Rich) -> Rich {
    let Some(plan) = &change.content.wave_plan else {
        return rich;
    };
    let lists = change
        .content
        .targets
        .iter()
        .filter_map(|target| target.members.as_ref());
    let members: i64 = lists.map(|list| list.count).sum();
    let members = count(u64::try_from(members).unwrap_or(0));
    let words = format!("{members} members in {} waves", count(plan.waves.len() as u64));
    let failures = count(u64::try_from(plan.halt_failures).unwrap_or(0));
    rich.text(" ")
        .link(words, format!("{}/waves", view.change_url(&change.key)))
        .text(format!(", each halted by {failures} failures."))
}

fn when(view: &View<'_, '_, '_>, change: &Change) -> Rich {
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        return Rich::new();
    };
    let mut rich = Rich::new()
        .strong_parts(Rich::new().time(
            text::capital(&view.reader.span(start, end)),
            view.reader.absolute_span(start, end),
        ))
        .text(".");
    if let Some(zone) = view.reader.zone_of_letter() {
        rich = rich.text(format!(" Times in {zone}."));
    }
    if let Some(until) = change.extended_until {
        rich = rich.text(" More time until ").append(view.moment(until)).text(".");
    }
    if change.window_missed {
        rich = rich.text(" ").late("This window passed without a start.");
    }
    rich.text(" ").append(noticed(change))
}

/// The change's cell in the risk matrix, as text and drawn; both link to the matrix with its inputs and the facts that would
/// move the cell.
fn risk(view: &View<'_, '_, '_>, file: &ChangeFile) -> (Rich, Option<MatrixPicture>) {
    if file.change.content.targets.is_empty() {
        return (Rich::new(), None);
    }
    let found = effective(file, &view.directory, view.now());
    let told = cell(&found, &file.change.risk);
    let page = format!("{}?tab=risk", view.change_url(&file.change.key));
    let link = Rich::new().link(told, format!("{page}#matrix"));
    let picture = is_of(&found, &file.change.risk).then(|| matrix_section::card_picture(view, &found, page));
    (link, picture)
}

/// Whether a cell matches the counted risk.
fn is_of(found: &Effective, counted: &Risk) -> bool {
    (found.risk.level, found.risk.score) == (counted.level, counted.score)
}

/// A cell as text. If the reader sees only a part of the directory, or the directory changed since, the cell would follow from
/// other facts than the counted ones. Then only the computed risk is shown.
fn cell(found: &Effective, counted: &Risk) -> String {
    if !is_of(found, counted) {
        return format!("Risk {}", counted.level);
    }
    let impact = found.impact.highest();
    let complexity = found.complexity.unwrap_or(Level::High).max(Level::Low);
    format!("Impact {impact}, complexity {complexity}: {}", counted.level)
}

/// The freezes that the change may pass: until when, by whose approval, and why.
fn past_freezes(view: &View<'_, '_, '_>, change: &Change) -> Rich {
    let mut rich = Rich::new();
    for freeze in view.directory.freezes.iter().filter(|freeze| !freeze.ended) {
        let span = change.planned_start.zip(change.planned_end);
        let over = span.and_then(|(start, end)| freeze.over(start, end).next());
        let time = over.unwrap_or_else(|| freeze.next_time(view.now()));
        let is_near = !freeze.is_over(view.now()) || span.is_some_and(|(start, end)| freeze.overlaps(start, end));
        let Some(row) = freeze.exceptions_in(change, time).next().filter(|_| is_near) else {
            continue;
        };
        rich = rich
            .line()
            .text("It may pass the freeze ")
            .said_link(freeze.title.as_str(), view.url(&format!("/freezes/{}", freeze.id)))
            .text(" until ")
            .append(view.moment(time.ends_at))
            .text(": ")
            .append(view.person(&row.by))
            .text(" excepted it, ")
            .append(view.ago(row.at))
            .text(".")
            .line()
            .quoted(row.reason.as_str());
    }
    rich
}

/// The noticeable effect on people, in a sentence.
fn noticed(change: &Change) -> Rich {
    let Some(plan) = &change.content.disruption else {
        return Rich::from("The effect on users is not stated.");
    };
    let length = plan
        .minutes
        .map(|count| format!(" for {}", minutes(count.unsigned_abs())))
        .unwrap_or_default();
    let who = |nobody: &str| match &plan.audience {
        Some(audience) => Rich::new().said(audience.as_str()),
        None => Rich::from(nobody),
    };
    match plan.kind {
        Disruption::None => Rich::from("No effect on users expected."),
        Disruption::Degraded => who("People").text(format!(" will find it slower or partly unavailable{length}.")),
        Disruption::ReadOnly => who("People").text(format!(" can read but not write{length}.")),
        Disruption::Outage => Rich::from("It is unavailable for ")
            .append(who("people"))
            .text(format!("{length}.")),
    }
}

/// The reason for an approval request; a role or a group is not named twice, as in “asked as security: has the role security”.
pub(crate) fn request_reason(why: &str) -> &str {
    let twice = [": has the role ", ": member of "].iter().find_map(|joint| {
        let (asked, ground) = why.split_once(joint)?;
        asked.ends_with(ground).then_some(asked)
    });
    twice.unwrap_or(why)
}

/// The reason why the reader is asked, for a card and for a row of the queue.
pub(crate) fn why_you(view: &View<'_, '_, '_>, file: &ChangeFile) -> Rich {
    let change = &file.change;
    let waits = waits_for_cosignature(change, view.now());
    if let Some(glass) = change.break_glass.as_ref().filter(|_| waits)
        && could_co_sign(file, &view.directory, &view.me, view.now())
    {
        return Rich::new()
            .append(view.person(&glass.by))
            .text(" used break-glass. The gate stays closed until a second person signs, which you may do.");
    }
    let mine = change.requests.iter().filter(|request| request.person == view.me);
    let asked = mine.enumerate().fold(Rich::new(), |rich, (place, request)| {
        rich.text(if place > 0 { ". " } else { "" })
            .append(view.sentence(request_reason(&request.why)))
    });
    match speaks_of_what_alone(view, change) {
        true => asked.line().text(SET_ITS_TIMES),
        false => asked,
    }
}

/// The note for a planner beside the request.
const SET_ITS_TIMES: &str = "You set the planned times, so your approval covers the plan but not the times.";

/// Whether the reader is a requested approver who also set the times.
fn speaks_of_what_alone(view: &View<'_, '_, '_>, change: &Change) -> bool {
    let is_asked = change.requests.iter().any(|request| request.person == view.me);
    is_asked && change.state.is_before_start() && change.planned_by.contains(&view.me)
}

fn why_safe(view: &View<'_, '_, '_>, file: &ChangeFile) -> Vec<(Tone, Rich)> {
    let mut rows: Vec<(Tone, Rich)> = forecast_section::on_card(file).into_iter().collect();
    rows.extend(file.change.content.security_answers.iter().map(answered));
    for evidence in &file.evidence {
        let tone = match (evidence.result, &evidence.accepted) {
            (EvidenceResult::Passed, _) => Tone::Ok,
            (EvidenceResult::Failed, None) => Tone::Stop,
            (EvidenceResult::Failed, Some(_)) | (EvidenceResult::Unknown, _) => Tone::Wait,
            (EvidenceResult::Informational, _) => Tone::Plain,
        };
        let place = evidence
            .environment
            .as_ref()
            .map(|name| Rich::from(", ").said(name.as_str()))
            .unwrap_or_default();
        let result = plain(evidence.result.as_str());
        let said = evidence
            .text
            .as_deref()
            .map(|text| Rich::from(": ").said(beginning_of_prose(text, 120)))
            .unwrap_or_default();
        let aspect = plain(evidence.aspect.as_str());
        let rich = Rich::new()
            .said(evidence.name.as_str())
            .text(format!(" ({aspect}"))
            .append(place)
            .text(format!(") {result}"))
            .append(said);
        rows.push((tone, rich));
    }
    for review in file.agreeing_peers() {
        rows.push((
            Tone::Ok,
            Rich::new()
                .append(view.person(&review.person))
                .text(" read plan and code, and agrees"),
        ));
    }
    rows
}

/// A security question with its answer.
fn answered(answer: &SecurityAnswer) -> (Tone, Rich) {
    let question = answer.question.asked();
    match (answer.yes, &answer.text) {
        (true, Some(text)) => (
            Tone::Wait,
            Rich::from(question).text(" Yes: ").said(beginning_of_prose(text, 200)),
        ),
        (true, None) => (Tone::Wait, Rich::from(question).text(" Yes.")),
        (false, _) => (Tone::Plain, Rich::from(question).text(" No.")),
    }
}

/// The codes of unmet conditions of an approval rule: a missing decision, a board's missing meeting, a missing quorum, or a
/// rule that nobody can satisfy.
const OF_DECISIONS: [&str; 4] = ["approval_missing", "meeting_missing", "quorum_missing", "cannot_be_met"];

/// An unmet condition, and the people it waits for.
fn with_whom_it_waits_for(view: &View<'_, '_, '_>, row: &Unmet) -> Rich {
    let rich = view.sentence(&row.text);
    match row.waiting_on.is_empty() {
        true => rich,
        false => rich
            .text(" It waits for ")
            .append(view.all_waits_on(&row.waiting_on))
            .text("."),
    }
}

fn who_decides(view: &View<'_, '_, '_>, file: &ChangeFile, ahead: &[Ahead]) -> Vec<(Tone, Rich)> {
    let mut rows: Vec<(Tone, Rich)> = file
        .approvals
        .iter()
        .filter(|approval| approval.state == ApprovalState::Standing)
        .map(|found| decided(view, found))
        .collect();
    rows.extend(by_template(view, file));
    let me = view.directory.login(&view.me);
    let mut told: Vec<(&str, &[String])> = Vec::new();
    // A missing validator or reviewer affects no decision; it is listed with the items that are missing before the closure.
    let of_decisions = |row: &&Ahead| row.step != Step::Closure && OF_DECISIONS.contains(&row.unmet.code.as_str());
    for row in ahead.iter().filter(of_decisions) {
        // A rule on the change and its times is unmet twice, and names the same people once.
        let same = (row.unmet.satisfy.as_str(), row.unmet.waiting_on.as_slice());
        if told.contains(&same) {
            continue;
        }
        told.push(same);
        if row.unmet.code == "cannot_be_met" {
            // The sentence on the remedy names the people who can help; they decide nothing.
            let text = Rich::new().append(view.sentence(&row.unmet.text)).text(" ");
            rows.push((Tone::Stop, text.append(view.sentence(&row.unmet.satisfy))));
            continue;
        }
        if matches!(row.unmet.code.as_str(), "meeting_missing" | "quorum_missing") {
            // Opening or joining a meeting is no decision.
            rows.push((Tone::Wait, with_whom_it_waits_for(view, &row.unmet)));
            continue;
        }
        let who = match row.unmet.waiting_on.as_slice() {
            [only] if *only == me => Rich::from("You"),
            all => view.all_waits_on(all),
        };
        let tone = Tone::Wait;
        let text = Rich::new()
            .strong_parts(who.text(", not yet"))
            .text(": ")
            .append(view.sentence(&reason(&row.unmet.text)));
        rows.push((tone, text));
    }
    if speaks_of_what_alone(view, &file.change) {
        rows.push((Tone::Plain, Rich::from(SET_ITS_TIMES)));
    }
    rows
}

/// The decision that a standard change rests on: the approval of its template, made once for all changes that follow it.
pub(crate) fn by_template(view: &View<'_, '_, '_>, file: &ChangeFile) -> Option<(Tone, Rich)> {
    let change = &file.change;
    let pinned = change
        .content
        .template
        .as_ref()
        .filter(|_| change.content.kind == Kind::Standard)?;
    if change.state.is_before_start() && template_trouble(file, &view.directory, view.now()).is_some() {
        return None;
    }
    let url = view.url(&format!("/templates/{}", percent::escaped(&pinned.key)));
    let rich = Rich::from("Approved by template ")
        .said_link(pinned.key.as_str(), url)
        .text(format!(", version {}", pinned.template_version));
    let template = view.directory.templates.get(&pinned.key);
    let same = template.filter(|found| found.template_version == pinned.template_version);
    let people: Vec<String> = same
        .iter()
        .flat_map(|found| found.approvals.iter().map(|approval| view.name(&approval.person)))
        .collect();
    Some(match people.is_empty() {
        true => (Tone::Ok, rich),
        false => (Tone::Ok, rich.text(", which was approved by ").append(names(&people))),
    })
}

/// The reason for an approval request, without the count where a single decision is missing.
fn reason(text: &str) -> String {
    match text.rsplit_once(" 0 of 1 approvals on ") {
        Some((reason, _)) => reason.to_owned(),
        None => text.to_owned(),
    }
}

/// An unmet condition, short enough for a list.
pub(crate) fn short_reason(row: &Unmet) -> String {
    match row.code.as_str() {
        "approval_missing" => reason(&row.text),
        _ => row.text.clone(),
    }
}

fn is_one_peer_review(row: &Unmet) -> bool {
    row.code == "peer_review_missing" && row.text.ends_with(" 0 of 1 peer reviews are complete.")
}

/// A missing item and the people it waits for: a rule's own statement would read like a fact.
pub(crate) fn missing(view: &View<'_, '_, '_>, row: &Unmet) -> Rich {
    if is_one_peer_review(row) {
        return Rich::from("A peer review is missing.");
    }
    if row.code != "approval_missing" || row.waiting_on.is_empty() {
        return view.sentence(&short_reason(row));
    }
    let me = view.directory.login(&view.me);
    match (row.waiting_on.contains(&me), row.waiting_on.len()) {
        (true, 1) => Rich::from("Your decision is missing."),
        (true, _) => Rich::from("Your decision, or that of another approver, is missing."),
        (false, _) => Rich::from("The decision of ")
            .append(view.all_waits_on(&row.waiting_on))
            .text(" is missing."),
    }
}

/// The remedy, with the count of decisions so far if more than one is needed.
pub(crate) fn way_on(view: &View<'_, '_, '_>, row: &Unmet) -> Rich {
    match row.code == "approval_missing" && reason(&row.text) == row.text {
        true => view.sentence(&row.text).text(" ").append(view.sentence(&row.satisfy)),
        false => view.sentence(&row.satisfy),
    }
}

/// A decision in a sentence.
pub(crate) fn decided(view: &View<'_, '_, '_>, approval: &Approval) -> (Tone, Rich) {
    let name = view.name(&approval.person);
    let (tone, said) = match approval.decision {
        Decision::Approve => (Tone::Ok, "approved"),
        Decision::ApproveWithConditions => (Tone::Ok, "approved"),
        Decision::Return => (Tone::Wait, "returned it"),
        Decision::Reject => (Tone::Stop, "rejected it"),
        Decision::Abstain => (Tone::Plain, "abstained"),
    };
    let covers = match (approval.is_yes(), approval.what, approval.when) {
        (true, Coverage::Standing, Coverage::Standing) => " what and when",
        (true, Coverage::Standing, _) => " what is done",
        (true, _, Coverage::Standing) => " the time",
        _ => "",
    };
    let how = match approval.decision {
        Decision::ApproveWithConditions => " with conditions",
        _ => "",
    };
    let text = Rich::new()
        .name(name)
        .text(format!(" {said}{covers}{how}, "))
        .append(view.ago(approval.at));
    let text = match represented_people(view, approval) {
        Some(people) => text.line().text(format!("On behalf of {people}.")),
        None => text,
    };
    match approval.factor.as_ref().filter(|factor| factor.is_second) {
        Some(factor) => (tone, text.line().text(confirmed_with(factor))),
        None => (tone, text),
    }
}

/// The people for whom a delegate decided; `None` for a decision in the person's own right alone.
fn represented_people(view: &View<'_, '_, '_>, approval: &Approval) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    for person in approval
        .counted_for
        .iter()
        .filter_map(|row| row.basis.delegators.first())
    {
        let name = view.name(person);
        if !found.contains(&name) {
            found.push(name);
        }
    }
    (!found.is_empty()).then(|| found.join(", "))
}

/// The second factor that confirmed a decision.
pub(crate) fn confirmed_with(factor: &Factor) -> &'static str {
    match factor.kind.as_str() {
        "totp" => "Confirmed with an authenticator.",
        "passkey" => "Confirmed with a passkey.",
        "recovery_code" => "Confirmed with a recovery code.",
        _ => "Confirmed with a second factor at the identity provider.",
    }
}

fn if_it_fails(view: &View<'_, '_, '_>, change: &Change) -> Rich {
    let content = &change.content;
    if let Some(reason) = content
        .no_rollback_reason
        .as_ref()
        .filter(|_| content.rollback_plan.is_empty())
    {
        return Rich::new()
            .late("No rollback is possible: ")
            .said(beginning_of_prose(reason, 200));
    }
    let Some(first) = content.rollback_plan.first() else {
        return Rich::new();
    };
    let steps = match content.rollback_plan.len() {
        1 => Rich::new(),
        many => Rich::from(format!("{many} rollback steps, the first: ")),
    };
    let length = content
        .rollback_minutes
        .map(|count| format!(", in {}", minutes(count.unsigned_abs())))
        .unwrap_or_default();
    let mut rich = steps.said(first.title.as_str()).text(format!("{length}."));
    if let Some(undo) = &content.planned_undo {
        rich = rich
            .text(" Planned undo: ")
            .strong_parts(view.moment(undo.at))
            .text(", ")
            .said(undo.text.as_str())
            .text(".");
    }
    match timers::latest_rollback(change) {
        Some(latest) => rich
            .text(" Latest rollback: ")
            .strong_parts(time_within(view, change, latest))
            .text("."),
        None => rich,
    }
}

/// A moment of a planned window. The card names the window's days already, so the time of day is enough in one shorter than a day.
fn time_within(view: &View<'_, '_, '_>, change: &Change, at: Timestamp) -> Rich {
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        return view.moment(at);
    };
    let from = view.reader.local(start).datetime();
    let is_short = from
        .checked_add(1.day())
        .is_ok_and(|until| view.reader.local(end).datetime() < until);
    let is_within = is_short && (start..=end).contains(&at);
    // An hour that comes twice has no name without its day.
    match is_within && view.reader.moment(at).ends_with(&view.reader.time(at)) {
        true => Rich::new().time(view.reader.time(at), view.reader.absolute(at)),
        false => view.moment(at),
    }
}

/// The missing items, beside a list of the deciders: of several decisions only the reader's own is repeated.
pub(crate) fn missing_beside_decisions(view: &View<'_, '_, '_>, file: &ChangeFile) -> Rich {
    let mut rows = ahead(file, &view.directory, view.now());
    let me = view.directory.login(&view.me);
    let is_decision = |row: &Ahead| row.unmet.code == "approval_missing";
    let is_mine = |row: &Ahead| is_decision(row) && row.unmet.waiting_on.contains(&me);
    let step = first_awaited(&rows).map(|row| row.step);
    if rows.iter().any(|row| Some(row.step) == step && is_mine(row)) {
        rows.retain(|row| !is_decision(row) || is_mine(row));
    }
    still_missing(view, &rows)
}

fn still_missing(view: &View<'_, '_, '_>, rows: &[Ahead]) -> Rich {
    let Some(first) = first_awaited(rows) else {
        return Rich::new();
    };
    if first.unmet.code == "cosignature_missing" {
        return with_whom_it_waits_for(view, &first.unmet);
    }
    let mut next: Vec<&Ahead> = rows.iter().filter(|row| row.step == first.step).collect();
    let mut rich = Rich::new();
    // The reader's own decision comes first.
    let me = view.directory.login(&view.me);
    next.sort_by_key(|row| !(row.unmet.code == "approval_missing" && row.unmet.waiting_on.contains(&me)));
    // Two rules that wait for the same people lack one decision, or one peer review.
    let mut asked: Vec<(&str, &[String])> = Vec::new();
    next.retain(|row| {
        let unmet = &row.unmet;
        if unmet.code != "approval_missing" && !is_one_peer_review(unmet) {
            return true;
        }
        let one = (unmet.code.as_str(), unmet.waiting_on.as_slice());
        let is_new = !asked.contains(&one);
        asked.push(one);
        is_new
    });
    for row in next.iter().take(MISSING_SHOWN) {
        rich = match row.unmet.code.as_str() {
            "approval_missing" => rich.append(whose_decision(view, &row.unmet.waiting_on)).text(" "),
            _ if is_one_peer_review(&row.unmet) => rich.text("A peer review. "),
            _ => rich.append(view.sentence(&row.unmet.text)).text(" "),
        };
    }
    match next.len().saturating_sub(MISSING_SHOWN) {
        0 => rich,
        more => rich.link(format!("{more} more"), "#requirements"),
    }
}

/// The missing decision: the reader's own is named first.
fn whose_decision(view: &View<'_, '_, '_>, waiting_on: &[String]) -> Rich {
    let me = view.directory.login(&view.me);
    match (waiting_on.contains(&me), waiting_on.len()) {
        (true, 1) => Rich::from("Your decision."),
        (true, _) => Rich::from("Your decision, or that of another approver."),
        (false, _) => Rich::from("Decision of ")
            .append(view.all_waits_on(waiting_on))
            .text("."),
    }
}

/// A step of the lifecycle as people name it.
pub(crate) fn step_name(step: Step) -> &'static str {
    match step {
        Step::Submission => "before it is submitted",
        Step::Assessment => "before it is assessed",
        Step::Approval => "before it is approved",
        Step::Scheduling => "before it is scheduled",
        Step::Implementation => "before it starts",
        Step::Closure => "before it closes",
    }
}

/// An outcome as a mark.
pub(crate) fn outcome_mark(outcome: enums::Outcome) -> pages::Mark {
    use model::core::enums::Outcome;
    let tone = match outcome {
        Outcome::Succeeded => Tone::Ok,
        Outcome::SucceededWithIssues | Outcome::PartiallyImplemented | Outcome::RolledBack => Tone::Wait,
        Outcome::Failed | Outcome::RollbackFailed => Tone::Stop,
        Outcome::NotImplemented => Tone::Plain,
    };
    tone.mark(capital(outcome.as_str()))
}

/// The mark of a closed change with its outcome, short enough for a row of one line.
pub(crate) fn closed_mark(outcome: enums::Outcome) -> pages::Mark {
    use model::core::enums::Outcome;
    match outcome {
        Outcome::Succeeded => Tone::Ok.mark("Closed · succeeded"),
        Outcome::SucceededWithIssues => Tone::Wait.mark("Closed · with issues"),
        Outcome::PartiallyImplemented => Tone::Wait.mark("Closed · in part"),
        Outcome::RolledBack => Tone::Wait.mark("Closed · rolled back"),
        Outcome::Failed => Tone::Stop.mark("Closed · failed"),
        Outcome::RollbackFailed => Tone::Stop.mark("Closed · rollback failed"),
        Outcome::NotImplemented => Tone::Plain.mark("Closed · not done"),
    }
}

/// By when a decision is due.
pub(crate) fn due_text(view: &View<'_, '_, '_>, by: Timestamp) -> String {
    if by <= view.now() {
        return format!("A decision was due {}", view.reader.moment(by));
    }
    format!("Due {}", view.reader.due(by))
}

/// The time by which a requested approver should acknowledge the request: the acknowledgement is no decision.
pub(crate) fn seen_by_text(view: &View<'_, '_, '_>, request: &record::Request) -> String {
    let by = request.acknowledge_by;
    if by <= view.now() {
        return format!("your acknowledgement was due {}", view.reader.moment(by));
    }
    format!("acknowledge it by {}", view.reader.moment(by))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::change::record::Impact;

    use super::*;

    #[test]
    fn a_card_tells_the_cell_alone_where_it_is_that_of_the_risk_that_counts() {
        let risk = |level: Level, score: i64| Risk {
            level,
            score,
            reasons: Vec::new(),
            lowered: Vec::new(),
        };
        let found = Effective {
            impact: Impact {
                data: Level::None,
                availability: Level::Low,
                compliance: Level::None,
            },
            complexity: Some(Level::Medium),
            touches: BTreeSet::new(),
            risk: risk(Level::Low, 5),
        };
        let told = |counted: Risk| cell(&found, &counted);
        assert_eq!(told(risk(Level::Low, 5)), "Impact low, complexity medium: low");
        assert_eq!(told(risk(Level::High, 11)), "Risk high");
        assert_eq!(
            told(risk(Level::Low, 8)),
            "Risk low",
            "the reader sees a part of what it reaches"
        );
    }
}
