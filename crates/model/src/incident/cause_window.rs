//! The hours before an incident in which candidates of a service are looked for, as people set them.

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_SERVICE};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::WindowOrigin;
use crate::core::ids::{RecordId, ServiceKey};
use crate::core::parse::TEXT;
use crate::incident::cause_fit::CauseFit;
use crate::incident::what_changed::CAUSE_HOURS;
use crate::verbs;

/// The longest search window that a person may set, in hours: two weeks.
pub const MOST_HOURS: i64 = 24 * 14;

/// The hours before an incident in which candidates of a service are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct CauseWindow {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The service.
    #[card(column, refers = "service")]
    pub service: ServiceKey,
    /// The maximum number of hours between the end of a change and an incident that it may have caused.
    #[card(most = MOST_HOURS)]
    pub hours: i64,
    /// The reason for values other than the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// The hours before an incident in which candidates of a service are looked for.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct CauseWindowInput {
    /// The service.
    #[card(refers = "service", positional, example = "booking-api")]
    pub service: ServiceKey,
    /// The maximum number of hours between the end of a change and an incident that it may have caused.
    #[card(most = MOST_HOURS, example = "24")]
    pub hours: i64,
    /// The reason for values other than the default.
    #[card(
        label = "Why",
        text,
        example = "Its batches run at night, so faults show a day later"
    )]
    pub reason: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "cause-window",
    columns: &["service", "hours", "reason"],
    verbs: verbs! {
        List "list_cause_windows" at "/cause-windows" may READ => "List the services with their own search period for candidates of incidents";
        Set "set_cause_window" at "/cause-windows" may SET_SERVICE => "Set the search period for candidates of a service";
        Show "show_cause_window" at "/cause-windows/{key}" may READ => "Show the search period for candidates of a service";
        End "end_cause_window" at "/cause-windows/{key}" may SET_SERVICE => "Use the default or learned search period again";
    },
    events: &[
        Event::new(
            "cause_window.set",
            "edit",
            "set the search period for candidates of a service",
        ),
        Event::new(
            "cause_window.ended",
            "x",
            "removed the search period for candidates of a service",
        ),
    ],
    page: Some(Page {
        path: "/cause-windows",
        byline: "The period before an incident in which candidates are searched: the hours set here, otherwise hours \
            learned from earlier causes of the service, otherwise four.",
        empty: "No service has its own search period.",
        labels: ["Set the search period of a service", "Change them", "Retire them"],
    }),
    ..Card::of::<CauseWindow, CauseWindowInput>("cause_window", "Search periods for candidates")
};

/// The search window of a service and its source: set by a person, else learned, else the default.
#[must_use]
pub fn hours_of(service: &str, set: &[CauseWindow], fit: Option<&CauseFit>) -> (i64, WindowOrigin) {
    let mut own = set.iter().filter(|it| it.active && it.service.as_str() == service);
    if let Some(own) = own.next() {
        return (own.hours, WindowOrigin::Set);
    }
    match fit.and_then(|fit| fit.hours_of(service)) {
        Some(hours) => (hours, WindowOrigin::Learned),
        None => (CAUSE_HOURS, WindowOrigin::Usual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::cause_fit::LearnedWindow;

    #[test]
    fn what_is_set_goes_before_what_is_learned_and_that_before_the_usual() {
        let fit = CauseFit {
            windows: vec![LearnedWindow {
                service: "pay".to_owned(),
                hours: 9,
                causes: 5,
            }],
            ..CauseFit::default()
        };
        let set = |active: bool| CauseWindow {
            id: RecordId::from("w"),
            version: 1,
            service: ServiceKey::from("pay"),
            hours: 30,
            reason: None,
            active,
        };
        assert_eq!(hours_of("pay", &[set(true)], Some(&fit)), (30, WindowOrigin::Set));
        assert_eq!(hours_of("pay", &[set(false)], Some(&fit)), (9, WindowOrigin::Learned));
        assert_eq!(hours_of("shop", &[set(true)], Some(&fit)), (4, WindowOrigin::Usual));
        assert_eq!(hours_of("pay", &[], None), (4, WindowOrigin::Usual));
    }
}
