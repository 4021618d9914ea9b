//! The lines of an import that need two people.

use model::directory::snapshot::Directory;

use super::Write;
use crate::guard::two_people::{self, Matter};

/// The treatment of a line that needs two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Two {
    /// Two people agreed: the line is written.
    Stand,
    /// One person did: the line is an error.
    Refuse,
    /// One person agreed, and only lowered facts need two people: a line that lowers them is an error.
    RefuseFacts,
    /// It is noted, for a proposal.
    Note,
    /// Only lowered facts are noted.
    NoteFacts,
}

impl Two {
    pub(super) fn is_note(self) -> bool {
        matches!(self, Self::Note | Self::NoteFacts)
    }

    /// Whether only lowered facts need two people.
    pub(super) fn is_of_facts(self) -> bool {
        matches!(self, Self::RefuseFacts | Self::NoteFacts)
    }
}

/// The field by which a line lowers the facts for evaluating changes, and the message for it.
pub(super) fn lowered_facts(directory: &Directory, write: &Write) -> Option<(&'static str, Matter)> {
    let (lowers, field, matter) = match write {
        Write::Service(service) => (
            two_people::loosens_service(directory, service),
            "criticality",
            two_people::LOOSENED,
        ),
        Write::Environment(place) => (
            two_people::loosens_environment(directory, place),
            "is_production",
            two_people::LOOSENED,
        ),
        Write::ConfigItem(item) => (two_people::loosens_item(directory, item), "holds", two_people::LOOSENED),
        Write::Dependency(arrow) => (two_people::turns_reach(directory, arrow), "kind", two_people::REACHED),
        Write::Person(_) | Write::Group(_) | Write::Ownership(_) => return None,
    };
    lowers.then_some((field, matter))
}
