//! Facts, people and orders at random, checked against rules that are written down here once more, apart from the product's
//! code: risk is not lowered by claims (A) and follows facts that move (I), an emergency earns its name (B), success is earned
//! (D), the gate returns go for nothing that a person stopped (F, J), each row names people or states that nobody can (G), and
//! of those who agreed nobody wrote the change, has an interest in it, lost their account to another person, or counts for two
//! people (I).

use std::collections::{BTreeMap, BTreeSet};

use model::approval::decide;
use model::change::around;
use model::change::success::succeeded;
use model::core::enums::{Criticality, GateDecision, Kind, Level, State};
use model::core::ids::PersonId;
use model::directory::leaver;
use model::gate::names::{Kin, Names, matches_question, permitted};
use model::gate::permit;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::clocks::lent;
use crate::one_person::declare;
use crate::waiting::{named_in_vain, unsaid};
use crate::world::{World, body, facts_but};

const BUILD: &str = "git:aae5e5e";
const LEVELS: [&str; 4] = ["none", "low", "medium", "high"];
const CRITICALITIES: [Criticality; 3] = [Criticality::Low, Criticality::Medium, Criticality::High];
const OUTCOMES: [&str; 4] = ["succeeded", "failed", "rolled_back", "succeeded_with_issues"];
/// The incidents of the tests' estate, and an unknown one.
const NAMED: [&str; 4] = ["INC-1", "inc-7", "banana", "INC-99999"];

/// The approvers that the rules require: owner, security, change managers.
const ASKED: [&str; 4] = ["olga", "sam", "mia", "max"];
/// The people who may delegate their right to vera.
const LENDERS: [&str; 3] = ["olga", "sam", "mia"];
const DELEGATE: &str = "vera";

/// The origin of a change: stated so from the beginning, written high first and edited afterwards, or edited once it was
/// submitted and came back with a question.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    Written,
    Edited,
    Returned,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The next lawful step, so that stories get somewhere.
    Onward,
    /// The service becomes as critical as this.
    Facts(usize),
    /// The author states impact and complexity.
    State(usize, usize),
    /// The author makes it an emergency for an incident.
    Urgent(usize),
    /// The owner of the target or a change manager writes into it.
    Amend(usize, u8),
    /// An approver declares a conflict of interest.
    Declare(usize),
    /// A person's account was stolen.
    Compromise(usize),
    /// A disagreeing peer.
    Disagree,
    Hold,
    Resume,
    Freeze,
    Revoke,
    Lift,
    Complete(usize),
    Caused,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => Just(Step::Onward),
        2 => (0..3_usize).prop_map(Step::Facts),
        2 => (0..4_usize, 1..4_usize).prop_map(|(impact, complexity)| Step::State(impact, complexity)),
        1 => (0..4_usize).prop_map(Step::Urgent),
        1 => (0..2_usize, 0..3_u8).prop_map(|(who, title)| Step::Amend(who, title)),
        1 => (0..4_usize).prop_map(Step::Declare),
        1 => (0..4_usize).prop_map(Step::Compromise),
        1 => Just(Step::Disagree),
        1 => Just(Step::Hold),
        2 => Just(Step::Resume),
        1 => Just(Step::Freeze),
        2 => Just(Step::Revoke),
        1 => Just(Step::Lift),
        2 => (0..4_usize).prop_map(Step::Complete),
        1 => Just(Step::Caused),
        2 => (1..50_i64).prop_map(Step::Wait),
    ]
}

/// The events, as an observer beside the product writes them down.
#[derive(Clone, Debug, Default)]
struct Book {
    /// Stated impact on availability and complexity, as places in [`LEVELS`].
    stated: (usize, usize),
    criticality: usize,
    /// Grows with every edit of the work.
    epoch: usize,
    /// In which epoch somebody agreed.
    yes: BTreeMap<&'static str, usize>,
    /// The people who wrote into it, beside the requester.
    authors: BTreeSet<&'static str>,
    /// The people who declared a conflict of interest.
    barred: BTreeSet<&'static str>,
    /// The people who delegated their right to vera.
    lenders: BTreeSet<&'static str>,
    peer: Option<usize>,
    on_hold: bool,
    frozen_until: i64,
    minute: i64,
    /// Permits by whose revocation the target is closed.
    closed: BTreeSet<String>,
    outcome: Option<usize>,
    was_rolled_back: bool,
    caused: bool,
    urgent: Option<&'static str>,
}

