//! `monotonic-writes@node` and `writes-follow-reads@node`: against brute force, and in words.

use anachron::guarantee::{Anomaly, Guarantee};
use anachron::history::{History, OpId, Status, Value};
use anachron::verdict::Verdict;
use anachron::workload::Workload;

use super::brute::{Brute, Set, members};
use super::random::{Random, Small, lists, registers};
use super::{history, judged, verdict};

pub(super) const BOTH: [Guarantee; 2] = [Guarantee::MonotonicWritesNode, Guarantee::WritesFollowReadsNode];

/// Gives each operation a server, or none.
pub(super) fn with_nodes(records: &str, random: &mut Random) -> String {
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut told = String::new();
    for line in records.lines() {
        let process = line.split("\"process\":").nth(1).and_then(|rest| rest.split(',').next()).expect("a process");
        let known = open.iter().position(|(of, _)| of == process).map(|at| open.swap_remove(at).1);
        let node = known.unwrap_or_else(|| random.below(9));
        if line.contains("\"invoke\"") {
            open.push((process.to_owned(), node));
        }
        let name = [r#","node":"a","value":"#, r#","node":"b","value":"#, r#","value":"#][node.div_ceil(4).min(2)];
        told.push_str(&line.replacen(r#","value":"#, name, 1));
        told.push('\n');
    }
    told
}

/// Whether one server's reads have an order of the writes; by themselves, or with what a guarantee asks for.
fn explained(brute: &Brute, history: &History, node: Value, guarantee: Option<Guarantee>) -> bool {
    let op = |at: usize| history.op(OpId(u32::try_from(brute.small.accesses[at].op).expect("few")));
    let reads = members(brute.counted).filter(|at| brute.shows(*at).is_some() && op(*at).node() == node);
    let reads: Set = reads.fold(0, |set, at| set | 1 << at);
    let writes = brute.writes();
    let mut base = vec![0; brute.count];
    for at in members(writes) {
        base[at] = match guarantee {
            Some(Guarantee::MonotonicWritesNode) => brute.so[at] & writes,
            Some(_) => brute.shown(brute.so[at]),
            None => 0,
        };
    }
    let has = |read: usize| {
        let before = |other: &usize| op(*other).status() == Status::Ok && op(*other).ended() < op(read).began();
        let mut has = brute.shown(members(reads).filter(before).fold(0, |set, at| set | 1 << at));
        if brute.small.lists {
            has |= members(has).fold(0, |set, write| set | brute.known[write]);
        }
        loop {
            let more = members(has).fold(has, |has, write| has | base[write]);
            if more == has {
                return has;
            }
            has = more;
        }
    };
    brute.arbitrated(&base, reads, has)
}

fn run(make: impl Fn(&mut Random) -> Small, workload: Workload, seed: u64, count: u32) {
    let mut random = Random(seed);
    let mut broken = [0; 2];
    for _ in 0..count {
        let mut small = make(&mut random);
        small.records = with_nodes(&small.records, &mut random);
        let history = history(&small.records);
        let mut nodes: Vec<Value> = history.ops().map(|op| op.node()).filter(|node| !node.is_null()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        if nodes.is_empty() {
            continue;
        }
        let outcome = judged(&history, workload);
        let brute = Brute::new(&small);
        for (guarantee, broken) in BOTH.into_iter().zip(&mut broken) {
            let holds = !brute.spoilt && nodes.iter().all(|node| explained(&brute, &history, *node, Some(guarantee)));
            // A server that goes back by itself is explained by nothing: then only what is found counts.
            let steady = nodes.iter().all(|node| explained(&brute, &history, *node, None));
            *broken += u32::from(!holds && steady);
            let said = verdict(&outcome, guarantee);
            let agrees = match said {
                Verdict::Holds | Verdict::Unknown => holds || !steady,
                Verdict::Violated => !holds,
                Verdict::NotApplicable => false,
            };
            assert!(agrees, "{guarantee} is {said:?}, and holds: {holds}\n{}{small:#?}\n{outcome:#?}", small.records);
        }
        for finding in &outcome.findings {
            if [Anomaly::NonMonotonicWriteNode, Anomaly::MissingReadWriteDependencyNode].contains(&finding.anomaly) {
                let witness = finding.witness.as_ref();
                assert!(witness.is_some_and(|witness| witness.rechecked), "{}\n{finding:#?}", small.records);
            }
        }
    }
    for (guarantee, broken) in BOTH.into_iter().zip(broken) {
        assert!(broken * 200 > count && broken * 10 < count * 9, "{guarantee}: {broken} of {count} break it");
    }
}

pub(super) fn rounds() -> u64 {
    std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// Goal: registers read at servers, in time: violated exactly when no order of a server's writes explains its reads with what
/// the guarantee asks for; and each witness is confirmed.
#[test]
fn registers_at_servers_agree_with_brute_force() {
    for round in 0..rounds() {
        run(registers, Workload::Register, 11 + round, 1500);
    }
}

/// Goal: the same for lists, which show what came before their last element too.
#[test]
fn lists_at_servers_agree_with_brute_force() {
    for round in 0..rounds() {
        run(lists, Workload::ListAppend, 11 + round, 1500);
    }
}

fn text(lines: &str, anomaly: Anomaly) -> String {
    let outcome = judged(&history(lines), Workload::Register);
    let finding = outcome.findings.iter().find(|finding| finding.anomaly == anomaly).expect("found");
    finding.witness.as_ref().expect("a witness").text.clone()
}

/// Goal: a server that shows the second write of a session and then misses the first is told with who read what, and where; the
/// same seen by readers at two servers is no violation.
#[test]
fn a_server_that_misses_the_first_write_in_words() {
    let lines = r#"{"type":"ok","process":0,"f":"write","key":"x","value":1}
{"type":"ok","process":0,"f":"write","key":"y","value":2}
{"type":"ok","process":1,"f":"read","key":"y","value":2,"node":"a"}
{"type":"invoke","process":2,"f":"read","key":"x","value":null,"node":"a"}
{"type":"ok","process":2,"f":"read","key":"x","value":null,"node":"a"}"#;
    assert_eq!(
        text(lines, Anomaly::NonMonotonicWriteNode),
        "process 0 wrote 1 to \"x\" (record 0) and then wrote 2 to \"y\" (record 1), process 1 read 2 from \"y\" (record 2, node a), \
         and after that, at the same server, process 2 read null from \"x\", the initial value (records 3-4, node a). The server \
         took a client's writes out of order: whoever reads there sees the second step without the first."
    );
    let apart = lines.replacen("\"node\":\"a\"", "\"node\":\"b\"", 1);
    let outcome = judged(&history(&apart), Workload::Register);
    assert_eq!(verdict(&outcome, Guarantee::MonotonicWritesNode), Verdict::Unknown);
    let overlapping: Vec<&str> = lines.lines().collect();
    let overlapping = [0, 3, 1, 2, 4].map(|at| overlapping[at]).join("\n");
    let outcome = judged(&history(&overlapping), Workload::Register);
    assert_eq!(verdict(&outcome, Guarantee::MonotonicWritesNode), Verdict::Unknown);
}
