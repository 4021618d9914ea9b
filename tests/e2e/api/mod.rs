//! The API as a whole: its contract, its documents and bad input.

pub(crate) mod bad_input;
pub(crate) mod contract;
pub(crate) mod cross_site;
pub(crate) mod described;
pub(crate) mod desync;
pub(crate) mod every_route;
pub(crate) mod pages_of_lists;
pub(crate) mod typed_texts;
