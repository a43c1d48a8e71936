//! Claims that are not so: `recheck` has to refuse each, and to confirm what they were made from.

use anachron::guarantee::Anomaly;
use anachron::history::{History, OpId, Value};
use anachron::witness::list_append::{Appearance, Claim, Dependency, Mop, Order, Why};
use anachron::witness::recheck::list_append::confirm;

use super::mini::history;

fn mop(op: u32, index: u32) -> Mop {
    Mop { op: OpId(op), index }
}

fn shown(append: Mop, read: Mop) -> Appearance {
    Appearance { append, read }
}

fn dependency(from: u32, to: u32, why: Why) -> Dependency {
    Dependency { from: OpId(from), to: OpId(to), why }
}

#[track_caller]
fn check(history: &History, good: &Claim, tampered: &[Claim]) {
    assert_eq!(confirm(history, &[good]), [true], "{good:?}");
    for claim in tampered {
        assert_eq!(confirm(history, &[claim]), [false], "{claim:?}");
    }
}

/// Goal: a cycle is confirmed edge by edge: no edge, type, member or proof may be another.
#[test]
fn cycles() {
    // 0 and 1 append to x and y, 2 reads x, 3 reads y, 4 crashed, 5 failed.
    let history = history("ax1 ay1; ax2 ry[]; rx[1 2]; ry[1]; 8> ax3; 8? ax3; 9> ay9; 9! ay9");
    let ww = Why::WriteWrite { earlier: mop(0, 0), later: mop(1, 0), order: Order::Shown(mop(2, 0)) };
    let rw = Why::ReadWrite { read: mop(1, 1), later: mop(0, 1), order: Order::Shown(mop(3, 0)) };
    let cycle = |anomaly, steps: &[Dependency]| Claim::Cycle { anomaly, steps: steps.to_vec(), happened: Vec::new() };
    let (first, second) = (dependency(0, 1, ww), dependency(1, 0, rw));
    let with = |first: Dependency, second: Dependency| cycle(Anomaly::GSingleItem, &[first, second]);
    let ww_by = |earlier, later, order| dependency(0, 1, Why::WriteWrite { earlier, later, order });
    check(
        &history,
        &with(first, second),
        &[
            cycle(Anomaly::G0, &[first, second]),
            cycle(Anomaly::GSingleItemProcess, &[first, second]),
            cycle(Anomaly::GSingleItem, &[first]),
            with(first, first),
            with(dependency(0, 2, ww), second),
            // The order turned round; a proof that shows something else; another object's read.
            ww_by(mop(1, 0), mop(0, 0), Order::Shown(mop(2, 0))).then(second),
            ww_by(mop(0, 0), mop(1, 0), Order::Shown(mop(3, 0))).then(second),
            ww_by(mop(0, 1), mop(1, 0), Order::Shown(mop(2, 0))).then(second),
            ww_by(mop(0, 0), mop(1, 0), Order::Unobserved(mop(2, 0))).then(second),
            with(dependency(0, 1, Why::Process), second),
            with(dependency(0, 1, Why::WriteRead(shown(mop(0, 0), mop(1, 1)))), second),
            // Nothing shows that the crashed one happened, and the failed one did not.
            with(first, dependency(1, 4, rw)),
            with(first, dependency(1, 5, rw)),
        ],
    );
    // Out of range altogether.
    check(&history, &with(first, second), &[ww_by(mop(0, 7), mop(1, 0), Order::Shown(mop(2, 0))).then(second)]);
}

trait Then {
    fn then(self, second: Dependency) -> Claim;
}

impl Then for Dependency {
    fn then(self, second: Dependency) -> Claim {
        Claim::Cycle { anomaly: Anomaly::GSingleItem, steps: vec![self, second], happened: Vec::new() }
    }
}

/// Goal: session order and real time are confirmed by sessions and positions.
#[test]
fn orders() {
    let history = history("0> ax1; 0= ax1; 0> rx; 1> rx; 0= rx[]; 1= rx[]; 2> rx; 2= rx[1]");
    let cycle = |anomaly, reader: u32, why: Why| Claim::Cycle {
        anomaly,
        steps: vec![
            dependency(0, reader, why),
            dependency(
                reader,
                0,
                Why::ReadWrite { read: mop(reader, 0), later: mop(0, 0), order: Order::Shown(mop(3, 0)) },
            ),
        ],
        happened: Vec::new(),
    };
    let (process, realtime) = (Anomaly::GSingleItemProcess, Anomaly::GSingleItemRealtime);
    check(&history, &cycle(process, 1, Why::Process), &[cycle(process, 2, Why::Process)]);
    check(
        &history,
        &cycle(realtime, 2, Why::Realtime),
        &[cycle(realtime, 3, Why::Realtime), cycle(process, 2, Why::Realtime)],
    );
    let late = history_of_overlap();
    let claim = cycle(realtime, 1, Why::Realtime);
    assert_eq!(confirm(&late, &[&claim]), [false], "the two overlap");
}

/// As above, but the read began before the append completed.
fn history_of_overlap() -> History {
    history("0> ax1; 1> rx; 0= ax1; 1= rx[]; 2> rx; 2= rx[]; 3> rx; 3= rx[1]")
}

