//! What can't be of sets, as witnesses that a person can read.

use super::{Fault, Sets};
use crate::history::{History, Status};
use crate::witness::objects::{Cast, Deed};
use crate::witness::recheck::updates::set::holds;
use crate::witness::{Minimality, Witness};
use crate::workload::updates::NONE;
use crate::workload::updates::set::Update;

/// How long a value's text may get.
const VALUE_TEXT: usize = 60;

/// The fault in words; `meaning` says what follows, given the name of the read.
pub(super) fn witness(sets: &Sets<'_>, history: &History, fault: &Fault, meaning: &dyn Fn(&str) -> String) -> Witness {
    let value = |element: u32| history.values().json(sets.set.elements[element as usize], VALUE_TEXT);
    let element = |update: u32| sets.set.updates[update as usize].element;
    let (read, update) = (|at: u32| sets.reading(at).act.op, |at: u32| sets.act(at).op);
    let told = |reads: &[(u32, u32)], updates: &[u32]| cast(sets, history, reads, updates);
    let (cast, subject) = match *fault {
        Fault::Nowhere { read: at, element } => {
            let mut cast = told(&[(at, element)], &[]);
            let because = format!("{}, and nobody added {}", cast.did(read(at)), value(element));
            cast.step(read(at), read(at), "thin-air", because);
            (cast, at)
        }
        Fault::Aborted { read: at, update: add } => {
            let mut cast = told(&[(at, element(add))], &[add]);
            let because = format!("{}, and only {}", cast.did(read(at)), cast.did(update(add)));
            cast.step(update(add), read(at), "wr", because);
            (cast, at)
        }
        Fault::Repeated { read: at } => {
            let mut cast = told(&[(at, NONE)], &[]);
            let because = format!("{}, which lists an element more than once", cast.did(read(at)));
            cast.step(read(at), read(at), "duplicate", because);
            (cast, at)
        }
        Fault::Missed { read: at, update: add, shown_by: NONE } => {
            let mut cast = told(&[(at, element(add))], &[add]);
            cast.before(update(add), read(at));
            (cast, at)
        }
        Fault::Missed { read: at, update: add, shown_by } => {
            let mut cast = told(&[(shown_by, element(add)), (at, element(add))], &[]);
            cast.before(read(shown_by), read(at));
            (cast, at)
        }
        Fault::Returned { read: at, update: remove } => {
            let mut cast = told(&[(at, element(remove))], &[remove]);
            cast.before(update(remove), read(at));
            (cast, at)
        }
        Fault::Early { read: at, update: add } => {
            let mut cast = told(&[(at, element(add))], &[add]);
            cast.before(read(at), update(add));
            (cast, at)
        }
        Fault::Fork { reads: [a, b], elements: [x, y] } => {
            let mut cast = told(&[(a, NONE), (b, NONE)], &[]);
            let (one, other) = (cast.name(read(a)).to_owned(), cast.name(read(b)).to_owned());
            let because = format!(
                "{one} showed {} and not {}, and {other} showed {} and not {}: a set that only grows passes through one of the two",
                value(x),
                value(y),
                value(y),
                value(x)
            );
            cast.step(read(a), read(b), "fork", because);
            (cast, a)
        }
        Fault::Overtaken { first, then, read: at } => {
            let mut cast = told(&[(at, element(first))], &[first, then]);
            cast.before(update(first), update(then));
            let because = format!("{}, and with {}", cast.did(read(at)), value(element(then)));
            cast.step(update(then), read(at), "wr", because);
            (cast, at)
        }
        Fault::OwnMissed { read: at, update: add } => {
            let mut cast = told(&[(at, element(add))], &[add]);
            let because = format!("{}, and later in the same session {}", cast.did(update(add)), cast.did(read(at)));
            cast.step(update(add), read(at), "process", because);
            (cast, at)
        }
        Fault::Backward { read: at, earlier, element } => {
            let mut cast = told(&[(earlier, element), (at, element)], &[]);
            let because = format!("{}, and later in the same session {}", cast.did(read(earlier)), cast.did(read(at)));
            cast.step(read(earlier), read(at), "process", because);
            (cast, at)
        }
        Fault::OwnFuture { read: at, update: add } => {
            let mut cast = told(&[(at, element(add))], &[add]);
            let because = format!(
                "{}, which nobody but the same session added, and only later: {}",
                cast.did(read(at)),
                cast.did(update(add))
            );
            cast.step(read(at), update(add), "process", because);
            (cast, at)
        }
        Fault::Differ { shows, lacks, element } => {
            let mut cast = told(&[(shows, element), (lacks, element)], &[]);
            let because = format!("{}, and {}", cast.did(read(shows)), cast.did(read(lacks)));
            cast.step(read(shows), read(lacks), "diverged", because);
            (cast, lacks)
        }
        Fault::NoOrder { ref reads, ref elements } => {
            let about = if let [one] = elements[..] { one } else { NONE };
            let all = (0u32..).zip(&sets.set.updates);
            let of = |update: &Update| update.act.status != Status::Fail && elements.contains(&update.element);
            let updates: Vec<u32> = all.filter(|(_, update)| of(update)).map(|(at, _)| at).collect();
            let shown: Vec<(u32, u32)> = reads.iter().map(|read| (*read, about)).collect();
            let mut cast = told(&shown, &updates);
            let subject = reads.last().copied().unwrap_or(0);
            let because = format!(
                "no order of these {} operations that contains real time gives {} what it read",
                shown.len() + updates.len(),
                if reads.len() == 1 { "the read" } else { "every read" }
            );
            cast.step(read(subject), read(subject), "no-order", because);
            (cast, subject)
        }
    };
    let name = cast.name(read(subject)).to_owned();
    cast.witness(&meaning(&name), Minimality::Minimum, holds(history, &fault.claim(sets)))
}

