//! Communication plans: the recipients, stages and texts of notices about a change.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::core::act::actions::{READ, SET_FREEZE};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::{Audience, CommunicationStage, Disruption, Kind, Level};
use crate::core::ids::{GroupKey, RecordId};
use crate::core::parse::Reading;
use crate::notify::business_unit::is_key;
use crate::notify::placeholders::{internal_placeholder, unknown_placeholder};
use crate::verbs;

/// The longest text of a letter, in characters.
pub const TEXT: usize = 4_000;
/// The most plans of a tenant.
pub const MOST: usize = 50;
/// The longest time between a reminder and the start, in minutes: 30 days.
pub const MOST_MINUTES: i64 = 30 * 24 * 60;

/// Whom a change is told to, at which stages, and in which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct CommunicationPlan {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key. If several plans would notify a person of the same, only the plan with the alphabetically first key
    /// does.
    #[card(column)]
    pub key: String,
    /// The name.
    #[card(text)]
    pub name: String,
    /// Only changes of these kinds; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub kinds: BTreeSet<Kind>,
    /// Only changes of these levels of risk; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub risks: BTreeSet<Level>,
    /// Only changes that users will notice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_disruptive: bool,
    /// The audiences.
    #[card(words)]
    pub audiences: BTreeSet<Audience>,
    /// The groups whose on-duty members are notified; all members if none is on duty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "group")]
    pub duty_groups: BTreeSet<GroupKey>,
    /// At which stages.
    #[card(words)]
    pub stages: BTreeSet<CommunicationStage>,
    /// The number of minutes before the start at which the reminder is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MOST_MINUTES)]
    pub reminder_minutes: Option<i64>,
    /// Whether owners and contacts of business units are asked to acknowledge the announcement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acknowledge: bool,
    /// The subject in English, with placeholders.
    #[card(text, label = "Subject in English")]
    pub subject_en: String,
    /// The text in English, with placeholders.
    #[card(most = TEXT, text, label = "Text in English")]
    pub text_en: String,
    /// The subject in German; the English subject by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text, label = "Subject in German")]
    pub subject_de: Option<String>,
    /// The text in German; the English text by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text, label = "Text in German")]
    pub text_de: Option<String>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// Whom a change is told to, at which stages, and in which words.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct CommunicationPlanInput {
    /// The key. If several plans would notify a person of the same, only the plan with the alphabetically first key
    /// does.
    #[card(positional, example = "disruptions")]
    pub key: String,
    /// The name.
    #[card(text, example = "Disruptions")]
    pub name: String,
    /// Only changes of these kinds; none means all.
    #[card(words, option = "kind", example = "normal")]
    pub kinds: BTreeSet<Kind>,
    /// Only changes of these levels of risk; none means all.
    #[card(words, option = "risk", example = "high")]
    pub risks: BTreeSet<Level>,
    /// Only changes that users will notice.
    #[card(option = "disruptive")]
    pub only_disruptive: bool,
    /// The audiences.
    #[card(words, option = "audience", example = "business_units")]
    pub audiences: BTreeSet<Audience>,
    /// The groups whose on-duty members are notified; all members if none is on duty.
    #[card(refers = "group", option = "duty-group", example = "platform")]
    pub duty_groups: BTreeSet<GroupKey>,
    /// At which stages.
    #[card(words, option = "stage", example = "announced")]
    pub stages: BTreeSet<CommunicationStage>,
    /// The number of minutes before the start at which the reminder is sent.
    #[card(most = MOST_MINUTES, option = "reminder", example = "60")]
    pub reminder_minutes: Option<i64>,
    /// Whether owners and contacts of business units are asked to acknowledge the announcement.
    pub acknowledge: bool,
    /// The subject in English, with placeholders: {change} {title} {stage} {start} {end} {services} {disruption}.
    #[card(text, label = "Subject in English", example = "{stage}: {title}")]
    pub subject_en: String,
    /// The text in English, with placeholders.
    #[card(most = TEXT, text, label = "Text in English", example = "{services} from {start} to {end}: {disruption}.")]
    pub text_en: String,
    /// The subject in German; the English subject by default.
    #[card(text, label = "Subject in German", example = "{stage}: {title}")]
    pub subject_de: Option<String>,
    /// The text in German; the English text by default.
    #[card(most = TEXT, text, label = "Text in German", example = "{services} von {start} bis {end}: {disruption}.")]
    pub text_de: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "communication-plan",
    patch: "CommunicationPlanPatch",
    columns: &["id", "key", "name", "audiences", "stages"],
    verbs: verbs! {
        List "list_communication_plans" at "/communication-plans" may READ => "List communication plans";
        Add "add_communication_plan" at "/communication-plans" may SET_FREEZE => "Add a communication plan";
        Show "show_communication_plan" at "/communication-plans/{id}" may READ => "Show a communication plan";
        Edit "edit_communication_plan" at "/communication-plans/{id}" may SET_FREEZE => "Change a communication plan";
        End "end_communication_plan" at "/communication-plans/{id}" may SET_FREEZE => "Retire a communication plan";
    },
    events: &[
        Event::new("communication_plan.added", "bell", "added a communication plan"),
        Event::new("communication_plan.edited", "edit", "changed a communication plan"),
        Event::new("communication_plan.ended", "x", "retired a communication plan"),
    ],
    page: Some(Page {
        path: "/communication-plans",
        byline: "Recipients, stages and texts of the notifications about changes.",
        empty: "There is no communication plan.",
        labels: ["Add a communication plan", "Change it", "Retire it"],
    }),
    ..Card::of::<CommunicationPlan, CommunicationPlanInput>("communication_plan", "Communication plans")
};

