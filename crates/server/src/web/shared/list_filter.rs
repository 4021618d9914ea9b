//! Lists of the estate, which may hold many thousands of rows: words narrow them, and the first of those that are left are
//! shown.

use pages::{Chip, Empty, Field, List, count};

/// The most rows that are shown at once.
const MOST: usize = 100;

/// The words that an address asks for.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct Words {
    q: Option<String>,
}

impl Words {
    /// Those words.
    pub fn of(text: &str) -> Self {
        Self {
            q: Some(text.to_owned()),
        }
    }

    fn text(&self) -> &str {
        self.q.as_deref().unwrap_or_default().trim()
    }

    /// Whether each word stands in one of the texts, in whatever case.
    fn fit(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let asked = self.text().to_lowercase();
        asked
            .split_whitespace()
            .all(|word| texts.iter().any(|text| text.contains(word)))
    }

    /// The first rows whose texts they fit, and how many of how many these are.
    pub fn narrow<'r, R>(
        &self,
        rows: impl Iterator<Item = &'r R>,
        texts: impl Fn(&'r R) -> Vec<&'r str>,
    ) -> (Vec<&'r R>, String) {
        let mut left: Vec<&R> = rows.filter(|row| self.fit(&texts(row))).collect();
        let all = left.len();
        left.truncate(MOST);
        let told = match all > MOST {
            true => format!("{MOST} of {}, words find the others", count(all as u64)),
            false => format!("{all} in all"),
        };
        (left, told)
    }

    /// Puts the field for words, and the chip of those that are on, above a list.
    pub fn put<R>(&self, list: &mut List<R>, url: String) {
        list.filters = vec![Field::text("q", "Words").value(self.text())];
        if !self.text().is_empty() {
            let none = Empty::new(
                "Nothing fits these words",
                "Take a word away, or look for a part of one.",
            );
            list.unfound = Some(none);
            list.chips.push(Chip {
                label: "Words".to_owned(),
                value: self.text().to_owned(),
                remove_url: url.clone(),
                is_said: true,
            });
        }
        list.filter_url = url;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_find_rows_in_any_order_and_case_and_the_rest_is_counted() {
        let rows: Vec<String> = (0..250).map(|number| format!("Person {number} of Oslo")).collect();
        let found = |text: &str| Words::of(text).narrow(rows.iter(), |row| vec![row.as_str()]);
        assert_eq!(found("oslo 17").0.len(), 13, "17, 117, 217 and 170 to 179");
        assert_eq!(found("oslo 17").1, "13 in all");
        let (first, told) = found("");
        assert_eq!((first.len(), first[0].as_str()), (100, "Person 0 of Oslo"));
        assert_eq!(told, "100 of 250, words find the others");
        assert!(found("Bergen").0.is_empty());
    }
}
