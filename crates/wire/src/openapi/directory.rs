//! Routes and shapes of the directory: absences, delegations, calendars, the lines of the ownership matrix.

use model::reading::{LINE, TEXT};
use model::words::{Day, OwnershipRole};

use super::shapes::{Shape, all, boolean, free, objects, shape, text, texts, time, word};
use super::table::{Row, delete, get, list, post};
use super::{Answer, Param};

const PLACE: &[Param] = &[
    Param::new("service", "The service."),
    Param::new("environment", "The environment."),
    Param::new("config_item", "Config items inside the service, separated by commas."),
    Param::new("role", "Only this part."),
    Param::time("at", "At which instant; now unless said."),
];

/// Every table of this file.
pub(super) const TABLES: &[&[Row]] = &[ABSENCES, DELEGATIONS, CALENDARS, OWNERS];

/// Every shape of this file.
pub(super) const SHAPES: &[&[Shape]] = &[BODIES, ANSWERS];

const ABSENCES: &[Row] = &[
    list("directory", "list_absences", "/absences", "List absences", "Absence"),
    post(
        "directory",
        "set_absence",
        "/absences",
        "Say that a person is away",
        "AbsenceInput",
        "Absence",
    ),
    get(
        "directory",
        "show_absence",
        "/absences/{id}",
        "Show an absence",
        "Absence",
    ),
    delete(
        "directory",
        "end_absence",
        "/absences/{id}",
        "End an absence",
        "Absence",
    ),
];

const DELEGATIONS: &[Row] = &[
    list(
        "directory",
        "list_delegations",
        "/delegations",
        "List delegations",
        "Delegation",
    ),
    post(
        "directory",
        "set_delegation",
        "/delegations",
        "Let one person speak for another",
        "DelegationInput",
        "Delegation",
    ),
    get(
        "directory",
        "show_delegation",
        "/delegations/{id}",
        "Show a delegation",
        "Delegation",
    ),
    delete(
        "directory",
        "end_delegation",
        "/delegations/{id}",
        "End a delegation",
        "Delegation",
    ),
];

const CALENDARS: &[Row] = &[
    list(
        "directory",
        "list_calendars",
        "/calendars",
        "List business calendars",
        "BusinessCalendar",
    ),
    post(
        "directory",
        "set_calendar",
        "/calendars",
        "Make or change a business calendar",
        "BusinessCalendarInput",
        "BusinessCalendar",
    ),
    get(
        "directory",
        "show_business_calendar",
        "/calendars/{key}",
        "Show a business calendar",
        "BusinessCalendar",
    ),
];

const OWNERS: &[Row] = &[
    delete(
        "directory",
        "end_ownership",
        "/ownerships/{id}",
        "End a row of the ownership matrix",
        "Ownership",
    ),
    delete(
        "directory",
        "end_dependency",
        "/dependencies/{id}",
        "Take a dependency away",
        "Dependency",
    ),
    Row {
        params: PLACE,
        answer: Answer::Json("OwnershipLines"),
        ..get(
            "directory",
            "show_ownership_lines",
            "/ownership-lines",
            "Show who answers for a place, and why",
            "OwnershipLines",
        )
    },
];

const BODIES: &[Shape] = &[
    shape(
        "AbsenceInput",
        "A time in which a person is away.",
        &[
            text("person", LINE, "A login; one's own unless said."),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end, exclusive.").needed(),
            text("reason", TEXT, "In one's own words."),
        ],
    ),
    shape(
        "DelegationInput",
        "One person speaks for another, for a time.",
        &[
            text("delegator", LINE, "Whose right it is: a login; one's own unless said."),
            text("delegate", LINE, "Who speaks for them: a login.").needed(),
            texts(
                "parts",
                LINE,
                "`owner`, `technical_lead`, `security`, `data`, `change_manager`, `group:KEY`; empty means all.",
            ),
            texts("services", LINE, "Only for these services; empty means all."),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end, exclusive.").needed(),
            boolean("deputy", "Only while the other is away, or late with an answer."),
            text("reason", TEXT, "Why."),
        ],
    ),
    shape(
        "BusinessCalendarInput",
        "Working hours and holidays. What is left out of a calendar that is there stays.",
        &[
            text("key", LINE, "`default` is the tenant's usual one.").needed(),
            text("name", LINE, "A name for people."),
            text("zone", LINE, "IANA zone, such as `Europe/Oslo`."),
            objects("hours", "WorkingHours", "When work is done; at least one row."),
            objects("holidays", "Holiday", "Days on which none is."),
        ],
    ),
    shape(
        "WorkingHours",
        "Working hours of one day of the week.",
        &[
            word("day", all!(Day), "The day.").needed(),
            text("from", LINE, "`08:00`.").needed(),
            text("to", LINE, "`17:00`; `24:00` is the end of the day.").needed(),
        ],
    ),
    shape(
        "Holiday",
        "A day on which no work is done.",
        &[
            text("date", LINE, "`2026-12-25`.").needed(),
            text("title", LINE, "What it is."),
        ],
    ),
];

const ANSWERS: &[Shape] = &[
    shape("Absence", "A time in which a person is away.", &[]).based_on(&["AbsenceInput", "Stored"]),
    shape("Delegation", "One person speaks for another.", &[]).based_on(&["DelegationInput", "Stored"]),
    shape("BusinessCalendar", "Working hours and holidays.", &[]).based_on(&["BusinessCalendarInput", "Stored"]),
    shape(
        "OwnershipLines",
        "Who answers for a place in each part, nearest line first.",
        &[
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            texts("config_items", LINE, "The config items."),
            time("at", "At which instant.").needed(),
            objects("parts", "OwnershipPart", "A row for each part.").needed(),
        ],
    ),
    shape(
        "OwnershipPart",
        "Who answers in one part.",
        &[
            word("role", all!(OwnershipRole), "The part.").needed(),
            objects("asked", "OwnershipHolder", "Whom a rule would ask.").needed(),
            objects("lines", "OwnershipLine", "The lines, nearest first.").needed(),
        ],
    ),
    shape(
        "OwnershipLine",
        "The rows of one scope.",
        &[
            text("scope", LINE, "What they speak of: `service:shop`.").needed(),
            text("environment", LINE, "The environment, where they name one."),
            texts("path", LINE, "The way from the target to that scope."),
            objects("holders", "OwnershipHolder", "Who can act."),
            free("idle", "Rows that nobody can use now, and why."),
        ],
    ),
    shape(
        "OwnershipHolder",
        "A person with the ground of their authority.",
        &[
            text("person", LINE, "A login.").needed(),
            text("why", TEXT, "In one sentence.").needed(),
            free("basis", "The same as records and versions."),
        ],
    ),
];