/// Reads, each with the element that it is about ([`NONE`]: what it showed), and updates, in order of beginning.
fn cast<'a>(sets: &Sets<'_>, history: &'a History, reads: &[(u32, u32)], updates: &[u32]) -> Cast<'a> {
    let set = sets.set;
    let value = |element: u32| history.values().json(set.elements[element as usize], VALUE_TEXT);
    let mut deeds: Vec<_> = Vec::with_capacity(reads.len() + updates.len());
    for (at, about) in reads {
        let read = sets.reading(*at);
        let operation = history.op(read.act.op);
        let shows = if set.shows(read, *about) { "with" } else { "without" };
        let did = match (read.asked, *about) {
            (NONE, NONE) => format!("read {}", history.values().json(operation.result(), VALUE_TEXT)),
            (NONE, about) => {
                let count = match set.shown(read).len() {
                    0 => "nothing".to_owned(),
                    1 => "1 element".to_owned(),
                    count => format!("{count} elements"),
                };
                format!("read {count}, {shows} {}", value(about))
            }
            (asked, _) if set.shown(read).is_empty() => format!("found no {}", value(asked)),
            (asked, _) => format!("found {}", value(asked)),
        };
        let node = operation.node();
        let at_node =
            if node.is_null() { String::new() } else { format!(" at node {}", history.values().json(node, 60)) };
        deeds.push((read.act, Deed { letter: 'R', did: did + &at_node, meant: "read".to_owned() }));
    }
    for at in updates {
        let update = &set.updates[*at as usize];
        let (letter, did, meant) = if update.adds { ('A', "added", "add") } else { ('D', "removed", "remove") };
        let element = value(update.element);
        deeds.push((update.act, Deed { letter, did: format!("{did} {element}"), meant: format!("{meant} {element}") }));
    }
    deeds.sort_by_key(|(act, _)| (act.began, act.op));
    Cast::new(history, set.name, deeds.into_iter().map(|(act, deed)| (act.op, deed)).collect())
}
