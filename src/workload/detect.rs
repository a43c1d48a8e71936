//! Which vocabulary a history speaks: the set of its functions, and the shapes of their values.
//!
//! The header or the command line may say it; else exactly one vocabulary has to fit, and what fits several, or none, is
//! refused with the candidates. One history has one workload.

use std::collections::BTreeSet;

use hashbrown::HashSet;

use super::fields::micro_operations_help;
use super::{Workload, WorkloadError};
use crate::history::{Compound, History, Operation, Status, Value, View};

/// The vocabulary of this name.
///
/// # Errors
/// There is none of this name: the message lists those there are.
pub fn named(name: &str) -> Result<Workload, WorkloadError> {
    Workload::ALL.into_iter().find(|workload| workload.name() == name).ok_or_else(|| WorkloadError {
        position: None,
        message: format!("there is no workload {name:?}"),
        help: format!("the workloads are {}", list(&Workload::ALL)),
    })
}

/// The vocabulary of a history: what its header says, else what its functions and values show.
///
/// # Errors
/// None fits, or more than one: the message names the functions that were found and the candidates.
pub fn detect(history: &History) -> Result<Workload, WorkloadError> {
    if let Some(value) = history.header_field("workload") {
        return match history.values().as_str(value) {
            Some(name) => named(name),
            None => Err(WorkloadError {
                position: None,
                message: format!("the header's workload is {}, and should be a name", history.values().json(value, 60)),
                help: format!("the workloads are {}", list(&Workload::ALL)),
            }),
        };
    }
    let functions = functions(history);
    if let Some((name, position)) = functions.nameless {
        return Err(WorkloadError {
            position: Some(position),
            message: format!("this operation has no `f`, and its value {name} is no list of micro-operations"),
            help: "give every record its function: `\"f\": \"read\"`".to_owned(),
        });
    }
    if functions.acted.contains("txn")
        && let Some(error) = no_transaction(history)
    {
        return Err(error);
    }
    let candidates: Vec<Workload> =
        Workload::ALL.into_iter().filter(|workload| fits(*workload, &functions, history)).collect();
    match candidates[..] {
        [workload] => Ok(workload),
        [] => Err(unfit(&functions, history)),
        _ => Err(WorkloadError {
            position: None,
            message: format!("the functions {} fit several workloads: {}", functions.text(), list(&candidates)),
            help: format!("say which: --workload {}", candidates[0].name()),
        }),
    }
}

/// A transaction whose value is something else than micro-operations: every vocabulary would refuse it, for less clear a reason.
fn no_transaction(history: &History) -> Option<WorkloadError> {
    let values = history.values();
    history.ops().filter(|op| op.mops().is_empty() && values.as_str(op.f()) == Some("txn")).find_map(|op| {
        let said =
            [op.argument(), op.result()].into_iter().find(|value| !value.is_null() && *value != Value::EMPTY_LIST)?;
        Some(WorkloadError {
            position: Some(op.position()),
            message: format!("the value {} of this `txn` is no list of micro-operations", values.json(said, 60)),
            help: micro_operations_help(history, said).to_owned(),
        })
    })
}

struct Functions<'a> {
    /// Of operations.
    acted: BTreeSet<&'a str>,
    /// Of observers.
    observed: BTreeSet<&'a str>,
    /// Of micro-operations.
    micro: BTreeSet<&'a str>,
    /// An operation without a function: its value, and where.
    nameless: Option<(String, u32)>,
}

impl Functions<'_> {
    fn text(&self) -> String {
        let mut names: Vec<String> = self.acted.iter().map(|name| shown(name)).collect();
        names.extend(self.micro.iter().map(|name| format!("txn {}", shown(name))));
        if names.is_empty() {
            names.extend(self.observed.iter().map(|name| format!("{} (an observer's)", shown(name))));
        }
        let rest = names.len().saturating_sub(12);
        names.truncate(12);
        if rest > 0 { format!("{} and {rest} more", names.join(", ")) } else { names.join(", ") }
    }
}

fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(40).flat_map(char::escape_debug).collect();
    if text.is_empty() {
        text.push_str("\"\"");
    }
    text
}

fn list(workloads: &[Workload]) -> String {
    workloads.iter().map(|workload| workload.name()).collect::<Vec<_>>().join(", ")
}

