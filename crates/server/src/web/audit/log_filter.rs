//! The filters of the log's page: kept in the address, shown as chips, read for the search.

use acts::audit::find_log::LogFilter;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use model::nouns::CARDS;
use pages::{Chip, Choice, Field, Input};

use crate::http::percent::escaped;
use crate::web::shared::fields::pick_field;
use crate::web::shared::view::View;

/// The filters in an address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct Wanted {
    /// The index before which the page ends.
    pub before: Option<String>,
    kind: Option<String>,
    actor: Option<String>,
    about: Option<String>,
    from: Option<String>,
    to: Option<String>,
    address: Option<String>,
    session: Option<String>,
    token: Option<String>,
}

/// The label of each family of kinds, in the order of the labels; nouns with a card have theirs there.
fn families() -> Vec<(&'static str, &'static str)> {
    let of_cards = CARDS.iter().map(|card| (card.table, card.title));
    let mut all: Vec<_> = FAMILIES.iter().copied().chain(of_cards).collect();
    all.sort_by_key(|(_, words)| *words);
    all
}

/// Those without a card.
const FAMILIES: &[(&str, &str)] = &[
    ("absence", "Absences"),
    ("access_review", "Access reviews"),
    ("approval", "Approvals"),
    ("changes", "Archive"),
    ("attempt", "Refused attempts"),
    ("board", "Boards"),
    ("break_glass", "Break-glass uses"),
    ("calendar", "Business calendars"),
    ("change", "Changes"),
    ("checklist", "Checklists"),
    ("comment", "Comments"),
    ("condition", "Conditions"),
    ("config_item", "Config items"),
    ("configuration", "Configurations"),
    ("connection", "Connections"),
    ("delegation", "Delegations"),
    ("deliveries", "Deliveries"),
    ("demo", "Demonstration"),
    ("dependency", "Dependencies"),
    ("deployment", "Deployments"),
    ("directory", "Imports"),
    ("entry", "Entries of the work"),
    ("environment", "Environments"),
    ("evidence", "Evidence"),
    ("extension", "Extensions"),
    ("failure_model", "Models of failure"),
    ("freeze", "Freezes"),
    ("gate", "Gate checks"),
    ("group", "Groups"),
    ("identity_provider", "Identity providers"),
    ("incident", "Incidents"),
    ("key", "Signing keys"),
    ("keys", "Changes of published keys"),
    ("log", "The log itself"),
    ("mapping", "Mappings"),
    ("meeting", "Meetings"),
    ("message", "Single letters"),
    ("messages", "Letters"),
    ("letter", "Incoming letters"),
    ("on_call", "On call"),
    ("outside_check", "Outside checks"),
    ("ownership", "Ownership"),
    ("peer_review", "Peer reviews"),
    ("permit", "Permits"),
    ("person", "People"),
    ("policies", "Policies"),
    ("provenance", "Provenance"),
    ("record", "Records"),
    ("reply", "Answers by mail"),
    ("retention", "Retention"),
    ("risk_table", "Risk table"),
    ("service", "Services"),
    ("sign_in", "Refused sign-ins"),
    ("sink", "Sinks of the log"),
    ("sla_table", "Times to decide"),
    ("target", "Targets"),
    ("task", "Tasks"),
    ("template", "Templates"),
    ("tenant", "Tenant"),
    ("text", "Erased texts"),
    ("token", "Tokens"),
    ("training", "Trainings"),
    ("major_severity", "Severity of major incidents"),
    ("watch_table", "Watch windows"),
    ("webhook", "Webhooks"),
    ("window", "Maintenance windows"),
    ("workload", "Workloads"),
];

/// The filters, with the labels of their fields.
const FILTERS: [(&str, &str); 8] = [
    ("kind", "Kind"),
    ("actor", "Who"),
    ("about", "About"),
    ("from", "From"),
    ("to", "To"),
    ("address", "IP address"),
    ("session", "Session"),
    ("token", "Token"),
];

impl Wanted {
    fn get(&self, name: &str) -> &str {
        let value = match name {
            "kind" => &self.kind,
            "actor" => &self.actor,
            "about" => &self.about,
            "from" => &self.from,
            "address" => &self.address,
            "session" => &self.session,
            "token" => &self.token,
            _ => &self.to,
        };
        value.as_deref().unwrap_or_default().trim()
    }

    /// Whether everything is shown.
    pub fn is_empty(&self) -> bool {
        FILTERS.iter().all(|(name, _)| self.get(name).is_empty())
    }

