//! The part of waves in the gate's decision: a member goes in its own wave, and none goes while the waves are stopped.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::change_file::ChangeFile;
use crate::change::eligible;
use crate::change::record::Target;
use crate::change::waves::member_outcome::{has_ended, has_failed};
use crate::core::enums::{MemberState, WaveStopCause};
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};

/// The status of waves, as the row of a target keeps it: no counts, so that the row changes with the waves and not with each
/// member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveGate {
    /// The digest of the member list.
    pub list: String,
    /// The number of the wave that is open.
    pub current: i64,
    /// The names of the waves.
    pub waves: Vec<String>,
    /// From when the open wave may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// Whether as many members are in progress as may be at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_full: bool,
    /// The reason why the waves are stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Unmet>,
    /// The people who resume waves and record outcomes: logins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// The member about which a question is, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateMember {
    /// Its name, as requested.
    pub name: String,
    /// The number of its wave; `None` where the list has no such member.
    pub wave: Option<i64>,
    /// Its state, where an outcome was reported.
    pub state: Option<MemberState>,
}

/// The status of a target's waves; `None` for a target without members.
#[must_use]
pub fn wave_gate(file: &ChangeFile, directory: &Directory, target: &Target, now: Timestamp) -> Option<WaveGate> {
    let change = &file.change;
    let list = target.members.as_ref()?;
    let (run, plan) = (change.wave_run.as_ref()?, change.content.wave_plan.as_ref()?);
    let people = logins(directory, &eligible::implementers(file, directory, now));
    let stop = run.stop.as_ref().map(|stop| {
        let code = match stop.cause {
            WaveStopCause::Person => "waves_paused",
            _ => "waves_halted",
        };
        let help = "An implementer of the change reviews the halt and resumes the waves (POST …/waves/resume).";
        unmet(code, stop.sentence(run, plan), help, people.clone())
    });
    Some(WaveGate {
        list: list.digest.clone(),
        current: run.current,
        waves: run.waves.iter().map(|wave| wave.wave.clone()).collect(),
        opens_at: run.opens_at,
        is_full: plan.most_at_once.is_some_and(|most| run.in_progress >= most),
        stop,
        people,
    })
}

impl WaveGate {
    fn name_of(&self, number: i64) -> String {
        let name = usize::try_from(number - 1).ok().and_then(|at| self.waves.get(at));
        name.map_or_else(|| number.to_string(), |name| format!("{number} “{name}”"))
    }
}

/// The obstacles from waves to a row's way forward.
pub(crate) fn against(
    key: &str,
    (waves, member): (Option<&WaveGate>, Option<&GateMember>),
    now: Timestamp,
) -> Vec<Unmet> {
    let Some(waves) = waves else { return Vec::new() };
    let one = |code: &str, text: String, help: &str| vec![unmet(code, text, help, waves.people.clone())];
    if let Some(stop) = &waves.stop {
        return vec![stop.clone()];
    }
    let Some(asked) = member else {
        let text = format!("{key} is rolled out to its members in waves, and the request contains no member.");
        return one(
            "member_missing",
            text,
            "Repeat the request with `member=`, once for each member.",
        );
    };
    let Some(wave) = asked.wave else {
        let text = format!("`{}` is not a member of {key}.", asked.name);
        return one(
            "member_unknown",
            text,
            "Correct the name, or add the member before the change is approved.",
        );
    };
    match asked.state {
        Some(MemberState::InProgress) => return Vec::new(),
        Some(state) if has_failed(state) => {
            let text = format!("`{}` has {}.", asked.name, state_text(state));
            return one(
                "member_failed",
                text,
                "An implementer of the change can start a retry (POST …/waves/retries).",
            );
        }
        Some(state) if has_ended(state) => {
            let text = format!("`{}` has {}.", asked.name, state_text(state));
            return one("member_done", text, "No work is left for this member in this change.");
        }
        _ => {}
    }
    if wave > waves.current {
        let text = format!(
            "`{}` goes in wave {}, which waits for wave {}.",
            asked.name,
            waves.name_of(wave),
            waves.name_of(waves.current)
        );
        return one(
            "wave_waits",
            text,
            "Report the outcomes of the open wave; the next wave then opens automatically.",
        );
    }
    if let Some(opens) = waits_until(Some(waves), member).filter(|opens| now < *opens) {
        let text = format!(
            "Wave {} opens at {opens}: the wave before it is watched until then.",
            waves.name_of(wave)
        );
        return one("wave_watched", text, "Wait for it.");
    }
    if waves.is_full {
        let text = format!("The limit of concurrent members of {key} is reached.");
        return one("wave_full", text, "Repeat the request when one of them has ended.");
    }
    Vec::new()
}

fn state_text(state: MemberState) -> &'static str {
    match state {
        MemberState::Failed => "failed",
        MemberState::RolledBack => "been rolled back",
        MemberState::NotImplemented => "been left out",
        _ => "what the change brings",
    }
}

/// When the clock alone opens the wave of the requested member.
pub(crate) fn waits_until(waves: Option<&WaveGate>, member: Option<&GateMember>) -> Option<Timestamp> {
    let (waves, member) = (waves?, member?);
    waves.opens_at.filter(|_| member.wave == Some(waves.current))
}
