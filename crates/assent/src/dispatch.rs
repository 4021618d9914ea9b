//! From the command line to the command that was named.

use clap::CommandFactory;

use crate::cli::{Cli, Command, Own};
use crate::commands::approval::sla;
use crate::commands::audit::{history, keys, witnesses};
use crate::commands::cab::{boards, lessons, meetings, on_call};
use crate::commands::change::{lifecycle, templates, versions, waves};
use crate::commands::compliance::{archive, control_reports, hold_orders, reconciliation, retention};
use crate::commands::directory::{access_reviews, environments, groups, import, ownership, people, services, vendors};
use crate::commands::gate::{checks, emergency, permits};
use crate::commands::identity::{tokens, workloads};
use crate::commands::incident::{drift, incidents, monitors, problems};
use crate::commands::integration::{connections, deliveries, foreign, mail, mcp, sinks, webhooks};
use crate::commands::notify::{action_items, communications};
use crate::commands::platform::{man, nouns};
use crate::commands::policy::{mapping, sets};
use crate::commands::report::{dashboards, export, metrics, search, views};
use crate::commands::risk::table;
use crate::commands::schedule::{calendars, freezes, planning, windows};
use crate::common::Common;
use crate::failure::Result;
#[cfg(feature = "server")]
use crate::host;
use crate::output::Output;

/// Runs the command; returns the exit code.
///
/// # Errors
/// The server's refusal, or why something could not be done.
pub fn run(cli: &Cli, output: &Output) -> Result<u8> {
    carry_out(&cli.command, &cli.common, output)
}

fn carry_out(command: &Command, common: &Common, output: &Output) -> Result<u8> {
    match command {
        #[cfg(feature = "server")]
        Command::Host(asked) => host::run(asked, common, output),
        Command::Change(change) => lifecycle::run(change, common, output),
        Command::Gate(gate) => checks::run(gate, common, output),
        Command::Reconcile(asked) => emergency::reconcile(asked, common, output),
        Command::Permit(permit) => permits::run(permit, common, output),
        Command::Audit(audit) => history::run(audit, common, output),
        Command::Policy(policy) => sets::run(policy, common, output),
        Command::Risk(risk) => table::run(risk, common, output),
        Command::ControlReport(asked) => control_reports::run(asked, common, output),
        Command::Reconciliation(asked) => reconciliation::run(asked, common, output),
        Command::HoldOrder(orders) => hold_orders::run(orders, common, output),
        Command::Retention(kept) => retention::run(kept, common, output),
        Command::Archive(archive) => archive::run(archive, common, output),
        Command::Sla(sla) => sla::run(sla, common, output),
        Command::Token(token) => tokens::run(token, common, output),
        Command::Key(key) => keys::run(key, common, output),
        Command::Witness(witness) => witnesses::witness(witness, common, output),
        Command::ActionItem(item) => action_items::run(item, common, output),
        Command::Board(board) => boards::run(board, common, output),
        Command::Lesson(lesson) => lessons::run(lesson, common, output),
        Command::Log(log) => witnesses::log(log, common, output),
        Command::Mapping(mapping) => mapping::run(mapping, common, output),
        Command::Connection(connection) => connections::run(connection, common, output),
        Command::Delivery(delivery) => deliveries::run(delivery, common, output),
        Command::Mail(mail) => mail::run(mail, common, output),
        Command::Webhook(webhook) => webhooks::run(webhook, common, output),
        Command::Sink(sink) => sinks::run(sink, common, output),
        Command::ImportedChange(changes) => foreign::imported(changes, common, output),
        Command::ForeignSystem(systems) => foreign::run(systems, common, output),
        Command::Workload(workload) => workloads::run(workload, common, output),
        Command::Access(access) => access_reviews::run(access, common, output),
        Command::Person(person) => people::run(person, common, output),
        Command::Freeze(freeze) => freezes::freeze(freeze, common, output),
        Command::Window(window) => windows::window(window, common, output),
        Command::Group(group) => groups::group(group, common, output),
        Command::Ownership(ownership) => ownership::ownership(ownership, common, output),
        Command::Calendar(calendar) => calendars::calendar(calendar, common, output),
        Command::OutsideCalendar(calendar) => planning::outside_calendar(calendar, common, output),
        Command::Waves(command) => waves::waves(command, common, output),
        Command::Vendor(vendor) => vendors::vendor(vendor, common, output),
        Command::VendorNotice(notice) => vendors::vendor_notice(notice, common, output),
        Command::Told(told) => communications::run(told, common, output),
        Command::Traffic(traffic) => planning::traffic(traffic, common, output),
        Command::Slots(slots) => planning::slots(slots, common, output),
        Command::Seen(command) => versions::run(command, common, output),
        Command::Noun(noun) => nouns::run(noun, common, output),
        Command::View(view) => views::run(view, common, output),
        Command::Metrics(figures) => metrics::run(figures, common, output),
        Command::Dashboard(dashboards) => dashboards::dashboard(dashboards, common, output),
        Command::Meeting(meeting) => meetings::meeting(meeting, common, output),
        Command::OnCall(row) => on_call::on_call(row, common, output),
        Command::Service(service) => services::service(service, common, output),
        Command::Environment(listed) => environments::environment(listed, common, output),
        Command::Template(listed) => templates::template(listed, common, output),
        Command::Incident(listed) => incidents::incident(listed, common, output),
        Command::Problem(problem) => problems::problem(problem, common, output),
        Command::IncidentReview(review) => problems::review(review, common, output),
        Command::RecordLink(link) => problems::record_link(link, common, output),
        Command::Drift(drift) => drift::run(drift, common, output),
        Command::Watched(asked) => monitors::run(asked, common, output),
        Command::Search(asked) => search::run(asked, common, output),
        Command::Export(asked) => export::run(asked, common, output),
        Command::Mcp(asked) => mcp::run(asked, common),
        Command::Import(import) => import::run(import, common, output),
        Command::Own(own) => write_own(own, &common.server, output),
    }
}

/// Writes the program's own texts, such as help and completions.
fn write_own(own: &Own, server: &str, output: &Output) -> Result<u8> {
    match own {
        Own::Completions { shell } => Ok(complete(*shell, output)),
        Own::Openapi => Ok(print_openapi(server, output)),
        Own::Man { folder } => man::write(folder, output),
    }
}

/// Prints the API's OpenAPI document.
fn print_openapi(server: &str, output: &Output) -> u8 {
    let document = wire::openapi::document(server.trim_end_matches('/'));
    output.line(&serde_json::to_string_pretty(&document).unwrap_or_default());
    0
}

/// Prints the script by which a shell completes commands.
fn complete(shell: clap_complete::Shell, output: &Output) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "assent", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end());
    0
}
