//! Certificates of sessions: whatever holds has one that is accepted, orders are accepted exactly where the definition accepts
//! them, and no order shows what is violated.

use anachron::budget::Budget;
use anachron::certificate::{
    Bound, Certificate, Claim, Evidence, Ruling, Staleness, Writes, rule, times, verify_certificate,
};
use anachron::check::{Settings, certify, judge};
use anachron::contract::Requirement;
use anachron::guarantee::Guarantee;
use anachron::history::{History, OpId};
use anachron::verdict::{Outcome, Verdict};
use anachron::workload::Workload;

use super::brute::{Brute, JUDGED};
use super::random::{Random, Small, What, lists, registers};
use super::{history, verdict};

/// Orders as they stand in claims, as accesses. None where something that is named is no write.
pub(super) fn read_back(history: &History, small: &Small, orders: &[Writes]) -> Option<Vec<Vec<usize>>> {
    let operation = |position: u32| history.ops().find(|op| op.position() == position).map(|op| op.id.index());
    let write = |writes: &Writes, at: usize| {
        let op = operation(writes.operations[at])?;
        let mut own = (0..small.accesses.len()).filter(|access| small.accesses[*access].op == op);
        let access = match writes.micro_operations.get(at) {
            Some(mop) => own.nth(*mop as usize)?,
            None => own.next_back()?,
        };
        matches!(small.accesses[access].what, What::Write(_)).then_some(access)
    };
    orders.iter().map(|writes| (0..writes.operations.len()).map(|at| write(writes, at)).collect()).collect()
}

/// Accesses as a claim names them.
pub(super) fn named(history: &History, small: &Small, order: &[usize]) -> Writes {
    let place = |access: &usize| {
        let op = small.accesses[*access].op;
        let first = small.accesses.iter().position(|other| other.op == op).expect("there");
        let position = history.op(OpId(u32::try_from(op).expect("few"))).position();
        (position, u32::try_from(access - first).expect("few"))
    };
    let (operations, mops) = order.iter().map(place).unzip();
    Writes { operations, micro_operations: if small.lists { mops } else { Vec::new() }, shares: Vec::new() }
}

/// What has orders of writes as its certificate: prefixes of transactions are another guarantee.
fn certified(workload: Workload) -> impl Iterator<Item = Guarantee> {
    let more = Some(Guarantee::ConsistentPrefix).filter(|_| workload == Workload::Register);
    JUDGED.into_iter().chain(more)
}

fn judged(history: &History, workload: Workload) -> (Outcome, Certificate) {
    let requirements: Vec<Requirement> = certified(workload).map(Requirement::new).collect();
    let settings = Settings { requirements: &requirements, budget: &Budget::default() };
    let outcome = judge(history, workload, &settings).expect("of this vocabulary");
    let certificate = certify(history, workload, &outcome.judgements, &settings).expect("certified");
    (outcome, certificate)
}

fn ruling(history: &History, workload: Workload, guarantee: Guarantee, orders: &[Writes]) -> Ruling {
    let evidence = Evidence::Arbitrations(orders.to_vec());
    let claim = Claim { guarantee: guarantee.name().to_owned(), evidence, left_out: Vec::new() };
    rule(history, workload.name(), &claim)
}

pub(super) fn shuffle(random: &mut Random, order: &mut [usize]) {
    for at in (1..order.len()).rev() {
        order.swap(at, random.below(at + 1));
    }
}

/// Two entries swapped, one left out, one there twice, or an order too many or too few.
fn tamper(random: &mut Random, orders: &mut Vec<Vec<usize>>) {
    let which = random.below(orders.len());
    let order = &mut orders[which];
    if order.is_empty() {
        return;
    }
    let (a, b) = (random.below(order.len()), random.below(order.len()));
    match random.below(8) {
        0 => drop(order.remove(a)),
        1 => order.insert(a, order[b]),
        2 => drop(orders.remove(which)),
        3 => {
            let mut other = order.clone();
            shuffle(random, &mut other);
            orders.push(other);
        }
        _ => order.swap(a, b),
    }
}

