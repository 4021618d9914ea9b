//! The page of one action item, and the labels for items on pages.

use acts::core::noun;
use jiff::Timestamp;
use model::core::enums::{AboutKind, ActionKind, ActionState, Closing, Severity};
use model::core::ids::PersonId;
use model::notify::action_item::ActionItem;
use model::notify::item_clock::{acknowledges, is_responsible};
use pages::{ActForm, Fact, Field, RecordPage, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::web::shared::form_page::Back;
use crate::web::shared::view::View;

/// The label of an item's kind.
pub(super) fn kind_label(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::ValidateBreakGlass => "Validation of a break-glass",
        ActionKind::ConfirmRetrospective => "Confirmation afterwards",
        ActionKind::ReviewAccess => "Access review",
        ActionKind::ResolveViolation => "Violation",
        ActionKind::Improve => "Improvement",
        ActionKind::DecideDrift => "Drift",
        ActionKind::DecideConflict => "Conflict",
        ActionKind::Acknowledge => "Acknowledgement",
        ActionKind::Other => "Action item",
    }
}

/// Whether the title is not one of our texts: a person wrote it, or a control rule, whose texts are English for every reader.
pub(super) fn is_written_by_person(item: &ActionItem) -> bool {
    item.closing == Closing::Person || item.kind == ActionKind::ResolveViolation
}

/// The label of an item's state.
pub(super) fn state_label(item: &ActionItem, now: Timestamp) -> (Tone, &'static str) {
    match item.state {
        _ if item.is_overdue(now) => (Tone::Stop, "Overdue"),
        ActionState::Open => (Tone::Wait, "Open"),
        ActionState::Acknowledged => (Tone::Wait, "Acknowledged"),
        ActionState::Done => (Tone::Ok, "Done"),
        ActionState::Dismissed => (Tone::Plain, "Dismissed"),
    }
}

/// The name of an item's owner; empty where it is the change managers'.
pub(super) fn owner_of(view: &View<'_, '_, '_>, item: &ActionItem) -> String {
    match (&item.owner, &item.group) {
        (Some(person), _) => view.name(person),
        (None, Some(group)) => view
            .directory
            .groups
            .get(group)
            .map_or_else(|| group.0.clone(), |it| it.name.clone()),
        (None, None) => String::new(),
    }
}

/// The subject of an item, with its page where it has one.
pub(super) fn about_link(view: &View<'_, '_, '_>, item: &ActionItem) -> Rich {
    let key = escaped(&item.about);
    let path = match item.about_kind {
        AboutKind::Change => format!("/changes/{key}"),
        AboutKind::Incident => format!("/incidents/{key}"),
        AboutKind::Problem => format!("/problems/{key}"),
        AboutKind::Service => format!("/services/{key}"),
        AboutKind::Freeze => format!("/freezes/{key}"),
        AboutKind::AccessReview => format!("/access-reviews/{key}"),
        // The grants of a compromised account are listed on the page of the account.
        _ => {
            let account = view.directory.people.get(&PersonId::from(item.about.as_str()));
            return account.map_or_else(|| Rich::new().said(item.about.as_str()), |it| view.person(&it.id));
        }
    };
    match item.about_kind {
        AboutKind::AccessReview => Rich::new().link("its review", view.url(&path)),
        AboutKind::Freeze => Rich::new().link("its freeze", view.url(&path)),
        _ => Rich::new().said_link(item.about.as_str(), view.url(&path)),
    }
}

/// The reason of the settlement: a rule's reason is translated, a person's is not.
pub(super) fn closes(item: &ActionItem) -> Rich {
    let reason = item.reason.clone().unwrap_or_default();
    match (item.closing, item.state) {
        (Closing::Person | Closing::Uninvolved, _) | (_, ActionState::Dismissed) => Rich::new().said(reason),
        _ => Rich::from(reason),
    }
}

fn severity_label(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
}

