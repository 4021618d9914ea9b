//! The parts of the program `bench`.

pub mod client;
pub mod doors;
pub mod floor;
pub mod lists;
pub mod load;
pub mod log;
pub mod product;
pub mod rates;
pub mod report;
pub mod routing;
pub mod screens;
pub mod waiting;
