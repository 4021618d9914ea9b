//! Dashboards: the catalogue of tiles, and which tiles each role's dashboard has. A tile is data; what it counts is found by
//! `acts/report/find_tiles.rs`.

/// The most tiles of one dashboard.
pub const MOST_TILES: usize = 50;
/// The most rows of one tile; the tile states when more are left out.
pub const MOST_ROWS: usize = 12;
/// The days ahead that tiles cover.
pub const AHEAD_DAYS: i64 = 14;
/// The past days that tiles cover.
pub const BACK_DAYS: i64 = 30;
/// Over how many weeks a trend is drawn.
pub const WEEKS: i64 = 12;

/// The source of a tile's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Open changes by state.
    States,
    /// Open changes by age.
    Ages,
    /// Open changes by the people and groups that they wait for.
    Waiting,
    /// Open changes of the reader, by state.
    Own,
    /// Changes that start in the days ahead, by risk.
    Risk,
    /// Changes of the days before whose work failed, by outcome.
    Failures,
    /// Freezes that hold now or begin in the days ahead.
    Freezes,
    /// Open incidents by severity.
    Incidents,
    /// Open action items: the reader's, their groups', those without an owner, and overdue ones.
    Items,
    /// Changes written in each week.
    Trend,
    /// A metric by its definition, over its own window.
    Metric(&'static str),
    /// Times to approve by rule: which rule takes most of the time.
    Bottleneck,
}

/// A tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Its id, which saved dashboards name.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The meaning of the count, in one sentence.
    pub words: &'static str,
    /// The source of the count.
    pub source: Source,
}

const fn tile(id: &'static str, title: &'static str, source: Source, words: &'static str) -> Tile {
    Tile {
        id,
        title,
        words,
        source,
    }
}

/// The catalogue.
pub const TILES: &[Tile] = &[
    tile(
        "states",
        "Open changes by state",
        Source::States,
        "Changes that have not ended, by state.",
    ),
    tile(
        "ages",
        "Backlog by age",
        Source::Ages,
        "Changes that have not ended, by the time since they were written.",
    ),
    tile(
        "waiting",
        "Pending decisions by approver",
        Source::Waiting,
        "Changes in assessment or authorization, by the people and groups who must act next.",
    ),
    tile(
        "own",
        "My open changes",
        Source::Own,
        "Changes that the reader requested and that have not ended, by state.",
    ),
    tile(
        "risk",
        "Risk ahead",
        Source::Risk,
        "Changes that are planned to start within 14 days, by risk.",
    ),
    tile(
        "failures",
        "Failed work",
        Source::Failures,
        "Changes whose work ended in the last 30 days and failed, was rolled back or was only partially implemented, \
         by outcome.",
    ),
    tile(
        "freezes",
        "Freezes ahead",
        Source::Freezes,
        "Freezes that apply now or begin within 14 days.",
    ),
    tile(
        "incidents",
        "Open incidents",
        Source::Incidents,
        "Incidents that are not resolved, by severity.",
    ),
    tile(
        "items",
        "Open action items",
        Source::Items,
        "Action items that are not settled.",
    ),
    tile(
        "trend",
        "Changes by week",
        Source::Trend,
        "Changes written in each of the last 12 weeks, whatever the filters.",
    ),
    tile(
        "bottleneck",
        "Bottleneck of approvals",
        Source::Bottleneck,
        "The approval rules by the time that they took, the longest first.",
    ),
    tile(
        "success",
        "Changes that succeeded",
        Source::Metric("success_share"),
        "The metric success_share.",
    ),
    tile(
        "failure_rate",
        "Change failure rate",
        Source::Metric("change_failure_rate"),
        "The metric change_failure_rate.",
    ),
    tile(
        "frequency",
        "Deployment frequency",
        Source::Metric("deployment_frequency"),
        "The metric deployment_frequency.",
    ),
    tile(
        "lead_time",
        "Lead time",
        Source::Metric("lead_time"),
        "The metric lead_time.",
    ),
    tile(
        "approval_time",
        "Time to approve",
        Source::Metric("time_to_approve"),
        "The metric time_to_approve.",
    ),
    tile(
        "recovery",
        "Recovery time",
        Source::Metric("recovery_time"),
        "The metric recovery_time.",
    ),
    tile(
        "rework",
        "Rework rate",
        Source::Metric("rework_rate"),
        "The metric rework_rate.",
    ),
    tile(
        "emergencies",
        "Emergencies by week",
        Source::Metric("emergency_volume"),
        "The metric emergency_volume.",
    ),
];

