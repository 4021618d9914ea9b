//! The forecast of failure on the page of a change and on its decision card.

use acts::risk::move_forecasts::moves_of;
use acts::risk::show_forecast::{Shown, forecast_of};
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::risk::cause_move::current;
use model::risk::forecast::pinned::{Forecast, ForecastGroup, ForecastPart};
use model::risk::forecast::words::{absent, contributions, level, percent, source};
use pages::{ForecastBar, ForecastPicture, Probability, Rich, Section, SectionBody, Tone, count};

use crate::web::shared::view::View;

/// From this probability on, in parts per million, the card waits for somebody to look: so the shipped rule does.
const LIKELY_PPM: i64 = 100_000;

/// The section of a change; nothing once the work has begun without a forecast.
pub(crate) fn section(view: &mut View<'_, '_, '_>, change: &Change) -> acts::Result<Option<Section>> {
    let models = view.url("/failure-models");
    let note = |text: &str| Rich::from(text).text(" ").link("models", models.clone());
    let section = |picture: ForecastPicture, note: Rich| {
        let body = SectionBody::Forecast(Box::new(picture));
        Some(Section::new("forecast", "Forecast of failure", body).note(note))
    };
    let moved = moved(view, change)?;
    Ok(match forecast_of(view.cx, change)? {
        Shown::Recorded(forecast) => {
            section(picture(&forecast, change), note("kept with the change;")).map(|it| it.lede(moved))
        }
        Shown::Computed(forecast) => section(picture(&forecast, change), note("not kept yet;")),
        Shown::Absent { closed, needed } if change.state.is_before_start() => {
            let picture = ForecastPicture {
                value: "No figure".to_owned(),
                told: Rich::from(absent(closed, needed)),
                ..ForecastPicture::default()
            };
            section(picture, note("no model yet;"))
        }
        Shown::Absent { .. } => None,
    })
}

/// The moves of the forecast by reviewed failures since, as text; the kept figure stays. Readers who are scoped to services see
/// none, as a move names an incident.
fn moved(view: &mut View<'_, '_, '_>, change: &Change) -> acts::Result<String> {
    if view.cx.scope()?.is_some() || !change.state.is_before_start() {
        return Ok(String::new());
    }
    let moves = moves_of(view.cx, change)?;
    let told = current(change, &moves)
        .into_iter()
        .map(|row| format!("It {}.", row.told()));
    Ok(told.collect::<Vec<_>>().join(" "))
}

fn picture(forecast: &Forecast, change: &Change) -> ForecastPicture {
    let anew = forecast.begins_anew(change.content.team.as_ref());
    let told = anew
        .into_iter()
        .fold(Rich::from(forecast.told()), |told, anew| told.line().text(anew));
    let points: Vec<i64> = forecast.parts.iter().map(|part| part.ppm).collect();
    let bar = |(part, value): (&ForecastPart, String)| ForecastBar {
        label: source(part, forecast).to_owned(),
        value,
        ppm: part.ppm,
    };
    let values = contributions(&points).into_iter();
    let mut bars: Vec<ForecastBar> = forecast.parts.iter().zip(values).map(bar).collect();
    let mut is_first = true;
    bars.retain(|bar| std::mem::take(&mut is_first) || bar.ppm != 0);
    let row = |row: &ForecastGroup| {
        [
            level(row.group).to_owned(),
            count(row.outcomes.unsigned_abs()),
            count(row.failures.unsigned_abs()),
            format!("{} to {} %", percent(row.low_ppm), percent(row.high_ppm)),
        ]
    };
    ForecastPicture {
        probability: forecast.probability_ppm.map(|ppm| Probability {
            ppm,
            low_ppm: forecast.low_ppm,
            high_ppm: forecast.high_ppm,
        }),
        value: forecast
            .probability_ppm
            .map_or_else(|| "No figure".to_owned(), |ppm| format!("{} %", percent(ppm))),
        told,
        bars,
        history: forecast.groups.iter().map(row).collect(),
    }
}

/// The summary on a decision card of the forecast that a change keeps, and of its moves by reviewed failures; the section has
/// the details.
pub(crate) fn on_card(file: &ChangeFile) -> Option<(Tone, Rich)> {
    let forecast = file.change.forecast.as_ref()?;
    let moved = current(&file.change, &file.cause_moves).last().map(|row| row.to_ppm);
    let told = forecast.probability_ppm.map_or_else(
        || "No forecast: too little history.".to_owned(),
        |ppm| {
            let (low, high) = (percent(forecast.low_ppm), percent(forecast.high_ppm));
            format!("Forecast: {} % fail, between {low} and {high}.", percent(ppm))
        },
    );
    let mut told = Rich::from(told);
    if let Some(ppm) = moved {
        let text = format!("Reviewed failures moved it to {} % since.", percent(ppm));
        told = told.line().text(text);
    }
    let is_unlikely = moved.or(forecast.probability_ppm).is_some_and(|ppm| ppm < LIKELY_PPM);
    let tone = if is_unlikely { Tone::Plain } else { Tone::Wait };
    Some((tone, told))
}
