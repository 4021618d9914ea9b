//! Routes and shapes of the directory: absences, delegations, calendars, the lines of the ownership matrix.

use model::core::enums::{Day, FiscalMonths, Noun, OwnershipRole};
use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, at, delete, get, list, post};
use crate::openapi::shapes::{
    Shape, Words, all, boolean, free, frees, integer, object, objects, shape, text, text_or_null, texts, time, word,
};
use crate::openapi::{Answer, Param};

const PLACE: &[Param] = &[
    Param::new("service", "The service.").needed(),
    Param::new("environment", "The environment.").needed(),
    Param::new("config_item", "Config items inside the service, separated by commas."),
    Param::new("role", "Only this part."),
    Param::time("at", "At which instant; now unless said."),
];

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ABSENCES, DELEGATIONS, CALENDARS, OWNERS, TABLES_OF_ROWS];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[BODIES, ANSWERS];

const WATCHING: &[Param] = &[Param::new("group", "The group that stops; oneself unless said.")];

const ABSENCES: &[Row] = &[
    list("directory", "list_absences", "/absences", "List absences", "Absence").may("read"),
    post(
        "directory",
        "set_absence",
        "/absences",
        "Say that a person is away",
        "AbsenceInput",
        "Absence",
    )
    .may("read | set_person"),
    get(
        "directory",
        "show_absence",
        "/absences/{id}",
        "Show an absence",
        "Absence",
    )
    .may("read"),
    get(
        "directory",
        "show_telling",
        "/people/{login}/telling",
        "Show how a person wishes to be told",
        "Telling",
    )
    .may("read | set_person"),
    Row {
        may: "read | set_person",
        body: Some("TellingInput"),
        answer: Answer::Json("Telling"),
        ..at(
            "PUT",
            "directory",
            "set_telling",
            "/people/{login}/telling",
            "Set how a person wishes to be told",
        )
    },
    get(
        "directory",
        "list_service_watchers",
        "/services/{key}/watchers",
        "List who watches a service",
        "ServiceWatchers",
    )
    .may("read"),
    post(
        "directory",
        "watch_service",
        "/services/{key}/watchers",
        "Watch a service: be told of the milestones of its changes",
        "WatchServiceInput",
        "ServiceWatchers",
    )
    .may("read | set_person"),
    Row {
        may: "read | set_person",
        params: WATCHING,
        ..delete(
            "directory",
            "unwatch_service",
            "/services/{key}/watchers",
            "Stop watching a service",
            "ServiceWatchers",
        )
    },
    delete(
        "directory",
        "end_absence",
        "/absences/{id}",
        "End an absence",
        "Absence",
    )
    .may("read | set_person"),
];

const DELEGATIONS: &[Row] = &[
    list(
        "directory",
        "list_delegations",
        "/delegations",
        "List delegations",
        "Delegation",
    )
    .may("read"),
    post(
        "directory",
        "set_delegation",
        "/delegations",
        "Let one person speak for another",
        "DelegationInput",
        "Delegation",
    )
    .may("read | set_person"),
    get(
        "directory",
        "show_delegation",
        "/delegations/{id}",
        "Show a delegation",
        "Delegation",
    )
    .may("read"),
    delete(
        "directory",
        "end_delegation",
        "/delegations/{id}",
        "End a delegation",
        "Delegation",
    )
    .may("read | set_person"),
];

const CALENDARS: &[Row] = &[
    list(
        "directory",
        "list_calendars",
        "/calendars",
        "List business calendars",
        "BusinessCalendar",
    )
    .may("read"),
    post(
        "directory",
        "set_calendar",
        "/calendars",
        "Make or change a business calendar",
        "BusinessCalendarInput",
        "BusinessCalendar",
    )
    .may("set_service"),
    get(
        "directory",
        "show_business_calendar",
        "/calendars/{key}",
        "Show a business calendar",
        "BusinessCalendar",
    )
    .may("read"),
];

