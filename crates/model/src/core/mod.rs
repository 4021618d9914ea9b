//! The ground of the model: ids, enums, acts, refusals and parsing. It imports no area.

pub mod act;
pub mod body;
pub mod card;
pub mod confusables;
pub mod enums;
pub mod free_text;
pub mod ids;
pub mod parse;
pub mod percent;
pub mod private_fields;
pub mod proportion;
pub mod refusal;
pub mod shared_map;
pub mod statement;
pub mod typed;
pub mod unmet;