fn functions(history: &History) -> Functions<'_> {
    let values = history.values();
    let mut functions =
        Functions { acted: BTreeSet::new(), observed: BTreeSet::new(), micro: BTreeSet::new(), nameless: None };
    // Functions take turns: each name is looked at once.
    let [mut acted, mut micro, mut observed] = [Met::default(), Met::default(), Met::default()];
    for op in history.ops() {
        if acted.is_new(op.f()) {
            match values.as_str(op.f()) {
                Some(name) => _ = functions.acted.insert(name),
                None if functions.nameless.is_none() => {
                    let value = if op.argument().is_null() { op.result() } else { op.argument() };
                    functions.nameless = Some((values.json(value, 60), op.position()));
                }
                None => {}
            }
        }
        for mop in op.mops() {
            if micro.is_new(mop.f) {
                functions.micro.insert(values.as_str(mop.f).unwrap_or(""));
            }
        }
    }
    let met = history.observations().iter().filter(|seen| observed.is_new(seen.f));
    functions.observed.extend(met.filter_map(|seen| values.as_str(seen.f)));
    functions
}

/// Which functions were met: mostly one of the last two.
#[derive(Default)]
struct Met {
    last: [Option<Value>; 2],
    all: HashSet<Value, foldhash::fast::RandomState>,
}

impl Met {
    #[inline]
    fn is_new(&mut self, f: Value) -> bool {
        if self.last.contains(&Some(f)) {
            return false;
        }
        self.last = [Some(f), self.last[0]];
        self.all.insert(f)
    }
}

fn fits(workload: Workload, functions: &Functions<'_>, history: &History) -> bool {
    let only = |names: &[&str]| !functions.acted.is_empty() && functions.acted.iter().all(|f| names.contains(f));
    let has = |name: &str| functions.acted.contains(name);
    let saw = |name: &str| functions.observed.contains(name);
    let micro = |names: &[&str]| only(&["txn"]) && functions.micro.iter().all(|f| names.contains(f));
    match workload {
        Workload::Register => only(&["read", "write", "cas"]) && (has("write") || has("cas") || reads_scalars(history)),
        Workload::ListAppend => {
            micro(&["append", "r"]) && (functions.micro.contains("append") || reads_show(history, true))
        }
        Workload::RwRegister => micro(&["w", "r"]) && (functions.micro.contains("w") || reads_show(history, false)),
        Workload::Kv => only(&["get", "put", "append"]),
        Workload::Set => {
            let added = has("remove") || has("del") || has("contains") || has("add") && sums(history) != Some(true);
            only(&["add", "remove", "del", "contains", "read"]) && added
        }
        Workload::Counter => {
            let added = has("inc") || has("dec") || has("add") && sums(history) != Some(false);
            only(&["add", "inc", "dec", "read"]) && added
        }
        Workload::Idempotency => only(&["request", "effect", "audit"]) || (functions.acted.is_empty() && saw("effect")),
        Workload::Delivery => {
            only(&["publish", "consume", "dead-letter", "drained", "effect", "audit"])
                && (has("consume") || saw("dead-letter") || saw("effect") || published(history, "topic"))
        }
        Workload::Outbox => only(&["commit", "publish", "drained"]) && (has("commit") || published(history, "event")),
        Workload::Saga => only(&["saga", "step", "compensate", "effect", "audit"]),
        Workload::Reconciliation => only(&["reconcile", "snapshot"]) || (functions.acted.is_empty() && saw("snapshot")),
    }
}

/// Whether a history of reads alone reads something that is no list.
fn reads_scalars(history: &History) -> bool {
    history.ops().all(|op| !matches!(history.values().view(op.result()), View::Compound(_)))
}

/// Whether `read` shows sums, or elements; nothing where nothing is read, and what is added doesn't tell either.
fn sums(history: &History) -> Option<bool> {
    let values = history.values();
    let is = |value: Value| match values.view(value) {
        View::Int(_) => Some(true),
        View::Compound(Compound::List | Compound::Set) => Some(false),
        _ => None,
    };
    let named = |name: &'static str| history.ops().filter(move |op| values.as_str(op.f()) == Some(name));
    let shown = named("read").filter(|op| op.status() == Status::Ok).find_map(|op| is(op.result()));
    shown.or_else(|| {
        let added = |op: Operation<'_>| if op.argument().is_null() { op.result() } else { op.argument() };
        named("add").map(added).any(|value| !value.is_null() && is(value) != Some(true)).then_some(false)
    })
}

/// Whether a history of transactions that only read shows lists, or something that is none.
fn reads_show(history: &History, lists: bool) -> bool {
    let is_list = |value| history.values().view(value) == View::Compound(Compound::List);
    let mut shown = history.ops().flat_map(|op| op.mops()).filter(|mop| !mop.value.is_null());
    shown.next().is_none_or(|mop| is_list(mop.value) == lists)
}

