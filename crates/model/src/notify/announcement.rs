//! Announcements: news of change managers to everybody who looks at the first page or at the page of a service.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_FREEZE};
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::verbs;

/// The longest text, in characters: a notice, no page.
pub const TEXT: usize = 2_000;
/// The most announcements of a tenant that are current or ahead.
pub const MOST: usize = 50;

/// An announcement on the first page and on the pages of its services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Announcement {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The announcement in one line.
    #[card(text)]
    pub title: String,
    /// The details for readers.
    #[card(most = TEXT, text)]
    pub text: String,
    /// The services that it is about; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// From when it is shown.
    pub starts_at: Timestamp,
    /// Until when it is shown.
    #[card(column)]
    pub ends_at: Timestamp,
    /// Whether it is in use; one that was taken back is shown no more.
    #[card(column)]
    pub active: bool,
    /// Who wrote it: a login.
    #[card(optional)]
    pub by: PersonId,
}

/// An announcement on the first page and on the pages of its services, while it is current.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct AnnouncementInput {
    /// The announcement in one line.
    #[card(text, example = "Bookings move to the new cluster")]
    pub title: String,
    /// The details for readers.
    #[card(most = TEXT, text, example = "Plan no changes of bookings on Saturday.")]
    pub text: String,
    /// The services that it is about; none means all.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// From when it is shown.
    #[card(label = "From", option = "from", example = "2026-11-28T08:00:00Z")]
    pub starts_at: Timestamp,
    /// Until when it is shown.
    #[card(label = "To", option = "to", example = "2026-11-29T20:00:00Z")]
    pub ends_at: Timestamp,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    patch: "AnnouncementPatch",
    columns: &["id", "title", "services", "starts_at", "ends_at"],
    verbs: verbs! {
        List "list_announcements" at "/announcements" may READ => "List announcements, current and ahead";
        Add "add_announcement" at "/announcements" may SET_FREEZE => "Add an announcement";
        Show "show_announcement" at "/announcements/{id}" may READ => "Show an announcement";
        Edit "edit_announcement" at "/announcements/{id}" may SET_FREEZE => "Change an announcement";
        End "end_announcement" at "/announcements/{id}" may SET_FREEZE => "Withdraw an announcement";
    },
    events: &[
        Event::new("announcement.added", "bell", "added an announcement"),
        Event::new("announcement.edited", "edit", "changed an announcement"),
        Event::new("announcement.ended", "x", "withdrew an announcement"),
    ],
    page: Some(Page {
        path: "/announcements",
        byline: "Announcements by change managers, shown on the home page and on the pages of services while they \
            are current.",
        empty: "There are no announcements.",
        labels: ["Add an announcement", "Change it", "Take it back"],
    }),
    ..Card::of::<Announcement, AnnouncementInput>("announcement", "Announcements")
};

impl Announcement {
    /// Whether it is shown now.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.active && self.starts_at <= now && now < self.ends_at
    }

    /// Whether it concerns this service.
    pub fn is_about(&self, service: &ServiceKey) -> bool {
        self.services.is_empty() || self.services.contains(service)
    }
}

/// The times of an announcement: the end lies behind the start, and ahead. An edit that leaves both alone is not judged.
pub fn check_times(reading: &mut Reading<'_>, input: &AnnouncementInput, now: Timestamp) {
    let is_wrong = |field: &str| reading.errors.iter().any(|error| error.field == field);
    let is_said = reading.says("starts_at") || reading.says("ends_at");
    if !is_said || is_wrong("starts_at") || is_wrong("ends_at") {
        return;
    }
    if input.ends_at <= input.starts_at {
        reading.wrong("ends_at", "out_of_order", "`ends_at` must lie after `starts_at`.");
    } else if input.ends_at <= now {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    }
}
