//! Rows that are no records and still affect decisions: the timers by which the clock advances changes, and the
//! counters for numbers and for the system log's notes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proof::event::Event;
use serde_json::Value;
use store::identity::session;
use store::integration::inbox;
use store::queue::timer;
use store::record::RawRecord;
use store::{SYSTEM_TENANT, code_rows, counter};

use super::{PAGE, Replay};
use crate::audit::note_log_sizes;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_names::{
    ACTION_ITEMS, BEFORE_FIRST, BEFORE_FIRST_ACTION_ITEM, BEFORE_FIRST_INCIDENT, BEFORE_FIRST_PROBLEM, INCIDENTS,
    NUMBERS, PROBLEMS,
};
use crate::core::row_mac;

/// The numbers that were seen while reading the records and the events.
#[derive(Default)]
pub(super) struct Numbers {
    change: i64,
    incident: i64,
    problem: i64,
    action_item: i64,
    /// By tenant: the last noted size of its log, and the time, in seconds since 1970. Only the system's tenant has
    /// them.
    sized: BTreeMap<String, (i64, i64)>,
}

impl Numbers {
    /// Notes the size of another tenant's log.
    pub(super) fn note_size(&mut self, event: &Event) {
        if event.kind != "log.sized" {
            return;
        }
        let size = event.data.get("size").and_then(Value::as_i64).unwrap_or_default();
        let at = event.recorded_at.parse::<Timestamp>().map(|at| at.as_second());
        self.sized
            .insert(event.subject.id.clone(), (size, at.unwrap_or_default()));
    }

    /// Notes the number of a record that has one.
    pub(super) fn note_row(&mut self, table: &str, row: &RawRecord) {
        let column = |wanted: &str| {
            row.columns
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value)
        };
        match (table, column("number"), column("key")) {
            ("change", Some(store::Value::Int(number)), _) => self.change = self.change.max(*number),
            ("incident", _, Some(store::Value::Text(key))) => {
                let number = key.strip_prefix("INC-").and_then(|it| it.parse().ok());
                self.incident = self.incident.max(number.unwrap_or_default());
            }
            ("problem", _, Some(store::Value::Text(key))) => {
                let number = key.strip_prefix("PRB-").and_then(|it| it.parse().ok());
                self.problem = self.problem.max(number.unwrap_or_default());
            }
            ("action_item", _, Some(store::Value::Text(key))) => {
                let number = key.strip_prefix("ACT-").and_then(|it| it.parse().ok());
                self.action_item = self.action_item.max(number.unwrap_or_default());
            }
            _ => {}
        }
    }
}

impl Replay<'_> {
    /// Numbers have no gaps where the act itself raises their counter, and the system's log noted each log's size as its
    /// counters show.
    pub(super) fn check_counters(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let numbers = std::mem::take(&mut self.numbers);
        let given = [
            (NUMBERS, numbers.change, BEFORE_FIRST),
            (INCIDENTS, numbers.incident, BEFORE_FIRST_INCIDENT),
            (PROBLEMS, numbers.problem, BEFORE_FIRST_PROBLEM),
            (ACTION_ITEMS, numbers.action_item, BEFORE_FIRST_ACTION_ITEM),
        ];
        for (name, highest, before_first) in given {
            let wanted = (highest - before_first).max(0);
            if counter::may_leave_out(cx.tx) && counter::get(cx.tx, name)? > wanted {
                continue;
            }
            self.counter(cx, name, wanted)?;
        }
        if cx.tenant() != SYSTEM_TENANT {
            return Ok(());
        }
        for (tenant, (size, at)) in numbers.sized {
            let [of_size, of_time] = note_log_sizes::counters_of_size(&tenant);
            self.counter(cx, &of_size, size)?;
            self.counter(cx, &of_time, at)?;
        }
        Ok(())
    }

    /// Sessions give access, and waiting deliveries have effects, and no event makes their rows: each has the code of
    /// the server that wrote it.
    pub(super) fn check_macs(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let (executor, tenant) = (cx.services, cx.tenant());
        let mut after = String::new();
        loop {
            let page = session::page(cx.tx, &after, PAGE)?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.token_digest);
            for it in page
                .iter()
                .filter(|it| !row_mac::is_own_session(&executor.tools().master, &tenant, it))
            {
                let what = format!(
                    "No server that holds the master key began this session of {} or noted its factor. It opens nothing.",
                    it.person
                );
                self.find("session", &it.id, Some("mac"), what);
            }
            for it in page.iter().filter(|it| !it.id.is_empty()) {
                if self.ways_in.has_ended(&it.id) {
                    let what = format!(
                        "The log says that this session of {} was ended. It was put back.",
                        it.person
                    );
                    self.find("session", &it.id, None, what);
                }
            }
        }
        let mut after = String::new();
        loop {
            let page = inbox::waiting(cx.tx, &after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for it in page.iter().filter(|it| !row_mac::is_own_delivery(cx, it)) {
                let what = "No server that holds the master key took this delivery in. It will be set aside.";
                self.find("inbox", &it.id, Some("mac"), what);
            }
        }
    }

    /// Rows outside of records that open something, that decide when work is done, or that prove the log, have the code
    /// of the server that wrote them. A row that was reported for another reason is not named again.
    pub(super) fn check_codes(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        for (table, uncoded) in code_rows::APART {
            let found = match uncoded(cx.tx) {
                Ok(found) => found,
                Err(why) => {
                    self.go_on(cx, table, Err(why.into()))?;
                    continue;
                }
            };
            let what = match *table {
                "checkpoint" => "A server kept another checkpoint of this size, or the one before it is gone.",
                "timer" => {
                    "No server that has the master key set this timer for this time: what it is for may come late."
                }
                _ => "No server that has the master key wrote this row as it is.",
            };
            for id in found {
                let is_known = self.findings.iter().any(|it| it.table == *table && it.id == id);
                if !is_known {
                    self.find(table, &id, Some("code"), what);
                }
            }
        }
        Ok(())
    }

    fn counter(&mut self, cx: &mut Context<'_, '_>, name: &str, wanted: i64) -> Result<()> {
        let stands = counter::get(cx.tx, name)?;
        if stands != wanted {
            let what = format!("The counter stands at {stands}; by the records and the events it is {wanted}.");
            self.find("counter", name, Some("value"), what);
        }
        Ok(())
    }

    /// Waiting rows outside changes have their timers. Whether changes have theirs is not compared: the clock decides
    /// when something is due, and a clock that leapt would be reported as a fault of the records.
    pub(super) fn check_timers(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let lost = [
            ("gate_check", timer::checks_without(cx.tx, PAGE)?),
            ("person", timer::readers_without(cx.tx, PAGE)?),
            ("action_item", timer::items_without(cx.tx, PAGE)?),
        ];
        for (table, ids) in lost {
            for id in ids {
                let what = format!("What waits there (`{table}`) has no timer.");
                self.find("timer", &id, None, what);
            }
        }
        Ok(())
    }
}
