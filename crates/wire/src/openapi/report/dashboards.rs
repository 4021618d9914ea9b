//! Routes and shapes of dashboards beside their cards: the catalogue of tiles, figures, rows; the OpenMetrics text; the report on a
//! template; and changes that look alike.

use model::core::enums::{Kind, Level, State};
use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, at, get, list, post};
use crate::openapi::shapes::{
    Shape, Words, all, any, boolean, integer, object, objects, shape, text, texts, time, word,
};
use crate::openapi::{Answer, Param};

const FILE: &[Param] = &[
    Param::new("format", "`csv` or `xlsx`; csv unless said."),
    Param::new(
        "safe",
        "`true` writes a quote before texts that a spreadsheet would take for formulas; unless said they are raw.",
    ),
];

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    list(
        TAG,
        "list_dashboard_tiles",
        "/dashboard-tiles",
        "List the tiles that a dashboard can have",
        "DashboardTile",
    )
    .may("read"),
    list(
        TAG,
        "list_role_dashboards",
        "/role-dashboards",
        "List the dashboards of the roles",
        "RoleDashboard",
    )
    .may("read"),
    Row {
        may: "read",
        answer: Answer::Bytes("text/csv"),
        params: FILE,
        ..at(
            "GET",
            TAG,
            "export_list",
            "/exports/{noun}/file",
            "Export a list as CSV (RFC 4180) or as a workbook, with the rights and filters of its own route",
        )
    },
    Row {
        may: "read",
        params: NARROW,
        ..get(
            TAG,
            "show_dashboard_figures",
            "/dashboards/{id}/figures",
            "Show what the tiles of a dashboard count; the id is the key of a role's or the id of a saved one",
            "DashboardFigures",
        )
    },
    Row {
        may: "read @read",
        answer: Answer::Bytes("application/pdf"),
        params: NARROW,
        ..at(
            "GET",
            TAG,
            "export_dashboard",
            "/dashboards/{id}/file",
            "Export what the tiles of a dashboard count as a PDF",
        )
    },
    Row {
        may: "read",
        params: OF_ROW,
        ..list(
            TAG,
            "list_dashboard_rows",
            "/dashboards/{id}/rows",
            "List the changes behind a row of a tile, the newest first, at most 200",
            "DashboardChange",
        )
    },
    Row {
        may: "read",
        answer: Answer::Bytes("application/openmetrics-text"),
        ..at(
            "GET",
            TAG,
            "export_openmetrics",
            "/openmetrics",
            "Export the main figures of the tenant in OpenMetrics",
        )
    },
    get(
        "changes",
        "show_template_rework",
        "/templates/{key}/rework",
        "Show what was reworked in changes from a template, what operations missed in it, and the diff that this speaks for",
        "TemplateRework",
    )
    .may("read"),
    post(
        "changes",
        "propose_template_variant",
        "/templates/{key}/variants",
        "Propose a variant of a template with its proposed diff, to be tried on half of the uses once two people approved it",
        "TemplateVariantInput",
        "Template",
    )
    .may("propose_template"),
    Row {
        may: "read",
        params: &[
            Param::new("title", "The title.").needed(),
            Param::new("service", "A service of the change, or several with commas.").needed(),
        ],
        ..list(
            "changes",
            "list_change_lookalikes",
            "/change-lookalikes",
            "List changes that look like one with this title: on the same service, open or created within 14 days",
            "DashboardChange",
        )
    },
];

const TAG: &str = "reports";
const MOST: i64 = i64::MAX;

