//! Control reports: on a schedule, made once for each span, with the digest in the log and a letter; and from a trail of the
//! log that was kept.

use acts::Context;
use acts::compliance::make_reports::{find_due_report, keep_made_report};
use acts::compliance::report_controls::{ReportParameters, report_controls};
use acts::core::noun;
use jiff::{SignedDuration, Timestamp};
use model::change::related_records::Message;
use model::compliance::control_report::ControlReport;
use model::compliance::report_schedule::ReportSchedule;
use serde_json::json;
use store::record::{self, Filter};

use crate::world::{World, body};

const MONTH_SECONDS: i64 = 31 * 24 * 60 * 60;

fn letters(world: &World) -> usize {
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    all.unwrap().iter().filter(|it| it.topic == "control_report").count()
}

#[test]
fn a_scheduled_report_is_made_once_for_each_span_that_ends() {
    let world = World::new();
    world.draft("One");
    world.sequence();
    let wanted = body(json!({"framework": "sox", "span": "last_month", "format": "csv", "contacts": ["olga", "rita"]}));
    let added = world.system(move |cx| noun::add::<ReportSchedule>(cx, &wanted));
    assert_eq!(added.made_for, None);
    world.sequence();
    let due = || world.look(find_due_report).unwrap();
    let first = due().expect("the span that ended last is due at once");
    assert_eq!(
        (first.schedule.id.clone(), first.report.framework.as_str()),
        (added.id.clone(), "sox")
    );
    let kept = first.clone();
    assert!(world.system(move |cx| keep_made_report(cx, &kept, "sha256:00")));
    let again = first.clone();
    assert!(
        !world.system(move |cx| keep_made_report(cx, &again, "sha256:11")),
        "another server was faster"
    );
    assert!(due().is_none(), "it is made");
    assert_eq!(letters(&world), 2);
    let id = added.id.0.clone();
    let made = world.look(move |cx| noun::show::<ReportSchedule>(cx, &id)).unwrap();
    assert_eq!(
        (made.made_for.as_ref(), made.made_digest.as_deref()),
        (Some(&first.span), Some("sha256:00"))
    );

    world.pass_seconds(MONTH_SECONDS);
    let second = due().expect("another month has ended");
    assert_ne!(second.span, first.span);
    assert!(second.report.from > first.report.from);
    let id = added.id.0.clone();
    world.system(move |cx| noun::end::<ReportSchedule>(cx, &id).map(drop));
    assert!(due().is_none(), "it has ended");
    assert!(
        !world.system(move |cx| keep_made_report(cx, &second, "sha256:22")),
        "it was ended meanwhile"
    );
    world.sequence();
    world.assert_replays();
}

const SPAN: SignedDuration = SignedDuration::from_hours(24 * 90);

/// The report over ninety days up to a moment, at the present size of the log or at this one.
fn report(world: &World, to: Timestamp, size: Option<u64>) -> ControlReport {
    let asked = ReportParameters {
        from: Some(to - SPAN),
        to: Some(to),
        size: size.and_then(|size| i64::try_from(size).ok()),
    };
    world.look(move |cx| report_controls(cx, "sox", &asked)).unwrap()
}

#[test]
fn a_report_from_a_kept_trail_is_the_one_that_is_read_anew() {
    let world = World::new();
    let services = world.executor.services();
    world.draft("One");
    world.sequence();
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    let before = now - SignedDuration::from_hours(48);
    let first = [before, now].map(|to| report(&world, to, None));
    assert_eq!(services.kept_trail(), None, "a short log is read anew");
    services.keep_trails_from(0);
    assert_eq!(report(&world, before, None), first[0]);
    let since = services.kept_trail().expect("the trail is kept").0;
    assert!(since.is_some_and(|since| since <= before - SPAN), "{since:?}");
    // A later span is served by the same trail: one that was read for it would begin later.
    assert_eq!(report(&world, now, None), first[1]);
    assert_eq!(services.kept_trail(), Some((since, first[1].log.size)));

    world.draft("Two");
    world.noise(600);
    world.sequence();
    let longer = report(&world, now, None);
    assert_eq!(services.kept_trail(), Some((since, longer.log.size)), "it was read on");
    assert!(longer.log.size > first[1].log.size + 512);
    services.keep_trails_from(u64::MAX);
    assert_eq!(report(&world, now, None), longer);

    services.keep_trails_from(0);
    let size = Some(first[1].log.size);
    assert_eq!(report(&world, now, size), first[1], "a shorter log is read anew");
    assert!(services.kept_trail().is_some_and(|(begun, _)| begun > since));
    let in_writing = |cx: &mut Context<'_, '_>| Ok(report_controls(cx, "sox", &ReportParameters::default()).is_err());
    assert!(world.system(in_writing), "the thread that writes reads no long log");
}
