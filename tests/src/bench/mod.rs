//! The parts of the program `bench`.

pub mod base;
pub mod build;
pub mod causes;
pub mod client;
pub mod decision;
pub mod doors;
pub mod floor;
pub mod leaving;
pub mod lists;
pub mod load;
pub mod log;
pub mod people;
pub mod product;
pub mod queue;
pub mod rates;
pub mod report;
pub mod risk;
pub mod routing;
pub mod scale;
pub mod screens;
pub mod settling;
pub mod storage;
pub mod waiting;
