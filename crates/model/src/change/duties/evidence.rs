//! Evaluates evidence for a target: the latest result of each suite counts, and a failure stays until its suite passes or an
//! approver accepts it. Findings that the running build's own report does not have fail the aspect of security, under whatever
//! aspect the report was added.
//!
//! A suite is what one producer runs under one name: evidence of one kind, name, environment, subject and author. A failure is
//! not covered by a note beside the report, by the same report under another name or from another person, nor by a report of
//! other suites in a file of the same name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::approval::authority::candidates;
use crate::approval::obligation::Asked;
use crate::change::change_file::ChangeFile;
use crate::change::record::Target;
use crate::change::related_records::{Agreement, Evidence, WaiverPart};
use crate::core::enums::{Aspect, EvidenceKind, EvidenceResult};
use crate::core::ids::PersonId;
use crate::directory::snapshot::Directory;
use crate::gate::build::are_one;
use crate::gate::running::{Report, replaced};

/// A rule's requirement on evidence.
#[derive(Clone, Copy)]
pub(crate) struct EvidenceRule<'a> {
    pub aspect: Aspect,
    pub environment: Option<&'a str>,
    /// The digest of the present plan, to which evidence without a build is bound.
    pub plan: &'a str,
}

/// The evidence of a target for one requirement.
#[derive(Default)]
pub(crate) struct Shown<'f> {
    /// Suites whose latest result is a pass, or was accepted.
    pub good: Vec<&'f Evidence>,
    /// Suites with a failure and no later pass, and suites that cannot be judged.
    pub bad: Vec<Bad<'f>>,
    /// Whether a waiver replaces it.
    pub is_waived: bool,
}

/// A result that is against a target, and why.
pub(crate) struct Bad<'f> {
    pub evidence: &'f Evidence,
    pub why: Why,
}

/// Why a result is none that satisfies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Failed,
    Unknown,
    /// It lists so many findings that the running build's own report does not.
    New(usize),
    /// The running build has no report of this kind, so the new findings cannot be determined.
    NothingToCompare,
}

impl Shown<'_> {
    /// Whether the requirement is met: by a waiver, or by a pass without a failure beside it. A result that cannot be judged
    /// satisfies nothing and counts against nothing.
    pub(crate) fn is_enough(&self) -> bool {
        self.is_waived || !self.good.is_empty() && self.bad.iter().all(|it| !it.why.is_failure())
    }
}

impl Why {
    fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::New(_))
    }
}

/// Judges the evidence of a target.
pub(crate) fn shown<'f>(file: &'f ChangeFile, target: &Target, asks: EvidenceRule<'_>) -> Shown<'f> {
    let mut found = Shown::default();
    for evidence in latest(about(file, target, asks), |it| subject(target, it)) {
        let is_here = asks
            .environment
            .is_none_or(|name| evidence.environment.as_deref() == Some(name));
        match against(file, target, evidence) {
            // A failure without an environment counts in each, because it may be about any of them; a pass without an
            // environment does not count for the requested one.
            Some(why) if is_here || why.is_failure() => found.bad.push(Bad { evidence, why }),
            None if is_here => found.good.push(evidence),
            _ => {}
        }
    }
    if asks.aspect == Aspect::Security {
        found.bad.extend(new_elsewhere(file, target, asks));
    }
    found.is_waived = file.evidence.iter().any(|it| {
        it.kind == EvidenceKind::Waiver && is_about(it, target, asks) && is_of_place(it, asks) && is_agreed(it, target)
    });
    found
}

/// Reports of scanners that were added under another aspect, or without a judgement, and have findings that the running build's
/// report lacks: the person who adds a report cannot hide it from security. Such reports only count against a target.
fn new_elsewhere<'f>(file: &'f ChangeFile, target: &Target, asks: EvidenceRule<'_>) -> Vec<Bad<'f>> {
    let reports = (file.evidence.iter()).filter(|it| is_compared(it.kind) && is_bound(it, target, asks.plan));
    let is_elsewhere = |it: &&Evidence| it.aspect != Aspect::Security || it.result == EvidenceResult::Informational;
    let reports = reports.filter(|it| is_of_place(it, asks));
    let counted = latest(reports, |it| subject(target, it)).into_iter();
    let told = counted.filter(is_elsewhere).filter_map(|evidence| {
        let why = compared(file, target, evidence)?.why();
        (evidence.accepted.is_none() && why.is_failure()).then_some(Bad { evidence, why })
    });
    told.collect()
}

