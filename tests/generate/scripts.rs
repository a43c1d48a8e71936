//! Scripts hold the anomaly that they are named after and no other; weak levels hold what they promise not to hold.

use std::collections::{BTreeMap, BTreeSet};

use anachron::history::MicroOp;

use crate::{Anomaly, History, Level, Options, Status, Vocabulary, history, small};

/// A transaction, as the detectors here see it.
struct Txn {
    process: u32,
    began: u32,
    ended: u32,
    status: Status,
    /// Key, element appended (or 0), list read.
    mops: Vec<(i64, i64, Vec<i64>)>,
}

fn transactions(history: &History) -> Vec<Txn> {
    let int = |value| history.values().as_int(value).unwrap_or_default();
    let mop = |mop: &MicroOp| {
        let read = history.values().items(mop.value).into_iter().map(int).collect();
        (int(mop.key), int(mop.value), read)
    };
    let ops = history.ops();
    ops.map(|op| Txn {
        process: op.process().0,
        began: op.began(),
        ended: op.ended(),
        status: op.status(),
        mops: op.mops().iter().map(mop).collect(),
    })
    .collect()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Ww,
    Wr,
    Rw,
    Process,
    Realtime,
}

/// Every anomaly that some simple cycle or some read of a few transactions shows, by name.
fn anomalies(txns: &[Txn]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut writer: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    let mut order: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (at, txn) in txns.iter().enumerate() {
        for (key, element, list) in &txn.mops {
            if *element > 0 {
                writer.insert((*key, *element), at);
            } else if txn.status == Status::Ok {
                let longest = order.entry(*key).or_default();
                let shared = longest.len().min(list.len());
                if longest[..shared] != list[..shared] {
                    found.insert("incompatible-order".to_owned());
                }
                if list.len() > longest.len() {
                    *longest = list.clone();
                }
            }
        }
    }
    // An append that nobody observed comes after the longest read; of several, nobody knows the order.
    let mut unobserved: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for ((key, element), _) in writer.iter().filter(|(_, at)| txns[**at].status == Status::Ok) {
        if !order.entry(*key).or_default().contains(element) {
            unobserved.entry(*key).or_default().push(*element);
        }
    }
    for (key, elements) in unobserved {
        if let ([element], Some(longest)) = (&elements[..], order.get_mut(&key)) {
            longest.push(*element);
        }
    }
    let mut edges = BTreeSet::new();
    let mut updates: BTreeMap<(i64, Vec<i64>), usize> = BTreeMap::new();
    for (key, elements) in &order {
        for pair in elements.windows(2) {
            if let (Some(a), Some(b)) = (writer.get(&(*key, pair[0])), writer.get(&(*key, pair[1]))) {
                edges.insert((*a, *b, Edge::Ww));
                if txns[*a].status == Status::Fail && txns[*b].status == Status::Ok {
                    found.insert("dirty-update".to_owned());
                }
            }
        }
    }
    for (at, txn) in txns.iter().enumerate().filter(|(_, txn)| txn.status == Status::Ok) {
        for (nth, (key, _, list)) in txn.mops.iter().enumerate().filter(|(_, mop)| mop.1 == 0) {
            let distinct: BTreeSet<_> = list.iter().collect();
            if distinct.len() < list.len() {
                found.insert("duplicate-elements".to_owned());
            }
            for element in list {
                match writer.get(&(*key, *element)) {
                    None => found.insert("thin-air-read".to_owned()),
                    Some(from) if txns[*from].status == Status::Fail => found.insert("G1a".to_owned()),
                    Some(_) => false,
                };
            }
            if txn.mops[nth..].iter().any(|(other, element, _)| other == key && list.contains(element)) {
                found.insert("future-read".to_owned());
            }
            let mut expected: Option<Vec<i64>> = None;
            for (_, element, read) in txn.mops[..nth].iter().filter(|mop| mop.0 == *key) {
                if *element > 0 {
                    expected.get_or_insert_with(Vec::new).push(*element);
                } else {
                    expected = Some(read.clone());
                }
            }
            if expected.is_some_and(|expected| !list.ends_with(&expected)) {
                found.insert("internal".to_owned());
            }
            let first = txn.mops.iter().position(|mop| mop.0 == *key) == Some(nth);
            if first && txn.mops.iter().any(|(other, element, _)| other == key && *element > 0) {
                let count = updates.entry((*key, list.clone())).or_default();
                *count += 1;
                if *count > 1 {
                    found.insert("lost-update".to_owned());
                }
            }
            if let Some(last) = list.last()
                && let Some(from) = writer.get(&(*key, *last))
            {
                edges.insert((*from, at, Edge::Wr));
                let own = txns[*from].mops.iter().rev().find(|mop| mop.0 == *key && mop.1 > 0);
                if *from != at && own.is_some_and(|mop| mop.1 != *last) {
                    found.insert("G1b".to_owned());
                }
            }
            let elements = &order[key];
            let next = list.last().map_or(Some(0), |last| elements.iter().rposition(|e| e == last).map(|p| p + 1));
            if let Some(next) = next.and_then(|next| elements.get(next))
                && let Some(to) = writer.get(&(*key, *next))
            {
                edges.insert((at, *to, Edge::Rw));
            }
        }
        for (later, other) in txns.iter().enumerate() {
            if txn.ended < other.began {
                edges.insert((at, later, Edge::Realtime));
                if txn.process == other.process {
                    edges.insert((at, later, Edge::Process));
                }
            }
        }
    }
    edges.retain(|(from, to, _)| from != to && [from, to].iter().all(|t| txns[**t].status == Status::Ok));
    found.extend(cycles(&edges));
    found
}

