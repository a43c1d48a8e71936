//! `eventual` against its definition, over small random histories.

use anachron::budget::Budget;
use anachron::certificate::{Agreement, Claim, Convergence, Evidence, Ruling, rule, times, verify_certificate};
use anachron::check::{Settings, certify};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::{History, Status};
use anachron::ingest::{Options, Source, read};
use anachron::verdict::{Outcome, Verdict};
use anachron::workload::Workload;

/// A small generator: reproducible, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 20) % u64::from(bound)).expect("below a u32")
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

const NEVER: u32 = u32::MAX;

/// What an operation does.
struct Access {
    began: u32,
    ended: u32,
    status: Status,
    writes: bool,
    version: u32,
}

/// An operation of a small history: `began` and `ended` are positions.
struct Op {
    access: Access,
    node: usize,
    last: bool,
}

/// A few writes and reads on two servers, and final reads, some of which come too early, are left out or differ.
fn random(dice: &mut Dice) -> (Vec<Op>, String) {
    let mut ops: Vec<Op> = Vec::new();
    let mut lines = String::new();
    let mut position = 0;
    let mut open: Vec<Option<usize>> = vec![None; 3];
    let mut names = [0_u32, 1, 2];
    let count = 3 + dice.below(6);
    let finals = 2 + dice.below(2);
    let repeats = dice.chance(25);
    let mut agreed = None;
    while u32::try_from(ops.len()).expect("small") < count + finals || open.iter().any(Option::is_some) {
        let lane = dice.below(3) as usize;
        let begun = u32::try_from(ops.len()).expect("small");
        if let Some(at) = open[lane].take() {
            let op = &mut ops[at];
            let kind = match op.access.status {
                Status::Ok => "ok",
                Status::Fail => "fail",
                Status::Info => "info",
            };
            if op.access.status == Status::Ok {
                op.access.ended = position;
            }
            lines.push_str(&line(kind, names[lane], op));
            if op.access.status == Status::Info {
                names[lane] += 3;
            }
        } else if begun < count + finals {
            let last = begun >= count;
            // Now and then the final reads don't wait.
            if last && open.iter().any(Option::is_some) && !dice.chance(3) {
                continue;
            }
            let writes = !last && dice.chance(60);
            let status = match dice.below(8) {
                0 if writes => Status::Fail,
                1 if writes => Status::Info,
                _ => Status::Ok,
            };
            let written: Vec<u32> =
                ops.iter().filter(|op| op.access.writes).map(|op| op.access.version).chain([0]).collect();
            let version = if writes {
                if repeats { 1 + dice.below(2) } else { begun + 1 }
            } else if dice.chance(2) {
                77
            } else {
                let newest = *ops.iter().rev().find(|op| op.access.writes).map_or(&0, |op| &op.access.version);
                let any = written[dice.below(u32::try_from(written.len()).expect("small")) as usize];
                match agreed.filter(|_| last && dice.chance(85)) {
                    Some(version) => version,
                    None if dice.chance(50) => newest,
                    None => any,
                }
            };
            if last && agreed.is_none() {
                agreed = Some(version);
            }
            let access = Access { began: position, ended: NEVER, status, writes, version };
            let op = Op { access, node: dice.below(2) as usize, last };
            lines.push_str(&line("invoke", names[lane], &op));
            open[lane] = Some(ops.len());
            ops.push(op);
        } else {
            continue;
        }
        position += 1;
    }
    (ops, lines)
}

fn line(kind: &str, process: u32, op: &Op) -> String {
    let value = match (op.access.version, op.access.writes, kind) {
        (_, false, "invoke") | (0, ..) => "null".to_owned(),
        (version, ..) => version.to_string(),
    };
    let f = if op.access.writes { "write" } else { "read" };
    let last = if op.last { ",\"final\":true" } else { "" };
    format!(
        "{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\"value\":{value},\"node\":\"n{}\"{last}}}\n",
        op.node
    )
}

