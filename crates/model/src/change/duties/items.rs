//! The typed items of checklists: manual ones that a person ticks, items with fresh evidence, and items with a fresh probe
//! result. Each has an owner, and a waiver that needs an owner of the target and security, two people, for the content as it
//! is.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::approval::authority::{candidates, targets_of};
use crate::approval::obligation::{Asked, Duty, ItemCheck, Party, TargetObligation};
use crate::change::change_file::{Actor, ChangeFile};
use crate::change::content::plan_digest;
use crate::change::duties::evidence::{self, EvidenceRule, place_of};
use crate::change::eligible;
use crate::change::record::Target;
use crate::change::related_records::{ChecklistItem, Evidence, WaiverPart};
use crate::core::enums::{Aspect, EvidenceKind, EvidenceResult, ItemKind, Role};
use crate::core::ids::PersonId;
use crate::core::unmet::{Unmet, sentence, unmet};
use crate::directory::snapshot::{Directory, logins};

/// A typed item of a rule.
#[derive(Clone, Copy)]
pub struct Item<'f> {
    /// The rule.
    pub row: &'f TargetObligation,
    /// The subject of the check.
    pub title: &'f str,
    /// How.
    pub check: &'f ItemCheck,
    /// Its owner.
    pub owner: &'f Asked,
}

impl ItemCheck {
    /// The kind of the item.
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::Manual { .. } => ItemKind::Manual,
            Self::Evidence { .. } => ItemKind::Evidence,
            Self::Probe { .. } => ItemKind::Probe,
        }
    }

    /// The key of the probe whose result meets the item, where it names one.
    pub fn probe(&self) -> Option<&str> {
        match self {
            Self::Manual { .. } => None,
            Self::Evidence { probe, .. } => probe.as_deref(),
            Self::Probe { probe, .. } => Some(probe),
        }
    }
}

impl<'f> Item<'f> {
    /// The item of a rule, where the rule has one.
    pub fn of(row: &'f TargetObligation) -> Option<Self> {
        match &row.obligation.duty {
            Duty::Item { title, check, owner } => Some(Self {
                row,
                title,
                check,
                owner,
            }),
            _ => None,
        }
    }

    /// The item of a line of a change's checklist, while its rule still has it.
    pub fn of_line(file: &'f ChangeFile, line: &ChecklistItem) -> Option<Self> {
        let rows = file.requirements.obligations.iter();
        let mut items = rows.filter_map(Self::of);
        items.find(|item| item.row.obligation.id == line.rule && item.title == line.title)
    }

    /// Whether an author may neither tick it nor vouch for its evidence.
    pub fn wants_another_than_authors(&self) -> bool {
        match self.check {
            ItemCheck::Manual { distinct_from } | ItemCheck::Evidence { distinct_from, .. } => {
                distinct_from.contains(&Party::Author)
            }
            ItemCheck::Probe { .. } => false,
        }
    }

    /// The people whom its owner names; empty where none of them exists here.
    pub fn named_owners(&self, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
        let mut found: Vec<PersonId> = targets_of(file, self.row)
            .flat_map(|target| candidates(file, directory, self.owner, target, now))
            .map(|holder| holder.person)
            .filter(|person| directory.is_active(person))
            .filter(|person| !self.wants_another_than_authors() || !file.wrote_by_hand(person))
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// The owners of the item: the people whom it names, else the writers of the change.
    pub fn owners(&self, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
        let found = self.named_owners(file, directory, now);
        match found.is_empty() {
            true if self.wants_another_than_authors() => Vec::new(),
            true => eligible::writers(&file.change, directory),
            false => found,
        }
    }
}

/// The unmet row of an item.
pub(crate) fn item_unmet(file: &ChangeFile, directory: &Directory, item: &Item<'_>, now: Timestamp) -> Option<Unmet> {
    let line = line_of(file, item);
    if line.is_some_and(|line| is_waived(file, line, item)) {
        return None;
    }
    let (code, text, satisfy) = match item.check {
        ItemCheck::Manual { .. } => manual_lacks(file, line, item)?,
        ItemCheck::Evidence {
            aspect,
            environment,
            max_age_minutes,
            ..
        } => {
            let asked = (*aspect, environment.as_deref(), *max_age_minutes);
            evidence_lacks((file, directory), item, asked, now)?
        }
        ItemCheck::Probe { probe, max_age_minutes } => probe_lacks(file, item, probe, *max_age_minutes, now)?,
    };
    let reason = sentence(&item.row.obligation.reason);
    let satisfy = format!(
        "{satisfy} Alternatively, an owner and security waive the item (POST …/checklist/ID/waiver; rule `{}`).",
        item.row.obligation.id
    );
    let people = logins(directory, &item.owners(file, directory, now));
    Some(unmet(
        code,
        format!("Checklist item “{}”: {text} {reason}", item.title),
        satisfy,
        people,
    ))
}

/// The status of a line of a change's checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemStatus {
    /// `met`, `waived`, `open`, or `not_asked` where its rule no longer has it.
    pub state: &'static str,
    /// Its owners.
    pub owners: Vec<PersonId>,
    /// The rule's reason.
    pub reason: String,
    /// Its unmet row.
    pub lacks: Option<Unmet>,
}

