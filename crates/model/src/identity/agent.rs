//! Agents: accounts of programs that a model controls. An agent has a sponsor and limits, never its sponsor's rights. An agent
//! drafts, tests and implements, and decides nothing. An agent's account stays an agent's account for ever.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_PERSON};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::Level;
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::verbs;

/// The most agents of a tenant, including ended ones: each binds its account for good.
pub const MOST: usize = 200;
/// The longest time an agent may act before its next review: a year.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The longest charter, in characters.
pub const CHARTER: usize = 20_000;
/// The most changes of a day that an agent may be given.
pub const MOST_CHANGES: i64 = 1_000;
/// The prefix of an agent's login, so that every list and response shows that it is an agent.
pub const LOGIN: &str = "agent-";

/// An agent: the account of a program driven by an AI model, with its sponsor, its charter and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Agent {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The account of the agent: a login.
    pub person: PersonId,
    /// The accountable person: a login. The agent ends when they leave, and both count as one person.
    pub sponsor: PersonId,
    /// Its purpose and instructions.
    #[card(most = CHARTER, text)]
    pub charter: String,
    /// The digest of the charter, recorded in each of its events.
    pub charter_digest: String,
    /// The services on whose changes it may act; it can read nothing else.
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// The environments of the targets that it may draft and implement.
    pub environments: BTreeSet<EnvironmentKey>,
    /// The maximum number of changes that it may draft per day in UTC.
    #[card(most = MOST_CHANGES)]
    pub changes_per_day: i64,
    /// The highest risk of a change that it may submit or implement.
    #[card(words)]
    pub highest_risk: Level,
    /// The end of its permission to act, at most a year ahead.
    pub ends_at: Timestamp,
    /// Whether the agent is active; the account of an ended agent remains an agent account and cannot act.
    #[card(column)]
    pub active: bool,
    /// The person who added it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// An agent: the account of a program driven by an AI model, with its sponsor, its charter and its limits.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct AgentInput {
    /// The account of the agent: a login that begins with `agent-` and belongs to no person.
    #[card(positional, example = "agent-release")]
    pub person: String,
    /// The accountable person: a login.
    #[card(option = "sponsor", example = "owner")]
    pub sponsor: String,
    /// Its purpose and instructions.
    #[card(most = CHARTER, text, example = "Prepares releases of the booking service.")]
    pub charter: String,
    /// The services on whose changes it may act; at least one.
    #[card(refers = "service", option = "service", example = "booking-api", needed)]
    pub services: BTreeSet<ServiceKey>,
    /// The environments of the targets that it may draft and implement; at least one.
    #[card(option = "environment", example = "staging", needed)]
    pub environments: BTreeSet<EnvironmentKey>,
    /// The maximum number of changes that it may draft per day in UTC; at least one.
    #[card(most = MOST_CHANGES, option = "per-day", example = "5")]
    pub changes_per_day: i64,
    /// The highest risk of a change that it may submit or implement.
    #[card(words, option = "risk", example = "low", needed)]
    pub highest_risk: Option<Level>,
    /// The end of its permission to act, at most a year ahead.
    #[card(label = "Until", option = "until", example = "2027-02-28T08:00:00Z")]
    pub ends_at: Timestamp,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    columns: &[
        "id",
        "person",
        "sponsor",
        "services",
        "environments",
        "highest_risk",
        "ends_at",
    ],
    verbs: verbs! {
        List "list_agents" at "/agents" may READ => "List the agents that were not ended";
        Add "add_agent" at "/agents" may SET_PERSON => "Make an account an agent account, permanently", token Admin;
        Show "show_agent" at "/agents/{id}" may READ => "Show an agent";
        End "end_agent" at "/agents/{id}" may SET_PERSON => "End an agent; its account can no longer act", token Admin;
    },
    events: &[
        Event::new("agent.added", "people", "made an account an agent account"),
        Event::new(
            "agent.told",
            "people",
            "recorded that the sponsor of an agent was notified",
        ),
        Event::new("agent.ended", "x", "ended an agent"),
    ],
    page: Some(Page {
        path: "/agents",
        byline: "Accounts of programs driven by an AI model. Each agent has a sponsor and limits, and cannot decide.",
        empty: "No agent is active.",
        labels: ["Add an agent", "Change it", "End it"],
    }),
    ..Card::of::<Agent, AgentInput>("agent", "Agents")
};
