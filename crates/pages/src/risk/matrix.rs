//! A risk matrix, drawn: each cell is a link to the sentences with its meaning and the inputs that lead there. A table with the
//! same content follows it.

use std::fmt::Write;

use crate::elements::text;
use crate::{Part, Rich};

/// The height of a row, in pixels.
const ROW: usize = 44;
/// The width of the names on the left and of a cell, in percent.
const NAMES: usize = 16;
const CELL: usize = 28;
/// The room above the cells, for the names of the columns, in pixels.
const HEAD: usize = 20;
/// The same on a card, which has no names.
const CARD_ROW: usize = 32;
const CARD_CELL: usize = 33;

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MatrixSquare {
    /// The level of its impact: `high`.
    pub impact: String,
    /// The level of its complexity.
    pub complexity: String,
    /// The risk: `low`, `medium` or `high`.
    pub level: String,
    /// Whether the change is in it.
    pub is_here: bool,
    /// Whether one different input leads there.
    pub has_way: bool,
    /// Its meaning, in sentences with links.
    pub told: Rich,
}

impl MatrixSquare {
    /// The id of its sentences, for links within the page.
    fn id(&self) -> String {
        format!("cell-{}-{}", self.impact, self.complexity)
    }

    /// Its name, in one line.
    fn name(&self) -> String {
        let Self {
            impact,
            complexity,
            level,
            ..
        } = self;
        let here = if self.is_here { "; this change is here" } else { "" };
        format!("Impact {impact}, complexity {complexity}: risk {level}{here}")
    }
}

/// A risk matrix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MatrixPicture {
    /// Rows of three cells, low to high complexity; the lowest impact first. It is drawn at the bottom.
    pub rows: Vec<[MatrixSquare; 3]>,
    /// On a card the address of the page that has the sentences of each cell; empty where they are below.
    pub whole: String,
}

impl Part for MatrixPicture {
    fn html(&self) -> String {
        if !self.whole.is_empty() {
            return self.on_a_card();
        }
        let mut out = opened(HEAD + self.rows.len() * ROW + 2);
        for (column, words) in ["Low complexity", "Medium", "High"].into_iter().enumerate() {
            let left = NAMES + column * CELL;
            // Writing into a String cannot fail.
            let _ = write!(out, "<text x=\"{left}%\" dx=\"2\" y=\"12\">{words}</text>");
        }
        for (place, row) in self.rows.iter().rev().enumerate() {
            let top = HEAD + place * ROW;
            let impact = row.first().map_or("", |first| first.impact.as_str());
            let _ = write!(
                out,
                "<text class=\"strong\" x=\"0\" y=\"{}\">{}</text>",
                top + ROW / 2 + 4,
                text::mark(&capital(impact))
            );
            for (column, square) in row.iter().enumerate() {
                let left = NAMES + column * CELL;
                let _ = write!(
                    out,
                    "<a href=\"#{}\">{}{}</a>",
                    text::raw(&square.id()),
                    square.drawn((left, top), (CELL - 1, ROW - 4)),
                    square.word((left, top + ROW / 2 + 2))
                );
            }
        }
        let is_of_change = self.rows.iter().flatten().any(|square| square.is_here);
        out.push_str(match is_of_change {
            true => {
                "</svg><p class=\"sub\">Each cell links to its meaning. Framed: this change. Dashed: reached by another statement.</p>"
            }
            false => "</svg><p class=\"sub\">Each cell links to its meaning.</p>",
        });
        for square in self.rows.iter().flatten() {
            let here = if square.is_here { " here" } else { "" };
            let _ = write!(
                out,
                "<p class=\"cell-told{here}\" id=\"{}\" tabindex=\"-1\">{}</p>",
                text::raw(&square.id()),
                square.told.html()
            );
        }
        out
    }
}

impl MatrixPicture {
    /// The cells alone, because a card is read in half a minute: the text of its own cell is above. That link leads to the same
    /// page, so that the keyboard does not walk through every cell.
    fn on_a_card(&self) -> String {
        let mut out = opened(self.rows.len() * CARD_ROW + 2);
        for (place, row) in self.rows.iter().rev().enumerate() {
            for (column, square) in row.iter().enumerate() {
                let (left, top) = (column * CARD_CELL, place * CARD_ROW + 1);
                let word = match square.is_here {
                    true => square.word((left, top + CARD_ROW / 2 + 2)),
                    false => String::new(),
                };
                let _ = write!(
                    out,
                    "<a href=\"{}#{}\" tabindex=\"-1\">{}{word}</a>",
                    text::raw(&self.whole),
                    text::raw(&square.id()),
                    square.drawn((left, top), (CARD_CELL - 1, CARD_ROW - 4)),
                );
            }
        }
        out.push_str("</svg>");
        out
    }
}

