//! The values of reports: their files and spans, how often a dashboard is mailed, and the parts of a template.

use serde::{Deserialize, Serialize};

words! {
    /// The form of a report as a file.
    #[derive(Default)]
    ReportFormat {
        /// A document for reading and printing.
        #[default]
        Pdf = "pdf",
        /// A workbook of Office Open XML.
        Xlsx = "xlsx",
        /// The exceptions as rows (RFC 4180).
        Csv = "csv",
        /// The report as JSON from the API.
        Json = "json",
        /// Assessment results of OSCAL 1.2.1, in JSON.
        Oscal = "oscal",
    }
    /// The span of a scheduled report, in UTC: the last one that has ended.
    #[derive(Default)]
    ReportSpan {
        /// A calendar month.
        #[default]
        LastMonth = "last_month",
        /// A quarter of a calendar year.
        LastQuarter = "last_quarter",
        /// A calendar year.
        LastYear = "last_year",
    }
    /// How often a dashboard is mailed.
    #[derive(Default)]
    Rhythm {
        /// Every day.
        #[default]
        Daily = "daily",
        /// Every Monday.
        Weekly = "weekly",
        /// On the first day of each month.
        Monthly = "monthly",
    }
    /// The kind of wait that a budget limits.
    WaitOf {
        /// A stage of approval: `assessment` or `authorization`.
        Stage = "stage",
        /// An approval rule.
        Rule = "rule",
        /// A pipeline: what machines bring of a service into an environment.
        Pipeline = "pipeline",
    }
    /// The period over which a budget is measured, in UTC: the last one that has ended.
    #[derive(Default)]
    BudgetPeriod {
        /// A week from Monday on.
        #[default]
        Week = "week",
        /// A calendar month.
        Month = "month",
    }
    /// The part of a template in which something was missing.
    TemplatePart {
        /// The description of the work.
        Description = "description",
        /// The plan.
        Plan = "plan",
        /// The rollback.
        Rollback = "rollback",
        /// How success is verified.
        Verification = "verification",
        /// The people who implement it.
        People = "people",
        /// The planned time.
        Schedule = "schedule",
        /// The evidence.
        Evidence = "evidence",
        /// Something else.
        Other = "other",
        /// Nothing was missing.
        Nothing = "nothing",
    }
    /// A figure of the population of a control report, with its changes behind it.
    ReportFigure {
        /// The work began in the span.
        Changes = "changes",
        /// The work ended with something implemented.
        Ended = "ended",
        /// It succeeded.
        Succeeded = "succeeded",
        /// Something was rolled back.
        RolledBack = "rolled_back",
        /// It was an emergency.
        Emergency = "emergency",
        /// A break-glass was opened.
        BreakGlass = "break_glass",
        /// A deployment had no approved change.
        Unauthorized = "unauthorized",
    }
}
