//! Subscriptions: a dashboard that is mailed to people at a time of the day. Each letter is made for its reader.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, Page};
use crate::core::enums::Rhythm;
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// The most subscriptions of one person.
pub const MOST_OWN: usize = 20;
/// The most readers of one subscription.
pub const MOST_PEOPLE: usize = 50;
/// The last hour of a day.
const LAST_HOUR: usize = 23;
/// Within so many days every rhythm comes round.
const ROUND_DAYS: i64 = 33;

/// A dashboard that is mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct DashboardSubscription {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The dashboard: the key of a role's or the id of a saved one.
    pub dashboard: String,
    /// How often it is mailed.
    #[card(words)]
    pub rhythm: Rhythm,
    /// The hour of the day, 0 to 23, in the zone of the owner.
    #[card(most = LAST_HOUR)]
    pub hour: i64,
    /// The readers: logins. Each letter shows what its reader may read.
    pub people: BTreeSet<PersonId>,
    /// Who subscribed: a login.
    #[card(column, optional)]
    pub owner: PersonId,
    /// When it is mailed next.
    #[card(column, optional)]
    pub next_at: Timestamp,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A dashboard that is mailed. Each letter shows what its reader may read.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DashboardSubscriptionInput {
    /// The dashboard: the key of a role's or the id of a saved one.
    #[card(positional, example = "change_manager")]
    pub dashboard: String,
    /// How often it is mailed.
    #[card(words, optional, usual = "daily", example = "weekly")]
    pub rhythm: Rhythm,
    /// The hour of the day, 0 to 23, in the zone of the owner.
    #[card(most = LAST_HOUR, usual = "7", example = "7")]
    pub hour: i64,
    /// The recipients: logins; you by default. Only change managers can add others.
    #[card(option = "to", example = "adam")]
    pub people: BTreeSet<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "reports",
    command: "dashboard-subscription",
    patch: "DashboardSubscriptionPatch",
    columns: &["id", "dashboard", "rhythm", "hour", "people", "next_at"],
    verbs: verbs! {
        List "list_dashboard_subscriptions" at "/dashboard-subscriptions" may READ => "List your subscriptions to dashboards";
        Add "add_dashboard_subscription" at "/dashboard-subscriptions" may READ => "Subscribe to a dashboard";
        Show "show_dashboard_subscription" at "/dashboard-subscriptions/{id}" may READ => "Show a subscription of your own";
        Edit "edit_dashboard_subscription" at "/dashboard-subscriptions/{id}" may READ => "Change a subscription of your own";
        End "end_dashboard_subscription" at "/dashboard-subscriptions/{id}" may READ => "End a subscription of your own";
    },
    events: &[
        Event::new("dashboard_subscription.added", "bell", "subscribed to a dashboard"),
        Event::new(
            "dashboard_subscription.edited",
            "edit",
            "changed a subscription to a dashboard",
        ),
        Event::new("dashboard_subscription.sent", "bell", "mailed a dashboard"),
        Event::new(
            "dashboard_subscription.ended",
            "x",
            "ended a subscription to a dashboard",
        ),
    ],
    page: Some(Page {
        path: "/dashboard-subscriptions",
        byline: "Dashboards that are mailed on your behalf. Each mail shows only what its recipient may read.",
        empty: "You have no subscriptions.",
        labels: ["Subscribe to a dashboard", "Change it", "End it"],
    }),
    ..Card::of::<DashboardSubscription, DashboardSubscriptionInput>(
        "dashboard_subscription",
        "Subscriptions to dashboards",
    )
};

/// The next time of a rhythm after `now`, at an hour in a zone. Where the clocks leave an hour out, the time is the one behind it.
#[must_use]
pub fn next_after(rhythm: Rhythm, hour: i64, zone: &TimeZone, now: Timestamp) -> Timestamp {
    let hour = i8::try_from(hour.clamp(0, 23)).unwrap_or_default();
    let today = now.to_zoned(zone.clone()).date();
    let days = (0..=ROUND_DAYS).filter_map(|day| today.checked_add(day.days()).ok());
    let fits = days.filter(|day| match rhythm {
        Rhythm::Daily => true,
        Rhythm::Weekly => day.weekday() == Weekday::Monday,
        Rhythm::Monthly => day.day() == 1,
    });
    let times = fits.filter_map(|day| Some(day.at(hour, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp()));
    let mut later = times.filter(|at| *at > now);
    later.next().unwrap_or(now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn each_rhythm_has_its_next_time_in_the_zone_of_its_owner() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        // A Saturday in winter: 07:00 in Oslo is 06:00 UTC.
        let now = at("2026-11-28T05:59:00Z");
        assert_eq!(next_after(Rhythm::Daily, 7, &oslo, now), at("2026-11-28T06:00:00Z"));
        assert_eq!(
            next_after(Rhythm::Daily, 7, &oslo, at("2026-11-28T06:00:00Z")),
            at("2026-11-29T06:00:00Z")
        );
        assert_eq!(next_after(Rhythm::Weekly, 7, &oslo, now), at("2026-11-30T06:00:00Z"));
        assert_eq!(next_after(Rhythm::Monthly, 7, &oslo, now), at("2026-12-01T06:00:00Z"));
    }

    #[test]
    fn an_hour_that_the_clocks_leave_out_still_comes() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        // 02:00 does not exist on 28 March 2027: the time behind it is 03:00 summer time, 01:00 UTC.
        let next = next_after(Rhythm::Daily, 2, &oslo, at("2027-03-27T12:00:00Z"));
        assert_eq!(next, at("2027-03-28T01:00:00Z"));
    }
}
