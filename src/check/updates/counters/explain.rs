//! What can't be of counters, as witnesses that a person can read.

use super::{Counters, Fault};
use crate::check::updates::Datatype;
use crate::history::History;
use crate::witness::objects::{Cast, Deed};
use crate::witness::recheck::updates::counter::{Premise, holds};
use crate::witness::{Minimality, Witness};
use crate::workload::updates::NONE;

/// The fault in words; `meaning` says what follows, given the name of the read.
pub(super) fn witness(
    counters: &Counters<'_>,
    history: &History,
    fault: &Fault,
    meaning: &dyn Fn(&str) -> String,
) -> Witness {
    let read = |at: u32| counters.read(at).op;
    let (cast, subject) = match fault {
        Fault::Outside { read: at, premise, update, lowest, highest } => {
            let named = if *update == NONE { Vec::new() } else { vec![*update] };
            let mut cast = cast(counters, history, &[*at], &named);
            if let (Premise::Timely | Premise::End, Some(update)) = (premise, named.first()) {
                cast.before(counters.act(*update).op, read(*at));
            }
            let ground = match premise {
                Premise::Any => "all additions that did not fail, in any choice, give",
                Premise::Timely => {
                    "what had been acknowledged when it began, with or without what was under way until it ended, gives"
                }
                Premise::Own => "what its own session had added before, with or without all others, gives",
                Premise::Future => "what others added, and its own session before, gives",
                Premise::End => "all that was acknowledged, with or without what nobody knows of, gives",
            };
            let span = if lowest == highest { lowest.to_string() } else { format!("{lowest} to {highest}") };
            let step = match premise {
                Premise::Any => "thin-air",
                Premise::Own | Premise::Future => "process",
                Premise::Timely | Premise::End => "sum",
            };
            let because = format!("{}, and {ground} {span}", cast.did(read(*at)));
            cast.step(read(*at), read(*at), step, because);
            (cast, *at)
        }
        Fault::Backward { read: at, earlier } => {
            let mut cast = cast(counters, history, &[*earlier, *at], &[]);
            let because = format!(
                "{}, and later in the same session {}, although amounts only go one way",
                cast.did(read(*earlier)),
                cast.did(read(*at))
            );
            cast.step(read(*earlier), read(*at), "process", because);
            (cast, *at)
        }
        Fault::Differ { reads: [a, b] } => {
            let mut cast = cast(counters, history, &[*a, *b], &[]);
            let because = format!("{}, and {}", cast.did(read(*a)), cast.did(read(*b)));
            cast.step(read(*a), read(*b), "diverged", because);
            (cast, *b)
        }
        Fault::NoOrder { reads } => {
            let mut cast = cast(counters, history, reads, &[]);
            let subject = reads.last().copied().unwrap_or(0);
            let because = "no order of all additions that contains real time, with or without those of unknown outcome, gives what was read";
            cast.step(read(subject), read(subject), "no-order", because.to_owned());
            (cast, subject)
        }
    };
    let name = cast.name(read(subject)).to_owned();
    cast.witness(&meaning(&name), Minimality::OneMinimal, holds(history, &fault.claim(counters)))
}

/// Reads and additions, in order of beginning.
fn cast<'a>(counters: &Counters<'_>, history: &'a History, reads: &[u32], updates: &[u32]) -> Cast<'a> {
    let mut deeds: Vec<_> = Vec::with_capacity(reads.len() + updates.len());
    for at in reads {
        let read = &counters.counter.reads[*at as usize];
        let node = history.op(read.act.op).node();
        let at_node =
            if node.is_null() { String::new() } else { format!(" at node {}", history.values().json(node, 60)) };
        let did = format!("read {}{at_node}", read.sum);
        deeds.push((read.act, Deed { letter: 'R', did, meant: "read".to_owned() }));
    }
    for at in updates {
        let amount = counters.amount(*at);
        let deed = Deed { letter: 'A', did: format!("added {amount}"), meant: format!("add {amount}") };
        deeds.push((*counters.act(*at), deed));
    }
    deeds.sort_by_key(|(act, _)| (act.began, act.op));
    Cast::new(history, counters.counter.name, deeds.into_iter().map(|(act, deed)| (act.op, deed)).collect())
}
