//! Control reports on a schedule: made once for each span, with the digest in the log and a letter.

use acts::compliance::make_reports::{find_due_report, keep_made_report};
use acts::core::noun;
use model::change::related_records::Message;
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
