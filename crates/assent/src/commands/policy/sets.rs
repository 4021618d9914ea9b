//! `assent policy`: checks, tests and explains policies, offline over files or on the server; tries and applies them.

pub(crate) mod apply;

use std::path::{Path, PathBuf};

#[cfg(feature = "server")]
use acts::policy::search_histories;
use clap::{Args, Subcommand};
use policy::{CasesReport, Directory, Explanation, Finding, PolicySet, SourceFile};
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::commands::policy::mapping;
use crate::commands::policy::proposals::print_proposal;
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, Tone, array, text_of};

/// Policies.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Compile a set; exit 0 fine, 1 not.
    #[command(after_help = "Example: assent policy check policies/ --pack sox")]
    Check(Set),
    /// Run the cases beside the policies; exit 0 when all hold and every policy decides in one.
    #[command(after_help = "Example: assent policy test policies/ --pack sox")]
    Test {
        /// The set.
        #[command(flatten)]
        set: Set,
        /// Ask the server which packs its directory cannot staff; exit 1 when that is one of those named.
        #[arg(long)]
        staffing: bool,
    },
    /// Name the policies that decide about a change, or the rule of the mapping that decides about a deployment.
    #[command(after_help = "Example: assent policy explain --change CHG-1042\n         \
        assent policy explain policies/ --facts facts.json\n         \
        assent policy explain --service edge-dns --environment production --pipeline halden/edge-dns")]
    Explain {
        /// The set, for --facts.
        #[command(flatten)]
        set: Set,
        /// Ask the server about this change.
        #[arg(
            long,
            value_name = "KEY",
            required_unless_present_any = ["facts", "service"],
            conflicts_with_all = ["folder", "pack"]
        )]
        change: Option<String>,
        /// Offline: a JSON file `{"change": …, "targets": […]}` with the facts that policies see.
        #[arg(long, value_name = "FILE", conflicts_with = "change")]
        facts: Option<String>,
        /// The deployment that is asked about.
        #[command(flatten)]
        deployment: Box<mapping::Question>,
    },
    /// Judge the last changes under a set that is not in force, or the last deployments under another mapping; exit 0
    /// when nothing differs, 1 when something does.
    #[command(after_help = "Example: assent policy try policies/ --pack sox --last 100\n         \
        assent policy try --mapping mapping.toml --last 100")]
    Try(Box<apply::Try>),
    /// Propose a set, or put a proposal in force; the set before stays on any failure.
    #[command(
        after_help = "Example: assent policy apply policies/ --pack sox --reason 'Under SOX from May'\n         \
        assent policy apply --activate 0199… \n         \
        assent policy apply --recover --data ./assent-data"
    )]
    Apply(Box<apply::Apply>),
    /// Propose another value for a parameter of the policies in force; `assent policy apply --activate` puts it in force.
    #[command(
        after_help = "Example: assent policy value peer_review_from_probability 2% --reason 'Failures below 10 %'"
    )]
    Value {
        /// The parameter, as `GET /policies` names it.
        #[arg(value_name = "NAME")]
        name: String,
        /// Its value, as a file of parameters writes it, without quotes.
        #[arg(value_name = "VALUE")]
        value: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// The files of a set. The base pack always belongs to it.
#[derive(Debug, Args)]
pub struct Set {
    /// A folder: each folder in it is a pack with `*.cedar`, `parameters.toml` and `cases/*.cases`;
    /// `parameters.toml` beside them holds your values.
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// A pack that comes with Assent; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub pack: Vec<String>,
    /// A TOML file with lists `groups`, `people`, `services`, `environments`: the names that policies may use. Without it,
    /// every name is taken to exist.
    #[arg(long, value_name = "FILE")]
    pub names: Option<String>,
}

/// Runs a command of the group.
///
/// # Errors
/// Why files could not be read (exit code 2), or the server's refusal.
pub fn run(policy: &Policy, common: &Common, output: &Output) -> Result<u8> {
    match policy {
        Policy::Check(set) => check(set, output),
        Policy::Test { set, staffing: true } => test_staffing(set, common, output),
        Policy::Test { set, .. } => test(set, output),
        Policy::Explain { change: Some(key), .. } => fetch_unmet(key, common, output),
        Policy::Explain {
            set, facts: Some(file), ..
        } => explain(set, file, output),
        Policy::Explain { deployment, .. } if deployment.service.is_some() => {
            mapping::explain(deployment, common, output)
        }
        Policy::Try(asked) => apply::try_on_history(asked, common, output),
        Policy::Apply(asked) => apply::apply(asked, common, output),
        Policy::Value { name, value, reason } => {
            let body = json!({"values": {name: value}, "reason": reason});
            let made = Client::new(common)?.post("/policy-parameters", &body)?.body;
            print_proposal(&made, "policy apply", output);
            Ok(0)
        }
        Policy::Explain { .. } => Err(Failure::could_not("Say --change, --facts or --service.")),
    }
}

/// The files of a set, sorted by purpose.
#[derive(Default)]
struct Files {
    policies: Vec<SourceFile>,
    cases: Vec<SourceFile>,
    parameters: String,
}

impl Set {
    fn read(&self) -> Result<Files> {
        let mut files = Files::default();
        if let Some(folder) = &self.folder {
            read_folder(folder, &mut files)?;
        }
        let is_in_folder = |name: &str| {
            let mut names = files.policies.iter().filter_map(|file| file.name.split_once('/'));
            names.any(|(pack, _)| pack == name)
        };
        let mut packs: Vec<policy::Pack> = Vec::new();
        if !is_in_folder("base") {
            packs.push(policy::base());
        }
        for name in &self.pack {
            let pack = policy::pack(name).ok_or_else(|| unknown_pack(name))?;
            if is_in_folder(name) {
                return Err(Failure::could_not(format!(
                    "The folder holds a pack `{name}` of its own. Leave --pack {name} out, or give that folder another name."
                )));
            }
            // One that is named twice is meant once.
            if packs.iter().all(|taken| taken.name != pack.name) {
                packs.push(pack);
            }
        }
        for pack in packs {
            files.policies.extend(pack.files);
            files.cases.extend(pack.cases);
        }
        Ok(files)
    }

    fn compile(&self, files: &Files) -> Result<std::result::Result<PolicySet, Vec<Finding>>> {
        let names = Names::read(self.names.as_deref())?;
        Ok(PolicySet::compile(
            &files.policies,
            &files.parameters,
            policy::SCHEMA,
            &names,
            proof::crypto::digest_text,
        ))
    }
}

fn unknown_pack(name: &str) -> Failure {
    let known: Vec<String> = policy::packs().into_iter().map(|pack| pack.name.to_string()).collect();
    let near = policy::nearest(name, known.iter().map(String::as_str));
    let hint = near.map_or_else(
        || format!("The packs are {}.", known.join(", ")),
        |near| format!("Did you mean `{near}`?"),
    );
    Failure::could_not(format!("There is no pack `{name}`. {hint}"))
}

/// Reads `*.cedar`, `*/parameters.toml` and `*.cases`, each named by its pack's folder.
fn read_folder(folder: &Path, files: &mut Files) -> Result<()> {
    if !folder.is_dir() {
        return Err(Failure::could_not(format!("`{}` is no folder.", folder.display())));
    }
    for entry in sorted(folder)? {
        let name = name_of(&entry);
        if entry.is_dir() && name == "packs" {
            for pack in sorted(&entry)? {
                read_pack(&pack, &name_of(&pack), files)?;
            }
        } else if entry.is_dir() {
            read_pack(&entry, &name, files)?;
        } else if name == "parameters.toml" {
            files.parameters = read_text(&entry.to_string_lossy())?;
        }
    }
    if files.policies.is_empty() && files.parameters.is_empty() {
        let text = format!(
            "`{}` holds no pack: put `*.cedar` files into a folder of the pack's name.",
            folder.display()
        );
        return Err(Failure::could_not(text));
    }
    Ok(())
}

fn read_pack(folder: &Path, pack: &str, files: &mut Files) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in sorted(folder)? {
        let name = name_of(&entry);
        if entry.is_dir() && name == "cases" {
            for case in sorted(&entry)?
                .into_iter()
                .filter(|case| name_of(case).ends_with(".cases"))
            {
                files
                    .cases
                    .push(source(&case, format!("{pack}/cases/{}", name_of(&case)))?);
            }
        } else if name.ends_with(".cedar") || name == "parameters.toml" {
            files.policies.push(source(&entry, format!("{pack}/{name}"))?);
        }
    }
    Ok(())
}