fn opened(height: usize) -> String {
    format!(
        "<svg class=\"chart\" width=\"100%\" height=\"{height}\" role=\"group\" aria-label=\"Risk by the highest impact (rows) and \
         complexity (columns); each cell leads to what it means\">"
    )
}

impl MatrixSquare {
    fn drawn(&self, (left, top): (usize, usize), (width, height): (usize, usize)) -> String {
        let class = match self.level.as_str() {
            "high" => "cell high",
            "medium" => "cell medium",
            _ => "cell low",
        };
        let standing = match (self.is_here, self.has_way) {
            (true, _) => " here",
            (false, true) => " way",
            (false, false) => "",
        };
        format!(
            "<title>{}</title><rect class=\"{class}{standing}\" x=\"{left}%\" y=\"{top}\" width=\"{width}%\" height=\"{height}\" \
             rx=\"3\"/>",
            text::raw(&self.name())
        )
    }

    fn word(&self, (left, bottom): (usize, usize)) -> String {
        format!(
            "<text class=\"strong\" x=\"{left}%\" dx=\"8\" y=\"{bottom}\">{}</text>",
            text::mark(&capital(&self.level))
        )
    }
}

/// A text with a capital letter.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A believable matrix.
pub(crate) fn sample() -> MatrixPicture {
    let levels = [
        ("none", ["low", "low", "medium"]),
        ("low", ["low", "low", "medium"]),
        ("medium", ["low", "medium", "high"]),
        ("high", ["medium", "high", "high"]),
    ];
    let row = |(impact, row): (&str, [&str; 3])| {
        let mut place = 0;
        row.map(|level| {
            let complexity = ["low", "medium", "high"][place];
            place += 1;
            MatrixSquare {
                impact: impact.to_owned(),
                complexity: complexity.to_owned(),
                level: level.to_owned(),
                is_here: (impact, complexity) == ("medium", "medium"),
                has_way: (impact, complexity) == ("medium", "low"),
                told: Rich::from(format!(
                    "Impact {impact}, complexity {complexity}: the risk is {level}."
                )),
            }
        })
    };
    MatrixPicture {
        rows: levels.map(row).to_vec(),
        whole: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cell_is_a_link_with_a_title_to_sentences_that_are_there() {
        let drawn = sample().html();
        assert_eq!(drawn.matches("<a href=\"#cell-").count(), 12, "{drawn}");
        assert_eq!(drawn.matches("<title>").count(), 12, "{drawn}");
        for impact in ["none", "low", "medium", "high"] {
            for complexity in ["low", "medium", "high"] {
                let id = format!("cell-{impact}-{complexity}");
                assert_eq!(drawn.matches(&format!("href=\"#{id}\"")).count(), 1, "{id}");
                assert_eq!(drawn.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
            }
        }
        assert_eq!(drawn.matches("this change is here").count(), 1, "{drawn}");
    }

    #[test]
    fn a_matrix_without_a_change_says_nothing_of_one() {
        let mut picture = sample();
        for square in picture.rows.iter_mut().flatten() {
            square.is_here = false;
        }
        let drawn = picture.html();
        assert!(drawn.contains("Each cell links to its meaning.</p>"), "{drawn}");
        assert!(!drawn.contains("this change"), "{drawn}");
    }

    #[test]
    fn on_a_card_each_cell_leads_to_the_page_with_its_sentences() {
        let picture = MatrixPicture {
            whole: "/t/halden/changes/CHG-1?tab=risk".to_owned(),
            ..sample()
        };
        let drawn = picture.html();
        let leads = "href=\"/t/halden/changes/CHG-1?tab=risk#cell-";
        assert_eq!(drawn.matches(leads).count(), 12, "{drawn}");
        assert!(!drawn.contains(" id=\""), "several cards stand on one page: {drawn}");
        assert_eq!(drawn.matches("this change is here").count(), 1, "{drawn}");
        assert_eq!(
            drawn.matches("<text").count(),
            1,
            "the word of its own cell alone: {drawn}"
        );
    }

    #[test]
    fn the_highest_impact_is_drawn_on_top_and_words_are_escaped() {
        let mut picture = sample();
        picture.rows[0][0].told = Rich::from("<b>");
        let drawn = picture.html();
        let place = |id: &str| drawn.find(&format!("href=\"#{id}\""));
        assert!(place("cell-high-low").is_some() && place("cell-high-low") < place("cell-none-low"));
        assert!(!drawn.contains("<b>"), "{drawn}");
    }
}
