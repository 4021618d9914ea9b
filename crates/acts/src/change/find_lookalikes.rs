//! Finds changes that resemble a new one: on the same service, with a similar title, open or created within 14 days.
//! They are a hint and block nothing.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::core::act::actions::READ;
use model::core::enums::State;
use model::report::lookalike::{DAYS, MOST, alike, is_alike};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_changes::{ChangeFilter, ChangeRow, find_changes};

/// The most changes of a service that are compared: the newest open ones, and the newest of the last days.
const COMPARED: i64 = 200;
/// The most services that are read.
const MOST_SERVICES: usize = 20;

/// The changes that resemble one with this title on these services, the most similar first; at most [`MOST`]. `except`
/// is the key of the change itself.
///
/// # Errors
/// 403, or the store's.
pub fn find_lookalikes(
    cx: &mut Context<'_, '_>,
    title: &str,
    services: &BTreeSet<String>,
    except: Option<&str>,
) -> Result<Vec<ChangeRow>> {
    cx.allow(READ)?;
    let open: Vec<String> = State::ALL
        .iter()
        .filter(|state| state.is_open())
        .map(|state| state.as_str().to_owned())
        .collect();
    let since = cx.now - SignedDuration::from_hours(24 * DAYS);
    let mut found: Vec<ChangeRow> = Vec::new();
    for service in services.iter().take(MOST_SERVICES) {
        let here = ChangeFilter {
            service: Some(service.clone()),
            ..ChangeFilter::default()
        };
        let filters = [
            ChangeFilter {
                states: open.clone(),
                ..here.clone()
            },
            ChangeFilter {
                created_from: Some(since),
                ..here
            },
        ];
        for filter in filters {
            let rows = find_changes(cx, &filter, COMPARED, None)?.rows.into_iter();
            found.extend(rows.map(|(row, _)| row).filter(|row| is_alike(title, &row.title)));
        }
    }
    found.retain(|row| Some(row.key.as_str()) != except && row.state != State::Cancelled.as_str());
    found.sort_by_key(|row| {
        (
            std::cmp::Reverse(alike(title, &row.title)),
            std::cmp::Reverse(row.number),
        )
    });
    found.dedup_by_key(|row| row.number);
    found.truncate(MOST);
    Ok(found)
}
