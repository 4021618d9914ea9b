//! Searches a set of policies for forbidden paths: histories that must not be possible under any set. The search needs no data
//! of a tenant. A fictitious company takes changes of every distinguished shape through the real acts, and for very many more
//! changes the set's requirements are computed. Pure, bounded, and the same every time.
//!
//! The forbidden paths: one person brings a change to production alone, even with a pipeline's token; high risk starts without
//! a peer review; break-glass is closed without another person's validation; retroactive work is closed without the named
//! approver's confirmation; a change cannot be completed although everybody is available and does their part. A standard change
//! is no path for one person alone: its template was approved by two.

mod cast;
mod facts;
mod stage;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use model::approval::obligation::Duty;
use model::core::enums::{Category, Criticality, Kind, Level, Role, State, Touch};
use model::core::ids::PersonId;
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Directory;
use model::policy::facts::{ActorFacts, ChangeFacts, Part, TargetFacts};
use model::policy::permission::{present_facts, target_facts};
use policy::PolicySet;
use serde::Serialize;

pub(crate) use cast::behind;
use cast::{Cast, NamesInSet};
use stage::{Stage, StageActor};

/// The most shapes of changes that are tried; a set with more shapes is searched in these alone.
const MOST_SHAPES: usize = 48;
/// The most shapes for which break-glass is tried.
const MOST_GLASSES: usize = 6;
/// How many people have each right where no rule needs many.
const FEW: usize = 5;
/// How many more there are than a rule needs: one without trainings, one who is a peer reviewer, one to spare.
const SPARE: usize = 3;

/// A history that must not be possible, or a required one that is impossible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// `self_approval`, `no_peer_review`, `break_glass_unvalidated`, `retrospective_unconfirmed` or `nobody_can`.
    pub path: &'static str,
    /// The problem, in one sentence.
    pub title: String,
    /// The change of the story.
    pub about: String,
    /// The steps with their actors, in order.
    pub steps: Vec<Step>,
    /// The rule that should have stopped it, or that blocks it.
    pub rule: String,
}

/// One step of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The actor.
    pub who: String,
    /// Their act.
    pub does: String,
}

impl fmt::Display for Story {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} The change: {}.", self.title, self.about)?;
        for (place, step) in self.steps.iter().enumerate() {
            writeln!(out, "  {}. {} {}.", place + 1, step.who, step.does)?;
        }
        write!(out, "{}", self.rule)
    }
}

/// A change that differs from others in a field that a set reads.
#[derive(Debug, Clone)]
struct Shape {
    kind: Kind,
    is_told_afterwards: bool,
    is_high: bool,
    category: Category,
    touches: Vec<Touch>,
    service: String,
    is_expedited: bool,
    in_staging: bool,
}

impl Shape {
    /// A change with only its kind and risk.
    fn plain(kind: Kind, is_high: bool) -> Self {
        Self {
            kind,
            is_told_afterwards: false,
            is_high,
            category: Category::Application,
            touches: Vec::new(),
            service: cast::PLAIN.to_owned(),
            is_expedited: false,
            in_staging: false,
        }
    }

    /// Where it goes.
    fn environment(&self) -> &'static str {
        if self.in_staging { "staging" } else { "production" }
    }

    fn words(&self) -> String {
        let risk = if self.is_high { "high" } else { "low" };
        let touches: Vec<&str> = self.touches.iter().map(|touch| touch.as_str()).collect();
        let touching = match touches.len() {
            0 => String::new(),
            1..=3 => format!(", touching {}", touches.join(" and ")),
            _ => ", touching everything that is sensitive".to_owned(),
        };
        let when = match (self.is_told_afterwards, self.is_expedited) {
            (true, _) => "told afterwards, ",
            (_, true) => "expedited, ",
            _ => "",
        };
        format!(
            "{when}{}, {risk} risk, {}, in {} of {}{touching}",
            self.kind,
            self.category,
            self.environment(),
            self.service
        )
    }
}

/// Searches a set; an empty result means that no forbidden path was found. Works on a thread with stack enough.
pub fn search_histories(set: &PolicySet) -> Vec<Story> {
    policy::on_policy_thread(|| search(set))
}

/// How many sets without a forbidden path are remembered.
const CLEAN_SETS: usize = 64;

