//! Witnesses that call themselves `minimum` are: no smaller part of the history shows an anomaly of the kind.

use anachron::guarantee::{Anomaly, Guarantee};
use anachron::witness::Minimality;
use anachron::workload::Workload;

use super::brute::Brute;
use super::random::{Random, Small, What, registers};
use super::{history, judged};

/// Some of the operations. What they read of others says nothing.
fn part(small: &Small, operations: u32) -> Small {
    let inside = |at: usize| operations >> small.accesses[at].op & 1 == 1;
    let told = |at: &usize| match small.accesses[*at].what {
        What::Read(_, Some(source)) => inside(source),
        _ => true,
    };
    let kept: Vec<usize> = (0..small.accesses.len()).filter(|at| inside(*at)).filter(told).collect();
    let place = |at: usize| kept.iter().position(|other| *other == at);
    let mut part = Small::default();
    for at in &kept {
        let mut access = small.accesses[*at];
        if let What::Read(key, Some(source)) = access.what {
            access.what = What::Read(key, place(source));
        }
        part.accesses.push(access);
    }
    part.known = small.known.iter().filter_map(|(first, then)| Some((place(*first)?, place(*then)?))).collect();
    part
}

/// Goal: over all parts of small histories, none with fewer operations breaks the guarantee, where the witness says `minimum`; the witness's
/// own part does; and most witnesses of the single guarantees say so.
#[test]
fn minimum_means_minimum() {
    let mut random = Random(17);
    let mut told = [[0; 2]; 2];
    for _ in 0..800 {
        let small = registers(&mut random);
        if Brute::new(&small).spoilt {
            continue;
        }
        let history = history(&small.records);
        let count = history.ops().count();
        for finding in &judged(&history, Workload::Register).findings {
            let (which, guarantee) = match finding.anomaly {
                Anomaly::MissingYourWrites => (0, Guarantee::ReadYourWrites),
                Anomaly::BackwardRead => (1, Guarantee::MonotonicReads),
                _ => continue,
            };
            let witness = finding.witness.as_ref().expect("a witness");
            let minimum = witness.minimality == Minimality::Minimum;
            told[which][usize::from(minimum)] += 1;
            if !minimum {
                continue;
            }
            let named = history.ops().filter(|op| witness.operations.contains(&op.position()));
            let own = named.fold(0, |set, op| set | 1u32 << op.id.index());
            let breaks = |operations: u32| !Brute::new(&part(&small, operations)).holds(guarantee);
            assert!(breaks(own), "{}{finding:#?}", small.records);
            let fewer = (0..1u32 << count).filter(|set| set.count_ones() < own.count_ones()).find(|set| breaks(*set));
            assert!(fewer.is_none(), "{fewer:?} {}{finding:#?}", small.records);
        }
    }
    assert!(told.iter().all(|[other, minimum]| *minimum > 50 && *minimum > 5 * other), "{told:?}");
}
