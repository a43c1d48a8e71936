//! `anachron contract init`: a contract of what histories keep, for somebody to edit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anachron::check::use_cases::Ruling;
use anachron::contract::{Contract, Parameter, Pattern, Requirement, Selection, UseCase};
use anachron::guarantee::{Guarantee, strongest};
use anachron::history::{History, Value};
use anachron::ingest::Mapping;
use anachron::verdict::{Outcome, Verdict};
use anachron::workload::Workload;

use super::args::ContractInit;
use super::judge::{self, Judge};
use super::progress::Progress;
use super::{CommandError, contract, limits, output};

/// More groups than this are no groups: then the workload is one use case.
const MOST_GROUPS: usize = 12;

/// Which operations a use case takes: its workload, and the field and the pattern that tell them from others.
type Group = (Workload, Option<(&'static str, String)>);

/// What the histories show of a group.
#[derive(Default)]
struct Seen {
    operations: usize,
    histories: usize,
    /// What holds in all of them.
    holds: Option<BTreeSet<Guarantee>>,
}

/// Reads and judges the histories, and writes the contract.
pub(crate) fn run(arguments: &ContractInit) -> Result<u8, CommandError> {
    let begin = Instant::now();
    let workload = judge::workload(&arguments.reading)?;
    limits::use_threads(&arguments.limits)?;
    let to_file = arguments.output != Path::new("-");
    if to_file && arguments.output.exists() {
        return Err(CommandError::new(format!("{} is there already", arguments.output.display()))
            .help("name another file with --output, or `-` to see it first"));
    }
    let memory = limits::memory(&arguments.limits);
    let deadline = limits::deadline(&arguments.limits, begin);
    let found = contract::for_input(&arguments.reading)?;
    let options = judge::options(&arguments.reading, found.as_ref(), memory, deadline)?;
    let progress = Progress::start(false);
    let mut groups: BTreeMap<Group, Seen> = BTreeMap::new();
    for path in &arguments.files {
        progress.say(format!("reading {}", judge::name(path)));
        let history = judge::read(path, &options).map_err(|error| judge::unreadable(path, error))?;
        let judge = Judge {
            memory,
            deadline,
            required: &[],
            contract: None,
            workload,
            options: &options,
            join: None,
            progress: &progress,
            redact: None,
            drawn: false,
            certificate: None,
        };
        look(&judge, &history, &mut groups).map_err(|error| judge::unreadable(path, judge::locate(error, &history)))?;
    }
    drop(progress);
    let mut text = text(&groups);
    text.push_str(&input(options.mapping.as_deref()));
    if let Err(errors) = contract::parse(&text) {
        return Err(CommandError::new(format!("the contract would not be valid: {}", errors[0]))
            .help("please report this, with the history"));
    }
    if !to_file {
        return output::print(&text).map(|()| 0);
    }
    output::write_file(&arguments.output, &text)?;
    output::print(&format!("wrote {}\n", arguments.output.display())).map(|()| 0)
}

/// Adds what one history shows.
fn look(
    judge: &Judge<'_>,
    history: &History,
    groups: &mut BTreeMap<Group, Seen>,
) -> Result<(), anachron::workload::WorkloadError> {
    let judged = judge.judge(history)?;
    let workload = judged.workload;
    let whole = judged.rulings.whole.as_ref().map(holds).unwrap_or_default();
    let mut counts: BTreeMap<Group, usize> = BTreeMap::new();
    let parts = parts(history, workload);
    if parts.len() > 1 && parts.len() <= MOST_GROUPS {
        counts.extend(parts.into_iter().map(|(part, count)| ((workload, Some(part)), count)));
    } else {
        counts.insert((workload, None), history.len());
    }
    for (group, operations) in counts {
        let holds = match use_case(&group) {
            None => whole.clone(),
            Some(use_case) => {
                let contract = Contract { use_cases: vec![use_case], ..Contract::default() };
                let judge = Judge { contract: Some(&contract), ..*judge };
                match judge.judge(history)?.rulings.cases.pop() {
                    Some(Ruling::Judged(outcome)) => &holds(&outcome) | &whole,
                    _ => whole.clone(),
                }
            }
        };
        let seen = groups.entry(group).or_default();
        seen.operations += operations;
        seen.histories += 1;
        seen.holds = Some(match seen.holds.take() {
            Some(before) => &before & &holds,
            None => holds,
        });
    }
    Ok(())
}

/// What holds, as far as it can be required without a parameter.
fn holds(outcome: &Outcome) -> BTreeSet<Guarantee> {
    let held = outcome.judgements.iter().filter(|judgement| judgement.verdict == Verdict::Holds);
    held.map(|judgement| judgement.guarantee).filter(|one| Requirement::new(*one).policy().is_ok()).collect()
}

/// The groups of objects that a history has, by what their names have in common, with their numbers of operations.
fn parts(history: &History, workload: Workload) -> BTreeMap<(&'static str, String), usize> {
    let mut parts = BTreeMap::new();
    let values = history.values();
    for op in history.ops() {
        let (field, name) = match workload {
            Workload::Register | Workload::Kv | Workload::Set | Workload::Counter => ("key", op.key()),
            Workload::Idempotency => ("scope", values.get(op.argument(), "scope").unwrap_or(Value::ABSENT)),
            _ => return BTreeMap::new(),
        };
        // Without a name for everything, or with one that is like all others, there are no groups.
        let Some(name) = values.as_str(name) else { return BTreeMap::new() };
        let pattern = Pattern::generalized(name);
        if pattern == "*" {
            return BTreeMap::new();
        }
        *parts.entry((field, pattern)).or_insert(0) += 1;
    }
    parts
}

/// A group as a use case that requires what is customary.
fn use_case((workload, part): &Group) -> Option<UseCase> {
    let (field, pattern) = part.as_ref()?;
    let patterns = vec![Pattern::new(pattern).ok()?];
    let selection = match *field {
        "key" => Selection { key: patterns, ..Selection::default() },
        _ => Selection { scope: patterns, ..Selection::default() },
    };
    let requirements = vec![Requirement::new(workload.customary())];
    Some(UseCase { name: "part".to_owned(), selection, requirements, line: 1 })
}

/// How foreign logs are read, as the histories were: from the command line, or from the contract above.
fn input(mapping: Option<&Mapping>) -> String {
    let Some(mapping) = mapping else { return String::new() };
    let whole = toml::Table::from_iter([("input".to_owned(), toml::Value::Table(mapping.table().clone()))]);
    format!("\n# How rows of a log become records.\n{whole}")
}

fn text(groups: &BTreeMap<Group, Seen>) -> String {
    let mut out = String::from(
        "# What is required of the histories of this project, use case by use case.\n\
         # Written from what histories show: these are the strongest guarantees that they keep. Change each to what is\n\
         # promised. `anachron guarantees` lists all, `anachron contract check` checks this file.\n",
    );
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut mentioned: BTreeSet<Guarantee> = BTreeSet::new();
    for (group, seen) in groups {
        let (workload, part) = group;
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let held: Vec<Guarantee> = seen.holds.iter().flatten().copied().collect();
        let strongest = strongest(&held);
        // What holds nowhere is written as a comment: a contract that nobody can keep is none.
        let (sign, required) = match strongest.as_slice() {
            [] => ("# ", vec![workload.customary()]),
            some => ("", some.to_vec()),
        };
        let histories = counted(seen.histories, "history", "histories");
        let _ = write!(out, "\n# {} in {histories}.", counted(seen.operations, "operation", "operations"));
        if strongest.is_empty() {
            let _ = write!(out, " No guarantee was seen to hold: `anachron check` says why.");
        }
        let part = part.as_ref().map(|(field, pattern)| format!(", {field} = {}", quoted(pattern)));
        let _ = writeln!(out, "\n{sign}[[use-case]]\n{sign}name = {}", quoted(&name(group, &mut names)));
        let workload = quoted(workload.name());
        let _ = writeln!(out, "{sign}match = {{ workload = {workload}{} }}", part.unwrap_or_default());
        let list: Vec<String> = required.iter().map(|one| quoted(one.name())).collect();
        let _ = writeln!(out, "{sign}require = [{}]", list.join(", "));
        mentioned.extend(required.into_iter().filter(|guarantee| !Parameter::of(*guarantee).is_empty()));
    }
    for guarantee in mentioned {
        let _ =
            writeln!(out, "\n# Parameters of {guarantee}, as a table of its name in a use case [and their defaults]:");
        for parameter in Parameter::of(guarantee) {
            let default = parameter.default.map(|text| format!(" [{text}]")).unwrap_or_default();
            let _ =
                writeln!(out, "#   {}{default}: {}; {}", parameter.name, parameter.meaning, parameter.kind.describe());
        }
    }
    out
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A name for a group, that no other has.
fn name((workload, part): &Group, names: &mut BTreeSet<String>) -> String {
    let pattern = part.as_ref().map_or(workload.name(), |(_, pattern)| pattern.as_str());
    let words: Vec<&str> = pattern.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let plain = if words.is_empty() { workload.name().to_owned() } else { words.join("-").to_lowercase() };
    let mut name = plain.clone();
    let mut number = 2;
    while !names.insert(name.clone()) {
        name = format!("{plain}-{number}");
        number += 1;
    }
    name
}