/// The digests of the sets in which this program found no forbidden path. The search depends on the set alone and takes seconds
/// in which nobody else writes, so a set that is proposed and then put in force is searched once.
static CLEAN: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Refuses a set under which a forbidden path is open.
///
/// # Errors
/// 422 with each path as a story.
pub(crate) fn check_histories(set: &PolicySet) -> Result<(), Refusal> {
    let clean = || CLEAN.lock().unwrap_or_else(PoisonError::into_inner);
    if clean().iter().any(|digest| digest == set.digest()) {
        return Ok(());
    }
    let stories = search_histories(set);
    if stories.is_empty() {
        let mut clean = clean();
        if clean.len() == CLEAN_SETS {
            clean.pop_front();
        }
        clean.push_back(set.digest().to_owned());
        return Ok(());
    }
    let told = |story: &Story| FieldError::new("histories", story.path, story.to_string());
    Err(Refusal::Invalid(stories.iter().map(told).collect()))
}

fn search(set: &PolicySet) -> Vec<Story> {
    let words = NamesInSet::of(set);
    let few = Cast::company(&words, FEW);
    let Looked {
        shapes,
        most,
        mut stories,
    } = look(set, &few.directory, &words);
    let honest = if most + SPARE > FEW {
        Cast::company(&words, most + SPARE)
    } else {
        few
    };
    let alone = Cast::one_person(&words);
    let mut glasses = 0;
    for shape in &shapes {
        let mut found = walks(set, (&alone, &honest), shape);
        let is_planned = shape.kind != Kind::Standard && !shape.is_told_afterwards;
        if shape.kind == Kind::Normal && shape.is_high && is_planned {
            found.push(without_peer(set, &honest, shape));
        }
        if glasses < MOST_GLASSES && is_planned {
            glasses += 1;
            found.push(glass(set, &honest, shape));
        }
        for story in found.into_iter().flatten() {
            let known = |it: &Story| it.path == story.path && it.rule == story.rule;
            if !stories.iter().any(known) {
                stories.push(story);
            }
        }
    }
    for story in facts::unasked(set, &words) {
        // A path found by real acts explains more.
        if !stories.iter().any(|it| it.path == story.path) {
            stories.push(story);
        }
    }
    stories
}

/// The checks for every shape of a sort.
fn walks(set: &PolicySet, (alone, honest): (&Cast, &Cast), shape: &Shape) -> Vec<Option<Story>> {
    if shape.is_told_afterwards {
        return vec![self_approval(set, alone, shape), unconfirmed(set, honest, shape)];
    }
    if shape.kind == Kind::Standard {
        return vec![to_its_end(set, honest, shape)];
    }
    vec![alone_to_the_start(set, alone, shape), to_its_end(set, honest, shape)]
}

/// Alma reports retroactive work, with herself as its approver.
fn self_approval(set: &PolicySet, alone: &Cast, shape: &Shape) -> Option<Story> {
    let alma = StageActor::person("alma");
    let mut stage = Stage::open(set, &alone.directory, &alma, (shape, &[])).ok()?;
    stage.confirm(&alma);
    if !stage.finish(&["alma"]) {
        return None;
    }
    let title = "One person does work, tells of it afterwards, and says themselves that it was allowed.";
    let rule = "The verbal approver must be another person than the requester.".to_owned();
    Some(stage.story("self_approval", title, (shape, rule)))
}

/// Retroactive work: not closed before the named person has confirmed it, and closed then.
fn unconfirmed(set: &PolicySet, cast: &Cast, shape: &Shape) -> Option<Story> {
    // A set may forbid retroactive reports altogether.
    let rita = StageActor::person("rita");
    let mut stage = Stage::open(set, &cast.directory, &rita, (shape, &["ida"])).ok()?;
    if stage.finish(&["ida"]) {
        let title = "Work is told afterwards and closed, and whoever is said to have allowed it was never heard.";
        let rule = "The house's rule on work told afterwards should have held the closing \
                    (`base.act.confirm_retrospective`)."
            .to_owned();
        return Some(stage.story("retrospective_unconfirmed", title, (shape, rule)));
    }
    stage.confirm(&StageActor::person(cast::OPENER));
    if stage.finish(&["ida"]) {
        return None;
    }
    let title = "Work that was told afterwards and confirmed can be closed by nobody.";
    let rule = stage.stuck();
    Some(stage.story("nobody_can", title, (shape, rule)))
}

/// The result of the first look at every shape.
struct Looked {
    /// The shapes that a set distinguishes, by its requirements and by whether it lets the required people act.
    shapes: Vec<Shape>,
    /// The most people that one rule needs.
    most: usize,
    /// Acts that are open to nobody.
    stories: Vec<Story>,
}