const OWNERS: &[Row] = &[
    delete(
        "directory",
        "end_ownership",
        "/ownerships/{id}",
        "End a row of the ownership matrix",
        "Ownership",
    )
    .may("set_ownership"),
    delete(
        "directory",
        "end_dependency",
        "/dependencies/{id}",
        "Take a dependency away",
        "Dependency",
    )
    .may("set_service"),
    Row {
        may: "read",
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

const TABLES_OF_ROWS: &[Row] = &[
    Row {
        may: "set_service, set_ownership, set_person",
        status: 200,
        ..post(
            "directory",
            "import_directory",
            "/imports",
            "Import rows of the directory, or show what that would change",
            "ImportInput",
            "ImportReport",
        )
    },
    Row {
        may: "read",
        params: FORMAT,
        ..get(
            "directory",
            "export_directory",
            "/exports/{noun}",
            "Export rows of the directory as an import reads them back, or any other list as CSV",
            "Export",
        )
    },
    Row {
        may: "read",
        params: PART,
        ..get(
            "directory",
            "report_ownership",
            "/ownership-reports",
            "List targets that nobody can approve, and who could approve only with themselves",
            "OwnershipReport",
        )
    },
];

const FORMAT: &[Param] = &[Param::new("format", "`csv` or `json`; csv unless said.")];
const PART: &[Param] = &[
    Param::new("after", "The service behind which to begin."),
    Param::new("limit", "How many services to look at."),
];

const BODIES: &[Shape] = &[
    shape(
        "ImportInput",
        "Rows of the directory. One wrong line refuses the whole, with every wrong line named.",
        &[
            word("kind", Words::These(IMPORTS), "What the text holds.").needed(),
            word(
                "format",
                Words::These(&["csv", "json"]),
                "How rows are written; csv unless said.",
            ),
            text(
                "text",
                1 << 20,
                "The rows; for `estate` a JSON object with a list of objects under each noun, for `backstage` a catalog-info.yaml, for `holidays` an iCalendar file.",
            )
            .needed(),
            text("calendar", LINE, "For `holidays`: the calendar; `default` unless said."),
            boolean("dry_run", "Shows the difference and writes nothing."),
            boolean(
                "end_missing",
                "For `ownerships`: ends rows that hold now and that no line names.",
            ),
            boolean(
                "propose",
                "Proposes rows of the ownership matrix, for another person or an approved change to put in force; what else there is is written.",
            ),
            text("reason", TEXT, "With `propose`: why."),
        ],
    ),
    shape(
        "TellingInput",
        "How a person wishes to be told. What is asked of them, escalations, break-glass and security come at once.",
        &[
            word(
                "how",
                Words::These(&["at_once", "digest"]),
                "Each at once, or one letter a day.",
            )
            .needed(),
            text(
                "digest_at",
                LINE,
                "When the daily letter comes, in the person's zone; `08:00` unless said.",
            ),
            text("quiet_from", LINE, "Since when no letter comes, such as `22:00`."),
            text("quiet_until", LINE, "Until when none comes, such as `07:00`."),
            text(
                "language",
                LINE,
                "The language of pages and letters, `en` or `de`; what the browser asks for unless said.",
            ),
            text(
                "zone",
                LINE,
                "The IANA time zone of pages and letters, such as `Europe/Oslo`; the present one stays unless said.",
            ),
            word(
                "clock",
                Words::These(&["24", "12"]),
                "The clock by which times are written, 24 hours or 12 with am and pm; 24 unless said.",
            ),
            word(
                "density",
                Words::These(&["comfortable", "compact"]),
                "How close rows stand on pages; comfortable unless said.",
            ),
            boolean(
                "has_invitations",
                "Whether the planned times of one's changes come by mail as invitations for a calendar program; no unless said.",
            ),
        ],
    ),
    shape(
        "WatchServiceInput",
        "Who watches a service.",
        &[text("group", LINE, "The key of a group; oneself unless said.")],
    ),
    shape(
        "SuspensionInput",
        "What becomes of something that a compromised account gave.",
        &[boolean(
            "confirmed",
            "Whether it holds again, by the word of whoever confirms it; else it is gone for good.",
        )
        .needed()],
    ),
    shape(
        "AbsenceInput",
        "A time in which a person is away.",
        &[
            text("person", LINE, "A login; one's own unless said."),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end, exclusive.").needed(),
            text("reason", TEXT, "In one's own words."),
            boolean(
                "correction",
                "Whether it notes what began before it is recorded; it counts from now on, and for nothing decided before.",
            ),
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
            boolean(
                "correction",
                "Whether it notes what began before it is recorded; it counts from now on, and for nothing decided before.",
            ),
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
            object("fiscal", "FiscalYear", "How its fiscal year is divided."),
        ],
    ),
    shape(
        "FiscalYear",
        "How a fiscal year is divided.",
        &[
            integer("first_month", 1, 12, "The first month of the year.").needed(),
            integer("first_day", 1, 28, "The first day of that month, and of each month of the year; 1 unless said."),
            word("months", all!(FiscalMonths), "Civil months, or whole weeks; `civil` unless said."),
            word(
                "week_starts",
                all!(Day),
                "The day on which a year of whole weeks begins, nearest to the first day; Monday unless said.",
            ),
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

const IMPORTS: &[&str] = &[
    "people",
    "groups",
    "services",
    "environments",
    "config_items",
    "dependencies",
    "ownerships",
    "estate",
    "backstage",
    "holidays",
];

const ANSWERS: &[Shape] = &[
    shape(
        "Proposed",
        "A proposal that waits for a second person or an approved change.",
        &[
            text("id", LINE, "Its id.").needed(),
            text(
                "digest",
                LINE,
                "The digest that an approved change names as its target's artifact.",
            )
            .needed(),
        ],
    ),
    shape(
        "ImportReport",
        "What an import did, or would do.",
        &[
            boolean("dry_run", "Whether nothing was written.").needed(),
            integer("added", 0, i64::MAX, "How many rows were new.").needed(),
            integer("changed", 0, i64::MAX, "How many differed."),
            integer("unchanged", 0, i64::MAX, "How many were there just so.").needed(),
            integer("ended", 0, i64::MAX, "How many were ended."),
            integer(
                "left_out",
                0,
                i64::MAX,
                "Entities or events of kinds that are not read.",
            ),
            integer(
                "differing",
                0,
                i64::MAX,
                "How many rows differ; the first 1,000 are shown.",
            ),
            objects(
                "no_longer_approvable",
                "OwnershipFinding",
                "Of a dry run: where enough people can decide now, and too few could then.",
            ),
            integer(
                "services_looked_at",
                0,
                i64::MAX,
                "Of a dry run: how many services were looked at for that, first those that rows name; at most 200.",
            ),
            integer(
                "services_not_looked_at",
                0,
                i64::MAX,
                "Of a dry run: how many were not.",
            ),
            text("calendar", LINE, "For holidays: the calendar."),
            object("proposal", "Proposed", "What was proposed instead of written."),
            frees(
                "rows",
                "The rows that differ: line, noun, key, what, fields, before, after.",
            )
            .needed(),
        ],
    ),
    shape(
        "Export",
        "Rows of the directory as a text that an import takes.",
        &[
            word("noun", all!(Noun), "What the rows are.").needed(),
            word("format", Words::These(&["csv", "json"]), "How they are written.").needed(),
            integer("rows", 0, i64::MAX, "How many there are.").needed(),
            text("text", 1 << 20, "The rows.").needed(),
        ],
    ),
    shape(
        "OwnershipReport",
        "What the ownership matrix lacks.",
        &[
            objects("unapprovable", "OwnershipFinding", "Too few can decide.").needed(),
            objects(
                "alone",
                "OwnershipFinding",
                "Just enough can: none of them on a change of their own.",
            )
            .needed(),
            text_or_null("next", "The service behind which the next part begins."),
        ],
    ),
    shape(
        "OwnershipFinding",
        "A rule that a target cannot meet, or only through people who all are needed.",
        &[
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            text("rule", LINE, "The policy.").needed(),
            text("asks", LINE, "Whom it asks.").needed(),
            integer("needed", 0, 1_000, "How many it needs.").needed(),
            texts("found", LINE, "Who could decide: logins.").needed(),
            texts("why", TEXT, "Why there are no more.").needed(),
            boolean(
                "is_single",
                "Whether one person alone could decide for every rule here.",
            )
            .needed(),
        ],
    ),
    shape(
        "Telling",
        "How a person wishes to be told.",
        &[
            text("person", LINE, "Who: a login.").needed(),
            text("zone", LINE, "The zone in which the times are read.").needed(),
            text(
                "change_address",
                LINE,
                "The secret address to which this person sends changes by mail; only in the answer to themselves.",
            ),
        ],
    )
    .based_on(&["TellingInput"]),
    shape(
        "ServiceWatchers",
        "Who is told of the milestones of a service's changes.",
        &[
            text("service", LINE, "Its key.").needed(),
            texts("people", LINE, "Logins.").needed(),
            texts("groups", LINE, "Keys of groups.").needed(),
        ],
    ),
    shape(
        "Absence",
        "A time in which a person is away.",
        &[time(
            "corrected_at",
            "When it was recorded, where that was after its start: it counts from then on.",
        )],
    )
    .based_on(&["AbsenceInput", "Stored"]),
    shape(
        "Delegation",
        "One person speaks for another.",
        &[time(
            "corrected_at",
            "When it was recorded, where that was after its start: it counts from then on.",
        )],
    )
    .based_on(&["DelegationInput", "Stored"]),
    shape("BusinessCalendar", "Working hours and holidays.", &[]).based_on(&["BusinessCalendarInput", "Stored"]),
    shape(
        "OwnershipLines",
        "Who answers for a place in each part, nearest line first.",
        &[
            text("service", LINE, "The service.").needed(),
            text("environment", LINE, "The environment.").needed(),
            texts("config_items", LINE, "The config items."),
            texts(
                "unknown_config_items",
                LINE,
                "Of them those that the estate does not hold: nobody but the service's owners is asked for them.",
            ),
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
            text_or_null("environment", "The environment, where they name one."),
            texts("path", LINE, "The way from the target to that scope."),
            objects("holders", "OwnershipHolder", "Who can act."),
            frees("idle", "Rows that nobody can use now, and why: ownership, why."),
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