/// Whether a `publish` has this field in its value.
fn published(history: &History, field: &str) -> bool {
    let values = history.values();
    history
        .ops()
        .filter(|op| values.as_str(op.f()) == Some("publish"))
        .any(|op| [op.argument(), op.result()].into_iter().any(|value| values.get(value, field).is_some()))
}

fn unfit(functions: &Functions<'_>, history: &History) -> WorkloadError {
    if functions.acted.is_empty() && functions.observed.is_empty() {
        return WorkloadError {
            position: None,
            message: "this history has no operations".to_owned(),
            help: "a history needs at least one record with a `type`, a `process` and an `f`".to_owned(),
        };
    }
    let stranger = history.ops().find(|op| {
        let f = history.values().as_str(op.f());
        !f.is_some_and(|f| KNOWN.contains(&f))
    });
    WorkloadError {
        position: stranger.map(|op| op.position()),
        message: format!("the functions {} are of no workload that this version can judge", functions.text()),
        help: format!(
            "the workloads are {}; where a name differs only, rename it in the history, and where the history mixes \
             several, split it",
            list(&Workload::ALL)
        ),
    }
}

const KNOWN: [&str; 26] = [
    "read",
    "write",
    "cas",
    "txn",
    "get",
    "put",
    "append",
    "add",
    "remove",
    "del",
    "contains",
    "inc",
    "dec",
    "request",
    "effect",
    "audit",
    "publish",
    "consume",
    "dead-letter",
    "drained",
    "commit",
    "saga",
    "step",
    "compensate",
    "reconcile",
    "snapshot",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Options, Source, read};

    fn detected(text: &str) -> Result<Workload, WorkloadError> {
        let history = read(Source::Bytes { name: "test".into(), bytes: text.into() }, &Options::default());
        detect(&history.expect("a history"))
    }

    /// Goal: each vocabulary is known by its functions, and a nemesis doesn't matter.
    #[test]
    fn functions_tell_the_workload() {
        let nemesis = r#"{"type":"info","process":"nemesis","f":"kill"}"#;
        for (workload, record) in [
            (Workload::Register, r#"{"type":"ok","process":0,"f":"read","value":3}"#),
            (Workload::ListAppend, r#"{"type":"ok","process":0,"f":"txn","value":[["append",1,2]]}"#),
            (Workload::ListAppend, r#"{"type":"ok","process":0,"value":[["r",1,[2]]]}"#),
            (Workload::RwRegister, r#"{"type":"ok","process":0,"f":"txn","value":[["r",1,2]]}"#),
            (Workload::Kv, r#"{"type":"ok","process":0,"f":"get","key":"x","value":""}"#),
            (Workload::Set, r#"{"type":"ok","process":0,"f":"add","value":"x"}"#),
            (
                Workload::Set,
                "{\"type\":\"ok\",\"process\":0,\"f\":\"add\",\"value\":1}\n{\"type\":\"ok\",\"process\":0,\"f\":\"read\",\"value\":[]}",
            ),
            (
                Workload::Counter,
                "{\"type\":\"ok\",\"process\":0,\"f\":\"add\",\"value\":1}\n{\"type\":\"ok\",\"process\":0,\"f\":\"read\",\"value\":1}",
            ),
            (Workload::Counter, r#"{"type":"ok","process":0,"f":"inc"}"#),
            (Workload::Saga, r#"{"type":"ok","process":0,"f":"step","key":"s","value":{"step":"a"}}"#),
            (Workload::Outbox, r#"{"type":"ok","process":0,"f":"publish","value":{"event":"a"}}"#),
            (Workload::Delivery, r#"{"type":"invoke","process":0,"f":"publish","key":"m","value":{"topic":"a"}}"#),
        ] {
            assert_eq!(detected(&format!("{nemesis}\n{record}")), Ok(workload), "{record}");
        }
    }

    /// Goal: what fits two vocabularies or none is refused with what would settle it, and the header settles it.
    #[test]
    fn what_is_unclear_is_refused() {
        let unread = r#"{"type":"ok","process":0,"f":"txn","value":[["r",1,null]]}"#;
        let error = detected(unread).expect_err("two fit");
        assert!(error.message.contains("list-append, rw-register"), "{}", error.message);
        let header = r#"{"history":{"workload":"rw-register"}}"#;
        assert_eq!(detected(&format!("{header}\n{unread}")), Ok(Workload::RwRegister));
        let error = detected(r#"{"type":"ok","process":0,"f":"frobnicate"}"#).expect_err("none fits");
        assert!(error.message.contains("frobnicate") && error.position == Some(0), "{error:?}");
    }
}
