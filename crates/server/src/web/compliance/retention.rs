//! Retention periods: the retention among the policies, and on a change its legal hold and the erasure of texts.

use acts::Context;
use acts::compliance::archive_changes::{self, COUNTED};
use acts::compliance::set_retention;
use model::change::record::Change;
use model::compliance::erasure::{Erasure, Retention};
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::ErasureKind;
use pages::{ActForm, ActTone, Entry, Field, Notice, Rich, Section, SectionBody, Tone, count};
use serde_json::Value;

use crate::web::shared::idempotent_form;
use crate::web::shared::view::View;

/// The retention in force and the contents of the archive, with the form that proposes another retention.
///
/// # Errors
/// The store's.
pub(crate) fn section(view: &mut View<'_, '_, '_>) -> acts::Result<Section> {
    let archived = archive_entries(view)?;
    let tenant = view.directory.tenant.as_ref();
    let kept = tenant.map(|tenant| tenant.retention).unwrap_or_default();
    let rows = [
        ("Texts and evidence files of changes that have ended", kept.changes_days),
        ("Raw bodies of processed deliveries", kept.deliveries_days),
    ];
    let entry =
        |(what, days): (&str, Option<i64>)| Entry::new(Tone::Plain, Rich::from(format!("{what}: {}", span(days))));
    let section = Section::new(
        "retention",
        "How long texts and files are kept; the log and its proofs are kept forever",
        SectionBody::Entries(
            rows.into_iter()
                .map(entry)
                .chain(archived)
                .chain(keepers(view))
                .collect(),
        ),
    );
    if view.may(actions::SET_POLICY) {
        Ok(section.acts(vec![form(view, kept)]))
    } else {
        Ok(section)
    }
}

/// Links to the rules that keep more than the retention.
fn keepers(view: &View<'_, '_, '_>) -> Vec<Entry> {
    if !view.may(actions::AUDIT) {
        return Vec::new();
    }
    let link = |words: &str, path: &str, why: &str| {
        let link = Rich::new().link(words, view.url(path));
        Entry::new(Tone::Plain, link).icon("right").why(why)
    };
    vec![
        link(
            "Retention rules",
            "/retention-rules",
            "how long regimes require records to be kept",
        ),
        link(
            "Hold orders",
            "/hold-orders",
            "what legal holds protect, regardless of the retention",
        ),
        link(
            "Person erasures",
            "/person-erasures",
            "erasures of people’s data; proofs of what they did remain",
        ),
        link(
            "Dry run of the retention",
            "/retention/preview",
            "what would be erased now, and what holds protect",
        ),
    ]
}

/// The schedule of the archive, its contents, and its backlog.
fn archive_entries(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Entry>> {
    let report = archive_changes::report(view.cx)?;
    let plain = |text: String| Entry::new(Tone::Plain, Rich::from(text));
    let Some(days) = report.after_days else {
        return Ok(vec![plain(
            "Ended changes stay in their rows: the archive is off.".to_owned(),
        )]);
    };
    let state = report.state;
    let mut entries = vec![
        plain(archive_text(days)),
        plain(format!(
            "The archive holds {} changes in {} segments of {} KiB.",
            counted(state.changes),
            counted(state.segments),
            counted(state.size / 1_024)
        )),
    ];
    if report.waiting > 0 {
        let least = if report.waiting >= COUNTED { "At least " } else { "" };
        entries.push(plain(format!(
            "{least}{} changes wait for it.",
            counted(report.waiting)
        )));
    }
    Ok(entries)
}

/// A number that is never below nothing.
fn counted(number: i64) -> String {
    count(number.max(0).unsigned_abs())
}

fn archive_text(days: i64) -> String {
    format!("Ended changes move to the archive {days} days after they were last saved.")
}

fn span(days: Option<i64>) -> String {
    days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"))
}

/// A retention as text, each kind of data on a line of its own.
pub(crate) fn retention_lines(kept: Retention) -> Vec<String> {
    let times = format!(
        "texts and files of ended changes: {}; raw deliveries: {}",
        span(kept.changes_days),
        span(kept.deliveries_days)
    );
    std::iter::once(times)
        .chain(kept.archive_days.map(archive_text))
        .collect()
}

fn form(view: &View<'_, '_, '_>, kept: Retention) -> ActForm {
    let field = |name: &'static str, label: &'static str, days: Option<i64>| {
        let value = days.map(|days| days.to_string()).unwrap_or_default();
        Field::text(name, label).value(value).half()
    };
    ActForm::new(
        "retention",
        "Propose another retention",
        view.url("/policies/retention/proposal"),
    )
    .field(idempotent_form::field(view))
    .field(field(
        "changes_days",
        "Days after a change has ended",
        kept.changes_days,
    ))
    .field(field(
        "deliveries_days",
        "Days for raw deliveries",
        kept.deliveries_days,
    ))
    .field(field(
        "archive_days",
        "Days until the archive",
        kept.archive_days,
    ))
    .field(
        Field::text("reason", "Why")
            .hint("At least 90 days; an empty field keeps for ever, or archives nothing. Another person puts it in force.")
            .required(),
    )
    .submit("Propose")
}

/// Proposes the retention of the form: an empty field keeps for ever.
pub(crate) fn propose(cx: &mut Context<'_, '_>, mut body: Body) -> acts::Result<()> {
    for field in ["changes_days", "deliveries_days", "archive_days"] {
        body.entry(field).or_insert(Value::Null);
    }
    set_retention::propose_retention(cx, &body).map(drop)
}

/// Notices for a reader of a change about its retention.
pub(crate) fn notices(view: &View<'_, '_, '_>, change: &Change) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(hold) = change.standing_hold() {
        let title = format!("Under a legal hold by {}", view.name(&hold.by));
        let text = crate::web::shared::words::free(&hold.reason)
            .line()
            .text("None of it can be erased.");
        let text = match hold.lift_asked.as_ref().filter(|word| word.waits(view.now())) {
            Some(word) => text.line().text(format!(
                "{} asks to lift it; another person who may set policies must confirm it.",
                view.name(&word.by)
            )),
            None => text,
        };
        notices.push(Notice::new(Tone::Wait, text).title(title));
    }
    if let Some(erasure) = &change.erasure {
        notices.push(erasure_notice(view, erasure));
    }
    notices
}

