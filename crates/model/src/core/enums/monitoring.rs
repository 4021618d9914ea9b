//! The values of objectives.

use serde::{Deserialize, Serialize};

words! {
    /// On which side of its bound the value of an objective is.
    #[derive(Default)]
    ObjectiveBound {
        /// The value is the bound or less.
        #[default]
        AtMost = "at_most",
        /// The value is the bound or more.
        AtLeast = "at_least",
    }
    /// The result of an objective's measurement.
    ObjectiveResult {
        /// The value keeps the bound.
        Met = "met",
        /// It does not.
        Missed = "missed",
        /// There is no value, which is no pass.
        Unknown = "unknown",
    }
}
