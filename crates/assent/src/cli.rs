//! The command line's grammar: its commands and arguments.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::approval::sla;
use crate::commands::audit::{history, keys, witnesses};
use crate::commands::cab::{boards, lessons, meetings, on_call};
use crate::commands::change::{lifecycle, versions, waves};
use crate::commands::compliance::{archive, control_reports, hold_orders, reconciliation, retention};
use crate::commands::directory::{access_reviews, groups, import, ownership, people, services, vendors};
use crate::commands::gate::{checks, emergency, permits};
use crate::commands::identity::{tokens, workloads};
use crate::commands::incident::{drift, incidents, monitors, problems};
use crate::commands::integration::{connections, deliveries, foreign, mail, mcp, sinks, webhooks};
use crate::commands::notify::{action_items, communications};
use crate::commands::platform::nouns;
use crate::commands::policy::{mapping, sets};
use crate::commands::report::{dashboards, export, metrics, search, views};
use crate::commands::risk::table;
use crate::commands::schedule::{calendars, freezes, planning, windows};
use crate::common::Common;
#[cfg(feature = "server")]
use crate::host::Host;
use crate::lists::Listed;

/// `assent`.
#[derive(Debug, Parser)]
#[command(
    name = "assent",
    version,
    about = "Changes, approvals and gates, with proof",
    max_term_width = 100
)]
#[command(after_help = "Exit codes: 0 yes, 1 no, 2 could not be done or told.\n\
    Example: assent change new --title 'Move booking to 4.2' --service booking-api --environment production")]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the command line. A credential that is named there wins over one from the environment, in either of its two forms: a
/// caller who names a file means that file, not the value of a variable.
///
/// # Errors
/// A wrong call, or a request for help.
pub fn read<I: IntoIterator<Item = OsString>>(words: I) -> std::result::Result<Cli, clap::Error> {
    let words: Vec<OsString> = words.into_iter().collect();
    let matches = Cli::command()
        .try_get_matches_from(&words)
        .map_err(|error| without_the_usual(error, &words))?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    let is_named = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    if is_named("token_file") && !is_named("token") {
        cli.common.token = None;
    }
    Ok(cli)
}

