//! The nouns with a card. One line here makes a noun known to every layer: its table and its versions, its routes and their
//! description, its command, its page and the labels of its events.

use std::collections::BTreeSet;

use crate::core::card::{Card, Noun};
use crate::core::enums::{EventKind, State};
use crate::core::parse::nearest;

/// Calls a macro with the type of every noun that has a card.
#[macro_export]
macro_rules! card_nouns {
    ($apply:ident) => {
        $apply! {
            $crate::notify::action_item::ActionItem,
            $crate::notify::announcement::Announcement,
            $crate::notify::business_unit::BusinessUnit,
            $crate::notify::communication::Communication,
            $crate::notify::communication_plan::CommunicationPlan,
            $crate::notify::customer_list::CustomerList,
            $crate::report::saved_dashboard::Dashboard,
            $crate::report::dashboard_subscription::DashboardSubscription,
            $crate::report::wait_budget::WaitBudget,
            $crate::change::template::feedback::TemplateFeedback,
            $crate::change::template::trial::TemplateTrial,
            $crate::change::custom_field::CustomField,
            $crate::incident::entry::IncidentEntry,
            $crate::incident::cause_model::CauseModel,
            $crate::incident::cause_window::CauseWindow,
            $crate::incident::drift::baseline::DriftBaseline,
            $crate::incident::drift::decision::DriftDecision,
            $crate::incident::drift::finding::DriftFinding,
            $crate::incident::drift::rule::DriftRule,
            $crate::incident::drift::source::DriftSource,
            $crate::incident::monitor::Monitor,
            $crate::incident::objective::Objective,
            $crate::incident::objective_measure::ObjectiveMeasure,
            $crate::incident::raised_monitor::RaisedMonitor,
            $crate::incident::watch_verdict::WatchVerdict,
            $crate::emergency::emergency_card::EmergencyCard,
            $crate::emergency::emergency_report::EmergencyReport,
            $crate::emergency::emergency_use::EmergencyUse,
            $crate::emergency::outside_look::OutsideLook,
            $crate::audit::audit_conclusion::AuditConclusion,
            $crate::audit::audit_sample::AuditSample,
            $crate::cab::agenda::Agenda,
            $crate::cab::agenda_item::AgendaItem,
            $crate::cab::board_forecast::BoardForecast,
            $crate::cab::meeting_series::MeetingSeries,
            $crate::cab::duty_rota::DutyRota,
            $crate::audit::auditor_look::AuditorLook,
            $crate::directory::audit_mandate::AuditMandate,
            $crate::identity::agent::Agent,
            $crate::compliance::hold_order::HoldOrder,
            $crate::compliance::person_erasure::PersonErasure,
            $crate::compliance::retention_rule::RetentionRule,
            $crate::cab::lesson_assignment::LessonAssignment,
            $crate::cab::lesson_attempt::LessonAttempt,
            $crate::cab::lesson_session::LessonSession,
            $crate::risk::probe::Probe,
            $crate::schedule::conflict_record::Conflict,
            $crate::schedule::outside_calendar::OutsideCalendar,
            $crate::schedule::planning_terms::PlanningTerms,
            $crate::schedule::traffic::Traffic,
            $crate::integration::dialect::Dialect,
            $crate::integration::foreign_change::ForeignChange,
            $crate::integration::foreign_mirror::ForeignMirror,
            $crate::integration::foreign_system::ForeignSystem,
            $crate::integration::service_lead::ServiceLead,
            $crate::integration::imported_change::ImportedChange,
            $crate::integration::outside_run::OutsideRun,
            $crate::directory::vendor::Vendor,
            $crate::schedule::vendor_notice::VendorNotice,
            $crate::audit::witness::Witness,
            $crate::audit::watched_log::WatchedLog,
            $crate::audit::time_authority::TimeAuthority,
            $crate::compliance::report_schedule::ReportSchedule,
            $crate::incident::record_link::RecordLink,
            $crate::incident::incident_review::IncidentReview,
            $crate::incident::review_answer::ReviewAnswer,
            $crate::incident::problem::ProblemRecord,
            $crate::risk::cause::Cause,
            $crate::risk::cause_move::CauseMove,
            $crate::risk::risk_adjustment::RiskAdjustment,
            $crate::change::waves::member_list::MemberList,
            $crate::change::waves::member_list::bucket::MemberBucket,
            $crate::change::waves::member_outcome::MemberOutcome,
            $crate::schedule::joint_maintenance::JointMaintenance,
        }
    };
}

