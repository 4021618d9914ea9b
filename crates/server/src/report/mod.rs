//! Reports: what the API and the pages share of the search.

pub(crate) mod completions;
pub(crate) mod search;
pub(crate) mod settings;