/// A claim's evidence, where another one carries it.
fn carried(certificate: &Certificate, at: usize) -> &Evidence {
    match &certificate.claims[at].evidence {
        Evidence::SameAs(name) => {
            let carrier = certificate.claims.iter().find(|claim| claim.guarantee == *name);
            &carrier.expect("a claim of that name").evidence
        }
        own => own,
    }
}

#[derive(Default, Debug)]
struct Seen {
    proved: u32,
    follow: u32,
    several: u32,
    legal: u32,
    refused: u32,
    forged: u32,
}

fn check(small: &Small, workload: Workload, random: &mut Random, seen: &mut Seen) {
    let history = history(&small.records);
    let (outcome, certificate) = judged(&history, workload);
    let brute = Brute::new(small);
    let lines = verify_certificate(&history, &certificate);
    for guarantee in certified(workload) {
        let context =
            |what: &str| format!("{what}: {guarantee}\n{}{small:#?}\n{certificate:#?}\n{lines:#?}", small.records);
        if verdict(&outcome, guarantee) == Verdict::Holds {
            let at = certificate.claims.iter().position(|claim| claim.guarantee == guarantee.name());
            let at = at.unwrap_or_else(|| panic!("{}", context("not claimed")));
            match (&lines[at].ruling, carried(&certificate, at)) {
                (Ruling::Proved(_), Evidence::FollowsFrom(_)) => seen.follow += 1,
                (Ruling::Proved(_), Evidence::Arbitrations(orders)) => {
                    seen.proved += 1;
                    seen.several += u32::from(orders.len() > 1);
                    let mut orders = read_back(&history, small, orders).expect("writes");
                    assert!(brute.is_explained(guarantee, &orders), "{}", context("not explained"));
                    tamper(random, &mut orders);
                    let changed: Vec<Writes> = orders.iter().map(|order| named(&history, small, order)).collect();
                    let given = ruling(&history, workload, guarantee, &changed);
                    let legal = brute.is_explained(guarantee, &orders);
                    seen.legal += u32::from(legal);
                    seen.refused += u32::from(!legal);
                    assert_eq!(
                        matches!(given, Ruling::Proved(_)),
                        legal,
                        "{given:?} {orders:?} {}",
                        context("tampered")
                    );
                }
                (Ruling::Proved(_), _) => {}
                // Who replaced what is in no order then, though no guarantee of single sessions needs to know it.
                (Ruling::Unproved(why), _) if why.contains("in a circle") => {}
                // It follows from causal consistency of whole transactions.
                _ if workload == Workload::ListAppend
                    && Guarantee::Causal.entails(guarantee)
                    && verdict(&outcome, Guarantee::Causal) == Verdict::Holds => {}
                other => panic!("{other:?} {}", context("not proved")),
            }
        } else if !brute.holds(guarantee) {
            // No order shows it: neither the order of invocation nor any other.
            let mut order: Vec<usize> = brute.written();
            for _ in 0..3 {
                let forged = [named(&history, small, &order)];
                let given = ruling(&history, workload, guarantee, &forged);
                assert!(!matches!(given, Ruling::Proved(_)), "{given:?} {order:?} {}", context("forged"));
                seen.forged += 1;
                shuffle(random, &mut order);
            }
        }
    }
}

fn run(make: impl Fn(&mut Random) -> Small, workload: Workload) {
    let rounds = std::env::var("ANACHRON_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    for round in 0..rounds {
        let mut random = Random(11 + round);
        let mut seen = Seen::default();
        for _ in 0..600 {
            let small = make(&mut random);
            check(&small, workload, &mut random, &mut seen);
        }
        let Seen { proved, follow, several, legal, refused, forged } = seen;
        assert!(proved > 500 && follow > 50 && legal > 100 && refused > 100 && forged > 500, "{seen:?}");
        assert!(several > 0 || workload == Workload::ListAppend, "{seen:?}");
    }
}

