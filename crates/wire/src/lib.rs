//! The JSON shapes of the API's responses, for the server that writes them and the command line that reads them.

pub mod nouns;
pub mod openapi;
pub mod problem;
pub mod views;
