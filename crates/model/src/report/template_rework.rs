//! Rework of changes from a template: the fields edited after submission, and the fields edited in reply to each return.

use std::collections::{BTreeMap, BTreeSet};

/// A step in the life of a change, from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It was submitted.
    Submitted,
    /// It was returned with a question.
    Returned,
    /// These fields were edited; labels and fields outside every digest are left out.
    Edited(BTreeSet<String>),
}

/// The rework of one change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reworked {
    /// Whether it was submitted at all.
    pub is_submitted: bool,
    /// The fields that were edited after the first submission.
    pub fields: BTreeSet<String>,
    /// For each return, the fields that were edited before the next submission.
    pub returned: Vec<BTreeSet<String>>,
}

impl Reworked {
    /// Whether it was returned or edited after its submission.
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.fields.is_empty() || !self.returned.is_empty()
    }
}

/// Reads the rework of a change from its steps, in their order.
#[must_use]
pub fn read(steps: &[Step]) -> Reworked {
    let mut found = Reworked::default();
    let mut open: Option<BTreeSet<String>> = None;
    for step in steps {
        match step {
            Step::Submitted => {
                found.is_submitted = true;
                found.returned.extend(open.take());
            }
            Step::Returned => {
                found.returned.extend(open.take());
                open = Some(BTreeSet::new());
            }
            Step::Edited(fields) if found.is_submitted => {
                found.fields.extend(fields.iter().cloned());
                if let Some(answer) = &mut open {
                    answer.extend(fields.iter().cloned());
                }
            }
            Step::Edited(_) => {}
        }
    }
    found.returned.extend(open);
    found
}

/// The number of reworks of each field, and the number of returns that it resolved, over some changes; the most frequent first.
#[must_use]
pub fn by_field(all: &[Reworked]) -> Vec<(String, u64, u64)> {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for one in all {
        for field in &one.fields {
            counts.entry(field).or_default().0 += 1;
        }
        for field in one.returned.iter().flatten() {
            counts.entry(field).or_default().1 += 1;
        }
    }
    let mut rows: Vec<(String, u64, u64)> = counts
        .into_iter()
        .map(|(field, (edited, answered))| (field.to_owned(), edited, answered))
        .collect();
    rows.sort_by(|one, other| (other.1, other.2, &one.0).cmp(&(one.1, one.2, &other.0)));
    rows
}

/// The most questions that a group shows.
const EXAMPLES: usize = 3;

/// A question with which a change was returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnQuestion {
    /// The change: a key.
    pub change: String,
    /// The question; empty where its text was erased.
    pub question: String,
    /// The fields that were edited before the next submission.
    pub answered: BTreeSet<String>,
}

/// Questions that the same fields resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionGroup {
    /// The fields; none if no edit resolved the question.
    pub fields: Vec<String>,
    /// The number of questions.
    pub count: u64,
    /// The first three texts, each with its change.
    pub examples: Vec<(String, String)>,
}

/// Groups questions by the fields that resolved them, the most frequent first.
#[must_use]
pub fn grouped(asked: &[ReturnQuestion]) -> Vec<QuestionGroup> {
    let mut groups: BTreeMap<&BTreeSet<String>, Vec<&ReturnQuestion>> = BTreeMap::new();
    for it in asked {
        groups.entry(&it.answered).or_default().push(it);
    }
    let group = |(fields, all): (&BTreeSet<String>, Vec<&ReturnQuestion>)| {
        let with_text = all.iter().filter(|it| !it.question.is_empty());
        QuestionGroup {
            fields: fields.iter().cloned().collect(),
            count: all.len() as u64,
            examples: with_text
                .take(EXAMPLES)
                .map(|it| (it.change.clone(), it.question.clone()))
                .collect(),
        }
    };
    let mut found: Vec<QuestionGroup> = groups.into_iter().map(group).collect();
    found.sort_by(|one, other| (other.count, &one.fields).cmp(&(one.count, &other.fields)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(fields: &[&str]) -> Step {
        Step::Edited(fields.iter().map(|it| (*it).to_owned()).collect())
    }

    fn fields(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn edits_before_the_first_submission_are_no_rework() {
        let found = read(&[edited(&["plan"]), Step::Submitted]);
        assert!(found.is_submitted && !found.is_any());
    }

    #[test]
    fn each_return_is_answered_by_the_edits_before_the_next_submission() {
        let found = read(&[
            Step::Submitted,
            Step::Returned,
            edited(&["plan"]),
            edited(&["rollback_plan"]),
            Step::Submitted,
            Step::Returned,
            Step::Submitted,
            edited(&["description"]),
        ]);
        assert_eq!(found.returned, [fields(&["plan", "rollback_plan"]), fields(&[])]);
        assert_eq!(found.fields, fields(&["description", "plan", "rollback_plan"]));
        let rows = by_field(&[found.clone(), read(&[Step::Submitted, edited(&["plan"])])]);
        assert_eq!(rows[0], ("plan".to_owned(), 2, 1));
    }

    #[test]
    fn questions_are_grouped_by_the_fields_that_answered_them() {
        let asked = |change: &str, question: &str, answered: &[&str]| ReturnQuestion {
            change: change.to_owned(),
            question: question.to_owned(),
            answered: fields(answered),
        };
        let found = grouped(&[
            asked("CHG-1", "Who drains the queue?", &["plan"]),
            asked("CHG-2", "Why now?", &[]),
            asked("CHG-3", "", &["plan"]),
            asked("CHG-4", "And the way back?", &["plan", "rollback_plan"]),
        ]);
        let counts: Vec<(usize, u64)> = found.iter().map(|it| (it.fields.len(), it.count)).collect();
        assert_eq!(counts, [(1, 2), (0, 1), (2, 1)]);
        assert_eq!(
            found[0].examples,
            [("CHG-1".to_owned(), "Who drains the queue?".to_owned())],
            "an erased question counts and shows nothing"
        );
        assert!(grouped(&[]).is_empty());
    }

    #[test]
    fn a_return_that_nobody_answered_yet_counts() {
        let found = read(&[Step::Submitted, Step::Returned]);
        assert!(found.is_any());
        assert_eq!(found.returned, [fields(&[])]);
    }
}
