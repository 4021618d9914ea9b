//! Reports: the search code that the API and the pages share.

pub(crate) mod completions;
pub(crate) mod search;
pub(crate) mod settings;
