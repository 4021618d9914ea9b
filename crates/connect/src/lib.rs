//! Translators to outside systems: verified bytes become a [`model::signal::Signal`] or a
//! [`evidence::Reading`], and a [`mail::Letter`] becomes a message that a server understands.
//!
//! This room knows no database and none of our rules: it says what arrived, never what it means.
//! All input here is written by strangers, so every reader has a limit on size and depth, and
//! answers with a reason instead of a panic. Only [`socket`] opens sockets.

pub mod alertmanager;
pub mod argocd;
pub mod backstage;
pub mod cdevents;
pub mod chat;
pub mod cloudevents;
pub mod cyclonedx;
pub mod deployments;
#[cfg(test)]
mod documented_tests;
pub mod door;
pub mod evidence;
pub mod evidence_formats;
pub mod github;
pub mod gitlab;
pub mod ical;
pub mod in_toto;
pub mod jenkins;
pub mod json_rows;
pub mod junit;
pub mod mail;
pub mod mail_reply;
pub mod oidc;
pub mod pagerduty;
pub mod plain;
pub mod received;
pub mod reply;
pub mod sarif;
pub mod scim;
pub mod slsa;
pub mod socket;
pub mod standard_webhooks;
pub mod table;
pub mod workload;