impl CommunicationPlan {
    /// Whether the plan covers changes like this one. No plan covers work that was recorded afterwards.
    #[must_use]
    pub fn covers(&self, change: &Change) -> bool {
        let content = &change.content;
        self.active
            && change.retrospective.is_none()
            && (self.kinds.is_empty() || self.kinds.contains(&content.kind))
            && (self.risks.is_empty() || self.risks.contains(&change.risk.level))
            && (!self.only_disruptive || is_disruptive(change))
    }
}

/// Whether users will notice a change, by its own fields.
#[must_use]
pub fn is_disruptive(change: &Change) -> bool {
    let plan = change.content.disruption.as_ref();
    plan.is_some_and(|plan| plan.kind != Disruption::None)
}

/// The rules of a plan's fields.
pub fn check(reading: &mut Reading<'_>, input: &CommunicationPlanInput) {
    if reading.says("key") && !is_key(&input.key) {
        let text = "`key` has at most 64 letters, digits, `-`, `_` and `.`.";
        reading.wrong("key", "not_a_key", text);
    }
    if input.audiences.is_empty() {
        let text = "`audiences` needs at least one of owners, business_units, watchers, on_duty and customers.";
        reading.wrong("audiences", "missing", text);
    }
    if input.audiences.contains(&Audience::OnDuty) == input.duty_groups.is_empty() {
        let text = "The audience `on_duty` needs `duty_groups` with at least one group, and `duty_groups` needs that \
            audience.";
        reading.wrong("duty_groups", "missing", text);
    }
    if input.stages.is_empty() {
        reading.wrong(
            "stages",
            "missing",
            "`stages` needs at least one stage, such as announced.",
        );
    }
    let has_reminder = input.stages.contains(&CommunicationStage::Reminder);
    if has_reminder != input.reminder_minutes.is_some_and(|minutes| minutes > 0) {
        let text = "The stage `reminder` needs `reminder_minutes` of at least 1, and `reminder_minutes` needs that \
            stage.";
        reading.wrong("reminder_minutes", "missing", text);
    }
    if input.acknowledge && !input.stages.contains(&CommunicationStage::Announced) {
        let text = "Only announcements can be acknowledged: add the stage `announced`.";
        reading.wrong("acknowledge", "not_allowed", text);
    }
    let wordings = [
        ("subject_en", Some(&input.subject_en)),
        ("text_en", Some(&input.text_en)),
        ("subject_de", input.subject_de.as_ref()),
        ("text_de", input.text_de.as_ref()),
    ];
    check_customers(reading, input);
    for (field, text) in wordings {
        if let Some(name) = text.and_then(|text| unknown_placeholder(text)) {
            let text = format!(
                "`{{{name}}}` is not a placeholder; use {{change}}, {{title}}, {{stage}}, {{start}}, {{end}}, \
                 {{services}} or {{disruption}}."
            );
            reading.wrong(field, "unknown_placeholder", text);
        }
    }
}

/// Customers read no internal text: a plan for them has texts of its own, without the title and the key of a change, and
/// requests no acknowledgement.
fn check_customers(reading: &mut Reading<'_>, input: &CommunicationPlanInput) {
    if !input.audiences.contains(&Audience::Customers) {
        return;
    }
    if input.audiences.len() > 1 {
        let text = "A plan for `customers` cannot have another audience, because its texts are for people outside \
            the organisation.";
        reading.wrong("audiences", "not_allowed", text);
    }
    if input.acknowledge {
        let text = "Customers cannot be asked to acknowledge.";
        reading.wrong("acknowledge", "not_allowed", text);
    }
    let wordings = [
        ("subject_en", Some(&input.subject_en)),
        ("text_en", Some(&input.text_en)),
        ("subject_de", input.subject_de.as_ref()),
        ("text_de", input.text_de.as_ref()),
    ];
    for (field, text) in wordings {
        if let Some(name) = text.and_then(|text| internal_placeholder(text)) {
            let text = format!(
                "`{{{name}}}` is internal; letters to customers have {{stage}}, {{start}}, {{end}}, {{services}} and {{disruption}}."
            );
            reading.wrong(field, "internal_placeholder", text);
        }
    }
}
