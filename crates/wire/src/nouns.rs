//! The cards of nouns, for the command line.

pub use model::audit::witness::Witness;
pub use model::core::card::{Card, Does, Field, Kind, Noun, Verb};
pub use model::notify::action_item::ActionItem;
pub use model::nouns::CARDS;
