//! The parts of the pages of freezes: the fields of the repetition, the steps, the times, and the affected changes.

use acts::Context;
use acts::schedule::find_hits::{Hit, Preview};
use acts::schedule::preview_freeze;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::FreezeStage;
use model::core::refusal::Refusal;
use model::core::unmet::Unmet;
use model::directory::snapshot::Freeze;
use model::schedule::repeat::Repeat;
use pages::{
    ActForm, ActTone, Cell, Choice, Column, Entry, Fact, Field, Fold, Input, Rich, Section, SectionBody, StageStep,
    Table, Tone,
};

use crate::web::shared::view::View;

/// The most times and changes that a page lists.
pub(super) const MOST_ROWS: usize = 40;
/// The bounds of risk that a freeze may let pass.
const THAWS: [(&str, &str); 4] = [
    ("", "No change may start"),
    ("none", "Changes without risk"),
    ("low", "Changes of low risk or less"),
    ("medium", "Changes of medium risk or less"),
];
/// The labels of the repetitions.
const REPEATS: [(&str, &str); 6] = [
    ("", "Once"),
    ("daily", "Every day"),
    ("weekly", "Every week"),
    ("monthly", "Every month"),
    ("quarterly", "Every quarter"),
    ("yearly", "Every year"),
];

/// The fields for the repetition of a freeze or a window. `is_new` offers the usual rules as text.
pub(super) fn repeat_fields(view: &View<'_, '_, '_>, is_new: bool) -> Vec<Field> {
    let names: Vec<(String, String)> = view
        .directory
        .calendars
        .values()
        .map(|it| (it.key.clone(), it.name.clone()))
        .collect();
    let select = |name: &str, label: &str, none: &str| {
        let any = std::iter::once(Choice::new("", none));
        let calendars = names
            .iter()
            .map(|(key, name)| Choice::said(key.as_str(), name.as_str()));
        Field::new(name, label, Input::Select(any.chain(calendars).collect()))
    };
    let repeats = is_new.then(|| Field::select("recurrence", "Repeats", &REPEATS).half());
    let rule = Field::text("rrule", "Another rule").hint("RFC 5545, such as FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1.");
    let rest = [
        if is_new { rule.half() } else { rule },
        Field::text("ends_rrule", "Each time ends")
            .hint("By a rule, at the time of day of the first end. If empty, each time lasts as long as the first."),
        select("working_days_of", "Only working days of", "Every day counts").half(),
        select(
            "fiscal_of",
            "Months and years are fiscal ones of",
            "Civil months and years",
        )
        .half(),
        Field::text("time_zone", "Time zone of the rule")
            .hint("Such as Europe/Oslo; empty means that of the calendar.")
            .half(),
        Field::text("exdates", "Left out on")
            .hint("Dates, separated by commas.")
            .half(),
        Field::textarea("overrides", "Moved times").hint(
            "One per line: its date by the rule, then its start and its end, such as 2026-12-25 2026-12-28 18:00 2026-12-28 \
             22:00.",
        ),
    ];
    repeats.into_iter().chain(rest).collect()
}

/// The field for the bound of risk.
pub(super) fn thaw_field() -> Field {
    Field::select("thaw_risk", "What may still start", &THAWS)
}

/// The changes that a freeze would hit, as the response to its form. `seen` is the list that the form showed. With it, the form
/// passes if the list is unchanged or the freeze hits nothing; without it, nothing is to be set.
pub(super) fn preview(cx: &mut Context<'_, '_>, body: &Body, seen: Option<&str>) -> acts::Result<()> {
    let preview = preview_freeze::preview_freeze(cx, body)?;
    let rows = preview.hits.iter().take(MOST_ROWS).map(|hit| Unmet {
        satisfy: match (hit.is_let_through, hit.free_starts.first()) {
            (true, _) => "It may pass.".to_owned(),
            (false, Some(first)) => format!("It is free at {first}."),
            (false, None) => "No time in the next three weeks is free.".to_owned(),
        },
        text: format!("{}: {}", hit.key, hit.title),
        code: "freeze".to_owned(),
        waiting_on: vec![hit.owner.clone()],
        cannot_be_met: false,
    });
    let unmet: Vec<Unmet> = rows.collect();
    let (hits, open) = (preview.hit_count, preview.open_count);
    let text = match seen {
        Some(seen) if hits == 0 || seen == mark_of(&unmet) => return Ok(()),
        Some(_) => format!("The freeze would affect {hits} of {open} open changes. Send the form again to set it."),
        None => format!("Nothing is set. The freeze would affect {hits} of {open} open changes."),
    };
    Err(Refusal::NotNow {
        code: "preview",
        text,
        unmet,
    }
    .into())
}

