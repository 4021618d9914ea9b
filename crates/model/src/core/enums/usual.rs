//! The default values.

use super::{DependencyKind, FiscalMonths, FreezeReach, GroupKind, NodeKind, ProbeReads};

#[expect(
    clippy::derivable_impls,
    reason = "the table of words marks no word as the usual one"
)]
impl Default for DependencyKind {
    fn default() -> Self {
        Self::DependsOn
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the table of words marks no word as the usual one"
)]
impl Default for ProbeReads {
    fn default() -> Self {
        Self::AgeSeconds
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the table of words marks no word as the usual one"
)]
impl Default for NodeKind {
    fn default() -> Self {
        Self::Service
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the table of words marks no word as the usual one"
)]
impl Default for GroupKind {
    fn default() -> Self {
        Self::Group
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the table of words marks no word as the usual one"
)]
impl Default for FiscalMonths {
    fn default() -> Self {
        Self::Civil
    }
}

impl FiscalMonths {
    /// Whether this is a fiscal year's default.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::Civil
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the table of words marks no word as the usual one"
)]
impl Default for FreezeReach {
    fn default() -> Self {
        Self::None
    }
}

impl FreezeReach {
    /// Whether this is a freeze's default.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::None
    }
}
