//! The forecast of failure: how likely a change fails, from the outcomes of similar changes in the same environment.
//!
//! [`base`] is the explained base, [`logistic`] and [`fit`] add the features where there is enough history, [`environment`]
//! holds the result in whole numbers and scores by it. [`inputs`] reads a change, [`known_outcome`] its end, [`model_record`]
//! is the record of a fitted model and [`pinned`] makes the stored forecast of a change. Only the fit uses fractions.

pub mod base;
pub mod environment;
pub mod features;
pub mod fit;
pub mod fixed;
pub mod inputs;
pub mod kept_forecast;
pub mod known_outcome;
pub mod logistic;
pub mod model_record;
pub mod outcome;
pub mod pinned;
pub mod strengths;
pub mod words;