/// Calls a macro with the type of every record whose card describes its fields and columns alone: its verbs, its shape in the API,
/// its pages and the labels of its events are written by hand.
#[macro_export]
macro_rules! record_nouns {
    ($apply:ident) => {
        $apply! {
            $crate::change::related_records::Approval,
            $crate::change::related_records::Condition,
            $crate::change::related_records::Evidence,
            $crate::change::related_records::Permit,
            $crate::change::related_records::GateCheck,
            $crate::change::related_records::Deployment,
            $crate::change::related_records::Message,
            $crate::policy::decision_facts::DecisionFacts,
            $crate::policy::act_facts::ActFacts,
            $crate::change::related_records::PeerReview,
            $crate::change::related_records::Entry,
            $crate::change::related_records::ChangeTask,
            $crate::change::related_records::ChecklistItem,
            $crate::change::related_records::Comment,
            $crate::change::related_records::Link,
            $crate::identity::provider::IdentityProvider,
            $crate::directory::access_review::AccessReview,
            $crate::integration::workload::Workload,
            $crate::directory::snapshot::Tenant,
            $crate::directory::records::Person,
            $crate::directory::records::Group,
            $crate::directory::records::Service,
            $crate::directory::records::Incident,
            $crate::directory::records::StandardTemplate,
            $crate::directory::records::ConfigItem,
            $crate::directory::records::Environment,
            $crate::directory::records::Dependency,
            $crate::directory::records::MaintenanceWindow,
            $crate::directory::records::Connection,
            $crate::directory::records::Token,
            $crate::schedule::freeze::Freeze,
            $crate::directory::ownership_matrix::Ownership,
            $crate::approval::absence::Absence,
            $crate::approval::absence::Delegation,
            $crate::cab::training::Training,
            $crate::cab::meeting::Meeting,
            $crate::cab::meeting::OnCall,
            $crate::emergency::records::BreakGlassUse,
            $crate::risk::forecast::model_record::FailureModel,
            $crate::schedule::calendar::Calendar,
            $crate::policy::configuration::Configuration,
            $crate::integration::webhook::Webhook,
            $crate::integration::sink::Sink,
            $crate::audit::key_rotation::KeyRotation,
            $crate::gate::provenance::OutsideCheck,
            $crate::gate::provenance::Provenance,
            $crate::gate::running::Running,
        }
    };
}

macro_rules! cards {
    ($($noun:ty),+ $(,)?) => {
        /// Every card, in the order of the tables.
        pub const CARDS: &[&Card] = &[$(<$noun as Noun>::CARD),+];
    };
}

macro_rules! record_cards {
    ($($noun:ty),+ $(,)?) => {
        /// The cards that describe a record alone, in the order of `record_nouns`.
        pub const RECORD_CARDS: &[&Card] = &[$(<$noun as Noun>::CARD),+];
    };
}

card_nouns!(cards);
record_nouns!(record_cards);

/// The card of a table.
pub fn of_table(table: &str) -> Option<&'static Card> {
    CARDS.iter().find(|card| card.table == table).copied()
}

/// Every kind of event that the log can hold, in the order of the names: those of cards, one for each state of a change, and the
/// others.
#[must_use]
pub fn event_kinds() -> BTreeSet<String> {
    let of_cards = CARDS
        .iter()
        .flat_map(|card| card.events)
        .map(|event| event.kind.to_owned());
    let of_states = State::ALL.iter().map(|state| format!("change.{state}"));
    let others = EventKind::ALL.iter().map(|kind| kind.as_str().to_owned());
    of_cards.chain(of_states).chain(others).collect()
}