    /// The address of the log with these filters, but for one, and behind an index.
    pub fn address(&self, view: &View<'_, '_, '_>, without: &str, before: Option<i64>) -> String {
        let set = FILTERS.iter().map(|(name, _)| (*name, self.get(name)));
        let set = set.filter(|(name, value)| !value.is_empty() && *name != without);
        let mut parts: Vec<String> = set.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        parts.extend(before.map(|index| format!("before={index}")));
        match parts.as_slice() {
            [] => view.url("/audit"),
            parts => view.url(&format!("/audit?{}", parts.join("&"))),
        }
    }

    /// The search; an error is a sentence about the input that could not be read.
    pub fn filter(&self, view: &View<'_, '_, '_>) -> Result<LogFilter, String> {
        let word = |name: &str| Some(self.get(name).to_owned()).filter(|value| !value.is_empty());
        Ok(LogFilter {
            kind: word("kind"),
            actor: word("actor"),
            about: word("about"),
            from: self.start(view, "from", 0)?,
            to: self.start(view, "to", 1)?,
            address: word("address"),
            session: word("session"),
            token: word("token"),
        })
    }

    /// The instant at which a day begins for the reader, plus so many days: the last day of a span is included.
    fn start(&self, view: &View<'_, '_, '_>, name: &str, later: i64) -> Result<Option<Timestamp>, String> {
        let text = self.get(name);
        if text.is_empty() {
            return Ok(None);
        }
        let unread = || format!("`{text}` is not a day such as 2026-11-21.");
        let day: Date = text.parse().map_err(|_| unread())?;
        let day = day.checked_add(later.days()).map_err(|_| unread())?;
        let zone = view.reader.local(view.now()).time_zone().clone();
        let start = day.to_zoned(zone).map_err(|_| unread())?;
        Ok(Some(start.timestamp()))
    }

    /// The active filters, each with the address that removes it.
    pub fn chips(&self, view: &View<'_, '_, '_>) -> Vec<Chip> {
        let set = FILTERS.iter().filter(|(name, _)| !self.get(name).is_empty());
        let chip = |(name, label): &(&str, &str)| {
            let value = self.get(name);
            let family = families()
                .into_iter()
                .find(|(word, _)| *name == "kind" && *word == value);
            let day = ["from", "to"]
                .contains(name)
                .then(|| value.parse::<Date>().ok())
                .flatten();
            Chip {
                label: (*label).to_owned(),
                value: match (family, day) {
                    (Some((_, words)), _) => words.to_owned(),
                    (None, Some(day)) => view.reader.date(day),
                    (None, None) => value.to_owned(),
                },
                remove_url: self.address(view, name, None),
                is_said: family.is_none() && day.is_none(),
            }
        };
        set.map(chip).collect()
    }

    /// The form of the filters.
    pub fn fields(&self, view: &View<'_, '_, '_>) -> Vec<Field> {
        let kind = self.get("kind");
        let mut kinds = vec![Choice::new("", "Any")];
        // An address may name one kind, as entries do; the form offers families and keeps the kind.
        if !kind.is_empty() && !families().iter().any(|(word, _)| *word == kind) {
            kinds.push(Choice::said(kind, kind));
        }
        kinds.extend(families().into_iter().map(|(word, words)| Choice::new(word, words)));
        vec![
            Field::new("kind", "Kind", Input::Select(kinds)).value(kind).half(),
            pick_field(view, "actors", "actor", "Who")
                .hint("A login, or system for automatic acts.")
                .value(self.get("actor"))
                .half(),
            Field::text("about", "About")
                .hint("The key of a change, service, environment, group, template or incident, or a login.")
                .value(self.get("about")),
            Field::new("from", "From", Input::Date).value(self.get("from")).half(),
            Field::new("to", "To", Input::Date)
                .hint(format!(
                    "In {}; by the time they were recorded.",
                    view.reader.zone_name()
                ))
                .value(self.get("to"))
                .half(),
            Field::text("address", "IP address")
                .hint("What was done from it, and refused sign-ins.")
                .value(self.get("address"))
                .half(),
            Field::text("session", "Session")
                .hint("The name of a session, as its sign-in shows it.")
                .value(self.get("session"))
                .half(),
            Field::text("token", "Token")
                .hint("The id of a token.")
                .value(self.get("token"))
                .half(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::web::audit::phrases;

    #[test]
    fn every_kind_that_has_words_stands_in_a_family() {
        let mut lost: Vec<&str> = phrases::kinds()
            .map(|kind| kind.split('.').next().unwrap_or_default())
            .filter(|family| !super::families().iter().any(|(word, _)| word == family))
            .collect();
        lost.dedup();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
