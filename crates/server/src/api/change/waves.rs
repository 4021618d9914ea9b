//! Waves: the plan, the members, their outcomes, stopping and resuming.

use acts::Context;
use acts::change::find_waves::{self, DryRun, MOST_LISTED, Shown, Wanted, Waves};
use acts::change::set_members;
use acts::change::tell_members;
use model::core::act::actions;
use model::core::enums::MemberState;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use serde_json::{Value, json};

use crate::change::member_rows::{CSV, rows_of};
use crate::http::route::{Ask, Reply, Route};

/// The most conflicts that a dry run names.
const NAMED: usize = 50;

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_waves", |cx, ask| {
        cx.allow(actions::READ)?;
        shown(cx, ask.place(0))
    }),
    Route::reads("show_wave_dry_run", |cx, ask| {
        let found = find_waves::dry_run(cx, ask.place(0))?;
        Ok(Reply::ok(dry_run(&found)))
    }),
    Route::reads("list_members", list_members),
    Route::writes("set_wave_plan", |cx, ask| {
        set_members::set_wave_plan(cx, ask.place(0), &ask.body)?;
        shown(cx, ask.place(0))
    }),
    Route::writes("set_members", |cx, ask| {
        set_members::check_may_set(cx, ask.place(0))?;
        let mut reading = Reading::new(&ask.body, "");
        let csv = reading.text("csv", CSV);
        let mut set = set_members::read_set(&mut reading);
        reading.finish()?;
        if let Some(csv) = csv {
            set.rows = rows_of(&csv)?;
        }
        set_members::set_members(cx, ask.place(0), set)?;
        shown(cx, ask.place(0))
    }),
    Route::writes("tell_members", |cx, ask| {
        tell_members::check_may_report(cx, ask.place(0))?;
        let told = tell_members::read_outcomes(&ask.body)?;
        let taken = tell_members::tell_members(cx, ask.place(0), &told)?;
        let waves = waves_of(cx, ask.place(0))?;
        Ok(Reply::ok(
            json!({"moved": taken.moved, "known": taken.known, "waves": waves}),
        ))
    }),
    Route::writes("pause_waves", |cx, ask| {
        tell_members::pause_waves(cx, ask.place(0), &ask.body)?;
        shown(cx, ask.place(0))
    }),
    Route::writes("resume_waves", |cx, ask| {
        tell_members::resume_waves(cx, ask.place(0), &ask.body)?;
        shown(cx, ask.place(0))
    }),
    Route::writes("retry_members", |cx, ask| {
        let moved = tell_members::retry_members(cx, ask.place(0), &ask.body)?;
        let waves = waves_of(cx, ask.place(0))?;
        Ok(Reply::ok(json!({"moved": moved, "known": 0, "waves": waves})))
    }),
];

fn shown(cx: &mut Context<'_, '_>, key: &str) -> acts::Result<Reply> {
    Ok(Reply::ok(waves_of(cx, key)?))
}

fn waves_of(cx: &mut Context<'_, '_>, key: &str) -> acts::Result<Value> {
    let found = find_waves::waves_now(cx, key)?;
    let directory = cx.visible()?;
    Ok(waves(&found, &directory))
}

fn waves(found: &Waves, directory: &Directory) -> Value {
    let mut view = json!({
        "change": found.change.key, "plan": found.plan, "waves": [], "waiting_on": found.people,
    });
    let Some(run) = &found.run else { return view };
    let wave = |wave: &model::change::waves::kept_run::WaveCount| {
        let mut row = json!({
            "wave": wave.wave, "count": wave.count, "done": wave.done, "failed": wave.failed,
            "left_out": wave.left_out, "left": wave.left(),
        });
        for (name, at) in [("started_at", wave.started_at), ("ended_at", wave.ended_at)] {
            if let Some(at) = at {
                row[name] = json!(at);
            }
        }
        row
    };
    view["waves"] = run.waves.iter().map(wave).collect();
    view["current"] = json!(run.current);
    view["in_progress"] = json!(run.in_progress);
    if let Some(at) = run.opens_at {
        view["opens_at"] = json!(at);
    }
    if let Some(stop) = &run.stop {
        let mut row = json!({"cause": stop.cause, "text": stop.sentence(run, &found.plan), "at": stop.at});
        let said = [("reason", &stop.reason), ("incident_key", &stop.incident_key)];
        for (name, text) in said {
            if let Some(text) = text {
                row[name] = json!(text);
            }
        }
        if let Some(by) = &stop.by {
            row["by"] = json!(directory.login(by));
        }
        view["stop"] = row;
    }
    view
}

fn list_members(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let number = |name: &str| match ask.query(name) {
        None => Ok(None),
        Some(text) => text.parse::<u32>().map(Some).map_err(|_| {
            let help = format!("`{name}` is a whole number.");
            Refusal::field(name, "not_a_number", help)
        }),
    };
    let state = ask.query("state").map(str::parse::<MemberState>).transpose();
    let state = state.map_err(|text: String| Refusal::field("state", "unknown_word", text))?;
    let wanted = Wanted {
        wave: number("wave")?.map(i64::from),
        state,
        from: number("from")?.map_or(0, |from| from as usize),
    };
    let (found, count) = find_waves::find_members(cx, ask.place(0), &wanted)?;
    let directory = cx.visible()?;
    let more = count > wanted.from.saturating_add(MOST_LISTED);
    let items: Vec<Value> = found.iter().map(|row| member(row, &directory)).collect();
    Ok(Reply::ok(json!({"count": count, "more": more, "items": items})))
}

fn member(row: &Shown, directory: &Directory) -> Value {
    let mut view = json!({
        "member": row.member.name, "service": row.target.service, "environment": row.target.environment,
        "canary": row.member.canary, "wave": row.member.wave, "state": "waiting", "tries": 0,
    });
    if !row.member.region.is_empty() {
        view["region"] = json!(row.member.region);
    }
    if let Some(outcome) = &row.outcome {
        view["state"] = json!(outcome.state);
        view["tries"] = json!(outcome.tries);
        view["at"] = json!(outcome.at);
        view["by"] = json!(directory.login(&outcome.by));
        if let Some(text) = &outcome.text {
            view["text"] = json!(text);
        }
    }
    view
}

fn dry_run(found: &DryRun) -> Value {
    let wave = |wave: &find_waves::DryWave| {
        let mut row = json!({"wave": wave.wave, "number": wave.number, "count": wave.count, "regions": wave.regions});
        if let Some(minutes) = wave.minutes {
            row["minutes"] = json!(minutes);
        }
        row
    };
    let shared = found.shared.iter();
    let count: usize = found.waves.iter().map(|wave| wave.count).sum();
    let mut view = json!({
        "waves": found.waves.iter().map(wave).collect::<Vec<_>>(),
        "count": count,
        "conflict_count": found.conflicts.len(),
        "conflicts": found.conflicts.iter().take(NAMED).map(|it| &it.with).collect::<Vec<_>>(),
        "shared": shared
            .map(|it| json!({"change": it.key, "count": it.count, "members": it.members}))
            .collect::<Vec<_>>(),
        "missing": found.missing,
    });
    if let Some(fits) = found.fits {
        view["fits"] = json!(fits);
    }
    view
}