/// Why a text names no kinds of events; `None` for a kind, for a family such as `change.*`, and for `*`.
#[must_use]
pub fn why_no_kinds(text: &str) -> Option<String> {
    let kinds = event_kinds();
    if text == "*" || kinds.contains(text) {
        return None;
    }
    let family = text.split('.').next().unwrap_or_default();
    let families: BTreeSet<&str> = kinds.iter().filter_map(|kind| Some(kind.split_once('.')?.0)).collect();
    if !families.contains(family) {
        let near = nearest(family, &families.iter().copied().collect::<Vec<_>>());
        let hint = near
            .map(|near| format!(" Did you mean `{near}.*`?"))
            .unwrap_or_default();
        let all = families.into_iter().collect::<Vec<_>>().join(", ");
        return Some(format!(
            "`{text}` is not a kind of event.{hint} Use `*`, a kind such as `change.approved`, or append `.*` to one \
             of: {all}."
        ));
    }
    if text == format!("{family}.*") {
        return None;
    }
    let beginning = format!("{family}.");
    let allowed: Vec<&str> = kinds
        .iter()
        .map(String::as_str)
        .filter(|kind| kind.starts_with(&beginning))
        .collect();
    Some(format!(
        "`{text}` is not a kind of event. Use `{family}.*` or one of: {}.",
        allowed.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::{Map, Value, json};

    use super::{CARDS, RECORD_CARDS};
    use crate::core::card::{Does, Field, Kind};
    use crate::core::free_text::is_text;
    use crate::core::parse::Reading;

    fn fields() -> impl Iterator<Item = (&'static str, &'static Field)> {
        CARDS.iter().flat_map(|card| {
            let all = card.fields.iter().chain(card.input.2).chain(card.shown);
            all.map(|field| (card.table, field))
        })
    }

    #[test]
    fn the_log_seals_the_free_text_of_every_card() {
        for (table, field) in fields().filter(|(_, field)| field.is_free_text) {
            assert!(
                is_text(field.name),
                "`{}` of {table} is free text; name it in core/free_text.rs",
                field.name
            );
        }
        for (table, field) in CARDS
            .iter()
            .chain(RECORD_CARDS)
            .flat_map(|card| card.fields.iter().map(|field| (card.table, field)))
        {
            let holds_no_text = matches!(field.kind, Kind::Boolean | Kind::Integer(..));
            let is_known = field.is_free_text || !is_text(field.name) || holds_no_text;
            assert!(is_known, "`{}` of {table} is sealed; its card says `text`", field.name);
        }
    }

    #[test]
    fn every_field_is_documented_and_every_needed_input_has_an_example_that_it_takes() {
        for (table, field) in fields() {
            assert!(field.doc.ends_with('.'), "`{}` of {table}: {:?}", field.name, field.doc);
        }
        for card in CARDS {
            let examples = card
                .input
                .2
                .iter()
                .filter_map(|it| Some((it.name.to_owned(), it.example_value()?)));
            let body: Map<String, Value> = examples.collect();
            let missing = card
                .input
                .2
                .iter()
                .filter(|it| it.is_needed && !body.contains_key(it.name));
            assert_eq!(missing.count(), 0, "{}", card.table);
            for field in card.input.2 {
                if let Kind::Word(words) = field.kind {
                    assert!(
                        (words.all)().contains(&body[field.name].as_str().unwrap()),
                        "{}",
                        card.table
                    );
                }
            }
        }
    }

    #[test]
    fn verbs_have_names_of_their_own_and_events_are_named_after_their_noun() {
        let mut names = std::collections::BTreeSet::new();
        for card in CARDS {
            assert_eq!(
                card.verb(Does::Edit).is_some(),
                !card.patch.is_empty(),
                "{}",
                card.table
            );
            for event in card.events {
                assert_eq!(event.kind.split_once('.').unwrap().0, card.table);
            }
            for verb in card.verbs {
                assert!(names.insert(verb.name), "{}", verb.name);
                assert!(!verb.may.is_empty() && !verb.doc.ends_with('.'), "{}", verb.name);
            }
        }
    }

    #[test]
    fn cards_refer_to_nouns_whose_keys_are_looked_up() {
        for (table, field) in fields().filter(|(_, field)| !field.refers.is_empty()) {
            assert!(
                ["group", "service"].contains(&field.refers),
                "`{}` of {table}",
                field.name
            );
        }
    }

    #[test]
    fn an_input_is_read_with_all_errors_at_once() {
        let body = json!({"titel": "x", "text": 3, "services": ["a", 4], "starts_at": "soon"});
        let mut reading = Reading::new(body.as_object().unwrap(), "");
        let input: crate::notify::announcement::AnnouncementInput = crate::core::card::read(&mut reading);
        assert_eq!(input.services.len(), 1, "what is right is read all the same");
        let refusal = reading.finish().unwrap_err();
        let text = format!("{refusal:?}");
        for wanted in [
            "did you mean `title`",
            "not_text",
            "services[1]",
            "not_a_time",
            "`ends_at` is missing",
            "`title` is missing",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in {text}");
        }
    }

    #[test]
    fn a_kind_of_event_is_one_that_the_log_can_hold() {
        for good in [
            "*",
            "change.*",
            "change.approved",
            "hold_order.lifted",
            "hold_order.*",
            "gate.checked",
        ] {
            assert_eq!(super::why_no_kinds(good), None, "{good}");
        }
        let wrong = super::why_no_kinds("change.aproved").unwrap();
        assert!(
            wrong.contains("change.approved") && wrong.contains("`change.*`"),
            "{wrong}"
        );
        let wrong = super::why_no_kinds("chnage.*").unwrap();
        assert!(
            wrong.contains("Did you mean `change.*`?") && wrong.contains("hold_order"),
            "{wrong}"
        );
        for bad in [
            "",
            "change",
            "change.",
            "Change.*",
            "change.approved.*",
            "change.app*",
            "**",
            ".*",
        ] {
            assert!(super::why_no_kinds(bad).is_some(), "{bad}");
        }
    }
}
