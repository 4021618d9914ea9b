//! Forecasts of failure and the models behind them.

use acts::Context;
use acts::risk::fit_model::find_models;
use acts::risk::move_forecasts::moves_of;
use acts::risk::show_forecast::{Shown, show_forecast};
use jiff::Timestamp;
use model::core::refusal::Refusal;
use model::risk::cause_move::current;
use model::risk::forecast::environment::{Bin, Calibration, Feature};
use model::risk::forecast::inputs::FEATURES;
use model::risk::forecast::model_record::{FailureModel, OfEnvironment};
use model::risk::forecast::pinned::{Forecast, ForecastGroup, ForecastPart};
use model::risk::forecast::words::{absent, level, of_hundred, source};
use serde_json::{Value, json};

use crate::http::route::{Ask, Reply, Route};

/// Forecasts and models.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_forecast", one_forecast),
    Route::reads("list_failure_models", models),
    Route::reads("show_failure_model", one_model),
];

fn one_forecast(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let shown = show_forecast(cx, ask.place(0))?;
    let team = cx.change(ask.place(0))?.content.team;
    Ok(Reply::ok(match shown {
        Shown::Recorded(forecast) => {
            let mut view = forecast_view(&forecast, team.as_ref(), true);
            add_moves(cx, ask.place(0), &mut view)?;
            view
        }
        Shown::Computed(forecast) => forecast_view(&forecast, team.as_ref(), false),
        Shown::Absent { closed, needed } => json!({
            "state": "absent",
            "is_recorded": false,
            "text": absent(closed, needed),
        }),
    }))
}

/// How reviewed failures moved it since. Those scoped to services see nothing of it, as a move names an incident.
fn add_moves(cx: &mut Context<'_, '_>, key: &str, view: &mut Value) -> acts::Result<()> {
    if cx.scope()?.is_some() {
        return Ok(());
    }
    let change = cx.change(key)?;
    let known = moves_of(cx, &change)?;
    let moves = current(&change, &known);
    if let Some(last) = moves.last() {
        view["moved_ppm"] = json!(last.to_ppm);
        view["moves"] = moves.iter().map(|it| it.told()).collect();
    }
    Ok(())
}

fn forecast_view(forecast: &Forecast, team: Option<&String>, is_recorded: bool) -> Value {
    let part = |part: &ForecastPart| json!({"source": part.source, "text": source(part, forecast), "ppm": part.ppm});
    let group = |row: &ForecastGroup| {
        json!({
            "group": row.group.as_str(), "text": level(row.group), "outcomes": row.outcomes, "failures": row.failures,
            "low_ppm": row.low_ppm, "high_ppm": row.high_ppm,
        })
    };
    let input = |(feature, value): (&Feature, &i64)| json!({"feature": feature.name, "thousandths": value});
    let mut view = json!({
        "state": if forecast.probability_ppm.is_some() { "figure" } else { "abstained" },
        "is_recorded": is_recorded,
        "text": forecast.told(),
        "low_ppm": forecast.low_ppm,
        "high_ppm": forecast.high_ppm,
        "parts": forecast.parts.iter().map(part).collect::<Vec<_>>(),
        "history": forecast.groups.iter().map(group).collect::<Vec<_>>(),
        "inputs": FEATURES.iter().zip(&forecast.inputs).map(input).collect::<Vec<_>>(),
        "service": forecast.service,
        "environment": forecast.environment,
        "model": forecast.model,
        "model_key": forecast.model_key,
        "features_version": forecast.features_version,
        "made_at": forecast.at,
    });
    if let Some(ppm) = forecast.probability_ppm {
        view["probability_ppm"] = json!(ppm);
        view["of_hundred"] = json!(of_hundred(ppm));
    }
    let anew = forecast.begins_anew(team);
    if !anew.is_empty() {
        view["begins_anew"] = json!(anew);
    }
    if let Some(missing) = &forecast.missing {
        view["missing"] = json!({"code": missing.code, "more": missing.more});
    }
    view
}

fn models(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let in_force = cx.directory()?.failure_model.clone();
    let views = find_models(cx)?;
    let is_in_force = |model: &FailureModel| in_force.as_ref().is_some_and(|it| it.id == model.id);
    ask.whole(
        views
            .iter()
            .map(|model| model_view(model, is_in_force(model)))
            .collect(),
    )
}

fn one_model(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let in_force = cx.directory()?.failure_model.clone();
    let wanted = ask.place(0);
    let found = find_models(cx)?
        .into_iter()
        .find(|model| model.key == wanted || model.digest == wanted);
    let model = found.ok_or_else(|| Refusal::not_found(format!("model of failure {wanted}")))?;
    Ok(Reply::ok(model_view(
        &model,
        in_force.is_some_and(|it| it.id == model.id),
    )))
}

/// A model without the outcomes of teams, which their members alone see.
fn model_view(model: &FailureModel, is_in_force: bool) -> Value {
    json!({
        "key": model.key,
        "fitted_at": model.fitted_at,
        "in_force": is_in_force,
        "model": model.digest,
        "features_version": model.features_version,
        "changes": model.changes,
        "outcomes": model.outcomes,
        "failures": model.failures,
        "environments": model.environments.iter().map(environment_view).collect::<Vec<_>>(),
    })
}

fn environment_view(of: &OfEnvironment) -> Value {
    let total = of.model.total();
    let mut view = json!({
        "environment": of.environment,
        "outcomes": total.outcomes,
        "failures": total.failures,
        "has_features": of.model.regression.is_some(),
    });
    if let Some(regression) = &of.model.regression {
        let coefficients = FEATURES.iter().zip(&regression.coefficients).map(
            |(feature, it)| json!({"feature": feature.name, "mean_thousandths": it.middle, "micro_logits": it.weight}),
        );
        view["coefficients"] = coefficients.collect();
    }
    if let Some(calibration) = &of.model.calibration {
        view["calibration"] = calibration_view(calibration);
    }
    view
}

fn calibration_view(calibration: &Calibration) -> Value {
    let time = |seconds: i64| Timestamp::from_second(seconds).ok();
    let bin = |bin: &Bin| json!({"changes": bin.changes, "failures": bin.failures, "predicted_ppm": bin.predicted_ppm});
    json!({
        "since": time(calibration.from),
        "until": time(calibration.until),
        "bins": calibration.bins.iter().map(bin).collect::<Vec<_>>(),
    })
}