fn look(set: &PolicySet, directory: &Arc<Directory>, words: &NamesInSet) -> Looked {
    let mut seen = BTreeSet::new();
    let (mut found, mut most, mut stories) = (Vec::new(), 0, Vec::new());
    for shape in candidates(words) {
        let Ok(stage) = Stage::open(set, directory, &StageActor::person("rita"), (&shape, &["ida"])) else {
            if shape.kind == Kind::Standard || shape.is_told_afterwards {
                // A set may forbid these ways; then no story uses them.
                continue;
            }
            // If nobody may even write it, the shape is tried, so that the story shows this.
            found.push(shape);
            continue;
        };
        let facts = present_facts(&stage.file, directory, "acme", stage.now);
        let targets = target_facts(&stage.file, directory, stage.now);
        stories.extend(open_to_nobody(&stage, (&facts, &targets), &shape));
        let mut told: Vec<String> = Vec::new();
        for row in &stage.file.requirements.obligations {
            told.push(row.obligation.id.clone());
            if let Duty::Approval(rule) = &row.obligation.duty {
                most = most.max(rule.count.max(rule.quorum.unwrap_or_default()) as usize);
            }
        }
        for (role, part, act) in PROBES {
            let actor = probe(*role, *part);
            told.push(set.may(&actor, act, Some((&facts, &targets))).allowed.to_string());
        }
        if seen.insert((shape.kind, shape.is_told_afterwards, shape.is_high, told)) {
            found.push(shape);
        }
        if found.len() >= MOST_SHAPES {
            break;
        }
    }
    // One rule is reported once for each act, however many shapes it is about.
    let mut known = BTreeSet::new();
    stories.retain(|story: &Story| known.insert((story.title.clone(), story.rule.clone())));
    Looked {
        shapes: found,
        most,
        stories,
    }
}

/// Acts that no story reaches for every shape, with the part that their actors have, and the problem if nobody may do them.
const OFF_THE_WAY: &[(&str, Part, &str)] = &[
    (
        "validate_break_glass",
        Part::Owner,
        "A broken glass can be validated by nobody.",
    ),
    (
        "peer_review_change",
        Part::Peer,
        "A peer review can be given by nobody.",
    ),
    (
        "meet_condition",
        Part::Checker,
        "A condition can be called met by nobody.",
    ),
    (
        "state_finding",
        Part::Peer,
        "The finding on unauthorized work can be stated by nobody.",
    ),
    (
        "resume_change",
        Part::Owner,
        "A change on hold can be resumed by nobody.",
    ),
];

/// Of the acts off the way those that a set's own rules forbid to everybody, for a change of this shape.
fn open_to_nobody(stage: &Stage<'_>, (change, targets): (&ChangeFacts, &[TargetFacts]), shape: &Shape) -> Vec<Story> {
    let mut found = Vec::new();
    for (act, part, title) in OFF_THE_WAY {
        let mut forbids = BTreeSet::new();
        let is_let = |person: &PersonId| {
            let mut facts = stage.facts_of(person);
            facts.parts.push(*part);
            let verdict = stage.set.may(&facts, act, Some((change, targets)));
            let own = verdict.reasons.iter().filter(|row| !row.id.starts_with("base."));
            forbids.extend(own.map(|row| format!("{}: {}", row.id, row.reason)));
            verdict.allowed
        };
        let is_open = stage.directory.people.keys().any(is_let);
        // Where the base alone does not give it, the people of the search lack a role, not the set a way.
        if !is_open && !forbids.is_empty() {
            let rule = forbids.into_iter().collect::<Vec<_>>().join(" ");
            found.push(stage.story("nobody_can", title, (shape, rule)));
        }
    }
    found
}

/// Acts that a set may forbid for some changes, by their usual actors.
const PROBES: &[(Role, Part, &str)] = &[
    (Role::Owner, Part::Asked, "approve_change"),
    (Role::Pipeline, Part::Asked, "approve_change"),
    (Role::Implementer, Part::Implementer, "start_change"),
    (Role::Implementer, Part::Implementer, "complete_change"),
    (Role::Requester, Part::Requester, "submit_change"),
    (Role::Requester, Part::Requester, "assess_change"),
    (Role::Requester, Part::Requester, "add_evidence"),
    (Role::Requester, Part::Tester, "validate_change"),
    (Role::ChangeManager, Part::Owner, "review_change"),
    (Role::ChangeManager, Part::Owner, "close_change"),
    (Role::Owner, Part::Peer, "peer_review_change"),
    (Role::Owner, Part::Owner, "comment_change"),
];

fn probe(role: Role, part: Part) -> ActorFacts {
    ActorFacts {
        person: "nobody".into(),
        roles: vec![role],
        groups: Vec::new(),
        by_token: role == Role::Pipeline,
        parts: vec![part],
        functions: Vec::new(),
        trainings: Vec::new(),
    }
}

