//! The status names of each kind of system for how far a deployment is, in one table. The effect of our status names on a
//! change is the table of `model::integration::occurrence`; `docs/guide/other-deliveries.md` shows both.

use model::integration::signal::{self, Progress, SetAside};

/// The kinds of system that report deployments, with their status names and ours.
pub const WORDS: &[(&str, &[(&str, &str)])] = &[
    (
        "github",
        &[
            ("queued", "queued"),
            ("pending", "pending"),
            ("waiting", "waiting"),
            ("in_progress", "in_progress"),
            ("success", "success"),
            ("failure", "failure"),
            ("error", "error"),
            ("inactive", "inactive"),
        ],
    ),
    (
        "gitlab",
        &[
            ("created", "queued"),
            ("blocked", "blocked"),
            ("running", "in_progress"),
            ("success", "success"),
            ("failed", "failure"),
            ("canceled", "canceled"),
            ("skipped", "skipped"),
        ],
    ),
    (
        "argocd",
        &[
            ("Running", "in_progress"),
            ("Succeeded", "success"),
            ("Failed", "failure"),
            ("Error", "error"),
        ],
    ),
    (
        "jenkins",
        &[
            ("QUEUED", "queued"),
            ("STARTED", "in_progress"),
            ("SUCCESS", "success"),
            ("FAILURE", "failure"),
            ("UNSTABLE", "failure"),
            ("ABORTED", "canceled"),
            ("NOT_BUILT", "skipped"),
        ],
    ),
    (
        "cdevents",
        &[
            ("deployed", "success"),
            ("upgraded", "success"),
            ("rolledback", "rolled_back"),
        ],
    ),
    (
        "plain",
        &[
            ("queued", "queued"),
            ("in_progress", "in_progress"),
            ("success", "success"),
            ("failure", "failure"),
            ("error", "error"),
            ("canceled", "canceled"),
            ("skipped", "skipped"),
            ("rolled_back", "rolled_back"),
        ],
    ),
];

/// The status names of a kind with ours.
#[must_use]
pub fn of(kind: &str) -> &'static [(&'static str, &'static str)] {
    WORDS
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or(&[], |(_, words)| words)
}

/// Our status for one of theirs; a name that is not in the table is kept unchanged, and only noted.
///
/// # Errors
/// [`SetAside`] where it is no name.
pub fn ours(kind: &str, field: &str, theirs: &str) -> Result<Progress, SetAside> {
    let known = of(kind).iter().find(|(word, _)| *word == theirs);
    match known {
        Some((_, ours)) => Ok(Progress::from((*ours).to_owned())),
        None => Ok(Progress::Other(signal::name(field, &theirs.to_lowercase())?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::integration::occurrence::Phase;

    #[test]
    fn the_guide_shows_every_word_with_ours_and_none_ends_what_it_should_not() {
        let guide = include_str!("../../../../docs/guide/other-deliveries.md");
        for (kind, words) in WORDS {
            for (theirs, ours) in *words {
                let row = format!("| `{kind}` | `{theirs}` | `{ours}` |");
                assert!(guide.contains(&row), "the guide lacks {row}");
                let is_named = Phase::of(ours) != Phase::Other || *ours == "inactive";
                assert!(is_named, "{kind} {theirs}");
            }
        }
        assert_eq!(
            ours("gitlab", "status", "canceled"),
            Ok(Progress::Other("canceled".to_owned()))
        );
    }
}
