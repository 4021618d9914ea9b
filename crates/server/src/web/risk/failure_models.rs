//! The models of failure: their training data, and the performance of the model in force over the last year.

use acts::risk::fit_model::{count_closed, find_models};
use axum::extract::State;
use axum::response::Response;
use model::risk::forecast::environment::{Bin, LEAST_KNOWN};
use model::risk::forecast::fixed::ONE;
use model::risk::forecast::model_record::{FailureModel, OfEnvironment};
use model::risk::forecast::words::percent;
use pages::{
    CalibrationPlot, CalibrationPoint, Cell, Column, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, count,
};

use crate::http::state::AppState;
use crate::web::shared::view::{View, Visitor, show};

/// The most environments whose calibration is drawn.
const DRAWN: usize = 6;

/// The page.
pub(crate) async fn show_models(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Policies, page).await
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    let found = find_models(view.cx)?;
    let closed = count_closed(view.cx)?;
    let in_force = view.directory.failure_model.clone();
    let mut sections = vec![
        Section::new("models", "Models, the newest first", SectionBody::Table(models(view, &found)))
            .note("one each quarter; a change keeps the forecast of its own")
            .unsaid(format!(
                "No model yet: {closed} changes are closed, and a model needs {LEAST_KNOWN}. Until then the matrix alone rates the risk."
            )),
    ];
    if let Some(model) = &in_force {
        let table = SectionBody::Table(environments(model));
        sections.push(Section::new(
            "environments",
            "Training data of the model in force",
            table,
        ));
        sections.extend(model.environments.iter().filter_map(calibration).take(DRAWN));
    }
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Policies".to_owned(), view.url("/policies"))],
        title: "Forecasts of failure".to_owned(),
        byline: Rich::from(
            "The probability that a change fails, from the outcomes of similar changes. No data about persons is used. \
             Because of a forecast, rules may require more, never less.",
        ),
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn whole(number: i64) -> String {
    count(number.unsigned_abs())
}

fn models(view: &View<'_, '_, '_>, found: &[FailureModel]) -> Table {
    let row = |model: &FailureModel| {
        vec![
            Cell::said(model.key.as_str()),
            Cell::Short(view.reader.moment(model.fitted_at)),
            Cell::Short(whole(model.outcomes)),
            Cell::Short(whole(model.failures)),
            Cell::Text(Rich::new().digest(&model.digest)),
        ]
    };
    Table {
        caption: "Models of failure".to_owned(),
        columns: vec![
            Column::new("Model", Fold::Never),
            Column::new("Fitted", Fold::Under).named(),
            Column::new("Outcomes", Fold::Under).named(),
            Column::new("Failed", Fold::Under).named(),
            Column::new("Digest", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    }
}

fn environments(model: &FailureModel) -> Table {
    let row = |of: &OfEnvironment| {
        let total = of.model.total();
        let learned = match &of.model.regression {
            _ if total.outcomes < LEAST_KNOWN => "too few for a figure",
            None => "groups of changes",
            Some(_) => "groups of changes and their features",
        };
        vec![
            Cell::said(of.environment.as_str()),
            Cell::Short(whole(total.outcomes)),
            Cell::Short(whole(total.failures)),
            Cell::text(learned),
        ]
    };
    Table {
        caption: "Training data of the model in force".to_owned(),
        columns: vec![
            Column::new("Environment", Fold::Never),
            Column::new("Outcomes", Fold::Under).named(),
            Column::new("Failed", Fold::Under).named(),
            Column::new("Learned from", Fold::Under).named(),
        ],
        rows: model.environments.iter().map(row).collect(),
        ..Table::default()
    }
}

/// Predicted and observed failures in an environment, where there was enough history before.
fn calibration(of: &OfEnvironment) -> Option<Section> {
    let calibration = of.model.calibration.as_ref()?;
    let point = |bin: &Bin| {
        let observed_ppm = bin.failures * ONE / bin.changes.max(1);
        CalibrationPoint {
            predicted_ppm: bin.predicted_ppm,
            observed_ppm,
            written: [percent(bin.predicted_ppm), percent(observed_ppm)],
            counts: [bin.changes, bin.failures],
        }
    };
    let plot = CalibrationPlot {
        points: calibration.bins.iter().map(point).collect(),
    };
    let body = SectionBody::Calibration(Box::new(plot));
    let id = format!("calibration-{}", of.environment);
    Some(
        Section::new(id, "Predicted and observed in", body)
            .named(of.environment.as_str())
            .note("the last year, or half of a shorter history, predicted with what was known before it"),
    )
}
