//! The text of a communication: a plan's templates with the facts of a change.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::change::record::Change;
use crate::core::enums::{CommunicationStage, Disruption, LetterLanguage};
use crate::notify::communication_plan::CommunicationPlan;
use crate::notify::placeholders::{INTERNAL, fill};

/// The subject and the text for a reader with this language and time zone. The change's texts are inserted once and never read
/// as a template.
#[must_use]
pub fn rendered(
    plan: &CommunicationPlan,
    change: &Change,
    stage: CommunicationStage,
    (language, zone): (LetterLanguage, &TimeZone),
) -> (String, String) {
    let (subject, text) = templates(plan, language);
    let value = |name: &str| Some(fact(change, stage, (language, zone), name));
    (fill(subject, value), fill(text, value))
}

/// The same for a customer: of the services only those that the customer's list has are named, by the names that everybody reads, and
/// nothing that people of the organisation wrote about the change.
#[must_use]
pub fn rendered_outside(
    (plan, services): (&CommunicationPlan, &[String]),
    change: &Change,
    stage: CommunicationStage,
    (language, zone): (LetterLanguage, &TimeZone),
) -> (String, String) {
    let (subject, text) = templates(plan, language);
    let value = |name: &str| {
        Some(match name {
            "services" => services.join(", "),
            _ if INTERNAL.contains(&name) => "–".to_owned(),
            _ => fact(change, stage, (language, zone), name),
        })
    };
    (fill(subject, value), fill(text, value))
}

/// The subject and the text of a plan in a language.
fn templates(plan: &CommunicationPlan, language: LetterLanguage) -> (&String, &String) {
    match language {
        LetterLanguage::De => (
            plan.subject_de.as_ref().unwrap_or(&plan.subject_en),
            plan.text_de.as_ref().unwrap_or(&plan.text_en),
        ),
        LetterLanguage::En => (&plan.subject_en, &plan.text_en),
    }
}

/// The end of a letter to a customer: how to get no more of them.
#[must_use]
pub fn opt_out_line(address: &str, language: LetterLanguage) -> String {
    match language {
        LetterLanguage::En => format!("No more letters of this kind: {address}"),
        LetterLanguage::De => format!("Keine weiteren Briefe dieser Art: {address}"),
    }
}

/// The line above the text of a late notice: the time of the stage.
#[must_use]
pub fn late_line(happened_at: Timestamp, (language, zone): (LetterLanguage, &TimeZone)) -> String {
    let at = moment(happened_at, zone);
    match language {
        LetterLanguage::En => format!("This notification is late. The event happened on {at}."),
        LetterLanguage::De => format!("Dies wird verspätet mitgeteilt. Es geschah am {at}."),
    }
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

fn fact(
    change: &Change,
    stage: CommunicationStage,
    (language, zone): (LetterLanguage, &TimeZone),
    name: &str,
) -> String {
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "–".to_owned(), |at| moment(at, zone));
    match name {
        "change" => change.key.clone(),
        "title" => change.content.title.clone(),
        "stage" => stage_name(stage, language).to_owned(),
        "start" => moment(change.planned_start),
        "end" => moment(change.planned_end),
        "services" => services(change),
        "disruption" => disruption(change, language),
        _ => format!("{{{name}}}"),
    }
}

/// The services of a change's targets, each once.
fn services(change: &Change) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for target in &change.content.targets {
        if !seen.contains(&target.service.as_str()) {
            seen.push(target.service.as_str());
        }
    }
    seen.join(", ")
}

/// The name of a stage in a language.
#[must_use]
pub fn stage_name(stage: CommunicationStage, language: LetterLanguage) -> &'static str {
    use CommunicationStage as S;
    match (stage, language) {
        (S::Announced, LetterLanguage::En) => "Announced",
        (S::Announced, LetterLanguage::De) => "Angekündigt",
        (S::Reminder, LetterLanguage::En) => "Starts soon",
        (S::Reminder, LetterLanguage::De) => "Beginnt bald",
        (S::Started, LetterLanguage::En) => "Started",
        (S::Started, LetterLanguage::De) => "Begonnen",
        (S::Finished, LetterLanguage::En) => "Finished",
        (S::Finished, LetterLanguage::De) => "Beendet",
        (S::Failed, LetterLanguage::En) => "Failed",
        (S::Failed, LetterLanguage::De) => "Fehlgeschlagen",
        (S::RolledBack, LetterLanguage::En) => "Rolled back",
        (S::RolledBack, LetterLanguage::De) => "Zurückgenommen",
        (S::Cancelled, LetterLanguage::En) => "Cancelled",
        (S::Cancelled, LetterLanguage::De) => "Abgesagt",
    }
}

fn disruption(change: &Change, language: LetterLanguage) -> String {
    let plan = change.content.disruption.as_ref();
    let kind = plan.map_or(Disruption::None, |plan| plan.kind);
    let is_german = language == LetterLanguage::De;
    let word = match (kind, is_german) {
        (Disruption::None, false) => "no disruption",
        (Disruption::None, true) => "keine Beeinträchtigung",
        (Disruption::Degraded, false) => "slower or less",
        (Disruption::Degraded, true) => "langsamer oder eingeschränkt",
        (Disruption::ReadOnly, false) => "read-only",
        (Disruption::ReadOnly, true) => "nur lesbar",
        (Disruption::Outage, false) => "unavailable",
        (Disruption::Outage, true) => "nicht verfügbar",
    };
    match plan.and_then(|plan| plan.minutes) {
        Some(minutes) if is_german => format!("{word}, {minutes} Minuten"),
        Some(minutes) => format!("{word}, {minutes} minutes"),
        None => word.to_owned(),
    }
}