/// Whether evidence is a report whose findings are compared with those of the running build.
fn is_compared(kind: EvidenceKind) -> bool {
    matches!(kind, EvidenceKind::Sarif | EvidenceKind::Cyclonedx)
}

/// The objection to a piece of evidence that was not accepted.
fn against(file: &ChangeFile, target: &Target, evidence: &Evidence) -> Option<Why> {
    if evidence.accepted.is_some() {
        return None;
    }
    match evidence.result {
        EvidenceResult::Failed => Some(Why::Failed),
        EvidenceResult::Unknown => Some(Why::Unknown),
        EvidenceResult::Passed | EvidenceResult::Informational => compared(file, target, evidence).map(Compared::why),
    }
}

/// The findings of a report that differ from those of the builds which it would replace.
pub(crate) struct Compared {
    /// The new findings; `None` where those builds have no report of this kind.
    pub new: Option<BTreeSet<String>>,
}

impl Compared {
    fn why(self) -> Why {
        self.new.map_or(Why::NothingToCompare, |new| Why::New(new.len()))
    }
}

/// Compares the findings of a scanner's report with those of the builds that it would replace. Where none is recorded as
/// running there, nothing is new against anything.
pub(crate) fn compared(file: &ChangeFile, target: &Target, evidence: &Evidence) -> Option<Compared> {
    if !is_compared(evidence.kind) || evidence.findings.is_empty() {
        return None;
    }
    let ids = replaced(&file.change, target, &file.present.rows);
    let builds: BTreeSet<&str> = (file.present.rows.iter())
        .filter(|row| ids.contains(&row.id))
        .map(|row| row.artifact.as_str())
        .collect();
    if builds.is_empty() {
        return None;
    }
    let own = |it: &&Report| it.kind == evidence.kind && builds.contains(it.artifact.as_str());
    let mut known: Option<BTreeSet<&String>> = None;
    for report in file.present.reports.iter().filter(own) {
        known.get_or_insert_default().extend(&report.findings);
    }
    let Some(known) = known else {
        return Some(Compared { new: None });
    };
    let new: BTreeSet<String> = (evidence.findings.iter())
        .filter(|it| !known.contains(it))
        .cloned()
        .collect();
    (!new.is_empty()).then_some(Compared { new: Some(new) })
}

/// The evidence that may satisfy a requirement for a target, waivers aside: from the requested environment, or without an
/// environment.
fn about<'f>(file: &'f ChangeFile, target: &Target, asks: EvidenceRule<'_>) -> impl Iterator<Item = &'f Evidence> {
    file.evidence.iter().filter(move |it| {
        let is_judging = it.result != EvidenceResult::Informational
            && !matches!(
                it.kind,
                EvidenceKind::Waiver | EvidenceKind::Probe | EvidenceKind::Verdict
            );
        is_judging && is_of_place(it, asks) && is_about(it, target, asks)
    })
}

/// Whether evidence is from the requested environment, or names none.
fn is_of_place(evidence: &Evidence, asks: EvidenceRule<'_>) -> bool {
    match (asks.environment, evidence.environment.as_deref()) {
        (Some(asked), Some(from)) => asked == from,
        _ => true,
    }
}

/// Whether evidence is about this requirement and this target.
fn is_about(evidence: &Evidence, target: &Target, asks: EvidenceRule<'_>) -> bool {
    evidence.aspect == asks.aspect && is_bound(evidence, target, asks.plan)
}

/// Whether evidence is about this target: about its build, or where it names none about the present plan.
fn is_bound(evidence: &Evidence, target: &Target, plan: &str) -> bool {
    let has_build = target.artifact.is_some() || target.commit.is_some();
    match (&evidence.artifact, &evidence.plan_digest) {
        (Some(build), _) => names_build(target, build),
        // A test without a build is no evidence for the build that is deployed.
        (None, Some(digest)) => !has_build && digest == plan,
        (None, None) => false,
    }
}

/// Whether evidence about a build is about this one, in whatever spelling.
fn is_of(build: &str, other: Option<&String>) -> bool {
    other.is_some_and(|other| are_one(build, other))
}

/// Whether a target is the build that evidence names.
pub(crate) fn names_build(target: &Target, build: &str) -> bool {
    is_of(build, target.artifact.as_ref()) || is_of(build, target.commit.as_ref())
}

