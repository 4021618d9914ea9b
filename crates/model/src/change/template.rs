//! Whether the template behind a standard change still holds.

use jiff::Timestamp;

use crate::change::change_file::ChangeFile;
use crate::change::eligible;
use crate::core::enums::{Kind, TemplateState};
use crate::core::ids::PersonId;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::records::StandardTemplate;
use crate::directory::snapshot::{Directory, logins};

impl StandardTemplate {
    /// The version that waits for its approvals: the next one, or this one where none stood before it.
    pub fn proposed(&self) -> Option<&Self> {
        let waits = |it: &&Self| it.state == TemplateState::Proposed;
        self.next.as_deref().filter(waits).or(Some(self).filter(waits))
    }
}

/// When the template behind a standard change stops unless it is reviewed.
pub(crate) fn template_review(file: &ChangeFile, directory: &Directory) -> Option<Timestamp> {
    let content = &file.change.content;
    let pinned = content.template.as_ref().filter(|_| content.kind == Kind::Standard)?;
    directory.templates.get(&pinned.key).map(|template| template.review_by)
}

/// Whether whoever proposed a template also stands behind a yes to it: for a change of high risk or a sensitive one that is no
/// second look.
fn is_of_one_hand(file: &ChangeFile, template: &StandardTemplate) -> bool {
    let proposers = [Some(&template.proposer), template.handed_by.as_ref()];
    let is_theirs = |person: &PersonId| {
        let mut proposers = proposers.into_iter().flatten();
        proposers.any(|proposer| file.hands.are_one(proposer, person))
    };
    let mut words = template.approvals.iter();
    file.hands.is_grave && words.any(|word| is_theirs(&word.person) || is_theirs(word.speaker()))
}

/// What stands against the template of a standard change that has not begun.
pub fn template_trouble(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let content = &file.change.content;
    if content.kind != Kind::Standard {
        return None;
    }
    let trouble = |text: String| {
        Some(unmet(
            "template_not_valid",
            text,
            "Use the present template, or make it a normal change.",
            logins(directory, &eligible::writers(&file.change, directory)),
        ))
    };
    let Some(pinned) = &content.template else {
        return trouble("It names no template.".to_owned());
    };
    let Some(template) = directory.templates.get(&pinned.key) else {
        return trouble(format!("There is no template {}.", pinned.key));
    };
    if is_of_one_hand(file, template) {
        let text = "One hand proposed and approved the template {}, and the change is of high risk or sensitive.";
        return trouble(text.replace("{}", &template.key));
    }
    if template.state != TemplateState::Approved {
        return trouble(format!("The template {} is {}.", template.key, template.state));
    }
    if template.template_version != pinned.template_version || template.digest != pinned.digest {
        return trouble(format!(
            "The template {} has a newer version, {}.",
            template.key, template.template_version
        ));
    }
    if template.review_by <= now {
        return trouble(format!("The template {} is past its review date.", template.key));
    }
    let permitted = content.targets.iter().all(|target| {
        (template.services.is_empty() || template.services.contains(&target.service))
            && (template.environments.is_empty() || template.environments.contains(&target.environment))
    });
    if permitted {
        None
    } else {
        trouble(format!("The template {} does not permit these targets.", template.key))
    }
}
