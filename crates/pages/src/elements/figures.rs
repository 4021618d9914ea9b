//! Figures with their course, and the reach of a change, drawn as SVG that is read aloud as well as seen. A table with the same
//! values follows each.

use askama::Template;

use crate::elements::filters;
use crate::{Part, render};

/// A figure with its earlier value and its course.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figure {
    /// The label: “Changes written”.
    pub label: String,
    /// The rows that it is computed from; empty where the page shows them otherwise.
    pub href: String,
    /// The value: “42”.
    pub value: String,
    /// The earlier value, as text: “38 in the 30 days before”.
    pub before: String,
    /// Its course, the oldest first.
    pub points: Vec<u32>,
    /// The unit of one point: “week”.
    pub unit: String,
}

impl Figure {
    /// The description of the drawing, for readers that cannot see it.
    fn told(&self) -> String {
        let points: Vec<String> = self.points.iter().map(u32::to_string).collect();
        format!(
            "{} by {}, the oldest first: {}",
            self.label,
            self.unit,
            points.join(", ")
        )
    }

    /// Where the line ends: the newest point.
    fn last(&self) -> String {
        let line = self.line();
        line.rsplit(' ').next().unwrap_or_default().to_owned()
    }

    /// The corners of the line in a field of 120 by 32.
    fn line(&self) -> String {
        let most = self.points.iter().copied().max().unwrap_or(0).max(1);
        let steps = u32::try_from(self.points.len().saturating_sub(1)).unwrap_or(1).max(1);
        let corner = |(place, point): (usize, &u32)| {
            let across = u32::try_from(place).unwrap_or(0) * 116 / steps + 2;
            let up = 30 - u64::from(*point) * 28 / u64::from(most);
            format!("{across},{up}")
        };
        self.points.iter().enumerate().map(corner).collect::<Vec<_>>().join(" ")
    }
}

/// Several figures side by side.
#[derive(Template)]
#[template(path = "parts/figures.html")]
pub(crate) struct Figures<'a> {
    pub(crate) figures: &'a [Figure],
}

impl Part for Figures<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// A thing in a graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GraphNode {
    /// Its key.
    pub key: String,
    /// Its page; empty when it has none.
    pub href: String,
    /// The place of the one before it, in the column to the left.
    pub from: Option<usize>,
    /// Whether it is the changed thing.
    pub is_origin: bool,
}

/// A graph from left to right: the changed thing, then the things that each step further reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    /// The description: “What CHG-1042 reaches: 12 things, at most 3 steps away”.
    pub told: String,
    /// The columns, at most [`Graph::MOST_COLUMNS`].
    pub columns: Vec<Vec<GraphNode>>,
    /// The part that is not drawn, as text; empty when all is.
    pub rest: String,
}

/// The height of a row in a graph, in pixels.
const ROW: usize = 40;

impl Graph {
    /// The most columns that are drawn.
    pub const MOST_COLUMNS: usize = 4;
    /// The most things that are drawn in one column.
    pub const MOST_ROWS: usize = 12;

    fn height(&self) -> usize {
        self.columns.iter().map(Vec::len).max().unwrap_or(1).max(1) * ROW + 8
    }

    fn left(column: &usize) -> usize {
        column * 26
    }

    /// Where the things of the column to the left end.
    fn before(column: &usize) -> usize {
        column.saturating_sub(1) * 26 + 20
    }

    /// Where the ways from one thing part: those of neighbours run beside each other.
    fn trunk(column: &usize, from: &usize) -> usize {
        Self::before(column) + 1 + from % 5
    }

    fn top(row: &usize) -> usize {
        row * ROW + 8
    }

    fn middle(row: &usize) -> usize {
        row * ROW + 22
    }

    fn baseline(row: &usize) -> usize {
        row * ROW + 26
    }

    /// The key as far as it fits; the whole of it is the link's name.
    fn short(key: &str) -> String {
        const FITS: usize = 20;
        if key.chars().count() <= FITS {
            return key.to_owned();
        }
        let cut: String = key.chars().take(FITS - 1).collect();
        format!("{cut}…")
    }
}

/// A graph in its place.
#[derive(Template)]
#[template(path = "parts/graph.html")]
pub(crate) struct Drawn<'a> {
    pub(crate) graph: &'a Graph,
}

impl Part for Drawn<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// Believable figures.
pub(crate) fn sample_figures() -> Vec<Figure> {
    let figure = |label: &str, value: &str, points: &[u32]| Figure {
        label: label.to_owned(),
        href: String::new(),
        value: value.to_owned(),
        before: "38 in the 30 days before".to_owned(),
        points: points.to_vec(),
        unit: "week".to_owned(),
    };
    vec![
        figure("Changes written", "42", &[3, 5, 9, 7, 12, 11, 14, 9, 10, 12, 9, 11]),
        figure("Emergencies", "0", &[0, 0, 0]),
        figure(crate::elements::sample::MARKUP, crate::elements::sample::BIDI, &[]),
    ]
}

/// A believable graph with odd names.
pub(crate) fn sample_graph() -> Graph {
    let node = |key: &str, from: Option<usize>| GraphNode {
        key: key.to_owned(),
        href: "/t/halden/services/booking-api".to_owned(),
        from,
        is_origin: from.is_none(),
    };
    Graph {
        told: "What CHG-1042 reaches: 5 things, at most 2 steps away".to_owned(),
        columns: vec![
            vec![node("ledger-db", None)],
            vec![node("booking-api", Some(0)), node("invoicing", Some(0))],
            vec![
                node(crate::elements::sample::MARKUP, Some(0)),
                node(&crate::elements::sample::LONG_WORD.repeat(3), Some(1)),
            ],
        ],
        rest: "9,960 more are in the table.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_inside_of_its_field_whatever_the_points() {
        let line = |points: &[u32]| {
            Figure {
                points: points.to_vec(),
                ..Figure::default()
            }
            .line()
        };
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[0]), "2,30");
        assert_eq!(line(&[0, 5, 10]), "2,30 60,16 118,2");
        assert_eq!(line(&[u32::MAX, 0]), "2,2 118,30");
    }
}