fn source(path: &Path, name: String) -> Result<SourceFile> {
    // Reading a pipe would wait for its writer.
    if path.exists() && !path.is_file() {
        return Err(Failure::could_not(format!("`{}` is no file.", path.display())));
    }
    Ok(SourceFile {
        name,
        text: read_text(&path.to_string_lossy())?,
    })
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let named = |error: std::io::Error| Failure::could_not(format!("`{}` cannot be read: {error}.", folder.display()));
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(named)? {
        entries.push(entry.map_err(named)?.path());
    }
    entries.sort();
    Ok(entries)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The names that policies may use; `None` takes every name to exist.
struct Names(Option<Value>);

impl Names {
    fn read(file: Option<&str>) -> Result<Self> {
        let Some(file) = file else { return Ok(Self(None)) };
        let names = toml::from_str(&read_text(file)?)
            .map_err(|error| Failure::could_not(format!("`{file}` is no TOML: {}.", error.message())))?;
        Ok(Self(Some(names)))
    }

    fn has(&self, list: &str, name: &str) -> bool {
        let Some(names) = &self.0 else { return true };
        array(names, list).iter().any(|known| known.as_str() == Some(name))
    }
}

impl Directory for Names {
    fn group_exists(&self, key: &str) -> bool {
        self.has("groups", key)
    }
    fn person_exists(&self, id: &str) -> bool {
        self.has("people", id)
    }
    fn service_exists(&self, key: &str) -> bool {
        self.has("services", key)
    }
    fn environment_exists(&self, key: &str) -> bool {
        self.has("environments", key)
    }
}

fn print_findings(output: &Output, findings: &[Finding]) -> u8 {
    output.data(&json!({"is_good": false, "findings": findings}), |output| {
        for finding in findings {
            output.line(&format!(
                "{} {finding} ({})",
                output.tone(Tone::Bad, "error:"),
                finding.code
            ));
        }
    });
    1
}

fn check(set: &Set, output: &Output) -> Result<u8> {
    let files = set.read()?;
    let compiled = match set.compile(&files)? {
        Ok(compiled) => compiled,
        Err(findings) => return Ok(print_findings(output, &findings)),
    };
    let count = compiled.sources().count();
    let value = json!({"is_good": true, "digest": compiled.digest(), "policies": count});
    output.data(&value, |output| {
        output.line(&format!(
            "{}: {count} policies, {}",
            output.tone(Tone::Good, "good"),
            compiled.digest()
        ));
    });
    output.next("assent policy test, with the same words");
    Ok(0)
}

fn test(set: &Set, output: &Output) -> Result<u8> {
    let files = set.read()?;
    let compiled = match set.compile(&files)? {
        Ok(compiled) => compiled,
        Err(findings) => return Ok(print_findings(output, &findings)),
    };
    match policy::check_cases(&compiled, &files.cases) {
        Ok(CasesReport { passed, .. }) => {
            let stories = forbidden_paths(&compiled)?;
            let is_good = stories.is_empty();
            let value = json!({"is_good": is_good, "passed": passed, "digest": compiled.digest(), "stories": stories});
            output.data(&value, |output| {
                let word = if is_good {
                    output.tone(Tone::Good, "good")
                } else {
                    output.tone(Tone::Bad, "refused")
                };
                output.line(&format!(
                    "{word}: {passed} cases hold, {} forbidden paths are open",
                    stories.len()
                ));
                for story in &stories {
                    output.line(&format!("{} {story}", output.tone(Tone::Bad, "forbidden path:")));
                }
            });
            Ok(u8::from(!is_good))
        }
        Err(findings) => Ok(print_findings(output, &findings)),
    }
}

/// The forbidden paths that a set leaves open.
#[cfg(feature = "server")]
fn forbidden_paths(set: &PolicySet) -> Result<Vec<search_histories::Story>> {
    Ok(search_histories::search_histories(set))
}

/// The search runs the acts themselves, which the client does not hold. A set counts as good only when it was searched.
#[cfg(not(feature = "server"))]
fn forbidden_paths(_: &PolicySet) -> Result<Vec<String>> {
    Err(Failure::client_only())
}

/// Which packs the server's directory cannot staff, and why.
fn test_staffing(set: &Set, common: &Common, output: &Output) -> Result<u8> {
    for name in &set.pack {
        policy::pack(name).ok_or_else(|| unknown_pack(name))?;
    }
    let found = Client::new(common)?.get("/staffing?limit=200")?.body;
    let is_asked = |row: &Value| set.pack.is_empty() || set.pack.contains(&text_of(row, "pack"));
    let rows: Vec<&Value> = array(&found, "items").iter().filter(|row| is_asked(row)).collect();
    let lacking = rows.iter().any(|row| row["is_staffed"] == json!(false));
    output.data(&json!({"items": rows}), |output| {
        for row in &rows {
            let word = match row["is_staffed"] == json!(true) {
                true => output.tone(Tone::Good, "staffed"),
                false => output.tone(Tone::Bad, "not staffed"),
            };
            let (looked_at, all) = (&row["services_looked_at"], &row["services"]);
            let part = match looked_at == all {
                true => String::new(),
                false => format!(" ({looked_at} of {all} services looked at)"),
            };
            output.line(&format!("{}: {word}{part}", text_of(row, "pack")));
            if let Some(assumed) = row["assumed"].as_str() {
                output.line(&format!("  {assumed}"));
            }
            for lack in array(row, "lacks") {
                let services: Vec<&str> = array(lack, "services").iter().filter_map(Value::as_str).collect();
                let rule = text_of(lack, "rule");
                output.line(&format!("  {rule}: {} {}", text_of(lack, "text"), services.join(", ")));
            }
        }
    });
    Ok(u8::from(lacking && !set.pack.is_empty()))
}

fn explain(set: &Set, file: &str, output: &Output) -> Result<u8> {
    let files = set.read()?;
    let compiled = match set.compile(&files)? {
        Ok(compiled) => compiled,
        Err(findings) => return Ok(print_findings(output, &findings)),
    };
    let wrong = |error: serde_json::Error| Failure::could_not(format!("`{file}` holds no facts: {error}."));
    let mut facts: Value = serde_json::from_str(&read_text(file)?).map_err(wrong)?;
    let change = serde_json::from_value(facts["change"].take()).map_err(wrong)?;
    let targets = match facts["targets"].take() {
        Value::Null => Vec::new(),
        targets => serde_json::from_value(targets).map_err(wrong)?,
    };
    let explained = policy::on_policy_thread(|| compiled.explain(&change, &targets));
    let value = serde_json::to_value(&explained).map_err(wrong)?;
    output.data(&value, |output| print_explanation(output, &explained));
    Ok(u8::from(explained.stop.is_some()))
}

fn print_explanation(output: &Output, explained: &Explanation) {
    if let Some(stop) = &explained.stop {
        output.line(&format!("{} {stop}", output.tone(Tone::Bad, "stop:")));
    }
    for row in &explained.policies {
        output.line(&format!("{}  {}", output.tone(Tone::Strong, &row.source.id), row.words));
        output.line(&format!(
            "  {}  ({}:{})",
            row.source.reason, row.source.file, row.source.line
        ));
    }
    output.line(&format!("policies {}", explained.policy_digest));
}

/// The unmet requirements of a change from the server, and the policies behind them.
fn fetch_unmet(key: &str, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let unmet = client.get(&format!("/changes/{}/requirements", encode(key)))?.body;
    let explained = client.get(&format!("/changes/{}/policies", encode(key)))?.body;
    let digest = text_of(&explained, "policy_digest");
    let value = json!({
        "digest": digest, "unmet": unmet.get("items"), "policies": explained.get("policies"), "stop": explained.get("stop"),
    });
    output.data(&value, |output| {
        for row in array(&unmet, "items") {
            output.line(&format!("before {}:", text_of(row, "step")));
            crate::output::unmet_lines(std::slice::from_ref(row))
                .iter()
                .for_each(|line| output.line(line));
        }
        if array(&unmet, "items").is_empty() {
            output.line("Nothing is missing.");
        }
        for row in array(&explained, "policies") {
            let source = &row["source"];
            let id = output.tone(Tone::Strong, &text_of(source, "id"));
            output.line(&format!("{id}  {}", text_of(row, "words")));
            let place = format!("{}:{}", text_of(source, "file"), source["line"]);
            output.line(&format!("  {}  ({place})", text_of(source, "reason")));
        }
        output.line(&format!("policies {digest}"));
    });
    Ok(0)
}
