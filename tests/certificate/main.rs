//! Certificates: what `check` writes is accepted, and an order is accepted exactly where a naive replay finds it legal.

mod messages;
mod naive;
mod objects;
mod reading;
mod schema;
mod shelf;
mod shipped;
mod swaps;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anachron::budget::Budget;
use anachron::certificate::{Certificate, Claim, Evidence, Order, Ruling, SCHEMA, digest, verify_certificate};
use anachron::check::{Settings, certify, judge};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::History;
use anachron::ingest::{Options, Source, read};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

/// Random numbers (splitmix64): the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 33).expect("31 bits") % sides
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Fate {
    Ok,
    Fail,
    Info,
}

/// One step on one object: what it appends or writes (never 0), or what it shows.
#[derive(Clone, Debug)]
enum Step {
    Write(usize, u32),
    Show(usize, Vec<u32>),
}

#[derive(Clone, Debug)]
struct Op {
    process: usize,
    began: u32,
    /// The completion's position, and where it took effect among all operations.
    completed: u32,
    point: usize,
    fate: Fate,
    steps: Vec<Step>,
}

/// A history of a store that executes one operation after the other, now and then with a wrong read; lists or registers.
fn simulate(dice: &mut Dice, lists: bool) -> (Vec<Op>, String) {
    let mut state: HashMap<usize, Vec<u32>> = HashMap::new();
    let (mut ops, mut open): (Vec<Op>, Vec<(usize, bool)>) = (Vec::new(), Vec::new());
    let (mut position, mut points, mut fresh, mut left) = (0, 0, 0, 2 + dice.roll(6));
    let mut lines: Vec<String> = Vec::new();
    let mut clients = vec![0, 1, 2];
    while left > 0 || !open.is_empty() {
        let choice = dice.roll(3);
        if left > 0 && (open.is_empty() || choice == 0 && open.len() < 3) {
            let process =
                *clients.iter().find(|one| open.iter().all(|(op, _)| ops[*op].process != **one)).expect("an idle one");
            let count = if lists { 1 + dice.roll(3) } else { 1 };
            let steps = (0..count).map(|_| {
                let key = dice.roll(2);
                if dice.roll(2) == 0 {
                    fresh += 1;
                    // Registers write a value twice now and then.
                    Step::Write(key, if lists || dice.roll(4) > 0 { fresh } else { 1 })
                } else {
                    Step::Show(key, Vec::new())
                }
            });
            let steps = steps.collect();
            ops.push(Op { process, began: position, completed: 0, point: 0, fate: Fate::Info, steps });
            lines.push(line(ops.last().expect("just pushed"), "invoke", lists));
            open.push((ops.len() - 1, false));
            (position, left) = (position + 1, left - 1);
            continue;
        }
        let at = dice.roll(open.len());
        let (number, done) = open[at];
        if !done {
            let fate = dice.roll(8);
            let op = &mut ops[number];
            op.fate = [Fate::Fail, Fate::Info].get(fate).copied().unwrap_or(Fate::Ok);
            for step in op.steps.iter_mut().filter(|_| op.fate != Fate::Fail) {
                match step {
                    Step::Write(key, value) if lists => state.entry(*key).or_default().push(*value),
                    Step::Write(key, value) => drop(state.insert(*key, vec![*value])),
                    Step::Show(key, shown) => {
                        *shown = state.get(key).cloned().unwrap_or_default();
                        if dice.roll(25) == 0 {
                            shown.pop();
                        }
                    }
                }
            }
            (op.point, points) = (points, points + 1);
            open[at].1 = true;
            continue;
        }
        open.swap_remove(at);
        ops[number].completed = position;
        let op = ops[number].clone();
        let kind = match op.fate {
            Fate::Ok => "ok",
            Fate::Fail => "fail",
            Fate::Info => "info",
        };
        lines.push(line(&op, kind, lists));
        position += 1;
        if op.fate == Fate::Info {
            let next = clients.iter().max().expect("three") + 1;
            clients.retain(|client| *client != op.process);
            clients.push(next);
        }
    }
    (ops, lines.join("\n"))
}