/// The keys of the changes that a preview listed; the form sends them as proof that its sender saw them.
pub(super) fn mark_of(listed: &[Unmet]) -> String {
    let key = |row: &Unmet| row.text.split(':').next().unwrap_or_default().to_owned();
    listed.iter().map(key).collect::<Vec<String>>().join(" ")
}

/// The steps as a picture.
pub(super) fn steps(view: &View<'_, '_, '_>, freeze: &Freeze) -> Section {
    let now = view.now();
    let stage = freeze.stage(now);
    let signed = |step: FreezeStage| freeze.course.steps.iter().rev().find(|it| it.step == step);
    let first = freeze.times().next();
    let last = freeze.times().next_back();
    let way: &[(FreezeStage, &'static str)] = match freeze.course.business_owner {
        Some(_) => &[
            (FreezeStage::Proposed, "Proposed"),
            (FreezeStage::Agreed, "Agreed"),
            (FreezeStage::Announced, "Announced"),
            (FreezeStage::InForce, "In force"),
            (FreezeStage::Ended, "Ended"),
        ],
        None => &[
            (FreezeStage::Announced, "Set"),
            (FreezeStage::InForce, "In force"),
            (FreezeStage::Ended, "Ended"),
        ],
    };
    // A declined freeze is where it was proposed.
    let current = if stage == FreezeStage::Declined {
        FreezeStage::Proposed
    } else {
        stage
    };
    let steps = way.iter().map(|(step, label)| {
        let at = match step {
            FreezeStage::InForce => first.map(|it| it.starts_at),
            FreezeStage::Ended => last.map(|it| it.ends_at).filter(|_| !freeze.repeat.is_set()),
            FreezeStage::Announced => signed(*step).map(|it| it.at).or(freeze.set_at),
            _ => signed(*step).map(|it| it.at),
        };
        let is_reached = *step <= current;
        StageStep {
            label: match step {
                FreezeStage::Ended if !is_reached => "Ends",
                _ => label,
            },
            note: at
                .filter(|_| is_reached || *step >= FreezeStage::InForce)
                .map(|at| view.reader.moment(at))
                .unwrap_or_default(),
            is_past: *step < current,
            is_current: *step == current,
        }
    });
    Section::new("steps", "Progress", SectionBody::Steps(steps.collect()))
}

/// The signatures, the newest first.
pub(super) fn signatures(view: &View<'_, '_, '_>, freeze: &Freeze) -> Vec<Entry> {
    let words = |step: FreezeStage| match step {
        FreezeStage::Proposed => (Tone::Wait, " proposed it"),
        FreezeStage::Declined => (Tone::Stop, " declined it"),
        FreezeStage::Agreed => (Tone::Ok, " agreed"),
        FreezeStage::Announced => (Tone::Freeze, " announced it"),
        FreezeStage::InForce | FreezeStage::Ended => (Tone::Plain, " withdrew it"),
    };
    let rows = freeze.course.steps.iter().rev().map(|step| {
        let (tone, done) = words(step.step);
        let text = view.person(&step.by).text(done);
        Entry::new(tone, text)
            .quote(step.reason.as_str())
            .aside(view.moment(step.at))
    });
    rows.collect()
}

/// The times ahead.
pub(super) fn times(view: &View<'_, '_, '_>, repeat: &Repeat) -> Option<Section> {
    if !repeat.is_set() {
        return None;
    }
    let now = view.now();
    let ahead: Vec<Vec<Cell>> = repeat
        .occurrences
        .iter()
        .filter(|it| it.ends_at > now)
        .take(MOST_ROWS)
        .map(|it| vec![Cell::Short(view.reader.span(it.starts_at, it.ends_at))])
        .collect();
    let count = repeat.occurrences.iter().filter(|it| it.ends_at > now).count();
    let table = Table {
        caption: "The next times".to_owned(),
        columns: vec![Column::new("From and to", Fold::Never)],
        rows: ahead,
        ..Table::default()
    };
    let note = match count {
        1 => "1 time in the next 400 days".to_owned(),
        count => format!("{count} times in the next 400 days"),
    };
    Some(Section::new("times", "Next times", SectionBody::Table(table)).note(note))
}

/// The facts about a freeze's repetition and its exceptions.
pub(super) fn facts(view: &View<'_, '_, '_>, freeze: &Freeze) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(owner) = &freeze.course.business_owner {
        facts.push(Fact::new("Business owner", view.person(owner)));
    }
    let repeat = &freeze.repeat;
    let told = [
        ("Rule", &repeat.rrule),
        ("Each time ends", &repeat.ends_rrule),
        ("Time zone of the rule", &repeat.time_zone),
        ("Only working days of", &repeat.working_days_of),
        ("Months and years are fiscal ones of", &repeat.fiscal_of),
    ];
    for (label, value) in told {
        if let Some(value) = value {
            facts.push(Fact::new(label, Rich::new().code(value.as_str())));
        }
    }
    if let Some(bound) = freeze.course.thaw_risk {
        let words = THAWS
            .iter()
            .find(|(word, _)| *word == bound.as_str())
            .map_or("", |(_, words)| *words);
        facts.push(Fact::new("What may still start", words));
        let expected = freeze.course.thaw_expected_failures.as_deref().unwrap_or("0.00");
        let changes = freeze.course.thaw_changes.unwrap_or_default();
        let text = format!("{changes} changes, {expected} expected to fail");
        facts.push(Fact::new("Expected when it was set", text));
    }
    facts
}