/// The subject of evidence, one name for all spellings: the target's artifact, its commit, or the plan.
fn subject(target: &Target, it: &Evidence) -> Subject {
    match &it.artifact {
        Some(build) if is_of(build, target.artifact.as_ref()) => Subject::Artifact,
        Some(_) => Subject::Commit,
        None => Subject::Plan,
    }
}

/// The part of a target that evidence names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Artifact,
    Commit,
    Plan,
}

/// The runs of one producer under one name.
type Suite<'f> = (EvidenceKind, &'f str, &'f PersonId, Option<&'f str>, Subject);

/// The results that count of each suite: its latest, beside a failure that the latest is no pass of. A result that cannot be
/// judged replaces no failure.
fn latest<'f>(rows: impl Iterator<Item = &'f Evidence>, subject: impl Fn(&Evidence) -> Subject) -> Vec<&'f Evidence> {
    let mut rows: Vec<&Evidence> = rows.collect();
    rows.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let mut found: BTreeMap<Suite<'f>, Vec<&Evidence>> = BTreeMap::new();
    for row in rows {
        let suite = (
            row.kind,
            row.name.as_str(),
            &row.by,
            row.environment.as_deref(),
            subject(row),
        );
        let known = found.entry(suite).or_default();
        let is_vague = !matches!(row.result, EvidenceResult::Passed | EvidenceResult::Failed) && row.accepted.is_none();
        if is_vague && known.iter().any(|it| is_failure(it)) {
            continue;
        }
        known.retain(|it| is_failure(it) && !covers(row, it));
        known.push(row);
    }
    found.into_values().flatten().collect()
}

fn is_failure(it: &Evidence) -> bool {
    it.result == EvidenceResult::Failed && it.accepted.is_none()
}

/// Whether a later report ran everything that had failed in an earlier one, where both list their tests.
fn covers(later: &Evidence, earlier: &Evidence) -> bool {
    earlier.suites.iter().all(|suite| later.suites.contains(suite))
}

/// Whether a build has passed: at least one functional suite passed, and none has failed.
pub(crate) fn has_passed(file: &ChangeFile, build: &str) -> bool {
    let of_build = file.evidence.iter().filter(|it| {
        it.aspect == Aspect::Functional
            && it.artifact.as_deref().is_some_and(|named| are_one(named, build))
            && it.kind != EvidenceKind::Waiver
            && it.result != EvidenceResult::Informational
    });
    let latest = latest(of_build, |_| Subject::Artifact);
    let is_good = |it: &&Evidence| it.result == EvidenceResult::Passed || it.accepted.is_some();
    latest.iter().any(is_good) && !latest.iter().any(|it| is_failure(it))
}

/// Whether an owner and somebody of security, two people, agreed to a waiver for the place of a target.
fn is_agreed(waiver: &Evidence, target: &Target) -> bool {
    let place = place_of(target);
    let of = |part: WaiverPart| {
        let rows = waiver.agreed.iter();
        rows.filter(|it| it.part == part && it.places.contains(&place))
            .map(|it| &it.by)
            .collect::<BTreeSet<&PersonId>>()
    };
    let (owners, security) = (of(WaiverPart::Owner), of(WaiverPart::Security));
    owners.iter().any(|owner| security.iter().any(|other| other != owner))
}

pub(crate) fn place_of(target: &Target) -> String {
    format!("{}/{}", target.service, target.environment)
}

/// The rules and places for which a person's agreement to a waiver counts.
pub(crate) fn agreements(
    file: &ChangeFile,
    directory: &Directory,
    person: &PersonId,
    reason: &str,
    now: Timestamp,
) -> Vec<Agreement> {
    let parts = [
        (WaiverPart::Owner, Asked::Owner),
        (WaiverPart::Security, Asked::Security),
    ];
    let mut found = Vec::new();
    for (part, asked) in parts {
        let is_one = |target: &&Target| {
            let holders = candidates(file, directory, &asked, target, now);
            holders.iter().any(|holder| &holder.person == person)
        };
        let mut places: Vec<String> = (file.change.content.targets.iter())
            .filter(is_one)
            .map(place_of)
            .collect();
        places.dedup();
        if !places.is_empty() {
            found.push(Agreement {
                part,
                places,
                by: person.clone(),
                at: now,
                reason: reason.to_owned(),
            });
        }
    }
    found
}
