//! The labels that carry a shape: state, risk, kind, and the tone of a notice. Each is clear in black and white, by its icon
//! and its label.

use crate::Part;
use crate::elements::{icons, text};

/// The state of a change in its lifecycle, or that it is on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Being written.
    #[default]
    Draft,
    /// Impact and risk are being judged.
    Assessing,
    /// Approvals are requested.
    Authorizing,
    /// All approvers approved the work.
    Approved,
    /// The time is fixed too.
    Scheduled,
    /// The work is going on.
    Implementing,
    /// The work is over and is being looked at.
    Reviewing,
    /// Finished for good.
    Closed,
    /// An approver rejected it.
    Rejected,
    /// Given up before it started.
    Cancelled,
    /// Paused; the state beneath stays.
    OnHold,
}

impl State {
    /// The states of the way from draft to closed, in order.
    pub const WAY: [State; 8] = [
        State::Draft,
        State::Assessing,
        State::Authorizing,
        State::Approved,
        State::Scheduled,
        State::Implementing,
        State::Reviewing,
        State::Closed,
    ];

    /// Reads the API's value (`authorizing`, `on_hold`).
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "draft" => State::Draft,
            "assessing" => State::Assessing,
            "authorizing" => State::Authorizing,
            "approved" => State::Approved,
            "scheduled" => State::Scheduled,
            "implementing" => State::Implementing,
            "reviewing" => State::Reviewing,
            "closed" => State::Closed,
            "rejected" => State::Rejected,
            "cancelled" => State::Cancelled,
            "on_hold" => State::OnHold,
            _ => return None,
        })
    }

    /// The label on pages.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            State::Draft => "Draft",
            State::Assessing => "Assessing",
            State::Authorizing => "Authorizing",
            State::Approved => "Approved",
            State::Scheduled => "Scheduled",
            State::Implementing => "Implementing",
            State::Reviewing => "Reviewing",
            State::Closed => "Closed",
            State::Rejected => "Rejected",
            State::Cancelled => "Cancelled",
            State::OnHold => "On hold",
        }
    }

    /// The state as shape and label.
    #[must_use]
    pub fn mark(self) -> Mark {
        let (icon, class) = match self {
            State::Draft => ("s-draft", ""),
            State::Assessing => ("s-assessing", ""),
            State::Authorizing => ("s-authorizing", "waiting"),
            State::Approved => ("s-approved", "done"),
            State::Scheduled => ("s-scheduled", "moving"),
            State::Implementing => ("s-implementing", "moving"),
            State::Reviewing => ("s-reviewing", "moving"),
            State::Closed => ("s-closed", "done"),
            State::Rejected => ("s-rejected", "bad"),
            State::Cancelled => ("s-cancelled", ""),
            State::OnHold => ("s-hold", "waiting"),
        };
        Mark::new(icon, class, self.label())
    }
}

/// How much a change may harm, on three levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Risk {
    /// Little can go wrong, or little hangs on it.
    #[default]
    Low,
    /// Worth a second look.
    Medium,
    /// Brings more people and a peer review.
    High,
}

impl Risk {
    /// Reads the API's value (`low`, `medium`, `high`).
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "low" => Risk::Low,
            "medium" => Risk::Medium,
            "high" => Risk::High,
            _ => return None,
        })
    }

    /// The label in lists.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Risk::Low => "Low",
            Risk::Medium => "Medium",
            Risk::High => "High",
        }
    }

    /// The risk as shape and short label, for lists with a column “Risk”.
    #[must_use]
    pub fn mark(self) -> Mark {
        let (icon, class) = match self {
            Risk::Low => ("r-low", "risk-low"),
            Risk::Medium => ("r-medium", "risk-medium"),
            Risk::High => ("r-high", "risk-high"),
        };
        Mark::new(icon, class, self.label())
    }

    /// The risk as shape and long label, where no column names it as a risk.
    #[must_use]
    pub fn long_mark(self) -> Mark {
        let mut mark = self.mark();
        mark.label = format!("{} risk", self.label());
        mark
    }
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Approved one by one.
    #[default]
    Normal,
    /// Follows a template that was approved beforehand.
    Standard,
    /// Ends or prevents harm now.
    Emergency,
}

