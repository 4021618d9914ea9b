//! The number of changes in a list and in each of its views, phrased to be true also where counting stopped early.

use acts::report::find_changes::{ChangeFilter, Count, Order, Spot, count_changes};
use axum::http::Uri;
use pages::count;

use crate::http::route::query_of;
use crate::web::change::change_query::{Wanted, filter};
use crate::web::shared::view::View;

/// The most changes that are counted of the list that is shown.
const OF_LIST: i64 = 10_000;
/// The highest count of a view beside the list.
const OF_VIEW: i64 = 1_000;
/// The most that are looked at for all views together; views behind that have no count.
const OF_VIEWS: i64 = 10_000;

/// A number that may be no end: `214`, or `1,000+`.
fn figure(number: i64, is_whole: bool) -> String {
    let sign = if is_whole { "" } else { "+" };
    format!("{}{sign}", count(u64::try_from(number).unwrap_or_default()))
}

/// A list page's statement about the whole list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// `214 changes`.
    pub all: String,
    /// `51 to 100 of 214`.
    pub page: String,
    /// The figure alone, for the view that is shown.
    pub figure: String,
}

/// Counts a list of which a page is shown: `shown` rows behind a place, and perhaps more behind those.
pub(crate) fn whole(
    view: &mut View<'_, '_, '_>,
    filter: &ChangeFilter,
    (order, after): (Order, Option<&Spot>),
    (shown, is_more): (usize, bool),
) -> acts::Result<Whole> {
    let upto = after.map(|spot| (order, spot));
    let counted = count_changes(view.cx, filter, OF_LIST, upto)?;
    Ok(whole_count(
        counted,
        after.is_none(),
        i64::try_from(shown).unwrap_or_default(),
        is_more,
    ))
}

fn whole_count(counted: Count, is_first: bool, shown: i64, is_more: bool) -> Whole {
    // The rows on the page are known, even if the count is incomplete.
    let on_page = if is_first { shown } else { counted.passed + shown };
    let least = counted.found.max(on_page + i64::from(is_more));
    let is_whole = counted.is_whole || (is_first && !is_more);
    let number = if is_whole && !counted.is_whole { shown } else { least };
    let (figure, figure_of) = (figure(number, is_whole), figure(number, true));
    let all = match (number, is_whole) {
        (1, true) => "1 change".to_owned(),
        (_, true) => format!("{figure} changes"),
        (_, false) => format!("at least {figure_of} changes"),
    };
    let whole = if is_whole {
        figure_of
    } else {
        format!("at least {figure_of}")
    };
    let page = match (is_first, counted.is_whole) {
        _ if shown == 0 => format!("0 of {whole}"),
        (true, _) => format!("1 to {} of {whole}", self::figure(shown, true)),
        (false, true) => {
            let (from, to) = (counted.passed + 1, counted.passed + shown);
            format!("{} to {} of {whole}", self::figure(from, true), self::figure(to, true))
        }
        (false, false) => format!("{} of {whole}", self::figure(shown, true)),
    };
    Whole { all, page, figure }
}

/// The figures of several views, given by the queries that they were saved with; empty where there is no figure.
pub(crate) fn of_views(view: &mut View<'_, '_, '_>, queries: &[String]) -> acts::Result<Vec<String>> {
    let mut left = OF_VIEWS;
    let mut figures = Vec::with_capacity(queries.len());
    for query in queries {
        let wanted = if left > 0 { read(query) } else { None };
        let Some(wanted) = wanted else {
            figures.push(String::new());
            continue;
        };
        let Ok(filter) = filter(view, &wanted) else {
            figures.push(String::new());
            continue;
        };
        let counted = count_changes(view.cx, &filter, OF_VIEW.min(left), None)?;
        left -= counted.looked;
        let is_said = counted.is_whole || counted.found > 0;
        figures.push(match is_said {
            true => figure(counted.found, counted.is_whole),
            false => String::new(),
        });
    }
    Ok(figures)
}

/// A saved query in the list's format; `None` for a query that is no valid part of an address.
fn read(query: &str) -> Option<Wanted> {
    let uri: Uri = format!("/?{query}").parse().ok()?;
    query_of(&uri).ok().map(Wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(found: i64, passed: i64, is_whole: bool) -> Count {
        Count {
            found,
            passed,
            is_whole,
            looked: found,
        }
    }

    fn words(whole: &Whole) -> [&str; 3] {
        [&whole.all, &whole.page, &whole.figure]
    }

    #[test]
    fn a_whole_is_told_as_one_and_what_is_not_as_at_least() {
        let told = |found, passed, is_whole, is_first, shown, is_more| {
            super::whole_count(counted(found, passed, is_whole), is_first, shown, is_more)
        };
        let one = told(1, 0, true, true, 1, false);
        assert_eq!(words(&one), ["1 change", "1 to 1 of 1", "1"]);
        let first = told(3_204, 0, true, true, 50, true);
        assert_eq!(words(&first), ["3,204 changes", "1 to 50 of 3,204", "3,204"]);
        let last = told(214, 200, true, false, 14, false);
        assert_eq!(words(&last), ["214 changes", "201 to 214 of 214", "214"]);
        let many = told(10_000, 0, false, true, 50, true);
        assert_eq!(
            words(&many),
            ["at least 10,000 changes", "1 to 50 of at least 10,000", "10,000+"]
        );
        let later = told(10_000, 700, false, false, 50, true);
        assert_eq!(
            words(&later),
            ["at least 10,000 changes", "50 of at least 10,000", "10,000+"]
        );
    }

    #[test]
    fn what_the_page_shows_is_never_more_than_the_count_says() {
        let found = super::whole_count(counted(3, 0, false), true, 50, true);
        assert_eq!(words(&found), ["at least 51 changes", "1 to 50 of at least 51", "51+"]);
        let all = super::whole_count(counted(3, 0, false), true, 9, false);
        assert_eq!(words(&all), ["9 changes", "1 to 9 of 9", "9"]);
        let none = super::whole_count(counted(0, 0, true), true, 0, false);
        assert_eq!(words(&none), ["0 changes", "0 of 0", "0"]);
    }

    #[test]
    fn a_saved_query_is_read_as_an_address_is() {
        let query = "q=a%20b&state=open&sort=-risk";
        assert_eq!(read(query).map(|wanted| wanted.query()), Some(query.to_owned()));
        assert!(read("q=a b\u{7}").is_none(), "no address holds it");
    }
}