/// The types of all simple cycles; a suffixed one only where no plainer cycle of its base is.
fn cycles(edges: &BTreeSet<(usize, usize, Edge)>) -> BTreeSet<String> {
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    let mut paths: Vec<Vec<(usize, usize, Edge)>> = edges.iter().map(|edge| vec![*edge]).collect();
    while let Some(path) = paths.pop() {
        let (start, end) = (path[0].0, path[path.len() - 1].1);
        if start == end {
            let rw: Vec<bool> = path.iter().map(|edge| edge.2 == Edge::Rw).collect();
            let adjacent = (0..rw.len()).any(|at| rw.len() > 1 && rw[at] && rw[(at + 1) % rw.len()]);
            let base = match (rw.iter().filter(|rw| **rw).count(), path.iter().any(|edge| edge.2 == Edge::Wr)) {
                (0, false) if path.iter().all(|edge| edge.2 >= Edge::Process) => continue,
                (0, false) => "G0",
                (0, true) => "G1c",
                (1, _) => "G-single-item",
                _ if adjacent => "G2-item",
                _ => "G-nonadjacent-item",
            };
            let worst = path.iter().map(|edge| edge.2).max().map_or(0, |edge| match edge {
                Edge::Realtime => 2,
                Edge::Process => 1,
                _ => 0,
            });
            let plainest = types.entry(base).or_insert(worst);
            *plainest = worst.min(*plainest);
            continue;
        }
        for edge in edges.iter().filter(|edge| edge.0 == end) {
            let inside = path.iter().any(|passed| passed.1 == edge.1);
            if !inside && edge.1 >= start {
                let mut longer = path.clone();
                longer.push(*edge);
                paths.push(longer);
            }
        }
    }
    types.into_iter().map(|(base, suffix)| format!("{base}{}", ["", "-process", "-realtime"][suffix])).collect()
}

/// Goal: a script alone shows its anomaly and no other, but for the three that can't.
#[test]
fn a_script_is_what_its_name_says() {
    for anomaly in Anomaly::ALL.iter().filter(|anomaly| anomaly.fits(Vocabulary::ListAppend)) {
        let history = history(&Options { operations: 0, anomaly: Some(*anomaly), ..small(Vocabulary::ListAppend, 0) });
        let mut expected = BTreeSet::from([anomaly.name().to_owned()]);
        expected.extend(match anomaly {
            Anomaly::G1b | Anomaly::LostUpdate => Some("G-single-item".to_owned()),
            Anomaly::DirtyUpdate => Some("G1a".to_owned()),
            _ => None,
        });
        assert_eq!(anomalies(&transactions(&history)), expected, "{anomaly}");
    }
}

/// Goal: a script in the middle of others brings its own anomaly, and theirs stay what their level allows: none.
#[test]
fn a_script_in_the_middle_disturbs_nobody() {
    for anomaly in
        [Anomaly::G2ItemRealtime, Anomaly::G0Process, Anomaly::GSingleItem, Anomaly::GNonadjacentItemRealtime]
    {
        for seed in 0..10 {
            let options = Options { anomaly: Some(anomaly), ..small(Vocabulary::ListAppend, seed) };
            let found = anomalies(&transactions(&history(&options)));
            assert_eq!(found, BTreeSet::from([anomaly.name().to_owned()]), "seed {seed}");
        }
    }
}

/// Goal: the weak levels never show what they exclude, and over some seeds everything else that their stores can do.
#[test]
fn weak_levels_show_what_they_allow() {
    let of = |level| {
        let mut found = BTreeSet::new();
        for seed in 0..150 {
            let options = small(Vocabulary::ListAppend, seed);
            let options =
                Options { level: Some(level), processes: 4, fail_rate: 0.2, max_transaction_length: 4, ..options };
            found.extend(anomalies(&transactions(&history(&options))));
        }
        found
    };
    let never = ["duplicate-elements", "future-read", "incompatible-order", "thin-air-read", "G0", "G0-process"];
    let committed = ["G1a", "G1b", "G1c", "G1c-process", "G1c-realtime", "G0-realtime", "dirty-update"];
    for (level, excluded, shown) in [
        (Level::MonotonicAtomicView, &committed.to_vec(), &["G-single-item", "lost-update"][..]),
        (Level::ReadCommitted, &committed.to_vec(), &["G-single-item", "lost-update", "internal"][..]),
        (Level::ReadUncommitted, &vec!["G0-realtime"], &["G1a", "G1c", "dirty-update", "G-single-item"][..]),
    ] {
        let found = of(level);
        for name in never.iter().chain(excluded) {
            assert!(!found.contains(*name), "{level} shows {name}");
        }
        for name in shown {
            assert!(found.contains(*name), "{level} never shows {name}, only {found:?}");
        }
    }
}