const TEAM: Param = Param::new("team", "Only of this team.");
const SERVICE: Param = Param::new("service", "Only with this service: a key.");
const ENVIRONMENT: Param = Param::new("environment", "Only in this environment: a key.");
const KIND: Param = Param::new("kind", "Only of this kind: `normal`, `standard` or `emergency`.");
const RISK: Param = Param::new("risk", "Only of this risk: `none`, `low`, `medium` or `high`.");
const NARROW: &[Param] = &[TEAM, SERVICE, ENVIRONMENT, KIND, RISK];
const OF_ROW: &[Param] = &[
    Param::new("tile", "The tile: an id of the catalogue.").needed(),
    Param::new("row", "The row: its `id` in the figures.").needed(),
    TEAM,
    SERVICE,
    ENVIRONMENT,
    KIND,
    RISK,
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "DashboardTile",
        "A tile of the catalogue.",
        &[
            text("id", LINE, "Its id, which saved dashboards name.").needed(),
            text("title", LINE, "Its heading.").needed(),
            text("words", TEXT, "What it counts.").needed(),
            text("metric", LINE, "The metric whose definition it follows."),
        ],
    ),
    shape(
        "RoleDashboard",
        "The dashboard of a role.",
        &[
            text("key", LINE, "Its key.").needed(),
            text("title", LINE, "Its title.").needed(),
            texts("tiles", LINE, "Its tiles.").needed(),
        ],
    ),
    shape(
        "DashboardRow",
        "A row of a tile.",
        &[
            text("id", LINE, "Its id within the tile.").needed(),
            text("label", TEXT, "What it counts.").needed(),
            integer("count", 0, MOST, "How many; of a bottleneck, minutes.").needed(),
            boolean("is_whole", "Whether these are all; if not, there are so many at least.").needed(),
            text("page", TEXT, "The page with what it counts."),
            time("starts_at", "Of a freeze or a week, its start."),
            time("ends_at", "Its end."),
        ],
    ),
    shape(
        "DashboardTileFigures",
        "A tile with what it counts.",
        &[
            text("id", LINE, "The tile.").needed(),
            text("title", LINE, "Its heading.").needed(),
            boolean("is_cut", "Whether there is more than is shown.").needed(),
            time(
                "counted_from",
                "From when on it counts, where its window holds more changes than a dashboard reads (5,000).",
            ),
            objects("rows", "DashboardRow", "Its rows.").needed(),
            object("metric", "MetricName", "The definition of its figure."),
            object("figure", "FigureValue", "Its figure."),
        ],
    ),
    shape(
        "DashboardFigures",
        "What the tiles of a dashboard count, as the reader may read it.",
        &[
            text("id", LINE, "The key of a role's dashboard, or the id of a saved one.").needed(),
            text("title", LINE, "Its title.").needed(),
            time("at", "When it was counted.").needed(),
            objects("tiles", "DashboardTileFigures", "Its tiles.").needed(),
        ],
    ),
    shape(
        "DashboardChange",
        "A change behind a row.",
        &[
            text("key", LINE, "The change.").needed(),
            text("title", LINE, "Its title.").needed(),
            word("state", all!(State), "Its state.").needed(),
            word("kind", all!(Kind), "Its kind.").needed(),
            word("risk", all!(Level), "Its risk.").needed(),
            time("created_at", "When it was created.").needed(),
        ],
    ),
    shape(
        "TemplateReworkField",
        "A field of changes from a template.",
        &[
            text("field", LINE, "The field.").needed(),
            integer("reworked", 0, MOST, "In how many uses it was edited after submission.").needed(),
            integer(
                "answered",
                0,
                MOST,
                "How many returns with a question its edit answered.",
            )
            .needed(),
        ],
    ),
    shape(
        "TemplateReworkStep",
        "A step of the plan that went otherwise than planned in some use of the present version.",
        &[
            integer("number", 1, MOST, "Its number in the plan, counted from 1.").needed(),
            text("title", LINE, "What is done.").needed(),
            integer("uses", 0, MOST, "The uses that have it and whose work began.").needed(),
            integer(
                "reworked",
                0,
                MOST,
                "Of them, those in which it was skipped, or an issue or a deviation was noted of it.",
            )
            .needed(),
            integer("skipped", 0, MOST, "Those in which it was skipped.").needed(),
            integer("issues", 0, MOST, "Those in which an issue was noted of it.").needed(),
            integer("deviations", 0, MOST, "Those in which a deviation was noted of it.").needed(),
        ],
    ),
    shape(
        "TemplateMissing",
        "What operations missed in a part of a template.",
        &[
            text("part", LINE, "The part.").needed(),
            integer("answers", 0, MOST, "How many answers name it.").needed(),
        ],
    ),
    shape(
        "TemplateRework",
        "Rework of the changes from a template in the last 365 days, the newest 500 at most.",
        &[
            text("template", LINE, "The template.").needed(),
            integer("uses", 0, MOST, "Submitted changes that follow it.").needed(),
            integer(
                "reworked",
                0,
                MOST,
                "Of them, those that were returned, or edited after submission.",
            )
            .needed(),
            integer("returned", 0, MOST, "How often one was returned with a question.").needed(),
            integer(
                "share_ppm",
                0,
                MOST,
                "The share of reworked uses, in parts per million.",
            ),
            integer("low_ppm", 0, MOST, "The lower end of its interval."),
            integer("high_ppm", 0, MOST, "The upper end."),
            objects("fields", "TemplateReworkField", "The fields, the most reworked first.").needed(),
            objects(
                "steps",
                "TemplateReworkStep",
                "The steps that went otherwise than planned, the most reworked first.",
            )
            .needed(),
            objects(
                "missing",
                "TemplateMissing",
                "What operations missed, the most named first.",
            )
            .needed(),
            boolean("is_whole", "Whether every use of the year was looked at.").needed(),
            objects(
                "questions",
                "TemplateQuestions",
                "The questions with which changes were returned, by the fields that answered them.",
            )
            .needed(),
            objects(
                "proposal",
                "TemplateFieldEdit",
                "The proposed diff of the template; empty of fewer than 20 uses of its present version.",
            )
            .needed(),
        ],
    ),
    shape(
        "TemplateQuestions",
        "Questions that the same fields answered.",
        &[
            texts("fields", LINE, "The fields; none where no edit answered.").needed(),
            integer("count", 0, MOST, "How many questions.").needed(),
            objects("examples", "TemplateQuestion", "The first three of them.").needed(),
        ],
    ),
    shape(
        "TemplateQuestion",
        "A question with which a change was returned.",
        &[
            text("change", LINE, "The change: a key.").needed(),
            text("question", TEXT, "The question.").needed(),
        ],
    ),
    shape(
        "TemplateFieldEdit",
        "A line of a proposed diff of a template.",
        &[
            text("field", LINE, "The field.").needed(),
            word(
                "edit",
                Words::These(&["lock", "free", "drop"]),
                "`lock`: it has this value and nobody is asked; `free`: each change fills it in; `drop`: it is asked for no more.",
            )
            .needed(),
            word(
                "why",
                Words::These(&["same", "unfilled", "reworked", "missed", "deviated"]),
                "Nearly all uses say the same, nearly none says anything, many edited it after submission, operations missed \
                 something in it, or in many a step of it went otherwise than planned.",
            )
            .needed(),
            integer("count", 0, MOST, "How many uses or answers speak for it.").needed(),
            any("before", "The locked value before; absent where it was free."),
            any("after", "The value to which it is locked."),
        ],
    ),
    shape(
        "TemplateVariantInput",
        "A variant of a template with its proposed diff.",
        &[
            text("key", LINE, "The key of the variant: `restart-pod-short`.").needed(),
            text("title", LINE, "What it is for; that of the template unless set."),
            texts("fields", LINE, "The fields whose lines are taken; all unless set."),
        ],
    ),
];