fn line(op: &Op, kind: &str, lists: bool) -> String {
    let process = op.process;
    let list = |shown: &[u32]| serde_json::to_string(shown).expect("numbers");
    if lists {
        let mops: Vec<String> = op
            .steps
            .iter()
            .map(|step| match step {
                Step::Write(key, value) => format!(r#"["append",{key},{value}]"#),
                Step::Show(key, shown) if kind == "ok" => format!(r#"["r",{key},{}]"#, list(shown)),
                Step::Show(key, _) => format!(r#"["r",{key},null]"#),
            })
            .collect();
        return format!(r#"{{"type":"{kind}","process":{process},"f":"txn","value":[{}]}}"#, mops.join(","));
    }
    let (f, key, value) = match &op.steps[0] {
        Step::Write(key, value) => ("write", key, value.to_string()),
        Step::Show(key, shown) if kind == "ok" => ("read", key, shown.last().map_or("null".to_owned(), u32::to_string)),
        Step::Show(key, _) => ("read", key, "null".to_owned()),
    };
    format!(r#"{{"type":"{kind}","process":{process},"f":"{f}","key":{key},"value":{value}}}"#)
}

/// By definition: each ok operation once, none that failed, and nothing that the form or the reads forbid.
fn is_legal(ops: &[Op], order: &[usize], guarantee: Guarantee, lists: bool) -> bool {
    let count = |number: usize| order.iter().filter(|one| **one == number).count();
    let once = ops.iter().enumerate().all(|(number, op)| match op.fate {
        Fate::Ok => count(number) == 1,
        Fate::Fail => count(number) == 0,
        Fate::Info => count(number) <= 1,
    });
    let before = |first: &Op, then: &Op| {
        let time = first.fate == Fate::Ok && first.completed < then.began;
        match guarantee {
            Guarantee::Serializable => false,
            Guarantee::StrongSessionSerializable => time && first.process == then.process,
            // Time orders operations of two registers, too, but each register's order is one by itself.
            Guarantee::Linearizable => time && key(first) == key(then),
            _ => time,
        }
    };
    let timely = (0..order.len()).all(|at| order[..at].iter().all(|one| !before(&ops[order[at]], &ops[*one])));
    let mut state: HashMap<usize, Vec<u32>> = HashMap::new();
    let shown = order.iter().all(|number| {
        ops[*number].steps.iter().all(|step| match step {
            Step::Write(key, value) => {
                let there = state.entry(*key).or_default();
                if !lists {
                    there.clear();
                }
                there.push(*value);
                true
            }
            Step::Show(key, shown) => {
                ops[*number].fate != Fate::Ok || state.get(key).cloned().unwrap_or_default() == *shown
            }
        })
    });
    once && timely && shown
}

fn key(op: &Op) -> usize {
    match &op.steps[0] {
        Step::Write(key, _) | Step::Show(key, _) => *key,
    }
}

fn history(text: &str) -> History {
    read(Source::Bytes { name: "test".to_owned(), bytes: text.into() }, &Options::default()).expect("a history")
}

fn ruling(history: &History, guarantee: Guarantee, orders: Vec<Vec<u32>>) -> Ruling {
    let (evidence, workload) = if guarantee == Guarantee::Linearizable {
        let orders = orders.into_iter().map(|operations| Order { key: None, operations }).collect();
        (Evidence::Orders(orders), Workload::Register)
    } else {
        (Evidence::CommitOrder(orders.concat()), Workload::ListAppend)
    };
    let certificate = Certificate {
        schema: SCHEMA.to_owned(),
        history: digest(history),
        outline: None,
        reading: None,
        workload: workload.name().to_owned(),
        claims: vec![Claim { guarantee: guarantee.name().to_owned(), evidence, left_out: Vec::new() }],
    };
    verify_certificate(history, &certificate).remove(0).ruling
}

/// What is asked of each random history: an order of how it came to be, disturbed or not, is accepted exactly where it is
/// legal. How many were accepted and refused.
fn agree(seed: u64, rounds: usize, lists: bool, guarantees: &[Guarantee]) -> (usize, usize) {
    let mut dice = Dice(seed);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..rounds {
        let (ops, text) = simulate(&mut dice, lists);
        let history = history(&text);
        let mut order: Vec<usize> = (0..ops.len()).filter(|at| ops[*at].fate != Fate::Fail).collect();
        order.sort_by_key(|at| ops[*at].point);
        for _ in 0..dice.roll(3) {
            let (a, b) = (dice.roll(ops.len()), dice.roll(ops.len()));
            match dice.roll(6) {
                0 => order.retain(|one| *one != a),
                1 => order.insert(a.min(order.len()), b),
                _ if a < order.len() && b < order.len() => order.swap(a, b),
                _ => {}
            }
        }
        for guarantee in guarantees {
            let position = |at: &usize| ops[*at].completed;
            let orders: Vec<Vec<u32>> = if lists {
                vec![order.iter().map(position).collect()]
            } else {
                let of = |wanted: usize| order.iter().filter(|at| key(&ops[**at]) == wanted).map(position).collect();
                vec![of(0), of(1)]
            };
            let legal = is_legal(&ops, &order, *guarantee, lists);
            let given = ruling(&history, *guarantee, orders.clone());
            match &given {
                Ruling::Refused(_) => refused += 1,
                _ => accepted += 1,
            }
            // An order that leaves all of a key's operations out is not refused for it, but proves nothing.
            let silent = matches!(given, Ruling::Unproved(_));
            let kept = matches!(given, Ruling::Proved(_)) == legal || silent;
            assert!(kept, "{guarantee}: {legal}, {given:?}\n{text}\n{orders:?}");
        }
    }
    (accepted, refused)
}

/// Goal: an order of a register's operations is accepted exactly where each is there once, time and values allow it.
#[test]
fn an_order_of_registers_is_accepted_where_it_is_legal() {
    let (accepted, refused) = agree(1, 4000, false, &[Guarantee::Linearizable]);
    assert!(accepted > 500 && refused > 500, "{accepted} {refused}");
}

const SERIAL: [Guarantee; 3] =
    [Guarantee::Serializable, Guarantee::StrongSessionSerializable, Guarantee::StrictSerializable];

/// Goal: the same of transactions over lists, whatever the order has to keep beside the reads.
#[test]
fn a_serial_order_is_accepted_where_it_is_legal() {
    let (accepted, refused) = agree(2, 2000, true, &SERIAL);
    assert!(accepted > 500 && refused > 500, "{accepted} {refused}");
}

/// Goal: whatever is judged to hold has a certificate that is accepted, random histories with crashes and failures included.
#[test]
fn what_holds_is_certified() {
    let mut dice = Dice(3);
    let mut proved = 0;
    for round in 0..3000 {
        let lists = round % 2 == 0;
        let (_, text) = simulate(&mut dice, lists);
        let history = history(&text);
        let (workload, guarantees) = match lists {
            true => (Workload::ListAppend, &SERIAL[..]),
            false => (Workload::Register, &[Guarantee::Linearizable][..]),
        };
        let requirements: Vec<Requirement> = guarantees.iter().copied().map(Requirement::new).collect();
        let budget = Budget::default();
        let settings = Settings { requirements: &requirements, budget: &budget };
        let outcome = judge(&history, workload, &settings);
        let judgements = outcome.expect("judged").judgements;
        let certificate = certify(&history, workload, &judgements, &settings).expect("certified");
        let held = |one: &&Guarantee| {
            judgements.iter().any(|judgement| judgement.guarantee == **one && judgement.verdict == Verdict::Holds)
        };
        assert_eq!(certificate.claims.len(), guarantees.iter().filter(held).count());
        for line in verify_certificate(&history, &certificate) {
            assert!(matches!(line.ruling, Ruling::Proved(_)), "{line:?}\n{text}\n{certificate:?}");
            proved += 1;
        }
    }
    assert!(proved > 1000, "{proved}");
}

fn anachron(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_anachron"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("the binary runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// The history's certificate, in this folder.
fn certified(folder: &Path, history: &str, required: &str) -> PathBuf {
    let path = folder.join("certificate.json");
    let (code, text) =
        anachron(&["check", history, "--require", required, "--certificate", &path.to_string_lossy(), "--quiet"]);
    assert_eq!(code, Some(0), "{history}: {text}");
    path
}

/// Goal: the certificates of shipped histories are proved; one with two entries swapped that time or values keep apart is
/// refused at the first step that fails, and so is one of a history of which a record was changed.
#[test]
fn shipped_histories_are_certified_and_tampering_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (history, required, proved) in [
        ("histories/postgres/list-append-serializable.jsonl", "strict-serializable", 0),
        ("histories/postgres/list-append-serializable.jsonl", "serializable", 0),
        ("histories/redis/primary-reads.jsonl", "linearizable", 0),
        // Values repeat: a search found the order.
        ("histories/etcd/cas-register.jsonl", "linearizable", 0),
    ] {
        let path = certified(folder.path(), history, required);
        let (code, text) = anachron(&["verify", history, &path.to_string_lossy()]);
        assert_eq!(code, Some(proved), "{history}: {text}");
        let written = std::fs::read_to_string(&path).expect("a certificate");
        assert_eq!(written, std::fs::read_to_string(certified(folder.path(), history, required)).expect("again"));
        let mut tampered: Certificate = serde_json::from_str(&written).expect("a certificate");
        let operations = match &mut tampered.claims[0].evidence {
            Evidence::Orders(orders) => &mut orders[0].operations,
            Evidence::CommitOrder(order) => order,
            other => panic!("{other:?}"),
        };
        let last = operations.len() - 1;
        operations.swap(0, last);
        std::fs::write(&path, tampered.to_json()).expect("written");
        let (code, text) = anachron(&["verify", history, &path.to_string_lossy()]);
        if required != "serializable" {
            assert_eq!(code, Some(1), "{history}: {text}");
            assert!(text.contains("refused") && text.contains("step "), "{text}");
        }
        std::fs::write(&path, written).expect("written");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let records = std::fs::read_to_string(root.join(history)).expect("a history");
        let mut lines: Vec<&str> = records.lines().collect();
        lines.truncate(lines.len() - 1);
        let changed = folder.path().join("changed.jsonl");
        std::fs::write(&changed, lines.join("\n")).expect("written");
        let (code, text) = anachron(&["verify", &changed.to_string_lossy(), &path.to_string_lossy()]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("another history"), "{text}");
    }
}

/// Goal: a report's witness is proved where its operations have no order, refused where a record was changed, and unproved
/// where nothing here can tell; what is neither certificate nor report can't be read.
#[test]
fn witnesses_of_reports_are_looked_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let path = path.to_string_lossy().into_owned();
    let output = format!("json={path}");
    let history = "histories/anomalies/non-linearizable.jsonl";
    assert_eq!(anachron(&["check", history, "--quiet", "--output", &output]).0, Some(1));
    let (code, text) = anachron(&["verify", history, &path]);
    assert_eq!(code, Some(0), "{text}");
    let report = std::fs::read_to_string(&path).expect("a report");
    let mut tampered: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    tampered["histories"][0]["anomalies"][0]["witness"]["records"][3]["value"] = 7.into();
    std::fs::write(&path, tampered.to_string()).expect("written");
    let (code, text) = anachron(&["verify", history, &path]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("record 3") && text.contains("`value`"), "{text}");
    let lists = "histories/anomalies/G2-item.jsonl";
    anachron(&["check", lists, "--quiet", "--output", &output]);
    let (code, text) = anachron(&["verify", lists, &path]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("G2-item: proved: each step of the cycle holds"), "{text}");
    std::fs::write(&path, "{\"schema\":\"other/1\"}").expect("written");
    assert_eq!(anachron(&["verify", lists, &path]).0, Some(2));
}

/// Goal: what a stronger guarantee implies follows from its claim; not from one that implies nothing of it, is missing, or
/// fails, and never from a claim that follows from another itself.
#[test]
fn a_claim_follows_from_a_proved_one() {
    let history = history(
        r#"{"type":"ok","process":0,"f":"txn","value":[["append","x",1]]}
{"type":"ok","process":0,"f":"txn","value":[["r","x",[1]]]}"#,
    );
    let ruled = |claims: &[(&str, Evidence)]| {
        let claim = |(guarantee, evidence): &(&str, Evidence)| Claim {
            guarantee: (*guarantee).to_owned(),
            evidence: evidence.clone(),
            left_out: Vec::new(),
        };
        let certificate = Certificate {
            schema: SCHEMA.to_owned(),
            history: digest(&history),
            outline: None,
            reading: None,
            workload: Workload::ListAppend.name().to_owned(),
            claims: claims.iter().map(claim).collect(),
        };
        verify_certificate(&history, &certificate).remove(0).ruling
    };
    let follows = |from: &str| Evidence::FollowsFrom(from.to_owned());
    let order = |order: [u32; 2]| ("serializable", Evidence::CommitOrder(order.to_vec()));
    let prefix = |from| ("prefix", follows(from));
    assert!(matches!(ruled(&[prefix("serializable"), order([0, 1])]), Ruling::Proved(_)));
    assert!(matches!(ruled(&[prefix("serializable"), order([1, 0])]), Ruling::Refused(_)));
    assert!(matches!(ruled(&[prefix("serializable")]), Ruling::Refused(_)));
    assert!(matches!(ruled(&[("sequential", follows("serializable")), order([0, 1])]), Ruling::Refused(_)));
    assert!(matches!(ruled(&[prefix("serializable"), ("serializable", Evidence::Absent)]), Ruling::Unproved(_)));
    let circle = [("serializable", follows("view-serializable")), ("view-serializable", follows("serializable"))];
    assert!(matches!(ruled(&circle), Ruling::Refused(_)));
}

/// Goal: weaker levels share one order, by name, whatever order they are required in: it is written once, and each level is looked up in
/// it. A claim whose order another one is to have, and has not, is refused; so is one that it doesn't show.
#[test]
fn levels_share_one_order() {
    let text = r#"{"type":"ok","process":0,"f":"txn","value":[["append","x",1],["r","y",[]]]}
{"type":"ok","process":1,"f":"txn","value":[["r","x",[1]],["append","y",1]]}
{"type":"invoke","process":0,"f":"txn","value":[["r","y",null]]}
{"type":"ok","process":0,"f":"txn","value":[["r","y",[]]]}"#;
    let history = history(text);
    let levels = [Guarantee::ReadCommitted, Guarantee::Serializable, Guarantee::Causal, Guarantee::Prefix];
    let requirements: Vec<Requirement> = levels.into_iter().map(Requirement::new).collect();
    let budget = Budget::default();
    let settings = Settings { requirements: &requirements, budget: &budget };
    let judgements = judge(&history, Workload::ListAppend, &settings).expect("judged").judgements;
    let mut certificate = certify(&history, Workload::ListAppend, &judgements, &settings).expect("certified");
    let same = |name: &str| Evidence::SameAs(name.to_owned());
    let kinds: Vec<&str> = certificate.claims.iter().map(|claim| &*claim.guarantee).collect();
    assert_eq!(kinds, levels.map(Guarantee::name));
    let evidence = |at: usize| certificate.claims[at].evidence.clone();
    assert!(matches!(evidence(1), Evidence::CommitOrder(_)));
    assert_eq!((evidence(0), evidence(3)), (same("serializable"), same("serializable")));
    assert!(certificate.to_json().contains(r#"{"guarantee":"read-committed","evidence":{"same-as":"serializable"}"#));
    assert!(verify_certificate(&history, &certificate).iter().all(|line| matches!(line.ruling, Ruling::Proved(_))));
    // Not at all as time has it: the reader of the empty list comes last.
    certificate.claims[0].guarantee = "strict-serializable".to_owned();
    certificate.claims[3].evidence = same("prefix");
    let lines = verify_certificate(&history, &certificate);
    assert!(matches!(&lines[0].ruling, Ruling::Refused(why) if why.contains("record")), "{:?}", lines[0]);
    assert!(matches!(&lines[3].ruling, Ruling::Refused(why) if why.contains("has none for")), "{:?}", lines[3]);
}