/// Every candidate shape: each kind and risk, plain, with one field set to a value that the set names (or to one that the set
/// does not name), and with all fields set.
fn candidates(words: &NamesInSet) -> Vec<Shape> {
    let mut found = Vec::new();
    let touches = words.told_apart("Touch", Touch::ALL, Touch::as_str);
    let categories = words.told_apart("Category", Category::ALL, Category::as_str);
    found.extend(other_ways(words));
    for (kind, is_high) in [
        (Kind::Normal, false),
        (Kind::Normal, true),
        (Kind::Emergency, false),
        (Kind::Emergency, true),
    ] {
        let plain = Shape::plain(kind, is_high);
        found.push(plain.clone());
        if words.say("expedited") && kind == Kind::Normal {
            found.push(Shape {
                is_expedited: true,
                ..plain.clone()
            });
        }
        if words.say("environment") {
            found.push(Shape {
                in_staging: true,
                ..plain.clone()
            });
        }
        found.extend(words.services().into_iter().map(|service| Shape {
            service,
            ..plain.clone()
        }));
        found.extend(touches.iter().map(|touch| Shape {
            touches: vec![*touch],
            ..plain.clone()
        }));
        found.extend(categories.iter().map(|category| Shape {
            category: *category,
            ..plain.clone()
        }));
        found.extend(pairs(&categories, &touches).map(|(category, touch)| Shape {
            category,
            touches: vec![touch],
            ..plain.clone()
        }));
        found.push(Shape {
            touches: Touch::ALL.to_vec(),
            service: cast::EVERYTHING.to_owned(),
            category: Category::Database,
            ..plain
        });
    }
    found
}

/// Each category with each touch: a rule may be about the two together.
fn pairs<'a>(categories: &'a [Category], touches: &'a [Touch]) -> impl Iterator<Item = (Category, Touch)> + 'a {
    let each = categories.iter().copied();
    each.flat_map(move |category| touches.iter().map(move |touch| (category, *touch)))
}

/// Changes that follow a template, and retroactive work, for every service.
fn other_ways(words: &NamesInSet) -> Vec<Shape> {
    let mut found = Vec::new();
    for (kind, is_told_afterwards, is_high) in [
        (Kind::Standard, false, false),
        (Kind::Normal, true, false),
        (Kind::Normal, true, true),
    ] {
        let services = [cast::PLAIN.to_owned(), cast::EVERYTHING.to_owned()];
        found.extend(services.into_iter().chain(words.services()).map(|service| Shape {
            is_told_afterwards,
            service,
            ..Shape::plain(kind, is_high)
        }));
    }
    found
}

/// Alma has every right and is in every group, and a pipeline runs with a token of hers.
fn alone_to_the_start(set: &PolicySet, alone: &Cast, shape: &Shape) -> Option<Story> {
    let (alma, robot) = (StageActor::person("alma"), StageActor::token("robot"));
    let mut stage = Stage::open(set, &alone.directory, &alma, (shape, &[])).ok()?;
    stage.submit(&alma);
    stage.prepare(&[&alma, &robot], true);
    stage.assess(&alma);
    stage.prepare(&[&alma, &robot], true);
    stage.approach(|stage| {
        for hand in [&alma, &robot] {
            stage.approve(hand);
        }
    });
    if ![&alma, &robot].iter().any(|hand| stage.start(hand)) {
        return None;
    }
    let voted = stage
        .file
        .standing()
        .any(|approval| approval.person.as_str() == "robot");
    let rule = if voted {
        "A decision is a person's: `base.act.pipeline_judges_nothing` should have refused the pipeline's token."
            .to_owned()
    } else {
        self_approval_rule(shape.kind).to_owned()
    };
    let title = "One person writes a change and brings it out alone: nobody else approves it.";
    Some(stage.story("self_approval", title, (shape, rule)))
}

/// The rules that should have required another person.
fn self_approval_rule(kind: Kind) -> &'static str {
    if kind == Kind::Emergency {
        return "No rule asks another person: `base.require.emergency_owner` and `base.require.emergency_change_manager` \
                should have stopped the start.";
    }
    "No rule asks another person: `base.require.owner`, `base.require.security` or `base.require.change_manager` \
     should have stopped the start."
}

/// The path, the title and the missing rule of high risk that no peer has read.
fn no_peer_story() -> (&'static str, &'static str, String) {
    let title = "A change of high risk starts although no peer has read it.";
    let rule = "`base.require.peer_review` should have stopped the start.".to_owned();
    ("no_peer_review", title, rule)
}