fn erasure_notice(view: &View<'_, '_, '_>, erasure: &Erasure) -> Notice {
    let what = match erasure.kind {
        ErasureKind::Texts => "all texts and files of this change",
        ErasureKind::FormerTexts => "what was edited out of this change",
        ErasureKind::Comment => "a comment on this change",
    };
    let asker = erasure.asked_by.as_ref().map(|person| view.name(person));
    let reason = crate::web::shared::words::free(erasure.reason.as_deref().unwrap_or_default());
    let Some(at) = erasure.done_at else {
        let title = format!("{} asks to erase {what}", asker.unwrap_or_default());
        return Notice::new(
            Tone::Wait,
            reason
                .line()
                .text("Another person who may set policies must confirm it."),
        )
        .title(title);
    };
    let when = view.reader.moment(at);
    let Some(asker) = asker else {
        let title = format!("The retention erased {what}, {when}");
        return Notice::new(Tone::Plain, "The proofs in the log remain.").title(title);
    };
    let second = erasure
        .done_by
        .as_ref()
        .filter(|person| Some(*person) != erasure.asked_by.as_ref());
    let text = match second {
        Some(person) => reason.line().text(format!("{} confirmed it.", view.name(person))),
        None => reason,
    };
    Notice::new(Tone::Plain, text.line().text("The proofs in the log remain."))
        .title(format!("{asker} had {what} erased, {when}"))
}

/// The retention forms that are open to the reader.
pub(crate) fn acts(view: &View<'_, '_, '_>, change: &Change, change_url: &str) -> Vec<ActForm> {
    let mut acts = Vec::new();
    let (sets, audits) = (view.may(actions::SET_POLICY), view.may(actions::AUDIT));
    let reason = || Field::textarea("reason", "Why").required();
    let form = |id: &'static str, label: &'static str, rest: &str| {
        ActForm::new(id, label, format!("{change_url}/{rest}")).tone(ActTone::Link)
    };
    let is_asked = change.erasure.as_ref().is_some_and(Erasure::is_asked);
    if is_asked && sets {
        let confirm = form("confirm-erasure", "Confirm the erasure", "erasure/confirmation");
        acts.push(confirm.submit("Erase for good"));
        let withdraw = form("withdraw-erasure", "Withdraw the erasure", "erasure/withdrawal");
        acts.push(withdraw.submit("Keep the texts"));
    }
    if !change.state.is_final() {
        return acts;
    }
    match change.standing_hold() {
        Some(_) if sets => {
            let lift = form("lift-legal-hold", "Lift the legal hold", "legal-hold/end");
            acts.push(lift.field(reason()).submit("Lift it"));
        }
        None if audits => {
            let place = form("legal-hold", "Place it under a legal hold", "legal-hold");
            acts.push(place.field(reason()).submit("Keep everything"));
        }
        _ => {}
    }
    if sets && !is_asked && !change.is_kept() {
        let erase =
            form("erase", "Erase its texts", "erasure")
                .field(Field::hidden("kind", ErasureKind::Texts.as_str()))
                .field(reason().hint(
                    "Titles, plans, comments, letters and files are erased permanently; the log's proofs remain.",
                ));
        acts.push(erase.submit("Ask to erase"));
    }
    acts
}
