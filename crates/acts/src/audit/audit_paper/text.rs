//! The working paper of a sample as a text for people: the questions of the control with their results, the
//! conclusions, and the names of the people who sampled, concluded, reviewed and signed. The signed paper names people
//! by ids, so that an erasure of a person's data leaves its digest.

use model::audit::audit_conclusion::AuditConclusion;
use model::audit::audit_sample::AuditSample;
use model::compliance::framework::FRAMEWORKS;
use model::compliance::violation::rule;
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;

/// The text.
pub(super) fn written(sample: &AuditSample, concluded: &[AuditConclusion], directory: &Directory) -> String {
    let mut text = format!("Working paper: {}\n\n", sample.title);
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("{name}: {value}\n"));
    };
    let control = FRAMEWORKS
        .iter()
        .flat_map(|it| it.controls)
        .find(|it| it.id == sample.control);
    line("Control", &sample.control);
    if let Some(control) = control {
        line("Clause", control.clause);
        line("Objective", control.objective);
    }
    line("Span", &format!("{} to {}, not included", sample.from, sample.to));
    line(
        "Population",
        &format!("{} changes, {}", sample.population, sample.population_digest),
    );
    line(
        "Sample",
        &format!("{} changes, seed {}", sample.changes.len(), sample.seed),
    );
    line("Sampled by", &signed_by(directory, &sample.by, &sample.at.to_string()));
    match (&sample.signed_by, sample.signed_at) {
        (Some(by), Some(at)) => line("Signed by", &signed_by(directory, by, &at.to_string())),
        _ => line("Signed by", "nobody yet"),
    }
    if let Some(digest) = &sample.paper_digest {
        line("Digest of working-paper.json", digest);
    }
    for key in &sample.changes {
        let conclusion = concluded.iter().find(|it| &it.change == key);
        text.push_str(&item(key, conclusion, directory));
    }
    text
}

fn item(key: &str, conclusion: Option<&AuditConclusion>, directory: &Directory) -> String {
    let Some(it) = conclusion else {
        return format!("\n{key}\n  No conclusion yet.\n");
    };
    let mut lines = vec![String::new(), key.to_owned()];
    for (id, answer) in it.answers.iter().filter_map(|it| it.split_once('=')) {
        let question = rule(id).map_or(id, |rule| rule.test);
        lines.push(format!("  Question {id}: {question}"));
        lines.push(format!("  Answer: {}", answer.replace('_', " ")));
    }
    lines.push(format!("  Conclusion: {}", it.verdict.as_str().replace('_', " ")));
    lines.push(format!("  Found: {}", it.text.replace('\n', "\n         ")));
    lines.push(format!(
        "  Concluded by: {}",
        signed_by(directory, &it.by, &it.at.to_string())
    ));
    lines.push(match (&it.reviewed_by, it.reviewed_at) {
        (Some(by), Some(at)) => format!("  Reviewed by: {}", signed_by(directory, by, &at.to_string())),
        _ => "  Reviewed by: nobody yet".to_owned(),
    });
    lines.push(String::new());
    lines.join("\n")
}

/// A person with their login, and when.
fn signed_by(directory: &Directory, person: &PersonId, at: &str) -> String {
    format!("{} ({}), {at}", directory.name(person), directory.login(person))
}