/// An error about missing arguments without the common options: in its usage, options that variables set would look as if they
/// were missing too.
fn without_the_usual(error: clap::Error, words: &[OsString]) -> clap::Error {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return error;
    }
    let hidden = Cli::command().mut_args(|argument| match argument.is_global_set() {
        true => argument.hide(true),
        false => argument,
    });
    hidden.try_get_matches_from(words).err().unwrap_or(error)
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The server, and what works on its data.
    #[cfg(feature = "server")]
    #[command(flatten)]
    Host(Host),
    /// Work on changes.
    #[command(subcommand)]
    Change(Box<lifecycle::Change>),
    /// Ask the gate whether something may be deployed.
    #[command(subcommand)]
    Gate(checks::Gate),
    /// Report what was done while no server could be reached.
    Reconcile(emergency::Reconcile),
    /// Verify permits offline, or revoke them.
    #[command(subcommand)]
    Permit(permits::Permit),
    /// Verify and export the history, without trusting the server.
    #[command(subcommand)]
    Audit(history::Audit),
    /// Check, test, explain, try and apply policies.
    #[command(subcommand)]
    Policy(sets::Policy),
    /// The risk table.
    #[command(subcommand)]
    Risk(table::Risk),
    /// The times to acknowledge and to decide.
    #[command(subcommand)]
    Sla(sla::Sla),
    /// What the tests of a framework's controls found: SOX, PCI DSS, HIPAA, ISO 27001, SOC 2, NIST 800-53.
    #[command(subcommand)]
    ControlReport(control_reports::ControlReport),
    /// What ran beside what was approved, both ways; and services that report nothing.
    Reconciliation(reconciliation::Reconciliation),
    /// For how long texts, files and raw deliveries are kept.
    #[command(subcommand)]
    Retention(retention::Retention),
    /// Legal holds over several records.
    #[command(subcommand)]
    HoldOrder(hold_orders::HoldOrders),
    /// What the archive of ended changes holds.
    #[command(subcommand)]
    Archive(archive::Archive),
    /// Credentials for programs.
    #[command(subcommand)]
    Token(tokens::Token),
    /// The keys that sign permits and the log.
    #[command(subcommand)]
    Key(keys::Key),
    /// Witnesses of the log: programs of others that cosign its checkpoints.
    #[command(subcommand)]
    Witness(witnesses::Witness),
    /// What somebody has to do about a record, and until when.
    #[command(subcommand)]
    ActionItem(action_items::ActionItem),
    /// Groups that decide at meetings, and the board pack.
    #[command(subcommand)]
    Board(boards::Board),
    /// Lessons on reading the risk of a change, and their tests.
    #[command(subcommand)]
    Lesson(lessons::Lesson),
    /// Who reads the log.
    #[command(subcommand)]
    Log(witnesses::Log),
    /// Jobs of a pipeline's platform that are let in with the platform's own token.
    #[command(subcommand)]
    Workload(workloads::Workload),
    /// From deployments to kinds of change.
    #[command(subcommand)]
    Mapping(mapping::Mapping),
    /// Systems that deliver here.
    #[command(subcommand)]
    Connection(connections::Connection),
    /// What outside systems delivered.
    #[command(subcommand)]
    Delivery(deliveries::Delivery),
    /// Answers by mail.
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Addresses outside that are told of events.
    #[command(subcommand)]
    Webhook(webhooks::Webhook),
    /// Receivers of the log, such as a SIEM.
    #[command(subcommand)]
    Sink(sinks::Sink),
    /// External systems from which changes are imported.
    #[command(subcommand)]
    ForeignSystem(foreign::ForeignSystems),
    /// Changes of another system's past, imported as reported later.
    #[command(subcommand)]
    ImportedChange(foreign::ImportedChanges),
    /// People.
    #[command(subcommand)]
    Person(people::Person),
    /// Groups and teams.
    #[command(subcommand)]
    Group(groups::Group),
    /// Who answers for what: the ownership matrix.
    #[command(subcommand)]
    Ownership(ownership::Ownership),
    /// Business calendars, by which clocks run.
    #[command(subcommand)]
    Calendar(calendars::Calendar),
    /// Calendars of others, whose events count as maintenance.
    #[command(subcommand)]
    OutsideCalendar(planning::OutsideCalendars),
    /// One change over many members, wave by wave.
    #[command(subcommand)]
    Waves(waves::Waves),
    /// Organisations that operate services, and how their changes compare.
    #[command(subcommand)]
    Vendor(vendors::Vendor),
    /// Notices of vendors about their own maintenance.
    #[command(subcommand)]
    VendorNotice(vendors::VendorNotices),
    /// What is told of changes.
    #[command(flatten)]
    Told(communications::NoticeCommand),
    /// How many users services have by hour of the week.
    #[command(subcommand)]
    Traffic(planning::TrafficTables),
    /// Show free times for a change, the best ones first.
    #[command(after_help = "Example: assent slots CHG-1042 --minutes 90 --count 5")]
    Slots(planning::Slots),
    /// What is to be seen of a change before it is decided.
    #[command(flatten)]
    Seen(versions::Seen),
    /// A noun whose command comes from its card.
    #[command(flatten)]
    Noun(nouns::AnyNoun),
    /// Saved views of the list of changes.
    #[command(subcommand)]
    View(views::View),
    /// Figures of how changes go, with their definitions and rows.
    #[command(subcommand)]
    Metrics(metrics::Metrics),
    /// Dashboards: what their tiles count, and the changes behind a row.
    #[command(subcommand)]
    Dashboard(dashboards::Dashboards),
    /// Meetings of boards (CAB, ECAB) that decide about changes.
    #[command(subcommand)]
    Meeting(meetings::Meeting),
    /// Who of a board is on call.
    #[command(subcommand)]
    OnCall(on_call::OnCall),
    /// Access reviews: managers look at the rights of their people and sign.
    #[command(subcommand)]
    Access(access_reviews::Access),
    /// Times in which no change begins.
    #[command(subcommand)]
    Freeze(freezes::Freeze),
    /// Maintenance windows: times in which work is welcome.
    #[command(subcommand)]
    Window(windows::Window),
    /// Services.
    #[command(subcommand)]
    Service(services::Service),
    /// Environments.
    #[command(subcommand)]
    Environment(Listed),
    /// Templates of standard changes.
    #[command(subcommand)]
    Template(Listed),
    /// Incidents.
    #[command(subcommand)]
    Incident(incidents::Incident),
    /// Problems: failures that recur, and the changes that fix them.
    #[command(subcommand)]
    Problem(problems::Problem),
    /// Post-incident reviews.
    #[command(subcommand)]
    IncidentReview(problems::Review),
    /// Links between records.
    #[command(subcommand)]
    RecordLink(problems::RecordLink),
    /// Drift: reports of what differs from what is recorded, and the rules that map it.
    #[command(subcommand)]
    Drift(drift::Drift),
    /// What is watched, and what changed.
    #[command(flatten)]
    Watched(monitors::Watched),
    /// Search changes, people, services, incidents, freezes, templates, pages and settings.
    Search(search::Search),
    /// Export a list as a file.
    Export(export::Export),
    /// Serve the tools of the Model Context Protocol on standard input and output.
    Mcp(mcp::Mcp),
    /// Bring services, people, groups and ownership in from a file.
    Import(import::Import),
    /// What the program writes of itself.
    #[command(flatten)]
    Own(Own),
}

/// What the program writes of itself.
#[derive(Debug, Subcommand)]
pub enum Own {
    /// Print a script that completes commands in a shell.
    #[command(after_help = "Example: assent completions bash > /etc/bash_completion.d/assent")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages.
    #[command(after_help = "Example: assent man /usr/local/share/man/man1")]
    Man {
        /// The folder to write into; it is made when it is not there.
        #[arg(value_name = "DIR")]
        folder: std::path::PathBuf,
    },
    /// Print the API's OpenAPI document.
    #[command(after_help = "Example: assent openapi > openapi.json")]
    Openapi,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound_and_no_command_hides_what_every_command_takes() {
        let command = Cli::command();
        command.clone().debug_assert();
        let everywhere: Vec<String> = command
            .get_arguments()
            .filter(|argument| argument.is_global_set())
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert!(everywhere.len() >= 9, "{everywhere:?}");
        let mut commands: Vec<&clap::Command> = command.get_subcommands().collect();
        let mut seen = 0;
        while let Some(command) = commands.pop() {
            seen += 1;
            for argument in command.get_arguments() {
                let id = argument.get_id().to_string();
                assert!(!everywhere.contains(&id), "`{}` hides --{id}", command.get_name());
            }
            assert!(
                command.get_about().is_some(),
                "`{}` says nothing of itself",
                command.get_name()
            );
            commands.extend(command.get_subcommands());
        }
        assert!(seen > 70, "{seen} commands");
    }
}
