//! Finds the acts that are open to the acting person on a change now: legal in its state, allowed by the policies, and
//! useful. Pages offer these and no others; the act itself checks everything again.

use jiff::Timestamp;
use model::approval::authority::{peer_counts, rules_open_for};
use model::approval::obligation::{Due, Duty};
use model::change::change_file::ChangeFile;
use model::change::lifecycle::is_legal;
use model::change::{after, eligible};
use model::core::act::Act;
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;
use model::emergency::break_glass::{is_only_admin, opening_wants, signing_wants};
use model::emergency::budget::{could_co_sign, waits_for_cosignature};
use model::emergency::owed::validated_it;
use model::identity::factor::Wanted;
use model::policy::facts::Part;
use model::policy::permission::{actor_facts, check_lent, parts_of, present_facts, target_facts};

use crate::core::context::Context;
use crate::core::error::Result;

/// The acts that are open, and whether a decision needs a fresh factor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenActs {
    /// The acts, in the order of [`Act::ALL`].
    pub acts: Vec<Act>,
    /// The missing part of the factor that the rules require before this person decides.
    pub decision_lacks: Option<Wanted>,
    /// The same before they use break-glass.
    pub opening_lacks: Option<Wanted>,
    /// The same before they co-sign a break-glass.
    pub signing_lacks: Option<Wanted>,
    /// Why the deciding acts are not open to a person whose sign-in another person set up.
    pub withheld: Option<String>,
}

impl OpenActs {
    /// Whether an act is open.
    pub fn has(&self, act: Act) -> bool {
        self.acts.contains(&act)
    }
}

/// Finds the open acts on a loaded file.
///
/// # Errors
/// The store's.
pub fn find_acts(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<OpenActs> {
    let directory = cx.directory()?;
    let tenant = cx.tenant();
    let person = cx.actor.person.clone();
    let asked = rules_open_for(file, &directory, &person, cx.now);
    let facts = actor_facts(
        &cx.actor,
        &directory,
        parts_of(file, &directory, &person, cx.now),
        cx.now,
    );
    // An approver under dual control or peer review co-signs like a person who is requested.
    let mut signer = facts.clone();
    if !signer.parts.contains(&Part::Asked) {
        signer.parts.push(Part::Asked);
    }
    let (change, targets) = (
        present_facts(file, &directory, &tenant, cx.now),
        target_facts(file, &directory, cx.now),
    );
    let policies = cx.policies()?;
    let mut withheld = None;
    let mut is_lent = |act: Act| {
        let refused = check_lent(file, &directory, &cx.actor, cx.now, act).err();
        let is_lent = refused.is_some();
        withheld = withheld.take().or(refused.map(|refusal| refusal.text()));
        is_lent
    };
    let acts = Act::ALL
        .iter()
        .copied()
        .filter(|act| is_legal(*act, file.change.state))
        .filter(|act| makes_sense(*act, file, &directory, &person, (!asked.is_empty(), cx.now)))
        .filter(|act| *act != Act::CosignBreakGlass || could_cosign(file, &directory, &person, cx.now))
        .filter(|act| {
            let facts = if *act == Act::CosignBreakGlass { &signer } else { &facts };
            policies.may(facts, act.as_str(), Some((&change, &targets))).allowed
        })
        .filter(|act| !is_lent(*act))
        .collect();
    let (actor, now) = (&cx.actor, cx.now);
    let lacks = |wanted: Option<Wanted>| wanted.filter(|wanted| !actor.shows(*wanted, now));
    Ok(OpenActs {
        acts,
        decision_lacks: lacks(asked.iter().map(|asking| asking.rule.wanted_factor()).max()),
        opening_lacks: lacks(Some(opening_wants(file))),
        signing_lacks: lacks(Some(signing_wants(file))),
        withheld,
    })
}

/// Whether the act is useful now: a change that is not on hold offers no resume.
fn makes_sense(
    act: Act,
    file: &ChangeFile,
    directory: &Directory,
    person: &PersonId,
    (is_asked, now): (bool, Timestamp),
) -> bool {
    let change = &file.change;
    let glass = change.break_glass.as_ref();
    match act {
        Act::Submit | Act::Assess | Act::Schedule | Act::Start => !change.is_on_hold(),
        Act::Approve => is_asked && !change.is_on_hold(),
        Act::Acknowledge => change
            .requests
            .iter()
            .any(|request| &request.person == person && request.acknowledged_at.is_none()),
        Act::Hold => !change.is_on_hold(),
        Act::Resume => change.is_on_hold(),
        Act::Overrule => change
            .rejection
            .as_ref()
            .is_some_and(|rejection| rejection.overruled.is_none()),
        Act::PeerReview => is_peer(file, directory, person),
        Act::AskExtension => !has_open_extension(file),
        Act::DecideExtension => {
            has_open_extension(file)
                && change
                    .extension
                    .as_ref()
                    .is_some_and(|extension| &extension.by != person)
        }
        Act::BreakGlass => {
            // Break-glass without its second signature has ended and may be used again.
            let is_free = glass.is_none_or(|glass| glass.ended || glass.until <= now);
            is_free && !change.is_on_hold() && !is_only_admin(directory, person)
        }
        Act::ValidateBreakGlass => glass.is_some_and(|glass| glass.validated.is_none() && &glass.by != person),
        Act::ConfirmRetrospective => change
            .retrospective
            .as_ref()
            .is_some_and(|retro| retro.confirmation.is_none() && &retro.verbal_approver == person),
        Act::Validate => eligible::is_independent((file, directory, now), person),
        Act::Review => {
            let has_validated = !change.state.is_final() && validated_it(change, person);
            !after::is_only_implementer(change, person) && !has_validated
        }
        Act::Close => {
            let has_opened = change.lawful_break_glass().is_some_and(|glass| &glass.by == person);
            !has_opened && !after::is_only_implementer(change, person) && !validated_it(change, person)
        }
        Act::StateFinding => change.unauthorized && change.finding.is_none() && !eligible::has_stake(change, person),
        _ => true,
    }
}

/// Whether a use of break-glass waits for a signature that this person could give.
pub(crate) fn could_cosign(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> bool {
    let change = &file.change;
    waits_for_cosignature(change, now)
        && !change.is_on_hold()
        && change.break_glass.as_ref().is_some_and(|glass| &glass.by != person)
        && could_co_sign(file, directory, person, now)
}

fn has_open_extension(file: &ChangeFile) -> bool {
    file.change
        .extension
        .as_ref()
        .is_some_and(|extension| extension.decision.is_none())
}

/// Whether a rule requires a peer review that this person may give, and has not given on the present content.
fn is_peer(file: &ChangeFile, directory: &Directory, person: &PersonId) -> bool {
    let said = file.agreeing_peers().any(|review| &review.person == person);
    !said
        && file
            .requirements
            .obligations
            .iter()
            .any(|row| match &row.obligation.duty {
                Duty::PeerReview { from, .. } => {
                    let is_due = row.obligation.due == Due::Close || file.change.state.is_before_start();
                    is_due && peer_counts(file, directory, person, from.as_ref())
                }
                _ => false,
            })
}