/// The definition, naively: nothing is said more often than once, so any way to explain what was read will do.
fn expected(ops: &[Op]) -> Verdict {
    let says = |op: &&Op| !op.access.writes && op.access.status == Status::Ok;
    let writes = || ops.iter().filter(|op| op.access.writes);
    let by = |version: u32| writes().filter(move |op| op.access.version == version && op.access.status != Status::Fail);
    let thin = |op: &Op| op.access.version != 0 && !writes().any(|write| write.access.version == op.access.version);
    if ops.iter().filter(says).any(thin) {
        return Verdict::Violated;
    }
    let quiet = writes().filter(|op| op.access.status == Status::Ok).map(|op| op.access.ended).max();
    let finals: Vec<&Op> = ops.iter().filter(says).filter(|op| op.last).collect();
    if finals.iter().any(|op| op.access.version != 0 && by(op.access.version).next().is_none()) {
        return Verdict::Violated;
    }
    let counted: Vec<&Op> = finals
        .iter()
        .copied()
        .filter(|op| quiet.is_none_or(|quiet| op.access.began > quiet))
        .filter(|op| future(ops, op).is_none())
        .collect();
    // Who may have written what a read returned (none: the initial value), and by when each write had happened.
    let candidates = |read: &Op| -> Vec<Option<usize>> {
        let initial = (read.access.version == 0).then_some(None);
        let some = ops.iter().enumerate().filter(|(_, op)| {
            op.access.writes
                && op.access.status != Status::Fail
                && op.access.version == read.access.version
                && op.access.began < read.access.ended
        });
        initial.into_iter().chain(some.map(|(at, _)| Some(at))).collect()
    };
    let happened = |write: usize| {
        let own = ops[write].access.ended;
        let seen = ops.iter().filter(says).filter(|read| candidates(read)[..] == [Some(write)]);
        seen.map(|read| read.access.ended).chain([own]).min().unwrap_or(NEVER)
    };
    let begun = counted.iter().map(|op| op.access.began).min().unwrap_or(0);
    let open = |version: u32| {
        ops.iter().enumerate().any(|(at, op)| {
            op.access.writes
                && op.access.version == version
                && op.access.status == Status::Info
                && happened(at) >= begun
        })
    };
    let mut shown: Vec<u32> = counted.iter().map(|op| op.access.version).collect();
    shown.sort_unstable();
    shown.dedup();
    let mut doubt = false;
    if shown.len() > 1 {
        if shown.iter().filter(|version| !open(**version)).count() > 1 {
            return Verdict::Violated;
        }
        doubt = true;
    } else {
        for read in &counted {
            // Overwritten, whichever of them it saw.
            let overwritten = candidates(read).into_iter().all(|seen| {
                (0..ops.len()).filter(|at| ops[*at].access.writes && ops[*at].access.status != Status::Fail).any(|at| {
                    let after = seen.is_none_or(|seen| ops[at].access.began > happened(seen));
                    after && happened(at) < read.access.began
                })
            });
            if overwritten {
                return Verdict::Violated;
            }
        }
    }
    let nodes: std::collections::BTreeSet<usize> =
        ops.iter().filter(|op| op.access.status == Status::Ok).map(|op| op.node).collect();
    let complete = nodes.iter().all(|node| counted.iter().any(|op| op.node == *node));
    if doubt || !complete || quiet.is_none() || counted.is_empty() { Verdict::Unknown } else { Verdict::Holds }
}

/// Whether a read's writer, all of them, began after it had ended.
fn future<'a>(ops: &'a [Op], read: &Op) -> Option<&'a Op> {
    let mut writers = ops
        .iter()
        .filter(|op| op.access.writes && op.access.status != Status::Fail && op.access.version == read.access.version);
    let first = writers.clone().next()?;
    (read.access.version != 0 && writers.all(|op| op.access.began > read.access.ended)).then_some(first)
}

fn parse(lines: &str) -> History {
    read(Source::Bytes { name: "test".to_owned(), bytes: lines.into() }, &Options::default()).expect("a history")
}

fn outcome(history: &History, require: &str) -> Outcome {
    let requirements: Vec<Requirement> = require.split(' ').map(|text| text.parse().expect("a requirement")).collect();
    let budget = Budget::default();
    let settings = Settings { requirements: &requirements, budget: &budget };
    anachron::check::judge(history, Workload::Register, &settings).expect("registers")
}

fn verdict(outcome: &Outcome, guarantee: Guarantee) -> (Verdict, String) {
    let judgement = outcome.judgements.iter().find(|one| one.guarantee == guarantee).expect("a judgement");
    (judgement.verdict, judgement.reason.clone().unwrap_or_default())
}

