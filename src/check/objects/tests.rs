//! The fast path against brute force and the corpus.

use std::collections::HashSet;

use super::*;
use crate::budget::Budget;
use crate::history::{Batch, Builder, History, NoOrigin, Operation, Record, RecordType, Value};
use crate::ingest::{Options, Source, read};
use crate::witness::Minimality;

fn settings(budget: &Budget) -> Settings<'_> {
    Settings { requirements: &[], budget }
}

fn judged(history: &History) -> Outcome {
    judge(history, &settings(&Budget::default())).expect("a register history")
}

/// One record a line: `0 invoke write x 1`; `_` is no value, `-` no key, `3,4` a pair.
fn parse(text: &str, initial: &str) -> History {
    let mut lines = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [process, kind, f, key, value] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let key = if key == "-" { String::new() } else { format!(r#","key":"{key}""#) };
        let value = match value {
            "_" => "null".to_owned(),
            pair if pair.contains(',') => format!("[{pair}]"),
            value => value.to_owned(),
        };
        lines.push_str(&format!(r#"{{"process":{process},"type":"{kind}","f":"{f}"{key},"value":{value}}}"#));
        lines.push('\n');
    }
    let options = Options { header: vec![("initial".to_owned(), initial.to_owned())], ..Options::default() };
    read(Source::Bytes { name: "test".to_owned(), bytes: lines.into_bytes() }, &options).expect("a history")
}

/// A small generator: reproducible, and the same on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % bound as u64).expect("below a usize")
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What a random history may hold.
#[derive(Clone, Copy)]
pub(super) struct Mix {
    pub(super) operations: usize,
    pub(super) processes: usize,
    pub(super) keys: usize,
    /// Values are drawn from so many; 0: each is written once.
    pub(super) domain: usize,
    pub(super) cas: bool,
    /// Whether the initial value is left unknown.
    pub(super) unknown: bool,
}

/// A history of a real register, whose answers are wrong now and then.
pub(super) fn random(dice: &mut Dice, mix: Mix) -> History {
    struct Open {
        f: &'static str,
        key: usize,
        argument: (i64, i64),
        result: Option<i64>,
        applied: bool,
        refused: bool,
    }
    let lie = [0, 0, 15, 40][dice.below(4)];
    let initial = i64::try_from(dice.below(2)).expect("small");
    let mut state = vec![initial; mix.keys];
    let mut fresh = 10;
    let mut open: Vec<Option<Open>> = (0..mix.processes).map(|_| None).collect();
    let mut names: Vec<i64> = (0..mix.processes).map(|p| i64::try_from(p).expect("small")).collect();
    let mut builder = Builder::default();
    let mut batch = Batch::default();
    let mut begun = 0;
    let mut turns = 0;
    while begun < mix.operations || turns % 7 != 0 {
        turns += 1;
        let process = dice.below(mix.processes);
        let any = |dice: &mut Dice, fresh: i64| {
            if mix.domain > 0 {
                i64::try_from(dice.below(mix.domain)).expect("small")
            } else if dice.chance(20) {
                initial
            } else {
                let known = usize::try_from(fresh - 10).expect("positive") + usize::from(dice.chance(10));
                10 + i64::try_from(dice.below(known.max(1))).expect("small")
            }
        };
        match open[process].take() {
            None if begun < mix.operations => {
                begun += 1;
                let key = dice.below(mix.keys);
                let new = if mix.domain > 0 {
                    i64::try_from(dice.below(mix.domain)).expect("small")
                } else {
                    fresh += 1;
                    fresh - 1
                };
                let old = if dice.chance(60) { state[key] } else { any(dice, fresh) };
                let (f, argument) = match dice.below(if mix.cas { 4 } else { 3 }) {
                    0 | 1 => ("read", (0, 0)),
                    2 => ("write", (new, 0)),
                    _ => ("cas", (old, new)),
                };
                let operation = Open { f, key, argument, result: None, applied: false, refused: false };
                if !dice.chance(5) {
                    push(&mut batch, RecordType::Invoke, names[process], mix.keys, operation.f, key, argument, None);
                }
                open[process] = Some(operation);
            }
            None => {}
            Some(mut operation) => {
                if !operation.applied && !operation.refused {
                    let cell = &mut state[operation.key];
                    match operation.f {
                        "read" => operation.result = Some(*cell),
                        "write" => *cell = operation.argument.0,
                        _ if *cell == operation.argument.0 => *cell = operation.argument.1,
                        _ => operation.refused = !dice.chance(lie),
                    }
                    operation.applied = true;
                    open[process] = Some(operation);
                    continue;
                }
                let fate = dice.below(10);
                let kind = match (operation.refused, fate) {
                    (true, _) => RecordType::Fail,
                    (false, 0 | 1) => RecordType::Info,
                    (false, 2) if dice.chance(lie + 5) => RecordType::Fail,
                    _ => RecordType::Ok,
                };
                if operation.f == "read" && dice.chance(lie) {
                    operation.result = Some(any(dice, fresh));
                }
                let Open { f, key, argument, result, .. } = operation;
                push(&mut batch, kind, names[process], mix.keys, f, key, argument, result);
                if kind == RecordType::Info {
                    names[process] += 100;
                }
            }
        }
    }
    let text = if mix.unknown { builder.interner().string("unknown") } else { builder.interner().int(initial) };
    let name = builder.interner().string("initial");
    let header = builder.interner().map(&mut [(name, text)]).expect("one entry");
    builder.header(header);
    builder.add(batch);
    builder.finish(Box::new(NoOrigin)).expect("a history")
}

#[expect(clippy::too_many_arguments, reason = "the fields of a record")]
fn push(
    batch: &mut Batch,
    kind: RecordType,
    process: i64,
    keys: usize,
    f: &str,
    key: usize,
    argument: (i64, i64),
    result: Option<i64>,
) {
    let interner = batch.interner();
    let mut record = Record::new(kind);
    record.process = interner.int(process);
    record.f = interner.string(f);
    if keys > 1 {
        record.key = interner.int(i64::try_from(key).expect("small"));
    }
    record.value = match (f, kind) {
        ("read", RecordType::Ok) => interner.int(result.expect("an applied read")),
        ("read", _) => Value::NULL,
        ("write", _) => interner.int(argument.0),
        _ => {
            let pair = [interner.int(argument.0), interner.int(argument.1)];
            interner.list(&pair)
        }
    };
    batch.push(record);
}

/// Whether an order exists, by trying all: from the records, with nothing of the checker.
pub(super) fn brute_force(history: &History) -> bool {
    let mut keys: Vec<Value> = history.ops().map(|op| op.key()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().all(|key| {
        let ops: Vec<Operation<'_>> = history
            .ops()
            .filter(|op| op.key() == key && op.status() != Status::Fail)
            .filter(|op| op.status() == Status::Ok || history.values().as_str(op.f()) != Some("read"))
            .collect();
        let said = history.header_field("initial").expect("always given");
        let initials: Vec<Value> = if history.values().as_str(said) == Some("unknown") {
            let seen = ops.iter().flat_map(|op| [op.result(), *parts(history, op).first().unwrap_or(&Value::NULL)]);
            seen.chain([Value::FALSE]).collect()
        } else {
            vec![said]
        };
        initials.into_iter().any(|initial| place(history, &ops, 0, initial, &mut HashSet::new()))
    })
}

fn parts(history: &History, op: &Operation<'_>) -> Vec<Value> {
    history.values().items(if op.argument().is_absent() { op.result() } else { op.argument() })
}

fn place(history: &History, ops: &[Operation<'_>], done: u32, state: Value, seen: &mut HashSet<(u32, Value)>) -> bool {
    let left = || ops.iter().enumerate().filter(|(at, _)| done >> at & 1 == 0);
    if left().all(|(_, op)| op.status() != Status::Ok) {
        return true;
    }
    if !seen.insert((done, state)) {
        return false;
    }
    let due = left().map(|(_, op)| op.ended()).min().expect("some are left");
    left().filter(|(_, op)| op.began() <= due).any(|(at, op)| {
        let argument = if op.argument().is_absent() { op.result() } else { op.argument() };
        let after = match history.values().as_str(op.f()).expect("a name") {
            "read" if op.result() == state => state,
            "write" => argument,
            "cas" if parts(history, op)[0] == state => parts(history, op)[1],
            _ => return false,
        };
        place(history, ops, done | 1 << at, after, seen)
    })
}

/// Goal: the fast path says what brute force says, on registers with crashed, failed, unmatched and half-recorded
/// operations, with and without compare-and-set; and every witness stands up to `recheck`.
#[test]
fn agrees_with_brute_force() {
    let mut dice = Dice::new(7);
    let (mut holds, mut violated, mut undecided, mut smallest) = (0, 0, 0, 0);
    for round in 0..50_000 {
        let mix = Mix {
            operations: 2 + round % 7,
            processes: 2 + round % 3,
            keys: 1 + usize::from(round % 5 == 0),
            domain: 0,
            cas: round % 2 == 0,
            unknown: round % 6 == 0,
        };
        let history = random(&mut dice, mix);
        let outcome = judged(&history);
        let expected = brute_force(&history);
        match outcome.judgements[0].verdict {
            Verdict::Holds => {
                holds += 1;
                assert!(expected, "round {round}: {history:?}");
            }
            Verdict::Violated => {
                violated += 1;
                assert!(!expected, "round {round}: {history:?}\n{outcome:?}");
                for finding in &outcome.findings {
                    let witness = finding.witness.as_ref().expect("a witness");
                    assert!(witness.rechecked, "round {round}: {history:?}\n{finding:?}");
                    if matches!(texts(&outcome)[..], [(Anomaly::NonLinearizable, _)])
                        && witness.minimality == Minimality::Minimum
                        && !mix.unknown
                    {
                        smallest += 1;
                        none_smaller(&history, witness.operations.len());
                    }
                }
            }
            _ => undecided += usize::from(outcome.judgements[0].evidence["reads"] != 0),
        }
    }
    let counts = format!("{holds} hold, {violated} violated ({smallest} by zones), {undecided} undecided");
    assert!(holds > 25_000 && violated > 5000 && smallest > 300 && undecided < 1000, "{counts}");
}

/// No smaller part of the history, closed under the writers of what it read, is without an order.
fn none_smaller(history: &History, size: usize) {
    let key = history.ops().next().map_or(Value::ABSENT, |op| op.key());
    if history.ops().any(|op| op.key() != key) {
        return;
    }
    let says = |op: &Operation<'_>| {
        let value = if op.argument().is_null() { op.result() } else { op.argument() };
        match (history.values().items(value).as_slice(), history.values().as_str(op.f()) == Some("read")) {
            ([old, new], _) => (Some(*old), Some(*new)),
            (_, true) => (Some(op.result()), None),
            _ => (None, Some(value)),
        }
    };
    let silent =
        |op: &Operation<'_>| op.status() == Status::Fail || op.status() == Status::Info && says(op).1.is_none();
    let ops: Vec<Operation<'_>> = history.ops().filter(|op| !silent(op)).collect();
    let initial = history.header_field("initial").expect("always given");
    for subset in 1u32..1 << ops.len() {
        let chosen = || ops.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1).map(|(_, op)| *op);
        let closed = chosen().filter_map(|op| says(&op).0).all(|value| {
            ops.iter().filter(|op| says(op).1 == Some(value)).all(|op| chosen().any(|other| other.id == op.id))
        });
        if (subset.count_ones() as usize) < size && closed {
            let part: Vec<Operation<'_>> = chosen().collect();
            assert!(place(history, &part, 0, initial, &mut HashSet::new()), "{part:?} is smaller than {size}");
        }
    }
}

fn texts(outcome: &Outcome) -> Vec<(Anomaly, String)> {
    let text = |finding: &Finding| finding.witness.as_ref().map_or_else(String::new, |witness| witness.text.clone());
    outcome.findings.iter().map(|finding| (finding.anomaly, text(finding))).collect()
}

/// Goal: a stale read is told with its operations, their records, and what it means.
#[test]
fn a_stale_read_in_words() {
    let history = parse(
        "0 invoke write x 1
         0 ok write x 1
         1 invoke write x 2
         1 ok write x 2
         2 invoke read x _
         2 ok read x 1
         3 invoke read y _
         3 ok read y null",
        "null",
    );
    let outcome = judged(&history);
    assert_eq!(outcome.judgements[0].verdict, Verdict::Violated);
    let expected = "key \"x\": R1 read 1, which only W1 wrote; W1 wrote 1 and completed (record 1) before W2, which wrote 2, \
                    was invoked (record 2); W2 wrote 2 and completed (record 3) before R1, which read 1, was invoked \
                    (record 4). R1 returned 1 after 2 had taken its place: a client acts on data that was already \
                    overwritten, or loses sight of a write that it was told had succeeded.";
    assert_eq!(texts(&outcome), [(Anomaly::NonLinearizable, expected.to_owned())]);
    let witness = outcome.findings[0].witness.as_ref().expect("a witness");
    assert_eq!((witness.operations.as_slice(), witness.names.join(" ").as_str()), (&[1, 3, 5][..], "W1 W2 R1"));
    assert!(witness.rechecked && witness.minimality == Minimality::Minimum);
}

/// Goal: each kind of anomaly has its name, from the fewest operations that show it.
#[test]
fn every_kind_of_anomaly() {
    for (anomaly, positions, text) in [
        (Anomaly::ThinAirRead, &[3][..], "0 invoke write - 1\n0 ok write - 1\n1 invoke read - _\n1 ok read - 9"),
        (Anomaly::G1a, &[1, 3], "0 invoke write - 1\n0 fail write - 1\n1 invoke read - _\n1 ok read - 1"),
        (Anomaly::FutureRead, &[1, 3], "1 invoke read - _\n1 ok read - 1\n0 invoke write - 1\n0 ok write - 1"),
        (
            Anomaly::LostUpdate,
            &[1, 4, 5],
            "0 invoke write - 1\n0 ok write - 1\n1 invoke cas - 1,2\n2 invoke cas - 1,3\n1 ok cas - 1,2\n2 ok cas - 1,3",
        ),
        (Anomaly::NonLinearizable, &[1, 3], "0 invoke write - 1\n0 ok write - 1\n1 invoke read - _\n1 ok read - 0"),
    ] {
        let outcome = judged(&parse(text, "0"));
        let found: Vec<_> = outcome.findings.iter().map(|f| (f.anomaly, f.witness.as_ref())).collect();
        let [(found, Some(witness))] = found[..] else { panic!("{text}: {found:?}") };
        assert_eq!((found, witness.operations.as_slice(), witness.rechecked), (anomaly, positions, true), "{text}");
    }
}

/// Goal: what could not have shown a violation proves nothing.
#[test]
fn writes_alone_prove_nothing() {
    let outcome = judged(&parse("0 invoke write - 1\n0 ok write - 1\n0 invoke read - _\n0 info read - _", "0"));
    assert_eq!(outcome.judgements[0].verdict, Verdict::Unknown);
    assert!(outcome.judgements[0].reason.as_ref().is_some_and(|reason| reason.contains("nothing could have shown")));
}

/// Goal: what is no register operation is refused with its record, and what lacks its key too.
#[test]
fn what_is_no_register_is_refused() {
    for (text, position, message) in [
        ("0 invoke write - 1\n0 ok write - 1\n0 invoke push - 1", 2, "\"push\" is no function of a register"),
        ("0 invoke cas - 1\n0 ok cas - 1", 1, "the value of this cas is 1, and not a pair"),
        ("0 invoke write - 1\n0 ok write - 2", 1, "this operation was invoked with 1 and completed with 2"),
        ("0 invoke read x _\n0 ok read x 1\n0 invoke write - 1", 2, "this operation has no `key`, and others have one"),
        ("0 invoke write - 1\n0 ok write - 1\n0 ok read x 1", 1, "this operation has no `key`, and others have one"),
    ] {
        let error = judge(&parse(text, "0"), &settings(&Budget::default())).expect_err(text);
        assert_eq!((error.position, error.message.as_str()), (Some(position), message));
    }
}

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn corpus(path: &str) -> Option<std::path::PathBuf> {
    match std::env::var_os("ANACHRON_CORPUS") {
        Some(root) => Some(std::path::Path::new(&root).join(path)),
        None => {
            println!("skipped: ANACHRON_CORPUS is not set");
            None
        }
    }
}

fn load(path: &std::path::Path, initial: Option<&str>) -> History {
    let header = initial.map(|initial| ("initial".to_owned(), initial.to_owned())).into_iter().collect();
    read(Source::File(path.to_owned()), &Options { header, ..Options::default() }).expect("a history")
}

/// Goal: the small histories of other checkers' tests have the verdicts that those tests assert.
#[test]
fn corpus_of_small_registers() {
    let Some(manifest) = corpus("MANIFEST.tsv") else { return };
    let rows = std::fs::read_to_string(manifest).expect("the manifest");
    let mut judged_files = 0;
    for row in rows.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let (path, kind, format, expected) = (columns[0], columns[1], columns[2], columns[6]);
        if (kind, format) != ("register-linear", "conformance json") {
            continue;
        }
        let valid = if expected.contains("linearizable: true") || expected.contains(r#"""valid"": true"#) {
            true
        } else if expected.contains("linearizable: false") || expected.contains(r#"""valid"": false"#) {
            false
        } else {
            // Asked for `sequential` only.
            continue;
        };
        let file = corpus(path).expect("set");
        let text = std::fs::read_to_string(&file).expect("a file");
        let model: serde_json::Value = serde_json::from_str(&text).expect("json");
        let initial =
            model["model"].as_str().and_then(|model| model.strip_prefix("register, initial ")).expect("a model");
        let initial = if serde_json::from_str::<serde_json::Value>(initial).is_ok() {
            initial.to_owned()
        } else {
            format!("{initial:?}")
        };
        let outcome = judged(&load(&file, Some(&initial)));
        let verdict = outcome.judgements[0].verdict;
        // A history that reads nothing is vacuous: legal, and no evidence.
        let vacuous = outcome.judgements[0].evidence["reads"] == 0;
        let expected = match (valid, vacuous) {
            (true, true) => Verdict::Unknown,
            (true, false) => Verdict::Holds,
            (false, _) => Verdict::Violated,
        };
        assert_eq!(verdict, expected, "{path}: {outcome:?}");
        assert!(
            outcome.findings.iter().all(|f| f.witness.as_ref().is_some_and(|w| w.rechecked)),
            "{path}: {outcome:?}"
        );
        judged_files += 1;
    }
    assert!(judged_files >= 20, "{judged_files} files");
}

/// Goal: Redis read from its primary is linearizable; read from replicas it is not, even without an added lag.
#[test]
fn corpus_of_redis() {
    for (name, expected) in [
        ("redis-primary-reads", Verdict::Holds),
        ("redis-replica-reads", Verdict::Violated),
        ("redis-replica-reads-lagging", Verdict::Violated),
        ("redis-replica-only-lagging", Verdict::Violated),
    ] {
        let Some(file) = corpus(&format!("recorded/{name}.jsonl.gz")) else { return };
        let outcome = judged(&load(&file, None));
        assert_eq!(outcome.judgements[0].verdict, expected, "{name}: {:?}", outcome.judgements);
        for finding in &outcome.findings {
            let witness = finding.witness.as_ref().expect("a witness");
            assert!(witness.rechecked && witness.operations.len() <= 3, "{name}: {finding:?}");
        }
    }
}
