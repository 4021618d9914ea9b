//! Code that all areas of this layer share.

pub(super) mod change_replies;
pub(super) mod nouns;
pub(super) mod openapi;
pub(super) mod records;