/// The changes that the freeze affects now, with their next free times.
pub(super) fn hits(view: &mut View<'_, '_, '_>, freeze: &Freeze) -> acts::Result<Section> {
    let preview: Preview = preview_freeze::preview_of(view.cx, freeze.id.as_str())?;
    let row = |hit: &Hit| {
        let text = Rich::new()
            .said_link(hit.title.as_str(), view.change_url(&hit.key))
            .text(" ")
            .code(hit.key.as_str());
        let tone = if hit.is_let_through { Tone::Ok } else { Tone::Freeze };
        let planned = hit
            .planned_start
            .zip(hit.planned_end)
            .map(|(from, to)| view.reader.span(from, to));
        let free: Vec<String> = hit.free_starts.iter().map(|at| view.reader.moment(*at)).collect();
        let why = match (hit.is_let_through, free.as_slice()) {
            (true, _) => "It may pass.".to_owned(),
            (false, []) => "No time in the next three weeks is free.".to_owned(),
            (false, free) => format!("Free: {}", free.join("; ")),
        };
        let entry = Entry::new(tone, text).why(why);
        match planned {
            Some(span) => entry.aside(span),
            None => entry,
        }
    };
    let entries = preview.hits.iter().take(MOST_ROWS).map(row).collect();
    let note = format!("{} of {} open", preview.hit_count, preview.open_count);
    Ok(Section::new("hits", "Affected changes", SectionBody::Entries(entries))
        .note(note)
        .unsaid("No open change is affected."))
}

/// The acts on the freeze's steps that are possible now.
pub(super) fn acts(view: &View<'_, '_, '_>, freeze: &Freeze) -> Vec<ActForm> {
    let id = freeze.id.as_str();
    let mut acts = Vec::new();
    if freeze.is_over(view.now()) {
        return acts;
    }
    let counts = freeze.course.counts();
    let is_owner = freeze.course.business_owner.as_ref() == Some(&view.cx.actor.person);
    let is_asked = !counts && freeze.course.last() != Some(FreezeStage::Agreed);
    if is_owner && (is_asked || freeze.widening(view.now()).is_some()) {
        let url = view.url(&format!("/freezes/{id}/agreement"));
        let agree = ActForm::new("agree", "Agree", url.clone())
            .tone(ActTone::Go)
            .field(Field::hidden("decision", "agree"))
            .field(Field::textarea("reason", "Why").required())
            .submit("Sign the agreement");
        let decline = ActForm::new("decline", "Decline", url)
            .tone(ActTone::Stop)
            .field(Field::hidden("decision", "decline"))
            .field(Field::textarea("reason", "Why").required())
            .submit("Decline this freeze");
        acts.extend([agree, decline]);
    }
    let is_ready = freeze.course.last() == Some(FreezeStage::Agreed);
    if view.may(actions::SET_FREEZE) && is_ready && !counts {
        let announce = ActForm::new("announce", "Announce", view.url(&format!("/freezes/{id}/announcement")))
            .tone(ActTone::Go)
            .field(Field::textarea("reason", "Why").required())
            .note("The freeze applies from now on. The owners of affected changes are notified with their next free times.")
            .submit("Announce this freeze");
        acts.push(announce);
    }
    acts.push(ActForm::link("Report", view.url(&format!("/freezes/{id}/report"))).tone(ActTone::Quiet));
    acts
}