/// Everybody does their part, except for the peers.
fn without_peer(set: &PolicySet, cast: &Cast, shape: &Shape) -> Option<Story> {
    let mut stage = honest_to_the_start(set, cast, shape, false).ok()?;
    if stage.file.change.risk.level != Level::High || !start(&mut stage) {
        return None;
    }
    let (path, title, rule) = no_peer_story();
    Some(stage.story(path, title, (shape, rule)))
}

fn start(stage: &mut Stage<'_>) -> bool {
    stage.start(&StageActor::person("ida")) || stage.start(&StageActor::token("pip"))
}

fn honest_to_the_start<'s>(
    set: &'s PolicySet,
    cast: &Cast,
    shape: &Shape,
    with_peers: bool,
) -> Result<Stage<'s>, Box<(Vec<Step>, Refusal)>> {
    let rita = StageActor::person("rita");
    let mut stage = Stage::open(set, &cast.directory, &rita, (shape, &["ida"]))
        .map_err(|refusal| Box::new((Vec::new(), refusal)))?;
    stage.submit(&rita);
    stage.prepare(
        &[&rita, &StageActor::person("ida"), &StageActor::token("pip")],
        with_peers,
    );
    stage.assess(&rita);
    stage.prepare(
        &[&rita, &StageActor::person("ida"), &StageActor::token("pip")],
        with_peers,
    );
    stage.approach(Stage::gather_approvals);
    Ok(stage)
}

/// Everybody is available and does their part: the change must reach its end.
fn to_its_end(set: &PolicySet, cast: &Cast, shape: &Shape) -> Option<Story> {
    let title = "A change can be brought to its end by nobody, although everybody is there and does what is asked.";
    let mut stage = match honest_to_the_start(set, cast, shape, true) {
        Ok(stage) => stage,
        Err(stuck) => {
            let (steps, refusal) = *stuck;
            let (about, rule) = (shape.words(), refusal.to_string());
            return Some(Story {
                path: "nobody_can",
                title: title.to_owned(),
                about,
                steps,
                rule,
            });
        }
    };
    if start(&mut stage) && stage.finish(&["ida", "pip"]) {
        return None;
    }
    let rule = stage.stuck();
    Some(stage.story("nobody_can", title, (shape, rule)))
}

/// An owner opens break-glass; everything is done afterwards except the validation by another person.
fn glass(set: &PolicySet, cast: &Cast, shape: &Shape) -> Option<Story> {
    let (rita, opener) = (StageActor::person("rita"), StageActor::person(cast::OPENER));
    let mut stage = Stage::open(set, &cast.directory, &rita, (shape, &["ida"])).ok()?;
    if !stage.break_glass(&opener) {
        let title = "Nobody can break the glass, although the contract of the house says that an owner may.";
        let rule = stage.stuck();
        return Some(stage.story("nobody_can", title, (shape, rule)));
    }
    if stage.file.change.state != State::Implementing {
        stage.cosign(&cast.people());
    }
    stage.validate_glass(&opener);
    let is_closed = stage.finish(&["ida", cast::OPENER]);
    let validated = stage
        .file
        .change
        .break_glass
        .as_ref()
        .and_then(|glass| glass.validated.as_ref());
    let by_another = validated.is_some_and(|it| it.by.as_str() != cast::OPENER);
    if is_closed && !by_another {
        let title = "Somebody breaks the glass and the change is closed, and nobody else has looked at what was done.";
        let rule = "The house's rule on break-glass should have held the closing until another person validated it \
                    (`base.act.validate_break_glass`)."
            .to_owned();
        return Some(stage.story("break_glass_unvalidated", title, (shape, rule)));
    }
    for person in cast.people() {
        if person != cast::OPENER && stage.validate_glass(&StageActor::person(&person)) {
            break;
        }
    }
    if stage.finish(&["ida", cast::OPENER]) {
        return None;
    }
    let title = "A broken glass can be brought to its end by nobody.";
    let rule = stage.stuck();
    Some(stage.story("nobody_can", title, (shape, rule)))
}

/// Whether an obligation is a peer review.
fn is_peer_review(duty: &Duty) -> bool {
    matches!(duty, Duty::PeerReview { .. })
}

/// The names of the criticalities, for services of the fictitious company.
fn criticalities() -> [(Criticality, &'static str); 4] {
    [
        (Criticality::Low, "low"),
        (Criticality::Medium, "medium"),
        (Criticality::High, "high"),
        (Criticality::Critical, "critical"),
    ]
}
