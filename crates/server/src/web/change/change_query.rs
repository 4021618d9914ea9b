//! The query of the list of changes in its address: filters, columns and order.

use acts::report::find_changes::{ChangeFilter, Order};
use jiff::Timestamp;
use model::core::enums::{Level, Outcome, State as Stage};
use model::core::refusal::FieldError;

use crate::change::search_words::{artifact_of, commit_of};
use crate::http::percent::escaped;
pub(crate) use crate::report::search::is_key;
use crate::web::shared::view::View;

/// The filters, by their name in the address, with their labels.
pub(crate) const FILTERS: [(&str, &str); 16] = [
    ("q", "Words"),
    ("state", "State"),
    ("kind", "Kind"),
    ("service", "Service"),
    ("environment", "Environment"),
    ("outcome", "Outcome"),
    ("risk", "Risk"),
    ("owner", "Owner"),
    ("requester", "Requester"),
    ("team", "Team"),
    ("planned_from", "Planned from"),
    ("planned_to", "Planned before"),
    ("created_from", "Written from"),
    ("created_to", "Written before"),
    ("ended_from", "Ended from"),
    ("ended_to", "Ended before"),
];

/// The selectable columns, by their ids of [`ChangeRow`].
pub(crate) const COLUMNS: [(&str, &str); 15] = [
    ("key", "Key"),
    ("state", "State"),
    ("outcome", "Outcome"),
    ("risk", "Risk"),
    ("where", "Where"),
    ("planned", "Planned"),
    ("planned_end", "Planned end"),
    ("waits_for", "Waits for"),
    ("owner", "Owner"),
    ("requester", "Requester"),
    ("team", "Team"),
    ("created", "Written"),
    ("updated", "Last changed"),
    ("age", "Age"),
    (OWN, "Fields of your own"),
];

/// The column of the tenant's own fields; a file has one column for each of them.
pub(crate) const OWN: &str = "own";

/// The query of the address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted(pub Vec<(String, String)>);