/// The status of a typed line of a checklist; `None` for a plain line that is ticked.
pub fn item_status(
    file: &ChangeFile,
    directory: &Directory,
    line: &ChecklistItem,
    now: Timestamp,
) -> Option<ItemStatus> {
    line.kind?;
    let Some(item) = Item::of_line(file, line) else {
        return Some(ItemStatus {
            state: "not_asked",
            owners: Vec::new(),
            reason: String::new(),
            lacks: None,
        });
    };
    let lacks = item_unmet(file, directory, &item, now);
    let state = match &lacks {
        Some(_) => "open",
        None if is_waived(file, line, &item) => "waived",
        None => "met",
    };
    Some(ItemStatus {
        state,
        owners: item.owners(file, directory, now),
        reason: item.row.obligation.reason.clone(),
        lacks,
    })
}

fn line_of<'f>(file: &'f ChangeFile, item: &Item<'_>) -> Option<&'f ChecklistItem> {
    let mut lines = file.checklist.iter();
    lines.find(|line| line.rule == item.row.obligation.id && line.title == item.title)
}

/// The code, the sentence, and what satisfies it.
type Lack = (&'static str, String, String);

fn manual_lacks(file: &ChangeFile, line: Option<&ChecklistItem>, item: &Item<'_>) -> Option<Lack> {
    let done = line.and_then(|line| line.done.as_ref());
    let is_own = |by: &PersonId| item.wants_another_than_authors() && file.wrote_by_hand(by);
    match done {
        Some(done) if !is_own(&done.by) => None,
        Some(_) => Some((
            "checklist_open",
            "It was ticked by an author of the change.".to_owned(),
            "A person who is not an author of the change must tick it (POST …/checklist/ID/tick).".to_owned(),
        )),
        None => Some((
            "checklist_open",
            "The item is not ticked.".to_owned(),
            "Tick the item (POST …/checklist/ID/tick).".to_owned(),
        )),
    }
}

/// The targets of an item, each with its sentence of what is lacking; the first counts.
fn evidence_lacks(
    (file, directory): (&ChangeFile, &Directory),
    item: &Item<'_>,
    (aspect, environment, max_age): (Aspect, Option<&str>, Option<i64>),
    now: Timestamp,
) -> Option<Lack> {
    let plan = plan_digest(&file.change.content);
    let asks = EvidenceRule {
        aspect,
        environment,
        plan: &plan,
    };
    let place = environment.map(|name| format!(" from {name}")).unwrap_or_default();
    let wants_another = item.wants_another_than_authors();
    let owners = item.named_owners(file, directory, now);
    let (satisfy, by) = match (owners.is_empty(), wants_another) {
        (false, _) => (
            format!(
                "One of its owners or a pipeline must add passed evidence of the aspect `{aspect}`{place} (POST \
                 …/evidence)."
            ),
            " by one of its owners or a pipeline",
        ),
        (true, true) => (
            format!(
                "A person who is not an author of the change must add passed evidence of the aspect \
                 `{aspect}`{place} (POST …/evidence)."
            ),
            " by somebody who did not write the change",
        ),
        (true, false) => (
            format!("Add passed evidence of the aspect `{aspect}`{place} (POST …/evidence)."),
            "",
        ),
    };
    // For an item with owners, only evidence by an owner or a machine counts; and an author of the change, with any of their
    // accounts, cannot vouch for it.
    let is_machine = |by: &PersonId| directory.has_role(by, Role::Pipeline) || *by == Actor::system().person;
    let vouches = |by: &PersonId| {
        let has_it = owners.is_empty() || owners.contains(by) || is_machine(by);
        has_it && !(wants_another && file.wrote_by_hand(by))
    };
    let lack = |target: &Target| -> Option<String> {
        let place_of_target = place_of(target);
        // The result of a probe counts as well; a failed one explains more than missing evidence does.
        let probe = item.check.probe();
        let answered = probe.filter(|probe| last_result(file, probe, &place_of_target).is_some());
        let said = match answered.zip(max_age) {
            Some(asked) => Some(why_result_lacks(file, target, asked, now)?),
            None => None,
        };
        let mut shown = evidence::shown(file, target, asks);
        shown.good.retain(|it| vouches(&it.by));
        if !shown.is_enough() {
            let missing = || format!("Passed {aspect} evidence{place}{by} is missing for {place_of_target}.");
            return Some(said.unwrap_or_else(missing));
        }
        let max_age = max_age.filter(|_| !shown.is_waived)?;
        let newest = shown.good.iter().map(|it| shown_at(file, it)).max()?;
        too_old(newest, max_age, now)
    };
    let text = targets_of(file, item.row).find_map(lack)?;
    Some(("evidence_missing", text, satisfy))
}

/// The time of the evidence: the time that it reports, else the time when the same file was first added. Adding an old report
/// again makes it no younger.
fn shown_at(file: &ChangeFile, evidence: &Evidence) -> Timestamp {
    let same = file.evidence.iter().filter(|it| it.file_digest == evidence.file_digest);
    let first = same.map(|it| it.at).min().unwrap_or(evidence.at);
    evidence.measured_at.map_or(first, |at| at.min(evidence.at))
}

fn too_old(at: Timestamp, max_age: i64, now: Timestamp) -> Option<String> {
    let age = now.duration_since(at);
    (age > SignedDuration::from_mins(max_age)).then(|| {
        format!(
            "The report is from {at}, which is {} ago; the limit is {}.",
            span(age.as_mins()),
            span(max_age)
        )
    })
}

/// Minutes as text.
fn span(minutes: i64) -> String {
    let one = |number: i64, unit: &str| match number {
        1 => format!("1 {unit}"),
        many => format!("{many} {unit}s"),
    };
    match minutes {
        m if m >= 48 * 60 => one(m / (24 * 60), "day"),
        m if m >= 120 => one(m / 60, "hour"),
        m => one(m, "minute"),
    }
}

/// Why the last result of a probe for a target does not count; `None` where it does.
fn why_result_lacks(
    file: &ChangeFile,
    target: &Target,
    (probe, max_age): (&str, i64),
    now: Timestamp,
) -> Option<String> {
    let place = place_of(target);
    let Some(last) = last_result(file, probe, &place) else {
        return Some(format!("The probe `{probe}` has not responded for {place} yet."));
    };
    if last.result != EvidenceResult::Passed {
        let why = last.text.as_deref().unwrap_or("its answer cannot be read");
        return Some(format!(
            "The probe `{probe}` gave no valid response for {place} at {}: {why}",
            last.at
        ));
    }
    too_old(shown_at(file, last), max_age, now)
}

fn probe_lacks(file: &ChangeFile, item: &Item<'_>, probe: &str, max_age: i64, now: Timestamp) -> Option<Lack> {
    let lack = |target: &Target| why_result_lacks(file, target, (probe, max_age), now);
    let text = targets_of(file, item.row).find_map(lack)?;
    let satisfy = "The probe is queried again when the window opens; query it now with POST …/checklist/ID/probe.";
    Some(("probe_missing", text, satisfy.to_owned()))
}

/// The last result of a probe for a place, passed or failed.
pub fn last_result<'f>(file: &'f ChangeFile, probe: &str, place: &str) -> Option<&'f Evidence> {
    let is_it =
        |it: &&Evidence| it.kind == EvidenceKind::Probe && it.name == probe && it.place.as_deref() == Some(place);
    file.evidence.iter().filter(is_it).max_by_key(|it| (it.at, &it.id))
}

