//! The features of the product's own models.

use crate::risk::forecast::environment::Feature;

/// The version of [`FEATURES`]: it grows with every change to what an input means.
pub const FEATURES_VERSION: i64 = 1;

const fn feature(name: &'static str, rising: bool) -> Feature {
    Feature { name, rising }
}

/// The features, in the order of inputs. More of a rising one never makes a failure less likely.
pub const FEATURES: [Feature; 12] = [
    feature("targets", true),
    feature("services", true),
    feature("complexity", true),
    feature("impact", true),
    feature("touches", true),
    feature("schema", true),
    feature("emergency", false),
    feature("standard", false),
    feature("expedited", false),
    feature("no_rollback_plan", true),
    feature("plan_steps", false),
    feature("disruption", true),
];
