//! Lists of the directory, which may hold many thousands of rows: search terms, a service and a state narrow them. The page
//! shows a part of the remaining rows, with a link to the next part.

use std::collections::BTreeSet;

use model::core::ids::ServiceKey;
use pages::{ActForm, ActTone, Chip, Empty, Field, List, Paging, count};

use crate::http::percent::escaped;

/// The most rows that are shown at once.
const MOST: usize = 100;

/// The filters of a list in an address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct ListQuery {
    q: Option<String>,
    service: Option<String>,
    state: Option<String>,
    /// How many rows the previous pages hold.
    after: Option<String>,
}

/// The part of a list that a page shows.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The range of the shown rows and their total.
    pub count: String,
    /// Behind how many rows the next page begins.
    next: Option<usize>,
}

impl ListQuery {
    /// Those words.
    pub fn of(text: &str) -> Self {
        Self {
            q: Some(text.to_owned()),
            ..Self::default()
        }
    }

    /// The search terms; empty for none.
    pub fn text(&self) -> &str {
        trimmed(&self.q)
    }

    /// The selected service; empty for any.
    pub fn service(&self) -> &str {
        trimmed(&self.service)
    }

    /// The selected state; empty for any.
    pub fn state(&self) -> &str {
        trimmed(&self.state)
    }

    /// Whether each search term occurs in one of the texts, ignoring case.
    pub fn fit(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let asked = self.text().to_lowercase();
        asked
            .split_whitespace()
            .all(|word| texts.iter().any(|text| text.contains(word)))
    }

    /// Whether these services include the selected one; an empty set means all.
    pub fn is_of(&self, services: &BTreeSet<ServiceKey>) -> bool {
        let asked = self.service();
        asked.is_empty() || services.is_empty() || services.iter().any(|key| key.as_str() == asked)
    }

    /// Whether a state is the selected one.
    pub fn is_in(&self, state: &str) -> bool {
        self.state().is_empty() || self.state() == state
    }

    /// The rows whose texts match, limited to this page, and their range.
    pub fn narrow<'r, R>(
        &self,
        rows: impl Iterator<Item = &'r R>,
        texts: impl Fn(&'r R) -> Vec<&'r str>,
    ) -> (Vec<&'r R>, Shown) {
        self.cut(rows.filter(|row| self.fit(&texts(row))).collect())
    }

    /// The rows of this page, and which of how many these are.
    pub fn cut<R>(&self, rows: Vec<R>) -> (Vec<R>, Shown) {
        let all = rows.len();
        // Beyond the end, the list begins anew.
        let from = trimmed(&self.after).parse::<usize>().unwrap_or_default();
        let from = if from < all { from } else { 0 };
        let end = all.min(from + MOST);
        let shown = Shown {
            count: match (from, end == all) {
                (0, true) => format!("{all} in all"),
                _ => {
                    let [from, end, all] = [from + 1, end, all].map(|number| count(number as u64));
                    format!("{from} to {end} of {all}")
                }
            },
            next: (end < all).then_some(end),
        };
        (rows.into_iter().skip(from).take(MOST).collect(), shown)
    }

    /// The address of the list, with one filter less, or behind so many rows.
    fn address(&self, url: &str, without: &str, after: Option<usize>) -> String {
        let set = [("q", self.text()), ("service", self.service()), ("state", self.state())];
        let set = set
            .into_iter()
            .filter(|(name, value)| *name != without && !value.is_empty());
        let mut pairs: Vec<String> = set.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        pairs.extend(after.map(|after| format!("after={after}")));
        match pairs.is_empty() {
            true => url.to_owned(),
            false => format!("{url}?{}", pairs.join("&")),
        }
    }

    /// The links to the first and the next page.
    pub fn paging(&self, url: &str, shown: &Shown) -> Paging {
        let is_first = trimmed(&self.after).is_empty();
        Paging {
            newer: (!is_first).then(|| self.address(url, "", None)),
            older: shown.next.map(|next| self.address(url, "", Some(next))),
            count: shown.count.clone(),
            is_sorted: true,
        }
    }

    /// The same as acts, for a page that is no table.
    pub fn page_acts(&self, url: &str, shown: &Shown) -> Vec<ActForm> {
        let paging = self.paging(url, shown);
        let first = paging.newer.map(|href| ActForm::link("First page", href));
        let next = paging.older.map(|href| ActForm::link("Next page", href));
        first
            .into_iter()
            .chain(next)
            .map(|act| act.tone(ActTone::Quiet))
            .collect()
    }