/// Goal: what needs no graph is confirmed by its definition.
#[test]
fn single_reads() {
    let history =
        history("9> ax1; 9! ax1; ax2 ax3; rx[1 2]; rx[1 2 3 3 7]; ay5 ry[5 6] ry[5]; rx[2 1] rx[] ax8; rx[] ax4");
    let int = |int| Value::small(int).expect("small");
    check(
        &history,
        &Claim::AbortedRead(shown(mop(0, 0), mop(2, 0))),
        &[Claim::AbortedRead(shown(mop(1, 0), mop(2, 0))), Claim::AbortedRead(shown(mop(0, 0), mop(4, 1)))],
    );
    let half = |append, read, later| Claim::IntermediateRead { shown: shown(append, read), later };
    check(
        &history,
        &half(mop(1, 0), mop(2, 0), mop(1, 1)),
        &[
            half(mop(1, 0), mop(3, 0), mop(1, 1)),
            half(mop(1, 1), mop(3, 0), mop(1, 0)),
            half(mop(0, 0), mop(2, 0), mop(1, 1)),
        ],
    );
    check(
        &history,
        &Claim::Internal { read: mop(4, 2) },
        &[Claim::Internal { read: mop(4, 0) }, Claim::Internal { read: mop(3, 0) }],
    );
    let over = |aborted, over, read| Claim::DirtyUpdate { aborted: shown(aborted, read), over };
    check(
        &history,
        &over(mop(0, 0), mop(1, 0), mop(2, 0)),
        &[
            over(mop(1, 0), mop(1, 1), mop(3, 0)),
            over(mop(0, 0), mop(1, 1), mop(3, 0)),
            over(mop(0, 0), mop(1, 0), mop(5, 0)),
        ],
    );
    let twice = |read, element| Claim::DuplicateElements { read, element: int(element) };
    check(&history, &twice(mop(3, 0), 3), &[twice(mop(3, 0), 2), twice(mop(2, 0), 3)]);
    let reads = |one, other| Claim::IncompatibleReads { one, other };
    check(&history, &reads(mop(2, 0), mop(5, 0)), &[reads(mop(2, 0), mop(3, 0)), reads(mop(5, 0), mop(4, 2))]);
    let lost = |reads, appends| Claim::LostUpdate { reads, appends };
    check(
        &history,
        &Claim::ThinAirRead { read: mop(3, 0), element: int(7) },
        &[
            Claim::ThinAirRead { read: mop(3, 0), element: int(1) },
            Claim::ThinAirRead { read: mop(2, 0), element: int(7) },
            lost([mop(5, 1), mop(6, 0)], [mop(5, 2), mop(6, 1)]),
            lost([mop(6, 0), mop(6, 0)], [mop(6, 1), mop(6, 1)]),
        ],
    );
}

/// Goal: a lost update is two first reads of one version, each with an append behind it.
#[test]
fn lost_updates() {
    let history = history("rx[] ax1; rx[] ax2; rx[1] ax3; ay1 rx[]");
    let lost = |reads, appends| Claim::LostUpdate { reads, appends };
    check(
        &history,
        &lost([mop(0, 0), mop(1, 0)], [mop(0, 1), mop(1, 1)]),
        &[
            lost([mop(0, 0), mop(2, 0)], [mop(0, 1), mop(2, 1)]),
            lost([mop(0, 0), mop(3, 1)], [mop(0, 1), mop(3, 0)]),
            lost([mop(0, 0), mop(1, 0)], [mop(0, 1), mop(2, 1)]),
        ],
    );
    let two = super::mini::history("ax1 ax2; rx[2]; rx[2 1]; rx[1 2] ax3");
    let order = |first, second, read| Claim::OutOfOrder { first, second: shown(second, read) };
    check(
        &two,
        &order(mop(0, 0), mop(0, 1), mop(1, 0)),
        &[
            order(mop(0, 0), mop(0, 1), mop(3, 0)),
            order(mop(0, 1), mop(0, 0), mop(2, 0)),
            Claim::FutureRead(shown(mop(3, 1), mop(3, 0))),
        ],
    );
    check(&two, &order(mop(0, 0), mop(0, 1), mop(2, 0)), &[]);
    let future = super::mini::history("rx[1] ax1");
    check(&future, &Claim::FutureRead(shown(mop(0, 1), mop(0, 0))), &[]);
}

/// Goal: a claim about every order is refused as soon as one order is not covered, or an order that was seen is supposed.
#[test]
fn every_order() {
    let history = history("ra[] ab1 ak1; rb[] aa1 ak2; rc[] ac1; ac2; rc[1 2]");
    let suppose = |from: u32, to: u32| dependency(from, to, Why::Supposed { earlier: mop(from, 2), later: mop(to, 2) });
    let missed = |from: u32, to: u32| {
        let order = Order::Unobserved(mop(from, 0));
        dependency(from, to, Why::ReadWrite { read: mop(from, 0), later: mop(to, 1), order })
    };
    let claim = |anomaly, cycles: &[Vec<Dependency>]| Claim::EveryOrder {
        anomaly,
        cycles: cycles.to_vec(),
        happened: Vec::new(),
    };
    let (one, other) = (vec![suppose(0, 1), missed(1, 0)], vec![suppose(1, 0), missed(0, 1)]);
    let known = Why::WriteWrite { earlier: mop(2, 1), later: mop(3, 0), order: Order::Shown(mop(4, 0)) };
    let seen = Why::Supposed { earlier: mop(3, 0), later: mop(2, 1) };
    check(
        &history,
        &claim(Anomaly::GSingleItem, &[one.clone(), other.clone()]),
        &[
            claim(Anomaly::GSingleItem, std::slice::from_ref(&one)),
            claim(Anomaly::GSingleItem, &[one.clone(), one.clone()]),
            claim(Anomaly::G1c, &[one.clone(), other.clone()]),
            claim(Anomaly::GSingleItem, &[vec![dependency(2, 3, known), dependency(3, 2, seen)]]),
            Claim::Cycle { anomaly: Anomaly::GSingleItem, steps: one.clone(), happened: Vec::new() },
        ],
    );
    // A milder type than the cycles' own is no lie.
    assert_eq!(confirm(&history, &[&claim(Anomaly::GNonadjacentItem, &[one, other])]), [true]);
}
