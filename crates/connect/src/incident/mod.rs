//! Drift reports of the systems that detect drift, and canary verdicts.

mod aide;
mod argocd_drift;
pub mod canary;
pub mod drift;
mod form;
mod kubernetes_audit;
mod terraform;
#[cfg(test)]
mod tests;