impl Kind {
    /// Reads the API's value (`normal`, `standard`, `emergency`).
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "normal" => Kind::Normal,
            "standard" => Kind::Standard,
            "emergency" => Kind::Emergency,
            _ => return None,
        })
    }

    /// The label on pages.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Kind::Normal => "Normal",
            Kind::Standard => "Standard",
            Kind::Emergency => "Emergency",
        }
    }

    /// The kind as shape and label. Lists show it only when it is not normal.
    #[must_use]
    pub fn mark(self) -> Mark {
        let (icon, class) = match self {
            Kind::Normal => ("k-normal", ""),
            Kind::Standard => ("k-standard", ""),
            Kind::Emergency => ("k-emergency", "bad"),
        };
        Mark::new(icon, class, self.label())
    }
}

/// The meanings of a colour. It is never alone: icon and label carry the same meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing to react to.
    #[default]
    Plain,
    /// Met or done.
    Ok,
    /// Waits for somebody.
    Wait,
    /// Refused, late, harmful.
    Stop,
    /// A freeze.
    Freeze,
}

impl Tone {
    /// The class of a notice of this tone.
    pub(crate) fn notice_class(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Ok => "ok",
            Tone::Wait => "warn",
            Tone::Stop => "stop",
            Tone::Freeze => "freeze",
        }
    }

    /// The class of an entry's icon of this tone.
    pub(crate) fn entry_class(self) -> &'static str {
        match self {
            Tone::Ok => "ok",
            Tone::Wait => "wait",
            Tone::Stop => "no",
            Tone::Plain | Tone::Freeze => "",
        }
    }

    /// The class of a mark of this tone.
    pub(crate) fn mark_class(self) -> &'static str {
        match self {
            Tone::Ok => "done",
            Tone::Wait => "waiting",
            Tone::Stop => "bad",
            Tone::Plain | Tone::Freeze => "",
        }
    }

    /// The shape that shows the tone without colour.
    pub(crate) fn icon(self) -> &'static str {
        match self {
            Tone::Plain => "s-draft",
            Tone::Ok => "go",
            Tone::Wait => "s-authorizing",
            Tone::Stop => "stop",
            Tone::Freeze => "snow",
        }
    }

    /// A mark of this tone with the given label.
    #[must_use]
    pub fn mark(self, label: impl Into<String>) -> Mark {
        Mark::new(self.icon(), self.mark_class(), label)
    }
}

/// Shape and label of a state, a risk or a kind; never a filled pill.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    icon: &'static str,
    class: &'static str,
    label: String,
}

impl Mark {
    /// Whether it marks a success.
    #[must_use]
    pub(crate) fn is_good(&self) -> bool {
        self.class == "done"
    }

    pub(crate) fn new(icon: &'static str, class: &'static str, label: impl Into<String>) -> Self {
        Self {
            icon,
            class,
            label: label.into(),
        }
    }

    /// The label of this mark.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl Part for Mark {
    fn html(&self) -> String {
        let space = if self.class.is_empty() { "" } else { " " };
        format!(
            "<span class=\"mark{space}{}\">{}{}</span>",
            self.class,
            icons::icon(self.icon, ""),
            text::mark(&self.label)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_way_is_read_from_its_own_word() {
        for state in State::WAY {
            assert_eq!(State::from_word(&state.label().to_lowercase()), Some(state));
        }
        assert_eq!(State::from_word("on_hold"), Some(State::OnHold));
        assert_eq!(State::from_word("Draft"), None);
    }

    #[test]
    fn risk_and_kind_are_read_from_their_words() {
        assert_eq!(Risk::from_word("high").map(Risk::label), Some("High"));
        assert_eq!(Kind::from_word("standard").map(Kind::label), Some("Standard"));
        assert_eq!(Kind::from_word("expedited"), None);
    }
}
