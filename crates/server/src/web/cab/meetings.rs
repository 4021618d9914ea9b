//! Boards on a change's page: opening a meeting, attendance, declaring a conflict of interest, and the decisions.

use std::cmp::Reverse;

use model::approval::obligation::{Asked, Duty};
use model::cab::meeting::{BoardDecision, Meeting};
use model::change::change_file::ChangeFile;
use model::core::act::actions;
use model::core::enums::State;
use model::core::ids::{self, GroupKey};
use pages::{ActContext, ActForm, ActTone, Entry, Field, Rich, Tone};

use crate::web::shared::view::View;

/// The boards that a change's rules require.
pub(crate) fn boards(file: &ChangeFile) -> Vec<GroupKey> {
    let mut found: Vec<GroupKey> = Vec::new();
    for row in &file.requirements.obligations {
        let Duty::Approval(rule) = &row.obligation.duty else {
            continue;
        };
        if let (Asked::Group(key), Some(_)) = (&rule.from, rule.quorum)
            && !found.contains(key)
        {
            found.push(key.clone());
        }
    }
    found
}

/// The meetings at which the reader may vote on a change, the latest first: id and title.
fn votable_meetings(view: &View<'_, '_, '_>, file: &ChangeFile) -> Vec<(String, String)> {
    let boards = boards(file);
    let groups = boards.iter();
    let mut meetings: Vec<&Meeting> = groups
        .flat_map(|group| view.directory.meetings_on(group, view.now()))
        .filter(|meeting| meeting.has(&view.me) && !meeting.has_conflict(&view.me, &file.change.id))
        .filter(|meeting| meeting.lists(&file.change.id, &file.change.digests.content))
        .collect();
    meetings.sort_by_key(|meeting| Reverse(meeting.starts_at));
    let told = meetings.into_iter();
    told.map(|meeting| (meeting.id.0.clone(), format!("At the meeting “{}”", meeting.title)))
        .collect()
}

/// Adds the meeting to a decision's form, if the reader is a member there. A member's decision counts at the meeting by
/// default: outside of a meeting it counts for no board.
pub(crate) fn seated(view: &View<'_, '_, '_>, file: &ChangeFile, form: ActForm) -> ActForm {
    let seats = votable_meetings(view, file);
    let Some((here, _)) = seats.first() else {
        return form;
    };
    let mut choices: Vec<(&str, &str)> = seats.iter().map(|(id, title)| (id.as_str(), title.as_str())).collect();
    choices.push(("", "Outside of a meeting"));
    form.field(Field::select("meeting", "Where you vote", &choices).value(here.as_str()))
}

/// The forms of a board that are open to the reader.
pub(crate) fn forms(view: &View<'_, '_, '_>, file: &ChangeFile, context: &ActContext) -> Vec<ActForm> {
    let state = file.change.state;
    if !matches!(
        state,
        State::Assessing | State::Authorizing | State::Approved | State::Scheduled
    ) {
        return Vec::new();
    }
    boards(file)
        .iter()
        .flat_map(|group| of_board(view, file, context, group))
        .collect()
}

fn of_board(view: &View<'_, '_, '_>, file: &ChangeFile, context: &ActContext, group: &GroupKey) -> Vec<ActForm> {
    let mut forms = Vec::new();
    let meetings = view.directory.meetings_on(group, view.now());
    let open: Vec<_> = meetings
        .filter(|meeting| meeting.lists(&file.change.id, &file.change.digests.content))
        .collect();
    if open.is_empty() && view.may(actions::SET_MEETING) {
        forms.push(
            ActForm::new(
                &*format!("meeting-{group}"),
                &*format!("Open a meeting of {}", view.directory.group_name(group)),
                &*format!("{}/meeting", context.change_url),
            )
            .field(Field::hidden("group", group.as_str()))
            .field(Field::text("title", "What it is called").required())
            .submit("Open it now"),
        );
    }
    if !view.directory.members(group).contains(&view.me) {
        return forms;
    }
    for meeting in open {
        let base = format!("{}/meetings/{}", context.change_url, meeting.id);
        if !meeting.has(&view.me) {
            let label = format!("Attend “{}”", meeting.title);
            forms.push(
                ActForm::new(
                    &*format!("attend-{}", meeting.id),
                    &*label,
                    &*format!("{base}/attendance"),
                )
                .tone(ActTone::Go),
            );
        } else {
            let label = format!("Leave “{}”", meeting.title);
            forms.push(
                ActForm::new(
                    &*format!("leave-{}", meeting.id),
                    &*label,
                    &*format!("{base}/departure"),
                )
                .note("You no longer count for the quorum. Your earlier contributions remain."),
            );
        }
        if !meeting.has_conflict(&view.me, &file.change.id) {
            forms.push(
                ActForm::new(
                    &*format!("conflict-{}", meeting.id),
                    "Declare a conflict of interest",
                    &*format!("{base}/conflict"),
                )
                .tone(ActTone::Stop)
                .note("You then count neither for the quorum nor for the vote on this change.")
                .field(Field::textarea("reason", "Your interest in the change").required())
                .submit("Declare it"),
            );
        }
    }
    forms
}

/// The decisions of boards, as entries among the approvals.
pub(crate) fn entries(view: &View<'_, '_, '_>, file: &ChangeFile) -> Vec<Entry> {
    let decisions = file.change.board_decisions.iter();
    decisions.map(|decision| entry(view, decision)).collect()
}

fn entry(view: &View<'_, '_, '_>, decision: &BoardDecision) -> Entry {
    let names = |people: &[ids::PersonId]| {
        let names: Vec<String> = people.iter().map(|person| view.name(person)).collect();
        names.join(", ")
    };
    let title = view
        .directory
        .meeting(&decision.meeting)
        .map_or_else(|| decision.meeting.0.clone(), |meeting| meeting.title.clone());
    let mut why = format!(
        "There: {} (quorum {}). Yes: {}.",
        names(&decision.present),
        decision.quorum,
        names(&decision.approved_by)
    );
    if !decision.conflicted.is_empty() {
        why.push_str(&format!(" Conflict of interest: {}.", names(&decision.conflicted)));
    }
    let said = Rich::new()
        .name(view.directory.group_name(&decision.group))
        .text(format!(" decided at the meeting “{title}”"));
    Entry::new(Tone::Ok, said)
        .why(Rich::new().text(format!("{why} Rule ")).code(decision.rule.as_str()))
        .aside(view.ago(decision.at))
}