impl Wanted {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
    }

    /// The values of a filter that takes several, separated by commas; none where it is absent.
    fn words(&self, name: &str) -> Vec<String> {
        let words = self.get(name).into_iter().flat_map(|text| text.split(','));
        words.map(|word| word.trim().to_owned()).collect()
    }

    /// The ids of the columns to show, the title always among them; the usual ones when none was chosen.
    pub fn columns(&self) -> Vec<String> {
        let chosen = self.0.iter().filter(|(name, _)| name == "columns");
        let chosen: Vec<&str> = chosen.flat_map(|(_, value)| value.split(',')).map(str::trim).collect();
        if chosen.iter().all(|id| id.is_empty()) {
            let usual = [
                "key",
                "title",
                "state",
                "risk",
                "where",
                "planned",
                "waits_for",
                "owner",
                "age",
            ];
            return usual.map(str::to_owned).to_vec();
        }
        let ids = COLUMNS.iter().map(|(id, _)| *id).filter(|id| chosen.contains(id));
        let mut ids: Vec<String> = ids.map(str::to_owned).collect();
        let place = usize::from(ids.first().is_some_and(|id| id == "key"));
        ids.insert(place, "title".to_owned());
        ids
    }

    /// The parts of a view: filters, columns and order, without the page, as pairs in the order of the filters.
    pub fn parts(&self) -> Vec<(String, String)> {
        let filters = FILTERS
            .iter()
            .filter_map(|(name, _)| Some(((*name).to_owned(), self.get(name)?.to_owned())));
        let mut parts: Vec<(String, String)> = filters.collect();
        if self.get("columns").is_some() {
            let ids = self
                .columns()
                .into_iter()
                .filter(|id| id != "title")
                .collect::<Vec<_>>();
            parts.push(("columns".to_owned(), ids.join(",")));
        }
        let order = self
            .get("sort")
            .filter(|word| Order::parse(word) != Some(Order::default()));
        parts.extend(order.map(|word| ("sort".to_owned(), word.to_owned())));
        parts
    }

    /// The parts as an address's query, without a question mark.
    pub fn query(&self) -> String {
        let pairs = self
            .parts()
            .into_iter()
            .map(|(name, value)| format!("{name}={}", escaped(&value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The active filters as text: “State open”.
    pub fn told(&self) -> Vec<(String, String)> {
        let set = FILTERS
            .iter()
            .filter_map(|(name, label)| Some(((*label).to_owned(), self.get(name)?.to_owned())));
        set.collect()
    }

    /// The address with a filter replaced, or removed for an empty value. A new filter begins on the first page.
    pub fn with(&self, name: &str, value: &str) -> String {
        let kept = self
            .0
            .iter()
            .filter(|(known, kept)| known != name && known != "after" && !kept.trim().is_empty());
        let mut pairs: Vec<String> = kept.map(|(known, kept)| format!("{known}={}", escaped(kept))).collect();
        if !value.is_empty() {
            pairs.push(format!("{name}={}", escaped(value)));
        }
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }
}

fn is_artifact(word: &str) -> bool {
    let digits = word.trim().get(7..).unwrap_or_default();
    artifact_of(word).starts_with("sha256:") && digits.len() == 64
}

/// A full commit id: a short one could also be ordinary text or a number.
fn is_commit(word: &str) -> bool {
    let word = word.trim();
    word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The filters of times, each beginning followed by its end, and the filters of enumerated values with the values that they
/// accept.
const TIMES: [&str; 6] = [
    "planned_from",
    "planned_to",
    "created_from",
    "created_to",
    "ended_from",
    "ended_to",
];

pub(crate) const KINDS: [&str; 3] = ["normal", "standard", "emergency"];

pub(crate) const RISKS: [Level; 3] = [Level::Low, Level::Medium, Level::High];

/// Filters of an address that cannot be read, each with the reason: a list without them would not match the request.
fn unread(view: &View<'_, '_, '_>, wanted: &Wanted) -> Vec<FieldError> {
    let times = TIMES.iter().filter_map(|name| {
        let text = wanted.get(name).filter(|text| time_of(view, text).is_none())?;
        Some(FieldError::new(*name, "not_a_time", view.reader.why_unread(text)))
    });
    let words: [(&str, Vec<&str>); 4] = [
        (
            "state",
            Stage::ALL.iter().map(|state| state.as_str()).chain(["open"]).collect(),
        ),
        ("kind", KINDS.to_vec()),
        ("outcome", Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect()),
        (
            "risk",
            RISKS.iter().map(|level| level.as_str()).chain(["none"]).collect(),
        ),
    ];
    let words = words.into_iter().filter_map(|(name, known)| {
        let mut asked = wanted.get(name)?.split(',').map(str::trim);
        let odd = asked.find(|word| !known.contains(word))?;
        let text = format!("“{odd}” is none of these: choose one.");
        Some(FieldError::new(name, "unknown_word", text))
    });
    times.chain(out_of_order(view, wanted)).chain(words).collect()
}

/// A reversed pair of times would match nothing, which reads like a valid result.
fn out_of_order<'w>(view: &'w View<'_, '_, '_>, wanted: &'w Wanted) -> impl Iterator<Item = FieldError> + 'w {
    let time = |name: &str| time_of(view, wanted.get(name)?);
    let spans = TIMES.chunks_exact(2).filter(move |span| {
        let ends = time(span[0]).zip(time(span[1]));
        ends.is_some_and(|(from, to)| to < from)
    });
    let label = |name: &str| {
        let found = FILTERS.iter().find(|(known, _)| *known == name);
        found.map_or(name.to_owned(), |(_, label)| (*label).to_owned())
    };
    spans.map(move |span| {
        let text = format!("“{}” must not lie before “{}”.", label(span[1]), label(span[0]));
        FieldError::new(span[1], "out_of_order", text)
    })
}

/// A time as an address names it: in the reader's zone, or an instant.
fn time_of(view: &View<'_, '_, '_>, text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| view.reader.read_field(text))
}

/// Times in which changes ended, each with its part of an address: whole days of the reader.
pub(crate) fn ended_lately(view: &View<'_, '_, '_>) -> [(&'static str, String); 2] {
    let today = view.reader.local(view.now()).date();
    let back = today.checked_sub(jiff::Span::new().days(30)).unwrap_or(today);
    let month = today.first_of_month();
    let before = month.yesterday().unwrap_or(month).first_of_month();
    let field = |date: jiff::civil::Date| escaped(&format!("{date}T00:00"));
    [
        ("Without success, last 30 days", format!("ended_from={}", field(back))),
        (
            "Without success, last month",
            format!("ended_from={}&ended_to={}", field(before), field(month)),
        ),
    ]
}

/// The filter in an address.
///
/// # Errors
/// The unreadable parts, by the filter's name.
pub(crate) fn filter(view: &View<'_, '_, '_>, wanted: &Wanted) -> Result<ChangeFilter, Vec<FieldError>> {
    let errors = unread(view, wanted);
    if !errors.is_empty() {
        return Err(errors);
    }
    let text = |name: &str| wanted.get(name).map(str::to_owned);
    // An unknown login finds nothing, rather than everything.
    let person = |name: &str| {
        wanted.get(name).map(|login| {
            view.directory
                .by_login(login)
                .map_or_else(|| login.to_owned(), |person| person.id.0.clone())
        })
    };
    let time = |name: &str| wanted.get(name).and_then(|text| time_of(view, text));
    let states = match wanted.get("state") {
        Some("open") => Stage::ALL
            .iter()
            .filter(|state| state.is_open())
            .map(|state| state.as_str().to_owned())
            .collect(),
        _ => wanted.words("state"),
    };
    // An artifact or a commit in the search box is looked up as such; no title contains one.
    let (artifact, commit, q) = match text("q") {
        Some(word) if is_artifact(&word) => (Some(artifact_of(&word)), None, None),
        Some(word) if is_commit(&word) => (None, commit_of(&word).ok(), None),
        q => (None, None, q),
    };
    Ok(ChangeFilter {
        states,
        kind: text("kind"),
        service: text("service"),
        environment: text("environment"),
        artifact,
        commit,
        outcomes: wanted.words("outcome"),
        risk: text("risk"),
        owner: person("owner"),
        team: text("team"),
        requester: person("requester"),
        q,
        planned_from: time("planned_from"),
        planned_to: time("planned_to"),
        created_from: time("created_from"),
        created_to: time("created_to"),
        ended_from: time("ended_from"),
        ended_to: time("ended_to"),
        ..ChangeFilter::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_replaced_or_removed_in_the_address() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted = Wanted(vec![
            pair("q", "a b"),
            pair("state", "open"),
            pair("after", "9"),
            pair("kind", ""),
        ]);
        assert_eq!(wanted.with("state", ""), "?q=a%20b");
        assert_eq!(wanted.with("risk", "high"), "?q=a%20b&state=open&risk=high");
        assert_eq!(Wanted::default().with("q", ""), "");
    }

    #[test]
    fn columns_are_chosen_in_the_address_and_the_title_is_always_there() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted = Wanted(vec![
            pair("columns", "team"),
            pair("columns", "key"),
            pair("columns", "odd"),
        ]);
        assert_eq!(wanted.columns(), ["key", "title", "team"]);
        assert_eq!(wanted.query(), "columns=key%2Cteam");
        assert_eq!(Wanted::default().columns().len(), 9);
    }
}