/// The dashboard of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleDashboard {
    /// Its key in addresses.
    pub key: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its tiles, in their order.
    pub tiles: &'static [&'static str],
}

/// The dashboards of the roles. They give no rights: each reader sees only what they may read.
pub const DASHBOARDS: &[RoleDashboard] = &[
    RoleDashboard {
        key: "requester",
        title: "Requester",
        tiles: &["own", "waiting", "freezes", "risk"],
    },
    RoleDashboard {
        key: "approver",
        title: "Approver",
        tiles: &["waiting", "items", "ages", "risk", "failures", "approval_time"],
    },
    RoleDashboard {
        key: "service_owner",
        title: "Service owner",
        tiles: &[
            "states",
            "risk",
            "failures",
            "incidents",
            "freezes",
            "frequency",
            "failure_rate",
            "recovery",
        ],
    },
    RoleDashboard {
        key: "change_manager",
        title: "Change manager",
        tiles: &[
            "states",
            "ages",
            "waiting",
            "bottleneck",
            "risk",
            "freezes",
            "failures",
            "items",
            "emergencies",
            "trend",
        ],
    },
    RoleDashboard {
        key: "board",
        title: "Board",
        tiles: &["waiting", "risk", "freezes", "failures", "ages"],
    },
    RoleDashboard {
        key: "commander",
        title: "Incident commander",
        tiles: &["incidents", "failures", "states", "freezes", "risk"],
    },
    RoleDashboard {
        key: "executive",
        title: "Executive",
        tiles: &[
            "success",
            "failure_rate",
            "lead_time",
            "emergencies",
            "ages",
            "risk",
            "trend",
        ],
    },
    RoleDashboard {
        key: "auditor",
        title: "Auditor",
        tiles: &["states", "emergencies", "failures", "items", "approval_time", "trend"],
    },
    RoleDashboard {
        key: "platform",
        title: "Platform",
        tiles: &[
            "frequency",
            "failure_rate",
            "lead_time",
            "recovery",
            "rework",
            "failures",
            "freezes",
        ],
    },
];

/// The tile with this id.
#[must_use]
pub fn tile_of(id: &str) -> Option<&'static Tile> {
    TILES.iter().find(|tile| tile.id == id)
}

/// The dashboard of a role.
#[must_use]
pub fn of_role(key: &str) -> Option<&'static RoleDashboard> {
    DASHBOARDS.iter().find(|it| it.key == key)
}

/// The ages of the backlog: id, label, and the age of a change in hours: at least, and less than.
pub const AGES: [(&str, &str, i64, Option<i64>); 4] = [
    ("day", "less than a day", 0, Some(24)),
    ("week", "1 to 7 days", 24, Some(7 * 24)),
    ("month", "7 to 30 days", 7 * 24, Some(30 * 24)),
    ("older", "30 days and more", 30 * 24, None),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::report::definition;

    #[test]
    fn every_dashboard_has_known_tiles_each_once() {
        for it in DASHBOARDS {
            let distinct: BTreeSet<&str> = it.tiles.iter().copied().collect();
            assert_eq!(distinct.len(), it.tiles.len(), "{}", it.key);
            assert!((1..=MOST_TILES).contains(&it.tiles.len()), "{}", it.key);
            for id in it.tiles {
                assert!(tile_of(id).is_some(), "{id} of {}", it.key);
            }
        }
        assert_eq!(DASHBOARDS.len(), 9);
    }

    #[test]
    fn every_metric_of_a_tile_is_defined_and_every_tile_has_an_id_of_its_own() {
        let ids: BTreeSet<&str> = TILES.iter().map(|tile| tile.id).collect();
        assert_eq!(ids.len(), TILES.len());
        for tile in TILES {
            if let Source::Metric(id) = tile.source {
                assert!(definition::find(id).is_some(), "{id}");
            }
        }
    }

    #[test]
    fn the_ages_leave_no_hour_out_and_count_none_twice() {
        let mut next = Some(0);
        for (id, _, from, to) in AGES {
            assert_eq!(Some(from), next, "{id}");
            next = to;
        }
        assert_eq!(next, None);
    }
}
