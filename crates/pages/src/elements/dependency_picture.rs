//! The neighbours of a service, drawn with arrows from the dependent to its dependency. A table with the same content follows
//! it.

use std::fmt::Write;

use crate::Part;
use crate::elements::text;

/// The height of a row, in pixels.
const ROW: usize = 40;
/// The widths of a box and of the room between two, in percent.
const BOX: usize = 28;
const ROOM: usize = 8;

/// A neighbour: its key and its page.
pub type Neighbour = (String, String);

/// A service between those that need it and those that it needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DependencyPicture {
    /// The service.
    pub name: String,
    /// Those that need it, drawn on the left; at most [`DependencyPicture::MOST_ROWS`] are drawn.
    pub needed_by: Vec<Neighbour>,
    /// Those that it needs, drawn on the right, as many.
    pub needs: Vec<Neighbour>,
}

impl DependencyPicture {
    /// The most neighbours that are drawn on one side; the table has all.
    pub const MOST_ROWS: usize = 12;

    /// Whether it has no neighbour.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.needed_by.is_empty() && self.needs.is_empty()
    }

    fn rows(&self) -> usize {
        let most = self.needed_by.len().max(self.needs.len());
        most.clamp(1, Self::MOST_ROWS)
    }

    /// How many neighbours are not drawn.
    fn rest(&self) -> usize {
        let left_out = |side: &[Neighbour]| side.len().saturating_sub(Self::MOST_ROWS);
        left_out(&self.needed_by) + left_out(&self.needs)
    }
}

impl Part for DependencyPicture {
    fn html(&self) -> String {
        let centre = self.rows() * ROW / 2;
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = write!(
            out,
            "<div class=\"scroll graph\"><svg class=\"chart\" width=\"100%\" height=\"{}\" role=\"group\" aria-label=\"What {name} needs, \
             and what needs it\"><defs><marker id=\"arrow-head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"arrow\" d=\"M0 0 8 4 0 8z\"/></marker></defs>",
            self.rows() * ROW + 8,
            name = text::raw(&self.name),
        );
        for place in 0..self.needed_by.len().min(Self::MOST_ROWS) {
            arrow(&mut out, (BOX, middle(place)), (BOX + ROOM, centre));
        }
        for place in 0..self.needs.len().min(Self::MOST_ROWS) {
            arrow(&mut out, (2 * BOX + ROOM, centre), (2 * (BOX + ROOM), middle(place)));
        }
        for (place, neighbour) in self.needed_by.iter().take(Self::MOST_ROWS).enumerate() {
            drawn(&mut out, neighbour, (0, middle(place)), false);
        }
        drawn(
            &mut out,
            &(self.name.clone(), String::new()),
            (BOX + ROOM, centre),
            true,
        );
        for (place, neighbour) in self.needs.iter().take(Self::MOST_ROWS).enumerate() {
            drawn(&mut out, neighbour, (2 * (BOX + ROOM), middle(place)), false);
        }
        out.push_str("</svg></div>");
        if self.rest() > 0 {
            let _ = write!(
                out,
                "<p class=\"small muted\">{} more are in the table.</p>",
                crate::count(self.rest() as u64)
            );
        }
        out
    }
}

/// The middle of a row.
fn middle(row: usize) -> usize {
    row * ROW + ROW / 2
}

fn arrow(out: &mut String, (x1, y1): (usize, usize), (x2, y2): (usize, usize)) {
    let (y1, y2) = (y1 + 4, y2 + 4);
    let _ = write!(
        out,
        "<line class=\"span\" x1=\"{x1}%\" y1=\"{y1}\" x2=\"{x2}%\" y2=\"{y2}\" marker-end=\"url(#arrow-head)\"/>"
    );
}

fn drawn(out: &mut String, (key, href): &Neighbour, (left, centre): (usize, usize), is_own: bool) {
    let (name, class) = (text::raw(key), if is_own { "box clash" } else { "box" });
    let (top, baseline) = (centre + 4 - 14, centre + 4 + 4);
    let (open, close) = match href.is_empty() {
        true => (
            format!("<g role=\"img\" aria-label=\"{name}\" translate=\"no\">"),
            "</g>",
        ),
        false => (
            format!(
                "<a href=\"{}\" aria-label=\"{name}\" translate=\"no\">",
                text::raw(href)
            ),
            "</a>",
        ),
    };
    let _ = write!(
        out,
        "{open}<rect class=\"{class}\" x=\"{left}%\" y=\"{top}\" width=\"{BOX}%\" height=\"28\" rx=\"3\"/><text class=\"strong\" \
         translate=\"no\" x=\"{left}%\" dx=\"8\" y=\"{baseline}\">{}</text>{close}",
        text::mark(&short(key))
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(count: usize) -> DependencyPicture {
        let neighbour = |place: usize| (format!("s-{place}"), format!("/t/halden/services/s-{place}"));
        DependencyPicture {
            name: "booking-api".to_owned(),
            needed_by: (0..count).map(neighbour).collect(),
            needs: vec![("<ledger>".to_owned(), String::new())],
        }
    }

    #[test]
    fn each_neighbour_has_its_arrow_and_names_are_escaped() {
        let drawn = picture(2).html();
        assert_eq!(drawn.matches("marker-end").count(), 3, "{drawn}");
        assert!(
            drawn.contains("&lt;ledger&gt;") && !drawn.contains("<ledger>"),
            "{drawn}"
        );
        assert!(!drawn.contains("more are in the table"), "{drawn}");
    }

    #[test]
    fn what_is_not_drawn_is_counted() {
        let drawn = picture(DependencyPicture::MOST_ROWS + 5).html();
        assert!(drawn.contains("5 more are in the table."), "{drawn}");
        assert_eq!(drawn.matches("marker-end").count(), DependencyPicture::MOST_ROWS + 1);
        assert!(DependencyPicture::default().is_empty());
    }
}