    /// Whether any filter is on.
    pub fn narrows(&self) -> bool {
        [self.text(), self.service(), self.state()]
            .iter()
            .any(|text| !text.is_empty())
    }

    /// The search field and these other filters as a form, for a page without a table; the form is open where one of them is
    /// active.
    pub fn question(&self, url: String, others: Vec<Field>) -> ActForm {
        let mut form = ActForm::new("narrow", "Filter", url).question().submit("Show");
        form.is_open = self.narrows();
        let form = form.field(Field::text("q", "Words").value(self.text()));
        others.into_iter().fold(form, ActForm::field)
    }

    /// Puts the search field and these other filters, the chips of active filters, and the link to the next page around a list.
    /// Where `states` are given, they are the labels of a state's chip.
    pub fn put<R>(
        &self,
        list: &mut List<R>,
        url: String,
        shown: &Shown,
        (others, states): (Vec<Field>, &[(&str, &str)]),
    ) {
        list.count.clone_from(&shown.count);
        list.paging = self.paging(&url, shown);
        list.filters = vec![Field::text("q", "Words").value(self.text())];
        list.filters.extend(others);
        let state = states.iter().find(|(word, _)| *word == self.state());
        let state = state.map_or(self.state(), |(_, label)| label);
        let on = [
            ("q", "Words", self.text()),
            ("service", "Service", self.service()),
            ("state", "State", state),
        ];
        for (name, label, value) in on.into_iter().filter(|(_, _, value)| !value.is_empty()) {
            list.chips.push(Chip {
                label: label.to_owned(),
                value: value.to_owned(),
                remove_url: self.address(&url, name, None),
                is_said: name != "state",
            });
        }
        if !list.chips.is_empty() {
            let none = Empty::new(
                "No entries match the filter",
                "Remove a word, or search for a part of one.",
            );
            list.unfound = Some(none);
        }
        list.filter_url = url;
    }
}

fn trimmed(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn words_find_rows_in_any_order_and_case_and_the_rest_is_counted() {
        let rows: Vec<String> = (0..250).map(|number| format!("Person {number} of Oslo")).collect();
        let found = |text: &str| ListQuery::of(text).narrow(rows.iter(), |row| vec![row.as_str()]);
        assert_eq!(found("oslo 17").0.len(), 13, "17, 117, 217 and 170 to 179");
        assert_eq!(found("oslo 17").1.count, "13 in all");
        let (first, told) = found("");
        assert_eq!((first.len(), first[0].as_str()), (100, "Person 0 of Oslo"));
        assert_eq!(told.count, "1 to 100 of 250");
        assert!(found("Bergen").0.is_empty());
    }

    #[test]
    fn each_row_stands_on_one_page_and_filters_stay_on_the_next() {
        let rows: Vec<usize> = (0..250).collect();
        let mut words = ListQuery {
            state: Some("open".to_owned()),
            service: Some("a&b".to_owned()),
            ..ListQuery::default()
        };
        let (mut seen, mut pages) = (Vec::new(), Vec::new());
        loop {
            let (page, shown) = words.cut(rows.clone());
            seen.extend(page);
            let paging = words.paging("/t/halden/incidents", &shown);
            assert_eq!(paging.newer.is_some(), !pages.is_empty());
            pages.push(shown.count);
            let Some(next) = paging.older else { break };
            let (address, after) = next.rsplit_once("&after=").unwrap();
            assert_eq!(address, "/t/halden/incidents?service=a%26b&state=open");
            words.after = Some(after.to_owned());
        }
        assert_eq!(seen, rows);
        assert_eq!(pages, ["1 to 100 of 250", "101 to 200 of 250", "201 to 250 of 250"]);
        words.after = Some("900".to_owned());
        assert_eq!(words.cut(rows).0.first(), Some(&0), "the list grew shorter meanwhile");
    }

    #[test]
    fn what_names_no_service_concerns_each_one() {
        let asked = ListQuery {
            service: Some("pay".to_owned()),
            ..ListQuery::default()
        };
        let of = |keys: &[&str]| keys.iter().map(|key| ServiceKey::from(*key)).collect::<BTreeSet<_>>();
        assert!(asked.is_of(&of(&[])) && asked.is_of(&of(&["post", "pay"])));
        assert!(!asked.is_of(&of(&["post"])) && ListQuery::default().is_of(&of(&["post"])));
        assert!(ListQuery::default().is_in("over"));
        let form = asked.question("/problems".to_owned(), vec![Field::text("service", "Service")]);
        assert!(form.is_open && form.is_question && form.fields.len() == 2);
        assert!(
            !ListQuery::default()
                .question("/problems".to_owned(), Vec::new())
                .is_open
        );
    }
}