/// Goal: every verdict is the definition's, and every witness is confirmed from the whole history.
#[test]
fn eventual_is_as_defined() {
    let rounds = std::env::var("ANACHRON_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_200);
    let mut seen = [0; 3];
    for seed in 0..rounds {
        let mut dice = Dice::new(seed + 31);
        let (ops, lines) = random(&mut dice);
        let history = parse(&lines);
        let outcome = outcome(&history, "eventual");
        let (found, reason) = verdict(&outcome, Guarantee::Eventual);
        let expected = expected(&ops);
        assert_eq!(found, expected, "seed {seed}: {reason}\n{lines}");
        seen[match expected {
            Verdict::Holds => 0,
            Verdict::Violated => 1,
            _ => 2,
        }] += 1;
        for finding in &outcome.findings {
            let witness = finding.witness.as_ref().expect("a witness");
            assert!(witness.rechecked, "seed {seed}: {} {}\n{lines}", finding.anomaly, witness.text);
        }
    }
    assert!(seen.iter().all(|count| *count > 60), "{seen:?}");
}

/// Goal: what holds has a certificate that is proved; one that names another write is not, and of what does not hold none is,
/// whichever write it names.
#[test]
fn eventual_is_certified() {
    let mut seen = [0; 2];
    for seed in 0..1_200 {
        let (ops, lines) = random(&mut Dice::new(seed + 31));
        let history = parse(&lines);
        let requirements: Vec<Requirement> = vec!["eventual".parse().expect("a requirement")];
        let settings = Settings { requirements: &requirements, budget: &Budget::default() };
        let judgements = outcome(&history, "eventual").judgements;
        let certificate = certify(&history, Workload::Register, &judgements, &settings).expect("certified");
        let holds = expected(&ops) == Verdict::Holds;
        assert_eq!(certificate.claims.len(), usize::from(holds), "seed {seed}");
        let ruling = |write: Option<u32>| {
            let end = Convergence { times: times(&history), within_ns: None, writes: vec![write] };
            let claim =
                Claim { guarantee: "eventual".to_owned(), evidence: Evidence::Convergence(end), left_out: Vec::new() };
            rule(&history, "register", &claim)
        };
        let named: Vec<Option<u32>> = history.ops().map(|op| Some(op.position())).chain([None]).collect();
        let proved: Vec<&Option<u32>> =
            named.iter().filter(|write| matches!(ruling(**write), Ruling::Proved(_))).collect();
        if holds {
            let Evidence::Convergence(end) = &certificate.claims[0].evidence else {
                panic!("seed {seed}: {certificate:?}\n{lines}")
            };
            // Of several writes of one value, each may be named.
            let value = |write: &Option<u32>| {
                write.and_then(|at| history.ops().find(|op| op.position() == at)).map(|op| op.argument())
            };
            let same = |write: &&Option<u32>| value(write) == value(&end.writes[0]);
            assert!(proved.contains(&&end.writes[0]) && proved.iter().all(same), "seed {seed}: {proved:?}\n{lines}");
        } else {
            assert!(proved.is_empty(), "seed {seed}: {proved:?}\n{lines}");
        }
        seen[usize::from(holds)] += 1;
    }
    assert!(seen.iter().all(|count| *count > 60), "{seen:?}");
}

/// Goal: a bound is judged by the time since the acknowledgement, and nothing is said without times.
#[test]
fn visibility_within_a_bound() {
    let lines = r#"{"type":"invoke","process":0,"f":"write","value":1,"time":0}
{"type":"ok","process":0,"f":"write","value":1,"time":10000000}
{"type":"invoke","process":1,"f":"read","value":null,"time":25000000}
{"type":"ok","process":1,"f":"read","value":null,"time":30000000}
{"type":"invoke","process":1,"f":"read","value":null,"time":40000000,"final":true}
{"type":"ok","process":1,"f":"read","value":1,"time":50000000,"final":true}
"#;
    for (require, expected) in [
        ("eventual", Verdict::Holds),
        ("eventual:within=15ms", Verdict::Holds),
        ("eventual:within=14ms", Verdict::Violated),
    ] {
        let history = parse(lines);
        let outcome = outcome(&history, require);
        assert_eq!(verdict(&outcome, Guarantee::Eventual).0, expected, "{require}");
        let requirements: Vec<Requirement> = vec![require.parse().expect("a requirement")];
        let settings = Settings { requirements: &requirements, budget: &Budget::default() };
        let certificate = certify(&history, Workload::Register, &outcome.judgements, &settings).expect("certified");
        let rulings = verify_certificate(&history, &certificate);
        assert_eq!(rulings.len(), usize::from(expected == Verdict::Holds));
        for line in rulings {
            assert!(matches!(line.ruling, Ruling::Proved(_)), "{line:?}");
            // A shorter bound, and other times, are refused.
            let mut claim = certificate.claims[0].clone();
            let Evidence::Convergence(end) = &mut claim.evidence else { panic!("{claim:?}") };
            end.within_ns = Some(14_000_000);
            assert!(matches!(rule(&history, "register", &claim), Ruling::Refused(_)));
        }
        assert!(outcome.findings.iter().all(|one| one.witness.as_ref().is_some_and(|witness| witness.rechecked)));
    }
    let timeless = lines.replace(",\"time\"", ",\"when\"");
    let (found, reason) = verdict(&outcome(&parse(&timeless), "eventual:within=14ms"), Guarantee::Eventual);
    assert_eq!(found, Verdict::Unknown);
    assert!(reason.contains("no record has a `time`"), "{reason}");
}

/// Goal: a missing premise names the read that has to be added.
#[test]
fn a_missing_read_is_named() {
    let lines = r#"{"type":"ok","process":0,"f":"write","key":"x","value":1,"node":"a"}
{"type":"ok","process":0,"f":"read","key":"x","value":1,"node":"b"}
{"type":"ok","process":0,"f":"read","key":"x","value":1,"node":"a","final":true}
"#;
    let (found, reason) = verdict(&outcome(&parse(lines), "eventual"), Guarantee::Eventual);
    assert_eq!(found, Verdict::Unknown);
    assert!(reason.contains("`final` read of key x at node b"), "{reason}");
}

/// Goal: strong convergence is judged by what reads say that they had seen, in any order; without that it is unknown.
#[test]
fn strong_convergence() {
    let lines = |second: u32, vector: &str| {
        format!(
            r#"{{"type":"ok","process":0,"f":"write","value":1}}
{{"type":"ok","process":0,"f":"write","value":2}}
{{"type":"invoke","process":1,"f":"read","value":null,"node":"a","final":true}}
{{"type":"ok","process":1,"f":"read","value":2,"node":"a","final":true,"seen":["w1","w2"]}}
{{"type":"invoke","process":2,"f":"read","value":null,"node":"b"}}
{{"type":"ok","process":2,"f":"read","value":{second},"node":"b"{vector}}}
{{"type":"invoke","process":2,"f":"read","value":null,"node":"b","final":true}}
{{"type":"ok","process":2,"f":"read","value":2,"node":"b","final":true}}
"#
        )
    };
    for (second, vector, expected) in [
        (1, r#","seen":["w2","w1"]"#, Verdict::Violated),
        (2, r#","seen":["w2","w1"]"#, Verdict::Holds),
        (1, r#","seen":["w1"]"#, Verdict::Unknown),
        (1, "", Verdict::Unknown),
    ] {
        let outcome = outcome(&parse(&lines(second, vector)), "strong-eventual");
        let (found, reason) = verdict(&outcome, Guarantee::StrongEventual);
        assert_eq!(found, expected, "{second} {vector}: {reason}");
        assert!(outcome.findings.iter().all(|one| one.witness.as_ref().is_some_and(|witness| witness.rechecked)));
    }
}

/// Says of most reads what they had seen: of those that show one value mostly the same, in any order.
fn with_seen(lines: &str, dice: &mut Dice) -> (String, Vec<(u32, u32, u32)>) {
    let (mut told, mut said) = (String::new(), Vec::new());
    for (position, line) in (0..).zip(lines.lines()) {
        let mut record: serde_json::Value = serde_json::from_str(line).expect("a record");
        if record["type"] == "ok" && record["f"] == "read" && dice.chance(80) {
            let shown = record["value"].as_u64().map_or(0, |value| u32::try_from(value).expect("small"));
            let what = if dice.chance(8) { 100 + dice.below(3) } else { shown * 2 + dice.below(2) };
            let mut updates = vec![what, 7, 9];
            updates.rotate_left(dice.below(3) as usize);
            record["seen"] = updates.into();
            said.push((position, what, shown));
        }
        told.push_str(&format!("{record}\n"));
    }
    (told, said)
}

/// Goal: of reads that say what they had seen, what holds is proved, and no other grouping is: not with any two entries swapped, one
/// left out, or groups joined or parted; and of what does not hold, none is.
#[test]
fn strong_convergence_is_certified() {
    let mut seen = [0; 2];
    for seed in 0..1_200 {
        let mut dice = Dice::new(seed + 31);
        let (ops, lines) = random(&mut dice);
        let (lines, mut said) = with_seen(&lines, &mut dice);
        // What only failed writes, or ones that came later, wrote tells of no update.
        said.retain(|(position, _, shown)| {
            let wrote = |op: &Op| {
                let may = op.access.writes && op.access.status != Status::Fail && op.access.began < *position;
                may && op.access.version == *shown
            };
            *shown == 0 || ops.iter().any(wrote)
        });
        let history = parse(&lines);
        let requirements: Vec<Requirement> = vec!["strong-eventual".parse().expect("a requirement")];
        let settings = Settings { requirements: &requirements, budget: &Budget::default() };
        let outcome = outcome(&history, "strong-eventual");
        let certificate = certify(&history, Workload::Register, &outcome.judgements, &settings).expect("certified");
        let pairs = || said.iter().enumerate().flat_map(|(at, a)| said[..at].iter().map(move |b| (a, b)));
        let same = pairs().filter(|(a, b)| a.1 == b.1).count();
        let holds = expected(&ops) == Verdict::Holds && same > 0 && pairs().all(|(a, b)| a.1 != b.1 || a.2 == b.2);
        assert_eq!(verdict(&outcome, Guarantee::StrongEventual).0 == Verdict::Holds, holds, "seed {seed}\n{lines}");
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for (at, (position, what, _)) in said.iter().enumerate() {
            let first = said[..at].iter().find(|other| other.1 == *what).map(|other| other.0);
            match groups.iter_mut().find(|group| group.first().copied() == first) {
                Some(group) => group.push(*position),
                None => groups.push(vec![*position]),
            }
        }
        let ends: Vec<Option<u32>> = history.ops().map(|op| Some(op.position())).chain([None]).collect();
        let proved = |groups: &[Vec<u32>], write: Option<u32>| {
            let end = Convergence { times: times(&history), within_ns: None, writes: vec![write] };
            let evidence = Evidence::Agreement(Agreement { end, groups: groups.to_vec() });
            let claim = Claim { guarantee: "strong-eventual".to_owned(), evidence, left_out: Vec::new() };
            matches!(rule(&history, "register", &claim), Ruling::Proved(_))
        };
        seen[usize::from(holds)] += 1;
        if !holds {
            assert!(!ends.iter().any(|write| proved(&groups, *write)), "seed {seed}\n{lines}");
            continue;
        }
        let rulings = verify_certificate(&history, &certificate);
        assert!(matches!(rulings[0].ruling, Ruling::Proved(_)), "seed {seed}: {rulings:?}\n{lines}");
        let Evidence::Agreement(agreement) = &certificate.claims[0].evidence else { panic!("{certificate:?}") };
        assert_eq!(agreement.groups, groups, "seed {seed}\n{lines}");
        let places: Vec<(usize, usize)> =
            (0..groups.len()).flat_map(|group| (0..groups[group].len()).map(move |at| (group, at))).collect();
        let mut forged: Vec<Vec<Vec<u32>>> = Vec::new();
        for (number, (group, at)) in places.iter().enumerate() {
            for (other, there) in &places[..number] {
                let mut swapped = groups.clone();
                (swapped[*group][*at], swapped[*other][*there]) = (groups[*other][*there], groups[*group][*at]);
                forged.push(swapped);
            }
            let mut less = groups.clone();
            less[*group].remove(*at);
            forged.push(less);
        }
        for group in 1..groups.len() {
            let mut joined = groups.clone();
            let more = joined.remove(group);
            joined[group - 1].extend(more);
            joined[group - 1].sort_unstable();
            forged.push(joined);
        }
        if let Some(group) = groups.iter().position(|group| group.len() > 1) {
            let mut parted = groups.clone();
            let last = parted[group].pop().expect("two");
            parted.push(vec![last]);
            parted.sort_unstable();
            forged.push(parted);
        }
        for forged in forged {
            assert!(!proved(&forged, agreement.end.writes[0]), "seed {seed}: {forged:?}\n{lines}");
        }
    }
    assert!(seen.iter().all(|count| *count > 60), "{seen:?}");
}