impl Book {
    /// The level of the risk by the contract's table: the higher of stated and derived counts, as nobody accepts less here.
    fn risk(&self) -> Level {
        let derived = self.criticality + 1;
        let impact = self.stated.0.max(derived).max(1);
        match (impact, self.stated.1) {
            (3, 2..) | (2, 3) => Level::High,
            (3, 1) | (2, 2) | (_, 3) => Level::Medium,
            _ => Level::Low,
        }
    }

    fn says_yes(&self, who: &str) -> bool {
        let is_foreign = !self.authors.contains(who) && !self.barred.contains(who);
        is_foreign && self.yes.get(who) == Some(&self.epoch)
    }

    /// The people who agreed by a right: its holders, and their deputies.
    fn agreed(&self, holders: &[&'static str]) -> Vec<&'static str> {
        let is_lent = holders.iter().any(|holder| self.lenders.contains(holder));
        let delegate = Some(DELEGATE).filter(|_| is_lent);
        let all = holders.iter().copied().chain(delegate);
        all.filter(|who| self.says_yes(who)).collect()
    }

    /// Whether every required right is met, each by another person.
    fn is_agreed(&self, kind: Kind) -> bool {
        let mut rights = vec![self.agreed(&["olga"]), self.agreed(&["mia", "max"])];
        if kind != Kind::Emergency {
            rights.push(self.agreed(&["sam"]));
        }
        are_distinct(&rights, &mut BTreeSet::new())
    }

    /// Whether the gate may return go: nobody stopped it, and all approvers approved this content. A peer who is missing after
    /// the start holds the closing alone.
    fn may_go(&self, kind: Kind, is_begun: bool) -> bool {
        let stopped = self.on_hold || self.minute < self.frozen_until || !self.closed.is_empty();
        let peer = is_begun || kind == Kind::Emergency || self.risk() != Level::High || self.peer == Some(self.epoch);
        !stopped && self.is_agreed(kind) && peer && self.outcome.is_none()
    }

    fn success(&self) -> Option<bool> {
        let good = matches!(OUTCOMES[self.outcome?], "succeeded" | "succeeded_with_issues");
        Some(good && !self.was_rolled_back && !self.caused)
    }
}

/// Whether each row can be given a person of its own.
fn are_distinct(rows: &[Vec<&'static str>], taken: &mut BTreeSet<&'static str>) -> bool {
    let Some((row, rest)) = rows.split_first() else {
        return true;
    };
    row.iter().copied().any(|who| {
        let is_free = taken.insert(who);
        let fits = is_free && are_distinct(rest, taken);
        if is_free {
            taken.remove(who);
        }
        fits
    })
}

struct Story {
    world: World,
    book: Book,
}

impl Story {
    fn begin(entry: Entry, stated: (usize, usize), criticality: usize, lends: u8) -> Self {
        let high = |(impact, complexity): (usize, usize)| json!({"impact": {"data": "low", "availability": LEVELS[impact], "compliance": "none"}, "complexity": LEVELS[complexity]});
        let first = match entry {
            Entry::Written => high(stated),
            Entry::Edited | Entry::Returned => high((3, 3)),
        };
        let mut story = Self {
            world: World::with(facts_but(first), Vec::new()),
            book: Book {
                stated,
                ..Book::default()
            },
        };
        story.lend(lends);
        story.facts(criticality);
        if entry == Entry::Returned {
            let question = body(json!({"question": "Is it really so little?"}));
            story.world.submit("rita").unwrap();
            let returned = story.world.act("mia", |case| decide::return_change(case, &question));
            returned.unwrap();
        }
        if entry != Entry::Written {
            story.edit(high(stated));
        }
        story
    }

    /// Those of the bits lend their right to vera.
    fn lend(&mut self, bits: u8) {
        let lenders = LENDERS.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
        self.book.lenders = lenders.map(|(_, who)| *who).collect();
        let rows: Vec<_> = self.book.lenders.iter().map(|who| lent(who, DELEGATE, false)).collect();
        self.world.estate(|estate| estate.delegations = rows.into());
        self.world.settle();
    }

    /// The acts of a person beside the requester on the text and on the approvers.
    fn play_person(&mut self, step: Step) {
        if !self.world.change().state.is_before_start() {
            return;
        }
        match step {
            Step::Amend(who, title) => {
                let who = ["olga", "mia"][who];
                let before = self.world.change().content.clone();
                drop(self.world.edit(who, json!({"title": format!("Ship {title}")})));
                if self.world.change().content != before {
                    self.book.epoch += 1;
                    self.book.authors.insert(who);
                }
            }
            Step::Declare(who) => {
                declare(&mut self.world, ASKED[who], "a-board");
                self.book.barred.insert(ASKED[who]);
            }
            Step::Compromise(who) => {
                let person = PersonId::from(ASKED[who]);
                let left = self.world.act("system", |case| {
                    leaver::leave(case, &person, true);
                    Ok(())
                });
                left.unwrap();
                self.book.yes.remove(ASKED[who]);
            }
            _ => {}
        }
    }

    fn edit(&mut self, patch: Value) -> bool {
        let before = self.world.change().content.clone();
        let is_done = self.world.edit("rita", patch).is_ok();
        self.book.epoch += usize::from(self.world.change().content != before);
        is_done
    }

    fn facts(&mut self, criticality: usize) {
        self.world.estate(|estate| {
            let service = estate.services.get_mut(&"shop".into()).unwrap();
            service.criticality = CRITICALITIES[criticality];
        });
        self.world.settle();
        self.book.criticality = criticality;
    }

    fn play(&mut self, step: Step, round: usize) {
        match step {
            Step::Onward => self.onward(round),
            Step::Facts(criticality) => self.facts(criticality),
            Step::State(impact, complexity) => {
                let patch = json!({"impact": {"data": "low", "availability": LEVELS[impact], "compliance": "none"}, "complexity": LEVELS[complexity]});
                if self.edit(patch) {
                    self.book.stated = (impact, complexity);
                }
            }
            Step::Urgent(named) => {
                if self.edit(json!({"kind": "emergency", "incident": NAMED[named]})) {
                    self.book.urgent = Some(NAMED[named]);
                }
            }
            Step::Amend(..) | Step::Declare(_) | Step::Compromise(_) => self.play_person(step),
            Step::Disagree => {
                if self.world.peer_review("sue", "disagree").is_ok() {
                    self.book.peer = None;
                }
            }
            Step::Hold => self.book.on_hold |= self.world.hold("mia", json!({"reason": "Wait"})).is_ok(),
            Step::Resume => {
                let resumed = self.world.act("rita", model::schedule::plan::resume).is_ok();
                self.book.on_hold &= !resumed;
            }
            Step::Freeze => {
                let (start, end) = (self.world.now, self.world.now + jiff::SignedDuration::from_mins(30));
                self.world.freeze(&start.to_string(), &end.to_string(), true);
                self.book.frozen_until = self.book.minute + 30;
            }
            other => self.play_late(other),
        }
    }

    fn play_late(&mut self, step: Step) {
        match step {
            Step::Revoke => {
                let Some(id) = self.world.live_permits().first().map(|permit| permit.id.clone()) else {
                    return;
                };
                let words = body(json!({"reason": "The build is wrong."}));
                if self.world.act("mia", |case| permit::revoke(case, &id, &words)).is_ok() {
                    self.book.closed.insert(id.0);
                }
            }
            Step::Lift => {
                let Some(id) = self.book.closed.first().cloned() else {
                    return;
                };
                let words = body(json!({"reason": "It was right."}));
                let lifted = self
                    .world
                    .act("mia", |case| permit::lift(case, &id.as_str().into(), &words));
                if lifted.is_ok() {
                    self.book.closed.remove(&id);
                }
            }
            Step::Complete(outcome) => {
                let words = json!({"outcome": OUTCOMES[outcome], "reason": "Seen"});
                if self.world.complete("ida", words).is_ok() {
                    self.book.outcome = Some(outcome);
                    self.book.was_rolled_back |= OUTCOMES[outcome] == "rolled_back";
                }
            }
            Step::Caused => {
                let link = body(json!({"kind": "caused", "to": "INC-9"}));
                let linked = self.world.act("mia", |case| around::link(case, &link, &|_| None));
                self.book.caused |= linked.is_ok();
            }
            Step::Wait(minutes) => {
                self.world.wait(minutes);
                self.book.minute += minutes;
            }
            _ => {}
        }
    }

    fn onward(&mut self, round: usize) {
        match self.world.state() {
            State::Draft => drop(self.world.submit("rita")),
            State::Assessing => drop(self.world.assess("rita", json!({}))),
            State::Authorizing | State::Approved => {
                self.agree(["olga", "sam", "sue", "mia", "max", DELEGATE][round % 6]);
            }
            State::Scheduled => match round % 3 {
                0 => {
                    for aspect in ["functional", "compatibility", "security"] {
                        drop(self.world.evidence_of("pip", (aspect, "passed"), Some(BUILD)));
                    }
                }
                1 => self.play_late(Step::Wait(35)),
                _ => drop(self.world.collect("pip", BUILD)),
            },
            State::Implementing => self.play_late(Step::Complete(round % 4)),
            _ => {}
        }
    }

    fn agree(&mut self, who: &'static str) {
        if who == "sue" {
            if self.world.peer_review(who, "agree").is_ok() {
                self.book.peer = Some(self.book.epoch);
            }
        } else if self.world.approve(who).is_ok() {
            self.book.yes.insert(who, self.book.epoch);
        }
    }

    /// The differences of the world from the book.
    fn faults(&self) -> Vec<String> {
        let (book, change) = (&self.book, self.world.change());
        let mut found = Vec::new();
        if change.state.is_before_start() && change.risk.level < book.risk() {
            found.push(format!(
                "A, I: the risk is {}, and the facts say {}",
                change.risk.level,
                book.risk()
            ));
        }
        let names = book.urgent.map(str::to_uppercase);
        let is_ground = |name: &String| matches!(name.as_str(), "INC-1" | "INC-7" | "INC-9");
        if change.content.kind == Kind::Emergency && !names.as_ref().is_some_and(is_ground) {
            found.push(format!("B: an emergency for {names:?}"));
        }
        let (told, wanted) = (succeeded(change), book.success());
        if told == Some(true) && wanted != Some(true) {
            found.push(format!("D: it counts as {told:?}, and is {wanted:?}"));
        }
        if self.world.gate(BUILD).decision == GateDecision::Go
            && !book.may_go(change.content.kind, !change.state.is_before_start())
        {
            found.push(format!("F: go with {book:?}"));
        }
        found.extend(named_in_vain(&self.world).into_iter().map(|it| format!("G: {it}")));
        found.extend(
            unsaid(&self.world, 0)
                .into_iter()
                .map(|it| format!("G: {it} names nobody")),
        );
        found
    }
}

/// Whether a target covers the names of a query: all of them, and at least one.
fn is_named(own: [Option<&str>; 2], asked: [Option<&str>; 2]) -> bool {
    let rows = || own.into_iter().zip(asked);
    rows().any(|(_, asked)| asked.is_some()) && rows().all(|(own, asked)| asked.is_none() || asked == own)
}

/// How many stories are tried: `ASSENT_TEST_SIZE` times forty.
fn cases() -> u32 {
    let size = std::env::var("ASSENT_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse().ok());
    size.unwrap_or(1_u32).saturating_mul(40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn no_story_breaks_a_rule(
        entry in prop::sample::select(vec![Entry::Written, Entry::Edited, Entry::Returned]), stated in (0..4_usize, 1..4_usize),
        criticality in 0..3_usize, lends in prop_oneof![3 => Just(0_u8), 1 => 1..8_u8],
        steps in prop::collection::vec(step(), 20..70),
    ) {
        let mut story = Story::begin(entry, stated, criticality, lends);
        prop_assert_eq!(story.faults(), Vec::<String>::new(), "at the beginning");
        for (round, step) in steps.iter().enumerate() {
            story.play(*step, round);
            let faults = story.faults();
            prop_assert!(faults.is_empty(), "{:?} after {:?}", faults, &steps[..=round]);
        }
    }

    /// J: a target names everything in a query, and the permit for it has the same result offline.
    #[test]
    fn a_question_is_answered_by_what_it_names(
        own in [prop::option::of(0..2_u8), prop::option::of(0..2_u8)],
        asked in [prop::option::of(0..2_u8), prop::option::of(0..2_u8)],
    ) {
        let words = [["git:aae5e5e", "git:bbe5e5e"], ["c0ffee0", "c0ffee1"]];
        let named = |pair: [Option<u8>; 2]| [0, 1].map(|at| pair[at].map(|place| words[at][usize::from(place)]));
        let (own, asked) = (named(own), named(asked));
        let names = |pair: [Option<&'static str>; 2]| Names::new(pair[0], pair[1]);
        let answered = matches_question(names(own), names(asked), &Kin::default());
        prop_assert_eq!(answered, is_named(own, asked));
        if answered {
            let (artifact, commit) = permitted(names(own), names(asked));
            let permit = [artifact.as_deref(), commit.as_deref()];
            prop_assert!(is_named(permit, asked), "offline: {:?} for {:?}", permit, asked);
        }
    }
}

#[test]
fn the_usual_story_comes_to_go_and_the_book_finds_each_rule_broken() {
    let mut story = Story::begin(Entry::Written, (1, 1), 0, 0);
    for round in 0..40 {
        story.play(Step::Onward, round);
        assert_eq!(story.faults(), Vec::<String>::new(), "round {round}");
        if story.world.gate(BUILD).decision == GateDecision::Go {
            break;
        }
    }
    assert_eq!(story.world.gate(BUILD).decision, GateDecision::Go, "{:?}", story.book);
    let broken = |mend: &dyn Fn(&mut Story)| {
        let mut other = Story {
            world: story.world.clone(),
            book: story.book.clone(),
        };
        mend(&mut other);
        other.faults().concat()
    };
    assert!(broken(&|it| it.book.criticality = 2).contains("A, I"));
    assert!(broken(&|it| it.book.on_hold = true).contains("F: go"));
    assert!(broken(&|it| it.book.closed = ["p-1".to_owned()].into()).contains("F: go"));
    assert!(
        broken(&|it| it.book.epoch += 1).contains("F: go"),
        "nobody said yes to what is there now"
    );
    assert!(broken(&|it| it.book.authors = ["olga"].into()).contains("F: go"));
    assert!(broken(&|it| it.book.barred = ["sam"].into()).contains("F: go"));
    let by_one = |it: &mut Story| {
        it.book.lenders = LENDERS.into();
        it.book.yes = [(DELEGATE, it.book.epoch), ("sam", it.book.epoch)].into();
    };
    assert!(broken(&by_one).contains("F: go"), "two people met three rights");
    let by_three = |it: &mut Story| {
        by_one(it);
        it.book.yes.insert("max", it.book.epoch);
    };
    assert_eq!(broken(&by_three), "", "the delegate stands for the owner");
    assert!(broken(&|it| it.world.file.change.content.kind = Kind::Emergency).contains("B: "));
    story.world.collect("pip", BUILD).unwrap();
    story.play(Step::Complete(0), 0);
    assert_eq!(succeeded(story.world.change()), Some(true));
    assert_eq!(story.faults(), Vec::<String>::new());
    story.book.caused = true;
    assert!(story.faults().concat().contains("D: "));
}