/// The page of an item.
pub(super) fn item_page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    let item = noun::show::<ActionItem>(view.cx, key)?;
    let (tone, word) = state_label(&item, view.now());
    let mut page = RecordPage {
        crumb: vec![("Inbox".to_owned(), view.url("/inbox"))],
        title: item.title.clone(),
        is_said: is_written_by_person(&item),
        marks: vec![tone.mark(word)],
        byline: Rich::new().key(item.key.as_str()),
        facts: facts(view, &item),
        ..RecordPage::default()
    };
    if let Some(text) = &item.text {
        page.sections
            .push(Section::new("text", "What to do", SectionBody::Prose(text.clone())));
    }
    if item.reason.is_some() {
        page.sections.push(Section::new(
            "outcome",
            "What came of it",
            SectionBody::Words(closes(&item)),
        ));
    }
    if !item.links.is_empty() {
        let links = SectionBody::Prose(item.links.join("\n\n"));
        page.sections.push(Section::new("links", "Links", links));
    }
    if item.state.is_open() && item.closing == Closing::Condition {
        let words = Rich::from("It is settled automatically once its condition is met.");
        page.sections.push(Section::new(
            "condition",
            "How it is settled",
            SectionBody::Words(words),
        ));
    }
    if item.state.is_open() {
        page.acts = acts_on(view, &item);
    }
    page.frame = view.frame.clone();
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, item: &ActionItem) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Kind", kind_label(item.kind)),
        Fact::new("Due", view.reader.due(item.due_at)),
    ];
    facts.push(match owner_of(view, item) {
        name if name.is_empty() => Fact::new("Owner", "change managers"),
        name => Fact::new("Owner", Rich::new().said(name)),
    });
    if !item.about.is_empty() {
        facts.push(Fact::new("About", about_link(view, item)));
    }
    if let Some(severity) = item.severity {
        facts.push(Fact::new("Severity", severity_label(severity)));
    }
    let services: Vec<&str> = item.services.iter().map(|it| it.as_str()).collect();
    if !services.is_empty() {
        facts.push(Fact::new("Services", Rich::new().said(services.join(", "))));
    }
    facts.push(Fact::new("Opened", view.moment(item.opened_at)));
    let signed = [
        ("Acknowledged by", &item.acknowledged_by, item.acknowledged_at),
        ("Settled by", &item.settled_by, item.settled_at),
    ];
    for (label, person, at) in signed {
        if let (Some(person), Some(at)) = (person, at) {
            let words = view.person(person).line().text(view.reader.moment(at));
            facts.push(Fact::new(label, words));
        }
    }
    facts
}

fn acts_on(view: &View<'_, '_, '_>, item: &ActionItem) -> Vec<ActForm> {
    let is_theirs = is_responsible(&view.directory, item, &view.me, view.now());
    let is_finding = matches!(item.closing, Closing::ConditionOrDismissal | Closing::Uninvolved);
    let may_dismiss =
        is_finding && !item.involved.contains(&view.me) && (is_theirs || view.may(model::core::act::actions::AUDIT));
    let url = |verb: &str| view.url(&format!("/inbox/{}/{verb}", escaped(&item.key)));
    let mut acts = Vec::new();
    if is_theirs && item.closing == Closing::Person && item.announced_to().is_none() {
        acts.push(
            ActForm::new("settle", "Settle it", url("settlement"))
                .field(Field::select(
                    "state",
                    "What came of it",
                    &[("done", "It is done"), ("dismissed", "Nothing needs to be done")],
                ))
                .field(Field::textarea("reason", "Why").required())
                .submit("Settle it"),
        );
    }
    if may_dismiss && item.closing == Closing::Uninvolved {
        acts.push(
            ActForm::new("remedy", "Settle it as remedied", url("settlement"))
                .field(Field::hidden("state", "done"))
                .field(Field::textarea("reason", "Why").required())
                .submit("Settle it"),
        );
    }
    if may_dismiss {
        acts.push(
            ActForm::new("dismiss", "Dismiss it as a false positive", url("settlement"))
                .field(Field::hidden("state", "dismissed"))
                .field(Field::textarea("reason", "Why").required())
                .note("Only a person not involved in its subject can dismiss a finding. The reason is recorded.")
                .submit("Dismiss it"),
        );
    }
    if item.state == ActionState::Open && acknowledges(&view.directory, item, &view.me, view.now()) {
        acts.push(ActForm::new("acknowledge", "Acknowledge", url("acknowledgement")).submit("Acknowledge"));
    }
    if is_theirs && !item.has_fixed_owner() {
        acts.push(
            ActForm::new("assign", "Reassign", url("assignment"))
                .field(crate::web::shared::fields::pick_field(view, "people", "owner", "Owner").hint("A login."))
                .field(
                    crate::web::shared::fields::pick_field(view, "groups", "group", "Or a group")
                        .hint("The group's key."),
                )
                .submit("Reassign it"),
        );
    }
    acts
}
