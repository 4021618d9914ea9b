//! Pages of lists: how many items are wanted, behind which, and where the following page begins.

use model::core::refusal::Refusal;
use serde_json::{Value, json};

use super::{Ask, Reply};
use crate::http::percent::escaped;

/// The most items in one response.
const MOST_ITEMS: i64 = 200;
/// How many items there are without `limit`.
const USUAL_ITEMS: i64 = 50;

impl Ask {
    /// How many items are wanted.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn limit(&self) -> acts::Result<i64> {
        let Some(text) = self.query("limit") else {
            return Ok(USUAL_ITEMS);
        };
        let found = text
            .parse::<i64>()
            .ok()
            .filter(|limit| (1..=MOST_ITEMS).contains(limit));
        let wrong = || {
            Refusal::field(
                "limit",
                "out_of_range",
                format!("`limit` lies between 1 and {MOST_ITEMS}."),
            )
        };
        Ok(found.ok_or_else(wrong)?)
    }

    /// A page of a list; `next` is the key behind which the following page begins.
    pub(crate) fn page(&self, items: Vec<Value>, next: Option<String>) -> Reply {
        let mut reply = Reply::ok(json!({"items": items, "next": next}));
        if let Some(next) = next {
            reply
                .headers
                .push(("link", format!("<{}>; rel=\"next\"", self.path_after(&next))));
        }
        reply
    }

    /// A list that is complete unless the request asks for pages: a silent cut would read like the whole list.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn whole(&self, items: Vec<Value>) -> acts::Result<Reply> {
        if self.query("limit").is_none() && self.query("after").is_none() {
            return Ok(self.page(items, None));
        }
        self.placed(items)
    }

    /// A page of items without keys of their own: the next page begins behind so many items.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn placed(&self, items: Vec<Value>) -> acts::Result<Reply> {
        let (from, end) = self.span_of_page()?;
        let next = (end < items.len()).then(|| end.to_string());
        let page = items.into_iter().skip(from).take(end - from).collect();
        Ok(self.page(page, next))
    }

    /// How many rows hold the page that [`Ask::placed`] cuts out, and whether another follows.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn reach(&self) -> acts::Result<i64> {
        let (_, end) = self.span_of_page()?;
        Ok(i64::try_from(end).unwrap_or(i64::MAX).saturating_add(1))
    }

    fn span_of_page(&self) -> acts::Result<(usize, usize)> {
        let limit = usize::try_from(self.limit()?).unwrap_or_default();
        let wrong = |_| Refusal::field("after", "unknown", "`after` is the `next` of the page before.");
        let from = self.query("after").unwrap_or("0").parse::<u32>().map_err(wrong)? as usize;
        Ok((from, from + limit))
    }

    fn path_after(&self, next: &str) -> String {
        let mut pairs: Vec<String> = Vec::new();
        for (field, value) in self.query.iter().filter(|(field, _)| field != "after") {
            pairs.push(format!("{}={}", escaped(field), escaped(value)));
        }
        pairs.push(format!("after={}", escaped(next)));
        format!("{}?{}", self.path, pairs.join("&"))
    }
}
