//! A forecast drawn as squares, one for each change: those that failed, and those that may fail. Readers count the squares
//! instead of reading a percentage.

use askama::Template;

use crate::elements::filters;
use crate::{Part, render};

/// The most squares; more changes are drawn as their share of a hundred.
const MOST: u64 = 100;
/// The squares of a row.
const SIDE: u64 = 10;
/// From one square to the next, in pixels.
const PITCH: u64 = 17;

/// A number of changes, how many of them failed, and the 95 % interval of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IconArray {
    /// All changes.
    pub of: u64,
    /// Those that failed.
    pub hits: u64,
    /// The lower end of the interval.
    pub low: u64,
    /// The upper end.
    pub high: u64,
}

/// A square in its place.
struct Square {
    x: u64,
    y: u64,
    class: &'static str,
}

#[derive(Template)]
#[template(path = "parts/icon_array.html")]
pub(crate) struct Drawn {
    pub(crate) array: IconArray,
}

impl Part for Drawn {
    fn html(&self) -> String {
        render(self)
    }
}

impl Drawn {
    fn count(&self) -> u64 {
        self.array.of.min(MOST)
    }

    /// The squares for a count. A count above zero has at least one square, so that rounding hides no failure.
    fn drawn(&self, count: u64) -> u64 {
        if self.array.of <= MOST {
            return count.min(self.array.of);
        }
        let rounded = count.saturating_mul(MOST).saturating_add(self.array.of / 2) / self.array.of;
        rounded.max(u64::from(count > 0)).min(MOST)
    }

    fn squares(&self) -> Vec<Square> {
        let (hits, most) = (self.drawn(self.array.hits), self.drawn(self.array.high));
        let square = |number: u64| Square {
            x: number % SIDE * PITCH + 1,
            y: number / SIDE * PITCH + 1,
            class: match number {
                _ if number < hits => "unit hit",
                _ if number < most => "unit maybe",
                _ => "unit",
            },
        };
        (0..self.count()).map(square).collect()
    }

    fn height(&self) -> u64 {
        self.count().div_ceil(SIDE) * PITCH
    }

    /// The text alternative for screen readers.
    fn told(&self) -> String {
        let IconArray { of, hits, low, high } = self.array;
        format!("{hits} of {of} changes failed; the 95 % interval is {low} to {high} of {of}")
    }
}

/// A few changes, and more changes than squares.
pub(crate) fn samples() -> [IconArray; 2] {
    [
        IconArray {
            of: 24,
            hits: 3,
            low: 1,
            high: 7,
        },
        IconArray {
            of: 1_204,
            hits: 31,
            low: 22,
            high: 44,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(array: IconArray) -> [usize; 3] {
        let squares = Drawn { array }.squares();
        ["unit hit", "unit maybe", "unit"].map(|class| squares.iter().filter(|it| it.class == class).count())
    }

    #[test]
    fn each_change_is_a_square_up_to_a_hundred() {
        let [few, many] = samples();
        assert_eq!(counts(few), [3, 4, 17]);
        assert_eq!(counts(many), [3, 1, 96], "31 of 1,204 are 3 of 100, 44 are 4");
        let one = IconArray {
            of: 10_000,
            hits: 1,
            ..IconArray::default()
        };
        assert_eq!(counts(one), [1, 0, 99], "one failure is visible");
        assert_eq!(counts(IconArray::default()), [0, 0, 0]);
    }
}
