//! The state of waves that a change keeps: counts, the open wave, and the cause of a stop. The rules are in `run.rs` beside it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::waves::plan::WavePlan;
use crate::core::enums::WaveStopCause;
use crate::core::ids::{PersonId, TargetId};

/// How far the waves of a change have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveRun {
    /// The waves, in the order of the plan.
    pub waves: Vec<WaveCount>,
    /// The targets with members.
    pub lists: Vec<ListCount>,
    /// The number of the wave that is open, from 1 on; one more than there are waves once all are through.
    pub current: i64,
    /// From when that wave may begin: the watch of the one before lasts until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Timestamp>,
    /// How many members are in progress.
    pub in_progress: i64,
    /// The stop of the waves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<WaveStop>,
    /// The open incidents that a person knew of who let the waves go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_incidents: Vec<String>,
}

/// The members of a wave, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveCount {
    /// The technical name of the wave.
    pub wave: String,
    /// How many members it has.
    pub count: i64,
    /// How many of them have what the change brings.
    pub done: i64,
    /// How many failed or were rolled back.
    pub failed: i64,
    /// How many were left out.
    pub left_out: i64,
    /// How many failed since the waves went on last.
    pub fresh_failures: i64,
    /// When its first member began or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When its last member ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// The members of a target, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCount {
    /// The target.
    pub target: TargetId,
    /// The digest of its list.
    pub digest: String,
    /// How many members each wave has of it.
    pub of_waves: Vec<i64>,
    /// How many of them have what the change brings.
    pub done: i64,
    /// How many have ended in another way.
    pub not_done: i64,
}

/// The cause of a stop of the waves, and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveStop {
    /// The kind of cause.
    pub cause: WaveStopCause,
    /// The reason that the person who paused them gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The key of the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_key: Option<String>,
    /// The person who paused them; absent where a rule halted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// Since when.
    pub at: Timestamp,
}

impl WaveStop {
    /// The stop in one sentence, without a person's text.
    #[must_use]
    pub fn sentence(&self, run: &WaveRun, plan: &WavePlan) -> String {
        let wave = run.name_of(run.current.min(run.len()));
        match self.cause {
            WaveStopCause::Person => format!("The waves are paused since {}, at wave {wave}.", self.at),
            WaveStopCause::Failures => format!(
                "Wave {wave} was halted at {}: the halt rule allows fewer than {} failures.",
                self.at, plan.halt_failures
            ),
            WaveStopCause::Incident => {
                format!("Wave {wave} was halted at {}: an incident is open.", self.at)
            }
            WaveStopCause::Watch => format!("Wave {wave} was halted at {}: a watch result is no pass.", self.at),
        }
    }
}

impl WaveCount {
    /// How many of its members have not ended.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.count - self.done - self.failed - self.left_out
    }
}

impl ListCount {
    /// How many of its members have not ended.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.of_waves.iter().sum::<i64>() - self.done - self.not_done
    }
}

impl WaveRun {
    /// How many waves there are.
    #[must_use]
    pub fn len(&self) -> i64 {
        i64::try_from(self.waves.len()).unwrap_or(i64::MAX)
    }

    /// Whether there are no waves.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
    }

    /// Number and name of a wave, as sentences name it.
    #[must_use]
    pub fn name_of(&self, number: i64) -> String {
        let at = usize::try_from(number - 1).ok();
        match at.and_then(|at| self.waves.get(at)) {
            Some(wave) => format!("{number} “{}”", wave.wave),
            None => number.to_string(),
        }
    }

    /// Whether every wave is through.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.current > self.len()
    }

    pub(crate) fn wave_mut(&mut self, number: i64) -> Option<&mut WaveCount> {
        let at = usize::try_from(number - 1).ok()?;
        self.waves.get_mut(at)
    }

    /// Sets the counts of the waves from those of the lists.
    pub(crate) fn count(&mut self) {
        for (at, wave) in self.waves.iter_mut().enumerate() {
            let of_list = |list: &ListCount| list.of_waves.get(at).copied().unwrap_or(0);
            wave.count = self.lists.iter().map(of_list).sum();
        }
    }
}
