//! Drift: what differs from what is recorded, as the systems that look for it report it.

mod aide;
mod argocd_drift;
pub mod drift;
mod kubernetes_audit;
mod terraform;
#[cfg(test)]
mod tests;