/// Goal: of registers with compare-and-set, crashes and failures, each guarantee that holds is proved; a tampered order is
/// proved exactly where the definition still accepts it; what is violated is not proved by any order.
#[test]
fn orders_of_registers_are_accepted_where_they_are_legal() {
    run(registers, Workload::Register);
}

/// Goal: the same of lists in transactions, whose order of versions is known.
#[test]
fn orders_of_lists_are_accepted_where_they_are_legal() {
    run(lists, Workload::ListAppend);
}

/// The records with times: mostly forward, now and then back, or none.
fn timed(random: &mut Random, records: &str) -> String {
    let mut time = 0;
    let mut out = String::new();
    for record in records.lines() {
        time += random.below(30);
        let said = if random.one_in(20) { time / 2 } else { time };
        match random.one_in(20) {
            true => out.push_str(record),
            false => out.push_str(&record.replacen('{', &format!("{{\"time\":{said},"), 1)),
        }
        out.push('\n');
    }
    out
}

/// Goal: bounds on staleness are proved exactly where they are judged to hold: in time, in versions, in both and in either.
#[test]
fn bounds_of_staleness_are_proved_where_they_hold() {
    let mut random = Random(5);
    let mut seen = [[0; 2]; 2];
    for round in 0..1500 {
        let listed = round % 2 == 0;
        let small = if listed { lists(&mut random) } else { registers(&mut random) };
        let workload = if listed { Workload::ListAppend } else { Workload::Register };
        let records = if random.one_in(8) { small.records.clone() } else { timed(&mut random, &small.records) };
        let history = history(&records);
        let text = match random.below(5) {
            0 => "bounded-staleness:versions=0".to_owned(),
            1 => format!("bounded-staleness:versions={}", 1 + random.below(2)),
            2 => format!("bounded-staleness:time={}ns", random.below(60)),
            3 => format!("bounded-staleness:time={}ns,versions=1", random.below(60)),
            _ => format!("bounded-staleness:time={}ns,versions=1,combine=all", random.below(60)),
        };
        let requirements = [text.parse::<Requirement>().expect("a requirement")];
        let settings = Settings { requirements: &requirements, budget: &Budget::default() };
        let outcome = judge(&history, workload, &settings).expect("of this vocabulary");
        let holds = verdict(&outcome, Guarantee::BoundedStaleness) == Verdict::Holds;
        let certificate = certify(&history, workload, &outcome.judgements, &settings).expect("certified");
        let proved = |certificate: &Certificate| {
            let lines = verify_certificate(&history, certificate);
            !lines.is_empty() && lines.iter().all(|line| matches!(line.ruling, Ruling::Proved(_)))
        };
        if holds {
            assert!(proved(&certificate), "{text}\n{records}\n{certificate:#?}");
        } else {
            // The same claim of what does not hold, or is not known to.
            let bounds = staleness(&text, &history);
            let claim = Claim { guarantee: "bounded-staleness".to_owned(), evidence: bounds, left_out: Vec::new() };
            let given = rule(&history, workload.name(), &claim);
            assert!(!matches!(given, Ruling::Proved(_)), "{given:?} {text}\n{records}");
        }
        seen[usize::from(listed)][usize::from(holds)] += 1;
    }
    assert!(seen.iter().flatten().all(|count| *count > 100), "{seen:?}");
}

/// What a requirement's text says, as a claim would.
fn staleness(text: &str, history: &History) -> Evidence {
    let term = |name: &str| {
        let rest = text.split_once(&format!("{name}="))?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok()
    };
    let bound =
        Bound { time_ns: term("time").map(i64::from), versions: term("versions"), all: text.contains("combine=all") };
    Evidence::Staleness(Staleness { times: times(history), bounds: vec![bound] })
}
