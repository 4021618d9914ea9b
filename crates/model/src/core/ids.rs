//! Identifiers. Each noun has its own type, so that a person's id can never be passed where a change's is meant.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )+};
}

id! {
    /// A tenant (business unit): a short lower-case name such as `halden`.
    TenantId,
    /// A change's record; people see its key (`CHG-1042`) instead.
    ChangeId,
    /// A person, as a random id, so that the log holds no personal data.
    PersonId,
    /// A group of people, named by its key (`change-managers`).
    GroupKey,
    /// A service, named by its key (`booking-api`).
    ServiceKey,
    /// An environment, named by its key (`production`).
    EnvironmentKey,
    /// Any other record (approval, evidence, task …) by its UUIDv7.
    RecordId,
    /// A target inside its change: `"1"`, `"2"` ….
    TargetId,
}
