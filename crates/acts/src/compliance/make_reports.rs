//! Control reports of schedules: computed from the log once the span has ended, recorded as a digest in the log, and
//! announced by letter. The report itself is not stored, because the log yields the same bytes again.

use jiff::SignedDuration;
use model::compliance::control_report::ControlReport;
use model::compliance::framework::framework;
use model::compliance::report_schedule::{ReportSchedule, SETTLING_MINUTES, last_ended};
use serde_json::json;
use store::audit::log;
use store::record;

use crate::compliance::report_controls::{ReportParameters, report_controls};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::noun::in_use;
use crate::core::write::{Written, draft};

/// A report that is due, with its schedule.
#[derive(Debug, Clone)]
pub struct DueReport {
    /// The schedule.
    pub schedule: ReportSchedule,
    /// The name of the span, such as 2026-10.
    pub span: String,
    /// The report.
    pub report: ControlReport,
}

/// The next scheduled report that was not made yet; one at a time, because each reads the whole log. `None` as well while another
/// report is reading a long log: the next round comes back to it.
///
/// # Errors
/// The store's, or a fault of the log.
pub fn find_due_report(cx: &mut Context<'_, '_>) -> Result<Option<DueReport>> {
    cx.services.trails().drop_old(cx.now);
    for schedule in in_use::<ReportSchedule>(cx)? {
        let Some((span, from, to)) = last_ended(schedule.span, cx.now) else {
            continue;
        };
        let is_settled = cx.now.duration_since(to) >= SignedDuration::from_mins(SETTLING_MINUTES);
        if schedule.made_for.as_ref() == Some(&span) || !is_settled {
            continue;
        }
        let Some(checkpoint) = log::last_checkpoint(cx.tx)? else {
            return Ok(None);
        };
        let asked = ReportParameters {
            from: Some(from),
            to: Some(to),
            size: Some(checkpoint.size),
        };
        let report = match report_controls(cx, &schedule.framework, &asked) {
            Err(Error::NotYet(_)) => return Ok(None),
            made => made?,
        };
        return Ok(Some(DueReport { schedule, span, report }));
    }
    Ok(None)
}

/// Notes that a report was made, with the digest of its file, and sends the letters. `false` if the schedule was edited
/// or ended meanwhile, so that nothing is noted.
///
/// # Errors
/// The store's.
pub fn keep_made_report(cx: &mut Context<'_, '_>, due: &DueReport, digest: &str) -> Result<bool> {
    let found = record::load::<ReportSchedule>(cx.tx, due.schedule.id.as_str())?;
    let Some(schedule) = found.map(|stored| stored.record).filter(|it| *it == due.schedule) else {
        return Ok(false);
    };
    let report = &due.report;
    let made = ReportSchedule {
        made_for: Some(due.span.clone()),
        made_size: i64::try_from(report.log.size).ok(),
        made_digest: Some(digest.to_owned()),
        made_at: Some(cx.now),
        ..schedule
    };
    let mut written = Written::default();
    let made = cx.put(&mut written, made)?;
    notify_recipients(cx, &mut written, &made, due, digest)?;
    let data = json!({
        "framework": report.framework, "span": due.span, "from": report.from, "to": report.to,
        "log_size": report.log.size, "format": made.format, "digest": digest,
    });
    let event = draft("report_schedule.made", ("report_schedule", made.id.0), cx.now, data);
    cx.emit(vec![event], written)?;
    Ok(true)
}

/// The letter contains the link and the digest, and no figure: the link requires the right to read the log.
fn notify_recipients(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    made: &ReportSchedule,
    due: &DueReport,
    digest: &str,
) -> Result<()> {
    let title = framework(&made.framework).map_or("", |it| it.title);
    let report = &due.report;
    let link = format!(
        "{}/t/{}/audit/reports/{}/file/{}?from={}&to={}&size={}",
        cx.services.tools().public_url,
        cx.tenant(),
        made.framework,
        made.format,
        report.from,
        report.to,
        report.log.size
    );
    let subject = format!("Control report for {}: {title}", due.span);
    let text = format!(
        "The control report for {} is ready: {link}\n\nDigest of the file: {digest}\n",
        due.span
    );
    let directory = cx.directory()?;
    let is_here = |person: &&model::core::ids::PersonId| directory.people.get(*person).is_some_and(|it| it.active);
    for person in made.contacts.iter().filter(is_here) {
        let dedup = format!("report_schedule:{}:{}:{}:{person}", made.id, due.span, made.version);
        save_message(cx, written, person, None, ("control_report", &subject, &text, &dedup))?;
    }
    Ok(())
}