/// The places that the probe of a line covers.
pub fn places(file: &ChangeFile, item: &Item<'_>) -> BTreeSet<String> {
    targets_of(file, item.row).map(place_of).collect()
}

/// Whether an owner of each target and security, two people, waived an item for the content as it is.
pub fn is_waived(file: &ChangeFile, line: &ChecklistItem, item: &Item<'_>) -> bool {
    if line.agreed.is_empty() || line.agreed_what.as_deref() != Some(file.change.digests.what.as_str()) {
        return false;
    }
    let of = |part: WaiverPart, place: &String| -> BTreeSet<&PersonId> {
        let rows = line.agreed.iter();
        rows.filter(|it| it.part == part && it.places.contains(place))
            .map(|it| &it.by)
            .collect()
    };
    places(file, item).iter().all(|place| {
        let (owners, security) = (of(WaiverPart::Owner, place), of(WaiverPart::Security, place));
        owners
            .iter()
            .any(|owner| security.iter().any(|other| !file.hands.are_one(owner, other)))
    })
}

/// The times at which evidence and probe results of a change become too old.
pub(crate) fn ends(file: &ChangeFile) -> Vec<Timestamp> {
    let of = |item: Item<'_>| -> Vec<Timestamp> {
        let (rows, max_age): (Vec<&Evidence>, i64) = match item.check {
            ItemCheck::Evidence {
                aspect,
                max_age_minutes: Some(max_age),
                probe,
                ..
            } => {
                let places = places(file, &item);
                let answers = probe
                    .iter()
                    .flat_map(|probe| places.iter().filter_map(move |place| last_result(file, probe, place)));
                let brought = file.evidence.iter().filter(|it| it.aspect == *aspect);
                (brought.chain(answers).collect(), *max_age)
            }
            ItemCheck::Probe { probe, max_age_minutes } => {
                let answers = places(file, &item);
                let answers = answers.iter().filter_map(|place| last_result(file, probe, place));
                (answers.collect(), *max_age_minutes)
            }
            _ => return Vec::new(),
        };
        let end = |it: &&Evidence| shown_at(file, it).checked_add(SignedDuration::from_mins(max_age)).ok();
        rows.iter().filter_map(end).collect()
    };
    let rows = file.requirements.obligations.iter();
    rows.filter_map(Item::of).flat_map(of).collect()
}
